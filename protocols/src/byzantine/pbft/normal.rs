//! Normal operation (section 4.2).

use ftsim_core::prelude::*;

use super::mutants::NO_COMMIT_PHASE;
use super::statement::{Certificate, PrePrepare, Prepare, Proposal, Verified};
use super::{Context, Msg, Replica, Slot};
use crate::spec::byzantine::{Call, Place, ServiceFact as Fact, View};
use crate::spec::service::{Command, Indication};

/// Requests.
impl Replica {
    /// Replies again to what is done. The primary proposes what is new, and a backup passes it on
    /// and expects it to be executed.
    pub(super) fn on_request(&mut self, from: ProcessId, request: &Signed<Call>, cx: &mut Context) {
        let Some(request) = self.request(request, cx) else { return };
        let command = request.value.command;
        if self.machine.has_applied(command) {
            return self.reply(command, cx);
        }
        let is_new = !self.waiting.iter().any(|known| known.value == request.value);
        if let Some(primary) = self.primary(self.view)
            && primary != cx.me()
            && primary != from
            && (is_new || from == command.client)
        {
            cx.send(primary, Msg::Request(request.signed.clone()));
        }
        self.expect(request, cx);
        self.propose(cx);
    }

    /// Waits for the execution of a request: of the last one of each client.
    fn expect(&mut self, request: Verified<Call>, cx: &mut Context) {
        let Command { client, number } = request.value.command;
        let mut waiting = self.waiting.iter_mut();
        match waiting.find(|known| known.value.command.client == client) {
            _ if self.machine.has_applied(request.value.command) => {}
            Some(known) if known.value.command.number < number => *known = request,
            Some(_) => {}
            None => self.waiting.push(request),
        }
        self.await_execution(cx);
    }

    /// At the primary: gives the next places to the requests that wait and have none.
    pub(super) fn propose(&mut self, cx: &mut Context) {
        let view = self.view;
        if self.is_changing || self.primary(view) != Some(cx.me()) {
            return;
        }
        let waiting: Vec<_> = self.waiting.iter().map(|known| known.signed.clone()).collect();
        for proposed in waiting.into_iter().map(Some) {
            let mut slots = self.log.range((view, 0)..=(view, Place::MAX));
            if slots.any(|(_, slot)| slot.proposal() == Some(&proposed)) {
                continue;
            }
            let place = self.assigned.saturating_add(1);
            if place > self.stable_place.saturating_add(self.params.window) {
                cx.reach("waits for a stable checkpoint");
                return;
            }
            self.assigned = place;
            let pre_prepare = Verified::own(PrePrepare { view, place, proposed }, cx);
            cx.send_to(self.others(cx), Msg::PrePrepare(pre_prepare.signed.clone()));
            self.slot(view, place).pre_prepare = Some(pre_prepare);
            self.advance(view, place, cx);
        }
    }
}

/// The three phases.
impl Replica {
    /// Accepts the first proposal of the primary of its view for each place. What is of a later
    /// view waits for this.
    pub(super) fn on_pre_prepare(
        &mut self,
        from: ProcessId,
        signed: Signed<PrePrepare>,
        cx: &mut Context,
    ) {
        let Some(offered) = Verified::by(from, signed, cx) else { return };
        let PrePrepare { view, place, proposed } = &offered.value;
        let (view, place) = (*view, *place);
        let is_request = proposed.is_some() && self.is_authentic(proposed, cx);
        if is_request && self.primary(view) == Some(from) && self.is_timely(view, place) {
            self.slot(view, place).offered.get_or_insert(offered);
            self.accept(view, place, cx);
        }
    }

    /// In its view, takes an offer for a place that has no proposal.
    pub(super) fn accept(&mut self, view: View, place: Place, cx: &mut Context) {
        if view != self.view || self.is_changing {
            return;
        }
        let slot = self.slot(view, place);
        match slot.offered.take() {
            Some(offered) if slot.pre_prepare.is_none() => self.prepare(offered, cx),
            _ => self.advance(view, place, cx),
        }
    }

