//! Parts of a run as a scenario writes them: the other direction of [`crate::scenario`].

use ftsim_core::adversary::Behaviour;
use ftsim_core::environment::clock::Shift;
use ftsim_core::environment::detector::{Mistake, NoticeDelay};
use ftsim_core::environment::message_rule::{Arrival, Content, Fate, MessageRule};
use ftsim_core::environment::network::Cut;
use ftsim_core::environment::request_override::RequestOverride;
use ftsim_core::environment::storage::{DiskFault, OnCrash};
use ftsim_core::fault::condition::{Condition, Links, Persistence};
use ftsim_core::fault::{Action, Crash, Fault, InFlight, Trigger};
use ftsim_core::rng::told::ToldDraws;
use ftsim_core::{Instant, Mask, Probability, ProcessId, ProcessSet};
use serde_json::Value as Json;

use super::file::{
    BandwidthFile, BehaviourFile, ChanceFile, ColludeFile, Count, DelayFaultFile, DrawFile, Drift,
    DriftFile, FaultFile, InFlightFile, LateFile, LinksFile, MaskFile, MessageFile, MistakeFile,
    NoticeFile, OnCrashFile, PartitionFile, Rate, ReceiveOmissionFile, ReorderFile, RequestFile,
    RollbackFile, SendOmissionFile, Shape, ShiftFile, SlowFile, SlowSyncFile, Targets, When,
    WhenEffect,
};

impl FaultFile {
    /// One `[[fault]]`; `None` for what a scenario says in another way: a fault that this run does
    /// not have, and one that strikes whoever leads.
    pub fn of(fault: &Fault) -> Option<Self> {
        let file = Self::of_action(&fault.action)?;
        Some(match &fault.trigger {
            Trigger::At(at) => Self { at: Some(at.since(Instant::ZERO)), ..file },
            Trigger::AfterEffect { process, nth } => {
                let process = process.to_string();
                Self { after_effect: Some(WhenEffect { process, nth: Count(*nth) }), ..file }
            }
            Trigger::Sends { process, kind, nth } => {
                let (process, sends) = (process.to_string(), kind.clone());
                Self { when: Some(When { process, sends, nth: Some(Count(*nth)) }), ..file }
            }
            Trigger::Never => return None,
        })
    }

    fn of_action(action: &Action) -> Option<Self> {
        let file = Self::default();
        Some(match action {
            Action::Start(p) => Self { start: Some(one(*p)), ..file },
            Action::Crash(p, how) => Self::of_crash(*p, *how),
            Action::Damage(p, DiskFault::CorruptRecord) => {
                Self { corrupt_record: Some(one(*p)), ..file }
            }
            Action::Damage(p, DiskFault::LoseDisk) => Self { lose_disk: Some(one(*p)), ..file },
            Action::Damage(p, DiskFault::Rollback(records)) => {
                let rollback = RollbackFile { process: one(*p), records: Count((*records).into()) };
                Self { rollback: Some(rollback), ..file }
            }
            Action::Pause { process, resume_after } => {
                Self { pause: Some(one(*process)), resume_after: *resume_after, ..file }
            }
            Action::Resume { process } => Self { resume: Some(one(*process)), ..file },
            Action::Corrupt(p, behaviour) => {
                Self { byzantine: Some(one(*p)), behaviour: Some(behaviour.into()), ..file }
            }
            Action::CorruptState(p) => Self { state_corruption: Some(one(*p)), ..file },
            Action::Jump(p, by) => Self { jump: Some(shift(*p, *by)), ..file },
            Action::Begin(condition, persistence) => {
                Self::of_condition(condition).lasting(*persistence)
            }
            Action::Heal => Self { heal: Some(true), ..file },
            Action::IfLeads(..) => return None,
        })
    }

    fn of_crash(process: ProcessId, how: Crash) -> Self {
        let Crash { recover_after, in_flight, disk, announced } = how;
        let process = Some(one(process));
        let (crash, exception) = if announced { (None, process) } else { (process, None) };
        let in_flight = match in_flight {
            InFlight::Keep => None,
            InFlight::Lose => Some(InFlightFile::Lose),
        };
        let on_crash = disk.map(OnCrashFile::from);
        Self { crash, exception, recover_after, in_flight, on_crash, ..Self::default() }
    }

