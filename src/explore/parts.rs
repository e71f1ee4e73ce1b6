//! A search by several threads, part by part.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ftsim_core::explore::reduced::{Reduced, divide};
use ftsim_core::explore::{Explored, Frontier};

use super::kept::Kept;
use super::{Effort, Seen, Settings, frontier};
use crate::files::FileError;
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
    /// The file that keeps them.
    kept: Option<Kept>,
    /// Why it could not be written.
    failure: Option<FileError>,
}

/// Explores one run of each class.
pub(super) fn explore(
    scenario: &Scenario,
    settings: &Settings,
    effort: &Effort<'_>,
) -> Result<Seen, String> {
    let was_divided = match &effort.keep {
        Some(keep) => keep.check(scenario, settings)?,
        None => false,
    };
    let mut first = frontier(scenario, settings)?;
    if !was_divided || effort.run_count_max <= UNDIVIDED_COUNT_MAX {
        let small = undivided(scenario, settings, effort, &mut first);
        let is_small = !small.is_ended
            || small.runs < UNDIVIDED_COUNT_MAX
            || small.runs >= effort.run_count_max
            || small.is_done(scenario);
        if is_small {
            return Ok(small);
        }
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
    let kept = match &effort.keep {
        Some(keep) => Some(Kept::open(keep, scenario, settings, (parts.len(), &count))?),
        None => None,
    };
    let mut all = by_threads(scenario, settings, effort, parts.len(), &explore, kept)?;
    all.count.add(&count);
    Ok(all)
}

/// Explores all parts, by several threads, and adds them up in their order. Those that are kept in
/// a file are not explored again.
pub(super) fn by_threads(
    scenario: &Scenario,
    settings: &Settings,
    effort: &Effort<'_>,
    part_count: usize,
    explore: &Explore<'_>,
    kept: Option<(Kept, Vec<(usize, Seen)>)>,
) -> Result<Seen, String> {
    let jobs = effort.jobs.clamp(1, part_count.max(1));
    let parts = std::iter::repeat_with(|| None).take(part_count).collect();
    let mut seen = PartsSeen { parts, run_count: 0, finished: 0, kept: None, failure: None };
    let path = kept.as_ref().map(|(kept, _)| kept.path().display().to_string());
    if let Some((kept, parts)) = kept {
        seen.kept = Some(kept);
        parts.into_iter().for_each(|(index, part)| seen.take(index, part));
    }
    let first_end = seen.parts.iter().position(|one| one.as_ref().is_some_and(|one| one.is_ended));
    let search = Search {
        scenario,
        settings,
        effort,
        next: AtomicUsize::new(0),
        last: AtomicUsize::new(first_end.unwrap_or(part_count)),
        part_count,
        explore,
        seen: Mutex::new(seen),
    };
    search.limit(&search.seen());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| search.work());
        }
    });
    if let Some(failure) = search.seen().failure.take() {
        return Err(failure.to_string());
    }
    let mut all = Seen { parts: (0, part_count), ..Seen::default() };
    match search.gather(&mut all, &mut frontier(scenario, settings)?) {
        Ok(()) => Ok(all),
        Err(why) => Err(format!("{}: {why}", path.unwrap_or_default())),
    }
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
    seen.has_read_clocks = frontier.has_read_clocks();
    seen
}

impl PartsSeen {
    fn take(&mut self, index: usize, part: Seen) {
        self.run_count += part.runs;
        self.finished += usize::from(!part.is_ended);
        self.parts[index] = Some(part);
    }
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
            if self.seen().parts[index].is_some() {
                continue;
            }
            let seen = self.explore_part(index, &mut frontier, self.effort.run_count_max);
            if seen.is_ended {
                self.last.fetch_min(index, Ordering::Relaxed);
            }
            let mut all = self.seen();
            // One that was given up halfway is not kept.
            if !seen.is_ended || seen.is_done(self.scenario) {
                let kept = all.kept.as_mut().map(|kept| kept.append_part(index, &seen));
                if let Some(Err(failure)) = kept {
                    all.failure = Some(failure);
                    self.last.store(0, Ordering::Relaxed);
                }
            }
            all.take(index, seen);
            self.limit(&all);
            (self.effort.progress)(all.run_count, all.finished, self.part_count);
        }
    }

    fn explore_part(&self, index: usize, frontier: &mut Frontier, run_count_max: u64) -> Seen {
        let mut seen = (self.explore)(index, frontier, run_count_max);
        // Or in a part before this one, which counts too.
        seen.has_read_clocks = frontier.has_read_clocks();
        seen
    }

    fn seen(&self) -> MutexGuard<'_, PartsSeen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
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
    ///
    /// # Errors
    /// If a part that was kept is not what it claims to be.
    fn gather(&self, all: &mut Seen, frontier: &mut Frontier) -> Result<(), String> {
        let mut seen = self.seen();
        for (index, part) in seen.parts.iter_mut().enumerate() {
            let left = self.effort.run_count_max - all.runs;
            let is_last = index + 1 == self.part_count;
            let mut part = match part.take() {
                None => {
                    all.is_ended = true;
                    return Ok(());
                }
                // There were enough runs in the middle of it.
                Some(part) if part.runs > left || (part.runs == left && !is_last) => {
                    self.explore_part(index, frontier, left)
                }
                Some(part) => part,
            };
            if self.find_again(index, &mut part, all, frontier)?.is_break() {
                all.is_ended = true;
                return Ok(());
            }
            let is_ended = part.is_ended;
            all.append(part);
            all.parts.0 += usize::from(!is_ended);
            if is_ended || all.is_done(self.scenario) {
                all.is_ended = true;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Of a part that was kept: explores it again, up to the runs that violate what nothing before
    /// it did. Breaks if there is no time left.
    fn find_again(
        &self,
        index: usize,
        part: &mut Seen,
        before: &Seen,
        frontier: &mut Frontier,
    ) -> Result<ControlFlow<()>, String> {
        let is_missing =
            |name: &String| !before.found.contains_key(name) && !part.found.contains_key(name);
        let missing = part.found_at.iter().filter(|(name, _)| is_missing(name));
        let Some(until) = missing.map(|(_, nth)| *nth).max() else {
            return Ok(ControlFlow::Continue(()));
        };
        let again = self.explore_part(index, frontier, until);
        if again.is_ended && again.runs < until && !again.is_done(self.scenario) {
            return Ok(ControlFlow::Break(()));
        }
        let mut seen_again = part.found_at.iter().filter(|(_, nth)| **nth <= until);
        if !seen_again.all(|(name, nth)| again.found_at.get(name) == Some(nth)) {
            return Err(format!("the runs of part {index} do not violate what it says"));
        }
        part.found.extend(again.found);
        Ok(ControlFlow::Continue(()))
    }
}
