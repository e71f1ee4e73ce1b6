//! A search through states comes to the same as one through all runs.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::classes::{budget, on_crash, on_request, table};
use crate::lineage::{ORDER, seen};
use crate::tables::{Act, Table, fifo, frontier};
use ftsim_core::explore::states::{self, StateCount};
use ftsim_core::explore::{Budget, Count, Explored, Frontier, Time, unreduced};
use ftsim_core::prelude::*;
use ftsim_core::{End, Experiment, Invalid, Observed, Runner, Verdict};
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

const SEED: u64 = 1;

/// What all runs come to; `None` if there are more than 4,000.
fn of_all_runs(world: &mut Frontier) -> Option<(BTreeSet<String>, Count)> {
    let (mut all, mut runs) = (BTreeSet::new(), 0);
    let (count, flow) = unreduced::explore(world, SEED, &mut |explored| {
        all.insert(seen(explored.outcome));
        runs += 1;
        if runs > 4_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    flow.is_continue().then_some((all, count))
}

/// What the runs to all states come to.
fn of_all_states(world: &mut Frontier) -> (BTreeSet<String>, Count, StateCount) {
    let mut all = BTreeSet::new();
    let visit = &mut |explored: &Explored<'_>| {
        all.insert(seen(explored.outcome));
        ControlFlow::Continue(())
    };
    let go_on = &mut |_: &StateCount| ControlFlow::Continue(());
    let (count, states, flow) = states::explore(world, SEED, visit, go_on);
    assert!(flow.is_continue());
    (all, count, states)
}

/// 60, unless the environment says otherwise.
fn case_count() -> u32 {
    option_env!("STATES_CASES").and_then(|count| count.parse().ok()).unwrap_or(60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(case_count()))]

    #[test]
    fn all_states_come_to_what_all_runs_come_to(
        table in table(),
        budget in budget(),
        n in 2u32..4,
        is_fifo in any::<bool>(),
        is_free in any::<bool>(),
        minds_order in any::<bool>(),
        on_crash in on_crash(),
    ) {
        let time = if is_free { Time::Free } else { Time::Lockstep };
        let mut world = frontier(n, &table, time, budget, |experiment| {
            experiment.on_crash = on_crash;
            if is_fifo { fifo(experiment) }
            if minds_order { experiment.check.push(ORDER.id) }
        });
        let Some((every, count)) = of_all_runs(&mut world) else { return Ok(()) };
        if count.cut > 0 { return Ok(()); }
        let (found, ends, states) = of_all_states(&mut world);
        prop_assert_eq!((ends.cut, states.cycles), (0, 0));
        prop_assert_eq!(&found, &every);
    }
}

fn state_count(n: u32, table: &Table) -> u64 {
    of_all_states(&mut frontier(n, table, Time::Free, Budget::default(), |_| {})).2.states
}

#[test]
fn equal_messages_make_as_many_states_as_have_come() {
    // Before the start, and before the request.
    for k in 1..5 {
        let table = on_request(&vec![Act::Send(1, 0); k], &[0]);
        assert_eq!(state_count(2, &table), 2 + k as u64 + 1, "k = {k}");
        let acts: Vec<Act> = [1, 2].iter().flat_map(|to| vec![Act::Send(*to, 0); k]).collect();
        assert_eq!(state_count(3, &on_request(&acts, &[0])), 2 + (k as u64 + 1).pow(2), "k = {k}");
    }
}

/// Two processes that ask each other to go first.
struct Door;

const ENTERS: PropertyEntry<Door> =
    PropertyEntry::liveness(PropertyId("test.enters"), "whoever is asked to enters", |_| {
        Box::new(Enters::default())
    });

#[derive(Clone, Debug, Default, Hash)]
struct Enters {
    asked: u64,
    entered: u64,
}

