//! The history of a run: the operations of clients and their answers, and the failures and repairs
//! of processes.

use crate::id::ProcessId;
use crate::model::spec::OperationName;
use crate::process_set::ProcessSet;
use crate::time::Instant;

/// The beginning of an operation, and its end if it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub asked: Instant,
    pub answered: Option<Instant>,
}

/// A process begins to give service, or stops doing so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub at: Instant,
    pub process: ProcessId,
    pub serves: bool,
}

/// The requests, answers and service changes of a run. While it runs, they are only appended to
/// lists; requests and answers are matched afterwards.
#[derive(Clone, Debug, Default)]
pub struct History {
    asked: Vec<(OperationName, Instant)>,
    answered: Vec<(OperationName, Instant)>,
    /// The processes that were absent at the start.
    absent: Vec<ProcessId>,
    changes: Vec<Change>,
    /// The processes that give no service now.
    down: ProcessSet,
}

impl History {
    /// Discards everything.
    pub fn clear(&mut self) {
        self.asked.clear();
        self.answered.clear();
        self.absent.clear();
        self.changes.clear();
        self.down = ProcessSet::new();
    }

    /// Records a request.
    pub fn ask(&mut self, name: OperationName, at: Instant) {
        self.asked.push((name, at));
    }

    /// Records an answer. Only the first one counts, even if it precedes its request.
    pub fn answer(&mut self, name: OperationName, at: Instant) {
        self.answered.push((name, at));
    }

    /// Records that a process is absent at the start: it counts as neither up nor down until it
    /// first gives service.
    pub fn is_absent(&mut self, process: ProcessId) {
        self.down.insert(process);
        self.absent.push(process);
    }

    /// Records whether a process gives service from now on. At first all do; repeated reports have
    /// no effect.
    pub fn serves(&mut self, process: ProcessId, serves: bool, at: Instant) {
        let changes = if serves { self.down.remove(process) } else { self.down.insert(process) };
        if changes {
            self.changes.push(Change { at, process, serves });
        }
    }

    /// The requested operations, in the order of their names.
    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation> {
        let mut answers = first_of_each(&self.answered).into_iter().peekable();
        first_of_each(&self.asked).into_iter().map(move |(name, asked)| {
            while answers.next_if(|(other, _)| *other < name).is_some() {}
            let answered = answers.next_if(|(other, _)| *other == name).map(|(_, at)| at);
            Operation { asked, answered }
        })
    }

    /// The processes that were absent at the start.
    pub(crate) fn absent(&self) -> &[ProcessId] {
        &self.absent
    }

    /// All changes, in order.
    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }
}

/// The first instant of each name, in the order of the names.
fn first_of_each(all: &[(OperationName, Instant)]) -> Vec<(OperationName, Instant)> {
    let mut all = all.to_vec();
    all.sort_unstable();
    all.dedup_by_key(|(name, _)| *name);
    all
}
