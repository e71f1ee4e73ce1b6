//! A state of an explored run, and what becomes of what is chosen in it.

mod collect;
mod enabled;
mod look;
mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) use collect::Ghost;

use super::budget::{Budget, STEP_COUNT_MAX, Time};
use super::choice::{Choice, EventId, How};
use super::footprint::{Footprint, PROCESS_COUNT_MAX};
use super::step::{Step, What};
use crate::digest::Digest;
use crate::engine::event::Scheduled;
use crate::engine::panics::{self, Raised};
use crate::engine::runner::Runner;
use crate::engine::stepper::Stepper;
use crate::engine::world::Notice;
use crate::environment::detector::DetectorKind;
use crate::environment::network::Order;
use crate::fault::Crash;
use crate::id::ProcessId;
use crate::model::bound::Bound;
use crate::model::property::EndCause;
use crate::outcome::Outcome;
use crate::rng::told::{Draw, Drawer, Script, Teller};
use crate::time::{Duration, Instant};

/// Something that can happen, and where.
#[derive(Clone, Copy, Debug)]
struct Pending {
    id: EventId,
    event: Scheduled,
    what: What,
    at: ProcessId,
    cause: u32,
    after: Duration,
    /// When it is due by the clock of its process.
    due: Instant,
    /// Whether its message comes twice.
    is_double: bool,
}

impl Pending {
    const fn is_timer(&self) -> bool {
        matches!(self.what, What::Timer(_))
    }
}

/// A state of a run, and what can be chosen in it.
pub struct Frontier {
    runner: Runner,
    budget: Budget,
    time: Time,
    n: u32,
    is_fifo: bool,
    seed: u64,
    pending: Vec<Pending>,
    /// Messages sent so far, by link and kind.
    sent: BTreeMap<(ProcessId, ProcessId, u32), u64>,
    /// The messages that the last step sent and whose fate can still be chosen.
    undecided: Vec<(EventId, What)>,
    /// That step.
    sender: u32,
    ghosts: Vec<Ghost>,
    /// The step in which the last message of each FIFO link arrived.
    arrived: BTreeMap<(ProcessId, ProcessId), u32>,
    /// Notices to each process about each, and requests to each.
    notices: BTreeMap<(ProcessId, ProcessId), u64>,
    asked: Vec<u64>,
    /// The step of the last request to each process.
    requested: Vec<Option<u32>>,
    step_count: u32,
    epoch: u32,
    last_key: Option<(Instant, bool)>,
    used: Budget,
    /// What the clock of each process shows. It passes to the next timer that is due when that
    /// runs out early.
    clocks: Vec<Instant>,
    /// The step in which each process's last timer ran out, and when that was due.
    timed_out: Vec<Option<(u32, Instant)>>,
    /// Early timeouts of each process, its crashes, and the step of the last one.
    timeouts: Vec<u32>,
    crashes: Vec<u32>,
    crash_step: Vec<u32>,
    /// Wrong suspicions, by observer and subject.
    suspected: BTreeMap<(ProcessId, ProcessId), u64>,
    /// Processes that are down and recover, and those that have crashed for good.
    will_recover: u64,
    down_for_good: u64,
    /// What crashes for good must keep to.
    bound: Option<Bound>,
    clients: Digest,
    /// Effects of each process in the last step.
    effects: Vec<u64>,
    /// What tells the draws of a step, unless all are drawn.
    script: Option<Arc<Mutex<Script>>>,
    /// The draws of all steps of the run, with the number of the step.
    draws: Vec<(u32, Draw)>,
    panic: Option<Raised>,
    has_read_clocks: bool,
}