impl Property<Door> for Enters {
    fn observe(&mut self, event: &Observed<'_, Door>) -> Result<(), Violation> {
        match event.what {
            Observation::Request(()) => self.asked += 1,
            Observation::Indication(()) => self.entered += 1,
            _ => {}
        }
        Ok(())
    }
    fn finish(&mut self, _: &End<'_>) -> Result<(), Violation> {
        match self.entered < self.asked {
            true => Err(Violation::by([ProcessId(0)], "nobody enters")),
            false => Ok(()),
        }
    }
    fn exercised(&self) -> u64 {
        self.asked
    }
}

impl Spec for Door {
    const NAME: &'static str = "door";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[ENTERS];
    type Request = ();
    type Indication = ();
    type WorkloadSettings = NoParams;
    type Workload = Guests;
    fn workload(_: &NoParams, _: &Setting) -> Result<Guests, Invalid> {
        Ok(Guests)
    }
}

#[derive(Clone, Debug, Hash)]
struct Guests;

impl Workload<Door> for Guests {
    fn on_start(&mut self, ask: &mut Ask<'_, Door>) {
        ask.request(ProcessId(0), Duration::ZERO, ());
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Word {
    AfterYou,
    /// The host, the third process, says so.
    ComeIn,
}

/// Whoever is asked to go first asks the other one; the first process enters once the host, if
/// there is one, says so.
#[derive(Clone, Debug, Hash)]
struct Polite {
    has_entered: bool,
}

impl Process for Polite {
    type Spec = Door;
    type Msg = Word;
    type Timer = Never;
    type Record = Never;
    fn on_request(&mut self, (): (), cx: &mut Cx<Self>) {
        cx.send(ProcessId(1), Word::AfterYou);
        if cx.n() > 2 {
            cx.send(ProcessId(2), Word::AfterYou);
        }
    }
    fn on_message(&mut self, from: ProcessId, word: Word, cx: &mut Cx<Self>) {
        match word {
            Word::AfterYou if cx.me() == ProcessId(2) => cx.send(from, Word::ComeIn),
            Word::AfterYou if self.has_entered => {}
            Word::AfterYou => cx.send(from, Word::AfterYou),
            Word::ComeIn => {
                self.has_entered = true;
                cx.indicate(());
            }
        }
    }
}

impl Protocol for Polite {
    const NAME: &'static str = "polite";
    const SUMMARY: &'static str = "after you";
    const SOURCE: &'static str = "none";
    type Params = NoParams;
    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS
    }
    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self { has_entered: false }
    }
}

/// What the search through states says of `n` polite processes: whether the door was passed in each
/// run that has no end or ends, and the cycles.
fn at_the_door(n: u32) -> (Vec<(Option<usize>, bool)>, StateCount) {
    let experiment = Time::Free.strip(&Experiment::new(Setting::of(n)));
    let runner = Runner::new::<Polite>(experiment, NoParams {}, &NoParams {}).expect("it is valid");
    let mut world = Frontier::new(runner, Time::Free, Budget::default());
    let mut all = Vec::new();
    let visit = &mut |explored: &Explored<'_>| {
        let holds = explored.outcome.judged.iter().all(|one| one.verdict == Verdict::Held);
        all.push((explored.repeats_from, holds));
        ControlFlow::Continue(())
    };
    let go_on = &mut |_: &StateCount| ControlFlow::Continue(());
    let (_, states, flow) = states::explore(&mut world, SEED, visit, go_on);
    assert!(flow.is_continue());
    (all, states)
}

#[test]
fn a_fair_cycle_in_which_something_is_owed_is_a_livelock() {
    let (all, states) = at_the_door(2);
    // After the start and the request.
    assert_eq!(all, [(Some(2), false)]);
    assert_eq!((states.cycles, states.fair_cycles), (1, 1));
}

#[test]
fn a_cycle_that_puts_something_off_for_ever_is_not_fair() {
    let (all, states) = at_the_door(3);
    // The host's word is put off in one cycle, and what he is asked in another.
    assert_eq!((states.cycles, states.fair_cycles), (2, 0));
    assert!(all.iter().all(|(repeats_from, holds)| repeats_from.is_none() && *holds), "{all:?}");
    assert!(!all.is_empty());
}
