//! Changed messages are valid messages, and no signature is made without its key.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::lie::Lie;
use super::mutation::Memory;
use super::*;
use crate::model::signature::Signed;
use crate::rng::Stream;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Msg {
    Vote { round: u32, value: u64 },
    King { round: u32, value: u64 },
    Ask,
    Wait,
    Oath(Signed<u64>),
}

const SEED: u64 = 9;

fn keys(ids: &[u32]) -> Keys {
    let keys = ids.iter().map(|p| (ProcessId(*p), Key::of(SEED, ProcessId(*p))));
    keys.collect()
}

fn oath(signer: u32, value: u64) -> Msg {
    let signer = ProcessId(signer);
    Msg::Oath(Signed::by(signer, Key::of(SEED, signer), value))
}

fn any(msg: &Msg) -> AnyMessage {
    AnyMessage::new(msg.clone())
}

/// The results of 500 lies about this message, by an adversary with p0's key that has seen these
/// messages.
fn lies(msg: &Msg, seen: &[Msg]) -> BTreeSet<Msg> {
    let mut memory = Memory::new();
    seen.iter().for_each(|msg| memory.learn(&any(msg)));
    let mut rng = Rng::new(1, Stream::Adversary(0));
    (0..500).map(|_| memory.mutate(&any(msg), &keys(&[0]), &mut rng).get::<Msg>().clone()).collect()
}

#[test]
fn kinds_are_changed_to_those_seen_where_the_content_fits() {
    let vote = Msg::Vote { round: 1, value: 2 };
    let king = Msg::King { round: 1, value: 2 };
    assert!(!lies(&vote, &[vote.clone(), Msg::Ask]).contains(&king));
    let told = lies(&vote, &[vote.clone(), Msg::Ask, Msg::King { round: 9, value: 9 }]);
    assert!(told.contains(&king) && told.contains(&Msg::Vote { round: 9, value: 2 }));
    assert!(told.iter().all(|msg| *msg != vote), "{told:?}");
    assert_eq!(lies(&Msg::Ask, &[Msg::Ask]), [Msg::Ask].into());
    assert!(lies(&Msg::Ask, &[Msg::Ask, Msg::Wait, vote]).contains(&Msg::Wait));
}

#[test]
fn numbers_of_every_size_are_tried() {
    let told = lies(&Msg::Vote { round: 1, value: 2 }, &[]);
    let values = |max: u64| {
        let bigger = |msg: &Msg| matches!(msg, Msg::Vote { value, .. } if *value > max);
        told.iter().any(bigger)
    };
    assert!(values(0) && values(u64::from(u32::MAX)) && values(u64::MAX - 1), "{told:?}");
    let rounds = |msg: &Msg| matches!(msg, Msg::Vote { round: u32::MAX, .. });
    assert!(told.iter().any(rounds));
}

#[test]
fn signatures_are_made_with_own_keys_or_taken_from_others() {
    let is_valid = |msg: &&Msg| match msg {
        Msg::Oath(oath) => {
            let form = serde_json::to_value(oath).expect("a form");
            let tag = Key::of(SEED, oath.signer()).tag(&form["signed"]);
            form["tag"] == tag
        }
        _ => true,
    };
    let signer = |msg: &Msg| match msg {
        Msg::Oath(oath) => oath.signer(),
        _ => ProcessId(99),
    };
    let told = lies(&oath(1, 5), &[oath(1, 5), oath(2, 6), oath(1, 7)]);
    let valid: BTreeSet<&Msg> = told.iter().filter(is_valid).collect();
    let of_others: BTreeSet<Msg> =
        valid.iter().filter(|msg| signer(msg).0 != 0).map(|msg| (*msg).clone()).collect();
    assert_eq!(of_others, [oath(1, 7), oath(2, 6)].into());
    assert!(valid.contains(&oath(0, 5)) && told.len() > valid.len(), "{told:?}");
    let own = lies(&oath(0, 5), &[oath(0, 5)]);
    let own_lies = own.iter().filter(|msg| signer(msg).0 == 0);
    assert!(own_lies.clone().count() > 3 && own_lies.clone().all(|msg| is_valid(&msg)), "{own:?}");
}

#[test]
fn a_lie_has_its_place_in_other_messages() {
    let vote = |round, value| any(&Msg::Vote { round, value });
    let ask = any(&Msg::Ask);
    let king = any(&Msg::King { round: 1, value: 2 });
    let oath = |signer, value| any(&oath(signer, value));
    let lie = Lie::between(&vote(1, 2), &vote(1, 7)).expect("a difference");
    assert_eq!(lie.tell(&vote(4, 5), &keys(&[])), Some(vote(4, 7)));
    assert_eq!(lie.tell(&ask, &keys(&[])), None);
    assert!(Lie::between(&ask, &ask).is_none());
    let lie = Lie::between(&vote(1, 2), &king).expect("a lie");
    assert_eq!(lie.tell(&vote(4, 5), &keys(&[])), Some(king));
    let lie = Lie::between(&oath(0, 1), &oath(0, 2)).expect("a lie");
    assert_eq!(lie.tell(&oath(0, 3), &keys(&[0])), Some(oath(0, 2)));
    assert_ne!(lie.tell(&oath(1, 3), &keys(&[0])), Some(oath(1, 2)));
}
