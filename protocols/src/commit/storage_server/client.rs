//! A client: it runs its transactions one after another, and coordinates their commitment.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ftsim_core::{Duration, Instant, ProcessId, ProcessSet, Setting, Stored};

use super::deadlock::Policy;
use super::detection::{Confirm, Place, Probe};
use super::locks::Access;
use super::mutants::{
    NEW_TIMESTAMP_ON_RESTART, NO_WAIT_NO_BACKOFF, OPPOSITE_ORDER, PROBE_AFTER_ABORT, WRITE_ONE,
};
use super::params::{Locking, Params, Quantity};
use super::{Context, Life, Msg, Record, Timer, Timestamp};
use crate::spec::transactions::{
    Attempt, CLIENT, Indication, Item, ItemCopy, Operation, Request, Transaction,
};

/// A client.
#[derive(Clone, Debug, Hash)]
pub struct Client {
    /// The transactions to run, the present one first.
    jobs: VecDeque<(Transaction, Vec<Operation>)>,
    /// The present attempt; there is none before a restart.
    running: Option<Running>,
    /// The number of attempts at each transaction, and its age.
    begun: BTreeMap<Transaction, (u64, Timestamp)>,
    committed: BTreeMap<Transaction, Attempt>,
    /// The servers that have not acknowledged a commit.
    unacknowledged: BTreeMap<Attempt, ProcessSet>,
    options: Options,
}

/// An attempt to run a transaction.
#[derive(Clone, Debug, Hash)]
struct Running {
    attempt: Attempt,
    timestamp: Timestamp,
    /// The locks to take, in their order.
    plan: Vec<(ItemCopy, Access)>,
    /// The locks that it has, and the life of their server.
    locked: BTreeMap<ItemCopy, Life>,
    /// The servers whose votes are missing, once it has all locks.
    votes: Option<ProcessSet>,
    /// The number of deadlock detections begun.
    computations: u64,
    /// The computations of others whose probes were sent on.
    probed: BTreeSet<(Attempt, u64)>,
}

/// What a client needs of the parameters.
#[derive(Clone, Debug, Hash)]
struct Options {
    policy: Policy,
    locking: Locking,
    read: Quantity,
    /// The copies of each item depend on the parameters and on the client's place.
    place: u32,
    copies: super::params::Copies,
    retry: Duration,
    lock_timeout: Duration,
    suspect_after: Duration,
    backoff: Duration,
}

