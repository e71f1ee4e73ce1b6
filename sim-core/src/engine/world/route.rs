//! The fate of messages in transit, as determined by links, conditions and overrides.

use super::World;
use crate::environment::message_rule::Fate;
use crate::environment::network::{DropReason, NetworkConfig, Route};
use crate::fault::conditions::Tampering;
use crate::id::ProcessId;
use crate::kind::MessageKind;
use crate::outcome::KindIndex;
use crate::time::{Duration, Instant};

impl World {
    /// Decides the fate of a message from `from` to another process `to`, sent now.
    #[inline]
    pub fn route(&mut self, from: ProcessId, to: ProcessId, size: impl FnOnce() -> u64) -> Route {
        if self.conditions.is_empty() && !self.network.is_narrow() {
            let now = self.now;
            let route = self.network.route(from, to, now, Duration::ZERO, &mut self.draws.network);
            if self.links_can_be_late {
                self.note_lateness(route, Duration::ZERO);
            }
            route
        } else {
            let waits = self.waits(from, to, size);
            let route = self.route_under_conditions(from, to, waits);
            self.note_lateness(route, waits);
            route
        }
    }

    /// A message that takes longer than the bound on delays is a performance failure of its link
    /// (Cristian 1991). The time in which a link transmits it, and the messages before it, is no
    /// delay.
    #[cold]
    fn note_lateness(&mut self, route: Route, waits: Duration) {
        if let Route::Arrives(at, _) = route {
            let bound = self.experiment.network.bound + waits;
            self.failure_free &= at.since(self.now) <= bound;
        }
    }

    /// The time until a link with a bandwidth has transmitted the message and those before it.
    fn waits(&mut self, from: ProcessId, to: ProcessId, size: impl FnOnce() -> u64) -> Duration {
        if self.network.is_whole(from, to, self.now) {
            return Duration::ZERO;
        }
        let rates = [self.network.bandwidth(from, to), self.conditions.bandwidth(from, to)];
        let Some(rate) = rates.into_iter().flatten().min() else { return Duration::ZERO };
        self.network.queue((from, to), rate, size(), self.now)
    }

    /// Whether anything changes or replays messages.
    #[inline]
    pub const fn tampers(&self) -> bool {
        self.keeps_sent || self.network.is_garbling() || !self.conditions.is_empty()
    }

    /// The tampering with a message that is sent now.
    pub fn tampering(&mut self, from: ProcessId, to: ProcessId) -> Tampering {
        let garbled = self.network.garbles(from, to, self.now, &mut self.draws.network);
        if self.conditions.is_empty() {
            return Tampering { garbled, replayed: false };
        }
        let tampering = self.conditions.tamper(from, to, &mut self.draws.conditions);
        Tampering { garbled: garbled || tampering.garbled, ..tampering }
    }

    /// Whether single requests are distinguished, as messages are.
    pub fn tells_requests_apart(&self) -> bool {
        !self.request_overrides.is_empty() || self.recording.decisions.is_some()
    }

    /// Whether single messages are distinguished: if there are overrides, or if decisions are
    /// recorded.
    #[inline]
    pub fn minds_messages(&self) -> bool {
        !self.overrides.is_empty() || self.recording.decisions.is_some()
    }

    /// Like [`route`](Self::route), but distinguishes messages.
    #[cold]
    pub fn route_one(
        &mut self,
        rule: &mut Option<usize>,
        link: (ProcessId, ProcessId),
        kind: KindIndex,
        size: impl FnOnce() -> u64,
    ) -> Route {
        let kind = self.statistics.kind(kind);
        let route = self.route_or_override(rule, link, kind, size);
        if let Some(decisions) = &mut self.recording.decisions {
            decisions.take(link, kind, self.now, route);
        }
        route
    }

