//! Totally ordered multicast by logical clocks and acknowledgements, despite crashes.
//!
//! Source: after Lamport (1978); the flush after Birman and Joseph (1987). Spec: [`Broadcast`] with
//! uniform agreement and all orders. Model: asynchronous, reliable FIFO links, a perfect failure
//! detector P, any number of crashes.
//!
//! Steps: as `lamport-tom`, but a process delivers the first message of its queue once all that it
//! does not suspect have acknowledged it. When it suspects a process, it accepts nothing more from
//! it. It sends a flush to all that it does not suspect: whom it suspects, and their messages that
//! it has not delivered. It delivers nothing until it has a flush with the same suspects from each
//! of them. A process that learns of a message in this way acknowledges it as any other.
//!
//! Why it works: a process delivers a message only if all processes that it does not suspect have
//! it. So what one has delivered of a crashed sender, all have, and what it has not delivered is in
//! its flush. After the flushes all have the same messages of the crashed, and accept no others:
//! nothing of theirs can come before the first message of a queue any more.
//!
//! With `repair = "fetch"` there is no flush. A process that learns from an acknowledgement of a
//! message that it does not have, and whose sender it suspects, fetches it from whoever has it, and
//! delivers nothing later until then. This is **unsafe**: all have the same messages in the end,
//! but a process can deliver a later message before it learns of this one. It is not enough that
//! all living processes have acknowledged a message; none must have an earlier one of a crashed
//! sender.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;

use crate::parts::logical_clock::{LogicalClock, Time};
use crate::spec::broadcast::{
    AGREEMENT, Broadcast, CAUSAL, FIFO, Indication, MessageNumber, Request, TOTAL_ORDER,
    UNIFORM_AGREEMENT, UNIFORM_TOTAL_ORDER, VALIDITY,
};

/// The time at which a message was multicast, and its sender: messages are delivered in this order.
type Stamp = (Time, ProcessId);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, from its sender or fetched.
    Data { stamp: Stamp, number: MessageNumber },
    /// An acknowledgement, sent at this time.
    Ack { time: Time, of: Stamp },
    /// Whom the sender suspects, and their messages that it has not delivered.
    Flush { suspected: ProcessSet, undelivered: Vec<(Stamp, MessageNumber)> },
    /// The sender asks for a message.
    Fetch(Stamp),
}

/// A process of totally ordered multicast that tolerates crashes.
#[derive(Clone, Debug, Hash)]
pub struct LamportTomFt {
    repair: Repair,
    clock: LogicalClock,
    /// The messages that are not delivered yet, in the order of delivery.
    queue: BTreeMap<Stamp, MessageNumber>,
    /// The messages that have come, delivered or not.
    known: BTreeSet<Stamp>,
    /// The processes that have acknowledged each message, also one that has not come yet.
    acked: BTreeMap<Stamp, ProcessSet>,
    suspected: ProcessSet,
    /// The suspects in the last flush of each process.
    flushed: BTreeMap<ProcessId, ProcessSet>,
}

impl Process for LamportTomFt {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        let stamp = (self.clock.tick(), cx.me());
        cx.send_to_others(Msg::Data { stamp, number });
        self.known.insert(stamp);
        self.queue.insert(stamp, number);
        self.acknowledged(stamp, cx.me());
        self.deliver(cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        if self.suspected.contains(from) {
            cx.reach("message of a suspect ignored");
            return;
        }
        match msg {
            Msg::Data { stamp, number } => self.receive(stamp, number, cx),
            Msg::Ack { time, of } => {
                self.clock.receive(time);
                self.acknowledged(of, from);
                if self.must_fetch(of) {
                    cx.send(from, Msg::Fetch(of));
                }
            }
            Msg::Flush { suspected, undelivered } => {
                for (stamp, number) in undelivered {
                    self.receive(stamp, number, cx);
                }
                self.flushed.insert(from, suspected);
            }
            Msg::Fetch(stamp) => {
                if let Some(&number) = self.queue.get(&stamp) {
                    cx.send(from, Msg::Data { stamp, number });
                }
            }
        }
        self.deliver(cx);
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        self.suspected.insert(p);
        match self.repair {
            _ if cx.runs(&NO_REPAIR) => {}
            Repair::Flush => self.flush(cx),
            Repair::Fetch => self.fetch_all(cx),
        }
        self.deliver(cx);
    }
}

impl LamportTomFt {
    /// Enters a message in the queue and acknowledges it, unless it has come before.
    fn receive(&mut self, stamp: Stamp, number: MessageNumber, cx: &mut Cx<Self>) {
        if !self.known.insert(stamp) {
            return;
        }
        let (sent, sender) = stamp;
        if self.suspected.contains(sender) {
            cx.reach("message of a suspect repaired");
        }
        self.clock.receive(sent);
        self.queue.insert(stamp, number);
        self.acknowledged(stamp, sender);
        self.acknowledged(stamp, cx.me());
        cx.send_to_others(Msg::Ack { time: self.clock.now(), of: stamp });
    }

    fn acknowledged(&mut self, of: Stamp, by: ProcessId) {
        self.acked.entry(of).or_default().insert(by);
    }

    fn flush(&mut self, cx: &mut Cx<Self>) {
        let of_suspects = self.queue.iter().filter(|((_, p), _)| self.suspected.contains(*p));
        let undelivered = of_suspects.map(|(stamp, number)| (*stamp, *number)).collect();
        let flush = Msg::Flush { suspected: self.suspected.clone(), undelivered };
        cx.send_to(self.peers(cx), flush);
    }

