//! The kind of a message is the path of its variant names: `Prepare`, or `Rb.Echo` through a layer.
//!
//! It is read by a serde serialiser that stops at the first field that is not itself a variant: no
//! derive macro, no allocation, a few nanoseconds.

use std::fmt;

use serde::Serialize;
use serde::ser::{self, Impossible};

/// The maximum depth of variants that are distinguished.
const DEPTH: usize = 4;

/// The kind of a message.
#[derive(Clone, Copy, Default)]
pub struct MessageKind {
    /// One byte per level: the variant's index plus one.
    code: u32,
    names: [&'static str; DEPTH],
    depth: u8,
}

impl MessageKind {
    /// The kind of this message: its variant names, or the name of its type if it is no enum.
    #[inline]
    pub fn of<M: Serialize>(message: &M) -> Self {
        let mut kind = Self::default();
        // The reader stops by returning an error.
        let _enough = message.serialize(Reader(&mut kind));
        kind
    }

    /// Equal for two messages of one type exactly if their kinds are equal, for enums of up to 254
    /// variants.
    #[inline]
    pub const fn code(self) -> u32 {
        self.code
    }

    /// Whether this is its name.
    pub(crate) fn is_named(self, name: &str) -> bool {
        match self.depth {
            0 => name == "Message",
            depth => name.split('.').eq(self.names[..usize::from(depth)].iter().copied()),
        }
    }

    fn push(&mut self, index: u32, name: &'static str) {
        let depth = usize::from(self.depth);
        if depth < DEPTH {
            self.code |= (index + 1).min(255) << (8 * depth);
            self.names[depth] = name;
            self.depth += 1;
        }
    }

    /// A struct inside a variant is content, and otherwise it is the message itself.
    fn push_type(&mut self, name: &'static str) {
        if self.depth == 0 {
            self.push(0, name);
        }
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = &self.names[..usize::from(self.depth)] else {
            return f.write_str("Message");
        };
        f.write_str(first)?;
        rest.iter().try_for_each(|name| write!(f, ".{name}"))
    }
}

impl fmt::Debug for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

struct Reader<'a>(&'a mut MessageKind);

/// The error by which the reader stops.
#[derive(Debug)]
struct Enough;

impl fmt::Display for Enough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the kind is known")
    }
}
impl std::error::Error for Enough {}
impl ser::Error for Enough {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Methods that stop the reader.
macro_rules! enough {
    ($($method:ident($($type:ty),*) $(-> $ok:ty)?;)*) => {
        $(fn $method(self $(, _: $type)*) -> Result<enough!(@ $($ok)?), Enough> { Err(Enough) })*
    };
    (@) => { () };
    (@ $ok:ty) => { $ok };
}

impl ser::Serializer for Reader<'_> {
    type Ok = ();
    type Error = Enough;
    type SerializeSeq = Impossible<(), Enough>;
    type SerializeTuple = Impossible<(), Enough>;
    type SerializeTupleStruct = Impossible<(), Enough>;
    type SerializeTupleVariant = Impossible<(), Enough>;
    type SerializeMap = Impossible<(), Enough>;
    type SerializeStruct = Impossible<(), Enough>;
    type SerializeStructVariant = Impossible<(), Enough>;

    enough! {
        serialize_bool(bool); serialize_i8(i8); serialize_i16(i16); serialize_i32(i32);
        serialize_i64(i64); serialize_u8(u8); serialize_u16(u16); serialize_u32(u32);
        serialize_u64(u64); serialize_f32(f32); serialize_f64(f64); serialize_char(char);
        serialize_str(&str); serialize_bytes(&[u8]); serialize_none(); serialize_unit();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_map(Option<usize>) -> Self::SerializeMap;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Enough> {
        Err(Enough)
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<(), Enough> {
        self.0.push_type(name);
        Err(Enough)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: &T,
    ) -> Result<(), Enough> {
        self.0.push_type(name);
        Err(Enough)
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Enough> {
        self.0.push_type(name);
        Err(Enough)
    }

    fn serialize_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStruct, Enough> {
        self.0.push_type(name);
        Err(Enough)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<(), Enough> {
        self.0.push(index, variant);
        Err(Enough)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Enough> {
        self.0.push(index, variant);
        value.serialize(Reader(self.0))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Enough> {
        self.0.push(index, variant);
        Err(Enough)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Enough> {
        self.0.push(index, variant);
        Err(Enough)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Token(u64);
    #[derive(Serialize)]
    enum Inner {
        Echo { _round: u32 },
        Ready(u32, u32),
    }
    #[derive(Serialize)]
    enum Outer {
        Rb(Inner),
        Ping,
        Value(u64),
        Carry(Token),
        Many(Vec<Inner>),
    }

    #[test]
    fn kinds_are_paths_of_variants() {
        let kinds = [
            MessageKind::of(&Outer::Rb(Inner::Echo { _round: 1 })),
            MessageKind::of(&Outer::Rb(Inner::Ready(1, 2))),
            MessageKind::of(&Outer::Ping),
            MessageKind::of(&Outer::Value(1)),
            MessageKind::of(&Outer::Carry(Token(1))),
            MessageKind::of(&Outer::Many(vec![Inner::Ready(1, 2)])),
        ];
        let names = kinds.map(|k| k.to_string());
        assert_eq!(names, ["Rb.Echo", "Rb.Ready", "Ping", "Value", "Carry", "Many"]);
        let mut codes = kinds.map(MessageKind::code).to_vec();
        codes.dedup();
        assert_eq!(codes.len(), 6, "{codes:?}");
    }

    #[test]
    fn a_message_that_is_no_enum_has_its_type_for_a_kind() {
        #[derive(Serialize)]
        struct Halt;
        assert_eq!(MessageKind::of(&Halt).to_string(), "Halt");
        assert_eq!(MessageKind::of(&Token(7)).to_string(), "Token");
        assert_eq!(MessageKind::of(&7u64).to_string(), "Message");
        assert!(MessageKind::of(&7u64).is_named("Message"));
        assert!(!MessageKind::of(&7u64).is_named("Token"));
        assert!(MessageKind::of(&Token(7)).is_named("Token"));
        assert!(!MessageKind::of(&Token(7)).is_named("Message"));
    }

    #[test]
    fn four_levels_are_told_apart() {
        #[derive(Serialize)]
        enum Level<T> {
            In(T),
        }
        #[derive(Serialize)]
        enum Last {
            A,
            B,
        }
        use Level::In;
        let four = [Last::A, Last::B].map(|last| MessageKind::of(&In(In(In(last)))));
        assert_eq!(four.map(|kind| kind.to_string()), ["In.In.In.A", "In.In.In.B"]);
        assert_ne!(four[0].code(), four[1].code());
        let five = [Last::A, Last::B].map(|last| MessageKind::of(&In(In(In(In(last))))));
        assert_eq!(five.map(|kind| kind.to_string()), ["In.In.In.In"; 2]);
        assert_eq!(five[0].code(), five[1].code());
    }
}
