//! The three phases, as long as nobody fails, and how a site carries out a decision.

use ftsim_core::{Cx, ProcessId, ProcessSet};

use super::params::Variant;
use super::{Msg, Phase, Record, Site, State, Task, ThreePhaseCommit, Timer};
use crate::spec::atomic_commit::{Decision, Indication, PARTICIPANT, Transaction, Vote, Work};

type Context<'a> = Cx<'a, ThreePhaseCommit>;

/// The first phase: votes.
impl ThreePhaseCommit {
    /// Performs a transaction's work at a participant.
    pub(super) fn perform(&mut self, transaction: Transaction, work: Work, cx: &mut Context) {
        if self.sites.contains_key(&transaction) {
            return;
        }
        let vote = if self.item.perform(transaction, work, cx) { Vote::Yes } else { Vote::No };
        self.sites.insert(transaction, Site::new(State::Working { vote }, Task::None));
        self.wait(transaction, cx);
    }

    /// Step 1.
    pub(super) fn begin(&mut self, transaction: Transaction, cx: &mut Context) {
        if self.sites.contains_key(&transaction) {
            return;
        }
        let state = State::Undecided(Phase::Waiting);
        let votes = Task::Votes(cx.role(PARTICIPANT).collect());
        self.sites.insert(transaction, Site::new(state, votes));
        if !self.suspected.is_empty() {
            cx.reach("a participant is down");
            return self.decide(transaction, Decision::Abort, cx);
        }
        cx.send_to(cx.role(PARTICIPANT), Msg::CanCommit(transaction));
        self.wait(transaction, cx);
    }

    /// Step 2.
    pub(super) fn on_can_commit(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        cx: &mut Context,
    ) {
        match self.sites.get(&transaction).map(|site| site.state) {
            Some(State::Working { vote: Vote::Yes | Vote::ReadOnly })
                if self.suspected.is_empty() =>
            {
                self.vote_yes(from, transaction, cx);
            }
            Some(State::Working { .. }) | None => {
                cx.indicate(Indication::Voted { transaction, vote: Vote::No });
                cx.send(from, Msg::Vote(transaction, Vote::No));
                self.abort_alone(transaction, cx);
            }
            Some(State::Undecided(Phase::Waiting)) if self.operational(transaction).is_some() => {
                cx.send(from, Msg::Vote(transaction, Vote::Yes));
            }
            Some(State::Decided(Decision::Abort)) => {
                cx.send(from, Msg::Vote(transaction, Vote::No));
            }
            Some(State::Undecided(_) | State::Decided(Decision::Commit)) => {
                self.answer(from, transaction, cx);
            }
        }
    }

    fn vote_yes(&mut self, coordinator: ProcessId, transaction: Transaction, cx: &mut Context) {
        let writes = self.item.has_written(transaction);
        cx.append(Record::Waiting { transaction, writes });
        cx.sync();
        cx.indicate(Indication::Voted { transaction, vote: Vote::Yes });
        cx.send(coordinator, Msg::Vote(transaction, Vote::Yes));
        let state = State::Undecided(Phase::Waiting);
        self.sites.insert(transaction, Site::new(state, Task::None));
        self.wait(transaction, cx);
    }

    pub(super) fn on_vote(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        vote: Vote,
        cx: &mut Context,
    ) {
        let Some(Site { task: Task::Votes(missing), .. }) = self.operational(transaction) else {
            return;
        };
        if vote == Vote::No {
            return self.decide(transaction, Decision::Abort, cx);
        }
        missing.remove(from);
        if missing.is_empty() {
            let others = cx.others().collect();
            self.prepare(transaction, Decision::Commit, ProcessSet::new(), &others, cx);
        }
    }
}

/// The second phase: before the decision.
impl ThreePhaseCommit {
    /// Step 3, also for whoever has taken over: enters the phase before this decision, and asks
    /// `to` to do the same; `acked` has done so.
    pub(super) fn prepare(
        &mut self,
        transaction: Transaction,
        decision: Decision,
        mut acked: ProcessSet,
        to: &ProcessSet,
        cx: &mut Context,
    ) {
        self.enter(transaction, decision, cx);
        acked.insert(cx.me());
        if let Some(site) = self.operational(transaction) {
            site.task = Task::Acks { decision, acked };
        }
        cx.send_to(to.iter(), Msg::before(transaction, decision));
        self.wait(transaction, cx);
        self.check_acks(transaction, cx);
    }

