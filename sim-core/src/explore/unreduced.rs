//! Explores all runs, in every order: to know how many there are, and whether a reduced search is
//! right.

use std::ops::ControlFlow;

use super::choice::Choice;
use super::frontier::Frontier;
use super::step::Step;
use super::{Count, Explored};

/// Explores all runs of this seed and shows each to `visit`, until it breaks. Returns what was
/// seen, and whether that was all.
pub fn explore(
    frontier: &mut Frontier,
    seed: u64,
    visit: &mut dyn FnMut(&Explored<'_>) -> ControlFlow<()>,
) -> (Count, ControlFlow<()>) {
    let mut count = Count::default();
    let mut steps: Vec<Step> = Vec::new();
    // What is left to try in each state of the current run.
    let mut left: Vec<Vec<Choice>> = Vec::new();
    frontier.begin(seed);
    loop {
        let choices = all(frontier);
        // A run in which only optional choices are left is finished, and can go on.
        let is_finished = is_finished(&choices);
        left.push(choices);
        if is_finished {
            let is_cut = frontier.is_cut();
            let outcome = frontier.finish();
            count.runs += 1;
            count.cut += u64::from(is_cut);
            count.longest = count.longest.max(steps.len() as u64);
            let rest = frontier.left();
            let explored = Explored {
                seed,
                steps: &steps,
                left: &rest,
                draws: frontier.draws(),
                outcome: &outcome,
                is_cut,
                repeats_from: None,
            };
            if visit(&explored).is_break() {
                return (count, ControlFlow::Break(()));
            }
            if !again(frontier, seed, &mut steps, &mut left, &mut count) {
                return (count, ControlFlow::Continue(()));
            }
        }
        let Some(choice) = left.last_mut().and_then(Vec::pop) else {
            return (count, ControlFlow::Continue(()));
        };
        let before = frontier.used();
        let step = frontier.take(choice);
        count.steps += 1;
        let mut variants = Vec::new();
        frontier.variants(&step, &before, &mut variants);
        if let Some(left) = left.last_mut() {
            left.extend(variants);
        }
        steps.push(step);
    }
}

/// Whether nothing of this has to happen.
pub(super) fn is_finished(choices: &[Choice]) -> bool {
    choices.iter().all(|choice| choice.is_optional() || choice.is_fate())
}

/// All that can be chosen.
pub(super) fn all(frontier: &mut Frontier) -> Vec<Choice> {
    let (mut all, mut more) = (Vec::new(), Vec::new());
    frontier.plain(&mut all);
    frontier.optional(&mut more);
    all.append(&mut more);
    frontier.fates(&mut more);
    all.append(&mut more);
    all
}

/// Goes back to the last state in which something is left to try. False if there is none.
fn again(
    frontier: &mut Frontier,
    seed: u64,
    steps: &mut Vec<Step>,
    left: &mut Vec<Vec<Choice>>,
    count: &mut Count,
) -> bool {
    while left.last().is_some_and(Vec::is_empty) {
        left.pop();
        steps.pop();
    }
    if left.is_empty() {
        return false;
    }
    steps.truncate(left.len() - 1);
    frontier.begin(seed);
    for step in &*steps {
        frontier.take(step.choice);
    }
    count.steps += steps.len() as u64;
    true
}
