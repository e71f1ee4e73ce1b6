//! Draws that are told rather than drawn: by a scenario, or by an explorer.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::id::ProcessId;

/// Only draws of a number below this can be told. Others are of times, which matter less.
pub const TOLD_BELOW: u64 = 16;

/// Who draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Drawer {
    /// A process.
    Process(ProcessId),
    /// The clients.
    Clients,
    /// The disks, when processes crash.
    Disks,
}

/// The first small draws of a drawer, in their order. What it draws after them is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldDraws {
    /// Who draws.
    pub by: Drawer,
    /// The values, from 0. One that is too large counts as the greatest that the draw can have.
    pub values: Vec<u8>,
}

/// A small draw that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Who has drawn.
    pub by: Drawer,
    /// The number of values.
    pub below: u8,
    /// The value.
    pub value: u8,
}

/// Values for the draws of one step, in the order in which they are made; those that are not among
/// them are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coins(u64);

impl Coins {
    /// Zeros.
    pub const NONE: Self = Self(0);
    /// As many draws of a step can be told.
    pub const COUNT_MAX: u32 = 16;

    /// The value of the `nth` draw, from 0.
    pub const fn value(self, nth: u32) -> u8 {
        (self.0 >> (4 * nth) & 15) as u8
    }

    /// The draws up to the last that is not 0.
    pub const fn len(self) -> u32 {
        (64 - self.0.leading_zeros()).div_ceil(4)
    }

    /// Whether all are 0.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The same with this value for the `nth` draw.
    #[must_use]
    pub const fn with(self, nth: u32, value: u8) -> Self {
        Self(self.0 & !(15 << (4 * nth)) | (value as u64) << (4 * nth))
    }
}

/// What tells the small draws of a run.
#[derive(Clone, Debug, Default)]
pub(crate) enum Teller {
    /// Nothing: all are drawn.
    #[default]
    None,
    /// A scenario.
    Scenario(Arc<[ToldDraws]>),
    /// An explorer.
    Explorer(Arc<Mutex<Script>>),
}

impl Teller {
    /// What tells the draws of one stream.
    pub fn of(&self, by: Drawer) -> Option<Told> {
        match self {
            Self::None => None,
            Self::Scenario(draws) => {
                let own = draws.iter().filter(|draws| draws.by == by);
                Some(Told::Values(own.flat_map(|draws| &draws.values).copied().collect()))
            }
            Self::Explorer(script) => Some(Told::Step(by, Arc::clone(script))),
        }
    }
}

/// What tells the draws of one stream.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Values(VecDeque<u8>),
    Step(Drawer, Arc<Mutex<Script>>),
}

impl Told {
    /// The next number below `n`, unless it is to be drawn.
    #[cold]
    pub fn next(&mut self, n: u64) -> Option<u64> {
        if !(2..=TOLD_BELOW).contains(&n) {
            return None;
        }
        match self {
            Self::Values(values) => values.pop_front().map(|value| u64::from(value).min(n - 1)),
            Self::Step(by, script) => {
                script.lock().unwrap_or_else(PoisonError::into_inner).next(*by, n)
            }
        }
    }
}

/// The draws of the steps of an explored run.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// How many draws of each process, and of the clients, are told.
    coins: u32,
    votes: u32,
    /// The values of this step's draws.
    path: Coins,
    /// The draws of this step, and of all steps of the run.
    step: Vec<Draw>,
    counts: BTreeMap<Drawer, u32>,
}

impl Script {
    /// Tells so many draws of each process, and of the clients.
    pub fn new(coins: u32, votes: u32) -> Self {
        Self { coins, votes, ..Self::default() }
    }

    pub fn begin_run(&mut self) {
        self.step.clear();
        self.counts.clear();
    }

    pub fn begin_step(&mut self, path: Coins) {
        self.path = path;
        self.step.clear();
    }

    /// The draws of the last step.
    pub fn step(&self) -> &[Draw] {
        &self.step
    }

    /// How many draws have been told in this run, to each.
    pub const fn counts(&self) -> &BTreeMap<Drawer, u32> {
        &self.counts
    }

    fn next(&mut self, by: Drawer, n: u64) -> Option<u64> {
        let limit = match by {
            Drawer::Process(_) => self.coins,
            Drawer::Clients => self.votes,
            Drawer::Disks => u32::MAX,
        };
        let nth = u32::try_from(self.step.len()).ok().filter(|nth| *nth < Coins::COUNT_MAX)?;
        let count = self.counts.entry(by).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        let below = u8::try_from(n).ok()?;
        let value = self.path.value(nth).min(below - 1);
        self.step.push(Draw { by, below, value });
        Some(value.into())
    }
}

impl fmt::Display for Drawer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(p) => p.fmt(f),
            Self::Clients => f.write_str("clients"),
            Self::Disks => f.write_str("disks"),
        }
    }
}

