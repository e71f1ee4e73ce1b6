//! A liar that divides the correct processes: it supports one value towards one half of them and
//! the other value towards the other half, in every round of every phase.

use ftsim_core::model::adversary::{CustomAdversary, Liar};

use super::{Msg, king_of};

pub(super) const TWO_FACED: CustomAdversary<Msg> = CustomAdversary {
    name: "two-faced",
    summary: "backs 1 before p0, p2, … and 0 before p1, p3, …, in all rounds",
    says,
};

/// The messages of a whole phase, sent in place of its value.
fn says(msg: &Msg, liar: &mut Liar<'_>) -> Vec<Msg> {
    let Msg::Value { phase, .. } = *msg else { return Vec::new() };
    let value = u64::from(liar.to().0 % 2 == 0);
    let mut said = vec![Msg::Value { phase, value }, Msg::Propose { phase, value }];
    if liar.me() == king_of(phase) {
        said.push(Msg::King { phase, value });
    }
    said
}
