//! The event queue, and the only definition of the order of events.
//!
//! Events are ordered by time; at one instant by class, in the order of [`Class`]; within a class
//! by the sequence of their scheduling, or, if the scenario requests it, by a seeded draw. What a
//! link that keeps order delivers at one instant has one draw, and so comes in sequence.
//! Deliveries thus precede timers due at the same instant; otherwise the timer that ends a round
//! would precede the messages of the round that arrive with it.

use std::cmp::Ordering;

use crate::digest::Digest;
use crate::engine::wheel::Wheel;
use crate::experiment::Ties;
use crate::id::ProcessId;
use crate::rng::Rng;
use crate::time::Instant;

/// The classes of events, in their order at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// Faults, recoveries and changes of the network.
    Fault,
    /// The completion of a sync.
    Storage,
    /// The delivery of a message.
    Delivery,
    /// A notification of the failure detector.
    Detector,
    /// A client's request.
    Request,
    /// A timer that fires.
    Timer,
}

const CLASSES: [Class; 6] =
    [Class::Fault, Class::Storage, Class::Delivery, Class::Detector, Class::Request, Class::Timer];

/// A place in the total order: unique in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The time.
    pub at: Instant,
    /// Class in the upper 4 bits, then the tie-break.
    order: u64,
}

impl Place {
    /// The class of the event at this place.
    pub const fn class(self) -> Class {
        CLASSES[(self.order >> 60) as usize]
    }

    /// The same place at another time.
    pub(crate) const fn moved_to(self, at: Instant) -> Self {
        Self { at, ..self }
    }

    /// Greater for what was scheduled later, within one class and unless ties are drawn.
    pub(crate) const fn sequence(self) -> u64 {
        self.order & ((1 << 60) - 1)
    }

    /// The order as a number.
    #[inline]
    pub(crate) const fn key(self) -> u128 {
        (self.at.as_nanos() as u128) << 64 | self.order as u128
    }
}

/// A scheduled event: 24 bytes, whatever it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// The place in the total order.
    pub place: Place,
    /// The subject in the upper half, the detail in the lower: one word, because a processor is
    /// slow to read in one access what was written in two.
    about: u64,
}

impl Scheduled {
    const fn new(place: Place, subject: u32, detail: u32) -> Self {
        Self { place, about: (subject as u64) << 32 | detail as u64 }
    }

    /// An event at this place, about nothing.
    #[cfg(test)]
    pub(crate) const fn at(place: Place) -> Self {
        Self::new(place, 0, 0)
    }

    /// The same event at another place.
    pub(crate) const fn moved_to(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// The subject of the event; its meaning depends on the class.
    pub(crate) const fn subject(&self) -> u32 {
        (self.about >> 32) as u32
    }

    /// The detail of the event.
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
    pub(crate) const fn detail(&self) -> u32 {
        self.about as u32
    }
}

impl PartialOrd for Scheduled {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.place.key().cmp(&other.place.key())
    }
}

/// All scheduled events.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    wheel: Wheel,
    sequence: u64,
    ties: Ties,
    tie_rng: Rng,
    /// Drawn for the run: the ties of links that keep order depend on it.
    of_links: u64,
}

impl Queue {
    pub fn new(ties: Ties, tie_rng: Rng) -> Self {
        let of_links = tie_rng.clone().bits();
        Self { wheel: Wheel::default(), sequence: 0, ties, tie_rng, of_links }
    }

    /// Empties the queue and keeps its memory.
    pub fn reset(&mut self, tie_rng: Rng) {
        self.wheel.clear();
        self.sequence = 0;
        self.of_links = tie_rng.clone().bits();
        self.tie_rng = tie_rng;
    }

    /// Draws later ties from here. Those of links that keep order stay, so that they keep it.
    pub fn draw_anew(&mut self, tie_rng: Rng) {
        self.tie_rng = tie_rng;
    }

    /// The next free place at this instant in this class.
    #[inline]
    pub fn place(&mut self, at: Instant, class: Class) -> Place {
        self.sequence += 1;
        let tie = match self.ties {
            Ties::Sequence => self.sequence,
            Ties::Drawn => drawn_tie(self.tie_rng.bits(), self.sequence),
        };
        Place { at, order: (class as u64) << 60 | tie }
    }

    /// Whether ties are drawn.
    #[inline]
    pub fn draws_ties(&self) -> bool {
        self.ties == Ties::Drawn
    }

    #[inline]
    pub fn push(&mut self, place: Place, subject: u32, detail: u32) {
        self.wheel.push(Scheduled::new(place, subject, detail));
    }

    /// Schedules an event at the next free place.
    #[inline]
    pub fn schedule(&mut self, at: Instant, class: Class, subject: u32, detail: u32) {
        let place = self.place(at, class);
        self.push(place, subject, detail);
    }

