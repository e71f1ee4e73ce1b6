//! Operations of a history as those of a model, and the judgement on them.

use std::collections::BTreeMap;

use clap::ValueEnum;
use ftsim_protocols::spec::linearizability::models::{
    Cell, CellOperation, CellOutcome, Content, Lock, LockOperation, Members, Queue, QueueOperation,
    QueueOutcome, Set, SetOperation, SetOutcome,
};
use ftsim_protocols::spec::linearizability::objects::{Judged, check_each};
use ftsim_protocols::spec::linearizability::sequence::Waiting;
use ftsim_protocols::spec::linearizability::value::Value;
use ftsim_protocols::spec::linearizability::{Budget, Call, Cut, Linearizability, Model};

use super::entry::{HistoryError, Place};
use super::operations::{Act, Answer, End};

/// The objects that a history may be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModelName {
    /// read, write
    Register,
    /// read, write, cas [OLD NEW]
    CasRegister,
    /// read, write, cas, append, increment, each value with its key before it: [KEY VALUE]
    Kv,
    /// add, remove, read of all members
    Set,
    /// enqueue, dequeue: first in, first out
    Queue,
    /// acquire, release, by the process that holds it
    Lock,
}

/// What a `cas` that failed without an `:error` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailedCas {
    /// That it had no effect
    Ignored,
    /// That the value was another, as ftsim writes it
    Compared,
}

/// How a history is judged.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) model: ModelName,
    /// Values have a key before them, and each key is an object.
    pub(crate) keyed: bool,
    /// What a register or a key holds to which nothing was written.
    pub(crate) initial: Value,
    pub(crate) failed_cas: FailedCas,
}

/// The judgement on one object.
pub(crate) struct Object {
    /// Its key, if it has one.
    pub(crate) key: Option<Value>,
    pub(crate) operation_count: usize,
    pub(crate) verdict: Verdict,
}

/// Whether an object is linearizable. Operations are indices into the history.
pub(crate) enum Verdict {
    Held,
    Violated { longest: Vec<usize>, misfits: Vec<Misfit> },
    Undecided(Cut),
}

/// An operation that fits nowhere.
pub(crate) struct Misfit {
    pub(crate) act: usize,
    /// What its answer would have been after the longest order.
    pub(crate) instead: String,
    pub(crate) is_first: bool,
}

/// Judges a history.
///
/// # Errors
/// If an operation is none of the model.
pub(crate) fn judge(
    acts: &[Act],
    rules: &Rules,
    budget: &mut Budget,
) -> Result<Vec<Object>, HistoryError> {
    match rules.model {
        ModelName::Register | ModelName::CasRegister | ModelName::Kv => {
            let initial = Content::from(rules.initial.clone());
            let parse = |asked: &Asked<'_>| cell(asked, rules);
            judge_as::<Cell>(&initial, acts, rules, parse, cell_text, budget)
        }
        ModelName::Set => {
            let mut numbers = BTreeMap::new();
            let parse = |asked: &Asked<'_>| set(asked, &mut numbers);
            let text = |outcome: &SetOutcome| match outcome {
                SetOutcome::Done => "done".to_owned(),
                SetOutcome::Found(members) => format!("{} members", members.iter().count()),
            };
            judge_as::<Set>(&Members::default(), acts, rules, parse, text, budget)
        }
        ModelName::Queue => {
            let text = |outcome: &QueueOutcome| match outcome {
                QueueOutcome::Done => "done".to_owned(),
                QueueOutcome::Dequeued(None) => Value::Nil.to_string(),
                QueueOutcome::Dequeued(Some(value)) => value.to_string(),
            };
            judge_as::<Queue>(&Waiting::default(), acts, rules, queue, text, budget)
        }
        ModelName::Lock => {
            let text = |is_done: &bool| if *is_done { "done" } else { "refused" }.to_owned();
            judge_as::<Lock>(&None, acts, rules, lock, text, budget)
        }
    }
}

