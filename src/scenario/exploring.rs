//! `[explore]`: how `ftsim explore` explores a scenario.

use ftsim_core::explore::Time;
use ftsim_core::explore::budget::STEP_COUNT_MAX;

use super::file::{Count, ExploreFile, ExploreTimeFile};
use super::problems::Problems;

/// What a scenario says about its exploration; what it does not say follows from the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exploring {
    /// Crashes in a run.
    pub crashes: Option<u32>,
    /// Recoveries in a run.
    pub recoveries: Option<u32>,
    /// Lost messages in a run.
    pub losses: Option<u32>,
    /// Messages that arrive twice in a run.
    pub duplicates: Option<u32>,
    /// Wrong suspicions in a run.
    pub suspicions: Option<u32>,
    /// Early timeouts of each process.
    pub timeouts: Option<u32>,
    /// Draws of each process that are chosen.
    pub coins: Option<u32>,
    /// Draws of the clients that are chosen.
    pub votes: Option<u32>,
    /// Steps after which a run is cut off.
    pub steps: Option<u32>,
    /// How time passes.
    pub time: Option<Time>,
}

pub fn exploring(problems: &mut Problems<'_>, file: &ExploreFile) -> Exploring {
    let mut count = |key: &str, count: Option<Count>, min: u32| {
        let Count(given) = count?;
        let fits = u32::try_from(given).ok().filter(|n| (min..=STEP_COUNT_MAX).contains(n));
        if fits.is_none() {
            problems
                .value(&format!("explore.{key}"), format!("{given} is out of range"))
                .label(format!("expected {min} to {STEP_COUNT_MAX}"));
        }
        fits
    };
    Exploring {
        crashes: count("crashes", file.crashes, 0),
        recoveries: count("recoveries", file.recoveries, 0),
        losses: count("losses", file.losses, 0),
        duplicates: count("duplicates", file.duplicates, 0),
        suspicions: count("suspicions", file.suspicions, 0),
        timeouts: count("timeouts", file.timeouts, 0),
        coins: count("coins", file.coins, 0),
        votes: count("votes", file.votes, 0),
        steps: count("steps", file.steps, 1),
        time: file.time.map(|time| match time {
            ExploreTimeFile::Free => Time::Free,
            ExploreTimeFile::Lockstep => Time::Lockstep,
        }),
    }
}
