//! `[[message]]`: what becomes of single messages.

use std::collections::BTreeSet;

use ftsim_core::environment::message_rule::{Arrival, Content, Fate, MessageRule};
use ftsim_core::{Entry, Instant, ProcessId};

use super::names::Names;
use super::problems::Problems;
use crate::scenario::file::MessageFile;

/// The overrides, in the order of the file.
pub fn overrides(
    problems: &mut Problems<'_>,
    names: &Names<'_>,
    entry: &Entry,
    horizon: Instant,
    messages: &[MessageFile],
) -> Vec<MessageRule> {
    let mut overrides: Vec<MessageRule> = Vec::new();
    let mut named = BTreeSet::new();
    for (index, message) in messages.iter().enumerate() {
        let path = format!("message[{index}]");
        let ends = link(problems, names, &format!("{path}.link"), &message.link);
        let fate = fate(problems, entry, horizon, &path, message);
        let nth = message.nth.map_or(1, |nth| nth.0);
        if nth == 0 {
            problems.value(&format!("{path}.nth"), "counting begins at 1");
        }
        let (Some((from, to)), Some(fate)) = (ends, fate) else { continue };
        let rule = MessageRule { from, to, kind: message.kind.clone(), nth, fate };
        if !named.insert((from, to, nth, rule.kind.clone())) {
            problems.value(&path, "there is already an override for this message");
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
        problems.value(path, "not a link").label("expected one such as \"p0 -> p2\"");
        return None;
    };
    let from = names.one(problems, path, from.trim());
    let to = names.one(problems, path, to.trim());
    let ends = from.zip(to)?;
    if ends.0 == ends.1 {
        problems
            .value(path, "not a link: it leads from a process to itself")
            .help("a process's messages to itself always arrive at once");
        return None;
    }
    Some(ends)
}

/// What becomes of a message: that it is lost, or how it arrives.
fn fate(
    problems: &mut Problems<'_>,
    entry: &Entry,
    horizon: Instant,
    path: &str,
    message: &MessageFile,
) -> Option<Fate> {
    let MessageFile { drop, delay, duplicate, corrupt, replace, .. } = message;
    let given = [
        ("drop", drop.is_some()),
        ("delay", delay.is_some()),
        ("duplicate", duplicate.is_some()),
        ("corrupt", corrupt.is_some()),
        ("replace", replace.is_some()),
    ];
    let given: Vec<&str> =
        given.into_iter().filter_map(|(key, given)| given.then_some(key)).collect();
    if given.is_empty() {
        problems
            .value(path, "this override has no effect")
            .label("expected one of `drop`, `delay`, `duplicate`, `corrupt`, `replace`");
        return None;
    }
    for (key, value) in [("drop", drop), ("corrupt", corrupt)] {
        if *value == Some(false) {
            problems.value(&format!("{path}.{key}"), format!("`{key} = false` does nothing"));
            return None;
        }
    }
    let contradict = |one, other| given.contains(&one) && given.contains(&other);
    if contradict("corrupt", "replace") || (given.len() > 1 && drop.is_some()) {
        let second = given.iter().rfind(|key| **key != "drop").expect("one of several");
        let twice = "this override contradicts itself";
        problems.key(&format!("{path}.{second}"), twice).help("leave one of them out");
        return None;
    }
    for (key, after) in [("delay", delay), ("duplicate", duplicate)] {
        if let Some(after) = after.filter(|after| Instant::ZERO + *after > horizon) {
            problems
                .value(
                    &format!("{path}.{key}"),
                    format!("{after} is beyond the horizon ({horizon})"),
                )
                .help("write `drop = true` for a message that never arrives");
        }
    }
    if let Some(Err(why)) = replace.as_ref().map(entry.read_message) {
        let path = format!("{path}.replace");
        problems.invalid(&path, &format!("not a message of `{}`: {why}", entry.name));
    }
    if drop.is_some() {
        return Some(Fate::DROP);
    }
    let replaced = replace.clone().map(Content::Replaced);
    let content = corrupt.map(|_| Content::Garbled).or(replaced);
    Some(Fate::Arrive(Arrival { after: *delay, copy_after: *duplicate, content }))
}