    /// Forces the record of the phase before this decision, unless it is in this phase already.
    fn enter(&mut self, transaction: Transaction, decision: Decision, cx: &mut Context) {
        let Some(site) = self.operational(transaction) else { return };
        let entered = State::Undecided(Phase::before(decision));
        if site.state != entered {
            site.state = entered;
            cx.append(Record::Before(transaction, decision));
            cx.sync();
        }
    }

    /// Step 4.
    pub(super) fn on_before(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        decision: Decision,
        cx: &mut Context,
    ) {
        if !self.obeys(from, transaction, cx) {
            return;
        }
        let phase = self.phase(transaction);
        if phase == Some(Phase::Waiting) {
            self.enter(transaction, decision, cx);
            if let Some(site) = self.operational(transaction) {
                site.task = Task::None;
            }
            self.wait(transaction, cx);
        } else if phase != Some(Phase::before(decision)) {
            cx.reach("keeps to the other side");
            return;
        }
        cx.send(from, Msg::Ack(transaction, decision));
    }

    pub(super) fn on_ack(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        decided: Decision,
        cx: &mut Context,
    ) {
        if let Some(Site { task: Task::Acks { decision, acked }, .. }) =
            self.operational(transaction)
            && *decision == decided
        {
            acked.insert(from);
            self.check_acks(transaction, cx);
        }
    }

    /// Step 5, once enough sites are in the phase before the decision.
    pub(super) fn check_acks(&mut self, transaction: Transaction, cx: &mut Context) {
        let variant = self.params.variant;
        let quorum = |decision| self.quorum(decision, cx);
        let (commit, abort) = (quorum(Decision::Commit), quorum(Decision::Abort));
        let Some(Site { task: Task::Acks { decision, acked }, failed, .. }) =
            self.operational(transaction)
        else {
            return;
        };
        let decision = *decision;
        let enough = match (variant, decision) {
            (Variant::SiteFailures, _) => {
                cx.processes().all(|p| acked.contains(p) || failed.contains(p))
            }
            (Variant::Quorum, Decision::Commit) => acked.len() >= commit,
            (Variant::Quorum, Decision::Abort) => acked.len() >= abort,
        };
        if enough {
            self.decide(transaction, decision, cx);
        }
    }
}

/// The third phase: the decision.
impl ThreePhaseCommit {
    /// Decides for all.
    pub(super) fn decide(
        &mut self,
        transaction: Transaction,
        decision: Decision,
        cx: &mut Context,
    ) {
        self.conclude(transaction, decision, cx);
        cx.send_to_others(Msg::decided(transaction, decision));
    }

    pub(super) fn on_decision(
        &mut self,
        transaction: Transaction,
        decision: Decision,
        cx: &mut Context,
    ) {
        let collects = |site: &mut Site| !matches!(site.task, Task::None);
        let coordinates = self.operational(transaction).is_some_and(collects);
        match self.sites.get(&transaction).map(|site| site.state) {
            Some(State::Undecided(_)) if coordinates => self.decide(transaction, decision, cx),
            Some(State::Undecided(_)) => self.conclude(transaction, decision, cx),
            // Without a Yes from here, the decision can only be abort.
            Some(State::Working { .. }) | None => self.abort_alone(transaction, cx),
            Some(State::Decided(_)) => {}
        }
    }

    /// Logs and carries out the decision on a transaction that this site may not abort alone.
    fn conclude(&mut self, transaction: Transaction, decision: Decision, cx: &mut Context) {
        cx.append(Record::Decided(transaction, decision));
        cx.sync();
        self.carry_out(transaction, decision, cx);
    }

    /// Aborts a transaction for which this site has not voted Yes nor sent PRE-COMMIT. That needs
    /// no record: after a crash it would abort it again.
    pub(super) fn abort_alone(&mut self, transaction: Transaction, cx: &mut Context) {
        self.carry_out(transaction, Decision::Abort, cx);
    }

    fn carry_out(&mut self, transaction: Transaction, decision: Decision, cx: &mut Context) {
        match decision {
            Decision::Commit => self.item.commit(transaction),
            Decision::Abort => self.item.abort(transaction),
        }
        cx.cancel_timer(Timer::Late(transaction));
        cx.indicate(decision.announced(transaction));
        self.sites.insert(transaction, Site::new(State::Decided(decision), Task::None));
    }
}
