//! Problems: requests, indications, clients and properties.

use std::hash::Hash;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::id::ProcessId;
use crate::model::act::Act;
use crate::model::data::{Data, Message};
use crate::model::property::PropertyEntry;
use crate::model::setting::{Invalid, Setting};
use crate::model::system_model::FaultClass;
use crate::rng::Rng;
use crate::time::{Duration, Instant};

/// Settings that can be written in a scenario file.
pub trait Settings:
    Serialize + DeserializeOwned + JsonSchema + Default + Clone + Send + Sync + 'static
{
}
impl<T> Settings for T where
    T: Serialize + DeserializeOwned + JsonSchema + Default + Clone + Send + Sync + 'static
{
}

/// A problem, independent of the algorithms that solve it.
pub trait Spec: Sized + 'static {
    /// The problem's name, as `ftsim list` shows it.
    const NAME: &'static str;
    /// Every property of the problem: a core that each solution must satisfy, and claims that some
    /// make.
    const PROPERTIES: &'static [PropertyEntry<Self>];
    /// The classes of faults under which a protocol can satisfy the whole core. Under
    /// crash-recovery, for example, an announcement and its record are two steps with a possible
    /// crash in between, so a property must tolerate repeated announcements.
    const FAULTS: &'static [FaultClass] = &[FaultClass::None, FaultClass::CrashStop];
    /// The greatest number of processes that a run can have. More than by default only if nothing
    /// that the checkers remember grows with the square of it.
    const PROCESS_COUNT_MAX: u32 = 10_000;

    /// The requests to a process.
    type Request: Message;
    /// The indications of a process, including probes of an algorithm's internal state.
    type Indication: Data;
    /// The keys of `[workload]` in a scenario.
    type WorkloadSettings: Settings;
    /// The clients of a run.
    type Workload: Workload<Self>;

    /// The clients as configured by a scenario.
    ///
    /// # Errors
    /// If the settings are invalid, such as a sender that does not exist.
    fn workload(
        settings: &Self::WorkloadSettings,
        setting: &Setting,
    ) -> Result<Self::Workload, Invalid>;

    /// Whether this indication reports the algorithm's internal state, which is visible to
    /// properties but not to clients.
    fn is_probe(_indication: &Self::Indication) -> bool {
        false
    }

    /// What this indication says of its process, as the rest of a sentence that begins with the
    /// process's name: `becomes primary of view 2`. Stories and diagrams say this; if it is `None`,
    /// they say that the process announces the indication, as `Debug` shows it.
    fn phrase(_indication: &Self::Indication) -> Option<String> {
        None
    }

    /// Whether processes announce that they lead.
    const HAS_LEADER: bool = false;

    /// Whether the process that announces this is now a leader, or no longer one; `None` if it is
    /// about something else. Faults can target the leader.
    fn leads(_indication: &Self::Indication) -> Option<bool> {
        None
    }

    /// The operation that this request to `p` begins; `None` if it is never answered.
    fn operation(_p: ProcessId, _request: &Self::Request) -> Option<OperationName> {
        None
    }

    /// The operations that `p` answers by announcing this. For every protocol, an operation ends
    /// with its first answer.
    fn answers(
        _p: ProcessId,
        _indication: &Self::Indication,
    ) -> impl Iterator<Item = OperationName> {
        std::iter::empty()
    }

    /// What an operation asks, and once it has this answer, what it came to, as histories for other
    /// tools show it.
    fn act(request: &Self::Request, answer: Option<&Self::Indication>) -> Act {
        let act = Act::of(request);
        match answer {
            Some(answer) => act.ended_with(answer),
            None => act,
        }
    }
}

/// The clients of one run. They are interactive: the next request can depend on indications.
pub trait Workload<S: Spec>: Clone + Hash + 'static {
    /// Whether what clients ask of one process depends on that process alone. An explorer then need
    /// not try both orders of what clients see at different processes.
    const IS_PER_PROCESS: bool = false;

    /// Called when the run begins.
    fn on_start(&mut self, ask: &mut Ask<'_, S>);
    /// Called when a request reaches a process, which may be down; a client with many requests can
    /// send the next one.
    fn on_request(&mut self, _p: ProcessId, _request: &S::Request, _ask: &mut Ask<'_, S>) {}
    /// Called when a process announces an indication that is not a probe.
    fn on_indication(&mut self, _p: ProcessId, _what: &S::Indication, _ask: &mut Ask<'_, S>) {}
    /// Called when a process has recovered from a crash, or has started late.
    fn on_recover(&mut self, _p: ProcessId, _ask: &mut Ask<'_, S>) {}
}

/// The interface through which clients send requests.
pub struct Ask<'a, S: Spec> {
    pub(crate) now: Instant,
    pub(crate) rng: &'a mut Rng,
    pub(crate) asked: &'a mut Vec<(Duration, ProcessId, S::Request)>,
}

/// The maximum number of waiting requests; clients that exceed it end the run like a panic.
pub const REQUEST_COUNT_MAX: u64 = 1_000_000;

impl<S: Spec> Ask<'_, S> {
    /// The true time.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Sends `request` to `p`, `after` from now. A process that is down then never receives it.
    ///
    /// # Panics
    /// If the clients already have [`REQUEST_COUNT_MAX`] requests waiting.
    #[track_caller]
    pub fn request(&mut self, p: ProcessId, after: Duration, request: S::Request) {
        let waiting = self.asked.len() as u64;
        assert!(waiting < REQUEST_COUNT_MAX, "the clients asked for too much at once");
        self.asked.push((after, p, request));
    }

    /// The clients' own randomness.
    pub const fn rng(&mut self) -> &mut Rng {
        self.rng
    }
}

/// The common name of a request and of the indication that answers it.
///
/// Law, for a [`Spec`]: no two requests of a run begin operations of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationName {
    /// The process that receives the request.
    pub asked: ProcessId,
    /// The process that announces the answer.
    pub answers: ProcessId,
    /// Distinguishes operations of the same two processes.
    pub number: u64,
}

impl OperationName {
    /// The operation with this number that `process` both receives and answers.
    pub const fn at(process: ProcessId, number: u64) -> Self {
        Self { asked: process, answers: process, number }
    }
}
