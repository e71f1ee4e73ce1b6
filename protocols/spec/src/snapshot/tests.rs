use super::*;
use ftsim_core::Verdict;
use ftsim_core::bench::history::{self, Act, judge};

pub(super) const P0: ProcessId = ProcessId(0);
pub(super) const P1: ProcessId = ProcessId(1);

/// Transfer `number` of 10 from p0 to p1.
pub(super) const fn money(number: u64) -> Transfer {
    Transfer { from: P0, to: P1, number, amount: 10 }
}

pub(super) fn sent(number: u64) -> Act<Snapshot> {
    Act::Indicate(P0, Indication::Sent(money(number)))
}

pub(super) fn received(number: u64) -> Act<Snapshot> {
    Act::Indicate(P1, Indication::Received(money(number)))
}

pub(super) fn recorded(p: ProcessId, snapshot: SnapshotNumber, balance: Money) -> Act<Snapshot> {
    Act::Indicate(p, Indication::Recorded { snapshot, balance })
}

fn channel(snapshot: SnapshotNumber, messages: &[Transfer]) -> Act<Snapshot> {
    let messages = messages.to_vec();
    Act::Indicate(P1, Indication::ChannelRecorded { snapshot, from: P0, messages })
}

fn logged(snapshot: SnapshotNumber, messages: &[Transfer]) -> Act<Snapshot> {
    Act::Indicate(P0, Indication::Logged { snapshot, messages: messages.to_vec() })
}

pub(super) fn complete(p: ProcessId, snapshot: SnapshotNumber) -> Act<Snapshot> {
    Act::Indicate(p, Indication::Complete(snapshot))
}

pub(super) fn dropped(p: ProcessId, snapshot: SnapshotNumber) -> Act<Snapshot> {
    Act::Indicate(p, Indication::Dropped(snapshot))
}

pub(super) fn restored(p: ProcessId, recovery: u64, snapshot: SnapshotNumber) -> Act<Snapshot> {
    Act::Indicate(p, Indication::Restored { recovery, snapshot })
}

pub(super) fn take(snapshot: SnapshotNumber) -> Act<Snapshot> {
    Act::Request(P0, Request::Take(snapshot))
}

/// The properties violated, without minimality: snapshots of all are not minimal.
fn check(n: u32, history: &[Act<Snapshot>]) -> Vec<&'static str> {
    history::check(n, history).into_iter().filter(|id| *id != MINIMAL.0).collect()
}

/// These acts, then snapshot 1 is complete at both.
fn done(acts: impl IntoIterator<Item = Act<Snapshot>>) -> Vec<Act<Snapshot>> {
    acts.into_iter().chain([complete(P0, 1), complete(P1, 1)]).collect()
}

#[test]
fn a_cut_with_nothing_under_way_is_good() {
    let good = done([take(1), sent(1), received(1), recorded(P0, 1, 90), recorded(P1, 1, 110)]);
    assert_eq!(check(2, &good), [] as [&str; 0]);
}

#[test]
fn a_message_in_a_recorded_channel_is_good_but_not_transitless() {
    let acts =
        [sent(1), recorded(P0, 1, 90), recorded(P1, 1, 100), received(1), channel(1, &[money(1)])];
    assert_eq!(check(2, &done(acts)), ["cut.transitless"]);
}

#[test]
fn a_message_in_its_senders_log_is_good_and_counts_once() {
    let under_way =
        [sent(1), recorded(P0, 1, 90), logged(1, &[money(1)]), recorded(P1, 1, 100), received(1)];
    assert_eq!(check(2, &done(under_way)), ["cut.transitless"]);
    let received_too =
        [sent(1), received(1), recorded(P0, 1, 90), logged(1, &[money(1)]), recorded(P1, 1, 110)];
    assert_eq!(check(2, &done(received_too)), [] as [&str; 0]);
}

#[test]
fn recordings_far_apart_in_time_can_be_one_state() {
    // p0 records before it sends, p1 before it receives: no real moment looked so.
    let acts = [recorded(P0, 1, 100), sent(1), sent(2), recorded(P1, 1, 100), received(1)];
    assert_eq!(check(2, &done(acts)), [] as [&str; 0]);
}

#[test]
fn an_orphan_is_a_received_message_that_was_not_sent() {
    let acts = [recorded(P0, 1, 100), sent(1), received(1), recorded(P1, 1, 110)];
    let expected = ["cut.consistent", "cut.reachable", "cut.conservation"];
    assert_eq!(check(2, &done(acts)), expected);
}

