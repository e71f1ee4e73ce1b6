//! Uncoordinated checkpointing: each process takes checkpoints at will, and a recovery finds out
//! which of them fit together.
//!
//! Source: Randell (1975), for the domino effect; Elnozahy, Alvisi, Wang and Johnson (2002),
//! section 3.1. Spec: [`Snapshot`] with completeness, and with the rollback bound for `each-send`.
//! Model: asynchronous, crash-recovery, reliable links in any order between processes that are up;
//! p0 computes recovery lines and, if it crashes, must recover.
//!
//! Steps: a process numbers its checkpoints; the opening state is number 0. Each transfer carries
//! the number of the last one, its *interval*. A checkpoint includes, for each other process, the
//! greatest interval from which something was received: its dependencies. `at-will` takes a
//! checkpoint after every few transfers sent or received. `each-send` takes one with each transfer
//! sent, before it leaves.
//!
//! Recovery: a process that recovers informs p0, which sends STOP. Every process stops, takes a
//! checkpoint of its current state unless a crash has lost that, and answers with the dependencies
//! of all its checkpoints. p0 computes the recovery line and sends it: the greatest consistent set
//! of one checkpoint of each process. It begins with the last ones. As long as one of them depends
//! on an interval of another that this one's checkpoint is not the end of, an orphan, it is
//! replaced by an earlier one (*rollback propagation*). All return to the line, and send again the
//! transfers that they have ever sent; none is accepted twice. A STOP repeats the last line, for a
//! process that has missed it.
//!
//! Why it works: consistent sets are closed under taking the later checkpoint of each process, so
//! there is one greatest, and propagation never goes below it. It ends at the opening states at
//! the latest. Nothing keeps it from going so far: if every checkpoint is taken between a receipt
//! and a sending, each orphan makes another (the *domino effect*). If a checkpoint includes each
//! transfer before it leaves, no crash undoes a sending, and nobody else rolls back.
//!
//! Words: Randell's *recovery point* is our checkpoint, and his *recovery line* ours.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::parts::account::{Account, Stops};
use crate::spec::snapshot::{
    BOUNDED_ROLLBACK, COMPLETE, CONSISTENT, Indication, RECOVERY, Request, Snapshot, Transfer,
};

/// The process that computes recovery lines.
const COORDINATOR: ProcessId = ProcessId(0);

/// The number of a checkpoint at its process, from 1. Number 0 is the opening state.
pub type Index = u64;

/// The greatest interval of each other process from which something was received.
pub type Dependencies = BTreeMap<ProcessId, Index>;

/// The checkpoint of each process to return to, and the number of the recovery.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Line {
    recovery: u64,
    checkpoints: BTreeMap<ProcessId, Index>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A transfer, sent after the last recovery of its sender for the first time or again.
    Money { recovery: u64, interval: Index, transfer: Transfer },
    /// The sender has recovered from a crash.
    Recovering,
    /// A request to stop for this recovery, and the line of the last one.
    Stop { recovery: u64, last: Line },
    /// The dependencies of each checkpoint of the sender.
    Stopped { recovery: u64, checkpoints: BTreeMap<Index, Dependencies> },
    /// A request to return to this line.
    Return(Line),
}

/// A record of the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    Checkpoint(Index, Checkpoint),
    /// The last recovery started, at p0.
    Started(u64),
    /// The last line returned to.
    Returned(Line),
}

/// A recorded state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Checkpoint {
    account: Account,
    dependencies: Dependencies,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Running,
    /// It has lost its state in a crash.
    Crashed,
    /// It has a state, and waits for a recovery line.
    Stopped,
}

/// A process of uncoordinated checkpointing, and its money.
#[derive(Clone, Debug, Hash)]
pub struct UncoordinatedCkpt {
    take: Take,
    every: u32,
    state: Checkpoint,
    /// The number of transfers sent and received since the last checkpoint.
    transfer_count: u32,
    checkpoints: BTreeMap<Index, Checkpoint>,
    phase: Phase,
    /// The last line returned to.
    line: Line,
    /// Transfers sent after a recovery whose line is not known here yet.
    early: Vec<(ProcessId, Msg)>,
    /// At p0: the last recovery started, and the dependencies of those that have stopped.
    stops: Stops<BTreeMap<Index, Dependencies>>,
}

