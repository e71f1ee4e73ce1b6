//! A scenario that cannot be wrong: made from a [`ScenarioFile`], and nothing after it checks
//! again.

mod beyond;
mod conditions;
mod context;
pub mod crash_point;
pub mod diagnostic;
mod draws;
mod expectation;
mod exploring;
mod faults;
pub mod file;
mod liars;
pub mod marks;
mod masks;
mod messages;
mod names;
mod network;
mod partition;
mod problems;
mod random;
mod reading;
mod refusals;
pub mod repro;
mod requests;
pub mod schema;
pub(crate) mod seeds;
mod settings;
pub mod source;
pub mod statistic;
mod targets;
mod transport;
mod world;
pub mod writing;

use std::ops::Range;
use std::sync::Arc;

use ftsim_core::catalogue::{PropertyInfo, RawSettings, ResolvedSettings};
use ftsim_core::environment::detector::DetectorKind;
use ftsim_core::{
    DetectorClass, Entry, Experiment, Invalid, Mutant, MutantKind, RandomFaults, Runner, Setting,
    Standing,
};
use ftsim_protocols::Catalogue;
use serde_json::{Map, Value};
use toml::de::DeTable;

pub use expectation::Expectation;
pub use exploring::Exploring;
use problems::{Problems, UnknownField};
use reading::UNKNOWN_KEYS_MAX;
pub use settings::{Effective, effective};

use crate::scenario::crash_point::{CrashPoint, EveryCrashPoint};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::file::{Processes, ReproFile, ScenarioFile};
use crate::scenario::marks::Marks;
use crate::scenario::repro::Repro;
use crate::scenario::source::{Places, Source};

/// What a panic is called where properties are named.
pub const PANICKED: &str = "panicked";

/// One experiment, ready to run.
pub struct Scenario {
    /// Where it was read from, as the user named it.
    pub path: String,
    /// What happens in it.
    pub summary: Option<String>,
    /// Where it comes from.
    pub reference: Option<String>,
    /// The protocol.
    pub entry: Entry,
    /// The world.
    pub experiment: Experiment,
    /// `[params]` as written, without `mutant`.
    pub params: Value,
    /// `[workload]` as written.
    pub workload: Value,
    /// `[params]` and `[workload]` with all defaults.
    pub resolved: ResolvedSettings,
    /// The properties that are checked, in the order of the spec's table.
    pub checked: Vec<PropertyInfo>,
    /// For each fault of the plan, which `[[fault]]` of the file it stands for, from 0.
    pub fault_origins: Vec<usize>,
    /// That each seed is run once for each of its crash points.
    pub crash_points: Option<EveryCrashPoint>,
    /// The seeds that it asks for: that of a repro, or those of `[run]`.
    pub seeds: Range<u64>,
    /// What it says about its exploration.
    pub exploring: Exploring,
    /// What is expected.
    pub expect: Expectation,
    /// The run that it stands for, if it is a repro.
    pub repro: Option<Repro>,
    /// The text that it was read from.
    pub text: String,
    /// What can be run, but may not be meant.
    pub warnings: Vec<Diagnostic>,
}

impl Scenario {
    /// Reads a scenario; `path` is what diagnostics call it.
    ///
    /// # Errors
    /// All that is wrong with it. What is not TOML, or has not the right shape, is told first and
    /// alone.
    pub fn parse(path: &str, text: &str, catalogue: &Catalogue) -> Result<Self, Vec<Diagnostic>> {
        let source = Arc::new(Source { path: path.to_owned(), text: text.to_owned() });
        let nowhere = DeTable::default();
        let no_toml = |error| {
            let mut problems = Problems::new(Arc::clone(&source), Places::new(&nowhere));
            problems.serde(&error);
            problems.into_diagnostics()
        };
        let root = DeTable::parse(text).map_err(no_toml)?;
        let mut problems = Problems::new(Arc::clone(&source), Places::new(root.get_ref()));
        refusals::refuse(&mut problems);
        if !problems.is_empty() {
            return Err(problems.into_diagnostics());
        }
        let Some(file) = reading::read(&mut problems, &root) else {
            return Err(problems.into_diagnostics());
        };
        let scenario = read(path, &mut problems, file, catalogue);
        match scenario {
            Some(scenario) if problems.is_empty() => {
                beyond::warn(&mut problems, &scenario);
                let warnings = problems.take_warnings();
                Ok(Self { text: text.to_owned(), warnings, ..scenario })
            }
            _ => Err(problems.into_diagnostics()),
        }
    }

