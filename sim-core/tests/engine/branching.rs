//! Other futures of a run: they have its past, and draw the rest anew.

use std::collections::BTreeSet;

use ftsim_core::adversary::Behaviour;
use ftsim_core::experiment::Ties;
use ftsim_core::fault::Action;
use ftsim_core::outcome::trace::{Entry, TraceEvent};
use ftsim_core::{Instant, Outcome, ProcessId, RunRequest, Runner, Trace};

use crate::runs::busy;
use crate::scripted::{Do, Stage, at};
use crate::worlds::draw::World;
use crate::worlds::groups::GROUPS;

/// Worlds of each group.
const WORLD_COUNT: u64 = 2;

/// Groups of worlds in which a seed decides nothing before the first step.
const SIMPLE: [&str; 12] = [
    "calm",
    "delays",
    "losses",
    "orders",
    "stabilisation",
    "partitions",
    "slow and paused",
    "crashes",
    "disks",
    "perfect detectors",
    "omega",
    "heartbeats",
];

fn worlds() -> impl Iterator<Item = (String, World)> {
    (0u64..).zip(GROUPS).flat_map(|(number, (name, change))| {
        (0..WORLD_COUNT).map(move |index| {
            let mut world = World::calm(number * 1_000 + index);
            change(&mut world);
            (format!("{name} {index}"), world)
        })
    })
}

/// The runner, driven to this step of the recorded run.
fn driven(runner: &Runner, seed: u64, step: u64) -> (Runner, u64) {
    let mut runner = runner.clone();
    runner.begin_unstarted_recorded(seed);
    let made = runner.advance(step).expect("nothing panics");
    (runner, made)
}

/// What happened up to this step and this time. The completion of a sync, by which the next step
/// can begin, has the number of this one.
fn past(trace: &Trace, (step, at): (u64, Instant)) -> &[Entry] {
    let is_past = |entry: &Entry| entry.step <= step && entry.at <= at;
    let until = trace.entries.iter().position(|entry| !is_past(entry));
    &trace.entries[..until.unwrap_or(trace.entries.len())]
}

#[test]
fn a_run_that_is_driven_in_pieces_is_the_run() {
    for (name, world) in worlds() {
        let mut runner = world.runner();
        let whole = runner.run(3);
        runner.begin_unstarted(3);
        for step in (0..=whole.statistics.events).step_by(3) {
            let made = runner.advance(step).expect("nothing panics");
            assert!(made >= step, "{name}: {made} steps of {step}");
        }
        while runner.step() {}
        assert_eq!(runner.finish().digest, whole.digest, "{name}");
    }
}

#[test]
fn before_the_first_step_the_futures_are_the_runs_of_their_seeds() {
    let mut count = 0u64;
    for (name, world) in worlds() {
        // Of others, a seed decides something before the first step, or the keys of processes,
        // which stay, matter to the length or the content of messages.
        if !SIMPLE.iter().any(|simple| name.starts_with(simple)) {
            continue;
        }
        count += 1;
        // A seed draws these before the first step.
        if world.experiment.detector.random_mistakes.is_some() {
            continue;
        }
        let mut runner = world.runner();
        let plan = runner.run(5).plan;
        runner.begin_unstarted(RunRequest::under(5, plan.clone()));
        for seed in 70..73 {
            let mut future = runner.other_future(seed);
            let mut run = world.runner().run(RunRequest::under(seed, plan.clone()));
            // Not their digests and bytes: the keys that sign what they say are others.
            (future.statistics.bytes, run.statistics.bytes) = (None, None);
            assert_eq!(future.statistics, run.statistics, "{name}");
            assert_eq!((future.at, future.latencies), (run.at, run.latencies), "{name}");
        }
    }
    assert_eq!(count, SIMPLE.len() as u64 * WORLD_COUNT);
}

#[test]
fn futures_have_one_past_and_then_differ() {
    let mut differing = 0;
    let mut all = 0;
    for (name, world) in worlds() {
        let mut runner = world.runner();
        let (outcome, trace) = runner.record(7);
        let steps = outcome.statistics.events;
        for step in [0, 1, 2, steps / 3, steps / 2, steps - 1] {
            let (branch, made) = driven(&runner, 7, step);
            let begun = trace.entries.iter().find(|entry| entry.step == made);
            let is_after = begun.is_none_or(|entry| entry.at <= branch.now());
            assert!(is_after, "{name}: step {made} began after {}", branch.now());
            let futures: Vec<(Outcome, Trace)> =
                (0..4).map(|seed| branch.record_other_future(1_000 + seed)).collect();
            for (future, record) in &futures {
                let until = (made, branch.now());
                assert!(past(record, until) == past(&trace, until), "{name}, step {step}");
                let (faults, others) = (&outcome.plan.faults, &future.plan.faults);
                assert_eq!(faults, others, "{name}: the faults are those of the run");
            }
            let digests = futures.iter().map(|(future, _)| future.digest.value());
            all += 1;
            differing += usize::from(digests.collect::<BTreeSet<_>>().len() > 1);
            // The same seed, the same future; recorded or not.
            let again = driven(&runner, 7, step).0.other_future(1_002).digest;
            assert_eq!(again, futures[2].0.digest, "{name}, step {step}");
        }
    }
    assert!(differing * 2 > all, "{differing} of {all} have different futures");
}

