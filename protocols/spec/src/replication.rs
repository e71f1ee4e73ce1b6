//! A replicated service whose replicas hold one and the same history.
//!
//! After Schneider (1990), *Implementing fault-tolerant services using the state machine approach*:
//! replicas that apply the same commands in the same order are in the same state. What a replica
//! has applied is known from its probes; a crash erases it, until the replica adopts a state.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{
    End, FaultClass, Observation, Observed, ProcessId, Property, PropertyEntry, PropertyId,
    Setting, Standing, Violation,
};
use serde::Serialize;

use super::service::clients::ServiceWorkload;
use super::service::properties::{
    ACKED_SURVIVES, exactly_once, invoked, linearizable, liveness, responded,
};
use super::service::{Command, Facts, Indication, Key, Outcome, SERVER, Service, Value};

/// The problem of keeping replicas alike, also those that return.
pub type ReplicatedService = Service<Fact>;

/// A fact about its state that a replica announces.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Fact {
    /// It has returned, and asks for what it has missed.
    CatchesUp,
    /// It has all that it has missed.
    CaughtUp,
    /// What it has applied last has left this value.
    Holds {
        /// The key.
        key: Key,
        /// The value of the key from now on.
        value: Value,
    },
}

/// Replicas do not diverge.
pub const PREFIX: PropertyId = PropertyId("rep.prefix");
/// Correct replicas do not diverge.
pub const SAFETY: PropertyId = PropertyId("smr.safety");
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
        )
        .if_claimed(),
        PropertyEntry::safety(
            SAFETY,
            "of what two correct replicas have applied, one is the beginning of the other",
            |setting| Box::new(Safety { of: Replicas::new(setting) }),
        )
        .if_claimed(),
        PropertyEntry::liveness(
            CONVERGENCE,
            "correct replicas have in the end applied the same, and hold the same",
            |setting| Box::new(Convergence { of: Replicas::new(setting) }),
        ),
        PropertyEntry::liveness(
            ACKED_SURVIVES,
            "an update whose success a client saw is in the end in the state of each correct \
             replica",
            |setting| Box::new(AckedSurvives::new(setting)),
        )
        .if_claimed(),
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
            Self::Holds { key, value } => format!("holds {key} = {value}"),
        })
    }
}

/// What each replica has applied, in order.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Histories(BTreeMap<ProcessId, Vec<Command>>);

impl Histories {
    /// Follows an event; true if it has changed the history of the process.
    pub(crate) fn follow<F: Facts>(&mut self, event: &Observed<'_, Service<F>>) -> bool {
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

    pub(crate) fn of(&self, p: ProcessId) -> &[Command] {
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

/// The histories and the values of replicas, to be compared at the end.
#[derive(Clone, Debug, Hash)]
struct Replicas {
    servers: Vec<ProcessId>,
    histories: Histories,
    /// The values of keys that are known, at each replica.
    values: BTreeMap<ProcessId, BTreeMap<Key, Value>>,
    steps: u64,
}

impl Replicas {
    fn new(setting: &Setting) -> Self {
        Self {
            servers: setting.role(SERVER).collect(),
            histories: Histories::default(),
            values: BTreeMap::new(),
            steps: 0,
        }
    }

    fn follow(&mut self, event: &Observed<'_, ReplicatedService>) {
        self.steps += u64::from(self.histories.follow(event));
        match event.what {
            Observation::Indication(Indication::Fact(Fact::Holds { key, value })) => {
                self.values.entry(event.process).or_default().insert(*key, *value);
            }
            // What an adopted state holds is not known.
            Observation::Crash | Observation::Indication(Indication::Adopted(_)) => {
                self.values.remove(&event.process);
            }
            _ => {}
        }
    }

    fn correct<'a>(&'a self, end: &'a End<'_>) -> impl Iterator<Item = ProcessId> + Clone + 'a {
        self.servers.iter().copied().filter(|p| end.is_correct(*p))
    }

    /// Two correct replicas of which the first differs from each other one in this way.
    fn differ(
        &self,
        end: &End<'_>,
        differ: impl Fn(ProcessId, ProcessId) -> bool,
    ) -> Option<(ProcessId, ProcessId)> {
        let first = self.correct(end).next()?;
        let other = self.correct(end).find(|p| differ(first, *p))?;
        Some((first, other))
    }

    /// A key that both know, and of which they hold different values.
    fn differing_key(&self, a: ProcessId, b: ProcessId) -> Option<(Key, Value, Value)> {
        let other = self.values.get(&b)?;
        let differs = |(key, value): (&Key, &Value)| {
            let there = other.get(key)?;
            (there != value).then_some((*key, *value, *there))
        };
        self.values.get(&a)?.iter().find_map(differs)
    }
}

/// `smr.safety`: compares the histories of correct replicas at the end.
#[derive(Clone, Debug, Hash)]
struct Safety {
    of: Replicas,
}

impl Property<ReplicatedService> for Safety {
    fn observe(&mut self, event: &Observed<'_, ReplicatedService>) -> Result<(), Violation> {
        self.of.follow(event);
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let history = |p| self.of.histories.of(p);
        let longest = self.of.correct(end).max_by_key(|p| history(*p).len());
        let Some(longest) = longest else { return Ok(()) };
        match self.of.correct(end).find(|p| !history(longest).starts_with(history(*p))) {
            None => Ok(()),
            Some(other) => {
                let common = history(longest).iter().zip(history(other));
                let place = common.take_while(|(a, b)| a == b).count() + 1;
                let message = format!("{longest} and {other} have applied others in place {place}");
                Err(Violation::by([longest, other], message))
            }
        }
    }

