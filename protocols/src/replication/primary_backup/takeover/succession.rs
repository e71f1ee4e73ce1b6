//! Succession: the state with which the successor begins its view.
//!
//! With `succession = "rank"` the next server in rank begins at once with its own state, which is
//! right if the primary waits for all backups. With `most-advanced`, and always with `quorum`, it
//! first asks the others: it sends PREPARE, collects a PROMISE with the log of each, and begins
//! with the most advanced. That is the log of the highest view and, among those, the longest: a
//! view begins with a log that holds everything replied to, and grows.

use std::collections::BTreeMap;

use ftsim_core::{Instant, ProcessId};

use crate::replication::primary_backup::mutants::FORGET_REPLIES;
use crate::replication::primary_backup::params::{Succession, Takeover};
use crate::replication::primary_backup::server::{Phase, Promise, Server};
use crate::replication::primary_backup::{Context, Msg, Timer, View};
use crate::spec::service::CLIENT;

impl Server {
    /// Stands for this view, its own.
    pub(super) fn stand(&mut self, view: View, cx: &mut Context) {
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

    fn ask_for_promises(&self, cx: &mut Context) {
        let (view, sent) = (self.view, cx.now());
        cx.send_to(self.backups(), Msg::Prepare { view, sent });
        cx.set_timer(self.delay_bound.times(2), Timer::PromisesDue);
    }

    pub(crate) fn on_promises_due(&mut self, cx: &mut Context) {
        if !matches!(self.phase, Phase::Standing { .. }) {
            return;
        }
        match self.params.takeover {
            // Every server that is up has promised by now.
            Takeover::Timeout => self.give_up_unpromised(cx),
            // Messages may be late, and an old promise gives no lease.
            Takeover::Quorum => self.ask_for_promises(cx),
            Takeover::Perfect | Takeover::Operator | Takeover::Never => {}
        }
    }

    pub(crate) fn on_prepare(
        &mut self,
        from: ProcessId,
        view: View,
        sent: Instant,
        cx: &mut Context,
    ) {
        if view > self.view && self.is_loyal(cx) {
            cx.reach("loyal to the primary");
            return;
        }
        if !self.follows(from, view, cx) || self.log_view >= view {
            return;
        }
        self.pledge_loyalty(cx);
        self.listen(cx);
        let log = self.state.log().to_vec();
        cx.send(from, Msg::Promise { view, sent, log_view: self.log_view, log });
    }

    pub(crate) fn on_promise(
        &mut self,
        from: ProcessId,
        view: View,
        sent: Instant,
        promise: Promise,
        cx: &mut Context,
    ) {
        if !self.servers.contains(&from) || view != self.view {
            return;
        }
        match &mut self.phase {
            Phase::Standing { promises } => {
                promises.insert(from, promise);
                self.hear(from, sent, cx);
                self.lead_if_promised(cx);
            }
            // A late promise binds its sender for as long as an echo does.
            Phase::Primary => {
                self.hear(from, sent, cx);
                self.renew_lease(cx);
            }
            Phase::Backup => {}
        }
    }

    pub(super) fn lead_if_promised(&mut self, cx: &mut Context) {
        let Phase::Standing { promises } = &self.phase else { return };
        let enough = match self.params.takeover {
            Takeover::Quorum => self.holds_lease(cx),
            _ => !self.asks_first() || self.backups().iter().all(|p| promises.contains_key(p)),
        };
        let best = promises.values().max_by_key(|promise| (promise.log_view, promise.log.len()));
        if let Some(best) = best.filter(|_| enough).cloned() {
            self.lead(best, cx);
        }
    }

    /// Begins its view: adopts the most advanced log, sends it to the others, and announces itself
    /// to the clients.
    fn lead(&mut self, Promise { log, .. }: Promise, cx: &mut Context) {
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
}
