//! Faults strike as planned, and drawn faults respect their budget.

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
    /// The faults of the plan, by index, that have struck a process or the network.
    struck: BTreeSet<(usize, Option<ProcessId>)>,
    /// The faults for future times, the latest first.
    to_come: Vec<(Instant, usize)>,
    /// The planned downtimes of each process that is down.
    down_for: BTreeMap<ProcessId, Vec<Duration>>,
    /// The planned resumption times of each paused process.
    paused_until: BTreeMap<ProcessId, Vec<Instant>>,
    /// The times when conditions began and ended, by their text in the trace.
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
            report.add(Rule::Unplanned, format!("the plan contains no {}", name(&entry.what)));
        } else if over && !halts && !matches!(entry.what, TraceEvent::Stabilise) {
            let message = format!("a {} after the end of all faults", name(&entry.what));
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
    /// Whether a fault of the plan with such an action is due and has not struck `p` before.
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
        // Faults for this time go first: they strike only once.
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
            return report.add(Rule::Unplanned, "it recovers, but is up");
        }
        let crashed = host.crashed.unwrap_or_default();
        let after = self.down_for.remove(&p).unwrap_or_default();
        let on_time = after.iter().any(|after| crashed + *after == known.at);
        if !on_time && !self.heals(known) {
            report.add(Rule::Unplanned, format!("it recovers at the wrong time after {crashed}"));
        }
    }

    /// Whether all faults end now, so that processes that are down recover.
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
            report.add(Rule::Unplanned, "it resumes at the wrong time");
        }
        if !known.host(p).paused {
            report.add(Rule::Unplanned, "it resumes, but was not paused");
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
            report.add(Rule::Unplanned, format!("{text} ends at the wrong time"));
        }
    }

    fn turned_at(&self, text: &str, on: bool) -> impl Iterator<Item = Instant> {
        let turns = self.turned.get(text).into_iter().flatten();
        turns.filter(move |(_, turned)| *turned == on).map(|(at, _)| *at)
    }

    /// Reports faults that were planned for a time that has passed and did not happen.
    fn look_for_missing(&mut self, known: &Known<'a>, report: &mut Report) {
        while let Some((at, index)) = self.to_come.last().copied().filter(|(at, _)| *at < known.at)
        {
            self.to_come.pop();
            // The end of all faults may precede or follow the faults planned for the same time.
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

/// The persistences of the plan's conditions with this text in the trace.
fn persistences<'p>(text: &str, plan: &'p Plan) -> impl Iterator<Item = Persistence> + 'p {
    let text = text.to_owned();
    plan.faults.iter().filter_map(move |fault| match causes::action(fault) {
        Action::Begin(condition, persistence) if condition.to_string() == text => {
            Some(*persistence)
        }
        _ => None,
    })
}

/// Checks the drawn faults and the chosen targets.
fn budget(subject: &Subject<'_>, report: &mut Report) {
    let scripted = subject.experiment.plan.faults.len();
    let drawn = subject.plan.faults.get(scripted..).unwrap_or_default();
    let faulty: ProcessSet = drawn.iter().filter_map(|fault| fault.action.process()).collect();
    let (most, kinds) =
        subject.experiment.random.as_ref().map_or((0, &[][..]), |random| {
            (random.faulty_count_max as usize, random.kinds.as_slice())
        });
    if faulty.len() > most {
        let message = format!("drawn faults strike {faulty} processes, but may strike {most}");
        report.add(Rule::Budget, message);
    }
    let count: u64 = kinds.iter().map(|kind| u64::from(kind.occurrence.count.max)).sum();
    if drawn.len() as u64 > count {
        let message = format!("{} faults are drawn, but only {count} may be", drawn.len());
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
            report.add(Rule::Budget, format!("this fault may not be drawn: {fault}"));
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

/// The name of the event in messages.
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
