//! Coordinated checkpointing of those processes alone that need it.
//!
//! Source: Koo and Toueg (1987). Spec: [`Snapshot`] with completeness, the rollback bound and
//! minimality. Model: asynchronous, crash-recovery, reliable FIFO links between processes that are
//! up; p0 initiates checkpoints, coordinates recoveries and, if it crashes, must recover.
//!
//! Steps of a checkpoint: transfers carry *labels*, which count those of a channel. The initiator
//! takes a tentative checkpoint and sends CKPT-REQ to its *cohort*: the processes from which it has
//! received something since its last permanent checkpoint. The request carries the last label
//! received. A process whose last permanent checkpoint does not include the sending of that label
//! takes a tentative checkpoint too, and asks its own cohort before it answers; another answers at
//! once. Between its tentative checkpoint and the decision a process sends no transfer. An answer
//! names the processes that have taken a checkpoint in this way. Once all have agreed, the
//! initiator makes its checkpoint permanent, which commits it everywhere, and sends CKPT-DONE to
//! the others that have taken one. If an answer is late, or a process is still busy with an earlier
//! checkpoint, the initiator sends CKPT-DROP to all, and the tentative checkpoints are undone.
//!
//! Steps of a recovery, which is symmetric: a process that recovers informs p0, which sends
//! ROLL-REQ to all. A process that must roll back (because it has crashed) asks all others, with
//! the last label that its permanent checkpoint has sent to each. A process that has received a
//! later label must roll back too, and asks all others before it answers. Nobody sends or accepts
//! transfers until p0, once all have answered, sends RESUME: those that must then return to their
//! last permanent checkpoints, and the others keep their states. The number of the recovery, on
//! every message, tells messages of an undone past.
//!
//! A transfer is logged by its sender until a permanent checkpoint of its receiver includes it,
//! which the receiver reports with a RECEIPT: what is permanent is never undone, so neither is a
//! receipt. After a recovery the logged transfers are sent again, and none is accepted twice.
//!
//! Why it works: last permanent checkpoints are always consistent. If a new one includes a receipt
//! whose sending is in no permanent checkpoint, the sender takes a checkpoint for the same request,
//! and includes it, because no transfer is sent from a tentative checkpoint on. Each process that
//! takes part is one without which the receipt would be an orphan: there are as few as possible.
//!
//! Words: the paper's *last_rmsg* and *first_smsg* are labels since the last checkpoint; here
//! channels are counted from the start, and a checkpoint includes the counts. The paper's decision
//! travels by the way of the requests; here the answers name those that wait for it. Its processes
//! that interfere with each other's checkpoints (section 5) are left out: p0 initiates all. It
//! relies on FIFO channels where here the number of the recovery tells old messages.

mod recovery;

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;

use crate::spec::snapshot::{
    BOUNDED_ROLLBACK, COMPLETE, CONSISTENT, Indication, MINIMAL, Money, OPENING_BALANCE, RECOVERY,
    Request, Snapshot, SnapshotNumber, Transfer,
};

use recovery::Rollback;

/// The process that initiates checkpoints and coordinates recoveries.
const COORDINATOR: ProcessId = ProcessId(0);

/// The number of a transfer on its channel, from 1.
pub type Label = u64;

/// The number of a recovery, from 1.
pub type Recovery = u64;

/// The last permanent checkpoint of each process that has one.
pub type Permanent = BTreeMap<ProcessId, SnapshotNumber>;

/// A message, with the last recovery of its sender.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A transfer of the application, sent for the first time or again.
    Money { recovery: Recovery, label: Label, transfer: Transfer },
    /// A permanent checkpoint includes that these transfers have been received.
    Receipt(Vec<Label>),
    /// A request to take this checkpoint, if it must include the sending of this label.
    CkptReq { recovery: Recovery, number: SnapshotNumber, received: Label },
    /// The answer: these processes have taken it, if any. `None` refuses.
    CkptAnswer { recovery: Recovery, number: SnapshotNumber, by: Option<BTreeSet<ProcessId>> },
    /// The checkpoint is permanent.
    CkptDone { recovery: Recovery, number: SnapshotNumber },
    /// The checkpoint is dropped.
    CkptDrop { recovery: Recovery, number: SnapshotNumber },
    /// The sender has recovered from a crash.
    Recovering,
    /// A request to roll back if a label after this was received: the sender undoes its sending.
    RollReq { recovery: Recovery, permanent: Permanent, sent: Option<Label> },
    /// The answer: whoever must roll back for this request knows.
    RollAnswer(Recovery),
    /// A request to roll back, if that must be, and to go on.
    Resume(Recovery),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// The initiator gives up this checkpoint.
    GiveUp(SnapshotNumber),
}