    fn exercised(&self) -> u64 {
        self.of.steps
    }
}

/// `rep.convergence`: compares the histories and the values of correct replicas at the end.
#[derive(Clone, Debug, Hash)]
struct Convergence {
    of: Replicas,
}

impl Property<ReplicatedService> for Convergence {
    fn observe(&mut self, event: &Observed<'_, ReplicatedService>) -> Result<(), Violation> {
        self.of.follow(event);
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let history = |p| self.of.histories.of(p);
        if let Some((first, other)) = self.of.differ(end, |a, b| history(a) != history(b)) {
            let (here, there) = (history(first).len(), history(other).len());
            let message =
                format!("{first} has applied {here} operations, and {other} {there}, not the same");
            return Err(Violation::by([first, other], message));
        }
        let pair = self.of.differ(end, |a, b| self.of.differing_key(a, b).is_some());
        let Some((first, other)) = pair else { return Ok(()) };
        let Some((key, here, there)) = self.of.differing_key(first, other) else { return Ok(()) };
        let message = format!(
            "{first} and {other} have applied the same, and hold {here} and {there} of key {key}"
        );
        Err(Violation::by([first, other], message))
    }

    fn exercised(&self) -> u64 {
        self.of.steps
    }
}

/// `dur.acked-survives` of replicas that all serve: which of them have lost an update is known only
/// at the end, since some may be slow.
#[derive(Clone, Debug, Hash)]
struct AckedSurvives {
    of: Replicas,
    open_updates: BTreeSet<Command>,
    acked: BTreeSet<Command>,
}

impl AckedSurvives {
    fn new(setting: &Setting) -> Self {
        Self { of: Replicas::new(setting), open_updates: BTreeSet::new(), acked: BTreeSet::new() }
    }
}

impl Property<ReplicatedService> for AckedSurvives {
    fn observe(&mut self, event: &Observed<'_, ReplicatedService>) -> Result<(), Violation> {
        self.of.follow(event);
        if let Some((command, _, operation)) = invoked(event)
            && operation.is_update()
        {
            self.open_updates.insert(command);
        }
        if let Some((command, outcome)) = responded(event)
            && self.open_updates.remove(&command)
            && *outcome != Outcome::Swapped(false)
        {
            self.acked.insert(command);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        for server in self.of.correct(end) {
            let has: BTreeSet<_> = self.of.histories.of(server).iter().collect();
            if let Some(lost) = self.acked.iter().find(|command| !has.contains(command)) {
                let client = lost.client;
                let message = format!(
                    "{server} ends without {lost}, an update that {client} knows to be done"
                );
                return Err(Violation::by([server, client], message));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.acked.len() as u64
    }
}

#[cfg(test)]
mod tests;
