//! `ftsim run`: scenarios over their seeds, against what they expect.

use ftsim_protocols::Catalogue;
use ftsim_reports::{ScenarioReport, SeedRange, write_json, write_scenario_figures, write_text};

use crate::cli::{Exit, Failure, Format, Out, RunArgs, jobs, load_all};
use crate::judge;
use crate::progress::Progress;
use crate::regression::{self, Regressions};
use crate::sweep::{self, Repeat};

pub fn run(args: &RunArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let (scenarios, bad_input) = load_all(&args.files, catalogue);
    let seeds_of = |scenario: &crate::scenario::Scenario| match (args.seed, &args.seeds) {
        (Some(seed), _) => seed..seed.saturating_add(1),
        (None, Some(seeds)) => seeds.0.clone(),
        (None, None) => scenario.own_seeds(),
    };
    let total = scenarios.iter().map(|scenario| seeds_of(scenario).count_u64()).sum();
    let progress = Progress::new(total);
    let repeat = if args.check_determinism { Repeat::Twice } else { Repeat::Once };
    let mut reports = Vec::new();
    for scenario in &scenarios {
        let seeds = seeds_of(scenario);
        progress.begin(&scenario.path);
        let regressions = Regressions::of(scenario)?.run(scenario, repeat)?;
        let done = |count| progress.done(count);
        let tally = sweep::sweep_repeated(scenario, seeds.clone(), jobs(args.jobs), repeat, &done)?;
        let range = SeedRange { from: seeds.start, until: seeds.end };
        let mut report = judge::report(scenario, range, &tally);
        regression::add(&mut report, scenario, &regressions);
        reports.push(report);
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
    let reports: Vec<&ScenarioReport> = reports.iter().collect();
    Ok(if bad_input { Exit::BadInput } else { judge::exit(&reports) })
}

trait CountU64 {
    fn count_u64(&self) -> u64;
}

impl CountU64 for std::ops::Range<u64> {
    fn count_u64(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}
