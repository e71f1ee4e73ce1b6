//! What can be chosen in a state.

use super::{Frontier, Pending, plain};
use crate::explore::budget::{Budget, Time};
use crate::explore::choice::{Choice, EventId, How};
use crate::explore::footprint::Footprint;
use crate::explore::step::{Step, What};
use crate::id::ProcessId;
use crate::rng::told::Drawer;
use crate::time::Instant;

impl Frontier {
    /// What has to happen some time, unless something prevents it: all that can be next.
    pub fn plain(&mut self, into: &mut Vec<Choice>) {
        into.clear();
        if self.step_count == 0 {
            into.push(Choice::START);
            return;
        }
        if self.is_over() {
            return;
        }
        match self.time {
            Time::Lockstep => self.due_now(into),
            Time::Free => {
                let can_be_next = self.pending.iter().filter(|one| self.can_be_next(one));
                into.extend(can_be_next.map(|one| plain(one.id)));
                into.extend(self.last_resort());
            }
        }
    }

    /// With [`Time::Lockstep`]: all that is due at the earliest instant, timers only if nothing
    /// else is.
    fn due_now(&self, into: &mut Vec<Choice>) {
        let Some(first) = self.pending.iter().map(|one| self.key(one)).min() else { return };
        let horizon = self.horizon();
        let due = self.pending.iter().filter(|one| self.key(one) == first && first.0 <= horizon);
        let due = due.filter(|one| self.is_first_on_its_link(one) && self.is_its_turn(one));
        into.extend(due.map(|one| plain(one.id)));
    }

    /// With [`Time::Lockstep`]: when this is due, and whether it is a timer. What is due at once
    /// joins what is happening.
    pub(super) fn key(&self, one: &Pending) -> (Instant, bool) {
        let key = (one.event.place.at, one.is_timer());
        self.last_key.map_or(key, |last| key.max(last))
    }

    fn horizon(&self) -> Instant {
        self.runner.world_ref().experiment.limits.horizon
    }

    /// With [`Time::Free`]: whether this can happen before everything else.
    fn can_be_next(&self, one: &Pending) -> bool {
        match one.what {
            What::Message { .. } => self.is_first_on_its_link(one),
            What::Timer(_) => false,
            What::Request { .. } => self.is_its_turn(one),
            _ => true,
        }
    }

    /// Whether no earlier request waits at the same process: clients ask one after the other.
    fn is_its_turn(&self, one: &Pending) -> bool {
        let is_earlier = |other: &Pending| {
            let is_request = |one: &Pending| matches!(one.what, What::Request { .. });
            is_request(one)
                && is_request(other)
                && one.at == other.at
                && other.event.place < one.event.place
        };
        !self.pending.iter().any(is_earlier)
    }

    fn is_first_on_its_link(&self, one: &Pending) -> bool {
        let What::Message { from, to, .. } = one.what else { return true };
        if !self.is_fifo {
            return true;
        }
        let is_earlier = |other: &Pending| {
            matches!(other.what, What::Message { from: f, to: t, .. } if (f, t) == (from, to))
                && other.event.place.sequence() < one.event.place.sequence()
        };
        !self.pending.iter().any(is_earlier)
    }

    /// Whether no other timer of the same process is due before, by the clock of the process.
    fn is_due_first(&self, one: &Pending) -> bool {
        let is_before =
            |other: &Pending| other.is_timer() && other.at == one.at && other.due < one.due;
        !self.pending.iter().any(is_before)
    }

    /// With [`Time::Free`], when nothing but timers is left: the one that is due first; of several
    /// the one of the lowest process. Time passes up to then.
    pub(super) fn last_resort(&self) -> Option<Choice> {
        if self.time == Time::Lockstep || self.pending.iter().any(|one| !one.is_timer()) {
            return None;
        }
        let due = |one: &&Pending| (one.event.place.at, one.at, one.event.place.sequence());
        let first = self.pending.iter().filter(|one| self.is_due_first(one)).min_by_key(due)?;
        (first.event.place.at <= self.horizon()).then(|| plain(first.id))
    }

