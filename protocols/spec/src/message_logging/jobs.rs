//! The clients: inputs from the outside world, each with its way through the system.

use ftsim_core::{Ask, Duration, DurationRange, Invalid, ProcessId, Setting, Workload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MessageLogging, Request};
use crate::{draw, refuse_too_many};

/// The longest way of a job, in messages.
const HOPS_MAX: u32 = 100;

/// The jobs that the outside world hands to processes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JobWorkload {
    /// The number of jobs that each process receives.
    pub jobs: u32,
    /// The time between two jobs of a process, drawn for each.
    pub every: DurationRange,
    /// The most messages of a job; for each job, a number from 0 to this is drawn, and their
    /// receivers.
    pub hops: u32,
    /// Additional single jobs.
    pub scripted: Vec<ScriptedJob>,
}

impl Default for JobWorkload {
    fn default() -> Self {
        Self {
            jobs: 5,
            every: DurationRange { min: Duration::from_millis(1), max: Duration::from_millis(10) },
            hops: 4,
            scripted: Vec::new(),
        }
    }
}

/// One job at an exact time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptedJob {
    /// When the outside world hands it in.
    pub at: Duration,
    /// The processes that it visits, the one that receives it first.
    pub route: Vec<ProcessId>,
}

/// The clients, who know all jobs from the start.
#[derive(Clone, Debug, Hash)]
pub struct Jobs {
    n: u32,
    jobs: u32,
    every: (Duration, Duration),
    hops: u32,
    scripted: Vec<(Duration, ProcessId, Vec<ProcessId>)>,
}

impl Jobs {
    pub(super) fn new(settings: &JobWorkload, setting: &Setting) -> Result<Self, Invalid> {
        refuse_too_many("jobs", settings.jobs, setting.n as usize)?;
        if settings.hops > HOPS_MAX {
            return Err(Invalid::new("hops", format!("at most {HOPS_MAX}")));
        }
        let mut scripted = Vec::new();
        for ScriptedJob { at, route } in &settings.scripted {
            let Some((first, rest)) = route.split_first() else {
                return Err(Invalid::new("scripted", "a job visits at least one process"));
            };
            if route.len() > HOPS_MAX as usize {
                return Err(Invalid::new("scripted", format!("at most {HOPS_MAX} processes")));
            }
            if let Some(p) = route.iter().find(|p| p.0 >= setting.n) {
                return Err(Invalid::new("scripted", format!("there is no process {p}")));
            }
            if let Some((p, _)) = route.iter().zip(rest).find(|(p, q)| p == q) {
                return Err(Invalid::new("scripted", format!("{p} sends a job to itself")));
            }
            scripted.push((*at, *first, rest.to_vec()));
        }
        Ok(Self {
            n: setting.n,
            jobs: settings.jobs,
            every: (settings.every.min, settings.every.max),
            hops: settings.hops,
            scripted,
        })
    }

    /// A way through the system that begins at `p`, which is not part of it.
    fn route_from(&self, mut p: ProcessId, ask: &mut Ask<'_, MessageLogging>) -> Vec<ProcessId> {
        let hops = if self.n < 2 { 0 } else { ask.rng().between(0, self.hops.into()) };
        let mut route = Vec::new();
        for _ in 0..hops {
            let others: Vec<_> = (0..self.n).map(ProcessId).filter(|q| *q != p).collect();
            p = ask.rng().choose(&others).copied().unwrap_or(p);
            route.push(p);
        }
        route
    }
}

impl Workload<MessageLogging> for Jobs {
    const IS_PER_PROCESS: bool = true;

    fn on_start(&mut self, ask: &mut Ask<'_, MessageLogging>) {
        let mut jobs = self.scripted.clone();
        for p in (0..self.n).map(ProcessId) {
            let mut at = Duration::ZERO;
            for _ in 0..self.jobs {
                let (min, max) = self.every;
                at = at + draw(DurationRange { min, max }, ask.rng());
                jobs.push((at, p, self.route_from(p, ask)));
            }
        }
        for (number, (at, p, route)) in (1..).zip(jobs) {
            ask.request(p, at, Request::Input { number, route });
        }
    }
}
