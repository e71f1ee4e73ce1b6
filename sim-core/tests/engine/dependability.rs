//! Figures come out exactly as histories written by hand and scripted faults say.

use crate::scripted::{Do, Stage, at, crash, crash_for, ms};
use ftsim_core::adversary::Behaviour;
use ftsim_core::fault::{Action, Crash};
use ftsim_core::outcome::dependability::{Dependability, Unit};
use ftsim_core::outcome::history::History;
use ftsim_core::{Duration, Instant, OperationName, ProcessId};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const MS: u128 = 1_000_000;

fn millis(n: u64) -> Option<Duration> {
    Some(Duration::from_millis(n))
}

/// Up and down milliseconds, failures, repairs.
fn lived(unit: &Unit) -> (u128, u128, u64, u64) {
    (unit.up_ns / MS, unit.down_ns / MS, unit.failures, unit.repairs)
}

/// A history of changes: at this millisecond this process is up, or is not.
fn history(changes: &[(u64, u32, bool)]) -> History {
    let mut history = History::default();
    for (at, p, serves) in changes {
        history.serves(ProcessId(*p), *serves, ms(*at));
    }
    history
}

fn figures(history: &History, n: u32, end: Instant, messages: u64) -> Dependability {
    Dependability::of(history, n, end, messages).0
}

#[test]
fn without_a_failure_there_is_no_mean() {
    let figures = figures(&History::default(), 3, ms(100), 0);
    let unit = figures.process();
    assert_eq!(lived(&unit), (300, 0, 0, 0));
    assert_eq!((unit.mttf(), unit.mttr(), unit.mtbf()), (None, None, None));
    assert_eq!((unit.availability(), unit.up_share()), (None, Some(1.0)));
    assert_eq!((figures.run_count, figures.unfailed_run_count), (1, 1));
    let operations = &figures.operations;
    assert_eq!((operations.answered_share(), operations.latency_mean()), (None, None));
    assert_eq!((operations.waited_mean(), figures.messages_per_operation()), (None, None));
    let nothing = Dependability::default();
    assert_eq!((nothing.process().up_share(), nothing.series.up_share()), (None, None));
}

#[test]
fn a_unit_that_fails_and_is_repaired() {
    let changes = [(60, 0, false), (80, 0, true), (180, 0, false), (200, 0, true)];
    let figures = figures(&history(&changes), 1, ms(200), 0);
    let unit = figures.process();
    assert_eq!(lived(&unit), (160, 40, 2, 2));
    assert_eq!((unit.mttf(), unit.mttr(), unit.mtbf()), (millis(80), millis(20), millis(100)));
    assert_eq!((unit.availability(), unit.up_share()), (Some(0.8), Some(0.8)));
    assert_eq!(figures.unfailed_run_count, 0);
}

#[test]
fn a_unit_that_is_never_repaired_has_no_time_to_repair() {
    let unit = figures(&history(&[(25, 0, false)]), 1, ms(100), 0).process();
    assert_eq!(lived(&unit), (25, 75, 1, 0));
    assert_eq!((unit.mttf(), unit.mttr(), unit.mtbf()), (millis(25), None, None));
    assert_eq!((unit.availability(), unit.up_share()), (None, Some(0.25)));
}

#[test]
fn who_is_down_already_does_not_fail_again() {
    let changes = [(10, 0, false), (20, 0, false), (30, 0, true), (40, 0, true)];
    let figures = figures(&history(&changes), 1, ms(50), 0);
    assert_eq!(lived(&figures.process()), (30, 20, 1, 1));
}

/// In series A is the product of the parts', in parallel 1 - (1 - A)(1 - B). p0 is down a quarter
/// of the time and p1 half of it, whether the other is up or down.
#[test]
fn availability_in_series_and_in_parallel() {
    let mut changes = Vec::new();
    for period in 0..10 {
        let start = 80 * period;
        changes.extend([(start, 0, false), (start + 10, 1, false), (start + 20, 0, true)]);
        changes.extend([(start + 30, 1, true), (start + 50, 1, false), (start + 70, 1, true)]);
    }
    let figures = figures(&history(&changes), 2, ms(800), 0);
    let availability = |unit: &Unit| unit.up_share();
    let [p0, p1] = &figures.processes[..] else { panic!("two processes") };
    assert_eq!((availability(p0), p0.availability()), (Some(0.75), Some(0.75)));
    assert_eq!((availability(p1), p1.availability()), (Some(0.5), Some(0.5)));
    assert_eq!(availability(&figures.series), Some(0.75 * 0.5));
    assert_eq!(availability(&figures.parallel), Some(1.0 - 0.25 * 0.5));
}

