use super::*;
use ftsim_core::Verdict;
use ftsim_core::bench::history::{Act, check, judge};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);

fn suspect(q: ProcessId, p: ProcessId) -> Act<FailureDetector> {
    Act::Indicate(q, Indication::Suspect(p))
}

fn trust(q: ProcessId, p: ProcessId) -> Act<FailureDetector> {
    Act::Indicate(q, Indication::Trust(p))
}

/// `q` promises to detect within this many milliseconds, that is, events of the history.
fn promise(q: ProcessId, ms: u64) -> Act<FailureDetector> {
    Act::Indicate(q, Indication::DetectsWithin(Duration::from_millis(ms)))
}

const NONE: [&str; 0] = [];

#[test]
fn a_crash_that_all_detect_in_time_is_good() {
    let good = [promise(P0, 2), promise(P1, 3), Act::Crash(P2), suspect(P1, P2), suspect(P0, P2)];
    assert_eq!(check(3, &good), NONE);
    let verdicts = judge(&Setting::of(3), &good, true);
    assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Held), "{verdicts:?}");
}

#[test]
fn strong_completeness_asks_all_and_weak_completeness_one() {
    let one = [Act::Crash(P2), suspect(P0, P2)];
    assert_eq!(check(3, &one), ["fd.strong-completeness"]);
    let both = ["fd.strong-completeness", "fd.weak-completeness"];
    assert_eq!(check::<FailureDetector>(3, &[Act::Crash(P2)]), both);
    assert_eq!(check(3, &[Act::Crash(P2), suspect(P0, P2), trust(P0, P2)]), both);
    // It was p0 alone that suspected p2, and p0 is gone.
    let last = [Act::Crash(P2), suspect(P0, P2), Act::Crash(P0), suspect(P1, P0)];
    assert_eq!(check(3, &last), both);
}

#[test]
fn who_is_back_need_not_be_suspected() {
    let back = [Act::Crash(P2), suspect(P0, P2), Act::Recover(P2), trust(P0, P2)];
    assert_eq!(check(3, &back), NONE);
    // A detector begins anew with its process.
    let forgets = [Act::Crash(P2), suspect(P0, P2), suspect(P1, P2)];
    let forgets = forgets.into_iter().chain([Act::Crash(P0), Act::Recover(P0)]);
    assert_eq!(check(3, &forgets.collect::<Vec<_>>()), ["fd.strong-completeness"]);
}

#[test]
fn a_suspicion_before_the_crash_is_inaccurate_even_if_taken_back() {
    assert_eq!(check(3, &[suspect(P0, P1), trust(P0, P1)]), ["fd.strong-accuracy"]);
    let early = [suspect(P0, P2), suspect(P1, P2), Act::Crash(P2)];
    assert_eq!(check(3, &early), ["fd.strong-accuracy"]);
}

#[test]
fn weak_accuracy_falls_once_each_correct_process_was_suspected() {
    let all = [suspect(P0, P1), trust(P0, P1), suspect(P1, P0), trust(P1, P0)];
    assert_eq!(check(3, &all), ["fd.strong-accuracy"]);
    assert_eq!(check(2, &all), ["fd.strong-accuracy", "fd.weak-accuracy"]);
    let but_the_crashed = all.into_iter().chain([Act::Crash(P2), suspect(P0, P2), suspect(P1, P2)]);
    let but_the_crashed: Vec<_> = but_the_crashed.collect();
    assert_eq!(check(3, &but_the_crashed), ["fd.strong-accuracy", "fd.weak-accuracy"]);
}

#[test]
fn eventual_accuracy_falls_with_suspicions_that_last() {
    let one = [suspect(P0, P1), suspect(P1, P0), trust(P1, P0)];
    assert_eq!(check(3, &one), ["fd.strong-accuracy", "fd.eventual-strong-accuracy"]);
    let all = [suspect(P0, P1), suspect(P1, P0)];
    let eventual = ["fd.eventual-strong-accuracy", "fd.eventual-weak-accuracy"];
    assert_eq!(check(2, &all)[2..], eventual);
    // The suspicions of a faulty process do not count.
    let faulty = [suspect(P2, P1), Act::Crash(P2), suspect(P0, P2), suspect(P1, P2)];
    assert_eq!(check(3, &faulty), ["fd.strong-accuracy"]);
}

