//! The properties of elections.

use std::collections::BTreeMap;

use ftsim_core::{
    Duration, End, EndCause, Instant, Observation, Observed, ProcessId, ProcessSet, Property,
    Setting, Violation,
};

use super::lives::Lives;
use super::{Electing, Election, Id, Indication, Request};
use crate::last_quarter;

/// One leader: remembers who leads, and since when.
#[derive(Clone, Debug, Hash)]
pub(super) struct OneLeader {
    lives: Lives,
    /// How long a lesser leader may take to learn of a greater one.
    delay_bound: Duration,
    leaders: BTreeMap<ProcessId, Instant>,
    announcements: u64,
}

impl OneLeader {
    pub(super) fn new(setting: &Setting) -> Self {
        Self {
            lives: Lives::new(setting),
            delay_bound: setting.delay_bound,
            leaders: BTreeMap::new(),
            announcements: 0,
        }
    }

    /// Two processes that lead, if they have both led since some time for which this holds.
    fn both_lead(&self, holds: impl Fn(Instant) -> bool) -> Result<(), Violation> {
        let mut leaders: Vec<_> = self.leaders.iter().map(|(p, since)| (*since, *p)).collect();
        leaders.sort_unstable();
        match leaders.as_slice() {
            [(_, p), (since, q), ..] if holds(*since) => {
                let how = format!("{p} and {q} have both been leaders since {since}");
                Err(Violation::by([*p, *q], how))
            }
            _ => Ok(()),
        }
    }

    fn lead(&mut self, p: ProcessId, at: Instant) -> Result<(), Violation> {
        self.announcements += 1;
        let id = self.lives.id(p);
        let mut others = self.leaders.keys().copied().filter(|q| *q != p);
        let greater = others.find(|q| self.lives.id(*q) >= id);
        self.leaders.entry(p).or_insert(at);
        let Some(q) = greater else { return Ok(()) };
        Err(Violation::by([p, q], format!("{p} became the leader while {q} was the leader")))
    }
}

impl<S: Electing> Property<S> for OneLeader {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        self.both_lead(|since| since + self.delay_bound < event.at)?;
        self.lives.observe(event);
        let announced = match event.what {
            Observation::Indication(indication) => S::election(indication),
            _ => None,
        };
        if let Some(Indication::Leads) = announced {
            return self.lead(event.process, event.at);
        }
        let steps_down = matches!(announced, Some(Indication::Follows(_)));
        if steps_down || matches!(event.what, Observation::Crash) {
            self.leaders.remove(&event.process);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let nothing_will_come = end.cause == EndCause::Quiescent;
        self.both_lead(|since| nothing_will_come || since + self.delay_bound < end.at)
    }

    fn exercised(&self) -> u64 {
        self.announcements
    }
}

/// Agreement: remembers the leader that each process has named last, and when.
#[derive(Clone, Debug, Hash)]
pub(super) struct Agreement {
    lives: Lives,
    named: BTreeMap<ProcessId, (Id, Instant)>,
    comparisons: u64,
}

impl Agreement {
    pub(super) fn new(setting: &Setting) -> Self {
        Self { lives: Lives::new(setting), named: BTreeMap::new(), comparisons: 0 }
    }

    /// Whether a process with this id took part in an election that ended then, and is still up.
    fn is_candidate(&self, id: Id, end: Instant) -> bool {
        self.lives.with_id(id).any(|p| self.lives.took_part(p, end))
    }
}

impl Property<Election> for Agreement {
    fn observe(&mut self, event: &Observed<'_, Election>) -> Result<(), Violation> {
        self.lives.observe(event);
        if let Observation::Crash = event.what {
            self.named.remove(&event.process);
        }
        let Some(id) = self.lives.named(event) else { return Ok(()) };
        self.comparisons += u64::from(!self.named.is_empty());
        let mut others = self.named.iter().filter(|(_, (other, end))| {
            *other != id && self.is_candidate(*other, *end) && self.is_candidate(id, *end)
        });
        let q = event.process;
        if let Some((p, (other, _))) = others.next() {
            let how = format!("{q} takes id {id} for the leader's, and {p} took id {other}");
            return Err(Violation::by([q, *p], how));
        }
        self.named.insert(q, (id, event.at));
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.comparisons
    }
}

/// The greatest id: compares each leader that is named with the processes that are up.
#[derive(Clone, Debug, Hash)]
pub(super) struct Max {
    lives: Lives,
    announcements: u64,
}

impl Max {
    pub(super) fn new(setting: &Setting) -> Self {
        Self { lives: Lives::new(setting), announcements: 0 }
    }
}

impl Property<Election> for Max {
    fn observe(&mut self, event: &Observed<'_, Election>) -> Result<(), Violation> {
        self.lives.observe(event);
        let Some(id) = self.lives.named(event) else { return Ok(()) };
        self.announcements += 1;
        let q = event.process;
        if self.lives.with_id(id).next().is_none() {
            let how = format!("{q} takes id {id} for the leader's, which no process has");
            return Err(Violation::by([q], how));
        }
        let mut processes = self.lives.processes();
        let greater =
            processes.find(|p| self.lives.id(*p) > id && self.lives.took_part(*p, event.at));
        let Some(p) = greater else { return Ok(()) };
        let greater = self.lives.id(p);
        let how = format!("{q} takes id {id} for the leader's, while {p} with id {greater} is up");
        Err(Violation::by([q, p], how))
    }

