//! Logical clocks: the time of an event tells what happened before it.
//!
//! Properties after Lamport (1978), the clock condition, and Mattern (1989), who adds its converse.
//! The events of a process are those in which it works, sends a message, or receives one. It
//! announces the time of each when it happens. What happened before what is known from the
//! messages, whatever the clocks say. The clients ask processes to work or to send.

use std::collections::BTreeMap;
use std::fmt;

use ftsim_core::{
    Ask, Duration, DurationRange, Invalid, Observation, Observed, Probability, ProcessId, Property,
    PropertyEntry, PropertyId, Setting, Spec, Violation, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::happened_before::HappenedBefore;
use crate::{draw, refuse_too_many};

/// The problem of giving events times that tell what happened before what.
pub struct Clocks;

/// A request to a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Work: an event that concerns no other process.
    Work,
    /// Send a message to this process.
    Send(ProcessId),
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// The event that happens now has this time. What is announced first for an event counts.
    At(Timestamp),
}

/// The time of an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timestamp {
    /// A number.
    Scalar(u64),
    /// A number for each process, in the order of their ids.
    Vector(Vec<u64>),
}

impl Timestamp {
    /// Whether this time is less: for vectors, no number is greater, and they are not equal. Times
    /// of different kinds or lengths cannot be compared.
    pub fn is_before(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scalar(own), Self::Scalar(others)) => own < others,
            (Self::Vector(own), Self::Vector(others)) => {
                let at_most = own.iter().zip(others).all(|(own, others)| own <= others);
                own.len() == others.len() && at_most && own != others
            }
            _ => false,
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(time) => write!(f, "{time}"),
            Self::Vector(times) => write!(f, "{times:?}"),
        }
    }
}

/// The clock condition.
pub const CONSISTENCY: PropertyId = PropertyId("clk.consistency");
/// The clock condition, and its converse.
pub const STRONG: PropertyId = PropertyId("clk.strong");

impl Spec for Clocks {
    const NAME: &'static str = "logical clocks";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(
            CONSISTENCY,
            "an event that happened before another one has an earlier time",
            |setting| Box::new(Times::new(Direction::PastIsEarlier, setting)),
        )
        .over_messages(),
        PropertyEntry::safety(
            STRONG,
            "an event happened before another one if and only if its time is earlier",
            |setting| Box::new(Times::new(Direction::Both, setting)),
        )
        .if_claimed()
        .over_messages(),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = ClocksWorkload;
    type Workload = Actors;

    fn workload(settings: &ClocksWorkload, setting: &Setting) -> Result<Actors, Invalid> {
        if let Some(stranger) = settings.actors.iter().find(|p| p.0 >= setting.n) {
            return Err(Invalid::new("actors", format!("there is no process {stranger}")));
        }
        let actors = match settings.actors.as_slice() {
            [] => setting.processes().collect(),
            some => some.to_vec(),
        };
        refuse_too_many("events", settings.events, actors.len())?;
        let sends = Probability::new(settings.sends)
            .ok_or_else(|| Invalid::new("sends", "is a probability: 0 to 1"))?;
        let (events, every) = (settings.events, settings.every);
        Ok(Actors { actors, events, sends, every, n: setting.n, asked: BTreeMap::new() })
    }

    fn phrase(Indication::At(time): &Indication) -> Option<String> {
        Some(format!("is at {time}"))
    }
}

/// What processes are asked to do.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClocksWorkload {
    /// The processes that are asked to work or send; all, if empty.
    pub actors: Vec<ProcessId>,
    /// How often each of them is asked.
    pub events: u32,
    /// The probability that it is asked to send, to any other process, and not just to work.
    pub sends: f64,
    /// The time until it is asked, and then until it is asked again.
    pub every: DurationRange,
}

impl Default for ClocksWorkload {
    fn default() -> Self {
        let (min, max) = (Duration::from_millis(1), Duration::from_millis(10));
        Self { actors: Vec::new(), events: 6, sends: 0.5, every: DurationRange { min, max } }
    }
}

/// The clients: each asks a process, again and again, to work or to send.
#[derive(Clone, Debug, Hash)]
pub struct Actors {
    actors: Vec<ProcessId>,
    events: u32,
    sends: Probability,
    every: DurationRange,
    n: u32,
    /// How often each process was asked.
    asked: BTreeMap<ProcessId, u32>,
}

impl Actors {
    fn ask_next(&mut self, p: ProcessId, ask: &mut Ask<'_, Clocks>) {
        let asked = self.asked.entry(p).or_default();
        if *asked == self.events {
            return;
        }
        *asked += 1;
        let after = draw(self.every, ask.rng());
        let request = match self.n {
            2.. if ask.rng().chance(self.sends) => Request::Send(self.other(p, ask)),
            _ => Request::Work,
        };
        ask.request(p, after, request);
    }

