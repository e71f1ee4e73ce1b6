//! Overrides on single requests: the content and the time of a client's request, as data.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::id::ProcessId;
use crate::time::Duration;

/// An override of a single request, whatever the clients drew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestOverride {
    /// The process that receives the request.
    pub process: ProcessId,
    /// The number of the request to that process, counted from 1 in the order in which clients
    /// decide on them.
    pub nth: u64,
    /// The delay after the decision; `None`: as the clients say.
    pub after: Option<Duration>,
    /// The content, as the JSON of a request; `None`: as the clients say.
    pub replace: Option<Value>,
}

impl fmt::Display for RequestOverride {
    /// `request 2 to p0: comes after 3ms, is {"Propose":1}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { process, nth, after, replace } = self;
        write!(f, "request {nth} to {process}: ")?;
        let after = after.map(|after| format!("comes after {after}"));
        let replace = replace.as_ref().map(|request| format!("is {request}"));
        let said: Vec<String> = [after, replace].into_iter().flatten().collect();
        f.write_str(&said.join(", "))
    }
}

/// The overrides of a run, with counters of the requests that they refer to.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct RequestOverrides {
    /// Indices of the overrides whose request has not occurred yet.
    waiting: BTreeMap<(ProcessId, u64), usize>,
    /// The number of requests to each process so far.
    counts: BTreeMap<ProcessId, u64>,
}

impl RequestOverrides {
    pub fn reset(&mut self, rules: &[RequestOverride]) {
        self.counts.clear();
        self.waiting.clear();
        let named = |(index, rule): (usize, &RequestOverride)| ((rule.process, rule.nth), index);
        self.waiting.extend(rules.iter().enumerate().map(named));
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Counts a request. Returns its number, and the index of the override for it, if any.
    pub fn next(&mut self, process: ProcessId) -> (u64, Option<usize>) {
        let count = self.counts.entry(process).or_default();
        *count += 1;
        (*count, self.waiting.remove(&(process, *count)))
    }

    /// The indices of the overrides whose request never occurred, in order.
    pub fn unused(&self) -> Vec<usize> {
        let mut unused: Vec<usize> = self.waiting.values().copied().collect();
        unused.sort_unstable();
        unused
    }
}
