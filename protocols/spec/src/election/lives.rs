//! What the properties of elections remember of processes: their ids, and since when each is up.

use std::collections::BTreeMap;

use ftsim_core::{Duration, Instant, Observation, Observed, ProcessId, Setting};

use super::{Electing, Election, Id, Indication};

/// Since when a process is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Life {
    SinceTheStart,
    Since(Instant),
    /// It has crashed, or has not started.
    Down,
}

/// The ids of processes, and since when each is up.
#[derive(Clone, Debug, Hash)]
pub(super) struct Lives {
    /// In the order of the processes.
    lives: Vec<Life>,
    /// The ids that processes announced.
    ids: BTreeMap<ProcessId, Id>,
    /// For how long elections may overlook a process that recovers.
    joins_within: Duration,
}

impl Lives {
    pub(super) fn new(setting: &Setting) -> Self {
        Self {
            lives: vec![Life::SinceTheStart; setting.n as usize],
            ids: BTreeMap::new(),
            joins_within: Duration::ZERO,
        }
    }

    pub(super) fn observe<S: Electing>(&mut self, event: &Observed<'_, S>) {
        let p = event.process;
        match event.what {
            Observation::Indication(indication) => match S::election(indication) {
                Some(Indication::HasId(id)) => drop(self.ids.insert(p, *id)),
                Some(Indication::JoinsWithin(time)) => {
                    self.joins_within = self.joins_within.max(*time);
                }
                _ => {}
            },
            Observation::Absent | Observation::Crash => self.begin(p, Life::Down),
            Observation::Start | Observation::Recover => self.begin(p, Life::Since(event.at)),
            _ => {}
        }
    }

    fn begin(&mut self, p: ProcessId, life: Life) {
        if let Some(now) = self.lives.get_mut(p.index()) {
            *now = life;
        }
    }

    pub(super) fn id(&self, p: ProcessId) -> Id {
        self.ids.get(&p).copied().unwrap_or_else(|| p.0.into())
    }

    /// The id of the leader that this event names.
    pub(super) fn named(&self, event: &Observed<'_, Election>) -> Option<Id> {
        match event.what {
            Observation::Indication(Indication::Leads) => Some(self.id(event.process)),
            Observation::Indication(Indication::Follows(id)) => Some(*id),
            _ => None,
        }
    }

    pub(super) fn processes(&self) -> impl Iterator<Item = ProcessId> + use<> {
        (0..self.lives.len()).filter_map(|p| u32::try_from(p).ok().map(ProcessId))
    }

    /// The processes with this id; several if ids are not unique.
    pub(super) fn with_id(&self, id: Id) -> impl Iterator<Item = ProcessId> + '_ {
        self.processes().filter(move |p| self.id(*p) == id)
    }

    pub(super) fn is_up(&self, p: ProcessId) -> bool {
        self.lives.get(p.index()).is_some_and(|life| *life != Life::Down)
    }

    /// Whether `p` has been up so long that an election which ended at `end` took it into account.
    pub(super) fn took_part(&self, p: ProcessId, end: Instant) -> bool {
        match self.lives.get(p.index()) {
            Some(Life::SinceTheStart) => true,
            Some(Life::Since(start)) => *start + self.joins_within < end,
            Some(Life::Down) | None => false,
        }
    }
}
