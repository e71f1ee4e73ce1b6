//! A protocol without an algorithm, for tests of clients: a process announces at once, for each
//! request, what the test says, and sends no message.

use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;

use ftsim_core::bench::Run;
use ftsim_core::fault::{Action, Crash, Fault, Trigger};
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{
    Bench, Bound, Cx, Duration, Instant, Model, Never, NoParams, Process, ProcessId, Protocol,
    Setting, Spec,
};

/// What the processes of a [`Stub`] announce.
pub trait Answers: Clone + Debug + Hash + 'static {
    /// The problem whose clients are tested.
    type Spec: Spec;
    const ROLES: &'static [&'static str] = &["process"];

    /// The announcements of `p` when it receives this request; by default none.
    fn to(
        _p: ProcessId,
        _request: &<Self::Spec as Spec>::Request,
    ) -> Vec<<Self::Spec as Spec>::Indication> {
        Vec::new()
    }
}

#[derive(Clone, Debug, Hash)]
pub struct Stub<A>(PhantomData<A>);

impl<A: Answers> Process for Stub<A> {
    type Spec = A::Spec;
    type Msg = Never;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, request: <A::Spec as Spec>::Request, cx: &mut Cx<Self>) {
        for what in A::to(cx.me(), &request) {
            cx.indicate(what);
        }
    }

    fn on_message(&mut self, _: ProcessId, msg: Never, _: &mut Cx<Self>) {
        match msg {}
    }
}

impl<A: Answers> Protocol for Stub<A> {
    const NAME: &'static str = "stub";
    const SUMMARY: &'static str = "Announces what a test says.";
    const SOURCE: &'static str = "None (2025), *A protocol for tests*";
    const ROLES: &'static [&'static str] = A::ROLES;
    type Params = NoParams;

    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::ANY_THAT_RECOVER)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self(PhantomData)
    }
}

/// The requests that processes received, in their order: `5ms p0 Broadcast(1)`.
pub fn requests(run: &Run) -> Vec<String> {
    let request = |entry: &ftsim_core::outcome::trace::Entry| match &entry.what {
        TraceEvent::Request { request } => {
            let process = entry.process.expect("a process that receives the request");
            Some(format!("{} {process} {request}", entry.at))
        }
        _ => None,
    };
    run.trace.entries.iter().filter_map(request).collect()
}

/// The same world, in which `process` is down from the one to the other of these milliseconds.
pub fn down(mut bench: Bench, process: u32, from_ms: u64, to_ms: u64) -> Bench {
    let recover_after = Some(Duration::from_millis(to_ms - from_ms));
    let crash = Crash { recover_after, ..Crash::default() };
    let trigger = Trigger::At(Instant::ZERO + Duration::from_millis(from_ms));
    let action = Action::Crash(ProcessId(process), crash);
    bench.experiment.plan.faults.push(Fault { trigger, action });
    bench
}
