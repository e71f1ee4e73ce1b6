//! Explores one run of each class of runs that differ only in the order of steps that commute.
//!
//! Source: Abdulla, Aronis, Jonsson and Sagonas (2017), *Source sets: a foundation for optimal
//! dynamic partial order reduction*, algorithm 1; sleep sets: Godefroid (1996), *Partial-order
//! methods for the verification of concurrent systems*. Each event is a thread of their theory,
//! with one step.
//!
//! Steps: a run goes on until nothing has to happen any more. For each two of its steps that
//! conflict, and of which the later could have come first, an event that begins a sequence in which
//! it does is noted at the state before the earlier one. Then the search goes back to the last
//! state where something is noted. What has been explored from a state sleeps in the states after
//! it, until a step that conflicts with it: runs that begin with it are in classes seen before.
//!
//! The paper has threads with one way to go on, which all come to their end. Here:
//!
//! - An event can go in several ways: its process can crash on the way, and each small draw of its
//!   handler can have each of its values. Wherever an event is explored, all of its ways are. They
//!   can conflict with different steps, so that some sleep while others do not. Where such an event
//!   is explored, everything is (`is_full`). What a process may still have chosen is counted by
//!   process, so that its draws take nothing from those of others; what clients draw is counted
//!   for all of them, and such steps conflict with each other (`changes_clients`). Draws beyond the
//!   budget come from the run's seed, one stream for each drawer: two steps that commute have
//!   different drawers, and draw the same in either order.
//! - A step can take a possibility away: it cancels a timer, or crashes the receiver of a message.
//!   What is taken away counts as a step that conflicts with the one that took it away, and with
//!   nothing else (`Ghost`).
//! - Crashes between two steps, wrong suspicions and early timeouts need not come. So a run ends
//!   without them, and then goes on with them. A sequence that lets a later step come first counts
//!   as begun only if it was begun with something that comes in every run, or with a cause of the
//!   later step.
//! - Where nothing but timers is left, everything that can be next is explored.
//!
//! Why no class is missed: suppose that `w` leads from a state to the end of a run, that no
//! sleeping event begins it, and that nothing that was explored there begins it either. Of the
//! explored events that come in every run, take the one, `q`, in whose ways the longest part `u` of
//! `w` conflicts with nothing, and let `x` be the step of `w` after `u`. From the state, `q`, `u`
//! and `x` were explored, by induction, so the race of `q` and `x` was seen. It has noted a cause
//! of `x`, which begins `w`, or it has found an event that conflicts with neither `u` nor `x`, and
//! whose part of `w` is longer. Neither can be.

mod node;
mod past;

use std::ops::ControlFlow;

use node::{Node, Tried};
use past::Past;

use super::choice::Choice;
use super::frontier::{Frontier, Ghost};
use super::step::Step;
use super::{Count, Explored};

/// A search through the runs of one seed.
pub struct Reduced<'a> {
    frontier: &'a mut Frontier,
    seed: u64,
    /// The states of the current run, from the first.
    path: Vec<Node>,
    steps: Vec<Step>,
    /// The steps before each step of the run.
    past: Vec<Past>,
    /// The number of steps whose races with earlier ones have been noted.
    compared: usize,
    count: Count,
}

/// A part of a search: the runs that begin with these choices, but for what sleeps.
#[derive(Clone, Default)]
pub struct Part {
    choices: Vec<Choice>,
    sleep: Vec<Tried>,
}

/// Divides a search into at least `count` parts, if it has as many, which can be explored in any
/// order: near the first state, everything that can be next is explored. Returns the steps that
/// this took, too.
pub fn divide(frontier: &mut Frontier, seed: u64, count: usize) -> (Vec<Part>, Count) {
    let mut parts = vec![Part::default()];
    let mut total = Count::default();
    for _ in 0..DIVISION_COUNT_MAX {
        if parts.len() >= count {
            break;
        }
        let mut smaller = Vec::with_capacity(2 * parts.len());
        for part in parts {
            let mut search = Reduced::of(frontier, seed, &part);
            if search.path.last().is_none_or(|node| node.enabled.is_empty()) {
                smaller.push(part);
                continue;
            }
            smaller.extend(search.divide());
            total.add(&search.count);
        }
        parts = smaller;
    }
    (parts, total)
}

/// How many steps the parts of a search begin with at most.
const DIVISION_COUNT_MAX: u32 = 16;

/// How far a run got.
enum RunEnd {
    /// To its end.
    Finished,
    /// To a state from which everything belongs to classes seen before.
    Redundant,
}

impl<'a> Reduced<'a> {
    /// A search through the runs of this seed.
    pub fn new(frontier: &'a mut Frontier, seed: u64) -> Self {
        Self::of(frontier, seed, &Part::default())
    }

