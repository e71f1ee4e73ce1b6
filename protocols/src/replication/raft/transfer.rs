//! Transfer of leadership (Ongaro 2014, section 3.10): an operator asks the leader to hand over to
//! another server, before maintenance, say, or because that one is nearer to the clients.
//!
//! The leader takes no more requests, brings the log of the other up to date, and has it begin an
//! election at once, which it wins unless it crashes: nobody else's timeout has run out. If it does
//! not lead within an election timeout, the leader goes on as before.

use ftsim_core::prelude::*;

use super::{Context, Msg, Params, Role, Server};
use crate::spec::replicated_log::Term;
use crate::spec::service::SERVER;

/// A server that an operator wants to lead.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// When, by the clock of the leader.
    pub at: Duration,
    /// The server that takes over.
    pub to: ProcessId,
}

/// What a leader that hands over knows.
#[derive(Clone, Debug, Hash)]
pub(super) struct HandingOver {
    /// To whom.
    pub(super) to: ProcessId,
    /// When it goes on as before.
    until: Instant,
    /// Whether the other knows.
    is_told: bool,
}

/// Leaders.
impl Server {
    /// Begins what the operator has asked for since it last looked, or gives up after a while.
    pub(super) fn look_for_transfer(&mut self, cx: &mut Context) {
        let Role::Leader(leader) = &mut self.role else { return };
        let (before, now) = (leader.looked, cx.now());
        leader.looked = now;
        leader.transfer.take_if(|transfer| now >= transfer.until);
        let is_new = |at: Duration| before < Instant::ZERO + at && Instant::ZERO + at <= now;
        let asked = self.params.transfers.iter().rfind(|transfer| is_new(transfer.at));
        if let Some(Transfer { to, .. }) = asked
            && *to != cx.me()
            && self.configuration.has(*to)
        {
            let until = now + self.params.election_timeout.max;
            leader.transfer = Some(HandingOver { to: *to, until, is_told: false });
        }
        self.hand_over(cx);
    }

    /// Has the other begin an election once its log is up to date.
    pub(super) fn hand_over(&mut self, cx: &mut Context) {
        let (term, last) = (self.term, self.last().index);
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(transfer) = &mut leader.transfer else { return };
        if !transfer.is_told && leader.matching.get(&transfer.to) == Some(&last) {
            transfer.is_told = true;
            let to = transfer.to;
            self.sync(cx);
            cx.send(to, Msg::TimeoutNow { term });
        }
    }
}

/// Followers.
impl Server {
    /// Begins an election, as if its timeout had run out.
    pub(super) fn on_timeout_now(&mut self, term: Term, cx: &mut Context) {
        if term == self.term && matches!(self.role, Role::Follower) {
            cx.reach("the leadership was transferred");
            self.stand(cx);
        }
    }
}

/// Checks `transfers`.
pub(super) fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
    match params.transfers.iter().find(|transfer| !setting.has_role(transfer.to, SERVER)) {
        Some(Transfer { to, .. }) => Err(Invalid::new("transfers", format!("{to} is no server"))),
        None => Ok(()),
    }
}
