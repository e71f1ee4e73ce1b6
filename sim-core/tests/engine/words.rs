//! What faults, settings and verdicts are called where people read them.

use ftsim_core::adversary::Behaviour;
use ftsim_core::environment::message_rule::{Arrival, Content, Fate, MessageRule};
use ftsim_core::environment::network::DropReason;
use ftsim_core::environment::request_override::RequestOverride;
use ftsim_core::environment::storage::DiskFault;
use ftsim_core::fault::choice::TargetRule;
use ftsim_core::fault::condition::{Condition, Links, Persistence};
use ftsim_core::fault::random::{PartitionShape, RandomCondition};
use ftsim_core::fault::{Action, Crash, Fault, InFlight, Trigger};
use ftsim_core::model::property::Stall;
use ftsim_core::{
    DetectorClass, Duration, DurationRange, FaultClass, Instant, MessageId, Probability, ProcessId,
    ProcessSet, PropertyId, Timing, Violation,
};

const P1: ProcessId = ProcessId(1);

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[test]
fn faults_are_told_in_words() {
    let crash = |recover_after, in_flight, announced| {
        Action::Crash(P1, Crash { recover_after, in_flight, disk: None, announced }).to_string()
    };
    assert_eq!(crash(None, InFlight::Keep, false), "p1 crashes");
    assert_eq!(
        crash(Some(ms(5)), InFlight::Lose, true),
        "p1 aborts, and the others are told, its messages under way are lost, recovers after 5ms"
    );
    let pause = Action::Pause { process: P1, resume_after: Some(ms(5)) };
    assert_eq!(pause.to_string(), "p1 pauses, resumes after 5ms");
    assert_eq!(Action::Damage(P1, DiskFault::LoseDisk).process(), Some(P1));
    let links = |from: Option<u32>, to: Option<u32>| {
        let set = |p: u32| [ProcessId(p)].into_iter().collect();
        Links { from: from.map(set), to: to.map(set) }.to_string()
    };
    assert_eq!(links(None, None), "all links");
    assert_eq!(links(Some(0), None), "{p0} -> all");
    assert_eq!(links(None, Some(2)), "all -> {p2}");
    let rules = [TargetRule::Any, TargetRule::Minority, TargetRule::Majority, TargetRule::Leader];
    let rules = rules.map(|rule| rule.to_string());
    assert_eq!(rules, ["any process", "a minority", "a majority", "the leader"]);
    let trigger = Trigger::Sends { process: P1, kind: "Vote".to_owned(), nth: 2 };
    assert_eq!(trigger.to_string(), "when p1 has sent Vote number 2");
    assert_eq!(Trigger::At(Instant::ZERO + ms(3)).to_string(), "at 3ms");
    let behaviours = [Behaviour::Silent, Behaviour::Twins, Behaviour::Custom("sly".to_owned())];
    let behaviours = behaviours.map(|behaviour| behaviour.to_string());
    assert_eq!(behaviours, ["silent", "is two", "sly"]);
    assert_eq!(Behaviour::Delay(ms(4)).to_string(), "late by up to 4ms");
}

#[test]
fn drawn_conditions_are_told_in_words() {
    let half = Probability::new(0.5).expect("a probability");
    let range = DurationRange { min: ms(1), max: ms(5) };
    let told = [
        RandomCondition::Partition(PartitionShape::RingOfMajorities),
        RandomCondition::Loss(half),
        RandomCondition::Late(range),
        RandomCondition::Slow(3),
        RandomCondition::Drift(20),
    ];
    let told = told.map(|condition| condition.to_string());
    let expected = [
        "a partition (ring-of-majorities)",
        "loss of 0.5",
        "lateness by 1ms..5ms",
        "a process 3 times as slow",
        "a clock that drifts by up to 20ppm",
    ];
    assert_eq!(told, expected);
}

