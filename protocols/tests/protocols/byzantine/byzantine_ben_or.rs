//! One round where all agree, and agreement whatever the coins, the delays and one liar in six.

use std::collections::BTreeSet;

use ftsim_core::adversary::Behaviour;
use ftsim_core::bench::Bench;
use ftsim_core::environment::delay::Delay;
use ftsim_core::prelude::*;
use ftsim_core::{Duration, ProcessSet};
use ftsim_protocols::byzantine::ByzantineBenOr;

const NOTHING: [&str; 0] = [];
const UNANIMOUS: &str = r#"{"draw_below": 1}"#;
const GENERIC: [Behaviour; 8] = [
    Behaviour::Silent,
    Behaviour::Withhold(ProcessSet::new()),
    Behaviour::Delay(Duration::from_millis(50)),
    Behaviour::Equivocate,
    Behaviour::Mutate,
    Behaviour::Replay,
    Behaviour::Twins,
    Behaviour::Random,
];

fn ben_or(n: u32, f: u32) -> Bench {
    let workload = r#"{"draw_below": 2, "at": "0ms..20ms"}"#;
    let params = format!(r#"{{"f": {f}}}"#);
    let mut bench = Bench::of::<ByzantineBenOr>(n).params(&params).workload(workload);
    let delay = "0ms..40ms".parse().expect("a range");
    bench.experiment.network.default.delay = Delay::Uniform(delay);
    bench
}

/// What some of these seeds violate.
fn found(bench: &Bench, seeds: u64) -> BTreeSet<&'static str> {
    bench.violated_in(0..seeds).into_iter().flatten().collect()
}

#[test]
fn all_that_propose_the_same_decide_in_one_round_of_2_n_times_n_minus_1_messages() {
    for (n, f) in [(1, 0), (2, 0), (6, 1), (7, 1), (11, 2)] {
        let params = format!(r#"{{"f": {f}}}"#);
        let bench = Bench::of::<ByzantineBenOr>(n).params(&params).workload(UNANIMOUS);
        let run = bench.lockstep().run(1);
        assert_eq!(run.violated(), NOTHING);
        assert_eq!(run.indication_steps(), vec![if n > 1 { 2 } else { 0 }; n as usize]);
        // As much again for the round after the decision.
        assert_eq!(run.statistics.sent(), 2 * u64::from(2 * n * (n - 1)));
    }
}

#[test]
fn within_the_bound_no_liar_moves_it() {
    let mut reached = BTreeSet::new();
    for liar in [0, 5] {
        for behaviour in GENERIC {
            let bench = ben_or(6, 1).byzantine(liar, behaviour.clone());
            for seed in 0..60 {
                let run = bench.run(seed);
                assert_eq!(run.violated(), NOTHING, "p{liar} {behaviour}, seed {seed}");
                reached.extend(run.reached.iter().copied());
            }
            let unanimous = bench.workload(UNANIMOUS);
            assert_eq!(found(&unanimous, 30), BTreeSet::new(), "p{liar} {behaviour}");
        }
    }
    let all = ["adopted a proposal", "tossed a coin"];
    assert_eq!(reached.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn nor_do_two_where_f_is_2() {
    let circle: ProcessSet = [0, 1].into_iter().map(ProcessId).collect();
    for behaviour in [Behaviour::Collude(circle), Behaviour::Random] {
        let bench = ben_or(11, 2).byzantine(0, behaviour.clone()).byzantine(1, behaviour);
        assert_eq!(found(&bench, 60), BTreeSet::new());
    }
}

#[test]
fn with_5f_processes_a_liar_spoils_a_unanimity() {
    let bench = |n| ben_or(n, 1).workload(UNANIMOUS).byzantine(0, Behaviour::Mutate);
    // Coins may fall alike later than one round after a decision.
    assert_eq!(found(&bench(5), 200), BTreeSet::from(["byz.validity", "cons.termination"]));
    assert_eq!(found(&bench(6), 200), BTreeSet::new());
}

#[test]
fn with_two_silent_processes_nobody_decides() {
    let bench = ben_or(6, 1).byzantine(0, Behaviour::Silent).byzantine(1, Behaviour::Silent);
    assert_eq!(bench.run(1).violated(), ["cons.termination"]);
}

#[test]
fn each_mutant_violates_its_property_and_no_more_than_follows() {
    let hasty = ben_or(6, 1).byzantine(0, Behaviour::Equivocate).mutant("stop-at-once");
    assert_eq!(found(&hasty, 300), BTreeSet::from(["cons.termination"]));
    // Where estimates differ after a decision, the round after it is not enough for the others.
    let lenient = ben_or(6, 1).byzantine(0, Behaviour::Random).mutant("decide-above-f");
    let lenient = found(&lenient, 3_000);
    assert!(lenient.contains("byz.agreement"), "{lenient:?}");
    let may = BTreeSet::from(["byz.agreement", "cons.termination"]);
    assert!(lenient.is_subset(&may), "{lenient:?}");
}

#[test]
fn parameters_that_cannot_be_are_refused() {
    let refused = |f| ben_or(3, f).refused().map(|invalid| invalid.key);
    assert_eq!(refused(2), None);
    assert_eq!(refused(3).as_deref(), Some("params.f"));
}