    /// A search through a part of the runs of this seed.
    pub fn of(frontier: &'a mut Frontier, seed: u64, part: &Part) -> Self {
        let mut search = Self {
            frontier,
            seed,
            path: Vec::new(),
            steps: Vec::new(),
            past: Vec::new(),
            compared: part.choices.len(),
            count: Count::default(),
        };
        search.frontier.begin(seed);
        for choice in &part.choices {
            let step = search.frontier.take(*choice);
            search.past.push(search.past_of(&step));
            search.steps.push(step);
            // What else begins like this belongs to other parts.
            search.path.push(Node { is_full: true, ..Node::default() });
        }
        search.count.steps = part.choices.len() as u64;
        search.path.push(Node { sleep: part.sleep.clone(), ..Node::default() });
        search.look_around();
        search
    }

    /// The parts of the search that begin with each of the choices in the last state.
    fn divide(&mut self) -> Vec<Part> {
        let mut parts = Vec::new();
        if let Some(node) = self.path.last_mut() {
            node.explore_all();
        }
        while let Some(choice) = self.next_choice() {
            self.take(choice);
            let choices = self.steps.iter().map(|step| step.choice).collect();
            let sleep = self.path.pop().map_or_else(Vec::new, |node| node.sleep);
            parts.push(Part { choices, sleep });
            self.steps.pop();
            self.past.pop();
            self.again();
        }
        parts
    }

