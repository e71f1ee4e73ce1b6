//! Changes to a message: it is converted to its serde form, a part of it is changed, and it is
//! converted back. If that fails, the message is unchanged.

use serde_json::{Map, Value};

use super::{Keys, MEMORY};
use crate::id::ProcessId;
use crate::model::any_message::AnyMessage;
use crate::model::signature::signer_in;
use crate::rng::Rng;

/// The values that an adversary has seen in the messages of its processes.
#[derive(Clone, Debug, Hash)]
pub(super) struct Memory {
    numbers: Vec<i64>,
    /// Names of variants, as far as the form of a message shows them.
    names: Vec<String>,
    /// Signed parts.
    signed: Vec<Value>,
}

/// The kinds of changeable parts of a message. The place of each is a JSON pointer.
#[derive(Clone, Copy)]
enum Part {
    /// A number, a string, a Boolean, null.
    Leaf,
    /// A list: an element can be removed or duplicated.
    List,
    /// An object with a single key, which may be the name of a variant.
    Named,
    /// A signed value.
    Signed,
}

/// Numbers that make arithmetic and allocation fail.
const EXTREMES: [u64; 6] =
    [u8::MAX as u64, u16::MAX as u64, i32::MAX as u64, u32::MAX as u64, i64::MAX as u64, u64::MAX];

impl Memory {
    pub const fn new() -> Self {
        Self { numbers: Vec::new(), names: Vec::new(), signed: Vec::new() }
    }

    /// Remembers the values in a message.
    pub fn learn(&mut self, msg: &AnyMessage) {
        if let Some(form) = msg.form() {
            self.learn_form(&form);
        }
    }

