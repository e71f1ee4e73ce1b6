//! Makes a run explicit: its own faults in place of drawn ones, and the fate of each message.

use ftsim_core::environment::detector::{DetectorKind, Mistake, NoticeDelay};
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
use crate::scenario::plan_file;

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
            plan_file::fault(&fault).ok_or_else(|| failed("a fault that cannot be written"))?;
        let fault: Table = toml::from_str(&fault.to_string()).map_err(|e| failed(e.message()))?;
        faults.push(Value::Table(fault));
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
    case = with_detector(case, scenario, outcome.seed, &decisions.notices);
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
fn with_detector(case: Case, scenario: &Scenario, seed: u64, notices: &[NoticeDelay]) -> Case {
    let detector = &scenario.experiment.detector;
    let text = |text: String| Value::from(text);
    let mut case = case;
    if let Some(random) = detector.random_mistakes {
        let drawn = random.of_seed(scenario.experiment.setting.n, seed).into_iter();
        let drawn = drawn.map(|Mistake { observer, suspects, at, until }| {
            let until = until.map(|until| ("until", text(until.to_string())));
            let mistake = [
                ("observer", text(observer.to_string())),
                ("suspects", text(suspects.to_string())),
                ("at", text(at.to_string())),
            ];
            table(mistake.into_iter().chain(until))
        });
        let written = case.get("detector", "mistakes").and_then(Value::as_array).cloned();
        let all: Vec<Value> = written.into_iter().flatten().chain(drawn).collect();
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
        return case;
    }
    let notices = notices.iter().map(|NoticeDelay { observer, subject, nth, delay }| {
        let nth = Some(*nth).filter(|nth| *nth > 1).and_then(|nth| i64::try_from(nth).ok());
        let told = [("observer", observer.to_string()), ("of", subject.to_string())];
        let nth = nth.map(|nth| ("nth", Value::from(nth)));
        let delay = [("delay", text(delay.to_string()))];
        table(told.map(|(key, name)| (key, text(name))).into_iter().chain(nth).chain(delay))
    });
    case.with("detector", "notice", notices.collect::<Vec<Value>>())
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
    requests.map(super::file::request).collect()
}

fn table(entries: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
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
        Some(Content::Replaced(form)) => super::file::form(form).is_some(),
        Some(Content::Garbled) | None => true,
    }
}
