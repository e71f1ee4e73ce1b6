//! A run in lockstep under a fault pattern, as its steps and effects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::pattern::{MessageName, Pattern, Point};
use crate::engine::event::{Class, Scheduled};
use crate::engine::panics;
use crate::engine::runner::Runner;
use crate::engine::stepper::Stepper;
use crate::engine::world::EffectMark;
use crate::id::{MessageId, ProcessId};
use crate::model::property::EndCause;
use crate::outcome::Outcome;
use crate::time::Instant;

/// A run that is over.
pub(super) struct Run {
    pub outcome: Outcome,
    /// The steps of all processes, in order.
    pub steps: Vec<Step>,
    /// How many of them belong to the start of the processes.
    pub start_count: usize,
    /// What became of each message that has arrived, or has been lost on the way.
    pub messages: BTreeMap<MessageId, Fate>,
    /// The messages that came in time to a process that was up.
    pub in_time: BTreeSet<MessageName>,
    /// The messages that would have, but were late.
    pub late: BTreeSet<MessageName>,
    /// Whether it was cut off before its end.
    pub is_cut: bool,
}

/// A step of one process.
#[derive(Debug)]
pub(super) struct Step {
    pub at: Instant,
    pub process: ProcessId,
    pub kind: Kind,
    /// The effects of its handler, in order.
    pub effects: Vec<Effect>,
    /// Whether properties saw anything of it.
    pub is_visible: bool,
    /// Whether its handler left the state of the process as it was.
    pub keeps_state: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Start,
    /// A message of another process.
    Message(MessageName),
    Request,
    /// A timer, a notice, or a message of its own.
    Other,
    /// It crashes.
    Crash,
}

/// An effect of a handler.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effect {
    /// Its number among the effects of the process, from 1.
    pub nth: u64,
    /// The message, if it is one, to whomever.
    pub message: Option<MessageId>,
    /// Whether properties saw it.
    pub is_visible: bool,
}

/// What became of a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// It was lost, or its receiver was down.
    Gone,
    /// It was handled in this step, by another process than its sender.
    Handled(usize),
    /// Its sender handled it.
    Own,
}

impl Run {
    /// Makes the run of this seed under this pattern. A run without faults is judged as if it had
    /// some when `is_faulty` says so.
    pub fn make(
        runner: &mut Runner,
        seed: u64,
        pattern: &Pattern,
        step_count_max: u32,
        is_faulty: bool,
    ) -> Self {
        let stepper = runner.stepper();
        let world = stepper.world_mut();
        world.plan = Arc::new(pattern.plan());
        world.recording.effects = Some(Vec::new());
        let mut recorder = Recorder::new(pattern, world.experiment.setting.n);
        let mut start_count = 0;
        let panic = panics::catch(|| {
            stepper.reset(seed);
            stepper.start();
            recorder.note_starts(stepper);
            start_count = recorder.steps.len();
            while recorder.steps.len() < step_count_max as usize
                && let Some(event) = stepper.next_event()
            {
                recorder.take(stepper, event);
            }
        });
        let world = stepper.world_mut();
        world.recording.effects = None;
        world.failure_free &= !is_faulty;
        if world.ended == Some(EndCause::Quiescent) {
            // Nothing happens until time is up.
            world.now = world.experiment.limits.horizon;
        }
        let panic = panic.err();
        let cause = if panic.is_some() { EndCause::Violated } else { EndCause::EventLimit };
        let outcome = runner.finish_because(cause, panic);
        let limits = [EndCause::EventLimit, EndCause::MemoryLimit, EndCause::Hung];
        Self {
            is_cut: outcome.panicked.is_none() && limits.contains(&outcome.cause),
            outcome,
            steps: recorder.steps,
            start_count,
            messages: recorder.messages,
            in_time: recorder.in_time,
            late: recorder.late.into_values().collect(),
        }
    }

    /// The points that processes passed without crashing, or at which they crashed, and when.
    pub fn points(&self) -> impl Iterator<Item = (ProcessId, Point, Instant)> {
        let steps = self.steps.iter().filter(|step| step.kind != Kind::Crash);
        steps.flat_map(|step| {
            let begins = (step.kind != Kind::Start).then_some(Point::At(step.at));
            let effects = step.effects.iter().map(|effect| Point::After(effect.nth));
            begins.into_iter().chain(effects).map(|point| (step.process, point, step.at))
        })
    }
}

/// Takes down the steps of a run while it is made.
struct Recorder<'a> {
    pattern: &'a Pattern,
    steps: Vec<Step>,
    messages: BTreeMap<MessageId, Fate>,
    in_time: BTreeSet<MessageName>,
    /// The late messages that have been put off.
    late: BTreeMap<MessageId, MessageName>,
    /// How many messages of each kind have arrived on each link, or should have.
    arrived: BTreeMap<(ProcessId, ProcessId, u32), u64>,
    is_up: Vec<bool>,
    effect_counts: Vec<u64>,
    /// The marks that have been read, and the last.
    mark_count: usize,
    message_count: u64,
}

impl<'a> Recorder<'a> {
    fn new(pattern: &'a Pattern, n: u32) -> Self {
        Self {
            pattern,
            steps: Vec::new(),
            messages: BTreeMap::new(),
            in_time: BTreeSet::new(),
            late: BTreeMap::new(),
            arrived: BTreeMap::new(),
            is_up: vec![true; n as usize],
            effect_counts: vec![0; n as usize],
            mark_count: 0,
            message_count: 0,
        }
    }

