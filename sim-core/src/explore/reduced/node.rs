//! A state of a run that is being explored: what has been explored from it, and what is to be.

use crate::explore::choice::{Choice, EventId};
use crate::explore::footprint::Footprint;
use crate::explore::frontier::plain;
use crate::explore::step::Step;

/// A state of the current run.
#[derive(Default)]
pub(super) struct Node {
    /// What has been explored before, and conflicts with nothing since.
    pub sleep: Vec<Tried>,
    /// What has been explored from here; the last is being explored.
    pub done: Vec<Tried>,
    /// Other ways of what is being explored.
    pub ways: Vec<Choice>,
    /// Events to be explored from here.
    pub noted: Vec<EventId>,
    /// What else can become of the messages that were sent last.
    pub fates: Vec<Choice>,
    /// What has to happen some time, and can be next.
    pub enabled: Vec<EventId>,
    /// What can be next, and need not come.
    pub optional: Vec<Choice>,
    /// Whether everything that can be next is explored.
    pub is_full: bool,
}

/// An event that has been explored, in all of its ways.
#[derive(Clone)]
pub(super) struct Tried {
    event: EventId,
    ways: Vec<Way>,
}

/// One way in which an event can go.
#[derive(Clone, Copy)]
struct Way {
    choice: Choice,
    footprint: Footprint,
    /// Whether something has happened since that conflicts with it.
    is_awake: bool,
}

impl Node {
    pub fn is_explored(&self) -> bool {
        self.ways.is_empty() && self.noted.is_empty() && self.fates.is_empty()
    }

    /// The first that has to happen, of which no way sleeps.
    pub fn first_awake(&self) -> Option<EventId> {
        let sleeps = |event: &&EventId| self.sleep.iter().any(|one| one.event == **event);
        self.enabled.iter().find(|event| !sleeps(event)).copied()
    }

    /// Notes an event that is to be explored from here, unless it has been.
    pub fn note(&mut self, event: EventId) {
        let is_done = self.done.iter().any(|one| one.event == event);
        if !is_done && !self.noted.contains(&event) {
            self.noted.push(event);
        }
    }

    /// Whether this event can be next.
    pub fn can_begin_with(&self, event: EventId) -> bool {
        self.enabled.contains(&event) || self.optional.iter().any(|choice| choice.event == event)
    }

    /// Whether this event is noted, has been explored from here, or sleeps.
    pub fn knows(&self, event: EventId) -> bool {
        let sleeps = |one: &Tried| one.ways.iter().all(|way| !way.is_awake);
        self.noted.contains(&event)
            || self.done.iter().any(|one| one.event == event)
            || self.sleep.iter().any(|one| one.event == event && sleeps(one))
    }

    /// Notes everything that can be next.
    pub fn explore_all(&mut self) {
        self.is_full = true;
        let optional = self.optional.iter().rev().map(|choice| choice.event);
        let enabled = self.enabled.iter().rev().copied();
        let all: Vec<EventId> = optional.chain(enabled).collect();
        all.into_iter().for_each(|event| self.note(event));
    }

    /// Begins to explore an event, in those of its ways that do not sleep.
    pub fn begin(&mut self, event: EventId) {
        if self.done.iter().any(|one| one.event == event) {
            return;
        }
        let Some(tried) = self.sleep.iter().find(|one| one.event == event).cloned() else {
            let optional = self.optional.iter().filter(|choice| choice.event == event);
            self.ways = optional.rev().copied().collect();
            if self.enabled.contains(&event) {
                self.ways.push(plain(event));
            }
            self.done.push(Tried { event, ways: Vec::new() });
            return;
        };
        let (awake, asleep): (Vec<Way>, Vec<Way>) =
            tried.ways.into_iter().partition(|way| way.is_awake);
        if awake.is_empty() {
            return;
        }
        self.ways = awake.iter().rev().map(|way| way.choice).collect();
        self.done.push(Tried { event, ways: asleep });
        self.explore_all();
    }

    /// Takes in a step from here, and the other ways in which it could have gone.
    pub fn has_taken(&mut self, step: &Step, others: Vec<Choice>) {
        let tried = self.done.last_mut().expect("an event was begun");
        let way = Way { choice: step.choice, footprint: step.footprint, is_awake: false };
        tried.ways.push(way);
        let is_new = |choice: &Choice| !tried.ways.iter().any(|way| way.choice == *choice);
        let new: Vec<Choice> = others.into_iter().rev().filter(is_new).collect();
        self.ways.retain(|choice| !new.contains(choice));
        self.ways.extend(new);
    }

    /// What sleeps after a step from here.
    pub fn sleep_after(&self, step: &Step) -> Vec<Tried> {
        if step.choice.is_fate() {
            return self.sleep.clone();
        }
        let is_done = |one: &&Tried| !self.done.iter().any(|other| other.event == one.event);
        let all = self.sleep.iter().filter(is_done).chain(&self.done);
        let others = all.filter(|one| one.event != step.choice.event);
        let after = others.map(|one| {
            let mut one = one.clone();
            for way in &mut one.ways {
                way.is_awake |= way.footprint.conflicts_with(step.footprint);
            }
            one
        });
        after.filter(|one| one.ways.iter().any(|way| !way.is_awake)).collect()
    }
}
