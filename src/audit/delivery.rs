//! Messages by number: each delivery has a send, and each send a delivery or a loss.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::environment::message_rule::Fate;
use ftsim_core::environment::network::DropReason;
use ftsim_core::environment::transport::Guarantee;
use ftsim_core::fault::condition::Condition;
use ftsim_core::fault::{Crash, InFlight};
use ftsim_core::id::{MessageId, ProcessId};
use ftsim_core::outcome::trace::{Entry, TraceEvent};
use ftsim_core::rng::Probability;
use ftsim_core::time::Instant;

use super::causes;
use super::known::Known;
use super::{Check, Report, Rule};

/// Messages on links. Messages of a transport are judged elsewhere.
#[derive(Default)]
pub(super) struct Delivery<'a> {
    /// Messages under way, by number, sender and receiver.
    under_way: BTreeMap<(MessageId, ProcessId, ProcessId), Vec<Copy<'a>>>,
    /// The messages sent, with sender and receiver.
    sent: BTreeMap<MessageId, (ProcessId, ProcessId)>,
    /// Delivered messages from processes to themselves.
    to_self: BTreeSet<MessageId>,
    /// The lowest number that no message has had yet.
    next: u64,
    /// The number and the receiver of the last entry, if that entry sent a message.
    just_sent: Option<(MessageId, ProcessId)>,
    /// The last crash of each process that can have lost its messages under way; and whether it
    /// certainly did.
    took_along: BTreeMap<ProcessId, (Instant, bool)>,
}

/// A copy of a message under way.
struct Copy<'a> {
    sent: Instant,
    arrives: Instant,
    message: &'a str,
}

