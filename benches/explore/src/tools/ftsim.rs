//! ftsim: a run of each class of runs that differ only in the order of what commutes, or all
//! states.
//!
//! Votes are not among its choices: one search is made for each vector of votes.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Instant;

use ftsim_core::explore::reduced::{Part, Reduced, divide};
use ftsim_core::explore::states::{self, StateCount};
use ftsim_core::explore::{Budget, Explored, Frontier, Time};
use ftsim_core::prelude::*;
use ftsim_core::{Experiment, Observed, Runner, Verdict as Judgement};

use super::Task;
use crate::judge::{Judge, Property as Law};
use crate::machine::{Event, Machine, Out, Setup};
use crate::report::{GIVEN_UP, RUNS, Report, STEPS, Verdict, cpu_time};

/// What processes announce, and the properties.
struct Face;

const COMMIT: PropertyId = PropertyId("bench.commit");
const AGREEMENT: PropertyId = PropertyId("bench.agreement");
const LINEARIZABILITY: PropertyId = PropertyId("bench.linearizability");

impl Spec for Face {
    const NAME: &'static str = "bench";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(COMMIT, "all end alike, and none commits after a No", |_| {
            Box::new(Watch(Judge::new(Law::Commit)))
        })
        .in_any_order()
        .if_claimed(),
        PropertyEntry::safety(AGREEMENT, "one value is chosen", |_| {
            Box::new(Watch(Judge::new(Law::Agreement)))
        })
        .in_any_order()
        .if_claimed(),
        PropertyEntry::safety(LINEARIZABILITY, "operations have an order", |_| {
            Box::new(Watch(Judge::new(Law::Linearizability)))
        })
        .if_claimed(),
    ];
    type Request = Never;
    type Indication = Event;
    type WorkloadSettings = NoParams;
    type Workload = Nobody;

    fn workload(_: &NoParams, _: &Setting) -> Result<Nobody, Invalid> {
        Ok(Nobody)
    }
}

/// There are no clients but the processes.
#[derive(Clone, Hash)]
struct Nobody;

impl Workload<Face> for Nobody {
    const IS_PER_PROCESS: bool = true;
    fn on_start(&mut self, _: &mut Ask<'_, Face>) {}
}

/// A judge as a property.
#[derive(Clone, Hash)]
struct Watch(Judge);

impl Property<Face> for Watch {
    fn observe(&mut self, event: &Observed<'_, Face>) -> Result<(), Violation> {
        match event.what {
            Observation::Indication(what) if !self.0.note(event.process.0, *what) => {
                Err(Violation::by([event.process], "it does not hold"))
            }
            _ => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.0.seen
    }
}

/// A machine as a process.
#[derive(Clone, Debug, Hash)]
struct Host<M>(M);

impl<M: Machine> Process for Host<M> {
    type Spec = Face;
    type Msg = M::Msg;
    type Timer = Never;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        self.0.start(cx);
    }

    fn on_request(&mut self, request: Never, _: &mut Cx<Self>) {
        match request {}
    }

    fn on_message(&mut self, from: ProcessId, msg: M::Msg, cx: &mut Cx<Self>) {
        self.0.receive(from.0, msg, cx);
    }
}

impl<M: Machine> Out<M::Msg> for Cx<'_, Host<M>> {
    fn send(&mut self, to: u32, msg: M::Msg) {
        Cx::send(self, ProcessId(to), msg);
    }

    fn tell(&mut self, event: Event) {
        self.indicate(event);
    }

    fn ask(&mut self) {
        unreachable!("votes are settled before");
    }
}

impl<M: Machine> Protocol for Host<M> {
    const NAME: &'static str = "bench";
    const SUMMARY: &'static str = "a machine of the bench";
    const SOURCE: &'static str = "none";
    type Params = Setup;

    fn model(_: &Setup, _: &Setting) -> Model {
        Model::ASYNCHRONOUS
    }

    fn new(setup: &Setup, _: &Setting, me: ProcessId) -> Self {
        Self(M::new(setup, me.0))
    }
}

/// What can be chosen in runs of this size.
fn frontier<M: Machine>(setup: &Setup, law: Law) -> Frontier {
    let mut experiment = Experiment::new(Setting::of(M::count(setup)));
    experiment.check = vec![match law {
        Law::Commit => COMMIT,
        Law::Agreement => AGREEMENT,
        Law::Linearizability => LINEARIZABILITY,
    }];
    let experiment = Time::Free.strip(&experiment);
    let runner = Runner::new::<Host<M>>(experiment, setup.clone(), &NoParams {});
    let budget = Budget { steps: 512, ..Budget::default() };
    Frontier::new(runner.expect("a setup is valid"), Time::Free, budget)
}

