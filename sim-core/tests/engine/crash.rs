//! A crash lands exactly where it is put: between any two effects, and takes with it exactly what
//! it should.

use crate::scripted::{Do, Said, Script, Stage, Theatre, after_effect, at, crash, crash_for};
use ftsim_core::environment::network::DropReason;
use ftsim_core::fault::{Action, Crash, InFlight, Trigger};
use ftsim_core::{Bound, Cx, Model, Never, Process, ProcessId, Protocol, Setting};

fn broadcast() -> Stage {
    Stage::new(4, &[(0, 0, vec![Do::Broadcast(5), Do::Say(1)])])
}

#[test]
fn a_broadcast_is_n_effects_and_dies_after_any_of_them() {
    let all = ["0 p0 Word(1)", "0 p0 Heard(0, 5)"];
    let others = ["10 p1 Heard(0, 5)", "10 p2 Heard(0, 5)", "10 p3 Heard(0, 5)"];
    assert_eq!(broadcast().play(), [&all[..], &others[..]].concat());
    for sent in 0..=3 {
        // The first effect is the message to itself, which is never handled.
        let play = broadcast().fault(after_effect(0, 1 + sent), crash(0)).play();
        assert_eq!(play, others[..usize::try_from(sent).unwrap()]);
    }
    let play = broadcast().fault(after_effect(0, 5), crash(0)).play();
    assert_eq!(play, [&all[..1], &others[..]].concat());
}

#[test]
fn a_crash_after_the_nth_send_of_a_kind_counts_sends_to_others_only() {
    let sends = |nth| Trigger::Sends { process: ProcessId(0), kind: "Data".into(), nth };
    let play = broadcast().fault(sends(2), crash(0)).play();
    assert_eq!(play, ["10 p1 Heard(0, 5)", "10 p2 Heard(0, 5)"]);
    let (outcome, _) = broadcast().fault(sends(4), crash(0)).record();
    assert_eq!((outcome.unfired, outcome.statistics.crashes), (vec![0], 0));
}

#[test]
fn messages_under_way_travel_on_or_are_lost() {
    let die = |in_flight| {
        let action = Action::Crash(ProcessId(0), Crash { in_flight, ..Crash::default() });
        broadcast().fault(at(5), action).record().0.statistics
    };
    assert_eq!(die(InFlight::Keep).delivered, 3);
    assert_eq!(die(InFlight::Lose).delivered, 0);
    assert_eq!(die(InFlight::Lose).dropped_for(DropReason::SenderCrashed), 3);
}

#[test]
fn a_fault_elsewhere_waits_for_the_handler_to_end() {
    // p0's second effect crashes p1; p0 goes on and p1 hears nothing.
    let play = broadcast().fault(after_effect(0, 2), crash(1)).play();
    let expected = ["0 p0 Word(1)", "0 p0 Heard(0, 5)", "10 p2 Heard(0, 5)", "10 p3 Heard(0, 5)"];
    assert_eq!(play, expected);
}

#[test]
fn what_was_not_synced_is_lost_and_what_was_is_found() {
    let todo = vec![Do::Append(1), Do::Sync, Do::Append(2), Do::Append(3), Do::Sync, Do::Say(9)];
    let found = |nth| {
        let stage = Stage::new(1, &[(0, 0, todo.clone())]);
        stage.fault(after_effect(0, nth), crash_for(0, Some(20))).play()
    };
    assert_eq!(found(1), ["20 p0 Found([])"]);
    assert_eq!(found(2), ["20 p0 Found([1])"]);
    assert_eq!(found(4), ["20 p0 Found([1])"]);
    assert_eq!(found(5), ["20 p0 Found([1, 2, 3])"]);
    assert_eq!(found(6), ["0 p0 Word(9)", "20 p0 Found([1, 2, 3])"]);
}

#[test]
fn a_rewrite_is_one_piece_and_volatile_until_synced() {
    let todo = vec![Do::Append(1), Do::Sync, Do::Rewrite(vec![7, 8]), Do::Append(9), Do::Sync];
    let found = |nth| {
        let stage = Stage::new(1, &[(0, 0, todo.clone())]);
        stage.fault(after_effect(0, nth), crash_for(0, Some(20))).play()
    };
    assert_eq!(found(4), ["20 p0 Found([1])"]);
    assert_eq!(found(5), ["20 p0 Found([7, 8, 9])"]);
}

#[test]
fn timers_of_an_earlier_life_do_not_ring() {
    let stage =
        Stage::new(1, &[(0, 0, vec![Do::SetTimer(50, 1)]), (40, 0, vec![Do::SetTimer(30, 2)])])
            .fault(at(20), crash_for(0, Some(10)));
    assert_eq!(stage.play(), ["30 p0 Found([])", "70 p0 Rang(2)"]);
}

#[test]
fn requests_and_messages_to_a_process_that_is_down_are_lost() {
    let stage = Stage::new(2, &[(0, 1, vec![Do::Send(0, 5)]), (12, 0, vec![Do::Say(1)])])
        .fault(at(5), crash_for(0, Some(10)));
    let (outcome, _) = stage.record();
    assert_eq!(stage.play(), ["15 p0 Found([])"]);
    assert_eq!(outcome.statistics.dropped_for(DropReason::ReceiverDown), 1);
}

#[test]
fn a_message_sent_before_a_crash_reaches_the_next_life() {
    let stage = Stage::new(2, &[(8, 1, vec![Do::Send(0, 5)])]).fault(at(5), crash_for(0, Some(10)));
    assert_eq!(stage.play(), ["15 p0 Found([])", "18 p0 Heard(1, 5)"]);
}

/// Says a word when it starts, and knows nothing of recoveries.
#[derive(Clone, Debug, Hash)]
struct Greeter;

impl Process for Greeter {
    type Spec = Theatre;
    type Msg = u64;
    type Timer = Never;
    type Record = Never;
    fn on_start(&mut self, cx: &mut Cx<Self>) {
        cx.indicate(Said::Word(5));
    }
    fn on_request(&mut self, _: Vec<Do>, _: &mut Cx<Self>) {}
    fn on_message(&mut self, _: ProcessId, _: u64, _: &mut Cx<Self>) {}
}

impl Protocol for Greeter {
    const NAME: &'static str = "greeter";
    const SUMMARY: &'static str = "says a word";
    const SOURCE: &'static str = "none";
    type Params = Script;
    fn model(_: &Script, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::MINORITY)
    }
    fn new(_: &Script, _: &Setting, _: ProcessId) -> Self {
        Self
    }
}

#[test]
fn a_process_that_knows_nothing_of_recoveries_starts_again() {
    let stage = Stage::new(1, &[]).fault(at(10), crash_for(0, Some(5)));
    assert_eq!(stage.play_with::<Greeter>(), ["0 p0 Word(5)", "15 p0 Word(5)"]);
}

#[test]
fn a_request_to_nobody_is_none() {
    let lines = [(5, 2, vec![Do::Say(1)]), (6, 1, vec![Do::Say(2)])];
    assert_eq!(Stage::new(2, &lines).play(), ["6 p1 Word(2)"]);
}
