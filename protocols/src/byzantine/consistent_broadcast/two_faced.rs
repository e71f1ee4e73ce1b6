//! A liar that says 1 to one half of the processes and 0 to the other half, as a sender and of
//! other senders.

use ftsim_core::model::adversary::{CustomAdversary, Liar};

use super::Msg;

pub(super) const TWO_FACED: CustomAdversary<Msg> = CustomAdversary {
    name: "two-faced",
    summary: "says and echoes 1 to p0, p2, … and 0 to p1, p3, …",
    says,
};

fn says(msg: &Msg, liar: &mut Liar<'_>) -> Vec<Msg> {
    let content = u64::from(liar.to().0 % 2 == 0);
    match *msg {
        Msg::Send { number, .. } => vec![Msg::Send { number, content }],
        Msg::Echo { sender, number, .. } => vec![Msg::Echo { sender, number, content }],
    }
}
