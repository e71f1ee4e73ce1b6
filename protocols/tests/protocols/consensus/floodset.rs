use ftsim_core::Instant;
use ftsim_core::fault::Trigger;

use ftsim_core::bench::{Bench, Run, after_effect, sends};
use ftsim_protocols::consensus::FloodSet;

const NOTHING: [&str; 0] = [];

fn floodset(n: u32, f: u32, early_stop: bool) -> Bench {
    Bench::of::<FloodSet>(n).params(&format!(r#"{{"f": {f}, "early_stop": {early_stop}}}"#))
}

/// p0 is heard in round 1 by p1 alone, p1 in round 2 by p2 alone, and so on: `count` crashes.
fn with_chain(bench: Bench, count: u32) -> Bench {
    let n = bench.experiment.setting.n;
    // In each round p sends n - 1 messages, that to p + 1 as number p + 1.
    let nth = |p: u32| u64::from(p * (n - 1) + p + 1);
    (0..count).fold(bench, |bench, p| bench.crash(p, sends(p, "Values", nth(p))))
}

fn rounds(run: &Run) -> u64 {
    run.indication_steps().into_iter().max().unwrap_or(0)
}

#[test]
fn without_failure_f_plus_1_rounds_of_n_times_n_minus_1_messages() {
    for n in [1, 2, 3, 5, 8] {
        for f in 0..n {
            let run = floodset(n, f, false).lockstep().run(1);
            assert_eq!(run.violated(), NOTHING);
            assert_eq!(run.statistics.sent(), u64::from((f + 1) * n * (n - 1)));
            assert_eq!(run.indication_steps(), vec![u64::from(f + 1); n as usize]);
        }
    }
}

#[test]
fn without_failure_an_early_stop_comes_after_2_rounds() {
    for n in [2, 3, 5, 8] {
        for f in 1..n {
            let run = floodset(n, f, true).lockstep().run(1);
            assert_eq!(run.violated(), NOTHING);
            assert_eq!(run.statistics.sent(), u64::from(2 * n * (n - 1)));
            assert_eq!(run.indication_steps(), vec![2; n as usize]);
        }
    }
}

#[test]
fn an_early_stop_comes_by_round_min_of_f_happened_plus_2_and_f_plus_1() {
    for seed in 0..2_000u32 {
        let n = 2 + seed % 6;
        let f = seed / 6 % n;
        let bench = floodset(n, f, true).lockstep().random_crashes(f, "0ms..60ms");
        let run = bench.run(seed.into());
        assert_eq!(run.violated(), NOTHING, "seed {seed}");
        let bound = (run.statistics.crashes + 2).min(u64::from(f) + 1);
        assert!(rounds(&run) <= bound, "seed {seed}: {} rounds, not {bound}", rounds(&run));
    }
}

#[test]
fn a_silent_crash_in_every_round_reaches_the_bound_of_an_early_stop() {
    for n in 3..8 {
        for crashes in 0..n - 1 {
            // The first message of round r has number (r - 1)(n - 1) + 1, and goes to p0, which
            // has crashed.
            let silent = |bench: Bench, p: u32| match p {
                0 => bench.crash(0, Trigger::At(Instant::ZERO)),
                _ => bench.crash(p, sends(p, "Values", u64::from(p * (n - 1) + 1))),
            };
            let f = n - 1;
            let run = (0..crashes).fold(floodset(n, f, true).lockstep(), silent).run(1);
            assert_eq!(run.violated(), NOTHING);
            let bound = (crashes + 2).min(f + 1);
            assert_eq!(rounds(&run), u64::from(bound), "n = {n}, f' = {crashes}");
        }
    }
}

#[test]
fn it_holds_whatever_the_delays_and_crashes_within_the_bounds() {
    for seed in 0..1_000u32 {
        let n = 2 + seed % 5;
        let f = seed / 5 % n;
        let bench = floodset(n, f, seed % 2 == 0).workload(r#"{"draw_below": 5}"#);
        let run = bench.random_crashes(f, "0ms..60ms").run(seed.into());
        assert_eq!(run.violated(), NOTHING, "seed {seed}");
    }
}

#[test]
fn a_chain_of_crashes_as_long_as_there_are_rounds_loses_agreement() {
    let split = ["cons.agreement", "cons.uniform-agreement"];
    for f in 1..5 {
        let short = with_chain(floodset(f + 2, f, false).mutant("f-rounds"), f);
        assert_eq!(short.run(1).violated(), split);
        assert_eq!(with_chain(floodset(f + 2, f, false), f).run(1).violated(), NOTHING);
    }
    for f in 0..5 {
        let beyond = with_chain(floodset(f + 3, f, false), f + 1);
        assert_eq!(beyond.run(1).violated(), split);
    }
}

#[test]
fn who_decides_before_telling_is_not_bound_to_agree() {
    // p0 is heard by p1 alone. p1's effects: two messages, a timer, and in the mutant its
    // decision.
    let bench = || with_chain(floodset(3, 2, true), 1).crash(1, after_effect(1, 4));
    let too_soon = bench().mutant("early-stop-too-soon").run(1);
    assert_eq!(too_soon.violated(), ["cons.uniform-agreement"]);
    assert_eq!(bench().run(1).violated(), NOTHING);
}

#[test]
fn parameters_that_cannot_be_are_refused() {
    let refused = |bench: Bench| bench.refused().map(|invalid| invalid.key);
    let fine = || Bench::of::<FloodSet>(3).params(r#"{"round": "10ms"}"#);
    assert_eq!(refused(fine().mutant("f-rounds")), None);
    assert_eq!(refused(fine().params(r#"{"f": 3}"#)).as_deref(), Some("params.f"));
    let no_round = fine().params(r#"{"f": 0}"#).mutant("f-rounds");
    assert_eq!(refused(no_round).as_deref(), Some("params.f"));
    let early = refused(fine().mutant("early-stop-too-soon"));
    assert_eq!(early.as_deref(), Some("params.early_stop"));
    let short = refused(fine().params(r#"{"round": "9ms"}"#));
    assert_eq!(short.as_deref(), Some("params.round"));
}
