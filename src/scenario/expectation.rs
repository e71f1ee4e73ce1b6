//! `check` and `[expect]`: names of properties.

use std::collections::BTreeSet;

use ftsim_core::catalogue::PropertyInfo;
use ftsim_core::{Entry, PropertyId};

use super::problems::Problems;
use super::statistic::{Quantity, Statistic, statistic};
use crate::scenario::file::ExpectFile;

/// Names that properties once had, and their names now.
const RENAMED: [(&str, &str); 5] = [
    ("ac.1", "ac.agreement"),
    ("ac.2", "ac.irrevocability"),
    ("ac.3", "ac.commit-validity"),
    ("ac.4", "ac.non-triviality"),
    ("ac.5", "ac.termination"),
];

/// What is expected of all seeds together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectation {
    /// Some seed must violate each of these.
    pub violated: Vec<PropertyId>,
    /// The premise of these never comes true.
    pub vacuous: Vec<PropertyId>,
    /// Some seed must leave each of these undecided.
    pub undecided: Vec<PropertyId>,
    /// Some seed must reach each of these labels.
    pub reached: Vec<String>,
    /// Claims about all runs together.
    pub statistics: Vec<Statistic>,
}

impl Expectation {
    /// Whether some runs may violate this property: if that is expected, or if there is a claim
    /// about the share of runs in which it holds.
    pub fn tolerates(&self, property: &str) -> bool {
        let is_share =
            |statistic: &Statistic| matches!(statistic.of, Quantity::Share(id) if id.0 == property);
        self.violated.iter().any(|id| id.0 == property) || self.statistics.iter().any(is_share)
    }
}

/// The properties that the scenario asks for.
pub fn check(problems: &mut Problems<'_>, entry: &Entry, check: &[String]) -> Vec<PropertyId> {
    properties(problems, entry, "check", check)
}

/// The expectation; each property in it must be checked.
pub fn expectation(
    problems: &mut Problems<'_>,
    entry: &Entry,
    checked: &[PropertyInfo],
    file: ExpectFile,
) -> Expectation {
    let mut known = |key: &str, names: &[String]| {
        let path = format!("expect.{key}");
        let ids = properties(problems, entry, &path, names);
        for id in ids.iter().filter(|id| !checked.iter().any(|property| property.id == **id)) {
            let index = names.iter().position(|name| name == id.0).unwrap_or(0);
            problems
                .value(&format!("{path}[{index}]"), format!("`{id}` is not checked here"))
                .label(format!("`{}` does not claim it", entry.name))
                .help(format!("write check = [\"{id}\"] at the top of the scenario"));
        }
        ids
    };
    let violated = known("violated", &file.violated);
    let vacuous = known("vacuous", &file.vacuous);
    let undecided = known("undecided", &file.undecided);
    let set = |names: &[String]| names.iter().cloned().collect::<BTreeSet<String>>();
    let (violated_names, undecided_names) = (set(&file.violated), set(&file.undecided));
    for (index, name) in file.vacuous.iter().enumerate() {
        if violated_names.contains(name) {
            problems
                .value(&format!("expect.vacuous[{index}]"), "a violation is not vacuous")
                .label(format!("`{name}` is expected to be violated too"));
        }
        if undecided_names.contains(name) {
            problems
                .value(&format!("expect.vacuous[{index}]"), "what is vacuous is not undecided")
                .label(format!("`{name}` is expected to be undecided too"));
        }
    }
    no_duplicates(problems, "expect.reached", &file.reached);
    let statistics = file.statistic.iter().enumerate();
    let statistics = statistics
        .filter_map(|(index, file)| statistic(problems, entry, checked, index, file))
        .collect();
    Expectation { violated, vacuous, undecided, reached: file.reached, statistics }
}

fn properties(
    problems: &mut Problems<'_>,
    entry: &Entry,
    path: &str,
    names: &[String],
) -> Vec<PropertyId> {
    no_duplicates(problems, path, names);
    let valid: Vec<&str> = entry.properties.iter().map(|property| property.id.0).collect();
    let mut ids = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match entry.properties.iter().find(|property| property.id.0 == name) {
            Some(property) => ids.push(property.id),
            None => {
                let path = format!("{path}[{index}]");
                match RENAMED.iter().find(|(old, _)| old == name) {
                    Some((_, new)) if valid.contains(new) => {
                        let message = format!("property `{name}` is called `{new}`");
                        problems.value(&path, message).help(format!("write \"{new}\""));
                    }
                    _ => problems.unknown(&path, "property", name, &valid),
                }
            }
        }
    }
    ids
}

fn no_duplicates(problems: &mut Problems<'_>, path: &str, names: &[String]) {
    let mut seen = BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        if !seen.insert(name) {
            problems.value(&format!("{path}[{index}]"), format!("`{name}` is listed twice"));
        }
    }
}
