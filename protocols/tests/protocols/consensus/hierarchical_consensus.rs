use ftsim_core::bench::Bench;
use ftsim_protocols::consensus::HierarchicalConsensus;

#[test]
fn it_costs_n_times_n_minus_1_halves_messages_and_n_rounds() {
    for n in [1, 2, 3, 5, 9] {
        let run = Bench::of::<HierarchicalConsensus>(n).lockstep().run(1);
        assert_eq!(run.statistics.sent(), u64::from(n * (n - 1) / 2));
        let rounds: Vec<u64> = (0..n.into()).collect();
        assert_eq!(run.indication_steps(), rounds);
    }
}

#[test]
fn it_withstands_any_crashes_at_any_effects() {
    let bench = Bench::of::<HierarchicalConsensus>(5)
        .perfect_detector("1ms..40ms")
        .random_crashes(4, "0ms..60ms");
    for seed in 0..500 {
        assert_eq!(bench.run(seed).violated(), [] as [&str; 0], "seed {seed}");
    }
}
