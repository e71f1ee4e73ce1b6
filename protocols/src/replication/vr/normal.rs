//! Normal operation (section 4.1).

use ftsim_core::ProcessId;

use super::mutants::EARLY_COMMIT;
use super::{Context, Msg, Op, OpNumber, Record, Replica, Status, Timer, View};
use crate::spec::service::Indication;

/// The primary.
impl Replica {
    /// Gives a command the next place, unless it is under way or done.
    pub(super) fn on_request(&mut self, op: Op, cx: &mut Context) {
        let command = op.command;
        if !self.is_normal() || !self.is_primary(cx) {
            let primary = self.primary(self.view).filter(|_| self.is_normal());
            return cx.send(command.client, Msg::NotPrimary(primary));
        }
        if let Some(outcome) = self.machine.answer(command) {
            return cx.send(command.client, Msg::Reply { number: command.number, outcome });
        }
        if self.machine.has_applied(command) {
            return;
        }
        let committed = usize::try_from(self.commit).unwrap_or(usize::MAX);
        if self.log.iter().skip(committed).any(|other| other.command == command) {
            return;
        }
        self.append(op.clone(), cx);
        let (view, number, commit) = (self.view, self.op_number(), self.commit);
        cx.send_to(self.others(cx), Msg::Prepare { view, number, op, commit });
        self.advance_commit(cx);
    }

    pub(super) fn on_prepare_ok(
        &mut self,
        from: ProcessId,
        view: View,
        number: OpNumber,
        cx: &mut Context,
    ) {
        if view == self.view && self.is_normal() && self.is_primary(cx) {
            self.failed = 0;
            let prepared = self.prepared.entry(from).or_default();
            *prepared = number.min(self.log.len() as OpNumber).max(*prepared);
            self.advance_commit(cx);
        }
    }

    /// What f backups have is committed.
    pub(super) fn advance_commit(&mut self, cx: &mut Context) {
        let has = |n: OpNumber| self.prepared.values().filter(|prepared| **prepared >= n).count();
        let needed = if cx.runs(&EARLY_COMMIT) { 0 } else { self.f() };
        let committed = (self.commit..=self.op_number()).rev().find(|n| has(*n) >= needed);
        self.execute(committed.unwrap_or_default(), cx);
    }

    /// Says that it is there, and sends again what backups may lack.
    pub(super) fn on_heartbeat(&mut self, cx: &mut Context) {
        if !self.is_normal() || !self.is_primary(cx) {
            return;
        }
        let (view, commit) = (self.view, self.commit);
        for p in self.others(cx) {
            cx.send(p, Msg::Commit { view, commit });
            let prepared = self.prepared.get(&p).copied().unwrap_or_default().max(commit);
            let behind = usize::try_from(prepared).unwrap_or(usize::MAX);
            for (number, op) in (1..).zip(&self.log).skip(behind) {
                cx.send(p, Msg::Prepare { view, number, op: op.clone(), commit });
            }
        }
        cx.set_timer(self.params.heartbeat, Timer::Heartbeat);
    }
}

/// Backups.
impl Replica {
    /// Takes commands in their order; if one is missing it asks for it.
    pub(super) fn on_prepare(
        &mut self,
        from: ProcessId,
        view: View,
        number: OpNumber,
        op: Op,
        commit: OpNumber,
        cx: &mut Context,
    ) {
        if !self.is_current(from, view, cx) {
            return;
        }
        self.failed = 0;
        self.await_primary(cx);
        if number > self.op_number().saturating_add(1) {
            return self.get_state(from, view, self.op_number(), cx);
        }
        if number > self.op_number() {
            self.append(op, cx);
        }
        cx.send(from, Msg::PrepareOk { view, number: self.op_number() });
        self.execute(commit, cx);
    }

    pub(super) fn on_commit(
        &mut self,
        from: ProcessId,
        view: View,
        commit: OpNumber,
        cx: &mut Context,
    ) {
        if !self.is_current(from, view, cx) {
            return;
        }
        self.failed = 0;
        self.await_primary(cx);
        if commit > self.op_number() {
            return self.get_state(from, view, self.op_number(), cx);
        }
        self.execute(commit, cx);
    }

    /// Whether this is of its own view, in normal operation. If a later one has begun, it asks for
    /// its state.
    fn is_current(&self, from: ProcessId, view: View, cx: &mut Context) -> bool {
        if matches!(self.status, Status::Recovering { .. }) {
            return false;
        }
        let has_begun = view > self.view || (view == self.view && self.is_changing());
        if has_begun {
            self.get_state(from, view, self.commit, cx);
        }
        view == self.view && self.is_normal()
    }
}

/// All replicas.
impl Replica {
    pub(super) fn append(&mut self, op: Op, cx: &mut Context) {
        self.log.push(op.clone());
        self.keep(Record::Op { view: self.view, number: self.op_number(), op }, cx);
    }

    /// Executes what is committed, up to here; the primary replies.
    pub(super) fn execute(&mut self, committed: OpNumber, cx: &mut Context) {
        while self.commit < committed.min(self.op_number()) {
            let index = usize::try_from(self.commit).unwrap_or(usize::MAX);
            let Some(Op { command, key, operation }) = self.log.get(index).cloned() else { return };
            self.commit += 1;
            if self.machine.apply(command, key, &operation) {
                cx.indicate(Indication::Applied(command));
            }
            if self.is_primary(cx)
                && let Some(outcome) = self.machine.answer(command)
            {
                cx.send(command.client, Msg::Reply { number: command.number, outcome });
            }
        }
    }
}
