//! A vector clock: the number of events of each process that are in an event's past.
//!
//! Source: Fidge (1988); Mattern (1989). Spec: [`Clocks`], in both directions. Model:
//! asynchronous, any links, any number of crashes.
//!
//! Steps: a process keeps a number for each process. An event increments its own, and happens at
//! the new vector. A message carries the vector of its sending. The event that receives it first
//! raises each number to that of the message.
//!
//! Why it works: the number of a process is that of its last event in the past of this one. So an
//! event happened before another one exactly if the other one's vector is nowhere less, and
//! greater somewhere.

use ftsim_core::prelude::*;

use crate::parts::logical_clock::Time;
use crate::spec::clocks::{Clocks, Indication, Request, STRONG, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, sent at this time.
    Data { times: Vec<Time> },
}

/// A process with a vector clock.
#[derive(Clone, Debug, Hash)]
pub struct VectorClock {
    /// In the order of the ids of processes.
    times: Vec<Time>,
}

impl Process for VectorClock {
    type Spec = Clocks;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        self.tick(cx);
        if let Request::Send(to) = request {
            cx.send(to, Msg::Data { times: self.times.clone() });
        }
    }

    fn on_message(&mut self, from: ProcessId, Msg::Data { times }: Msg, cx: &mut Cx<Self>) {
        for (p, (own, sent)) in cx.processes().zip(self.times.iter_mut().zip(times)) {
            if p == from || !cx.runs(&SENDER_ONLY) {
                *own = sent.max(*own);
            }
        }
        if cx.runs(&NO_TICK_ON_RECEIVE) {
            cx.indicate(Indication::At(Timestamp::Vector(self.times.clone())));
        } else {
            self.tick(cx);
        }
    }
}

impl VectorClock {
    /// An event happens.
    fn tick(&mut self, cx: &mut Cx<Self>) {
        let own = &mut self.times[cx.me().index()];
        *own = own.saturating_add(1);
        cx.indicate(Indication::At(Timestamp::Vector(self.times.clone())));
    }
}

const SENDER_ONLY: Mutant = Mutant::code(
    "sender-only",
    "takes over the sender's own number from a message, and not what the sender knew of others",
    STRONG,
);
const NO_TICK_ON_RECEIVE: Mutant =
    Mutant::code("no-tick-on-receive", "does not count the events that receive a message", STRONG);

impl Protocol for VectorClock {
    const NAME: &'static str = "vector-clock";
    const SUMMARY: &'static str = "vector clock: tells exactly what happened before what";
    const SOURCE: &'static str = "Fidge 1988; Mattern 1989";
    const MUTANTS: &'static [Mutant] = &[SENDER_ONLY, NO_TICK_ON_RECEIVE];

    type Params = NoParams;

    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.over(Links::FairLoss).crash_stop(Bound::ALL_BUT_ONE)
    }

    fn new(_: &NoParams, setting: &Setting, _: ProcessId) -> Self {
        Self { times: setting.processes().map(|_| 0).collect() }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![STRONG]
    }
}
