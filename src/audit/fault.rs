//! Faults strike as planned, and the plan keeps to its budget.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::ProcessSet;
use ftsim_core::fault::choice::TargetRule;
use ftsim_core::fault::condition::Persistence;
use ftsim_core::fault::{Action, Fault, Plan, Trigger};
use ftsim_core::id::ProcessId;
use ftsim_core::model::system_model::FaultClass;
use ftsim_core::outcome::trace::{Entry, TraceEvent};
use ftsim_core::time::{Duration, Instant};

use super::known::Known;
use super::{Check, Report, Rule, Subject, causes};

pub(super) struct Faults<'a> {
    /// Faults of the plan, by index, that have struck a process or the network.
    struck: BTreeSet<(usize, Option<ProcessId>)>,
    /// Those for a time that has not come, the latest first.
    to_come: Vec<(Instant, usize)>,
    /// How long each process that is down was to be so, since when.
    down_for: BTreeMap<ProcessId, Vec<Duration>>,
    /// When each process that is paused is to go on.
    paused_until: BTreeMap<ProcessId, Vec<Instant>>,
    /// When conditions began and ended, by what a trace calls them.
    turned: BTreeMap<&'a str, Vec<(Instant, bool)>>,
}

impl Faults<'_> {
    pub fn new(subject: &Subject<'_>) -> Self {
        let at = |(index, fault): (usize, &Fault)| match fault.trigger {
            Trigger::At(at) => Some((at, index)),
            _ => None,
        };
        let mut to_come: Vec<_> = subject.plan.faults.iter().enumerate().filter_map(at).collect();
        to_come.sort_unstable();
        to_come.reverse();
        Self {
            struck: BTreeSet::new(),
            to_come,
            down_for: BTreeMap::new(),
            paused_until: BTreeMap::new(),
            turned: BTreeMap::new(),
        }
    }
}

impl<'a> Check<'a> for Faults<'a> {
    fn see(&mut self, entry: &'a Entry, known: &Known<'a>, report: &mut Report) {
        self.look_for_missing(known, report);
        let over = known.faults_ended.is_some_and(|at| at < known.at);
        let p = entry.process;
        let cause = match &entry.what {
            TraceEvent::Crash { .. } => self.crash(entry, known),
            TraceEvent::Recover { .. } => return self.recover(entry, known, report),
            TraceEvent::Resume => return self.resume(entry, known, report),
            TraceEvent::Begins { condition } => self.begins(condition, known),
            TraceEvent::Ends { condition } => return self.ends(condition, known, report),
            TraceEvent::Pause => self.pause(p, known),
            TraceEvent::Damage { fault } => self.strikes(p, known, |action| match action {
                Action::Damage(q, damage) => Some(*q) == p && damage.to_string() == *fault,
                _ => false,
            }),
            TraceEvent::ClockJump { shift } => self.strikes(p, known, |action| match action {
                Action::Jump(q, by) => Some(*q) == p && by.to_string() == *shift,
                _ => false,
            }),
            TraceEvent::Corrupt { behaviour } => self.corrupt(p, behaviour, known),
            TraceEvent::StateCorrupted => self.strikes(p, known, |action| match action {
                Action::CorruptState(q) => Some(*q) == p,
                _ => false,
            }),
            TraceEvent::Start if known.at > Instant::ZERO => {
                let ends = known.faults_ended == Some(known.at);
                ends || self.strikes(p, known, |action| match action {
                    Action::Start(q) => Some(*q) == p,
                    _ => false,
                })
            }
            TraceEvent::Heal => self.strikes(None, known, |action| *action == Action::Heal),
            TraceEvent::Stabilise => {
                known.subject.experiment.network.stabilise_at == Some(known.at)
            }
            TraceEvent::Well { .. } => {
                known.subject.experiment.liveness.is_some_and(|well| well.at == known.at)
            }
            _ => return,
        };
        let halts =
            matches!(entry.what, TraceEvent::Crash { .. }) && causes::can_halt(entry, known);
        if !cause {
            report.add(Rule::Unplanned, format!("the plan knows of no {}", name(&entry.what)));
        } else if over && !halts && !matches!(entry.what, TraceEvent::Stabilise) {
            let message = format!("a {}, and all faults are over", name(&entry.what));
            report.add(Rule::Unplanned, message);
        }
    }

    fn end(&mut self, known: &Known<'a>, report: &mut Report) {
        if known.subject.is_drawn {
            budget(known.subject, report);
        }
    }
}

impl<'a> Faults<'a> {
    /// Whether a fault of the plan that does this is due, and has not done it to `p` before.
    fn strikes(
        &mut self,
        p: Option<ProcessId>,
        known: &Known<'a>,
        does: impl Fn(&Action) -> bool,
    ) -> bool {
        let faults = known.subject.plan.faults.iter().enumerate();
        let mut due = faults.filter(|(index, fault)| {
            does(causes::action(fault))
                && causes::is_due(&fault.trigger, known)
                && !self.struck.contains(&(*index, p))
        });
        // What is for this time goes first: it comes only once.
        let found = due.next().map(|(index, _)| index);
        found.is_some_and(|index| self.struck.insert((index, p)))
    }

