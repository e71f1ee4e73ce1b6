//! What a request costs, and what is refused.

use ftsim_core::bench::Bench;
use ftsim_protocols::replication::NaiveReplication;

fn bench(servers: u32, clients: u32) -> Bench {
    Bench::with_roles::<NaiveReplication>(&[("server", servers), ("client", clients)])
}

#[test]
fn a_request_costs_2_s_messages_and_2_steps() {
    for s in [1, 2, 5] {
        let workload = r#"{"operations": 1, "think": "0ms"}"#;
        let run = bench(s, 1).workload(workload).lockstep().run(1);
        assert_eq!(run.statistics.sent(), u64::from(2 * s), "{s} servers");
        assert_eq!(run.indication_steps().last(), Some(&2), "{s} servers");
    }
}

#[test]
fn several_clients_are_refused_unless_that_is_what_is_shown() {
    assert!(bench(2, 1).refused().is_none());
    assert!(bench(2, 2).refused().is_some());
    assert!(bench(2, 2).mutant("unordered").refused().is_none());
}
