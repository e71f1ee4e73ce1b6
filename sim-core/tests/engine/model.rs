//! Settings, models, and whom a fault makes faulty in them.

use ftsim_core::fault::condition::{Condition, Links as OfLinks, Persistence};
use ftsim_core::fault::{Action, Crash, Fault, InFlight, Plan, Trigger};
use ftsim_core::{
    Bound, DetectorClass, Duration, End, EndCause, FaultClass, Instant, Links, Model, Probability,
    ProcessId, Setting,
};

const P1: ProcessId = ProcessId(1);

fn crash(recover_after: Option<Duration>, announced: bool) -> Action {
    Action::Crash(P1, Crash { recover_after, in_flight: InFlight::Keep, disk: None, announced })
}

#[test]
fn roles_are_ranges_of_processes_in_their_order() {
    let setting = Setting::with_roles(&["server", "client"], 3);
    assert_eq!(setting.n, 6);
    let of = |role: &str| setting.role(role).map(|p| p.0).collect::<Vec<_>>();
    assert_eq!(of("server"), [0, 1, 2]);
    assert_eq!(of("client"), [3, 4, 5]);
    assert_eq!(of("other"), [] as [u32; 0]);
    assert_eq!((setting.role_size("client"), setting.role_size("other")), (3, 0));
    assert!(setting.has_role(ProcessId(3), "client") && !setting.has_role(P1, "client"));
}

#[test]
fn a_model_keeps_what_it_was_given() {
    let model = Model::ASYNCHRONOUS.byzantine(Bound::LESS_THAN_A_THIRD);
    assert_eq!((model.faults, model.bound), (FaultClass::Byzantine, Bound::LESS_THAN_A_THIRD));
    let model = model.with(DetectorClass::Perfect).over(Links::ReliableFifo);
    assert_eq!((model.detector, model.links), (DetectorClass::Perfect, Links::ReliableFifo));
    assert_eq!(model.bound, Bound::LESS_THAN_A_THIRD);
    let given = Bound::MINORITY.given_as("f", 2);
    assert_eq!((given.parameter(), Bound::MINORITY.parameter()), (Some(("f", 2)), None));
}

#[test]
fn whom_a_fault_makes_faulty_depends_on_the_model() {
    let stop = Model::ASYNCHRONOUS.crash_stop(Bound::MINORITY);
    let recovery = Model::ASYNCHRONOUS.crash_recovery(Bound::MINORITY);
    let synchronous = Model::SYNCHRONOUS.crash_stop(Bound::MINORITY);
    let soon = Some(Duration::from_millis(5));
    assert_eq!(crash(soon, false).makes_faulty(&stop), Some(P1));
    assert_eq!(crash(soon, false).makes_faulty(&recovery), None);
    assert_eq!(crash(None, false).makes_faulty(&recovery), Some(P1));
    let pause = |resume_after| Action::Pause { process: P1, resume_after };
    assert_eq!(pause(soon).makes_faulty(&stop), None);
    assert_eq!(pause(soon).makes_faulty(&synchronous), Some(P1));
    assert_eq!(pause(None).makes_faulty(&stop), Some(P1));
    let begin = |condition| Action::Begin(condition, Persistence::Permanent);
    let slow = begin(Condition::Slow(P1, 3));
    assert_eq!(slow.makes_faulty(&stop), None);
    assert_eq!(slow.makes_faulty(&synchronous), Some(P1));
    let half = Probability::new(0.5).expect("a probability");
    let omits = begin(Condition::SendOmission(P1, OfLinks::ALL, half));
    assert_eq!(omits.makes_faulty(&stop), Some(P1));
    assert_eq!(begin(Condition::Loss(OfLinks::ALL, half)).makes_faulty(&stop), None);
    let leads = Action::IfLeads(P1, Box::new(crash(soon, false)));
    assert_eq!(leads.makes_faulty(&stop), Some(P1));
    assert_eq!(leads.makes_faulty(&recovery), None);
    assert_eq!(Action::Heal.makes_faulty(&synchronous), None);
}

#[test]
fn a_plan_knows_whether_it_announces_a_crash() {
    let plan = |action| {
        let trigger = Trigger::At(Instant::ZERO);
        Plan { faults: vec![Fault { trigger, action }] }.announces_crashes()
    };
    assert!(plan(crash(None, true)));
    assert!(
        !plan(crash(None, false)) && !plan(Action::Heal) && !Plan::default().announces_crashes()
    );
}

#[test]
fn at_the_end_it_is_known_who_is_correct() {
    let end = End::new(Instant::ZERO, EndCause::Quiescent, &[true, false, true]);
    assert_eq!(end.correct().map(|p| p.0).collect::<Vec<_>>(), [0, 2]);
    assert!(end.is_correct(ProcessId(0)) && !end.is_correct(P1));
    assert!(!end.is_correct(ProcessId(3)), "there is no such process");
}
