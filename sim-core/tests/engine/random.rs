//! Random faults: never beyond the budget, each kind apart, every crash point as likely as any
//! other.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash as _;

use ftsim_core::adversary::Behaviour;
use ftsim_core::environment::network::Cut;
use ftsim_core::environment::storage::DiskFault;
use ftsim_core::fault::condition::{Condition, Persistence};
use ftsim_core::fault::random::{
    Occurrence, PartitionShape, RandomAction, RandomCondition, RandomFaults, RandomKind,
};
use ftsim_core::fault::{Action, Crash, Fault, Trigger};
use ftsim_core::time::CountRange;
use ftsim_core::{
    Digest, Duration, DurationRange, Instant, Probability, ProcessId, ProcessSet, Profile,
    RunRequest,
};

use crate::scripted::{Do, Stage};

fn range(min_ms: u64, max_ms: u64) -> DurationRange {
    DurationRange { min: Duration::from_millis(min_ms), max: Duration::from_millis(max_ms) }
}

fn occurrence(min: u32, max: u32) -> Occurrence {
    let targets: ProcessSet = (0..5).map(ProcessId).collect();
    Occurrence { count: CountRange { min, max }, between: range(0, 100), targets }
}

fn kind(occurrence: Occurrence, what: RandomAction) -> RandomKind {
    RandomKind { occurrence, what }
}

fn crashes() -> RandomFaults {
    let crash = RandomAction::Crash { recover_after: Some(range(5, 10)), announced: false };
    let kinds = vec![kind(occurrence(1, 3), crash)];
    RandomFaults { faulty_count_max: 2, kinds, swarm: false }
}

fn all_kinds() -> RandomFaults {
    let half = Probability::new(0.5).unwrap();
    let conditions = [
        RandomCondition::Partition(PartitionShape::Halves),
        RandomCondition::Loss(half),
        RandomCondition::Duplicate(half),
        RandomCondition::Delay(range(1, 5)),
        RandomCondition::Late(range(1, 5)),
        RandomCondition::Reorder(half, Duration::from_millis(9)),
        RandomCondition::Replay(half),
        RandomCondition::Garble(half),
        RandomCondition::Bandwidth(1_000),
        RandomCondition::Clog,
        RandomCondition::SendOmission(half),
        RandomCondition::ReceiveOmission(half),
        RandomCondition::Slow(3),
        RandomCondition::SyncFails,
        RandomCondition::SlowSync(range(1, 5)),
        RandomCondition::DiskFull,
        RandomCondition::Skew(range(1, 5)),
        RandomCondition::Drift(100_000),
        RandomCondition::Freeze,
    ];
    let lasting = conditions.map(|condition| RandomAction::Begin(condition, range(1, 50)));
    let at_once = [
        RandomAction::Crash { recover_after: None, announced: true },
        RandomAction::Start,
        RandomAction::Pause(range(1, 50)),
        RandomAction::Corrupt(Behaviour::Random),
        RandomAction::CorruptState,
        RandomAction::Damage(DiskFault::CorruptRecord),
        RandomAction::Damage(DiskFault::LoseDisk),
        RandomAction::Damage(DiskFault::Rollback(1)),
        RandomAction::Jump(range(1, 5)),
    ];
    let others = lasting.into_iter().chain(at_once).map(|what| kind(occurrence(0, 2), what));
    let kinds = crashes().kinds.into_iter().chain(others).collect();
    RandomFaults { kinds, ..crashes() }
}

/// The plans of 500 seeds, digested.
fn digest_of_plans(random: &RandomFaults, which: impl Fn(&Fault) -> bool) -> Digest {
    let mut digest = Digest::EMPTY;
    for seed in 0..500 {
        let faults = random.draw(seed, &profile()).faults;
        faults.iter().filter(|fault| which(fault)).for_each(|fault| fault.hash(&mut digest));
    }
    digest
}

/// Five processes with ten effects each, one a millisecond.
fn profile() -> Profile {
    let times = || (0..10).map(|ms| Instant::from_nanos(ms * 1_000_000)).collect();
    Profile { effects: (0..5).map(|_| times()).collect() }
}

fn is_crash(fault: &&Fault) -> bool {
    matches!(fault.action, Action::Crash(_, Crash { announced: false, .. }))
}

