//! The models: thousands of drawn histories, judged by the search and by brute force.

use super::models::{
    Cell, CellOperation, Content, Lock, LockOperation, Members, Queue, QueueOperation, Set,
    SetOperation,
};
use super::objects::check_each;
use super::sequence::Waiting;
use super::value::Value;
use super::{Budget, Call, Linearizability, Model, Search, check};

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
