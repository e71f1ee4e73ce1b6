//! The part of a run that fits into a small picture: a selection of its steps, the number of steps
//! left out between them, and the messages that connect them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::diagram::{Diagram, DiagramMessage};

/// Up to this number, all lanes are shown, even those in which nothing happens.
const LANE_COUNT_WHOLE: usize = 6;
/// The distance from a violation of a step that did not happen before it; faults are nearer.
const BESIDE: u64 = 3;

/// A selection of a run's steps, and the messages that connect them.
pub(crate) struct Excerpt {
    /// Steps and gaps, in the order of the run.
    pub columns: Vec<Column>,
    /// The messages to draw.
    pub arrows: Vec<Arrow>,
    /// The lanes to draw, in order.
    pub lanes: Vec<u32>,
    /// The lanes left out, in order.
    pub left_out: Vec<u32>,
    /// The steps that show the violation.
    pub roots: BTreeSet<usize>,
    /// The lanes of the witnesses.
    pub witnesses: BTreeSet<u32>,
    /// For each step of the run, the column that shows it or stands for it.
    column_of: Vec<usize>,
}

/// The criteria by which steps are selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    /// The steps to select from.
    pub scope: Scope,
    /// The maximum number of steps, approximately.
    pub step_count_max: usize,
    /// The maximum number of lanes.
    pub lane_count_max: usize,
}

/// The steps that an excerpt selects from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those of the story, the nearest to the violation first; without a story as [`Scope::All`].
    Story,
    /// All. If there are too many: first those of the story, then faults, requests and
    /// indications, and the first steps of the run.
    All,
    /// Those with these numbers, in order.
    Numbers(Range<u64>),
}

/// A place in the order of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// This step.
    Step(usize),
    /// This number of steps that are left out.
    Gap(usize),
    /// The end of the run, if a violation was judged there.
    End,
}

/// A message in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrow {
    /// The message, by index.
    pub message: usize,
    /// The column in which it was sent.
    pub from: usize,
    /// The column in which it arrived, or was lost.
    pub to: usize,
    /// Whether the step that sent it is among the columns.
    pub is_sent_here: bool,
    /// How it ends.
    pub end: ArrowEnd,
}

/// The end of an arrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArrowEnd {
    /// A delivery.
    Heard,
    /// A loss.
    Lost,
    /// A delivery in a step that is left out, or after the end of the run.
    Elsewhere,
}

impl Excerpt {
    /// The excerpt of a run with these criteria.
    pub fn of(diagram: &Diagram, selection: &Selection) -> Self {
        let story = diagram.story.as_ref();
        let roots: BTreeSet<usize> = story.map_or_else(BTreeSet::new, |story| {
            story.roots.iter().copied().filter(|root| *root < diagram.steps.len()).collect()
        });
        let mut ranked = match &selection.scope {
            Scope::Story if story.is_some() => nearest(diagram, &roots),
            Scope::Numbers(numbers) => numbered(diagram, numbers),
            Scope::Story | Scope::All => all(diagram, &roots),
        };
        ranked.truncate(selection.step_count_max.max(1));
        let (lanes, left_out) = lanes(diagram, &ranked, selection.lane_count_max);
        let is_drawn = |step: &usize| diagram.steps[*step].lane.is_none_or(|l| lanes.contains(&l));
        let mut steps: BTreeSet<usize> = ranked.into_iter().filter(is_drawn).collect();
        let alone = alone(diagram, &steps);
        steps.extend(alone.into_iter().filter(is_drawn));
        let witnesses = roots.iter().filter_map(|root| diagram.steps[*root].lane).collect();
        let is_shown_by_step = roots.iter().any(|root| has_part(diagram, *root, "violation"))
            || roots.iter().any(|root| has_part(diagram, *root, "panic"));
        let has_end = story.is_some() && !is_shown_by_step;
        // A witness that only started is marked at the end.
        steps.retain(|step| !has_end || !is_idle(diagram, *step));
        let (columns, column_of) = columns(diagram, &steps, has_end);
        let arrows = Vec::new();
        let mut excerpt = Self { columns, arrows, lanes, left_out, roots, witnesses, column_of };
        excerpt.arrows = excerpt.arrows_of(diagram, &steps);
        excerpt
    }

    /// The column that shows this step, or stands for it.
    pub fn column(&self, step: usize) -> usize {
        self.column_of.get(step).copied().unwrap_or(self.columns.len().saturating_sub(1))
    }

