//! A property that nothing can violate is not one. For every property of every spec this names what
//! violates it: the shipped scenarios that expect it to be violated (each runs in
//! `tests/scenarios.rs`), or a history made by hand, which is judged here.

use std::collections::BTreeSet;

use ftsim::Catalogue;
use ftsim_core::{
    Duration, End, EndCause, Instant, Observation, Observed, ProcessId, PropertyId, Setting, Spec,
};
use ftsim_protocols::spec::byzantine::{
    BroadcastIndication, BroadcastRequest, ByzantineAgreement, ByzantineBroadcast, ByzantineService,
};
use ftsim_protocols::spec::transactions::{self, Attempt, ItemCopy, Transactions};
use ftsim_protocols::spec::view_synchrony::{self, ViewSynchrony};
use ftsim_protocols::spec::{
    ballots, broadcast, consensus, detector, link, membership, replicated_log, service,
    stabilisation, two_generals,
};

use crate::shipped;

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);

/// Properties that nothing violates: of which spec, which, and why.
const GAPS: &[(&str, &str, &str)] = &[];

/// Whether a history violates a property.
type IsViolated = fn() -> bool;

/// Properties that only a history made by hand violates.
const HAND_MADE: &[(&str, PropertyId, IsViolated)] = &[
    ("byzantine-agreement", consensus::INTEGRITY, byzantine_decides_twice),
    ("byzantine-broadcast", broadcast::NO_DUPLICATION, delivers_two_contents),
    ("byzantine-service", service::properties::EXACTLY_ONCE, a_request_is_executed_twice),
    ("consensus by ballots", consensus::INTEGRITY, ballots_decide_twice),
    ("consensus by ballots", consensus::VALIDITY, ballots_decide_what_nobody_proposed),
    ("consensus", consensus::INTEGRITY, decides_twice),
    ("consensus", consensus::VALIDITY, decides_what_nobody_proposed),
    ("coordinated attack", two_generals::ATTACK, generals_stay_for_no_reason),
    ("failure-detector", detector::EVENTUAL_WEAK_ACCURACY, all_suspected_for_good),
    ("failure-detector", detector::WEAK_ACCURACY, all_suspected_once),
    ("link", link::NO_CREATION, delivers_what_nobody_sent),
    ("membership", membership::SELF_INCLUSION, goes_back_to_an_earlier_view),
    ("replicated log", replicated_log::LEADER_APPEND_ONLY, a_leader_writes_a_place_twice),
    ("replicated log", service::properties::EXACTLY_ONCE, a_command_is_applied_twice),
    ("self-stabilisation", stabilisation::CLOSURE, a_legal_ring_is_left),
    ("transactions", transactions::AGREEMENT, commits_what_another_aborts),
    ("transactions", transactions::COMMIT_VALIDITY, commits_without_a_vote),
    ("transactions", transactions::TERMINATION, votes_and_never_decides),
    ("view synchrony", membership::SELF_INCLUSION, group::strange_view),
    ("view synchrony", membership::VIEW_AGREEMENT, group::two_views_of_one_number),
    ("view synchrony", membership::UNIFORM_VIEW_AGREEMENT, group::two_views_of_one_number_at_once),
    ("view synchrony", membership::COMPLETENESS, group::departure_unheard),
    ("view synchrony", membership::ACCURACY, group::member_left_out),
    ("view synchrony", broadcast::NO_DUPLICATION, group::delivered_twice),
    ("view synchrony", broadcast::NO_CREATION, group::never_sent),
    ("view synchrony", view_synchrony::VALIDITY, group::sender_that_forgets),
    ("view synchrony", view_synchrony::AGREEMENT, group::missing_in_the_last_view),
];

/// One event of a history.
enum Act<S: Spec> {
    Request(ProcessId, S::Request),
    Indicate(ProcessId, S::Indication),
}

/// Whether a history of two processes, an event a millisecond, violates this property of `S`.
fn violates<S: Spec>(id: PropertyId, history: &[Act<S>]) -> bool {
    violates_among::<S>(&Setting::of(2), id, history)
}

