//! Two runs beside each other: their diagrams, and where they part.

use ftsim_core::outcome::trace::Trace;
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::causality::Causality;
use crate::diagram::{Diagram, Names, PackedRun, VERSION};

/// Two runs, and where they part.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The diagrams of both.
    pub runs: [Diagram; 2],
    /// The command that compares them again.
    pub command: String,
    /// The number of steps from the start that are the same in both.
    pub agree: usize,
    /// In each run the first event that differs; `None` if the run has ended.
    pub first: [Option<PartIndex>; 2],
}

/// A part of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PartIndex {
    /// The step.
    pub step: usize,
    /// Its place among the parts of the step.
    pub part: usize,
}

impl Pair {
    /// Two diagrams, and the traces that they were made of. From entry `differ` on, the traces are
    /// not the same; `None` if they are.
    pub fn of(
        runs: [Diagram; 2],
        traces: [&Trace; 2],
        differ: Option<usize>,
        command: String,
    ) -> Self {
        let found = traces.map(|trace| Parting::of(&Causality::of(trace), differ));
        let agree = found[0].agree.min(found[1].agree);
        Self { runs, command, agree, first: found.map(|found| found.first) }
    }
}

/// Where one run parts from the other.
struct Parting {
    agree: usize,
    first: Option<PartIndex>,
}

impl Parting {
    fn of(causality: &Causality, differ: Option<usize>) -> Self {
        let differ = differ.unwrap_or(usize::MAX);
        let own = causality.steps.iter().enumerate().filter_map(|(step, of_run)| {
            let part = of_run.entries.iter().position(|entry| *entry >= differ)?;
            Some((of_run.entries[part], PartIndex { step, part }))
        });
        let own: Vec<_> = own.collect();
        let agree = own.first().map_or(causality.steps.len(), |(_, at)| at.step);
        // The loss of a message under way is no part of a step: the next entry is shown for it.
        let first = own.into_iter().min_by_key(|(entry, _)| *entry).map(|(_, at)| at);
        Self { agree, first }
    }
}

impl Serialize for Pair {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut names = Names::default();
        let runs: Vec<_> = self.runs.iter().map(|run| PackedRun::of(run, &mut names)).collect();
        let mut page = s.serialize_struct("Pair", 7)?;
        page.serialize_field("version", &VERSION)?;
        page.serialize_field("command", &self.command)?;
        page.serialize_field("agree", &self.agree)?;
        page.serialize_field("first", &self.first)?;
        page.serialize_field("runs", &runs)?;
        page.serialize_field("events", &names.events)?;
        page.serialize_field("texts", &names.texts)?;
        page.end()
    }
}
