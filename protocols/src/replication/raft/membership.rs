//! Changes of the servers (Ongaro 2014, chapter 4): each server uses the latest configuration in
//! its log, whether it is committed or not.
//!
//! In every step either one server comes or goes, so that any two majorities share a server
//! (section 4.1), or a joint configuration takes the majorities of both, and then the new one alone
//! (section 4.3). A server that comes is brought up to date before it counts (section 4.2.1); a
//! leader that goes leads until it is committed that it has gone (section 4.2.2).

use ftsim_core::prelude::*;

use super::mutants::{CHANGE_BEFORE_BLANK, NEW_MAJORITY_ONLY, TWO_CHANGES_AT_ONCE};
use super::replication::Sending;
use super::{Content, Context, Entry, Params, Role, Server};
use crate::spec::replicated_log::Index;
use crate::spec::service::SERVER;

/// The servers whose majorities count.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Configuration {
    /// These alone.
    Members(Vec<ProcessId>),
    /// These, which are about to be replaced, and those, separately.
    Joint { old: Vec<ProcessId>, new: Vec<ProcessId> },
}

impl Configuration {
    pub(super) fn has(&self, p: ProcessId) -> bool {
        match self {
            Self::Members(members) => members.contains(&p),
            Self::Joint { old, new } => old.contains(&p) || new.contains(&p),
        }
    }

    /// All of its servers but this one, in the order of their ids.
    pub(super) fn others(&self, me: ProcessId) -> ProcessSet {
        let all = match self {
            Self::Members(members) => [members.as_slice(), &[]],
            Self::Joint { old, new } => [old.as_slice(), new],
        };
        all.into_iter().flatten().copied().filter(|p| *p != me).collect()
    }

    /// Whether it is decided by those who agree.
    pub(super) fn is_decided(&self, agrees: impl Fn(ProcessId) -> bool, cx: &Context) -> bool {
        let is_majority = |members: &[ProcessId]| {
            2 * members.iter().filter(|p| agrees(**p)).count() > members.len()
        };
        match self {
            Self::Members(members) => is_majority(members),
            Self::Joint { new, .. } if cx.runs(&NEW_MAJORITY_ONLY) => is_majority(new),
            Self::Joint { old, new } => is_majority(old) && is_majority(new),
        }
    }
}

/// The members that an operator asks whoever leads for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// When, by the clock of the leader.
    pub at: Duration,
    /// The servers that are wanted from then on.
    pub members: Vec<ProcessId>,
}

/// How one configuration follows another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Transition {
    /// By one server that comes or goes, again and again if need be.
    #[default]
    Single,
    /// By a joint configuration, whatever the difference is.
    Joint,
}

impl Server {
    /// Finds the latest configuration in its log, after entries were deleted.
    pub(super) fn find_configuration(&mut self) {
        let mut places = self.log.iter().enumerate().rev();
        let latest = places.find_map(|(place, entry)| match &entry.content {
            Content::Configuration(latest) => Some((place as Index + 1, latest.clone())),
            _ => None,
        });
        (self.configured_at, self.configuration) =
            latest.unwrap_or_else(|| (0, first(&self.params, &self.servers)));
    }

