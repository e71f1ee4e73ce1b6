//! The step loop: choosing the next event, and executing it.
//!
//! The two are apart. The timed loop takes the earliest event; whoever wants another order takes
//! another.

mod apply;
mod arrive;
mod carry;
mod handle;
mod heal;
mod host;
mod lie;
mod limit;
mod record;
mod strike;
mod tamper;
mod twins;
mod watch;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::Deserialize as _;
use serde_json::Value;

use crate::adversary::Adversary;
use crate::digest::Digest;
use crate::engine::beacon::Beacon;
use crate::engine::checker::Checker;
use crate::engine::event::{Class, Scheduled};
use crate::engine::panics;
use crate::engine::panics::Raised;
use crate::engine::slab::Slab;
use crate::engine::world::{Notice, Running, World};
use crate::environment::clock::LocalClock;
use crate::environment::mask::Mask;
use crate::environment::message_rule::Content;
use crate::environment::transport::Packet;
use crate::experiment::Experiment;
use crate::fault::random::Profile;
use crate::fault::{Action, Plan, Trigger};
use crate::id::ProcessId;
use crate::model::effect::Effect;
use crate::model::process::{Process, Request};
use crate::model::property::Stall;
use crate::model::property::{End, EndCause, Standing};
use crate::model::protocol::Protocol;
use crate::model::setting::Invalid;
use crate::model::spec::{Spec, Workload};
use crate::model::system_model::Model;
use crate::outcome::decisions::RecordedSchedule;
use crate::outcome::trace::TraceEvent;
use crate::outcome::{Outcome, Panicked};
use crate::rng::{Rng, Stream};
use crate::time::{Duration, Instant};
use host::{Envelope, Host, Input};
use limit::Bounds;

/// A protocol in a world: runs any number of seeds, one after the other.
///
/// The value is `Clone`, and [`state_digest`](Self::state_digest) compares its state, so that a run
/// can be forked at any event.
#[derive(Clone)]
pub struct Simulation<P: Protocol> {
    params: P::Params,
    /// The world that the protocol is correct in with these parameters.
    model: Model,
    clients: Clients<P>,
    checks: Checks<P>,
    world: World,
    hosts: Vec<Host<P>>,
    /// What speaks for Byzantine processes: one for each, or for several that collude.
    adversaries: Vec<Adversary<P::Msg>>,
    messages: Slab<Envelope<P::Msg>>,
    requests: Slab<Request<P>>,
    /// What travels between transports.
    packets: Slab<Packet<P::Msg>>,
    /// The latest messages, where old ones may come again.
    sent: Vec<Envelope<P::Msg>>,
    workload: Clients<P>,
    checker: Checks<P>,
    /// What the handler that runs has asked for; when it has returned, what of that is still to be
    /// applied, the last first.
    effects: Vec<Effect<P>>,
    asked: Vec<(Duration, ProcessId, Request<P>)>,
    /// When the limits are looked at again.
    bounds: Bounds,
}

type Clients<P> = <<P as Process>::Spec as Spec>::Workload;
type Checks<P> = Checker<<P as Process>::Spec>;

