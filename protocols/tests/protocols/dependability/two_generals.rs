use ftsim_core::bench::Bench;
use ftsim_core::environment::message_rule::{Fate, MessageRule};
use ftsim_core::environment::network::Loss;
use ftsim_core::{Duration, Probability, ProcessId};
use ftsim_protocols::dependability::TwoGenerals;

use crate::confidence::Mean;

const NONE: [&str; 0] = [];
const APART: [&str; 1] = ["gen.coordinated"];

fn handshake(messages: u32, needs: Option<(u32, u32)>) -> Bench {
    let needs = needs
        .map(|(first, second)| format!(r#", "first_needs": {first}, "second_needs": {second}"#));
    let needs = needs.unwrap_or_default();
    Bench::of::<TwoGenerals>(2).params(&format!(r#"{{"messages": {messages}{needs}}}"#)).lockstep()
}

/// The loss of these messages of the handshake, counted from 1.
fn losing(bench: &Bench, lost: impl Iterator<Item = u32>) -> Vec<&'static str> {
    let rule = |number: u32| {
        let (from, to) = if number % 2 == 1 { (0, 1) } else { (1, 0) };
        let nth = u64::from(number.div_ceil(2));
        MessageRule { from: ProcessId(from), to: ProcessId(to), kind: None, nth, fate: Fate::DROP }
    };
    let mut bench = bench.clone();
    bench.experiment.overrides = lost.map(rule).collect();
    bench.violated_in(1..2).remove(0)
}

#[test]
fn if_nothing_is_lost_both_attack() {
    for messages in 1..=12 {
        let run = handshake(messages, None).run(1);
        assert_eq!(run.violated(), NONE);
        assert_eq!(run.statistics.sent(), u64::from(messages));
        assert_eq!(run.indication_steps(), [u64::from(messages); 2]);
    }
}

#[test]
fn for_each_k_the_only_patterns_that_defeat_it_lose_the_last_message_first() {
    for messages in 1..=12u32 {
        let bench = handshake(messages, None);
        for pattern in 0..1u32 << messages {
            let lost = || (1..=messages).filter(|number| pattern >> (number - 1) & 1 == 1);
            let expected = if lost().next() == Some(messages) { &APART[..] } else { &[] };
            assert_eq!(losing(&bench, lost()), expected, "k = {messages}, pattern {pattern:b}");
        }
    }
}

#[test]
fn whatever_the_generals_insist_on_the_loss_of_one_message_defeats_them() {
    for messages in 1..=12u32 {
        for first in 0..=messages / 2 {
            for second in 0..=messages.div_ceil(2) {
                let bench = handshake(messages, Some((first, second)));
                assert_eq!(losing(&bench, [].into_iter()), NONE);
                let one = |number: &u32| losing(&bench, std::iter::once(*number)) == APART;
                let witness = (1..=messages).find(one);
                // Generals who insist on nothing attack whatever happens: they need no messages.
                let insists = first > 0 || second > 0;
                assert_eq!(witness.is_some(), insists, "k = {messages}, {first}, {second}");
                // The first general attacks if the messages up to 2 · first have arrived, the
                // second if those up to 2 · second − 1 have. The loss of one in between changes the
                // mind of one general alone.
                if insists {
                    let last = (2 * first).max((2 * second).saturating_sub(1));
                    let before = (2 * first).min((2 * second).saturating_sub(1));
                    assert_eq!(witness, Some(before + 1), "k = {messages}, {first}, {second}");
                    assert!((before + 1..=last).all(|number| one(&number)));
                    assert!((last + 1..=messages).all(|number| !one(&number)));
                }
            }
        }
    }
}

#[test]
fn of_r_copies_of_the_last_message_all_are_lost_with_probability_p_to_the_r() {
    for p in [0.2, 0.5] {
        for messages in [1, 3] {
            for copies in 1..=4 {
                let params = format!(r#"{{"messages": {messages}, "copies": {copies}}}"#);
                let mut bench = Bench::of::<TwoGenerals>(2).params(&params);
                let loss = Loss::Independent(Probability::new(p).unwrap());
                bench.experiment.network.default.loss = loss;
                let runs = bench.violated_in(0..4_000);
                let apart = runs.iter().filter(|violated| **violated == APART).count();
                let share = Mean::of_share(apart as u64, 4_000);
                // The messages before the last must all have arrived.
                let expected = (1.0f64 - p).powi(messages - 1) * p.powi(copies);
                assert!(share.admits(expected), "{p}, {messages}, {copies}: {share:?}");
                assert!(expected <= p.powi(copies));
            }
        }
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    assert!(Bench::of::<TwoGenerals>(3).refused().is_some());
    for params in [
        r#"{"messages": 0}"#,
        r#"{"messages": 65}"#,
        r#"{"copies": 0}"#,
        r#"{"messages": 3, "first_needs": 2}"#,
        r#"{"messages": 3, "second_needs": 3}"#,
    ] {
        let bench = Bench::of::<TwoGenerals>(2).params(params);
        assert!(bench.refused().is_some(), "{params}");
    }
}

/// A night of 64 message delays of a century each is longer than time can tell.
#[test]
fn a_night_that_is_too_long_never_ends() {
    let century = Duration::from_secs(100 * 365 * 24 * 3600);
    let run = handshake(64, None).delay(century).run(1);
    assert_eq!(run.indication_steps(), [0; 0]);
}
