//! Explores the fault patterns of a scenario in lockstep that can matter.

use ftsim_core::environment::network::Order;
use ftsim_core::environment::transport::Guarantee;
use ftsim_core::explore::lineage::{self, Faults, Lineage};
use ftsim_core::explore::{Budget, Count};
use ftsim_core::{Duration, Experiment};

use super::counterexample::Found;
use super::{Effort, Seen, Settings};
use crate::scenario::Scenario;

/// Runs patterns one after the other, until all that are left are known to come to the same.
pub(super) fn explore(
    scenario: &Scenario,
    settings: &Settings,
    effort: &Effort<'_>,
) -> Result<Seen, String> {
    if scenario.experiment.network.bound == Duration::ZERO {
        return Err("in lockstep messages take time: network.bound is 0".to_owned());
    }
    let experiment = Lineage::strip(&scenario.experiment);
    let runner = scenario
        .entry
        .prepare(experiment, &scenario.params, &scenario.workload)
        .map_err(|invalid| format!("{}: {}", invalid.key, invalid.message))?;
    let Budget { crashes, losses, late, steps, .. } = settings.budget;
    if late > 0 && keeps_order(&scenario.experiment) {
        return Err("--late: a message on a link that keeps order cannot be late alone".to_owned());
    }
    let faults = Faults { crashes, losses, late, steps };
    let mut seen = Seen::default();
    let (count, flow) = Lineage::new(runner, faults).explore(settings.seed, &mut |tried| {
        seen.note_outcome(tried.outcome, &|message| Found::under(tried.pattern, message));
        (effort.progress)(seen.runs, 0, 1);
        effort.go_on(&seen, effort.run_count_max, scenario)
    });
    let lineage::Count { runs, cut, steps, longest, patterns } = count;
    seen.count = Count { runs, cut, steps, longest, ..Count::default() };
    seen.is_ended = flow.is_break();
    seen.parts = (usize::from(flow.is_continue()), 1);
    seen.patterns = Some(patterns);
    Ok(seen)
}

/// Whether messages on some link arrive in the order of their sending.
fn keeps_order(experiment: &Experiment) -> bool {
    let network = &experiment.network;
    let mut links = network.overrides.iter().map(|(_, link)| link).chain([&network.default]);
    links.any(|link| link.order == Order::Fifo)
        || experiment.transport.guarantee == Guarantee::ReliableFifo
}
