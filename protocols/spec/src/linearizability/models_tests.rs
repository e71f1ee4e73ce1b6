//! The models: thousands of drawn histories, judged by the search and by brute force.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use ftsim_core::digest::Digest;

use super::models::{
    Cell, CellOperation, CellOutcome, Content, Lock, LockOperation, Members, Queue, QueueOperation,
    QueueOutcome, Set, SetOperation, SetOutcome,
};
use super::objects::check_each;
use super::sequence::Waiting;
use super::value::Value;
use super::{Budget, Call, Cut, Linearizability, Model, Search, check};

/// Numbers by xorshift.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// The positions of a history.
const TICKS: u64 = 40;

type History<M> = Vec<Call<<M as Model>::Operation, <M as Model>::Outcome>>;
/// Draws an operation of a client.
type DrawOperation<M> = fn(&mut Draw, u64) -> <M as Model>::Operation;

/// A history of three clients of a true object; in every other one, some answer is replaced by what
/// the operation would have found in another state. Some operations are never answered.
fn drawn<M: Model>(initial: &M::State, operation: DrawOperation<M>, draw: &mut Draw) -> History<M> {
    let mut history: History<M> = Vec::new();
    let mut states = vec![initial.clone()];
    // For each client, its operation, and the outcome once it has taken effect.
    let mut clients: [Option<(usize, Option<M::Outcome>)>; 3] = [None, None, None];
    for at in 0..TICKS {
        let client = draw.below(3);
        let slot = &mut clients[usize::try_from(client).unwrap()];
        match slot.take() {
            None if history.len() < 7 => {
                *slot = Some((history.len(), None));
                let operation = operation(draw, client);
                history.push(Call { called: at, operation, returned: None });
            }
            None => {}
            // It crashes, having taken effect or not.
            Some(_) if draw.below(8) == 0 => {}
            Some((index, None)) => {
                let state = states.last().unwrap_or(initial);
                let (next, outcome) = M::step(state, &history[index].operation);
                states.push(next);
                *slot = Some((index, Some(outcome)));
            }
            Some((index, Some(outcome))) => history[index].returned = Some((at, outcome)),
        }
    }
    if draw.below(2) == 0 {
        return history;
    }
    let victim = usize::try_from(draw.below(history.len().max(1) as u64)).unwrap();
    if let Some(Call { operation, returned: Some((_, outcome)), .. }) = history.get_mut(victim) {
        let others = states.iter().map(|state| M::step(state, operation).1);
        let others: Vec<_> = others.filter(|other| other != outcome).collect();
        let place = usize::try_from(draw.below(others.len().max(1) as u64)).unwrap();
        if let Some(other) = others.into_iter().nth(place) {
            *outcome = other;
        }
    }
    history
}

/// Whether some order of some of the operations, all that returned among them, is legal and
/// respects time: every order is tried.
fn brute_force<M: Model>(history: &History<M>, order: &mut Vec<usize>, state: &M::State) -> bool {
    let is_left = |op: &usize| !order.contains(op);
    let left: Vec<usize> = (0..history.len()).filter(is_left).collect();
    let returned = |op: usize| history[op].returned.as_ref();
    if left.iter().all(|op| returned(*op).is_none()) {
        return true;
    }
    left.iter().any(|&op| {
        let is_first = |other: &usize| returned(*other).is_none_or(|r| r.0 >= history[op].called);
        let (next, outcome) = M::step(state, &history[op].operation);
        let is_legal = returned(op).is_none_or(|(_, known)| *known == outcome);
        order.push(op);
        let in_time = left.iter().all(is_first);
        let found = in_time && is_legal && brute_force::<M>(history, order, &next);
        order.pop();
        found
    })
}

const fn plenty() -> Budget {
    Budget { steps: 1_000_000, bytes: 1 << 24 }
}

