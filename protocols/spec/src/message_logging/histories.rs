//! What every process has delivered, and which state interval depends on which.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{Observation, Observed, ProcessId, Setting, Violation};

use super::{Indication, Interval, Message, MessageLogging, MessageName, Output, Value};

/// A state interval among all that ever were.
pub(super) type StateId = usize;

/// A state interval: the deliveries that led to it determine it.
#[derive(Clone, Debug, Hash)]
struct State {
    process: ProcessId,
    interval: Interval,
    before: Option<StateId>,
    /// The latest intervals of each process on which this one depends, itself included; several of
    /// one process only if some of them have been undone.
    past: BTreeSet<StateId>,
}

/// Whether a process is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    Up,
    Down,
    /// It replays deliveries.
    Recovering,
}

/// A delivery that has not been undone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Delivered {
    pub message: Message,
    pub value: Value,
}

impl Delivered {
    /// What its process outputs, if the job ends here.
    pub fn result(&self) -> Output {
        Output { job: self.message.job, value: self.value }
    }
}

/// The history of a process.
#[derive(Clone, Debug, Hash)]
pub(super) struct History {
    pub stage: Stage,
    /// Its state intervals, from the initial one on.
    states: Vec<StateId>,
    /// What began them, the initial one excepted.
    pub delivered: Vec<Delivered>,
    /// The messages sent in them.
    pub sent: Vec<(Interval, Message)>,
    names: BTreeSet<MessageName>,
}

impl History {
    fn beginning_with(initial: StateId) -> Self {
        Self {
            stage: Stage::Up,
            states: vec![initial],
            delivered: Vec::new(),
            sent: Vec::new(),
            names: BTreeSet::new(),
        }
    }

    /// The interval in which it is.
    fn interval(&self) -> Interval {
        self.delivered.len() as Interval
    }

    /// Whether it has delivered a message with this name.
    pub fn has(&self, name: &MessageName) -> bool {
        self.names.contains(name)
    }

    fn roll_back(&mut self, to: Interval) {
        let kept = usize::try_from(to).unwrap_or(usize::MAX).min(self.delivered.len());
        self.states.truncate(kept + 1);
        for undone in self.delivered.drain(kept..) {
            self.names.remove(&undone.message.name());
        }
        self.sent.retain(|(interval, _)| *interval <= to);
    }
}

/// The histories of all processes. Every state interval that ever was is known by a number; a
/// replay of the same deliveries gives the same intervals again.
#[derive(Clone, Debug, Hash)]
pub(super) struct Histories {
    pub of: Vec<History>,
    states: Vec<State>,
    known: BTreeMap<(StateId, Message), StateId>,
    /// The intervals in which messages were sent.
    sent_in: BTreeMap<Message, StateId>,
}

impl Histories {
    pub fn new(setting: &Setting) -> Self {
        let initial = |p: ProcessId| State {
            process: p,
            interval: 0,
            before: None,
            past: BTreeSet::from([p.index()]),
        };
        Self {
            of: (0..setting.n as usize).map(History::beginning_with).collect(),
            states: setting.processes().map(initial).collect(),
            known: BTreeMap::new(),
            sent_in: BTreeMap::new(),
        }
    }

    pub fn observe(&mut self, event: &Observed<'_, MessageLogging>) {
        let p = event.process;
        let Some(history) = self.of.get_mut(p.index()) else { return };
        match event.what {
            Observation::Crash => history.stage = Stage::Down,
            Observation::Recover => {
                history.stage = Stage::Recovering;
                history.roll_back(0);
            }
            Observation::Indication(Indication::Delivered { message, value, .. }) => {
                self.deliver(p, message, *value);
            }
            Observation::Indication(Indication::Sent(message)) => {
                let state = history.states.last().copied().unwrap_or(p.index());
                history.sent.push((history.interval(), message.clone()));
                self.sent_in.insert(message.clone(), state);
            }
            Observation::Indication(Indication::RolledBack { to }) => history.roll_back(*to),
            Observation::Indication(Indication::Resumed) => history.stage = Stage::Up,
            _ => {}
        }
    }

    fn deliver(&mut self, p: ProcessId, message: &Message, value: Value) {
        let before = self.of[p.index()].states.last().copied().unwrap_or(p.index());
        let state = match self.known.get(&(before, message.clone())) {
            Some(state) => *state,
            None => self.begin(p, before, message),
        };
        let history = &mut self.of[p.index()];
        history.states.push(state);
        history.names.insert(message.name());
        history.delivered.push(Delivered { message: message.clone(), value });
    }

    /// A state interval that is begun for the first time.
    fn begin(&mut self, p: ProcessId, before: StateId, message: &Message) -> StateId {
        let state = self.states.len();
        let mut past = self.states[before].past.clone();
        let cause = self.sent_in.get(message);
        past.extend(cause.iter().flat_map(|cause| self.states[**cause].past.iter().copied()));
        past.insert(state);
        let interval = self.states[before].interval + 1;
        let new = State { process: p, interval, before: Some(before), past: BTreeSet::new() };
        self.states.push(new);
        let all: Vec<_> = past.iter().copied().collect();
        past.retain(|older| !all.iter().any(|newer| self.precedes(*older, *newer)));
        self.states[state].past = past;
        self.known.insert((before, message.clone()), state);
        state
    }

    /// Whether both are intervals of one process, and the one came before the other.
    fn precedes(&self, older: StateId, newer: StateId) -> bool {
        let (to, from) = (&self.states[older], &self.states[newer]);
        if to.process != from.process || to.interval >= from.interval {
            return false;
        }
        let mut at = newer;
        while self.states[at].interval > to.interval {
            let Some(before) = self.states[at].before else { return false };
            at = before;
        }
        at == older
    }

    /// Whether the process of this interval is up and has undone it.
    fn is_lost(&self, state: StateId) -> bool {
        let State { process, interval, .. } = &self.states[state];
        let history = &self.of[process.index()];
        let place = usize::try_from(*interval).unwrap_or(usize::MAX);
        history.stage == Stage::Up && history.states.get(place) != Some(&state)
    }

    /// If `p` is up, a lost interval on which it depends.
    pub fn orphaned_by(&self, p: ProcessId) -> Option<(ProcessId, Interval)> {
        let history = self.of.get(p.index()).filter(|history| history.stage == Stage::Up)?;
        let past = &self.states[*history.states.last()?].past;
        self.first_lost(past)
    }

    /// The first of these intervals that is lost.
    pub fn first_lost(&self, past: &BTreeSet<StateId>) -> Option<(ProcessId, Interval)> {
        let lost = past.iter().find(|state| self.is_lost(**state))?;
        let State { process, interval, .. } = &self.states[*lost];
        Some((*process, *interval))
    }

    /// The intervals on which this output of `p` depends, if a delivery has led to it.
    pub fn past_of_output(&self, p: ProcessId, output: &Output) -> Option<&BTreeSet<StateId>> {
        let history = self.of.get(p.index())?;
        let is_it = |delivered: &Delivered| {
            delivered.message.route.is_empty() && delivered.result() == *output
        };
        let place = history.delivered.iter().rposition(is_it)?;
        Some(&self.states[*history.states.get(place + 1)?].past)
    }
}

/// The violation that a process is an orphan.
pub(super) fn orphan(p: ProcessId, (of, interval): (ProcessId, Interval)) -> Violation {
    Violation::by([p, of], format!("{p} depends on interval {interval} of {of}, which is lost"))
}
