//! What the way to the next view costs, crashes of senders at any moment, and what each mutant
//! breaks.

use std::collections::BTreeSet;

use ftsim_core::Instant;
use ftsim_core::bench::{Bench, STEP, sends};
use ftsim_core::environment::network::Order;
use ftsim_core::fault::Trigger;
use ftsim_protocols::groups::ViewSynchrony;

const NONE: [&str; 0] = [];

fn bench(founders: u32, newcomers: u32, workload: &str) -> Bench {
    let roles = [("founder", founders), ("newcomer", newcomers)];
    let mut bench = Bench::with_roles::<ViewSynchrony>(&roles).workload(workload);
    bench.experiment.network.default.order = Order::Fifo;
    bench.perfect_detector("5ms")
}

fn at_ms(ms: u64) -> Trigger {
    Trigger::At(Instant::ZERO + ftsim_core::Duration::from_millis(ms))
}

#[test]
fn the_way_to_a_view_of_m_members_costs_m_times_m_minus_1_flushes() {
    for m in [1, 2, 5, 9] {
        let silent = r#"{"multicasts": 0, "join_at": "0ms"}"#;
        let crash = bench(m + 1, 0, silent).lockstep().crash(m, at_ms(15));
        let join = bench(m, 1, silent).lockstep();
        for (bench, members) in [(crash, m), (join, m + 1)] {
            let run = bench.run(1);
            let of = |kind| run.statistics.sent_of(kind);
            assert_eq!(of("Flush"), u64::from(members * (members - 1)), "{members} members");
            assert_eq!(of("Forward"), 0, "nothing was sent");
            assert_eq!(run.violated(), NONE);
        }
    }
}

#[test]
fn each_forwards_what_it_cannot_know_that_all_have() {
    // Each member has sent one message, and all have all of them when p0 crashes.
    for m in [2, 4, 6] {
        let once = r#"{"multicasts": 1}"#;
        let run = bench(m + 1, 0, once).lockstep().crash(0, at_ms(15)).run(1);
        let of = |kind| run.statistics.sent_of(kind);
        assert_eq!(of("Data"), u64::from(m * (m + 1)));
        assert_eq!(of("Forward"), u64::from((m + 1) * m * (m - 1)), "{m} members are left");
        assert_eq!(run.violated(), NONE);
    }
}

#[test]
fn a_view_is_installed_one_step_after_it_is_agreed_on() {
    // The join, the proposal, the answers, the view, the FLUSHes.
    let silent = r#"{"multicasts": 0, "join_at": "0ms"}"#;
    let run = bench(4, 1, silent).lockstep().run(1);
    assert_eq!(run.indication_steps().last(), Some(&5));
    assert_eq!(run.steps(), 5);
    assert_eq!(STEP.times(5), run.outcome.at.since(Instant::ZERO));
}

#[test]
fn a_sender_may_crash_between_any_two_of_its_messages() {
    for sent in 1..=8 {
        // Its successor as coordinator crashes at any of the moments that follow.
        for step in 0..12 {
            let workload = r#"{"multicasts": 3, "every": "10ms"}"#;
            let bench = bench(5, 0, workload).lockstep().crash(0, sends(0, "Data", sent));
            let run = bench.crash(1, at_ms(15 + 5 * step)).run(1);
            assert_eq!(run.violated(), NONE, "{sent}, step {step}");
        }
    }
}

/// Members join, leave and crash while all multicast.
fn churn(most: u32) -> Bench {
    let workload = r#"{"leavers": ["p3", "p5"], "leave_at": "20ms..100ms"}"#;
    let bench = bench(4, 3, workload).perfect_detector("0ms..30ms");
    bench.random_crashes(most, "0ms..150ms")
}

#[test]
fn members_may_come_and_go_at_any_time() {
    let mut reached = BTreeSet::new();
    for seed in 0..1_000 {
        let run = churn(6).run(seed);
        assert_eq!(run.violated(), NONE, "seed {seed}");
        reached.extend(run.reached.iter().copied());
    }
    let all = ["installed a view late", "sent a view on", "took over"];
    assert_eq!(reached, BTreeSet::from(all));
}

#[test]
fn each_code_mutant_violates_its_property_and_no_more_than_follows() {
    // What is sent for a view that is never installed is lost.
    let sending = ["vs.sending-view", "vs.virtual-synchrony", "vs.agreement", "vs.validity"];
    for (mutant, must, may) in [
        ("no-flush", sending[1], &sending[..3]),
        ("send-during-flush", sending[0], &sending[..]),
        ("flush-before-forward", sending[1], &sending[1..2]),
    ] {
        let violated = churn(3).mutant(mutant).violated_in(0..500);
        let count = violated.iter().filter(|ids| ids.contains(&must)).count();
        assert!(count > 0, "{mutant}");
        let all: BTreeSet<_> = violated.into_iter().flatten().collect();
        assert!(all.iter().all(|id| may.contains(id)), "{mutant}: {all:?}");
    }
}
