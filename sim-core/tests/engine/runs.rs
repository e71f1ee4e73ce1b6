//! Runs as wholes: how they end, that they repeat bit for bit, and that bad
//! code is judged and not obeyed.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::collections::BTreeSet;

use crate::scripted::{CENSOR, Do, SEVENS, SOURCES, Stage, at, crash, ms};
use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::network::{Cut, Loss, Order};
use ftsim_core::experiment::Ties;
use ftsim_core::fault::Action;
use ftsim_core::fault::condition::{Condition, Persistence};
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{
    Beacon, DurationRange, EndCause, Outcome, Plan, Probability, ProcessId, PropertyId, RunRequest,
    Verdict,
};

/// A busy stage with every kind of randomness on.
pub fn busy() -> Stage {
    let lines: Vec<_> = (0..20)
        .map(|i| (i * 7, u32::try_from(i % 4).unwrap(), vec![Do::Broadcast(i), Do::Toss]))
        .collect();
    Stage::new(4, &lines)
        .with(|e| {
            e.network.default.delay = Delay::default();
            e.network.default.loss = Loss::Independent(Probability::new(0.1).unwrap());
            e.network.default.duplicate = Probability::new(0.1).unwrap();
            e.clocks.offset = DurationRange {
                max: ftsim_core::Duration::from_millis(2),
                ..DurationRange::default()
            };
        })
        .fault(at(50), crash(2))
}

fn verdict(outcome: &Outcome, id: PropertyId) -> &Verdict {
    &outcome.judged.iter().find(|j| j.id == id).expect("it was checked").verdict
}

#[test]
fn one_seed_is_one_run_whether_reused_fresh_or_recorded() {
    let mut reused = busy().simulation();
    let digests: Vec<_> = (1..=20).map(|seed| reused.run(seed).digest).collect();
    for (seed, digest) in (1..=20).zip(&digests) {
        assert_eq!(busy().simulation().run(seed).digest, *digest);
        assert_eq!(reused.record(seed).0.digest, *digest);
    }
    assert_eq!(digests.iter().map(|d| d.value()).collect::<BTreeSet<_>>().len(), 20);
}

#[test]
fn a_known_run_has_a_known_digest() {
    // The same in debug and release, on every machine. A change of this line is a change of every
    // seed's meaning.
    assert_eq!(busy().simulation().run(1).digest.to_string(), "87aaf9fc9e8f77d4");
}

#[test]
fn drawn_ties_change_the_order_and_still_repeat() {
    let lines: Vec<_> = (0..6).map(|p| (0, p, vec![Do::Send((p + 1) % 6, 1)])).collect();
    let stage = Stage::new(6, &lines).with(|e| e.ties = Ties::Drawn);
    let mut simulation = stage.simulation();
    let orders: BTreeSet<u64> = (0..50).map(|seed| simulation.run(seed).digest.value()).collect();
    assert!(orders.len() > 40, "{} orders", orders.len());
    assert_eq!(simulation.run(7).digest, stage.simulation().run(7).digest);
}

#[test]
fn drawn_ties_keep_the_order_of_links_that_keep_order_and_their_bound() {
    let lines = [(0, 0, (0..4).map(|n| Do::Send(2, n)).collect()), (0, 1, vec![Do::Send(2, 9)])];
    let stage = Stage::new(3, &lines).with(|e| {
        e.ties = Ties::Drawn;
        e.network.default.order = Order::Fifo;
    });
    let mut simulation = stage.simulation();
    let mut orders = BTreeSet::new();
    for seed in 0..20 {
        let trace = simulation.record(seed).1;
        let heard = trace.entries.iter().filter(|e| matches!(e.what, TraceEvent::Deliver { .. }));
        let arrivals: Vec<_> = heard.map(|entry| entry.at.as_nanos()).collect();
        assert_eq!(arrivals, [10_000_000; 5]);
        let said = trace.entries.iter().filter_map(|entry| match &entry.what {
            TraceEvent::Indicate { what, .. } => Some(what.to_string()),
            _ => None,
        });
        let said: Vec<String> = said.collect();
        assert!(said.iter().filter(|what| !what.starts_with("Heard(1,")).is_sorted());
        orders.insert(said);
    }
    assert_eq!(orders.len(), 2, "{orders:?}");
}