#[test]
fn plans_stay_within_the_budget_the_counts_and_the_window() {
    for seed in 0..2_000 {
        let plan = all_kinds().draw(seed, &profile());
        let faulty: BTreeSet<_> = plan.faults.iter().filter_map(|f| f.action.process()).collect();
        assert!(faulty.len() <= 2, "{plan:?}");
        assert!((1..=3).contains(&plan.faults.iter().filter(is_crash).count()), "{plan:?}");
        for fault in &plan.faults {
            match fault.trigger {
                Trigger::At(at) => assert!(at.as_nanos() <= 100_000_000),
                Trigger::AfterEffect { nth, .. } => assert!((1..=10).contains(&nth)),
                Trigger::Sends { .. } | Trigger::Never => panic!("none is drawn"),
            }
        }
    }
}

/// The conditions of one kind that 400 seeds draw, five at a time, each with its duration.
fn drawn(condition: RandomCondition) -> Vec<(Condition, Duration)> {
    let what = RandomAction::Begin(condition, range(20, 30));
    let random = RandomFaults {
        faulty_count_max: 5,
        kinds: vec![kind(occurrence(5, 5), what)],
        swarm: false,
    };
    let faults = (0..400).flat_map(|seed| random.draw(seed, &profile()).faults);
    let conditions = faults.map(|fault| match fault.action {
        Action::Begin(condition, Persistence::Transient(duration)) => (condition, duration),
        other => panic!("{other:?}"),
    });
    conditions.collect()
}

#[test]
fn times_and_durations_fill_their_ranges() {
    let faults = (0..400).flat_map(|seed| crashes().draw(seed, &profile()).faults);
    let (mut times, mut ups) = (Vec::new(), Vec::new());
    for fault in faults {
        if let (Trigger::At(at), Action::Crash(_, crash)) = (fault.trigger, fault.action) {
            times.push(at.as_nanos() / 1_000_000);
            ups.push(crash.recover_after.expect("they recover"));
        }
    }
    // The profile has effects in the first ten milliseconds only.
    assert!(times.iter().any(|at| *at < 5) && times.iter().any(|at| *at > 95), "{times:?}");
    let (least, most) = (ups.iter().min().expect("some"), ups.iter().max().expect("some"));
    assert!(*least >= Duration::from_millis(5) && *least < Duration::from_millis(6), "{least}");
    assert!(*most <= Duration::from_millis(10) && *most > Duration::from_millis(9), "{most}");
    let durations: Vec<Duration> =
        drawn(RandomCondition::Clog).into_iter().map(|(_, duration)| duration).collect();
    let within = |d: &Duration| (range(20, 30).min..=range(20, 30).max).contains(d);
    assert!(durations.iter().all(within));
    assert!(durations.iter().collect::<BTreeSet<_>>().len() > 100);
}