    fn exercised(&self) -> u64 {
        self.announcements
    }
}

/// Termination: remembers who still has to learn of a leader, and who leads or follows whom.
#[derive(Clone, Debug, Hash)]
pub(super) struct Termination {
    lives: Lives,
    /// The processes that were asked and have learnt of no leader since.
    waiting: ProcessSet,
    /// How long messages of a process that has crashed may still arrive.
    delay_bound: Duration,
    last_crash: Option<Instant>,
    /// Whether some process was asked when nothing was on its way from a crashed one, and nobody
    /// has started since.
    is_asked_in_peace: bool,
    leaders: ProcessSet,
    named: BTreeMap<ProcessId, Id>,
    requests: u64,
}

impl Termination {
    pub(super) fn new(setting: &Setting) -> Self {
        Self {
            lives: Lives::new(setting),
            waiting: ProcessSet::new(),
            delay_bound: setting.delay_bound,
            last_crash: None,
            is_asked_in_peace: false,
            leaders: ProcessSet::new(),
            named: BTreeMap::new(),
            requests: 0,
        }
    }

    fn ask(&mut self, p: ProcessId, at: Instant) {
        self.requests += 1;
        self.waiting.insert(p);
        if self.last_crash.is_none_or(|crash| crash + self.delay_bound < at) {
            self.is_asked_in_peace = true;
        }
    }

    fn crash(&mut self, p: ProcessId, at: Instant) {
        self.last_crash = Some(at);
        self.is_asked_in_peace = false;
        self.waiting.remove(p);
        self.leaders.remove(p);
        self.named.remove(&p);
    }

    /// Whether a correct process with this id leads.
    fn leads(&self, id: Id, end: &End<'_>) -> bool {
        self.lives.with_id(id).any(|p| end.is_correct(p) && self.leaders.contains(p))
    }
}

impl Property<Election> for Termination {
    fn observe(&mut self, event: &Observed<'_, Election>) -> Result<(), Violation> {
        self.lives.observe(event);
        let p = event.process;
        match event.what {
            Observation::Request(Request::Elect) => self.ask(p, event.at),
            Observation::Crash => self.crash(p, event.at),
            // Nobody has to tell it of what was before.
            Observation::Start => self.is_asked_in_peace = false,
            Observation::Indication(Indication::Leads) => drop(self.leaders.insert(p)),
            Observation::Indication(Indication::Follows(_)) => drop(self.leaders.remove(p)),
            _ => {}
        }
        if let Some(id) = self.lives.named(event) {
            self.waiting.remove(p);
            self.named.insert(p, id);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        if let Some(p) = end.correct().find(|p| self.waiting.contains(*p)) {
            return Err(Violation::by([p], format!("{p} was asked and learns of no leader")));
        }
        if !self.is_asked_in_peace {
            return Ok(());
        }
        for p in end.correct() {
            match self.named.get(&p) {
                Some(id) if self.leads(*id, end) => {}
                Some(id) => {
                    let how = format!("{p} takes id {id} for the leader's, which does not lead");
                    return Err(Violation::by([p], how));
                }
                None => return Err(Violation::by([p], format!("{p} learns of no leader"))),
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.requests
    }
}

/// Succession: remembers who takes whom for the leader, and when each process crashed.
#[derive(Clone, Debug, Hash)]
pub(super) struct Succession {
    lives: Lives,
    named: BTreeMap<ProcessId, Id>,
    crashes: BTreeMap<ProcessId, Instant>,
    /// Crashes of leaders.
    vacancies: u64,
}

impl Succession {
    pub(super) fn new(setting: &Setting) -> Self {
        Self {
            lives: Lives::new(setting),
            named: BTreeMap::new(),
            crashes: BTreeMap::new(),
            vacancies: 0,
        }
    }
}

impl Property<Election> for Succession {
    fn observe(&mut self, event: &Observed<'_, Election>) -> Result<(), Violation> {
        self.lives.observe(event);
        let p = event.process;
        if let Observation::Crash = event.what {
            let id = self.lives.id(p);
            self.vacancies += u64::from(self.named.values().any(|named| *named == id));
            self.named.remove(&p);
            self.crashes.insert(p, event.at);
        }
        if let Some(id) = self.lives.named(event) {
            self.named.insert(p, id);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let late = last_quarter(end);
        let is_gone = |q: ProcessId| {
            !self.lives.is_up(q) && self.crashes.get(&q).is_some_and(|at| *at <= late)
        };
        for (p, id) in self.named.iter().filter(|(p, _)| end.is_correct(**p)) {
            let mut processes = self.lives.with_id(*id).peekable();
            if processes.peek().is_some() && processes.all(is_gone) {
                let how = format!("{p} takes id {id} for the leader's, whose process has crashed");
                return Err(Violation::by([*p], how));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.vacancies
    }
}
