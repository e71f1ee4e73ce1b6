//! Adversaries, which send for Byzantine processes, and the limits of their powers.
//!
//! A Byzantine process is a correct one whose messages to others pass through an adversary before
//! they are sent. Colluding processes share one adversary and hence their knowledge.
//!
//! An adversary may:
//! - stay silent, to all or to some; tell each receiver something else; send additional messages;
//! - change any part of a message, including its kind, with values made up or seen in messages to
//!   and from its processes;
//! - resend what its processes have sent before, and hold back what they send;
//! - be two processes with one identity;
//! - sign any value as the processes that it controls, and pass on what others have signed,
//!   wherever that fits.
//!
//! It may not:
//! - send in another's name: links are authenticated, the engine sets `from`;
//! - sign as a process that it does not control: it has only the keys of its own processes, and
//!   collusion with a correct process yields no key;
//! - see, lose, delay or change messages between correct processes, or their state;
//! - stop time: processes that wait for it wait no longer than for a silent process.
//!
//! It does not affect its process itself: timers, log, messages to itself. Announcements of the
//! process are ignored.
//!
//! Changes are structure-aware (`adversary/mutation.rs`). The limits are tested one by one in
//! `tests/engine/byzantine.rs` and `tests/engine/signatures.rs`.

mod lie;
mod mutation;

use std::collections::BTreeMap;
use std::fmt;

use crate::id::ProcessId;
use crate::model::adversary::Liar;
use crate::model::any_message::AnyMessage;
use crate::model::data::Message;
use crate::model::setting::Setting;
use crate::model::signature::Key;
use crate::process_set::ProcessSet;
use crate::rng::{Rng, Stream};
use crate::time::Duration;

use lie::Lie;
use mutation::Memory;

/// The behaviours of a Byzantine process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Behaviour {
    /// Sends nothing.
    Silent,
    /// Sends nothing to these processes.
    Withhold(ProcessSet),
    /// Sends correct messages, but each with a delay drawn up to this one.
    Delay(Duration),
    /// Lies to every other receiver: each message is changed with probability 1/2, and differently
    /// for each receiver.
    Equivocate,
    /// Changes every message, identically for all receivers of one handler.
    Mutate,
    /// Sends messages that it has sent before, along with the new ones.
    Replay,
    /// Acts in concert with these, including itself, as far as they also collude: their changes of
    /// one kind of message to one receiver are the same for all of them, permanently.
    Collude(ProcessSet),
    /// Behaves like the protocol's own adversary of this name.
    Custom(String),
    /// Two copies share the identity and behave correctly; each of the other processes communicates
    /// with one of them.
    Twins,
    /// Silence, the truth, delays, lies and old messages, drawn per message.
    Random,
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("silent"),
            Self::Withhold(from) => write!(f, "silent to {from}"),
            Self::Delay(longest) => write!(f, "late by up to {longest}"),
            Self::Equivocate => f.write_str("tells some one thing, others another"),
            Self::Mutate => f.write_str("lies, the same to everybody"),
            Self::Replay => f.write_str("says again what it said before"),
            Self::Collude(circle) => write!(f, "one of {circle}, who tell the same lies"),
            Self::Twins => f.write_str("is two"),
            Self::Custom(name) => f.write_str(name),
            Self::Random => f.write_str("does anything"),
        }
    }
}

/// The keys of the processes that an adversary controls.
type Keys = BTreeMap<ProcessId, Key>;

/// The adversary that controls one process, or several that collude.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Adversary {
    behaviour: Behaviour,
    rng: Rng,
    keys: Keys,
    memory: Memory,
    /// Messages that its processes sent before.
    sent: Vec<AnyMessage>,
    /// For colluding processes: the lie to this receiver about this kind of message; `None`: the
    /// truth.
    lies: BTreeMap<(u32, ProcessId), Option<Lie>>,
    /// Receiver and content of the messages held back.
    held: BTreeMap<u32, (ProcessId, AnyMessage)>,
    held_count: u32,
}

/// The maximum number of things of each sort that an adversary remembers.
const MEMORY: usize = 64;

/// A message that an adversary sends instead of another.
pub(crate) enum Said {
    Now(AnyMessage),
    /// Later: the adversary has the message with this number ready then.
    After(Duration, u32),
}

/// The handler whose messages an adversary replaces.
pub(crate) struct Turn<'a> {
    /// The process that the handler belongs to.
    pub me: ProcessId,
    pub setting: &'a Setting,
    /// The messages of the protocol's own adversary of this name.
    pub custom: fn(&str, &AnyMessage, &mut Liar<'_>) -> Vec<AnyMessage>,
    /// One change for all receivers, if the behaviour is consistent.
    pub salt: u64,
}

impl Adversary {
    pub const fn new(behaviour: Behaviour, rng: Rng) -> Self {
        Self {
            behaviour,
            rng,
            keys: Keys::new(),
            memory: Memory::new(),
            sent: Vec::new(),
            lies: BTreeMap::new(),
            held: BTreeMap::new(),
            held_count: 0,
        }
    }

