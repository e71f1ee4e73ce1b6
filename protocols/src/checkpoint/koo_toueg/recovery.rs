//! The recovery of `koo-toueg`: who must roll back, and when all go on.

use ftsim_core::prelude::*;

use super::{COORDINATOR, KooToueg, Label, Msg, Permanent, Phase, Recovery, Timer};
use crate::spec::snapshot::Indication;

/// The part of a process in a recovery.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Rollback {
    /// Whether it must roll back, because of a crash or of what others undo.
    pub must: bool,
    /// Whether it has told the others that it must.
    has_asked: bool,
    /// The number of requests that have no answer yet.
    unanswered: usize,
    /// The process to answer then.
    requester: Option<ProcessId>,
}

impl KooToueg {
    /// Starts a recovery, at p0 only.
    pub(super) fn start_recovery(&mut self, cx: &mut Cx<Self>) {
        if cx.me() == COORDINATOR {
            let of_all = self.of_all.clone();
            self.take_part(self.recovery.saturating_add(1), &of_all, cx);
            self.ask_to_roll_back(cx);
            self.decide_if_all_have_answered(cx);
        }
    }

    /// Takes part in a recovery. A tentative checkpoint is committed or dropped as p0 has decided.
    fn take_part(&mut self, recovery: Recovery, permanent: &Permanent, cx: &mut Cx<Self>) {
        cx.reach("recovery");
        self.recovery = recovery;
        self.phase = Phase::RollingBack;
        self.rollback = Rollback { must: self.rollback.must, ..Rollback::default() };
        self.held.clear();
        let number = self.tentative.as_ref().map(|tentative| tentative.checkpoint.number);
        let Some(number) = number else { return self.write_permanent(cx) };
        cx.cancel_timer(Timer::GiveUp(number));
        if permanent.get(&cx.me()) == Some(&number) {
            self.make_permanent(cx);
        } else {
            self.undo(number, cx);
        }
    }

    /// Asks all others to roll back if they depend on what is undone here. At p0, that may be
    /// nothing: the request then only starts the recovery.
    fn ask_to_roll_back(&mut self, cx: &mut Cx<Self>) {
        self.rollback.has_asked = self.rollback.must;
        for p in cx.others() {
            let label = self.permanent.application.sent.get(&p).copied().unwrap_or_default();
            let sent = self.rollback.must.then_some(label);
            let permanent = self.of_all.clone();
            cx.send(p, Msg::RollReq { recovery: self.recovery, permanent, sent });
            self.rollback.unanswered += 1;
        }
    }

    pub(super) fn asked_to_roll_back(
        &mut self,
        from: ProcessId,
        recovery: Recovery,
        permanent: &Permanent,
        sent: Option<Label>,
        cx: &mut Cx<Self>,
    ) {
        if recovery > self.recovery {
            self.of_all.clone_from(permanent);
            self.take_part(recovery, permanent, cx);
        }
        if recovery != self.recovery || self.phase != Phase::RollingBack {
            return;
        }
        let received = self.application.last_received.get(&from).copied().unwrap_or_default();
        if sent.is_some_and(|sent| received > sent) {
            cx.reach("rolled back with another");
            self.rollback.must = true;
        }
        let was_waiting = self.rollback.unanswered > 0;
        if self.rollback.must && !self.rollback.has_asked {
            self.ask_to_roll_back(cx);
        }
        if was_waiting || self.rollback.unanswered == 0 {
            cx.send(from, Msg::RollAnswer(recovery));
        } else {
            self.rollback.requester = Some(from);
        }
    }

    pub(super) fn roll_back_answered(&mut self, recovery: Recovery, cx: &mut Cx<Self>) {
        let is_expected = self.phase == Phase::RollingBack && self.rollback.unanswered > 0;
        if recovery != self.recovery || !is_expected {
            return;
        }
        self.rollback.unanswered -= 1;
        if self.rollback.unanswered > 0 {
            return;
        }
        match self.rollback.requester.take() {
            Some(requester) => cx.send(requester, Msg::RollAnswer(recovery)),
            None => self.decide_if_all_have_answered(cx),
        }
    }

    fn decide_if_all_have_answered(&mut self, cx: &mut Cx<Self>) {
        if cx.me() == COORDINATOR && self.rollback.unanswered == 0 {
            cx.send_to_others(Msg::Resume(self.recovery));
            self.resume(cx);
        }
    }

    /// Rolls back, if that must be, and goes on; logged transfers are sent again.
    pub(super) fn resume(&mut self, cx: &mut Cx<Self>) {
        if self.phase == Phase::Running {
            return;
        }
        self.phase = Phase::Running;
        let (recovery, must) = (self.recovery, self.rollback.must);
        self.rollback = Rollback::default();
        if must {
            self.application = self.permanent.application.clone();
            cx.indicate(Indication::Restored { recovery, snapshot: self.permanent.number });
        } else {
            cx.reach("kept its state");
            let messages = self.application.logged.values().copied().collect();
            cx.indicate(Indication::Kept { recovery, balance: self.application.balance, messages });
        }
        for ((to, label), transfer) in &self.application.logged {
            cx.send(*to, Msg::Money { recovery, label: *label, transfer: *transfer });
        }
    }
}
