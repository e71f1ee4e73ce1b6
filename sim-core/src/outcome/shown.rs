//! Values in traces: formatted by `Debug`, but only when the text is needed.

use std::fmt::{self, Debug, Display};
use std::hash::{Hash, Hasher as _};

use serde::{Serialize, Serializer};

use crate::digest::Digest;
use crate::kind::MessageKind;

/// A value in a trace, or its kind.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    value: &'a dyn Show,
    only_kind: bool,
}

impl<'a> Shown<'a> {
    /// A value.
    pub fn of<T: Debug + Hash + Serialize>(value: &'a T) -> Self {
        Self { value, only_kind: false }
    }

    /// The kind of a message.
    pub fn kind_of<T: Debug + Hash + Serialize>(value: &'a T) -> Self {
        Self { value, only_kind: true }
    }

    /// The kind of the value.
    pub fn kind(self) -> MessageKind {
        self.value.kind()
    }

    /// Equal for equal values of one type; for others only by accident.
    #[inline]
    pub fn fingerprint(self) -> u64 {
        self.value.fingerprint()
    }
}

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.only_kind { Display::fmt(&self.kind(), f) } else { self.value.fmt(f) }
    }
}

impl Serialize for Shown<'_> {
    /// Serialises it as its text.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// A value that can be shown, whatever its type.
trait Show: Debug {
    fn kind(&self) -> MessageKind;
    fn fingerprint(&self) -> u64;
}

impl<T: Debug + Hash + Serialize> Show for T {
    fn kind(&self) -> MessageKind {
        MessageKind::of(self)
    }

    fn fingerprint(&self) -> u64 {
        let mut digest = Digest::EMPTY;
        self.hash(&mut digest);
        digest.finish()
    }
}
