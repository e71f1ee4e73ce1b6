//! `[[fault]]`: the plan.

use std::cell::Cell;

use ftsim_core::adversary::Behaviour;
use ftsim_core::environment::storage::OnCrash;
use ftsim_core::fault::choice::{DrawnTarget, TargetRule};
use ftsim_core::fault::{Action, Crash, Fault, InFlight, Plan, Trigger};
use ftsim_core::{Duration, FaultClass, Instant, ProcessId};

use super::context::Context;
use super::liars::{behaviour, refuse_one_sided_collusion};
use super::problems::{Problems, quoted};
use super::world::on_crash as on_crash_of;
use crate::scenario::file::{FaultFile, InFlightFile};

/// The faults of a scenario.
#[derive(Default)]
pub struct Script {
    /// The plan.
    pub plan: Plan,
    /// For each of its faults, which fault of the file it stands for, from 0.
    pub origins: Vec<usize>,
    /// Faults of which each seed chooses some.
    pub choices: Vec<DrawnTarget>,
}

/// The faults of a scenario.
pub fn script(problems: &mut Problems<'_>, around: &Context<'_>, faults: &[FaultFile]) -> Script {
    let mut script = Script::default();
    for (index, fault) in faults.iter().enumerate() {
        let path = format!("fault[{index}]");
        let reader = Reader { path, fault, around, chosen: Cell::default() };
        let trigger = reader.trigger(problems);
        let actions = reader.actions(problems);
        let (Some(trigger), Some(actions)) = (trigger, actions) else { continue };
        let first = script.plan.faults.len();
        for action in actions {
            script.plan.faults.push(Fault { trigger: trigger.clone(), action });
            script.origins.push(index);
        }
        if let Some(of) = reader.chosen.get() {
            let faults = first..script.plan.faults.len();
            let candidate_count = around.setting.n as usize;
            script.choices.push(DrawnTarget { faults, candidate_count, of });
        }
    }
    refuse_one_sided_collusion(problems, &script.plan, &script.origins);
    script
}

/// Reads one fault.
pub(super) struct Reader<'a> {
    pub(super) path: String,
    pub(super) fault: &'a FaultFile,
    pub(super) around: &'a Context<'a>,
    /// Which of the candidates are struck, if the fault does not name them.
    pub(super) chosen: Cell<Option<TargetRule>>,
}

