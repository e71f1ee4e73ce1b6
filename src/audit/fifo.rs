//! The order of messages on links that keep it.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::environment::network::Order;
use ftsim_core::environment::transport::Guarantee;
use ftsim_core::fault::condition::Condition;
use ftsim_core::id::{MessageId, ProcessId};
use ftsim_core::outcome::trace::{Entry, TraceEvent};

use super::delivery::overrides;
use super::known::Known;
use super::{Check, Report, Rule};

#[derive(Default)]
pub(super) struct Fifo {
    /// Messages that may arrive out of order because something reorders or replays them.
    loose: BTreeSet<MessageId>,
    /// The highest number delivered so far, by sender and receiver.
    last: BTreeMap<(ProcessId, ProcessId), MessageId>,
}

impl<'a> Check<'a> for Fifo {
    fn see(&mut self, entry: &'a Entry, known: &Known<'a>, report: &mut Report) {
        let Some(p) = entry.process else { return };
        match &entry.what {
            TraceEvent::Send { id, to, .. } => {
                let link = (p, known.identity(*to));
                let mut conditions = known.in_force.on_link(link.0, link.1);
                let reorders = conditions.any(|condition| match condition {
                    Condition::Reorder(links, ..) => links.contains(link.0, link.1),
                    _ => false,
                });
                // A rule about a single message applies exactly, even while conditions are in
                // force.
                let told = known.in_force.ever() && overrides(known, p, link.1).next().is_some();
                if reorders || told || known.is_replay(entry) {
                    self.loose.insert(*id);
                }
            }
            TraceEvent::Deliver { id, from, .. } => {
                let to = known.identity(p);
                let raw = known.subject.experiment.transport.guarantee == Guarantee::Raw;
                let keeps = known.link(*from, to).order == Order::Fifo && *from != to && raw;
                if !keeps || self.loose.contains(id) {
                    return;
                }
                if let Some(last) = self.last.insert((*from, p), *id)
                    && *id < last
                {
                    let message = format!("m{} of {from} is delivered after m{}", id.0, last.0);
                    report.add(Rule::Fifo, message);
                }
            }
            _ => {}
        }
    }
}
