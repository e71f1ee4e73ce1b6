//! Guided runs, by several threads.
//!
//! Threads make the runs of one round at once, which learn nothing from each other, and what they
//! have shown is learned in the order of their numbers: so nothing depends on how many there are.

use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ftsim_core::explore::Frontier;
use ftsim_core::explore::sample::guided::{Guide, ROUND, Trial};

use super::{Effort, Seen, Settings, frontier};
use crate::scenario::Scenario;

/// The runs of a round for which another thread is worth its own world.
const RUNS_OF_A_THREAD: u64 = 4;

/// Makes as many guided runs as the effort allows.
pub(super) fn explore(
    scenario: &Scenario,
    settings: &Settings,
    effort: &Effort<'_>,
) -> Result<Seen, String> {
    let mut first = frontier(scenario, settings)?;
    let mut guide = Guide::new(&mut first, settings.seed);
    let mut seen = Seen { parts: (0, 1), ..Seen::default() };
    let mut flow = ControlFlow::Continue(());
    let mut next = 0;
    while next < effort.run_count_max && flow.is_continue() {
        let end = effort.run_count_max.min(next + ROUND);
        let rounds = Rounds { scenario, settings, guide: &guide, jobs: effort.jobs };
        let (round, read_clocks) = rounds.make(next..end, &mut first);
        seen.has_read_clocks |= read_clocks;
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
    Ok(seen)
}

/// What makes the runs of a round.
struct Rounds<'a> {
    scenario: &'a Scenario,
    settings: &'a Settings,
    guide: &'a Guide,
    jobs: usize,
}

impl Rounds<'_> {
    /// The runs with these numbers, in their order, and whether a process has read its clock in
    /// one.
    fn make(&self, numbers: Range<u64>, own: &mut Frontier) -> (Vec<Trial>, bool) {
        let useful = (numbers.end - numbers.start).div_ceil(RUNS_OF_A_THREAD);
        let jobs = self.jobs.min(usize::try_from(useful).unwrap_or(1));
        let next = AtomicU64::new(numbers.start);
        let made = Mutex::new((Vec::new(), false));
        let work = |frontier: &mut Frontier| {
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                if nth >= numbers.end {
                    return;
                }
                let trial = self.guide.run(frontier, nth);
                let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
                made.0.push((nth, trial));
                made.1 |= frontier.has_read_clocks();
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..jobs {
                scope.spawn(|| {
                    // That the protocol can be put into its world is known by now.
                    let Ok(mut frontier) = frontier(self.scenario, self.settings) else { return };
                    work(&mut frontier);
                });
            }
            work(own);
        });
        let (mut trials, read_clocks) = made.into_inner().unwrap_or_else(PoisonError::into_inner);
        trials.sort_unstable_by_key(|(nth, _)| *nth);
        (trials.into_iter().map(|(_, trial)| trial).collect(), read_clocks)
    }
}