/// Whether p1, which may promise to learn from its mistakes, is eventually accurate about p0 if it
/// suspects it from the one to the other of these milliseconds of 800.
fn accurate(promise: Option<u64>, suspected: &[(u64, u64)], cause: EndCause) -> bool {
    let mut property = EventualAccuracy::of(Strength::Strong);
    let at = |ms| Instant::ZERO + Duration::from_millis(ms);
    let promise = promise.map(|most| (0, Indication::ErrsAtMost(most)));
    let suspicions = suspected
        .iter()
        .flat_map(|(from, to)| [(*from, Indication::Suspect(P0)), (*to, Indication::Trust(P0))]);
    for (ms, what) in promise.into_iter().chain(suspicions).filter(|(ms, _)| *ms < 800) {
        let event = Observed { at: at(ms), process: P1, what: Observation::Indication(&what) };
        property.observe(&event).expect("liveness is judged at the end");
    }
    property.finish(&End::new(at(800), cause, &[true, true])).is_ok()
}

#[test]
fn a_late_mistake_that_is_taken_back_is_one_of_finitely_many() {
    for promise in [None, Some(1), Some(9)] {
        for mistake in [(80, 600), (80, 620), (640, 648), (798, 799)] {
            assert!(accurate(promise, &[mistake], EndCause::Horizon), "{promise:?} {mistake:?}");
        }
    }
    assert!(accurate(Some(0), &[(580, 620)], EndCause::Horizon));
}

#[test]
fn a_suspicion_that_lasts_for_the_last_quarter_never_ends() {
    for promise in [None, Some(9)] {
        assert!(!accurate(promise, &[(600, 800)], EndCause::Horizon));
        assert!(accurate(promise, &[(601, 800)], EndCause::Horizon));
        // Nothing is left that could end it.
        assert!(!accurate(promise, &[(601, 800)], EndCause::Quiescent));
    }
}

#[test]
fn a_mistake_belongs_to_the_last_quarter_if_it_begins_after_that_has() {
    assert!(accurate(Some(0), &[(600, 601)], EndCause::Horizon));
    assert!(!accurate(Some(0), &[(601, 602)], EndCause::Horizon));
}

#[test]
fn who_errs_once_more_than_announced_has_not_learnt() {
    let mistakes = [(100, 101), (300, 301), (700, 701)];
    assert!(accurate(Some(3), &mistakes, EndCause::Horizon));
    assert!(!accurate(Some(2), &mistakes, EndCause::Horizon));
    // Long ago, the network may have been bad.
    assert!(accurate(Some(1), &mistakes[..2], EndCause::Horizon));
    assert!(!accurate(Some(0), &mistakes[2..], EndCause::Horizon));
}

#[test]
fn who_announces_nothing_and_errs_all_through_the_run_errs_for_ever() {
    let each_eighth: Vec<_> = (0..8).map(|k| (k * 100 + 50, k * 100 + 51)).collect();
    assert!(!accurate(None, &each_eighth, EndCause::Horizon));
    for left_out in 0..8 {
        let mut some = each_eighth.clone();
        some.remove(left_out);
        assert!(accurate(None, &some, EndCause::Horizon), "all but {left_out}");
    }
}

#[test]
fn a_mistake_at_the_very_end_belongs_to_no_eighth() {
    let at = |ms| Instant::ZERO + Duration::from_millis(ms);
    let go_on = |ms: [u64; 8]| goes_on(&ms.map(at), at(800));
    assert!(go_on([0, 100, 200, 300, 400, 500, 600, 799]));
    assert!(!go_on([0, 100, 200, 300, 400, 500, 600, 800]));
}

#[test]
fn to_suspect_who_is_down_is_no_mistake_until_it_is_back() {
    let back = [Act::Crash(P2), suspect(P0, P2), suspect(P1, P2), Act::Recover(P2), trust(P0, P2)];
    let eventual = "fd.eventual-strong-accuracy";
    assert_eq!(check(3, &back), [eventual]);
    let trusted = back.into_iter().chain([trust(P1, P2)]);
    assert_eq!(check(3, &trusted.collect::<Vec<_>>()), NONE);
}

