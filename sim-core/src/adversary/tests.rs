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
    Oaths(Vec<Signed<u64>>),
    Values(Vec<u64>),
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

/// Whether the signer has signed this.
fn is_valid(signed: &Signed<u64>) -> bool {
    let form = serde_json::to_value(signed).expect("a form");
    form["tag"] == Key::of(SEED, signed.signer()).tag(&form["signed"])
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
        Msg::Oath(oath) => is_valid(oath),
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
    let other_king = any(&Msg::King { round: 1, value: 3 });
    let lie = Lie::between(&vote(1, 2), &other_king).expect("a lie");
    assert_eq!(lie.tell(&vote(4, 5), &keys(&[])), Some(other_king), "it is one about the kind");
    let lie = Lie::between(&vote(1, 2), &king).expect("a lie");
    assert_eq!(lie.tell(&vote(4, 5), &keys(&[])), Some(king));
    let lie = Lie::between(&oath(0, 1), &oath(0, 2)).expect("a lie");
    assert_eq!(lie.tell(&oath(0, 3), &keys(&[0])), Some(oath(0, 2)));
    assert_ne!(lie.tell(&oath(1, 3), &keys(&[0])), Some(oath(1, 2)));
}

#[test]
fn lists_lose_and_double_and_change_what_is_in_them() {
    let told = lies(&Msg::Values(vec![4, 5]), &[]);
    let says = |values: &[u64]| told.contains(&Msg::Values(values.to_vec()));
    assert!(says(&[4]) && says(&[5]) && says(&[4, 5, 4]) && says(&[4, 5, 5]), "{told:?}");
    assert!(says(&[5, 5]) && says(&[4, 4]) && says(&[3, 5]) && says(&[0, 5]), "{told:?}");
    // Nothing is changed to what is no message, such as a number for a list.
    assert_eq!(lies(&Msg::Values(vec![]), &[]), [Msg::Values(vec![])].into());
}

#[test]
fn signatures_in_lists_are_made_again_where_there_is_a_key() {
    let signed = |signer: u32, value| {
        let signer = ProcessId(signer);
        Signed::by(signer, Key::of(SEED, signer), value)
    };
    let told = lies(&Msg::Oaths(vec![signed(0, 5), signed(1, 6)]), &[oath(2, 9)]);
    let oaths =
        || told.iter().filter_map(|msg| if let Msg::Oaths(o) = msg { Some(o) } else { None });
    let all = || oaths().flatten();
    let own = || all().filter(|oath| oath.signer() == ProcessId(0));
    assert!(own().all(is_valid) && own().any(|oath| *oath != signed(0, 5)), "{told:?}");
    // Of others it has only what it has seen, and what does not convince.
    let of_others = all().filter(|oath| oath.signer() != ProcessId(0) && is_valid(oath));
    let of_others: BTreeSet<_> = of_others.cloned().collect();
    assert_eq!(of_others, [signed(1, 6), signed(2, 9)].into());
}

#[test]
fn memory_is_bounded() {
    let last = |count: u64| {
        let seen: Vec<Msg> = (1_000..1_000 + count).map(|n| Msg::Values(vec![n])).collect();
        let told = lies(&Msg::Values(vec![1]), &seen);
        told.contains(&Msg::Values(vec![1_000 + count - 1]))
    };
    assert!(last(MEMORY as u64) && !last(MEMORY as u64 + 1));
}

fn adversary(behaviour: Behaviour, controlled: &[u32]) -> Adversary {
    let mut adversary = Adversary::new(behaviour, Rng::new(1, Stream::Adversary(0)));
    for (p, key) in keys(controlled) {
        adversary.speak_for(p, key);
    }
    adversary
}

/// What p0 says instead of this message, to each of these receivers in turn.
fn said(adversary: &mut Adversary, msg: &Msg, receivers: &[u32]) -> Vec<Vec<Said>> {
    let setting = Setting::of(4);
    let custom = |_: &str, _: &AnyMessage, _: &mut Liar<'_>| Vec::new();
    let say = |to: &u32| {
        let salt = adversary.salt();
        let turn = Turn { me: ProcessId(0), setting: &setting, custom, salt };
        adversary.replace(&turn, ProcessId(*to), any(msg))
    };
    receivers.iter().map(say).collect()
}

