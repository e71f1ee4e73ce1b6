//! W2: eager reliable broadcast among 7 processes, each of which originates a message every 7 ms;
//! and best-effort broadcast from one process to many.

use ftsim_core::{Experiment, Instant, Limits, Runner, Setting};
use ftsim_protocols::Catalogue;
use serde_json::{Value, json};

use super::bare::{self, Effect, Handler};

const PROCESSES: u32 = 7;
const PERIOD_MS: u64 = 7;

/// W2 on ftsim: the protocol of the catalogue, until all of its broadcasts are delivered.
pub fn eager_rb(deliveries: u64) -> Runner {
    let n = u64::from(PROCESSES);
    // A broadcast takes n (n - 1) messages, and everybody broadcasts as often.
    let broadcasts = deliveries.div_ceil(n * (n - 1) * n);
    let every = format!("{PERIOD_MS}ms");
    runner("eager-rb", PROCESSES, &json!({ "broadcasts": broadcasts, "every": every }))
}

/// Best-effort broadcasts from one process to `n - 1` others, with about so many deliveries.
pub fn beb(n: u32, deliveries: u64) -> Runner {
    let broadcasts = deliveries.div_ceil(u64::from(n) - 1);
    let workload = json!({ "senders": ["p0"], "broadcasts": broadcasts, "every": "10ms" });
    runner("beb", n, &workload)
}

fn runner(protocol: &str, n: u32, workload: &Value) -> Runner {
    let mut experiment = Experiment::new(Setting::of(n));
    experiment.limits =
        Limits { horizon: Instant::MAX, event_count_max: u64::MAX, ..Limits::default() };
    let catalogue = Catalogue::builtin();
    let entry = catalogue.get(protocol).expect("the catalogue has it");
    entry.prepare(experiment, &json!({}), workload).expect("the setting is valid")
}

/// W2 as a bare loop. It keeps a set of what was delivered, as the algorithm does.
#[expect(clippy::disallowed_types, reason = "the floor takes the fastest set there is in std")]
pub fn bare(seed: u64, deliveries: u64) -> u64 {
    use std::collections::HashSet;
    #[derive(Clone, Copy)]
    enum Event {
        Data { sender: usize, number: u64 },
        Originate { number: u64 },
    }
    struct Station {
        me: usize,
        n: usize,
        delivered: HashSet<(usize, u64)>,
    }
    impl Station {
        fn send_to_others(&self, event: Event, out: &mut Vec<Effect<Event>>) {
            let others = (0..self.n).filter(|p| *p != self.me);
            out.extend(others.map(|p| Effect::Send(p, event)));
        }
    }
    impl Handler<Event> for Station {
        fn handle(&mut self, _: usize, event: Event, out: &mut Vec<Effect<Event>>) {
            match event {
                Event::Originate { number } => {
                    self.delivered.insert((self.me, number));
                    self.send_to_others(Event::Data { sender: self.me, number }, out);
                    let next = Event::Originate { number: number + 1 };
                    out.push(Effect::After(PERIOD_MS * 1_000_000, next));
                }
                Event::Data { sender, number } => {
                    if self.delivered.insert((sender, number)) {
                        self.send_to_others(event, out);
                    }
                }
            }
        }
    }
    let n = PROCESSES as usize;
    let station =
        |me| -> Box<dyn Handler<Event>> { Box::new(Station { me, n, delivered: HashSet::new() }) };
    let starts = (0..n).map(|p| (p, Event::Originate { number: 0 }));
    bare::run((0..n).map(station).collect(), starts, seed, deliveries)
}
