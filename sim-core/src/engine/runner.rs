//! Runs of one scenario: the one way to make them.

use std::io::{self, Write};
use std::mem;
use std::sync::Arc;

use crate::digest::Digest;
use crate::engine::beacon::Beacon;
use crate::engine::event::Scheduled;
use crate::engine::panics;
use crate::engine::simulation::Simulation;
use crate::engine::stall;
use crate::engine::stepper::Stepper;
use crate::engine::world::World;
use crate::experiment::Experiment;
use crate::fault::Plan;
use crate::fault::random::Profile;
use crate::id::ProcessId;
use crate::model::property::{EndCause, Stall};
use crate::model::protocol::Protocol;
use crate::model::setting::Invalid;
use crate::model::spec::Spec;
use crate::outcome::Outcome;
use crate::outcome::decisions::RecordedSchedule;
use crate::outcome::operations::OperationEvent;
use crate::outcome::tape::Tape;
use crate::outcome::trace::Trace;

/// A record that is written while the run goes on is written in pieces of this many bytes.
const TAPE_WRITTEN_FROM: usize = 1 << 16;

/// Which run.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// All that is drawn is drawn from it.
    pub seed: u64,
    /// The faults; `None` for those of the experiment and the seed.
    pub plan: Option<Arc<Plan>>,
}

impl RunRequest {
    /// The run of this seed under this plan, instead of the experiment's and the seed's own.
    pub fn under(seed: u64, plan: impl Into<Arc<Plan>>) -> Self {
        Self { seed, plan: Some(plan.into()) }
    }
}

impl From<u64> for RunRequest {
    /// The run of this seed.
    fn from(seed: u64) -> Self {
        Self { seed, plan: None }
    }
}

/// A protocol in a world: makes any number of runs, one after the other.
///
/// It can also be driven step by step: [`begin`](Self::begin), then [`step`](Self::step), or
/// [`execute`](Self::execute) what is [`pending`](Self::pending) in any order. A clone goes its own
/// way, and [`fingerprint`](Self::fingerprint) compares states.
pub struct Runner {
    stepper: Box<dyn Stepper>,
}

impl Clone for Runner {
    fn clone(&self) -> Self {
        Self { stepper: self.stepper.fork() }
    }
}

impl Runner {
    /// Puts the protocol into the world.
    ///
    /// # Errors
    /// When the protocol or its spec refuses a setting; keys begin with `params` or `workload`.
    /// When an override replaces a message by what is none of the protocol's, or a request by what
    /// is none of its problem's; keys begin with `message` or `request`.
    pub fn new<P: Protocol>(
        experiment: Experiment,
        params: P::Params,
        workload: &<P::Spec as Spec>::WorkloadSettings,
    ) -> Result<Self, Invalid> {
        let simulation = Simulation::<P>::new(experiment, params, workload)?;
        Ok(Self { stepper: Box::new(simulation) })
    }

    /// Shows on `beacon` what runs do, from now on.
    pub fn show_on(&mut self, beacon: Beacon) {
        self.world().beacon = beacon;
    }

    /// Makes a run.
    pub fn run(&mut self, request: impl Into<RunRequest>) -> Outcome {
        self.execute_all(request.into(), None)
    }

    /// Makes a run, and records what happens.
    pub fn record(&mut self, request: impl Into<RunRequest>) -> (Outcome, Trace) {
        self.world().recording.tape = Some(Tape::new(Trace::ENTRY_COUNT_MAX as u64));
        let outcome = self.run(request);
        (outcome, self.world().recording.tape.take().map(Trace::of).unwrap_or_default())
    }

    /// Makes a run, and writes what happens while it goes on: a tape for a
    /// [`TapeReader`](crate::outcome::tape::TapeReader). Memory does not grow with the length of
    /// the run.
    ///
    /// # Errors
    /// Those of `out`; the run ends there.
    pub fn record_to(
        &mut self,
        request: impl Into<RunRequest>,
        out: &mut dyn Write,
    ) -> io::Result<Outcome> {
        self.world().recording.tape = Some(Tape::new(u64::MAX));
        let mut written = Ok(());
        let mut write = |world: &mut World| {
            if let Some(tape) = &mut world.recording.tape
                && tape.bytes().len() >= TAPE_WRITTEN_FROM
            {
                written = out.write_all(tape.bytes());
                tape.clear();
                if written.is_err() {
                    world.ended = Some(EndCause::EventLimit);
                }
            }
        };
        let outcome = self.execute_all(request.into(), Some(&mut write));
        let tape = self.world().recording.tape.take();
        written?;
        if let Some(mut tape) = tape {
            tape.end();
            out.write_all(tape.bytes())?;
        }
        Ok(outcome)
    }

