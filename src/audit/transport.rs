//! Transports deliver each message once, in order if they promise it, and eventually.

use std::collections::BTreeMap;

use ftsim_core::environment::network::Loss;
use ftsim_core::environment::transport::Guarantee;
use ftsim_core::id::{MessageId, ProcessId};
use ftsim_core::model::property::EndCause;
use ftsim_core::outcome::trace::{Entry, TraceEvent};
use ftsim_core::rng::Probability;
use ftsim_core::time::{Duration, Instant};

use super::delivery::overrides;
use super::known::Known;
use super::{Check, Report, Rule};

/// The probability of consecutive losses that counts as impossible.
const NEVER: f64 = 1e-24;

#[derive(Default)]
pub(super) struct Transport<'a> {
    carried: BTreeMap<MessageId, Carried<'a>>,
    /// The number of messages sent in each life of a process to each receiver.
    counts: BTreeMap<(ProcessId, u32, ProcessId), u64>,
    /// The last delivery, by sender, receiver and the receiver's life: the sender's life, and the
    /// number on the link.
    last: BTreeMap<(ProcessId, ProcessId, u32), (u32, u64)>,
}

/// A message accepted by a transport.
struct Carried<'a> {
    at: Instant,
    from: ProcessId,
    to: ProcessId,
    message: &'a str,
    /// The life of the sender, and the number among the messages to the same receiver in that life.
    life: u32,
    number: u64,
    /// The receiver's life when the message was sent, and its life at the last delivery.
    receiver_life: u32,
    delivered_in: Option<u32>,
}

impl<'a> Check<'a> for Transport<'a> {
    fn see(&mut self, entry: &'a Entry, known: &Known<'a>, report: &mut Report) {
        let guarantee = known.subject.experiment.transport.guarantee;
        if guarantee == Guarantee::Raw {
            return;
        }
        let Some(p) = entry.process else { return };
        match &entry.what {
            TraceEvent::Carry { id, to, message } => {
                let life = known.host(p).life;
                let count = self.counts.entry((p, life, *to)).or_default();
                let carried = Carried {
                    at: entry.at,
                    from: p,
                    to: *to,
                    message,
                    life,
                    number: *count,
                    receiver_life: known.host(*to).life,
                    delivered_in: None,
                };
                *count += 1;
                self.carried.insert(*id, carried);
            }
            TraceEvent::Deliver { id, from, message } if *from != known.identity(p) => {
                self.deliver(*id, (*from, p), message, known, report);
            }
            _ => {}
        }
    }

    fn end(&mut self, known: &Known<'a>, report: &mut Report) {
        for (id, carried) in &self.carried {
            let to = known.host(carried.to);
            let from = known.host(carried.from);
            let lived = from.up && from.life == carried.life;
            let lives = to.up && to.life == carried.receiver_life && !to.waits();
            if carried.delivered_in.is_some() || !lived || !lives {
                continue;
            }
            let waited = to.waited.map_or(Instant::ZERO, |(_, until)| until);
            let Some((quiet, takes)) = known.in_force.quiet_since().zip(patience(known, carried))
            else {
                continue;
            };
            let by = carried.at.max(waited).max(quiet) + takes;
            let until = match known.subject.cause {
                EndCause::Quiescent => Instant::MAX,
                _ => known.subject.ended_at,
            };
            if by < until {
                let Carried { at, from, message, .. } = carried;
                let message =
                    format!("m{} {message} of {from}, sent at {at}, was never delivered", id.0);
                report.add_at(Rule::TransportStuck, carried.to, message);
            }
        }
    }
}

impl Transport<'_> {
    fn deliver(
        &mut self,
        id: MessageId,
        (from, to): (ProcessId, ProcessId),
        message: &str,
        known: &Known<'_>,
        report: &mut Report,
    ) {
        let carried = self.carried.get_mut(&id);
        let Some(carried) = carried.filter(|c| (c.from, c.to) == (from, to)) else {
            let message = format!("m{} of {from} is delivered, but was never sent", id.0);
            return report.add(Rule::Sent, message);
        };
        if carried.message != message {
            let said = carried.message;
            report.add(Rule::Content, format!("m{} of {from} was {said} when it left", id.0));
        }
        let host = known.host(to);
        if carried.delivered_in == Some(host.life) {
            return report
                .add(Rule::TransportOnce, format!("m{} of {from} is delivered again", id.0));
        }
        carried.delivered_in = Some(host.life);
        if known.subject.experiment.transport.guarantee != Guarantee::ReliableFifo {
            return;
        }
        let (life, number) = (carried.life, carried.number);
        let last = self.last.insert((from, to, host.life), (life, number));
        if last.is_some_and(|(last_life, last)| (last_life, last) >= (life, number)) {
            let message = format!("m{} of {from} is delivered after a later one", id.0);
            return report.add(Rule::TransportOrder, message);
        }
        // Messages sent before this life of the receiver may have been lost with its previous life.
        let first = last.filter(|(last, _)| *last == life).map_or(0, |(_, last)| last + 1);
        if first >= number {
            return;
        }
        let skipped = self.carried.values().find(|c| {
            (c.from, c.to, c.life) == (from, to, life)
                && (first..number).contains(&c.number)
                && (c.at > host.began || host.life == 0)
        });
        if let Some(skipped) = skipped {
            let message = format!("m{} of {from} is delivered before {}", id.0, skipped.message);
            report.add(Rule::TransportOrder, message);
        }
    }
}

/// The maximum time that a message takes between two processes that stay up without faults; `None`
/// if it cannot be determined.
fn patience(known: &Known<'_>, carried: &Carried<'_>) -> Option<Duration> {
    let experiment = known.subject.experiment;
    let link = known.link(carried.from, carried.to);
    let back = known.link(carried.to, carried.from);
    let Loss::Independent(loss) = link.loss else { return None };
    let told = overrides(known, carried.from, carried.to).next().is_some();
    if told || link.bandwidth.is_some() || back.bandwidth.is_some() {
        return None;
    }
    // A slow clock delays retransmissions.
    let slowest = 1_000_000 + i64::from(experiment.clocks.drift_ppm.0);
    let slowness = 1_000_000 / u64::try_from(slowest).ok().filter(|rate| *rate > 0)? + 1;
    let attempts = attempts(loss)?;
    let resends = experiment.transport.resend_after.times(attempts.saturating_mul(slowness));
    let travels = link.delay.longest().times(4) + experiment.network.bound;
    Some(resends + travels)
}

/// The number of attempts that is enough if each fails with this probability.
fn attempts(loss: Probability) -> Option<u64> {
    // Its text is the only access to its value.
    let loss: f64 = loss.to_string().parse().ok()?;
    let mut left = 1.0;
    (3..10_000).find(|_| {
        left *= loss;
        left < NEVER
    })
}
