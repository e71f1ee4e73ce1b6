//! The words beside a step.

use anstyle::Style;

use crate::diagram::{Diagram, DiagramStep};
use crate::foreign::line;
use crate::layout::counted;
use crate::step_text::{shortened, words as listed};
use crate::style::{BAD, FAINT, GOOD, STRONG, UNKNOWN};
use crate::trace::announcement;

use super::canvas::{Span, cut, width};
use super::signs::Alphabet;

/// The maximum number of receivers of a message that are named.
const RECEIVERS_NAMED_MAX: usize = 6;

/// A remark about a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    text: String,
    style: Style,
}

impl Remark {
    /// A text in a style.
    pub fn plain(text: &str, style: Style) -> Self {
        Self { text: line(text).into_owned(), style }
    }
}

/// The remarks about a step, the most important first. Of values longer than `length_max`, only the
/// name is given.
pub fn of_step(diagram: &Diagram, step: usize, length_max: usize) -> Vec<Remark> {
    let step = &diagram.steps[step];
    let mut remarks: Vec<(u8, Remark)> = Vec::new();
    for (place, part) in step.parts.iter().enumerate() {
        let text = diagram.text(part.text);
        let value = |before: &str| {
            let value = text.strip_prefix(before).unwrap_or(text);
            format!("{before}{}", brief(value, length_max))
        };
        let (order, text, style) = match part.event {
            "deliver" => (1, heard(diagram, step, part.message, text, length_max), Style::new()),
            "request" => (1, value("is asked for "), STRONG),
            "violation" => (2, violation(diagram, text).to_owned(), BAD),
            "panic" => (2, text.to_owned(), BAD),
            "crash" => (3, text.to_owned(), UNKNOWN),
            "indicate" if text.starts_with("ANNOUNCES ") => (4, value("ANNOUNCES "), GOOD),
            "indicate" => (4, announcement("", Some(text)), GOOD),
            "timer" => (1, text.strip_suffix(" fires").unwrap_or(text).to_owned(), Style::new()),
            "reach" => (6, text.to_owned(), STRONG),
            "append" => (7, value("logs "), FAINT),
            "rewrite" => (7, text.to_owned(), FAINT),
            "start" | "send" | "drop" | "carry" | "set-timer" | "cancel-timer" | "note"
            | "sync-begins" | "request-masked" => continue,
            "synced" if place > 0 => continue,
            "synced" => (1, text.to_owned(), FAINT),
            _ => (3, text.to_owned(), UNKNOWN),
        };
        let style = if step.lane.is_none() { UNKNOWN } else { style };
        remarks.push((order, Remark::plain(&text, style)));
    }
    remarks.extend(sent(diagram, step, length_max).into_iter().map(|remarks| (5, remarks)));
    remarks.sort_by_key(|(order, _)| *order);
    remarks.into_iter().map(|(_, remarks)| remarks).collect()
}

/// A violation; only its name if the story is about another one.
fn violation<'t>(diagram: &Diagram, text: &'t str) -> &'t str {
    let name = text.split(": ").next().unwrap_or(text);
    let is_told = diagram.story.as_ref().is_none_or(|story| name.ends_with(&story.property));
    if is_told { text } else { name }
}

/// A value, or its name if it is long.
fn brief(value: &str, length_max: usize) -> String {
    let is_long = value.chars().nth(length_max).is_some();
    let end = value.find(['(', '{', '[']).filter(|_| is_long).unwrap_or(value.len());
    shortened(value[..end].trim_end(), length_max.max(1))
}

/// The message that a step receives, and the step that sent it.
fn heard(
    diagram: &Diagram,
    step: &DiagramStep,
    message: Option<usize>,
    text: &str,
    length_max: usize,
) -> String {
    let message = message.and_then(|message| diagram.messages.get(message));
    // `Vote(1) from p0`: the arrow already shows the sender.
    let text = match (message, text.rsplit_once(" from ")) {
        (Some(_), Some((text, _))) => text,
        _ => text,
    };
    let changed = if message.is_some_and(|message| message.changed) { ", changed" } else { "" };
    let late = if message.is_some_and(|message| message.late) { ", late" } else { "" };
    let sent = step.cause.and_then(|cause| diagram.steps.get(cause));
    let sent = sent.map_or_else(String::new, |sent| format!(" of step {}", sent.number));
    let verb = if sent.is_empty() { "hears " } else { "" };
    format!("{verb}{}{sent}{changed}{late}", brief(text, length_max))
}

