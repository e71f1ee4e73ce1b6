//! Failure detectors have the properties of their class.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::environment::detector::{DetectorKind, Mistake};
use ftsim_core::id::ProcessId;
use ftsim_core::outcome::trace::{Entry, TraceEvent};
use ftsim_core::time::Instant;

use super::known::Known;
use super::{Check, Report, Rule, Subject};

pub(super) struct Detector {
    /// The wrong suspicions that the scenario prescribes, and those drawn by its seed.
    mistakes: Vec<Mistake>,
    /// Suspected processes, or with Ω trusted ones, as (observer, subject).
    suspected: BTreeSet<(ProcessId, ProcessId)>,
    /// The times of each process's crashes and recoveries, which can cause notifications.
    changes: BTreeMap<ProcessId, Vec<Instant>>,
    /// Processes whose crash was announced without the detector.
    aborted: BTreeMap<ProcessId, Instant>,
    /// The time by which each observer must suspect each subject.
    owed: BTreeMap<(ProcessId, ProcessId), Instant>,
}

impl Detector {
    pub fn new(subject: &Subject<'_>) -> Self {
        let config = &subject.experiment.detector;
        let n = subject.experiment.setting.n;
        let drawn = config.random_mistakes.map(|mistakes| mistakes.of_seed(n, subject.seed));
        let mut mistakes = config.mistakes.clone();
        mistakes.extend(drawn.into_iter().flatten());
        Self {
            mistakes,
            suspected: BTreeSet::new(),
            changes: BTreeMap::new(),
            aborted: BTreeMap::new(),
            owed: BTreeMap::new(),
        }
    }
}

