//! Termination when sites fail: the first site that has not failed takes over.
//!
//! Source: Skeen (1981), section 7; Bernstein, Hadzilacos and Goodman (1987), section 7.5.
//!
//! Steps:
//!
//! 1. a site that knows that all sites before it have failed takes over, and asks all that have not
//!    failed for their phase;
//! 2. a site that knows the decision answers with it, and one that has not voted aborts. From then
//!    on a site obeys no site before the one that asked;
//! 3. if all wait, the one that asked aborts. If some have pre-committed, it brings the rest to
//!    pre-commit, and with their ACKs it commits.
//!
//! A site that has crashed in a transaction takes no part in it any more, and asks all others for
//! the decision until it hears of it. What it says is news of its crash, too. If it hears that all
//! others have crashed in the transaction, nobody has decided and nobody's log changes any more: so
//! all of them can decide by the same rule.

use std::collections::BTreeMap;

use ftsim_core::{Cx, ProcessId, ProcessSet};

use super::mutants::NO_REACK;
use super::params::Variant;
use super::{Msg, Phase, Site, State, Task, ThreePhaseCommit};
use crate::spec::atomic_commit::{COORDINATOR, Decision, Transaction};

type Context<'a> = Cx<'a, ThreePhaseCommit>;

/// Taking over.
impl ThreePhaseCommit {
    /// Another site has crashed since this one voted or began.
    pub(super) fn on_failure(&mut self, transaction: Transaction, p: ProcessId, cx: &mut Context) {
        match self.sites.get_mut(&transaction) {
            Some(Site { state: State::Working { .. }, .. })
                if cx.setting().has_role(p, COORDINATOR) =>
            {
                cx.reach("aborted alone");
                self.abort_alone(transaction, cx);
            }
            Some(site) if site.is_operational() => {
                if site.failed.insert(p) {
                    self.go_on_without_failed(transaction, cx);
                }
            }
            Some(_) | None => {}
        }
    }

    fn go_on_without_failed(&mut self, transaction: Transaction, cx: &mut Context) {
        let Some(site) = self.operational(transaction) else { return };
        match site.task {
            Task::None => self.take_over_in_turn(transaction, cx),
            Task::Votes(_) => self.decide(transaction, Decision::Abort, cx),
            Task::States(_) => self.check_states(transaction, cx),
            Task::Acks { .. } => self.check_acks(transaction, cx),
        }
    }

    fn take_over_in_turn(&mut self, transaction: Transaction, cx: &mut Context) {
        if self.coordinator(transaction, cx) == cx.me() {
            cx.reach("took over");
            self.collect_states(transaction, cx);
        }
    }

    /// The first site that has not failed.
    fn coordinator(&self, transaction: Transaction, cx: &Context) -> ProcessId {
        let failed = |p| self.sites.get(&transaction).is_some_and(|site| site.failed.contains(p));
        cx.processes().find(|p| !failed(*p)).unwrap_or(cx.me())
    }

    /// Step 1.
    pub(super) fn collect_states(&mut self, transaction: Transaction, cx: &mut Context) {
        let Some(site) = self.operational(transaction) else { return };
        site.task = Task::States(BTreeMap::new());
        let asked: Vec<ProcessId> = cx.others().filter(|p| !site.failed.contains(*p)).collect();
        cx.send_to(asked, Msg::StateReq(transaction));
        self.wait(transaction, cx);
        if self.params.variant == Variant::SiteFailures {
            self.check_states(transaction, cx);
        }
    }

    /// Step 2.
    pub(super) fn on_state_req(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        cx: &mut Context,
    ) {
        if self.obeys(from, transaction, cx)
            && let Some(phase) = self.phase(transaction)
        {
            cx.send(from, Msg::State(transaction, phase));
        }
    }

    /// Whether this site takes part in the transaction, knows no decision, and takes orders from
    /// `from`. If it takes none, it answers with what it knows.
    pub(super) fn obeys(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        cx: &mut Context,
    ) -> bool {
        self.answer(from, transaction, cx);
        let variant = self.params.variant;
        let Some(site) = self.operational(transaction) else { return false };
        if variant == Variant::Quorum {
            return true;
        }
        if from > cx.me() || site.failed.contains(from) {
            return false;
        }
        site.failed.extend(cx.processes().filter(|p| *p < from));
        true
    }

    /// Answers with the decision, or with the state of a site that is recovering. A site that can
    /// abort alone does so.
    pub(super) fn answer(&mut self, from: ProcessId, transaction: Transaction, cx: &mut Context) {
        match self.sites.get(&transaction) {
            None | Some(Site { state: State::Working { .. }, .. }) => {
                self.abort_alone(transaction, cx);
                cx.send(from, Msg::Abort(transaction));
            }
            Some(Site { state: State::Decided(decision), .. }) => {
                cx.send(from, Msg::decided(transaction, *decision));
            }
            Some(Site { state: State::Undecided(phase), recovering: true, .. }) => {
                cx.send(from, Msg::Recovering(transaction, *phase));
            }
            Some(_) => {}
        }
    }

    pub(super) fn on_state(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        phase: Phase,
        cx: &mut Context,
    ) {
        if let Some(Site { task: Task::States(phases), .. }) = self.operational(transaction) {
            phases.insert(from, phase);
            self.check_states(transaction, cx);
        }
    }

