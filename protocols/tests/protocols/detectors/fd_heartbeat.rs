use ftsim_core::bench::{Bench, Run, STEP, sends};
use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::message_rule::{Fate, MessageRule};
use ftsim_core::environment::network::Loss;
use ftsim_core::fault::{Action, Fault, Trigger};
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::prelude::*;
use ftsim_core::{Instant, Probability};
use ftsim_protocols::detectors::FdHeartbeat;
use ftsim_spec::detector::STRONG_ACCURACY;

const NONE: [&str; 0] = [];

fn at(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// η = 40 ms, δ = 10 ms.
fn bench(n: u32, params: &str, horizon_ms: u64) -> Bench {
    let mut bench = Bench::of::<FdHeartbeat>(n).params(params);
    bench.experiment.limits.horizon = at(horizon_ms);
    bench
}

/// Time, observer and text of the suspicions, or of the restorations of trust.
fn indications(run: &Run, kind: &str) -> Vec<(Instant, ProcessId, String)> {
    let told = |e: &ftsim_core::outcome::trace::Entry| match &e.what {
        TraceEvent::Indicate { what, .. } if what.starts_with(kind) => {
            Some((e.at, e.process?, what.clone()))
        }
        _ => None,
    };
    run.trace.entries.iter().filter_map(told).collect()
}

#[test]
fn a_period_costs_n_times_n_minus_1_messages_and_twice_that_if_asked_for() {
    for n in [1, 2, 3, 5, 9] {
        let each = u64::from(n * (n - 1));
        // Beats at 0, 40, 80 and 120 ms, and all their answers.
        let run = bench(n, "{}", 159).lockstep().run(1);
        assert_eq!(run.statistics.sent(), 4 * each);
        let pull = r#"{"mode": "pull", "timeout": "60ms"}"#;
        let run = bench(n, pull, 159).lockstep().run(1);
        assert_eq!(run.statistics.sent_of("Request"), 4 * each);
        assert_eq!(run.statistics.sent_of("Heartbeat"), 4 * each);
        assert_eq!(run.violated(), NONE);
    }
}

#[test]
fn detection_takes_the_timeout_and_one_delay_after_the_last_heartbeat() {
    for n in [2, 3, 5] {
        for timeout in [50, 70, 120] {
            let params = format!(r#"{{"timeout": "{timeout}ms"}}"#);
            // p0 dies right after its third round of heartbeats, at 80 ms.
            let last = sends(0, "Heartbeat", 3 * (u64::from(n) - 1));
            let run = bench(n, &params, 400).lockstep().crash(0, last).run(1);
            assert_eq!(run.violated(), NONE);
            let detected = at(80) + millis(timeout) + STEP;
            let suspicions = indications(&run, "Suspect");
            assert_eq!(suspicions.len(), n as usize - 1);
            assert!(suspicions.iter().all(|(at, ..)| *at == detected), "{suspicions:?}");
        }
    }
}

#[test]
fn a_timeout_of_a_period_and_a_delay_never_errs_and_a_shorter_one_does() {
    // Heartbeats arrive at 0, 50, 80, 130, ..: fast and slow in turn.
    let gaps = |timeout: &str| {
        let mut bench = bench(2, &format!(r#"{{"timeout": "{timeout}"}}"#), 2_000);
        bench.experiment.overrides = fast_and_slow(25);
        bench.check(STRONG_ACCURACY).run(1)
    };
    assert_eq!(gaps("50ms").violated(), NONE);
    assert_eq!(gaps("49.999999ms").violated(), ["fd.strong-accuracy"]);
}

/// Both processes' heartbeats take no time and the full δ in turn.
fn fast_and_slow(pairs: u64) -> Vec<MessageRule> {
    let link = |from, to| {
        (1..=2 * pairs).map(move |nth| MessageRule {
            from: ProcessId(from),
            to: ProcessId(to),
            kind: None,
            nth,
            fate: Fate::delay(if nth % 2 == 1 { Duration::ZERO } else { STEP }),
        })
    };
    link(0, 1).chain(link(1, 0)).collect()
}

#[test]
fn an_adaptive_timeout_errs_as_often_as_it_has_increments_to_go() {
    for (timeout, increment) in [(41, 1), (20, 5), (20, 7), (15, 10), (49, 30), (50, 1), (80, 1)] {
        let params = format!(r#"{{"timeout": "{timeout}ms", "increment": "{increment}ms"}}"#);
        let mut bench = bench(2, &params, 2_000);
        bench.experiment.overrides = fast_and_slow(25);
        let run = bench.run(1);
        assert_eq!(run.violated(), NONE);
        let to_go = 50u64.saturating_sub(timeout).div_ceil(increment);
        let errors = indications(&run, "Suspect").len() as u64;
        assert_eq!(errors, 2 * to_go, "timeout {timeout}, increment {increment}");
    }
}

/// Until a second has passed, heartbeats take up to 400 ms and two of five are lost.
fn bad_until_a_second(mut bench: Bench) -> Bench {
    let network = &mut bench.experiment.network;
    let (mean, cap) = (millis(15), millis(400));
    network.default.delay = Delay::Exponential { mean, cap };
    network.default.loss = Loss::Independent(Probability::new(0.4).unwrap());
    network.stabilise_at = Some(at(1_000));
    bench
}

const ADAPTIVE: &str = r#"{"timeout": "15ms", "increment": "6ms"}"#;

#[test]
fn once_the_network_is_stable_no_pair_errs_more_often_than_the_formula_says() {
    let mut errors = 0;
    for seed in 0..200 {
        let slowly = r#"{"timeout": "15ms", "increment": "2ms"}"#;
        let run = bad_until_a_second(bench(4, slowly, 6_000)).run(seed);
        // A heartbeat that was sent after GST has arrived by now.
        let steady = at(1_050);
        let suspicions = indications(&run, "Suspect");
        let trusts = indications(&run, "Trust");
        for q in (0..4).map(ProcessId) {
            for p in (0..4).map(ProcessId) {
                let of = |all: &[(Instant, ProcessId, String)], late| {
                    let about = format!("({p})");
                    let own = all.iter().filter(|(_, by, what)| *by == q && what.ends_with(&about));
                    own.filter(|(at, ..)| (*at > steady) == late).count() as u64
                };
                let timeout = 15 + 2 * of(&trusts, false);
                let most = 50u64.saturating_sub(timeout).div_ceil(2);
                let late = of(&suspicions, true);
                assert!(late <= most, "seed {seed}: {q} errs {late} times about {p}");
                errors += late;
            }
        }
    }
    assert!(errors > 0);
}

#[test]
fn crashes_before_and_after_gst_are_detected_and_mistakes_end() {
    for seed in 0..200 {
        let adaptive = bad_until_a_second(bench(5, ADAPTIVE, 6_000));
        assert_eq!(adaptive.random_crashes(4, "0ms..3s").run(seed).violated(), NONE, "{seed}");
    }
}

#[test]
fn a_fixed_timeout_errs_for_ever_and_one_without_trust_once_and_for_all() {
    for name in ["fixed-timeout", "no-trust"] {
        let run = bad_until_a_second(bench(3, ADAPTIVE, 6_000)).mutant(name).run(1);
        assert_eq!(run.violated(), ["fd.eventual-strong-accuracy"], "{name}");
    }
    // In a synchronous run with enough time neither makes a difference.
    for name in ["fixed-timeout", "no-trust"] {
        assert_eq!(bench(3, "{}", 1_000).mutant(name).run(1).violated(), NONE);
    }
}

#[test]
fn with_enough_time_it_is_perfect_whoever_crashes() {
    for params in ["{}", r#"{"mode": "pull", "timeout": "60ms"}"#] {
        for seed in 0..200 {
            let bench = bench(5, params, 500).random_crashes(4, "0ms..400ms");
            assert_eq!(bench.run(seed).violated(), NONE, "seed {seed}");
        }
    }
}

#[test]
fn what_it_claims_follows_from_its_timeout() {
    let claims = |json: &str| {
        let params = serde_json::from_str(json).unwrap();
        FdHeartbeat::claims(&params, &Setting::of(3)).iter().map(|id| id.0).collect::<Vec<_>>()
    };
    let perfect = ["fd.strong-completeness", "fd.strong-accuracy", "fd.detection-time"];
    assert_eq!(claims(r#"{"timeout": "50ms"}"#), perfect);
    assert_eq!(claims(r#"{"mode": "pull", "timeout": "50ms"}"#), ["fd.strong-completeness"]);
    let eventual = ["fd.strong-completeness", "fd.eventual-strong-accuracy"];
    assert_eq!(claims(r#"{"timeout": "50ms", "increment": "1ms"}"#), eventual);
}

/// p1 crashes at 200 ms, or only hangs then for a second.
#[test]
fn no_timeout_is_right_about_the_slow_and_about_the_dead() {
    let until = at(1_200);
    for timeout in [50, 200, 900, 1_100] {
        let params = format!(r#"{{"timeout": "{timeout}ms"}}"#);
        let dead = bench(2, &params, 3_000).crash(1, Trigger::At(at(200)));
        let mut slow = bench(2, &params, 3_000);
        let action = Action::Pause { process: ProcessId(1), resume_after: Some(millis(1_000)) };
        slow.experiment.plan.faults.push(Fault { trigger: Trigger::At(at(200)), action });
        let (dead, slow) = (dead.run(1), slow.run(1));
        let decided = |run: &Run| {
            let mut suspicions = indications(run, "Suspect");
            suspicions.retain(|(at, q, _)| *at < until && *q == ProcessId(0));
            suspicions
        };
        assert_eq!(decided(&dead), decided(&slow));
        // It suspects, and is wrong about the slow; or it does not, and leaves the dead undetected.
        assert_eq!(decided(&slow).is_empty(), timeout > 1_000, "timeout {timeout}");
    }
}