/// A record: the log is one permanent checkpoint, and possibly a tentative one after it. An empty
/// log stands for the initial state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// The checkpoint to return to, the last recovery, and at p0 the checkpoints of all.
    Permanent { checkpoint: Checkpoint, recovery: Recovery, of_all: Permanent },
    /// A checkpoint that waits for the initiator's decision.
    Tentative(Checkpoint),
}

/// The application's state, as recorded in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Application {
    balance: Money,
    /// The last label sent to each process.
    sent: BTreeMap<ProcessId, Label>,
    /// The greatest label received from each process.
    last_received: BTreeMap<ProcessId, Label>,
    /// The transfers received.
    received: BTreeSet<(ProcessId, Label)>,
    /// The transfers sent for which no receipt has arrived.
    logged: BTreeMap<(ProcessId, Label), Transfer>,
}

/// A recorded state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Checkpoint {
    number: SnapshotNumber,
    application: Application,
}

/// Where a process is with respect to the last recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Running,
    /// It has crashed and takes part in no recovery yet.
    Crashed,
    /// It takes part in a recovery that is not decided.
    RollingBack,
}

/// A process of coordinated checkpointing, and its money.
#[derive(Clone, Debug, Hash)]
pub struct KooToueg {
    give_up_after: Duration,
    application: Application,
    permanent: Checkpoint,
    /// At p0: the permanent checkpoints of all processes.
    of_all: Permanent,
    tentative: Option<Tentative>,
    /// The highest number of a checkpoint that was taken or dropped here.
    last: SnapshotNumber,
    /// The transfers sent since the tentative checkpoint.
    held: Vec<(ProcessId, Msg)>,
    recovery: Recovery,
    phase: Phase,
    rollback: Rollback,
}

/// A tentative checkpoint.
#[derive(Clone, Debug, Hash)]
struct Tentative {
    checkpoint: Checkpoint,
    /// The process to answer; none at the initiator.
    requester: Option<ProcessId>,
    /// The processes asked that have not answered.
    unanswered: ProcessSet,
    /// The processes that have taken it, as far as known here.
    by: BTreeSet<ProcessId>,
}

impl Process for KooToueg {
    type Spec = Snapshot;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        for record in log.iter().filter_map(Stored::intact) {
            match record.clone() {
                Record::Permanent { checkpoint, recovery, of_all } => {
                    (self.permanent, self.recovery, self.of_all) = (checkpoint, recovery, of_all);
                }
                Record::Tentative(checkpoint) => {
                    let by = BTreeSet::new();
                    let unanswered = ProcessSet::new();
                    let tentative = Tentative { checkpoint, requester: None, unanswered, by };
                    self.tentative = Some(tentative);
                }
            }
        }
        self.phase = Phase::Crashed;
        self.rollback.must = true;
        if cx.me() == COORDINATOR {
            self.leave_out(cx);
            self.start_recovery(cx);
        } else {
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
        match msg {
            Msg::Receipt(labels) => return self.receipts(from, &labels),
            Msg::Recovering => return self.start_recovery(cx),
            Msg::RollReq { recovery, permanent, sent } => {
                return self.asked_to_roll_back(from, recovery, &permanent, sent, cx);
            }
            Msg::RollAnswer(recovery) => return self.roll_back_answered(recovery, cx),
            Msg::Money { recovery, .. }
            | Msg::CkptReq { recovery, .. }
            | Msg::CkptAnswer { recovery, .. }
            | Msg::CkptDone { recovery, .. }
            | Msg::CkptDrop { recovery, .. }
            | Msg::Resume(recovery) => {
                if recovery != self.recovery || self.phase == Phase::Crashed {
                    return;
                }
                // The sender has resumed, so the recovery is decided.
                self.resume(cx);
            }
        }
        match msg {
            Msg::Money { label, transfer, .. } => {
                self.receive(label, Transfer { from, to: cx.me(), ..transfer }, cx);
            }
            Msg::CkptReq { number, received, .. } => self.requested(number, from, received, cx),
            Msg::CkptAnswer { number, by, .. } => self.answered(number, from, by, cx),
            Msg::CkptDone { number, .. } => self.commit(number, cx),
            Msg::CkptDrop { number, .. } => self.undo(number, cx),
            _ => {}
        }
    }

