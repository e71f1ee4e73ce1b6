//! Dependability figures as a table and as JSON. A mean over nothing is `none`.

use std::io::{self, Write};

use ftsim_core::outcome::dependability::{Dependability, Unit};
use ftsim_core::{Duration, ProcessId};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::foreign;
use crate::layout::counted;
use crate::style::{FAINT, STRONG};

/// The figures of one run, or of all runs of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The figures of processes and operations.
    pub dependability: Dependability,
    /// The latencies of answered operations; `None` if none was answered.
    pub latency: Option<Latency>,
}

/// The distribution of the latencies of operations. The maximum is exact; the percentiles are too
/// long by less than a thousandth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// The median.
    pub p50: Duration,
    /// The 90th percentile.
    pub p90: Duration,
    /// The 99th percentile.
    pub p99: Duration,
    /// The maximum.
    pub longest: Duration,
}

impl Figures {
    /// The figures as JSON: durations in nanoseconds, `null` for `None`.
    pub fn json(&self) -> Value {
        let Dependability { run_count, unfailed_run_count, series, parallel, operations, .. } =
            &self.dependability;
        let ns = |d: Option<Duration>| d.map(Duration::as_nanos);
        let unit = |unit: &Unit| {
            json!({
                "failures": unit.failures,
                "repairs": unit.repairs,
                "mttf_ns": ns(unit.mttf()),
                "mttr_ns": ns(unit.mttr()),
                "mtbf_ns": ns(unit.mtbf()),
                "availability": unit.availability(),
                "up_share": unit.up_share(),
            })
        };
        let failed = self.dependability.failed().map(|(p, own)| {
            let mut row = json!({ "process": p });
            for (key, value) in unit(own).as_object().into_iter().flatten() {
                row[key] = value.clone();
            }
            row
        });
        let latency = self.latency.map(|latency| {
            json!({
                "mean": ns(operations.latency_mean()),
                "p50": latency.p50.as_nanos(),
                "p90": latency.p90.as_nanos(),
                "p99": latency.p99.as_nanos(),
                "longest": latency.longest.as_nanos(),
            })
        });
        json!({
            "runs": run_count,
            "runs_without_failure": unfailed_run_count,
            "process": unit(&self.dependability.process()),
            "failed": failed.collect::<Vec<_>>(),
            "series": unit(series),
            "parallel": unit(parallel),
            "operations": {
                "asked": operations.asked,
                "answered": operations.answered,
                "answered_share": operations.answered_share(),
                "latency_ns": latency,
                "waited_mean_ns": ns(operations.waited_mean()),
            },
            "messages": self.dependability.messages,
            "messages_per_operation": self.dependability.messages_per_operation(),
        })
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json().serialize(serializer)
    }
}

/// The maximum number of processes with a row of their own.
const PROCESSES_SHOWN: usize = 16;

/// Writes the figures as a table of processes and a line for each figure of operations.
///
/// # Errors
/// Errors of `out`.
pub fn write_figures(out: &mut impl Write, figures: &Figures) -> io::Result<()> {
    let dependability = &figures.dependability;
    write_units(out, dependability)?;
    if dependability.run_count > 1 {
        let (count, of) = (dependability.unfailed_run_count, dependability.run_count);
        line(out, "reliable", &format!("{count} of {of} runs without a failure"))?;
    }
    let operations = &dependability.operations;
    if operations.asked == 0 {
        return line(out, "asked", "no operation");
    }
    let (count, answered) = (counted(operations.asked, "operation"), operations.answered);
    let mut asked = format!("{count}, {answered} answered");
    if let Some(share) = operations.answered_share() {
        asked.push_str(&format!(" ({})", percent(share)));
    }
    if let Some(waited) = operations.waited_mean() {
        asked.push_str(&format!("; the others had waited {} on average", four_digits(waited)));
    }
    line(out, "asked", &asked)?;
    if let (Some(mean), Some(latency)) = (operations.latency_mean(), figures.latency) {
        let Latency { p50, p90, p99, longest } = latency;
        let [mean, p50, p90, p99, longest] = [mean, p50, p90, p99, longest].map(four_digits);
        let parts =
            format!("mean {mean}, half in {p50}, 90 % in {p90}, 99 % in {p99}, all in {longest}");
        line(out, "latency", &parts)?;
    }
    if let Some(count) = dependability.messages_per_operation() {
        line(out, "cost", &format!("{count:.2} messages for each operation"))?;
    }
    Ok(())
}

