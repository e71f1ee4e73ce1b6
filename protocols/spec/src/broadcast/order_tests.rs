//! Orders, on histories written by hand, and against their definitions on drawn ones.

use ftsim_core::ProcessId;
use ftsim_core::bench::history::{Act, check};
use proptest::collection::vec;
use proptest::prelude::{Strategy, prop_assert_eq, proptest};

use super::super::{Broadcast, Indication, Request};
use crate::message_set::MessageName;

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);

const ORDERS: [&str; 4] = ["bc.fifo", "bc.causal", "bc.total-order", "bc.uniform-total-order"];

fn sends(p: ProcessId, number: u64) -> Act<Broadcast> {
    Act::Request(p, Request::Broadcast(number))
}

fn gets(p: ProcessId, (sender, number): MessageName) -> Act<Broadcast> {
    Act::Indicate(p, Indication::Deliver { sender, number })
}

/// The orders that a history of three processes violates.
fn violated(history: &[Act<Broadcast>]) -> Vec<&'static str> {
    check(3, history).into_iter().filter(|id| ORDERS.contains(id)).collect()
}

const NONE: [&str; 0] = [];

#[test]
fn messages_of_one_sender_come_in_order_and_those_of_two_need_not() {
    let two = || vec![sends(P0, 0), sends(P0, 1)];
    let with = |more: &[Act<Broadcast>]| violated(&[&two()[..], more].concat());
    assert_eq!(with(&[gets(P1, (P0, 0)), gets(P1, (P0, 1))]), NONE);
    assert_eq!(with(&[gets(P1, (P0, 1)), gets(P1, (P0, 0))]), ["bc.fifo", "bc.causal"]);
    assert_eq!(with(&[gets(P1, (P0, 1))]), ["bc.fifo", "bc.causal"]);
    let concurrent = [sends(P0, 0), sends(P1, 0), gets(P2, (P1, 0)), gets(P2, (P0, 0))];
    assert_eq!(violated(&concurrent), NONE);
}

#[test]
fn an_answer_comes_after_what_it_answers_also_through_others() {
    let answer =
        [sends(P0, 0), gets(P1, (P0, 0)), sends(P1, 0), gets(P2, (P1, 0)), gets(P2, (P0, 0))];
    assert_eq!(violated(&answer), ["bc.causal", "bc.uniform-total-order"]);
    // P2 answers P1, who answered P0, whose message never comes to P2 nor back.
    let chain = [
        sends(P0, 0),
        gets(P1, (P0, 0)),
        sends(P1, 0),
        sends(P1, 1),
        gets(P0, (P1, 0)),
        sends(P0, 1),
        gets(P2, (P0, 0)),
        gets(P2, (P0, 1)),
    ];
    assert_eq!(violated(&chain), ["bc.causal"]);
}

#[test]
fn two_correct_processes_that_share_messages_share_their_order() {
    let ab = |p| [gets(p, (P0, 0)), gets(p, (P1, 0))];
    let ba = |p| [gets(p, (P1, 0)), gets(p, (P0, 0))];
    let both = || vec![sends(P0, 0), sends(P1, 0)];
    assert_eq!(violated(&[&both()[..], &ab(P0), &ab(P1), &ab(P2)].concat()), NONE);
    let differ = [&both()[..], &ab(P0), &ba(P1)].concat();
    assert_eq!(violated(&differ), ["bc.total-order", "bc.uniform-total-order"]);
    // A faulty process may differ, but not uniformly.
    let dead = [&both()[..], &ab(P0), &ba(P1), &[Act::Crash(P1)]].concat();
    assert_eq!(violated(&dead), ["bc.uniform-total-order"]);
    // So does one that leaves out a message and shares a later one.
    let gap = [&both()[..], &ab(P0), &[gets(P1, (P1, 0))]].concat();
    assert_eq!(violated(&gap), ["bc.uniform-total-order"]);
}

#[test]
fn a_reordering_far_from_what_was_shared_last_is_found() {
    let all: Vec<_> = (0..5).map(|number| (P0, number)).collect();
    let mut history: Vec<_> = (0..5).map(|number| sends(P0, number)).collect();
    history.extend(all.iter().map(|message| gets(P1, *message)));
    history.extend([0, 1, 4, 2, 3].map(|number| gets(P2, (P0, number))));
    let orders = ["bc.fifo", "bc.causal", "bc.total-order", "bc.uniform-total-order"];
    assert_eq!(violated(&history), orders);
}

/// A history as data: a broadcast, a delivery, or a crash.
#[derive(Clone, Copy, Debug)]
enum Drawn {
    Sends(u32),
    Gets(u32, u32, u64),
    Crashes(u32),
}

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    let event = (0..20u32, 0..3u32, 0..3u32, 0..3u64).prop_map(|(what, p, q, number)| match what {
        0 => Drawn::Crashes(p),
        1..7 => Drawn::Sends(p),
        _ => Drawn::Gets(p, q, number),
    });
    vec(event, 0..24)
}

