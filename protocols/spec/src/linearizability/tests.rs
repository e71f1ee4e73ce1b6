//! Good and bad histories by hand, and the search against brute force.

use super::*;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;

/// A register of small numbers.
struct Register;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Do {
    Read,
    Write(u8),
    Increment,
    /// Swaps the first for the second.
    Swap(u8, u8),
}

impl Model for Register {
    type State = u8;
    type Operation = Do;
    /// The value read, the result of an increment, 1 or 0 for a swap that did or did not happen, 0
    /// for a write.
    type Outcome = u8;

    fn step(state: &u8, operation: &Do) -> (u8, u8) {
        match operation {
            Do::Read => (*state, *state),
            Do::Write(value) => (*value, 0),
            Do::Increment => (state.wrapping_add(1), state.wrapping_add(1)),
            Do::Swap(from, to) if from == state => (*to, 1),
            Do::Swap(..) => (*state, 0),
        }
    }

    fn only_looks(operation: &Do, outcome: &u8) -> bool {
        matches!((operation, outcome), (Do::Read, _) | (Do::Swap(..), 0))
    }
}

type Operation = Call<Do, u8>;

fn done(called: u64, operation: Do, returned: u64, outcome: u8) -> Operation {
    Call { called, operation, returned: Some((returned, outcome)) }
}

fn open(called: u64, operation: Do) -> Operation {
    Call { called, operation, returned: None }
}

fn judge(history: &[Operation]) -> Linearizability {
    check::<Register>(0, history, &mut budget(1_000_000))
}

const fn budget(steps: u64) -> Budget {
    Budget { steps, bytes: 1 << 20 }
}

#[track_caller]
fn good(history: &[Operation]) {
    assert_eq!(judge(history), Linearizability::Linearizable);
}

#[track_caller]
fn bad(history: &[Operation], longest: &[usize]) {
    assert_eq!(judge(history), Linearizability::NotLinearizable { prefix: longest.to_vec() });
}

#[test]
fn one_after_the_other_is_good() {
    good(&[]);
    good(&[done(0, Do::Write(1), 1, 0), done(2, Do::Read, 3, 1), done(4, Do::Increment, 5, 2)]);
}

#[test]
fn a_stale_read_is_bad() {
    bad(&[done(0, Do::Write(1), 1, 0), done(2, Do::Read, 3, 0)], &[0]);
}

#[test]
fn a_read_of_what_nobody_wrote_is_bad() {
    bad(&[done(0, Do::Read, 1, 7)], &[]);
}

#[test]
fn a_lost_write_is_bad() {
    let lost = [
        done(0, Do::Write(1), 1, 0),
        done(2, Do::Write(2), 3, 0),
        done(4, Do::Read, 5, 2),
        done(6, Do::Read, 7, 1),
    ];
    bad(&lost, &[0, 1, 2]);
}

#[test]
fn a_read_beside_a_write_may_see_either_value() {
    good(&[done(0, Do::Write(1), 9, 0), done(1, Do::Read, 2, 0)]);
    good(&[done(0, Do::Write(1), 9, 0), done(1, Do::Read, 2, 1)]);
}

#[test]
fn new_then_old_is_bad_even_beside_the_write() {
    let write = done(0, Do::Write(1), 9, 0);
    good(&[write.clone(), done(1, Do::Read, 2, 0), done(3, Do::Read, 4, 1)]);
    bad(&[write, done(1, Do::Read, 2, 1), done(3, Do::Read, 4, 0)], &[0, 1]);
}

#[test]
fn concurrent_writes_may_take_effect_in_either_order() {
    let writes = [done(0, Do::Write(1), 5, 0), done(1, Do::Write(2), 6, 0)];
    for last in [1, 2] {
        let mut history = writes.to_vec();
        history.push(done(7, Do::Read, 8, last));
        good(&history);
    }
    let mut history = writes.to_vec();
    history.extend([done(7, Do::Read, 8, 1), done(9, Do::Read, 10, 2)]);
    bad(&history, &[1, 0, 2]);
}

#[test]
fn two_increments_with_one_result_are_bad() {
    bad(&[done(0, Do::Increment, 5, 1), done(1, Do::Increment, 6, 1)], &[0]);
}

