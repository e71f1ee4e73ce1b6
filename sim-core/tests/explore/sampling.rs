//! That runs are sampled with known chances, and are runs of the search.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use ftsim_core::explore::reduced::Reduced;
use ftsim_core::explore::sample::{Sampler, Strategy};
use ftsim_core::explore::{Budget, ClassId, Frontier, Step, Time, What};
use ftsim_core::kind::MessageKind;
use proptest::prelude::*;

use crate::classes::{budget, table};
use crate::tables::{Act, Cell, INPUT_COUNT, Msg, STATE_COUNT, Table, fifo, frontier};

const RUN_COUNT: u64 = 100_000;
/// How likely a test fails by chance, at most.
const FALSE_ALARM: f64 = 1e-6;

fn pct(depth: u32) -> Strategy {
    Strategy::Pct(NonZeroU32::new(depth).expect("a depth"))
}

/// In how many of the runs this is true of the arrivals, and the odds that the strategy claims.
fn hits(
    world: &mut Frontier,
    strategy: Strategy,
    is_bug: impl Fn(&[Arrival]) -> bool,
) -> (u64, Option<u128>) {
    let sampler = Sampler::new(world, strategy, 1);
    let (mut hits, mut chain_count) = (0, 0);
    for seed in 1..=RUN_COUNT {
        let sample = sampler.run(world, seed);
        hits += u64::from(is_bug(&arrivals(sample.explored().steps)));
        chain_count = chain_count.max(sample.chain_count);
    }
    (hits, sampler.odds_of_bug(chain_count))
}

/// A message: receiver, whether it is a B, and number among its kind on its link.
type Arrival = (u32, bool, u64);

fn arrivals(steps: &[Step]) -> Vec<Arrival> {
    let b = MessageKind::of(&Msg::B);
    let arrivals = steps.iter().filter_map(|step| match step.what {
        What::Message { to, kind, nth, .. } => Some((to.0, kind.0.code() == b.code(), nth)),
        _ => None,
    });
    arrivals.collect()
}

/// The probability of at most so many successes in [`RUN_COUNT`] trials: the terms of the binomial
/// distribution from its mode outwards, each from its neighbour, divided by their sum.
fn at_most(successes: u64, chance: f64) -> f64 {
    let odds = chance / (1.0 - chance);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a count")]
    let mode = ((RUN_COUNT + 1) as f64 * chance) as u64;
    let (mut low, mut all) = (0.0, 0.0);
    let mut add = |i: u64, term: f64| {
        all += term;
        low += if i <= successes { term } else { 0.0 };
    };
    add(mode, 1.0);
    let mut term = 1.0;
    for i in mode..RUN_COUNT {
        term *= (RUN_COUNT - i) as f64 / (i + 1) as f64 * odds;
        add(i + 1, term);
    }
    term = 1.0;
    for i in (0..mode).rev() {
        term *= (i + 1) as f64 / ((RUN_COUNT - i) as f64 * odds);
        add(i, term);
    }
    low / all
}

/// Whether the chance of a success can be this or more.
fn can_be_at_least(successes: u64, chance: f64) -> bool {
    at_most(successes, chance) > FALSE_ALARM
}

fn can_be(successes: u64, chance: f64) -> bool {
    let at_least = 1.0 - at_most(successes, chance) + FALSE_ALARM;
    can_be_at_least(successes, chance) && at_least > 2.0 * FALSE_ALARM
}

/// A table in which processes do the same in all states.
fn always(on: &[(usize, &[Act])], fuel: u8) -> Table {
    let mut cells = vec![Cell::default(); STATE_COUNT * INPUT_COUNT];
    for (input, acts) in on {
        cells[*input].acts = acts.to_vec();
    }
    Table { cells, fuel, requests: vec![0], ..Table::default() }
}

const ON_A: usize = 0;
const ON_REQUEST: usize = 3;

/// Process 0 is asked and sends so many messages to process 1.
fn fan(count: usize) -> Table {
    always(&[(ON_REQUEST, &vec![Act::Send(1, 0); count])], 9)
}

/// Process 0 is asked, sends a B to process 2, and an A round a ring of three, which comes to
/// process 2 three times.
fn ring() -> Table {
    always(&[(ON_A, &[Act::Send(1, 0)]), (ON_REQUEST, &[Act::Send(1, 0), Act::Send(2, 1)])], 4)
}

fn world(n: u32, table: &Table) -> Frontier {
    frontier(n, table, Time::Free, Budget::default(), |_| {})
}

/// How many As came to process 2 before the B.
fn overtakers(arrivals: &[Arrival]) -> usize {
    let at_2 = arrivals.iter().filter(|(to, ..)| *to == 2);
    at_2.take_while(|(_, is_b, _)| !is_b).count()
}

/// Whether the last arrivals are those of these messages, in this order.
fn end_with(arrivals: &[Arrival], numbers: &[u64]) -> bool {
    arrivals.iter().map(|(.., nth)| nth).rev().take(numbers.len()).eq(numbers.iter().rev())
}

