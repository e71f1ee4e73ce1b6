use ftsim_core::bench::{Bench, sends};
use ftsim_protocols::broadcast::Beb;
use ftsim_spec::broadcast::AGREEMENT;

#[test]
fn a_broadcast_costs_n_minus_1_messages_and_one_step() {
    for n in [1, 2, 5, 9] {
        let outcome = Bench::of::<Beb>(n).workload(r#"{"senders": ["p0"]}"#).lockstep().run(1);
        assert_eq!(outcome.statistics.sent(), u64::from(n) - 1);
        assert_eq!(outcome.steps(), u64::from(n > 1));
    }
}

#[test]
fn a_sender_that_sends_to_itself_alone_is_no_broadcast() {
    let bench = Bench::of::<Beb>(3).mutant("self-only");
    assert_eq!(bench.run(1).statistics.sent(), 0);
    assert_eq!(bench.run(1).violated(), ["beb.validity"]);
    assert_eq!(Bench::of::<Beb>(1).mutant("self-only").run(1).violated(), [] as [&str; 0]);
}

#[test]
fn a_sender_that_dies_in_mid_broadcast_breaks_agreement() {
    let bench = Bench::of::<Beb>(3).workload(r#"{"senders": ["p0"]}"#);
    let bench = bench.crash(0, sends(0, "Data", 1));
    assert_eq!(bench.run(1).violated(), [] as [&str; 0]);
    assert_eq!(bench.check(AGREEMENT).run(1).violated(), ["rb.agreement"]);
}

#[test]
fn any_crashes_below_n_leave_the_core_alone() {
    for seed in 0..400 {
        let bench = Bench::of::<Beb>(5).workload(r#"{"broadcasts": 2, "every": "4ms"}"#);
        let run = bench.random_crashes(4, "0ms..20ms").run(seed);
        assert_eq!(run.violated(), [] as [&str; 0], "seed {seed}");
    }
}
