//! Random samples.

use ftsim_core::rng::Rng;

/// A set of `count` numbers below `below`, in ascending order: each such set with the same
/// probability. All numbers, if there are no more than `count`.
///
/// Takes a draw for each number of the set, however many there are to choose from: algorithm F2 of
/// Bentley and Floyd (1987), *A sample of brilliance*.
pub fn sample(count: u32, below: u32, rng: &mut Rng) -> Vec<u32> {
    if count >= below {
        return (0..below).collect();
    }
    let mut chosen = Vec::with_capacity(count as usize);
    for last in below - count..below {
        let drawn = number_up_to(last, rng);
        match chosen.binary_search(&drawn) {
            Err(place) => chosen.insert(place, drawn),
            // `last` is greater than all numbers before.
            Ok(_) => chosen.push(last),
        }
    }
    chosen
}

#[expect(clippy::cast_possible_truncation, reason = "it is at most `last`")]
fn number_up_to(last: u32, rng: &mut Rng) -> u32 {
    rng.between(0, u64::from(last)) as u32
}
