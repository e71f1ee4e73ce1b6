//! What an operation asks, and what it came to, for tools that check histories.

use serde::Serialize;
use serde_json::Value;

use crate::kind::MessageKind;

/// What an operation asks, or what it came to, in the notation of a Jepsen history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The name of the function (`:f`).
    pub function: String,
    /// Its argument, its result, or both (`:value`).
    pub value: Value,
    /// Whether it certainly had no effect.
    pub failed: bool,
}

impl Act {
    /// An act with this function and value.
    pub fn new(function: &str, value: impl Into<Value>) -> Self {
        Self { function: function.to_owned(), value: value.into(), failed: false }
    }

    /// A request: its function is the name of its variant, its value what the variant holds.
    pub fn of(request: &impl Serialize) -> Self {
        let function = MessageKind::of(request).to_string();
        Self { function, value: content_of(request), failed: false }
    }

    /// The same act, which has ended with this answer.
    #[must_use]
    pub fn ended_with(self, answer: &impl Serialize) -> Self {
        Self { value: content_of(answer), ..self }
    }
}

/// What a variant holds: the part of its JSON that is not its name.
fn content_of(value: &impl Serialize) -> Value {
    match serde_json::to_value(value) {
        Ok(Value::Object(mut form)) if form.len() == 1 => {
            let content = form.iter_mut().next().map(|(_, content)| content.take());
            content.unwrap_or_default()
        }
        // A variant that holds nothing is its name.
        Ok(Value::String(_)) | Err(_) => Value::Null,
        Ok(form) => form,
    }
}
