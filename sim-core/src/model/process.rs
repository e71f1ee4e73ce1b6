//! What an algorithm is to the engine: a deterministic state machine that lists effects.

use std::fmt::Debug;
use std::hash::Hash;

use crate::id::ProcessId;
use crate::model::data::{Message, StorageError, Stored, Timer};
use crate::model::effect::Cx;
use crate::model::spec::Spec;

/// What a process is asked for.
pub type Request<P> = <<P as Process>::Spec as Spec>::Request;
/// What a process announces.
pub type Indication<P> = <<P as Process>::Spec as Spec>::Indication;

/// An algorithm at one process: a deterministic, sans-IO state machine.
///
/// Law: what a handler does depends on nothing but the process's state, its arguments and what
/// [`Cx`] hands out. It sees no real clock, no thread, no global time. A handler does nothing
/// itself: it lists effects, which the engine applies in order after it has returned, so that a
/// crash can land between any two of them.
///
/// `Clone` and `Hash` make its state comparable. They also keep unordered maps out: use `BTreeMap`,
/// `BTreeSet` and `Vec`, whose iteration order is part of determinism.
pub trait Process: Clone + Debug + Hash + Sized + 'static {
    /// The problem that the algorithm solves.
    type Spec: Spec;
    /// What processes send each other.
    type Msg: Message;
    /// The names of its timers; [`Never`](crate::Never) if it sets none.
    type Timer: Timer;
    /// One record of its stable log; [`Never`](crate::Never) if it keeps none.
    type Record: Message;

    /// The process starts for the first time.
    fn on_start(&mut self, _cx: &mut Cx<Self>) {}

    /// The process starts again after a crash, as new but for what its log still holds.
    fn on_recover(&mut self, _log: &[Stored<Self::Record>], cx: &mut Cx<Self>) {
        self.on_start(cx);
    }

    /// The disk failed: the effects behind the failed `append` or `sync` are lost. Unless a
    /// protocol knows better, it stops, since it cannot know any more what is durable.
    fn on_storage_error(&mut self, _error: StorageError, cx: &mut Cx<Self>) {
        cx.halt();
    }

    /// A client asks for something.
    fn on_request(&mut self, request: Request<Self>, cx: &mut Cx<Self>);

    /// A message is delivered. Nothing in it can be trusted to be in range.
    fn on_message(&mut self, from: ProcessId, msg: Self::Msg, cx: &mut Cx<Self>);

    /// A timer that this process set has run out.
    fn on_timer(&mut self, _timer: Self::Timer, _cx: &mut Cx<Self>) {}

    /// The failure detector suspects `p` from now on.
    fn on_suspect(&mut self, _p: ProcessId, _cx: &mut Cx<Self>) {}

    /// The failure detector trusts `p` again.
    fn on_trust(&mut self, _p: ProcessId, _cx: &mut Cx<Self>) {}
}
