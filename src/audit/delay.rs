//! Messages take as long as their links say, and at most the bound once the network is stable.

use std::collections::BTreeMap;

use ftsim_core::environment::delay::Delay as Shape;
use ftsim_core::environment::liveness::LivenessMode;
use ftsim_core::environment::message_rule::Fate;
use ftsim_core::environment::network::Order;
use ftsim_core::fault::condition::Condition;
use ftsim_core::id::ProcessId;
use ftsim_core::outcome::trace::{Entry, TraceEvent};
use ftsim_core::time::{Duration, Instant};

use super::delivery::overrides;
use super::known::Known;
use super::{Check, Report, Rule};

#[derive(Default)]
pub(super) struct Delay {
    /// The latest arrival so far on each link.
    latest: BTreeMap<(ProcessId, ProcessId), Instant>,
}

impl<'a> Check<'a> for Delay {
    fn see(&mut self, entry: &'a Entry, known: &Known<'a>, report: &mut Report) {
        let (Some(p), TraceEvent::Send { id, to, arrives, .. }) = (entry.process, &entry.what)
        else {
            return;
        };
        let link = (p, known.identity(*to));
        let told = |fate: &Fate| match fate {
            Fate::Arrive(arrival) => arrival.after.is_some() || arrival.copy_after.is_some(),
            Fate::Drop(_) => false,
        };
        if !overrides(known, link.0, link.1).any(told) {
            let (from, until) = self.bounds(known, link);
            if *arrives < from || *arrives > until {
                let (id, to) = (id.0, link.1);
                report.add(
                    Rule::Delay,
                    format!("m{id} for {to} arrives at {arrives}, not from {from} to {until}"),
                );
            }
        }
        let latest = self.latest.entry(link).or_default();
        *latest = (*latest).max(*arrives);
    }
}

impl Delay {
    /// The earliest and latest arrival of a message sent now.
    fn bounds(&self, known: &Known<'_>, link: (ProcessId, ProcessId)) -> (Instant, Instant) {
        let network = &known.subject.experiment.network;
        let of_link = known.link(link.0, link.1);
        // A core that is well is synchronous; otherwise a message sent before GST arrives by GST +
        // bound.
        let core = known.well.as_ref().filter(|(mode, _)| *mode == LivenessMode::Core);
        let core = core.is_some_and(|(_, well)| well.contains(link.0) && well.contains(link.1));
        let stable = network.stabilise_at.map_or(Instant::MAX, |gst| gst.max(known.at));
        let bound = if core { known.at } else { stable } + network.bound;
        let slower = known.in_force.on_link(link.0, link.1).any(|c| takes_time(c, link));
        let is_narrow = of_link.bandwidth.is_some() && !known.is_whole(link.0, link.1);
        let before_gst = network.stabilise_at.is_some_and(|gst| known.at < gst);
        let from = (known.at + shortest(&of_link.delay)).min(bound);
        let longest = known.at + of_link.delay.longest();
        let until = match (slower, is_narrow) {
            (true, _) if before_gst => bound,
            (true, _) => return (from, Instant::MAX),
            (false, true) => bound,
            (false, false) => longest.min(bound),
        };
        // On a link that keeps order, a message waits for earlier ones and those sent with it.
        let behind = self.latest.get(&link).copied();
        let behind = behind.filter(|_| of_link.order == Order::Fifo).unwrap_or_default();
        (from, until.max(behind))
    }
}

/// Whether this condition makes messages on the link late.
fn takes_time(condition: &Condition, link: (ProcessId, ProcessId)) -> bool {
    match condition {
        Condition::Late(links, _)
        | Condition::Delay(links, _)
        | Condition::Reorder(links, ..)
        | Condition::Clog(links)
        | Condition::Bandwidth(links, _) => links.contains(link.0, link.1),
        Condition::Slow(p, _) => *p == link.0,
        _ => false,
    }
}

/// The shortest delay that can be drawn.
fn shortest(delay: &Shape) -> Duration {
    match delay {
        Shape::Uniform(range) => range.min,
        Shape::Pareto { min, cap, .. } => *(min.min(cap)),
        Shape::Empirical(quantiles) => quantiles.first().map_or(Duration::ZERO, |(_, d)| *d),
        Shape::Exponential { .. } | Shape::Normal { .. } | Shape::LogNormal { .. } => {
            Duration::ZERO
        }
    }
}