    /// All processes have started, one after the other.
    fn note_starts(&mut self, stepper: &dyn Stepper) {
        let marks = new_marks(stepper, self.mark_count).to_vec();
        let mut observed = 0;
        for p in (0u32..).zip(self.is_up.clone()).map(|(p, _)| ProcessId(p)) {
            let own: Vec<EffectMark> =
                marks.iter().filter(|mark| mark.process == p).copied().collect();
            let effects = self.effects(&own, observed);
            observed = own.last().map_or(observed, |mark| mark.observed);
            let is_visible = effects.iter().any(|effect| effect.is_visible);
            let (at, kind) = (Instant::ZERO, Kind::Start);
            self.push(Step { at, process: p, kind, effects, is_visible, keeps_state: false });
            self.note_crashes(stepper, Some(p));
        }
    }

    /// Has this event happen, unless the pattern loses its message or has it late.
    fn take(&mut self, stepper: &mut dyn Stepper, event: Scheduled) {
        let message = stepper.message_id(&event);
        let put_off = message.and_then(|id| self.late.get(&id).copied());
        let kind = put_off.map_or_else(|| self.kind(stepper, &event), Kind::Message);
        let process = stepper.process_of(&event);
        let is_up = process.is_some_and(|p| stepper.is_up(p));
        if let (Some(id), false) = (message, is_up) {
            self.messages.insert(id, Fate::Gone);
        }
        if let (Kind::Message(name), Some(id), true) = (kind, message, is_up)
            && self.pattern.lost.contains(&name)
        {
            self.messages.insert(id, Fate::Gone);
            let world = stepper.world_mut();
            world.now = world.now.max(event.place.at);
            stepper.lose(event);
            return;
        }
        if let (Kind::Message(name), Some(id), true, None) = (kind, message, is_up, put_off) {
            if let Some(delay) = self.pattern.late.get(&name) {
                let world = stepper.world_mut();
                let more = *delay - world.experiment.network.bound;
                let place = event.place.moved_to(event.place.at + more);
                world.queue.push(place, event.subject(), event.detail());
                self.late.insert(id, name);
                return;
            }
            self.in_time.insert(name);
        }
        let Some(p) = process.filter(|_| is_up) else {
            stepper.execute(event);
            self.note_crashes(stepper, None);
            return;
        };
        let before = stepper.state_digest(p);
        let (step_count, observed) = (stepper.world().step, stepper.world().observed);
        // Should the handler panic, this is what is known of the step.
        let at = stepper.world().now.max(event.place.at);
        let index = self.steps.len();
        let step =
            Step { at, process: p, kind, effects: vec![], is_visible: true, keeps_state: false };
        self.push(step);
        if let Some(id) = message {
            let is_own = !matches!(kind, Kind::Message(_));
            self.messages.insert(id, if is_own { Fate::Own } else { Fate::Handled(index) });
        }
        stepper.execute(event);
        let marks = new_marks(stepper, self.mark_count).to_vec();
        let world = stepper.world();
        if world.step == step_count && marks.is_empty() {
            // A timer that was cancelled, or a notice that was late: nothing happened.
            self.steps.pop();
            return;
        }
        let asked = u64::from(kind == Kind::Request);
        let effects = self.effects(&marks, observed + asked);
        let step = &mut self.steps[index];
        step.effects = effects;
        step.is_visible = world.observed > observed;
        step.keeps_state = before == stepper.state_digest(p);
        self.note_crashes(stepper, None);
    }

    fn kind(&mut self, stepper: &dyn Stepper, event: &Scheduled) -> Kind {
        if let Some((from, to, kind)) = stepper.message_of(event)
            && from != to
        {
            // Every message takes the same time: the order of arrival is that of sending.
            let nth = self.arrived.entry((from, to, kind.code())).or_default();
            *nth += 1;
            return Kind::Message(MessageName { from, to, kind, nth: *nth });
        }
        match event.place.class() {
            Class::Request => Kind::Request,
            _ => Kind::Other,
        }
    }

    /// What the marks of one handler say, before which properties were shown this many events.
    fn effects(&mut self, marks: &[EffectMark], mut observed: u64) -> Vec<Effect> {
        self.mark_count += marks.len();
        let mut effects = Vec::with_capacity(marks.len());
        for mark in marks {
            let count = &mut self.effect_counts[mark.process.index()];
            *count += 1;
            let sends = mark.messages > self.message_count;
            effects.push(Effect {
                nth: *count,
                message: sends.then(|| MessageId(mark.messages - 1)),
                is_visible: mark.observed > observed,
            });
            (self.message_count, observed) = (mark.messages, mark.observed);
        }
        effects
    }

    /// Takes down who has crashed since; of all processes, or of this one.
    fn note_crashes(&mut self, stepper: &dyn Stepper, only: Option<ProcessId>) {
        for p in (0..self.is_up.len()).map(|p| ProcessId(u32::try_from(p).unwrap_or(u32::MAX))) {
            if only.is_none_or(|only| only == p) && self.is_up[p.index()] && !stepper.is_up(p) {
                self.is_up[p.index()] = false;
                let (at, kind) = (stepper.world().now, Kind::Crash);
                let effects = Vec::new();
                let (is_visible, keeps_state) = (true, false);
                self.push(Step { at, process: p, kind, effects, is_visible, keeps_state });
            }
        }
    }

    fn push(&mut self, step: Step) {
        self.steps.push(step);
    }
}

/// The marks after the first so many.
fn new_marks(stepper: &dyn Stepper, count: usize) -> &[EffectMark] {
    let marks = stepper.world().recording.effects.as_deref().unwrap_or_default();
    marks.get(count..).unwrap_or_default()
}
