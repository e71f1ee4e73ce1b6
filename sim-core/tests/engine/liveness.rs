//! Faults end for everybody or for a core, and what never came is told apart by why.

use ftsim_core::adversary::Behaviour;
use ftsim_core::environment::liveness::{Liveness, LivenessMode};
use ftsim_core::environment::network::{Cut, Loss};
use ftsim_core::environment::transport::Guarantee;
use ftsim_core::fault::Action;
use ftsim_core::fault::condition::{Condition, Persistence};
use ftsim_core::model::property::Stall;
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{
    Cx, Duration, Model, Never, Outcome, Probability, Process, ProcessId, Protocol, Setting, Trace,
    Verdict,
};

use crate::scripted::{Actor, Do, SEVENS, Script, Stage, Theatre, at, crash, crash_for, ms};

const fn p(index: u32) -> ProcessId {
    ProcessId(index)
}

fn well(mode: LivenessMode, at: u64) -> Option<Liveness> {
    Some(Liveness { mode, at: ms(at) })
}

/// p0 to p2 are cut off from p3 and p4 for good.
fn cut() -> Action {
    let cut = Cut::Groups(vec![vec![p(0), p(1), p(2)]]);
    Action::Begin(Condition::Partition(cut), Persistence::Permanent)
}

/// What p0 to p4 have all heard: each tells all others its number at 150 ms.
fn all_talk() -> Vec<(u64, u32, Vec<Do>)> {
    (0..5).map(|i| (150, i, vec![Do::Broadcast(u64::from(i))])).collect()
}

#[test]
fn when_all_is_well_cuts_heal_the_paused_go_on_and_the_crashed_recover() {
    for mode in [LivenessMode::Gst, LivenessMode::HealAll] {
        let stage = Stage::new(5, &all_talk())
            .fault(at(10), cut())
            .fault(at(10), crash(1))
            .fault(at(10), Action::Pause { process: p(2), resume_after: None })
            .fault(at(120), crash(0))
            .with(|e| e.liveness = well(mode, 100));
        let (outcome, _) = stage.record();
        // 20 messages, and 5 to themselves that do not count.
        assert_eq!(outcome.statistics.delivered, 20, "{mode}");
        assert_eq!((outcome.statistics.crashes, outcome.statistics.recoveries), (1, 1), "{mode}");
        assert_eq!(outcome.unfired, [3], "no fault strikes when all is well");
    }
}

#[test]
fn a_process_that_is_well_is_not_brought_back_twice() {
    let stage = Stage::new(1, &[])
        .fault(at(10), crash_for(0, Some(200)))
        .with(|e| e.liveness = well(LivenessMode::HealAll, 100));
    assert_eq!(stage.play(), ["100 p0 Found([])"]);
}

#[test]
fn links_that_are_well_lose_nothing() {
    let all_lost = |mode| {
        let stage = Stage::new(5, &all_talk()).with(|e| {
            e.network.default.loss = Loss::Independent(Probability::ALWAYS);
            e.liveness = mode;
        });
        stage.record().0.statistics.delivered
    };
    assert_eq!(all_lost(None), 0);
    assert_eq!(all_lost(well(LivenessMode::HealAll, 100)), 20);
}

/// The core of the run with this seed: what its processes say to each other, and nothing else,
/// arrives.
fn core_of(seed: u64) -> (Outcome, Vec<ProcessId>) {
    let lost = Loss::Independent(Probability::ALWAYS);
    let stage = Stage::new(5, &all_talk()).fault(at(10), crash(4)).with(|e| {
        e.network.default.loss = lost;
        e.liveness = well(LivenessMode::Core, 100);
    });
    let (outcome, trace) = stage.simulation().record(seed);
    let named = |what: &TraceEvent| match what {
        TraceEvent::Well { processes, .. } => {
            let names = processes.trim_matches(['{', '}']).split(' ');
            Some(names.filter_map(|name| name.parse().ok()).collect())
        }
        _ => None,
    };
    let core = trace.entries.iter().find_map(|entry| named(&entry.what));
    (outcome, core.expect("a core"))
}

#[test]
fn a_core_is_well_and_all_else_stays_as_it_is() {
    let mut cores = std::collections::BTreeSet::new();
    for seed in 0..60 {
        let (outcome, core) = core_of(seed);
        assert!((3..=5).contains(&core.len()), "{core:?}");
        let n = core.len() as u64;
        assert_eq!(outcome.statistics.delivered, n * (n - 1), "{core:?}");
        // Who crashed is back only in the core.
        assert_eq!(outcome.statistics.recoveries, u64::from(core.contains(&p(4))), "{core:?}");
        cores.insert(core);
    }
    assert!(cores.len() > 10, "{cores:?}");
}

/// The verdict on whether every correct process says 7.
fn sevens(stage: &Stage) -> Verdict {
    sevens_of::<Actor>(stage).0
}

fn sevens_of<P: Protocol<Spec = Theatre, Params = Script>>(stage: &Stage) -> (Verdict, Trace) {
    let mut stage = Stage { experiment: stage.experiment.clone(), lines: stage.lines.clone() };
    stage.experiment.check = vec![SEVENS];
    let (outcome, trace) = stage.simulation_of::<P>().record(1);
    let judged = outcome.judged.into_iter().find(|judged| judged.id == SEVENS);
    (judged.expect("it is checked").verdict, trace)
}

#[test]
fn nothing_is_owed_outside_the_core() {
    let lines: Vec<_> = (0..5).map(|i| (150, i, vec![Do::Say(7)])).collect();
    for process in 0..5 {
        let stage = Stage::new(5, &lines)
            .fault(at(10), Action::Pause { process: p(process), resume_after: None })
            .with(|e| e.liveness = well(LivenessMode::Core, 100));
        // In the core it resumes and speaks; outside it owes nothing.
        assert_eq!(sevens(&stage), Verdict::Held);
    }
}

