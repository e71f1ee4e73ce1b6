//! Nobody trusts content: correct processes and checkers survive whatever an adversary makes of the
//! messages of their own protocol, and do not let it tell them how much memory to take.

use crate::shipped;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::RangeInclusive;

use ftsim::scenario::Scenario;
use ftsim_core::adversary::Behaviour;
use ftsim_core::fault::{Action, Fault, Trigger};
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{
    Duration, Instant, Judged, Limits, Outcome, ProcessId, ProcessSet, Runner, Verdict,
};

/// Of each attack. Five times as many have found no more.
const SEEDS: RangeInclusive<u64> = 1..=8;
const MORE_SEEDS: RangeInclusive<u64> = 1..=4;

/// The scenario with these processes Byzantine from the start.
fn attack(scenario: &Scenario, liars: &[u32], behaviour: &Behaviour) -> Runner {
    attack_from(Instant::ZERO, scenario, liars, behaviour)
}

/// The scenario with these processes Byzantine from an instant on.
fn attack_from(from: Instant, scenario: &Scenario, liars: &[u32], behaviour: &Behaviour) -> Runner {
    let mut experiment = scenario.experiment.clone();
    // Lies may well send a protocol round in circles; that is not what is looked for here.
    experiment.limits = Limits { event_count_max: 5_000, ..experiment.limits };
    for liar in liars {
        let action = Action::Corrupt(ProcessId(*liar), behaviour.clone());
        experiment.plan.faults.push(Fault { trigger: Trigger::At(from), action });
    }
    let runner = scenario.entry.prepare(experiment, &scenario.params, &scenario.workload);
    runner.unwrap_or_else(|_| panic!("{} is refused", scenario.path))
}

/// The scenarios without a mutant.
fn correct_scenarios() -> impl Iterator<Item = (String, Scenario)> {
    let scenarios = shipped::scenarios().into_iter();
    scenarios.filter(|(_, scenario)| scenario.experiment.setting.mutant.is_none())
}

/// Whether a property fell. Nothing may panic.
fn falls(outcome: Outcome, context: &str) -> bool {
    assert_eq!(outcome.panicked, None, "{context}");
    let is_violated = |j: &Judged| matches!(j.verdict, Verdict::Violated(_));
    let falls = outcome.judged.iter().any(is_violated);
    for judged in outcome.judged {
        if let Verdict::Violated(violation) = judged.verdict {
            let checker = violation.message.contains("its checker panicked");
            assert!(!checker, "{context}: {}", violation.message);
        }
    }
    falls
}

/// Every scenario without a mutant, with one of its processes Byzantine from the start, or two that
/// act as one: the properties may fall, but nothing panics.
#[test]
fn no_mutated_message_makes_a_protocol_or_a_checker_panic() {
    let (mut attacked, mut felled) = (0, 0);
    for (name, scenario) in correct_scenarios() {
        let n = scenario.experiment.setting.n;
        for liar in 0..n.min(4) {
            let circle: ProcessSet = [liar, (liar + 1) % n].into_iter().map(ProcessId).collect();
            let pair: Vec<u32> = circle.iter().map(|p| p.0).collect();
            for (behaviour, liars) in [
                (Behaviour::Random, vec![liar]),
                (Behaviour::Equivocate, vec![liar]),
                (Behaviour::Replay, vec![liar]),
                (Behaviour::Delay(Duration::from_millis(50)), vec![liar]),
                (Behaviour::Collude(circle), pair),
            ] {
                let mut runner = attack(&scenario, &liars, &behaviour);
                for seed in SEEDS {
                    let context = format!("{name}, p{liar} lies: {behaviour}, seed {seed}");
                    felled += u32::from(falls(runner.run(seed), &context));
                    attacked += 1;
                }
            }
        }
    }
    // The adversary has teeth: these protocols tolerate crashes, not lies.
    assert!(attacked > 1_000 && felled > attacked / 4, "{felled} of {attacked} runs fell");
}

/// By protocol, the kinds of messages that its scenarios send, and those of which some correct
/// process was given a changed one.
#[derive(Default)]
struct Kinds {
    sent: BTreeSet<String>,
    changed: BTreeSet<String>,
}

