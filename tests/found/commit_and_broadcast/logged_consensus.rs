//! Consensus with recovery could not meet its spec: a decision is logged, then announced, and a
//! crash may come in between. Announced once, it may never be announced; announced again after the
//! crash, it broke integrity.

use ftsim_core::NoParams;
use ftsim_core::fault::{Action, Crash, Fault, Trigger};
use ftsim_core::{
    Bound, Cx, Duration, Entry, Experiment, Instant, Model, Mutant, Never, Outcome, Process,
    ProcessId, Protocol, Setting, Stored,
};
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
        match self.decision {
            Some(_) if cx.runs(&SAYS_NOTHING) => {}
            Some(value) if cx.runs(&SAYS_OTHERWISE) => cx.indicate(Indication::Decide(value + 1)),
            Some(value) => cx.indicate(Indication::Decide(value)),
            None => cx.send(LEADER, Msg::WhatIsDecided),
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

const SAYS_NOTHING: Mutant =
    Mutant::code("says-nothing", "announces only what it decides in this life", TERMINATION);
const SAYS_OTHERWISE: Mutant =
    Mutant::code("says-otherwise", "announces another value after a crash", INTEGRITY);

impl Protocol for Logged {
    const NAME: &'static str = "logged-consensus";
    const SUMMARY: &'static str = "consensus: a leader that never fails decides";
    const SOURCE: &'static str = "none";
    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::ANY_THAT_RECOVER)
    }
    const MUTANTS: &'static [Mutant] = &[SAYS_NOTHING, SAYS_OTHERWISE];

    type Params = NoParams;

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self { decision: None }
    }
}

/// The outcomes with a crash of p1 after each of its effects.
fn crashed_everywhere(mutant: Option<&'static Mutant>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for nth in 1.. {
        let setting = Setting { mutant, ..Setting::of(3) };
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

fn found(mutant: Option<&'static Mutant>) -> Vec<&'static str> {
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
    assert_eq!(found(Some(&SAYS_NOTHING)), ["cons.termination"]);
}

#[test]
fn another_decision_after_a_crash_breaks_integrity() {
    assert!(found(Some(&SAYS_OTHERWISE)).contains(&"cons.integrity"));
}
