//! Faults whose targets each seed chooses: any process, a minority, a majority, or who leads.

use std::fmt;
use std::ops::Range;

use crate::fault::{Fault, Plan, Trigger};
use crate::rng::{Rng, Stream};

/// Faults of a plan that are the same but for their process, of which a run has some only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnTarget {
    /// Which faults: as many for each candidate, one candidate after the other.
    pub faults: Range<usize>,
    /// How many candidates there are, at least 1.
    pub candidate_count: usize,
    /// Which of them are struck.
    pub of: TargetRule,
}

/// Which candidates are struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetRule {
    /// One, drawn from the seed.
    Any,
    /// As many as leave a majority, drawn from the seed.
    Minority,
    /// Just a majority, drawn from the seed.
    Majority,
    /// The one that leads when the fault strikes, if one does. Their actions say so.
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
    /// Takes those faults out of `plan` whose candidates this seed does not choose; the others keep
    /// their places. `number` is that of this choice in its experiment.
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
