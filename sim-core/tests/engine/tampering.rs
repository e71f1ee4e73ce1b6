//! What the network does to messages beyond losing them: it delays, reorders, replays, garbles and
//! carries little.

use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::liveness::{Liveness, LivenessMode};
use ftsim_core::environment::network::{Cut, DropReason, Order};
use ftsim_core::fault::Action;
use ftsim_core::fault::condition::{Condition, Links, Persistence};
use ftsim_core::{Duration, DurationRange, Outcome, Probability, ProcessId, Trace};

use crate::scripted::{Do, Stage, at, ms};

const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// From 15 to 115 ms, of ten messages of p0 to p1 at 0, 20, …, 180 ms.
fn under(condition: Condition) -> Stage {
    let lines: Vec<_> = (0..10).map(|i| (20 * i, 0, vec![Do::Send(1, 100 + i)])).collect();
    let persistence = Persistence::Transient(millis(100));
    Stage::new(2, &lines).fault(at(15), Action::Begin(condition, persistence))
}

fn run(condition: Condition) -> (Outcome, Trace) {
    under(condition).record()
}

#[test]
fn garbled_messages_say_something_else_while_it_lasts() {
    let garble = || Condition::Garble(Links::ALL, Probability::ALWAYS);
    let (outcome, _) = run(garble());
    assert_eq!((outcome.statistics.garbled, outcome.statistics.delivered), (5, 10));
    let said = under(garble()).play();
    let as_sent =
        (0..10u64).filter(|i| said.iter().any(|s| s.contains(&format!(", {})", 100 + i))));
    assert!(as_sent.count() >= 5);
    let intact = format!("{} p1 Heard(0, 100)", 10);
    assert_eq!(said[0], intact);
    assert_ne!(said[1], "30 p1 Heard(0, 101)");
}

#[test]
fn a_garbling_link_does_so_from_the_start() {
    let lines: Vec<_> = (0..10).map(|i| (20 * i, 0, vec![Do::Send(1, 100 + i)])).collect();
    let stage = Stage::new(2, &lines).with(|e| e.network.default.garble = Probability::ALWAYS);
    assert_eq!(stage.record().0.statistics.garbled, 10);
}

#[test]
fn a_garbling_link_that_has_healed_garbles_nothing() {
    let lines: Vec<_> = (0..10).map(|i| (20 * i, 0, vec![Do::Send(1, 100 + i)])).collect();
    let stage = Stage::new(2, &lines).with(|e| {
        e.network.default.garble = Probability::ALWAYS;
        e.liveness = Some(Liveness { mode: LivenessMode::HealAll, at: ms(90) });
    });
    assert_eq!(stage.record().0.statistics.garbled, 5);
}

#[test]
fn old_messages_come_again() {
    let (outcome, _) = run(Condition::Replay(Links::ALL, Probability::ALWAYS));
    assert_eq!((outcome.statistics.replayed, outcome.statistics.delivered), (5, 15));
    let said = under(Condition::Replay(Links::ALL, Probability::ALWAYS)).play();
    let mut words: Vec<&str> = said.iter().filter_map(|s| s.split(' ').next_back()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), 10, "nothing but what was said before: {said:?}");
}

