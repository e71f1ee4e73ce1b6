use ftsim_core::bench::Bench;
use ftsim_core::fault::{Action, Crash, Fault, Trigger};
use ftsim_core::{Duration, Instant, ProcessId};
use ftsim_protocols::election::Bully;

const NONE: [&str; 0] = [];

fn at(ms: u64) -> Trigger {
    Trigger::At(Instant::ZERO + Duration::from_millis(ms))
}

/// `p` alone is asked, after this many milliseconds. δ is 10 ms, and all messages take as long.
fn asked(n: u32, p: u32, at_ms: u64) -> Bench {
    let workload = format!(r#"{{"initiators": ["p{p}"], "at": "{at_ms}ms"}}"#);
    Bench::of::<Bully>(n).workload(&workload).lockstep()
}

/// The same world, in which `p` is down from the one to the other of these milliseconds.
fn down(mut bench: Bench, p: u32, from_ms: u64, to_ms: u64) -> Bench {
    let recover_after = Some(Duration::from_millis(to_ms - from_ms));
    let crash = Crash { recover_after, ..Crash::default() };
    let action = Action::Crash(ProcessId(p), crash);
    bench.experiment.plan.faults.push(Fault { trigger: at(from_ms), action });
    bench
}

/// The greatest starts at 100 ms: it is neither elected nor overlooked before.
#[test]
fn who_starts_late_is_not_up_before() {
    let bench = |asked_at| {
        let mut bench = asked(4, 0, asked_at);
        let action = Action::Start(ProcessId(3));
        bench.experiment.plan.faults.push(Fault { trigger: at(100), action });
        bench.run(1)
    };
    let before = bench(20);
    assert_eq!((before.violated(), before.statistics.sent_of("Coordinator")), (NONE.to_vec(), 2));
    assert_eq!(bench(200).violated(), NONE);
}

#[test]
fn the_greatest_below_the_dead_one_needs_n_minus_1_messages() {
    for n in [2, 3, 5, 9] {
        let run = asked(n, n - 2, 20).crash(n - 1, at(0)).run(1);
        assert_eq!(run.statistics.sent_of("Election"), 1);
        assert_eq!(run.statistics.sent_of("Coordinator"), u64::from(n - 2));
        assert_eq!(run.statistics.sent(), u64::from(n - 1));
        assert_eq!(run.violated(), NONE);
    }
}

#[test]
fn the_least_needs_n_squared_minus_n_minus_1_messages_and_4_steps() {
    for n in [2, 3, 5, 9] {
        let run = asked(n, 0, 20).crash(n - 1, at(0)).run(1);
        assert_eq!(run.statistics.sent_of("Election"), u64::from(n * (n - 1) / 2));
        assert_eq!(run.statistics.sent_of("Ok"), u64::from((n - 1) * (n - 2) / 2));
        assert_eq!(run.statistics.sent_of("Coordinator"), u64::from(n - 2));
        assert_eq!(run.statistics.sent(), u64::from(n * n - n - 1));
        assert_eq!(run.violated(), NONE);
        // It is asked at step 2. Of two processes, it becomes the leader itself, at step 4.
        assert_eq!(run.indication_steps().last(), Some(if n == 2 { &4 } else { &6 }));
    }
}

#[test]
fn the_greatest_of_all_needs_n_minus_1_messages_and_1_step() {
    for n in [1, 2, 5] {
        let run = asked(n, n - 1, 0).run(1);
        assert_eq!(run.statistics.sent(), u64::from(n - 1));
        assert_eq!(run.steps(), u64::from(n > 1));
    }
}

#[test]
fn crashes_and_recoveries_are_survived() {
    for (recovers, lockstep) in [(true, false), (true, true), (false, false), (false, true)] {
        let mut bench = Bench::of::<Bully>(5)
            .workload(r#"{"elections": 4, "every": "0ms..100ms"}"#)
            .random_crashes(4, "0ms..300ms");
        if recovers {
            bench = bench.recovering("0ms..100ms");
        }
        if lockstep {
            bench = bench.lockstep();
        }
        for (seed, violated) in bench.violated_in(0..2_000).into_iter().enumerate() {
            assert_eq!(violated, NONE, "seed {seed}, {recovers}, {lockstep}");
        }
    }
}

#[test]
fn each_mutant_breaks_what_it_says() {
    let all = ["el.one-leader", "el.agreement", "el.max", "el.termination"];
    for (mutant, bench, violates) in [
        ("short-timeout", asked(3, 1, 0), &all[..]),
        ("ignore-ok", asked(4, 1, 20).crash(3, at(0)), &all[1..3]),
        // p1 answers, and crashes.
        ("no-restart", asked(3, 0, 1).crash(2, at(0)).crash(1, at(15)), &["el.termination"]),
        // p1 begins when p2 is down, and waits for an answer when it is up again.
        ("join-at-once", down(asked(3, 1, 12), 2, 0, 26), &["el.one-leader", "el.termination"]),
    ] {
        assert_eq!(bench.run(1).violated(), NONE, "{mutant}");
        assert_eq!(bench.mutant(mutant).run(1).violated(), violates, "{mutant}");
    }
}

#[test]
fn who_has_crashed_after_its_answer_is_waited_for_4_delays() {
    // Asked at 1 ms, p0 has the answer at 21 ms, begins anew at 61 ms, and leads at 81 ms.
    let run = asked(3, 0, 1).crash(2, at(0)).crash(1, at(15)).run(1);
    assert_eq!(run.outcome.at, Instant::ZERO + Duration::from_millis(81));
    assert_eq!(run.reached, ["the greater process has crashed"]);
}
