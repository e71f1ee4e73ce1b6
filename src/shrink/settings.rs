//! Removes settings.

use ftsim_core::{Duration, DurationRange, Instant};
use toml::Value;

use super::case::Case;
use super::shrinker::Shrinker;
use super::times::rounder;

/// Settings whose removal makes nothing worse, by section; an empty list means all keys.
const SPARE: [(&str, &[&str]); 5] = [
    ("clocks", &[]),
    ("storage", &[]),
    ("params", &[]),
    ("network", &["loss", "duplicate", "corrupt", "bandwidth"]),
    ("run", &["max_events", "max_pending", "ties"]),
];

/// Removes settings whose defaults do as well.
pub fn fewer_settings(shrinker: &mut Shrinker<'_>) -> bool {
    let before = shrinker.best.table.clone();
    only_the_property(shrinker);
    for (section, keys) in SPARE {
        for key in shrinker.best.keys(section) {
            let is_spare = keys.is_empty() || keys.contains(&key.as_str());
            if is_spare && key != "mutant" {
                let case = shrinker.best.without(section, &key);
                shrinker.attempt_any(case);
            }
        }
    }
    let mut whole = shrinker.best.clone();
    if whole.table.remove("fate_sharing").is_some() {
        shrinker.try_candidate(&whole);
    }
    shrinker.best.table != before
}

/// Of the additional properties that the scenario checks, keeps only the failing one.
fn only_the_property(shrinker: &mut Shrinker<'_>) {
    let Some(Value::Array(checked)) = shrinker.best.table.get("check") else { return };
    let wanted: Vec<Value> = checked
        .iter()
        .filter(|name| name.as_str() == Some(shrinker.target.name()))
        .cloned()
        .collect();
    let case = shrinker.best.with_list("check", &wanted);
    shrinker.try_candidate(&case);
}

/// Gives all notifications of the detector the same delay, except those written out.
pub fn calm_detector(shrinker: &mut Shrinker<'_>) {
    let Some(Value::String(text)) = shrinker.best.get("detector", "delay").cloned() else { return };
    let Ok(DurationRange { min, max }) = text.parse::<DurationRange>() else { return };
    if min == max {
        return;
    }
    let middle = Duration::from_nanos(min.as_nanos().midpoint(max.as_nanos()));
    let round = rounder(middle).find(|d| (min..=max).contains(d)).unwrap_or(middle);
    let told = [round, min, max].map(|d| shrinker.best.with("detector", "delay", d.to_string()));
    let plain = told.clone().map(|case| case.without("detector", "notice").unwrap_or(case));
    shrinker.attempt_any(plain.into_iter().chain(told));
}

/// Ends the run where the failure shows: at once for a safety property, otherwise as early as
/// possible.
pub fn sooner(shrinker: &mut Shrinker<'_>) -> bool {
    let before = shrinker.best.table.clone();
    if shrinker.target.is_safety {
        let case = shrinker.best.with("run", "stop_at_violation", true);
        shrinker.try_candidate(&case);
    }
    let stops = shrinker.best.get("run", "stop_at_violation") == Some(&Value::Boolean(true));
    let is_quiescent = shrinker.outcome.cause == ftsim_core::EndCause::Quiescent;
    if (stops || is_quiescent) && shrinker.best.get("run", "horizon").is_some() {
        let case = shrinker.best.without("run", "horizon");
        shrinker.attempt_any(case);
    } else if !stops && !is_quiescent {
        earlier_horizon(shrinker);
    }
    shrinker.best.table != before
}

/// Shortens the horizon, but only so far that without faults the property holds by then: an
/// obligation that is open at the horizon would otherwise always be violated.
fn earlier_horizon(shrinker: &mut Shrinker<'_>) {
    while shrinker.controls.without_faults {
        let horizon = shrinker.scenario().experiment.limits.horizon.since(Instant::ZERO);
        let half = Duration::from_nanos(horizon.as_nanos() / 2);
        let half = rounder(half).next().unwrap_or(half);
        let case = shrinker.best.with("run", "horizon", half.to_string());
        if half == Duration::ZERO || half >= horizon || !shrinker.try_candidate(&case) {
            return;
        }
    }
}

/// Uses the default seed if the seed does not matter.
pub fn any_seed(shrinker: &mut Shrinker<'_>) {
    if shrinker.best.seed != 1 {
        let case = Case { seed: 1, ..shrinker.best.clone() };
        shrinker.try_candidate(&case);
    }
}
