//! The conditions that are in force, as the trace tells it and the plan explains it.

use ftsim_core::ProcessSet;
use ftsim_core::fault::condition::Condition;
use ftsim_core::fault::{Action, Plan};
use ftsim_core::id::ProcessId;
use ftsim_core::outcome::trace::{Entry, TraceEvent};
use ftsim_core::time::Instant;

/// The conditions of a run.
pub(super) struct InForce<'a> {
    all: Vec<Known<'a>>,
    /// Processes that no condition touches any more, nor the links among them.
    spared: Option<ProcessSet>,
}

struct Known<'a> {
    condition: &'a Condition,
    /// How a trace calls it.
    text: String,
    /// How often it is in force at once.
    count: u32,
    /// Since when.
    since: Instant,
    /// Until when it was, the last time.
    until: Option<Instant>,
}

impl<'a> InForce<'a> {
    /// None of the plan's conditions is in force yet.
    pub fn new(plan: &'a Plan) -> Self {
        let mut all: Vec<Known<'a>> = Vec::new();
        for condition in plan.faults.iter().filter_map(|fault| condition_of(&fault.action)) {
            let text = condition.to_string();
            if all.iter().all(|known| known.text != text) {
                let (since, until) = (Instant::ZERO, None);
                all.push(Known { condition, text, count: 0, since, until });
            }
        }
        Self { all, spared: None }
    }

    pub fn see(&mut self, entry: &Entry) {
        match &entry.what {
            TraceEvent::Begins { condition } => {
                for known in self.all.iter_mut().filter(|known| known.text == *condition) {
                    if known.count == 0 {
                        known.since = entry.at;
                    }
                    known.count += 1;
                }
            }
            TraceEvent::Ends { condition } => {
                for known in self.all.iter_mut().filter(|known| known.text == *condition) {
                    known.count = known.count.saturating_sub(1);
                    known.until = Some(entry.at);
                }
            }
            TraceEvent::Heal => self.heal(entry.at, |condition| condition.faulty().is_none()),
            TraceEvent::Stabilise => self.heal_all(entry.at),
            _ => {}
        }
    }

    pub fn heal_all(&mut self, at: Instant) {
        self.heal(at, |_| true);
    }

    fn heal(&mut self, at: Instant, healed: impl Fn(&Condition) -> bool) {
        let on = |known: &&mut Known<'_>| known.count > 0 && healed(known.condition);
        for known in self.all.iter_mut().filter(on) {
            (known.count, known.until) = (0, Some(at));
        }
    }

    pub fn spare(&mut self, core: ProcessSet) {
        self.spared = Some(core);
    }

    fn spares(&self, p: ProcessId) -> bool {
        self.spared.as_ref().is_some_and(|core| core.contains(p))
    }

    /// The condition that a trace calls this.
    pub fn find(&self, text: &str) -> Option<&'a Condition> {
        self.all.iter().find(|known| known.text == text).map(|known| known.condition)
    }

    /// What is in force on a link.
    pub fn on_link(&self, from: ProcessId, to: ProcessId) -> impl Iterator<Item = &'a Condition> {
        self.on_link_since(from, to, Instant::MAX)
    }

    /// What is in force on a link and has been since before this.
    pub fn on_link_since(
        &self,
        from: ProcessId,
        to: ProcessId,
        at: Instant,
    ) -> impl Iterator<Item = &'a Condition> {
        let spared = self.spares(from) && self.spares(to);
        let on = move |known: &&Known<'a>| {
            known.count > 0 && !spared && (at == Instant::MAX || known.since < at)
        };
        self.all.iter().filter(on).map(|known| known.condition)
    }

    /// What is in force at a process, as often as it is.
    pub fn at(&self, p: ProcessId) -> impl Iterator<Item = &'a Condition> {
        let spared = self.spares(p);
        let on = self.all.iter().filter(move |known| known.count > 0 && !spared);
        on.flat_map(|known| std::iter::repeat_n(known.condition, known.count as usize))
    }

    /// Since when nothing has been in force at all; `None` if something is.
    pub fn quiet_since(&self) -> Option<Instant> {
        let quiet = self.all.iter().all(|known| known.count == 0);
        let last = self.all.iter().filter_map(|known| known.until).max();
        quiet.then(|| last.unwrap_or_default())
    }

    /// Whether any condition has ever begun.
    pub fn ever(&self) -> bool {
        self.all.iter().any(|known| known.count > 0 || known.until.is_some())
    }
}

/// The condition that this begins, if it begins one.
pub(super) fn condition_of(action: &Action) -> Option<&Condition> {
    match action {
        Action::Begin(condition, _) => Some(condition),
        Action::IfLeads(_, action) => condition_of(action),
        _ => None,
    }
}
