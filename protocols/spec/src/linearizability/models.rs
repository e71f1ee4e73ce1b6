//! Sequential objects of which histories are common.
//!
//! An object of one's own is another [`Model`]: a state, and a pure step.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::Model;
use super::sequence::{Sequence, Waiting};
use super::value::Value;

/// A register, or one key of a key-value store.
pub struct Cell;

/// What a cell holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// Anything but a list.
    One(Value),
    /// A list, to which more may be appended.
    Many(Sequence),
}

impl From<Value> for Content {
    fn from(value: Value) -> Self {
        match value {
            Value::List(values) => Self::Many(values.into_iter().collect()),
            value => Self::One(value),
        }
    }
}

impl From<&Content> for Value {
    fn from(content: &Content) -> Self {
        match content {
            Content::One(value) => value.clone(),
            Content::Many(values) => Self::List(values.values()),
        }
    }
}

/// An operation on a cell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CellOperation {
    /// Finds the content.
    Read,
    /// Sets the content.
    Write(Content),
    /// Sets the content to `new` if it is `expected`.
    CompareAndSwap {
        /// The required content.
        expected: Content,
        /// The new content.
        new: Content,
    },
    /// Adds a value to the end of a list, or a text to the end of a text. What is neither, nor
    /// nothing, becomes the first value of a list.
    Append(Value),
    /// Adds one to an integer, and finds the result. What is none counts as 0.
    Increment,
}

/// The result of an operation on a cell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CellOutcome {
    /// It is written or appended.
    Done,
    /// The content read, or the result of an increment.
    Found(Content),
    /// Whether the content was as expected.
    Swapped(bool),
}

impl Model for Cell {
    type State = Content;
    type Operation = CellOperation;
    type Outcome = CellOutcome;

    fn step(state: &Content, operation: &CellOperation) -> (Content, CellOutcome) {
        match operation {
            CellOperation::Read => (state.clone(), CellOutcome::Found(state.clone())),
            CellOperation::Write(new) => (new.clone(), CellOutcome::Done),
            CellOperation::CompareAndSwap { expected, new } if expected == state => {
                (new.clone(), CellOutcome::Swapped(true))
            }
            CellOperation::CompareAndSwap { .. } => (state.clone(), CellOutcome::Swapped(false)),
            CellOperation::Append(value) => (appended(state, value), CellOutcome::Done),
            CellOperation::Increment => {
                let number = match state {
                    Content::One(Value::Integer(number)) => number.wrapping_add(1),
                    _ => 1,
                };
                let next = Content::One(Value::Integer(number));
                (next.clone(), CellOutcome::Found(next))
            }
        }
    }

    fn only_looks(operation: &CellOperation, outcome: &CellOutcome) -> bool {
        *operation == CellOperation::Read || *outcome == CellOutcome::Swapped(false)
    }
}

fn appended(state: &Content, value: &Value) -> Content {
    match (state, value) {
        (Content::One(Value::Nil), Value::Text(_)) => Content::One(value.clone()),
        (Content::One(Value::Text(text)), Value::Text(more)) => {
            Content::One(Value::text(&format!("{text}{more}")))
        }
        (Content::One(Value::Nil), _) => Content::Many(Sequence::default().with(value.clone())),
        (Content::One(one), _) => {
            Content::Many(Sequence::default().with(one.clone()).with(value.clone()))
        }
        (Content::Many(values), _) => Content::Many(values.with(value.clone())),
    }
}

/// A set of numbers: who builds the history numbers the elements, from 0 without large gaps.
pub struct Set;

/// The members of a set. A copy shares what did not change.
#[derive(Clone, Debug, Default)]
pub struct Members {
    /// Parts of 512 bits; none ends in a part without members.
    parts: Vec<Arc<[u64; 8]>>,
}

impl Members {
    fn has(&self, element: u32) -> bool {
        let (part, word, bit) = place(element);
        self.parts.get(part).is_some_and(|words| words[word] >> bit & 1 == 1)
    }

    fn flipped(&self, element: u32) -> Self {
        let (part, word, bit) = place(element);
        let mut parts = self.parts.clone();
        if parts.len() <= part {
            parts.resize(part + 1, Arc::new([0; 8]));
        }
        Arc::make_mut(&mut parts[part])[word] ^= 1 << bit;
        while parts.last().is_some_and(|words| **words == [0; 8]) {
            parts.pop();
        }
        Self { parts }
    }

