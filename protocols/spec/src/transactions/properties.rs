//! The properties of transactions and of their commitment, each with its checker.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ftsim_core::{End, Observation, Observed, ProcessId, ProcessSet, Property, Setting, Violation};

use super::{Attempt, Decision, Indication, Item, ItemCopy, Transactions};
use crate::one_copy::{Anomaly, OneCopy};

type Event<'a> = Observed<'a, Transactions>;

fn decision(event: &Event<'_>) -> Option<(Attempt, Decision)> {
    match event.what {
        Observation::Indication(Indication::Committed(a)) => Some((*a, Decision::Commit)),
        Observation::Indication(Indication::Aborted(a)) => Some((*a, Decision::Abort)),
        _ => None,
    }
}

/// One-copy serialisability. A history must be serial for each copy and, since nobody is to see
/// that there are copies, also for each item.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Serialisable {
    history: OneCopy<ItemCopy, Attempt>,
    items: Items,
    decided: BTreeSet<(Attempt, bool)>,
    /// The attempts that each server will not lose in a crash.
    prepared: BTreeSet<(ProcessId, Attempt)>,
}

impl Property<Transactions> for Serialisable {
    fn observe(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        let p = event.process;
        match event.what {
            Observation::Indication(Indication::Locked { attempt, copy, version }) => {
                self.history.read_before_own_write(*attempt, *copy, *version);
                self.items.reads.insert((*attempt, SingleCopy(copy.item), *version));
            }
            Observation::Indication(Indication::Wrote { attempt, item }) => {
                self.history.write(*attempt, ItemCopy { server: p, item: *item });
                self.items.write(*attempt, SingleCopy(*item));
            }
            Observation::Indication(Indication::VotedYes(attempt)) => {
                self.prepared.insert((p, *attempt));
            }
            Observation::Crash => {
                let prepared = &self.prepared;
                let is_lost = |a, copy: ItemCopy| copy.server == p && !prepared.contains(&(p, a));
                self.history.undo(is_lost);
            }
            _ => {}
        }
        let Some((attempt, decision)) = decision(event) else { return Ok(()) };
        if !self.decided.insert((attempt, decision == Decision::Commit)) {
            return Ok(());
        }
        match decision {
            Decision::Commit => {
                self.history.commit(attempt);
                self.items.committed.insert(attempt);
            }
            Decision::Abort => self.history.abort(attempt),
        }
        self.history.judge().map_err(|anomaly| Violation::by([p], anomaly.to_string()))?;
        self.items.judge().map_err(|anomaly| Violation::by([p], anomaly.to_string()))
    }

    fn finish(&mut self, _: &End<'_>) -> Result<(), Violation> {
        self.history.judge_all().map_err(|anomaly| Violation::by([], anomaly.to_string()))
    }

    fn exercised(&self) -> u64 {
        self.history.committed_count() as u64
    }
}

/// An item, as if it had a single copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct SingleCopy(Item);

impl fmt::Display for SingleCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item {}", self.0)
    }
}

/// The reads and writes of items, whatever copies they were of.
///
/// The versions of an item are in the order in which they were last written at any server. Whoever
/// has locked and written all copies has written each of them after those that came before it.
#[derive(Clone, Debug, Default, Hash)]
struct Items {
    written: BTreeMap<SingleCopy, Vec<Attempt>>,
    /// Reader, item, version.
    reads: BTreeSet<(Attempt, SingleCopy, Attempt)>,
    committed: BTreeSet<Attempt>,
}

impl Items {
    fn write(&mut self, writer: Attempt, item: SingleCopy) {
        let versions = self.written.entry(item).or_default();
        versions.retain(|other| *other != writer);
        versions.push(writer);
    }

    fn judge(&self) -> Result<(), Anomaly<SingleCopy, Attempt>> {
        let mut history = OneCopy::default();
        for (item, versions) in &self.written {
            for writer in versions.iter().filter(|writer| self.committed.contains(writer)) {
                history.write(*writer, *item);
            }
        }
        for (reader, item, version) in &self.reads {
            let is_clean = *version == Attempt::default() || self.committed.contains(version);
            if is_clean && self.committed.contains(reader) {
                history.read_before_own_write(*reader, *item, *version);
            }
        }
        self.committed.iter().for_each(|attempt| history.commit(*attempt));
        history.judge()
    }
}

/// Remembers the first decision on each attempt.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Agreement {
    first: BTreeMap<Attempt, (ProcessId, Decision)>,
    /// Decisions on an attempt that was decided before.
    exercised: u64,
}

impl Property<Transactions> for Agreement {
    fn observe(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        let Some((attempt, decision)) = decision(event) else { return Ok(()) };
        let p = event.process;
        let Some((q, first)) = self.first.get(&attempt) else {
            self.first.insert(attempt, (p, decision));
            return Ok(());
        };
        self.exercised += 1;
        if *first == decision {
            return Ok(());
        }
        let message =
            format!("{p} decided {decision:?} on transaction {attempt}, and {q} {first:?}");
        Err(Violation::by([p, *q], message))
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

/// Remembers where attempts have locks and which servers have voted.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct CommitValidity {
    locked: BTreeMap<Attempt, ProcessSet>,
    voted: BTreeMap<Attempt, ProcessSet>,
    commits: u64,
}

impl Property<Transactions> for CommitValidity {
    fn observe(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        let p = event.process;
        match event.what {
            Observation::Indication(Indication::Locked { attempt, copy, .. }) => {
                self.locked.entry(*attempt).or_default().insert(copy.server);
            }
            Observation::Indication(Indication::VotedYes(attempt)) => {
                self.voted.entry(*attempt).or_default().insert(p);
            }
            _ => {}
        }
        let Some((attempt, Decision::Commit)) = decision(event) else { return Ok(()) };
        self.commits += 1;
        let has_voted = |q| self.voted.get(&attempt).is_some_and(|voted| voted.contains(q));
        let locked = self.locked.get(&attempt);
        let objector = locked.into_iter().flat_map(ProcessSet::iter).find(|q| !has_voted(*q));
        let Some(q) = objector else { return Ok(()) };
        let message = format!("{p} committed transaction {attempt}, but {q} has not voted Yes");
        Err(Violation::by([p, q], message))
    }

    fn exercised(&self) -> u64 {
        self.commits
    }
}

/// Remembers the decisions that servers owe.
#[derive(Clone, Debug, Hash)]
pub(super) struct Termination {
    process_count: usize,
    owed: BTreeSet<(ProcessId, Attempt)>,
    decided: BTreeSet<(ProcessId, Attempt)>,
    exercised: u64,
}

impl Termination {
    pub fn new(setting: &Setting) -> Self {
        let process_count = setting.n as usize;
        Self { process_count, owed: BTreeSet::new(), decided: BTreeSet::new(), exercised: 0 }
    }
}

impl Property<Transactions> for Termination {
    fn observe(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        let p = event.process;
        if let Observation::Indication(Indication::VotedYes(attempt)) = event.what
            && !self.decided.contains(&(p, *attempt))
        {
            self.owed.insert((p, *attempt));
        }
        if let Some((attempt, _)) = decision(event) {
            self.owed.remove(&(p, attempt));
            self.decided.insert((p, attempt));
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        if end.correct().count() < self.process_count {
            return Ok(());
        }
        self.exercised = (self.owed.len() + self.decided.len()) as u64;
        let Some((p, attempt)) = self.owed.first() else { return Ok(()) };
        let message = format!("{p} voted Yes on transaction {attempt} and never decided");
        Err(Violation::by([*p], message))
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}
