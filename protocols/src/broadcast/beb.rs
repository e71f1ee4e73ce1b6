//! Best-effort broadcast: the sender sends to everybody, and that is all.
//!
//! Source: Cachin, Guerraoui and Rodrigues (2011), algorithm 3.1. Spec: [`Broadcast`], core only.
//! Model: asynchronous, perfect links, any number of crashes.
//!
//! Steps: the sender sends the message to each process, itself first. Who receives it delivers it.
//! If the sender crashes in between, some deliver and some never do: that is all that "best effort"
//! means, and why it is no reliable broadcast.

use ftsim_core::{
    Cx, DetectorClass, FaultClass, Links, Model, Mutant, Never, Process, ProcessId, ProcessSet,
    Protocol, Setting, Timing,
};
use serde::{Deserialize, Serialize};

use crate::NoParams;
use crate::spec::broadcast::{
    AGREEMENT, BEST_EFFORT, Broadcast, Indication, MessageNumber, Request,
};

/// One process of best-effort broadcast: it remembers nothing.
#[derive(Clone, Debug, Hash)]
pub struct Beb {
    /// Not in the mutant `self-only`.
    sends_to_others: bool,
}

/// What processes send each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The message with this number; its sender is the link's.
    Data(MessageNumber),
}

impl Process for Beb {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        if self.sends_to_others {
            cx.broadcast(Msg::Data(number));
        } else {
            cx.send(cx.me(), Msg::Data(number));
        }
    }

    fn on_message(&mut self, sender: ProcessId, Msg::Data(number): Msg, cx: &mut Cx<Self>) {
        cx.indicate(Indication::Deliver { sender, number });
    }
}

impl Protocol for Beb {
    const NAME: &'static str = "beb";
    const SUMMARY: &'static str = "best-effort broadcast: the sender sends to each process";
    const MODEL: Model = Model {
        timing: Timing::Asynchronous,
        faults: FaultClass::CrashStop,
        bound: "f < n",
        links: Links::Reliable,
        detector: DetectorClass::None,
        literature: "Cachin, Guerraoui & Rodrigues 2011, algorithm 3.1",
    };
    const MUTANTS: &'static [Mutant] = &[
        Mutant::assumption("as-rb", "is taken for a reliable broadcast", AGREEMENT, "check", None),
        Mutant::code("self-only", "the sender sends to itself alone", BEST_EFFORT),
    ];

    type Params = NoParams;

    fn can_progress(_: &Self::Params, _: &Setting, well: &ProcessSet) -> bool {
        !well.is_empty()
    }

    fn new(_: &NoParams, setting: &Setting, _: ProcessId) -> Self {
        Self { sends_to_others: !setting.is_mutant("self-only") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, sends};

    #[test]
    fn a_broadcast_costs_n_minus_1_messages_and_one_step() {
        for n in [1, 2, 5, 9] {
            let outcome = Bench::<Beb>::new(n).workload(r#"{"senders": ["p0"]}"#).lockstep().run(1);
            assert_eq!(outcome.statistics.sent(), u64::from(n) - 1);
            assert_eq!(outcome.steps(), u64::from(n > 1));
        }
    }

    #[test]
    fn a_sender_that_sends_to_itself_alone_is_no_broadcast() {
        let bench = Bench::<Beb>::new(3).mutant("self-only");
        assert_eq!(bench.run(1).statistics.sent(), 0);
        assert_eq!(bench.run(1).violated(), ["beb.validity"]);
        assert_eq!(Bench::<Beb>::new(1).mutant("self-only").run(1).violated(), [] as [&str; 0]);
    }

    #[test]
    fn a_sender_that_dies_in_mid_broadcast_breaks_agreement() {
        let bench = Bench::<Beb>::new(3).workload(r#"{"senders": ["p0"]}"#);
        let bench = bench.crash(0, sends(0, "Data", 1));
        assert_eq!(bench.run(1).violated(), [] as [&str; 0]);
        assert_eq!(bench.check(AGREEMENT).run(1).violated(), ["rb.agreement"]);
    }

    #[test]
    fn any_crashes_below_n_leave_the_core_alone() {
        for seed in 0..400 {
            let bench = Bench::<Beb>::new(5).workload(r#"{"broadcasts": 2, "every": "4ms"}"#);
            let run = bench.random_crashes(4, "0ms..20ms").run(seed);
            assert_eq!(run.violated(), [] as [&str; 0], "seed {seed}");
        }
    }
}
