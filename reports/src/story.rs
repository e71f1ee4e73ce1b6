//! The story of a violation in a run: the steps in its causal past, and also the faults and the
//! messages that did not arrive.

use std::collections::BTreeMap;

use ftsim_core::outcome::trace::{Trace, TraceEvent};
use ftsim_core::{Instant, ProcessId, PropertyKind};

use crate::causality::Causality;
use crate::step_text::StepText;

/// The maximum length of a repeated cycle of steps that is folded, for liveness properties.
const CYCLE_LENGTH_MAX: usize = 8;

/// A violation to be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violated {
    /// The property.
    pub property: String,
    /// Its requirement.
    pub sentence: String,
    /// Safety or liveness.
    pub kind: PropertyKind,
    /// The actions of the witnesses, in one sentence.
    pub message: String,
    /// The time when it occurred.
    pub at: Instant,
    /// The step in which it occurred, from 1.
    pub step: u64,
    /// The processes that show it.
    pub witnesses: Vec<ProcessId>,
}

impl Violated {
    /// Whether it was found only at the end of the run.
    pub fn is_judged_in_the_end(&self, trace: &Trace) -> bool {
        let shows = |what: &TraceEvent| match what {
            TraceEvent::Violation { property, .. } => *property == self.property,
            TraceEvent::Panic { .. } => true,
            _ => false,
        };
        !trace.entries.iter().any(|entry| shows(&entry.what))
    }
}

/// The story.
pub struct Story<'a> {
    /// The run.
    pub trace: &'a Trace,
    /// The violation.
    pub violated: &'a Violated,
    /// The causal relations of the run's steps.
    pub causality: Causality,
    /// The step of each witness that shows the violation, by index.
    pub roots: BTreeMap<ProcessId, usize>,
    /// Whether each step happened before these.
    pub past: Vec<bool>,
    /// The rows that can be shown, in the order of the run.
    pub rows: Vec<Row>,
}

/// Actions of one process, once or repeatedly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The steps, by index; at least one, and all alike.
    pub steps: Vec<usize>,
    /// The process.
    pub process: Option<ProcessId>,
    /// A description of the first step.
    pub text: String,
    /// The relation to the violation.
    pub standing: Standing,
    /// The distance from the violation: nearer rows are shown first.
    pub distance: u64,
}

/// The relation of a row to the violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It happened before the violation.
    Past,
    /// A fault, even if no process noticed it.
    Fault,
    /// Messages to witnesses that did not arrive in time.
    Missing,
}

impl<'a> Story<'a> {
    /// The story of a violation in this run.
    pub fn of(trace: &'a Trace, violated: &'a Violated) -> Self {
        let causality = Causality::of(trace);
        let roots = roots(trace, &causality, violated);
        let steps: Vec<usize> = roots.values().copied().collect();
        let distances = causality.distances(&steps);
        let past: Vec<bool> = distances.iter().map(Option::is_some).collect();
        let mut story = Self { trace, violated, causality, roots, past, rows: Vec::new() };
        let rows = story.candidates(&distances);
        story.rows = story.alike_together(rows);
        story
    }

