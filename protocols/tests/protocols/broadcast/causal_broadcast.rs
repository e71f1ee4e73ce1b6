use ftsim_core::bench::Bench;
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_protocols::broadcast::CausalBroadcast;

const MODES: [&str; 2] = [r#"{"mode": "waiting"}"#, r#"{"mode": "no-waiting"}"#];

#[test]
fn a_broadcast_costs_as_much_as_a_reliable_one() {
    for params in MODES {
        for n in [2, 3, 5, 9] {
            let bench = Bench::of::<CausalBroadcast>(n).params(params).lockstep();
            let run = bench.workload(r#"{"senders": ["p0"]}"#).run(1);
            assert_eq!(run.statistics.sent(), u64::from(n * (n - 1)), "{params}");
            assert_eq!(run.indication_steps().last(), Some(&1), "{params}");
        }
    }
}

#[test]
fn a_message_carries_a_number_for_each_process_or_its_whole_past() {
    let broadcasts = r#"{"broadcasts": 3, "every": "50ms"}"#;
    let longest = |params: &str| {
        let bench = Bench::of::<CausalBroadcast>(4).params(params).workload(broadcasts).lockstep();
        let run = bench.run(1);
        let pasts = run.trace.entries.iter().filter_map(|entry| match &entry.what {
            TraceEvent::Send { message, .. } => {
                let (_, past) = message.split_once("past: ").expect("a past");
                Some(past.matches(',').count())
            }
            _ => None,
        });
        pasts.max().expect("messages")
    };
    // [a, b, c, d]; and eight messages (p, number), all of the first two rounds.
    assert_eq!(longest(MODES[0]), 3);
    assert_eq!(longest(MODES[1]), 8 + 7);
}

#[test]
fn causes_come_before_their_effects_whoever_crashes() {
    let broadcasts = r#"{"broadcasts": 4, "every": "3ms"}"#;
    let mut fallen = [0, 0];
    for (index, (params, mutant)) in MODES.into_iter().zip(["fifo-only", "forget-past"]).enumerate()
    {
        for seed in 0..300 {
            let bench = || Bench::of::<CausalBroadcast>(4).params(params).workload(broadcasts);
            let run = bench().random_crashes(3, "0ms..20ms").run(seed);
            assert_eq!(run.violated(), [] as [&str; 0], "{params}, seed {seed}");
            let without_causes = bench().mutant(mutant).run(seed).violated();
            assert!(matches!(without_causes.as_slice(), [] | ["bc.causal"]), "{without_causes:?}");
            fallen[index] += without_causes.len();
        }
    }
    assert!(fallen.iter().all(|count| *count > 50), "{fallen:?}");
}
