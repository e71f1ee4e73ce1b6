//! A logical clock: a number that grows along every chain of cause and effect.
//!
//! Source: Lamport (1978), rules IR1 and IR2. Spec: [`Clocks`]. Model: asynchronous, any links, any
//! number of crashes.
//!
//! Steps: an event increments the clock, and happens at the new time. A message carries the time of
//! its sending. The event that receives it first sets the clock to that time, if it is behind.
//!
//! Why it works: an event is later than the one before it at the same process, and, if it receives
//! a message, than the sending. What happened before what follows from these two. The converse does
//! not hold: an earlier time says only that the later event did not happen before.
//!
//! Words: the paper sets the clock to its own time or beyond, and later than the time of the
//! message (IR2). Here that is one more than the greater of the two, and a receipt is an event, as
//! Tanenbaum and van Steen (2007) count.

use ftsim_core::prelude::*;

use crate::parts::logical_clock::Time;
use crate::spec::clocks::{CONSISTENCY, Clocks, Indication, Request, STRONG, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, sent at this time.
    Data { time: Time },
}

/// A process with a logical clock.
#[derive(Clone, Debug, Hash)]
pub struct LamportClock {
    time: Time,
}

impl Process for LamportClock {
    type Spec = Clocks;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        self.tick(cx);
        if let Request::Send(to) = request {
            cx.send(to, Msg::Data { time: self.time });
        }
    }

    fn on_message(&mut self, _: ProcessId, Msg::Data { time }: Msg, cx: &mut Cx<Self>) {
        if !cx.runs(&NO_MAX) {
            self.time = self.time.max(time);
        }
        if cx.runs(&NO_TICK_ON_RECEIVE) {
            cx.indicate(Indication::At(Timestamp::Scalar(self.time)));
        } else {
            self.tick(cx);
        }
    }
}

impl LamportClock {
    /// An event happens.
    fn tick(&mut self, cx: &mut Cx<Self>) {
        self.time = self.time.saturating_add(1);
        cx.indicate(Indication::At(Timestamp::Scalar(self.time)));
    }
}

const NO_MAX: Mutant = Mutant::code(
    "no-max",
    "leaves its clock alone when a message comes from a later time",
    CONSISTENCY,
);
const NO_TICK_ON_RECEIVE: Mutant = Mutant::code(
    "no-tick-on-receive",
    "sets its clock to the time of a message, and not beyond",
    CONSISTENCY,
);
const AS_VECTOR: Mutant = Mutant::assumption(
    "as-vector",
    "is expected to tell that events are concurrent, as a vector clock does",
    STRONG,
    "check",
    None,
);

impl Protocol for LamportClock {
    const NAME: &'static str = "lamport-clock";
    const SUMMARY: &'static str = "logical clock: a number that grows from cause to effect";
    const SOURCE: &'static str = "Lamport 1978";
    const MUTANTS: &'static [Mutant] = &[NO_MAX, NO_TICK_ON_RECEIVE, AS_VECTOR];

    type Params = NoParams;

    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.over(Links::FairLoss).crash_stop(Bound::ALL_BUT_ONE)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self { time: 0 }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        Vec::new()
    }
}
