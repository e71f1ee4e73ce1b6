//! The name of the program in suggested commands.

use std::sync::OnceLock;

static NAME: OnceLock<String> = OnceLock::new();

/// The name of the program, `ftsim` unless changed by [`set_program`].
pub fn program() -> &'static str {
    NAME.get().map_or("ftsim", String::as_str)
}

/// Sets the name of the program to the first word of its command line; only the first call has an
/// effect. A name that a shell would not take literally is ignored.
pub fn set_program(first_word: &str) {
    let stem = std::path::Path::new(first_word).file_stem().and_then(|stem| stem.to_str());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if let Some(stem) = stem.filter(|stem| !stem.is_empty() && stem.chars().all(is_plain)) {
        NAME.get_or_init(|| stem.to_owned());
    }
}
