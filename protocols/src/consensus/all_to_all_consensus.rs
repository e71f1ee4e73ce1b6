//! All-to-all consensus: everybody sends its value to everybody, and all choose alike.
//!
//! Source: Tanenbaum and van Steen (2017), section 8.2, consensus without failures. Spec:
//! [`Consensus`] with uniform agreement. Model: asynchronous, perfect links, no fault.
//!
//! Steps: send the own value to all; when n values are there, decide the least of them.
//!
//! Why it works: all decide by one function of the same n values. The first process that crashes
//! takes its value along, and the others wait for ever; one that stops waiting (mutant `timeout`)
//! cannot know what those who heard more have decided.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::consensus::{AGREEMENT, Consensus, Indication, Request, UNIFORM_AGREEMENT, Value};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// What the sender proposes.
    Value(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// Only in the mutant `timeout`: it has waited long enough.
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
    /// How long the mutant `timeout` waits for the others' values. The protocol itself waits
    /// without end.
    pub timeout: Duration,
}

impl Default for Params {
    fn default() -> Self {
        Self { timeout: Duration::from_millis(50) }
    }
}

const TIMEOUT: Mutant =
    Mutant::code("timeout", "decides when its patience ends, by the values that it has", AGREEMENT);

impl Protocol for AllToAllConsensus {
    const NAME: &'static str = "all-to-all-consensus";
    const SUMMARY: &'static str = "consensus without faults: all send to all and choose alike";
    const SOURCE: &'static str = "Tanenbaum & van Steen 2017, section 8.2";
    const MUTANTS: &'static [Mutant] = &[TIMEOUT];

    type Params = Params;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS
    }

    fn validate(params: &Params, _: &Setting) -> Result<(), Invalid> {
        if params.timeout == Duration::ZERO {
            return Err(Invalid::new("timeout", "it must be longer than no time at all"));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, sends};

    #[test]
    fn all_decide_after_one_step_and_n_times_n_minus_1_messages() {
        for n in [1, 2, 3, 5, 9] {
            let run = Bench::<AllToAllConsensus>::new(n).lockstep().run(1);
            assert_eq!(run.violated(), [""; 0]);
            assert_eq!(run.statistics.sent(), u64::from(n * (n - 1)));
            assert_eq!(run.indication_steps(), vec![u64::from(n > 1); n as usize]);
        }
    }

    #[test]
    fn it_holds_whatever_the_delays() {
        for seed in 0..300 {
            let workload = r#"{"draw_below": 3, "at": "0ms..30ms"}"#;
            let run = Bench::<AllToAllConsensus>::new(4).workload(workload).run(seed);
            assert_eq!(run.violated(), [""; 0], "seed {seed}");
        }
    }

    #[test]
    fn one_crash_and_the_others_wait_for_ever() {
        let bench = Bench::<AllToAllConsensus>::new(3).crash(0, sends(0, "Value", 1));
        assert_eq!(bench.run(1).violated(), ["cons.termination"]);
    }

    #[test]
    fn those_who_stop_waiting_after_a_crash_in_mid_broadcast_disagree() {
        let crashed = Bench::<AllToAllConsensus>::new(3).crash(0, sends(0, "Value", 1));
        let run = crashed.mutant("timeout").run(1);
        assert_eq!(run.violated(), ["cons.agreement", "cons.uniform-agreement"]);
    }
}