impl Reader<'_> {
    /// The path of a key of this fault.
    pub(super) fn at(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    fn trigger(&self, problems: &mut Problems<'_>) -> Option<Trigger> {
        self.exactly_one(problems, "trigger", &FaultFile::TRIGGERS)?;
        if let Some(at) = self.fault.at {
            let at = Instant::ZERO + at;
            let horizon = self.around.horizon;
            if at > horizon {
                let message = format!("fault at {at} is after the horizon ({horizon})");
                problems.value(&self.at("at"), message);
                return None;
            }
            if let Some(end) = self.around.faults_end.filter(|end| at >= *end) {
                let message = format!("fault at {at}, after all faults have ended");
                problems.value(&self.at("at"), message).label(format!("liveness.at is {end}"));
                return None;
            }
            return Some(Trigger::At(at));
        }
        let nth_of = |problems: &mut Problems<'_>, path: &str, nth| {
            if nth == 0 {
                problems.value(path, "counting begins at 1");
            }
            nth
        };
        if let Some(when) = &self.fault.when {
            let process = self.around.names.one(problems, &self.at("when.process"), &when.process);
            let nth = when.nth.map_or(1, |nth| nth.0);
            let nth = nth_of(problems, &self.at("when.nth"), nth);
            return Some(Trigger::Sends { process: process?, kind: when.sends.clone(), nth });
        }
        let effect = self.fault.after_effect.as_ref()?;
        let path = self.at("after_effect.process");
        let process = self.around.names.one(problems, &path, &effect.process);
        let nth = nth_of(problems, &self.at("after_effect.nth"), effect.nth.0);
        Some(Trigger::AfterEffect { process: process?, nth })
    }

    fn actions(&self, problems: &mut Problems<'_>) -> Option<Vec<Action>> {
        let action = self.exactly_one(problems, "action", &FaultFile::actions())?;
        let lasts = !FaultFile::AT_ONCE.contains(&action);
        self.belongs(problems, action, lasts);
        let actions =
            if lasts { self.beginnings(problems, action) } else { self.at_once(problems, action) };
        match (self.chosen.get(), actions) {
            (Some(TargetRule::Leader), Some(actions)) => Some(self.if_leads(problems, actions)),
            (_, actions) => actions,
        }
    }

    /// What lasts for a while.
    fn beginnings(&self, problems: &mut Problems<'_>, action: &str) -> Option<Vec<Action>> {
        let conditions = self.conditions(problems);
        let persistence = self.persistence(problems, action);
        let (conditions, persistence) = conditions.zip(persistence)?;
        if conditions.first().is_some_and(|condition| condition.faulty().is_none()) {
            self.not_when_stable(problems, action);
        }
        let begin = |condition| Action::Begin(condition, persistence);
        Some(conditions.into_iter().map(begin).collect())
    }

    /// What is done at once.
    fn at_once(&self, problems: &mut Problems<'_>, action: &str) -> Option<Vec<Action>> {
        let FaultFile { crash, exception, start, pause, resume, byzantine, .. } = self.fault;
        let FaultFile { wrong_value, state_corruption, jump, heal, .. } = self.fault;
        let lies = [byzantine, wrong_value, state_corruption];
        let targets = [crash, exception, start, pause, resume].into_iter().chain(lies);
        if let Some(targets) = targets.flatten().next() {
            let processes = self.candidates(problems, action, targets);
            let how = self.how(problems, action, processes.as_deref().unwrap_or_default())?;
            return Some(processes?.into_iter().map(how).collect());
        }
        if let Some(jump) = jump {
            let processes = self.candidates(problems, "jump.process", &jump.process);
            let shift = self.shift(problems, "jump", jump);
            let (processes, shift) = processes.zip(shift)?;
            return Some(processes.into_iter().map(|p| Action::Jump(p, shift)).collect());
        }
        match heal {
            None => return self.damage(problems),
            Some(false) => {
                problems.value(&self.at("heal"), "`heal = false` does nothing");
            }
            Some(true) => {}
        }
        Some(vec![Action::Heal])
    }

    /// What becomes of each process that the fault names.
    fn how(
        &self,
        problems: &mut Problems<'_>,
        action: &str,
        processes: &[ProcessId],
    ) -> Option<Box<dyn Fn(ProcessId) -> Action>> {
        Some(match action {
            "crash" | "exception" => {
                let how = Crash { announced: action == "exception", ..self.crash(problems) };
                Box::new(move |process| Action::Crash(process, how))
            }
            "start" => Box::new(Action::Start),
            "pause" => {
                let resume_after = self.ends(problems, "resume_after", self.fault.resume_after);
                Box::new(move |process| Action::Pause { process, resume_after })
            }
            "resume" => Box::new(|process| Action::Resume { process }),
            "byzantine" => {
                let path = self.at("behaviour");
                let file = self.fault.behaviour.as_ref();
                let behaviour = behaviour(problems, self.around, &path, file, processes)?;
                Box::new(move |process| Action::Corrupt(process, behaviour.clone()))
            }
            "wrong_value" => Box::new(|process| Action::Corrupt(process, Behaviour::Mutate)),
            _ => {
                self.refuse_state_corruption(problems);
                Box::new(Action::CorruptState)
            }
        })
    }

    fn refuse_state_corruption(&self, problems: &mut Problems<'_>) {
        if !self.around.has_corruptible_state {
            problems
                .key(&self.at("state_corruption"), "this protocol defines no state corruption")
                .label("its state cannot be corrupted");
        }
    }

    fn crash(&self, problems: &mut Problems<'_>) -> Crash {
        let recover_after = self.recovery(problems);
        let in_flight = match self.fault.in_flight {
            Some(InFlightFile::Lose) => InFlight::Lose,
            Some(InFlightFile::Keep) | None => InFlight::Keep,
        };
        let disk = match (self.fault.on_crash, self.fault.amnesia) {
            (Some(_), Some(_)) => {
                problems
                    .key(
                        &self.at("amnesia"),
                        "`on_crash` and `amnesia` both set what this crash leaves of the log",
                    )
                    .help("`amnesia = true` is `on_crash = \"lose-all\"`: leave out one of them");
                None
            }
            (None, Some(false)) => {
                problems.value(&self.at("amnesia"), "`amnesia = false` does nothing");
                None
            }
            (None, Some(true)) => Some(OnCrash::LoseAll),
            (on_crash, None) => on_crash.map(on_crash_of),
        };
        Crash { recover_after, in_flight, disk, announced: false }
    }

    /// The one key of `keys` that is given.
    fn exactly_one<'k>(
        &self,
        problems: &mut Problems<'_>,
        what: &str,
        keys: &[&'k str],
    ) -> Option<&'k str> {
        let is_given = |key: &&str| problems.is_given(&self.at(key));
        let given: Vec<&str> = keys.iter().copied().filter(is_given).collect();
        match given.as_slice() {
            [one] => return Some(one),
            [] => {
                problems
                    .value(&self.path, format!("this fault has no {what}"))
                    .label(format!("expected one of {}", quoted(keys)));
            }
            [first, second, ..] => {
                let message = format!("this fault has two {what}s: `{first}` and `{second}`");
                problems.key(&self.at(second), message).help("write two faults");
            }
        }
        None
    }

    /// Refuses keys that belong to another action.
    fn belongs(&self, problems: &mut Problems<'_>, action: &str, lasts: bool) {
        for (owner, key) in FaultFile::OPTIONS {
            let path = self.at(key);
            let is_crash = owner == "crash" && action == "exception";
            if problems.is_given(&path) && owner != action && !is_crash {
                let message = format!("`{key}` belongs to `{owner}`, this fault is a `{action}`");
                problems.key(&path, message);
            }
        }
        for key in FaultFile::LASTING {
            let path = self.at(key);
            if lasts || !problems.is_given(&path) {
                continue;
            }
            let message = format!("`{key}` does not apply to `{action}`");
            let hint = problems.key(&path, message);
            let help = match action {
                "crash" | "exception" => "write `recover_after` for a crash that ends",
                "pause" => "write `resume_after` for a pause that ends",
                _ => continue,
            };
            hint.help(help);
        }
    }

    fn recovery(&self, problems: &mut Problems<'_>) -> Option<Duration> {
        let after = self.fault.recover_after?;
        if refuse_recovery(problems, self.around.class, &self.at("recover_after")) {
            self.ends(problems, "recover_after", Some(after));
        }
        Some(after)
    }

    /// Refuses an end after the horizon.
    pub(super) fn ends(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        after: Option<Duration>,
    ) -> Option<Duration> {
        let start = Instant::ZERO + self.fault.at.unwrap_or_default();
        let (end, horizon) = (start + after?, self.around.horizon);
        if end > horizon && start <= horizon {
            problems
                .value(&self.at(key), format!("this ends at {end}, after the horizon ({horizon})"))
                .help(format!("leave out `{key}` for a fault that lasts, or move the horizon"));
        }
        after
    }
}

/// Refuses a recovery where the protocol knows none; true if it does.
pub fn refuse_recovery(problems: &mut Problems<'_>, class: FaultClass, path: &str) -> bool {
    let model = match class {
        FaultClass::CrashRecovery => return true,
        FaultClass::None => "no process fails",
        FaultClass::CrashStop | FaultClass::Byzantine => {
            "a process that crashes stays down (crash-stop)"
        }
    };
    problems
        .key(path, "processes of this protocol do not recover")
        .label(format!("in its model {model}"))
        .help("leave out `recover_after`");
    false
}
