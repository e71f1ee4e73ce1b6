//! The adversary does what its behaviour says, and nothing that it may not.

use std::collections::BTreeSet;

use ftsim_core::adversary::Behaviour;
use ftsim_core::fault::Action;
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{Duration, ProcessId, ProcessSet, Trace, Verdict};

use crate::scripted::{CENSOR, Do, SEVENS, Stage, at, crash, ms};

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
        (TraceEvent::Deliver { from: ProcessId(0), message, .. }, Some(p)) if p.0 != 0 => {
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

/// Who delivers what: (place, sender, word).
fn deliveries(trace: &Trace) -> Vec<(u32, u32, String)> {
    let delivered = trace.entries.iter().filter_map(|entry| match (&entry.what, entry.process) {
        (TraceEvent::Deliver { from, message, .. }, Some(p)) => {
            Some((p.0, from.0, message.clone()))
        }
        _ => None,
    });
    delivered.collect()
}

#[test]
fn of_twins_each_other_process_talks_with_one() {
    let mut shares = BTreeSet::new();
    for seed in 0..40 {
        let (outcome, trace) = stage(Behaviour::Twins).simulation().record(seed);
        assert_eq!(outcome.panicked, None);
        let all = deliveries(&trace);
        // All three others hear all three broadcasts, once, whichever copy says so.
        let heard: Vec<_> =
            all.iter().filter(|(p, from, _)| *from == 0 && (1..4).contains(p)).collect();
        assert_eq!(heard.len(), 9, "{all:?}");
        // Both copies are asked, and each hears itself.
        let own = |place| all.iter().filter(|d| **d == (place, 0, "Data(100)".into())).count();
        assert_eq!((own(0), own(4)), (3, 3), "{all:?}");
        // What p1 says reaches one copy.
        let by_p1: Vec<u32> = all
            .iter()
            .filter(|(p, from, _)| *from == 1 && [0, 4].contains(p))
            .map(|d| d.0)
            .collect();
        assert_eq!(by_p1.len(), 1, "{all:?}");
        shares.insert(by_p1[0]);
    }
    assert_eq!(shares.len(), 2);
}

#[test]
fn twins_have_timers_and_coins_of_their_own() {
    let lines = [(0, 0, vec![Do::SetTimer(50, 1), Do::Toss]), (60, 0, vec![Do::Toss])];
    let twins = Action::Corrupt(ProcessId(0), Behaviour::Twins);
    for from in [0, 20] {
        let said = Stage::new(3, &lines).fault(at(from), twins.clone()).play();
        let rang: Vec<&String> = said.iter().filter(|line| line.contains("Rang(1)")).collect();
        assert_eq!(rang, ["50 p0 Rang(1)", "50 p3 Rang(1)"], "{said:?}");
        let tosses: BTreeSet<&str> = said
            .iter()
            .filter(|l| l.contains("Toss"))
            .filter_map(|l| l.split(' ').nth(2))
            .collect();
        assert_eq!(tosses.len(), if from == 0 { 4 } else { 3 }, "{said:?}");
    }
}

#[test]
fn twins_stop_together() {
    let lines = [(60, 0, vec![Do::Broadcast(1)])];
    let twins = Action::Corrupt(ProcessId(0), Behaviour::Twins);
    let (_, trace) = Stage::new(3, &lines).fault(at(0), twins).fault(at(50), crash(0)).record();
    assert_eq!(deliveries(&trace), []);
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

/// When p1 to p3 heard p0's words.
fn heard_at(trace: &Trace) -> Vec<Duration> {
    let from_p0 = trace.entries.iter().filter(|entry| match entry.what {
        TraceEvent::Deliver { from, .. } => from == ProcessId(0) && entry.process != Some(from),
        _ => false,
    });
    from_p0.map(|entry| entry.at.since(ms(0))).collect()
}

#[test]
fn what_is_held_back_comes_later_as_it_was() {
    let longest = Duration::from_millis(30);
    let mut late = 0;
    for seed in 0..50 {
        let delay = Behaviour::Delay(longest);
        let got = heard(&delay, seed);
        assert!(got.len() == 9 && got.iter().all(|(_, word)| *word == 100), "{got:?}");
        // Broadcasts are 20 ms apart, and a message takes 10 ms.
        let (_, trace) = stage(delay).simulation().record(seed);
        let times = heard_at(&trace);
        assert!(times.iter().all(|at| *at <= Duration::from_millis(50) + longest), "{times:?}");
        let on_time = [10, 30, 50].map(Duration::from_millis);
        late += times.iter().filter(|at| !on_time.contains(at)).count();
    }
    assert!(late > 440, "{late} of 450");
}

#[test]
fn what_a_crashed_liar_held_back_is_never_sent() {
    let stage = stage(Behaviour::Delay(Duration::from_secs(100))).fault(at(60), crash(0));
    let (_, trace) = stage.with(|e| e.limits.horizon = ms(200_000)).record();
    assert_eq!(heard_at(&trace), []);
}

#[test]
fn those_who_collude_tell_one_receiver_the_same() {
    let circle: ProcessSet = [ProcessId(0), ProcessId(1)].into_iter().collect();
    let lines: Vec<_> = (0..2).map(|p| (5, p, vec![Do::Broadcast(100)])).collect();
    let lines = [lines, vec![(30, 1, vec![Do::Broadcast(100)])]].concat();
    let (mut lies, mut splits) = (0, 0);
    for seed in 0..50 {
        let mut stage = Stage::new(4, &lines);
        for p in [0, 1] {
            stage = stage
                .fault(at(0), Action::Corrupt(ProcessId(p), Behaviour::Collude(circle.clone())));
        }
        let (_, trace) = stage.simulation().record(seed);
        let told = [2, 3].map(|to| {
            let words = trace.entries.iter().filter_map(|entry| match &entry.what {
                TraceEvent::Deliver { message, .. } if entry.process == Some(ProcessId(to)) => {
                    Some(message)
                }
                _ => None,
            });
            let words: Vec<_> = words.collect();
            assert!(words.len() == 3 && words.iter().all(|word| *word == words[0]), "{words:?}");
            words[0].clone()
        });
        lies += u32::from(told.iter().any(|word| word != "Data(100)"));
        splits += u32::from(told[0] != told[1]);
    }
    assert!(lies > 25 && splits > 20, "{lies} {splits}");
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
            if let TraceEvent::Deliver { from, message, .. } = &entry.what
                && *from != ProcessId(0)
            {
                assert_eq!(message, "Data(200)", "only p0 lies");
            }
        }
    }
}

