use ftsim_core::bench::Bench;
use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::network::Order;
use ftsim_core::{Duration, DurationRange};
use ftsim_protocols::exclusion::Maekawa;

const NONE: [&str; 0] = [];
const PLANE: &str = r#"{"quorums": "plane"}"#;

fn bench(n: u32, params: &str, workload: &str) -> Bench {
    let mut bench = Bench::of::<Maekawa>(n).params(params).workload(workload);
    bench.experiment.network.default.order = Order::Fifo;
    bench
}

/// With quorums of size K, n and K.
const PLANES: [(u32, u64); 5] = [(3, 2), (7, 3), (13, 4), (21, 5), (31, 6)];

#[test]
fn an_entry_alone_costs_3_times_k_minus_1_messages_and_takes_two_steps() {
    let grids = [(1, 1), (4, 3), (9, 5), (16, 7), (25, 9)].map(|(n, k)| ("{}", n, k));
    for (params, n, k) in PLANES.map(|(n, k)| (PLANE, n, k)).into_iter().chain(grids) {
        let visit = r#"{"visitors": ["p0"], "entries": 1, "at": "0ms"}"#;
        let run = bench(n, params, visit).lockstep().run(1);
        assert_eq!((run.statistics.sent(), run.latencies.len()), (3 * (k - 1), 1), "n = {n}");
        let steps = if n == 1 { 0 } else { 2 };
        assert_eq!(run.latencies[0], Duration::from_millis(10 * steps));
    }
}

/// Maekawa counts five messages for each other member of the quorum: a request, FAILED or INQUIRE
/// and RELINQUISH, LOCKED, RELEASE. Here FAILED also goes to a request that is no longer the
/// earliest, and the mean is below his bound even so: nearly four.
#[test]
fn entries_at_once_cost_at_most_5_times_k_minus_1_messages() {
    for (n, k) in PLANES {
        let visits = r#"{"entries": 5, "at": "0ms", "stay": "1ms", "think": "0ms"}"#;
        let (mut sent, mut entries) = (0, 0);
        for seed in 0..50 {
            let run = bench(n, PLANE, visits).run(seed);
            assert_eq!(run.violated(), NONE, "n = {n}, seed {seed}");
            sent += run.statistics.sent();
            entries += run.latencies.len() as u64;
        }
        assert_eq!(entries, 50 * 5 * u64::from(n));
        assert!(sent > 3 * (k - 1) * entries, "n = {n}");
        assert!(sent <= 5 * (k - 1) * entries, "n = {n}: {sent} for {entries} entries");
    }
}

#[test]
fn all_enter_whatever_the_delays() {
    let (mut gave_way, mut late) = (0, 0);
    for seed in 0..2_000 {
        let n = 2 + u32::try_from(seed % 8).expect("small");
        let mut bench = bench(n, "{}", r#"{"entries": 4, "at": "0ms..5ms", "think": "0ms..30ms"}"#);
        let [min, max] = [1, 60].map(Duration::from_millis);
        bench.experiment.network.default.delay = Delay::Uniform(DurationRange { min, max });
        let run = bench.run(seed);
        assert_eq!(run.violated(), NONE, "seed {seed}");
        assert_eq!(run.latencies.len(), 4 * n as usize, "seed {seed}");
        gave_way += u32::from(run.reached.contains(&"gives way"));
        late += u32::from(run.reached.contains(&"an INQUIRE is late"));
    }
    assert!(gave_way > 100 && late > 10, "{gave_way}, {late}");
}

#[test]
fn planes_are_for_their_numbers_of_processes() {
    assert!(bench(8, PLANE, "{}").refused().is_some());
    assert!(bench(8, "{}", "{}").refused().is_none());
}
