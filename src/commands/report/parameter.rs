//! Finds scenarios of a sweep that differ in one number only.

use std::collections::BTreeMap;

use ftsim_core::Duration;
use ftsim_reports::{Point, Series};
use toml::{Table, Value};

use crate::scenario::Scenario;

/// What may differ although the experiment is the same: what is said about it, and what it should
/// show.
const APART: [&str; 4] = ["summary", "reference", "expect", "run.seeds"];

/// The values of a scenario, by the paths of their keys, such as `params.f`.
type Leaves = BTreeMap<String, Value>;

/// The series of these scenarios, by protocol and parameter. `Point::sweep` counts the scenarios.
pub fn series(scenarios: &[&Scenario]) -> Vec<Series> {
    let all: Vec<Leaves> = scenarios.iter().map(|scenario| leaves(scenario)).collect();
    // What is equal but for one number is in one group.
    let mut groups: BTreeMap<(&str, String, String), Vec<Point>> = BTreeMap::new();
    for (sweep, (scenario, leaves)) in scenarios.iter().zip(&all).enumerate() {
        for (parameter, value) in leaves {
            let Some((value, text)) = number(value) else { continue };
            let others: Vec<String> = leaves
                .iter()
                .filter(|(key, _)| *key != parameter)
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            let key = (scenario.entry.name, parameter.clone(), others.join("\n"));
            groups.entry(key).or_default().push(Point { value, text, sweep });
        }
    }
    let made = groups.into_iter().filter_map(|((protocol, parameter, _), mut points)| {
        points.sort_by(|a, b| a.value.total_cmp(&b.value));
        // Two shards of a scenario have the same value.
        points.dedup_by(|a, b| a.value == b.value);
        (points.len() > 1).then(|| Series { protocol: protocol.to_owned(), parameter, points })
    });
    made.collect()
}

/// The values of a scenario.
fn leaves(scenario: &Scenario) -> Leaves {
    let mut leaves = Leaves::new();
    let table: Table = scenario.text.parse().unwrap_or_default();
    add("", &Value::Table(table), &mut leaves);
    leaves.retain(|key, _| {
        let is_under = |root: &&str| {
            key.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        !APART.iter().any(is_under)
    });
    leaves
}

fn add(path: &str, value: &Value, leaves: &mut Leaves) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Table(table) => {
            table.iter().for_each(|(key, value)| add(&below(key), value, leaves));
        }
        Value::Array(values) => {
            let numbered = (1..).zip(values);
            numbered.for_each(|(n, value): (u64, _)| add(&below(&n.to_string()), value, leaves));
        }
        _ => drop(leaves.insert(path.to_owned(), value.clone())),
    }
}

/// A number or a duration, as a number and as it is written.
fn number(value: &Value) -> Option<(f64, String)> {
    match value {
        Value::Integer(number) => Some((*number as f64, number.to_string())),
        Value::Float(number) if number.is_finite() => Some((*number, number.to_string())),
        Value::String(text) => {
            let duration: Duration = text.parse().ok()?;
            Some((duration.as_nanos() as f64, text.clone()))
        }
        _ => None,
    }
}