impl Process for UncoordinatedCkpt {
    type Spec = Snapshot;
    type Msg = Msg;
    type Timer = Never;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        for record in log.iter().filter_map(Stored::intact) {
            match record.clone() {
                Record::Checkpoint(index, checkpoint) => {
                    self.checkpoints.insert(index, checkpoint);
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

    /// A request for a checkpoint of all is refused; the process takes one of its own.
    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match request {
            Request::Transfer { number, to, amount } => {
                self.transfer(Transfer { from: cx.me(), to, number, amount }, cx);
            }
            Request::Take(number) => {
                cx.indicate(Indication::Dropped(number));
                if self.phase == Phase::Running {
                    self.checkpoint(cx);
                }
            }
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Money { recovery, .. } if recovery > self.line.recovery => {
                self.early.push((from, msg));
            }
            Msg::Money { recovery, interval, transfer } => {
                let is_of_now = recovery == self.line.recovery || cx.runs(&ACCEPT_UNDONE);
                if is_of_now && self.phase == Phase::Running {
                    self.receive(interval, Transfer { from, to: cx.me(), ..transfer }, cx);
                }
            }
            Msg::Recovering => self.start_recovery(cx),
            Msg::Stop { recovery, last } => self.stop(recovery, last, cx),
            Msg::Stopped { recovery, checkpoints } => {
                self.has_stopped(recovery, from, checkpoints, cx);
            }
            Msg::Return(line) => self.return_to(line, cx),
        }
    }
}

/// The application, and its checkpoints.
impl UncoordinatedCkpt {
    fn transfer(&mut self, transfer: Transfer, cx: &mut Cx<Self>) {
        let Transfer { to, amount, .. } = transfer;
        let known = to != cx.me() && to.0 < cx.n();
        if self.phase != Phase::Running || !known || amount > self.state.account.balance() {
            return;
        }
        if self.take == Take::EachSend && cx.runs(&DOMINO) {
            self.checkpoint(cx);
        }
        let interval = self.last();
        self.state.account.pay(transfer, interval);
        cx.indicate(Indication::Sent(transfer));
        if self.take == Take::EachSend && !cx.runs(&DOMINO) {
            self.checkpoint(cx);
        }
        cx.send(to, Msg::Money { recovery: self.line.recovery, interval, transfer });
        self.count_transfer(cx);
    }

    fn receive(&mut self, interval: Index, transfer: Transfer, cx: &mut Cx<Self>) {
        if self.state.account.accept(&transfer) {
            let latest = self.state.dependencies.entry(transfer.from).or_insert(interval);
            *latest = interval.max(*latest);
            cx.indicate(Indication::Received(transfer));
            self.count_transfer(cx);
        }
    }

    fn count_transfer(&mut self, cx: &mut Cx<Self>) {
        self.transfer_count += 1;
        if self.take == Take::AtWill && self.transfer_count >= self.every {
            self.checkpoint(cx);
        }
    }

    fn checkpoint(&mut self, cx: &mut Cx<Self>) {
        let index = self.last().saturating_add(1);
        self.transfer_count = 0;
        self.checkpoints.insert(index, self.state.clone());
        let messages = self.state.account.messages();
        let balance = self.state.account.balance();
        cx.indicate(Indication::RecordedOwn { checkpoint: index, balance, messages });
        cx.append(Record::Checkpoint(index, self.state.clone()));
        cx.sync();
    }

    /// The number of the last checkpoint, which is that of the current interval.
    fn last(&self) -> Index {
        self.checkpoints.keys().next_back().copied().unwrap_or_default()
    }
}

/// A recovery.
impl UncoordinatedCkpt {
    /// Starts a recovery, at p0 only.
    fn start_recovery(&mut self, cx: &mut Cx<Self>) {
        if cx.me() == COORDINATOR {
            let (recovery, last) = (self.stops.start(), self.line.clone());
            cx.append(Record::Started(recovery));
            cx.sync();
            cx.send_to_others(Msg::Stop { recovery, last: last.clone() });
            self.stop(recovery, last, cx);
        }
    }

    fn stop(&mut self, recovery: u64, last: Line, cx: &mut Cx<Self>) {
        self.return_to(last, cx);
        if recovery <= self.line.recovery {
            return;
        }
        if self.phase == Phase::Running {
            self.checkpoint(cx);
            self.phase = Phase::Stopped;
        }
        let dependencies =
            |(index, checkpoint): (&Index, &Checkpoint)| (*index, checkpoint.dependencies.clone());
        let checkpoints = self.checkpoints.iter().map(dependencies).collect();
        if cx.me() == COORDINATOR {
            self.has_stopped(recovery, COORDINATOR, checkpoints, cx);
        } else {
            cx.send(COORDINATOR, Msg::Stopped { recovery, checkpoints });
        }
    }

    /// Notes the dependencies of a process, at p0; with those of the last it computes the line. The
    /// opening state, number 0, depends on nothing, whatever a liar says.
    fn has_stopped(
        &mut self,
        recovery: u64,
        p: ProcessId,
        mut checkpoints: BTreeMap<Index, Dependencies>,
        cx: &mut Cx<Self>,
    ) {
        let is_awaited = recovery == self.stops.recovery() && recovery > self.line.recovery;
        if cx.me() != COORDINATOR || !is_awaited {
            return;
        }
        checkpoints.remove(&0);
        if let Some(stopped) = self.stops.answer(p, checkpoints, cx.processes()) {
            let propagate = !cx.runs(&LATEST_ONLY);
            let line = Line { recovery, checkpoints: recovery_line(stopped, propagate) };
            self.return_to(line.clone(), cx);
            cx.send_to_others(Msg::Return(line));
        }
    }

    /// Returns to a line that is new here. Later checkpoints are deleted, and what was ever sent
    /// is sent again.
    fn return_to(&mut self, line: Line, cx: &mut Cx<Self>) {
        if line.recovery <= self.line.recovery {
            return;
        }
        self.line = line;
        let recovery = self.line.recovery;
        let index = self.line.checkpoints.get(&cx.me()).copied().unwrap_or_default();
        if index < self.last() {
            cx.reach("rolled back");
        }
        self.checkpoints.retain(|later, _| *later <= index);
        let kept = self.checkpoints.iter().map(|(i, state)| Record::Checkpoint(*i, state.clone()));
        let head = [Record::Started(self.stops.recovery()), Record::Returned(self.line.clone())];
        cx.rewrite(head.into_iter().chain(kept).collect());
        cx.sync();
        self.state = self.checkpoints.get(&index).cloned().unwrap_or_else(Checkpoint::opening);
        self.transfer_count = 0;
        self.phase = Phase::Running;
        cx.indicate(Indication::Returned { recovery, checkpoint: index });
        if !cx.runs(&NO_RESEND) {
            for (transfer, interval) in self.state.account.sent() {
                cx.send(transfer.to, Msg::Money { recovery, interval, transfer });
            }
        }
        for (from, msg) in std::mem::take(&mut self.early) {
            self.on_message(from, msg, cx);
        }
    }
}

/// The greatest consistent set of checkpoints, or, without propagation, the last ones.
fn recovery_line(
    stopped: &BTreeMap<ProcessId, BTreeMap<Index, Dependencies>>,
    propagate: bool,
) -> BTreeMap<ProcessId, Index> {
    let last = |checkpoints: &BTreeMap<Index, Dependencies>| {
        checkpoints.keys().next_back().copied().unwrap_or_default()
    };
    let mut line: BTreeMap<_, _> = stopped.iter().map(|(p, own)| (*p, last(own))).collect();
    let has_orphan = |p: &ProcessId, line: &BTreeMap<ProcessId, Index>| {
        let dependencies = stopped.get(p).and_then(|own| own.get(line.get(p)?));
        dependencies.is_some_and(|all| all.iter().any(|(q, i)| line.get(q) <= Some(i)))
    };
    while propagate && let Some(p) = stopped.keys().find(|p| has_orphan(p, &line)) {
        let own = stopped.get(p).into_iter().flat_map(BTreeMap::keys);
        let earlier = own.take_while(|index| line.get(p) > Some(index)).last();
        let earlier = earlier.copied().unwrap_or_default();
        line.insert(*p, earlier);
    }
    line
}

impl Checkpoint {
    const fn opening() -> Self {
        Self { account: Account::opening(), dependencies: Dependencies::new() }
    }
}

/// When a process takes a checkpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Take {
    /// After every few transfers, sent or received.
    #[default]
    AtWill,
    /// With each transfer sent, before it leaves.
    EachSend,
}

/// `[params]` of `uncoordinated-ckpt`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UncoordinatedCkptParams {
    /// When a process takes a checkpoint.
    pub take: Take,
    /// The number of transfers after which `at-will` takes one.
    pub every: u32,
}