#[test]
fn where_too_few_can_be_well_the_protocol_is_not_blamed() {
    for mode in [LivenessMode::Gst, LivenessMode::HealAll, LivenessMode::Core] {
        let lied = |liars: u32| {
            let stage = (0..liars).fold(Stage::new(5, &[]), |stage, process| {
                stage.fault(at(10), Action::Corrupt(p(process), Behaviour::Silent))
            });
            sevens(&stage.with(|e| e.liveness = well(mode, 100)))
        };
        assert!(matches!(lied(2), Verdict::Violated(_)), "{mode}");
        match lied(3) {
            Verdict::Undecided(why) => assert!(why.starts_with("correctly unavailable"), "{why}"),
            other => panic!("{mode}: {other:?}"),
        }
    }
}

/// Wakes up again and again without a word; one that `COUNTS` is never the same twice.
#[derive(Clone, Debug, Default, Hash)]
struct Sleepless<const COUNTS: bool> {
    nights: u64,
}

impl<const COUNTS: bool> Process for Sleepless<COUNTS> {
    type Spec = Theatre;
    type Msg = u64;
    type Timer = u8;
    type Record = Never;
    fn on_start(&mut self, cx: &mut Cx<Self>) {
        cx.set_timer(Duration::from_millis(3), 1);
    }
    fn on_request(&mut self, _: Vec<Do>, _: &mut Cx<Self>) {}
    fn on_message(&mut self, _: ProcessId, _: u64, _: &mut Cx<Self>) {}
    fn on_timer(&mut self, _: u8, cx: &mut Cx<Self>) {
        self.nights += u64::from(COUNTS);
        cx.send_to_others(1);
        cx.set_timer(Duration::from_millis(3), 1);
    }
}

impl<const COUNTS: bool> Protocol for Sleepless<COUNTS> {
    const NAME: &'static str = "sleepless";
    const SUMMARY: &'static str = "wakes up again and again";
    const SOURCE: &'static str = "none";
    fn model(_: &Self::Params, _: &Setting) -> Model {
        Actor::model(&Script::default(), &Setting::of(1))
    }
    type Params = Script;
    fn new(_: &Script, _: &Setting, _: ProcessId) -> Self {
        Self::default()
    }
}

/// A message goes back and forth; if it `COUNTS`, it is never the same twice.
#[derive(Clone, Debug, Default, Hash)]
struct Rally<const COUNTS: bool>;

impl<const COUNTS: bool> Process for Rally<COUNTS> {
    type Spec = Theatre;
    type Msg = u64;
    type Timer = Never;
    type Record = Never;
    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if cx.me() == p(0) {
            cx.send_to_others(1);
        }
    }
    fn on_request(&mut self, _: Vec<Do>, _: &mut Cx<Self>) {}
    fn on_message(&mut self, from: ProcessId, word: u64, cx: &mut Cx<Self>) {
        cx.send(from, word + u64::from(COUNTS));
    }
}

impl<const COUNTS: bool> Protocol for Rally<COUNTS> {
    const NAME: &'static str = "rally";
    const SUMMARY: &'static str = "sends back what comes";
    const SOURCE: &'static str = "none";
    fn model(_: &Self::Params, _: &Setting) -> Model {
        Actor::model(&Script::default(), &Setting::of(1))
    }
    type Params = Script;
    fn new(_: &Script, _: &Setting, _: ProcessId) -> Self {
        Self
    }
}

fn stall_on<P: Protocol<Spec = Theatre, Params = Script>>(stage: &Stage) -> Option<Stall> {
    match sevens_of::<P>(stage).0 {
        Verdict::Violated(violation) => violation.stall,
        other => panic!("{other:?}"),
    }
}

#[test]
fn deadlock_livelock_and_slowness_are_told_apart() {
    fn stall<P: Protocol<Spec = Theatre, Params = Script>>() -> Option<Stall> {
        stall_on::<P>(&Stage::new(2, &[]))
    }
    assert_eq!(stall::<Actor>(), Some(Stall::Deadlock));
    assert_eq!(stall::<Sleepless<false>>(), Some(Stall::Livelock));
    assert_eq!(stall::<Sleepless<true>>(), Some(Stall::TooSlow));
    assert_eq!(stall::<Rally<false>>(), Some(Stall::Livelock));
    assert_eq!(stall::<Rally<true>>(), Some(Stall::TooSlow));
    // Over reliable links the word is in a packet.
    let reliable = Stage::new(2, &[]).with(|e| {
        e.transport.guarantee = Guarantee::Reliable;
        e.transport.resend_after = Duration::from_millis(30);
    });
    assert_eq!(stall_on::<Rally<true>>(&reliable), Some(Stall::TooSlow));
}

#[test]
fn the_search_for_a_stall_leaves_no_trace() {
    let (_, trace) = sevens_of::<Sleepless<false>>(&Stage::new(2, &[]));
    let starts = trace.entries.iter().filter(|entry| matches!(entry.what, TraceEvent::Start));
    assert_eq!(starts.count(), 2);
}

#[test]
fn a_run_that_is_too_slow_is_told_so_however_much_was_said() {
    for words in [10, 60, 70] {
        let mut lines: Vec<_> = (0..words).map(|i| (i, 0, vec![Do::Say(100 + i)])).collect();
        lines.push((0, 1, vec![Do::SetTimer(5_000, 1)]));
        let stall = stall_on::<Actor>(&Stage::new(2, &lines));
        assert_eq!(stall, Some(Stall::TooSlow), "{words} words");
    }
}
