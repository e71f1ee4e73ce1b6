//! What is wrong with the input, shown as rustc shows it: file, line, column, the text itself, what
//! to do.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use ftsim_reports::{counted, is_active, line};

use crate::scenario::source::{Source, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but may not do what its author expects.
    Warning,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the file can be used even so.
    pub severity: Severity,
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
            severity: Severity::Error,
            message: message.into(),
            source: Arc::new(Source { path: path.to_owned(), text: String::new() }),
            span: None,
            label: None,
            help: None,
        }
    }

    /// The diagnostic as text, without an end of line. It is short, however long the file and its
    /// names are.
    pub fn render(&self, renderer: &Renderer) -> String {
        let Source { path, text } = &*self.source;
        let message = cut(&self.message);
        let path = line(path);
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(message.as_str());
        let excerpt = self.span.as_ref().map(|span| Excerpt::of(text, span));
        let Some(Excerpt { line, column, skipped, shown, span }) = &excerpt else {
            let mut report = vec![title.element(Origin::path(path.as_ref()))];
            report.extend(self.help_group());
            return renderer.render(&report);
        };
        let label = self.label.as_deref().map(cut);
        let is_short = |label: &&str| label.chars().count() <= LABEL_WIDTH_MAX;
        let annotation = AnnotationKind::Primary.span(span.clone());
        let annotation = annotation.label(label.as_deref().filter(is_short));
        let snippet = Snippet::source(shown.as_str()).path(path.as_ref()).line_start(*line);
        let note = label.as_deref().filter(|label| !is_short(label)).map(wrapped);
        let note = note.map(|note| Level::NOTE.message(note));
        let mut report = vec![title.element(snippet.annotation(annotation)).elements(note)];
        report.extend(self.help_group());
        let rendered = renderer.render(&report);
        // The renderer counts columns in what is shown.
        let place = |column: usize| format!("{path}:{line}:{column}");
        match skipped {
            0 => rendered,
            skipped => rendered.replacen(&place(column - skipped + 1), &place(*column), 1),
        }
    }

    fn help_group(&self) -> Option<Group<'static>> {
        let help = self.help.as_deref().map(cut)?;
        Some(Group::with_title(Level::HELP.secondary_title(help)))
    }

    /// These, or the first of them and how many more there are.
    pub fn bounded(mut diagnostics: Vec<Self>) -> Vec<Self> {
        let more = diagnostics.len().saturating_sub(TOLD_MAX);
        if let (Some(first), 1..) = (diagnostics.first(), more) {
            let are = if more == 1 { "is" } else { "are" };
            let message = format!("{} {are} not shown", counted(more as u64, "more error"));
            let last = Self::of_file(&first.source.path, message);
            diagnostics.truncate(TOLD_MAX);
            diagnostics.push(last);
        }
        diagnostics
    }
}

/// So much of what is wrong with a file is told.
const TOLD_MAX: usize = 20;
/// So long a line of a file is shown, in characters.
const SHOWN_MAX: usize = 120;
/// How much of it in front of the place.
const SHOWN_BEFORE: usize = 40;
/// So long a message is.
const MESSAGE_LENGTH_MAX: usize = 1000;
/// How much is shown of the end of a longer one.
const MESSAGE_END: usize = 200;

/// The place in a file as it is shown: a line, or as much of it as surrounds the place.
#[derive(Debug, PartialEq, Eq)]
struct Excerpt {
    /// The number of the line, from 1.
    line: usize,
    /// The column of the place, in characters from 1.
    column: usize,
    /// How many characters of the line are not shown in front of what is.
    skipped: usize,
    /// What is shown.
    shown: String,
    /// The place in it, in bytes.
    span: Range<usize>,
}

impl Excerpt {
    fn of(text: &str, span: &Span) -> Self {
        let span = within(text, span);
        let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
        let count = |range: Range<usize>| text[range].chars().count();
        let before = count(start..span.start);
        let inside = count(span.clone());
        let is_long = before + count(span.start..end) > SHOWN_MAX;
        let skipped = if is_long { before.saturating_sub(SHOWN_BEFORE) } else { 0 };
        let mut shown = String::new();
        let mut place = 0..0;
        if skipped > 0 {
            shown.push('…');
        }
        let characters = text[start..end].chars().chain(['\n']).enumerate().skip(skipped);
        for (index, c) in characters.take(SHOWN_MAX + 1) {
            if index == before {
                place = shown.len()..shown.len();
            }
            if index <= before + inside {
                place.end = shown.len();
            }
            // The place stays below what it is about.
            match c {
                '\n' => {}
                c if is_active(c) && c != '\t' => shown.push(char::REPLACEMENT_CHARACTER),
                c => shown.push(c),
            }
        }
        if count(start..end) > skipped + SHOWN_MAX + 1 {
            shown.push('…');
        }
        let line = text[..start].matches('\n').count() + 1;
        Self { line, column: before + 1, skipped, shown, span: place }
    }
}

/// A text in one line, without its middle if it is too long.
fn cut(text: &str) -> String {
    let text = line(text);
    let length = text.chars().count();
    if length <= MESSAGE_LENGTH_MAX {
        return text.into_owned();
    }
    let begin = text.chars().take(MESSAGE_LENGTH_MAX - MESSAGE_END);
    begin.chain(['…']).chain(text.chars().skip(length - MESSAGE_END)).collect()
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
    let length = name.chars().count();
    let farthest = (length / 3).max(1);
    valid
        .into_iter()
        // The difference of the lengths is a part of the distance, and costs less.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= farthest)
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= farthest)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// ``did you mean `x`?``, where a valid name is near.
pub fn did_you_mean<'a>(name: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, valid).map(|near| format!("did you mean `{near}`?"))
}
