//! The transport makes up for what links lack: real packets, counted apart, invisible to the
//! protocol.

use ftsim_core::environment::network::{Cut, Loss};
use ftsim_core::environment::transport::{Guarantee, Heartbeat, TransportConfig};
use ftsim_core::fault::condition::{Condition, Links, Persistence};
use ftsim_core::fault::{Action, Crash, InFlight};
use ftsim_core::{Duration, Probability, ProcessId, Verdict};

use crate::scripted::{Do, SOURCES, Stage, after_effect, at, crash, crash_for, ms};

const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn percent(p: u32) -> Probability {
    Probability::new(f64::from(p) / 100.0).expect("a probability")
}

/// Twenty messages of p0 to p1, one a millisecond, on links that lose and double.
fn storm(guarantee: Guarantee) -> Stage {
    let lines: Vec<_> = (0..20).map(|i| (i, 0, vec![Do::Send(1, 100 + i)])).collect();
    Stage::new(2, &lines).with(|e| {
        e.network.default.loss = Loss::Independent(percent(40));
        e.network.default.duplicate = percent(30);
        e.network.default.delay =
            ftsim_core::environment::delay::Delay::Uniform(ftsim_core::DurationRange {
                min: millis(1),
                max: millis(10),
            });
        let resend_after = millis(30);
        e.transport = TransportConfig { guarantee, resend_after, heartbeat: None };
    })
}

/// The words that p1 heard in the run of this seed, in order.
fn heard(stage: &Stage, seed: u64) -> Vec<String> {
    let (_, trace) = stage.simulation().record(seed);
    let words = trace.entries.iter().filter_map(|entry| match &entry.what {
        ftsim_core::outcome::trace::TraceEvent::Indicate { what, .. } => Some(what.clone()),
        _ => None,
    });
    words.collect()
}

#[test]
fn a_property_over_messages_sees_each_sent_once_and_received_as_often_as_it_comes() {
    let to_itself = (0, 0, vec![Do::Send(0, 1)]);
    for (guarantee, all_come_once) in [(Guarantee::Raw, false), (Guarantee::Reliable, true)] {
        for seed in 0..20 {
            let mut stage = storm(guarantee).with(|e| e.check = vec![SOURCES]);
            stage.lines.push(to_itself.clone());
            let outcome = stage.simulation().run(seed);
            let judged = outcome.judged.iter().find(|judged| judged.id == SOURCES);
            let judged = judged.expect("it is checked");
            assert_eq!(judged.verdict, Verdict::Held, "seed {seed}");
            assert_eq!(judged.exercised, outcome.statistics.delivered + 1, "seed {seed}");
            assert!(!all_come_once || judged.exercised == 21, "seed {seed}");
        }
    }
}

#[test]
fn reliable_links_deliver_everything_once_and_fifo_ones_in_order() {
    let all: Vec<String> = (0..20).map(|i| format!("Heard(0, {})", 100 + i)).collect();
    let (mut lossy, mut disordered) = (0, 0);
    for seed in 0..100 {
        lossy += u32::from(heard(&storm(Guarantee::Raw), seed).len() != 20);
        let mut reliable = heard(&storm(Guarantee::Reliable), seed);
        disordered += u32::from(reliable != all);
        reliable.sort_unstable();
        assert_eq!(reliable, all, "seed {seed}");
        assert_eq!(heard(&storm(Guarantee::ReliableFifo), seed), all, "seed {seed}");
    }
    assert!(lossy > 90 && disordered > 90, "{lossy} {disordered}");
}

#[test]
fn packets_are_counted_apart_and_are_no_effects() {
    let (raw, _) = storm(Guarantee::Raw).record();
    let (carried, _) = storm(Guarantee::Reliable).record();
    assert_eq!(raw.statistics.sent(), carried.statistics.sent());
    // p0 asks for twenty sends; p1 announces each message that it hears.
    assert_eq!(carried.statistics.effects, [20, 20]);
    assert_eq!(raw.statistics.packets.sent, 0);
    let packets = carried.statistics.packets;
    assert!(packets.sent >= 40 && packets.sent_again > 0 && packets.lost > 0, "{packets:?}");
    assert_eq!(carried.statistics.delivered, 20);
}

#[test]
fn a_cut_that_heals_loses_nothing() {
    let cut = Cut::Groups(vec![vec![ProcessId(0)]]);
    let begin = Action::Begin(Condition::Partition(cut), Persistence::Transient(millis(200)));
    let stage = |guarantee| {
        Stage::new(2, &[(50, 0, vec![Do::Send(1, 7)])]).fault(at(40), begin.clone()).with(|e| {
            e.transport = TransportConfig { guarantee, ..storm(guarantee).experiment.transport }
        })
    };
    assert_eq!(stage(Guarantee::Raw).play(), [""; 0]);
    assert_eq!(stage(Guarantee::Reliable).play().len(), 1);
}