/// Two units of opposite profiles: one is down for a millisecond each hour, the other two weeks a
/// year.
#[test]
fn high_availability_is_not_high_reliability() {
    let hour_ns = 3_600_000 * MS;
    let hours = 52 * 7 * 24;
    let year_ns = u128::from(hours) * hour_ns;
    let down_ns = u128::from(hours) * MS;
    let hasty = Unit { up_ns: year_ns - down_ns, down_ns, failures: hours, repairs: hours };
    let two_weeks_ns = year_ns / 26;
    let rare =
        Unit { up_ns: year_ns - two_weeks_ns, down_ns: two_weeks_ns, failures: 1, repairs: 1 };
    assert_eq!(hasty.mtbf(), Some(Duration::from_secs(3600)));
    assert_eq!(hasty.availability(), Some(3_599_999.0 / 3_600_000.0));
    assert_eq!(rare.mttf(), Some(Duration::from_secs(50 * 7 * 24 * 3600)));
    assert_eq!(rare.availability(), Some(25.0 / 26.0));
    assert!(hasty.availability() > rare.availability() && hasty.mttf() < rare.mttf());
}

#[test]
fn operations_count_from_the_request_to_the_first_answer() {
    let mut history = History::default();
    let name = |number| OperationName { asked: P0, answers: P1, number };
    for number in 0..4 {
        history.ask(name(number), ms(10 * number));
    }
    history.answer(name(0), ms(7));
    history.answer(name(0), ms(70));
    history.answer(name(1), ms(11));
    // An answer that is there before anybody asks takes no time; one that nobody asks for is none.
    history.answer(name(2), ms(3));
    history.answer(name(9), ms(3));
    history.answer(OperationName { asked: P1, answers: P0, number: 3 }, ms(31));
    let (figures, latencies) = Dependability::of(&history, 2, ms(90), 22);
    let operations = &figures.operations;
    assert_eq!((operations.asked, operations.answered), (4, 3));
    assert_eq!(operations.answered_share(), Some(0.75));
    assert_eq!(latencies, [7, 1, 0].map(Duration::from_millis));
    assert_eq!(operations.latency_ns, 8 * MS);
    assert_eq!(operations.latency_mean(), Some(Duration::from_nanos(2_666_666)));
    assert_eq!(operations.waited_mean(), millis(60));
    assert_eq!(figures.messages_per_operation(), Some(5.5));
}

#[test]
fn figures_of_many_runs_add_up_in_any_order() {
    let one = figures(&history(&[(60, 0, false), (80, 0, true)]), 2, ms(100), 7);
    let other = figures(&history(&[(50, 1, false)]), 2, ms(200), 5);
    let sum = |parts: [&Dependability; 2]| {
        let mut sum = Dependability::default();
        parts.into_iter().for_each(|part| sum.add(part));
        sum
    };
    let both = sum([&one, &other]);
    assert_eq!(both, sum([&other, &one]));
    assert_eq!((both.run_count, both.unfailed_run_count, both.messages), (2, 0, 12));
    assert_eq!(lived(&both.processes[0]), (280, 20, 1, 1));
    assert_eq!(lived(&both.processes[1]), (150, 150, 1, 0));
    assert_eq!(lived(&both.process()), (430, 170, 2, 1));
    let counts = |asked, answered, latency_ns, waited_ns| {
        let mut figures = Dependability::default();
        let operations = &mut figures.operations;
        (operations.asked, operations.answered) = (asked, answered);
        (operations.latency_ns, operations.waited_ns) = (latency_ns, waited_ns);
        figures.run_count = 3;
        figures.unfailed_run_count = 2;
        figures
    };
    let twice = sum([&counts(2, 3, 5, 7), &counts(11, 13, 17, 19)]);
    assert_eq!(twice.operations, counts(13, 16, 22, 26).operations);
    assert_eq!((twice.run_count, twice.unfailed_run_count), (6, 4));
    let failed: Vec<_> = one.failed().map(|(p, _)| p).collect();
    assert_eq!(failed, [P0]);
}

#[test]
fn scripted_crashes_and_recoveries_are_measured_exactly() {
    let stage = (0..4).fold(Stage::new(2, &[]), |stage, n| {
        stage.fault(at(100 + 250 * n), crash_for(0, Some(50)))
    });
    // Nothing is left to happen after the last recovery, at 900 ms.
    let (outcome, _) = stage.record();
    assert_eq!(outcome.at, ms(900));
    let [p0, p1] = &outcome.dependability.processes[..] else { panic!("two processes") };
    assert_eq!(lived(p0), (700, 200, 4, 4));
    assert_eq!((p0.mttf(), p0.mttr(), p0.mtbf()), (millis(175), millis(50), millis(225)));
    assert_eq!(p0.availability(), Some(700.0 / 900.0));
    assert_eq!(lived(p1), (900, 0, 0, 0));
    assert_eq!(outcome.dependability.series, *p0);
    assert_eq!(lived(&outcome.dependability.parallel), (900, 0, 0, 0));
}

