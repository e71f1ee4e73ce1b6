//! A part of a sweep's seeds: part `i` of `n`, in whole blocks.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Part `index` of `count`, written `2/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    /// The number of the part, from 1.
    pub index: u64,
    /// The number of parts.
    pub count: u64,
}

impl Shard {
    /// The seeds of this part: parts follow each other without gaps and differ by one block at
    /// most.
    pub fn seeds(self, all: &Range<u64>, block: u64) -> Range<u64> {
        let blocks = u128::from(all.end.saturating_sub(all.start).div_ceil(block));
        let bound = |index: u64| {
            let before = blocks * u128::from(index) / u128::from(self.count);
            let seed = u128::from(all.start) + before * u128::from(block);
            u64::try_from(seed).unwrap_or(u64::MAX).min(all.end)
        };
        bound(self.index - 1)..bound(self.index)
    }
}

impl FromStr for Shard {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shard = text.split_once('/').and_then(|(index, count)| {
            Some(Self { index: index.parse().ok()?, count: count.parse().ok()? })
        });
        let sound = |shard: &Self| (1..=shard.count).contains(&shard.index);
        shard.filter(sound).ok_or("expected I/N with I from 1 to N, such as 2/4")
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl Serialize for Shard {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Shard {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn shards_are_all_seeds_once_in_whole_blocks(
            from in 0u64..1_000, length in 0u64..5_000, block in 1u64..100, count in 1u64..20,
        ) {
            let all = from..from + length;
            let mut next = all.start;
            for index in 1..=count {
                let part = Shard { index, count }.seeds(&all, block);
                prop_assert_eq!(part.start, next);
                prop_assert!(part.end == all.end || (part.end - from).is_multiple_of(block));
                next = part.end;
            }
            prop_assert_eq!(next, all.end);
        }
    }

    #[test]
    fn a_shard_is_written_as_a_fraction() {
        assert_eq!("2/4".parse(), Ok(Shard { index: 2, count: 4 }));
        for bad in ["0/4", "5/4", "1/0", "x/2", "3"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }
}
