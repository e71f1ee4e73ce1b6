//! Failure detection: each process learns, correctly or not, which others have crashed.
//!
//! Properties after Chandra and Toueg (1996), *Unreliable failure detectors for reliable
//! distributed systems*; the detection time after Chen, Toueg and Aguilera (2002). Every class of
//! detector is at least weakly complete: that is the core. P is strongly complete and strongly
//! accurate, ◇P strongly complete and eventually strongly accurate; a protocol claims the
//! properties of its class.
//!
//! A detector starts by trusting all processes, also after a crash of its own.
//!
//! # What a finite run shows
//!
//! In a run that ends at its horizon, the last quarter represents the future: whatever a network or
//! an oracle promises from some time on, it keeps by then. A crash in that quarter obliges no
//! detector, since there may be no time left to detect it. If no events were left when the run
//! ended, its end represents the future.
//!
//! "From some time on no process is suspected wrongly" does not say when, nor how often before. So
//! neither a late mistake nor any number of them refutes it, and the longer a run of a correct
//! detector, the more likely one of its rare mistakes falls at the end. A run refutes it in these
//! ways:
//!
//! - A wrong suspicion has lasted for all of the last quarter. Such a suspicion never ends: a
//!   detector that revokes its mistakes does so at the next sign of life.
//! - A detector that learns from mistakes can know the number of mistakes about a process after
//!   which it makes no more, and announces it ([`Indication::ErrsAtMost`]). If it makes more
//!   mistakes than that, and the last one begins in the last quarter, it has not learnt. If the
//!   mistakes before that quarter were enough, however bad the network was then, a correct detector
//!   makes none in the quarter; if they were not, it makes no more than were missing. So a correct
//!   detector is never refused, and one that keeps making mistakes is, as soon as the run has room
//!   for one too many.
//! - A detector that announces no such number makes a mistake about the same process in each eighth
//!   of the run: its mistakes are spread evenly over time. This is a convention, not a proof. It
//!   never refuses a detector that makes fewer than eight mistakes, whenever they occur.

use std::collections::BTreeMap;

use ftsim_core::{
    Ask, Duration, End, EndCause, Instant, Invalid, Never, Observation, Observed, ProcessId,
    ProcessSet, Property, PropertyEntry, PropertyId, Setting, Spec, Violation, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{goes_on, last_quarter, mean, seconds};

/// The problem of detecting crashes.
pub struct FailureDetector;

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// The process suspects this process of having crashed, from now on.
    Suspect(ProcessId),
    /// The process trusts this process again.
    Trust(ProcessId),
    /// A probe, at the start: the process promises to suspect each crashed process permanently
    /// within this time.
    DetectsWithin(Duration),
    /// A probe, at the start: the process promises that after this many mistakes about another
    /// process, each of them revoked, it makes no more while messages keep their bound.
    ErrsAtMost(u64),
}

/// Strong completeness of Chandra and Toueg.
pub const STRONG_COMPLETENESS: PropertyId = PropertyId("fd.strong-completeness");
/// Weak completeness of Chandra and Toueg.
pub const WEAK_COMPLETENESS: PropertyId = PropertyId("fd.weak-completeness");
/// Strong accuracy of Chandra and Toueg.
pub const STRONG_ACCURACY: PropertyId = PropertyId("fd.strong-accuracy");
/// Weak accuracy of Chandra and Toueg.
pub const WEAK_ACCURACY: PropertyId = PropertyId("fd.weak-accuracy");
/// Eventual strong accuracy of Chandra and Toueg.
pub const EVENTUAL_STRONG_ACCURACY: PropertyId = PropertyId("fd.eventual-strong-accuracy");
/// Eventual weak accuracy of Chandra and Toueg.
pub const EVENTUAL_WEAK_ACCURACY: PropertyId = PropertyId("fd.eventual-weak-accuracy");
/// A bound on the time from a crash to its permanent detection.
pub const DETECTION_TIME: PropertyId = PropertyId("fd.detection-time");

