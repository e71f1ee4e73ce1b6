//! Messages and rounds, agreement whatever most generals do, and what each mutant breaks.

use std::collections::BTreeSet;

use ftsim_core::adversary::Behaviour;
use ftsim_core::bench::Bench;
use ftsim_core::prelude::*;
use ftsim_core::{Duration, ProcessSet};
use ftsim_protocols::byzantine::DolevStrong;

const NOTHING: [&str; 0] = [];
const GENERIC: [Behaviour; 8] = [
    Behaviour::Silent,
    Behaviour::Withhold(ProcessSet::new()),
    Behaviour::Delay(Duration::from_millis(15)),
    Behaviour::Equivocate,
    Behaviour::Mutate,
    Behaviour::Replay,
    Behaviour::Twins,
    Behaviour::Random,
];

fn dolev_strong(n: u32, f: u32) -> Bench {
    let roles = [("commander", 1), ("lieutenant", n - 1)];
    Bench::with_roles::<DolevStrong>(&roles).params(&format!(r#"{{"f": {f}}}"#))
}

/// What some of these seeds violate.
fn found(bench: &Bench, seeds: u64) -> BTreeSet<&'static str> {
    bench.violated_in(0..seeds).into_iter().flatten().collect()
}

fn whisper() -> Behaviour {
    Behaviour::Custom("whisper".into())
}

#[test]
fn loyal_generals_take_f_plus_1_rounds_and_n_minus_1_squared_messages() {
    for (n, f) in [(2, 1), (3, 1), (4, 1), (5, 3), (7, 2), (10, 9)] {
        let run = dolev_strong(n, f).lockstep().run(1);
        assert_eq!(run.violated(), NOTHING);
        assert_eq!(run.statistics.sent(), u64::from((n - 1) * (n - 1)));
        assert_eq!(run.indication_steps(), vec![u64::from(f + 1); n as usize - 1]);
    }
    let run = dolev_strong(5, 0).lockstep().run(1);
    assert_eq!((run.statistics.sent(), run.steps()), (4, 1));
}

#[test]
fn three_generals_agree_whoever_of_them_is_a_traitor() {
    for traitor in 0..3 {
        for behaviour in GENERIC.into_iter().chain([whisper()]) {
            let bench = dolev_strong(3, 1).byzantine(traitor, behaviour.clone());
            assert_eq!(found(&bench, 200), BTreeSet::new(), "p{traitor} {behaviour}");
        }
    }
}

#[test]
fn two_of_five_agree_whatever_the_three_others_do() {
    for seed in 0..400u64 {
        let pick = |i: u64| usize::try_from(i % 8).expect("small");
        let traitors = [0, 1 + (seed % 2), 3 + (seed / 2 % 2)];
        let mut bench = dolev_strong(5, 3);
        for (i, traitor) in (1..).zip(traitors) {
            let behaviour = GENERIC[pick(seed / i)].clone();
            bench = bench.byzantine(u32::try_from(traitor).expect("small"), behaviour);
        }
        assert_eq!(bench.violated_in(seed..seed + 1), [NOTHING], "seed {seed}");
    }
}

#[test]
fn nor_do_three_who_act_as_one_or_hand_the_order_on_among_themselves() {
    for second in 1..4 {
        let traitors = [0, second, second + 1].map(ProcessId);
        for behaviour in [Behaviour::Collude(traitors.into_iter().collect()), whisper()] {
            let bench = traitors.iter().fold(dolev_strong(5, 3), |bench, traitor| {
                bench.byzantine(traitor.0, behaviour.clone())
            });
            assert_eq!(found(&bench, 150), BTreeSet::new(), "{traitors:?} {behaviour}");
        }
    }
}

#[test]
fn one_traitor_more_and_the_order_comes_too_late() {
    let bench = dolev_strong(4, 1).byzantine(0, whisper()).byzantine(1, whisper());
    assert_eq!(found(&bench, 20), BTreeSet::from(["byz.ic1"]));
}

#[test]
fn each_mutant_violates_its_property_and_only_this_one() {
    let whispering = |f: u32| {
        (0..f).fold(dolev_strong(f + 2, f), |bench, traitor| bench.byzantine(traitor, whisper()))
    };
    for f in 1..4 {
        assert_eq!(found(&whispering(f), 20), BTreeSet::new());
        assert_eq!(found(&whispering(f).mutant("f-rounds"), 20), BTreeSet::from(["byz.ic1"]));
    }
    let late = || dolev_strong(3, 1).byzantine(0, Behaviour::Delay(Duration::from_millis(30)));
    assert_eq!(found(&late(), 200), BTreeSet::new());
    assert_eq!(found(&late().mutant("short-chain"), 200), BTreeSet::from(["byz.ic1"]));
    let lying = || dolev_strong(3, 1).byzantine(1, Behaviour::Mutate);
    assert_eq!(found(&lying(), 200), BTreeSet::new());
    assert_eq!(found(&lying().mutant("unsigned"), 200), BTreeSet::from(["byz.ic2"]));
}

#[test]
fn parameters_that_cannot_be_are_refused() {
    let refused = |bench: Bench| bench.refused().map(|invalid| invalid.key);
    assert_eq!(refused(dolev_strong(3, 2)), None);
    assert_eq!(refused(dolev_strong(3, 3)).as_deref(), Some("params.f"));
    assert_eq!(refused(dolev_strong(3, 0)), None);
    assert_eq!(refused(dolev_strong(3, 0).mutant("f-rounds")).as_deref(), Some("params.f"));
    let two = Bench::with_roles::<DolevStrong>(&[("commander", 2), ("lieutenant", 2)]);
    assert!(refused(two).is_some());
}
