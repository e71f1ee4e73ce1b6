//! Cuts, detectors and clocks do what they say, counted in the trace.

use crate::scripted::{Do, Stage, at, crash, crash_for, ms};
use ftsim_core::environment::detector::{DetectorKind, Mistake, RandomMistakes};
use ftsim_core::environment::message_rule::{Content, Fate, MessageRule};
use ftsim_core::environment::network::{Cut, DropReason, Loss};
use ftsim_core::fault::Action;
use ftsim_core::fault::condition::{Condition, Persistence};
use ftsim_core::time::CountRange;
use ftsim_core::{Duration, DurationRange, Probability, ProcessId};

const P: [ProcessId; 3] = [ProcessId(0), ProcessId(1), ProcessId(2)];

fn partition(cut: Cut, heal_after: Option<u64>) -> Action {
    let duration = heal_after.map(|ms| Persistence::Transient(Duration::from_millis(ms)));
    Action::Begin(Condition::Partition(cut), duration.unwrap_or(Persistence::Permanent))
}

/// All three processes broadcast at 0, 20 and 40 ms.
fn chatter() -> Stage {
    let lines: Vec<_> = [0, 20, 40]
        .into_iter()
        .flat_map(|t| (0..3).map(move |p| (t, p, vec![Do::Broadcast(t)])))
        .collect();
    Stage::new(3, &lines)
}

#[test]
fn a_cut_drops_what_would_cross_it_while_it_lasts() {
    let isolate = || Cut::Groups(vec![vec![P[0]]]);
    let cut = |cut, at_ms, for_ms| {
        let (outcome, _) = chatter().fault(at(at_ms), partition(cut, for_ms)).record();
        (outcome.statistics.dropped_for(DropReason::Cut), outcome.statistics.delivered)
    };
    // Of the six messages of a round, four cross the cut around p0.
    assert_eq!(cut(isolate(), 15, Some(20)), (4, 14));
    // What is under way when the cut comes is lost too, and so is what would arrive during it.
    assert_eq!(cut(isolate(), 5, Some(10)), (4, 14));
    assert_eq!(cut(isolate(), 0, None), (12, 6));
    assert_eq!(cut(Cut::OneWay { from: vec![P[0]], to: vec![P[1]] }, 0, None), (3, 15));
    assert_eq!(cut(Cut::Links(vec![(P[2], P[1])]), 15, None), (2, 16));
}

#[test]
fn heal_ends_every_cut() {
    let stage = chatter().fault(at(0), partition(Cut::Groups(vec![vec![P[0]]]), None));
    let (outcome, _) = stage.fault(at(15), Action::Heal).record();
    assert_eq!(outcome.statistics.dropped_for(DropReason::Cut), 4);
}

#[test]
fn the_link_to_itself_is_perfect() {
    let (outcome, _) = chatter()
        .with(|e| e.network.default.loss = Loss::Independent(Probability::ALWAYS))
        .record();
    assert_eq!(outcome.statistics.dropped_for(DropReason::Loss), 18);
    let deaf = chatter().with(|e| e.network.default.loss = Loss::Independent(Probability::ALWAYS));
    assert_eq!(deaf.play().len(), 9);
}

#[test]
fn single_messages_can_be_dropped_delayed_and_doubled() {
    let with = |nth, kind: Option<&str>, fate| {
        let kind = kind.map(str::to_owned);
        let rule = MessageRule { from: P[0], to: P[1], kind, nth, fate };
        let lines = [(0, 0, vec![Do::Send(1, 1), Do::Send(2, 9), Do::Send(1, 2)])];
        let stage = Stage::new(3, &lines).with(|e| e.overrides = vec![rule]);
        (stage.play(), stage.record().0.unused)
    };
    let late = Duration::from_millis(30);
    let (play, unused) = with(2, Some("Data"), Fate::DROP);
    assert_eq!(
        (play, unused),
        (vec!["10 p1 Heard(0, 1)".into(), "10 p2 Heard(0, 9)".into()], vec![])
    );
    let (play, _) = with(1, None, Fate::delay(late));
    assert_eq!(play, ["10 p2 Heard(0, 9)", "10 p1 Heard(0, 2)", "30 p1 Heard(0, 1)"]);
    let (play, _) = with(2, None, Fate::duplicate(late));
    let expected =
        ["10 p1 Heard(0, 1)", "10 p2 Heard(0, 9)", "10 p1 Heard(0, 2)", "30 p1 Heard(0, 2)"];
    assert_eq!(play, expected);
    assert_eq!(with(3, None, Fate::DROP).1, [0]);
    assert_eq!(with(1, Some("Other"), Fate::DROP).1, [0]);
}

