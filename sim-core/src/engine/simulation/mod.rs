//! The step loop: chooses the next event, and executes it.
//!
//! The two are separate. The timed loop takes the earliest event; other callers may take another
//! one.

mod apply;
mod arrive;
mod carry;
mod fingerprint;
mod handle;
mod heal;
mod host;
mod lie;
mod limit;
mod operate;
mod strike;
mod tamper;
mod twins;

use std::collections::BTreeMap;
use std::hash::Hash as _;
use std::hint::black_box;
use std::sync::Arc;

use serde::Deserialize as _;
use serde_json::Value;

use crate::adversary::Adversary;
use crate::digest::Digest;
use crate::engine::checker::Checker;
use crate::engine::event::{Class, Scheduled};
use crate::engine::panics::Raised;
use crate::engine::slab::Slab;
use crate::engine::stepper::Stepper;
use crate::engine::world::{Notice, Running, World};
use crate::environment::clock::LocalClock;
use crate::environment::mask::Mask;
use crate::environment::message_rule::Content;
use crate::environment::network::DropReason;
use crate::experiment::Experiment;
use crate::fault::{Action, Crash, Trigger};
use crate::id::{MessageId, ProcessId};
use crate::kind::MessageKind;
use crate::model::effect::Effect;
use crate::model::process::{Process, Request};
use crate::model::property::{End, EndCause, Observation, Standing};
use crate::model::protocol::Protocol;
use crate::model::setting::Invalid;
use crate::model::spec::{OperationName, Spec, Workload};
use crate::model::system_model::Model;
use crate::outcome::trace::TraceEvent;
use crate::outcome::{Outcome, Panicked};
use crate::rng::{Rng, Stream};
use crate::time::{Duration, Instant};
use host::{Envelope, Host, Input};
use limit::Bounds;

/// The number of messages under way that caches hold well enough.
const CACHED_COUNT_MAX: usize = 1 << 13;

/// A protocol in an experiment.
#[derive(Clone)]
pub(crate) struct Simulation<P: Protocol> {
    params: P::Params,
    /// The model of the protocol with these parameters.
    model: Model,
    clients: Clients<P>,
    checks: Checks<P>,
    world: World,
    hosts: Vec<Host<P>>,
    /// How many processes have been started; one more once the clients have, too.
    start_count: u32,
    /// The adversaries of Byzantine processes: one for each, or for several that collude.
    adversaries: Vec<Adversary>,
    messages: Slab<Envelope<P::Msg>>,
    requests: Slab<Request<P>>,
    /// The latest messages, if they may be replayed.
    sent: Vec<Envelope<P::Msg>>,
    workload: Clients<P>,
    checker: Checks<P>,
    /// The effects listed by the running handler; after it has returned, those still to be applied,
    /// the last first.
    effects: Vec<Effect<P>>,
    asked: Vec<(Duration, ProcessId, Request<P>)>,
    /// The operations without an answer, if operations are recorded.
    unanswered: BTreeMap<OperationName, Request<P>>,
    /// The bounds at which the limits are checked again.
    bounds: Bounds,
}

type Clients<P> = <<P as Process>::Spec as Spec>::Workload;
type Checks<P> = Checker<<P as Process>::Spec>;

