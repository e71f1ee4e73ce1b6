//! What ftsim reads, damaged: a kind and bytes.

use std::fmt;
use std::hash::Hasher as _;
use std::path::Path;
use std::str::FromStr;

use ftsim_core::Digest;

use super::dice::Dice;

/// One input.
pub struct Input {
    /// What it is read as.
    pub kind: Kind,
    /// What it says.
    pub bytes: Vec<u8>,
}

/// What an input is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A scenario file.
    Scenario,
    /// A scenario file with decisions about single messages, and replacements of them.
    Message,
    /// A repro of a run.
    Repro,
    /// What `ftsim record` has written.
    Record,
    /// `results.jsonl` of a sweep.
    Results,
    /// The seeds of a scenario that once failed.
    Regressions,
}

impl Kind {
    /// All of them, each with its name and how many of a thousand inputs are of it.
    pub const ALL: [(Self, &'static str, u64); 6] = [
        (Self::Scenario, "scenario", 780),
        (Self::Message, "message", 100),
        (Self::Repro, "repro", 50),
        (Self::Record, "record", 40),
        (Self::Results, "results", 15),
        (Self::Regressions, "regressions", 15),
    ];

    /// One of these kinds.
    pub fn draw(kinds: &[Self], dice: &mut Dice) -> Self {
        let asked = Self::ALL.into_iter().filter(|(kind, ..)| kinds.contains(kind));
        let mut draw = dice.below(asked.clone().map(|(.., weight)| weight).sum());
        for (kind, _, weight) in asked {
            match draw.checked_sub(weight) {
                None => return kind,
                Some(left) => draw = left,
            }
        }
        unreachable!("a draw is below the sum of the weights");
    }

    /// Its name, which files of this kind begin with.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(kind, ..)| *kind == self).expect("all are listed").1
    }

    /// Its place among all of them.
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|(_, known, _)| *known == name);
        found.map(|(kind, ..)| kind).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.into_iter().map(|(_, name, _)| name).collect();
            format!("expected one of {}", names.join(", "))
        })
    }
}

impl Input {
    /// An input of the corpus.
    pub fn of_file(path: &Path, bytes: Vec<u8>) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let kind = name.split(['-', '.']).next()?.parse().ok()?;
        Some(Self { kind, bytes })
    }

    /// A number that depends on what it says.
    pub fn digest(&self) -> u64 {
        let mut digest = Digest::EMPTY;
        digest.write(&self.bytes);
        digest.value()
    }

    /// The name of its file.
    pub fn file_name(&self) -> String {
        let ending = match self.kind {
            Kind::Record => "rec",
            Kind::Results => "jsonl",
            _ => "toml",
        };
        format!("{}-{:08x}.{ending}", self.kind.name(), self.digest() >> 32)
    }
}
