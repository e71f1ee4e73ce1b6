//! View changes (section 4.4).

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use super::mutants::{NO_VIEW_CHANGE, VIEW_CHANGE_NO_CERT};
use super::statement::{PrePrepare, Proposal, Verified, ViewChange};
use super::{Context, Msg, Replica, Timer};
use crate::spec::byzantine::{Call, Place, ServiceFact as Fact, View};
use crate::spec::service::Indication;

/// Waiting.
impl Replica {
    /// Waits for the execution of a request, or for a new view: the longer the more views have
    /// failed.
    pub(super) fn await_execution(&mut self, cx: &mut Context) {
        if !self.is_waiting && !self.is_changing && !self.waiting.is_empty() {
            self.start_timer(cx);
        }
    }

    fn start_timer(&mut self, cx: &mut Context) {
        self.is_waiting = true;
        let factor = 1_u64 << self.failed_views.min(63);
        cx.set_timer(self.params.timeout.times(factor), Timer::Silence);
    }

    fn stop_timer(&mut self, cx: &mut Context) {
        self.is_waiting = false;
        cx.cancel_timer(Timer::Silence);
    }

    /// No longer waits for what is executed. If this is what it has waited for longest, it waits
    /// anew for the rest: a primary that serves others cannot starve a client.
    pub(super) fn forget_executed(&mut self, cx: &mut Context) {
        let machine = &self.machine;
        let is_done = |request: &Verified<Call>| machine.has_applied(request.value.command);
        let has_first = self.waiting.first().is_some_and(is_done);
        self.waiting.retain(|request| !is_done(request));
        if has_first && !self.is_changing {
            self.failed_views = 0;
            self.stop_timer(cx);
            self.await_execution(cx);
        }
    }

    pub(super) fn on_silence(&mut self, cx: &mut Context) {
        self.is_waiting = false;
        if !cx.runs(&NO_VIEW_CHANGE) {
            self.change_view(self.view.saturating_add(1), cx);
        }
    }
}

/// View changes.
impl Replica {
    /// Leaves its view, and tells all what has prepared at it.
    fn change_view(&mut self, next: View, cx: &mut Context) {
        if self.primary(self.view) == Some(cx.me()) && !self.is_changing {
            cx.indicate(Indication::Fact(Fact::Follows));
        }
        self.view = next;
        self.is_changing = true;
        self.failed_views = self.failed_views.saturating_add(1);
        self.stop_timer(cx);
        self.log.retain(|(view, _), _| *view >= next);
        self.changes.retain(|view, _| *view >= next);
        let prepared = match cx.runs(&VIEW_CHANGE_NO_CERT) {
            false => self.prepared.values().cloned().collect(),
            true => Vec::new(),
        };
        let change = cx.sign(ViewChange { next, stable: self.stable.clone(), prepared });
        cx.send_to(self.others(cx), Msg::ViewChange(change.clone()));
        self.changes.entry(next).or_default().insert(cx.me(), change);
        self.begin_view(cx);
    }

    /// Joins a view change once f + 1 others have left its view: not all of them lie.
    pub(super) fn on_view_change(
        &mut self,
        from: ProcessId,
        signed: Signed<ViewChange>,
        cx: &mut Context,
    ) {
        let Some(change) = Verified::by(from, signed, cx) else { return };
        let next = change.value.next;
        let is_old = next < self.view || (next == self.view && !self.is_changing);
        if is_old || !self.is_proved(&change.value, cx) {
            return;
        }
        self.changes.entry(next).or_default().insert(from, change.signed);
        while let Some(earliest) = self.left_by_some(cx) {
            self.change_view(earliest, cx);
        }
        self.begin_view(cx);
    }

    /// The earliest view after its own for which others have left theirs, if these are more than f.
    fn left_by_some(&self, cx: &Context) -> Option<View> {
        let next = self.view.checked_add(1)?;
        let is_enough = self.left_for(next).len() > self.params.f as usize;
        let mut later = self.changes.range(next..).map(|(view, _)| *view);
        later.next().filter(|_| is_enough && !cx.runs(&NO_VIEW_CHANGE))
    }

    /// Who has left the views before this one, be it for a later one.
    fn left_for(&self, view: View) -> ProcessSet {
        self.changes.range(view..).flat_map(|(_, by)| by.keys().copied()).collect()
    }

