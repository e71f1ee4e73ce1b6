//! View-synchronous multicast: members of a group multicast messages, and agree on what was
//! delivered in each view.
//!
//! Properties after Birman and Joseph (1987), *Exploiting virtual synchrony in distributed
//! systems*, and Cachin, Guerraoui and Rodrigues (2011), section 6.8. The views are those of
//! [`membership`]. A message belongs to the view in which it was sent. What is asked of a process
//! that is no member yet waits until it is one.

mod properties;

use ftsim_core::{
    Ask, Duration, DurationRange, Invalid, OperationName, ProcessId, PropertyEntry, PropertyId,
    Setting, Spec, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::broadcast::{
    Delivering, MessageNumber, NO_CREATION, NO_CREATION_TEXT, NO_DUPLICATION, NO_DUPLICATION_TEXT,
    NoCreation, NoDuplication,
};
use crate::membership::{
    self, Grouped, MembershipWorkload, Wishes, accuracy, completeness, self_inclusion,
    uniform_view_agreement, view_agreement,
};
use crate::message_set::MessageName;
use crate::refuse_too_many;
use properties::{Agreement, SendingView, Validity, VirtualSynchrony};

/// The problem of multicast in a group whose members change.
pub struct ViewSynchrony;

/// A request to a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// About the group.
    Group(membership::Request),
    /// Multicast the message with this number.
    Multicast(MessageNumber),
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// About the group.
    Group(membership::Indication),
    /// A message is delivered.
    Deliver {
        /// The process that sent it.
        sender: ProcessId,
        /// The number of the message.
        number: MessageNumber,
    },
    /// A probe: the process sends this message of its own now.
    Sends(MessageNumber),
}

/// Who goes from one view to the next has delivered the same in it.
pub const VIRTUAL_SYNCHRONY: PropertyId = PropertyId("vs.virtual-synchrony");
/// Messages are delivered in the view in which they were sent.
pub const SENDING_VIEW: PropertyId = PropertyId("vs.sending-view");
/// Members deliver their own messages.
pub const VALIDITY: PropertyId = PropertyId("vs.validity");
/// The members of the last view deliver the same in it.
pub const AGREEMENT: PropertyId = PropertyId("vs.agreement");

impl Spec for ViewSynchrony {
    const NAME: &'static str = "view synchrony";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        self_inclusion(),
        view_agreement(),
        uniform_view_agreement(),
        completeness(),
        accuracy(),
        PropertyEntry::safety(NO_DUPLICATION, NO_DUPLICATION_TEXT, |setting| {
            Box::new(NoDuplication::new(setting))
        }),
        PropertyEntry::safety(NO_CREATION, NO_CREATION_TEXT, |_| Box::new(NoCreation::default())),
        PropertyEntry::safety(
            VIRTUAL_SYNCHRONY,
            "processes that install one view, and then the same next one, deliver the same \
             messages in between",
            |setting| Box::new(VirtualSynchrony::new(setting)),
        ),
        PropertyEntry::safety(
            SENDING_VIEW,
            "a message is delivered in the view in which its sender was when it sent it",
            |setting| Box::new(SendingView::new(setting)),
        ),
        PropertyEntry::liveness(
            VALIDITY,
            "a correct process that stays a member delivers what it is asked to multicast",
            |setting| Box::new(Validity::new(setting)),
        ),
        PropertyEntry::liveness(
            AGREEMENT,
            "correct processes that stay members deliver the same messages in their last view",
            |setting| Box::new(Agreement::new(setting)),
        ),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = ViewSynchronyWorkload;
    type Workload = Members;

    fn workload(settings: &ViewSynchronyWorkload, setting: &Setting) -> Result<Members, Invalid> {
        let ViewSynchronyWorkload { join_at, leavers, leave_at, multicasts, every } = settings;
        refuse_too_many("multicasts", *multicasts, setting.n as usize)?;
        let group = MembershipWorkload {
            join_at: *join_at,
            leavers: leavers.clone(),
            leave_at: *leave_at,
            requests: 0,
            ..MembershipWorkload::default()
        };
        let wishes = Wishes::new(&group, setting)?;
        let all = setting.processes().collect();
        Ok(Members { wishes, all, multicasts: *multicasts, every: *every })
    }

