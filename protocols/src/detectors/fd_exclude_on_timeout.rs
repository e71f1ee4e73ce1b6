//! Exclude on timeout: the perfect failure detector, P, of a synchronous system.
//!
//! Source: Cachin, Guerraoui and Rodrigues (2011), algorithm 2.5. Spec: [`FailureDetector`],
//! strongly complete and strongly accurate, with a bound on the detection time. Model: synchronous,
//! δ bounds every delay and steps take no time; crash-stop, f < n; perfect links.
//!
//! Steps: every period T, suspect permanently all processes that have not replied since the period
//! began, and send a REQUEST to the others, which REPLY at once. The first period sends no requests
//! and considers all processes alive.
//!
//! Why it works: a round trip takes at most 2δ. With T ≥ 2δ the reply of a correct process has
//! arrived when the period ends, so no process is suspected wrongly. A process that crashes at t
//! answers no request that is sent after t; the next is sent by t + T, and its period ends by t +
//! 2T.
//!
//! Words: the paper's *detected* is our suspected, its Δ our T.

use ftsim_core::prelude::*;

use crate::spec::detector::{
    DETECTION_TIME, FailureDetector, Indication, STRONG_ACCURACY, STRONG_COMPLETENESS,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A request for a sign of life.
    Request,
    /// The reply.
    Reply,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// A period ends, and the next begins.
    PeriodEnd,
}

/// A process that excludes on timeout.
#[derive(Clone, Debug, Hash)]
pub struct FdExcludeOnTimeout {
    period: Duration,
    /// The processes that have replied in this period.
    alive: ProcessSet,
    suspected: ProcessSet,
}

impl Process for FdExcludeOnTimeout {
    type Spec = FailureDetector;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        cx.indicate(Indication::DetectsWithin(self.period.times(2)));
        self.alive = cx.processes().collect();
        cx.set_timer(self.period, Timer::PeriodEnd);
    }

    fn on_request(&mut self, request: Never, _: &mut Cx<Self>) {
        match request {}
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Request => cx.send(from, Msg::Reply),
            Msg::Reply => {
                if self.suspected.contains(from) {
                    cx.reach("a reply came too late");
                }
                self.alive.insert(from);
            }
        }
    }

    fn on_timer(&mut self, Timer::PeriodEnd: Timer, cx: &mut Cx<Self>) {
        for p in cx.others() {
            if !self.alive.contains(p) && self.suspected.insert(p) {
                cx.indicate(Indication::Suspect(p));
            }
        }
        self.alive = ProcessSet::new();
        cx.send_to(cx.others().filter(|p| !self.suspected.contains(*p)), Msg::Request);
        cx.set_timer(self.period, Timer::PeriodEnd);
    }
}

/// `[params]` of `fd-exclude-on-timeout`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FdExcludeOnTimeoutParams {
    /// T: the time between two requests, and the time that a process has for its reply. By default
    /// a round trip, 2δ.
    pub period: Option<Duration>,
}

impl FdExcludeOnTimeoutParams {
    fn period(&self, setting: &Setting) -> Duration {
        self.period.unwrap_or(setting.delay_bound.times(2))
    }
}

const SHORT_PERIOD: Mutant = Mutant::assumption(
    "short-period",
    "ends its period before a round trip is over",
    STRONG_ACCURACY,
    "params.period",
    None,
);

impl Protocol for FdExcludeOnTimeout {
    const NAME: &'static str = "fd-exclude-on-timeout";
    const SUMMARY: &'static str =
        "perfect failure detector: a process that misses a reply is excluded permanently";
    const SOURCE: &'static str = "Cachin, Guerraoui & Rodrigues 2011, algorithm 2.5";
    const MUTANTS: &'static [Mutant] = &[SHORT_PERIOD];

    type Params = FdExcludeOnTimeoutParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::SYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE)
    }

    fn validate(params: &FdExcludeOnTimeoutParams, setting: &Setting) -> Result<(), Invalid> {
        if params.period(setting) == Duration::ZERO {
            return Err(Invalid::new("period", "must be longer than zero"));
        }
        Ok(())
    }

    fn new(params: &FdExcludeOnTimeoutParams, setting: &Setting, _: ProcessId) -> Self {
        let period = params.period(setting);
        Self { period, alive: ProcessSet::new(), suspected: ProcessSet::new() }
    }

    fn claims(_: &FdExcludeOnTimeoutParams, _: &Setting) -> Vec<PropertyId> {
        vec![STRONG_COMPLETENESS, STRONG_ACCURACY, DETECTION_TIME]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, Run, STEP, sends};
    use ftsim_core::Instant;
    use ftsim_core::fault::Trigger;
    use ftsim_core::outcome::trace::TraceEvent;

    const NONE: [&str; 0] = [];
    /// T = 2δ under [`Bench::lockstep`].
    const PERIOD: Duration = Duration::from_nanos(2 * STEP.as_nanos());

    /// Ends one nanosecond before `periods` periods are over.
    fn lockstep(n: u32, periods: u64) -> Bench<FdExcludeOnTimeout> {
        let mut bench = Bench::new(n).lockstep();
        let nanos = PERIOD.times(periods).as_nanos();
        bench.experiment.limits.horizon = Instant::from_nanos(nanos - 1);
        bench
    }

    fn suspicions(run: &Run) -> Vec<Instant> {
        let entries = run.trace.entries.iter();
        let suspects = entries.filter(
            |e| matches!(&e.what, TraceEvent::Indicate { what } if what.starts_with("Suspect")),
        );
        suspects.map(|e| e.at).collect()
    }

    #[test]
    fn a_period_costs_2_n_times_n_minus_1_messages() {
        for n in [1, 2, 3, 5, 9] {
            // The first of five periods sends no requests.
            let run = lockstep(n, 5).run(1);
            let expected = 4 * u64::from(n * (n - 1));
            assert_eq!(run.statistics.sent_of("Request"), expected);
            assert_eq!(run.statistics.sent_of("Reply"), expected);
            assert_eq!(run.violated(), NONE);
        }
    }

    #[test]
    fn detection_takes_two_periods_less_the_delay_after_the_last_reply() {
        for n in [2, 4, 7] {
            for period in [20, 25, 70].map(Duration::from_millis) {
                let params = format!(r#"{{"period": "{period}"}}"#);
                // The first requests are sent at T, and p0 dies with its replies sent, at T + δ.
                let bench = lockstep(n, 12).params(&params);
                let run = bench.crash(0, sends(0, "Reply", u64::from(n) - 1)).run(1);
                assert_eq!(run.violated(), NONE);
                let crash = Instant::ZERO + period + STEP;
                let detected = crash + (period.times(2) - STEP);
                assert_eq!(suspicions(&run), vec![detected; n as usize - 1]);
            }
        }
    }

    #[test]
    fn a_crash_at_the_start_is_detected_after_two_periods() {
        let run = lockstep(4, 6).crash(0, Trigger::At(Instant::ZERO)).run(1);
        assert_eq!(suspicions(&run), [Instant::ZERO + PERIOD.times(2); 3]);
        assert_eq!(run.violated(), NONE);
    }

    #[test]
    fn a_period_of_one_nanosecond_less_than_a_round_trip_is_too_short() {
        let bench = lockstep(3, 6).params(r#"{"period": "20ms"}"#);
        assert_eq!(bench.run(1).violated(), NONE);
        let bench = lockstep(3, 6).params(r#"{"period": "19.999999ms"}"#);
        assert_eq!(bench.run(1).violated(), ["fd.strong-accuracy"]);
    }

    #[test]
    fn any_crashes_below_n_are_detected_in_time_and_none_else() {
        for seed in 0..300 {
            let mut bench = Bench::<FdExcludeOnTimeout>::new(5);
            bench.experiment.limits.horizon = Instant::ZERO + Duration::from_millis(300);
            let run = bench.random_crashes(4, "0ms..200ms").run(seed);
            assert_eq!(run.violated(), NONE, "seed {seed}");
        }
    }
}
