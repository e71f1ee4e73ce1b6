//! Draws a scenario: the world of a model in which nothing goes wrong, and the faults of one class.

use clap::ValueEnum;
use ftsim_core::rng::Rng;
use ftsim_core::{DetectorClass, Entry, FaultClass, Model, ProcessId, Setting, Timing};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::class::Class;
use super::faults::Draws;
use crate::stress::world::without_faults;

/// The end of a run. All faults are over in its first third, so that what must happen in the end
/// has had time to.
const HORIZON: &str = "10s";
const EVENT_COUNT_MAX: u64 = 200_000;

/// Properties that count although not all solutions of the problem claim them: with them, a
/// protocol that waits for a process which never comes back is not live, and a ring is not safe
/// before it has stabilised.
const ALSO: [(&str, &str); 2] =
    [("atomic-commit", "ac.nonblocking"), ("self-stabilisation", "me.exclusion")];

/// A protocol as it is classified.
#[derive(Clone)]
pub struct Subject<'a> {
    /// The protocol.
    pub entry: &'a Entry,
    /// The processes.
    pub setting: Setting,
    /// `[params]`, without what has its default.
    pub params: Map<String, Value>,
    /// Keys of `[workload]` that are not drawn.
    pub workload: Map<String, Value>,
    /// The model of the protocol with these parameters.
    pub model: Model,
    /// The processes that can be faulty.
    pub candidates: Vec<ProcessId>,
    /// Further properties to judge.
    pub check: Vec<String>,
    /// What tells the protocol of crashes, if it asks; by default what a class needs.
    pub detector: Option<Detector>,
}

/// What tells a protocol of crashes, in a world in which the detector is not at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detector {
    /// An oracle, which is right whatever the network does
    Oracle,
    /// Heartbeats and a timeout, which takes silence for a crash
    Heartbeat,
}

impl Subject<'_> {
    /// The text of a scenario, which may be refused. The same bits draw the same world, whatever
    /// the class of faults is.
    pub fn text(&self, class: Class, faulty: u32, bits: u64, seed: u64) -> String {
        let mut rng = Rng::from_bits(bits);
        let fault_bits = rng.bits();
        let base = (&self.params, &self.model);
        let mut file = without_faults(self.entry, &self.setting, base, &mut rng);
        for (key, value) in &self.workload {
            set(&mut file, "workload", key, value.clone());
        }
        let mut rng = Rng::from_bits(fault_bits);
        if self.model.faults == FaultClass::CrashRecovery {
            let latencies: [Value; 3] = ["0ms", "0ms..5ms", "10ms"].map(Into::into);
            let latency = rng.choose(&latencies).cloned().unwrap_or_default();
            set(&mut file, "storage", "sync_latency", latency);
        }
        if class == Class::CrashRecovery {
            let kept: [Value; 5] =
                ["lose-unsynced", "keep-all", "keep-prefix", "keep-subset", "torn-last"]
                    .map(Into::into);
            let on_crash = rng.choose(&kept).cloned().unwrap_or_default();
            set(&mut file, "storage", "on_crash", on_crash);
        }
        if self.model.detector != DetectorClass::None && self.detector(class) == Detector::Heartbeat
        {
            let heartbeat = json!({ "kind": "heartbeat", "period": "20ms", "timeout": "60ms" });
            file.insert("detector".into(), heartbeat);
            // Without faults such a detector makes no mistakes.
            set(&mut file, "network", "delay", "0ms..10ms".into());
        }
        if class == Class::Reordering && self.model.timing == Timing::Synchronous {
            // So that no message exceeds the bound: only their order changes.
            set(&mut file, "network", "delay", "0ms..1ms".into());
        }
        let processes = self.victims_first(class, &mut rng);
        let victims = (processes, faulty as usize);
        let mut draws = Draws::new(self.entry, &self.model, victims, &mut rng);
        let faults = draws.faults(class);
        if class == Class::Suspicions {
            set(&mut file, "detector", "mistakes", draws.mistakes().into());
        }
        let check = self.also_checked();
        if !check.is_empty() {
            file.insert("check".into(), check.into());
        }
        let run = json!({
            "first_seed": seed, "seeds": 1, "horizon": HORIZON, "max_events": EVENT_COUNT_MAX,
        });
        file.insert("run".into(), run);
        // TOML requires single values before tables.
        let (tables, values): (Map<_, _>, Map<_, _>) =
            file.into_iter().partition(|(_, value)| value.is_object());
        let mut whole: Map<String, Value> = values.into_iter().chain(tables).collect();
        if !faults.is_empty() {
            whole.insert("fault".into(), faults.into());
        }
        toml::to_string(&whole).unwrap_or_default()
    }

    /// What tells the protocol of crashes, if it asks.
    fn detector(&self, class: Class) -> Detector {
        self.detector.unwrap_or(match class.silences() {
            true => Detector::Heartbeat,
            false => Detector::Oracle,
        })
    }

    /// All processes, those that can be faulty first, in a drawn order.
    fn victims_first(&self, class: Class, rng: &mut Rng) -> Vec<String> {
        let mut candidates = self.candidates.clone();
        rng.shuffle(&mut candidates);
        let others = self.setting.processes().filter(|p| !self.candidates.contains(p));
        let all: Vec<ProcessId> = match class.is_of_processes() {
            true => candidates.iter().copied().chain(others).collect(),
            false => self.setting.processes().collect(),
        };
        all.iter().map(ToString::to_string).collect()
    }

    /// The properties to judge beside those that the protocol claims.
    pub(super) fn also_checked(&self) -> Vec<&'static str> {
        let is_wanted = |name: &str| {
            self.check.iter().any(|wanted| wanted == name)
                || ALSO.contains(&(self.entry.spec, name))
        };
        let names = self.entry.properties.iter().map(|property| property.id.0);
        names.filter(|name| is_wanted(name)).collect()
    }
}

/// The processes that the bound of a model counts: all, or those of a role.
pub fn counted_by_bound(model: &Model, setting: &Setting) -> Vec<ProcessId> {
    let many = setting.n as usize + 1;
    let is_counted = |p: &ProcessId| !model.bound.admits(setting, std::iter::repeat_n(*p, many));
    setting.processes().filter(is_counted).collect()
}

fn set(file: &mut Map<String, Value>, section: &str, key: &str, value: Value) {
    let table = file.entry(section).or_insert_with(|| json!({}));
    if let Some(table) = table.as_object_mut() {
        table.insert(key.into(), value);
    }
}
