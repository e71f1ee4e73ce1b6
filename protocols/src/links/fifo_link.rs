//! A FIFO link: sequence numbers, and a buffer for messages that arrive early.
//!
//! Source: Stenning (1976), *A data transfer protocol*. Spec: [`Link`] with FIFO order. Model:
//! asynchronous, reliable links in any order, crash-stop, any number of crashes.
//!
//! Steps: the sender numbers its messages to each receiver from 1. The receiver delivers the
//! message with the next number, and then all buffered messages that follow it. It buffers messages
//! that arrive early, and ignores duplicates.
//!
//! Why it works: messages are delivered without a gap, so all numbers below a delivered one are
//! delivered too. On a reliable link each gap closes.
//!
//! A receiver that cannot wait forever has two choices once it gives up on a gap. Ignoring a late
//! message (`late = "drop"`) keeps the order but loses the message: still FIFO, no longer reliable.
//! Delivering it late is the mutant `skip-gap`, and breaks the order.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;

use crate::spec::link::{FIFO, Indication, Link, MessageNumber, NO_DUPLICATION, RELIABLE, Request};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    Data {
        /// Its number among the messages to this receiver, from 1.
        sequence: u64,
        number: MessageNumber,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// A gap in the messages from this sender has lasted too long.
    Gap(ProcessId),
}

/// Both ends of FIFO links.
#[derive(Clone, Debug, Hash)]
pub struct FifoLink {
    params: FifoLinkParams,
    /// As a sender: the number of the last message to each receiver.
    sent: BTreeMap<ProcessId, u64>,
    /// As a receiver, by sender.
    incoming: BTreeMap<ProcessId, Incoming>,
}

/// The state of a receiver for one sender.
#[derive(Clone, Debug, Default, Hash)]
struct Incoming {
    /// All messages up to this number are delivered or given up.
    passed: u64,
    /// The messages that arrived early, by number.
    held: BTreeMap<u64, MessageNumber>,
    delivered: BTreeSet<u64>,
}

impl Process for FifoLink {
    type Spec = Link;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_request(&mut self, Request::Send { to, number }: Request, cx: &mut Cx<Self>) {
        let sequence = self.sent.entry(to).or_default();
        *sequence += 1;
        cx.send(to, Msg::Data { sequence: *sequence, number });
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        let Msg::Data { sequence, number } = msg;
        let incoming = self.incoming.entry(from).or_default();
        if sequence == 0 || incoming.delivered.contains(&sequence) {
            return;
        }
        let is_late = sequence <= incoming.passed;
        if is_late {
            cx.reach("too late");
        }
        if is_late && !cx.runs(&SKIP_GAP) {
            return;
        }
        if is_late || cx.runs(&DELIVER_ON_ARRIVAL) {
            incoming.delivered.insert(sequence);
            cx.indicate(Indication::Deliver { from, number });
            return;
        }
        let gap = incoming.gap();
        incoming.held.insert(sequence, number);
        self.deliver_held(from, cx);
        self.watch_gap(from, gap, cx);
    }

    fn on_timer(&mut self, Timer::Gap(from): Timer, cx: &mut Cx<Self>) {
        let Some(incoming) = self.incoming.get_mut(&from) else { return };
        let Some(first) = incoming.held.keys().next() else { return };
        cx.reach("gave up on a gap");
        incoming.passed = first - 1;
        self.deliver_held(from, cx);
        self.watch_gap(from, None, cx);
    }
}

impl FifoLink {
    /// Delivers buffered messages up to the next gap.
    fn deliver_held(&mut self, from: ProcessId, cx: &mut Cx<Self>) {
        let Some(incoming) = self.incoming.get_mut(&from) else { return };
        while let Some(first) = incoming.held.first_entry() {
            if *first.key() != incoming.passed.saturating_add(1) {
                cx.reach("held back");
                return;
            }
            let (sequence, number) = first.remove_entry();
            incoming.passed = sequence;
            incoming.delivered.insert(sequence);
            cx.indicate(Indication::Deliver { from, number });
        }
    }

    /// Times each gap from its first appearance, if the receiver gives up on gaps.
    fn watch_gap(&self, from: ProcessId, before: Option<u64>, cx: &mut Cx<Self>) {
        let gap = self.incoming.get(&from).and_then(Incoming::gap);
        let gives_up = self.params.late == Late::Drop || cx.runs(&SKIP_GAP);
        if !gives_up || gap == before {
            return;
        }
        match gap {
            Some(_) => cx.set_timer(self.params.gap_timeout, Timer::Gap(from)),
            None => cx.cancel_timer(Timer::Gap(from)),
        }
    }
}

impl Incoming {
    /// The number before the first gap, if there is a gap.
    fn gap(&self) -> Option<u64> {
        (!self.held.is_empty()).then_some(self.passed)
    }
}

/// `[params]` of a FIFO link.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FifoLinkParams {
    /// What a receiver does about a late message.
    pub late: Late,
    /// How long a gap may last before the receiver gives up on it, if it ever does.
    pub gap_timeout: Duration,
}

impl Default for FifoLinkParams {
    fn default() -> Self {
        Self { late: Late::default(), gap_timeout: Duration::from_millis(50) }
    }
}

/// What a receiver does about a late message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Late {
    /// Waits for it, however long.
    #[default]
    Wait,
    /// Gives up on it after `gap_timeout`, and ignores it when it arrives.
    Drop,
}

const DELIVER_ON_ARRIVAL: Mutant =
    Mutant::code("deliver-on-arrival", "delivers messages in the order of their arrival", FIFO);
