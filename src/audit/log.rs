//! A crash leaves as many records of a log as its policy allows.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::environment::storage::{DiskFault, OnCrash};
use ftsim_core::fault::Action;
use ftsim_core::id::ProcessId;
use ftsim_core::outcome::trace::{Entry, TraceEvent};

use super::known::Known;
use super::{Check, Report, Rule, Subject, causes};

pub(super) struct Logs {
    of: BTreeMap<ProcessId, Log>,
    /// Disk damage, by its text in a trace.
    damages: BTreeMap<String, DiskFault>,
}

/// The possible numbers of records in a log.
#[derive(Clone)]
struct Log {
    /// The possible numbers of durable records.
    durable: BTreeSet<usize>,
    /// The number of records left by a rewrite that is not synced.
    rewritten: Option<usize>,
    /// The number of records added since then, not synced.
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
                    let message = format!("it finds {records} records, but can find only {can}");
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

    /// The possible numbers of durable records if everything unsynced is kept.
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

    /// The possible numbers of durable records after a crash with this policy.
    fn left(&self, policy: OnCrash) -> BTreeSet<usize> {
        match policy {
            OnCrash::LoseUnsynced => self.durable.clone(),
            OnCrash::KeepAll => self.all(),
            OnCrash::LoseAll => [0].into(),
            OnCrash::KeepPrefix | OnCrash::KeepSubset => self.some(0),
            // One more than were kept, unless all were: the torn record.
            OnCrash::TornLast => self.some(1),
        }
    }

    /// Numbers of records if some unsynced ones are kept and, if not all are, `torn` pieces of the
    /// rest.
    fn some(&self, torn: usize) -> BTreeSet<usize> {
        let (bases, lost): (BTreeSet<usize>, BTreeSet<usize>) = match self.rewritten {
            // A rewrite is one piece; without it, later records have nothing to be appended to.
            Some(count) => ([count].into(), self.durable.clone()),
            None => (self.durable.clone(), BTreeSet::new()),
        };
        let kept = (0..=self.tail).map(|kept| (kept + torn).min(self.tail));
        let kept: BTreeSet<usize> = kept.collect();
        let sums = bases.iter().flat_map(|base| kept.iter().map(move |kept| base + kept));
        sums.chain(lost).collect()
    }
}
