use ftsim_core::prelude::*;
use ftsim_protocols::parts::votes::Votes;

/// Votes of p0, p1, … for these values.
fn votes(values: &[u64]) -> Votes<u64> {
    let mut votes = Votes::default();
    for (p, value) in (0..).zip(values) {
        votes.cast(ProcessId(p), *value);
    }
    votes
}

#[test]
fn a_majority_is_more_than_half() {
    assert_eq!(votes(&[1, 2, 1]).majority(), Some(1));
    assert_eq!(votes(&[1, 2]).majority(), None);
    assert_eq!(votes(&[1, 1, 2, 3]).majority(), None);
    assert_eq!(votes(&[]).majority(), None);
}

#[test]
fn of_several_most_frequent_values_the_least_is_taken() {
    assert_eq!(votes(&[3, 2, 3, 2, 9]).most_frequent(), Some((2, 2)));
    assert_eq!(votes(&[7]).most_frequent(), Some((7, 1)));
    assert_eq!(votes(&[]).most_frequent(), None);
}

#[test]
fn only_the_first_vote_of_a_process_counts() {
    let mut votes = votes(&[1, 2]);
    for _ in 0..3 {
        votes.cast(ProcessId(1), 1);
    }
    assert_eq!(votes.of(ProcessId(1)), Some(2));
    assert_eq!(votes.of(ProcessId(2)), None);
    assert_eq!(votes.majority(), None);
}