impl<'a> Check<'a> for Detector {
    fn see(&mut self, entry: &'a Entry, known: &Known<'a>, report: &mut Report) {
        let Some(place) = entry.process else { return };
        let p = known.identity(place);
        match &entry.what {
            // A notification of the second copy also reaches the first.
            TraceEvent::Suspect { .. } | TraceEvent::Trust { .. } if p != place => {}
            TraceEvent::Suspect { subject } => self.suspect(p, *subject, known, report),
            TraceEvent::Trust { subject } => self.trust(p, *subject, known, report),
            TraceEvent::Abort => drop(self.aborted.insert(p, entry.at)),
            TraceEvent::Crash { .. } => {
                self.suspected.retain(|(observer, _)| *observer != p);
                self.owed.retain(|(observer, _), _| *observer != p);
                self.changes.entry(p).or_default().push(entry.at);
                for observer in known.processes().filter(|observer| known.host(*observer).up) {
                    self.owe(observer, p, known);
                }
            }
            TraceEvent::Recover { .. } => {
                self.owed.retain(|(_, subject), _| *subject != p);
                self.changes.entry(p).or_default().push(entry.at);
                for q in known.processes().filter(|q| !known.host(*q).up && *q != p) {
                    self.owe(p, q, known);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, known: &Known<'a>, report: &mut Report) {
        for ((observer, subject), by) in &self.owed {
            let host = known.host(*observer);
            let waits = known.behind_since(*observer).is_some_and(|since| since <= *by);
            if host.up && host.started && !waits && *by < known.at {
                let message = format!("it did not suspect {subject} by {by}");
                report.add_at(Rule::Completeness, *observer, message);
            }
        }
    }
}

impl Detector {
    /// Requires `observer` to suspect `subject`, which is down, within the detector's delay.
    fn owe(&mut self, observer: ProcessId, subject: ProcessId, known: &Known<'_>) {
        let config = &known.subject.experiment.detector;
        let pair = (observer, subject);
        let told = |notice: &ftsim_core::environment::detector::NoticeDelay| {
            (notice.observer, notice.subject) == pair
        };
        if config.kind == DetectorKind::Perfect
            && observer != subject
            && !config.blind.contains(&pair)
            && !self.suspected.contains(&pair)
            && !config.notices.iter().any(told)
            // A wrongly suspected process is trusted again at a time of its own.
            && !self.mistakes.iter().any(|m| (m.observer, m.suspects) == pair)
        {
            self.owed.insert(pair, known.at + config.delay.max);
        }
    }

    fn suspect(&mut self, p: ProcessId, q: ProcessId, known: &Known<'_>, report: &mut Report) {
        self.owed.remove(&(p, q));
        if p == q {
            report.add(Rule::Accuracy, "a process suspects itself");
        }
        let heartbeat = known.subject.experiment.transport.heartbeat.is_some();
        let announced = self.aborted.contains_key(&q);
        let is_new = self.suspected.insert((p, q));
        // An announced crash is reported in addition to the detector.
        let is_told_twice = heartbeat && announced;
        if !is_new && !is_told_twice {
            report.add(Rule::Accuracy, format!("it already suspects {q}"));
        }
        if let Some(heartbeat) = known.subject.experiment.transport.heartbeat {
            // Its clock may run at most twice as fast as true time, and faults may add to that.
            let least = heartbeat.timeout.as_nanos() / 2;
            let since = known.at.since(known.host(p).began).as_nanos();
            if !known.in_force.ever() && since < least && !announced {
                report.add(Rule::Accuracy, format!("{q} cannot have been silent for long enough"));
            }
            return;
        }
        let since = known.reached_since(p);
        let mistake =
            |m: &Mistake| (m.observer, m.suspects) == (p, q) && within(m.at, since, known);
        if self.mistakes.iter().any(mistake) {
            return;
        }
        match known.subject.experiment.detector.kind {
            DetectorKind::Perfect => {}
            DetectorKind::None if announced => {}
            DetectorKind::None => {
                return report.add(Rule::Accuracy, "it suspects, but there is no detector");
            }
            DetectorKind::Omega => {
                return report.add(Rule::Accuracy, "it suspects, but its detector only trusts");
            }
        }
        let host = known.host(q);
        if host.up && host.recovered.is_none_or(|at| at < since) {
            report.add(Rule::Accuracy, format!("it suspects {q}, which is up"));
        } else if !self.has_cause(p, q, since, known) {
            report.add(Rule::Accuracy, format!("no notification about {q} is due now"));
        }
    }

    fn trust(&mut self, p: ProcessId, q: ProcessId, known: &Known<'_>, report: &mut Report) {
        let config = &known.subject.experiment.detector;
        if config.kind == DetectorKind::Omega {
            return self.trust_leader(p, q, known, report);
        }
        if !self.suspected.remove(&(p, q)) {
            report.add(Rule::Accuracy, format!("it trusts {q}, which it did not suspect"));
        }
        if known.subject.experiment.transport.heartbeat.is_some() {
            return;
        }
        let since = known.reached_since(p);
        let host = known.host(q);
        if !host.up && host.crashed.is_none_or(|at| at < since) {
            report.add(Rule::Accuracy, format!("it trusts {q}, which is down"));
        }
    }

    fn trust_leader(&self, p: ProcessId, q: ProcessId, known: &Known<'_>, report: &mut Report) {
        let since = known.reached_since(p);
        let mistake =
            |m: &Mistake| (m.observer, m.suspects) == (p, q) && within(m.at, since, known);
        let lowest = known.processes().find(|p| known.host(*p).up);
        if since == known.at && lowest != Some(q) && !self.mistakes.iter().any(mistake) {
            let lowest = lowest.map_or_else(|| "nobody".to_owned(), |p| p.to_string());
            report.add(Rule::Accuracy, format!("it trusts {q}, but the lowest up is {lowest}"));
        }
    }

    /// Whether a crash or recovery happened as long ago as a notification takes.
    fn has_cause(&self, p: ProcessId, q: ProcessId, since: Instant, known: &Known<'_>) -> bool {
        let config = &known.subject.experiment.detector;
        let takes = |delay| move |at: &Instant| within(*at + delay, since, known);
        let drawn =
            |at: &Instant| *at + config.delay.min <= known.at && *at + config.delay.max >= since;
        let mut changes = [p, q].into_iter().filter_map(|p| self.changes.get(&p)).flatten();
        let of_pair = |(observer, subject)| (observer, subject) == (p, q);
        let told = config.notices.iter().filter(|n| of_pair((n.observer, n.subject)));
        let told: Vec<_> = told.map(|notice| notice.delay).collect();
        changes.any(|at| drawn(at) || told.iter().any(|delay| takes(*delay)(at)))
    }
}

/// Whether `at` is now, or within the time that the current input waited.
fn within(at: Instant, since: Instant, known: &Known<'_>) -> bool {
    since <= at && at <= known.at
}
