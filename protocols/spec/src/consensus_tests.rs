use super::*;
use crate::stub::{Answers, Stub, requests};
use ftsim_core::Duration;
use ftsim_core::bench::history::{Act, check, judge};
use ftsim_core::{Bench, Verdict};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);

fn propose(p: ProcessId, value: Value) -> Act<Consensus> {
    Act::Request(p, Request::Propose(value))
}

fn decide(p: ProcessId, value: Value) -> Act<Consensus> {
    Act::Indicate(p, Indication::Decide(value))
}

#[test]
fn a_history_in_which_all_decide_one_proposal_is_good() {
    let good = [propose(P0, 7), propose(P1, 8), decide(P1, 8), decide(P0, 8)];
    assert_eq!(check(2, &good), [] as [&str; 0]);
    let held = |(_, verdict)| verdict == Verdict::Held;
    assert!(judge(&Setting::of(2), &good, true).into_iter().all(held));
}

#[test]
fn each_property_refuses_its_bad_history() {
    let invented = [propose(P0, 7), decide(P0, 9), propose(P1, 9), decide(P1, 9)];
    assert_eq!(check(2, &invented), ["cons.validity"]);
    let twice = [propose(P0, 7), decide(P0, 7), decide(P0, 7)];
    assert_eq!(check(1, &twice), ["cons.integrity"]);
    let split = [propose(P0, 7), propose(P1, 8), decide(P0, 7), decide(P1, 8)];
    assert_eq!(check(2, &split), ["cons.agreement", "cons.uniform-agreement"]);
    let stuck = [propose(P0, 7), propose(P1, 8), decide(P0, 7)];
    assert_eq!(check(2, &stuck), ["cons.termination"]);
}

#[test]
fn after_a_crash_the_same_decision_is_good_and_another_is_not() {
    let crash = || [propose(P0, 7), propose(P0, 8), decide(P0, 7), Act::Crash(P0)];
    let back = |decisions: &[Value]| {
        let decisions = decisions.iter().map(|value| decide(P0, *value));
        let history: Vec<_> =
            crash().into_iter().chain([Act::Recover(P0)]).chain(decisions).collect();
        check(1, &history)
    };
    assert_eq!(back(&[]), [] as [&str; 0]);
    assert_eq!(back(&[7]), [] as [&str; 0]);
    assert_eq!(back(&[8]), ["cons.integrity", "cons.agreement", "cons.uniform-agreement"]);
    assert_eq!(back(&[7, 7]), ["cons.integrity"]);
}

#[test]
fn what_a_faulty_process_decided_binds_nobody_but_under_uniformity() {
    let all = [propose(P0, 7), propose(P1, 8), propose(P2, 8)];
    let dies = [decide(P0, 7), Act::Crash(P0), decide(P1, 8), decide(P2, 8)];
    let history: Vec<_> = all.into_iter().chain(dies).collect();
    assert_eq!(check(3, &history), ["cons.uniform-agreement"]);
}

#[test]
fn the_faulty_owe_no_decision() {
    assert_eq!(check(1, &[propose(P0, 7), Act::Crash(P0)]), [] as [&str; 0]);
    let back = [propose(P0, 7), Act::Crash(P0), Act::Recover(P0)];
    assert_eq!(check(1, &back), ["cons.termination"]);
}

#[test]
fn a_premise_that_never_came_true_exercises_nothing() {
    let verdict = |id: PropertyId, history: &[Act<Consensus>]| {
        let judged = judge(&Setting::of(2), history, true);
        judged.into_iter().find(|(judged, _)| *judged == id.0).map(|(_, verdict)| verdict)
    };
    let alone = [propose(P0, 7), decide(P0, 7), Act::Crash(P1)];
    assert_eq!(verdict(AGREEMENT, &alone), Some(Verdict::HeldVacuously));
    assert_eq!(verdict(UNIFORM_AGREEMENT, &alone), Some(Verdict::HeldVacuously));
    assert_eq!(verdict(TERMINATION, &alone), Some(Verdict::Held));
    for id in [VALIDITY, INTEGRITY, AGREEMENT, UNIFORM_AGREEMENT, TERMINATION] {
        assert_eq!(verdict(id, &[]), Some(Verdict::HeldVacuously));
    }
}

