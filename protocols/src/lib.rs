//! The protocols of ftsim.
//!
//! A protocol contains only its algorithm. The problem that it solves is a [`spec`]: requests,
//! indications, clients and properties, defined once for all solutions. This crate uses the engine,
//! but no files and no terminal.

pub mod broadcast;
pub mod byzantine;
pub mod checkpoint;
pub mod commit;
pub mod consensus;
pub mod dependability;
pub mod detectors;
pub mod election;
pub mod exclusion;
pub mod groups;
pub mod links;
pub mod logging;
pub mod order;
pub mod parts;
pub mod replication;

use ftsim_core::{Entry, Protocol};
pub use ftsim_spec as spec;

/// The protocols that a command line offers.
#[derive(Clone, Default)]
pub struct Catalogue {
    entries: Vec<Entry>,
    numbers: Vec<&'static str>,
}

impl From<Entry> for Catalogue {
    /// A catalogue of one protocol.
    fn from(entry: Entry) -> Self {
        Self { entries: vec![entry], numbers: Vec::new() }
    }
}

impl Catalogue {
    /// The protocols of this crate.
    pub fn builtin() -> Self {
        Self::default()
            .with::<detectors::FdPerfect>()
            .with::<detectors::FdExcludeOnTimeout>()
            .with::<detectors::FdHeartbeat>()
            .with::<detectors::FdOperator>()
            .with::<detectors::Swim>()
            .with::<links::ReliableLink>()
            .with::<links::FifoLink>()
            .with::<broadcast::Beb>()
            .with::<broadcast::EagerRb>()
            .with::<broadcast::LazyRb>()
            .with::<broadcast::UniformRb>()
            .with::<broadcast::FifoBroadcast>()
            .with::<broadcast::CausalBroadcast>()
            .with::<broadcast::Gossip>()
            .with::<order::LamportClock>()
            .with::<order::VectorClock>()
            .with::<order::LamportTom>()
            .with::<order::LamportTomFt>()
            .with::<order::SkeenTom>()
            .with::<order::TobSequencer>()
            .with::<order::TobConsensus>()
            .with::<exclusion::LamportMutex>()
            .with::<exclusion::LockServer>()
            .with::<exclusion::Maekawa>()
            .with::<exclusion::RicartAgrawala>()
            .with::<exclusion::SuzukiKasami>()
            .with::<exclusion::TokenRing>()
            .with::<election::ChangRoberts>()
            .with::<election::RingElection>()
            .with::<election::Bully>()
            .with::<election::Omega>()
            .with::<election::OmegaLowerEpoch>()
            .with::<groups::FlatGroup>()
            .with::<groups::HierarchicalGroup>()
            .with::<groups::Membership>()
            .with::<groups::ViewSynchrony>()
            .with::<consensus::AllToAllConsensus>()
            .with::<consensus::FloodingConsensus>()
            .with::<consensus::FloodSet>()
            .with::<consensus::FloodingUniform>()
            .with::<consensus::HierarchicalConsensus>()
            .with::<consensus::HierarchicalUniform>()
            .with::<consensus::BenOr>()
            .with::<consensus::ChandraToueg>()
            .with::<consensus::Paxos>()
            .with::<byzantine::OralMessages>()
            .with::<byzantine::Pbft>()
            .with::<byzantine::PhaseKing>()
            .with::<byzantine::DolevStrong>()
            .with::<byzantine::ConsistentBroadcast>()
            .with::<byzantine::BrachaRb>()
            .with::<byzantine::ByzantineBenOr>()
            .with::<commit::TwoPhaseCommit>()
            .with::<commit::ThreePhaseCommit>()
            .with::<commit::PaxosCommit>()
            .with::<commit::StorageServer>()
            .with::<checkpoint::ChandyLamport>()
            .with::<checkpoint::CkptBlocking>()
            .with::<logging::LogPessimistic>()
            .with::<logging::LogSender>()
            .with::<logging::LogOptimistic>()
            .with::<logging::LogCausal>()
            .with::<checkpoint::KooToueg>()
            .with::<checkpoint::UncoordinatedCkpt>()
            .with::<checkpoint::Cic>()
            .with::<replication::Abd>()
            .with::<replication::HaNfs>()
            .with::<replication::NaiveReplication>()
            .with::<replication::PrimaryBackup>()
            .with::<replication::Smr>()
            .with::<replication::StateTransfer>()
            .with::<replication::MultiPaxos>()
            .with::<replication::Raft>()
            .with::<replication::ChainReplication>()
            .with::<replication::Vr>()
            .with::<replication::WeightedVoting>()
            .with::<dependability::DijkstraRing>()
            .with::<dependability::TwoGenerals>()
            .with::<dependability::NmrVoting>()
            .with::<dependability::TimeRedundancy>()
            .with::<dependability::InfoRedundancy>()
            .with::<dependability::Units>()
            .with::<dependability::FlpBivalence>()
            .with_numbers(include_str!("../numbers.toml"))
    }

    /// Adds a protocol, in place of one with the same name.
    #[must_use]
    pub fn with<P: Protocol>(mut self) -> Self {
        self.entries.retain(|entry| entry.name != P::NAME);
        self.entries.push(Entry::of::<P>());
        self
    }

    /// Adds numbers that the literature gives for protocols: a TOML text, in the form of
    /// `numbers.toml`.
    #[must_use]
    pub fn with_numbers(mut self, toml: &'static str) -> Self {
        self.numbers.push(toml);
        self
    }

    /// The texts with the numbers of protocols.
    pub fn numbers(&self) -> &[&'static str] {
        &self.numbers
    }

    /// The protocols in the order in which they were added.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The protocol with this name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }
}
