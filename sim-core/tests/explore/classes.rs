//! A reduced search makes one run of each class, and the classes of a search in every order are the
//! same.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use crate::tables::{Act, Cell, INPUT_COUNT, STATE_COUNT, Table, fifo, frontier};
use ftsim_core::environment::detector::DetectorKind;
use ftsim_core::environment::storage::OnCrash;
use ftsim_core::explore::reduced::{Reduced, divide};
use ftsim_core::explore::{
    Budget, ClassId, Count, Explored, Frontier, How, Step, Time, What, estimate, unreduced,
};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::{collection, prop_assert, prop_assert_eq};

/// The classes of a search, with what each came to, and how often each came.
#[derive(Default)]
struct Seen {
    classes: BTreeMap<ClassId, String>,
    shown: BTreeMap<ClassId, String>,
    repeated: u64,
    again: String,
    contradictions: Vec<String>,
}

impl Seen {
    fn note(&mut self, explored: &Explored<'_>) {
        let judged = explored.outcome.judged.iter();
        let verdicts: Vec<String> =
            judged.map(|one| format!("{:?} {:?}", one.verdict, one.measured)).collect();
        let came_to = format!("{verdicts:?} {:?}", explored.outcome.correct);
        let class = ClassId::of(explored.steps);
        let before = self.shown.insert(class, show(explored));
        if let Some(before) = before {
            self.again = format!("{before}and\n{}", show(explored));
        }
        if let Some(before) = self.classes.insert(class, came_to.clone()) {
            self.repeated += 1;
            if before != came_to {
                self.contradictions.push(format!("{before} and {came_to}"));
            }
        }
    }
}

/// The steps of a run, a line each.
fn show(explored: &Explored<'_>) -> String {
    let steps = explored.steps.iter();
    steps
        .map(|s| format!("  {:?}: {} {:?} {}\n", s.what, s.choice.how, s.footprint, s.epoch))
        .collect()
}

fn reduced(frontier: &mut Frontier) -> (Seen, Count) {
    let mut seen = Seen::default();
    let (count, _) = Reduced::new(frontier, 1).explore(&mut |explored| {
        seen.note(explored);
        ControlFlow::Continue(())
    });
    (seen, count)
}

/// The same in at least so many parts, one after the other.
fn in_parts(frontier: &mut Frontier, count: usize) -> Seen {
    let mut seen = Seen::default();
    for part in divide(frontier, 1, count).0 {
        let _ = Reduced::of(frontier, 1, &part).explore(&mut |explored| {
            seen.note(explored);
            ControlFlow::Continue(())
        });
    }
    seen
}

