//! Coordinated checkpointing: all processes take a checkpoint together, and hold their messages
//! meanwhile.
//!
//! Source: Tamir and Séquin (1984); Tanenbaum and van Steen (2007), section 8.6; Elnozahy, Alvisi,
//! Wang and Johnson (2002). Spec: [`Snapshot`] with completeness and the rollback bound. Model:
//! asynchronous, crash-recovery, reliable links in any order between processes that are up; p0
//! coordinates and, if it crashes, must recover.
//!
//! Steps: the coordinator logs a tentative checkpoint, holds the application's outgoing messages
//! and sends CKPT-REQ. A participant does the same on CKPT-REQ, and answers ACK. Messages that
//! arrive meanwhile are accepted, but are not part of the checkpoint. Once every ACK has arrived,
//! the coordinator makes its checkpoint permanent, which commits it everywhere, and sends
//! CKPT-DONE; every process makes its own permanent and releases the messages that it held. If an
//! ACK is late, the coordinator sends CKPT-DROP, and the tentative checkpoints are dropped.
//!
//! Recovery: a process that recovers informs the coordinator, which drops a checkpoint that is not
//! committed and starts a recovery: every process returns to the last permanent checkpoint. Each
//! message carries the *line* in which it was sent: the number of the last recovery, and the
//! checkpoint that this restored. A message of an older line was sent in a past that has been
//! undone; one of a newer line brings the recovery with it.
//!
//! Messages in flight are preserved by retransmission: a checkpoint holds each transfer without a
//! receipt, and a process that has restored it sends those again. The receiver, whose checkpoint
//! holds the transfers that it has received, accepts no transfer twice. Receipts are held like
//! transfers: otherwise a receipt could be in a checkpoint that its transfer is not in, and the
//! transfer would not be sent again.
//!
//! Why it works: between its checkpoint and the coordinator's decision a process sends no message,
//! and the coordinator decides only once all have taken their checkpoints. So no message is sent
//! after one checkpoint and received before another.
//!
//! Words: Tamir and Séquin's *node* is our process, their *checkpoint coordinator* is p0.

use std::collections::BTreeSet;
use std::fmt;

use ftsim_core::prelude::*;

use crate::spec::snapshot::{
    BOUNDED_ROLLBACK, COMPLETE, CONSISTENT, Indication, Money, OPENING_BALANCE, RECOVERY, Request,
    Snapshot, SnapshotNumber, Transfer,
};

/// The process that coordinates checkpoints and recoveries.
const COORDINATOR: ProcessId = ProcessId(0);

/// The messages; all but `Recovering` carry the line to which they belong.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A transfer of the application, sent for the first time or again.
    Money(Line, Transfer),
    /// This transfer has been received.
    Receipt(Line, Transfer),
    /// A request to take this checkpoint.
    CkptReq(Line, SnapshotNumber),
    /// The checkpoint is taken.
    Ack(Line, SnapshotNumber),
    /// The checkpoint is permanent.
    CkptDone(Line, SnapshotNumber),
    /// The checkpoint is dropped.
    CkptDrop(Line, SnapshotNumber),
    /// The sender has recovered from a crash.
    Recovering,
    /// A request to return to the checkpoint of this line.
    Rollback(Line),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// The coordinator gives up this checkpoint.
    GiveUp(SnapshotNumber),
}

/// A record: the log is one permanent checkpoint, and possibly a tentative one after it. An empty
/// log stands for the initial state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// The checkpoint to return to, and the recovery in which it was written.
    Permanent(u64, Checkpoint),
    /// A checkpoint that waits for the coordinator's decision.
    Tentative(Checkpoint),
}

/// A process of coordinated checkpointing, and its money.
#[derive(Clone, Debug, Hash)]
pub struct CkptBlocking {
    give_up_after: Duration,
    application: Application,
    permanent: Checkpoint,
    tentative: Option<Checkpoint>,
    line: Line,
    /// Whether it has recovered from a crash and is not in a new line yet.
    recovering: bool,
    /// The highest number of a checkpoint that was requested or dropped here.
    last: SnapshotNumber,
    /// The application's outgoing messages since the tentative checkpoint.
    held: Vec<(ProcessId, Msg)>,
    /// At the coordinator: the processes that have taken the tentative checkpoint.
    acknowledged: ProcessSet,
}

