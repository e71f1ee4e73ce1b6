//! What is wrong with the input, shown as rustc shows it: file, line, column, the text itself, what
//! to do.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::source::{Source, Span};

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// The file.
    pub source: Arc<Source>,
    /// Where in it; `None` for the file as a whole.
    pub span: Option<Span>,
    /// What was expected there.
    pub label: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Something is wrong with a file as a whole: it cannot be read, say.
    pub fn of_file(path: &str, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: Arc::new(Source { path: path.to_owned(), text: String::new() }),
            span: None,
            label: None,
            help: None,
        }
    }

    /// The diagnostic as text, without an end of line.
    pub fn render(&self, renderer: &Renderer) -> String {
        let Source { path, text } = &*self.source;
        let title = Level::ERROR.primary_title(self.message.as_str());
        let group = match &self.span {
            Some(span) => {
                let annotation = AnnotationKind::Primary.span(within(text, span));
                let label = self.label.as_deref();
                let is_short = |label: &&str| label.chars().count() <= LABEL_WIDTH_MAX;
                let annotation = annotation.label(label.filter(is_short));
                let snippet = Snippet::source(text).path(path).annotation(annotation);
                let note = label.filter(|label| !is_short(label)).map(wrapped);
                let note = note.map(|note| Level::NOTE.message(note));
                title.element(snippet).elements(note)
            }
            None => title.element(Origin::path(path)),
        };
        let mut report = vec![group];
        if let Some(help) = &self.help {
            report.push(Group::with_title(Level::HELP.secondary_title(help.as_str())));
        }
        renderer.render(&report)
    }
}

/// A longer label goes below the text, in lines.
const LABEL_WIDTH_MAX: usize = 50;
/// The width of such a line.
const NOTE_WIDTH: usize = 78;

/// The text in lines, broken between words.
fn wrapped(text: &str) -> String {
    let (mut lines, mut width) = (String::new(), 0);
    for word in text.split(' ') {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > NOTE_WIDTH {
            lines.push('\n');
            width = 0;
        } else if width > 0 {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += length;
    }
    lines
}

/// The span cut back to what the text has, on boundaries of characters and within one line.
fn within(text: &str, span: &Span) -> Range<usize> {
    let boundary = |at: usize| {
        let at = at.min(text.len());
        (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
    };
    let (start, end) = (boundary(span.start), boundary(span.end));
    let line_end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    start..end.clamp(start, line_end.max(start))
}

/// The name that the user may have meant.
pub fn nearest<'a>(name: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let farthest = (name.chars().count() / 3).max(1);
    valid
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= farthest)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// ``did you mean `x`?``, where a valid name is near.
pub fn did_you_mean<'a>(name: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, valid).map(|near| format!("did you mean `{near}`?"))
}
