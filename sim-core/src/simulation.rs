//! The step loop: choosing the next event, and executing it.
//!
//! The two are apart. The timed loop takes the earliest event; whoever wants another order takes another.

use std::any::Any;
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use crate::checker::Checker;
use crate::clock::LocalClock;
use crate::digest::Digest;
use crate::effect::{Coin, Cx, Effect, Env};
use crate::event::{Class, Place, Scheduled};
use crate::experiment::Experiment;
use crate::fault::{Action, InFlight};
use crate::id::{MessageId, ProcessId};
use crate::kind::Kind;
use crate::network::{DropReason, Route};
use crate::outcome::{Outcome, Panicked};
use crate::process::{Indication, Request};
use crate::property::{self, End, EndCause, Observed, Standing, What};
use crate::protocol::{FaultClass, Invalid, Protocol};
use crate::rng::{Rng, Stream};
use crate::slab::Slab;
use crate::spec::{Ask, Spec, Workload};
use crate::storage::Log;
use crate::time::{Duration, Instant};
use crate::timer::{Due, Timers};
use crate::trace::{Happening, Trace};
use crate::world::{Control, Notice, Running, World};

/// A protocol in a world: runs any number of seeds, one after the other.
///
/// The value is `Clone`, and [`state_digest`](Self::state_digest) compares its state, so that a run can be
/// forked at any event.
#[derive(Clone)]
pub struct Simulation<P: Protocol> {
    params: P::Params,
    clients: <P::Spec as Spec>::Workload,
    checks: Checker<P::Spec>,
    world: World,
    slots: Vec<Slot<P>>,
    messages: Slab<Envelope<P::Msg>>,
    requests: Slab<Request<P>>,
    workload: <P::Spec as Spec>::Workload,
    checker: Checker<P::Spec>,
    /// Kept for its memory: the effects of the handler that runs.
    effects: Vec<Effect<P>>,
    asked: Vec<(Duration, ProcessId, Request<P>)>,
}

/// A process, and what the engine keeps for it.
#[derive(Clone, Hash)]
struct Slot<P: Protocol> {
    process: P,
    up: bool,
    ever_crashed: bool,
    paused: bool,
    /// Waits for a sync.
    blocked: bool,
    incarnation: u32,
    effect_count: u64,
    clock: LocalClock,
    coin: Coin,
    timers: Timers<P::Timer>,
    log: Log<P::Record>,
    /// What reached it while it was paused or blocked, in that order.
    inbox: VecDeque<Input<P>>,
    /// The effects behind a slow sync, in reverse.
    behind_sync: Vec<Effect<P>>,
}

/// A message under way.
#[derive(Clone, Hash)]
struct Envelope<M> {
    id: MessageId,
    from: ProcessId,
    to: ProcessId,
    /// Its sender crashed, and took it along.
    lost: bool,
    msg: M,
}

/// What a handler is called with.
#[derive(Clone, Hash)]
enum Input<P: Protocol> {
    Start,
    Recover,
    Request(Request<P>),
    Message(ProcessId, MessageId, P::Msg),
    Timer(P::Timer, Place),
    Suspect(ProcessId),
    Trust(ProcessId),
}

impl<P: Protocol> Slot<P> {
    fn new(process: P) -> Self {
        Self {
            process,
            up: true,
            ever_crashed: false,
            paused: false,
            blocked: false,
            incarnation: 0,
            effect_count: 0,
            clock: LocalClock::default(),
            coin: Coin::default(),
            timers: Timers::default(),
            log: Log::default(),
            inbox: VecDeque::new(),
            behind_sync: Vec::new(),
        }
    }

    const fn is_waiting(&self) -> bool {
        self.paused || self.blocked
    }
}

