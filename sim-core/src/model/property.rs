//! Properties, and the verdicts on them.

use std::fmt;
use std::hash::Hash;

use serde::Serialize;

use crate::digest::Digest;
use crate::id::{MessageId, ProcessId, PropertyId};
use crate::model::setting::Setting;
use crate::model::spec::Spec;
use crate::time::Instant;

/// The two kinds of property (Lamport 1977; Alpern and Schneider 1985).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PropertyKind {
    /// Nothing bad happens: a prefix of a run suffices to refute it.
    Safety,
    /// Something good eventually happens.
    Liveness,
}

/// Whether every solution of a problem must satisfy a property, or only those that claim it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Part of the problem.
    Core,
    /// Stronger than the problem; checked if a protocol claims it or a scenario asks for it.
    Claim,
}

/// A row in a spec's table of properties.
pub struct PropertyEntry<S: Spec> {
    /// Its name.
    pub id: PropertyId,
    /// Safety or liveness.
    pub kind: PropertyKind,
    /// Core or claim.
    pub standing: Standing,
    /// The requirement, in one sentence.
    pub text: &'static str,
    /// Whether it observes every message: it speaks of what happened before what.
    pub over_messages: bool,
    /// Whether its verdict depends on the order of events at different processes of which neither
    /// happened before the other.
    pub minds_order: bool,
    /// Creates its checker.
    pub checker: MakeChecker<S>,
}

impl<S: Spec> PropertyEntry<S> {
    /// A safety property of the problem's core.
    pub const fn safety(id: PropertyId, text: &'static str, checker: MakeChecker<S>) -> Self {
        let (kind, standing) = (PropertyKind::Safety, Standing::Core);
        Self { id, kind, standing, text, over_messages: false, minds_order: true, checker }
    }

    /// A liveness property of the problem's core.
    pub const fn liveness(id: PropertyId, text: &'static str, checker: MakeChecker<S>) -> Self {
        let (kind, standing) = (PropertyKind::Liveness, Standing::Core);
        Self { id, kind, standing, text, over_messages: false, minds_order: true, checker }
    }

    /// The same, but only for solutions that claim it.
    #[must_use]
    pub const fn if_claimed(self) -> Self {
        Self { standing: Standing::Claim, ..self }
    }

    /// The same, but what it says of a run does not depend on the order of events at different
    /// processes of which neither happened before the other (Lamport 1978), nor on times. An
    /// explorer then need not try both orders.
    #[must_use]
    pub const fn in_any_order(self) -> Self {
        Self { minds_order: false, ..self }
    }

    /// The same, but it also observes when messages are sent and received.
    #[must_use]
    pub const fn over_messages(self) -> Self {
        Self { over_messages: true, ..self }
    }
}

/// Creates the checker of a property for a run in this setting.
pub type MakeChecker<S> = fn(&Setting) -> Box<dyn DynProperty<S>>;

/// An event that properties can observe: never the algorithm's internal state.
pub struct Observed<'a, S: Spec> {
    /// The true time.
    pub at: Instant,
    /// The process where it happened.
    pub process: ProcessId,
    /// The event.
    pub what: Observation<'a, S>,
}

impl<S: Spec> Clone for Observation<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S: Spec> Copy for Observation<'_, S> {}

/// The observable events at a process.
pub enum Observation<'a, S: Spec> {
    /// A client sent a request, and the process received it.
    Request(&'a S::Request),
    /// The process announced an indication.
    Indication(&'a S::Indication),
    /// The process is not there until it [starts](Self::Start); told before all else.
    Absent,
    /// The process, absent until now, starts.
    Start,
    /// The process crashed.
    Crash,
    /// The process recovered, with only its stable log.
    Recover,
    /// The process sent this message, to another or to itself; only for properties
    /// [over messages](PropertyEntry::over_messages).
    Send(MessageId),
    /// The process received this message, perhaps not for the first time; likewise.
    Receive(MessageId),
}

impl<S: Spec> Observation<'_, S> {
    /// Whether it is about a message between processes.
    pub const fn is_of_message(&self) -> bool {
        matches!(self, Self::Send(_) | Self::Receive(_))
    }
}

/// A checker of one property in one run.
///
/// Law: it judges only what it observed, and its indexing and allocation never depend on content,
/// because a Byzantine process can announce anything.
pub trait Property<S: Spec>: Clone + Hash + 'static {
    /// Observes one event.
    ///
    /// # Errors
    /// The violation, at the first event that shows it.
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation>;

    /// Checks at the end of the run that all obligations are met.
    ///
    /// # Errors
    /// The violation, if an obligation is open.
    fn finish(&mut self, _end: &End<'_>) -> Result<(), Violation> {
        Ok(())
    }

    /// How many times its premise was true; 0 means that it can only have held vacuously.
    fn exercised(&self) -> u64;

    /// The reason why it cannot decide, if it cannot, for example because a search was cut short. A
    /// violation that it did find still counts.
    fn undecided(&self) -> Option<String> {
        None
    }

    /// The number that it judges in the finished run, such as a share or a count, if there is one;
    /// not negative. A scenario can make claims about its mean over many runs.
    fn measured(&self, _end: &End<'_>) -> Option<f64> {
        None
    }
}

