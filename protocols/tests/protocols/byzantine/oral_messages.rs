use ftsim_spec::byzantine::COMMANDER;
use serde_json::{Value, json};
use std::collections::BTreeSet;

use ftsim_core::adversary::Behaviour;
use ftsim_core::environment::message_rule::{Fate, MessageRule};
use ftsim_core::{Duration, ProcessSet};

use crate::scripted::{self, Scripted, all_lists};
use ftsim_core::bench::{Bench, Run};
use ftsim_core::prelude::*;
use ftsim_protocols::byzantine::OralMessages;

const NOTHING: [&str; 0] = [];
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

const fn roles(n: u32) -> [(&'static str, u32); 2] {
    [("commander", 1), ("lieutenant", n - 1)]
}

fn oral_messages(n: u32, m: u32) -> Bench {
    Bench::with_roles::<OralMessages>(&roles(n)).params(&format!(r#"{{"m": {m}}}"#))
}

/// `n` generals with m = 1, one of whom sends what the script says.
fn scripted(n: u32, traitor: u32, says: &[(ProcessId, Value)]) -> Bench {
    let bench = Bench::with_roles::<Scripted<OralMessages>>(&roles(n));
    scripted::traitor(bench, r#"{"m": 1}"#, traitor, says)
}

fn order(path: &[ProcessId], value: u64) -> Value {
    json!({ "Order": { "path": path, "value": value } })
}

/// What some of these seeds violate.
fn found(bench: &Bench, seeds: u64) -> BTreeSet<&'static str> {
    bench.violated_in(0..seeds).into_iter().flatten().collect()
}

#[test]
fn the_messages_are_those_of_the_recursion_and_the_rounds_m_plus_1() {
    for (n, m, count) in [(4, 1, 9), (7, 2, 156), (10, 3, 3609)] {
        let run = oral_messages(n, m).lockstep().run(1);
        assert_eq!(run.violated(), NOTHING);
        assert_eq!(run.statistics.sent(), count);
        assert_eq!(run.indication_steps(), vec![u64::from(m + 1); n as usize - 1]);
    }
    for n in 2..8 {
        for m in 0..=n - 2 {
            let run = oral_messages(n, m).lockstep().run(1);
            // The sum over k = 0 … m of (n - 1)(n - 2) … (n - k - 1).
            let product = |k: u32| (1..=k + 1).map(|i| u64::from(n - i)).product::<u64>();
            let sum: u64 = (0..=m).map(product).sum();
            assert_eq!(run.statistics.sent(), sum);
            assert_eq!(run.steps(), u64::from(m + 1));
        }
    }
}

#[test]
fn three_generals_with_one_traitor_fail_within_1000_seeds() {
    for behaviour in [Behaviour::Equivocate, Behaviour::Mutate, Behaviour::Random] {
        let found = found(&oral_messages(3, 1).byzantine(2, behaviour), 1_000);
        assert_eq!(found, BTreeSet::from(["byz.ic2"]));
    }
}

#[test]
fn four_generals_outvote_any_one_traitor() {
    for traitor in 0..4 {
        for behaviour in GENERIC {
            let bench = oral_messages(4, 1).byzantine(traitor, behaviour);
            assert_eq!(found(&bench, 350), BTreeSet::new(), "p{traitor}");
        }
    }
}

#[test]
fn seven_generals_outvote_any_two_traitors() {
    for seed in 0..400u64 {
        let behaviour =
            |i: u64| GENERIC[usize::try_from((seed / 7 + i) % 7).expect("small")].clone();
        let first = u32::try_from(seed % 7).expect("small");
        let bench = oral_messages(7, 2).byzantine(first, behaviour(0));
        let bench = bench.byzantine((first + 1) % 7, behaviour(seed / 49));
        assert_eq!(bench.violated_in(seed..seed + 1), [NOTHING], "seed {seed}");
    }
}

#[test]
fn nor_do_two_who_act_as_one_or_know_the_protocol() {
    for (first, second) in [(0, 1), (0, 4), (1, 2), (3, 6)] {
        let circle = [first, second].into_iter().map(ProcessId).collect();
        for behaviour in [Behaviour::Collude(circle), Behaviour::Custom("two-faced".into())] {
            let bench = oral_messages(7, 2).byzantine(first, behaviour.clone());
            let bench = bench.byzantine(second, behaviour);
            assert_eq!(found(&bench, 40), BTreeSet::new(), "p{first} and p{second}");
        }
    }
}

#[test]
fn six_generals_do_not_outvote_two_traitors() {
    let traitors = oral_messages(6, 2).byzantine(4, Behaviour::Mutate);
    let found = found(&traitors.byzantine(5, Behaviour::Mutate), 300);
    assert!(found.contains("byz.ic2"), "{found:?}");
}

/// All that a traitor can do with two orders and silence among `n` generals with m = 1, and what
/// comes of each.
fn every_lie(n: u32, traitor: u32) -> Vec<(String, Vec<&'static str>)> {
    let mut path = vec![COMMANDER];
    path.extend((traitor != COMMANDER.0).then_some(ProcessId(traitor)));
    let told: Vec<_> = (1..n).filter(|p| *p != traitor).map(ProcessId).collect();
    let lies = all_lists(&[None, Some(0), Some(1)], told.len());
    let says = |lies: &[Option<u64>]| -> Vec<(ProcessId, Value)> {
        let told = told.iter().zip(lies);
        told.filter_map(|(p, lie)| Some((*p, order(&path, (*lie)?)))).collect()
    };
    let mut runs = Vec::new();
    for order in [0, 1] {
        for lies in &lies {
            let bench = scripted(n, traitor, &says(lies));
            let bench = bench.workload(&format!(r#"{{"order": {order}}}"#)).lockstep();
            let violated = bench.violated_in(1..2).concat();
            runs.push((format!("p{traitor}, order {order}: {lies:?}"), violated));
        }
    }
    runs
}

#[test]
fn no_lie_at_all_breaks_four_generals() {
    for traitor in 0..4 {
        let runs = every_lie(4, traitor);
        assert_eq!(runs.len(), if traitor == 0 { 2 * 27 } else { 2 * 9 });
        for (lie, violated) in runs {
            assert_eq!(violated, NOTHING, "{lie}");
        }
    }
}

#[test]
fn of_three_generals_a_traitor_breaks_ic2_by_denying_the_order_and_only_so() {
    for (lie, violated) in every_lie(3, 2) {
        let denied = ["p2, order 1: [None]", "p2, order 1: [Some(0)]"].contains(&lie.as_str());
        assert_eq!(violated, if denied { vec!["byz.ic2"] } else { vec![] }, "{lie}");
    }
    // A commander alone does not break IC1: both lieutenants see the same pair of orders.
    assert!(every_lie(3, 0).iter().all(|(_, violated)| violated.is_empty()));
}

#[test]
fn without_rounds_of_passing_on_a_traitorous_commander_splits_its_lieutenants() {
    let bench = || oral_messages(4, 0).byzantine(0, Behaviour::Equivocate);
    assert_eq!(found(&bench(), 50), BTreeSet::from(["byz.ic1"]));
}

#[test]
fn without_a_default_silence_is_waited_for() {
    let bench = || oral_messages(4, 1).byzantine(3, Behaviour::Silent);
    assert_eq!(found(&bench().mutant("no-default"), 5), BTreeSet::from(["cons.termination"]));
    assert_eq!(found(&bench(), 5), BTreeSet::new());
}

/// p3 says this to p1 and p2, before they have heard a word of each other; four generals, m = 1.
fn with_nonsense(path: &[u32], from: u32) -> Run {
    let path: Vec<ProcessId> = path.iter().map(|p| ProcessId(*p)).collect();
    let says = [1, 2].map(|p| (ProcessId(p), order(&path, 0)));
    scripted(4, from, &says).lockstep().run(1)
}

#[test]
fn an_order_with_a_path_that_cannot_be_is_ignored() {
    let nonsense: [&[u32]; 9] = [
        // Somebody else's word, which with p3's silence would be a majority.
        &[0, 1],
        &[0, 2],
        &[0],
        // A message with an empty path.
        &[],
        &[3],
        &[0, 0],
        &[0, 9, 3],
        &[u32::MAX, 3],
        &[0, 1, 2, 3],
    ];
    for path in nonsense {
        let run = with_nonsense(path, 3);
        assert_eq!(run.violated(), NOTHING, "{path:?}");
    }
}

#[test]
fn an_order_that_comes_too_late_counts_as_absent() {
    // The commander tells p3 in time, p2 never, and p1 when p1 has told the others of silence. Were
    // p1 to believe it then, it would obey 1, and the others 0.
    let mut bench = oral_messages(4, 1).lockstep();
    let fates = [(1, Fate::delay(Duration::from_millis(15))), (2, Fate::DROP)];
    bench.experiment.overrides = fates
        .map(|(to, fate)| MessageRule {
            from: COMMANDER,
            to: ProcessId(to),
            kind: None,
            nth: 1,
            fate,
        })
        .to_vec();
    let bench = bench.byzantine(0, Behaviour::Withhold(ProcessSet::new()));
    assert_eq!(bench.run(1).violated(), NOTHING);
}

#[test]
fn parameters_that_cannot_be_are_refused() {
    let refused = |commanders, lieutenants, m| {
        let roles = [("commander", commanders), ("lieutenant", lieutenants)];
        let bench = Bench::with_roles::<OralMessages>(&roles);
        bench.params(&format!(r#"{{"m": {m}}}"#)).refused()
    };
    let is_refused = |c, l, m| refused(c, l, m).is_some();
    assert!(!is_refused(1, 3, 2) && !is_refused(1, 1, 0));
    assert!(!is_refused(1, 0, 0) && !is_refused(1, 9, 3));
    let keys = [(1, 3, 3), (1, 1_000, 100)].map(|(c, l, m)| refused(c, l, m).expect("refused").key);
    assert_eq!(keys, ["params.m", "params.m"]);
    assert!(is_refused(2, 3, 1) && is_refused(0, 4, 1));
    // 10 + 10 · 9 + … + 10 · 9 · … · 3: eight terms.
    let too_many = refused(1, 10, 7).expect("too many messages");
    assert_eq!(too_many.message, "that is 2606500 messages: at most 1000000");
}
