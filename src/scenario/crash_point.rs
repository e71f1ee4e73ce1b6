//! Single crash points: one run for each place at which one process can crash.

use std::fmt;
use std::str::FromStr;

use ftsim_core::fault::{Action, Crash, Fault, Plan, Trigger};
use ftsim_core::{Duration, ProcessId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// That every single crash point of a seed is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EveryCrashPoint {
    /// How long the process stays down; for good, if `None`.
    pub recover_after: Option<Duration>,
}

/// Right after the `nth` effect of a process: `p0:7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashPoint {
    /// Which process.
    pub process: ProcessId,
    /// Which of its effects, counted from 1.
    pub nth: u64,
}

/// A crash point that a seed does not have.
#[derive(Debug, thiserror::Error)]
#[error(
    "{path}: {process} has {effects} effects in seed {seed}: there is no crash point {point}",
    process = .point.process
)]
pub struct NoSuchPoint {
    /// The scenario.
    pub path: String,
    /// The seed.
    pub seed: u64,
    /// The point.
    pub point: CrashPoint,
    /// How many effects its process has in that seed, without a crash.
    pub effects: u64,
}

impl EveryCrashPoint {
    /// The scripted plan with the crash at this point after it.
    pub fn plan(self, scripted: &Plan, point: CrashPoint) -> Plan {
        let CrashPoint { process, nth } = point;
        let crash = Crash { recover_after: self.recover_after, ..Crash::default() };
        let trigger = Trigger::AfterEffect { process, nth };
        let mut plan = scripted.clone();
        plan.faults.push(Fault { trigger, action: Action::Crash(process, crash) });
        plan
    }
}

impl fmt::Display for CrashPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.process, self.nth)
    }
}

impl FromStr for CrashPoint {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let point = text.split_once(':').and_then(|(process, nth)| {
            let nth = nth.parse().ok().filter(|nth| *nth > 0)?;
            Some(Self { process: process.parse().ok()?, nth })
        });
        point.ok_or("expected a process and the number of its effect, such as p0:7")
    }
}

impl Serialize for CrashPoint {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CrashPoint {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}
