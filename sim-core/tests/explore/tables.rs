//! Little protocols that are tables: for each state and input, a next state and effects.

use ftsim_core::digest::Digest;
use ftsim_core::environment::detector::DetectorKind;
use ftsim_core::environment::network::Order;
use ftsim_core::explore::{Budget, Frontier, Time};
use ftsim_core::{
    Ask, Bound, Cx, Duration, End, Experiment, Invalid, Model, Observation, Observed, Process,
    ProcessId, Property, PropertyEntry, PropertyId, Protocol, Runner, Setting, Spec, Stored,
    Violation, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Act {
    Send(u32, u8),
    /// Of two: the second is due later.
    SetTimer(u8),
    CancelTimer(u8),
    Record(u8),
    /// Draws, and sends a message or says something.
    Toss,
    Sync,
    Say,
    /// Says nothing at the end.
    Hush,
}

/// What a process does with an input in a state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    pub next: u8,
    pub acts: Vec<Act>,
}

pub const STATE_COUNT: usize = 3;
/// Two kinds of message, a timer, a request, a suspicion, and the start.
pub const INPUT_COUNT: usize = 6;
const TIMER: u8 = 2;
const REQUEST: u8 = 3;
const SUSPICION: u8 = 4;
const START: u8 = 5;

/// A protocol: a cell for each state and input.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Table {
    pub cells: Vec<Cell>,
    /// How many messages each process sends at most.
    pub fuel: u8,
    /// Requests: to whom, one after the other.
    pub requests: Vec<u32>,
    /// Whether clients draw between the first two processes.
    pub is_drawn: bool,
}

/// What a process is in now.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct InState(pub u8);

pub struct Quiet;

/// The sequence of what each process has said, whatever happened elsewhere meanwhile.
#[derive(Clone, Debug, Default, Hash)]
pub struct Sayings {
    by_process: Vec<Sequence>,
    count: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sequence(Digest);

impl std::hash::Hash for Sequence {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.value().hash(state);
    }
}

impl Property<Quiet> for Sayings {
    fn observe(&mut self, event: &Observed<'_, Quiet>) -> Result<(), Violation> {
        let p = event.process.index();
        if self.by_process.len() <= p {
            self.by_process.resize(p + 1, Sequence::default());
        }
        let said = match event.what {
            Observation::Indication(InState(state)) => u64::from(*state),
            Observation::Crash => 100,
            Observation::Recover => 101,
            _ => return Ok(()),
        };
        self.count += 1;
        self.by_process[p].0.mix(said);
        Ok(())
    }
    fn exercised(&self) -> u64 {
        self.count
    }
    #[expect(clippy::cast_precision_loss, reason = "32 bits fit")]
    fn measured(&self, _: &End<'_>) -> Option<f64> {
        let mut all = Digest::EMPTY;
        self.by_process.iter().for_each(|one| all.mix(one.0.value()));
        Some((all.value() >> 32) as f64)
    }
}

impl Spec for Quiet {
    const NAME: &'static str = "quiet";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(PropertyId("test.sayings"), "anything", |_| {
            Box::new(Sayings::default())
        })
        .in_any_order(),
        crate::lineage::ORDER,
    ];
    type Request = u8;
    type Indication = InState;
    type WorkloadSettings = Table;
    type Workload = Clients;
    fn workload(table: &Table, _: &Setting) -> Result<Clients, Invalid> {
        Ok(Clients { asks: table.requests.clone(), is_drawn: table.is_drawn })
    }
}

#[derive(Clone, Debug, Hash)]
pub struct Clients {
    asks: Vec<u32>,
    is_drawn: bool,
}

impl Workload<Quiet> for Clients {
    fn on_start(&mut self, ask: &mut Ask<'_, Quiet>) {
        for p in &self.asks {
            let other = if self.is_drawn { ask.rng().below(2) } else { 0 };
            let p = p ^ u32::try_from(other).unwrap_or(0);
            ask.request(ProcessId(p), Duration::ZERO, 0);
        }
    }
}

