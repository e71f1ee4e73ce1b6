//! The same world under several protocols: what the clients of each see, and what it costs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ftsim_core::outcome::operations::{OperationChange, OperationEvent};
use ftsim_core::{Duration, Entry, Instant, Outcome, Verdict};
use ftsim_protocols::Catalogue;
use ftsim_reports::Interval;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::run::failure::failures;
use crate::run::{InternalError, operations};
use crate::scenario::Scenario;
use crate::scenario::diagnostic::Diagnostic;

/// The confidence of the intervals.
const CONFIDENCE: f64 = 0.95;

/// What one protocol does in the world.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The protocol and its parameters, as they were named.
    pub contender: String,
    /// The number of runs.
    pub runs: u64,
    /// Operations that clients asked for.
    pub asked: u64,
    /// Those that were answered.
    pub answered: u64,
    /// Messages sent, for each operation that was answered in the run.
    pub messages: Option<Mean>,
    /// Events handled, for each operation that was answered in the run.
    pub steps: Option<Mean>,
    /// The time, in nanoseconds, within which half of the answers of a run came.
    pub latency_p50_ns: Option<Mean>,
    /// The time, in nanoseconds, within which 99 of 100 answers of a run came.
    pub latency_p99_ns: Option<Mean>,
    /// The longest time of a run, in nanoseconds, in which some operation waited and none was
    /// answered.
    pub outage_ns: Option<Mean>,
    /// Runs in which a limit was reached before some verdict.
    pub undecided: u64,
    /// The properties that were violated, and in how many runs.
    pub violated: BTreeMap<String, u64>,
}

/// The mean of a number of each run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mean {
    /// The number of runs that have the number.
    pub runs: u64,
    /// Their mean.
    pub mean: f64,
    /// Its interval with a confidence of 0.95; none of few runs.
    pub interval: Option<Interval>,
}

/// What one run shows.
#[derive(Debug)]
struct Sample {
    asked: u64,
    answered: u64,
    messages: u64,
    steps: u64,
    /// The times within which half, and 99 of 100, of the answers came.
    within: [Option<f64>; 2],
    outage: Duration,
    is_undecided: bool,
    violated: Vec<&'static str>,
}

/// The limits on threads.
pub struct Effort<'a> {
    /// The number of threads.
    pub jobs: usize,
    /// No run is started once this is set.
    pub halt: &'a AtomicBool,
    /// Called after each run.
    pub done: &'a (dyn Fn() + Sync),
}

/// The scenario with another protocol in it. Its own `[params]` are kept if it has this protocol;
/// further ones are added. What it expects is left out, and so is what it checks beyond the
/// properties of this protocol.
///
/// # Errors
/// What is wrong with the scenario, in the text that was made of it.
pub fn under(
    entry: &Entry,
    file: &toml::Table,
    path: &str,
    params: &Map<String, Value>,
) -> Result<Scenario, Vec<Diagnostic>> {
    let mut file = file.clone();
    let is_own = file.get("protocol").and_then(toml::Value::as_str) == Some(entry.name);
    file.insert("protocol".into(), entry.name.into());
    file.remove("expect");
    if let Some(toml::Value::Array(check)) = file.get_mut("check") {
        check.retain(|name| entry.properties.iter().any(|known| name.as_str() == Some(known.id.0)));
    }
    let own = file.remove("params").and_then(|own| own.as_table().cloned());
    let mut all = own.filter(|_| is_own).unwrap_or_default();
    for (key, value) in params {
        if let Ok(value) = toml::Value::try_from(value) {
            all.insert(key.clone(), value);
        }
    }
    file.insert("params".into(), all.into());
    let text = toml::to_string(&file).unwrap_or_default();
    Scenario::parse(&format!("{path} under {}", entry.name), &text, &Catalogue::from(entry.clone()))
}

/// Runs these seeds. The row does not depend on the number of threads. `None` if it was
/// interrupted.
///
/// # Errors
/// If ftsim itself fails.
pub fn row(
    contender: &str,
    scenario: &Scenario,
    seeds: Range<u64>,
    effort: &Effort<'_>,
) -> Result<Option<Row>, InternalError> {
    let next = AtomicU64::new(seeds.start);
    let all = Mutex::new(BTreeMap::new());
    let work = || {
        while !effort.halt.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let sample =
                operations(scenario, seed).map(|(outcome, events)| Sample::of(&outcome, &events));
            if sample.is_err() {
                next.store(seeds.end, Ordering::Relaxed);
            }
            all.lock().unwrap_or_else(PoisonError::into_inner).insert(seed, sample);
            (effort.done)();
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..effort.jobs.max(1) {
            scope.spawn(work);
        }
    });
    if effort.halt.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let samples = all.into_inner().unwrap_or_else(PoisonError::into_inner).into_values();
    let samples: Vec<Sample> = samples.collect::<Result<_, _>>()?;
    Ok(Some(Row::of(contender, &samples)))
}

impl Sample {
    fn of(outcome: &Outcome, events: &[OperationEvent]) -> Self {
        let mut latencies = outcome.latencies.clone();
        latencies.sort_unstable();
        let is_undecided =
            outcome.judged.iter().any(|one| matches!(one.verdict, Verdict::Undecided(_)));
        Self {
            asked: outcome.dependability.operations.asked,
            answered: outcome.dependability.operations.answered,
            messages: outcome.statistics.sent(),
            steps: outcome.statistics.events,
            within: [50, 99].map(|percent| within(&latencies, percent)),
            outage: outage(events, outcome.at),
            is_undecided,
            violated: failures(outcome).map(|failure| failure.id.property).collect(),
        }
    }

    fn for_each_answer(&self, number: u64) -> Option<f64> {
        (self.answered > 0).then(|| number as f64 / self.answered as f64)
    }
}

