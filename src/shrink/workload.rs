//! Removes requests and simplifies the workload.

use ftsim_core::Mask;
use serde_json::Value as Json;
use toml::Value;

use super::case::Case;
use super::faults::attempt_sooner;
use super::minimise::minimise;
use super::shrinker::Shrinker;
use crate::scenario::file::MaskFile;
use crate::scenario::writing::is_toml;

/// The maximum number of requests that are masked one by one.
const MASKED_MAX: u64 = 2_000;

/// Makes the workload's numbers as small as possible, and leaves nothing in it to chance.
pub fn smaller_workload(shrinker: &mut Shrinker<'_>) -> bool {
    let before = shrinker.best.table.clone();
    let resolved = shrinker.scenario().resolved.workload;
    let resolved = resolved.as_object().cloned().unwrap_or_default();
    for (key, value) in &resolved {
        smaller(shrinker, key, value);
    }
    shrinker.best.table != before
}

fn smaller(shrinker: &mut Shrinker<'_>, key: &str, value: &Json) {
    let base = shrinker.best.clone();
    let with = |value: Value| base.with("workload", key, value);
    match value {
        Json::Number(number) => {
            if let Some(number) = number.as_i64().filter(|number| *number > 0) {
                let halves = (1..63).map(|bits| number >> bits).take_while(|half| *half > 1);
                let mut candidates: Vec<i64> = [0, 1].into_iter().chain(halves).collect();
                candidates.push(number - 1);
                candidates.retain(|candidate| *candidate < number);
                candidates.sort_unstable();
                candidates.dedup();
                let cases: Vec<Case> = candidates.into_iter().map(|n| with(n.into())).collect();
                if !shrinker.attempt_any(cases.iter().cloned()) {
                    attempt_sooner(shrinker, cases);
                }
            } else if number.as_f64().is_some_and(|p| p > 0.0 && p < 1.0) {
                shrinker.attempt_any([0.0, 1.0].map(|p| with(p.into())));
            }
        }
        Json::String(text) => {
            if let Some((from, to)) = text.split_once("..") {
                shrinker.attempt_any([from, to].map(|end| with(end.into())));
            }
        }
        Json::Array(list) if list.len() > 1 => {
            let list = list.iter().filter(|item| is_toml(item)).map(Value::try_from);
            let Ok(mut list) = list.collect::<Result<Vec<Value>, _>>() else { return };
            minimise(&mut list, |rest| match rest {
                [] => Some(false),
                rest => shrinker.try_in_time(&with(rest.to_vec().into())),
            });
        }
        _ => {}
    }
}

/// Masks as many requests as possible.
pub fn fewer_requests(shrinker: &mut Shrinker<'_>) -> bool {
    let counts = shrinker.outcome.statistics.requests.clone();
    if counts.iter().sum::<u64>() > MASKED_MAX {
        return false;
    }
    let all = requests(&counts);
    let masked: Vec<Mask> = shrinker.scenario().experiment.masks;
    let mut made: Vec<Mask> = all.iter().filter(|mask| !masked.contains(mask)).copied().collect();
    let before = made.len();
    let base = shrinker.best.clone();
    minimise(&mut made, |rest| {
        let masked: Vec<Mask> = all.iter().filter(|mask| !rest.contains(mask)).copied().collect();
        shrinker.try_in_time(&with_masks(&base, &masked))
    });
    made.len() < before
}

/// Removes as many request overrides as possible.
pub fn fewer_words_about_requests(shrinker: &mut Shrinker<'_>) -> bool {
    let before = shrinker.best.list("request");
    let mut requests = before.clone();
    let base = shrinker.best.clone();
    minimise(&mut requests, |rest| shrinker.try_in_time(&base.with_list("request", rest)));
    for index in 0..shrinker.best.list("request").len() {
        for key in ["after", "replace"] {
            let mut requests = shrinker.best.list("request");
            let Some(request) = requests.get_mut(index).and_then(Value::as_table_mut) else {
                continue;
            };
            if request.remove(key).is_some() {
                let case = shrinker.best.with_list("request", &requests);
                shrinker.try_in_time(&case);
            }
        }
    }
    shrinker.best.list("request") != before
}

/// Removes masks whose request never occurs.
pub fn fewer_masks(shrinker: &mut Shrinker<'_>) {
    let unused = shrinker.outcome.unused_masks.clone();
    let masks = shrinker.scenario().experiment.masks.into_iter().enumerate();
    let used: Vec<Mask> = masks.filter(|(i, _)| !unused.contains(i)).map(|(_, m)| m).collect();
    let case = with_masks(&shrinker.best, &used);
    shrinker.try_candidate(&case);
}

/// All requests of a run, given their number for each process.
pub fn requests(counts: &[u64]) -> Vec<Mask> {
    let of = |(p, count): (u32, &u64)| {
        let process = ftsim_core::ProcessId(p);
        (1..=*count).map(move |request| Mask { process, request })
    };
    (0u32..).zip(counts).flat_map(of).collect()
}

/// The case with exactly these requests masked.
pub fn with_masks(case: &Case, masks: &[Mask]) -> Case {
    let masks = masks.iter().map(|mask| Value::try_from(MaskFile::from(*mask)));
    let masks: Vec<Value> = masks.collect::<Result<_, _>>().expect("counts of requests are small");
    case.with_list("mask", &masks)
}
