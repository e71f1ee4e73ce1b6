//! Eventual leadership where processes recover: the one that has restarted least often.
//!
//! Source: Cachin, Guerraoui and Rodrigues (2011), algorithm 2.9, *elect lower epoch*; Aguilera,
//! Chen and Toueg (2000) for the idea. Spec: [`EventualLeader`]. Model: partially synchronous,
//! crash-recovery, f < n, fair-loss links.
//!
//! Steps: a process counts its starts, its epoch, on stable storage. In each round it sends
//! HEARTBEAT with its epoch to all. At the end of a round it trusts, of all that it has heard in
//! the round, the process of the lowest epoch, and of these the greatest; if that is another one
//! than before, its rounds grow by Δ.
//!
//! Why it works: the epoch of a process that crashes again and again grows without bound, that of a
//! correct one in the end does not. Rounds grow until all correct processes are heard in each, and
//! then all choose the same one.
//!
//! Words: here a process hears itself at once. In the book it trusts the greatest process of all
//! until its first round is over, and so it does here.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::eventual_leader::{EVENTUAL_LEADER, EventualLeader, Indication};

/// How often a process has started.
type Epoch = u64;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The sender is up, in this epoch.
    Heartbeat { epoch: Epoch },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// The round is over.
    Round,
}

/// The records of its log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// It has started with this epoch.
    Started(Epoch),
}

/// A process that trusts the one with the lowest epoch.
#[derive(Clone, Debug, Hash)]
pub struct OmegaLowerEpoch {
    increment: Duration,
    /// How long a round is.
    round: Duration,
    epoch: Epoch,
    leader: ProcessId,
    /// The latest epoch of each process that was heard in this round.
    candidates: BTreeMap<ProcessId, Epoch>,
}

impl Process for OmegaLowerEpoch {
    type Spec = EventualLeader;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        self.on_recover(&[], cx);
    }

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        self.epoch = 1 + last_epoch(log);
        if !cx.runs(&EPOCH_IN_MEMORY) {
            cx.append(Record::Started(self.epoch));
            cx.sync();
        }
        cx.indicate(Indication::Trust(self.leader));
        self.begin_round(cx);
    }

    fn on_request(&mut self, request: Never, _: &mut Cx<Self>) {
        match request {}
    }

    fn on_message(&mut self, from: ProcessId, Msg::Heartbeat { epoch }: Msg, _: &mut Cx<Self>) {
        let known = self.candidates.entry(from).or_insert(epoch);
        *known = epoch.max(*known);
    }

    fn on_timer(&mut self, Timer::Round: Timer, cx: &mut Cx<Self>) {
        let leader = self.select(cx.me());
        if leader != self.leader {
            self.leader = leader;
            self.round = self.round + self.increment;
            cx.indicate(Indication::Trust(leader));
        }
        self.begin_round(cx);
    }
}

impl OmegaLowerEpoch {
    fn begin_round(&mut self, cx: &mut Cx<Self>) {
        self.candidates = [(cx.me(), self.epoch)].into();
        cx.send_to_others(Msg::Heartbeat { epoch: self.epoch });
        cx.set_timer(self.round, Timer::Round);
    }

    /// The candidate with the lowest epoch, and of several the greatest.
    fn select(&self, me: ProcessId) -> ProcessId {
        let by_rank = self.candidates.iter().rev();
        by_rank.min_by_key(|(_, epoch)| **epoch).map_or(me, |(p, _)| *p)
    }
}

fn last_epoch(log: &[Stored<Record>]) -> Epoch {
    let intact = log.iter().filter_map(Stored::intact);
    intact.map(|Record::Started(epoch)| *epoch).max().unwrap_or(0)
}

/// `[params]` of `omega-lower-epoch`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// How long the first rounds are.
    pub round: Duration,
    /// Δ: how much longer they become with each change of the leader.
    pub increment: Duration,
}

impl Default for Params {
    fn default() -> Self {
        Self { round: Duration::from_millis(20), increment: Duration::from_millis(10) }
    }
}

const EPOCH_IN_MEMORY: Mutant =
    Mutant::code("epoch-in-memory", "forgets in a crash how often it has started", EVENTUAL_LEADER);

impl Protocol for OmegaLowerEpoch {
    const NAME: &'static str = "omega-lower-epoch";
    const SUMMARY: &'static str = "eventual leader: the process that has restarted least often";
    const SOURCE: &'static str = "Cachin, Guerraoui & Rodrigues 2011, algorithm 2.9";
    const MUTANTS: &'static [Mutant] = &[EPOCH_IN_MEMORY];

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::PARTIALLY_SYNCHRONOUS.crash_recovery(Bound::ALL_BUT_ONE).over(Links::FairLoss)
    }

    fn validate(params: &Params, _: &Setting) -> Result<(), Invalid> {
        for (key, duration) in [("round", params.round), ("increment", params.increment)] {
            if duration == Duration::ZERO {
                return Err(Invalid::new(key, "must be longer than zero"));
            }
        }
        Ok(())
    }

    fn new(params: &Params, setting: &Setting, _: ProcessId) -> Self {
        Self {
            increment: params.increment,
            round: params.round,
            epoch: 0,
            leader: ProcessId(setting.n.saturating_sub(1)),
            candidates: BTreeMap::new(),
        }
    }
}