impl Frontier {
    /// Explores runs of this runner, made for an experiment that was [stripped](Time::strip).
    ///
    /// # Panics
    /// If there are too many processes.
    pub fn new(mut runner: Runner, time: Time, budget: Budget) -> Self {
        let experiment = &runner.stepper().world().experiment;
        let n = experiment.setting.n;
        assert!(n <= PROCESS_COUNT_MAX, "at most {PROCESS_COUNT_MAX} processes can be explored");
        let links = experiment.network.overrides.iter().map(|(_, link)| link);
        let is_fifo =
            links.chain([&experiment.network.default]).any(|link| link.order == Order::Fifo);
        Self {
            runner,
            budget: Budget { steps: budget.steps.min(STEP_COUNT_MAX), ..budget },
            time,
            n,
            is_fifo,
            seed: 0,
            pending: Vec::new(),
            sent: BTreeMap::new(),
            undecided: Vec::new(),
            sender: 0,
            ghosts: Vec::new(),
            arrived: BTreeMap::new(),
            notices: BTreeMap::new(),
            asked: Vec::new(),
            requested: Vec::new(),
            step_count: 0,
            epoch: 0,
            last_key: None,
            used: Budget::default(),
            clocks: Vec::new(),
            timed_out: Vec::new(),
            timeouts: Vec::new(),
            crashes: Vec::new(),
            crash_step: Vec::new(),
            suspected: BTreeMap::new(),
            will_recover: 0,
            down_for_good: 0,
            bound: None,
            clients: Digest::EMPTY,
            effects: Vec::new(),
            script: None,
            draws: Vec::new(),
            panic: None,
            has_read_clocks: false,
        }
    }

    /// Has small draws chosen rather than drawn, as far as the budget goes.
    #[must_use]
    pub fn telling_draws(self) -> Self {
        let Budget { coins, votes, .. } = self.budget;
        let script = Script::new(coins, votes);
        Self { script: Some(Arc::new(Mutex::new(script))), ..self }
    }

    /// Has no more processes crash for good than this bound admits.
    #[must_use]
    pub fn within(self, bound: Bound) -> Self {
        Self { bound: Some(bound), ..self }
    }

    /// Begins a run: nothing has happened, and [`Choice::START`] is next.
    pub fn begin(&mut self, seed: u64) {
        self.seed = seed;
        self.pending.clear();
        self.sent.clear();
        self.undecided.clear();
        self.ghosts.clear();
        self.suspected.clear();
        self.arrived.clear();
        self.notices.clear();
        self.asked.clear();
        self.asked.resize(self.n as usize, 0);
        self.requested.clear();
        self.requested.resize(self.n as usize, None);
        self.step_count = 0;
        self.epoch = 0;
        self.last_key = None;
        self.used = Budget::default();
        self.clocks.clear();
        self.clocks.resize(self.n as usize, Instant::ZERO);
        self.timed_out.clear();
        self.timed_out.resize(self.n as usize, None);
        self.timeouts.clear();
        self.timeouts.resize(self.n as usize, 0);
        self.crashes.clear();
        self.crashes.resize(self.n as usize, 0);
        self.crash_step.clear();
        self.crash_step.resize(self.n as usize, 0);
        self.effects.clear();
        self.effects.resize(self.n as usize, 0);
        self.will_recover = 0;
        self.down_for_good = 0;
        self.panic = None;
        let stepper = self.runner.stepper();
        stepper.world_mut().forget_plan();
        self.panic = panics::catch(|| stepper.reset(seed)).err();
        self.draws.clear();
        if let Some(script) = &self.script {
            locked(script).begin_run();
            stepper.world_mut().tell(Teller::Explorer(Arc::clone(script)));
        }
        self.clients = self.runner.stepper().clients();
    }

    /// Whether nothing more can be chosen, because the run has ended or is too long.
    pub fn is_over(&mut self) -> bool {
        self.is_cut() || self.panic.is_some() || self.runner.stepper().world().ended.is_some()
    }

    /// Whether it is cut off at the greatest number of steps.
    pub const fn is_cut(&self) -> bool {
        self.step_count >= self.budget.steps
    }

    /// The number of steps so far.
    pub(super) const fn step_count(&self) -> u32 {
        self.step_count
    }

    /// The number of processes.
    pub(super) const fn process_count(&self) -> u32 {
        self.n
    }

    /// What the explorer may do to a run.
    pub(super) const fn budget(&self) -> Budget {
        self.budget
    }

    /// Whether something has read its clock in a finished run, which has no meaning when time is
    /// free.
    pub const fn has_read_clocks(&self) -> bool {
        self.has_read_clocks
    }