    fn crash(&mut self, entry: &Entry, known: &Known<'a>) -> bool {
        let Some(p) = entry.process else { return false };
        let planned = causes::crashes(known, p);
        self.down_for.insert(p, planned.iter().filter_map(|crash| crash.recover_after).collect());
        self.paused_until.remove(&p);
        let struck = self.strikes(Some(p), known, |action| match action {
            Action::Crash(q, _) => causes::shares_fate(known, p, *q),
            _ => false,
        });
        struck || causes::can_halt(entry, known)
    }

    fn recover(&mut self, entry: &Entry, known: &Known<'a>, report: &mut Report) {
        let Some(p) = entry.process else { return };
        let host = known.host(p);
        if host.up {
            return report.add(Rule::Unplanned, "it recovers, and is up");
        }
        let crashed = host.crashed.unwrap_or_default();
        let after = self.down_for.remove(&p).unwrap_or_default();
        let on_time = after.iter().any(|after| crashed + *after == known.at);
        if !on_time && !self.heals(known) {
            report
                .add(Rule::Unplanned, format!("it recovers, and crashed at {crashed} for longer"));
        }
    }

    /// Whether all faults end now, and processes that are down come back.
    fn heals(&self, known: &Known<'a>) -> bool {
        let recovers = known.subject.faults == FaultClass::CrashRecovery;
        recovers && known.faults_ended == Some(known.at)
    }

    fn pause(&mut self, p: Option<ProcessId>, known: &Known<'a>) -> bool {
        let Some(p) = p else { return false };
        let faults = known.subject.plan.faults.iter();
        let until = |fault: &Fault| match causes::action(fault) {
            Action::Pause { process, resume_after } if causes::shares_fate(known, p, *process) => {
                let due = causes::is_due(&fault.trigger, known);
                resume_after.filter(|_| due).map(|after| known.at + after)
            }
            _ => None,
        };
        self.paused_until.entry(p).or_default().extend(faults.filter_map(until));
        self.strikes(Some(p), known, |action| match action {
            Action::Pause { process, .. } => causes::shares_fate(known, p, *process),
            _ => false,
        })
    }

    fn resume(&mut self, entry: &Entry, known: &Known<'a>, report: &mut Report) {
        let Some(p) = entry.process else { return };
        let on_time = self.paused_until.get(&p).is_some_and(|until| until.contains(&known.at));
        let told = self.strikes(Some(p), known, |action| match action {
            Action::Resume { process } => *process == p,
            _ => false,
        });
        if !on_time && !told && known.faults_ended != Some(known.at) {
            report.add(Rule::Unplanned, "it goes on, and was paused for longer");
        }
        if !known.host(p).paused {
            report.add(Rule::Unplanned, "it goes on, and was not paused");
        }
    }

    fn corrupt(&mut self, p: Option<ProcessId>, text: &str, known: &Known<'a>) -> bool {
        self.strikes(p, known, |action| match action {
            Action::Corrupt(q, behaviour) => Some(*q) == p && behaviour.to_string() == text,
            _ => false,
        })
    }

    fn begins(&mut self, text: &'a str, known: &Known<'a>) -> bool {
        let struck = self.strikes(None, known, |action| match action {
            Action::Begin(condition, _) => condition.to_string() == text,
            _ => false,
        });
        let again = persistences(text, known.subject.plan).any(|persistence| match persistence {
            Persistence::Intermittent { period, on } => {
                self.turned_at(text, false).any(|ended| ended + (period - on) == known.at)
            }
            Persistence::Transient(_) | Persistence::Permanent => false,
        });
        self.turned.entry(text).or_default().push((known.at, true));
        struck || again
    }

    fn ends(&mut self, text: &'a str, known: &Known<'a>, report: &mut Report) {
        let on_time = persistences(text, known.subject.plan).any(|persistence| match persistence {
            Persistence::Transient(on) | Persistence::Intermittent { on, .. } => {
                self.turned_at(text, true).any(|began| began + on == known.at)
            }
            Persistence::Permanent => false,
        });
        self.turned.entry(text).or_default().push((known.at, false));
        if !on_time {
            report.add(Rule::Unplanned, format!("{text} ends, and not when it is to"));
        }
    }

    fn turned_at(&self, text: &str, on: bool) -> impl Iterator<Item = Instant> {
        let turns = self.turned.get(text).into_iter().flatten();
        turns.filter(move |(_, turned)| *turned == on).map(|(at, _)| *at)
    }

