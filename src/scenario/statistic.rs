//! `[[expect.statistic]]`: claims about all runs together.

use std::fmt;

use ftsim_core::catalogue::PropertyInfo;
use ftsim_core::{Entry, PropertyId};

use super::problems::Problems;
use crate::scenario::file::StatisticFile;

const CONFIDENCE: f64 = 0.99;

/// A claim about all runs together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistic {
    /// What it is about.
    pub of: Quantity,
    /// The least value that agrees with it.
    pub least: f64,
    /// The greatest value that agrees with it.
    pub most: f64,
    /// How sure the judgement must be, in `0.5..1`.
    pub confidence: f64,
}

/// What a claim is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// The share of runs in which a property holds.
    Share(PropertyId),
    /// The mean of a number of each run.
    Mean(Measure),
}

/// A number of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Messages sent.
    Messages,
    /// Events handled.
    Steps,
    /// What a property measures.
    Property(PropertyId),
}

/// The claim under `expect.statistic[index]`.
pub(super) fn statistic(
    problems: &mut Problems<'_>,
    entry: &Entry,
    checked: &[PropertyInfo],
    index: usize,
    file: &StatisticFile,
) -> Option<Statistic> {
    let path = format!("expect.statistic[{index}]");
    let (least, most) = bounds(problems, &path, file)?;
    let confidence = file.confidence.unwrap_or(CONFIDENCE);
    if !(0.5..1.0).contains(&confidence) {
        let message = format!("a confidence of {confidence} is out of range");
        let hint = problems.value(&format!("{path}.confidence"), message);
        hint.label("expected 0.5 to less than 1");
        return None;
    }
    let of = quantity(problems, entry, checked, &path, file)?;
    Some(Statistic { of, least, most, confidence })
}

fn bounds(problems: &mut Problems<'_>, path: &str, file: &StatisticFile) -> Option<(f64, f64)> {
    let StatisticFile { at_least, at_most, .. } = file;
    for (key, bound) in [("at_least", at_least), ("at_most", at_most)] {
        let Some(number) = bound.filter(|number| !number.is_finite() || *number < 0.0) else {
            continue;
        };
        let hint = problems.value(&format!("{path}.{key}"), format!("{number} is out of range"));
        hint.label("expected a number that is not negative");
        return None;
    }
    let (least, most) = (at_least.unwrap_or(0.0), at_most.unwrap_or(f64::INFINITY));
    if at_least.is_none() && at_most.is_none() {
        problems.value(path, "a claim needs `at_least`, `at_most`, or both");
        return None;
    }
    if least > most {
        problems.value(path, format!("no value is at least {least} and at most {most}"));
        return None;
    }
    Some((least, most))
}

fn quantity(
    problems: &mut Problems<'_>,
    entry: &Entry,
    checked: &[PropertyInfo],
    path: &str,
    file: &StatisticFile,
) -> Option<Quantity> {
    let mut property = |key: &str, name: &str, others: &[&str]| {
        let path = format!("{path}.{key}");
        if let Some(property) = checked.iter().find(|property| property.id.0 == name) {
            return Some(property.id);
        }
        if entry.properties.iter().any(|property| property.id.0 == name) {
            problems
                .value(&path, format!("`{name}` is not checked here"))
                .label(format!("`{}` does not claim it", entry.name))
                .help(format!("write check = [\"{name}\"] at the top of the scenario"));
            return None;
        }
        let valid = others.iter().copied().chain(checked.iter().map(|property| property.id.0));
        let noun = if others.is_empty() { "property" } else { "number of a run" };
        problems.unknown(&path, noun, name, &valid.collect::<Vec<_>>());
        None
    };
    match (file.share.as_deref(), file.mean.as_deref()) {
        (Some(name), None) => Some(Quantity::Share(property("share", name, &[])?)),
        (None, Some("messages")) => Some(Quantity::Mean(Measure::Messages)),
        (None, Some("steps")) => Some(Quantity::Mean(Measure::Steps)),
        (None, Some(name)) => {
            let id = property("mean", name, &["messages", "steps"])?;
            Some(Quantity::Mean(Measure::Property(id)))
        }
        (None, None) | (Some(_), Some(_)) => {
            problems.value(path, "a claim is about a `share` or about a `mean`");
            None
        }
    }
}

impl fmt::Display for Statistic {
    /// `mean of messages at least 11.2 and at most 11.6`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of {
            Quantity::Share(id) => write!(f, "share of runs in which {id} holds")?,
            Quantity::Mean(Measure::Messages) => f.write_str("mean number of messages")?,
            Quantity::Mean(Measure::Steps) => f.write_str("mean number of steps")?,
            Quantity::Mean(Measure::Property(id)) => write!(f, "mean of {id}")?,
        }
        if self.least > 0.0 {
            write!(f, " at least {}", self.least)?;
        }
        if self.least > 0.0 && self.most.is_finite() {
            f.write_str(" and")?;
        }
        if self.most.is_finite() {
            write!(f, " at most {}", self.most)?;
        }
        Ok(())
    }
}
