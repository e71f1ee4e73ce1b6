//! That guided runs keep to the budget, are the same again, and climb where chance alone does not.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use ftsim_core::explore::reduced::Reduced;
use ftsim_core::explore::sample::guided::{Guide, ROUND};
use ftsim_core::explore::sample::{Sampler, Strategy};
use ftsim_core::explore::{Budget, Choice, ClassId, Explored, Frontier, How, Time, What};
use proptest::prelude::*;

use crate::classes::{budget, table};
use crate::tables::{Act, Cell, INPUT_COUNT, Table, fifo, frontier};

const ON_A: usize = 0;
const ON_B: usize = 1;
const ON_REQUEST: usize = 3;

const DRIVER: u8 = 1;
const DEAD: u8 = 2;
const LEVEL_1: u8 = 3;
const LEVEL_COUNT: u8 = 6;

/// Process 0 sends an A and a B to process 1, and again whenever it hears from it. Process 1 climbs
/// with each B, and says so to process 0; with an A it dies. The As of all levels are under way, so
/// that a random walk climbs from level `i` to the next with a chance of `1 / (i + 1) (i + 2)`.
fn staircase() -> Table {
    let mut cells = vec![Cell::default(); usize::from(LEVEL_1 + LEVEL_COUNT) * INPUT_COUNT];
    let mut on = |state: u8, input: usize, next: u8, acts: &[Act]| {
        cells[usize::from(state) * INPUT_COUNT + input] = Cell { next, acts: acts.to_vec() };
    };
    let offer = [Act::Send(1, 0), Act::Send(1, 1)];
    on(0, ON_REQUEST, DRIVER, &offer);
    on(DRIVER, ON_A, DRIVER, &offer);
    on(0, ON_B, LEVEL_1, &[Act::Send(1, 0)]);
    on(0, ON_A, DEAD, &[]);
    for level in LEVEL_1..LEVEL_1 + LEVEL_COUNT - 1 {
        on(level, ON_B, level + 1, &[Act::Send(1, 0)]);
        on(level, ON_A, DEAD, &[]);
    }
    for input in [ON_A, ON_B] {
        on(DEAD, input, DEAD, &[]);
    }
    Table { cells, fuel: 100, requests: vec![0], ..Table::default() }
}

/// Whether process 1 has sent so many messages, which is the level that it has climbed to.
fn is_at_level(explored: &Explored<'_>, level: u64) -> bool {
    let steps = explored.steps.iter().map(|step| step.what);
    let mut all = steps.chain(explored.left.iter().map(|(what, _)| *what));
    all.any(|what| matches!(what, What::Message { from, nth, .. } if from.0 == 1 && nth >= level))
}

