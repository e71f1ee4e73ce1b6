//! The properties that a replicated service must satisfy, or may claim. Each family of protocols
//! selects those of its own table here.
//!
//! Linearizability after Herlihy and Wing (1990); exactly-once and liveness after Schneider (1990),
//! *Implementing fault-tolerant services using the state machine approach*.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{
    End, Observation, Observed, ProcessId, Property, PropertyEntry, PropertyId, Standing, Violation,
};

use super::{Command, Facts, Indication, Key, OneKey, Operation, Outcome, Request, Service};
use crate::linearizability::{Budget, Cut, Linearizability, Search};

/// The replicas behave like a single object.
pub const LINEARIZABLE: PropertyId = PropertyId("reg.linearizable");
/// No replica applies a command twice.
pub const EXACTLY_ONCE: PropertyId = PropertyId("smr.exactly-once");
/// Clients are answered.
pub const LIVENESS: PropertyId = PropertyId("smr.liveness");
/// An acknowledged update is not lost.
pub const ACKED_SURVIVES: PropertyId = PropertyId("dur.acked-survives");

/// The entry of [`LINEARIZABLE`].
pub const fn linearizable<F: Facts>(standing: Standing) -> PropertyEntry<Service<F>> {
    let entry = PropertyEntry::safety(
        LINEARIZABLE,
        "the operations have a legal order, one at a time, that respects real time",
        |_| Box::new(Linearizable::default()),
    );
    PropertyEntry { standing, ..entry }
}

/// The entry of [`EXACTLY_ONCE`].
pub const fn exactly_once<F: Facts>(standing: Standing) -> PropertyEntry<Service<F>> {
    let entry =
        PropertyEntry::safety(EXACTLY_ONCE, "no server applies a client's command twice", |_| {
            Box::new(ExactlyOnce::default())
        });
    PropertyEntry { standing, ..entry }
}

/// The entry of [`LIVENESS`].
pub const fn liveness<F: Facts>(standing: Standing) -> PropertyEntry<Service<F>> {
    let entry = PropertyEntry::liveness(
        LIVENESS,
        "a command is eventually answered, unless its client crashes",
        |_| Box::new(Liveness::default()),
    );
    PropertyEntry { standing, ..entry }
}

/// The entry of [`ACKED_SURVIVES`].
pub const fn acked_survives<F: Facts>(standing: Standing) -> PropertyEntry<Service<F>> {
    let entry = PropertyEntry::safety(
        ACKED_SURVIVES,
        "an update whose success a client saw stays in the state of the serving server",
        |_| Box::new(AckedSurvives::default()),
    );
    PropertyEntry { standing, ..entry }
}

pub(crate) fn invoked<'a, F: Facts>(
    event: &Observed<'a, Service<F>>,
) -> Option<(Command, Key, &'a Operation)> {
    let Observation::Request(Request::Invoke { number, key, operation }) = event.what else {
        return None;
    };
    Some((Command { client: event.process, number: *number }, *key, operation))
}

pub(crate) fn responded<'a, F: Facts>(
    event: &Observed<'a, Service<F>>,
) -> Option<(Command, &'a Outcome)> {
    match event.what {
        Observation::Indication(Indication::Response { number, outcome }) => {
            Some((Command { client: event.process, number: *number }, outcome))
        }
        _ => None,
    }
}

/// `reg.linearizable`: searches the history of each key at each response.
///
/// A search that is cut off leaves a key in doubt. The next response on the key continues it with
/// more knowledge; at the end of the run the whole history is searched again. A legal order that is
/// found then is also one for all earlier responses.
#[derive(Clone, Hash)]
pub(crate) struct Linearizable {
    searches: BTreeMap<Key, Search<OneKey>>,
    /// The key of each unanswered operation, and its index in the key's history.
    open: BTreeMap<Command, (Key, usize)>,
    responses: u64,
    /// The keys whose last search was cut off, and why.
    in_doubt: BTreeMap<Key, Cut>,
    /// The steps left in this run for hard searches.
    steps_left: u64,
}

/// The steps that a search at a response may always take.
const RESPONSE_STEP_COUNT: u64 = 1_000;
/// The steps that the searches at responses may take beyond these, in one run. Each may take one
/// sixteenth of the rest, so that some is always left for later ones.
const RUN_STEP_COUNT: u64 = 4_000_000;
/// The steps that all searches at the end of a run may take together.
const END_STEP_COUNT: u64 = 4_000_000;
/// The bytes that a search may hold.
const BYTE_COUNT_MAX: u64 = 32 << 20;

impl Default for Linearizable {
    fn default() -> Self {
        Self {
            searches: BTreeMap::new(),
            open: BTreeMap::new(),
            responses: 0,
            in_doubt: BTreeMap::new(),
            steps_left: RUN_STEP_COUNT,
        }
    }
}

