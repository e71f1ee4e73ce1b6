//! The scheduled events: what is due next comes out sorted, and all else lies in slots of time, the
//! coarser the further away.
//!
//! A heap compares its way through all that is scheduled, and with a million messages under way it
//! waits for memory at every level. Here an event is appended to a slot, moved to a finer one when
//! its turn comes near, at most a few times, and sorted among the few others of its slot. This is a
//! radix heap (Ahuja, Mehlhorn, Orlin and Tarjan 1990) with digits of six bits, or a hierarchical
//! timing wheel (Varghese and Lauck 1987) whose clock jumps from event to event. As long as there
//! are only a few events, all of them are in a heap, which is faster then.

use crate::engine::event::Scheduled;
use crate::engine::heap::Heap;

/// The bits of a digit of a time.
const DIGIT: u32 = 6;
const SLOT_COUNT: usize = 1 << DIGIT;

/// The number of events that are sorted by insertion; more are distributed among finer slots.
const FEW: usize = 16;

/// The number of events for which a heap is fast enough.
const HEAP_LENGTH_MAX: usize = 32;

/// The scheduled events, by time and then by place.
#[derive(Clone, Debug)]
pub(crate) struct Wheel {
    /// The events of the earliest slot, the earliest last.
    current: Vec<Scheduled>,
    /// The end of that slot, in nanoseconds; `u64::MAX` as long as there are no slots.
    until: u64,
    /// The events up to that time that were scheduled later.
    heap: Heap,
    /// The events after that time: in level k by the highest digit in which the two times differ,
    /// if that is digit k.
    levels: Vec<Level>,
    /// Bit k: whether level k has events.
    levels_in_use: u32,
    /// Whether another slot has become the current one since this was last asked.
    has_turned: bool,
}

/// Events that differ from earlier ones in a certain digit of their times, by that digit.
#[derive(Clone, Debug)]
struct Level {
    slots: [Vec<Scheduled>; SLOT_COUNT],
    /// Bit k: whether slot k has events.
    slots_in_use: u64,
}

impl Default for Wheel {
    fn default() -> Self {
        Self {
            current: Vec::new(),
            until: u64::MAX,
            heap: Heap::default(),
            levels: Vec::new(),
            levels_in_use: 0,
            has_turned: false,
        }
    }
}

impl Wheel {
    /// Empties the wheel and keeps its memory.
    pub fn clear(&mut self) {
        self.current.clear();
        self.until = u64::MAX;
        self.heap.clear();
        for level in bits(u64::from(self.levels_in_use)) {
            self.levels[level].clear();
        }
        self.levels_in_use = 0;
    }