impl Spec for FailureDetector {
    const NAME: &'static str = "failure-detector";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::liveness(
            STRONG_COMPLETENESS,
            "eventually every correct process suspects each crashed one",
            |_| Box::new(Completeness::of(Strength::Strong)),
        )
        .if_claimed(),
        PropertyEntry::liveness(
            WEAK_COMPLETENESS,
            "eventually some correct process suspects each crashed one",
            |_| Box::new(Completeness::of(Strength::Weak)),
        ),
        PropertyEntry::safety(
            STRONG_ACCURACY,
            "a process that is suspected has crashed before",
            |_| Box::new(StrongAccuracy::default()),
        )
        .if_claimed(),
        PropertyEntry::safety(WEAK_ACCURACY, "some correct process is never suspected", |_| {
            Box::new(WeakAccuracy::default())
        })
        .if_claimed(),
        PropertyEntry::liveness(
            EVENTUAL_STRONG_ACCURACY,
            "from some time on no correct process is suspected by a correct one",
            |_| Box::new(EventualAccuracy::of(Strength::Strong)),
        )
        .if_claimed(),
        PropertyEntry::liveness(
            EVENTUAL_WEAK_ACCURACY,
            "from some time on some correct process is suspected by no correct one",
            |_| Box::new(EventualAccuracy::of(Strength::Weak)),
        )
        .if_claimed(),
        PropertyEntry::safety(
            DETECTION_TIME,
            "a crashed process is permanently suspected within the promised time",
            |_| Box::new(DetectionTime::default()),
        )
        .if_claimed(),
    ];

    type Request = Never;
    type Indication = Indication;
    type WorkloadSettings = NoWorkload;
    type Workload = NoClients;

    fn workload(_: &NoWorkload, _: &Setting) -> Result<NoClients, Invalid> {
        Ok(NoClients)
    }

    fn phrase(indication: &Indication) -> Option<String> {
        Some(match indication {
            Indication::Suspect(p) => format!("suspects {p}"),
            Indication::Trust(p) => format!("trusts {p} again"),
            Indication::DetectsWithin(time) => format!("promises to detect crashes within {time}"),
            Indication::ErrsAtMost(count) => {
                format!("promises at most {count} mistakes about a process")
            }
        })
    }

    fn is_probe(indication: &Indication) -> bool {
        matches!(indication, Indication::DetectsWithin(_) | Indication::ErrsAtMost(_))
    }
}

/// `[workload]` of a detector: empty, since it works without requests.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoWorkload {}

/// The clients of a detector, which make no requests.
#[derive(Clone, Debug, Hash)]
pub struct NoClients;

impl Workload<FailureDetector> for NoClients {
    fn on_start(&mut self, _: &mut Ask<'_, FailureDetector>) {}
}

/// Strong properties concern all processes, weak ones some process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Strength {
    Strong,
    Weak,
}

/// The processes that are down, and the suspicions of the others.
#[derive(Clone, Debug, Default, Hash)]
struct Beliefs {
    /// The time of each crash.
    down: BTreeMap<ProcessId, Instant>,
    /// The processes that each observer suspects.
    suspects: BTreeMap<ProcessId, ProcessSet>,
}

impl Beliefs {
    fn note(&mut self, event: &Observed<'_, FailureDetector>) {
        let q = event.process;
        match event.what {
            Observation::Indication(Indication::Suspect(p)) => {
                self.suspects.entry(q).or_default().insert(*p);
            }
            Observation::Indication(Indication::Trust(p)) => {
                self.suspects.entry(q).or_default().remove(*p);
            }
            Observation::Crash => {
                self.down.insert(q, event.at);
                self.suspects.remove(&q);
            }
            Observation::Recover => drop(self.down.remove(&q)),
            _ => {}
        }
    }

    fn suspects(&self, q: ProcessId, p: ProcessId) -> bool {
        self.suspects.get(&q).is_some_and(|suspects| suspects.contains(p))
    }

