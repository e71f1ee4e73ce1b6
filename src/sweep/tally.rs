//! The results of many seeds: counts, and the first seed for each result of interest.

use std::collections::BTreeMap;

use ftsim_core::{Digest, EndCause, Outcome, PropertyId, Verdict};
use serde::{Deserialize, Serialize};

use crate::run::figures::FigureSums;
use crate::scenario::crash_point::CrashPoint;
use crate::sweep::fault_counts::FaultCounts;
use crate::sweep::figures::FigureSpreads;
use crate::sweep::moments::RunMoments;
use crate::sweep::traffic::TrafficSums;

/// The results of some seeds, in order.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// The number of runs: one per seed, or one per crash point of each seed.
    pub seed_count: u64,
    /// The results for each property.
    pub properties: BTreeMap<PropertyId, PropertyTally>,
    /// The number of seeds in which each label was reached.
    pub reached: BTreeMap<String, u64>,
    /// The number of seeds in which each fault of the plan did not strike; faults that always
    /// struck are missing.
    pub unfired: BTreeMap<usize, u64>,
    /// The faults of all plans, scripted and drawn, by kind and victim.
    pub faults: FaultCounts,
    /// The number of seeds in which the message of each override was never sent.
    pub unused: BTreeMap<usize, u64>,
    /// The number of seeds in which a handler panicked.
    pub panicked: u64,
    /// The first seed in which a handler panicked.
    pub first_panic: Option<Example>,
    /// The dependability figures of processes and operations.
    pub figures: FigureSums,
    /// The distributions of latencies, outages and messages for an operation.
    pub spreads: FigureSpreads,
    /// The cost of the runs.
    pub traffic: TrafficSums,
    /// The sums for claims about all runs together.
    pub moments: RunMoments,
    /// The folded digests of the seeds before `digests`.
    pub(crate) folded: Digest,
    pub(crate) digests: Vec<Digest>,
}

/// The results for one property.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PropertyTally {
    /// Seeds in which it held and its premise came true.
    pub held: u64,
    /// Seeds in which its premise never came true.
    pub vacuous: u64,
    /// Seeds in which it was violated.
    pub violated: u64,
    /// Seeds in which a limit was reached first, or its assumptions were never met.
    pub undecided: u64,
    /// The first seed in which it was violated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_violated: Option<Example>,
    /// The first seed in which it was undecided although no violation ended the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_undecided: Option<Example>,
}

/// A seed in which something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The seed.
    pub seed: u64,
    /// The crash point, if every crash point is run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crash_point: Option<CrashPoint>,
    /// A description of what happened.
    pub message: String,
}

impl Tally {
    /// Counts another seed, or another crash point of it.
    pub fn add(&mut self, outcome: &Outcome, crash_point: Option<CrashPoint>) {
        self.seed_count += 1;
        self.digests.push(outcome.digest);
        self.faults.add(outcome);
        self.figures.add(outcome);
        self.spreads.add(outcome);
        self.traffic.add(outcome);
        self.moments.add(outcome);
        let example = |message: String| Some(Example { seed: outcome.seed, crash_point, message });
        for judged in &outcome.judged {
            let property = self.properties.entry(judged.id).or_default();
            match &judged.verdict {
                Verdict::Held => property.held += 1,
                Verdict::HeldVacuously => property.vacuous += 1,
                Verdict::Violated(violation) => {
                    property.violated += 1;
                    if property.first_violated.is_none() {
                        let (message, at) = (violation.text(), violation.at);
                        let step = violation.step;
                        property.first_violated =
                            example(format!("{message} (at {at}, step {step})"));
                    }
                }
                Verdict::Undecided(reason) => {
                    property.undecided += 1;
                    if property.first_undecided.is_none() && outcome.cause != EndCause::Violated {
                        property.first_undecided = example(reason.clone());
                    }
                }
            }
        }
        for label in &outcome.reached {
            match self.reached.get_mut(*label) {
                Some(count) => *count += 1,
                None => drop(self.reached.insert((*label).to_owned(), 1)),
            }
        }
        for fault in &outcome.unfired {
            *self.unfired.entry(*fault).or_default() += 1;
        }
        for rule in &outcome.unused {
            *self.unused.entry(*rule).or_default() += 1;
        }
        if let Some(panic) = &outcome.panicked {
            self.panicked += 1;
            if self.first_panic.is_none() {
                let whose = panic.process.map_or_else(|| "the clients".into(), |p| p.to_string());
                let (message, at, step) = (&panic.message, panic.at, panic.step);
                self.first_panic =
                    example(format!("{whose} panicked: {message} (at {at}, step {step})"));
            }
        }
    }

    /// Appends the counts of the following seeds.
    pub fn append(&mut self, next: Self) {
        self.seed_count += next.seed_count;
        self.folded = self.digest();
        self.digests = next.digests;
        self.faults.append(next.faults);
        self.figures.append(next.figures);
        self.spreads.append(&next.spreads);
        self.traffic.append(&next.traffic);
        self.moments.append(&next.moments);
        for (id, theirs) in next.properties {
            let ours = self.properties.entry(id).or_default();
            ours.held += theirs.held;
            ours.vacuous += theirs.vacuous;
            ours.violated += theirs.violated;
            ours.undecided += theirs.undecided;
            ours.first_violated = ours.first_violated.take().or(theirs.first_violated);
            ours.first_undecided = ours.first_undecided.take().or(theirs.first_undecided);
        }
        for (label, count) in next.reached {
            *self.reached.entry(label).or_default() += count;
        }
        for (fault, count) in next.unfired {
            *self.unfired.entry(fault).or_default() += count;
        }
        for (rule, count) in next.unused {
            *self.unused.entry(rule).or_default() += count;
        }
        self.panicked += next.panicked;
        self.first_panic = self.first_panic.take().or(next.first_panic);
    }

    /// The digests of all seeds, folded in order.
    pub fn digest(&self) -> Digest {
        let mut digest = self.folded;
        self.digests.iter().for_each(|one| digest.mix(one.value()));
        digest
    }
}
