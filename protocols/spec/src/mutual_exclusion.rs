//! Mutual exclusion: of the processes that want to enter a critical section, one at a time does.
//!
//! Properties after Lamport (1978), Raynal (1986) and Lynch (1996), section 10.2. A process that
//! crashes in the critical section has left it, as far as exclusion is concerned; the others may
//! have to wait for it for ever. The clients ask a process to exit some time after it has entered.

mod arrival;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{
    Ask, DurationRange, End, FaultClass, Instant, Invalid, Observation, Observed, OperationName,
    ProcessId, Property, PropertyEntry, PropertyId, Setting, Spec, Violation, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{draw, refuse_too_many};
use arrival::FirstComeFirstServed;
use tokens::{Fenced, TicketOrder};

/// The problem of letting one process at a time into a critical section.
pub struct MutualExclusion;

/// The role of the processes that want to enter; if no process has a role of this name, all may.
pub const CLIENT: &str = "client";

/// The number of an entry, unique among those of its process: 1, 2, …
pub type EntryNumber = u64;

/// The place of a request in the order in which a server received them.
pub type Ticket = u64;

/// The number of a grant, which grows from one to the next: a *fencing token*.
pub type Token = u64;

/// A request to a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Enter the critical section as soon as possible.
    Enter(EntryNumber),
    /// Exit from it.
    Exit(EntryNumber),
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// It is now in the critical section.
    Entered(EntryNumber),
    /// It has left the critical section.
    Exited(EntryNumber),
    /// It has heard the ticket of its request to enter.
    Queued(EntryNumber, Ticket),
    /// At the resource that the critical section protects: it applied a write with this token.
    Applied(Token),
}

/// A process enters once for each request, and exits when it is asked to.
pub const WELL_FORMED: PropertyId = PropertyId("me.well-formed");
/// ME1.
pub const EXCLUSION: PropertyId = PropertyId("me.exclusion");
/// ME2.
pub const PROGRESS: PropertyId = PropertyId("me.progress");
/// No process that wants to enter waits for ever.
pub const STARVATION_FREE: PropertyId = PropertyId("me.starvation-free");
/// ME3.
pub const FIFO: PropertyId = PropertyId("me.fifo");
/// ME3 with a server: the order is that of the tickets that it has issued.
pub const TICKET_ORDER: PropertyId = PropertyId("me.ticket-order");
/// The resource ignores those whose time in the critical section is over.
pub const FENCED: PropertyId = PropertyId("me.fenced");

impl Spec for MutualExclusion {
    const NAME: &'static str = "mutual exclusion";
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::CrashRecovery];
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(
            WELL_FORMED,
            "a process enters once for each request, and exits when it is asked to",
            |_| Box::new(WellFormed::default()),
        ),
        PropertyEntry::safety(EXCLUSION, "no two processes are in the critical section", |_| {
            Box::new(Exclusion::default())
        }),
        PropertyEntry::liveness(
            PROGRESS,
            "if correct processes want to enter and none stays inside, one of them enters",
            |_| Box::new(Progress::default()),
        ),
        PropertyEntry::liveness(
            STARVATION_FREE,
            "if none stays inside, every correct process that wants to enter does",
            |_| Box::new(StarvationFree::default()),
        )
        .if_claimed(),
        PropertyEntry::safety(
            FIFO,
            "a request that happened before another one is granted before it",
            |setting| Box::new(FirstComeFirstServed::new(setting)),
        )
        .if_claimed()
        .over_messages(),
        PropertyEntry::safety(
            TICKET_ORDER,
            "requests are granted in the order of the tickets that their processes have heard",
            |_| Box::new(TicketOrder::default()),
        )
        .if_claimed(),
        PropertyEntry::safety(
            FENCED,
            "the resource applies no write with a token lower than that of an earlier one",
            |_| Box::new(Fenced::default()),
        )
        .if_claimed(),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = ExclusionWorkload;
    type Workload = Visitors;

    fn workload(settings: &ExclusionWorkload, setting: &Setting) -> Result<Visitors, Invalid> {
        let candidates: BTreeSet<_> = match setting.role_size(CLIENT) {
            0 => setting.processes().collect(),
            _ => setting.role(CLIENT).collect(),
        };
        if let Some(stranger) = settings.visitors.iter().find(|p| !candidates.contains(p)) {
            let what = if stranger.0 < setting.n { "client" } else { "process" };
            return Err(Invalid::new("visitors", format!("there is no {what} {stranger}")));
        }
        let visitors = match settings.visitors.as_slice() {
            [] => candidates,
            some => some.iter().copied().collect(),
        };
        refuse_too_many("entries", settings.entries, visitors.len())?;
        Ok(Visitors { settings: settings.clone(), visitors, asked: BTreeMap::new() })
    }

    fn phrase(indication: &Indication) -> Option<String> {
        Some(match indication {
            Indication::Entered(_) => "enters the critical section".to_owned(),
            Indication::Exited(_) => "leaves the critical section".to_owned(),
            Indication::Queued(_, ticket) => format!("hears that it has ticket {ticket}"),
            Indication::Applied(token) => format!("applies a write with token {token}"),
        })
    }

    /// To enter is an operation, which ends with the entry.
    fn operation(p: ProcessId, request: &Request) -> Option<OperationName> {
        match request {
            Request::Enter(number) => Some(OperationName::at(p, *number)),
            Request::Exit(_) => None,
        }
    }

    fn answers(p: ProcessId, indication: &Indication) -> impl Iterator<Item = OperationName> {
        let entered = match indication {
            Indication::Entered(number) => Some(OperationName::at(p, *number)),
            Indication::Exited(_) | Indication::Queued(..) | Indication::Applied(_) => None,
        };
        entered.into_iter()
    }
}

