//! Claims of Rosenkrantz, Stearns and Lewis, and of two-phase locking, one test each, and a fault
//! at every place.

use ftsim_core::bench::{Bench, Run, STEP, after_effect};
use ftsim_core::environment::message_rule::{Fate, MessageRule};
use ftsim_core::fault::{Action, Crash, Fault, InFlight};
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{Duration, EndCause, Instant, ProcessId};
use ftsim_protocols::commit::StorageServer;
use ftsim_spec::transactions::{CLIENT, DEADLOCK_FREE, RESOLUTION, SERVER};

const NONE: [&str; 0] = [];

/// The policies that resolve deadlocks, or have none.
const POLICIES: [&str; 6] = ["ordered", "no-wait", "wait-die", "wound-wait", "timeout", "detect"];

/// Two clients write an item on two servers, each on its own first.
const CROSSED: &str = r#"{"list": [
    {"client": "p0", "work": [{"write": 0}]},
    {"client": "p1", "at": "1ms", "work": [{"write": 0}]}
]}"#;

fn bench(clients: u32, servers: u32, policy: &str) -> Bench {
    let roles = [(CLIENT, clients), (SERVER, servers)];
    let mut bench = Bench::with_roles::<StorageServer>(&roles).params(&one_by_one(policy));
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(20);
    bench
}

fn one_by_one(policy: &str) -> String {
    format!(r#"{{"deadlock": "{policy}", "locking": "one-by-one"}}"#)
}

fn crossed(policy: &str) -> Bench {
    bench(2, 2, policy).workload(CROSSED).lockstep()
}

/// What is announced in a run, with when and by whom.
fn announced(run: &Run, what: impl Fn(&str) -> bool) -> Vec<(ProcessId, Instant, String)> {
    let entries = run.trace.entries.iter().filter_map(|entry| match &entry.what {
        TraceEvent::Indicate { what: told, .. } if what(told) => {
            Some((entry.process?, entry.at, told.clone()))
        }
        _ => None,
    });
    entries.collect()
}

/// The steps until the last announcement of this kind.
fn steps_until_last(run: &Run, kind: &str) -> u64 {
    let all = announced(run, |told| told.starts_with(kind));
    all.last().map_or(0, |(_, at, _)| at.as_nanos() / STEP.as_nanos())
}

fn overridden(
    mut bench: Bench,
    from: u32,
    to: u32,
    kind: Option<&str>,
    nth: u64,
    fate: Fate,
) -> Bench {
    let (from, to, kind) = (ProcessId(from), ProcessId(to), kind.map(str::to_owned));
    bench.experiment.overrides.push(MessageRule { from, to, kind, nth, fate });
    bench
}

// Numbers, for a client that writes an item on k servers.

#[test]
fn a_transaction_takes_two_steps_to_lock_and_three_to_commit() {
    for k in [1, 2, 5] {
        let all = |params: &str| {
            let write = r#"{"list": [{"client": "p0", "work": [{"write": 0}]}]}"#;
            bench(1, k, "none").params(params).workload(write).lockstep().run(1)
        };
        let k = u64::from(k);
        for (params, locking) in [("{}", 2), (r#"{"deadlock": "ordered"}"#, 2 * k)] {
            let run = all(params);
            assert_eq!(run.violated(), NONE);
            assert_eq!(steps_until_last(&run, "Locked"), locking);
            assert_eq!(steps_until_last(&run, "Committed"), locking + 3);
            assert_eq!(run.statistics.sent(), 6 * k);
            assert_eq!(run.statistics.syncs, 2 * k + 2);
        }
    }
}

// Deadlocks.

#[test]
fn without_a_policy_the_two_wait_for_ever() {
    let bench = crossed("none").check(DEADLOCK_FREE).check(RESOLUTION);
    assert_eq!(bench.run(1).violated(), [DEADLOCK_FREE.0, RESOLUTION.0]);
}

#[test]
fn each_policy_gets_both_through_and_two_let_them_deadlock_first() {
    for policy in POLICIES {
        let deadlocks_first = matches!(policy, "timeout" | "detect");
        let expected: &[&str] = if deadlocks_first { &[DEADLOCK_FREE.0] } else { &[] };
        for seed in 0..50 {
            let bench = crossed(policy);
            let bench = if deadlocks_first { bench.check(DEADLOCK_FREE) } else { bench };
            let run = bench.run(seed);
            assert_eq!(run.violated(), expected, "{policy}, seed {seed}");
            assert_eq!(run.cause, EndCause::Quiescent, "{policy}, seed {seed}");
        }
    }
}

/// Wait-die, wound-wait, and the victims of the detection, of which only the youngest's probe comes
/// back: the second transaction is always the one that begins again.
#[test]
fn the_younger_is_always_the_one_restarted() {
    for policy in ["wait-die", "wound-wait", "detect"] {
        for seed in 0..50 {
            let run = crossed(policy).run(seed);
            let clients = [ProcessId(0), ProcessId(1)];
            let aborted = announced(&run, |told| told.starts_with("Aborted"));
            let restarted: Vec<_> = aborted.iter().filter(|(p, ..)| clients.contains(p)).collect();
            assert!(!restarted.is_empty(), "{policy}, seed {seed}");
            assert!(restarted.iter().all(|(p, ..)| *p == clients[1]), "{policy}, seed {seed}");
        }
    }
}

#[test]
fn the_probe_of_a_cycle_finds_it_and_no_other_has_a_victim() {
    for seed in 0..50 {
        let run = crossed("detect").run(seed);
        assert_eq!(run.violated(), NONE);
        assert_eq!(announced(&run, |told| told.starts_with("Victim")).len(), 1, "seed {seed}");
    }
}

/// An older reader is granted a lock at once, although a writer waits: for a younger reader, which
/// is prepared. From then on the writer waits for both.
#[test]
fn a_writer_that_is_overtaken_is_said_to_wait_for_who_overtook_it() {
    let bench = bench(3, 1, "wound-wait").lockstep().workload(
        r#"{"list": [
            {"client": "p0", "work": [{"read": 0}]},
            {"client": "p1", "at": "1ms", "work": [{"write": 0}]},
            {"client": "p2", "at": "2ms", "work": [{"read": 0}]}
        ]}"#,
    );
    let late = |bench, client, ms| {
        overridden(bench, client, 3, Some("Lock"), 1, Fate::delay(Duration::from_millis(ms)))
    };
    let run = late(late(bench, 0, 45), 1, 39).run(1);
    assert_eq!(run.violated(), NONE);
    let waits = announced(&run, |told| told.starts_with("Waits { attempt: 2.1"));
    let told: Vec<_> = waits.iter().map(|(.., told)| told.as_str()).collect();
    let waits_for = |others: &str| format!("Waits {{ attempt: 2.1, item: 0, others: [{others}] }}");
    assert_eq!(told, ["3.1", "3.1, 1.1", "1.1", ""].map(waits_for));
}

