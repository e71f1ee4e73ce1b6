//! What speaks for a Byzantine process, and the powers it lacks.
//!
//! A Byzantine process is a correct one whose effects pass through an adversary before they are
//! applied.
//!
//! May: stay silent, to all or to some; tell each receiver something else; change any part of a
//! message, with values that it has seen in the run or made up; send what it has sent before again;
//! be late. May not: speak in another's name (links are authenticated: `from` is the engine's, and
//! the adversary only ever rewrites what its own process sends); change the state of a correct
//! process; stop time.
//!
//! Changes are structure-aware: a message is taken apart in its serde form, one or more of its
//! leaves are changed, and it is put together again. What cannot be put together is left as it was.

use std::fmt;

use serde_json::Value;

use crate::effect::Effect;
use crate::id::ProcessId;
use crate::process::{Message, Process};
use crate::process_set::ProcessSet;
use crate::rng::Rng;

/// How a Byzantine process misbehaves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Behaviour {
    /// Sends nothing.
    Silent,
    /// Sends nothing to these.
    Withhold(ProcessSet),
    /// Tells every other receiver something else: each message is changed with probability 1/2, and
    /// differently for each receiver.
    Equivocate,
    /// Changes every message, in the same way for all receivers of one handler.
    Mutate,
    /// Sends messages that it has sent before along with the new ones.
    Replay,
    /// Any of these and honesty, message by message.
    Random,
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("silent"),
            Self::Withhold(from) => write!(f, "silent to {from}"),
            Self::Equivocate => f.write_str("tells some one thing, others another"),
            Self::Mutate => f.write_str("lies, the same to everybody"),
            Self::Replay => f.write_str("says again what it said before"),
            Self::Random => f.write_str("does anything"),
        }
    }
}

/// The adversary that speaks for one process.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Adversary<M> {
    behaviour: Behaviour,
    rng: Rng,
    /// Leaves seen in messages of the run.
    numbers: Vec<i64>,
    /// Messages that were sent before.
    sent: Vec<M>,
}

/// The adversary remembers no more than this of each thing.
const MEMORY: usize = 64;

impl<M: Message> Adversary<M> {
    pub const fn new(behaviour: Behaviour, rng: Rng) -> Self {
        Self { behaviour, rng, numbers: Vec::new(), sent: Vec::new() }
    }

    /// Learns the values in a message that its process receives.
    pub fn overhear(&mut self, msg: &M) {
        if let Ok(form) = serde_json::to_value(msg) {
            self.learn(&form);
        }
    }