    /// What need not happen, and can: crashes between two steps, wrong suspicions, early timeouts.
    /// Nothing with [`Time::Lockstep`], where a process crashes in one of its steps.
    pub fn optional(&mut self, into: &mut Vec<Choice>) {
        into.clear();
        if self.step_count == 0 || self.time == Time::Lockstep || self.is_over() {
            return;
        }
        let may_crash = self.used.crashes < self.budget.crashes;
        let may_recover = self.used.recoveries < self.budget.recoveries;
        let stays_down = self.can_stay_down();
        let may_suspect = self.used.suspicions < self.budget.suspicions;
        if self.budget.timeouts > 0 {
            let horizon = self.horizon();
            let may_come = |one: &&Pending| match one.what {
                What::Timer(p) => {
                    self.timeouts[p.index()] < self.budget.timeouts
                        && one.event.place.at <= horizon
                        && self.is_due_first(one)
                }
                _ => false,
            };
            let early = self.pending.iter().filter(may_come);
            into.extend(early.map(|one| plain(one.id.early())));
        }
        if !may_crash && !may_suspect {
            return;
        }
        let up: Vec<ProcessId> = {
            let stepper = self.runner.stepper();
            (0..self.n).map(ProcessId).filter(|p| stepper.is_up(*p)).collect()
        };
        for process in up.iter().copied().filter(|_| may_crash) {
            for recovers in [false, true] {
                if (recovers && may_recover) || (!recovers && stays_down >> process.0 & 1 == 1) {
                    into.push(self.crash_of(process, recovers));
                }
            }
        }
        for observer in up.iter().copied().filter(|_| may_suspect) {
            let world = self.runner.world_ref();
            let others = up.iter().copied().filter(|p| *p != observer);
            for subject in others.filter(|p| !world.suspected.contains(&(observer, *p))) {
                let nth = self.suspected.get(&(observer, subject)).copied().unwrap_or(0);
                let words = [2, observer.0.into(), subject.0.into(), nth];
                let event = EventId::spontaneous(words);
                into.push(Choice::of(event, How::Suspects { observer, subject }));
            }
        }
    }

    /// The processes that may crash for good, beside those that have.
    fn can_stay_down(&self) -> u64 {
        let Some(bound) = self.bound else { return u64::MAX };
        let setting = &self.runner.world_ref().experiment.setting;
        let is_admitted = |p: &ProcessId| {
            let down = (0..self.n).filter(|q| self.down_for_good >> q & 1 == 1);
            bound.admits(setting, down.map(ProcessId).chain([*p]))
        };
        let those = (0..self.n).map(ProcessId).filter(is_admitted);
        those.fold(0, |set, p| set | 1 << p.0)
    }

    fn crash_of(&self, process: ProcessId, recovers: bool) -> Choice {
        let nth = self.crashes[process.index()];
        let event = EventId::spontaneous([1, process.0.into(), nth.into(), 0]);
        Choice::of(event, How::Crash { process, recovers })
    }

    /// The other ways in which the event of the last step could have gone, as far as the budget
    /// goes: something else was drawn, or a process crashed.
    ///
    /// To be called after the step; what the budget allowed before it counts.
    pub fn variants(&mut self, step: &Step, before: &Budget, into: &mut Vec<Choice>) {
        into.clear();
        self.other_draws(step.choice, into);
        if step.choice.how == How::Happens && before.crashes < self.budget.crashes {
            self.crashes_on_the_way(step, before, into);
        }
    }

    /// The same with another value for one draw, and zeros after it.
    ///
    /// Each sequence of draws comes up once: from the one with a zero in place of its last value
    /// that is not 0. What a process draws in a step in which it crashes comes up without the
    /// crash.
    fn other_draws(&self, choice: Choice, into: &mut Vec<Choice>) {
        let drawn = self.drawn();
        let crashes = matches!(choice.how, How::CrashesAfter { effects: 1.., .. });
        for (nth, draw) in (0..).zip(drawn).skip(choice.coins.len() as usize) {
            let is_known = crashes && matches!(draw.by, Drawer::Process(_));
            if !is_known {
                let others = (1..draw.below).map(|value| choice.coins.with(nth, value));
                into.extend(others.map(|coins| Choice { coins, ..choice }));
            }
        }
    }

