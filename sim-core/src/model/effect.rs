//! The effects of handlers. Effects are data: the engine applies them in order, one by one.

use std::cell::Cell;

use crate::id::ProcessId;
use crate::model::mutant::Mutant;
use crate::model::process::{Indication, Process};
use crate::model::setting::Setting;
use crate::rng::told::{Drawer, Teller};
use crate::rng::{Rng, Stream};
use crate::time::{Duration, Instant};

/// An effect that a handler requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect<P: Process> {
    /// Send a message. To itself it takes no time and is never lost.
    Send(ProcessId, P::Msg),
    /// Set a timer, or move it if it is set already.
    SetTimer(Duration, P::Timer),
    /// Cancel a timer; does nothing if it is not set.
    CancelTimer(P::Timer),
    /// Announce an indication.
    Indicate(Indication<P>),
    /// Append a record to the log. It is volatile until the next `Sync`.
    Append(P::Record),
    /// Make the log durable. Later effects wait until that is done.
    Sync,
    /// Replace the whole log atomically with the next `Sync`.
    Rewrite(Vec<P::Record>),
    /// Stop, as a crash does.
    Halt,
    /// Mark that something interesting happened. Not counted as an effect.
    Reach(&'static str),
    /// A remark for the trace. Not counted as an effect.
    Note(String),
}

/// The maximum number of effects of a handler; one that requests more ends like a panic.
const EFFECT_COUNT_MAX: usize = 1 << 22;

/// The argument of a handler: its environment, and the list of its effects.
pub struct Cx<'a, P: Process> {
    pub(crate) env: &'a mut Env<'a>,
    pub(crate) effects: &'a mut Vec<Effect<P>>,
}

/// The environment of one handler, the same for every layer of a process.
pub(crate) struct Env<'a> {
    pub me: ProcessId,
    pub setting: &'a Setting,
    /// The process's local time.
    pub now: Instant,
    pub coin: &'a mut Coin,
    /// What tells draws.
    pub teller: &'a Teller,
}

/// A process's own randomness, created on first use, because most processes never use it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coin {
    pub seed: u64,
    pub rng: Option<Box<Rng>>,
    /// Whether the process has ever read its clock.
    pub has_read_clock: Cell<bool>,
}

impl<P: Process> Cx<'_, P> {
    /// This process.
    pub const fn me(&self) -> ProcessId {
        self.env.me
    }

    /// The setting that every process knows from the start.
    pub const fn setting(&self) -> &Setting {
        self.env.setting
    }

    /// The number of processes.
    pub const fn n(&self) -> u32 {
        self.env.setting.n
    }

    /// Whether this mutant is being run; called at the line that it changes.
    #[inline]
    pub fn runs(&self, mutant: &Mutant) -> bool {
        self.env.setting.runs(mutant)
    }

    /// All processes, including this one, in the order of their ids.
    pub fn processes(
        &self,
    ) -> impl DoubleEndedIterator<Item = ProcessId> + ExactSizeIterator + use<P> {
        self.env.setting.processes()
    }

    /// All processes except this one, in the order of their ids.
    pub fn others(&self) -> impl DoubleEndedIterator<Item = ProcessId> + use<P> {
        let me = self.me();
        self.processes().filter(move |p| *p != me)
    }

    /// The processes with this role, in the order of their ids.
    pub fn role(
        &self,
        name: &str,
    ) -> impl DoubleEndedIterator<Item = ProcessId> + ExactSizeIterator + use<P> {
        self.env.setting.role(name)
    }

    /// The time on this process's own clock.
    pub fn now(&self) -> Instant {
        self.env.coin.has_read_clock.set(true);
        self.env.now
    }

    /// This process's own randomness.
    pub fn rng(&mut self) -> &mut Rng {
        let (me, seed, teller) = (self.env.me, self.env.coin.seed, self.env.teller);
        self.env.coin.rng.get_or_insert_with(|| {
            let rng = Rng::new(seed, Stream::Process(me.0));
            Box::new(rng.told(teller.of(Drawer::Process(me))))
        })
    }

    /// Sends `msg` to `to`.
    #[track_caller]
    pub fn send(&mut self, to: ProcessId, msg: P::Msg) {
        self.push(Effect::Send(to, msg));
    }

    /// Sends `msg` to every process: itself first, then the others in the order of their ids.
    ///
    /// These are n effects, and a crash can land between any two.
    #[track_caller]
    pub fn broadcast(&mut self, msg: P::Msg) {
        self.send(self.me(), msg.clone());
        self.send_to_others(msg);
    }

    /// Sends `msg` to every other process in the order of their ids.
    #[track_caller]
    pub fn send_to_others(&mut self, msg: P::Msg) {
        self.send_to(self.others(), msg);
    }

    #[expect(clippy::needless_pass_by_value, reason = "like `send`, `broadcast` and the others")]
    /// Sends `msg` to each of `group`, in its order.
    #[track_caller]
    pub fn send_to(&mut self, group: impl IntoIterator<Item = ProcessId>, msg: P::Msg) {
        for p in group {
            self.send(p, msg.clone());
        }
    }

    /// Sets `timer` to fire `after` on this process's clock. If it is already set, it is moved.
    #[track_caller]
    pub fn set_timer(&mut self, after: Duration, timer: P::Timer) {
        self.push(Effect::SetTimer(after, timer));
    }

    /// Cancels `timer`.
    #[track_caller]
    pub fn cancel_timer(&mut self, timer: P::Timer) {
        self.push(Effect::CancelTimer(timer));
    }

    /// Announces an indication to clients and properties.
    #[track_caller]
    pub fn indicate(&mut self, what: Indication<P>) {
        self.push(Effect::Indicate(what));
    }

    /// Appends a record to this process's log. A crash before the next [`sync`](Self::sync) may
    /// lose it.
    #[track_caller]
    pub fn append(&mut self, record: P::Record) {
        self.push(Effect::Append(record));
    }

    /// Makes the log durable. The effects after it wait until that is done, and are lost if the
    /// process crashes first.
    #[track_caller]
    pub fn sync(&mut self) {
        self.push(Effect::Sync);
    }

    /// Replaces the whole log by `records`, atomically, at the next [`sync`](Self::sync).
    #[track_caller]
    pub fn rewrite(&mut self, records: Vec<P::Record>) {
        self.push(Effect::Rewrite(records));
    }

    /// Stops this process permanently, like a crash: the effects after this one are lost.
    #[track_caller]
    pub fn halt(&mut self) {
        self.push(Effect::Halt);
    }

    /// Marks that something interesting happened; a scenario can require it in some seed.
    #[track_caller]
    pub fn reach(&mut self, label: &'static str) {
        self.push(Effect::Reach(label));
    }

    /// Adds a remark to the trace.
    #[track_caller]
    pub fn note(&mut self, remark: impl Into<String>) {
        self.push(Effect::Note(remark.into()));
    }

    #[inline]
    #[track_caller]
    fn push(&mut self, effect: Effect<P>) {
        assert!(self.effects.len() < EFFECT_COUNT_MAX, "one handler asked for too many effects");
        self.effects.push(effect);
    }
}