    fn on_timer(&mut self, Timer::GiveUp(number): Timer, cx: &mut Cx<Self>) {
        cx.reach("gave up");
        self.drop_everywhere(number, cx);
    }
}

/// The application.
impl KooToueg {
    fn transfer(&mut self, transfer: Transfer, cx: &mut Cx<Self>) {
        let Transfer { to, amount, .. } = transfer;
        let known = to != cx.me() && to.0 < cx.n();
        if self.phase != Phase::Running || !known || amount > self.application.balance {
            return;
        }
        self.application.balance -= amount;
        let label = self.application.sent.entry(to).or_default();
        *label += 1;
        let label = *label;
        self.application.logged.insert((to, label), transfer);
        cx.indicate(Indication::Sent(transfer));
        let msg = Msg::Money { recovery: self.recovery, label, transfer };
        if self.tentative.is_some() && !cx.runs(&SEND_WHILE_TENTATIVE) {
            cx.reach("held");
            self.held.push((to, msg));
        } else {
            cx.send(to, msg);
        }
    }

    fn receive(&mut self, label: Label, transfer: Transfer, cx: &mut Cx<Self>) {
        let Transfer { from, amount, .. } = transfer;
        if self.application.received.insert((from, label)) {
            let last = self.application.last_received.entry(from).or_default();
            *last = label.max(*last);
            self.application.balance = self.application.balance.saturating_add(amount);
            cx.indicate(Indication::Received(transfer));
        } else if self.permanent.application.received.contains(&(from, label)) {
            cx.send(from, Msg::Receipt(vec![label]));
        }
    }

    fn receipts(&mut self, from: ProcessId, labels: &[Label]) {
        for label in labels {
            self.application.logged.remove(&(from, *label));
        }
    }

    fn release(&mut self, cx: &mut Cx<Self>) {
        for (to, msg) in std::mem::take(&mut self.held) {
            cx.send(to, msg);
        }
    }
}

/// A checkpoint.
impl KooToueg {
    /// Starts a checkpoint, at p0 only, and one at a time.
    fn start_checkpoint(&mut self, number: SnapshotNumber, cx: &mut Cx<Self>) {
        let is_busy = self.tentative.is_some() || self.phase != Phase::Running;
        if cx.me() != COORDINATOR || is_busy || number <= self.last {
            cx.reach("refused");
            return cx.indicate(Indication::Dropped(number));
        }
        cx.set_timer(self.give_up_after, Timer::GiveUp(number));
        self.take_tentative(number, None, cx);
    }

    fn requested(
        &mut self,
        number: SnapshotNumber,
        from: ProcessId,
        received: Label,
        cx: &mut Cx<Self>,
    ) {
        if number < self.last || (number == self.last && !self.is_tentative(number)) {
            return; // A CKPT-DROP has overtaken it.
        }
        let recovery = self.recovery;
        let sent = self.permanent.application.sent.get(&from).copied().unwrap_or_default();
        let by = match &self.tentative {
            Some(tentative) => (tentative.checkpoint.number == number).then(BTreeSet::new),
            None if received > sent || cx.runs(&ASK_EVERYONE) => {
                return self.take_tentative(number, Some(from), cx);
            }
            None => Some(BTreeSet::new()),
        };
        cx.send(from, Msg::CkptAnswer { recovery, number, by });
    }

