//! What `check` accepts the other commands accept, and what they write `check` accepts: shipped
//! scenarios with a few things changed, drawn from a seed.
//!
//! `PROPTEST_CASES=40000 cargo test --test found accepted` tries 10,000 of them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::shipped;
use ftsim::run;
use ftsim::run::failure::failure;
use ftsim::run::necessity::needs;
use ftsim::run::repro;
use ftsim::scenario::Scenario;
use ftsim::scenario::crash_point::CrashPoint;
use ftsim::shrink::{Case, Effort, Target, shrink};
use ftsim::sweep::judge;
use ftsim::{Catalogue, sweep};
use ftsim_core::rng::{Rng, Stream};
use ftsim_reports::SeedRange;
use proptest::prelude::ProptestConfig;
use toml::{Table, Value};

#[test]
fn whatever_check_accepts_every_command_accepts() {
    // A quarter of what proptest would try; always the same ones.
    for seed in 0..u64::from(ProptestConfig::default().cases / 4) {
        let mut rng = Rng::new(seed, Stream::Faults);
        // Most changes make something that is no scenario.
        let text = (0..50).map(|_| changed(&mut rng)).find(|text| parse(text).is_ok());
        let Some(text) = text else { continue };
        if let Err(why) = accepted(&text, &mut rng) {
            panic!("case {seed}: {why}\n--- the scenario\n{text}");
        }
    }
}

/// Reads a scenario; or what is wrong with it, without the places.
pub fn parse(text: &str) -> Result<Scenario, String> {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    let catalogue = CATALOGUE.get_or_init(Catalogue::builtin);
    Scenario::parse("x.toml", text, catalogue).map_err(|diagnostics| {
        let messages: Vec<&str> = diagnostics.iter().map(|d| d.message.as_str()).collect();
        messages.join("; ")
    })
}

/// Whether every command takes the scenario, and `check` takes all that they write.
fn accepted(text: &str, rng: &mut Rng) -> Result<(), String> {
    let scenario = parse(text)?;
    let shown = |error: &dyn std::error::Error| error.to_string();
    let own = scenario.seeds.clone();
    let seeds = own.start..own.end.min(own.start + 2);
    let tally = sweep::sweep(&scenario, seeds.start..seeds.start + 1, 1, &|_| {});
    tally.map_err(|error| format!("sweep: {}", shown(&error)))?;
    for seed in seeds {
        let points = match scenario.crash_points {
            None => vec![None],
            Some(every) => {
                let all = run::crash_points(&scenario, seed, every).map_err(|e| shown(&e))?;
                rng.choose(&all).map(|(point, _)| Some(*point)).into_iter().collect()
            }
        };
        for point in points {
            run_accepted(&scenario, seed, point, rng)?;
        }
    }
    Ok(())
}

fn run_accepted(
    scenario: &Scenario,
    seed: u64,
    point: Option<CrashPoint>,
    rng: &mut Rng,
) -> Result<(), String> {
    let recorded = run::record_either(scenario, seed, point).map_err(|e| format!("run: {e}"))?;
    let written = repro::text(scenario, "a test", &recorded).map_err(|e| e.to_string())?;
    let of_repro = |why: String| format!("repro of seed {seed}: {why}\n{written}\n");
    let again = parse(&written).map_err(of_repro)?;
    let outcome = run::run(&again, seed).map_err(|e| of_repro(e.to_string()))?;
    if outcome.digest != recorded.0.digest {
        return Err(of_repro("another run".to_owned()));
    }
    as_expected(&again).map_err(of_repro)?;
    let Some(target) = Target::of(&recorded.0, &scenario.expect.violated) else { return Ok(()) };
    let property = target.name();
    let sought = failure(&recorded.0, property).ok_or("nothing to explain")?;
    needs(scenario, &recorded.0, &sought.id).map_err(|e| format!("explain: {e}"))?;
    // It is interrupted after so many runs, or before the first.
    let halt = AtomicBool::new(rng.below(3) == 0);
    let runs_max = rng.below(100);
    let stop = |runs: u64, _: &Case| {
        halt.fetch_or(runs >= runs_max, Ordering::Relaxed);
    };
    let effort = Effort { budget: Duration::from_secs(600), halt: &halt, progress: &stop };
    let shrunk = shrink(scenario, &recorded.0, &target, &effort);
    let shrunk = shrunk.map_err(|error| format!("shrink of seed {seed}: {error}"))?;
    let of_shrunk = |why: String| format!("shrunk from seed {seed}: {why}\n{}\n", shrunk.text);
    let small = parse(&shrunk.text).map_err(of_shrunk)?;
    as_expected(&small).map_err(of_shrunk)?;
    let outcome = run::run(&small, small.seeds.start).map_err(|e| of_shrunk(e.to_string()));
    match shrunk.target.is_shown_by(&outcome?) {
        true => Ok(()),
        false => Err(of_shrunk("it does not show the failure".to_owned())),
    }
}

