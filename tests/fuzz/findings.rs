//! What is wrong with how ftsim took an input.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::input::Input;

/// Something that must not happen.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What, in words that are the same for findings that are alike.
    pub what: String,
    /// What helps to find out why.
    pub detail: String,
}

/// All findings so far, one for each kind of them.
pub struct Findings {
    corpus: PathBuf,
    counts: BTreeMap<String, u64>,
}

impl Findings {
    /// None yet; inputs are kept in this folder.
    pub const fn new(corpus: PathBuf) -> Self {
        Self { corpus, counts: BTreeMap::new() }
    }

    /// How many kinds there are.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Keeps the input if nothing like it was found before, and it is not `kept` already. Returns
    /// what is to be told of it.
    pub fn take(
        &mut self,
        input: &Input,
        finding: &Finding,
        kept: Option<&Path>,
    ) -> Option<String> {
        let count = self.counts.entry(signature(&finding.what)).or_default();
        *count += 1;
        if *count > 1 && kept.is_none() {
            return None;
        }
        let path = match kept {
            Some(path) => path.to_owned(),
            None => self.corpus.join(input.file_name()),
        };
        if kept.is_none() {
            keep(&path, &input.bytes);
        }
        Some(format!("{}\n  {}\n  {}", path.display(), finding.what, indented(&finding.detail)))
    }
}

/// Writes an input into the corpus.
///
/// # Panics
/// When it cannot be written.
pub fn keep(path: &Path, bytes: &[u8]) {
    let folder = path.parent().expect("an input is in a folder");
    fs::create_dir_all(folder).expect("the corpus can be written");
    fs::write(path, bytes).expect("the corpus can be written");
}

fn indented(text: &str) -> String {
    let short: String = text.chars().take(4_000).collect();
    short.trim_end().replace('\n', "\n  ")
}

/// What findings that are alike have in common: all but the numbers in them.
fn signature(what: &str) -> String {
    // The place of a panic tells it apart from others.
    let (place, rest) = what.split_once(": ").unwrap_or((what, ""));
    let words = rest.split('`').step_by(2).collect::<String>();
    let letters: String = words.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    format!("{place}: {letters}")
}

static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// From now on panics are noted, not told.
pub fn note_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, ToString::to_string);
        let message = info.payload_as_str().unwrap_or("no text");
        *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = format!("{place}: {message}");
    }));
}

/// Where the last panic was, and what it said; it is forgotten.
pub fn last_panic() -> String {
    std::mem::take(&mut *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner))
}
