//! Deliveries a second on a ring of 5 processes with 64 tokens, digest and checker on, beside a
//! bare `BinaryHeap` loop that does the same without any of it: the floor.
//!
//! `cargo bench --bench token_ring` prints both and the ratio.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ftsim_core::rng::{Rng, Stream};
use ftsim_core::{
    Ask, Cx, DetectorClass, Duration, Experiment, FaultClass, Invalid, Kind, Limits, Links, Model,
    Never, Observed, Process, ProcessId, Property, PropertyEntry, PropertyId, Protocol, Setting,
    Simulation, Spec, Standing, Timing, Violation, What, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const PROCESSES: u32 = 5;
const TOKENS: u64 = 64;
const DELIVERIES: u64 = 2_000_000;

/// The problem: tokens go round, and each keeps count of its hops.
struct Circulation;

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
struct Nothing {}

/// Puts all tokens to p0.
#[derive(Clone, Debug, Hash)]
struct Starter;

impl Workload<Circulation> for Starter {
    fn on_start(&mut self, ask: &mut Ask<'_, Circulation>) {
        (0..TOKENS).for_each(|_| ask.request(ProcessId(0), Duration::ZERO, 0));
    }
}

/// Counts the tokens put in: stands for a property that is there and has nothing to object.
#[derive(Clone, Debug, Default, Hash)]
struct Counted(u64);

impl Property<Circulation> for Counted {
    fn observe(&mut self, event: &Observed<'_, Circulation>) -> Result<(), Violation> {
        self.0 += u64::from(matches!(event.what, What::Request(_)));
        Ok(())
    }
    fn exercised(&self) -> u64 {
        self.0
    }
}

impl Spec for Circulation {
    const NAME: &'static str = "circulation";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[PropertyEntry {
        id: PropertyId("ring.counted"),
        kind: Kind::Safety,
        standing: Standing::Core,
        text: "tokens are counted",
        checker: |_| Box::new(Counted::default()),
    }];
    type Request = u64;
    type Indication = u64;
    type WorkloadSettings = Nothing;
    type Workload = Starter;
    fn workload(_: &Nothing, _: &Setting) -> Result<Starter, Invalid> {
        Ok(Starter)
    }
}

/// A process of the ring.
#[derive(Clone, Debug, Hash)]
struct Ring {
    next: ProcessId,
    seen: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Msg {
    Token(u64),
}

impl Process for Ring {
    type Spec = Circulation;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;
    fn on_request(&mut self, hops: u64, cx: &mut Cx<Self>) {
        cx.send(self.next, Msg::Token(hops));
    }
    fn on_message(&mut self, _: ProcessId, Msg::Token(hops): Msg, cx: &mut Cx<Self>) {
        self.seen += 1;
        cx.send(self.next, Msg::Token(hops + 1));
    }
}

impl Protocol for Ring {
    const NAME: &'static str = "ring";
    const SUMMARY: &'static str = "tokens go round";
    const MODEL: Model = Model {
        timing: Timing::Asynchronous,
        faults: FaultClass::None,
        bound: "f = 0",
        links: Links::Reliable,
        detector: DetectorClass::None,
        literature: "none",
    };
    type Params = Nothing;
    fn new(_: &Nothing, setting: &Setting, me: ProcessId) -> Self {
        Self { next: ProcessId((me.0 + 1) % setting.n), seen: 0 }
    }
}

fn simulation() -> Simulation<Ring> {
    let mut experiment = Experiment::new(Setting::of(PROCESSES));
    experiment.limits = Limits {
        horizon: ftsim_core::Instant::MAX,
        event_count_max: DELIVERIES,
        ..Limits::default()
    };
    Simulation::new(experiment, Nothing {}, &Nothing {}).expect("the setting is valid")
}

/// The same work with nothing around it: a heap of boxed messages and a random delay each.
fn bare_loop(seed: u64) -> u64 {
    let mut rng = Rng::new(seed, Stream::Network);
    let mut heap = BinaryHeap::new();
    let mut seen = [0u64; PROCESSES as usize];
    let delay = |rng: &mut Rng| rng.between(1_000_000, 10_000_000);
    for sequence in 0..TOKENS {
        heap.push(Reverse((delay(&mut rng), sequence, 1u32, 0u64)));
    }
    let mut sequence = TOKENS;
    for _ in 0..DELIVERIES {
        let Some(Reverse((now, _, to, hops))) = heap.pop() else { break };
        seen[to as usize] += 1;
        sequence += 1;
        let at = now + delay(&mut rng);
        heap.push(Reverse((at, sequence, (to + 1) % PROCESSES, hops + 1)));
    }
    seen.iter().sum()
}

#[expect(clippy::disallowed_types, reason = "a bench measures wall-clock time")]
fn per_second(mut work: impl FnMut()) -> f64 {
    let best = (0..5).map(|_| {
        let start = std::time::Instant::now();
        work();
        start.elapsed()
    });
    let best = best.min().expect("five runs");
    DELIVERIES as f64 / best.as_secs_f64()
}

fn token_ring(c: &mut Criterion) {
    let mut simulation = simulation();
    let mut group = c.benchmark_group("token ring");
    group.throughput(Throughput::Elements(DELIVERIES)).sample_size(10);
    group.bench_function("ftsim", |b| b.iter(|| black_box(simulation.run(1)).digest));
    group.bench_function("bare heap", |b| b.iter(|| black_box(bare_loop(1))));
    group.finish();
    let floor = per_second(|| _ = black_box(bare_loop(1)));
    let ours = per_second(|| _ = black_box(simulation.run(1)));
    println!(
        "token ring: {:.1} million deliveries a second; bare heap: {:.1} million; ratio {:.2}",
        ours / 1e6,
        floor / 1e6,
        ours / floor
    );
}

criterion_group!(benches, token_ring);
criterion_main!(benches);