#[test]
fn after_the_last_step_there_is_one_future() {
    for (name, world) in worlds() {
        let mut runner = world.runner();
        let outcome = runner.run(9);
        runner.begin_unstarted(9);
        runner.advance(outcome.statistics.events).expect("nothing panics");
        for seed in 0..3 {
            assert_eq!(runner.other_future(seed).digest, outcome.digest, "{name}");
        }
    }
}

#[test]
fn a_future_can_begin_after_any_start() {
    let mut runner = busy().simulation();
    for step in 0..=4 {
        runner.begin_unstarted_recorded(1);
        assert_eq!(runner.advance(step), Some(step));
        let (_, trace) = runner.record_other_future(2);
        let starts = trace.entries.iter().filter(|entry| entry.what == TraceEvent::Start);
        assert_eq!(starts.count(), 4, "the others start later");
    }
}

#[test]
fn a_process_tosses_other_coins_from_then_on() {
    let lines: Vec<_> = (0..6).map(|at| (at * 10, 0, vec![Do::Toss])).collect();
    let mut runner = Stage::new(1, &lines).simulation();
    let tosses = |trace: &Trace| -> Vec<String> {
        let said = trace.entries.iter().filter_map(|entry| match &entry.what {
            TraceEvent::Indicate { what, .. } => Some(what.clone()),
            _ => None,
        });
        said.collect()
    };
    let (_, trace) = runner.record(1);
    let (own, (branch, _)) = (tosses(&trace), driven(&runner, 1, 4));
    let other = tosses(&branch.record_other_future(1_000).1);
    assert_eq!((own.len(), other.len()), (6, 6));
    assert_eq!(own[..3], other[..3], "one start and three requests");
    assert!(own[3..].iter().zip(&other[3..]).all(|(one, other)| one != other));
}

/// What p0 hears or, if `p0` is false, what the others hear of it, in a future of this run after so
/// many deliveries of that kind, and in the run itself.
fn deliveries(trace: &Trace, to_p0: bool) -> Vec<(u64, String)> {
    let heard = trace.entries.iter().filter_map(|entry| match (&entry.what, entry.process) {
        (TraceEvent::Deliver { from, message, .. }, Some(p)) if (p.0 == 0) == to_p0 => {
            Some((entry.step, format!("{from} to {p}: {message}")))
        }
        _ => None,
    });
    heard.collect()
}

/// Asserts that futures which begin after half of these deliveries share them, and that some differ
/// in the others.
fn differ_after_half(stage: &Stage, to_p0: bool) {
    let mut runner = stage.simulation();
    let own = deliveries(&runner.record(1).1, to_p0);
    let (past, rest) = own.split_at(own.len() / 2);
    let (branch, _) = driven(&runner, 1, past.last().expect("a delivery").0);
    let mut differing = 0;
    for seed in 100..120 {
        let other = deliveries(&branch.record_other_future(seed).1, to_p0);
        assert_eq!(other[..past.len()], *past);
        differing += u32::from(other[past.len()..] != *rest);
    }
    assert!(differing > 10, "{differing} of 20");
}

#[test]
fn ties_are_drawn_anew_from_then_on() {
    let sends = |p| [10, 30].map(|at| (at, p, vec![Do::Send(0, at)]));
    let lines: Vec<_> = (1..6).flat_map(sends).collect();
    differ_after_half(&Stage::new(6, &lines).with(|e| e.ties = Ties::Drawn), true);
}

#[test]
fn liars_lie_anew_from_then_on() {
    let lines: Vec<_> = (0..4).map(|i| (20 * i, 0, vec![Do::Broadcast(100)])).collect();
    let liar = Action::Corrupt(ProcessId(0), Behaviour::Equivocate);
    differ_after_half(&Stage::new(4, &lines).fault(at(0), liar), false);
}

#[test]
fn nothing_can_begin_where_a_handler_panics() {
    let lines = vec![(0, 0, vec![Do::Toss]), (10, 0, vec![Do::Panic]), (20, 0, vec![Do::Toss])];
    let mut runner = Stage::new(1, &lines).simulation();
    runner.begin_unstarted(1);
    assert_eq!(runner.advance(2), Some(2));
    assert!(runner.other_future(4).panicked.is_some(), "a panic to come is judged");
    assert_eq!(runner.advance(3), None);
}
