use ftsim_core::bench::{Bench, Run, sends};
use ftsim_core::environment::network::Order;
use ftsim_core::fault::{Action, Crash, Fault, Trigger};
use ftsim_core::{Duration, Instant, ProcessId};
use ftsim_protocols::exclusion::LockServer;

const NONE: [&str; 0] = [];

/// The server is p0, the clients follow.
fn bench(clients: u32, params: &str, workload: &str) -> Bench {
    let mut bench =
        Bench::with_roles::<LockServer>(&[("server", 1), ("client", clients), ("resource", 0)]);
    bench.experiment.network.default.order = Order::Fifo;
    bench.params(params).workload(workload).perfect_detector("0ms..20ms")
}

fn at_ms(at: u64) -> Trigger {
    Trigger::At(Instant::ZERO + Duration::from_millis(at))
}

/// The server crashes, and is up again after this many milliseconds.
fn restart(mut bench: Bench, trigger: Trigger, after: u64) -> Bench {
    let recover_after = Some(Duration::from_millis(after));
    let action = Action::Crash(ProcessId(0), Crash { recover_after, ..Crash::default() });
    bench.experiment.plan.faults.push(Fault { trigger, action });
    bench
}

fn sent(run: &Run) -> u64 {
    run.statistics.sent()
}