    /// Makes this choice.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn take(&mut self, choice: Choice) -> Step {
        let index = self.step_count;
        self.step_count += 1;
        let counts: Vec<u64> = {
            let stepper = self.runner.stepper();
            (0..self.n).map(|p| stepper.effect_count(ProcessId(p))).collect()
        };
        let observed = self.runner.world_ref().observed;
        let mut step = Step {
            choice,
            footprint: Footprint::EVERYTHING,
            what: What::Start,
            needs: [None; 2],
            after: Duration::ZERO,
            effect_count: 0,
            epoch: self.epoch,
            is_last_resort: false,
            clock: Instant::ZERO,
        };
        if let Some(script) = &self.script {
            locked(script).begin_step(choice.coins);
        }
        if let How::IsLost | How::ComesTwice = choice.how {
            self.decide(choice, &mut step);
            return step;
        }
        self.undecided.clear();
        match choice.how {
            _ if choice.event == Choice::START.event => self.start(choice.how),
            How::Crash { process, recovers } => {
                step.what = What::Crash(process);
                step.footprint = Footprint::of(process);
                self.count_crash(process, recovers);
                let crash = self.crash(recovers);
                self.guarded(|stepper| stepper.crash_at_rest(process, &crash));
            }
            How::Suspects { observer, subject } => {
                step.what = What::Notice { observer, subject, nth: 0 };
                step.footprint = Footprint::of(observer).reads_status(subject);
                self.suspect(observer, subject);
            }
            _ => {
                let event = choice.event.in_time();
                let found = self.pending.iter().position(|one| one.id == event);
                let one = self.pending.remove(found.expect("a choice that can be made"));
                self.happen(one, &mut step);
            }
        }
        let new = self.hear_themselves();
        let stepper = self.runner.stepper();
        for (p, before) in counts.iter().enumerate() {
            let after = stepper.effect_count(ProcessId(u32::try_from(p).unwrap_or(0)));
            self.effects[p] = after - before;
        }
        if let How::Crash { process, .. } | How::CrashesAfter { process, .. } = choice.how {
            step.footprint = step.footprint.changes_status(process);
        }
        // Whoever recovers is told who is down.
        if let What::Recovery(p) = step.what {
            step.footprint = step.footprint.reads_all_status().changes_status(p);
        }
        let drawn = self.drawn();
        let clients_draw = drawn.iter().any(|draw| draw.by == Drawer::Clients);
        self.draws.extend(drawn.into_iter().map(|draw| (index, draw)));
        let stepper = self.runner.stepper();
        let world = stepper.world();
        if world.observed != observed && stepper.minds_order() {
            step.footprint = step.footprint.seen();
        }
        let clients = stepper.clients();
        if clients != self.clients || clients_draw {
            self.clients = clients;
            step.footprint = step.footprint.changes_clients();
        } else if world.observed != observed {
            step.footprint = step.footprint.reads_clients();
        }
        if let Some(p) = step.what.process() {
            step.clock = self.clocks[p.index()];
        }
        self.collect(choice, index, new);
        step
    }

    /// What becomes of a message is chosen when it is sent: so it does not matter what happens
    /// between.
    fn decide(&mut self, choice: Choice, step: &mut Step) {
        let found = self.undecided.iter().position(|(event, _)| *event == choice.event);
        let mut decided = self.undecided.drain(..=found.expect("a message that was just sent"));
        step.what = decided.next_back().expect("the message").1;
        step.footprint = Footprint::NOTHING;
        step.needs[0] = Some(self.sender);
        match choice.how {
            How::IsLost => self.used.losses += 1,
            _ => self.used.duplicates += 1,
        }
        // Whether its receiver has crashed already is a matter of order, and makes no difference.
        let Some(index) = self.pending.iter().position(|one| one.id == choice.event) else {
            return;
        };
        if choice.how == How::IsLost {
            let one = self.pending.remove(index);
            self.runner.stepper().lose(one.event);
        } else {
            self.pending[index].is_double = true;
        }
    }

    /// Has processes hear what they have sent to themselves, which takes no time. Returns what
    /// else has been scheduled, in order.
    fn hear_themselves(&mut self) -> Vec<Scheduled> {
        let mut new: Vec<Scheduled> = Vec::new();
        loop {
            let known = new.len();
            while let Some(event) = self.runner.stepper().world_mut().queue.pop() {
                new.push(event);
            }
            new[known..].sort_unstable_by_key(|event| event.place.sequence());
            let stepper = self.runner.stepper_ref();
            let is_own = |event: &Scheduled| {
                stepper.message_of(event).is_some_and(|(from, to, _)| from == to)
            };
            let Some(own) = new.iter().position(is_own) else { return new };
            let event = new.remove(own);
            if self.panic.is_none() {
                let now = self.runner.world_ref().now;
                self.guarded(|stepper| stepper.happen(event, now));
            }
        }
    }

    fn start(&mut self, how: How) {
        if let How::CrashesAfter { process, effects, recovers } = how {
            self.count_crash(process, recovers);
            let crash = self.crash(recovers);
            self.runner.stepper().world_mut().arm_crash(process, 0, effects, crash);
        }
        self.guarded(|stepper| stepper.start());
    }

    /// A pending event happens, in the way that was chosen.
    fn happen(&mut self, one: Pending, step: &mut Step) {
        step.what = one.what;
        step.footprint = Footprint::of(one.at);
        step.needs[0] = Some(one.cause);
        if let What::Message { from, to, .. } = one.what
            && self.is_fifo
        {
            step.needs[1] = self.arrived.insert((from, to), self.step_count - 1);
        }
        if let What::Request { process, .. } = one.what {
            step.needs[1] = self.requested[process.index()].replace(self.step_count - 1);
        }
        if let What::Timer(p) = one.what {
            let last = self.timed_out[p.index()].replace((self.step_count - 1, one.due));
            step.needs[1] = last.filter(|(_, due)| *due < one.due).map(|(step, _)| step);
            self.clocks[p.index()] = one.due;
        }
        step.after = one.after;
        step.effect_count = self.runner.stepper().effect_count(one.at);
        let mut now = self.runner.world_ref().now;
        match self.time {
            Time::Lockstep => {
                let key = self.key(&one);
                if self.last_key != Some(key) {
                    self.epoch += 1;
                }
                self.last_key = Some(key);
                step.epoch = self.epoch;
                now = now.max(one.event.place.at);
            }
            Time::Free if step.choice.event.is_early() => {
                self.timeouts[one.at.index()] += 1;
                self.runner.stepper().world_mut().failure_free = false;
            }
            Time::Free if one.is_timer() => {
                step.is_last_resort = true;
                step.footprint = Footprint::EVERYTHING;
                let passed = one.event.place.at.since(now);
                self.pass(passed);
                now = now.max(one.event.place.at);
            }
            Time::Free => {}
        }
        if let What::Notice { subject, .. } = one.what {
            step.footprint = match self.runner.world_ref().experiment.detector.kind {
                DetectorKind::Omega => step.footprint.reads_all_status(),
                _ => step.footprint.reads_status(subject),
            };
        }
        self.runner.stepper().world_mut().now = now;
        if one.is_double {
            self.duplicate(&one, step.choice);
        }
        // It may crash again while it recovers, and recover from that some time.
        if let What::Recovery(p) = one.what {
            self.will_recover &= !(1 << p.0);
        }
        match step.choice.how {
            How::CrashesAfter { process, effects: 0, recovers } => {
                self.count_crash(process, recovers);
            }
            How::CrashesAfter { process, effects, recovers } => {
                self.count_crash(process, recovers);
                let crash = self.crash(recovers);
                let stepper = self.runner.stepper();
                let count = stepper.effect_count(process);
                stepper.world_mut().arm_crash(process, count, effects, crash);
            }
            _ => {}
        }
        if let How::CrashesAfter { process, effects: 0, recovers } = step.choice.how {
            let crash = self.crash(recovers);
            self.guarded(|stepper| stepper.crash_at_rest(process, &crash));
            return;
        }
        self.guarded(|stepper| stepper.happen(one.event, now));
    }

    /// Time passes on all clocks, but not beyond a timer that is due.
    fn pass(&mut self, passed: Duration) {
        for (p, clock) in self.clocks.iter_mut().enumerate() {
            let own = self.pending.iter().filter(|one| one.is_timer() && one.at.index() == p);
            let due = own.map(|one| one.due).min().unwrap_or(Instant::MAX);
            let before = Instant::from_nanos(due.as_nanos().saturating_sub(1));
            *clock = (*clock).max((*clock + passed).min(before));
        }
    }

    /// A copy of this message, which arrives now, is on its way.
    fn duplicate(&mut self, one: &Pending, choice: Choice) {
        let stepper = self.runner.stepper();
        stepper.duplicate(&one.event);
        let Some(event) = stepper.world_mut().queue.pop() else { return };
        let id = EventId::of(choice.digest(), u64::MAX);
        let (cause, after) = (self.step_count - 1, Duration::ZERO);
        self.pending.push(Pending { id, event, cause, after, is_double: false, ..*one });
    }

    /// A crash of a process that recovers some time, or never does. In lockstep it recovers before
    /// the next messages come.
    fn crash(&self, recovers: bool) -> Crash {
        let after = match self.time {
            Time::Free => Duration::ZERO,
            Time::Lockstep => self.runner.world_ref().experiment.network.bound,
        };
        Crash { recover_after: recovers.then_some(after), ..Crash::default() }
    }

    fn count_crash(&mut self, process: ProcessId, recovers: bool) {
        self.used.crashes += 1;
        self.crashes[process.index()] += 1;
        self.crash_step[process.index()] = self.step_count - 1;
        if recovers {
            self.used.recoveries += 1;
            self.will_recover |= 1 << process.0;
        } else {
            self.down_for_good |= 1 << process.0;
        }
    }

    /// A wrong suspicion, which is withdrawn some time.
    fn suspect(&mut self, observer: ProcessId, subject: ProcessId) {
        self.used.suspicions += 1;
        *self.suspected.entry((observer, subject)).or_default() += 1;
        let world = self.runner.stepper().world_mut();
        let now = world.now;
        for suspect in [true, false] {
            world.notify_at(now, observer, &Notice { subject, suspect, mistake: true });
        }
        let first = world.queue.pop();
        if let Some(event) = first {
            self.guarded(|stepper| stepper.happen(event, now));
        }
    }

    fn guarded(&mut self, run: impl FnOnce(&mut dyn Stepper)) {
        let stepper = self.runner.stepper();
        self.panic = panics::catch(|| run(stepper)).err();
    }

    /// What has not happened: what it is, and the step that has caused it.
    pub fn left(&self) -> Vec<(What, u32)> {
        self.pending.iter().map(|one| (one.what, one.cause)).collect()
    }

    /// The draws of the last step that were chosen.
    pub(super) fn drawn(&self) -> Vec<Draw> {
        self.script.as_ref().map_or_else(Vec::new, |script| locked(script).step().to_vec())
    }

    /// The draws of the run that were chosen, with the step of each, counted from 0.
    pub fn draws(&self) -> &[(u32, Draw)] {
        &self.draws
    }

    /// Ends the run as if nothing more came, with its verdicts.
    pub(super) fn finish_at_rest(&mut self) -> Outcome {
        self.runner.finish_because(EndCause::Quiescent, self.panic.take())
    }

    /// Ends the run, with its verdicts.
    pub fn finish(&mut self) -> Outcome {
        self.has_read_clocks |= self.runner.stepper_ref().has_read_clocks();
        let is_at_rest = self.pending.is_empty();
        let cause = match (self.is_cut(), is_at_rest) {
            (true, _) => EndCause::EventLimit,
            (false, true) => EndCause::Quiescent,
            (false, false) => EndCause::Horizon,
        };
        self.runner.finish_because(cause, self.panic.take())
    }
}

fn locked(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The choice that this event just happens.
pub(super) const fn plain(event: EventId) -> Choice {
    Choice::of(event, How::Happens)
}