    /// Makes a run, and takes down what became of each message, how long each notice of the oracle
    /// took, and what the clients asked for: as data that makes the same run. Not of messages that
    /// a transport carries.
    pub fn schedule(&mut self, request: impl Into<RunRequest>) -> (Outcome, RecordedSchedule) {
        self.world().recording.decisions = Some(RecordedSchedule::default());
        let outcome = self.run(request);
        let world = self.world();
        let mut schedule = world.recording.decisions.take().unwrap_or_default();
        schedule.has_drawn_requests = world.draws.workload.has_drawn();
        (outcome, schedule)
    }

    /// Makes a run, and records the operations of its clients, in order.
    pub fn operations(&mut self, request: impl Into<RunRequest>) -> (Outcome, Vec<OperationEvent>) {
        self.world().recording.operations = Some(Vec::new());
        let outcome = self.run(request);
        (outcome, self.world().recording.operations.take().unwrap_or_default())
    }

    /// The state of every process, as `Debug` shows it, after this many steps of a run. All have
    /// started in any case.
    pub fn states(&mut self, request: impl Into<RunRequest>, step: u64) -> Vec<String> {
        let request = request.into();
        let seed = request.seed;
        self.set_plan(request);
        let stepper = &mut *self.stepper;
        // A panic is judged where the run is; here it is only as far as one can look.
        let _panic = panics::catch(|| {
            stepper.reset(seed);
            stepper.start();
            while stepper.world().step < step
                && let Some(event) = stepper.next_event()
            {
                stepper.execute(event);
            }
        });
        self.world().forget_plan();
        self.stepper.states()
    }

    /// Makes a run, and shows the state of each process after every step that may have changed it:
    /// the number of the step, the process, and its state as `Debug` shows it.
    pub fn watch(
        &mut self,
        request: impl Into<RunRequest>,
        see: &mut dyn FnMut(u64, ProcessId, String),
    ) {
        let request = request.into();
        let seed = request.seed;
        self.set_plan(request);
        let stepper = &mut *self.stepper;
        // A panic is judged where the run is; here it is only as far as one can look.
        let _panic = panics::catch(|| {
            stepper.reset(seed);
            stepper.start();
            let n = stepper.world().experiment.setting.n;
            for p in (0..n).map(ProcessId) {
                see(stepper.world().step, p, stepper.state(p));
            }
            while let Some(event) = stepper.next_event() {
                let process = stepper.process_of(&event);
                stepper.execute(event);
                let all = process.map_or(0..n, |p| p.0..p.0 + 1);
                for p in all.map(ProcessId) {
                    see(stepper.world().step, p, stepper.state(p));
                }
            }
        });
        self.world().forget_plan();
    }

    /// When each process has its effects in the run of this seed, if no fault strikes.
    pub fn profile(&mut self, seed: u64) -> Profile {
        let world = self.world();
        let n = world.experiment.setting.n as usize;
        world.profile = Some(Profile { effects: vec![Vec::new(); n] });
        let recording = mem::take(&mut world.recording);
        let stepper = &mut *self.stepper;
        // A panic shows again in the run itself, where it is judged.
        let _panic = panics::catch(|| {
            stepper.reset(seed);
            stepper.run_to_end();
        });
        let world = self.world();
        world.recording = recording;
        world.profile.take().unwrap_or_default()
    }

    /// Begins a run that is driven step by step: all processes have started.
    pub fn begin(&mut self, request: impl Into<RunRequest>) {
        let request = request.into();
        let seed = request.seed;
        self.set_plan(request);
        self.stepper.reset(seed);
        self.stepper.start();
    }

    /// Has the earliest event happen. False if the run has ended: at a limit, or because nothing is
    /// left to happen.
    pub fn step(&mut self) -> bool {
        let event = self.stepper.next_event();
        if let Some(event) = event {
            self.stepper.execute(event);
        }
        event.is_some()
    }

