//! Services by units, on histories written by hand.

use ftsim_core::bench::history::{Act, judge};
use ftsim_core::model::property::Verdict;
use ftsim_core::{
    Duration, End, EndCause, Instant, Observation, Observed, ProcessId, Property as _, Setting,
};

use super::{Dependability, Figures, Indication, Report, Stop};

type Event = Act<Dependability>;

const NONE: [&str; 0] = [];
const UNITS: [ProcessId; 2] = [ProcessId(0), ProcessId(1)];
const MONITOR: ProcessId = ProcessId(2);

/// Nothing happens.
const PASSES: Event = Act::Start(MONITOR);

fn violated(history: &[Event]) -> Vec<&'static str> {
    let roles = vec![("unit".into(), 2), ("monitor".into(), 1)];
    let setting = Setting { roles, delay_bound: Duration::from_millis(1), ..Setting::of(3) };
    let verdicts = judge(&setting, history, true).into_iter();
    verdicts.filter(|(_, v)| matches!(v, Verdict::Violated(_))).map(|(id, _)| id).collect()
}

/// At 0 ms a mission of 8 ms begins.
fn begins(needed: u32) -> Event {
    Act::Indicate(MONITOR, Indication::Begins { needed, mission: Duration::from_millis(8) })
}

fn stops(unit: usize, how: Stop) -> Event {
    Act::Indicate(UNITS[unit], Indication::Stops(how))
}

fn returns(unit: usize) -> Event {
    Act::Indicate(UNITS[unit], Indication::Returns)
}

fn reports(up: u64, down: u64, failures: u64, repairs: u64) -> Event {
    let (up, down) = (Duration::from_millis(up), Duration::from_millis(down));
    Act::Indicate(MONITOR, Indication::Reports(Figures { up, down, failures, repairs }))
}

/// From 1 to 3 ms one unit is down, from 2 to 4 ms the other, and from 6 ms on the first again;
/// then comes this.
fn then(needed: u32, how: Stop, last: Event) -> Vec<Event> {
    let before = [begins(needed), stops(0, how), stops(1, how), returns(0), returns(1), PASSES];
    let mut history = before.to_vec();
    history.extend([stops(0, how), PASSES, PASSES, last, PASSES]);
    history
}

#[test]
fn in_series_all_must_be_up_and_in_parallel_one() {
    let series = |last| violated(&then(2, Stop::Safe, last));
    assert_eq!(series(reports(3, 5, 2, 1)), ["dep.reliability"]);
    assert_eq!(series(reports(5, 3, 2, 1)), ["dep.availability", "dep.reliability"]);
    assert_eq!(series(reports(3, 5, 3, 1)), ["dep.mttf", "dep.reliability"]);
    assert_eq!(series(reports(3, 5, 2, 2)), ["dep.mttr", "dep.reliability"]);
    let parallel = |last| violated(&then(1, Stop::Safe, last));
    assert_eq!(parallel(reports(7, 1, 1, 1)), ["dep.reliability"]);
    assert_eq!(parallel(reports(8, 0, 0, 0)).len(), 4);
}

#[test]
fn planned_downtime_is_no_failure() {
    assert_eq!(violated(&then(2, Stop::Planned, reports(3, 5, 0, 0))), NONE);
}

#[test]
fn a_failure_that_is_not_covered_does_harm() {
    let history = then(1, Stop::Unsafe, reports(7, 1, 1, 1));
    assert_eq!(violated(&history), ["dep.reliability", "dep.safety"]);
    // One that the other unit masks does none.
    let mut masked = vec![begins(1), stops(0, Stop::Unsafe)];
    masked.extend((0..6).map(|_| PASSES));
    masked.push(reports(8, 0, 0, 0));
    assert_eq!(violated(&masked), NONE);
}

#[test]
fn a_report_is_due_in_the_end() {
    let mut history = vec![begins(1)];
    history.extend((1..10).map(|_| PASSES));
    assert_eq!(violated(&history), ["dep.report"]);
    history.push(reports(8, 0, 0, 0));
    assert_eq!(violated(&history), NONE);
    history.pop();
    history.push(Act::Crash(MONITOR));
    assert_eq!(violated(&history), NONE);
}

/// A run may end in mid-mission.
#[test]
fn a_report_is_not_due_before_the_last_news_has_come() {
    let setting = Setting { delay_bound: Duration::from_millis(1), ..Setting::of(3) };
    let at = |ms| Instant::ZERO + Duration::from_millis(ms);
    let finished = |ms| {
        let mut report = Report::new(&setting);
        let mission = Duration::from_millis(8);
        let what = Indication::Begins { needed: 1, mission };
        let what = Observation::Indication(&what);
        let begins = Observed { at: Instant::ZERO, process: MONITOR, what };
        assert_eq!(report.observe(&begins), Ok(()));
        let is_violated = report.finish(&End::new(at(ms), EndCause::Horizon, &[true; 3])).is_err();
        (is_violated, report.undecided().is_some())
    };
    assert_eq!(finished(9), (false, true));
    assert_eq!(finished(10), (true, false));
}

#[test]
fn a_unit_whose_process_crashes_is_down() {
    let mut history = vec![begins(2), PASSES, Act::Crash(UNITS[0]), Act::Recover(UNITS[0])];
    history.extend((0..5).map(|_| PASSES));
    history.push(reports(7, 1, 1, 1));
    assert_eq!(violated(&history), ["dep.reliability"]);
}

#[test]
fn only_units_are_counted() {
    let mut history = vec![begins(2), PASSES, Act::Crash(MONITOR), Act::Recover(MONITOR)];
    history.extend((0..6).map(|_| PASSES));
    history.push(reports(8, 0, 0, 0));
    assert_eq!(violated(&history), [] as [&str; 0]);
}

#[test]
fn a_report_comes_after_the_mission() {
    let history = [begins(2), PASSES, reports(8, 0, 0, 0)];
    assert_eq!(violated(&history), ["dep.availability", "dep.mttf", "dep.mttr"]);
}