    /// Once a quorum has left the views before, the primary begins the new one; the others wait for
    /// that, and go on to the next view if it does not.
    fn begin_view(&mut self, cx: &mut Context) {
        let (view, quorum) = (self.view, self.quorum(cx));
        if !self.is_changing {
            return;
        }
        if self.left_for(view).len() >= quorum && !self.is_waiting {
            self.start_timer(cx);
        }
        let Some(changes) = self.changes.get(&view).filter(|by| by.len() >= quorum) else { return };
        if self.primary(view) != Some(cx.me()) {
            return;
        }
        cx.reach("a view was changed");
        let changes: Vec<_> = changes.values().cloned().collect();
        let Some(begins_with) = self.outcome(view, &changes, cx) else { return };
        let sign = |(place, proposed)| Verified::own(PrePrepare { view, place, proposed }, cx);
        let proposals: Vec<_> = begins_with.into_iter().map(sign).collect();
        let signed = proposals.iter().map(|known| known.signed.clone()).collect();
        let msg = Msg::NewView { view, changes: changes.clone(), proposals: signed };
        cx.send_to(self.others(cx), msg);
        cx.indicate(Indication::Fact(Fact::Leads(view)));
        self.enter(view, &changes, proposals, cx);
    }

    /// Enters a view whose primary proves that it begins as it must.
    pub(super) fn on_new_view(
        &mut self,
        from: ProcessId,
        view: View,
        changes: &[Signed<ViewChange>],
        proposals: Vec<Signed<PrePrepare>>,
        cx: &mut Context,
    ) {
        let is_old = view < self.view || (view == self.view && !self.is_changing);
        if is_old || self.primary(view) != Some(from) {
            return;
        }
        let Some(begins_with) = self.outcome(view, changes, cx) else { return };
        let verified = proposals.into_iter().map(|signed| Verified::by(from, signed, cx));
        let Some(proposals) = verified.collect::<Option<Vec<_>>>() else { return };
        let expected = begins_with.into_iter();
        let expected = expected.map(|(place, proposed)| PrePrepare { view, place, proposed });
        if !proposals.iter().map(|known| &known.value).cloned().eq(expected) {
            return;
        }
        if view > self.view {
            // Others may count on it, if this primary has told them less.
            self.change_view(view, cx);
        }
        self.enter(view, changes, proposals, cx);
    }

    /// What these view changes have a view begin with, if they are a quorum of proved ones: after
    /// the latest stable checkpoint among them each place has what prepared there in the latest
    /// view, or nothing.
    fn outcome(
        &self,
        view: View,
        changes: &[Signed<ViewChange>],
        cx: &Context,
    ) -> Option<Vec<(Place, Proposal)>> {
        let mut by = BTreeMap::new();
        for signed in changes {
            let change = signed.verify(cx).filter(|change| change.next == view)?;
            let is_good = self.servers.contains(&signed.signer()) && self.is_proved(change, cx);
            by.insert(signed.signer(), change).is_none().then_some(()).filter(|()| is_good)?;
        }
        if by.len() < self.quorum(cx) {
            return None;
        }
        let mut prepared: BTreeMap<Place, &PrePrepare> = BTreeMap::new();
        let mut stable = 0;
        for change in by.values() {
            stable = self.attested(&change.stable, cx)?.executed.max(stable);
            for certificate in &change.prepared {
                let pre_prepare = self.certified(certificate, cx)?;
                let known = prepared.entry(pre_prepare.place).or_insert(pre_prepare);
                if known.view < pre_prepare.view {
                    *known = pre_prepare;
                }
            }
        }
        let last = prepared.keys().next_back().copied().unwrap_or_default();
        let proposed = |place| prepared.get(&place).and_then(|known| known.proposed.clone());
        let places = stable.saturating_add(1)..=last;
        Some(places.map(|place| (place, proposed(place))).collect())
    }

    /// Goes on in this view, from the latest stable checkpoint.
    fn enter(
        &mut self,
        view: View,
        changes: &[Signed<ViewChange>],
        proposals: Vec<Verified<PrePrepare>>,
        cx: &mut Context,
    ) {
        for change in changes {
            if let Some(ViewChange { stable, .. }) = change.verify(cx)
                && let Some(checkpoint) = self.attested(stable, cx)
            {
                self.stabilise(checkpoint, stable.clone(), cx);
            }
        }
        self.view = view;
        self.is_changing = false;
        self.stop_timer(cx);
        self.log.retain(|(of, _), _| *of >= view);
        self.changes.retain(|of, _| *of > view);
        self.assigned = self.stable_place;
        for pre_prepare in proposals {
            let place = pre_prepare.value.place;
            self.assigned = self.assigned.max(place);
            if place > self.stable_place {
                self.prepare(pre_prepare, cx);
            }
        }
        let offers = self.log.range((view, 0)..=(view, Place::MAX));
        let places: Vec<_> = offers.map(|((_, place), _)| *place).collect();
        for place in places {
            self.accept(view, place, cx);
        }
        self.await_execution(cx);
        self.execute(cx);
    }
}