    fn of_condition(condition: &Condition) -> Self {
        let file = Self::default();
        match condition {
            Condition::Partition(cut) => Self { partition: Some(cut.into()), ..file },
            Condition::SendOmission(p, of, chance) => {
                let to = of.to.as_ref().map(all_of);
                let probability = Some(number(*chance));
                let omission = SendOmissionFile { process: one(*p), to, probability };
                Self { send_omission: Some(omission), ..file }
            }
            Condition::ReceiveOmission(p, of, chance) => {
                let from = of.from.as_ref().map(all_of);
                let probability = Some(number(*chance));
                let omission = ReceiveOmissionFile { process: one(*p), from, probability };
                Self { receive_omission: Some(omission), ..file }
            }
            Condition::Loss(of, chance) => Self { loss: Some(likely(of, *chance)), ..file },
            Condition::Duplicate(of, chance) => {
                Self { duplicate: Some(likely(of, *chance)), ..file }
            }
            Condition::Replay(of, chance) => Self { replay: Some(likely(of, *chance)), ..file },
            Condition::Garble(of, chance) => Self { corrupt: Some(likely(of, *chance)), ..file },
            Condition::Late(of, by) => {
                let LinksFile { from, to } = of.into();
                Self { late: Some(LateFile { from, to, process: None, by: *by }), ..file }
            }
            Condition::Delay(of, by) => {
                let LinksFile { from, to } = of.into();
                Self { delay: Some(DelayFaultFile { from, to, by: *by }), ..file }
            }
            Condition::Reorder(of, chance, within) => {
                let LinksFile { from, to } = of.into();
                let probability = Some(number(*chance));
                let reorder = ReorderFile { from, to, probability, within: *within };
                Self { reorder: Some(reorder), ..file }
            }
            Condition::Bandwidth(of, bytes) => {
                let LinksFile { from, to } = of.into();
                let bandwidth = BandwidthFile { from, to, rate: Rate { bytes: *bytes } };
                Self { bandwidth: Some(bandwidth), ..file }
            }
            Condition::Clog(of) => Self { clog: Some(of.into()), ..file },
            Condition::Skew(p, by) => Self { skew: Some(shift(*p, *by)), ..file },
            Condition::Drift(p, ppm) => {
                let ppm = i64::from(*ppm);
                let by = Drift { min_ppm: ppm, max_ppm: ppm };
                Self { drift: Some(DriftFile { process: one(*p), by }), ..file }
            }
            Condition::Freeze(p) => Self { freeze: Some(one(*p)), ..file },
            Condition::Slow(p, factor) => {
                let slow = SlowFile { process: one(*p), factor: Count((*factor).into()) };
                Self { slow: Some(slow), ..file }
            }
            Condition::SyncFails(p) => Self { sync_fails: Some(one(*p)), ..file },
            Condition::SlowSync(p, by) => {
                Self { slow_sync: Some(SlowSyncFile { process: one(*p), by: *by }), ..file }
            }
            Condition::DiskFull(p) => Self { full: Some(one(*p)), ..file },
        }
    }

    fn lasting(self, persistence: Persistence) -> Self {
        match persistence {
            Persistence::Transient(duration) => Self { duration: Some(duration), ..self },
            Persistence::Intermittent { period, on } => {
                Self { period: Some(period), on: Some(on), ..self }
            }
            Persistence::Permanent => self,
        }
    }
}

impl From<OnCrash> for OnCrashFile {
    fn from(disk: OnCrash) -> Self {
        match disk {
            OnCrash::LoseUnsynced => Self::LoseUnsynced,
            OnCrash::KeepAll => Self::KeepAll,
            OnCrash::KeepPrefix => Self::KeepPrefix,
            OnCrash::KeepSubset => Self::KeepSubset,
            OnCrash::TornLast => Self::TornLast,
            OnCrash::LoseAll => Self::LoseAll,
        }
    }
}

impl From<&Behaviour> for BehaviourFile {
    fn from(behaviour: &Behaviour) -> Self {
        match behaviour {
            Behaviour::Silent => Self::Silent,
            Behaviour::Withhold(from) => Self::Withhold(all_of(from)),
            Behaviour::Delay(longest) => Self::Delay(*longest),
            Behaviour::Equivocate => Self::Equivocate,
            Behaviour::Mutate => Self::Mutate,
            Behaviour::Replay => Self::Replay,
            Behaviour::Collude(circle) => Self::Collude(ColludeFile { with: all_of(circle) }),
            Behaviour::Twins => Self::Twins,
            Behaviour::Custom(name) => Self::Custom(name.clone()),
            Behaviour::Random => Self::Random,
        }
    }
}