#[test]
fn links_are_all_those_of_a_process_or_those_to_it_and_drifts_go_both_ways() {
    let mut links = BTreeMap::new();
    for (condition, _) in drawn(RandomCondition::Clog) {
        let Condition::Clog(of) = condition else { panic!("{condition:?}") };
        let shape = (of.from.map(|set| set.len()), of.to.map(|set| set.len()));
        *links.entry(shape).or_insert(0) += 1;
    }
    let shapes: Vec<_> = links.keys().copied().collect();
    assert_eq!(shapes, [(None, None), (None, Some(1)), (Some(1), None)]);
    assert!(links.values().all(|count| *count > 500), "{links:?}");
    let drifts: Vec<i32> = drawn(RandomCondition::Drift(50))
        .into_iter()
        .map(|(condition, _)| match condition {
            Condition::Drift(_, ppm) => ppm,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((drifts.iter().min(), drifts.iter().max()), (Some(&-50), Some(&50)));
    assert!(!drifts.contains(&0));
}

#[test]
fn a_drawn_cut_has_the_shape_that_was_asked_for() {
    let cuts = |shape| {
        drawn(RandomCondition::Partition(shape)).into_iter().map(|(condition, _)| match condition {
            Condition::Partition(cut) => cut,
            other => panic!("{other:?}"),
        })
    };
    let sizes = |cut: Cut| match cut {
        Cut::Groups(groups) => groups.iter().map(Vec::len).collect::<Vec<_>>(),
        Cut::OneWay { from, to } => vec![from.len(), to.len()],
        Cut::Bridge { left, right } => vec![left.len(), right.len()],
        Cut::RingOfMajorities(all) => vec![all.len()],
        Cut::Links(_) => panic!("none is drawn"),
    };
    for (shape, expected) in [
        (PartitionShape::Halves, &[2][..]),
        (PartitionShape::Isolate, &[1]),
        (PartitionShape::OneWay, &[1, 4]),
        (PartitionShape::Bridge, &[2, 2]),
        (PartitionShape::RingOfMajorities, &[5]),
    ] {
        assert!(cuts(shape).all(|cut| sizes(cut) == expected), "{shape}");
        let distinct: BTreeSet<String> = cuts(shape).map(|cut| cut.to_string()).collect();
        assert!(distinct.len() >= 5, "{shape}: {distinct:?}");
    }
}

#[test]
fn one_more_kind_changes_nothing_about_the_others() {
    for index in 0..all_kinds().kinds.len() {
        let all = all_kinds();
        let mut without = all_kinds();
        let missing = without.kinds.remove(index);
        let only = RandomFaults { kinds: vec![missing], ..all_kinds() };
        assert!((0..500).any(|seed| !only.draw(seed, &profile()).faults.is_empty()));
        for seed in 0..500u64 {
            let mut rest = all.draw(seed, &profile()).faults;
            for fault in only.draw(seed, &profile()).faults {
                let place = rest.iter().position(|other| *other == fault).expect("drawn too");
                rest.remove(place);
            }
            assert_eq!(rest, without.draw(seed, &profile()).faults);
        }
    }
    assert_eq!(
        digest_of_plans(&crashes(), |_| true),
        digest_of_plans(&all_kinds(), |f| is_crash(&f))
    );
}

#[test]
fn a_crash_between_any_two_effects_is_as_likely_as_any_other() {
    let mut count: BTreeMap<(ProcessId, u64), u32> = BTreeMap::new();
    for seed in 0..20_000 {
        for fault in crashes().draw(seed, &profile()).faults {
            if let Trigger::AfterEffect { process, nth } = fault.trigger {
                *count.entry((process, nth)).or_default() += 1;
            }
        }
    }
    assert_eq!(count.len(), 50);
    // 20,000 seeds with two crashes each on average, every other one by effect: 400 a point.
    assert!(count.values().all(|c| (310..490).contains(c)), "{count:?}");
}

#[test]
fn a_swarm_leaves_each_kind_out_of_half_of_the_seeds() {
    let swarm = RandomFaults { swarm: true, ..all_kinds() };
    let with_crash = |seed: &u64| swarm.draw(*seed, &profile()).faults.iter().any(|f| is_crash(&f));
    let count = (0..4_000).filter(with_crash).count();
    assert!((1_850..2_150).contains(&count), "{count}");
}

fn stage() -> Stage {
    let lines: Vec<_> =
        (0..5).map(|p| (u64::from(p), p, vec![Do::Broadcast(1), Do::Say(2)])).collect();
    Stage::new(5, &lines).with(|e| e.random = Some(all_kinds()))
}

#[test]
fn a_profile_counts_every_effect_of_a_run_without_faults() {
    let profile = stage().simulation().profile(1);
    // Each broadcasts (5), speaks (1), and announces each of the five messages it hears.
    let counts: Vec<usize> = profile.effects.iter().map(Vec::len).collect();
    assert_eq!(counts, [11; 5]);
    assert_eq!(profile.crash_points().count(), 55);
}

#[test]
fn drawn_faults_strike_and_repeat() {
    let mut simulation = stage().simulation();
    let outcomes: Vec<_> = (0..100).map(|seed| simulation.run(seed)).collect();
    assert!(outcomes.iter().any(|o| o.statistics.crashes > 1));
    for outcome in &outcomes {
        let again = stage().simulation().run(outcome.seed);
        assert_eq!((again.digest, &again.plan), (outcome.digest, &outcome.plan));
        // The plan is data: the same run comes of it when it is given instead of drawn.
        let given = simulation.run(RunRequest::under(outcome.seed, outcome.plan.clone()));
        assert_eq!(given.digest, outcome.digest);
    }
}
