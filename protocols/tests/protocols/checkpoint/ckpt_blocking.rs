use ftsim_core::fault::{InFlight, Trigger};
use ftsim_core::rng::{Rng, Stream};
use ftsim_core::{DurationRange, Instant};
use ftsim_spec::snapshot::{BOUNDED_ROLLBACK, COMPLETE};

use ftsim_core::bench::{Bench, after_effect, sends};
use ftsim_core::prelude::*;
use ftsim_protocols::checkpoint::CkptBlocking;
use ftsim_spec::snapshot::{CONSERVATION, REACHABLE, TERMINATION};

use crate::recovery::{assert_good, crash_and_return, crash_at_random, exercised};

fn bench(n: u32) -> Bench {
    let mut bench = Bench::of::<CkptBlocking>(n).check(CONSERVATION).check(REACHABLE);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(5);
    bench
}

/// Up to six crashes, each after some effect or at some time; all processes recover.
fn with_random_crashes(n: u32, seed: u64) -> Bench {
    let mut rng = Rng::new(seed, Stream::Faults);
    let mut bench = bench(n).workload(r#"{"snapshots": 5, "transfers": 30}"#);
    let ms = |ms| Duration::from_millis(ms);
    bench = crash_at_random(bench, n, &mut rng, &[InFlight::Keep, InFlight::Lose]);
    if rng.below(2) == 0 {
        bench.experiment.sync_latency = DurationRange { min: ms(0), max: ms(3) };
    }
    bench
}

#[test]
fn a_checkpoint_costs_3_times_n_minus_1_messages() {
    for n in [1u32, 2, 3, 5, 9] {
        let workload = r#"{"transfers": 0, "snapshots": 1}"#;
        let run = bench(n).workload(workload).lockstep().run(1);
        assert_good(&run);
        assert_eq!(run.statistics.sent(), 3 * u64::from(n - 1));
        // The tentative and the permanent checkpoint are one forced write each.
        assert_eq!(run.statistics.syncs, 2 * u64::from(n));
        let busy = bench(n).lockstep().run(1);
        let control = ["CkptReq", "Ack", "CkptDone"];
        assert!(control.iter().all(|kind| busy.statistics.sent_of(kind) == 3 * u64::from(n - 1)));
    }
}

#[test]
fn without_failure_every_checkpoint_is_good_and_no_money_is_lost() {
    for n in 2..6 {
        let mut under_way = 0;
        for seed in 0..100 {
            let run = bench(n).run(seed);
            assert_good(&run);
            assert_eq!(exercised(&run, CONSERVATION), 3);
            under_way += exercised(&run, COMPLETE);
        }
        assert!(under_way > 20, "too little was under way");
    }
}

#[test]
fn whoever_crashes_when_no_cut_is_bad_and_no_money_is_lost() {
    let (mut restored, mut dropped) = (0, 0);
    for seed in 0..600 {
        let n = 2 + u32::try_from(seed % 4).unwrap();
        let run = with_random_crashes(n, seed).run(seed);
        assert_good(&run);
        restored += exercised(&run, BOUNDED_ROLLBACK);
        dropped += u32::from(run.reached.contains(&"dropped by a crash"));
    }
    assert!(restored > 600 && dropped > 60, "{restored} restored, {dropped} dropped");
}

#[test]
fn at_every_point_of_a_checkpoint_a_crash_leaves_a_good_cut() {
    for process in 0..3 {
        for nth in 1..60 {
            let bench = bench(3).workload(r#"{"transfers": 5, "snapshot_after": "5ms"}"#);
            let (trigger, down_for) = (after_effect(process, nth), Duration::from_millis(nth % 7));
            let bench = crash_and_return(bench, process, trigger, down_for, InFlight::Keep);
            assert_good(&bench.run(nth));
        }
    }
}

#[test]
fn a_checkpoint_that_nobody_can_acknowledge_is_given_up() {
    let run = bench(3).crash(2, Trigger::At(Instant::ZERO)).run(1);
    assert_good(&run);
    assert!(run.reached.contains(&"gave up"));
}

#[test]
fn without_its_coordinator_a_participant_waits_for_ever() {
    let run = bench(3).crash(0, sends(0, "CkptReq", 2)).run(1);
    assert_eq!(run.violated(), [TERMINATION.0]);
}

#[test]
fn each_mutant_violates_what_it_says() {
    for mutant in CkptBlocking::MUTANTS {
        let broken = (0..200).filter(|seed| {
            let run = with_random_crashes(3, *seed).mutant(mutant.name).run(*seed);
            run.violated().contains(&mutant.violates.0)
        });
        assert!(broken.count() > 0, "{}", mutant.name);
    }
}
