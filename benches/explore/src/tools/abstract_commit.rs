//! Two-phase commit as one state machine without processes, for stateright alone: the model whose
//! counts it publishes.
//!
//! Source: Gray and Lamport (2006), *Consensus on transaction commit*, `TwoPhase`. Participants
//! prepare or abort of their own accord, messages are never used up, and the manager can abort at
//! any moment before it commits.

use stateright::{Model, Property};

/// The number of participants.
#[derive(Clone, Copy)]
pub struct AbstractCommit(pub u32);

/// Sets of participants, a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    prepared: u32,
    committed: u32,
    aborted: u32,
    /// Those whose Prepared has been sent.
    sent: u32,
    /// Those whose Prepared the manager has seen.
    seen: u32,
    /// What the manager has decided: commit if true.
    decision: Option<bool>,
}

/// A step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// The manager commits.
    Commit,
    /// The manager aborts.
    Abort,
    /// The manager sees that this participant has prepared.
    See(u32),
    /// This participant prepares.
    Prepare(u32),
    /// This participant aborts of its own accord.
    GiveUp(u32),
    /// This participant hears that all commit.
    HearCommit(u32),
    /// This participant hears that all abort.
    HearAbort(u32),
}

impl State {
    const fn is_working(&self, p: u32) -> bool {
        (self.prepared | self.committed | self.aborted) >> p & 1 == 0
    }

    /// The participant is in this set, and in no other.
    fn put(&mut self, p: u32, set: fn(&mut Self) -> &mut u32) {
        self.prepared &= !(1 << p);
        self.committed &= !(1 << p);
        self.aborted &= !(1 << p);
        *set(self) |= 1 << p;
    }
}

impl Model for AbstractCommit {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State { prepared: 0, committed: 0, aborted: 0, sent: 0, seen: 0, decision: None }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.decision.is_none() {
            if state.seen == (1 << self.0) - 1 {
                actions.push(Action::Commit);
            }
            actions.push(Action::Abort);
        }
        for p in 0..self.0 {
            if state.decision.is_none() && state.sent >> p & 1 == 1 {
                actions.push(Action::See(p));
            }
            if state.is_working(p) {
                actions.extend([Action::Prepare(p), Action::GiveUp(p)]);
            }
            match state.decision {
                Some(true) => actions.push(Action::HearCommit(p)),
                Some(false) => actions.push(Action::HearAbort(p)),
                None => {}
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        match action {
            Action::Commit => next.decision = Some(true),
            Action::Abort => next.decision = Some(false),
            Action::See(p) => next.seen |= 1 << p,
            Action::Prepare(p) => {
                next.put(p, |state| &mut state.prepared);
                next.sent |= 1 << p;
            }
            Action::GiveUp(p) | Action::HearAbort(p) => next.put(p, |state| &mut state.aborted),
            Action::HearCommit(p) => next.put(p, |state| &mut state.committed),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("consistent", |_, state: &State| {
            state.committed == 0 || state.aborted == 0
        })]
    }
}
