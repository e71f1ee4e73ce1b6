use ftsim_core::prelude::*;

use ftsim_core::bench::{Bench, STEP};
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_protocols::parts::rounds::Rounds;
use ftsim_spec::detector::{FailureDetector, Indication};

const ROUND_COUNT: u32 = 3;

/// A process that sends a message to all others in each round, and announces at its end the
/// round and the messages received in it.
#[derive(Clone, Debug, Hash)]
struct Counter {
    rounds: Rounds,
    received: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Msg {
    Hello,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
enum Timer {
    RoundEnd,
}

impl Process for Counter {
    type Spec = FailureDetector;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        cx.send_to_others(Msg::Hello);
        self.rounds.begin_next(Timer::RoundEnd, cx);
    }

    fn on_request(&mut self, request: Never, _: &mut Cx<Self>) {
        match request {}
    }

    fn on_message(&mut self, _: ProcessId, Msg::Hello: Msg, _: &mut Cx<Self>) {
        self.received += 1;
    }

    fn on_timer(&mut self, Timer::RoundEnd: Timer, cx: &mut Cx<Self>) {
        let round = self.rounds.current();
        cx.indicate(Indication::ErrsAtMost(100 * u64::from(round) + self.received));
        self.received = 0;
        if round < ROUND_COUNT {
            cx.send_to_others(Msg::Hello);
            self.rounds.begin_next(Timer::RoundEnd, cx);
        }
    }
}

impl Protocol for Counter {
    const NAME: &'static str = "counter";
    const SUMMARY: &'static str = "counts the messages of each round";
    const SOURCE: &'static str = "a test";

    type Params = NoParams;

    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::SYNCHRONOUS
    }

    fn new(_: &NoParams, setting: &Setting, _: ProcessId) -> Self {
        Self { rounds: Rounds::new(0, setting.delay_bound), received: 0 }
    }
}

#[test]
fn every_message_arrives_in_the_round_in_which_it_was_sent() {
    let run = Bench::of::<Counter>(3).lockstep().run(1);
    let announced = run.trace.entries.iter().filter_map(|entry| match &entry.what {
        TraceEvent::Indicate { what, .. } => Some((entry.at, what.clone())),
        _ => None,
    });
    let expected = (1..=3u64).flat_map(|round| {
        let at = Instant::ZERO + STEP.times(round);
        std::iter::repeat_n((at, format!("ErrsAtMost({round}02)")), 3)
    });
    assert_eq!(announced.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    assert_eq!(run.steps(), 3, "nothing follows the last round");
}

#[test]
fn no_round_is_current_before_the_first_begins() {
    assert_eq!(Rounds::new(0, STEP).current(), 0);
    assert_eq!(Rounds::new("values", STEP).current(), "values");
}
