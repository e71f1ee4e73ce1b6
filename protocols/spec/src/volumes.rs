//! Volumes of files, each of which is served by one server at a time.
//!
//! The problem of Bhide, Elnozahy and Morgan (1991), *A highly available network file server*, in
//! the terms of Budhiraja, Marzullo, Schneider and Toueg (1993), for each volume. Keys are files:
//! the key k is on the volume k modulo the number of disks.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{
    FaultClass, Observation, Observed, ProcessId, Property, PropertyEntry, Setting, Standing,
    Violation,
};
use serde::Serialize;

use super::primary_backup::ONE_PRIMARY;
use super::service::clients::ServiceWorkload;
use super::service::properties::{
    ACKED_SURVIVES, States, exactly_once, invoked, linearizable, liveness, responded,
};
use super::service::{Command, Facts, Indication, Key, Outcome, Service};

/// The problem of serving volumes.
pub type VolumeService = Service<Fact>;

/// The role of the disks, each of which holds a volume.
pub const DISK: &str = "disk";

/// The number of a volume, from 0.
pub type Volume = u32;

/// A fact about its volumes that a server announces.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Fact {
    /// It considers itself the primary of this volume from now on, with the state that it has.
    Takes(Volume),
    /// It no longer considers itself the primary of this volume.
    Releases(Volume),
}

/// The volume with this key, where there are as many as disks.
pub fn volume_of(key: Key, setting: &Setting) -> Volume {
    key % setting.role_size(DISK).max(1)
}

impl Facts for Fact {
    type Workload = ServiceWorkload;

    const SPEC: &'static str = "volume service";
    const PROPERTIES: &'static [PropertyEntry<Service<Self>>] = &[
        PropertyEntry::safety(
            ONE_PRIMARY,
            "at any time at most one server considers itself primary of a volume",
            |_| Box::new(OnePrimary::default()),
        ),
        PropertyEntry::safety(
            ACKED_SURVIVES,
            "an update whose success a client saw is in the state of every later primary of its \
             volume",
            |setting| Box::new(AckedSurvives::new(setting)),
        ),
        exactly_once(Standing::Core),
        linearizable(Standing::Core),
        liveness(Standing::Core),
    ];
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::CrashRecovery];

    fn phrase(&self) -> Option<String> {
        Some(match self {
            Self::Takes(volume) => format!("takes volume {volume}"),
            Self::Releases(volume) => format!("releases volume {volume}"),
        })
    }
}

fn fact<'a>(event: &Observed<'a, VolumeService>) -> Option<&'a Fact> {
    match event.what {
        Observation::Indication(Indication::Fact(fact)) => Some(fact),
        _ => None,
    }
}

/// The primary of each volume; never a process that is down.
#[derive(Clone, Debug, Default, Hash)]
struct Primaries(BTreeMap<Volume, ProcessId>);

impl Primaries {
    /// Follows an event; returns a volume that gets a second primary by it, and its first one.
    fn follow(&mut self, event: &Observed<'_, VolumeService>) -> Option<(Volume, ProcessId)> {
        let (p, Self(primaries)) = (event.process, self);
        match (fact(event), event.what) {
            (Some(Fact::Takes(volume)), _) => {
                let before = primaries.insert(*volume, p);
                return before.filter(|other| *other != p).map(|other| (*volume, other));
            }
            (Some(Fact::Releases(volume)), _) if primaries.get(volume) == Some(&p) => {
                primaries.remove(volume);
            }
            (_, Observation::Crash) => primaries.retain(|_, primary| *primary != p),
            _ => {}
        }
        None
    }
}

/// `pb.one-primary`, for each volume.
#[derive(Clone, Debug, Default, Hash)]
struct OnePrimary {
    primaries: Primaries,
    taken: u64,
}

impl Property<VolumeService> for OnePrimary {
    fn observe(&mut self, event: &Observed<'_, VolumeService>) -> Result<(), Violation> {
        self.taken += u64::from(matches!(fact(event), Some(Fact::Takes(_))));
        match self.primaries.follow(event) {
            None => Ok(()),
            Some((volume, other)) => {
                let p = event.process;
                let message = format!("{p} takes volume {volume}, of which {other} is primary");
                Err(Violation::by([other, p], message))
            }
        }
    }

    fn exercised(&self) -> u64 {
        self.taken
    }
}

/// `dur.acked-survives`, for each volume: remembers the state of each server, and the updates of
/// each volume that clients know to be done. A primary must have them when it takes the volume, and
/// when a client learns of one.
#[derive(Clone, Debug, Hash)]
struct AckedSurvives {
    volume_count: u32,
    states: States,
    primaries: Primaries,
    open_updates: BTreeMap<Command, Volume>,
    acked: BTreeMap<Volume, BTreeSet<Command>>,
    exercised: u64,
}

impl AckedSurvives {
    fn new(setting: &Setting) -> Self {
        Self {
            volume_count: setting.role_size(DISK).max(1),
            states: States::default(),
            primaries: Primaries::default(),
            open_updates: BTreeMap::new(),
            acked: BTreeMap::new(),
            exercised: 0,
        }
    }

    /// Checks that this server has all of these updates.
    fn has<'a>(
        &self,
        server: ProcessId,
        mut acked: impl Iterator<Item = &'a Command>,
    ) -> Result<(), Violation> {
        let has =
            |command: &Command| self.states.of(server).is_some_and(|state| state.contains(command));
        match acked.find(|command| !has(command)) {
            None => Ok(()),
            Some(lost) => {
                let client = lost.client;
                let message = format!(
                    "{server} is primary without {lost}, an update that {client} knows to be done"
                );
                Err(Violation::by([server, client], message))
            }
        }
    }
}

impl Property<VolumeService> for AckedSurvives {
    fn observe(&mut self, event: &Observed<'_, VolumeService>) -> Result<(), Violation> {
        self.states.follow(event);
        self.primaries.follow(event);
        if let Some((command, key, operation)) = invoked(event)
            && operation.is_update()
        {
            self.open_updates.insert(command, key % self.volume_count);
        }
        if let Some((command, outcome)) = responded(event)
            && let Some(volume) = self.open_updates.remove(&command)
            && *outcome != Outcome::Swapped(false)
        {
            self.acked.entry(volume).or_default().insert(command);
            let Some(primary) = self.primaries.0.get(&volume) else { return Ok(()) };
            return self.has(*primary, [&command].into_iter());
        }
        let Some(Fact::Takes(volume)) = fact(event) else { return Ok(()) };
        let Some(acked) = self.acked.get(volume) else { return Ok(()) };
        self.exercised += 1;
        self.has(event.process, acked.iter())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

#[cfg(test)]
mod tests;