impl Linearizable {
    /// Adds an operation that nobody waits for: it takes effect at some time from now on, or never.
    pub(crate) fn call_without_end(&mut self, key: Key, operation: Operation) {
        self.searches.entry(key).or_insert_with(|| Search::new(0)).called(operation);
    }

    fn judge(&mut self, command: Command, key: Key, op: usize) -> Result<(), Violation> {
        let Some(search) = self.searches.get_mut(&key) else { return Ok(()) };
        let steps = RESPONSE_STEP_COUNT + self.steps_left / 16;
        let mut budget = Budget { steps, bytes: BYTE_COUNT_MAX };
        let judgement = search.judge(&mut budget);
        self.steps_left -= (steps - budget.steps).saturating_sub(RESPONSE_STEP_COUNT);
        match judgement {
            Linearizability::Linearizable => drop(self.in_doubt.remove(&key)),
            Linearizability::Undecided(cut) => drop(self.in_doubt.insert(key, cut)),
            Linearizability::NotLinearizable { prefix } => {
                let latest = in_words(search, op);
                let message = format!(
                    "on key {key} {command} was {latest}, which fits no order of what was seen; {}",
                    longest_order(search, &prefix)
                );
                return Err(Violation::by([command.client], message));
            }
        }
        Ok(())
    }

    /// Searches the keys in doubt again, from the beginning.
    fn judge_doubts(&mut self) -> Result<(), Violation> {
        let mut steps_left = END_STEP_COUNT;
        let mut keys_left = self.in_doubt.len() as u64;
        for key in self.in_doubt.keys().copied().collect::<Vec<_>>() {
            let Some(search) = self.searches.get_mut(&key) else { continue };
            let steps = steps_left / keys_left;
            let mut budget = Budget { steps, bytes: BYTE_COUNT_MAX };
            search.restart();
            match search.judge(&mut budget) {
                Linearizability::Linearizable => drop(self.in_doubt.remove(&key)),
                Linearizability::Undecided(cut) => drop(self.in_doubt.insert(key, cut)),
                Linearizability::NotLinearizable { prefix } => {
                    let order = longest_order(search, &prefix);
                    let message = format!("what was seen of key {key} fits no order; {order}");
                    return Err(Violation::by([], message));
                }
            }
            steps_left -= steps - budget.steps;
            keys_left -= 1;
        }
        Ok(())
    }
}

/// An operation and its result, in words.
fn in_words(search: &Search<OneKey>, op: usize) -> String {
    match search.operation(op) {
        (operation, Some(outcome)) => format!("{operation:?} -> {outcome:?}"),
        (operation, None) => format!("{operation:?} (open)"),
    }
}

fn longest_order(search: &Search<OneKey>, prefix: &[usize]) -> String {
    let order: Vec<_> = prefix.iter().map(|op| in_words(search, *op)).collect();
    format!("the longest legal order is [{}]", order.join(", "))
}

impl<F: Facts> Property<Service<F>> for Linearizable {
    fn observe(&mut self, event: &Observed<'_, Service<F>>) -> Result<(), Violation> {
        if let Some((command, key, operation)) = invoked(event) {
            let search = self.searches.entry(key).or_insert_with(|| Search::new(0));
            self.open.insert(command, (key, search.called(operation.clone())));
        }
        let Some((command, outcome)) = responded(event) else { return Ok(()) };
        let Some((key, op)) = self.open.remove(&command) else {
            let message = format!("{command} was answered, though nobody waits for an answer");
            return Err(Violation::by([command.client], message));
        };
        self.responses += 1;
        if let Some(search) = self.searches.get_mut(&key) {
            search.returned(op, outcome.clone());
        }
        self.judge(command, key, op)
    }

    fn finish(&mut self, _: &End<'_>) -> Result<(), Violation> {
        self.judge_doubts()
    }

    fn exercised(&self) -> u64 {
        self.responses
    }

    fn undecided(&self) -> Option<String> {
        let (key, cut) = self.in_doubt.first_key_value()?;
        let others = match self.in_doubt.len() - 1 {
            0 => String::new(),
            more => format!(", and of {more} more"),
        };
        let limit = match cut {
            Cut::Steps => format!("{END_STEP_COUNT} steps"),
            Cut::Bytes => format!("{} MiB", BYTE_COUNT_MAX >> 20),
        };
        Some(format!(
            "the search for a legal order of the operations on key {key}{others} was cut off at \
             the limit of {limit}"
        ))
    }
}

/// The commands in the state of each server, according to its probes. A crash erases them.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct States {
    applied: BTreeMap<ProcessId, BTreeSet<Command>>,
}

