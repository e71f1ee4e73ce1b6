//! The properties of a service that a group provides.

use std::collections::BTreeMap;

use ftsim_core::{Duration, End, Instant, Observation, Observed, ProcessId, Property, Violation};

use super::{Indication, ProcessGroup, QuestionNumber, Request, Value, answer};
use crate::seconds;

/// A question: its client, and its number there.
type Name = (ProcessId, QuestionNumber);

fn asked(event: &Observed<'_, ProcessGroup>) -> Option<(Name, Value)> {
    match event.what {
        Observation::Request(Request::Ask { number, question }) => {
            Some(((event.process, *number), *question))
        }
        _ => None,
    }
}

fn answered(event: &Observed<'_, ProcessGroup>) -> Option<(Name, Value)> {
    match event.what {
        Observation::Indication(Indication::Answer { number, value }) => {
            Some(((event.process, *number), *value))
        }
        _ => None,
    }
}

/// `smr.liveness`: remembers the questions without an answer, and measures the longest time that
/// one has waited: in seconds, of those that were answered.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Liveness {
    open: BTreeMap<Name, Instant>,
    longest: Option<Duration>,
    questions: u64,
}

impl Property<ProcessGroup> for Liveness {
    fn observe(&mut self, event: &Observed<'_, ProcessGroup>) -> Result<(), Violation> {
        if let Some((name, _)) = asked(event) {
            self.open.insert(name, event.at);
            self.questions += 1;
        }
        if let Some((name, _)) = answered(event)
            && let Some(since) = self.open.remove(&name)
        {
            self.longest = self.longest.max(Some(event.at.since(since)));
        }
        if matches!(event.what, Observation::Crash) {
            self.open.retain(|(client, _), _| *client != event.process);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        match self.open.keys().find(|(client, _)| end.is_correct(*client)) {
            None => Ok(()),
            Some((client, number)) => {
                let how = format!("question {number} of {client} was never answered");
                Err(Violation::by([*client], how))
            }
        }
    }

    fn exercised(&self) -> u64 {
        self.questions
    }

    fn measured(&self, _: &End<'_>) -> Option<f64> {
        self.longest.map(seconds)
    }
}

/// `mask.correct-output`: remembers the questions, and the first wrong answer to each client.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct CorrectOutput {
    questions: BTreeMap<Name, Value>,
    wrong: BTreeMap<ProcessId, String>,
    answers: u64,
}

impl Property<ProcessGroup> for CorrectOutput {
    fn observe(&mut self, event: &Observed<'_, ProcessGroup>) -> Result<(), Violation> {
        if let Some((name, question)) = asked(event) {
            self.questions.insert(name, question);
        }
        let Some((name, value)) = answered(event) else { return Ok(()) };
        self.answers += 1;
        let (client, number) = name;
        let right = self.questions.get(&name).copied().map(answer);
        if right != Some(value) {
            let how = match right {
                Some(right) => format!(
                    "{client} was answered {value} to question {number}, and {right} is right"
                ),
                None => format!("{client} was answered question {number}, which it never asked"),
            };
            self.wrong.entry(client).or_insert(how);
        }
        Ok(())
    }

    /// Which clients are correct is known at the end.
    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        match self.wrong.iter().find(|(client, _)| end.is_correct(**client)) {
            None => Ok(()),
            Some((client, how)) => Err(Violation::by([*client], how.clone())),
        }
    }

    fn exercised(&self) -> u64 {
        self.answers
    }
}