    fn crashes_on_the_way(&mut self, step: &Step, before: &Budget, into: &mut Vec<Choice>) {
        // What clients draw on hearing of the step can be other draws if it ends early.
        let drawn = self.drawn();
        let told = drawn.iter().take(step.choice.coins.len() as usize);
        if told.into_iter().any(|draw| !matches!(draw.by, Drawer::Process(_))) {
            return;
        }
        let may_recover = before.recoveries < self.budget.recoveries;
        let stays_down = self.can_stay_down();
        let stepper = self.runner.stepper();
        let up: Vec<_> = (0..self.n).map(ProcessId).filter(|p| stepper.is_up(*p)).collect();
        for process in up {
            // Between two steps it can crash of its own accord if time is free.
            let all = self.effects[process.index()];
            let (first, end) = match (self.time, step.what) {
                (Time::Lockstep, What::Start | What::Recovery(_)) => (1, all + 1),
                (Time::Lockstep, _) if step.footprint.is_of(process) => (0, all + 1),
                _ => (1, all),
            };
            for effects in first..end {
                // It crashes before it has drawn anything.
                if effects == 0 && !step.choice.coins.is_empty() {
                    continue;
                }
                for recovers in [false, true] {
                    let is_down = stays_down >> process.0 & 1 == 1;
                    if (recovers && may_recover) || (!recovers && is_down) {
                        let how = How::CrashesAfter { process, effects, recovers };
                        into.push(Choice { how, ..step.choice });
                    }
                }
            }
        }
    }

    /// What has been used of the budget.
    pub const fn used(&self) -> Budget {
        self.used
    }

    /// What can become of the messages that the last step has sent, other than that each arrives
    /// once. If nothing of this is chosen next, they do.
    pub fn fates(&mut self, into: &mut Vec<Choice>) {
        into.clear();
        if self.is_over() {
            return;
        }
        for (event, _) in self.undecided.iter().copied() {
            if self.used.losses < self.budget.losses {
                into.push(Choice::of(event, How::IsLost));
            }
            // A copy on a FIFO link would have to come before what has been sent since.
            if self.used.duplicates < self.budget.duplicates && !self.is_fifo {
                into.push(Choice::of(event, How::ComesTwice));
            }
        }
    }

    /// Whether this event can go this way, which is a variant of one that can happen.
    pub(in crate::explore) fn admits(&self, choice: Choice) -> bool {
        let (used, budget) = (&self.used, &self.budget);
        match choice.how {
            How::CrashesAfter { process, recovers, .. } => {
                used.crashes < budget.crashes
                    && (recovers || self.can_stay_down() >> process.0 & 1 == 1)
                    && (!recovers || used.recoveries < budget.recoveries)
                    && self.handles(choice.event, process)
            }
            _ => true,
        }
    }

    /// Whether nothing but timers is left: the first of them waits for everything else.
    pub(in crate::explore) fn waits_for_timers(&self) -> bool {
        self.last_resort().is_some()
    }

    /// What a step that touched this can touch in any of its variants, all of them together.
    pub(in crate::explore) fn with_variants(&self, footprint: Footprint) -> Footprint {
        let Budget { crashes, coins, votes, .. } = self.budget;
        if (crashes, coins, votes) == (0, 0, 0) {
            return footprint;
        }
        // Another draw can make a process say something else.
        let footprint = match coins {
            0 => footprint,
            _ => footprint.changes_clients(),
        };
        let touched = (0..self.n).map(ProcessId).filter(|p| footprint.is_of(*p));
        let touched = touched.fold(footprint.reads_clients(), Footprint::changes_status);
        if self.runner.stepper_ref().minds_order() { touched.seen() } else { touched }
    }

    /// Whether this process handles this event, if it happens now: it is up, or becomes so.
    fn handles(&self, event: EventId, process: ProcessId) -> bool {
        let one = self.pending.iter().find(|one| one.id == event.in_time());
        one.is_none_or(|one| matches!(one.what, What::Recovery(_)))
            || self.runner.stepper_ref().is_up(process)
    }
}
