//! Consensus: all processes propose a value, and all decide the same one.
//!
//! Properties after Chandra and Toueg (1996) and Cachin, Guerraoui and Rodrigues (2011), chapter 5.
//! The core is regular consensus: agreement binds correct processes. Uniform agreement, which binds
//! faulty ones too, is a claim.
//!
//! Under crash-recovery a process cannot log a decision and announce it in one step. To make sure
//! that it is announced (C1), the process announces it again when it recovers. So integrity (C3)
//! forbids a second decision within one life, and different decisions at any time (Aguilera, Chen
//! and Toueg 2000).

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{
    Ask, Data, DurationRange, End, FaultClass, Invalid, Observation, Observed, OperationName,
    ProcessId, ProcessSet, Property, PropertyEntry, PropertyId, Setting, Spec, Violation, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::draw;

/// The problem of choosing one of the proposed values.
pub struct Consensus;

/// A value to propose and decide.
pub type Value = u64;

/// A request to a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Propose this value.
    Propose(Value),
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// This value is decided.
    Decide(Value),
}

/// An announcement that may be a decision: that of consensus, or of a family of solutions which
/// announce more.
pub trait Decision: Data {
    /// The value that is decided by announcing this.
    fn decided(&self) -> Option<Value>;
}

impl Decision for Indication {
    fn decided(&self) -> Option<Value> {
        let Self::Decide(value) = self;
        Some(*value)
    }
}

/// C2: a decided value was proposed.
pub const VALIDITY: PropertyId = PropertyId("cons.validity");
/// C3: no process changes its decision, or decides twice without a crash in between.
pub const INTEGRITY: PropertyId = PropertyId("cons.integrity");
/// C4: correct processes decide the same.
pub const AGREEMENT: PropertyId = PropertyId("cons.agreement");
/// UC4: all processes that decide decide the same.
pub const UNIFORM_AGREEMENT: PropertyId = PropertyId("cons.uniform-agreement");
/// C1: all correct processes decide.
pub const TERMINATION: PropertyId = PropertyId("cons.termination");

impl Spec for Consensus {
    const NAME: &'static str = "consensus";
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::CrashRecovery];
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(VALIDITY, "a value that is decided was proposed before", |_| {
            Box::new(Validity::default())
        })
        .in_any_order(),
        PropertyEntry::safety(
            INTEGRITY,
            "no process decides differently from before, or the same twice without a crash",
            |_| Box::new(Integrity::default()),
        )
        .in_any_order(),
        PropertyEntry::safety(AGREEMENT, "no two correct processes decide differently", |_| {
            Box::new(Agreement::default())
        })
        .in_any_order(),
        PropertyEntry::safety(
            UNIFORM_AGREEMENT,
            "no two processes, correct or faulty, decide differently",
            |_| Box::new(UniformAgreement::default()),
        )
        .if_claimed()
        .in_any_order(),
        PropertyEntry::liveness(TERMINATION, "every correct process eventually decides", |_| {
            Box::new(Termination::default())
        })
        .in_any_order(),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = ConsensusWorkload;
    type Workload = Proposers;

    fn workload(settings: &ConsensusWorkload, setting: &Setting) -> Result<Proposers, Invalid> {
        let known = |p: &ProcessId| p.0 < setting.n;
        if let Some(stranger) = settings.proposers.iter().find(|p| !known(p)) {
            return Err(Invalid::new("proposers", format!("there is no process {stranger}")));
        }
        let all = || setting.processes().collect();
        let proposers: Vec<_> =
            if settings.proposers.is_empty() { all() } else { settings.proposers.clone() };
        let values = match (settings.proposals.as_slice(), settings.draw_below) {
            ([], None) => Values::OwnId,
            ([], Some(0)) => return Err(Invalid::new("draw_below", "no value is below 0")),
            ([], Some(bound)) => Values::Drawn(bound),
            (_, Some(_)) => {
                return Err(Invalid::new("draw_below", "the proposals are given, not drawn"));
            }
            (given, None) if given.len() == proposers.len() => Values::Given(given.to_vec()),
            (given, None) => {
                let (given, asked) = (given.len(), proposers.len());
                let message = format!("there are {given} values for {asked} proposers");
                return Err(Invalid::new("proposals", message));
            }
        };
        Ok(Proposers { proposers, values, at: settings.at })
    }

    /// A proposal is answered when its proposer decides, even if on another value.
    fn operation(p: ProcessId, Request::Propose(_): &Request) -> Option<OperationName> {
        Some(OperationName::at(p, 0))
    }

    fn phrase(Indication::Decide(value): &Indication) -> Option<String> {
        Some(format!("decides {value}"))
    }

    fn answers(
        p: ProcessId,
        Indication::Decide(_): &Indication,
    ) -> impl Iterator<Item = OperationName> {
        std::iter::once(OperationName::at(p, 0))
    }
}

/// The proposals of the clients.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConsensusWorkload {
    /// The processes that propose; all, if empty. Most protocols decide only if every correct
    /// process proposes.
    pub proposers: Vec<ProcessId>,
    /// Their proposals, one for each in the order of `proposers`. If empty, each proposes the
    /// number of its own id, unless `draw_below` is given.
    pub proposals: Vec<Value>,
    /// Each proposal is drawn from 0 up to, but not including, this value.
    pub draw_below: Option<Value>,
    /// When they propose; if a range, each draws a time of its own.
    pub at: DurationRange,
}

/// The clients of consensus: each proposer gets one request.
#[derive(Clone, Debug, Hash)]
pub struct Proposers {
    proposers: Vec<ProcessId>,
    values: Values,
    at: DurationRange,
}

