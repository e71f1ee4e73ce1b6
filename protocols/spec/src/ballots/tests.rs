use super::*;
use ftsim_core::Verdict;
use ftsim_core::bench::history::{Act, check, judge};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);

type Acts = Vec<Act<ConsensusByBallots>>;

const fn ballot(round: u64, proposer: ProcessId) -> Ballot {
    Ballot { round, proposer }
}

const LOW: Ballot = ballot(1, P0);
const HIGH: Ballot = ballot(1, P1);

fn says(p: ProcessId, indication: Indication) -> Act<ConsensusByBallots> {
    Act::Indicate(p, indication)
}

fn promises(p: ProcessId, ballot: Ballot) -> Act<ConsensusByBallots> {
    says(p, Indication::Promise(ballot))
}

fn proposes(ballot: Ballot, value: Value) -> Act<ConsensusByBallots> {
    says(ballot.proposer, Indication::Propose(Proposal { ballot, value }))
}

fn accepts(p: ProcessId, ballot: Ballot, value: Value) -> Act<ConsensusByBallots> {
    says(p, Indication::Accept(Proposal { ballot, value }))
}

/// p0 proposes 7 and p1 proposes 8, before these acts; both decide `value` after them.
fn consensus(acts: impl IntoIterator<Item = Act<ConsensusByBallots>>, value: Value) -> Acts {
    let proposals = [Act::Request(P0, Request::Propose(7)), Act::Request(P1, Request::Propose(8))];
    let decisions = [P0, P1, P2].map(|p| says(p, Indication::Decide(value)));
    proposals.into_iter().chain(acts).chain(decisions).collect()
}

#[test]
fn a_value_that_is_chosen_and_carried_on_is_good() {
    let good = consensus(
        [
            promises(P0, LOW),
            promises(P1, LOW),
            proposes(LOW, 7),
            accepts(P0, LOW, 7),
            accepts(P1, LOW, 7),
            promises(P1, HIGH),
            promises(P2, HIGH),
            proposes(HIGH, 7),
            accepts(P2, HIGH, 7),
        ],
        7,
    );
    let verdicts = judge(&Setting::of(3), &good, true);
    assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Held), "{verdicts:?}");
}

#[test]
fn a_lower_ballot_than_promised_is_refused_also_after_a_crash() {
    let broken = consensus([promises(P2, HIGH), accepts(P2, LOW, 7)], 7);
    assert_eq!(check(3, &broken), ["px.promise"]);
    let back = [promises(P2, HIGH), Act::Crash(P2), Act::Recover(P2), accepts(P2, LOW, 7)];
    assert_eq!(check(3, &consensus(back, 7)), ["px.promise"]);
    let other = consensus([promises(P2, HIGH), accepts(P1, LOW, 7), accepts(P2, HIGH, 7)], 7);
    assert_eq!(check(3, &other), [] as [&str; 0]);
}

#[test]
fn to_accept_a_ballot_is_to_promise_it() {
    let broken = consensus([accepts(P2, HIGH, 7), accepts(P2, LOW, 7)], 7);
    assert_eq!(check(3, &broken), ["px.promise"]);
}

#[test]
fn another_value_in_a_higher_ballot_is_refused_before_and_after_the_choice() {
    let choice = || [proposes(LOW, 7), accepts(P0, LOW, 7), accepts(P2, LOW, 7)];
    let after = choice().into_iter().chain([proposes(HIGH, 8)]);
    assert_eq!(check(3, &consensus(after, 7)), ["px.chosen-stable"]);
    let before = [proposes(HIGH, 8)].into_iter().chain(choice());
    assert_eq!(check(3, &consensus(before, 7)), ["px.chosen-stable"]);
}

