//! Mutual exclusion by quorums: a process enters when all arbiters of its quorum are locked for it.
//!
//! Source: Maekawa (1985), *A √N algorithm for mutual exclusion in decentralized systems*, with the
//! correction of Sanders (1987). Spec: [`MutualExclusion`]. Model: asynchronous, reliable FIFO
//! links, no failures.
//!
//! Steps: a process that wants to enter sends REQUEST with its time to its quorum, to which it
//! belongs itself. Each member, an arbiter, is LOCKED for one request at a time and queues the
//! others. It tells a request FAILED if an earlier one is known, by time and id. If the new one is
//! the earliest, it sends INQUIRE to the process that it is locked for, which sends RELINQUISH if
//! it has FAILED elsewhere, or as soon as it does: then the earliest request is next. Whoever exits
//! sends RELEASE.
//!
//! An INQUIRE can be late, and reach its process when that has left and asks again. To relinquish
//! an arbiter then, before its next LOCKED has come, would be to take two locks for one.
//!
//! Why it works: any two quorums have an arbiter in common, and it is locked for one of them. Where
//! requests wait for each other in a circle, one of them has an arbiter that knows an earlier one,
//! so it has FAILED, and gives way to it. Hence a request that was the earliest and is no longer
//! must be told FAILED as well; in the paper it is not, and a circle can remain: the mutant
//! `no-late-failed`.

use std::collections::BTreeSet;

use ftsim_core::prelude::*;

use crate::parts::coterie;
use crate::parts::logical_clock::{LogicalClock, Time};
use crate::spec::mutual_exclusion::{
    EXCLUSION, EntryNumber, Indication, MutualExclusion, PROGRESS, Request, STARVATION_FREE,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The sender wants to enter.
    Request { time: Time },
    /// The sender, an arbiter, is locked for the receiver's request.
    Locked,
    /// The sender, an arbiter, knows an earlier request.
    Failed,
    /// The sender, an arbiter, asks to be relinquished if the request of this time, for which it is
    /// locked, has failed elsewhere.
    Inquire { time: Time },
    /// The sender gives way with its request of this time, and waits for the arbiter again.
    Relinquish { time: Time },
    /// The sender has left, and its request of this time is done.
    Release { time: Time },
}

/// A process of Maekawa's mutual exclusion.
#[derive(Clone, Debug, Hash)]
pub struct Maekawa {
    clock: LogicalClock,
    quorum: ProcessSet,
    visit: Option<Visit>,
    arbiter: Arbiter,
}

/// A process's own request.
#[derive(Clone, Debug, Hash)]
struct Visit {
    number: EntryNumber,
    time: Time,
    is_inside: bool,
    /// The arbiters that are locked for it.
    locked: ProcessSet,
    /// The arbiters that know an earlier request.
    failed: ProcessSet,
    /// The arbiters that ask to be relinquished.
    inquiring: ProcessSet,
}

/// A request of some process: the earliest is the least.
type Known = (Time, ProcessId);

/// The part of a process that gives others its permission.
#[derive(Clone, Debug, Default, Hash)]
struct Arbiter {
    locked_for: Option<Known>,
    /// Whether it has sent INQUIRE since it was locked: it sends one at most.
    has_inquired: bool,
    /// The requests that wait.
    queue: BTreeSet<Known>,
}

impl Process for Maekawa {
    type Spec = MutualExclusion;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match request {
            Request::Enter(number) => {
                let time = self.clock.tick();
                self.visit = Some(Visit::new(number, time));
                cx.send_to(self.quorum.iter(), Msg::Request { time });
            }
            Request::Exit(number) => {
                if let Some(visit) = self.visit.take() {
                    cx.send_to(self.quorum.iter(), Msg::Release { time: visit.time });
                    cx.indicate(Indication::Exited(number));
                }
            }
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Request { time } => {
                self.clock.receive(time);
                self.arbiter.on_request((time, from), cx);
            }
            Msg::Relinquish { time } => self.arbiter.on_relinquish((time, from), cx),
            Msg::Release { time } => self.arbiter.on_release((time, from), cx),
            Msg::Locked | Msg::Failed | Msg::Inquire { .. } => {
                // Whoever is inside gives way to nobody: its RELEASE answers the INQUIRE.
                let waiting = self.visit.as_mut().filter(|visit| !visit.is_inside);
                let Some(visit) = waiting else { return };
                match msg {
                    Msg::Locked => visit.on_locked(from, &self.quorum, cx),
                    Msg::Inquire { time } if time == visit.time => visit.on_inquire(from, cx),
                    Msg::Inquire { .. } => cx.reach("an INQUIRE is late"),
                    _ => visit.on_failed(from, cx),
                }
            }
        }
    }
}

impl Visit {
    fn new(number: EntryNumber, time: Time) -> Self {
        let none = ProcessSet::new;
        let (locked, failed, inquiring) = (none(), none(), none());
        Self { number, time, is_inside: false, locked, failed, inquiring }
    }

