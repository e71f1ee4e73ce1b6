//! The properties of dissemination.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{End, Instant, Observation, Observed, ProcessId, Property, Setting, Violation};

use super::{Dissemination, Indication, Reach, Reached, Share};
use crate::broadcast::{broadcast, delivered};
use crate::message_set::MessageName;
use crate::{mean, seconds};

/// RB2: remembers the deliveries.
#[derive(Clone, Debug, Hash)]
pub(super) struct NoDuplication {
    reach: Reach,
    deliveries: u64,
}

impl NoDuplication {
    pub fn new(setting: &Setting) -> Self {
        Self { reach: Reach::new(setting), deliveries: 0 }
    }
}

impl Property<Dissemination> for NoDuplication {
    fn observe(&mut self, event: &Observed<'_, Dissemination>) -> Result<(), Violation> {
        let Some(message) = delivered(event) else { return Ok(()) };
        self.deliveries += 1;
        let (p, (sender, number)) = (event.process, message);
        if self.reach.add(message, p) {
            return Ok(());
        }
        Err(Violation::by([p], format!("{p} delivered message {number} of {sender} twice")))
    }

    fn exercised(&self) -> u64 {
        self.deliveries
    }
}

/// Coverage: remembers broadcasts, deliveries and promises, and counts at the end.
///
/// Measures the mean share of the correct processes that a message of a correct one has reached.
#[derive(Clone, Debug, Hash)]
pub(super) struct Coverage {
    reach: Reach,
    broadcast: BTreeSet<MessageName>,
    promised: BTreeMap<ProcessId, Share>,
    /// Known at the end: messages with a promise.
    obligations: u64,
}

impl Coverage {
    pub fn new(setting: &Setting) -> Self {
        let (broadcast, promised) = (BTreeSet::new(), BTreeMap::new());
        Self { reach: Reach::new(setting), broadcast, promised, obligations: 0 }
    }
}

impl Property<Dissemination> for Coverage {
    fn observe(&mut self, event: &Observed<'_, Dissemination>) -> Result<(), Violation> {
        if let Some(message) = delivered(event) {
            self.reach.add(message, event.process);
        } else if let Some(message) = broadcast(event) {
            self.broadcast.insert(message);
        } else if let Observation::Indication(Indication::Reaches(share)) = event.what {
            self.promised.insert(event.process, *share);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        for &(sender, number) in self.broadcast.iter().filter(|(p, _)| end.is_correct(*p)) {
            let Some(share) = self.promised.get(&sender) else { continue };
            self.obligations += 1;
            let Reached { count, total } = self.reach.of((sender, number), end);
            if !share.is_reached_by(count, total) {
                let missed = self.reach.first_missed((sender, number), end);
                let message = format!(
                    "message {number} of {sender} reached {count} of {total} correct processes, \
                     not {share}"
                );
                return Err(Violation::by([Some(sender), missed].into_iter().flatten(), message));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }

    fn measured(&self, end: &End<'_>) -> Option<f64> {
        let shares = self.broadcast.iter().filter(|(p, _)| end.is_correct(*p)).map(|message| {
            let Reached { count, total } = self.reach.of(*message, end);
            count as f64 / total as f64
        });
        mean(shares.collect())
    }
}

/// RB4, which dissemination does not promise: remembers the deliveries, and looks for missing ones
/// at the end.
///
/// Measures, in seconds, the mean time from a broadcast until it has reached the last process;
/// nothing if a message missed a correct one.
#[derive(Clone, Debug, Hash)]
pub(super) struct Agreement {
    reach: Reach,
    /// The time of each broadcast.
    began: BTreeMap<MessageName, Instant>,
    /// The time at which each message last reached a process.
    spread: BTreeMap<MessageName, Instant>,
    /// Known at the end: messages that every correct process must deliver.
    obligations: u64,
}

impl Agreement {
    pub fn new(setting: &Setting) -> Self {
        let (began, spread) = (BTreeMap::new(), BTreeMap::new());
        Self { reach: Reach::new(setting), began, spread, obligations: 0 }
    }

    /// The messages that every correct process must deliver, and a correct one that has.
    fn owed(&self, end: &End<'_>) -> impl Iterator<Item = (MessageName, ProcessId)> {
        self.reach.messages().filter_map(|m| Some((m, self.reach.first_reached(m, end)?)))
    }
}

impl Property<Dissemination> for Agreement {
    fn observe(&mut self, event: &Observed<'_, Dissemination>) -> Result<(), Violation> {
        if let Some(message) = broadcast(event) {
            self.began.entry(message).or_insert(event.at);
        } else if let Some(message) = delivered(event)
            && self.reach.add(message, event.process)
        {
            self.spread.insert(message, event.at);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let owed: Vec<_> = self.owed(end).collect();
        for (message, first) in owed {
            self.obligations += 1;
            if let Some(missed) = self.reach.first_missed(message, end) {
                let (sender, number) = message;
                return Err(Violation::by(
                    [first, missed],
                    format!("{first} delivered message {number} of {sender}, {missed} never did"),
                ));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }

    fn measured(&self, end: &End<'_>) -> Option<f64> {
        let times = self.owed(end).map(|(message, _)| {
            let reaches_all = self.reach.first_missed(message, end).is_none();
            let (began, spread) = (self.began.get(&message)?, self.spread.get(&message)?);
            reaches_all.then(|| seconds(spread.since(*began)))
        });
        mean(times.collect::<Option<_>>()?)
    }
}