#[test]
fn a_run_ends_when_nothing_is_left_or_a_limit_comes() {
    let ring = vec![(0, 0, vec![Do::Send(1, 1), Do::SetTimer(900, 1)])];
    let quiet = Stage::new(2, &ring);
    let end = |stage: Stage| {
        let outcome = stage.record().0;
        (outcome.cause, outcome.at)
    };
    assert_eq!(end(Stage::new(2, &ring)), (EndCause::Quiescent, ms(900)));
    assert_eq!(end(quiet.with(|e| e.limits.horizon = ms(500))), (EndCause::Horizon, ms(500)));
    // What is due at the horizon still happens.
    let until = Stage::new(2, &ring).with(|e| e.limits.horizon = ms(900));
    assert_eq!(end(until), (EndCause::Quiescent, ms(900)));
    let events = Stage::new(2, &ring).with(|e| e.limits.event_count_max = 3);
    assert_eq!(end(events).0, EndCause::EventLimit);
    let pending = Stage::new(4, &[(0, 0, vec![Do::Broadcast(1)])]);
    let pending = pending.with(|e| e.limits.pending_count_max = 2);
    assert_eq!(end(pending).0, EndCause::EventLimit);
}

#[test]
fn verdicts_tell_held_vacuous_violated_and_undecided_apart() {
    let say = |word| Stage::new(1, &[(0, 0, vec![Do::Say(word)])]).with(|e| e.check = vec![SEVENS]);
    let seven = say(7).record().0;
    assert_eq!(verdict(&seven, CENSOR), &Verdict::Held);
    assert_eq!(verdict(&seven, SEVENS), &Verdict::Held);
    let silent = Stage::new(1, &[]).record().0;
    assert_eq!(verdict(&silent, CENSOR), &Verdict::HeldVacuously);
    let thirteen = say(13).record().0;
    let Verdict::Violated(violation) = verdict(&thirteen, CENSOR) else { panic!("13 was said") };
    assert_eq!((violation.step, violation.witnesses.as_slice()), (2, &[ProcessId(0)][..]));
    assert!(matches!(verdict(&thirteen, SEVENS), Verdict::Violated(_)));
    let late = Stage::new(1, &[(30, 0, vec![Do::Say(13)]), (50, 0, vec![Do::Say(1)])]);
    let late = late.with(|e| e.check = vec![SEVENS]).record().0;
    for (id, at, step) in [(CENSOR, ms(30), 2), (SEVENS, ms(50), 3)] {
        let Verdict::Violated(violation) = verdict(&late, id) else { panic!("{id} is violated") };
        assert_eq!((violation.at, violation.step), (at, step), "{id}");
    }
    let broken = Stage::new(1, &[(30, 0, vec![Do::Say(666)])]).record().0;
    let Verdict::Violated(violation) = verdict(&broken, CENSOR) else { panic!("it panicked") };
    assert_eq!((violation.at, violation.step), (ms(30), 2));
    let cut_short = say(1).with(|e| e.limits.event_count_max = 1).record().0;
    assert!(matches!(verdict(&cut_short, SEVENS), Verdict::Undecided(_)));
}

#[test]
fn a_checker_may_be_unable_to_tell_unless_it_found_a_violation() {
    let say = |words: &[u64]| {
        let words = words.iter().map(|word| Do::Say(*word)).collect();
        Stage::new(1, &[(0, 0, words)]).record().0
    };
    let reason = Verdict::Undecided("42 may be an answer".into());
    assert_eq!(verdict(&say(&[42]), CENSOR), &reason);
    assert!(matches!(verdict(&say(&[42, 13]), CENSOR), Verdict::Violated(_)));
}

#[test]
fn liveness_is_not_blamed_for_a_partition_that_never_heals() {
    let cut = Condition::Partition(Cut::Groups(vec![vec![ProcessId(0)]]));
    let cut = Action::Begin(cut, Persistence::Permanent);
    let stage = Stage::new(2, &[]).with(|e| e.check = vec![SEVENS]);
    let outcome = stage.fault(at(0), cut).record().0;
    assert!(matches!(verdict(&outcome, SEVENS), Verdict::Undecided(_)));
}