#[derive(Clone, Debug)]
pub struct Machine {
    table: std::sync::Arc<Table>,
    state: u8,
    fuel: u8,
}

impl std::hash::Hash for Machine {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.state, self.fuel).hash(state);
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    A,
    B,
}

impl Process for Machine {
    type Spec = Quiet;
    type Msg = Msg;
    type Timer = u8;
    type Record = u8;
    fn on_start(&mut self, cx: &mut Cx<Self>) {
        self.step(START, cx);
    }
    fn on_recover(&mut self, log: &[Stored<u8>], cx: &mut Cx<Self>) {
        self.state = log.last().and_then(|record| record.intact().copied()).unwrap_or(0);
        cx.indicate(InState(10 + self.state));
    }
    fn on_request(&mut self, _: u8, cx: &mut Cx<Self>) {
        self.step(REQUEST, cx);
    }
    fn on_message(&mut self, _: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        self.step(u8::from(msg == Msg::B), cx);
    }
    fn on_timer(&mut self, _: u8, cx: &mut Cx<Self>) {
        self.step(TIMER, cx);
    }
    fn on_suspect(&mut self, _: ProcessId, cx: &mut Cx<Self>) {
        self.step(SUSPICION, cx);
    }
    fn on_trust(&mut self, _: ProcessId, cx: &mut Cx<Self>) {
        cx.indicate(InState(20 + self.state));
    }
}

impl Machine {
    fn step(&mut self, input: u8, cx: &mut Cx<Self>) {
        let table = std::sync::Arc::clone(&self.table);
        let at = usize::from(self.state) * INPUT_COUNT + usize::from(input);
        let Some(cell) = table.cells.get(at) else { return };
        self.state = cell.next;
        for act in &cell.acts {
            match *act {
                Act::Send(to, kind) if self.fuel > 0 => {
                    self.fuel -= 1;
                    let msg = if kind == 0 { Msg::A } else { Msg::B };
                    cx.send(ProcessId((cx.me().0 + to) % cx.n()), msg);
                }
                Act::SetTimer(timer) if self.fuel > 0 => {
                    self.fuel -= 1;
                    cx.set_timer(Duration::from_millis(10 + 5 * u64::from(timer)), timer);
                }
                Act::CancelTimer(timer) => cx.cancel_timer(timer),
                Act::Record(record) => cx.append(record % 3),
                Act::Sync => cx.sync(),
                Act::Toss if self.fuel > 0 => match cx.rng().below(3) {
                    0 => {
                        self.fuel -= 1;
                        cx.send(ProcessId((cx.me().0 + 1) % cx.n()), Msg::A);
                    }
                    1 => cx.indicate(InState(30)),
                    _ => {}
                },
                Act::Say => cx.indicate(InState(self.state)),
                Act::Send(..) | Act::SetTimer(_) | Act::Toss | Act::Hush => {}
            }
        }
        if !cell.acts.contains(&Act::Hush) {
            cx.indicate(InState(self.state));
        }
    }
}

impl Protocol for Machine {
    const NAME: &'static str = "machine";
    const SUMMARY: &'static str = "does what its table says";
    const SOURCE: &'static str = "none";
    type Params = Table;
    fn model(_: &Table, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::MINORITY)
    }
    fn new(table: &Table, _: &Setting, _: ProcessId) -> Self {
        Self { table: std::sync::Arc::new(table.clone()), state: 0, fuel: table.fuel }
    }
}

/// What can be chosen in runs of a table among `n` processes.
pub fn frontier(
    n: u32,
    table: &Table,
    time: Time,
    budget: Budget,
    change: impl FnOnce(&mut Experiment),
) -> Frontier {
    let mut experiment = Experiment::new(Setting::of(n));
    experiment.detector.kind = DetectorKind::Perfect;
    change(&mut experiment);
    let runner = Runner::new::<Machine>(time.strip(&experiment), table.clone(), table);
    Frontier::new(runner.expect("a table is valid"), time, budget).telling_draws()
}

/// Links that keep order.
pub fn fifo(experiment: &mut Experiment) {
    experiment.network.default.order = Order::Fifo;
}