#[test]
fn a_pause_is_a_failure_and_a_crash_in_it_is_the_same_one() {
    let pause = |resume_after| Action::Pause { process: P0, resume_after };
    let stage = Stage::new(2, &[])
        .fault(at(10), pause(millis(20)))
        .fault(at(50), pause(None))
        .fault(at(60), crash_for(0, Some(40)))
        .fault(at(200), crash(1));
    let (outcome, _) = stage.record();
    let [p0, p1] = &outcome.dependability.processes[..] else { panic!("two processes") };
    assert_eq!(lived(p0), (130, 70, 2, 2));
    assert_eq!(lived(p1), (200, 0, 1, 0));
}

#[test]
fn who_starts_late_is_counted_from_then_on() {
    let stage = Stage::new(2, &[])
        .fault(at(40), Action::Start(P1))
        .fault(at(60), crash_for(1, Some(10)))
        .fault(at(100), Action::Heal);
    let figures = stage.record().0.dependability;
    assert_eq!(lived(&figures.processes[0]), (100, 0, 0, 0));
    assert_eq!(lived(&figures.processes[1]), (50, 10, 1, 1));
    assert_eq!(lived(&figures.series), (50, 10, 1, 1));
    assert_eq!(lived(&figures.parallel), (100, 0, 0, 0));
}

#[test]
fn who_is_a_liar_before_its_late_start_was_never_up() {
    let stage = Stage::new(2, &[])
        .fault(at(0), Action::Corrupt(P1, Behaviour::Silent))
        .fault(at(40), Action::Start(P1))
        .fault(at(100), Action::Heal);
    let figures = stage.record().0.dependability;
    assert_eq!(lived(&figures.processes[0]), (100, 0, 0, 0));
    assert_eq!(lived(&figures.processes[1]), (0, 0, 0, 0));
    assert_eq!(lived(&figures.parallel), (100, 0, 0, 0));
}

#[test]
fn who_aborts_has_failed() {
    let abort = Action::Crash(P0, Crash { announced: true, ..Crash::default() });
    let stage = Stage::new(2, &[]).fault(at(30), abort).fault(at(100), Action::Heal);
    let figures = stage.record().0.dependability;
    assert_eq!(lived(&figures.processes[0]), (30, 70, 1, 0));
}

#[test]
fn who_turns_byzantine_has_failed_for_good() {
    let corrupt = Action::Corrupt(P1, Behaviour::Silent);
    let stage = Stage::new(2, &[])
        .fault(at(30), corrupt)
        .fault(at(40), crash_for(1, Some(10)))
        .fault(at(100), Action::Heal);
    let figures = stage.record().0.dependability;
    assert_eq!(lived(&figures.processes[1]), (30, 70, 1, 0));
}

#[test]
fn figures_of_several_runs_are_sums() {
    let lasting = [(10, 0, false), (30, 0, true), (50, 1, false)];
    let mut history = history(&lasting);
    for (number, asked, answered) in [(1, 0, Some(4)), (2, 10, Some(30)), (3, 60, None)] {
        let name = OperationName::at(P0, number);
        history.ask(name, ms(asked));
        answered.into_iter().for_each(|at| history.answer(name, ms(at)));
    }
    let one = figures(&history, 2, ms(100), 7);
    let mut both = one.clone();
    both.add(&one);
    assert_eq!((both.run_count, both.messages), (2 * one.run_count, 14));
    assert_eq!(both.unfailed_run_count, 2 * one.unfailed_run_count);
    let (of_one, of_both) = (&one.operations, &both.operations);
    assert_eq!((of_one.asked, of_one.answered), (3, 2));
    assert_eq!((of_both.asked, of_both.answered), (6, 4));
    assert!(of_one.latency_ns > 0 && of_one.waited_ns > 0);
    assert_eq!(of_both.latency_ns, 2 * of_one.latency_ns);
    assert_eq!(of_both.waited_ns, 2 * of_one.waited_ns);
    let twice = |(up, down, failures, repairs)| (2 * up, 2 * down, 2 * failures, 2 * repairs);
    assert_eq!(lived(&both.process()), twice(lived(&one.process())));
    assert_eq!(lived(&both.series), twice(lived(&one.series)));
    assert_eq!(lived(&both.parallel), twice(lived(&one.parallel)));
}

#[test]
fn until_the_first_process_starts_there_is_neither_uptime_nor_downtime() {
    let stage = Stage::new(2, &[(100, 0, vec![Do::Say(1)])])
        .fault(at(10), Action::Start(P0))
        .fault(at(30), Action::Start(P1));
    let figures = stage.simulation().run(1).dependability;
    let all: Vec<_> = figures.processes.iter().map(lived).collect();
    assert_eq!(all, [(90, 0, 0, 0), (70, 0, 0, 0)]);
    assert_eq!([lived(&figures.parallel), lived(&figures.series)], [(90, 0, 0, 0), (70, 0, 0, 0)]);
}
