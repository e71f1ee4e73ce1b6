//! FloodSet: f + 1 synchronous rounds in which every process sends all values it knows to all.
//!
//! Source: Lynch (1996), section 6.2; early stopping after Charron-Bost and Schiper (2004) and
//! Dolev, Reischuk and Strong (1990). Spec: [`Consensus`] with uniform agreement. Model:
//! synchronous, perfect links, at most f crashes, no detector. Lynch's *processor* is our process,
//! her W the set of values known.
//!
//! Steps: in each round ([`Rounds`]) send the values known to all others, and add the values that
//! arrive. At the end of round f + 1 decide the least. All processes start with their proposals at
//! the same time.
//!
//! Why it works: one of f + 1 rounds has no crash. After it all live processes know the same
//! values, and learn no others.
//!
//! With `early_stop`: a process that hears exactly the same processes in two consecutive rounds
//! knows every value that any live process knows. It announces this in the next round and decides
//! at its end. A process that receives the announcement does the same. With f' crashes all have
//! decided by round min(f' + 2, f + 1). The additional round makes agreement uniform: a process
//! that crashes right after deciding has sent its values to all.

use std::collections::BTreeSet;

use ftsim_core::prelude::*;

use crate::parts::rounds::Rounds;
use crate::spec::consensus::{AGREEMENT, Consensus, Indication, Request, UNIFORM_AGREEMENT, Value};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The values that the sender knows.
    Values {
        values: BTreeSet<Value>,
        /// Whether the sender stops after this round.
        stopping: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// The round is over.
    RoundEnd,
}

/// A process of FloodSet.
#[derive(Clone, Debug, Hash)]
pub struct FloodSet {
    values: BTreeSet<Value>,
    rounds: Rounds,
    f: u32,
    /// The processes heard in this round, itself included.
    heard: ProcessSet,
    heard_before: ProcessSet,
    early_stop: bool,
    /// Whether it knows every value that any live process knows, and announces so in this round.
    stopping: bool,
    /// Whether it has received such an announcement in this round.
    heard_stopping: bool,
    decided: bool,
}

impl Process for FloodSet {
    type Spec = Consensus;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_request(&mut self, Request::Propose(value): Request, cx: &mut Cx<Self>) {
        self.values.insert(value);
        self.heard = cx.processes().collect();
        self.start_round(cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, _: &mut Cx<Self>) {
        let Msg::Values { values, stopping } = msg;
        self.values.extend(values);
        self.heard.insert(from);
        self.heard_stopping |= stopping;
    }

    fn on_timer(&mut self, Timer::RoundEnd: Timer, cx: &mut Cx<Self>) {
        let last_round = if cx.runs(&F_ROUNDS) { self.f } else { self.f + 1 };
        if self.stopping || self.rounds.current() >= last_round {
            return self.decide(cx);
        }
        if self.knows_all() {
            cx.reach("stops early");
            self.stopping = true;
            if cx.runs(&EARLY_STOP_TOO_SOON) {
                self.decide(cx);
            }
        }
        self.start_round(cx);
    }
}

impl FloodSet {
    fn start_round(&mut self, cx: &mut Cx<Self>) {
        self.heard_before = std::mem::take(&mut self.heard);
        self.heard.insert(cx.me());
        self.heard_stopping = false;
        cx.send_to_others(Msg::Values { values: self.values.clone(), stopping: self.stopping });
        self.rounds.begin_next(Timer::RoundEnd, cx);
    }

    /// Whether, at the end of a round, no process can know a value that this one does not.
    fn knows_all(&self) -> bool {
        self.early_stop && (self.heard == self.heard_before || self.heard_stopping)
    }

    fn decide(&mut self, cx: &mut Cx<Self>) {
        if let Some(least) = self.values.first().filter(|_| !self.decided) {
            cx.indicate(Indication::Decide(*least));
            self.decided = true;
        }
    }
}

/// `[params]` of FloodSet.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The number of crashes to tolerate, less than the number of processes.
    pub f: u32,
    /// The length of a round, at least the network's bound on delays, which is the default.
    pub round: Option<Duration>,
    /// Whether to decide before round f + 1 when there are fewer than f crashes.
    pub early_stop: bool,
}

impl Default for Params {
    fn default() -> Self {
        Self { f: 1, round: None, early_stop: false }
    }
}

const F_ROUNDS: Mutant = Mutant::code("f-rounds", "decides after f rounds", AGREEMENT);
const EARLY_STOP_TOO_SOON: Mutant = Mutant::code(
    "early-stop-too-soon",
    "decides as soon as it knows all values, before it announces so",
    UNIFORM_AGREEMENT,
);

impl Protocol for FloodSet {
    const NAME: &'static str = "floodset";
    const SUMMARY: &'static str = "synchronous consensus: flood all values for f + 1 rounds";
    const SOURCE: &'static str = "Lynch 1996, Distributed Algorithms, section 6.2";
    const MUTANTS: &'static [Mutant] = &[F_ROUNDS, EARLY_STOP_TOO_SOON];

    type Params = Params;

    fn model(params: &Self::Params, _: &Setting) -> Model {
        Model::SYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE.given_as("f", params.f))
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        let Params { f, round, early_stop } = params;
        if *f >= setting.n {
            return Err(Invalid::new(
                "f",
                format!("it must be less than the {} processes", setting.n),
            ));
        }
        if *f == 0 && setting.runs(&F_ROUNDS) {
            return Err(Invalid::new("f", "after 0 rounds there is nothing to decide"));
        }
        if !early_stop && setting.runs(&EARLY_STOP_TOO_SOON) {
            return Err(Invalid::new("early_stop", "the mutant needs `early_stop`"));
        }
        let bound = setting.delay_bound;
        if round.is_some_and(|round| round < bound) {
            return Err(Invalid::new(
                "round",
                format!("a message can take {bound}, which is longer"),
            ));
        }
        Ok(())
    }

    fn new(params: &Params, setting: &Setting, _: ProcessId) -> Self {
        Self {
            values: BTreeSet::new(),
            rounds: Rounds::new(0, params.round.unwrap_or(setting.delay_bound)),
            f: params.f,
            heard: ProcessSet::new(),
            heard_before: ProcessSet::new(),
            early_stop: params.early_stop,
            stopping: false,
            heard_stopping: false,
            decided: false,
        }
    }

    fn claims(_: &Params, _: &Setting) -> Vec<PropertyId> {
        vec![UNIFORM_AGREEMENT]
    }
}
