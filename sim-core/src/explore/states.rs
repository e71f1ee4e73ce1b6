//! Explores all states, each once, in place of one run of each class.
//!
//! States are told apart by 64-bit digests alone (hash compaction: Wolper and Leroy 1993): two of
//! `n` states share theirs with a chance of about `n² / 2^65`, 1 in 40,000 for 30 million, and then
//! what follows from one of them may be missed.
//!
//! What belongs to a state: what the engine calls one, the states of properties and clients with
//! it; what is pending, with its content but without its history; the time; what is left of the
//! budget; and what was drawn from the seed. The number of steps does not: if a run is cut off at
//! the greatest number, states that only follow later may be missed, and the search does not count
//! as complete.
//!
//! # Runs without end
//!
//! A step that leads back to a state of the current run closes a cycle. The cycle is *fair* if
//! everything that is pending in its first state happens in it or is taken away; so all processes
//! may go round in it for ever. Whatever liveness promises and every state of the cycle still owes
//! then never comes: this run counts as one at rest. A cycle passes no time, since the time is part
//! of a state, so a timer that is pending makes it unfair: it would have run out.

use std::collections::BTreeSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::ControlFlow;

use super::choice::{Choice, EventId};
use super::frontier::Frontier;
use super::step::Step;
use super::unreduced::{all, is_finished};
use super::{Count, Explored};
use crate::model::property::Verdict;
use crate::outcome::Outcome;

/// What a search has seen besides runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateCount {
    /// States.
    pub states: u64,
    /// Cycles of states.
    pub cycles: u64,
    /// Those of them that are fair.
    pub fair_cycles: u64,
}

/// The states between two calls of `go_on`.
const STATES_BETWEEN: u64 = 256;

/// The digests of the states that have been seen.
#[expect(clippy::disallowed_types, reason = "it is only asked whether it contains a digest")]
type Seen = std::collections::HashSet<u64, BuildHasherDefault<AsItIs>>;

/// Hashes a digest to itself.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, _: &[u8]) {
        unreachable!("digests are words")
    }
    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

/// A search through the states of one seed.
struct States<'a> {
    frontier: &'a mut Frontier,
    seed: u64,
    /// The current run, and for each of its states its digest and what is left to try in it.
    steps: Vec<Step>,
    path: Vec<(u64, Vec<Choice>)>,
    seen: Seen,
    count: Count,
    states: StateCount,
}

