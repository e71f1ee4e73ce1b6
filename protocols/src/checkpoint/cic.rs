//! Communication-induced checkpointing: an index rides on each message, and a message with a
//! greater index than one's own forces a checkpoint before it is delivered.
//!
//! Source: Briatico, Ciuffoletti and Simoncini (1984); Elnozahy, Alvisi, Wang and Johnson (2002),
//! section 3.3. Spec: [`Snapshot`] with completeness. Model: asynchronous, crash-recovery, reliable
//! links in any order between processes that are up; p0 conducts recoveries and, if it crashes,
//! must recover.
//!
//! Steps: each checkpoint has an *index*, which is that of its process until the next; the opening
//! state has index 0. A *basic* checkpoint is taken at will, here after every few transfers, with
//! the next index. Each transfer carries its sender's index. Before it delivers one with a greater
//! index than its own, a process takes a *forced* checkpoint with that index.
//!
//! Recovery: a process that recovers informs p0, which sends STOP. Every process stops and answers
//! with the index of its last checkpoint, if a crash has lost its state since. The least of these
//! is the index of the recovery line: each process returns to its first checkpoint that has this
//! index or a greater one, or keeps its state if it has none. Then it sends again the transfers
//! that it has ever sent; none is accepted twice. A STOP repeats the last line, for a process that
//! has missed it.
//!
//! Why it works: what is sent after a checkpoint with index i carries i or more, and is delivered
//! after the receiver has taken a checkpoint with index i or more. So the first checkpoints with
//! such indices are consistent, for each i: no dependencies have to be searched, and there is no
//! domino effect. A recovery loses no checkpoint with a lesser index than that of the last
//! checkpoint of whoever crashed. How many greater ones there are depends on how evenly processes
//! take their basic checkpoints, so that the rollback bound is not promised in general.
//!
//! Words: Briatico, Ciuffoletti and Simoncini's *recovery point number* is our index.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::parts::account::{Account, Stops};
use crate::spec::snapshot::{
    COMPLETE, CONSISTENT, Indication, RECOVERY, Request, Snapshot, SnapshotNumber, Transfer,
};

/// The process that conducts recoveries.
const COORDINATOR: ProcessId = ProcessId(0);

/// The index of a checkpoint, by which it is also known at its process.
pub type Index = SnapshotNumber;

/// A recovery line: the first checkpoints with at least this index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Line {
    recovery: u64,
    index: Index,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A transfer that was sent with this index, after the last recovery of its sender for the
    /// first time or again.
    Money { recovery: u64, index: Index, transfer: Transfer },
    /// The sender has recovered from a crash.
    Recovering,
    /// A request to stop for this recovery, and the line of the last one.
    Stop { recovery: u64, last: Line },
    /// The sender has stopped; if it has lost its state, the index of its last checkpoint.
    Stopped { recovery: u64, lost_after: Option<Index> },
    /// A request to return to this line.
    Return(Line),
}

/// A record of the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    Checkpoint(Index, Account),
    /// The last recovery started, at p0.
    Started(u64),
    /// The last line returned to.
    Returned(Line),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Running,
    /// It has lost its state in a crash.
    Crashed,
    /// It has a state, and waits for a recovery line.
    Stopped,
}

/// A process of communication-induced checkpointing, and its money.
#[derive(Clone, Debug, Hash)]
pub struct Cic {
    every: u32,
    account: Account,
    /// The number of transfers sent and received since the last checkpoint.
    transfer_count: u32,
    checkpoints: BTreeMap<Index, Account>,
    phase: Phase,
    /// The last line returned to.
    line: Line,
    /// Transfers sent after a recovery whose line is not known here yet.
    early: Vec<(ProcessId, Msg)>,
    /// At p0: the last recovery started, and what those that have stopped have lost.
    stops: Stops<Option<Index>>,
}

