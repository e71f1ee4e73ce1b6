//! The tolerance of protocols towards classes of faults, measured: masking, fail-safe, non-masking
//! or intolerant.
//!
//! Source: Arora and Gouda (1993), *Closure and convergence: a foundation of fault-tolerant
//! computing*; Gärtner (1999), *Fundamentals of fault-tolerant distributed computing in
//! asynchronous environments*.

mod class;
mod explored;
mod faults;
mod row;
mod table;
mod world;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ftsim_core::ProcessId;
use ftsim_core::rng::Rng;
use ftsim_protocols::Catalogue;

use crate::run::{InternalError, run};
use crate::scenario::Scenario;
pub use class::Class;
use row::Seen;
pub use row::{Explored, Found, Judged, Row, Share, Tolerance, Violated};
pub use table::{SCHEMA, Table, Terms, has, merged};
pub use world::{Detector, Subject, counted_by_bound};

/// The maximum number of drawings that are tried for one world.
const ATTEMPT_COUNT_MAX: u64 = 200;

/// One row to measure.
pub struct Job<'a> {
    /// Its number among all rows, from 0.
    pub index: u64,
    /// The protocol.
    pub subject: &'a Subject<'a>,
    /// The class of faults.
    pub class: Class,
    /// The number of faulty processes; 0 if the faults make no process faulty.
    pub faulty: u32,
    /// The seed for drawing the worlds.
    pub seed: u64,
    /// The number of worlds, each of which is run with a seed of its own.
    pub world_count: u64,
    /// The maximum number of runs of an exploration, if there is to be one.
    pub explore: Option<u64>,
}

/// The limits on threads.
pub struct Effort<'a> {
    /// The number of threads.
    pub jobs: usize,
    /// No run is started once this is set.
    pub halt: &'a AtomicBool,
    /// Called with the number of runs that were finished.
    pub done: &'a (dyn Fn(u64) + Sync),
}

/// The numbers of faulty processes that are tried by default: one, the largest minority, half and
/// the smallest majority.
pub fn usual_numbers(candidates: &[ProcessId]) -> Vec<u32> {
    let n = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
    let mut numbers = vec![1, n.saturating_sub(1) / 2, n / 2, n / 2 + 1];
    numbers.retain(|number| (1..=n).contains(number));
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

impl Job<'_> {
    /// The scenario of a world; `None` if every drawing was refused.
    pub fn scenario(&self, world: u64) -> Option<Scenario> {
        let catalogue = Catalogue::from(self.subject.entry.clone());
        let seed = world.saturating_add(1);
        (0..ATTEMPT_COUNT_MAX).find_map(|attempt| {
            let mut rng = Rng::from_bits(self.seed);
            let [worlds, attempts] = [rng.bits(), rng.bits()];
            let bits = world.wrapping_mul(worlds | 1) ^ attempt.wrapping_mul(attempts | 1);
            let text = self.subject.text(self.class, self.faulty, bits, seed);
            let path = format!("{}-{world}.toml", self.name());
            Scenario::parse(&path, &text, &catalogue).ok()
        })
    }

    /// A name for files.
    pub fn name(&self) -> String {
        let Self { subject, class, faulty, .. } = self;
        match class.is_of_processes() {
            true => format!("{}-{class}-{faulty}", subject.entry.name),
            false => format!("{}-{class}", subject.entry.name),
        }
    }

    /// Why there is nothing to run.
    fn refusal(&self) -> Option<String> {
        let Subject { entry, model, candidates, .. } = self.subject;
        let is_too_many = self.class.is_of_processes() && self.faulty as usize > candidates.len();
        let foreign = self.class.is_foreign_to(entry, model).map(str::to_owned);
        foreign.or_else(|| {
            is_too_many.then(|| format!("only {} of its processes can be faulty", candidates.len()))
        })
    }

    /// Runs the worlds. The row does not depend on the number of threads. `None` if it was
    /// interrupted.
    ///
    /// # Errors
    /// If ftsim itself fails.
    pub fn row(&self, effort: &Effort<'_>) -> Result<Option<Row>, InternalError> {
        let Subject { entry, setting, candidates, .. } = self.subject;
        let faulty = self.class.is_of_processes().then_some(self.faulty);
        let mut row = Row::empty(self.index, entry.name, (self.class, faulty));
        row.processes = setting.n;
        row.candidates = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
        let is_accepted = || self.scenario(0).is_some();
        let refused = || (!is_accepted()).then(|| "no such scenario is accepted".to_owned());
        row.why = self.refusal().or_else(refused);
        if row.why.is_some() {
            (effort.done)(self.world_count);
            return Ok(Some(row));
        }
        let Some(runs) = self.runs(effort)? else { return Ok(None) };
        row.add(runs.into_iter().filter_map(|(world, seen)| Some((world, seen?))));
        row.add_exploration(self.explore.and_then(|runs| explored::explored(self, runs, effort)));
        Ok(Some(row).filter(|_| !effort.halt.load(Ordering::Relaxed)))
    }

    /// What each world shows, or `None` for one that was refused.
    fn runs(
        &self,
        effort: &Effort<'_>,
    ) -> Result<Option<BTreeMap<u64, Option<Seen>>>, InternalError> {
        let next = AtomicU64::new(0);
        let all = Mutex::new(BTreeMap::new());
        let work = || {
            while !effort.halt.load(Ordering::Relaxed) {
                let world = next.fetch_add(1, Ordering::Relaxed);
                if world >= self.world_count {
                    return;
                }
                let seen = self.scenario(world).map(|scenario| run(&scenario, world + 1));
                let seen = seen.transpose().map(|outcome| outcome.as_ref().map(Seen::of));
                if seen.is_err() {
                    next.store(self.world_count, Ordering::Relaxed);
                }
                all.lock().unwrap_or_else(PoisonError::into_inner).insert(world, seen);
                (effort.done)(1);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..effort.jobs.max(1) {
                scope.spawn(work);
            }
        });
        if effort.halt.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
        let seen = all.into_iter().map(|(world, seen)| Ok((world, seen?)));
        seen.collect::<Result<_, _>>().map(Some)
    }
}
