//! How fast ftsim is, beside bare loops that do the same without any of it: the floor.
//!
//! `cargo bench -p ftsim-benches --bench workloads` measures everything; a word after `--` measures
//! what has it in its name. What is not criterion's ends with a line of its own: least times of
//! several runs, the one taking turns with the other, so that a busy machine disturbs both alike.
//! `docs/performance.md` says what the workloads are and what came of them.

#[expect(dead_code, reason = "another bench needs the rest of it")]
mod load;

use std::fs::{self, File};
use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ftsim::Catalogue;
use ftsim::scenario::Scenario;
use load::{LOADS, ring};

/// Rounds of which the fastest counts.
const ROUNDS: usize = 9;

/// The time in nanoseconds that a call takes for each of what it counts.
#[expect(clippy::disallowed_types, reason = "a bench measures wall-clock time")]
fn cost(work: impl FnOnce() -> u64) -> f64 {
    let start = std::time::Instant::now();
    let count = work();
    start.elapsed().as_secs_f64() * 1e9 / count as f64
}

/// The least costs of two that take turns.
fn least(mut one: impl FnMut() -> u64, mut other: impl FnMut() -> u64) -> (f64, f64) {
    let rounds = (0..ROUNDS).map(|_| (cost(&mut one), cost(&mut other)));
    rounds.fold((f64::MAX, f64::MAX), |least, now| (least.0.min(now.0), least.1.min(now.1)))
}

/// W1 to W4 against their floors.
fn against_the_floor(c: &mut Criterion) {
    for load in &LOADS {
        let mut runner = load.prepare(load.deliveries);
        let mut group = c.benchmark_group(load.name);
        group.throughput(Throughput::Elements(load.deliveries)).sample_size(10);
        group.bench_function("ftsim", |b| b.iter(|| black_box(load.run(&mut runner))));
        group.bench_function("bare", |b| b.iter(|| black_box(load.run_bare(load.deliveries))));
        group.finish();
    }
    println!("{:34} {:>12} {:>12} {:>7}", "ns for each delivery", "ftsim", "bare", "ratio");
    for load in &LOADS {
        let deliveries = load.deliveries / 4;
        let mut runner = load.prepare(deliveries);
        let (ours, floor) = least(|| load.run(&mut runner).0, || load.run_bare(deliveries));
        let name = format!("{} {}", load.name, load.summary);
        println!("{name:34} {ours:12.1} {floor:12.1} {:7.2}", floor / ours);
    }
}

/// W1 to W4 with a record that is written to a file, beside the same without one; and W1 with a
/// trace that stays in memory.
fn recorder(c: &mut Criterion) {
    const DELIVERIES: u64 = 200_000;
    let mut runner = ring::simulation(64, DELIVERIES);
    let mut group = c.benchmark_group("recorder");
    group.throughput(Throughput::Elements(DELIVERIES)).sample_size(10);
    group.bench_function("off", |b| b.iter(|| black_box(runner.run(1)).digest));
    group.bench_function("in-memory", |b| b.iter(|| black_box(runner.record(1)).0.digest));
    group.finish();
    println!("{:34} {:>12} {:>12} {:>7}", "recorder, ns for each delivery", "on", "off", "ratio");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recorder");
    for load in &LOADS {
        let deliveries = load.deliveries;
        let (mut on, mut off) = (load.prepare(deliveries), load.prepare(deliveries));
        let record = || {
            let mut file = File::create(&path).expect("the file can be made");
            load.record(&mut on, &mut file)
        };
        let (on, off) = least(record, || load.run(&mut off).0);
        let size = fs::metadata(&path).expect("the file is there").len() as f64 / deliveries as f64;
        let name = format!("{} {}", load.name, load.summary);
        println!("{name:34} {on:12.1} {off:12.1} {:7.2}  {size:.1} bytes each", on / off);
    }
}

/// The first scenario of each protocol in which it is itself and keeps its promises.
fn standard_scenarios() -> Vec<Scenario> {
    let catalogue = Catalogue::builtin();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let entries = fs::read_dir(folder).expect("the scenarios are there");
    let mut paths: Vec<_> = entries.map(|e| e.expect("a readable entry").path()).collect();
    paths.sort();
    let scenarios: Vec<Scenario> = paths
        .iter()
        .filter_map(|path| {
            let text = fs::read_to_string(path).ok()?;
            Scenario::parse(&path.file_stem()?.to_string_lossy(), &text, &catalogue).ok()
        })
        .filter(|s| s.experiment.setting.mutant.is_none() && s.expect.violated.is_empty())
        .collect();
    let first = |name| scenarios.iter().position(|s| s.entry.name == name);
    let firsts: Vec<_> = catalogue.entries().iter().filter_map(|e| first(e.name)).collect();
    let scenarios = scenarios.into_iter().enumerate().filter(|(i, _)| firsts.contains(i));
    scenarios.map(|(_, scenario)| scenario).collect()
}

/// How many seeds a second each protocol does.
fn protocols(c: &mut Criterion) {
    let mut group = c.benchmark_group("seeds");
    group.throughput(Throughput::Elements(1)).sample_size(10);
    for scenario in standard_scenarios() {
        let mut runner = scenario.prepare().expect("the scenario is valid");
        let mut seed = 0;
        group.bench_function(&scenario.path, |b| {
            b.iter(|| {
                seed += 1;
                black_box(runner.run(seed)).digest
            });
        });
    }
    group.finish();
}

/// `ftsim run` of one scenario with one seed, from start to exit. The program is that of the last
/// `cargo build --release`.
fn start_up(c: &mut Criterion) {
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/eager-rb-crashes.toml");
    let bench = std::env::current_exe().expect("the bench is a file");
    let built = bench.ancestors().nth(2).expect("it is in target/release/deps").join("ftsim");
    if !built.exists() {
        println!("start-up: {} is not built", built.display());
        return;
    }
    c.bench_function("start-up", |b| {
        b.iter(|| {
            let mut program = Command::new(&built);
            let output = program.args(["run", scenario, "--seed", "1"]).output();
            assert!(output.expect("the program runs").status.success());
        });
    });
}

criterion_group!(benches, against_the_floor, recorder, protocols, start_up);
criterion_main!(benches);