/// The same among these processes.
fn violates_among<S: Spec>(setting: &Setting, id: PropertyId, history: &[Act<S>]) -> bool {
    let entry = S::PROPERTIES.iter().find(|entry| entry.id == id);
    let mut checker = (entry.expect("a property of the spec").checker)(setting);
    let at = |ms: usize| Instant::ZERO + Duration::from_millis(ms as u64);
    for (index, act) in history.iter().enumerate() {
        let (process, what) = match act {
            Act::Request(p, request) => (*p, Observation::Request(request)),
            Act::Indicate(p, indication) => (*p, Observation::Indication(indication)),
        };
        if checker.observe(&Observed { at: at(index), process, what }).is_err() {
            return true;
        }
    }
    let correct = vec![true; setting.n as usize];
    checker.finish(&End::new(at(history.len()), EndCause::Quiescent, &correct)).is_err()
}

fn a_leader_writes_a_place_twice() -> bool {
    use replicated_log::Fact::{Leads, Stores};
    let slot = replicated_log::Slot { term: 1, content: replicated_log::SlotContent::Blank };
    let facts = [Leads(1), Stores { index: 1, slot }, Stores { index: 1, slot }];
    let history = facts.map(|fact| Act::Indicate(P0, service::Indication::Fact(fact)));
    violates::<replicated_log::LogService>(replicated_log::LEADER_APPEND_ONLY, &history)
}

fn a_command_is_applied_twice() -> bool {
    let command = service::Command { client: P1, number: 1 };
    let applies = || Act::Indicate(P0, service::Indication::Applied(command));
    let id = service::properties::EXACTLY_ONCE;
    violates::<replicated_log::LogService>(id, &[applies(), applies()])
}

fn a_request_is_executed_twice() -> bool {
    let command = service::Command { client: P1, number: 1 };
    let applies = || Act::Indicate(P0, service::Indication::Applied(command));
    let id = service::properties::EXACTLY_ONCE;
    violates::<ByzantineService>(id, &[applies(), applies()])
}

fn generals_stay_for_no_reason() -> bool {
    use two_generals::Indication::Stay;
    let history = [Act::Indicate(P0, Stay), Act::Indicate(P1, Stay)];
    violates::<two_generals::CoordinatedAttack>(two_generals::ATTACK, &history)
}

/// A machine moves that is not privileged.
fn a_legal_ring_is_left() -> bool {
    use stabilisation::Indication::{Is, Moves};
    let roles = vec![("machine".into(), 3), ("daemon".into(), 1)];
    let setting = Setting { roles, ..Setting::of(4) };
    let is = |p: u32| Act::Indicate(ProcessId(p), Is { state: 1, is_root: p == 0 });
    let history = [is(0), is(1), is(2), Act::Indicate(P1, Moves { from: 1, to: 0 })];
    let id = stabilisation::CLOSURE;
    violates_among::<stabilisation::Stabilisation>(&setting, id, &history)
}

const ATTEMPT: Attempt = Attempt { transaction: 1, number: 1 };

fn commits_what_another_aborts() -> bool {
    let committed = Act::Indicate(P0, transactions::Indication::Committed(ATTEMPT));
    let aborted = Act::Indicate(P1, transactions::Indication::Aborted(ATTEMPT));
    violates::<Transactions>(transactions::AGREEMENT, &[committed, aborted])
}

fn commits_without_a_vote() -> bool {
    let copy = ItemCopy { server: P1, item: 0 };
    let version = Attempt::default();
    let locked = transactions::Indication::Locked { attempt: ATTEMPT, copy, version };
    let committed = transactions::Indication::Committed(ATTEMPT);
    let history = [locked, committed].map(|what| Act::Indicate(P0, what));
    violates::<Transactions>(transactions::COMMIT_VALIDITY, &history)
}