impl<P: Protocol> Simulation<P> {
    /// Like `Runner::new`.
    pub fn new(
        experiment: Experiment,
        params: P::Params,
        workload: &<P::Spec as Spec>::WorkloadSettings,
    ) -> Result<Self, Invalid> {
        let setting = &experiment.setting;
        P::validate(&params, setting).map_err(|e| e.within("params"))?;
        let clients = P::Spec::workload(workload, setting).map_err(|e| e.within("workload"))?;
        for (index, rule) in experiment.overrides.iter().enumerate() {
            if let Some(Content::Replaced(form)) = rule.fate.changed() {
                let key = format!("message[{index}].replace");
                read_message::<P>(form).map_err(|message| Invalid { key, message })?;
            }
        }
        for (index, rule) in experiment.requests.iter().enumerate() {
            if let Some(form) = &rule.replace {
                let key = format!("request[{index}].replace");
                read_request::<P>(form).map_err(|message| Invalid { key, message })?;
            }
        }
        let claims = P::claims(&params, setting);
        let model = P::model(&params, setting);
        let checks = Checker::new(setting, |entry| {
            entry.standing == Standing::Core
                || claims.contains(&entry.id)
                || experiment.check.contains(&entry.id)
        });
        Ok(Self {
            params,
            model,
            workload: clients.clone(),
            clients,
            checker: checks.clone(),
            checks,
            world: World::new(Arc::new(experiment)),
            hosts: Vec::new(),
            start_count: 0,
            adversaries: Vec::new(),
            messages: Slab::default(),
            requests: Slab::default(),
            sent: Vec::new(),
            effects: Vec::new(),
            asked: Vec::new(),
            unanswered: BTreeMap::new(),
            bounds: Bounds::default(),
        })
    }

    /// A process that starts later is absent, and one that is Byzantine from the beginning becomes
    /// so before its first handler.
    fn prepare_processes(&mut self) {
        if self.world.profile.is_some() {
            return;
        }
        let plan = Arc::clone(&self.world.plan);
        for fault in plan.faults.iter().filter(|fault| fault.trigger != Trigger::Never) {
            let Action::Start(process) = fault.action else { continue };
            let host = &mut self.hosts[process.index()];
            host.up = false;
            host.absent = true;
            host.ever_faulty = true;
            self.world.history.is_absent(process);
            self.world.failure_free = false;
            self.observe(process, &Observation::Absent);
        }
        let start = Trigger::At(Instant::ZERO);
        for fault in plan.faults.iter().filter(|fault| fault.trigger == start) {
            if let Action::Corrupt(process, behaviour) = &fault.action {
                self.corrupt(*process, behaviour);
            }
        }
    }

    /// The indices of the masks whose request was never due.
    fn unused_masks(&self) -> Vec<usize> {
        let is_unused = |mask: &Mask| {
            self.hosts.get(mask.process.index()).is_none_or(|s| s.request_count < mask.request)
        };
        let masks = self.world.experiment.masks.iter().enumerate();
        masks.filter(|(_, mask)| is_unused(mask)).map(|(index, _)| index).collect()
    }

    /// Reads what the next events are about, so that the processor waits for memory once rather
    /// than for one event after the other.
    fn fetch_ahead(&mut self) {
        for event in self.world.queue.upcoming() {
            if event.place.class() == Class::Delivery && event.detail() != carry::PACKET {
                let to = self.messages.get(event.subject()).map(|message| message.to);
                black_box(to.map(|to| self.hosts[to.index()].up));
            }
        }
    }

    /// Attributes a panic to a process, to the clients, or to a checker, where it counts as a
    /// violation of its property. A panic of the engine itself propagates.
    fn blame(&mut self, panic: Raised) -> Option<Panicked> {
        let message = panic.text();
        if self.checker.blame(&message, self.world.now, self.world.step) {
            return None;
        }
        let process = match self.world.running {
            Running::Handler(p) => Some(p),
            Running::Clients => None,
            Running::Engine => panic.pass_on(),
        };
        self.world.record(process, || TraceEvent::Panic { message: message.clone() });
        let (step, at, backtrace) = (self.world.step, self.world.now, panic.backtrace);
        Some(Panicked { step, at, process, message, backtrace })
    }
}

impl<P: Protocol> Stepper for Simulation<P> {
    fn world(&self) -> &World {
        &self.world
    }

    fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    fn reset(&mut self, seed: u64) {
        self.world.reset(seed);
        self.messages.clear();
        self.requests.clear();
        self.sent.clear();
        self.effects.clear();
        self.asked.clear();
        self.unanswered.clear();
        self.bounds = self.first_bounds();
        self.workload = self.clients.clone();
        self.checker = self.checks.clone();
        self.hosts.clear();
        self.start_count = 0;
        self.adversaries.clear();
        let experiment = Arc::clone(&self.world.experiment);
        let setting = &experiment.setting;
        let mut clocks = Rng::new(seed, Stream::Clocks);
        let host_bytes = u64::from(setting.n) * size_of::<Host<P>>() as u64;
        if host_bytes <= experiment.limits.byte_count_max {
            self.hosts.reserve_exact(setting.n as usize);
        }
        for me in setting.processes() {
            self.world.running = Running::Handler(me);
            let mut host = Host::new(P::new(&self.params, setting, me));
            self.world.running = Running::Engine;
            host.coin.seed = seed;
            if experiment.clocks != Default::default() {
                host.clock = LocalClock::draw(&experiment.clocks, &mut clocks);
            }
            self.hosts.push(host);
            if self.processes_fill_memory() {
                self.world.ended = Some(EndCause::MemoryLimit);
                return;
            }
        }
    }

    fn start_next(&mut self) -> bool {
        let n = self.world.experiment.setting.n;
        if self.start_count == 0 && self.world.ended.is_none() {
            self.prepare_processes();
        } else if self.start_count == 0 || self.start_count > n {
            return false;
        }
        let p = ProcessId(self.start_count);
        self.start_count += 1;
        if p.0 == n {
            self.consult_clients(Workload::on_start);
            return true;
        }
        if self.hosts[p.index()].up {
            self.handle(p, Input::Start);
            self.reach_second(p, || Input::Start);
        }
        self.world.consult_omega(p);
        if self.hosts[p.index()].up {
            self.begin_to_beat(p);
        }
        if self.is_at_a_bound()
            && let Some(cause) = self.limit_reached()
        {
            self.world.ended = Some(cause);
            self.start_count = n + 1;
        }
        true
    }

    fn draw_anew(&mut self, seed: u64) {
        self.world.draw_anew(seed);
        let (n, hosts) = (self.world.experiment.setting.n, &mut self.hosts);
        for (p, host) in (0u32..).zip(hosts) {
            let stream = if p < n { Stream::Process(p) } else { Stream::Adversary(p) };
            host.coin.rng = Some(Box::new(Rng::new(seed, stream)));
        }
        self.adversaries.iter_mut().for_each(|adversary| adversary.draw_anew(seed));
    }

    #[inline]
    fn next_event(&mut self) -> Option<Scheduled> {
        if self.world.ended.is_some() {
            return None;
        }
        let horizon = self.world.experiment.limits.horizon;
        let cause = match self.world.queue.peek().map(|next| next.place.at) {
            None => EndCause::Quiescent,
            Some(at) if at > horizon => {
                self.world.now = horizon;
                EndCause::Horizon
            }
            Some(_)
                if self.is_at_a_bound()
                    && let Some(cause) = self.limit_reached() =>
            {
                cause
            }
            Some(_) => {
                if self.messages.len() > CACHED_COUNT_MAX {
                    self.fetch_ahead();
                }
                return self.world.queue.pop();
            }
        };
        self.world.ended = Some(cause);
        None
    }

    fn execute(&mut self, event: Scheduled) {
        let (place, subject, detail) = (event.place, event.subject(), event.detail());
        // A postponed event happens now.
        self.world.now = self.world.now.max(place.at);
        match place.class() {
            Class::Delivery if detail == carry::PACKET => self.packet_arrives(subject),
            Class::Delivery => self.deliver(subject),
            Class::Timer => self.timer_due(ProcessId(detail), subject, place),
            Class::Request => self.request(ProcessId(detail), subject),
            Class::Detector => self.notice(ProcessId(subject), &Notice::unpack(detail)),
            Class::Storage => self.synced(ProcessId(subject), detail),
            Class::Fault => self.control(subject),
        }
    }