/// The verdicts of a search that follows the history event by event: at each response.
fn follow<M: Model>(initial: &M::State, history: &History<M>) -> bool {
    let mut search = Search::<M>::new(initial.clone());
    let mut ops = vec![0; history.len()];
    let mut holds = true;
    for at in 0..TICKS {
        for (index, call) in history.iter().enumerate() {
            if call.called == at {
                ops[index] = search.called(call.operation.clone());
            }
            if let Some((_, outcome)) = call.returned.as_ref().filter(|(end, _)| *end == at) {
                search.returned(ops[index], outcome.clone());
                holds = search.judge(&mut plenty()) == Linearizability::Linearizable;
                let so_far = |call: &Call<_, M::Outcome>| call.called <= at;
                let mut prefix: History<M> =
                    history.iter().filter(|call| so_far(call)).cloned().collect();
                for call in &mut prefix {
                    call.returned = call.returned.take().filter(|(end, _)| *end <= at);
                }
                assert_eq!(holds, brute_force::<M>(&prefix, &mut Vec::new(), initial));
            }
        }
        if !holds {
            break;
        }
    }
    holds
}

fn agrees<M: Model>(initial: &M::State, operation: DrawOperation<M>, seed: u64) {
    let mut draw = Draw(seed);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..4_000 {
        let history = drawn::<M>(initial, operation, &mut draw);
        let expected = brute_force::<M>(&history, &mut Vec::new(), initial);
        let judged = check::<M>(initial.clone(), &history, &mut plenty());
        assert_eq!(judged == Linearizability::Linearizable, expected);
        assert_ne!(matches!(judged, Linearizability::NotLinearizable { .. }), expected);
        assert_eq!(follow::<M>(initial, &history), expected);
        *(if expected { &mut good } else { &mut bad }) += 1;
        witness_is_right::<M>(initial, &history);
    }
    assert!(good > 500 && bad > 200, "{good} good, {bad} bad");
}

/// The longest order is legal, and what fits nowhere is not in it.
fn witness_is_right<M: Model>(initial: &M::State, history: &History<M>) {
    let keyed: Vec<_> = history.iter().map(|call| ((), call.clone())).collect();
    for judged in check_each::<(), M>(initial, &keyed, &mut plenty()) {
        let Linearizability::NotLinearizable { prefix } = judged.judgement else { continue };
        let mut state = initial.clone();
        for op in &prefix {
            let (next, outcome) = M::step(&state, &history[*op].operation);
            let known = history[*op].returned.as_ref();
            assert!(known.is_none_or(|(_, known)| *known == outcome));
            state = next;
        }
        // The first answer that nothing explains may be in an order that lacks an earlier one.
        assert!(!judged.misfits.is_empty());
        assert!(judged.misfits.iter().all(|misfit| !prefix.contains(&misfit.index)));
    }
}

#[test]
fn cells_are_judged_as_by_brute_force() {
    let operation: DrawOperation<Cell> = |draw, _| {
        let mut number = || Value::Integer(draw.below(3).into());
        let (one, two) = (number(), number());
        match draw.below(6) {
            0 | 1 => CellOperation::Read,
            2 => CellOperation::Write(one.into()),
            3 => CellOperation::CompareAndSwap { expected: one.into(), new: two.into() },
            4 => CellOperation::Append(one),
            _ => CellOperation::Increment,
        }
    };
    agrees::<Cell>(&Content::One(Value::Nil), operation, 1);
    agrees::<Cell>(&Content::One(Value::Integer(0)), operation, 2);
}

#[test]
fn sets_are_judged_as_by_brute_force() {
    let operation: DrawOperation<Set> = |draw, _| {
        let element = u32::try_from(draw.below(3) * 600).unwrap();
        match draw.below(4) {
            0 => SetOperation::Add(element),
            1 => SetOperation::Remove(element),
            _ => SetOperation::Read,
        }
    };
    agrees::<Set>(&Members::default(), operation, 3);
}

#[test]
fn queues_are_judged_as_by_brute_force() {
    let operation: DrawOperation<Queue> = |draw, _| match draw.below(2) {
        0 => QueueOperation::Enqueue(Value::Integer(draw.below(3).into())),
        _ => QueueOperation::Dequeue,
    };
    agrees::<Queue>(&Waiting::default(), operation, 4);
}

#[test]
fn locks_are_judged_as_by_brute_force() {
    let operation: DrawOperation<Lock> = |draw, client| match draw.below(2) {
        0 => LockOperation::Acquire(client),
        _ => LockOperation::Release(client),
    };
    agrees::<Lock>(&None, operation, 5);
}

fn number(number: i128) -> Content {
    Content::One(Value::Integer(number))
}

