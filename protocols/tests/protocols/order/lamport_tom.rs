use ftsim_core::bench::Bench;
use ftsim_core::environment::network::Order;
use ftsim_protocols::order::LamportTom;

fn bench(n: u32, sender_acks: bool) -> Bench {
    Bench::of::<LamportTom>(n).params(&format!(r#"{{"sender_acks": {sender_acks}}}"#)).lockstep()
}

#[test]
fn a_multicast_costs_n_times_n_minus_1_messages_and_two_steps() {
    for n in [2, 3, 5, 9] {
        let one = |acks| bench(n, acks).workload(r#"{"senders": ["p0"]}"#).run(1);
        let run = one(false);
        assert_eq!(run.statistics.sent(), u64::from(n * (n - 1)));
        assert_eq!(run.statistics.sent_of("Data"), u64::from(n - 1));
        assert_eq!(run.indication_steps().last(), Some(&2));
        assert_eq!(one(true).statistics.sent(), u64::from(n * n - 1));
    }
}

#[test]
fn all_orders_hold_on_fifo_links_with_any_delays() {
    for seed in 0..300 {
        let workload = r#"{"broadcasts": 3, "every": "4ms"}"#;
        let mut bench = Bench::of::<LamportTom>(4).workload(workload);
        bench.experiment.network.default.order = Order::Fifo;
        let run = bench.run(seed);
        assert_eq!(run.violated(), [] as [&str; 0], "seed {seed}");
        assert_eq!(run.indication_steps().len(), 4 * 4 * 3, "seed {seed}");
    }
}
