//! Totally ordered multicast by logical clocks and acknowledgements, despite crashes.
//!
//! Source: after Lamport (1978); the flush after Birman and Joseph (1987). Spec: [`Broadcast`] with
//! uniform agreement and all orders. Model: asynchronous, reliable FIFO links, a perfect failure
//! detector P, crash-stop, f < n. Newcomers may join ([`rejoin`]).
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
//! delivers nothing later until then. This is **unsafe** ([`fetch`]).

mod fetch;
mod mutants;
mod params;
mod rejoin;

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::parts::logical_clock::{LogicalClock, Time};
use crate::spec::broadcast::{
    AGREEMENT, Broadcast, CAUSAL, FIFO, Indication, MessageNumber, PREFIX, Request, TOTAL_ORDER,
    UNIFORM_AGREEMENT, UNIFORM_TOTAL_ORDER,
};
use mutants::{NO_REPAIR, WAIT_FOR_DEAD};
pub use params::{LamportTomFtParams, Repair};
use rejoin::{Newcomer, State};

/// The time at which a message was multicast, and its sender: messages are delivered in this order.
type Stamp = (Time, ProcessId);

/// What has a place in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Entry {
    /// A message.
    Message(MessageNumber),
    /// The joining of a newcomer.
    Join(ProcessId),
}

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
    /// The sender, a newcomer, asks to join.
    Join,
    /// The joining of a newcomer, multicast as a message is.
    Admit { stamp: Stamp, newcomer: ProcessId },
    /// What the sender has when it delivers the joining of the receiver.
    State(Box<State>),
}

impl Msg {
    const fn of(stamp: Stamp, entry: Entry) -> Self {
        match entry {
            Entry::Message(number) => Self::Data { stamp, number },
            Entry::Join(newcomer) => Self::Admit { stamp, newcomer },
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// At a newcomer: time to join.
    Join,
}

/// A process of totally ordered multicast that tolerates crashes.
#[derive(Clone, Debug, Hash)]
pub struct LamportTomFt {
    repair: Repair,
    clock: LogicalClock,
    /// The messages that are not delivered yet, in the order of delivery.
    queue: BTreeMap<Stamp, Entry>,
    /// The messages that are delivered.
    delivered: BTreeMap<Stamp, Entry>,
    /// The processes that have acknowledged each message, also one that has not come yet.
    acked: BTreeMap<Stamp, ProcessSet>,
    suspected: ProcessSet,
    /// The suspects in the last flush of each process.
    flushed: BTreeMap<ProcessId, ProcessSet>,
    /// Those who must acknowledge a message, unless they are suspected.
    members: ProcessSet,
    /// Those to whom it multicasts: the members, and newcomers that are about to join.
    group: ProcessSet,
    /// Those who have joined and have sent nothing since.
    unheard: ProcessSet,
    /// What it is as long as it has not joined; `None` for a member.
    newcomer: Option<Newcomer>,
}

impl Process for LamportTomFt {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if let Some(newcomer) = &self.newcomer {
            newcomer.wait(cx);
        }
    }

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        match &mut self.newcomer {
            Some(newcomer) => newcomer.requests.push(number),
            None => self.multicast(Entry::Message(number), cx),
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        if self.suspected.contains(from) {
            cx.reach("message of a suspect ignored");
            return;
        }
        match (msg, &mut self.newcomer) {
            (Msg::State(state), _) => self.take_over(from, *state, cx),
            (msg, Some(newcomer)) => newcomer.early.push((from, msg)),
            (msg, None) => self.accept(from, msg, cx),
        }
        self.deliver(cx);
    }

    fn on_timer(&mut self, Timer::Join: Timer, cx: &mut Cx<Self>) {
        self.ask_to_join(cx);
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        self.suspected.insert(p);
        if self.newcomer.is_some() {
            return self.ask_another(p, cx);
        }
        match self.repair {
            _ if cx.runs(&NO_REPAIR) => {}
            Repair::Flush => self.flush(cx),
            Repair::Fetch => self.fetch_all(cx),
        }
        self.send_state(cx);
        self.deliver(cx);
    }
}

impl LamportTomFt {
    fn multicast(&mut self, entry: Entry, cx: &mut Cx<Self>) {
        let stamp = (self.clock.tick(), cx.me());
        cx.send_to(self.others(cx), Msg::of(stamp, entry));
        self.enqueue(stamp, entry, cx);
        self.deliver(cx);
    }

    fn accept(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Data { stamp, number } => self.receive(stamp, Entry::Message(number), cx),
            Msg::Admit { stamp, newcomer } => self.receive(stamp, Entry::Join(newcomer), cx),
            Msg::Ack { time, of } => {
                self.clock.receive(time);
                self.acknowledged(of, from);
                if self.must_fetch(of) {
                    cx.send(from, Msg::Fetch(of));
                }
            }
            Msg::Flush { suspected, undelivered } => {
                for (stamp, number) in undelivered {
                    self.receive(stamp, Entry::Message(number), cx);
                }
                self.flushed.insert(from, suspected);
            }
            Msg::Fetch(stamp) => {
                if let Some(&entry) = self.queue.get(&stamp) {
                    cx.send(from, Msg::of(stamp, entry));
                }
            }
            Msg::Join => return self.admit(from, cx),
            Msg::State(_) => {}
        }
        self.unheard.remove(from);
    }

