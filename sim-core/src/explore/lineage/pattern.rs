//! A fault pattern: which processes crash, and where; which messages are lost or late.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::environment::message_rule::{Fate, MessageRule};
use crate::fault::{Action, Crash, Fault, Plan, Trigger};
use crate::id::ProcessId;
use crate::kind::MessageKind;
use crate::time::{Duration, Instant};

/// The faults of one run in lockstep.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    /// The processes that crash, for good.
    pub crashes: BTreeMap<ProcessId, Point>,
    /// The messages that are lost.
    pub lost: BTreeSet<MessageName>,
    /// The messages that are late, each with the time that it takes.
    pub late: BTreeMap<MessageName, Duration>,
}

/// Where a process crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// At this time, before it handles anything that reaches it then.
    At(Instant),
    /// Right after this effect, counted from 1 over the whole run.
    After(u64),
}

/// A message between two processes, by a name that is the same in all runs in which its sender has
/// sent the same before.
#[derive(Clone, Copy, Debug)]
pub struct MessageName {
    /// The sender.
    pub from: ProcessId,
    /// The receiver, another process.
    pub to: ProcessId,
    /// The kind.
    pub kind: MessageKind,
    /// Its number among those of its kind on the link, from 1.
    pub nth: u64,
}

impl Pattern {
    /// The number of faults.
    pub fn fault_count(&self) -> usize {
        self.crashes.len() + self.lost.len() + self.late.len()
    }

    /// The crashes as a plan.
    pub fn plan(&self) -> Plan {
        let fault = |(process, point): (&ProcessId, &Point)| Fault {
            trigger: match *point {
                Point::At(at) => Trigger::At(at),
                Point::After(nth) => Trigger::AfterEffect { process: *process, nth },
            },
            action: Action::Crash(*process, Crash::default()),
        };
        Plan { faults: self.crashes.iter().map(fault).collect() }
    }

    /// The losses and delays as overrides.
    pub fn rules(&self) -> Vec<MessageRule> {
        let lost = self.lost.iter().map(|name| name.rule(Fate::DROP));
        let late = self.late.iter().map(|(name, delay)| name.rule(Fate::delay(*delay)));
        lost.chain(late).collect()
    }
}

impl MessageName {
    /// The override that gives it this fate.
    fn rule(&self, fate: Fate) -> MessageRule {
        let Self { from, to, kind, nth } = *self;
        MessageRule { from, to, kind: Some(kind.to_string()), nth, fate }
    }

    const fn key(&self) -> (u32, u32, u32, u64) {
        (self.from.0, self.to.0, self.kind.code(), self.nth)
    }
}

impl PartialEq for MessageName {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl Eq for MessageName {}

impl PartialOrd for MessageName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for MessageName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl fmt::Display for Pattern {
    /// `at 10ms: p1 crashes; Vote number 1 on p0 -> p2: lost`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults = self.plan().faults.into_iter().map(|fault| fault.to_string());
        let messages = self.rules().into_iter().map(|rule| rule.to_string());
        let said: Vec<String> = faults.chain(messages).collect();
        match said.as_slice() {
            [] => f.write_str("no faults"),
            said => f.write_str(&said.join("; ")),
        }
    }
}
