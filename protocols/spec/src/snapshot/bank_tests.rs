use super::*;
use std::collections::{BTreeMap, BTreeSet};

use crate::stub::{Answers, Stub, down, requests};
use ftsim_core::{Bench, Spec};

/// Ends no snapshot.
#[derive(Clone, Debug, Hash)]
struct Mute;

impl Answers for Mute {
    type Spec = Snapshot;
}

/// Completes odd snapshots at once, and drops even ones.
#[derive(Clone, Debug, Hash)]
struct Prompt;

impl Answers for Prompt {
    type Spec = Snapshot;

    fn to(_: ProcessId, request: &Request) -> Vec<Indication> {
        match request {
            Request::Take(number) if number % 2 == 1 => vec![Indication::Complete(*number)],
            Request::Take(number) => vec![Indication::Dropped(*number)],
            Request::Transfer { .. } => vec![],
        }
    }
}

fn requested<A: Answers<Spec = Snapshot>>(n: u32, workload: &str) -> Vec<String> {
    requests(&Bench::of::<Stub<A>>(n).workload(workload).run(1))
}

/// Time, sender, number, receiver, amount.
type Drawn = (Duration, String, u64, String, Money);

fn transfer(line: &String) -> Drawn {
    let words = line.split(|c: char| " {},:".contains(c)).filter(|word| !word.is_empty());
    let words: Vec<_> = words.collect();
    let [at, from, "Transfer", "number", number, "to", to, "amount", amount] = words[..] else {
        panic!("{line}");
    };
    let number = number.parse().expect("a number");
    let amount = amount.parse().expect("an amount");
    (at.parse().expect("a duration"), from.into(), number, to.into(), amount)
}

