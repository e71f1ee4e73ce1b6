//! What a site knows after a crash.

use ftsim_core::{Cx, Stored};

use super::params::Variant;
use super::{Phase, Record, Site, State, Task, ThreePhaseCommit};
use crate::spec::atomic_commit::{Decision, Indication, PARTICIPANT, Transaction, Vote};

impl ThreePhaseCommit {
    /// Redoes the decisions in the log and locks what is undecided. Announces votes and decisions
    /// again, since the crash may have come between a record and its announcement.
    pub(super) fn restore(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        let mut writers = Vec::new();
        for record in log.iter().filter_map(Stored::intact) {
            match *record {
                Record::Waiting { transaction, writes } => {
                    if writes {
                        writers.push(transaction);
                    }
                    cx.indicate(Indication::Voted { transaction, vote: Vote::Yes });
                    self.restore_phase(transaction, Phase::Waiting);
                }
                Record::Before(transaction, decision) => {
                    self.restore_phase(transaction, Phase::before(decision));
                }
                Record::Decided(transaction, decision) => {
                    if decision == Decision::Commit && writers.contains(&transaction) {
                        self.item.redo(transaction);
                    }
                    cx.indicate(decision.announced(transaction));
                    self.sites.insert(transaction, Site::new(State::Decided(decision), Task::None));
                }
            }
        }
        if cx.setting().has_role(cx.me(), PARTICIPANT) {
            for transaction in self.undecided() {
                self.item.restore(transaction, writers.contains(&transaction));
            }
        }
    }

    fn restore_phase(&mut self, transaction: Transaction, phase: Phase) {
        let task = Task::States(std::collections::BTreeMap::new());
        let recovering = self.params.variant == Variant::SiteFailures;
        let site = Site { recovering, ..Site::new(State::Undecided(phase), task) };
        self.sites.insert(transaction, site);
    }
}