    /// Explores all runs and shows each to `visit`, until it breaks. Returns what was seen, and
    /// whether that was all.
    pub fn explore(
        mut self,
        visit: &mut dyn FnMut(&Explored<'_>) -> ControlFlow<()>,
    ) -> (Count, ControlFlow<()>) {
        loop {
            let end = self.go_on();
            self.note_races();
            match end {
                RunEnd::Redundant => self.count.redundant += 1,
                RunEnd::Finished => {
                    let is_cut = self.frontier.is_cut();
                    let outcome = self.frontier.finish();
                    self.count.runs += 1;
                    self.count.cut += u64::from(is_cut);
                    self.count.longest = self.count.longest.max(self.steps.len() as u64);
                    let left = self.frontier.left();
                    let explored = Explored {
                        seed: self.seed,
                        steps: &self.steps,
                        left: &left,
                        draws: self.frontier.draws(),
                        outcome: &outcome,
                        is_cut,
                        repeats_from: None,
                    };
                    if visit(&explored).is_break() {
                        return (self.count, ControlFlow::Break(()));
                    }
                }
            }
            if !self.back_up() {
                return (self.count, ControlFlow::Continue(()));
            }
        }
    }

    /// Goes on from a state that has just been reached.
    fn go_on(&mut self) -> RunEnd {
        loop {
            let Some(node) = self.path.last_mut() else { return RunEnd::Redundant };
            if node.enabled.is_empty() {
                node.explore_all();
                return RunEnd::Finished;
            }
            match node.first_awake() {
                Some(event) if !self.frontier.waits_for_timers() => node.noted.push(event),
                _ => node.explore_all(),
            }
            let Some(choice) = self.next_choice() else { return RunEnd::Redundant };
            self.take(choice);
        }
    }

    /// What is to be explored next from the last state.
    fn next_choice(&mut self) -> Option<Choice> {
        let node = self.path.last_mut()?;
        loop {
            while let Some(choice) = node.ways.pop() {
                if self.frontier.admits(choice) {
                    return Some(choice);
                }
            }
            let Some(event) = node.noted.pop() else { return node.fates.pop() };
            node.begin(event);
        }
    }

    /// Takes a step, and arrives in a state.
    fn take(&mut self, choice: Choice) {
        let before = self.frontier.used();
        let step = self.frontier.take(choice);
        self.count.steps += 1;
        let node = self.path.last_mut().expect("a run has a first state");
        if !choice.is_fate() {
            let mut ways = Vec::new();
            self.frontier.variants(&step, &before, &mut ways);
            node.has_taken(&step, ways);
        }
        let sleep = node.sleep_after(&step);
        self.past.push(self.past_of(&step));
        self.steps.push(step);
        self.path.push(Node { sleep, ..Node::default() });
        self.look_around();
    }

    /// Finds out what can be next in the last state.
    fn look_around(&mut self) {
        let mut choices = Vec::new();
        self.frontier.plain(&mut choices);
        let node = self.path.last_mut().expect("a run has a first state");
        node.enabled = choices.iter().map(|choice| choice.event).collect();
        self.frontier.optional(&mut node.optional);
        self.frontier.fates(&mut node.fates);
    }

    /// The steps that happened before this one, which comes next.
    fn past_of(&self, step: &Step) -> Past {
        let mut past = Past::default();
        for (index, earlier) in self.steps.iter().enumerate() {
            let is_before = step.needs.contains(&u32::try_from(index).ok())
                || earlier.epoch < step.epoch
                || earlier.footprint.conflicts_with(step.footprint);
            if is_before {
                past.extend(&self.past[index]);
                past.insert(index);
            }
        }
        past
    }

    /// Notes, for each two steps of which the later could have come first, how it comes first.
    fn note_races(&mut self) {
        for later in self.compared.max(1)..self.steps.len() {
            for earlier in 1..later {
                if self.is_race(earlier, later) {
                    self.note_reversal(earlier, later);
                }
            }
        }
        let is_new = |ghost: &&Ghost| ghost.since as usize >= self.compared;
        let ghosts: Vec<Ghost> = self.frontier.ghosts().iter().filter(is_new).copied().collect();
        ghosts.iter().for_each(|ghost| self.note_escape(ghost));
        self.compared = self.steps.len();
    }

    /// Whether two steps conflict, and nothing but this puts the earlier before the later.
    fn is_race(&self, earlier: usize, later: usize) -> bool {
        let (first, second) = (&self.steps[earlier], &self.steps[later]);
        let is_free = first.footprint.conflicts_with(second.footprint)
            && !second.needs.contains(&u32::try_from(earlier).ok())
            && !first.is_last_resort
            && !second.is_last_resort
            && first.epoch == second.epoch;
        let between = |k: usize| self.past[later].contains(k) && self.past[k].contains(earlier);
        is_free && !(earlier + 1..later).any(between)
    }

    fn note_reversal(&mut self, earlier: usize, later: usize) {
        if self.path[earlier].is_full {
            return;
        }
        // The steps that do not depend on the earlier one; of these, those that depend on no other.
        let free: Vec<usize> =
            (earlier + 1..later).filter(|k| !self.past[*k].contains(earlier)).collect();
        let mut is_free = Past::default();
        free.iter().for_each(|k| is_free.insert(*k));
        let past = self.past[later];
        let is_first = |k: &usize| !self.past[*k].meets(&is_free, earlier + 1);
        let causes = free.iter().copied().filter(|k| past.contains(*k)).chain([later]);
        let causes: Vec<usize> = causes.filter(is_first).collect();
        let node = &self.path[earlier];
        let is_known = |k: &usize| node.knows(self.steps[*k].choice.event);
        if causes.iter().any(is_known) {
            return;
        }
        let commutes = |first: usize| {
            let touched = self.frontier.with_variants(self.steps[first].footprint);
            let others = free.iter().copied().chain([later]);
            let mut others = others.filter(|k| *k != first && !self.past[*k].contains(first));
            !others.any(|k| self.steps[k].footprint.conflicts_with(touched))
        };
        let mut others = free.iter().copied().filter(|k| !past.contains(*k) && is_first(k));
        let is_covered = others.any(|k| {
            let step = &self.steps[k];
            !step.choice.is_optional() && !step.choice.is_fate() && is_known(&k) && commutes(k)
        });
        if !is_covered {
            let event = self.steps[causes[0]].choice.event;
            // Not so if it is a timer, and the earlier step cancelled one that was due before.
            if self.path[earlier].can_begin_with(event) {
                self.path[earlier].note(event);
            }
        }
    }

    /// Notes how an event that was taken away comes before the step that did so.
    fn note_escape(&mut self, ghost: &Ghost) {
        let (killer, cause) = (ghost.killer as usize, ghost.cause as usize);
        let mut past = self.past[cause];
        past.insert(cause);
        if killer == 0 || past.contains(killer) || self.path[killer].is_full {
            return;
        }
        let mut first = (killer + 1..=ghost.since as usize)
            .filter(|k| past.contains(*k) && !self.past[*k].meets(&past, killer + 1));
        let event = first.next().map_or(ghost.event, |k| self.steps[k].choice.event);
        let node = &mut self.path[killer];
        if node.can_begin_with(event) {
            node.note(event);
        }
    }

    /// Goes back to the last state from which something is to be explored, and takes it. False if
    /// there is none.
    fn back_up(&mut self) -> bool {
        loop {
            while self.path.last().is_some_and(Node::is_explored) {
                self.path.pop();
                self.steps.pop();
                self.past.pop();
            }
            if self.path.is_empty() {
                return false;
            }
            self.compared = self.steps.len();
            self.again();
            if let Some(choice) = self.next_choice() {
                self.take(choice);
                return true;
            }
        }
    }

    /// Makes the steps of the run again.
    fn again(&mut self) {
        self.frontier.begin(self.seed);
        for step in &self.steps {
            let again = self.frontier.take(step.choice);
            assert_eq!(again.footprint, step.footprint, "a run can be made again");
        }
        self.count.steps += self.steps.len() as u64;
    }
}