const BEHAVIOURS: [fn() -> Behaviour; 7] = [
    || Behaviour::Silent,
    || Behaviour::Delay(Duration::from_millis(30)),
    || Behaviour::Equivocate,
    || Behaviour::Mutate,
    || Behaviour::Replay,
    || Behaviour::Collude([0, 3].into_iter().map(ProcessId).collect()),
    || Behaviour::Random,
];

/// p0 lies; p1 to p3 talk, wait for their timers, and write to their disks.
fn busy(behaviour: Option<Behaviour>, seed: u64) -> Trace {
    let mut lines: Vec<_> = (0..5).map(|i| (20 * i, 0, vec![Do::Broadcast(100 + i)])).collect();
    for p in 1..4 {
        let own = vec![Do::SetTimer(70, 1), Do::Send(p % 3 + 1, SECRET), Do::Append(7), Do::Sync];
        lines.push((5, p, own));
        lines.push((65, p, vec![Do::Broadcast(300), Do::Toss, Do::Clock]));
    }
    let mut stage = Stage::new(4, &lines);
    if let Some(behaviour) = behaviour {
        stage = stage.fault(at(0), Action::Corrupt(ProcessId(0), behaviour));
    }
    let (outcome, trace) = stage.simulation().record(seed);
    assert_eq!(outcome.panicked, None);
    trace
}

/// Sent among correct processes only.
const SECRET: u64 = 777_777;

#[test]
fn among_correct_processes_nothing_is_lost_late_or_changed_and_time_goes_on() {
    // All that p1 to p3 do and hear, apart from what p0 tells them.
    let correct = |trace: Trace| -> Vec<_> {
        let lines = trace.entries.into_iter().filter(|entry| match &entry.what {
            TraceEvent::Deliver { from, .. } => *from != ProcessId(0),
            TraceEvent::Indicate { what, .. } => !what.starts_with("Heard(0,"),
            TraceEvent::Corrupt { .. } => false,
            _ => true,
        });
        let of_correct = lines.filter(|entry| entry.process.is_some_and(|p| p.0 != 0));
        let mut lines: Vec<_> = of_correct
            .map(|entry| match entry.what {
                TraceEvent::Deliver { from, message, .. } => {
                    format!("{} {from} {message}", entry.at)
                }
                TraceEvent::Send { to, message, .. } => format!("{} to {to} {message}", entry.at),
                other => format!("{} {other:?}", entry.at),
            })
            .collect();
        lines.sort();
        lines
    };
    let honest = correct(busy(None, 1));
    assert!(honest.len() > 40, "{honest:?}");
    for behaviour in BEHAVIOURS {
        for seed in 0..20 {
            // The toss is the only draw from the seed.
            assert_eq!(correct(busy(Some(behaviour()), seed)), correct(busy(None, seed)));
        }
    }
}

#[test]
fn a_liar_does_not_know_what_correct_processes_tell_each_other() {
    for behaviour in BEHAVIOURS {
        for seed in 0..100 {
            let trace = busy(Some(behaviour()), seed);
            for entry in trace.entries.iter().filter(|entry| entry.process == Some(ProcessId(0))) {
                let TraceEvent::Send { message, .. } = &entry.what else { continue };
                assert!(!message.contains(&SECRET.to_string()), "{message}");
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
