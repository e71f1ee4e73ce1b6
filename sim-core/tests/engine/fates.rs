//! Who is struck: processes that are late, that abort aloud, that share their fate, that the seed
//! chooses or that lead.

use std::collections::BTreeSet;

use ftsim_core::environment::detector::{DetectorConfig, DetectorKind, RandomMistakes};
use ftsim_core::environment::network::{Cut, DropReason};
use ftsim_core::fault::choice::{DrawnTarget, TargetRule};
use ftsim_core::fault::condition::{Condition, Links, Persistence};
use ftsim_core::fault::{Action, Crash, Fault, Trigger};
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::time::CountRange;
use ftsim_core::{DurationRange, Outcome, Probability, ProcessId};

use crate::scripted::{Do, LEADS, RESIGNS, Stage, after_effect, at, crash, crash_for};

const fn p(index: u32) -> ProcessId {
    ProcessId(index)
}

fn aborts(process: u32) -> Action {
    Action::Crash(p(process), Crash { announced: true, ..Crash::default() })
}

#[test]
fn a_late_process_is_absent_until_it_starts() {
    let lines = [
        (0, 0, vec![Do::Send(1, 7)]),
        (20, 1, vec![Do::Say(1)]),
        (60, 0, vec![Do::Send(1, 8)]),
        (80, 1, vec![Do::Say(2)]),
    ];
    let stage = Stage::new(2, &lines).fault(at(50), Action::Start(p(1)));
    assert_eq!(stage.play(), ["70 p1 Heard(0, 8)", "80 p1 Word(2)"]);
    let (outcome, _) = stage.record();
    assert_eq!(outcome.statistics.dropped_for(DropReason::ReceiverDown), 1);
    assert!(outcome.unfired.is_empty());
}

#[test]
fn an_exception_is_told_to_all_without_a_detector_and_a_crash_is_not() {
    let play = |action| Stage::new(3, &[]).fault(at(50), action).play();
    assert_eq!(play(aborts(2)), ["50 p0 Suspects(2)", "50 p1 Suspects(2)"]);
    assert_eq!(play(crash(2)), [""; 0]);
}

#[test]
fn an_exception_is_told_once_where_the_detector_tells_it_too() {
    let delay = DurationRange::constant(ftsim_core::Duration::from_millis(5));
    let detector = DetectorConfig { kind: DetectorKind::Perfect, delay, ..Default::default() };
    let stage = Stage::new(2, &[]).fault(at(50), aborts(1)).with(|e| e.detector = detector);
    assert_eq!(stage.play(), ["55 p0 Suspects(1)"]);
}

#[test]
fn whatever_stops_one_of_a_group_stops_all_of_it() {
    let group = || [p(0), p(1)].into_iter().collect();
    let lines =
        [(0, 0, vec![Do::Broadcast(1)]), (30, 1, vec![Do::Say(1)]), (30, 2, vec![Do::Say(2)])];
    let stage = |action| {
        let stage = Stage::new(3, &lines).fault(after_effect(0, 2), action);
        stage.with(|e| e.fate_groups = vec![group()])
    };
    let crashed = stage(crash_for(0, Some(500)));
    // p0 dies between its sends, p1 at the same instant; both come back together.
    assert_eq!(crashed.play(), ["30 p2 Word(2)", "500 p0 Found([])", "500 p1 Found([])"]);
    assert_eq!(crashed.record().0.statistics.crashes, 2);
    let paused = stage(Action::Pause { process: p(0), resume_after: None });
    assert_eq!(paused.play().last().map(String::as_str), Some("30 p2 Word(2)"));
}

/// The processes that crash in the run of this seed, of five candidates.
fn struck(of: TargetRule, seed: u64) -> Vec<ProcessId> {
    let mut stage = Stage::new(5, &[]);
    for process in 0..5 {
        stage = stage.fault(at(50), crash(process));
    }
    let choice = DrawnTarget { faults: 0..5, candidate_count: 5, of };
    let outcome = stage.with(|e| e.choices = vec![choice]).simulation().run(seed);
    (0..5).map(p).filter(|q| !outcome.unfired.contains(&q.index())).collect()
}

