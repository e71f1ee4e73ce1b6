//! The faults of the plan that can strike now.

use ftsim_core::fault::{Action, Crash, Fault, Trigger};
use ftsim_core::id::ProcessId;
use ftsim_core::outcome::trace::Entry;

use super::known::Known;

/// Whether a fault with this trigger can strike now: its time has come, or its process did
/// something at this instant.
pub(super) fn is_due(trigger: &Trigger, known: &Known<'_>) -> bool {
    match trigger {
        Trigger::At(at) => *at == known.at,
        Trigger::AfterEffect { process, .. } | Trigger::Sends { process, .. } => {
            known.copies(*process).any(|host| host.acted == Some(known.at))
        }
        Trigger::Never => false,
    }
}

/// The action of a fault, including one that strikes only a leader.
pub(super) fn action(fault: &Fault) -> &Action {
    let mut action = &fault.action;
    while let Action::IfLeads(_, inner) = action {
        action = inner;
    }
    action
}

/// Whether a fault that strikes `q` also strikes `p`.
pub(super) fn shares_fate(known: &Known<'_>, p: ProcessId, q: ProcessId) -> bool {
    let groups = &known.subject.experiment.fate_groups;
    p == q || groups.iter().any(|group| group.contains(p) && group.contains(q))
}

/// The crashes of the plan that this entry's crash can be.
pub(super) fn crashes<'a>(known: &Known<'a>, p: ProcessId) -> Vec<&'a Crash> {
    let crash = |fault: &'a Fault| match action(fault) {
        Action::Crash(q, crash) if shares_fate(known, p, *q) => {
            is_due(&fault.trigger, known).then_some(crash)
        }
        _ => None,
    };
    known.subject.plan.faults.iter().filter_map(crash).collect()
}

/// Whether the process that crashes in this entry can have halted: its handler was running.
pub(super) fn can_halt(entry: &Entry, known: &Known<'_>) -> bool {
    entry.process.is_some_and(|p| known.host(p).acted_in == Some(entry.step))
}
