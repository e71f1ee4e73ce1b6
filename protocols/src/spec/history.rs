//! A test bench for checkers: judges a history written by hand.

use ftsim_core::{
    DynProperty, End, EndCause, Instant, Observation, Observed, ProcessId, Setting, Spec, Verdict,
};

/// One event of a history.
pub enum Act<S: Spec> {
    Request(ProcessId, S::Request),
    Indicate(ProcessId, S::Indication),
    Crash(ProcessId),
    Recover(ProcessId),
}

/// The properties of the spec, core and claims, that a quiescent history of `n` processes violates,
/// in the order of the spec's table. A process that crashes is faulty unless it recovers.
pub fn check<S: Spec>(n: u32, history: &[Act<S>]) -> Vec<&'static str> {
    judge(&Setting::of(n), history, true)
        .into_iter()
        .filter(|(_, verdict)| matches!(verdict, Verdict::Violated(_)))
        .map(|(id, _)| id)
        .collect()
}

/// The verdict on each property of the spec. Event k of the history happens at k milliseconds.
pub fn judge<S: Spec>(
    setting: &Setting,
    history: &[Act<S>],
    failure_free: bool,
) -> Vec<(&'static str, Verdict)> {
    let mut correct = vec![true; setting.n as usize];
    for act in history {
        match act {
            Act::Crash(p) => correct[p.index()] = false,
            Act::Recover(p) => correct[p.index()] = true,
            _ => {}
        }
    }
    let at = |ms: usize| Instant::from_nanos(ms as u64 * 1_000_000);
    let mut end = End::new(at(history.len()), EndCause::Quiescent, &correct);
    end.failure_free = failure_free && !history.iter().any(|a| matches!(a, Act::Crash(_)));
    let verdict = |mut property: Box<dyn DynProperty<S>>| {
        for (index, act) in history.iter().enumerate() {
            let (process, what) = match act {
                Act::Request(p, request) => (*p, Observation::Request(request)),
                Act::Indicate(p, indication) => (*p, Observation::Indication(indication)),
                Act::Crash(p) => (*p, Observation::Crash),
                Act::Recover(p) => (*p, Observation::Recover),
            };
            let event = Observed { at: at(index), process, what };
            if let Err(violation) = property.observe(&event) {
                return Verdict::Violated(violation);
            }
        }
        match property.finish(&end) {
            Err(violation) => Verdict::Violated(violation),
            Ok(()) => match property.undecided() {
                Some(reason) => Verdict::Undecided(reason),
                None if property.exercised() > 0 => Verdict::Held,
                None => Verdict::HeldVacuously,
            },
        }
    };
    S::PROPERTIES.iter().map(|entry| (entry.id.0, verdict((entry.checker)(setting)))).collect()
}
