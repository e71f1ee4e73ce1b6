//! `[[fault]]`: the plan.

use ftsim_core::adversary::Behaviour;
use ftsim_core::fault::{Action, Crash, Fault, InFlight, Plan, Trigger};
use ftsim_core::network::NetworkConfig;
use ftsim_core::storage::OnCrash;
use ftsim_core::{Duration, FaultClass, Instant, Setting};

use super::names::Names;
use super::problems::{Problems, quoted};
use super::world::on_crash as on_crash_of;
use crate::scenario_file::{BehaviourFile, FaultFile, InFlightFile};

/// What faults are checked against.
pub struct Surroundings<'a> {
    /// Who can be named.
    pub names: &'a Names<'a>,
    /// How many there are.
    pub setting: &'a Setting,
    /// How processes may fail in the protocol's model.
    pub class: FaultClass,
    /// When the network stabilises.
    pub network: &'a NetworkConfig,
    /// When the run ends.
    pub horizon: Instant,
}

/// The plan, and for each of its faults which fault of the file it stands for.
pub fn plan(
    problems: &mut Problems<'_>,
    around: &Surroundings<'_>,
    faults: &[FaultFile],
) -> (Plan, Vec<usize>) {
    let mut plan = Plan::default();
    let mut origins = Vec::new();
    for (index, fault) in faults.iter().enumerate() {
        let reader = Reader { path: format!("fault[{index}]"), fault, around };
        let trigger = reader.trigger(problems);
        let actions = reader.actions(problems);
        let (Some(trigger), Some(actions)) = (trigger, actions) else { continue };
        for action in actions {
            plan.faults.push(Fault { trigger: trigger.clone(), action });
            origins.push(index);
        }
    }
    (plan, origins)
}

/// Reads one fault.
pub(super) struct Reader<'a> {
    path: String,
    pub(super) fault: &'a FaultFile,
    pub(super) around: &'a Surroundings<'a>,
}

