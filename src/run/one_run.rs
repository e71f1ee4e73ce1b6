//! One run, as it is asked for: a scenario or a repro, a seed, a crash point.

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

/// Which run.
#[derive(Debug, Args)]
pub(crate) struct OneRunArgs {
    /// A scenario file, or a repro
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Take the run of seed S; default: the one of the repro
    #[arg(long, value_name = "S", value_parser = seeds::seed)]
    pub seed: Option<u64>,
    /// Crash process P after its Nth effect, in a scenario that runs every crash point; the run
    /// without that crash must have this effect
    #[arg(long, value_name = "P:N")]
    pub crash_point: Option<CrashPoint>,
}

impl OneRunArgs {
    /// The scenario; `None` if it cannot be used or has no such crash point, which was told.
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

    /// The run; `None` if there is none, which was told.
    ///
    /// # Errors
    /// When ftsim itself fails.
    pub fn open(&self, catalogue: &Catalogue) -> Result<Option<OneRun>, InternalError> {
        let Some(scenario) = self.scenario(catalogue) else { return Ok(None) };
        let Some(seed) = self.seed.or(scenario.only_seed()) else {
            complain(&format!("{} is no repro and has many seeds: write --seed S", scenario.path));
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

/// A run that can be made.
pub(crate) struct OneRun {
    pub scenario: Scenario,
    pub seed: u64,
    pub point: Option<CrashPoint>,
}

impl OneRun {
    /// Makes the run and records it.
    pub fn record(&self) -> Result<(Outcome, Trace), InternalError> {
        run::record(&self.scenario, self.request()?)
    }

    /// The run itself.
    ///
    /// # Errors
    /// When ftsim itself fails.
    pub fn request(&self) -> Result<RunRequest, InternalError> {
        run::request(&self.scenario, self.seed, self.point)
    }

    /// The repro that this run is of.
    pub fn repro(&self) -> Option<&Repro> {
        let repro = self.scenario.repro.as_ref();
        repro.filter(|repro| repro.seed == self.seed && self.point.is_none())
    }
}
