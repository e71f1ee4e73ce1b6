//! A replicated service whose replicas hold one and the same history.
//!
//! After Schneider (1990), *Implementing fault-tolerant services using the state machine approach*:
//! replicas that apply the same commands in the same order are in the same state. What a replica
//! has applied is known from its probes; a crash erases it, until the replica adopts a state.

use std::collections::BTreeMap;

use ftsim_core::{
    End, FaultClass, Observation, Observed, ProcessId, Property, PropertyEntry, PropertyId,
    Setting, Standing, Violation,
};
use serde::Serialize;

use super::service::clients::ServiceWorkload;
use super::service::properties::{exactly_once, linearizable, liveness};
use super::service::{Command, Facts, Indication, SERVER, Service};

/// The problem of keeping replicas alike, also those that return.
pub type ReplicatedService = Service<Fact>;

/// A fact about its state that a replica announces.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Fact {
    /// It has returned, and asks for what it has missed.
    CatchesUp,
    /// It has all that it has missed.
    CaughtUp,
}

/// Replicas do not diverge.
pub const PREFIX: PropertyId = PropertyId("rep.prefix");
/// Replicas end up alike.
pub const CONVERGENCE: PropertyId = PropertyId("rep.convergence");

impl Facts for Fact {
    type Workload = ServiceWorkload;

    const SPEC: &'static str = "replicated service";
    const PROPERTIES: &'static [PropertyEntry<Service<Self>>] = &[
        PropertyEntry::safety(
            PREFIX,
            "of what two replicas have applied, one is the beginning of the other",
            |_| Box::new(Prefix::default()),
        ),
        PropertyEntry::liveness(
            CONVERGENCE,
            "correct replicas have in the end applied the same",
            |setting| Box::new(Convergence::new(setting)),
        ),
        exactly_once(Standing::Core),
        linearizable(Standing::Core),
        liveness(Standing::Core),
    ];

    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::CrashRecovery];

    fn phrase(&self) -> Option<String> {
        Some(match self {
            Self::CatchesUp => "asks for what it has missed".to_owned(),
            Self::CaughtUp => "has caught up".to_owned(),
        })
    }
}

/// What each replica has applied, in order.
#[derive(Clone, Debug, Default, Hash)]
struct Histories(BTreeMap<ProcessId, Vec<Command>>);

impl Histories {
    /// Follows an event; true if it has changed the history of the process.
    fn follow(&mut self, event: &Observed<'_, ReplicatedService>) -> bool {
        let Self(histories) = self;
        match event.what {
            Observation::Indication(Indication::Applied(command)) => {
                histories.entry(event.process).or_default().push(*command);
            }
            Observation::Indication(Indication::Adopted(commands)) => {
                histories.insert(event.process, commands.clone());
            }
            Observation::Crash => {
                histories.remove(&event.process);
                return false;
            }
            _ => return false,
        }
        true
    }

    fn of(&self, p: ProcessId) -> &[Command] {
        self.0.get(&p).map(Vec::as_slice).unwrap_or_default()
    }
}

/// `rep.prefix`: remembers the histories, and the longest one that any replica ever had.
#[derive(Clone, Debug, Default, Hash)]
struct Prefix {
    histories: Histories,
    longest: Vec<Command>,
    steps: u64,
}

impl Property<ReplicatedService> for Prefix {
    fn observe(&mut self, event: &Observed<'_, ReplicatedService>) -> Result<(), Violation> {
        if !self.histories.follow(event) {
            return Ok(());
        }
        self.steps += 1;
        let p = event.process;
        let history = self.histories.of(p);
        // All but the last command of a history that has grown by one has been compared before.
        let is_adopted = matches!(event.what, Observation::Indication(Indication::Adopted(_)));
        let from = if is_adopted { 0 } else { history.len() - 1 };
        for (index, command) in (1..).zip(history).skip(from) {
            match self.longest.get(index - 1) {
                None => self.longest.push(*command),
                Some(other) if other == command => {}
                Some(other) => {
                    let message =
                        format!("{p} has applied {command} in place {index}, another {other}");
                    return Err(Violation::by([p], message));
                }
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.steps
    }
}

/// `rep.convergence`: remembers the histories, and compares them at the end.
#[derive(Clone, Debug, Hash)]
struct Convergence {
    servers: Vec<ProcessId>,
    histories: Histories,
    steps: u64,
}

impl Convergence {
    fn new(setting: &Setting) -> Self {
        Self { servers: setting.role(SERVER).collect(), histories: Histories::default(), steps: 0 }
    }
}

impl Property<ReplicatedService> for Convergence {
    fn observe(&mut self, event: &Observed<'_, ReplicatedService>) -> Result<(), Violation> {
        self.steps += u64::from(self.histories.follow(event));
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let mut correct = self.servers.iter().filter(|p| end.is_correct(**p));
        let Some(first) = correct.next() else { return Ok(()) };
        let history = self.histories.of(*first);
        match correct.find(|p| self.histories.of(**p) != history) {
            None => Ok(()),
            Some(other) => {
                let (here, there) = (history.len(), self.histories.of(*other).len());
                let message = format!(
                    "{first} has applied {here} operations, and {other} {there}, not the same"
                );
                Err(Violation::by([*first, *other], message))
            }
        }
    }

    fn exercised(&self) -> u64 {
        self.steps
    }
}

#[cfg(test)]
mod tests;