    /// Takes a tentative checkpoint, and asks the cohort to take one too.
    fn take_tentative(
        &mut self,
        number: SnapshotNumber,
        requester: Option<ProcessId>,
        cx: &mut Cx<Self>,
    ) {
        let checkpoint = Checkpoint { number, application: self.application.clone() };
        cx.append(Record::Tentative(checkpoint.clone()));
        cx.sync();
        let messages = self.application.logged.values().copied().collect();
        cx.indicate(Indication::Recorded { snapshot: number, balance: self.application.balance });
        cx.indicate(Indication::Logged { snapshot: number, messages });
        let mut unanswered = ProcessSet::new();
        if requester.is_none() || !cx.runs(&ONE_HOP) {
            for (p, received) in self.cohort(cx) {
                let recovery = self.recovery;
                cx.send(p, Msg::CkptReq { recovery, number, received });
                unanswered.insert(p);
            }
        }
        self.last = number;
        let by = BTreeSet::from([cx.me()]);
        self.tentative = Some(Tentative { checkpoint, requester, unanswered, by });
        self.agree_if_all_have(cx);
    }

    /// The processes from which it has received something since its last permanent checkpoint, and
    /// the last label of each.
    fn cohort(&self, cx: &Cx<Self>) -> Vec<(ProcessId, Label)> {
        let at_last = |p| self.permanent.application.last_received.get(&p).copied();
        let now = |p| self.application.last_received.get(&p).copied();
        let is_in = |p| now(p) > at_last(p) || cx.runs(&ASK_EVERYONE);
        cx.others().filter(|p| is_in(*p)).map(|p| (p, now(p).unwrap_or_default())).collect()
    }

    fn answered(
        &mut self,
        number: SnapshotNumber,
        from: ProcessId,
        by: Option<BTreeSet<ProcessId>>,
        cx: &mut Cx<Self>,
    ) {
        let Some(tentative) = self.tentative.as_mut() else { return };
        if tentative.checkpoint.number != number || !tentative.unanswered.remove(from) {
            return;
        }
        let requester = tentative.requester;
        match (by, requester) {
            (Some(by), _) => {
                tentative.by.extend(by);
                self.agree_if_all_have(cx);
            }
            (None, Some(requester)) => {
                let recovery = self.recovery;
                cx.send(requester, Msg::CkptAnswer { recovery, number, by: None });
            }
            (None, None) => {
                cx.reach("busy");
                self.drop_everywhere(number, cx);
            }
        }
    }

    /// Answers the request once the whole cohort has; the initiator decides instead.
    fn agree_if_all_have(&mut self, cx: &mut Cx<Self>) {
        let Some(tentative) = &self.tentative else { return };
        if !tentative.unanswered.is_empty() {
            return;
        }
        let (number, by) = (tentative.checkpoint.number, tentative.by.clone());
        if let Some(requester) = tentative.requester {
            let recovery = self.recovery;
            return cx.send(requester, Msg::CkptAnswer { recovery, number, by: Some(by) });
        }
        cx.cancel_timer(Timer::GiveUp(number));
        for p in &by {
            self.of_all.insert(*p, number);
        }
        self.make_permanent(cx);
        let others = by.into_iter().filter(|p| *p != COORDINATOR);
        cx.send_to(others, Msg::CkptDone { recovery: self.recovery, number });
        self.release(cx);
    }

    fn commit(&mut self, number: SnapshotNumber, cx: &mut Cx<Self>) {
        if self.is_tentative(number) {
            self.make_permanent(cx);
            self.release(cx);
        }
    }

    /// Makes the tentative checkpoint permanent, and sends receipts for what it includes.
    fn make_permanent(&mut self, cx: &mut Cx<Self>) {
        let Some(Tentative { checkpoint, .. }) = self.tentative.take() else { return };
        let number = checkpoint.number;
        let before = std::mem::replace(&mut self.permanent, checkpoint).application;
        self.write_permanent(cx);
        self.leave_out(cx);
        cx.indicate(Indication::Complete(number));
        let mut receipts: BTreeMap<ProcessId, Vec<Label>> = BTreeMap::new();
        for (from, label) in self.permanent.application.received.difference(&before.received) {
            receipts.entry(*from).or_default().push(*label);
        }
        for (from, labels) in receipts {
            cx.send(from, Msg::Receipt(labels));
        }
    }

