//! Lies that are remembered, so that several processes can tell the same lie.

use serde_json::Value;

use super::Keys;
use super::mutation::{inside, read};
use crate::model::any_message::AnyMessage;
use crate::model::signature::signer_in;

/// The difference between two messages, to be applied to a third.
#[derive(Clone, Debug, Hash)]
pub(super) struct Lie {
    place: String,
    value: Value,
}

impl Lie {
    /// `None` if they are equal.
    pub fn between(truth: &AnyMessage, told: &AnyMessage) -> Option<Self> {
        let (truth, told) = (truth.form()?, told.form()?);
        (truth != told).then(|| Self::within(&truth, &told, ""))
    }

    /// The innermost place that contains the whole difference.
    fn within(truth: &Value, told: &Value, place: &str) -> Self {
        let here = || Self { place: place.to_owned(), value: told.clone() };
        let differing: Vec<(String, &Value, &Value)> = match (truth, told) {
            (Value::Array(truth), Value::Array(told)) if truth.len() == told.len() => {
                let places = (0..truth.len()).map(|index| format!("{place}/{index}"));
                let both = places.zip(truth.iter().zip(told));
                both.map(|(place, (truth, told))| (place, truth, told)).collect()
            }
            (Value::Object(parts), Value::Object(others)) if parts.keys().eq(others.keys()) => {
                // A new value has a new tag, which is computed again where possible.
                let is_tag = |key: &str| key == "tag" && signer_in(truth).is_some();
                let both = parts.iter().zip(others.values()).filter(|((key, _), _)| !is_tag(key));
                both.map(|((key, truth), told)| (inside(place, key), truth, told)).collect()
            }
            _ => return here(),
        };
        let mut differing = differing.into_iter().filter(|(_, truth, told)| truth != told);
        match (differing.next(), differing.next()) {
            (Some((place, truth, told)), None) => Self::within(truth, told, &place),
            _ => here(),
        }
    }

    /// The message with this lie applied; `None` if it does not apply.
    pub fn tell(&self, msg: &AnyMessage, keys: &Keys) -> Option<AnyMessage> {
        let mut form = msg.form()?;
        *form.pointer_mut(&self.place)? = self.value.clone();
        read(msg, form, keys)
    }
}
