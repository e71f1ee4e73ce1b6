//! W1 and W4: tokens go round a ring of 5 processes, and each keeps count of its hops.

use ftsim_core::{
    Ask, Cx, Duration, Experiment, Instant, Invalid, Limits, Model, Never, Observation, Observed,
    Process, ProcessId, Property, PropertyEntry, PropertyId, Protocol, Runner, Setting, Spec,
    Violation, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bare::{self, Effect, Handler};

const PROCESSES: u32 = 5;

/// W1 or W4 on ftsim: ends after exactly so many deliveries.
pub fn simulation(tokens: u64, deliveries: u64) -> Runner {
    let mut experiment = Experiment::new(Setting::of(PROCESSES));
    // Every process starts, and every token is asked for.
    let others = u64::from(PROCESSES) + tokens;
    experiment.limits =
        Limits { horizon: Instant::MAX, event_count_max: deliveries + others, ..Limits::default() };
    let simulation = Runner::new::<Ring>(experiment, Nothing {}, &Tokens { tokens });
    simulation.expect("the setting is valid")
}

/// W1 or W4 as a bare loop.
pub fn bare(tokens: u64, seed: u64, deliveries: u64) -> u64 {
    struct Station {
        next: usize,
        seen: u64,
    }
    impl Handler<u64> for Station {
        fn handle(&mut self, _: usize, hops: u64, out: &mut Vec<Effect<u64>>) {
            self.seen += 1;
            out.push(Effect::Send(self.next, hops + 1));
        }
    }
    let n = PROCESSES as usize;
    let station = |p| -> Box<dyn Handler<u64>> { Box::new(Station { next: (p + 1) % n, seen: 0 }) };
    bare::run((0..n).map(station).collect(), (0..tokens).map(|_| (0, 0)), seed, deliveries)
}

/// The problem.
pub struct Circulation;

/// No settings.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Nothing {}

/// How many tokens there are.
#[derive(Clone, Debug, Default, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Tokens {
    tokens: u64,
}

impl Workload<Circulation> for Tokens {
    fn on_start(&mut self, ask: &mut Ask<'_, Circulation>) {
        (0..self.tokens).for_each(|_| ask.request(ProcessId(0), Duration::ZERO, 0));
    }
}

/// Counts the tokens put in: stands for a property that is there and has nothing to object.
#[derive(Clone, Debug, Default, Hash)]
struct Counted(u64);

impl Property<Circulation> for Counted {
    fn observe(&mut self, event: &Observed<'_, Circulation>) -> Result<(), Violation> {
        self.0 += u64::from(matches!(event.what, Observation::Request(_)));
        Ok(())
    }
    fn exercised(&self) -> u64 {
        self.0
    }
}

impl Spec for Circulation {
    const NAME: &'static str = "circulation";
    const PROPERTIES: &'static [PropertyEntry<Self>] =
        &[PropertyEntry::safety(PropertyId("ring.counted"), "tokens are counted", |_| {
            Box::new(Counted::default())
        })];
    type Request = u64;
    type Indication = u64;
    type WorkloadSettings = Tokens;
    type Workload = Tokens;
    fn workload(tokens: &Tokens, _: &Setting) -> Result<Tokens, Invalid> {
        Ok(tokens.clone())
    }
}

/// A process of the ring.
#[derive(Clone, Debug, Hash)]
pub struct Ring {
    next: ProcessId,
    seen: u64,
}

/// A token, with the number of its hops.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
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
    const SOURCE: &'static str = "none";
    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS
    }
    type Params = Nothing;
    fn new(_: &Nothing, setting: &Setting, me: ProcessId) -> Self {
        Self { next: ProcessId((me.0 + 1) % setting.n), seen: 0 }
    }
}
