//! The leaders: phases 1 (a) and 2 (a) of all instances of a transaction, and the decision.
//!
//! The coordinator leads ballot 0, in which participants propose their own values. It leads a
//! higher one if that takes too long, and so does any coordinator or acceptor that is asked for the
//! decision and knows none:
//!
//! 1. it sends PHASE-1A with a ballot of its own that is higher than all it knows to the acceptors;
//! 2. once F + 1 have promised, it sends PHASE-2A: in each instance the value of the highest ballot
//!    that they report, and Aborted if they report none. Its participant may not be prepared, and
//!    whoever is waiting for it should not have to;
//! 3. once F + 1 have accepted the values of its ballot, it sends the decision to all.
//!
//! A leader that an acceptor refuses waits before it tries again, the longer the more often it has,
//! so that one is alone for long enough in the end.

use std::collections::BTreeMap;

use ftsim_core::{Cx, Duration, ProcessId, ProcessSet};

use super::mutants::{IGNORE_REPORTS, PRESUME_PREPARED, TOO_FEW_ACCEPTORS};
use super::{ACCEPTOR, BALLOT_ZERO, Msg, PaxosCommit, Record, Timer, Value, Values, majority};
use crate::spec::atomic_commit::{COORDINATOR, Decision, PARTICIPANT, Transaction};
use crate::spec::ballots::Ballot;

/// What a leader knows of a transaction.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Leader {
    /// The highest round that it has used or heard of.
    round: u64,
    /// The number of ballots that it has led in this life.
    attempts: u64,
    stage: Stage,
}

#[derive(Clone, Debug, Default, Hash)]
enum Stage {
    #[default]
    Idle,
    /// It waits for promises; with those that have come, and what they report.
    One {
        ballot: Ballot,
        promises: BTreeMap<ProcessId, Vec<(ProcessId, Ballot, Value)>>,
    },
    /// It waits for acceptances; with those that have come, in each instance.
    Two {
        ballot: Ballot,
        accepted: BTreeMap<(ProcessId, Value), ProcessSet>,
    },
    Decided(Decision),
}

impl Leader {
    pub fn has_tried(&mut self, round: u64) {
        self.round = round.max(self.round);
    }

    pub fn restore_decision(&mut self, decision: Decision) {
        self.stage = Stage::Decided(decision);
    }
}

impl PaxosCommit {
    /// Leads ballot 0.
    pub(super) fn begin(&mut self, transaction: Transaction, cx: &mut Cx<Self>) {
        let leader = self.leaders.entry(transaction).or_default();
        if matches!(leader.stage, Stage::Idle) && leader.attempts == 0 {
            leader.attempts = 1;
            leader.stage = Stage::Two { ballot: BALLOT_ZERO, accepted: BTreeMap::new() };
            cx.send_to(cx.role(PARTICIPANT), Msg::Prepare(transaction));
            cx.set_timer(self.patience, Timer::Lead(transaction));
        }
    }

    pub(super) fn on_inquiry(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        cx: &mut Cx<Self>,
    ) {
        match self.leaders.get(&transaction).map(|leader| &leader.stage) {
            Some(Stage::Decided(decision)) => {
                cx.send(from, Msg::decided(transaction, *decision));
            }
            _ => self.lead_if_asked(transaction, cx),
        }
    }

    /// Leads a ballot, unless it leads one already.
    pub(super) fn lead_if_asked(&mut self, transaction: Transaction, cx: &mut Cx<Self>) {
        let is_idle = |leader: &Leader| matches!(leader.stage, Stage::Idle) && leader.attempts == 0;
        if self.leaders.get(&transaction).is_none_or(is_idle) {
            cx.reach("took over");
            self.lead(transaction, cx);
        }
    }

    /// Phase 1 (a), in a ballot that is higher than all that it knows.
    pub(super) fn lead(&mut self, transaction: Transaction, cx: &mut Cx<Self>) {
        let leader = self.leaders.entry(transaction).or_default();
        if matches!(leader.stage, Stage::Decided(_)) {
            return;
        }
        cx.reach("leads a higher ballot");
        leader.round = leader.round.saturating_add(1);
        leader.attempts += 1;
        let ballot = Ballot { round: leader.round, proposer: cx.me() };
        leader.stage = Stage::One { ballot, promises: BTreeMap::new() };
        cx.append(Record::Tried(transaction, ballot.round));
        cx.sync();
        cx.send_to(cx.role(ACCEPTOR), Msg::Phase1a(transaction, ballot));
        // The later of two leaders waits for longer.
        let stagger = self.patience.as_nanos() / u64::from(cx.n()) * u64::from(cx.me().0);
        let patience = self.patience.times(leader.attempts) + Duration::from_nanos(stagger);
        cx.set_timer(patience, Timer::Lead(transaction));
    }

