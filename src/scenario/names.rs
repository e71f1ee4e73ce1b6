//! Names of processes in a scenario: `p3`, a role, `all`.

use ftsim_core::{ProcessId, Setting};

use super::problems::Problems;
use crate::scenario::file::Targets;

/// The processes that a scenario can name.
pub struct Names<'s> {
    setting: &'s Setting,
}

impl<'s> Names<'s> {
    /// The processes of this setting.
    pub const fn new(setting: &'s Setting) -> Self {
        Self { setting }
    }

    /// The one process of this name: an id, or a role that one process has.
    pub fn one(&self, problems: &mut Problems<'_>, path: &str, name: &str) -> Option<ProcessId> {
        match *self.lookup(problems, path, name)?.as_slice() {
            [process] => Some(process),
            ref several => {
                let count = several.len();
                problems
                    .value(path, format!("expected one process, `{name}` names {count}"))
                    .help("write an id such as \"p0\"");
                None
            }
        }
    }

    /// The processes of these names, each once, in the order of their ids.
    pub fn many(
        &self,
        problems: &mut Problems<'_>,
        path: &str,
        targets: &Targets,
    ) -> Option<Vec<ProcessId>> {
        let mut processes = match targets {
            Targets::One(name) => self.lookup(problems, path, name)?,
            Targets::Many(names) => {
                let found: Vec<_> = (0..names.len())
                    .map(|i| self.lookup(problems, &format!("{path}[{i}]"), &names[i]))
                    .collect();
                found.into_iter().collect::<Option<Vec<_>>>()?.concat()
            }
        };
        if processes.is_empty() {
            problems.value(path, "no process is named here");
            return None;
        }
        processes.sort_unstable();
        processes.dedup();
        Some(processes)
    }

    fn lookup(
        &self,
        problems: &mut Problems<'_>,
        path: &str,
        name: &str,
    ) -> Option<Vec<ProcessId>> {
        if name == "all" {
            return Some(self.setting.processes().collect());
        }
        if self.setting.roles.iter().any(|(role, _)| role == name) {
            return Some(self.setting.role(name).collect());
        }
        let last = self.setting.n.saturating_sub(1);
        match name.parse::<ProcessId>() {
            Ok(p) if p.0 < self.setting.n => Some(vec![p]),
            Ok(p) => {
                problems
                    .value(path, format!("there is no process {p}"))
                    .label(format!("processes are p0 to p{last}"));
                None
            }
            Err(_) => {
                let valid: Vec<&str> =
                    self.setting.roles.iter().map(|(role, _)| role.as_str()).collect();
                let near = crate::scenario::diagnostic::did_you_mean(
                    name,
                    valid.into_iter().chain(["all"]),
                );
                let hint = problems
                    .value(path, format!("unknown process `{name}`"))
                    .label(format!("expected p0 to p{last}, a role, or \"all\""));
                if let Some(near) = near {
                    hint.help(near);
                }
                None
            }
        }
    }
}
