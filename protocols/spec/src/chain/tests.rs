//! The properties of a chain, on histories written by hand.

use ftsim_core::bench::history::{Act, judge};
use ftsim_core::{ProcessId, Setting, Spec, Verdict};

use super::{CONVERGENCE, ChainService, Fact, PREFIX};
use crate::service::{CLIENT, Command, Indication, SERVER};

/// A chain of three servers, and a client.
const S0: ProcessId = ProcessId(0);
const S1: ProcessId = ProcessId(1);
const S2: ProcessId = ProcessId(2);
const C3: ProcessId = ProcessId(3);
const NONE: [&str; 0] = [];

fn applies(server: ProcessId, number: u64) -> Act<ChainService> {
    Act::Indicate(server, Indication::Applied(Command { client: C3, number }))
}

fn follows(server: ProcessId, predecessor: ProcessId) -> Act<ChainService> {
    Act::Indicate(server, Indication::Fact(Fact::Follows(predecessor)))
}

fn heads(server: ProcessId) -> Act<ChainService> {
    Act::Indicate(server, Indication::Fact(Fact::Heads))
}

/// The beginning of each history.
fn chain(then: &[Act<ChainService>]) -> Vec<Act<ChainService>> {
    [&[heads(S0), follows(S1, S0), follows(S2, S1)], then].concat()
}

fn verdicts(history: &[Act<ChainService>]) -> Vec<(&'static str, Verdict)> {
    let roles = vec![(SERVER.into(), 3), (CLIENT.into(), 1)];
    judge(&Setting { roles, ..Setting::of(4) }, history, false)
}

fn violated(then: &[Act<ChainService>]) -> Vec<&'static str> {
    let verdicts = verdicts(&chain(then)).into_iter();
    verdicts.filter(|(_, v)| matches!(v, Verdict::Violated(_))).map(|(id, _)| id).collect()
}

#[test]
fn an_update_that_passes_along_the_chain_satisfies_both() {
    let good = [applies(S0, 1), applies(S0, 2), applies(S1, 1), applies(S2, 1), applies(S1, 2)];
    let good = [&good[..], &[applies(S2, 2)]].concat();
    assert_eq!(violated(&good), NONE);
    let held = |id| verdicts(&chain(&good)).contains(&(id, Verdict::Held));
    assert!(held(PREFIX.0) && held(CONVERGENCE.0));
}

#[test]
fn where_nothing_is_applied_nothing_has_been_seen() {
    let idle = verdicts(&[heads(S0)]);
    assert!(idle.iter().all(|(_, verdict)| *verdict == Verdict::HeldVacuously), "{idle:?}");
}

#[test]
fn a_server_has_nothing_that_its_predecessor_lacks() {
    let beyond = [applies(S1, 1), applies(S0, 1), applies(S2, 1)];
    assert_eq!(violated(&beyond), [PREFIX.0]);
    let other = [applies(S0, 1), applies(S0, 2), applies(S1, 2)];
    assert!(violated(&other).contains(&PREFIX.0));
    // The predecessor of the tail is the middle, not the head.
    assert!(violated(&[applies(S0, 1), applies(S2, 1)]).contains(&PREFIX.0));
}

#[test]
fn the_history_of_a_new_predecessor_counts_from_the_beginning() {
    let lost = [applies(S0, 1), applies(S1, 1), applies(S2, 1)];
    let with = |then: &[Act<ChainService>]| violated(&[&lost[..], then].concat());
    assert_eq!(with(&[Act::Crash(S1), follows(S2, S0)]), NONE);
    assert_eq!(with(&[Act::Crash(S0), heads(S1), Act::Crash(S1), heads(S2)]), NONE);
    // It hears of the crash of its last predecessor first, and of that of the new one later.
    let both = [Act::Crash(S1), Act::Crash(S0), follows(S2, S0), heads(S2)];
    assert_eq!(with(&both), NONE);
    let other = [applies(S0, 2), applies(S1, 1), Act::Crash(S1), follows(S2, S0)];
    assert!(violated(&other).contains(&PREFIX.0));
    // What the head had alone is lost with it, and another has its place.
    let again = [applies(S0, 1), Act::Crash(S0), heads(S1), applies(S1, 2), applies(S2, 2)];
    assert_eq!(violated(&again), NONE);
}

#[test]
fn correct_servers_end_alike() {
    assert_eq!(violated(&[applies(S0, 1), applies(S1, 1)]), [CONVERGENCE.0]);
    assert_eq!(violated(&[applies(S0, 1), applies(S1, 1), Act::Crash(S2)]), NONE);
}

#[test]
fn the_head_leads() {
    let leads = |fact| ChainService::leads(&Indication::Fact(fact));
    assert_eq!(leads(Fact::Heads), Some(true));
    assert_eq!(leads(Fact::Follows(S0)), None);
    assert_eq!(leads(Fact::Tails), None);
}