impl Client {
    pub(super) fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        let place = setting.role(CLIENT).position(|p| p == me).unwrap_or_default();
        Self {
            jobs: VecDeque::new(),
            running: None,
            begun: BTreeMap::new(),
            committed: BTreeMap::new(),
            unacknowledged: BTreeMap::new(),
            options: Options {
                policy: params.deadlock,
                locking: params.locking,
                read: params.read,
                place: u32::try_from(place).unwrap_or_default(),
                copies: params.copies,
                retry: params.retry,
                lock_timeout: params.lock_timeout,
                suspect_after: params.suspect_after,
                backoff: params.backoff,
            },
        }
    }

    /// Announces the commits in the log again, and sends those again that were not acknowledged by
    /// all. Other attempts are forgotten, and so aborted.
    pub(super) fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Context) {
        for record in log.iter().filter_map(Stored::intact) {
            match record {
                Record::Began(attempt, timestamp) => {
                    self.begun.insert(attempt.transaction, (attempt.number, *timestamp));
                }
                Record::Decided(attempt, servers) => {
                    self.committed.insert(attempt.transaction, *attempt);
                    self.unacknowledged.insert(*attempt, servers.clone());
                    cx.indicate(Indication::Committed(*attempt));
                }
                Record::End(attempt) => {
                    self.unacknowledged.remove(attempt);
                }
                Record::Recovered | Record::Prepared { .. } | Record::Learnt(..) => {}
            }
        }
        for attempt in self.unacknowledged.keys().copied().collect::<Vec<_>>() {
            self.send_commit(attempt, cx);
        }
    }

    pub(super) fn on_request(&mut self, request: Request, cx: &mut Context) {
        let Request::Run { transaction, work } = request;
        if let Some(attempt) = self.committed.get(&transaction) {
            return cx.indicate(Indication::Committed(*attempt));
        }
        if self.jobs.iter().any(|(other, _)| *other == transaction) {
            return;
        }
        self.jobs.push_back((transaction, work));
        if self.jobs.len() == 1 {
            self.begin(cx);
        }
    }

    pub(super) fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Locked { attempt, item, version, life } => {
                self.on_locked(attempt, ItemCopy { server: from, item }, version, life, cx);
            }
            Msg::Refused(attempt) | Msg::Vote(attempt, false) if self.runs(attempt) => {
                self.restart(cx);
            }
            Msg::Vote(attempt, true) => self.on_vote(from, attempt, cx),
            Msg::Ack(attempt) => self.on_ack(from, attempt, cx),
            Msg::Inquiry(attempt) => self.on_inquiry(from, attempt, cx),
            Msg::Probe(probe) => self.on_probe(probe, cx),
            Msg::Confirm(confirm) => self.on_confirm(confirm, cx),
            Msg::Refused(_)
            | Msg::Vote(..)
            | Msg::Lock { .. }
            | Msg::Prepare(..)
            | Msg::Commit(_)
            | Msg::Abort(_) => {}
        }
    }

    pub(super) fn on_timer(&mut self, timer: Timer, cx: &mut Context) {
        match timer {
            Timer::Retry(attempt) if self.runs(attempt) => self.ask(cx),
            Timer::Locks(attempt) if self.waits(attempt) => {
                cx.reach("locks late");
                self.restart(cx);
            }
            Timer::Suspicion(attempt) if self.waits(attempt) => self.suspect(cx),
            Timer::Restart(transaction) => {
                if self.jobs.front().is_some_and(|(next, _)| *next == transaction) {
                    self.begin(cx);
                }
            }
            Timer::Acks(attempt) => self.send_commit(attempt, cx),
            Timer::Retry(_) | Timer::Locks(_) | Timer::Suspicion(_) | Timer::Decision(_) => {}
        }
    }

    /// Whether this is the present attempt.
    fn runs(&self, attempt: Attempt) -> bool {
        self.running.as_ref().is_some_and(|running| running.attempt == attempt)
    }

    /// Whether this is the present attempt, and it has not all its locks.
    fn waits(&self, attempt: Attempt) -> bool {
        self.running.as_ref().is_some_and(|it| it.attempt == attempt && it.votes.is_none())
    }

    /// Begins an attempt at the next transaction. Its record keeps a later one from having the same
    /// name.
    fn begin(&mut self, cx: &mut Context) {
        if self.running.is_some() {
            return;
        }
        let Some((transaction, work)) = self.jobs.front().cloned() else { return };
        let (number, timestamp) = match self.begun.get(&transaction) {
            Some((number, old)) if !cx.runs(&NEW_TIMESTAMP_ON_RESTART) => (number + 1, *old),
            Some((number, _)) => (number + 1, self.age(transaction, cx)),
            None => (1, self.age(transaction, cx)),
        };
        let attempt = Attempt { transaction, number };
        self.begun.insert(transaction, (number, timestamp));
        cx.append(Record::Began(attempt, timestamp));
        cx.sync();
        cx.indicate(Indication::Began(attempt));
        self.running = Some(Running {
            attempt,
            timestamp,
            plan: self.plan(&work, cx),
            locked: BTreeMap::new(),
            votes: None,
            computations: 0,
            probed: BTreeSet::new(),
        });
        match self.options.policy {
            Policy::Timeout => {
                // Longer each time: messages may take longer than the first timeout. Drawn, lest
                // all that wait for each other give up together, and meet again.
                let least = self.options.lock_timeout.times(1 << (number - 1).min(16));
                let patience = cx.rng().between(least.as_nanos(), least.times(2).as_nanos());
                cx.set_timer(Duration::from_nanos(patience), Timer::Locks(attempt));
            }
            Policy::Detect => {
                cx.set_timer(self.options.suspect_after, Timer::Suspicion(attempt));
            }
            _ => {}
        }
        self.ask(cx);
    }

    /// The timestamp of a transaction that begins now; only its number, if no policy compares ages.
    fn age(&self, transaction: Transaction, cx: &Context) -> Timestamp {
        let compares = self.options.policy.compares_ages();
        Timestamp(if compares { cx.now() } else { Instant::ZERO }, transaction)
    }

    /// The locks that a transaction needs, in their order.
    fn plan(&self, work: &[Operation], cx: &Context) -> Vec<(ItemCopy, Access)> {
        let mut plan: Vec<(ItemCopy, Access)> = Vec::new();
        let mut is_written: BTreeMap<Item, bool> = BTreeMap::new();
        for operation in work {
            let (item, writes) = match operation {
                Operation::Read(item) => (*item, false),
                Operation::Write(item) => (*item, true),
            };
            *is_written.entry(item).or_default() |= writes;
        }
        for operation in work {
            let (Operation::Read(item) | Operation::Write(item)) = *operation;
            let Some(writes) = is_written.remove(&item) else { continue };
            let access = if writes { Access::Write } else { Access::Read };
            let holders = self.options.copies.of(item, self.options.place, cx.setting());
            let count = match (access, self.options.read) {
                (Access::Read, Quantity::One) => 1,
                (Access::Write, _) if cx.runs(&WRITE_ONE) => 1,
                _ => holders.len(),
            };
            let copies = holders.into_iter().take(count);
            plan.extend(copies.map(|server| (ItemCopy { server, item }, access)));
        }
        if self.options.policy == Policy::Ordered && !cx.runs(&OPPOSITE_ORDER) {
            plan.sort_unstable();
        }
        plan
    }

    /// Sends the requests that are not answered: for locks, then for votes.
    fn ask(&self, cx: &mut Context) {
        let Some(Running { attempt, timestamp, plan, locked, votes, .. }) = &self.running else {
            return;
        };
        if let Some(missing) = votes {
            for server in missing.iter() {
                let mut lives = locked.iter().filter(|(copy, _)| copy.server == server);
                if let Some((_, life)) = lives.next() {
                    cx.send(server, Msg::Prepare(*attempt, *life));
                }
            }
        } else {
            let is_parallel =
                self.options.locking == Locking::Parallel && self.options.policy != Policy::Ordered;
            let count = if is_parallel { plan.len() } else { 1 };
            let missing = plan.iter().filter(|(copy, _)| !locked.contains_key(copy));
            for (ItemCopy { server, item }, access) in missing.take(count) {
                let (attempt, timestamp, item, access) = (*attempt, *timestamp, *item, *access);
                cx.send(*server, Msg::Lock { attempt, timestamp, item, access });
            }
        }
        cx.set_timer(self.options.retry, Timer::Retry(*attempt));
    }

    fn on_locked(
        &mut self,
        attempt: Attempt,
        copy: ItemCopy,
        version: Attempt,
        life: Life,
        cx: &mut Context,
    ) {
        let Some(running) = self.running.as_mut().filter(|it| it.attempt == attempt) else {
            return;
        };
        let is_planned = running.plan.iter().any(|(planned, _)| *planned == copy);
        if running.votes.is_some() || !is_planned || running.locked.contains_key(&copy) {
            return;
        }
        let mut same = running.locked.iter().filter(|(other, _)| other.server == copy.server);
        if same.any(|(_, other)| *other != life) {
            cx.reach("locks lost");
            return self.restart(cx);
        }
        running.locked.insert(copy, life);
        cx.indicate(Indication::Locked { attempt, copy, version });
        let is_parallel =
            self.options.locking == Locking::Parallel && self.options.policy != Policy::Ordered;
        if running.locked.len() == running.plan.len() {
            running.votes = Some(running.plan.iter().map(|(copy, _)| copy.server).collect());
            cx.cancel_timer(Timer::Locks(attempt));
            cx.cancel_timer(Timer::Suspicion(attempt));
            self.ask(cx);
        } else if !is_parallel {
            self.ask(cx);
        }
    }

    fn on_vote(&mut self, from: ProcessId, attempt: Attempt, cx: &mut Context) {
        if let Some(running) = self.running.as_mut().filter(|it| it.attempt == attempt)
            && let Some(missing) = &mut running.votes
            && missing.remove(from)
            && missing.is_empty()
        {
            self.commit(cx);
        }
    }

    fn commit(&mut self, cx: &mut Context) {
        let Some(Running { attempt, plan, .. }) = self.running.take() else { return };
        let servers: ProcessSet = plan.iter().map(|(copy, _)| copy.server).collect();
        cx.cancel_timer(Timer::Retry(attempt));
        cx.append(Record::Decided(attempt, servers.clone()));
        cx.sync();
        cx.indicate(Indication::Committed(attempt));
        self.committed.insert(attempt.transaction, attempt);
        self.unacknowledged.insert(attempt, servers);
        self.send_commit(attempt, cx);
        self.jobs.pop_front();
        self.begin(cx);
    }

    fn send_commit(&self, attempt: Attempt, cx: &mut Context) {
        if let Some(missing) = self.unacknowledged.get(&attempt) {
            cx.send_to(missing.iter(), Msg::Commit(attempt));
            cx.set_timer(self.options.retry, Timer::Acks(attempt));
        }
    }

    fn on_ack(&mut self, from: ProcessId, attempt: Attempt, cx: &mut Context) {
        if let Some(missing) = self.unacknowledged.get_mut(&attempt)
            && missing.remove(from)
            && missing.is_empty()
        {
            self.unacknowledged.remove(&attempt);
            cx.cancel_timer(Timer::Acks(attempt));
            cx.append(Record::End(attempt));
        }
    }

    /// Answers a server that does not know the decision.
    fn on_inquiry(&self, from: ProcessId, attempt: Attempt, cx: &mut Context) {
        if self.unacknowledged.contains_key(&attempt) {
            cx.send(from, Msg::Commit(attempt));
        } else if !self.runs(attempt) {
            cx.reach("presumed");
            cx.send(from, Msg::Abort(attempt));
        }
    }

    /// Aborts the present attempt, and begins another one later.
    fn restart(&mut self, cx: &mut Context) {
        let Some(Running { attempt, plan, .. }) = self.running.take() else { return };
        for timer in [Timer::Retry(attempt), Timer::Locks(attempt), Timer::Suspicion(attempt)] {
            cx.cancel_timer(timer);
        }
        cx.reach("restarted");
        cx.indicate(Indication::Aborted(attempt));
        let servers: ProcessSet = plan.iter().map(|(copy, _)| copy.server).collect();
        cx.send_to(servers.iter(), Msg::Abort(attempt));
        if cx.runs(&NO_WAIT_NO_BACKOFF) {
            return self.begin(cx);
        }
        let most = self.options.backoff.times(1 << (attempt.number - 1).min(6));
        let after = cx.rng().between(0, most.as_nanos());
        cx.set_timer(Duration::from_nanos(after), Timer::Restart(attempt.transaction));
    }

    /// Begins a computation to find out whether the present attempt is deadlocked.
    fn suspect(&mut self, cx: &mut Context) {
        let Some(running) = &mut self.running else { return };
        running.computations += 1;
        let (attempt, timestamp) = (running.attempt, running.timestamp);
        let computation = running.computations;
        let (path, places) = (vec![attempt], Vec::new());
        running.send_probe(&Probe { timestamp, computation, path, places, item: 0 }, cx);
        cx.set_timer(self.options.suspect_after, Timer::Suspicion(attempt));
    }

    fn on_probe(&mut self, probe: Probe, cx: &mut Context) {
        let (Some(initiator), Some(last)) = (probe.path.first(), probe.path.last()) else { return };
        let (initiator, last) = (*initiator, *last);
        let Some(running) = self.running.as_mut().filter(|it| it.votes.is_none()) else { return };
        let is_back = initiator == last && probe.path.len() > 1;
        if running.attempt != last || probe.path.len() > cx.n() as usize + 1 {
            return;
        }
        if is_back {
            let Probe { path: mut cycle, places, .. } = probe;
            cycle.pop();
            return running.send_confirm(Confirm { cycle, places, confirmed: 0 }, cx);
        }
        if running.timestamp < probe.timestamp
            && running.probed.insert((initiator, probe.computation))
        {
            running.send_probe(&probe, cx);
        }
    }

    fn on_confirm(&mut self, confirm: Confirm, cx: &mut Context) {
        let Some(first) = confirm.cycle.first().copied() else { return };
        let here = confirm.cycle.get(confirm.confirmed).copied().unwrap_or(first);
        let Some(running) = &self.running else { return };
        let is_back = confirm.confirmed == confirm.cycle.len();
        let is_mine = running.attempt == here
            || is_back
                && cx.runs(&PROBE_AFTER_ABORT)
                && running.attempt.transaction == here.transaction;
        if !is_mine || running.votes.is_some() {
            return;
        }
        if is_back {
            cx.reach("deadlock found");
            cx.indicate(Indication::Victim(running.attempt));
            return self.restart(cx);
        }
        running.send_confirm(confirm, cx);
    }
}

impl Running {
    /// Sends a probe to the server of each lock that is missing.
    fn send_probe(&self, probe: &Probe, cx: &mut Context) {
        for ItemCopy { server, item } in self.missing() {
            cx.send(server, Msg::Probe(Probe { item, ..probe.clone() }));
        }
    }

    /// Sends a confirmation to the server of its next edge, if that lock is still missing.
    fn send_confirm(&self, confirm: Confirm, cx: &mut Context) {
        let Some(Place { copy, .. }) = confirm.place() else { return };
        if self.missing().any(|missing| missing == copy) {
            cx.send(copy.server, Msg::Confirm(confirm));
        }
    }

    /// The copies whose locks are missing.
    fn missing(&self) -> impl Iterator<Item = ItemCopy> {
        self.plan.iter().map(|(copy, _)| *copy).filter(|copy| !self.locked.contains_key(copy))
    }
}