#[test]
fn an_increment_that_counts_twice_is_bad() {
    bad(&[done(0, Do::Increment, 5, 2)], &[]);
    good(&[done(0, Do::Increment, 5, 2), open(1, Do::Increment)]);
}

#[test]
fn of_two_swaps_of_one_value_only_one_succeeds() {
    good(&[done(0, Do::Swap(0, 1), 5, 1), done(1, Do::Swap(0, 2), 6, 0)]);
    bad(&[done(0, Do::Swap(0, 1), 5, 1), done(1, Do::Swap(0, 2), 6, 1)], &[0]);
}

#[test]
fn an_open_operation_takes_effect_later_or_never() {
    good(&[open(0, Do::Write(1)), done(1, Do::Read, 2, 0), done(3, Do::Read, 4, 1)]);
    good(&[open(0, Do::Write(1)), done(1, Do::Read, 2, 0)]);
    good(&[open(0, Do::Write(1))]);
    // But not before it was called, nor twice.
    bad(&[done(0, Do::Read, 1, 1), open(2, Do::Write(1))], &[]);
    let twice = [
        open(0, Do::Write(1)),
        done(1, Do::Read, 2, 1),
        done(3, Do::Write(2), 4, 0),
        done(5, Do::Read, 6, 1),
    ];
    bad(&twice, &[0, 1, 2]);
}

#[test]
fn a_write_of_what_is_there_may_come_later() {
    let again = [
        done(0, Do::Write(1), 1, 0),
        done(2, Do::Write(2), 3, 0),
        done(2, Do::Write(1), 4, 0),
        done(5, Do::Read, 6, 1),
    ];
    good(&again);
}

#[test]
fn operations_that_touch_are_concurrent() {
    good(&[done(0, Do::Write(1), 5, 0), done(5, Do::Read, 9, 0)]);
    bad(&[done(0, Do::Write(1), 5, 0), done(6, Do::Read, 9, 0)], &[0]);
}

#[test]
fn beyond_the_budget_nothing_is_claimed() {
    // A step to enter each configuration, one for each operation in it, one for each comparison.
    let history: Vec<_> = (0..12).map(|i| done(i, Do::Write(1), 100 + i, 0)).collect();
    let mut enough = budget(1_000_000);
    assert_eq!(check::<Register>(0, &history, &mut enough), Linearizability::Linearizable);
    let spent = 1_000_000 - enough.steps;
    for (steps, decided) in [(0, false), (1, false), (spent / 2, false), (spent, true)] {
        let judgement = check::<Register>(0, &history, &mut budget(steps));
        assert_eq!(judgement == Linearizability::Linearizable, decided, "{steps} of {spent}");
        assert_eq!(judgement == Linearizability::Undecided(Cut::Steps), !decided);
    }
}

/// The steps in which the search finds that this history is good.
#[track_caller]
fn steps_of_a_good(history: &[Operation]) -> u64 {
    let mut left = budget(1_000_000);
    assert_eq!(check::<Register>(0, history, &mut left), Linearizability::Linearizable);
    1_000_000 - left.steps
}

#[test]
fn a_step_is_a_configuration_an_operation_or_a_comparison() {
    // Of equal writes, each is compared with the first of those that are left.
    let writes: Vec<_> = (0..12).map(|i| done(i, Do::Write(1), 100 + i, 0)).collect();
    assert_eq!(steps_of_a_good(&writes), 12 * (1 + 12) + (0..12).sum::<u64>());
    // Of different ones, each with all before it.
    let write = |i: u8| done(i.into(), Do::Write(i), 100 + u64::from(i), 0);
    let writes: Vec<_> = (1..=4).map(write).collect();
    assert_eq!(steps_of_a_good(&writes), 4 * (1 + 4) + (3 + 2 + 1) + (2 + 1) + 1);
}

#[test]
fn what_only_looks_is_taken_without_a_comparison() {
    let reads: Vec<_> = (0..12).map(|i| done(i, Do::Read, 100 + i, 0)).collect();
    assert_eq!(steps_of_a_good(&reads), 12 * (1 + 12));
}