    /// At p0: announces which processes take no part in its permanent checkpoint.
    fn leave_out(&self, cx: &mut Cx<Self>) {
        let snapshot = self.permanent.number;
        let takes_part = |p| self.of_all.get(&p) == Some(&snapshot);
        let processes: Vec<_> = cx.processes().filter(|p| !takes_part(*p)).collect();
        if cx.me() == COORDINATOR && snapshot > 0 && !processes.is_empty() {
            cx.reach("some left out");
            cx.indicate(Indication::LeftOut { snapshot, processes });
        }
    }

    /// Drops a checkpoint, at the initiator.
    fn drop_everywhere(&mut self, number: SnapshotNumber, cx: &mut Cx<Self>) {
        cx.cancel_timer(Timer::GiveUp(number));
        cx.send_to_others(Msg::CkptDrop { recovery: self.recovery, number });
        self.undo(number, cx);
    }

    fn undo(&mut self, number: SnapshotNumber, cx: &mut Cx<Self>) {
        self.last = self.last.max(number);
        if self.is_tentative(number) {
            self.tentative = None;
            self.write_permanent(cx);
            cx.indicate(Indication::Dropped(number));
            self.release(cx);
        }
    }

    fn write_permanent(&self, cx: &mut Cx<Self>) {
        cx.rewrite(vec![Record::Permanent {
            checkpoint: self.permanent.clone(),
            recovery: self.recovery,
            of_all: self.of_all.clone(),
        }]);
        cx.sync();
    }

    fn is_tentative(&self, number: SnapshotNumber) -> bool {
        self.tentative.as_ref().is_some_and(|tentative| tentative.checkpoint.number == number)
    }
}

/// `[params]` of `koo-toueg`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KooTouegParams {
    /// The time after which the initiator drops a checkpoint that not all processes have answered
    /// for.
    pub give_up_after: Duration,
}

impl Default for KooTouegParams {
    fn default() -> Self {
        Self { give_up_after: Duration::from_millis(200) }
    }
}

const ONE_HOP: Mutant =
    Mutant::code("one-hop", "does not propagate the request to its own cohort", CONSISTENT);
const ASK_EVERYONE: Mutant =
    Mutant::code("ask-everyone", "asks everyone, whom it depends on or not", MINIMAL);
const SEND_WHILE_TENTATIVE: Mutant = Mutant::code(
    "send-while-tentative",
    "continues sending after its tentative checkpoint",
    CONSISTENT,
);

impl Protocol for KooToueg {
    const NAME: &'static str = "koo-toueg";
    const SUMMARY: &'static str =
        "coordinated checkpointing of those that need it, and rollback of those that must";
    const SOURCE: &'static str =
        "Koo & Toueg 1987, Checkpointing and rollback-recovery for distributed systems";
    const MUTANTS: &'static [Mutant] = &[ONE_HOP, ASK_EVERYONE, SEND_WHILE_TENTATIVE];

    type Params = KooTouegParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::ANY_THAT_RECOVER).over(Links::ReliableFifo)
    }

    fn validate(params: &KooTouegParams, _: &Setting) -> Result<(), Invalid> {
        match params.give_up_after > Duration::ZERO {
            true => Ok(()),
            false => Err(Invalid::new("give_up_after", "must be longer than zero")),
        }
    }

    fn new(params: &KooTouegParams, _: &Setting, _: ProcessId) -> Self {
        let application = Application {
            balance: OPENING_BALANCE,
            sent: BTreeMap::new(),
            last_received: BTreeMap::new(),
            received: BTreeSet::new(),
            logged: BTreeMap::new(),
        };
        Self {
            give_up_after: params.give_up_after,
            permanent: Checkpoint { number: 0, application: application.clone() },
            application,
            of_all: Permanent::new(),
            tentative: None,
            last: 0,
            held: Vec::new(),
            recovery: 0,
            phase: Phase::Running,
            rollback: Rollback::default(),
        }
    }

    fn claims(_: &KooTouegParams, _: &Setting) -> Vec<PropertyId> {
        vec![COMPLETE, MINIMAL, BOUNDED_ROLLBACK, RECOVERY]
    }
}
