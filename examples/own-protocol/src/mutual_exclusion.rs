//! Mutual exclusion: at most one process is in its critical section, and who wants to enter does.

use std::collections::BTreeSet;

use ftsim::prelude::*;

/// The problem.
pub struct MutualExclusion;

/// What a process is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Enter the critical section.
    Enter,
}

/// What a process announces.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// It is in its critical section from now on.
    Entered,
    /// It is not any more.
    Left,
}

/// Safety.
pub const EXCLUSION: PropertyId = PropertyId("own.exclusion");
/// Liveness.
pub const ENTRY: PropertyId = PropertyId("own.entry");

impl Spec for MutualExclusion {
    const NAME: &'static str = "mutual-exclusion";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(EXCLUSION, "at most one process is in its critical section", |_| {
            Box::new(Exclusion::default())
        }),
        PropertyEntry::liveness(ENTRY, "a correct process that wants to enter does", |_| {
            Box::new(Entry::default())
        }),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = Visits;
    type Workload = Visits;

    fn workload(visits: &Visits, setting: &Setting) -> Result<Visits, Invalid> {
        if visits.up_to >= setting.n {
            return Err(Invalid::new("up_to", format!("there is no p{}", visits.up_to)));
        }
        Ok(visits.clone())
    }
}

/// Everybody wants to enter at once.
#[derive(Clone, Debug, Default, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Visits {
    /// Processes from p0 to this one want to enter.
    pub up_to: u32,
}

impl Workload<MutualExclusion> for Visits {
    fn on_start(&mut self, ask: &mut Ask<'_, MutualExclusion>) {
        for p in 0..=self.up_to {
            ask.request(ProcessId(p), Duration::ZERO, Request::Enter);
        }
    }
}

/// Who is in its critical section.
#[derive(Clone, Debug, Default, Hash)]
struct Exclusion {
    inside: BTreeSet<ProcessId>,
    entries: u64,
}

impl Property<MutualExclusion> for Exclusion {
    fn observe(&mut self, event: &Observed<'_, MutualExclusion>) -> Result<(), Violation> {
        match event.what {
            Observation::Indication(Indication::Entered) => {
                self.entries += 1;
                self.inside.insert(event.process);
            }
            Observation::Indication(Indication::Left) | Observation::Crash => {
                self.inside.remove(&event.process);
            }
            _ => {}
        }
        if self.inside.len() > 1 {
            return Err(Violation::by(self.inside.clone(), "both are in their critical sections"));
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.entries
    }
}

/// Who still waits.
#[derive(Clone, Debug, Default, Hash)]
struct Entry {
    waiting: BTreeSet<ProcessId>,
    requests: u64,
}

impl Property<MutualExclusion> for Entry {
    fn observe(&mut self, event: &Observed<'_, MutualExclusion>) -> Result<(), Violation> {
        match event.what {
            Observation::Request(Request::Enter) => {
                self.requests += 1;
                self.waiting.insert(event.process);
            }
            Observation::Indication(Indication::Entered) => {
                self.waiting.remove(&event.process);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        match self.waiting.iter().find(|p| end.is_correct(**p)) {
            Some(p) => Err(Violation::by([*p], format!("{p} wants to enter and never does"))),
            None => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.requests
    }
}
