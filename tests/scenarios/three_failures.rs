//! Three failures of one service, and what the others learn of each: nothing of a crash, nothing of
//! a hang, and of an exception all there is to know (Schlichting and Schneider 1983).

use crate::shipped;
use ftsim::run;
use ftsim::scenario::Scenario;
use ftsim_core::outcome::trace::{Entry, TraceEvent};
use ftsim_core::{Duration, Instant, Outcome, ProcessId, Trace, Verdict};

const PRIMARY: ProcessId = ProcessId(0);
const BACKUP: ProcessId = ProcessId(1);
const OBSERVERS: [ProcessId; 2] = [BACKUP, ProcessId(2)];
const FAILS: Instant = Instant::from_nanos(100_000_000);
/// In `three-failures-hang` the primary is back then.
const IS_BACK: Instant = Instant::from_nanos(600_000_000);

/// The primary crashes, hangs, fails with an exception.
fn three() -> [Scenario; 3] {
    let mut shipped = shipped::scenarios();
    ["crash", "hang", "exception"].map(|failure| {
        let name = format!("three-failures-{failure}");
        let found = shipped.iter().position(|(own, _)| *own == name);
        shipped.remove(found.expect("a scenario that is shipped")).1
    })
}

fn record(scenario: &Scenario, seed: u64) -> (Outcome, Trace) {
    run::record(scenario, seed).expect("ftsim does not fail")
}

/// What an observer sees and does before the primary is back, and when. What becomes of its
/// messages is hidden from it, as are the numbers that the engine gives them.
fn view(trace: &Trace, observer: ProcessId) -> Vec<(Instant, String)> {
    let own = trace.entries.iter().filter(|e| e.process == Some(observer) && e.at < IS_BACK);
    let seen = |entry: &Entry| match &entry.what {
        TraceEvent::Deliver { from, message, .. } => Some(format!("hears {message} from {from}")),
        TraceEvent::Send { to, message, .. } => Some(format!("sends {message} to {to}")),
        TraceEvent::Drop { .. } | TraceEvent::Violation { .. } => None,
        own => Some(format!("{own:?}")),
    };
    own.filter_map(|entry| Some((entry.at, seen(entry)?))).collect()
}

/// When this observer is told that the primary is down.
fn told(trace: &Trace, observer: ProcessId) -> Option<Instant> {
    let suspects = |what: &TraceEvent| *what == TraceEvent::Suspect { subject: PRIMARY };
    let mut own = trace.entries.iter().filter(|e| e.process == Some(observer));
    own.find(|entry| suspects(&entry.what)).map(|entry| entry.at)
}

fn is_answered(outcome: &Outcome) -> bool {
    let judged = outcome.judged.iter().find(|judged| judged.id.0 == "smr.liveness");
    judged.expect("a property that is checked").verdict == Verdict::Held
}

#[test]
fn nobody_can_tell_a_hang_from_a_crash_and_one_of_them_needs_a_successor() {
    let [crash, hang, _] = three();
    for seed in 1..50 {
        let [crash, hang] = [&crash, &hang].map(|scenario| record(scenario, seed));
        for observer in OBSERVERS {
            let seen = view(&crash.1, observer);
            assert_eq!(seen, view(&hang.1, observer), "seed {seed}");
            assert!(seen.iter().any(|(_, what)| what.contains("hears")));
            assert_eq!([&crash, &hang].map(|run| told(&run.1, observer)), [None, None]);
        }
        // To wait is wrong in the one and right in the other.
        assert_eq!([is_answered(&crash.0), is_answered(&hang.0)], [false, true], "seed {seed}");
    }
}

#[test]
fn an_exception_tells_everybody_and_the_backup_takes_over() {
    let [.., exception] = three();
    for seed in 1..50 {
        let (outcome, trace) = record(&exception, seed);
        assert_eq!(OBSERVERS.map(|observer| told(&trace, observer)), [Some(FAILS); 2]);
        let serves = |e: &&Entry| {
            matches!(&e.what, TraceEvent::Indicate { what, .. } if what == "Serves")
                && e.process == Some(BACKUP)
        };
        let from = trace.entries.iter().find(serves).expect("it takes over").at;
        assert_eq!(from.since(FAILS), Duration::ZERO, "seed {seed}");
        assert!(is_answered(&outcome), "seed {seed}");
    }
}
