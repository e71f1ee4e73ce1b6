//! Paxos, for a single decree: a value is chosen once a majority has accepted one proposal.
//!
//! Source: Lamport (2001), *Paxos made simple*, section 2, whose order this file follows; Lamport
//! (1998), *The part-time parliament*. Spec: [`ConsensusByBallots`]. Model: partially synchronous,
//! crash-recovery, f < n/2, fair-loss links; only progress needs time.
//!
//! Every process is a proposer, an acceptor and a learner.
//!
//! - Phase 1 (a): a proposer selects a ballot and sends PREPARE with it to the acceptors.
//! - Phase 1 (b): an acceptor that has promised no higher ballot promises this one: it will accept
//!   no lower one. It responds with the proposal of the highest ballot that it has accepted.
//! - Phase 2 (a): once a majority has responded, the proposer sends ACCEPT with the value of the
//!   highest ballot among the responses, or with any value if they reported none.
//! - Phase 2 (b): an acceptor accepts the proposal unless it has promised a higher ballot.
//! - Learning: acceptors respond to the proposer, the *distinguished learner* of its ballot. It
//!   learns that the value is chosen once a majority has accepted the proposal, and sends DECIDE.
//! - Progress: an acceptor informs a proposer whose request it ignores. A proposer that learns of a
//!   higher ballot abandons its own, and all wait before they issue another: the longer the more
//!   often they have, and the longer the higher their id. So one is alone for long enough in the
//!   end. A learner that does not learn issues a proposal too (section 2.3), if it has no value of
//!   its own then only one that is reported.
//!
//! Why it works (P2c): two majorities have a process in common. If a value is chosen, a majority
//! has accepted it; of every higher ballot's majority someone reports it, and by induction nobody
//! reports another value with a higher ballot. What is promised and accepted is on stable storage
//! before anybody learns of it (section 2.5).
//!
//! Words: a *proposal number* is a ballot here, as in 1998. Unlike in the text, requests are sent
//! to all acceptors, and one that comes again is answered again, since links may have lost the
//! response.

mod mutants;

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::ballots::{Ballot, ConsensusByBallots, Indication, Proposal};
use crate::spec::consensus::{Request, Value};
use mutants::{
    ANY_REPORTED_VALUE, DUELLING_PROPOSERS, DUPLICATE_BALLOTS, FORGET_ACCEPTED, FORGET_PROMISE,
    HALF_QUORUM, MIXED_BALLOT_LEARNER, OWN_VALUE,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Phase 1 (a): a prepare request.
    Prepare(Ballot),
    /// Phase 1 (b): a promise, and what the acceptor has accepted before.
    Promise { ballot: Ballot, accepted: Option<Proposal> },
    /// Phase 2 (a): an accept request.
    Accept(Proposal),
    /// Phase 2 (b): the proposal is accepted.
    Accepted(Proposal),
    /// A request is ignored, because this higher ballot has been promised.
    Nack(Ballot),
    /// This value is chosen.
    Decide(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// Nothing is decided yet.
    Retry,
}

/// The records of its log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// As a proposer: it may have used its ballot of this round.
    Tried(u64),
    /// As an acceptor: it may have promised this ballot.
    Promised(Ballot),
    /// As an acceptor: it has accepted this proposal.
    Accepted(Proposal),
}

/// A process of Paxos.
#[derive(Clone, Debug, Hash)]
pub struct Paxos {
    /// How long it waits before it issues its first proposal unasked.
    patience: Duration,
    /// Proposer: the value to propose, if nothing else may have been chosen.
    value: Option<Value>,
    /// Proposer: the highest round that it has used or heard of.
    round: u64,
    phase: Phase,
    /// Proposer: the number of proposals that it has issued in this life.
    issued: u64,
    /// Acceptor: the highest ballot promised.
    promised: Option<Ballot>,
    /// Acceptor: the proposal of the highest ballot accepted.
    accepted: Option<Proposal>,
    /// Learner: for each acceptor the last proposal that it is known to have accepted.
    acceptances: BTreeMap<ProcessId, Proposal>,
    decided: Option<Value>,
}

/// What a proposer is doing.
#[derive(Clone, Debug, Hash)]
enum Phase {
    /// It waits.
    Idle,
    /// It waits for promises; with those that have come, and what they reported.
    One { ballot: Ballot, promises: BTreeMap<ProcessId, Option<Proposal>> },
    /// It waits for its proposal to be accepted.
    Two(Proposal),
}

