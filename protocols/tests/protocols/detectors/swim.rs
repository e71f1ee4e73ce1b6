use ftsim_core::bench::{Bench, Run};
use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::network::Loss;
use ftsim_core::fault::Trigger;
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::prelude::*;
use ftsim_core::{Instant, Probability};
use ftsim_protocols::detectors::Swim;

use crate::confidence::Mean;

const NONE: [&str; 0] = [];
/// The period in milliseconds; a message takes 10.
const PERIOD_MS: u64 = 75;

fn at(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

/// Ends one millisecond after so many periods: nothing that is sent then has arrived.
fn bench(n: u32, params: &str, periods: u64) -> Bench {
    let mut bench = Bench::of::<Swim>(n).params(params).lockstep();
    bench.experiment.limits.horizon = at(periods * PERIOD_MS + 1);
    bench
}

fn lossy(mut bench: Bench, loss: f64) -> Bench {
    let loss = Probability::new(loss).expect("a probability");
    bench.experiment.network.default.loss = Loss::Independent(loss);
    bench
}

/// Until a second has passed, messages take up to 400 ms and two of five are lost.
fn bad_until_a_second(mut bench: Bench) -> Bench {
    let network = &mut bench.experiment.network;
    let (mean, cap) = (Duration::from_millis(15), Duration::from_millis(400));
    network.default.delay = Delay::Exponential { mean, cap };
    network.stabilise_at = Some(at(1_000));
    lossy(bench, 0.4)
}

/// The time of each suspicion.
fn suspicions(run: &Run) -> Vec<Instant> {
    let told = |what: &TraceEvent| match what {
        TraceEvent::Indicate { what, .. } => what.starts_with("Suspect"),
        _ => false,
    };
    run.trace.entries.iter().filter(|e| told(&e.what)).map(|e| e.at).collect()
}

/// The periods in which p0 pings p1, from 0.
fn pings(run: &Run) -> Vec<u64> {
    let is_ping = |what: &TraceEvent| match what {
        TraceEvent::Send { to: ProcessId(1), kind, .. } => kind == "Ping",
        _ => false,
    };
    let of_p0 = run.trace.entries.iter().filter(|e| e.process == Some(ProcessId(0)));
    of_p0.filter(|e| is_ping(&e.what)).map(|e| e.at.as_nanos() / 1_000_000 / PERIOD_MS).collect()
}

#[test]
fn a_quiet_period_costs_two_messages_a_member() {
    for target in ["random", "round-robin"] {
        for n in [1, 2, 3, 9, 30] {
            let mut bench = bench(n, &format!(r#"{{"target": "{target}"}}"#), 10);
            bench.experiment.limits.horizon = at(10 * PERIOD_MS - 1);
            let run = bench.run(1);
            let expected = if n == 1 { 0 } else { 10 * u64::from(n) };
            assert_eq!(run.statistics.sent_of("Ping"), expected);
            assert_eq!(run.statistics.sent_of("Ack"), expected);
            assert_eq!(run.statistics.sent(), 2 * expected);
            assert_eq!(run.violated(), NONE);
        }
    }
}

#[test]
fn a_probe_that_fails_costs_at_most_4k_plus_2() {
    for k in [0, 1, 3, 5] {
        // The ACK is late: two messages, and four for each of k helpers.
        let params = format!(r#"{{"indirect": {k}, "ping_timeout": "15ms"}}"#);
        let mut late = bench(8, &params, 1);
        late.experiment.limits.horizon = at(PERIOD_MS - 1);
        let run = late.run(1);
        assert_eq!(run.statistics.sent(), 8 * (4 * k + 2));
        assert_eq!(suspicions(&run), []);
    }
}

#[test]
fn a_probe_of_a_crashed_member_costs_2k_plus_1() {
    for k in [1, 3, 5] {
        let mut bench = bench(8, &format!(r#"{{"indirect": {k}}}"#), 30);
        bench.experiment.limits.horizon = at(30 * PERIOD_MS - 1);
        // p1 has probed once, and answered once or more.
        let run = bench.crash(1, Trigger::At(at(30))).run(1);
        let failed = run.statistics.sent_of("PingReq") / k;
        assert!(failed >= 7 * 4, "seven members, four rounds: {failed}");
        let succeeded = 30 * 7 + 1 - failed;
        assert_eq!(run.statistics.sent(), 2 * succeeded + (2 * k + 1) * failed);
        assert_eq!(run.violated(), NONE);
    }
}

#[test]
fn some_member_probes_the_crashed_one_with_the_probability_of_the_paper() {
    for n in [3, 5, 20] {
        // The first detection is one of the first 12 periods, in all but one run in 10^5.
        let bench = bench(n, r#"{"target": "random"}"#, 12);
        let bench = bench.crash(0, Trigger::At(Instant::ZERO));
        let first = |seed| {
            let first = suspicions(&bench.run(seed))[0].as_nanos() / 1_000_000;
            first.div_ceil(PERIOD_MS)
        };
        let firsts: Vec<u64> = (0..600).map(first).collect();
        let others = f64::from(n - 1);
        let p = 1.0 - (1.0 - 1.0 / others).powf(others);
        let hits = firsts.iter().filter(|period| **period == 1).count() as u64;
        let share = Mean::of_share(hits, 600);
        assert!(share.admits(p), "n = {n}: {share:?} for {p}");
        assert!(!share.admits(1.0 / others.max(3.0)), "n = {n}: {share:?}");
        let mean = Mean::of(firsts.iter().map(|period| *period as f64));
        assert!(mean.admits(1.0 / p), "n = {n}: {mean:?} for {}", 1.0 / p);
        assert!(!mean.admits(2.0), "n = {n}: {mean:?}");
        if n == 20 {
            let e = std::f64::consts::E;
            assert!(mean.admits(e / (e - 1.0)), "the limit, and {mean:?}");
        }
    }
}

#[test]
fn round_robin_probes_a_member_again_within_2m_minus_1_periods() {
    for n in [2_u32, 4, 6] {
        let most = 2 * u64::from(n - 1) - 1;
        let mut longest = 0;
        for seed in 0..40 {
            let pings = pings(&bench(n, "{}", 40).run(seed));
            assert!(pings[0] < u64::from(n - 1));
            let gaps = pings.windows(2).map(|pair| pair[1] - pair[0]);
            longest = gaps.max().unwrap_or(0).max(longest);
        }
        // The paper says 2n − 1, and counts the member itself.
        assert_eq!(longest, most);
    }
}

#[test]
fn a_crash_is_detected_by_each_within_2m_periods() {
    for seed in 0..200 {
        let params = r#"{"suspicion_timeout": "400ms", "lambda": 0}"#;
        let mut bench = bench(5, params, 30).random_crashes(4, "0ms..1s");
        let within = "1ms..10ms".parse().expect("a range");
        bench.experiment.network.default.delay = Delay::Uniform(within);
        assert_eq!(bench.run(seed).violated(), NONE, "seed {seed}");
    }
}

/// The share of first probes, with nobody down, that fail.
fn failing(indirect: u32, loss: f64) -> Mean {
    let params = format!(r#"{{"indirect": {indirect}, "lambda": 0}}"#);
    let bench = lossy(bench(8, &params, 1), loss);
    let (runs, probes) = (250, 250 * 8);
    Mean::of_share((0..runs).map(|seed| suspicions(&bench.run(seed)).len() as u64).sum(), probes)
}

#[test]
fn a_probe_of_a_member_that_is_up_fails_less_often_with_helpers() {
    let loss = 0.3;
    let q = 1.0_f64 - loss;
    for k in [0, 1, 3] {
        let fails = |k: u32| (1.0 - q.powi(2)) * (1.0 - q.powi(4)).powi(k as i32);
        let measured = failing(k, loss);
        assert!(measured.admits(fails(k)), "k = {k}: {measured:?} for {}", fails(k));
        assert!(!measured.admits(fails(k + 1)), "k = {k}: {measured:?}");
        // An indirect ping takes four messages, not two.
        let two = (1.0 - q.powi(2)).powi(k as i32 + 1);
        assert_eq!(measured.admits(two), k == 0, "k = {k}: {measured:?}");
    }
}

#[test]
fn helpers_make_up_for_a_lossy_direct_link() {
    let wrong = |indirect: u32| {
        let params = format!(r#"{{"indirect": {indirect}}}"#);
        let mut bench = bench(4, &params, 10);
        let mut link = bench.experiment.network.default.clone();
        link.loss = Loss::Independent(Probability::new(0.5).expect("a probability"));
        for (from, to) in [(0, 1), (1, 0)] {
            let ends = (ProcessId(from), ProcessId(to));
            bench.experiment.network.overrides.push((ends, link.clone()));
        }
        let hit = |seed: &u64| !suspicions(&bench.run(*seed)).is_empty();
        Mean::of_share((0..100).filter(hit).count() as u64, 100)
    };
    let (without, with) = (wrong(0), wrong(2));
    let difference = without.minus(with);
    assert!(difference.mean > difference.half_width, "{without:?} against {with:?}");
    assert_eq!(with.mean, 0.0);
}

#[test]
fn once_the_network_is_stable_suspicions_of_the_correct_end() {
    for target in ["random", "round-robin"] {
        for lambda in [0, 3] {
            let params = format!(r#"{{"target": "{target}", "lambda": {lambda}}}"#);
            let bench = bad_until_a_second(bench(5, &params, 100));
            for (seed, violated) in (0..60).zip(bench.violated_in(0..60)) {
                assert_eq!(violated, NONE, "{target}, λ = {lambda}, seed {seed}");
            }
            let bench = bench.random_crashes(4, "0ms..2s");
            for (seed, violated) in (0..60).zip(bench.violated_in(0..60)) {
                assert_eq!(violated, NONE, "{target}, λ = {lambda}, seed {seed}");
            }
        }
    }
}

#[test]
fn a_confirmation_on_lossy_links_is_wrong_for_good_and_less_often_with_a_longer_timeout() {
    let wrong = |timeout_ms: u64| {
        let params = format!(r#"{{"suspicion_timeout": "{timeout_ms}ms", "indirect": 1}}"#);
        // In the second half nothing is lost: only what was confirmed before is still wrong.
        let mut bench = lossy(bench(6, &params, 200), 0.1);
        bench.experiment.network.stabilise_at = Some(at(100 * PERIOD_MS));
        let violated = bench.violated_in(0..60);
        let known = |v: &&Vec<&str>| **v == ["fd.eventual-strong-accuracy"];
        violated.iter().filter(known).count()
    };
    let (short, long) = (wrong(200), wrong(3_000));
    assert!(short > 30 && long < short / 4, "{short} against {long}");
}

#[test]
fn each_mutant_breaks_what_it_says_and_keeps_the_rest() {
    let no_incarnation = bad_until_a_second(bench(5, "{}", 100)).mutant("no-incarnation");
    assert_eq!(no_incarnation.run(1).violated(), ["fd.eventual-strong-accuracy"]);
    let relay = bench(4, "{}", 40).crash(0, Trigger::At(at(100))).mutant("relay-vouches");
    assert_eq!(relay.run(1).violated(), ["fd.strong-completeness", "fd.weak-completeness"]);
    let params = r#"{"suspicion_timeout": "400ms", "lambda": 0}"#;
    let anew = bench(4, params, 60).crash(0, Trigger::At(at(100))).mutant("draws-anew");
    let violated = anew.violated_in(0..40);
    assert!(violated.iter().any(|v| *v == ["fd.detection-time"]), "{violated:?}");
    assert!(violated.iter().all(|v| v.is_empty() || *v == ["fd.detection-time"]), "{violated:?}");
}

#[test]
fn what_it_claims_follows_from_its_timeouts() {
    let claims = |json: &str| {
        let params = serde_json::from_str(json).expect("parameters");
        Swim::claims(&params, &Setting::of(3)).iter().map(|id| id.0).collect::<Vec<_>>()
    };
    let eventual = ["fd.strong-completeness", "fd.eventual-strong-accuracy"];
    assert_eq!(claims("{}"), eventual);
    assert_eq!(claims(r#"{"ping_timeout": "20ms"}"#), eventual[..1]);
    let bounded = [eventual[0], eventual[1], "fd.detection-time"];
    let confirms = r#"{"ping_timeout": "20ms", "suspicion_timeout": "1s"}"#;
    assert_eq!(claims(confirms), bounded);
    let random = r#"{"suspicion_timeout": "1s", "target": "random"}"#;
    assert_eq!(claims(random), eventual);
    let refused = |params: &str| bench(3, params, 1).refused().map(|invalid| invalid.key);
    assert_eq!(refused(r#"{"ping_timeout": "0ms"}"#).as_deref(), Some("params.ping_timeout"));
    assert_eq!(refused(r#"{"period": "25ms"}"#).as_deref(), Some("params.ping_timeout"));
}
