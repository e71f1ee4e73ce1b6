//! Judges a history written by hand: for tests that a checker fails where it should.

use crate::id::{MessageId, ProcessId};
use crate::model::property::{End, EndCause, Observation, Observed, PropertyEntry, Verdict};
use crate::model::setting::Setting;
use crate::model::spec::Spec;
use crate::time::Instant;

/// One event of a history.
pub enum Act<S: Spec> {
    /// A client's request to a process.
    Request(ProcessId, S::Request),
    /// An announcement of a process.
    Indicate(ProcessId, S::Indication),
    /// A process is not there until it starts.
    Absent(ProcessId),
    /// An absent process starts.
    Start(ProcessId),
    /// A process crashes.
    Crash(ProcessId),
    /// A crashed process is up again.
    Recover(ProcessId),
    /// A process sends the message with this number.
    Send(ProcessId, u64),
    /// A process receives the message with this number.
    Receive(ProcessId, u64),
}

impl<S: Spec> Clone for Act<S> {
    fn clone(&self) -> Self {
        match self {
            Self::Request(p, request) => Self::Request(*p, request.clone()),
            Self::Indicate(p, indication) => Self::Indicate(*p, indication.clone()),
            Self::Absent(p) => Self::Absent(*p),
            Self::Start(p) => Self::Start(*p),
            Self::Crash(p) => Self::Crash(*p),
            Self::Recover(p) => Self::Recover(*p),
            Self::Send(p, number) => Self::Send(*p, *number),
            Self::Receive(p, number) => Self::Receive(*p, *number),
        }
    }
}

/// The properties of the spec, core and claims, that a quiescent history of `n` processes violates,
/// in the order of the spec's table. A process that crashes is faulty unless it recovers, and one
/// that is absent unless it starts.
///
/// # Panics
/// If a process of the history is not one of the `n`.
pub fn check<S: Spec>(n: u32, history: &[Act<S>]) -> Vec<&'static str> {
    judge(&Setting::of(n), history, true)
        .into_iter()
        .filter(|(_, verdict)| matches!(verdict, Verdict::Violated(_)))
        .map(|(id, _)| id)
        .collect()
}

/// The verdict on each property of the spec. Event k of the history happens at k milliseconds.
///
/// # Panics
/// If a process of the history is not one of the setting.
pub fn judge<S: Spec>(
    setting: &Setting,
    history: &[Act<S>],
    failure_free: bool,
) -> Vec<(&'static str, Verdict)> {
    let mut correct = vec![true; setting.n as usize];
    for act in history {
        match act {
            Act::Absent(p) | Act::Crash(p) => correct[p.index()] = false,
            Act::Start(p) | Act::Recover(p) => correct[p.index()] = true,
            _ => {}
        }
    }
    let at = |ms: usize| Instant::from_nanos(ms as u64 * 1_000_000);
    let mut end = End::new(at(history.len()), EndCause::Quiescent, &correct);
    end.failure_free =
        failure_free && !history.iter().any(|a| matches!(a, Act::Absent(_) | Act::Crash(_)));
    let verdict = |entry: &PropertyEntry<S>| {
        let mut property = (entry.checker)(setting);
        for (index, act) in history.iter().enumerate() {
            let (process, what) = match act {
                Act::Request(p, request) => (*p, Observation::Request(request)),
                Act::Indicate(p, indication) => (*p, Observation::Indication(indication)),
                Act::Absent(p) => (*p, Observation::Absent),
                Act::Start(p) => (*p, Observation::Start),
                Act::Crash(p) => (*p, Observation::Crash),
                Act::Recover(p) => (*p, Observation::Recover),
                Act::Send(p, number) => (*p, Observation::Send(MessageId(*number))),
                Act::Receive(p, number) => (*p, Observation::Receive(MessageId(*number))),
            };
            if what.is_of_message() && !entry.over_messages {
                continue;
            }
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
    S::PROPERTIES.iter().map(|entry| (entry.id.0, verdict(entry))).collect()
}