    /// Takes the proposal of its primary; a backup tells all others.
    pub(super) fn prepare(&mut self, pre_prepare: Verified<PrePrepare>, cx: &mut Context) {
        let PrePrepare { view, place, proposed } = pre_prepare.value.clone();
        self.slot(view, place).pre_prepare = Some(pre_prepare);
        if let Some(request) = &proposed
            && let Some(request) = self.request(request, cx)
        {
            self.expect(request, cx);
        }
        if self.primary(view) != Some(cx.me()) {
            let prepare = Verified::own(Prepare { view, place, accepted: proposed }, cx);
            cx.send_to(self.others(cx), Msg::Prepare(prepare.signed.clone()));
            self.slot(view, place).prepares.insert(cx.me(), prepare);
        }
        self.advance(view, place, cx);
    }

    pub(super) fn on_prepare(
        &mut self,
        from: ProcessId,
        signed: Signed<Prepare>,
        cx: &mut Context,
    ) {
        let Some(prepare) = Verified::by(from, signed, cx) else { return };
        let Prepare { view, place, .. } = prepare.value;
        if self.primary(view) != Some(from) && self.is_timely(view, place) {
            self.slot(view, place).prepares.entry(from).or_insert(prepare);
            self.advance(view, place, cx);
        }
    }

    pub(super) fn on_commit(
        &mut self,
        from: ProcessId,
        view: View,
        place: Place,
        prepared: Proposal,
        cx: &mut Context,
    ) {
        if self.is_timely(view, place) {
            self.slot(view, place).commits.entry(from).or_insert(prepared);
            self.advance(view, place, cx);
        }
    }

    /// *Prepared*: a quorum, the primary among it, stands by one proposal. *Committed*: a quorum
    /// knows that.
    fn advance(&mut self, view: View, place: Place, cx: &mut Context) {
        let quorum = self.quorum(cx);
        if view != self.view || self.is_changing {
            return;
        }
        let Some(slot) = self.log.get_mut(&(view, place)) else { return };
        let Some(certificate) = slot.certificate() else { return };
        if certificate.prepares.len() + 1 < quorum {
            return;
        }
        let Some(prepared) = slot.proposal().cloned() else { return };
        if slot.commits.insert(cx.me(), prepared.clone()).is_none() {
            self.prepared.insert(place, certificate);
            let commit = Msg::Commit { view, place, prepared: prepared.clone() };
            cx.send_to(self.others(cx), commit);
        }
        let slot = self.slot(view, place);
        let commits = slot.commits.values().filter(|other| **other == prepared).count();
        if place > self.executed && (commits >= quorum || cx.runs(&NO_COMMIT_PHASE)) {
            self.committed.insert(place, prepared);
            self.execute(cx);
        }
    }

    /// Executes what is committed, in the order of places.
    pub(super) fn execute(&mut self, cx: &mut Context) {
        while let Some(proposal) = self.committed.remove(&self.executed.saturating_add(1)) {
            self.executed += 1;
            let request = proposal.and_then(|request| self.request(&request, cx));
            let call = request.map(|request| request.value);
            let command = call.as_ref().map(|call| call.command);
            let call = call.filter(|Call { command, key, operation }| {
                self.machine.apply(*command, *key, operation)
            });
            let is_new = call.is_some();
            let executes = Fact::Executes { place: self.executed, call };
            cx.indicate(Indication::Fact(executes));
            if let Some(command) = command {
                if is_new {
                    cx.indicate(Indication::Applied(command));
                }
                self.reply(command, cx);
            }
            self.forget_executed(cx);
            self.checkpoint_when_due(cx);
        }
        self.propose(cx);
    }

    fn reply(&self, command: Command, cx: &mut Context) {
        if let Some(outcome) = self.machine.answer(command) {
            let reply = Msg::Reply { view: self.view, number: command.number, outcome };
            cx.send(command.client, reply);
        }
    }
}

impl Slot {
    /// What the primary proposes.
    fn proposal(&self) -> Option<&Proposal> {
        Some(&self.pre_prepare.as_ref()?.value.proposed)
    }

    /// The proposal, with those who stand by it.
    fn certificate(&self) -> Option<Certificate> {
        let pre_prepare = self.pre_prepare.as_ref()?;
        let prepares = self.prepares.values();
        let equal = prepares.filter(|prepare| prepare.value.accepts(&pre_prepare.value));
        let prepares = equal.map(|prepare| prepare.signed.clone()).collect();
        Some(Certificate { pre_prepare: pre_prepare.signed.clone(), prepares })
    }
}
