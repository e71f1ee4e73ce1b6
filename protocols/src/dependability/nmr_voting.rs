//! N-modular redundancy: several units compute the same, and voters take what enough of them say.
//!
//! Source: Von Neumann (1956), *Probabilistic logics and the synthesis of reliable organisms from
//! unreliable components*; Lyons and Vanderkulk (1962), *The use of triple-modular redundancy to
//! improve computer reliability*. Spec: [`Computation`]. Model: asynchronous, reliable links, up to
//! k units Byzantine.
//!
//! Steps: the work is divided into *stages*, one after the other, and each stage has the same
//! number of units, its *rows*. Every unit of the first stage gets the job, does its part and sends
//! its result to all units of the next stage. Each of these is its own voter: it takes the value
//! that rows − k units of the stage before agree on, and goes on with that. The voters at the end
//! do the same, and announce it. With `voter = "single"` only one unit of a stage votes, and passes
//! what it has taken on to the others.
//!
//! Why it works: k units may be wrong, so the others, rows − k of them, say the same. If rows ≥
//! 2k + 1 these are more than k, so one of any rows − k units that agree is right. So n = 2k + 1
//! and k = 1 make triple-modular redundancy, and k = 0 a system in which all must work. With rows =
//! k + 1 a single unit decides: that masks units that stop, and none that computes a wrong value.
//!
//! Each stage masks k wrong units of its own. The bound counts those of all stages together.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;

use crate::parts::votes::Votes;
use crate::spec::computation::{
    CORRECT_OUTPUT, Computation, Indication, JobNumber, OUTPUT, Request, VOTER, Value, steps,
};

const UNIT: &str = "unit";

/// A job in progress.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Work {
    /// What the stages so far have made of its input.
    value: Value,
    /// The steps of all stages together.
    steps: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// What a unit has made of a job, for those who vote.
    Result { number: JobNumber, work: Work },
    /// With a single voter: what it has taken, for the units of its stage.
    Voted { number: JobNumber, work: Work },
}

/// A process of n-modular redundancy.
#[derive(Clone, Debug, Hash)]
pub struct NmrVoting {
    place: Place,
    /// The votes on each job that is not decided yet.
    votes: BTreeMap<JobNumber, Votes<Work>>,
    decided: BTreeSet<JobNumber>,
}

/// Where a process stands.
#[derive(Clone, Debug, Hash)]
struct Place {
    /// Its stage; voters stand behind the last one.
    stage: u32,
    stage_count: u32,
    row_count: u32,
    /// How many units must agree.
    quorum: u32,
    voter: Voter,
}

impl Process for NmrVoting {
    type Spec = Computation;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        let Request::Compute { number, input, steps } = request;
        if self.place.stage == 0 {
            self.take(number, Work { value: input, steps }, cx);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Result { number, work } if self.place.hears(from) => {
                self.vote(from, number, work, cx);
            }
            Msg::Voted { number, work } if self.place.voter_of_stage() == Some(from) => {
                self.take(number, work, cx);
            }
            _ => {}
        }
    }
}

impl NmrVoting {
    fn vote(&mut self, from: ProcessId, number: JobNumber, work: Work, cx: &mut Cx<Self>) {
        if self.decided.contains(&number) {
            return;
        }
        let votes = self.votes.entry(number).or_default();
        votes.cast(from, work);
        let Some((work, count)) = votes.most_frequent() else { return };
        if count < self.place.quorum {
            return;
        }
        if self.place.voter_of_stage() == Some(cx.me()) {
            let me = cx.me();
            let others = self.place.units().filter(|p| *p != me);
            cx.send_to(others, Msg::Voted { number, work });
        }
        self.take(number, work, cx);
    }

    /// Goes on with a job: a voter announces its result, a unit does its part.
    fn take(&mut self, number: JobNumber, work: Work, cx: &mut Cx<Self>) {
        if !self.decided.insert(number) {
            return;
        }
        self.votes.remove(&number);
        let Place { stage, stage_count, .. } = self.place;
        if stage == stage_count {
            return cx.indicate(Indication::Output { number, value: work.value });
        }
        let Work { value, steps: whole } = work;
        let part = part_of(whole, stage + 1, stage_count) - part_of(whole, stage, stage_count);
        let mut value = steps(value, part);
        if cx.runs(&COMMON_MODE) {
            value ^= 1;
        }
        let result = Msg::Result { number, work: Work { value, steps: whole } };
        if stage + 1 == stage_count {
            cx.send_to(cx.role(VOTER), result);
        } else {
            let next = Place { stage: stage + 1, ..self.place.clone() };
            match next.voter_of_stage() {
                Some(voter) => cx.send(voter, result),
                None => cx.send_to(next.units(), result),
            }
        }
    }
}