#[test]
fn an_open_operation_that_changes_nothing_is_left_out() {
    let mut history: Vec<_> = (0..11).map(|i| open(i, Do::Read)).collect();
    history.push(done(11, Do::Write(1), 12, 0));
    assert_eq!(steps_of_a_good(&history), 1 + 12);
}

#[test]
fn the_candidates_of_all_choices_are_in_memory() {
    // Ten writes, then nine are left, and so on; before the last there are those of nine choices.
    let write = |i: u8| done(i.into(), Do::Write(i), 100 + u64::from(i), 0);
    let writes: Vec<_> = (1..=10).map(write).collect();
    let bytes = (2..=10).sum::<u64>() * size_of::<usize>() as u64;
    let judged = |bytes| check::<Register>(0, &writes, &mut Budget { steps: 1_000, bytes });
    assert_eq!(judged(bytes), Linearizability::Linearizable);
    assert_eq!(judged(bytes - 1), Linearizability::Undecided(Cut::Bytes));
}

#[test]
fn the_first_return_that_no_order_explains_is_known() {
    let mut search = Search::<Register>::new(0);
    let open = search.called(Do::Write(9));
    let [write, read] = [Do::Write(1), Do::Read].map(|operation| search.called(operation));
    let late = search.called(Do::Read);
    for (op, outcome) in [(write, 0), (read, 7), (late, 1)] {
        search.returned(op, outcome);
    }
    assert!(matches!(search.judge(&mut budget(1_000)), Linearizability::NotLinearizable { .. }));
    assert_eq!(search.first_unexplained(), Some(read));
    assert_eq!(search.unexplained().collect::<Vec<_>>(), [write, read]);
    assert_eq!(search.operation(open), (&Do::Write(9), None));
}

/// Writes of different values beside each other, and a read of another: every set of them can come
/// first, and any one of the set last.
fn hopeless(writes: u64) -> Vec<Operation> {
    let write = |i: u64| done(i, Do::Write(u8::try_from(i + 1).unwrap()), 100 + i, 0);
    let mut history: Vec<_> = (0..writes).map(write).collect();
    history.push(done(200, Do::Read, 201, 99));
    history
}

#[test]
fn beyond_the_memory_nothing_is_claimed() {
    let mut few = Budget { steps: u64::MAX, bytes: 10_000 };
    let judgement = check::<Register>(0, &hopeless(14), &mut few);
    assert_eq!(judgement, Linearizability::Undecided(Cut::Bytes));
    assert!(u64::MAX - few.steps < 100_000);
    let mut enough = Budget { steps: u64::MAX, bytes: 1 << 30 };
    let judgement = check::<Register>(0, &hopeless(12), &mut enough);
    assert!(matches!(judgement, Linearizability::NotLinearizable { .. }));
    // 2^12 sets, of which each can end in any of its members.
    assert!(u64::MAX - enough.steps < (12 * 12 * 12) << 12);
}

#[test]
fn what_was_cut_off_is_decided_once_more_is_known() {
    // Which of many writes explains the first answer is open until the second one.
    let mut search = Search::<Register>::new(0);
    let writes: Vec<_> = (1..40).map(|value| search.called(Do::Write(value))).collect();
    let explains = search.called(Do::Write(99));
    let swap = search.called(Do::Swap(99, 1));
    search.returned(swap, 1);
    assert_eq!(search.judge(&mut budget(3_000)), Linearizability::Undecided(Cut::Steps));
    search.returned(explains, 0);
    assert_eq!(search.judge(&mut budget(3_000)), Linearizability::Linearizable);
    writes.into_iter().for_each(|op| search.returned(op, 0));
    assert_eq!(search.judge(&mut budget(100_000)), Linearizability::Linearizable);
    let late = search.called(Do::Read);
    search.returned(late, 77);
    assert!(matches!(search.judge(&mut budget(10_000)), Linearizability::Undecided(_)));
}

