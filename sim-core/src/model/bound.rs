//! Bounds on the number of faulty processes.

use std::fmt;

use crate::id::ProcessId;
use crate::model::setting::Setting;

/// A bound on the number of faulty processes, as the literature writes it: `f < n/3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    limit: Limit,
    /// The parameter with the number of faults that the protocol is to tolerate.
    parameter: Option<(&'static str, u32)>,
    /// The only role that counts; `None`: all roles.
    role: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    AtMost(u32),
    /// Fewer than n divided by this.
    LessThanPart(u32),
    Any,
    AnyThatRecover,
    /// At most this many at the same time, and all recover.
    AtOnce(u32),
}

impl Bound {
    /// `f = 0`.
    pub const NONE: Self = Self::at_most(0);
    /// `f < n`.
    pub const ALL_BUT_ONE: Self = Self::less_than_part(1);
    /// `f < n/2`.
    pub const MINORITY: Self = Self::less_than_part(2);
    /// `f < n/3`.
    pub const LESS_THAN_A_THIRD: Self = Self::less_than_part(3);
    /// `f < n/4`.
    pub const LESS_THAN_A_QUARTER: Self = Self::less_than_part(4);
    /// `f < n/5`.
    pub const LESS_THAN_A_FIFTH: Self = Self::less_than_part(5);
    /// Any number.
    pub const ANY: Self = Self::of_limit(Limit::Any);
    /// Any number may crash, and all recover.
    pub const ANY_THAT_RECOVER: Self = Self::of_limit(Limit::AnyThatRecover);

    /// At most `count` are down or recovering at the same time, and all recover.
    pub const fn at_once(count: u32) -> Self {
        Self::of_limit(Limit::AtOnce(count))
    }

    /// `f <= count`.
    pub const fn at_most(count: u32) -> Self {
        Self::of_limit(Limit::AtMost(count))
    }

    const fn less_than_part(divisor: u32) -> Self {
        Self::of_limit(Limit::LessThanPart(divisor))
    }

    const fn of_limit(limit: Limit) -> Self {
        Self { limit, parameter: None, role: None }
    }

    /// The same, and at most the value of parameter `name`, which must itself respect the bound.
    #[must_use]
    pub const fn given_as(self, name: &'static str, value: u32) -> Self {
        Self { parameter: Some((name, value)), ..self }
    }

    /// The same for the processes with this role alone; any number of the others may fail.
    #[must_use]
    pub const fn of(self, role: &'static str) -> Self {
        Self { role: Some(role), ..self }
    }

    /// The parameter that gives the number of faults to tolerate, and its value.
    pub const fn parameter(&self) -> Option<(&'static str, u32)> {
        self.parameter
    }

    /// The largest number of processes that may be down at the same time, if all recover; `None` if
    /// any number may.
    pub const fn max_at_once(&self) -> Option<u32> {
        match self.limit {
            Limit::AtOnce(count) => Some(count),
            _ => None,
        }
    }

    /// The largest number of faulty processes, counted among those that the bound is about. `None`
    /// if its parameter violates the bound: then nothing is guaranteed.
    pub fn max(&self, setting: &Setting) -> Option<u32> {
        let n = self.role.map_or(setting.n, |role| setting.role_size(role));
        let max = match self.limit {
            Limit::AtMost(count) => count.min(n),
            Limit::LessThanPart(divisor) => n.div_ceil(divisor).saturating_sub(1),
            Limit::Any => n,
            // A process that recovers is not faulty in the end.
            Limit::AnyThatRecover | Limit::AtOnce(_) => 0,
        };
        match self.parameter {
            Some((_, value)) => (value <= max).then_some(value),
            None => Some(max),
        }
    }

    /// Whether the protocol is correct when exactly these processes are faulty.
    pub fn admits(&self, setting: &Setting, faulty: impl Iterator<Item = ProcessId>) -> bool {
        let counts = |p: &ProcessId| self.role.is_none_or(|role| setting.has_role(*p, role));
        let count = faulty.filter(counts).count();
        self.max(setting).is_some_and(|max| count <= max as usize)
    }

    /// Whether the protocol makes progress when exactly these processes are well. If any number may
    /// fail, all must be well.
    pub fn lets_progress(
        &self,
        setting: &Setting,
        mut is_well: impl FnMut(ProcessId) -> bool,
    ) -> bool {
        let mut faulty = setting.processes().filter(|p| !is_well(*p));
        match self.limit {
            Limit::Any => faulty.next().is_none(),
            _ => self.admits(setting, faulty),
        }
    }
}