/// Whether the only run of the scenario is as it expects.
fn as_expected(scenario: &Scenario) -> Result<(), String> {
    let seeds = scenario.seeds.clone();
    let tally = sweep::sweep(scenario, seeds.clone(), 1, &|_| {}).map_err(|e| e.to_string())?;
    let range = SeedRange::from(seeds.clone());
    let report = judge::report(scenario, range, &tally);
    let surprises: Vec<String> =
        report.surprises.iter().map(|s| format!("{} {}", s.subject, s.message)).collect();
    if surprises.is_empty() {
        Ok(())
    } else {
        Err(surprises.join("; ").chars().take(500).collect())
    }
}

/// A shipped scenario with some things changed. It stays small.
fn changed(rng: &mut Rng) -> String {
    static SHIPPED: OnceLock<Vec<Table>> = OnceLock::new();
    let shipped = SHIPPED.get_or_init(|| {
        let read = |path| std::fs::read_to_string(path).expect("a readable file");
        shipped::files().iter().map(|path| read(path).parse().expect("TOML")).collect()
    });
    let mut table = rng.choose(shipped).expect("a scenario").clone();
    // Most properties are those of the unchanged scenario, and not of interest here.
    table.remove("expect");
    for _ in 0..rng.between(1, 4) {
        match rng.below(4) {
            0 => change_one(&mut table, rng),
            1 => remove_one(&mut table, rng),
            2 => add_random(&mut table, rng),
            _ => add_section(&mut table, rng),
        }
    }
    let run = table.entry("run").or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(run) = run {
        run.insert("max_events".to_owned(), 3_000.into());
    }
    toml::to_string(&table).expect("a table is TOML")
}

const DURATIONS: [&str; 8] = ["0s", "1ns", "1ms", "7ms", "100ms", "200ms", "1s", "2s"];
const RANGES: [&str; 6] = ["0s..0s", "0ns..1ns", "0ms..9ms", "1ms..2ms", "0s..100ms", "0s..1s"];
const COUNTS: [i64; 6] = [0, 1, 2, 3, 5, 40];
const PROBABILITIES: [f64; 5] = [0.0, 1e-18, 0.1, 0.5, 1.0];
const PROCESSES: [&str; 5] = ["p0", "p1", "p2", "all", "any"];

fn pick<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    *rng.choose(of).expect("one of several")
}

/// Every place in the table that holds no further places.
fn leaves(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Table(table) => table.iter_mut().flat_map(|(_, value)| leaves(value)).collect(),
        Value::Array(list) => list.iter_mut().flat_map(leaves).collect(),
        leaf => vec![leaf],
    }
}

/// Puts another value in one place.
fn change_one(table: &mut Table, rng: &mut Rng) {
    let mut leaves: Vec<&mut Value> = table.iter_mut().flat_map(|(_, v)| leaves(v)).collect();
    let count = leaves.len() as u64;
    let index = usize::try_from(rng.below(count)).expect("few places");
    let leaf = &mut *leaves[index];
    *leaf = match &*leaf {
        Value::Integer(_) => pick(rng, &COUNTS).into(),
        Value::Float(_) => pick(rng, &PROBABILITIES).into(),
        Value::Boolean(b) => (!b).into(),
        Value::String(text) if text.contains("..") => pick(rng, &RANGES).into(),
        Value::String(text) if text.ends_with('s') && text.starts_with(char::is_numeric) => {
            pick(rng, &DURATIONS).into()
        }
        Value::String(text) if text.starts_with('p') && text.len() == 2 => {
            pick(rng, &PROCESSES).into()
        }
        other => other.clone(),
    };
}

/// Leaves out one key of a section, or an element of a list.
fn remove_one(table: &mut Table, rng: &mut Rng) {
    let keys: Vec<String> = table.keys().cloned().collect();
    let Some(key) = rng.choose(&keys) else { return };
    match &mut table[key.as_str()] {
        Value::Table(section) => {
            let keys: Vec<String> = section.keys().cloned().collect();
            rng.choose(&keys).and_then(|key| section.remove(key));
        }
        Value::Array(list) if !list.is_empty() => {
            drop(list.remove(usize::try_from(rng.below(list.len() as u64)).expect("few")));
        }
        _ => {}
    }
}