impl<P: Protocol> Simulation<P> {
    /// Puts the protocol into the world, ready to run a seed.
    ///
    /// # Errors
    /// When the protocol or its spec refuses a setting; keys begin with `params` or `workload`.
    /// When an override replaces a message by what is none of the protocol's, or a request by what
    /// is none of its problem's; keys begin with `message` or `request`.
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
            adversaries: Vec::new(),
            messages: Slab::default(),
            requests: Slab::default(),
            packets: Slab::default(),
            sent: Vec::new(),
            effects: Vec::new(),
            asked: Vec::new(),
            bounds: Bounds::default(),
        })
    }

    /// Shows on `beacon` what runs do, from now on.
    pub fn show_on(&mut self, beacon: Beacon) {
        self.world.beacon = beacon;
    }

    /// Back to the start, with this seed. No process has started yet.
    pub fn reset(&mut self, seed: u64) {
        self.world.reset(seed);
        self.messages.clear();
        self.requests.clear();
        self.packets.clear();
        self.sent.clear();
        self.effects.clear();
        self.asked.clear();
        self.bounds = self.first_bounds();
        self.workload = self.clients.clone();
        self.checker = self.checks.clone();
        self.hosts.clear();
        self.adversaries.clear();
        let experiment = Arc::clone(&self.world.experiment);
        let setting = &experiment.setting;
        let mut clocks = Rng::new(seed, Stream::Clocks);
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

    /// Runs one seed to its end.
    pub fn run(&mut self, seed: u64) -> Outcome {
        self.draw_faults(seed);
        self.run_plan(seed)
    }

    /// Runs one seed to its end under this plan, instead of the experiment's and the seed's own.
    pub fn run_under(&mut self, seed: u64, plan: Plan) -> Outcome {
        self.decide_plan(seed, Some(plan));
        let outcome = self.run_plan(seed);
        self.forget_plan();
        outcome
    }

    /// The state of every process, as `Debug` shows it, after so many steps of this seed; under
    /// this plan, if there is one. All have started in any case.
    pub fn inspect(&mut self, seed: u64, plan: Option<Plan>, step: u64) -> Vec<String> {
        self.decide_plan(seed, plan);
        // A panic is judged where the run is; here it is only as far as one can look.
        let _panic = panics::catch(|| {
            self.reset(seed);
            self.start();
            while self.world.step < step
                && let Some(event) = self.next_event()
            {
                self.execute(event);
            }
        });
        self.forget_plan();
        self.hosts.iter().map(|host| format!("{:?}", host.process)).collect()
    }

    /// The faults of the next run are those of this plan, or else the experiment's and the seed's.
    fn decide_plan(&mut self, seed: u64, plan: Option<Plan>) {
        match plan {
            None => self.draw_faults(seed),
            Some(plan) => self.world.plan = Arc::new(plan),
        }
    }

    /// The faults of the next run are the experiment's again.
    fn forget_plan(&mut self) {
        self.world.plan = Arc::new(self.world.experiment.plan.clone());
    }

    fn run_plan(&mut self, seed: u64) -> Outcome {
        self.run_plan_with(seed, |_| ())
    }

    /// Runs to the end, and does this after each event.
    fn run_plan_with(&mut self, seed: u64, after_each: impl FnMut(&mut World)) -> Outcome {
        let panic = panics::catch(|| {
            self.reset(seed);
            self.run_to_end(after_each);
        });
        let mut outcome = self.finish(panic.err());
        if outcome.owes_something() {
            let stall = match outcome.cause {
                EndCause::Quiescent => Some(Stall::Deadlock),
                EndCause::Horizon => self.run_again_for_the_stall(seed, outcome.statistics.events),
                EndCause::EventLimit
                | EndCause::MemoryLimit
                | EndCause::Hung
                | EndCause::Violated => None,
            };
            outcome.set_stall(stall);
        }
        outcome
    }

    /// Something was owed when time was up: the same run once more, to say why. A panic would have
    /// come the first time.
    fn run_again_for_the_stall(&mut self, seed: u64, steps: u64) -> Option<Stall> {
        let (tape, decisions) = (self.world.tape.take(), self.world.decisions.take());
        let stall = panics::catch(|| {
            self.reset(seed);
            self.run_watching(steps)
        });
        (self.world.tape, self.world.decisions) = (tape, decisions);
        stall.ok()
    }

    /// Runs one seed to its end under this plan, and tells what became of each message, how long
    /// each notice of the oracle took, and what the clients asked for: as data that makes the same
    /// run. Not of messages that a transport carries.
    pub fn decisions(&mut self, seed: u64, plan: Plan) -> (Outcome, RecordedSchedule) {
        self.world.decisions = Some(RecordedSchedule::default());
        let outcome = self.run_under(seed, plan);
        let mut decisions = self.world.decisions.take().unwrap_or_default();
        decisions.has_drawn_requests = self.world.workload_rng.has_drawn();
        (outcome, decisions)
    }

    /// When each process has its effects in the run of this seed, if no fault strikes.
    pub fn profile(&mut self, seed: u64) -> Profile {
        let n = self.world.experiment.setting.n as usize;
        self.world.profile = Some(Profile { effects: vec![Vec::new(); n] });
        let tape = self.world.tape.take();
        // A panic shows again in the run itself, where it is judged.
        let _panic = panics::catch(|| {
            self.reset(seed);
            self.run_to_end(|_| ());
        });
        self.world.tape = tape;
        self.world.profile.take().unwrap_or_default()
    }

    fn draw_faults(&mut self, seed: u64) {
        let experiment = Arc::clone(&self.world.experiment);
        if experiment.random.is_none() && experiment.choices.is_empty() {
            return;
        }
        let mut plan = experiment.plan.clone();
        for (number, choice) in (0u32..).zip(&experiment.choices) {
            choice.make(&mut plan, number, seed);
        }
        if let Some(random) = &experiment.random {
            plan.faults.extend(random.draw(seed, &self.profile(seed)).faults);
        }
        self.world.plan = Arc::new(plan);
    }

    fn run_to_end(&mut self, mut after_each: impl FnMut(&mut World)) {
        self.start();
        while let Some(event) = self.next_event() {
            self.execute(event);
            after_each(&mut self.world);
        }
    }

    /// Starts every process in the order of their ids, then the clients.
    pub fn start(&mut self) {
        if self.world.ended.is_some() {
            return;
        }
        self.prepare_processes();
        for p in self.world.experiment.setting.processes() {
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
                return;
            }
        }
        self.consult_clients(Workload::on_start);
    }

    /// Who is Byzantine from the very start is so before its first handler, and who is to start
    /// later is not there yet.
    fn prepare_processes(&mut self) {
        if self.world.profile.is_some() {
            return;
        }
        let plan = Arc::clone(&self.world.plan);
        for fault in &plan.faults {
            match &fault.action {
                Action::Corrupt(process, behaviour)
                    if fault.trigger == Trigger::At(Instant::ZERO) =>
                {
                    self.corrupt(*process, behaviour);
                }
                Action::Start(process) if fault.trigger != Trigger::Never => {
                    let host = &mut self.hosts[process.index()];
                    host.up = false;
                    host.absent = true;
                    host.ever_faulty = true;
                    self.world.history.is_absent(*process);
                    self.world.failure_free = false;
                }
                _ => {}
            }
        }
    }

    /// Takes the earliest event, or ends the run: at a limit, or when nothing is left to happen.
    #[inline]
    pub fn next_event(&mut self) -> Option<Scheduled> {
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
            Some(_) => return self.world.queue.pop(),
        };
        self.world.ended = Some(cause);
        None
    }

    /// Executes an event that was taken from the queue.
    pub fn execute(&mut self, event: Scheduled) {
        let (place, subject, detail) = (event.place, event.subject(), event.detail());
        self.world.now = place.at;
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

    /// The state of the whole simulation: equal for two that will behave alike under equal choices.
    pub fn state_digest(&self) -> Digest {
        let mut digest = Digest::EMPTY;
        self.hosts.hash(&mut digest);
        self.adversaries.hash(&mut digest);
        self.workload.hash(&mut digest);
        self.checker.hash(&mut digest);
        self.world.conditions.hash(&mut digest);
        self.world.network_rng.hash(&mut digest);
        self.world.workload_rng.hash(&mut digest);
        // The heap has no canonical order, so what is to come is summed up.
        let mut to_come = 0u64;
        for event in self.world.queue.iter() {
            let mut one = Digest::EMPTY;
            (event.place.at.since(self.world.now), event.place.class()).hash(&mut one);
            match event.place.class() {
                Class::Delivery if event.detail() == carry::PACKET => {
                    self.packets.get(event.subject()).hash(&mut one);
                }
                Class::Delivery => self.messages.get(event.subject()).hash(&mut one),
                Class::Request => self.requests.get(event.subject()).hash(&mut one),
                Class::Fault => self.world.controls.get(event.subject()).hash(&mut one),
                Class::Timer | Class::Detector | Class::Storage => {
                    (event.subject(), event.detail()).hash(&mut one);
                }
            }
            to_come = to_come.wrapping_add(one.value());
        }
        digest.write_u64(to_come);
        digest
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

    /// The masks, by index, whose request was never due.
    fn unused_masks(&self) -> Vec<usize> {
        let is_unused = |mask: &Mask| {
            self.hosts.get(mask.process.index()).is_none_or(|s| s.request_count < mask.request)
        };
        let masks = self.world.experiment.masks.iter().enumerate();
        masks.filter(|(_, mask)| is_unused(mask)).map(|(index, _)| index).collect()
    }

    /// Says whose panic it was: a process's, the clients', or a checker's, which counts as a
    /// violation of its property. The engine's own goes on up.
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

/// Whether this is the JSON of a message of `P`; if not, why not.
pub(crate) fn read_message<P: Protocol>(form: &Value) -> Result<(), String> {
    P::Msg::deserialize(form).map(|_| ()).map_err(|error| error.to_string())
}

/// Whether this is the JSON of a request to the protocol; if not, why not.
pub(crate) fn read_request<P: Protocol>(form: &Value) -> Result<(), String> {
    Request::<P>::deserialize(form).map(|_| ()).map_err(|error| error.to_string())
}
