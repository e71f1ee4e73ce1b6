//! Group membership: all members see the same sequence of views.
//!
//! Source: Cristian (1991), *Reaching agreement on processor-group membership in synchronous
//! distributed systems*; Ricciardi and Birman (1991), *Using process groups to implement failure
//! detection in asynchronous environments*. Spec: [`membership`](crate::spec::membership). Model:
//! asynchronous, reliable links, crash-stop; newcomers join under identities of their own.
//!
//! Two ways to the next view, each in its file: by a [`coordinator`], or by a totally ordered
//! [`broadcast`] of the changes. A newcomer tells all processes that it joins, and a member that it
//! leaves.

mod broadcast;
mod coordinator;
mod mutants;

use ftsim_core::prelude::*;

use crate::order::tob_sequencer;
use crate::spec::membership::{
    self, ACCURACY, FOUNDER, NEWCOMER, Request, RequestNumber, UNIFORM_VIEW_AGREEMENT, View,
    ViewNumber,
};
use broadcast::ByBroadcast;
use coordinator::ByCoordinator;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The sender asks to join.
    Join,
    /// The sender asks to leave.
    Leave,
    /// The sender, which takes over as coordinator, asks what was proposed as the view after this
    /// one of its own.
    Prepare { last: Agreed, ballot: Ballot },
    /// The view with this number that the sender has accepted last, if any; from now on it accepts
    /// none of a lesser ballot.
    Promise { number: ViewNumber, ballot: Ballot, accepted: Option<Proposal> },
    /// The coordinator proposes the members of the view after this one of its own.
    Propose { last: Agreed, proposal: Proposal },
    /// The sender accepts the proposal for the view with this number.
    Ok { number: ViewNumber, ballot: Ballot },
    /// The sender has promised this greater ballot to another.
    Refuse { number: ViewNumber, promised: Ballot },
    /// The next view.
    Commit(Agreed),
    /// Whether this is still the receiver's view; the sender has a request to serve.
    Ask { number: ViewNumber, request: RequestNumber },
    /// It is.
    Confirm { number: ViewNumber, request: RequestNumber },
    /// A message of the broadcast that orders the changes.
    Order(tob_sequencer::Msg),
    /// A change that is broadcast without an order.
    Change(Change),
}

/// The number of an attempt to agree on a view, and who makes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ballot {
    attempt: u64,
    coordinator: ProcessId,
}

impl std::fmt::Debug for Ballot {
    /// Formats as `1.p0`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.attempt, self.coordinator)
    }
}

/// A view that is agreed on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Agreed {
    view: View,
    /// All that have been members until then. A newcomer, which has seen none of the views before,
    /// would admit again who has left.
    admitted: ProcessSet,
}

/// The proposed members of a view.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Proposal {
    ballot: Ballot,
    members: ProcessSet,
}

/// A change of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Change {
    Join(ProcessId),
    Leave(ProcessId),
    Crash(ProcessId),
}

/// A process of the membership service.
#[derive(Clone, Debug, Hash)]
pub enum Membership {
    /// With `mode = "coordinator"`.
    ByCoordinator(ByCoordinator),
    /// With `mode = "broadcast"`.
    ByBroadcast(ByBroadcast),
}

type Context<'a> = Cx<'a, Membership>;

impl Process for Membership {
    type Spec = membership::Membership;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        match self {
            Self::ByCoordinator(process) => process.on_start(cx),
            Self::ByBroadcast(process) => process.on_start(cx),
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match self {
            Self::ByCoordinator(process) => process.on_request(&request, cx),
            Self::ByBroadcast(process) => process.on_request(&request, cx),
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match self {
            Self::ByCoordinator(process) => process.on_message(from, msg, cx),
            Self::ByBroadcast(process) => process.on_message(from, msg, cx),
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        match self {
            Self::ByCoordinator(process) => process.on_suspect(p, cx),
            Self::ByBroadcast(process) => process.on_suspect(p, cx),
        }
    }

    fn on_trust(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        match self {
            Self::ByCoordinator(process) => process.on_trust(p, cx),
            Self::ByBroadcast(_) => {}
        }
    }
}

/// `[params]` of group membership.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MembershipParams {
    /// How processes agree on the next view.
    pub mode: Mode,
    /// With `mode = "coordinator"`: who must accept the next view.
    pub quorum: Quorum,
    /// The least number of members with which the group serves requests.
    #[schemars(range(min = 1))]
    pub min_size: u32,
}

impl Default for MembershipParams {
    fn default() -> Self {
        Self { mode: Mode::Coordinator, quorum: Quorum::All, min_size: 1 }
    }
}

/// How processes agree on the next view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The lowest member proposes it.
    Coordinator,
    /// It follows from changes that all processes deliver in one order.
    Broadcast,
}

/// Who must accept the next view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Quorum {
    /// All that are not suspected, rightly.
    All,
    /// A majority of the members. Suspicions may be wrong, and a part of the group that is cut off
    /// serves nothing: there is one primary component.
    Majority,
}

impl Protocol for Membership {
    const NAME: &'static str = "membership";
    const SUMMARY: &'static str = "group membership: the same sequence of views at all members";
    const SOURCE: &'static str = "Cristian 1991; Ricciardi & Birman 1991";
    const ROLES: &'static [&'static str] = &[FOUNDER, NEWCOMER];
    const MUTANTS: &'static [Mutant] = mutants::ALL;

    type Params = MembershipParams;

    fn model(params: &MembershipParams, _: &Setting) -> Model {
        let (bound, detector) = match (params.mode, params.quorum) {
            (Mode::Coordinator, Quorum::Majority) => {
                (Bound::MINORITY, DetectorClass::EventuallyPerfect)
            }
            _ => (Bound::ALL_BUT_ONE, DetectorClass::Perfect),
        };
        Model::ASYNCHRONOUS.crash_stop(bound).with(detector)
    }

    fn validate(params: &MembershipParams, _: &Setting) -> Result<(), Invalid> {
        if params.min_size == 0 {
            return Err(Invalid::new("min_size", "a group that serves has a member"));
        }
        Ok(())
    }

    fn new(params: &MembershipParams, setting: &Setting, me: ProcessId) -> Self {
        let min_size = params.min_size;
        match params.mode {
            Mode::Coordinator => {
                Self::ByCoordinator(ByCoordinator::new(params.quorum, min_size, setting))
            }
            Mode::Broadcast => Self::ByBroadcast(ByBroadcast::new(min_size, setting, me)),
        }
    }

    fn claims(params: &MembershipParams, _: &Setting) -> Vec<PropertyId> {
        match (params.mode, params.quorum) {
            (Mode::Coordinator, Quorum::All) => vec![UNIFORM_VIEW_AGREEMENT, ACCURACY],
            (Mode::Coordinator, Quorum::Majority) => vec![UNIFORM_VIEW_AGREEMENT],
            (Mode::Broadcast, _) => vec![ACCURACY],
        }
    }
}
