use ftsim_core::bench::{Bench, after_effect, sends};
use ftsim_core::fault::InFlight;
use ftsim_protocols::broadcast::EagerRb;
use ftsim_spec::broadcast::UNIFORM_AGREEMENT;

/// p0 alone broadcasts, once; every message takes one step.
fn one_sender(n: u32) -> Bench {
    Bench::of::<EagerRb>(n).workload(r#"{"senders": ["p0"]}"#).lockstep()
}

#[test]
fn a_broadcast_costs_n_times_n_minus_1_messages() {
    for n in [2, 3, 5, 9] {
        let run = one_sender(n).run(1);
        assert_eq!(run.statistics.sent(), u64::from(n * (n - 1)));
    }
}

#[test]
fn without_failure_all_deliver_in_one_step() {
    assert_eq!(one_sender(5).run(1).indication_steps(), [0, 1, 1, 1, 1]);
}

#[test]
fn a_chain_of_crashes_takes_f_plus_1_steps() {
    // Each of p0, p1, … reaches no live process but the next: p(k) relays to p0..p(k-1), then
    // to p(k+1).
    for f in 1..5 {
        let chain = |bench: Bench, p| bench.crash(p, sends(p, "Data", u64::from(p) + 1));
        let run = (0..f).fold(one_sender(6), chain).run(1);
        assert_eq!(run.statistics.crashes, u64::from(f));
        assert_eq!(run.indication_steps().last(), Some(&(u64::from(f) + 1)));
        assert_eq!(run.violated(), [] as [&str; 0]);
    }
}

#[test]
fn no_crashes_delay_a_delivery_beyond_f_plus_1_steps() {
    for seed in 0..400 {
        let run = one_sender(6).random_crashes(5, "0ms..20ms").run(seed);
        let last = run.indication_steps().last().copied().unwrap_or_default();
        let crashes = run.statistics.crashes;
        assert!(last <= crashes + 1, "seed {seed}: step {last}, {crashes} crashes");
    }
}

#[test]
fn a_delivery_without_relay_is_not_reliable() {
    let bench = || one_sender(3).crash(0, sends(0, "Data", 1));
    assert_eq!(bench().run(1).violated(), [] as [&str; 0]);
    assert_eq!(bench().mutant("deliver-without-relay").run(1).violated(), ["rb.agreement"]);
}

#[test]
fn without_a_memory_relays_never_end() {
    let mut bench = one_sender(3).mutant("no-delivered-set");
    bench.experiment.limits.event_count_max = 100;
    let run = bench.run(1);
    assert_eq!(run.violated(), ["rb.no-duplication"]);
    assert_eq!(run.cause, ftsim_core::EndCause::EventLimit);
}

#[test]
fn reliable_is_not_uniform() {
    // Two sends and the delivery of its own copy; then the other send is lost with the sender.
    let bench = one_sender(2).crash_with(0, after_effect(0, 3), InFlight::Lose);
    assert_eq!(bench.run(1).violated(), [] as [&str; 0]);
    let uniform = bench.check(UNIFORM_AGREEMENT).run(1);
    assert_eq!(uniform.violated(), ["rb.uniform-agreement"]);
}

#[test]
fn any_crashes_below_n_are_survived_but_not_by_the_mutant() {
    let mut mutant_fails = 0;
    for seed in 0..400 {
        let bench = Bench::of::<EagerRb>(5).workload(r#"{"broadcasts": 2, "every": "4ms"}"#);
        let bench = bench.random_crashes(4, "0ms..20ms");
        assert_eq!(bench.run(seed).violated(), [] as [&str; 0], "seed {seed}");
        mutant_fails += bench.mutant("deliver-without-relay").run(seed).violated().len();
    }
    assert!(mutant_fails > 0);
}