    fn arrows_of(&self, diagram: &Diagram, steps: &BTreeSet<usize>) -> Vec<Arrow> {
        let ends = |lane: u32| self.lanes.contains(&lane);
        let drawn = diagram.messages.iter().enumerate();
        let drawn = drawn.filter(|(_, message)| ends(message.from) && ends(message.to));
        drawn.flat_map(|(index, _)| self.arrows_of_message(diagram, index, steps)).collect()
    }

    /// Whether a witness could have received this message before it showed the violation, but did
    /// not.
    fn is_missing(&self, diagram: &Diagram, message: &DiagramMessage) -> bool {
        let is_to = |root: &&usize| diagram.steps[**root].lane == Some(message.to);
        self.roots.iter().find(is_to).is_some_and(|root| {
            message.sent.is_some_and(|sent| sent < *root)
                && message.heard.first().is_none_or(|heard| heard > root)
        })
    }

    fn arrows_of_message(
        &self,
        diagram: &Diagram,
        index: usize,
        steps: &BTreeSet<usize>,
    ) -> Vec<Arrow> {
        let message = &diagram.messages[index];
        let is_sent_here = message.sent.is_some_and(|sent| steps.contains(&sent));
        let arrow = |to: usize, end: ArrowEnd| {
            let from = message.sent.map_or(to, |sent| self.column(sent));
            Arrow { message: index, from, to, is_sent_here, end }
        };
        let heard = message.heard.iter().filter(|heard| steps.contains(heard));
        let heard: Vec<Arrow> =
            heard.map(|heard| arrow(self.column(*heard), ArrowEnd::Heard)).collect();
        if !heard.is_empty() || !is_sent_here {
            return heard;
        }
        let last = self.columns.len().saturating_sub(1);
        match (&message.lost, message.heard.first()) {
            (Some(lost), _) => vec![arrow(self.column(lost.after), ArrowEnd::Lost)],
            // A message that a witness received too late, or never, can explain what it did.
            (None, heard) if self.is_missing(diagram, message) => {
                let to = heard.map_or(last, |heard| self.column(*heard));
                vec![arrow(to, ArrowEnd::Elsewhere)]
            }
            (None, _) => Vec::new(),
        }
    }
}

/// Whether a step has a part of this kind.
pub(crate) fn has_part(diagram: &Diagram, step: usize, event: &str) -> bool {
    diagram.steps[step].parts.iter().any(|part| part.event == event)
}

/// The steps of the story, those nearest to the violation first.
fn nearest(diagram: &Diagram, roots: &BTreeSet<usize>) -> Vec<usize> {
    let distances = distances(diagram, roots);
    let rows = diagram.story.iter().flat_map(|story| &story.rows);
    // The first and the last of repeated steps.
    let ends = rows.flat_map(|row| [row.steps.first(), row.steps.last()]).flatten().copied();
    let known = ends.filter(|step| *step < diagram.steps.len());
    let steps: BTreeSet<usize> = known.chain(roots.iter().copied()).collect();
    let mut ranked: Vec<usize> = steps.into_iter().collect();
    ranked.sort_by_key(|step| {
        let distance = distances[*step].unwrap_or(BESIDE);
        let is_fault = class(diagram, *step) == FAULT;
        (if is_fault { distance.min(BESIDE - 1) } else { distance }, usize::MAX - step)
    });
    ranked
}

/// The distance of each step in the causal past of the violation, counted as in stories.
fn distances(diagram: &Diagram, roots: &BTreeSet<usize>) -> Vec<Option<u64>> {
    let mut distances: Vec<Option<u64>> = vec![None; diagram.steps.len()];
    roots.iter().for_each(|root| distances[*root] = Some(0));
    for index in (0..diagram.steps.len()).rev() {
        let Some(distance) = distances[index] else { continue };
        let step = &diagram.steps[index];
        for (earlier, length) in [(step.cause, 1), (step.before, 2)] {
            let Some(earlier) = earlier.filter(|earlier| *earlier < index) else { continue };
            let known = distances[earlier].unwrap_or(u64::MAX);
            distances[earlier] = Some(known.min(distance + length));
        }
    }
    distances
}

/// The steps with these numbers.
fn numbered(diagram: &Diagram, numbers: &Range<u64>) -> Vec<usize> {
    let steps = diagram.steps.iter().enumerate();
    steps.filter(|(_, step)| numbers.contains(&step.number)).map(|(index, _)| index).collect()
}

