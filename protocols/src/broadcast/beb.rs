//! Best-effort broadcast: the sender sends the message to all, and that is all.
//!
//! Source: Cachin, Guerraoui and Rodrigues (2011), algorithm 3.1. Spec: [`Broadcast`], core only.
//! Model: asynchronous, perfect links, any number of crashes.
//!
//! Steps: the sender sends the message to each process, itself first. A process that receives it
//! delivers it. If the sender crashes in between, some processes deliver the message and others
//! never do, so this is not a reliable broadcast.

use ftsim_core::prelude::*;

use crate::spec::broadcast::{
    AGREEMENT, BEST_EFFORT, Broadcast, Indication, MessageNumber, Request,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    Data(MessageNumber),
}

/// A process of best-effort broadcast. It has no state.
#[derive(Clone, Debug, Hash)]
pub struct Beb;

impl Process for Beb {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        if cx.runs(&SELF_ONLY) {
            return cx.send(cx.me(), Msg::Data(number));
        }
        cx.broadcast(Msg::Data(number));
    }

    fn on_message(&mut self, sender: ProcessId, Msg::Data(number): Msg, cx: &mut Cx<Self>) {
        cx.indicate(Indication::Deliver { sender, number });
    }
}

const AS_RB: Mutant =
    Mutant::assumption("as-rb", "is expected to be a reliable broadcast", AGREEMENT, "check", None);
const SELF_ONLY: Mutant = Mutant::code("self-only", "the sender sends only to itself", BEST_EFFORT);

impl Protocol for Beb {
    const NAME: &'static str = "beb";
    const SUMMARY: &'static str = "best-effort broadcast: the sender sends to each process";
    const SOURCE: &'static str = "Cachin, Guerraoui & Rodrigues 2011, algorithm 3.1";
    const MUTANTS: &'static [Mutant] = &[AS_RB, SELF_ONLY];

    type Params = NoParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self
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
