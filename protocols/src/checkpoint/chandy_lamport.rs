//! Distributed snapshots: record a global state without stopping the system.
//!
//! Source: Chandy and Lamport (1985), and Lai and Yang (1987), with message counts after Mattern
//! (1993). Spec: [`Snapshot`] with everything except the rollback. Model: asynchronous, no
//! failures; reliable links between all processes, FIFO for `markers`, in any order for `lai-yang`.
//!
//! Steps of `markers`: the initiator records its state and sends MARKER on each outgoing channel
//! before anything else. A process that receives its first MARKER does the same. The messages that
//! it then receives on a channel, before that channel's MARKER, are the state of the channel. A
//! process is done when MARKER has arrived on every channel.
//!
//! Steps of `lai-yang`: each message carries its sender's colour, the number of the last snapshot
//! that it has recorded. A process that receives a message of a newer colour records its state
//! first. A marker separates messages only on a FIFO channel; instead, COUNT says how many older
//! messages were ever sent on the channel. Those that arrive after the recording are the channel's
//! state, which is complete when all have arrived.
//!
//! Why it works: a message sent after the recording of its sender arrives behind the marker (or
//! with the newer colour), so its receiver has recorded too: there is no orphan. A message sent
//! before arrives before the marker (or is among those counted): either its receiver has not
//! recorded yet, or the message is in the channel.
//!
//! One snapshot at a time: a process that is asked for another before its part of the last is done
//! drops the new one. Its part is done only once every other process has recorded, so no message
//! can skip a snapshot.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::snapshot::{
    COMPLETE, CONSERVATION, CONSISTENT, Indication, Money, OPENING_BALANCE, REACHABLE, Request,
    Snapshot, SnapshotNumber, TERMINATION, Transfer,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A transfer of the application.
    Money {
        /// The number of the transfer; its sender and receiver are those of the link.
        number: u64,
        amount: Money,
        /// The last snapshot that its sender has recorded; not used with markers.
        colour: SnapshotNumber,
    },
    /// Everything after it on this channel was sent after its sender recorded this snapshot.
    Marker(SnapshotNumber),
    /// The sender has recorded a snapshot.
    Count {
        snapshot: SnapshotNumber,
        /// The number of transfers that it sent on this channel before that, since the start.
        sent: u64,
    },
}

/// A process of a distributed snapshot, and its money.
#[derive(Clone, Debug, Hash)]
pub struct ChandyLamport {
    variant: Variant,
    balance: Money,
    /// The number of transfers sent on each channel to another process.
    sent: BTreeMap<ProcessId, u64>,
    /// The number of transfers received on each channel from another process.
    received: BTreeMap<ProcessId, u64>,
    /// The last snapshot for which this process has recorded its state: its colour.
    recorded: SnapshotNumber,
    /// The channels whose state is not complete yet, by snapshot.
    open: BTreeMap<SnapshotNumber, BTreeMap<ProcessId, Channel>>,
    /// The snapshots whose markers have not been sent yet: only in the mutant `late-marker`.
    late: Vec<SnapshotNumber>,
}

/// A channel whose state is being recorded.
#[derive(Clone, Debug, Default, Hash)]
struct Channel {
    /// The transfers received after this process had recorded and sent before the sender had.
    messages: Vec<Transfer>,
    /// The number of the sender's transfers from before its recording that have arrived so far.
    older: u64,
    /// The number of such transfers, once the sender has announced it.
    expected: Option<u64>,
}

impl Process for ChandyLamport {
    type Spec = Snapshot;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match request {
            Request::Transfer { number, to, amount } => self.transfer(number, to, amount, cx),
            Request::Take(snapshot) if self.open.is_empty() && snapshot > self.recorded => {
                self.record(snapshot, cx);
            }
            Request::Take(snapshot) => {
                cx.reach("busy");
                cx.indicate(Indication::Dropped(snapshot));
            }
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Money { number, amount, colour } => {
                if self.variant == Variant::LaiYang {
                    self.record_once(colour, cx);
                }
                self.receive(Transfer { from, to: cx.me(), number, amount }, colour, cx);
            }
            Msg::Marker(snapshot) => {
                self.record_once(snapshot, cx);
                self.close(snapshot, from, cx);
            }
            Msg::Count { snapshot, sent } => {
                self.record_once(snapshot, cx);
                if let Some(channel) = self.channel(snapshot, from) {
                    channel.expected = Some(sent);
                }
                self.close_if_whole(snapshot, from, cx);
            }
        }
    }
}

impl ChandyLamport {
    fn transfer(&mut self, number: u64, to: ProcessId, amount: Money, cx: &mut Cx<Self>) {
        if amount > self.balance || to == cx.me() || to.0 >= cx.n() {
            return;
        }
        self.balance -= amount;
        *self.sent.entry(to).or_default() += 1;
        cx.indicate(Indication::Sent(Transfer { from: cx.me(), to, number, amount }));
        cx.send(to, Msg::Money { number, amount, colour: self.recorded });
        for snapshot in std::mem::take(&mut self.late) {
            self.mark(snapshot, cx);
        }
    }

    fn receive(&mut self, transfer: Transfer, colour: SnapshotNumber, cx: &mut Cx<Self>) {
        self.balance = self.balance.saturating_add(transfer.amount);
        *self.received.entry(transfer.from).or_default() += 1;
        cx.indicate(Indication::Received(transfer));
        let recording: Vec<SnapshotNumber> = self.open.keys().copied().collect();
        for snapshot in recording {
            self.receive_while_recording(snapshot, &transfer, colour, cx);
        }
    }