/// Writes a row for each unit: any process, those that failed, and all of them together.
fn write_units(out: &mut impl Write, dependability: &Dependability) -> io::Result<()> {
    let mut rows =
        vec![["unit", "failures", "repairs", "MTTF", "MTTR", "MTBF", "A", "up"].map(str::to_owned)];
    rows.push(row("process", &dependability.process()));
    let failed: Vec<(ProcessId, &Unit)> = dependability.failed().collect();
    rows.extend(failed.iter().take(PROCESSES_SHOWN).map(|(p, unit)| row(&p.to_string(), unit)));
    rows.push(row("series", &dependability.series));
    rows.push(row("parallel", &dependability.parallel));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: [usize; 8] = std::array::from_fn(width);
    for [name, cells @ ..] in &rows {
        write!(out, "{FAINT}{name:9}{FAINT:#}")?;
        for (cell, width) in cells.iter().zip(&widths[1..]) {
            write!(out, "  {cell:>width$}")?;
        }
        writeln!(out)?;
    }
    if failed.len() > PROCESSES_SHOWN {
        line(out, "…", &format!("{} more that failed", failed.len() - PROCESSES_SHOWN))?;
    }
    Ok(())
}

fn row(name: &str, unit: &Unit) -> [String; 8] {
    let time = |time: Option<Duration>| time.map_or_else(|| "none".to_owned(), four_digits);
    let share = |share: Option<f64>| share.map_or_else(|| "none".to_owned(), percent);
    [
        name.to_owned(),
        unit.failures.to_string(),
        unit.repairs.to_string(),
        time(unit.mttf()),
        time(unit.mttr()),
        time(unit.mtbf()),
        share(unit.availability()),
        share(unit.up_share()),
    ]
}

fn line(out: &mut impl Write, name: &str, text: &str) -> io::Result<()> {
    writeln!(out, "{FAINT}{name:9}{FAINT:#}  {text}")
}

/// The heading of a scenario's figures.
pub(crate) fn write_heading(out: &mut impl Write, file: &str, runs: u64) -> io::Result<()> {
    let (file, runs) = (foreign::line(file), counted(runs, "run"));
    writeln!(out, "{STRONG}{file}{STRONG:#}: figures of {runs}")
}

/// The duration, rounded to four digits.
pub fn four_digits(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let step = 10u64.pow(nanos.checked_ilog10().unwrap_or(0).saturating_sub(3));
    Duration::from_nanos(nanos.saturating_add(step / 2) / step * step).to_string()
}

/// A share in per cent. A share below 1 is not shown as 100 %.
fn percent(share: f64) -> String {
    let text = format!("{:.3} %", share * 100.0);
    if share < 1.0 && text.starts_with("100") { "> 99.999 %".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_four_digits() {
        let shown = |nanos| four_digits(Duration::from_nanos(nanos));
        assert_eq!(shown(0), "0s");
        assert_eq!(shown(999), "999ns");
        assert_eq!(shown(12_345_678), "12.35ms");
        assert_eq!(shown(99_999_999), "100ms");
        assert_eq!(shown(u64::MAX), "18440000000s");
    }

    #[test]
    fn almost_all_is_not_all() {
        assert_eq!(percent(1.0), "100.000 %");
        assert_eq!(percent(3_599_999.0 / 3_600_000.0), "> 99.999 %");
        assert_eq!(percent(25.0 / 26.0), "96.154 %");
        assert_eq!(percent(0.0), "0.000 %");
    }
}
