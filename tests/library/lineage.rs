//! Lineage against brute force over all fault patterns: the same verdicts.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::brute;
use ftsim::Catalogue;
use ftsim::scenario::Scenario;
use ftsim_core::explore::lineage::{Clause, Faults, Lineage};
use ftsim_core::{Outcome, Verdict};

/// The properties that are violated.
fn violated(outcome: &Outcome) -> BTreeSet<&'static str> {
    let judged = outcome.judged.iter();
    let violated = judged.filter(|one| matches!(one.verdict, Verdict::Violated(_)));
    violated.map(|one| one.id.0).collect()
}

/// Whatever lineage and brute force find, they agree on, and it is this. Returns how many patterns
/// lineage and brute force run.
fn compare(text: &str, faults: [u32; 3], expected: &[&str]) -> (u64, usize) {
    let [crashes, losses, late] = faults;
    let scenario = Scenario::parse("small.toml", text, &Catalogue::builtin())
        .unwrap_or_else(|problems| panic!("{}\n{text}", problems[0].message));
    let seed = scenario.seeds.start;
    let experiment = Lineage::strip(&scenario.experiment);
    let mut make = |rules| {
        let mut experiment = experiment.clone();
        experiment.overrides = rules;
        let (params, workload) = (&scenario.params, &scenario.workload);
        scenario.entry.prepare(experiment, params, workload).expect("it was checked")
    };
    let faults = Faults { crashes, losses, late, steps: 512 };
    let mut tried: Vec<(Clause, BTreeSet<&str>)> = Vec::new();
    let (count, _) = Lineage::new(make(Vec::new()), faults).explore(seed, &mut |one| {
        assert!(one.clause.covers(one.pattern), "at least itself: {}", one.pattern);
        let again = tried.iter().any(|(clause, _)| clause.covers(one.pattern));
        assert!(!again, "{} was known: {text}", one.pattern);
        tried.push((one.clause.clone(), violated(one.outcome)));
        ControlFlow::Continue(())
    });
    assert_eq!((count.cut, count.runs), (0, tried.len() as u64), "{text}");
    let found: BTreeSet<&str> = tried.iter().flat_map(|(_, found)| found).copied().collect();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "{text}");

    let bound = scenario.experiment.network.bound;
    let all = brute::all(&mut make, seed, faults, bound, 6_000);
    let all = all.unwrap_or_else(|| panic!("too many patterns: {text}"));
    for (pattern, one) in &all {
        let mut alike = tried.iter().filter(|(clause, _)| clause.covers(pattern)).peekable();
        assert!(alike.peek().is_some(), "{pattern}: {text}");
        let comes_to = violated(one);
        assert!(alike.all(|(_, found)| *found == comes_to), "{pattern}: {comes_to:?}\n{text}");
    }
    let found: BTreeSet<&str> = all.values().flat_map(violated).collect();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "{text}");
    assert!(count.runs <= all.len() as u64, "{} of {}: {text}", count.runs, all.len());
    (count.runs, all.len())
}

/// A scenario of this protocol with these parameters, and more.
fn scenario(protocol: &str, processes: &str, params: &str, more: &str) -> String {
    format!("protocol = \"{protocol}\"\nprocesses = {processes}\n{more}\n[params]\n{params}\n")
}

const ONE_SENDER: &str = "workload.senders = [\"p0\"]\nworkload.broadcasts = 1";

#[test]
fn broadcasts() {
    let sender = |more: &str| format!("{ONE_SENDER}\n{more}");
    let eager = |n: &str, params: &str| scenario("eager-rb", n, params, &sender(""));
    let lazy =
        |params: &str| scenario("lazy-rb", "3", params, &sender("detector.kind = \"perfect\""));
    let best = scenario("beb", "3", "", &sender("check = [\"rb.agreement\"]"));
    compare(&best, [1, 0, 0], &["rb.agreement"]);
    compare(&best, [1, 1, 1], &["beb.validity", "rb.agreement"]);
    compare(&eager("3", ""), [1, 0, 1], &[]);
    compare(&eager("3", ""), [2, 0, 0], &[]);
    let (runs, all) = compare(&eager("4", ""), [2, 0, 0], &[]);
    assert!(runs * 3 < all as u64, "{runs} of {all}");
    compare(&eager("3", ""), [1, 2, 0], &["beb.validity", "rb.agreement"]);
    compare(&eager("3", "mutant = \"deliver-without-relay\""), [1, 0, 0], &["rb.agreement"]);
    compare(&lazy(""), [2, 0, 0], &[]);
}

#[test]
fn consensus() {
    let flood = |n: &str, params: &str| scenario("floodset", n, params, "");
    let both = ["cons.agreement", "cons.uniform-agreement"];
    compare(&flood("3", "f = 1"), [1, 0, 0], &[]);
    compare(&flood("3", "f = 1\nmutant = \"f-rounds\""), [1, 0, 0], &both);
    compare(&flood("4", "f = 1"), [2, 0, 0], &both);
    compare(&flood("4", "f = 2"), [2, 0, 0], &[]);
    let flooding =
        |params: &str| scenario("flooding-consensus", "3", params, "detector.kind = \"perfect\"");
    compare(&flooding(""), [1, 0, 0], &[]);
    compare(&flooding("mutant = \"decide-early\""), [1, 0, 0], &["cons.agreement"]);
    compare(&flooding(""), [1, 0, 1], &[]);
}

#[test]
fn links() {
    let link = |params: &str| {
        let one = "workload.senders = [\"p0\"]\nworkload.messages = 1\nrun.horizon = \"300ms\"";
        scenario("reliable-link", "2", params, one)
    };
    compare(&link(""), [0, 2, 0], &[]);
    compare(&link(""), [0, 1, 1], &[]);
    compare(&link("mutant = \"no-retransmit\""), [0, 1, 0], &["lnk.reliable"]);
    let twice = ["lnk.exactly-once-effect", "lnk.no-duplication"];
    compare(&link("mutant = \"no-dedup\""), [1, 1, 0], &twice);
}

#[test]
fn commitment() {
    let roles = "{ coordinator = 1, participant = 2 }";
    let horizon = "run.horizon = \"500ms\"";
    let commit = |params: &str| scenario("two-phase-commit", roles, params, horizon);
    compare(&commit(""), [1, 0, 0], &[]);
    compare(
        &commit("mutant = \"commit-on-timeout\""),
        [1, 0, 0],
        &["ac.agreement", "ac.commit-validity"],
    );
}