    /// Phase 2 (a).
    pub(super) fn on_phase_1b(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        promised: Ballot,
        reported: Vec<(ProcessId, Ballot, Value)>,
        cx: &mut Cx<Self>,
    ) {
        let Some(leader) = self.leaders.get_mut(&transaction) else { return };
        let Stage::One { ballot, promises } = &mut leader.stage else { return };
        if promised != *ballot {
            return;
        }
        promises.insert(from, reported);
        if promises.len() < majority(cx.setting()) {
            return;
        }
        let reports: Vec<_> = promises.values().flatten().copied().collect();
        let values: Values = cx.role(PARTICIPANT).map(|p| (p, free_or(p, &reports, cx))).collect();
        let ballot = *ballot;
        leader.stage = Stage::Two { ballot, accepted: BTreeMap::new() };
        cx.send_to(cx.role(ACCEPTOR), Msg::Phase2a(transaction, ballot, values));
    }

    /// The decision, once enough acceptors have accepted the values of the leader's ballot.
    pub(super) fn on_phase_2b(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        of: Ballot,
        values: Values,
        cx: &mut Cx<Self>,
    ) {
        let Some(leader) = self.leaders.get_mut(&transaction) else { return };
        let Stage::Two { ballot, accepted } = &mut leader.stage else { return };
        if of != *ballot {
            return;
        }
        for instance in values {
            accepted.entry(instance).or_default().insert(from);
        }
        let fewer = usize::from(cx.runs(&TOO_FEW_ACCEPTORS));
        let enough = majority(cx.setting()) - fewer;
        let is_chosen = |p: ProcessId, value| {
            accepted.get(&(p, value)).is_some_and(|acceptors| acceptors.len() >= enough)
        };
        if cx.role(PARTICIPANT).any(|p| is_chosen(p, Value::Aborted)) {
            self.decide(transaction, Decision::Abort, cx);
        } else if cx.role(PARTICIPANT).all(|p| is_chosen(p, Value::Prepared)) {
            self.decide(transaction, Decision::Commit, cx);
        }
    }

    fn decide(&mut self, transaction: Transaction, decision: Decision, cx: &mut Cx<Self>) {
        // As in the paper acceptors do not hear of what is decided in ballot 0.
        let hears_all = self.leaders.get(&transaction).is_some_and(|leader| leader.round > 0);
        self.learn(transaction, decision, cx);
        cx.send_to(cx.role(PARTICIPANT), Msg::decided(transaction, decision));
        if hears_all {
            let me = cx.me();
            let rest = cx.role(COORDINATOR).chain(cx.role(ACCEPTOR)).filter(|p| *p != me);
            cx.send_to(rest, Msg::decided(transaction, decision));
        }
    }

    /// Learns the decision at a coordinator or an acceptor; only the former announces it.
    pub(super) fn learn(
        &mut self,
        transaction: Transaction,
        decision: Decision,
        cx: &mut Cx<Self>,
    ) {
        let leader = self.leaders.entry(transaction).or_default();
        if matches!(leader.stage, Stage::Decided(_)) {
            return;
        }
        leader.stage = Stage::Decided(decision);
        cx.cancel_timer(Timer::Lead(transaction));
        if cx.setting().has_role(cx.me(), COORDINATOR) {
            cx.append(Record::Decided(transaction, decision));
            cx.indicate(decision.announced(transaction));
        }
    }

    /// An acceptor has promised a higher ballot: this one is lost, the timer brings the next.
    pub(super) fn on_nack(&mut self, transaction: Transaction, higher: Ballot) {
        if let Some(leader) = self.leaders.get_mut(&transaction) {
            leader.has_tried(higher.round);
            let ballot = match &leader.stage {
                Stage::One { ballot, .. } | Stage::Two { ballot, .. } => *ballot,
                Stage::Idle | Stage::Decided(_) => return,
            };
            if ballot < higher {
                leader.stage = Stage::Idle;
            }
        }
    }
}

/// The value to propose in the instance of `p`: that of the highest ballot among the reports, or
/// Aborted if it is free.
fn free_or(p: ProcessId, reports: &[(ProcessId, Ballot, Value)], cx: &Cx<PaxosCommit>) -> Value {
    let of_p = reports.iter().filter(|(q, ..)| *q == p);
    let highest = of_p.max_by_key(|(_, ballot, _)| *ballot).map(|(_, _, value)| *value);
    let free = if cx.runs(&PRESUME_PREPARED) { Value::Prepared } else { Value::Aborted };
    if cx.runs(&IGNORE_REPORTS) { Value::Aborted } else { highest.unwrap_or(free) }
}
