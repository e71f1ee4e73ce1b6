//! Executes one step: records the event, calls the handler, and notifies properties and clients.

use std::hash::Hash as _;

use serde::Deserialize as _;

use super::Simulation;
use super::host::Input;
use super::lie::overhear;
use crate::engine::event::Class;
use crate::engine::world::{Running, World};
use crate::environment::network::DropReason;
use crate::environment::request_override::RequestOverride;
use crate::id::ProcessId;
use crate::model::effect::{Cx, Env};
use crate::model::process::Request;
use crate::model::property::{EndCause, Observation, Observed, PropertyKind};
use crate::model::protocol::Protocol;
use crate::model::spec::{Ask, Spec};
use crate::outcome::shown::Shown;
use crate::outcome::trace::TraceEvent;
use crate::time::Duration;

impl<P: Protocol> Simulation<P> {
    /// Passes input to a process: it is handled now, or queued, or lost if the process is down.
    ///
    /// Several inputs can reach a process at one instant, one after the other, and it can crash in
    /// the handler of each of them.
    pub(super) fn reach_process(&mut self, p: ProcessId, input: Input<P>) {
        if self.hosts[p.index()].up {
            self.accept(p, input);
        } else {
            self.lose(p, input);
        }
    }

    /// Handles the input of a process that is up, or queues it if the process is paused or blocked.
    #[inline]
    pub(super) fn accept(&mut self, p: ProcessId, input: Input<P>) {
        let host = &mut self.hosts[p.index()];
        if host.is_waiting() {
            host.inbox.push_back(input);
        } else {
            self.handle(p, input);
        }
    }

    /// Drops input for a process that is down.
    #[cold]
    pub(super) fn lose(&mut self, p: ProcessId, input: Input<P>) {
        match input {
            Input::Message(from, id, msg) => {
                self.drop_message(id, from, p, &msg, DropReason::ReceiverDown);
            }
            Input::Request(request) => {
                self.world
                    .record(Some(p), || TraceEvent::RequestLost { request: Shown::of(&request) });
            }
            Input::Start
            | Input::Recover
            | Input::Timer(..)
            | Input::StorageError(_)
            | Input::Suspect(_)
            | Input::Trust(_) => {}
        }
    }

    pub(super) fn empty_inbox(&mut self, p: ProcessId) {
        while let host = &mut self.hosts[p.index()]
            && host.up
            && !host.is_waiting()
            && let Some(input) = host.inbox.pop_front()
        {
            match input {
                Input::Timer(timer, place) if !host.timers.take_waiting(timer, place) => {}
                input => self.handle(p, input),
            }
            if self.is_at_a_bound()
                && let Some(cause) = self.limit_reached()
            {
                self.world.ended.get_or_insert(cause);
                return;
            }
        }
    }

    /// Executes one step: calls the handler, then applies its effects.
    #[inline]
    pub(super) fn handle(&mut self, p: ProcessId, input: Input<P>) {
        self.world.step += 1;
        self.world.beacon.show(self.world.step, p);
        self.world.digest.mix(self.world.now.as_nanos());
        self.take_note(p, &input);
        let me = self.world.identity(p);
        let host = &mut self.hosts[p.index()];
        let mut env = Env {
            me,
            setting: &self.world.experiment.setting,
            now: host.clock.local(self.world.now),
            coin: &mut host.coin,
            teller: &self.world.teller,
        };
        let mut cx = Cx { env: &mut env, effects: &mut self.effects };
        let adversary = host.adversary;
        if let (Some(index), Input::Message(_, _, msg)) = (adversary, &input) {
            overhear::<P>(&mut self.adversaries[index], msg);
        }
        self.world.running = Running::Handler(p);
        match input {
            Input::Start => host.process.on_start(&mut cx),
            Input::Recover => host.process.on_recover(host.log.durable(), &mut cx),
            Input::Request(request) => host.process.on_request(request, &mut cx),
            Input::Message(from, _, msg) => host.process.on_message(from, msg, &mut cx),
            Input::Timer(timer, _) => host.process.on_timer(timer, &mut cx),
            Input::StorageError(error) => host.process.on_storage_error(error, &mut cx),
            Input::Suspect(subject) => host.process.on_suspect(subject, &mut cx),
            Input::Trust(subject) => host.process.on_trust(subject, &mut cx),
        }
        self.world.running = Running::Engine;
        if let Some(index) = adversary {
            self.rewrite(index, p);
        }
        self.effects.reverse();
        self.apply(p);
    }