fn votes_and_never_decides() -> bool {
    let voted = Act::Indicate(P1, transactions::Indication::VotedYes(ATTEMPT));
    violates::<Transactions>(transactions::TERMINATION, &[voted])
}

fn decides_twice() -> bool {
    use consensus::Indication::Decide;
    let twice = [Act::Indicate(P0, Decide(7)), Act::Indicate(P0, Decide(7))];
    let differently = [Act::Indicate(P0, Decide(7)), Act::Indicate(P0, Decide(8))];
    let violated = |history: &[_]| violates::<consensus::Consensus>(consensus::INTEGRITY, history);
    violated(&twice) && violated(&differently)
}

fn decides_what_nobody_proposed() -> bool {
    violates::<consensus::Consensus>(
        consensus::VALIDITY,
        &[
            Act::Request(P0, consensus::Request::Propose(7)),
            Act::Indicate(P0, consensus::Indication::Decide(9)),
        ],
    )
}

fn ballots_decide_twice() -> bool {
    let decides = |value| Act::Indicate(P0, ballots::Indication::Decide(value));
    let proposes = [7, 8].map(|value| Act::Request(P0, consensus::Request::Propose(value)));
    let [first, second] = proposes;
    violates::<ballots::ConsensusByBallots>(
        consensus::INTEGRITY,
        &[first, second, decides(7), decides(8)],
    )
}

fn ballots_decide_what_nobody_proposed() -> bool {
    violates::<ballots::ConsensusByBallots>(
        consensus::VALIDITY,
        &[
            Act::Request(P0, consensus::Request::Propose(7)),
            Act::Indicate(P0, ballots::Indication::Decide(9)),
        ],
    )
}

fn byzantine_decides_twice() -> bool {
    use consensus::Indication::Decide;
    violates::<ByzantineAgreement>(
        consensus::INTEGRITY,
        &[Act::Indicate(P0, Decide(7)), Act::Indicate(P0, Decide(8))],
    )
}

fn delivers_two_contents() -> bool {
    let broadcasts =
        |p, content| Act::Request(p, BroadcastRequest::Broadcast { number: 0, content });
    let delivers = |content| {
        Act::Indicate(P1, BroadcastIndication::Deliver { sender: P0, number: 0, content })
    };
    violates::<ByzantineBroadcast>(
        broadcast::NO_DUPLICATION,
        &[broadcasts(P0, 7), delivers(7), delivers(8)],
    )
}

fn all_suspected_for_good() -> bool {
    use detector::Indication::Suspect;
    violates::<detector::FailureDetector>(
        detector::EVENTUAL_WEAK_ACCURACY,
        &[Act::Indicate(P0, Suspect(P1)), Act::Indicate(P1, Suspect(P0))],
    )
}

fn all_suspected_once() -> bool {
    use detector::Indication::{Suspect, Trust};
    violates::<detector::FailureDetector>(
        detector::WEAK_ACCURACY,
        &[
            Act::Indicate(P0, Suspect(P1)),
            Act::Indicate(P0, Trust(P1)),
            Act::Indicate(P1, Suspect(P0)),
        ],
    )
}

fn delivers_what_nobody_sent() -> bool {
    violates::<link::Link>(
        link::NO_CREATION,
        &[Act::Indicate(P1, link::Indication::Deliver { from: P0, number: 1 })],
    )
}

fn goes_back_to_an_earlier_view() -> bool {
    let installs = |number| {
        let view = membership::View { number, members: [P0].into_iter().collect() };
        Act::Indicate(P0, membership::Indication::Installs(view))
    };
    let history = [installs(2), installs(1)];
    violates::<membership::Membership>(membership::SELF_INCLUSION, &history)
}

/// Histories of view-synchronous multicast.
mod group {
    use super::{Act, P0, P1, ViewSynchrony, broadcast, membership, view_synchrony, violates};
    use ftsim_core::ProcessId;
    use view_synchrony::{Indication, Request};

