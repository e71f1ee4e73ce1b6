//! `ftsim run`: scenarios over their seeds, against what they expect.

use std::num::NonZeroUsize;

use ftsim_protocols::Catalogue;
use ftsim_reports::{ScenarioReport, SeedRange, write_json, write_scenario_figures, write_text};

use crate::cli::{Exit, Failure, Format, Out, RunArgs, first_seeds, load, show};
use crate::progress::Progress;
use crate::{judge, sweep};

pub fn run(args: &RunArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let mut scenarios = Vec::new();
    let mut bad_input = false;
    for path in &args.files {
        match load(path, catalogue) {
            Ok(scenario) => scenarios.push(scenario),
            Err(diagnostics) => {
                bad_input = true;
                show(&diagnostics);
            }
        }
    }
    let seeds_of = |scenario: &crate::scenario::Scenario| match (args.seed, &args.seeds) {
        // One seed stands for all of its crash points.
        (None, None) if scenario.crash_points.is_some() => first_seeds(1),
        (Some(seed), _) => seed..seed.saturating_add(1),
        (None, Some(seeds)) => seeds.0.clone(),
        (None, None) => first_seeds(scenario.seed_count),
    };
    let available = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let jobs = args.jobs.map_or_else(available, NonZeroUsize::get);
    let total = scenarios.iter().map(|scenario| seeds_of(scenario).count_u64()).sum();
    let progress = Progress::new(total);
    let mut reports = Vec::new();
    for scenario in &scenarios {
        let seeds = seeds_of(scenario);
        progress.begin(&scenario.path);
        let tally = sweep::sweep(scenario, seeds.clone(), jobs, &|count| progress.done(count))?;
        let range = SeedRange { from: seeds.start, until: seeds.end };
        reports.push(judge::report(scenario, range, &tally));
    }
    progress.finish();
    match args.format {
        Format::Text => {
            write_text(out, &reports)?;
            if args.figures {
                write_scenario_figures(out, &reports)?;
            }
        }
        Format::Json => write_json(out, &reports)?,
    }
    Ok(if bad_input { Exit::BadInput } else { exit(&reports) })
}

fn exit(reports: &[ScenarioReport]) -> Exit {
    let mut surprising = reports.iter().filter(|report| !report.as_expected).peekable();
    if surprising.peek().is_none() {
        Exit::Good
    } else if surprising.all(ScenarioReport::is_only_undecided) {
        Exit::Undecided
    } else {
        Exit::Unexpected
    }
}

trait CountU64 {
    fn count_u64(&self) -> u64;
}

impl CountU64 for std::ops::Range<u64> {
    fn count_u64(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}
