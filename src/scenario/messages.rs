//! `[[message]]`: what becomes of single messages.

use ftsim_core::message_override::{Fate, MessageOverride};
use ftsim_core::{Entry, Instant, ProcessId};

use super::names::Names;
use super::problems::Problems;
use crate::scenario_file::MessageFile;

/// The overrides, in the order of the file.
pub fn overrides(
    problems: &mut Problems<'_>,
    names: &Names<'_>,
    entry: &Entry,
    horizon: Instant,
    messages: &[MessageFile],
) -> Vec<MessageOverride> {
    let mut overrides: Vec<MessageOverride> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let path = format!("message[{index}]");
        let ends = link(problems, names, &format!("{path}.link"), &message.link);
        let fate = fate(problems, entry, horizon, &path, message);
        let nth = message.nth.map_or(1, |nth| nth.0);
        if nth == 0 {
            problems.value(&format!("{path}.nth"), "there is no 0th: counting begins at 1");
        }
        let (Some((from, to)), Some(fate)) = (ends, fate) else { continue };
        let rule = MessageOverride { from, to, kind: message.kind.clone(), nth, fate };
        let names_it = |other: &&MessageOverride| {
            (other.from, other.to, other.nth) == (from, to, nth) && other.kind == rule.kind
        };
        if overrides.iter().find(names_it).is_some() {
            problems.value(&path, "this message is named twice");
        }
        overrides.push(rule);
    }
    overrides
}

/// Sender and receiver of `"p0 -> p2"`.
fn link(
    problems: &mut Problems<'_>,
    names: &Names<'_>,
    path: &str,
    text: &str,
) -> Option<(ProcessId, ProcessId)> {
    let Some((from, to)) = text.split_once("->") else {
        problems.value(path, "this is no link").label("expected one such as \"p0 -> p2\"");
        return None;
    };
    let from = names.one(problems, path, from.trim());
    let to = names.one(problems, path, to.trim());
    let ends = from.zip(to)?;
    if ends.0 == ends.1 {
        problems
            .value(path, "this is no link: it leads from a process to itself")
            .help("a process's messages to itself always arrive at once");
        return None;
    }
    Some(ends)
}

/// What becomes of a message: the one key that says so.
fn fate(
    problems: &mut Problems<'_>,
    entry: &Entry,
    horizon: Instant,
    path: &str,
    message: &MessageFile,
) -> Option<Fate> {
    let MessageFile { drop, delay, duplicate, corrupt, replace, .. } = message;
    let given = [
        ("drop", drop.map(|drop| drop.then_some(Fate::Drop))),
        ("delay", delay.map(|delay| Some(Fate::Delay(delay)))),
        ("duplicate", duplicate.map(|after| Some(Fate::Duplicate(after)))),
        ("corrupt", corrupt.map(|corrupt| corrupt.then_some(Fate::Corrupt))),
        ("replace", replace.clone().map(|form| Some(Fate::Replace(form)))),
    ];
    let mut given = given.into_iter().filter_map(|(key, fate)| Some((key, fate?)));
    let Some((key, fate)) = given.next() else {
        problems
            .value(path, "nothing becomes of this message")
            .label("expected one of `drop`, `delay`, `duplicate`, `corrupt`, `replace`");
        return None;
    };
    if let Some((second, _)) = given.next() {
        let twice = "this says twice what becomes of the message";
        problems.key(&format!("{path}.{second}"), twice).help("leave one of them out");
        return None;
    }
    let path = format!("{path}.{key}");
    match &fate {
        None => {
            problems.value(&path, format!("`{key} = false` does nothing"));
        }
        Some(Fate::Delay(after) | Fate::Duplicate(after)) if Instant::ZERO + *after > horizon => {
            problems
                .value(&path, format!("{after} is beyond the horizon ({horizon})"))
                .help("write `drop = true` for a message that never arrives");
        }
        Some(Fate::Replace(form)) => {
            if let Err(why) = (entry.read_message)(form) {
                problems.invalid(&path, &format!("no message of `{}`: {why}", entry.name));
            }
        }
        Some(_) => {}
    }
    fate
}
