//! Units that fail and are repaired, and a monitor that says how dependable they are together.
//!
//! Source: Avižienis, Laprie, Randell and Landwehr (2004), *Basic concepts and taxonomy of
//! dependable and secure computing*, for the attributes; Lyons and Vanderkulk (1962), *The use of
//! triple-modular redundancy to improve computer reliability*, for the arrangements. Spec:
//! [`Dependability`]. Model: synchronous, reliable links; what fails are the units of which this is
//! about, not processes.
//!
//! Steps: a unit is up for a time and down for a time, again and again until the mission is over,
//! and tells the monitor of each change and when it was. Rates are constant, so that times to
//! failure and to repair are exponential, or times are always the same. The monitor waits for what
//! was under way when the mission ended. Then it goes through all changes in the order of their
//! times: the service is up while enough units are, all of them in *series*, one in *parallel*.
//!
//! Why it works: with availability A = MTTF / (MTTF + MTTR) each, independent units in series have
//! ΠA together, in parallel 1 − Π(1 − A). With rates λ and without repair, one unit lasts 1/λ on
//! average, the longer-lived of two 3/(2λ), and two of three 5/(6λ): less than one alone, although
//! they are more reliable at first. A unit is up throughout a mission of length t with probability
//! e^−λt.
//!
//! Words: a failure of a unit is *covered* if it is silent from then on. One that is not does harm
//! if the service fails with it. (With Arnold 1973 it takes the whole service down, which ours does
//! not.)

mod law;

use ftsim_core::prelude::*;

use crate::spec::dependability::{
    AVAILABILITY, Dependability, Figures, Indication, MONITOR, MTTF, MTTR, RELIABILITY, REPORT,
    SAFETY, Stop, UNIT,
};
pub use law::Law;

/// The mean number of outages that the units of a scenario may have together.
const OUTAGE_COUNT_MAX: u128 = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// From a unit, this long after the start: it has stopped.
    Stopped { at: Duration, how: Stop },
    /// Likewise: it is up again.
    Returned { at: Duration },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// At a unit: it stops or is up again.
    Change,
    /// At the monitor: the mission is over, and so is what was under way.
    Over,
}

/// A process of a service by units.
#[derive(Clone, Debug, Hash)]
pub enum Units {
    /// It fails and is repaired.
    Unit(Unit),
    /// It keeps the record.
    Monitor(Monitor),
}

#[derive(Clone, Debug, Hash)]
pub struct Unit {
    params: Params,
    /// How much longer than others it is up at first.
    head_start: Duration,
    is_up: bool,
    /// When its next change is.
    next_at: Duration,
}

#[derive(Clone, Debug, Hash)]
pub struct Monitor {
    mission: Duration,
    /// How many units are enough.
    needed: usize,
    changes: Vec<Change>,
}

/// What a unit has told, in the order of time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Change {
    at: Duration,
    unit: ProcessId,
    to: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum State {
    Up,
    Maintained,
    Failed,
}

impl Process for Units {
    type Spec = Dependability;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        match self {
            Self::Unit(unit) => unit.start(cx),
            Self::Monitor(monitor) => monitor.start(cx),
        }
    }

    fn on_request(&mut self, request: Never, _: &mut Cx<Self>) {
        match request {}
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, _: &mut Cx<Self>) {
        if let Self::Monitor(monitor) = self {
            monitor.note(from, msg);
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match (self, timer) {
            (Self::Unit(unit), Timer::Change) if unit.is_up => unit.stop(cx),
            (Self::Unit(unit), Timer::Change) => unit.come_back(cx),
            (Self::Monitor(monitor), Timer::Over) => monitor.report(cx),
            _ => {}
        }
    }
}

impl Unit {
    fn start(&mut self, cx: &mut Cx<Units>) {
        let head_start = if cx.runs(&COMMON_MODE) { Duration::ZERO } else { self.head_start };
        self.wait(head_start + self.lifetime(cx), cx);
    }

    fn stop(&mut self, cx: &mut Cx<Units>) {
        self.is_up = false;
        let how = if self.params.planned {
            Stop::Planned
        } else if cx.runs(&FAIL_UNSAFE) || cx.rng().below(100) >= self.params.coverage.into() {
            Stop::Unsafe
        } else {
            Stop::Safe
        };
        cx.indicate(Indication::Stops(how));
        cx.send_to(cx.role(MONITOR), Msg::Stopped { at: self.next_at, how });
        if self.params.repairs {
            let repair = self.params.law.draw(self.params.downtime, cx.rng());
            self.wait(repair, cx);
        }
    }