/// All steps: those of the story first.
fn all(diagram: &Diagram, roots: &BTreeSet<usize>) -> Vec<usize> {
    let mut ranked = nearest(diagram, roots);
    let known: BTreeSet<usize> = ranked.iter().copied().collect();
    ranked.extend(telling(diagram).into_iter().filter(|step| !known.contains(step)));
    ranked
}

/// The steps of a run without a violation, the most important first: faults, requests and
/// indications, but in turn with the first steps of the run.
fn telling(diagram: &Diagram) -> Vec<usize> {
    let mut seen: BTreeMap<u8, usize> = BTreeMap::new();
    let eventful = (0..diagram.steps.len()).filter(|step| !is_idle(diagram, *step));
    let ranked = eventful.map(|step| {
        let class = class(diagram, step);
        let place = seen.entry(class).or_default();
        *place += 1;
        // After eight steps of one class, it is the turn of the others.
        (*place / 8, class, step)
    });
    let mut ranked: Vec<(usize, u8, usize)> = ranked.collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(.., step)| step).collect()
}

/// The class of steps with faults.
const FAULT: u8 = 0;

/// The class of a step: faults; requests and indications; others.
fn class(diagram: &Diagram, step: usize) -> u8 {
    let class = |event: &str| match event {
        "crash" | "recover" | "pause" | "begins" | "ends" | "corrupt" | "doubled" | "panic" => {
            FAULT
        }
        "indicate" | "request" => 1,
        _ => 2,
    };
    let parts = diagram.steps[step].parts.iter();
    parts.map(|part| class(part.event)).min().unwrap_or(2)
}

/// Whether a step does no more than start a process and set timers.
fn is_idle(diagram: &Diagram, step: usize) -> bool {
    let idle = ["start", "set-timer", "cancel-timer", "note"];
    diagram.steps[step].parts.iter().all(|part| idle.contains(&part.event))
}

/// The lanes to draw, and those to leave out. If there are many, the lanes of the first of these
/// steps are drawn.
fn lanes(diagram: &Diagram, ranked: &[usize], count_max: usize) -> (Vec<u32>, Vec<u32>) {
    let all = 0..u32::try_from(diagram.lanes.len()).unwrap_or(u32::MAX);
    let mut drawn: Vec<u32> = Vec::new();
    if diagram.lanes.len() <= LANE_COUNT_WHOLE.min(count_max) {
        drawn = all.clone().collect();
    }
    for step in ranked {
        let Some(lane) = diagram.steps[*step].lane.filter(|lane| all.contains(lane)) else {
            continue;
        };
        if !drawn.contains(&lane) && drawn.len() < count_max {
            drawn.push(lane);
        }
    }
    drawn.sort_unstable();
    let left_out = all.filter(|lane| !drawn.contains(lane)).collect();
    (drawn, left_out)
}

/// The steps that would be the only ones in their gaps: a gap would save no room.
fn alone(diagram: &Diagram, steps: &BTreeSet<usize>) -> Vec<usize> {
    let last = steps.last().copied().unwrap_or(0);
    let (mut alone, mut skipped) = (Vec::new(), Vec::new());
    for step in (0..=last).filter(|step| *step < diagram.steps.len()) {
        if steps.contains(&step) {
            if let [one] = skipped.as_slice() {
                alone.push(*one);
            }
            skipped.clear();
        } else if !is_idle(diagram, step) {
            skipped.push(step);
        }
    }
    alone
}

/// The columns of these steps, and for each step of the run the one that stands for it.
fn columns(diagram: &Diagram, steps: &BTreeSet<usize>, has_end: bool) -> (Vec<Column>, Vec<usize>) {
    let (mut columns, mut column_of) = (Vec::new(), Vec::with_capacity(diagram.steps.len()));
    let mut skipped = 0;
    for step in 0..diagram.steps.len() {
        if steps.contains(&step) {
            columns.push(Column::Step(step));
            skipped = 0;
        } else if !is_idle(diagram, step) {
            match columns.last_mut().filter(|_| skipped > 0) {
                Some(gap) => *gap = Column::Gap(skipped + 1),
                None => columns.push(Column::Gap(1)),
            }
            skipped += 1;
        }
        column_of.push(columns.len().saturating_sub(1));
    }
    if has_end {
        columns.push(Column::End);
    }
    (columns, column_of)
}