/// The steps that are done before this stage.
fn part_of(steps: u32, stage: u32, stage_count: u32) -> u32 {
    let before = u64::from(steps) * u64::from(stage) / u64::from(stage_count.max(1));
    u32::try_from(before).unwrap_or(steps)
}

impl Place {
    /// The units of the same stage.
    fn units(&self) -> impl Iterator<Item = ProcessId> + use<> {
        let first = self.stage * self.row_count;
        (first..first + self.row_count).map(ProcessId)
    }

    /// The only unit that votes in this stage, if there is only one.
    fn voter_of_stage(&self) -> Option<ProcessId> {
        let is_between = self.stage > 0 && self.stage < self.stage_count;
        let first = ProcessId(self.stage * self.row_count);
        (self.voter == Voter::Single && is_between).then_some(first)
    }

    /// Whether it is for this process to vote on what `p` says.
    fn hears(&self, p: ProcessId) -> bool {
        self.stage > 0 && p.0 / self.row_count.max(1) == self.stage - 1
    }
}

/// Who votes between two stages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Voter {
    /// One unit, for all of its stage.
    Single,
    /// Each unit for itself.
    #[default]
    Triplicated,
}

/// `[params]` of n-modular redundancy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// How many units may be wrong.
    pub k: u32,
    /// The stages, one after the other, into which the units are divided.
    pub stages: u32,
    /// Who votes between two stages.
    pub voter: Voter,
}

impl Default for Params {
    fn default() -> Self {
        Self { k: 1, stages: 1, voter: Voter::Triplicated }
    }
}

impl Params {
    /// The units of a stage.
    fn row_count(&self, setting: &Setting) -> u32 {
        setting.role_size(UNIT) / self.stages.max(1)
    }
}

const K_PLUS_1: Mutant = Mutant::assumption(
    "k-plus-1",
    "has k + 1 units, one more than may be wrong, instead of 2k + 1",
    CORRECT_OUTPUT,
    "processes.unit",
    Some("3"),
);
const SINGLE_VOTER: Mutant = Mutant::assumption(
    "single-voter",
    "has one voter between two stages, which is as likely to be wrong as any unit",
    CORRECT_OUTPUT,
    "params.voter",
    Some("\"triplicated\""),
);
const COMMON_MODE: Mutant =
    Mutant::code("common-mode", "runs the same wrong program on all units", CORRECT_OUTPUT);

impl Protocol for NmrVoting {
    const NAME: &'static str = "nmr-voting";
    const SUMMARY: &'static str = "redundant units: the value on which enough of them agree";
    const SOURCE: &'static str = "Von Neumann 1956; Lyons & Vanderkulk 1962";
    const ROLES: &'static [&'static str] = &[UNIT, VOTER];
    const MUTANTS: &'static [Mutant] = &[K_PLUS_1, SINGLE_VOTER, COMMON_MODE];

    type Params = Params;

    fn model(params: &Params, setting: &Setting) -> Model {
        let bound = match (params.stages, params.voter) {
            (1, _) => Bound::MINORITY,
            (_, Voter::Triplicated) => {
                Bound::at_most(params.row_count(setting).saturating_sub(1) / 2)
            }
            (_, Voter::Single) => Bound::NONE,
        };
        let bound = bound.of(UNIT).given_as("k", params.k);
        Model::ASYNCHRONOUS.byzantine(bound)
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        let (units, stages) = (setting.role_size(UNIT), params.stages);
        if stages == 0 || stages > units || units % stages != 0 {
            let how = format!("{units} units cannot be divided into {stages} stages");
            return Err(Invalid::new("stages", how));
        }
        if params.k >= params.row_count(setting) {
            return Err(Invalid::new("k", "a stage has more units than may be wrong"));
        }
        if setting.role_size(VOTER) == 0 {
            return Err(Invalid::role(VOTER, "there is no voter"));
        }
        Ok(())
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        let row_count = params.row_count(setting);
        let stage = if setting.has_role(me, VOTER) { params.stages } else { me.0 / row_count };
        let place = Place {
            stage,
            stage_count: params.stages,
            row_count,
            quorum: row_count - params.k,
            voter: params.voter,
        };
        Self { place, votes: BTreeMap::new(), decided: BTreeSet::new() }
    }

    fn claims(_: &Params, _: &Setting) -> Vec<PropertyId> {
        vec![OUTPUT]
    }
}
