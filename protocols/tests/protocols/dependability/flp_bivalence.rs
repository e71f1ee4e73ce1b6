//! Valence of configurations (Fischer, Lynch & Paterson 1985): which values can still be decided.
//!
//! What a process does in a round depends on which estimates it has heard when it ends it. At most
//! one of four is late for each process, so there are 4⁴ = 256 ways in which a round can go.

use std::collections::BTreeSet;

use ftsim_core::bench::Bench;
use ftsim_core::environment::message_rule::{Arrival, Fate, MessageRule};
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{Duration, Instant, ProcessId};
use ftsim_protocols::dependability::FlpBivalence;

const N: u32 = 4;
const NONE: [&str; 0] = [];

/// For each process, who is late for it in a round.
type Late = [Option<u32>; N as usize];

/// Nobody is late.
const IN_TIME: Late = [None; N as usize];
/// Each half hears more of its own half.
const APART: Late = [Some(3), Some(3), Some(1), Some(1)];

/// All ways in which a round can go.
fn all() -> impl Iterator<Item = Late> {
    (0..N.pow(N)).map(|number| {
        let digit = |p: u32| number / N.pow(p) % N;
        let late = |p: u32| Some(digit(p)).filter(|q| *q != p);
        [late(0), late(1), late(2), late(3)]
    })
}

fn bench(proposals: [u32; N as usize]) -> Bench {
    let workload = format!(r#"{{"proposals": {proposals:?}, "at": "0ms"}}"#);
    Bench::of::<FlpBivalence>(N).workload(&workload).lockstep()
}

/// The rounds go like this, one after the other, and then nobody is late any more.
fn with_rounds(mut bench: Bench, rounds: &[Late]) -> Bench {
    let rule = |nth: u64, from: u32, to: u32| MessageRule {
        from: ProcessId(from),
        to: ProcessId(to),
        kind: Some("Estimate".to_owned()),
        nth,
        // Longer than a round, which takes one delay and three more.
        fate: Fate::Arrive(Arrival {
            after: Some(Duration::from_millis(90)),
            ..Arrival::default()
        }),
    };
    let of_round = |(nth, round): (u64, &Late)| {
        let late = (0..N).zip(*round).filter_map(|(p, late)| Some((p, late?)));
        late.map(|(p, late)| rule(nth, late, p)).collect::<Vec<_>>()
    };
    bench.experiment.overrides = (1..).zip(rounds).flat_map(of_round).collect();
    bench
}

/// What is decided if the rounds go like this; all decide the same.
fn decided(proposals: [u32; N as usize], rounds: &[Late]) -> u32 {
    let run = with_rounds(bench(proposals), rounds).run(1);
    assert_eq!(run.violated(), NONE, "{proposals:?}, {rounds:?}");
    let decisions: BTreeSet<String> = run
        .trace
        .entries
        .iter()
        .filter_map(|entry| match &entry.what {
            TraceEvent::Indicate { what, .. } => Some(what.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(decisions.len(), 1, "{decisions:?}");
    u32::from(decisions.contains("Decide(1)"))
}

/// The values that can be decided after these rounds, if in one more all are in time, or one
/// process is late for all others.
fn valence(proposals: [u32; N as usize], rounds: &[Late]) -> BTreeSet<u32> {
    let one_late = |q: u32| [0, 1, 2, 3].map(|p| Some(q).filter(|q| *q != p));
    let next = std::iter::once(IN_TIME).chain((0..N).map(one_late));
    next.map(|next| decided(proposals, &[rounds, &[next]].concat())).collect()
}

/// Lemma 2: there is a bivalent initial configuration. Here it is those in which two propose each.
#[test]
fn a_configuration_is_bivalent_if_two_propose_0_and_two_propose_1() {
    for number in 0..1u32 << N {
        let proposals = [0, 1, 2, 3].map(|p| number >> p & 1);
        let expected = match number.count_ones() {
            0 | 1 => vec![0],
            2 => vec![0, 1],
            _ => vec![1],
        };
        let valence: Vec<u32> = valence(proposals, &[]).into_iter().collect();
        assert_eq!(valence, expected, "{proposals:?}");
    }
}

/// Lemma 3: from a bivalent configuration another one can be reached. Here for as long as each half
/// hears more of its own half.
#[test]
fn a_bivalent_configuration_can_stay_bivalent_for_any_number_of_rounds() {
    for count in 0..=12 {
        let valence = valence([0, 0, 1, 1], &vec![APART; count]);
        assert_eq!(valence.into_iter().collect::<Vec<u32>>(), [0, 1], "{count} rounds");
    }
}

/// It takes an adversary: after two thirds of the ways in which a round can go, it is settled what
/// will be decided.
#[test]
fn of_256_ways_in_which_a_round_can_go_88_leave_the_decision_open() {
    let open = all().filter(|round| valence([0, 0, 1, 1], &[*round]).len() == 2).count();
    assert_eq!((all().count(), open), (256, 88));
}

/// The run that never ends: it is fair.
#[test]
fn nobody_decides_although_every_message_arrives_and_all_take_steps() {
    let round_count = 100;
    let mut bench = with_rounds(bench([0, 0, 1, 1]), &vec![APART; round_count]);
    // A round takes a delay of 10 ms, and three more for those who are late.
    bench.experiment.limits.horizon = Instant::from_nanos(40_000_000 * 99 + 35_000_000);
    let run = bench.run(1);
    assert_eq!(run.violated(), ["cons.termination"]);
    assert_eq!(run.outcome.statistics.dropped.iter().sum::<u64>(), 0);
    let per_round = u64::from(N * (N - 1));
    let (sent, delivered) = (run.statistics.sent(), run.statistics.delivered);
    assert_eq!(sent, per_round * round_count as u64);
    // What is late in the last three rounds is under way.
    assert!(delivered + 3 * u64::from(N) >= sent, "{sent} sent, {delivered} delivered");
}

#[test]
fn it_decides_in_the_round_after_the_first_that_goes_well() {
    assert_eq!(decided([0, 0, 1, 1], &[IN_TIME]), 0);
    for count in 0..5u64 {
        let rounds = vec![APART; usize::try_from(count).unwrap()];
        let run = with_rounds(bench([0, 0, 1, 1]), &rounds).run(1);
        // Four steps for each round in which some are late, then one in which all come to the
        // same estimate, and one in which they decide.
        assert_eq!(run.indication_steps(), [4 * count + 2; 4], "{count} rounds");
    }
}
