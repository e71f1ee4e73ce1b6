//! A traitor that sends each order to one process alone, the first that has not signed it. Several
//! of them hand an order on among themselves, until the last of them shows it to a loyal
//! lieutenant.

use ftsim_core::model::adversary::{CustomAdversary, Liar};

use super::Msg;

pub(super) const WHISPER: CustomAdversary<Msg> = CustomAdversary {
    name: "whisper",
    summary: "sends each order only to the first process that has not signed it",
    says,
};

fn says(msg: &Msg, liar: &mut Liar<'_>) -> Vec<Msg> {
    let Msg::Order(chain) = msg;
    let mut others = liar.setting().processes();
    let first = others.find(|p| chain.iter().all(|signed| signed.signer() != *p));
    if first == Some(liar.to()) { vec![msg.clone()] } else { Vec::new() }
}
