//! Faults whose targets are chosen by each seed: any process, a minority, a majority, or the
//! leader.

use std::fmt;
use std::ops::Range;

use crate::fault::{Fault, Plan, Trigger};
use crate::rng::{Rng, Stream};

/// Faults of a plan that differ only in their process, of which a run has only some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnTarget {
    /// The range of the faults: the same number for each candidate, one candidate after the other.
    pub faults: Range<usize>,
    /// The number of candidates, at least 1.
    pub candidate_count: usize,
    /// The rule that selects targets.
    pub of: TargetRule,
}

/// Rules that select targets among the candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetRule {
    /// One, drawn from the seed.
    Any,
    /// As many as leave a majority untouched, drawn from the seed.
    Minority,
    /// The smallest majority, drawn from the seed.
    Majority,
    /// The process that leads when the fault strikes, if any. The faults' actions express this.
    Leader,
}

impl TargetRule {
    const fn count(self, candidates: usize) -> usize {
        match self {
            Self::Any => 1,
            Self::Minority => candidates.saturating_sub(1) / 2,
            Self::Majority => candidates / 2 + 1,
            Self::Leader => candidates,
        }
    }
}

impl fmt::Display for TargetRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any process",
            Self::Minority => "a minority",
            Self::Majority => "a majority",
            Self::Leader => "the leader",
        })
    }
}

impl DrawnTarget {
    /// Disables the faults in `plan` whose candidates this seed does not choose; the others keep
    /// their indices. `number` is the number of this choice in its experiment.
    pub(crate) fn make(&self, plan: &mut Plan, number: u32, seed: u64) {
        let mut candidates: Vec<usize> = (0..self.candidate_count).collect();
        Rng::new(seed, Stream::Choice(number)).shuffle(&mut candidates);
        let each = self.faults.len() / self.candidate_count.max(1);
        for candidate in candidates.into_iter().skip(self.of.count(self.candidate_count)) {
            let start = self.faults.start + candidate * each;
            let unchosen = plan.faults.iter_mut().skip(start).take(each);
            unchosen.for_each(|fault: &mut Fault| fault.trigger = Trigger::Never);
        }
    }
}
