//! What of a run is told of a violation: the steps in its causal past, and beside them the faults
//! and the messages that did not come.

use std::collections::BTreeMap;

use ftsim_core::outcome::trace::{Trace, TraceEvent};
use ftsim_core::{Instant, ProcessId, PropertyKind};

use crate::causality::Causality;
use crate::step_text::StepText;

/// Of a liveness property what a process did in turns is put together, if there are no more turns.
const CYCLE_LENGTH_MAX: usize = 8;

/// A violation, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violated {
    /// The property.
    pub property: String,
    /// What it says.
    pub sentence: String,
    /// Safety or liveness.
    pub kind: PropertyKind,
    /// What the witnesses did, in one sentence.
    pub message: String,
    /// When it showed.
    pub at: Instant,
    /// At which step, from 1.
    pub step: u64,
    /// The processes that show it.
    pub witnesses: Vec<ProcessId>,
}

impl Violated {
    /// Whether it was found only when the run was over.
    pub fn is_judged_in_the_end(&self, trace: &Trace) -> bool {
        let shows = |what: &TraceEvent| match what {
            TraceEvent::Violation { property, .. } => *property == self.property,
            TraceEvent::Panic { .. } => true,
            _ => false,
        };
        !trace.entries.iter().any(|entry| shows(&entry.what))
    }
}

/// What is told.
pub struct Story<'a> {
    /// The run.
    pub trace: &'a Trace,
    /// The violation.
    pub violated: &'a Violated,
    /// How the steps of the run hang together.
    pub causality: Causality,
    /// The step of each witness in which it shows, by index.
    pub roots: BTreeMap<ProcessId, usize>,
    /// Which steps happened before these.
    pub past: Vec<bool>,
    /// What can be told, in the order of the run.
    pub rows: Vec<Row>,
}

/// What one process did, once or again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The steps, by index, at least one; all alike.
    pub steps: Vec<usize>,
    /// Where.
    pub process: Option<ProcessId>,
    /// What it did, the first time.
    pub text: String,
    /// Whether it is in the past of the violation.
    pub standing: Standing,
    /// How far back it is: what is nearer is told first.
    pub distance: u64,
}

/// What a row has to do with the violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It happened before.
    Past,
    /// A fault, whoever noticed it.
    Fault,
    /// Messages to witnesses, which did not come in time.
    Missing,
}

impl<'a> Story<'a> {
    /// What there is to tell of a violation in this run.
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

    /// Puts its steps into words.
    pub fn step_text(&self) -> StepText<'_> {
        StepText {
            trace: self.trace,
            causality: &self.causality,
            past: &self.past,
            roots: &self.roots,
        }
    }

    /// Whether this is a step in which the violation shows.
    pub fn is_root(&self, step: usize) -> bool {
        self.roots.values().any(|root| *root == step)
    }

    /// How many steps are in the past.
    pub fn past_count(&self) -> usize {
        self.past.iter().filter(|is_past| **is_past).count()
    }

    /// The rows, by index and in order, that are nearest to the violation; at most so many.
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
        // Of what did not come the latest counts most.
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

    /// Whether something went wrong in this step, at the network or at a process of the past.
    fn is_fault(&self, index: usize) -> bool {
        let step = &self.causality.steps[index];
        let concerns = step
            .process
            .is_none_or(|p| self.causality.of_process(p).any(|(other, _)| self.past[other]));
        let wrong = |entry: &usize| is_fault(&self.trace.entries[*entry].what);
        concerns && step.entries.iter().any(wrong)
    }

    /// Puts together what a process did again and again. Of a safety property nothing else may be
    /// between, and how it comes to be violated is told one by one at the end.
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

/// Which numbers of a text its shape leaves out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Without {
    /// All of them.
    Numbers,
    /// Times, with a unit or in nanoseconds, and the numbers of steps.
    Times,
}

/// So many digits has a number that is taken for nanoseconds.
const NANOS_DIGITS_MIN: usize = 6;

/// A text without its numbers; the names of processes stay.
fn shape(text: &str, without: Without) -> String {
    let mut shape = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        shape.push_str(&rest[..at]);
        let length = rest[at..].find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, behind) = rest[at..].split_at(length.unwrap_or(rest.len() - at));
        // A second can be as long as a thousand milliseconds.
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

/// Whether something goes wrong, or right again, by no will of a process.
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

/// The steps in which a violation shows, one for each witness. Of a liveness property all that its
/// witnesses ever did counts. Of a safety property it is what they announced: in the very step that
/// shows it; for the other witnesses the last time that they announced the like; where that never
/// was, or the property was only judged in the end, what they announced last.
fn roots(trace: &Trace, causality: &Causality, violated: &Violated) -> BTreeMap<ProcessId, usize> {
    let shows = |entry: &usize| match &trace.entries[*entry].what {
        TraceEvent::Violation { property, .. } => *property == violated.property,
        TraceEvent::Panic { .. } => violated.property == "panicked",
        _ => false,
    };
    let shown = causality.steps.iter().position(|step| step.entries.iter().any(shows));
    let until = shown.unwrap_or(causality.steps.len());
    let announcement = |entry: &usize| match &trace.entries[*entry].what {
        TraceEvent::Indicate { what } => Some(shape(what, Without::Numbers)),
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
