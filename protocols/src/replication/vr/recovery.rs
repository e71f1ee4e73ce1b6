//! State transfer (section 5.2), and recovery (section 4.3).

use std::collections::BTreeMap;

use ftsim_core::{ProcessId, ProcessSet};

use super::mutants::NO_RECOVERY;
use super::{Context, Log, Msg, OpNumber, Record, Replica, Status, Storage, Timer, View};

/// State transfer.
impl Replica {
    pub(super) fn get_state(
        &self,
        from: ProcessId,
        view: View,
        number: OpNumber,
        cx: &mut Context,
    ) {
        cx.send(from, Msg::GetState { view, number });
    }

    pub(super) fn on_get_state(
        &self,
        from: ProcessId,
        view: View,
        number: OpNumber,
        cx: &mut Context,
    ) {
        if self.is_normal() && view == self.view && number <= self.op_number() {
            cx.send(from, Msg::NewState { view, number, log: self.log_behind(number) });
        }
    }

    /// Of its own view it takes what it lacks. Of a later one, what is committed stays, and the
    /// rest is replaced.
    pub(super) fn on_new_state(
        &mut self,
        view: View,
        number: OpNumber,
        log: Log,
        cx: &mut Context,
    ) {
        let is_later = view > self.view || (view == self.view && self.is_changing());
        let is_same = view == self.view && self.is_normal() && !self.is_primary(cx);
        let follows = if is_later { self.commit } else { self.op_number() };
        let is_awaited = is_later || is_same;
        if !is_awaited || number != follows || matches!(self.status, Status::Recovering { .. }) {
            return;
        }
        cx.reach("a state was transferred");
        if is_same {
            for op in log.ops {
                self.append(op, cx);
            }
            self.execute(log.commit, cx);
        } else {
            self.view = view;
            let known = self.log.iter().take(usize::try_from(number).unwrap_or(usize::MAX));
            let ops = known.cloned().chain(log.ops).collect();
            self.enter(Log { ops, commit: log.commit }, cx);
            cx.cancel_timer(Timer::Heartbeat);
        }
        self.await_primary(cx);
        if let Some(primary) = self.primary(view) {
            cx.send(primary, Msg::PrepareOk { view, number: self.op_number() });
        }
    }
}

/// Recovery.
impl Replica {
    pub(super) fn on_recover<'a>(
        &mut self,
        records: impl Iterator<Item = &'a Record>,
        cx: &mut Context,
    ) {
        match self.params.storage {
            Storage::Disk => self.restore(records, cx),
            Storage::Memory if cx.runs(&NO_RECOVERY) => self.resume(cx),
            Storage::Memory => {
                let views = records.filter_map(|record| match record {
                    Record::View { view, .. } => Some(*view),
                    _ => None,
                });
                self.view = views.max().unwrap_or_default();
                let nonce = cx.rng().bits();
                self.status = Status::Recovering { nonce, responses: BTreeMap::new() };
                self.ask_for_recovery(nonce, cx);
            }
        }
    }

    /// What it has on its disk. Of the records that were not synced a crash may have lost some and
    /// kept later ones: what was appended to a log that is lost does not count.
    fn restore<'a>(&mut self, records: impl Iterator<Item = &'a Record>, cx: &mut Context) {
        for record in records {
            match record {
                Record::View { view, normal } => (self.view, self.normal) = (*view, *normal),
                Record::Log { view, ops } => {
                    (self.view, self.normal) = (*view, *view);
                    self.log.clone_from(ops);
                }
                Record::Op { view, number, op } => {
                    if *view == self.normal && *number == self.op_number().saturating_add(1) {
                        self.log.push(op.clone());
                    }
                }
            }
        }
        if self.view != self.normal {
            let (started, ready) = (ProcessSet::new(), BTreeMap::new());
            self.status = Status::ViewChange { started, ready };
        }
        self.resume(cx);
    }

    pub(super) fn ask_for_recovery(&self, nonce: u64, cx: &mut Context) {
        cx.send_to(self.others(cx), Msg::Recovery { nonce });
        cx.set_timer(self.params.timeout, Timer::Silence);
    }

    pub(super) fn on_recovery(&self, from: ProcessId, nonce: u64, cx: &mut Context) {
        if self.is_normal() {
            let log = self.is_primary(cx).then(|| self.log_behind(0));
            cx.send(from, Msg::RecoveryResponse { view: self.view, nonce, log });
        }
    }

    /// With f + 1 responses, one of them of the primary of the latest view among them, it knows
    /// enough. If it had helped to begin a later view, what it sent for that may still arrive: it
    /// changes to this view with what it knows now.
    pub(super) fn on_recovery_response(
        &mut self,
        from: ProcessId,
        view: View,
        answered: u64,
        log: Option<Log>,
        cx: &mut Context,
    ) {
        let needed = self.f() + 1;
        let Status::Recovering { nonce, responses } = &mut self.status else { return };
        if answered != *nonce {
            return;
        }
        responses.insert(from, (view, log));
        if responses.len() < needed {
            return;
        }
        let Some(latest) = responses.values().map(|(view, _)| *view).max() else { return };
        let mut of_latest = responses.values().filter(|(view, _)| *view == latest);
        let Some(log) = of_latest.find_map(|(_, log)| log.clone()) else { return };
        cx.reach("a replica recovered from the others");
        let begun = std::mem::replace(&mut self.view, latest);
        self.enter(log, cx);
        self.await_primary(cx);
        if begun > latest {
            cx.reach("a replica had begun a later view");
            self.start_view_change(begun, cx);
        }
    }
}