#[test]
fn the_memory_keeps_many_equal_writes_cheap() {
    // Twelve writes of one value beside each other, and a read of another: 12! orders, but 2^12
    // sets.
    let mut history: Vec<_> = (0..12).map(|i| done(i, Do::Write(1), 100 + i, 0)).collect();
    history.push(done(200, Do::Read, 201, 2));
    assert!(matches!(judge(&history), Linearizability::NotLinearizable { .. }));
}

/// Whether some order of some of the operations, all that returned among them, is legal and
/// respects time.
fn brute_force(history: &[Operation]) -> bool {
    fn extend(history: &[Operation], order: &mut Vec<usize>, state: u8) -> bool {
        let missing = |op: &usize| !order.contains(op);
        if (0..history.len()).filter(missing).all(|op| history[op].returned.is_none()) {
            return true;
        }
        (0..history.len()).any(|op| {
            if order.contains(&op) {
                return false;
            }
            let in_time = order.iter().all(|earlier| {
                let ends_before = history[op].returned.as_ref().map(|(at, _)| *at);
                ends_before.is_none_or(|at| at >= history[*earlier].called)
            });
            let (next, outcome) = Register::step(&state, &history[op].operation);
            let legal = history[op].returned.as_ref().is_none_or(|(_, known)| *known == outcome);
            order.push(op);
            let found = in_time && legal && extend(history, order, next);
            order.pop();
            found
        })
    }
    extend(history, &mut Vec::new(), 0)
}

fn operation() -> impl Strategy<Value = Operation> {
    let what = prop_oneof![
        Just(Do::Read),
        (1u8..3).prop_map(Do::Write),
        Just(Do::Increment),
        (0u8..3, 0u8..3).prop_map(|(from, to)| Do::Swap(from, to)),
    ];
    (what, 0u64..12, 0u64..6, any::<bool>(), select(vec![0u8, 1, 2, 3])).prop_map(
        |(operation, called, length, open, outcome)| {
            let outcome = if matches!(operation, Do::Write(_)) { 0 } else { outcome };
            let returned = (!open || outcome % 2 == 0).then_some((called + length, outcome));
            Call { called, operation, returned }
        },
    )
}

proptest! {
    #[test]
    fn the_search_agrees_with_brute_force(history in proptest::collection::vec(operation(), 0..6)) {
        let expected = brute_force(&history);
        prop_assert_eq!(judge(&history) == Linearizability::Linearizable, expected);
    }

    /// Random outcomes are seldom right: here they come from a run of the object itself.
    #[test]
    fn what_an_object_did_is_linearizable(
        plan in proptest::collection::vec((operation(), 0u64..4, 0u64..4), 0..20)
    ) {
        let (mut state, mut history) = (0, Vec::new());
        for (at, (call, before, after)) in (10..).zip(plan) {
            let (next, outcome) = Register::step(&state, &call.operation);
            state = next;
            let returned = call.returned.map(|_| (at + after, outcome));
            history.push(Call { called: at - before, operation: call.operation, returned });
        }
        prop_assert_eq!(judge(&history), Linearizability::Linearizable);
    }

    #[test]
    fn the_witness_is_a_legal_order(history in proptest::collection::vec(operation(), 0..6)) {
        if let Linearizability::NotLinearizable { prefix } = judge(&history) {
            let some: Vec<_> = prefix.iter().map(|op| history[*op].clone()).collect();
            prop_assert_eq!(judge(&some), Linearizability::Linearizable);
        }
    }

    /// Judged after each event, continuing the last search, and sometimes cut off.
    #[test]
    fn a_search_that_goes_on_agrees_with_brute_force(
        history in proptest::collection::vec(operation(), 0..7),
        steps in proptest::collection::vec(select(vec![0, 3, 8, 20, 1_000_000]), 14),
    ) {
        let mut events = Vec::new();
        for (index, Call { called, returned, .. }) in history.iter().enumerate() {
            events.push((*called, false, index));
            events.extend(returned.map(|(at, _)| (at.max(*called), true, index)));
        }
        events.sort_unstable();
        let mut search = Search::<Register>::new(0);
        let (mut seen, mut ops) = (history.clone(), vec![0; history.len()]);
        seen.iter_mut().for_each(|call| (call.called, call.returned) = (u64::MAX, None));
        for (at, ((_, is_return, index), steps)) in (0..).zip(events.into_iter().zip(steps)) {
            if is_return {
                let (_, outcome) = history[index].returned.unwrap();
                search.returned(ops[index], outcome);
                seen[index].returned = Some((at, outcome));
            } else {
                ops[index] = search.called(history[index].operation.clone());
                seen[index].called = at;
            }
            let so_far = seen.iter().filter(|call| call.called < u64::MAX);
            let so_far: Vec<_> = so_far.cloned().collect();
            let judgement = search.judge(&mut budget(steps));
            if !matches!(judgement, Linearizability::Undecided(_)) {
                let expected = brute_force(&so_far);
                prop_assert_eq!(judgement == Linearizability::Linearizable, expected);
            }
            prop_assert!(steps < 1_000_000 || !matches!(judgement, Linearizability::Undecided(_)));
        }
    }
}

