//! What a scenario file may say one day and may not say yet: refused, never passed over.

use toml::de::{DeInteger, DeValue};

use super::problems::Problems;

/// Keys that are planned. `[]` stands for any element.
const PLANNED_KEYS: &[&str] = &["network.authenticated"];

/// Keys that the vocabulary of faults suggests, and what to write for them.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("fault[].persistence", "write `duration`, or `period` and `on`, or neither"),
    ("fault[].duty", "write `on`: how long it lasts in each `period`"),
    ("fault[].lose_unsynced", "write crash = \"p0\", on_crash = \"lose-unsynced\""),
    ("fault[].torn_write", "write crash = \"p0\", on_crash = \"torn-last\""),
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
        DeValue::Integer(integer) if is_too_large(integer) => {
            let why = "TOML has no integer as large as this";
            refused.push((path.to_owned(), Refused::Number(why)));
        }
        _ if other_word(path).is_some() => refused.push((path.to_owned(), Refused::OtherWord)),
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
            Refused::Number(why) => {
                let label = format!("expected {} to {}", i64::MIN, i64::MAX);
                problems.value(&path, why).label(label);
            }
            Refused::OtherWord => {
                let key = path.rsplit('.').next().unwrap_or(&path);
                let help = other_word(&path).unwrap_or_default();
                problems.key(&path, format!("there is no key `{key}`")).help(help);
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
    Number(&'static str),
    Key,
    OtherWord,
}

fn other_word(path: &str) -> Option<&'static str> {
    let pattern = pattern(path);
    OTHER_WORDS.iter().find(|(key, _)| *key == pattern).map(|(_, help)| *help)
}

fn is_not_finite(float: &str) -> bool {
    !float.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Whether an integer takes more than 63 bits. The parser reads some of these, but no file that
/// ftsim writes could say them.
fn is_too_large(integer: &DeInteger<'_>) -> bool {
    i64::from_str_radix(integer.as_str(), integer.radix()).is_err()
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
