//! The dependability of a service by units that fail and are repaired, in numbers.
//!
//! Source: Avižienis, Laprie, Randell and Landwehr (2004), *Basic concepts and taxonomy of
//! dependable and secure computing*. A service is up while enough of its units are. A *monitor*
//! announces how many are enough and how long the mission takes, and in the end what it has found.
//!
//! # What is measured
//!
//! Everything is measured from what units announce, not from what the monitor reports. Stops and
//! returns at one instant count as one change. The mission begins with the run, and what comes
//! after it does not count. A *failure* of the service is a stop that nobody has planned; planned
//! downtime makes the service unavailable and is no failure. As in a truncated test (Epstein and
//! Sobel 1953), the mean time to failure is all uptime divided by the number of failures, and the
//! mean time to repair all downtime divided by the number of repairs. A mean over runs is one of
//! such quotients, without the runs that have none: it comes near the law's mean only where a
//! mission has many failures, or lasts many lifetimes without repair.

use ftsim_core::prelude::*;
use ftsim_core::{EndCause, FaultClass};

use crate::eventual_leader::NoWorkload;
use crate::seconds;

#[cfg(test)]
mod tests;

/// The problem of finding out how dependable a service is.
pub struct Dependability;

/// The role of the units.
pub const UNIT: &str = "unit";
/// The role of the process that keeps the record.
pub const MONITOR: &str = "monitor";

/// How a unit stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Stop {
    /// For maintenance.
    Planned,
    /// It fails and is silent.
    Safe,
    /// It fails, and does harm.
    Unsafe,
}

/// What a service did in its mission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Figures {
    /// How long it was up.
    pub up: Duration,
    /// How long it was down.
    pub down: Duration,
    /// How often it failed.
    pub failures: u64,
    /// How often it was up again after a failure.
    pub repairs: u64,
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// The monitor: the mission begins.
    Begins {
        /// How many units are enough.
        needed: u32,
        /// How long the mission takes.
        mission: Duration,
    },
    /// A unit is down.
    Stops(Stop),
    /// A unit is up again.
    Returns,
    /// The monitor: the mission is over.
    Reports(Figures),
}

/// The time up and the time down are reported as they were.
pub const AVAILABILITY: PropertyId = PropertyId("dep.availability");
/// Failures are counted as they were.
pub const MTTF: PropertyId = PropertyId("dep.mttf");
/// Repairs are counted as they were.
pub const MTTR: PropertyId = PropertyId("dep.mttr");
/// The monitor reports.
pub const REPORT: PropertyId = PropertyId("dep.report");
/// The service does not fail.
pub const RELIABILITY: PropertyId = PropertyId("dep.reliability");
/// The service does no harm.
pub const SAFETY: PropertyId = PropertyId("dep.safety");

impl Spec for Dependability {
    const NAME: &'static str = "dependability";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(
            AVAILABILITY,
            "the monitor reports the time that the service was up, and the time that it was down",
            |setting| Box::new(Compared::new(setting, Aspect::Time)),
        ),
        PropertyEntry::safety(
            MTTF,
            "the monitor reports as many failures of the service as there were",
            |setting| Box::new(Compared::new(setting, Aspect::Failures)),
        ),
        PropertyEntry::safety(
            MTTR,
            "the monitor reports as many repairs of the service as there were",
            |setting| Box::new(Compared::new(setting, Aspect::Repairs)),
        ),
        PropertyEntry::liveness(
            REPORT,
            "the monitor reports once the mission is over",
            |setting| Box::new(Report::new(setting)),
        ),
        PropertyEntry::safety(
            RELIABILITY,
            "the service does not fail during the mission",
            |setting| Box::new(Reliability { service: Service::new(setting) }),
        )
        .if_claimed(),
        PropertyEntry::safety(SAFETY, "no failure of the service does harm", |setting| {
            Box::new(Safety { service: Service::new(setting) })
        })
        .if_claimed(),
    ];
    const FAULTS: &'static [FaultClass] = &[FaultClass::None];

    type Request = Never;
    type Indication = Indication;
    type WorkloadSettings = NoWorkload;
    type Workload = NoServiceClients;

    fn workload(_: &NoWorkload, _: &Setting) -> Result<NoServiceClients, Invalid> {
        Ok(NoServiceClients)
    }

    fn phrase(indication: &Indication) -> Option<String> {
        Some(match indication {
            Indication::Begins { needed, mission } => {
                format!("begins a mission of {mission} that needs {needed} units")
            }
            Indication::Stops(Stop::Planned) => "stops for maintenance".into(),
            Indication::Stops(Stop::Safe) => "fails and is silent".into(),
            Indication::Stops(Stop::Unsafe) => "fails and does harm".into(),
            Indication::Returns => "is up again".into(),
            Indication::Reports(Figures { up, down, failures, repairs }) => format!(
                "reports {up} up and {down} down, {failures} failures and {repairs} repairs"
            ),
        })
    }
}

/// Clients of a service that nobody asks for anything.
#[derive(Clone, Debug, Hash)]
pub struct NoServiceClients;