impl From<&Cut> for PartitionFile {
    fn from(cut: &Cut) -> Self {
        let of = |shape| Self {
            shape,
            process: None,
            from: None,
            to: None,
            links: None,
            groups: None,
            ring: None,
        };
        match cut {
            Cut::Groups(groups) => {
                let groups = groups.iter().map(|group| many(group.iter().copied()));
                Self { groups: Some(groups.collect()), ..of(Shape::Groups) }
            }
            Cut::OneWay { from, to } => {
                let (from, to) = (many(from.iter().copied()), many(to.iter().copied()));
                Self { from: Some(from), to: Some(to), ..of(Shape::OneWay) }
            }
            Cut::Links(links) => {
                let links = links.iter().map(|(from, to)| (from.to_string(), to.to_string()));
                Self { links: Some(links.collect()), ..of(Shape::Links) }
            }
            Cut::Bridge { left, right } => {
                let sides = [left, right].map(|side| many(side.iter().copied()));
                Self { groups: Some(sides.into()), ..of(Shape::Bridge) }
            }
            Cut::RingOfMajorities(ring) => {
                let ring = ring.iter().map(ToString::to_string).collect();
                Self { ring: Some(ring), ..of(Shape::RingOfMajorities) }
            }
        }
    }
}

impl From<&Links> for LinksFile {
    fn from(links: &Links) -> Self {
        Self { from: links.from.as_ref().map(all_of), to: links.to.as_ref().map(all_of) }
    }
}

impl From<&MessageRule> for MessageFile {
    fn from(rule: &MessageRule) -> Self {
        let MessageRule { from, to, kind, nth, fate } = rule;
        let (drop, arrival) = match fate {
            Fate::Drop(_) => (Some(true), Arrival::default()),
            Fate::Arrive(arrival) => (None, arrival.clone()),
        };
        let (corrupt, replace) = match arrival.content {
            Some(Content::Garbled) => (Some(true), None),
            Some(Content::Replaced(message)) => (None, Some(message)),
            None => (None, None),
        };
        Self {
            link: format!("{from} -> {to}"),
            nth: after_first(*nth),
            kind: kind.clone(),
            drop,
            delay: arrival.after,
            duplicate: arrival.copy_after,
            corrupt,
            replace,
        }
    }
}

impl From<&RequestOverride> for RequestFile {
    fn from(rule: &RequestOverride) -> Self {
        let RequestOverride { process, nth, after, replace } = rule;
        let (process, nth) = (process.to_string(), after_first(*nth));
        Self { process, nth, after: *after, replace: replace.clone() }
    }
}

impl From<Mask> for MaskFile {
    fn from(mask: Mask) -> Self {
        Self { process: mask.process.to_string(), request: Count(mask.request) }
    }
}

impl From<&ToldDraws> for DrawFile {
    fn from(draws: &ToldDraws) -> Self {
        Self { by: draws.by.to_string(), values: draws.values.clone() }
    }
}

impl From<Mistake> for MistakeFile {
    fn from(mistake: Mistake) -> Self {
        let Mistake { observer, suspects, at, until } = mistake;
        Self {
            observer: observer.to_string(),
            suspects: suspects.to_string(),
            at: at.since(Instant::ZERO),
            until: until.map(|until| until.since(Instant::ZERO)),
        }
    }
}

impl From<&NoticeDelay> for NoticeFile {
    fn from(notice: &NoticeDelay) -> Self {
        let NoticeDelay { observer, subject, nth, delay } = notice;
        Self {
            observer: observer.to_string(),
            of: subject.to_string(),
            nth: after_first(*nth),
            delay: *delay,
        }
    }
}

/// A number whose default is 1.
fn after_first(nth: u64) -> Option<Count> {
    (nth != 1).then_some(Count(nth))
}

fn likely(links: &Links, chance: Probability) -> ChanceFile {
    let LinksFile { from, to } = links.into();
    ChanceFile { from, to, probability: number(chance) }
}

fn shift(process: ProcessId, by: Shift) -> ShiftFile {
    let (ahead, behind) = match by {
        Shift::Ahead(by) => (Some(by), None),
        Shift::Behind(by) => (None, Some(by)),
    };
    ShiftFile { process: one(process), ahead, behind }
}

fn number(chance: Probability) -> f64 {
    chance.to_string().parse().expect("a probability is shown as a number")
}

fn one(process: ProcessId) -> Targets {
    Targets::One(process.to_string())
}

fn all_of(processes: &ProcessSet) -> Targets {
    many(processes.iter())
}

fn many(processes: impl IntoIterator<Item = ProcessId>) -> Targets {
    Targets::Many(processes.into_iter().map(|p| p.to_string()).collect())
}

/// Whether TOML can express this JSON: neither null nor numbers beyond 63 bits.
pub fn is_toml(json: &Json) -> bool {
    match json {
        Json::Null => false,
        Json::Bool(_) | Json::String(_) => true,
        Json::Number(number) => number.is_i64() || number.is_f64(),
        Json::Array(list) => list.iter().all(is_toml),
        Json::Object(object) => object.values().all(is_toml),
    }
}

#[cfg(test)]
mod tests;
