//! What a view costs, the crash of its coordinator at any moment, and what each mutant breaks.

use std::collections::BTreeSet;

use ftsim_core::bench::{Bench, STEP, sends};
use ftsim_core::environment::message_rule::{Fate, MessageRule};
use ftsim_core::fault::Trigger;
use ftsim_core::{Duration, Instant, ProcessId};
use ftsim_protocols::groups::Membership;

const NONE: [&str; 0] = [];

fn bench(founders: u32, newcomers: u32) -> Bench {
    let roles = [("founder", founders), ("newcomer", newcomers)];
    Bench::with_roles::<Membership>(&roles).perfect_detector("5ms")
}

/// Nothing is asked of the group but to let newcomers in, at the start.
fn quiet(founders: u32, newcomers: u32) -> Bench {
    bench(founders, newcomers).workload(r#"{"requests": 0, "join_at": "0ms"}"#).lockstep()
}

/// p1 asks to leave after 20 ms.
fn departure(founders: u32) -> Bench {
    let workload = r#"{"requests": 0, "leavers": ["p1"], "leave_at": "20ms"}"#;
    bench(founders, 0).workload(workload).lockstep()
}

fn at_step(step: u64) -> Trigger {
    Trigger::At(Instant::ZERO + STEP.times(step))
}

#[test]
fn a_view_costs_3_times_its_other_members() {
    for n in [1, 2, 5, 9] {
        for run in [quiet(n, 1).run(1), quiet(n + 2, 0).crash(n, at_step(1)).run(1)] {
            let of = |kind| run.statistics.sent_of(kind);
            let rest = u64::from(n);
            assert_eq!([of("Propose"), of("Ok"), of("Commit")], [rest; 3], "n = {n}");
            assert_eq!(of("Prepare") + of("Promise") + of("Refuse"), 0);
            assert_eq!(run.violated(), NONE);
        }
        // The join is told to all, and takes four steps: it, the proposal, the answers, the view.
        let join = quiet(n, 1).run(1);
        assert_eq!(join.statistics.sent_of("Join"), u64::from(n));
        assert_eq!(join.steps(), 4);
    }
}

#[test]
fn who_leaves_accepts_the_view_without_it_too() {
    for n in [2, 5, 9] {
        let run = departure(n).run(1);
        let of = |kind| run.statistics.sent_of(kind);
        let others = u64::from(n - 1);
        assert_eq!([of("Leave"), of("Propose"), of("Ok"), of("Commit")], [others; 4], "n = {n}");
        assert_eq!(run.violated(), NONE);
    }
}

#[test]
fn a_new_coordinator_asks_first() {
    // p0 crashes: p1 asks the others what was proposed, and then goes on as any coordinator.
    for n in [3, 5, 9] {
        let run = quiet(n, 0).crash(0, at_step(1)).run(1);
        let of = |kind| run.statistics.sent_of(kind);
        let others = u64::from(n - 2);
        assert_eq!([of("Prepare"), of("Promise")], [others; 2], "n = {n}");
        assert_eq!([of("Propose"), of("Ok"), of("Commit")], [others; 3], "n = {n}");
        assert_eq!(run.statistics.sent(), 5 * others);
        assert_eq!((run.reached.as_slice(), run.violated()), (&["took over"][..], NONE.to_vec()));
    }
}

#[test]
fn by_broadcast_a_change_costs_n_messages() {
    for n in [2, 5, 9] {
        let run = quiet(n - 1, 1).params(r#"{"mode": "broadcast"}"#).run(1);
        let of = |kind| run.statistics.sent_of(kind);
        assert_eq!((of("Order.Data"), of("Order.Ordered")), (1, u64::from(n - 1)));
        assert_eq!(run.statistics.sent(), u64::from(n));
        assert_eq!((run.steps(), run.violated()), (2, NONE.to_vec()));
    }
}

#[test]
fn with_a_majority_a_request_costs_2_messages_for_each_other_member() {
    for n in [1, 2, 5] {
        let bench = bench(n, 0).params(r#"{"quorum": "majority"}"#).workload(r#"{"requests": 1}"#);
        let run = bench.lockstep().run(1);
        assert_eq!(run.statistics.sent(), u64::from(n * 2 * (n - 1)), "n = {n}");
        assert_eq!(run.indication_steps().last(), Some(if n == 1 { &0 } else { &2 }));
        assert_eq!(run.violated(), NONE);
    }
}

#[test]
fn the_coordinator_may_crash_between_any_two_of_its_messages() {
    let mut reached = BTreeSet::new();
    for quorum in ["all", "majority"] {
        for (kind, most) in [("Propose", 4), ("Commit", 4)] {
            for sent in 1..=most {
                let bench = departure(5).params(&format!(r#"{{"quorum": "{quorum}"}}"#));
                // Its successor crashes at any of the moments that follow.
                for step in 4..14 {
                    let crash = bench.clone().crash(0, sends(0, kind, sent));
                    let run = crash.crash(1, at_step(step)).run(1);
                    let what = format!("{quorum}, {kind} {sent}, p1 at step {step}");
                    assert_eq!(run.violated(), NONE, "{what}");
                    reached.extend(run.reached.iter().copied());
                }
            }
        }
    }
    assert_eq!(reached, BTreeSet::from(["sent a view on", "took over"]));
}

/// Members join, leave and crash while the group is asked to serve.
fn churn(params: &str, most: u32, detector: &str) -> Bench {
    let workload = r#"{"leavers": ["p1", "p5"], "leave_at": "20ms..120ms"}"#;
    let bench = bench(4, 3).params(params).workload(workload).perfect_detector(detector);
    bench.random_crashes(most, "0ms..150ms")
}

#[test]
fn members_may_come_and_go_at_any_time() {
    for (params, most) in [
        (r#"{"mode": "coordinator"}"#, 6),
        (r#"{"mode": "coordinator", "min_size": 3}"#, 6),
        (r#"{"mode": "broadcast"}"#, 6),
        (r#"{"quorum": "majority"}"#, 1),
    ] {
        let runs = churn(params, most, "1ms..30ms").violated_in(0..500);
        for (seed, violated) in runs.into_iter().enumerate() {
            assert_eq!(violated, NONE, "{params}, seed {seed}");
        }
    }
}

#[test]
fn each_code_mutant_violates_its_property_and_no_more_than_follows() {
    let agreement = ["grp.view-agreement", "grp.uniform-view-agreement", "grp.completeness"];
    for (mutant, params, must, may) in [
        ("unordered-broadcast", r#"{"mode": "broadcast"}"#, agreement[0], &agreement[..]),
        ("ignore-min-size", r#"{"min_size": 4}"#, "grp.viable", &["grp.viable"]),
    ] {
        let violated = churn(params, 3, "0ms..30ms").mutant(mutant).violated_in(0..300);
        let count = violated.iter().filter(|ids| ids.contains(&must)).count();
        assert!(count > 0, "{mutant}");
        let all: BTreeSet<_> = violated.into_iter().flatten().collect();
        assert!(all.iter().all(|id| may.contains(id)), "{mutant}: {all:?}");
    }
}

#[test]
fn without_relay_who_leaves_may_never_learn_that_it_has_left() {
    // p0 crashes when it has told all but p4, which leaves.
    let workload = r#"{"requests": 0, "leavers": ["p4"], "leave_at": "20ms"}"#;
    let leaves = bench(5, 0).workload(workload).lockstep().crash(0, sends(0, "Commit", 3));
    assert_eq!(leaves.run(1).violated(), NONE);
    assert_eq!(leaves.mutant("no-relay").run(1).violated(), ["grp.completeness"]);
}

#[test]
fn who_leaves_before_it_has_joined_stays_outside() {
    let workload = r#"{"requests": 0, "join_at": "40ms", "leavers": ["p3"], "leave_at": "10ms"}"#;
    for mode in ["coordinator", "broadcast"] {
        let bench = bench(3, 1).params(&format!(r#"{{"mode": "{mode}"}}"#)).workload(workload);
        let run = bench.lockstep().run(1);
        assert_eq!((run.violated(), run.indication_steps().last()), (NONE.to_vec(), Some(&0)));
    }
}

#[test]
fn who_has_left_is_not_admitted_again_by_a_later_newcomer() {
    // p1 has joined and left before p2 joins, and p2 knows of its joining only when p0 crashes.
    let workload = r#"{"requests": 0, "join_at": "0ms", "leavers": ["p1"], "leave_at": "60ms"}"#;
    let late = |from: u32, to: u32, kind: &str, ms| MessageRule {
        from: ProcessId(from),
        to: ProcessId(to),
        kind: Some(kind.to_owned()),
        nth: 1,
        fate: Fate::delay(Duration::from_millis(ms)),
    };
    for mode in ["coordinator", "broadcast"] {
        let bench = bench(1, 2).params(&format!(r#"{{"mode": "{mode}"}}"#)).workload(workload);
        let mut bench = bench.lockstep().crash(0, at_step(30));
        bench.experiment.overrides = vec![late(2, 0, "Join", 150), late(1, 2, "Leave", 1_000)];
        assert_eq!(bench.run(1).violated(), NONE, "{mode}");
    }
}

#[test]
fn a_group_without_members_that_serve_is_refused() {
    assert!(bench(3, 0).params(r#"{"min_size": 0}"#).refused().is_some());
}
