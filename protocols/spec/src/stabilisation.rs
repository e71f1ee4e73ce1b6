//! Self-stabilisation of a ring of machines: from any state whatever, it comes to mutual exclusion.
//!
//! Source: Dijkstra (1974), *Self-stabilizing systems in spite of distributed control*. Each
//! machine sees its own state and its predecessor's, and together they say whether it is
//! *privileged*, that is, whether it may move: the root if the two are equal, any other machine if
//! they differ. A state of the ring is *legal* if at most one machine is privileged in it.
//!
//! # What is observed
//!
//! Nobody can announce that bits have flipped. A machine announces its state when it is read or
//! chosen; if it is not the one that it announced last, or moved to, a fault has changed it. What
//! the properties call the state of the ring has the last announcement of each machine. Every move
//! of the ring is a move in that state too: its machine and its predecessor have just announced
//! theirs. The ring stabilises once more after each fault.
//!
//! # What a finite run shows
//!
//! The daemon alone decides who is chosen, so time is counted in moves: a ring of n machines is
//! due to be in a legal state after [`moves_max`] moves without a fault.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;
use ftsim_core::{EndCause, FaultClass};

use crate::eventual_leader::NoWorkload;
use crate::mutual_exclusion::{EXCLUSION, PROGRESS};

#[cfg(test)]
mod tests;

/// The problem of coming to mutual exclusion from any state.
pub struct Stabilisation;

/// The role of the machines, in their order on the ring.
pub const MACHINE: &str = "machine";

/// The state of a machine.
pub type State = u32;

/// An announcement of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// The state that it has, at the start or when it is read.
    Is {
        /// Its state.
        state: State,
        /// Whether it is the root.
        is_root: bool,
    },
    /// It was chosen, and is not privileged.
    Stays(State),
    /// It was chosen, and is privileged.
    Moves {
        /// Its state before.
        from: State,
        /// Its state after.
        to: State,
    },
}

/// From any state a legal one is reached.
pub const CONVERGENCE: PropertyId = PropertyId("stab.convergence");
/// A legal state is followed by legal states.
pub const CLOSURE: PropertyId = PropertyId("stab.closure");

/// The moves after which a ring of `n` machines that stabilises is in a legal state.
///
/// The longest ways are known exactly, 3n(n − 1)/2 − n − 1 from four machines on; this is a little
/// more.
pub const fn moves_max(n: u32) -> u64 {
    3 * n as u64 * (n as u64 - 1) / 2
}

impl Spec for Stabilisation {
    const NAME: &'static str = "self-stabilisation";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::liveness(
            CONVERGENCE,
            "from any state the machines come to one in which at most one of them is privileged",
            |setting| Box::new(Convergence::new(setting)),
        ),
        PropertyEntry::safety(
            CLOSURE,
            "while at most one machine is privileged, no move makes it two",
            |setting| Box::new(Closure { ring: Ring::new(setting), moves: 0 }),
        ),
        PropertyEntry::liveness(PROGRESS, "some machine moves again and again", |setting| {
            Box::new(Progress { ring: Ring::new(setting), stay: ProcessSet::new(), moves: 0 })
        }),
        PropertyEntry::safety(
            EXCLUSION,
            "at most one machine is ever privileged, from the very beginning",
            |setting| Box::new(Exclusion { ring: Ring::new(setting), states: 0 }),
        )
        .if_claimed(),
    ];
    const FAULTS: &'static [FaultClass] = &[FaultClass::None];

    type Request = Never;
    type Indication = Indication;
    type WorkloadSettings = NoWorkload;
    type Workload = NoMachineClients;

    fn workload(_: &NoWorkload, _: &Setting) -> Result<NoMachineClients, Invalid> {
        Ok(NoMachineClients)
    }

    fn phrase(indication: &Indication) -> Option<String> {
        Some(match indication {
            Indication::Is { state, .. } => format!("has state {state}"),
            Indication::Stays(state) => format!("is not privileged and stays in state {state}"),
            Indication::Moves { from, to } => {
                format!("is privileged and moves from state {from} to {to}")
            }
        })
    }
}

/// Clients of machines that nobody asks for anything.
#[derive(Clone, Debug, Hash)]
pub struct NoMachineClients;

impl Workload<Stabilisation> for NoMachineClients {
    fn on_start(&mut self, _: &mut Ask<'_, Stabilisation>) {}
}

/// The state of the ring, as announced.
#[derive(Clone, Debug, Hash)]
struct Ring {
    n: u32,
    states: BTreeMap<ProcessId, State>,
    roots: ProcessSet,
}

/// What an announcement says of the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// Nothing new.
    None,
    /// The machine was not in the state in which it was left.
    Fault,
    /// The machine has moved.
    Move,
    /// A fault has changed the machine before it moved.
    FaultAndMove,
}

impl Ring {
    fn new(setting: &Setting) -> Self {
        let n = setting.role_size(MACHINE);
        Self { n, states: BTreeMap::new(), roots: ProcessSet::new() }
    }

    fn apply(&mut self, event: &Observed<'_, Stabilisation>) -> Change {
        let p = event.process;
        let Observation::Indication(what) = event.what else { return Change::None };
        let (found, left) = match what {
            Indication::Is { state, is_root } => {
                if *is_root {
                    self.roots.insert(p);
                }
                (*state, *state)
            }
            Indication::Stays(state) => (*state, *state),
            Indication::Moves { from, to } => (*from, *to),
        };
        let is_fault = self.states.insert(p, left).is_some_and(|known| known != found);
        match (is_fault, matches!(what, Indication::Moves { .. })) {
            (false, false) => Change::None,
            (true, false) => Change::Fault,
            (false, true) => Change::Move,
            (true, true) => Change::FaultAndMove,
        }
    }