fn is_told(said: &Said, msg: &Msg) -> bool {
    matches!(said, Said::Now(told) if *told == any(msg))
}

#[test]
fn only_those_of_one_circle_collude() {
    let circle = |ids: &[u32]| Behaviour::Collude(ids.iter().map(|p| ProcessId(*p)).collect());
    let of_two = adversary(circle(&[0, 1]), &[0]);
    assert!(of_two.takes_in(ProcessId(1), &circle(&[0, 1])));
    assert!(!of_two.takes_in(ProcessId(2), &circle(&[0, 1])), "not of this circle");
    assert!(!of_two.takes_in(ProcessId(1), &circle(&[0, 1, 2])), "another circle");
    assert!(!of_two.takes_in(ProcessId(1), &Behaviour::Mutate));
    assert!(!adversary(Behaviour::Mutate, &[0]).takes_in(ProcessId(1), &Behaviour::Mutate));
}

#[test]
fn each_handler_has_a_salt_of_its_own() {
    let mut liar = adversary(Behaviour::Mutate, &[0]);
    let salts: BTreeSet<u64> = (0..20).map(|_| liar.salt()).collect();
    assert_eq!(salts.len(), 20);
}

#[test]
fn whoever_does_anything_is_silent_true_late_and_lying_by_turns() {
    let mut liar = adversary(Behaviour::Random, &[0]);
    let truth = Msg::Vote { round: 3, value: 4 };
    let all = said(&mut liar, &truth, &[1; 400]);
    let count = |what: &dyn Fn(&Vec<Said>) -> bool| all.iter().filter(|said| what(said)).count();
    let silent = count(&|said| said.is_empty());
    let late = count(&|said| matches!(said[..], [Said::After(..), ..]));
    let lies =
        count(&|said| matches!(&said[..], [first @ Said::Now(_), ..] if !is_told(first, &truth)));
    let twice = count(&|said| said.len() == 2);
    // One in five is silent, one in five late, two in five lie; one in four says something again.
    for (what, count, share) in
        [("silent", silent, 5), ("late", late, 5), ("lies", lies, 3), ("twice", twice, 5)]
    {
        let expected = 400 / share;
        assert!((expected / 2..expected * 2).contains(&count), "{what}: {count} of 400");
    }
}

#[test]
fn the_same_lie_goes_to_one_receiver_and_the_truth_or_a_lie_to_others() {
    let circle: ProcessSet = [ProcessId(0), ProcessId(1)].into_iter().collect();
    let mut lied = BTreeSet::new();
    for seed in 0..20 {
        let mut liar = adversary(Behaviour::Collude(circle.clone()), &[0, 1]);
        liar.rng = Rng::new(seed, Stream::Adversary(0));
        let truth = Msg::Vote { round: 3, value: 4 };
        for to in [2, 3] {
            let told = said(&mut liar, &truth, &[to; 5]);
            let told: Vec<bool> = told.iter().map(|said| is_told(&said[0], &truth)).collect();
            assert!(told.iter().all(|is_true| *is_true == told[0]), "{told:?}");
            lied.insert(!told[0]);
        }
    }
    assert_eq!(lied, [false, true].into());
}

#[test]
fn a_list_without_elements_has_none_to_change() {
    assert_eq!(lies(&Msg::Values(Vec::new()), &[]), BTreeSet::from([Msg::Values(Vec::new())]));
}

#[test]
fn an_adversary_that_draws_anew_has_the_draws_of_the_new_seed() {
    let drawn = |past, seed| {
        let mut adversary = Adversary::new(Behaviour::Mutate, Rng::new(past, Stream::Adversary(2)));
        adversary.speak_for(ProcessId(2), Key::of(SEED, ProcessId(2)));
        adversary.draw_anew(seed);
        adversary.salt()
    };
    assert_eq!(drawn(1, 7), Rng::new(7, Stream::Adversary(2)).bits());
    assert_eq!(drawn(1, 7), drawn(2, 7));
    assert_ne!(drawn(1, 7), drawn(1, 8));
}
