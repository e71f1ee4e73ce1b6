//! Every loss has a reason, and nothing crosses a closed link.

use ftsim_core::environment::message_rule::Fate;
use ftsim_core::environment::network;
use ftsim_core::environment::network::DropReason;
use ftsim_core::environment::transport::Guarantee;
use ftsim_core::fault::condition::Condition;
use ftsim_core::id::ProcessId;
use ftsim_core::outcome::trace::{Entry, TraceEvent};
use ftsim_core::rng::Probability;
use ftsim_core::time::Instant;

use super::delivery::overrides;
use super::known::Known;
use super::{Check, Report, Rule};

pub(super) struct Loss;

impl<'a> Check<'a> for Loss {
    fn see(&mut self, entry: &'a Entry, known: &Known<'a>, report: &mut Report) {
        let Some(p) = entry.process else { return };
        match &entry.what {
            TraceEvent::Send { id, to, .. } => {
                let to = known.identity(*to);
                // A rule about a single message lets it leave in spite of any condition.
                let told = overrides(known, p, to).any(|fate| matches!(fate, Fate::Arrive(_)));
                if let Some(why) = closed_to_senders(known, p, to).filter(|_| !told) {
                    report.add(Rule::Cut, format!("m{} for {to} leaves although {why}", id.0));
                }
            }
            TraceEvent::Deliver { id, from, .. } => {
                let to = known.identity(p);
                let since = known.reached_since(p);
                // A message that waited may have arrived while the link was open.
                let since = if since == known.at { Instant::MAX } else { since };
                if *from != to
                    && let Some(why) = closed_to_receivers(known, *from, to, since)
                {
                    report.add(Rule::Cut, format!("m{} of {from} arrives although {why}", id.0));
                }
            }
            TraceEvent::Drop { id, to, reason, .. } => {
                if *reason == DropReason::ReceiverDown {
                    let host = known.host(*to);
                    if host.up {
                        let message = format!("m{} is lost although its receiver {to} is up", id.0);
                        report.add(Rule::Loss, message);
                    }
                } else if p != known.identity(*to)
                    && !is_in_force(known, *reason, p, known.identity(*to))
                {
                    let reason = reason.text();
                    let message =
                        format!("m{} for {to} is lost without this reason: {reason}", id.0);
                    report.add(Rule::Loss, message);
                }
            }
            _ => {}
        }
    }
}

/// The reason why no message can leave on this link now, if there is one.
fn closed_to_senders(known: &Known<'_>, from: ProcessId, to: ProcessId) -> Option<&'static str> {
    let closes = |condition: &Condition| match condition {
        Condition::Partition(cut) if cut.cuts(from, to) => Some("the link is cut"),
        Condition::SendOmission(p, links, chance)
            if *p == from && links.contains(from, to) && *chance == Probability::ALWAYS =>
        {
            Some("the sender omits to send")
        }
        Condition::Loss(links, chance)
            if links.contains(from, to) && *chance == Probability::ALWAYS =>
        {
            Some("everything is lost there")
        }
        _ => None,
    };
    let dead = network::Loss::Independent(Probability::ALWAYS);
    let dead = known.link(from, to).loss == dead && !known.is_whole(from, to);
    let dead = dead.then_some("the link loses everything");
    dead.or_else(|| known.in_force.on_link(from, to).find_map(closes))
}

/// The reason why no message can have arrived on this link since that time, if there is one.
fn closed_to_receivers(
    known: &Known<'_>,
    from: ProcessId,
    to: ProcessId,
    since: Instant,
) -> Option<&'static str> {
    let closes = |condition: &Condition| match condition {
        Condition::Partition(cut) if cut.cuts(from, to) => Some("the link is cut"),
        Condition::ReceiveOmission(p, links, chance)
            if *p == to && links.contains(from, to) && *chance == Probability::ALWAYS =>
        {
            Some("the receiver omits to receive")
        }
        _ => None,
    };
    known.in_force.on_link_since(from, to, since).find_map(closes)
}

/// Whether messages can be lost for this reason now.
fn is_in_force(known: &Known<'_>, reason: DropReason, from: ProcessId, to: ProcessId) -> bool {
    let by = |condition: &Condition| match condition {
        Condition::Loss(links, _) => reason == DropReason::Loss && links.contains(from, to),
        Condition::Partition(cut) => reason == DropReason::Cut && cut.cuts(from, to),
        Condition::SendOmission(p, links, _) => {
            reason == DropReason::SendOmission && *p == from && links.contains(from, to)
        }
        Condition::ReceiveOmission(p, links, _) => {
            reason == DropReason::ReceiveOmission && *p == to && links.contains(from, to)
        }
        _ => false,
    };
    let of_itself = match reason {
        DropReason::Loss => {
            let never = network::Loss::Independent(Probability::NEVER);
            known.link(from, to).loss != never && !known.is_whole(from, to)
        }
        DropReason::NoSuchProcess => to.0 >= known.subject.experiment.setting.n,
        // Its send is checked by number elsewhere.
        DropReason::SenderCrashed => known.subject.experiment.transport.guarantee == Guarantee::Raw,
        _ => false,
    };
    let told = |fate: &Fate| *fate == Fate::Drop(reason);
    of_itself || known.in_force.on_link(from, to).any(by) || overrides(known, from, to).any(told)
}
