//! Claims of Skeen, one test each, and a crash after every single effect.

use ftsim_core::bench::{Bench, Run, STEP, sends};
use ftsim_core::environment::storage::OnCrash;
use ftsim_core::fault::{Action, Crash, Fault, Trigger};
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{Duration, Instant, ProcessId, Verdict};
use ftsim_protocols::commit::ThreePhaseCommit;
use ftsim_spec::atomic_commit::{COORDINATOR, NONBLOCKING, PARTICIPANT};

/// One coordinator and `p` participants, with a perfect detector.
fn bench(p: u32) -> Bench {
    let roles = [(COORDINATOR, 1), (PARTICIPANT, p)];
    let mut bench = Bench::with_roles::<ThreePhaseCommit>(&roles).perfect_detector("10ms");
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(5);
    bench
}

const QUORUM: &str = r#"{"variant": "quorum"}"#;

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

// Numbers.

#[test]
fn a_commit_takes_5_steps_and_5_times_n_minus_1_messages() {
    for p in [1, 2, 4, 8] {
        for params in ["{}", QUORUM] {
            let run = bench(p).params(params).lockstep().run(1);
            let phases = ["CanCommit", "Vote", "PreCommit", "Ack", "DoCommit"];
            assert_eq!(phases.map(|kind| run.statistics.sent_of(kind)), [u64::from(p); 5]);
            assert_eq!(run.statistics.sent(), 5 * u64::from(p));
            assert_eq!(decisions(&run, "Committed").last().map(|(_, at)| *at), Some(5));
            // Each participant forces that it waits, each site the other two records.
            assert_eq!(run.statistics.syncs, 3 * u64::from(p) + 2);
        }
    }
}

#[test]
fn an_abort_takes_3_steps_at_most_and_no_second_phase() {
    let run = bench(4).workload(r#"{"no": [["p1", 1]]}"#).lockstep().run(1);
    assert_eq!(run.statistics.sent(), 3 * 4);
    assert_eq!(decisions(&run, "Aborted").len(), 5);
    assert_eq!(decisions(&run, "Aborted").last().map(|(_, at)| *at), Some(3));
}

// A crash after every effect.

const WORKLOADS: [&str; 3] = [
    "{}",
    r#"{"no": [["p2", 1]]}"#,
    r#"{"transactions": 3, "every": "15ms", "reads": [["p1", 1]]}"#,
];

fn crash(process: u32, nth: u64, recover_after: Option<Duration>) -> Fault {
    let process = ProcessId(process);
    let action = Action::Crash(process, Crash { recover_after, ..Crash::default() });
    Fault { trigger: Trigger::AfterEffect { process, nth }, action }
}

/// Runs `judge` on a run for each effect of each process, with a crash right after it;
/// returns how many there were.
fn crash_everywhere(
    bench: &mut Bench,
    recover_after: Option<Duration>,
    mut judge: impl FnMut(&Run, &Fault),
) -> u32 {
    let mut count = 0;
    for process in 0..bench.experiment.setting.n {
        for nth in 1.. {
            let fault = crash(process, nth, recover_after);
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

#[test]
fn no_crash_blocks_anybody() {
    for workload in WORKLOADS {
        let count = crash_everywhere(&mut bench(3).workload(workload), None, |run, fault| {
            assert_eq!(run.violated(), [""; 0], "{workload} {fault:?}");
            assert!(held(run, "ac.nonblocking"), "{workload} {fault:?}");
        });
        assert!(count >= 30, "{workload}: only {count} effects");
    }
}

#[test]
fn all_but_one_may_crash() {
    for survivor in 1..4 {
        let second = (survivor % 3) + 1;
        for taking_over in ["PreCommit", "DoCommit", "StateReq"] {
            let Some(first) = (1..4).find(|p| *p != survivor && *p != second) else { continue };
            let also = [(first, taking_over), (second, "State")].map(|(p, kind)| Fault {
                trigger: sends(p, kind, 1),
                action: Action::Crash(ProcessId(p), Crash::default()),
            });
            let mut bench = bench(3);
            for nth in 1..40 {
                bench.experiment.plan.faults =
                    also.iter().cloned().chain([crash(0, nth, None)]).collect();
                let run = bench.run(nth);
                assert_eq!(run.violated(), [""; 0], "{survivor} {taking_over} {nth}");
            }
        }
    }
}

fn held(run: &Run, id: &str) -> bool {
    run.judged.iter().any(|judged| judged.id.0 == id && judged.verdict == Verdict::Held)
}

#[test]
fn whoever_recovers_learns_the_decision() {
    for params in ["{}", QUORUM] {
        for workload in WORKLOADS {
            let mut bench = bench(2).params(params).workload(workload);
            for on_crash in [OnCrash::LoseUnsynced, OnCrash::KeepAll, OnCrash::TornLast] {
                bench.experiment.on_crash = on_crash;
                for recover_after in [Duration::from_millis(1), Duration::from_millis(300)] {
                    crash_everywhere(&mut bench, Some(recover_after), |run, fault| {
                        let what = format!("{params} {workload} {on_crash} {fault:?}");
                        assert_eq!(run.violated(), [""; 0], "{what}");
                        assert!(held(run, "ac.termination"), "{what}");
                    });
                }
            }
        }
    }
}

// Total failure.

/// All sites crash when the coordinator has sent its first message of this kind, and all but those
/// in `down` recover, one after the other.
fn total_failure(kind: &str, down: &[u32]) -> Run {
    let mut bench = bench(2);
    bench.experiment.plan.faults = (0..3)
        .map(|p| {
            let recover_after = Duration::from_millis(50 * u64::from(p + 1));
            let recover_after = (!down.contains(&p)).then_some(recover_after);
            let action = Action::Crash(ProcessId(p), Crash { recover_after, ..Crash::default() });
            Fault { trigger: sends(0, kind, 1), action }
        })
        .collect();
    bench.check(NONBLOCKING).run(1)
}

#[test]
fn after_a_total_failure_all_decide_once_all_have_recovered() {
    let aborted = total_failure("CanCommit", &[]);
    assert_eq!(aborted.violated(), [""; 0]);
    assert!(!decisions(&aborted, "Aborted").is_empty());
    let committed = total_failure("PreCommit", &[]);
    assert_eq!(committed.violated(), [""; 0]);
    assert!(committed.reached.contains(&"total failure"));
    assert!(!decisions(&committed, "Committed").is_empty());
}

#[test]
fn after_a_total_failure_who_recovers_waits_for_who_may_have_decided() {
    for down in 0..3 {
        let run = total_failure("PreCommit", &[down]);
        assert_eq!(run.violated(), ["ac.nonblocking"], "p{down} stays down");
    }
}

// The quorum variant.

#[test]
fn a_site_without_a_quorum_waits() {
    let mut bench = bench(2).params(QUORUM).check(NONBLOCKING);
    bench.experiment.plan.faults = (0..2)
        .map(|p| Fault {
            trigger: sends(0, "PreCommit", 1),
            action: Action::Crash(ProcessId(p), Crash::default()),
        })
        .collect();
    let run = bench.run(1);
    assert_eq!(run.violated(), ["ac.nonblocking"]);
    assert!(run.reached.contains(&"blocked"));
}
