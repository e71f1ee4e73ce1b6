//! A message behind a pointer. Transports and adversaries handle messages of every protocol in this
//! form, so that they are compiled once and not once per protocol.

use std::any::Any;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::io;
use std::mem::needs_drop;
use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;

use crate::kind::MessageKind;
use crate::model::data::Message;

/// A message of some protocol.
#[derive(Clone, Debug)]
pub(crate) struct AnyMessage(Rc<dyn Erased>);

impl AnyMessage {
    pub fn new<M: Message>(msg: M) -> Self {
        Self(Rc::new(msg))
    }

    /// # Panics
    /// If it is not an `M`.
    pub fn get<M: Message>(&self) -> &M {
        let any: &dyn Any = &*self.0;
        any.downcast_ref().expect("all messages of a run are of one type")
    }

    /// Its kind.
    pub fn kind(&self) -> MessageKind {
        self.0.kind()
    }

    /// Its JSON form, if it has one.
    pub fn form(&self) -> Option<Value> {
        self.0.form()
    }

    /// The message of the same type with this JSON form, if there is one.
    pub fn read(&self, form: Value) -> Option<Self> {
        self.0.read(form)
    }

    /// The length of its JSON, in bytes.
    pub fn encoded_size(&self) -> u64 {
        self.0.encoded_size()
    }

    /// The approximate memory that it takes, in bytes.
    pub fn byte_count(&self) -> u64 {
        self.0.byte_count()
    }
}

impl PartialEq for AnyMessage {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_equal(&*other.0)
    }
}

impl Hash for AnyMessage {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash_into(state);
    }
}

trait Erased: Any + Debug {
    fn kind(&self) -> MessageKind;
    fn form(&self) -> Option<Value>;
    fn read(&self, form: Value) -> Option<AnyMessage>;
    fn encoded_size(&self) -> u64;
    fn byte_count(&self) -> u64;
    fn is_equal(&self, other: &dyn Any) -> bool;
    fn hash_into(&self, state: &mut dyn Hasher);
}

impl<M: Message> Erased for M {
    fn kind(&self) -> MessageKind {
        MessageKind::of(self)
    }

    fn form(&self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }

    fn read(&self, form: Value) -> Option<AnyMessage> {
        serde_json::from_value::<M>(form).ok().map(AnyMessage::new)
    }

    fn encoded_size(&self) -> u64 {
        encoded_size(self)
    }

    fn byte_count(&self) -> u64 {
        byte_count::<M>(self)
    }

    fn is_equal(&self, other: &dyn Any) -> bool {
        other.downcast_ref() == Some(self)
    }

    fn hash_into(&self, mut state: &mut dyn Hasher) {
        self.hash(&mut state);
    }
}

/// The size of a `T`, including the memory that `content` holds elsewhere, which is about the
/// length of its JSON.
pub(crate) fn byte_count<T>(content: &impl Serialize) -> u64 {
    let elsewhere = if needs_drop::<T>() { encoded_size(content) } else { 0 };
    size_of::<T>() as u64 + elsewhere
}

/// The length of a message's JSON, in bytes.
pub(crate) fn encoded_size(msg: &impl Serialize) -> u64 {
    struct Counter(u64);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    // A value that cannot be encoded counts as the part that was written.
    let _written = serde_json::to_writer(&mut counter, msg);
    counter.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use super::{AnyMessage, byte_count, encoded_size};
    use crate::digest::Digest;

    #[test]
    fn a_message_has_the_size_of_its_json_and_of_its_memory() {
        let message = AnyMessage::new("four".to_owned());
        assert_eq!(message.encoded_size(), r#""four""#.len() as u64);
        assert_eq!(encoded_size(&[1u8, 22]), "[1,22]".len() as u64);
        assert_eq!(message.byte_count(), size_of::<String>() as u64 + 6);
        assert_eq!(byte_count::<u64>(&7u64), 8, "it holds nothing elsewhere");
    }

    #[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
    enum Msg {
        Ping,
        Data(String),
    }

    #[test]
    fn a_message_of_any_type_has_its_kind_its_form_and_its_hash() {
        let data = |text: &str| AnyMessage::new(Msg::Data(text.to_owned()));
        let kinds = [AnyMessage::new(Msg::Ping), data("a")].map(|any| any.kind().to_string());
        assert_eq!(kinds, ["Ping", "Data"]);
        let hash = |any: &AnyMessage| {
            let mut digest = Digest::EMPTY;
            any.hash(&mut digest);
            digest.value()
        };
        assert_eq!(hash(&data("a")), hash(&data("a")));
        assert_ne!(hash(&data("a")), hash(&data("b")));
        assert!(data("a") == data("a") && data("a") != data("b"));
        let form = data("a").form().expect("JSON");
        assert_eq!(form, serde_json::json!({ "Data": "a" }));
        assert!(data("b").read(form) == Some(data("a")));
        assert!(data("b").read(serde_json::json!({ "Date": "a" })).is_none());
        assert_eq!(data("abc").encoded_size(), "{\"Data\":\"abc\"}".len() as u64);
        let own = size_of::<Msg>() as u64;
        assert_eq!(data("abc").byte_count(), own + data("abc").encoded_size());
    }
}
