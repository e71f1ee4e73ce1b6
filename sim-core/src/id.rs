//! Identifiers of processes, messages and properties.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::as_text;

/// The identity of a process: `p0`, `p1`, … in the order of the scenario.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub u32);

/// The identity of one transmission, numbered from 0 in the order of sending within a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub u64);

/// The name of a property, `family.name`, as scenarios and reports write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct PropertyId(pub &'static str);

impl ProcessId {
    /// The process as an index into a collection with an element per process.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for PropertyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("p{}", self.0))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m{}", self.0)
    }
}

impl fmt::Debug for ProcessId {
    /// As text: traces show content by `Debug`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ProcessId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_prefix('p').filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
        let id = number.and_then(|n| n.parse().ok());
        id.map(Self).ok_or_else(|| format!("expected a process such as \"p0\", found \"{text}\""))
    }
}

as_text!(ProcessId, "^p[0-9]+$", "\"p0\"");
