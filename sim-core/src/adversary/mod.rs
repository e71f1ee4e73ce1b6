//! What speaks for a Byzantine process, and the powers it lacks.
//!
//! A Byzantine process is a correct one whose messages to others pass through an adversary before
//! they are sent. Processes that collude share one adversary: what one of them knows, all know.
//!
//! May:
//! - stay silent, to all or to some; tell each receiver something else; say more than was asked;
//! - change any part of a message, its kind among them, with values that it has seen in messages to
//!   and from its processes, or made up;
//! - send again what its processes have sent before, and hold back what they send;
//! - be two processes under one identity;
//! - sign whatever it likes as the processes that it speaks for, and pass on what others have
//!   signed, wherever that fits.
//!
//! May not:
//! - speak in another's name: links are authenticated, `from` is the engine's;
//! - sign as a process that it does not speak for: it has no key but those of its processes, and
//!   colluding with a process that is correct lends it none;
//! - see, lose, delay or change what correct processes send each other, or their state;
//! - stop time: whoever waits for it waits as long as for a process that is silent.
//!
//! It does not touch what its process does to itself: timers, log, messages to itself. What the
//! process announces nobody believes.
//!
//! Changes are structure-aware (`adversary/mutation.rs`). The powers that it lacks are tested one
//! by one in `tests/engine/byzantine.rs` and `tests/engine/signatures.rs`.

mod lie;
mod mutation;

use std::collections::BTreeMap;
use std::fmt;

use crate::id::ProcessId;
use crate::kind::MessageKind;
use crate::model::adversary::{Liar, find};
use crate::model::data::Message;
use crate::model::effect::Effect;
use crate::model::protocol::Protocol;
use crate::model::setting::Setting;
use crate::model::signature::Key;
use crate::process_set::ProcessSet;
use crate::rng::Rng;
use crate::time::Duration;

use lie::Lie;
use mutation::Memory;

/// How a Byzantine process misbehaves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Behaviour {
    /// Sends nothing.
    Silent,
    /// Sends nothing to these.
    Withhold(ProcessSet),
    /// Sends the truth, but each message only after a time drawn up to this one.
    Delay(Duration),
    /// Tells every other receiver something else: each message is changed with probability 1/2, and
    /// differently for each receiver.
    Equivocate,
    /// Changes every message, in the same way for all receivers of one handler.
    Mutate,
    /// Sends messages that it has sent before along with the new ones.
    Replay,
    /// Acts as one with these, itself among them, as far as they are told to collude too: what they
    /// change in one kind of message to one receiver is the same for all of them and for good.
    Collude(ProcessSet),
    /// As the adversary of this name does that the protocol brings along.
    Custom(String),
    /// There are two of it, which share its identity and do as they should; each of the others
    /// talks with one of them.
    Twins,
    /// Silence, the truth, the truth later, lies and old messages, message by message.
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

/// The keys of the processes that an adversary speaks for.
type Keys = BTreeMap<ProcessId, Key>;

/// The adversary that speaks for one process, or for those that collude.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Adversary<M> {
    behaviour: Behaviour,
    rng: Rng,
    keys: Keys,
    memory: Memory,
    /// Messages that its processes asked for before.
    sent: Vec<M>,
    /// Of those that collude: what they tell this receiver in this kind of message instead of the
    /// truth, if not the truth.
    lies: BTreeMap<(u32, ProcessId), Option<Lie>>,
    /// Receiver and content of messages that are held back.
    held: BTreeMap<u32, (ProcessId, M)>,
    held_count: u32,
}

/// The adversary remembers no more than this of each thing.
const MEMORY: usize = 64;

/// What is said instead of a message.
enum Said<M> {
    Now(M),
    After(Duration, M),
}

/// A message that is held back.
pub(crate) struct Held {
    pub after: Duration,
    pub number: u32,
}

impl<M: Message> Adversary<M> {
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

    /// Whether this process, told to behave so, acts as one with those that it speaks for.
    pub fn takes_in(&self, process: ProcessId, behaviour: &Behaviour) -> bool {
        let Behaviour::Collude(circle) = behaviour else { return false };
        let mut together = self.keys.keys().chain([&process]);
        *behaviour == self.behaviour && together.all(|p| circle.contains(*p))
    }

    /// From now on it speaks for this process too.
    pub fn speak_for(&mut self, process: ProcessId, key: Key) {
        self.keys.insert(process, key);
    }

    /// Learns the values in a message that a process of its receives.
    pub fn overhear(&mut self, msg: &M) {
        self.memory.learn(msg);
    }