    fn installs(p: ProcessId, number: u64, members: &[ProcessId]) -> Act<ViewSynchrony> {
        let view = membership::View { number, members: members.iter().copied().collect() };
        Act::Indicate(p, Indication::Group(membership::Indication::Installs(view)))
    }

    fn delivers(p: ProcessId) -> Act<ViewSynchrony> {
        Act::Indicate(p, Indication::Deliver { sender: P0, number: 0 })
    }

    const SENDS: Act<ViewSynchrony> = Act::Request(P0, Request::Multicast(0));

    pub(super) fn strange_view() -> bool {
        violates(membership::SELF_INCLUSION, &[installs(P0, 1, &[P1])])
    }

    fn split() -> [Act<ViewSynchrony>; 2] {
        [installs(P0, 1, &[P0]), installs(P1, 1, &[P0, P1])]
    }

    pub(super) fn two_views_of_one_number() -> bool {
        violates(membership::VIEW_AGREEMENT, &split())
    }

    pub(super) fn two_views_of_one_number_at_once() -> bool {
        violates(membership::UNIFORM_VIEW_AGREEMENT, &split())
    }

    pub(super) fn departure_unheard() -> bool {
        let leave = Act::Request(P1, Request::Group(membership::Request::Leave));
        violates(membership::COMPLETENESS, &[installs(P0, 1, &[P0, P1]), leave])
    }

    pub(super) fn member_left_out() -> bool {
        violates(membership::ACCURACY, &[installs(P0, 1, &[P0, P1]), installs(P0, 2, &[P0])])
    }

    pub(super) fn delivered_twice() -> bool {
        violates(broadcast::NO_DUPLICATION, &[SENDS, delivers(P1), delivers(P1)])
    }

    pub(super) fn never_sent() -> bool {
        violates(broadcast::NO_CREATION, &[delivers(P1)])
    }

    pub(super) fn sender_that_forgets() -> bool {
        violates(view_synchrony::VALIDITY, &[installs(P0, 1, &[P0]), SENDS])
    }

    pub(super) fn missing_in_the_last_view() -> bool {
        let both = [P0, P1];
        let views = [installs(P0, 1, &both), installs(P1, 1, &both)];
        let [first, second] = views;
        violates(view_synchrony::AGREEMENT, &[first, second, SENDS, delivers(P0)])
    }
}

/// Pairs of spec and property.
type Pairs<'a> = BTreeSet<(&'a str, &'a str)>;

#[test]
fn for_every_property_there_is_something_that_violates_it() {
    let (catalogue, shipped) = (Catalogue::builtin(), shipped::scenarios());
    let specs = catalogue.entries().iter();
    let all: Pairs<'_> =
        specs.flat_map(|e| e.properties.iter().map(|p| (e.spec, p.id.0))).collect();
    let by_scenarios: Pairs<'_> = shipped
        .iter()
        .flat_map(|(_, s)| s.expect.violated.iter().map(|id| (s.entry.spec, id.0)))
        .collect();
    let by_hand: Pairs<'_> = HAND_MADE.iter().map(|(spec, id, _)| (*spec, id.0)).collect();
    let named: Pairs<'_> = GAPS.iter().map(|(spec, id, _)| (*spec, *id)).collect();

    let violated: Pairs<'_> = by_scenarios.union(&by_hand).copied().collect();
    let gaps: Pairs<'_> = all.difference(&violated).copied().collect();
    assert_eq!(gaps, named, "left: what nothing violates; right: what GAPS says so of");
    let unknown: Vec<_> = by_hand.difference(&all).collect();
    assert!(unknown.is_empty(), "{unknown:?} are no properties");
    let superfluous: Vec<_> = by_hand.intersection(&by_scenarios).collect();
    assert!(superfluous.is_empty(), "a scenario shows {superfluous:?}: HAND_MADE needs it no more");
}

#[test]
fn every_history_made_by_hand_violates_its_property() {
    for (spec, id, violates) in HAND_MADE {
        assert!(violates(), "{spec}: {id} is not violated");
    }
}
