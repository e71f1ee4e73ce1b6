//! The timers of one process. Moving a timer is a write, not a push: its event is rescheduled when
//! it comes up.

use std::hash::Hash;

use crate::digest::Digest;
use crate::engine::event::Place;
use crate::time::Instant;

/// The timers set by one process; few enough for linear search.
#[derive(Clone, Debug)]
pub(crate) struct Timers<T> {
    entries: Vec<Option<Entry<T>>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    timer: T,
    /// The time when it is due, and its rank, which is that of its setting. `None` once cancelled.
    due: Option<Place>,
    /// The place of its event in the queue, at or before `due`; `None` while it waits in an inbox.
    queued: Option<Place>,
}

/// The result of a timer's event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due<T> {
    /// Nothing: the timer was cancelled or belongs to an earlier life.
    Stale,
    /// The timer was moved: its event belongs here.
    Later(Place),
    /// The timer fires.
    Now(T),
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<T: Copy + Eq> Timers<T> {
    /// Sets `timer` to be due at `due`. Returns the index with which an event must be queued there,
    /// if one is needed.
    pub fn set(&mut self, timer: T, due: Place) -> Option<u32> {
        let mut free = None;
        for (index, entry) in self.entries.iter_mut().enumerate() {
            match entry {
                Some(entry) if entry.timer == timer => {
                    entry.due = Some(due);
                    if entry.queued.is_some_and(|queued| queued <= due) {
                        return None;
                    }
                    entry.queued = Some(due);
                    return u32::try_from(index).ok();
                }
                Some(_) => {}
                None => free = free.or(Some(index)),
            }
        }
        let entry = Some(Entry { timer, due: Some(due), queued: Some(due) });
        let index = free.unwrap_or(self.entries.len());
        if index < self.entries.len() {
            self.entries[index] = entry;
        } else {
            self.entries.push(entry);
        }
        u32::try_from(index).ok()
    }

    /// Cancels `timer`, if it is set.
    pub fn cancel(&mut self, timer: T) {
        for slot in &mut self.entries {
            if let Some(entry) = slot
                && entry.timer == timer
            {
                entry.due = None;
                if entry.queued.is_none() {
                    *slot = None;
                }
                return;
            }
        }
    }

    /// Handles the event queued for `index` at `place`.
    pub fn due(&mut self, index: u32, place: Place) -> Due<T> {
        let Some(slot) = self.entries.get_mut(index as usize) else { return Due::Stale };
        match slot {
            Some(Entry { timer, due, queued }) if *queued == Some(place) => match *due {
                None => {
                    *slot = None;
                    Due::Stale
                }
                Some(due) if due != place => {
                    *queued = Some(due);
                    Due::Later(due)
                }
                Some(_) => {
                    let timer = *timer;
                    *slot = None;
                    Due::Now(timer)
                }
            },
            _ => Due::Stale,
        }
    }

    /// Postpones a timer that is due but cannot be handled yet: it stays set, and its event waits
    /// in the inbox.
    pub fn wait(&mut self, timer: T, place: Place) {
        let entry = Some(Entry { timer, due: Some(place), queued: None });
        match self.entries.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => *slot = entry,
            None => self.entries.push(entry),
        }
    }

    /// Takes a waiting timer; returns whether it was neither cancelled nor moved since.
    pub fn take_waiting(&mut self, timer: T, place: Place) -> bool {
        let waiting = self.entries.iter_mut().find(|slot| {
            slot.as_ref()
                .is_some_and(|e| e.timer == timer && e.due == Some(place) && e.queued.is_none())
        });
        waiting.and_then(Option::take).is_some()
    }

    /// The timer whose event is queued for `index` at `place`, if it is still set.
    pub fn queued_at(&self, index: u32, place: Place) -> Option<T> {
        let entry = self.entries.get(index as usize)?.as_ref()?;
        (entry.queued == Some(place) && entry.due.is_some()).then_some(entry.timer)
    }

    /// Moves the event queued for `index` at `place` to the time when its timer is due, and returns
    /// that place; `None` if the timer never fires.
    pub fn settle(&mut self, index: u32, place: Place) -> Option<Place> {
        let slot = self.entries.get_mut(index as usize)?;
        let entry = slot.as_mut().filter(|entry| entry.queued == Some(place))?;
        if entry.due.is_none() {
            *slot = None;
            return None;
        }
        entry.queued = entry.due;
        entry.due
    }

    /// Has the timer whose event is queued for `index` at `place` run out at `now` instead.
    pub fn bring_forward(&mut self, index: u32, place: Place, now: Place) {
        let slot = self.entries.get_mut(index as usize).and_then(Option::as_mut);
        if let Some(entry) = slot.filter(|entry| entry.due == Some(place)) {
            entry.due = Some(now);
            entry.queued = Some(now);
        }
    }

    /// Removes all timers that are set and not yet due, and returns them with their due times.
    pub fn take_running(&mut self) -> Vec<(T, Place)> {
        let running = |slot: &mut Option<Entry<T>>| {
            let Entry { timer, due, queued } = slot.as_ref()?;
            let taken = (*timer, (*due)?);
            queued.is_some().then_some(taken)
        };
        let mut taken = Vec::new();
        for slot in &mut self.entries {
            if let Some(found) = running(slot) {
                *slot = None;
                taken.push(found);
            }
        }
        taken.sort_unstable_by_key(|(_, due)| *due);
        taken
    }

    /// The timers that are set, their remaining times, and those that wait in the inbox.
    pub fn fingerprint(&self, now: Instant, digest: &mut Digest)
    where
        T: Hash,
    {
        let mut sum = 0u64;
        for entry in self.entries.iter().flatten() {
            let Some(due) = entry.due else { continue };
            let mut one = Digest::EMPTY;
            (&entry.timer, due.at.since(now), entry.queued.is_none()).hash(&mut one);
            sum = sum.wrapping_add(one.value());
        }
        sum.hash(digest);
    }

    /// Discards all timers. Their events become stale.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::{Class, Queue};
    use crate::experiment::Ties;
    use crate::rng::Stream;
    use crate::time::Instant;
    use proptest::prelude::{Strategy, prop_assert_eq, prop_oneof, proptest};
    use std::collections::BTreeMap;

    #[derive(Clone, Debug)]
    enum Op {
        Set(u8, u64),
        Cancel(u8),
        Advance(u64),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => (0u8..4, 0u64..20).prop_map(|(t, d)| Op::Set(t, d)),
            1 => (0u8..4).prop_map(Op::Cancel),
            2 => (0u64..10).prop_map(Op::Advance),
        ]
    }

    proptest! {
        /// The model pushes an event for each setting and forgets the old one.
        #[test]
        fn lazy_timers_fire_like_eager_ones(ops in proptest::collection::vec(op(), 0..80)) {
            let mut queue = Queue::new(Ties::Sequence, crate::rng::Rng::new(1, Stream::Ties));
            let mut timers = Timers::default();
            let mut model: BTreeMap<u8, Place> = BTreeMap::new();
            let mut now = 0;
            let (mut fired, mut expected) = (Vec::new(), Vec::new());
            for op in ops.into_iter().chain([Op::Advance(1_000)]) {
                match op {
                    Op::Set(timer, after) => {
                        let due = queue.place(Instant::from_nanos(now + after), Class::Timer);
                        if let Some(index) = timers.set(timer, due) {
                            queue.push(due, index, 0);
                        }
                        model.insert(timer, due);
                    }
                    Op::Cancel(timer) => {
                        timers.cancel(timer);
                        model.remove(&timer);
                    }
                    Op::Advance(by) => {
                        now += by;
                        while queue.peek().is_some_and(|s| s.place.at.as_nanos() <= now) {
                            let event = queue.pop().unwrap();
                            match timers.due(event.subject(), event.place) {
                                Due::Stale => {}
                                Due::Later(place) => queue.push(place, event.subject(), 0),
                                Due::Now(timer) => fired.push((event.place, timer)),
                            }
                        }
                        let all = model.iter().map(|(timer, place)| (*place, *timer));
                        let mut due: Vec<_> =
                            all.filter(|(place, _)| place.at.as_nanos() <= now).collect();
                        due.sort_unstable();
                        model.retain(|_, p| p.at.as_nanos() > now);
                        expected.extend(due);
                    }
                }
            }
            prop_assert_eq!(fired, expected);
        }
    }

    /// Two timers, and places for them.
    struct Bench {
        timers: Timers<char>,
        queue: Queue,
    }

    impl Bench {
        fn new() -> Self {
            let queue = Queue::new(Ties::Sequence, crate::rng::Rng::new(1, Stream::Ties));
            Self { timers: Timers::default(), queue }
        }
        fn place(&mut self, at: u64) -> Place {
            self.queue.place(Instant::from_nanos(at), Class::Timer)
        }
    }

    #[test]
    fn an_event_that_was_overtaken_is_stale_for_whoever_has_its_slot_now() {
        let mut bench = Bench::new();
        let (late, early, other) = (bench.place(10), bench.place(5), bench.place(20));
        let timers = &mut bench.timers;
        assert_eq!(timers.set('a', late), Some(0));
        assert_eq!(timers.set('a', early), Some(0), "an earlier place needs an event of its own");
        assert_eq!(timers.due(0, early), Due::Now('a'));
        assert_eq!(timers.set('b', other), Some(0));
        assert_eq!(timers.due(0, late), Due::Stale);
        assert_eq!(timers.due(0, other), Due::Now('b'));
        assert_eq!(timers.due(0, other), Due::Stale);
        assert_eq!(timers.due(7, other), Due::Stale);
    }

    #[test]
    fn a_timer_that_is_put_off_keeps_its_event() {
        let mut bench = Bench::new();
        let (early, late) = (bench.place(5), bench.place(10));
        let timers = &mut bench.timers;
        assert_eq!(timers.set('a', early), Some(0));
        assert_eq!(timers.queued_at(0, early), Some('a'));
        assert_eq!(timers.set('a', late), None);
        assert_eq!(timers.due(0, early), Due::Later(late));
        assert_eq!([timers.queued_at(0, early), timers.queued_at(0, late)], [None, Some('a')]);
        timers.cancel('b');
        assert_eq!(timers.due(0, late), Due::Now('a'));
    }

    #[test]
    fn an_unset_timer_can_be_set_again_on_the_event_that_it_left() {
        let mut bench = Bench::new();
        let (early, late) = (bench.place(5), bench.place(10));
        let timers = &mut bench.timers;
        timers.set('a', early);
        timers.set('b', early);
        timers.cancel('a');
        assert_eq!([timers.queued_at(0, early), timers.queued_at(1, early)], [None, Some('b')]);
        assert_eq!(timers.set('a', late), None);
        assert_eq!(timers.due(0, early), Due::Later(late));
        timers.cancel('a');
        assert_eq!(timers.due(0, late), Due::Stale);
        assert_eq!(timers.set('c', late), Some(0), "its slot is free");
    }

    #[test]
    fn a_waiting_timer_is_taken_once_if_it_was_neither_unset_nor_moved() {
        let mut bench = Bench::new();
        let (place, later) = (bench.place(5), bench.place(10));
        let timers = &mut bench.timers;
        let wait = |timers: &mut Timers<char>| {
            timers.set('a', place);
            assert_eq!(timers.due(0, place), Due::Now('a'));
            timers.wait('a', place);
        };
        timers.set('a', place);
        assert!(!timers.take_waiting('a', place), "its event is in the queue");
        assert_eq!(timers.due(0, place), Due::Now('a'));
        wait(timers);
        assert!(!timers.take_waiting('a', later) && !timers.take_waiting('b', place));
        assert_eq!(timers.due(0, place), Due::Stale);
        assert!(timers.take_waiting('a', place) && !timers.take_waiting('a', place));
        wait(timers);
        timers.cancel('a');
        assert!(!timers.take_waiting('a', place));
        assert_eq!(timers.set('b', later), Some(0), "its slot is free");
        timers.clear();
        wait(timers);
        assert_eq!(timers.set('a', later), Some(0), "no event of it is in the queue");
        assert!(!timers.take_waiting('a', place));
        assert_eq!(timers.due(0, later), Due::Now('a'));
    }

    #[test]
    fn running_timers_are_taken_out_in_the_order_in_which_they_would_run_out() {
        let mut bench = Bench::new();
        let [p5, p10, p20, p30] = [5, 10, 20, 30].map(|at| bench.place(at));
        let timers = &mut bench.timers;
        timers.set('a', p20);
        timers.set('b', p10);
        timers.set('c', p30);
        timers.wait('d', p5);
        timers.cancel('c');
        assert_eq!(timers.take_running(), [('b', p10), ('a', p20)]);
        assert_eq!(timers.take_running(), []);
        assert_eq!([timers.due(1, p10), timers.due(2, p30)], [Due::Stale; 2]);
        assert!(timers.take_waiting('d', p5));
    }
}