/// All runs, or nothing if there are too many.
fn all(frontier: &mut Frontier, run_count_max: u64) -> Option<(Seen, Count)> {
    let mut seen = Seen::default();
    let mut count = 0;
    let (total, flow) = unreduced::explore(frontier, 1, &mut |explored| {
        seen.note(explored);
        count += 1;
        if count > run_count_max { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    flow.is_continue().then_some((seen, total))
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0u32..3, 0u8..2).prop_map(|(to, kind)| Act::Send(to, kind)),
        1 => (0u8..2).prop_map(Act::SetTimer),
        1 => (0u8..2).prop_map(Act::CancelTimer),
        1 => (0u8..3).prop_map(Act::Record),
        1 => Just(Act::Sync),
        1 => Just(Act::Toss),
        1 => Just(Act::Say),
    ]
}

pub fn table() -> impl Strategy<Value = Table> {
    let cell = (0..STATE_COUNT, collection::vec(act(), 0..3))
        .prop_map(|(next, acts)| Cell { next: u8::try_from(next).unwrap(), acts });
    let requests = collection::vec(0u32..2, 0..3);
    (collection::vec(cell, STATE_COUNT * INPUT_COUNT), 1u8..4, requests, any::<bool>())
        .prop_map(|(cells, fuel, requests, is_drawn)| Table { cells, fuel, requests, is_drawn })
}

pub fn budget() -> impl Strategy<Value = Budget> {
    let counts = (0u32..3, 0u32..2, 0u32..2, 0u32..2, 0u32..2, 0u32..2);
    (counts, 0u32..3, 0u32..3).prop_map(|(b, coins, votes)| Budget {
        late: 0,
        crashes: b.0,
        recoveries: b.1,
        losses: b.2,
        duplicates: b.3,
        suspicions: b.4,
        timeouts: b.5,
        coins,
        votes,
        steps: 60,
    })
}

pub fn on_crash() -> impl Strategy<Value = OnCrash> {
    prop_oneof![
        Just(OnCrash::LoseUnsynced),
        Just(OnCrash::KeepPrefix),
        Just(OnCrash::KeepSubset),
        Just(OnCrash::TornLast),
    ]
}

/// 60, unless the environment says otherwise.
fn case_count() -> u32 {
    option_env!("EXPLORE_CASES").and_then(|count| count.parse().ok()).unwrap_or(60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(case_count()))]

    #[test]
    fn a_reduced_search_makes_one_run_of_each_class(
        table in table(),
        budget in budget(),
        n in 2u32..4,
        is_fifo in any::<bool>(),
        is_free in any::<bool>(),
        on_crash in on_crash(),
    ) {
        let time = if is_free { Time::Free } else { Time::Lockstep };
        let mut world = frontier(n, &table, time, budget, |experiment| {
            experiment.on_crash = on_crash;
            if is_fifo { fifo(experiment) }
        });
        let Some((every, count)) = all(&mut world, 4_000) else { return Ok(()) };
        if count.cut > 0 { return Ok(()); }
        let (one, reduced) = reduced(&mut world);
        prop_assert_eq!(&every.contradictions, &Vec::<String>::new());
        prop_assert_eq!(one.repeated, 0, "each class once, not\n{}", one.again);
        let is_missed = |class: &&ClassId| !one.classes.contains_key(class);
        let missed: BTreeSet<_> = every.classes.keys().filter(is_missed).collect();
        let invented = one.classes.keys().filter(|c| !every.classes.contains_key(c)).count();
        prop_assert!(
            missed.is_empty(),
            "{} of {} classes missed, such as\n{}",
            missed.len(),
            every.classes.len(),
            every.shown[*missed.first().unwrap()],
        );
        prop_assert_eq!(invented, 0);
        prop_assert_eq!(reduced.runs, every.classes.len() as u64);
        let parts = in_parts(&mut world, 9);
        prop_assert_eq!(parts.repeated, 0, "in parts, each class once, not\n{}", parts.again);
        prop_assert!(parts.classes.keys().eq(every.classes.keys()), "the same classes in parts");
    }
}

/// What processes do when a client asks, and nothing else.
pub fn on_request(acts: &[Act], requests: &[u32]) -> Table {
    let mut cells = vec![Cell::default(); STATE_COUNT * INPUT_COUNT];
    cells[3] = Cell { next: 0, acts: acts.to_vec() };
    Table { cells, fuel: 9, requests: requests.to_vec(), ..Table::default() }
}

fn run_count(n: u32, table: &Table, budget: Budget) -> u64 {
    let mut world = frontier(n, table, Time::Free, budget, |_| {});
    let (seen, count) = reduced(&mut world);
    assert_eq!((count.redundant, seen.repeated), (0, 0));
    count.runs
}

const FACTORIALS: [u64; 7] = [1, 1, 2, 6, 24, 120, 720];

#[test]
fn k_messages_to_one_process_come_in_k_factorial_orders() {
    for (k, factorial) in (1..).zip(&FACTORIALS[1..]) {
        let table = on_request(&vec![Act::Send(1, 0); k], &[0]);
        assert_eq!(run_count(2, &table, Budget::default()), *factorial, "k = {k}");
        let mut world = frontier(2, &table, Time::Free, Budget::default(), fifo);
        assert_eq!(reduced(&mut world).1.runs, 1, "a FIFO link has one order");
    }
}