/// Has something drawn from each seed.
fn add_random(table: &mut Table, rng: &mut Rng) {
    let kinds = [
        "crash = { F }",
        "crash = { F, recover_after = R }",
        "exception = { F }",
        "start = { F }",
        "pause = { F, duration = R }",
        "byzantine = { F }",
        "byzantine = { F, behaviour = { collude = { with = [\"p0\", \"p1\"] } } }",
        "byzantine = { F, behaviour = \"mutate\" }",
        "state_corruption = { F }",
        "send_omission = { F, duration = R, probability = P }",
        "receive_omission = { F, duration = R }",
        "slow = { F, duration = R, factor = 3 }",
        "sync_fails = { F, duration = R }",
        "slow_sync = { F, duration = R, by = R }",
        "full = { F, duration = R }",
        "corrupt_record = { F }",
        "lose_disk = { F }",
        "rollback = { F, records = 1 }",
        "skew = { F, duration = R, by = R }",
        "drift = { F, duration = R, by = \"1ppm\" }",
        "jump = { F, by = R }",
        "freeze = { F, duration = R }",
        "partition = { F, duration = R, shape = \"halves\" }",
        "partition = { F, duration = R, shape = \"isolate\" }",
        "partition = { F, duration = R, shape = \"one-way\" }",
        "partition = { F, duration = R, shape = \"bridge\" }",
        "partition = { F, duration = R, shape = \"ring-of-majorities\" }",
        "loss = { F, duration = R, probability = P }",
        "duplicate = { F, duration = R, probability = P }",
        "delay = { F, duration = R, by = R }",
        "late = { F, duration = R, by = R }",
        "reorder = { F, duration = R, within = D }",
        "replay = { F, duration = R, probability = P }",
        "corrupt = { F, duration = R, probability = P }",
        "bandwidth = { F, duration = R, rate = \"10kB/s\" }",
        "clog = { F, duration = R }",
    ];
    let kind = filled(pick(rng, &kinds), rng);
    let kind: Table = kind.parse().expect("TOML");
    let random = table.entry("random").or_insert_with(|| Value::Table(Table::new()));
    let Value::Table(random) = random else { return };
    random.extend(kind);
    random.insert("max_faulty".to_owned(), pick(rng, &[1, 1, 2, 3]).into());
}

/// Adds a setting, a fault, or what becomes of a message.
fn add_section(table: &mut Table, rng: &mut Rng) {
    let sections = [
        "network = { delay = R }",
        "network = { delay = R, bound = D }",
        "network = { loss = P, duplicate = P }",
        "network = { corrupt = P }",
        "network = { order = \"fifo\" }",
        "network = { stabilise_at = D }",
        "network = { links = \"reliable-fifo\" }",
        "network = { bandwidth = \"10kB/s\" }",
        "network = { link = [{ from = \"p0\", to = \"p1\", delay = D }] }",
        "clocks = { offset = R, drift = \"-50ppm..50ppm\" }",
        "storage = { sync_latency = R, on_crash = \"keep-subset\" }",
        "liveness = { mode = \"heal-all\", at = D }",
        "liveness = { mode = \"core\", at = D }",
        "detector = { kind = \"perfect\", delay = R }",
        "detector = { kind = \"eventually-perfect\", mistakes_per_process = 2, \
         mistake_duration = R }",
        "detector = { kind = \"omega\", mistakes_per_process = 2, mistake_duration = R }",
        "run = { horizon = D }",
        "run = { horizon = D, stop_at_violation = true }",
        "run = { ties = \"drawn\" }",
        "run = { first_seed = 9223372036854775807, seeds = 1 }",
        "fault = [{ at = D, crash = Q }]",
        "fault = [{ at = D, pause = Q, resume_after = D }]",
        "fault = [{ at = D, loss = { probability = P } }]",
        "fault = [{ at = D, partition = { shape = \"halves\" }, duration = D }]",
        "fault = [{ after_effect = { process = \"p0\", nth = 2 }, crash = \"p0\" }]",
        "fault = [{ at = \"0s\", byzantine = \"p0\" }]",
        "message = [{ link = \"p0 -> p1\", drop = true }]",
        "message = [{ link = \"p0 -> p1\", delay = D, nth = 2 }]",
        "message = [{ link = \"p0 -> p1\", duplicate = D, corrupt = true }]",
        "mask = [{ process = \"p0\", request = 1 }]",
        "random = { crash_points = \"every\" }",
    ];
    let section = filled(pick(rng, &sections), rng);
    for (key, value) in section.parse::<Table>().expect("TOML") {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(known)), Value::Table(new)) => known.extend(new),
            (Some(Value::Array(known)), Value::Array(new)) => known.extend(new),
            (_, value) => drop(table.insert(key, value)),
        }
    }
}

/// A template with values in the place of its capitals.
fn filled(template: &str, rng: &mut Rng) -> String {
    let template = template.replace('F', "count = C, between = R");
    let mut text = String::new();
    let mut before = ' ';
    for c in template.chars() {
        let is_value = before == ' ' && "CRDPQ".contains(c);
        match (is_value, c) {
            (true, 'C') => text.push_str(&pick(rng, &COUNTS).to_string()),
            (true, 'R') => text.push_str(&format!("{:?}", pick(rng, &RANGES))),
            (true, 'D') => text.push_str(&format!("{:?}", pick(rng, &DURATIONS))),
            (true, 'P') => text.push_str(&format!("{:?}", pick(rng, &PROBABILITIES))),
            (true, _) => text.push_str(&format!("{:?}", pick(rng, &PROCESSES))),
            _ => text.push(c),
        }
        before = c;
    }
    text
}
