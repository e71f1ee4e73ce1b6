//! A heap of events: the earliest first.

use crate::engine::event::Scheduled;

/// The number of children of an entry. With four, a heap is half as deep as with two, and the
/// children of an entry are adjacent.
const CHILDREN: usize = 4;

/// A heap of events. The children of entry `i` are the entries from `4 i + 1` to `4 i + 4`, and
/// none is earlier than it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heap {
    entries: Vec<Scheduled>,
}

impl Heap {
    /// Empties the heap and keeps its memory.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Whether there is no event.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The number of events.
    #[inline]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// All events, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Scheduled> {
        self.entries.iter()
    }

    /// The earliest event.
    #[inline]
    pub fn peek(&self) -> Option<&Scheduled> {
        self.entries.first()
    }

    /// Adds an event.
    #[inline(always)]
    pub fn push(&mut self, event: Scheduled) {
        let mut hole = self.entries.len();
        self.entries.push(event);
        while hole > 0 {
            let parent = (hole - 1) / CHILDREN;
            if self.entries[parent] <= event {
                break;
            }
            self.entries[hole] = self.entries[parent];
            hole = parent;
        }
        self.entries[hole] = event;
    }

    /// Removes the earliest event.
    #[inline]
    pub fn pop(&mut self) -> Option<Scheduled> {
        let last = self.entries.pop()?;
        let Some(first) = self.entries.first().copied() else { return Some(last) };
        let mut hole = 0;
        while let Some(child) = self.earliest_child(hole)
            && self.entries[child] < last
        {
            self.entries[hole] = self.entries[child];
            hole = child;
        }
        self.entries[hole] = last;
        Some(first)
    }

    /// Removes this event, wherever it is. False if it is not in the heap.
    pub fn remove(&mut self, event: Scheduled) -> bool {
        let Some(index) = self.entries.iter().position(|entry| *entry == event) else {
            return false;
        };
        let behind = self.entries.split_off(index);
        for other in behind.into_iter().skip(1) {
            self.push(other);
        }
        true
    }

    /// The index of the earliest child of an entry.
    #[inline]
    fn earliest_child(&self, parent: usize) -> Option<usize> {
        let eldest = parent * CHILDREN + 1;
        let children = self.entries.get(eldest..)?;
        let index = match children.first_chunk::<CHILDREN>() {
            Some(children) => earliest_of_four(children),
            None => earliest_of_few(children)?,
        };
        Some(eldest + index)
    }
}

/// The earliest of four, as a choice among values, because branches would be unpredictable.
#[inline]
fn earliest_of_four([a, b, c, d]: &[Scheduled; CHILDREN]) -> usize {
    let (a, b, c, d) = (a.place.key(), b.place.key(), c.place.key(), d.place.key());
    let (left, right) = (usize::from(b < a), usize::from(d < c));
    if c.min(d) < a.min(b) { 2 + right } else { left }
}

/// The index of the earliest; a separate function, so that it does not slow down the common case.
#[inline(never)]
fn earliest_of_few(events: &[Scheduled]) -> Option<usize> {
    (0..events.len()).min_by_key(|index| events[*index].place.key())
}
