//! Paused processes and processes that wait for their disk: nothing is handled meanwhile, nothing
//! is lost, and all of it comes in order.

use crate::scripted::{Do, Stage, after_effect, at, crash_for};
use ftsim_core::fault::Action;
use ftsim_core::{Duration, DurationRange, ProcessId};

fn pause(ms: u64) -> Action {
    Action::Pause { process: ProcessId(0), resume_after: Some(Duration::from_millis(ms)) }
}

fn slow_disk(stage: Stage, ms: u64) -> Stage {
    stage.with(|e| e.sync_latency = DurationRange::constant(Duration::from_millis(ms)))
}

#[test]
fn a_paused_process_handles_what_reached_it_in_order_when_it_goes_on() {
    let stage = Stage::new(
        2,
        &[
            (0, 0, vec![Do::SetTimer(30, 2)]),
            (5, 1, vec![Do::Send(0, 1)]),
            (40, 0, vec![Do::Say(4)]),
        ],
    )
    .fault(at(10), pause(50));
    assert_eq!(stage.play(), ["60 p0 Heard(1, 1)", "60 p0 Rang(2)", "60 p0 Word(4)"]);
}

#[test]
fn a_limit_comes_in_the_middle_of_an_inbox() {
    let lines: Vec<_> = (0..50).map(|i| (i, 1, vec![Do::Send(0, i)])).collect();
    let limited = |max: u64| {
        let stage = Stage::new(2, &lines).fault(at(0), pause(100));
        stage.with(|e| e.limits.event_count_max = max).record().0
    };
    let all = limited(1_000).statistics.events;
    for max in all - 49..all {
        assert_eq!(limited(max).statistics.events, max);
    }
}

#[test]
fn a_timer_in_the_inbox_is_checked_again_when_its_turn_comes() {
    // The message that cancels timer 1 arrives before the timer is due, both during the pause.
    let lines = [(0, 0, vec![Do::SetTimer(40, 1)]), (20, 1, vec![Do::Send(0, 50)])];
    let stage = Stage::new(2, &lines).fault(at(10), pause(50));
    assert_eq!(stage.play(), ["60 p0 Heard(1, 50)"]);
    // Here it arrives after: the timer rings first.
    let lines = [(0, 0, vec![Do::SetTimer(40, 1)]), (35, 1, vec![Do::Send(0, 50)])];
    let stage = Stage::new(2, &lines).fault(at(10), pause(50));
    assert_eq!(stage.play(), ["60 p0 Rang(1)", "60 p0 Heard(1, 50)"]);
}

#[test]
fn effects_behind_a_slow_sync_wait_for_it() {
    let todo = vec![Do::Append(1), Do::Say(1), Do::Sync, Do::Say(2), Do::Sync, Do::Say(3)];
    let stage = slow_disk(Stage::new(1, &[(0, 0, todo), (1, 0, vec![Do::Say(4)])]), 5);
    assert_eq!(stage.play(), ["0 p0 Word(1)", "5 p0 Word(2)", "10 p0 Word(3)", "10 p0 Word(4)"]);
}

#[test]
fn effects_behind_a_slow_sync_die_with_the_process() {
    let todo = vec![Do::Append(1), Do::Sync, Do::Say(2)];
    let stage = || slow_disk(Stage::new(1, &[(0, 0, todo.clone())]), 5);
    let early = stage().fault(at(3), crash_for(0, Some(20)));
    assert_eq!(early.play(), ["23 p0 Found([])"]);
    // A slow sync counts as an effect when it completes.
    let late = stage().fault(after_effect(0, 2), crash_for(0, Some(20)));
    assert_eq!(late.play(), ["25 p0 Found([1])"]);
}

#[test]
fn paused_and_blocked_are_two_things() {
    // The sync completes during the pause; the effects behind it wait for the pause, as the inbox.
    let todo = vec![Do::Append(1), Do::Sync, Do::Say(2)];
    let lines = [(0, 0, todo), (1, 0, vec![Do::Say(3)])];
    let stage = slow_disk(Stage::new(1, &lines), 5).fault(at(2), pause(28));
    assert_eq!(stage.play(), ["30 p0 Word(2)", "30 p0 Word(3)"]);
    // The pause ends during the sync; the inbox waits for the sync.
    let todo = vec![Do::Append(1), Do::Sync, Do::Say(2)];
    let lines = [(0, 0, todo), (1, 0, vec![Do::Say(3)])];
    let stage = slow_disk(Stage::new(1, &lines), 20).fault(at(2), pause(5));
    assert_eq!(stage.play(), ["20 p0 Word(2)", "20 p0 Word(3)"]);
}

#[test]
fn a_crash_ends_a_pause_and_loses_the_inbox() {
    let lines = [(5, 1, vec![Do::Send(0, 1)])];
    let stage =
        Stage::new(2, &lines).fault(at(1), pause(100)).fault(at(20), crash_for(0, Some(10)));
    assert_eq!(stage.play(), ["30 p0 Found([])"]);
}