    fn learn_form(&mut self, form: &Value) {
        if signer_in(form).is_some() {
            remember(&mut self.signed, form);
            return self.learn_form(&form["signed"]);
        }
        match form {
            Value::Number(number) => {
                if let Some(number) = number.as_i64() {
                    remember(&mut self.numbers, &number);
                }
            }
            Value::String(text) => {
                if text.parse::<ProcessId>().is_err() {
                    remember(&mut self.names, text);
                }
            }
            Value::Array(parts) => parts.iter().for_each(|part| self.learn_form(part)),
            Value::Object(parts) => {
                if let Some(name) = only_key(parts) {
                    remember(&mut self.names, name);
                }
                parts.values().for_each(|part| self.learn_form(part));
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// A message that differs in one part, or the same message if that is impossible.
    pub fn mutate(&self, msg: &AnyMessage, keys: &Keys, rng: &mut Rng) -> AnyMessage {
        let Some(form) = msg.form() else { return msg.clone() };
        let mut places = Vec::new();
        self.places(&form, String::new(), &mut places);
        // Some changes yield no valid message; a few attempts usually suffice.
        for _ in 0..8 {
            let Some((place, part)) = rng.choose(&places) else { break };
            let mut changed = form.clone();
            let target = changed.pointer_mut(place).expect("the form has this place");
            self.change(target, *part, keys, rng);
            if let Some(mutated) = read(msg, changed, keys)
                && mutated != *msg
            {
                return mutated;
            }
        }
        msg.clone()
    }

    fn places(&self, form: &Value, place: String, found: &mut Vec<(String, Part)>) {
        if signer_in(form).is_some() {
            self.places(&form["signed"], format!("{place}/signed"), found);
            return found.push((place, Part::Signed));
        }
        match form {
            Value::Array(parts) if !parts.is_empty() => {
                for (index, part) in parts.iter().enumerate() {
                    self.places(part, format!("{place}/{index}"), found);
                }
                found.push((place, Part::List));
            }
            Value::Object(parts) if !parts.is_empty() => {
                for (key, part) in parts {
                    self.places(part, inside(&place, key), found);
                }
                if only_key(parts).is_some_and(|key| self.other_names(key).next().is_some()) {
                    found.push((place, Part::Named));
                }
            }
            _ => found.push((place, Part::Leaf)),
        }
    }

    fn other_names<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a String> {
        self.names.iter().filter(move |other| *other != name)
    }

    fn change(&self, form: &mut Value, part: Part, keys: &Keys, rng: &mut Rng) {
        match (part, form) {
            (Part::List, Value::Array(parts)) => {
                let index = rng.index(parts.len());
                if rng.below(2) == 0 {
                    parts.remove(index);
                } else {
                    parts.push(parts[index].clone());
                }
            }
            (Part::Named, Value::Object(parts)) => {
                let Some(name) = only_key(parts) else { return };
                let others: Vec<&String> = self.other_names(name).collect();
                let content = parts[name].clone();
                if let Some(other) = rng.choose(&others) {
                    *parts = Map::from_iter([((*other).clone(), content)]);
                }
            }
            (Part::Signed, form) => {
                let own: Vec<&ProcessId> = keys.keys().collect();
                match (rng.below(2), rng.choose(&own), rng.choose(&self.signed)) {
                    (0, Some(own), _) => form["signer"] = own.to_string().into(),
                    (_, _, Some(seen)) => *form = seen.clone(),
                    _ => {}
                }
            }
            (_, leaf) => self.change_leaf(leaf, rng),
        }
    }

    fn change_leaf(&self, leaf: &mut Value, rng: &mut Rng) {
        let seen = |rng: &mut Rng| rng.choose(&self.numbers).copied().unwrap_or(1).into();
        *leaf = match leaf {
            Value::Bool(b) => Value::Bool(!*b),
            Value::Number(number) => {
                let number = number.as_i64().unwrap_or(0);
                match rng.below(8) {
                    0 => 0.into(),
                    1 => number.wrapping_add(1).into(),
                    2 => number.wrapping_sub(1).into(),
                    // A number of any size.
                    3 => (rng.bits() >> rng.below(64)).into(),
                    4 => rng.choose(&EXTREMES).copied().unwrap_or_default().into(),
                    _ => seen(rng),
                }
            }
            Value::String(text) => match text.parse() {
                Ok(ProcessId(id)) => ProcessId(id ^ 1).to_string().into(),
                Err(_) => {
                    let others: Vec<&String> = self.other_names(text).collect();
                    rng.choose(&others).map_or(Value::Null, |name| Value::String((*name).clone()))
                }
            },
            Value::Null | Value::Array(_) | Value::Object(_) => seen(rng),
        }
    }
}

/// The message of this form, if it is one. Signatures in it that the adversary can make are valid.
/// `like` is any message of the protocol.
pub(super) fn read(like: &AnyMessage, form: Value, keys: &Keys) -> Option<AnyMessage> {
    let msg = like.read(form)?;
    // The message may have another form than the original: sets lose duplicates.
    let mut form = msg.form()?;
    if sign_anew(&mut form, keys) { like.read(form) } else { Some(msg) }
}

/// Renews the signatures for which there is a key, from the innermost outwards. Returns whether
/// there were any.
fn sign_anew(form: &mut Value, keys: &Keys) -> bool {
    let mut any = false;
    match form {
        Value::Array(parts) => parts.iter_mut().for_each(|part| any |= sign_anew(part, keys)),
        Value::Object(parts) => parts.values_mut().for_each(|part| any |= sign_anew(part, keys)),
        _ => {}
    }
    if let Some(key) = signer_in(form).and_then(|signer| keys.get(&signer)) {
        form["tag"] = key.tag(&form["signed"]).into();
        any = true;
    }
    any
}

fn remember<T: Clone + PartialEq>(memory: &mut Vec<T>, thing: &T) {
    if memory.len() < MEMORY && !memory.contains(thing) {
        memory.push(thing.clone());
    }
}

fn only_key(parts: &Map<String, Value>) -> Option<&String> {
    parts.keys().next().filter(|_| parts.len() == 1)
}

/// The JSON pointer of a key.
pub(super) fn inside(place: &str, key: &str) -> String {
    format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"))
}