    /// All events, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Scheduled> {
        let slots = self.levels.iter().flat_map(|level| level.slots.iter().flatten());
        self.current.iter().chain(self.heap.iter()).chain(slots)
    }

    /// Adds an event.
    #[inline(always)]
    pub fn push(&mut self, event: Scheduled) {
        if nanos(&event) > self.until {
            self.put(event);
        } else {
            self.heap.push(event);
            // In the last slot of all time, `until` is as great although the wheel turns.
            if self.until == u64::MAX
                && self.heap.len() > HEAP_LENGTH_MAX
                && self.current.is_empty()
            {
                self.begin_to_turn();
            }
        }
    }

    /// The earliest event.
    #[inline]
    pub fn peek(&mut self) -> Option<&Scheduled> {
        if self.heap.is_empty() {
            if self.current.is_empty() {
                self.refill();
            }
            return self.current.last();
        }
        if self.heap_is_first() { self.heap.peek() } else { self.current.last() }
    }

    /// The events that come next, if they have not been returned before.
    #[inline]
    pub fn upcoming(&mut self) -> &[Scheduled] {
        match std::mem::take(&mut self.has_turned) {
            true => &self.current,
            false => &[],
        }
    }

    /// Removes the earliest event.
    #[inline]
    pub fn pop(&mut self) -> Option<Scheduled> {
        if self.heap.is_empty() {
            if self.current.is_empty() {
                self.refill();
            }
            return self.current.pop();
        }
        if self.heap_is_first() { self.heap.pop() } else { self.current.pop() }
    }

    /// Removes this event, wherever it is. False if it is not in the wheel.
    pub fn remove(&mut self, event: Scheduled) -> bool {
        if let Some(index) = self.current.iter().position(|other| *other == event) {
            self.current.remove(index);
            return true;
        }
        if self.heap.remove(event) {
            return true;
        }
        let Some(index) = self.levels.iter_mut().position(|level| level.remove(event)) else {
            return false;
        };
        if self.levels[index].slots_in_use == 0 {
            self.levels_in_use &= !(1 << index);
        }
        true
    }

    /// Whether the earliest event is in the heap, which is not empty.
    #[inline]
    fn heap_is_first(&self) -> bool {
        let Some(current) = self.current.last() else { return true };
        self.heap.peek().is_some_and(|first| first < current)
    }

    /// Distributes the events of the heap among slots, but for those of the first instant.
    #[cold]
    fn begin_to_turn(&mut self) {
        let all = std::mem::take(&mut self.heap);
        self.until = all.peek().map_or(u64::MAX, nanos);
        for event in all.iter() {
            match nanos(event) > self.until {
                true => self.put(*event),
                false => self.heap.push(*event),
            }
        }
    }

    /// Adds an event that is later than all current ones.
    #[inline]
    fn put(&mut self, event: Scheduled) {
        self.put_in_level(highest_digit(nanos(&event) ^ self.until), event);
    }

    #[inline]
    fn put_in_level(&mut self, index: u32, event: Scheduled) {
        while self.levels.len() <= index as usize {
            self.grow();
        }
        self.levels_in_use |= 1 << index;
        self.levels[index as usize].put(digit(nanos(&event), index), event);
    }

    #[cold]
    fn grow(&mut self) {
        self.levels.push(Level { slots: [const { Vec::new() }; SLOT_COUNT], slots_in_use: 0 });
    }

    /// Makes the events of the earliest slot the current ones.
    #[inline]
    fn refill(&mut self) {
        if self.levels_in_use == 0 {
            self.until = u64::MAX;
            return;
        }
        let index = self.levels_in_use.trailing_zeros();
        let level = &mut self.levels[index as usize];
        let slot = level.slots_in_use.trailing_zeros() as usize;
        level.slots_in_use &= level.slots_in_use - 1;
        if level.slots_in_use == 0 {
            self.levels_in_use &= self.levels_in_use - 1;
        }
        if level.slots[slot].len() > FEW {
            return self.split(index as usize, slot);
        }
        std::mem::swap(&mut self.current, &mut level.slots[slot]);
        self.has_turned = true;
        self.until = nanos(&self.current[0]) | ((1 << (index * DIGIT)) - 1);
        for end in 2..=self.current.len() {
            sink(&mut self.current[..end]);
        }
    }

    /// Distributes the events of the earliest slot among finer ones, and makes the first of these
    /// current.
    #[inline(never)]
    fn split(&mut self, index: usize, slot: usize) {
        let events = &mut self.levels[index].slots[slot];
        let first = nanos(&events[0]);
        let differing = events.iter().fold(0, |bits, event| bits | (nanos(event) ^ first));
        if differing == 0 {
            std::mem::swap(&mut self.current, events);
            self.until = first;
            self.current.sort_unstable_by(|a, b| b.cmp(a));
            return;
        }
        let mut events = std::mem::take(events);
        for event in events.drain(..) {
            self.put_in_level(highest_digit(differing), event);
        }
        // Keeps the memory.
        self.levels[index].slots[slot] = events;
        self.refill();
    }
}

impl Level {
    #[inline]
    fn put(&mut self, slot: usize, event: Scheduled) {
        self.slots[slot].push(event);
        self.slots_in_use |= 1 << slot;
    }

    fn clear(&mut self) {
        for slot in bits(self.slots_in_use) {
            self.slots[slot].clear();
        }
        self.slots_in_use = 0;
    }

    fn remove(&mut self, event: Scheduled) -> bool {
        for slot in bits(self.slots_in_use) {
            let events = &mut self.slots[slot];
            if let Some(index) = events.iter().position(|other| *other == event) {
                events.swap_remove(index);
                if events.is_empty() {
                    self.slots_in_use &= !(1 << slot);
                }
                return true;
            }
        }
        false
    }
}

/// Moves the last event to its place among the others, which are sorted, the earliest last.
#[inline]
fn sink(events: &mut [Scheduled]) {
    let [.., event] = *events else { return };
    let mut hole = events.len() - 1;
    while hole > 0 && events[hole - 1] < event {
        events[hole] = events[hole - 1];
        hole -= 1;
    }
    events[hole] = event;
}

#[inline]
const fn nanos(event: &Scheduled) -> u64 {
    event.place.at.as_nanos()
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "a digit is meant")]
const fn digit(nanos: u64, index: u32) -> usize {
    (nanos >> (index * DIGIT)) as usize % SLOT_COUNT
}

/// The index of the highest digit that is not zero, of a number that is not zero.
#[inline]
const fn highest_digit(number: u64) -> u32 {
    number.ilog2() / DIGIT
}

