//! One round where all agree, and agreement whatever the coins and crashes.

use std::collections::BTreeSet;

use ftsim_core::Instant;
use ftsim_core::bench::Bench;
use ftsim_core::environment::delay::Delay;
use ftsim_core::fault::Trigger;
use ftsim_protocols::consensus::BenOr;

const NOTHING: [&str; 0] = [];

#[test]
fn all_that_propose_the_same_decide_in_one_round_of_2_n_times_n_minus_1_messages() {
    for n in [1, 2, 3, 5, 9] {
        let run = Bench::of::<BenOr>(n).workload(r#"{"draw_below": 1}"#).lockstep().run(1);
        assert_eq!(run.violated(), NOTHING);
        assert_eq!(run.indication_steps(), vec![if n > 1 { 2 } else { 0 }; n as usize]);
        // As much again for the round after the decision.
        assert_eq!(run.statistics.sent(), 2 * u64::from(2 * n * (n - 1)));
    }
}

fn random(n: u32, values: u32) -> Bench {
    let workload = format!(r#"{{"draw_below": {values}, "at": "0ms..20ms"}}"#);
    let mut bench = Bench::of::<BenOr>(n).workload(&workload);
    let delay = "0ms..40ms".parse().expect("a range");
    bench.experiment.network.default.delay = Delay::Uniform(delay);
    bench.random_crashes(n.div_ceil(2) - 1, "0ms..150ms")
}

#[test]
fn it_holds_whatever_the_delays_and_crashes() {
    let mut reached = BTreeSet::new();
    for seed in 0..2_000u32 {
        let run = random(1 + seed % 7, 2 + seed % 3).run(seed.into());
        assert_eq!(run.violated(), NOTHING, "seed {seed}");
        reached.extend(run.reached.iter().copied());
    }
    let all = ["adopted a proposal", "tossed a coin"];
    assert_eq!(reached.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn who_is_not_asked_joins() {
    let bench = Bench::of::<BenOr>(4).workload(r#"{"proposers": ["p2"], "proposals": [7]}"#);
    for seed in 0..50 {
        assert_eq!(bench.run(seed).violated(), NOTHING);
    }
}

#[test]
fn half_of_the_processes_down_and_nobody_decides() {
    for n in [2u32, 4, 5] {
        let crash = |bench: Bench, p| bench.crash(p, Trigger::At(Instant::ZERO));
        let run = (0..n.div_ceil(2)).fold(Bench::of::<BenOr>(n), crash).run(1);
        assert_eq!(run.violated(), ["cons.termination"], "n = {n}");
    }
}

#[test]
fn each_mutant_violates_its_property_and_no_more_than_follows() {
    // Where estimates differ after a decision, the round after it is not enough for the others.
    let disagree = ["cons.agreement", "cons.uniform-agreement", "cons.termination"];
    for (mutant, n, must, may) in [
        ("stop-at-once", 3, "cons.termination", &["cons.termination"][..]),
        ("decide-on-one", 3, "cons.agreement", &disagree),
        ("coin-despite-d", 3, "cons.agreement", &disagree),
        ("f-half", 4, "cons.agreement", &disagree),
    ] {
        let violated = random(n, 2).mutant(mutant).violated_in(0..3_000);
        let all: BTreeSet<_> = violated.into_iter().flatten().collect();
        assert!(all.contains(must), "{mutant}: {all:?}");
        assert!(all.iter().all(|id| may.contains(id)), "{mutant}: {all:?}");
    }
}
