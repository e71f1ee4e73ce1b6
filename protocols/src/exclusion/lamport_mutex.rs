//! Mutual exclusion by logical clocks and a queue at every process.
//!
//! Source: Lamport (1978). Spec: [`MutualExclusion`] with requests granted in the order in which
//! they happened. Model: asynchronous, reliable FIFO links, no failures.
//!
//! Steps: a process that wants to enter sends a request with its time to all others, and puts it
//! in its queue. A process that receives a request puts it in its queue, and replies with its own
//! time. A process enters when its request is the first of its queue, by time and id, and it has
//! heard something later from everybody else. To exit, it removes its request, and has all others
//! remove it by a release.
//!
//! Why it works: links are FIFO, so a process that has sent something later than a request sends no
//! earlier request after it. Two processes in the section would each have the other's request in
//! its queue, and each take its own for the first.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;

use crate::parts::logical_clock::{LogicalClock, Time};
use crate::spec::mutual_exclusion::{
    EXCLUSION, EntryNumber, FIFO, Indication, MutualExclusion, Request, STARVATION_FREE,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The sender wants to enter.
    Request { time: Time },
    /// The sender has seen a request.
    Reply { time: Time },
    /// The sender has left.
    Release { time: Time },
}

/// A process of Lamport's mutual exclusion.
#[derive(Clone, Debug, Hash)]
pub struct LamportMutex {
    clock: LogicalClock,
    /// The requests of all processes, in the order in which they are granted.
    queue: BTreeSet<(Time, ProcessId)>,
    /// The latest time heard from each process.
    heard: BTreeMap<ProcessId, Time>,
    /// The entry that this process waits for, and the time of its request.
    wants: Option<(EntryNumber, Time)>,
}

impl Process for LamportMutex {
    type Spec = MutualExclusion;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match request {
            Request::Enter(number) => {
                let time = self.clock.tick();
                self.queue.insert((time, cx.me()));
                self.wants = Some((number, time));
                cx.send_to_others(Msg::Request { time });
                self.enter_if_first(cx);
            }
            Request::Exit(number) => {
                self.forget(cx.me());
                cx.indicate(Indication::Exited(number));
                let time = self.clock.tick();
                cx.send_to_others(Msg::Release { time });
            }
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        let (Msg::Request { time } | Msg::Reply { time } | Msg::Release { time }) = msg;
        self.clock.receive(time);
        self.heard.insert(from, time);
        match msg {
            Msg::Request { time } => {
                self.queue.insert((time, from));
                let time = self.clock.tick();
                cx.send(from, Msg::Reply { time });
            }
            Msg::Reply { .. } => {}
            Msg::Release { .. } => self.forget(from),
        }
        self.enter_if_first(cx);
    }
}

impl LamportMutex {
    fn enter_if_first(&mut self, cx: &mut Cx<Self>) {
        let Some((number, time)) = self.wants else { return };
        let own = (time, cx.me());
        let later = self.heard.iter().filter(|(p, heard)| (**heard, **p) > own);
        let is_first = cx.runs(&NOBODY_IS_ASKED) || later.count() + 1 == cx.n() as usize;
        if is_first && self.queue.first() == Some(&own) {
            self.wants = None;
            cx.indicate(Indication::Entered(number));
        }
    }

    fn forget(&mut self, p: ProcessId) {
        self.queue.retain(|(_, q)| *q != p);
    }
}

const NO_FIFO: Mutant = Mutant::assumption(
    "no-fifo",
    "a reply overtakes an earlier request of its sender",
    EXCLUSION,
    "network.order",
    Some(r#""fifo""#),
);
const NOBODY_IS_ASKED: Mutant = Mutant::code(
    "nobody-is-asked",
    "enters when it is the first of its own queue, whatever is under way",
    EXCLUSION,
);

impl Protocol for LamportMutex {
    const NAME: &'static str = "lamport-mutex";
    const SUMMARY: &'static str = "mutual exclusion by logical clocks; all reply to all";
    const SOURCE: &'static str = "Lamport 1978";
    const MUTANTS: &'static [Mutant] = &[NO_FIFO, NOBODY_IS_ASKED];

    type Params = NoParams;

    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.over(Links::ReliableFifo)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self {
            clock: LogicalClock::default(),
            queue: BTreeSet::new(),
            heard: BTreeMap::new(),
            wants: None,
        }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![STARVATION_FREE, FIFO]
    }
}
