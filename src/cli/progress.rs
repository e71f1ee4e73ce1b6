//! Progress on stderr: a bar on a terminal, otherwise a line now and then.

use super::clock;
use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};

use ftsim_reports::{line, with_separators};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::cli::say;

/// The progress of all runs of a command.
pub struct Progress {
    bar: ProgressBar,
    /// Progress lines, for use without a terminal.
    lines: Option<Lines>,
    failing: AtomicU64,
}

struct Lines {
    total: u64,
    start: std::time::Duration,
    /// The time of the next line, in seconds after the start.
    due: AtomicU64,
    done: AtomicU64,
}

/// The interval between lines.
const LINE_EVERY_SECONDS: u64 = 10;

impl Progress {
    /// Progress towards `total` seeds; shows nothing if `quiet`, or without a terminal.
    pub fn new(total: u64, quiet: bool) -> Self {
        // The target hides itself if stderr is no terminal.
        let target = match quiet {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr_with_hz(10),
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        let template = "{wide_msg} {bar:24} {human_pos}/{human_len} seeds, {rate}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
                // A failure to write to the terminal cannot be reported anywhere.
                let _ = out.write_str(&rate(state.per_sec()));
            }));
        }
        Self { bar, lines: None, failing: AtomicU64::new(0) }
    }

    /// Like [`Progress::new`], but prints lines without a terminal.
    pub fn with_lines(total: u64, quiet: bool) -> Self {
        let lines = Lines {
            total,
            start: clock(),
            due: AtomicU64::new(LINE_EVERY_SECONDS),
            done: AtomicU64::new(0),
        };
        let lines = Some(lines).filter(|_| !quiet && !std::io::stderr().is_terminal());
        Self { lines, ..Self::new(total, quiet) }
    }

    /// Shows this scenario as the current one.
    pub fn begin(&self, scenario: &str) {
        self.bar.set_message(line(scenario).into_owned());
    }

    /// Counts this many more finished seeds.
    pub fn done(&self, count: u64) {
        self.bar.inc(count);
        let Some(lines) = &self.lines else { return };
        let done = lines.done.fetch_add(count, Ordering::Relaxed) + count;
        let seconds = clock().saturating_sub(lines.start).as_secs();
        let due = lines.due.load(Ordering::Relaxed);
        let next = seconds + LINE_EVERY_SECONDS;
        if seconds < due
            || lines.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return;
        }
        let (total, rate) = (lines.total, done / seconds.max(1));
        let left = total.saturating_sub(done).checked_div(rate).unwrap_or(0);
        let failing = self.failing.load(Ordering::Relaxed);
        let [done, total, rate, left] = [done, total, rate, left].map(with_separators);
        let failing = match failing {
            1 => "1 run".to_owned(),
            count => format!("{} runs", with_separators(count)),
        };
        let told = format!(
            "{done}/{total} seeds, {rate} a second, {left} s left, {failing} failed so far\n"
        );
        say(&told);
    }

    /// Shows the number of failed runs of this scenario so far.
    pub fn failing(&self, scenario: &str, count: u64) {
        self.failing.store(count, Ordering::Relaxed);
        if count > 0 {
            let count = with_separators(count);
            self.bar.set_message(format!("{}: {count} failed", line(scenario)));
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Seeds per second: rounded to tenths below 10, and otherwise to whole numbers.
fn rate(per_second: f64) -> String {
    if per_second < 10.0 {
        return format!("{per_second:.1} a second");
    }
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
    let whole = per_second.round() as u64;
    format!("{} a second", with_separators(whole))
}

/// A spinner, shown only on a terminal, for work of unknown length.
pub fn spinner(name: &str) -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10))
    } else {
        ProgressBar::hidden()
    };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(line(name).into_owned());
    bar
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn a_rate_has_no_more_digits_than_mean_something() {
        assert_eq!(rate(0.0), "0.0 a second");
        assert_eq!(rate(9.26), "9.3 a second");
        assert_eq!(rate(48_231.731_4), "48,232 a second");
    }
}
