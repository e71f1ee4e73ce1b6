//! Determinism: every scenario's runs have the digest that is committed, in debug and in release,
//! and have it twice.

use crate::shipped;
use std::fmt::Write as _;

use expect_test::expect_file;
use ftsim::sweep;

/// Seeds of each scenario that are run.
const SEEDS: std::ops::Range<u64> = 1..6;

/// A line for each scenario: its name, and the digest of its runs on so many threads.
fn digests(jobs: usize) -> String {
    let mut lines = String::new();
    for (name, scenario) in shipped::scenarios() {
        let tally = sweep::sweep(&scenario, SEEDS, jobs, &|_| {}).expect("ftsim does not fail");
        writeln!(lines, "{} {name}", tally.digest()).expect("a string takes all");
    }
    lines
}

/// This test runs in debug and in release, and both find what is committed. A change of these
/// digests is a change of what old seeds mean: the commit says why.
#[test]
fn runs_have_the_digests_that_are_committed() {
    expect_file!["../digests.txt"].assert_eq(&digests(1));
}

#[test]
fn runs_are_the_same_again_and_on_any_number_of_threads() {
    assert_eq!(digests(1), digests(3));
}
