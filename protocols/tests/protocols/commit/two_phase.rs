//! Claims of the literature, one test each, and a crash after every single effect.

use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::network::Loss;
use ftsim_core::environment::storage::OnCrash;
use ftsim_core::fault::{Action, Crash, Fault, Trigger};
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{Duration, DurationRange, Instant, Probability, ProcessId, Verdict};

use ftsim_core::bench::{Bench, Run};
use ftsim_protocols::commit::TwoPhaseCommit;
use ftsim_spec::atomic_commit::{COORDINATOR, PARTICIPANT};

const PRESUMPTIONS: [&str; 3] = ["nothing", "abort", "commit"];

/// One coordinator and `p` participants.
fn bench(p: u32) -> Bench {
    let mut bench = Bench::with_roles::<TwoPhaseCommit>(&[(COORDINATOR, 1), (PARTICIPANT, p)]);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(3);
    bench
}

fn presume(presumption: &str) -> String {
    format!(r#"{{"presume": "{presumption}"}}"#)
}

/// A run in which every message takes one step, and nothing fails.
fn lockstep(p: u32, params: &str, workload: &str) -> Run {
    bench(p).params(params).workload(workload).lockstep().run(1)
}

/// The steps at which decisions are announced.
fn decision_steps(run: &Run) -> Vec<u64> {
    let decides = |what: &TraceEvent| match what {
        TraceEvent::Indicate { what, .. } => {
            what.starts_with("Committed") || what.starts_with("Aborted")
        }
        _ => false,
    };
    let decisions = run.trace.entries.iter().filter(|entry| decides(&entry.what));
    decisions.map(|entry| entry.at.as_nanos() / ftsim_core::bench::STEP.as_nanos()).collect()
}

fn decides(run: &Run, decision: &str) -> bool {
    let text = format!("{decision}(1)");
    run.trace
        .entries
        .iter()
        .any(|e| matches!(&e.what, TraceEvent::Indicate { what, .. } if *what == text))
}

// Numbers.

#[test]
fn central_commit_takes_3_steps_and_3p_messages_and_p_acknowledgements() {
    for p in [1, 2, 4, 8] {
        for presumption in PRESUMPTIONS {
            let run = lockstep(p, &presume(presumption), "{}");
            let phases = ["Prepare", "Vote", "Commit"].map(|kind| run.statistics.sent_of(kind));
            assert_eq!(phases, [u64::from(p); 3]);
            let acks = if presumption == "commit" { 0 } else { u64::from(p) };
            assert_eq!(run.statistics.sent(), 3 * u64::from(p) + acks);
            assert_eq!(decision_steps(&run).last(), Some(&3));
            assert!(decides(&run, "Committed"));
        }
    }
}

#[test]
fn a_commit_forces_2p_plus_1_records_or_p_plus_2_if_it_is_presumed() {
    for p in [1, 2, 4, 8] {
        let forced = PRESUMPTIONS.map(|it| lockstep(p, &presume(it), "{}").statistics.syncs);
        let p = u64::from(p);
        assert_eq!(forced, [2 * p + 1, 2 * p + 1, p + 2]);
    }
}

#[test]
fn a_presumed_abort_takes_3p_messages_and_forces_nothing_at_the_coordinator() {
    for p in [1, 2, 4, 8] {
        let run = lockstep(p, &presume("abort"), r#"{"no": [["p1", 1]]}"#);
        assert_eq!(run.statistics.sent(), 3 * u64::from(p));
        assert_eq!(run.statistics.syncs, u64::from(p) - 1, "the prepared records of the others");
        let appends = |entry: &&ftsim_core::outcome::trace::Entry| {
            entry.process == Some(ProcessId(0)) && matches!(entry.what, TraceEvent::Append { .. })
        };
        assert_eq!(run.trace.entries.iter().filter(appends).count(), 0);
        assert!(decides(&run, "Aborted"));
    }
}

#[test]
fn an_abort_that_is_not_presumed_is_acknowledged() {
    for presumption in ["nothing", "commit"] {
        let run = lockstep(4, &presume(presumption), r#"{"no": [["p1", 1]]}"#);
        assert_eq!(run.statistics.sent(), 4 * 4);
    }
}

#[test]
fn who_only_reads_takes_no_part_in_the_second_phase_and_forces_nothing() {
    let readers = r#"{"reads": [["p1", 1], ["p2", 1]]}"#;
    let run = lockstep(5, r#"{"read_only": true}"#, readers);
    assert_eq!(run.statistics.sent(), 2 * 5 + 2 * 3);
    assert_eq!(run.statistics.syncs, 2 * 3 + 1);
    let all = lockstep(2, r#"{"read_only": true}"#, readers);
    assert_eq!(all.statistics.sent(), 2 * 2);
    assert!(decides(&all, "Committed"));
}

#[test]
fn linear_takes_2_times_n_minus_1_messages_and_as_many_steps() {
    for p in [1, 2, 4, 8] {
        for workload in ["{}", r#"{"no": [["p1", 1]]}"#] {
            let run = lockstep(p, r#"{"topology": "linear"}"#, workload);
            assert_eq!(run.statistics.sent(), 2 * u64::from(p));
            if workload == "{}" {
                assert_eq!(decision_steps(&run).last(), Some(&(2 * u64::from(p))));
                assert!(decides(&run, "Committed"));
            }
        }
    }
}

#[test]
fn decentralised_takes_n_times_n_minus_1_messages_and_2_steps() {
    for p in [1, 2, 4, 8] {
        let run = lockstep(p, r#"{"topology": "decentralised"}"#, "{}");
        assert_eq!(run.statistics.sent(), u64::from(p * (p + 1)));
        // With two processes alone the participant has both votes after one step.
        assert_eq!(decision_steps(&run).last(), Some(&2));
        assert!(decides(&run, "Committed"));
    }
}

// A crash after every effect.

/// The settings under which every crash is tried: `[params]` and `[workload]`.
fn variants() -> Vec<(String, &'static str)> {
    let mut params = Vec::new();
    for presumption in PRESUMPTIONS {
        for rest in ["", r#", "termination": "cooperative""#, r#", "read_only": true"#] {
            params.push(format!(r#"{{"presume": "{presumption}"{rest}}}"#));
        }
    }
    params.push(r#"{"termination": "cooperative", "read_only": true}"#.into());
    params.push(r#"{"topology": "linear"}"#.into());
    params.push(r#"{"topology": "decentralised"}"#.into());
    let workloads = [
        "{}",
        r#"{"no": [["p2", 1]]}"#,
        r#"{"reads": [["p1", 1]]}"#,
        r#"{"transactions": 3, "every": "15ms", "reads": [["p1", 1], ["p2", 2]]}"#,
    ];
    params.iter().flat_map(|p| workloads.map(|w| (p.clone(), w))).collect()
}

fn crash(process: u32, nth: u64, recover_after: Option<Duration>) -> Fault {
    let process = ProcessId(process);
    let action = Action::Crash(process, Crash { recover_after, ..Crash::default() });
    Fault { trigger: Trigger::AfterEffect { process, nth }, action }
}

/// Runs `judge` on a run for each effect of each process of `bench`, with a crash right after it;
/// returns how many there were.
fn crash_everywhere(
    bench: &mut Bench,
    recover_after: Option<Duration>,
    mut judge: impl FnMut(&Run, &Fault),
) -> u32 {
    let mut count = 0;
    for process in 0..bench.experiment.setting.n {
        for nth in 1.. {
            bench.experiment.plan.faults = vec![crash(process, nth, recover_after)];
            let run = bench.run(nth);
            if !run.unfired.is_empty() {
                break;
            }
            judge(&run, &bench.experiment.plan.faults[0]);
            count += 1;
            assert!(nth < 2_000, "effects without end");
        }
    }
    count
}

fn everybody_decides(run: &Run) -> bool {
    run.judged
        .iter()
        .any(|judged| judged.id.0 == "ac.termination" && judged.verdict == Verdict::Held)
}

#[test]
fn no_crash_that_is_repaired_breaks_anything() {
    for (params, workload) in variants() {
        let mut bench = bench(2).params(&params).workload(workload);
        bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(2);
        for on_crash in WHAT_CRASHES_LEAVE {
            bench.experiment.on_crash = on_crash;
            for recover_after in [Duration::from_millis(1), Duration::from_millis(300)] {
                let count = crash_everywhere(&mut bench, Some(recover_after), |run, fault| {
                    let what = format!("{params} {workload} {on_crash} {fault:?}");
                    assert_eq!(run.violated(), [""; 0], "{what}");
                    assert!(everybody_decides(run), "{what}");
                });
                assert!(count >= 20, "{params} {workload}: only {count} effects");
            }
        }
    }
}

#[test]
fn no_crash_for_good_breaks_anything_but_nonblocking() {
    for (params, workload) in variants() {
        let mut bench = bench(3).params(&params).workload(workload);
        // Uncertain processes ask forever, so a short run is enough.
        bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(1);
        crash_everywhere(&mut bench, None, |run, fault| {
            assert_eq!(run.violated(), [""; 0], "{params} {workload} {fault:?}");
        });
    }
}

#[test]
fn slow_disks_change_nothing() {
    for (params, workload) in variants() {
        let mut bench = bench(2).params(&params).workload(workload);
        bench.experiment.sync_latency =
            DurationRange { min: Duration::from_millis(1), max: Duration::from_millis(8) };
        assert_eq!(bench.run(0).violated(), [""; 0]);
        crash_everywhere(&mut bench, Some(Duration::from_millis(50)), |run, fault| {
            assert_eq!(run.violated(), [""; 0], "{params} {workload} {fault:?}");
            assert!(everybody_decides(run), "{params} {workload} {fault:?}");
        });
    }
}

/// What the same loop finds in a mutant.
fn found(mutant: &str, params: &str) -> Vec<&'static str> {
    let mut bench = bench(2).params(params).mutant(mutant);
    let mut found = Vec::new();
    crash_everywhere(&mut bench, Some(Duration::from_millis(300)), |run, _| {
        found.extend(run.violated());
    });
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn the_same_loop_finds_records_that_come_too_late() {
    // A process that has lost the record of its vote aborts when its client asks.
    for presumption in PRESUMPTIONS {
        assert_eq!(found("vote-before-log", &presume(presumption)), ["ac.agreement"]);
        assert_eq!(found("leave-undecided", &presume(presumption)), ["ac.termination"]);
    }
    assert_eq!(found("send-before-log", &presume("nothing")), ["ac.agreement"]);
    assert_eq!(found("send-before-log", &presume("abort")), ["ac.agreement"]);
    assert_eq!(found("ack-before-force", &presume("abort")), ["ac.agreement"]);
}

// Random worlds.

#[test]
fn crashes_losses_and_duplicates_break_nothing() {
    for (params, _) in variants() {
        let workload = r#"{"transactions": 6, "every": "20ms", "vote_no": 0.1, "read_only": 0.3}"#;
        let mut bench = bench(3).params(&params).workload(workload);
        let network = &mut bench.experiment.network.default;
        network.delay = Delay::Uniform(DurationRange {
            min: Duration::from_millis(1),
            max: Duration::from_millis(40),
        });
        network.loss = Loss::Independent(Probability::new(0.05).expect("a probability"));
        network.duplicate = Probability::new(0.1).expect("a probability");
        bench = bench.random_crashes(3, "0ms..400ms").recovering("5ms..400ms");
        for on_crash in WHAT_CRASHES_LEAVE {
            bench.experiment.on_crash = on_crash;
            for seed in 0..30 {
                let run = bench.run(seed);
                assert_eq!(run.violated(), [""; 0], "{params} {on_crash} seed {seed}");
            }
        }
    }
}

/// What a crash can leave of records that were not synced: the protocol counts on none of it.
const WHAT_CRASHES_LEAVE: [OnCrash; 5] = [
    OnCrash::LoseUnsynced,
    OnCrash::KeepAll,
    OnCrash::KeepPrefix,
    OnCrash::KeepSubset,
    OnCrash::TornLast,
];

// Blocking.

#[test]
fn a_coordinator_that_stays_down_after_the_votes_blocks_whom_nobody_can_tell() {
    let voted = Trigger::Sends { process: ProcessId(0), kind: "Prepare".into(), nth: 3 };
    let told_one = Trigger::Sends { process: ProcessId(0), kind: "Commit".into(), nth: 1 };
    let blocked = |trigger: &Trigger, termination: &str| {
        let params = format!(r#"{{"termination": "{termination}"}}"#);
        let bench = bench(3).params(&params).crash(0, trigger.clone());
        let run = bench.check(ftsim_spec::atomic_commit::NONBLOCKING).run(1);
        assert_eq!(run.reached.contains(&"blocked"), !run.violated().is_empty());
        run.violated()
    };
    assert_eq!(blocked(&voted, "wait"), ["ac.nonblocking"]);
    assert_eq!(blocked(&voted, "cooperative"), ["ac.nonblocking"]);
    assert_eq!(blocked(&told_one, "wait"), ["ac.nonblocking"]);
    assert_eq!(blocked(&told_one, "cooperative"), [""; 0]);
}

#[test]
fn who_has_not_voted_resolves_the_uncertainty_of_the_others() {
    let asked_one = Trigger::Sends { process: ProcessId(0), kind: "Prepare".into(), nth: 1 };
    let bench = bench(3).params(r#"{"termination": "cooperative"}"#).crash(0, asked_one);
    let run = bench.check(ftsim_spec::atomic_commit::NONBLOCKING).run(1);
    assert_eq!(run.violated(), [""; 0]);
}

#[test]
fn a_message_that_exceeds_the_bound_is_a_failure_after_which_aborting_is_right() {
    let late = |bound| {
        let roles = [(COORDINATOR, 1), (PARTICIPANT, 1)];
        let mut bench =
            Bench::with_roles::<TwoPhaseCommit>(&roles).delay(Duration::from_millis(51));
        bench.experiment.network.bound = Duration::from_millis(bound);
        bench.workload(r#"{"transactions": 1}"#).run(1)
    };
    // The vote arrives when the coordinator has stopped waiting, after 100 ms.
    assert_eq!(late(51).violated(), ["ac.non-triviality"]);
    assert_eq!(late(50).violated(), [""; 0]);
}