#[test]
fn the_number_of_runs_in_every_order_is_estimated() {
    // A walk through k! orders of messages to one process meets the same numbers of ways whichever
    // way it goes.
    let table = on_request(&[Act::Send(1, 0); 5], &[0]);
    let mut world = frontier(2, &table, Time::Free, Budget::default(), |_| {});
    assert_eq!(estimate::run_count(&mut world, 1, 3).to_bits(), 120f64.to_bits());
    // With a crash, walks differ, and their mean is the number of runs.
    let table = on_request(&[Act::Send(1, 0), Act::Send(2, 0)], &[0]);
    let budget = Budget { crashes: 1, losses: 1, ..Budget::default() };
    let mut world = frontier(3, &table, Time::Free, budget, |_| {});
    let (_, count) = all(&mut world, u64::MAX).expect("all runs");
    let estimated = estimate::run_count(&mut world, 1, 20_000);
    let ratio = estimated / f64::from(u32::try_from(count.runs).unwrap());
    assert!((0.95..1.05).contains(&ratio), "{estimated} for {}", count.runs);
}

#[test]
fn k_messages_to_each_of_n_processes_come_in_k_factorial_to_the_n_orders() {
    // Process 0 sends k messages to each of two others.
    for (k, factorial) in (1..).zip(&FACTORIALS[1..4]) {
        let acts: Vec<Act> = [1, 2].iter().flat_map(|to| vec![Act::Send(*to, 0); k]).collect();
        assert_eq!(run_count(3, &on_request(&acts, &[0]), Budget::default()), factorial.pow(2));
    }
}

#[test]
fn what_happens_at_different_processes_has_one_order() {
    assert_eq!(run_count(3, &on_request(&[Act::Say], &[0, 1, 2]), Budget::default()), 1);
}

#[test]
fn a_crash_in_a_broadcast_leaves_each_prefix_of_it() {
    // To two others: after one send, or between two steps; before the request, or after it with
    // each receiver's message. The processes are told of nothing.
    let table = on_request(&[Act::Send(1, 0), Act::Send(2, 0)], &[0]);
    let budget = Budget { crashes: 1, ..Budget::default() };
    let mut world = frontier(3, &table, Time::Free, budget, |experiment| {
        experiment.detector.kind = DetectorKind::None;
    });
    let mut received = BTreeSet::new();
    let (_, flow) = Reduced::new(&mut world, 1).explore(&mut |explored| {
        let is_sender = |step: &&Step| {
            matches!(step.choice.how,
            How::Crash { process, .. } | How::CrashesAfter { process, .. } if process.0 == 0)
        };
        if explored.steps.iter().any(|step| is_sender(&step)) {
            let receivers = explored.steps.iter().filter_map(|step| match step.what {
                What::Message { to, .. } => Some(to.0),
                _ => None,
            });
            received.insert(receivers.collect::<BTreeSet<u32>>());
        }
        ControlFlow::Continue(())
    });
    assert!(flow.is_continue());
    let sets: Vec<Vec<u32>> = received.into_iter().map(|set| set.into_iter().collect()).collect();
    assert_eq!(sets, [vec![], vec![1], vec![1, 2]], "no run in which 2 hears it and 1 does not");
}

#[test]
fn a_process_that_crashes_while_it_recovers_can_recover_again() {
    let budget = Budget { crashes: 2, recoveries: 2, ..Budget::default() };
    let table = on_request(&[Act::Say], &[0]);
    let mut world = frontier(2, &table, Time::Lockstep, budget, |_| {});
    let mut most = 0;
    let (_, flow) = Reduced::new(&mut world, 1).explore(&mut |explored| {
        let will_recover = |step: &&Step| {
            matches!(step.choice.how,
            How::Crash { recovers, .. } | How::CrashesAfter { recovers, .. } if recovers)
        };
        let is_recovery = |step: &&Step| matches!(step.what, What::Recovery(_));
        let crash_count = explored.steps.iter().filter(will_recover).count();
        let recovery_count = explored.steps.iter().filter(is_recovery).count();
        assert_eq!(crash_count, recovery_count, "{}", show(explored));
        let again = |step: &&Step| is_recovery(step) && will_recover(step);
        most = most.max(explored.steps.iter().filter(again).count());
        ControlFlow::Continue(())
    });
    assert_eq!((flow, most), (ControlFlow::Continue(()), 1));
}