    /// Leaders: begins the next change that is due, or ends the one that is under way.
    pub(super) fn change_members(&mut self, cx: &mut Context) {
        let Role::Leader(leader) = &mut self.role else { return };
        let is_committed = self.configured_at <= self.commit;
        let last = self.log.len() as Index;
        let next = match &self.configuration {
            Configuration::Joint { .. } if !is_committed => return,
            Configuration::Joint { new, .. } => Configuration::Members(new.clone()),
            Configuration::Members(old) => {
                let is_next = is_committed || cx.runs(&TWO_CHANGES_AT_ONCE);
                let is_sure = self.commit >= leader.blank || cx.runs(&CHANGE_BEFORE_BLANK);
                let wanted = due(&self.params.changes, cx.now()).filter(|_| is_next && is_sure);
                let Some(wanted) = wanted else { return };
                let next = match self.params.transition {
                    Transition::Single => one_step(old, wanted),
                    Transition::Joint => wanted.to_vec(),
                };
                let mut is_up_to_date = true;
                for p in next.iter().filter(|p| !old.contains(p)) {
                    leader.next.entry(*p).or_insert(last.saturating_add(1));
                    is_up_to_date &= *leader.matching.entry(*p).or_insert(0) >= self.commit;
                }
                if next == *old || !is_up_to_date {
                    return;
                }
                match self.params.transition {
                    Transition::Single => Configuration::Members(next),
                    Transition::Joint => Configuration::Joint { old: old.clone(), new: next },
                }
            }
        };
        let entry = Entry { term: self.term, content: Content::Configuration(next) };
        self.store(last.saturating_add(1), entry, cx);
        self.send_entries(Sending::ToAll, cx);
        self.advance_commit(cx);
    }

    /// Leaders: once its configuration is committed, whoever is no part of it hears no more; a
    /// leader that is none follows.
    pub(super) fn leave_out(&mut self, cx: &mut Context) {
        let Role::Leader(leader) = &mut self.role else { return };
        let (at, latest) = (self.configured_at, &self.configuration);
        if at == 0 || at > self.commit || matches!(latest, Configuration::Joint { .. }) {
            return;
        }
        cx.reach("its members changed");
        leader.next.retain(|p, _| latest.has(*p));
        leader.matching.retain(|p, _| latest.has(*p));
        if !latest.has(cx.me()) {
            self.follow(None, cx);
        }
    }
}

/// The configuration before any entry says another.
pub(super) fn first(params: &Params, servers: &ProcessSet) -> Configuration {
    Configuration::Members(match params.members.is_empty() {
        true => servers.iter().collect(),
        false => params.members.clone(),
    })
}

/// The members that the operator has asked for last.
fn due(changes: &[Change], now: Instant) -> Option<&[ProcessId]> {
    let due = changes.iter().filter(|change| now >= Instant::ZERO + change.at);
    due.last().map(|change| change.members.as_slice())
}

/// The members after one of them has come or gone, on the way to those that are wanted: first come
/// those that are missing, then those go that are too many.
fn one_step(members: &[ProcessId], wanted: &[ProcessId]) -> Vec<ProcessId> {
    let mut next = members.to_vec();
    if let Some(comes) = wanted.iter().find(|p| !members.contains(p)) {
        next.push(*comes);
    } else if let Some(goes) = members.iter().position(|p| !wanted.contains(p)) {
        next.remove(goes);
    }
    next
}

/// Checks `members` and `changes`.
pub(super) fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
    let changed = params.changes.iter().map(|change| ("changes", &change.members));
    for (key, members) in [("members", &params.members)].into_iter().chain(changed) {
        let mut distinct = ProcessSet::new();
        for p in members {
            if !setting.has_role(*p, SERVER) {
                return Err(Invalid::new(key, format!("{p} is no server")));
            }
            if !distinct.insert(*p) {
                return Err(Invalid::new(key, format!("{p} is a member once")));
            }
        }
        if members.is_empty() && key == "changes" {
            return Err(Invalid::new(key, "there must be a server"));
        }
    }
    Ok(())
}

/// The number of faulty servers that every configuration tolerates, if there are several.
pub(super) fn tolerated(params: &Params, setting: &Setting) -> Option<u32> {
    if params.members.is_empty() && params.changes.is_empty() {
        return None;
    }
    let servers: ProcessSet = setting.role(SERVER).collect();
    let first = first(params, &servers);
    let first = servers.iter().filter(|p| first.has(*p)).count();
    let sizes = params.changes.iter().map(|change| change.members.len()).chain([first]);
    let tolerated = sizes.min().unwrap_or(0).saturating_sub(1) / 2;
    Some(u32::try_from(tolerated).unwrap_or(u32::MAX))
}