    /// Step 3, once all that have not failed have answered.
    fn check_states(&mut self, transaction: Transaction, cx: &mut Context) {
        let Some(Site { task: Task::States(phases), failed, .. }) = self.operational(transaction)
        else {
            return;
        };
        if !cx.others().all(|p| phases.contains_key(&p) || failed.contains(p)) {
            return;
        }
        let mut phases = phases.clone();
        phases.retain(|p, _| !failed.contains(*p));
        match self.params.variant {
            Variant::SiteFailures => self.terminate(transaction, &phases, cx),
            Variant::Quorum => self.seek_quorum(transaction, &phases, cx),
        }
    }

    fn terminate(
        &mut self,
        transaction: Transaction,
        phases: &BTreeMap<ProcessId, Phase>,
        cx: &mut Context,
    ) {
        if !self.has_pre_committed(transaction, phases) {
            cx.reach("all wait");
            return self.decide(transaction, Decision::Abort, cx);
        }
        cx.reach("some have pre-committed");
        if cx.runs(&NO_REACK) {
            return self.decide(transaction, Decision::Commit, cx);
        }
        let (rest, acked): (Vec<_>, Vec<_>) =
            phases.iter().partition(|(_, phase)| **phase == Phase::Waiting);
        let ids =
            |of: Vec<(&ProcessId, _)>| of.into_iter().map(|(p, _)| *p).collect::<ProcessSet>();
        self.prepare(transaction, Decision::Commit, ids(acked), &ids(rest), cx);
    }

    /// Whether this site or one of these has pre-committed.
    fn has_pre_committed(
        &self,
        transaction: Transaction,
        phases: &BTreeMap<ProcessId, Phase>,
    ) -> bool {
        let mine = self.phase(transaction);
        phases.values().copied().chain(mine).any(|phase| phase == Phase::PreCommitted)
    }
}

/// Asking.
impl ThreePhaseCommit {
    /// Repeats the questions that are not answered.
    pub(super) fn ask_again(&mut self, transaction: Transaction, cx: &mut Context) {
        let coordinator = self.coordinator(transaction, cx);
        let Some(site) = self.sites.get(&transaction) else { return };
        let silent = |heard: &dyn Fn(ProcessId) -> bool| -> Vec<ProcessId> {
            cx.others().filter(|p| !heard(*p) && !site.failed.contains(*p)).collect()
        };
        match (&site.state, &site.task) {
            (State::Decided(_), _) => return,
            (State::Working { .. }, _) if self.suspected.contains(coordinator) => {
                cx.reach("aborted alone");
                return self.abort_alone(transaction, cx);
            }
            (State::Undecided(_), _) if site.recovering => return self.resume(transaction, cx),
            (_, Task::None) => cx.send(coordinator, Msg::Inquiry(transaction)),
            (_, Task::Votes(missing)) => cx.send_to(missing.iter(), Msg::CanCommit(transaction)),
            (_, Task::States(phases)) => {
                let silent = silent(&|p| phases.contains_key(&p));
                cx.send_to(silent, Msg::StateReq(transaction));
            }
            (_, Task::Acks { decision, acked }) => {
                let silent = silent(&|p| acked.contains(p));
                cx.send_to(silent, Msg::before(transaction, *decision));
            }
        }
        self.wait(transaction, cx);
    }

    /// A site that takes this one for the coordinator knows that all before have failed.
    pub(super) fn on_inquiry(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        cx: &mut Context,
    ) {
        self.answer(from, transaction, cx);
        let me = cx.me();
        if let Some(site) = self.operational(transaction)
            && from != me
            && matches!(site.task, Task::None)
        {
            site.failed.extend(cx.processes().filter(|p| *p < me));
            self.take_over_in_turn(transaction, cx);
        }
    }

    /// Asks all for the decision on a transaction in which this site has crashed.
    pub(super) fn resume(&mut self, transaction: Transaction, cx: &mut Context) {
        if self.params.variant == Variant::Quorum {
            return self.collect_states(transaction, cx);
        }
        if let Some(phase) = self.phase(transaction) {
            cx.reach("recovering");
            cx.send_to_others(Msg::Recovering(transaction, phase));
            self.wait(transaction, cx);
        }
    }

    pub(super) fn on_recovering(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        phase: Phase,
        cx: &mut Context,
    ) {
        match self.sites.get_mut(&transaction) {
            Some(Site { state: State::Undecided(_), recovering: true, task, .. }) => {
                if let Task::States(phases) = task {
                    phases.insert(from, phase);
                    self.check_total_failure(transaction, cx);
                }
            }
            Some(site) if site.is_operational() => self.on_failure(transaction, from, cx),
            _ => self.answer(from, transaction, cx),
        }
    }

    /// Decides once all others have crashed in the transaction and have recovered, undecided.
    fn check_total_failure(&mut self, transaction: Transaction, cx: &mut Context) {
        let Some(Site { task: Task::States(phases), .. }) = self.sites.get(&transaction) else {
            return;
        };
        if cx.others().all(|p| phases.contains_key(&p)) {
            cx.reach("total failure");
            let decision = match self.has_pre_committed(transaction, phases) {
                true => Decision::Commit,
                false => Decision::Abort,
            };
            self.decide(transaction, decision, cx);
        }
    }
}
