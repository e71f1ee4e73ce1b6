//! Consensus with recovery could not meet its spec: a decision is logged, then announced, and a
//! crash may come in between. Announced once, it may never be announced; announced again after the
//! crash, it broke integrity.

use ftsim_core::fault::{Action, Crash, Fault, Trigger};
use ftsim_core::{
    Cx, DetectorClass, Duration, Entry, Experiment, FaultClass, Instant, Links, Model, Mutant,
    Never, Outcome, Process, ProcessId, Protocol, Setting, Stored, Timing,
};
use ftsim_protocols::NoParams;
use ftsim_protocols::spec::consensus::Value;
use ftsim_protocols::spec::consensus::{Consensus, INTEGRITY, Indication, Request, TERMINATION};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::violated;

const LEADER: ProcessId = ProcessId(0);
const OTHER: ProcessId = ProcessId(1);

/// The leader decides its own proposal and tells the others, as often as they ask.
#[derive(Clone, Debug, Hash)]
struct Logged {
    decision: Option<Value>,
    after_a_crash: AfterACrash,
}

/// What a process announces of what its log says is decided.
#[derive(Clone, Copy, Debug, Hash)]
enum AfterACrash {
    Repeats,
    /// The mutant `says-nothing`.
    SaysNothing,
    /// The mutant `says-otherwise`.
    SaysOtherwise,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Msg {
    Decided(Value),
    WhatIsDecided,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Decided(Value);

impl Process for Logged {
    type Spec = Consensus;
    type Msg = Msg;
    type Timer = Never;
    type Record = Decided;

    fn on_request(&mut self, Request::Propose(value): Request, cx: &mut Cx<Self>) {
        if cx.me() == LEADER {
            self.decide(value, cx);
            cx.send_to_others(Msg::Decided(value));
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match (msg, self.decision) {
            (Msg::Decided(value), _) => self.decide(value, cx),
            (Msg::WhatIsDecided, Some(value)) => cx.send(from, Msg::Decided(value)),
            (Msg::WhatIsDecided, None) => {}
        }
    }

    fn on_recover(&mut self, log: &[Stored<Decided>], cx: &mut Cx<Self>) {
        self.decision = log.iter().find_map(Stored::intact).map(|Decided(value)| *value);
        match (self.decision, self.after_a_crash) {
            (Some(value), AfterACrash::Repeats) => cx.indicate(Indication::Decide(value)),
            (Some(_), AfterACrash::SaysNothing) => {}
            (Some(value), AfterACrash::SaysOtherwise) => {
                cx.indicate(Indication::Decide(value + 1));
            }
            (None, _) => cx.send(LEADER, Msg::WhatIsDecided),
        }
    }
}

impl Logged {
    fn decide(&mut self, value: Value, cx: &mut Cx<Self>) {
        if self.decision.is_none() {
            self.decision = Some(value);
            cx.append(Decided(value));
            cx.sync();
            cx.indicate(Indication::Decide(value));
        }
    }
}

impl Protocol for Logged {
    const NAME: &'static str = "logged-consensus";
    const SUMMARY: &'static str = "consensus: a leader that never fails decides";
    const MODEL: Model = Model {
        timing: Timing::Asynchronous,
        faults: FaultClass::CrashRecovery,
        bound: "any number but the leader, if they recover",
        links: Links::Reliable,
        detector: DetectorClass::None,
        literature: "none",
    };
    const MUTANTS: &'static [Mutant] = &[
        Mutant::code("says-nothing", "announces only what it decides in this life", TERMINATION),
        Mutant::code("says-otherwise", "announces another value after a crash", INTEGRITY),
    ];

    type Params = NoParams;

    fn new(_: &NoParams, setting: &Setting, _: ProcessId) -> Self {
        let after_a_crash = match setting.mutant.as_deref() {
            Some("says-nothing") => AfterACrash::SaysNothing,
            Some("says-otherwise") => AfterACrash::SaysOtherwise,
            _ => AfterACrash::Repeats,
        };
        Self { decision: None, after_a_crash }
    }
}

/// The outcomes with a crash of p1 after each of its effects.
fn crashed_everywhere(mutant: Option<&str>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for nth in 1.. {
        let setting = Setting { mutant: mutant.map(str::to_owned), ..Setting::of(3) };
        let mut experiment = Experiment::new(setting);
        experiment.limits.horizon = Instant::ZERO + Duration::from_secs(1);
        let recover_after = Some(Duration::from_millis(30));
        let action = Action::Crash(OTHER, Crash { recover_after, ..Crash::default() });
        let trigger = Trigger::AfterEffect { process: OTHER, nth };
        experiment.plan.faults.push(Fault { trigger, action });
        let entry = Entry::of::<Logged>();
        let mut runner =
            entry.prepare(experiment, &json!({}), &json!({})).expect("a valid setting");
        let outcome = runner.run(nth);
        if !outcome.unfired.is_empty() {
            break;
        }
        outcomes.push(outcome);
    }
    assert!(outcomes.len() >= 3, "a record, a sync and an announcement");
    outcomes
}

fn found(mutant: Option<&str>) -> Vec<&'static str> {
    let mut found: Vec<_> = crashed_everywhere(mutant).iter().flat_map(violated).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn a_logged_decision_can_be_announced_again_after_a_crash() {
    assert_eq!(found(None), [""; 0]);
}

#[test]
fn a_logged_decision_that_is_not_announced_again_may_never_be() {
    assert_eq!(found(Some("says-nothing")), ["cons.termination"]);
}

#[test]
fn another_decision_after_a_crash_breaks_integrity() {
    assert!(found(Some("says-otherwise")).contains(&"cons.integrity"));
}