/// The visits to the critical section.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExclusionWorkload {
    /// The processes that want to enter; all that may, if empty.
    pub visitors: Vec<ProcessId>,
    /// How often each of them enters.
    pub entries: u32,
    /// When each first asks; if a range, each draws a time of its own.
    pub at: DurationRange,
    /// How long a process stays inside.
    pub stay: DurationRange,
    /// How long a process stays outside before it asks again.
    pub think: DurationRange,
}

impl Default for ExclusionWorkload {
    fn default() -> Self {
        let range = |min, max| DurationRange {
            min: ftsim_core::Duration::from_millis(min),
            max: ftsim_core::Duration::from_millis(max),
        };
        Self {
            visitors: Vec::new(),
            entries: 2,
            at: range(0, 20),
            stay: range(1, 5),
            think: range(0, 20),
        }
    }
}

/// The clients: each process enters, stays, exits, and asks again.
#[derive(Clone, Debug, Hash)]
pub struct Visitors {
    settings: ExclusionWorkload,
    visitors: BTreeSet<ProcessId>,
    /// The number of the last entry that each process was asked for.
    asked: BTreeMap<ProcessId, EntryNumber>,
}

impl Visitors {
    fn ask_to_enter(
        &mut self,
        p: ProcessId,
        after: DurationRange,
        ask: &mut Ask<'_, MutualExclusion>,
    ) {
        let number = self.asked.entry(p).or_default();
        if *number < u64::from(self.settings.entries) {
            *number += 1;
            let (number, after) = (*number, draw(after, ask.rng()));
            ask.request(p, after, Request::Enter(number));
        }
    }
}

impl Workload<MutualExclusion> for Visitors {
    fn on_start(&mut self, ask: &mut Ask<'_, MutualExclusion>) {
        for p in self.visitors.clone() {
            self.ask_to_enter(p, self.settings.at, ask);
        }
    }

    fn on_indication(
        &mut self,
        p: ProcessId,
        what: &Indication,
        ask: &mut Ask<'_, MutualExclusion>,
    ) {
        match what {
            Indication::Entered(number) => {
                let after = draw(self.settings.stay, ask.rng());
                ask.request(p, after, Request::Exit(*number));
            }
            Indication::Exited(_) if self.visitors.contains(&p) => {
                self.ask_to_enter(p, self.settings.think, ask);
            }
            Indication::Exited(_) | Indication::Queued(..) | Indication::Applied(_) => {}
        }
    }
}

/// The part of a critical section in which a process is, and the number of its visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    /// It waits for its entry.
    Wants(EntryNumber),
    /// It has entered.
    Inside(EntryNumber),
    /// It was asked to exit.
    Leaves(EntryNumber),
}

/// Where each process is; those outside are left out.
#[derive(Clone, Debug, Default, Hash)]
struct Stages(BTreeMap<ProcessId, Stage>);

impl Stages {
    /// Observes an event; false if the process must not do this now.
    fn observe(&mut self, event: &Observed<'_, MutualExclusion>) -> bool {
        let (p, now) = (event.process, self.0.get(&event.process).copied());
        let next =
            match (event.what, now) {
                (Observation::Request(Request::Enter(number)), _) => Some(Stage::Wants(*number)),
                (Observation::Request(Request::Exit(number)), Some(Stage::Inside(inside)))
                    if *number == inside =>
                {
                    Some(Stage::Leaves(inside))
                }
                (
                    Observation::Indication(Indication::Entered(number)),
                    Some(Stage::Wants(wanted)),
                ) if *number == wanted => Some(Stage::Inside(wanted)),
                (
                    Observation::Indication(Indication::Exited(number)),
                    Some(Stage::Leaves(left)),
                ) if *number == left => None,
                (Observation::Indication(Indication::Queued(..) | Indication::Applied(_)), _) => {
                    return true;
                }
                (Observation::Indication(what), _) => {
                    // Where it claims to be, whatever it was asked for.
                    if let Indication::Exited(_) = what {
                        self.0.remove(&p);
                    }
                    return false;
                }
                (Observation::Crash, _) => None,
                _ => now,
            };
        match next {
            Some(stage) => self.0.insert(p, stage),
            None => self.0.remove(&p),
        };
        true
    }

