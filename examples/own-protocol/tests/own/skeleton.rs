//! skeleton: what it does, in one sentence.
//!
//! Source: author (year), algorithm. Spec: [`Broadcast`]. Model: asynchronous, reliable links, any
//! number of crashes, no detector.
//!
//! Steps: to broadcast, send to all processes. Deliver each message on arrival.
//!
//! Why it works: links lose no messages.

use ftsim::prelude::*;
use ftsim::spec::broadcast::{BEST_EFFORT, Broadcast, Indication, MessageNumber, Request};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    Data(MessageNumber),
}

/// A process of skeleton.
#[derive(Clone, Debug, Hash)]
pub struct Skeleton;

impl Process for Skeleton {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        if cx.runs(&SAYS_NOTHING) {
            return;
        }
        cx.broadcast(Msg::Data(number));
    }

    fn on_message(&mut self, sender: ProcessId, Msg::Data(number): Msg, cx: &mut Cx<Self>) {
        cx.indicate(Indication::Deliver { sender, number });
    }
}

const SAYS_NOTHING: Mutant = Mutant::code("says-nothing", "sends to no process", BEST_EFFORT);

impl Protocol for Skeleton {
    const NAME: &'static str = "skeleton";
    const SUMMARY: &'static str = "what it does, in a few words";
    const SOURCE: &'static str = "author year, title";
    const MUTANTS: &'static [Mutant] = &[SAYS_NOTHING];

    type Params = NoParams;

    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self
    }
}
