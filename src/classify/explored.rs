//! Explores all runs of one small world with the faults of a class, where an explorer knows them.

use ftsim_core::catalogue::RawSettings;
use ftsim_core::{DetectorClass, FaultClass, Links, Setting};
use ftsim_protocols::Catalogue;
use serde_json::{Map, Value, json};

use super::class::Class;
use super::row::Explored;
use super::world::Subject;
use super::{Effort, Job};
use crate::explore::{Effort as ExploreEffort, Settings, explore};
use crate::scenario::Scenario;

/// Numbers of processes for the first roles, the smallest first; the last one is for all others.
const SMALL: [[u32; 3]; 7] =
    [[3, 1, 1], [1, 2, 1], [2, 1, 1], [1, 1, 1], [3, 2, 1], [1, 3, 3], [3, 3, 3]];

/// What all runs of a small world show, or as many of them as are made. `None` if an explorer does
/// not know these faults, or cannot keep to them.
pub fn explored(job: &Job<'_>, run_count_max: u64, effort: &Effort<'_>) -> Option<Explored> {
    let Job { subject, class, faulty, .. } = *job;
    let catalogue = Catalogue::from(subject.entry.clone());
    let text = text(subject, class, faulty)?;
    let scenario = Scenario::parse(&format!("{}.toml", job.name()), &text, &catalogue).ok()?;
    let settings = Settings::of(&scenario).ok()?;
    let effort = ExploreEffort {
        run_count_max,
        until: None,
        halt: effort.halt,
        jobs: effort.jobs,
        keep: None,
        progress: &|_, _, _| {},
    };
    let seen = explore(&scenario, &catalogue, &settings, &effort).ok()?;
    let is_safety = |name: &str| super::row::is_safety(subject.entry, name);
    Some(Explored {
        processes: scenario.experiment.setting.n,
        budget: settings.to_string(),
        runs: seen.count.runs,
        is_all: seen.is_all,
        violated: seen
            .found
            .into_iter()
            .map(|found| super::row::Found {
                is_safety: is_safety(&found.property),
                property: found.property,
                message: found.message,
                scenario: found.scenario,
            })
            .collect(),
    })
}

/// The small world, with the faults as `[explore]` says them.
fn text(subject: &Subject<'_>, class: Class, faulty: u32) -> Option<String> {
    let recovers = subject.model.faults == FaultClass::CrashRecovery;
    let none = Map::from_iter(
        ["crashes", "recoveries", "losses", "duplicates", "suspicions"]
            .map(|key| (key.to_owned(), json!(0))),
    );
    let mut budget = none;
    let mut set = |key: &str, count: u32| budget.insert(key.to_owned(), count.into());
    match class {
        Class::None => {}
        Class::Crash => drop(set("crashes", faulty)),
        Class::CrashRecovery if recovers => {
            set("crashes", faulty);
            set("recoveries", faulty);
        }
        Class::Loss => drop(set("losses", 1)),
        Class::Duplication => drop(set("duplicates", 1)),
        Class::Suspicions => drop(set("suspicions", 1)),
        _ => return None,
    }
    let is_of_all = subject.candidates.len() == subject.setting.n as usize;
    let setting = small(subject)?;
    // An explorer has any process crash, and what stabilises has no end.
    let strikes_others = class.is_of_processes() && (!is_of_all || faulty > setting.n);
    if strikes_others || subject.entry.spec == "self-stabilisation" {
        return None;
    }
    let processes: Value = match setting.roles.as_slice() {
        [(_, count)] => json!(count),
        roles => Value::Object(roles.iter().map(|(role, n)| (role.clone(), json!(n))).collect()),
    };
    let order = if subject.model.links == Links::ReliableFifo { "fifo" } else { "any" };
    let mut file = Map::from_iter([
        ("protocol".to_owned(), json!(subject.entry.name)),
        ("processes".to_owned(), processes),
        ("params".to_owned(), subject.params.clone().into()),
        ("workload".to_owned(), subject.workload.clone().into()),
        ("network".to_owned(), json!({ "delay": "1ms", "bound": "10ms", "order": order })),
        ("explore".to_owned(), budget.into()),
        ("run".to_owned(), json!({ "seeds": 1, "horizon": "10s" })),
    ]);
    let check = subject.also_checked();
    if !check.is_empty() {
        file.insert("check".into(), check.into());
    }
    if subject.model.detector != DetectorClass::None {
        file.insert("detector".into(), json!({ "kind": "perfect" }));
    }
    let (tables, values): (Map<_, _>, Map<_, _>) =
        file.into_iter().partition(|(_, value)| value.is_object());
    let whole: Map<String, Value> = values.into_iter().chain(tables).collect();
    toml::to_string(&whole).ok()
}

/// Three processes, or as few of each role as the protocol accepts.
fn small(subject: &Subject<'_>) -> Option<Setting> {
    let [params, workload] = [&subject.params, &subject.workload].map(|table| {
        let plain = table.iter().filter(|(key, _)| *key != "mutant");
        Value::Object(plain.map(|(key, value)| (key.clone(), value.clone())).collect())
    });
    let settings = SMALL.into_iter().map(|[first, second, others]| {
        let counts = [first, second].into_iter().chain(std::iter::repeat(others));
        let roles = subject.entry.roles.iter().zip(counts);
        let roles: Vec<(String, u32)> = roles.map(|(role, n)| ((*role).to_owned(), n)).collect();
        Setting { n: roles.iter().map(|(_, n)| n).sum(), roles, ..Setting::of(1) }
    });
    let accepts = |setting: &Setting| {
        let settings = RawSettings { params: &params, workload: &workload, setting };
        subject.entry.resolve(settings).is_ok()
    };
    settings.filter(|setting| setting.n >= 2).find(accepts)
}
