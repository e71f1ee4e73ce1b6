//! Deliberately broken variants of protocols.

use crate::id::PropertyId;

/// A deliberately broken variant, and the property that it must violate.
///
/// A code mutant is a constant that is tested at the line that it changes:
/// `if sender != cx.me() && !cx.runs(&NO_RELAY)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// Its name in scenarios, kebab-case.
    pub name: &'static str,
    /// The change, in words.
    pub changes: &'static str,
    /// The property that it violates.
    pub violates: PropertyId,
    /// Whether it changes the code or breaks an assumption.
    pub kind: MutantKind,
    /// Its name as a number, so that no strings are compared during runs.
    id: u64,
}

/// The kinds of mutants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MutantKind {
    /// A change of the protocol's code; the correct code must survive the same scenario.
    Code,
    /// A broken assumption: the correct code runs outside its model. The scenario breaks it with
    /// `key`; with the value `restored` (or without the key, if `None`), the assumption holds again
    /// and so must the property.
    Assumption {
        /// The dotted path of the key in the scenario.
        key: &'static str,
        /// Its value in TOML for which the assumption holds.
        restored: Option<&'static str>,
    },
}

impl Mutant {
    /// A mutant that changes the code.
    pub const fn code(name: &'static str, changes: &'static str, violates: PropertyId) -> Self {
        Self { name, changes, violates, kind: MutantKind::Code, id: id(name) }
    }

    /// A mutant that breaks an assumption by one key of the scenario.
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

    /// Whether both are the same mutant of a protocol.
    #[inline]
    pub(crate) const fn is(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// The FNV-1a hash of a name (Fowler, Noll and Vo 1991). It must differ among the mutants of a
/// protocol.
const fn id(name: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut rest = name.as_bytes();
    while let [byte, after @ ..] = rest {
        hash = (hash ^ *byte as u64).wrapping_mul(0x0000_0100_0000_01b3);
        rest = after;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutants_are_the_same_if_their_names_are() {
        let of = |name| Mutant::code(name, "changes something", PropertyId("x.y"));
        assert!(of("no-relay").is(&of("no-relay")));
        let names = ["no-relay", "no-relays", "o-relay", "relay-no", "", "a", "b", "ab", "ba"];
        let ids: std::collections::BTreeSet<u64> = names.iter().map(|name| id(name)).collect();
        assert_eq!(ids.len(), names.len());
        assert!(!of("a").is(&of("b")));
        // The published hash of nothing, and of "a".
        assert_eq!((id(""), id("a")), (0xcbf2_9ce4_8422_2325, 0xaf63_dc4c_8601_ec8c));
    }
}