/// Messages take longer than the first timeouts, so all three have to begin again and again. If
/// they gave up together each time, they would meet again each time, having waited twice as long.
#[test]
fn who_gives_up_at_drawn_times_does_not_meet_the_others_for_ever() {
    let params = r#"{"deadlock": "timeout", "locking": "one-by-one", "lock_timeout": "1ms",
                     "backoff": "1ms"}"#;
    let work = (0..3).map(|p| format!(r#"{{"client": "p{p}", "work": [{{"write": 0}}]}}"#));
    let list = work.collect::<Vec<_>>().join(", ");
    for seed in 0..100 {
        let bench = bench(3, 3, "timeout").params(params).lockstep();
        let run = bench.workload(&format!(r#"{{"list": [{list}]}}"#)).run(seed);
        assert_eq!(run.violated(), NONE, "seed {seed}");
    }
}

// A fault at every place.

#[test]
fn whoever_crashes_after_whatever_effect_nothing_is_violated() {
    for policy in POLICIES {
        for process in 0..4 {
            for effect in 1..60 {
                let mut bench = crossed(policy);
                let trigger = after_effect(process, effect);
                let recover_after = Some(Duration::from_millis(35));
                let in_flight = if effect % 2 == 0 { InFlight::Keep } else { InFlight::Lose };
                let crash = Crash { recover_after, in_flight, ..Crash::default() };
                let action = Action::Crash(ProcessId(process), crash);
                bench.experiment.plan.faults.push(Fault { trigger, action });
                let run = bench.run(effect);
                assert_eq!(run.violated(), NONE, "{policy}, p{process}, effect {effect}");
                assert_eq!(run.cause, EndCause::Quiescent, "{policy}, p{process}, {effect}");
            }
        }
    }
}

#[test]
fn whichever_message_is_lost_or_comes_twice_nothing_is_violated() {
    for policy in POLICIES {
        for (client, server) in [(0, 2), (0, 3), (1, 2), (1, 3)] {
            for (from, to) in [(client, server), (server, client)] {
                for nth in 1..8 {
                    let late = Fate::duplicate(Duration::from_millis(73));
                    for fate in [Fate::DROP, late] {
                        let run = overridden(crossed(policy), from, to, None, nth, fate).run(nth);
                        assert_eq!(run.violated(), NONE, "{policy}, p{from}, p{to}, {nth}");
                        assert_eq!(run.cause, EndCause::Quiescent, "{policy}, p{from}, p{to}");
                    }
                }
            }
        }
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let roles = |clients, servers| {
        Bench::with_roles::<StorageServer>(&[(CLIENT, clients), (SERVER, servers)])
    };
    assert!(roles(0, 1).refused().is_some());
    assert!(roles(1, 0).refused().is_some());
    for key in ["retry", "decision_timeout", "lock_timeout", "suspect_after", "backoff"] {
        let zero = format!(r#"{{"{key}": "0s"}}"#);
        assert!(roles(1, 1).params(&zero).refused().is_some(), "{key}");
    }
    for workload in [
        r#"{"items": 0}"#,
        r#"{"operations": 0}"#,
        r#"{"writes": 1.5}"#,
        r#"{"list": [{"client": "p1", "work": [{"read": 0}]}]}"#,
        r#"{"list": [{"client": "p0", "work": [{"read": 2}]}]}"#,
        r#"{"list": [{"client": "p0", "work": []}]}"#,
    ] {
        assert!(roles(1, 1).workload(workload).refused().is_some(), "{workload}");
    }
}
