use ftsim_core::fault::{InFlight, Trigger};
use ftsim_core::rng::{Rng, Stream};
use ftsim_core::{Instant, Judged};

use ftsim_core::bench::Bench;
use ftsim_core::prelude::*;
use ftsim_protocols::checkpoint::Cic;
use ftsim_spec::snapshot::{BOUNDED_ROLLBACK, CONSERVATION, CONSISTENT, REACHABLE};

use crate::recovery::{assert_good, crash_and_return, crash_at_random, exercised};

fn bench(n: u32) -> Bench {
    let mut bench = Bench::of::<Cic>(n).check(CONSERVATION).check(REACHABLE);
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(5);
    bench
}

/// Up to six crashes, each after some effect or at some time; all processes recover.
fn with_random_crashes(n: u32, seed: u64) -> Bench {
    let mut rng = Rng::new(seed, Stream::Faults);
    let bench = bench(n).workload(r#"{"snapshots": 5, "transfers": 20}"#);
    crash_at_random(bench, n, &mut rng, &[InFlight::Keep])
}

#[test]
fn whoever_crashes_when_no_line_is_bad_and_no_money_is_lost() {
    let mut received = 0;
    for seed in 0..300 {
        let n = 2 + u32::try_from(seed % 4).unwrap();
        for params in [r#"{"every": 1}"#, r#"{"every": 4}"#] {
            let run = with_random_crashes(n, seed).params(params).run(seed);
            assert_good(&run);
            received += exercised(&run, CONSISTENT);
        }
    }
    assert!(received > 1000, "only {received} receipts in recovery lines");
}

#[test]
fn each_mutant_violates_what_it_says() {
    for mutant in Cic::MUTANTS {
        let broken = (0..200).filter(|seed| {
            let run = with_random_crashes(3, *seed).mutant(mutant.name).run(*seed);
            run.violated().contains(&mutant.violates.0)
        });
        assert!(broken.count() > 0, "{}", mutant.name);
    }
}

/// However long two processes repeat "receive, take a checkpoint, send", which costs those of
/// `uncoordinated-ckpt` all their checkpoints (Randell): no more than one is lost.
#[test]
fn there_is_no_domino_effect() {
    for k in 2..12u64 {
        let pay = |i: u64| {
            let (from, to) = if i.is_multiple_of(2) { ("p0", "p1") } else { ("p1", "p0") };
            let at = 20 + 20 * i;
            format!(r#"{{"at": "{at}ms", "from": "{from}", "to": "{to}", "amount": 1}}"#)
        };
        let first = r#"{"at": "0ms", "from": "p2", "to": "p1", "amount": 1}"#.to_owned();
        let script: Vec<_> = std::iter::once(first).chain((0..2 * k).map(pay)).collect();
        let script = script.join(", ");
        let workload = format!(r#"{{"transfers": 0, "snapshots": 0, "scripted": [{script}]}}"#);
        let end = Trigger::At(Instant::ZERO + Duration::from_millis(40 * k + 40));
        let bench = bench(3).workload(&workload).params(r#"{"every": 2}"#).check(BOUNDED_ROLLBACK);
        let run = crash_and_return(bench, 1, end, Duration::from_millis(5), InFlight::Keep)
            .lockstep()
            .run(1);
        assert_good(&run);
        let of = |judged: &&Judged| judged.id == BOUNDED_ROLLBACK;
        let lost = run.judged.iter().find(of).and_then(|judged| judged.measured);
        assert!(lost <= Some(1.0), "{lost:?}");
    }
}
