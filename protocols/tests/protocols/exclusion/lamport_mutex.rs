use ftsim_core::bench::Bench;
use ftsim_core::environment::network::Order;
use ftsim_core::fault::Trigger;
use ftsim_core::{Duration, Instant};
use ftsim_protocols::exclusion::LamportMutex;

const NONE: [&str; 0] = [];

fn bench(n: u32, workload: &str) -> Bench {
    let mut bench = Bench::of::<LamportMutex>(n).workload(workload);
    bench.experiment.network.default.order = Order::Fifo;
    bench
}

#[test]
fn an_entry_costs_3_times_n_minus_1_messages_and_takes_two_steps() {
    for n in [1, 2, 3, 5, 9] {
        let one = bench(n, r#"{"visitors": ["p0"], "entries": 1, "at": "0ms"}"#).lockstep().run(1);
        assert_eq!(one.statistics.sent(), u64::from(3 * (n - 1)));
        assert_eq!(one.latencies.len(), 1);
        let steps = if n == 1 { 0 } else { 2 };
        assert_eq!(one.latencies[0], Duration::from_millis(10 * steps));
        let all = bench(n, r#"{"entries": 2}"#).run(1);
        assert_eq!(all.statistics.sent(), u64::from(2 * n * 3 * (n - 1)));
        assert_eq!(all.violated(), NONE);
    }
}

#[test]
fn requests_are_granted_in_their_order_whatever_the_delays() {
    for seed in 0..500 {
        let run = bench(4, r#"{"entries": 4, "at": "0ms..5ms", "think": "0ms..5ms"}"#).run(seed);
        assert_eq!(run.violated(), NONE, "seed {seed}");
        assert_eq!(run.latencies.len(), 16, "seed {seed}");
    }
}

#[test]
fn a_crash_anywhere_stops_all_that_come_later() {
    let at = Trigger::At(Instant::ZERO + Duration::from_millis(1));
    let run = bench(3, r#"{"visitors": ["p0", "p1"], "at": "5ms"}"#).crash(2, at).run(1);
    assert_eq!(run.violated(), ["me.progress", "me.starvation-free"]);
    assert_eq!(run.latencies.len(), 0);
}
