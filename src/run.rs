//! `ftsim run`: scenarios over their seeds, against what they expect.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use ftsim_protocols::Catalogue;
use ftsim_reports::{ScenarioReport, SeedRange, write_json, write_scenario_figures, write_text};

use crate::audited_run;
use crate::cli::{Exit, Failure, Format, Out, jobs, load_all};
use crate::judge;
use crate::progress::Progress;
use crate::regression::{self, Regressions};
use crate::scenario::Scenario;
use crate::seeds::Seeds;
use crate::sweep::{self, Repeat};

/// What `ftsim run` is told.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Run these scenario files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Run seeds 1 to N, or A..B without B; default: as the scenario says
    #[arg(long, value_name = "N | A..B")]
    pub seeds: Option<Seeds>,
    /// Run seed S alone
    #[arg(long, value_name = "S", conflicts_with = "seeds")]
    pub seed: Option<u64>,
    /// Write the results as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Show how processes and operations fared: MTTF, MTTR, availability, latency
    #[arg(long)]
    pub figures: bool,
    /// Run on N threads; default: one for each processor. The results do not depend on it
    #[arg(long, short, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Execute every run twice, and end at the first that is not the same
    #[arg(long)]
    pub check_determinism: bool,
    /// Audit the trace of every run; what is found is a defect of ftsim (status 70)
    #[arg(long)]
    pub audit: bool,
}

pub fn run(args: &RunArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let (scenarios, bad_input) = load_all(&args.files, catalogue);
    let seeds_of = |scenario: &Scenario| match (args.seed, &args.seeds) {
        (Some(seed), _) => seed..seed.saturating_add(1),
        (None, Some(seeds)) => seeds.0.clone(),
        (None, None) => scenario.own_seeds(),
    };
    let total = scenarios.iter().map(|scenario| seeds_of(scenario).count_u64()).sum();
    let progress = Progress::new(total);
    let repeat = if args.check_determinism { Repeat::Twice } else { Repeat::Once };
    let mut reports = Vec::new();
    let mut is_sound = true;
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
        if args.audit {
            let audit = audited_run::audit_seeds(scenario, seeds, jobs(args.jobs))?;
            is_sound &= audited_run::tell(&scenario.path, &audit);
        }
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
    if !is_sound {
        return Ok(Exit::Internal);
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
