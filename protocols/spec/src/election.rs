//! Leader election: of the processes that are up, the one with the greatest id becomes the leader,
//! and all others learn its id.
//!
//! Properties after Garcia-Molina (1982) and Lynch (1996), chapter 3. Elections have no numbers, so
//! the properties do not say which announcements belong to one election. They speak of the
//! processes that were up throughout: since the start, or since a recovery or a late start so long
//! ago that each election since then took the process into account ([`Indication::JoinsWithin`]).
//!
//! A client asks a process for an election when it finds that the leader does not answer. If it
//! asks before the last messages of a crashed leader have arrived, its process may still be told of
//! this leader, as if it had crashed later: nobody has to notice that.

mod lives;
mod properties;

use ftsim_core::{
    Ask, Duration, DurationRange, FaultClass, Invalid, ProcessId, PropertyEntry, PropertyId,
    Setting, Spec, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::{draw, refuse_too_many};
use properties::{Agreement, Max, OneLeader, Succession, Termination};

/// The problem of electing a leader.
pub struct Election;

/// The id of a process in elections: its own number, unless it announces another.
pub type Id = u64;

/// A request to a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Hold an election.
    Elect,
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// It is the leader from now on.
    Leads,
    /// Another process, which has this id, is the leader from now on.
    Follows(Id),
    /// A probe, at the start: its id.
    HasId(Id),
    /// A probe, whenever it starts: an election may overlook a process that recovered, or started
    /// late, less than this before the last announcement.
    JoinsWithin(Duration),
}

/// No two leaders.
pub const ONE_LEADER: PropertyId = PropertyId("el.one-leader");
/// All name the same leader.
pub const AGREEMENT: PropertyId = PropertyId("el.agreement");
/// The leader has the greatest id.
pub const MAX: PropertyId = PropertyId("el.max");
/// Elections end.
pub const TERMINATION: PropertyId = PropertyId("el.termination");
/// A crashed leader is replaced without a request.
pub const SUCCESSION: PropertyId = PropertyId("el.succession");

/// A problem in which a leader is elected.
pub trait Electing: Spec {
    /// The announcement about the leader, if it is one.
    fn election(indication: &Self::Indication) -> Option<&Indication>;
}

impl Electing for Election {
    fn election(indication: &Indication) -> Option<&Indication> {
        Some(indication)
    }
}

/// The entry of [`ONE_LEADER`].
pub const fn one_leader<S: Electing>() -> PropertyEntry<S> {
    PropertyEntry::safety(
        ONE_LEADER,
        "no two processes lead, but for a lesser one that steps down within a message delay",
        |setting| Box::new(OneLeader::new(setting)),
    )
}

impl Spec for Election {
    const NAME: &'static str = "election";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        one_leader(),
        PropertyEntry::safety(
            AGREEMENT,
            "of two processes that are up throughout, not both are named as the leader",
            |setting| Box::new(Agreement::new(setting)),
        ),
        PropertyEntry::safety(
            MAX,
            "no process that is up throughout has a greater id than the leader that is named",
            |setting| Box::new(Max::new(setting)),
        ),
        PropertyEntry::liveness(
            TERMINATION,
            "whoever is asked learns of a leader; asked a message delay after the last crash, all \
             learn of one that leads",
            |setting| Box::new(Termination::new(setting)),
        ),
        PropertyEntry::liveness(
            SUCCESSION,
            "eventually no correct process takes a crashed one for the leader",
            |setting| Box::new(Succession::new(setting)),
        )
        .if_claimed(),
    ];
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::CrashRecovery];
    const HAS_LEADER: bool = true;

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = ElectionWorkload;
    type Workload = Callers;

    fn workload(settings: &ElectionWorkload, setting: &Setting) -> Result<Callers, Invalid> {
        if let Some(stranger) = settings.initiators.iter().find(|p| p.0 >= setting.n) {
            return Err(Invalid::new("initiators", format!("there is no process {stranger}")));
        }
        let initiators: BTreeSet<_> = match settings.initiators.as_slice() {
            [] => setting.processes().collect(),
            some => some.iter().copied().collect(),
        };
        refuse_too_many("elections", settings.elections, initiators.len())?;
        let left = initiators.into_iter().map(|p| (p, settings.elections)).collect();
        Ok(Callers { settings: settings.clone(), left })
    }

    fn is_probe(indication: &Indication) -> bool {
        matches!(indication, Indication::HasId(_) | Indication::JoinsWithin(_))
    }

    fn leads(indication: &Indication) -> Option<bool> {
        match indication {
            Indication::Leads => Some(true),
            Indication::Follows(_) => Some(false),
            Indication::HasId(_) | Indication::JoinsWithin(_) => None,
        }
    }

    fn phrase(indication: &Indication) -> Option<String> {
        Some(match indication {
            Indication::Leads => "becomes the leader".to_owned(),
            Indication::Follows(id) => format!("takes the process with id {id} for the leader"),
            Indication::HasId(id) => format!("has the id {id}"),
            Indication::JoinsWithin(time) => format!("promises to join elections within {time}"),
        })
    }
}

/// The requests for elections.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ElectionWorkload {
    /// The processes that are asked for an election; all, if empty.
    pub initiators: Vec<ProcessId>,
    /// How often each of them is asked.
    pub elections: u32,
    /// When each is first asked; if a range, each draws a time of its own.
    pub at: DurationRange,
    /// The time from one request to the next.
    pub every: DurationRange,
}

impl Default for ElectionWorkload {
    fn default() -> Self {
        let range = |min, max| DurationRange {
            min: Duration::from_millis(min),
            max: Duration::from_millis(max),
        };
        Self { initiators: Vec::new(), elections: 1, at: range(0, 20), every: range(100, 100) }
    }
}

/// The clients: each asks its process for an election again and again.
#[derive(Clone, Debug, Hash)]
pub struct Callers {
    settings: ElectionWorkload,
    /// How often each process will still be asked.
    left: BTreeMap<ProcessId, u32>,
}

impl Callers {
    fn call(&mut self, p: ProcessId, after: DurationRange, ask: &mut Ask<'_, Election>) {
        if let Some(left) = self.left.get_mut(&p)
            && *left > 0
        {
            *left -= 1;
            let after = draw(after, ask.rng());
            ask.request(p, after, Request::Elect);
        }
    }
}

impl Workload<Election> for Callers {
    fn on_start(&mut self, ask: &mut Ask<'_, Election>) {
        for p in self.left.keys().copied().collect::<Vec<_>>() {
            self.call(p, self.settings.at, ask);
        }
    }

    fn on_request(&mut self, p: ProcessId, _: &Request, ask: &mut Ask<'_, Election>) {
        self.call(p, self.settings.every, ask);
    }
}

#[cfg(test)]
mod tests;
