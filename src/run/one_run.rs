//! The options that select one run: a scenario or a repro, a seed, a crash point.

use std::path::PathBuf;

use clap::Args;
use ftsim_core::{Outcome, RunRequest, Trace};
use ftsim_protocols::Catalogue;

use crate::cli::{complain, load, tell};
use crate::run;
use crate::run::InternalError;
use crate::scenario::Scenario;
use crate::scenario::crash_point::CrashPoint;
use crate::scenario::repro::Repro;
use crate::scenario::seeds;

/// Arguments that select a run.
#[derive(Debug, Args)]
pub(crate) struct OneRunArgs {
    /// A scenario file or a repro
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Select the run of seed S; default: the repro's seed
    #[arg(long, value_name = "S", value_parser = seeds::seed)]
    pub seed: Option<u64>,
    /// Crash process P after its Nth effect, in a scenario that runs every crash point; without the
    /// crash, the process must have that many effects
    #[arg(long, value_name = "P:N")]
    pub crash_point: Option<CrashPoint>,
}

impl OneRunArgs {
    /// The scenario; `None`, after an error message, if it is unusable or has no such crash point.
    pub fn scenario(&self, catalogue: &Catalogue) -> Option<Scenario> {
        let scenario = load(&self.file, catalogue).map_err(|problems| tell(&problems)).ok()?;
        if let Some(point) = self.crash_point
            && !scenario.has_crash_point(point)
        {
            complain(&format!("{} has no crash point {point}", scenario.path));
            return None;
        }
        Some(scenario)
    }

    /// The run; `None`, after an error message, if there is no such run.
    ///
    /// # Errors
    /// If ftsim itself fails.
    pub fn open(&self, catalogue: &Catalogue) -> Result<Option<OneRun>, InternalError> {
        let Some(scenario) = self.scenario(catalogue) else { return Ok(None) };
        let Some(seed) = self.seed.or(scenario.only_seed()) else {
            complain(&format!("{} is not a repro and has many seeds: add --seed S", scenario.path));
            return Ok(None);
        };
        if let Some(point) = self.crash_point
            && let Err(missing) = run::find_crash_point(&scenario, seed, point)?
        {
            complain(&missing.to_string());
            return Ok(None);
        }
        Ok(Some(OneRun { seed, scenario, point: self.crash_point }))
    }
}

/// A run that can be executed.
pub(crate) struct OneRun {
    pub scenario: Scenario,
    pub seed: u64,
    pub point: Option<CrashPoint>,
}

impl OneRun {
    /// Executes the run and records it.
    pub fn record(&self) -> Result<(Outcome, Trace), InternalError> {
        run::record(&self.scenario, self.request()?)
    }

    /// The request for the run.
    ///
    /// # Errors
    /// If ftsim itself fails.
    pub fn request(&self) -> Result<RunRequest, InternalError> {
        run::request(&self.scenario, self.seed, self.point)
    }

    /// The repro of this run, if the file is one.
    pub fn repro(&self) -> Option<&Repro> {
        let repro = self.scenario.repro.as_ref();
        repro.filter(|repro| repro.seed == self.seed && self.point.is_none())
    }
}
