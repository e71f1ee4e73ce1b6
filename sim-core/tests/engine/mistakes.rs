//! The mistakes of a detector that each seed draws, as they are asked for.

use std::collections::BTreeSet;

use ftsim_core::environment::detector::RandomMistakes;
use ftsim_core::time::CountRange;
use ftsim_core::{Duration, DurationRange, ProcessId};

use crate::scripted::ms;

fn mistakes(min: u64, max: u64) -> RandomMistakes {
    let duration =
        DurationRange { min: Duration::from_millis(min), max: Duration::from_millis(max) };
    RandomMistakes { count: CountRange { min: 2, max: 5 }, duration, until: ms(100) }
}

#[test]
fn each_is_of_another_process_and_withdrawn_in_time() {
    let mut counts = BTreeSet::new();
    let (mut subjects, mut latest, mut cut_short) = (BTreeSet::new(), ms(0), 0);
    for seed in 0..400 {
        let drawn = mistakes(10, 20).of_seed(3, seed);
        for observer in (0..3).map(ProcessId) {
            let own: Vec<_> = drawn.iter().filter(|m| m.observer == observer).collect();
            counts.insert(own.len());
            for mistake in own {
                let until = mistake.until.expect("they end");
                assert!(mistake.suspects != observer && until <= ms(100), "{mistake:?}");
                let lasts = until.since(mistake.at);
                assert!(lasts <= Duration::from_millis(20) && lasts > Duration::ZERO);
                cut_short += u32::from(lasts < Duration::from_millis(10));
                assert!(lasts >= Duration::from_millis(10) || until == ms(100), "{mistake:?}");
                subjects.insert((observer, mistake.suspects));
                latest = latest.max(mistake.at);
            }
        }
    }
    // At most five, and fewer where a process would have suspected itself.
    assert_eq!(counts, (0..=5).collect());
    assert_eq!((subjects.len(), latest > ms(99), cut_short > 0), (6, true, true));
}

#[test]
fn those_that_are_withdrawn_at_once_are_none() {
    assert!((0..50).all(|seed| mistakes(0, 0).of_seed(4, seed).is_empty()));
    let at_once = RandomMistakes { until: ms(0), ..mistakes(5, 5) };
    assert!((0..50).all(|seed| at_once.of_seed(4, seed).is_empty()));
}
