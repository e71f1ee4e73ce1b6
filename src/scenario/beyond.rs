//! Where a scenario goes beyond the model of its protocol, although it expects all to be well.

use std::collections::BTreeSet;

use ftsim_core::environment::network::{Link, Loss, Order};
use ftsim_core::environment::transport::Guarantee;
use ftsim_core::fault::Action;
use ftsim_core::fault::condition::Condition;
use ftsim_core::fault::random::{RandomAction, RandomCondition};
use ftsim_core::{FaultClass, Links, Probability, ProcessId, Timing};

use super::Scenario;
use super::problems::Problems;

/// Warns of what the protocol does not claim to tolerate. Not where the scenario is about that: it
/// has a mutant, or expects a property to be violated or undecided.
pub fn warn(problems: &mut Problems<'_>, scenario: &Scenario) {
    let expect = &scenario.expect;
    let is_meant = scenario.experiment.setting.mutant.is_some()
        || !expect.violated.is_empty()
        || !expect.undecided.is_empty();
    if !is_meant {
        warn_of_faults(problems, scenario);
        warn_of_links(problems, scenario);
        warn_of_clocks(problems, scenario);
    }
}

/// A process lies to a protocol that tolerates only crashes, or more processes are faulty than the
/// bound admits: the first such fault.
fn warn_of_faults(problems: &mut Problems<'_>, scenario: &Scenario) {
    let (model, setting) = (&scenario.resolved.model, &scenario.experiment.setting);
    let name = scenario.entry.name;
    if let (None, Some((key, value))) = (model.bound.max(setting), model.bound.parameter()) {
        let claims = format!("`{name}` tolerates {}, and here {key} = {value}", model.bound);
        let label = format!("too many of {} processes", setting.n);
        problems.warn(&format!("params.{key}"), claims).label(label).help(MEANT);
        return;
    }
    let mut faulty: BTreeSet<ProcessId> = BTreeSet::new();
    // Where a seed chooses the process, the plan has a fault for each candidate.
    let is_drawn =
        |index| scenario.experiment.choices.iter().any(|choice| choice.faults.contains(&index));
    let faults = scenario.experiment.plan.faults.iter().zip(&scenario.fault_origins).enumerate();
    for (_, (fault, origin)) in faults.filter(|(index, _)| !is_drawn(*index)) {
        faulty.extend(fault.action.makes_faulty(model));
        let lies = matches!(fault.action, Action::Corrupt(..));
        let (claims, label) = if lies && model.faults != FaultClass::Byzantine {
            let class = model.faults.as_str();
            (format!("`{name}` tolerates {class} faults"), "here a process lies".to_owned())
        } else if !model.bound.admits(setting, faulty.iter().copied()) {
            let given = model.bound.parameter();
            let given = given.map(|(key, value)| format!(", and here {key} = {value}"));
            let claims = format!("`{name}` tolerates {}{}", model.bound, given.unwrap_or_default());
            (claims, format!("this makes {} of {} processes faulty", faulty.len(), setting.n))
        } else {
            continue;
        };
        problems.warn(&format!("fault[{origin}]"), claims).label(label).help(MEANT);
        return;
    }
}

/// Links that give less than the protocol needs.
fn warn_of_links(problems: &mut Problems<'_>, scenario: &Scenario) {
    let network = &scenario.experiment.network;
    let guarantee = scenario.experiment.transport.guarantee;
    let links = scenario.resolved.model.links;
    // Before the network stabilises, anything may be lost.
    let is_fair_loss = links == Links::FairLoss || network.stabilise_at.is_some();
    if is_fair_loss || guarantee == Guarantee::ReliableFifo {
        return;
    }
    let needs = format!("`{}` needs links that are {}", scenario.entry.name, links.as_str());
    let all =
        || std::iter::once(&network.default).chain(network.overrides.iter().map(|(_, link)| link));
    if guarantee == Guarantee::Raw {
        let loses = |link: &Link| link.loss != Loss::Independent(Probability::NEVER);
        let doubles = |link: &Link| link.duplicate != Probability::NEVER;
        for (breaks, path, label) in [
            (all().any(loses), "network.loss", "these lose messages"),
            (all().any(doubles), "network.duplicate", "these duplicate messages"),
        ] {
            if breaks {
                problems.warn(path, needs.clone()).label(label).help(TRANSPORT);
            }
        }
    }
    if links == Links::ReliableFifo && all().any(|link| link.order == Order::Any) {
        problems.warn("network.order", needs).label("messages can overtake each other").help(FIFO);
    }
}

/// Clocks that do not run at the rate that a synchronous protocol needs for its timeouts, however
/// few: a process with such a clock does not crash but is wrong about others. What a clock shows is
/// of no importance, since no timer depends on it.
fn warn_of_clocks(problems: &mut Problems<'_>, scenario: &Scenario) {
    let (model, experiment) = (&scenario.resolved.model, &scenario.experiment);
    if model.timing != Timing::Synchronous {
        return;
    }
    let is_too_much = |ppm: i32| ppm.unsigned_abs() > model.drift_ppm;
    let (slowest, fastest) = experiment.clocks.drift_ppm;
    let mut found = Vec::new();
    if is_too_much(slowest) || is_too_much(fastest) {
        found.push(("clocks.drift".to_owned(), "these clocks do not"));
    }
    // A Byzantine process may have any clock.
    let counts = model.faults != FaultClass::Byzantine;
    let faults = experiment.plan.faults.iter().zip(&scenario.fault_origins);
    found.extend(faults.filter(|_| counts).filter_map(|(fault, origin)| {
        let path = format!("fault[{origin}]");
        match fault.action {
            Action::Begin(Condition::Drift(_, ppm), _) if is_too_much(ppm) => {
                Some((path, "here a clock drifts"))
            }
            Action::Begin(Condition::Freeze(_), _) => Some((path, "here a clock stands still")),
            _ => None,
        }
    }));
    let kinds = experiment.random.iter().flat_map(|random| &random.kinds);
    found.extend(kinds.filter(|_| counts).filter_map(|kind| match kind.what {
        RandomAction::Begin(RandomCondition::Drift(ppm), _) if ppm > model.drift_ppm => {
            Some(("random.drift".to_owned(), "these clocks do not"))
        }
        RandomAction::Begin(RandomCondition::Freeze, _) => {
            Some(("random.freeze".to_owned(), "these clocks stand still"))
        }
        _ => None,
    }));
    if let Some((path, label)) = found.into_iter().next() {
        let within = match model.drift_ppm {
            0 => String::new(),
            ppm => format!(", within {ppm}ppm"),
        };
        let needs = format!("`{}` needs clocks that run at one rate{within}", scenario.entry.name);
        problems.warn(&path, needs).label(label).help(MEANT);
    }
}

const MEANT: &str = "if the scenario is about that, say in [expect] which properties are violated";
const TRANSPORT: &str =
    "write links = \"reliable\" in [network], or say in [expect] which properties are violated";
const FIFO: &str =
    "write order = \"fifo\" in [network], or say in [expect] which properties are violated";
