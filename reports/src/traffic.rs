//! How many messages runs sent, how many steps they took: in all, and from run to run.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::style::FAINT;

/// What the runs of a scenario cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Traffic {
    /// Messages sent.
    pub messages: PerRun,
    /// Messages sent, by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Events handled.
    pub steps: PerRun,
    /// Bytes of the messages sent, as JSON, if they were counted.
    pub bytes: Option<PerRun>,
}

/// How much of something runs had. Total, mean, least and most are exact; the quantiles have three
/// digits, rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PerRun {
    /// In all runs together.
    pub total: u64,
    /// On average.
    pub mean: f64,
    /// The least.
    pub min: u64,
    /// Half of the runs had no more.
    pub p50: u64,
    /// 99 % had no more.
    pub p99: u64,
    /// The most.
    pub max: u64,
}

/// A line for messages, one for their kinds, one for steps, and one for bytes.
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
