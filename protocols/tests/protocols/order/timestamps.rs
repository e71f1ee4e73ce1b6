use std::collections::BTreeMap;

use ftsim_core::bench::{Bench, Run};
use ftsim_core::environment::network::Order;
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_protocols::order::{LamportTom, LamportTomFt};

/// The numbers in a text.
fn numbers(text: &str) -> Vec<u64> {
    let digits = text.split(|c: char| !c.is_ascii_digit());
    digits.filter_map(|number| number.parse().ok()).collect()
}

/// Asserts that each process delivers in the order of timestamps and senders. Returns the number of
/// deliveries, and how many of them have the timestamp of the one before.
fn in_the_order_of_timestamps(run: &Run) -> (usize, usize) {
    let (mut stamps, mut last) = (BTreeMap::new(), BTreeMap::new());
    let (mut deliveries, mut ties) = (0, 0);
    for entry in &run.trace.entries {
        let Some(p) = entry.process else { continue };
        match &entry.what {
            TraceEvent::Send { kind, message, .. } if kind == "Data" => {
                let numbers = numbers(message);
                let (Some(time), Some(number)) = (numbers.first(), numbers.last()) else {
                    panic!("{message}");
                };
                stamps.insert((u64::from(p.0), *number), (*time, u64::from(p.0)));
            }
            TraceEvent::Indicate { what, .. } => {
                let [sender, number] = numbers(what)[..] else { panic!("{what}") };
                let stamp = stamps[&(sender, number)];
                if let Some(before) = last.insert(p, stamp) {
                    assert!(before < stamp, "{p}: {stamp:?} after {before:?}");
                    ties += usize::from(before.0 == stamp.0);
                }
                deliveries += 1;
            }
            _ => {}
        }
    }
    (deliveries, ties)
}

#[test]
fn deliveries_are_in_the_order_of_timestamps_and_of_ids_where_these_are_equal() {
    let workload = r#"{"broadcasts": 3, "every": "4ms"}"#;
    let plain = Bench::of::<LamportTom>(4).workload(workload);
    let tolerant = Bench::of::<LamportTomFt>(4).workload(workload);
    let tolerant = tolerant.perfect_detector("0ms..20ms").random_crashes(3, "0ms..30ms");
    for mut bench in [plain, tolerant] {
        bench.experiment.network.default.order = Order::Fifo;
        let (mut deliveries, mut ties) = (0, 0);
        for seed in 0..100 {
            let counts = in_the_order_of_timestamps(&bench.run(seed));
            deliveries += counts.0;
            ties += counts.1;
        }
        assert!(deliveries > 1_000 && ties > 100, "{deliveries}, {ties}");
    }
}