impl Workload<Dependability> for NoServiceClients {
    fn on_start(&mut self, _: &mut Ask<'_, Dependability>) {}
}

/// The service, from what its units announce.
#[derive(Clone, Debug, Hash)]
struct Service {
    units: ProcessSet,
    /// How many units are enough, and when the mission ends.
    mission: Option<(u32, Instant)>,
    down: ProcessSet,
    /// The instant of the changes that are not yet accounted for, and the worst stop among them.
    changed_at: Instant,
    worst: Option<Stop>,
    outage: Option<Outage>,
    down_ns: u64,
    failures: u64,
    unsafe_failures: u64,
    repairs: u64,
    /// When it failed for the first time, and for the last.
    first_and_last: Option<(Instant, Instant)>,
}

/// The time in which the service is down.
#[derive(Clone, Copy, Debug, Hash)]
struct Outage {
    since: Instant,
    is_planned: bool,
}

impl Service {
    fn new(setting: &Setting) -> Self {
        Self {
            units: setting.role(UNIT).collect(),
            mission: None,
            down: ProcessSet::new(),
            changed_at: Instant::ZERO,
            worst: None,
            outage: None,
            down_ns: 0,
            failures: 0,
            unsafe_failures: 0,
            repairs: 0,
            first_and_last: None,
        }
    }

    fn apply(&mut self, event: &Observed<'_, Dependability>) {
        if event.at > self.changed_at {
            self.settle();
        }
        if self.is_over(event.at) {
            return;
        }
        let stop = match event.what {
            Observation::Indication(Indication::Begins { needed, mission }) => {
                self.mission = self.mission.or(Some((*needed, event.at + *mission)));
                return;
            }
            _ if !self.units.contains(event.process) => return,
            Observation::Indication(Indication::Stops(stop)) => Some(*stop),
            Observation::Crash => Some(Stop::Safe),
            Observation::Indication(Indication::Returns) | Observation::Recover => None,
            _ => return,
        };
        self.changed_at = event.at;
        match stop {
            Some(stop) => {
                self.down.insert(event.process);
                self.worst = Some(match self.worst {
                    Some(Stop::Unsafe) => Stop::Unsafe,
                    Some(Stop::Safe) if stop == Stop::Planned => Stop::Safe,
                    _ => stop,
                });
            }
            None => {
                self.down.remove(event.process);
            }
        }
    }

    fn is_over(&self, at: Instant) -> bool {
        self.mission.is_some_and(|(_, end)| at >= end)
    }

    /// Accounts for the changes of one instant.
    fn settle(&mut self) {
        let Some((needed, _)) = self.mission else { return };
        let is_up = self.units.len().saturating_sub(self.down.len()) >= needed as usize;
        let (at, worst) = (self.changed_at, self.worst.take());
        match self.outage {
            None if !is_up => {
                let is_planned = worst == Some(Stop::Planned);
                self.outage = Some(Outage { since: at, is_planned });
                if !is_planned {
                    self.failures += 1;
                    self.unsafe_failures += u64::from(worst == Some(Stop::Unsafe));
                    let first = self.first_and_last.map_or(at, |(first, _)| first);
                    self.first_and_last = Some((first, at));
                }
            }
            Some(outage) if is_up => {
                self.outage = None;
                self.down_ns += at.since(outage.since).as_nanos();
                self.repairs += u64::from(!outage.is_planned);
            }
            _ => {}
        }
    }

    /// What it has done by the end of the mission.
    fn figures(&self) -> Figures {
        let mut service = self.clone();
        service.settle();
        let mission_ns = self.mission.map_or(0, |(_, end)| end.as_nanos());
        let open_ns =
            service.outage.map_or(0, |outage| mission_ns.saturating_sub(outage.since.as_nanos()));
        let down_ns = service.down_ns + open_ns;
        Figures {
            up: Duration::from_nanos(mission_ns.saturating_sub(down_ns)),
            down: Duration::from_nanos(down_ns),
            failures: service.failures,
            repairs: service.repairs,
        }
    }
}

/// What of a report is compared.
#[derive(Clone, Copy, Debug, Hash)]
enum Aspect {
    Time,
    Failures,
    Repairs,
}

/// Compares a report with what was.
#[derive(Clone, Debug, Hash)]
struct Compared {
    service: Service,
    aspect: Aspect,
    reports: u64,
}

impl Compared {
    fn new(setting: &Setting, aspect: Aspect) -> Self {
        Self { service: Service::new(setting), aspect, reports: 0 }
    }
}

impl Property<Dependability> for Compared {
    fn observe(&mut self, event: &Observed<'_, Dependability>) -> Result<(), Violation> {
        self.service.apply(event);
        let Observation::Indication(Indication::Reports(reported)) = event.what else {
            return Ok(());
        };
        self.reports += 1;
        if !self.service.is_over(event.at) {
            let p = event.process;
            return Err(Violation::by([p], format!("{p} reports before the mission is over")));
        }
        let is = self.service.figures();
        let shown = |figures: &Figures| match self.aspect {
            Aspect::Time => format!("{} up and {} down", figures.up, figures.down),
            Aspect::Failures => format!("{} failures", figures.failures),
            Aspect::Repairs => format!("{} repairs", figures.repairs),
        };
        let is_right = match self.aspect {
            Aspect::Time => (reported.up, reported.down) == (is.up, is.down),
            Aspect::Failures => reported.failures == is.failures,
            Aspect::Repairs => reported.repairs == is.repairs,
        };
        if is_right {
            return Ok(());
        }
        let (p, reported, is) = (event.process, shown(reported), shown(&is));
        Err(Violation::by([p], format!("{p} reports {reported}, and there were {is}")))
    }