#[test]
fn a_message_neither_received_nor_recorded_is_lost() {
    let acts = [sent(1), recorded(P0, 1, 90), recorded(P1, 1, 100), channel(1, &[]), received(1)];
    let expected = ["cut.complete", "cut.transitless", "cut.reachable", "cut.conservation"];
    assert_eq!(check(2, &done(acts)), expected);
}

#[test]
fn a_message_recorded_twice_is_money_made() {
    let acts = [
        sent(1),
        recorded(P0, 1, 90),
        recorded(P1, 1, 100),
        received(1),
        channel(1, &[money(1), money(1)]),
    ];
    let expected = ["cut.transitless", "cut.reachable", "cut.conservation"];
    assert_eq!(check(2, &done(acts)), expected);
    let received_too =
        [sent(1), received(1), recorded(P0, 1, 90), recorded(P1, 1, 110), channel(1, &[money(1)])];
    assert_eq!(check(2, &done(received_too)), ["cut.reachable", "cut.conservation"]);
}

/// The channel from p0 to p1, as recorded by some process.
fn channel_at(p: ProcessId, from: ProcessId, messages: &[Transfer]) -> Act<Snapshot> {
    let messages = messages.to_vec();
    Act::Indicate(p, Indication::ChannelRecorded { snapshot: 1, from, messages })
}

#[test]
fn a_message_recorded_in_a_channel_that_it_does_not_take_is_lost() {
    let p2 = ProcessId(2);
    // p1 is its receiver, and p0 its sender.
    for (p, from) in [(P1, p2), (p2, P0), (P0, P1), (P1, P1)] {
        let acts = [
            sent(1),
            recorded(P0, 1, 90),
            recorded(P1, 1, 100),
            recorded(p2, 1, 100),
            received(1),
            channel_at(p, from, &[money(1)]),
            complete(P0, 1),
            complete(P1, 1),
            complete(p2, 1),
        ];
        let expected = ["cut.complete", "cut.transitless", "cut.reachable", "cut.conservation"];
        assert_eq!(check(3, &acts), expected, "recorded by {p} as from {from}");
    }
}

#[test]
fn a_message_logged_by_another_than_its_sender_is_lost() {
    let log = Act::Indicate(P1, Indication::Logged { snapshot: 1, messages: vec![money(1)] });
    let acts = [sent(1), recorded(P0, 1, 90), recorded(P1, 1, 100), log, received(1)];
    let expected = ["cut.complete", "cut.transitless", "cut.reachable", "cut.conservation"];
    assert_eq!(check(2, &done(acts)), expected);
}

#[test]
fn a_message_both_logged_and_recorded_is_under_way_once() {
    let acts = [
        sent(1),
        recorded(P0, 1, 90),
        logged(1, &[money(1)]),
        recorded(P1, 1, 100),
        received(1),
        channel(1, &[money(1)]),
    ];
    assert_eq!(check(2, &done(acts)), ["cut.transitless"]);
}

#[test]
fn the_state_of_a_fifo_channel_is_a_sequence_and_that_of_another_a_bag() {
    let history = |arrivals: [u64; 2], messages: [u64; 2]| {
        let [first, second] = arrivals.map(received);
        let cut = [sent(1), sent(2), recorded(P0, 1, 80), recorded(P1, 1, 100)];
        done(cut.into_iter().chain([first, second, channel(1, &messages.map(money))]))
    };
    let under_way = ["cut.transitless"];
    assert_eq!(check(2, &history([1, 2], [1, 2])), under_way);
    let out_of_order = ["cut.transitless", "cut.reachable"];
    assert_eq!(check(2, &history([1, 2], [2, 1])), out_of_order);
    // One message has overtaken the other: either order says the same.
    assert_eq!(check(2, &history([2, 1], [2, 1])), under_way);
    assert_eq!(check(2, &history([2, 1], [1, 2])), under_way);
    // But a bag is no set.
    let expected = ["cut.complete", "cut.transitless", "cut.reachable"];
    assert_eq!(check(2, &history([2, 1], [1, 1])), expected);
}

#[test]
fn balances_that_nobody_had_are_not_reachable() {
    // The sum is right by chance.
    let acts = [recorded(P0, 1, 95), recorded(P1, 1, 105)];
    assert_eq!(check(2, &done(acts)), ["cut.reachable"]);
}

#[test]
fn a_message_that_comes_twice_is_not_reachable() {
    let acts = [sent(1), received(1), received(1), recorded(P0, 1, 90), recorded(P1, 1, 120)];
    assert_eq!(check(2, &done(acts)), ["cut.reachable", "cut.conservation"]);
}