#[test]
fn reordering_overtakes_on_a_fifo_link_too() {
    let lines: Vec<_> = (0..20).map(|i| (i, 0, vec![Do::Send(1, 100 + i)])).collect();
    let reorder = Condition::Reorder(Links::ALL, Probability::ALWAYS, millis(50));
    let begin = Action::Begin(reorder, Persistence::Permanent);
    let fifo = || Stage::new(2, &lines).with(|e| e.network.default.order = Order::Fifo);
    let words = |stage: Stage| {
        let said = stage.play();
        said.iter().map(|s| s.split(' ').next_back().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert!(words(fifo()).is_sorted());
    assert!(!words(fifo().fault(at(0), begin)).is_sorted());
}

#[test]
fn what_only_takes_longer_keeps_the_order_of_a_fifo_link() {
    let lines: Vec<_> = (0..40).map(|i| (i, 0, vec![Do::Send(1, 100 + i)])).collect();
    let by = DurationRange { min: millis(0), max: millis(50) };
    let slow = [
        Condition::Delay(Links::ALL, by),
        Condition::Late(Links::ALL, millis(30)),
        Condition::Clog(Links::ALL),
        Condition::Slow(ProcessId(0), 5),
    ];
    for condition in slow {
        let name = condition.to_string();
        let begin = Action::Begin(condition, Persistence::Transient(millis(15)));
        let stage = |order| {
            let stage = Stage::new(2, &lines).with(|e| {
                e.network.default.order = order;
                e.network.default.delay =
                    Delay::Uniform(DurationRange { min: millis(0), max: millis(9) });
            });
            let said = stage.fault(at(5), begin.clone()).play();
            said.iter().map(|s| s.split(' ').next_back().map(str::to_owned)).collect::<Vec<_>>()
        };
        assert_eq!(stage(Order::Fifo).len(), 40);
        assert!(stage(Order::Fifo).is_sorted(), "{name}");
        assert!(!stage(Order::Any).is_sorted(), "{name}");
    }
}

#[test]
fn a_delay_is_drawn_for_each_message() {
    let by = DurationRange { min: millis(1), max: millis(9) };
    let said = under(Condition::Delay(Links::ALL, by)).play();
    let took = |(i, line): (u64, &String)| {
        line.split(' ').next().and_then(|ms| ms.parse::<u64>().ok()).map(|ms| ms - 20 * i)
    };
    let took: Vec<u64> = (0..).zip(&said).filter_map(took).collect();
    assert!(took[1..6].iter().all(|ms| (11..=19).contains(ms)), "{took:?}");
    assert_eq!((took[0], &took[6..]), (10, &[10; 4][..]));
    assert!(took[1..6].iter().any(|ms| *ms != took[1]), "{took:?}");
}

#[test]
fn a_narrow_link_makes_messages_wait_for_each_other() {
    let lines = [(0, 0, vec![Do::Send(1, 1), Do::Send(1, 2), Do::Send(1, 3)])];
    let narrow = |rate| Stage::new(2, &lines).with(|e| e.network.default.bandwidth = Some(rate));
    // {"Data":1} has ten bytes: 10 ms at 1,000 bytes a second, and 10 ms on the way.
    assert_eq!(
        narrow(1_000).play(),
        ["20 p1 Heard(0, 1)", "30 p1 Heard(0, 2)", "40 p1 Heard(0, 3)"]
    );
    let begin = Action::Begin(Condition::Bandwidth(Links::ALL, 1_000), Persistence::Permanent);
    assert_eq!(Stage::new(2, &lines).fault(at(0), begin).play(), narrow(1_000).play());
}

#[test]
fn cuts_of_every_shape_lose_what_passes_them() {
    let p = |index| ProcessId(index);
    let all: Vec<_> = (0..5).map(|i| (20, i, vec![Do::Broadcast(1)])).collect();
    for (cut, lost) in [
        (Cut::Groups(vec![vec![p(0), p(1)]]), 12),
        (Cut::OneWay { from: vec![p(0)], to: vec![p(1), p(2)] }, 2),
        (Cut::Links(vec![(p(0), p(1))]), 1),
        (Cut::Bridge { left: vec![p(0), p(1)], right: vec![p(3), p(4)] }, 8),
        (Cut::RingOfMajorities((0..5).map(p).collect()), 10),
    ] {
        let begin = Action::Begin(Condition::Partition(cut.clone()), Persistence::Permanent);
        let (outcome, _) = Stage::new(5, &all).fault(at(10), begin).record();
        let statistics = &outcome.statistics;
        assert_eq!(statistics.dropped_for(DropReason::Cut), lost, "{cut}");
        assert_eq!(statistics.delivered, 20 - lost, "{cut}");
    }
}
