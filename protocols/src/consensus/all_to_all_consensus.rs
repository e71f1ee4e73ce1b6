//! All-to-all consensus: every process sends its value to all, and all choose by the same rule.
//!
//! Source: Tanenbaum and van Steen (2017), section 8.2, consensus without failures. Spec:
//! [`Consensus`] with uniform agreement. Model: asynchronous, perfect links, no faults.
//!
//! Steps: send the own value to all; once all n values have arrived, decide the least of them.
//!
//! Why it works: all decide by one function of the same n values. If one process crashes, its value
//! can be missing and the others wait forever; one that stops waiting (mutant `timeout`) cannot
//! know what processes that received more values have decided.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::consensus::{AGREEMENT, Consensus, Indication, Request, UNIFORM_AGREEMENT, Value};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The sender's proposal.
    Value(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// The process stops waiting: only in the mutant `timeout`.
    Patience,
}

/// A process of all-to-all consensus.
#[derive(Clone, Debug, Hash)]
pub struct AllToAllConsensus {
    values: BTreeMap<ProcessId, Value>,
    decided: bool,
    timeout: Duration,
}

impl Process for AllToAllConsensus {
    type Spec = Consensus;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_request(&mut self, Request::Propose(value): Request, cx: &mut Cx<Self>) {
        cx.broadcast(Msg::Value(value));
        if cx.runs(&TIMEOUT) {
            cx.set_timer(self.timeout, Timer::Patience);
        }
    }

    fn on_message(&mut self, from: ProcessId, Msg::Value(value): Msg, cx: &mut Cx<Self>) {
        self.values.insert(from, value);
        if self.values.len() == cx.processes().len() {
            self.decide_least(cx);
        }
    }

    fn on_timer(&mut self, Timer::Patience: Timer, cx: &mut Cx<Self>) {
        if !self.decided {
            cx.reach("ran out of patience");
        }
        self.decide_least(cx);
    }
}

impl AllToAllConsensus {
    fn decide_least(&mut self, cx: &mut Cx<Self>) {
        if let Some(least) = self.values.values().min().filter(|_| !self.decided) {
            cx.indicate(Indication::Decide(*least));
            self.decided = true;
        }
    }
}

/// `[params]` of all-to-all consensus.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// How long the mutant `timeout` waits for the values of the others. The protocol itself waits
    /// forever.
    pub timeout: Duration,
}

impl Default for Params {
    fn default() -> Self {
        Self { timeout: Duration::from_millis(50) }
    }
}

const TIMEOUT: Mutant =
    Mutant::code("timeout", "decides after a timeout, by the values that it has", AGREEMENT);

impl Protocol for AllToAllConsensus {
    const NAME: &'static str = "all-to-all-consensus";
    const SUMMARY: &'static str =
        "consensus without faults: all send their values to all and choose by one rule";
    const SOURCE: &'static str = "Tanenbaum & van Steen 2017, section 8.2";
    const MUTANTS: &'static [Mutant] = &[TIMEOUT];

    type Params = Params;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS
    }

    fn validate(params: &Params, _: &Setting) -> Result<(), Invalid> {
        if params.timeout == Duration::ZERO {
            return Err(Invalid::new("timeout", "must be longer than zero"));
        }
        Ok(())
    }

    fn new(params: &Params, _: &Setting, _: ProcessId) -> Self {
        Self { values: BTreeMap::new(), decided: false, timeout: params.timeout }
    }

    fn claims(_: &Params, _: &Setting) -> Vec<PropertyId> {
        vec![UNIFORM_AGREEMENT]
    }
}