impl Kinds {
    /// Each process of the scenario in turn changes all that it sends.
    fn change(&mut self, name: &str, scenario: &Scenario) {
        for liar in 0..scenario.experiment.setting.n.min(5) {
            for seed in SEEDS {
                self.lie(&format!("{name}, seed {seed}"), scenario, liar, Instant::ZERO, seed);
            }
        }
    }

    /// Who sends a kind that no liar has sent lies from that moment on: its earlier lies may keep
    /// a protocol from coming so far.
    fn change_late(&mut self, name: &str, scenario: &Scenario, seed: u64) {
        let (_, honest) = attack(scenario, &[], &Behaviour::Mutate).record(seed);
        for entry in &honest.entries {
            let (Some(kind), Some(liar)) = (kind_sent(&entry.what), entry.process) else {
                continue;
            };
            if !self.changed.contains(kind) {
                let from = entry.at.as_nanos().saturating_sub(1);
                self.lie(name, scenario, liar.0, Instant::from_nanos(from), seed);
            }
        }
    }

    fn lie(&mut self, name: &str, scenario: &Scenario, liar: u32, from: Instant, seed: u64) {
        let (outcome, trace) =
            attack_from(from, scenario, &[liar], &Behaviour::Mutate).record(seed);
        falls(outcome, &format!("{name}, p{liar} lies from {from} on"));
        let begun = |at: Instant| from == Instant::ZERO || at > from;
        let lies = trace.entries.iter();
        let lies = lies.filter(|e| e.process == Some(ProcessId(liar)) && begun(e.at));
        self.changed.extend(lies.filter_map(|lie| kind_sent(&lie.what)).map(str::to_owned));
    }
}

/// The kind of message that this event sends, or gives to the transport.
fn kind_sent(event: &TraceEvent) -> Option<&str> {
    match event {
        TraceEvent::Send { kind, .. } => Some(kind),
        TraceEvent::Carry { message, .. } => {
            message.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty())
        }
        _ => None,
    }
}

#[test]
fn no_kind_of_message_of_any_protocol_goes_unchanged_or_takes_memory_by_its_content() {
    let mut protocols: BTreeMap<&str, Kinds> = BTreeMap::new();
    let before = memory_peak();
    for (name, scenario) in correct_scenarios() {
        let kinds = protocols.entry(scenario.entry.name).or_default();
        let honest = attack(&scenario, &[], &Behaviour::Mutate).run(1);
        kinds.sent.extend(honest.statistics.kinds.iter().map(|count| count.kind.to_string()));
        kinds.change(&name, &scenario);
    }
    for (name, scenario) in correct_scenarios() {
        let kinds = protocols.entry(scenario.entry.name).or_default();
        for seed in MORE_SEEDS {
            if !kinds.sent.is_subset(&kinds.changed) {
                kinds.change_late(&name, &scenario, seed);
            }
        }
    }
    let catalogue = ftsim::Catalogue::builtin();
    assert_eq!(protocols.len(), catalogue.entries().len());
    let silent = protocols.iter().filter(|(_, kinds)| kinds.sent.is_empty());
    assert_eq!(silent.map(|(name, _)| *name).collect::<Vec<_>>(), ["fd-perfect"]);
    for (protocol, kinds) in protocols {
        let missing: Vec<_> = kinds.sent.difference(&kinds.changed).collect();
        assert!(missing.is_empty(), "of {protocol} nobody changed {missing:?}");
    }
    let after = memory_peak();
    let grew = |from: Option<u64>, to: Option<u64>| to.zip(from).map(|(to, from)| to - from);
    assert!(grew(before, after) < Some(1 << 20), "{before:?} KiB became {after:?} KiB");
    // What is asked for and never used counts too.
    let unused = std::hint::black_box(Vec::<u8>::with_capacity(1 << 31));
    assert!(grew(after, memory_peak()).is_none_or(|grown| grown > 1 << 20));
    drop(unused);
}

/// The most memory that this program ever asked for, used or not, in KiB; where that can be known.
fn memory_peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
