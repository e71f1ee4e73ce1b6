//! Invocations and responses, paired to operations.

use std::collections::BTreeMap;

use ftsim_protocols::spec::linearizability::value::Value;

use super::entry::{Entry, HistoryError, Place, name};

/// One operation of a client.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) process: u64,
    /// What was asked for: `:f`.
    pub(crate) function: String,
    pub(crate) function_at: Place,
    /// The value of the invocation.
    pub(crate) asked: Value,
    pub(crate) asked_at: Place,
    /// The position of the invocation among the entries.
    pub(crate) called: u64,
    pub(crate) end: End,
}

/// How an operation ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// It did not end: it may take effect at any time after its invocation, or never.
    Open,
    /// It was answered: the position of the response, and its value.
    Answered(Answer),
    /// It failed, and has had no effect.
    Failed {
        answer: Answer,
        /// Without an `:error`: the object refused it.
        is_refusal: bool,
    },
}

/// A response.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) position: u64,
    pub(crate) found: Value,
    pub(crate) at: Place,
}

impl Act {
    /// The place of its invocation.
    pub(crate) const fn place(&self) -> Place {
        self.function_at
    }
}

/// The operations of clients in the order of their invocations, and the number of entries that are
/// not of clients: those of a process that is no number, like Jepsen's `:nemesis`.
pub(crate) fn operations(entries: &[Entry]) -> Result<(Vec<Act>, u64), HistoryError> {
    let mut acts: Vec<Act> = Vec::new();
    let mut open: BTreeMap<u64, usize> = BTreeMap::new();
    let mut other_count = 0;
    for (position, entry) in (0..).zip(entries) {
        let (process, process_at) = entry.needs("process")?;
        let Value::Integer(number) = process else {
            if name(process).is_none() {
                let message = format!("`process` must be a number or a name, but is {process}");
                return Err(HistoryError { place: process_at, message });
            }
            other_count += 1;
            continue;
        };
        let refuse = |place, message| Err(HistoryError { place, message });
        let Ok(process) = u64::try_from(*number) else {
            return refuse(process_at, format!("`process` must not be {number}"));
        };
        let (kind, kind_at) = entry.name("type")?;
        let (function, function_at) = entry.name("f")?;
        let (value, value_at) =
            entry.field("value").map_or((Value::Nil, entry.place), |(v, at)| (v.clone(), at));
        if kind == "invoke" {
            if open.insert(process, acts.len()).is_some() {
                let message = format!("process {process} is still busy with its last operation");
                return refuse(kind_at, message);
            }
            acts.push(Act {
                process,
                function: function.to_owned(),
                function_at,
                asked: value,
                asked_at: value_at,
                called: position,
                end: End::Open,
            });
            continue;
        }
        if !["ok", "fail", "info"].contains(&kind) {
            let message = format!("`type` must be invoke, ok, fail or info, but is {kind}");
            return refuse(kind_at, message);
        }
        let Some(act) = open.remove(&process).map(|index| &mut acts[index]) else {
            return refuse(kind_at, format!("process {process} has invoked nothing"));
        };
        if act.function != function {
            let message = format!("process {process} had invoked {}", act.function);
            return refuse(function_at, message);
        }
        let answer = Answer { position, found: value, at: value_at };
        let is_refusal = matches!(entry.field("error"), None | Some((Value::Nil, _)));
        act.end = match kind {
            "ok" => End::Answered(answer),
            "fail" => End::Failed { answer, is_refusal },
            _ => End::Open,
        };
    }
    Ok((acts, other_count))
}
