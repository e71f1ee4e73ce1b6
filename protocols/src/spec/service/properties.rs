//! What every replicated service owes, or may claim. A family's table takes from here what it
//! answers to.
//!
//! Linearizability after Herlihy and Wing (1990); exactly-once and liveness after Schneider (1990),
//! *Implementing fault-tolerant services using the state machine approach*.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{
    End, Kind, Observed, ProcessId, Property, PropertyEntry, PropertyId, Standing, Violation, What,
};

use super::{Command, Facts, Indication, Key, OneKey, Operation, Outcome, Request, Service};
use crate::linearizability::{self, Call, Linearizability};

/// The replicas answer as one object would.
pub const LINEARIZABLE: PropertyId = PropertyId("reg.linearizable");
/// No replica applies a command twice.
pub const EXACTLY_ONCE: PropertyId = PropertyId("smr.exactly-once");
/// Clients are answered.
pub const LIVENESS: PropertyId = PropertyId("smr.liveness");
/// What a client was told is done stays done.
pub const ACKED_SURVIVES: PropertyId = PropertyId("dur.acked-survives");

/// The entry of [`LINEARIZABLE`].
pub const fn linearizable<F: Facts>(standing: Standing) -> PropertyEntry<Service<F>> {
    PropertyEntry {
        id: LINEARIZABLE,
        kind: Kind::Safety,
        standing,
        text: "the operations have a legal order, one at a time, that respects real time",
        checker: |_| Box::new(Linearizable::default()),
    }
}

/// The entry of [`EXACTLY_ONCE`].
pub const fn exactly_once<F: Facts>(standing: Standing) -> PropertyEntry<Service<F>> {
    PropertyEntry {
        id: EXACTLY_ONCE,
        kind: Kind::Safety,
        standing,
        text: "no server applies a client's command twice",
        checker: |_| Box::new(ExactlyOnce::default()),
    }
}

/// The entry of [`LIVENESS`].
pub const fn liveness<F: Facts>(standing: Standing) -> PropertyEntry<Service<F>> {
    PropertyEntry {
        id: LIVENESS,
        kind: Kind::Liveness,
        standing,
        text: "a command of a correct client is answered in the end",
        checker: |_| Box::new(Liveness::default()),
    }
}

/// The entry of [`ACKED_SURVIVES`].
pub const fn acked_survives<F: Facts>(standing: Standing) -> PropertyEntry<Service<F>> {
    PropertyEntry {
        id: ACKED_SURVIVES,
        kind: Kind::Safety,
        standing,
        text: "an update whose success the client saw is in the state of every later configuration",
        checker: |_| Box::new(AckedSurvives::default()),
    }
}

fn invoked<'a, F: Facts>(
    event: &Observed<'a, Service<F>>,
) -> Option<(Command, Key, &'a Operation)> {
    let What::Request(Request::Invoke { number, key, operation }) = event.what else { return None };
    Some((Command { client: event.process, number: *number }, *key, operation))
}

fn responded<'a, F: Facts>(event: &Observed<'a, Service<F>>) -> Option<(Command, &'a Outcome)> {
    match event.what {
        What::Indication(Indication::Response { number, outcome }) => {
            Some((Command { client: event.process, number: *number }, outcome))
        }
        _ => None,
    }
}

/// `reg.linearizable`: the history of each key, searched anew at each response.
///
/// Every event it sees has a position of its own, as [`linearizability`] asks for.
#[derive(Clone, Debug, Default, Hash)]
struct Linearizable {
    position: u64,
    histories: BTreeMap<Key, Vec<Call<Operation, Outcome>>>,
    /// Where operations that are not answered yet are: key, and index into its history.
    open: BTreeMap<Command, (Key, usize)>,
    responses: u64,
    in_doubt: bool,
}

/// Configurations that one search may visit.
const CONFIGURATION_COUNT_MAX: usize = 100_000;

impl Linearizable {
    fn judge(&mut self, command: Command, key: Key, op: usize) -> Result<(), Violation> {
        let Some(history) = self.histories.get(&key) else { return Ok(()) };
        match linearizability::check::<OneKey>(0, history, CONFIGURATION_COUNT_MAX) {
            Linearizability::Linearizable => Ok(()),
            Linearizability::Undecided => {
                self.in_doubt = true;
                Ok(())
            }
            Linearizability::NotLinearizable { prefix } => {
                let call = |op: usize| {
                    let Call { operation, returned, .. } = &history[op];
                    match returned {
                        Some((_, outcome)) => format!("{operation:?} -> {outcome:?}"),
                        None => format!("{operation:?} (open)"),
                    }
                };
                let order: Vec<_> = prefix.iter().map(|op| call(*op)).collect();
                let (latest, order) = (call(op), order.join(", "));
                let message = format!(
                    "on key {key} {command} was {latest}, which fits no order of what was seen; \
                     the longest legal order is [{order}]"
                );
                Err(Violation::by([command.client], message))
            }
        }
    }
}

