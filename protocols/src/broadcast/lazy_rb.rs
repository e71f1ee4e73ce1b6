//! Lazy reliable broadcast: relay a message only when its sender is suspected.
//!
//! Source: Cachin, Guerraoui and Rodrigues (2011), algorithm 3.2. Spec: [`Broadcast`] with
//! agreement. Model: asynchronous with a perfect failure detector P, perfect links, any number of
//! crashes.
//!
//! Steps: to broadcast, send the message to all, oneself included. When a message arrives for the
//! first time, deliver it. When the detector suspects its sender, before or after that, send it to
//! all others.
//!
//! Why it works: a sender that is never suspected is correct, since P is complete, and its links
//! lose nothing. The messages of a suspected sender are relayed by every correct process that has
//! them. Accuracy is not needed: a wrong suspicion costs messages but violates nothing.
//!
//! Words: the book's `from` is our `delivered`; its complement of `correct` is our `suspected`.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;

use crate::spec::broadcast::{AGREEMENT, Broadcast, Indication, MessageNumber, Request};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, from its sender or relayed.
    Data { sender: ProcessId, number: MessageNumber },
}

/// A process of lazy reliable broadcast.
#[derive(Clone, Debug, Hash)]
pub struct LazyRb {
    delivered: BTreeMap<ProcessId, BTreeSet<MessageNumber>>,
    suspected: ProcessSet,
}

impl Process for LazyRb {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        cx.broadcast(Msg::Data { sender: cx.me(), number });
    }

    fn on_message(&mut self, _: ProcessId, Msg::Data { sender, number }: Msg, cx: &mut Cx<Self>) {
        if !self.delivered.entry(sender).or_default().insert(number) {
            return;
        }
        cx.indicate(Indication::Deliver { sender, number });
        if self.suspected.contains(sender) && !cx.runs(&NO_LATE_RELAY) {
            cx.reach("relayed on arrival");
            cx.send_to_others(Msg::Data { sender, number });
        }
    }

    fn on_suspect(&mut self, sender: ProcessId, cx: &mut Cx<Self>) {
        self.suspected.insert(sender);
        for number in self.delivered.get(&sender).into_iter().flatten() {
            cx.reach("relayed on suspicion");
            cx.send_to_others(Msg::Data { sender, number: *number });
        }
    }
}

const INCOMPLETE_FD: Mutant = Mutant::assumption(
    "incomplete-fd",
    "has a detector that does not report the sender's crash to some process",
    AGREEMENT,
    "detector.blind",
    None,
);
const NO_LATE_RELAY: Mutant = Mutant::code(
    "no-late-relay",
    "does not relay a message that arrives after the suspicion of its sender",
    AGREEMENT,
);

impl Protocol for LazyRb {
    const NAME: &'static str = "lazy-rb";
    const SUMMARY: &'static str = "reliable broadcast: relay when the sender is suspected";
    const SOURCE: &'static str = "Cachin, Guerraoui & Rodrigues 2011, algorithm 3.2";
    const MUTANTS: &'static [Mutant] = &[INCOMPLETE_FD, NO_LATE_RELAY];

    type Params = NoParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE).with(DetectorClass::Perfect)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self { delivered: BTreeMap::new(), suspected: ProcessSet::new() }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![AGREEMENT]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, STEP, after_effect, sends};
    use ftsim_core::Instant;
    use ftsim_core::environment::detector::Mistake;

    /// Only p0 broadcasts, once; a message takes 10 ms, and every crash is reported after
    /// `detection`.
    fn one_sender(n: u32, detection: &str) -> Bench<LazyRb> {
        Bench::new(n).workload(r#"{"senders": ["p0"]}"#).lockstep().perfect_detector(detection)
    }

    #[test]
    fn without_failure_a_broadcast_costs_n_minus_1_messages_and_one_step() {
        for n in [1, 2, 5, 9] {
            let run = one_sender(n, "5ms").run(1);
            assert_eq!(run.statistics.sent(), u64::from(n) - 1);
            assert_eq!(run.steps(), u64::from(n > 1));
        }
    }

    #[test]
    fn a_detected_sender_costs_n_minus_1_squared_messages_more() {
        for n in [2, 3, 5, 9] {
            let others = u64::from(n) - 1;
            for (detection, turn) in [("5ms", "relayed on arrival"), ("15ms", RELAYED_LATER)] {
                let run = one_sender(n, detection).crash(0, after_effect(0, u64::from(n))).run(1);
                assert_eq!(run.statistics.sent(), others + others * others);
                assert_eq!(run.reached, [turn]);
                assert_eq!(run.violated(), [] as [&str; 0]);
            }
        }
    }
    const RELAYED_LATER: &str = "relayed on suspicion";

    #[test]
    fn one_detected_sender_never_costs_more_than_that() {
        for (n, nth) in [(3, 1), (3, 2), (3, 3), (3, 4), (5, 1), (5, 2), (5, 3), (5, 5), (5, 6)] {
            let run = one_sender(n, "15ms").crash(0, after_effect(0, nth)).run(1);
            let others = u64::from(n) - 1;
            let sent = run.statistics.sent();
            assert!(sent <= others + others * others, "n = {n}, crash after {nth}: {sent}");
            assert_eq!(run.unfired, [] as [usize; 0]);
        }
    }

    #[test]
    fn wrong_suspicions_cost_messages_and_break_nothing() {
        let mut bench = one_sender(5, "5ms");
        let mistake = |observer: u32| Mistake {
            observer: ProcessId(observer),
            suspects: ProcessId(0),
            at: Instant::ZERO + STEP.times(u64::from(observer)),
            until: None,
        };
        bench.experiment.detector.mistakes = (1..5).map(mistake).collect();
        let run = bench.run(1);
        assert_eq!(run.statistics.sent(), 4 + 4 * 4);
        assert_eq!(run.violated(), [] as [&str; 0]);
    }

    #[test]
    fn agreement_needs_a_detector_that_tells_everybody() {
        let mut bench = one_sender(3, "15ms").crash(0, sends(0, "Data", 1));
        assert_eq!(bench.run(1).violated(), [] as [&str; 0]);
        bench.experiment.detector.blind = vec![(ProcessId(1), ProcessId(0))];
        assert_eq!(bench.run(1).violated(), ["rb.agreement"]);
    }

    #[test]
    fn agreement_needs_the_relay_on_arrival() {
        let bench = || one_sender(3, "5ms").crash(0, sends(0, "Data", 1));
        assert_eq!(bench().run(1).violated(), [] as [&str; 0]);
        assert_eq!(bench().mutant("no-late-relay").run(1).violated(), ["rb.agreement"]);
    }

    #[test]
    fn any_crashes_below_n_are_survived_but_not_by_the_mutant() {
        let mut mutant_fails = 0;
        for seed in 0..400 {
            let bench = Bench::<LazyRb>::new(5).workload(r#"{"broadcasts": 2, "every": "4ms"}"#);
            let bench = bench.perfect_detector("0ms..10ms").random_crashes(4, "0ms..20ms");
            assert_eq!(bench.run(seed).violated(), [] as [&str; 0], "seed {seed}");
            mutant_fails += bench.mutant("no-late-relay").run(seed).violated().len();
        }
        assert!(mutant_fails > 0);
    }
}