/// The source of the proposed values.
#[derive(Clone, Debug, Hash)]
enum Values {
    OwnId,
    /// In the order of the proposers.
    Given(Vec<Value>),
    /// From 0 up to, but not including, this value.
    Drawn(Value),
}

impl<S: Spec<Request = Request>> Workload<S> for Proposers {
    fn on_start(&mut self, ask: &mut Ask<'_, S>) {
        for (index, p) in self.proposers.iter().enumerate() {
            let value = match &self.values {
                Values::OwnId => p.0.into(),
                Values::Given(values) => values[index],
                Values::Drawn(bound) => ask.rng().below(*bound),
            };
            let at = draw(self.at, ask.rng());
            ask.request(*p, at, Request::Propose(value));
        }
    }
}

fn proposed<S: Spec<Request = Request>>(event: &Observed<'_, S>) -> Option<Value> {
    match event.what {
        Observation::Request(Request::Propose(value)) => Some(*value),
        _ => None,
    }
}

fn decided<S: Spec<Indication: Decision>>(event: &Observed<'_, S>) -> Option<Value> {
    match event.what {
        Observation::Indication(indication) => indication.decided(),
        _ => None,
    }
}

/// C2: remembers the proposals.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Validity {
    proposed: BTreeSet<Value>,
    decisions: u64,
}

impl<S: Spec<Request = Request, Indication: Decision>> Property<S> for Validity {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        self.proposed.extend(proposed(event));
        let Some(value) = decided(event) else { return Ok(()) };
        self.decisions += 1;
        if self.proposed.contains(&value) {
            return Ok(());
        }
        let p = event.process;
        Err(Violation::by([p], format!("{p} decided {value}, which nobody had proposed")))
    }

    fn exercised(&self) -> u64 {
        self.decisions
    }
}

/// C3: remembers each process's decision.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Integrity {
    decisions: BTreeMap<ProcessId, Value>,
    /// The processes that have crashed since they decided.
    may_repeat: ProcessSet,
}

impl<S: Spec<Indication: Decision>> Property<S> for Integrity {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        let p = event.process;
        if matches!(event.what, Observation::Crash) && self.decisions.contains_key(&p) {
            self.may_repeat.insert(p);
        }
        let Some(value) = decided(event) else { return Ok(()) };
        match self.decisions.insert(p, value) {
            None => Ok(()),
            Some(before) if before == value && self.may_repeat.remove(p) => Ok(()),
            Some(before) => Err(Violation::by(
                [p],
                format!("{p} decided {value}, having decided {before} before"),
            )),
        }
    }

    fn exercised(&self) -> u64 {
        self.decisions.len() as u64
    }
}

/// C4: remembers the decisions, and compares them at the end, when it is known which processes are
/// correct.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Agreement {
    deciders: BTreeMap<Value, ProcessSet>,
    /// Correct processes that decided, other than the first.
    agreeing: u64,
}

impl<S: Spec<Indication: Decision>> Property<S> for Agreement {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        if let Some(value) = decided(event) {
            self.deciders.entry(value).or_default().insert(event.process);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let correct = |p: &ProcessId| end.is_correct(*p);
        let count = |by: &ProcessSet| by.iter().filter(correct).count() as u64;
        self.agreeing = self.deciders.values().map(count).sum::<u64>().saturating_sub(1);
        let first = |(value, by): (&Value, &ProcessSet)| Some((by.iter().find(correct)?, *value));
        let mut firsts = self.deciders.iter().filter_map(first);
        match (firsts.next(), firsts.next()) {
            (Some(one), Some(other)) => Err(disagreement(one, other)),
            _ => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.agreeing
    }
}

/// UC4: remembers the first decision.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct UniformAgreement {
    first: Option<(ProcessId, Value)>,
    agreeing: u64,
}

impl<S: Spec<Indication: Decision>> Property<S> for UniformAgreement {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        let Some(value) = decided(event) else { return Ok(()) };
        let first = *self.first.get_or_insert((event.process, value));
        self.agreeing += u64::from(first.0 != event.process);
        if first.1 == value { Ok(()) } else { Err(disagreement(first, (event.process, value))) }
    }

    fn exercised(&self) -> u64 {
        self.agreeing
    }
}

fn disagreement((p, v): (ProcessId, Value), (q, w): (ProcessId, Value)) -> Violation {
    Violation::by([p, q], format!("{p} decided {v}, {q} decided {w}"))
}

/// C1: remembers the proposers and deciders. No process owes a decision unless a correct process
/// has proposed.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Termination {
    proposers: ProcessSet,
    deciders: ProcessSet,
    owed: u64,
    /// Whether a process that crashes has not proposed any more.
    is_forgetful: bool,
}

impl Termination {
    /// For solutions that keep no proposal on stable storage: a crash may take it away before
    /// another process has heard of it.
    pub(super) fn of_volatile_proposals() -> Self {
        Self { is_forgetful: true, ..Self::default() }
    }
}

impl<S: Spec<Request = Request, Indication: Decision>> Property<S> for Termination {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        if proposed(event).is_some() {
            self.proposers.insert(event.process);
        }
        if self.is_forgetful && matches!(event.what, Observation::Crash) {
            self.proposers.remove(event.process);
        }
        if decided(event).is_some() {
            self.deciders.insert(event.process);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        if !self.proposers.iter().any(|p| end.is_correct(p)) {
            return Ok(());
        }
        self.owed = end.correct().count() as u64;
        match end.correct().find(|p| !self.deciders.contains(*p)) {
            None => Ok(()),
            Some(p) => Err(Violation::by([p], format!("{p} never decided"))),
        }
    }

    fn exercised(&self) -> u64 {
        self.owed
    }
}

#[cfg(test)]
#[path = "consensus_tests.rs"]
mod tests;
