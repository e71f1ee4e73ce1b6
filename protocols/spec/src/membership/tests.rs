//! The properties of groups, on histories written by hand, and the clients.

use ftsim_core::bench::history::{Act, judge};
use ftsim_core::{Bench, ProcessId, ProcessSet, Setting, Verdict};

use super::{FOUNDER, Indication, Membership, NEWCOMER, Request, View};
use crate::stub::{Answers, Stub, requests};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);
/// A newcomer, as is [`P4`].
const P3: ProcessId = ProcessId(3);
const P4: ProcessId = ProcessId(4);
const NONE: [&str; 0] = [];

type Event = Act<Membership>;

/// Three founders and two newcomers.
fn setting() -> Setting {
    let roles = vec![(FOUNDER.to_owned(), 3), (NEWCOMER.to_owned(), 2)];
    Setting { roles, ..Setting::of(5) }
}

fn violated(parts: &[&[Event]]) -> Vec<&'static str> {
    let verdicts = judge(&setting(), &parts.concat(), true).into_iter();
    verdicts.filter(|(_, v)| matches!(v, Verdict::Violated(_))).map(|(id, _)| id).collect()
}

fn view(number: u64, members: &[ProcessId]) -> View {
    View { number, members: members.iter().copied().collect() }
}

fn installs(p: ProcessId, number: u64, members: &[ProcessId]) -> Event {
    Act::Indicate(p, Indication::Installs(view(number, members)))
}

/// All members install the view.
fn all_install(number: u64, members: &[ProcessId]) -> Vec<Event> {
    members.iter().map(|p| installs(*p, number, members)).collect()
}

fn leaves(p: ProcessId) -> Event {
    Act::Indicate(p, Indication::Leaves)
}

fn asks(p: ProcessId, request: Request) -> Event {
    Act::Request(p, request)
}

fn serves(p: ProcessId, number: u64) -> Event {
    Act::Indicate(p, Indication::Serves(number))
}

#[test]
fn who_joins_leaves_and_crashes_makes_views() {
    let history = [
        &[asks(P3, Request::Join)][..],
        &all_install(1, &[P0, P1, P2, P3]),
        &[asks(P1, Request::Leave)],
        &all_install(2, &[P0, P2, P3]),
        &[leaves(P1), Act::Crash(P2)],
        &all_install(3, &[P0, P3]),
        &[asks(P0, Request::Serve(0)), serves(P0, 0)],
    ];
    let verdicts = judge(&setting(), &history.concat(), true);
    assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Held), "{verdicts:?}");
    assert_eq!(violated(&[]), NONE);
}

#[test]
fn a_process_is_in_its_views_and_their_numbers_increase() {
    let stranger = [asks(P1, Request::Leave), installs(P1, 1, &[P0, P2])];
    assert!(violated(&[&stranger]).contains(&"grp.self-inclusion"));
    let again = [all_install(1, &[P0, P1, P2]), all_install(1, &[P0, P1, P2])].concat();
    assert_eq!(violated(&[&again]), ["grp.self-inclusion"]);
    let back = [all_install(2, &[P0, P1, P2]), all_install(1, &[P0, P1, P2])].concat();
    assert_eq!(violated(&[&back]), ["grp.self-inclusion"]);
    let left = [asks(P1, Request::Leave), leaves(P1)];
    let returned = all_install(2, &[P0, P1, P2]);
    let left_and_returned = violated(&[&left, &all_install(1, &[P0, P2]), &returned]);
    assert!(left_and_returned.contains(&"grp.self-inclusion"), "{left_and_returned:?}");
    let skipped = [all_install(1, &[P0, P1, P2]), all_install(7, &[P0, P1, P2])].concat();
    assert_eq!(violated(&[&skipped]), NONE);
}

#[test]
fn views_of_one_number_have_the_same_members() {
    let both = ["grp.view-agreement", "grp.uniform-view-agreement"];
    let joins = [asks(P3, Request::Join), asks(P4, Request::Join)];
    let split = [installs(P0, 1, &[P0, P1, P2, P3]), installs(P1, 1, &[P0, P1, P2, P4])];
    let cured = all_install(2, &[P0, P1, P2, P3, P4]);
    assert_eq!(violated(&[&joins, &split, &cured]), both);
    // One of the two crashes: only the uniform property minds.
    let rest = all_install(3, &[P0, P2, P3, P4]);
    assert_eq!(violated(&[&joins, &split, &cured, &[Act::Crash(P1)], &rest]), both[1..]);
    // View 0 is that of the founders.
    let first = [installs(P3, 0, &[P0, P1, P2, P3])];
    assert!(violated(&[&joins[..1], &first]).contains(&both[0]));
}

#[test]
fn who_crashes_or_asks_to_leave_is_out_in_the_end() {
    assert_eq!(violated(&[&[Act::Crash(P2)]]), ["grp.completeness"]);
    assert_eq!(violated(&[&[Act::Crash(P2)], &all_install(1, &[P0, P1])]), NONE);
    // One member has not heard of it.
    assert_eq!(violated(&[&[Act::Crash(P2), installs(P0, 1, &[P0, P1])]]), ["grp.completeness"]);
    let departure = [asks(P2, Request::Leave)];
    assert_eq!(violated(&[&departure]), ["grp.completeness"]);
    let out = all_install(1, &[P0, P1]);
    // It does not know that it is out.
    assert_eq!(violated(&[&departure, &out]), ["grp.completeness"]);
    assert_eq!(violated(&[&departure, &out, &[leaves(P2)]]), NONE);
}

