//! The numbers of the papers, and many runs in which nothing may go wrong.

use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::detector::DetectorKind;
use ftsim_core::environment::network::{Cut, Loss};
use ftsim_core::fault::condition::{Condition, Persistence};
use ftsim_core::fault::{Action, Fault, Trigger};
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{Duration, Instant, Probability, ProcessId, Verdict};

use ftsim_core::bench::{Bench, Run, sends};
use ftsim_protocols::replication::PrimaryBackup;

/// So many servers and clients.
fn bench(servers: u32, clients: u32) -> Bench {
    let mut bench = Bench::with_roles::<PrimaryBackup>(&[("server", servers), ("client", clients)]);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(5);
    bench
}

/// One client, one operation, nothing else.
const ONE: &str = r#"{"operations": 1, "think": "0ms"}"#;
/// Two clients' worth of everything, on one key.
const BUSY: &str = r#"{"operations": 12, "keys": 1, "swaps": 1, "think": "0ms..30ms"}"#;

const TIMEOUT: &str = "{}";
const PERFECT: &str = r#"{"takeover": "perfect"}"#;
const ADVANCED: &str = r#"{"succession": "most-advanced"}"#;
const QUORUM: &str =
    r#"{"takeover": "quorum", "ack_wait": "majority", "timeout": "90ms", "retry": "60ms"}"#;

