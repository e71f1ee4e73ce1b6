//! The setting that every process knows from the start, and errors in settings.

use std::ops::Range;

use crate::id::ProcessId;
use crate::model::mutant::Mutant;
use crate::time::Duration;

/// The setting that every process of a run knows from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The number of processes.
    pub n: u32,
    /// The number of processes in each role, in the order of their ids; adds up to `n`.
    pub roles: Vec<(String, u32)>,
    /// The mutant being run, if any.
    pub mutant: Option<&'static Mutant>,
    /// δ: the maximum message delay between correct processes once the network is stable.
    pub delay_bound: Duration,
}

impl Setting {
    /// `n` processes with one role and the default delay bound of 10 ms.
    pub fn of(n: u32) -> Self {
        Self {
            n,
            roles: vec![("process".into(), n)],
            mutant: None,
            delay_bound: Duration::from_millis(10),
        }
    }

    /// A setting with `each` processes of each role.
    pub fn with_roles(roles: &[&str], each: u32) -> Self {
        let n = each * u32::try_from(roles.len()).unwrap_or(u32::MAX);
        let roles = roles.iter().map(|role| ((*role).to_owned(), each)).collect();
        Self { roles, ..Self::of(n) }
    }

    /// All processes.
    pub fn processes(
        &self,
    ) -> impl DoubleEndedIterator<Item = ProcessId> + ExactSizeIterator + use<> {
        (0..self.n).map(ProcessId)
    }

    /// The processes with this role; none if there is no such role.
    pub fn role(
        &self,
        name: &str,
    ) -> impl DoubleEndedIterator<Item = ProcessId> + ExactSizeIterator + use<> {
        self.role_range(name).map(ProcessId)
    }

    /// Whether `p` has this role.
    pub fn has_role(&self, p: ProcessId, name: &str) -> bool {
        self.role_range(name).contains(&p.0)
    }

    /// The number of processes with this role; 0 if there is no such role.
    pub fn role_size(&self, name: &str) -> u32 {
        let range = self.role_range(name);
        range.end - range.start
    }

    /// The setting of the processes with this role alone, which must be the first ones. It runs no
    /// mutant.
    #[must_use]
    pub fn among(&self, role: &str) -> Self {
        let n = self.role_size(role);
        Self { n, roles: vec![(role.to_owned(), n)], mutant: None, delay_bound: self.delay_bound }
    }

    /// Whether this mutant is being run.
    pub fn runs(&self, mutant: &Mutant) -> bool {
        self.mutant.is_some_and(|running| running.is(mutant))
    }

    fn role_range(&self, name: &str) -> Range<u32> {
        let mut first = 0;
        for (role, count) in &self.roles {
            if role == name {
                return first..first + count;
            }
            first += count;
        }
        0..0
    }
}

/// An error in a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The key, relative to its section; a key that begins with `processes` is absolute.
    pub key: String,
    /// What is wrong with its value.
    pub message: String,
}

impl Invalid {
    /// The value under `key` is wrong, for the reason given.
    pub fn new(key: &str, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }

    /// The number of processes that have this role is wrong, for the reason given.
    pub fn role(role: &str, message: impl Into<String>) -> Self {
        Self::new(&format!("processes.{role}"), message)
    }

    /// The same error with its key in the scenario, if the key is relative to this section.
    pub(crate) fn within(self, section: &str) -> Self {
        if self.key.starts_with("processes.") {
            return self;
        }
        Self { key: format!("{section}.{}", self.key), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::Invalid;

    #[test]
    fn a_wrong_key_is_found_in_its_section_unless_it_is_absolute() {
        assert_eq!(Invalid::new("f", "too many").within("params").key, "params.f");
        assert_eq!(Invalid::role("server", "too few").within("params").key, "processes.server");
    }
}
