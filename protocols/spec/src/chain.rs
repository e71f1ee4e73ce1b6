//! A service of servers in a chain: updates enter at its head and leave at its tail.
//!
//! After van Renesse and Schneider (2004), *Chain replication for supporting high throughput and
//! availability*: their Update Propagation Invariant, besides the properties of every [`Service`].
//! A server announces its predecessor whenever that changes. What it has applied is known from its
//! probes; a crash erases it.

use ftsim_core::{
    End, Observation, Observed, ProcessId, ProcessSet, Property, PropertyEntry, Setting, Standing,
    Violation,
};
use serde::Serialize;

use super::replication::{CONVERGENCE, Histories, PREFIX};
use super::service::clients::ServiceWorkload;
use super::service::properties::{acked_survives, exactly_once, linearizable, liveness};
use super::service::{Facts, Indication, SERVER, Service};

/// The problem of serving from a chain.
pub type ChainService = Service<Fact>;

/// A fact about its place in the chain that a server announces.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Fact {
    /// It is the head from now on.
    Heads,
    /// From now on it takes updates from this server.
    Follows(ProcessId),
    /// It is the tail from now on.
    Tails,
}

impl Facts for Fact {
    type Workload = ServiceWorkload;

    const SPEC: &'static str = "chain";
    const PROPERTIES: &'static [PropertyEntry<Service<Self>>] = &[
        PropertyEntry::safety(
            PREFIX,
            "what a server has applied is the beginning of what its predecessor has",
            |setting| Box::new(Prefix::new(setting)),
        ),
        PropertyEntry::liveness(
            CONVERGENCE,
            "correct servers have in the end applied the same, in one order",
            |setting| Box::new(Convergence::new(setting)),
        ),
        acked_survives(Standing::Core),
        exactly_once(Standing::Core),
        linearizable(Standing::Core),
        liveness(Standing::Core),
    ];
    const HAS_LEADER: bool = true;

    fn leads(&self) -> Option<bool> {
        (*self == Self::Heads).then_some(true)
    }

    fn phrase(&self) -> Option<String> {
        Some(match self {
            Self::Heads => "is the head".to_owned(),
            Self::Follows(predecessor) => format!("follows {predecessor} in the chain"),
            Self::Tails => "is the tail".to_owned(),
        })
    }
}

/// `rep.prefix`: remembers what each server has applied, and compares it with the servers before it
/// in the order of the chain, the paper's *update propagation invariant*. Those that have crashed
/// have lost their histories.
#[derive(Clone, Debug, Hash)]
struct Prefix {
    servers: Vec<ProcessId>,
    histories: Histories,
    crashed: ProcessSet,
    compared: u64,
}

impl Prefix {
    fn new(setting: &Setting) -> Self {
        Self {
            servers: setting.role(SERVER).collect(),
            histories: Histories::default(),
            crashed: ProcessSet::new(),
            compared: 0,
        }
    }

    /// Compares the history of a server from this index on with those of the servers before it.
    fn compare(&mut self, p: ProcessId, from: usize) -> Result<(), Violation> {
        let is_up = |q: &&ProcessId| **q < p && !self.crashed.contains(**q);
        for predecessor in self.servers.iter().filter(is_up) {
            let (history, before) = (self.histories.of(p), self.histories.of(*predecessor));
            self.compared += 1;
            let mut later = history.iter().enumerate().skip(from);
            let beyond = later.find(|(index, command)| before.get(*index) != Some(*command));
            if let Some((index, command)) = beyond {
                let there = match before.get(index) {
                    Some(other) => format!("{other}"),
                    None => "nothing".to_owned(),
                };
                let message = format!(
                    "{p} has applied {command} in place {}, where its predecessor {predecessor} \
                     has {there}",
                    index + 1
                );
                return Err(Violation::by([p, *predecessor], message));
            }
        }
        Ok(())
    }
}

impl Property<ChainService> for Prefix {
    fn observe(&mut self, event: &Observed<'_, ChainService>) -> Result<(), Violation> {
        let p = event.process;
        if matches!(event.what, Observation::Crash) {
            self.crashed.insert(p);
        }
        if !self.histories.follow(event) {
            return Ok(());
        }
        let applied = matches!(event.what, Observation::Indication(Indication::Applied(_)));
        let from = if applied { self.histories.of(p).len() - 1 } else { 0 };
        self.compare(p, from)
    }

    fn exercised(&self) -> u64 {
        self.compared
    }
}

/// `rep.convergence`: compares what correct servers have applied at the end.
#[derive(Clone, Debug, Hash)]
struct Convergence {
    servers: Vec<ProcessId>,
    histories: Histories,
    applied: u64,
}

impl Convergence {
    fn new(setting: &Setting) -> Self {
        let servers = setting.role(SERVER).collect();
        Self { servers, histories: Histories::default(), applied: 0 }
    }
}

impl Property<ChainService> for Convergence {
    fn observe(&mut self, event: &Observed<'_, ChainService>) -> Result<(), Violation> {
        self.applied += u64::from(self.histories.follow(event));
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let mut correct = self.servers.iter().copied().filter(|p| end.is_correct(*p));
        let Some(first) = correct.next() else { return Ok(()) };
        let here = self.histories.of(first);
        match correct.find(|p| self.histories.of(*p) != here) {
            None => Ok(()),
            Some(other) => {
                let there = self.histories.of(other).len();
                let message = format!(
                    "{first} has applied {} operations, and {other} {there}, not the same",
                    here.len()
                );
                Err(Violation::by([first, other], message))
            }
        }
    }

    fn exercised(&self) -> u64 {
        self.applied
    }
}

#[cfg(test)]
mod tests;
