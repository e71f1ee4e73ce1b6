//! The first difference between two runs of one seed.

use std::fmt;

use ftsim_core::Outcome;
use ftsim_core::outcome::trace::{Entry, Trace};
use ftsim_reports::write_trace;

use crate::scenario::crash_point::CrashPoint;

/// Two runs of one scenario and seed that differed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The scenario.
    pub path: String,
    /// The seed.
    pub seed: u64,
    /// The crash point, if every crash point is run.
    pub crash_point: Option<CrashPoint>,
    /// The difference.
    pub differs: Differs,
}

/// The difference between two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Differs {
    /// The first event that differs.
    Event {
        /// Its index in both records, from 0.
        index: usize,
        /// The event in the one run; `None` if that run ended earlier.
        one: Option<Box<Entry>>,
        /// The event in the other run.
        other: Option<Box<Entry>>,
    },
    /// The digests; the records do not differ.
    Digest(String, String),
}

/// The first difference between two runs.
pub fn first_divergence(one: &(Outcome, Trace), other: &(Outcome, Trace)) -> Option<Differs> {
    let (entries, others) = (&one.1.entries, &other.1.entries);
    let index = entries.iter().zip(others).take_while(|(a, b)| a == b).count();
    let (a, b) = (entries.get(index), others.get(index));
    if a.is_some() || b.is_some() {
        let boxed = |entry: Option<&Entry>| entry.cloned().map(Box::new);
        return Some(Differs::Event { index, one: boxed(a), other: boxed(b) });
    }
    let (digest, other_digest) = (one.0.digest, other.0.digest);
    let differ = digest != other_digest;
    differ.then(|| Differs::Digest(digest.to_string(), other_digest.to_string()))
}

/// An event in the format of traces, without styles.
pub fn event_text(entry: &Entry) -> String {
    let trace = Trace { entries: vec![entry.clone()], truncated: false };
    let mut text = Vec::new();
    write_trace(&mut text, &trace).expect("writing to a vector cannot fail");
    let text = String::from_utf8_lossy(&text);
    anstream::adapter::strip_str(&text).to_string().trim_end().to_owned()
}

impl fmt::Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |entry: &Option<Box<Entry>>| {
            entry.as_ref().map_or_else(|| "the run has ended".to_owned(), |e| event_text(e))
        };
        match self {
            Self::Event { index, one, other } => {
                let number = index + 1;
                let (one, other) = (text(one), text(other));
                write!(f, "they differ from event {number} on\n  one:   {one}\n  other: {other}")
            }
            Self::Digest(one, other) => {
                write!(f, "their digests differ, {one} and {other}, but their traces do not")
            }
        }
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, seed, crash_point, differs } = self;
        let point = crash_point.map(|point| format!(", crash point {point}")).unwrap_or_default();
        write!(f, "two runs of seed {seed}{point} of {path} are not the same: {differs}")
    }
}

impl std::error::Error for Divergence {}
