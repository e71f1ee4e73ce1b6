//! What becomes of the cost of a delivery with more processes, more messages under way, and longer
//! runs: `cargo bench -p ftsim-benches --bench growth`.

#[expect(dead_code, reason = "another bench needs the rest of it")]
mod load;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use load::{broadcast, ring};

/// More processes: best-effort broadcast from one of them.
fn processes(c: &mut Criterion) {
    const DELIVERIES: u64 = 500_000;
    let mut group = c.benchmark_group("beb");
    group.throughput(Throughput::Elements(DELIVERIES)).sample_size(10);
    for n in [10, 100, 1_000, 10_000] {
        let mut runner = broadcast::beb(n, DELIVERIES);
        group.bench_function(BenchmarkId::new("processes", n), |b| {
            b.iter(|| black_box(runner.run(1)).digest);
        });
    }
    group.finish();
}

/// More messages under way: more tokens in the ring.
fn pending(c: &mut Criterion) {
    let mut group = c.benchmark_group("pending");
    group.sample_size(10);
    for tokens in [64, 1_000, 10_000, 100_000, 1_000_000] {
        // Each token is first asked for.
        let deliveries = 1_000_000.max(10 * tokens);
        group.throughput(Throughput::Elements(deliveries));
        let mut runner = ring::simulation(tokens, deliveries);
        group.bench_function(BenchmarkId::new("ftsim", tokens), |b| {
            b.iter(|| black_box(runner.run(1)).digest);
        });
        group.bench_function(BenchmarkId::new("bare", tokens), |b| {
            b.iter(|| black_box(ring::bare(tokens, 1, deliveries)));
        });
    }
    group.finish();
}

/// Longer runs of W1.
fn length(c: &mut Criterion) {
    let mut group = c.benchmark_group("length");
    group.sample_size(10);
    for deliveries in [100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000] {
        let mut runner = ring::simulation(64, deliveries);
        group.throughput(Throughput::Elements(deliveries));
        group.bench_function(BenchmarkId::new("deliveries", deliveries), |b| {
            b.iter(|| black_box(runner.run(1)).digest);
        });
    }
    group.finish();
}

criterion_group!(benches, processes, pending, length);
criterion_main!(benches);