    fn come_back(&mut self, cx: &mut Cx<Units>) {
        self.is_up = true;
        cx.indicate(Indication::Returns);
        cx.send_to(cx.role(MONITOR), Msg::Returned { at: self.next_at });
        let lifetime = self.lifetime(cx);
        self.wait(lifetime, cx);
    }

    fn lifetime(&self, cx: &mut Cx<Units>) -> Duration {
        match cx.runs(&COMMON_MODE) {
            false => self.params.law.draw(self.params.uptime, cx.rng()),
            true => self.params.uptime,
        }
    }

    /// Waits for its next change, unless the mission is over before.
    fn wait(&mut self, duration: Duration, cx: &mut Cx<Units>) {
        self.next_at = self.next_at + duration;
        if self.next_at < self.params.mission {
            cx.set_timer(duration, Timer::Change);
        }
    }
}

impl Monitor {
    fn start(&self, cx: &mut Cx<Units>) {
        let needed = u32::try_from(self.needed).unwrap_or(u32::MAX);
        cx.indicate(Indication::Begins { needed, mission: self.mission });
        cx.set_timer(self.mission + cx.setting().delay_bound, Timer::Over);
    }

    fn note(&mut self, unit: ProcessId, msg: Msg) {
        self.changes.push(match msg {
            Msg::Stopped { at, how: Stop::Planned } => Change { at, unit, to: State::Maintained },
            Msg::Stopped { at, .. } => Change { at, unit, to: State::Failed },
            Msg::Returned { at } => Change { at, unit, to: State::Up },
        });
    }

    fn report(&mut self, cx: &mut Cx<Units>) {
        self.changes.sort();
        let unit_count = cx.setting().role_size(UNIT) as usize;
        let (mut down, mut figures) = (ProcessSet::new(), Figures::default());
        // Since when the service is down, and whether that was planned.
        let mut outage: Option<(Duration, bool)> = None;
        for changes in self.changes.chunk_by(|one, other| one.at == other.at) {
            let at = changes[0].at;
            for change in changes {
                match change.to {
                    State::Up => down.remove(change.unit),
                    _ => down.insert(change.unit),
                };
            }
            let failure_count = changes.iter().filter(|change| change.to == State::Failed).count();
            let is_up = unit_count.saturating_sub(down.len()) >= self.needed;
            if cx.runs(&COUNT_UNITS) {
                figures.failures += failure_count as u64;
            }
            match outage {
                None if !is_up => {
                    outage = Some((at, failure_count == 0));
                    if failure_count > 0 && !cx.runs(&COUNT_UNITS) {
                        figures.failures += 1;
                    }
                }
                Some((since, is_planned)) if is_up => {
                    outage = None;
                    figures.down = figures.down + (at - since);
                    let is_repaired = !cx.runs(&ALL_UP_AGAIN) || down.is_empty();
                    figures.repairs += u64::from(is_repaired && !is_planned);
                }
                _ => {}
            }
        }
        if let Some((since, _)) = outage {
            if cx.runs(&WAIT_FOR_REPAIR) {
                return;
            }
            figures.down = figures.down + (self.mission - since);
        }
        if cx.runs(&REPAIR_COUNTS_AS_UP) {
            figures.down = Duration::ZERO;
        }
        figures.up = self.mission - figures.down;
        cx.indicate(Indication::Reports(figures));
    }
}

/// Which units are enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Arrangement {
    /// The only one.
    Single,
    /// All of them.
    Series,
    /// Any of them.
    #[default]
    Parallel,
    /// Any k of them.
    KOfN,
}

/// `[params]` of units.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Which units are enough for the service to be up.
    pub arrangement: Arrangement,
    /// With `k-of-n`: how many units are enough.
    pub k: u32,
    /// The law of the times to failure and to repair.
    pub law: Law,
    /// 1/λ, the mean time that a unit is up before it fails.
    pub uptime: Duration,
    /// 1/μ, the mean time that a unit is down before it is up again.
    pub downtime: Duration,
    /// Whether units are repaired.
    pub repairs: bool,
    /// Whether units stop for planned maintenance, which is no failure.
    pub planned: bool,
    /// Of 100 failures, how many a unit covers; the others do harm.
    pub coverage: u32,
    /// The length of the mission.
    pub mission: Duration,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            arrangement: Arrangement::Parallel,
            k: 1,
            law: Law::Exponential,
            uptime: Duration::from_millis(900),
            downtime: Duration::from_millis(100),
            repairs: true,
            planned: false,
            coverage: 100,
            mission: Duration::from_secs(3),
        }
    }
}

impl Params {
    fn needed(&self, setting: &Setting) -> u32 {
        match self.arrangement {
            Arrangement::Single | Arrangement::Parallel => 1,
            Arrangement::Series => setting.role_size(UNIT),
            Arrangement::KOfN => self.k,
        }
    }

