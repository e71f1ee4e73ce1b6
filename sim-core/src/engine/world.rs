//! The part of a running simulation that does not depend on the protocol, compiled once.

mod oracle;
mod route;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash as _;
use std::sync::Arc;

use crate::digest::Digest;
use crate::engine::beacon::Beacon;
use crate::engine::draws::Draws;
use crate::engine::event::{Class, Queue};
use crate::engine::slab::Slab;
use crate::environment::liveness::LivenessMode;
use crate::environment::message_rule::Overrides;
use crate::environment::network::{DropReason, Network};
use crate::environment::request_override::RequestOverrides;
use crate::environment::transport::Packet;
use crate::experiment::Experiment;
use crate::fault::condition::{Condition, Persistence};
use crate::fault::conditions::ActiveConditions;
use crate::fault::random::Profile;
use crate::fault::{Action, Crash, Fault, Plan, Trigger};
use crate::id::{MessageId, ProcessId};
use crate::model::property::EndCause;
use crate::outcome::decisions::RecordedSchedule;
use crate::outcome::dependability::Dependability;
use crate::outcome::history::History;
use crate::outcome::operations::OperationEvent;
use crate::outcome::shown::Shown;
use crate::outcome::tape::Tape;
use crate::outcome::trace::TraceEvent;
use crate::outcome::{KindIndex, Statistics};
use crate::process_set::ProcessSet;
use crate::rng::told::{Drawer, Teller};
use crate::rng::{Rng, Stream};
use crate::time::{Duration, Instant};

/// A scheduled change of the environment; events of class [`Class::Fault`] carry its index.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) enum Control {
    /// The fault of the plan with this index strikes.
    Fault(usize),
    /// A process recovers, unless it has already recovered since this incarnation.
    Recover(ProcessId, u32),
    /// A process crashes along with another whose fate it shares.
    CrashWith(ProcessId, Crash),
    /// The transport of a process retransmits unacknowledged messages.
    Resend(ProcessId, u32),
    /// The transport of a process sends a heartbeat.
    Beat(ProcessId, u32),
    /// A process resumes, unless it has crashed since this incarnation.
    Resume(ProcessId, u32),
    /// An adversary sends the message with this number that it has held back for this process.
    Speak(ProcessId, u32),
    /// The condition with this number turns on or off.
    Turn(usize),
    /// GST.
    Stabilise,
    /// All faults end.
    EndFaults(LivenessMode),
}

/// A fault that waits for an effect.
#[derive(Clone, Debug, Hash)]
struct Armed {
    fault: usize,
    process: ProcessId,
    /// `None` counts effects, `Some` sends of this kind.
    kind: Option<String>,
    left: u64,
}

/// The owner of the running code, which is blamed for a panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Running {
    Engine,
    Handler(ProcessId),
    Clients,
}

/// The part of a notification that identifies it.
pub(crate) struct Notice {
    pub subject: ProcessId,
    pub suspect: bool,
    /// Whether it is a mistake of the detector, which is delivered whatever the truth.
    pub mistake: bool,
}

impl Notice {
    fn pack(&self) -> u32 {
        self.subject.0 << 2 | u32::from(self.mistake) << 1 | u32::from(self.suspect)
    }

    pub fn unpack(detail: u32) -> Self {
        Self { subject: ProcessId(detail >> 2), mistake: detail & 2 != 0, suspect: detail & 1 != 0 }
    }
}

/// An effect of a process, as an explorer sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EffectMark {
    /// The process.
    pub process: ProcessId,
    /// The number of messages sent so far, this effect included.
    pub messages: u64,
    /// The number of events that properties were shown so far, this effect included.
    pub observed: u64,
}

