//! What a question and an election cost, how long the group is out, and what each mutant breaks.

use std::collections::BTreeSet;

use ftsim_core::bench::{Bench, Run, STEP, after_effect, sends};
use ftsim_core::fault::Trigger;
use ftsim_core::{Duration, Instant};
use ftsim_protocols::groups::HierarchicalGroup;

const NONE: [&str; 0] = [];
const ELECTIONS: [&str; 2] = ["bully", "ring"];
/// The time within which the detector reports a crash.
const DETECTION: Duration = Duration::from_millis(25);

/// The clients are the first processes.
fn bench(clients: u32, members: u32, election: &str, delegate: bool) -> Bench {
    let roles = [("client", clients), ("member", members)];
    let params = format!(r#"{{"election": "{election}", "delegate": {delegate}}}"#);
    let bench = Bench::with_roles::<HierarchicalGroup>(&roles).params(&params);
    bench.perfect_detector("1ms..25ms")
}

/// One client that asks so often.
fn asked(members: u32, election: &str, delegate: bool, questions: u32) -> Bench {
    let workload = format!(r#"{{"questions": {questions}, "think": "0ms"}}"#);
    bench(1, members, election, delegate).workload(&workload)
}

/// The longest time that a question has waited, in seconds.
fn longest_wait(run: &Run) -> Option<f64> {
    let liveness = run.judged.iter().find(|judged| judged.id.0 == "smr.liveness");
    liveness.expect("it is judged").measured
}

fn seconds(duration: Duration) -> Option<f64> {
    Some(duration.as_nanos() as f64 / 1e9)
}

#[test]
fn a_question_costs_2_messages_and_with_a_worker_4() {
    for members in [2, 3, 9] {
        for (delegate, messages) in [(false, 2), (true, 4)] {
            for election in ELECTIONS {
                let run = asked(members, election, delegate, 1).lockstep().run(1);
                assert_eq!(run.statistics.sent(), messages, "{members} members, {delegate}");
                assert_eq!(longest_wait(&run), seconds(STEP.times(messages)));
                assert_eq!(run.violated(), NONE);
            }
        }
    }
    // The only member is its own worker.
    assert_eq!(asked(1, "bully", true, 1).lockstep().run(1).statistics.sent(), 2);
}

#[test]
fn an_election_costs_what_its_protocol_says() {
    // After the crash all members that are left begin one: as the bully's worst case, in which the
    // clients are told too.
    let crash = |election, members| {
        let bench = bench(1, members, election, false).perfect_detector("5ms");
        bench.workload(r#"{"questions": 0}"#).lockstep()
    };
    let at = Trigger::At(Instant::ZERO + STEP);
    for members in [2u32, 3, 5, 9] {
        let run = crash("bully", members).crash(members, at.clone()).run(1);
        let (of, n) = (|kind: &str| run.statistics.sent_of(kind), u64::from(members));
        assert_eq!(of("Election.Bully.Election"), n * (n - 1) / 2);
        assert_eq!(of("Election.Bully.Ok"), (n - 1) * (n - 2) / 2);
        // To the lesser members that are up, and to the client.
        assert_eq!(of("Election.Bully.Coordinator"), n - 1);
        assert_eq!(run.violated(), NONE);
    }
    for members in [2u32, 3, 5] {
        let run = crash("ring", members).crash(members, at.clone()).run(1);
        let (of, n) = (|kind: &str| run.statistics.sent_of(kind), u64::from(members));
        // Each member that is left sends both kinds round the ring of members and client.
        assert_eq!(of("Election.Ring.Election"), (n - 1) * n);
        assert_eq!(of("Election.Ring.Coordinator"), (n - 1) * n);
        assert_eq!(run.violated(), NONE);
    }
}

/// The longest time that an election takes after the detection of one crash, until a client knows
/// the result: for the bully 2δ for answers, and the announcement; for the ring both messages on
/// their way round all that are up.
fn election_time(election: &str, processes: u32) -> Duration {
    match election {
        "bully" => STEP.times(3),
        _ => STEP.times(2 * u64::from(processes - 1)),
    }
}

#[test]
fn an_outage_is_no_longer_than_detection_and_election() {
    let mut longest = None;
    for election in ELECTIONS {
        for (delegate, normal) in [(false, STEP.times(2)), (true, STEP.times(4))] {
            for members in [2, 3, 5] {
                // The coordinator crashes at any moment.
                for effect in 2..14 {
                    let coordinator = members;
                    let bench = asked(members, election, delegate, 8).lockstep();
                    let crash = bench.crash(coordinator, after_effect(coordinator, effect));
                    for seed in 0..10 {
                        let run = crash.run(seed);
                        let what = format!("{election}, {delegate}, {members}, effect {effect}");
                        assert_eq!(run.violated(), NONE, "{what}, seed {seed}");
                        // What the crash wastes of the first attempt, and the second one.
                        let most =
                            normal.times(2) + DETECTION + election_time(election, 1 + members);
                        let wait = longest_wait(&run);
                        let is_short = wait.is_some() && wait <= seconds(most);
                        assert!(is_short, "{what}, seed {seed}: {wait:?} > {most}");
                        if wait > longest {
                            longest = wait;
                        }
                    }
                }
            }
        }
    }
    assert!(longest > seconds(STEP.times(8)), "{longest:?}: an election takes time");
}

#[test]
fn the_crash_of_a_worker_is_an_outage_of_its_tasks_until_it_is_detected() {
    for worker in 1..4 {
        for effect in 1..6 {
            let bench = asked(4, "bully", true, 8).lockstep();
            let run = bench.crash(worker, after_effect(worker, effect)).run(1);
            assert_eq!(run.violated(), NONE, "p{worker}, {effect}");
            let most = seconds(STEP.times(6) + DETECTION);
            assert!(longest_wait(&run) <= most, "p{worker}, {effect}");
        }
    }
}

/// Clients and members crash; one member stays up.
fn crashes(election: &str, delegate: bool, most: u32) -> Bench {
    let bench = bench(2, 4, election, delegate);
    bench.workload(r#"{"questions": 10}"#).random_crashes(most, "0ms..200ms")
}

#[test]
fn any_members_but_one_may_crash_at_any_time() {
    let mut reached = BTreeSet::new();
    for election in ELECTIONS {
        for delegate in [false, true] {
            for seed in 0..500 {
                let run = crashes(election, delegate, 3).run(seed);
                assert_eq!(run.violated(), NONE, "{election}, {delegate}, seed {seed}");
                reached.extend(run.reached.iter().copied());
            }
        }
    }
    assert!(reached.contains("gave a task to another"), "{reached:?}");
}

#[test]
fn a_coordinator_that_is_suspected_before_its_announcement_comes_is_replaced() {
    // p4 crashes, and p3 as soon as it has announced itself: 5 ms later all suspect it.
    let bench = asked(4, "bully", false, 8).lockstep().perfect_detector("5ms");
    let crash = bench.crash(4, after_effect(4, 4));
    let run = crash.crash(3, sends(3, "Election.Bully.Coordinator", 3)).run(1);
    assert_eq!(run.violated(), NONE);
    assert!(run.reached.contains(&"the new coordinator has crashed"), "{:?}", run.reached);
}

#[test]
fn who_is_asked_before_it_knows_that_it_is_elected_answers_later() {
    // p3 crashes, and then p2: the client itself begins an election, and learns the result first.
    let at = |ms| Trigger::At(Instant::ZERO + Duration::from_millis(ms));
    let bench = asked(3, "ring", false, 60).crash(3, at(30)).crash(2, at(230));
    let runs: Vec<_> = (0..200).map(|seed| bench.run(seed)).collect();
    assert!(runs.iter().all(|run| run.violated() == NONE));
    assert!(runs.iter().any(|run| run.reached.contains(&"asked before it was elected")));
}

#[test]
fn each_mutant_breaks_what_it_says() {
    for (mutant, delegate) in [("no-election", false), ("no-resend", false), ("no-reassign", true)]
    {
        for election in ELECTIONS {
            let bench = crashes(election, delegate, 2).mutant(mutant);
            let violated: BTreeSet<_> = bench.violated_in(0..200).into_iter().flatten().collect();
            assert_eq!(violated, BTreeSet::from(["smr.liveness"]), "{mutant}, {election}");
        }
    }
}