/// The time, in nanoseconds, within which so many per cent of the latencies are, by nearest rank;
/// they are sorted.
fn within(latencies: &[Duration], percent: usize) -> Option<f64> {
    let rank = (latencies.len() * percent).div_ceil(100);
    latencies.get(rank.checked_sub(1)?).map(|latency| latency.as_nanos() as f64)
}

/// The longest time in which some operation waited and none was answered.
fn outage(events: &[OperationEvent], end: Instant) -> Duration {
    let mut waiting = BTreeSet::new();
    let mut longest = Duration::ZERO;
    let mut since = Instant::ZERO;
    for event in events {
        match event.what {
            OperationChange::Begins(_) => {
                if waiting.is_empty() {
                    since = event.at;
                }
                waiting.insert(&event.name);
            }
            OperationChange::Lost => drop(waiting.remove(&event.name)),
            OperationChange::Ends(_) if waiting.remove(&event.name) => {
                longest = longest.max(event.at.since(since));
                since = event.at;
            }
            OperationChange::Ends(_) => {}
        }
    }
    if waiting.is_empty() { longest } else { longest.max(end.since(since)) }
}

impl Row {
    fn of(contender: &str, samples: &[Sample]) -> Self {
        let mut violated: BTreeMap<String, u64> = BTreeMap::new();
        for name in samples.iter().flat_map(|sample| &sample.violated) {
            *violated.entry((*name).to_owned()).or_default() += 1;
        }
        let mean = |of: &dyn Fn(&Sample) -> Option<f64>| Mean::of(samples.iter().filter_map(of));
        Self {
            contender: contender.to_owned(),
            runs: samples.len() as u64,
            asked: samples.iter().map(|sample| sample.asked).sum(),
            answered: samples.iter().map(|sample| sample.answered).sum(),
            messages: mean(&|sample| sample.for_each_answer(sample.messages)),
            steps: mean(&|sample| sample.for_each_answer(sample.steps)),
            latency_p50_ns: mean(&|sample| sample.within[0]),
            latency_p99_ns: mean(&|sample| sample.within[1]),
            outage_ns: mean(&|sample| {
                (sample.asked > 0).then_some(sample.outage.as_nanos() as f64)
            }),
            undecided: samples.iter().filter(|sample| sample.is_undecided).count() as u64,
            violated,
        }
    }
}

impl Mean {
    /// `None` of no numbers.
    fn of(numbers: impl Iterator<Item = f64>) -> Option<Self> {
        let numbers: Vec<f64> = numbers.collect();
        let count = numbers.len() as f64;
        let mean = Some(numbers.iter().sum::<f64>() / count).filter(|mean| mean.is_finite())?;
        let squares: f64 = numbers.iter().map(|number| (number - mean) * (number - mean)).sum();
        let variance = if numbers.len() > 1 { squares / (count - 1.0) } else { 0.0 };
        let runs = numbers.len() as u64;
        Some(Self { runs, mean, interval: Interval::of_mean(mean, variance, runs, CONFIDENCE) })
    }
}

#[cfg(test)]
mod tests {
    use ftsim_core::ProcessId;
    use ftsim_core::model::act::Act;
    use ftsim_core::model::spec::OperationName;

    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_nanos(ms * 1_000_000)
    }

    fn event(ms: u64, number: u64, what: OperationChange) -> OperationEvent {
        let name = OperationName::at(ProcessId(0), number);
        OperationEvent { step: 0, at: at(ms), name, what }
    }

    fn begins(ms: u64, number: u64) -> OperationEvent {
        event(ms, number, OperationChange::Begins(Act::new("write", 1)))
    }

    fn ends(ms: u64, number: u64) -> OperationEvent {
        event(ms, number, OperationChange::Ends(Act::new("write", 1)))
    }

    fn outage_ms(events: &[OperationEvent]) -> u64 {
        outage(events, at(100)).as_nanos() / 1_000_000
    }

    #[test]
    fn nobody_waits_between_operations() {
        assert_eq!(outage_ms(&[]), 0);
        assert_eq!(outage_ms(&[begins(5, 1), ends(10, 1), begins(60, 2), ends(62, 2)]), 5);
    }

    #[test]
    fn an_answer_to_any_client_ends_an_outage() {
        let others = [begins(0, 1), begins(5, 2), ends(10, 2), begins(11, 3), ends(30, 3)];
        assert_eq!(outage_ms(&[&others[..], &[ends(35, 1)]].concat()), 20);
    }

    #[test]
    fn what_is_never_answered_waits_until_the_end() {
        assert_eq!(outage_ms(&[begins(40, 1)]), 60);
        assert_eq!(outage_ms(&[begins(40, 1), event(50, 1, OperationChange::Lost)]), 0);
    }

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let latencies: Vec<Duration> = (1..=200).map(Duration::from_nanos).collect();
        assert_eq!([50, 99].map(|percent| within(&latencies, percent)), [Some(100.0), Some(198.0)]);
        assert_eq!(within(&latencies[..1], 50), Some(1.0));
        assert_eq!(within(&[], 50), None);
    }

    #[test]
    fn a_mean_of_few_runs_has_no_interval() {
        assert_eq!(Mean::of([].into_iter()), None);
        let few = Mean::of([1.0, 3.0].into_iter()).expect("two numbers");
        assert_eq!((few.runs, few.mean, few.interval), (2, 2.0, None));
        let many = Mean::of((0..100).map(|number| f64::from(number % 2))).expect("numbers");
        let Interval { low, high } = many.interval.expect("an interval");
        // 1.96 · √(0.2525 / 100) around one half.
        assert!((low - 0.4015).abs() < 1e-3 && (high - 0.5985).abs() < 1e-3, "{low} {high}");
    }
}