    /// Whether a message has to be fetched from somebody who has acknowledged it.
    fn must_fetch(&self, stamp: Stamp) -> bool {
        let is_missing = self.suspected.contains(stamp.1) && !self.known.contains(&stamp);
        self.repair == Repair::Fetch && is_missing
    }

    fn fetch_all(&self, cx: &mut Cx<Self>) {
        for (stamp, by) in self.acked.iter().filter(|(stamp, _)| self.must_fetch(**stamp)) {
            if let Some(holder) = self.holder(by, cx) {
                cx.send(holder, Msg::Fetch(*stamp));
            }
        }
    }

    /// A process to fetch a message from. A message without one is forgotten.
    fn holder(&self, acked: &ProcessSet, cx: &Cx<Self>) -> Option<ProcessId> {
        self.peers(cx).find(|p| acked.contains(*p))
    }

    /// Whether it knows of a message before this one that it has to fetch.
    fn misses_earlier(&self, stamp: Stamp, cx: &Cx<Self>) -> bool {
        let mut earlier = self.acked.range(..stamp);
        earlier.any(|(stamp, by)| self.must_fetch(*stamp) && self.holder(by, cx).is_some())
    }

    fn deliver(&mut self, cx: &mut Cx<Self>) {
        while let Some((&stamp, &number)) = self.queue.first_key_value()
            && self.is_stable(stamp, cx)
            && self.is_flushed(cx)
            && !self.misses_earlier(stamp, cx)
        {
            self.queue.remove(&stamp);
            self.acked.remove(&stamp);
            cx.indicate(Indication::Deliver { sender: stamp.1, number });
        }
    }

    /// Whether nothing can come from a suspect any more.
    fn is_flushed(&self, cx: &Cx<Self>) -> bool {
        let agrees = |p| self.flushed.get(&p) == Some(&self.suspected);
        let repairs = self.repair == Repair::Flush && !cx.runs(&NO_REPAIR);
        self.suspected.is_empty() || !repairs || self.peers(cx).all(agrees)
    }

    /// Whether all that are not suspected have acknowledged this message.
    fn is_stable(&self, stamp: Stamp, cx: &Cx<Self>) -> bool {
        let is_excused = |p| self.suspected.contains(p) && !cx.runs(&WAIT_FOR_DEAD);
        let acked = self.acked.get(&stamp);
        cx.processes().all(|p| is_excused(p) || acked.is_some_and(|acked| acked.contains(p)))
    }

    /// All other processes that are not suspected.
    fn peers(&self, cx: &Cx<Self>) -> impl Iterator<Item = ProcessId> + use<'_> {
        cx.others().filter(|p| !self.suspected.contains(*p))
    }
}

/// `[params]` of totally ordered multicast that tolerates crashes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LamportTomFtParams {
    /// How processes get the messages of a crashed process that only some of them have.
    pub repair: Repair,
}

/// How processes get the messages of a crashed process that only some of them have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Repair {
    /// All send them to all, and deliver nothing until then.
    #[default]
    Flush,
    /// Whoever hears of one fetches it. Unsafe: by then it may have delivered a later one.
    Fetch,
}

const WAIT_FOR_DEAD: Mutant = Mutant::code(
    "wait-for-dead",
    "waits for the acknowledgements of suspected processes too",
    VALIDITY,
);
const NO_REPAIR: Mutant = Mutant::code(
    "no-repair",
    "leaves the messages of a suspected process to those who have them",
    AGREEMENT,
);
const FETCH_ONLY: Mutant = Mutant::assumption(
    "fetch-only",
    "is expected to keep the order, although messages of the crashed are only fetched",
    TOTAL_ORDER,
    "params.repair",
    Some(r#""flush""#),
);

impl Protocol for LamportTomFt {
    const NAME: &'static str = "lamport-tom-ft";
    const SUMMARY: &'static str = "total order by logical clocks, with a flush after each crash";
    const SOURCE: &'static str = "after Lamport 1978; Birman & Joseph 1987";
    const MUTANTS: &'static [Mutant] = &[WAIT_FOR_DEAD, NO_REPAIR, FETCH_ONLY];

    type Params = LamportTomFtParams;

    fn model(_: &LamportTomFtParams, _: &Setting) -> Model {
        let links = Model::ASYNCHRONOUS.over(Links::ReliableFifo);
        links.crash_stop(Bound::ALL_BUT_ONE).with(DetectorClass::Perfect)
    }

    fn new(params: &LamportTomFtParams, _: &Setting, _: ProcessId) -> Self {
        Self {
            repair: params.repair,
            clock: LogicalClock::default(),
            queue: BTreeMap::new(),
            known: BTreeSet::new(),
            acked: BTreeMap::new(),
            suspected: ProcessSet::new(),
            flushed: BTreeMap::new(),
        }
    }

    fn claims(params: &LamportTomFtParams, _: &Setting) -> Vec<PropertyId> {
        match params.repair {
            Repair::Flush => {
                vec![AGREEMENT, UNIFORM_AGREEMENT, FIFO, CAUSAL, TOTAL_ORDER, UNIFORM_TOTAL_ORDER]
            }
            Repair::Fetch => vec![AGREEMENT, UNIFORM_AGREEMENT],
        }
    }
}
