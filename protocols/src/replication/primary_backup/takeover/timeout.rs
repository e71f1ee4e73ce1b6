//! Takeover with `takeover = "timeout"`: a server is given up when nothing came from it for longer
//! than τ + δ.
//!
//! Source: Budhiraja, Marzullo, Schneider and Toueg (1993).
//!
//! Steps: every server, primary or not, sends a sign of life (HEARTBEAT or ALIVE) to the servers
//! behind it in rank at the start and then every τ: as a backup, as a successor that still asks
//! others, and as primary. Rank is the order of ids. Server k gives up server j when nothing came
//! from j for `timeout` >= τ + δ, and takes over once it has given up all servers before it in
//! rank.
//!
//! Why it works, after any number of crashes: while j is up, two of its signs of life reach k at
//! most τ + δ apart (a message that arrives at the very instant at which a timer expires comes
//! first), so k gives up j only after j has crashed. Hence if k is primary, all servers before it
//! have crashed, and no server behind it gives it up while it is up: there is never a second
//! primary. The argument needs no order among takeovers and no knowledge of who heard from whom, so
//! neither the number of crashes matters nor the messages that a crash in mid-broadcast lets
//! through.
//!
//! The last sign of life of j arrives δ after its crash at the latest. So k knows of each crash
//! before it after δ + `timeout` (τ + 2δ at least), and takes over that long after the last of
//! them, however many there were. The price is a sign of life for each pair of servers every τ,
//! rather than one for each backup. With heartbeats of the primary alone, k would have to wait for
//! the first heartbeat of each possible successor in turn. Since a successor's first heartbeat can
//! reach one server and not another before it crashes, that wait depends on who follows whom, and
//! grows by more than τ + 2δ with each rank. (The simple protocol of Budhiraja et al. has two
//! servers, for which both schemes are the same.)

use ftsim_core::{Duration, Invalid, ProcessId};

use crate::replication::primary_backup::params::{Params, Succession, Takeover};
use crate::replication::primary_backup::server::{Phase, Server};
use crate::replication::primary_backup::{Context, Msg, Timer, View};
use crate::spec::primary_backup::Fact;
use crate::spec::service::Indication;

impl Server {
    fn relies_on_time(&self) -> bool {
        self.params.takeover == Takeover::Timeout
    }

    /// Expects signs of life from all servers before it in rank.
    pub(crate) fn watch_predecessors(&self, cx: &mut Context) {
        let me = self.me;
        for p in self.others().filter(|p| *p < me) {
            self.await_sign_of_life(p, cx);
        }
    }

    /// Gives `p` up unless it shows within `timeout` from now that it is alive.
    pub(crate) fn await_sign_of_life(&self, p: ProcessId, cx: &mut Context) {
        if self.relies_on_time() && p < self.me && !self.suspected.contains(p) {
            cx.set_timer(self.params.timeout, Timer::SilenceOf(p));
        }
    }

    /// Shows the servers behind it in rank that it is alive. A primary does so by its heartbeats.
    pub(crate) fn show_life(&self, cx: &mut Context) {
        let successors = self.others().filter(|p| *p > self.me);
        if self.relies_on_time() && successors.clone().next().is_some() {
            cx.send_to(successors, Msg::Alive);
            cx.set_timer(self.params.heartbeat, Timer::Heartbeat);
        }
    }

    /// Expects that every backup that is up acknowledges the log within 2δ.
    pub(crate) fn expect_acks(&self, cx: &mut Context) {
        if self.relies_on_time() {
            let (view, length) = (self.view, self.state.length());
            cx.set_timer(self.delay_bound.times(2), Timer::AckDue { view, length });
        }
    }

    pub(crate) fn on_ack_due(&mut self, view: View, length: u64, cx: &mut Context) {
        if self.is_primary() && view == self.view {
            for backup in self.backups() {
                if self.lags(backup, length) {
                    cx.reach("a backup is given up");
                    self.suspect(backup, cx);
                }
            }
        }
    }

    /// As a successor, gives up the servers whose promises are late.
    pub(super) fn give_up_unpromised(&mut self, cx: &mut Context) {
        let Phase::Standing { promises } = &self.phase else { return };
        let promised: Vec<_> = promises.keys().copied().collect();
        for late in self.backups().into_iter().filter(|p| !promised.contains(p)) {
            self.suspect(late, cx);
        }
    }

    /// Announces the bound on outages that the service promises: one for each server but one.
    ///
    /// The outage of a crash begins with the earliest request whose reply can be lost in the crash,
    /// and ends when the clients hear of the successor: the last sign of life takes δ, `timeout`
    /// passes, and the announcement takes δ.
    pub(crate) fn promise_outages(&self, cx: &mut Context) {
        if !self.relies_on_time() {
            return;
        }
        let delay = self.delay_bound;
        let mut longest = self.params.reply_max(delay) + delay + self.params.timeout + delay;
        if self.params.succession == Succession::MostAdvanced {
            longest = longest + delay.times(2);
        }
        let outages = u32::try_from(self.servers.len() - 1).unwrap_or(u32::MAX);
        cx.indicate(Indication::Fact(Fact::Promises { outages, longest }));
    }
}

impl Params {
    /// Refuses timeouts with which a server that is up would be given up, or a request would be
    /// lost without a crash.
    pub(crate) fn validate_timeouts(&self, delay_bound: Duration) -> Result<(), Invalid> {
        let least = self.heartbeat + delay_bound;
        if self.timeout < least {
            let why = format!(
                "a server that is up can be silent for {least} (τ + δ): a shorter timeout gives it \
                 up; the least is {least}"
            );
            return Err(Invalid::new("timeout", why));
        }
        let least = self.reply_max(delay_bound);
        if self.retry < least {
            let why = format!(
                "a reply can take {least} without any fault, and a client that does not wait for \
                 it counts as an outage; the least is {least}"
            );
            return Err(Invalid::new("retry", why));
        }
        Ok(())
    }
}
