//! Dependability figures: times to failure and to repair of processes, and the effects on clients.
//!
//! The terms follow Avizienis, Laprie, Randell and Landwehr (2004). A process *fails* when it stops
//! giving correct service: it crashes, is paused, or turns Byzantine. It is *repaired* when it
//! recovers or resumes. Lost or late messages do not count as process failures here, whatever their
//! cause.
//!
//! A run ends before most processes have failed or been repaired, so a mean over finished intervals
//! alone would be too short. The estimates here are those of a truncated test (Epstein and Sobel,
//! 1953: total time on test): MTTF is the total uptime divided by the number of failures, and MTTR
//! the total downtime divided by the number of repairs. If there was none, there is no estimate.

use crate::id::ProcessId;
use crate::outcome::history::{History, Operation};
use crate::time::{Duration, Instant};

/// The uptime, downtime, failures and repairs of a unit: one process, or several together. The sums
/// are integers, so that those of many runs add up exactly and in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// The uptime in nanoseconds.
    pub up_ns: u128,
    /// The downtime in nanoseconds.
    pub down_ns: u128,
    /// The number of failures.
    pub failures: u64,
    /// The number of repairs.
    pub repairs: u64,
}

impl Unit {
    /// Mean time to failure; `None` without a failure.
    pub fn mttf(&self) -> Option<Duration> {
        mean(self.up_ns, self.failures)
    }

    /// Mean time to repair; `None` without a repair.
    pub fn mttr(&self) -> Option<Duration> {
        mean(self.down_ns, self.repairs)
    }

    /// Mean time between failures, MTTF + MTTR; `None` unless both are known.
    pub fn mtbf(&self) -> Option<Duration> {
        Some(self.mttf()? + self.mttr()?)
    }

    /// Steady-state availability, MTTF / (MTTF + MTTR); `None` unless both are known.
    ///
    /// With as many repairs as failures it is the share of time spent up.
    pub fn availability(&self) -> Option<f64> {
        if self.failures == 0 || self.repairs == 0 {
            return None;
        }
        // MTTF / (MTTF + MTTR) without the rounding of the means.
        let up = self.up_ns as f64 * self.repairs as f64;
        let down = self.down_ns as f64 * self.failures as f64;
        Some(up / (up + down))
    }

    /// The share of time spent up, whether or not it ever failed; `None` if no time passed.
    pub fn up_share(&self) -> Option<f64> {
        share(self.up_ns, self.up_ns + self.down_ns)
    }

    /// Adds the sums of other runs, or of another process.
    pub fn add(&mut self, other: &Self) {
        self.up_ns += other.up_ns;
        self.down_ns += other.down_ns;
        self.failures += other.failures;
        self.repairs += other.repairs;
    }
}

/// The figures seen by clients. An operation is a request together with the first indication that
/// answers it, as defined by its spec; requests that are never answered by definition do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// Requested operations, including those of processes that were down.
    pub asked: u64,
    /// The operations that were answered before the run ended.
    pub answered: u64,
    /// The sum of all latencies of answered operations, in nanoseconds.
    pub latency_ns: u128,
    /// The sum of the times that unanswered operations had waited when the run ended, in
    /// nanoseconds.
    pub waited_ns: u128,
}

impl Operations {
    /// The operations of one run, and the latencies of the answered ones.
    fn of(history: &History, end: Instant) -> (Self, Vec<Duration>) {
        let mut operations = Self::default();
        let mut latencies = Vec::new();
        for Operation { asked, answered } in history.operations() {
            operations.asked += 1;
            match answered {
                Some(at) => latencies.push(at.since(asked)),
                None => operations.waited_ns += u128::from(end.since(asked).as_nanos()),
            }
        }
        operations.answered = latencies.len() as u64;
        operations.latency_ns = latencies.iter().map(|l| u128::from(l.as_nanos())).sum();
        (operations, latencies)
    }

    /// The yield (Fox and Brewer, 1999): the share of operations that were answered; `None` if none
    /// was requested.
    pub fn answered_share(&self) -> Option<f64> {
        share(self.answered.into(), self.asked.into())
    }

    /// The mean latency of answered operations; `None` if there are none.
    pub fn latency_mean(&self) -> Option<Duration> {
        mean(self.latency_ns, self.answered)
    }

    /// The mean time that unanswered operations had waited when the run ended; `None` if all were
    /// answered.
    pub fn waited_mean(&self) -> Option<Duration> {
        mean(self.waited_ns, self.asked - self.answered)
    }
}

/// The figures of one run, or of many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependability {
    /// The number of runs.
    pub run_count: u64,
    /// The number of runs in which no process failed: divided by `run_count`, the reliability R(t)
    /// of all processes together, where t is the length of a run.
    pub unfailed_run_count: u64,
    /// Each process, by id.
    pub processes: Vec<Unit>,
    /// All processes in series: up while all of them are.
    pub series: Unit,
    /// All processes in parallel: up while any of them is.
    pub parallel: Unit,
    /// The figures seen by clients.
    pub operations: Operations,
    /// The total number of messages sent, including heartbeats and retransmissions.
    pub messages: u64,
}