    /// Counts the message and applies its override, whose index is stored in `rule`. The link draws
    /// anyway, so that other messages are not affected.
    fn route_or_override(
        &mut self,
        rule: &mut Option<usize>,
        (from, to): (ProcessId, ProcessId),
        kind: MessageKind,
        size: impl FnOnce() -> u64,
    ) -> Route {
        let last_arrival = self.network.last_arrival(from, to);
        let failure_free = self.failure_free;
        let route = self.route(from, to, size);
        *rule = self.overrides.next(from, to, kind);
        let Some(index) = *rule else { return route };
        let arrival = match &self.experiment.overrides[index].fate {
            Fate::Drop(reason) => {
                self.failure_free = false;
                let _in_order = self.network.order_anew((from, to), last_arrival);
                return Route::Dropped(*reason);
            }
            Fate::Arrive(arrival) => arrival,
        };
        let arrives = arrival.after.map(|after| self.now + after);
        let copy = arrival.copy_after.map(|after| self.now + after);
        let is_changed = arrival.copy_after.is_some() || arrival.content.is_some();
        if let Some(at) = arrives {
            // The override decides, whether or not the link would have been late.
            self.failure_free = failure_free;
            self.note_lateness(Route::Arrives(at, None), Duration::ZERO);
        }
        self.failure_free &= !is_changed;
        let at = match (arrives, copy, route) {
            (Some(at), ..) => at,
            (None, Some(copy), Route::Dropped(_)) => return Route::Arrives(copy, None),
            (None, Some(copy), Route::Arrives(at, _)) => return Route::Arrives(at, Some(copy)),
            (None, None, route) => return route,
        };
        // Conditions can break the order of a link, and an override must do the same to its
        // message.
        if !self.conditions.is_empty() {
            let _in_order = self.network.order_anew((from, to), last_arrival.max(Some(at)));
            return Route::Arrives(at, copy);
        }
        let mut in_order = self.network.order_anew((from, to), last_arrival);
        Route::Arrives(in_order(at), copy.map(in_order))
    }

    fn route_under_conditions(&mut self, from: ProcessId, to: ProcessId, waits: Duration) -> Route {
        let link_effect = self.conditions.on_send(from, to, &mut self.draws.conditions);
        if let Some(reason) = link_effect.drop {
            return Route::Dropped(reason);
        }
        let now = self.now;
        // As in `Network::route`: a message sent before GST arrives by GST + bound.
        let NetworkConfig { stabilise_at, bound, .. } = self.experiment.network;
        let latest = stabilise_at.filter(|at| now < *at).map_or(Instant::MAX, |at| at + bound);
        let delayed = |at: Instant| {
            let leaves = link_effect.held_until.unwrap_or(now).max(now);
            (leaves + at.since(now).times(link_effect.slower.into()) + link_effect.later_by)
                .min(latest)
        };
        let link = (from, to);
        let mut route = self.network.travel(from, to, now, waits, &mut self.draws.network);
        if link_effect.reorders {
            // Later messages stay behind the arrival that the link alone would have drawn.
            route = self.network.keep_order(link, route);
        }
        let Route::Arrives(first, copy) = route else { return route };
        let copy = copy.map(delayed).or_else(|| link_effect.copies.then(|| delayed(first)));
        let route = Route::Arrives(delayed(first), copy);
        // A message that waits forever holds nothing up.
        let is_lost = delayed(first) == Instant::MAX;
        if link_effect.reorders || is_lost { route } else { self.network.keep_order(link, route) }
    }

    /// The reason why an arriving message is lost, if it is.
    #[inline]
    pub fn lost_on_arrival(&mut self, from: ProcessId, to: ProcessId) -> Option<DropReason> {
        if self.conditions.is_empty() || from == to {
            return None;
        }
        self.conditions.on_arrival(from, to, &mut self.draws.conditions)
    }

    /// The reason why messages between correct processes need not arrive, if there is one.
    pub fn excuse(&self, correct: &[bool]) -> Option<&'static str> {
        if self.is_unavailable {
            return Some("correctly unavailable: too few processes can be well to make progress");
        }
        let correct = || {
            let ids = (0u32..).zip(correct).filter(|(_, correct)| **correct);
            ids.map(|(p, _)| ProcessId(p))
        };
        if !self.conditions.silence_links() && !self.network.has_dead_links() {
            return None;
        }
        let pairs = correct().flat_map(|p| correct().map(move |q| (p, q))).filter(|(p, q)| p != q);
        let mut excuses = pairs.filter_map(|(p, q)| {
            self.conditions.excuse(p, q).or_else(|| self.network.excuse(p, q, self.now))
        });
        excuses.next()
    }
}
