//! The conditions in force, derived from the trace and the plan.

use ftsim_core::ProcessSet;
use ftsim_core::fault::condition::Condition;
use ftsim_core::fault::{Action, Plan};
use ftsim_core::id::ProcessId;
use ftsim_core::outcome::trace::{Entry, TraceEvent};
use ftsim_core::time::Instant;

/// The conditions of a run.
pub(super) struct InForce<'a> {
    all: Vec<Known<'a>>,
    /// Processes that no condition affects any more, nor the links among them.
    spared: Option<ProcessSet>,
}

struct Known<'a> {
    condition: &'a Condition,
    /// The text of the condition in a trace.
    text: String,
    /// How many times it is in force at once.
    count: u32,
    /// The start of the current period in force.
    since: Instant,
    /// The end of the last period in force.
    until: Option<Instant>,
}

impl<'a> InForce<'a> {
    /// The conditions of a plan, none of them in force yet.
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

    /// The condition with this text in a trace.
    pub fn find(&self, text: &str) -> Option<&'a Condition> {
        self.all.iter().find(|known| known.text == text).map(|known| known.condition)
    }

    /// The conditions in force on a link.
    pub fn on_link(&self, from: ProcessId, to: ProcessId) -> impl Iterator<Item = &'a Condition> {
        self.on_link_since(from, to, Instant::MAX)
    }

    /// The conditions that have been in force on a link since before this time.
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

    /// The conditions in force at a process, each as many times as it is in force.
    pub fn at(&self, p: ProcessId) -> impl Iterator<Item = &'a Condition> {
        let spared = self.spares(p);
        let on = self.all.iter().filter(move |known| known.count > 0 && !spared);
        on.flat_map(|known| std::iter::repeat_n(known.condition, known.count as usize))
    }

    /// The time since when no condition has been in force; `None` if one is.
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

/// The condition that this action begins, if any.
pub(super) fn condition_of(action: &Action) -> Option<&Condition> {
    match action {
        Action::Begin(condition, _) => Some(condition),
        Action::IfLeads(_, action) => condition_of(action),
        _ => None,
    }
}