impl<F: Facts> Property<Service<F>> for Linearizable {
    fn observe(&mut self, event: &Observed<'_, Service<F>>) -> Result<(), Violation> {
        self.position += 1;
        if let Some((command, key, operation)) = invoked(event) {
            let history = self.histories.entry(key).or_default();
            self.open.insert(command, (key, history.len()));
            let operation = operation.clone();
            history.push(Call { called: self.position, operation, returned: None });
        }
        let Some((command, outcome)) = responded(event) else { return Ok(()) };
        let Some((key, op)) = self.open.remove(&command) else {
            let message = format!("{command} was answered, though nobody waits for an answer");
            return Err(Violation::by([command.client], message));
        };
        self.responses += 1;
        if let Some(call) = self.histories.get_mut(&key).and_then(|h| h.get_mut(op)) {
            call.returned = Some((self.position, outcome.clone()));
        }
        self.judge(command, key, op)
    }

    fn exercised(&self) -> u64 {
        self.responses
    }

    fn undecided(&self) -> Option<String> {
        let limit = CONFIGURATION_COUNT_MAX;
        self.in_doubt.then(|| format!("no legal order was found in {limit} configurations"))
    }
}

/// What is in the state of each server, as probes tell. A crash takes it all.
#[derive(Clone, Debug, Default, Hash)]
struct States {
    applied: BTreeMap<ProcessId, BTreeSet<Command>>,
}

impl States {
    /// Follows an event; returns a command that it applied for the second time.
    fn follow<F: Facts>(&mut self, event: &Observed<'_, Service<F>>) -> Option<Command> {
        let state = self.applied.entry(event.process).or_default();
        match event.what {
            What::Indication(Indication::Applied(command)) => {
                return (!state.insert(*command)).then_some(*command);
            }
            What::Indication(Indication::Adopted(commands)) => {
                state.clear();
                // Every one is taken in, whichever is found twice.
                let twice = commands.iter().filter(|command| !state.insert(**command));
                return twice.copied().reduce(|first, _| first);
            }
            What::Crash => state.clear(),
            _ => {}
        }
        None
    }

    fn of(&self, server: ProcessId) -> Option<&BTreeSet<Command>> {
        self.applied.get(&server)
    }
}

/// `smr.exactly-once`: remembers the state of each server.
#[derive(Clone, Debug, Default, Hash)]
struct ExactlyOnce {
    states: States,
    commands: u64,
}

impl<F: Facts> Property<Service<F>> for ExactlyOnce {
    fn observe(&mut self, event: &Observed<'_, Service<F>>) -> Result<(), Violation> {
        self.commands += u64::from(matches!(event.what, What::Indication(Indication::Applied(_))));
        match self.states.follow(event) {
            None => Ok(()),
            Some(command) => {
                let server = event.process;
                Err(Violation::by([server], format!("{server} applied {command} twice")))
            }
        }
    }

    fn exercised(&self) -> u64 {
        self.commands
    }
}

/// `smr.liveness`: remembers what is not answered yet.
#[derive(Clone, Debug, Default, Hash)]
struct Liveness {
    owed: BTreeSet<Command>,
    commands: u64,
}

impl<F: Facts> Property<Service<F>> for Liveness {
    fn observe(&mut self, event: &Observed<'_, Service<F>>) -> Result<(), Violation> {
        if let Some((command, ..)) = invoked(event) {
            self.owed.insert(command);
            self.commands += 1;
        }
        if let Some((command, _)) = responded(event) {
            self.owed.remove(&command);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        match self.owed.iter().find(|command| end.is_correct(command.client)) {
            None => Ok(()),
            Some(command) => {
                let message = format!("{command} was never answered");
                Err(Violation::by([command.client], message))
            }
        }
    }

    fn exercised(&self) -> u64 {
        self.commands
    }
}

/// `dur.acked-survives`: remembers which updates clients know to be done, and the state of each
/// server.
#[derive(Clone, Debug, Default, Hash)]
struct AckedSurvives {
    states: States,
    open_updates: BTreeSet<Command>,
    acked: BTreeSet<Command>,
    successions: u64,
}

impl<F: Facts> Property<Service<F>> for AckedSurvives {
    fn observe(&mut self, event: &Observed<'_, Service<F>>) -> Result<(), Violation> {
        self.states.follow(event);
        if let Some((command, _, operation)) = invoked(event)
            && operation.is_update()
        {
            self.open_updates.insert(command);
        }
        if let Some((command, _)) = responded(event)
            && self.open_updates.remove(&command)
        {
            self.acked.insert(command);
        }
        let What::Indication(Indication::Serves) = event.what else { return Ok(()) };
        self.successions += u64::from(!self.acked.is_empty());
        let state = self.states.of(event.process);
        let has = |command: &&Command| state.is_some_and(|state| state.contains(command));
        match self.acked.iter().find(|command| !has(command)) {
            None => Ok(()),
            Some(lost) => {
                let server = event.process;
                let message = format!(
                    "{server} begins to serve without {lost}, an update that {} knows to be done",
                    lost.client
                );
                Err(Violation::by([server, lost.client], message))
            }
        }
    }

    fn exercised(&self) -> u64 {
        self.successions
    }
}
