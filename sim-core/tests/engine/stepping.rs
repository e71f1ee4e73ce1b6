//! Runs that are driven step by step: they can be forked, their events taken in any order, and
//! their states compared.

use crate::runs::busy;
use crate::scripted::{
    Actor, Do, LEADS, Msg, RESIGNS, Script, Stage, Theatre, after_effect, at, crash, ms,
};
use ftsim_core::engine::event::{Class, Scheduled};
use ftsim_core::environment::detector::Mistake;
use ftsim_core::environment::message_rule::{Fate, MessageRule};
use ftsim_core::environment::network::{Cut, Order};
use ftsim_core::fault::Action;
use ftsim_core::fault::condition::{Condition, Persistence};
use ftsim_core::{
    Bound, Cx, Digest, Duration, Model, Process, ProcessId, Protocol, Runner, Setting,
};

#[test]
fn a_run_can_be_forked_at_any_event() {
    let mut runner = busy().simulation();
    runner.begin(3);
    for _ in 0..40 {
        assert!(runner.step());
    }
    let mut fork = runner.clone();
    assert_eq!(fork.fingerprint(), runner.fingerprint());
    assert!(fork.step());
    assert_ne!(fork.fingerprint(), runner.fingerprint());
    assert!(runner.step());
    assert_eq!(fork.fingerprint(), runner.fingerprint());
}

#[test]
fn the_earliest_of_what_is_pending_makes_the_run_that_is_run() {
    for seed in 0..20 {
        let mut runner = busy().simulation();
        runner.begin(seed);
        while let Some(event) = runner.pending().first().copied()
            && event.place.at <= ms(1_000)
        {
            assert!(runner.execute(event));
        }
        let stepped = runner.finish();
        assert_eq!(stepped.digest, busy().simulation().run(seed).digest, "seed {seed}");
    }
}

#[test]
fn an_event_is_taken_once_and_time_does_not_run_backwards() {
    let lines = vec![(0, 0, vec![Do::Clock]), (30, 0, vec![Do::Clock]), (90, 0, vec![Do::Clock])];
    let mut runner = Stage::new(1, &lines).simulation();
    runner.begin(1);
    let pending = runner.pending();
    assert_eq!(pending.len(), 3);
    for nth in [2, 0, 1] {
        assert!(runner.execute(pending[nth]));
        assert!(!runner.execute(pending[nth]), "it has happened");
    }
    let outcome = runner.finish();
    assert_eq!(outcome.at, ms(90));
    assert_eq!(outcome.statistics.events, 4, "one start and three requests");
}

#[test]
fn a_timer_that_was_moved_or_unset_is_pending_where_it_runs_out_or_not_at_all() {
    let moved = vec![Do::SetTimer(10, 1), Do::SetTimer(50, 1), Do::SetTimer(20, 2), Do::Cancel(2)];
    let mut runner = Stage::new(1, &[(0, 0, moved)]).simulation();
    runner.begin(1);
    assert!(runner.step());
    let pending = runner.pending();
    assert_eq!(pending.iter().map(|event| event.place.at).collect::<Vec<_>>(), [ms(50)]);
    assert!(runner.execute(pending[0]));
    assert_eq!(runner.finish().statistics.events, 3, "start, request, timer");
}

/// Passes a word on to the next two processes, less by one each time.
#[derive(Clone, Debug, Default, Hash)]
struct Gossip {
    heard: Vec<(ProcessId, u64)>,
}

impl Process for Gossip {
    type Spec = Theatre;
    type Msg = Msg;
    type Timer = u8;
    type Record = u64;
    fn on_request(&mut self, _: Vec<Do>, cx: &mut Cx<Self>) {
        self.pass_on(2, cx);
    }
    fn on_message(&mut self, from: ProcessId, Msg::Data(word): Msg, cx: &mut Cx<Self>) {
        self.heard.push((from, word));
        cx.set_timer(Duration::from_millis(word + 1), 1);
        if word > 0 {
            self.pass_on(word - 1, cx);
        }
    }
}

impl Gossip {
    fn pass_on(&self, word: u64, cx: &mut Cx<Self>) {
        for step in [1, 2] {
            cx.send(ProcessId((cx.me().0 + step) % cx.n()), Msg::Data(word));
        }
    }
}

impl Protocol for Gossip {
    const NAME: &'static str = "gossip";
    const SUMMARY: &'static str = "passes words on";
    const SOURCE: &'static str = "none";
    type Params = Script;
    fn model(_: &Script, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::MINORITY)
    }
    fn new(_: &Script, _: &Setting, _: ProcessId) -> Self {
        Self::default()
    }
}

/// Compares both orders of each two deliveries at different processes, in the states that a run
/// comes through. Returns how many pairs there were.
fn commuting_pairs(mut runner: Runner, seed: u64, at_one_instant: bool) -> u64 {
    let mut count = 0;
    runner.begin(seed);
    loop {
        let pending = runner.pending();
        let is_delivery = |event: &&Scheduled| event.place.class() == Class::Delivery;
        let deliveries: Vec<_> = pending.iter().filter(is_delivery).collect();
        for (index, one) in deliveries.iter().enumerate() {
            for other in &deliveries[index + 1..] {
                if runner.process_of(one) == runner.process_of(other)
                    || (at_one_instant && one.place.at != other.place.at)
                {
                    continue;
                }
                let [there, back] = [[one, other], [other, one]].map(|order| {
                    let mut fork = runner.clone();
                    assert!(order.iter().all(|event| fork.execute(***event)));
                    fork.fingerprint()
                });
                assert_eq!(there, back, "seed {seed}");
                count += 1;
            }
        }
        if !runner.step() {
            return count;
        }
    }
}

