//! The patterns that lineage leaves out come to the same as those that it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use crate::brute;
use crate::classes::table;
use crate::tables::{Act, Cell, INPUT_COUNT, InState, Machine, Quiet, STATE_COUNT, Table};
use ftsim_core::digest::Digest;
use ftsim_core::environment::detector::DetectorKind;
use ftsim_core::environment::message_rule::MessageRule;
use ftsim_core::explore::lineage::{Clause, Count, Faults, Lineage, Pattern};
use ftsim_core::{
    End, Experiment, Observation, Observed, Outcome, Property, PropertyEntry, PropertyId, Runner,
    Setting, Violation,
};
use proptest::collection;
use proptest::prelude::{
    ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

const SEED: u64 = 1;

/// What happens where, when, and in which order.
pub const ORDER: PropertyEntry<Quiet> =
    PropertyEntry::safety(PropertyId("test.order"), "anything", |_| Box::new(Order::default()))
        .if_claimed();

#[derive(Clone, Copy, Debug)]
struct Order(Digest);

impl Default for Order {
    fn default() -> Self {
        Self(Digest::EMPTY)
    }
}

impl std::hash::Hash for Order {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.value().hash(state);
    }
}

impl Property<Quiet> for Order {
    fn observe(&mut self, event: &Observed<'_, Quiet>) -> Result<(), Violation> {
        let what = match event.what {
            Observation::Indication(InState(state)) => u64::from(*state),
            Observation::Crash => 100,
            Observation::Request(_) => 101,
            _ => return Ok(()),
        };
        for word in [event.at.as_nanos(), event.process.0.into(), what] {
            self.0.mix(word);
        }
        Ok(())
    }
    fn exercised(&self) -> u64 {
        1
    }
    #[expect(clippy::cast_precision_loss, reason = "32 bits fit")]
    fn measured(&self, _: &End<'_>) -> Option<f64> {
        Some((self.0.value() >> 32) as f64)
    }
}

/// What properties saw of a run.
pub fn seen(outcome: &Outcome) -> String {
    let judged = outcome.judged.iter().map(|one| (&one.verdict, one.measured));
    format!("{:?} {:?}", judged.collect::<Vec<_>>(), outcome.correct)
}

fn runner(experiment: &Experiment, table: &Table, rules: Vec<MessageRule>) -> Runner {
    let mut experiment = Lineage::strip(experiment);
    experiment.overrides = rules;
    Runner::new::<Machine>(experiment, table.clone(), table).expect("a table is valid")
}

/// All that lineage runs: the pattern, what was seen, and what its clause covers.
fn lineage(
    experiment: &Experiment,
    table: &Table,
    faults: Faults,
) -> (Vec<(Pattern, String, Clause)>, Count) {
    let mut tried = Vec::new();
    let mut search = Lineage::new(runner(experiment, table, Vec::new()), faults);
    let (count, flow) = search.explore(SEED, &mut |one| {
        tried.push((one.pattern.clone(), seen(one.outcome), one.clause.clone()));
        ControlFlow::Continue(())
    });
    assert!(flow.is_continue());
    (tried, count)
}

/// A table with cells that announce nothing, only change the state, or do nothing at all. Nothing
/// happens at the start, so that not all processes do the same.
fn quiet_table() -> impl Strategy<Value = Table> {
    let hushed = collection::vec(0u8..4, STATE_COUNT * INPUT_COUNT);
    (table(), hushed).prop_map(|(mut table, hushed)| {
        for (at, (cell, hushed)) in (1..).zip(table.cells.iter_mut().zip(hushed)) {
            match hushed {
                _ if at % INPUT_COUNT == 0 => cell.acts = vec![Act::Hush],
                0 => {}
                1 => cell.acts.push(Act::Hush),
                _ => cell.acts = vec![Act::Hush],
            }
        }
        table
    })
}

/// 60, unless the environment says otherwise.
fn case_count() -> u32 {
    option_env!("LINEAGE_CASES").and_then(|count| count.parse().ok()).unwrap_or(60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(case_count()))]

    #[test]
    fn what_lineage_leaves_out_comes_to_the_same(
        table in prop_oneof![table(), quiet_table()],
        n in 2u32..4,
        crashes in 0u32..3,
        losses in 0u32..3,
        late in 0u32..2,
        has_detector in any::<bool>(),
        minds_order in any::<bool>(),
    ) {
        let mut experiment = Experiment::new(Setting::of(n));
        if has_detector {
            experiment.detector.kind = DetectorKind::Perfect;
        }
        if minds_order {
            experiment.check.push(ORDER.id);
        }
        let mut make = |rules| runner(&experiment, &table, rules);
        let faults = Faults { crashes, losses, late, steps: 512 };
        let bound = experiment.network.bound;
        let all = brute::all(&mut make, SEED, faults, bound, 600);
        let Some(all) = all else { return Ok(()) };
        let (tried, count) = lineage(&experiment, &table, faults);
        prop_assert_eq!(count.cut, 0);
        prop_assert!(count.runs <= all.len() as u64, "{} of {}", count.runs, all.len());
        let all: BTreeMap<Pattern, String> =
            all.into_iter().map(|(pattern, one)| (pattern, seen(&one))).collect();
        let outcomes: BTreeSet<&String> = all.values().collect();
        let found: BTreeSet<&String> = tried.iter().map(|(_, seen, _)| seen).collect();
        prop_assert_eq!(&found, &outcomes);
        for (pattern, outcome) in &all {
            let clauses = tried.iter().filter(|(_, _, clause)| clause.covers(pattern));
            let mut is_covered = false;
            for (run, alike, _) in clauses {
                is_covered = true;
                prop_assert_eq!(alike, outcome, "{} covers {}", run, pattern);
            }
            prop_assert!(is_covered, "{}", pattern);
        }
    }
}

#[test]
fn a_message_that_makes_another_one_matters() {
    // Process 0 sends A to 1 when a client asks, 1 sends B to 2 when it hears A, and 2 says so.
    let mut cells = vec![Cell::default(); STATE_COUNT * INPUT_COUNT];
    let (on_a, on_request, on_start) = (0, 3, 5);
    cells[on_start].acts = vec![Act::Hush];
    cells[on_request].acts = vec![Act::Hush, Act::Send(1, 0)];
    cells[on_a].acts = vec![Act::Hush, Act::Send(1, 1)];
    let table = Table { cells, fuel: 9, requests: vec![0], ..Table::default() };
    let experiment = Experiment::new(Setting::of(3));
    let faults = Faults { crashes: 0, losses: 2, late: 0, steps: 512 };
    let (tried, count) = lineage(&experiment, &table, faults);
    let lost: Vec<usize> = tried.iter().map(|(pattern, ..)| pattern.lost.len()).collect();
    assert_eq!((lost, count.patterns), (vec![0, 1, 1], 4), "none, and either of the two");
}
