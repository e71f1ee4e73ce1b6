//! Single-decree Paxos as a register that is written once.
//!
//! Source: Lamport (1998), *The part-time parliament*; the model is that of stateright's example:
//! each server that a client asks to write leads one ballot, and a server that knows the chosen
//! value answers reads with it. A client whose value is not chosen gets no answer.

use serde::{Deserialize, Serialize};

use super::register::{Msg, OperationId, Server};
use crate::machine::{Event, Out, Setup};

/// A number, and the server that leads.
pub type Ballot = (u32, u32);

/// A value, and the operation that writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Proposal {
    id: OperationId,
    value: u8,
}

/// The last proposal that a server has accepted.
type Accepted = Option<(Ballot, Proposal)>;

/// What servers say to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Internal {
    /// 1a.
    Prepare(Ballot),
    /// 1b, with what was accepted last.
    Promise(Ballot, Accepted),
    /// 2a.
    Accept(Ballot, Proposal),
    /// 2b.
    Accepted(Ballot),
    /// A majority has accepted this.
    Chosen(Ballot, Proposal),
}

const SERVER_COUNT_MAX: usize = 5;

/// A server: proposer, acceptor and learner.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Paxos {
    me: u32,
    servers: u32,
    ballot: Ballot,
    proposal: Option<Proposal>,
    promises: [Option<Accepted>; SERVER_COUNT_MAX],
    acceptors: u32,
    accepted: Accepted,
    is_chosen: bool,
    /// Reads that wait until it knows the chosen value.
    waiting: Vec<OperationId>,
    /// Whether a leader proposes its own value whatever was accepted before.
    is_broken: bool,
}

impl Paxos {
    fn broadcast(&self, msg: Internal, out: &mut impl Out<Msg<Internal>>) {
        let others = (0..self.servers).filter(|p| *p != self.me);
        others.for_each(|p| out.send(p, Msg::Internal(msg)));
    }

    fn is_majority(&self, count: u32) -> bool {
        count == self.servers / 2 + 1
    }

    fn on_put(&mut self, proposal: Proposal, out: &mut impl Out<Msg<Internal>>) {
        self.proposal = Some(proposal);
        self.ballot = (self.ballot.0 + 1, self.me);
        self.promises = Default::default();
        self.promises[self.me as usize] = Some(self.accepted);
        self.acceptors = 0;
        self.broadcast(Internal::Prepare(self.ballot), out);
    }

    fn on_promise(&mut self, from: u32, accepted: Accepted, out: &mut impl Out<Msg<Internal>>) {
        self.promises[from as usize] = Some(accepted);
        let count = self.promises.iter().flatten().count();
        if !self.is_majority(u32::try_from(count).expect("few servers")) {
            return;
        }
        let last = self.promises.iter().flatten().max().copied().flatten();
        let before = last.map(|(_, proposal)| proposal).filter(|_| !self.is_broken);
        let Some(proposal) = before.or(self.proposal) else { return };
        self.proposal = Some(proposal);
        self.accepted = Some((self.ballot, proposal));
        self.acceptors = 1 << self.me;
        self.broadcast(Internal::Accept(self.ballot, proposal), out);
    }

    fn on_accepted(&mut self, from: u32, out: &mut impl Out<Msg<Internal>>) {
        self.acceptors |= 1 << from;
        let Some(proposal) =
            self.proposal.filter(|_| self.is_majority(self.acceptors.count_ones()))
        else {
            return;
        };
        self.broadcast(Internal::Chosen(self.ballot, proposal), out);
        out.send(proposal.id.0, Msg::PutOk(proposal.id));
        self.learn(self.ballot, proposal, out);
    }

    fn learn(&mut self, ballot: Ballot, proposal: Proposal, out: &mut impl Out<Msg<Internal>>) {
        self.ballot = ballot;
        self.accepted = Some((ballot, proposal));
        self.is_chosen = true;
        out.tell(Event::Chosen(proposal.value));
        for id in std::mem::take(&mut self.waiting) {
            out.send(id.0, Msg::GetOk(id, proposal.value));
        }
    }
}

impl Server for Paxos {
    type Internal = Internal;

    fn new(setup: &Setup, me: u32) -> Self {
        Self {
            me,
            servers: setup.servers,
            ballot: (0, 0),
            proposal: None,
            promises: Default::default(),
            acceptors: 0,
            accepted: None,
            is_chosen: false,
            waiting: Vec::new(),
            is_broken: setup.is_broken,
        }
    }

    fn heeds(&self, _: u32, msg: &Msg<Internal>) -> bool {
        if self.is_chosen {
            return matches!(msg, Msg::Get(_));
        }
        match msg {
            Msg::Put(..) => self.proposal.is_none(),
            Msg::Internal(Internal::Prepare(ballot)) => self.ballot < *ballot,
            Msg::Internal(Internal::Promise(ballot, _) | Internal::Accepted(ballot)) => {
                *ballot == self.ballot
            }
            Msg::Internal(Internal::Accept(ballot, _)) => self.ballot <= *ballot,
            Msg::Internal(Internal::Chosen(..)) => true,
            Msg::Get(_) | Msg::PutOk(_) | Msg::GetOk(..) => false,
        }
    }

    fn receive(&mut self, from: u32, msg: Msg<Internal>, out: &mut impl Out<Msg<Internal>>) {
        if !self.heeds(from, &msg) {
            if let Msg::Get(id) = msg {
                self.waiting.push(id);
            }
            return;
        }
        match msg {
            Msg::Put(id, value) => self.on_put(Proposal { id, value }, out),
            Msg::Get(id) => {
                if let Some((_, proposal)) = self.accepted {
                    out.send(from, Msg::GetOk(id, proposal.value));
                }
            }
            Msg::Internal(Internal::Prepare(ballot)) => {
                self.ballot = ballot;
                out.send(from, Msg::Internal(Internal::Promise(ballot, self.accepted)));
            }
            Msg::Internal(Internal::Promise(_, accepted)) => self.on_promise(from, accepted, out),
            Msg::Internal(Internal::Accept(ballot, proposal)) => {
                self.ballot = ballot;
                self.accepted = Some((ballot, proposal));
                out.send(from, Msg::Internal(Internal::Accepted(ballot)));
            }
            Msg::Internal(Internal::Accepted(_)) => self.on_accepted(from, out),
            Msg::Internal(Internal::Chosen(ballot, proposal)) => self.learn(ballot, proposal, out),
            Msg::PutOk(_) | Msg::GetOk(..) => {}
        }
    }

    fn chosen(&self) -> Option<u8> {
        self.accepted.filter(|_| self.is_chosen).map(|(_, proposal)| proposal.value)
    }
}
