use ftsim_core::fault::InFlight;
use ftsim_core::rng::{Rng, Stream};
use ftsim_core::{DurationRange, Instant};

use ftsim_core::bench::{Bench, after_effect, sends};
use ftsim_core::prelude::*;
use ftsim_protocols::checkpoint::KooToueg;
use ftsim_spec::snapshot::{BOUNDED_ROLLBACK, CONSERVATION, REACHABLE, TERMINATION};

use crate::recovery::{assert_good, crash_and_return, crash_at_random, exercised};

fn bench(n: u32) -> Bench {
    let mut bench = Bench::of::<KooToueg>(n).check(CONSERVATION).check(REACHABLE);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(5);
    bench
}

/// Up to six crashes, each after some effect or at some time; all processes recover.
fn with_random_crashes(n: u32, seed: u64) -> Bench {
    let mut rng = Rng::new(seed, Stream::Faults);
    let transfers = rng.between(2, 30);
    let workload = format!(r#"{{"snapshots": 5, "transfers": {transfers}}}"#);
    let mut bench = bench(n).workload(&workload);
    let ms = |ms| Duration::from_millis(ms);
    bench = crash_at_random(bench, n, &mut rng, &[InFlight::Keep, InFlight::Lose]);
    if rng.below(2) == 0 {
        bench.experiment.sync_latency = DurationRange { min: ms(0), max: ms(3) };
    }
    bench
}

#[test]
fn a_process_that_depends_on_nobody_takes_its_checkpoint_alone() {
    for n in [1, 2, 5] {
        let run = bench(n).workload(r#"{"transfers": 0, "snapshots": 3}"#).lockstep().run(1);
        assert_good(&run);
        assert_eq!((run.statistics.sent(), run.statistics.syncs), (0, 6));
    }
}

#[test]
fn whoever_crashes_when_no_cut_is_bad_and_no_money_is_lost() {
    let (mut restored, mut kept, mut together) = (0, 0, 0);
    for seed in 0..600 {
        let n = 2 + u32::try_from(seed % 4).unwrap();
        let run = with_random_crashes(n, seed).run(seed);
        assert_good(&run);
        restored += exercised(&run, BOUNDED_ROLLBACK);
        kept += u32::from(run.reached.contains(&"kept its state"));
        together += u32::from(run.reached.contains(&"rolled back with another"));
    }
    let all = format!("{restored} restored, {kept} kept, {together} together");
    assert!(restored > 600 && kept > 60 && together > 60, "{all}");
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
fn a_checkpoint_that_nobody_can_answer_for_is_given_up() {
    let run = bench(3).crash(2, sends(2, "CkptAnswer", 1)).run(1);
    assert_good(&run);
    assert!(run.reached.contains(&"gave up"));
}

#[test]
fn without_its_initiator_a_participant_waits_for_ever() {
    let run = bench(3).crash(0, sends(0, "CkptReq", 2)).run(1);
    assert_eq!(run.violated(), [TERMINATION.0]);
}

#[test]
fn each_mutant_violates_what_it_says() {
    for mutant in KooToueg::MUTANTS {
        let broken = (0..200).filter(|seed| {
            let run = with_random_crashes(3, *seed).mutant(mutant.name).run(*seed);
            run.violated().contains(&mutant.violates.0)
        });
        assert!(broken.count() > 0, "{}", mutant.name);
    }
}