impl<'a> Check<'a> for Delivery<'a> {
    fn see(&mut self, entry: &'a Entry, known: &Known<'a>, report: &mut Report) {
        let Some(p) = entry.process else { return };
        let just_sent = self.just_sent.take();
        match &entry.what {
            TraceEvent::Send { id, to, message, arrives, .. } => {
                let link = (p, *to);
                if known.is_replay(entry) {
                    self.replay(*id, link, known, report);
                } else if just_sent == Some((*id, *to)) {
                    if !can_double(known, p, known.identity(*to)) {
                        report.add(Rule::Copies, format!("nothing duplicates m{}", id.0));
                    }
                } else {
                    self.is_new(*id, report);
                    self.sent.insert(*id, link);
                    self.just_sent = Some((*id, *to));
                }
                if *arrives < entry.at {
                    report.add(Rule::Arrival, "the message arrives before it is sent");
                }
                let copy = Copy { sent: entry.at, arrives: *arrives, message };
                self.under_way.entry((*id, p, *to)).or_default().push(copy);
            }
            TraceEvent::Carry { id, .. } => self.is_new(*id, report),
            TraceEvent::Deliver { id, from, message } => {
                if *from == known.identity(p) {
                    self.deliver_to_self(*id, p, known, report);
                } else if known.subject.experiment.transport.guarantee == Guarantee::Raw {
                    self.deliver(*id, (*from, p), message, known, report);
                }
            }
            TraceEvent::Drop { id, to, message, reason } => {
                self.lose(*id, (p, *to), (message, *reason), known, report);
            }
            TraceEvent::Crash { .. } => {
                let crashes = causes::crashes(known, p);
                let takes = |crash: &&Crash| crash.in_flight == InFlight::Lose;
                if crashes.iter().any(takes) {
                    let sure = crashes.iter().all(takes) && !causes::can_halt(entry, known);
                    self.took_along.insert(p, (entry.at, sure));
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, known: &Known<'a>, report: &mut Report) {
        for ((id, from, to), copies) in &self.under_way {
            let host = known.host(*to);
            // The inbox of a second copy is lost in a crash without an entry.
            let is_twin = host.of != *to;
            let behind_since = known.behind_since(*to);
            let waits = |copy: &&Copy<'_>| behind_since.is_some_and(|at| copy.arrives >= at);
            let mut past = copies.iter().filter(|copy| copy.arrives < known.at);
            if let Some(copy) = past.rfind(|copy| !waits(copy) && !is_twin) {
                let (arrives, message) = (copy.arrives, copy.message);
                let message = format!("m{} {message} of {from} was due at {arrives}", id.0);
                report.add_at(Rule::Vanished, *to, message);
            }
        }
    }
}

impl<'a> Delivery<'a> {
    fn is_new(&mut self, id: MessageId, report: &mut Report) {
        if id.0 < self.next {
            report.add(Rule::Number, format!("the number m{} was used before", id.0));
        }
        self.next = self.next.max(id.0 + 1);
    }

    fn replay(
        &self,
        id: MessageId,
        (from, to): (ProcessId, ProcessId),
        known: &Known<'a>,
        report: &mut Report,
    ) {
        if self.sent.get(&id) != Some(&(from, to)) {
            report.add(Rule::Copies, format!("m{} is replayed, but was never sent here", id.0));
        }
        let replays = |condition: &Condition| match condition {
            Condition::Replay(links, _) => links.contains(from, known.identity(to)),
            _ => false,
        };
        if !known.in_force.on_link(from, known.identity(to)).any(replays) {
            report.add(Rule::Copies, format!("nothing replays m{}", id.0));
        }
    }

    fn deliver(
        &mut self,
        id: MessageId,
        (from, to): (ProcessId, ProcessId),
        message: &str,
        known: &Known<'a>,
        report: &mut Report,
    ) {
        let since = known.reached_since(to);
        let copies = self.under_way.entry((id, from, to)).or_default();
        let can = |copy: &Copy<'_>| (since..=known.at).contains(&copy.arrives);
        let index = copies.iter().position(can);
        let Some(copy) = index.map(|index| copies.remove(index)) else {
            let other = copies.first().map(|copy| copy.arrives);
            return match other {
                Some(arrives) => {
                    let message = format!("m{} of {from} arrives at {arrives}", id.0);
                    report.add(Rule::Arrival, message);
                }
                None => {
                    let sent = self.sent.contains_key(&id);
                    let how = if sent { "once too often" } else { "but was never sent" };
                    report.add(Rule::Sent, format!("m{} of {from} is delivered {how}", id.0));
                }
            };
        };
        if copy.message != message {
            let said = copy.message;
            report.add(Rule::Content, format!("m{} of {from} was {said} when it left", id.0));
        }
        let lost = |(at, sure): &(Instant, bool)| *sure && copy.sent < *at && copy.arrives > *at;
        if self.took_along.get(&from).is_some_and(lost) {
            report.add(Rule::Loss, format!("m{} was lost when {from} crashed", id.0));
        }
    }

    fn deliver_to_self(
        &mut self,
        id: MessageId,
        p: ProcessId,
        known: &Known<'a>,
        report: &mut Report,
    ) {
        if self.sent.contains_key(&id) || !self.to_self.insert(id) {
            report.add(Rule::Sent, format!("m{} to itself is delivered once too often", id.0));
        }
        let host = known.host(p);
        if !host.corrupt && host.acted.is_none_or(|at| at < known.reached_since(p)) {
            let message = format!("m{} to itself is late: the process was idle", id.0);
            report.add(Rule::Arrival, message);
        }
    }

    fn lose(
        &mut self,
        id: MessageId,
        (from, to): (ProcessId, ProcessId),
        (message, reason): (&str, DropReason),
        known: &Known<'a>,
        report: &mut Report,
    ) {
        if from == known.identity(to) {
            if !self.to_self.insert(id) {
                report.add(Rule::Sent, format!("m{} to itself is lost after its delivery", id.0));
            }
            return;
        }
        // Messages that wait in an inbox are lost when the receiver crashes.
        let crashes = reason == DropReason::ReceiverDown;
        let copies = self.under_way.entry((id, from, to)).or_default();
        let now = |copy: &Copy<'_>| copy.arrives == known.at;
        let waited = |copy: &Copy<'_>| crashes && copy.arrives < known.at;
        let index = copies.iter().position(now).or_else(|| copies.iter().position(waited));
        let Some(copy) = index.map(|index| copies.remove(index)) else {
            let carries = known.subject.experiment.transport.guarantee != Guarantee::Raw;
            if carries && reason != DropReason::NoSuchProcess {
                return;
            }
            let at_once = !matches!(
                reason,
                DropReason::ReceiverDown | DropReason::SenderCrashed | DropReason::ReceiveOmission
            );
            let told = overrides(known, from, to).any(|fate| *fate == Fate::Drop(reason));
            if at_once || told {
                self.is_new(id, report);
                self.sent.insert(id, (from, to));
                if known.copies(from).all(|host| !host.up) {
                    report
                        .add(Rule::Down, format!("m{} is sent although its sender is down", id.0));
                }
            } else {
                let message =
                    format!("m{} for {to} is lost on its way, but is not under way", id.0);
                report.add(Rule::Sent, message);
            }
            return;
        };
        if copy.message != message {
            let said = copy.message;
            report.add(Rule::Content, format!("m{} for {to} was {said} when it left", id.0));
        }
        let took_along = self.took_along.get(&from).is_some_and(|(at, _)| copy.sent <= *at);
        if reason == DropReason::SenderCrashed && !took_along {
            report.add(Rule::Loss, format!("no crash of {from} took m{} along", id.0));
        }
    }
}

/// The fates that the scenario prescribes for single messages of a link.
pub(super) fn overrides<'a>(
    known: &Known<'a>,
    from: ProcessId,
    to: ProcessId,
) -> impl Iterator<Item = &'a Fate> {
    let rules = known.subject.experiment.overrides.iter();
    rules.filter(move |rule| (rule.from, rule.to) == (from, to)).map(|rule| &rule.fate)
}

/// Whether anything duplicates messages on this link now.
fn can_double(known: &Known<'_>, from: ProcessId, to: ProcessId) -> bool {
    let link = known.link(from, to).duplicate != Probability::NEVER && !known.is_whole(from, to);
    let doubles = |condition: &Condition| match condition {
        Condition::Duplicate(links, _) => links.contains(from, to),
        _ => false,
    };
    let told = |fate: &Fate| match fate {
        Fate::Arrive(arrival) => arrival.copy_after.is_some(),
        Fate::Drop(_) => false,
    };
    link || known.in_force.on_link(from, to).any(doubles) || overrides(known, from, to).any(told)
}
