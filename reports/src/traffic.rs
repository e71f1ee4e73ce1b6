//! The numbers of messages and steps of runs: in total, and per run.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::style::FAINT;

/// The cost of a scenario's runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Traffic {
    /// Messages sent.
    pub messages: PerRun,
    /// Messages sent, by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Events handled.
    pub steps: PerRun,
    /// Bytes of the messages sent, as JSON, if counted.
    pub bytes: Option<PerRun>,
}

/// The distribution of a number over runs. Total, mean, minimum and maximum are exact; the
/// quantiles have three digits, rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PerRun {
    /// The sum over all runs.
    pub total: u64,
    /// The mean.
    pub mean: f64,
    /// The minimum.
    pub min: u64,
    /// The median.
    pub p50: u64,
    /// The 99th percentile.
    pub p99: u64,
    /// The maximum.
    pub max: u64,
}

/// Writes a line for messages, one for their kinds, one for steps, and one for bytes.
///
/// # Errors
/// Errors of `out`.
pub fn write_traffic(out: &mut impl Write, traffic: &Traffic) -> io::Result<()> {
    let Traffic { messages, kinds, steps, bytes } = traffic;
    line(out, "messages", &per_run(messages))?;
    if kinds.len() > 1 {
        let mut kinds: Vec<(&String, &u64)> = kinds.iter().collect();
        kinds.sort_by_key(|(_, sent)| std::cmp::Reverse(**sent));
        let kinds: Vec<String> =
            kinds.iter().map(|(kind, sent)| format!("{sent} {kind}")).collect();
        line(out, "kinds", &kinds.join(", "))?;
    }
    line(out, "steps", &per_run(steps))?;
    bytes.iter().try_for_each(|bytes| line(out, "bytes", &per_run(bytes)))
}

fn per_run(of: &PerRun) -> String {
    let PerRun { total, mean, min, p50, p99, max } = of;
    format!("{total}; a run: mean {mean:.2}, min {min}, p50 {p50}, p99 {p99}, max {max}")
}

fn line(out: &mut impl Write, name: &str, text: &str) -> io::Result<()> {
    writeln!(out, "{FAINT}{name:9}{FAINT:#}  {text}")
}