    /// Draws from now on from this seed.
    pub fn draw_anew(&mut self, seed: u64) {
        let first = self.keys.keys().next().map_or(0, |p| p.0);
        self.rng = Rng::new(seed, Stream::Adversary(first));
    }

    /// Whether this process, with this behaviour, acts in concert with the controlled ones.
    pub fn takes_in(&self, process: ProcessId, behaviour: &Behaviour) -> bool {
        let Behaviour::Collude(circle) = behaviour else { return false };
        let mut together = self.keys.keys().chain([&process]);
        *behaviour == self.behaviour && together.all(|p| circle.contains(*p))
    }

    /// Takes control of this process too.
    pub fn speak_for(&mut self, process: ProcessId, key: Key) {
        self.keys.insert(process, key);
    }

    /// Learns the values in a message that one of its processes receives.
    pub fn overhear(&mut self, msg: &AnyMessage) {
        self.memory.learn(msg);
    }

    /// The salt of a new [`Turn`].
    pub fn salt(&mut self) -> u64 {
        self.rng.bits()
    }

    /// The replacement of a message to another process.
    pub fn replace(&mut self, turn: &Turn<'_>, to: ProcessId, msg: AnyMessage) -> Vec<Said> {
        let mut rng = self.rng.clone();
        let key = self.keys[&turn.me];
        let mut liar = Liar { me: turn.me, to, setting: turn.setting, key, rng: &mut rng };
        let said = self.speak(&msg, turn, &mut liar);
        self.rng = rng;
        if self.sent.len() < MEMORY {
            self.sent.push(msg);
        }
        said
    }

    fn speak(&mut self, msg: &AnyMessage, turn: &Turn<'_>, liar: &mut Liar<'_>) -> Vec<Said> {
        self.memory.learn(msg);
        let truth = || Said::Now(msg.clone());
        match &self.behaviour {
            Behaviour::Silent => Vec::new(),
            Behaviour::Twins => vec![truth()],
            Behaviour::Withhold(from) if from.contains(liar.to) => Vec::new(),
            Behaviour::Withhold(_) => vec![truth()],
            Behaviour::Delay(longest) => vec![self.hold(*longest, msg, liar)],
            Behaviour::Equivocate if liar.rng.below(2) == 0 => vec![truth()],
            Behaviour::Equivocate => vec![self.lie(msg, liar.rng)],
            Behaviour::Mutate => vec![self.lie(msg, &mut Rng::from_bits(turn.salt))],
            Behaviour::Replay => [truth()].into_iter().chain(self.repeat(liar.rng)).collect(),
            Behaviour::Collude(_) => vec![self.lie_as_one(msg, liar)],
            Behaviour::Custom(name) => {
                (turn.custom)(name, msg, liar).into_iter().map(Said::Now).collect()
            }
            Behaviour::Random => {
                let mut said: Vec<_> = match liar.rng.below(5) {
                    0 => Vec::new(),
                    1 => vec![truth()],
                    2 => vec![self.hold(liar.setting.delay_bound.times(2), msg, liar)],
                    _ => vec![self.lie(msg, liar.rng)],
                };
                if liar.rng.below(4) == 0 {
                    said.extend(self.repeat(liar.rng));
                }
                said
            }
        }
    }

    fn lie(&self, msg: &AnyMessage, rng: &mut Rng) -> Said {
        Said::Now(self.memory.mutate(msg, &self.keys, rng))
    }

    fn repeat(&self, rng: &mut Rng) -> Option<Said> {
        rng.choose(&self.sent).cloned().map(Said::Now)
    }

    fn lie_as_one(&mut self, msg: &AnyMessage, liar: &mut Liar<'_>) -> Said {
        let Self { lies, memory, keys, .. } = self;
        let lie = lies.entry((msg.kind().code(), liar.to)).or_insert_with(|| {
            let is_lie = liar.rng.below(2) == 0;
            is_lie.then(|| Lie::between(msg, &memory.mutate(msg, keys, liar.rng))).flatten()
        });
        let told = lie.as_ref().and_then(|lie| lie.tell(msg, keys));
        Said::Now(told.unwrap_or_else(|| msg.clone()))
    }

    /// Holds a message back for a time up to `longest`.
    fn hold(&mut self, longest: Duration, msg: &AnyMessage, liar: &mut Liar<'_>) -> Said {
        let after = Duration::from_nanos(liar.rng.between(0, longest.as_nanos()));
        let number = self.held_count;
        self.held_count += 1;
        self.held.insert(number, (liar.to, msg.clone()));
        Said::After(after, number)
    }

    /// Releases the held message with this number.
    pub fn release(&mut self, number: u32) -> Option<(ProcessId, AnyMessage)> {
        self.held.remove(&number)
    }
}

/// Corrupts a message as a link does: without knowledge, and without signing for anyone.
pub(crate) fn garble<M: Message>(msg: &M, rng: &mut Rng) -> M {
    Memory::new().mutate(&AnyMessage::new(msg.clone()), &Keys::new(), rng).get::<M>().clone()
}

#[cfg(test)]
mod tests;
