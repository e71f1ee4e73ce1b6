//! A service of servers that keep one log under one leader at a time.
//!
//! The five properties of Ongaro and Ousterhout (2014), *In search of an understandable consensus
//! algorithm*, figure 3, besides those of every [`Service`]. A server announces each change of its
//! log, each commitment and each application; its log survives its crash, and it announces the log
//! again when it is back.

use std::collections::BTreeMap;
use std::fmt;

use ftsim_core::{
    FaultClass, Observation, Observed, ProcessId, Property, PropertyEntry, PropertyId, Standing,
    Violation,
};
use serde::{Deserialize, Serialize};

use super::service::clients::ServiceWorkload;
use super::service::properties::{acked_survives, exactly_once, linearizable, liveness};
use super::service::{Command, Facts, Indication, Service};

/// The problem of serving from a replicated log.
pub type LogService = Service<Fact>;

/// The number of a term: a time in which at most one server leads.
pub type Term = u64;
/// A place in the log, from 1.
pub type Index = u64;

/// What is in a place of a log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// The term of the leader that put it there.
    pub term: Term,
    /// What it says.
    pub content: SlotContent,
}

/// What an entry of a log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SlotContent {
    /// Nothing: with it a leader begins.
    Blank,
    /// What is to be executed.
    Command(Command),
    /// Which servers there are from here on.
    Configuration,
}

impl fmt::Debug for Slot {
    /// Formats as `p4#2 of term 1`: short, since traces contain many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            SlotContent::Command(command) => write!(f, "{command:?} of term {}", self.term),
            SlotContent::Blank => write!(f, "a blank entry of term {}", self.term),
            SlotContent::Configuration => write!(f, "a configuration of term {}", self.term),
        }
    }
}

/// A fact about its log that a server announces.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Fact {
    /// It leads from now on, in this term.
    Leads(Term),
    /// It no longer leads.
    Follows,
    /// Its log has this in this place, and nothing behind it.
    Stores {
        /// The place.
        index: Index,
        /// What is there now.
        slot: Slot,
    },
    /// Its log is this one, for example after a crash.
    HasLog(Vec<Slot>),
    /// As leader of a term: this place, and all before it, are committed.
    Commits {
        /// Its term.
        term: Term,
        /// The place.
        index: Index,
    },
    /// It applies what is in this place to its state.
    Applies {
        /// The place.
        index: Index,
        /// What is there.
        slot: Slot,
    },
}

/// At most one leader in each term.
pub const ELECTION_SAFETY: PropertyId = PropertyId("raft.election-safety");
/// A leader only appends.
pub const LEADER_APPEND_ONLY: PropertyId = PropertyId("raft.leader-append-only");
/// Logs that agree in a place agree in all before it.
pub const LOG_MATCHING: PropertyId = PropertyId("raft.log-matching");
/// Later leaders have what is committed.
pub const LEADER_COMPLETENESS: PropertyId = PropertyId("raft.leader-completeness");
/// No two servers apply different commands in one place.
pub const STATE_MACHINE_SAFETY: PropertyId = PropertyId("raft.state-machine-safety");

impl Facts for Fact {
    type Workload = ServiceWorkload;

    const SPEC: &'static str = "replicated log";
    const PROPERTIES: &'static [PropertyEntry<Service<Self>>] = &[
        PropertyEntry::safety(ELECTION_SAFETY, "at most one server leads in a term", |_| {
            Box::new(ElectionSafety::default())
        }),
        PropertyEntry::safety(
            LEADER_APPEND_ONLY,
            "a leader never overwrites or deletes what is in its log",
            |_| Box::new(LeaderAppendOnly::default()),
        ),
        PropertyEntry::safety(
            LOG_MATCHING,
            "logs that have an entry of one term in one place are alike up to that place",
            |_| Box::new(LogMatching::default()),
        ),
        PropertyEntry::safety(
            LEADER_COMPLETENESS,
            "what is committed in a term is in the log of every leader of a later one",
            |_| Box::new(LeaderCompleteness::default()),
        ),
        PropertyEntry::safety(
            STATE_MACHINE_SAFETY,
            "no two servers apply different entries in one place",
            |_| Box::new(StateMachineSafety::default()),
        ),
        acked_survives(Standing::Core),
        exactly_once(Standing::Core),
        linearizable(Standing::Core),
        liveness(Standing::Core),
    ];
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::CrashRecovery];
    const HAS_LEADER: bool = true;

    fn leads(&self) -> Option<bool> {
        match self {
            Self::Leads(_) => Some(true),
            Self::Follows => Some(false),
            _ => None,
        }
    }

    fn configuration(&self) -> Option<u64> {
        match self {
            Self::Leads(term) => Some(*term),
            _ => None,
        }
    }

    fn phrase(&self) -> Option<String> {
        Some(match self {
            Self::Leads(term) => format!("leads in term {term}"),
            Self::Follows => "no longer leads".to_owned(),
            Self::Stores { index, slot } => format!("stores {slot:?} in place {index}"),
            Self::HasLog(log) => format!("has a log of {} entries", log.len()),
            Self::Commits { index, .. } => format!("commits what is up to place {index}"),
            Self::Applies { index, slot } => format!("applies {slot:?} in place {index}"),
        })
    }
}

