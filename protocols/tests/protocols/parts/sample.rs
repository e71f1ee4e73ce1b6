use std::collections::BTreeMap;

use ftsim_core::rng::Rng;
use ftsim_protocols::parts::sample::sample;

#[test]
fn a_sample_has_as_many_numbers_as_asked_for_and_no_more_than_there_are() {
    let mut rng = Rng::from_bits(1);
    for below in 0..8 {
        for count in 0..10 {
            let numbers = sample(count, below, &mut rng);
            assert_eq!(numbers.len(), count.min(below) as usize);
            assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
            assert!(numbers.iter().all(|number| *number < below));
        }
    }
}

#[test]
fn every_set_is_drawn_equally_often() {
    let mut rng = Rng::from_bits(2);
    let mut counts = BTreeMap::new();
    for _ in 0..35_000 {
        *counts.entry(sample(3, 7, &mut rng)).or_insert(0u32) += 1;
    }
    // 35 sets, 1,000 times each on the average, with a standard deviation of 31.
    assert_eq!(counts.len(), 35);
    assert!(counts.values().all(|count| (850..1_150).contains(count)), "{counts:?}");
}
