//! A traitor that divides the loyal generals: it tells one half of them that the order is 1 and the
//! other half that it is 0, whatever order it received, and from whom.

use ftsim_core::model::adversary::{CustomAdversary, Liar};

use super::Msg;

pub(super) const TWO_FACED: CustomAdversary<Msg> = CustomAdversary {
    name: "two-faced",
    summary: "says 1 to p0, p2, … and 0 to p1, p3, …, whatever it was told",
    says,
};

fn says(msg: &Msg, liar: &mut Liar<'_>) -> Vec<Msg> {
    let Msg::Order { path, .. } = msg;
    let value = u64::from(liar.to().0 % 2 == 0);
    vec![Msg::Order { path: path.clone(), value }]
}