    /// Some process that is not `p`.
    fn other(&self, p: ProcessId, ask: &mut Ask<'_, Clocks>) -> ProcessId {
        let others: Vec<_> = (0..self.n).map(ProcessId).filter(|q| *q != p).collect();
        ask.rng().choose(&others).copied().unwrap_or(p)
    }
}

impl Workload<Clocks> for Actors {
    fn on_start(&mut self, ask: &mut Ask<'_, Clocks>) {
        for p in self.actors.clone() {
            self.ask_next(p, ask);
        }
    }

    fn on_request(&mut self, p: ProcessId, _: &Request, ask: &mut Ask<'_, Clocks>) {
        self.ask_next(p, ask);
    }
}

/// What times must tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Direction {
    /// What happened before has an earlier time.
    PastIsEarlier,
    /// And only that has.
    Both,
}

/// Remembers the time of each event, and compares it with those of earlier events.
#[derive(Clone, Debug, Hash)]
struct Times {
    direction: Direction,
    before: HappenedBefore,
    /// The events of each process that have a time, in the order of their numbers.
    timed: Vec<Vec<Event>>,
    comparisons: u64,
}

/// An event of a process, which has this number there, from 1.
#[derive(Clone, Debug, Hash)]
struct Event {
    number: u64,
    time: Timestamp,
}

impl Times {
    fn new(direction: Direction, setting: &Setting) -> Self {
        let timed = setting.processes().map(|_| Vec::new()).collect();
        Self { direction, before: HappenedBefore::new(setting), timed, comparisons: 0 }
    }

    /// The number of the last event of `p`.
    fn last(&self, p: ProcessId) -> u64 {
        self.before.of(p).get(p.index()).copied().unwrap_or(0)
    }

    /// The next event of `p` happens.
    fn happen(&mut self, p: ProcessId) {
        let number = self.last(p) + 1;
        self.before.event(p, number);
    }

    /// The last event of `p` has this time.
    fn has_time(&mut self, p: ProcessId, time: &Timestamp) -> Result<(), Violation> {
        let event = Event { number: self.last(p), time: time.clone() };
        let has_one = |times: &Vec<Event>| times.last().is_some_and(|e| e.number == event.number);
        if event.number == 0 || self.timed.get(p.index()).is_none_or(has_one) {
            return Ok(());
        }
        let known = self.before.of(p).iter().zip(&self.timed);
        for (q, (known, times)) in (0..).map(ProcessId).zip(known) {
            // Times of one process increase (or this has been found violated), so it is enough to
            // compare with its last event that happened before this one, and the first and the
            // last of the others.
            let (past, others) = times.split_at(times.partition_point(|e| e.number <= *known));
            if let Some(last) = past.last() {
                self.comparisons += u64::from(self.direction == Direction::PastIsEarlier);
                if !last.time.is_before(time) {
                    return Err(not_earlier((q, last), (p, &event)));
                }
            }
            if self.direction == Direction::Both
                && let (Some(first), Some(last)) = (others.first(), others.last())
            {
                self.comparisons += 1;
                if first.time.is_before(time) {
                    return Err(not_before((q, first), (p, &event)));
                }
                if time.is_before(&last.time) {
                    return Err(not_before((p, &event), (q, last)));
                }
            }
        }
        self.timed[p.index()].push(event);
        Ok(())
    }
}

fn not_earlier((p, first): (ProcessId, &Event), (q, second): (ProcessId, &Event)) -> Violation {
    let how = format!(
        "event {} of {p}, at {}, happened before event {} of {q}, at {}",
        first.number, first.time, second.number, second.time
    );
    Violation::by([p, q], how)
}

fn not_before((p, first): (ProcessId, &Event), (q, second): (ProcessId, &Event)) -> Violation {
    let how = format!(
        "event {} of {p}, at {}, did not happen before event {} of {q}, at {}",
        first.number, first.time, second.number, second.time
    );
    Violation::by([p, q], how)
}

impl Property<Clocks> for Times {
    fn observe(&mut self, event: &Observed<'_, Clocks>) -> Result<(), Violation> {
        let p = event.process;
        match event.what {
            Observation::Request(_) => self.happen(p),
            Observation::Send(_) => self.before.observe(p, event.what),
            Observation::Receive(_) => {
                self.before.observe(p, event.what);
                self.happen(p);
            }
            Observation::Indication(Indication::At(time)) => return self.has_time(p, time),
            Observation::Absent
            | Observation::Start
            | Observation::Crash
            | Observation::Recover => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.comparisons
    }
}

#[cfg(test)]
#[path = "clocks_tests.rs"]
mod tests;
