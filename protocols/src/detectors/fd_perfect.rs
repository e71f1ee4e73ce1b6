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
