//! What operations write and find, in histories from outside.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// A value: what JSON and EDN have in common, and what only EDN has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Nothing: what an object holds to which nothing was written.
    Nil,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Integer(i128),
    /// Another number, by the bits of a double.
    Float(u64),
    /// A name: a keyword, with its colon, or a symbol.
    Name(Arc<str>),
    /// A text.
    Text(Arc<str>),
    /// A list or a vector.
    List(Vec<Value>),
    /// A set.
    Set(BTreeSet<Value>),
    /// A map, sorted by its keys.
    Map(Vec<(Value, Value)>),
}

impl Value {
    /// A text.
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// The parts of a list.
    pub fn parts(&self) -> Option<&[Self]> {
        match self {
            Self::List(parts) => Some(parts),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    /// Formats as EDN.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = |f: &mut fmt::Formatter<'_>, parts: &mut dyn Iterator<Item = &Self>| {
            for (index, part) in parts.enumerate() {
                write!(f, "{}{part}", if index > 0 { " " } else { "" })?;
            }
            Ok(())
        };
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Bool(is) => write!(f, "{is}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(bits) => write!(f, "{:?}", f64::from_bits(*bits)),
            Self::Name(name) => f.write_str(name),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(parts) => {
                f.write_str("[")?;
                all(f, &mut parts.iter())?;
                f.write_str("]")
            }
            Self::Set(parts) => {
                f.write_str("#{")?;
                all(f, &mut parts.iter())?;
                f.write_str("}")
            }
            Self::Map(parts) => {
                f.write_str("{")?;
                for (index, (key, value)) in parts.iter().enumerate() {
                    write!(f, "{}{key} {value}", if index > 0 { ", " } else { "" })?;
                }
                f.write_str("}")
            }
        }
    }
}
