//! The first look at a scenario: keys and the shapes of their values.

use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::problems::{Problems, UnknownField};
use crate::scenario::file::ScenarioFile;
use crate::scenario::source::Span;

/// So many unknown keys are told at once.
pub const UNKNOWN_KEYS_MAX: usize = 20;

/// The file that this text is. All unknown keys are told at once, and of other errors the first.
///
/// serde ends at its first error. So each unknown key is put right, by the name that was probably
/// meant, or taken out, and what is left is read once more.
pub fn read(problems: &mut Problems<'_>, root: &Spanned<DeTable<'_>>) -> Option<ScenarioFile> {
    let mut root = root.clone();
    for round in 0..UNKNOWN_KEYS_MAX {
        let error = match ScenarioFile::deserialize(Deserializer::from(root.clone())) {
            Ok(file) => return Some(file).filter(|_| round == 0),
            Err(error) => error,
        };
        let unknown = UnknownField::of(error.message());
        // A key that was taken out may have been the one that is missing now.
        if unknown.is_some() || round == 0 || !error.message().starts_with("missing field") {
            problems.serde(&error);
        }
        let (Some(unknown), Some(span)) = (unknown, error.span()) else { return None };
        if !mend(root.as_mut(), &span, unknown.meant) {
            return None;
        }
    }
    None
}

/// Gives the key at this place another name, unless there is such a key already, or takes it out;
/// false if there is no key.
fn mend(table: &mut DeTable<'_>, at: &Span, name: Option<&str>) -> bool {
    if table.keys().any(|key| key.span() == *at) {
        let name = name.filter(|name| !table.keys().any(|key| key.get_ref() == name));
        let mended = std::mem::take(table).into_iter().filter_map(|(mut key, value)| {
            if key.span() == *at {
                *key.as_mut() = name?.to_owned().into();
            }
            Some((key, value))
        });
        *table = mended.collect();
        return true;
    }
    table.iter_mut().any(|(_, value)| mend_within(value.as_mut(), at, name))
}

fn mend_within(value: &mut DeValue<'_>, at: &Span, name: Option<&str>) -> bool {
    match value {
        DeValue::Table(table) => mend(table, at, name),
        DeValue::Array(items) => items.iter_mut().any(|item| mend_within(item.as_mut(), at, name)),
        _ => false,
    }
}
