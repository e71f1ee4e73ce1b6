//! Every condition acts: its effect is counted in the trace, and ends with it.

use ftsim_core::environment::network::DropReason;
use ftsim_core::environment::storage::{DiskFault, OnCrash};
use ftsim_core::fault::condition::{Condition, Links, Persistence};
use ftsim_core::fault::{Action, Crash};
use ftsim_core::{Duration, Outcome, Probability, ProcessId};

use crate::scripted::{Do, Stage, after_effect, at, crash_for, ms};

const P0: ProcessId = ProcessId(0);

fn for_ms(n: u64) -> Persistence {
    Persistence::Transient(Duration::from_millis(n))
}

/// p0 and p1 send each other a message each 20 ms, ten times, at 0, 20, …, 180 ms.
fn chatter(condition: Condition, persistence: Persistence) -> Outcome {
    let lines: Vec<_> = (0..10)
        .flat_map(|i| [(20 * i, 0, vec![Do::Send(1, i)]), (20 * i, 1, vec![Do::Send(0, i)])])
        .collect();
    Stage::new(2, &lines).fault(at(15), Action::Begin(condition, persistence)).record().0
}

fn from_p0() -> Links {
    Links { from: Some([P0].into_iter().collect()), to: None }
}

#[test]
fn omissions_lose_one_direction_while_they_last() {
    let send = |persistence| {
        chatter(Condition::SendOmission(P0, Links::ALL, Probability::ALWAYS), persistence)
    };
    assert_eq!(send(for_ms(50)).statistics.dropped_for(DropReason::SendOmission), 3);
    assert_eq!(send(Persistence::Permanent).statistics.dropped_for(DropReason::SendOmission), 9);
    let receive = Condition::ReceiveOmission(P0, Links::ALL, Probability::ALWAYS);
    let outcome = chatter(receive, for_ms(50));
    // Arrivals at 30 and 50 ms fall into 15..65 ms; the one at 10 came before, the one at 70 comes
    // after.
    assert_eq!(outcome.statistics.dropped_for(DropReason::ReceiveOmission), 2);
}

#[test]
fn an_intermittent_condition_comes_and_goes() {
    let persistence = Persistence::Intermittent {
        period: Duration::from_millis(40),
        on: Duration::from_millis(10),
    };
    // On during 15..25, 55..65, …: every other message of p0, at 20, 60, 100, 140 and 180 ms.
    let omission = Condition::SendOmission(P0, Links::ALL, Probability::ALWAYS);
    let outcome = chatter(omission, persistence);
    assert_eq!(outcome.statistics.dropped_for(DropReason::SendOmission), 5);
}

#[test]
fn links_lose_double_delay_and_clog_in_their_direction_alone() {
    let lost = chatter(Condition::Loss(from_p0(), Probability::ALWAYS), for_ms(50));
    assert_eq!(lost.statistics.dropped_for(DropReason::Loss), 3);
    let doubled = chatter(Condition::Duplicate(from_p0(), Probability::ALWAYS), for_ms(50));
    assert_eq!((doubled.statistics.duplicated, doubled.statistics.delivered), (3, 23));
    let late =
        chatter(Condition::Late(from_p0(), Duration::from_millis(500)), Persistence::Permanent);
    assert_eq!(late.at, ms(180 + 10 + 500));
    let clogged = Stage::new(2, &[(20, 0, vec![Do::Send(1, 1)]), (20, 1, vec![Do::Send(0, 2)])])
        .fault(at(15), Action::Begin(Condition::Clog(from_p0()), for_ms(100)));
    assert_eq!(clogged.play(), ["30 p0 Heard(1, 2)", "125 p1 Heard(0, 1)"]);
}

#[test]
fn a_slow_process_sends_and_wakes_late() {
    let lines = [(20, 0, vec![Do::Send(1, 1), Do::SetTimer(10, 1)]), (20, 1, vec![Do::Send(0, 2)])];
    let slow = Action::Begin(Condition::Slow(P0, 3), Persistence::Permanent);
    let play = Stage::new(2, &lines).fault(at(0), slow).play();
    assert_eq!(play, ["30 p0 Heard(1, 2)", "50 p1 Heard(0, 1)", "50 p0 Rang(1)"]);
}

fn writer() -> Stage {
    Stage::new(
        1,
        &[
            (0, 0, vec![Do::Append(1), Do::Sync, Do::Say(1)]),
            (50, 0, vec![Do::Append(2), Do::Sync, Do::Say(2)]),
        ],
    )
}