#[test]
fn a_snapshot_that_is_never_complete_is_judged_by_termination_alone() {
    let orphan = [take(1), recorded(P0, 1, 100), sent(1), received(1), recorded(P1, 1, 110)];
    assert_eq!(check(2, &orphan), ["ckpt.termination"]);
    assert_eq!(check(2, &[take(1)]), ["ckpt.termination"]);
    assert_eq!(check(2, &[take(1), dropped(P0, 1)]), [] as [&str; 0]);
    assert_eq!(check(2, &[take(1), Act::Crash(P0)]), [] as [&str; 0]);
}

#[test]
fn a_snapshot_ends_alike_everywhere() {
    let half = [recorded(P0, 1, 100), recorded(P1, 1, 100), complete(P0, 1), dropped(P1, 1)];
    assert_eq!(check(2, &half), ["ckpt.termination"]);
    let forgotten = [recorded(P0, 1, 100), recorded(P1, 1, 100), dropped(P0, 1)];
    assert_eq!(check(2, &forgotten), ["ckpt.termination"]);
    let down = [recorded(P0, 1, 100), recorded(P1, 1, 100), dropped(P0, 1), Act::Crash(P1)];
    assert_eq!(check(2, &down), [] as [&str; 0]);
}

#[test]
fn a_recovery_is_a_cut_too() {
    let before = || [recorded(P0, 1, 100), sent(1), received(1), recorded(P1, 1, 110)];
    let mix = before().into_iter().chain([dropped(P0, 1), restored(P0, 1, 0), restored(P1, 1, 1)]);
    let expected = ["cut.consistent", "cut.reachable", "cut.conservation"];
    // And snapshot 1 has ended in two ways.
    let found = check(2, &mix.collect::<Vec<_>>());
    assert_eq!((&found[..3], found.get(3)), (&expected[..], Some(&"ckpt.termination")));
    let same = before().into_iter().chain([restored(P0, 1, 0), restored(P1, 1, 0)]);
    assert_eq!(check(2, &same.collect::<Vec<_>>()), [] as [&str; 0]);
}

#[test]
fn a_restored_checkpoint_is_permanent_even_if_nobody_has_said_so() {
    let recorded = || [recorded(P0, 1, 100), recorded(P1, 1, 100), complete(P0, 1)];
    let silent = recorded().into_iter().chain([restored(P0, 1, 1), restored(P1, 1, 1)]);
    assert_eq!(check(2, &silent.collect::<Vec<_>>()), [] as [&str; 0]);
    let back = [Act::Crash(P1), Act::Recover(P1), restored(P0, 1, 1), restored(P1, 1, 0)];
    let undone = recorded().into_iter().chain(back);
    assert_eq!(check(2, &undone.collect::<Vec<_>>()), ["ckpt.termination"]);
}

#[test]
fn what_is_rolled_back_has_not_happened() {
    let past = [sent(1), restored(P0, 1, 0), restored(P1, 1, 0)];
    let orphan = [received(1), recorded(P0, 1, 100), recorded(P1, 1, 110)];
    let expected = ["cut.consistent", "cut.reachable", "cut.conservation"];
    assert_eq!(check(2, &done(past.into_iter().chain(orphan))), expected);
}

#[test]
fn recovery_may_lose_one_checkpoint_and_not_two() {
    let one = |k| [recorded(P0, k, 100), complete(P0, k), recorded(P1, k, 100), complete(P1, k)];
    let back_to = |snapshot| [restored(P0, 1, snapshot), restored(P1, 1, snapshot)];
    let history = |to| one(1).into_iter().chain(one(2)).chain(back_to(to)).collect::<Vec<_>>();
    assert_eq!(check(2, &history(1)), [] as [&str; 0]);
    assert_eq!(check(2, &history(0)), ["ckpt.rollback-bound"]);
}

#[test]
fn a_recovery_loses_neither_what_was_dropped_nor_what_an_earlier_one_has_lost() {
    let both = |k| [recorded(P0, k, 100), recorded(P1, k, 100)];
    let one = |k| both(k).into_iter().chain([complete(P0, k), complete(P1, k)]);
    let back = |recovery, to| [restored(P0, recovery, to), restored(P1, recovery, to)];
    let dropped = both(2).into_iter().chain([dropped(P0, 2), dropped(P1, 2)]);
    let dropped = one(1).chain(dropped).chain(one(3)).chain(back(1, 1));
    assert_eq!(check(2, &dropped.collect::<Vec<_>>()), [] as [&str; 0]);
    let step_by_step = one(1).chain(one(2)).chain(back(1, 1)).chain(back(2, 0));
    assert_eq!(check(2, &step_by_step.collect::<Vec<_>>()), [] as [&str; 0]);
    let too_far = one(1).chain(one(2)).chain(one(3)).chain(back(1, 2)).chain(back(2, 0));
    assert_eq!(check(2, &too_far.collect::<Vec<_>>()), ["ckpt.rollback-bound"]);
}