impl fmt::Display for Bound {
    /// `f < n/3`, `m < n/3`, `f <= 1 server`, `any number, if they recover`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.parameter.map_or("f", |(name, _)| name);
        match self.limit {
            Limit::AtMost(0) => write!(f, "{name} = 0")?,
            Limit::AtMost(count) => write!(f, "{name} <= {count}")?,
            Limit::LessThanPart(1) => write!(f, "{name} < n")?,
            Limit::LessThanPart(divisor) => write!(f, "{name} < n/{divisor}")?,
            Limit::Any | Limit::AnyThatRecover => f.write_str("any number")?,
            Limit::AtOnce(count) => write!(f, "{name} <= {count} at once")?,
        }
        match (self.role, self.limit) {
            (Some(role), Limit::AtMost(1)) => write!(f, " {role}")?,
            (Some(role), Limit::Any | Limit::AnyThatRecover) => write!(f, " of {role}s")?,
            (Some(role), _) => write!(f, " {role}s")?,
            (None, _) => {}
        }
        match self.limit {
            Limit::AnyThatRecover | Limit::AtOnce(_) => f.write_str(", if they recover"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn four_servers_and_a_client() -> Setting {
        Setting { roles: vec![("server".into(), 4), ("client".into(), 1)], ..Setting::of(5) }
    }

    #[test]
    fn it_is_written_as_in_the_literature() {
        let bounds = [
            (Bound::NONE, "f = 0"),
            (Bound::ALL_BUT_ONE, "f < n"),
            (Bound::MINORITY.of("server"), "f < n/2 servers"),
            (Bound::at_most(1).of("server"), "f <= 1 server"),
            (Bound::LESS_THAN_A_THIRD.given_as("m", 2), "m < n/3"),
            (Bound::ANY, "any number"),
            (Bound::at_once(2), "f <= 2 at once, if they recover"),
            (Bound::ANY.of("server"), "any number of servers"),
            (Bound::ANY_THAT_RECOVER, "any number, if they recover"),
            (Bound::ANY_THAT_RECOVER.of("server"), "any number of servers, if they recover"),
        ];
        for (bound, text) in bounds {
            assert_eq!(bound.to_string(), text);
        }
    }

    #[test]
    fn its_largest_number_of_faulty_processes() {
        let max = |bound: Bound, n| bound.max(&Setting::of(n));
        assert_eq!([1, 2, 5].map(|n| max(Bound::ALL_BUT_ONE, n)), [0, 1, 4].map(Some));
        assert_eq!([1, 2, 3, 4, 5].map(|n| max(Bound::MINORITY, n)), [0, 0, 1, 1, 2].map(Some));
        let thirds = [3, 4, 6, 7].map(|n| max(Bound::LESS_THAN_A_THIRD, n));
        assert_eq!(thirds, [0, 1, 1, 2].map(Some));
        assert_eq!(max(Bound::LESS_THAN_A_QUARTER, 5), Some(1));
        assert_eq!(max(Bound::at_most(2), 1), Some(1));
        let given = |m| max(Bound::LESS_THAN_A_THIRD.given_as("m", m), 7);
        assert_eq!([0, 1, 2, 3].map(given), [Some(0), Some(1), Some(2), None]);
    }

    #[test]
    fn how_many_may_be_down_at_once_is_bounded_only_where_all_recover() {
        assert_eq!(Bound::at_once(2).max_at_once(), Some(2));
        assert_eq!(Bound::at_once(2).max(&Setting::of(5)), Some(0));
        assert_eq!(Bound::at_most(2).max_at_once(), None);
        assert_eq!(Bound::ANY_THAT_RECOVER.max_at_once(), None);
    }

    #[test]
    fn only_its_role_counts() {
        let setting = four_servers_and_a_client();
        let bound = Bound::MINORITY.of("server");
        let admits = |faulty: &[u32]| bound.admits(&setting, faulty.iter().map(|p| ProcessId(*p)));
        assert!(admits(&[0, 4]));
        assert!(!admits(&[0, 1]));
        assert!(bound.lets_progress(&setting, |p| p.0 != 4 && p.0 != 0));
    }

    #[test]
    fn progress_needs_all_where_any_number_may_fail() {
        let setting = Setting::of(3);
        for bound in [Bound::ANY, Bound::ANY_THAT_RECOVER, Bound::at_once(1), Bound::NONE] {
            assert!(bound.lets_progress(&setting, |_| true));
            assert!(!bound.lets_progress(&setting, |p| p.0 != 2));
        }
        assert!(Bound::ALL_BUT_ONE.lets_progress(&setting, |p| p.0 == 2));
        assert!(!Bound::ALL_BUT_ONE.lets_progress(&setting, |_| false));
    }
}
