//! What a run shows that a run before it may not have shown.

use std::collections::BTreeSet;
use std::hash::Hash;

use super::Run;
use crate::digest::Digest;
use crate::explore::choice::Choice;
use crate::explore::step::{Step, What};
use crate::id::ProcessId;

/// Something that a run can show. Collisions are as unlikely as those of run digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Feature {
    pub kind: FeatureKind,
    digest: u64,
}

/// The kind of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FeatureKind {
    /// A label that a protocol has reached.
    Label,
    /// The state of a process, and the kind of an event at it and how the event went.
    Pair,
    /// The states of all processes when nothing or nothing but timers was left.
    Rest,
}

impl FeatureKind {
    pub const COUNT: usize = 3;
}

/// Looks at a run from its start, and notes what it shows.
pub(super) struct Watch {
    /// The class of the state of each process.
    classes: Vec<Digest>,
    /// The steps and labels that were looked at.
    step_count: usize,
    label_count: usize,
    known: BTreeSet<Feature>,
    /// What was shown, in order, and after how many choices.
    pub shown: Vec<(Feature, u32)>,
}

impl Watch {
    pub fn new(n: u32) -> Self {
        Self {
            classes: vec![Digest::EMPTY; n as usize],
            step_count: 0,
            label_count: 0,
            known: BTreeSet::new(),
            shown: Vec::new(),
        }
    }

    /// Looks at the last step and at what became of its messages, if it has not yet.
    pub fn catch_up(&mut self, run: &Run<'_>) {
        while let Some(step) = run.steps.get(self.step_count) {
            if step.is_last_resort {
                self.rests();
            }
            self.step_count += 1;
            self.pair(step);
            let touched = |p: &ProcessId| step.footprint.is_of(*p);
            for p in (0..run.frontier.process_count()).map(ProcessId).filter(touched) {
                self.classes[p.index()] = run.frontier.class_of(p);
            }
        }
        for label in &run.frontier.reached()[self.label_count..] {
            self.note(FeatureKind::Label, label);
            self.label_count += 1;
        }
    }

    /// The run is over.
    pub fn end(&mut self, run: &Run<'_>) {
        self.catch_up(run);
        self.rests();
    }

    fn rests(&mut self) {
        let mut all = Digest::EMPTY;
        self.classes.iter().for_each(|one| all.mix(one.value()));
        self.note(FeatureKind::Rest, all.value());
    }

    fn pair(&mut self, step: &Step) {
        let Choice { event, how, .. } = step.choice;
        let (at, kind) = match step.what {
            What::Start => return,
            What::Message { to, kind, .. } => (to, (0, kind.0.code())),
            What::Timer(p) => (p, (1, u32::from(event.is_early()))),
            What::Request { process, .. } => (process, (2, 0)),
            What::Notice { observer, subject, .. } => (observer, (3, subject.0)),
            What::Recovery(p) => (p, (4, 0)),
            What::Crash(p) => (p, (5, 0)),
            What::Other(p) => (p, (6, 0)),
        };
        let class = self.classes[at.index()].value();
        self.note(FeatureKind::Pair, (class, kind, how));
    }

    fn note(&mut self, kind: FeatureKind, what: impl Hash) {
        let mut digest = Digest::EMPTY;
        what.hash(&mut digest);
        let feature = Feature { kind, digest: digest.value() };
        if self.known.insert(feature) {
            self.shown.push((feature, u32::try_from(self.step_count).unwrap_or(u32::MAX)));
        }
    }
}