#[test]
fn absurd_content_is_judged_not_obeyed() {
    let stranger = ProcessId(u32::MAX);
    let absurd = Transfer { from: stranger, to: stranger, number: u64::MAX, amount: u64::MAX };
    let acts = [
        Act::Indicate(P0, Indication::Received(absurd)),
        recorded(P0, 1, u64::MAX),
        recorded(P1, 1, u64::MAX),
        channel(1, &[absurd, absurd]),
        channel(7, &[absurd]),
    ];
    let expected = ["cut.consistent", "cut.reachable", "cut.conservation"];
    assert_eq!(check(2, &done(acts)), expected);
    let unrecorded = [complete(P0, u64::MAX), complete(P1, u64::MAX)];
    let found = check(2, &unrecorded);
    assert!(found.starts_with(&["cut.consistent"]), "{found:?}");
    assert_eq!(check(2, &[restored(P0, 1, 9), restored(P1, 1, 9)])[..1], ["cut.consistent"]);
}

#[test]
fn a_snapshot_is_answered_by_its_end_at_the_process_that_was_asked() {
    let asked = Snapshot::operation(P0, &Request::Take(3)).expect("an operation");
    let answered = |p, what| Snapshot::answers(p, &what).collect::<Vec<_>>();
    assert_eq!(answered(P0, Indication::Complete(3)), [asked]);
    assert_eq!(answered(P0, Indication::Dropped(3)), [asked]);
    assert_ne!(answered(P0, Indication::Complete(4)), [asked]);
    assert_ne!(answered(P1, Indication::Complete(3)), [asked]);
    assert_eq!(answered(P0, Indication::Recorded { snapshot: 3, balance: 100 }), []);
    let transfer = Request::Transfer { number: 3, to: P1, amount: 1 };
    assert_eq!(Snapshot::operation(P0, &transfer), None);
}

#[test]
fn clients_see_the_ends_of_snapshots_alone() {
    assert!(!Snapshot::is_probe(&Indication::Complete(1)));
    assert!(!Snapshot::is_probe(&Indication::Dropped(1)));
    assert!(Snapshot::is_probe(&Indication::Sent(money(1))));
    assert!(Snapshot::is_probe(&Indication::Restored { recovery: 1, snapshot: 1 }));
}

fn vacuous(history: &[Act<Snapshot>]) -> Vec<&'static str> {
    let verdicts = judge(&Setting::of(2), history, true).into_iter();
    let idle = verdicts.filter(|(_, verdict)| *verdict == Verdict::HeldVacuously);
    idle.map(|(id, _)| id).collect()
}

#[test]
fn a_property_is_exercised_by_what_it_speaks_of() {
    let all = [
        "cut.consistent",
        "cut.complete",
        "cut.transitless",
        "cut.reachable",
        "cut.conservation",
        "ckpt.termination",
        "ckpt.minimal",
        "ckpt.rollback-bound",
        "ckpt.recovery",
    ];
    assert_eq!(vacuous(&[]), all);
    let idle = done([take(1), recorded(P0, 1, 100), recorded(P1, 1, 100)]);
    let unmoved = [
        "cut.consistent",
        "cut.complete",
        "cut.transitless",
        "ckpt.rollback-bound",
        "ckpt.recovery",
    ];
    assert_eq!(vacuous(&idle), unmoved);
    let received = done([sent(1), received(1), recorded(P0, 1, 90), recorded(P1, 1, 110)]);
    assert_eq!(vacuous(&received), ["cut.complete", "ckpt.rollback-bound", "ckpt.recovery"]);
    let under_way =
        done([sent(1), recorded(P0, 1, 90), recorded(P1, 1, 100), channel(1, &[money(1)])]);
    let back = [restored(P0, 1, 1), restored(P1, 1, 1)];
    let under_way: Vec<_> = under_way.into_iter().chain(back).collect();
    assert_eq!(vacuous(&under_way), ["cut.consistent", "ckpt.recovery"]);
}

#[test]
fn a_transfer_is_short_in_traces() {
    assert_eq!(format!("{:?}", money(3)), "#3 p0->p1 10");
}