    /// Records the input in digest, statistics and trace, and passes it to the properties.
    #[inline]
    pub(super) fn take_note(&mut self, p: ProcessId, input: &Input<P>) {
        let World { digest, statistics, .. } = &mut self.world;
        let who = u64::from(p.0) << 16;
        match input {
            Input::Message(from, id, msg) => {
                digest.mix(who | u64::from(from.0) << 40 | 1);
                msg.hash(digest);
                statistics.delivered += u64::from(*from != p);
                if self.checker.over_messages {
                    self.observe_message(p, &Observation::Receive(*id));
                }
                self.world.record(Some(p), || TraceEvent::Deliver {
                    id: *id,
                    from: *from,
                    message: Shown::of(msg),
                });
            }
            Input::Timer(timer, _) => {
                digest.mix(who | 2);
                timer.hash(digest);
                self.world.record(Some(p), || TraceEvent::Timer { timer: Shown::of(timer) });
            }
            Input::Request(request) => {
                digest.mix(who | 3);
                request.hash(digest);
                self.world.record(Some(p), || TraceEvent::Request { request: Shown::of(request) });
                if self.world.identity(p) == p {
                    self.observe(p, &Observation::Request(request));
                }
            }
            Input::Start => {
                digest.mix(who | 4);
                self.world.record(Some(p), || TraceEvent::Start);
            }
            Input::Recover => digest.mix(who | 5),
            Input::StorageError(error) => {
                digest.mix(who | 9 | (*error as u64) << 40);
                self.world.record(Some(p), || TraceEvent::StorageError { error: *error });
            }
            Input::Suspect(subject) => {
                digest.mix(who | u64::from(subject.0) << 40 | 6);
                self.world.record(Some(p), || TraceEvent::Suspect { subject: *subject });
            }
            Input::Trust(subject) => {
                digest.mix(who | u64::from(subject.0) << 40 | 7);
                self.world.record(Some(p), || TraceEvent::Trust { subject: *subject });
            }
        }
    }

    /// Lets the clients send further requests.
    pub(super) fn consult_clients(
        &mut self,
        consult: impl FnOnce(&mut <P::Spec as Spec>::Workload, &mut Ask<'_, P::Spec>),
    ) {
        let now = self.world.now;
        let rng = &mut self.world.draws.workload;
        self.world.running = Running::Clients;
        consult(&mut self.workload, &mut Ask { now, rng, asked: &mut self.asked });
        self.world.running = Running::Engine;
        for (after, p, request) in self.asked.drain(..) {
            if p.index() < self.hosts.len() {
                let (after, request) = match self.world.tells_requests_apart() {
                    true => decided::<P>(&mut self.world, after, p, request),
                    false => (after, request),
                };
                let index = self.requests.insert(request);
                self.world.queue.schedule(now + after, Class::Request, index, p.0);
            }
        }
    }

    #[cold]
    pub(super) fn observe_message(&mut self, p: ProcessId, what: &Observation<'_, P::Spec>) {
        self.observe(self.world.identity(p), what);
    }

    #[inline]
    pub(super) fn observe(&mut self, process: ProcessId, what: &Observation<'_, P::Spec>) {
        let event = Observed { at: self.world.now, process, what: *what };
        let step = self.world.step;
        let world = &mut self.world;
        world.observed += 1;
        self.checker.observe(&event, step, |id, kind, violation| {
            world.record(Some(process), || TraceEvent::Violation {
                property: id.0.to_owned(),
                message: violation.message.clone(),
            });
            if kind == PropertyKind::Safety && world.experiment.limits.stop_at_violation {
                world.ended = Some(EndCause::Violated);
            }
        });
    }
}

/// The content of a request if single requests are distinguished: that of its override, if any.
#[cold]
fn decided<P: Protocol>(
    world: &mut World,
    mut after: Duration,
    process: ProcessId,
    mut request: Request<P>,
) -> (Duration, Request<P>) {
    let (nth, index) = world.request_overrides.next(process);
    if let Some(rule) = index.map(|index| &world.experiment.requests[index]) {
        after = rule.after.unwrap_or(after);
        if let Some(form) = &rule.replace {
            request = Request::<P>::deserialize(form).expect("a request, as `new` has made sure");
        }
    }
    if let Some(decisions) = &mut world.recording.decisions {
        let replace = serde_json::to_value(&request).ok();
        let rule = RequestOverride { process, nth, after: Some(after), replace };
        decisions.requests.push(rule);
    }
    (after, request)
}
