//! Sets of broadcast messages.

use std::collections::BTreeMap;

use ftsim_core::ProcessId;

use super::broadcast::MessageNumber;
use crate::interval_set::IntervalSet;

/// The identity of a message: its sender and its number.
pub type MessageName = (ProcessId, MessageNumber);

/// A set of messages. It stays small while senders number their messages consecutively.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MessageSet {
    /// The numbers of each sender's messages; never empty.
    senders: BTreeMap<ProcessId, IntervalSet>,
}

impl MessageSet {
    /// Adds a message; returns false if it is a member already.
    pub fn insert(&mut self, (sender, number): MessageName) -> bool {
        self.senders.entry(sender).or_default().insert(number)
    }

    /// Removes a message; returns false if it is not a member.
    pub fn remove(&mut self, (sender, number): MessageName) -> bool {
        let Some(numbers) = self.senders.get_mut(&sender) else { return false };
        let removed = numbers.remove(number);
        if numbers.first().is_none() {
            self.senders.remove(&sender);
        }
        removed
    }

    /// Removes the messages of all senders that `keep` refuses.
    pub fn retain_senders(&mut self, keep: impl Fn(ProcessId) -> bool) {
        self.senders.retain(|sender, _| keep(*sender));
    }

    /// Whether a message is a member.
    pub fn contains(&self, (sender, number): MessageName) -> bool {
        self.senders.get(&sender).is_some_and(|numbers| numbers.contains(number))
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.senders.values().all(IntervalSet::is_empty)
    }

    /// The number of messages, at most `u64::MAX`.
    pub fn len(&self) -> u64 {
        self.senders.values().map(IntervalSet::len).fold(0, u64::saturating_add)
    }

    /// The messages that are in at least one of these sets.
    pub fn union<'s>(sets: impl IntoIterator<Item = &'s Self>) -> Self {
        let mut union = Self::default();
        for (sender, numbers) in sets.into_iter().flat_map(|set| &set.senders) {
            union.senders.entry(*sender).or_default().extend(numbers);
        }
        union
    }

    /// The first message of each sender, in the order of the senders.
    pub fn first_of_each(&self) -> impl Iterator<Item = MessageName> {
        self.senders.iter().filter_map(|(sender, numbers)| Some((*sender, numbers.first()?)))
    }

    /// The first message, in the order of senders and then of numbers, that `other` lacks.
    pub fn first_not_in(&self, other: &Self) -> Option<MessageName> {
        self.senders.iter().find_map(|(sender, numbers)| {
            let number = match other.senders.get(sender) {
                None => numbers.first(),
                Some(others) => numbers.first_not_in(others),
            };
            Some((*sender, number?))
        })
    }

    /// The number of messages up to this one, in the order of senders and then of numbers.
    pub fn count_up_to(&self, (sender, number): MessageName) -> u64 {
        let before = self.senders.range(..sender).map(|(_, numbers)| numbers.len());
        let own = self.senders.get(&sender).map_or(0, |numbers| numbers.count_up_to(number));
        before.fold(own, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};
    use std::collections::BTreeSet;

    fn message() -> impl Strategy<Value = MessageName> {
        (0u32..4, 0u64..8).prop_map(|(sender, number)| (ProcessId(sender), number))
    }

    proptest! {
        #[test]
        fn it_behaves_as_a_btree_set_does(
            ops in proptest::collection::vec((any::<bool>(), message()), 0..60),
            other in proptest::collection::btree_set(message(), 0..20),
        ) {
            let (mut set, mut model) = (MessageSet::default(), BTreeSet::new());
            for (insert, message) in ops {
                if insert {
                    prop_assert_eq!(set.insert(message), model.insert(message));
                } else {
                    prop_assert_eq!(set.remove(message), model.remove(&message));
                }
                prop_assert_eq!(set.contains(message), model.contains(&message));
                prop_assert_eq!(set.len(), model.len() as u64);
                prop_assert_eq!(set.is_empty(), model.is_empty());
                prop_assert_eq!(set.count_up_to(message), model.range(..=message).count() as u64);
                prop_assert_eq!(set.first_of_each().next(), model.first().copied());
            }
            let mut even = set.clone();
            even.retain_senders(|sender| sender.0 % 2 == 0);
            prop_assert_eq!(even.len(), model.iter().filter(|m| m.0.0 % 2 == 0).count() as u64);
            let mut others = MessageSet::default();
            other.iter().for_each(|message| _ = others.insert(*message));
            let missing = model.difference(&other).next().copied();
            prop_assert_eq!(set.first_not_in(&others), missing);
            let union = MessageSet::union([&set, &others]);
            prop_assert_eq!(union.len(), (&model | &other).len() as u64);
        }
    }
}