const SKIP_GAP: Mutant = Mutant::code(
    "skip-gap",
    "gives up on a gap after a while, but delivers the late message when it arrives",
    FIFO,
);

impl Protocol for FifoLink {
    const NAME: &'static str = "fifo-link";
    const SUMMARY: &'static str = "FIFO link: number messages, hold back those that arrive early";
    const SOURCE: &'static str = "Stenning 1976, A data transfer protocol";
    const MUTANTS: &'static [Mutant] = &[DELIVER_ON_ARRIVAL, SKIP_GAP];

    type Params = FifoLinkParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ANY)
    }

    fn validate(params: &FifoLinkParams, _: &Setting) -> Result<(), Invalid> {
        if params.gap_timeout == Duration::ZERO {
            return Err(Invalid::new("gap_timeout", "must be longer than zero"));
        }
        Ok(())
    }

    fn new(params: &FifoLinkParams, _: &Setting, _: ProcessId) -> Self {
        Self { params: params.clone(), sent: BTreeMap::new(), incoming: BTreeMap::new() }
    }

    fn claims(params: &FifoLinkParams, _: &Setting) -> Vec<PropertyId> {
        match params.late {
            Late::Wait => vec![RELIABLE, NO_DUPLICATION, FIFO],
            Late::Drop => vec![NO_DUPLICATION, FIFO],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;
    use ftsim_core::Probability;
    use ftsim_core::environment::message_rule::{Fate, MessageRule};

    const NOTHING: [&str; 0] = [];

    /// p0 sends three messages to p1, one a step; the first takes so long.
    fn first_takes(ms: u64) -> Bench<FifoLink> {
        let mut bench = Bench::new(2).lockstep();
        bench = bench.workload(r#"{"senders": ["p0"], "messages": 3}"#);
        bench.experiment.overrides = vec![MessageRule {
            from: ProcessId(0),
            to: ProcessId(1),
            kind: None,
            nth: 1,
            fate: Fate::delay(Duration::from_millis(ms)),
        }];
        bench
    }

    #[test]
    fn a_payload_costs_one_message() {
        for messages in [1, 2, 7] {
            let workload = format!(r#"{{"messages": {messages}}}"#);
            for n in [2, 3, 5] {
                let run = Bench::<FifoLink>::new(n).workload(&workload).run(1);
                assert_eq!(run.statistics.sent(), u64::from(n * (n - 1)) * messages);
                assert_eq!(run.violated(), NOTHING);
            }
        }
    }

    #[test]
    fn what_comes_too_early_waits_for_the_gap_to_close() {
        let run = first_takes(100).run(1);
        assert_eq!(run.indication_steps(), [10, 10, 10]);
        assert_eq!(run.violated(), NOTHING);
        assert_eq!(run.reached, ["held back"]);
    }

    #[test]
    fn delivery_on_arrival_is_not_in_order() {
        let run = first_takes(100).mutant("deliver-on-arrival").run(1);
        assert_eq!(run.violated(), ["lnk.fifo"]);
    }

    #[test]
    fn a_late_message_can_be_dropped_or_delivered_but_not_both_in_order_and_reliably() {
        let late = |ms| first_takes(ms).check(RELIABLE);
        let dropped = late(100).params(r#"{"late": "drop"}"#).run(1);
        assert_eq!(dropped.violated(), ["lnk.reliable"]);
        assert_eq!(dropped.reached, ["held back", "gave up on a gap", "too late"]);
        assert_eq!(late(100).mutant("skip-gap").run(1).violated(), ["lnk.fifo"]);
        // The gap is seen at 20 ms and given up at 70 ms.
        for (ms, violated) in [(70, &[][..]), (71, &["lnk.reliable"])] {
            let run = late(ms).params(r#"{"late": "drop"}"#).run(1);
            assert_eq!(run.violated(), violated, "{ms} ms");
        }
    }

    #[test]
    fn each_gap_has_its_own_patience() {
        // The first and the third are lost. The second comes at 20 ms and the fourth at 40 ms; the
        // gap before the second is given up at 70 ms, and only then that before the fourth begins.
        let mut bench = first_takes(100).params(r#"{"late": "drop"}"#);
        bench = bench.workload(r#"{"senders": ["p0"], "messages": 4}"#);
        bench.experiment.overrides[0].fate = Fate::DROP;
        let third = MessageRule { nth: 3, ..bench.experiment.overrides[0].clone() };
        bench.experiment.overrides.push(third);
        let run = bench.run(1);
        assert_eq!(run.indication_steps(), [7, 12]);
        assert_eq!(run.violated(), NOTHING);
    }

    #[test]
    fn doubled_and_reordered_messages_and_crashes_leave_the_order_alone_but_not_the_mutants() {
        let mut broken = [0; 2];
        for seed in 0..300 {
            let workload = r#"{"messages": 10, "every": "3ms"}"#;
            let mut bench = Bench::<FifoLink>::new(3).workload(workload);
            bench = bench.random_crashes(2, "0ms..40ms");
            bench.experiment.network.default.duplicate = Probability::new(0.3).unwrap();
            assert_eq!(bench.run(seed).violated(), NOTHING, "seed {seed}");
            for (index, mutant) in ["deliver-on-arrival", "skip-gap"].iter().enumerate() {
                let bench = Bench::<FifoLink>::new(3).workload(workload).mutant(mutant);
                let run = bench.params(r#"{"gap_timeout": "1ms"}"#).run(seed);
                broken[index] += run.violated().len();
            }
        }
        assert!(broken.iter().all(|count| *count > 0), "{broken:?}");
    }
}