#[test]
fn a_minority_chooses_nothing_and_neither_do_two_ballots_together() {
    let minority = [proposes(LOW, 7), accepts(P0, LOW, 7), proposes(HIGH, 8)];
    assert_eq!(check(3, &consensus(minority, 8)), [] as [&str; 0]);
    let again = ballot(2, P0);
    let mixed = [
        proposes(LOW, 7),
        accepts(P0, LOW, 7),
        proposes(HIGH, 8),
        proposes(again, 7),
        accepts(P2, again, 7),
        proposes(ballot(3, P1), 8),
    ];
    assert_eq!(check(3, &consensus(mixed, 8)), [] as [&str; 0]);
    let half = [proposes(LOW, 7), accepts(P0, LOW, 7), accepts(P1, LOW, 7), proposes(HIGH, 8)];
    let fourth = says(ProcessId(3), Indication::Decide(8));
    let history: Vec<_> = consensus(half, 8).into_iter().chain([fourth]).collect();
    assert_eq!(check(4, &history), [] as [&str; 0]);
}

#[test]
fn a_lower_ballot_that_is_chosen_later_counts_too() {
    let third = ballot(2, P2);
    let late = [
        proposes(HIGH, 7),
        proposes(LOW, 7),
        proposes(third, 7),
        accepts(P1, third, 7),
        accepts(P2, third, 7),
        proposes(HIGH, 8),
        accepts(P0, LOW, 7),
        accepts(P1, LOW, 7),
    ];
    let violated = check(3, &consensus(late, 7));
    assert_eq!(violated, ["px.promise", "px.chosen-stable"]);
}

#[test]
fn the_properties_of_consensus_are_checked_too() {
    let split = [says(P0, Indication::Decide(7)), says(P1, Indication::Decide(8))];
    let split: Vec<_> = consensus([], 7).into_iter().take(2).chain(split).collect();
    let expected = ["cons.agreement", "cons.uniform-agreement"];
    assert_eq!(check(2, &split), expected);
    assert_eq!(check(3, &split), [&expected[..], &["cons.termination"]].concat());
    let invented = consensus([], 9);
    assert_eq!(check(3, &invented), ["cons.validity"]);
    let twice: Vec<_> =
        consensus([], 7).into_iter().chain([says(P0, Indication::Decide(7))]).collect();
    assert_eq!(check(3, &twice), ["cons.integrity"]);
}

#[test]
fn a_premise_is_a_higher_ballot_than_a_chosen_one_and_an_acceptance() {
    let verdicts = |acts| judge(&Setting::of(3), &consensus(acts, 7), true);
    let vacuous = |acts| {
        let verdicts = verdicts(acts).into_iter();
        let vacuous = verdicts.filter(|(_, verdict)| *verdict == Verdict::HeldVacuously);
        vacuous.map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(vacuous(vec![proposes(LOW, 7)]), ["px.promise", "px.chosen-stable"]);
    let chosen = vec![proposes(LOW, 7), accepts(P0, LOW, 7), accepts(P1, LOW, 7)];
    assert_eq!(vacuous(chosen), ["px.chosen-stable"]);
}

#[test]
fn clients_see_decisions_alone() {
    let proposal = Proposal { ballot: LOW, value: 7 };
    assert!(!ConsensusByBallots::is_probe(&Indication::Decide(7)));
    for probe in
        [Indication::Promise(LOW), Indication::Propose(proposal), Indication::Accept(proposal)]
    {
        assert!(ConsensusByBallots::is_probe(&probe), "{probe:?}");
        assert_eq!(ConsensusByBallots::answers(P0, &probe).count(), 0);
    }
    assert_eq!(ConsensusByBallots::answers(P0, &Indication::Decide(7)).count(), 1);
    assert_eq!(format!("{proposal:?}"), "7 in 1.p0");
}

#[test]
fn a_crash_takes_a_proposal_with_it_but_not_those_of_others() {
    let propose = |p| Act::Request(p, Request::Propose(7));
    let alone = [propose(P0), Act::Crash(P0), Act::Recover(P0)];
    assert_eq!(check::<ConsensusByBallots>(2, &alone), [] as [&str; 0]);
    let two = [propose(P0), propose(P1), Act::Crash(P0), Act::Recover(P0)];
    assert_eq!(check::<ConsensusByBallots>(2, &two), ["cons.termination"]);
}
