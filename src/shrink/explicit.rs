//! Makes a run explicit: its own faults in place of drawn ones, and the fate of each message.

use ftsim_core::environment::detector::{DetectorKind, NoticeDelay};
use ftsim_core::environment::message_rule::MessageRule;
use ftsim_core::experiment::Ties;
use ftsim_core::fault::{Action, Fault, Trigger};
use ftsim_core::outcome::decisions::RecordedSchedule;
use ftsim_core::{Instant, Outcome, RunRequest};
use toml::{Table, Value};

use super::case::{Case, comes_by};
use super::control;
use crate::run;
use crate::run::InternalError;
use crate::scenario::Scenario;
use crate::scenario::file::{FaultFile, MistakeFile, NoticeFile, RequestFile};
use crate::scenario::writing::is_toml;

/// Sections of a scenario that control drawing or describe several runs.
const ABOUT_MANY_RUNS: [&str; 4] = ["random", "repro", "expect", "message"];
/// The maximum number of requests that are written out.
const REQUEST_COUNT_MAX: usize = 500;
/// Keys of `[run]` that describe several seeds.
const ABOUT_MANY_SEEDS: [&str; 2] = ["seeds", "first_seed"];

/// A run as a case that reproduces it.
pub struct Explicit {
    /// The case, with an override for each message where that is possible.
    pub case: Case,
    /// The outcome of the run.
    pub outcome: Outcome,
}

/// Makes explicit the run with this outcome.
///
/// # Errors
/// If ftsim itself fails, or if the case does not reproduce the run.
pub fn explicit(
    scenario: &Scenario,
    outcome: &Outcome,
    run: impl Fn(&Case) -> Option<Outcome>,
) -> Result<Explicit, InternalError> {
    let failed = |message: &str| InternalError {
        path: scenario.path.clone(),
        seed: outcome.seed,
        message: format!("the run cannot be made explicit: {message}"),
    };
    let mut table: Table = toml::from_str(&scenario.text).map_err(|e| failed(&e.to_string()))?;
    for key in ABOUT_MANY_RUNS {
        table.remove(key);
    }
    let mut faults = Vec::new();
    for fault in struck(scenario, outcome) {
        let fault =
            FaultFile::of(&fault).ok_or_else(|| failed("a fault that cannot be written"))?;
        faults.push(Value::try_from(fault).map_err(|e| failed(&e.to_string()))?);
    }
    let plan = outcome.plan.as_ref();
    let (again, decisions) =
        run::schedule(scenario, RunRequest::under(outcome.seed, plan.clone()))?;
    if again.digest != outcome.digest {
        return Err(failed("a second execution differs"));
    }
    let written = scenario.experiment.overrides.clone();
    let mut case =
        Case { table, messages: written, seed: outcome.seed }.with_list("fault", &faults);
    for key in ABOUT_MANY_SEEDS {
        case = case.without("run", key).unwrap_or(case);
    }
    case = with_detector(case, scenario, outcome.seed, &decisions.notices)
        .map_err(|e| failed(&e.to_string()))?;
    let horizon = scenario.experiment.limits.horizon;
    let rules = decisions.messages.iter().map(|decision| decision.rule.clone());
    let sayable = |rule: &MessageRule| can_be_written(rule) && comes_by(rule, horizon);
    let rules: Vec<MessageRule> = rules.filter(sayable).collect();
    let told = case.with_messages(&rules);
    let same = |case: Case| {
        let found = run(&case).filter(|found| found.digest == outcome.digest);
        found.map(|outcome| Explicit { case, outcome })
    };
    // Messages of a transport travel as the seed determines, because overrides apply only to
    // messages of processes. If one message cannot be written out, this holds for all.
    let told = Some(told).filter(|_| has_no_transport(scenario));
    let asked = asked(scenario, &decisions);
    let asked = asked.as_ref().map(|requests| {
        let all = told.iter().chain([&case]);
        all.map(|case| case.with_list("request", requests)).collect::<Vec<Case>>()
    });
    let cases = || asked.iter().flatten().chain(&told).chain([&case]).cloned();
    // A mutant that breaks an assumption requires its fault, even if it did not strike. Such a
    // mutant is only a name for the fault.
    let assumes = |case: &Case| control::is_assumption(case, &scenario.entry);
    let unnamed = cases().filter(assumes).filter_map(|case| case.without("params", "mutant"));
    let explicit = cases().chain(unnamed).find_map(same);
    explicit.ok_or_else(|| failed("its faults and messages do not reproduce it"))
}

