//! What should have happened: properties, and the verdicts on them.

use std::fmt;
use std::hash::Hash;

use serde::Serialize;

use crate::digest::Digest;
use crate::id::{ProcessId, PropertyId};
use crate::model::setting::Setting;
use crate::model::spec::Spec;
use crate::time::Instant;

/// The two kinds of property (Lamport 1977; Alpern and Schneider 1985).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PropertyKind {
    /// Nothing bad happens: a prefix of the run suffices to refute it.
    Safety,
    /// Something good happens in the end.
    Liveness,
}

/// Whether every solution of a problem owes a property, or only those that claim it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Part of the problem.
    Core,
    /// Stronger than the problem; checked where a protocol claims it or a scenario asks for it.
    Claim,
}

/// One line of a spec's table of properties.
pub struct PropertyEntry<S: Spec> {
    /// Its name.
    pub id: PropertyId,
    /// Safety or liveness.
    pub kind: PropertyKind,
    /// Core or claim.
    pub standing: Standing,
    /// What it says, in one sentence.
    pub text: &'static str,
    /// Makes its checker.
    pub checker: MakeChecker<S>,
}

impl<S: Spec> PropertyEntry<S> {
    /// A safety property of the problem's core.
    pub const fn safety(id: PropertyId, text: &'static str, checker: MakeChecker<S>) -> Self {
        Self { id, kind: PropertyKind::Safety, standing: Standing::Core, text, checker }
    }

    /// A liveness property of the problem's core.
    pub const fn liveness(id: PropertyId, text: &'static str, checker: MakeChecker<S>) -> Self {
        Self { id, kind: PropertyKind::Liveness, standing: Standing::Core, text, checker }
    }

    /// The same, but only of solutions that claim it.
    #[must_use]
    pub const fn if_claimed(self) -> Self {
        Self { standing: Standing::Claim, ..self }
    }
}

/// Makes the checker of a property for a run in this setting.
pub type MakeChecker<S> = fn(&Setting) -> Box<dyn DynProperty<S>>;

/// Something that a property can see: never the algorithm's inside.
pub struct Observed<'a, S: Spec> {
    /// The true time.
    pub at: Instant,
    /// Where it happened.
    pub process: ProcessId,
    /// What happened.
    pub what: Observation<'a, S>,
}

impl<S: Spec> Clone for Observation<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S: Spec> Copy for Observation<'_, S> {}

/// What a property can see happen at a process.
pub enum Observation<'a, S: Spec> {
    /// A client asked for something, and the process heard it.
    Request(&'a S::Request),
    /// The process announced something.
    Indication(&'a S::Indication),
    /// The process crashed.
    Crash,
    /// The process is up again, with its stable log alone.
    Recover,
}

/// A checker of one property on one run.
///
/// Law: it judges only what it observed, and never indexes or allocates by content: a Byzantine
/// process can announce anything.
pub trait Property<S: Spec>: Clone + Hash + 'static {
    /// Takes notice of one event.
    ///
    /// # Errors
    /// The violation, at the first event that shows it.
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation>;

    /// The run is over: what was owed must have come.
    ///
    /// # Errors
    /// The violation, if something is missing.
    fn finish(&mut self, _end: &End<'_>) -> Result<(), Violation> {
        Ok(())
    }

    /// How often its premise was true; 0 means that it can only have held vacuously.
    fn exercised(&self) -> u64;

    /// Why it cannot tell, if it cannot: a search was cut short, say. A violation that it did find
    /// still counts.
    fn undecided(&self) -> Option<String> {
        None
    }
}

/// A property behind a pointer, still comparable and clonable. Every [`Property`] is one.
pub trait DynProperty<S: Spec> {
    /// [`Property::observe`].
    ///
    /// # Errors
    /// The violation.
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation>;
    /// [`Property::finish`].
    ///
    /// # Errors
    /// The violation.
    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation>;
    /// [`Property::exercised`].
    fn exercised(&self) -> u64;
    /// [`Property::undecided`].
    fn undecided(&self) -> Option<String>;
    /// A copy.
    fn boxed_clone(&self) -> Box<dyn DynProperty<S>>;
    /// Its state, as a part of the state of the run.
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

/// The end of a run, as liveness properties need it.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// When it ended.
    pub at: Instant,
    /// Why it ended.
    pub cause: EndCause,
    /// Whether nothing at all went wrong: no crash, no pause, no cut, no lost message, no
    /// detector's mistake.
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

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndCause {
    /// Nothing is left to happen.
    Quiescent,
    /// Virtual time is up.
    Horizon,
    /// More events, or more messages under way, than the scenario allows.
    EventLimit,
    /// More memory than the scenario allows.
    MemoryLimit,
    /// It took longer than whoever watches it allows.
    Hung,
    /// Violated beyond interest: a handler panicked, or the scenario stops at the first violation.
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

/// How a property was violated: who shows it, and what they did.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Violation {
    /// When it showed.
    #[serde(skip)]
    pub at: Instant,
    /// The step of the run at which it showed, from 1.
    pub step: u64,
    /// The processes that show it.
    pub witnesses: Vec<ProcessId>,
    /// What they did, in one sentence.
    pub message: String,
    /// Of a liveness property: why what is owed has not come, if the run shows it.
    pub stall: Option<Stall>,
}

impl Violation {
    /// These processes show it. When and at which step is filled in by the engine.
    pub fn by(witnesses: impl IntoIterator<Item = ProcessId>, message: impl Into<String>) -> Self {
        Self {
            at: Instant::ZERO,
            step: 0,
            witnesses: witnesses.into_iter().collect(),
            message: message.into(),
            stall: None,
        }
    }

    /// What they did, and of a liveness property also why no more came.
    pub fn text(&self) -> String {
        match self.stall {
            None => self.message.clone(),
            Some(stall) => format!("{}; {stall}", self.message),
        }
    }
}

/// The judgement on one property in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It held, and its premise came true.
    Held,
    /// Its premise never came true.
    HeldVacuously,
    /// It was violated.
    Violated(Violation),
    /// A limit came first, or its assumptions were never granted; says which.
    Undecided(String),
}

/// The verdict on one property of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The property.
    pub id: PropertyId,
    /// Safety or liveness.
    pub kind: PropertyKind,
    /// The judgement.
    pub verdict: Verdict,
    /// How often its premise was true.
    pub exercised: u64,
}

/// Why something good never happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stall {
    /// Nothing was left to happen.
    Deadlock,
    /// The processes and what was under way among them were as they had been before, and nothing
    /// was announced in between.
    Livelock,
    /// Neither: more time may help.
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