#[test]
fn a_message_received_before_it_was_sent_is_not_reachable() {
    let acts = [received(1), sent(1), recorded(P0, 1, 90), recorded(P1, 1, 110)];
    assert_eq!(check(2, &done(acts)), ["cut.reachable"]);
}

#[test]
fn the_order_of_a_channel_is_that_of_sending_whatever_the_numbers() {
    let history = |numbers: [u64; 2]| {
        let cut = [sent(2), sent(1), recorded(P0, 1, 80), recorded(P1, 1, 100)];
        done(cut.into_iter().chain([received(2), received(1), channel(1, &numbers.map(money))]))
    };
    assert_eq!(check(2, &history([2, 1])), ["cut.transitless"]);
    assert_eq!(check(2, &history([1, 2])), ["cut.transitless", "cut.reachable"]);
}

#[test]
fn a_message_that_comes_again_after_a_recovery_has_overtaken_none() {
    let undone = [sent(1), received(1), restored(P0, 1, 0), restored(P1, 1, 0)];
    let again = [sent(1), received(1), sent(2), sent(3)];
    let cut = [recorded(P0, 1, 70), recorded(P1, 1, 110), channel(1, &[money(3), money(2)])];
    let history = done(undone.into_iter().chain(again).chain(cut));
    assert_eq!(check(2, &history), ["cut.transitless", "cut.reachable"]);
}

#[test]
fn a_process_sends_and_receives_in_its_own_name_alone() {
    let stranger = ProcessId(7);
    let acts = [
        Act::Indicate(P0, Indication::Sent(Transfer { from: stranger, ..money(1) })),
        Act::Indicate(P1, Indication::Received(Transfer { to: stranger, ..money(1) })),
        recorded(P0, 1, 90),
        recorded(P1, 1, 110),
    ];
    assert_eq!(check(2, &done(acts)), [] as [&str; 0]);
}

#[test]
fn a_violation_tells_of_which_state_it_speaks() {
    let told = |history: &[Act<Snapshot>], id: PropertyId| {
        let judged = judge(&Setting::of(2), history, true).into_iter();
        let mut violated = judged.filter_map(|(judged, verdict)| match verdict {
            Verdict::Violated(violation) if judged == id.0 => Some(violation.message),
            _ => None,
        });
        violated.next().expect("a violation")
    };
    let orphan = || [recorded(P0, 1, 100), sent(1), received(1), recorded(P1, 1, 110)];
    let expected = "transfer 1 of 10 from p0 to p1 is received and was never sent";
    assert_eq!(told(&done(orphan()), CONSISTENT), format!("snapshot 1: {expected}"));
    let back = orphan().into_iter().chain([restored(P0, 3, 1), restored(P1, 3, 1)]);
    assert_eq!(told(&back.collect::<Vec<_>>(), CONSISTENT), format!("recovery 3: {expected}"));
    let astray = Transfer { to: P0, ..money(2) };
    let channels = [sent(1), recorded(P0, 1, 90), recorded(P1, 1, 100), channel(1, &[astray])];
    assert_eq!(
        told(&done(channels), REACHABLE),
        "snapshot 1: the channel from p0 to p1 is recorded with #2 of 10 from p0 to p0, and the \
         replay leaves #1 of 10 in it"
    );
    let empty = [sent(1), recorded(P0, 1, 90), recorded(P1, 1, 100)];
    assert_eq!(
        told(&done(empty), REACHABLE),
        "snapshot 1: the channel from p0 to p1 is recorded with nothing, and the replay leaves #1 \
         of 10 in it"
    );
}

#[test]
fn after_a_recovery_all_go_on_and_what_was_sent_is_received_and_nothing_else() {
    let crash = [Act::Crash(P1), Act::Recover(P1)];
    let after = |before: &[Act<Snapshot>], then: &[Act<Snapshot>]| {
        check(2, &before.iter().chain(&crash).chain(then).cloned().collect::<Vec<_>>())
    };
    let both = [restored(P0, 1, 0), restored(P1, 1, 0)];
    assert_eq!(after(&[sent(1), received(1)], &both), [] as [&str; 0]);
    assert_eq!(after(&[], &[]), ["ckpt.recovery"], "p1 has no state");
    assert_eq!(after(&[], &both[1..]), ["ckpt.recovery"], "p0 does not go on");
    let lost = [both[0].clone(), both[1].clone(), sent(1)];
    assert_eq!(after(&[], &lost), ["ckpt.recovery"]);
    let made_up = [both[0].clone(), both[1].clone(), received(1)];
    assert_eq!(after(&[sent(1)], &made_up), ["ckpt.recovery"]);
}
