//! A problem: what processes are asked for, what they announce, who asks, and what must hold of it.

use std::hash::Hash;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::id::ProcessId;
use crate::model::data::{Data, Message};
use crate::model::property::PropertyEntry;
use crate::model::setting::{Invalid, Setting};
use crate::model::system_model::FaultClass;
use crate::rng::Rng;
use crate::time::{Duration, Instant};

/// Settings that a scenario file can write down.
pub trait Settings:
    Serialize + DeserializeOwned + JsonSchema + Default + Clone + Send + Sync + 'static
{
}
impl<T> Settings for T where
    T: Serialize + DeserializeOwned + JsonSchema + Default + Clone + Send + Sync + 'static
{
}

/// A problem, apart from any algorithm that solves it.
pub trait Spec: Sized + 'static {
    /// The problem's name, as `ftsim list` shows it.
    const NAME: &'static str;
    /// Every property of the problem: a core that each solution must satisfy, and claims that some
    /// make.
    const PROPERTIES: &'static [PropertyEntry<Self>];
    /// The classes of faults under which a protocol can have all of the core. With recovery, for
    /// one, an announcement and its record are two steps with a crash between them, so that a
    /// property must bear to see it repeated.
    const FAULTS: &'static [FaultClass] = &[FaultClass::None, FaultClass::CrashStop];

    /// What a process is asked for.
    type Request: Message;
    /// What a process announces; probes of an algorithm's inside among them.
    type Indication: Data;
    /// The keys of `[workload]` in a scenario.
    type WorkloadSettings: Settings;
    /// The clients of a run.
    type Workload: Workload<Self>;

    /// The clients as a scenario sets them up.
    ///
    /// # Errors
    /// When the settings cannot be: a sender that does not exist, say.
    fn workload(
        settings: &Self::WorkloadSettings,
        setting: &Setting,
    ) -> Result<Self::Workload, Invalid>;

    /// Whether this announces a fact about the algorithm's inside, which properties see and clients
    /// don't.
    fn is_probe(_indication: &Self::Indication) -> bool {
        false
    }

    /// Whether processes announce that they lead.
    const HAS_LEADER: bool = false;

    /// Whether the process that announces this leads from now on, or no longer does; `None` if it
    /// speaks of something else. Faults can be aimed at the leader.
    fn leads(_indication: &Self::Indication) -> Option<bool> {
        None
    }

    /// The operation that begins when `p` is asked for this; `None` if nothing ever answers it.
    fn operation(_p: ProcessId, _request: &Self::Request) -> Option<OperationName> {
        None
    }

    /// The operations that `p` answers by announcing this. Whoever solves the problem, an operation
    /// ends with its first answer.
    fn answers(
        _p: ProcessId,
        _indication: &Self::Indication,
    ) -> impl Iterator<Item = OperationName> {
        std::iter::empty()
    }
}

/// The clients of one run: live, so that the next request can depend on what was announced.
pub trait Workload<S: Spec>: Clone + Hash + 'static {
    /// The run begins.
    fn on_start(&mut self, ask: &mut Ask<'_, S>);
    /// A request has come to a process, which may be down: time to ask for what follows, where much
    /// is to be asked.
    fn on_request(&mut self, _p: ProcessId, _request: &S::Request, _ask: &mut Ask<'_, S>) {}
    /// A process has announced something (no probe).
    fn on_indication(&mut self, _p: ProcessId, _what: &S::Indication, _ask: &mut Ask<'_, S>) {}
    /// A process is back after a crash, or has come late.
    fn on_recover(&mut self, _p: ProcessId, _ask: &mut Ask<'_, S>) {}
}

/// How clients ask for things.
pub struct Ask<'a, S: Spec> {
    pub(crate) now: Instant,
    pub(crate) rng: &'a mut Rng,
    pub(crate) asked: &'a mut Vec<(Duration, ProcessId, S::Request)>,
}

/// Clients that have more requests waiting at once have run away; it ends as a panic of theirs
/// does.
pub const REQUEST_COUNT_MAX: u64 = 1_000_000;

impl<S: Spec> Ask<'_, S> {
    /// The true time.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Puts `request` to `p`, `after` from now. A process that is down then never hears of it.
    ///
    /// # Panics
    /// If the clients have [`REQUEST_COUNT_MAX`] requests waiting.
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

/// What a request and the indication that answers it have in common.
///
/// Law, for a [`Spec`]: no two requests of a run begin operations of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationName {
    /// Who is asked.
    pub asked: ProcessId,
    /// Who announces the answer.
    pub answers: ProcessId,
    /// Tells the operations of such a pair apart.
    pub number: u64,
}

impl OperationName {
    /// The operation with this number, which the process that is asked answers itself.
    pub const fn at(process: ProcessId, number: u64) -> Self {
        Self { asked: process, answers: process, number }
    }
}
