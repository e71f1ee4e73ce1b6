//! The processes that each message has reached.

use std::collections::BTreeMap;

use ftsim_core::{End, ProcessId, Setting};

use crate::message_set::MessageName;

/// The processes that have delivered each message: a bit for each of them, and none for messages
/// that nobody has delivered.
#[derive(Clone, Debug, Hash)]
pub struct Reach {
    n: u32,
    /// Bit `p % 64` of word `p / 64`, for each process `p`.
    delivered: BTreeMap<MessageName, Box<[u64]>>,
}

/// How many of the correct processes a message has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The correct processes that delivered it.
    pub count: u64,
    /// All correct processes.
    pub total: u64,
}

impl Reach {
    /// No message has reached any process.
    pub const fn new(setting: &Setting) -> Self {
        Self { n: setting.n, delivered: BTreeMap::new() }
    }

    /// Notes that `p` has delivered `message`; returns false if it had before.
    pub fn add(&mut self, message: MessageName, p: ProcessId) -> bool {
        let word_count = (self.n as usize).div_ceil(64);
        let none = || vec![0; word_count].into_boxed_slice();
        let words = self.delivered.entry(message).or_insert_with(none);
        let bit = 1 << (p.0 % 64);
        let Some(word) = words.get_mut(p.index() / 64) else { return true };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// The messages that have reached a process, in order.
    pub fn messages(&self) -> impl Iterator<Item = MessageName> + '_ {
        self.delivered.keys().copied()
    }

    /// How many of the correct processes `message` has reached by the end of a run.
    pub fn of(&self, message: MessageName, end: &End<'_>) -> Reached {
        let (mut count, mut total) = (0, 0);
        for p in end.correct() {
            total += 1;
            count += u64::from(self.has(message, p));
        }
        Reached { count, total }
    }

    /// The first correct process that `message` has reached.
    pub fn first_reached(&self, message: MessageName, end: &End<'_>) -> Option<ProcessId> {
        end.correct().find(|p| self.has(message, *p))
    }

    /// The first correct process that `message` has not reached.
    pub fn first_missed(&self, message: MessageName, end: &End<'_>) -> Option<ProcessId> {
        end.correct().find(|p| !self.has(message, *p))
    }

    fn has(&self, message: MessageName, p: ProcessId) -> bool {
        let word = self.delivered.get(&message).and_then(|words| words.get(p.index() / 64));
        word.is_some_and(|word| word & 1 << (p.0 % 64) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftsim_core::{EndCause, Instant};

    #[test]
    fn it_counts_the_correct_processes_that_a_message_has_reached() {
        let mut reach = Reach::new(&Setting::of(130));
        let message = (ProcessId(3), 7);
        for p in [0, 63, 64, 129] {
            assert!(reach.add(message, ProcessId(p)));
            assert!(!reach.add(message, ProcessId(p)));
        }
        let mut correct = [true; 130];
        correct[0] = false;
        correct[1] = false;
        let end = End::new(Instant::ZERO, EndCause::Quiescent, &correct);
        assert_eq!(reach.of(message, &end), Reached { count: 3, total: 128 });
        assert_eq!(reach.first_reached(message, &end), Some(ProcessId(63)));
        assert_eq!(reach.first_missed(message, &end), Some(ProcessId(2)));
        let other = (ProcessId(3), 8);
        assert_eq!(reach.of(other, &end), Reached { count: 0, total: 128 });
        assert_eq!(reach.first_reached(other, &end), None);
        assert_eq!(reach.messages().collect::<Vec<_>>(), [message]);
    }
}
