//! The numbers of the token ring, and histories by hand that its problem must refuse.

use ftsim::bench::history::{Act, check};
use ftsim::bench::{Bench, sends};
use ftsim::prelude::*;
use own_protocol::mutual_exclusion::{Indication, MutualExclusion, Request};
use own_protocol::token_ring::TokenRing;

#[test]
fn a_round_takes_n_messages() {
    for n in [2, 3, 7] {
        let run = Bench::of::<TokenRing>(n).params(r#"{"rounds": 4}"#).run(1);
        assert_eq!(run.violated(), [""; 0]);
        assert_eq!(run.statistics.sent(), 4 * u64::from(n));
    }
}

#[test]
fn a_token_that_crashes_with_its_owner_is_gone() {
    let ring = Bench::of::<TokenRing>(3).workload(r#"{"up_to": 2}"#);
    assert_eq!(ring.crash(1, sends(0, "Token", 1)).run(1).violated(), ["own.entry"]);
}

fn at(p: u32, what: Indication) -> Act<MutualExclusion> {
    Act::Indicate(ProcessId(p), what)
}

#[test]
fn two_at_once_are_one_too_many() {
    let [enters, leaves] = [Indication::Entered, Indication::Left];
    let in_turn = [at(0, enters.clone()), at(0, leaves), at(1, enters.clone())];
    assert_eq!(check(2, &in_turn), [""; 0]);
    assert_eq!(check(2, &[at(0, enters.clone()), at(1, enters)]), ["own.exclusion"]);
}

#[test]
fn who_asks_and_is_up_is_owed_an_entry() {
    let asks = || Act::<MutualExclusion>::Request(ProcessId(1), Request::Enter);
    assert_eq!(check(2, &[asks()]), ["own.entry"]);
    assert_eq!(check(2, &[asks(), Act::Crash(ProcessId(1))]), [""; 0]);
}
