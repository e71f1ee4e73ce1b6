//! Guided runs, by several threads.
//!
//! Threads make the runs of one round at once, which learn nothing from each other, and what they
//! have shown is learned in the order of their numbers: so nothing depends on how many there are.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ftsim_core::explore::Frontier;
use ftsim_core::explore::sample::guided::{Guide, ROUND, Trial};

use super::{Effort, Seen, Settings, frontier};
use crate::scenario::Scenario;

/// Makes as many guided runs as the effort allows; also returns whether a process has read its
/// clock.
pub(super) fn explore(
    scenario: &Scenario,
    settings: &Settings,
    effort: &Effort<'_>,
) -> Result<(Seen, bool), String> {
    let mut first = frontier(scenario, settings)?;
    let mut guide = Guide::new(&mut first, settings.seed);
    let mut seen = Seen { parts: (0, 1), ..Seen::default() };
    let mut flow = ControlFlow::Continue(());
    let mut next = 0;
    while next < effort.run_count_max && flow.is_continue() {
        let end = effort.run_count_max.min(next + ROUND);
        let round = round(scenario, settings, effort.jobs, &guide, (next, end), &mut first);
        for trial in &round {
            seen.note_sample(&trial.sample);
            flow = effort.go_on(&seen, u64::MAX, scenario);
            if flow.is_break() {
                break;
            }
        }
        guide.learn(&round);
        (effort.progress)(seen.runs, 0, 1);
        next = end;
    }
    seen.is_ended = flow.is_break();
    seen.parts.0 = usize::from(!seen.is_ended);
    seen.guided = Some(guide.feature_counts());
    Ok((seen, first.has_read_clocks()))
}

/// The runs with these numbers, in their order.
fn round(
    scenario: &Scenario,
    settings: &Settings,
    jobs: usize,
    guide: &Guide,
    (first, end): (u64, u64),
    own: &mut Frontier,
) -> Vec<Trial> {
    let next = AtomicU64::new(first);
    let trials = Mutex::new(Vec::new());
    let work = |frontier: &mut Frontier| {
        loop {
            let nth = next.fetch_add(1, Ordering::Relaxed);
            if nth >= end {
                return;
            }
            let trial = guide.run(frontier, nth);
            trials.lock().unwrap_or_else(PoisonError::into_inner).push((nth, trial));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs {
            scope.spawn(|| {
                // That the protocol can be put into its world is known by now.
                let Ok(mut frontier) = frontier(scenario, settings) else { return };
                work(&mut frontier);
            });
        }
        work(own);
    });
    let mut trials = trials.into_inner().unwrap_or_else(PoisonError::into_inner);
    trials.sort_unstable_by_key(|(nth, _)| *nth);
    trials.into_iter().map(|(_, trial)| trial).collect()
}
