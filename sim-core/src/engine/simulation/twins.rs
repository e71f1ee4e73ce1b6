//! Twins: two copies of a Byzantine process with one identity (Bano et al. 2022, *Twins: BFT
//! systems made robust*).
//!
//! Both run the unmodified protocol. Each other process communicates with only one of them, without
//! knowing; the second copy evolves independently, with its own randomness.
//!
//! A process's place among the slots and its identity are distinct here: the second copy has its
//! own place after all processes, and addresses are identities.

use super::Simulation;
use super::host::Input;
use crate::engine::world::Twin;
use crate::id::ProcessId;
use crate::model::protocol::Protocol;
use crate::outcome::trace::TraceEvent;
use crate::rng::{Rng, Stream};

impl<P: Protocol> Simulation<P> {
    /// Creates the second copy of this process.
    pub(super) fn double(&mut self, p: ProcessId) {
        let place = ProcessId(u32::try_from(self.hosts.len()).expect("fewer slots than 2^32"));
        let mut rng = Rng::new(self.world.drawn_from, Stream::Adversary(place.0));
        let others = self.world.experiment.setting.processes().filter(|q| *q != p);
        let mut others: Vec<ProcessId> = others.collect();
        rng.shuffle(&mut others);
        let peers = others.iter().take(others.len() / 2).copied().collect();
        let mut copy = self.hosts[p.index()].clone();
        copy.coin.rng = Some(Box::new(rng));
        let running = copy.timers.take_running();
        copy.timers.clear();
        self.hosts.push(copy);
        for (timer, due) in running {
            self.set_timer_at(place, due.at, timer);
        }
        self.world.twins.push(Twin { of: p, place, peers });
        self.world.record(Some(p), || TraceEvent::Doubled { second: place });
    }

    /// The place of the second copy of `p`, if there is one that is up.
    pub(super) fn second(&self, p: ProcessId) -> Option<ProcessId> {
        let twin = self.world.twins.iter().find(|twin| twin.of == p)?;
        self.hosts[twin.place.index()].up.then_some(twin.place)
    }

    /// Passes input that has reached a process to its second copy, too.
    pub(super) fn reach_second(&mut self, p: ProcessId, input: impl FnOnce() -> Input<P>) {
        if !self.world.twins.is_empty()
            && let Some(second) = self.second(p)
        {
            self.reach_process(second, input());
        }
    }

    /// Crashes the second copy together with the first.
    pub(super) fn crash_second(&mut self, p: ProcessId) {
        if let Some(second) = self.second(p) {
            let host = &mut self.hosts[second.index()];
            host.up = false;
            host.incarnation += 1;
            host.timers.clear();
            host.stopped.clear();
            host.inbox.clear();
            host.behind_sync.clear();
        }
    }
}
