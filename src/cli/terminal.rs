//! The terminal on standard output, if any.

use std::io::IsTerminal as _;

use ftsim_reports::Page;

/// The page for the terminal's width.
pub fn page(quiet: bool) -> Page {
    let size = terminal_size::terminal_size_of(std::io::stdout());
    let columns = size.map(|(width, _)| usize::from(width.0));
    Page { columns: columns.filter(|columns| *columns > 0), quiet }
}

/// Whether standard output can show Unicode. Only terminals whose locale is another cannot: files
/// and pipes get the same output everywhere.
pub fn has_unicode() -> bool {
    if !std::io::stdout().is_terminal() {
        return true;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable);
    is_unicode(locale.into_iter().next().as_deref())
}

/// Whether this locale is UTF-8; so is the default.
fn is_unicode(locale: Option<&str>) -> bool {
    locale.is_none_or(|locale| locale.to_lowercase().replace('-', "").contains("utf8"))
}

#[expect(clippy::disallowed_methods, reason = "the terminal's characters do not affect runs")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
