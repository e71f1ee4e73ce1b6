//! Group membership: processes join and leave a group, or crash, and all members see the same
//! sequence of views.
//!
//! Properties after Cachin, Guerraoui and Rodrigues (2011), section 6.7, and Ricciardi and Birman
//! (1991), *Using process groups to implement failure detection in asynchronous environments*. View
//! 0 has all founders as its members, and needs no announcement. A newcomer is a member from the
//! first view that it installs on. Whoever was left out comes back, if at all, under a new
//! identity: as another newcomer.
//!
//! Clients also ask members to serve requests, to show which views are fit for service.

mod clients;
pub(crate) mod properties;

use std::fmt;

use ftsim_core::{Invalid, ProcessId, ProcessSet, PropertyEntry, PropertyId, Setting, Spec};
use serde::{Deserialize, Serialize};

pub use clients::{MembershipWorkload, Wishes};
use properties::{Accuracy, Completeness, OnePrimary, SelfInclusion, Viable, ViewAgreement};

/// The role of the members of view 0.
pub const FOUNDER: &str = "founder";
/// The role of the processes that may join later.
pub const NEWCOMER: &str = "newcomer";

/// The problem of agreeing on who is in the group.
pub struct Membership;

/// The number of a view: 0, 1, …
pub type ViewNumber = u64;

/// The members of a group, for a while.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct View {
    /// Its place in the sequence of views.
    pub number: ViewNumber,
    /// Who is in the group.
    pub members: ProcessSet,
}

impl View {
    /// View 0: all founders.
    pub fn initial(setting: &Setting) -> Self {
        Self { number: 0, members: setting.role(FOUNDER).collect() }
    }

    /// Whether `p` is a member.
    pub fn contains(&self, p: ProcessId) -> bool {
        self.members.contains(p)
    }
}

impl fmt::Debug for View {
    /// Formats as `2{p0 p1}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.number, self.members)
    }
}

/// The number of a request for service, unique at its process.
pub type RequestNumber = u64;

/// A request to a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Become a member.
    Join,
    /// Cease to be a member.
    Leave,
    /// Serve this request, in the name of the group.
    Serve(RequestNumber),
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// It is a member of this view, from now on.
    Installs(View),
    /// It was a member and is none any more.
    Leaves,
    /// It has served this request.
    Serves(RequestNumber),
    /// It does not serve this request.
    Refuses(RequestNumber),
    /// A probe, at the start: it serves only in views of at least this many members.
    NeedsMembers(u32),
    /// A probe, at the start: a view can be changed only as long as most of its members are up.
    NeedsMajority,
}

/// A process installs views of which it is a member, in their order, until it is left out.
pub const SELF_INCLUSION: PropertyId = PropertyId("grp.self-inclusion");
/// Correct processes see the same views.
pub const VIEW_AGREEMENT: PropertyId = PropertyId("grp.view-agreement");
/// All processes do.
pub const UNIFORM_VIEW_AGREEMENT: PropertyId = PropertyId("grp.uniform-view-agreement");
/// Views follow what happens.
pub const COMPLETENESS: PropertyId = PropertyId("grp.completeness");
/// Nobody is left out without a reason.
pub const ACCURACY: PropertyId = PropertyId("grp.accuracy");
/// The group does not split.
pub const ONE_PRIMARY_VIEW: PropertyId = PropertyId("grp.one-primary-view");
/// Only views that are large enough serve.
pub const VIABLE: PropertyId = PropertyId("grp.viable");

/// A problem of a group whose members change.
pub trait Grouped: Spec {
    /// The request about the group, if it is one.
    fn group_request(request: &Self::Request) -> Option<&Request>;
    /// The announcement about the group, if it is one.
    fn group_indication(indication: &Self::Indication) -> Option<&Indication>;
}

impl Grouped for Membership {
    fn group_request(request: &Request) -> Option<&Request> {
        Some(request)
    }

    fn group_indication(indication: &Indication) -> Option<&Indication> {
        Some(indication)
    }
}

/// The entry of [`SELF_INCLUSION`].
pub const fn self_inclusion<S: Grouped>() -> PropertyEntry<S> {
    PropertyEntry::safety(
        SELF_INCLUSION,
        "a process installs only views of which it is a member, with increasing numbers, and none \
         once it has been left out",
        |_| Box::new(SelfInclusion::default()),
    )
}

/// The entry of [`VIEW_AGREEMENT`].
pub const fn view_agreement<S: Grouped>() -> PropertyEntry<S> {
    PropertyEntry::safety(
        VIEW_AGREEMENT,
        "views of one number that correct processes install have the same members",
        |setting| Box::new(ViewAgreement::among_correct(setting)),
    )
}

/// The entry of [`UNIFORM_VIEW_AGREEMENT`].
pub const fn uniform_view_agreement<S: Grouped>() -> PropertyEntry<S> {
    PropertyEntry::safety(
        UNIFORM_VIEW_AGREEMENT,
        "views of one number have the same members",
        |setting| Box::new(ViewAgreement::among_all(setting)),
    )
    .if_claimed()
}

/// The entry of [`COMPLETENESS`].
pub const fn completeness<S: Grouped>() -> PropertyEntry<S> {
    PropertyEntry::liveness(
        COMPLETENESS,
        "who crashes or asks to leave is eventually out of all views of correct members, who asks \
         to join is in, and who is out knows it",
        |setting| Box::new(Completeness::new(setting)),
    )
}

/// The entry of [`ACCURACY`].
pub const fn accuracy<S: Grouped>() -> PropertyEntry<S> {
    PropertyEntry::safety(
        ACCURACY,
        "a member of a process's view is in its next one, unless it has crashed or asked to leave",
        |setting| Box::new(Accuracy::new(setting)),
    )
    .if_claimed()
}

impl Spec for Membership {
    const NAME: &'static str = "membership";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        self_inclusion(),
        view_agreement(),
        uniform_view_agreement(),
        completeness(),
        accuracy(),
        PropertyEntry::safety(
            ONE_PRIMARY_VIEW,
            "no view serves what is asked after a view as late or later, without a common member, \
             has served",
            |setting| Box::new(OnePrimary::new(setting)),
        ),
        PropertyEntry::safety(
            VIABLE,
            "only members serve, in views that have as many members as promised",
            |setting| Box::new(Viable::new(setting)),
        ),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = MembershipWorkload;
    type Workload = Wishes;

    fn workload(settings: &MembershipWorkload, setting: &Setting) -> Result<Wishes, Invalid> {
        Wishes::new(settings, setting)
    }

    fn is_probe(indication: &Indication) -> bool {
        matches!(indication, Indication::NeedsMembers(_) | Indication::NeedsMajority)
    }

    fn phrase(indication: &Indication) -> Option<String> {
        Some(match indication {
            Indication::Installs(View { number, members }) => {
                format!("installs view {number}: {members}")
            }
            Indication::Leaves => "is no longer a member".to_owned(),
            Indication::Serves(number) => format!("serves request {number}"),
            Indication::Refuses(number) => format!("refuses request {number}"),
            Indication::NeedsMembers(1) => "promises to serve in any view".to_owned(),
            Indication::NeedsMembers(count) => {
                format!("promises to serve only in views of at least {count} members")
            }
            Indication::NeedsMajority => "needs most members of a view to change it".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