    /// What can happen next, in the order in which a run of its own accord would have it.
    pub fn pending(&mut self) -> Vec<Scheduled> {
        self.stepper.settle_timers();
        let mut pending: Vec<_> = self.world().queue.iter().copied().collect();
        pending.sort_unstable();
        pending
    }

    /// Has this event happen now, whenever it is due; time does not run backwards. False if it is
    /// not pending, or the run has ended.
    pub fn execute(&mut self, event: Scheduled) -> bool {
        let world = self.world();
        let is_pending = world.ended.is_none() && world.queue.take(event);
        if is_pending {
            self.stepper.execute(event);
        }
        is_pending
    }

    /// The process that this event happens at; `None` for what changes the world around them.
    pub fn process_of(&self, event: &Scheduled) -> Option<ProcessId> {
        self.stepper.process_of(event)
    }

    /// The state: equal for two that behave alike under equal choices. What was drawn, the numbers
    /// of messages, and how much happened before are not part of it; times count from now.
    pub fn fingerprint(&self) -> Digest {
        self.stepper.fingerprint()
    }

    /// Ends a run that was driven step by step, with the verdicts as they stand.
    pub fn finish(&mut self) -> Outcome {
        let outcome = self.stepper.finish(None);
        self.world().forget_plan();
        outcome
    }

    /// What runs the protocol, for an explorer that chooses what happens next.
    pub(crate) fn stepper(&mut self) -> &mut dyn Stepper {
        &mut *self.stepper
    }

    /// What runs the protocol.
    pub(crate) fn stepper_ref(&self) -> &dyn Stepper {
        &*self.stepper
    }

    /// What does not depend on the protocol.
    pub(crate) fn world_ref(&self) -> &World {
        self.stepper.world()
    }

    /// Ends a run that an explorer has driven, for this reason unless it has ended before.
    pub(crate) fn finish_because(
        &mut self,
        cause: EndCause,
        panic: Option<panics::Raised>,
    ) -> Outcome {
        self.world().ended.get_or_insert(cause);
        let outcome = self.stepper.finish(panic);
        self.world().forget_plan();
        outcome
    }

    fn world(&mut self) -> &mut World {
        self.stepper.world_mut()
    }

    /// Makes a run, and does this after each event.
    fn execute_all(
        &mut self,
        request: RunRequest,
        after_each: Option<&mut dyn FnMut(&mut World)>,
    ) -> Outcome {
        let seed = request.seed;
        self.set_plan(request);
        let stepper = &mut *self.stepper;
        let panic = panics::catch(|| {
            stepper.reset(seed);
            match after_each {
                None => stepper.run_to_end(),
                Some(after_each) => {
                    stepper.start();
                    while let Some(event) = stepper.next_event() {
                        stepper.execute(event);
                        after_each(stepper.world_mut());
                    }
                }
            }
        });
        let mut outcome = self.stepper.finish(panic.err());
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
        self.world().forget_plan();
        outcome
    }

    /// Something was owed when time was up: the same run once more, to say why. A panic would have
    /// come the first time.
    fn run_again_for_the_stall(&mut self, seed: u64, steps: u64) -> Option<Stall> {
        let world = self.world();
        let recording = mem::take(&mut world.recording);
        let stepper = &mut *self.stepper;
        let stall = panics::catch(|| {
            stepper.reset(seed);
            stall::find(stepper, steps)
        });
        let world = self.world();
        world.recording = recording;
        stall.ok()
    }

    /// The faults of the next run are those of the request, or else the experiment's and the
    /// seed's.
    pub(super) fn set_plan(&mut self, request: RunRequest) {
        let plan = request.plan.or_else(|| self.drawn_plan(request.seed));
        if let Some(plan) = plan {
            self.world().plan = plan;
        }
    }

    /// The experiment's faults and those that this seed draws, if it draws any.
    fn drawn_plan(&mut self, seed: u64) -> Option<Arc<Plan>> {
        let experiment = Arc::clone(&self.world().experiment);
        if experiment.random.is_none() && experiment.choices.is_empty() {
            return None;
        }
        let mut plan = experiment.plan.clone();
        for (number, choice) in (0u32..).zip(&experiment.choices) {
            choice.make(&mut plan, number, seed);
        }
        if let Some(random) = &experiment.random {
            plan.faults.extend(random.draw(seed, &self.profile(seed)).faults);
        }
        Some(Arc::new(plan))
    }
}