/// A register that does not say which operations only look.
struct Silent;

impl Model for Silent {
    type State = u8;
    type Operation = Do;
    type Outcome = u8;

    fn step(state: &u8, operation: &Do) -> (u8, u8) {
        Register::step(state, operation)
    }
}

#[test]
fn unless_a_model_says_so_no_operation_only_looks() {
    for last in [1, 2] {
        let writes = [done(0, Do::Write(1), 5, 0), done(1, Do::Write(2), 6, 0)];
        let history = [&writes[..], &[done(7, Do::Read, 8, last)]].concat();
        let judgement = check::<Silent>(0, &history, &mut budget(100));
        assert_eq!(judgement, Linearizability::Linearizable, "{last} was written last");
    }
}

#[test]
fn more_operations_overlap_than_a_word_has_bits() {
    let count = 70;
    let write = |i: u8| done(i.into(), Do::Write(i + 1), 100 + u64::from(i), 0);
    let mut history: Vec<_> = (0..count).map(write).collect();
    history.push(done(200, Do::Read, 201, 70));
    good(&history);
    let mut reads: Vec<_> = (0..count).map(|i| done(i.into(), Do::Read, 100, 0)).collect();
    good(&reads);
    reads[69] = done(69, Do::Read, 100, 1);
    assert!(matches!(judge(&reads), Linearizability::NotLinearizable { .. }));
}

#[test]
fn a_copy_of_a_search_goes_on_by_itself() {
    let mut search = Search::<Register>::new(0);
    let writes = [1, 2].map(|value| search.called(Do::Write(value)));
    writes.iter().for_each(|write| search.returned(*write, 0));
    let read = search.called(Do::Read);
    assert_eq!(search.judge(&mut budget(100)), Linearizability::Linearizable);
    let mut copies = [1, 2, 3].map(|value| (value, search.clone()));
    for (value, copy) in &mut copies {
        copy.returned(read, *value);
        let is_legal = copy.judge(&mut budget(100)) == Linearizability::Linearizable;
        assert_eq!(is_legal, *value < 3, "{value} was read");
        assert_eq!(copy.operation(writes[1]), (&Do::Write(2), Some(&0)));
        assert_eq!(copy.operation(read), (&Do::Read, Some(&*value)));
    }
    assert_eq!(search.operation(read), (&Do::Read, None));
    assert_eq!(search.judge(&mut budget(100)), Linearizability::Linearizable);
}

#[test]
fn searches_are_alike_if_their_histories_are() {
    let digest = |history: &[Operation], is_judged: bool| {
        let mut search = Search::<Register>::new(0);
        for Call { operation, returned, .. } in history {
            let op = search.called(operation.clone());
            if let Some((_, outcome)) = returned {
                search.returned(op, *outcome);
            }
        }
        if is_judged {
            search.judge(&mut budget(100));
        }
        let mut digest = ftsim_core::digest::Digest::EMPTY;
        search.hash(&mut digest);
        digest.finish()
    };
    let one = [done(0, Do::Write(1), 1, 0)];
    assert_eq!(digest(&one, false), digest(&one, true));
    for other in [vec![], vec![done(0, Do::Write(2), 1, 0)], vec![open(0, Do::Write(1))]] {
        assert_ne!(digest(&one, false), digest(&other, false), "{other:?}");
    }
}
