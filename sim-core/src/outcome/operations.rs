//! The operations of clients, as a run records them.

use crate::model::act::Act;
use crate::model::spec::OperationName;
use crate::time::Instant;

/// An operation begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationEvent {
    /// The last step before it began, or the step in which it ended.
    pub step: u64,
    /// The true time.
    pub at: Instant,
    /// The operation.
    pub name: OperationName,
    /// What happened.
    pub what: OperationChange,
}

/// A change of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationChange {
    /// It is requested.
    Begins(Act),
    /// Its request is lost, because its process is down.
    Lost,
    /// It has its first answer.
    Ends(Act),
}
