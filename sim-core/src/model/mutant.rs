//! Deliberately broken variants of protocols.

use crate::id::PropertyId;

/// A deliberately broken variant, and the property that it must violate.
///
/// A mutant of the code is a constant that is asked about at the line that it changes:
/// `if sender != cx.me() && !cx.runs(&NO_RELAY)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// Its name in scenarios, kebab-case.
    pub name: &'static str,
    /// What is changed.
    pub changes: &'static str,
    /// The property that falls.
    pub violates: PropertyId,
    /// Whether the code changes or the world.
    pub kind: MutantKind,
    /// Its name as a number, so that a run compares no text.
    id: u64,
}

/// What a mutant changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MutantKind {
    /// The protocol's code; the correct one must survive the very same scenario.
    Code,
    /// The world: the correct code runs outside its model. The scenario says how under `key`;
    /// written as `restored` (or left out, if `None`), the assumption holds again and so must the
    /// property.
    Assumption {
        /// The dotted path of the scenario's key.
        key: &'static str,
        /// Its value in TOML when the assumption holds.
        restored: Option<&'static str>,
    },
}

impl Mutant {
    /// A mutant of the code.
    pub const fn code(name: &'static str, changes: &'static str, violates: PropertyId) -> Self {
        Self { name, changes, violates, kind: MutantKind::Code, id: id(name) }
    }

    /// A mutant of the world, made and unmade by one key of the scenario.
    pub const fn assumption(
        name: &'static str,
        changes: &'static str,
        violates: PropertyId,
        key: &'static str,
        restored: Option<&'static str>,
    ) -> Self {
        let kind = MutantKind::Assumption { key, restored };
        Self { name, changes, violates, kind, id: id(name) }
    }

    /// Whether both are the same mutant of one protocol.
    #[inline]
    pub(crate) const fn is(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// FNV-1a of a name (Fowler, Noll and Vo 1991). Two mutants of one protocol must differ by it.
const fn id(name: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut rest = name.as_bytes();
    while let [byte, after @ ..] = rest {
        hash = (hash ^ *byte as u64).wrapping_mul(0x0000_0100_0000_01b3);
        rest = after;
    }
    hash
}