#[test]
fn liveness_asks_nothing_of_the_faulty() {
    let stage = Stage::new(2, &[(0, 0, vec![Do::Say(7)])]).with(|e| e.check = vec![SEVENS]);
    let outcome = stage.fault(at(5), crash(1)).record().0;
    assert_eq!(verdict(&outcome, SEVENS), &Verdict::Held);
}

#[test]
fn a_run_can_stop_at_the_first_violation() {
    let lines = [(0, 0, vec![Do::Say(13)]), (5, 0, vec![Do::Say(1)])];
    let stage = Stage::new(1, &lines).with(|e| e.limits.stop_at_violation = true);
    let stage = stage.with(|e| e.check = vec![SEVENS, SOURCES]);
    let outcome = stage.record().0;
    assert_eq!((outcome.cause, outcome.at), (EndCause::Violated, ms(0)));
    // What nobody sent yet could have come later.
    let undecided = Verdict::Undecided("the run stopped at a violation".into());
    assert_eq!(verdict(&outcome, SOURCES), &undecided);
    assert_eq!(verdict(&outcome, SEVENS), &undecided);
}

#[test]
fn a_panic_in_a_handler_is_a_verdict_and_the_next_run_is_unharmed() {
    let lines = [(3, 0, vec![Do::Say(1), Do::Panic]), (4, 1, vec![Do::Say(7)])];
    let mut simulation = Stage::new(2, &lines).with(|e| e.check = vec![SEVENS]).simulation();
    let first = simulation.run(1);
    let panicked = first.panicked.as_ref().expect("it panicked");
    assert_eq!((panicked.process, panicked.at), (Some(ProcessId(0)), ms(3)));
    let place = "the actor was told to (at sim-core/tests/engine/scripted.rs:";
    assert!(panicked.message.starts_with(place), "{}", panicked.message);
    assert_eq!(first.cause, EndCause::Violated);
    let undecided = Verdict::Undecided("a panic ended the run".into());
    assert_eq!(verdict(&first, SEVENS), &undecided);
    assert_eq!(simulation.run(1).digest, first.digest);
}

#[test]
fn a_handler_that_runs_away_is_stopped() {
    let outcome = Stage::new(1, &[(0, 0, vec![Do::RunAway])]).record().0;
    assert!(outcome.panicked.is_some_and(|p| p.message.contains("too many effects")));
}

#[test]
fn panics_of_checkers_and_clients_are_told_apart() {
    let checker = Stage::new(1, &[(5, 0, vec![Do::Say(666)])]).record().0;
    assert_eq!(checker.panicked, None);
    let Verdict::Violated(violation) = verdict(&checker, CENSOR) else { panic!("it panicked") };
    assert!(violation.message.contains("its checker panicked"), "{violation:?}");
    // After the start, the request is the second step.
    assert_eq!((violation.at, violation.step), (ms(5), 2));
    let clients = Stage::new(1, &[(0, 0, vec![Do::Say(999)])]).record().0;
    let panicked = clients.panicked.expect("it panicked");
    assert_eq!(panicked.process, None);
    let begins = "assertion `left != right` failed: the clients do not like 999";
    assert!(panicked.message.starts_with(begins), "{}", panicked.message);
    assert!(panicked.message.contains("scripted.rs:"), "{}", panicked.message);
    // There is a backtrace if whoever runs this asks for one.
    let asked = Backtrace::capture().status() == BacktraceStatus::Captured;
    assert_eq!(panicked.backtrace.is_some(), asked);
}

#[test]
fn a_run_that_is_asked_to_stop_does_so_when_it_looks() {
    // More is under way than what a run looks at its limits for.
    let lines: Vec<_> = (0..400).map(|i| (0, 0, vec![Do::Send(1, i)])).collect();
    let mut simulation = Stage::new(2, &lines).simulation();
    let beacon = Beacon::default();
    simulation.show_on(beacon.clone());
    assert_eq!(simulation.run(1).cause, EndCause::Quiescent);
    // p1 receives the last message.
    assert_eq!(beacon.step(), (simulation.run(1).statistics.events, ProcessId(1)));
    assert!(beacon.step().0 > 800, "{:?}", beacon.step());
    beacon.stop();
    let outcome = simulation.run(1);
    assert_eq!(outcome.cause, EndCause::Hung);
    assert!(outcome.statistics.events < 800, "{}", outcome.statistics.events);
    beacon.reset();
    assert_eq!(simulation.run(1).cause, EndCause::Quiescent);
}

