use ftsim_core::bench::Bench;
use ftsim_core::environment::network::Loss;
use ftsim_core::fault::{Action, Crash, Fault, Trigger};
use ftsim_core::{Duration, Instant, Probability, ProcessId};
use ftsim_protocols::election::OmegaLowerEpoch;

const NONE: [&str; 0] = [];

fn at(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

fn bench(n: u32, horizon_ms: u64) -> Bench {
    let mut bench = Bench::of::<OmegaLowerEpoch>(n);
    bench.experiment.limits.horizon = at(horizon_ms);
    bench
}

/// p2 is down for 100 ms of each 200.
fn restless(mut bench: Bench, horizon_ms: u64) -> Bench {
    for ms in (50..horizon_ms).step_by(200) {
        let recover_after = Some(Duration::from_millis(100));
        let action = Action::Crash(ProcessId(2), Crash { recover_after, ..Crash::default() });
        bench.experiment.plan.faults.push(Fault { trigger: Trigger::At(at(ms)), action });
    }
    bench
}

#[test]
fn a_round_costs_n_times_n_minus_1_messages() {
    for n in [1, 2, 5] {
        // Rounds begin at 0, 20, 40 and 60 ms: the greatest leads from the start.
        let run = bench(n, 79).lockstep().run(1);
        assert_eq!(run.statistics.sent(), 4 * u64::from(n * (n - 1)));
        assert_eq!(run.violated(), NONE);
    }
}

#[test]
fn who_restarts_again_and_again_is_not_trusted() {
    for seed in 0..50 {
        assert_eq!(restless(bench(3, 3_200), 3_200).run(seed).violated(), NONE, "seed {seed}");
    }
}

#[test]
fn who_forgets_its_epoch_is_trusted_again_and_again() {
    let bench = restless(bench(3, 3_200), 3_200).mutant("epoch-in-memory");
    for violated in bench.violated_in(0..20) {
        assert_eq!(violated, ["omega.eventual-leader"]);
    }
}

#[test]
fn crashes_recoveries_and_losses_before_the_network_is_stable_are_survived() {
    for seed in 0..300 {
        let mut bench = bench(4, 8_000).random_crashes(3, "0ms..2s").recovering("0ms..500ms");
        bench.experiment.network.default.loss = Loss::Independent(Probability::new(0.3).unwrap());
        bench.experiment.network.stabilise_at = Some(at(1_000));
        assert_eq!(bench.run(seed).violated(), NONE, "seed {seed}");
    }
}
