use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::detector::Mistake;
use ftsim_core::environment::network::Link;
use ftsim_core::fault::Trigger;
use ftsim_core::rng::{Rng, Stream};
use ftsim_core::{Duration, DurationRange, Instant};
use ftsim_spec::consensus::UNIFORM_AGREEMENT;

use ftsim_core::bench::{Bench, after_effect, sends};
use ftsim_core::prelude::*;
use ftsim_protocols::consensus::FloodingConsensus;

const NOTHING: [&str; 0] = [];

fn at_ms(n: u64) -> Trigger {
    Trigger::At(Instant::ZERO + Duration::from_millis(n))
}

/// Every message takes a step, and so does detection: it comes after all that the process has sent.
fn lockstep(n: u32) -> Bench {
    Bench::of::<FloodingConsensus>(n).perfect_detector("10ms").lockstep()
}

/// Every message takes 10 ms, except on the given links.
fn with_slow_links(n: u32, links: &[(u32, u32, u64)]) -> Bench {
    let mut bench = Bench::of::<FloodingConsensus>(n).lockstep();
    for (from, to, ms) in links {
        let delay = Delay::Uniform(DurationRange::constant(Duration::from_millis(*ms)));
        let link = Link { delay, ..Link::default() };
        bench.experiment.network.overrides.push(((ProcessId(*from), ProcessId(*to)), link));
    }
    bench
}

/// So many processes crash, each after some early effect.
fn crash_between_effects(bench: Bench, count: u64, rng: &mut Rng) -> Bench {
    let n = bench.experiment.setting.n;
    let mut order: Vec<u32> = (0..n).collect();
    rng.shuffle(&mut order);
    let crash = |bench: Bench, (index, p)| {
        bench.crash(p, after_effect(p, 1 + rng.below(u64::from(n) * (index + 2))))
    };
    (0..count).zip(order).fold(bench, crash)
}

#[test]
fn without_failure_all_decide_after_one_step_and_2_n_times_n_minus_1_messages() {
    for n in [1, 2, 3, 5, 9] {
        let run = lockstep(n).run(1);
        assert_eq!(run.violated(), NOTHING);
        let half = u64::from(n * (n - 1));
        assert_eq!(run.statistics.sent(), 2 * half);
        assert_eq!(run.statistics.sent_of("Proposal"), half);
        assert_eq!(run.statistics.sent_of("Decided"), half);
        assert_eq!(run.indication_steps(), vec![u64::from(n > 1); n as usize]);
    }
}

#[test]
fn in_lockstep_all_decide_by_round_f_plus_1_for_f_crashes_that_happen() {
    for seed in 0..1_000u32 {
        let mut rng = Rng::new(seed.into(), Stream::Faults);
        let n = 2 + seed % 5;
        let crashes = rng.below(n.into());
        let run = crash_between_effects(lockstep(n), crashes, &mut rng).run(seed.into());
        assert_eq!(run.violated(), NOTHING, "seed {seed}");
        let rounds = run.indication_steps().into_iter().max().unwrap_or(0);
        assert!(rounds <= run.statistics.crashes + 1, "seed {seed}: {rounds} rounds");
    }
}

#[test]
fn a_silent_crash_in_every_round_takes_exactly_f_plus_1_rounds() {
    for n in 2..8 {
        for f in 0..n - 1 {
            // The first PROPOSAL of round r has number (r - 1)(n - 1) + 1, and goes to p0, which
            // has crashed.
            let silent = |bench: Bench, p: u32| match p {
                0 => bench.crash(0, at_ms(0)),
                _ => bench.crash(p, sends(p, "Proposal", u64::from(p * (n - 1) + 1))),
            };
            let run = (0..f).fold(lockstep(n), silent).run(1);
            assert_eq!(run.violated(), NOTHING);
            let expected = vec![u64::from(f + 1); (n - f) as usize];
            assert_eq!(run.indication_steps(), expected, "n = {n}, f' = {f}");
        }
    }
}