impl Dependability {
    /// The figures of one run of `n` processes that ended at `end` and sent this many messages; and
    /// the latency of each answered operation, in the order of their names.
    pub fn of(history: &History, n: u32, end: Instant, messages: u64) -> (Self, Vec<Duration>) {
        let mut processes = vec![Watch::default(); n as usize];
        for p in history.absent() {
            if let Some(watch) = processes.get_mut(p.index()) {
                watch.state = State::Absent;
            }
        }
        let mut up_count = processes.iter().filter(|watch| watch.state == State::Up).count();
        let mut series = Watch::beginning(up_count == processes.len());
        let mut parallel = Watch::beginning(up_count > 0);
        for change in history.changes() {
            let Some(watch) = processes.get_mut(change.process.index()) else { continue };
            watch.turn(change.serves, change.at);
            up_count = if change.serves { up_count + 1 } else { up_count - 1 };
            series.turn(up_count == processes.len(), change.at);
            parallel.turn(up_count > 0, change.at);
        }
        let processes: Vec<Unit> = processes.iter().map(|watch| watch.until(end)).collect();
        let (operations, latencies) = Operations::of(history, end);
        let figures = Self {
            run_count: 1,
            unfailed_run_count: u64::from(processes.iter().all(|unit| unit.failures == 0)),
            processes,
            series: series.until(end),
            parallel: parallel.until(end),
            operations,
            messages,
        };
        (figures, latencies)
    }

    /// Adds the figures of other runs of the same processes.
    pub fn add(&mut self, other: &Self) {
        self.run_count += other.run_count;
        self.unfailed_run_count += other.unfailed_run_count;
        if self.processes.len() < other.processes.len() {
            self.processes.resize(other.processes.len(), Unit::default());
        }
        for (ours, theirs) in self.processes.iter_mut().zip(&other.processes) {
            ours.add(theirs);
        }
        self.series.add(&other.series);
        self.parallel.add(&other.parallel);
        self.operations.asked += other.operations.asked;
        self.operations.answered += other.operations.answered;
        self.operations.latency_ns += other.operations.latency_ns;
        self.operations.waited_ns += other.operations.waited_ns;
        self.messages += other.messages;
    }

    /// The mean for any one process: the sums over all of them.
    pub fn process(&self) -> Unit {
        let mut all = Unit::default();
        self.processes.iter().for_each(|unit| all.add(unit));
        all
    }

    /// The processes that failed, in the order of their ids.
    pub fn failed(&self) -> impl Iterator<Item = (ProcessId, &Unit)> {
        let ids = (0u32..).map(ProcessId);
        ids.zip(&self.processes).filter(|(_, unit)| unit.failures > 0)
    }

    /// Messages sent per requested operation; `None` if none was requested.
    pub fn messages_per_operation(&self) -> Option<f64> {
        share(self.messages.into(), self.operations.asked.into())
    }
}

/// A unit under observation.
#[derive(Clone, Copy, Debug, Default)]
struct Watch {
    unit: Unit,
    state: State,
    since: Instant,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Up,
    Down,
    /// It has not been up yet. This time counts as neither up nor down.
    Absent,
}

impl Watch {
    fn beginning(up: bool) -> Self {
        let state = if up { State::Up } else { State::Absent };
        Self { state, ..Self::default() }
    }

    /// Sets whether it is up from `at` on.
    fn turn(&mut self, up: bool, at: Instant) {
        let mut unit = self.until(at);
        let next = match (self.state, up) {
            (State::Up, true) | (State::Down | State::Absent, false) => return,
            (State::Up, false) => {
                unit.failures += 1;
                State::Down
            }
            (State::Down, true) => {
                unit.repairs += 1;
                State::Up
            }
            (State::Absent, true) => State::Up,
        };
        *self = Self { unit, state: next, since: at };
    }

    /// The sums until `at`.
    fn until(&self, at: Instant) -> Unit {
        let mut unit = self.unit;
        let time_ns = u128::from(at.since(self.since).as_nanos());
        match self.state {
            State::Up => unit.up_ns += time_ns,
            State::Down => unit.down_ns += time_ns,
            State::Absent => {}
        }
        unit
    }
}

/// The mean, rounded down to a nanosecond.
fn mean(sum_ns: u128, count: u64) -> Option<Duration> {
    let mean_ns = sum_ns.checked_div(count.into())?;
    Some(Duration::from_nanos(u64::try_from(mean_ns).unwrap_or(u64::MAX)))
}

fn share(part: u128, whole: u128) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