#[test]
fn a_failing_disk_stops_a_process_that_knows_no_better() {
    for condition in [Condition::SyncFails(P0), Condition::DiskFull(P0)] {
        let stage = writer().fault(at(20), Action::Begin(condition, Persistence::Permanent));
        let (outcome, _) = stage.record();
        assert_eq!(stage.play(), ["0 p0 Word(1)"]);
        assert_eq!(outcome.statistics.crashes, 1);
    }
}

#[test]
fn a_slow_sync_blocks_the_process() {
    let condition = Condition::SlowSync(P0, Duration::from_millis(30));
    let stage = writer().fault(at(20), Action::Begin(condition, for_ms(100)));
    assert_eq!(stage.play(), ["0 p0 Word(1)", "80 p0 Word(2)"]);
}

#[test]
fn a_slow_sync_that_fails_in_the_end_stops_the_process() {
    let slow = Condition::SlowSync(P0, Duration::from_millis(30));
    let stage = writer()
        .fault(at(20), Action::Begin(slow, for_ms(100)))
        .fault(at(60), Action::Begin(Condition::SyncFails(P0), Persistence::Permanent));
    assert_eq!(stage.play(), ["0 p0 Word(1)"]);
    assert_eq!(stage.record().0.statistics.crashes, 1);
}

#[test]
fn a_fault_says_what_its_crash_leaves_on_the_disk() {
    let lines = [(0, 0, vec![Do::Append(1), Do::Sync, Do::Append(2), Do::Append(3)])];
    let found = |disk| {
        let crash = Crash {
            disk: Some(disk),
            recover_after: Some(Duration::from_millis(10)),
            ..Crash::default()
        };
        Stage::new(1, &lines).fault(after_effect(0, 4), Action::Crash(P0, crash)).play()
    };
    assert_eq!(found(OnCrash::LoseUnsynced), ["10 p0 Found([1])"]);
    assert_eq!(found(OnCrash::KeepAll), ["10 p0 Found([1, 2, 3])"]);
    assert_eq!(found(OnCrash::LoseAll), ["10 p0 Found([])"]);
}

#[test]
fn damage_shows_when_the_process_comes_back() {
    let found = |fault| {
        let stage = writer().fault(at(60), Action::Damage(P0, fault));
        stage.fault(at(70), crash_for(0, Some(10))).play().pop()
    };
    assert_eq!(found(DiskFault::LoseDisk).as_deref(), Some("80 p0 Found([])"));
    assert_eq!(found(DiskFault::Rollback(1)).as_deref(), Some("80 p0 Found([1])"));
    let corrupt = found(DiskFault::CorruptRecord).unwrap_or_default();
    assert!(corrupt == "80 p0 Found([1])" || corrupt == "80 p0 Found([2])", "{corrupt}");
}

#[test]
fn stabilisation_ends_every_condition() {
    let lines = [(20, 0, vec![Do::Send(1, 1)]), (60, 0, vec![Do::Send(1, 2)])];
    let omission = Condition::SendOmission(P0, Links::ALL, Probability::ALWAYS);
    let stage = Stage::new(2, &lines)
        .with(|e| e.network.stabilise_at = Some(ms(50)))
        .fault(at(0), Action::Begin(omission, Persistence::Permanent));
    assert_eq!(stage.play(), ["70 p1 Heard(0, 2)"]);
}

#[test]
fn what_a_condition_holds_up_arrives_when_the_network_has_stabilised() {
    let lines = [(20, 0, vec![Do::Send(1, 1)]), (60, 0, vec![Do::Send(1, 2)])];
    let late = Condition::Late(from_p0(), Duration::from_secs(9));
    for condition in [Condition::Clog(from_p0()), late, Condition::Slow(P0, 100)] {
        let stage = Stage::new(2, &lines)
            .with(|e| e.network.stabilise_at = Some(ms(50)))
            .fault(at(0), Action::Begin(condition, Persistence::Permanent));
        // Sent before 50 ms, so there by 50 ms and the bound of 10 ms.
        assert_eq!(stage.play(), ["60 p1 Heard(0, 1)", "70 p1 Heard(0, 2)"]);
    }
}

#[test]
fn a_condition_that_begins_when_the_network_has_stabilised_is_not_bounded() {
    let stage = Stage::new(2, &[(50, 0, vec![Do::Send(1, 1)])])
        .with(|e| e.network.stabilise_at = Some(ms(50)))
        .fault(at(50), Action::Begin(Condition::Slow(P0, 3), Persistence::Permanent));
    assert_eq!(stage.play(), ["80 p1 Heard(0, 1)"]);
}