#[test]
fn single_messages_can_be_garbled_and_replaced() {
    let lines = [(0, 0, vec![Do::Send(1, 1), Do::Send(1, 2), Do::Send(1, 3)])];
    let with = |fate| {
        let rule = MessageRule { from: P[0], to: P[1], kind: None, nth: 2, fate };
        Stage::new(2, &lines).with(|e| e.overrides = vec![rule])
    };
    let replaced = with(Fate::content(Content::Replaced(serde_json::json!({ "Data": 7 }))));
    let expected = ["10 p1 Heard(0, 1)", "10 p1 Heard(0, 7)", "10 p1 Heard(0, 3)"];
    assert_eq!(replaced.play(), expected);
    let statistics = replaced.record().0.statistics;
    assert_eq!((statistics.garbled, statistics.delivered), (1, 3));
    let garbled = with(Fate::content(Content::Garbled));
    let statistics = garbled.record().0.statistics;
    assert_eq!((statistics.garbled, statistics.delivered), (1, 3));
    let heard = garbled.play();
    assert_eq!([&heard[0], &heard[2]], [expected[0], expected[2]]);
    assert_ne!(heard[1], "10 p1 Heard(0, 2)");
    // A link that loses everything loses what it would garble, too.
    let lossy = garbled.with(|e| e.network.default.loss = Loss::Independent(Probability::ALWAYS));
    assert_eq!(lossy.record().0.statistics.garbled, 0);
}

#[test]
fn a_message_to_nobody_is_dropped_as_such() {
    let (outcome, _) = Stage::new(2, &[(0, 0, vec![Do::Send(9, 1)])]).record();
    assert_eq!(outcome.statistics.dropped_for(DropReason::NoSuchProcess), 1);
}

#[test]
fn copies_are_counted() {
    let twice = chatter().with(|e| e.network.default.duplicate = Probability::ALWAYS);
    let (outcome, _) = twice.record();
    assert_eq!((outcome.statistics.duplicated, outcome.statistics.delivered), (18, 36));
}

fn watched(stage: Stage) -> Stage {
    stage.with(|e| {
        e.detector.kind = DetectorKind::Perfect;
        e.detector.delay = DurationRange::constant(Duration::from_millis(5));
    })
}

#[test]
fn a_perfect_detector_tells_everybody_of_each_crash_and_recovery() {
    let stage = watched(Stage::new(3, &[])).fault(at(10), crash_for(1, Some(20)));
    let expected = [
        "15 p0 Suspects(1)",
        "15 p2 Suspects(1)",
        "30 p1 Found([])",
        "35 p0 Trusts(1)",
        "35 p2 Trusts(1)",
    ];
    assert_eq!(stage.play(), expected);
}

#[test]
fn a_perfect_detector_says_nothing_of_a_process_that_is_back_already() {
    let stage = watched(Stage::new(2, &[])).fault(at(10), crash_for(1, Some(3)));
    assert_eq!(stage.play(), ["13 p1 Found([])"]);
}

#[test]
fn a_process_that_recovers_is_told_who_is_down() {
    let stage =
        watched(Stage::new(2, &[])).fault(at(10), crash_for(0, Some(20))).fault(at(20), crash(1));
    assert_eq!(stage.play(), ["15 p1 Suspects(0)", "30 p0 Found([])", "35 p0 Suspects(1)"]);
}

#[test]
fn mistakes_are_told_and_taken_back_and_the_blind_hear_nothing() {
    let mistake = Mistake { observer: P[0], suspects: P[2], at: ms(1), until: Some(ms(9)) };
    let stage = watched(Stage::new(3, &[])).with(|e| {
        e.detector.mistakes = vec![mistake];
        e.detector.blind = vec![(P[2], P[1])];
    });
    let play = stage.fault(at(10), crash(1)).play();
    assert_eq!(play, ["1 p0 Suspects(2)", "9 p0 Trusts(2)", "15 p0 Suspects(1)"]);
}

#[test]
fn random_mistakes_are_all_taken_back_in_time() {
    let stage = watched(Stage::new(4, &[])).with(|e| {
        e.detector.random_mistakes = Some(RandomMistakes {
            count: CountRange { min: 1, max: 5 },
            duration: DurationRange {
                min: Duration::from_millis(1),
                max: Duration::from_millis(80),
            },
            until: ms(100),
        });
    });
    let stage = stage.fault(at(200), crash(3));
    let play = stage.play();
    let before: Vec<_> = play.iter().filter(|line| !line.starts_with("205")).collect();
    let suspicions = before.iter().filter(|line| line.contains("Suspects")).count();
    let trusts = before.iter().filter(|line| line.contains("Trusts")).count();
    assert!(suspicions >= 4 && suspicions == trusts, "{play:?}");
    assert_eq!(play.len() - before.len(), 3);
}

#[test]
fn a_mistake_that_came_true_is_not_taken_back() {
    let mistake = Mistake { observer: P[0], suspects: P[2], at: ms(1), until: Some(ms(9)) };
    let stage = watched(Stage::new(3, &[])).with(|e| e.detector.mistakes = vec![mistake]);
    let play = stage.fault(at(5), crash(2)).play();
    assert_eq!(play, ["1 p0 Suspects(2)", "10 p1 Suspects(2)"]);
}

#[test]
fn processes_see_their_own_clock() {
    let stage = Stage::new(2, &[(10, 0, vec![Do::Clock, Do::SetTimer(11, 1)])]).with(|e| {
        e.clocks.offset = DurationRange::constant(Duration::from_millis(3));
        e.clocks.drift_ppm = (100_000, 100_000);
    });
    assert_eq!(stage.play(), ["10 p0 Clock(14000000)", "20 p0 Rang(1)"]);
}
