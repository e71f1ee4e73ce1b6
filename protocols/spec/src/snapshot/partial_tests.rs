//! Checkpoints of some processes alone, and recoveries that leave others their states.

use super::tests::{P0, P1, complete, dropped, money, received, recorded, restored, sent, take};
use super::*;
use ftsim_core::bench::history::{Act, check};

const P2: ProcessId = ProcessId(2);

fn left_out(p: ProcessId, snapshot: SnapshotNumber, processes: &[ProcessId]) -> Act<Snapshot> {
    let processes = processes.to_vec();
    Act::Indicate(p, Indication::LeftOut { snapshot, processes })
}

fn kept(p: ProcessId, balance: Money, messages: &[Transfer]) -> Act<Snapshot> {
    Act::Indicate(p, Indication::Kept { recovery: 1, balance, messages: messages.to_vec() })
}

/// The properties violated, `cut.transitless` apart, which these histories do not aim at.
fn violated(n: u32, acts: &[Act<Snapshot>]) -> Vec<&'static str> {
    check(n, acts).into_iter().filter(|id| *id != TRANSITLESS.0).collect()
}

#[test]
fn who_is_left_out_has_its_last_permanent_checkpoint_in_the_cut() {
    let alone = [take(1), recorded(P0, 1, 100), left_out(P0, 1, &[P1]), complete(P0, 1)];
    assert_eq!(violated(2, &alone), [] as [&str; 0]);
    // p1 has received the transfer, and its opening state has not.
    let logs = Indication::Logged { snapshot: 1, messages: vec![money(1)] };
    let sender = [
        take(1),
        sent(1),
        received(1),
        recorded(P0, 1, 90),
        Act::Indicate(P0, logs),
        left_out(P0, 1, &[P1]),
        complete(P0, 1),
    ];
    assert_eq!(violated(2, &sender), [] as [&str; 0]);
    let receiver = [
        Act::Request(P1, Request::Take(1)),
        sent(1),
        received(1),
        recorded(P1, 1, 110),
        left_out(P1, 1, &[P0]),
        complete(P1, 1),
    ];
    let expected = ["cut.consistent", "cut.reachable", "cut.conservation"];
    assert_eq!(violated(2, &receiver), expected);
}

#[test]
fn a_checkpoint_that_was_dropped_is_not_permanent() {
    let cut = |ended: Act<Snapshot>| {
        let first = [Act::Request(P1, Request::Take(1)), sent(1), recorded(P0, 1, 90), ended];
        let rest = [left_out(P1, 1, &[P1, P2]), received(1), recorded(P1, 2, 110)];
        let last = [left_out(P1, 2, &[P0, P2]), complete(P1, 2)];
        violated(3, &first.into_iter().chain(rest).chain(last).collect::<Vec<_>>())
    };
    assert!(!cut(complete(P0, 1)).contains(&"cut.consistent"));
    assert!(cut(dropped(P0, 1)).contains(&"cut.consistent"));
}

#[test]
fn who_is_left_out_need_not_complete_and_others_must() {
    let acts = [take(1), recorded(P0, 1, 100), recorded(P1, 1, 100), complete(P0, 1)];
    let of = |processes: &[ProcessId]| {
        let acts = acts.iter().cloned().chain([left_out(P0, 1, processes)]);
        violated(3, &acts.collect::<Vec<_>>()).contains(&"ckpt.termination")
    };
    assert!(of(&[P2]));
    assert!(!of(&[P1, P2]));
}

#[test]
fn a_checkpoint_is_minimal_if_each_that_takes_it_has_sent_what_is_in_another() {
    let needed = [take(1), sent(1), received(1), recorded(P0, 1, 90), recorded(P1, 1, 110)];
    assert_eq!(violated(2, &needed), ["ckpt.termination", "ckpt.minimal"]);
    let take = Act::Request(P1, Request::Take(1));
    let chain = [take.clone(), sent(1), received(1), recorded(P1, 1, 110), recorded(P0, 1, 90)];
    assert_eq!(violated(2, &chain), ["ckpt.termination"]);
    // What the last permanent checkpoint includes is no reason for another.
    let ended = [complete(P0, 1), complete(P1, 1)];
    let again = [Act::Request(P1, Request::Take(2)), recorded(P1, 2, 110), recorded(P0, 2, 90)];
    let twice: Vec<_> = chain.into_iter().chain(ended).chain(again).collect();
    assert_eq!(violated(2, &twice), ["ckpt.termination", "ckpt.minimal"]);
    // The one that needs it may have dropped it in the meantime.
    let late = [take, sent(1), received(1), recorded(P1, 1, 110), dropped(P1, 1)];
    let late: Vec<_> = late.into_iter().chain([recorded(P0, 1, 90), dropped(P0, 1)]).collect();
    assert_eq!(violated(2, &late), [] as [&str; 0]);
}

#[test]
fn a_state_that_is_kept_belongs_to_the_recovery() {
    let good = [sent(1), kept(P0, 90, &[money(1)]), restored(P1, 1, 0)];
    assert_eq!(violated(2, &good), [] as [&str; 0]);
    let lost = [sent(1), received(1), kept(P0, 90, &[]), restored(P1, 1, 0)];
    let expected = ["cut.complete", "cut.reachable", "cut.conservation"];
    assert_eq!(violated(2, &lost), expected);
    let orphan = [sent(1), received(1), restored(P0, 1, 0), kept(P1, 110, &[])];
    let expected = ["cut.consistent", "cut.reachable", "cut.conservation"];
    assert_eq!(violated(2, &orphan), expected);
    // What it does afterwards is not part of the state.
    let later = [kept(P0, 100, &[]), sent(1), received(1), restored(P1, 1, 0)];
    assert_eq!(violated(2, &later), [] as [&str; 0]);
}

#[test]
fn a_checkpoint_of_its_own_belongs_to_no_snapshot_and_to_a_recovery() {
    let own = |p, checkpoint, balance| {
        let messages = vec![];
        Act::Indicate(p, Indication::RecordedOwn { checkpoint, balance, messages })
    };
    let back = |p, checkpoint| Act::Indicate(p, Indication::Returned { recovery: 1, checkpoint });
    let run = |[first, second]: [SnapshotNumber; 2]| {
        let acts = [own(P0, 1, 100), sent(1), own(P0, 2, 90), received(1), own(P1, 1, 110)];
        let acts = acts.into_iter().chain([back(P0, first), back(P1, second)]);
        violated(2, &acts.collect::<Vec<_>>())
    };
    assert_eq!(run([2, 1]), [] as [&str; 0]);
    assert_eq!(run([1, 0]), [] as [&str; 0]);
    assert_eq!(run([1, 1]), ["cut.consistent", "cut.reachable", "cut.conservation"]);
    assert_eq!(run([2, 0]), ["cut.complete", "cut.reachable", "cut.conservation"]);
    assert_eq!(run([0, 0]), ["ckpt.rollback-bound"]);
    assert!(run([2, 7]).contains(&"cut.consistent"));
    let dropped = |snapshot| Act::Indicate(P0, Indication::Dropped(snapshot));
    let refused = [own(P0, 1, 100), own(P0, 2, 100), dropped(1), dropped(2)];
    let refused = refused.into_iter().chain([back(P0, 0), back(P1, 0)]).collect::<Vec<_>>();
    assert_eq!(violated(2, &refused), ["ckpt.rollback-bound"]);
}
