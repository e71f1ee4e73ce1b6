//! When faults struck: what their victims had done last.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::fault::condition::Condition;
use ftsim_core::fault::{Action, Plan};
use ftsim_core::outcome::trace::{Entry, Trace, TraceEvent};
use ftsim_core::{MessageId, ProcessId};
use ftsim_reports::Phase;

/// A fault that struck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strike {
    /// Its kind, as [`kind_of`] names it.
    pub kind: &'static str,
    /// Its victim; `None` for the network.
    pub victim: Option<ProcessId>,
    /// Whether the victim led.
    pub led: bool,
    /// What the victim had done last; for the network, what any process had done last.
    pub phase: Phase,
}

const CRASH: &str = "crash";
const EXCEPTION: &str = "exception";
const DAMAGE: &str = "disk damage";
const PAUSE: &str = "pause";
const BYZANTINE: &str = "Byzantine";
const STATE: &str = "state corruption";
const JUMP: &str = "clock jump";

/// The kind of a fault; `None` for what is no fault: a start, a resumption, healing.
pub fn kind_of(action: &Action) -> Option<&'static str> {
    match action {
        Action::Start(_) | Action::Resume { .. } | Action::Heal => None,
        Action::Crash(_, crash) => Some(if crash.announced { EXCEPTION } else { CRASH }),
        Action::Damage(..) => Some(DAMAGE),
        Action::Pause { .. } => Some(PAUSE),
        Action::Corrupt(..) => Some(BYZANTINE),
        Action::CorruptState(_) => Some(STATE),
        Action::Jump(..) => Some(JUMP),
        Action::IfLeads(_, action) => kind_of(action),
        Action::Begin(condition, _) => Some(kind_of_condition(condition)),
    }
}

const fn kind_of_condition(condition: &Condition) -> &'static str {
    match condition {
        Condition::Partition(_) => "partition",
        Condition::SendOmission(..) => "send omission",
        Condition::ReceiveOmission(..) => "receive omission",
        Condition::Loss(..) => "loss",
        Condition::Duplicate(..) => "duplication",
        Condition::Late(..) => "late messages",
        Condition::Delay(..) => "longer delays",
        Condition::Reorder(..) => "reordering",
        Condition::Replay(..) => "replay",
        Condition::Garble(..) => "corruption in transit",
        Condition::Bandwidth(..) => "less bandwidth",
        Condition::Clog(_) => "clog",
        Condition::Slow(..) => "slow process",
        Condition::SyncFails(_) => "failing syncs",
        Condition::SlowSync(..) => "slow syncs",
        Condition::DiskFull(_) => "full disk",
        Condition::Skew(..) => "clock skew",
        Condition::Drift(..) => "clock drift",
        Condition::Freeze(_) => "stopped clock",
    }
}

/// The faults of this plan that struck in this run, in order. A condition that comes and goes
/// counts once.
pub fn strikes(plan: &Plan, trace: &Trace) -> Vec<Strike> {
    let conditions = plan.faults.iter().filter_map(|fault| {
        let condition = condition_of(&fault.action)?;
        Some((condition.to_string(), kind_of_condition(condition)))
    });
    let mut reader = Reader::default();
    for (condition, kind) in conditions {
        reader.conditions.entry(condition).or_insert((kind, 0)).1 += 1;
    }
    trace.entries.iter().for_each(|entry| reader.read(entry));
    reader.found
}

fn condition_of(action: &Action) -> Option<&Condition> {
    match action {
        Action::Begin(condition, _) => Some(condition),
        Action::IfLeads(_, action) => condition_of(action),
        _ => None,
    }
}

#[derive(Default)]
struct Reader {
    /// The kinds of conditions, by how traces write them, and how many of them have not begun.
    conditions: BTreeMap<String, (&'static str, u64)>,
    /// The kinds of messages.
    messages: BTreeMap<MessageId, String>,
    /// What each process handled last, and in which step; `None`: any process.
    last: BTreeMap<Option<ProcessId>, (u64, String)>,
    leaders: BTreeSet<ProcessId>,
    /// The process that aborted last, and in which step: its crash follows.
    aborted: Option<(u64, ProcessId)>,
    found: Vec<Strike>,
}

impl Reader {
    fn read(&mut self, entry: &Entry) {
        if let Some(kind) = self.kind(entry) {
            self.strike(entry, kind);
        }
        self.follow(entry);
        if let Some(handled) = self.handled(&entry.what) {
            self.last.insert(entry.process, (entry.step, handled.clone()));
            self.last.insert(None, (entry.step, handled));
        }
    }

    /// The kind of the fault that strikes here.
    fn kind(&mut self, entry: &Entry) -> Option<&'static str> {
        match &entry.what {
            TraceEvent::Crash { .. } => {
                let here = entry.process.map(|p| (entry.step, p));
                Some(if here.is_some() && self.aborted == here { EXCEPTION } else { CRASH })
            }
            TraceEvent::Damage { .. } => Some(DAMAGE),
            TraceEvent::Pause => Some(PAUSE),
            TraceEvent::Corrupt { .. } => Some(BYZANTINE),
            TraceEvent::StateCorrupted => Some(STATE),
            TraceEvent::ClockJump { .. } => Some(JUMP),
            TraceEvent::Begins { condition } => {
                let (kind, left) = self.conditions.get_mut(condition)?;
                *left = left.checked_sub(1)?;
                Some(kind)
            }
            _ => None,
        }
    }

    fn strike(&mut self, entry: &Entry, kind: &'static str) {
        let phase = match self.last.get(&entry.process) {
            None => Phase::default(),
            Some((step, handled)) => {
                // Two handlers have two steps, and so have a handler and a fault at a time.
                let is_over = entry.process.is_none() || *step != entry.step;
                Phase { handled: handled.clone(), is_over }
            }
        };
        let led = entry.process.is_some_and(|p| self.leaders.contains(&p));
        self.found.push(Strike { kind, victim: entry.process, led, phase });
    }

    /// Notes who leads, which messages there are and who aborts.
    fn follow(&mut self, entry: &Entry) {
        match (&entry.what, entry.process) {
            (TraceEvent::Send { id, kind, .. }, _) => {
                self.messages.insert(*id, kind.clone());
            }
            (TraceEvent::Indicate { leads: Some(true), .. }, Some(p)) => {
                self.leaders.insert(p);
            }
            (
                TraceEvent::Indicate { leads: Some(false), .. } | TraceEvent::Crash { .. },
                Some(p),
            ) => {
                self.leaders.remove(&p);
            }
            (TraceEvent::Abort, Some(p)) => self.aborted = Some((entry.step, p)),
            _ => {}
        }
    }

    /// What a process handles here.
    fn handled(&self, what: &TraceEvent) -> Option<String> {
        Some(match what {
            TraceEvent::Start => "its start".to_owned(),
            TraceEvent::Recover { .. } => "its recovery".to_owned(),
            TraceEvent::Resume => "its resumption".to_owned(),
            TraceEvent::Request { .. } => "a client's request".to_owned(),
            TraceEvent::Suspect { .. } | TraceEvent::Trust { .. } => {
                "a notice of its detector".to_owned()
            }
            TraceEvent::Synced => "a sync".to_owned(),
            TraceEvent::Timer { timer } => format!("timer {}", first_word(timer)),
            TraceEvent::Deliver { id, message, .. } => {
                let known = self.messages.get(id).cloned();
                known.unwrap_or_else(|| first_word(message).to_owned())
            }
            _ => return None,
        })
    }
}

/// The name at the beginning of formatted content: that of its variant.
fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}
