use ftsim_core::bench::Bench;
use ftsim_core::environment::network::Order;
use ftsim_protocols::order::SkeenTom;

#[test]
fn a_multicast_costs_3_times_n_minus_1_messages_and_three_steps() {
    for n in [2, 3, 5, 9] {
        let bench = Bench::of::<SkeenTom>(n).workload(r#"{"senders": ["p0"]}"#).lockstep();
        let run = bench.run(1);
        assert_eq!(run.statistics.sent(), u64::from(3 * (n - 1)));
        assert_eq!(run.indication_steps().last(), Some(&3));
        // The sender knows the final priority one step before the others.
        assert_eq!(run.indication_steps().first(), Some(&2));
    }
}

#[test]
fn all_orders_hold_on_fifo_links_with_any_delays() {
    for seed in 0..300 {
        let workload = r#"{"broadcasts": 3, "every": "4ms"}"#;
        let mut bench = Bench::of::<SkeenTom>(4).workload(workload);
        bench.experiment.network.default.order = Order::Fifo;
        let run = bench.run(seed);
        assert_eq!(run.violated(), [] as [&str; 0], "seed {seed}");
        assert_eq!(run.indication_steps().len(), 4 * 4 * 3, "seed {seed}");
    }
}