/// The application's state, as recorded in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Application {
    balance: Money,
    /// The transfers sent for which no receipt has arrived.
    unacknowledged: BTreeSet<Transfer>,
    /// The transfers received, by sender and number.
    received: BTreeSet<(ProcessId, u64)>,
}

/// A recorded state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Checkpoint {
    number: SnapshotNumber,
    application: Application,
}

/// The last recovery, and the checkpoint that it restored.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Line {
    recovery: u64,
    checkpoint: SnapshotNumber,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "recovery {} to {}", self.recovery, self.checkpoint)
    }
}

impl Process for CkptBlocking {
    type Spec = Snapshot;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        for record in log.iter().filter_map(Stored::intact) {
            match record.clone() {
                Record::Permanent(recovery, checkpoint) => {
                    self.line = Line { recovery, checkpoint: checkpoint.number };
                    self.permanent = checkpoint;
                }
                Record::Tentative(checkpoint) => self.tentative = Some(checkpoint),
            }
        }
        if cx.me() == COORDINATOR {
            self.start_recovery(cx);
        } else {
            self.recovering = true;
            cx.send(COORDINATOR, Msg::Recovering);
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match request {
            Request::Transfer { number, to, amount } => {
                self.transfer(Transfer { from: cx.me(), to, number, amount }, cx);
            }
            Request::Take(number) => self.start_checkpoint(number, cx),
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        let Some(line) = msg.line() else { return self.start_recovery(cx) };
        if line.recovery > self.line.recovery {
            self.roll_back(line, cx);
        }
        if line.recovery < self.line.recovery || self.recovering {
            return;
        }
        match msg {
            Msg::Money(_, transfer) => self.receive(Transfer { from, to: cx.me(), ..transfer }, cx),
            Msg::Receipt(_, transfer) => {
                self.application.unacknowledged.remove(&Transfer { to: from, ..transfer });
            }
            Msg::CkptReq(_, number) => self.requested(number, cx),
            Msg::Ack(_, number) => self.acknowledged(number, from, cx),
            Msg::CkptDone(_, number) => self.commit(number, cx),
            Msg::CkptDrop(_, number) => self.drop_tentative(number, cx),
            Msg::Rollback(_) | Msg::Recovering => {}
        }
    }

    fn on_timer(&mut self, Timer::GiveUp(number): Timer, cx: &mut Cx<Self>) {
        cx.reach("gave up");
        cx.send_to_others(Msg::CkptDrop(self.line, number));
        self.drop_tentative(number, cx);
    }
}

/// The application.
impl CkptBlocking {
    fn transfer(&mut self, transfer: Transfer, cx: &mut Cx<Self>) {
        let Transfer { to, amount, .. } = transfer;
        let known = to != cx.me() && to.0 < cx.n();
        if self.recovering || !known || amount > self.application.balance {
            return;
        }
        self.application.balance -= amount;
        self.application.unacknowledged.insert(transfer);
        cx.indicate(Indication::Sent(transfer));
        self.post(to, Msg::Money(self.line, transfer), cx);
    }

    fn receive(&mut self, transfer: Transfer, cx: &mut Cx<Self>) {
        let Transfer { from, number, amount, .. } = transfer;
        if self.application.received.insert((from, number)) {
            self.application.balance = self.application.balance.saturating_add(amount);
            cx.indicate(Indication::Received(transfer));
        }
        self.post(from, Msg::Receipt(self.line, transfer), cx);
    }

    /// Sends a message of the application, or holds it during a checkpoint.
    fn post(&mut self, to: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        if self.tentative.is_some() && !cx.runs(&NO_HOLD) {
            cx.reach("held");
            self.held.push((to, msg));
        } else {
            cx.send(to, msg);
        }
    }

