//! Leader election (section 5.2), with its restriction (section 5.4.1).

use super::mutants::{FIXED_TIMEOUT, NO_LOG_CHECK};
use super::replication::Sending;
use super::{Content, Context, Entry, Leader, LogEnd, Msg, Role, Server, Timer};
use crate::spec::replicated_log::{Fact, Term};
use crate::spec::service::Indication;
use ftsim_core::{Duration, ProcessId, ProcessSet};

impl Server {
    /// Sets the election timeout anew.
    pub(super) fn await_leader(&self, cx: &mut Context) {
        let range = self.params.election_timeout;
        let (min, max) = (range.min.as_nanos(), range.max.as_nanos());
        let timeout = if cx.runs(&FIXED_TIMEOUT) { min } else { cx.rng().between(min, max) };
        cx.set_timer(Duration::from_nanos(timeout), Timer::Election);
    }

    /// Whoever is no member of its configuration waits for a leader to make it one.
    pub(super) fn on_election_timeout(&mut self, cx: &mut Context) {
        self.leader = None;
        if !self.configuration.has(cx.me()) {
            self.await_leader(cx);
        } else if self.params.pre_vote {
            self.ask_before(cx);
        } else {
            self.stand(cx);
        }
    }

    /// Candidates: on conversion to candidate, start election.
    pub(super) fn stand(&mut self, cx: &mut Context) {
        let term = self.term.saturating_add(1);
        self.begin(term, Some(cx.me()), cx);
        self.follow(None, cx);
        self.role = Role::Candidate(ProcessSet::new());
        self.await_leader(cx);
        self.sync(cx);
        let others = self.configuration.others(cx.me());
        cx.send_to(others.iter(), Msg::RequestVote { term, last: self.last() });
        self.on_vote(cx.me(), term, true, cx);
    }

    pub(super) fn on_request_vote(
        &mut self,
        from: ProcessId,
        term: Term,
        last: LogEnd,
        cx: &mut Context,
    ) {
        let is_free = self.voted_for.is_none_or(|candidate| candidate == from);
        let granted = term == self.term && is_free && self.is_up_to_date(last, cx);
        if granted {
            if self.voted_for.is_none() {
                self.begin(term, Some(from), cx);
            }
            self.await_leader(cx);
        }
        self.sync(cx);
        cx.send(from, Msg::Vote { term: self.term, granted });
    }

    /// Whether a log that ends there is at least as up-to-date as its own.
    fn is_up_to_date(&self, last: LogEnd, cx: &Context) -> bool {
        last >= self.last() || cx.runs(&NO_LOG_CHECK)
    }

    /// Candidates: if votes received from a majority of servers, become leader.
    pub(super) fn on_vote(&mut self, from: ProcessId, term: Term, granted: bool, cx: &mut Context) {
        let Role::Candidate(votes) = &mut self.role else { return };
        if term == self.term && granted && self.servers.contains(from) {
            votes.insert(from);
            if self.configuration.is_decided(|p| votes.contains(p), cx) {
                self.lead(cx);
            }
        }
    }

    /// Leaders: upon election, a blank entry (section 8), and heartbeats to all.
    fn lead(&mut self, cx: &mut Context) {
        let next = self.last().index.saturating_add(1);
        let others = self.configuration.others(cx.me());
        let leader = Leader {
            next: others.iter().map(|p| (p, next)).collect(),
            matching: others.iter().map(|p| (p, 0)).collect(),
            blank: next,
            looked: cx.now(),
            ..Leader::default()
        };
        self.role = Role::Leader(leader);
        self.leader = Some(cx.me());
        cx.cancel_timer(Timer::Election);
        cx.indicate(Indication::Fact(Fact::Leads(self.term)));
        self.store(next, Entry { term: self.term, content: Content::Blank }, cx);
        self.send_entries(Sending::ToAll, cx);
        cx.set_timer(self.params.heartbeat, Timer::Heartbeat);
        self.advance_commit(cx);
    }
}

/// Votes before an election, which begin no term (Ongaro 2014, section 9.6).
impl Server {
    fn ask_before(&mut self, cx: &mut Context) {
        self.follow(None, cx);
        self.role = Role::PreCandidate(ProcessSet::new());
        self.await_leader(cx);
        let term = self.term.saturating_add(1);
        let others = self.configuration.others(cx.me());
        cx.send_to(others.iter(), Msg::RequestPreVote { term, last: self.last() });
        self.on_pre_vote(cx.me(), term, true, cx);
    }

    /// Whoever has heard from a leader within the minimum election timeout would not vote.
    pub(super) fn on_request_pre_vote(
        &mut self,
        from: ProcessId,
        term: Term,
        last: LogEnd,
        cx: &mut Context,
    ) {
        let patience = self.params.election_timeout.min;
        let hears = self.heard.is_some_and(|heard| cx.now().since(heard) < patience);
        let leads = matches!(self.role, Role::Leader(_));
        let granted = term > self.term && !hears && !leads && self.is_up_to_date(last, cx);
        let term = if granted { term } else { self.term };
        self.sync(cx);
        cx.send(from, Msg::PreVote { term, granted });
    }

    pub(super) fn on_pre_vote(
        &mut self,
        from: ProcessId,
        term: Term,
        granted: bool,
        cx: &mut Context,
    ) {
        let Role::PreCandidate(votes) = &mut self.role else { return };
        if granted && term == self.term.saturating_add(1) && self.servers.contains(from) {
            votes.insert(from);
            if self.configuration.is_decided(|p| votes.contains(p), cx) {
                self.stand(cx);
            }
        }
    }
}