#[test]
fn pct_meets_bugs_of_known_depth_at_least_as_often_as_is_proved() {
    let mut world = world(2, &fan(5));
    let late: [&[u64]; 3] = [&[2], &[2, 4], &[3, 1, 5]];
    // One chain each, of 6 events: the request is in that of the first message.
    for (numbers, odds) in late.into_iter().zip([5, 5 * 6, 5 * 6 * 6]) {
        let depth = u32::try_from(numbers.len()).expect("few");
        let (hits, claimed) = hits(&mut world, pct(depth), |all| end_with(all, numbers));
        assert_eq!(claimed, Some(odds));
        assert!(can_be_at_least(hits, 1.0 / odds as f64), "depth {depth}: {hits}, 1 in {odds}");
    }
}

#[test]
fn pct_meets_bugs_in_long_chains_at_least_as_often_as_is_proved() {
    let mut world = world(3, &ring());
    // The B comes after all As: it is late. Or before the third: it is late, and that is later.
    let cases = [(1, 3, 2), (2, 2, 2 * 11), (2, 1, 2 * 11), (3, 2, 2 * 11 * 11)];
    for (depth, count, odds) in cases {
        let (hits, claimed) = hits(&mut world, pct(depth), |all| overtakers(all) == count);
        assert_eq!(claimed, Some(odds));
        assert!(can_be_at_least(hits, 1.0 / odds as f64), "depth {depth}: {hits}, 1 in {odds}");
    }
}

#[test]
fn a_link_that_keeps_order_is_one_chain() {
    let mut world = frontier(3, &ring(), Time::Free, Budget::default(), fifo);
    // The request and four links.
    let (hits, claimed) = hits(&mut world, pct(1), |all| overtakers(all) == 3);
    assert_eq!(claimed, Some(5));
    assert!(can_be_at_least(hits, 0.2), "{hits}");
}

#[test]
fn each_strategy_lets_a_long_chain_overtake_with_its_own_chance() {
    let mut world = world(3, &ring());
    // At random, the B comes after each of eight As with a chance of a half. Its priority of POS is
    // to be the lowest of three, and drawn anew of four and again of four. Of two chains its is the
    // lower one.
    let cases = [(Strategy::Random, 256), (Strategy::Pos, 48), (pct(1), 2)];
    for (strategy, odds) in cases {
        let (hits, _) = hits(&mut world, strategy, |all| overtakers(all) == 3);
        assert!(can_be(hits, 1.0 / f64::from(odds)), "{strategy}: {hits}, 1 in {odds}");
        assert_eq!(can_be_at_least(hits, 0.5), strategy == pct(1), "{strategy} has no such bound");
    }
}

#[test]
fn messages_to_one_process_come_in_each_order_equally_often() {
    let mut world = world(2, &fan(4));
    for strategy in [Strategy::Random, Strategy::Pos, pct(1)] {
        let sampler = Sampler::new(&mut world, strategy, 1);
        let mut orders: BTreeMap<Vec<Arrival>, u64> = BTreeMap::new();
        for seed in 1..=RUN_COUNT {
            let order = arrivals(sampler.run(&mut world, seed).explored().steps);
            *orders.entry(order).or_default() += 1;
        }
        assert_eq!(orders.len(), 24);
        let expected = RUN_COUNT as f64 / 24.0;
        let square = |count: &u64| (*count as f64 - expected).powi(2) / expected;
        let chi_square: f64 = orders.values().map(square).sum();
        // With 23 degrees of freedom, one in a million is above 73.
        assert!(chi_square < 73.0, "{strategy}: {chi_square}");
        assert!(chi_square > 1.0, "{strategy}: not drawn");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_sampled_run_is_a_run_of_the_search(
        table in table(),
        budget in budget(),
        n in 2u32..4,
        is_fifo in any::<bool>(),
        is_free in any::<bool>(),
    ) {
        let time = if is_free { Time::Free } else { Time::Lockstep };
        // Nothing is drawn from the seed of a run.
        let budget = Budget { coins: 64, votes: 64, ..budget };
        let mut world = frontier(n, &table, time, budget, |experiment| {
            if is_fifo { fifo(experiment) }
        });
        let mut classes = BTreeSet::new();
        let (count, flow) = Reduced::new(&mut world, 1).explore(&mut |explored| {
            classes.insert(ClassId::of(explored.steps));
            if classes.len() < 3_000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        if flow.is_break() || count.cut > 0 { return Ok(()) }
        for strategy in [Strategy::Random, Strategy::Pos, pct(1), pct(3)] {
            let sampler = Sampler::new(&mut world, strategy, 1);
            for seed in 1..60 {
                let sample = sampler.run(&mut world, seed);
                let (steps, outcome) = (sample.explored().steps, sample.explored().outcome);
                prop_assert!(classes.contains(&ClassId::of(steps)), "{}: {:?}", strategy, steps);
                let again = sampler.run(&mut world, seed);
                prop_assert_eq!(steps, again.explored().steps);
                prop_assert_eq!(outcome.digest, again.explored().outcome.digest);
            }
        }
    }
}
