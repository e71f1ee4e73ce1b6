//! A server between views: who is given up, who follows, and what the successor knows.

use std::collections::BTreeMap;

use ftsim_core::{Cx, Instant, ProcessId};

use super::mutants::{FORGET_REPLIES, TWO_SUCCESSORS};
use super::params::{Succession, Takeover};
use super::server::{Phase, Promise, Server};
use super::{Msg, PrimaryBackup, Timer, View};
use crate::spec::primary_backup::Fact;
use crate::spec::service::{CLIENT, Indication};

/// No run gets beyond it. A view without one after it would be the end of taking over.
const VIEW_MAX: View = 1 << 48;

impl Server {
    // Who is given up.

    pub(super) fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<PrimaryBackup>) {
        if self.params.takeover == Takeover::Perfect {
            self.suspect(p, cx);
        }
    }

    pub(super) fn on_declared_down(&mut self, p: ProcessId, cx: &mut Cx<PrimaryBackup>) {
        if self.params.takeover == Takeover::Operator {
            self.suspect(p, cx);
        }
    }

    /// With `timeout`, a predecessor is given up unless it shows that it is alive within `timeout`
    /// from now.
    pub(super) fn await_sign_of_life(&self, p: ProcessId, cx: &mut Cx<PrimaryBackup>) {
        let counts = self.params.takeover == Takeover::Timeout && p < self.me;
        if counts && !self.suspected.contains(p) {
            cx.set_timer(self.params.timeout, Timer::SilenceOf(p));
        }
    }

    /// With `quorum`, waits for the next heartbeat of the primary. Servers wait for longer, the
    /// later their turn comes, so that they do not stand against each other: the last heartbeat may
    /// have reached one τ + δ later than another, and who stands is heard δ later.
    pub(super) fn listen(&self, cx: &mut Cx<PrimaryBackup>) {
        if self.params.takeover == Takeover::Quorum {
            let turn = self.own_view_after(self.view) - self.view;
            let until_next_turn = self.params.timeout + self.delay_bound;
            cx.set_timer(self.params.timeout + until_next_turn.times(turn - 1), Timer::Silence);
        }
    }

    pub(super) fn on_silence(&mut self, cx: &mut Cx<PrimaryBackup>) {
        if matches!(self.phase, Phase::Backup) {
            self.stand(self.own_view_after(self.view), cx);
        }
    }

    /// Gives a server up, for good. Never with `quorum`.
    pub(super) fn suspect(&mut self, p: ProcessId, cx: &mut Cx<PrimaryBackup>) {
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

    /// The first view from the present one on whose primary it has not given up.
    fn next_view(&self) -> View {
        let count = self.servers.len() as u64;
        let views = self.view..self.view + count;
        let given_up = |view: &View| self.suspected.contains(self.primary_of(*view));
        views.into_iter().find(|view| !given_up(view)).unwrap_or(self.view)
    }

    /// The first view behind this one that is its own.
    fn own_view_after(&self, view: View) -> View {
        let count = self.servers.len() as u64;
        (view + 1..=view + count).find(|v| self.primary_of(*v) == self.me).unwrap_or(view + count)
    }

    // Who follows.

    /// Whether a message of this view comes from its primary, and is to be obeyed. Leaves an
    /// earlier view.
    pub(super) fn follows(
        &mut self,
        from: ProcessId,
        view: View,
        cx: &mut Cx<PrimaryBackup>,
    ) -> bool {
        let can_be = (self.view..=VIEW_MAX).contains(&view);
        if from != self.primary_of(view) || from == self.me || !can_be {
            return false;
        }
        if view > self.view {
            self.enter(view, cx);
        }
        true
    }

    /// Leaves its view for a higher one of another primary.
    fn enter(&mut self, view: View, cx: &mut Cx<PrimaryBackup>) {
        if self.is_primary() {
            cx.reach("a primary is deposed");
            self.step_down(cx);
        }
        self.view = view;
        self.phase = Phase::Backup;
        self.early.clear();
        self.listen(cx);
    }

    fn step_down(&mut self, cx: &mut Cx<PrimaryBackup>) {
        cx.indicate(Indication::Fact(Fact::ResignsPrimary));
        cx.cancel_timer(Timer::Heartbeat);
        cx.cancel_timer(Timer::Lease);
        self.phase = Phase::Backup;
        self.show_life(cx);
        self.owed.clear();
    }

    /// When its lease is over, others may have promised a higher view to each other. It may have
    /// hung when its timer ran out, so it looks before whatever it does.
    pub(super) fn look_at_the_clock(&mut self, cx: &mut Cx<PrimaryBackup>) {
        if self.is_primary() && self.needs_lease() && self.lease() <= cx.now() {
            cx.reach("a primary resigns");
            self.step_down(cx);
            self.listen(cx);
        }
    }

    /// Wants to be primary of this view, its own.
    fn stand(&mut self, view: View, cx: &mut Cx<PrimaryBackup>) {
        let mine = Promise { log_view: self.log_view, log: self.state.log().to_vec() };
        self.view = view;
        self.early.clear();
        self.heard.clear();
        self.phase = Phase::Standing { promises: BTreeMap::from([(self.me, mine)]) };
        cx.cancel_timer(Timer::Silence);
        if self.asks_first() {
            self.ask_for_promises(cx);
        }
        self.lead_if_promised(cx);
    }

    fn asks_first(&self) -> bool {
        self.params.takeover == Takeover::Quorum
            || self.params.succession == Succession::MostAdvanced
    }

    fn ask_for_promises(&self, cx: &mut Cx<PrimaryBackup>) {
        let (view, sent_ns) = (self.view, cx.now().as_nanos());
        cx.send_to(self.backups(), Msg::Prepare { view, sent_ns });
        cx.set_timer(self.delay_bound.times(2), Timer::PromisesDue);
    }

    /// With `timeout`, who lives has promised by now; with `quorum`, messages may be lost, and
    /// promises of long ago give no lease, so it asks again.
    pub(super) fn on_promises_due(&mut self, cx: &mut Cx<PrimaryBackup>) {
        let Phase::Standing { promises } = &self.phase else { return };
        match self.params.takeover {
            Takeover::Quorum => self.ask_for_promises(cx),
            Takeover::Timeout => {
                let promised: Vec<_> = promises.keys().copied().collect();
                for late in self.backups().into_iter().filter(|p| !promised.contains(p)) {
                    self.suspect(late, cx);
                }
            }
            Takeover::Perfect | Takeover::Operator | Takeover::Never => {}
        }
    }

    pub(super) fn on_prepare(
        &mut self,
        from: ProcessId,
        view: View,
        sent_ns: u64,
        cx: &mut Cx<PrimaryBackup>,
    ) {
        let quorum = self.params.takeover == Takeover::Quorum;
        let bound = quorum && (self.is_primary() || cx.now() < self.loyal_until);
        if view > self.view && bound {
            cx.reach("loyal to the primary");
            return;
        }
        if !self.follows(from, view, cx) || self.log_view >= view {
            return;
        }
        self.loyal_until = cx.now() + self.params.timeout;
        self.listen(cx);
        let log = self.state.log().to_vec();
        cx.send(from, Msg::Promise { view, sent_ns, log_view: self.log_view, log });
    }

    // What the successor knows.

    pub(super) fn on_promise(
        &mut self,
        from: ProcessId,
        view: View,
        sent_ns: u64,
        promise: Promise,
        cx: &mut Cx<PrimaryBackup>,
    ) {
        if !self.servers.contains(&from) || view != self.view {
            return;
        }
        match &mut self.phase {
            Phase::Standing { promises } => {
                promises.insert(from, promise);
                self.hear(from, sent_ns, cx);
                self.lead_if_promised(cx);
            }
            // It binds its sender for as long as an echo does.
            Phase::Primary => {
                self.hear(from, sent_ns, cx);
                self.renew_lease(cx);
            }
            Phase::Backup => {}
        }
    }

    fn lead_if_promised(&mut self, cx: &mut Cx<PrimaryBackup>) {
        let Phase::Standing { promises } = &self.phase else { return };
        let enough = match self.params.takeover {
            Takeover::Quorum => !self.needs_lease() || self.lease() > cx.now(),
            _ => !self.asks_first() || self.backups().iter().all(|p| promises.contains_key(p)),
        };
        let best = promises.values().max_by_key(|promise| (promise.log_view, promise.log.len()));
        if let Some(best) = best.filter(|_| enough).cloned() {
            self.lead(best, cx);
        }
    }

    /// Begins its view: takes over the most advanced log, hands it on, and tells the clients.
    fn lead(&mut self, Promise { log, .. }: Promise, cx: &mut Cx<PrimaryBackup>) {
        cx.reach("took over");
        cx.cancel_timer(Timer::PromisesDue);
        self.adopt(log, cx);
        if !self.state.is_sound() {
            cx.reach("a successor in error");
        }
        if cx.runs(&FORGET_REPLIES) {
            self.state.forget_replies();
        }
        self.acked.clear();
        self.owed.clear();
        self.become_primary(cx);
        let (view, log) = (self.view, self.state.log().to_vec());
        cx.send_to(self.backups(), Msg::Log { view, log });
        self.expect_acks(cx);
        cx.send_to(cx.role(CLIENT), Msg::NewPrimary(view));
    }

    pub(super) fn become_primary(&mut self, cx: &mut Cx<PrimaryBackup>) {
        self.phase = Phase::Primary;
        self.log_view = self.view;
        cx.indicate(Indication::Fact(Fact::BecomesPrimary));
        cx.indicate(Indication::Serves);
        self.length_at_heartbeat = 0;
        self.send_heartbeats(cx);
        self.renew_lease(cx);
    }

    // The lease.

    pub(super) fn on_echo(
        &mut self,
        from: ProcessId,
        view: View,
        sent_ns: u64,
        cx: &mut Cx<PrimaryBackup>,
    ) {
        if self.is_primary() && view == self.view && self.servers.contains(&from) {
            self.hear(from, sent_ns, cx);
            self.renew_lease(cx);
        }
    }

    /// A server has answered what was sent to it then.
    fn hear(&mut self, from: ProcessId, sent_ns: u64, cx: &Cx<PrimaryBackup>) {
        let sent = Instant::from_nanos(sent_ns).min(cx.now());
        let heard = self.heard.entry(from).or_insert(sent);
        *heard = sent.max(*heard);
    }

    /// Until when no other can be primary: `timeout` after it sent what a majority, itself
    /// included, answered.
    fn lease(&self) -> Instant {
        let answered = self.majority_with_me(self.heard.values().copied().collect());
        answered.map_or(Instant::ZERO, |sent| sent + self.params.timeout)
    }

    fn needs_lease(&self) -> bool {
        self.params.takeover == Takeover::Quorum && self.servers.len() > 1
    }

    fn renew_lease(&self, cx: &mut Cx<PrimaryBackup>) {
        if self.needs_lease() {
            let rest = self.lease().since(cx.now());
            cx.indicate(Indication::Fact(Fact::HoldsLease(rest)));
            cx.set_timer(rest, Timer::Lease);
        }
    }

    // What the service promises.

    /// One outage for each server but one. The outage of a crash begins with the earliest request
    /// whose reply the crash can take along, and ends when clients hear of the successor: a last
    /// sign of life takes δ, `timeout` passes, and the news takes δ.
    pub(super) fn promised_outages(&self) -> Fact {
        let delay = self.delay_bound;
        let mut longest = self.params.reply_max(delay) + delay + self.params.timeout + delay;
        if self.params.succession == Succession::MostAdvanced {
            longest = longest + delay.times(2);
        }
        let outages = u32::try_from(self.servers.len() - 1).unwrap_or(u32::MAX);
        Fact::Promises { outages, longest }
    }
}
