//! The history of a run: which operations clients asked for and had answered, and when processes
//! failed and were repaired.

use crate::id::ProcessId;
use crate::model::spec::OperationName;
use crate::process_set::ProcessSet;
use crate::time::Instant;

/// When an operation began, and when it ended if it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub asked: Instant,
    pub answered: Option<Instant>,
}

/// A process begins to give service, or no longer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub at: Instant,
    pub process: ProcessId,
    pub serves: bool,
}

/// What clients asked for and processes went through, as a run writes it down: it only adds to
/// lists, and requests and answers meet when it is over.
#[derive(Clone, Debug, Default)]
pub struct History {
    asked: Vec<(OperationName, Instant)>,
    answered: Vec<(OperationName, Instant)>,
    /// Who was not there from the start.
    absent: Vec<ProcessId>,
    changes: Vec<Change>,
    /// Who gives no service now.
    down: ProcessSet,
}

impl History {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.asked.clear();
        self.answered.clear();
        self.absent.clear();
        self.changes.clear();
        self.down = ProcessSet::new();
    }

    /// A client asks for this.
    pub fn ask(&mut self, name: OperationName, at: Instant) {
        self.asked.push((name, at));
    }

    /// This is answered. Only the first answer counts; one that came before its request does too.
    pub fn answer(&mut self, name: OperationName, at: Instant) {
        self.answered.push((name, at));
    }

    /// A process is not there from the start: it is neither up nor down until it first gives
    /// service.
    pub fn is_absent(&mut self, process: ProcessId) {
        self.down.insert(process);
        self.absent.push(process);
    }

    /// From now on a process gives service, or no longer does. At first all do; to say so twice is
    /// to say so once.
    pub fn serves(&mut self, process: ProcessId, serves: bool, at: Instant) {
        let changes = if serves { self.down.remove(process) } else { self.down.insert(process) };
        if changes {
            self.changes.push(Change { at, process, serves });
        }
    }

    /// The operations that were asked for, in the order of their names.
    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation> {
        let mut answers = first_of_each(&self.answered).into_iter().peekable();
        first_of_each(&self.asked).into_iter().map(move |(name, asked)| {
            while answers.next_if(|(other, _)| *other < name).is_some() {}
            let answered = answers.next_if(|(other, _)| *other == name).map(|(_, at)| at);
            Operation { asked, answered }
        })
    }

    /// Who was not there from the start.
    pub(crate) fn absent(&self) -> &[ProcessId] {
        &self.absent
    }

    /// All changes in their order.
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
