//! Which runs an exploration makes.

use std::fmt;
use std::str::FromStr;

use ftsim_core::explore::sample;

/// Which runs to make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// One of each class, or all runs.
    #[default]
    Exhaustive,
    /// Some, one after the other.
    Sampled(sample::Strategy),
    /// One of each class of fault patterns in lockstep that lineage can tell to be alike.
    Lineage,
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exhaustive => f.write_str("exhaustive"),
            Self::Sampled(strategy) => strategy.fmt(f),
            Self::Lineage => f.write_str("lineage"),
        }
    }
}

impl FromStr for Strategy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "exhaustive" => Ok(Self::Exhaustive),
            "lineage" => Ok(Self::Lineage),
            _ => text.parse().map(Self::Sampled).map_err(|()| {
                "a strategy is exhaustive, lineage, random, pos, or pct:D with a depth D from 1 on"
                    .to_owned()
            }),
        }
    }
}