impl Process for Cic {
    type Spec = Snapshot;
    type Msg = Msg;
    type Timer = Never;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        for record in log.iter().filter_map(Stored::intact) {
            match record.clone() {
                Record::Checkpoint(index, account) => {
                    self.checkpoints.insert(index, account);
                }
                Record::Started(recovery) => self.stops.go_on_from(recovery),
                Record::Returned(line) => self.line = line,
            }
        }
        self.phase = Phase::Crashed;
        if cx.me() == COORDINATOR {
            self.start_recovery(cx);
        } else {
            cx.send(COORDINATOR, Msg::Recovering);
        }
    }

    /// A request for a checkpoint of all is refused; the process takes a basic one.
    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match request {
            Request::Transfer { number, to, amount } => {
                self.transfer(Transfer { from: cx.me(), to, number, amount }, cx);
            }
            Request::Take(number) => {
                cx.indicate(Indication::Dropped(number));
                if self.phase == Phase::Running {
                    self.checkpoint(self.index().saturating_add(1), cx);
                }
            }
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Money { recovery, .. } if recovery > self.line.recovery => {
                self.early.push((from, msg));
            }
            Msg::Money { recovery, index, transfer } => {
                let is_of_now = recovery == self.line.recovery || cx.runs(&ACCEPT_UNDONE);
                if is_of_now && self.phase == Phase::Running {
                    self.receive(index, Transfer { from, to: cx.me(), ..transfer }, cx);
                }
            }
            Msg::Recovering => self.start_recovery(cx),
            Msg::Stop { recovery, last } => self.stop(recovery, last, cx),
            Msg::Stopped { recovery, lost_after } => {
                self.has_stopped(recovery, from, lost_after, cx);
            }
            Msg::Return(line) => self.return_to(line, cx),
        }
    }
}

/// The application, and its checkpoints.
impl Cic {
    fn transfer(&mut self, transfer: Transfer, cx: &mut Cx<Self>) {
        let (to, index) = (transfer.to, self.index());
        let known = to != cx.me() && to.0 < cx.n();
        if self.phase == Phase::Running && known && self.account.pay(transfer, index) {
            cx.indicate(Indication::Sent(transfer));
            cx.send(to, Msg::Money { recovery: self.line.recovery, index, transfer });
            self.count_transfer(cx);
        }
    }

    fn receive(&mut self, index: Index, transfer: Transfer, cx: &mut Cx<Self>) {
        let is_forced = index > self.index();
        if is_forced && !cx.runs(&LATE_FORCE) {
            cx.reach("forced");
            self.checkpoint(index, cx);
        }
        if self.account.accept(&transfer) {
            cx.indicate(Indication::Received(transfer));
            self.count_transfer(cx);
        }
        if is_forced && cx.runs(&LATE_FORCE) {
            self.checkpoint(index.max(self.index().saturating_add(1)), cx);
        }
    }

    /// Takes a basic checkpoint when it is time.
    fn count_transfer(&mut self, cx: &mut Cx<Self>) {
        self.transfer_count += 1;
        if self.transfer_count >= self.every {
            self.checkpoint(self.index().saturating_add(1), cx);
        }
    }

    fn checkpoint(&mut self, index: Index, cx: &mut Cx<Self>) {
        self.transfer_count = 0;
        self.checkpoints.insert(index, self.account.clone());
        let (balance, messages) = (self.account.balance(), self.account.messages());
        cx.indicate(Indication::RecordedOwn { checkpoint: index, balance, messages });
        cx.append(Record::Checkpoint(index, self.account.clone()));
        cx.sync();
    }

    /// The index of the last checkpoint.
    fn index(&self) -> Index {
        self.checkpoints.keys().next_back().copied().unwrap_or_default()
    }
}

/// A recovery.
impl Cic {
    /// Starts a recovery, at p0 only.
    fn start_recovery(&mut self, cx: &mut Cx<Self>) {
        if cx.me() == COORDINATOR {
            let (recovery, last) = (self.stops.start(), self.line);
            cx.append(Record::Started(recovery));
            cx.sync();
            cx.send_to_others(Msg::Stop { recovery, last });
            self.stop(recovery, last, cx);
        }
    }

    fn stop(&mut self, recovery: u64, last: Line, cx: &mut Cx<Self>) {
        self.return_to(last, cx);
        if recovery <= self.line.recovery {
            return;
        }
        if self.phase == Phase::Running {
            self.phase = Phase::Stopped;
        }
        let lost_after = (self.phase == Phase::Crashed).then(|| self.index());
        if cx.me() == COORDINATOR {
            self.has_stopped(recovery, COORDINATOR, lost_after, cx);
        } else {
            cx.send(COORDINATOR, Msg::Stopped { recovery, lost_after });
        }
    }