/// What is recorded of a run, on request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recording {
    /// All that happens.
    pub tape: Option<Tape>,
    /// The fates of messages.
    pub decisions: Option<RecordedSchedule>,
    /// What clients asked, and what they were answered.
    pub operations: Option<Vec<OperationEvent>>,
    /// The counted effects, in order.
    pub effects: Option<Vec<EffectMark>>,
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub experiment: Arc<Experiment>,
    /// The scripted faults.
    script: Arc<Plan>,
    /// The faults of this run: the scripted ones, then those drawn.
    pub plan: Arc<Plan>,
    /// While a profile is taken: the times of each process's effects. No fault strikes meanwhile.
    pub profile: Option<Profile>,
    pub seed: u64,
    /// The seed of all that is drawn from now on: another one in another future of the run.
    pub drawn_from: u64,
    pub now: Instant,
    pub step: u64,
    /// The number of packets and heartbeats of transports, which are not steps of processes.
    pub transport_event_count: u64,
    /// Packets between transports.
    pub packets: Slab<Packet>,
    /// Whether some link can take longer than the bound on delays.
    links_can_be_late: bool,
    pub queue: Queue,
    pub network: Network,
    pub draws: Draws,
    /// What tells draws, if anything does.
    pub teller: Teller,
    pub overrides: Overrides,
    pub request_overrides: RequestOverrides,
    pub conditions: ActiveConditions,
    /// The number of notifications so far, by observer and subject, if they are counted.
    notice_counts: BTreeMap<(ProcessId, ProcessId), u64>,
    /// Scheduled changes of the environment.
    pub controls: Slab<Control>,
    armed: Vec<Armed>,
    pub fired: Vec<bool>,
    message_count: u64,
    /// Suspicions of which processes were notified: (observer, subject).
    pub suspected: BTreeSet<(ProcessId, ProcessId)>,
    /// With Ω: the process that each process trusts.
    pub trusted: BTreeMap<ProcessId, ProcessId>,
    pub digest: Digest,
    pub statistics: Statistics,
    pub history: History,
    pub reached: Vec<&'static str>,
    /// What is recorded of the run.
    pub recording: Recording,
    pub failure_free: bool,
    /// The last process that announced that it leads, unless it has announced the opposite since.
    pub leader: Option<ProcessId>,
    /// Whether all faults have ended.
    pub faults_are_over: bool,
    /// The processes that are well in the end, if only some are.
    pub core: Option<ProcessSet>,
    /// Whether too few processes can be well for the protocol to make progress.
    pub is_unavailable: bool,
    /// The number of indications, excluding probes.
    pub announced: u64,
    /// The number of events that properties were shown.
    pub observed: u64,
    /// The second copies of processes.
    pub twins: Vec<Twin>,
    /// Whether old messages are kept for replays.
    pub keeps_sent: bool,
    /// Publishes the current step of the run.
    pub beacon: Beacon,
    pub running: Running,
    pub ended: Option<EndCause>,
}

impl World {
    pub fn new(experiment: Arc<Experiment>) -> Self {
        let script = Arc::new(experiment.plan.clone());
        Self {
            plan: Arc::clone(&script),
            script,
            profile: None,
            seed: 0,
            drawn_from: 0,
            now: Instant::ZERO,
            step: 0,
            transport_event_count: 0,
            packets: Slab::default(),
            links_can_be_late: experiment.network.can_exceed_bound(),
            queue: Queue::new(experiment.ties, Rng::new(0, Stream::Ties)),
            network: Network::new(&experiment.network),
            draws: Draws::of(0),
            teller: Teller::default(),
            overrides: Overrides::default(),
            request_overrides: RequestOverrides::default(),
            conditions: ActiveConditions::default(),
            notice_counts: BTreeMap::new(),
            controls: Slab::default(),
            armed: Vec::new(),
            fired: Vec::new(),
            message_count: 0,
            suspected: BTreeSet::new(),
            trusted: BTreeMap::new(),
            digest: Digest::EMPTY,
            statistics: Statistics::default(),
            history: History::default(),
            reached: Vec::new(),
            recording: Recording::default(),
            failure_free: true,
            leader: None,
            faults_are_over: false,
            core: None,
            is_unavailable: false,
            announced: 0,
            observed: 0,
            twins: Vec::new(),
            keeps_sent: false,
            beacon: Beacon::default(),
            running: Running::Engine,
            ended: None,
            experiment,
        }
    }

