//! Removes faults and makes them milder.

use ftsim_core::Duration;
use ftsim_core::environment::message_rule::MessageRule;
use toml::{Table, Value};

use super::case::Case;
use super::minimise::minimise;
use super::shrinker::Shrinker;

/// Keys that make a fault worse.
const WORSE: [&str; 4] = ["on_crash", "in_flight", "recover_after", "resume_after"];
/// Keys for the duration of a fault.
const LASTING: [&str; 3] = ["duration", "recover_after", "resume_after"];
/// Other lists of faults, by section.
const WRONGS: [(&str, &str); 4] =
    [("detector", "notice"), ("detector", "mistakes"), ("detector", "blind"), ("network", "link")];

/// Removes as many faults and other failures as possible.
pub fn fewer_faults(shrinker: &mut Shrinker<'_>) -> bool {
    let before = shrinker.best.table.clone();
    let mut faults = shrinker.best.list("fault");
    let base = shrinker.best.clone();
    minimise(&mut faults, |rest| shrinker.try_in_time(&base.with_list("fault", rest)));
    for (section, key) in WRONGS {
        let base = shrinker.best.clone();
        let Some(Value::Array(mut list)) = base.get(section, key).cloned() else { continue };
        minimise(&mut list, |rest| {
            let without = || base.without(section, key);
            let fewer = if rest.is_empty() {
                without()
            } else {
                Some(base.with(section, key, rest.to_vec()))
            };
            fewer.map_or(Some(false), |fewer| shrinker.try_in_time(&fewer))
        });
    }
    shrinker.best.table != before
}

/// Makes each fault as mild and as simple as possible.
pub fn milder_faults(shrinker: &mut Shrinker<'_>) -> bool {
    let before = shrinker.best.table.clone();
    for index in 0..shrinker.best.list("fault").len() {
        for key in WORSE {
            change(shrinker, index, |fault| fault.remove(key).is_some());
        }
        for key in LASTING {
            while change(shrinker, index, |fault| halve(fault, key)) {}
        }
        earlier(shrinker, index);
        smaller_lists(shrinker, index);
        always_towards_one(shrinker, index);
        for certain in [1.0, 0.0] {
            change(shrinker, index, |fault| {
                fault.iter_mut().any(|(_, how)| make_certain(how, certain))
            });
        }
        milder_liar(shrinker, index);
    }
    shrinker.best.table != before
}

/// Tries the case with one fault changed; false if there was nothing to change.
fn change(
    shrinker: &mut Shrinker<'_>,
    index: usize,
    change: impl FnOnce(&mut Table) -> bool,
) -> bool {
    let mut faults = shrinker.best.list("fault");
    let fault = faults.get_mut(index).and_then(Value::as_table_mut);
    if !fault.is_some_and(change) {
        return false;
    }
    let case = shrinker.best.with_list("fault", &faults);
    shrinker.try_candidate(&case)
}

/// Makes a fault that waits for one of several effects strike earlier.
fn earlier(shrinker: &mut Shrinker<'_>, index: usize) {
    let now = shrinker.best.list("fault").get_mut(index).and_then(nth).map(|nth| *nth);
    let Some(now) = now else { return };
    let best = shrinker.best.clone();
    let cases = (1..now.min(NTH_MAX)).filter_map(|sooner| {
        let mut faults = best.list("fault");
        *faults.get_mut(index).and_then(nth)? = sooner;
        Some(best.with_list("fault", &faults))
    });
    shrinker.attempt_any(cases);
}

/// Moves a crash at some time between two effects, provided that messages need no other delays
/// then: those under way were not sent, or arrive like the others.
pub fn crash_between_effects(shrinker: &mut Shrinker<'_>) {
    for index in 0..shrinker.best.list("fault").len() {
        let best = shrinker.best.clone();
        let faults = best.list("fault");
        let Some(fault) = faults.get(index).and_then(Value::as_table) else { return };
        let Some(Value::String(process)) = fault.get("crash") else { continue };
        let loses = fault.contains_key("in_flight") || !best.messages.is_empty();
        if !fault.contains_key("at") || !loses {
            continue;
        }
        let scenario = shrinker.scenario();
        let all = scenario.experiment.setting.processes();
        let effects = all.zip(&shrinker.outcome.statistics.effects);
        let effects = effects.filter(|(p, _)| p.to_string() == *process).map(|(_, count)| *count);
        let last = effects.sum::<u64>().min(NTH_MAX.unsigned_abs());
        let cases = (1..=last.cast_signed()).map(|nth| {
            let mut when = Table::new();
            when.insert("process".to_owned(), process.clone().into());
            when.insert("nth".to_owned(), nth.into());
            let mut moved = Table::new();
            moved.insert("after_effect".to_owned(), Value::Table(when));
            let rest = fault.iter().filter(|(key, _)| !["at", "in_flight"].contains(&key.as_str()));
            moved.extend(rest.map(|(key, value)| (key.clone(), value.clone())));
            let mut faults = faults.clone();
            faults[index] = Value::Table(moved);
            best.with_list("fault", &faults).with_messages(&[])
        });
        shrinker.attempt_any(cases);
    }
}