impl Reader<'_> {
    /// The path of a key of this fault.
    pub(super) fn at(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    fn trigger(&self, problems: &mut Problems<'_>) -> Option<Trigger> {
        let given = [
            ("at", self.fault.at.is_some()),
            ("when", self.fault.when.is_some()),
            ("after_effect", self.fault.after_effect.is_some()),
        ];
        self.exactly_one(problems, "when it strikes", &given)?;
        if let Some(at) = self.fault.at {
            let at = Instant::ZERO + at;
            let horizon = self.around.horizon;
            if at > horizon {
                let message = format!("fault at {at} is after the horizon ({horizon})");
                problems.value(&self.at("at"), message);
                return None;
            }
            return Some(Trigger::At(at));
        }
        let nth_of = |problems: &mut Problems<'_>, path: &str, nth| {
            if nth == 0 {
                problems.value(path, "there is no 0th: counting begins at 1");
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
        let FaultFile { crash, pause, resume, byzantine, partition, heal, .. } = self.fault;
        let mut given = vec![
            ("crash", crash.is_some()),
            ("pause", pause.is_some()),
            ("resume", resume.is_some()),
            ("byzantine", byzantine.is_some()),
            ("partition", partition.is_some()),
            ("heal", heal.is_some()),
        ];
        given.extend(self.conditions_given());
        given.extend(self.damage_given());
        let action = self.exactly_one(problems, "what it does", &given)?;
        let lasts =
            action == "partition" || self.conditions_given().iter().any(|(_, given)| *given);
        self.belongs(problems, action, lasts);
        let names = self.around.names;
        let mut targets = |targets| names.many(problems, &self.at(action), targets);
        if let Some(crashing) = crash {
            let processes = targets(crashing);
            let how = self.crash(problems);
            let crash = |process| Action::Crash(process, how);
            return Some(processes?.into_iter().map(crash).collect());
        }
        if let Some(pausing) = pause {
            let processes = targets(pausing);
            let resume_after = self.ends(problems, "resume_after", self.fault.resume_after);
            let pause = |process| Action::Pause { process, resume_after };
            return Some(processes?.into_iter().map(pause).collect());
        }
        if let Some(resuming) = resume {
            let resume = |process| Action::Resume { process };
            return Some(targets(resuming)?.into_iter().map(resume).collect());
        }
        if let Some(lying) = byzantine {
            let processes = targets(lying);
            let behaviour = self.behaviour(problems)?;
            let corrupt = |process| Action::Corrupt(process, behaviour.clone());
            return Some(processes?.into_iter().map(corrupt).collect());
        }
        if lasts {
            let conditions = self.conditions(problems);
            let persistence = self.persistence(problems, action);
            let (conditions, persistence) = conditions.zip(persistence)?;
            if conditions.first().is_some_and(|condition| condition.faulty().is_none()) {
                self.not_when_stable(problems, action);
            }
            let begin = |condition| Action::Begin(condition, persistence);
            return Some(conditions.into_iter().map(begin).collect());
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

    fn crash(&self, problems: &mut Problems<'_>) -> Crash {
        let recover_after = self.recovery(problems);
        let in_flight = match self.fault.in_flight {
            Some(InFlightFile::Lose) => InFlight::Lose,
            Some(InFlightFile::Keep) | None => InFlight::Keep,
        };
        let disk = match (self.fault.on_crash, self.fault.amnesia) {
            (Some(_), Some(_)) => {
                problems
                    .key(&self.at("amnesia"), "this crash says twice what it leaves of the log")
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
        Crash { recover_after, in_flight, disk }
    }

    fn behaviour(&self, problems: &mut Problems<'_>) -> Option<Behaviour> {
        Some(match &self.fault.behaviour {
            Some(BehaviourFile::Silent) => Behaviour::Silent,
            Some(BehaviourFile::Withhold(from)) => {
                let path = self.at("behaviour.withhold");
                let from = self.around.names.many(problems, &path, from)?;
                Behaviour::Withhold(from.into_iter().collect())
            }
            Some(BehaviourFile::Equivocate) => Behaviour::Equivocate,
            Some(BehaviourFile::Mutate) => Behaviour::Mutate,
            Some(BehaviourFile::Replay) => Behaviour::Replay,
            Some(BehaviourFile::Random) | None => Behaviour::Random,
        })
    }

    /// The one key of `keys` that is given.
    fn exactly_one<'k>(
        &self,
        problems: &mut Problems<'_>,
        what: &str,
        keys: &[(&'k str, bool)],
    ) -> Option<&'k str> {
        let given: Vec<&str> =
            keys.iter().filter(|(_, given)| *given).map(|(key, _)| *key).collect();
        match given.as_slice() {
            [one] => return Some(one),
            [] => {
                let names: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
                problems
                    .value(&self.path, format!("this fault does not say {what}"))
                    .label(format!("expected one of {}", quoted(&names)));
            }
            [first, second, ..] => {
                let message = format!("this fault says twice {what}: `{first}` and `{second}`");
                problems.key(&self.at(second), message).help("write two faults");
            }
        }
        None
    }

    /// Refuses keys that belong to another action.
    fn belongs(&self, problems: &mut Problems<'_>, action: &str, lasts: bool) {
        let extras = [
            ("recover_after", self.fault.recover_after.is_some(), "crash"),
            ("in_flight", self.fault.in_flight.is_some(), "crash"),
            ("on_crash", self.fault.on_crash.is_some(), "crash"),
            ("amnesia", self.fault.amnesia.is_some(), "crash"),
            ("resume_after", self.fault.resume_after.is_some(), "pause"),
            ("behaviour", self.fault.behaviour.is_some(), "byzantine"),
        ];
        for (key, given, owner) in extras {
            if given && owner != action {
                let message = format!("`{key}` belongs to `{owner}`, this fault is a `{action}`");
                problems.key(&self.at(key), message);
            }
        }
        let lasting = [
            ("duration", self.fault.duration.is_some()),
            ("period", self.fault.period.is_some()),
            ("on", self.fault.on.is_some()),
        ];
        for (key, _) in lasting.into_iter().filter(|(_, given)| *given && !lasts) {
            let message = format!("`{key}` is no part of a `{action}`");
            let hint = problems.key(&self.at(key), message);
            match action {
                "crash" => drop(hint.help("write `recover_after` for a crash that ends")),
                "pause" => drop(hint.help("write `resume_after` for a pause that ends")),
                _ => {}
            }
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
        .key(path, "this protocol knows no recovery")
        .label(format!("in its model {model}"))
        .help("leave out `recover_after`");
    false
}