    fn run_to_end(&mut self) {
        self.start();
        while let Some(event) = self.next_event() {
            self.execute(event);
        }
    }

    fn finish(&mut self, panic: Option<Raised>) -> Outcome {
        let panicked = panic.and_then(|panic| self.blame(panic));
        let cause = self.world.ended.unwrap_or(EndCause::Violated);
        let all = self.world.experiment.setting.processes();
        let correct: Vec<bool> = all.map(|p| self.is_correct_now(p)).collect();
        let at = self.world.now;
        let end = End { at, cause, failure_free: self.world.failure_free, correct: &correct };
        let excuse = match cause {
            EndCause::EventLimit => Some("the event limit came first"),
            EndCause::Hung => Some("it hung: the time limit for one run came first"),
            EndCause::MemoryLimit => Some("the memory limit came first"),
            EndCause::Violated if panicked.is_some() => Some("a panic ended the run"),
            EndCause::Violated => Some("the run stopped at a violation"),
            EndCause::Quiescent | EndCause::Horizon => self.world.excuse(&correct),
        };
        let judged = self.checker.finish(&end, self.world.step, excuse);
        let mut statistics = self.world.statistics.clone();
        statistics.events = self.world.step;
        let n = self.world.experiment.setting.n as usize;
        statistics.effects = self.hosts.iter().take(n).map(|s| s.effect_count).collect();
        statistics.requests = self.hosts.iter().take(n).map(|s| s.request_count).collect();
        let (dependability, latencies) = self.world.dependability(statistics.sent());
        let unfired = self.world.fired.iter().enumerate().filter(|(_, fired)| !**fired);
        Outcome {
            seed: self.world.seed,
            digest: self.world.digest,
            cause,
            at,
            correct,
            judged,
            reached: self.world.reached.clone(),
            plan: Arc::clone(&self.world.plan),
            unfired: unfired.map(|(index, _)| index).collect(),
            unused: self.world.overrides.unused(),
            unused_requests: self.world.request_overrides.unused(),
            unused_masks: self.unused_masks(),
            panicked,
            dependability,
            latencies,
            statistics,
        }
    }

    fn settle_timers(&mut self) {
        let hosts = &mut self.hosts;
        self.world.queue.settle(|event| match event.place.class() {
            Class::Timer => {
                let host = &mut hosts[ProcessId(event.detail()).index()];
                host.timers.settle(event.subject(), event.place)
            }
            _ => Some(event.place),
        });
    }

    fn process_of(&self, event: &Scheduled) -> Option<ProcessId> {
        match event.place.class() {
            Class::Delivery if event.detail() == carry::PACKET => {
                self.world.packets.get(event.subject()).map(|packet| packet.to)
            }
            Class::Delivery => self.messages.get(event.subject()).map(|message| message.to),
            Class::Timer | Class::Request => Some(ProcessId(event.detail())),
            Class::Detector | Class::Storage => Some(ProcessId(event.subject())),
            Class::Fault => None,
        }
    }

    fn states(&self) -> Vec<String> {
        self.hosts.iter().map(|host| format!("{:?}", host.process)).collect()
    }

    fn state(&self, p: ProcessId) -> String {
        format!("{:?}", self.hosts[p.index()].process)
    }

    fn fingerprint(&self) -> Digest {
        self.state_fingerprint()
    }

    fn behaviour(&self) -> Digest {
        self.behaviour_digest()
    }

    fn content(&self, event: &Scheduled) -> Digest {
        self.content_digest(event)
    }

    fn streams(&self) -> Digest {
        let mut digest = Digest::EMPTY;
        for host in &self.hosts {
            host.coin.rng.as_ref().map(|rng| rng.position()).hash(&mut digest);
        }
        let draws = &self.world.draws;
        (draws.workload.position(), draws.storage.position()).hash(&mut digest);
        digest
    }

