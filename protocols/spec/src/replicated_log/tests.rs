//! The five properties of figure 3, on histories written by hand.

use ftsim_core::bench::history::{Act, judge};
use ftsim_core::{ProcessId, Setting, Verdict};

use super::{
    ELECTION_SAFETY, Fact, Index, LEADER_APPEND_ONLY, LEADER_COMPLETENESS, LOG_MATCHING,
    LogService, STATE_MACHINE_SAFETY, Slot, SlotContent, Term,
};
use crate::service::properties::ACKED_SURVIVES;
use crate::service::{CLIENT, Command, Indication, Operation, Outcome, Request, SERVER};

/// Three servers, and a client.
const S0: ProcessId = ProcessId(0);
const S1: ProcessId = ProcessId(1);
const S2: ProcessId = ProcessId(2);
const C3: ProcessId = ProcessId(3);
const NONE: [&str; 0] = [];

fn slot(term: Term, number: u64) -> Slot {
    Slot { term, content: SlotContent::Command(Command { client: C3, number }) }
}

fn fact(server: ProcessId, fact: Fact) -> Act<LogService> {
    Act::Indicate(server, Indication::Fact(fact))
}

fn leads(server: ProcessId, term: Term) -> Act<LogService> {
    fact(server, Fact::Leads(term))
}

fn stores(server: ProcessId, index: Index, slot: Slot) -> Act<LogService> {
    fact(server, Fact::Stores { index, slot })
}

fn commits(server: ProcessId, term: Term, index: Index) -> Act<LogService> {
    fact(server, Fact::Commits { term, index })
}

fn applies(server: ProcessId, index: Index, slot: Slot) -> Act<LogService> {
    fact(server, Fact::Applies { index, slot })
}

fn verdicts(history: &[Act<LogService>]) -> Vec<(&'static str, Verdict)> {
    let roles = vec![(SERVER.into(), 3), (CLIENT.into(), 1)];
    judge(&Setting { roles, ..Setting::of(4) }, history, false)
}

fn violated(history: &[Act<LogService>]) -> Vec<&'static str> {
    let verdicts = verdicts(history).into_iter();
    verdicts.filter(|(_, v)| matches!(v, Verdict::Violated(_))).map(|(id, _)| id).collect()
}

/// S0 leads and replicates two entries, which are committed; S1 leads after it.
fn good() -> Vec<Act<LogService>> {
    vec![
        leads(S0, 1),
        stores(S0, 1, slot(1, 1)),
        stores(S1, 1, slot(1, 1)),
        stores(S0, 2, slot(1, 2)),
        stores(S1, 2, slot(1, 2)),
        commits(S0, 1, 2),
        applies(S0, 1, slot(1, 1)),
        applies(S0, 2, slot(1, 2)),
        fact(S0, Fact::Follows),
        leads(S1, 2),
        stores(S1, 3, Slot { term: 2, content: SlotContent::Blank }),
        applies(S1, 1, slot(1, 1)),
        applies(S1, 2, slot(1, 2)),
    ]
}

#[test]
fn a_log_that_is_handed_on_satisfies_all() {
    let verdicts = verdicts(&good());
    for id in [
        ELECTION_SAFETY,
        LEADER_APPEND_ONLY,
        LOG_MATCHING,
        LEADER_COMPLETENESS,
        STATE_MACHINE_SAFETY,
    ] {
        assert!(verdicts.contains(&(id.0, Verdict::Held)), "{id:?}: {verdicts:?}");
    }
}

#[test]
fn where_nothing_is_done_nothing_has_been_seen() {
    let idle = verdicts(&[]);
    assert!(idle.iter().all(|(_, verdict)| *verdict == Verdict::HeldVacuously), "{idle:?}");
}

#[test]
fn a_term_has_one_leader_and_another_may_have_another() {
    assert_eq!(violated(&[leads(S0, 1), leads(S1, 1)]), [ELECTION_SAFETY.0]);
    assert_eq!(violated(&[leads(S0, 1), leads(S1, 2), leads(S0, 3)]), NONE);
    // Also if the first is down by then.
    assert_eq!(violated(&[leads(S0, 1), Act::Crash(S0), leads(S1, 1)]), [ELECTION_SAFETY.0]);
}