/// An operation without its key.
struct Asked<'a> {
    act: &'a Act,
    value: &'a Value,
    /// What it found, and where that is written; `None` if it was not answered.
    found: Option<(&'a Value, Place)>,
    /// It is a cas that found another value.
    is_refused: bool,
}

/// An operation of a model, and its outcome if it was answered.
type Parsed<M> = (<M as Model>::Operation, Option<<M as Model>::Outcome>);

fn judge_as<M: Model>(
    initial: &M::State,
    acts: &[Act],
    rules: &Rules,
    mut parse: impl FnMut(&Asked<'_>) -> Result<Parsed<M>, HistoryError>,
    text: impl Fn(&M::Outcome) -> String,
    budget: &mut Budget,
) -> Result<Vec<Object>, HistoryError> {
    let compares = rules.failed_cas == FailedCas::Compared;
    let mut history = Vec::new();
    let mut indices = Vec::new();
    for (index, act) in acts.iter().enumerate() {
        let (answer, is_refused) = match &act.end {
            End::Open => (None, false),
            End::Answered(answer) => (Some(answer), false),
            End::Failed { answer, is_refusal: true } if compares && act.function == "cas" => {
                (Some(answer), true)
            }
            End::Failed { .. } => continue,
        };
        let (key, value, found) = split(act, answer, rules.keyed)?;
        let asked = Asked { act, value, found, is_refused };
        let (operation, outcome) = parse(&asked)?;
        let at = answer.map_or(0, |answer| answer.position);
        let returned = outcome.map(|outcome| (at, outcome));
        history.push((key.clone(), Call { called: act.called, operation, returned }));
        indices.push(index);
    }
    let judged = check_each::<Value, M>(initial, &history, budget);
    Ok(judged.into_iter().map(|judged| object(judged, &indices, rules, &text)).collect())
}

fn object<M: Model>(
    judged: Judged<Value, M>,
    indices: &[usize],
    rules: &Rules,
    text: impl Fn(&M::Outcome) -> String,
) -> Object {
    let verdict = match judged.judgement {
        Linearizability::Linearizable => Verdict::Held,
        Linearizability::Undecided(cut) => Verdict::Undecided(cut),
        Linearizability::NotLinearizable { prefix } => {
            let misfit = |misfit: &ftsim_protocols::spec::linearizability::objects::Misfit<M>| {
                let instead = text(&misfit.instead);
                Misfit { act: indices[misfit.index], instead, is_first: misfit.is_first }
            };
            Verdict::Violated {
                longest: prefix.into_iter().map(|index| indices[index]).collect(),
                misfits: judged.misfits.iter().map(misfit).collect(),
            }
        }
    };
    let key = rules.keyed.then_some(judged.key);
    Object { key, operation_count: judged.operation_count, verdict }
}

/// The key of an operation, its value, and what it found.
type Split<'a> = (&'a Value, &'a Value, Option<(&'a Value, Place)>);

fn split<'a>(
    act: &'a Act,
    answer: Option<&'a Answer>,
    keyed: bool,
) -> Result<Split<'a>, HistoryError> {
    if !keyed {
        return Ok((&Value::Nil, &act.asked, answer.map(|answer| (&answer.found, answer.at))));
    }
    let pair = |value: &'a Value, place| match value.parts() {
        Some([key, value]) => Ok((key, value)),
        _ => {
            let message = format!("a value must have its key before it, [KEY VALUE], not {value}");
            Err(HistoryError { place, message })
        }
    };
    let (key, value) = pair(&act.asked, act.asked_at)?;
    let Some(answer) = answer else { return Ok((key, value, None)) };
    let (same, found) = pair(&answer.found, answer.at)?;
    if same != key {
        let message = format!("this answers an operation on key {key}, not {same}");
        return Err(HistoryError { place: answer.at, message });
    }
    Ok((key, value, Some((found, answer.at))))
}

