//! What a run says of other patterns: which of them come to the same.

use std::collections::{BTreeMap, BTreeSet};

use super::pattern::{MessageName, Pattern, Point};
use super::run::{Effect, Fate, Kind, Run, Step};
use crate::id::ProcessId;

/// What the properties and the detector of an experiment make of a crash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    /// Whether some property minds the order of events at different processes, or their times.
    pub minds_order: bool,
    /// Whether other processes are told of crashes.
    pub tells_crashes: bool,
    /// Whether processes crash together.
    pub shares_fates: bool,
}

/// The patterns that come to the same as one that was run: those with its crashes and its losses,
/// up to crashes at equivalent points, in which nothing else fails that matters.
#[derive(Clone, Debug)]
pub struct Clause {
    /// The losses of the pattern.
    pub(super) lost: BTreeSet<MessageName>,
    /// The messages of the pattern that were late.
    pub(super) late: BTreeSet<MessageName>,
    /// The processes that crash, each with the points that are equivalent to its own.
    pub(super) crashes: BTreeMap<ProcessId, BTreeSet<Point>>,
    /// The messages without which the run could have been another.
    pub(super) messages: BTreeSet<MessageName>,
    /// The messages that came in time to a process that was up.
    pub(super) in_time: BTreeSet<MessageName>,
    /// The points at which the other processes could have crashed.
    pub(super) passed: BTreeMap<ProcessId, BTreeSet<Point>>,
}

impl Clause {
    /// What this run says of patterns other than its own. `all_matter`: nothing that it received
    /// may be lost.
    pub(super) fn of(pattern: &Pattern, run: &Run, sight: Sight, all_matter: bool) -> Self {
        let past = Past::of(run, sight);
        let handled = run.steps.iter().enumerate().filter_map(|(index, step)| match step.kind {
            Kind::Message(name) => Some((index, name)),
            _ => None,
        });
        let material = handled.filter(|(index, _)| all_matter || !past.is_immaterial(*index));
        let mut passed: BTreeMap<ProcessId, BTreeSet<Point>> = BTreeMap::new();
        for (p, point, _) in run.points().filter(|(p, ..)| !pattern.crashes.contains_key(p)) {
            passed.entry(p).or_default().insert(point);
        }
        let crashes = pattern.crashes.iter();
        Self {
            lost: pattern.lost.clone(),
            late: run.late.clone(),
            crashes: crashes.map(|(p, point)| (*p, past.equivalents(*p, *point))).collect(),
            messages: material.map(|(_, name)| name).collect(),
            in_time: run.in_time.clone(),
            passed,
        }
    }

    /// Whether this pattern comes to the same as that of the run, or has a process crash where it
    /// never is.
    pub fn covers(&self, pattern: &Pattern) -> bool {
        let crashes_alike = self
            .crashes
            .iter()
            .all(|(p, points)| pattern.crashes.get(p).is_some_and(|point| points.contains(point)));
        let is_passed = |(p, point): (&ProcessId, &Point)| {
            self.passed.get(p).is_some_and(|points| points.contains(point))
        };
        let crashes_more = pattern.crashes.iter().any(is_passed);
        crashes_alike
            && !crashes_more
            && self.lost.is_subset(&pattern.lost)
            && self.messages.is_disjoint(&pattern.lost)
            && self.late.iter().all(|name| pattern.late.contains_key(name))
            && !self.in_time.iter().any(|name| pattern.late.contains_key(name))
    }
}

/// A run, with the last step of each process.
struct Past<'a> {
    run: &'a Run,
    sight: Sight,
    last_steps: BTreeMap<ProcessId, usize>,
}

impl<'a> Past<'a> {
    fn of(run: &'a Run, sight: Sight) -> Self {
        let steps = run.steps.iter().enumerate().filter(|(_, step)| step.kind != Kind::Crash);
        let last_steps = steps.map(|(index, step)| (step.process, index)).collect();
        Self { run, sight, last_steps }
    }

    /// Whether all would go as it went if the message of this step had not come.
    fn is_immaterial(&self, index: usize) -> bool {
        let step = &self.run.steps[index];
        let is_silent = step.effects.is_empty() && !step.is_visible;
        is_silent && (step.keeps_state || self.last_steps.get(&step.process) == Some(&index))
    }

    /// Whether a process that has crashed could have crashed before this effect as well.
    fn is_without_consequence(&self, effect: &Effect) -> bool {
        let is_unheard = |fate: Option<&Fate>| match fate {
            Some(Fate::Handled(step)) => self.is_immaterial(*step),
            Some(Fate::Gone | Fate::Own) => true,
            None => false,
        };
        !effect.is_visible
            && effect.message.is_none_or(|message| is_unheard(self.run.messages.get(&message)))
    }

    /// The points at which this process could have crashed, and all would have gone as it went:
    /// that of the pattern, and those before it with nothing in between that matters.
    fn equivalents(&self, p: ProcessId, point: Point) -> BTreeSet<Point> {
        let mut points = BTreeSet::from([point]);
        let steps = &self.run.steps;
        let is_crash = |step: &Step| step.process == p && step.kind == Kind::Crash;
        let Some(crash) = steps.iter().position(is_crash) else { return points };
        if self.sight.shares_fates {
            return points;
        }
        let moves_in_time = !self.sight.minds_order && !self.sight.tells_crashes;
        // The instant that the walk is in; that of all starts comes before time zero.
        let instant_of = |index: usize| (index >= self.run.start_count, steps[index].at);
        let mut instant = match point {
            Point::At(at) => (true, at),
            Point::After(_) => instant_of(crash),
        };
        for (index, step) in steps[..crash].iter().enumerate().rev() {
            if instant_of(index) < instant {
                points.insert(Point::At(instant.1));
                if !moves_in_time {
                    return points;
                }
                instant = instant_of(index);
            }
            if step.process != p {
                if self.prevents_moving(step) {
                    return points;
                }
                continue;
            }
            for effect in step.effects.iter().rev() {
                points.insert(Point::After(effect.nth));
                if !self.is_without_consequence(effect) {
                    return points;
                }
            }
            if matches!(step.kind, Kind::Start | Kind::Request) {
                return points;
            }
            if step.effects.is_empty() && step.is_visible {
                return points;
            }
        }
        points
    }

    /// Whether a crash of another process must stay behind this step.
    fn prevents_moving(&self, step: &Step) -> bool {
        match step.kind {
            Kind::Crash => self.sight.minds_order || self.sight.tells_crashes,
            _ => self.sight.minds_order && step.is_visible,
        }
    }
}
