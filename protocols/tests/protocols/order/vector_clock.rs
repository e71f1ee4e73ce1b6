use ftsim_core::bench::Bench;
use ftsim_protocols::order::VectorClock;

const NONE: [&str; 0] = [];

fn bench(n: u32) -> Bench {
    Bench::of::<VectorClock>(n).workload(r#"{"events": 8}"#)
}

#[test]
fn vectors_tell_exactly_what_happened_before_what() {
    for n in [1, 2, 3, 5] {
        for seed in 0..300 {
            let run = bench(n).random_crashes(n - 1, "0ms..40ms").run(seed);
            assert_eq!(run.violated(), NONE, "n = {n}, seed {seed}");
        }
    }
}

#[test]
fn a_message_carries_the_vector_and_nothing_is_sent_for_it() {
    let run = Bench::of::<VectorClock>(4).workload(r#"{"events": 5, "sends": 1.0}"#).run(1);
    assert_eq!(run.statistics.sent(), 20);
    let data = run.trace.entries.iter().map(|entry| format!("{:?}", entry.what));
    let vectors = data.filter(|text| text.contains("Vector([")).collect::<Vec<_>>();
    // A number for each of the four processes, in each of the 40 events.
    assert!(vectors.iter().all(|text| text.matches(',').count() >= 3), "{vectors:?}");
    assert_eq!(vectors.len(), 40);
}

#[test]
fn each_mutant_is_no_vector_clock() {
    for name in ["sender-only", "no-tick-on-receive"] {
        let violated = bench(3).mutant(name).violated_in(0..40);
        let strong = violated.iter().flatten().filter(|id| **id == "clk.strong").count();
        assert!(strong > 10, "{name}: {violated:?}");
        // What violates the clock condition violates the stronger one, too.
        let is_weaker = |ids: &Vec<_>| ids.as_slice() != ["clk.consistency"];
        assert!(violated.iter().all(is_weaker), "{name}: {violated:?}");
    }
}