    fn exercised(&self) -> u64 {
        self.reports
    }

    fn measured(&self, end: &End<'_>) -> Option<f64> {
        if !self.service.is_over(end.at) {
            return None;
        }
        let Figures { up, down, failures, repairs } = self.service.figures();
        match self.aspect {
            Aspect::Time => share(seconds(up), seconds(up) + seconds(down)),
            Aspect::Failures => share(seconds(up), failures as f64),
            Aspect::Repairs => share(seconds(down), repairs as f64),
        }
    }
}

fn share(part: f64, of: f64) -> Option<f64> {
    (of > 0.0).then(|| part / of)
}

/// Waits for the report.
#[derive(Clone, Debug, Hash)]
struct Report {
    service: Service,
    delay_bound: Duration,
    monitor: Option<ProcessId>,
    has_reported: bool,
    undecided: Option<String>,
}

impl Report {
    fn new(setting: &Setting) -> Self {
        Self {
            service: Service::new(setting),
            delay_bound: setting.delay_bound,
            monitor: None,
            has_reported: false,
            undecided: None,
        }
    }
}

impl Property<Dependability> for Report {
    fn observe(&mut self, event: &Observed<'_, Dependability>) -> Result<(), Violation> {
        self.service.apply(event);
        match event.what {
            Observation::Indication(Indication::Begins { .. }) => {
                self.monitor = Some(event.process);
            }
            Observation::Indication(Indication::Reports(_)) => self.has_reported = true,
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let (Some((_, over)), Some(monitor)) = (self.service.mission, self.monitor) else {
            return Ok(());
        };
        if self.has_reported || !end.is_correct(monitor) {
            return Ok(());
        }
        // The last news of the mission is under way for at most the bound on delays.
        let due = over + self.delay_bound + self.delay_bound;
        if end.cause != EndCause::Quiescent && end.at < due {
            self.undecided = Some("the mission was not over".into());
            return Ok(());
        }
        Err(Violation::by([monitor], format!("{monitor} has not reported")))
    }

    fn exercised(&self) -> u64 {
        u64::from(self.monitor.is_some())
    }

    fn undecided(&self) -> Option<String> {
        self.undecided.clone()
    }

    /// The mean time between failures, from the first to the last.
    fn measured(&self, end: &End<'_>) -> Option<f64> {
        let mut service = self.service.clone();
        service.settle();
        let (first, last) = service.first_and_last.filter(|_| service.is_over(end.at))?;
        share(seconds(last.since(first)), (service.failures - 1) as f64)
    }
}

/// Looks for a failure.
#[derive(Clone, Debug, Hash)]
struct Reliability {
    service: Service,
}

impl Reliability {
    fn look(&self) -> Result<(), Violation> {
        match self.service.first_and_last {
            None => Ok(()),
            Some((first, _)) => {
                let down: Vec<ProcessId> = self.service.down.iter().collect();
                Err(Violation::by(down, format!("the service failed at {first}")))
            }
        }
    }
}

impl Property<Dependability> for Reliability {
    fn observe(&mut self, event: &Observed<'_, Dependability>) -> Result<(), Violation> {
        self.service.apply(event);
        self.look()
    }

    fn finish(&mut self, _: &End<'_>) -> Result<(), Violation> {
        self.service.settle();
        self.look()
    }

    fn exercised(&self) -> u64 {
        u64::from(self.service.mission.is_some())
    }
}

/// Counts failures that do harm.
#[derive(Clone, Debug, Hash)]
struct Safety {
    service: Service,
}

impl Property<Dependability> for Safety {
    fn observe(&mut self, event: &Observed<'_, Dependability>) -> Result<(), Violation> {
        self.service.apply(event);
        Ok(())
    }

    fn finish(&mut self, _: &End<'_>) -> Result<(), Violation> {
        self.service.settle();
        let Service { failures, unsafe_failures, .. } = self.service;
        if unsafe_failures == 0 {
            return Ok(());
        }
        Err(Violation::by([], format!("{unsafe_failures} of {failures} failures did harm")))
    }

    fn exercised(&self) -> u64 {
        self.service.failures
    }

    /// The share of failures that do no harm.
    fn measured(&self, _: &End<'_>) -> Option<f64> {
        let Service { failures, unsafe_failures, .. } = self.service;
        share((failures - unsafe_failures) as f64, failures as f64)
    }
}