impl fmt::Display for ToldDraws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}, then from the seed", self.by, self.values)
    }
}

impl fmt::Display for Draw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by, below, value } = self;
        let draws = if matches!(by, Drawer::Process(_)) { "draws" } else { "draw" };
        write!(f, "{by} {draws} {value} of 0 to {}", below - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Probability, Rng, Stream};

    const P0: Drawer = Drawer::Process(ProcessId(0));

    #[test]
    fn a_scenario_tells_the_first_small_draws_of_a_stream() {
        let draws = vec![
            ToldDraws { by: P0, values: vec![2, 0, 9] },
            ToldDraws { by: Drawer::Clients, values: vec![1] },
        ];
        let teller = Teller::Scenario(draws.into());
        let mut plain = Rng::new(1, Stream::Process(0));
        let mut told = Rng::new(1, Stream::Process(0)).told(teller.of(P0));
        assert_eq!([told.below(5), told.below(16), told.below(4)], [2, 0, 3]);
        // What is large, certain, or after them is drawn.
        assert_eq!(told.below(17), plain.below(17));
        assert_eq!(told.below(5), plain.below(5));
        let mut clients = Rng::new(1, Stream::Workload).told(teller.of(Drawer::Clients));
        assert!(clients.chance(Probability::new(0.001).unwrap()));
        let mut disks = Rng::new(1, Stream::Storage).told(teller.of(Drawer::Disks));
        assert_eq!(disks.below(5), Rng::new(1, Stream::Storage).below(5));
    }

    #[test]
    fn an_explorer_tells_the_draws_of_a_step_within_its_budget() {
        let script = Arc::new(Mutex::new(Script::new(2, 0)));
        let teller = Teller::Explorer(Arc::clone(&script));
        let mut told = Rng::new(1, Stream::Process(0)).told(teller.of(P0));
        let mut plain = Rng::new(1, Stream::Process(0));
        let path = Coins::default().with(1, 3);
        assert_eq!((path.len(), path.value(0), path.value(1), path.value(2)), (2, 0, 3, 0));
        script.lock().unwrap().begin_step(path);
        assert_eq!([told.below(2), told.below(4)], [0, 3]);
        assert_eq!(told.below(4), plain.below(4), "the budget is used up");
        let drawn = script.lock().unwrap().step().to_vec();
        let draw = |below, value| Draw { by: P0, below, value };
        assert_eq!(drawn, [draw(2, 0), draw(4, 3)]);
        assert_eq!(drawn[1].to_string(), "p0 draws 3 of 0 to 3");
    }

    #[test]
    fn a_value_that_is_too_large_for_a_draw_is_the_largest_that_it_has() {
        let script = Arc::new(Mutex::new(Script::new(1, 0)));
        let teller = Teller::Explorer(Arc::clone(&script));
        script.lock().unwrap().begin_step(Coins::NONE.with(0, 9));
        assert_eq!(Rng::new(1, Stream::Process(0)).told(teller.of(P0)).below(4), 3);
    }

    #[test]
    fn coins_are_told_one_by_one() {
        let coins = Coins::NONE.with(1, 3).with(2, 5).with(15, 15);
        assert_eq!([0, 1, 2, 3, 15].map(|nth| coins.value(nth)), [0, 3, 5, 0, 15]);
        let others = coins.with(1, 4).with(2, 0);
        assert_eq!([1, 2, 15].map(|nth| others.value(nth)), [4, 0, 15]);
    }

    #[test]
    fn sixteen_draws_of_a_step_are_told() {
        let script = Arc::new(Mutex::new(Script::new(20, 0)));
        let teller = Teller::Explorer(Arc::clone(&script));
        script.lock().unwrap().begin_step(Coins::NONE.with(15, 1));
        let mut told = Rng::new(1, Stream::Process(0)).told(teller.of(P0));
        let mut plain = Rng::new(1, Stream::Process(0));
        let values: Vec<u64> = (0..16).map(|_| told.below(2)).collect();
        assert_eq!(values, [[0; 15].as_slice(), &[1]].concat());
        let (drawn, expected): (Vec<u64>, Vec<u64>) =
            (0..8).map(|_| (told.below(16), plain.below(16))).unzip();
        assert_eq!(drawn, expected, "the others are drawn");
    }

    #[test]
    fn coins_are_empty_if_none_is_told() {
        assert!(Coins::NONE.is_empty());
        assert!(Coins::NONE.with(3, 0).is_empty());
        assert!(!Coins::NONE.with(3, 1).is_empty());
    }

    #[test]
    fn what_a_scenario_tells_is_shown_with_what_comes_after_it() {
        let draws = ToldDraws { by: Drawer::Clients, values: vec![1, 2] };
        assert_eq!(draws.to_string(), "clients: [1, 2], then from the seed");
    }
}
