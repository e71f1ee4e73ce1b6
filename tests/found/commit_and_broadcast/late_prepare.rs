//! A participant that only read voted, left, crashed, and took a late copy of PREPARE for a
//! transaction that it had lost: it voted No and announced an abort while the others committed.

use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{Outcome, ProcessId, Trace};

use super::{parse, violated};
use crate::shipped;

const READER: ProcessId = ProcessId(1);

fn late_prepare() -> (Outcome, Trace) {
    let shipped = shipped::scenarios();
    let named = shipped.iter().find(|(name, _)| name == "2pc-read-only-late-prepare");
    let (_, scenario) = named.expect("a scenario that is shipped");
    ftsim::run::record(scenario, 1).expect("ftsim does not fail")
}

#[test]
fn a_late_prepare_does_not_abort_what_others_commit() {
    let (outcome, trace) = late_prepare();
    assert_eq!(violated(&outcome), [""; 0]);
    let told = |what: &str| {
        let says = |h: &TraceEvent| matches!(h, TraceEvent::Indicate { what: w, .. } if *w == what);
        trace.entries.iter().filter(|e| says(&e.what)).map(|e| e.process).collect::<Vec<_>>()
    };
    assert_eq!(told("Committed(1)"), [Some(ProcessId(0)), Some(ProcessId(2))]);
    assert_eq!(told("Aborted(1)"), []);
}

#[test]
fn whoever_has_left_votes_once() {
    let (_, trace) = late_prepare();
    let reader = trace.entries.iter().filter(|entry| entry.process == Some(READER));
    let (mut asked, mut votes) = (0, 0);
    for entry in reader {
        match &entry.what {
            TraceEvent::Deliver { message, .. } if message.starts_with("Prepare") => asked += 1,
            TraceEvent::Send { message, .. } if message.starts_with("Vote") => votes += 1,
            _ => {}
        }
    }
    assert_eq!((asked, votes), (2, 1));
}

/// Every presumption and both terminations, with doubled messages and crashes.
#[test]
fn readers_that_forget_break_nothing_while_messages_are_doubled() {
    for presume in ["nothing", "abort", "commit"] {
        for termination in ["wait", "cooperative"] {
            let scenario = parse(&format!(
                r#"
                protocol  = "two-phase-commit"
                processes = {{ coordinator = 1, participant = 3 }}
                network   = {{ delay = "1ms..40ms", duplicate = 0.3 }}
                workload  = {{ transactions = 8, every = "60ms", read_only = 0.4 }}
                run       = {{ horizon = "5s" }}
                [params]
                presume = "{presume}"
                termination = "{termination}"
                read_only = true
                [random]
                max_faulty = 2
                crash = {{ count = "0..4", between = "0s..500ms", recover_after = "1ms..30ms" }}
                "#
            ));
            let scenario = scenario.unwrap_or_else(|told| panic!("{told}"));
            let mut runner = scenario.prepare().expect("a scenario that was accepted");
            for seed in 0..300 {
                let found = violated(&runner.run(seed));
                assert_eq!(found, [""; 0], "{presume}, {termination}, seed {seed}");
            }
        }
    }
}