    /// Schedules a delivery on a link that keeps order, if ties are drawn.
    #[cold]
    pub fn schedule_in_order(
        &mut self,
        at: Instant,
        (from, to): (ProcessId, ProcessId),
        subject: u32,
        detail: u32,
    ) {
        let mut draw = Digest::EMPTY;
        for word in [self.of_links, from.0.into(), to.0.into(), at.as_nanos()] {
            draw.mix(word);
        }
        self.sequence += 1;
        let tie = drawn_tie(draw.value(), self.sequence);
        let place = Place { at, order: (Class::Delivery as u64) << 60 | tie };
        self.push(place, subject, detail);
    }

    /// The earliest event.
    #[inline]
    pub fn peek(&mut self) -> Option<&Scheduled> {
        self.wheel.peek()
    }

    /// The events that come next, if they have not been returned before.
    #[inline]
    pub fn upcoming(&mut self) -> &[Scheduled] {
        self.wheel.upcoming()
    }

    #[inline]
    pub fn pop(&mut self) -> Option<Scheduled> {
        self.wheel.pop()
    }

    /// Removes this event, wherever it is. False if it is not scheduled.
    pub fn take(&mut self, event: Scheduled) -> bool {
        self.wheel.remove(event)
    }

    /// Moves each event to the result of `place`, or removes it.
    pub fn settle(&mut self, mut place: impl FnMut(&Scheduled) -> Option<Place>) {
        let events: Vec<Scheduled> = self.wheel.iter().copied().collect();
        self.wheel.clear();
        for event in events {
            if let Some(place) = place(&event) {
                self.wheel.push(Scheduled { place, ..event });
            }
        }
    }

    /// All scheduled events, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Scheduled> {
        self.wheel.iter()
    }
}

/// 28 drawn bits, then the sequence, so that places stay unique.
const fn drawn_tie(bits: u64, sequence: u64) -> u64 {
    (bits >> 36) << 32 | (sequence & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;
    use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};

    fn queue(ties: Ties) -> Queue {
        Queue::new(ties, Rng::new(3, Stream::Ties))
    }

    fn schedule() -> impl Strategy<Value = Vec<(u64, usize)>> {
        proptest::collection::vec((0u64..4, 0usize..6), 0..80)
    }

    proptest! {
        #[test]
        fn events_come_by_time_then_class_then_sequence(events in schedule()) {
            let mut queue = queue(Ties::Sequence);
            for (index, (at, class)) in (0u32..).zip(&events) {
                queue.schedule(Instant::from_nanos(*at), CLASSES[*class], index, 0);
            }
            let scheduled = (0u32..).zip(&events);
            let mut expected: Vec<_> = scheduled.map(|(i, (at, c))| (*at, *c, i)).collect();
            expected.sort_unstable();
            let came: Vec<_> = std::iter::from_fn(|| queue.pop())
                .map(|s| (s.place.at.as_nanos(), s.place.class() as usize, s.subject()))
                .collect();
            prop_assert_eq!(came, expected);
        }

        #[test]
        fn drawn_ties_keep_time_and_class(events in schedule()) {
            let mut queue = queue(Ties::Drawn);
            for (at, class) in &events {
                queue.schedule(Instant::from_nanos(*at), CLASSES[*class], 0, 0);
            }
            let came: Vec<_> =
                std::iter::from_fn(|| queue.pop()).map(|s| (s.place.at, s.place.class())).collect();
            prop_assert_eq!(came.len(), events.len());
            prop_assert!(came.is_sorted());
        }
    }

    #[test]
    fn drawn_ties_come_in_other_orders() {
        let mut queue = queue(Ties::Drawn);
        (0..10).for_each(|i| queue.schedule(Instant::ZERO, Class::Delivery, i, 0));
        let came: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|s| s.subject()).collect();
        assert!(!came.is_sorted(), "{came:?}");
    }

    #[test]
    fn drawn_ties_keep_the_order_of_a_link_and_mix_links() {
        let mut queue = queue(Ties::Drawn);
        for index in 0..60 {
            let link = (ProcessId(index % 6), ProcessId(7));
            queue.schedule_in_order(Instant::ZERO, link, index, 0);
        }
        let came: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|s| s.subject()).collect();
        for sender in 0..6 {
            let of_link: Vec<_> = came.iter().filter(|index| **index % 6 == sender).collect();
            assert!(of_link.is_sorted() && of_link.len() == 10, "{came:?}");
        }
        let senders: Vec<_> = came.chunks(10).map(|chunk| chunk[0] % 6).collect();
        assert!(!senders.is_sorted(), "{came:?}");
    }

    #[test]
    fn drawn_places_stay_unique() {
        let mut queue = queue(Ties::Drawn);
        let places = (1..1_000).map(|_| queue.place(Instant::ZERO, Class::Timer));
        let lower: Vec<u64> = places.map(|place| place.order & 0xffff_ffff).collect();
        assert_eq!(lower, (1..1_000).collect::<Vec<u64>>());
    }
}
