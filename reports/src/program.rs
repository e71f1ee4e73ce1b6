//! What the program is called in the commands that it suggests.

use std::sync::OnceLock;

static NAME: OnceLock<String> = OnceLock::new();

/// The name of the program, `ftsim` unless [`set_program`] was told another.
pub fn program() -> &'static str {
    NAME.get().map_or("ftsim", String::as_str)
}

/// Names the program after the first word of its command line; the first call counts. A name that
/// a shell would not take as it stands is not used.
pub fn set_program(first_word: &str) {
    let stem = std::path::Path::new(first_word).file_stem().and_then(|stem| stem.to_str());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if let Some(stem) = stem.filter(|stem| !stem.is_empty() && stem.chars().all(is_plain)) {
        NAME.get_or_init(|| stem.to_owned());
    }
}
