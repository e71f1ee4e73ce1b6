//! The floor: a heap of messages and timers and a boxed handler for each process, and nothing else.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use ftsim_core::rng::{Rng, Stream};

/// What a process does.
pub trait Handler<M> {
    /// Handles a message from another process, or from itself, which is a timer.
    fn handle(&mut self, from: usize, message: M, out: &mut Vec<Effect<M>>);
}

/// What a handler asks for.
pub enum Effect<M> {
    /// Send to a process; it takes 1 to 10 ms.
    Send(usize, M),
    /// Come back to oneself after exactly so many nanoseconds; no delivery.
    After(u64, M),
}

struct Scheduled<M> {
    at: u64,
    sequence: u64,
    from: usize,
    to: usize,
    is_delivery: bool,
    message: M,
}

impl<M> PartialEq for Scheduled<M> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl<M> Eq for Scheduled<M> {}
impl<M> PartialOrd for Scheduled<M> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<M> Ord for Scheduled<M> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

/// Runs the handlers until there were so many deliveries. `starts` are handed to processes at time
/// zero. Returns the number of deliveries.
pub fn run<M>(
    mut handlers: Vec<Box<dyn Handler<M>>>,
    starts: impl Iterator<Item = (usize, M)>,
    seed: u64,
    deliveries_wanted: u64,
) -> u64 {
    let mut rng = Rng::new(seed, Stream::Network);
    let mut heap = BinaryHeap::new();
    let mut sequence = 0;
    for (p, message) in starts {
        let start = Scheduled { at: 0, sequence, from: p, to: p, is_delivery: false, message };
        heap.push(Reverse(start));
        sequence += 1;
    }
    let mut deliveries = 0;
    let mut effects = Vec::new();
    while deliveries < deliveries_wanted {
        let Some(Reverse(event)) = heap.pop() else { break };
        let Scheduled { at: now, from, to: me, is_delivery, message, .. } = event;
        deliveries += u64::from(is_delivery);
        handlers[me].handle(from, message, &mut effects);
        for effect in effects.drain(..) {
            let (at, to, is_delivery, message) = match effect {
                Effect::Send(to, message) => {
                    (now + rng.between(1_000_000, 10_000_000), to, true, message)
                }
                Effect::After(after, message) => (now + after, me, false, message),
            };
            let event = Scheduled { at, sequence, from: me, to, is_delivery, message };
            heap.push(Reverse(event));
            sequence += 1;
        }
    }
    deliveries
}