#[test]
fn each_seed_chooses_as_many_as_asked_and_not_always_the_same() {
    for (of, count) in [(TargetRule::Any, 1), (TargetRule::Minority, 2), (TargetRule::Majority, 3)]
    {
        let choices: BTreeSet<Vec<ProcessId>> = (0..50).map(|seed| struck(of, seed)).collect();
        assert!(choices.iter().all(|chosen| chosen.len() == count), "{of}: {choices:?}");
        assert!(choices.len() >= 4, "{of}: {choices:?}");
    }
}

/// A fault of each process for the case that it leads.
fn of_the_leader(stage: Stage, action: impl Fn(ProcessId) -> Action) -> Outcome {
    let n = stage.experiment.setting.n;
    let strikes = |q: ProcessId| Action::IfLeads(q, Box::new(action(q)));
    let faults = (0..n).map(|q| Fault { trigger: at(50), action: strikes(p(q)) });
    stage.with(|e| e.plan.faults.extend(faults)).record().0
}

#[test]
fn the_leader_is_who_claimed_so_last() {
    let lines = [(10, 1, vec![Do::Say(LEADS)]), (20, 2, vec![Do::Say(LEADS)])];
    let outcome = of_the_leader(Stage::new(3, &lines), |q| crash(q.0));
    assert_eq!((outcome.statistics.crashes, outcome.unfired), (1, vec![0, 1]));
    let resigned = [(10, 1, vec![Do::Say(LEADS)]), (20, 1, vec![Do::Say(RESIGNS)])];
    let outcome = of_the_leader(Stage::new(3, &resigned), |q| crash(q.0));
    assert_eq!((outcome.statistics.crashes, outcome.unfired), (0, vec![0, 1, 2]));
}

#[test]
fn a_trace_says_who_leads_and_what_an_indication_means() {
    let lines = [(10, 1, vec![Do::Say(LEADS), Do::Say(7), Do::Say(RESIGNS), Do::Say(LEADS)])];
    let (_, trace) = Stage::new(2, &lines).record();
    let said = trace.entries.iter().filter_map(|entry| match &entry.what {
        TraceEvent::Indicate { what, phrase, leads } => {
            Some((what.as_str(), phrase.as_deref(), *leads))
        }
        _ => None,
    });
    let leads = ("Word(1000)", Some("leads from now on"), Some(true));
    let expected = [leads, ("Word(7)", None, None), ("Word(1001)", None, Some(false)), leads];
    assert_eq!(said.collect::<Vec<_>>(), expected);
}

#[test]
fn the_leader_can_be_cut_off() {
    let lines = [(10, 1, vec![Do::Say(LEADS)]), (60, 0, vec![Do::Send(1, 1), Do::Send(2, 2)])];
    let isolate = |q| {
        let cut = Cut::Groups(vec![vec![q]]);
        Action::Begin(Condition::Partition(cut), Persistence::Permanent)
    };
    let outcome = of_the_leader(Stage::new(3, &lines), isolate);
    assert_eq!(outcome.statistics.dropped_for(DropReason::Cut), 1);
    assert_eq!(outcome.statistics.delivered, 1);
}

#[test]
fn a_state_that_changes_is_noticed_when_it_is_used() {
    let lines = [(10, 0, vec![Do::Recall]), (60, 0, vec![Do::Recall]), (60, 1, vec![Do::Recall])];
    let said = Stage::new(2, &lines).fault(at(50), Action::CorruptState(p(0))).play();
    assert_eq!((said[0].as_str(), said[2].as_str()), ("10 p0 Word(0)", "60 p1 Word(0)"));
    assert_ne!(said[1], "60 p0 Word(0)");
}

