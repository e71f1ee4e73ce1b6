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
