//! Explores the fault patterns of a scenario in lockstep that can matter.

use ftsim_core::Duration;
use ftsim_core::explore::Count;
use ftsim_core::explore::lineage::{self, Faults, Lineage};

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
    let budget = &settings.budget;
    let faults = Faults { crashes: budget.crashes, losses: budget.losses, steps: budget.steps };
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
