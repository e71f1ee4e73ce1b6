//! Tells livelock from slowness: a run that stalls is run again, and its last steps are watched for
//! states that come again.

use std::hash::Hash as _;

use super::Simulation;
use super::carry::PACKET;
use crate::digest::Digest;
use crate::engine::event::Class;
use crate::id::ProcessId;
use crate::model::property::Stall;
use crate::model::protocol::Protocol;

/// So many of the last steps of a run are watched.
const STEPS_WATCHED: u64 = 20_000;

/// The search for a state that comes again (Brent 1980): one state is kept and compared with those
/// that follow, over distances that double.
struct Search {
    kept: Digest,
    distance: u64,
    left: u64,
    /// How much had been announced when the state was kept.
    announced: u64,
}

impl<P: Protocol> Simulation<P> {
    /// Runs to the end, which comes after `steps` steps, and says why nothing more happened.
    pub(super) fn run_watching(&mut self, steps: u64) -> Stall {
        let mut search: Option<Search> = None;
        self.start();
        while let Some(event) = self.next_event() {
            self.execute(event);
            if self.world.step + STEPS_WATCHED < steps {
                continue;
            }
            let (state, announced) = (self.behaviour_digest(), self.world.announced);
            match &mut search {
                Some(search) if search.announced == announced && search.left > 0 => {
                    if search.kept == state {
                        return Stall::Livelock;
                    }
                    search.left -= 1;
                }
                Some(Search { distance, .. }) => {
                    let distance = *distance * 2;
                    search = Some(Search { kept: state, distance, left: distance, announced });
                }
                None => search = Some(Search { kept: state, distance: 1, left: 1, announced }),
            }
        }
        Stall::TooSlow
    }

    /// The states of the processes, and what is under way among them; not when it arrives.
    fn behaviour_digest(&self) -> Digest {
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
                    if let Some(packet) = self.packets.get(event.subject()) {
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