    fn suspected_by(&self, p: ProcessId) -> impl Iterator<Item = ProcessId> + '_ {
        let by = self.suspects.iter().filter(move |(_, suspects)| suspects.contains(p));
        by.map(|(q, _)| *q)
    }
}

/// Both forms of completeness: at the end, checks that all correct processes, or some, suspect each
/// process that is down.
///
/// Measures, in seconds, the mean time from a crash until all correct processes, or the first,
/// suspect it for good; nothing if some crash was not detected.
#[derive(Clone, Debug, Hash)]
struct Completeness {
    strength: Strength,
    beliefs: Beliefs,
    /// The beginning of the latest suspicion, by suspect and observer.
    since: BTreeMap<(ProcessId, ProcessId), Instant>,
    /// Known at the end: crashed processes that correct ones must suspect.
    obligations: u64,
}

impl Completeness {
    fn of(strength: Strength) -> Self {
        let (beliefs, since) = (Beliefs::default(), BTreeMap::new());
        Self { strength, beliefs, since, obligations: 0 }
    }

    /// The crashes that must be detected by the end.
    fn due(&self, end: &End<'_>) -> impl Iterator<Item = (ProcessId, Instant)> {
        let late = last_quarter(end);
        self.beliefs.down.iter().map(|(p, at)| (*p, *at)).filter(move |(_, at)| *at <= late)
    }

    /// The time from this crash of `p` until all correct processes, or the first, suspect it.
    fn time_to_detect(&self, p: ProcessId, crash: Instant, end: &End<'_>) -> Option<Duration> {
        let detections = end.correct().map(|q| {
            let since = self.since.get(&(p, q)).filter(|_| self.beliefs.suspects(q, p));
            since.map(|since| since.since(crash))
        });
        match self.strength {
            Strength::Strong => detections.collect::<Option<Vec<_>>>()?.into_iter().max(),
            Strength::Weak => detections.flatten().min(),
        }
    }
}

