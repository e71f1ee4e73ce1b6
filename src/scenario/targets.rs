//! Whom a fault strikes: processes by name, or some that each seed chooses.

use ftsim_core::ProcessId;
use ftsim_core::fault::Action;
use ftsim_core::fault::choice::TargetRule;

use super::faults::Reader;
use super::problems::Problems;
use crate::scenario::file::{PartitionFile, Shape, Targets};

impl Reader<'_> {
    /// The processes that a key names; all of them where each seed is to choose.
    pub(super) fn candidates(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        targets: &Targets,
    ) -> Option<Vec<ProcessId>> {
        match self.choice(targets) {
            Some(_) => Some(self.around.setting.processes().collect()),
            None => self.around.names.many(problems, &self.at(key), targets),
        }
    }

    /// Which of the candidates are struck, if the fault does not name them.
    pub(super) fn chosen(&self) -> Option<TargetRule> {
        self.named().and_then(|targets| self.choice(targets))
    }

    /// What a name leaves to the seed. A role of that name comes first.
    fn choice(&self, targets: &Targets) -> Option<TargetRule> {
        let Targets::One(name) = targets else { return None };
        if self.around.setting.roles.iter().any(|(role, _)| role == name) {
            return None;
        }
        Some(match name.as_str() {
            "any" => TargetRule::Any,
            "minority" => TargetRule::Minority,
            "majority" => TargetRule::Majority,
            "leader" => TargetRule::Leader,
            _ => return None,
        })
    }

    /// The key that says whose fault it is.
    fn named(&self) -> Option<&Targets> {
        let fault = self.fault;
        let whole = [
            &fault.crash,
            &fault.exception,
            &fault.start,
            &fault.pause,
            &fault.resume,
            &fault.byzantine,
            &fault.wrong_value,
            &fault.state_corruption,
            &fault.sync_fails,
            &fault.full,
            &fault.freeze,
            &fault.corrupt_record,
            &fault.lose_disk,
        ];
        let within = [
            fault.jump.as_ref().map(|f| &f.process),
            fault.send_omission.as_ref().map(|f| &f.process),
            fault.receive_omission.as_ref().map(|f| &f.process),
            fault.slow.as_ref().map(|f| &f.process),
            fault.slow_sync.as_ref().map(|f| &f.process),
            fault.rollback.as_ref().map(|f| &f.process),
            fault.skew.as_ref().map(|f| &f.process),
            fault.drift.as_ref().map(|f| &f.process),
            fault.partition.as_ref().and_then(isolated),
        ];
        whole.into_iter().flatten().chain(within.into_iter().flatten()).next()
    }

    /// Each action only if its process leads.
    pub(super) fn if_leads(
        &self,
        problems: &mut Problems<'_>,
        actions: Vec<Action>,
    ) -> Vec<Action> {
        if !self.around.has_leader {
            problems
                .value(&self.path, "this protocol has no leader that anybody hears of")
                .help("write \"any\" for a process that each seed draws");
        }
        let leads = |(p, action)| Action::IfLeads(p, Box::new(action));
        self.around.setting.processes().zip(actions).map(leads).collect()
    }
}

fn isolated(partition: &PartitionFile) -> Option<&Targets> {
    partition.process.as_ref().filter(|_| partition.shape == Shape::Isolate)
}
