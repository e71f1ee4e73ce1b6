//! Eager reliable broadcast: a process that delivers a message relays it.
//!
//! Source: Hadzilacos and Toueg (1994); Cachin, Guerraoui and Rodrigues (2011), algorithm 3.3.
//! Spec: [`Broadcast`] with agreement. Model: asynchronous, perfect links, any number of crashes,
//! no detector.
//!
//! Steps: to broadcast, send the message to all, oneself included. When a message arrives for the
//! first time, deliver it and, if it is another process's, send it to all others.
//!
//! Why it works: a correct process that delivers a message has sent it to all, and its links lose
//! nothing. Agreement is not uniform: a process can deliver and crash before its relay leaves.

use ftsim_core::prelude::*;

use crate::spec::broadcast::{
    AGREEMENT, Broadcast, Indication, MessageNumber, NO_DUPLICATION, Request, UNIFORM_AGREEMENT,
};
use crate::spec::message_set::MessageSet;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, from its sender or relayed.
    Data { sender: ProcessId, number: MessageNumber },
}

/// A process of eager reliable broadcast.
#[derive(Clone, Debug, Hash)]
pub struct EagerRb {
    delivered: MessageSet,
}

impl Process for EagerRb {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        cx.broadcast(Msg::Data { sender: cx.me(), number });
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        let Msg::Data { sender, number } = msg;
        if self.delivered.contains((sender, number)) {
            return;
        }
        if !cx.runs(&NO_DELIVERED_SET) {
            self.delivered.insert((sender, number));
        }
        if from != sender {
            cx.reach("relay came first");
        }
        cx.indicate(Indication::Deliver { sender, number });
        if sender != cx.me() && !cx.runs(&DELIVER_WITHOUT_RELAY) {
            cx.send_to_others(msg);
        }
    }
}

const NO_DELIVERED_SET: Mutant = Mutant::code(
    "no-delivered-set",
    "does not remember its deliveries, so that relays never end",
    NO_DUPLICATION,
);
const DELIVER_WITHOUT_RELAY: Mutant =
    Mutant::code("deliver-without-relay", "delivers without relaying", AGREEMENT);
const AS_URB: Mutant = Mutant::assumption(
    "as-urb",
    "is expected to be a uniform reliable broadcast",
    UNIFORM_AGREEMENT,
    "check",
    None,
);

impl Protocol for EagerRb {
    const NAME: &'static str = "eager-rb";
    const SUMMARY: &'static str = "reliable broadcast: relay on first delivery";
    const SOURCE: &'static str =
        "Hadzilacos & Toueg 1994; Cachin, Guerraoui & Rodrigues 2011, algorithm 3.3";
    const MUTANTS: &'static [Mutant] = &[NO_DELIVERED_SET, DELIVER_WITHOUT_RELAY, AS_URB];

    type Params = NoParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self { delivered: MessageSet::default() }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![AGREEMENT]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, after_effect, sends};
    use ftsim_core::fault::InFlight;

    /// p0 alone broadcasts, once; every message takes one step.
    fn one_sender(n: u32) -> Bench<EagerRb> {
        Bench::new(n).workload(r#"{"senders": ["p0"]}"#).lockstep()
    }

    #[test]
    fn a_broadcast_costs_n_times_n_minus_1_messages() {
        for n in [2, 3, 5, 9] {
            let run = one_sender(n).run(1);
            assert_eq!(run.statistics.sent(), u64::from(n * (n - 1)));
        }
    }

    #[test]
    fn without_failure_all_deliver_in_one_step() {
        assert_eq!(one_sender(5).run(1).indication_steps(), [0, 1, 1, 1, 1]);
    }

    #[test]
    fn a_chain_of_crashes_takes_f_plus_1_steps() {
        // Each of p0, p1, … reaches no live process but the next: p(k) relays to p0..p(k-1), then
        // to p(k+1).
        for f in 1..5 {
            let chain = |bench: Bench<_>, p| bench.crash(p, sends(p, "Data", u64::from(p) + 1));
            let run = (0..f).fold(one_sender(6), chain).run(1);
            assert_eq!(run.statistics.crashes, u64::from(f));
            assert_eq!(run.indication_steps().last(), Some(&(u64::from(f) + 1)));
            assert_eq!(run.violated(), [] as [&str; 0]);
        }
    }

    #[test]
    fn no_crashes_delay_a_delivery_beyond_f_plus_1_steps() {
        for seed in 0..400 {
            let run = one_sender(6).random_crashes(5, "0ms..20ms").run(seed);
            let last = run.indication_steps().last().copied().unwrap_or_default();
            let crashes = run.statistics.crashes;
            assert!(last <= crashes + 1, "seed {seed}: step {last}, {crashes} crashes");
        }
    }

    #[test]
    fn a_delivery_without_relay_is_not_reliable() {
        let bench = || one_sender(3).crash(0, sends(0, "Data", 1));
        assert_eq!(bench().run(1).violated(), [] as [&str; 0]);
        assert_eq!(bench().mutant("deliver-without-relay").run(1).violated(), ["rb.agreement"]);
    }

    #[test]
    fn without_a_memory_relays_never_end() {
        let mut bench = one_sender(3).mutant("no-delivered-set");
        bench.experiment.limits.event_count_max = 100;
        let run = bench.run(1);
        assert_eq!(run.violated(), ["rb.no-duplication"]);
        assert_eq!(run.cause, ftsim_core::EndCause::EventLimit);
    }

    #[test]
    fn reliable_is_not_uniform() {
        // Two sends and the delivery of its own copy; then the other send is lost with the sender.
        let bench = one_sender(2).crash_with(0, after_effect(0, 3), InFlight::Lose);
        assert_eq!(bench.run(1).violated(), [] as [&str; 0]);
        let uniform = bench.check(UNIFORM_AGREEMENT).run(1);
        assert_eq!(uniform.violated(), ["rb.uniform-agreement"]);
    }

    #[test]
    fn any_crashes_below_n_are_survived_but_not_by_the_mutant() {
        let mut mutant_fails = 0;
        for seed in 0..400 {
            let bench = Bench::<EagerRb>::new(5).workload(r#"{"broadcasts": 2, "every": "4ms"}"#);
            let bench = bench.random_crashes(4, "0ms..20ms");
            assert_eq!(bench.run(seed).violated(), [] as [&str; 0], "seed {seed}");
            mutant_fails += bench.mutant("deliver-without-relay").run(seed).violated().len();
        }
        assert!(mutant_fails > 0);
    }
}