/// Whether these events, each at a millisecond of 800, are eventually accurate between two correct
/// processes.
fn accurate_after(events: &[(u64, ProcessId, Observation<'_, FailureDetector>)]) -> bool {
    let mut property = EventualAccuracy::of(Strength::Strong);
    let at = |ms| Instant::ZERO + Duration::from_millis(ms);
    for &(ms, process, what) in events {
        let event = Observed { at: at(ms), process, what };
        property.observe(&event).expect("liveness is judged at the end");
    }
    property.finish(&End::new(at(800), EndCause::Horizon, &[true, true])).is_ok()
}

#[test]
fn a_suspicion_is_wrong_since_its_suspect_is_back() {
    for (back_ms, accurate) in [(600, false), (601, true)] {
        let suspicion = Indication::Suspect(P0);
        let events = [
            (100, P0, Observation::Crash),
            (110, P1, Observation::Indication(&suspicion)),
            (back_ms, P0, Observation::Recover),
        ];
        assert_eq!(accurate_after(&events), accurate, "back at {back_ms} ms");
    }
}

#[test]
fn a_suspicion_that_is_repeated_is_the_same_suspicion() {
    let suspicion = Indication::Suspect(P0);
    let suspects = |ms| (ms, P1, Observation::Indication(&suspicion));
    assert!(!accurate_after(&[suspects(100), suspects(700)]));
    assert!(accurate_after(&[suspects(700)]));
}

#[test]
fn a_crash_excuses_that_a_mistake_is_made_again() {
    let [learns, suspicion, trust] =
        [Indication::ErrsAtMost(1), Indication::Suspect(P0), Indication::Trust(P0)];
    let says = |ms, what| (ms, P1, Observation::Indication(what));
    let errs = |ms| [says(ms, &suspicion), says(ms + 1, &trust)];
    let again = [vec![says(0, &learns)], errs(100).to_vec(), errs(700).to_vec()].concat();
    assert!(!accurate_after(&again));
    let crash = [(400, P1, Observation::Crash), (410, P1, Observation::Recover)];
    let excused = [&again[..3], &crash, &again[3..]].concat();
    assert!(accurate_after(&excused));
}

#[test]
fn a_crash_in_the_last_quarter_before_the_horizon_obliges_nobody() {
    for (crash_ms, violated) in [(75, true), (76, false)] {
        let mut property = Completeness::of(Strength::Weak);
        let at = |ms| Instant::ZERO + Duration::from_millis(ms);
        let crash = Observed { at: at(crash_ms), process: P0, what: Observation::Crash };
        property.observe(&crash).expect("liveness is judged at the end");
        let end = End::new(at(100), EndCause::Horizon, &[false, true]);
        assert_eq!(property.finish(&end).is_err(), violated);
        assert_eq!(property.exercised() > 0, violated);
    }
}

#[test]
fn completeness_measures_the_time_from_a_crash_to_a_suspicion_for_good() {
    let [suspects, trusts] = [Indication::Suspect(P2), Indication::Trust(P2)];
    let (suspects, trusts) = (Observation::Indication(&suspects), Observation::Indication(&trusts));
    let measured = |strength, events: &[(u64, ProcessId, Observation<'_, FailureDetector>)]| {
        let mut property = Completeness::of(strength);
        let at = |s| Instant::ZERO + Duration::from_secs(s);
        for &(s, process, what) in events {
            let event = Observed { at: at(s), process, what };
            property.observe(&event).expect("liveness is judged at the end");
        }
        let correct = [true, true, false, false];
        property.measured(&End::new(at(100), EndCause::Horizon, &correct))
    };
    let crash = (10, P2, Observation::Crash);
    let seen = [crash, (12, P1, suspects), (13, P1, suspects), (15, P0, suspects)];
    assert_eq!(measured(Strength::Weak, &seen), Some(2.0));
    assert_eq!(measured(Strength::Strong, &seen), Some(5.0));
    let again = [&seen[..], &[(20, P1, trusts), (27, P1, suspects)]].concat();
    assert_eq!(measured(Strength::Weak, &again), Some(5.0));
    assert_eq!(measured(Strength::Strong, &again), Some(17.0));
    // Only one detects it, and a second crash nobody.
    assert_eq!(measured(Strength::Weak, &seen[..2]), Some(2.0));
    assert_eq!(measured(Strength::Strong, &seen[..2]), None);
    let other = [&seen[..], &[(30, ProcessId(3), Observation::Crash)]].concat();
    assert_eq!(measured(Strength::Weak, &other), None);
    // A suspicion before the crash detects it at once; a crash in the last quarter does not count.
    assert_eq!(measured(Strength::Weak, &[(5, P0, suspects), crash]), Some(0.0));
    assert_eq!(measured(Strength::Weak, &[(90, P2, Observation::Crash)]), None);
    assert_eq!(measured(Strength::Strong, &[]), None);
}

#[test]
fn detection_time_is_counted_from_the_crash_to_a_suspicion_for_good() {
    let in_time = [promise(P0, 1), Act::Crash(P1), suspect(P0, P1)];
    assert_eq!(check(2, &in_time), NONE);
    let late = [promise(P0, 1), Act::Crash(P1), promise(P0, 1), suspect(P0, P1)];
    assert_eq!(check(2, &late), ["fd.detection-time"]);
    let again = [promise(P0, 1), Act::Crash(P1), suspect(P0, P1), trust(P0, P1), suspect(P0, P1)];
    assert_eq!(check(2, &again), ["fd.detection-time"]);
    let never = [promise(P0, 1), Act::Crash(P1)];
    assert_eq!(check(2, &never)[2..], ["fd.detection-time"]);
}

#[test]
fn a_detection_is_overdue_at_the_horizon_if_its_time_is_over() {
    let in_time = |cause, end_ms| {
        let mut property = DetectionTime::default();
        let at = |ms| Instant::ZERO + Duration::from_millis(ms);
        let promise = Indication::DetectsWithin(Duration::from_millis(100));
        let promise = Observation::Indication(&promise);
        for (ms, process, what) in [(0, P0, promise), (50, P1, Observation::Crash)] {
            let event = Observed { at: at(ms), process, what };
            property.observe(&event).expect("nothing is due yet");
        }
        property.finish(&End::new(at(end_ms), cause, &[true, false])).is_ok()
    };
    assert!(in_time(EndCause::Horizon, 149));
    assert!(in_time(EndCause::Horizon, 150));
    assert!(!in_time(EndCause::Horizon, 151));
    // Nothing is left that could suspect it.
    assert!(!in_time(EndCause::Quiescent, 149));
}

#[test]
fn who_is_back_need_not_be_detected_but_others_must() {
    let back = [promise(P0, 9), Act::Crash(P1), Act::Recover(P1)];
    assert_eq!(check(2, &back), NONE);
    let other = [promise(P0, 9), Act::Crash(P1), Act::Crash(P2), Act::Recover(P1)];
    assert_eq!(check(3, &other)[2..], ["fd.detection-time"]);
}

#[test]
fn who_promises_nothing_crashes_itself_or_suspects_already_owes_no_detection() {
    let no_promise = [Act::Crash(P1), promise(P2, 9), suspect(P0, P1), suspect(P2, P1)];
    assert_eq!(check(3, &no_promise), NONE);
    let crashes = [promise(P0, 1), Act::Crash(P1), Act::Crash(P0), suspect(P2, P1)];
    let crashes: Vec<_> = crashes.into_iter().chain([suspect(P2, P0)]).collect();
    assert_eq!(check(3, &crashes), NONE);
    let already = [promise(P0, 0), suspect(P0, P1), Act::Crash(P1), promise(P0, 0)];
    assert_eq!(check(2, &already), ["fd.strong-accuracy"]);
}

#[test]
fn without_crash_or_suspicion_only_the_eventual_accuracies_are_exercised() {
    let verdicts = judge(&Setting::of(2), &[promise(P0, 1)], true);
    let held = verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Held);
    let held: Vec<_> = held.map(|(id, _)| *id).collect();
    assert_eq!(held, ["fd.eventual-strong-accuracy", "fd.eventual-weak-accuracy"]);
}

#[test]
fn where_one_process_alone_is_correct_no_accuracy_is_exercised() {
    let verdicts = judge::<FailureDetector>(&Setting::of(2), &[Act::Crash(P1)], true);
    for (id, verdict) in verdicts {
        let vacuous = verdict == Verdict::HeldVacuously;
        assert_eq!(vacuous, !id.ends_with("completeness"), "{id}");
    }
}

#[test]
fn absurd_content_is_judged_not_obeyed() {
    let stranger = ProcessId(u32::MAX);
    let absurd = [
        promise(P0, u64::MAX),
        Act::Indicate(P1, Indication::ErrsAtMost(u64::MAX)),
        suspect(P0, stranger),
        trust(P0, ProcessId(7)),
        trust(P1, stranger),
    ];
    assert_eq!(check(2, &absurd), ["fd.strong-accuracy"]);
}

#[test]
fn clients_see_suspicions_and_no_promises() {
    let probes = [Indication::DetectsWithin(Duration::ZERO), Indication::ErrsAtMost(1)];
    assert!(probes.iter().all(FailureDetector::is_probe));
    let announced = [Indication::Suspect(P0), Indication::Trust(P0)];
    assert!(!announced.iter().any(FailureDetector::is_probe));
}