impl<P: Protocol> Simulation<P> {
    /// Puts the protocol into the world, ready to run a seed.
    ///
    /// # Errors
    /// When the protocol or its spec refuses a setting; keys begin with `params` or `workload`.
    pub fn new(
        experiment: Experiment,
        params: P::Params,
        workload: &<P::Spec as Spec>::WorkloadSettings,
    ) -> Result<Self, Invalid> {
        let within = |section: &str, e: Invalid| Invalid {
            key: format!("{section}.{}", e.key),
            message: e.message,
        };
        let setting = &experiment.setting;
        P::validate(&params, setting).map_err(|e| within("params", e))?;
        let clients = P::Spec::workload(workload, setting).map_err(|e| within("workload", e))?;
        let claims = P::claims(&params, setting);
        let checks = Checker::new(setting, |entry| {
            entry.standing == Standing::Core
                || claims.contains(&entry.id)
                || experiment.check.contains(&entry.id)
        });
        let mut simulation = Self {
            params,
            workload: clients.clone(),
            clients,
            checker: checks.clone(),
            checks,
            world: World::new(Arc::new(experiment)),
            slots: Vec::new(),
            messages: Slab::default(),
            requests: Slab::default(),
            effects: Vec::new(),
            asked: Vec::new(),
        };
        simulation.reset(0);
        Ok(simulation)
    }

    /// Back to the start, with this seed. No process has started yet.
    pub fn reset(&mut self, seed: u64) {
        self.world.reset(seed);
        self.messages.clear();
        self.requests.clear();
        self.asked.clear();
        self.workload = self.clients.clone();
        self.checker = self.checks.clone();
        self.slots.clear();
        let experiment = Arc::clone(&self.world.experiment);
        let setting = &experiment.setting;
        let mut clocks = Rng::new(seed, Stream::Clocks);
        for me in setting.processes() {
            let mut slot = Slot::new(P::new(&self.params, setting, me));
            slot.coin.seed = seed;
            if experiment.clocks != Default::default() {
                slot.clock = LocalClock::draw(&experiment.clocks, &mut clocks);
            }
            self.slots.push(slot);
        }
    }

    /// Runs one seed to its end.
    pub fn run(&mut self, seed: u64) -> Outcome {
        self.reset(seed);
        let panic = catch_unwind(AssertUnwindSafe(|| self.run_to_end())).err();
        self.finish(panic)
    }

    /// Runs one seed to its end and records what happens.
    pub fn record(&mut self, seed: u64) -> (Outcome, Trace) {
        self.world.trace = Some(Trace::default());
        let outcome = self.run(seed);
        (outcome, self.world.trace.take().unwrap_or_default())
    }

    fn run_to_end(&mut self) {
        self.start();
        while let Some(event) = self.next_event() {
            self.execute(event);
        }
    }

    /// Starts every process in the order of their ids, then the clients.
    pub fn start(&mut self) {
        for p in self.world.experiment.setting.processes() {
            if self.slots[p.index()].up {
                self.handle(p, Input::Start);
            }
        }
        self.consult_clients(Workload::on_start);
    }

    /// Takes the earliest event, or ends the run: at a limit, or when nothing is left to happen.
    #[inline]
    pub fn next_event(&mut self) -> Option<Scheduled> {
        if self.world.ended.is_some() {
            return None;
        }
        let limits = &self.world.experiment.limits;
        let cause = match self.world.queue.peek() {
            None => EndCause::Quiescent,
            Some(next) if next.place.at > limits.horizon => {
                self.world.now = limits.horizon;
                EndCause::Horizon
            }
            Some(_) if self.world.step >= limits.event_count_max => EndCause::EventLimit,
            Some(_) if self.messages.len() > limits.pending_count_max => EndCause::EventLimit,
            Some(_) => return self.world.queue.pop(),
        };
        self.world.ended = Some(cause);
        None
    }

