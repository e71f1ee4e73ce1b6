//! Computations, on histories written by hand.

use ftsim_core::bench::history::{Act, judge};
use ftsim_core::model::property::Verdict;
use ftsim_core::{ProcessId, Setting};

use super::{Computation, Indication, JobNumber, Request, Value, step, steps};

type Event = Act<Computation>;

const NONE: [&str; 0] = [];
/// Two units, and two voters or a driver.
const UNIT: ProcessId = ProcessId(0);
const VOTERS: [ProcessId; 2] = [ProcessId(2), ProcessId(3)];

fn violated_with(answerers: &str, history: &[Event]) -> Vec<&'static str> {
    let roles = vec![("unit".into(), 2), (answerers.into(), 2)];
    let verdicts = judge(&Setting { roles, ..Setting::of(4) }, history, true).into_iter();
    verdicts.filter(|(_, v)| matches!(v, Verdict::Violated(_))).map(|(id, _)| id).collect()
}

fn violated(history: &[Event]) -> Vec<&'static str> {
    violated_with("voter", history)
}

fn asks(number: JobNumber, input: Value) -> Event {
    Act::Request(UNIT, Request::Compute { number, input, steps: 2 })
}

fn outputs(voter: usize, number: JobNumber, value: Value) -> Event {
    Act::Indicate(VOTERS[voter], Indication::Output { number, value })
}

fn effect(number: JobNumber, sum: Value) -> Event {
    Act::Indicate(UNIT, Indication::Effect { number, sum })
}

#[test]
fn different_values_have_different_results() {
    let results: std::collections::BTreeSet<Value> = (0..10_007).map(step).collect();
    assert_eq!(results.len(), 10_007);
    assert_eq!((steps(5, 0), steps(5, 1), steps(5, 2)), (5, 38, 269));
}

#[test]
fn many_steps_are_as_many_single_ones() {
    for value in [0, 5, 10_006, 10_007, u64::MAX] {
        let mut one_by_one = value;
        for count in 0..300 {
            assert_eq!(steps(value, count), one_by_one, "{count} steps from {value}");
            one_by_one = step(one_by_one);
        }
    }
    // 7 has order 10,006 modulo 10,007 or a divisor of it, and so have many steps.
    assert_eq!(steps(5, 10_006 * 400_000), 5);
}

#[test]
fn both_voters_announce_the_result() {
    assert_eq!(violated(&[asks(1, 5), outputs(0, 1, 269), outputs(1, 1, 269)]), NONE);
    let one = [asks(1, 5), outputs(0, 1, 269)];
    assert_eq!(violated(&one), ["mask.output", "smr.liveness"]);
    let dead = [asks(1, 5), outputs(0, 1, 269), Act::Crash(VOTERS[1])];
    assert_eq!(violated(&dead), NONE);
}

#[test]
fn a_wrong_result_is_no_result() {
    let wrong = [asks(1, 5), outputs(0, 1, 269), outputs(1, 1, 268)];
    assert_eq!(violated(&wrong), ["mask.correct-output", "mask.output"]);
    let invented = [asks(1, 5), outputs(0, 1, 269), outputs(1, 1, 269), outputs(0, 2, 269)];
    assert_eq!(violated(&invented), ["mask.correct-output"]);
}

#[test]
fn to_give_up_is_an_answer_but_no_result() {
    let fails = |voter: usize| Act::Indicate(VOTERS[voter], Indication::Failed { number: 1 });
    for answerers in ["voter", "driver"] {
        let history = [asks(1, 5), fails(0), fails(1)];
        assert_eq!(violated_with(answerers, &history), ["mask.output"]);
    }
}

#[test]
fn each_job_counts_once_in_the_sum() {
    let answered = |mut history: Vec<Event>| {
        for number in [1, 2] {
            let value = steps(number * 5, 2);
            history.extend([outputs(0, number, value), outputs(1, number, value)]);
        }
        violated(&[vec![asks(1, 5), asks(2, 10)], history].concat())
    };
    assert_eq!(answered(vec![effect(1, 5), effect(2, 15)]), NONE);
    assert_eq!(answered(vec![effect(1, 5), effect(1, 5), effect(2, 15)]), NONE);
    // A job that never reached the unit is not in its sum.
    assert_eq!(answered(vec![effect(2, 10)]), NONE);
    assert_eq!(answered(vec![effect(1, 5), effect(1, 10)]), ["lnk.exactly-once-effect"]);
    assert_eq!(answered(vec![effect(1, 5), effect(2, 10)]), ["lnk.exactly-once-effect"]);
    assert_eq!(answered(vec![effect(3, 5)]), ["lnk.exactly-once-effect"]);
}

#[test]
fn nothing_is_due_if_all_who_could_answer_have_crashed() {
    let roles = vec![("unit".into(), 2), ("voter".into(), 2)];
    let setting = Setting { roles, ..Setting::of(4) };
    let answer = |crashed: &[Event]| {
        let answered = [asks(1, 5), outputs(0, 1, 269), outputs(1, 1, 269)];
        let verdicts = judge(&setting, &[&answered[..], crashed].concat(), true);
        verdicts.into_iter().find(|(id, _)| *id == "mask.output").map(|(_, verdict)| verdict)
    };
    let [first, second] = VOTERS.map(Act::Crash);
    assert_eq!(answer(std::slice::from_ref(&first)), Some(Verdict::Held));
    assert_eq!(answer(&[first, second]), Some(Verdict::HeldVacuously));
}