    /// The members, in their order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        let end = u32::try_from(self.parts.len() * 512).unwrap_or(u32::MAX);
        (0..end).filter(|element| self.has(*element))
    }
}

impl FromIterator<u32> for Members {
    fn from_iter<I: IntoIterator<Item = u32>>(elements: I) -> Self {
        let add = |members: Self, element| match members.has(element) {
            true => members,
            false => members.flipped(element),
        };
        elements.into_iter().fold(Self::default(), add)
    }
}

const fn place(element: u32) -> (usize, usize, u32) {
    (element as usize / 512, element as usize / 64 % 8, element % 64)
}

impl PartialEq for Members {
    fn eq(&self, other: &Self) -> bool {
        let mut parts = self.parts.iter().zip(&other.parts);
        let alike = self.parts.len() == other.parts.len();
        alike && parts.all(|(one, two)| Arc::ptr_eq(one, two) || one == two)
    }
}

impl Eq for Members {}

impl Hash for Members {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts.hash(state);
    }
}

/// An operation on a set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SetOperation {
    /// Makes the element a member.
    Add(u32),
    /// Makes it none.
    Remove(u32),
    /// Finds all members.
    Read,
}

/// The result of an operation on a set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SetOutcome {
    /// It is added or removed.
    Done,
    /// The members.
    Found(Members),
}

impl Model for Set {
    type State = Members;
    type Operation = SetOperation;
    type Outcome = SetOutcome;

    fn step(state: &Members, operation: &SetOperation) -> (Members, SetOutcome) {
        let next = match *operation {
            SetOperation::Add(element) if !state.has(element) => state.flipped(element),
            SetOperation::Remove(element) if state.has(element) => state.flipped(element),
            SetOperation::Read => return (state.clone(), SetOutcome::Found(state.clone())),
            _ => state.clone(),
        };
        (next, SetOutcome::Done)
    }

    fn only_looks(operation: &SetOperation, _: &SetOutcome) -> bool {
        *operation == SetOperation::Read
    }
}

/// A queue: first in, first out.
pub struct Queue;

/// An operation on a queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum QueueOperation {
    /// Adds a value behind all others.
    Enqueue(Value),
    /// Removes the first value.
    Dequeue,
}

/// The result of an operation on a queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum QueueOutcome {
    /// It is enqueued.
    Done,
    /// The value that was first; nothing if there was none.
    Dequeued(Option<Value>),
}

impl Model for Queue {
    type State = Waiting;
    type Operation = QueueOperation;
    type Outcome = QueueOutcome;

    fn step(state: &Waiting, operation: &QueueOperation) -> (Waiting, QueueOutcome) {
        match operation {
            QueueOperation::Enqueue(value) => (state.with(value.clone()), QueueOutcome::Done),
            QueueOperation::Dequeue => match state.split_first() {
                Some((first, rest)) => (rest, QueueOutcome::Dequeued(Some(first))),
                None => (state.clone(), QueueOutcome::Dequeued(None)),
            },
        }
    }

    fn only_looks(_: &QueueOperation, outcome: &QueueOutcome) -> bool {
        *outcome == QueueOutcome::Dequeued(None)
    }
}

/// A lock, which at most one process holds.
pub struct Lock;

/// An operation of this process on a lock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockOperation {
    /// Takes it, if nobody holds it.
    Acquire(u64),
    /// Gives it back, if this process holds it.
    Release(u64),
}

impl Model for Lock {
    /// The process that holds it.
    type State = Option<u64>;
    type Operation = LockOperation;
    /// Whether it could be taken, or given back.
    type Outcome = bool;

    fn step(state: &Option<u64>, operation: &LockOperation) -> (Option<u64>, bool) {
        match *operation {
            LockOperation::Acquire(process) if state.is_none() => (Some(process), true),
            LockOperation::Release(process) if *state == Some(process) => (None, true),
            _ => (*state, false),
        }
    }

    fn only_looks(_: &LockOperation, outcome: &bool) -> bool {
        !outcome
    }
}
