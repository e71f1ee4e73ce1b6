//! How long a unit is up, and how long it is down.

use ftsim_core::prelude::*;
use ftsim_core::rng::Rng;

/// Whole means after which a drawn duration ends at the latest; e^−64 are longer.
const WHOLE_COUNT_MAX: u64 = 64;

/// The law of the times to failure and to repair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Law {
    /// Constant rates: a unit that is up fails in the next moment as likely as a new one.
    #[default]
    Exponential,
    /// Every time is the mean, and units fail one after the other at equal distances.
    Periodic,
}

impl Law {
    /// A duration with this mean, and never none at all.
    pub(super) fn draw(self, mean: Duration, rng: &mut Rng) -> Duration {
        match self {
            Self::Exponential => exponential(mean, rng),
            Self::Periodic => mean,
        }
    }
}

/// A duration of the exponential law with this mean (von Neumann 1951, *Various techniques used in
/// connection with random digits*): numbers are drawn until one is not below the one before it. The
/// first is taken if this makes an odd count of falling numbers, which given a first number x has
/// probability 1 − x + x²/2 − … = e^−x. If not, one mean has passed, and it begins anew.
///
/// Only integers are compared, and nothing is approximated but the result, which is rounded to
/// nanoseconds: by less than one of them.
fn exponential(mean: Duration, rng: &mut Rng) -> Duration {
    let mean = u128::from(mean.as_nanos());
    for whole in 0..WHOLE_COUNT_MAX {
        let first = rng.bits();
        let (mut last, mut is_odd) = (first, true);
        loop {
            let next = rng.bits();
            if next >= last {
                break;
            }
            (last, is_odd) = (next, !is_odd);
        }
        if is_odd {
            let ns = mean * u128::from(whole) + ((mean * u128::from(first)) >> 64);
            return Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX).max(1));
        }
    }
    Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX)).times(WHOLE_COUNT_MAX)
}
