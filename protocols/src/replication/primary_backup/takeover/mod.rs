//! Takeover: views, and the moves of a server between them.
//!
//! Views are numbered, and the primary of view v is server v mod n. The server that is to follow
//! enters a higher view, sends its whole log to the others, and announces itself to the clients,
//! which send their unanswered requests again. A server that learns of a higher view leaves its
//! own.
//!
//! Two parameters determine the takeover. `takeover` says when a server is given up:
//!
//! - `timeout`: when nothing came from it for too long, which is right only if δ is a real bound;
//! - `perfect`, `operator`: when a perfect detector, or a human, reports its crash (`reported`);
//! - `quorum`: when a majority promises to follow another server;
//! - `never`.
//!
//! `succession` says which state the successor begins with: its own, or the most advanced one.

mod quorum;
mod reported;
mod succession;
mod timeout;

use ftsim_core::ProcessId;

use super::mutants::TWO_SUCCESSORS;
use super::server::{Phase, Server};
use super::{Context, Timer, View};
use crate::spec::primary_backup::Fact;
use crate::spec::service::Indication;

/// The highest view. No run reaches it: from a view without a successor there is no takeover.
const VIEW_MAX: View = 1 << 48;

impl Server {
    /// Gives a server up, permanently. Never called with `quorum`.
    pub(super) fn suspect(&mut self, p: ProcessId, cx: &mut Context) {
        if p == self.me || !self.servers.contains(&p) || !self.suspected.insert(p) {
            return;
        }
        match &self.phase {
            Phase::Primary => self.reply(cx),
            Phase::Standing { .. } => self.lead_if_promised(cx),
            Phase::Backup => {
                let next = self.next_view();
                if self.primary_of(next) == self.me {
                    self.stand(next, cx);
                } else if cx.runs(&TWO_SUCCESSORS) && self.primary_of(self.view) == p {
                    self.stand(self.own_view_after(self.view), cx);
                }
            }
        }
    }

    /// The first view, from the present one on, whose primary this server has not given up.
    fn next_view(&self) -> View {
        let count = self.servers.len() as u64;
        let views = self.view..self.view + count;
        let given_up = |view: &View| self.suspected.contains(self.primary_of(*view));
        views.into_iter().find(|view| !given_up(view)).unwrap_or(self.view)
    }

    /// The first view after this one whose primary is this server.
    fn own_view_after(&self, view: View) -> View {
        let count = self.servers.len() as u64;
        (view + 1..=view + count).find(|v| self.primary_of(*v) == self.me).unwrap_or(view + count)
    }

    /// Whether a message of this view comes from its primary and is not out of date. If so, enters
    /// the view.
    pub(super) fn follows(&mut self, from: ProcessId, view: View, cx: &mut Context) -> bool {
        let can_be = (self.view..=VIEW_MAX).contains(&view);
        if from != self.primary_of(view) || from == self.me || !can_be {
            return false;
        }
        if view > self.view {
            self.enter(view, cx);
        }
        true
    }

    /// Leaves its view for a higher one, of another primary.
    fn enter(&mut self, view: View, cx: &mut Context) {
        if self.is_primary() {
            cx.reach("a primary is deposed");
            self.step_down(cx);
        }
        self.view = view;
        self.phase = Phase::Backup;
        self.early.clear();
        self.listen(cx);
    }

    fn step_down(&mut self, cx: &mut Context) {
        cx.indicate(Indication::Fact(Fact::ResignsPrimary));
        cx.cancel_timer(Timer::Heartbeat);
        cx.cancel_timer(Timer::Lease);
        self.phase = Phase::Backup;
        self.show_life(cx);
        self.owed.clear();
    }

    pub(super) fn become_primary(&mut self, cx: &mut Context) {
        self.phase = Phase::Primary;
        self.log_view = self.view;
        cx.indicate(Indication::Fact(Fact::BecomesPrimary));
        cx.indicate(Indication::Serves);
        self.length_at_heartbeat = 0;
        self.send_heartbeats(cx);
        self.renew_lease(cx);
    }
}