fn fact<'a>(event: &Observed<'a, LogService>) -> Option<&'a Fact> {
    match event.what {
        Observation::Indication(Indication::Fact(fact)) => Some(fact),
        _ => None,
    }
}

/// The log of each server. A crash does not erase it, but a server may come back with less.
#[derive(Clone, Debug, Default, Hash)]
struct Logs(BTreeMap<ProcessId, Vec<Slot>>);

impl Logs {
    fn follow(&mut self, event: &Observed<'_, LogService>) {
        let log = self.0.entry(event.process).or_default();
        match fact(event) {
            Some(Fact::Stores { index, slot }) => {
                log.truncate(place(*index));
                log.push(*slot);
            }
            Some(Fact::HasLog(slots)) => log.clone_from(slots),
            _ => {}
        }
    }

    fn of(&self, p: ProcessId) -> &[Slot] {
        self.0.get(&p).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Where a place is in a vector.
fn place(index: Index) -> usize {
    usize::try_from(index.saturating_sub(1)).unwrap_or(usize::MAX)
}

/// `raft.election-safety`: remembers the leader of each term.
#[derive(Clone, Debug, Default, Hash)]
struct ElectionSafety(BTreeMap<Term, ProcessId>);

impl Property<LogService> for ElectionSafety {
    fn observe(&mut self, event: &Observed<'_, LogService>) -> Result<(), Violation> {
        let Some(Fact::Leads(term)) = fact(event) else { return Ok(()) };
        let p = event.process;
        let leader = *self.0.entry(*term).or_insert(p);
        if leader == p {
            return Ok(());
        }
        Err(Violation::by([leader, p], format!("{leader} and {p} both lead in term {term}")))
    }

    fn exercised(&self) -> u64 {
        self.0.len() as u64
    }
}

/// `raft.leader-append-only`: remembers who leads, and how long each log is.
#[derive(Clone, Debug, Default, Hash)]
struct LeaderAppendOnly {
    lengths: BTreeMap<ProcessId, u64>,
    leaders: BTreeMap<ProcessId, Term>,
    appended: u64,
}

impl Property<LogService> for LeaderAppendOnly {
    fn observe(&mut self, event: &Observed<'_, LogService>) -> Result<(), Violation> {
        let p = event.process;
        if matches!(event.what, Observation::Crash) {
            self.leaders.remove(&p);
        }
        match fact(event) {
            Some(Fact::Leads(term)) => drop(self.leaders.insert(p, *term)),
            Some(Fact::Follows) => drop(self.leaders.remove(&p)),
            Some(Fact::HasLog(log)) => {
                let length = self.lengths.insert(p, log.len() as u64).unwrap_or(0);
                if let Some(term) = self.leaders.get(&p).filter(|_| (log.len() as u64) < length) {
                    let message = format!(
                        "{p} leads in term {term} and has {length} entries, and then has {}",
                        log.len()
                    );
                    return Err(Violation::by([p], message));
                }
            }
            Some(Fact::Stores { index, .. }) => {
                let length = self.lengths.insert(p, *index).unwrap_or(0);
                if let Some(term) = self.leaders.get(&p) {
                    self.appended += 1;
                    if *index != length.saturating_add(1) {
                        let message = format!(
                            "{p} leads in term {term} and has {length} entries, and writes the \
                             one in place {index}"
                        );
                        return Err(Violation::by([p], message));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.appended
    }
}

/// `raft.log-matching`: remembers what has ever been in a place with a term, and the term before
/// it. If these are unique, then by induction so are the logs up to there.
#[derive(Clone, Debug, Default, Hash)]
struct LogMatching {
    logs: Logs,
    seen: BTreeMap<(Index, Term), Seen>,
    compared: u64,
}

/// What an entry says, the term of the one before it, and who had it first.
type Seen = (SlotContent, Option<Term>, ProcessId);

impl LogMatching {
    fn compare(&mut self, p: ProcessId, index: Index) -> Result<(), Violation> {
        let log = self.logs.of(p);
        let Some(slot) = log.get(place(index)) else { return Ok(()) };
        let before = index.checked_sub(2).and_then(|before| log.get(usize::try_from(before).ok()?));
        let before = before.map(|slot| slot.term);
        let here = (slot.content, before, p);
        let (content, term_before, other) = *self.seen.entry((index, slot.term)).or_insert(here);
        self.compared += u64::from(other != p);
        if (content, term_before) == (slot.content, before) {
            return Ok(());
        }
        let message = format!(
            "{p} and {other} have entries of term {} in place {index}, and their logs differ up \
             to there",
            slot.term
        );
        Err(Violation::by([p, other], message))
    }
}

impl Property<LogService> for LogMatching {
    fn observe(&mut self, event: &Observed<'_, LogService>) -> Result<(), Violation> {
        self.logs.follow(event);
        match fact(event) {
            Some(Fact::Stores { index, .. }) => self.compare(event.process, *index),
            Some(Fact::HasLog(log)) => {
                (1..=log.len() as u64).try_for_each(|index| self.compare(event.process, index))
            }
            _ => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.compared
    }
}

/// `raft.leader-completeness`: remembers what is committed, in which term, and who leads.
#[derive(Clone, Debug, Default, Hash)]
struct LeaderCompleteness {
    logs: Logs,
    /// For each place, what was committed there, and in which term first.
    committed: Vec<(Slot, Term)>,
    leaders: BTreeMap<Term, ProcessId>,
    checked: u64,
}

impl LeaderCompleteness {
    fn commit(&mut self, p: ProcessId, term: Term, index: Index) -> Result<(), Violation> {
        let log = self.logs.of(p);
        let from = self.committed.len();
        let to = place(index.saturating_add(1)).min(log.len());
        for slot in log.get(from..to).unwrap_or_default() {
            self.committed.push((*slot, term));
        }
        let later = self.leaders.range(term.saturating_add(1)..);
        let later: Vec<(Term, ProcessId)> = later.map(|(term, p)| (*term, *p)).collect();
        later.into_iter().try_for_each(|(term, leader)| self.check(leader, term, from))
    }

    /// Checks that the leader of this term has what was committed before, from this place on.
    fn check(&self, leader: ProcessId, term: Term, from: usize) -> Result<(), Violation> {
        let log = self.logs.of(leader);
        let old = self.committed.iter().enumerate().skip(from);
        for (at, (slot, committed)) in old.filter(|(_, (_, committed))| *committed < term) {
            if log.get(at) != Some(slot) {
                let message = format!(
                    "{leader} leads in term {term} without {slot:?} in place {}, which was \
                     committed in term {committed}",
                    at + 1
                );
                return Err(Violation::by([leader], message));
            }
        }
        Ok(())
    }
}

impl Property<LogService> for LeaderCompleteness {
    fn observe(&mut self, event: &Observed<'_, LogService>) -> Result<(), Violation> {
        self.logs.follow(event);
        let p = event.process;
        if matches!(event.what, Observation::Crash) {
            self.leaders.retain(|_, leader| *leader != p);
        }
        match fact(event) {
            Some(Fact::Leads(term)) => {
                self.leaders.insert(*term, p);
                self.checked += u64::from(!self.committed.is_empty());
                self.check(p, *term, 0)
            }
            Some(Fact::Follows) => {
                self.leaders.retain(|_, leader| *leader != p);
                Ok(())
            }
            Some(Fact::Commits { term, index }) => self.commit(p, *term, *index),
            _ => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.checked
    }
}

/// `raft.state-machine-safety`: remembers what was applied in each place, and by whom first.
#[derive(Clone, Debug, Default, Hash)]
struct StateMachineSafety {
    applied: BTreeMap<Index, (Slot, ProcessId)>,
    compared: u64,
}

impl Property<LogService> for StateMachineSafety {
    fn observe(&mut self, event: &Observed<'_, LogService>) -> Result<(), Violation> {
        let Some(Fact::Applies { index, slot }) = fact(event) else { return Ok(()) };
        let p = event.process;
        let (first, other) = *self.applied.entry(*index).or_insert((*slot, p));
        self.compared += u64::from(other != p);
        if first == *slot {
            return Ok(());
        }
        let message =
            format!("{p} applies {slot:?} in place {index}, where {other} applied {first:?}");
        Err(Violation::by([p, other], message))
    }

    fn exercised(&self) -> u64 {
        self.compared
    }
}

#[cfg(test)]
mod tests;