impl States {
    /// Follows an event; returns a command that was applied twice by it.
    pub(crate) fn follow<F: Facts>(&mut self, event: &Observed<'_, Service<F>>) -> Option<Command> {
        let state = self.applied.entry(event.process).or_default();
        match event.what {
            Observation::Indication(Indication::Applied(command)) => {
                return (!state.insert(*command)).then_some(*command);
            }
            Observation::Indication(Indication::Adopted(commands)) => {
                state.clear();
                // Insert all of them, even after a duplicate.
                let twice = commands.iter().filter(|command| !state.insert(**command));
                return twice.copied().reduce(|first, _| first);
            }
            Observation::Crash => state.clear(),
            _ => {}
        }
        None
    }

    pub(crate) fn of(&self, server: ProcessId) -> Option<&BTreeSet<Command>> {
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
        self.commands +=
            u64::from(matches!(event.what, Observation::Indication(Indication::Applied(_))));
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

/// `smr.liveness`: remembers the unanswered commands.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Liveness {
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
        if matches!(event.what, Observation::Crash) {
            self.owed.retain(|command| command.client != event.process);
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

/// `dur.acked-survives`: remembers the acknowledged updates, the state of each server, and the
/// server that serves.
///
/// That is the server that began to serve last; after its crash there is none until another begins.
/// If configurations have numbers, one that begins after a later one is no successor: a leader that
/// has been deposed may not know it, and what was done since need not be in its state. The state of
/// the server that serves is checked when it begins, when it adopts another state, and when a
/// client learns of a success: it must hold every update acknowledged before, by any server.
#[derive(Clone, Debug, Default, Hash)]
struct AckedSurvives {
    states: States,
    serving: Option<ProcessId>,
    /// The greatest configuration that has begun to serve.
    configuration: u64,
    /// The configuration that each server was the last to lead.
    led: BTreeMap<ProcessId, u64>,
    open_updates: BTreeSet<Command>,
    acked: BTreeSet<Command>,
    /// The number of times that a serving server began with, or adopted, a state that had to hold
    /// an update.
    exercised: u64,
}

impl AckedSurvives {
    /// Checks that the state of the server that serves holds all of these.
    fn has<'a>(
        &self,
        acked: impl IntoIterator<Item = &'a Command>,
        when: &str,
    ) -> Result<(), Violation> {
        let Some(server) = self.serving else { return Ok(()) };
        let has =
            |command: &Command| self.states.of(server).is_some_and(|state| state.contains(command));
        match acked.into_iter().find(|command| !has(command)) {
            None => Ok(()),
            Some(lost) => {
                let client = lost.client;
                let message = format!(
                    "{server} {when} without {lost}, an update that {client} knows to be done"
                );
                Err(Violation::by([server, client], message))
            }
        }
    }
}

impl<F: Facts> Property<Service<F>> for AckedSurvives {
    fn observe(&mut self, event: &Observed<'_, Service<F>>) -> Result<(), Violation> {
        self.states.follow(event);
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
            return self.has([&command], "goes on serving");
        }
        let server = event.process;
        let when = match event.what {
            Observation::Indication(Indication::Fact(fact)) => {
                self.led.extend(fact.configuration().map(|number| (server, number)));
                return Ok(());
            }
            Observation::Indication(Indication::Serves) => {
                let number = self.led.get(&server).copied().unwrap_or_default();
                if number < self.configuration {
                    return Ok(());
                }
                (self.serving, self.configuration) = (Some(server), number);
                "begins to serve"
            }
            Observation::Indication(Indication::Adopted(_)) if self.serving == Some(server) => {
                "goes on serving"
            }
            Observation::Crash if self.serving == Some(server) => {
                self.serving = None;
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.exercised += u64::from(!self.acked.is_empty());
        self.has(&self.acked, when)
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftsim_core::Never;

    #[test]
    fn what_is_in_doubt_is_told_with_the_limit_of_the_first_search() {
        let undecided = |in_doubt: &[(Key, Cut)]| {
            let in_doubt = in_doubt.iter().copied().collect();
            let property = Linearizable { in_doubt, ..Linearizable::default() };
            Property::<Service<Never>>::undecided(&property)
        };
        let told = |keys: &str, limit: &str| {
            Some(format!(
                "the search for a legal order of the operations on key {keys} was cut off at the \
                 limit of {limit}"
            ))
        };
        assert_eq!(undecided(&[]), None);
        assert_eq!(undecided(&[(3, Cut::Bytes)]), told("3", "32 MiB"));
        let three = [(3, Cut::Steps), (5, Cut::Bytes), (7, Cut::Steps)];
        assert_eq!(undecided(&three), told("3, and of 2 more", "4000000 steps"));
    }
}
