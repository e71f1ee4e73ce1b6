//! Ends a run at a limit on events, on messages under way, or on memory.

use std::hash::Hasher;

use super::Simulation;
use super::host::{Envelope, Host, Input};
use crate::engine::event::Scheduled;
use crate::environment::transport::Packet;
use crate::model::any_message::byte_count;
use crate::model::data::Stored;
use crate::model::property::EndCause;
use crate::model::protocol::Protocol;

/// The number of messages under way, or of events, at which memory is first measured.
const PENDING_BOUND: usize = 1 << 8;
const EVENT_BOUND: u64 = 1 << 18;

/// The bounds at which the limits are checked again. Until then, two comparisons per event suffice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub pending: usize,
    pub events: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { pending: PENDING_BOUND, events: EVENT_BOUND }
    }
}

impl<P: Protocol> Simulation<P> {
    /// The number of messages and packets under way.
    #[inline]
    pub(super) fn pending_count(&self) -> usize {
        self.messages.len() + self.world.packets.len()
    }

    /// The number of events handled, including those of the transport.
    #[inline]
    pub(super) const fn event_count(&self) -> u64 {
        self.world.step + self.world.transport_event_count
    }

    #[inline]
    pub(super) fn is_at_a_bound(&self) -> bool {
        self.event_count() >= self.bounds.events || self.pending_count() > self.bounds.pending
    }

    /// The limit that is reached, if any; otherwise the bounds move on, so that memory is measured
    /// again when twice as much is under way, or after enough events to make measuring cheap.
    #[cold]
    pub(super) fn limit_reached(&mut self) -> Option<EndCause> {
        let limits = self.world.experiment.limits;
        let (events, pending) = (self.event_count(), self.pending_count());
        if events >= limits.event_count_max || pending > limits.pending_count_max {
            return Some(EndCause::EventLimit);
        }
        if self.world.beacon.is_stopped() {
            return Some(EndCause::Hung);
        }
        if self.byte_count() > limits.byte_count_max {
            return Some(EndCause::MemoryLimit);
        }
        let distance = EVENT_BOUND.max(4 * (pending + self.hosts.len()) as u64);
        self.bounds.events = (events + distance).min(limits.event_count_max);
        self.bounds.pending = PENDING_BOUND.max(2 * pending).min(limits.pending_count_max);
        None
    }

    /// The initial bounds of a run.
    pub(super) fn first_bounds(&self) -> Bounds {
        let limits = &self.world.experiment.limits;
        Bounds {
            pending: PENDING_BOUND.min(limits.pending_count_max),
            events: EVENT_BOUND.min(limits.event_count_max),
        }
    }

    /// Whether the processes created so far take more memory than the scenario allows; checked
    /// whenever their number has doubled, from [`PENDING_BOUND`] on.
    pub(super) fn processes_fill_memory(&self) -> bool {
        let count = self.hosts.len();
        count >= PENDING_BOUND
            && count.is_power_of_two()
            && self.byte_count() > self.world.experiment.limits.byte_count_max
    }

    /// The approximate memory of the states of processes, messages, waiting inputs, and logs, in
    /// bytes. The same on every machine of one word size.
    fn byte_count(&self) -> u64 {
        let mut bytes =
            self.messages.iter().map(|m| byte_count::<Envelope<P::Msg>>(&m.msg)).sum::<u64>();
        bytes += self.world.packets.iter().map(Packet::byte_count).sum::<u64>();
        bytes += self.pending_count() as u64 * size_of::<Scheduled>() as u64;
        bytes += self.hosts.len() as u64 * size_of::<Host<P>>() as u64;
        for host in &self.hosts {
            let mut state = ByteCount(0);
            host.process.hash(&mut state);
            bytes += state.0;
            bytes += host
                .inbox
                .iter()
                .map(|input| match input {
                    Input::Message(_, _, msg) => byte_count::<Input<P>>(msg),
                    _ => size_of::<Input<P>>() as u64,
                })
                .sum::<u64>();
            bytes += host.log.records().map(byte_count::<Stored<P::Record>>).sum::<u64>();
        }
        bytes
    }
}

/// Counts the bytes of hashed data, which is about as large as in memory.
struct ByteCount(u64);

impl Hasher for ByteCount {
    fn write(&mut self, bytes: &[u8]) {
        self.0 += bytes.len() as u64;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}