    /// Adds the transfer to the channel's state if it was sent before its sender recorded the
    /// snapshot: no marker has come before it, or its colour is older.
    fn receive_while_recording(
        &mut self,
        snapshot: SnapshotNumber,
        transfer: &Transfer,
        colour: SnapshotNumber,
        cx: &mut Cx<Self>,
    ) {
        if self.variant == Variant::LaiYang && colour >= snapshot {
            return;
        }
        let Some(channel) = self.channel(snapshot, transfer.from) else { return };
        channel.older += 1;
        if !cx.runs(&NO_CHANNEL_STATE) {
            channel.messages.push(*transfer);
        }
        cx.reach("under way");
        self.close_if_whole(snapshot, transfer.from, cx);
    }

    fn record_once(&mut self, snapshot: SnapshotNumber, cx: &mut Cx<Self>) {
        if snapshot > self.recorded {
            self.record(snapshot, cx);
        }
    }

    /// Records this process's state and informs the others, before anything else is sent.
    fn record(&mut self, snapshot: SnapshotNumber, cx: &mut Cx<Self>) {
        self.recorded = snapshot;
        cx.indicate(Indication::Recorded { snapshot, balance: self.balance });
        let channel = |p| Channel {
            older: self.received.get(&p).copied().unwrap_or_default(),
            ..Channel::default()
        };
        let channels = cx.others().map(|p| (p, channel(p))).collect();
        self.open.insert(snapshot, channels);
        if cx.runs(&LATE_MARKER) {
            self.late.push(snapshot);
        } else {
            self.mark(snapshot, cx);
        }
        self.complete_if_whole(snapshot, cx);
    }

    fn mark(&self, snapshot: SnapshotNumber, cx: &mut Cx<Self>) {
        match self.variant {
            Variant::Markers => cx.send_to_others(Msg::Marker(snapshot)),
            Variant::LaiYang => {
                for p in cx.others() {
                    let sent = self.sent.get(&p).copied().unwrap_or_default();
                    cx.send(p, Msg::Count { snapshot, sent });
                }
            }
        }
    }

    fn channel(&mut self, snapshot: SnapshotNumber, from: ProcessId) -> Option<&mut Channel> {
        self.open.get_mut(&snapshot)?.get_mut(&from)
    }

    fn close_if_whole(&mut self, snapshot: SnapshotNumber, from: ProcessId, cx: &mut Cx<Self>) {
        let channel = self.channel(snapshot, from);
        if channel.is_some_and(|channel| channel.expected == Some(channel.older)) {
            self.close(snapshot, from, cx);
        }
    }

    /// Ends the recording of a channel.
    fn close(&mut self, snapshot: SnapshotNumber, from: ProcessId, cx: &mut Cx<Self>) {
        let open = self.open.get_mut(&snapshot);
        let Some(Channel { messages, .. }) = open.and_then(|open| open.remove(&from)) else {
            return;
        };
        cx.indicate(Indication::ChannelRecorded { snapshot, from, messages });
        self.complete_if_whole(snapshot, cx);
    }

    fn complete_if_whole(&mut self, snapshot: SnapshotNumber, cx: &mut Cx<Self>) {
        if self.open.get(&snapshot).is_some_and(BTreeMap::is_empty) {
            self.open.remove(&snapshot);
            cx.indicate(Indication::Complete(snapshot));
        }
    }
}

/// How messages sent before a recording are distinguished from those sent after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// By a marker between them, on FIFO channels (Chandy and Lamport).
    #[default]
    Markers,
    /// By the sender's colour on each, in any order (Lai and Yang).
    LaiYang,
}

/// `[params]` of `chandy-lamport`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChandyLamportParams {
    /// How messages sent before a recording are distinguished from those sent after it.
    pub variant: Variant,
}

const NO_FIFO: Mutant = Mutant::assumption(
    "no-fifo",
    "a message overtakes the marker",
    CONSISTENT,
    "network.order",
    Some(r#""fifo""#),
);
const LATE_MARKER: Mutant =
    Mutant::code("late-marker", "sends its markers only after its next transfer", CONSISTENT);
const NO_CHANNEL_STATE: Mutant =
    Mutant::code("no-channel-state", "records every channel as empty", COMPLETE);
const LOST_MARKER: Mutant =
    Mutant::assumption("lost-marker", "a link loses a marker", TERMINATION, "network.loss", None);

impl Protocol for ChandyLamport {
    const NAME: &'static str = "chandy-lamport";
    const SUMMARY: &'static str =
        "distributed snapshots of a running system, by markers or by colours";
    const SOURCE: &'static str = "Chandy & Lamport 1985, Distributed snapshots; Lai & Yang 1987";
    const MUTANTS: &'static [Mutant] = &[NO_FIFO, LATE_MARKER, NO_CHANNEL_STATE, LOST_MARKER];

    type Params = ChandyLamportParams;

    fn model(params: &ChandyLamportParams, _: &Setting) -> Model {
        match params.variant {
            Variant::Markers => Model::ASYNCHRONOUS.over(Links::ReliableFifo),
            Variant::LaiYang => Model::ASYNCHRONOUS,
        }
    }

    fn new(params: &ChandyLamportParams, _: &Setting, _: ProcessId) -> Self {
        Self {
            variant: params.variant,
            balance: OPENING_BALANCE,
            sent: BTreeMap::new(),
            received: BTreeMap::new(),
            recorded: 0,
            open: BTreeMap::new(),
            late: Vec::new(),
        }
    }

    fn claims(_: &ChandyLamportParams, _: &Setting) -> Vec<PropertyId> {
        vec![COMPLETE, REACHABLE, CONSERVATION]
    }
}
