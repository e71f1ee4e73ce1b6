//! A search by several threads, part by part.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use ftsim_core::explore::reduced::{Reduced, divide};
use ftsim_core::explore::{Explored, Frontier};

use super::{Effort, Seen, Settings, frontier};
use crate::scenario::Scenario;

/// The number of parts, or more, of a search that is large enough.
const PART_COUNT: usize = 256;
/// The runs up to which a search is not divided: parts cost some redundant runs.
const UNDIVIDED_COUNT_MAX: u64 = 2_000;

/// Explores a part of this number, up to this many runs of it.
type Explore<'s> = dyn Fn(usize, &mut Frontier, u64) -> Seen + Sync + 's;

/// A search and its parts.
struct Search<'s> {
    scenario: &'s Scenario,
    settings: &'s Settings,
    effort: &'s Effort<'s>,
    part_count: usize,
    explore: &'s Explore<'s>,
    /// The first part that no thread has taken.
    next: AtomicUsize,
    /// The last part that is needed.
    last: AtomicUsize,
    seen: Mutex<PartsSeen>,
}

/// What was seen of parts.
struct PartsSeen {
    parts: Vec<Option<Seen>>,
    /// The runs of all.
    run_count: u64,
    finished: usize,
    has_read_clocks: bool,
}

/// Explores one run of each class; also returns whether a process has read its clock.
pub(super) fn explore(
    scenario: &Scenario,
    settings: &Settings,
    effort: &Effort<'_>,
) -> Result<(Seen, bool), String> {
    let mut first = frontier(scenario, settings)?;
    let small = undivided(scenario, settings, effort, &mut first);
    let is_small = !small.is_ended
        || small.runs < UNDIVIDED_COUNT_MAX
        || small.runs >= effort.run_count_max
        || small.is_done(scenario);
    if is_small {
        return Ok((small, first.has_read_clocks()));
    }
    let (parts, count) = divide(&mut first, settings.seed, PART_COUNT);
    let explore = |index: usize, frontier: &mut Frontier, run_count_max| {
        let mut seen = Seen::default();
        let visit = &mut |explored: &Explored<'_>| {
            seen.note(explored);
            effort.go_on(&seen, run_count_max, scenario)
        };
        let (count, flow) = Reduced::of(frontier, settings.seed, &parts[index]).explore(visit);
        seen.count = count;
        seen.is_ended = flow == ControlFlow::Break(());
        seen
    };
    let (mut all, has_read_clocks) =
        by_threads(scenario, settings, effort, parts.len(), &explore, &mut first);
    all.count.add(&count);
    Ok((all, has_read_clocks))
}

/// Explores all parts, by several threads, and adds them up in their order; also returns whether a
/// process has read its clock. A part is explored with a frontier like `first`.
pub(super) fn by_threads(
    scenario: &Scenario,
    settings: &Settings,
    effort: &Effort<'_>,
    part_count: usize,
    explore: &Explore<'_>,
    first: &mut Frontier,
) -> (Seen, bool) {
    let jobs = effort.jobs.clamp(1, part_count.max(1));
    let nothing = std::iter::repeat_with(|| None).take(part_count).collect();
    let seen = PartsSeen { parts: nothing, run_count: 0, finished: 0, has_read_clocks: false };
    let search = Search {
        scenario,
        settings,
        effort,
        next: AtomicUsize::new(0),
        last: AtomicUsize::new(part_count),
        part_count,
        explore,
        seen: Mutex::new(seen),
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| search.work());
        }
    });
    let mut all = Seen { parts: (0, part_count), ..Seen::default() };
    let seen = search.seen.lock().unwrap_or_else(PoisonError::into_inner);
    let has_read_clocks = seen.has_read_clocks;
    drop(seen);
    search.gather(&mut all, first);
    let has_read_clocks = has_read_clocks || first.has_read_clocks();
    (all, has_read_clocks)
}

/// A search in one part, up to the size of a small one.
fn undivided(
    scenario: &Scenario,
    settings: &Settings,
    effort: &Effort<'_>,
    frontier: &mut Frontier,
) -> Seen {
    let mut seen = Seen::default();
    let visit = &mut |explored: &Explored<'_>| {
        seen.note(explored);
        effort.go_on(&seen, effort.run_count_max.min(UNDIVIDED_COUNT_MAX), scenario)
    };
    let (count, flow) = Reduced::new(frontier, settings.seed).explore(visit);
    seen.count = count;
    seen.is_ended = flow.is_break();
    seen.parts = (usize::from(flow.is_continue()), 1);
    seen
}

impl Search<'_> {
    /// The work of a thread. That the protocol can be put into its world is known by now.
    fn work(&self) {
        let Ok(mut frontier) = frontier(self.scenario, self.settings) else { return };
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= self.part_count || index > self.last.load(Ordering::Relaxed) {
                break;
            }
            let seen = (self.explore)(index, &mut frontier, self.effort.run_count_max);
            if seen.is_ended {
                self.last.fetch_min(index, Ordering::Relaxed);
            }
            let mut all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            all.run_count += seen.runs;
            all.finished += usize::from(!seen.is_ended);
            all.parts[index] = Some(seen);
            self.limit(&all);
            (self.effort.progress)(all.run_count, all.finished, self.part_count);
        }
        let mut all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        all.has_read_clocks |= frontier.has_read_clocks();
    }

    /// Stops after the part with which there are enough runs.
    fn limit(&self, all: &PartsSeen) {
        let mut run_count = 0;
        for (index, part) in all.parts.iter().enumerate() {
            let Some(part) = part else { return };
            run_count += part.runs;
            if run_count >= self.effort.run_count_max {
                self.last.fetch_min(index, Ordering::Relaxed);
                return;
            }
        }
    }

    /// Adds up the parts in their order, up to the one with which the search ends.
    fn gather(&self, all: &mut Seen, frontier: &mut Frontier) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, part) in seen.parts.iter_mut().enumerate() {
            let left = self.effort.run_count_max - all.runs;
            let is_last = index + 1 == self.part_count;
            let part = match part.take() {
                None => {
                    all.is_ended = true;
                    return;
                }
                // There were enough runs in the middle of it.
                Some(part) if part.runs > left || (part.runs == left && !is_last) => {
                    (self.explore)(index, frontier, left)
                }
                Some(part) => part,
            };
            let is_ended = part.is_ended;
            all.append(part);
            all.parts.0 += usize::from(!is_ended);
            if is_ended || all.is_done(self.scenario) {
                all.is_ended = true;
                return;
            }
        }
    }
}