    /// Executes an event that was taken from the queue.
    pub fn execute(&mut self, event: Scheduled) {
        let Scheduled { place, subject, detail } = event;
        self.world.now = place.at;
        match place.class() {
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
        self.slots.hash(&mut digest);
        self.workload.hash(&mut digest);
        self.checker.hash(&mut digest);
        self.world.network_rng.hash(&mut digest);
        self.world.workload_rng.hash(&mut digest);
        // The heap has no canonical order, so what is to come is summed up.
        let mut to_come = 0u64;
        for event in self.world.queue.iter() {
            let mut one = Digest::EMPTY;
            (event.place.at.since(self.world.now), event.place.class()).hash(&mut one);
            match event.place.class() {
                Class::Delivery => self.messages.get(event.subject).hash(&mut one),
                Class::Request => self.requests.get(event.subject).hash(&mut one),
                Class::Fault => self.world.controlled(event.subject).hash(&mut one),
                Class::Timer | Class::Detector | Class::Storage => {
                    (event.subject, event.detail).hash(&mut one);
                }
            }
            to_come = to_come.wrapping_add(one.value());
        }
        digest.write_u64(to_come);
        digest
    }

    fn deliver(&mut self, index: u32) {
        let Envelope { id, from, to, lost, msg } = self.messages.take(index);
        let reason = if !self.slots[to.index()].up {
            DropReason::ReceiverDown
        } else if lost {
            DropReason::SenderCrashed
        } else if from != to && self.world.network.is_cut(from, to) {
            DropReason::Cut
        } else {
            return self.reach_process(to, Input::Message(from, id, msg));
        };
        self.drop_message(id, from, to, &msg, reason);
    }

    fn drop_message(
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
        self.world.record(Some(from), || Happening::Drop {
            id,
            to,
            message: format!("{msg:?}"),
            reason,
        });
    }

    fn timer_due(&mut self, p: ProcessId, index: u32, place: Place) {
        let slot = &mut self.slots[p.index()];
        match slot.timers.due(index, place) {
            Due::Stale => {}
            Due::Later(later) => self.world.queue.push(later, index, p.0),
            Due::Now(timer) if slot.is_waiting() => {
                slot.timers.wait(timer, place);
                slot.inbox.push_back(Input::Timer(timer, place));
            }
            Due::Now(timer) => self.handle(p, Input::Timer(timer, place)),
        }
    }

    fn request(&mut self, p: ProcessId, index: u32) {
        let request = self.requests.take(index);
        if self.slots[p.index()].up {
            return self.reach_process(p, Input::Request(request));
        }
        self.world.record(Some(p), || Happening::RequestLost { request: format!("{request:?}") });
    }

    fn notice(&mut self, observer: ProcessId, notice: &Notice) {
        let Notice { subject, suspect, mistake } = *notice;
        let down = !self.slots[subject.index()].up;
        let known = self.world.suspected.contains(&(observer, subject));
        let true_notice = mistake || suspect == down;
        if !self.slots[observer.index()].up || suspect == known || !true_notice {
            return;
        }
        if suspect {
            self.world.suspected.insert((observer, subject));
            self.world.failure_free &= !mistake;
            self.reach_process(observer, Input::Suspect(subject));
        } else {
            self.world.suspected.remove(&(observer, subject));
            self.reach_process(observer, Input::Trust(subject));
        }
    }

    fn synced(&mut self, p: ProcessId, incarnation: u32) {
        if self.slots[p.index()].incarnation != incarnation {
            return;
        }
        self.slots[p.index()].blocked = false;
        let mut effects = std::mem::take(&mut self.effects);
        effects.extend(self.slots[p.index()].behind_sync.drain(..).rev());
        let survived = self.sync_now(p, effects.len()) && self.apply(p, &mut effects);
        effects.clear();
        self.effects = effects;
        if survived {
            self.empty_inbox(p);
        }
    }

    fn control(&mut self, index: u32) {
        match self.world.controlled(index) {
            Control::Fault(fault) => {
                self.world.fired[fault] = true;
                let experiment = Arc::clone(&self.world.experiment);
                self.act(&experiment.plan.faults[fault].action);
            }
            Control::Recover(p, incarnation) => {
                if self.slots[p.index()].incarnation == incarnation {
                    self.recover(p);
                }
            }
            Control::Resume(p, incarnation) => {
                if self.slots[p.index()].incarnation == incarnation {
                    self.resume(p);
                }
            }
            Control::Heal(cut) => {
                self.world.network.heal(cut);
                self.world.record(None, || Happening::Heal);
            }
            Control::Stabilise => {
                self.world.network.heal_all();
                self.world.record(None, || Happening::Stabilise);
            }
        }
    }

    fn act(&mut self, action: &Action) {
        self.world.step += 1;
        self.world.digest.mix(self.world.now.as_nanos());
        match action {
            Action::Crash { .. } => self.crash(action, 0),
            Action::Pause { process, resume_after } => {
                let slot = &mut self.slots[process.index()];
                if slot.up {
                    slot.paused = true;
                    let incarnation = slot.incarnation;
                    self.world.failure_free = false;
                    self.world.record(Some(*process), || Happening::Pause);
                    if let Some(after) = resume_after {
                        let at = self.world.now + *after;
                        self.world.control(at, Control::Resume(*process, incarnation));
                    }
                }
            }
            Action::Resume { process } => self.resume(*process),
            Action::Partition { cut, heal_after } => {
                let id = self.world.next_cut();
                self.world.network.cut(id, cut.clone());
                self.world.failure_free = false;
                self.world.record(None, || Happening::Partition { cut: format!("{cut:?}") });
                if let Some(after) = heal_after {
                    self.world.control(self.world.now + *after, Control::Heal(id));
                }
            }
            Action::Heal => {
                self.world.network.heal_all();
                self.world.record(None, || Happening::Heal);
            }
        }
    }

    fn crash(&mut self, action: &Action, effects_lost: usize) {
        let Action::Crash { process: p, recover_after, in_flight } = *action else { return };
        let slot = &mut self.slots[p.index()];
        if !slot.up {
            return;
        }
        slot.up = false;
        slot.ever_crashed = true;
        slot.paused = false;
        slot.blocked = false;
        slot.incarnation += 1;
        slot.timers.clear();
        let effects_lost = effects_lost + slot.behind_sync.len();
        slot.behind_sync.clear();
        slot.log.lose_unsynced();
        let incarnation = slot.incarnation;
        let inbox = std::mem::take(&mut slot.inbox);
        self.world.failure_free = false;
        self.world.statistics.crashes += 1;
        self.world.digest.mix(0x2000 | u64::from(p.0) << 16);
        self.world.record(Some(p), || Happening::Crash { effects_lost });
        for input in inbox {
            if let Input::Message(from, id, msg) = input {
                self.drop_message(id, from, p, &msg, DropReason::ReceiverDown);
            }
        }
        if in_flight == InFlight::Lose {
            for envelope in self.messages.iter_mut().filter(|e| e.from == p) {
                envelope.lost = true;
            }
        }
        self.world.suspected.retain(|(observer, _)| *observer != p);
        for observer in self.world.experiment.setting.processes() {
            self.world.notify(observer, p, true);
        }
        if let Some(after) = recover_after {
            self.world.control(self.world.now + after, Control::Recover(p, incarnation));
        }
        self.observe(p, &What::Crash);
    }

    fn recover(&mut self, p: ProcessId) {
        let experiment = Arc::clone(&self.world.experiment);
        let slot = &mut self.slots[p.index()];
        slot.up = true;
        slot.process = P::new(&self.params, &experiment.setting, p);
        let records = slot.log.durable().len();
        self.world.statistics.recoveries += 1;
        self.world.record(Some(p), || Happening::Recover { records });
        for other in experiment.setting.processes() {
            self.world.notify(other, p, false);
            if !self.slots[other.index()].up {
                self.world.notify(p, other, true);
            }
        }
        self.observe(p, &What::Recover);
        self.handle(p, Input::Recover);
        self.consult_clients(|workload, ask| workload.on_recover(p, ask));
    }

    fn resume(&mut self, p: ProcessId) {
        let slot = &mut self.slots[p.index()];
        if slot.up && slot.paused {
            slot.paused = false;
            self.world.record(Some(p), || Happening::Resume);
            self.empty_inbox(p);
        }
    }

    /// Something has reached a process that is up: it is handled now, or waits its turn.
    #[inline]
    fn reach_process(&mut self, p: ProcessId, input: Input<P>) {
        let slot = &mut self.slots[p.index()];
        if slot.is_waiting() {
            slot.inbox.push_back(input);
        } else {
            self.handle(p, input);
        }
    }

    fn empty_inbox(&mut self, p: ProcessId) {
        while let slot = &mut self.slots[p.index()]
            && slot.up
            && !slot.is_waiting()
            && let Some(input) = slot.inbox.pop_front()
        {
            match input {
                Input::Timer(timer, place) if !slot.timers.take_waiting(timer, place) => {}
                input => self.handle(p, input),
            }
        }
    }

    /// One step: calls the handler, then applies the effects it asked for.
    #[inline]
    fn handle(&mut self, p: ProcessId, input: Input<P>) {
        self.world.step += 1;
        self.world.digest.mix(self.world.now.as_nanos());
        self.take_note(p, &input);
        let mut effects = std::mem::take(&mut self.effects);
        let slot = &mut self.slots[p.index()];
        let mut env = Env {
            me: p,
            setting: &self.world.experiment.setting,
            now: slot.clock.local(self.world.now),
            coin: &mut slot.coin,
        };
        let mut cx = Cx { env: &mut env, effects: &mut effects };
        self.world.running = Running::Handler(p);
        match input {
            Input::Start => slot.process.on_start(&mut cx),
            Input::Recover => slot.process.on_recover(slot.log.durable(), &mut cx),
            Input::Request(request) => slot.process.on_request(request, &mut cx),
            Input::Message(from, _, msg) => slot.process.on_message(from, msg, &mut cx),
            Input::Timer(timer, _) => slot.process.on_timer(timer, &mut cx),
            Input::Suspect(subject) => slot.process.on_suspect(subject, &mut cx),
            Input::Trust(subject) => slot.process.on_trust(subject, &mut cx),
        }
        self.world.running = Running::Engine;
        self.apply(p, &mut effects);
        self.effects = effects;
    }

    /// What is about to be handled goes into digest, statistics and trace, and before the properties.
    #[inline]
    fn take_note(&mut self, p: ProcessId, input: &Input<P>) {
        let World { digest, statistics, .. } = &mut self.world;
        let who = u64::from(p.0) << 16;
        match input {
            Input::Message(from, id, msg) => {
                digest.mix(who | u64::from(from.0) << 40 | 1);
                msg.hash(digest);
                statistics.delivered += u64::from(*from != p);
                self.world.record(Some(p), || Happening::Deliver {
                    id: *id,
                    from: *from,
                    message: format!("{msg:?}"),
                });
            }
            Input::Timer(timer, _) => {
                digest.mix(who | 2);
                timer.hash(digest);
                self.world.record(Some(p), || Happening::Timer { timer: format!("{timer:?}") });
            }
            Input::Request(request) => {
                digest.mix(who | 3);
                request.hash(digest);
                self.world
                    .record(Some(p), || Happening::Request { request: format!("{request:?}") });
                self.observe(p, &What::Request(request));
            }
            Input::Start => {
                digest.mix(who | 4);
                self.world.record(Some(p), || Happening::Start);
            }
            Input::Recover => digest.mix(who | 5),
            Input::Suspect(subject) => {
                digest.mix(who | u64::from(subject.0) << 40 | 6);
                self.world.record(Some(p), || Happening::Suspect { subject: *subject });
            }
            Input::Trust(subject) => {
                digest.mix(who | u64::from(subject.0) << 40 | 7);
                self.world.record(Some(p), || Happening::Trust { subject: *subject });
            }
        }
    }

    /// Applies effects in order. False if the process crashed on the way; then the rest is lost.
    fn apply(&mut self, p: ProcessId, effects: &mut Vec<Effect<P>>) -> bool {
        let mut effects = effects.drain(..);
        while let Some(effect) = effects.next() {
            let mut sent = None;
            match effect {
                Effect::Send(to, msg) => sent = self.send(p, to, msg),
                Effect::SetTimer(after, timer) => self.set_timer(p, after, timer),
                Effect::CancelTimer(timer) => {
                    self.slots[p.index()].timers.cancel(timer);
                    self.world
                        .record(Some(p), || Happening::CancelTimer { timer: format!("{timer:?}") });
                }
                Effect::Indicate(what) => self.indicate(p, &what),
                Effect::Append(record) => {
                    self.world
                        .record(Some(p), || Happening::Append { record: format!("{record:?}") });
                    self.slots[p.index()].log.append(record);
                }
                Effect::Rewrite(records) => {
                    self.world.record(Some(p), || Happening::Rewrite { count: records.len() });
                    self.slots[p.index()].log.rewrite(records);
                }
                Effect::Sync => {
                    let latency = self.world.sync_latency();
                    if latency > Duration::ZERO {
                        let slot = &mut self.slots[p.index()];
                        slot.blocked = true;
                        slot.behind_sync.extend(effects.rev());
                        let (at, incarnation) = (self.world.now + latency, slot.incarnation);
                        self.world.queue.schedule(at, Class::Storage, p.0, incarnation);
                        self.world.record(Some(p), || Happening::SyncBegins);
                        return true;
                    }
                    if !self.sync_now(p, effects.len()) {
                        return false;
                    }
                    continue;
                }
                Effect::Reach(label) => {
                    self.world.reach(label);
                    self.world.record(Some(p), || Happening::Reach { label });
                    continue;
                }
                Effect::Note(remark) => {
                    self.world.record(Some(p), || Happening::Note { remark });
                    continue;
                }
            }
            if !self.survives_effect(p, sent, effects.len()) {
                return false;
            }
        }
        true
    }

    /// The log becomes durable. False if a fault that waited for that has crashed the process.
    fn sync_now(&mut self, p: ProcessId, effects_left: usize) -> bool {
        self.slots[p.index()].log.sync();
        self.world.statistics.syncs += 1;
        self.world.record(Some(p), || Happening::Synced);
        self.survives_effect(p, None, effects_left)
    }

    /// Counts an effect. False if a fault that waited for it has crashed the process.
    #[inline]
    fn survives_effect(&mut self, p: ProcessId, sent: Option<Kind>, effects_left: usize) -> bool {
        self.slots[p.index()].effect_count += 1;
        if !self.world.has_armed() {
            return true;
        }
        match self.world.effect_done(p, sent) {
            None => true,
            Some(crash) => {
                self.crash(&crash, effects_left);
                false
            }
        }
    }

    /// Sends a message. Returns its kind if it is for another process.
    #[inline]
    fn send(&mut self, from: ProcessId, to: ProcessId, msg: P::Msg) -> Option<Kind> {
        let id = self.world.next_message();
        if from == to {
            let at = self.world.now;
            let index = self.messages.insert(Envelope { id, from, to, lost: false, msg });
            self.world.queue.schedule(at, Class::Delivery, index, 0);
            return None;
        }
        let kind = Kind::of(&msg);
        self.world.statistics.count_sent(kind);
        let World { network, network_rng, now, .. } = &mut self.world;
        let route = if to.index() >= self.slots.len() {
            Route::Dropped(DropReason::NoSuchProcess)
        } else {
            network.route(from, to, *now, network_rng)
        };
        match route {
            Route::Dropped(reason) => self.drop_message(id, from, to, &msg, reason),
            Route::Arrives(at, copy) => {
                if let Some(at) = copy {
                    self.world.statistics.duplicated += 1;
                    self.world.failure_free = false;
                    self.put_under_way(id, from, to, msg.clone(), at, kind);
                }
                self.put_under_way(id, from, to, msg, at, kind);
            }
        }
        Some(kind)
    }

    #[inline]
    fn put_under_way(
        &mut self,
        id: MessageId,
        from: ProcessId,
        to: ProcessId,
        msg: P::Msg,
        arrives: Instant,
        kind: Kind,
    ) {
        self.world.record(Some(from), || Happening::Send {
            id,
            to,
            kind: kind.to_string(),
            message: format!("{msg:?}"),
            arrives,
        });
        let index = self.messages.insert(Envelope { id, from, to, lost: false, msg });
        self.world.queue.schedule(arrives, Class::Delivery, index, 0);
    }

    fn set_timer(&mut self, p: ProcessId, after: Duration, timer: P::Timer) {
        let slot = &mut self.slots[p.index()];
        let due = self.world.now + slot.clock.true_span(after);
        let place = self.world.queue.place(due, Class::Timer);
        if let Some(index) = slot.timers.set(timer, place) {
            self.world.queue.push(place, index, p.0);
        }
        self.world.record(Some(p), || Happening::SetTimer { timer: format!("{timer:?}"), due });
    }

    fn indicate(&mut self, p: ProcessId, what: &Indication<P>) {
        self.world.digest.mix(u64::from(p.0) << 16 | 8);
        what.hash(&mut self.world.digest);
        self.world.record(Some(p), || Happening::Indicate { what: format!("{what:?}") });
        self.observe(p, &What::Indication(what));
        if !P::Spec::is_probe(what) {
            self.consult_clients(|workload, ask| workload.on_indication(p, what, ask));
        }
    }

    /// Asks the clients what they want next.
    fn consult_clients(
        &mut self,
        consult: impl FnOnce(&mut <P::Spec as Spec>::Workload, &mut Ask<'_, P::Spec>),
    ) {
        let now = self.world.now;
        let rng = &mut self.world.workload_rng;
        self.world.running = Running::Clients;
        consult(&mut self.workload, &mut Ask { now, rng, asked: &mut self.asked });
        self.world.running = Running::Engine;
        for (after, p, request) in self.asked.drain(..) {
            if p.index() < self.slots.len() {
                let index = self.requests.insert(request);
                self.world.queue.schedule(now + after, Class::Request, index, p.0);
            }
        }
    }

    #[inline]
    fn observe(&mut self, process: ProcessId, what: &What<'_, P::Spec>) {
        let event = Observed { at: self.world.now, process, what: *what };
        let step = self.world.step;
        let world = &mut self.world;
        self.checker.observe(&event, step, |id, kind, violation| {
            world.record(Some(process), || Happening::Violation {
                property: id.0,
                message: violation.message.clone(),
            });
            if kind == property::Kind::Safety && world.experiment.limits.stop_at_violation {
                world.ended = Some(EndCause::Violated);
            }
        });
    }

    fn finish(&mut self, panic: Option<Box<dyn Any + Send>>) -> Outcome {
        let panicked = panic.and_then(|panic| self.blame(panic));
        let cause = self.world.ended.unwrap_or(EndCause::Violated);
        let correct: Vec<bool> = self.slots.iter().map(Self::is_correct).collect();
        let at = self.world.now;
        let end = End { at, cause, failure_free: self.world.failure_free, correct: &correct };
        let excuse = match cause {
            EndCause::EventLimit => Some("the event limit came first"),
            EndCause::Violated => Some("the run stopped at a violation"),
            EndCause::Quiescent | EndCause::Horizon => self.world.network.excuse(&correct, at),
        };
        let judged = self.checker.finish(&end, self.world.step, excuse);
        let mut statistics = self.world.statistics.clone();
        statistics.events = self.world.step;
        statistics.effects = self.slots.iter().map(|s| s.effect_count).collect();
        let unfired = self.world.fired.iter().enumerate().filter(|(_, fired)| !**fired);
        Outcome {
            seed: self.world.seed,
            digest: self.world.digest,
            cause,
            at,
            judged,
            reached: self.world.reached.clone(),
            unfired: unfired.map(|(index, _)| index).collect(),
            panicked,
            statistics,
        }
    }

    /// As the fault model of the protocol defines it, for this run.
    fn is_correct(slot: &Slot<P>) -> bool {
        let steady = slot.up && !slot.paused;
        match P::MODEL.faults {
            FaultClass::None | FaultClass::CrashStop => steady && !slot.ever_crashed,
            FaultClass::CrashRecovery => steady,
        }
    }

    /// Says whose panic it was: a process's, the clients', or a checker's, which counts as a violation of its
    /// property. The engine's own goes on up.
    fn blame(&mut self, panic: Box<dyn Any + Send>) -> Option<Panicked> {
        let message = panic_message(&*panic);
        if self.checker.blame(&message, self.world.now, self.world.step) {
            return None;
        }
        let process = match self.world.running {
            Running::Handler(p) => Some(p),
            Running::Clients => None,
            Running::Engine => resume_unwind(panic),
        };
        self.world.record(process, || Happening::Panic { message: message.clone() });
        Some(Panicked { step: self.world.step, at: self.world.now, process, message })
    }
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "(it said nothing)".into())
}
