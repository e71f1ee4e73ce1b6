//! View changes (section 4.2).

use std::collections::BTreeMap;

use ftsim_core::{ProcessId, ProcessSet};

use super::mutants::LONGEST_LOG;
use super::{Context, Log, Msg, Record, Replica, Status, Timer, View};

impl Replica {
    /// The primary is silent, or a view change does not end: the next view.
    pub(super) fn on_silence(&mut self, cx: &mut Context) {
        match &self.status {
            Status::Normal if self.is_primary(cx) => {}
            Status::Normal | Status::ViewChange { .. } => {
                self.failed = self.failed.saturating_add(1);
                self.start_view_change(self.view.saturating_add(1), cx);
            }
            Status::Recovering { nonce, .. } => self.ask_for_recovery(*nonce, cx),
        }
    }

    pub(super) fn is_changing(&self) -> bool {
        matches!(self.status, Status::ViewChange { .. })
    }

    /// 1. It advances its view, and tells all others.
    pub(super) fn start_view_change(&mut self, view: View, cx: &mut Context) {
        self.view = view;
        self.status = Status::ViewChange { started: ProcessSet::new(), ready: BTreeMap::new() };
        cx.cancel_timer(Timer::Heartbeat);
        self.await_primary(cx);
        self.keep_view(cx);
        cx.send_to(self.others(cx), Msg::StartViewChange { view });
        self.do_view_change(cx);
    }

    pub(super) fn on_start_view_change(&mut self, from: ProcessId, view: View, cx: &mut Context) {
        if matches!(self.status, Status::Recovering { .. }) {
            return;
        }
        if view > self.view {
            self.start_view_change(view, cx);
        }
        if let Status::ViewChange { started, .. } = &mut self.status
            && view == self.view
        {
            started.insert(from);
            if started.len() == self.servers.len() / 2 {
                self.do_view_change(cx);
            }
        }
    }

    /// 2. Once f others want the view, it sends its log to the new primary.
    fn do_view_change(&mut self, cx: &mut Context) {
        let Status::ViewChange { started, .. } = &self.status else { return };
        let Some(primary) = self.primary(self.view).filter(|_| started.len() >= self.f()) else {
            return;
        };
        let (view, normal, log) = (self.view, self.normal, self.log_behind(0));
        if primary == cx.me() {
            return self.on_do_view_change(primary, view, normal, log, cx);
        }
        cx.send(primary, Msg::DoViewChange { view, normal, log });
    }

    /// 3. From f + 1 logs the new primary takes the longest of the latest view.
    pub(super) fn on_do_view_change(
        &mut self,
        from: ProcessId,
        view: View,
        normal: View,
        log: Log,
        cx: &mut Context,
    ) {
        if matches!(self.status, Status::Recovering { .. }) {
            return;
        }
        if view > self.view {
            self.start_view_change(view, cx);
        }
        if view != self.view || !self.is_primary(cx) {
            return;
        }
        let needed = self.f() + 1;
        let Status::ViewChange { ready, .. } = &mut self.status else { return };
        ready.insert(from, (normal, log));
        if ready.len() < needed || !ready.contains_key(&cx.me()) {
            return;
        }
        let ready = std::mem::take(ready);
        let commit = ready.values().map(|(_, log)| log.commit).max().unwrap_or_default();
        let rank = |(normal, log): &(View, Log)| match cx.runs(&LONGEST_LOG) {
            false => (*normal, log.ops.len()),
            true => (0, log.ops.len()),
        };
        let Some((_, best)) = ready.into_values().max_by_key(rank) else { return };
        cx.reach("a view was changed");
        self.enter(Log { commit, ..best }, cx);
        self.prepared.clear();
        let log = Log { commit, ops: self.log.clone() };
        cx.send_to(self.others(cx), Msg::StartView { view, log });
        cx.cancel_timer(Timer::Silence);
        cx.set_timer(self.params.heartbeat, Timer::Heartbeat);
        self.advance_commit(cx);
    }

    /// 5. The others take the log of the new view.
    pub(super) fn on_start_view(
        &mut self,
        from: ProcessId,
        view: View,
        log: Log,
        cx: &mut Context,
    ) {
        let is_new = view > self.view || (view == self.view && self.is_changing());
        if !is_new || matches!(self.status, Status::Recovering { .. }) {
            return;
        }
        self.view = view;
        self.enter(log, cx);
        self.await_primary(cx);
        cx.send(from, Msg::PrepareOk { view, number: self.op_number() });
    }

    /// Its view is normal, with this log.
    pub(super) fn enter(&mut self, log: Log, cx: &mut Context) {
        self.log = log.ops;
        self.status = Status::Normal;
        self.normal = self.view;
        self.keep(Record::Log { view: self.view, ops: self.log.clone() }, cx);
        self.execute(log.commit, cx);
    }
}
