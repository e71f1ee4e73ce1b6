//! A protocol as every tool runs it: one deterministic state machine a process.

use std::fmt::Debug;
use std::hash::Hash;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::history::Call;

/// The size of a protocol.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Setup {
    /// Participants of a commit, or servers of a register.
    pub servers: u32,
    /// What each client does, one operation after the other: `w` writes, `r` reads.
    pub clients: Vec<String>,
    /// The votes of the participants, a bit each; if there is none, they can vote either way.
    pub votes: Option<u32>,
    /// Whether the protocol is the wrong one that it could easily be.
    pub is_broken: bool,
}

/// What a process announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Event {
    /// A participant has voted: Yes if true.
    Voted(bool),
    /// A participant knows how it ends: commit if true.
    Ended(bool),
    /// A server knows which value is chosen.
    Chosen(u8),
    /// A client calls an operation, or one returns to it.
    Call(Call),
}

/// Takes what a handler asks for.
pub trait Out<M> {
    /// Sends a message.
    fn send(&mut self, to: u32, msg: M);
    /// Announces something.
    fn tell(&mut self, event: Event);
    /// Asks for a choice: [`Machine::choose`] is called with either.
    fn ask(&mut self);
}

/// Data that every tool can send, compare and remember.
pub trait Data:
    Clone + Debug + Ord + Hash + Serialize + DeserializeOwned + Send + Sync + 'static
{
}
impl<T: Clone + Debug + Ord + Hash + Serialize + DeserializeOwned + Send + Sync + 'static> Data
    for T
{
}

/// A process.
pub trait Machine: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// Its messages.
    type Msg: Data;

    /// The number of processes.
    fn count(setup: &Setup) -> u32;
    /// The process with this number.
    fn new(setup: &Setup, me: u32) -> Self;
    /// It starts.
    fn start(&mut self, out: &mut impl Out<Self::Msg>);
    /// Whether this message changes its state, or makes it send something, now. A tool can leave
    /// what it does not heed on the way.
    fn heeds(&self, from: u32, msg: &Self::Msg) -> bool;
    /// It receives a message.
    fn receive(&mut self, from: u32, msg: Self::Msg, out: &mut impl Out<Self::Msg>);
    /// The choice that it has asked for.
    fn choose(&mut self, _choice: bool, _out: &mut impl Out<Self::Msg>) {}
    /// What its state says of what it has announced, operations apart.
    fn facts(&self) -> [Option<Event>; 2];
    /// Whether each call is sent in a message, and so is each return.
    const SAYS_CALLS: bool = false;
    /// The call that this message is, or the return, if it goes to or comes from a client.
    fn call(_msg: &Self::Msg) -> Option<Call> {
        None
    }
}
