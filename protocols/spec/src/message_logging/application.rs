//! The application: piecewise deterministic, with a state in which all deliveries are mixed.

use std::fmt;

use ftsim_core::ProcessId;
use serde::{Deserialize, Serialize};

use super::Interval;

/// The value of a state, which tells one order of deliveries from another.
pub type Value = u32;

/// A job: an input from the outside world, and what comes of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Job {
    /// The process that receives the input.
    pub at: ProcessId,
    /// The number of the input at that process.
    pub number: u64,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {} of {}", self.number, self.at)
    }
}

/// A message of the application. An input from the outside world is a message of its process to
/// itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Message {
    /// The sender.
    pub from: ProcessId,
    /// The receiver.
    pub to: ProcessId,
    /// The send number: the number of the message among those of its sender.
    pub number: u64,
    /// The job that it carries on.
    pub job: Job,
    /// The value of its sender's state.
    pub value: Value,
    /// The processes that the job visits afterwards.
    pub route: Vec<ProcessId>,
}

/// What distinguishes a message from all others of one history: sender, receiver, send number.
pub type MessageName = (ProcessId, ProcessId, u64);

impl Message {
    /// The message with which `p` receives an input.
    pub fn input(p: ProcessId, number: u64, route: Vec<ProcessId>) -> Self {
        Self { from: p, to: p, number, job: Job { at: p, number }, value: 0, route }
    }

    /// Whether it comes from the outside world.
    pub fn is_input(&self) -> bool {
        self.from == self.to
    }

    /// Its name.
    pub const fn name(&self) -> MessageName {
        (self.from, self.to, self.number)
    }
}

impl fmt::Debug for Message {
    /// Formats as `#3 p0->p1 (job 1 of p0, 17)`: short, since traces contain many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, number, job, value, .. } = self;
        match self.is_input() {
            true => write!(f, "input {number}"),
            false => write!(f, "#{number} {from}->{to} ({job:?}, {value})"),
        }
    }
}

/// The result of a job.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Output {
    /// The job.
    pub job: Job,
    /// The value of the state that outputs it.
    pub value: Value,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {:?}", self.value, self.job)
    }
}

/// What the application does on a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Consequence {
    /// It sends the job on.
    Send(Message),
    /// The job is done: its result goes to the outside world.
    Output(Output),
}

/// The state of the application at a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Application {
    me: ProcessId,
    interval: Interval,
    sent: u64,
    value: Value,
}

impl Application {
    /// The initial state.
    pub const fn new(me: ProcessId) -> Self {
        Self { me, interval: 0, sent: 0, value: 0 }
    }

    /// The state interval.
    pub const fn interval(&self) -> Interval {
        self.interval
    }

    /// The value of the state.
    pub const fn value(&self) -> Value {
        self.value
    }

    /// Delivers a message: the next state, and what it does, depend on the state before and on the
    /// message alone.
    pub fn deliver(&mut self, message: &Message) -> Consequence {
        let Message { from, to, number, job, value, route } = message;
        self.interval = self.interval.saturating_add(1);
        let processes = [from.0, to.0, *value, job.at.0].map(u64::from);
        for word in processes.into_iter().chain([*number, job.number]) {
            self.mix(word);
        }
        match route.split_first() {
            Some((to, rest)) => {
                self.sent = self.sent.saturating_add(1);
                Consequence::Send(Message {
                    from: self.me,
                    to: *to,
                    number: self.sent,
                    job: *job,
                    value: self.value,
                    route: rest.to_vec(),
                })
            }
            None => Consequence::Output(Output { job: *job, value: self.value }),
        }
    }

    /// Mixes a word into the state, as a hash does (Fowler, Noll and Vo 1991).
    pub fn mix(&mut self, word: u64) {
        let mixed = (u64::from(self.value) ^ word).wrapping_add(1).wrapping_mul(0x100_0000_01b3);
        let folded = (mixed ^ mixed >> 29) & u64::from(Value::MAX);
        self.value = Value::try_from(folded).unwrap_or_default();
    }
}