#[test]
fn a_cell_is_swapped_only_if_it_is_as_expected() {
    let swap = CellOperation::CompareAndSwap { expected: number(1), new: number(2) };
    assert_eq!(Cell::step(&number(1), &swap), (number(2), CellOutcome::Swapped(true)));
    assert_eq!(Cell::step(&number(3), &swap), (number(3), CellOutcome::Swapped(false)));
}

#[test]
fn an_increment_adds_one_and_what_is_no_integer_counts_as_zero() {
    let increment = |state| Cell::step(&state, &CellOperation::Increment);
    assert_eq!(increment(number(4)), (number(5), CellOutcome::Found(number(5))));
    assert_eq!(increment(Value::Nil.into()), (number(1), CellOutcome::Found(number(1))));
    assert_eq!(increment(Value::text("a").into()), (number(1), CellOutcome::Found(number(1))));
}

#[test]
fn what_reads_or_fails_only_looks() {
    let swap = CellOperation::CompareAndSwap { expected: number(1), new: number(2) };
    assert!(Cell::only_looks(&CellOperation::Read, &CellOutcome::Found(number(1))));
    assert!(Cell::only_looks(&swap, &CellOutcome::Swapped(false)));
    assert!(!Cell::only_looks(&swap, &CellOutcome::Swapped(true)));
    assert!(!Cell::only_looks(&CellOperation::Write(number(1)), &CellOutcome::Done));
    assert!(!Cell::only_looks(&CellOperation::Increment, &CellOutcome::Found(number(1))));
    assert!(Set::only_looks(&SetOperation::Read, &SetOutcome::Found(Members::default())));
    assert!(!Set::only_looks(&SetOperation::Add(1), &SetOutcome::Done));
    assert!(Queue::only_looks(&QueueOperation::Dequeue, &QueueOutcome::Dequeued(None)));
    let first = QueueOutcome::Dequeued(Some(Value::Nil));
    assert!(!Queue::only_looks(&QueueOperation::Dequeue, &first));
    assert!(!Queue::only_looks(&QueueOperation::Enqueue(Value::Nil), &QueueOutcome::Done));
    assert!(Lock::only_looks(&LockOperation::Acquire(1), &false));
    assert!(!Lock::only_looks(&LockOperation::Acquire(1), &true));
}

#[test]
fn a_set_has_what_was_added_and_not_removed() {
    let set = |elements: &[u32]| elements.iter().copied().collect::<Members>();
    let step = |elements: &[u32], operation| Set::step(&set(elements), &operation);
    assert_eq!(step(&[1], SetOperation::Add(2)), (set(&[1, 2]), SetOutcome::Done));
    assert_eq!(step(&[1], SetOperation::Add(1)), (set(&[1]), SetOutcome::Done));
    assert_eq!(step(&[1, 2], SetOperation::Remove(1)), (set(&[2]), SetOutcome::Done));
    assert_eq!(step(&[1], SetOperation::Remove(2)), (set(&[1]), SetOutcome::Done));
    assert_eq!(step(&[1], SetOperation::Read), (set(&[1]), SetOutcome::Found(set(&[1]))));
    assert_ne!(set(&[1]), set(&[2]));
}

#[test]
fn sets_with_different_members_have_different_digests() {
    let digest = |element| {
        let mut digest = Digest::EMPTY;
        Members::from_iter([element]).hash(&mut digest);
        digest.finish()
    };
    let digests: BTreeSet<u64> = (0..600).map(digest).collect();
    assert_eq!(digests.len(), 600);
}

#[test]
fn a_queue_gives_back_the_first_value_first() {
    let queue = Waiting::default().with(Value::Integer(1)).with(Value::Integer(2));
    let (rest, first) = Queue::step(&queue, &QueueOperation::Dequeue);
    assert_eq!(first, QueueOutcome::Dequeued(Some(Value::Integer(1))));
    assert_eq!(rest, Waiting::default().with(Value::Integer(2)));
    let (rest, second) = Queue::step(&rest, &QueueOperation::Dequeue);
    assert_eq!(second, QueueOutcome::Dequeued(Some(Value::Integer(2))));
    let nothing = (Waiting::default(), QueueOutcome::Dequeued(None));
    assert_eq!(Queue::step(&rest, &QueueOperation::Dequeue), nothing);
}