    /// Schedules the arrival of a message, or of a packet, at a process.
    #[inline]
    pub fn schedule_arrival(
        &mut self,
        at: Instant,
        (from, to): (ProcessId, ProcessId),
        index: u32,
        detail: u32,
    ) {
        if self.queue.draws_ties() && self.network.is_fifo((from, self.identity(to))) {
            self.queue.schedule_in_order(at, (from, to), index, detail);
        } else {
            self.queue.schedule(at, Class::Delivery, index, detail);
        }
    }

    /// Restores the initial state with another seed; keeps the memory.
    pub fn reset(&mut self, seed: u64) {
        self.seed = seed;
        self.drawn_from = seed;
        self.now = Instant::ZERO;
        self.step = 0;
        self.transport_event_count = 0;
        self.packets.clear();
        self.queue.reset(Rng::new(seed, Stream::Ties));
        self.network.reset();
        self.draws = Draws::of(seed);
        if !self.experiment.draws.is_empty() {
            self.tell(Teller::Scenario(self.experiment.draws.clone().into()));
        }
        self.overrides.reset(&self.experiment.overrides);
        self.request_overrides.reset(&self.experiment.requests);
        self.conditions.clear();
        self.notice_counts.clear();
        self.controls.clear();
        self.armed.clear();
        self.message_count = 0;
        self.suspected.clear();
        self.trusted.clear();
        self.digest = Digest::EMPTY;
        self.statistics.reset();
        self.statistics.bytes = self.experiment.counts_bytes.then_some(0);
        self.history.clear();
        self.reached.clear();
        self.failure_free = true;
        self.leader = None;
        self.twins.clear();
        self.faults_are_over = false;
        self.core = None;
        self.is_unavailable = false;
        self.announced = 0;
        self.observed = 0;
        self.running = Running::Engine;
        self.ended = None;
        self.arm();
    }

    /// Small draws are told, from now on.
    pub fn tell(&mut self, teller: Teller) {
        let Draws { workload, storage, .. } = &mut self.draws;
        for (stream, drawer) in [(workload, Drawer::Clients), (storage, Drawer::Disks)] {
            *stream = stream.clone().told(teller.of(drawer));
        }
        self.teller = teller;
    }

    /// Draws from this seed whatever is drawn from now on. What the run's own seed has fixed before
    /// its first step stays: faults and wrong suspicions, clocks, keys, the ties of FIFO links.
    pub fn draw_anew(&mut self, seed: u64) {
        self.drawn_from = seed;
        self.draws = Draws::of(seed);
        self.teller = Teller::None;
        self.queue.draw_anew(Rng::new(seed, Stream::Ties));
    }

    /// Restores the scripted faults for the next run.
    pub fn forget_plan(&mut self) {
        self.plan = Arc::clone(&self.script);
    }

    /// Schedules the events that the experiment fixes in advance.
    fn arm(&mut self) {
        let experiment = Arc::clone(&self.experiment);
        let plan = Arc::clone(&self.plan);
        self.fired.clear();
        self.fired.resize(plan.faults.len(), false);
        if let Some(at) = experiment.network.stabilise_at {
            self.control(at, Control::Stabilise);
        }
        if let Some(liveness) = experiment.liveness {
            self.control(liveness.at, Control::EndFaults(liveness.mode));
        }
        self.keeps_sent = plan.faults.iter().any(|fault| fault.action.replays());
        if self.profile.is_some() {
            return;
        }
        for (index, fault) in plan.faults.iter().enumerate() {
            let (process, kind, nth) = match &fault.trigger {
                Trigger::At(at) => {
                    self.control(*at, Control::Fault(index));
                    continue;
                }
                Trigger::AfterEffect { process, nth } => (*process, None, *nth),
                Trigger::Sends { process, kind, nth } => (*process, Some(kind.clone()), *nth),
                Trigger::Never => continue,
            };
            self.armed.push(Armed { fault: index, process, kind, left: nth });
        }
        let random = experiment.detector.random_mistakes;
        let drawn = random.map(|mistakes| mistakes.of_seed(experiment.setting.n, self.seed));
        for mistake in experiment.detector.mistakes.iter().chain(drawn.iter().flatten()) {
            let notice = |suspect| Notice { subject: mistake.suspects, suspect, mistake: true };
            self.notify_at(mistake.at, mistake.observer, &notice(true));
            if let Some(until) = mistake.until {
                self.notify_at(until, mistake.observer, &notice(false));
            }
        }
    }

