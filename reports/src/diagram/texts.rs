//! Texts of a diagram, each stored once.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

/// The maximum length of a text, in characters; longer ones are cut.
const LENGTH_MAX: usize = 400;

/// The index of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TextId(u32);

impl TextId {
    /// The index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Texts, each stored once.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    all: Vec<String>,
    known: BTreeMap<String, TextId>,
}

impl Texts {
    /// The index of this text.
    pub fn intern(&mut self, text: &str) -> TextId {
        let text = match text.char_indices().nth(LENGTH_MAX) {
            Some((end, _)) => &format!("{}…", &text[..end]),
            None => text,
        };
        if let Some(id) = self.known.get(text) {
            return *id;
        }
        let id = TextId(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.all.push(text.to_owned());
        self.known.insert(text.to_owned(), id);
        id
    }

    /// The number of texts.
    pub const fn len(&self) -> usize {
        self.all.len()
    }

    /// The text with this index.
    pub fn get(&self, id: TextId) -> &str {
        self.all.get(id.index()).map_or("", String::as_str)
    }
}

impl Serialize for Texts {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.all.serialize(s)
    }
}
