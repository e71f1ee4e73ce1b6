//! Rounds times so that they are readable.

use ftsim_core::Duration;
use ftsim_core::environment::message_rule::Fate;
use toml::Value;

use super::case::Case;
use super::shrinker::Shrinker;

/// Rounds every time of the case as far as possible.
pub fn round(shrinker: &mut Shrinker<'_>) {
    if shrinker.is_over() {
        return;
    }
    for place in places(&Value::Table(shrinker.best.table.clone())) {
        let Some(Value::String(text)) = at(&shrinker.best, &place) else { continue };
        let Ok(time) = text.parse::<Duration>() else { continue };
        let best = shrinker.best.clone();
        let cases = rounder(time).map(|round| {
            let mut case = best.clone();
            let mut value = Value::Table(std::mem::take(&mut case.table));
            if let Some(place) = reach(&mut value, &place) {
                *place = Value::String(round.to_string());
            }
            if let Value::Table(table) = value {
                case.table = table;
            }
            case
        });
        shrinker.attempt_any(cases);
    }
    for index in 0..shrinker.best.messages.len() {
        if shrinker.is_over() {
            return;
        }
        round_message(shrinker, index);
    }
}

fn round_message(shrinker: &mut Shrinker<'_>, index: usize) {
    for is_copy in [false, true] {
        let best = shrinker.best.clone();
        let Fate::Arrive(arrival) = &best.messages[index].fate else { return };
        let Some(time) = (if is_copy { arrival.copy_after } else { arrival.after }) else {
            continue;
        };
        // No message may take longer than any took before.
        let longest = shrinker.delay_max;
        let rounder = rounder(time).filter(|round| *round <= longest);
        let cases = rounder.map(|round| {
            let mut messages = best.messages.clone();
            if let Fate::Arrive(arrival) = &mut messages[index].fate {
                *(if is_copy { &mut arrival.copy_after } else { &mut arrival.after }) = Some(round);
            }
            best.with_messages(&messages)
        });
        shrinker.attempt_any(cases);
    }
}

/// Rounder values near this time, the roundest first, excluding the time itself.
pub fn rounder(time: Duration) -> impl Iterator<Item = Duration> {
    let nanos = time.as_nanos();
    let digits = nanos.checked_ilog10().unwrap_or(0);
    let round = move |exponent: u32| {
        let unit = 10u64.pow(exponent);
        let below = nanos / unit * unit;
        let (near, far) = (below, below.saturating_add(unit));
        let in_order = if nanos - below <= unit / 2 { [near, far] } else { [far, near] };
        in_order.into_iter().filter(move |round| *round != nanos && *round > 0)
    };
    let exponents =
        (1..=digits).rev().filter(move |exponent| !nanos.is_multiple_of(10u64.pow(*exponent)));
    exponents.flat_map(round).map(Duration::from_nanos)
}

/// The places of times: paths to all strings in the sections that contain times.
fn places(root: &Value) -> Vec<Vec<Step>> {
    let mut places = Vec::new();
    for key in ["fault", "detector", "storage", "run", "workload"] {
        let path = vec![Step::Key(key.to_owned())];
        if let Some(value) = root.get(key) {
            gather(value, &path, &mut places);
        }
    }
    places
}

/// One step into a value.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

fn gather(value: &Value, path: &[Step], places: &mut Vec<Vec<Step>>) {
    let deeper = |step: Step| [path, &[step]].concat();
    match value {
        Value::String(_) => places.push(path.to_vec()),
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                gather(value, &deeper(Step::Index(index)), places);
            }
        }
        Value::Table(table) => {
            for (key, value) in table {
                gather(value, &deeper(Step::Key(key.clone())), places);
            }
        }
        _ => {}
    }
}

fn at(case: &Case, path: &[Step]) -> Option<Value> {
    let mut value = Value::Table(case.table.clone());
    reach(&mut value, path).map(|value| value.clone())
}

fn reach<'v>(value: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(key.as_str()),
        Step::Index(index) => value.get_mut(*index),
    })
}

#[cfg(test)]
mod tests {
    use super::rounder;
    use ftsim_core::Duration;

    #[test]
    fn the_roundest_comes_first() {
        let times: Vec<String> =
            rounder(Duration::from_micros(8_667)).map(|d| d.to_string()).take(4).collect();
        assert_eq!(times, ["9ms", "8ms", "8.7ms", "8.6ms"]);
        assert_eq!(rounder(Duration::from_millis(20)).count(), 0);
        assert_eq!(rounder(Duration::ZERO).count(), 0);
    }
}
