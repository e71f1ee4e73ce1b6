//! Applies effects one by one; a crash can land between any two.

use std::hash::Hash as _;

use super::Simulation;
use super::host::{Envelope, Input};
use crate::engine::event::Class;
use crate::environment::network::{DropReason, Route};
use crate::fault::Crash;
use crate::id::{MessageId, ProcessId};
use crate::model::any_message::encoded_size;
use crate::model::data::StorageError;
use crate::model::effect::Effect;
use crate::model::process::Indication;
use crate::model::property::Observation;
use crate::model::protocol::Protocol;
use crate::model::spec::{Spec, Workload};
use crate::outcome::KindIndex;
use crate::outcome::shown::Shown;
use crate::outcome::trace::TraceEvent;
use crate::time::{Duration, Instant};

impl<P: Protocol> Simulation<P> {
    /// Applies the remaining effects, in the order in which they were listed. If the process is
    /// stopped on the way, the list is emptied.
    pub(super) fn apply(&mut self, p: ProcessId) {
        while let Some(effect) = self.effects.pop() {
            let mut sent = None;
            match effect {
                Effect::Send(to, msg) => sent = self.send(p, to, msg),
                Effect::SetTimer(after, timer) => self.set_timer(p, after, timer),
                Effect::Indicate(what) => self.indicate(p, &what),
                Effect::CancelTimer(timer) => self.cancel_timer(p, timer),
                Effect::Append(_) | Effect::Rewrite(_) if self.world.conditions.disk_is_full(p) => {
                    self.disk_failed(p, StorageError::DiskFull);
                    continue;
                }
                Effect::Append(record) => self.append(p, record),
                Effect::Rewrite(records) => self.rewrite_log(p, records),
                Effect::Sync => {
                    self.sync(p);
                    continue;
                }
                Effect::Halt => {
                    self.crash(p, &Crash::default());
                    continue;
                }
                Effect::Reach(label) => {
                    self.world.reach(label);
                    self.world.record(Some(p), || TraceEvent::Reach { label: label.to_owned() });
                    continue;
                }
                Effect::Note(remark) => {
                    self.world.record(Some(p), || TraceEvent::Note { remark });
                    continue;
                }
            }
            self.effect_done(p, sent);
        }
    }

    #[inline(never)]
    fn append(&mut self, p: ProcessId, record: P::Record) {
        self.world.record(Some(p), || TraceEvent::Append { record: Shown::of(&record) });
        self.hosts[p.index()].log.append(record);
    }

    #[inline(never)]
    fn rewrite_log(&mut self, p: ProcessId, records: Vec<P::Record>) {
        self.world.record(Some(p), || TraceEvent::Rewrite { count: records.len() });
        self.hosts[p.index()].log.rewrite(records);
    }

    /// Begins a sync, which completes at once, or later; then the remaining effects wait for it.
    #[inline(never)]
    fn sync(&mut self, p: ProcessId) {
        let latency = self.world.sync_latency(p);
        if latency > Duration::ZERO {
            let host = &mut self.hosts[p.index()];
            host.blocked = true;
            host.behind_sync.append(&mut self.effects);
            let (at, incarnation) = (self.world.now + latency, host.incarnation);
            self.world.queue.schedule(at, Class::Storage, p.0, incarnation);
            self.world.record(Some(p), || TraceEvent::SyncBegins);
        } else if self.world.conditions.sync_fails(p) {
            self.disk_failed(p, StorageError::SyncFailed);
        } else {
            self.sync_now(p);
        }
    }

    /// Notifies the process of a disk error; its remaining effects are lost.
    pub(super) fn disk_failed(&mut self, p: ProcessId, error: StorageError) {
        self.effects.clear();
        self.handle(p, Input::StorageError(error));
    }

    /// Makes the log durable.
    pub(super) fn sync_now(&mut self, p: ProcessId) {
        self.hosts[p.index()].log.sync();
        self.world.statistics.syncs += 1;
        self.world.record(Some(p), || TraceEvent::Synced);
        self.effect_done(p, None);
    }

    /// Counts an effect. A fault that waited for it may crash the process.
    #[inline]
    pub(super) fn effect_done(&mut self, p: ProcessId, sent: Option<KindIndex>) {
        self.hosts[p.index()].effect_count += 1;
        if self.world.has_effect_triggers()
            && let Some(crash) = self.world.effect_done(p, sent)
        {
            self.crash(p, &crash);
        }
    }