/// Leaves out what the other properties forbid: deliveries of nothing, and second ones.
fn sensible(events: &[Drawn]) -> Vec<Drawn> {
    let (mut counts, mut delivered) = ([0; 3], Vec::new());
    let mut down = [false; 3];
    let mut kept = Vec::new();
    for event in events {
        let keeps = match *event {
            Drawn::Crashes(p) => !std::mem::replace(&mut down[p as usize], true),
            Drawn::Sends(p) if !down[p as usize] => {
                counts[p as usize] += 1;
                true
            }
            Drawn::Gets(p, q, number) if !down[p as usize] => {
                let is_new = number < counts[q as usize] && !delivered.contains(&(p, q, number));
                delivered.extend(is_new.then_some((p, q, number)));
                is_new
            }
            _ => false,
        };
        kept.extend(keeps.then_some(*event));
    }
    kept
}

/// The orders that a history violates, by their definitions: from relations over all pairs.
fn by_definition(events: &[Drawn]) -> Vec<&'static str> {
    let mut numbers = [0; 3];
    // Events with the message that each is about, in the order of the run.
    let mut told: Vec<(u32, bool, (u32, u64))> = Vec::new();
    let mut crashed = [false; 3];
    for event in events {
        match *event {
            Drawn::Sends(p) => {
                told.push((p, true, (p, numbers[p as usize])));
                numbers[p as usize] += 1;
            }
            Drawn::Gets(p, q, number) => told.push((p, false, (q, number))),
            Drawn::Crashes(p) => crashed[p as usize] = true,
        }
    }
    // Happened before, over the events of broadcasting and delivering.
    let before: Vec<Vec<bool>> = {
        let mut before = vec![vec![false; told.len()]; told.len()];
        for (j, (q, _, message)) in told.iter().enumerate() {
            for (i, (p, is_sending, cause)) in told.iter().enumerate().take(j) {
                if p == q || (*is_sending && cause == message) {
                    before[i][j] = true;
                    for row in &mut before {
                        row[j] |= row[i];
                    }
                }
            }
        }
        before
    };
    let sending = |m| told.iter().position(|(_, is_sending, of)| *is_sending && *of == m);
    let delivery =
        |p, m| told.iter().position(|(q, is_sending, of)| !is_sending && *q == p && *of == m);
    let messages: Vec<(u32, u64)> =
        told.iter().filter(|(_, is_sending, _)| *is_sending).map(|(_, _, m)| *m).collect();
    let is_earlier = |p, m, later| match (delivery(p, m), delivery(p, later)) {
        (_, None) => true,
        (Some(first), Some(second)) => first < second,
        (None, Some(_)) => false,
    };
    let (mut fifo, mut causal, mut total, mut uniform) = (true, true, true, true);
    for m in &messages {
        for later in messages.iter().filter(|later| *later != m) {
            let (i, j) = (sending(*m).expect("sent"), sending(*later).expect("sent"));
            for p in 0..3 {
                fifo &= m.0 != later.0 || i > j || is_earlier(p, *m, *later);
                causal &= !before[i][j] || is_earlier(p, *m, *later);
                for q in 0..3 {
                    let both = [(p, *m), (p, *later), (q, *m), (q, *later)];
                    let all_delivered = both.iter().all(|(p, m)| delivery(*p, *m).is_some());
                    let differ = is_earlier(p, *m, *later) != is_earlier(q, *m, *later);
                    let correct = !crashed[p as usize] && !crashed[q as usize];
                    total &= !(all_delivered && differ && correct);
                    let (first, second) = (delivery(p, *m), delivery(p, *later));
                    let owed = first.is_some() && second.is_some() && first < second;
                    uniform &= !owed || is_earlier(q, *m, *later);
                }
            }
        }
    }
    let verdicts = ORDERS.into_iter().zip([fifo, causal, total, uniform]);
    verdicts.filter(|(_, holds)| !holds).map(|(id, _)| id).collect()
}

#[test]
fn a_newcomer_begins_as_the_others_did_or_diverges() {
    let diverges = |more: &[Act<Broadcast>]| {
        let others = [sends(P0, 0), sends(P0, 1), gets(P0, (P0, 0)), gets(P0, (P0, 1))];
        check(3, &[&others[..], more].concat()).contains(&"rep.prefix")
    };
    assert!(!diverges(&[]));
    assert!(!diverges(&[gets(P2, (P0, 0))]));
    assert!(!diverges(&[gets(P2, (P0, 0)), gets(P2, (P0, 1)), gets(P1, (P0, 0))]));
    assert!(diverges(&[gets(P2, (P0, 1))]));
    // Also if it has crashed.
    assert!(diverges(&[gets(P2, (P0, 1)), Act::Crash(P2)]));
    assert!(diverges(&[gets(P2, (P0, 0)), gets(P2, (P1, 0))]));
}

proptest! {
    #[test]
    fn the_checkers_agree_with_the_definitions(events in drawn()) {
        let events = sensible(&events);
        let mut numbers = [0; 3];
        let history: Vec<_> = events.iter().map(|event| match *event {
            Drawn::Crashes(p) => Act::Crash(ProcessId(p)),
            Drawn::Sends(p) => {
                numbers[p as usize] += 1;
                sends(ProcessId(p), numbers[p as usize] - 1)
            }
            Drawn::Gets(p, q, number) => gets(ProcessId(p), (ProcessId(q), number)),
        }).collect();
        prop_assert_eq!(violated(&history), by_definition(&events), "{:?}", events);
    }
}