    /// The describer of its steps.
    pub fn step_text(&self) -> StepText<'_> {
        StepText {
            trace: self.trace,
            causality: &self.causality,
            past: &self.past,
            roots: &self.roots,
        }
    }

    /// Whether this is a step that shows the violation.
    pub fn is_root(&self, step: usize) -> bool {
        self.roots.values().any(|root| *root == step)
    }

    /// The number of steps in the past.
    pub fn past_count(&self) -> usize {
        self.past.iter().filter(|is_past| **is_past).count()
    }

    /// The rows, by index and in order, that are nearest to the violation; at most this many.
    pub fn nearest(&self, count_max: usize) -> Vec<usize> {
        let mut nearest: Vec<usize> = (0..self.rows.len()).collect();
        nearest.sort_by_key(|index| (self.rows[*index].distance, usize::MAX - index));
        nearest.truncate(count_max);
        nearest.sort_unstable();
        nearest
    }

    fn candidates(&self, distances: &[Option<u64>]) -> Vec<Row> {
        let step_text = self.step_text();
        let last_root = self.roots.values().max().copied().unwrap_or(0);
        let mut rows = Vec::new();
        // Among missing messages, the latest matter most.
        let mut missing_count = 0;
        for index in (0..=last_root.min(distances.len().saturating_sub(1))).rev() {
            let Some(step) = self.causality.steps.get(index) else { continue };
            let (is_fault, misses) = (self.is_fault(index), step_text.has_missing(index));
            missing_count += u64::from(misses);
            let beside = match (is_fault, misses) {
                (true, _) => Some(2),
                (_, true) => Some(2 + missing_count),
                _ => None,
            };
            let (text, standing) = match distances[index] {
                Some(_) => (step_text.step(index), Standing::Past),
                None if is_fault => (step_text.step(index), Standing::Fault),
                None => (step_text.missing(index), Standing::Missing),
            };
            let distance = distances[index].into_iter().chain(beside).min();
            let Some(distance) = distance else { continue };
            if !text.is_empty() && !step_text.is_silent(index) {
                let steps = vec![index];
                rows.push(Row { steps, process: step.process, text, standing, distance });
            }
        }
        rows.reverse();
        rows
    }

    /// Whether a fault happened in this step, at the network or at a process of the past.
    fn is_fault(&self, index: usize) -> bool {
        let step = &self.causality.steps[index];
        let concerns = step
            .process
            .is_none_or(|p| self.causality.of_process(p).any(|(other, _)| self.past[other]));
        let wrong = |entry: &usize| is_fault(&self.trace.entries[*entry].what);
        concerns && step.entries.iter().any(wrong)
    }

    /// Folds repeated actions of a process. For a safety property, they must be uninterrupted, and
    /// the last steps before the violation are not folded.
    fn alike_together(&self, rows: Vec<Row>) -> Vec<Row> {
        let is_safety = self.violated.kind == PropertyKind::Safety;
        let window = if is_safety { 1 } else { CYCLE_LENGTH_MAX };
        let mut together: Vec<Row> = Vec::new();
        let mut shapes: BTreeMap<Option<ProcessId>, Vec<(String, usize)>> = BTreeMap::new();
        for row in rows {
            let shape = shape(&row.text, Without::Times);
            let own = shapes.entry(row.process).or_default();
            let alike = own.iter().rev().take(window).find(|(known, index)| {
                *known == shape && together[*index].standing == row.standing
            });
            match alike {
                Some(&(_, index)) if !(is_safety && self.is_root(row.steps[0])) => {
                    let first = &mut together[index];
                    first.steps.extend(row.steps);
                    first.distance = first.distance.min(row.distance);
                }
                _ => {
                    own.push((shape, together.len()));
                    together.push(row);
                }
            }
        }
        together
    }
}

/// The numbers that a shape omits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Without {
    /// All numbers.
    Numbers,
    /// Times, with a unit or in nanoseconds, and the numbers of steps.
    Times,
}

/// The minimum number of digits of a number that counts as nanoseconds.
const NANOS_DIGITS_MIN: usize = 6;

/// A text without its numbers; the names of processes stay.
fn shape(text: &str, without: Without) -> String {
    let mut shape = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        shape.push_str(&rest[..at]);
        let length = rest[at..].find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, behind) = rest[at..].split_at(length.unwrap_or(rest.len() - at));
        // One second can be as long as a thousand milliseconds.
        let unit = ["ns", "us", "ms", "s"].iter().find_map(|unit| behind.strip_prefix(unit));
        let unit = unit.filter(|rest| !rest.starts_with(char::is_alphanumeric));
        let before = shape.strip_suffix('p');
        let is_name = before.is_some_and(|before| !before.ends_with(char::is_alphanumeric));
        let is_time =
            unit.is_some() || number.len() >= NANOS_DIGITS_MIN || shape.ends_with("step ");
        let stays = is_name || (without == Without::Times && !is_time);
        shape.push_str(if stays { number } else { "#" });
        rest = unit.unwrap_or(behind);
    }
    shape.push_str(rest);
    shape
}

