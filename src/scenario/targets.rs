//! Whom a fault strikes: processes by name, or some that each seed chooses.

use ftsim_core::ProcessId;
use ftsim_core::fault::Action;
use ftsim_core::fault::choice::TargetRule;

use super::faults::Reader;
use super::problems::Problems;
use crate::scenario::file::Targets;

impl Reader<'_> {
    /// The processes that a key names; all of them where each seed is to choose.
    pub(super) fn candidates(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        targets: &Targets,
    ) -> Option<Vec<ProcessId>> {
        self.chosen.set(self.choice(targets));
        match self.chosen.get() {
            Some(_) => Some(self.around.setting.processes().collect()),
            None => self.around.names.many(problems, &self.at(key), targets),
        }
    }

    /// What a name leaves to the seed. A role of that name comes first.
    pub(super) fn choice(&self, targets: &Targets) -> Option<TargetRule> {
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

    /// Each action only if its process leads.
    pub(super) fn if_leads(
        &self,
        problems: &mut Problems<'_>,
        actions: Vec<Action>,
    ) -> Vec<Action> {
        if !self.around.has_leader {
            problems
                .value(&self.path, "processes of this protocol do not announce a leader")
                .help("write \"any\" for a process that each seed draws");
        }
        let leads = |(p, action)| Action::IfLeads(p, Box::new(action));
        self.around.setting.processes().zip(actions).map(leads).collect()
    }
}
