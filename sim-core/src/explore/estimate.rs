//! How many runs a search in every order would make.
//!
//! Source: Knuth (1975), *Estimating the efficiency of backtrack programs*: a random walk from the
//! root of the tree, which multiplies the numbers of ways to go on, is an unbiased estimate of the
//! number of leaves, also if some ways are more likely than others and count for less. A run after
//! which only optional choices are left is a leaf that has others below it.

use super::choice::Choice;
use super::frontier::Frontier;
use super::unreduced;
use crate::rng::{Rng, Stream};

/// The mean of this many walks through the runs of this seed, in every order.
///
/// The estimate is unbiased, and usually too low: few walks come to where most of the runs are.
pub fn run_count(frontier: &mut Frontier, seed: u64, walk_count: u32) -> f64 {
    let mut rng = Rng::new(seed, Stream::Exploration);
    let sum: f64 = (0..walk_count).map(|_| walk(frontier, seed, &mut rng)).sum();
    sum / f64::from(walk_count.max(1))
}

fn walk(frontier: &mut Frontier, seed: u64, rng: &mut Rng) -> f64 {
    let mut taken: Vec<Choice> = Vec::new();
    let mut variants = Vec::new();
    let (mut weight, mut leaves) = (1.0, 0.0);
    frontier.begin(seed);
    loop {
        let choices = unreduced::all(frontier);
        if unreduced::is_finished(&choices) {
            leaves += weight;
        }
        // What the explorer does on its own account comes seldom, since most runs are long.
        let (plain, other): (Vec<Choice>, Vec<Choice>) =
            choices.into_iter().partition(|choice| choice.is_plain() && !choice.is_optional());
        let is_other = pick(plain.len(), other.len(), &mut weight, rng);
        let choices = if is_other { other } else { plain };
        let Some(choice) = rng.choose(&choices).copied() else { return leaves };
        weight *= count(choices.len());
        let before = frontier.used();
        let step = frontier.take(choice);
        frontier.variants(&step, &before, &mut variants);
        // The event as it went, or in another of its ways.
        let is_other = pick(1, variants.len(), &mut weight, rng);
        let other = if is_other { rng.choose(&variants) } else { None };
        if let Some(other) = other {
            weight *= count(variants.len());
            frontier.begin(seed);
            for choice in &taken {
                frontier.take(*choice);
            }
            frontier.take(*other);
        }
        taken.push(other.copied().unwrap_or(choice));
    }
}

/// Whether to go on with one of the other choices, of which there are `others`; the weight of the
/// walk grows by as much as this is unlikely.
fn pick(plain: usize, others: usize, weight: &mut f64, rng: &mut Rng) -> bool {
    if plain == 0 || others == 0 {
        return plain == 0;
    }
    let is_other = rng.below(10) == 0;
    *weight *= if is_other { 10.0 } else { 10.0 / 9.0 };
    is_other
}

fn count(length: usize) -> f64 {
    u32::try_from(length).map_or(f64::INFINITY, f64::from)
}
