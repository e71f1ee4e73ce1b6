//! How far a sweep has come, on stderr and only on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over all runs of a command.
pub struct Progress(ProgressBar);

impl Progress {
    /// So many runs are to come.
    pub fn new(total: u64) -> Self {
        // The target hides itself where stderr is no terminal.
        let bar =
            ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
        let template = "{wide_msg} {bar:24} {pos}/{len} runs, {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Now comes this scenario.
    pub fn begin(&self, scenario: &str) {
        self.0.set_message(scenario.to_owned());
    }

    /// So many more runs are done.
    pub fn done(&self, count: u64) {
        self.0.inc(count);
    }

    /// All is done; the bar goes away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
