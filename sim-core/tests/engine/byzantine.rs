//! The adversary does what its behaviour says, and nothing that it may not.

use std::collections::BTreeSet;

use ftsim_core::adversary::Behaviour;
use ftsim_core::fault::Action;
use ftsim_core::trace::Happening;
use ftsim_core::{ProcessId, Verdict};

use crate::scripted::{CENSOR, Do, SEVENS, Stage, at};

/// p0 is Byzantine and broadcasts 100 three times; p1 broadcasts 200 once.
fn stage(behaviour: Behaviour) -> Stage {
    let mut lines: Vec<_> = (0..3).map(|i| (20 * i, 0, vec![Do::Broadcast(100)])).collect();
    lines.push((5, 1, vec![Do::Broadcast(200)]));
    Stage::new(4, &lines).fault(at(0), Action::Corrupt(ProcessId(0), behaviour))
}

/// What was delivered of p0's messages in this run: receiver and word.
fn heard(behaviour: &Behaviour, seed: u64) -> Vec<(u32, u64)> {
    let (outcome, trace) = stage(behaviour.clone()).simulation().record(seed);
    assert_eq!(outcome.panicked, None);
    let delivered = trace.entries.iter().filter_map(|entry| match (&entry.what, entry.process) {
        (Happening::Deliver { from: ProcessId(0), message, .. }, Some(p)) if p.0 != 0 => {
            let word = message.trim_start_matches("Data(").trim_end_matches(')').parse();
            Some((p.0, word.expect("a word")))
        }
        _ => None,
    });
    delivered.collect()
}

#[test]
fn silence_and_withholding_lose_exactly_what_they_should() {
    assert_eq!(heard(&Behaviour::Silent, 1), []);
    let but_p1 = Behaviour::Withhold([ProcessId(1)].into_iter().collect());
    let got = heard(&but_p1, 1);
    assert_eq!(got.len(), 6);
    assert!(got.iter().all(|(p, word)| *p != 1 && *word == 100), "{got:?}");
}

#[test]
fn equivocation_tells_receivers_of_one_broadcast_different_things() {
    let differ = |seed: &u64| {
        let got = heard(&Behaviour::Equivocate, *seed);
        assert_eq!(got.len(), 9);
        got.chunks(3).any(|b| b.iter().map(|(_, w)| w).collect::<BTreeSet<_>>().len() > 1)
    };
    assert!((0..50).filter(differ).count() > 40);
}

#[test]
fn a_consistent_lie_is_the_same_to_everybody() {
    for seed in 0..50 {
        let got = heard(&Behaviour::Mutate, seed);
        for broadcast in got.chunks(3) {
            let words: BTreeSet<u64> = broadcast.iter().map(|(_, word)| *word).collect();
            assert_eq!(words.len(), 1, "{got:?}");
            assert!(!words.contains(&100), "{got:?}");
        }
    }
}

#[test]
fn replays_say_only_what_was_said_before() {
    let got = heard(&Behaviour::Replay, 1);
    assert!(got.len() > 9 && got.iter().all(|(_, word)| *word == 100), "{got:?}");
}

#[test]
fn anything_uses_values_of_the_run_too() {
    let words: BTreeSet<u64> =
        (0..200).flat_map(|seed| heard(&Behaviour::Random, seed)).map(|(_, word)| word).collect();
    assert!([0, 99, 100, 101, 200].iter().all(|word| words.contains(word)), "{words:?}");
}

#[test]
fn nobody_speaks_in_anothers_name() {
    for seed in 0..100 {
        let (_, trace) = stage(Behaviour::Random).simulation().record(seed);
        for entry in &trace.entries {
            if let Happening::Deliver { from, message, .. } = &entry.what
                && *from != ProcessId(0)
            {
                assert_eq!(message, "Data(200)", "only p0 lies");
            }
        }
    }
}

#[test]
fn what_a_corrupted_process_announces_nobody_believes_and_it_owes_nothing() {
    let lines = [(5, 0, vec![Do::Say(13)]), (5, 1, vec![Do::Say(7)])];
    let stage = Stage::new(2, &lines).with(|e| e.check = vec![SEVENS]);
    let stage = stage.fault(at(0), Action::Corrupt(ProcessId(0), Behaviour::Silent));
    let (outcome, _) = stage.record();
    let verdict = |id| &outcome.judged.iter().find(|j| j.id == id).expect("it was checked").verdict;
    assert_eq!(verdict(CENSOR), &Verdict::Held);
    assert_eq!(verdict(SEVENS), &Verdict::Held);
}

#[test]
fn runs_with_an_adversary_repeat() {
    let mut simulation = stage(Behaviour::Random).simulation();
    let digests: Vec<_> = (0..20).map(|seed| simulation.run(seed).digest).collect();
    let again: Vec<_> =
        (0..20).map(|seed| stage(Behaviour::Random).simulation().run(seed).digest).collect();
    assert_eq!(digests, again);
}
