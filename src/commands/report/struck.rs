//! Which faults struck whom, how often, and what the victims had done last. All runs say how often;
//! what the victims had done is read from the traces of the first runs, which are run again.

use std::collections::BTreeMap;
use std::ops::Range;

use ftsim_core::ProcessId;
use ftsim_reports::{FaultRow, Phase, StruckFaults};

use crate::run::strikes::{Strike, strikes};
use crate::run::{InternalError, guarded, prepare, runs_of};
use crate::scenario::Scenario;
use crate::sweep::fault_counts::FaultCounts;

/// The maximum number of runs that are run again.
const RUN_COUNT_MAX: u64 = 100;
/// The number of entries in their traces after which no further one is run again.
const ENTRY_COUNT_MAX: usize = 200_000;
/// The maximum number of processes that are shown one by one; more of them are shown by role.
const PROCESS_COUNT_MAX: u32 = 8;

/// The faults of the runs with these seeds; `None` if no fault was planned.
///
/// # Errors
/// If ftsim itself fails.
pub fn struck(
    scenario: &Scenario,
    seeds: Range<u64>,
    counts: &FaultCounts,
) -> Result<Option<StruckFaults>, InternalError> {
    if counts.is_empty() {
        return Ok(None);
    }
    let mut rows: BTreeMap<(String, String), FaultRow> = BTreeMap::new();
    for (kind, victim, count) in counts.iter() {
        let Some(victim) = name(scenario, victim) else { continue };
        let row = rows.entry((kind.to_owned(), victim)).or_default();
        row.planned = row.planned.saturating_add(count.planned);
        row.struck = row.struck.saturating_add(count.struck);
    }
    let Sample { runs: sampled, faults, strikes, .. } = sample(scenario, seeds)?;
    let mut effective: BTreeMap<(&str, Option<ProcessId>), u64> = BTreeMap::new();
    for Strike { kind, victim, led, phase } in strikes {
        *effective.entry((kind, victim)).or_default() += 1;
        let Some(victim) = name(scenario, victim) else { continue };
        let row = rows.entry((kind.to_owned(), victim)).or_default();
        row.led += u64::from(led);
        *row.phases.entry(phase).or_default() += 1;
    }
    for (kind, victim, count) in faults.iter() {
        let effective = effective.get(&(kind, victim)).copied().unwrap_or(0);
        let Some(rest) = count.struck.checked_sub(effective).filter(|rest| *rest > 0) else {
            continue;
        };
        let Some(victim) = name(scenario, victim) else { continue };
        let row = rows.entry((kind.to_owned(), victim)).or_default();
        *row.phases.entry(Phase::WITHOUT_EFFECT).or_default() += rest;
    }
    let named = |((kind, victim), row)| FaultRow { kind, victim, ..row };
    Ok(Some(StruckFaults { rows: rows.into_iter().map(named).collect(), sampled }))
}

/// The first runs.
#[derive(Default)]
struct Sample {
    /// Their number.
    runs: u64,
    /// The number of entries in their traces.
    entries: usize,
    /// Their faults.
    faults: FaultCounts,
    /// Those that had an effect.
    strikes: Vec<Strike>,
}

fn sample(scenario: &Scenario, seeds: Range<u64>) -> Result<Sample, InternalError> {
    let mut sample = Sample::default();
    let mut runner = None;
    for seed in seeds {
        for (_, request) in runs_of(scenario, seed)? {
            if sample.runs >= RUN_COUNT_MAX || sample.entries >= ENTRY_COUNT_MAX {
                return Ok(sample);
            }
            let (outcome, trace) = guarded(scenario, seed, || {
                let runner = match &mut runner {
                    Some(runner) => runner,
                    none => none.insert(prepare(scenario, seed)?),
                };
                Ok(runner.record(request))
            })?;
            sample.runs += 1;
            sample.entries += trace.entries.len();
            sample.faults.add(&outcome);
            sample.strikes.extend(strikes(&outcome.plan, &trace));
        }
    }
    Ok(sample)
}

/// The name of a victim; `None` for the second copy of a process.
fn name(scenario: &Scenario, victim: Option<ProcessId>) -> Option<String> {
    let Some(p) = victim else { return Some("network".to_owned()) };
    let setting = &scenario.experiment.setting;
    if p.0 >= setting.n {
        return None;
    }
    let role = setting.roles.iter().find(|(role, _)| setting.has_role(p, role));
    let role = role.map(|(role, _)| role).filter(|_| setting.roles.len() > 1);
    Some(match role {
        Some(role) if setting.n > PROCESS_COUNT_MAX => role.clone(),
        Some(role) => format!("{p}, {role}"),
        None if setting.n > PROCESS_COUNT_MAX => "any process".to_owned(),
        None => p.to_string(),
    })
}
