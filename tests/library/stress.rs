//! Scenarios drawn by a model: they are accepted, the same on any number of threads, nothing falls
//! within the models of ours, and what claims too much does.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use ftsim::Catalogue;
use ftsim::scenario::Scenario;
use ftsim::stress::{Assumption, Effort, Stress, Summary, breakable};
use ftsim_core::prelude::*;
use ftsim_core::{Entry, Setting};
use ftsim_protocols::spec::broadcast::{AGREEMENT, Broadcast, Indication, MessageNumber, Request};

/// Best-effort broadcast that claims agreement.
#[derive(Clone, Debug, Hash)]
struct Boastful;

impl Process for Boastful {
    type Spec = Broadcast;
    type Msg = MessageNumber;
    type Timer = Never;
    type Record = Never;
    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        cx.broadcast(number);
    }
    fn on_message(&mut self, sender: ProcessId, number: MessageNumber, cx: &mut Cx<Self>) {
        cx.indicate(Indication::Deliver { sender, number });
    }
}

impl Protocol for Boastful {
    const NAME: &'static str = "boastful";
    const SUMMARY: &'static str = "claims too much";
    const SOURCE: &'static str = "none";
    type Params = NoParams;
    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE)
    }
    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self
    }
    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![AGREEMENT]
    }
}

fn of(entry: &Entry, broken: Option<Assumption>, scenario_count: u64) -> Stress<'_> {
    Stress { entry, broken, seed: 7, scenario_count, seed_count: 3 }
}

fn run(stress: &Stress<'_>, jobs: usize) -> Summary {
    let effort = Effort { jobs, until: None, halt: &AtomicBool::new(false), done: &|| {} };
    stress.run(&effort).expect("ftsim does not fail")
}

#[test]
fn nothing_falls_within_its_model() {
    for entry in Catalogue::builtin().entries() {
        let summary = run(&of(entry, None, 40), 2);
        let fallen: BTreeMap<_, _> = summary.fallen.iter().collect();
        assert!(fallen.is_empty(), "{}: {fallen:#?}", entry.name);
        assert_eq!((summary.scenarios, summary.undecided), (40, 0), "{}", entry.name);
        // Two generals are synchronous, and nothing goes wrong in their model. Units fail of their
        // own accord.
        let is_struck = !["two-generals", "dependability"].contains(&entry.name);
        assert_eq!(summary.faults > 0, is_struck, "{}", entry.name);
    }
}

#[test]
fn every_assumption_can_be_broken_in_an_accepted_scenario() {
    for entry in Catalogue::builtin().entries() {
        let setting = Setting::with_roles(entry.roles, 4);
        for broken in breakable(&entry.model, &setting) {
            let stress = of(entry, Some(broken), 10);
            let accepted = (0..10).filter(|number| stress.scenario(*number).0.is_some()).count();
            assert_eq!(accepted, 10, "{}, {broken}", entry.name);
        }
    }
}

#[test]
fn no_parameter_asks_for_more_than_the_model_promises() {
    let catalogue = Catalogue::builtin();
    for name in ["phase-king", "bracha-rb"] {
        let entry = catalogue.get(name).expect("a protocol");
        let stress = of(entry, None, 60);
        for scenario in (0..60).filter_map(|number| stress.scenario(number).0) {
            let (bound, setting) = (scenario.resolved.model.bound, &scenario.experiment.setting);
            assert!(bound.max(setting).is_some(), "{}", scenario.text);
        }
    }
}

#[test]
fn each_scenario_has_seeds_of_its_own() {
    let catalogue = Catalogue::builtin();
    let entry = catalogue.get("hierarchical-group").expect("a protocol");
    let stress = Stress { seed_count: 1, ..of(entry, Some(Assumption::Accuracy), 100) };
    let seeds: Vec<_> =
        (0..4).filter_map(|number| stress.scenario(number).0).flat_map(|s| s.seeds).collect();
    assert_eq!(seeds, [1, 2, 3, 4]);
    // Whom a detector suspects wrongly depends on the seed: with one seed for all, it never was a
    // process that matters.
    assert!(run(&stress, 2).fallen.contains_key("el.one-leader"));
}

#[test]
fn beyond_their_models_protocols_fall_by_what_they_need() {
    let catalogue = Catalogue::builtin();
    let falls = |name: &str, broken: Assumption| {
        let entry = catalogue.get(name).expect("a protocol of ours");
        run(&of(entry, Some(broken), 500), 2).fallen.into_keys().collect::<Vec<_>>()
    };
    let falls_by = |name: &str, broken, property: &str| {
        let fallen = falls(name, broken);
        assert!(fallen.iter().any(|id| id == property), "{name}, {broken}: {fallen:?}");
    };
    falls_by("eager-rb", Assumption::NoLoss, "rb.agreement");
    falls_by("beb", Assumption::NoDuplicates, "rb.no-duplication");
    falls_by("flooding-consensus", Assumption::Accuracy, "cons.agreement");
    falls_by("lazy-rb", Assumption::Completeness, "rb.agreement");
    falls_by("chandy-lamport", Assumption::Order, "cut.consistent");
    falls_by("oral-messages", Assumption::Bound, "byz.ic1");
    falls_by("primary-backup", Assumption::Delay, "pb.one-primary");
    falls_by("reliable-link", Assumption::Disk, "lnk.no-duplication");
    // Its accuracy only saves messages (Cachin, Guerraoui and Rodrigues 2011, section 3.3.2).
    assert_eq!(falls("lazy-rb", Assumption::Accuracy), [""; 0]);
}

#[test]
fn what_claims_too_much_falls_and_is_shown_in_a_scenario() {
    let entry = Entry::of::<Boastful>();
    let stress = of(&entry, None, 60);
    let summary = run(&stress, 2);
    let fallen = &summary.fallen["rb.agreement"];
    assert!(fallen.scenarios > 1 && fallen.runs >= fallen.scenarios, "{fallen:?}");
    assert_eq!(summary.fallen.len(), 1, "{:?}", summary.fallen);
    let (scenario, _) = stress.scenario(fallen.first);
    let scenario = scenario.expect("it was run");
    let catalogue = Catalogue::builtin().with::<Boastful>();
    let again = Scenario::parse("again", &scenario.text, &catalogue).expect("it is accepted");
    let outcome = ftsim::run::run(&again, fallen.seed).expect("ftsim does not fail");
    let violated = ftsim::shrink::Target::of(&outcome, &[]).map(|target| target.name());
    assert_eq!(violated, Some("rb.agreement"));
}

#[test]
fn threads_leave_no_trace() {
    let entry = Entry::of::<Boastful>();
    let [one, four] = [1, 4].map(|jobs| format!("{:?}", run(&of(&entry, None, 30), jobs)));
    assert_eq!(one, four);
}

#[test]
fn other_seeds_draw_other_scenarios() {
    let entry = Entry::of::<Boastful>();
    let text = |seed, number| Stress { seed, ..of(&entry, None, 1) }.text(number, 0);
    assert_eq!(text(1, 2), text(1, 2));
    assert_ne!(text(1, 2), text(2, 2));
    assert_ne!(text(1, 2), text(1, 3));
}
