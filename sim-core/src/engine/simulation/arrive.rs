//! Dispatches events from the queue: deliveries, timers, requests, notifications, completed syncs.

use super::Simulation;
use super::host::{Envelope, Input};
use crate::engine::event::Place;
use crate::engine::timer::Due;
use crate::engine::world::Notice;
use crate::environment::detector::DetectorKind;
use crate::environment::mask::Mask;
use crate::environment::network::DropReason;
use crate::id::{MessageId, ProcessId};
use crate::model::data::StorageError;
use crate::model::protocol::Protocol;
use crate::model::spec::{Spec, Workload};
use crate::outcome::shown::Shown;
use crate::outcome::trace::TraceEvent;

impl<P: Protocol> Simulation<P> {
    pub(super) fn deliver(&mut self, index: u32) {
        let Envelope { id, from, to, lost, msg } = self.messages.take(index);
        let reason = if !self.hosts[to.index()].up {
            DropReason::ReceiverDown
        } else if lost {
            DropReason::SenderCrashed
        } else if let Some(reason) = self.world.lost_on_arrival(from, self.world.identity(to)) {
            reason
        } else {
            return self.accept(to, Input::Message(from, id, msg));
        };
        self.drop_message(id, from, to, &msg, reason);
    }

    pub(super) fn drop_message(
        &mut self,
        id: MessageId,
        from: ProcessId,
        to: ProcessId,
        msg: &P::Msg,
        reason: DropReason,
    ) {
        if from != to {
            self.world.dropped(reason);
        }
        self.world.record(Some(from), || TraceEvent::Drop {
            id,
            to,
            message: Shown::of(&msg),
            reason,
        });
    }

    pub(super) fn timer_due(&mut self, p: ProcessId, index: u32, place: Place) {
        let host = &mut self.hosts[p.index()];
        match host.timers.due(index, place) {
            Due::Stale => {}
            Due::Later(later) => self.world.queue.push(later, index, p.0),
            Due::Now(timer) if host.is_waiting() => {
                host.timers.wait(timer, place);
                host.inbox.push_back(Input::Timer(timer, place));
            }
            Due::Now(timer) => self.handle(p, Input::Timer(timer, place)),
        }
    }

    pub(super) fn request(&mut self, p: ProcessId, index: u32) {
        let request = self.requests.take(index);
        self.consult_clients(|workload, ask| workload.on_request(p, &request, ask));
        self.hosts[p.index()].request_count += 1;
        let mask = Mask { process: p, request: self.hosts[p.index()].request_count };
        if self.world.experiment.masks.contains(&mask) {
            self.world
                .record(Some(p), || TraceEvent::RequestMasked { request: Shown::of(&request) });
            return;
        }
        if let Some(name) = P::Spec::operation(p, &request)
            && self.hosts[p.index()].adversary.is_none()
        {
            self.operation_begins(p, name, &request);
        }
        let again = (!self.world.twins.is_empty()).then(|| request.clone());
        self.reach_process(p, Input::Request(request));
        if let Some(request) = again {
            self.reach_second(p, || Input::Request(request));
        }
    }

    pub(super) fn notice(&mut self, observer: ProcessId, notice: &Notice) {
        if self.world.experiment.detector.kind == DetectorKind::Omega {
            return self.tell_leader(observer, notice);
        }
        let Notice { subject, suspect, mistake } = *notice;
        let down = !self.hosts[subject.index()].up;
        let known = self.world.suspected.contains(&(observer, subject));
        // A wrong suspicion is always valid; trust is never notified about a process that is down.
        let true_notice = suspect == down || (mistake && suspect);
        if !self.hosts[observer.index()].up || suspect == known || !true_notice {
            return;
        }
        if suspect {
            self.world.suspected.insert((observer, subject));
            self.world.failure_free &= !mistake;
            self.reach_process(observer, Input::Suspect(subject));
            self.reach_second(observer, || Input::Suspect(subject));
        } else {
            self.world.suspected.remove(&(observer, subject));
            self.reach_process(observer, Input::Trust(subject));
            self.reach_second(observer, || Input::Trust(subject));
        }
    }

    /// Notifies a process which leader to trust by Ω: the one named by a mistake, or else the
    /// lowest id that is up now.
    fn tell_leader(&mut self, observer: ProcessId, notice: &Notice) {
        let lowest =
            || self.world.experiment.setting.processes().find(|p| self.hosts[p.index()].up);
        let wrong = notice.mistake && notice.suspect;
        let leader = if wrong { Some(notice.subject) } else { lowest() };
        let Some(leader) = leader.filter(|_| self.hosts[observer.index()].up) else { return };
        if self.world.trusted.insert(observer, leader) != Some(leader) {
            self.world.failure_free &= !wrong;
            self.reach_process(observer, Input::Trust(leader));
            self.reach_second(observer, || Input::Trust(leader));
        }
    }

    pub(super) fn synced(&mut self, p: ProcessId, incarnation: u32) {
        if self.hosts[p.index()].incarnation != incarnation {
            return;
        }
        let host = &mut self.hosts[p.index()];
        host.blocked = false;
        let is_paused = host.paused;
        match (self.world.conditions.sync_fails(p), is_paused) {
            (false, _) => self.sync_now(p),
            (true, false) => {
                host.behind_sync.clear();
                self.disk_failed(p, StorageError::SyncFailed);
            }
            (true, true) => {
                host.behind_sync.clear();
                host.inbox.push_front(Input::StorageError(StorageError::SyncFailed));
            }
        }
        self.go_on(p);
    }

    /// Continues a process: first the effects after a sync, then its inbox. Does nothing while it
    /// is paused or blocked.
    pub(super) fn go_on(&mut self, p: ProcessId) {
        let host = &mut self.hosts[p.index()];
        if !host.is_waiting() {
            self.effects.append(&mut host.behind_sync);
            self.apply(p);
            self.empty_inbox(p);
        }
    }
}