/// The messages that a step sends, with their receivers and losses.
fn sent(diagram: &Diagram, step: &DiagramStep, length_max: usize) -> Vec<Remark> {
    let mut kinds: Vec<(&str, Option<&str>, Vec<String>)> = Vec::new();
    for part in step.parts.iter().filter(|p| matches!(p.event, "send" | "drop" | "carry")) {
        let Some(message) = part.message.and_then(|message| diagram.messages.get(message)) else {
            continue;
        };
        let sent = message.sent.and_then(|sent| diagram.steps.get(sent));
        if sent.is_none_or(|sent| sent.number != step.number) {
            continue;
        }
        let lost = message.lost.as_ref().map(|lost| diagram.text(lost.reason));
        let text = diagram.text(message.text);
        let to = diagram.lanes.get(message.to as usize);
        let to = to.map_or_else(String::new, |lane| lane.name.clone());
        match kinds.iter_mut().find(|(known, reason, _)| *known == text && *reason == lost) {
            Some((.., receivers)) => receivers.push(to),
            None => kinds.push((text, lost, vec![to])),
        }
    }
    let remarks = kinds.into_iter().map(|(text, lost, to)| {
        let to = match to.len() {
            0..=RECEIVERS_NAMED_MAX => listed(&to),
            count => counted(count as u64, "process"),
        };
        let sending = format!("sends {} to {to}", brief(text, length_max));
        match lost {
            Some(reason) => Remark::plain(&format!("{sending}: LOST, {reason}"), UNKNOWN),
            None => Remark::plain(&sending, Style::new()),
        }
    });
    remarks.collect()
}

/// The remarks in at most `count_max` lines of at most this width.
pub fn wrapped(
    remarks: &[Remark],
    columns: usize,
    count_max: usize,
    alphabet: &Alphabet,
) -> Vec<Vec<Span>> {
    let mut lines: Vec<Vec<Span>> = Vec::new();
    let mut used = columns + 1;
    for (index, part) in remarks.iter().enumerate() {
        let text = alphabet.text(&part.text);
        let end = if index + 1 < remarks.len() { ";" } else { "" };
        let text = format!("{text}{end}");
        for word in text.split(' ').flat_map(|word| pieces(word, columns)) {
            let wide = width(&word);
            match lines.last_mut().filter(|_| used + 1 + wide <= columns) {
                Some(last) => {
                    last.push(Span::new(" ", Style::new()));
                    last.push(Span::new(&word, part.style));
                    used += 1 + wide;
                }
                None => {
                    lines.push(vec![Span::new(&word, part.style)]);
                    used = wide;
                }
            }
        }
    }
    if lines.len() > count_max {
        lines.truncate(count_max);
        if let Some(last) = lines.last_mut() {
            shorten(last, columns, alphabet);
        }
    }
    lines
}

/// Ends a line with an ellipsis.
fn shorten(line: &mut Vec<Span>, columns: usize, alphabet: &Alphabet) {
    let wanted = width(alphabet.ellipsis) + 1;
    while line.len() > 1 && line.iter().map(|s| width(&s.text)).sum::<usize>() + wanted > columns {
        line.pop();
    }
    if let [only] = line.as_mut_slice() {
        only.text = cut(&only.text, columns.saturating_sub(wanted), "");
    }
    line.push(Span::new(&format!(" {}", alphabet.ellipsis), FAINT));
}

/// A word in pieces that fit.
fn pieces(word: &str, columns: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for c in word.chars() {
        let mut longer = pieces.last().cloned().unwrap_or_default();
        longer.push(c);
        match (width(&longer) <= columns, pieces.last_mut()) {
            (true, Some(last)) => *last = longer,
            _ => pieces.push(c.to_string()),
        }
    }
    pieces
}
