//! A run can be told as overrides that make it again; single requests can be taken out of it.

use crate::scripted::{Do, Stage, at, crash_for};
use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::detector::DetectorKind;
use ftsim_core::environment::message_rule::{Arrival, Content, Fate, MessageRule};
use ftsim_core::environment::network::{Loss, Order};
use ftsim_core::environment::request_override::RequestOverride;
use ftsim_core::fault::condition::{Condition, Links, Persistence};
use ftsim_core::fault::random::{Occurrence, RandomAction, RandomKind};
use ftsim_core::fault::{Action, Plan};
use ftsim_core::outcome::decisions::RecordedSchedule;
use ftsim_core::time::CountRange;
use ftsim_core::{
    Duration, DurationRange, Mask, Outcome, Probability, ProcessId, RandomFaults, RunRequest,
};

const P: [ProcessId; 3] = [ProcessId(0), ProcessId(1), ProcessId(2)];

fn percent(p: u32) -> Probability {
    Probability::new(f64::from(p) / 100.0).expect("a probability")
}

/// All three processes broadcast every 2 ms, on links that delay, lose, double and change.
fn noise(order: Order) -> Stage {
    let lines: Vec<_> =
        (0..30).flat_map(|i| (0..3).map(move |p| (2 * i, p, vec![Do::Broadcast(i)]))).collect();
    Stage::new(3, &lines).with(move |e| {
        let (min, max) = (Duration::from_millis(1), Duration::from_millis(10));
        let link = &mut e.network.default;
        link.delay = Delay::Uniform(DurationRange { min, max });
        (link.loss, link.duplicate, link.garble) =
            (Loss::Independent(percent(20)), percent(20), percent(20));
        link.order = order;
    })
}

/// The run of a seed, and of what it decided; on calm links, if these decide nothing any more.
fn told(stage: &Stage, seed: u64, calm: bool) -> (Outcome, Outcome) {
    let plan: Plan = stage.experiment.plan.clone();
    let (outcome, decisions) = stage.simulation().schedule(RunRequest::under(seed, plan));
    let rules: Vec<_> = decisions.messages.into_iter().map(|decision| decision.rule).collect();
    let copy = Stage { experiment: stage.experiment.clone(), lines: stage.lines.clone() };
    let again = copy.with(|e| {
        e.overrides = rules;
        if !calm {
            return;
        }
        e.network.default.loss = Loss::default();
        e.network.default.duplicate = Probability::NEVER;
        e.network.default.garble = Probability::NEVER;
        e.network.default.delay = Delay::default();
    });
    let again = again.simulation().run(seed);
    (outcome, again)
}

#[test]
fn a_schedule_is_of_the_run_alone_and_not_of_the_profile_that_its_faults_were_drawn_from() {
    let occurrence = Occurrence {
        count: CountRange { min: 1, max: 1 },
        between: "1ms..50ms".parse().expect("a range"),
        targets: [ProcessId(1)].into_iter().collect(),
    };
    let what = RandomAction::Crash { recover_after: None, announced: false };
    let kinds = vec![RandomKind { occurrence, what }];
    let stage = noise(Order::Any).with(|e| {
        e.random = Some(RandomFaults { faulty_count_max: 1, kinds, swarm: false });
    });
    for seed in 0..20 {
        let (outcome, drawn) = stage.simulation().schedule(seed);
        let told = RunRequest::under(seed, outcome.plan);
        let (_, told) = stage.simulation().schedule(told);
        let counts = |s: &RecordedSchedule| (s.messages.len(), s.requests.len());
        assert_eq!(counts(&drawn), counts(&told), "seed {seed}");
    }
}

#[test]
fn decisions_make_the_same_run_without_the_links_that_made_them() {
    for order in [Order::Any, Order::Fifo] {
        for seed in 0..200 {
            let (outcome, again) = told(&noise(order), seed, true);
            let counts = |o: &Outcome| {
                let s = &o.statistics;
                (s.dropped, s.duplicated, s.garbled, s.delivered)
            };
            assert_eq!(counts(&outcome), counts(&again), "seed {seed}");
            assert_eq!(outcome.digest, again.digest, "seed {seed}");
            assert!(outcome.statistics.garbled > 0 && outcome.statistics.duplicated > 0);
        }
    }
}

#[test]
fn decisions_hold_under_conditions_too() {
    let all = || Links { from: None, to: None };
    let while_it_lasts = Persistence::Transient(Duration::from_millis(20));
    let within = Duration::from_millis(5);
    let conditions = [
        Condition::Loss(all(), percent(30)),
        Condition::Duplicate(all(), percent(30)),
        Condition::Late(all(), within),
        Condition::Reorder(all(), percent(50), within),
        Condition::Clog(all()),
        Condition::SendOmission(P[0], all(), percent(50)),
        Condition::Partition(ftsim_core::environment::network::Cut::Groups(vec![vec![P[0]]])),
    ];
    for order in [Order::Any, Order::Fifo] {
        for condition in &conditions {
            let stage = noise(order).with(|e| e.network.default.garble = Probability::NEVER);
            let stage = stage.fault(at(10), Action::Begin(condition.clone(), while_it_lasts));
            for seed in 0..20 {
                let (outcome, again) = told(&stage, seed, order == Order::Any);
                assert_eq!(outcome.digest, again.digest, "{condition}, seed {seed}");
            }
        }
    }
}

