//! The interface between algorithm and engine: a deterministic state machine that lists effects.

use std::fmt::Debug;
use std::hash::Hash;

use crate::id::ProcessId;
use crate::model::data::{Message, StorageError, Stored, Timer};
use crate::model::effect::Cx;
use crate::model::spec::Spec;

/// The requests to a process.
pub type Request<P> = <<P as Process>::Spec as Spec>::Request;
/// The indications of a process.
pub type Indication<P> = <<P as Process>::Spec as Spec>::Indication;

/// An algorithm as executed by one process: a deterministic, sans-IO state machine.
///
/// Law: a handler depends only on the process's state, its arguments and what [`Cx`] provides. It
/// has no access to real clocks, threads or global time. A handler has no side effects: it lists
/// effects, which the engine applies in order after the handler has returned, so that a crash can
/// land between any two of them.
///
/// `Clone` and `Hash` make its state comparable. They also rule out unordered maps: use `BTreeMap`,
/// `BTreeSet` and `Vec`, whose iteration order is deterministic.
pub trait Process: Clone + Debug + Hash + Sized + 'static {
    /// The problem that the algorithm solves.
    type Spec: Spec;
    /// The messages between processes.
    type Msg: Message;
    /// Its timers; [`Never`](crate::Never) if it sets none.
    type Timer: Timer;
    /// A record of its stable log; [`Never`](crate::Never) if it keeps none.
    type Record: Message;

    /// Called when the process starts for the first time.
    fn on_start(&mut self, _cx: &mut Cx<Self>) {}

    /// Called when the process restarts after a crash, with its initial state and its log.
    fn on_recover(&mut self, _log: &[Stored<Self::Record>], cx: &mut Cx<Self>) {
        self.on_start(cx);
    }

    /// Called when the disk fails: the effects after the failed `append` or `sync` are lost. By
    /// default the process stops, because it no longer knows what is durable.
    fn on_storage_error(&mut self, _error: StorageError, cx: &mut Cx<Self>) {
        cx.halt();
    }

    /// Called when a client sends a request.
    fn on_request(&mut self, request: Request<Self>, cx: &mut Cx<Self>);

    /// Called when a message is delivered. Its content is untrusted and may be out of range.
    fn on_message(&mut self, from: ProcessId, msg: Self::Msg, cx: &mut Cx<Self>);

    /// Called when a timer fires that this process set.
    fn on_timer(&mut self, _timer: Self::Timer, _cx: &mut Cx<Self>) {}

    /// Called when the failure detector suspects `p`.
    fn on_suspect(&mut self, _p: ProcessId, _cx: &mut Cx<Self>) {}

    /// Called when the failure detector trusts `p` again.
    fn on_trust(&mut self, _p: ProcessId, _cx: &mut Cx<Self>) {}
}
