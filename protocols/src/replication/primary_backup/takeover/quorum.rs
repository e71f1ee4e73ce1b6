//! Takeover with `takeover = "quorum"`: a majority of the servers promises to follow another.
//!
//! Source: Oki and Liskov (1988), *Viewstamped replication*; the leases after Gray and Cheriton
//! (1989).
//!
//! Steps: a server that has heard no heartbeat for `timeout` stands for its next view: it sends
//! PREPARE, and a server that is not loyal to another primary enters the view and answers PROMISE
//! with its log. The successor leads once a majority, itself included, has promised. A backup
//! answers each heartbeat with ECHO. Echoes and promises give the primary its lease.
//!
//! Why it works: no server needs to be down, so f < n/2, and delays do not matter. The primary
//! answers nothing before a majority has it, and a new view begins with the most advanced state of
//! a majority; the two majorities share a server.
//!
//! To exclude a second primary, even an idle one, takes a lease. A server that has heard a
//! heartbeat, or has promised, promises nothing to others for `timeout`. A primary resigns when no
//! majority has answered anything that it sent within the last `timeout`. Leases are half open: at
//! the very instant at which one ends, its holder is no longer primary, and another may be. This
//! needs no bound on delays, only clocks that run at the same rate.
//!
//! Once δ holds, a primary keeps its lease if `timeout` is longer than both
//!
//! - τ + 2δ: the echo of a heartbeat returns 2δ after the heartbeat was sent, and the next one is
//!   sent τ later. A lease of exactly τ + 2δ is over at the instant at which the echo arrives;
//! - 4δ: the first lease counts from a PREPARE, which is repeated every 2δ. Let the last PREPARE
//!   before the new primary begins be sent at a. It begins by a + 2δ, and the echoes of its
//!   first heartbeat return by a + 4δ. By a + 2δ the majority has answered that PREPARE too (late
//!   promises count), and until then it has the answers to the PREPARE before, which are good for
//!   longer than 4δ from its sending, that is, until after a + 2δ.
//!
//! Servers stand in turn, `timeout` + δ apart. A server that stands for a lower view gives way to a
//! higher view, and the one that stands for the highest view gets the promise of each server whose
//! loyalty to another has expired.

use ftsim_core::{Duration, Instant, Invalid, ProcessId};

use crate::replication::primary_backup::params::{AckWait, Params, Takeover};
use crate::replication::primary_backup::server::{Phase, Server};
use crate::replication::primary_backup::{Context, Msg, Timer, View};
use crate::spec::primary_backup::Fact;
use crate::spec::service::Indication;

impl Server {
    fn asks_a_majority(&self) -> bool {
        self.params.takeover == Takeover::Quorum
    }

    // Loyalty.

    /// Waits for the next heartbeat of the primary.
    ///
    /// Servers whose turn comes later wait longer, so that they do not stand against each other:
    /// the last heartbeat may have reached one server τ + δ later than another, and a standing
    /// server is heard δ later.
    pub(crate) fn listen(&self, cx: &mut Context) {
        if self.asks_a_majority() {
            let turn = self.own_view_after(self.view) - self.view;
            let until_next_turn = self.params.timeout + self.delay_bound;
            cx.set_timer(self.params.timeout + until_next_turn.times(turn - 1), Timer::Silence);
        }
    }

    pub(crate) fn on_silence(&mut self, cx: &mut Context) {
        if matches!(self.phase, Phase::Backup) {
            self.stand(self.own_view_after(self.view), cx);
        }
    }

    /// Promises nothing to other servers for `timeout` from now.
    pub(crate) fn pledge_loyalty(&mut self, cx: &Context) {
        self.loyal_until = cx.now() + self.params.timeout;
    }

    /// Whether it must not promise to follow another server.
    pub(super) fn is_loyal(&self, cx: &Context) -> bool {
        self.asks_a_majority() && (self.is_primary() || cx.now() < self.loyal_until)
    }

    pub(crate) fn echo(&mut self, primary: ProcessId, view: View, sent: Instant, cx: &mut Context) {
        if self.asks_a_majority() {
            self.pledge_loyalty(cx);
            cx.send(primary, Msg::Echo { view, sent });
        }
    }

    // The lease.

    pub(crate) fn on_echo(&mut self, from: ProcessId, view: View, sent: Instant, cx: &mut Context) {
        if self.is_primary() && view == self.view && self.servers.contains(&from) {
            self.hear(from, sent, cx);
            self.renew_lease(cx);
        }
    }

    /// Notes that a server has answered a message sent to it at `sent`.
    pub(super) fn hear(&mut self, from: ProcessId, sent: Instant, cx: &Context) {
        let sent = sent.min(cx.now());
        let heard = self.heard.entry(from).or_insert(sent);
        *heard = sent.max(*heard);
    }

    /// The time until which no other server can be primary: `timeout` after the sending of what a
    /// majority, itself included, has answered.
    fn lease(&self) -> Instant {
        let answered = self.majority_with_me(self.heard.values().copied().collect());
        answered.map_or(Instant::ZERO, |sent| sent + self.params.timeout)
    }

    fn needs_lease(&self) -> bool {
        self.asks_a_majority() && self.servers.len() > 1
    }

    pub(super) fn holds_lease(&self, cx: &Context) -> bool {
        !self.needs_lease() || self.lease() > cx.now()
    }

    pub(super) fn renew_lease(&self, cx: &mut Context) {
        if self.needs_lease() {
            let rest = self.lease().since(cx.now());
            cx.indicate(Indication::Fact(Fact::HoldsLease(rest)));
            cx.set_timer(rest, Timer::Lease);
        }
    }

    /// Resigns if its lease is over: others may have promised a higher view to each other. A server
    /// checks this before every step, since it may have hung when its timer expired.
    pub(crate) fn check_lease(&mut self, cx: &mut Context) {
        if self.is_primary() && !self.holds_lease(cx) {
            cx.reach("a primary resigns");
            self.step_down(cx);
            self.listen(cx);
        }
    }

    /// The greatest value that a majority has reached, given the values of the others, if this
    /// server's own is at least as great.
    pub(crate) fn majority_with_me<T: Ord + Copy>(&self, mut at_others: Vec<T>) -> Option<T> {
        at_others.sort_unstable_by(|a, b| b.cmp(a));
        let needed = self.servers.len() / 2;
        at_others.get(needed.checked_sub(1)?).copied()
    }
}

impl Params {
    /// Refuses parameters with which a successor could miss an acknowledged update, or a primary
    /// could lose its lease without a fault.
    pub(crate) fn validate_leases(&self, delay_bound: Duration) -> Result<(), Invalid> {
        if self.ack_wait != AckWait::Majority {
            let why =
                "takeover = \"quorum\" finds what a majority has: ack_wait must be \"majority\"";
            return Err(Invalid::new("ack_wait", why));
        }
        let (between, first) = (self.heartbeat + delay_bound.times(2), delay_bound.times(4));
        let (bound, name, what) = if first > between {
            (first, "4δ", "a promise and the first echo of a heartbeat")
        } else {
            (between, "τ + 2δ", "the echoes of two heartbeats")
        };
        if self.timeout > bound {
            return Ok(());
        }
        let least = bound + Duration::from_nanos(1);
        let why = format!(
            "a lease must be longer than {bound} ({name}), the time that {what} can take together: \
             a shorter one is over before it is renewed; the least is {least}"
        );
        Err(Invalid::new("timeout", why))
    }
}