/// Whether this is a fault or the end of one.
pub(crate) const fn is_fault(what: &TraceEvent) -> bool {
    matches!(
        what,
        TraceEvent::Crash { .. }
            | TraceEvent::Recover { .. }
            | TraceEvent::Pause
            | TraceEvent::Resume
            | TraceEvent::Begins { .. }
            | TraceEvent::Ends { .. }
            | TraceEvent::Damage { .. }
            | TraceEvent::StorageError { .. }
            | TraceEvent::Corrupt { .. }
            | TraceEvent::Heal
            | TraceEvent::Stabilise
            | TraceEvent::Panic { .. }
            | TraceEvent::Well { .. }
            | TraceEvent::Doubled { .. }
            | TraceEvent::StateCorrupted
            | TraceEvent::ClockJump { .. }
    )
}

/// The steps that show a violation, one for each witness. For a liveness property, everything that
/// its witnesses ever did counts. For a safety property, it is the announcement in the very step
/// that shows it; for the other witnesses their last announcement of the same kind; if there is
/// none, or if the property was only judged at the end, their last announcement.
fn roots(trace: &Trace, causality: &Causality, violated: &Violated) -> BTreeMap<ProcessId, usize> {
    let shows = |entry: &usize| match &trace.entries[*entry].what {
        TraceEvent::Violation { property, .. } => *property == violated.property,
        TraceEvent::Panic { .. } => violated.property == "panicked",
        _ => false,
    };
    let shown = causality.steps.iter().position(|step| step.entries.iter().any(shows));
    let until = shown.unwrap_or(causality.steps.len());
    let announcement = |entry: &usize| match &trace.entries[*entry].what {
        TraceEvent::Indicate { what, .. } => Some(shape(what, Without::Numbers)),
        _ => None,
    };
    let judged = shown.and_then(|shown| {
        let entries = &causality.steps[shown].entries;
        let before = entries.iter().take_while(|entry| !shows(entry));
        before.filter_map(announcement).last()
    });
    let shows_it = shown.and_then(|shown| Some((causality.steps[shown].process?, shown)));
    let mut roots: BTreeMap<ProcessId, usize> = shows_it.into_iter().collect();
    for p in violated.witnesses.iter().filter(|p| shows_it.is_none_or(|(own, _)| own != **p)) {
        let own = || causality.of_process(*p).rev().filter(|(index, _)| *index < until);
        let last = own().next();
        let announces = |wanted: &dyn Fn(&String) -> bool| {
            own().find(|(_, step)| {
                step.entries.iter().filter_map(announcement).any(|what| wanted(&what))
            })
        };
        let root = match violated.kind {
            PropertyKind::Liveness => last,
            PropertyKind::Safety => announces(&|what| judged.as_ref() == Some(what))
                .or_else(|| announces(&|_| true))
                .or(last),
        };
        roots.extend(root.map(|(index, _)| (*p, index)));
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::{Without, shape};

    #[test]
    fn shapes_forget_numbers_and_keep_names() {
        let all = |text| shape(text, Without::Numbers);
        assert_eq!(all("p1 sent Vote(12) in step 4 at 1.5ms"), "p1 sent Vote(#) in step # at #");
        assert_eq!(all("after 2s"), all("after 900ms"));
        assert_ne!(all("suspects p3"), all("suspects p0"));
        assert_eq!(all("step1"), "step#");
    }

    #[test]
    fn shapes_without_times_keep_what_is_said() {
        let times = |text| shape(text, Without::Times);
        assert_eq!(times("Vote(12) in step 4 at 1.5ms"), "Vote(12) in step # at #");
        assert_eq!(times("sent_ns: 100000000"), "sent_ns: #");
        assert_ne!(times("Commit(1)"), times("Commit(2)"));
    }
}
