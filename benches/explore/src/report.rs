//! What a search came to, as its process tells the one that started it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Runs that were begun so far, for a search that is cut off.
pub static RUNS: AtomicU64 = AtomicU64::new(0);
/// Runs that were given up so far, since all that could follow had been seen.
pub static GIVEN_UP: AtomicU64 = AtomicU64::new(0);
/// Steps that were made so far.
pub static STEPS: AtomicU64 = AtomicU64::new(0);

/// The time that this process has had on processors, all threads together.
pub fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name, which is in brackets: the twelfth and the thirteenth, in hundredths.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
    Duration::from_millis(10 * ticks.sum::<u64>())
}

/// Ends the process, with what was counted so far, once it has had this time.
pub fn watch(limit: Duration, started: Instant) {
    std::thread::spawn(move || {
        while cpu_time() < limit {
            std::thread::sleep(Duration::from_millis(20));
        }
        Report::new(Verdict::Unfinished, started.elapsed()).tell();
    });
}

/// What a search says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// All was seen, and the property held.
    Held,
    /// It was violated; the search ended there.
    Violated,
    /// It had its time before.
    Unfinished,
}

/// What a search came to.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Its verdict.
    pub verdict: Verdict,
    /// Different states, of a tool that keeps them; 0 of others.
    pub states: u64,
    /// Runs, of a tool that makes them; 0 of others.
    pub runs: u64,
    /// Runs that were given up, since all that could follow had been seen.
    pub given_up: u64,
    /// Steps: handlers that were called, those of runs that were made again included; transitions,
    /// of a tool that keeps states.
    pub steps: u64,
    /// The wall-clock time.
    pub seconds: f64,
    /// The time on a processor, of all threads; in hundredths, as the system counts it.
    pub cpu_seconds: f64,
    /// The most memory that the process held, in KiB.
    pub peak_kib: u64,
}

impl Report {
    /// A search that has taken this long; what memory it took is read from the system.
    pub fn new(verdict: Verdict, elapsed: Duration) -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|line| line.split_whitespace().next()?.parse().ok());
        Self {
            verdict,
            states: 0,
            runs: RUNS.load(Ordering::Relaxed),
            given_up: GIVEN_UP.load(Ordering::Relaxed),
            steps: STEPS.load(Ordering::Relaxed),
            seconds: elapsed.as_secs_f64(),
            cpu_seconds: cpu_time().as_secs_f64(),
            peak_kib: peak.unwrap_or(0),
        }
    }

    /// Steps a second of processor time; of wall-clock time where that is too short to be counted.
    pub fn speed(&self) -> f64 {
        let seconds = if self.cpu_seconds < 0.1 { self.seconds } else { self.cpu_seconds };
        self.steps as f64 / seconds
    }

    /// Tells it, and ends the process.
    pub fn tell(&self) -> ! {
        println!("\nreport {}", serde_json::to_string(self).expect("plain data"));
        std::process::exit(0)
    }

    /// The report in what a process has said.
    pub fn read(output: &str) -> Option<Self> {
        let line = output.lines().rev().find_map(|line| line.strip_prefix("report "))?;
        serde_json::from_str(line).ok()
    }
}
