use ftsim_core::bench::{Bench, Run, STEP};
use ftsim_core::fault::Trigger;
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{Duration, Instant};
use ftsim_protocols::broadcast::Gossip;
use ftsim_spec::dissemination::{AGREEMENT, COVERAGE};

use crate::confidence::Mean;

const NONE: [&str; 0] = [];

/// Every message takes one step.
fn gossip(n: u32, params: &str) -> Bench {
    Bench::of::<Gossip>(n).params(params).lockstep()
}

fn infect_and_die(n: u32, fanout: u32) -> Bench {
    gossip(n, &format!(r#"{{"mode": "infect-and-die", "fanout": {fanout}}}"#))
}

/// For each step, the number of processes that have delivered by then.
fn informed(run: &Run) -> Vec<u64> {
    let step = |steps: u64| usize::try_from(steps).expect("few steps");
    let mut counts = vec![0; step(run.steps()) + 1];
    for entry in &run.trace.entries {
        let is_delivery =
            matches!(&entry.what, TraceEvent::Indicate { what, .. } if what.starts_with("Deliver"));
        counts[step(entry.at.as_nanos() / STEP.as_nanos())] += u64::from(is_delivery);
    }
    for i in 1..counts.len() {
        counts[i] += counts[i - 1];
    }
    counts
}

/// The s < 1 with s = e^(−c(1 − s)), for c > 1.
fn residue(c: f64) -> f64 {
    (0..1_000).fold(0.0, |s: f64, _| (-c * (1.0 - s)).exp())
}

#[test]
fn the_solutions_are_those_of_the_literature() {
    let known = [(2.0, 0.203), (3.0, 0.060), (4.0, 0.020), (5.0, 0.007)];
    assert!(known.iter().all(|(c, s)| (residue(*c) - s).abs() < 0.0005));
}

#[test]
fn a_message_that_reaches_all_costs_n_k_r() {
    for (n, fanout, rounds) in [(2, 1, 3), (5, 4, 1), (9, 3, 8), (50, 4, 10), (50, 10, 4)] {
        let params = format!(r#"{{"fanout": {fanout}, "rounds": {rounds}}}"#);
        let run = gossip(n, &params).check(AGREEMENT).run(1);
        assert_eq!(run.violated(), NONE);
        assert_eq!(run.statistics.sent(), u64::from(n * fanout * rounds));
    }
    // No process calls itself, or another twice in a round.
    assert_eq!(infect_and_die(5, 9).run(1).statistics.sent(), 5 * 4);
    assert_eq!(infect_and_die(5, 9).run(1).steps(), 2);
    assert_eq!(infect_and_die(1, 9).run(1).statistics.sent(), 0);
}

/// The number of steps in which `push` to one process in a round reaches all.
fn rounds_to_all(n: u32, seeds: u64) -> Mean {
    let mut bench = gossip(n, r#"{"fanout": 1, "rounds": 50}"#);
    bench.experiment.limits.horizon = Instant::ZERO + STEP.times(30);
    Mean::of((0..seeds).map(|seed| {
        let informed = informed(&bench.run(seed));
        assert_eq!(informed.last(), Some(&u64::from(n)), "seed {seed}");
        informed.iter().take_while(|count| **count < u64::from(n)).count() as f64
    }))
}

#[test]
fn push_reaches_all_after_log2_n_plus_ln_n_rounds() {
    let (small, large) = (rounds_to_all(64, 150), rounds_to_all(512, 150));
    // The O(1) of Pittel: by Doerr and Künnemann (2014) the mean is at most 1.2 below and, with
    // log2 n rounded up, 2.8 above.
    for (n, mean) in [(64.0_f64, small), (512.0, large)] {
        let excess = mean.mean - n.log2() - n.ln();
        assert!((-1.2..2.8).contains(&excess), "n = {n}: {mean:?}");
    }
    // The constant cancels out when n grows eightfold, and the two logarithms stay.
    let growth = large.minus(small);
    let eight = 8.0_f64;
    assert!(growth.admits(eight.log2() + eight.ln()), "{growth:?}");
    assert!(!growth.admits(2.0 * eight.log2()), "{growth:?}");
    assert!(!growth.admits(2.0 * eight.ln()), "{growth:?}");
}

/// The growth from round to round: how far the sum of the processes that each round misses is from
/// its expectation, in standard deviations, if a round misses each with a probability that depends
/// on the number that it begins with.
fn deviation(bench: &Bench, round: usize, missed: impl Fn(f64) -> f64) -> f64 {
    let (mut difference, mut variance) = (0.0, 0.0);
    for seed in 0..30 {
        let run = bench.run(seed);
        let n = run.correct.len() as f64;
        let left = informed(&run).into_iter().step_by(round).map(|count| n - count as f64);
        let left: Vec<f64> = left.collect();
        for pair in left.windows(2) {
            let p = missed(pair[0]);
            difference += pair[1] - pair[0] * p;
            variance += pair[0] * p * (1.0 - p);
        }
    }
    difference / variance.sqrt()
}

#[test]
fn a_round_of_push_leaves_a_constant_share_and_one_of_pull_its_square() {
    let n = 300;
    let others = f64::from(n) - 1.0;
    let push = |left: f64| (1.0 - 1.0 / others).powf(others + 1.0 - left);
    let pull = |left: f64| (left - 1.0) / others;
    let mut pushing = gossip(n, r#"{"fanout": 1, "rounds": 50}"#);
    pushing.experiment.limits.horizon = Instant::ZERO + STEP.times(25);
    // A round of two steps: question and answer.
    let params = r#"{"mode": "pull", "fanout": 1, "rounds": 50, "period": "20ms"}"#;
    let mut pulling = gossip(n, params);
    pulling.experiment.limits.horizon = Instant::ZERO + STEP.times(40);
    // Not exactly normal, since the choices of processes in a round are made without replacement.
    assert!(deviation(&pushing, 1, push).abs() < 4.0);
    assert!(deviation(&pulling, 2, pull).abs() < 4.0);
    assert!(deviation(&pushing, 1, pull).abs() > 10.0);
    assert!(deviation(&pulling, 2, push).abs() > 10.0);
}

/// Asserts that the mean share that is missed solves s = e^(−c(1 − s)), and that a c that is a
/// tenth greater or less does not fit. `infected` counts the processes that a run has reached.
fn assert_residue(bench: &Bench, c: f64, infected: impl Fn(&ftsim_core::Outcome) -> u64) {
    let n = f64::from(bench.experiment.setting.n);
    let mut runner = bench.runner();
    let share = |seed| 1.0 - infected(&runner.run(seed)) as f64 / n;
    // The formula is of the limit; what is left out is of the order of 1/n.
    let missed = Mean::of((0..300).map(share)).allowing(2.0 / n);
    assert!(missed.admits(residue(c)), "{missed:?} for {}", residue(c));
    assert!(!missed.admits(residue(c * 1.1)), "{missed:?}");
    assert!(!missed.admits(residue(c * 0.9)), "{missed:?}");
}

#[test]
fn infect_and_die_misses_the_share_s_that_is_e_to_the_minus_k_times_1_minus_s() {
    for k in [2, 3, 4] {
        let bench = infect_and_die(1_000, k);
        // Whoever is reached sends k messages.
        assert_residue(&bench, f64::from(k), |run| run.statistics.sent_of("Data") / u64::from(k));
    }
}

#[test]
fn losing_interest_after_telling_in_vain_misses_as_if_it_had_one_target_more() {
    for k in [1, 2, 3] {
        // The answer comes before the next round. Then each message finds a process new or not
        // with the probability of that instant, whoever sends it and when, as in Demers' equation.
        let params =
            format!(r#"{{"stop": "feedback-coin", "k": {k}, "fanout": 1, "period": "30ms"}}"#);
        // Each message but those in vain has reached a process, and the sender knew it.
        let infected = |run: &ftsim_core::Outcome| {
            1 + run.statistics.sent_of("Data") - run.statistics.sent_of("Known")
        };
        assert_residue(&gossip(1_000, &params), f64::from(k + 1), infected);
    }
}

#[test]
fn ln_n_plus_c_targets_reach_all_with_probability_e_to_the_minus_e_to_the_minus_c() {
    for k in [6, 7] {
        let n = 500;
        let mut runner = infect_and_die(n, k).runner();
        let (runs, sent) = (400, u64::from(n * k));
        let hits = (0..runs).filter(|seed| runner.run(*seed).statistics.sent() == sent).count();
        // Targets are distinct, so that the limit is approached from below, with k²/2n.
        let all = Mean::of_share(hits as u64, runs).allowing(0.02);
        let limit = |k: f64| (-(f64::from(n).ln() - k).exp()).exp();
        let k = f64::from(k);
        assert!(all.admits(limit(k)), "{all:?} for {}", limit(k));
        assert!(!all.admits(limit(k + 0.75)), "{all:?}");
        assert!(!all.admits(limit(k - 0.75)), "{all:?}");
    }
}

#[test]
fn by_default_a_message_reaches_nine_of_ten_whoever_crashes_below_half() {
    // The first questions of `pull` are a round late.
    for (mode, rounds) in [("push", 10), ("pull", 11), ("push-pull", 10)] {
        let params = format!(r#"{{"mode": "{mode}", "rounds": {rounds}}}"#);
        for n in [1, 2, 6, 25] {
            let bench = gossip(n, &params).workload(r#"{"broadcasts": 2}"#);
            let mut bench = bench.random_crashes((n - 1) / 2, "0ms..50ms");
            bench.experiment.limits.horizon = Instant::ZERO + STEP.times(60);
            let violated = bench.violated_in(0..60);
            assert!(violated.iter().all(Vec::is_empty), "{mode} {n}: {violated:?}");
        }
    }
}

#[test]
fn nothing_is_promised_if_questions_come_too_late() {
    let promises = |rounds: u32| {
        let params = format!(r#"{{"mode": "pull", "rounds": {rounds}}}"#);
        let mut bench = Bench::of::<Gossip>(20).params(&params).delay(Duration::from_millis(200));
        bench.experiment.limits.horizon = Instant::ZERO + Duration::from_secs(5);
        let run = bench.run(1);
        assert_eq!(run.violated(), NONE, "{rounds} rounds");
        run.judged.iter().any(|judged| judged.id == COVERAGE)
    };
    // The first question comes after 210 ms, when a message is no longer told.
    assert!(!promises(10));
    assert!(promises(30));
}

#[test]
fn several_messages_spread_at_once() {
    for mode in ["push", "pull", "push-pull"] {
        let params = format!(r#"{{"mode": "{mode}"}}"#);
        let bench = gossip(12, &params).check(AGREEMENT);
        let workload = r#"{"senders": ["p0", "p3", "p7"], "broadcasts": 3, "every": "15ms"}"#;
        let mut bench = bench.workload(workload);
        bench.experiment.limits.horizon = Instant::ZERO + STEP.times(60);
        let run = bench.run(1);
        assert_eq!(run.violated(), NONE);
        assert_eq!(informed(&run).last(), Some(&(12 * 9)));
    }
}

#[test]
fn a_few_messages_that_go_astray_miss_a_correct_process() {
    // Expected in 1 − e^(−e^(−c)) of the runs; here with c = 4 − ln 20 in a third of them.
    let bench = infect_and_die(20, 4).check(AGREEMENT);
    let missed = bench.violated_in(0..100).iter().filter(|v| **v == ["rb.agreement"]).count();
    assert!((15..55).contains(&missed), "{missed}");
}

#[test]
fn each_mutant_breaks_what_it_says_and_nothing_else() {
    let violated = |mutant: &str| gossip(30, "{}").mutant(mutant).run(1).violated();
    assert_eq!(violated("no-dedup"), ["rb.no-duplication"]);
    assert_eq!(violated("ttl-1"), ["gossip.coverage"]);
    assert_eq!(violated("relay-as-own"), ["rb.no-creation"]);
}

#[test]
fn a_promise_beyond_what_fits_the_parameters_is_not_kept() {
    let params = r#"{"mode": "infect-and-die", "fanout": 2, "coverage": 0.9}"#;
    assert_eq!(gossip(300, params).run(1).violated(), ["gossip.coverage"]);
    let params = r#"{"mode": "infect-and-die", "fanout": 2}"#;
    let unpromised = gossip(300, params).check(COVERAGE).run(1);
    assert_eq!(unpromised.violated(), NONE);
}

#[test]
fn with_nine_of_ten_crashed_a_message_may_reach_nobody() {
    let crashes = |bench: Bench, p| bench.crash(p, Trigger::At(Instant::ZERO));
    let params = r#"{"fanout": 4, "rounds": 1, "coverage": 0.9}"#;
    let bench = (1..45).fold(gossip(50, params), crashes);
    let violated = bench.violated_in(0..50).iter().filter(|v| **v == ["gossip.coverage"]).count();
    assert!(violated > 25, "{violated}");
}

#[test]
fn a_process_that_knows_one_message_is_small() {
    assert!(size_of::<Gossip>() <= 64, "{}", size_of::<Gossip>());
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let refused = |params: &str| gossip(3, params).refused().map(|invalid| invalid.key);
    assert_eq!(refused(r#"{"fanout": 0}"#).as_deref(), Some("params.fanout"));
    assert_eq!(refused(r#"{"rounds": 0}"#).as_deref(), Some("params.rounds"));
    assert_eq!(refused(r#"{"k": 0}"#).as_deref(), Some("params.k"));
    assert_eq!(refused(r#"{"period": "0ms"}"#).as_deref(), Some("params.period"));
    assert_eq!(refused(r#"{"coverage": 1.5}"#).as_deref(), Some("params.coverage"));
    let pull = r#"{"mode": "pull", "stop": "blind-coin"}"#;
    assert_eq!(refused(pull).as_deref(), Some("params.stop"));
}
