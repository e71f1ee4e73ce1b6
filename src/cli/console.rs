//! Standard output and standard error.

use std::io::{self, Write as _};

use annotate_snippets::Renderer;

use super::screen::Screen;
use crate::scenario::diagnostic::Diagnostic;

/// Standard output, filtered.
pub(crate) type Out = Screen<anstream::AutoStream<io::Stdout>>;

/// Prints diagnostics on stderr.
pub(crate) fn tell(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        say(&format!("{}\n\n", diagnostic.render(&Renderer::styled())));
    }
}

pub(crate) fn complain(message: &str) {
    say(&format!("error: {message}\n"));
}

/// Writes a text to stderr.
pub(crate) fn say(text: &str) {
    let mut err = Screen::new(anstream::stderr());
    // A failure to write to stderr cannot be reported anywhere.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}
