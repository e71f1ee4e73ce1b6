//! The wait-for graph of transactions, and the properties of deadlocks.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{End, Observation, Observed, ProcessId, Property, Setting, Violation};

use super::{Attempt, Indication, ItemCopy, Request, Transaction, Transactions};

type Event<'a> = Observed<'a, Transactions>;

/// Which attempts wait for which, as their clients know and servers tell.
#[derive(Clone, Debug, Default, Hash)]
struct WaitFor {
    /// The attempts that are still in want of locks, and their clients.
    wanting: BTreeMap<Attempt, ProcessId>,
    /// The locks that their clients have heard of.
    locked: BTreeSet<(Attempt, ItemCopy)>,
    edges: BTreeMap<(Attempt, ItemCopy), Vec<Attempt>>,
}

impl WaitFor {
    /// Observes an event; returns the attempt that now waits for more, if one does.
    fn observe(&mut self, event: &Event<'_>) -> Option<Attempt> {
        let p = event.process;
        match event.what {
            Observation::Indication(Indication::Began(attempt)) => {
                self.wanting.insert(*attempt, p);
            }
            Observation::Indication(Indication::Locked { attempt, copy, .. }) => {
                self.locked.insert((*attempt, *copy));
                self.edges.remove(&(*attempt, *copy));
            }
            Observation::Indication(
                Indication::Committed(attempt)
                | Indication::Aborted(attempt)
                | Indication::VotedYes(attempt),
            ) => self.stop(*attempt),
            Observation::Indication(Indication::Waits { attempt, item, others }) => {
                return self.wait(*attempt, ItemCopy { server: p, item: *item }, others);
            }
            Observation::Crash => {
                self.edges.retain(|(_, copy), _| copy.server != p);
                let lost = self.wanting.iter().filter(|(_, client)| **client == p);
                for attempt in lost.map(|(attempt, _)| *attempt).collect::<Vec<_>>() {
                    self.stop(attempt);
                }
            }
            _ => {}
        }
        None
    }

    fn wait(&mut self, attempt: Attempt, copy: ItemCopy, others: &[Attempt]) -> Option<Attempt> {
        let (is_wanting, key) = (self.wanting.contains_key(&attempt), (attempt, copy));
        if others.is_empty() || !is_wanting || self.locked.contains(&key) {
            self.edges.remove(&key);
            return None;
        }
        self.edges.insert(key, others.to_vec());
        Some(attempt)
    }

    /// This attempt waits for nothing from now on.
    fn stop(&mut self, attempt: Attempt) {
        self.wanting.remove(&attempt);
        self.edges.retain(|(waiter, _), _| *waiter != attempt);
    }

    fn waits_for(&self, attempt: Attempt) -> impl Iterator<Item = Attempt> {
        let copies = ItemCopy { server: ProcessId(0), item: 0 }..=ItemCopy {
            server: ProcessId(u32::MAX),
            item: u32::MAX,
        };
        let edges = self.edges.range((attempt, *copies.start())..=(attempt, *copies.end()));
        edges.flat_map(|(_, others)| others.iter().copied())
    }

    /// A shortest path by which an attempt waits for itself, without its end.
    fn cycle(&self, attempt: Attempt) -> Option<Vec<Attempt>> {
        let mut came_from: BTreeMap<Attempt, Attempt> = BTreeMap::new();
        let mut next = vec![attempt];
        let mut index = 0;
        while let Some(here) = next.get(index).copied() {
            index += 1;
            for other in self.waits_for(here) {
                if other == attempt {
                    let mut path = vec![here];
                    while let Some(previous) = came_from.get(path.last()?) {
                        path.push(*previous);
                    }
                    path.reverse();
                    return Some(path);
                }
                if let Entry::Vacant(unseen) = came_from.entry(other) {
                    unseen.insert(here);
                    next.push(other);
                }
            }
        }
        None
    }

    /// The attempts that wait for themselves.
    fn deadlocked(&self) -> impl Iterator<Item = Attempt> {
        let waiters: BTreeSet<_> = self.edges.keys().map(|(waiter, _)| *waiter).collect();
        waiters.into_iter().filter(|waiter| self.cycle(*waiter).is_some())
    }
}

fn list(cycle: &[Attempt]) -> String {
    let names: Vec<_> = cycle.iter().map(ToString::to_string).collect();
    format!("transactions {} each wait for the next, and the last for the first", names.join(", "))
}

/// `dl.none`.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Acyclic {
    graph: WaitFor,
    attempts: u64,
}

impl Property<Transactions> for Acyclic {
    fn observe(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        if let Observation::Indication(Indication::Began(_)) = event.what {
            self.attempts += 1;
        }
        let cycle = self.graph.observe(event).and_then(|attempt| self.graph.cycle(attempt));
        cycle.map_or(Ok(()), |cycle| Err(Violation::by([event.process], list(&cycle))))
    }

    fn exercised(&self) -> u64 {
        self.attempts
    }
}

/// `dl.no-phantom`: remembers which attempts were ever deadlocked.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct NoPhantom {
    graph: WaitFor,
    deadlocked: BTreeSet<Attempt>,
    victims: u64,
}

impl Property<Transactions> for NoPhantom {
    fn observe(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        if let Some(attempt) = self.graph.observe(event)
            && self.graph.cycle(attempt).is_some()
        {
            self.deadlocked.extend(self.graph.deadlocked());
        }
        let Observation::Indication(Indication::Victim(attempt)) = event.what else {
            return Ok(());
        };
        self.victims += 1;
        if self.deadlocked.contains(attempt) {
            return Ok(());
        }
        let p = event.process;
        let message = format!("{p} aborts transaction {attempt}, which was on no cycle");
        Err(Violation::by([p], message))
    }

    fn exercised(&self) -> u64 {
        self.victims
    }
}

/// `dl.resolution`: remembers the transactions that have not committed.
#[derive(Clone, Debug, Hash)]
pub(super) struct Resolution {
    process_count: usize,
    graph: WaitFor,
    open: BTreeMap<Transaction, ProcessId>,
    committed: BTreeSet<Transaction>,
    exercised: u64,
}

impl Resolution {
    pub fn new(setting: &Setting) -> Self {
        Self {
            process_count: setting.n as usize,
            graph: WaitFor::default(),
            open: BTreeMap::new(),
            committed: BTreeSet::new(),
            exercised: 0,
        }
    }
}

impl Property<Transactions> for Resolution {
    fn observe(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        self.graph.observe(event);
        match event.what {
            Observation::Request(Request::Run { transaction, .. })
                if !self.committed.contains(transaction) =>
            {
                self.open.insert(*transaction, event.process);
            }
            Observation::Indication(Indication::Committed(attempt))
                if self.open.get(&attempt.transaction) == Some(&event.process) =>
            {
                self.open.remove(&attempt.transaction);
                self.committed.insert(attempt.transaction);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        if end.correct().count() < self.process_count {
            return Ok(());
        }
        self.exercised = (self.open.len() + self.committed.len()) as u64;
        let Some((transaction, p)) = self.open.first_key_value() else { return Ok(()) };
        let deadlocked = self.graph.deadlocked().next();
        let message = match deadlocked.and_then(|attempt| self.graph.cycle(attempt)) {
            Some(cycle) => list(&cycle),
            None => format!("{p} was to run transaction {transaction}, which never committed"),
        };
        Err(Violation::by([*p], message))
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}