impl Asked<'_> {
    fn unknown<T>(&self, known: &str) -> Result<T, HistoryError> {
        let message = format!("the model knows {known}, but no `{}`", self.act.function);
        Err(HistoryError { place: self.act.function_at, message })
    }

    /// This outcome, if it was answered.
    fn then<T>(&self, outcome: T) -> Option<T> {
        self.found.map(|_| outcome)
    }
}

fn cell(asked: &Asked<'_>, rules: &Rules) -> Result<Parsed<Cell>, HistoryError> {
    let (swaps, all) = (rules.model != ModelName::Register, rules.model == ModelName::Kv);
    let found = || asked.found.map(|(found, _)| CellOutcome::Found(found.clone().into()));
    Ok(match asked.act.function.as_str() {
        "read" => (CellOperation::Read, found()),
        "write" => {
            let new = asked.value.clone().into();
            (CellOperation::Write(new), asked.then(CellOutcome::Done))
        }
        "cas" if swaps => {
            let Some([expected, new]) = asked.value.parts() else {
                let message = format!("a cas needs [OLD NEW], not {}", asked.value);
                return Err(HistoryError { place: asked.act.asked_at, message });
            };
            let (expected, new) = (expected.clone().into(), new.clone().into());
            let outcome = CellOutcome::Swapped(!asked.is_refused);
            (CellOperation::CompareAndSwap { expected, new }, asked.then(outcome))
        }
        "append" if all => {
            (CellOperation::Append(asked.value.clone()), asked.then(CellOutcome::Done))
        }
        "increment" if all => (CellOperation::Increment, found()),
        _ => {
            return asked.unknown(match rules.model {
                ModelName::Register => "read and write",
                ModelName::CasRegister => "read, write and cas",
                _ => "read, write, cas, append and increment",
            });
        }
    })
}

fn cell_text(outcome: &CellOutcome) -> String {
    match outcome {
        CellOutcome::Done => "done".to_owned(),
        CellOutcome::Found(content) => Value::from(content).to_string(),
        CellOutcome::Swapped(is) => if *is { "swapped" } else { "not swapped" }.to_owned(),
    }
}

fn set(asked: &Asked<'_>, numbers: &mut BTreeMap<Value, u32>) -> Result<Parsed<Set>, HistoryError> {
    let mut number = |element: &Value| {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        *numbers.entry(element.clone()).or_insert(next)
    };
    Ok(match asked.act.function.as_str() {
        "add" => (SetOperation::Add(number(asked.value)), asked.then(SetOutcome::Done)),
        "remove" => (SetOperation::Remove(number(asked.value)), asked.then(SetOutcome::Done)),
        "read" => {
            let outcome = match asked.found {
                None => None,
                Some((Value::List(members), _)) => Some(members.iter().map(number).collect()),
                Some((Value::Set(members), _)) => Some(members.iter().map(number).collect()),
                Some((Value::Nil, _)) => Some(Members::default()),
                Some((other, place)) => {
                    let message = format!("a read of a set finds its members, not {other}");
                    return Err(HistoryError { place, message });
                }
            };
            (SetOperation::Read, outcome.map(SetOutcome::Found))
        }
        _ => return asked.unknown("add, remove and read"),
    })
}

fn queue(asked: &Asked<'_>) -> Result<Parsed<Queue>, HistoryError> {
    Ok(match asked.act.function.as_str() {
        "enqueue" => (QueueOperation::Enqueue(asked.value.clone()), asked.then(QueueOutcome::Done)),
        "dequeue" => {
            let value = |found: &Value| (*found != Value::Nil).then(|| found.clone());
            let outcome = asked.found.map(|(found, _)| QueueOutcome::Dequeued(value(found)));
            (QueueOperation::Dequeue, outcome)
        }
        _ => return asked.unknown("enqueue and dequeue"),
    })
}

fn lock(asked: &Asked<'_>) -> Result<Parsed<Lock>, HistoryError> {
    let operation = match asked.act.function.as_str() {
        "acquire" => LockOperation::Acquire(asked.act.process),
        "release" => LockOperation::Release(asked.act.process),
        _ => return asked.unknown("acquire and release"),
    };
    Ok((operation, asked.then(true)))
}
