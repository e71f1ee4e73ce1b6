//! W3: 9 processes send a heartbeat to all others every 10 ms, and each receipt re-arms a timer of
//! 50 ms for its sender. Nobody fails, so that no timer but the senders' own ever runs out.

use ftsim_core::{
    Ask, Bound, Cx, Duration, Experiment, Instant, Invalid, Limits, Model, Never, Observation,
    Observed, Process, ProcessId, Property, PropertyEntry, PropertyId, Protocol, Runner, Setting,
    Spec, Violation, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bare::{self, Effect, Handler};

const PROCESSES: u32 = 9;
const PERIOD: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_millis(50);

/// W3 on ftsim: ends after so many deliveries, or a few more.
pub fn simulation(deliveries: u64) -> Runner {
    let mut experiment = Experiment::new(Setting::of(PROCESSES));
    let n = u64::from(PROCESSES);
    // Every process starts, and beats once for each n - 1 deliveries.
    let event_count_max = n + deliveries + deliveries.div_ceil(n - 1);
    experiment.limits = Limits { horizon: Instant::MAX, event_count_max, ..Limits::default() };
    let simulation = Runner::new::<Watcher>(experiment, Nothing {}, &Nothing {});
    simulation.expect("the setting is valid")
}

/// W3 as a bare loop: a timer that is re-armed is pushed anew, and the old one turns out stale.
pub fn bare(seed: u64, deliveries: u64) -> u64 {
    #[derive(Clone, Copy)]
    enum Event {
        Heartbeat,
        Beat,
        Silence { peer: usize, armed: u64 },
    }
    struct Station {
        me: usize,
        n: usize,
        armed: Vec<u64>,
        suspicions: u64,
    }
    impl Handler<Event> for Station {
        fn handle(&mut self, from: usize, event: Event, out: &mut Vec<Effect<Event>>) {
            match event {
                Event::Heartbeat => {
                    self.armed[from] += 1;
                    let silence = Event::Silence { peer: from, armed: self.armed[from] };
                    out.push(Effect::After(PATIENCE.as_nanos(), silence));
                }
                Event::Beat => {
                    let others = (0..self.n).filter(|p| *p != self.me);
                    out.extend(others.map(|p| Effect::Send(p, Event::Heartbeat)));
                    out.push(Effect::After(PERIOD.as_nanos(), Event::Beat));
                }
                Event::Silence { peer, armed } => {
                    self.suspicions += u64::from(self.armed[peer] == armed);
                }
            }
        }
    }
    let n = PROCESSES as usize;
    let station = |me| -> Box<dyn Handler<Event>> {
        Box::new(Station { me, n, armed: vec![0; n], suspicions: 0 })
    };
    let starts = (0..n).map(|p| (p, Event::Beat));
    bare::run((0..n).map(station).collect(), starts, seed, deliveries)
}

/// The problem: to say who has gone silent.
pub struct Watch;

/// No settings.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Nothing {}

/// Nobody asks for anything.
#[derive(Clone, Debug, Hash)]
pub struct Nobody;

impl Workload<Watch> for Nobody {
    fn on_start(&mut self, _: &mut Ask<'_, Watch>) {}
}

/// Nobody who is up is suspected.
#[derive(Clone, Debug, Default, Hash)]
struct Accuracy {
    suspicions: u64,
}

impl Property<Watch> for Accuracy {
    fn observe(&mut self, event: &Observed<'_, Watch>) -> Result<(), Violation> {
        let Observation::Indication(silent) = event.what else { return Ok(()) };
        self.suspicions += 1;
        Err(Violation::by([event.process], format!("{} suspected {silent}", event.process)))
    }
    fn exercised(&self) -> u64 {
        self.suspicions
    }
}

impl Spec for Watch {
    const NAME: &'static str = "watch";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[PropertyEntry::safety(
        PropertyId("watch.accuracy"),
        "nobody who is up is suspected",
        |_| Box::new(Accuracy::default()),
    )];
    type Request = Never;
    type Indication = ProcessId;
    type WorkloadSettings = Nothing;
    type Workload = Nobody;
    fn workload(_: &Nothing, _: &Setting) -> Result<Nobody, Invalid> {
        Ok(Nobody)
    }
}

/// One process that sends heartbeats and waits for those of others.
#[derive(Clone, Debug, Hash)]
pub struct Watcher;

/// I am alive.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    Heartbeat,
}

/// The timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    Beat,
    Silence(ProcessId),
}

impl Process for Watcher {
    type Spec = Watch;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;
    fn on_start(&mut self, cx: &mut Cx<Self>) {
        cx.set_timer(Duration::ZERO, Timer::Beat);
    }
    fn on_request(&mut self, never: Never, _: &mut Cx<Self>) {
        match never {}
    }
    fn on_message(&mut self, from: ProcessId, Msg::Heartbeat: Msg, cx: &mut Cx<Self>) {
        cx.set_timer(PATIENCE, Timer::Silence(from));
    }
    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match timer {
            Timer::Beat => {
                cx.send_to_others(Msg::Heartbeat);
                cx.set_timer(PERIOD, Timer::Beat);
            }
            Timer::Silence(p) => cx.indicate(p),
        }
    }
}

impl Protocol for Watcher {
    const NAME: &'static str = "watcher";
    const SUMMARY: &'static str = "heartbeats to all, one timer for each";
    const SOURCE: &'static str = "none";
    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::SYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE)
    }
    type Params = Nothing;
    fn new(_: &Nothing, _: &Setting, _: ProcessId) -> Self {
        Self
    }
}