    fn release(&mut self, cx: &mut Cx<Self>) {
        for (to, msg) in std::mem::take(&mut self.held) {
            cx.send(to, msg);
        }
    }
}

/// A checkpoint.
impl CkptBlocking {
    /// Starts a checkpoint, at the coordinator only, and one at a time.
    fn start_checkpoint(&mut self, number: SnapshotNumber, cx: &mut Cx<Self>) {
        if cx.me() != COORDINATOR || self.tentative.is_some() || number <= self.permanent.number {
            cx.reach("refused");
            return cx.indicate(Indication::Dropped(number));
        }
        self.take_tentative(number, cx);
        cx.send_to_others(Msg::CkptReq(self.line, number));
        cx.set_timer(self.give_up_after, Timer::GiveUp(number));
        self.acknowledged(number, cx.me(), cx);
    }

    fn requested(&mut self, number: SnapshotNumber, cx: &mut Cx<Self>) {
        // A CKPT-DROP can overtake the CKPT-REQ that it revokes.
        if self.tentative.is_none() && number > self.last {
            self.take_tentative(number, cx);
            cx.send(COORDINATOR, Msg::Ack(self.line, number));
        }
    }

    fn take_tentative(&mut self, number: SnapshotNumber, cx: &mut Cx<Self>) {
        let mut application = self.application.clone();
        if cx.runs(&LOST_IN_TRANSIT) {
            application.unacknowledged.clear();
        }
        let checkpoint = Checkpoint { number, application };
        if cx.runs(&OVERWRITE) {
            cx.rewrite(vec![Record::Permanent(self.line.recovery, checkpoint.clone())]);
        } else {
            cx.append(Record::Tentative(checkpoint.clone()));
        }
        cx.sync();
        let messages = checkpoint.application.unacknowledged.iter().copied().collect();
        cx.indicate(Indication::Recorded { snapshot: number, balance: self.application.balance });
        cx.indicate(Indication::Logged { snapshot: number, messages });
        self.last = number;
        self.tentative = Some(checkpoint);
        self.acknowledged = ProcessSet::new();
    }

    /// Counts an acknowledgement, at the coordinator; the last one commits the checkpoint.
    fn acknowledged(&mut self, number: SnapshotNumber, by: ProcessId, cx: &mut Cx<Self>) {
        if !self.is_tentative(number) {
            return;
        }
        self.acknowledged.insert(by);
        if cx.processes().all(|p| self.acknowledged.contains(p)) {
            cx.cancel_timer(Timer::GiveUp(number));
            self.make_permanent(cx);
            cx.send_to_others(Msg::CkptDone(self.line, number));
            self.release(cx);
        }
    }

    fn commit(&mut self, number: SnapshotNumber, cx: &mut Cx<Self>) {
        if self.is_tentative(number) {
            self.make_permanent(cx);
            self.release(cx);
        }
    }

    fn make_permanent(&mut self, cx: &mut Cx<Self>) {
        let Some(checkpoint) = self.tentative.take() else { return };
        let number = checkpoint.number;
        self.permanent = checkpoint;
        self.write_permanent(cx);
        cx.indicate(Indication::Complete(number));
    }

    fn drop_tentative(&mut self, number: SnapshotNumber, cx: &mut Cx<Self>) {
        self.last = self.last.max(number);
        if self.is_tentative(number) {
            self.tentative = None;
            self.write_permanent(cx);
            cx.indicate(Indication::Dropped(number));
            self.release(cx);
        }
    }

    fn write_permanent(&self, cx: &mut Cx<Self>) {
        cx.rewrite(vec![Record::Permanent(self.line.recovery, self.permanent.clone())]);
        cx.sync();
    }

    fn is_tentative(&self, number: SnapshotNumber) -> bool {
        self.tentative.as_ref().is_some_and(|tentative| tentative.number == number)
    }
}

/// A recovery.
impl CkptBlocking {
    /// Starts a recovery, at the coordinator only: every process returns to the checkpoint that the
    /// coordinator made permanent last.
    fn start_recovery(&mut self, cx: &mut Cx<Self>) {
        if cx.me() == COORDINATOR {
            let recovery = self.line.recovery.saturating_add(1);
            let line = Line { recovery, checkpoint: self.permanent.number };
            self.roll_back(line, cx);
            cx.send_to_others(Msg::Rollback(line));
        }
    }

