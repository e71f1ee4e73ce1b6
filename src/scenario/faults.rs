//! `[[fault]]`: the plan.

use ftsim_core::condition::{Condition, Persistence};
use ftsim_core::fault::{Action, Crash, Fault, InFlight, Plan, Trigger};
use ftsim_core::network::{Cut, NetworkConfig};
use ftsim_core::{Duration, FaultClass, Instant, ProcessId, Setting};

use super::names::Names;
use super::problems::{Problems, quoted};
use crate::scenario_file::{FaultFile, InFlightFile, PartitionFile, Shape};

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
struct Reader<'a> {
    path: String,
    fault: &'a FaultFile,
    around: &'a Surroundings<'a>,
}

impl Reader<'_> {
    fn at(&self, key: &str) -> String {
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
        let FaultFile { crash, pause, resume, partition, heal, .. } = self.fault;
        let given = [
            ("crash", crash.is_some()),
            ("pause", pause.is_some()),
            ("resume", resume.is_some()),
            ("partition", partition.is_some()),
            ("heal", heal.is_some()),
        ];
        let action = self.exactly_one(problems, "what it does", &given)?;
        self.belongs(problems, action);
        let names = self.around.names;
        let mut targets = |targets| names.many(problems, &self.at(action), targets);
        if let Some(crashing) = crash {
            let processes = targets(crashing);
            let recover_after = self.recovery(problems);
            let in_flight = match self.fault.in_flight {
                Some(InFlightFile::Lose) => InFlight::Lose,
                Some(InFlightFile::Keep) | None => InFlight::Keep,
            };
            let how = Crash { recover_after, in_flight, disk: None };
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
        if let Some(partition) = partition {
            return self.partition(problems, partition).map(|action| vec![action]);
        }
        if *heal == Some(false) {
            problems.value(&self.at("heal"), "`heal = false` does nothing");
        }
        Some(vec![Action::Heal])
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
    fn belongs(&self, problems: &mut Problems<'_>, action: &str) {
        let extras = [
            ("recover_after", self.fault.recover_after.is_some(), "crash"),
            ("in_flight", self.fault.in_flight.is_some(), "crash"),
            ("resume_after", self.fault.resume_after.is_some(), "pause"),
            ("duration", self.fault.duration.is_some(), "partition"),
        ];
        for (key, given, owner) in extras {
            if given && owner != action {
                let message = format!("`{key}` belongs to `{owner}`, this fault is a `{action}`");
                problems.key(&self.at(key), message);
            }
        }
    }

    fn recovery(&self, problems: &mut Problems<'_>) -> Option<Duration> {
        let after = self.fault.recover_after?;
        match self.around.class {
            FaultClass::CrashRecovery => {
                self.ends(problems, "recover_after", Some(after));
            }
            class @ (FaultClass::None | FaultClass::CrashStop | FaultClass::Byzantine) => {
                let model = match class {
                    FaultClass::None => "no process fails",
                    _ => "a process that crashes stays down (crash-stop)",
                };
                problems
                    .key(&self.at("recover_after"), "this protocol knows no recovery")
                    .label(format!("in its model {model}"))
                    .help("leave out `recover_after`");
            }
        }
        Some(after)
    }

    /// Refuses an end after the horizon.
    fn ends(
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

    fn partition(&self, problems: &mut Problems<'_>, file: &PartitionFile) -> Option<Action> {
        let cut = self.cut(problems, file);
        let heal_after = self.ends(problems, "duration", self.fault.duration);
        if let (Some(at), Some(stable)) = (self.fault.at, self.around.network.stabilise_at) {
            let start = Instant::ZERO + at;
            let end = heal_after.map_or(start, |after| start + after);
            let stabilises = format!("the network stabilises at {stable}");
            if start >= stable {
                let message = "a partition in a network that is stable";
                problems.value(&self.at("at"), message).label(stabilises);
            } else if end > stable {
                let message = format!("this partition lasts until {end}");
                problems
                    .value(&self.at("duration"), message)
                    .label(stabilises)
                    .help("leave out `duration`: all links are whole when the network stabilises");
            }
        }
        let persistence = heal_after.map_or(Persistence::Permanent, Persistence::Transient);
        Some(Action::Begin(Condition::Partition(cut?), persistence))
    }

    fn cut(&self, problems: &mut Problems<'_>, file: &PartitionFile) -> Option<Cut> {
        let PartitionFile { shape, process, from, to, links, groups } = file;
        let (name, needs): (_, &[&str]) = match shape {
            Shape::Halves => ("halves", &[]),
            Shape::Isolate => ("isolate", &["process"]),
            Shape::OneWay => ("one-way", &["from", "to"]),
            Shape::Links => ("links", &["links"]),
            Shape::Groups => ("groups", &["groups"]),
        };
        let given = [
            ("process", process.is_some()),
            ("from", from.is_some()),
            ("to", to.is_some()),
            ("links", links.is_some()),
            ("groups", groups.is_some()),
        ];
        let path = |key: &str| self.at(&format!("partition.{key}"));
        let mut sound = true;
        for (key, given) in given {
            if given != needs.contains(&key) {
                sound = false;
                if given {
                    problems.key(&path(key), format!("`{key}` is no part of the shape `{name}`"));
                } else {
                    let message = format!("the shape `{name}` needs `{key}`");
                    problems.value(&self.at("partition"), message);
                }
            }
        }
        if !sound {
            return None;
        }
        let names = self.around.names;
        match shape {
            Shape::Halves => {
                let lower = self.around.setting.n.div_ceil(2);
                Some(Cut::Groups(vec![(0..lower).map(ProcessId).collect()]))
            }
            Shape::Isolate => {
                let isolated = names.many(problems, &path("process"), process.as_ref()?)?;
                Some(Cut::Groups(vec![isolated]))
            }
            Shape::OneWay => {
                let from = names.many(problems, &path("from"), from.as_ref()?);
                let to = names.many(problems, &path("to"), to.as_ref()?);
                Some(Cut::OneWay { from: from?, to: to? })
            }
            Shape::Links => {
                let mut cut = Vec::new();
                for (index, (from, to)) in links.iter().flatten().enumerate() {
                    let end = |side| format!("{}[{index}][{side}]", path("links"));
                    let from = names.one(problems, &end(0), from);
                    let to = names.one(problems, &end(1), to);
                    cut.push(from.zip(to));
                }
                if cut.is_empty() {
                    problems.value(&path("links"), "no link is named here");
                    return None;
                }
                cut.into_iter().collect::<Option<_>>().map(Cut::Links)
            }
            Shape::Groups => self.groups(problems, &path("groups"), groups.as_deref()?),
        }
    }

    fn groups(
        &self,
        problems: &mut Problems<'_>,
        path: &str,
        groups: &[crate::scenario_file::Targets],
    ) -> Option<Cut> {
        let mut cut: Vec<Vec<ProcessId>> = Vec::new();
        let mut sound = true;
        for (index, group) in groups.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let Some(group) = self.around.names.many(problems, &path, group) else {
                sound = false;
                continue;
            };
            if let Some(twice) = group.iter().find(|p| cut.iter().any(|other| other.contains(p))) {
                problems.value(&path, format!("{twice} is in another group already"));
                sound = false;
            }
            cut.push(group);
        }
        if groups.is_empty() {
            problems.value(path, "no group is named here");
        }
        (sound && !cut.is_empty()).then_some(Cut::Groups(cut))
    }
}
