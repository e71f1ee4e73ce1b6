//! How many seeds a second one core runs: five processes, 200 deliveries a run, every property
//! checked, blocks gathered as a sweep gathers them; the same with a crash drawn from each seed,
//! which takes a second run, without faults, to know where crashes can land.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ftsim::run;
use ftsim::scenario::Scenario;
use ftsim::{Catalogue, sweep};

const SEEDS: u64 = 2_000;
const DELIVERIES: u64 = 200;

const QUIET: &str = "protocol = \"eager-rb\"\nprocesses = 5\nworkload = { broadcasts = 2 }\n";
const CRASHES: &str = "[random]\nmax_faulty = 1\n\
                       crash = { count = \"0..1\", between = \"0ms..20ms\" }\n";

fn seeds(c: &mut Criterion) {
    let quiet = scenario(QUIET);
    let (outcome, _) = run::record(&quiet, 1).expect("ftsim does not fail");
    assert_eq!(outcome.statistics.delivered, DELIVERIES);
    let crashes = scenario(&format!("{QUIET}{CRASHES}"));
    let mut group = c.benchmark_group("seeds on one core");
    group.throughput(Throughput::Elements(SEEDS)).sample_size(10);
    for (name, scenario) in [("without faults", &quiet), ("with drawn crashes", &crashes)] {
        let sweep = || sweep::sweep(scenario, 0..SEEDS, 1, &|_| {}).expect("ftsim does not fail");
        group.bench_function(name, |b| b.iter(|| black_box(sweep()).digest()));
    }
    group.finish();
}

fn scenario(text: &str) -> Scenario {
    Scenario::parse("bench.toml", text, &Catalogue::builtin()).expect("a good scenario")
}

criterion_group!(benches, seeds);
criterion_main!(benches);
