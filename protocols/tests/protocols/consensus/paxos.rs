//! What a ballot costs, and what is chosen whatever happens. The mutants have their scenarios.

use std::collections::BTreeSet;

use ftsim_core::bench::{Bench, Run, sends};
use ftsim_core::environment::delay::Delay;
use ftsim_core::fault::Trigger;
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{Duration, Instant};
use ftsim_protocols::consensus::Paxos;

const NOTHING: [&str; 0] = [];

fn one_proposer(n: u32) -> Bench {
    Bench::of::<Paxos>(n).workload(r#"{"proposers": ["p0"], "proposals": [7]}"#).lockstep()
}

/// The steps after which processes decide, in order.
fn decision_steps(run: &Run) -> Vec<u64> {
    let decides = |event: &TraceEvent| match event {
        TraceEvent::Indicate { what, .. } => what.starts_with("Decide"),
        _ => false,
    };
    let entries = run.trace.entries.iter().filter(|entry| decides(&entry.what));
    entries.map(|entry| entry.at.as_nanos() / ftsim_core::bench::STEP.as_nanos()).collect()
}

#[test]
fn one_proposer_needs_5_times_n_minus_1_messages_and_4_steps_and_a_learner_one_more() {
    for n in [2, 3, 5, 9] {
        let run = one_proposer(n).run(1);
        assert_eq!(run.violated(), NOTHING);
        let others = u64::from(n - 1);
        for kind in ["Prepare", "Promise", "Accept", "Accepted", "Decide"] {
            assert_eq!(run.statistics.sent_of(kind), others, "{kind}, n = {n}");
        }
        assert_eq!(run.statistics.sent(), 5 * others);
        let steps = decision_steps(&run);
        assert_eq!(steps[0], 4);
        assert_eq!(steps[1..], vec![5; n as usize - 1]);
        // The ballot, and each acceptor's two responses.
        assert_eq!(run.statistics.syncs, u64::from(2 * n + 1));
    }
}

#[test]
fn alone_it_decides_at_once() {
    let run = one_proposer(1).run(1);
    assert_eq!((run.statistics.sent(), decision_steps(&run)), (0, vec![0]));
    assert_eq!(run.violated(), NOTHING);
}

#[test]
fn of_ballots_that_begin_together_the_highest_wins_at_once() {
    let run = Bench::of::<Paxos>(5).lockstep().run(1);
    assert_eq!(run.violated(), NOTHING);
    assert_eq!(decision_steps(&run), [4, 5, 5, 5, 5]);
}

/// Every message takes its time, and some are lost or doubled until the network is stable.
fn unstable(n: u32) -> Bench {
    let mut bench = Bench::of::<Paxos>(n).workload(r#"{"draw_below": 5, "at": "0ms..100ms"}"#);
    let network = &mut bench.experiment.network;
    network.default.delay = Delay::Uniform("1ms..100ms".parse().expect("a range"));
    network.bound = Duration::from_millis(10);
    network.stabilise_at = Some(Instant::ZERO + Duration::from_secs(1));
    bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(30);
    bench
}

#[test]
fn any_number_may_crash_and_recover_at_any_time() {
    let mut reached = BTreeSet::new();
    for seed in 0..1_500u32 {
        let n = 1 + seed % 6;
        let mut bench = unstable(n).random_crashes(n, "0ms..600ms").recovering("1ms..200ms");
        let random = bench.experiment.random.as_mut().expect("random crashes");
        random.kinds[0].occurrence.count.max = 2 * n;
        let run = bench.run(seed.into());
        assert_eq!(run.violated(), NOTHING, "seed {seed}");
        reached.extend(run.reached.iter().copied());
    }
    assert_eq!(
        reached.into_iter().collect::<Vec<_>>(),
        ["abandoned a proposal", "has nothing to propose"]
    );
}

#[test]
fn a_minority_may_stay_down() {
    for seed in 0..600u32 {
        let n = 3 + seed % 4;
        let run = unstable(n).random_crashes(n.div_ceil(2) - 1, "0ms..600ms").run(seed.into());
        assert_eq!(run.violated(), NOTHING, "seed {seed}");
    }
}

#[test]
fn without_a_majority_nobody_decides_and_nothing_else_is_violated() {
    for n in [2u32, 3, 4, 5] {
        let down = n.div_ceil(2);
        let crash = |bench: Bench, p| bench.crash(p, Trigger::At(Instant::from_nanos(1)));
        let run = (n - down..n).fold(unstable(n), crash).run(1);
        assert_eq!(run.violated(), ["cons.termination"], "n = {n}");
        assert!(decision_steps(&run).is_empty());
    }
}

#[test]
fn whoever_is_left_decides_what_was_chosen() {
    // p0 crashes after its first ACCEPT to another: p1 alone has accepted 0.
    for n in [3, 4, 5] {
        let run = Bench::of::<Paxos>(n)
            .workload(r#"{"proposers": ["p0", "p2"]}"#)
            .lockstep()
            .crash(0, sends(0, "Accept", 1))
            .run(1);
        assert_eq!(run.violated(), NOTHING);
    }
}
