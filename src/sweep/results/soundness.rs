//! Validates lines of results, because readers add them up, and a file may have been damaged or
//! edited by hand.

use std::collections::BTreeMap;

use ftsim_reports::SeedRange;

use super::place::check_name;
use super::{BLOCK, BlockLine, Header, RegressionLine, SCHEMA};
use crate::journal::{VERSION, other_version};
use crate::run::failing_run::{FailingRun, signature};
use crate::scenario::PANICKED;
use crate::scenario::Scenario;
use crate::sweep::tally::{Example, PropertyTally};

/// The reason why a line is invalid.
type Wrong = String;

/// Checks a header of this version.
pub fn header(header: &Header) -> Result<(), Wrong> {
    if header.ftsim != VERSION {
        return Err(other_version(&header.ftsim));
    }
    if header.schema != SCHEMA {
        return Err(format!("its format is {}, not {SCHEMA}", header.schema));
    }
    if let Err(why) = check_name(&header.scenario) {
        return Err(format!("no scenario can be called {:?}: {why}", header.scenario));
    }
    digest(&header.digest)?;
    let SeedRange { from, until } = header.seeds;
    if from > until {
        return Err(format!("{from}..{until} is not a range of seeds"));
    }
    if header.block != BLOCK {
        return Err(format!("blocks of {} seeds; ftsim writes blocks of {BLOCK}", header.block));
    }
    Ok(())
}

/// Checks the result of a regression seed; `is_first` if no run or block precedes it.
pub fn regression(
    header: &Header,
    scenario: &Scenario,
    is_first: bool,
    line: &RegressionLine,
) -> Result<(), Wrong> {
    let seed = line.seed;
    if !is_first || header.shard.is_some_and(|shard| shard.index != 1) {
        return Err(format!("regression seed {seed} is not at the beginning of the sweep"));
    }
    if line.crash_point.is_some() != scenario.crash_points.is_some() {
        return Err(crash_point_misplaced(seed, line.crash_point.is_some()));
    }
    line.now.iter().try_for_each(|property| known(scenario, property))
}

/// Checks a failing run; `before` is the previous one in the same block.
pub fn failing(
    scenario: &Scenario,
    before: Option<&FailingRun>,
    run: &FailingRun,
) -> Result<(), Wrong> {
    let FailingRun { seed, crash_point, failures, .. } = run;
    digest(&run.digest)?;
    if crash_point.is_some() != scenario.crash_points.is_some() {
        return Err(crash_point_misplaced(*seed, crash_point.is_some()));
    }
    if let Some(before) = before {
        let again = before.seed == *seed && before.crash_point == *crash_point;
        if before.seed > *seed || again {
            return Err(format!("seed {seed} after seed {}", before.seed));
        }
    }
    if failures.is_empty() {
        return Err(format!("seed {seed} has no failures"));
    }
    for (index, failed) in failures.iter().enumerate() {
        let property = &failed.property;
        known(scenario, property)?;
        if failures[..index].iter().any(|before| before.property == *property) {
            return Err(format!("seed {seed} violates {property} twice"));
        }
        let expected = scenario.expect.tolerates(property);
        if failed.expected != expected {
            let not = if expected { "" } else { "not " };
            return Err(format!("a violation of {property} is {not}expected by the scenario"));
        }
        let n = scenario.experiment.setting.n;
        if let Some(stranger) = failed.witnesses.iter().find(|witness| witness.0 >= n) {
            return Err(format!("there is no process {stranger}"));
        }
        if failed.signature != signature(&failed.message, failed.witnesses.len()) {
            return Err(format!("the signature of {property} is not that of its message"));
        }
    }
    Ok(())
}

/// Checks a block that begins with the right seed against its failing runs.
pub fn block(
    header: &Header,
    scenario: &Scenario,
    failing: &[FailingRun],
    block: &BlockLine,
) -> Result<(), Wrong> {
    seeds(header, failing, block.seeds)?;
    let (SeedRange { from, until }, runs) = (block.seeds, block.runs);
    if scenario.crash_points.is_none() && runs != until - from {
        return Err(format!("{runs} runs of {} seeds", until - from));
    }
    digest(&block.digest)?;
    if failing.len() as u64 > runs {
        return Err(format!("{} of {runs} runs failed", failing.len()));
    }
    let found = |name: &str| {
        let runs = failing.iter().filter(|run| run.failures.iter().any(|f| f.property == name));
        runs.count() as u64
    };
    for (name, tally) in &block.properties {
        property(scenario, name, tally, block)?;
        if tally.violated != found(name) {
            let (said, found) = (tally.violated, found(name));
            return Err(format!(
                "{name} is violated in {said} runs, but {found} of them are listed"
            ));
        }
    }
    let missing = scenario.checked.iter().find(|p| !block.properties.contains_key(p.id.0));
    if let Some(missing) = missing.filter(|_| runs > 0) {
        return Err(format!("there are no counts for {}", missing.id));
    }
    if block.panicked != found(PANICKED) {
        let (said, found) = (block.panicked, found(PANICKED));
        return Err(format!("{said} runs panicked, but {found} of them are listed"));
    }
    example("panic", block.panicked, block.first_panic.as_ref(), block)?;
    if block.panicked > 0 && block.first_panic.is_none() {
        return Err("the first panic is missing".to_owned());
    }
    let (faults, rules) =
        (scenario.experiment.plan.faults.len(), scenario.experiment.overrides.len());
    numbered("fault", &block.unfired, faults, runs)?;
    numbered("message", &block.unused, rules, runs)?;
    let n = scenario.experiment.setting.n;
    for (kind, victim, count) in block.faults.iter() {
        if let Some(stranger) = victim.filter(|victim| victim.0 >= n) {
            return Err(format!("{kind:?} of {stranger}, and there is no such process"));
        }
        if count.struck > count.planned {
            let (struck, planned) = (count.struck, count.planned);
            return Err(format!("{kind:?} struck {struck} times and was planned {planned} times"));
        }
    }
    let too_many = block.reached.iter().find(|(_, count)| **count > runs);
    too_many.map_or(Ok(()), |(label, count)| Err(format!("{label:?} in {count} of {runs} runs")))
}