    fn is_probe(indication: &Indication) -> bool {
        match indication {
            Indication::Group(indication) => membership::Membership::is_probe(indication),
            Indication::Deliver { .. } => false,
            Indication::Sends(_) => true,
        }
    }

    fn phrase(indication: &Indication) -> Option<String> {
        match indication {
            Indication::Group(indication) => membership::Membership::phrase(indication),
            Indication::Deliver { sender, number } => {
                Some(format!("delivers {number} of {sender}"))
            }
            Indication::Sends(number) => Some(format!("sends its message {number}")),
        }
    }

    /// A multicast is answered when its sender delivers it.
    fn operation(p: ProcessId, request: &Request) -> Option<OperationName> {
        Self::requested(request).map(|number| OperationName::at(p, number))
    }

    fn answers(p: ProcessId, indication: &Indication) -> impl Iterator<Item = OperationName> {
        let own = Self::delivered(indication).filter(|(sender, _)| *sender == p);
        own.map(|(_, number)| OperationName::at(p, number)).into_iter()
    }
}

impl Grouped for ViewSynchrony {
    fn group_request(request: &Request) -> Option<&membership::Request> {
        match request {
            Request::Group(request) => Some(request),
            Request::Multicast(_) => None,
        }
    }

    fn group_indication(indication: &Indication) -> Option<&membership::Indication> {
        match indication {
            Indication::Group(indication) => Some(indication),
            Indication::Deliver { .. } | Indication::Sends(_) => None,
        }
    }
}

impl Delivering for ViewSynchrony {
    fn requested(request: &Request) -> Option<MessageNumber> {
        match request {
            Request::Multicast(number) => Some(*number),
            Request::Group(_) => None,
        }
    }

    fn delivered(indication: &Indication) -> Option<MessageName> {
        match indication {
            Indication::Deliver { sender, number } => Some((*sender, *number)),
            Indication::Group(_) | Indication::Sends(_) => None,
        }
    }
}

/// Who joins and leaves, and what is multicast.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ViewSynchronyWorkload {
    /// When newcomers ask to join; if a range, each draws a time of its own.
    pub join_at: DurationRange,
    /// The processes that ask to leave.
    pub leavers: Vec<ProcessId>,
    /// When they ask; if a range, each draws a time of its own.
    pub leave_at: DurationRange,
    /// The number of messages that each process multicasts.
    pub multicasts: u32,
    /// The time between two messages of a process; the first is at the start.
    pub every: Duration,
}

impl Default for ViewSynchronyWorkload {
    fn default() -> Self {
        let MembershipWorkload { join_at, leavers, leave_at, .. } = MembershipWorkload::default();
        Self { join_at, leavers, leave_at, multicasts: 10, every: Duration::from_millis(10) }
    }
}

/// The clients of the members of a group.
#[derive(Clone, Debug, Hash)]
pub struct Members {
    wishes: Wishes,
    all: Vec<ProcessId>,
    multicasts: u32,
    every: Duration,
}

impl Workload<ViewSynchrony> for Members {
    fn on_start(&mut self, ask: &mut Ask<'_, ViewSynchrony>) {
        self.wishes.start(ask, Request::Group);
        if self.multicasts > 0 {
            for p in &self.all {
                ask.request(*p, Duration::ZERO, Request::Multicast(0));
            }
        }
    }

    fn on_request(&mut self, p: ProcessId, request: &Request, ask: &mut Ask<'_, ViewSynchrony>) {
        if let Request::Multicast(number) = request
            && number.saturating_add(1) < u64::from(self.multicasts)
        {
            ask.request(p, self.every, Request::Multicast(number + 1));
        }
    }
}

#[cfg(test)]
mod tests;
