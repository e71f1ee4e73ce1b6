//! What a question costs, members that crash or lie, and what each mutant breaks.

use std::collections::BTreeSet;

use ftsim_core::adversary::Behaviour;
use ftsim_core::bench::{Bench, Run, after_effect};
use ftsim_core::{Duration, ProcessId, ProcessSet};
use ftsim_protocols::groups::FlatGroup;

const NONE: [&str; 0] = [];
/// What may become of a liar.
const LIARS: [Behaviour; 7] = [
    Behaviour::Silent,
    Behaviour::Delay(Duration::from_millis(15)),
    Behaviour::Equivocate,
    Behaviour::Mutate,
    Behaviour::Replay,
    Behaviour::Twins,
    Behaviour::Random,
];

/// One client, whose process is p0, asks these members.
fn bench(members: u32, questions: u32) -> Bench {
    let workload = format!(r#"{{"questions": {questions}, "think": "0ms"}}"#);
    Bench::with_roles::<FlatGroup>(&[("client", 1), ("member", members)]).workload(&workload)
}

/// The longest time that a question has waited, in seconds.
fn longest_wait(run: &Run) -> Option<f64> {
    let liveness = run.judged.iter().find(|judged| judged.id.0 == "smr.liveness");
    liveness.expect("it is judged").measured
}

#[test]
fn a_question_costs_n_and_n_times_n_minus_1_and_n_messages_and_3_steps() {
    for n in [1, 2, 3, 5, 9] {
        let run = bench(n, 1).lockstep().run(1);
        let (of, n) = (|kind| run.statistics.sent_of(kind), u64::from(n));
        assert_eq!([of("Question"), of("Vote"), of("Answer")], [n, n * (n - 1), n]);
        assert_eq!(run.statistics.sent(), n + n * (n - 1) + n);
        // A member of its own needs no votes of others.
        let steps = if n == 1 { 2 } else { 3 };
        assert_eq!(run.indication_steps(), [steps], "n = {n}");
        assert_eq!(run.violated(), NONE);
    }
}

#[test]
fn the_crash_of_any_minority_is_no_outage() {
    for n in [3, 4, 5, 7] {
        for first in 1..=n {
            for effect in 1..20 {
                let mut bench = bench(n, 3).lockstep();
                for k in 0..(n - 1) / 2 {
                    let member = 1 + (first - 1 + k) % n;
                    bench = bench.crash(member, after_effect(member, effect + u64::from(k)));
                }
                let run = bench.run(1);
                assert_eq!(run.violated(), NONE, "n = {n}, p{first}, effect {effect}");
                assert_eq!(longest_wait(&run), Some(0.03), "n = {n}, p{first}, effect {effect}");
            }
        }
    }
}

#[test]
fn the_crash_of_half_of_the_members_is_one() {
    let run = bench(4, 3).lockstep().crash(1, after_effect(1, 1)).crash(2, after_effect(2, 1));
    assert_eq!(run.run(1).violated(), ["smr.liveness"]);
}

#[test]
fn a_minority_of_liars_is_masked() {
    let collusion = Behaviour::Collude(ProcessSet::from_iter([ProcessId(1), ProcessId(2)]));
    for behaviour in LIARS.into_iter().chain([collusion]) {
        let liars = |n| bench(n, 3).byzantine(1, behaviour.clone());
        let two = liars(5).byzantine(2, behaviour.clone());
        for (members, bench) in [(3, liars(3)), (5, two)] {
            for (seed, violated) in bench.violated_in(0..200).into_iter().enumerate() {
                assert_eq!(violated, NONE, "{behaviour}, {members} members, seed {seed}");
            }
        }
    }
}

#[test]
fn half_of_the_members_can_stop_the_group_but_not_deceive() {
    let half = bench(2, 3).byzantine(1, Behaviour::Mutate).violated_in(0..200);
    let violated: BTreeSet<_> = half.into_iter().flatten().collect();
    assert_eq!(violated, BTreeSet::from(["smr.liveness"]));
    // More than half that say the same can.
    let both = ProcessSet::from_iter([ProcessId(1), ProcessId(2)]);
    let collude = Behaviour::Collude(both);
    let most = bench(3, 3).byzantine(1, collude.clone()).byzantine(2, collude);
    assert!(most.violated_in(0..200).concat().contains(&"mask.correct-output"));
}

#[test]
fn each_mutant_breaks_what_it_says() {
    let crash = bench(3, 3).lockstep().crash(1, after_effect(1, 1));
    assert_eq!(crash.run(1).violated(), NONE);
    assert_eq!(crash.mutant("wait-for-all").run(1).violated(), ["smr.liveness"]);
    let liar = bench(3, 3).byzantine(1, Behaviour::Mutate).mutant("first-answer");
    let violated: BTreeSet<_> = liar.violated_in(0..200).into_iter().flatten().collect();
    assert_eq!(violated, BTreeSet::from(["mask.correct-output"]));
}
