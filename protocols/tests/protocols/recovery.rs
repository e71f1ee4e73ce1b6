//! Processes that crash and return, for the tests of checkpoints and of message logging.

use ftsim_core::bench::{Bench, Run, after_effect};
use ftsim_core::fault::{Action, Crash, Fault, InFlight, Trigger};
use ftsim_core::prelude::*;
use ftsim_core::rng::Rng;
use ftsim_core::{EndCause, Instant, Verdict};

/// The run has ended, and nothing is violated or undecided.
pub fn assert_good(run: &Run) {
    assert_eq!(run.cause, EndCause::Quiescent, "seed {}", run.seed);
    for judged in &run.judged {
        let good = matches!(judged.verdict, Verdict::Held | Verdict::HeldVacuously);
        assert!(good, "seed {}: {judged:?}", run.seed);
    }
}

pub fn exercised(run: &Run, id: PropertyId) -> u64 {
    run.judged.iter().find(|judged| judged.id == id).map_or(0, |judged| judged.exercised)
}

pub fn crash_and_return(
    mut bench: Bench,
    process: u32,
    trigger: Trigger,
    down_for: Duration,
    in_flight: InFlight,
) -> Bench {
    let crash = Crash { recover_after: Some(down_for), in_flight, ..Crash::default() };
    let action = Action::Crash(ProcessId(process), crash);
    bench.experiment.plan.faults.push(Fault { trigger, action });
    bench
}

/// A crash after the effect of this number, which takes messages along if the number is odd.
pub fn crash_after(bench: Bench, process: u32, nth: u64, down_ms: u64) -> Bench {
    let in_flight = if nth.is_multiple_of(2) { InFlight::Keep } else { InFlight::Lose };
    let down_for = Duration::from_millis(down_ms);
    crash_and_return(bench, process, after_effect(process, nth), down_for, in_flight)
}

/// Up to six crashes of `n` processes, each after some effect or at some time; all recover. What
/// happens to messages in flight is one of these.
pub fn crash_at_random(mut bench: Bench, n: u32, rng: &mut Rng, in_flight: &[InFlight]) -> Bench {
    for _ in 0..rng.below(7) {
        let process = u32::try_from(rng.below(n.into())).unwrap();
        let trigger = match rng.below(2) {
            0 => after_effect(process, rng.between(1, 200)),
            _ => Trigger::At(Instant::ZERO + Duration::from_micros(rng.between(0, 150_000))),
        };
        let in_flight = match in_flight {
            [one] => *one,
            several => *rng.choose(several).unwrap(),
        };
        let down_for = Duration::from_millis(rng.between(0, 60));
        bench = crash_and_return(bench, process, trigger, down_for, in_flight);
    }
    bench
}
