//! The acceptors: phases 1 (b) and 2 (b) of all instances of a transaction.

use std::collections::BTreeMap;

use ftsim_core::{Cx, ProcessId};

use super::mutants::ANSWER_BEFORE_LOG;
use super::{BALLOT_ZERO, Msg, PaxosCommit, Record, Value, Values};
use crate::spec::atomic_commit::{COORDINATOR, PARTICIPANT, Transaction};
use crate::spec::ballots::Ballot;

/// What an acceptor knows of a transaction.
#[derive(Clone, Debug, Hash)]
pub(super) struct Acceptor {
    promised: Ballot,
    /// The value of the highest ballot that it has accepted in each instance.
    accepted: BTreeMap<ProcessId, (Ballot, Value)>,
}

impl Default for Acceptor {
    fn default() -> Self {
        Self { promised: BALLOT_ZERO, accepted: BTreeMap::new() }
    }
}

impl Acceptor {
    pub fn restore_promise(&mut self, ballot: Ballot) {
        self.promised = ballot.max(self.promised);
    }

    pub fn restore(&mut self, manager: ProcessId, ballot: Ballot, value: Value) {
        self.restore_promise(ballot);
        self.accepted.insert(manager, (ballot, value));
    }

    /// The values accepted in this ballot.
    fn accepted_in(&self, ballot: Ballot) -> Values {
        let accepted = self.accepted.iter().filter(|(_, (of, _))| *of == ballot);
        accepted.map(|(manager, (_, value))| (*manager, *value)).collect()
    }
}

impl PaxosCommit {
    /// Phase 1 (b).
    pub(super) fn on_phase_1a(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        ballot: Ballot,
        cx: &mut Cx<Self>,
    ) {
        let acceptor = self.acceptors.entry(transaction).or_default();
        if acceptor.promised > ballot {
            return cx.send(from, Msg::Nack(transaction, acceptor.promised));
        }
        acceptor.promised = ballot;
        cx.append(Record::Promised(transaction, ballot));
        cx.sync();
        let accepted = acceptor.accepted.iter().map(|(p, (of, value))| (*p, *of, *value));
        cx.send(from, Msg::Phase1b(transaction, ballot, accepted.collect()));
    }

    /// Phase 2 (b).
    pub(super) fn on_phase_2a(
        &mut self,
        from: ProcessId,
        transaction: Transaction,
        ballot: Ballot,
        values: &Values,
        cx: &mut Cx<Self>,
    ) {
        let acceptor = self.acceptors.entry(transaction).or_default();
        if acceptor.promised > ballot {
            if ballot != BALLOT_ZERO {
                cx.send(from, Msg::Nack(transaction, acceptor.promised));
            }
            return;
        }
        acceptor.promised = ballot;
        for (manager, value) in values {
            if acceptor.accepted.get(manager).is_none_or(|(of, _)| *of < ballot) {
                acceptor.accepted.insert(*manager, (ballot, *value));
                cx.append(Record::Accepted(transaction, *manager, ballot, *value));
            }
        }
        let accepted = acceptor.accepted_in(ballot);
        // In ballot 0 it waits for all instances: one write and one message are enough then.
        let aborts = accepted.iter().any(|(_, value)| *value == Value::Aborted);
        if ballot == BALLOT_ZERO && accepted.len() < cx.role(PARTICIPANT).len() && !aborts {
            return;
        }
        let leader = if ballot == BALLOT_ZERO { cx.role(COORDINATOR).next() } else { Some(from) };
        if !cx.runs(&ANSWER_BEFORE_LOG) {
            cx.sync();
        }
        cx.send_to(leader, Msg::Phase2b(transaction, ballot, accepted));
        if cx.runs(&ANSWER_BEFORE_LOG) {
            cx.sync();
        }
    }
}