    fn on_locked(&mut self, arbiter: ProcessId, quorum: &ProcessSet, cx: &mut Cx<Maekawa>) {
        self.failed.remove(arbiter);
        self.locked.insert(arbiter);
        let missing = quorum.iter().any(|arbiter| !self.locked.contains(arbiter));
        if !missing || cx.runs(&ONE_IS_ENOUGH) {
            self.is_inside = true;
            cx.indicate(Indication::Entered(self.number));
        }
    }

    fn on_failed(&mut self, arbiter: ProcessId, cx: &mut Cx<Maekawa>) {
        self.failed.insert(arbiter);
        for arbiter in std::mem::take(&mut self.inquiring).iter() {
            self.relinquish(arbiter, cx);
        }
    }

    fn on_inquire(&mut self, arbiter: ProcessId, cx: &mut Cx<Maekawa>) {
        if self.failed.is_empty() {
            self.inquiring.insert(arbiter);
        } else {
            self.relinquish(arbiter, cx);
        }
    }

    fn relinquish(&mut self, arbiter: ProcessId, cx: &mut Cx<Maekawa>) {
        cx.reach("gives way");
        self.locked.remove(arbiter);
        // An arbiter inquires only for an earlier request.
        self.failed.insert(arbiter);
        cx.send(arbiter, Msg::Relinquish { time: self.time });
    }
}

impl Arbiter {
    fn on_request(&mut self, new: Known, cx: &mut Cx<Maekawa>) {
        let earliest = self.queue.first().copied();
        self.queue.insert(new);
        let Some(holder) = self.locked_for else { return self.lock_for_next(cx) };
        if holder < new || earliest.is_some_and(|earliest| earliest < new) {
            return cx.send(new.1, Msg::Failed);
        }
        // The new one is the earliest. The one that was has not been told, as long as it was.
        if let Some(displaced) = earliest.filter(|earliest| *earliest < holder)
            && !cx.runs(&NO_LATE_FAILED)
        {
            cx.send(displaced.1, Msg::Failed);
        }
        if !self.has_inquired && !cx.runs(&NO_INQUIRE) {
            self.has_inquired = true;
            cx.send(holder.1, Msg::Inquire { time: holder.0 });
        }
    }

    fn on_relinquish(&mut self, known: Known, cx: &mut Cx<Maekawa>) {
        if self.locked_for == Some(known) {
            self.queue.insert(known);
            self.lock_for_next(cx);
        }
    }

    fn on_release(&mut self, known: Known, cx: &mut Cx<Maekawa>) {
        if self.locked_for == Some(known) {
            self.lock_for_next(cx);
        }
    }

    fn lock_for_next(&mut self, cx: &mut Cx<Maekawa>) {
        self.has_inquired = false;
        self.locked_for = self.queue.pop_first();
        if let Some((_, p)) = self.locked_for {
            cx.send(p, Msg::Locked);
        }
    }
}

/// The quorums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Quorums {
    /// A row and a column of a grid.
    #[default]
    Grid,
    /// A line of a finite projective plane: for 3, 7, 13, 21 or 31 processes.
    Plane,
}

/// `[params]` of Maekawa's mutual exclusion.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The quorums.
    pub quorums: Quorums,
}

const NO_INQUIRE: Mutant = Mutant::code(
    "no-inquire",
    "an arbiter never asks to be relinquished: requests wait for each other in a circle",
    PROGRESS,
);
const NO_LATE_FAILED: Mutant = Mutant::code(
    "no-late-failed",
    "an arbiter tells a request FAILED only when it arrives, as in the paper",
    PROGRESS,
);
const ONE_IS_ENOUGH: Mutant =
    Mutant::code("one-is-enough", "enters with the first arbiter of its quorum", EXCLUSION);

impl Protocol for Maekawa {
    const NAME: &'static str = "maekawa";
    const SUMMARY: &'static str = "mutual exclusion by the permissions of a quorum";
    const SOURCE: &'static str = "Maekawa 1985; Sanders 1987";
    const MUTANTS: &'static [Mutant] = &[NO_INQUIRE, NO_LATE_FAILED, ONE_IS_ENOUGH];

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.over(Links::ReliableFifo)
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        let is_known = coterie::plane(ProcessId(0), setting.n).is_some();
        if params.quorums == Quorums::Plane && !is_known {
            return Err(Invalid::new("quorums", "planes are for 3, 7, 13, 21 or 31 processes"));
        }
        Ok(())
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        let of_plane = match params.quorums {
            Quorums::Plane => coterie::plane(me, setting.n),
            Quorums::Grid => None,
        };
        Self {
            clock: LogicalClock::default(),
            quorum: of_plane.unwrap_or_else(|| coterie::grid(me, setting.n)),
            visit: None,
            arbiter: Arbiter::default(),
        }
    }

    fn claims(_: &Params, _: &Setting) -> Vec<PropertyId> {
        vec![STARVATION_FREE]
    }
}
