//! The terminal on standard output, if any.

use ftsim_reports::Page;

/// The page for the terminal's width.
pub fn page(quiet: bool) -> Page {
    let size = terminal_size::terminal_size_of(std::io::stdout());
    let columns = size.map(|(width, _)| usize::from(width.0));
    Page { columns: columns.filter(|columns| *columns > 0), quiet }
}
