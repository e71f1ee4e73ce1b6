//! Draws a scenario: processes, parameters, clients, and an environment at or near the limits of
//! the model that the parameters give, or beyond one of them.

use std::ops::Range;

use ftsim_core::rng::Rng;
use ftsim_core::{DetectorClass, Entry, FaultClass, Links, Model, MutantKind, Setting, Timing};
use serde_json::{Map, Value, json};

use super::assumption::{Assumption, breakable};
use super::value::Draws;

/// The maximum number of processes.
const PROCESS_COUNT_MAX: u64 = 6;

/// The times within which faults strike, in milliseconds.
const WINDOWS_MS: [u64; 4] = [5, 30, 100, 300];

/// When the network stabilises, if wrong suspicions or other faults come before.
const STABILISE_AT: &str = "2s";

/// The bound on delays, in milliseconds.
const BOUND_MS: u64 = 10;

/// Draws a scenario file with these seeds. It may be refused, because some parameters are
/// incompatible.
pub fn draw(
    entry: &Entry,
    broken: Option<Assumption>,
    seeds: &Range<u64>,
    rng: &mut Rng,
) -> String {
    let mut world = World { entry, rng, file: Map::new(), random: Map::new() };
    world.file.insert("protocol".into(), entry.name.into());
    let setting = world.processes();
    let params = world.params();
    let model = entry.model_with(&Value::Object(params.clone()), &setting);
    world.put("params", params);
    world.clients(&model);
    world.network(&model);
    world.detector(&model);
    world.clocks(&model);
    world.faults(&model, &setting);
    if let Some(broken) = breakable(&model, &setting).find(|known| Some(*known) == broken) {
        world.break_assumption(broken, &model, &setting);
    }
    let World { mut file, random, .. } = world;
    if !random.is_empty() {
        file.insert("random".into(), random.into());
    }
    // Lossy links need several attempts, and time for them.
    let horizon = if model.links == Links::FairLoss { "120s" } else { "10s" };
    let run = json!({
        "first_seed": seeds.start,
        "seeds": seeds.end - seeds.start,
        "horizon": horizon,
        "max_events": 200_000,
    });
    file.insert("run".into(), run);
    // TOML requires single values before tables.
    let (tables, values): (Map<_, _>, Map<_, _>) =
        file.into_iter().partition(|(_, value)| value.is_object());
    let whole: Map<String, Value> = values.into_iter().chain(tables).collect();
    toml::to_string(&whole).unwrap_or_default()
}

/// The sections of a scenario file with these processes and parameters in which nothing goes wrong:
/// clients, delays, a detector and clocks are drawn within the model, and there are no faults,
/// losses or wrong suspicions.
pub fn without_faults(
    entry: &Entry,
    setting: &Setting,
    (params, model): (&Map<String, Value>, &Model),
    rng: &mut Rng,
) -> Map<String, Value> {
    let mut world = World { entry, rng, file: Map::new(), random: Map::new() };
    world.file.insert("protocol".into(), entry.name.into());
    world.put_processes(&setting.roles);
    world.put("params", params.clone());
    world.clients(model);
    world.calm_network(model);
    world.calm_detector(model);
    world.clocks(model);
    world.file
}

struct World<'a> {
    entry: &'a Entry,
    rng: &'a mut Rng,
    file: Map<String, Value>,
    random: Map<String, Value>,
}

