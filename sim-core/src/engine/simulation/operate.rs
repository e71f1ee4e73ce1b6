//! Operations of clients: when they begin and end.

use super::Simulation;
use crate::id::ProcessId;
use crate::model::process::{Indication, Request};
use crate::model::protocol::Protocol;
use crate::model::spec::{OperationName, Spec};
use crate::outcome::operations::{OperationChange, OperationEvent};

impl<P: Protocol> Simulation<P> {
    /// A request to `p` begins an operation.
    pub(super) fn operation_begins(
        &mut self,
        p: ProcessId,
        name: OperationName,
        request: &Request<P>,
    ) {
        self.world.history.ask(name, self.world.now);
        if self.world.recording.operations.is_none() {
            return;
        }
        self.note(name, OperationChange::Begins(P::Spec::act(request, None)));
        if self.hosts[p.index()].up {
            self.unanswered.insert(name, request.clone());
        } else {
            self.note(name, OperationChange::Lost);
        }
    }

    /// An indication answers an operation. Only the first answer counts.
    pub(super) fn operation_ends(&mut self, name: OperationName, what: &Indication<P>) {
        self.world.history.answer(name, self.world.now);
        if let Some(request) = self.unanswered.remove(&name) {
            self.note(name, OperationChange::Ends(P::Spec::act(&request, Some(what))));
        }
    }

    fn note(&mut self, name: OperationName, what: OperationChange) {
        let (step, at) = (self.world.step, self.world.now);
        if let Some(operations) = &mut self.world.recording.operations {
            operations.push(OperationEvent { step, at, name, what });
        }
    }
}