#[test]
fn each_process_makes_its_transfers_to_others_one_after_the_other() {
    let lines = requested::<Mute>(3, r#"{"transfers": 60, "every": "2ms", "snapshots": 0}"#);
    let mut times = BTreeMap::new();
    let (mut pairs, mut numbers, mut amounts) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (at, from, number, to, amount) in lines.iter().map(transfer) {
        times.entry(from.clone()).or_insert_with(Vec::new).push(at);
        assert!(numbers.insert((from.clone(), number)), "{from} uses {number} again");
        pairs.insert(format!("{from} {to}"));
        amounts.insert(amount);
    }
    let expected: Vec<_> = (1..=60).map(|k| Duration::from_millis(2 * k)).collect();
    assert_eq!(times.len(), 3);
    assert!(times.values().all(|times| *times == expected), "{times:?}");
    let all = ["p0 p1", "p0 p2", "p1 p0", "p1 p2", "p2 p0", "p2 p1"];
    assert_eq!(pairs, all.map(String::from).into());
    assert_eq!(amounts, (1..=10).collect());
}

#[test]
fn the_time_between_two_transfers_is_drawn_for_each() {
    let lines = requested::<Mute>(2, r#"{"transfers": 20, "every": "2ms..3ms", "snapshots": 0}"#);
    let drawn = lines.iter().map(transfer).filter(|(_, from, ..)| from == "p0");
    let times: Vec<_> = drawn.map(|(at, ..)| at.as_nanos()).collect();
    let gaps: BTreeSet<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!((times.len(), gaps.len()), (20, 19));
    assert!(gaps.iter().all(|gap| (2_000_000..=3_000_000).contains(gap)), "{gaps:?}");
}

#[test]
fn who_is_alone_transfers_nothing() {
    assert_eq!(requested::<Mute>(1, r#"{"snapshots": 0}"#), [""; 0]);
}

#[test]
fn scripted_transfers_are_made_at_their_times() {
    let workload = r#"{"transfers": 0, "snapshots": 0, "scripted": [
        {"at": "7ms", "from": "p1", "to": "p0", "amount": 100},
        {"at": "3ms", "from": "p0", "to": "p1", "amount": 1}]}"#;
    let expected = [
        "3ms p0 Transfer { number: 2, to: p1, amount: 1 }",
        "7ms p1 Transfer { number: 1, to: p0, amount: 100 }",
    ];
    assert_eq!(requested::<Mute>(2, workload), expected);
}

/// Three snapshots, taken by p1 and 20 ms apart.
const THREE: &str = r#"{"transfers": 0, "snapshots": 3, "initiator": "p1",
                        "snapshot_after": "10ms", "snapshot_every": "20ms"}"#;

#[test]
fn a_snapshot_follows_once_the_last_has_ended_at_its_initiator() {
    assert_eq!(
        requested::<Prompt>(2, THREE),
        ["10ms p1 Take(1)", "30ms p1 Take(2)", "50ms p1 Take(3)"]
    );
    assert_eq!(requested::<Mute>(2, THREE), ["10ms p1 Take(1)"]);
    let none = THREE.replace("\"snapshots\": 3", "\"snapshots\": 0");
    assert_eq!(requested::<Prompt>(2, &none), [""; 0]);
}

/// p0 completes snapshot 1 with a transfer, and p1 completes snapshot 1 when it is asked for 2.
#[derive(Clone, Debug, Hash)]
struct Confused;

impl Answers for Confused {
    type Spec = Snapshot;

    fn to(p: ProcessId, request: &Request) -> Vec<Indication> {
        match (p, request) {
            (ProcessId(0), Request::Transfer { .. }) | (_, Request::Take(2)) => {
                vec![Indication::Complete(1)]
            }
            (ProcessId(1), Request::Transfer { .. }) => vec![Indication::Complete(1)],
            _ => vec![],
        }
    }
}

#[test]
fn the_end_of_a_snapshot_elsewhere_or_of_an_earlier_one_is_not_awaited() {
    let takes = |script: &str| {
        let scripted = format!(r#""transfers": 0, "scripted": [{script}]"#);
        let lines = requested::<Confused>(2, &THREE.replace("\"transfers\": 0", &scripted));
        lines.into_iter().filter(|line| line.contains("Take")).collect::<Vec<_>>()
    };
    let elsewhere = r#"{"at": "12ms", "from": "p0", "to": "p1", "amount": 1}"#;
    assert_eq!(takes(elsewhere), ["10ms p1 Take(1)"]);
    let here = r#"{"at": "12ms", "from": "p1", "to": "p0", "amount": 1}"#;
    assert_eq!(takes(here), ["10ms p1 Take(1)", "32ms p1 Take(2)"]);
}

#[test]
fn an_initiator_that_is_back_takes_the_next_snapshot_if_its_last_was_due() {
    let takes = |process, from_ms, to_ms| {
        let bench = Bench::of::<Stub<Mute>>(2).workload(THREE);
        requests(&down(bench, process, from_ms, to_ms).run(1))
    };
    assert_eq!(takes(1, 2, 4), ["10ms p1 Take(1)"]);
    assert_eq!(takes(1, 5, 15), ["35ms p1 Take(2)"]);
    assert_eq!(takes(1, 12, 14), ["10ms p1 Take(1)", "34ms p1 Take(2)"]);
    assert_eq!(takes(0, 12, 14), ["10ms p1 Take(1)"]);
}

#[test]
fn the_workload_refuses_what_cannot_be() {
    let refused = |settings: BankWorkload| {
        Snapshot::workload(&settings, &Setting::of(2)).err().map(|invalid| invalid.key)
    };
    let initiator = |p| refused(BankWorkload { initiator: ProcessId(p), ..Default::default() });
    assert_eq!(initiator(1), None);
    assert_eq!(initiator(2).as_deref(), Some("initiator"));
    let transfers = |transfers| refused(BankWorkload { transfers, ..Default::default() });
    // Two processes, and a run holds a million requests.
    assert_eq!(transfers(500_000), None);
    assert_eq!(transfers(500_001).as_deref(), Some("transfers"));
    let scripted = |from, to, amount| {
        let (from, to) = (ProcessId(from), ProcessId(to));
        let scripted = vec![ScriptedTransfer { at: Duration::ZERO, from, to, amount }];
        refused(BankWorkload { scripted, ..Default::default() })
    };
    assert_eq!(scripted(0, 1, 1), None);
    assert_eq!(scripted(0, 1, 100), None);
    for (from, to, amount) in [(0, 1, 0), (0, 1, 101), (0, 2, 1), (2, 0, 1), (1, 1, 1)] {
        assert_eq!(scripted(from, to, amount).as_deref(), Some("scripted"), "{from} {to} {amount}");
    }
}
