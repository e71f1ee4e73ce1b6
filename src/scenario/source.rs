//! The text of a scenario file, and where in it each key and each value stands.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// A scenario file as it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it was read from, as the user named it.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// A part of the text, in bytes.
pub type Span = Range<usize>;

/// The keys and values of a source by their dotted paths: `network.delay`, `fault[1].crash`.
pub struct Places<'a> {
    root: &'a DeTable<'a>,
}

/// What stands under a path.
#[derive(Clone)]
pub struct Place<'a> {
    /// The key; that of the array for an element.
    pub key: Span,
    /// The value; the header for a table with one.
    pub value: Span,
    /// What it is.
    pub what: &'a DeValue<'a>,
}

impl<'a> Places<'a> {
    /// The places of a parsed source.
    pub const fn new(root: &'a DeTable<'a>) -> Self {
        Self { root }
    }

    /// What stands under this path.
    pub fn get(&self, path: &str) -> Option<Place<'a>> {
        let mut place: Option<Place<'a>> = None;
        for step in steps(path) {
            let found = match (&place, step) {
                (None, Step::Key(key)) => in_table(self.root, key),
                (Some(place), Step::Key(key)) => in_table(place.what.as_table()?, key),
                (Some(place), Step::Index(index)) => {
                    let value = place.what.get(index)?;
                    let key = place.key.clone();
                    Some(Place { key, value: value.span(), what: value.get_ref() })
                }
                (None, Step::Index(_)) => None,
            };
            place = Some(found?);
        }
        place
    }

    /// The value under this path, or under the nearest path above it that exists.
    pub fn nearest(&self, path: &str) -> Option<Place<'a>> {
        let mut path = path;
        loop {
            if let Some(place) = self.get(path) {
                return Some(place);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// Calls `visit` with every value and its path, in the order of the keys.
    pub fn each(&self, visit: &mut impl FnMut(&str, &Place<'a>)) {
        each_in_table(self.root, "", visit);
    }
}

enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    path.split(['.', '[']).map(|step| match step.strip_suffix(']').map(str::parse) {
        Some(Ok(index)) => Step::Index(index),
        _ => Step::Key(step),
    })
}

fn in_table<'a>(table: &'a DeTable<'a>, name: &str) -> Option<Place<'a>> {
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == name)?;
    Some(Place { key: key.span(), value: value.span(), what: value.get_ref() })
}

fn each_in_table<'a>(table: &'a DeTable<'a>, path: &str, visit: &mut impl FnMut(&str, &Place<'a>)) {
    for (key, value) in table {
        let name = key.get_ref();
        let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
        let place = Place { key: key.span(), value: value.span(), what: value.get_ref() };
        each_value(&place, &path, visit);
    }
}

fn each_value<'a>(place: &Place<'a>, path: &str, visit: &mut impl FnMut(&str, &Place<'a>)) {
    visit(path, place);
    match place.what {
        DeValue::Table(table) => each_in_table(table, path, visit),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let key = place.key.clone();
                let item = Place { key, value: item.span(), what: item.get_ref() };
                each_value(&item, &format!("{path}[{index}]"), visit);
            }
        }
        _ => {}
    }
}