    /// The correct processes in stages that `select` selects.
    fn correct<'s>(
        &'s self,
        end: &'s End<'_>,
        select: impl Fn(Stage) -> bool + 's,
    ) -> impl Iterator<Item = ProcessId> + 's {
        let chosen = self.0.iter().filter(move |(p, stage)| end.is_correct(**p) && select(**stage));
        chosen.map(|(p, _)| *p)
    }

    /// The correct processes that want to enter, unless some process stays inside, which nobody
    /// asked to leave.
    fn stuck<'s>(&'s self, end: &'s End<'_>) -> impl Iterator<Item = ProcessId> + 's {
        let is_occupied = self.0.values().any(|stage| matches!(stage, Stage::Inside(_)));
        let wants = move |stage| !is_occupied && matches!(stage, Stage::Wants(_));
        self.correct(end, wants)
    }
}

/// Remembers where each process is.
#[derive(Clone, Debug, Default, Hash)]
struct WellFormed {
    stages: Stages,
    /// Entries and exits.
    visits: u64,
}

impl Property<MutualExclusion> for WellFormed {
    fn observe(&mut self, event: &Observed<'_, MutualExclusion>) -> Result<(), Violation> {
        self.visits += u64::from(matches!(
            event.what,
            Observation::Indication(Indication::Entered(_) | Indication::Exited(_))
        ));
        if self.stages.observe(event) {
            return Ok(());
        }
        let (p, did) = (
            event.process,
            match event.what {
                Observation::Indication(Indication::Exited(_)) => "left",
                _ => "entered",
            },
        );
        Err(Violation::by([p], format!("{p} {did} the critical section without being asked to")))
    }

    fn exercised(&self) -> u64 {
        self.visits
    }
}

/// ME1: remembers who is inside.
#[derive(Clone, Debug, Default, Hash)]
struct Exclusion {
    inside: BTreeSet<ProcessId>,
    /// Entries after the first.
    entries: u64,
    someone_entered: bool,
}

impl Property<MutualExclusion> for Exclusion {
    fn observe(&mut self, event: &Observed<'_, MutualExclusion>) -> Result<(), Violation> {
        let p = event.process;
        match event.what {
            Observation::Indication(Indication::Entered(_)) => {
                let other = self.inside.iter().copied().find(|other| *other != p);
                self.entries += u64::from(self.someone_entered);
                self.someone_entered = true;
                self.inside.insert(p);
                if let Some(other) = other {
                    let how = format!("{p} entered while {other} was in the critical section");
                    return Err(Violation::by([p, other], how));
                }
            }
            Observation::Indication(Indication::Exited(_)) | Observation::Crash => {
                self.inside.remove(&p);
            }
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.entries
    }
}

/// ME2. That a process which is asked to leave does so is part of it.
#[derive(Clone, Debug, Default, Hash)]
struct Progress {
    stages: Stages,
    entries: u64,
    last_entry: Option<Instant>,
}

impl Property<MutualExclusion> for Progress {
    fn observe(&mut self, event: &Observed<'_, MutualExclusion>) -> Result<(), Violation> {
        if is_entry(event) {
            self.entries += 1;
            self.last_entry = Some(event.at);
        }
        self.stages.observe(event);
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let leaves = |stage| matches!(stage, Stage::Leaves(_));
        if let Some(p) = self.stages.correct(end, leaves).next() {
            return Err(Violation::by([p], format!("{p} was asked to exit and never did")));
        }
        let stuck: Vec<_> = self.stages.stuck(end).collect();
        let Some(first) = stuck.first() else { return Ok(()) };
        let others = match stuck.len() - 1 {
            0 => String::new(),
            count => format!(", like {count} more"),
        };
        let last = match self.last_entry {
            Some(at) => format!("nobody has entered since {at}"),
            None => "nobody has ever entered".to_owned(),
        };
        let how = format!("{first} wants to enter{others}, nobody is inside, and {last}");
        Err(Violation::by(stuck, how))
    }

    fn exercised(&self) -> u64 {
        self.entries
    }
}

/// No starvation.
#[derive(Clone, Debug, Default, Hash)]
struct StarvationFree {
    stages: Stages,
    entries: u64,
}

impl Property<MutualExclusion> for StarvationFree {
    fn observe(&mut self, event: &Observed<'_, MutualExclusion>) -> Result<(), Violation> {
        self.entries += u64::from(is_entry(event));
        self.stages.observe(event);
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        match self.stages.stuck(end).next() {
            None => Ok(()),
            Some(p) => Err(Violation::by([p], format!("{p} wants to enter and never does"))),
        }
    }

    fn exercised(&self) -> u64 {
        self.entries
    }
}

fn is_entry(event: &Observed<'_, MutualExclusion>) -> bool {
    matches!(event.what, Observation::Indication(Indication::Entered(_)))
}

#[cfg(test)]
mod tests;
