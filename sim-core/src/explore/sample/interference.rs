//! What a sampled run's faults are, and when they come.
//!
//! Faults need not come, and can in nearly every state: were they chosen like other events, they
//! would all come at the beginning. So it is drawn beforehand how often each kind comes, from never
//! to as often as the budget allows, each number alike; and for each fault, the step at which it
//! comes, each alike of as many as a run has. If it cannot come there, it comes as soon as it can.
//!
//! What the fault is, is drawn when it comes, from all that can be chosen then: for a crash, each
//! process between two steps, and each effect of the step that would be next; for a loss or a
//! duplicate, each message of the step; for a suspicion, each observer and each subject; for an
//! early timeout, each timer.

use super::Run;
use crate::explore::budget::Budget;
use crate::explore::choice::{Choice, How};
use crate::explore::frontier::Frontier;
use crate::rng::Rng;

/// The steps at which faults come, of each kind the last one first.
#[derive(Default)]
pub(super) struct Interference {
    crashes: Vec<u32>,
    losses: Vec<u32>,
    duplicates: Vec<u32>,
    suspicions: Vec<u32>,
    timeouts: Vec<u32>,
}

impl Interference {
    /// Faults of a run of about this many events.
    pub fn draw(frontier: &Frontier, event_count: u32, rng: &mut Rng) -> Self {
        let timeouts = frontier.budget().timeouts.saturating_mul(frontier.process_count());
        Self::within(&Budget { timeouts, ..frontier.budget() }, (0, event_count), rng)
    }

    /// As many faults as this budget has at most, `timeouts` being those of all processes, from one
    /// step to another.
    pub fn within(budget: &Budget, (first, last): (u32, u32), rng: &mut Rng) -> Self {
        let mut draw = |count_max: u32| {
            let count = rng.between(0, count_max.into());
            let step = |_| rng.between(first.into(), last.into());
            let mut steps: Vec<u32> =
                (0..count).map(step).filter_map(|at| u32::try_from(at).ok()).collect();
            steps.sort_unstable_by(|one, other| other.cmp(one));
            steps
        };
        Self {
            crashes: draw(budget.crashes),
            losses: draw(budget.losses),
            duplicates: draw(budget.duplicates),
            suspicions: draw(budget.suspicions),
            timeouts: draw(budget.timeouts),
        }
    }

    /// An early timeout or a wrong suspicion that comes now.
    pub fn in_place_of_events(&mut self, frontier: &mut Frontier, rng: &mut Rng) -> Option<Choice> {
        let step = frontier.step_count();
        if !is_due(&self.timeouts, step) && !is_due(&self.suspicions, step) {
            return None;
        }
        let mut optional = Vec::new();
        frontier.optional(&mut optional);
        let is_timeout = |choice: &Choice| choice.event.is_early();
        let is_suspicion = |choice: &Choice| matches!(choice.how, How::Suspects { .. });
        one_of(&mut self.timeouts, step, &optional, is_timeout, rng)
            .or_else(|| one_of(&mut self.suspicions, step, &optional, is_suspicion, rng))
    }

    /// Takes a step that was chosen, or has a process crash in it or before it.
    pub fn step(&mut self, run: &mut Run<'_>, choice: Choice, rng: &mut Rng) {
        let number = run.frontier.step_count();
        if !is_due(&self.crashes, number) {
            run.take(choice);
            return;
        }
        let is_crash =
            |choice: &Choice| matches!(choice.how, How::Crash { .. } | How::CrashesAfter { .. });
        let (mut crashes, mut in_step) = (Vec::new(), Vec::new());
        run.frontier.optional(&mut crashes);
        let before = run.frontier.used();
        let step = run.take(choice);
        run.frontier.variants(&step, &before, &mut in_step);
        crashes.append(&mut in_step);
        if let Some(crash) = one_of(&mut self.crashes, number, &crashes, is_crash, rng) {
            run.take_back();
            run.take(crash);
        }
    }

    /// Decides what becomes of the messages that the last step has sent.
    pub fn decide_fates(&mut self, run: &mut Run<'_>, rng: &mut Rng) {
        let number = run.frontier.step_count();
        let mut fates = Vec::new();
        loop {
            if !is_due(&self.losses, number) && !is_due(&self.duplicates, number) {
                return;
            }
            run.frontier.fates(&mut fates);
            let is_loss = |choice: &Choice| choice.how == How::IsLost;
            let is_copy = |choice: &Choice| choice.how == How::ComesTwice;
            let fate = one_of(&mut self.losses, number, &fates, is_loss, rng)
                .or_else(|| one_of(&mut self.duplicates, number, &fates, is_copy, rng));
            let Some(fate) = fate else { return };
            run.take(fate);
        }
    }
}

/// Whether one of these faults comes at this step.
fn is_due(steps: &[u32], now: u32) -> bool {
    steps.last().is_some_and(|step| *step <= now)
}

/// One of the choices of this kind, if a fault of this kind comes now and can: then it has come.
fn one_of(
    steps: &mut Vec<u32>,
    now: u32,
    choices: &[Choice],
    is_one: impl Fn(&Choice) -> bool,
    rng: &mut Rng,
) -> Option<Choice> {
    if !is_due(steps, now) {
        return None;
    }
    let those: Vec<Choice> = choices.iter().copied().filter(is_one).collect();
    let choice = *rng.choose(&those)?;
    steps.pop();
    Some(choice)
}