    /// What was planned for a time that has passed must have happened.
    fn look_for_missing(&mut self, known: &Known<'a>, report: &mut Report) {
        while let Some((at, index)) = self.to_come.last().copied().filter(|(at, _)| *at < known.at)
        {
            self.to_come.pop();
            // At the very time when faults end, they end first or last.
            if known.faults_ended.is_some_and(|ended| ended <= at) {
                continue;
            }
            let Some(fault) = known.subject.plan.faults.get(index) else { continue };
            let (process, missing) = match &fault.action {
                Action::Crash(p, _) => {
                    let host = known.host(*p);
                    (Some(*p), host.up && host.crashed != Some(at) && host.began < at)
                }
                Action::Begin(..) | Action::Heal => (None, !self.struck.contains(&(index, None))),
                Action::Damage(p, _) | Action::Jump(p, _) => {
                    (Some(*p), !self.struck.contains(&(index, Some(*p))))
                }
                Action::Pause { process, .. } => {
                    let host = known.host(*process);
                    let was_up = host.up && host.crashed.is_none() && host.began < at;
                    (Some(*process), was_up && !self.struck.contains(&(index, Some(*process))))
                }
                _ => (None, false),
            };
            if missing {
                report.add(Rule::Missing, format!("this did not happen: {fault}"));
                if let (Some(last), Some(_)) = (report.findings.last_mut(), process) {
                    last.process = process;
                }
            }
        }
    }
}

/// How long the conditions of the plan last that a trace calls this.
fn persistences<'p>(text: &str, plan: &'p Plan) -> impl Iterator<Item = Persistence> + 'p {
    let text = text.to_owned();
    plan.faults.iter().filter_map(move |fault| match causes::action(fault) {
        Action::Begin(condition, persistence) if condition.to_string() == text => {
            Some(*persistence)
        }
        _ => None,
    })
}

/// Judges what the seed has drawn and chosen.
fn budget(subject: &Subject<'_>, report: &mut Report) {
    let scripted = subject.experiment.plan.faults.len();
    let drawn = subject.plan.faults.get(scripted..).unwrap_or_default();
    let faulty: ProcessSet = drawn.iter().filter_map(|fault| fault.action.process()).collect();
    let (most, kinds) =
        subject.experiment.random.as_ref().map_or((0, &[][..]), |random| {
            (random.faulty_count_max as usize, random.kinds.as_slice())
        });
    if faulty.len() > most {
        let message = format!("{faulty} are faulty by what is drawn, and {most} may be");
        report.add(Rule::Budget, message);
    }
    let count: u64 = kinds.iter().map(|kind| u64::from(kind.occurrence.count.max)).sum();
    if drawn.len() as u64 > count {
        let message = format!("{} faults are drawn, and {count} may be", drawn.len());
        report.add(Rule::Budget, message);
    }
    for fault in drawn {
        let within = |at: Instant| {
            kinds.iter().any(|kind| {
                let between = kind.occurrence.between;
                (Instant::ZERO + between.min..=Instant::ZERO + between.max).contains(&at)
            })
        };
        let struck = fault.action.process();
        let may = |p| kinds.iter().any(|kind| kind.occurrence.targets.contains(p));
        let in_time = if let Trigger::At(at) = fault.trigger { within(at) } else { true };
        if !in_time || !struck.is_none_or(may) {
            report.add(Rule::Budget, format!("this may not be drawn: {fault}"));
        }
    }
    for choice in &subject.experiment.choices {
        let candidates = choice.candidate_count;
        let wanted = match choice.of {
            TargetRule::Any => 1,
            TargetRule::Minority => candidates.saturating_sub(1) / 2,
            TargetRule::Majority => candidates / 2 + 1,
            TargetRule::Leader => candidates,
        };
        let each = choice.faults.len() / candidates.max(1);
        let of_choice = subject.plan.faults.get(choice.faults.clone()).unwrap_or_default();
        let chosen = |faults: &&[Fault]| faults.iter().any(|f| f.trigger != Trigger::Never);
        let count = of_choice.chunks(each.max(1)).filter(chosen).count();
        if count != wanted {
            let message =
                format!("{count} of {candidates} are struck, not {wanted}: {}", choice.of);
            report.add(Rule::Budget, message);
        }
    }
}

/// What a trace calls it.
const fn name(what: &TraceEvent) -> &'static str {
    match what {
        TraceEvent::Crash { .. } => "crash",
        TraceEvent::Begins { .. } => "condition that begins here",
        TraceEvent::Pause => "pause",
        TraceEvent::Damage { .. } => "damage to a disk",
        TraceEvent::ClockJump { .. } => "jump of a clock",
        TraceEvent::Corrupt { .. } => "process that turns Byzantine",
        TraceEvent::StateCorrupted => "change of a state",
        TraceEvent::Start => "late start",
        TraceEvent::Heal => "healing",
        TraceEvent::Stabilise => "time of stabilisation",
        TraceEvent::Well { .. } => "end of all faults",
        _ => "such fault",
    }
}