impl World<'_> {
    fn put(&mut self, section: &str, table: Map<String, Value>) {
        if !table.is_empty() {
            self.file.insert(section.into(), table.into());
        }
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.rng.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.rng.below(of.len() as u64)).unwrap_or(0)]
    }

    fn processes(&mut self) -> Setting {
        let roles = self.entry.roles;
        let mut left = self.rng.between(roles.len().max(2) as u64, PROCESS_COUNT_MAX);
        let mut counts = Vec::new();
        for (index, role) in roles.iter().enumerate() {
            let others = (roles.len() - 1 - index) as u64;
            let is_last = others == 0;
            let count = if is_last { left } else { self.rng.between(1, left - others) };
            left -= count;
            counts.push(((*role).to_owned(), u32::try_from(count).unwrap_or(1)));
        }
        self.put_processes(&counts);
        let n = counts.iter().map(|(_, count)| count).sum();
        Setting { roles: counts, ..Setting::of(n) }
    }

    fn put_processes(&mut self, counts: &[(String, u32)]) {
        let processes = match counts {
            [(_, count)] => json!(count),
            _ => counts
                .iter()
                .map(|(role, n)| (role.clone(), json!(n)))
                .collect::<Map<_, _>>()
                .into(),
        };
        self.file.insert("processes".into(), processes);
    }

    /// The parameters. Keys with which a mutant breaks an assumption keep their correct value.
    fn params(&mut self) -> Map<String, Value> {
        let kept = self.entry.mutants.iter().filter_map(|mutant| match mutant.kind {
            MutantKind::Assumption { key, restored } => {
                let key = key.strip_prefix("params.")?;
                let text = restored.map(|restored| format!("value = {restored}"));
                let value = text.and_then(|text| text.parse::<toml::Table>().ok());
                let value = value.and_then(|table| serde_json::to_value(&table["value"]).ok());
                (!value.as_ref().is_some_and(Value::is_number)).then_some((key, value))
            }
            MutantKind::Code => None,
        });
        let fixed = kept.collect();
        let schema = (self.entry.params_schema)();
        Draws { rng: self.rng, fixed, has_ranges: true }.table(schema.as_value())
    }

    fn clients(&mut self, model: &Model) {
        let schema = (self.entry.workload_schema)();
        let has_ranges = model.timing != Timing::Synchronous;
        let mut draws = Draws { rng: self.rng, fixed: Vec::new(), has_ranges };
        let table = draws.table(schema.as_value());
        self.put("workload", table);
    }

    fn network(&mut self, model: &Model) {
        let mut network = self.delays(model, "500ms");
        if model.links == Links::FairLoss {
            network.insert("loss".into(), self.pick(&[0.0, 0.05, 0.3]).into());
            network.insert("duplicate".into(), self.pick(&[0.0, 0.05, 0.3]).into());
        } else if model.timing == Timing::Asynchronous && self.one_in(4) {
            // A transport that compensates for the losses of links.
            let fifo = model.links == Links::ReliableFifo || self.one_in(2);
            let links = if fifo { "reliable-fifo" } else { "reliable" };
            network.insert("links".into(), links.into());
            network.insert("loss".into(), self.pick(&[0.05, 0.3]).into());
            network.insert("duplicate".into(), self.pick(&[0.0, 0.3]).into());
        }
        self.put("network", network);
    }

    /// Links that lose nothing.
    fn calm_network(&mut self, model: &Model) {
        let network = self.delays(model, STABILISE_AT);
        self.put("network", network);
    }

    fn delays(&mut self, model: &Model, stabilise_at: &str) -> Map<String, Value> {
        let mut network = Map::new();
        network.insert("bound".into(), format!("{BOUND_MS}ms").into());
        network.insert("delay".into(), self.delay(model));
        if model.timing == Timing::PartiallySynchronous {
            network.insert("stabilise_at".into(), stabilise_at.into());
        }
        if model.links == Links::ReliableFifo {
            network.insert("order".into(), "fifo".into());
        }
        network
    }

    /// Delays at and near the bound if there is one, and beyond it if there is none.
    fn delay(&mut self, model: &Model) -> Value {
        let within = ["10ms", "9999us..10ms", "0ms..10ms", "0ms..1ms", "1ms", "0ms"];
        let beyond = ["0ms..40ms", "1ms..100ms", "5ms..15ms"];
        match model.timing {
            Timing::Synchronous => self.pick(&within).into(),
            _ if self.one_in(2) => self.pick(&within).into(),
            Timing::Asynchronous if self.one_in(3) => json!({ "exponential": "8ms" }),
            _ => self.pick(&beyond).into(),
        }
    }

    /// A detector that makes no mistakes, if the model has any.
    fn calm_detector(&mut self, model: &Model) {
        if model.detector != DetectorClass::None {
            let delay = self.pick(&["0ms", "5ms", "0ms..20ms", "0ms..100ms"]);
            self.put("detector", object(json!({ "kind": "perfect", "delay": delay })));
        }
    }

    fn detector(&mut self, model: &Model) {
        self.calm_detector(model);
        if model.detector == DetectorClass::EventuallyPerfect && !self.one_in(3) {
            self.err();
        }
    }

    /// Has the detector suspect processes that are up.
    fn err(&mut self) {
        self.set("detector", "kind", "eventually-perfect".into());
        self.set("detector", "mistakes_per_process", "1..3".into());
        self.set("detector", "mistake_duration", "5ms..200ms".into());
        self.set("network", "stabilise_at", STABILISE_AT.into());
    }

    /// Clocks: protocols may not rely on their readings. Their rates are bounded if delays are.
    fn clocks(&mut self, model: &Model) {
        let drift = match model.timing {
            Timing::Synchronous => model.drift_ppm,
            Timing::PartiallySynchronous | Timing::Asynchronous => 1_000,
        };
        let mut clocks = Map::new();
        if self.one_in(3) {
            clocks.insert("offset".into(), "0ms..50ms".into());
        }
        if drift > 0 && self.one_in(3) {
            clocks.insert("drift".into(), format!("-{drift}ppm..{drift}ppm").into());
        }
        self.put("clocks", clocks);
    }

    fn faults(&mut self, model: &Model, setting: &Setting) {
        let max = model.bound.max(setting).unwrap_or(0);
        match model.faults {
            FaultClass::None => {}
            FaultClass::CrashStop => self.crashes(max, None),
            FaultClass::CrashRecovery => {
                let stays_down = max > 0 && self.one_in(3);
                let down = self.pick(&["1ms..10ms", "1ms..300ms", "50ms..150ms"]);
                if stays_down {
                    self.crashes(max, None);
                } else {
                    // If only so many processes ever crash, no more are down at once.
                    let at_once = model.bound.max_at_once().unwrap_or(setting.n);
                    self.crashes(at_once.min(setting.n), Some(down));
                }
                let kept = ["lose-unsynced", "keep-all", "keep-prefix", "keep-subset", "torn-last"];
                let on_crash = self.pick(&kept);
                let latency = self.pick(&["0ms", "0ms..5ms", "10ms"]);
                self.put(
                    "storage",
                    object(json!({ "on_crash": on_crash, "sync_latency": latency })),
                );
            }
            FaultClass::Byzantine => self.liars(max),
        }
        if model.links == Links::FairLoss {
            self.lossy_faults();
        }
        if model.timing == Timing::Asynchronous {
            self.slow_faults(model);
        }
    }

    fn window(&mut self) -> String {
        format!("0s..{}ms", self.pick(&WINDOWS_MS))
    }

    fn crashes(&mut self, max: u32, recover_after: Option<&str>) {
        if max == 0 {
            return;
        }
        let count = if recover_after.is_some() { max.saturating_mul(2) } else { max };
        let mut crash = object(json!({ "count": format!("0..{count}"), "between": self.window() }));
        if let Some(after) = recover_after {
            crash.insert("recover_after".into(), after.into());
        }
        self.random.insert("max_faulty".into(), max.into());
        self.random.insert("crash".into(), crash.into());
    }

    fn liars(&mut self, max: u32) {
        if max == 0 {
            return;
        }
        let mut behaviours: Vec<Value> =
            ["silent", "equivocate", "mutate", "replay", "twins", "random"].map(Into::into).into();
        behaviours.push(json!({ "delay": "30ms" }));
        let custom = self.entry.adversaries.iter();
        behaviours.extend(custom.map(|adversary| json!({ "custom": adversary.name })));
        let behaviour = self.rng.choose(&behaviours).cloned();
        let between = if self.one_in(3) { self.window() } else { "0s".to_owned() };
        let lying =
            json!({ "count": format!("0..{max}"), "between": between, "behaviour": behaviour });
        self.random.insert("max_faulty".into(), max.into());
        self.random.insert("byzantine".into(), lying);
    }

    /// The temporary faults of fair-loss links.
    fn lossy_faults(&mut self) {
        let between = self.window();
        let common = |extra: Value| {
            let mut fault =
                object(json!({ "count": "0..2", "between": between, "duration": "1ms..200ms" }));
            fault.extend(object(extra));
            Value::Object(fault)
        };
        let shape = self.pick(&["halves", "isolate", "one-way"]);
        let kinds = [
            ("partition", common(json!({ "shape": shape }))),
            ("loss", common(json!({ "probability": 1.0 }))),
            ("duplicate", common(json!({ "probability": 0.5 }))),
            ("replay", common(json!({ "probability": 0.2 }))),
        ];
        self.some_of(kinds);
    }

    /// Faults that look like a slow network.
    fn slow_faults(&mut self, model: &Model) {
        let between = self.window();
        let common = |extra: Value| {
            let mut fault =
                object(json!({ "count": "0..2", "between": between, "duration": "1ms..200ms" }));
            fault.extend(object(extra));
            Value::Object(fault)
        };
        let lasting = common(json!({}));
        let kinds = [
            ("clog", lasting.clone()),
            ("late", common(json!({ "by": "1ms..200ms" }))),
            ("delay", common(json!({ "by": "0ms..50ms" }))),
        ];
        self.some_of(kinds);
        // A slow process is correct, but counts as one of the processes that a fault strikes.
        if model.faults != FaultClass::None
            && self.random.contains_key("max_faulty")
            && self.one_in(3)
        {
            self.random.insert("pause".into(), lasting);
        }
    }

    fn some_of<const N: usize>(&mut self, kinds: [(&str, Value); N]) {
        for (key, fault) in kinds {
            if self.one_in(4) {
                self.random.insert(key.into(), fault);
            }
        }
    }

    fn break_assumption(&mut self, broken: Assumption, model: &Model, setting: &Setting) {
        let between = self.window();
        match broken {
            Assumption::Bound => self.too_many_faults(model, setting, &between),
            Assumption::NoLies => {
                let liar = json!({ "count": 1, "between": "0s", "behaviour": "random" });
                self.random.entry("max_faulty").or_insert(json!(1));
                self.random.insert("byzantine".into(), liar);
            }
            Assumption::Disk => self.set("storage", "on_crash", "lose-all".into()),
            Assumption::Delay => {
                let late = json!({
                    "count": "1..4", "between": between, "duration": "5ms..100ms", "by": "5ms..50ms"
                });
                self.random.insert("late".into(), late);
            }
            Assumption::NoLoss => {
                self.drop_transport();
                self.set("network", "loss", json!(0.3));
            }
            Assumption::NoDuplicates => {
                self.drop_transport();
                self.set("network", "duplicate", json!(0.3));
            }
            Assumption::Order => {
                self.drop_transport();
                self.set("network", "order", "any".into());
            }
            Assumption::Accuracy => self.err(),
            Assumption::Completeness => self.put("detector", object(json!({ "kind": "none" }))),
        }
    }

    fn too_many_faults(&mut self, model: &Model, setting: &Setting, between: &str) {
        let at_once = model.bound.max_at_once().filter(|max| *max < setting.n);
        if let Some(max) = at_once.filter(|_| self.one_in(2)) {
            self.too_many_at_once(max);
            return;
        }
        let count = model.bound.max(setting).unwrap_or(0) + 1;
        self.random.insert("max_faulty".into(), count.into());
        if model.faults == FaultClass::Byzantine {
            let behaviour = if self.one_in(2) { "equivocate" } else { "random" };
            let lying = json!({ "count": count, "between": "0s", "behaviour": behaviour });
            self.random.insert("byzantine".into(), lying);
        } else {
            let crash = json!({ "count": count, "between": between });
            self.random.insert("crash".into(), crash);
        }
    }

    /// One process more than `max` is down at one time, and all return.
    fn too_many_at_once(&mut self, max: u32) {
        let at = self.rng.between(0, 100);
        let crash = json!({
            "count": max + 1, "between": format!("{at}ms..{}ms", at + 1),
            "recover_after": "50ms..150ms",
        });
        self.random.insert("max_faulty".into(), (max + 1).into());
        self.random.insert("crash".into(), crash);
    }

    fn set(&mut self, section: &str, key: &str, value: Value) {
        let table = self.file.entry(section).or_insert_with(|| json!({}));
        if let Some(table) = table.as_object_mut() {
            table.insert(key.into(), value);
        }
    }

    fn drop_transport(&mut self) {
        if let Some(network) = self.file.get_mut("network").and_then(Value::as_object_mut) {
            for key in ["links", "loss", "duplicate"] {
                network.remove(key);
            }
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(table) => table,
        _ => Map::new(),
    }
}
