//! The perfect failure detector, P, as an oracle that reports every crash.
//!
//! Source: Chandra and Toueg (1996), *Unreliable failure detectors for reliable distributed
//! systems*, who define detectors as oracles; Cachin, Guerraoui and Rodrigues (2011), module 2.6.
//! Spec: [`FailureDetector`], strongly complete and strongly accurate. Model: crash-stop, f < n,
//! and an environment that can detect crashes: fail-stop processors, or a hypervisor.
//!
//! Steps: announce each crash that the oracle reports. Each process receives the report of a crash
//! at a time of its own.
//!
//! Why it works: because the oracle does. Without timing assumptions no algorithm can replace it,
//! as the scenarios `slow-or-dead-crash` and `slow-or-dead-slow` show.

use ftsim_core::prelude::*;

use crate::spec::detector::{
    DETECTION_TIME, FailureDetector, Indication, STRONG_ACCURACY, STRONG_COMPLETENESS,
};

/// A process with an oracle.
#[derive(Clone, Debug, Hash)]
pub struct FdPerfect {
    detect_within: Option<Duration>,
}

impl Process for FdPerfect {
    type Spec = FailureDetector;
    type Msg = Never;
    type Timer = Never;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if let Some(within) = self.detect_within {
            cx.indicate(Indication::DetectsWithin(within));
        }
    }

    fn on_request(&mut self, request: Never, _: &mut Cx<Self>) {
        match request {}
    }

    fn on_message(&mut self, _: ProcessId, msg: Never, _: &mut Cx<Self>) {
        match msg {}
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        cx.indicate(Indication::Suspect(p));
    }

    fn on_trust(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        cx.indicate(Indication::Trust(p));
    }
}

/// `[params]` of `fd-perfect`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FdPerfectParams {
    /// D: the oracle reports a crash within this time, the longest `delay` of `[detector]`. Without
    /// it, no detection time is promised.
    pub detect_within: Option<Duration>,
}

const INCOMPLETE: Mutant = Mutant::assumption(
    "incomplete",
    "has an oracle that does not report some crash to some process",
    STRONG_COMPLETENESS,
    "detector.blind",
    None,
);
const PROMISES_TOO_SOON: Mutant = Mutant::assumption(
    "promises-too-soon",
    "promises a detection time that its oracle cannot meet",
    DETECTION_TIME,
    "params.detect_within",
    None,
);

impl Protocol for FdPerfect {
    const NAME: &'static str = "fd-perfect";
    const SUMMARY: &'static str = "perfect failure detector: an oracle reports crashes";
    const SOURCE: &'static str =
        "Chandra & Toueg 1996; Cachin, Guerraoui & Rodrigues 2011, module 2.6";
    const MUTANTS: &'static [Mutant] = &[INCOMPLETE, PROMISES_TOO_SOON];

    type Params = FdPerfectParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::SYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE).with(DetectorClass::Perfect)
    }

    fn new(params: &FdPerfectParams, _: &Setting, _: ProcessId) -> Self {
        Self { detect_within: params.detect_within }
    }

    fn claims(params: &FdPerfectParams, _: &Setting) -> Vec<PropertyId> {
        let mut claims = vec![STRONG_COMPLETENESS, STRONG_ACCURACY];
        claims.extend(params.detect_within.map(|_| DETECTION_TIME));
        claims
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::detector::{EVENTUAL_STRONG_ACCURACY, EVENTUAL_WEAK_ACCURACY, WEAK_ACCURACY};
    use crate::testing::{Bench, after_effect};
    use ftsim_core::Instant;
    use ftsim_core::environment::detector::Mistake;
    use ftsim_core::fault::Trigger;

    const NONE: [&str; 0] = [];

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    /// p0 crashes at 10 ms.
    fn one_crash(n: u32) -> Bench<FdPerfect> {
        Bench::new(n).perfect_detector("5ms..20ms").crash(0, Trigger::At(at(10)))
    }

    #[test]
    fn it_costs_no_message_and_each_hears_once() {
        for n in [2, 3, 7] {
            let run = one_crash(n).run(1);
            assert_eq!(run.violated(), NONE);
            assert_eq!(run.statistics.sent(), 0);
            assert_eq!(run.indication_steps().len(), n as usize - 1);
        }
    }

    #[test]
    fn it_detects_within_what_the_oracle_takes_and_not_always_sooner() {
        let mut late = 0;
        for seed in 0..100 {
            let promises = |json: &str| one_crash(4).params(json).run(seed).violated();
            assert_eq!(promises(r#"{"detect_within": "20ms"}"#), NONE, "seed {seed}");
            late += promises(r#"{"detect_within": "15ms"}"#).len();
        }
        assert!(late > 0);
    }

    #[test]
    fn an_oracle_that_hides_a_crash_is_incomplete() {
        let mut bench = one_crash(3).mutant("incomplete");
        bench.experiment.detector.blind.push((ProcessId(2), ProcessId(0)));
        assert_eq!(bench.run(1).violated(), ["fd.strong-completeness"]);
    }

    #[test]
    fn an_oracle_that_errs_for_a_while_is_eventually_accurate() {
        let mut bench = one_crash(3).check(EVENTUAL_STRONG_ACCURACY).check(EVENTUAL_WEAK_ACCURACY);
        let (observer, suspects) = (ProcessId(1), ProcessId(2));
        let mistake = Mistake { observer, suspects, at: at(1), until: Some(at(2)) };
        bench.experiment.detector.mistakes.push(mistake);
        assert_eq!(bench.check(WEAK_ACCURACY).run(1).violated(), ["fd.strong-accuracy"]);
    }

    #[test]
    fn any_crashes_below_n_are_detected() {
        for seed in 0..400 {
            let bench = Bench::<FdPerfect>::new(5).params(r#"{"detect_within": "20ms"}"#);
            let bench = bench.perfect_detector("0ms..20ms").crash(0, after_effect(0, 1));
            let crashes = [1, 2, 3].map(|p| (p, (seed * 7 + u64::from(p) * 13) % 40));
            let strike = |bench: Bench<_>, (p, ms)| bench.crash(p, Trigger::At(at(ms)));
            let run = crashes.into_iter().fold(bench, strike).run(seed);
            assert_eq!(run.violated(), NONE, "seed {seed}");
        }
    }
}
