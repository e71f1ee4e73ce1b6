//! A heap of events: the earliest first.

use crate::event::Scheduled;

/// Children of one entry. With four a heap is half as deep as with two, and those of one entry lie
/// side by side.
const CHILDREN: usize = 4;

/// Events of which the earliest can be taken. The children of entry `i` are the entries from
/// `4 i + 1` to `4 i + 4`, and none is earlier than it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heap {
    entries: Vec<Scheduled>,
}

impl Heap {
    /// Empties it; its memory is kept.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// All events, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Scheduled> {
        self.entries.iter()
    }

    /// The earliest event.
    #[inline]
    pub fn peek(&self) -> Option<&Scheduled> {
        self.entries.first()
    }

    /// Adds an event.
    #[inline]
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

    /// Takes the earliest event.
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

    /// The index of the earliest child of an entry.
    #[inline]
    fn earliest_child(&self, parent: usize) -> Option<usize> {
        let eldest = parent * CHILDREN + 1;
        let children = self.entries.get(eldest..)?;
        if let Some([a, b, c, d]) = children.first_chunk::<CHILDREN>() {
            // Sums instead of branches, which nobody could predict.
            let (left, right) = (usize::from(b < a), usize::from(d < c));
            let later = usize::from([c, d][right] < [a, b][left]);
            return Some(eldest + [left, 2 + right][later]);
        }
        (eldest..self.entries.len()).min_by_key(|child| self.entries[*child])
    }
}
