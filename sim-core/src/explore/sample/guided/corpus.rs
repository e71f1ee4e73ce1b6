//! The features that runs have shown, and the runs that are kept for them.
//!
//! A kept run is drawn in two steps: first the kind of its feature, each alike of those for which
//! there are runs, so that many states at rest do not drown a few labels; then the feature, with a
//! weight of one divided by how many runs have shown it and how many times it was drawn.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Trial;
use super::feature::{Feature, FeatureKind};
use crate::explore::choice::Choice;
use crate::rng::Rng;

/// The runs that are kept for features of one kind.
const KEPT_MAX: usize = 1_024;
/// The features that are remembered: what is shown later is not seen to be new.
const FEATURE_MAX: usize = 1 << 20;
/// The weight of a feature of which nothing is known.
const WEIGHT: u64 = 1 << 32;

/// A run as its choices, and the seed of what clients and processes draw.
#[derive(Debug)]
pub(super) struct Schedule {
    pub seed: u64,
    pub choices: Vec<Choice>,
}

/// A feature that was shown.
#[derive(Debug)]
struct Shown {
    kind: FeatureKind,
    run_count: u64,
    draw_count: u64,
    /// A run that shows it, unless its run was given up.
    kept: Option<Kept>,
}

/// A run that is kept for a feature.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub schedule: Arc<Schedule>,
    /// The number of its choices after which it has shown the feature.
    pub at: u32,
}

/// All that was shown.
#[derive(Debug, Default)]
pub(super) struct Corpus {
    index: BTreeMap<Feature, usize>,
    shown: Vec<Shown>,
    /// The features of each kind for which a run is kept.
    kept: [Vec<usize>; FeatureKind::COUNT],
}

impl Corpus {
    pub fn learn(&mut self, trial: &Trial) {
        if let Some(origin) = trial.origin {
            self.shown[origin].draw_count += 1;
        }
        let mut schedule = None;
        let mut keep = |at| {
            let schedule = schedule.get_or_insert_with(|| {
                let choices = trial.sample.steps.iter().map(|step| step.choice).collect();
                Arc::new(Schedule { seed: trial.sample.seed, choices })
            });
            Kept { schedule: Arc::clone(schedule), at }
        };
        for (feature, at) in &trial.shown {
            if let Some(known) = self.index.get(feature) {
                let shown = &mut self.shown[*known];
                shown.run_count += 1;
                if let Some(kept) = &mut shown.kept
                    && *at < kept.at
                {
                    *kept = keep(*at);
                }
            } else if self.shown.len() < FEATURE_MAX {
                let new = self.shown.len();
                let (kind, kept) = (feature.kind, Some(keep(*at)));
                self.index.insert(*feature, new);
                self.shown.push(Shown { kind, run_count: 1, draw_count: 0, kept });
                self.kept[kind as usize].push(new);
                self.limit(kind);
            }
        }
    }

    /// Gives up the run of the feature with the least weight, if there are too many.
    fn limit(&mut self, kind: FeatureKind) {
        let kept = &mut self.kept[kind as usize];
        if kept.len() <= KEPT_MAX {
            return;
        }
        let lightest = (0..kept.len()).min_by_key(|place| self.shown[kept[*place]].weight());
        if let Some(place) = lightest {
            let given_up = kept.remove(place);
            self.shown[given_up].kept = None;
        }
    }

    /// A kept run, and the number of the feature for which it is kept.
    pub fn draw(&self, rng: &mut Rng) -> Option<(usize, &Kept)> {
        let kinds: Vec<&Vec<usize>> = self.kept.iter().filter(|kept| !kept.is_empty()).collect();
        let kept = *rng.choose(&kinds)?;
        let weight = |number: &usize| self.shown[*number].weight();
        let mut left = rng.below(kept.iter().map(weight).sum());
        let drawn = kept.iter().find(|number| {
            let is_it = left < weight(number);
            left = left.saturating_sub(weight(number));
            is_it
        });
        let number = *drawn?;
        Some((number, self.shown[number].kept.as_ref()?))
    }

    pub fn feature_counts(&self) -> [u64; FeatureKind::COUNT] {
        let mut counts = [0; FeatureKind::COUNT];
        self.shown.iter().for_each(|shown| counts[shown.kind as usize] += 1);
        counts
    }
}

impl Shown {
    const fn weight(&self) -> u64 {
        let weight = WEIGHT / (self.run_count + self.draw_count);
        if weight == 0 { 1 } else { weight }
    }
}
