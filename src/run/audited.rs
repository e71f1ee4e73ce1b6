//! Recorded and audited runs: every seed of a scenario, on several threads.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ftsim_core::{Outcome, RunRequest, Runner, Trace};

use crate::audit::{Finding, Subject, audit};
use crate::cli::complain;
use crate::run::{InternalError, guarded, prepare, runs_of};
use crate::scenario::Scenario;
use crate::scenario::crash_point::CrashPoint;

/// The maximum number of runs with findings that are reported per scenario.
const TOLD_COUNT_MAX: usize = 20;

/// The auditor's results for the runs of a scenario.
#[derive(Debug, Default)]
pub struct Audit {
    /// The number of audited runs.
    pub run_count: u64,
    /// The number of runs longer than the longest trace: only their beginnings were audited.
    pub truncated_count: u64,
    /// The number of runs with findings.
    pub wrong_count: u64,
    /// The first runs with findings.
    pub wrong: Vec<WrongRun>,
}

/// A run with findings.
#[derive(Debug)]
pub struct WrongRun {
    /// The seed.
    pub seed: u64,
    /// The crash point, if every crash point is run.
    pub point: Option<CrashPoint>,
    /// The findings, in the order of the trace.
    pub findings: Vec<Finding>,
}

/// Audits the trace of a run of this scenario, or of one of its crash points.
pub fn findings(
    scenario: &Scenario,
    point: Option<CrashPoint>,
    outcome: &Outcome,
    trace: &Trace,
) -> Vec<Finding> {
    let subject = Subject {
        experiment: &scenario.experiment,
        faults: scenario.resolved.model.faults,
        seed: outcome.seed,
        plan: &outcome.plan,
        is_drawn: point.is_none(),
        correct: &outcome.correct,
        ended_at: outcome.at,
        cause: outcome.cause,
    };
    audit(&subject, trace)
}

/// Records and audits these seeds on this many threads; each of them at every crash point if the
/// scenario says so. The result does not depend on the number of threads.
///
/// # Errors
/// If ftsim itself fails.
pub fn audit_seeds(
    scenario: &Scenario,
    seeds: Range<u64>,
    jobs: usize,
) -> Result<Audit, InternalError> {
    let count = seeds.end.saturating_sub(seeds.start);
    let next = AtomicU64::new(0);
    let all = Mutex::new(Vec::new());
    let work = || {
        let mut runner = None;
        loop {
            let offset = next.fetch_add(1, Ordering::Relaxed);
            if offset >= count {
                return;
            }
            let audited = audit_seed(scenario, &mut runner, seeds.start + offset);
            let is_wrong = audited.is_err();
            all.lock().unwrap_or_else(PoisonError::into_inner).push((offset, audited));
            if is_wrong {
                // The other threads stop after their current seeds.
                next.store(count, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(work);
        }
    });
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort_by_key(|(offset, _)| *offset);
    let mut total = Audit::default();
    for (_, audited) in all {
        total.append(audited?);
    }
    Ok(total)
}

/// Reports the findings for the scenario in this file on stderr. Returns whether there were none.
pub(crate) fn tell(path: &str, audit: &Audit) -> bool {
    for WrongRun { seed, point, findings } in &audit.wrong {
        let point = point.map(|point| format!(", crash point {point}")).unwrap_or_default();
        for finding in findings {
            complain(&format!("audit: {path}, seed {seed}{point}: {finding}"));
        }
    }
    let Audit { run_count, truncated_count, wrong_count, .. } = audit;
    if *wrong_count > 0 {
        complain(&format!(
            "audit: {path}: {wrong_count} of {run_count} runs show a defect of ftsim, not of the \
             protocol"
        ));
    }
    if *truncated_count > 0 {
        complain(&format!(
            "audit: {path}: {truncated_count} of {run_count} runs exceed the maximum length of \
             a trace; only their beginnings were audited"
        ));
    }
    *wrong_count == 0
}

fn audit_seed(
    scenario: &Scenario,
    runner: &mut Option<Runner>,
    seed: u64,
) -> Result<Audit, InternalError> {
    let mut audit = Audit::default();
    for (point, request) in runs_of(scenario, seed)? {
        audit.add(scenario, runner, point, request)?;
    }
    Ok(audit)
}

impl Audit {
    fn add(
        &mut self,
        scenario: &Scenario,
        runner: &mut Option<Runner>,
        point: Option<CrashPoint>,
        request: RunRequest,
    ) -> Result<(), InternalError> {
        let seed = request.seed;
        let (outcome, trace) = guarded(scenario, seed, || {
            let runner = match runner {
                Some(runner) => runner,
                None => runner.insert(prepare(scenario, seed)?),
            };
            Ok(runner.record(request))
        })?;
        self.append(Self::of(scenario, point, &outcome, &trace));
        Ok(())
    }

    /// Audits one run of this scenario, or of one of its crash points.
    pub fn of(
        scenario: &Scenario,
        point: Option<CrashPoint>,
        outcome: &Outcome,
        trace: &Trace,
    ) -> Self {
        let findings = findings(scenario, point, outcome, trace);
        let (seed, is_wrong) = (outcome.seed, !findings.is_empty());
        let wrong = is_wrong.then_some(WrongRun { seed, point, findings });
        Self {
            run_count: 1,
            truncated_count: u64::from(trace.truncated),
            wrong_count: u64::from(is_wrong),
            wrong: wrong.into_iter().collect(),
        }
    }

    fn append(&mut self, next: Self) {
        self.run_count += next.run_count;
        self.truncated_count += next.truncated_count;
        self.wrong_count += next.wrong_count;
        self.wrong.extend(next.wrong);
        self.wrong.truncate(TOLD_COUNT_MAX);
    }
}
