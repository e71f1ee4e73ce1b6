//! The small world for tests of protocols, and histories written by hand.

use ftsim_core::bench::history::{Act, check, judge};
use ftsim_core::bench::{Bench, STEP, after_effect, sends};
use ftsim_core::environment::network::DropReason;
use ftsim_core::fault::InFlight;
use ftsim_core::{Duration, ProcessId, Setting, Verdict};

use crate::scripted::{Actor, CENSOR, Do, SEVENS, SOURCES, Said, Theatre};
use crate::worlds::chatter::Chatter;
use crate::worlds::topics::{self, Topics};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);

/// Two actors; p0 sends to p1, and says these words when p1 has heard it.
fn bench(lines: &[(u64, u32, Vec<Do>)]) -> Bench {
    let lines = serde_json::to_string(lines).expect("JSON");
    let bench = Bench::of::<Actor>(2).params(r#"{"lines": []}"#);
    bench.workload(&format!("{{\"lines\": {lines}}}")).lockstep()
}

#[test]
fn a_run_counts_steps_indications_and_violations() {
    let lines = [(0, 0, vec![Do::Say(1), Do::Send(1, 5)]), (25, 0, vec![Do::Say(13)])];
    let run = bench(&lines).run(1);
    assert_eq!(run.violated(), [CENSOR.0]);
    assert_eq!(run.indication_steps(), [0, 1, 2]);
    assert_eq!(run.steps(), 2);
    let good = [(0, 0, vec![Do::Say(1)])];
    assert_eq!(bench(&good).run(1).violated(), [] as [&str; 0]);
    assert_eq!(bench(&lines).violated_in(1..4), vec![vec![CENSOR.0]; 3]);
    assert_eq!(bench(&good).check(SEVENS).violated_in(1..2), vec![vec![SEVENS.0]]);
    assert!(bench(&good).refused().is_none());
    let key = |bench: Bench| bench.refused().map(|refused| refused.key);
    assert_eq!(key(bench(&good).workload(r#"{"lines": 1}"#)).as_deref(), Some("workload.lines"));
    assert_eq!(key(bench(&good).params("7")).as_deref(), Some("params"));
}

#[test]
fn a_crash_keeps_or_loses_what_is_under_way() {
    let lines = [(0, 0, vec![Do::Send(1, 5), Do::Say(1)])];
    let heard = |bench: Bench| bench.run(1).statistics.delivered;
    assert_eq!(heard(bench(&lines).crash(0, sends(0, "Word", 1))), 1);
    assert_eq!(heard(bench(&lines).crash_with(0, after_effect(0, 1), InFlight::Lose)), 0);
}

#[test]
fn a_detector_reports_a_crash_after_its_delay() {
    let lines = [(0, 0, vec![Do::Say(1)])];
    let run = bench(&lines).crash(0, after_effect(0, 1)).perfect_detector("30ms").run(1);
    let suspicions = run.trace.entries.iter().filter(|entry| {
        let text = format!("{:?}", entry.what);
        text.starts_with("Suspect") && entry.at.as_nanos() == 30_000_000
    });
    assert_eq!(suspicions.count(), 1);
}

#[test]
fn a_history_is_judged_event_by_event() {
    let says = |p, word| Act::Indicate(p, Said::Word(word));
    let all = |history: &[Act<Theatre>]| check(2, history);
    assert_eq!(all(&[says(P0, 7), says(P1, 7)]), [] as [&str; 0]);
    assert_eq!(all(&[says(P0, 13), says(P0, 7), says(P1, 7)]), [CENSOR.0]);
    assert_eq!(all(&[says(P0, 7)]), [SEVENS.0]);
    assert_eq!(all(&[says(P0, 7), Act::Crash(P1)]), [] as [&str; 0]);
    assert_eq!(all(&[says(P0, 7), Act::Crash(P1), Act::Recover(P1)]), [SEVENS.0]);
    let sevens = || [says(P0, 7), says(P1, 7)];
    let received = [&sevens()[..], &[Act::Send(P0, 3), Act::Receive(P1, 3)]].concat();
    assert_eq!(all(&received), [] as [&str; 0]);
    assert_eq!(all(&[&sevens()[..], &[Act::Receive(P1, 3)]].concat()), [SOURCES.0]);
    let verdicts = judge(&Setting::of(2), &[says(P0, 1), says(P0, 13)], true);
    let (id, Verdict::Violated(violation)) = &verdicts[0] else { panic!("{verdicts:?}") };
    assert_eq!((*id, violation.witnesses.as_slice()), (CENSOR.0, &[P0][..]));
    let judged = judge::<Theatre>(&Setting::of(2), &sevens(), true);
    let of = |id: &str| &judged.iter().find(|(known, _)| *known == id).expect("judged").1;
    assert_eq!(of(SEVENS.0), &Verdict::Held);
    assert_eq!(of(SOURCES.0), &Verdict::HeldVacuously, "nothing was received");
    assert_eq!(Duration::from_millis(10), STEP);
}

#[test]
fn an_event_of_a_history_happens_at_the_millisecond_of_its_number() {
    let heard = || Act::<Topics>::Indicate(P1, topics::Said::Heard { from: P0, topic: 7 });
    let verdicts = judge(&Setting::of(2), &[heard(), heard(), heard(), heard()], true);
    let (id, Verdict::Violated(violation)) = &verdicts[0] else { panic!("{verdicts:?}") };
    let expected = (topics::SELDOM.0, "p1 heard 7 again and again until 3ms");
    assert_eq!((*id, violation.message.as_str()), expected);
}

#[test]
fn messages_that_take_just_the_bound_are_no_failure() {
    let calm = || Bench::of::<Chatter>(3).lockstep().workload(r#"{"n": 3, "count": 3}"#);
    let late = || {
        let mut late = calm();
        late.experiment.network.bound = STEP - Duration::from_micros(2);
        late
    };
    for seed in 0..10 {
        // The measure of this property has a half for a run that is free of failures.
        let half = |bench: Bench| {
            let run = bench.run(seed);
            let all_exist = run.statistics.dropped_for(DropReason::NoSuchProcess) == 0;
            (run.outcome.judged[1].measured.map(f64::fract), all_exist)
        };
        let (free, all_exist) = half(calm());
        assert_eq!(free, Some(if all_exist { 0.5 } else { 0.0 }), "seed {seed}");
        assert_eq!(half(late()).0, Some(0.0), "seed {seed}");
    }
    let all_exist = |seed| calm().run(seed).statistics.dropped_for(DropReason::NoSuchProcess) == 0;
    assert!((0..10).any(all_exist));
}
