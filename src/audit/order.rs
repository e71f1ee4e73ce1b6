//! Time and step numbers never decrease, and stay within the limits.

use ftsim_core::outcome::trace::{Entry, TraceEvent};

use super::known::Known;
use super::{Check, Report, Rule};

pub(super) struct Order;

impl<'a> Check<'a> for Order {
    fn see(&mut self, entry: &'a Entry, known: &Known<'a>, report: &mut Report) {
        let (at, step) = known.before;
        if entry.at < at {
            report.add(Rule::Order, format!("time goes back from {at}"));
        }
        if entry.step < step {
            report.add(Rule::Order, format!("step numbers go back from {step}"));
        }
        let limits = &known.subject.experiment.limits;
        if entry.at > limits.horizon {
            report.add(Rule::Order, format!("this is beyond the horizon, {}", limits.horizon));
        }
        // One event can take several steps: a failed disk, an inbox that is emptied.
        let is_end = matches!(entry.what, TraceEvent::Violation { .. });
        if entry.at > known.subject.ended_at && !is_end {
            let ended = known.subject.ended_at;
            report.add(Rule::Order, format!("the run had ended at {ended}"));
        }
    }
}