impl Property<FailureDetector> for Completeness {
    fn observe(&mut self, event: &Observed<'_, FailureDetector>) -> Result<(), Violation> {
        if let Observation::Indication(Indication::Suspect(p)) = event.what
            && !self.beliefs.suspects(event.process, *p)
        {
            self.since.insert((*p, event.process), event.at);
        }
        self.beliefs.note(event);
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let Some(observer) = end.correct().next() else { return Ok(()) };
        let due: Vec<_> = self.due(end).collect();
        for (p, _) in due {
            self.obligations += 1;
            let ignorant = || end.correct().filter(|q| !self.beliefs.suspects(*q, p));
            match self.strength {
                Strength::Strong => {
                    if let Some(q) = ignorant().next() {
                        let message = format!("{p} crashed, and {q} does not suspect it");
                        return Err(Violation::by([q, p], message));
                    }
                }
                Strength::Weak if ignorant().count() == end.correct().count() => {
                    let message = format!("{p} crashed, and no correct process suspects it");
                    return Err(Violation::by([observer, p], message));
                }
                Strength::Weak => {}
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }

    fn measured(&self, end: &End<'_>) -> Option<f64> {
        let times = self.due(end).map(|(p, crash)| self.time_to_detect(p, crash, end));
        mean(times.map(|time| time.map(seconds)).collect::<Option<Vec<_>>>()?)
    }
}

/// Strong accuracy: remembers the processes that have ever crashed, even if they have recovered,
/// since reports take time.
#[derive(Clone, Debug, Default, Hash)]
struct StrongAccuracy {
    crashed: ProcessSet,
    suspicions: u64,
}

impl Property<FailureDetector> for StrongAccuracy {
    fn observe(&mut self, event: &Observed<'_, FailureDetector>) -> Result<(), Violation> {
        match event.what {
            Observation::Crash => drop(self.crashed.insert(event.process)),
            Observation::Indication(Indication::Suspect(p)) => {
                self.suspicions += 1;
                if !self.crashed.contains(*p) {
                    let q = event.process;
                    let message = format!("{q} suspected {p}, which had not crashed");
                    return Err(Violation::by([q, *p], message));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.suspicions
    }
}

/// Weak accuracy: remembers the processes that have ever been suspected. Which are correct is known
/// at the end.
#[derive(Clone, Debug, Default, Hash)]
struct WeakAccuracy {
    suspected: ProcessSet,
    suspicions: u64,
}

impl Property<FailureDetector> for WeakAccuracy {
    fn observe(&mut self, event: &Observed<'_, FailureDetector>) -> Result<(), Violation> {
        if let Observation::Indication(Indication::Suspect(p)) = event.what {
            self.suspicions += 1;
            self.suspected.insert(*p);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        if end.correct().next().is_none() || end.correct().any(|p| !self.suspected.contains(p)) {
            return Ok(());
        }
        let correct: ProcessSet = end.correct().collect();
        let message = format!("each correct process was suspected at some time: {correct}");
        Err(Violation::by(correct.iter(), message))
    }

    fn exercised(&self) -> u64 {
        self.suspicions
    }
}

/// Both forms of eventual accuracy: remembers the mistakes of each observer about each process.
#[derive(Clone, Debug, Hash)]
struct EventualAccuracy {
    strength: Strength,
    beliefs: Beliefs,
    /// By observer and suspect. A suspicion is a mistake while its suspect is up.
    mistakes: BTreeMap<(ProcessId, ProcessId), Mistakes>,
    /// The number of mistakes after which each observer promises to make no more.
    promised: BTreeMap<ProcessId, u64>,
    /// Known at the end: correct processes that correct ones must not suspect.
    obligations: u64,
}

/// The mistakes of one observer about one process.
#[derive(Clone, Debug, Default, Hash)]
struct Mistakes {
    /// The beginning of each.
    began: Vec<Instant>,
    /// The time since which the current suspicion, if there is one, has been wrong.
    wrong_since: Instant,
}

impl EventualAccuracy {
    fn of(strength: Strength) -> Self {
        Self {
            strength,
            beliefs: Beliefs::default(),
            mistakes: BTreeMap::new(),
            promised: BTreeMap::new(),
            obligations: 0,
        }
    }

    /// A correct process that is wrong about `p` forever, as far as a run can show, with a
    /// description.
    fn wrong_about(&self, p: ProcessId, end: &End<'_>) -> Option<(ProcessId, String)> {
        let late = last_quarter(end);
        end.correct().find_map(|q| {
            let mistakes = self.mistakes.get(&(q, p))?;
            let since = mistakes.wrong_since;
            if self.beliefs.suspects(q, p) && since <= late {
                return Some((q, format!("{q} has suspected {p} since {since}")));
            }
            let last = *mistakes.began.last()?;
            let how_often = format!("{q} has suspected {p} {} times", mistakes.began.len());
            match self.promised.get(&q) {
                Some(most) => (mistakes.began.len() as u64 > *most && last > late)
                    .then(|| (q, format!("{how_often} and learns after {most}, again at {last}"))),
                None => goes_on(&mistakes.began, end.at)
                    .then(|| (q, format!("{how_often} all through the run, again at {last}"))),
            }
        })
    }
}

impl Property<FailureDetector> for EventualAccuracy {
    fn observe(&mut self, event: &Observed<'_, FailureDetector>) -> Result<(), Violation> {
        let q = event.process;
        match event.what {
            Observation::Indication(Indication::Suspect(p)) if !self.beliefs.suspects(q, *p) => {
                let mistakes = self.mistakes.entry((q, *p)).or_default();
                mistakes.wrong_since = event.at;
                if !self.beliefs.down.contains_key(p) {
                    mistakes.began.push(event.at);
                }
            }
            Observation::Indication(Indication::ErrsAtMost(most)) => {
                self.promised.insert(q, *most);
            }
            Observation::Recover => {
                // Suspicions of it were right until now.
                for observer in self.beliefs.suspected_by(q) {
                    self.mistakes.entry((observer, q)).or_default().wrong_since = event.at;
                }
            }
            // The crash may have erased what it has learnt.
            Observation::Crash => self.mistakes.retain(|(observer, _), _| *observer != q),
            _ => {}
        }
        self.beliefs.note(event);
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let wrong: Vec<_> = end.correct().map(|p| (p, self.wrong_about(p, end))).collect();
        self.obligations = if wrong.len() > 1 { wrong.len() as u64 } else { 0 };
        let some_is_spared = wrong.iter().any(|(_, wrong)| wrong.is_none());
        let mut wrong = wrong.into_iter();
        let first = wrong.find_map(|(p, wrong)| wrong.map(|(q, how)| (q, p, how)));
        match (first, self.strength) {
            (None, _) => Ok(()),
            (_, Strength::Weak) if some_is_spared => Ok(()),
            (Some((q, p, how)), Strength::Strong) => {
                Err(Violation::by([q, p], format!("{how}, which is correct")))
            }
            (Some((q, p, how)), Strength::Weak) => {
                let message = format!("no correct process is trusted by all: {how}, for one");
                Err(Violation::by([q, p], message))
            }
        }
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }
}

/// Detection time: remembers the promises of each observer, and the detections that are due. A
/// suspicion that is revoked after the crash was not permanent, so the detection is due again.
#[derive(Clone, Debug, Default, Hash)]
struct DetectionTime {
    beliefs: Beliefs,
    promised: BTreeMap<ProcessId, Duration>,
    /// The time by which an observer must suspect a process.
    owed: BTreeMap<(ProcessId, ProcessId), Instant>,
    detections: u64,
}

impl DetectionTime {
    fn owes(&mut self, q: ProcessId, p: ProcessId) {
        let (promised, crashed) = (self.promised.get(&q), self.beliefs.down.get(&p));
        if let (Some(within), Some(at)) = (promised, crashed) {
            self.owed.insert((q, p), *at + *within);
        }
    }

    fn crashed(&mut self, p: ProcessId) {
        self.owed.retain(|(q, _), _| *q != p);
        self.promised.remove(&p);
        let observers = self.promised.keys().copied();
        let unaware: Vec<_> = observers.filter(|q| !self.beliefs.suspects(*q, p)).collect();
        for q in unaware {
            self.owes(q, p);
        }
    }

    fn overdue(&self, is_over: impl Fn(Instant) -> bool) -> Result<(), Violation> {
        let Some((&(q, p), due)) = self.owed.iter().find(|(_, due)| is_over(**due)) else {
            return Ok(());
        };
        let message = format!("{q} promised to suspect {p} by {due} and did not");
        Err(Violation::by([q, p], message))
    }
}

impl Property<FailureDetector> for DetectionTime {
    fn observe(&mut self, event: &Observed<'_, FailureDetector>) -> Result<(), Violation> {
        self.overdue(|due| due < event.at)?;
        let q = event.process;
        self.beliefs.note(event);
        match event.what {
            Observation::Indication(Indication::DetectsWithin(within)) => {
                self.promised.insert(q, *within);
            }
            Observation::Indication(Indication::Suspect(p)) => {
                self.detections += u64::from(self.owed.remove(&(q, *p)).is_some());
            }
            Observation::Indication(Indication::Trust(p)) => self.owes(q, *p),
            Observation::Crash => self.crashed(q),
            Observation::Recover => self.owed.retain(|(_, p), _| *p != q),
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let nothing_will_come = end.cause == EndCause::Quiescent;
        self.overdue(|due| due < end.at || nothing_will_come)
    }

    fn exercised(&self) -> u64 {
        self.detections
    }
}

#[cfg(test)]
#[path = "detector_tests.rs"]
mod tests;