#[test]
fn an_override_can_say_all_of_a_messages_way() {
    let lines = [(0, 0, vec![Do::Send(1, 1), Do::Send(1, 2)])];
    let fate = Fate::Arrive(Arrival {
        after: Some(Duration::from_millis(30)),
        copy_after: Some(Duration::from_millis(40)),
        content: Some(Content::Replaced(serde_json::json!({ "Data": 7 }))),
    });
    let rule = MessageRule { from: P[0], to: P[1], kind: None, nth: 1, fate };
    let stage = Stage::new(2, &lines).with(|e| e.overrides = vec![rule]);
    assert_eq!(stage.play(), ["10 p1 Heard(0, 2)", "30 p1 Heard(0, 7)", "40 p1 Heard(0, 7)"]);
    // A link that keeps order keeps it.
    let fifo = stage.with(|e| e.network.default.order = Order::Fifo);
    assert_eq!(fifo.play(), ["30 p1 Heard(0, 7)", "40 p1 Heard(0, 7)", "40 p1 Heard(0, 2)"]);
}

#[test]
fn a_link_that_keeps_order_keeps_it_behind_a_message_that_is_decided_on() {
    let lines = [(0, 0, vec![Do::Send(1, 1)]), (5, 0, vec![Do::Send(1, 2)])];
    let decided = |nth: u64, after: u64| MessageRule {
        from: P[0],
        to: P[1],
        kind: None,
        nth,
        fate: Fate::delay(Duration::from_millis(after)),
    };
    for (slow, fast) in [(vec![decided(1, 30)], "30"), (vec![decided(1, 30), decided(2, 1)], "30")]
    {
        let stage = Stage::new(2, &lines).with(|e| {
            e.network.default.order = Order::Fifo;
            e.overrides = slow;
        });
        let second = format!("{fast} p1 Heard(0, 2)");
        assert_eq!(stage.play(), ["30 p1 Heard(0, 1)".to_owned(), second]);
    }
}

#[test]
fn an_override_says_when_a_request_comes_and_what_it_is() {
    let lines: Vec<_> = (0..3).map(|i| (i, 0, vec![Do::Say(i)])).collect();
    let rule = |nth: u64, after: Option<u64>, replace: Option<Do>| RequestOverride {
        process: P[0],
        nth,
        after: after.map(Duration::from_millis),
        replace: replace.map(|what| serde_json::to_value([what]).expect("plain data")),
    };
    let stage = Stage::new(2, &lines);
    assert_eq!(stage.play(), ["0 p0 Word(0)", "1 p0 Word(1)", "2 p0 Word(2)"]);
    let rules = vec![rule(1, Some(9), None), rule(3, None, Some(Do::Say(7))), rule(4, None, None)];
    let stage = stage.with(|e| e.requests = rules);
    assert_eq!(stage.play(), ["1 p0 Word(1)", "2 p0 Word(7)", "9 p0 Word(0)"]);
    assert_eq!(stage.record().0.unused_requests, [2]);
}

#[test]
fn a_masked_request_is_not_heard_and_the_others_are() {
    let mask = Mask { process: P[1], request: 3 };
    assert_eq!(mask.to_string(), "request 3 for p1");
    let lines: Vec<_> = (0..4).map(|i| (i, 0, vec![Do::Send(1, i)])).collect();
    let masked = |masks: &[(usize, u64)]| {
        let masks = masks.iter().map(|(p, request)| Mask { process: P[*p], request: *request });
        let masks: Vec<Mask> = masks.collect();
        let (outcome, _) = Stage::new(2, &lines).with(|e| e.masks = masks).record();
        (outcome.statistics.sent(), outcome.unused_masks, outcome.statistics.requests)
    };
    assert_eq!(masked(&[]), (4, vec![], vec![4, 0]));
    assert_eq!(masked(&[(0, 2), (0, 3)]), (2, vec![], vec![4, 0]));
    assert_eq!(masked(&[(0, 5), (0, 1), (1, 1)]), (3, vec![0, 2], vec![4, 0]));
}

#[test]
fn notices_can_be_told_one_by_one() {
    let delay = DurationRange { min: Duration::ZERO, max: Duration::from_millis(50) };
    let stage = || {
        let lines = [(200, 0, vec![Do::Broadcast(1)])];
        let stage = Stage::new(4, &lines).fault(at(10), crash_for(3, Some(60)));
        stage.fault(at(100), crash_for(2, None)).with(|e| {
            (e.detector.kind, e.detector.delay) = (DetectorKind::Perfect, delay);
        })
    };
    let mut digests = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let plan = stage().experiment.plan;
        let (outcome, decisions) = stage().simulation().schedule(RunRequest::under(seed, plan));
        assert!(decisions.notices.len() >= 8, "{:?}", decisions.notices);
        let told = stage().with(|e| {
            e.detector.delay = DurationRange::default();
            e.detector.notices = decisions.notices;
            e.overrides = decisions.messages.into_iter().map(|decision| decision.rule).collect();
        });
        let again = told.simulation().run(seed + 1);
        assert_eq!(outcome.digest, again.digest, "seed {seed}");
        digests.insert(outcome.digest.value());
    }
    assert_eq!(digests.len(), 50, "delays that differ make other runs");
}