/// A case with the mistakes that the detector drew, and the delay of each of its notifications.
fn with_detector(
    case: Case,
    scenario: &Scenario,
    seed: u64,
    notices: &[NoticeDelay],
) -> Result<Case, toml::ser::Error> {
    let detector = &scenario.experiment.detector;
    let mut case = case;
    if let Some(random) = detector.random_mistakes {
        let drawn = random.of_seed(scenario.experiment.setting.n, seed).into_iter();
        let drawn = drawn.map(|mistake| Value::try_from(MistakeFile::from(mistake)));
        let written = case.get("detector", "mistakes").and_then(Value::as_array).cloned();
        let written = written.into_iter().flatten().map(Ok);
        let all = written.chain(drawn).collect::<Result<Vec<Value>, _>>()?;
        case = case.with("detector", "mistakes", all);
        for key in ["mistakes_per_process", "mistake_duration"] {
            case = case.without("detector", key).unwrap_or(case);
        }
        // It is perfect except for the mistakes that are written out.
        if detector.kind == DetectorKind::Perfect {
            case = case.with("detector", "kind", "perfect");
        }
    }
    if detector.delay.min == detector.delay.max || notices.is_empty() {
        return Ok(case);
    }
    let notices = notices.iter().map(|notice| Value::try_from(NoticeFile::from(notice)));
    Ok(case.with("detector", "notice", notices.collect::<Result<Vec<Value>, _>>()?))
}

/// The requests drawn by the clients, as `[[request]]`; `None` if they drew none, or if a file
/// cannot express them all.
fn asked(scenario: &Scenario, decisions: &RecordedSchedule) -> Option<Vec<Value>> {
    let RecordedSchedule { requests, has_drawn_requests, .. } = decisions;
    if !has_drawn_requests || requests.len() > REQUEST_COUNT_MAX {
        return None;
    }
    let horizon = scenario.experiment.limits.horizon;
    // Later requests never occur.
    let requests = requests
        .iter()
        .filter(|request| request.after.is_none_or(|after| Instant::ZERO + after <= horizon));
    let written = requests.map(|request| {
        let is_expressible = request.replace.as_ref().is_none_or(is_toml);
        is_expressible.then(|| Value::try_from(RequestFile::from(request)).ok())?
    });
    written.collect()
}

fn has_no_transport(scenario: &Scenario) -> bool {
    let transport = &scenario.experiment.transport;
    transport.guarantee == ftsim_core::environment::transport::Guarantee::Raw
        && transport.heartbeat.is_none()
}

/// The faults that struck, each with the process that it struck.
fn struck(scenario: &Scenario, outcome: &Outcome) -> Vec<Fault> {
    let faults = outcome.plan.faults.iter().enumerate();
    let draws_ties = scenario.experiment.ties == Ties::Drawn;
    let struck = faults.filter(|(index, fault)| {
        // A process that is never started is absent anyway, and a fault at a time takes a place
        // among the events of that time.
        let is_start = matches!(fault.action, Action::Start(_));
        let draws = draws_ties && matches!(fault.trigger, Trigger::At(_));
        let shows = is_start || draws || !outcome.unfired.contains(index);
        fault.trigger != Trigger::Never && shows
    });
    let plainly = |fault: &Fault| match &fault.action {
        Action::IfLeads(_, action) => Fault { action: (**action).clone(), ..fault.clone() },
        _ => fault.clone(),
    };
    struck.map(|(_, fault)| plainly(fault)).collect()
}

/// Whether a file can express this rule.
pub fn can_be_written(rule: &MessageRule) -> bool {
    use ftsim_core::environment::message_rule::Content;
    match rule.fate.changed() {
        Some(Content::Replaced(message)) => is_toml(message),
        Some(Content::Garbled) | None => true,
    }
}