#[test]
fn absurd_content_is_judged_not_obeyed() {
    let absurd = [decide(P0, u64::MAX), decide(ProcessId(u32::MAX), 0)];
    let expected = ["cons.validity", "cons.uniform-agreement"];
    assert_eq!(check(1, &absurd), expected);
}

#[test]
fn the_workload_refuses_what_cannot_be() {
    let refused = |settings: ConsensusWorkload| {
        Consensus::workload(&settings, &Setting::of(2)).err().map(|invalid| invalid.key)
    };
    let fine = ConsensusWorkload::default();
    assert_eq!(refused(fine.clone()), None);
    let given =
        ConsensusWorkload { proposers: vec![P1, P0], proposals: vec![7, 8], ..fine.clone() };
    assert_eq!(refused(given), None);
    let drawn = ConsensusWorkload { draw_below: Some(1), ..fine.clone() };
    assert_eq!(refused(drawn), None);
    let stranger = ConsensusWorkload { proposers: vec![P2], ..fine.clone() };
    assert_eq!(refused(stranger).as_deref(), Some("proposers"));
    let short = ConsensusWorkload { proposals: vec![7], ..fine.clone() };
    assert_eq!(refused(short).as_deref(), Some("proposals"));
    let both = ConsensusWorkload { proposals: vec![7, 8], draw_below: Some(2), ..fine.clone() };
    assert_eq!(refused(both).as_deref(), Some("draw_below"));
    let nothing = ConsensusWorkload { draw_below: Some(0), ..fine };
    assert_eq!(refused(nothing).as_deref(), Some("draw_below"));
}

/// Decides nothing.
#[derive(Clone, Debug, Hash)]
struct Mute;

impl Answers for Mute {
    type Spec = Consensus;
}

fn requested(n: u32, workload: &str) -> Vec<String> {
    requests(&Bench::of::<Stub<Mute>>(n).workload(workload).run(1))
}

#[test]
fn each_proposer_proposes_once_its_own_number_or_the_value_given() {
    let own = requested(3, "{}");
    assert_eq!(own, ["0s p0 Propose(0)", "0s p1 Propose(1)", "0s p2 Propose(2)"]);
    let given = requested(3, r#"{"proposers": ["p2", "p0"], "proposals": [7, 8], "at": "5ms"}"#);
    assert_eq!(given, ["5ms p2 Propose(7)", "5ms p0 Propose(8)"]);
}

#[test]
fn values_and_times_can_be_drawn() {
    let drawn = requested(40, r#"{"draw_below": 3}"#);
    let value = |line: &String| line.split_once(" Propose").expect("a proposal").1.to_owned();
    let values: BTreeSet<_> = drawn.iter().map(value).collect();
    assert_eq!(values, ["(0)", "(1)", "(2)"].map(String::from).into());
    let spread = requested(40, r#"{"at": "5ms..7ms"}"#);
    let at = |line: &String| {
        line.split_once(' ').expect("a time").0.parse::<Duration>().expect("a duration")
    };
    let times: BTreeSet<_> = spread.iter().map(at).collect();
    assert_eq!((spread.len(), times.len()), (40, 40));
    let between = Duration::from_millis(5)..=Duration::from_millis(7);
    assert!(times.iter().all(|time| between.contains(time)), "{times:?}");
}

#[test]
fn a_proposal_is_answered_when_its_proposer_decides_whatever_the_value() {
    let asked = Consensus::operation(P1, &Request::Propose(3)).expect("an operation");
    let answered = |p| Consensus::answers(p, &Indication::Decide(4)).collect::<Vec<_>>();
    assert_eq!(answered(P1), [asked]);
    assert_ne!(answered(P0), [asked]);
}