#[test]
fn it_holds_whatever_the_delays_and_crashes() {
    for seed in 0..2_000u32 {
        let mut rng = Rng::new(seed.into(), Stream::Faults);
        let n = 2 + seed % 5;
        let mut bench = Bench::of::<FloodingConsensus>(n)
            .perfect_detector("0ms..20ms")
            .workload(r#"{"draw_below": 5, "at": "0ms..9ms"}"#);
        let slow = "1ms..40ms".parse().expect("a range");
        bench.experiment.network.default.delay = Delay::Uniform(slow);
        let bench = if seed % 2 == 0 {
            bench.random_crashes(n - 1, "0ms..80ms")
        } else {
            crash_between_effects(bench, rng.below(n.into()), &mut rng)
        };
        assert_eq!(bench.run(seed.into()).violated(), NOTHING, "seed {seed}");
    }
}

#[test]
fn who_decides_without_looking_back_disagrees_after_one_crash() {
    let bench =
        || with_slow_links(3, &[]).perfect_detector("5ms").crash(0, sends(0, "Proposal", 1));
    assert_eq!(bench().mutant("decide-early").run(1).violated(), ["cons.agreement"]);
    assert_eq!(bench().run(1).violated(), NOTHING);
}

/// p3 crashes unheard. p0 hears of its crash, goes on, is heard in round 2 by p1 alone, and
/// crashes. p1 and p2 end round 1 without p0, whose PROPOSALs of both rounds reach p1 late, and p2
/// too late.
fn heard_after_its_crash() -> Bench {
    with_slow_links(4, &[(0, 1, 25), (0, 2, 100), (2, 1, 22)])
        .perfect_detector("5ms")
        .crash(3, at_ms(0))
        .crash(0, sends(0, "Proposal", 4))
}

/// p0 is heard by p1 alone. p1 hears everybody, decides, and crashes; p2 adopts its decision in
/// round 2. p3 ends round 1 without p1, whose PROPOSAL is late, and round 2 before it hears of p2's
/// decision.
fn decider_heard_late() -> Bench {
    with_slow_links(4, &[(1, 3, 30), (2, 3, 20)])
        .perfect_detector("15ms")
        .crash(0, sends(0, "Proposal", 1))
        .crash(1, at_ms(11))
}

#[test]
fn comparing_only_ones_own_view_loses_agreement_with_late_proposals_or_without() {
    let late = heard_after_its_crash;
    assert_eq!(late().mutant("own-view").run(1).violated(), ["cons.agreement"]);
    assert_eq!(late().mutant("close-round").run(1).violated(), NOTHING);
    assert_eq!(late().run(1).violated(), NOTHING);

    let early = decider_heard_late;
    assert_eq!(early().mutant("own-view").run(1).violated(), NOTHING);
    assert_eq!(early().mutant("close-round").run(1).violated(), ["cons.agreement"]);
    assert_eq!(early().run(1).violated(), NOTHING);
}

#[test]
fn ones_own_view_is_enough_if_detection_comes_after_every_message() {
    for seed in 0..500u32 {
        let mut rng = Rng::new(seed.into(), Stream::Faults);
        let n = 4 + seed % 3;
        let bench =
            Bench::of::<FloodingConsensus>(n).perfect_detector("10ms..30ms").mutant("own-view");
        let run = crash_between_effects(bench, rng.below(n.into()), &mut rng).run(seed.into());
        assert_eq!(run.violated(), NOTHING, "seed {seed}");
    }
}

#[test]
fn two_that_suspect_each_other_disagree() {
    let mut bench = lockstep(2);
    let wrong = |observer, suspects| Mistake {
        observer: ProcessId(observer),
        suspects: ProcessId(suspects),
        at: Instant::from_nanos(1),
        until: None,
    };
    bench.experiment.detector.mistakes = vec![wrong(0, 1), wrong(1, 0)];
    assert_eq!(bench.run(1).violated(), ["cons.agreement"]);
}

#[test]
fn who_never_hears_of_a_crash_waits_for_ever() {
    let mut bench = lockstep(2).crash(0, at_ms(0));
    bench.experiment.detector.blind = vec![(ProcessId(1), ProcessId(0))];
    assert_eq!(bench.run(1).violated(), ["cons.termination"]);
}

#[test]
fn who_decides_and_crashes_unheard_binds_nobody() {
    let bench = with_slow_links(2, &[(0, 1, 50)]).perfect_detector("5ms").crash(0, at_ms(11));
    assert_eq!(bench.run(1).violated(), NOTHING);
    let uniform = bench.check(UNIFORM_AGREEMENT).run(1);
    assert_eq!(uniform.violated(), ["cons.uniform-agreement"]);
}
