//! A server: its items, the locks on them, and the transactions that it takes part in.

use std::collections::BTreeMap;

use ftsim_core::{Duration, ProcessId, Stored};

use super::deadlock::Policy;
use super::detection::{Confirm, Place, Probe};
use super::locks::{Access, Change, Lock, LockTable};
use super::mutants::{EARLY_UNLOCK, NO_LOCKS, VOLATILE_LOCKS};
use super::params::Params;
use super::{Context, Life, Msg, Record, Timer, Timestamp};
use crate::spec::transactions::{Attempt, Decision, Indication, Item, ItemCopy};

/// A server.
#[derive(Clone, Debug, Hash)]
pub struct Server {
    life: Life,
    versions: BTreeMap<Item, Attempt>,
    /// The versions that undecided writers replaced: their undo data.
    before: BTreeMap<(Attempt, Item), Attempt>,
    locks: LockTable,
    states: BTreeMap<Attempt, State>,
    policy: Policy,
    decision_timeout: Duration,
}

/// The state of an attempt at a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum State {
    /// It has locks or waits for some; the server can still abort it.
    Working {
        client: ProcessId,
        timestamp: Timestamp,
    },
    /// The server has voted Yes and does not know the decision.
    Prepared {
        client: ProcessId,
        locks: Vec<(Item, Access)>,
    },
    Decided(Decision),
}

impl Server {
    pub(super) fn new(params: &Params) -> Self {
        Self {
            life: 0,
            versions: BTreeMap::new(),
            before: BTreeMap::new(),
            locks: LockTable::default(),
            states: BTreeMap::new(),
            policy: params.deadlock,
            decision_timeout: params.decision_timeout,
        }
    }

