//! Histories drawn from a true object, of which some answers are wrong.

use ftsim_spec::linearizability::models::{
    Cell, CellOperation, CellOutcome, Content, Lock, LockOperation, Queue, QueueOperation,
    QueueOutcome, Set, SetOperation, SetOutcome,
};
use ftsim_spec::linearizability::value::Value;
use ftsim_spec::linearizability::{Call, Model};

/// Numbers by xorshift.
pub struct Draw(pub u64);

impl Draw {
    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// A kind of histories.
pub struct Row {
    pub model: &'static str,
    pub count: u64,
    pub operations: u64,
    pub clients: u64,
    pub crashes: u64,
}

/// What an operation is, its arguments, and its answer.
type Numbers = (u8, [i64; 2], Vec<i64>);

/// A model whose operations are drawn, and written as numbers: what it is (0, 1, …), two arguments,
/// and an answer as a list.
pub trait Flat: Model {
    fn draw(draw: &mut Draw, client: u64) -> Self::Operation;
    fn flat(operation: &Self::Operation, outcome: Option<&Self::Outcome>) -> Numbers;
}

fn number(value: &Value) -> i64 {
    match value {
        Value::Integer(number) => i64::try_from(*number).unwrap_or(-1),
        _ => -1,
    }
}

fn content(content: &Content) -> i64 {
    number(&content.into())
}

impl Flat for Cell {
    fn draw(draw: &mut Draw, _: u64) -> CellOperation {
        let value = |number: u64| Content::One(Value::Integer(number.into()));
        match draw.below(5) {
            0 | 1 => CellOperation::Read,
            2 | 3 => CellOperation::Write(value(draw.below(5))),
            _ => {
                let (expected, new) = (value(draw.below(5)), value(draw.below(5)));
                CellOperation::CompareAndSwap { expected, new }
            }
        }
    }

    fn flat(operation: &CellOperation, outcome: Option<&CellOutcome>) -> Numbers {
        let (what, arguments) = match operation {
            CellOperation::Read => (0, [0, 0]),
            CellOperation::Write(new) => (1, [content(new), 0]),
            CellOperation::CompareAndSwap { expected, new } => {
                (2, [content(expected), content(new)])
            }
            _ => unreachable!("it is not drawn"),
        };
        let answer = match outcome {
            Some(CellOutcome::Found(found)) => vec![content(found)],
            Some(CellOutcome::Swapped(is)) => vec![(*is).into()],
            _ => Vec::new(),
        };
        (what, arguments, answer)
    }
}

impl Flat for Set {
    fn draw(draw: &mut Draw, _: u64) -> SetOperation {
        let element = draw.below(60) as u32;
        match draw.below(3) {
            0 => SetOperation::Add(element),
            1 => SetOperation::Remove(element),
            _ => SetOperation::Read,
        }
    }

    fn flat(operation: &SetOperation, outcome: Option<&SetOutcome>) -> Numbers {
        let (what, argument) = match operation {
            SetOperation::Add(element) => (0, *element),
            SetOperation::Remove(element) => (1, *element),
            SetOperation::Read => (2, 0),
        };
        let answer = match outcome {
            Some(SetOutcome::Found(members)) => members.iter().map(i64::from).collect(),
            _ => Vec::new(),
        };
        (what, [argument.into(), 0], answer)
    }
}

impl Flat for Queue {
    fn draw(draw: &mut Draw, _: u64) -> QueueOperation {
        match draw.below(5) {
            0 | 1 => QueueOperation::Enqueue(Value::Integer(draw.below(1_000).into())),
            _ => QueueOperation::Dequeue,
        }
    }

    fn flat(operation: &QueueOperation, outcome: Option<&QueueOutcome>) -> Numbers {
        let (what, argument) = match operation {
            QueueOperation::Enqueue(value) => (0, number(value)),
            QueueOperation::Dequeue => (1, 0),
        };
        let answer = match outcome {
            Some(QueueOutcome::Dequeued(Some(value))) => vec![number(value)],
            _ => Vec::new(),
        };
        (what, [argument, 0], answer)
    }
}

impl Flat for Lock {
    fn draw(draw: &mut Draw, client: u64) -> LockOperation {
        match draw.below(2) {
            0 => LockOperation::Acquire(client),
            _ => LockOperation::Release(client),
        }
    }

    fn flat(operation: &LockOperation, outcome: Option<&bool>) -> Numbers {
        let (what, process) = match operation {
            LockOperation::Acquire(process) => (0, *process),
            LockOperation::Release(process) => (1, *process),
        };
        let process = i64::try_from(process).unwrap_or_default();
        (what, [process, 0], outcome.map(|is| i64::from(*is)).into_iter().collect())
    }
}

pub type History<M> = Vec<Call<<M as Model>::Operation, <M as Model>::Outcome>>;

/// A history of a true object. In every other one, some answer is replaced by what the operation
/// would have found in another state.
pub fn drawn<M: Flat>(initial: &M::State, row: &Row, draw: &mut Draw) -> History<M> {
    let mut history: History<M> = Vec::new();
    let mut states = vec![initial.clone()];
    // For each client, its operation, and the outcome once it has taken effect.
    let mut clients: Vec<Option<(usize, Option<M::Outcome>)>> = Vec::new();
    clients.resize_with(row.clients as usize, || None);
    let mut at = 0;
    while (history.len() as u64) < row.operations || clients.iter().any(Option::is_some) {
        at += 1;
        let client = draw.below(row.clients);
        let slot = &mut clients[client as usize];
        match slot.take() {
            None if (history.len() as u64) < row.operations => {
                *slot = Some((history.len(), None));
                let operation = M::draw(draw, client);
                history.push(Call { called: at, operation, returned: None });
            }
            None => {}
            Some(_) if row.crashes > 0 && draw.below(2 * row.crashes) == 0 => {}
            Some((index, None)) => {
                let (next, outcome) = M::step(&states[states.len() - 1], &history[index].operation);
                states.push(next);
                *slot = Some((index, Some(outcome)));
            }
            Some((index, Some(outcome))) => history[index].returned = Some((at, outcome)),
        }
    }
    let victim = draw.below(row.operations * 2) as usize;
    let state = &states[draw.below(states.len() as u64) as usize];
    if let Some(Call { operation, returned: Some((_, outcome)), .. }) = history.get_mut(victim) {
        *outcome = M::step(state, operation).1;
    }
    history
}

/// A history on one line: `register;CALL,RETURN,WHAT,A,B,ANSWER.ANSWER;…`, with the return -1 for
/// an operation that was never answered.
pub fn flat<M: Flat>(model: &str, history: &History<M>) -> String {
    let mut line = model.to_owned();
    for Call { called, operation, returned } in history {
        let outcome = returned.as_ref().map(|(_, outcome)| outcome);
        let end = returned.as_ref().map_or(-1, |(at, _)| *at as i64);
        let (what, [a, b], answer) = M::flat(operation, outcome);
        let answer: Vec<_> = answer.iter().map(ToString::to_string).collect();
        line += &format!(";{called},{end},{what},{a},{b},{}", answer.join("."));
    }
    line
}
