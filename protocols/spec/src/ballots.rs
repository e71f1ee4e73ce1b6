//! Consensus by ballots: a value is chosen once a majority has accepted one proposal.
//!
//! Source: Lamport (1998), *The part-time parliament*; Lamport (2001), *Paxos made simple*, section
//! 2. This is [`Consensus`], with two properties of how its solutions choose: P1a and P2b of the
//! second paper. All processes are acceptors. What they promise and accept are probes; an acceptor
//! announces it when it is on stable storage, before anybody else learns of it.

use std::collections::BTreeMap;
use std::fmt;

use ftsim_core::{
    FaultClass, Invalid, Observation, Observed, OperationName, ProcessId, ProcessSet, Property,
    PropertyEntry, PropertyId, Setting, Spec, Violation,
};
use serde::{Deserialize, Serialize};

use crate::consensus::{
    AGREEMENT, Agreement, Consensus, ConsensusWorkload, Decision, INTEGRITY, Integrity, Proposers,
    Request, TERMINATION, Termination, UNIFORM_AGREEMENT, UniformAgreement, VALIDITY, Validity,
    Value,
};

/// The problem of choosing one of the proposed values by ballots.
pub struct ConsensusByBallots;

/// The number of a proposal: a round, and of one round the ballots of different proposers differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ballot {
    /// Its round, from 1.
    pub round: u64,
    /// The proposer.
    pub proposer: ProcessId,
}

impl fmt::Debug for Ballot {
    /// Formats as `2.p1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.round, self.proposer)
    }
}

/// A proposal: a ballot and its value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Proposal {
    /// Its number.
    pub ballot: Ballot,
    /// Its value.
    pub value: Value,
}

impl fmt::Debug for Proposal {
    /// Formats as `7 in 2.p1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {:?}", self.value, self.ballot)
    }
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// This value is decided.
    Decide(Value),
    /// A probe: an acceptor will accept no proposal with a lower number.
    Promise(Ballot),
    /// A probe: a proposer is about to ask acceptors to accept this proposal.
    Propose(Proposal),
    /// A probe: an acceptor has accepted this proposal.
    Accept(Proposal),
}

impl Decision for Indication {
    fn decided(&self) -> Option<Value> {
        match self {
            Self::Decide(value) => Some(*value),
            _ => None,
        }
    }
}

/// P1a: an acceptor keeps its promises.
pub const PROMISE: PropertyId = PropertyId("px.promise");
/// P2b: what is chosen stays chosen.
pub const CHOSEN_STABLE: PropertyId = PropertyId("px.chosen-stable");

impl Spec for ConsensusByBallots {
    const NAME: &'static str = "consensus by ballots";
    const FAULTS: &'static [FaultClass] = Consensus::FAULTS;
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(VALIDITY, "a value that is decided was proposed before", |_| {
            Box::new(Validity::default())
        }),
        PropertyEntry::safety(
            INTEGRITY,
            "no process decides differently from before, or the same twice without a crash",
            |_| Box::new(Integrity::default()),
        ),
        PropertyEntry::safety(AGREEMENT, "no two correct processes decide differently", |_| {
            Box::new(Agreement::default())
        }),
        PropertyEntry::safety(
            UNIFORM_AGREEMENT,
            "no two processes, correct or faulty, decide differently",
            |_| Box::new(UniformAgreement::default()),
        ),
        PropertyEntry::safety(
            PROMISE,
            "no acceptor accepts a ballot lower than one that it has promised, over restarts too",
            |_| Box::new(KeptPromises::default()),
        ),
        PropertyEntry::safety(
            CHOSEN_STABLE,
            "if a proposal is chosen, every proposal with a higher ballot has the same value",
            |setting| Box::new(ChosenStable::new(setting)),
        ),
        PropertyEntry::liveness(
            TERMINATION,
            "every correct process eventually decides, if one has proposed and not crashed since",
            |_| Box::new(Termination::of_volatile_proposals()),
        ),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = ConsensusWorkload;
    type Workload = Proposers;

    fn workload(settings: &ConsensusWorkload, setting: &Setting) -> Result<Proposers, Invalid> {
        Consensus::workload(settings, setting)
    }

    fn is_probe(indication: &Indication) -> bool {
        indication.decided().is_none()
    }

