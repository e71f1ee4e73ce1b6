use super::*;
use std::collections::BTreeSet;

use crate::service::Outcome;
use crate::stub::{Answers, Stub, requests};
use ftsim_core::{Bench, Never, Spec};

/// Clients that are answered at once.
#[derive(Clone, Debug, Hash)]
struct Prompt;

impl Answers for Prompt {
    type Spec = Service<Never>;
    const ROLES: &'static [&'static str] = &[SERVER, CLIENT];

    fn to(_: ProcessId, request: &Request) -> Vec<Indication<Never>> {
        match request {
            Request::Invoke { number, .. } => {
                vec![Indication::Response { number: *number, outcome: Outcome::Done }]
            }
            Request::DeclareDown(_) => vec![],
        }
    }
}

/// Clients that are never answered.
#[derive(Clone, Debug, Hash)]
struct Mute;

impl Answers for Mute {
    type Spec = Service<Never>;
    const ROLES: &'static [&'static str] = &[SERVER, CLIENT];
}

/// The requests of two clients of one server.
fn requested(workload: &str) -> Vec<String> {
    let roles = [(SERVER, 1), (CLIENT, 2)];
    requests(&Bench::with_roles::<Stub<Prompt>>(&roles).workload(workload).run(1))
}

/// The operations of one client, by these weights: reads, writes, increments, swaps.
fn operations(count: u64, [r, w, i, s]: [u32; 4]) -> Vec<String> {
    let workload = format!(
        r#"{{"operations": {count}, "keys": 1, "think": "0ms",
             "reads": {r}, "writes": {w}, "increments": {i}, "swaps": {s}}}"#
    );
    let roles = [(SERVER, 1), (CLIENT, 1)];
    let bench = Bench::with_roles::<Stub<Prompt>>(&roles).workload(&workload);
    let operation = |line: &String| {
        let (_, operation) = line.split_once("operation: ").expect("an operation");
        operation.strip_suffix(" }").expect("the end").to_owned()
    };
    requests(&bench.run(1)).iter().map(operation).collect()
}

#[test]
fn each_client_waits_for_the_answer_and_thinks_before_the_next_operation() {
    let read = |at, client, number| {
        format!("{at} {client} Invoke {{ number: {number}, key: 0, operation: Read }}")
    };
    let reads = r#"{"operations": 3, "keys": 1, "writes": 0, "increments": 0, "think": "5ms"}"#;
    let expected = [
        read("5ms", "p1", 1),
        read("5ms", "p2", 1),
        read("10ms", "p1", 2),
        read("10ms", "p2", 2),
        read("15ms", "p1", 3),
        read("15ms", "p2", 3),
    ];
    assert_eq!(requested(reads), expected);
    let mute = Bench::with_roles::<Stub<Mute>>(&[(SERVER, 1), (CLIENT, 2)]).workload(reads);
    assert_eq!(requests(&mute.run(1)), expected[..2]);
    assert_eq!(requested(r#"{"operations": 0}"#), [""; 0]);
}

#[test]
fn the_time_to_think_is_drawn_from_its_range() {
    let lines = requested(r#"{"operations": 1, "think": "5ms..7ms"}"#);
    let at = |line: &String| {
        line.split_once(' ').expect("a time").0.parse::<Duration>().expect("a duration")
    };
    let times: BTreeSet<_> = lines.iter().map(at).collect();
    let between = Duration::from_millis(5)..=Duration::from_millis(7);
    assert_eq!(times.len(), 2);
    assert!(times.iter().all(|time| between.contains(time)), "{times:?}");
}

#[test]
fn each_kind_of_operation_is_as_frequent_as_its_weight_says() {
    let drawn = operations(1000, [1, 2, 3, 4]);
    let count = |kind: &str| drawn.iter().filter(|operation| operation.starts_with(kind)).count();
    let counts = ["Read", "Write", "Increment", "CompareAndSwap"].map(count);
    let expected = [100, 200, 300, 400];
    let near = |(count, expected): (usize, usize)| count.abs_diff(expected) < 50;
    assert!(counts.into_iter().zip(expected).all(near), "{counts:?}");
    assert_eq!(counts.iter().sum::<usize>(), 1000);
    assert_eq!(operations(2, [1, 0, 0, 0]), ["Read"; 2]);
    assert_eq!(operations(2, [0, 0, 1, 0]), ["Increment"; 2]);
}

#[test]
fn each_write_and_swap_has_a_new_value_and_a_swap_expects_the_last() {
    assert_eq!(operations(3, [0, 1, 0, 0]), ["Write(1)", "Write(2)", "Write(3)"]);
    let swap = |new: u64| format!("CompareAndSwap {{ expected: {}, new: {new} }}", new - 1);
    assert_eq!(operations(3, [0, 0, 0, 1]), [swap(1), swap(2), swap(3)]);
    let mixed = operations(40, [1, 1, 1, 1]);
    let updates = mixed.iter().filter(|o| !["Read", "Increment"].contains(&o.as_str()));
    for (new, update) in (1..).zip(updates) {
        assert!([format!("Write({new})"), swap(new)].contains(update), "{new}: {update}");
    }
}

#[test]
fn each_operation_is_on_one_of_the_keys() {
    let lines = requested(r#"{"operations": 40, "keys": 3}"#);
    assert_eq!(lines.len(), 80);
    let key = |line: &String| {
        let (_, rest) = line.split_once("key: ").expect("a key");
        rest.split_once(',').expect("its end").0.parse::<Key>().expect("a number")
    };
    assert_eq!(lines.iter().map(key).collect::<BTreeSet<_>>(), [0, 1, 2].into());
}

#[test]
fn the_operator_tells_all_other_servers_who_is_down() {
    let workload = r#"{"operations": 0, "operator": [{"declares": "p1", "at": "30ms"}]}"#;
    let roles = [(SERVER, 3), (CLIENT, 1)];
    let bench = Bench::with_roles::<Stub<Prompt>>(&roles).workload(workload);
    let expected = ["30ms p0 DeclareDown(p1)", "30ms p2 DeclareDown(p1)"];
    assert_eq!(requests(&bench.run(1)), expected);
}

#[test]
fn the_workload_refuses_what_cannot_be() {
    let roles = vec![(SERVER.into(), 2), (CLIENT.into(), 1)];
    let setting = Setting { roles, ..Setting::of(3) };
    let refused = |settings: ServiceWorkload| {
        Service::<Never>::workload(&settings, &setting).err().map(|invalid| invalid.key)
    };
    let of = |keys, [reads, writes, increments, swaps]: [u32; 4]| ServiceWorkload {
        keys,
        reads,
        writes,
        increments,
        swaps,
        ..Default::default()
    };
    for weights in [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]] {
        assert_eq!(refused(of(1, weights)), None, "{weights:?}");
    }
    assert_eq!(refused(of(0, [1; 4])).as_deref(), Some("keys"));
    assert_eq!(refused(of(1, [0; 4])).as_deref(), Some("reads"));
    let declares = |p| {
        let operator = vec![Declaration { declares: ProcessId(p), at: Duration::ZERO }];
        refused(ServiceWorkload { operator, ..Default::default() })
    };
    assert_eq!(declares(1), None);
    assert_eq!(declares(2).as_deref(), Some("operator"), "it is a client");
}
