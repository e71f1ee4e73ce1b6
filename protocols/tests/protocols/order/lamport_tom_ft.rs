use ftsim_core::bench::{Bench, sends};
use ftsim_core::environment::message_rule::{Fate, MessageRule};
use ftsim_core::environment::network::Order;
use ftsim_core::fault::{InFlight, Trigger};
use ftsim_core::{Duration, Instant, ProcessId};
use ftsim_protocols::order::LamportTomFt;

const NONE: [&str; 0] = [];
const FETCH: &str = r#"{"repair": "fetch"}"#;

/// Only p0 multicasts, once; a message takes 10 ms, and every crash is reported after 15 ms.
fn one_sender(n: u32) -> Bench {
    let bench = Bench::of::<LamportTomFt>(n).workload(r#"{"senders": ["p0"]}"#);
    bench.lockstep().perfect_detector("15ms")
}

/// All multicast, and up to this many crash.
fn crashes(n: u32, most: u32) -> Bench {
    let bench = Bench::of::<LamportTomFt>(n).workload(r#"{"broadcasts": 3, "every": "4ms"}"#);
    let mut bench = bench.perfect_detector("0ms..20ms").random_crashes(most, "0ms..30ms");
    bench.experiment.network.default.order = Order::Fifo;
    bench
}

#[test]
fn without_failure_a_multicast_costs_what_it_costs_lamport() {
    for n in [2, 3, 5, 9] {
        let run = one_sender(n).run(1);
        assert_eq!(run.statistics.sent(), u64::from(n * (n - 1)));
        assert_eq!(run.statistics.sent_of("Data"), u64::from(n - 1));
        assert_eq!(run.indication_steps().last(), Some(&2));
    }
}

#[test]
fn a_crash_costs_n_minus_1_times_n_minus_2_flushes() {
    for n in [2, 3, 5, 9] {
        for sent in [1, u64::from(n) - 1] {
            let run = one_sender(n).crash(0, sends(0, "Data", sent)).run(1);
            assert_eq!(run.statistics.sent_of("Flush"), u64::from((n - 1) * (n - 2)));
            assert_eq!(run.violated(), NONE);
            // All survivors deliver what at least one of them has.
            assert_eq!(run.indication_steps().len(), n as usize - 1);
        }
    }
}

#[test]
fn any_crashes_below_n_are_survived_with_all_orders() {
    let mut reached = std::collections::BTreeSet::new();
    for n in [2, 3, 4, 5] {
        for seed in 0..300 {
            let run = crashes(n, n - 1).run(seed);
            assert_eq!(run.violated(), NONE, "n = {n}, seed {seed}");
            reached.extend(run.reached.iter().copied());
        }
    }
    assert_eq!(reached.len(), 2, "{reached:?}");
}

#[test]
fn who_fetches_agrees_on_the_messages_and_not_on_their_order() {
    let mut disorder = 0;
    for seed in 0..1_000 {
        let bench = crashes(4, 3).params(FETCH);
        assert_eq!(bench.run(seed).violated(), NONE, "seed {seed}");
        let bench = bench.mutant("fetch-only").check(ftsim_protocols::spec::broadcast::TOTAL_ORDER);
        let violated = bench.run(seed).violated();
        assert!(violated.iter().all(|id| *id == "bc.total-order"), "seed {seed}: {violated:?}");
        disorder += violated.len();
    }
    assert!((10..300).contains(&disorder), "{disorder} of 1000");
}

#[test]
fn the_mutants_keep_the_order_and_stop() {
    for (name, must) in [("wait-for-dead", "rb.validity"), ("no-repair", "rb.agreement")] {
        let mut shown = 0;
        for seed in 0..200 {
            let violated = crashes(4, 2).mutant(name).run(seed).violated();
            let safe = ["bc.total-order", "bc.fifo", "bc.causal", "rb.no-duplication"];
            let is_unsafe = violated.iter().any(|id| safe.contains(id));
            assert!(!is_unsafe, "{name}, seed {seed}: {violated:?}");
            shown += u32::from(violated.contains(&must));
        }
        assert!(shown > 0, "{name}");
    }
}

/// All multicast, up to this many crash, and the last `newcomers` processes join.
fn joins(n: u32, newcomers: u32, most: u32) -> Bench {
    crashes(n, most).params(&format!(r#"{{"newcomers": {newcomers}, "join_at": "0ms..30ms"}}"#))
}

#[test]
fn a_join_costs_a_multicast_among_the_members_a_request_and_the_state() {
    for members in [1, 2, 3, 8] {
        let bench = Bench::of::<LamportTomFt>(members + 1).params(r#"{"newcomers": 1}"#);
        let run = bench.workload(r#"{"broadcasts": 0}"#).lockstep().run(1);
        assert_eq!(run.statistics.sent(), u64::from(members * (members - 1) + 2));
        let sent_of = |kind| run.statistics.sent_of(kind);
        assert_eq!([sent_of("Join"), sent_of("State")], [1, 1]);
        assert_eq!(sent_of("Admit"), u64::from(members - 1));
        assert_eq!(sent_of("Ack"), u64::from((members - 1) * (members - 1)));
    }
}

#[test]
fn newcomers_deliver_what_the_others_do_whoever_crashes() {
    let (mut states, mut reached) = (0, std::collections::BTreeSet::new());
    for (founders, newcomers) in [(1, 1), (2, 1), (3, 1), (2, 2), (3, 2), (4, 3)] {
        for seed in 0..300 {
            let run = joins(founders + newcomers, newcomers, founders - 1).run(seed);
            assert_eq!(run.violated(), NONE, "{founders} and {newcomers}, seed {seed}");
            states += run.statistics.sent_of("State");
            reached.extend(run.reached.iter().copied());
        }
    }
    assert!(states > 2_000, "{states}");
    assert_eq!(reached.len(), 4, "{reached:?}");
}

#[test]
fn a_newcomer_forgets_what_only_it_has_of_a_process_that_has_crashed() {
    // p0 admits p2 and multicasts to it, and crashes. p1 hears of neither, and admits p2 later.
    let workload = r#"{"senders": ["p0", "p1"], "broadcasts": 4, "every": "4ms"}"#;
    let bench = Bench::of::<LamportTomFt>(3).params(r#"{"newcomers": 1, "join_at": "0ms"}"#);
    let mut bench = bench.workload(workload).lockstep().perfect_detector("15ms");
    bench.experiment.network.default.order = Order::Fifo;
    bench.experiment.overrides = vec![MessageRule {
        from: ProcessId(0),
        to: ProcessId(2),
        kind: Some("Data".to_owned()),
        nth: 1,
        fate: Fate::delay(Duration::from_millis(1)),
    }];
    let at_14_ms = Trigger::At(Instant::ZERO + Duration::from_millis(14));
    let run = bench.crash_with(0, at_14_ms, InFlight::Lose).run(1);
    assert_eq!(run.statistics.sent_of("Data"), 4 + 1 + 4, "one of p0's reaches p2");
    assert_eq!(run.violated(), NONE);
}

#[test]
fn a_newcomer_without_the_state_diverges_and_shares_the_order() {
    let others = ["bc.total-order", "rb.no-duplication", "rb.no-creation", "rb.validity"];
    for seed in 0..200 {
        let violated = joins(4, 1, 0).mutant("rejoin-no-state").run(seed).violated();
        assert!(violated.contains(&"rep.prefix"), "seed {seed}: {violated:?}");
        assert!(!violated.iter().any(|id| others.contains(id)), "seed {seed}: {violated:?}");
    }
}

#[test]
fn who_joins_on_receipt_lacks_what_others_have_sent_before() {
    let mut stalls = 0;
    for seed in 0..200 {
        let violated = joins(4, 1, 0).mutant("rejoin-unordered").run(seed).violated();
        let safe = ["rb.no-duplication", "rb.no-creation"];
        assert!(!violated.iter().any(|id| safe.contains(id)), "seed {seed}: {violated:?}");
        stalls += u32::from(violated.contains(&"rb.agreement"));
    }
    assert!(stalls > 100, "{stalls}");
}

#[test]
fn newcomers_need_founders_and_flushes() {
    let refused = |params: &str| Bench::of::<LamportTomFt>(2).params(params).refused().is_some();
    assert!(refused(r#"{"newcomers": 2}"#));
    assert!(refused(r#"{"newcomers": 1, "repair": "fetch"}"#));
    assert!(!refused(r#"{"newcomers": 1}"#));
}