    /// Enters a message in the queue and acknowledges it, unless it has come before.
    fn receive(&mut self, stamp: Stamp, entry: Entry, cx: &mut Cx<Self>) {
        if self.has(stamp) {
            return;
        }
        let (sent, sender) = stamp;
        if self.suspected.contains(sender) {
            cx.reach("message of a suspect repaired");
        }
        self.clock.receive(sent);
        self.acknowledged(stamp, sender);
        cx.send_to(self.others(cx), Msg::Ack { time: self.clock.now(), of: stamp });
        self.enqueue(stamp, entry, cx);
    }

    fn has(&self, stamp: Stamp) -> bool {
        self.queue.contains_key(&stamp) || self.delivered.contains_key(&stamp)
    }

    fn enqueue(&mut self, stamp: Stamp, entry: Entry, cx: &mut Cx<Self>) {
        self.queue.insert(stamp, entry);
        self.acknowledged(stamp, cx.me());
        if let Entry::Join(newcomer) = entry {
            self.expect(newcomer, cx);
        }
    }

    fn acknowledged(&mut self, of: Stamp, by: ProcessId) {
        self.acked.entry(of).or_default().insert(by);
    }

    fn flush(&mut self, cx: &mut Cx<Self>) {
        let mut undelivered = Vec::new();
        for (&stamp, &entry) in self.queue.iter().filter(|((_, p), _)| self.suspected.contains(*p))
        {
            match entry {
                Entry::Message(number) => undelivered.push((stamp, number)),
                Entry::Join(_) => cx.send_to(self.unsuspected(cx), Msg::of(stamp, entry)),
            }
        }
        let flush = Msg::Flush { suspected: self.suspected.clone(), undelivered };
        cx.send_to(self.unsuspected(cx), flush);
    }

    fn deliver(&mut self, cx: &mut Cx<Self>) {
        while let Some((&stamp, &entry)) = self.queue.first_key_value()
            && self.is_stable(stamp, cx)
            && self.is_flushed(cx)
            && !self.misses_earlier(stamp, cx)
        {
            self.queue.remove(&stamp);
            self.acked.remove(&stamp);
            self.delivered.insert(stamp, entry);
            match entry {
                Entry::Message(number) => {
                    cx.indicate(Indication::Deliver { sender: stamp.1, number });
                }
                Entry::Join(newcomer) => self.join(newcomer, cx),
            }
        }
    }

    /// Whether nothing can come from a suspect any more.
    fn is_flushed(&self, cx: &Cx<Self>) -> bool {
        let agrees = |p| self.flushed.get(&p) == Some(&self.suspected);
        let repairs = self.repair == Repair::Flush && !cx.runs(&NO_REPAIR);
        let mut others = self.unsuspected(cx).filter(|p| self.members.contains(*p));
        self.suspected.is_empty() || !repairs || others.all(agrees)
    }

    /// Whether all members that are not suspected have acknowledged this message.
    fn is_stable(&self, stamp: Stamp, cx: &Cx<Self>) -> bool {
        let is_excused = |p| self.suspected.contains(p) && !cx.runs(&WAIT_FOR_DEAD);
        let acked = self.acked.get(&stamp);
        let has_acked = |p| acked.is_some_and(|acked| acked.contains(p));
        self.members.iter().all(|p| is_excused(p) || has_acked(p))
    }

    /// All others to whom it multicasts.
    fn others(&self, cx: &Cx<Self>) -> impl Iterator<Item = ProcessId> + use<'_> {
        let me = cx.me();
        self.group.iter().filter(move |p| *p != me)
    }

    /// Those of them that it does not suspect.
    fn unsuspected(&self, cx: &Cx<Self>) -> impl Iterator<Item = ProcessId> + use<'_> {
        self.others(cx).filter(|p| !self.suspected.contains(*p))
    }
}

impl Protocol for LamportTomFt {
    const NAME: &'static str = "lamport-tom-ft";
    const SUMMARY: &'static str = "total order by logical clocks, with a flush after each crash";
    const SOURCE: &'static str = "after Lamport 1978; Birman & Joseph 1987";
    const MUTANTS: &'static [Mutant] = mutants::ALL;

    type Params = LamportTomFtParams;

    fn model(params: &LamportTomFtParams, setting: &Setting) -> Model {
        let links = Model::ASYNCHRONOUS.over(Links::ReliableFifo);
        let bound = match params.newcomers {
            0 => Bound::ALL_BUT_ONE,
            // One of the founders stays up, for whoever joins.
            newcomers => Bound::at_most(setting.n.saturating_sub(newcomers).saturating_sub(1)),
        };
        links.crash_stop(bound).with(DetectorClass::Perfect)
    }

    fn validate(params: &LamportTomFtParams, setting: &Setting) -> Result<(), Invalid> {
        params.validate(setting)
    }

    fn new(params: &LamportTomFtParams, setting: &Setting, me: ProcessId) -> Self {
        let founders = params.founders(setting);
        let newcomer = (!founders.contains(me)).then(|| Newcomer::new(params));
        Self {
            repair: params.repair,
            clock: LogicalClock::default(),
            queue: BTreeMap::new(),
            delivered: BTreeMap::new(),
            acked: BTreeMap::new(),
            suspected: ProcessSet::new(),
            flushed: BTreeMap::new(),
            members: founders.clone(),
            group: founders,
            unheard: ProcessSet::new(),
            newcomer,
        }
    }

    fn claims(params: &LamportTomFtParams, _: &Setting) -> Vec<PropertyId> {
        if params.repair == Repair::Fetch {
            return vec![AGREEMENT, UNIFORM_AGREEMENT];
        }
        let mut claims =
            vec![AGREEMENT, UNIFORM_AGREEMENT, FIFO, CAUSAL, TOTAL_ORDER, UNIFORM_TOTAL_ORDER];
        if params.newcomers > 0 {
            claims.push(PREFIX);
        }
        claims
    }
}
