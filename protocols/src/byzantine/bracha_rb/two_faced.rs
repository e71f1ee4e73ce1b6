//! A liar that says 1 to one half of the processes and 0 to the other half, as a sender and of
//! other senders. Of its own messages it says at once all that there is to say.

use ftsim_core::model::adversary::{CustomAdversary, Liar};

use super::Msg;

pub(super) const TWO_FACED: CustomAdversary<Msg> = CustomAdversary {
    name: "two-faced",
    summary: "backs 1 before p0, p2, … and 0 before p1, p3, …, in all that it says",
    says,
};

fn says(msg: &Msg, liar: &mut Liar<'_>) -> Vec<Msg> {
    let content = u64::from(liar.to().0 % 2 == 0);
    match *msg {
        Msg::Send { number, .. } => {
            let sender = liar.me();
            vec![
                Msg::Send { number, content },
                Msg::Echo { sender, number, content },
                Msg::Ready { sender, number, content },
            ]
        }
        Msg::Echo { sender, number, .. } => vec![Msg::Echo { sender, number, content }],
        Msg::Ready { sender, number, .. } => vec![Msg::Ready { sender, number, content }],
    }
}