/// A property behind a pointer, still comparable and clonable. Every [`Property`] implements it.
pub trait DynProperty<S: Spec> {
    /// Forwards to [`Property::observe`].
    ///
    /// # Errors
    /// The violation.
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation>;
    /// Forwards to [`Property::finish`].
    ///
    /// # Errors
    /// The violation.
    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation>;
    /// Forwards to [`Property::exercised`].
    fn exercised(&self) -> u64;
    /// Forwards to [`Property::undecided`].
    fn undecided(&self) -> Option<String>;
    /// Forwards to [`Property::measured`].
    fn measured(&self, end: &End<'_>) -> Option<f64>;
    /// A copy.
    fn boxed_clone(&self) -> Box<dyn DynProperty<S>>;
    /// Adds its state to the digest of the run's state.
    fn digest(&self, digest: &mut Digest);
}

impl<S: Spec, T: Property<S>> DynProperty<S> for T {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        Property::observe(self, event)
    }
    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        Property::finish(self, end)
    }
    fn exercised(&self) -> u64 {
        Property::exercised(self)
    }
    fn undecided(&self) -> Option<String> {
        Property::undecided(self)
    }
    fn measured(&self, end: &End<'_>) -> Option<f64> {
        Property::measured(self, end)
    }
    fn boxed_clone(&self) -> Box<dyn DynProperty<S>> {
        Box::new(self.clone())
    }
    fn digest(&self, digest: &mut Digest) {
        self.hash(digest);
    }
}

impl<S: Spec> Clone for Box<dyn DynProperty<S>> {
    fn clone(&self) -> Self {
        (**self).boxed_clone()
    }
}

/// The end of a run, as needed by liveness properties.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// The time of the end.
    pub at: Instant,
    /// The reason for the end.
    pub cause: EndCause,
    /// Whether there was no failure at all: no crash, no pause, no cut, no message that was lost or
    /// took longer than the bound on delays, no mistake of the detector.
    pub failure_free: bool,
    pub(crate) correct: &'a [bool],
}

impl<'a> End<'a> {
    /// An end for tests of checkers: processes `p` with `correct[p]` are correct.
    pub const fn new(at: Instant, cause: EndCause, correct: &'a [bool]) -> Self {
        Self { at, cause, failure_free: true, correct }
    }

    /// Whether `p` is correct in this run, as its protocol's fault model defines it.
    pub fn is_correct(&self, p: ProcessId) -> bool {
        self.correct.get(p.index()).copied().unwrap_or(false)
    }

    /// The correct processes, in the order of their ids.
    pub fn correct(&self) -> impl Iterator<Item = ProcessId> + '_ {
        (0u32..).zip(self.correct).filter_map(|(p, correct)| correct.then_some(ProcessId(p)))
    }
}

/// The reason why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndCause {
    /// No events were left.
    Quiescent,
    /// Virtual time is up.
    Horizon,
    /// There were more events, or more messages under way, than the scenario allows.
    EventLimit,
    /// More memory was used than the scenario allows.
    MemoryLimit,
    /// It took longer than its time limit.
    Hung,
    /// Ended early because of a panic in a handler, or of a violation if the scenario stops at the
    /// first.
    Violated,
}

impl fmt::Display for EndCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quiescent => "nothing left to happen",
            Self::Horizon => "the horizon",
            Self::EventLimit => "the event limit",
            Self::MemoryLimit => "the memory limit",
            Self::Hung => "the time limit for one run",
            Self::Violated => "a violation",
        })
    }
}

/// A violation of a property: the processes that show it, and their actions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Violation {
    /// The time when it occurred.
    #[serde(skip)]
    pub at: Instant,
    /// The step in which it occurred, from 1.
    pub step: u64,
    /// The processes that show it.
    pub witnesses: Vec<ProcessId>,
    /// A description, in one sentence.
    pub message: String,
    /// For a liveness property: the reason why the obligation was not met, if the run shows it.
    pub stall: Option<Stall>,
}

impl Violation {
    /// A violation shown by these processes. The engine adds its time and its step.
    pub fn by(witnesses: impl IntoIterator<Item = ProcessId>, message: impl Into<String>) -> Self {
        Self {
            at: Instant::ZERO,
            step: 0,
            witnesses: witnesses.into_iter().collect(),
            message: message.into(),
            stall: None,
        }
    }

    /// The message, for a liveness property with the reason why nothing more happened.
    pub fn text(&self) -> String {
        match self.stall {
            None => self.message.clone(),
            Some(stall) => format!("{}; {stall}", self.message),
        }
    }
}

/// The verdict on one property in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It held, and its premise came true.
    Held,
    /// Its premise never came true.
    HeldVacuously,
    /// It was violated.
    Violated(Violation),
    /// A limit was reached first, or its assumptions were never met; the text says which.
    Undecided(String),
}

/// The verdict on one property of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The property.
    pub id: PropertyId,
    /// Safety or liveness.
    pub kind: PropertyKind,
    /// The verdict.
    pub verdict: Verdict,
    /// How many times its premise was true.
    pub exercised: u64,
    /// The number that it judges, if there is one.
    pub measured: Option<f64>,
}

/// The reason why an obligation was not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stall {
    /// No events were left.
    Deadlock,
    /// The processes and the messages among them returned to an earlier state, and nothing was
    /// announced in between.
    Livelock,
    /// Neither: more time might help.
    TooSlow,
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deadlock => "deadlock: nothing was left to happen",
            Self::Livelock => "livelock: the same states came again with nothing announced between",
            Self::TooSlow => "too slow: it was not done by the horizon",
        })
    }
}
