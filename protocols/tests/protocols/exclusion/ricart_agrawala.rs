use ftsim_core::bench::Bench;
use ftsim_protocols::exclusion::RicartAgrawala;

const NONE: [&str; 0] = [];
const KEEP: &str = r#"{"keep": true}"#;

fn bench(n: u32, workload: &str) -> Bench {
    Bench::of::<RicartAgrawala>(n).workload(workload)
}

#[test]
fn an_entry_costs_2_times_n_minus_1_messages() {
    for n in [1, 2, 3, 5, 9] {
        let all = bench(n, r#"{"entries": 2}"#).run(1);
        assert_eq!(all.statistics.sent(), u64::from(2 * n * 2 * (n - 1)));
        assert_eq!(all.violated(), NONE);
    }
}

#[test]
fn who_keeps_permissions_enters_again_for_nothing() {
    for n in [2, 3, 5] {
        let alone = r#"{"visitors": ["p0"], "entries": 7}"#;
        let run = bench(n, alone).params(KEEP).run(1);
        assert_eq!(run.statistics.sent(), u64::from(2 * (n - 1)));
        assert_eq!(run.latencies.len(), 7);
    }
}

#[test]
fn an_entry_with_kept_permissions_costs_at_most_2_times_n_minus_1_messages() {
    let mut asked_again = 0;
    for seed in 0..500 {
        let workload = r#"{"entries": 5, "at": "0ms..5ms", "think": "0ms..10ms"}"#;
        let run = bench(4, workload).params(KEEP).run(seed);
        assert_eq!(run.violated(), NONE, "seed {seed}");
        assert_eq!(run.latencies.len(), 20, "seed {seed}");
        assert!(run.statistics.sent() <= 20 * 2 * 3, "seed {seed}");
        asked_again += run.reached.len();
    }
    assert!(asked_again > 0, "no permission was asked for again");
}

#[test]
fn requests_are_granted_in_their_order_on_links_without_any() {
    for seed in 0..1_000 {
        let workload = r#"{"entries": 4, "at": "0ms..5ms", "think": "0ms..5ms"}"#;
        let run = bench(5, workload).run(seed);
        assert_eq!(run.violated(), NONE, "seed {seed}");
    }
}