#[test]
fn a_leader_overwrites_nothing_but_a_follower_may() {
    let twice = [stores(S0, 1, slot(1, 1)), stores(S0, 1, slot(2, 2))];
    assert_eq!(violated(&twice), NONE);
    let leader = [leads(S0, 2), stores(S0, 1, slot(2, 2)), stores(S0, 1, slot(2, 3))];
    assert!(violated(&leader).contains(&LEADER_APPEND_ONLY.0));
    let gap = [leads(S0, 2), stores(S0, 2, slot(2, 2))];
    assert_eq!(violated(&gap), [LEADER_APPEND_ONLY.0]);
    let shorter = [stores(S0, 1, slot(1, 1)), leads(S0, 2), fact(S0, Fact::HasLog(vec![]))];
    assert_eq!(violated(&shorter), [LEADER_APPEND_ONLY.0]);
    // Who has crashed, or follows, leads no longer.
    for end in [Act::Crash(S0), fact(S0, Fact::Follows)] {
        let after = [leads(S0, 2), stores(S0, 1, slot(2, 2)), end, stores(S0, 1, slot(3, 3))];
        assert_eq!(violated(&after), NONE);
    }
}

#[test]
fn equal_terms_in_one_place_mean_equal_logs() {
    let other_command = [stores(S0, 1, slot(1, 1)), stores(S1, 1, slot(1, 2))];
    assert_eq!(violated(&other_command), [LOG_MATCHING.0]);
    let other_before = [
        stores(S0, 1, slot(1, 1)),
        stores(S0, 2, slot(3, 3)),
        stores(S1, 1, slot(2, 2)),
        stores(S1, 2, slot(3, 3)),
    ];
    assert_eq!(violated(&other_before), [LOG_MATCHING.0]);
    // Other terms, other logs.
    assert_eq!(violated(&[stores(S0, 1, slot(1, 1)), stores(S1, 1, slot(2, 2))]), NONE);
    // A log that came back counts as well.
    let back = fact(S1, Fact::HasLog(vec![slot(1, 2)]));
    assert_eq!(violated(&[stores(S0, 1, slot(1, 1)), back]), [LOG_MATCHING.0]);
}

#[test]
fn later_leaders_have_what_is_committed() {
    let committed = [leads(S0, 1), stores(S0, 1, slot(1, 1)), commits(S0, 1, 1)];
    let then = |act| violated(&[&committed[..], &[act]].concat());
    assert_eq!(then(leads(S2, 2)), [LEADER_COMPLETENESS.0]);
    // Committed, though another leads already without it.
    let late = [stores(S0, 1, slot(1, 1)), leads(S0, 1), leads(S2, 2), commits(S0, 1, 1)];
    assert_eq!(violated(&late), [LEADER_COMPLETENESS.0]);
    // Another entry in its place is not it.
    let other = [&committed[..], &[stores(S2, 1, slot(2, 2)), leads(S2, 3)]].concat();
    assert_eq!(violated(&other), [LEADER_COMPLETENESS.0]);
    // What is behind the committed place is not promised.
    let more = [&good()[..6], &[stores(S0, 3, slot(1, 3)), leads(S1, 2)]].concat();
    assert_eq!(violated(&more), NONE);
}

#[test]
fn no_place_is_applied_in_two_ways() {
    let order = [applies(S0, 1, slot(1, 1)), applies(S1, 1, slot(2, 1))];
    assert_eq!(violated(&order), [STATE_MACHINE_SAFETY.0]);
    let crash = [applies(S0, 1, slot(1, 1)), Act::Crash(S0), applies(S0, 1, slot(1, 2))];
    assert_eq!(violated(&crash), [STATE_MACHINE_SAFETY.0]);
    assert_eq!(violated(&[applies(S0, 1, slot(1, 1)), applies(S1, 2, slot(1, 2))]), NONE);
}

#[test]
fn a_deposed_leader_that_begins_to_serve_late_is_no_successor() {
    let command = Command { client: C3, number: 1 };
    let invoke = Request::Invoke { number: 1, key: 0, operation: Operation::Increment };
    let response = Indication::Response { number: 1, outcome: Outcome::Value(1) };
    let serves = |server| Act::Indicate(server, Indication::Serves);
    let history = |late: Term| {
        vec![
            leads(S0, late),
            leads(S1, 2),
            serves(S1),
            Act::Request(C3, invoke.clone()),
            Act::Indicate(S1, Indication::Applied(command)),
            Act::Indicate(C3, response.clone()),
            serves(S0),
        ]
    };
    assert_eq!(violated(&history(1)), NONE);
    assert_eq!(violated(&history(3)), [ACKED_SURVIVES.0]);
    // Nor is it one if its successor is down by then.
    let mut down = history(1);
    down.insert(6, Act::Crash(S1));
    assert_eq!(violated(&down), NONE);
}