    /// Sends a message from the process at `place`. Returns its kind if it is for another process.
    #[inline]
    pub(super) fn send(
        &mut self,
        place: ProcessId,
        to: ProcessId,
        msg: P::Msg,
    ) -> Option<KindIndex> {
        let from = self.world.identity(place);
        let id = self.world.next_message();
        if self.checker.over_messages {
            self.observe_message(from, &Observation::Send(id));
        }
        if from == to {
            let at = self.world.now;
            let index = self.messages.insert(Envelope { id, from, to: place, lost: false, msg });
            self.world.queue.schedule(at, Class::Delivery, index, 0);
            return None;
        }
        // Each peer communicates with only one of two twins.
        let arrives_at = self.world.destination(place, to)?;
        let kind = self.world.statistics.count_sent(&msg);
        if let Some(bytes) = &mut self.world.statistics.bytes {
            *bytes += encoded_size(&msg);
        }
        if to.0 >= self.world.experiment.setting.n {
            self.drop_message(id, from, to, &msg, DropReason::NoSuchProcess);
            return Some(kind);
        }
        if self.has_transport() {
            self.carry(from, to, id, msg);
            return Some(kind);
        }
        let mut rule = None;
        let route = if self.world.minds_messages() {
            self.route_one(&mut rule, place, (from, to), kind, &msg)
        } else {
            self.world.route(from, to, || encoded_size(&msg))
        };
        match route {
            Route::Dropped(reason) => self.drop_message(id, from, to, &msg, reason),
            Route::Arrives(at, copy) => {
                let tampers = self.world.tampers();
                let msg = if tampers { self.tamper(id, from, to, msg) } else { msg };
                let msg = match rule {
                    Some(index) => self.obey(index, id, (from, to), msg),
                    None => msg,
                };
                if let Some(at) = copy {
                    self.world.statistics.duplicated += 1;
                    self.world.failure_free = false;
                    self.schedule_delivery(id, from, arrives_at, msg.clone(), at);
                }
                self.schedule_delivery(id, from, arrives_at, msg, at);
            }
        }
        Some(kind)
    }

    /// Decides the fate of a message if single messages are distinguished.
    #[cold]
    fn route_one(
        &mut self,
        rule: &mut Option<usize>,
        place: ProcessId,
        link: (ProcessId, ProcessId),
        kind: KindIndex,
        msg: &P::Msg,
    ) -> Route {
        let route = self.world.route_one(rule, link, kind, || encoded_size(msg));
        if let Some(decisions) = &mut self.world.recording.decisions
            && self.hosts[place.index()].adversary.is_some()
        {
            decisions.lie(serde_json::to_value(msg).unwrap_or_default());
        }
        route
    }

    #[inline]
    pub(super) fn schedule_delivery(
        &mut self,
        id: MessageId,
        from: ProcessId,
        to: ProcessId,
        msg: P::Msg,
        arrives: Instant,
    ) {
        self.world.record(Some(from), || TraceEvent::Send {
            id,
            to,
            kind: Shown::kind_of(&msg),
            message: Shown::of(&msg),
            arrives,
        });
        let index = self.messages.insert(Envelope { id, from, to, lost: false, msg });
        self.world.schedule_arrival(arrives, (from, to), index, 0);
    }

    #[inline(never)]
    fn cancel_timer(&mut self, p: ProcessId, timer: P::Timer) {
        let host = &mut self.hosts[p.index()];
        host.timers.cancel(timer);
        host.stopped.retain(|(stopped, _)| *stopped != timer);
        self.world.record(Some(p), || TraceEvent::CancelTimer { timer: Shown::of(&timer) });
    }

    pub(super) fn set_timer(&mut self, p: ProcessId, after: Duration, timer: P::Timer) {
        let after = after.times(self.world.slowness(p));
        let host = &mut self.hosts[p.index()];
        if host.clock.is_frozen() {
            host.stopped.retain(|(stopped, _)| *stopped != timer);
            host.stopped.push((timer, after));
            let due = Instant::MAX;
            self.world.record(Some(p), || TraceEvent::SetTimer { timer: Shown::of(&timer), due });
            return;
        }
        let due = self.world.now + host.clock.true_span(after);
        self.set_timer_at(p, due, timer);
        self.world.record(Some(p), || TraceEvent::SetTimer { timer: Shown::of(&timer), due });
    }

    #[inline]
    pub(super) fn set_timer_at(&mut self, p: ProcessId, due: Instant, timer: P::Timer) {
        let place = self.world.queue.place(due, Class::Timer);
        if let Some(index) = self.hosts[p.index()].timers.set(timer, place) {
            self.world.queue.push(place, index, p.0);
        }
    }

    #[inline(never)]
    pub(super) fn indicate(&mut self, p: ProcessId, what: &Indication<P>) {
        self.world.digest.mix(u64::from(p.0) << 16 | 8);
        what.hash(&mut self.world.digest);
        let leads = P::Spec::leads(what);
        self.world.record(Some(p), || TraceEvent::Indicate {
            what: Shown::of(&what),
            phrase: P::Spec::phrase(what),
            leads,
        });
        // Indications of a Byzantine process are ignored.
        if self.hosts[p.index()].adversary.is_some() {
            return;
        }
        match leads {
            Some(true) => self.world.leader = Some(p),
            Some(false) if self.world.leader == Some(p) => self.world.leader = None,
            Some(false) | None => {}
        }
        for name in P::Spec::answers(p, what) {
            self.operation_ends(name, what);
        }
        self.observe(p, &Observation::Indication(what));
        if !P::Spec::is_probe(what) {
            self.world.announced += 1;
            self.consult_clients(|workload, ask| workload.on_indication(p, what, ask));
        }
    }
}
