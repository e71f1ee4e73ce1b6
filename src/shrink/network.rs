//! Makes the network calm: all messages take the same time, except those that matter.

use std::collections::BTreeMap;

use ftsim_core::environment::message_rule::{Arrival, Fate, MessageRule};
use ftsim_core::{Duration, DurationRange, ProcessId};
use toml::Value;

use super::case::Case;
use super::explicit::can_be_written;
use super::minimise::minimise;
use super::shrinker::Shrinker;
use super::times::rounder;

/// Keys of `[network]` that leave the fate of a message to chance.
const CHANCE: [&str; 4] = ["loss", "duplicate", "corrupt", "bandwidth"];

/// Replaces the drawn delays of links by a common delay, with overrides for messages that matter.
pub fn calm(shrinker: &mut Shrinker<'_>) {
    let base = shrinker.best.clone();
    let constants = constants(shrinker);
    // First try it without any override.
    let plain = constants.iter().flat_map(|delay| calmed(&base, *delay, &[]));
    if shrinker.attempt_any(plain) {
        return;
    }
    let told: Vec<_> = base.messages.iter().filter(|rule| can_be_written(rule)).cloned().collect();
    let special = constants.iter().flat_map(|delay| calmed(&base, *delay, &told));
    shrinker.attempt_any(special);
}

/// Removes as many overrides as possible, and makes the others milder.
pub fn fewer_messages(shrinker: &mut Shrinker<'_>) -> bool {
    let before = shrinker.best.messages.clone();
    let mut messages = before.clone();
    let base = shrinker.best.clone();
    minimise(&mut messages, |rest| shrinker.try_in_time(&base.with_messages(rest)));
    for index in 0..shrinker.best.messages.len() {
        if shrinker.is_over() {
            break;
        }
        milder(shrinker, index);
    }
    shrinker.best.messages != before
}

/// Adds the kind to overrides that only count messages.
pub fn name_kinds(shrinker: &mut Shrinker<'_>) {
    if shrinker.is_over() {
        return;
    }
    let mut counts: BTreeMap<(ProcessId, ProcessId), u64> = BTreeMap::new();
    let mut messages = shrinker.best.messages.clone();
    for sent in shrinker.decided() {
        let nth = counts.entry((sent.from, sent.to)).or_default();
        *nth += 1;
        let is_it = |rule: &&mut MessageRule| {
            (rule.from, rule.to, rule.nth) == (sent.from, sent.to, *nth) && rule.kind.is_none()
        };
        if let Some(rule) = messages.iter_mut().find(is_it) {
            (rule.kind, rule.nth) = (sent.kind, sent.nth);
        }
    }
    let case = shrinker.best.with_messages(&messages);
    shrinker.try_candidate(&case);
}

/// Makes one override shorter or milder: a delay instead of a loss.
fn milder(shrinker: &mut Shrinker<'_>, index: usize) {
    let messages = shrinker.best.messages.clone();
    let with = |fate: Fate| {
        let mut messages = messages.clone();
        messages[index].fate = fate;
        shrinker.best.with_messages(&messages)
    };
    let Fate::Arrive(arrival) = &messages[index].fate else {
        // No longer than any message took, so that the protocol can expect it.
        let case = with(Fate::delay(shrinker.delay_max));
        shrinker.try_candidate(&case);
        return;
    };
    let Arrival { after, copy_after, content } = arrival.clone();
    let says = [
        Arrival { after: None, copy_after: None, content: content.clone() },
        Arrival { after: None, copy_after, content: None },
        Arrival { after, copy_after: None, content: None },
        Arrival { after: None, copy_after, content },
    ];
    let cases: Vec<Case> = says
        .into_iter()
        .filter(|milder| *milder != Arrival::default() && milder != arrival)
        .map(|milder| with(Fate::Arrive(milder)))
        .collect();
    shrinker.attempt_any(cases);
}

/// The longest time that any message took.
pub fn longest(decided: &[MessageRule]) -> Duration {
    let delays = decided.iter().flat_map(|rule| match &rule.fate {
        Fate::Arrive(arrival) => [arrival.after, arrival.copy_after],
        Fate::Drop(_) => [None, None],
    });
    delays.flatten().max().unwrap_or_default()
}

/// Candidates for the common delay: a round one among those that occurred, the shortest, the
/// longest.
fn constants(shrinker: &Shrinker<'_>) -> Vec<Duration> {
    let delays = shrinker.best.messages.iter().filter_map(|rule| match &rule.fate {
        Fate::Arrive(arrival) => arrival.after,
        Fate::Drop(_) => None,
    });
    let link = &shrinker.scenario().experiment.network.default;
    let DurationRange { min, max } = match link.delay {
        ftsim_core::environment::delay::Delay::Uniform(range) => range,
        _ => {
            let occurred: Vec<Duration> = delays.collect();
            let (min, max) = (occurred.iter().min(), occurred.iter().max());
            let (Some(min), Some(max)) = (min, max) else { return Vec::new() };
            DurationRange { min: *min, max: *max }
        }
    };
    let middle = Duration::from_nanos(min.as_nanos().midpoint(max.as_nanos()));
    let round = rounder(middle).find(|d| (min..=max).contains(d)).unwrap_or(middle);
    [round].into_iter().chain([min, max].into_iter().filter(|d| *d != round)).collect()
}

/// The case with this delay on all links, and these overrides; then also with its special links, in
/// case they matter.
fn calmed(case: &Case, delay: Duration, messages: &[MessageRule]) -> Vec<Case> {
    let mut calm = case.with("network", "delay", delay.to_string()).with_messages(messages);
    for key in CHANCE {
        calm = calm.without("network", key).unwrap_or(calm);
    }
    let Some(plain) = calm.without("network", "link") else { return vec![calm] };
    let mut special = calm.get("network", "link").cloned();
    if let Some(Value::Array(links)) = &mut special {
        for link in links.iter_mut().filter_map(Value::as_table_mut) {
            CHANCE.iter().for_each(|key| drop(link.remove(*key)));
            if let Some(Value::String(range)) = link.get("delay")
                && let Some((shortest, _)) = range.split_once("..")
            {
                link.insert("delay".to_owned(), shortest.into());
            }
        }
    }
    let special = special.map(|links| calm.with("network", "link", links));
    [plain].into_iter().chain(special).chain([calm]).collect()
}
