//! A timer fires only when it is set and due by its process's clock, and a timer that is due fires.

use std::collections::BTreeMap;

use ftsim_core::fault::condition::Condition;
use ftsim_core::id::ProcessId;
use ftsim_core::outcome::trace::{Entry, TraceEvent};
use ftsim_core::time::{Duration, Instant};

use super::known::Known;
use super::{Check, Report, Rule};

const MILLION: i128 = 1_000_000;

/// The timers that are set.
#[derive(Default)]
pub(super) struct Timers<'a> {
    set: BTreeMap<ProcessId, BTreeMap<&'a str, Due>>,
    /// The rate that faults add to each affected clock, in parts per million; `None` if the clock
    /// stands still.
    rates: BTreeMap<ProcessId, Option<i64>>,
}

/// When a timer is due.
#[derive(Clone, Copy)]
enum Due {
    /// Between these two times, which are equal unless a clock with a drawn rate has changed.
    At(Instant, Instant),
    /// After the clock has advanced by at least and at most this much; the clock stands still.
    Stopped(Duration, Duration),
    /// Not shown in the trace: the timer was set while its clock stood still.
    Unknown,
}

impl<'a> Check<'a> for Timers<'a> {
    fn see(&mut self, entry: &'a Entry, known: &Known<'a>, report: &mut Report) {
        match &entry.what {
            TraceEvent::Begins { .. }
            | TraceEvent::Ends { .. }
            | TraceEvent::Stabilise
            | TraceEvent::Well { .. } => self.adjust(known),
            _ => {}
        }
        let Some(p) = entry.process else { return };
        let timers = self.set.entry(p).or_default();
        match &entry.what {
            TraceEvent::SetTimer { timer, due } => {
                let frozen = *due == Instant::MAX;
                let due = if frozen { Due::Unknown } else { Due::At(*due, *due) };
                let old = timers.insert(timer, due);
                missed(old, timer, p, known, report);
            }
            TraceEvent::CancelTimer { timer } => {
                let old = timers.remove(timer.as_str());
                missed(old, timer, p, known, report);
            }
            TraceEvent::Timer { timer } => {
                let since = known.reached_since(p);
                match timers.remove(timer.as_str()) {
                    None => report.add(Rule::Timer, format!("{timer} fires, but is not set")),
                    Some(Due::Stopped(..)) => {
                        report.add(Rule::Timer, format!("{timer} fires on a stopped clock"));
                    }
                    Some(Due::At(from, until)) if from > known.at || until < since => {
                        report.add(Rule::Timer, format!("{timer} fires, but is due at {from}"));
                    }
                    Some(Due::At(..) | Due::Unknown) => {}
                }
            }
            TraceEvent::Crash { .. } => {
                let copies = self.set.iter_mut().filter(|(place, _)| known.identity(**place) == p);
                copies.for_each(|(_, timers)| timers.clear());
            }
            TraceEvent::Doubled { second } => {
                let copies = timers.clone();
                self.set.insert(*second, copies);
            }
            _ => {}
        }
    }

    fn end(&mut self, known: &Known<'a>, report: &mut Report) {
        for (p, timers) in &self.set {
            for (timer, due) in timers {
                missed(Some(*due), timer, *p, known, report);
            }
        }
    }
}

/// Reports a timer that was due before now and has not fired. A waiting process handles it later.
fn missed(due: Option<Due>, timer: &str, p: ProcessId, known: &Known<'_>, report: &mut Report) {
    let host = known.host(p);
    let since = host.waits_since.unwrap_or_else(|| known.reached_since(p));
    if let Some(Due::At(_, until)) = due
        && until < since
        && host.up
    {
        report.add_at(Rule::TimerMissed, p, format!("{timer} was due at {until}"));
    }
}

impl Timers<'_> {
    /// Adjusts the timers to a change of the clocks' rates.
    fn adjust(&mut self, known: &Known<'_>) {
        let (slowest, fastest) = known.subject.experiment.clocks.drift_ppm;
        for (p, timers) in &mut self.set {
            let rate = rate(known, *p);
            let before = self.rates.insert(*p, rate).unwrap_or(Some(0));
            if before == rate {
                continue;
            }
            let of = |own: i32, error: Option<i64>| error.map(|error| i64::from(own) + error);
            for due in timers.values_mut() {
                let left = match *due {
                    Due::At(from, until) => {
                        let slow = local(from.since(known.at), of(slowest, before));
                        let fast = local(until.since(known.at), of(fastest, before));
                        (slow, fast)
                    }
                    Due::Stopped(least, most) => (least, most),
                    Due::Unknown => continue,
                };
                let ends = [of(fastest, rate), of(slowest, rate)];
                *due = match (ends, left) {
                    ([Some(fast), Some(slow)], (least, most)) if slow > -1_000_000 => {
                        Due::At(known.at + truly(least, fast), known.at + truly(most, slow))
                    }
                    (_, (least, most)) => Due::Stopped(least, most),
                };
            }
        }
    }
}

/// The error of a clock's rate; `None` if it stands still.
fn rate(known: &Known<'_>, p: ProcessId) -> Option<i64> {
    let mut rate = Some(0);
    for condition in known.in_force.at(p) {
        match condition {
            Condition::Drift(q, ppm) if *q == p => rate = rate.map(|r| r + i64::from(*ppm)),
            Condition::Freeze(q) if *q == p => rate = None,
            _ => {}
        }
    }
    rate
}

/// The local time that passes on a clock at this rate in a span of true time.
fn local(span: Duration, ppm: Option<i64>) -> Duration {
    let Some(ppm) = ppm else { return Duration::ZERO };
    let gained = i128::from(span.as_nanos()) * (MILLION + i128::from(ppm)) / MILLION;
    Duration::from_nanos(u64::try_from(gained.max(0)).unwrap_or(u64::MAX))
}

/// The true time in which a clock at this rate advances by a span.
fn truly(span: Duration, ppm: i64) -> Duration {
    let rate = (MILLION + i128::from(ppm)).max(1);
    let takes = (i128::from(span.as_nanos()) * MILLION + rate - 1) / rate;
    Duration::from_nanos(u64::try_from(takes).unwrap_or(u64::MAX))
}