    /// Its name: that of its file, without folder and `.toml`.
    pub fn name(&self) -> String {
        let name = std::path::Path::new(&self.path).file_stem();
        name.map_or_else(|| "scenario".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// Its seed, if it is about one: that of a repro, or of a scenario with a single one.
    pub fn only_seed(&self) -> Option<u64> {
        let is_one = self.seeds.end - self.seeds.start == 1 && self.crash_points.is_none();
        is_one.then_some(self.seeds.start)
    }

    /// Whether it runs every crash point, and has the process of this one.
    pub fn has_crash_point(&self, point: CrashPoint) -> bool {
        self.crash_points.is_some() && point.process.0 < self.experiment.setting.n
    }

    /// Whether a run can fail by this property: one that is checked, or a panic.
    pub fn can_violate(&self, property: &str) -> bool {
        property == PANICKED || self.checked.iter().any(|known| known.id.0 == property)
    }

    /// That it does not check this property, and which ones it does.
    pub fn checks_no(&self, property: &str) -> String {
        let known: Vec<&str> = self.checked.iter().map(|known| known.id.0).collect();
        format!("{} does not check {property}; it checks {}", self.path, known.join(", "))
    }

    /// Puts the protocol into its world.
    ///
    /// # Errors
    /// None: the settings were accepted before.
    pub fn prepare(&self) -> Result<Runner, Invalid> {
        self.entry.prepare(self.experiment.clone(), &self.params, &self.workload)
    }
}

/// The second look. `None` if nothing can be made of it; more may be wrong even so.
fn read(
    path: &str,
    problems: &mut Problems<'_>,
    mut file: ScenarioFile,
    catalogue: &Catalogue,
) -> Option<Scenario> {
    let seeds = world::seeds(problems, &file);
    let limits = world::limits(problems, &file.run);
    let clocks = world::clocks(problems, &file.clocks);
    let exploring = exploring::exploring(problems, &file.explore);
    let Some(entry) = catalogue.get(&file.protocol) else {
        let names: Vec<&str> = catalogue.entries().iter().map(|entry| entry.name).collect();
        problems.unknown("protocol", "protocol", &file.protocol, &names);
        return None;
    };
    let mutant = mutant(problems, entry, &mut file.params);
    let roles = roles(problems, entry, &file.processes)?;
    let n = roles.iter().map(|(_, count)| count).sum();
    let mut setting = Setting { roles, mutant, ..Setting::of(n) };
    let names = names::Names::new(&setting);
    let params = Value::Object(std::mem::take(&mut file.params));
    let model = entry.model_with(&params, &setting);
    let timing = model.timing;
    let network = network::network(problems, &names, limits.horizon, timing, &file.network);
    let stable = network.stabilise_at;
    let transport = transport::transport(problems, &file.network, &file.detector, &network);
    let detector = world::detector(problems, &names, limits.horizon, stable, &file.detector);
    let liveness = file.liveness.as_ref();
    let liveness = world::liveness(problems, limits.horizon, stable, liveness);
    let around = context::Context {
        names: &names,
        setting: &setting,
        class: model.faults,
        adversaries: &entry.adversaries,
        has_transport: transport.guarantee != ftsim_core::environment::transport::Guarantee::Raw
            || transport.heartbeat.is_some(),
        timing,
        has_corruptible_state: entry.has_corruptible_state,
        has_leader: entry.has_leader,
        network: &network,
        horizon: limits.horizon,
        faults_end: liveness.map(|liveness| liveness.at),
    };
    let faults::Script { plan, origins, choices } = faults::script(problems, &around, &file.fault);
    let fate_groups = world::fate_groups(problems, &names, &file.fate_sharing);
    let random = file.random.as_ref().map(|file| random::random(problems, &around, file));
    let random::Random { drawn, crash_points } = random.unwrap_or_default();
    let requests = requests::requests(problems, &names, entry, limits.horizon, &file.request);
    let masks = masks::masks(problems, &names, &file.mask);
    let draws = draws::draws(problems, &names, &file.draw);
    let overrides = messages::overrides(problems, &names, entry, limits.horizon, &file.message);
    setting.delay_bound = network.bound;
    let check = expectation::check(problems, entry, &file.check);
    let repro = file.repro.take().map(|file| repro(problems, file));
    let workload = Value::Object(file.workload);
    let resolved = resolve(problems, entry, &params, &workload, &setting)?;
    let suspects = detector.kind == DetectorKind::Perfect
        || transport.heartbeat.is_some()
        || plan.announces_crashes()
        || drawn.as_ref().is_some_and(RandomFaults::announces_crashes);
    // Whoever writes `kind = "none"` wants to see what comes of it.
    let is_meant = file.detector.kind == Some(file::DetectorKind::None);
    if resolved.model.detector != DetectorClass::None && !suspects && !is_meant {
        world::detector_missing(problems, entry.name, resolved.model.detector);
    }
    let is_checked = |property: &&PropertyInfo| {
        property.standing == Standing::Core
            || resolved.claims.contains(&property.id)
            || check.contains(&property.id)
    };
    let checked: Vec<PropertyInfo> = entry.properties.iter().filter(is_checked).copied().collect();
    let expect = expectation::expectation(problems, entry, &checked, file.expect);
    Some(Scenario {
        path: path.to_owned(),
        summary: file.summary,
        reference: file.reference,
        entry: entry.clone(),
        experiment: Experiment {
            setting,
            network,
            transport,
            clocks,
            detector,
            sync_latency: file.storage.sync_latency,
            plan,
            choices,
            fate_groups,
            liveness,
            on_crash: world::on_crash(file.storage.on_crash),
            overrides,
            requests,
            masks,
            draws,
            random: drawn,
            ties: world::ties(&file.run),
            check,
            limits,
            counts_bytes: false,
        },
        params,
        workload,
        resolved,
        checked,
        fault_origins: origins,
        crash_points,
        seeds,
        exploring,
        expect,
        repro,
        text: String::new(),
        warnings: Vec::new(),
    })
}

/// The run that a repro stands for.
fn repro(problems: &mut Problems<'_>, file: ReproFile) -> Repro {
    let marks = match (file.marks_every, file.marks) {
        (Some(every), Some(text)) => {
            let marks = Marks::parse(every.0, &text);
            if marks.is_none() {
                problems
                    .value("repro.marks", "these marks are invalid")
                    .label("expected hex digits");
            }
            marks
        }
        _ => None,
    };
    Repro { seed: file.seed.0, digest: file.digest, engine: file.engine, marks }
}

/// Takes `mutant` out of the parameters.
fn mutant(
    problems: &mut Problems<'_>,
    entry: &Entry,
    params: &mut Map<String, Value>,
) -> Option<&'static Mutant> {
    let Value::String(name) = params.remove("mutant")? else {
        problems.value("params.mutant", "not a mutant").label("expected the name of one");
        return None;
    };
    let Some(mutant) = entry.mutants.iter().find(|mutant| mutant.name == name) else {
        let names: Vec<&str> = entry.mutants.iter().map(|mutant| mutant.name).collect();
        problems.unknown("params.mutant", "mutant", &name, &names);
        return None;
    };
    if let MutantKind::Assumption { key, .. } = mutant.kind
        && problems.places.get(key).is_none()
    {
        problems
            .value("params.mutant", format!("this mutant needs `{key}` in the scenario"))
            .label(mutant.changes)
            .help(format!("the assumption that it breaks is broken by `{key}`"));
    }
    Some(mutant)
}

/// How many processes have each role, in the order of the protocol's roles.
fn roles(
    problems: &mut Problems<'_>,
    entry: &Entry,
    processes: &Processes,
) -> Option<Vec<(String, u32)>> {
    let given: Vec<(&str, u64)> = match (processes, entry.roles) {
        (Processes::Number(count), [role]) => vec![(role, count.0)],
        (Processes::Number(_), roles) => {
            let table: Vec<String> = roles.iter().map(|role| format!("{role} = 1")).collect();
            problems
                .value("processes", format!("`{}` has processes of several roles", entry.name))
                .label(format!("expected a number for each of {}", problems::quoted(roles)))
                .help(format!("write processes = {{ {} }}", table.join(", ")));
            return None;
        }
        (Processes::Roles(roles), _) => {
            roles.iter().map(|(role, count)| (role.as_str(), count.0)).collect()
        }
    };
    let mut sound = true;
    for (role, _) in given.iter().filter(|(role, _)| !entry.roles.contains(role)) {
        problems.unknown_key(&format!("processes.{role}"), "role", role, entry.roles);
        sound = false;
    }
    let mut counts = Vec::new();
    for role in entry.roles {
        match given.iter().find(|(name, _)| name == role) {
            Some((_, count)) => counts.push(((*role).to_owned(), *count)),
            None if sound => {
                problems.value("processes", format!("no number of processes for role `{role}`"));
                return None;
            }
            None => {}
        }
    }
    let sum = counts.iter().fold(0u64, |sum, (_, count)| sum.saturating_add(*count));
    let most = entry.process_count_max;
    if sound && !(1..=u64::from(most)).contains(&sum) {
        problems
            .value("processes", format!("{sum} processes are out of range"))
            .label(format!("expected 1 to {most}"));
        sound = false;
    }
    let narrow = |(role, count)| Some((role, u32::try_from(count).ok()?));
    counts.into_iter().map(narrow).collect::<Option<_>>().filter(|_| sound)
}

/// Fills in the defaults of `[params]` and `[workload]`, and tells what is wrong with either.
fn resolve(
    problems: &mut Problems<'_>,
    entry: &Entry,
    params: &Value,
    workload: &Value,
    setting: &Setting,
) -> Option<ResolvedSettings> {
    let error = match entry.resolve(RawSettings { params, workload, setting }) {
        Ok(resolved) => return Some(resolved),
        Err(error) => error,
    };
    let defaults = Value::Object(Map::new());
    let resolve = |params: &Value, workload: &Value| {
        entry.resolve(RawSettings { params, workload, setting }).err()
    };
    let wrong = section(problems, "params", params, |params| resolve(params, &defaults));
    let params = if wrong { &defaults } else { params };
    let wrong =
        section(problems, "workload", workload, |workload| resolve(params, workload)) || wrong;
    if !wrong {
        problems.invalid(&error.key, &error.message);
    }
    None
}

/// Tells of all keys of a section that nobody knows, or else of the first value that is wrong; true
/// if any.
fn section(
    problems: &mut Problems<'_>,
    name: &str,
    values: &Value,
    resolve: impl Fn(&Value) -> Option<Invalid>,
) -> bool {
    let mut left = values.clone();
    let mut wrong = false;
    for _ in 0..UNKNOWN_KEYS_MAX {
        let Some(error) = resolve(&left) else { break };
        let Some(path) = error.key.strip_prefix(name) else { break };
        let is_unknown = UnknownField::of(&error.message).is_some();
        // What is wrong without a key that was taken out may be right with what it meant.
        if wrong && !is_unknown {
            break;
        }
        problems.invalid(&error.key, &error.message);
        wrong = true;
        if !is_unknown || !take_out(&mut left, path) {
            break;
        }
    }
    wrong
}

/// Takes the value under a path such as `.a[0].b` out of its table; false if there is none.
fn take_out(values: &mut Value, path: &str) -> bool {
    let Some((above, key)) = path.rsplit_once('.') else { return false };
    let pointer = above.replace(['.', '['], "/").replace(']', "");
    let table = values.pointer_mut(&pointer).and_then(Value::as_object_mut);
    table.and_then(|table| table.remove(key)).is_some()
}