/// Checks the seeds of a block.
fn seeds(header: &Header, failing: &[FailingRun], seeds: SeedRange) -> Result<(), Wrong> {
    let (SeedRange { from, until }, end) = (seeds, header.part().end);
    let Some(length) = until.checked_sub(from).filter(|length| *length > 0) else {
        return Err(format!("a block of seeds {from}..{until}"));
    };
    if length > header.block || until > end {
        return Err(format!("a block of seeds {from}..{until}, where {end} ends the sweep"));
    }
    if let Some(stranger) = failing.iter().find(|run| !(from..until).contains(&run.seed)) {
        return Err(format!("seed {} in a block of {from}..{until}", stranger.seed));
    }
    let ends_early = header
        .stop
        .as_ref()
        .is_some_and(|stop| failing.iter().any(|run| run.seed == until - 1 && stop.ends_at(run)));
    if length < header.block && until < end && !ends_early {
        return Err(format!("a block of {length} seeds that is not the last"));
    }
    Ok(())
}

fn property(
    scenario: &Scenario,
    name: &str,
    tally: &PropertyTally,
    block: &BlockLine,
) -> Result<(), Wrong> {
    if !scenario.checked.iter().any(|checked| checked.id.0 == name) {
        return Err(format!("the scenario does not check {name:?}"));
    }
    let PropertyTally { held, vacuous, violated, undecided, .. } = *tally;
    let counts = [held, vacuous, violated, undecided];
    let sum = counts.into_iter().try_fold(0u64, u64::checked_add);
    if sum != Some(block.runs) {
        let counts = counts.map(|count| count.to_string()).join(" + ");
        return Err(format!("{name} has {counts} verdicts of {} runs", block.runs));
    }
    let PropertyTally { first_violated, first_undecided, .. } = tally;
    if violated > 0 && first_violated.is_none() {
        return Err(format!("the first violation of {name} is missing"));
    }
    example(name, violated, first_violated.as_ref(), block)?;
    example(name, undecided, first_undecided.as_ref(), block)
}

/// Checks the first example of a count.
fn example(
    what: &str,
    count: u64,
    first: Option<&Example>,
    block: &BlockLine,
) -> Result<(), Wrong> {
    let Some(first) = first else { return Ok(()) };
    if count == 0 || !block.seeds.range().contains(&first.seed) {
        return Err(format!(
            "{what} in seed {}, which is not one of the {count} counted here",
            first.seed
        ));
    }
    Ok(())
}

/// Checks the counts of numbered items, of which there are `known`.
fn numbered(
    what: &str,
    counts: &BTreeMap<usize, u64>,
    known: usize,
    runs: u64,
) -> Result<(), Wrong> {
    for (index, count) in counts {
        if *index >= known {
            return Err(format!("there is no {what} {index}"));
        }
        if *count > runs {
            return Err(format!("{what} {index} in {count} of {runs} runs"));
        }
    }
    Ok(())
}

/// Returns an error for a property that the scenario does not have; it would become part of file
/// names.
fn known(scenario: &Scenario, property: &str) -> Result<(), Wrong> {
    let is_known =
        property == PANICKED || scenario.checked.iter().any(|checked| checked.id.0 == property);
    if is_known { Ok(()) } else { Err(format!("the scenario does not check {property:?}")) }
}

/// Returns an error for a malformed digest.
fn digest(text: &str) -> Result<(), Wrong> {
    let is_digest = text.len() == 16 && text.bytes().all(|b| b"0123456789abcdef".contains(&b));
    if is_digest { Ok(()) } else { Err(format!("{text:?} is not a digest")) }
}

fn crash_point_misplaced(seed: u64, has: bool) -> String {
    let has = if has { "has a crash point" } else { "lacks its crash point" };
    format!("seed {seed} {has}")
}
