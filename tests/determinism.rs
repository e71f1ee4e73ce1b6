//! Determinism: every scenario's runs have the digest that is committed, in debug and in release,
//! and have it twice.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use ftsim::scenario::Scenario;
use ftsim::{Catalogue, sweep};

/// Seeds of each scenario that are run.
const SEEDS: std::ops::Range<u64> = 1..6;

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let entries = fs::read_dir(folder).expect("a readable folder");
    let mut files: Vec<PathBuf> = entries.map(|e| e.expect("a readable entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    files
}

/// A line for each scenario: its name, and the digest of its runs on so many threads.
fn digests(jobs: usize) -> String {
    let catalogue = Catalogue::builtin();
    let mut lines = String::new();
    for path in scenarios() {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let text = fs::read_to_string(&path).expect("a readable scenario");
        let Ok(scenario) = Scenario::parse(name, &text, &catalogue) else {
            panic!("{name} is refused")
        };
        let tally = sweep::sweep(&scenario, SEEDS, jobs, &|_| {}).expect("ftsim does not fail");
        writeln!(lines, "{} {name}", tally.digest()).expect("a string takes all");
    }
    lines
}

/// This test runs in debug and in release, and both find what is committed. A change of these
/// digests is a change of what old seeds mean: the commit says why.
#[test]
fn runs_have_the_digests_that_are_committed() {
    expect_file!["digests.txt"].assert_eq(&digests(1));
}

#[test]
fn runs_are_the_same_again_and_on_any_number_of_threads() {
    assert_eq!(digests(1), digests(3));
}
