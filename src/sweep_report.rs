//! What a sweep tells: its account as a report, its exit status, its repros.

use ftsim_reports::{
    ExampleRow, GroupRow, Rate, RateRow, ScenarioReport, SeedRange, SurpriseKind, SweepReport,
};

use crate::cli::Exit;
use crate::divergence::{Differs, Divergence};
use crate::judge;
use crate::regression;
use crate::repro;
use crate::results::{Account, Header};
use crate::scenario::Scenario;
use crate::sweep::{self, RunError};

/// Which seeds a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All that were asked for.
    Whole,
    /// Some of them: what no seed has shown, another may show.
    Part,
}

impl Scope {
    /// Whether all is done that was asked for.
    pub fn of(header: &Header, account: &Account) -> Self {
        let whole = header.shard.is_none() && account.next == header.seeds.until;
        if whole { Self::Whole } else { Self::Part }
    }
}

/// The report of a sweep.
pub fn report(scenario: &Scenario, header: &Header, account: &Account) -> SweepReport {
    let seeds = SeedRange { from: header.part().start, until: account.next };
    let mut counted = judge::report(scenario, seeds, &account.tally);
    counted.digest = account.digest().to_string();
    // The lines of a sweep have counts only.
    counted.figures = None;
    if Scope::of(header, account) == Scope::Part {
        counted.surprises.retain(|surprise| !needs_all_seeds(surprise.kind));
        counted.as_expected = counted.surprises.is_empty();
    }
    regression::add(&mut counted, scenario, &account.regressions);
    let total = account.tally.seed_count;
    let rate = |row: &ftsim_reports::PropertyRow| RateRow {
        property: row.name,
        held: Rate::new(row.held, total),
        violated: Rate::new(row.violated, total),
        undecided: Rate::new(row.undecided, total),
    };
    SweepReport {
        name: header.scenario.clone(),
        ftsim: header.ftsim.clone(),
        asked: SeedRange { from: header.seeds.from, until: header.seeds.until },
        shard: header.shard.map(|shard| shard.to_string()),
        rates: counted.properties.iter().map(rate).collect(),
        scenario: counted,
        failing: account.failing,
        unexpected: account.unexpected,
        groups: groups(account),
    }
}

/// Whether another seed could take it back.
const fn needs_all_seeds(kind: SurpriseKind) -> bool {
    match kind {
        SurpriseKind::NotViolated
        | SurpriseKind::NotUndecided
        | SurpriseKind::NotExercised
        | SurpriseKind::NotReached
        | SurpriseKind::Unfired => true,
        SurpriseKind::Panicked
        | SurpriseKind::Violated
        | SurpriseKind::Undecided
        | SurpriseKind::Exercised => false,
    }
}

fn groups(account: &Account) -> Vec<GroupRow> {
    let row = |((property, signature), group): (&(String, String), &crate::results::Group)| {
        let examples = group.examples.iter().map(|example| ExampleRow {
            seed: example.seed,
            crash_point: example.crash_point.map(|point| point.to_string()),
            message: example.message.clone(),
            repro: format!("repros/{}", example.repro_name()),
        });
        GroupRow {
            property: property.clone(),
            signature: signature.clone(),
            expected: group.expected,
            runs: group.runs,
            examples: examples.collect(),
        }
    };
    let mut rows: Vec<GroupRow> = account.groups.iter().map(row).collect();
    rows.sort_by_key(|row| row.expected);
    rows
}

/// The repro files of an account's examples, by name; each is run again for its plan, and found to
/// do the same.
///
/// # Errors
/// When ftsim fails, or a run does something else than before.
pub fn repros(
    scenario: &Scenario,
    header: &Header,
    account: &Account,
) -> Result<Vec<(String, String)>, RunError> {
    let (from, until) = (header.seeds.from, header.seeds.until);
    let file = ftsim_reports::shell_word(&header.file);
    let command = format!("ftsim sweep {file} --seeds {from}..{until}");
    let mut files = Vec::new();
    for example in account.examples() {
        let (seed, crash_point) = (example.seed, example.crash_point);
        let recorded = sweep::record_either(scenario, seed, crash_point)?;
        let digest = recorded.0.digest.to_string();
        if digest != example.digest {
            let differs = Differs::Digest(example.digest.clone(), digest);
            let path = scenario.path.clone();
            let divergence = Divergence { path, seed, crash_point, differs };
            return Err(RunError::Diverged(Box::new(divergence)));
        }
        let text = repro::text(scenario, &command, &recorded)?;
        files.push((example.repro_name(), text));
    }
    Ok(files)
}

/// The exit status that these sweeps have.
pub fn exit(reports: &[SweepReport]) -> Exit {
    let scenarios: Vec<&ScenarioReport> = reports.iter().map(|report| &report.scenario).collect();
    judge::exit(&scenarios)
}