#[test]
fn the_guarantee_is_for_one_life() {
    // p0 dies right after its send, and takes along what is under way.
    let how = Crash { in_flight: InFlight::Lose, ..Crash::default() };
    let reliable = storm(Guarantee::Reliable).experiment.transport;
    let stage = Stage::new(2, &[(50, 0, vec![Do::Send(1, 7)])])
        .fault(after_effect(0, 1), Action::Crash(ProcessId(0), how))
        .with(|e| e.transport = reliable);
    assert_eq!(stage.play(), [""; 0]);
    // A receiver that comes back begins anew, and a FIFO link goes on with what comes next.
    let lines = [
        (0, 0, vec![Do::Send(1, 1)]),
        (100, 0, vec![Do::Send(1, 2)]),
        (200, 0, vec![Do::Send(1, 3)]),
    ];
    let stage = Stage::new(2, &lines)
        .fault(at(50), crash_for(1, Some(10)))
        .with(|e| e.transport = storm(Guarantee::ReliableFifo).experiment.transport);
    let said = stage.play();
    assert_eq!(
        said,
        ["10 p1 Heard(0, 1)", "60 p1 Found([])", "110 p1 Heard(0, 2)", "210 p1 Heard(0, 3)"]
    );
}

/// Three processes that listen for each other's heartbeats.
fn listening(timeout_ms: u64) -> Stage {
    Stage::new(3, &[]).with(|e| {
        e.limits.horizon = ms(500);
        e.transport.heartbeat = Some(Heartbeat {
            period: millis(20),
            timeout: millis(timeout_ms),
            increment: millis(100),
        });
    })
}

#[test]
fn who_falls_silent_is_suspected_and_trusted_when_it_is_back() {
    let crashed = listening(50).fault(at(100), crash(2)).play();
    assert_eq!(crashed, ["160 p0 Suspects(2)", "160 p1 Suspects(2)"]);
    let back = listening(50).fault(at(100), crash_for(2, Some(200))).play();
    assert_eq!(back[2..], ["300 p2 Found([])", "310 p0 Trusts(2)", "310 p1 Trusts(2)"]);
    assert_eq!(listening(50).play(), [""; 0]);
}

#[test]
fn heartbeats_can_be_wrong_and_learn() {
    let pause = |from| Action::Pause { process: ProcessId(from), resume_after: Some(millis(80)) };
    let said = listening(50).fault(at(100), pause(2)).fault(at(300), pause(2)).play();
    // The first pause is taken for a crash; the second is shorter than the longer timeout.
    let by_p0: Vec<&String> = said.iter().filter(|line| line.contains(" p0 ")).collect();
    assert_eq!(by_p0, ["160 p0 Suspects(2)", "190 p0 Trusts(2)"]);
}

#[test]
fn what_an_earlier_life_has_acknowledged_holds_nothing_up() {
    let lines = [0, 5, 30].map(|at| (at, 0, vec![Do::Send(1, at)]));
    let stage = Stage::new(2, &lines)
        .fault(at(12), crash_for(1, Some(1)))
        .with(|e| e.transport = storm(Guarantee::ReliableFifo).experiment.transport);
    // The second arrives in the next life before the sender knows that the first has arrived, and
    // waits for it; the third comes with that knowledge.
    let said = stage.play();
    let heard = ["10 p1 Heard(0, 0)", "13 p1 Found([])", "40 p1 Heard(0, 5)", "40 p1 Heard(0, 30)"];
    assert_eq!(said, heard);
}

#[test]
fn what_an_earlier_life_of_the_sender_sent_is_not_delivered_after_the_next_one_was_heard() {
    let late = Condition::Late(Links::ALL, millis(100));
    let lines = [(0, 0, vec![Do::Send(1, 1), Do::Send(1, 2)]), (20, 0, vec![Do::Send(1, 3)])];
    let stage = Stage::new(2, &lines)
        .fault(at(0), Action::Begin(late, Persistence::Transient(millis(1))))
        .fault(at(5), crash_for(0, Some(1)))
        .with(|e| e.transport = storm(Guarantee::Reliable).experiment.transport);
    assert_eq!(stage.play(), ["6 p0 Found([])", "30 p1 Heard(0, 3)"]);
}
