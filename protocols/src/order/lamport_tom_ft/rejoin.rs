//! How a process is re-integrated: as a newcomer, under an identity of its own.
//!
//! Steps: a newcomer sends JOIN to a founder that it does not suspect, and to another if that one
//! crashes before the newcomer is a member. Whoever has JOIN multicasts ADMIT in the newcomer's
//! name, as any other message. Whoever acknowledges ADMIT multicasts from then on to the newcomer
//! as well. At the delivery of ADMIT the newcomer becomes a member, whose acknowledgement all later
//! messages need, and the lowest member sends it STATE: what it has delivered, what is queued, and
//! who has acknowledged what. If that member crashes, the next one does. The newcomer delivers what
//! has been delivered, in the same order, acknowledges what is queued, and takes up what has come
//! meanwhile.
//!
//! Why it works: let q be a member. What q sent before it acknowledged ADMIT had come to the lowest
//! member when that one delivered ADMIT, since links keep order, and so it is in STATE. What q sent
//! after that, it sent to the newcomer too. So the newcomer has all that a member has. No member
//! delivers anything after ADMIT before the newcomer has acknowledged it: whoever sends STATE, and
//! whenever, sends it as of the same point of the order.
//!
//! Model: as for the others, and one of the founders, who alone can admit the first newcomer, stays
//! up.
//!
//! Words: the state of a process is what it has delivered, so a newcomer delivers all that, too. A
//! process that has crashed rejoins as a newcomer, with a new identity, as in group membership: the
//! problem is stated for processes that do not recover, and forbids delivering a message twice.
//! Under its old identity a process would also have to tell messages to its earlier self from its
//! own.

use ftsim_core::{Cx, Duration, DurationRange, ProcessId, ProcessSet};
use serde::{Deserialize, Serialize};

use super::mutants::{REJOIN_NO_STATE, REJOIN_UNORDERED};
use super::{Entry, LamportTomFt, LamportTomFtParams, Msg, Stamp, Timer};
use crate::parts::logical_clock::Time;
use crate::spec::broadcast::{Indication, MessageNumber};

/// What a member has when it delivers the joining of a newcomer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State {
    time: Time,
    delivered: Vec<(Stamp, Entry)>,
    queue: Vec<(Stamp, Entry)>,
    acked: Vec<(Stamp, ProcessSet)>,
    suspected: ProcessSet,
    flushed: Vec<(ProcessId, ProcessSet)>,
    members: ProcessSet,
    group: ProcessSet,
}

/// What a process is before it has joined.
#[derive(Clone, Debug, Hash)]
pub(super) struct Newcomer {
    join_at: DurationRange,
    /// Whom it has asked.
    contact: Option<ProcessId>,
    /// What has come before the state.
    pub(super) early: Vec<(ProcessId, Msg)>,
    /// What it is to multicast as soon as it is a member.
    pub(super) requests: Vec<MessageNumber>,
}

impl Newcomer {
    pub(super) const fn new(params: &LamportTomFtParams) -> Self {
        let join_at = params.join_at;
        Self { join_at, contact: None, early: Vec::new(), requests: Vec::new() }
    }

    pub(super) fn wait(&self, cx: &mut Cx<LamportTomFt>) {
        let DurationRange { min, max } = self.join_at;
        let after_ns = cx.rng().between(min.as_nanos(), max.as_nanos());
        cx.set_timer(Duration::from_nanos(after_ns), Timer::Join);
    }
}

impl LamportTomFt {
    // At the newcomer.

    pub(super) fn ask_to_join(&mut self, cx: &mut Cx<Self>) {
        // As long as it is a newcomer, it knows of the founders alone.
        let contact = self.members.iter().find(|p| !self.suspected.contains(*p));
        if let (Some(newcomer), Some(founder)) = (&mut self.newcomer, contact) {
            newcomer.contact = contact;
            cx.send(founder, Msg::Join);
        }
    }

    /// Asks another member to let it join, if this one, which has crashed, was asked.
    pub(super) fn ask_another(&mut self, crashed: ProcessId, cx: &mut Cx<Self>) {
        if self.newcomer.as_ref().is_some_and(|newcomer| newcomer.contact == Some(crashed)) {
            cx.reach("a newcomer asked another member");
            self.ask_to_join(cx);
        }
    }

    /// Becomes a member, with the state of another.
    pub(super) fn take_over(&mut self, from: ProcessId, state: State, cx: &mut Cx<Self>) {
        let Some(newcomer) = self.newcomer.take() else {
            // The sender of the first has crashed.
            cx.reach("a second copy of the state came");
            return;
        };
        self.clock.receive(state.time);
        (self.members, self.group) = (state.members, state.group);
        self.acked.extend(state.acked);
        self.flushed.extend(state.flushed);
        self.flushed.insert(from, state.suspected.clone());
        for (stamp, entry) in state.delivered {
            self.delivered.insert(stamp, entry);
            if let Entry::Message(number) = entry {
                cx.indicate(Indication::Deliver { sender: stamp.1, number });
            }
        }
        for (stamp, entry) in state.queue {
            self.receive(stamp, entry, cx);
        }
        self.suspected.extend(state.suspected.iter());
        for (from, msg) in newcomer.early {
            if !self.suspected.contains(from) {
                self.accept(from, msg, cx);
            }
        }
        if !self.suspected.is_empty() {
            self.flush(cx);
        }
        for number in newcomer.requests {
            self.multicast(Entry::Message(number), cx);
        }
    }

    // At the members.

    /// Multicasts that a newcomer joins, unless somebody has.
    pub(super) fn admit(&mut self, newcomer: ProcessId, cx: &mut Cx<Self>) {
        if !self.group.contains(newcomer) {
            self.multicast(Entry::Join(newcomer), cx);
        }
    }

    /// The joining of a newcomer is queued, and acknowledged.
    pub(super) fn expect(&mut self, newcomer: ProcessId, cx: &mut Cx<Self>) {
        self.group.insert(newcomer);
        if cx.runs(&REJOIN_UNORDERED) {
            self.join(newcomer, cx);
        }
    }

    /// The joining of a newcomer is delivered.
    pub(super) fn join(&mut self, newcomer: ProcessId, cx: &mut Cx<Self>) {
        if self.members.insert(newcomer) {
            self.unheard.insert(newcomer);
            self.send_state(cx);
        }
    }

    /// Sends its state to those who have joined and may have none yet, if it is the lowest member.
    pub(super) fn send_state(&self, cx: &mut Cx<Self>) {
        let is_up = |p: &ProcessId| !self.suspected.contains(*p);
        let mut with_state = self.members.iter().filter(|p| !self.unheard.contains(*p));
        if with_state.find(is_up) == Some(cx.me()) {
            let state = Msg::State(Box::new(self.state(cx)));
            cx.send_to(self.unheard.iter().filter(is_up), state);
        }
    }

    fn state(&self, cx: &Cx<Self>) -> State {
        let delivered = if cx.runs(&REJOIN_NO_STATE) { None } else { Some(&self.delivered) };
        let pairs = |(stamp, entry): (&Stamp, &Entry)| (*stamp, *entry);
        State {
            time: self.clock.now(),
            delivered: delivered.into_iter().flatten().map(pairs).collect(),
            queue: self.queue.iter().map(pairs).collect(),
            acked: self.acked.iter().map(|(stamp, by)| (*stamp, by.clone())).collect(),
            suspected: self.suspected.clone(),
            flushed: self.flushed.iter().map(|(p, suspected)| (*p, suspected.clone())).collect(),
            members: self.members.clone(),
            group: self.group.clone(),
        }
    }
}
