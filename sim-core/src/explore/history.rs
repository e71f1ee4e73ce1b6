//! What runs have in common that differ only in the order of steps that commute.

use std::hash::Hash as _;

use super::footprint::PART_COUNT;
use super::step::Step;
use crate::digest::Digest;

/// The class of a run: equal for runs that differ only in the order of steps that commute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(u64);

impl ClassId {
    /// The class of a run with these steps.
    ///
    /// For each part of the state: the sequence of the steps that wrote it, and between two of them
    /// the set of those that read it. Dependent steps meet at a part, so that these say their order
    /// and nothing else.
    pub fn of(steps: &[Step]) -> Self {
        let mut class = Digest::EMPTY;
        for part in 0..PART_COUNT {
            let mut reads = 0u64;
            for step in steps.iter().filter(|step| step.footprint.touches(part)) {
                if step.footprint.writes(part) {
                    reads.hash(&mut class);
                    class.mix(step.choice.digest().value());
                    reads = 0;
                } else {
                    reads = reads.wrapping_add(step.choice.digest().value());
                }
            }
            (part, reads).hash(&mut class);
        }
        let all = steps.iter().map(|step| step.choice.digest().value());
        class.mix(all.fold(0, u64::wrapping_add));
        Self(class.value())
    }
}