impl Process for Paxos {
    type Spec = ConsensusByBallots;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        self.wait(cx);
    }

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        for record in log.iter().filter_map(Stored::intact) {
            self.restore(record, cx);
        }
        self.round = self.promised.map_or(0, |ballot| ballot.round).max(self.round);
        self.wait(cx);
    }

    fn on_request(&mut self, Request::Propose(value): Request, cx: &mut Cx<Self>) {
        self.value.get_or_insert(value);
        if self.decided.is_none() && matches!(self.phase, Phase::Idle) {
            self.prepare(cx);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Prepare(ballot) => self.on_prepare(from, ballot, cx),
            Msg::Promise { ballot, accepted } => self.on_promise(from, ballot, accepted, cx),
            Msg::Accept(proposal) => self.on_accept(from, proposal, cx),
            Msg::Accepted(proposal) => self.on_accepted(from, proposal, cx),
            Msg::Nack(higher) => self.give_way(higher, cx),
            Msg::Decide(value) => self.learn(value, cx),
        }
    }

    fn on_timer(&mut self, Timer::Retry: Timer, cx: &mut Cx<Self>) {
        self.try_again(cx);
    }
}

/// Section 2.2: choosing a value.
impl Paxos {
    /// Phase 1 (a). The ballot is higher than any that this proposer has used (section 2.5).
    fn prepare(&mut self, cx: &mut Cx<Self>) {
        self.round = self.round.saturating_add(1);
        self.issued += 1;
        let proposer = if cx.runs(&DUPLICATE_BALLOTS) { ProcessId(0) } else { cx.me() };
        let ballot = Ballot { round: self.round, proposer };
        self.phase = Phase::One { ballot, promises: BTreeMap::new() };
        cx.append(Record::Tried(self.round));
        cx.sync();
        cx.broadcast(Msg::Prepare(ballot));
        self.wait(cx);
    }

    /// Phase 1 (b).
    fn on_prepare(&mut self, from: ProcessId, ballot: Ballot, cx: &mut Cx<Self>) {
        if let Some(higher) = self.promised.filter(|promised| *promised > ballot) {
            return cx.send(from, Msg::Nack(higher));
        }
        if self.promised.replace(ballot) != Some(ballot) && !cx.runs(&FORGET_PROMISE) {
            cx.append(Record::Promised(ballot));
            cx.sync();
        }
        cx.indicate(Indication::Promise(ballot));
        cx.send(from, Msg::Promise { ballot, accepted: self.accepted });
        self.give_way(ballot, cx);
    }

    /// Phase 2 (a).
    fn on_promise(
        &mut self,
        from: ProcessId,
        promised: Ballot,
        accepted: Option<Proposal>,
        cx: &mut Cx<Self>,
    ) {
        let Phase::One { ballot, promises } = &mut self.phase else { return };
        if promised != *ballot {
            return;
        }
        promises.insert(from, accepted);
        if promises.len() < quorum(cx) {
            return;
        }
        let reported = promises.values().flatten();
        let highest = match cx.runs(&ANY_REPORTED_VALUE) {
            false => reported.max(),
            true => reported.min(),
        };
        let reported = highest.map(|proposal| proposal.value);
        let value =
            if cx.runs(&OWN_VALUE) { self.value.or(reported) } else { reported.or(self.value) };
        let Some(value) = value else {
            cx.reach("has nothing to propose");
            self.phase = Phase::Idle;
            return;
        };
        let proposal = Proposal { ballot: *ballot, value };
        self.phase = Phase::Two(proposal);
        cx.indicate(Indication::Propose(proposal));
        cx.broadcast(Msg::Accept(proposal));
    }

    /// Phase 2 (b).
    fn on_accept(&mut self, from: ProcessId, proposal: Proposal, cx: &mut Cx<Self>) {
        let ballot = proposal.ballot;
        if let Some(higher) = self.promised.filter(|promised| *promised > ballot) {
            return cx.send(from, Msg::Nack(higher));
        }
        self.promised = Some(ballot);
        if self.accepted.replace(proposal) != Some(proposal) {
            cx.append(Record::Accepted(proposal));
            cx.sync();
        }
        cx.indicate(Indication::Accept(proposal));
        cx.send(from, Msg::Accepted(proposal));
        self.give_way(ballot, cx);
    }
}

/// Section 2.3: learning a chosen value.
impl Paxos {
    /// At the distinguished learner.
    fn on_accepted(&mut self, from: ProcessId, proposal: Proposal, cx: &mut Cx<Self>) {
        let last = self.acceptances.entry(from).or_insert(proposal);
        *last = proposal.max(*last);
        let is_same = |other: &&Proposal| match cx.runs(&MIXED_BALLOT_LEARNER) {
            false => **other == proposal,
            true => other.value == proposal.value,
        };
        let count = self.acceptances.values().filter(is_same).count();
        if self.decided.is_none() && count >= quorum(cx) {
            self.learn(proposal.value, cx);
            cx.send_to_others(Msg::Decide(proposal.value));
        }
    }