/// Explores all states that runs of this seed can reach, and shows each run that ends in a new one
/// to `visit`, until that or `go_on`, called now and then with what was seen, breaks. Returns what
/// was seen, and whether that was all.
pub fn explore(
    frontier: &mut Frontier,
    seed: u64,
    visit: &mut dyn FnMut(&Explored<'_>) -> ControlFlow<()>,
    go_on: &mut dyn FnMut(&StateCount) -> ControlFlow<()>,
) -> (Count, StateCount, ControlFlow<()>) {
    let mut search = States {
        frontier,
        seed,
        steps: Vec::new(),
        path: Vec::new(),
        seen: Seen::default(),
        count: Count::default(),
        states: StateCount::default(),
    };
    let flow = search.run(visit, go_on);
    (search.count, search.states, flow)
}

impl States<'_> {
    fn run(
        &mut self,
        visit: &mut dyn FnMut(&Explored<'_>) -> ControlFlow<()>,
        go_on: &mut dyn FnMut(&StateCount) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.frontier.begin(self.seed);
        self.enter(visit)?;
        while let Some((_, left)) = self.path.last_mut() {
            let Some(choice) = left.pop() else {
                self.path.pop();
                self.steps.pop();
                continue;
            };
            if self.frontier.step_count() as usize != self.steps.len() {
                self.make_again(self.steps.len());
            }
            let before = self.frontier.used();
            let step = self.frontier.take(choice);
            self.count.steps += 1;
            let mut variants = Vec::new();
            self.frontier.variants(&step, &before, &mut variants);
            if let Some((_, left)) = self.path.last_mut() {
                left.extend(variants);
            }
            self.steps.push(step);
            let states = self.states.states;
            self.enter(visit)?;
            if self.states.states != states && self.states.states.is_multiple_of(STATES_BETWEEN) {
                go_on(&self.states)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Enters the state that the run has come to, unless it was seen before.
    fn enter(
        &mut self,
        visit: &mut dyn FnMut(&Explored<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let digest = self.frontier.state();
        if !self.seen.insert(digest) {
            let first = self.path.iter().position(|(earlier, _)| *earlier == digest);
            let flow = first.map(|first| self.close_cycle(first, visit));
            self.steps.pop();
            return flow.unwrap_or(ControlFlow::Continue(()));
        }
        self.states.states += 1;
        let choices = all(self.frontier);
        let flow = match is_finished(&choices) {
            true => self.finish(visit),
            false => ControlFlow::Continue(()),
        };
        self.path.push((digest, choices));
        flow
    }

    /// Shows the run that ends here, or could.
    fn finish(
        &mut self,
        visit: &mut dyn FnMut(&Explored<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let is_cut = self.frontier.is_cut();
        let outcome = self.frontier.finish();
        self.count.cut += u64::from(is_cut);
        let flow = self.show(&outcome, is_cut, None, visit);
        // The run is over; what can follow is explored in one that is made again.
        self.frontier.begin(self.seed);
        flow
    }

    fn show(
        &mut self,
        outcome: &Outcome,
        is_cut: bool,
        repeats_from: Option<usize>,
        visit: &mut dyn FnMut(&Explored<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.count.runs += 1;
        self.count.longest = self.count.longest.max(self.steps.len() as u64);
        visit(&Explored {
            seed: self.seed,
            steps: &self.steps,
            left: &self.frontier.left(),
            draws: self.frontier.draws(),
            outcome,
            is_cut,
            repeats_from,
        })
    }

    /// The run has come back to the state that it was in after its first steps.
    fn close_cycle(
        &mut self,
        first: usize,
        visit: &mut dyn FnMut(&Explored<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.states.cycles += 1;
        let pending = self.frontier.pending_events();
        self.make_again(first);
        let waits_for_ever = |event: &EventId| pending.contains(event);
        if self.frontier.pending_events().iter().any(waits_for_ever) {
            self.frontier.begin(self.seed);
            return ControlFlow::Continue(());
        }
        self.states.fair_cycles += 1;
        let mut owed: Option<BTreeSet<&'static str>> = None;
        for length in first..self.steps.len() {
            self.make_again(length);
            let now: BTreeSet<_> = violated(&self.frontier.finish_at_rest()).collect();
            owed = Some(owed.map_or_else(|| now.clone(), |owed| &owed & &now));
        }
        self.make_again(self.steps.len());
        let mut outcome = self.frontier.finish_at_rest();
        for judged in &mut outcome.judged {
            let is_owed = owed.as_ref().is_some_and(|owed| owed.contains(judged.id.0));
            if matches!(judged.verdict, Verdict::Violated(_)) && !is_owed {
                judged.verdict = Verdict::Held;
            }
        }
        let flow = self.show(&outcome, false, Some(first), visit);
        self.frontier.begin(self.seed);
        flow
    }

    /// Makes the first steps of the current run again.
    fn make_again(&mut self, length: usize) {
        self.frontier.begin(self.seed);
        for step in &self.steps[..length] {
            self.frontier.take(step.choice);
        }
        self.count.steps += length as u64;
    }
}

/// The properties that are violated.
fn violated(outcome: &Outcome) -> impl Iterator<Item = &'static str> {
    let judged = outcome.judged.iter();
    judged.filter(|one| matches!(one.verdict, Verdict::Violated(_))).map(|one| one.id.0)
}
