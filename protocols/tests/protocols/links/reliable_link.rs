//! What a reliable link costs, survives, and does not survive.

use ftsim_core::bench::{Bench, Run, after_effect};
use ftsim_core::environment::message_rule::{Fate, MessageRule};
use ftsim_core::environment::network::Loss;
use ftsim_core::fault::{Action, Crash, Fault, Trigger};
use ftsim_core::{Duration, Instant, Probability, ProcessId, PropertyId, Verdict};
use ftsim_protocols::links::ReliableLink;
use ftsim_spec::link::{EXACTLY_ONCE_EFFECT, RELIABLE};

const NOTHING: [&str; 0] = [];

/// p0 sends this many messages to p1, one every 100 ms; each takes one step of 10 ms.
fn one_way(messages: u32) -> Bench {
    let workload = format!(r#"{{"senders": ["p0"], "messages": {messages}, "every": "100ms"}}"#);
    let mut bench = Bench::of::<ReliableLink>(2).lockstep().workload(&workload);
    bench.experiment.limits.horizon = at(2_000);
    bench
}

fn at(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

/// The first message of this kind is lost.
fn drop_first(mut bench: Bench, kind: &str) -> Bench {
    let (from, to) = if kind == "Data" { (0, 1) } else { (1, 0) };
    bench.experiment.overrides.push(MessageRule {
        from: ProcessId(from),
        to: ProcessId(to),
        kind: Some(kind.to_owned()),
        nth: 1,
        fate: Fate::DROP,
    });
    bench
}

/// `process` crashes, and recovers 5 ms later.
fn restart(mut bench: Bench, process: u32, trigger: Trigger) -> Bench {
    let crash = Crash { recover_after: Some(Duration::from_millis(5)), ..Crash::default() };
    let action = Action::Crash(ProcessId(process), crash);
    bench.experiment.plan.faults.push(Fault { trigger, action });
    bench
}

fn verdict(run: &Run, id: PropertyId) -> &Verdict {
    &run.judged.iter().find(|judged| judged.id == id).expect("a checked property").verdict
}

#[test]
fn without_loss_a_payload_costs_two_messages() {
    for n in [2, 3, 5] {
        for window in [1, 4] {
            let workload = r#"{"messages": 7, "every": "3ms"}"#;
            let params = format!(r#"{{"window": {window}}}"#);
            let bench = Bench::of::<ReliableLink>(n).workload(workload).params(&params);
            let run = bench.lockstep().run(1);
            let payloads = u64::from(n * (n - 1)) * 7;
            assert_eq!(run.statistics.sent_of("Data"), payloads);
            assert_eq!(run.statistics.sent_of("Ack"), payloads);
            assert_eq!(run.statistics.sent(), 2 * payloads);
            assert_eq!(run.violated(), NOTHING);
        }
    }
}

#[test]
fn a_window_of_w_messages_lets_w_pass_in_a_round_trip() {
    for (window, round_trips) in [(1, 12), (3, 4), (4, 3), (12, 1), (100, 1)] {
        let workload = r#"{"senders": ["p0"], "messages": 12, "every": "0ms"}"#;
        let params = format!(r#"{{"window": {window}}}"#);
        let bench = Bench::of::<ReliableLink>(2).workload(workload).params(&params);
        let last = bench.lockstep().run(1).indication_steps().last().copied();
        assert_eq!(last, Some(2 * round_trips - 1), "window {window}");
    }
}

#[test]
fn a_payload_takes_data_1_over_1_minus_p_squared_times() {
    // A DATA and its ACK both arrive with probability s = (1 - p)^2, so that the number of DATA is
    // geometric: mean 1/s, standard deviation sqrt(1 - s)/s. The tolerance is four of those of the
    // mean of all payloads: wrong by chance in 6 of 100,000 cases; the seeds are fixed.
    for p in [0.1, 0.3, 0.5] {
        let (seeds, messages) = (200u32, 50u32);
        let mut sent = 0;
        for seed in 0..seeds {
            let workload = format!(r#"{{"senders": ["p0"], "messages": {messages}}}"#);
            let mut bench = Bench::of::<ReliableLink>(2).workload(&workload);
            let loss = Loss::Independent(Probability::new(p).unwrap());
            bench.experiment.network.default.loss = loss;
            let run = bench.run(seed.into());
            assert_eq!(run.violated(), NOTHING);
            sent += run.statistics.sent_of("Data");
        }
        let payloads = f64::from(seeds * messages);
        let success = (1.0 - p) * (1.0 - p);
        let mean = sent as f64 / payloads;
        let tolerance = 4.0 * (1.0 - success).sqrt() / success / payloads.sqrt();
        let expected = 1.0 / success;
        assert!((mean - expected).abs() <= tolerance, "p = {p}: {mean}, not {expected}");
    }
}

#[test]
fn what_is_lost_is_sent_again_after_the_timeout() {
    let run = drop_first(one_way(1), "Data").run(1);
    // Sent again at 30 ms, delivered at 40 ms (with the new state of the application).
    assert_eq!(run.indication_steps(), [4, 4]);
    assert_eq!(run.statistics.sent_of("Data"), 2);
    assert_eq!(run.violated(), NOTHING);
}

#[test]
fn what_is_never_sent_again_is_lost() {
    for mutant in ["no-retransmit", "forget-before-ack"] {
        let run = drop_first(one_way(2), "Data").mutant(mutant).run(1);
        assert_eq!(run.violated(), ["lnk.reliable"], "{mutant}");
        assert_eq!(run.indication_steps(), [11, 11], "{mutant}: the second arrives");
    }
}

#[test]
fn a_lost_acknowledgement_makes_a_duplicate_which_counts_twice_if_nobody_knows_it() {
    let bench = || drop_first(one_way(1), "Ack");
    let run = bench().run(1);
    assert_eq!(run.violated(), NOTHING);
    assert!(run.reached.contains(&"a duplicate"));
    let both = ["lnk.no-duplication", "lnk.exactly-once-effect"];
    assert_eq!(bench().mutant("no-dedup").run(1).violated(), both);
}

#[test]
fn semantics_differ_in_what_a_lost_data_and_a_lost_acknowledgement_do() {
    let both = ["lnk.reliable", "lnk.exactly-once-effect"];
    let cases = [
        (r#"{"semantics": "at-most-once"}"#, "Data", &both[..1]),
        (r#"{"semantics": "at-most-once"}"#, "Ack", &[]),
        (r#"{"semantics": "at-least-once"}"#, "Data", &[]),
        (r#"{"semantics": "at-least-once"}"#, "Ack", &both[1..]),
        (r#"{"semantics": "at-least-once", "application": "set"}"#, "Ack", &[]),
        (r#"{"semantics": "exactly-once"}"#, "Data", &[]),
        (r#"{"semantics": "exactly-once"}"#, "Ack", &[]),
    ];
    for (params, lost, violated) in cases {
        let bench = drop_first(one_way(2), lost).params(params);
        let run = bench.check(RELIABLE).check(EXACTLY_ONCE_EFFECT).run(1);
        assert_eq!(run.violated(), violated, "{params}, {lost} lost");
    }
}

#[test]
fn a_receiver_that_forgets_what_it_has_seen_delivers_twice() {
    // Delivered at 10 ms, ACK lost, down from 20 ms to 25 ms, sent again at 30 ms.
    let bench = |params| {
        restart(drop_first(one_way(1), "Ack"), 1, Trigger::At(at(20))).params(params).run(1)
    };
    assert_eq!(bench(r#"{"dedup_storage": "stable"}"#).violated(), NOTHING);
    let set = bench(r#"{"dedup_storage": "volatile", "application": "set"}"#);
    assert_eq!(set.violated(), ["lnk.no-duplication"]);
    let counter = bench(r#"{"dedup_storage": "volatile"}"#);
    assert_eq!(counter.violated(), ["lnk.no-duplication", "lnk.exactly-once-effect"]);
}

#[test]
fn no_crash_of_the_receiver_comes_between_delivery_and_memory() {
    // Its effects on a message: append, sync, deliver, state, ACK.
    for nth in 1..=10 {
        let run = restart(one_way(2), 1, after_effect(1, nth)).run(1);
        assert_eq!(run.statistics.recoveries, 1);
        assert_eq!(run.violated(), NOTHING, "after effect {nth}");
    }
}

#[test]
fn numbers_that_are_used_again_after_a_restart_make_a_new_message_a_duplicate() {
    let bench = || restart(one_way(2), 0, Trigger::At(at(50)));
    assert_eq!(bench().run(1).violated(), NOTHING);
    assert_eq!(bench().mutant("reuse-seq").run(1).violated(), ["lnk.reliable"]);
}

#[test]
fn an_old_acknowledgement_is_not_taken_for_a_new_one() {
    // The ACK of the first life arrives in the second, whose first message is lost.
    let mut bench = restart(one_way(2), 0, Trigger::At(at(92)));
    bench.experiment.overrides = vec![
        MessageRule {
            from: ProcessId(1),
            to: ProcessId(0),
            kind: Some("Ack".into()),
            nth: 1,
            fate: Fate::delay(Duration::from_millis(95)),
        },
        MessageRule {
            from: ProcessId(0),
            to: ProcessId(1),
            kind: Some("Data".into()),
            nth: 3,
            fate: Fate::DROP,
        },
    ];
    let run = bench.params(r#"{"timeout": "40ms"}"#).run(1);
    assert_eq!(run.violated(), NOTHING);
    assert_eq!(run.unused, [0usize; 0]);
}

#[test]
fn an_exponential_backoff_waits_longer_and_longer_up_to_16_timeouts() {
    let sends = |params: &str| {
        let mut bench = one_way(1).params(params);
        bench.experiment.network.default.loss = Loss::Independent(Probability::ALWAYS);
        bench.experiment.limits.horizon = at(10_000);
        bench.run(1).statistics.sent_of("Data")
    };
    // At 0, 1, 3, 7, 15, 31, 47, 63 and 79 tenths of a second, and at 95.
    assert_eq!(sends(r#"{"timeout": "100ms", "backoff": "exponential"}"#), 10);
    // At 0, 1, 2, .. 100 tenths.
    assert_eq!(sends(r#"{"timeout": "100ms", "backoff": "constant"}"#), 101);
}

#[test]
fn when_all_is_lost_for_ever_nobody_is_to_blame() {
    for messages in [1, 5] {
        let mut bench = one_way(messages);
        bench.experiment.network.default.loss = Loss::Independent(Probability::ALWAYS);
        let run = bench.run(1);
        let Verdict::Undecided(why) = verdict(&run, RELIABLE) else {
            panic!("{:?}", verdict(&run, RELIABLE));
        };
        assert_eq!(why, "a link that loses every message was still in force at the end");
        assert_eq!(run.violated(), NOTHING);
        let others = run.judged.iter().filter(|judged| judged.id != RELIABLE);
        others.for_each(|judged| assert_eq!(judged.verdict, Verdict::HeldVacuously));
    }
}

#[test]
fn settings_that_let_nothing_through_are_refused() {
    for (params, key) in [(r#"{"window": 0}"#, "window"), (r#"{"timeout": "0ms"}"#, "timeout")] {
        let refused = ftsim_core::Entry::of::<ReliableLink>().prepare(
            one_way(1).experiment,
            &serde_json::from_str(params).unwrap(),
            &serde_json::json!({}),
        );
        let Err(refused) = refused else { panic!("{params} is accepted") };
        assert!(format!("{refused:?}").contains(key), "{refused:?}");
    }
}

/// Loss, duplication, reordering, and crashes of both processes wherever the seed says.
fn storm(params: &str) -> Bench {
    let mut bench =
        Bench::of::<ReliableLink>(2).params(params).workload(r#"{"messages": 8, "every": "7ms"}"#);
    bench = bench.random_crashes(2, "0ms..150ms").recovering("5ms..40ms");
    let random = bench.experiment.random.as_mut().expect("random crashes");
    random.kinds[0].occurrence.count.max = 5;
    let link = &mut bench.experiment.network.default;
    link.loss = Loss::Independent(Probability::new(0.3).unwrap());
    link.duplicate = Probability::new(0.2).unwrap();
    bench.experiment.limits.horizon = at(4_000);
    bench
}

#[test]
fn a_storm_leaves_each_semantics_what_it_claims() {
    let variants = [
        r#"{}"#,
        r#"{"window": 5, "backoff": "exponential"}"#,
        r#"{"application": "set", "timeout": "5ms"}"#,
        r#"{"semantics": "at-least-once", "application": "set", "dedup_storage": "volatile"}"#,
        r#"{"semantics": "at-least-once", "window": 3}"#,
        r#"{"semantics": "at-most-once", "window": 3}"#,
    ];
    for params in variants {
        for seed in 0..150 {
            let run = storm(params).run(seed);
            assert_eq!(run.violated(), NOTHING, "{params}, seed {seed}");
        }
    }
}

#[test]
fn a_storm_tells_every_mutant() {
    let mutants = [
        ("no-dedup", "lnk.exactly-once-effect"),
        ("no-retransmit", "lnk.reliable"),
        ("forget-before-ack", "lnk.reliable"),
        ("reuse-seq", "lnk.reliable"),
    ];
    for (mutant, violates) in mutants {
        let fails = |seed| storm("{}").mutant(mutant).run(seed).violated().contains(&violates);
        assert!((0..20).any(fails), "{mutant}");
    }
    let volatile = r#"{"dedup_storage": "volatile"}"#;
    assert!((0..40).any(|s| storm(volatile).run(s).violated().contains(&"lnk.no-duplication")));
}