#[test]
fn ends_are_told_in_words() {
    for (cause, words) in [
        (EndCause::Quiescent, "nothing left to happen"),
        (EndCause::Horizon, "the horizon"),
        (EndCause::EventLimit, "the event limit"),
        (EndCause::MemoryLimit, "the memory limit"),
        (EndCause::Hung, "the time limit for one run"),
        (EndCause::Violated, "a violation"),
    ] {
        assert_eq!(cause.to_string(), words);
    }
}

#[test]
fn the_states_of_processes_are_shown_after_each_step_and_after_any_number_of_them() {
    let lines = [(10, 0, vec![Do::Say(1), Do::Send(1, 5)]), (30, 1, vec![Do::Say(2)])];
    let stage = Stage::new(2, &lines);
    let mut seen = Vec::new();
    stage.simulation().watch(1, &mut |step, p, state| seen.push((step, p.0, state)));
    let steps: Vec<(u64, u32)> = seen.iter().map(|(step, p, _)| (*step, *p)).collect();
    // Both when they have started; then p0 is asked, p1 hears it, p1 is asked.
    assert_eq!(steps, [(2, 0), (2, 1), (3, 0), (4, 1), (5, 1)]);
    assert!(seen.iter().all(|(_, _, state)| state.starts_with("Actor {")), "{seen:?}");
    for (step, p, state) in &seen {
        let states = stage.simulation().states(1, *step);
        assert_eq!((states.len(), &states[*p as usize]), (2, state), "after step {step}");
    }
    assert_eq!(stage.simulation().states(1, 0).len(), 2, "all have started");
}

/// Keeps the lengths of the pieces that it is given, and breaks at one of them.
struct Disk {
    pieces: Vec<usize>,
    breaks_at: Option<usize>,
}

impl std::io::Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.breaks_at == Some(self.pieces.len()) {
            return Err(std::io::Error::other("full"));
        }
        self.pieces.push(bytes.len());
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_record_is_written_in_large_pieces_and_a_run_ends_when_it_cannot_be() {
    let lines: Vec<_> = (0..900).map(|i| (i, 0, vec![Do::Broadcast(i)])).collect();
    let mut runner = Stage::new(8, &lines).simulation();
    let whole = runner.run(1);
    let mut disk = Disk { pieces: Vec::new(), breaks_at: None };
    let written = runner.record_to(1, &mut disk).expect("there is room");
    assert_eq!((written.digest, written.cause), (whole.digest, whole.cause));
    let (last, pieces) = disk.pieces.split_last().expect("some");
    assert!(pieces.len() >= 3, "{pieces:?}");
    assert!(pieces.iter().all(|length| (1 << 16..1 << 17).contains(length)), "{pieces:?}");
    assert!(*last < 1 << 16, "{last}");
    let mut disk = Disk { pieces: Vec::new(), breaks_at: Some(1) };
    let error = runner.record_to(1, &mut disk).expect_err("it is full");
    assert_eq!((error.to_string().as_str(), disk.pieces.len()), ("full", 1));
    assert_eq!(runner.run(1).digest, whole.digest, "the next run is unharmed");
}

#[test]
fn a_plan_that_is_given_is_for_one_run() {
    let mut runner = busy().simulation();
    let own = runner.run(1);
    let none = runner.run(RunRequest::under(1, Plan::default()));
    assert_eq!((own.statistics.crashes, none.statistics.crashes), (1, 0));
    assert_eq!(runner.run(1).digest, own.digest);
    runner.begin(RunRequest::under(1, Plan::default()));
    while runner.step() {}
    assert_eq!(runner.finish().digest, none.digest);
    assert_eq!(runner.run(1).digest, own.digest);
    let plan = RunRequest::under(1, Plan::default());
    let _states = runner.states(plan.clone(), 3);
    assert_eq!(runner.run(1).digest, own.digest);
    runner.watch(plan, &mut |_, _, _| {});
    assert_eq!(runner.run(1).digest, own.digest);
}