    /// Restarts from the checkpoint of `line`. A tentative checkpoint with its number has been
    /// committed.
    fn roll_back(&mut self, line: Line, cx: &mut Cx<Self>) {
        cx.reach("rolled back");
        self.line = line;
        self.recovering = false;
        self.held.clear();
        if self.is_tentative(line.checkpoint) {
            self.make_permanent(cx);
        } else {
            self.write_permanent(cx);
        }
        if let Some(Checkpoint { number, .. }) = self.tentative.take() {
            cx.reach("dropped by a crash");
            cx.cancel_timer(Timer::GiveUp(number));
            cx.indicate(Indication::Dropped(number));
        }
        self.application = self.permanent.application.clone();
        let (recovery, snapshot) = (line.recovery, self.permanent.number);
        cx.indicate(Indication::Restored { recovery, snapshot });
        for transfer in &self.application.unacknowledged {
            cx.send(transfer.to, Msg::Money(line, *transfer));
        }
    }
}

impl Msg {
    const fn line(&self) -> Option<Line> {
        match self {
            Self::Money(line, _)
            | Self::Receipt(line, _)
            | Self::CkptReq(line, _)
            | Self::Ack(line, _)
            | Self::CkptDone(line, _)
            | Self::CkptDrop(line, _)
            | Self::Rollback(line) => Some(*line),
            Self::Recovering => None,
        }
    }
}

/// `[params]` of `ckpt-blocking`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CkptBlockingParams {
    /// The time after which the coordinator drops a checkpoint that not all processes have
    /// acknowledged.
    pub give_up_after: Duration,
}

impl Default for CkptBlockingParams {
    fn default() -> Self {
        Self { give_up_after: Duration::from_millis(200) }
    }
}

const NO_HOLD: Mutant =
    Mutant::code("no-hold", "continues sending after its tentative checkpoint", CONSISTENT);
const OVERWRITE: Mutant = Mutant::code(
    "overwrite",
    "overwrites the permanent checkpoint with the tentative one",
    CONSISTENT,
);
const LOST_IN_TRANSIT: Mutant = Mutant::code(
    "lost-in-transit",
    "leaves unacknowledged transfers out of its checkpoint",
    COMPLETE,
);

impl Protocol for CkptBlocking {
    const NAME: &'static str = "ckpt-blocking";
    const SUMMARY: &'static str =
        "coordinated checkpointing: tentative, then permanent, while messages are held";
    const SOURCE: &'static str = "Tamir & Séquin 1984";
    const MUTANTS: &'static [Mutant] = &[NO_HOLD, OVERWRITE, LOST_IN_TRANSIT];

    type Params = CkptBlockingParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::ANY_THAT_RECOVER)
    }

    fn validate(params: &CkptBlockingParams, _: &Setting) -> Result<(), Invalid> {
        match params.give_up_after > Duration::ZERO {
            true => Ok(()),
            false => Err(Invalid::new("give_up_after", "must be longer than zero")),
        }
    }

    fn new(params: &CkptBlockingParams, _: &Setting, _: ProcessId) -> Self {
        let application = Application {
            balance: OPENING_BALANCE,
            unacknowledged: BTreeSet::new(),
            received: BTreeSet::new(),
        };
        Self {
            give_up_after: params.give_up_after,
            permanent: Checkpoint { number: 0, application: application.clone() },
            application,
            tentative: None,
            line: Line::default(),
            recovering: false,
            last: 0,
            held: Vec::new(),
            acknowledged: ProcessSet::new(),
        }
    }

    fn claims(_: &CkptBlockingParams, _: &Setting) -> Vec<PropertyId> {
        vec![COMPLETE, BOUNDED_ROLLBACK, RECOVERY]
    }
}