impl Default for UncoordinatedCkptParams {
    fn default() -> Self {
        Self { take: Take::AtWill, every: 3 }
    }
}

const DOMINO: Mutant = Mutant::code(
    "domino",
    "takes its checkpoints just before it sends, not just after",
    BOUNDED_ROLLBACK,
);
const LATEST_ONLY: Mutant =
    Mutant::code("latest-only", "returns to the last checkpoint of each process", CONSISTENT);
const NO_RESEND: Mutant =
    Mutant::code("no-resend", "sends nothing again after a recovery", RECOVERY);
const ACCEPT_UNDONE: Mutant = Mutant::code(
    "accept-undone",
    "accepts transfers that were sent before the last recovery",
    RECOVERY,
);

impl Protocol for UncoordinatedCkpt {
    const NAME: &'static str = "uncoordinated-ckpt";
    const SUMMARY: &'static str =
        "checkpoints of each process at will, and a recovery line of those that fit together";
    const SOURCE: &'static str = "Randell 1975; Elnozahy, Alvisi, Wang & Johnson 2002, section 3.1";
    const MUTANTS: &'static [Mutant] = &[DOMINO, LATEST_ONLY, NO_RESEND, ACCEPT_UNDONE];

    type Params = UncoordinatedCkptParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::ANY_THAT_RECOVER)
    }

    fn validate(params: &UncoordinatedCkptParams, _: &Setting) -> Result<(), Invalid> {
        match params.every > 0 {
            true => Ok(()),
            false => Err(Invalid::new("every", "must be at least 1")),
        }
    }

    fn new(params: &UncoordinatedCkptParams, _: &Setting, _: ProcessId) -> Self {
        Self {
            take: params.take,
            every: params.every,
            state: Checkpoint::opening(),
            transfer_count: 0,
            checkpoints: BTreeMap::new(),
            phase: Phase::Running,
            line: Line::default(),
            early: Vec::new(),
            stops: Stops::default(),
        }
    }

    fn claims(params: &UncoordinatedCkptParams, _: &Setting) -> Vec<PropertyId> {
        match params.take {
            Take::AtWill => vec![COMPLETE, RECOVERY],
            Take::EachSend => vec![COMPLETE, BOUNDED_ROLLBACK, RECOVERY],
        }
    }
}