    /// Rewrites what the process's handler asked for. Only messages to others are touched; those
    /// that are held back are returned.
    pub fn rewrite<P: Protocol<Msg = M>>(
        &mut self,
        me: ProcessId,
        setting: &Setting,
        effects: &mut Vec<Effect<P>>,
    ) -> Vec<Held> {
        let mut rng = self.rng.clone();
        // One change for all receivers of one handler, where the behaviour is consistent.
        let salt = rng.bits();
        let mut held = Vec::new();
        for effect in std::mem::take(effects) {
            let (to, msg) = match effect {
                Effect::Send(to, msg) if to != me => (to, msg),
                own => {
                    effects.push(own);
                    continue;
                }
            };
            let key = self.keys[&me];
            let mut liar = Liar { me, to, setting, key, rng: &mut rng };
            for said in self.speak::<P>(&msg, salt, &mut liar) {
                match said {
                    Said::Now(msg) => effects.push(Effect::Send(to, msg)),
                    Said::After(after, msg) => held.push(self.hold(after, to, msg)),
                }
            }
            if self.sent.len() < MEMORY {
                self.sent.push(msg);
            }
        }
        self.rng = rng;
        held
    }

    /// What is said instead of this message.
    fn speak<P: Protocol<Msg = M>>(
        &mut self,
        msg: &M,
        salt: u64,
        liar: &mut Liar<'_>,
    ) -> Vec<Said<M>> {
        self.memory.learn(msg);
        let truth = || Said::Now(msg.clone());
        match &self.behaviour {
            Behaviour::Silent => Vec::new(),
            Behaviour::Twins => vec![truth()],
            Behaviour::Withhold(from) if from.contains(liar.to) => Vec::new(),
            Behaviour::Withhold(_) => vec![truth()],
            Behaviour::Delay(longest) => vec![late(msg, *longest, liar.rng)],
            Behaviour::Equivocate if liar.rng.below(2) == 0 => vec![truth()],
            Behaviour::Equivocate => vec![self.lie(msg, liar.rng)],
            Behaviour::Mutate => vec![self.lie(msg, &mut Rng::from_bits(salt))],
            Behaviour::Replay => [truth()].into_iter().chain(self.repeat(liar.rng)).collect(),
            Behaviour::Collude(_) => vec![self.lie_as_one(msg, liar)],
            Behaviour::Custom(name) => {
                let says = find(P::ADVERSARIES, name).says;
                says(msg, liar).into_iter().map(Said::Now).collect()
            }
            Behaviour::Random => {
                let mut said: Vec<_> = match liar.rng.below(5) {
                    0 => Vec::new(),
                    1 => vec![truth()],
                    2 => vec![late(msg, liar.setting.delay_bound.times(2), liar.rng)],
                    _ => vec![self.lie(msg, liar.rng)],
                };
                if liar.rng.below(4) == 0 {
                    said.extend(self.repeat(liar.rng));
                }
                said
            }
        }
    }

    fn lie(&self, msg: &M, rng: &mut Rng) -> Said<M> {
        Said::Now(self.memory.mutate(msg, &self.keys, rng))
    }

    fn repeat(&self, rng: &mut Rng) -> Option<Said<M>> {
        rng.choose(&self.sent).cloned().map(Said::Now)
    }

    fn lie_as_one(&mut self, msg: &M, liar: &mut Liar<'_>) -> Said<M> {
        let Self { lies, memory, keys, .. } = self;
        let lie = lies.entry((MessageKind::of(msg).code(), liar.to)).or_insert_with(|| {
            let is_lie = liar.rng.below(2) == 0;
            is_lie.then(|| Lie::between(msg, &memory.mutate(msg, keys, liar.rng))).flatten()
        });
        let told = lie.as_ref().and_then(|lie| lie.tell(msg, keys));
        Said::Now(told.unwrap_or_else(|| msg.clone()))
    }

    fn hold(&mut self, after: Duration, to: ProcessId, msg: M) -> Held {
        let number = self.held_count;
        self.held_count += 1;
        self.held.insert(number, (to, msg));
        Held { after, number }
    }

    /// The message with this number is held back no longer.
    pub fn release(&mut self, number: u32) -> Option<(ProcessId, M)> {
        self.held.remove(&number)
    }
}

/// What a link makes of a message that it garbles: it has seen nothing, and signs for nobody.
pub(crate) fn garble<M: Message>(msg: &M, rng: &mut Rng) -> M {
    Memory::new().mutate(msg, &Keys::new(), rng)
}

fn late<M: Message>(msg: &M, longest: Duration, rng: &mut Rng) -> Said<M> {
    let after = Duration::from_nanos(rng.between(0, longest.as_nanos()));
    Said::After(after, msg.clone())
}

#[cfg(test)]
mod tests;
