//! A service of servers some of which lie, and of clients some of which lie.
//!
//! After Castro and Liskov (1999), *Practical Byzantine fault tolerance*, section 3: the correct
//! servers are one state machine, and correct clients see it. What a liar announces does not count,
//! and nobody owes it anything. But what it asks for counts: a client that lies may have asked for
//! something else than it was told to, or for nothing. So servers announce what they execute, and
//! what they execute in the name of a liar is an operation like any other.

use std::collections::BTreeMap;

use ftsim_core::{
    End, FaultClass, Observation, Observed, ProcessId, ProcessSet, Property, PropertyEntry,
    Standing, Violation,
};
use serde::{Deserialize, Serialize};

use crate::replication::SAFETY;
use crate::service::clients::ServiceWorkload;
use crate::service::properties::{self, LINEARIZABLE, exactly_once, invoked, liveness};
use crate::service::{Command, Facts, Indication, Key, Operation, Service};

/// The problem of serving as one server would that never lies.
pub type ByzantineService = Service<Fact>;

/// The number of a view: a time in which one server is the primary.
pub type View = u64;
/// A place in the order of requests, from 1.
pub type Place = u64;

/// An operation that a server executes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Call {
    /// Its identity.
    pub command: Command,
    /// The key.
    pub key: Key,
    /// The operation.
    pub operation: Operation,
}

/// A fact that a server announces.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Fact {
    /// It is the primary from now on, in this view.
    Leads(View),
    /// It is no longer the primary.
    Follows,
    /// It executes what has this place in the order; `None` is nothing.
    Executes {
        /// The place.
        place: Place,
        /// What is there.
        call: Option<Call>,
    },
}

impl Facts for Fact {
    type Workload = ServiceWorkload;

    const SPEC: &'static str = "byzantine-service";
    const PROPERTIES: &'static [PropertyEntry<Service<Self>>] = &[
        PropertyEntry::safety(
            SAFETY,
            "no two correct servers execute different requests in one place",
            |_| Box::new(Safety::default()),
        )
        .in_any_order(),
        exactly_once(Standing::Core),
        PropertyEntry::safety(
            LINEARIZABLE,
            "the operations of correct clients, and what servers execute for others, have a legal \
             order, one at a time, that respects real time",
            |_| Box::new(Linearizable::default()),
        ),
        liveness(Standing::Core),
    ];
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::Byzantine];
    const HAS_LEADER: bool = true;

    fn leads(&self) -> Option<bool> {
        match self {
            Self::Leads(_) => Some(true),
            Self::Follows => Some(false),
            Self::Executes { .. } => None,
        }
    }

    fn configuration(&self) -> Option<u64> {
        match self {
            Self::Leads(view) => Some(*view),
            _ => None,
        }
    }

    fn phrase(&self) -> Option<String> {
        Some(match self {
            Self::Leads(view) => format!("is the primary of view {view}"),
            Self::Follows => "is no longer the primary".to_owned(),
            Self::Executes { place, call: Some(Call { command, .. }) } => {
                format!("executes {command:?} in place {place}")
            }
            Self::Executes { place, call: None } => format!("executes nothing in place {place}"),
        })
    }
}

/// What a server executes in which place.
fn executed<'a>(event: &Observed<'a, ByzantineService>) -> Option<(Place, Option<&'a Call>)> {
    match event.what {
        Observation::Indication(Indication::Fact(Fact::Executes { place, call })) => {
            Some((*place, call.as_ref()))
        }
        _ => None,
    }
}

/// `smr.safety`: remembers who executed what in each place, and compares them at the end, when it
/// is known which servers are correct.
#[derive(Clone, Debug, Default, Hash)]
struct Safety {
    places: BTreeMap<Place, Vec<(Option<Call>, ProcessSet)>>,
    /// Known at the end: executions by correct servers in a place where another executed.
    comparisons: u64,
}

impl Property<ByzantineService> for Safety {
    fn observe(&mut self, event: &Observed<'_, ByzantineService>) -> Result<(), Violation> {
        let Some((place, call)) = executed(event) else { return Ok(()) };
        let calls = self.places.entry(place).or_default();
        match calls.iter_mut().find(|(known, _)| known.as_ref() == call) {
            Some((_, servers)) => drop(servers.insert(event.process)),
            None => calls.push((call.cloned(), [event.process].into_iter().collect())),
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let correct = |servers: &ProcessSet| servers.iter().filter(|p| end.is_correct(*p)).count();
        for (place, calls) in &self.places {
            let count: usize = calls.iter().map(|(_, servers)| correct(servers)).sum();
            self.comparisons += count.saturating_sub(1) as u64;
            let first = |(call, servers): &(Option<Call>, ProcessSet)| {
                Some((servers.iter().find(|p| end.is_correct(*p))?, in_words(call.as_ref())))
            };
            let mut firsts = calls.iter().filter_map(first);
            if let (Some((p, here)), Some((q, there))) = (firsts.next(), firsts.next()) {
                let message =
                    format!("in place {place}, {p} executed {here} and {q} executed {there}");
                return Err(Violation::by([p, q], message));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.comparisons
    }
}

fn in_words(call: Option<&Call>) -> String {
    match call {
        None => "nothing".to_owned(),
        Some(Call { command, key, operation }) => format!("{command} ({operation:?} on key {key})"),
    }
}

/// `reg.linearizable` among clients some of which lie.
///
/// What servers execute in the name of a client that was not told to ask for it is an operation
/// without an end, from the moment when the first server executes it. It has no effect before: a
/// client sees an effect only after some correct server has executed it. Nobody may ask for
/// anything in the name of a correct client; who is correct is known at the end.
#[derive(Clone, Default, Hash)]
struct Linearizable {
    operations: properties::Linearizable,
    asked: BTreeMap<Command, (Key, Operation)>,
    /// What was executed for clients that were not told to ask for it, and by whom.
    untold: Vec<(Call, ProcessSet)>,
}

impl Linearizable {
    fn execute(&mut self, server: ProcessId, call: &Call) {
        let Call { command, key, operation } = call;
        let asked = self.asked.get(command);
        if asked.is_some_and(|(asked_key, asked)| (asked_key, asked) == (key, operation)) {
            return;
        }
        match self.untold.iter_mut().find(|(known, _)| known == call) {
            Some((_, servers)) => drop(servers.insert(server)),
            None => {
                self.untold.push((call.clone(), [server].into_iter().collect()));
                self.operations.call_without_end(*key, operation.clone());
            }
        }
    }
}

impl Property<ByzantineService> for Linearizable {
    fn observe(&mut self, event: &Observed<'_, ByzantineService>) -> Result<(), Violation> {
        if let Some((command, key, operation)) = invoked(event) {
            self.asked.insert(command, (key, operation.clone()));
        }
        if let Some((_, Some(call))) = executed(event) {
            self.execute(event.process, call);
        }
        self.operations.observe(event)
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        for (call, servers) in &self.untold {
            let client = call.command.client;
            let server = servers.iter().find(|p| end.is_correct(*p));
            if let Some(server) = server.filter(|_| end.is_correct(client)) {
                let what = in_words(Some(call));
                let message =
                    format!("{server} executed {what}, and {client} had not asked for it");
                return Err(Violation::by([server, client], message));
            }
        }
        Property::<ByzantineService>::finish(&mut self.operations, end)
    }

    fn exercised(&self) -> u64 {
        Property::<ByzantineService>::exercised(&self.operations)
    }

    fn undecided(&self) -> Option<String> {
        Property::<ByzantineService>::undecided(&self.operations)
    }
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
