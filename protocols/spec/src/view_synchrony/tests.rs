//! The properties of view synchrony, on histories written by hand, and the clients.

use ftsim_core::bench::history::{Act, judge};
use ftsim_core::{Bench, ProcessId, Setting, Verdict};

use super::{Indication, Request, ViewSynchrony};
use crate::membership::{self, FOUNDER, NEWCOMER, View};
use crate::stub::{Answers, Stub, requests};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);
const NONE: [&str; 0] = [];

type Event = Act<ViewSynchrony>;

/// Three founders.
fn violated(parts: &[&[Event]]) -> Vec<&'static str> {
    let setting = Setting { roles: vec![(FOUNDER.to_owned(), 3)], ..Setting::of(3) };
    let verdicts = judge(&setting, &parts.concat(), true).into_iter();
    verdicts.filter(|(_, v)| matches!(v, Verdict::Violated(_))).map(|(id, _)| id).collect()
}

fn installs(p: ProcessId, number: u64, members: &[ProcessId]) -> Event {
    let view = View { number, members: members.iter().copied().collect() };
    Act::Indicate(p, Indication::Group(membership::Indication::Installs(view)))
}

/// p2 has crashed: the others install view 1.
fn next_view() -> [Event; 3] {
    [Act::Crash(P2), installs(P0, 1, &[P0, P1]), installs(P1, 1, &[P0, P1])]
}

fn sends(p: ProcessId, number: u64) -> [Event; 3] {
    [
        Act::Request(p, Request::Multicast(number)),
        Act::Indicate(p, Indication::Sends(number)),
        delivers(p, p, number),
    ]
}

fn delivers(p: ProcessId, sender: ProcessId, number: u64) -> Event {
    Act::Indicate(p, Indication::Deliver { sender, number })
}

#[test]
fn what_all_deliver_in_the_view_in_which_it_is_sent_is_good() {
    let before = [delivers(P1, P0, 0), delivers(P2, P0, 0)];
    let after = [delivers(P1, P0, 1)];
    assert_eq!(violated(&[&sends(P0, 0), &before, &next_view(), &sends(P0, 1), &after]), NONE);
    assert_eq!(violated(&[]), NONE);
}

#[test]
fn who_goes_from_view_to_view_has_delivered_the_same() {
    let violates = |parts: &[&[Event]]| violated(parts) == ["vs.virtual-synchrony"];
    assert!(violates(&[&sends(P0, 0), &next_view()]));
    // p2 does not go on to view 1, and may have delivered what it will.
    assert_eq!(violated(&[&sends(P2, 0), &next_view()]), NONE);
    // Nor does p1 if it crashes first.
    let alone = [Act::Crash(P1), Act::Crash(P2), installs(P0, 1, &[P0])];
    assert_eq!(violated(&[&sends(P0, 0), &alone]), NONE);
}

#[test]
fn a_message_stays_in_the_view_in_which_it_is_sent() {
    // Both deliver it between the same views.
    let late = [&[Act::Request(P0, Request::Multicast(0))][..], &[sends(P0, 0)[1].clone()]];
    let delivered = [delivers(P0, P0, 0), delivers(P1, P0, 0)];
    assert_eq!(violated(&[late[0], late[1], &next_view(), &delivered]), ["vs.sending-view"]);
    assert_eq!(violated(&[late[0], &next_view(), late[1], &delivered]), NONE);
}

#[test]
fn a_member_delivers_what_it_is_asked_to_send() {
    let asked = [Act::Request(P0, Request::Multicast(0))];
    assert_eq!(violated(&[&asked]), ["vs.validity"]);
    // It crashes or leaves.
    let alone = [installs(P1, 1, &[P1, P2]), installs(P2, 1, &[P1, P2])];
    assert_eq!(violated(&[&asked, &[Act::Crash(P0)], &alone]), NONE);
    let leave = Act::Request(P0, Request::Group(membership::Request::Leave));
    let left = Act::Indicate(P0, Indication::Group(membership::Indication::Leaves));
    assert_eq!(violated(&[&asked, &[leave], &alone, &[left]]), NONE);
}

#[test]
fn the_members_of_the_last_view_deliver_the_same_in_it() {
    assert_eq!(violated(&[&sends(P0, 0), &[delivers(P1, P0, 0)]]), ["vs.agreement"]);
    let all = [delivers(P1, P0, 0), delivers(P2, P0, 0)];
    assert_eq!(violated(&[&sends(P0, 0), &all]), NONE);
    assert_eq!(violated(&[&next_view(), &sends(P0, 0)]), ["vs.agreement"]);
}

#[test]
fn messages_come_once_and_from_their_senders() {
    let created = [delivers(P0, P1, 0), delivers(P1, P1, 0), delivers(P2, P1, 0)];
    assert_eq!(violated(&[&created]), ["rb.no-creation"]);
    let all = [delivers(P1, P0, 0), delivers(P2, P0, 0)];
    let twice = [delivers(P1, P0, 0)];
    assert_eq!(violated(&[&sends(P0, 0), &all, &twice]), ["rb.no-duplication"]);
}

#[test]
fn the_properties_of_groups_are_checked_too() {
    assert_eq!(violated(&[&[Act::Crash(P2)]]), ["grp.completeness"]);
    let out = [installs(P0, 1, &[P0, P1]), installs(P1, 1, &[P0, P1])];
    assert!(violated(&[&out]).contains(&"grp.accuracy"));
    let split = [installs(P0, 1, &[P0, P1]), installs(P1, 1, &[P1, P2])];
    assert!(violated(&[&split]).contains(&"grp.view-agreement"));
    assert!(violated(&[&[installs(P2, 1, &[P0, P1])]]).contains(&"grp.self-inclusion"));
}

/// Nobody ever answers.
#[derive(Clone, Debug, Hash)]
struct Silent;

impl Answers for Silent {
    type Spec = ViewSynchrony;
    const ROLES: &'static [&'static str] = &[FOUNDER, NEWCOMER];
}

fn bench(workload: &str) -> Bench {
    Bench::with_roles::<Stub<Silent>>(&[(FOUNDER, 1), (NEWCOMER, 1)]).workload(workload)
}

#[test]
fn all_multicast_and_join_and_leave() {
    let bench = bench(
        r#"{"join_at": "5ms", "leavers": ["p0"], "leave_at": "15ms",
            "multicasts": 2, "every": "10ms"}"#,
    );
    let expected = [
        "0s p0 Multicast(0)",
        "0s p1 Multicast(0)",
        "5ms p1 Group(Join)",
        "10ms p0 Multicast(1)",
        "10ms p1 Multicast(1)",
        "15ms p0 Group(Leave)",
    ];
    assert_eq!(requests(&bench.run(1)), expected);
}

#[test]
fn strangers_and_too_many_multicasts_are_refused() {
    for wrong in [r#"{"leavers": ["p9"]}"#, r#"{"multicasts": 1000000}"#] {
        assert!(bench(wrong).refused().is_some(), "{wrong}");
    }
}