/// After how many guided runs the level is met first.
fn runs_to_level(world: &mut Frontier, seed: u64, level: u64, run_count_max: u64) -> Option<u64> {
    let mut runs = 0;
    let flow = Guide::new(world, seed).explore(world, run_count_max, &mut |explored| {
        runs += 1;
        match is_at_level(explored, level) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    flow.is_break().then_some(runs)
}

#[test]
fn guided_runs_climb_where_random_ones_do_not() {
    let mut world = frontier(2, &staircase(), Time::Free, Budget::default(), |_| {});
    // A random walk is at level 6 with a chance of 1 / (2 3 4 5 6)^2 7, one in 3.6 million.
    for seed in [1, 100_001, 200_001, 300_001, 400_001] {
        let runs = runs_to_level(&mut world, seed, 6, 20_000);
        assert!(runs.is_some_and(|runs| runs < 10_000), "seed {seed}: {runs:?}");
        let sampler = Sampler::new(&mut world, Strategy::Random, seed);
        let at_4 = (seed..seed + 20_000)
            .filter(|seed| is_at_level(&sampler.run(&mut world, *seed).explored(), 5))
            .count();
        assert!(at_4 < 10, "seed {seed}: {at_4}, with a chance of one in 86,400 each");
    }
}

#[test]
fn a_guided_run_depends_on_its_number_and_the_rounds_before() {
    let budget = Budget { crashes: 1, losses: 1, duplicates: 1, timeouts: 1, ..Budget::default() };
    let mut world = frontier(3, &staircase(), Time::Free, budget, |_| {});
    let (mut guide, mut other) = (Guide::new(&mut world, 7), Guide::new(&mut world, 7));
    let mut another_seed = Guide::new(&mut world, 8);
    let choices = |explored: Explored<'_>| -> Vec<Choice> {
        explored.steps.iter().map(|step| step.choice).collect()
    };
    let mut differs = false;
    for round in 0..20 {
        let numbers = round * ROUND..(round + 1) * ROUND;
        let forwards: Vec<_> = numbers.clone().map(|nth| guide.run(&mut world, nth)).collect();
        let mut backwards: Vec<_> = numbers.rev().map(|nth| other.run(&mut world, nth)).collect();
        backwards.reverse();
        let another: Vec<_> = (0..ROUND).map(|nth| another_seed.run(&mut world, nth)).collect();
        for ((one, two), another) in forwards.iter().zip(&backwards).zip(&another) {
            let [one, two] = [one, two].map(|trial| trial.sample.explored());
            assert_eq!(one.outcome.digest, two.outcome.digest);
            assert_eq!((one.seed, one.left), (two.seed, two.left));
            let (one, two) = (choices(one), choices(two));
            assert_eq!(one, two);
            differs |= one != choices(another.sample.explored());
        }
        guide.learn(&forwards);
        other.learn(&backwards);
        another_seed.learn(&another);
    }
    assert!(differs);
    assert_eq!(guide.feature_counts(), other.feature_counts());
}

/// How many choices of a run use which budget.
fn used(explored: &Explored<'_>) -> [usize; 5] {
    let count = |is_one: fn(&How) -> bool| {
        explored.steps.iter().filter(|step| is_one(&step.choice.how)).count()
    };
    let recovers = |how: &How| {
        let (How::Crash { recovers, .. } | How::CrashesAfter { recovers, .. }) = how else {
            return false;
        };
        *recovers
    };
    [
        count(|how| matches!(how, How::Crash { .. } | How::CrashesAfter { .. })),
        count(recovers),
        count(|how| *how == How::IsLost),
        count(|how| *how == How::ComesTwice),
        count(|how| matches!(how, How::Suspects { .. })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn guided_runs_keep_to_the_budget(
        table in table(),
        budget in budget(),
        n in 2u32..4,
        is_fifo in any::<bool>(),
        is_free in any::<bool>(),
    ) {
        let time = if is_free { Time::Free } else { Time::Lockstep };
        let mut world = frontier(n, &table, time, budget, |experiment| {
            if is_fifo { fifo(experiment) }
        });
        let limits = [
            budget.crashes, budget.recoveries, budget.losses, budget.duplicates, budget.suspicions,
        ];
        let mut broken = None;
        let _ = Guide::new(&mut world, 1).explore(&mut world, 500, &mut |explored| {
            let used = used(explored);
            match used.iter().zip(limits).all(|(used, limit)| *used <= limit as usize) {
                true => ControlFlow::Continue(()),
                false => {
                    broken = Some(used);
                    ControlFlow::Break(())
                }
            }
        });
        prop_assert_eq!(broken, None, "{:?}", limits);
    }

    #[test]
    fn a_guided_run_is_a_run_of_the_search(
        table in table(),
        budget in budget(),
        n in 2u32..4,
        is_fifo in any::<bool>(),
        is_free in any::<bool>(),
    ) {
        // Nothing is drawn from the seed of a run.
        let budget = Budget { coins: 64, votes: 64, ..budget };
        let time = if is_free { Time::Free } else { Time::Lockstep };
        let mut world = frontier(n, &table, time, budget, |experiment| {
            if is_fifo { fifo(experiment) }
        });
        let mut classes = BTreeSet::new();
        let (count, flow) = Reduced::new(&mut world, 1).explore(&mut |explored| {
            classes.insert(ClassId::of(explored.steps));
            if classes.len() < 3_000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        if flow.is_break() || count.cut > 0 { return Ok(()) }
        let mut stranger = None;
        let _ = Guide::new(&mut world, 1).explore(&mut world, 200, &mut |explored| {
            match classes.contains(&ClassId::of(explored.steps)) {
                true => ControlFlow::Continue(()),
                false => {
                    stranger = Some(explored.steps.to_vec());
                    ControlFlow::Break(())
                }
            }
        });
        prop_assert!(stranger.is_none(), "{:?}", stranger);
    }
}