    /// Notes what a process has lost, at p0; the answer of the last one tells the line.
    fn has_stopped(
        &mut self,
        recovery: u64,
        p: ProcessId,
        lost_after: Option<Index>,
        cx: &mut Cx<Self>,
    ) {
        let is_awaited = recovery == self.stops.recovery() && recovery > self.line.recovery;
        if cx.me() != COORDINATOR || !is_awaited {
            return;
        }
        if let Some(stopped) = self.stops.answer(p, lost_after, cx.processes()) {
            let index = stopped.values().flatten().min().copied().unwrap_or(Index::MAX);
            let line = Line { recovery, index };
            self.return_to(line, cx);
            cx.send_to_others(Msg::Return(line));
        }
    }

    /// Returns to a line that is new here. Later checkpoints are deleted, and what was ever sent
    /// is sent again. Who should keep a state that it has lost since waits for the next line.
    fn return_to(&mut self, line: Line, cx: &mut Cx<Self>) {
        let opening = (line.index == 0).then_some(0);
        let first = opening.or(self.checkpoints.range(line.index..).next().map(|(i, _)| *i));
        let is_lost = self.phase == Phase::Crashed && first.is_none();
        if line.recovery <= self.line.recovery || is_lost {
            return;
        }
        self.line = line;
        self.phase = Phase::Running;
        let recovery = line.recovery;
        match first {
            Some(index) => self.restore(index, cx),
            None => {
                cx.append(Record::Returned(line));
                cx.sync();
                let (balance, messages) = (self.account.balance(), self.account.messages());
                cx.indicate(Indication::Kept { recovery, balance, messages });
            }
        }
        if !cx.runs(&NO_RESEND) {
            for (transfer, index) in self.account.sent() {
                cx.send(transfer.to, Msg::Money { recovery, index, transfer });
            }
        }
        for (from, msg) in std::mem::take(&mut self.early) {
            self.on_message(from, msg, cx);
        }
    }

    /// Goes back to the checkpoint with this index, for the line that was taken note of.
    fn restore(&mut self, index: Index, cx: &mut Cx<Self>) {
        if index < self.index() {
            cx.reach("rolled back");
        }
        self.checkpoints.retain(|later, _| *later <= index);
        let kept = self.checkpoints.iter();
        let kept = kept.map(|(index, account)| Record::Checkpoint(*index, account.clone()));
        let head = [Record::Started(self.stops.recovery()), Record::Returned(self.line)];
        cx.rewrite(head.into_iter().chain(kept).collect());
        cx.sync();
        self.account = self.checkpoints.get(&index).cloned().unwrap_or_else(Account::opening);
        self.transfer_count = 0;
        let recovery = self.line.recovery;
        cx.indicate(Indication::Returned { recovery, checkpoint: index });
    }
}

/// `[params]` of `cic`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CicParams {
    /// The number of transfers after which a process takes a basic checkpoint.
    pub every: u32,
}

impl Default for CicParams {
    fn default() -> Self {
        Self { every: 3 }
    }
}

const LATE_FORCE: Mutant = Mutant::code(
    "late-force",
    "takes a forced checkpoint only after it has delivered the message",
    CONSISTENT,
);
const NO_RESEND: Mutant =
    Mutant::code("no-resend", "sends nothing again after a recovery", RECOVERY);
const ACCEPT_UNDONE: Mutant = Mutant::code(
    "accept-undone",
    "accepts transfers that were sent before the last recovery",
    RECOVERY,
);

impl Protocol for Cic {
    const NAME: &'static str = "cic";
    const SUMMARY: &'static str =
        "communication-induced checkpoints: a greater index on a message forces one before it";
    const SOURCE: &'static str = "Briatico, Ciuffoletti & Simoncini 1984";
    const MUTANTS: &'static [Mutant] = &[LATE_FORCE, NO_RESEND, ACCEPT_UNDONE];

    type Params = CicParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::ANY_THAT_RECOVER)
    }

    fn validate(params: &CicParams, _: &Setting) -> Result<(), Invalid> {
        match params.every > 0 {
            true => Ok(()),
            false => Err(Invalid::new("every", "must be at least 1")),
        }
    }

    fn new(params: &CicParams, _: &Setting, _: ProcessId) -> Self {
        Self {
            every: params.every,
            account: Account::opening(),
            transfer_count: 0,
            checkpoints: BTreeMap::new(),
            phase: Phase::Running,
            line: Line::default(),
            early: Vec::new(),
            stops: Stops::default(),
        }
    }

    fn claims(_: &CicParams, _: &Setting) -> Vec<PropertyId> {
        vec![COMPLETE, RECOVERY]
    }
}
