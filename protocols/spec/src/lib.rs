//! Problems, one module each: requests, indications, clients, and the properties that every run is
//! checked for. A problem knows nothing of the protocols that solve it.
//!
//! The checkers of larger properties have modules of their own: [`linearizability`], [`one_copy`]
//! for one-copy serializability. [`happened_before`] follows messages; [`message_set`] and
//! [`interval_set`] keep large sets in little memory.

pub mod atomic_commit;
pub mod ballots;
pub mod broadcast;
pub mod byzantine;
pub mod chain;
pub mod checked_link;
pub mod clocks;
pub mod computation;
pub mod consensus;
pub mod dependability;
pub mod detector;
pub mod dissemination;
pub mod election;
pub mod eventual_leader;
pub mod happened_before;
pub mod interval_set;
pub mod linearizability;
pub mod link;
pub mod membership;
pub mod message_logging;
pub mod message_set;
pub mod mutual_exclusion;
pub mod one_copy;
pub mod primary_backup;
pub mod process_group;
pub mod register;
pub mod replicated_log;
pub mod replication;
pub mod service;
pub mod snapshot;
pub mod stabilisation;
#[cfg(test)]
mod stub;
pub mod transactions;
pub mod two_generals;
pub mod view_synchrony;
pub mod volumes;

use ftsim_core::model::spec::REQUEST_COUNT_MAX;
use ftsim_core::rng::Rng;
use ftsim_core::{Duration, DurationRange, End, EndCause, Instant, Invalid};

/// Refuses a `count` under `key` with which clients would make more requests than a run can hold:
/// `count` from each of this many processes.
fn refuse_too_many(key: &str, count: u32, processes: usize) -> Result<(), Invalid> {
    let most = REQUEST_COUNT_MAX / (processes as u64).max(1);
    if u64::from(count) <= most {
        return Ok(());
    }
    Err(Invalid::new(
        key,
        format!("{count} are too many: at most {most} with {processes} processes"),
    ))
}

/// A duration in this range; if it contains only one, nothing is drawn.
fn draw(DurationRange { min, max }: DurationRange, rng: &mut Rng) -> Duration {
    if min == max {
        return min;
    }
    Duration::from_nanos(rng.between(min.as_nanos(), max.as_nanos()))
}

/// The beginning of the last quarter of a run; its end, if no events were left then.
fn last_quarter(end: &End<'_>) -> Instant {
    let at_ns = end.at.as_nanos();
    let rest_ns = if end.cause == EndCause::Quiescent { 0 } else { at_ns / 4 };
    Instant::from_nanos(at_ns - rest_ns)
}

/// A duration in seconds, to be measured.
fn seconds(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e9
}

/// The mean of these numbers, if there are any.
fn mean(numbers: Vec<f64>) -> Option<f64> {
    let count = numbers.len();
    (count > 0).then(|| numbers.into_iter().sum::<f64>() / count as f64)
}

/// The number of parts of a run. By convention, what happens in each part happens forever.
const PART_COUNT: u64 = 8;

/// Whether each part of a run that ended at `end` contains one of these times, in their order.
fn goes_on(times: &[Instant], end: Instant) -> bool {
    let end_ns = u128::from(end.as_nanos().max(1));
    let part = |at: &Instant| u128::from(at.as_nanos()) * u128::from(PART_COUNT) / end_ns;
    let mut parts: Vec<_> = times.iter().map(part).collect();
    parts.dedup();
    parts.retain(|part| *part < u128::from(PART_COUNT));
    parts.len() as u64 == PART_COUNT
}