/// Tries cases again with effect-counting triggers set to fewer effects, since fewer processes and
/// fewer requests have fewer effects.
pub fn attempt_sooner(shrinker: &mut Shrinker<'_>, cases: impl IntoIterator<Item = Case>) -> bool {
    let sooner = |case: Case| -> Vec<Case> {
        let mut faults = case.list("fault");
        let mut triggers = faults.iter_mut().filter_map(nth);
        let (Some(trigger), None) = (triggers.next(), triggers.next()) else { return Vec::new() };
        let now = (*trigger).min(NTH_MAX);
        let all = (1..now).rev().map(|sooner| {
            faults.iter_mut().filter_map(nth).for_each(|nth| *nth = sooner);
            case.with_list("fault", &faults)
        });
        all.collect()
    };
    shrinker.attempt_any(cases.into_iter().flat_map(sooner))
}

/// The largest effect number at which a trigger is still moved one by one.
const NTH_MAX: i64 = 200;

/// The number of the effect that a fault waits for.
fn nth(fault: &mut Value) -> Option<&mut i64> {
    let fault = fault.as_table_mut()?;
    let key = ["when", "after_effect"].into_iter().find(|key| fault.contains_key(*key))?;
    match fault.get_mut(key)?.get_mut("nth")? {
        Value::Integer(nth) => Some(nth),
        _ => None,
    }
}

fn halve(fault: &mut Table, key: &str) -> bool {
    let Some(Value::String(text)) = fault.get_mut(key) else { return false };
    let Ok(time) = text.parse::<Duration>() else { return false };
    let half = Duration::from_nanos(time.as_nanos() / 2);
    *text = half.to_string();
    half > Duration::ZERO
}

/// Sets a probability.
fn make_certain(how: &mut Value, certain: f64) -> bool {
    let Some(probability) = how.get_mut("probability") else { return false };
    let changes = *probability != Value::Float(certain);
    *probability = Value::Float(certain);
    changes
}

/// Makes a process that sometimes omits messages always omit them with one other process, so that
/// chance plays no part.
fn always_towards_one(shrinker: &mut Shrinker<'_>, index: usize) {
    let best = shrinker.best.clone();
    let others: Vec<_> = shrinker.scenario().experiment.setting.processes().collect();
    for (key, ends) in [("send_omission", "to"), ("receive_omission", "from")] {
        let cases = others.iter().filter_map(|other| {
            let mut faults = best.list("fault");
            let omission = faults.get_mut(index)?.get_mut(key)?.as_table_mut()?;
            let is_certain = omission.get("probability") == Some(&Value::Float(1.0));
            if is_certain || omission.get("process")?.as_str() == Some(&other.to_string()) {
                return None;
            }
            omission.insert("probability".to_owned(), 1.0.into());
            omission.insert(ends.to_owned(), Value::Array(vec![other.to_string().into()]));
            Some(best.with_list("fault", &faults))
        });
        shrinker.attempt_any(cases);
    }
}

/// Removes single elements from the lists in a fault: fewer links, smaller groups.
fn smaller_lists(shrinker: &mut Shrinker<'_>, index: usize) {
    let mut skipped = 0;
    loop {
        let mut faults = shrinker.best.list("fault");
        let Some(fault) = faults.get_mut(index) else { return };
        let mut left = skipped;
        if !take_out(fault, &mut left) {
            return;
        }
        let case = shrinker.best.with_list("fault", &faults);
        if !shrinker.try_candidate(&case) {
            skipped += 1;
        }
    }
}

/// Removes the element with this number from nested lists, counting only elements that are not
/// alone in their list; false if there is none.
fn take_out(value: &mut Value, left: &mut usize) -> bool {
    match value {
        Value::Array(list) => {
            if list.len() > 1 {
                if *left < list.len() {
                    list.remove(*left);
                    return true;
                }
                *left -= list.len();
            }
            list.iter_mut().any(|value| take_out(value, left))
        }
        Value::Table(table) => table.iter_mut().any(|(_, value)| take_out(value, left)),
        _ => false,
    }
}

/// Makes a liar silent, or honest except for messages that are written out.
fn milder_liar(shrinker: &mut Shrinker<'_>, index: usize) {
    let set = |behaviour: Value| {
        move |fault: &mut Table| {
            let is_liar =
                fault.contains_key("byzantine") && fault.get("behaviour") != Some(&behaviour);
            is_liar.then(|| fault.insert("behaviour".to_owned(), behaviour)).is_some()
        }
    };
    if change(shrinker, index, set(Value::from("silent"))) {
        return;
    }
    let mut faults = shrinker.best.list("fault");
    let Some(fault) = faults.get_mut(index).and_then(Value::as_table_mut) else { return };
    let Some(Value::String(liar)) = fault.get("byzantine").cloned() else { return };
    // Withholding from itself is the most honest behaviour.
    let mut honest = Table::new();
    honest.insert("withhold".to_owned(), Value::Array(vec![liar.as_str().into()]));
    if !set(Value::Table(honest))(fault) {
        return;
    }
    let honest = shrinker.best.with_list("fault", &faults);
    let lies = shrinker.spoken_by(&liar);
    let written = lies.into_iter().filter(super::explicit::can_be_written);
    let messages: Vec<MessageRule> =
        shrinker.best.messages.iter().cloned().chain(written).collect();
    shrinker.try_candidate(&honest.with_messages(&messages));
}