    fn operation(p: ProcessId, request: &Request) -> Option<OperationName> {
        Consensus::operation(p, request)
    }

    fn phrase(indication: &Indication) -> Option<String> {
        Some(match indication {
            Indication::Decide(value) => format!("decides {value}"),
            Indication::Promise(ballot) => format!("promises {ballot:?}"),
            Indication::Propose(proposal) => format!("proposes {proposal:?}"),
            Indication::Accept(proposal) => format!("accepts {proposal:?}"),
        })
    }

    fn answers(p: ProcessId, indication: &Indication) -> impl Iterator<Item = OperationName> {
        indication.decided().map(|_| OperationName::at(p, 0)).into_iter()
    }
}

/// P1a: remembers the highest promise of each acceptor. To accept a ballot is to promise it.
#[derive(Clone, Debug, Default, Hash)]
struct KeptPromises {
    promised: BTreeMap<ProcessId, Ballot>,
    accepted: u64,
}

impl Property<ConsensusByBallots> for KeptPromises {
    fn observe(&mut self, event: &Observed<'_, ConsensusByBallots>) -> Result<(), Violation> {
        let p = event.process;
        let ballot = match event.what {
            Observation::Indication(Indication::Promise(ballot)) => *ballot,
            Observation::Indication(Indication::Accept(Proposal { ballot, .. })) => {
                self.accepted += 1;
                match self.promised.get(&p) {
                    Some(promised) if promised > ballot => {
                        let message =
                            format!("{p} accepted {ballot:?}, having promised {promised:?}");
                        return Err(Violation::by([p], message));
                    }
                    _ => *ballot,
                }
            }
            _ => return Ok(()),
        };
        let promised = self.promised.entry(p).or_insert(ballot);
        *promised = ballot.max(*promised);
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.accepted
    }
}

/// P2b: remembers all proposals, and which acceptors have accepted each.
///
/// A proposal can be chosen after one with a higher ballot has been issued, so both are compared
/// when the later of the two happens.
#[derive(Clone, Debug, Hash)]
struct ChosenStable {
    n: u32,
    proposers: BTreeMap<Proposal, ProcessId>,
    acceptors: BTreeMap<Proposal, ProcessSet>,
    /// The chosen proposal with the lowest ballot.
    chosen: Option<Proposal>,
}

impl ChosenStable {
    fn new(setting: &Setting) -> Self {
        Self { n: setting.n, proposers: BTreeMap::new(), acceptors: BTreeMap::new(), chosen: None }
    }

    fn is_chosen(&self, proposal: Proposal) -> bool {
        let count = self.acceptors.get(&proposal).map_or(0, ProcessSet::len);
        count > (self.n / 2) as usize
    }

    fn judge(&self) -> Result<(), Violation> {
        let Some(chosen) = self.chosen else { return Ok(()) };
        let differs =
            |other: &Proposal| other.ballot > chosen.ballot && other.value != chosen.value;
        match self.proposers.iter().find(|(other, _)| differs(other)) {
            None => Ok(()),
            Some((other, p)) => Err(Violation::by(
                [*p],
                format!("{chosen:?} is chosen, and {p} proposed {other:?}"),
            )),
        }
    }
}

impl Property<ConsensusByBallots> for ChosenStable {
    fn observe(&mut self, event: &Observed<'_, ConsensusByBallots>) -> Result<(), Violation> {
        match event.what {
            Observation::Indication(Indication::Propose(proposal)) => {
                self.proposers.insert(*proposal, event.process);
            }
            Observation::Indication(Indication::Accept(proposal)) => {
                self.acceptors.entry(*proposal).or_default().insert(event.process);
                if !self.is_chosen(*proposal) || self.chosen.is_some_and(|c| c <= *proposal) {
                    return Ok(());
                }
                self.chosen = Some(*proposal);
            }
            _ => return Ok(()),
        }
        self.judge()
    }

    /// The proposals with a higher ballot than a chosen one.
    fn exercised(&self) -> u64 {
        self.chosen.map_or(0, |chosen| {
            self.proposers.keys().filter(|other| other.ballot > chosen.ballot).count() as u64
        })
    }
}

#[cfg(test)]
mod tests;
