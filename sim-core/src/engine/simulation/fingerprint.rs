//! What a state is, apart from how it came about: two states with one fingerprint behave alike
//! under equal choices.
//!
//! Not part of a state: what was drawn, the numbers of messages, the order in which things were
//! scheduled, and how much happened before. Times count from now, but for a process that reads its
//! clock: what it will read is part of its state.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher as _};

use super::Simulation;
use super::carry::PACKET;
use super::host::{Host, Input};
use crate::digest::Digest;
use crate::engine::event::{Class, Scheduled};
use crate::id::ProcessId;
use crate::model::protocol::Protocol;
use crate::time::Instant;

impl<P: Protocol> Simulation<P> {
    pub(super) fn state_fingerprint(&self) -> Digest {
        let mut digest = Digest::EMPTY;
        let counts_requests = !self.world.experiment.masks.is_empty();
        for host in &self.hosts {
            host.fingerprint(self.world.now, &mut digest);
            if counts_requests {
                host.request_count.hash(&mut digest);
            }
        }
        self.adversaries.hash(&mut digest);
        self.workload.hash(&mut digest);
        self.checker.hash(&mut digest);
        self.world.fingerprint(&mut digest);
        for old in &self.sent {
            (old.from, old.to, &old.msg).hash(&mut digest);
        }
        self.to_come().hash(&mut digest);
        digest
    }

    /// A sum over what is scheduled, since it has no canonical order.
    fn to_come(&self) -> u64 {
        let mut events: Vec<&Scheduled> = self.world.queue.iter().collect();
        events.sort_unstable();
        // Messages of a FIFO link keep their order, at one instant too.
        let mut ranks: BTreeMap<(ProcessId, ProcessId), u64> = BTreeMap::new();
        let mut sum = 0u64;
        for event in events {
            let mut one = Digest::EMPTY;
            (event.place.at.since(self.world.now), event.place.class()).hash(&mut one);
            match event.place.class() {
                // They are part of their processes.
                Class::Timer => continue,
                Class::Delivery if event.detail() != PACKET => {
                    let Some(message) = self.messages.get(event.subject()) else { continue };
                    let link = (message.from, message.to);
                    if self.world.network.is_fifo(link) {
                        let rank = ranks.entry(link).or_default();
                        *rank += 1;
                        rank.hash(&mut one);
                    }
                }
                _ => {}
            }
            one.mix(self.content_digest(event).value());
            sum = sum.wrapping_add(one.value());
        }
        sum
    }

    /// What an event is, apart from when it happens and how it came about.
    pub(super) fn content_digest(&self, event: &Scheduled) -> Digest {
        let mut one = Digest::EMPTY;
        match event.place.class() {
            Class::Delivery if event.detail() == PACKET => {
                self.world.packets.get(event.subject()).hash(&mut one);
            }
            Class::Delivery => {
                if let Some(message) = self.messages.get(event.subject()) {
                    (message.from, message.to, message.lost, &message.msg).hash(&mut one);
                }
            }
            Class::Request => (event.detail(), self.requests.get(event.subject())).hash(&mut one),
            Class::Fault => self.world.controls.get(event.subject()).hash(&mut one),
            Class::Detector | Class::Storage => (event.subject(), event.detail()).hash(&mut one),
            Class::Timer => {}
        }
        one
    }

    /// The states of the processes, and what is under way among them; not when it arrives.
    pub(super) fn behaviour_digest(&self) -> Digest {
        let mut digest = Digest::EMPTY;
        for host in &self.hosts {
            host.process.hash(&mut digest);
            (host.up, host.paused, host.blocked, host.inbox.len()).hash(&mut digest);
        }
        let mut to_come = 0u64;
        for event in self.world.queue.iter() {
            let mut one = Digest::EMPTY;
            match event.place.class() {
                Class::Delivery if event.detail() == PACKET => {
                    if let Some(packet) = self.world.packets.get(event.subject()) {
                        (packet.from, packet.to, &packet.body).hash(&mut one);
                    }
                }
                Class::Delivery => {
                    if let Some(message) = self.messages.get(event.subject()) {
                        (message.from, message.to, &message.msg).hash(&mut one);
                    }
                }
                Class::Timer => {
                    let timers = &self.hosts[ProcessId(event.detail()).index()].timers;
                    (event.detail(), timers.queued_at(event.subject(), event.place)).hash(&mut one);
                }
                class => (class, event.subject(), event.detail()).hash(&mut one),
            }
            to_come = to_come.wrapping_add(one.value());
        }
        to_come.hash(&mut digest);
        digest
    }
}

impl<P: Protocol> Host<P> {
    fn fingerprint(&self, now: Instant, digest: &mut Digest) {
        self.process.hash(digest);
        (self.up, self.ever_faulty, self.paused, self.adversary, self.blocked, self.incarnation)
            .hash(digest);
        (self.absent, &self.log, &self.behind_sync, &self.stopped).hash(digest);
        self.clock.fingerprint(now, digest);
        if self.coin.has_read_clock.get() {
            self.clock.local(now).hash(digest);
        }
        self.timers.fingerprint(now, digest);
        if let Some(transport) = &self.transport {
            transport.fingerprint(now, digest);
        }
        digest.write_usize(self.inbox.len());
        for input in &self.inbox {
            input.fingerprint(digest);
        }
    }
}

impl<P: Protocol> Input<P> {
    fn fingerprint(&self, digest: &mut Digest) {
        std::mem::discriminant(self).hash(digest);
        match self {
            Self::Start | Self::Recover => {}
            Self::Request(request) => request.hash(digest),
            Self::Message(from, _, msg) => (from, msg).hash(digest),
            Self::Timer(timer, _) => timer.hash(digest),
            Self::StorageError(error) => error.hash(digest),
            Self::Suspect(p) | Self::Trust(p) => p.hash(digest),
        }
    }
}