#[test]
fn what_the_seed_did_not_choose_never_strikes() {
    let stage = Stage::new(1, &[]).fault(Trigger::Never, crash(0));
    let (outcome, _) = stage.record();
    assert_eq!((outcome.statistics.crashes, outcome.unfired), (0, vec![0]));
}

fn omega() -> DetectorConfig {
    let delay = DurationRange::constant(ftsim_core::Duration::from_millis(5));
    DetectorConfig { kind: DetectorKind::Omega, delay, ..DetectorConfig::default() }
}

#[test]
fn omega_names_the_lowest_process_that_is_up() {
    let stage = Stage::new(3, &[])
        .fault(at(50), crash_for(0, Some(100)))
        .fault(at(60), crash(1))
        .with(|e| e.detector = omega());
    assert_eq!(
        stage.play(),
        [
            "5 p0 Trusts(0)",
            "5 p1 Trusts(0)",
            "5 p2 Trusts(0)",
            "55 p1 Trusts(1)",
            "55 p2 Trusts(1)",
            "65 p2 Trusts(2)",
            "150 p0 Found([])",
            "155 p0 Trusts(0)",
            "155 p2 Trusts(0)",
        ]
    );
}

#[test]
fn omega_agrees_in_the_end_after_any_mistakes_and_crashes() {
    for seed in 0..200 {
        let mut stage = Stage::new(4, &[]).fault(at(100), crash(0)).fault(at(100), crash(2));
        let random = RandomMistakes {
            count: CountRange { min: 0, max: 3 },
            duration: DurationRange {
                min: ftsim_core::Duration::from_millis(1),
                max: ftsim_core::Duration::from_millis(50),
            },
            until: crate::scripted::ms(300),
        };
        let delay = DurationRange { min: Default::default(), ..random.duration };
        stage.experiment.detector =
            DetectorConfig { random_mistakes: Some(random), delay, ..omega() };
        let (_, trace) = stage.simulation().record(seed);
        let mut last = std::collections::BTreeMap::new();
        for entry in &trace.entries {
            if let TraceEvent::Trust { subject } = entry.what {
                last.insert(entry.process, subject);
            }
        }
        for correct in [1, 3] {
            assert_eq!(last.get(&Some(p(correct))), Some(&p(1)), "seed {seed}");
        }
    }
}

#[test]
fn all_faults_of_a_chosen_candidate_strike_and_none_of_another() {
    let mut chosen = BTreeSet::new();
    for seed in 0..40 {
        // A fault of everybody, then two of each candidate.
        let stage = (0..4).fold(Stage::new(4, &[]).fault(at(1), Action::Heal), |stage, process| {
            let again = Action::Pause { process: p(process), resume_after: None };
            stage.fault(at(5), crash_for(process, Some(2))).fault(at(20), again)
        });
        let of = TargetRule::Any;
        let choice = DrawnTarget { faults: 1..9, candidate_count: 4, of };
        let plan = stage.with(|e| e.choices.push(choice)).simulation().run(seed).plan;
        let kept: Vec<usize> =
            (0..9).filter(|index| plan.faults[*index].trigger != Trigger::Never).collect();
        let [0, first, second] = kept[..] else { panic!("{kept:?}") };
        assert!(first % 2 == 1 && second == first + 1, "{kept:?}");
        chosen.insert(first);
    }
    assert_eq!(chosen, BTreeSet::from([1, 3, 5, 7]));
}

#[test]
fn a_fault_that_waits_for_a_leader_can_replay_what_was_sent_before() {
    let talk = (0..20).map(|i| (40 + i, 0, vec![Do::Broadcast(i)]));
    let lines: Vec<_> = [(10, 1, vec![Do::Say(LEADS)])].into_iter().chain(talk).collect();
    let replay = Condition::Replay(Links::ALL, Probability::ALWAYS);
    let begin = |_| Action::Begin(replay.clone(), Persistence::Permanent);
    let outcome = of_the_leader(Stage::new(3, &lines), begin);
    // From 50 ms on, a message on each of two links a millisecond.
    assert_eq!(outcome.statistics.replayed, 20);
}
