//! Eventual leadership: in the end all correct processes trust the same correct process.
//!
//! Source: Chandra, Hadzilacos and Toueg (1996), *The weakest failure detector for solving
//! consensus*, who call it Ω; Cachin, Guerraoui and Rodrigues (2011), section 2.6. Under
//! crash-recovery, a process is correct if it stays up from some time on. One that crashes again
//! and again is not, although it may be up when a run ends.
//!
//! # What a finite run shows
//!
//! As for failure detectors ([`detector`](crate::detector)), the last quarter of a run that ends at
//! its horizon represents the future, and so does the end of a run without events. A run refutes
//! the property in these ways:
//!
//! - Two correct processes have trusted different ones for all of the last quarter, or one has
//!   trusted nobody, or a process that was down, or one that is faulty without a crash: it lies.
//! - A correct process changes the process that it trusts in each eighth of the run.
//! - A correct process trusts, for all of the last quarter, one that crashes in each eighth.
//!
//! The last two are conventions: what happens in each eighth happens for ever.

use std::collections::BTreeMap;

use ftsim_core::{
    Ask, End, FaultClass, Instant, Invalid, Never, Observation, Observed, ProcessId, ProcessSet,
    Property, PropertyEntry, PropertyId, Setting, Spec, Violation, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{goes_on, last_quarter};

/// The problem of agreeing on a leader eventually.
pub struct EventualLeader;

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// The process trusts this one as the leader, from now on.
    Trust(ProcessId),
}

/// Ω.
pub const EVENTUAL_LEADER: PropertyId = PropertyId("omega.eventual-leader");

impl Spec for EventualLeader {
    const NAME: &'static str = "eventual leader";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[PropertyEntry::liveness(
        EVENTUAL_LEADER,
        "eventually all correct processes trust the same correct process for ever",
        |setting| Box::new(Trusted::new(setting)),
    )];
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::CrashRecovery];

    type Request = Never;
    type Indication = Indication;
    type WorkloadSettings = NoWorkload;
    type Workload = NoClients;

    fn workload(_: &NoWorkload, _: &Setting) -> Result<NoClients, Invalid> {
        Ok(NoClients)
    }

    fn phrase(Indication::Trust(p): &Indication) -> Option<String> {
        Some(format!("trusts {p} as the leader"))
    }
}

/// `[workload]` of leader election without requests: empty.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoWorkload {}

/// Its clients, which make no requests.
#[derive(Clone, Debug, Hash)]
pub struct NoClients;

impl Workload<EventualLeader> for NoClients {
    fn on_start(&mut self, _: &mut Ask<'_, EventualLeader>) {}
}

/// What one process did.
#[derive(Clone, Debug, Default, Hash)]
struct Past {
    /// The process that it trusts.
    trusts: Option<ProcessId>,
    /// When it came to trust each, since its last crash.
    changes: Vec<Instant>,
    /// When it crashed.
    crashes: Vec<Instant>,
    /// When it crashed or recovered last.
    restarted: Option<Instant>,
}

/// Remembers whom each process trusts, and when each crashed.
#[derive(Clone, Debug, Hash)]
struct Trusted {
    n: u32,
    past: BTreeMap<ProcessId, Past>,
    /// The processes that are down.
    down: ProcessSet,
    changes: u64,
}

impl Trusted {
    fn new(setting: &Setting) -> Self {
        Self { n: setting.n, past: BTreeMap::new(), down: ProcessSet::new(), changes: 0 }
    }

    /// Why `p`, which is correct, will not trust `q` in the end, if that is so.
    fn refuses(&self, q: ProcessId, end: &End<'_>) -> Option<&'static str> {
        let has_crashed = self.past.get(&q).is_some_and(|past| !past.crashes.is_empty());
        if !has_crashed && !end.is_correct(q) {
            return Some("which is faulty");
        }
        let past = self.past.get(&q)?;
        if goes_on(&past.crashes, end.at) {
            return Some("which crashes again and again");
        }
        let since = *past.crashes.last()?;
        (self.down.contains(q) && since <= last_quarter(end)).then_some("which is down")
    }

    /// What a correct process has made of its last quarter; `None` if it has changed or restarted
    /// there, and so shows nothing.
    fn settled(&self, p: ProcessId, end: &End<'_>) -> Option<Option<ProcessId>> {
        let late = last_quarter(end);
        let Some(past) = self.past.get(&p) else { return Some(None) };
        let last = past.changes.last().copied().max(past.restarted);
        last.is_none_or(|at| at <= late).then_some(past.trusts)
    }
}

impl Property<EventualLeader> for Trusted {
    fn observe(&mut self, event: &Observed<'_, EventualLeader>) -> Result<(), Violation> {
        let p = event.process;
        let past = self.past.entry(p).or_default();
        match event.what {
            Observation::Indication(Indication::Trust(leader)) => {
                self.changes += 1;
                past.trusts = Some(*leader);
                past.changes.push(event.at);
            }
            Observation::Crash => {
                past.trusts = None;
                past.changes.clear();
                past.crashes.push(event.at);
                past.restarted = Some(event.at);
                self.down.insert(p);
            }
            Observation::Recover => {
                past.restarted = Some(event.at);
                self.down.remove(p);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let mut first: Option<(ProcessId, ProcessId)> = None;
        for p in end.correct().filter(|p| p.0 < self.n) {
            let changes = self.past.get(&p).map_or(&[][..], |past| &past.changes);
            if goes_on(changes, end.at) {
                let count = changes.len();
                let how = format!("{p} has changed its leader {count} times, all through the run");
                return Err(Violation::by([p], how));
            }
            let Some(trusts) = self.settled(p, end) else { continue };
            let Some(leader) = trusts else {
                return Err(Violation::by([p], format!("{p} trusts nobody")));
            };
            if let Some(why) = self.refuses(leader, end) {
                return Err(Violation::by([p, leader], format!("{p} trusts {leader}, {why}")));
            }
            let (q, other) = *first.get_or_insert((p, leader));
            if other != leader {
                let how = format!("{p} trusts {leader}, and {q} trusts {other}");
                return Err(Violation::by([p, q], how));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.changes
    }
}

#[cfg(test)]
mod tests;
