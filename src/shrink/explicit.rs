//! A run as data: its own faults instead of those drawn, and what became of each of its messages.

use ftsim_core::Outcome;
use ftsim_core::fault::{Action, Fault, Trigger};
use ftsim_core::message_override::MessageOverride;
use toml::{Table, Value};

use super::case::Case;
use crate::plan_file;
use crate::scenario::Scenario;
use crate::sweep::{self, InternalError};

/// Sections of a scenario that say what is drawn, or what several seeds come to.
const ABOUT_MANY_RUNS: [&str; 4] = ["random", "repro", "expect", "message"];
/// Keys of `[run]` that do.
const ABOUT_MANY_SEEDS: [&str; 2] = ["seeds", "first_seed"];

/// A run as a case that makes the same run.
pub struct Explicit {
    /// The case, with an override for each message where that is possible.
    pub case: Case,
    /// What came of the run.
    pub outcome: Outcome,
}

/// Makes a run explicit: the run of `outcome`, executed before.
///
/// # Errors
/// When ftsim itself fails, or the case makes another run.
pub fn explicit(
    scenario: &Scenario,
    outcome: &Outcome,
    run: impl Fn(&Case) -> Option<Outcome>,
) -> Result<Explicit, InternalError> {
    let failed = |message: &str| InternalError {
        path: scenario.path.clone(),
        seed: outcome.seed,
        message: format!("the run cannot be told as data: {message}"),
    };
    let mut table: Table = toml::from_str(&scenario.text).map_err(|e| failed(&e.to_string()))?;
    for key in ABOUT_MANY_RUNS {
        table.remove(key);
    }
    let mut faults = Vec::new();
    for fault in struck(outcome) {
        let fault = plan_file::fault(&fault).ok_or_else(|| failed("a fault that no file says"))?;
        let fault: Table = toml::from_str(&fault.to_string()).map_err(|e| failed(e.message()))?;
        faults.push(Value::Table(fault));
    }
    let plan = outcome.plan.as_ref();
    let (again, decisions) = sweep::decisions(scenario, outcome.seed, plan)?;
    if again.digest != outcome.digest {
        return Err(failed("it is not the same when it is run again"));
    }
    let written = scenario.experiment.overrides.clone();
    let mut case =
        Case { table, messages: written, seed: outcome.seed }.with_list("fault", &faults);
    for key in ABOUT_MANY_SEEDS {
        case = case.without("run", key).unwrap_or(case);
    }
    let rules: Vec<MessageOverride> = decisions.into_iter().map(|d| d.rule).collect();
    let told = case.with_messages(&rules);
    let is_same = |case: &Case| run(case).filter(|found| found.digest == outcome.digest);
    // What a transport carries travels as the seed says: overrides are about processes' messages.
    if has_no_transport(scenario) {
        case = told;
    }
    let outcome =
        is_same(&case).ok_or_else(|| failed("its faults and messages make another run"))?;
    Ok(Explicit { case, outcome })
}

fn has_no_transport(scenario: &Scenario) -> bool {
    let transport = &scenario.experiment.transport;
    transport.guarantee == ftsim_core::transport::Guarantee::Raw && transport.heartbeat.is_none()
}

/// The faults that struck, as they did: whoever led is named.
fn struck(outcome: &Outcome) -> Vec<Fault> {
    let faults = outcome.plan.faults.iter().enumerate();
    let struck = faults.filter(|(index, fault)| {
        // Who is never started is absent all the same.
        let is_start = matches!(fault.action, Action::Start(_));
        fault.trigger != Trigger::Never && (is_start || !outcome.unfired.contains(index))
    });
    let plainly = |fault: &Fault| match &fault.action {
        Action::IfLeads(_, action) => Fault { action: (**action).clone(), ..fault.clone() },
        _ => fault.clone(),
    };
    struck.map(|(_, fault)| plainly(fault)).collect()
}

/// Whether a file can say it.
pub fn can_be_written(rule: &MessageOverride) -> bool {
    use ftsim_core::message_override::Content;
    match rule.fate.changed() {
        Some(Content::Replaced(form)) => super::file::form(form).is_some(),
        Some(Content::Garbled) | None => true,
    }
}
