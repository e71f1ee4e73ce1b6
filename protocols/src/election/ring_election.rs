//! Election on a directed ring: a message collects the ids of those that are up.
//!
//! Source: Le Lann (1977), as textbooks tell it: Tanenbaum and van Steen (2007), section 6.5. Spec:
//! [`Election`] with succession. Model: asynchronous with a perfect failure detector P, reliable
//! links, crash-stop, f < n.
//!
//! Steps: a process that is asked for an election, or suspects the leader, sends ELECTION with its
//! id to its successor. Each process adds its id and passes the message on. When it comes home, the
//! greatest id in it is the leader's, and COORDINATOR goes round the ring with it. The successor of
//! p is the first process after it that it does not suspect. When that one is suspected too, p
//! sends all that it may not have passed on to the next.
//!
//! Why it works: P suspects nobody that is up, so a message that comes home has the ids of all that
//! are, and no leader has a lesser id than one of them. A message is lost only with all processes
//! that had it since its initiator; the initiator keeps it, and sends it again. Whoever learns of a
//! leader that has crashed suspects it in the end, and begins anew. Links need not keep order.
//!
//! Words: in Le Lann's paper each process has a message of its own, which collects nothing: all see
//! the ids of all, at the cost of n². A message whose initiator has crashed ends at the first
//! process that it reaches twice.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::election::{Election, Indication, MAX, Request, SUCCESSION, TERMINATION};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The processes that it has reached, beginning with its initiator.
    Election { reached: Vec<ProcessId> },
    /// The result, and the processes that know it, beginning with the initiator.
    Coordinator { leader: ProcessId, told: Vec<ProcessId> },
}

/// A process of the election by a list of ids.
#[derive(Clone, Debug, Hash)]
pub struct RingElection {
    /// Whether its own election is under way.
    is_calling: bool,
    leader: Option<ProcessId>,
    suspected: ProcessSet,
    /// The latest messages that it has passed on, by kind and initiator.
    passed: BTreeMap<(Kind, ProcessId), Msg>,
}

/// The kinds of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Election,
    Coordinator,
}

impl Process for RingElection {
    type Spec = Election;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Elect: Request, cx: &mut Cx<Self>) {
        self.call(cx);
    }

    fn on_message(&mut self, _: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Election { reached } if reached.first() == Some(&cx.me()) => {
                self.on_return(&reached, cx);
            }
            Msg::Election { mut reached } if !reached.contains(&cx.me()) => {
                reached.push(cx.me());
                self.pass_on(Msg::Election { reached }, cx);
            }
            Msg::Coordinator { leader, mut told } if !told.contains(&cx.me()) => {
                self.learn(leader, cx);
                told.push(cx.me());
                self.pass_on(Msg::Coordinator { leader, told }, cx);
            }
            Msg::Election { .. } | Msg::Coordinator { .. } => {}
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        let was_successor = self.successor(cx) == p;
        self.suspected.insert(p);
        if was_successor && !cx.runs(&NO_RESEND) {
            cx.reach("sent again past a crashed successor");
            let successor = self.successor(cx);
            for msg in self.passed.values() {
                cx.send(successor, msg.clone());
            }
        }
        if self.leader == Some(p) && !cx.runs(&KEEP_DEAD_LEADER) {
            self.leader = None;
            self.call(cx);
        }
    }
}

impl RingElection {
    /// Begins an election, unless its last one is still under way.
    fn call(&mut self, cx: &mut Cx<Self>) {
        if !self.is_calling {
            self.is_calling = true;
            self.pass_on(Msg::Election { reached: vec![cx.me()] }, cx);
        }
    }

    /// Ends its own election.
    fn on_return(&mut self, reached: &[ProcessId], cx: &mut Cx<Self>) {
        if std::mem::take(&mut self.is_calling) {
            let up = reached.iter().filter(|p| !self.suspected.contains(**p));
            let leader = up.copied().max().unwrap_or(cx.me());
            self.learn(leader, cx);
            self.pass_on(Msg::Coordinator { leader, told: vec![cx.me()] }, cx);
        }
    }

    fn learn(&mut self, leader: ProcessId, cx: &mut Cx<Self>) {
        if self.suspected.contains(leader) && !cx.runs(&FOLLOW_A_SUSPECT) {
            cx.reach("the new leader has crashed");
            self.call(cx);
            return;
        }
        self.leader = Some(leader);
        cx.indicate(match leader == cx.me() {
            true => Indication::Leads,
            false => Indication::Follows(leader.0.into()),
        });
    }

    fn pass_on(&mut self, msg: Msg, cx: &mut Cx<Self>) {
        let (kind, since) = match &msg {
            Msg::Election { reached } => (Kind::Election, reached),
            Msg::Coordinator { told, .. } => (Kind::Coordinator, told),
        };
        if let Some(initiator) = since.first() {
            self.passed.insert((kind, *initiator), msg.clone());
        }
        cx.send(self.successor(cx), msg);
    }

    /// The first process after this one that it does not suspect; itself, if there is no other.
    fn successor(&self, cx: &Cx<Self>) -> ProcessId {
        let (me, n) = (cx.me().0, cx.n());
        let mut after = (1..=n).map(|distance| ProcessId((me + distance) % n));
        let next = after.find(|p| !self.suspected.contains(*p) || cx.runs(&NO_SKIP));
        next.unwrap_or(cx.me())
    }
}

const NO_SKIP: Mutant =
    Mutant::code("no-skip", "goes on sending to a successor that has crashed", TERMINATION);
const NO_RESEND: Mutant = Mutant::code(
    "no-resend",
    "does not send again what a crashed successor may not have passed on",
    TERMINATION,
);
const KEEP_DEAD_LEADER: Mutant =
    Mutant::code("keep-dead-leader", "does nothing when it suspects the leader", SUCCESSION);
const FOLLOW_A_SUSPECT: Mutant =
    Mutant::code("follow-a-suspect", "follows a new leader that it suspects", SUCCESSION);
const IMPERFECT_FD: Mutant = Mutant::assumption(
    "imperfect-fd",
    "has a detector that suspects a process which is up",
    MAX,
    "detector.mistakes",
    None,
);
const INCOMPLETE_FD: Mutant = Mutant::assumption(
    "incomplete-fd",
    "has a detector that does not report the crash of a process to its predecessor",
    TERMINATION,
    "detector.blind",
    None,
);

impl Protocol for RingElection {
    const NAME: &'static str = "ring-election";
    const SUMMARY: &'static str = "election on a ring: a message collects the ids of those up";
    const SOURCE: &'static str = "Le Lann 1977; Tanenbaum & van Steen 2007, section 6.5";
    const MUTANTS: &'static [Mutant] =
        &[NO_SKIP, NO_RESEND, KEEP_DEAD_LEADER, FOLLOW_A_SUSPECT, IMPERFECT_FD, INCOMPLETE_FD];

    type Params = NoParams;

    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE).with(DetectorClass::Perfect)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self {
            is_calling: false,
            leader: None,
            suspected: ProcessSet::new(),
            passed: BTreeMap::new(),
        }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![SUCCESSION]
    }
}
