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
    /// Some, each of which can follow one that has led to something new.
    Guided,
    /// All states, each once.
    States,
    /// One of each class of fault patterns in lockstep that lineage can tell to be alike.
    Lineage,
}

impl Strategy {
    /// Whether it draws some of all runs.
    pub const fn draws(self) -> bool {
        matches!(self, Self::Sampled(_) | Self::Guided)
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exhaustive => f.write_str("exhaustive"),
            Self::Sampled(strategy) => strategy.fmt(f),
            Self::Guided => f.write_str("guided"),
            Self::States => f.write_str("states"),
            Self::Lineage => f.write_str("lineage"),
        }
    }
}

impl FromStr for Strategy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "exhaustive" => Ok(Self::Exhaustive),
            "states" => Ok(Self::States),
            "lineage" => Ok(Self::Lineage),
            "guided" => Ok(Self::Guided),
            _ => text.parse().map(Self::Sampled).map_err(|()| {
                "a strategy is exhaustive, states, lineage, random, pos, guided, or pct:D with a \
                 depth D from 1 on"
                    .to_owned()
            }),
        }
    }
}
