//! Phase king: exchange values, and let a king decide where the vote is close; f + 1 kings.
//!
//! Source: Berman and Garay (1989), Berman, Garay and Perry (1989), *Towards optimal distributed
//! consensus*; the three-round variant as in Wattenhofer's lecture notes. Spec:
//! [`ByzantineAgreement`]. Model: synchronous, at most f Byzantine processes among n > 4f (two
//! rounds in a phase) or n > 3f (three), links that are reliable and authenticated.
//!
//! Steps: a phase has two or three rounds ([`Rounds`]). In phase k = 1 … f + 1 the king is the k-th
//! process.
//!
//! 1. Every process sends its value to all.
//! 2. Only with three rounds: a process that received one value from n - f or more proposes it to
//!    all. One that receives more than f proposals of a value adopts it.
//! 3. The king sends its value to all. A process that is not certain of its own value adopts the
//!    king's.
//!
//! After the first of two rounds, a process holds the most frequent value, and is certain if it
//! received that value more than n/2 + f times; after the second of three, if n - f or more
//! proposed it. After the last phase each process decides the value that it holds. All processes
//! start with their proposals at the same time.
//!
//! Why it works: if all correct processes hold one value, each receives it n - f times, is certain,
//! and no king changes it. If one of them is certain, so many correct processes hold its value that
//! all adopt it, including a correct king; if none is certain, all adopt the king's value. So after
//! the phase of a correct king all hold one value, and of f + 1 kings one is correct.

mod two_faced;

use std::collections::BTreeMap;

use ftsim_core::model::adversary::CustomAdversary;
use ftsim_core::prelude::*;

use crate::parts::rounds::Rounds;
use crate::parts::votes::Votes;
use crate::spec::byzantine::{BYZ_AGREEMENT, BYZ_VALIDITY, ByzantineAgreement};
use crate::spec::consensus::{Indication, Request, Value};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The value that the sender holds.
    Value { phase: u32, value: Value },
    /// The value that the sender received from n - f or more.
    Propose { phase: u32, value: Value },
    /// The value that the king holds.
    King { phase: u32, value: Value },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// The round is over: what has not arrived counts as absent.
    RoundEnd,
}

/// A process of phase king.
#[derive(Clone, Debug, Hash)]
pub struct PhaseKing {
    variant: Variant,
    f: u32,
    rounds: Rounds<Step>,
    /// The value that it holds, from its proposal on.
    value: Option<Value>,
    /// Whether no king can change that value in this phase.
    certain: bool,
    /// The messages of this step, and those that came early for later steps.
    heard: BTreeMap<Step, Votes<Value>>,
}

/// A round of a phase; phases count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Step {
    phase: u32,
    round: Round,
}

/// The rounds of a phase, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Round {
    Values,
    Proposals,
    King,
}

impl Process for PhaseKing {
    type Spec = ByzantineAgreement;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_request(&mut self, Request::Propose(value): Request, cx: &mut Cx<Self>) {
        if self.value.is_none() {
            self.value = Some(value);
            self.start_values(1, cx);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        let (phase, round, value) = match msg {
            Msg::Value { phase, value } => (phase, Round::Values, value),
            Msg::Propose { phase, value } => (phase, Round::Proposals, value),
            Msg::King { phase, value } => (phase, Round::King, value),
        };
        let step = Step { phase, round };
        // A message that comes after its round already counts as absent.
        if step >= self.rounds.current() && phase <= self.phase_count(cx) {
            self.heard.entry(step).or_default().cast(from, value);
        }
    }

    fn on_timer(&mut self, Timer::RoundEnd: Timer, cx: &mut Cx<Self>) {
        let Step { phase, round } = self.rounds.current();
        match (round, self.variant) {
            (Round::Values, Variant::TwoRound) => self.count_values(phase, cx),
            (Round::Values, Variant::ThreeRound) => self.start_proposals(phase, cx),
            (Round::Proposals, _) => self.count_proposals(phase, cx),
            (Round::King, _) => self.end_phase(phase, cx),
        }
    }
}

impl PhaseKing {
    fn start_values(&mut self, phase: u32, cx: &mut Cx<Self>) {
        self.certain = false;
        if let Some(value) = self.value {
            cx.broadcast(Msg::Value { phase, value });
        }
        self.begin(Step { phase, round: Round::Values }, cx);
    }

    /// Ends the first of two rounds.
    fn count_values(&mut self, phase: u32, cx: &mut Cx<Self>) {
        if let Some((value, votes)) = self.most_frequent() {
            self.value = Some(value);
            self.certain = 2 * votes > cx.n() + 2 * self.f;
        }
        self.start_king(phase, cx);
    }

    /// Ends the first of three rounds.
    fn start_proposals(&mut self, phase: u32, cx: &mut Cx<Self>) {
        if let Some((value, votes)) = self.most_frequent()
            && votes >= cx.n() - self.f
        {
            cx.broadcast(Msg::Propose { phase, value });
        }
        self.begin(Step { phase, round: Round::Proposals }, cx);
    }

