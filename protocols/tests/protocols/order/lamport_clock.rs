use ftsim_core::bench::Bench;
use ftsim_protocols::order::LamportClock;
use ftsim_protocols::spec::clocks::STRONG;

const NONE: [&str; 0] = [];

fn bench(n: u32) -> Bench {
    Bench::of::<LamportClock>(n).workload(r#"{"events": 8}"#)
}

#[test]
fn causes_have_earlier_times_whoever_crashes() {
    for n in [1, 2, 3, 5] {
        for seed in 0..300 {
            let run = bench(n).random_crashes(n - 1, "0ms..40ms").run(seed);
            assert_eq!(run.violated(), NONE, "n = {n}, seed {seed}");
        }
    }
}

/// Times are no more than the number of events in the longest chain of causes.
#[test]
fn a_chain_of_messages_counts_its_events() {
    let all = r#"{"actors": ["p0"], "events": 5, "sends": 1.0, "every": "20ms"}"#;
    let run = Bench::of::<LamportClock>(2).workload(all).lockstep().run(1);
    let times = |p: u32| {
        let of_p = run.trace.entries.iter().filter(move |e| e.process.is_some_and(|q| q.0 == p));
        let texts = of_p.map(|e| format!("{:?}", e.what));
        texts.filter(|text| text.starts_with("Indicate")).collect::<Vec<_>>()
    };
    let scalars = |p: u32, expected: [u64; 5]| {
        for (text, time) in times(p).iter().zip(expected) {
            assert!(text.contains(&format!("At(Scalar({time}))")), "p{p}: {text}, not {time}");
        }
        assert_eq!(times(p).len(), 5);
    };
    scalars(0, [1, 2, 3, 4, 5]);
    scalars(1, [2, 3, 4, 5, 6]);
}

#[test]
fn a_message_carries_the_clock_and_nothing_is_sent_for_it() {
    let run = Bench::of::<LamportClock>(4).workload(r#"{"events": 5, "sends": 1.0}"#).run(1);
    assert_eq!(run.statistics.sent(), 20);
    let run = Bench::of::<LamportClock>(4).workload(r#"{"events": 5, "sends": 0.0}"#).run(1);
    assert_eq!(run.statistics.sent(), 0);
}

#[test]
fn each_mutant_violates_the_clock_condition() {
    for name in ["no-max", "no-tick-on-receive"] {
        let violated = bench(3).mutant(name).violated_in(0..20);
        assert!(violated.iter().flatten().all(|id| *id == "clk.consistency"), "{name}");
        assert!(violated.iter().flatten().count() > 10, "{name}");
    }
}

#[test]
fn numbers_do_not_tell_that_events_are_concurrent() {
    for seed in 0..20 {
        assert_eq!(bench(3).check(STRONG).run(seed).violated(), ["clk.strong"], "seed {seed}");
    }
    // Alone, or in a run without concurrent events, they do.
    assert_eq!(bench(1).check(STRONG).run(1).violated(), NONE);
}