    /// Schedules a change of the environment.
    pub fn control(&mut self, at: Instant, control: Control) {
        let index = self.controls.insert(control);
        self.queue.schedule(at, Class::Fault, index, 0);
    }

    /// Whether a fault, the profile or a record waits for effects.
    #[inline]
    pub const fn has_effect_triggers(&self) -> bool {
        !self.armed.is_empty() || self.profile.is_some() || self.recording.effects.is_some()
    }

    /// Handles an effect of `process`; `sent` is the kind if it was a message to another process. A
    /// crash of that process itself strikes immediately and is returned; other faults are queued,
    /// and never run inside a handler.
    pub fn effect_done(&mut self, process: ProcessId, sent: Option<KindIndex>) -> Option<Crash> {
        if let Some(profile) = &mut self.profile {
            profile.effects[process.index()].push(self.now);
        }
        if let Some(effects) = &mut self.recording.effects {
            let (messages, observed) = (self.message_count, self.observed);
            effects.push(EffectMark { process, messages, observed });
        }
        let sent = sent.map(|index| self.statistics.kind(index));
        let mut due = Vec::new();
        for armed in self.armed.iter_mut().filter(|a| a.process == process) {
            let counts = match &armed.kind {
                None => true,
                Some(kind) => sent.is_some_and(|sent| sent.to_string() == *kind),
            };
            armed.left -= u64::from(counts && armed.left > 0);
            if counts && armed.left == 0 {
                due.push(armed.fault);
            }
        }
        if due.is_empty() {
            return None;
        }
        self.armed.retain(|a| a.left > 0);
        let plan = Arc::clone(&self.plan);
        let mut crash = None;
        for fault in due {
            let action = &plan.faults[fault].action;
            match action {
                Action::Crash(struck, how) if *struck == process => {
                    self.fired[fault] = true;
                    crash = Some(*how);
                }
                _ => self.control(self.now, Control::Fault(fault)),
            }
        }
        crash
    }

    /// Has a process crash after this many more of its effects, of which it has had `count`.
    pub fn arm_crash(&mut self, process: ProcessId, count: u64, more: u64, crash: Crash) {
        let plan = Arc::make_mut(&mut self.plan);
        let trigger = Trigger::AfterEffect { process, nth: count + more };
        plan.faults.push(Fault { trigger, action: Action::Crash(process, crash) });
        self.fired.push(false);
        let fault = plan.faults.len() - 1;
        self.armed.push(Armed { fault, process, kind: None, left: more });
    }

    pub fn next_message(&mut self) -> MessageId {
        self.message_count += 1;
        MessageId(self.message_count - 1)
    }

    /// The time that the process's next sync takes.
    pub fn sync_latency(&mut self, p: ProcessId) -> Duration {
        let late = self.conditions.sync_delay(p);
        let latency = self.experiment.sync_latency;
        if latency.max == Duration::ZERO {
            return late;
        }
        let nanos = self.draws.storage.between(latency.min.as_nanos(), latency.max.as_nanos());
        Duration::from_nanos(nanos) + late
    }

    /// Begins a condition.
    pub fn begin(&mut self, condition: &Condition, persistence: Persistence) {
        self.failure_free = false;
        self.record(condition.faulty(), || TraceEvent::Begins { condition: condition.to_string() });
        let (number, next) = self.conditions.begin(condition.clone(), persistence, self.now);
        if let Some(at) = next {
            self.control(at, Control::Turn(number));
        }
    }

    /// Ends all faults, and all conditions of these processes and their links.
    pub fn end_faults(&mut self, mode: LivenessMode, well: &ProcessSet) {
        self.faults_are_over = true;
        self.armed.clear();
        match mode {
            LivenessMode::Gst | LivenessMode::HealAll => self.conditions.heal_all(),
            LivenessMode::Core => {
                self.conditions.spare(well.clone());
                self.core = Some(well.clone());
            }
        }
        if mode != LivenessMode::Gst {
            self.network.end_faults(well.clone(), mode == LivenessMode::Core);
        }
        let processes = well.to_string();
        self.record(None, || TraceEvent::Well { mode: mode.to_string(), processes });
    }