#[test]
fn only_its_holder_gives_a_lock_back() {
    let step = |holder, operation| Lock::step(&holder, &operation);
    assert_eq!(step(None, LockOperation::Acquire(1)), (Some(1), true));
    assert_eq!(step(Some(1), LockOperation::Acquire(2)), (Some(1), false));
    assert_eq!(step(Some(1), LockOperation::Release(1)), (None, true));
    assert_eq!(step(Some(1), LockOperation::Release(2)), (Some(1), false));
    assert_eq!(step(None, LockOperation::Release(1)), (None, false));
}

#[test]
fn members_are_those_that_were_added() {
    let members: Members = [3, 700, 3, 64].into_iter().collect();
    assert_eq!(members.iter().collect::<Vec<_>>(), [3, 64, 700]);
    let fewer = Set::step(&members, &SetOperation::Remove(700)).0;
    assert_eq!(fewer, [64, 3].into_iter().collect());
}

#[test]
fn what_is_appended_makes_a_list_or_a_longer_text() {
    let append = |state: Value, value: Value| {
        Value::from(&Cell::step(&state.into(), &CellOperation::Append(value)).0).to_string()
    };
    assert_eq!(append(Value::Nil, Value::Integer(1)), "[1]");
    assert_eq!(append(Value::List(vec![Value::Integer(1)]), Value::Integer(2)), "[1 2]");
    assert_eq!(append(Value::text("a"), Value::text("b")), "\"ab\"");
    assert_eq!(append(Value::Nil, Value::text("b")), "\"b\"");
    assert_eq!(append(Value::Integer(1), Value::Integer(2)), "[1 2]");
}

#[test]
fn only_a_list_has_parts() {
    let parts = [Value::Integer(1), Value::Nil];
    assert_eq!(Value::List(parts.to_vec()).parts(), Some(&parts[..]));
    assert_eq!(Value::text("a").parts(), None);
}

/// Objects are judged each by itself, and what is wrong with one is told of that one.
#[test]
fn each_object_is_judged_by_itself() {
    let call = |called, operation, outcome| {
        let returned = Some((called + 1, Cell::step(&outcome, &operation).1));
        Call { called, operation, returned }
    };
    let (zero, seven) = (Content::One(Value::Nil), Content::One(Value::Integer(7)));
    let history = [
        ("a", call(0, CellOperation::Read, zero.clone())),
        ("b", call(2, CellOperation::Write(seven.clone()), zero.clone())),
        ("a", call(4, CellOperation::Read, seven)),
    ];
    let judged = check_each::<&str, Cell>(&zero, &history, &mut plenty());
    assert_eq!(judged[0].judgement, Linearizability::NotLinearizable { prefix: vec![0] });
    let [misfit] = &judged[0].misfits[..] else { panic!("one fits nowhere") };
    assert_eq!((misfit.index, misfit.is_first), (2, true));
    assert_eq!(judged[1].judgement, Linearizability::Linearizable);
}

/// Writes to an object, one after another: two steps each.
fn writes(key: &str, count: u64) -> Vec<(&str, Call<CellOperation, CellOutcome>)> {
    let write = |at: u64| Call {
        called: 2 * at,
        operation: CellOperation::Write(number(1)),
        returned: Some((2 * at + 1, CellOutcome::Done)),
    };
    (0..count).map(|at| (key, write(at))).collect()
}

#[test]
fn each_object_has_an_equal_share_of_the_steps_that_are_left() {
    let judged = |counts: [u64; 3], steps| {
        let keys = ["a", "b", "c"].into_iter().zip(counts);
        let history: Vec<_> = keys.flat_map(|(key, count)| writes(key, count)).collect();
        let mut budget = Budget { steps, ..plenty() };
        let judged = check_each::<&str, Cell>(&number(0), &history, &mut budget);
        let judgements: Vec<_> = judged.into_iter().map(|judged| judged.judgement).collect();
        (judgements, budget.steps)
    };
    use Linearizability::{Linearizable, Undecided};
    assert_eq!(judged([1, 1, 1], 100), (vec![Linearizable; 3], 94));
    // What one object leaves is for those after it: the last has all that is left.
    assert_eq!(judged([1, 1, 5], 14), (vec![Linearizable; 3], 0));
    assert_eq!(judged([1, 3, 1], 14), (vec![Linearizable; 3], 4));
    // But the first has only its third.
    let cut = vec![Undecided(Cut::Steps), Linearizable, Linearizable];
    assert_eq!(judged([5, 1, 1], 14), (cut, 6));
}
