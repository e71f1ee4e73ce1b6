//! Settings, models, and whom a fault makes faulty in them.

use ftsim_core::bench::history::{Act, judge};
use ftsim_core::environment::clock::Shift;
use ftsim_core::fault::condition::{Condition, Links as OfLinks, Persistence};
use ftsim_core::fault::{Action, Crash, Fault, InFlight, Plan, Trigger};
use ftsim_core::{
    Ask, Bench, Bound, Cx, DetectorClass, Duration, End, EndCause, FaultClass, Instant, Invalid,
    Links, Model, Never, NoParams, Observed, Probability, Process, ProcessId, Property,
    PropertyEntry, PropertyId, Protocol, Setting, Spec, Verdict, Violation, Workload,
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
    let stop = Model::SYNCHRONOUS.crash_stop(Bound::MINORITY);
    assert_eq!((stop.faults, stop.bound), (FaultClass::CrashStop, Bound::MINORITY));
    let recovery = Model::SYNCHRONOUS.crash_recovery(Bound::ANY);
    assert_eq!((recovery.faults, recovery.bound), (FaultClass::CrashRecovery, Bound::ANY));
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
    let jump = Action::Jump(P1, Shift::Ahead(Duration::from_millis(1)));
    for late in [Action::Start(P1), Action::Resume { process: P1 }, jump] {
        assert_eq!(late.makes_faulty(&stop), None, "{late}");
        assert_eq!(late.makes_faulty(&synchronous), Some(P1), "{late}");
    }
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

/// A problem that says no more than it must.
struct Plain;

#[derive(Clone, Hash)]
struct Nobody;

impl Workload<Plain> for Nobody {
    fn on_start(&mut self, _: &mut Ask<'_, Plain>) {}
}

/// Is violated unless the run is free of failures.
#[derive(Clone, Hash)]
struct Smooth;

const SMOOTH: PropertyId = PropertyId("plain.smooth");

impl Property<Plain> for Smooth {
    fn observe(&mut self, _: &Observed<'_, Plain>) -> Result<(), Violation> {
        Ok(())
    }
    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        if end.failure_free { Ok(()) } else { Err(Violation::by([], "something went wrong")) }
    }
    fn exercised(&self) -> u64 {
        1
    }
}

impl Spec for Plain {
    const NAME: &'static str = "plain";
    const PROPERTIES: &'static [PropertyEntry<Self>] =
        &[PropertyEntry::safety(SMOOTH, "nothing goes wrong", |_| Box::new(Smooth))];
    type Request = u64;
    type Indication = u64;
    type WorkloadSettings = NoParams;
    type Workload = Nobody;
    fn workload(_: &NoParams, _: &Setting) -> Result<Nobody, Invalid> {
        Ok(Nobody)
    }
}

#[test]
fn a_problem_has_no_probes_leaders_and_operations_unless_it_says_so() {
    assert!(!Plain::is_probe(&1) && !Plain::HAS_LEADER);
    assert_eq!((Plain::phrase(&1), Plain::leads(&1)), (None, None));
    assert_eq!(Plain::operation(P1, &1), None);
    assert_eq!(Plain::answers(P1, &1).count(), 0);
    assert_eq!(Plain::FAULTS, [FaultClass::None, FaultClass::CrashStop]);
    let act = Plain::act(&3, None);
    assert_eq!((act.value, act.failed), (3.into(), false));
    assert_eq!(Plain::act(&3, Some(&4)).value, 4);
}

#[test]
fn a_history_is_free_of_failures_if_it_is_said_to_be_and_nobody_crashes() {
    let held = |history: &[Act<Plain>], failure_free| {
        judge(&Setting::of(2), history, failure_free)[0].1 == Verdict::Held
    };
    assert!(held(&[Act::Request(P1, 3)], true) && !held(&[Act::Request(P1, 3)], false));
    assert!(!held(&[Act::Crash(P1)], true) && !held(&[Act::Crash(P1)], false));
}

/// Does nothing about nothing.
#[derive(Clone, Debug, Hash)]
struct Idle;

impl Process for Idle {
    type Spec = Plain;
    type Msg = u64;
    type Timer = Never;
    type Record = Never;
    fn on_request(&mut self, _: u64, _: &mut Cx<Self>) {}
    fn on_message(&mut self, _: ProcessId, _: u64, _: &mut Cx<Self>) {}
}

impl Protocol for Idle {
    const NAME: &'static str = "idle";
    const SUMMARY: &'static str = "does nothing";
    const SOURCE: &'static str = "none";
    type Params = NoParams;
    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::MINORITY)
    }
    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self
    }
}

#[test]
fn a_limit_is_no_excuse_for_what_must_never_happen() {
    // That p1 is late is a failure from the beginning.
    let mut bench = Bench::of::<Idle>(2);
    let trigger = Trigger::At(Instant::ZERO + Duration::from_millis(5));
    bench.experiment.plan.faults.push(Fault { trigger, action: Action::Start(P1) });
    assert_eq!(bench.run(1).violated(), [SMOOTH.0]);
    bench.experiment.limits.event_count_max = 1;
    let run = bench.run(1);
    assert_eq!((run.outcome.cause, run.violated()), (EndCause::EventLimit, vec![SMOOTH.0]));
}
