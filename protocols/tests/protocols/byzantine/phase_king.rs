use serde_json::{Value, json};
use std::collections::BTreeSet;

use ftsim_core::adversary::Behaviour;
use ftsim_core::{Duration, ProcessSet};

use crate::scripted::{Scripted, all_lists, traitor};
use ftsim_core::bench::Bench;
use ftsim_core::prelude::*;
use ftsim_protocols::byzantine::PhaseKing;

const NOTHING: [&str; 0] = [];
const TWO: &str = "two-round";
const THREE: &str = "three-round";
/// Every behaviour of an adversary that knows nothing of the protocol.
const GENERIC: [Behaviour; 7] = [
    Behaviour::Silent,
    Behaviour::Withhold(ProcessSet::new()),
    Behaviour::Delay(Duration::from_millis(15)),
    Behaviour::Equivocate,
    Behaviour::Mutate,
    Behaviour::Replay,
    Behaviour::Random,
];

fn params(variant: &str, f: u32) -> String {
    format!(r#"{{"variant": "{variant}", "f": {f}}}"#)
}

fn phase_king(variant: &str, n: u32, f: u32) -> Bench {
    Bench::of::<PhaseKing>(n).params(&params(variant, f))
}

fn unanimous(bench: Bench) -> Bench {
    bench.workload(r#"{"draw_below": 1}"#)
}

/// What some of these seeds violate.
fn found(bench: &Bench, seeds: u64) -> BTreeSet<&'static str> {
    bench.violated_in(0..seeds).into_iter().flatten().collect()
}

#[test]
fn two_rounds_a_phase_take_f_plus_1_times_n_squared_minus_1_messages() {
    for (n, f) in [(1, 0), (5, 0), (5, 1), (6, 1), (9, 2), (13, 3)] {
        for workload in [r#"{"draw_below": 1}"#, r#"{"draw_below": 3}"#] {
            let run = phase_king(TWO, n, f).workload(workload).lockstep().run(1);
            assert_eq!(run.violated(), NOTHING);
            assert_eq!(run.statistics.sent(), u64::from((f + 1) * (n * n - 1)));
            assert_eq!(run.indication_steps(), vec![u64::from(2 * (f + 1)); n as usize]);
        }
    }
}

#[test]
fn three_rounds_a_phase_take_at_most_f_plus_1_times_n_minus_1_times_2n_plus_1_messages() {
    for (n, f) in [(1, 0), (4, 0), (4, 1), (5, 1), (7, 2), (10, 3)] {
        let most = u64::from((f + 1) * (n - 1) * (2 * n + 1));
        let run = unanimous(phase_king(THREE, n, f)).lockstep().run(1);
        assert_eq!(run.violated(), NOTHING);
        assert_eq!(run.statistics.sent(), most);
        assert_eq!(run.indication_steps(), vec![u64::from(3 * (f + 1)); n as usize]);
        for seed in 0..20 {
            let run = phase_king(THREE, n, f).workload(r#"{"draw_below": 2}"#).lockstep().run(seed);
            assert!(run.statistics.sent() <= most);
            assert_eq!(run.steps(), u64::from(3 * (f + 1)));
        }
    }
}

#[test]
fn within_the_bounds_no_liar_moves_it() {
    for (variant, n) in [(TWO, 5), (THREE, 4)] {
        for liar in 0..n {
            for behaviour in GENERIC {
                for below in [1, 2] {
                    let bench = phase_king(variant, n, 1).byzantine(liar, behaviour.clone());
                    let bench = bench.workload(&format!(r#"{{"draw_below": {below}}}"#));
                    assert_eq!(found(&bench, 60), BTreeSet::new(), "{variant}, p{liar}");
                }
            }
        }
    }
}

#[test]
fn nor_do_two_liars_where_f_is_2() {
    for seed in 0..400u64 {
        let behaviour = |i: u64| GENERIC[usize::try_from(i % 7).expect("small")].clone();
        let (variant, n) = if seed % 2 == 0 { (TWO, 9) } else { (THREE, 7) };
        let first = u32::try_from(seed / 2).expect("small") % n;
        let second = (first + 1 + u32::try_from(seed / 49).expect("small") % (n - 1)) % n;
        let bench = phase_king(variant, n, 2).byzantine(first, behaviour(seed));
        let bench = bench.byzantine(second, behaviour(seed / 7)).workload(r#"{"draw_below": 2}"#);
        assert_eq!(bench.violated_in(seed..seed + 1), [NOTHING], "seed {seed}");
    }
}

/// Two liars in all the ways that take two, or knowledge of the protocol.
fn conspiracies(first: u32, second: u32) -> [Behaviour; 2] {
    let circle = [first, second].into_iter().map(ProcessId).collect();
    [Behaviour::Collude(circle), Behaviour::Custom("two-faced".into())]
}

#[test]
fn nor_do_two_who_act_as_one_or_know_the_protocol() {
    for (variant, n) in [(TWO, 9), (THREE, 7)] {
        for second in 1..4 {
            for behaviour in conspiracies(0, second) {
                let bench = phase_king(variant, n, 2).workload(r#"{"draw_below": 2}"#);
                let bench = bench.byzantine(0, behaviour.clone()).byzantine(second, behaviour);
                assert_eq!(found(&bench, 150), BTreeSet::new(), "{variant}, p0 and p{second}");
            }
        }
    }
}

#[test]
fn with_3f_processes_a_two_faced_liar_keeps_the_others_apart() {
    let two_faced = Behaviour::Custom("two-faced".into());
    let bench = phase_king(THREE, 3, 1).byzantine(0, two_faced);
    let found = found(&bench.workload(r#"{"draw_below": 2}"#), 50);
    assert_eq!(found, BTreeSet::from(["byz.agreement"]));
}

#[test]
fn at_the_bounds_a_generic_liar_breaks_it_within_1000_seeds() {
    let four = unanimous(phase_king(TWO, 4, 1)).byzantine(0, Behaviour::Equivocate);
    assert_eq!(found(&four, 1_000), BTreeSet::from(["byz.validity"]));
    let three = phase_king(THREE, 3, 1).byzantine(0, Behaviour::Random);
    assert_eq!(found(&three, 1_000), BTreeSet::from(["byz.agreement"]));
}

#[test]
fn after_f_phases_every_king_may_have_lied() {
    for (variant, n) in [(TWO, 5), (THREE, 4)] {
        let bench = || phase_king(variant, n, 1).byzantine(0, Behaviour::Equivocate);
        let short = found(&bench().mutant("f-phases"), 200);
        assert_eq!(short, BTreeSet::from(["byz.agreement"]), "{variant}");
        assert_eq!(found(&bench(), 200), BTreeSet::new());
    }
}

#[test]
fn who_always_believes_the_king_believes_a_liar() {
    for (variant, n) in [(TWO, 5), (THREE, 4)] {
        let bench = || unanimous(phase_king(variant, n, 1)).byzantine(0, Behaviour::Mutate);
        let servile = found(&bench().mutant("always-king"), 200);
        assert_eq!(servile, BTreeSet::from(["byz.validity"]), "{variant}");
        assert_eq!(found(&bench(), 200), BTreeSet::new());
    }
}

/// What `liar` can say in the first phase, if each of its words is one of these.
fn every_script(
    variant: &str,
    n: u32,
    liar: u32,
    words: &[Option<u64>],
) -> Vec<Vec<(ProcessId, Value)>> {
    let others: Vec<_> = (0..n).filter(|p| *p != liar).map(ProcessId).collect();
    let mut kinds = vec!["Value"];
    if variant == THREE {
        kinds.push("Propose");
    }
    // The king of phase 1.
    if liar == 0 {
        kinds.push("King");
    }
    let slots: Vec<_> =
        kinds.iter().flat_map(|kind| others.iter().map(move |to| (*to, *kind))).collect();
    let message = |kind: &str, value: u64| json!({ kind: { "phase": 1, "value": value } });
    let says = |spoken: Vec<Option<u64>>| {
        let said = slots.iter().zip(spoken);
        said.filter_map(|((to, kind), word)| Some((*to, message(kind, word?)))).collect()
    };
    all_lists(words, slots.len()).into_iter().map(says).collect()
}

/// Runs a single phase from all values that correct processes can hold, with all that `liar` can
/// say in it. Returns the violations found: of validity, if a unanimity was lost; of agreement, if
/// not all hold the same in the end.
fn every_phase(variant: &str, n: u32, liar: u32, words: &[Option<u64>]) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let scripts = every_script(variant, n, liar, words);
    for held in all_lists(&[0, 1], n as usize).iter().filter(|held| held[liar as usize] == 0) {
        // Values are worth the same: the first correct process holds 0.
        if held[usize::from(liar == 0)] != 0 {
            continue;
        }
        let workload = format!(r#"{{"proposals": {held:?}}}"#);
        for says in &scripts {
            let bench = Bench::of::<Scripted<PhaseKing>>(n).mutant("f-phases").lockstep();
            let bench = traitor(bench, &params(variant, 1), liar, says).workload(&workload);
            found.extend(bench.violated_in(1..2).concat());
        }
    }
    found
}

/// The two lemmas from which correctness follows, for every lie there is: no phase loses a
/// unanimity, and a phase with a correct king makes one.
#[test]
fn within_the_bounds_every_phase_keeps_unanimity_and_a_correct_king_makes_it() {
    let words = [None, Some(0), Some(1)];
    for (variant, n) in [(TWO, 5), (THREE, 4)] {
        for liar in 1..n {
            assert_eq!(
                every_phase(variant, n, liar, &words),
                BTreeSet::new(),
                "{variant}, p{liar}"
            );
        }
        // A lying king divides the others, but only if they do not agree.
        let king = every_phase(variant, n, 0, &words[1..]);
        assert_eq!(king, BTreeSet::from(["byz.agreement"]), "{variant}");
    }
}

#[test]
fn at_the_bounds_a_phase_keeps_no_unanimity_or_a_correct_king_makes_none() {
    let words = [None, Some(0), Some(1)];
    assert!(every_phase(TWO, 4, 0, &words[1..]).contains("byz.validity"));
    assert!(every_phase(THREE, 3, 1, &words).contains("byz.agreement"));
}

#[test]
fn parameters_that_cannot_be_are_refused() {
    let bench = |f: u32| Bench::of::<PhaseKing>(3).params(&format!(r#"{{"f": {f}}}"#));
    let refused = |bench: Bench| bench.refused().map(|invalid| invalid.key);
    assert_eq!(refused(bench(2).mutant("f-phases")), None);
    assert_eq!(refused(bench(0)), None);
    assert_eq!(refused(bench(3)).as_deref(), Some("params.f"));
    assert_eq!(refused(bench(0).mutant("f-phases")).as_deref(), Some("params.f"));
}
