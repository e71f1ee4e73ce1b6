//! Random priorities of chains of events.
//!
//! Source: Ozkan, Majumdar, Niksic, Befrouei and Weissenbacher (2018), *Randomized testing of
//! distributed systems with probabilistic guarantees*, OOPSLA, algorithm PCTCP; for threads:
//! Burckhardt, Kothari, Musuvathi and Nagarakatte (2010), *A randomized scheduler with
//! probabilistic guarantees of finding bugs*, ASPLOS.
//!
//! A bug has depth `d` if there are `d` events `e1`, ..., `ed` such that each run shows it in which
//! they come late, in this order: whatever comes after `ei` is one of `ei`, ..., `ed` or depends on
//! one of them. A message that must not be overtaken by one certain other makes a bug of depth 1.
//!
//! Steps: the events of a run are divided into chains, in which each depends on the one before.
//! Each chain gets a random priority. Events are counted in the order in which they become
//! possible, and `d - 1` numbers from 1 to `n` are drawn, `n` being the greatest number of events
//! of a run. An event whose number was drawn gives the rest of its chain, from itself on, a
//! priority below all that were drawn, and the lower the later its number was drawn. Of all that is
//! possible, the event of the highest priority happens.
//!
//! With at most `w` chains, a run has a bug of depth `d` with a probability of at least `1 / (w
//! n^(d-1))`. For suppose that the chain of `e1` has the lowest of the priorities drawn, and that
//! `e2`, ..., `ed` are lowered in this order: a chance of one in `w`, and, for any priorities, one
//! in `n` for each of the others. When `ei` happens, all else that can happen has a lower priority:
//! it is in a chain that was lowered later, from some `ej` with `j > i` on, and depends on `ej`.
//!
//! This takes the chain of an event to be the same whatever the order of events. The paper divides
//! any order among events that it learns by and by into at most `w (w + 1) / 2` chains if no more
//! than `w` events are independent of each other (Agarwal and Garg 2007), in a way that depends on
//! the order in which it learns them; hence its bound, `1 / (w² n^(d-1))`. Here, where an event has
//! one cause, the chains are known from the start: an event continues the chain of its cause if it
//! is its first consequence, and begins one if it is another. There are as many as there are events
//! without consequences, which is the least possible. A link that keeps the order of its messages
//! is one chain, whatever caused them.
//!
//! The bound is one for events and their order: where the order decides which events there are, it
//! is about the events that are common to all orders, and faults come on top of it.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::Run;
use crate::explore::choice::{Choice, EventId};
use crate::explore::step::Step;
use crate::id::ProcessId;
use crate::rng::Rng;

/// The priorities of a run.
pub(super) struct Pct {
    /// Which events are lowered, by their number in the order in which they become possible.
    change_points: Vec<u64>,
    /// The priority of each chain. The highest bit tells those that were drawn from those that
    /// were lowered.
    priorities: Vec<u64>,
    /// The chain of each event that is pending or has happened.
    chains: BTreeMap<EventId, Chain>,
    links: BTreeMap<(ProcessId, ProcessId), usize>,
    /// How many events have become possible.
    arrived: u64,
}

#[derive(Clone, Copy)]
struct Chain {
    index: usize,
    is_link: bool,
    /// Whether the event has become possible.
    has_arrived: bool,
}

const DRAWN: u64 = 1 << 63;

impl Pct {
    pub fn new(depth: NonZeroU32, event_count: u32, rng: &mut Rng) -> Self {
        let mut point = || rng.between(1, event_count.into());
        Self {
            change_points: (1..depth.get()).map(|_| point()).collect(),
            priorities: Vec::new(),
            chains: BTreeMap::new(),
            links: BTreeMap::new(),
            arrived: 0,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a run has few events")]
    pub fn chain_count(&self) -> u32 {
        self.priorities.len() as u32
    }

    pub fn choose(&mut self, enabled: &[Choice]) -> Choice {
        let mut highest = (0, enabled[0]);
        for choice in enabled {
            let priority = self.priority(choice.event);
            if priority > highest.0 {
                highest = (priority, *choice);
            }
        }
        highest.1
    }

    /// The priority of an event that can happen, lowered now if it is to be.
    fn priority(&mut self, event: EventId) -> u64 {
        let Some(chain) = self.chains.get_mut(&event) else { return u64::MAX };
        let priority = &mut self.priorities[chain.index];
        if !chain.has_arrived {
            chain.has_arrived = true;
            self.arrived += 1;
            let nth = self.change_points.iter().position(|point| *point == self.arrived);
            if let Some(nth) = nth {
                *priority = (self.change_points.len() - nth) as u64;
            }
        }
        *priority
    }

    /// Divides what the last step has caused into chains.
    pub fn has_taken(&mut self, run: &Run<'_>, rng: &mut Rng) {
        let Some(step) = run.steps.last() else { return };
        let last = run.frontier.step_count() - 1;
        let mut continues = self.chain_of(step);
        for one in run.frontier.prospects().filter(|one| one.cause == last) {
            let known = match one.link {
                Some(link) => self.links.get(&link).copied(),
                None => continues.take(),
            };
            let index = known.unwrap_or_else(|| {
                self.priorities.push(rng.bits() | DRAWN);
                self.priorities.len() - 1
            });
            if let Some(link) = one.link {
                self.links.insert(link, index);
            }
            let chain = Chain { index, is_link: one.link.is_some(), has_arrived: false };
            self.chains.insert(one.event, chain);
        }
    }

    /// The chain that the first consequence of this step continues.
    fn chain_of(&self, step: &Step) -> Option<usize> {
        let chain = self.chains.get(&step.choice.event.in_time())?;
        (!chain.is_link).then_some(chain.index)
    }
}
