use ftsim_core::bench::{Bench, sends};
use ftsim_core::environment::detector::{Mistake, NoticeDelay};
use ftsim_core::fault::Trigger;
use ftsim_core::{Duration, Instant, ProcessId};
use ftsim_protocols::election::RingElection;

const NONE: [&str; 0] = [];

fn at(ms: u64) -> Trigger {
    Trigger::At(Instant::ZERO + Duration::from_millis(ms))
}

/// p0 alone is asked, after this many milliseconds; crashes are reported after 5 ms.
fn p0_is_asked(n: u32, at_ms: u64) -> Bench {
    Bench::of::<RingElection>(n)
        .workload(&format!(r#"{{"initiators": ["p0"], "at": "{at_ms}ms"}}"#))
        .perfect_detector("5ms")
        .lockstep()
}

#[test]
fn an_election_costs_2n_messages_and_steps() {
    for n in [2, 3, 5, 9] {
        let run = p0_is_asked(n, 0).run(1);
        assert_eq!(run.statistics.sent_of("Election"), u64::from(n));
        assert_eq!(run.statistics.sent_of("Coordinator"), u64::from(n));
        assert_eq!((run.statistics.sent(), run.steps()), (2 * u64::from(n), 2 * u64::from(n)));
        assert_eq!(run.violated(), NONE);
    }
}

#[test]
fn with_one_member_dead_and_skipped_it_costs_2_times_n_minus_1() {
    for n in [2, 3, 5, 9] {
        for dead in 1..n {
            let run = p0_is_asked(n, 20).crash(dead, at(0)).run(1);
            assert_eq!(run.statistics.sent(), if n == 2 { 0 } else { u64::from(2 * (n - 1)) });
            assert_eq!(run.violated(), NONE);
        }
    }
}

#[test]
fn each_of_n_that_begin_at_once_pays_for_itself() {
    for n in [2, 3, 6] {
        let all = Bench::of::<RingElection>(n).workload(r#"{"at": "0ms"}"#);
        let run = all.perfect_detector("5ms").lockstep().run(1);
        assert_eq!(run.statistics.sent(), u64::from(n * 2 * n));
        assert_eq!(run.violated(), NONE);
    }
}

#[test]
fn a_leader_that_crashes_is_replaced_without_a_request() {
    let run = p0_is_asked(4, 0).crash(3, at(200)).run(1);
    assert_eq!(run.violated(), NONE);
    // All three suspect the leader and begin. Its predecessor sends two messages again.
    assert_eq!(run.statistics.sent(), 2 * 4 + 3 * 2 * 3 + 2);
}

#[test]
fn any_crashes_below_n_are_survived_whatever_the_delays() {
    let mut resent = 0;
    for seed in 0..1_000 {
        let bench = Bench::of::<RingElection>(5)
            .workload(r#"{"elections": 2, "every": "0ms..100ms"}"#)
            .perfect_detector("0ms..40ms")
            .random_crashes(4, "0ms..150ms");
        let run = bench.run(seed);
        assert_eq!(run.violated(), NONE, "seed {seed}");
        resent += run.reached.len();
    }
    assert!(resent > 0, "nothing was sent again");
}

#[test]
fn a_crash_at_each_point_of_an_election_is_survived() {
    for p in 0..4 {
        for kind in ["Election", "Coordinator"] {
            for nth in 1..=4 {
                let all = Bench::of::<RingElection>(4).workload(r#"{"at": "0ms"}"#);
                let bench = all.perfect_detector("15ms").lockstep().crash(p, sends(p, kind, nth));
                assert_eq!(bench.run(1).violated(), NONE, "{p} {kind} {nth}");
            }
        }
    }
}

/// p2 crashes when it has passed p0's election on. p1 learns of it at once, p0 never: it announces
/// p2, and crashes too.
fn a_dead_leader_is_announced() -> Bench {
    let mut bench = p0_is_asked(3, 0).crash(2, at(21)).crash(0, at(31));
    bench.experiment.detector.notices = vec![NoticeDelay {
        observer: ProcessId(0),
        subject: ProcessId(2),
        nth: 1,
        delay: Duration::from_millis(100),
    }];
    bench
}

#[test]
fn each_mutant_breaks_what_it_says_and_nothing_else() {
    for (mutant, bench, violates) in [
        ("no-skip", p0_is_asked(3, 20).crash(1, at(0)), "el.termination"),
        ("no-resend", p0_is_asked(3, 0).crash(1, at(5)), "el.termination"),
        ("keep-dead-leader", p0_is_asked(3, 0).crash(2, at(100)), "el.succession"),
        ("follow-a-suspect", a_dead_leader_is_announced(), "el.succession"),
    ] {
        assert_eq!(bench.run(1).violated(), NONE, "{mutant}");
        assert_eq!(bench.mutant(mutant).run(1).violated(), [violates], "{mutant}");
    }
}

#[test]
fn a_process_that_is_suspected_wrongly_is_passed_over() {
    let mut bench = p0_is_asked(3, 0);
    let (observer, suspects) = (ProcessId(1), ProcessId(2));
    bench.experiment.detector.mistakes =
        vec![Mistake { observer, suspects, at: Instant::ZERO, until: None }];
    assert_eq!(bench.run(1).violated(), ["el.max", "el.termination"]);
}