    /// Turns a condition on or off.
    pub fn turn(&mut self, number: usize) {
        let next = self.conditions.turn(number, self.now);
        if let Some(at) = next {
            self.control(at, Control::Turn(number));
        }
        let Some((condition, on)) = self.conditions.get(number) else { return };
        let (process, condition) = (condition.faulty(), condition.to_string());
        self.record(process, || {
            if on { TraceEvent::Begins { condition } } else { TraceEvent::Ends { condition } }
        });
    }

    /// The part of the state that determines the future of the run.
    pub fn fingerprint(&self, digest: &mut Digest) {
        self.network.fingerprint(self.now, digest);
        self.conditions.fingerprint(self.now, digest);
        (&self.armed, &self.overrides, &self.request_overrides, &self.notice_counts).hash(digest);
        (&self.suspected, &self.trusted, self.leader, &self.twins).hash(digest);
        (self.faults_are_over, &self.core, self.is_unavailable, self.failure_free).hash(digest);
        self.ended.hash(digest);
    }

    /// The identity of the process at this place.
    #[inline]
    pub fn identity(&self, place: ProcessId) -> ProcessId {
        if self.twins.is_empty() {
            return place;
        }
        self.twins.iter().find(|twin| twin.place == place).map_or(place, |twin| twin.of)
    }

    /// The place where a message from the process at `from` to the process `to` arrives; `None` if
    /// the two do not communicate.
    #[inline]
    pub fn destination(&self, from: ProcessId, to: ProcessId) -> Option<ProcessId> {
        if self.twins.is_empty() {
            return Some(to);
        }
        let sender = self.identity(from);
        let talks = |twin: &&Twin| (twin.place == from) == twin.peers.contains(to);
        let silent = self.twins.iter().find(|twin| twin.of == sender).is_some_and(|t| !talks(&t));
        let second = self.twins.iter().find(|twin| twin.of == to && twin.peers.contains(sender));
        (!silent).then(|| second.map_or(to, |twin| twin.place))
    }

    /// The factor by which the process's timers are slowed down.
    #[inline]
    pub fn slowness(&self, p: ProcessId) -> u64 {
        if self.conditions.is_empty() { 1 } else { self.conditions.slowness(p) }
    }

    /// The processes that stop together with this one, including itself.
    pub fn fate_of(&self, p: ProcessId) -> Vec<ProcessId> {
        let group = self.experiment.fate_groups.iter().find(|group| group.contains(p));
        group.map_or_else(|| vec![p], |group| group.iter().collect())
    }

    pub fn dropped(&mut self, reason: DropReason) {
        self.statistics.dropped[reason as usize] += 1;
        self.failure_free = false;
        self.digest.mix(0x1000 | reason as u64);
    }

    /// The figures of the finished run, and the latencies of its operations.
    pub fn dependability(&self, messages: u64) -> (Dependability, Vec<Duration>) {
        let n = self.experiment.setting.n;
        Dependability::of(&self.history, n, self.now, messages)
    }

    pub fn reach(&mut self, label: &'static str) {
        if !self.reached.contains(&label) {
            self.reached.push(label);
        }
    }

    /// Appends an entry to the record, if there is one.
    #[inline]
    pub fn record<'a>(
        &mut self,
        process: Option<ProcessId>,
        what: impl FnOnce() -> TraceEvent<Shown<'a>>,
    ) {
        if self.recording.tape.is_some() {
            self.record_it(process, what);
        }
    }

    #[cold]
    fn record_it<'a>(
        &mut self,
        process: Option<ProcessId>,
        what: impl FnOnce() -> TraceEvent<Shown<'a>>,
    ) {
        if let Some(tape) = &mut self.recording.tape {
            tape.put(self.step, self.now, process, &what());
        }
    }
}

/// The second copy of a process.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Twin {
    /// The identity of the process.
    pub of: ProcessId,
    /// Its place among the slots.
    pub place: ProcessId,
    /// The processes that communicate with it instead of the first copy.
    pub peers: ProcessSet,
}