/// The parts into which the search is divided for several threads, where there is but one.
const PART_COUNT: usize = 64;

/// A part of a search: of this size, and these runs of it.
struct Job<'a> {
    setup: &'a Setup,
    part: Part,
}

/// Searches all runs of all vectors of votes. Threads share the vectors, or parts of the search.
pub fn search<M: Machine>(task: &Task) -> Report {
    let started = Instant::now();
    let vectors = vectors(task);
    let part_count = if task.threads > 1 && vectors.len() == 1 { PART_COUNT } else { 1 };
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for setup in &vectors {
        let mut frontier = frontier::<M>(setup, task.property);
        let (parts, count) = divide(&mut frontier, SEED, part_count);
        STEPS.fetch_add(count.steps, Ordering::Relaxed);
        jobs.extend(parts.into_iter().map(|part| Job { setup, part }));
    }
    let (next, ending) = (AtomicUsize::new(0), AtomicU8::new(ALL));
    let work = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            make::<M>(job, task, &ending);
            if ending.load(Ordering::Relaxed) != ALL {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..task.threads {
            scope.spawn(work);
        }
        work();
    });
    let verdict = match ending.into_inner() {
        ALL => Verdict::Held,
        VIOLATED => Verdict::Violated,
        _ => Verdict::Unfinished,
    };
    Report::new(verdict, started.elapsed())
}

/// Searches all states, of one vector of votes after the other.
pub fn search_states<M: Machine>(task: &Task) -> Report {
    let started = Instant::now();
    let (mut verdict, mut states) = (Verdict::Held, 0);
    for setup in vectors(task) {
        let mut frontier = frontier::<M>(&setup, task.property);
        let visit = &mut |explored: &Explored<'_>| match is_violated(explored) {
            true => {
                verdict = Verdict::Violated;
                ControlFlow::Break(())
            }
            false => ControlFlow::Continue(()),
        };
        let go_on = &mut |_: &StateCount| match cpu_time() >= task.limit {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let (count, seen, flow) = states::explore(&mut frontier, SEED, visit, go_on);
        STEPS.fetch_add(count.steps, Ordering::Relaxed);
        states += seen.states;
        if flow.is_break() {
            if verdict == Verdict::Held {
                verdict = Verdict::Unfinished;
            }
            break;
        }
    }
    Report { states, ..Report::new(verdict, started.elapsed()) }
}

/// The setups that are searched: one for each vector of votes.
fn vectors(task: &Task) -> Vec<Setup> {
    match task.property {
        Law::Commit => (0..1u32 << task.setup.servers)
            .map(|votes| Setup { votes: Some(votes), ..task.setup.clone() })
            .collect(),
        _ => vec![task.setup.clone()],
    }
}

fn is_violated(explored: &Explored<'_>) -> bool {
    assert!(explored.outcome.panicked.is_none() && !explored.is_cut, "a run that ends");
    let mut judged = explored.outcome.judged.iter();
    judged.any(|one| matches!(one.verdict, Judgement::Violated(_)))
}

const SEED: u64 = 1;

/// How a search ends: with all seen, with a violation, or because time is up.
const ALL: u8 = 0;
const VIOLATED: u8 = 1;
const LATE: u8 = 2;

/// Searches the runs of a job, unless the search ends before.
fn make<M: Machine>(job: &Job<'_>, task: &Task, ending: &AtomicU8) {
    let mut runs = 0u32;
    let mut frontier = frontier::<M>(job.setup, task.property);
    let (count, _) = Reduced::of(&mut frontier, SEED, &job.part).explore(&mut |explored| {
        if is_violated(explored) {
            ending.store(VIOLATED, Ordering::Relaxed);
        }
        runs += 1;
        if runs.is_multiple_of(1024) && cpu_time() >= task.limit {
            let _ = ending.compare_exchange(ALL, LATE, Ordering::Relaxed, Ordering::Relaxed);
        }
        match ending.load(Ordering::Relaxed) {
            ALL => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    });
    RUNS.fetch_add(count.runs, Ordering::Relaxed);
    GIVEN_UP.fetch_add(count.redundant, Ordering::Relaxed);
    STEPS.fetch_add(count.steps, Ordering::Relaxed);
}
