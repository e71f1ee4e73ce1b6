//! Messages and steps of a broadcast, every lie of one sender among four, and what each mutant
//! breaks.

use serde_json::{Value, json};
use std::collections::BTreeSet;

use ftsim_core::adversary::Behaviour;
use ftsim_core::bench::Bench;
use ftsim_core::prelude::*;
use ftsim_core::{Duration, ProcessSet};
use ftsim_protocols::byzantine::BrachaRb;

use crate::scripted::{Scripted, all_lists, traitor};

const NOTHING: [&str; 0] = [];
const ONE_SENDER: &str = r#"{"senders": ["p0"]}"#;
/// Every behaviour of an adversary that knows nothing of the protocol.
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

fn bracha_rb(n: u32, f: u32) -> Bench {
    Bench::of::<BrachaRb>(n).params(&format!(r#"{{"f": {f}}}"#))
}

/// What some of these seeds violate.
fn found(bench: &Bench, seeds: u64) -> BTreeSet<&'static str> {
    bench.violated_in(0..seeds).into_iter().flatten().collect()
}

fn two_faced() -> Behaviour {
    Behaviour::Custom("two-faced".into())
}

#[test]
fn a_broadcast_takes_three_steps_and_n_minus_1_times_2n_plus_1_messages() {
    for (n, f) in [(1, 0), (4, 1), (5, 1), (7, 2), (10, 3)] {
        let run = bracha_rb(n, f).workload(ONE_SENDER).lockstep().run(1);
        assert_eq!(run.violated(), NOTHING);
        assert_eq!(run.statistics.sent(), u64::from((n - 1) * (2 * n + 1)));
        assert_eq!(run.indication_steps(), vec![if n > 1 { 3 } else { 0 }; n as usize]);
    }
}

#[test]
fn within_the_bound_no_liar_moves_it() {
    for liar in 0..4 {
        for behaviour in GENERIC.into_iter().chain([two_faced()]) {
            let bench = bracha_rb(4, 1).workload(r#"{"broadcasts": 2}"#);
            let found = found(&bench.byzantine(liar, behaviour.clone()), 100);
            assert_eq!(found, BTreeSet::new(), "p{liar} {behaviour}");
        }
    }
}

#[test]
fn nor_do_two_where_f_is_2() {
    for second in 1..4 {
        let circle = [0, second].into_iter().map(ProcessId).collect();
        for behaviour in [Behaviour::Collude(circle), two_faced(), Behaviour::Random] {
            let bench = bracha_rb(7, 2).byzantine(0, behaviour.clone());
            let bench = bench.byzantine(second, behaviour.clone());
            assert_eq!(found(&bench, 60), BTreeSet::new(), "p0 and p{second} {behaviour}");
        }
    }
}

/// What p0 can say of its message to the three others, each word one of these, at once.
fn every_lie(words: &[Option<u64>]) -> Vec<Vec<(ProcessId, Value)>> {
    let message = |kind: &str, content: u64| match kind {
        "Send" => json!({ kind: { "number": 0, "content": content } }),
        _ => json!({ kind: { "sender": "p0", "number": 0, "content": content } }),
    };
    let slots: Vec<_> = ["Send", "Echo", "Ready"]
        .into_iter()
        .flat_map(|kind| [(kind, 1), (kind, 2), (kind, 3)])
        .collect();
    let says = |spoken: Vec<Option<u64>>| {
        let said = slots.iter().zip(spoken);
        said.filter_map(|((kind, to), word)| Some((ProcessId(*to), message(kind, word?)))).collect()
    };
    all_lists(words, slots.len()).into_iter().map(says).collect()
}

#[test]
fn no_lie_of_a_sender_divides_three_honest_processes() {
    let mut delivered = BTreeSet::new();
    for says in every_lie(&[None, Some(0), Some(1)]) {
        let bench = Bench::of::<Scripted<BrachaRb>>(4).workload(ONE_SENDER).lockstep();
        let run = traitor(bench, r#"{"f": 1}"#, 0, &says).run(1);
        assert_eq!(run.violated(), NOTHING, "{says:?}");
        delivered.insert(run.indication_steps().len());
    }
    // All three deliver, or none does.
    assert_eq!(delivered, BTreeSet::from([0, 3]));
}

#[test]
fn with_3f_processes_nobody_delivers_without_the_liar() {
    let silent = bracha_rb(3, 1).byzantine(0, Behaviour::Silent);
    assert_eq!(found(&silent, 20), BTreeSet::from(["beb.validity"]));
}

#[test]
fn with_more_liars_than_it_counts_with_it_is_inconsistent() {
    let bench = bracha_rb(4, 1).byzantine(0, two_faced()).byzantine(1, two_faced());
    assert!(found(&bench, 100).contains("brb.consistency"));
}

#[test]
fn each_mutant_violates_its_property_and_only_this_one() {
    let halves = bracha_rb(5, 1).byzantine(0, two_faced());
    assert_eq!(found(&halves, 100), BTreeSet::new());
    let majority = found(&halves.mutant("echo-majority"), 100);
    assert_eq!(majority, BTreeSet::from(["brb.consistency"]));
    let but_p3 = Behaviour::Withhold([ProcessId(3)].into_iter().collect());
    let withholds = bracha_rb(4, 1).byzantine(0, but_p3);
    assert_eq!(found(&withholds, 100), BTreeSet::new());
    let lonely = found(&withholds.mutant("no-amplify"), 100);
    assert_eq!(lonely, BTreeSet::from(["brb.totality"]));
}

#[test]
fn parameters_that_cannot_be_are_refused() {
    let refused = |bench: Bench| bench.refused().map(|invalid| invalid.key);
    assert_eq!(refused(bracha_rb(3, 2)), None);
    assert_eq!(refused(bracha_rb(3, 3)).as_deref(), Some("params.f"));
    // (n + f)/2 and n/2 are the same, rounded down.
    assert_eq!(refused(bracha_rb(5, 1).mutant("echo-majority")), None);
    assert!(refused(bracha_rb(4, 1).mutant("echo-majority")).is_some());
}
