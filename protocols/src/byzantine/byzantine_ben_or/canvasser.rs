//! A liar that wins some over to a value that coins of 0 and 1 never show, and keeps it from the
//! rest.

use ftsim_core::ProcessId;
use ftsim_core::model::adversary::{CustomAdversary, Liar};

use super::{Msg, Value};

pub(super) const CANVASSER: CustomAdversary<Msg> = CustomAdversary {
    name: "canvasser",
    summary: "reports n - 1 to p1 alone, and proposes it to p1, p2 and p3",
    says,
};

fn says(msg: &Msg, liar: &mut Liar<'_>) -> Vec<Msg> {
    let value = Value::from(liar.setting().n) - 1;
    let ProcessId(to) = liar.to();
    vec![match *msg {
        Msg::Report { round, .. } if to == 1 => Msg::Report { round, value },
        Msg::Report { round, .. } => Msg::Report { round, value: 0 },
        Msg::Proposal { round, .. } => {
            Msg::Proposal { round, value: (1..=3).contains(&to).then_some(value) }
        }
    }]
}
