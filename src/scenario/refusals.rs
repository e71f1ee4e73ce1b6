//! What a scenario file may say one day and may not say yet: refused, never passed over.

use toml::de::DeValue;

use super::problems::Problems;

/// Keys that are planned. `[]` stands for any element.
const PLANNED_KEYS: &[&str] = &[
    "repro",
    "liveness",
    "network.corrupt",
    "network.links",
    "network.bandwidth",
    "network.authenticated",
    "fault[].start",
    "fault[].exception",
    "fault[].state_corruption",
    "fault[].persistence",
    "fault[].duty",
    "fault[].delay",
    "fault[].reorder",
    "fault[].replay",
    "fault[].corrupt",
    "fault[].bandwidth",
    "fault[].lose_unsynced",
    "fault[].torn_write",
    "fault[].skew",
    "fault[].drift",
    "fault[].jump",
    "fault[].freeze",
    "fault[].wrong_value",
];

/// Values that are planned, by key.
const PLANNED_VALUES: &[(&str, &[&str])] = &[
    ("detector.kind", &["omega", "heartbeat"]),
    ("fault[].partition.shape", &["bridge", "ring-of-majorities"]),
];

/// Values that no scenario can mean.
pub fn refuse(problems: &mut Problems<'_>) {
    let mut refused = Vec::new();
    problems.places.each(&mut |path, place| match place.what {
        DeValue::Datetime(_) => {
            refused.push((path.to_owned(), Refused::Value("a date is no value of a scenario")));
        }
        DeValue::Float(float) if is_not_finite(float.as_str()) => {
            refused.push((path.to_owned(), Refused::Value("this number is not finite")));
        }
        DeValue::String(text) if is_planned_value(path, text) => {
            refused.push((path.to_owned(), Refused::Planned(format!("{text:?}"))));
        }
        _ if PLANNED_KEYS.contains(&pattern(path).as_str()) => {
            refused.push((path.to_owned(), Refused::Key));
        }
        _ => {}
    });
    for (path, why) in refused {
        match why {
            Refused::Value(why) => {
                problems.value(&path, why);
            }
            Refused::Planned(what) => {
                problems.value(&path, format!("{what} is not supported yet"));
            }
            Refused::Key => {
                let key = pattern(&path).replace("[]", "");
                problems.key(&path, format!("`{key}` is not supported yet"));
            }
        }
    }
}

enum Refused {
    Value(&'static str),
    Planned(String),
    Key,
}

fn is_not_finite(float: &str) -> bool {
    !float.parse::<f64>().is_ok_and(f64::is_finite)
}

fn is_planned_value(path: &str, text: &str) -> bool {
    let pattern = pattern(path);
    PLANNED_VALUES.iter().any(|(key, values)| *key == pattern && values.contains(&text))
}

/// `fault[3].crash` becomes `fault[].crash`.
fn pattern(path: &str) -> String {
    let mut inside = false;
    let keep = |c: &char| {
        let kept = !inside || *c == ']';
        inside = *c == '[' || (inside && *c != ']');
        kept
    };
    path.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn patterns_forget_positions() {
        assert_eq!(super::pattern("fault[12].crash[0]"), "fault[].crash[]");
    }
}