    fn fork(&self) -> Box<dyn Stepper> {
        Box::new(self.clone())
    }

    fn happen(&mut self, event: Scheduled, now: Instant) {
        let place = event.place.moved_to(now);
        if event.place.class() == Class::Timer {
            let timers = &mut self.hosts[ProcessId(event.detail()).index()].timers;
            timers.bring_forward(event.subject(), event.place, place);
        }
        self.world.now = now;
        self.execute(event.moved_to(place));
    }

    fn settle_timer(&mut self, event: Scheduled) -> Option<Scheduled> {
        let timers = &mut self.hosts[ProcessId(event.detail()).index()].timers;
        timers.settle(event.subject(), event.place).map(|place| event.moved_to(place))
    }

    fn message_of(&self, event: &Scheduled) -> Option<(ProcessId, ProcessId, MessageKind)> {
        if event.place.class() != Class::Delivery || event.detail() == carry::PACKET {
            return None;
        }
        let message = self.messages.get(event.subject())?;
        Some((message.from, message.to, MessageKind::of(&message.msg)))
    }

    fn message_id(&self, event: &Scheduled) -> Option<MessageId> {
        match event.place.class() {
            Class::Delivery if event.detail() != carry::PACKET => {
                self.messages.get(event.subject()).map(|message| message.id)
            }
            _ => None,
        }
    }

    fn state_digest(&self, p: ProcessId) -> Digest {
        let host = &self.hosts[p.index()];
        let mut digest = Digest::EMPTY;
        host.process.hash(&mut digest);
        if host.coin.rng.is_some() {
            digest.mix(self.world.step);
        }
        digest
    }

    fn class_of(&self, p: ProcessId) -> Digest {
        let host = &self.hosts[p.index()];
        let mut digest = Digest::EMPTY;
        (&host.process, host.up).hash(&mut digest);
        digest
    }

    fn lose(&mut self, event: Scheduled) {
        let Envelope { id, from, to, msg, .. } = self.messages.take(event.subject());
        self.world.failure_free = false;
        self.drop_message(id, from, to, &msg, DropReason::Loss);
    }

    fn duplicate(&mut self, event: &Scheduled) {
        let Some(message) = self.messages.get(event.subject()).cloned() else { return };
        self.world.statistics.duplicated += 1;
        self.world.failure_free = false;
        let Envelope { id, from, to, msg, .. } = message;
        self.schedule_delivery(id, from, to, msg, self.world.now);
    }

    fn is_up(&self, p: ProcessId) -> bool {
        self.hosts[p.index()].up
    }

    fn crash_at_rest(&mut self, p: ProcessId, crash: &Crash) {
        self.act(&Action::Crash(p, *crash));
    }

    fn effect_count(&self, p: ProcessId) -> u64 {
        self.hosts[p.index()].effect_count
    }

    fn has_read_clocks(&self) -> bool {
        self.hosts.iter().any(|host| host.coin.has_read_clock.get())
    }

    fn minds_order(&self) -> bool {
        self.checker.minds_order
    }

    fn clients(&self) -> Digest {
        let mut digest = Digest::EMPTY;
        if !Clients::<P>::IS_PER_PROCESS {
            self.workload.hash(&mut digest);
        }
        digest
    }
}

/// Checks whether this is the JSON of a message of `P`; if not, returns the reason.
pub(crate) fn read_message<P: Protocol>(form: &Value) -> Result<(), String> {
    P::Msg::deserialize(form).map(|_| ()).map_err(|error| error.to_string())
}

/// Checks whether this is the JSON of a request to the protocol; if not, returns the reason.
pub(crate) fn read_request<P: Protocol>(form: &Value) -> Result<(), String> {
    Request::<P>::deserialize(form).map(|_| ()).map_err(|error| error.to_string())
}