fn at_ms(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

/// When a server began to serve, in nanoseconds: the first at the start, the others at takeovers.
fn serves(run: &Run) -> Vec<u64> {
    let entries = run.trace.entries.iter();
    let serves =
        |what: &TraceEvent| matches!(what, TraceEvent::Indicate { what, .. } if what == "Serves");
    entries.filter(|entry| serves(&entry.what)).map(|entry| entry.at.as_nanos()).collect()
}

/// Runs these seeds of the bench, each of which may be arranged anew: nothing is violated, nothing
/// is undecided, and each of `labels` is reached by some seed.
#[track_caller]
fn assert_all_hold(seeds: u64, labels: &[&str], bench: impl Fn(u64) -> Bench) {
    let mut missing: Vec<&str> = labels.to_vec();
    for seed in 0..seeds {
        let run = bench(seed).run(seed);
        assert_all_held(&run);
        missing.retain(|label| !run.reached.contains(label));
    }
    assert!(missing.is_empty(), "never reached: {missing:?}");
}

#[track_caller]
fn assert_all_held(run: &Run) {
    let held = |verdict: &Verdict| matches!(verdict, Verdict::Held | Verdict::HeldVacuously);
    let bad: Vec<_> = run.judged.iter().filter(|judged| !held(&judged.verdict)).collect();
    assert!(bad.is_empty(), "seed {}: {bad:?}", run.seed);
}

#[test]
fn a_request_costs_2_client_messages_and_2_for_each_backup() {
    for n in 1..=5 {
        for params in [TIMEOUT, PERFECT, ADVANCED, QUORUM] {
            for operations in [1, 4] {
                let workload = format!(r#"{{"operations": {operations}, "think": "0ms"}}"#);
                let run = bench(n, 1).params(params).workload(&workload).lockstep().run(1);
                let sent = |kind| run.statistics.sent_of(kind);
                assert_eq!(sent("Request") + sent("Reply"), 2 * operations);
                assert_eq!(sent("Update") + sent("Ack"), 2 * u64::from(n - 1) * operations);
                let other = sent("Heartbeat") + sent("Alive") + sent("Echo");
                let all = 2 * operations * u64::from(n) + other;
                assert_eq!(run.statistics.sent(), all, "nothing else is sent");
                assert_all_held(&run);
            }
        }
    }
}

#[test]
fn a_request_takes_4_steps_or_2_if_no_backup_is_waited_for() {
    for (params, steps) in [(TIMEOUT, 4), (QUORUM, 4), (r#"{"ack_wait": "none"}"#, 2)] {
        let run = bench(3, 1).params(params).workload(ONE).lockstep().run(1);
        let response = run.trace.entries.iter().find(|entry| {
            matches!(&entry.what, TraceEvent::Indicate { what, .. } if what.starts_with("Response"))
        });
        assert_eq!(response.map(|entry| entry.at), Some(at_ms(10 * steps)));
    }
}

/// τ = 50 ms, δ = 10 ms.
const FAILOVER_MAX_NS: u64 = (50 + 2 * 10) * 1_000_000;

#[test]
fn failover_takes_tau_and_2_delta_at_the_most() {
    for n in 2..=5 {
        // The worst case: the primary dies right after a heartbeat, and all messages take δ.
        let dies = sends(0, "Heartbeat", u64::from(n - 1) * 3);
        let run = bench(n, 1).workload(ONE).lockstep().crash(0, dies).run(1);
        assert_eq!(serves(&run), [0, 100_000_000 + FAILOVER_MAX_NS]);
        assert_all_held(&run);
    }
    for seed in 0..100 {
        let crash = 1 + seed * 3;
        let dies = Trigger::At(at_ms(crash));
        let run = bench(3, 2).workload(BUSY).crash(0, dies).run(seed);
        let failover = serves(&run)[1] - crash * 1_000_000;
        assert!(failover <= FAILOVER_MAX_NS, "seed {seed}: {failover} ns");
        assert_all_held(&run);
    }
}

#[test]
fn failover_takes_no_longer_if_several_servers_crash_at_once() {
    for crashes in 1..=5 {
        let mut bench = bench(6, 1).workload(ONE).lockstep();
        for server in 0..crashes {
            // Each dies right after its signs of life.
            bench = bench.crash(server, Trigger::At(at_ms(100) + Duration::from_nanos(1)));
        }
        let run = bench.run(1);
        assert_eq!(serves(&run), [0, 100_000_000 + FAILOVER_MAX_NS]);
        assert_all_held(&run);
    }
}

#[test]
fn every_tau_each_server_shows_all_behind_it_that_it_is_alive() {
    for n in 1..=5_u32 {
        let mut bench = bench(n, 1).workload(ONE).lockstep();
        bench.experiment.limits.horizon = at_ms(199);
        let run = bench.run(1);
        let sent = run.statistics.sent_of("Heartbeat") + run.statistics.sent_of("Alive");
        assert_eq!(sent, 4 * u64::from(n * (n - 1) / 2), "at 0, 50, 100 and 150 ms");
    }
}

#[test]
fn a_successor_that_asks_first_needs_2_delta_more() {
    let dies = sends(0, "Heartbeat", 6);
    let run = bench(3, 1).params(ADVANCED).workload(ONE).lockstep().crash(0, dies).run(1);
    assert_eq!(serves(&run), [0, 100_000_000 + FAILOVER_MAX_NS + 20_000_000]);
}

/// The primary, and in every other seed its successor too, dies after some effect.
fn crashing(bench: Bench, seed: u64) -> Bench {
    let after = |process, nth| Trigger::AfterEffect { process: ProcessId(process), nth };
    let bench = bench.crash(0, after(0, 1 + seed * 7 % 150));
    if seed.is_multiple_of(2) { bench.crash(1, after(1, 1 + seed * 13 % 170)) } else { bench }
}

/// Delays of this mean, some of them twenty times as long.
fn wild(mut bench: Bench, mean_ms: u64) -> Bench {
    let mean = Duration::from_millis(mean_ms);
    bench.experiment.network.default.delay = Delay::Exponential { mean, cap: mean.times(20) };
    bench
}

/// After two seconds all is well, for long enough.
fn stabilising(mut bench: Bench) -> Bench {
    bench.experiment.network.stabilise_at = Some(at_ms(2_000));
    bench.experiment.limits.horizon = at_ms(8_000);
    bench
}

/// The purpose of takeovers: they happen, and clients repeat requests that are known already.
const TAKEOVERS: &[&str] = &["took over", "a repeated request"];

#[test]
fn with_a_timeout_nothing_goes_wrong_as_long_as_one_server_is_left() {
    for params in [TIMEOUT, ADVANCED] {
        assert_all_hold(300, TAKEOVERS, |seed| {
            crashing(bench(3, 2).params(params).workload(BUSY), seed)
        });
    }
}

#[test]
fn with_a_perfect_detector_nothing_goes_wrong_whatever_the_delays() {
    for params in [PERFECT, r#"{"takeover": "perfect", "succession": "most-advanced"}"#] {
        assert_all_hold(300, TAKEOVERS, |seed| {
            let mut bench = wild(crashing(bench(3, 2).params(params).workload(BUSY), seed), 15);
            bench.experiment.detector.kind = DetectorKind::Perfect;
            bench.experiment.detector.delay.max = Duration::from_millis(30);
            bench
        });
    }
}

#[test]
fn waiting_for_one_backup_survives_one_crash_if_the_successor_asks_first() {
    let params = r#"{"ack_wait": "one", "succession": "most-advanced"}"#;
    assert_all_hold(200, TAKEOVERS, |seed| {
        let dies = Trigger::At(at_ms(1 + seed));
        bench(4, 2).params(params).workload(BUSY).crash(0, dies)
    });
}

#[test]
fn a_quorum_survives_crashes_of_a_minority_and_wild_delays() {
    assert_all_hold(300, &["took over", "a primary resigns"], |seed| {
        let bench = crashing(bench(5, 2).params(QUORUM).workload(BUSY), seed);
        stabilising(wild(bench, 12))
    });
}

#[test]
fn a_quorum_survives_loss() {
    assert_all_hold(200, TAKEOVERS, |seed| {
        let mut bench = crashing(bench(3, 2).params(QUORUM).workload(BUSY), seed | 1);
        let third = Probability::new(0.3).expect("a probability");
        bench.experiment.network.default.loss = Loss::Independent(third);
        stabilising(bench)
    });
}

#[test]
fn a_quorum_survives_partitions_and_pauses_of_anybody() {
    assert_all_hold(300, &["took over", "a primary resigns", "loyal to the primary"], |seed| {
        let mut bench = bench(3, 2).params(QUORUM).workload(BUSY);
        let lasts = Persistence::Transient(Duration::from_millis(300));
        let server = |salt: u64| ProcessId(u32::try_from((seed / salt) % 3).expect("below 3"));
        let alone = Cut::Groups(vec![vec![server(1)]]);
        let deaf = Cut::OneWay { from: vec![server(9)], to: vec![server(27)] };
        let resume_after = Some(Duration::from_millis(250));
        let actions = [
            (1 + seed * 3 % 400, Action::Begin(Condition::Partition(alone), lasts)),
            (250 + seed * 7 % 400, Action::Pause { process: server(3), resume_after }),
            (500 + seed * 11 % 400, Action::Begin(Condition::Partition(deaf), lasts)),
        ];
        bench.experiment.plan.faults =
            actions.map(|(at, action)| Fault { trigger: Trigger::At(at_ms(at)), action }).to_vec();
        stabilising(bench)
    });
}

#[test]
fn mutants_violate_what_the_catalogue_says() {
    let writes = r#"{"reads": 0, "increments": 0}"#;
    let seeds = |mutant: &'static str, servers| {
        let at = |seed| Trigger::At(at_ms(80 + seed));
        let bench =
            move |seed| bench(servers, 1).mutant(mutant).workload(writes).crash(0, at(seed));
        let mut violated: Vec<_> =
            (0..100).flat_map(|seed| bench(seed).run(seed).violated()).collect();
        violated.sort_unstable();
        violated.dedup();
        violated
    };
    assert_eq!(seeds("two-successors", 3), ["pb.one-primary"]);
    assert_eq!(seeds("asks-all", 3), ["pb.one-destination"]);
    assert_eq!(seeds("forget-replies", 2), ["smr.exactly-once"]);
}