#[test]
fn an_entry_costs_3_messages_and_4_if_it_is_queued() {
    let one = bench(3, "{}", r#"{"visitors": ["p1"], "entries": 5}"#).run(1);
    assert_eq!((sent(&one), one.latencies.len()), (5 * 3, 5));
    // While one is inside, the others ask: all but the first are queued.
    for clients in [2, 3, 6] {
        let all = bench(clients, "{}", r#"{"entries": 1, "stay": "90ms"}"#).run(1);
        assert_eq!(sent(&all), u64::from(3 + 4 * (clients - 1)));
        assert_eq!(all.violated(), NONE);
    }
}

#[test]
fn an_entry_takes_two_steps() {
    let one = bench(1, "{}", r#"{"entries": 1, "at": "0ms"}"#).lockstep().run(1);
    assert_eq!(one.latencies, [Duration::from_millis(20)]);
}

/// The owner crashes at 60 ms, 20 ms at most pass until the server knows, and 10 ms at most until
/// the next client does.
#[test]
fn the_next_one_enters_when_the_crash_is_detected_and_a_message_has_passed() {
    for seed in 0..200 {
        let visits = r#"{"entries": 1, "at": "0ms..30ms", "stay": "200ms"}"#;
        let run = bench(2, "{}", visits).crash(1, at_ms(60)).run(seed);
        assert_eq!(run.violated(), NONE, "seed {seed}");
        if let [_, waited] = run.latencies[..] {
            assert!(waited <= Duration::from_millis(60 + 20 + 10), "seed {seed}: {waited}");
        }
    }
}

#[test]
fn a_restart_costs_a_question_and_an_answer_for_each_client() {
    let visits = r#"{"visitors": ["p1"], "entries": 1, "at": "0ms", "stay": "5ms"}"#;
    let run = restart(bench(4, "{}", visits), at_ms(100), 10).run(1);
    assert_eq!(sent(&run), 3 + 2 * 4);
    let dialled = bench(4, r#"{"dial": "client"}"#, visits);
    assert_eq!(sent(&restart(dialled, at_ms(100), 10).run(1)), 3);
}

#[test]
fn a_grant_that_was_lost_with_the_server_is_sent_again_with_the_same_token() {
    let mut again = 0;
    for nth in 1..=12 {
        for server in ["stateful", "stateless"] {
            for seed in 0..20 {
                let params = format!(r#"{{"server": "{server}"}}"#);
                let trigger = ftsim_core::bench::after_effect(0, nth);
                let bench = bench(3, &params, r#"{"entries": 2, "stay": "10ms..60ms"}"#);
                let run = restart(bench, trigger, 1 + 2 * seed).run(seed);
                assert_eq!(run.violated(), NONE, "{server}, effect {nth}, seed {seed}");
                assert_eq!(run.latencies.len(), 6, "{server}, effect {nth}, seed {seed}");
                let is_sent_again = run.reached.contains(&"a grant is sent again");
                assert!(!is_sent_again || server == "stateful");
                again += u64::from(is_sent_again);
            }
        }
    }
    assert!(again > 0, "no grant was lost");
}

#[test]
fn every_kind_of_server_survives_crashes_of_all() {
    for params in [
        "{}",
        r#"{"server": "stateless"}"#,
        r#"{"server": "stateless", "ticket_hint": false}"#,
        r#"{"dial": "client"}"#,
        r#"{"server": "stateless", "dial": "client"}"#,
        r#"{"detection": "lease"}"#,
        r#"{"on_suspect": "wait"}"#,
        r#"{"on_suspect": "wait", "detection": "lease", "dial": "client"}"#,
    ] {
        for seed in 0..200 {
            let visits = r#"{"entries": 4, "stay": "1ms..30ms"}"#;
            let bench = bench(3, params, visits).random_crashes(4, "300ms");
            let run = bench.recovering("1ms..100ms").run(seed);
            assert_eq!(run.violated(), NONE, "{params}, seed {seed}");
        }
    }
}

#[test]
fn an_owner_that_stays_down_keeps_the_lock_of_a_server_that_waits() {
    let visits = r#"{"entries": 1, "at": "0ms..30ms", "stay": "200ms"}"#;
    let crash = sends(0, "Queued", 1);
    let evicts = bench(2, "{}", visits);
    let mut stuck = 0;
    for seed in 0..50 {
        let run = evicts.clone().crash(1, crash.clone()).run(seed);
        assert_eq!(run.violated(), NONE, "seed {seed}");
        let waits = bench(2, r#"{"on_suspect": "wait"}"#, visits).crash(1, crash.clone()).run(seed);
        stuck += u64::from(waits.violated() == ["me.progress", "me.starvation-free"]);
        assert!(waits.violated().is_empty() || waits.latencies.len() <= 1);
    }
    assert!(stuck > 0 && stuck < 50, "p1 is the owner in some runs and waits in others: {stuck}");
}

/// The owner crashes while the server is down, or in its quiet time, which ends at 80 ms.
#[test]
fn a_restarted_server_grants_nothing_before_it_has_listened() {
    let visits = r#"{"entries": 1, "at": "0ms..30ms", "stay": "200ms"}"#;
    let mut in_quiet_time = 0;
    for seed in 0..100 {
        let run = restart(bench(2, "{}", visits), at_ms(60), 10).crash(1, at_ms(65)).run(seed);
        assert_eq!(run.violated(), NONE, "seed {seed}");
        if !run.reached.contains(&"a suspicion in the quiet time") {
            continue;
        }
        in_quiet_time += 1;
        // It listens for 100 ms.
        if let [_, waited] = run.latencies[..] {
            assert!(waited >= Duration::from_millis(80 + 100 - 30), "seed {seed}: {waited}");
        }
    }
    assert!(in_quiet_time > 20, "{in_quiet_time}");
}

/// The first owner hangs for longer than its lease, and the resource crashes meanwhile.
fn late_write(seed: u64, mutant: Option<&str>) -> Run {
    let roles = [("server", 1), ("client", 3), ("resource", 1)];
    let mut bench = Bench::with_roles::<LockServer>(&roles)
        .params(r#"{"detection": "lease", "fencing": true}"#)
        .workload(r#"{"entries": 1, "at": "0ms..20ms", "stay": "50ms"}"#);
    bench.experiment.network.default.order = Order::Fifo;
    let recover_after = Some(Duration::from_millis(5));
    let crash = Action::Crash(ProcessId(4), Crash { recover_after, ..Crash::default() });
    let resume_after = Some(Duration::from_millis(300));
    let hangs = Action::Pause { process: ProcessId(1), resume_after };
    bench.experiment.plan.faults.push(Fault { trigger: at_ms(60), action: hangs });
    bench.experiment.plan.faults.push(Fault { trigger: at_ms(300), action: crash });
    match mutant {
        Some(name) => bench.mutant(name).run(seed),
        None => bench.run(seed),
    }
}

#[test]
fn a_resource_that_crashes_remembers_the_highest_token() {
    let (mut ignored, mut forgotten) = (0, 0);
    for seed in 0..200 {
        let run = late_write(seed, None);
        assert!(!run.violated().contains(&"me.fenced"), "seed {seed}");
        ignored += u32::from(run.reached.contains(&"a write comes too late"));
        let forgetful = late_write(seed, Some("forgetful-resource"));
        forgotten += u32::from(forgetful.violated().contains(&"me.fenced"));
    }
    assert!(ignored > 20 && forgotten > 20, "{ignored}, {forgotten}");
}

#[test]
fn what_the_parameters_need_is_said() {
    for (params, key) in [
        (r#"{"reconnect_deadline": "19ms"}"#, "reconnect_deadline"),
        (r#"{"dial": "client", "reconnect_deadline": "59ms"}"#, "reconnect_deadline"),
        (r#"{"dial": "client", "repeat": "0ms"}"#, "repeat"),
        (r#"{"detection": "lease", "lease": "59ms"}"#, "lease"),
        (r#"{"server": "stateless", "fencing": true}"#, "fencing"),
    ] {
        let refused = bench(2, params, "{}").refused();
        assert_eq!(refused.map(|invalid| invalid.key), Some(format!("params.{key}")), "{params}");
    }
    for good in [
        r#"{"reconnect_deadline": "20ms"}"#,
        r#"{"dial": "client", "reconnect_deadline": "60ms"}"#,
        r#"{"detection": "lease", "lease": "60ms"}"#,
    ] {
        assert!(bench(2, good, "{}").refused().is_none(), "{good}");
    }
}