#[test]
fn deliveries_at_different_processes_commute() {
    // Actors answer nothing: whenever the two come.
    let answering_nothing: u64 =
        (0..10).map(|seed| commuting_pairs(busy().simulation(), seed, false)).sum();
    assert!(answering_nothing > 1_000, "{answering_nothing} pairs");
    // Gossips do: what they send takes as long from either instant, so that the two come at one.
    let lines: Vec<_> = (0..3).map(|p| (0, p, vec![])).collect();
    for order in [Order::Any, Order::Fifo] {
        let stage = Stage::new(5, &lines).with(|e| e.network.default.order = order);
        let pairs = commuting_pairs(stage.simulation_of::<Gossip>(), 1, true);
        assert!(pairs > 50, "{pairs} pairs");
    }
}

/// The state after this many events.
fn state(stage: &Stage, events: u32) -> Digest {
    let mut runner = stage.simulation_of::<Actor>();
    runner.begin(1);
    for _ in 0..events {
        assert!(runner.step());
    }
    runner.fingerprint()
}

/// Two actors of which the first is told this, at these milliseconds.
fn told<const N: usize>(lines: [(u64, Vec<Do>); N]) -> Stage {
    let lines: Vec<_> = lines.into_iter().map(|(at, todo)| (at, 0, todo)).collect();
    Stage::new(2, &lines)
}

fn rule(nth: u64) -> MessageRule {
    MessageRule { from: ProcessId(0), to: ProcessId(1), kind: None, nth, fate: Fate::DROP }
}

#[test]
fn what_can_matter_later_is_told_apart() {
    let idle = || told([(5, vec![])]);
    let fifo = |words: [u64; 2]| {
        let sends = words.map(|word| Do::Send(1, word)).to_vec();
        told([(0, sends)]).with(|e| e.network.default.order = Order::Fifo)
    };
    let suspects = |subject| {
        told([]).with(|e| {
            let (observer, suspects) = (ProcessId(0), ProcessId(subject));
            e.setting = Setting::of(3);
            e.detector.mistakes.push(Mistake { observer, suspects, at: ms(1), until: None });
        })
    };
    let partitioned = |length| {
        let condition = Condition::Partition(Cut::Groups(vec![vec![ProcessId(0)]]));
        let persistence = Persistence::Transient(Duration::from_millis(length));
        idle().fault(at(1), Action::Begin(condition, persistence))
    };
    let pairs = [
        ("a fault that waits", idle().fault(after_effect(0, 5), crash(0)), idle(), 0),
        (
            "how long it waits",
            idle().fault(after_effect(0, 5), crash(0)),
            idle().fault(after_effect(0, 6), crash(0)),
            0,
        ),
        (
            "which message is lost",
            idle().with(|e| e.overrides.push(rule(1))),
            idle().with(|e| e.overrides.push(rule(2))),
            0,
        ),
        (
            "how many were sent before it",
            told([(0, vec![Do::Send(1, 1)])]).with(|e| e.overrides.push(rule(2))),
            told([(0, vec![Do::Send(1, 1)])]).with(|e| e.overrides.push(rule(3))),
            2,
        ),
        ("who is suspected", suspects(1), suspects(2), 1),
        ("who leads", told([(0, vec![Do::Say(LEADS)])]), told([(0, vec![Do::Say(RESIGNS)])]), 1),
        ("the order on a FIFO link", fifo([7, 8]), fifo([8, 7]), 1),
        (
            "what is under way",
            told([(0, vec![Do::Send(1, 7)])]),
            told([(0, vec![Do::Send(1, 8)])]),
            1,
        ),
        (
            "when a timer runs out",
            told([(0, vec![Do::SetTimer(10, 1)])]),
            told([(0, vec![Do::SetTimer(20, 1)])]),
            1,
        ),
        (
            "which timer runs out",
            told([(0, vec![Do::SetTimer(10, 1)])]),
            told([(0, vec![Do::SetTimer(10, 2)])]),
            1,
        ),
        ("a record", told([(0, vec![Do::Append(1)])]), told([(0, vec![Do::Append(2)])]), 1),
        (
            "whether it is durable",
            told([(0, vec![Do::Append(1)])]),
            told([(0, vec![Do::Append(1), Do::Sync])]),
            1,
        ),
        ("how long a condition lasts", partitioned(100), partitioned(200), 1),
        ("who is down", idle().fault(at(1), crash(0)), idle().fault(at(1), crash(1)), 1),
        (
            "what a process that looks at its clock will see",
            told([(0, vec![Do::Clock]), (10, vec![])]),
            told([(0, vec![Do::Clock]), (20, vec![])]),
            2,
        ),
    ];
    for (what, one, other, events) in pairs {
        assert_ne!(state(&one, events), state(&other, events), "{what}");
    }
}

#[test]
fn how_a_state_came_about_is_not_part_of_it() {
    let numbered = |first, second| {
        let send = |p: u32| (0, p, vec![Do::Send(p + 2, 1)]);
        Stage::new(4, &[send(first), send(second)])
    };
    let pairs = [
        ("the numbers of messages", numbered(0, 1), numbered(1, 0), 2),
        (
            "a timer that was unset",
            told([(0, vec![Do::SetTimer(5, 1), Do::Cancel(1)])]),
            told([(0, vec![])]),
            1,
        ),
        (
            "a timer that was moved",
            told([(0, vec![Do::SetTimer(5, 1), Do::SetTimer(9, 1)])]),
            told([(0, vec![Do::SetTimer(9, 1)])]),
            1,
        ),
        (
            "when it came about",
            told([(0, vec![]), (10, vec![])]),
            told([(0, vec![]), (20, vec![])]),
            2,
        ),
    ];
    for (what, one, other, events) in pairs {
        assert_eq!(state(&one, events), state(&other, events), "{what}");
    }
}
