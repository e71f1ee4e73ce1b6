//! Claims of Gray and Lamport, one test each, and a crash after every single effect.

use ftsim_core::bench::{Bench, Run, STEP};
use ftsim_core::environment::storage::OnCrash;
use ftsim_core::fault::{Action, Crash, Fault, Trigger};
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{Duration, Instant, ProcessId, Verdict};
use ftsim_protocols::commit::PaxosCommit;
use ftsim_spec::atomic_commit::{COORDINATOR, PARTICIPANT};

/// A coordinator, `p` participants, and 2F + 1 acceptors.
fn bench(p: u32, f: u32) -> Bench {
    let roles = [(COORDINATOR, 1), (PARTICIPANT, p), ("acceptor", 2 * f + 1)];
    let mut bench = Bench::with_roles::<PaxosCommit>(&roles);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(20);
    bench
}

fn decisions(run: &Run, decision: &str) -> Vec<(ProcessId, u64)> {
    let text = format!("{decision}(1)");
    let announced = run.trace.entries.iter().filter_map(|entry| match &entry.what {
        TraceEvent::Indicate { what, .. } if *what == text => {
            Some((entry.process?, entry.at.as_nanos() / STEP.as_nanos()))
        }
        _ => None,
    });
    announced.collect()
}

// Numbers. N participants; the paper's first one sends BEGIN-COMMIT to the leader, which sends
// PREPARE to the others: here the client asks the leader, and PREPARE goes to all N.

#[test]
fn a_commit_takes_4_steps_and_n_times_f_plus_3_plus_f_plus_1_messages() {
    for p in [1, 2, 5] {
        for f in [0, 1, 2] {
            let run = bench(p, f).lockstep().run(1);
            let (n, f) = (u64::from(p), u64::from(f));
            let kinds = ["Prepare", "Phase2a", "Phase2b", "Commit"];
            let sent = kinds.map(|kind| run.statistics.sent_of(kind));
            assert_eq!(sent, [n, n * (f + 1), f + 1, n]);
            assert_eq!(run.statistics.sent(), (n + 1) * (f + 3) - 2);
            assert_eq!(decisions(&run, "Committed").last().map(|(_, at)| *at), Some(4));
        }
    }
}

#[test]
fn a_commit_forces_n_plus_f_plus_1_records() {
    for p in [1, 2, 5] {
        for f in [0, 1, 2] {
            let run = bench(p, f).lockstep().run(1);
            assert_eq!(run.statistics.syncs, u64::from(p + f + 1));
        }
    }
}

#[test]
fn with_one_acceptor_the_coordinator_has_as_many_steps_as_in_two_phase_commit_and_one_more() {
    let run = bench(3, 0).lockstep().run(1);
    let coordinator = decisions(&run, "Committed").first().copied();
    assert_eq!(coordinator, Some((ProcessId(0), 3)));
}

#[test]
fn a_participant_that_refuses_aborts_at_once_and_the_others_after_4_steps() {
    let run = bench(3, 1).workload(r#"{"no": [["p1", 1]]}"#).lockstep().run(1);
    let aborted = decisions(&run, "Aborted");
    assert_eq!(aborted.first(), Some(&(ProcessId(1), 1)));
    assert_eq!(aborted.last().map(|(_, at)| *at), Some(4));
    assert_eq!(aborted.len(), 4);
}

// A crash after every effect.

const WORKLOADS: [&str; 3] = [
    "{}",
    r#"{"no": [["p2", 1]]}"#,
    r#"{"transactions": 3, "every": "15ms", "reads": [["p1", 1]]}"#,
];

fn crash(process: ProcessId, trigger: Trigger, recover_after: Option<Duration>) -> Fault {
    let action = Action::Crash(process, Crash { recover_after, ..Crash::default() });
    Fault { trigger, action }
}

fn crash_everywhere(
    bench: &mut Bench,
    recover_after: Option<Duration>,
    mut judge: impl FnMut(&Run, &Fault),
) -> u32 {
    let mut count = 0;
    for process in bench.experiment.setting.processes() {
        for nth in 1.. {
            let fault = crash(process, Trigger::AfterEffect { process, nth }, recover_after);
            bench.experiment.plan.faults = vec![fault.clone()];
            let run = bench.run(nth);
            if !run.unfired.is_empty() {
                break;
            }
            judge(&run, &fault);
            count += 1;
            assert!(nth < 2_000, "effects without end");
        }
    }
    count
}

fn held(run: &Run, id: &str) -> bool {
    run.judged.iter().any(|judged| judged.id.0 == id && judged.verdict == Verdict::Held)
}

#[test]
fn no_crash_blocks_anybody() {
    for workload in WORKLOADS {
        let mut bench = bench(2, 1).workload(workload);
        let count = crash_everywhere(&mut bench, None, |run, fault| {
            assert_eq!(run.violated(), [""; 0], "{workload} {fault:?}");
            assert!(held(run, "ac.nonblocking"), "{workload} {fault:?}");
        });
        assert!(count >= 30, "{workload}: only {count} effects");
    }
}

#[test]
fn neither_does_the_crash_of_an_acceptor_and_of_the_coordinator() {
    for acceptor in 3..6 {
        let down = crash(ProcessId(acceptor), Trigger::At(Instant::ZERO), None);
        for nth in 1..15 {
            let mut bench = bench(2, 1);
            let process = ProcessId(0);
            let second = crash(process, Trigger::AfterEffect { process, nth }, None);
            bench.experiment.plan.faults = vec![down.clone(), second];
            let run = bench.run(nth);
            assert_eq!(run.violated(), [""; 0], "p{acceptor} and p0 after its effect {nth}");
            assert!(held(&run, "ac.nonblocking"));
        }
    }
}

#[test]
fn whoever_recovers_decides() {
    for workload in WORKLOADS {
        let mut bench = bench(2, 1).workload(workload);
        for on_crash in [OnCrash::LoseUnsynced, OnCrash::KeepAll, OnCrash::TornLast] {
            bench.experiment.on_crash = on_crash;
            for recover_after in [Duration::from_millis(1), Duration::from_millis(300)] {
                crash_everywhere(&mut bench, Some(recover_after), |run, fault| {
                    let what = format!("{workload} {on_crash} {fault:?}");
                    assert_eq!(run.violated(), [""; 0], "{what}");
                    assert!(held(run, "ac.termination"), "{what}");
                });
            }
        }
    }
}

#[test]
fn without_a_majority_of_acceptors_whoever_is_prepared_waits() {
    for f in [0, 1, 2] {
        let mut bench = bench(2, f);
        let acceptors = (3..=3 + f).map(ProcessId);
        let prepared = Trigger::Sends { process: ProcessId(1), kind: "Phase2a".into(), nth: 1 };
        bench.experiment.plan.faults =
            acceptors.map(|p| crash(p, prepared.clone(), None)).collect();
        assert_eq!(bench.run(1).violated(), ["ac.nonblocking"]);
    }
}

#[test]
fn the_same_loop_finds_a_record_that_comes_too_late() {
    let mut bench = bench(2, 1).mutant("propose-before-log");
    let mut found = Vec::new();
    crash_everywhere(&mut bench, Some(Duration::from_millis(300)), |run, _| {
        found.extend(run.violated());
    });
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, ["ac.agreement"]);
}
