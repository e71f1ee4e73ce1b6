use ftsim_core::bench::Bench;
use ftsim_core::environment::delay::Delay;
use ftsim_core::{Duration, DurationRange};
use ftsim_protocols::exclusion::SuzukiKasami;

const NONE: [&str; 0] = [];

fn bench(n: u32, workload: &str) -> Bench {
    Bench::of::<SuzukiKasami>(n).workload(workload)
}

#[test]
fn an_entry_costs_n_messages_or_none_for_the_owner_of_the_token() {
    for n in [2, 3, 5, 9] {
        let first = bench(n, r#"{"visitors": ["p1"], "entries": 1}"#).run(1);
        assert_eq!(first.statistics.sent(), u64::from(n));
        let again = bench(n, r#"{"visitors": ["p1"], "entries": 5}"#).run(1);
        assert_eq!(again.statistics.sent(), u64::from(n));
        let owner = bench(n, r#"{"visitors": ["p0"], "entries": 5}"#).run(1);
        assert_eq!(owner.statistics.sent(), 0);
        assert_eq!((owner.violated(), owner.latencies.len()), (vec![], 5));
    }
}

#[test]
fn all_enter_whatever_the_delays_and_old_requests_do_no_harm() {
    let mut old = 0;
    for seed in 0..1_000 {
        let workload = r#"{"entries": 4, "at": "0ms..5ms", "think": "0ms..30ms"}"#;
        let mut bench = bench(4, workload);
        let [min, max] = [1, 60].map(Duration::from_millis);
        bench.experiment.network.default.delay = Delay::Uniform(DurationRange { min, max });
        let run = bench.run(seed);
        assert_eq!(run.violated(), NONE, "seed {seed}");
        assert_eq!(run.latencies.len(), 16, "seed {seed}");
        assert!(run.statistics.sent() <= 16 * 4, "seed {seed}");
        assert_eq!(run.statistics.sent() % 4, 0, "each request goes to 3, and brings 1 token");
        old += run.reached.len();
    }
    assert!(old > 0, "no old request came to an idle token");
}