#[test]
fn who_asks_to_join_is_in_in_the_end() {
    let joins = [asks(P3, Request::Join)];
    let four = [P0, P1, P2, P3];
    assert_eq!(violated(&[&joins]), ["grp.completeness"]);
    assert_eq!(violated(&[&joins, &all_install(1, &four)]), NONE);
    // It is in the views of the others, and has installed none itself.
    assert_eq!(violated(&[&joins, &all_install(1, &four)[..3]]), ["grp.completeness"]);
    // It changes its mind, or crashes.
    assert_eq!(violated(&[&joins, &[asks(P3, Request::Leave)]]), NONE);
    assert_eq!(violated(&[&joins, &[Act::Crash(P3)]]), NONE);
}

#[test]
fn a_group_without_a_majority_of_its_view_owes_nothing() {
    let crashes = [Act::Crash(P1), Act::Crash(P2)];
    assert_eq!(violated(&[&crashes]), ["grp.completeness"]);
    let needs = [Act::Indicate(P0, Indication::NeedsMajority)];
    assert_eq!(violated(&[&needs, &crashes]), NONE);
    assert_eq!(violated(&[&needs, &crashes[..1]]), ["grp.completeness"]);
}

#[test]
fn nobody_is_left_out_without_a_reason() {
    let out = [all_install(1, &[P0, P1]), vec![leaves(P2)]].concat();
    assert_eq!(violated(&[&out]), ["grp.accuracy"]);
    assert_eq!(violated(&[&[asks(P2, Request::Leave)], &out]), NONE);
    let early = [all_install(1, &[P0, P1]), vec![Act::Crash(P2)]].concat();
    assert_eq!(violated(&[&early]), ["grp.accuracy"]);
}

#[test]
fn two_views_without_a_common_member_do_not_both_serve() {
    // Each of two groups leaves the other out.
    let split = [installs(P0, 1, &[P0]), installs(P1, 1, &[P1, P2]), installs(P2, 1, &[P1, P2])];
    let asked = [asks(P0, Request::Serve(0)), asks(P1, Request::Serve(0))];
    let is_violated =
        |events: &[Event]| violated(&[&split, events]).contains(&"grp.one-primary-view");
    // Both requests are served at once, and each group may have been the only one until then.
    let at_once = [&asked[..], &[serves(P0, 0), serves(P1, 0)]].concat();
    assert!(!is_violated(&at_once));
    let [first, second] = asked;
    assert!(is_violated(&[first.clone(), serves(P0, 0), second.clone(), serves(P1, 0)]));
    // A refusal is no service.
    let refuses = Act::Indicate(P1, Indication::Refuses(0));
    assert!(!is_violated(&[first.clone(), serves(P0, 0), second, refuses]));
    // The views have a common member.
    let overlap = [installs(P0, 2, &[P0, P1]), first, serves(P0, 0)];
    let asked = asks(P1, Request::Serve(0));
    assert!(!is_violated(&[&overlap[..], &[asked, serves(P1, 0)]].concat()));
}

#[test]
fn only_members_of_views_that_are_large_enough_serve() {
    let asked = |p| [asks(p, Request::Serve(0)), serves(p, 0)];
    let needs = |count| [Act::Indicate(P0, Indication::NeedsMembers(count))];
    assert_eq!(violated(&[&needs(3), &asked(P0)]), NONE);
    assert_eq!(violated(&[&needs(4), &asked(P0)]), ["grp.viable"]);
    let two = [&[Act::Crash(P2)][..], &all_install(1, &[P0, P1])].concat();
    assert_eq!(violated(&[&needs(3), &two, &asked(P0)]), ["grp.viable"]);
    assert_eq!(violated(&[&needs(2), &two, &asked(P0)]), NONE);
    // A newcomer that has not joined.
    assert_eq!(violated(&[&asked(P3)]), ["grp.viable"]);
}

/// Nobody ever answers.
#[derive(Clone, Debug, Hash)]
struct Silent;

impl Answers for Silent {
    type Spec = Membership;
    const ROLES: &'static [&'static str] = &[FOUNDER, NEWCOMER];
}

fn bench(workload: &str) -> Bench {
    Bench::with_roles::<Stub<Silent>>(&[(FOUNDER, 2), (NEWCOMER, 1)]).workload(workload)
}

#[test]
fn newcomers_join_leavers_leave_and_all_are_asked_to_serve() {
    let bench = bench(
        r#"{"join_at": "15ms", "leavers": ["p1"], "leave_at": "25ms",
            "requests": 2, "every": "20ms"}"#,
    );
    let expected = [
        "0s p0 Serve(0)",
        "0s p1 Serve(0)",
        "0s p2 Serve(0)",
        "15ms p2 Join",
        "20ms p0 Serve(1)",
        "20ms p1 Serve(1)",
        "20ms p2 Serve(1)",
        "25ms p1 Leave",
    ];
    assert_eq!(requests(&bench.run(1)), expected);
}

#[test]
fn strangers_too_many_requests_and_groups_without_founders_are_refused() {
    for wrong in [r#"{"leavers": ["p9"]}"#, r#"{"requests": 1000000}"#] {
        assert!(bench(wrong).refused().is_some(), "{wrong}");
    }
    let empty = Bench::with_roles::<Stub<Silent>>(&[(FOUNDER, 0), (NEWCOMER, 2)]);
    assert!(empty.refused().is_some());
}

#[test]
fn a_view_is_shown_with_its_number_and_its_members() {
    assert_eq!(
        format!("{:?}", view(2, &[P0, P3])),
        format!("2{}", ProcessSet::from_iter([P0, P3]))
    );
}