    fn learn(&mut self, value: Value, cx: &mut Cx<Self>) {
        if self.decided.is_none() {
            self.decided = Some(value);
            self.phase = Phase::Idle;
            cx.cancel_timer(Timer::Retry);
            cx.indicate(Indication::Decide(value));
        }
    }
}

/// Section 2.4: progress.
impl Paxos {
    /// It learns of another proposer's ballot; if that is higher than its own, it abandons its own.
    fn give_way(&mut self, other: Ballot, cx: &mut Cx<Self>) {
        self.round = other.round.max(self.round);
        if self.decided.is_some() || self.phase.ballot() >= Some(other) {
            return;
        }
        if !matches!(self.phase, Phase::Idle) {
            cx.reach("abandoned a proposal");
            self.phase = Phase::Idle;
            if cx.runs(&DUELLING_PROPOSERS) {
                return self.prepare(cx);
            }
        }
        self.wait(cx);
    }

    /// Waits for a decision, before it tries again.
    fn wait(&self, cx: &mut Cx<Self>) {
        cx.set_timer(self.patience.times(self.issued.saturating_add(1)), Timer::Retry);
    }

    /// Repeats its request where no response has come, or issues another proposal.
    fn try_again(&mut self, cx: &mut Cx<Self>) {
        match &self.phase {
            Phase::Idle => return self.prepare(cx),
            Phase::One { ballot, promises } => {
                let silent = cx.others().filter(|p| !promises.contains_key(p));
                cx.send_to(silent, Msg::Prepare(*ballot));
            }
            Phase::Two(proposal) => {
                let silent = cx.others().filter(|p| self.acceptances.get(p) != Some(proposal));
                cx.send_to(silent, Msg::Accept(*proposal));
            }
        }
        self.wait(cx);
    }
}

/// Section 2.5: what it remembers.
impl Paxos {
    fn restore(&mut self, record: &Record, cx: &Cx<Self>) {
        match *record {
            Record::Tried(round) => self.round = round.max(self.round),
            Record::Promised(ballot) => self.promised = Some(ballot).max(self.promised),
            Record::Accepted(proposal) => {
                self.promised = Some(proposal.ballot).max(self.promised);
                if !cx.runs(&FORGET_ACCEPTED) {
                    self.accepted = Some(proposal).max(self.accepted);
                }
            }
        }
    }
}

impl Phase {
    /// The ballot that is under way.
    const fn ballot(&self) -> Option<Ballot> {
        match self {
            Self::Idle => None,
            Self::One { ballot, .. } | Self::Two(Proposal { ballot, .. }) => Some(*ballot),
        }
    }
}

/// The size of a majority.
fn quorum(cx: &Cx<Paxos>) -> usize {
    let half_count = cx.n().div_ceil(2) as usize;
    if cx.runs(&HALF_QUORUM) { half_count } else { cx.n() as usize / 2 + 1 }
}

/// `[params]` of `paxos`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// How long a process waits before it repeats a request, or issues another proposal. It waits
    /// for twice as long after its first proposal, three times after its second, and so on.
    pub retry: Duration,
    /// How much longer than the process before it each waits.
    pub stagger: Duration,
}

impl Default for Params {
    fn default() -> Self {
        Self { retry: Duration::from_millis(100), stagger: Duration::from_millis(30) }
    }
}

impl Protocol for Paxos {
    const NAME: &'static str = "paxos";
    const SUMMARY: &'static str = "consensus by ballots: promises of a majority, then acceptances";
    const SOURCE: &'static str = "Lamport 1998, The part-time parliament; Lamport 2001, Paxos made \
                                  simple";
    const MUTANTS: &'static [Mutant] = mutants::ALL;

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::PARTIALLY_SYNCHRONOUS.crash_recovery(Bound::MINORITY).over(Links::FairLoss)
    }

    fn validate(params: &Params, _: &Setting) -> Result<(), Invalid> {
        for (key, duration) in [("retry", params.retry), ("stagger", params.stagger)] {
            if duration == Duration::ZERO {
                return Err(Invalid::new(key, "must be longer than zero"));
            }
        }
        Ok(())
    }

    fn new(params: &Params, _: &Setting, me: ProcessId) -> Self {
        Self {
            patience: params.retry + params.stagger.times(me.0.into()),
            value: None,
            round: 0,
            phase: Phase::Idle,
            issued: 0,
            promised: None,
            accepted: None,
            acceptances: BTreeMap::new(),
            decided: None,
        }
    }
}