    /// Redoes what is committed, locks what is prepared, and begins a new life. Announces votes and
    /// decisions again, since the crash may have come between a record and its announcement.
    pub(super) fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Context) {
        let mut prepared = BTreeMap::new();
        for record in log.iter().filter_map(Stored::intact) {
            match record {
                Record::Recovered => self.life += 1,
                Record::Prepared { attempt, client, timestamp, locks } => {
                    prepared.insert(*attempt, (*client, *timestamp, locks.clone()));
                    cx.indicate(Indication::VotedYes(*attempt));
                }
                Record::Learnt(attempt, decision) => {
                    // Without its prepared record, the decision was never synced nor announced.
                    let Some((.., locks)) = prepared.remove(attempt) else { continue };
                    if *decision == Decision::Commit {
                        self.redo(*attempt, &locks);
                    }
                    self.states.insert(*attempt, State::Decided(*decision));
                    cx.indicate(announced(*attempt, *decision));
                }
                Record::Began(..) | Record::Decided(..) | Record::End(_) => {}
            }
        }
        self.life += 1;
        cx.append(Record::Recovered);
        cx.sync();
        for (attempt, (client, timestamp, locks)) in prepared {
            if !cx.runs(&VOLATILE_LOCKS) {
                for (item, access) in locks.clone() {
                    self.hold(Lock { attempt, timestamp, access, blockers: vec![] }, item);
                    if access == Access::Write {
                        cx.indicate(Indication::Wrote { attempt, item });
                    }
                }
            }
            self.states.insert(attempt, State::Prepared { client, locks });
            self.ask(attempt, client, cx);
        }
    }

    pub(super) fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Lock { attempt, timestamp, item, access } => {
                let lock = Lock { attempt, timestamp, access, blockers: vec![] };
                self.on_lock(from, lock, item, cx);
            }
            Msg::Prepare(attempt, life) => self.on_prepare(from, attempt, life, cx),
            Msg::Commit(attempt) => self.on_commit(from, attempt, cx),
            Msg::Abort(attempt) => self.on_abort(attempt, cx),
            Msg::Probe(probe) => self.on_probe(&probe, cx),
            Msg::Confirm(confirm) => self.on_confirm(&confirm, cx),
            Msg::Locked { .. }
            | Msg::Refused(_)
            | Msg::Vote(..)
            | Msg::Ack(_)
            | Msg::Inquiry(_) => {}
        }
    }

    pub(super) fn on_timer(&mut self, timer: Timer, cx: &mut Context) {
        if let Timer::Decision(attempt) = timer
            && let Some(State::Working { client, .. } | State::Prepared { client, .. }) =
                self.states.get(&attempt)
        {
            self.ask(attempt, *client, cx);
        }
    }

    fn on_lock(&mut self, from: ProcessId, lock: Lock, item: Item, cx: &mut Context) {
        let (attempt, timestamp) = (lock.attempt, lock.timestamp);
        match self.states.get(&attempt) {
            None => {
                self.states.insert(attempt, State::Working { client: from, timestamp });
                cx.set_timer(self.decision_timeout, Timer::Decision(attempt));
            }
            Some(State::Working { .. }) => {}
            Some(State::Decided(Decision::Abort)) => {
                return cx.send(from, Msg::Refused(attempt));
            }
            Some(State::Prepared { .. } | State::Decided(Decision::Commit)) => return,
        }
        if self.locks.holds(attempt, item) {
            return self.send_locked(attempt, item, from, cx);
        }
        if !self.locks.waits(attempt, item) {
            self.acquire(from, lock, item, cx);
        }
    }

    /// Grants a lock, or does what the policy says.
    fn acquire(&mut self, client: ProcessId, lock: Lock, item: Item, cx: &mut Context) {
        let oldest_first = self.policy == Policy::WoundWait;
        let mut conflicts = self.locks.conflicts(&lock, item, oldest_first);
        while oldest_first
            && !cx.runs(&NO_LOCKS)
            && let Some((attempt, client)) = self.younger(&lock, &conflicts)
        {
            cx.reach("wounded");
            self.refuse(attempt, client, cx);
            conflicts = self.locks.conflicts(&lock, item, oldest_first);
        }
        if conflicts.is_empty() || cx.runs(&NO_LOCKS) {
            return self.grant(lock, item, client, cx);
        }
        let ages = conflicts.iter().map(|other| other.timestamp);
        if !self.policy.waits(&lock.timestamp, ages) {
            cx.reach("refused");
            return self.refuse(lock.attempt, client, cx);
        }
        cx.reach("waits");
        let changes = self.locks.enqueue(lock, item, oldest_first);
        self.carry_out(item, changes, cx);
    }

    /// A younger attempt among those in conflict that the server can still abort, and its client.
    fn younger(&self, lock: &Lock, conflicts: &[Lock]) -> Option<(Attempt, ProcessId)> {
        let younger = conflicts.iter().filter(|other| other.timestamp > lock.timestamp);
        younger.map(|other| other.attempt).find_map(|attempt| match self.states.get(&attempt) {
            Some(State::Working { client, .. }) => Some((attempt, *client)),
            _ => None,
        })
    }

    /// Performs an operation whose lock is granted.
    fn grant(&mut self, lock: Lock, item: Item, client: ProcessId, cx: &mut Context) {
        let attempt = lock.attempt;
        let is_write = lock.access == Access::Write;
        let changes = self.hold(lock, item);
        self.send_locked(attempt, item, client, cx);
        if is_write {
            cx.indicate(Indication::Wrote { attempt, item });
        }
        self.carry_out(item, changes, cx);
    }

    /// Has an attempt hold a lock, and write if it is to. Returns what changes for those that wait.
    fn hold(&mut self, lock: Lock, item: Item) -> Vec<Change> {
        if lock.access == Access::Write {
            self.write(lock.attempt, item);
        }
        self.locks.grant(lock, item)
    }

    fn write(&mut self, attempt: Attempt, item: Item) {
        let before = self.versions.insert(item, attempt).unwrap_or_default();
        self.before.entry((attempt, item)).or_insert(before);
    }

    /// Answers with the version that an attempt reads: the one before its own.
    fn send_locked(&self, attempt: Attempt, item: Item, client: ProcessId, cx: &mut Context) {
        let now = self.versions.get(&item).copied().unwrap_or_default();
        let version = self.before.get(&(attempt, item)).copied().unwrap_or(now);
        cx.send(client, Msg::Locked { attempt, item, version, life: self.life });
    }

    /// Aborts an attempt that is not prepared, and tells its client.
    fn refuse(&mut self, attempt: Attempt, client: ProcessId, cx: &mut Context) {
        cx.send(client, Msg::Refused(attempt));
        self.end(attempt, Decision::Abort, cx);
    }

    fn on_prepare(&mut self, from: ProcessId, attempt: Attempt, life: Life, cx: &mut Context) {
        match self.states.get(&attempt) {
            Some(State::Working { timestamp, .. })
                if life == self.life && self.locks.wanted_by(attempt).is_empty() =>
            {
                let (timestamp, locks) = (*timestamp, self.locks.held_by(attempt));
                let record =
                    Record::Prepared { attempt, client: from, timestamp, locks: locks.clone() };
                cx.append(record);
                cx.sync();
                cx.indicate(Indication::VotedYes(attempt));
                cx.send(from, Msg::Vote(attempt, true));
                self.states.insert(attempt, State::Prepared { client: from, locks });
                if cx.runs(&EARLY_UNLOCK) {
                    self.unlock(attempt, cx);
                }
            }
            Some(State::Prepared { .. }) => cx.send(from, Msg::Vote(attempt, true)),
            Some(State::Decided(Decision::Commit)) => cx.send(from, Msg::Ack(attempt)),
            Some(State::Working { .. } | State::Decided(Decision::Abort)) | None => {
                cx.reach("votes no");
                cx.send(from, Msg::Vote(attempt, false));
                self.end(attempt, Decision::Abort, cx);
            }
        }
    }

    fn on_commit(&mut self, from: ProcessId, attempt: Attempt, cx: &mut Context) {
        match self.states.get(&attempt) {
            Some(State::Prepared { locks, .. }) => {
                let locks = locks.clone();
                cx.append(Record::Learnt(attempt, Decision::Commit));
                cx.sync();
                cx.indicate(Indication::Committed(attempt));
                cx.send(from, Msg::Ack(attempt));
                if cx.runs(&VOLATILE_LOCKS) && self.locks.held_by(attempt).is_empty() {
                    self.redo(attempt, &locks);
                }
                self.end(attempt, Decision::Commit, cx);
            }
            Some(State::Decided(Decision::Commit)) => cx.send(from, Msg::Ack(attempt)),
            Some(State::Working { .. } | State::Decided(Decision::Abort)) | None => {}
        }
    }

    /// An abort needs no record to be right; with one, the attempt is not prepared after a crash.
    fn on_abort(&mut self, attempt: Attempt, cx: &mut Context) {
        match self.states.get(&attempt) {
            Some(State::Decided(_)) => return,
            Some(State::Prepared { .. }) => {
                cx.append(Record::Learnt(attempt, Decision::Abort));
                cx.indicate(Indication::Aborted(attempt));
            }
            Some(State::Working { .. }) | None => {}
        }
        self.end(attempt, Decision::Abort, cx);
    }

    /// Ends an attempt: undoes its writes if it aborts, and releases its locks.
    fn end(&mut self, attempt: Attempt, decision: Decision, cx: &mut Context) {
        let written = self.before.range((attempt, Item::MIN)..=(attempt, Item::MAX));
        let written: Vec<_> = written.map(|((_, item), before)| (*item, *before)).collect();
        for (item, before) in written {
            self.before.remove(&(attempt, item));
            if decision == Decision::Abort && self.versions.get(&item) == Some(&attempt) {
                self.versions.insert(item, before);
            }
        }
        self.states.insert(attempt, State::Decided(decision));
        cx.cancel_timer(Timer::Decision(attempt));
        self.unlock(attempt, cx);
    }

    fn unlock(&mut self, attempt: Attempt, cx: &mut Context) {
        for item in self.locks.wanted_by(attempt) {
            cx.indicate(Indication::Waits { attempt, item, others: vec![] });
            let changes = self.locks.release(attempt, item);
            self.carry_out(item, changes, cx);
        }
        for (item, _) in self.locks.held_by(attempt) {
            let changes = self.locks.release(attempt, item);
            self.carry_out(item, changes, cx);
        }
    }

    /// Tells what changes for attempts that waited for an item.
    fn carry_out(&mut self, item: Item, changes: Vec<Change>, cx: &mut Context) {
        for change in changes {
            match change {
                Change::Waits(attempt, others) => {
                    cx.indicate(Indication::Waits { attempt, item, others });
                }
                Change::Granted(lock) => {
                    let attempt = lock.attempt;
                    cx.indicate(Indication::Waits { attempt, item, others: vec![] });
                    if lock.access == Access::Write {
                        self.write(attempt, item);
                        cx.indicate(Indication::Wrote { attempt, item });
                    }
                    if let Some(State::Working { client, .. }) = self.states.get(&attempt) {
                        self.send_locked(attempt, item, *client, cx);
                    }
                }
            }
        }
    }

    /// Writes what a committed attempt has written before a crash.
    fn redo(&mut self, attempt: Attempt, locks: &[(Item, Access)]) {
        for (item, _) in locks.iter().filter(|(_, access)| *access == Access::Write) {
            self.versions.insert(*item, attempt);
        }
    }

    fn ask(&self, attempt: Attempt, client: ProcessId, cx: &mut Context) {
        cx.send(client, Msg::Inquiry(attempt));
        cx.set_timer(self.decision_timeout, Timer::Decision(attempt));
    }

    /// Sends a probe on to those for which its last attempt waits here.
    fn on_probe(&self, probe: &Probe, cx: &mut Context) {
        let Some(last) = probe.path.last() else { return };
        let copy = ItemCopy { server: cx.me(), item: probe.item };
        let place = Place { copy, life: self.life };
        for blocker in self.locks.blockers_of(*last, probe.item) {
            if let Some(State::Working { client, .. } | State::Prepared { client, .. }) =
                self.states.get(blocker)
            {
                cx.send(*client, Msg::Probe(probe.with(*blocker, place)));
            }
        }
    }

    /// Sends a confirmation on, if its next edge has existed here since the probe found it.
    fn on_confirm(&self, confirm: &Confirm, cx: &mut Context) {
        let Some((waiter, other)) = confirm.edge() else { return };
        let Some(Place { copy, life }) = confirm.place() else { return };
        if (copy.server, life) == (cx.me(), self.life)
            && self.locks.blockers_of(waiter, copy.item).contains(&other)
            && let Some(State::Working { client, .. }) = self.states.get(&other)
        {
            cx.send(*client, Msg::Confirm(confirm.next()));
        }
    }
}

const fn announced(attempt: Attempt, decision: Decision) -> Indication {
    match decision {
        Decision::Commit => Indication::Committed(attempt),
        Decision::Abort => Indication::Aborted(attempt),
    }
}