    fn learn(&mut self, form: &Value) {
        match form {
            Value::Number(number) => {
                if let Some(number) = number.as_i64()
                    && !self.numbers.contains(&number)
                    && self.numbers.len() < MEMORY
                {
                    self.numbers.push(number);
                }
            }
            Value::Array(parts) => parts.iter().for_each(|part| self.learn(part)),
            Value::Object(parts) => parts.values().for_each(|part| self.learn(part)),
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }

    /// Rewrites what the process's handler asked for. Only messages to others are touched.
    pub fn rewrite<P: Process<Msg = M>>(&mut self, me: ProcessId, effects: &mut Vec<Effect<P>>) {
        let mut rng = self.rng.clone();
        // One change for all receivers of one handler, where the behaviour is consistent.
        let salt = rng.bits();
        let asked = std::mem::take(effects);
        for effect in asked {
            match effect {
                Effect::Send(to, msg) if to != me => self.speak(to, msg, salt, effects, &mut rng),
                own => effects.push(own),
            }
        }
        self.rng = rng;
    }

    fn speak<P: Process<Msg = M>>(
        &mut self,
        to: ProcessId,
        msg: M,
        salt: u64,
        effects: &mut Vec<Effect<P>>,
        rng: &mut Rng,
    ) {
        self.overhear(&msg);
        let said = match &self.behaviour {
            Behaviour::Silent => None,
            Behaviour::Withhold(from) => (!from.contains(to)).then(|| msg.clone()),
            Behaviour::Equivocate if rng.below(2) == 0 => Some(msg.clone()),
            Behaviour::Equivocate => Some(self.mutate(&msg, rng)),
            Behaviour::Mutate => Some(self.mutate(&msg, &mut Rng::from_bits(salt))),
            Behaviour::Replay => Some(msg.clone()),
            Behaviour::Random => match rng.below(4) {
                0 => None,
                1 => Some(msg.clone()),
                _ => Some(self.mutate(&msg, rng)),
            },
        };
        effects.extend(said.map(|said| Effect::Send(to, said)));
        let replays = match self.behaviour {
            Behaviour::Replay => true,
            Behaviour::Random => rng.below(4) == 0,
            _ => false,
        };
        if let Some(old) = rng.choose(&self.sent).filter(|_| replays) {
            effects.push(Effect::Send(to, old.clone()));
        }
        if self.sent.len() < MEMORY {
            self.sent.push(msg);
        }
    }

    /// A message that differs in one leaf or a few, or the same if that cannot be.
    pub fn mutate(&self, msg: &M, rng: &mut Rng) -> M {
        let Ok(form) = serde_json::to_value(msg) else { return msg.clone() };
        // Some changes make no message; a few tries usually do.
        for _ in 0..8 {
            let mut changed = form.clone();
            let leaves = count_leaves(&changed);
            if leaves == 0 {
                break;
            }
            let mut index = rng.below(leaves);
            self.change_leaf(&mut changed, &mut index, rng);
            if let Ok(mutated) = serde_json::from_value::<M>(changed)
                && mutated != *msg
            {
                return mutated;
            }
        }
        msg.clone()
    }

    /// Changes the leaf with this index; true if it was found.
    fn change_leaf(&self, form: &mut Value, index: &mut u64, rng: &mut Rng) -> bool {
        match form {
            Value::Array(parts) if !parts.is_empty() => {
                // The list itself is a leaf too: a part of it can go, or come twice.
                if *index == 0 {
                    let part = usize::try_from(rng.below(parts.len() as u64)).unwrap_or(0);
                    if rng.below(2) == 0 {
                        parts.remove(part);
                    } else {
                        parts.push(parts[part].clone());
                    }
                    return true;
                }
                *index -= 1;
                parts.iter_mut().any(|part| self.change_leaf(part, index, rng))
            }
            Value::Object(parts) if !parts.is_empty() => {
                parts.values_mut().any(|part| self.change_leaf(part, index, rng))
            }
            leaf if *index == 0 => {
                self.change(leaf, rng);
                true
            }
            _ => {
                *index -= 1;
                false
            }
        }
    }

    fn change(&self, leaf: &mut Value, rng: &mut Rng) {
        *leaf = match leaf {
            Value::Bool(b) => Value::Bool(!*b),
            Value::Number(number) => {
                let number = number.as_i64().unwrap_or(0);
                match rng.below(6) {
                    0 => 0.into(),
                    1 => number.wrapping_add(1).into(),
                    2 => number.wrapping_sub(1).into(),
                    3 => rng.bits().into(),
                    _ => rng.choose(&self.numbers).copied().unwrap_or(1).into(),
                }
            }
            Value::String(text) => match text.strip_prefix('p').map(str::parse::<u32>) {
                Some(Ok(id)) => Value::String(ProcessId(id ^ 1).to_string()),
                _ => Value::Null,
            },
            Value::Null | Value::Array(_) | Value::Object(_) => {
                rng.choose(&self.numbers).copied().unwrap_or(1).into()
            }
        }
    }
}

fn count_leaves(form: &Value) -> u64 {
    match form {
        Value::Array(parts) if !parts.is_empty() => 1 + parts.iter().map(count_leaves).sum::<u64>(),
        Value::Object(parts) if !parts.is_empty() => parts.values().map(count_leaves).sum(),
        _ => 1,
    }
}
