//! What each spec takes for an operation and its answer: latencies and messages that are known.

use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::network::{Loss, Order};
use ftsim_core::fault::Trigger;
use ftsim_core::{Duration, DurationRange, Instant, Probability};

use ftsim_core::bench::{Bench, Run, STEP, sends};
use ftsim_protocols::broadcast::{Beb, UniformRb};
use ftsim_protocols::byzantine::{OralMessages, PhaseKing};
use ftsim_protocols::checkpoint::ChandyLamport;
use ftsim_protocols::commit::TwoPhaseCommit;
use ftsim_protocols::consensus::FloodSet;
use ftsim_protocols::links::ReliableLink;
use ftsim_protocols::replication::PrimaryBackup;

/// Operations, how many of them were answered, and the different latencies in communication steps.
fn operations(run: &Run) -> (u64, u64, Vec<u64>) {
    let operations = &run.dependability.operations;
    assert_eq!(run.latencies.len() as u64, operations.answered);
    let mut steps: Vec<u64> =
        run.latencies.iter().map(|l| l.as_nanos() / STEP.as_nanos()).collect();
    steps.sort_unstable();
    steps.dedup();
    (operations.asked, operations.answered, steps)
}

fn of(bench: Bench) -> (u64, u64, Vec<u64>) {
    operations(&bench.lockstep().run(1))
}

#[test]
fn a_broadcast_ends_with_its_senders_own_delivery() {
    assert_eq!(of(Bench::of::<Beb>(4)), (4, 4, vec![0]));
    // The sender waits for the relays of the others.
    assert_eq!(of(Bench::of::<UniformRb>(4).params(r#"{"variant": "majority"}"#)).2, [2]);
    let run = Bench::of::<Beb>(4).lockstep().run(1);
    assert_eq!(run.dependability.messages_per_operation(), Some(3.0));
}

#[test]
fn a_message_on_a_link_ends_with_its_delivery_elsewhere() {
    let all = Bench::of::<ReliableLink>(3).params(r#"{"window": 5}"#);
    let run = all.workload(r#"{"messages": 5}"#).lockstep().run(1);
    assert_eq!(operations(&run), (30, 30, vec![1]));
    assert_eq!(run.dependability.messages_per_operation(), Some(2.0));
}

#[test]
fn a_message_that_is_never_delivered_waits_until_the_end() {
    let mut bench = Bench::of::<ReliableLink>(2).workload(r#"{"senders": ["p0"]}"#);
    bench.experiment.network.default.loss = Loss::Independent(Probability::ALWAYS);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(7);
    let run = bench.run(1);
    assert_eq!(operations(&run), (1, 0, vec![]));
    let waited = run.dependability.operations.waited_mean();
    assert_eq!(waited, Some(Duration::from_secs(7)));
}

#[test]
fn a_proposal_ends_with_a_decision_and_an_order_with_obedience() {
    let floodset = |f: u32| of(Bench::of::<FloodSet>(4).params(&format!(r#"{{"f": {f}}}"#)));
    assert_eq!(floodset(1), (4, 4, vec![2]));
    assert_eq!(floodset(2), (4, 4, vec![3]));
    assert_eq!(of(Bench::of::<PhaseKing>(4)).0, 4);
    let roles = [("commander", 1), ("lieutenant", 3)];
    let run = Bench::with_roles::<OralMessages>(&roles).params(r#"{"m": 1}"#).lockstep().run(1);
    assert_eq!(operations(&run).0, 1);
    assert_eq!(run.dependability.messages_per_operation(), Some(9.0));
}

#[test]
fn a_transaction_ends_where_it_was_asked_for() {
    let roles = [("coordinator", 1), ("participant", 3)];
    let workload = r#"{"transactions": 4}"#;
    let bench = || Bench::with_roles::<TwoPhaseCommit>(&roles).workload(workload);
    // Prepare and vote; Commit and its acknowledgement come after the answer.
    let run = bench().lockstep().run(1);
    assert_eq!(operations(&run), (4, 4, vec![2]));
    assert_eq!(run.dependability.messages_per_operation(), Some(12.0));
    // The coordinator dies before it can decide anything, and is asked for the rest in vain.
    let dies = |trigger: Trigger| operations(&bench().lockstep().crash(0, trigger).run(1));
    assert_eq!(dies(sends(0, "Prepare", 1)), (4, 0, vec![]));
}

#[test]
fn an_invocation_ends_with_its_response() {
    let roles = [("server", 3), ("client", 1)];
    let bench = Bench::with_roles::<PrimaryBackup>(&roles).workload(r#"{"operations": 10}"#);
    let (asked, answered, steps) = of(bench);
    assert_eq!((asked, answered), (10, 10));
    // To the primary and back, and to the backups and back in between.
    assert_eq!(steps, [4]);
}

#[test]
fn a_snapshot_ends_when_its_initiator_has_it_whole() {
    let mut bench = Bench::of::<ChandyLamport>(3);
    bench.experiment.network.default.order = Order::Fifo;
    bench.experiment.network.default.delay = Delay::Uniform(DurationRange::constant(STEP));
    let (asked, answered, steps) = operations(&bench.run(1));
    assert!(asked > 0 && answered == asked);
    // Its markers go out, and those of the others come back.
    assert_eq!(steps, [2]);
}