    /// Ends the second of three rounds.
    fn count_proposals(&mut self, phase: u32, cx: &mut Cx<Self>) {
        if let Some((value, votes)) = self.most_frequent()
            && votes > self.f
        {
            self.value = Some(value);
            self.certain = votes >= cx.n() - self.f;
        }
        self.start_king(phase, cx);
    }

    fn start_king(&mut self, phase: u32, cx: &mut Cx<Self>) {
        if let Some(value) = self.value.filter(|_| cx.me() == king_of(phase)) {
            cx.broadcast(Msg::King { phase, value });
        }
        self.begin(Step { phase, round: Round::King }, cx);
    }

    fn end_phase(&mut self, phase: u32, cx: &mut Cx<Self>) {
        let heard = self.heard.get(&self.rounds.current());
        let kings = heard.and_then(|heard| heard.of(king_of(phase)));
        if kings.is_some() && kings != self.value {
            if self.certain && !cx.runs(&ALWAYS_KING) {
                cx.reach("keeps its value against the king's");
            } else {
                cx.reach("takes over the king's value");
                self.value = kings;
            }
        }
        if phase < self.phase_count(cx) {
            return self.start_values(phase + 1, cx);
        }
        if let Some(value) = self.value {
            cx.indicate(Indication::Decide(value));
        }
    }

    fn phase_count(&self, cx: &Cx<Self>) -> u32 {
        self.f + u32::from(!cx.runs(&F_PHASES))
    }

    /// Begins a round, and forgets the messages of earlier ones.
    fn begin(&mut self, step: Step, cx: &mut Cx<Self>) {
        self.heard = self.heard.split_off(&step);
        self.rounds.begin(step, Timer::RoundEnd, cx);
    }

    fn most_frequent(&self) -> Option<(Value, u32)> {
        self.heard.get(&self.rounds.current())?.most_frequent()
    }
}

/// The k-th process is king of phase k.
const fn king_of(phase: u32) -> ProcessId {
    ProcessId(phase - 1)
}

/// The number of rounds in a phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// Values, then the king's value: for n > 4f.
    TwoRound,
    /// With a round of proposals in between: for n > 3f.
    #[default]
    ThreeRound,
}

/// `[params]` of phase king.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The number of Byzantine processes to tolerate, less than the number of processes.
    pub f: u32,
    /// The number of rounds in a phase.
    pub variant: Variant,
}

impl Default for Params {
    fn default() -> Self {
        Self { f: 1, variant: Variant::default() }
    }
}

const N_4F: Mutant = Mutant::assumption(
    "n-4f",
    "runs two rounds in a phase with 4f processes, f = 1",
    BYZ_VALIDITY,
    "processes",
    Some("5"),
);
const N_3F: Mutant = Mutant::assumption(
    "n-3f",
    "runs three rounds in a phase with 3f processes, f = 1",
    BYZ_AGREEMENT,
    "processes",
    Some("4"),
);
const F_PHASES: Mutant = Mutant::code("f-phases", "decides after f phases", BYZ_AGREEMENT);
const ALWAYS_KING: Mutant = Mutant::code(
    "always-king",
    "adopts the king's value even when it is certain of its own",
    BYZ_VALIDITY,
);

impl Protocol for PhaseKing {
    const NAME: &'static str = "phase-king";
    const SUMMARY: &'static str =
        "Byzantine agreement: vote, and follow a king where the vote is close";
    const SOURCE: &'static str =
        "Berman & Garay 1989; Berman, Garay & Perry 1989, Towards optimal distributed consensus";
    const STATE_CORRUPTION: Option<StateCorruption<Self>> = Some(|process, _, _| {
        process.value = process.value.map(|value| value ^ 1);
    });
    const MUTANTS: &'static [Mutant] = &[N_4F, N_3F, F_PHASES, ALWAYS_KING];
    const ADVERSARIES: &'static [CustomAdversary<Msg>] = &[two_faced::TWO_FACED];

    type Params = Params;

    fn model(params: &Params, _: &Setting) -> Model {
        let bound = match params.variant {
            Variant::TwoRound => Bound::LESS_THAN_A_QUARTER,
            Variant::ThreeRound => Bound::LESS_THAN_A_THIRD,
        };
        Model::SYNCHRONOUS.byzantine(bound.given_as("f", params.f))
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        if params.f >= setting.n {
            let message = format!("it must be less than the {} processes", setting.n);
            return Err(Invalid::new("f", message));
        }
        if params.f == 0 && setting.runs(&F_PHASES) {
            return Err(Invalid::new("f", "after 0 phases there is nothing to decide"));
        }
        Ok(())
    }

    fn can_progress(params: &Params, setting: &Setting, well: &ProcessSet) -> bool {
        well.len() + params.f as usize >= setting.n as usize
    }

    fn new(params: &Params, setting: &Setting, _: ProcessId) -> Self {
        let first = Step { phase: 1, round: Round::Values };
        Self {
            variant: params.variant,
            f: params.f,
            rounds: Rounds::new(first, setting.delay_bound),
            value: None,
            certain: false,
            heard: BTreeMap::new(),
        }
    }
}
