use ftsim_core::environment::network::Order;
use ftsim_core::{Outcome, Verdict};
use ftsim_spec::snapshot::{COMPLETE, CONSERVATION, CONSISTENT};

use ftsim_core::bench::Bench;
use ftsim_core::prelude::*;
use ftsim_protocols::checkpoint::ChandyLamport;

const LAI_YANG: &str = r#"{"variant": "lai-yang"}"#;

fn markers(n: u32) -> Bench {
    let mut bench = Bench::of::<ChandyLamport>(n);
    bench.experiment.network.default.order = Order::Fifo;
    bench
}

fn lai_yang(n: u32) -> Bench {
    Bench::of::<ChandyLamport>(n).params(LAI_YANG)
}

/// How often the premises of these properties came true over seeds in which nothing was violated.
fn exercised(bench: &Bench, id: PropertyId, seeds: u64) -> u64 {
    let judge = |outcome: &Outcome| {
        for judged in &outcome.judged {
            let good = matches!(judged.verdict, Verdict::Held | Verdict::HeldVacuously);
            assert!(good, "seed {}: {judged:?}", outcome.seed);
        }
        outcome.judged.iter().filter(|j| j.id == id).map(|j| j.exercised).sum::<u64>()
    };
    (0..seeds).map(|seed| judge(&bench.run(seed))).sum()
}

#[test]
fn a_snapshot_costs_one_marker_on_each_directed_channel() {
    for n in [2u32, 3, 5, 9] {
        let per_snapshot = u64::from(n * (n - 1));
        let workload = r#"{"snapshots": 4}"#;
        let run = markers(n).workload(workload).lockstep().run(1);
        assert_eq!(run.statistics.sent_of("Marker"), 4 * per_snapshot);
        let run = lai_yang(n).workload(workload).lockstep().run(1);
        assert_eq!(run.statistics.sent_of("Marker"), 0);
        assert_eq!(run.statistics.sent_of("Count"), 4 * per_snapshot);
    }
}

#[test]
fn a_process_alone_has_its_snapshot_at_once() {
    let run = markers(1).run(1);
    assert_eq!((run.statistics.sent(), run.violated()), (0, vec![]));
}

#[test]
fn whatever_the_delays_no_money_is_made_or_lost() {
    let workload = r#"{"snapshots": 4, "transfers": 30, "every": "0ms..3ms"}"#;
    for n in 2..6 {
        for bench in [markers(n), lai_yang(n)] {
            let bench = bench.workload(workload);
            assert_eq!(exercised(&bench, CONSERVATION, 100), 400);
            assert!(exercised(&bench, COMPLETE, 20) > 20, "too little was under way");
        }
    }
}

#[test]
fn without_fifo_markers_are_overtaken() {
    let bench = Bench::of::<ChandyLamport>(3);
    let broken = (0..100).filter(|seed| bench.run(*seed).violated().contains(&CONSISTENT.0));
    assert!(broken.count() > 10);
}

#[test]
fn each_mutant_violates_what_it_says() {
    for (mutant, id) in [("late-marker", CONSISTENT), ("no-channel-state", COMPLETE)] {
        let bench = markers(3).mutant(mutant);
        let broken = (0..50).filter(|seed| bench.run(*seed).violated().contains(&id.0));
        assert!(broken.count() > 0, "{mutant}");
    }
}
