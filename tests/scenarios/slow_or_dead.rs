//! Slow or dead: two runs that a process cannot tell apart, so that no failure detector is right in
//! both (Chandra and Toueg 1996; at the bottom of it Fischer, Lynch and Paterson 1985).

use crate::shipped;
use ftsim::run;
use ftsim::scenario::Scenario;
use ftsim_core::outcome::trace::{Entry, TraceEvent};
use ftsim_core::{Duration, Instant, Outcome, ProcessId, Trace, Verdict};

const OBSERVER: ProcessId = ProcessId(0);
/// T: here the messages of the slow process begin to arrive.
const UNTIL: Instant = Instant::from_nanos(1_200_000_000);

/// The two scenarios: in the one p1 is dead, in the other its messages are slow.
fn dead_and_slow() -> [Scenario; 2] {
    let mut shipped = shipped::scenarios();
    ["slow-or-dead-crash", "slow-or-dead-slow"].map(|name| {
        let found = shipped.iter().position(|(own, _)| own == name);
        shipped.remove(found.expect("a scenario that is shipped")).1
    })
}

fn record(scenario: &Scenario, seed: u64) -> (Outcome, Trace) {
    run::record(scenario, seed).expect("ftsim does not fail")
}

/// What the observer sees and does before T, and when. What becomes of its messages is hidden from
/// it, as are the numbers that the engine gives them.
fn view(trace: &Trace) -> Vec<(Instant, String)> {
    let own = trace.entries.iter().filter(|e| e.process == Some(OBSERVER) && e.at < UNTIL);
    let seen = |entry: &Entry| match &entry.what {
        TraceEvent::Deliver { from, message, .. } => Some(format!("hears {message} from {from}")),
        TraceEvent::Send { to, message, .. } => Some(format!("sends {message} to {to}")),
        TraceEvent::Drop { .. } | TraceEvent::Violation { .. } => None,
        own => Some(format!("{own:?}")),
    };
    own.filter_map(|entry| Some((entry.at, seen(entry)?))).collect()
}

fn verdict(outcome: &Outcome, property: &str) -> Verdict {
    let judged = outcome.judged.iter().find(|judged| judged.id.0 == property);
    judged.expect("a property that is checked").verdict.clone()
}

#[test]
fn until_t_the_observer_sees_the_same_of_the_slow_and_of_the_dead() {
    let scenarios = dead_and_slow();
    for seed in 1..50 {
        let [dead, slow] = scenarios.each_ref().map(|scenario| record(scenario, seed));
        let seen = view(&dead.1);
        assert_eq!(seen, view(&slow.1), "seed {seed}");
        assert!(seen.iter().any(|(_, what)| what.contains("hears")));
        // Decisions are part of the view: it suspects in both, and is right in one of them.
        let suspicion = seen.iter().find(|(_, what)| what.contains("Suspect(p1)"));
        let (at, _) = suspicion.expect("it suspects before T");
        assert!(at.since(Instant::ZERO) < Duration::from_millis(300));
        assert_eq!(verdict(&dead.0, "fd.strong-accuracy"), Verdict::Held);
        let wrong = verdict(&slow.0, "fd.strong-accuracy");
        assert!(matches!(wrong, Verdict::Violated(_)), "{wrong:?}");
    }
}

#[test]
fn after_t_the_views_differ() {
    let heard_at_last = dead_and_slow().map(|scenario| {
        let (_, trace) = record(&scenario, 1);
        let late = trace.entries.into_iter().filter(|e| e.process == Some(OBSERVER));
        late.filter(|e| e.at >= UNTIL).any(|e| matches!(e.what, TraceEvent::Deliver { .. }))
    });
    assert_eq!(heard_at_last, [false, true]);
}