    /// The time from one failure of a unit to the next, on average, in nanoseconds.
    fn cycle_ns(&self) -> u128 {
        u128::from(self.uptime.as_nanos()) + u128::from(self.downtime.as_nanos())
    }

    /// Whether units that stop one after the other leave enough of them at any time.
    fn takes_turns(&self, setting: &Setting) -> bool {
        let unit_count = u128::from(setting.role_size(UNIT));
        let spare_count = unit_count.saturating_sub(u128::from(self.needed(setting)));
        let down_ns = u128::from(self.downtime.as_nanos());
        let is_periodic = self.law == Law::Periodic && self.repairs;
        // Distances are rounded down, by less than a nanosecond.
        is_periodic && (unit_count * (down_ns + 1)).div_ceil(self.cycle_ns()) <= spare_count
    }
}

const REPAIR_COUNTS_AS_UP: Mutant = Mutant::code(
    "repair-counts-as-up",
    "the monitor counts the time in which the service is repaired as time that it is up",
    AVAILABILITY,
);
const COUNT_UNITS: Mutant = Mutant::code(
    "count-units",
    "the monitor counts each failure of a unit as one of the service",
    MTTF,
);
const ALL_UP_AGAIN: Mutant = Mutant::code(
    "all-up-again",
    "the monitor counts a repair only if all units are up again",
    MTTR,
);
const WAIT_FOR_REPAIR: Mutant = Mutant::code(
    "wait-for-repair",
    "the monitor does not report if the service is down in the end",
    REPORT,
);
const COMMON_MODE: Mutant =
    Mutant::code("common-mode", "units are of one make and age, and fail together", RELIABILITY);
const FAIL_UNSAFE: Mutant =
    Mutant::code("fail-unsafe", "units do not notice that they have failed", SAFETY);

impl Protocol for Units {
    const NAME: &'static str = "dependability";
    const SUMMARY: &'static str = "units that fail and are repaired: MTTF, MTTR, availability";
    const SOURCE: &'static str = "Avižienis, Laprie, Randell & Landwehr 2004";
    const ROLES: &'static [&'static str] = &[UNIT, MONITOR];
    const MUTANTS: &'static [Mutant] = &[
        REPAIR_COUNTS_AS_UP,
        COUNT_UNITS,
        ALL_UP_AGAIN,
        WAIT_FOR_REPAIR,
        COMMON_MODE,
        FAIL_UNSAFE,
    ];

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::SYNCHRONOUS
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        let unit_count = setting.role_size(UNIT);
        if unit_count == 0 {
            return Err(Invalid::role(UNIT, "there is no unit"));
        }
        if setting.role_size(MONITOR) != 1 {
            return Err(Invalid::role(MONITOR, "there is one monitor"));
        }
        if params.arrangement == Arrangement::Single && unit_count != 1 {
            return Err(Invalid::role(UNIT, "there is a single unit"));
        }
        if !(1..=unit_count).contains(&params.needed(setting)) {
            return Err(Invalid::new("k", format!("there are {unit_count} units")));
        }
        if params.coverage > 100 {
            return Err(Invalid::new("coverage", "100 failures of 100 are all"));
        }
        let durations =
            [("uptime", params.uptime), ("downtime", params.downtime), ("mission", params.mission)];
        for (key, duration) in durations {
            if duration == Duration::ZERO {
                return Err(Invalid::new(key, "must be longer than zero"));
            }
        }
        let mission_ns = u128::from(params.mission.as_nanos());
        let outage_count = mission_ns * u128::from(unit_count) / params.cycle_ns();
        if params.repairs && outage_count > OUTAGE_COUNT_MAX {
            let how = format!("the units have {outage_count} outages on average: too many");
            return Err(Invalid::new("mission", how));
        }
        Ok(())
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        if setting.has_role(me, MONITOR) {
            let needed = params.needed(setting) as usize;
            return Self::Monitor(Monitor { mission: params.mission, needed, changes: Vec::new() });
        }
        let turn = params.cycle_ns() * u128::from(me.0) / u128::from(setting.role_size(UNIT));
        let head_start = match params.law {
            Law::Exponential => Duration::ZERO,
            Law::Periodic => Duration::from_nanos(u64::try_from(turn).unwrap_or(u64::MAX)),
        };
        let params = params.clone();
        Self::Unit(Unit { params, head_start, is_up: true, next_at: Duration::ZERO })
    }

    fn claims(params: &Params, setting: &Setting) -> Vec<PropertyId> {
        let mut claims = Vec::new();
        if params.planned || params.takes_turns(setting) {
            claims.push(RELIABILITY);
        }
        if params.planned || params.coverage == 100 {
            claims.push(SAFETY);
        }
        claims
    }
}
