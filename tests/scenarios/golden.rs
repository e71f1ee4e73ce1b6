//! Golden traces: whole runs, short enough to be read aloud. Each tells one story of the
//! literature.
//!
//! `UPDATE_EXPECT=1 cargo test --test scenarios golden` rewrites them; commit a rewrite with the
//! sentence that explains it.

use std::path::Path;

use crate::shipped;
use expect_test::expect_file;
use ftsim::Catalogue;
use ftsim::run;
use ftsim::scenario::Scenario;
use ftsim_reports::{write_outcome, write_trace};

/// The trace and the verdicts of one seed of a scenario, as text without colours.
fn check(scenario: &str, seed: u64) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(shipped::file(scenario)).expect("a readable scenario");
    let Ok(scenario_read) = Scenario::parse(scenario, &text, &Catalogue::builtin()) else {
        panic!("{scenario} is refused")
    };
    let (outcome, trace) = run::record(&scenario_read, seed).expect("ftsim does not fail");
    let mut shown = Vec::new();
    let mut plain = anstream::StripStream::new(&mut shown);
    write_trace(&mut plain, &trace).expect("a vector takes all");
    std::io::Write::write_all(&mut plain, b"\n").expect("a vector takes all");
    write_outcome(&mut plain, &outcome).expect("a vector takes all");
    let shown = String::from_utf8(shown).expect("text");
    expect_file![root.join(format!("tests/golden/{scenario}.txt"))].assert_eq(&shown);
}

#[test]
fn a_sender_dies_in_mid_broadcast_and_one_process_never_hears() {
    check("sender-dies-in-mid-broadcast", 1);
}

#[test]
fn a_relay_saves_what_its_sender_could_not_finish() {
    check("sender-dies-before-self-delivery", 1);
}

#[test]
fn flooding_goes_one_round_further_for_each_crash() {
    check("flooding-consensus-one-crash-per-round", 1);
}

#[test]
fn two_wrong_suspicions_make_two_decisions() {
    check("flooding-consensus-imperfect-fd", 1);
}

#[test]
fn a_coordinator_dies_between_two_commits_and_the_others_wait() {
    check("2pc-coordinator-crash-cooperative", 1);
}

#[test]
fn a_participant_votes_before_it_logs_and_forgets() {
    check("2pc-vote-before-log", 1);
}

#[test]
fn a_message_is_received_in_a_cut_in_which_it_was_never_sent() {
    check("cut-with-an-orphan", 1);
}