#[test]
fn classes_have_the_names_of_the_literature() {
    let faults =
        [FaultClass::None, FaultClass::CrashStop, FaultClass::CrashRecovery, FaultClass::Byzantine];
    let faults = faults.map(FaultClass::as_str);
    assert_eq!(faults, ["none", "crash-stop", "crash-recovery", "Byzantine"]);
    assert_eq!(
        [DetectorClass::None, DetectorClass::Perfect, DetectorClass::EventuallyPerfect]
            .map(DetectorClass::as_str),
        ["none", "perfect", "eventually perfect"]
    );
    assert_eq!(Timing::Asynchronous.as_str(), "asynchronous");
    assert_eq!(format!("{:>4} {:?} {}", P1, MessageId(7), PropertyId("a.b")), "  p1 m7 a.b");
    assert_eq!(format!("{:?} {:?}", ms(1_500), Instant::ZERO + ms(2)), "1.5s 2ms");
    let slow = Action::Begin(Condition::Slow(P1, 4), Persistence::Permanent);
    assert!(slow.to_string().contains("p1"), "{slow}");
}

#[test]
fn what_befalls_a_message_or_a_request_is_told_in_words() {
    let told: std::collections::BTreeSet<_> =
        DropReason::ALL.iter().map(|reason| reason.text()).collect();
    assert_eq!(told.len(), DropReason::ALL.len());
    assert!(told.contains("receiver down") && told.contains("link cut"), "{told:?}");
    let request = |after, replace| RequestOverride { process: P1, nth: 2, after, replace };
    let both = request(Some(ms(3)), Some(serde_json::json!({ "Propose": 1 })));
    assert_eq!(both.to_string(), "request 2 to p1: comes after 3ms, is {\"Propose\":1}");
    assert_eq!(request(Some(ms(3)), None).to_string(), "request 2 to p1: comes after 3ms");
    let trigger = Trigger::At(Instant::ZERO + ms(3));
    let fault = Fault { trigger, action: Action::Heal };
    assert_eq!(fault.to_string(), "at 3ms: all links heal");
}

#[test]
fn a_violation_says_why_nothing_more_happened() {
    let violation = Violation::by([P1], "p1 never decided");
    assert_eq!(violation.text(), "p1 never decided");
    let stuck = Violation { stall: Some(Stall::Deadlock), ..violation };
    assert_eq!(stuck.text(), "p1 never decided; deadlock: nothing was left to happen");
}

#[test]
fn a_set_of_processes_is_empty_until_something_is_in_it() {
    let mut set = ProcessSet::new();
    assert!(set.is_empty());
    set.insert(ProcessId(70));
    assert!(!set.is_empty() && set.len() == 1 && set.contains(ProcessId(70)));
    set.remove(ProcessId(70));
    assert!(set.is_empty() && set == ProcessSet::new());
}

#[test]
fn links_and_times_are_called_as_in_the_literature() {
    use ftsim_core::Links;
    let links = [Links::FairLoss, Links::Reliable, Links::ReliableFifo].map(Links::as_str);
    assert_eq!(links, ["fair-loss", "reliable", "reliable, fifo"]);
    let times = [Timing::Synchronous, Timing::PartiallySynchronous, Timing::Asynchronous];
    let times = times.map(Timing::as_str);
    assert_eq!(times, ["synchronous", "partially synchronous", "asynchronous"]);
}

#[test]
fn a_mask_is_told_in_words() {
    let mask = ftsim_core::Mask { process: P1, request: 3 };
    assert_eq!(mask.to_string(), "request 3 for p1");
}

#[test]
fn an_override_of_a_message_is_told_in_words() {
    let rule = |kind: Option<&str>, fate| {
        let kind = kind.map(ToOwned::to_owned);
        MessageRule { from: P1, to: ProcessId(2), kind, nth: 2, fate }.to_string()
    };
    assert_eq!(rule(Some("Commit"), Fate::DROP), "Commit number 2 on p1 -> p2: lost");
    let cut = Fate::Drop(DropReason::Cut);
    assert_eq!(rule(None, cut), "message number 2 on p1 -> p2: link cut");
    let all = Fate::Arrive(Arrival {
        after: Some(ms(3)),
        copy_after: Some(ms(4)),
        content: Some(Content::Replaced(7.into())),
    });
    let text = "takes 3ms, doubled, the copy takes 4ms, replaced by 7";
    assert_eq!(rule(None, all), format!("message number 2 on p1 -> p2: {text}"));
    assert!(rule(None, Fate::content(Content::Garbled)).ends_with(": garbled"));
}