    /// The machines that are privileged, once all have announced their states.
    fn privileged(&self) -> Option<Vec<ProcessId>> {
        let machines = (0..self.n).map(ProcessId);
        let states: Option<Vec<State>> =
            machines.clone().map(|p| self.states.get(&p).copied()).collect();
        let states = states.filter(|states| !states.is_empty())?;
        let last = states[states.len() - 1];
        let before = std::iter::once(last).chain(states.iter().copied());
        let may_move = machines
            .zip(before.zip(states.iter().copied()))
            .filter(|(p, (before, own))| (before == own) == self.roots.contains(*p));
        Some(may_move.map(|(p, _)| p).collect())
    }

    fn is_legal(&self) -> Option<bool> {
        self.privileged().map(|privileged| privileged.len() <= 1)
    }
}

/// Counts the moves until a legal state.
#[derive(Clone, Debug, Hash)]
struct Convergence {
    ring: Ring,
    /// The moves since the last fault, until the ring was legal.
    moves: u64,
    is_legal: bool,
    /// The states from which the ring had to come to a legal one.
    illegal: u64,
    undecided: Option<String>,
}

impl Convergence {
    fn new(setting: &Setting) -> Self {
        let ring = Ring::new(setting);
        Self { ring, moves: 0, is_legal: true, illegal: 0, undecided: None }
    }
}

impl Property<Stabilisation> for Convergence {
    fn observe(&mut self, event: &Observed<'_, Stabilisation>) -> Result<(), Violation> {
        match self.ring.apply(event) {
            Change::None => {}
            Change::Fault => self.moves = 0,
            Change::Move => self.moves += u64::from(!self.is_legal),
            Change::FaultAndMove => self.moves = 1,
        }
        let is_legal = self.ring.is_legal().unwrap_or(true);
        if self.is_legal && !is_legal {
            self.illegal += 1;
        }
        self.is_legal = is_legal;
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        if self.is_legal {
            return Ok(());
        }
        let moves = self.moves;
        if end.cause != EndCause::Quiescent && moves < moves_max(self.ring.n) {
            self.undecided = Some(format!("the ring has made only {moves} moves since a fault"));
            return Ok(());
        }
        let privileged = self.ring.privileged().unwrap_or_default();
        let count = privileged.len();
        let how = format!("{count} machines are privileged, {moves} moves after the last fault");
        Err(Violation::by(privileged, how))
    }

    fn exercised(&self) -> u64 {
        self.illegal
    }

    fn undecided(&self) -> Option<String> {
        self.undecided.clone()
    }

    fn measured(&self, _: &End<'_>) -> Option<f64> {
        (self.is_legal && self.illegal > 0).then_some(self.moves as f64)
    }
}

/// Compares the ring before and after each move.
#[derive(Clone, Debug, Hash)]
struct Closure {
    ring: Ring,
    moves: u64,
}

impl Property<Stabilisation> for Closure {
    fn observe(&mut self, event: &Observed<'_, Stabilisation>) -> Result<(), Violation> {
        let was_legal = self.ring.is_legal() == Some(true);
        if self.ring.apply(event) != Change::Move || !was_legal {
            return Ok(());
        }
        self.moves += 1;
        let privileged = self.ring.privileged().unwrap_or_default();
        match privileged.len() {
            0 | 1 => Ok(()),
            count => {
                let mover = event.process;
                let how = format!("{mover} moves, and now {count} machines are privileged");
                Err(Violation::by(privileged, how))
            }
        }
    }

    fn exercised(&self) -> u64 {
        self.moves
    }
}

/// Remembers who was chosen since the last move and could not move.
#[derive(Clone, Debug, Hash)]
struct Progress {
    ring: Ring,
    stay: ProcessSet,
    moves: u64,
}

impl Property<Stabilisation> for Progress {
    fn observe(&mut self, event: &Observed<'_, Stabilisation>) -> Result<(), Violation> {
        match self.ring.apply(event) {
            Change::None => {}
            Change::Fault => self.stay = ProcessSet::new(),
            Change::Move | Change::FaultAndMove => {
                self.stay = ProcessSet::new();
                self.moves += 1;
            }
        }
        if let Observation::Indication(Indication::Stays(_)) = event.what {
            self.stay.insert(event.process);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let machines = || (0..self.ring.n).map(ProcessId);
        if machines().all(|p| self.stay.contains(p)) {
            let how = "all have been chosen since the last move, and none is privileged";
            return Err(Violation::by(machines(), how));
        }
        if end.cause == EndCause::Quiescent {
            return Err(Violation::by(machines(), "nobody is chosen any more"));
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.moves
    }
}

/// Looks at every state.
#[derive(Clone, Debug, Hash)]
struct Exclusion {
    ring: Ring,
    states: u64,
}

impl Property<Stabilisation> for Exclusion {
    fn observe(&mut self, event: &Observed<'_, Stabilisation>) -> Result<(), Violation> {
        self.ring.apply(event);
        let Some(privileged) = self.ring.privileged() else { return Ok(()) };
        self.states += 1;
        match privileged.len() {
            0 | 1 => Ok(()),
            count => {
                Err(Violation::by(privileged, format!("{count} machines are privileged at once")))
            }
        }
    }

    fn exercised(&self) -> u64 {
        self.states
    }
}
