//! What a crash leaves of a log: as many records as its policy can leave.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::environment::storage::{DiskFault, OnCrash};
use ftsim_core::fault::Action;
use ftsim_core::id::ProcessId;
use ftsim_core::outcome::trace::{Entry, TraceEvent};

use super::known::Known;
use super::{Check, Report, Rule, Subject, causes};

pub(super) struct Logs {
    of: BTreeMap<ProcessId, Log>,
    /// What a trace calls damage to a disk, and what it is.
    damages: BTreeMap<String, DiskFault>,
}

/// A log by the number of its records.
#[derive(Clone)]
struct Log {
    /// How many can be durable.
    durable: BTreeSet<usize>,
    /// How many a rewrite leaves that was not synced.
    rewritten: Option<usize>,
    /// How many were added since, and not synced.
    tail: usize,
}

impl Logs {
    pub fn new(subject: &Subject<'_>) -> Self {
        let damage = |fault: &ftsim_core::fault::Fault| match causes::action(fault) {
            Action::Damage(_, damage) => Some((damage.to_string(), *damage)),
            _ => None,
        };
        let damages = subject.plan.faults.iter().filter_map(damage).collect();
        Self { of: BTreeMap::new(), damages }
    }
}

impl<'a> Check<'a> for Logs {
    fn see(&mut self, entry: &'a Entry, known: &Known<'a>, report: &mut Report) {
        let Some(p) = entry.process else { return };
        let log = self.of.entry(p).or_insert_with(Log::new);
        match &entry.what {
            TraceEvent::Append { .. } => log.tail += 1,
            TraceEvent::Rewrite { count } => (log.rewritten, log.tail) = (Some(*count), 0),
            TraceEvent::Synced => log.sync(),
            TraceEvent::Crash { .. } => {
                let default = known.subject.experiment.on_crash;
                let planned = causes::crashes(known, p).into_iter();
                let mut policies: Vec<OnCrash> =
                    planned.map(|crash| crash.disk.unwrap_or(default)).collect();
                if policies.is_empty() || causes::can_halt(entry, known) {
                    policies.push(default);
                }
                let log_before = log.clone();
                log.durable = policies.iter().flat_map(|policy| log_before.left(*policy)).collect();
                (log.rewritten, log.tail) = (None, 0);
            }
            TraceEvent::Damage { fault } => match self.damages.get(fault) {
                Some(DiskFault::LoseDisk) => log.durable = [0].into(),
                Some(DiskFault::Rollback(by)) => {
                    let back = log.durable.iter().map(|count| count.saturating_sub(*by as usize));
                    log.durable = back.collect();
                }
                Some(DiskFault::CorruptRecord) | None => {}
            },
            TraceEvent::Recover { records } => {
                if !log.durable.contains(records) {
                    let can: Vec<String> = log.durable.iter().map(ToString::to_string).collect();
                    let can = can.join(" or ");
                    let message = format!("it finds {records} records, and can find {can}");
                    report.add(Rule::Log, message);
                }
                log.durable = [*records].into();
            }
            _ => {}
        }
    }
}

impl Log {
    fn new() -> Self {
        Self { durable: [0].into(), rewritten: None, tail: 0 }
    }

    /// How many are durable if all that was not synced is kept.
    fn all(&self) -> BTreeSet<usize> {
        match self.rewritten {
            Some(count) => [count + self.tail].into(),
            None => self.durable.iter().map(|count| count + self.tail).collect(),
        }
    }

    fn sync(&mut self) {
        self.durable = self.all();
        (self.rewritten, self.tail) = (None, 0);
    }

    /// How many can be durable after a crash with this policy.
    fn left(&self, policy: OnCrash) -> BTreeSet<usize> {
        match policy {
            OnCrash::LoseUnsynced => self.durable.clone(),
            OnCrash::KeepAll => self.all(),
            OnCrash::LoseAll => [0].into(),
            OnCrash::KeepPrefix | OnCrash::KeepSubset => self.some(0),
            // One more than were kept, unless all were: a torn one.
            OnCrash::TornLast => self.some(1),
        }
    }

    /// Some of what was not synced was kept, and if not all, `torn` pieces of the rest are there.
    fn some(&self, torn: usize) -> BTreeSet<usize> {
        let (bases, lost): (BTreeSet<usize>, BTreeSet<usize>) = match self.rewritten {
            // A rewrite is one piece; without it there is nothing for what follows to add to.
            Some(count) => ([count].into(), self.durable.clone()),
            None => (self.durable.clone(), BTreeSet::new()),
        };
        let kept = (0..=self.tail).map(|kept| (kept + torn).min(self.tail));
        let kept: BTreeSet<usize> = kept.collect();
        let sums = bases.iter().flat_map(|base| kept.iter().map(move |kept| base + kept));
        sums.chain(lost).collect()
    }
}