/// The indices of the bits that are set.
fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros() as usize);
        word &= word.wrapping_sub(1);
        bit
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::*;
    use crate::engine::event::{Class, Queue};
    use crate::experiment::Ties;
    use crate::rng::{Rng, Stream};
    use crate::time::Instant;

    #[derive(Clone, Debug)]
    enum Step {
        /// Schedule so many events, this long after the last one that came.
        Push(usize, u64),
        Pop(usize),
        Remove(usize),
        Clear,
    }

    fn step() -> impl Strategy<Value = Step> {
        let after = prop_oneof![
            Just(0),
            Just(u64::MAX),
            0u64..4,
            (0u32..64, any::<u64>()).prop_map(|(bits, number)| number >> bits),
        ];
        prop_oneof![
            8 => (0usize..40, after).prop_map(|(count, after)| Step::Push(count, after)),
            6 => (0usize..60).prop_map(Step::Pop),
            1 => any::<usize>().prop_map(Step::Remove),
            1 => Just(Step::Clear),
        ]
    }

    proptest! {
        /// Against a map, which is sorted by definition.
        #[test]
        fn events_come_in_the_order_of_their_places(
            steps in proptest::collection::vec(step(), 0..60),
            spread in 0u64..1 << 40,
        ) {
            let mut places = Queue::new(Ties::Sequence, Rng::new(1, Stream::Ties));
            let (mut wheel, mut model, mut now) = (Wheel::default(), BTreeMap::new(), 0u64);
            for step in steps {
                match step {
                    Step::Push(count, after) => for index in 0..count as u64 {
                        let at = now.saturating_add(after).saturating_add(index % 7 * spread);
                        let class = if index % 3 == 0 { Class::Timer } else { Class::Delivery };
                        let place = places.place(Instant::from_nanos(at), class);
                        let event = Scheduled::at(place);
                        wheel.push(event);
                        model.insert(place, event);
                    },
                    Step::Pop(count) => for _ in 0..count {
                        let first = model.pop_first().map(|(_, event)| event);
                        prop_assert_eq!(wheel.peek().copied(), first);
                        prop_assert_eq!(wheel.pop(), first);
                        now = first.map_or(now, |event| nanos(&event));
                    },
                    Step::Remove(index) => {
                        let index = index.checked_rem(model.len()).unwrap_or(0);
                        let event = model.values().nth(index).copied();
                        if let Some(event) = event {
                            model.remove(&event.place);
                            prop_assert_eq!(wheel.remove(event), true);
                            prop_assert_eq!(wheel.remove(event), false);
                        }
                    }
                    Step::Clear => {
                        wheel.clear();
                        model.clear();
                    }
                }
                let mut all: Vec<_> = wheel.iter().copied().collect();
                all.sort_unstable();
                prop_assert_eq!(all, model.values().copied().collect::<Vec<_>>());
            }
            let rest: Vec<_> = std::iter::from_fn(|| wheel.pop()).collect();
            prop_assert_eq!(rest, model.into_values().collect::<Vec<_>>());
        }
    }

    /// The cost of an event must not grow with the number of events.
    #[test]
    fn few_of_many_events_are_in_the_heap() {
        let mut places = Queue::new(Ties::Sequence, Rng::new(1, Stream::Ties));
        let mut wheel = Wheel::default();
        for index in 0..10_000u64 {
            let at = Instant::from_nanos(index * 7_919 % 10_000 * 1_000);
            wheel.push(Scheduled::at(places.place(at, Class::Delivery)));
            assert!(wheel.heap.iter().count() <= HEAP_LENGTH_MAX + 1, "{index}");
        }
        let mut largest = 0;
        for index in 0..10_000 {
            assert_eq!(wheel.pop().map(|event| nanos(&event)), Some(index * 1_000));
            largest = largest.max(wheel.current.len());
        }
        assert!(largest <= FEW, "{largest}");
    }

    #[test]
    fn the_last_event_of_its_level_is_removed_from_among_others() {
        let mut places = Queue::new(Ties::Sequence, Rng::new(1, Stream::Ties));
        // One event in each level, but for the first instant, which has enough to begin with.
        let times = std::iter::repeat_n(0, HEAP_LENGTH_MAX).chain((0..9).map(|k| 1 << (6 * k)));
        let times: Vec<u64> = times.collect();
        for removed in HEAP_LENGTH_MAX..times.len() {
            let mut wheel = Wheel::default();
            let mut push = |at| {
                let place = places.place(Instant::from_nanos(at), Class::Delivery);
                wheel.push(Scheduled::at(place));
                Scheduled::at(place)
            };
            let mut events: Vec<Scheduled> = times.iter().map(|at| push(*at)).collect();
            let event = events.remove(removed);
            assert!(wheel.remove(event) && !wheel.remove(event));
            let rest: Vec<_> = std::iter::from_fn(|| wheel.pop()).collect();
            assert_eq!(rest, events);
        }
    }

    #[test]
    fn the_last_slot_of_time_is_no_exception() {
        let mut places = Queue::new(Ties::Sequence, Rng::new(1, Stream::Ties));
        let (mut wheel, last) = (Wheel::default(), 0xf << 60);
        let mut push = |wheel: &mut Wheel, at| {
            let place = places.place(Instant::from_nanos(at), Class::Delivery);
            wheel.push(Scheduled::at(place));
        };
        let now = std::iter::repeat_n(0, HEAP_LENGTH_MAX + 1);
        now.chain([last + 5]).for_each(|at| push(&mut wheel, at));
        for _ in 0..=HEAP_LENGTH_MAX {
            assert_eq!(wheel.pop().map(|event| nanos(&event)), Some(0));
        }
        assert_eq!(wheel.peek().map(nanos), Some(last + 5));
        (1..=HEAP_LENGTH_MAX as u64 + 1).for_each(|k| push(&mut wheel, last + 2 * k));
        let rest: Vec<u64> =
            std::iter::from_fn(|| wheel.pop()).map(|event| nanos(&event) - last).collect();
        assert!(rest.is_sorted(), "{rest:?}");
    }
}
