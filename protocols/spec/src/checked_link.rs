//! A link whose messages may change on their way: what is delivered is what was sent, or nothing.
//!
//! Source: Hamming (1950), *Error detecting and error correcting codes*. A *sender* sends payloads
//! with numbers to a *receiver*, which delivers them or rejects what has changed. To detect a
//! change is safe; to correct it also makes the link reliable.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;
use ftsim_core::{DurationRange, FaultClass};

use crate::draw;
use crate::link::RELIABLE;

#[cfg(test)]
mod tests;

/// The problem of transmitting payloads over a link that may change them.
pub struct CheckedLink;

/// The role of the process that sends.
pub const SENDER: &str = "sender";
/// The role of the process that delivers.
pub const RECEIVER: &str = "receiver";

/// The number of a payload, from 1.
pub type PayloadNumber = u16;
/// What is sent.
pub type Payload = u16;

/// A request to the sender.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Send a payload.
    Send {
        /// Its number.
        number: PayloadNumber,
        /// The payload.
        payload: Payload,
    },
}

/// An announcement of the receiver.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// A payload is delivered.
    Deliver {
        /// Its number.
        number: PayloadNumber,
        /// The payload.
        payload: Payload,
    },
    /// A message has changed on its way, and is rejected.
    Reject,
}

/// What is delivered was sent.
pub const INTEGRITY: PropertyId = PropertyId("lnk.integrity");

impl Spec for CheckedLink {
    const NAME: &'static str = "checked link";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(
            INTEGRITY,
            "a payload that is delivered under some number was sent under this number",
            |_| Box::new(Integrity::default()),
        )
        .in_any_order(),
        PropertyEntry::liveness(
            RELIABLE,
            "every payload is eventually delivered if its sender and its receiver are correct",
            |setting| Box::new(Reliable::new(setting)),
        )
        .in_any_order()
        .if_claimed(),
    ];
    const FAULTS: &'static [FaultClass] = &[FaultClass::None];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = WorkloadSettings;
    type Workload = Payloads;

    fn workload(settings: &WorkloadSettings, setting: &Setting) -> Result<Payloads, Invalid> {
        let sender = setting.role(SENDER).next();
        Ok(Payloads { settings: settings.clone(), sender })
    }

    fn phrase(indication: &Indication) -> Option<String> {
        Some(match indication {
            Indication::Deliver { number, payload } => {
                format!("delivers payload {number}, which is {payload}")
            }
            Indication::Reject => "rejects a message that has changed".to_owned(),
        })
    }
}

/// `[workload]` of a checked link.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WorkloadSettings {
    /// How many payloads are sent, if `contents` does not list them.
    pub payloads: u16,
    /// What is sent; by default drawn.
    pub contents: Vec<u16>,
    /// How long after the one before a payload is sent.
    pub every: DurationRange,
}

impl Default for WorkloadSettings {
    fn default() -> Self {
        let every = DurationRange::constant(Duration::from_millis(10));
        Self { payloads: 8, contents: Vec::new(), every }
    }
}

/// A client that sends one payload after another.
#[derive(Clone, Debug, Hash)]
pub struct Payloads {
    settings: WorkloadSettings,
    sender: Option<ProcessId>,
}

impl Workload<CheckedLink> for Payloads {
    const IS_PER_PROCESS: bool = true;

    fn on_start(&mut self, ask: &mut Ask<'_, CheckedLink>) {
        let Some(sender) = self.sender else { return };
        let contents = self.settings.contents.clone();
        let listed = u16::try_from(contents.len()).unwrap_or(u16::MAX);
        let count = if listed > 0 { listed } else { self.settings.payloads };
        let mut after = Duration::ZERO;
        for number in 1..=count {
            let drawn = ask.rng().below(1 << 16);
            let listed = contents.get(usize::from(number) - 1).copied();
            let payload = listed.unwrap_or_else(|| Payload::try_from(drawn).unwrap_or(0));
            ask.request(sender, after, Request::Send { number, payload });
            after = after + draw(self.settings.every, ask.rng());
        }
    }
}

#[derive(Clone, Debug, Default, Hash)]
struct Integrity {
    sent: BTreeMap<PayloadNumber, Payload>,
    deliveries: u64,
}

impl Property<CheckedLink> for Integrity {
    fn observe(&mut self, event: &Observed<'_, CheckedLink>) -> Result<(), Violation> {
        match event.what {
            Observation::Request(Request::Send { number, payload }) => {
                self.sent.insert(*number, *payload);
            }
            Observation::Indication(Indication::Deliver { number, payload }) => {
                self.deliveries += 1;
                let sent = self.sent.get(number);
                if sent != Some(payload) {
                    let p = event.process;
                    let what = match sent {
                        Some(sent) => format!("{sent} was sent"),
                        None => "there is none".to_owned(),
                    };
                    let how = format!("{p} delivers {payload} as payload {number}, but {what}");
                    return Err(Violation::by([p], how));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.deliveries
    }
}

#[derive(Clone, Debug, Hash)]
struct Reliable {
    receiver: Option<ProcessId>,
    sender: Option<ProcessId>,
    sent: BTreeSet<(PayloadNumber, Payload)>,
    delivered: BTreeSet<(PayloadNumber, Payload)>,
    /// The payloads sent, if both processes are correct.
    due: u64,
}

impl Reliable {
    fn new(setting: &Setting) -> Self {
        let (sender, receiver) = (setting.role(SENDER).next(), setting.role(RECEIVER).next());
        Self { receiver, sender, sent: BTreeSet::new(), delivered: BTreeSet::new(), due: 0 }
    }
}

impl Property<CheckedLink> for Reliable {
    fn observe(&mut self, event: &Observed<'_, CheckedLink>) -> Result<(), Violation> {
        match event.what {
            Observation::Request(Request::Send { number, payload }) => {
                self.sent.insert((*number, *payload));
            }
            // Only what was sent is remembered, whatever is announced.
            Observation::Indication(Indication::Deliver { number, payload })
                if self.sent.contains(&(*number, *payload)) =>
            {
                self.delivered.insert((*number, *payload));
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let (Some(sender), Some(receiver)) = (self.sender, self.receiver) else { return Ok(()) };
        if !end.is_correct(sender) || !end.is_correct(receiver) {
            return Ok(());
        }
        self.due = self.sent.len() as u64;
        match self.sent.difference(&self.delivered).next() {
            Some((number, _)) => {
                let how = format!("{receiver} has not delivered payload {number}");
                Err(Violation::by([receiver], how))
            }
            None => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.due
    }

    fn measured(&self, _: &End<'_>) -> Option<f64> {
        let sent = self.sent.len();
        (sent > 0).then(|| self.delivered.len() as f64 / sent as f64)
    }
}
