//! The problem that the chatter is about: topics spread. Its clients are chatty too.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::model::data::StorageError;
use ftsim_core::prelude::*;
use ftsim_core::rng::Rng;

use super::chatter::{Alarm, Errand};

/// What a process announces.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Said {
    Heard { from: ProcessId, topic: u64 },
    Spread(u64),
    GaveUp(u64),
    Answered { from: ProcessId, topic: u64, known: Option<bool> },
    Forged(ProcessId),
    Found(u64, u32),
    Failed(StorageError),
    Rang(Alarm),
    Clock(u64),
    Suspects(ProcessId),
    Trusts(ProcessId),
    Leads,
    Resigns,
}

/// No process hears a topic more than three times from one other.
#[derive(Clone, Debug, Default, Hash)]
struct Seldom(BTreeMap<(ProcessId, ProcessId, u64), u32>);

impl Property<Topics> for Seldom {
    fn observe(&mut self, event: &Observed<'_, Topics>) -> Result<(), Violation> {
        let Observation::Indication(Said::Heard { from, topic }) = event.what else {
            return Ok(());
        };
        let times = self.0.entry((event.process, *from, *topic)).or_default();
        *times += 1;
        if *times < 4 {
            return Ok(());
        }
        let by = [event.process, *from];
        let (p, at) = (event.process, event.at);
        Err(Violation::by(by, format!("{p} heard {topic} again and again until {at}")))
    }
    fn exercised(&self) -> u64 {
        self.0.len() as u64
    }
}

/// Every topic that a correct process was told to spread is heard by every correct process.
#[derive(Clone, Debug, Default, Hash)]
struct Spread {
    told: BTreeMap<u64, ProcessId>,
    heard: BTreeMap<u64, ProcessSet>,
    crashes: u64,
    recoveries: u64,
}

impl Property<Topics> for Spread {
    fn observe(&mut self, event: &Observed<'_, Topics>) -> Result<(), Violation> {
        match event.what {
            Observation::Request(Errand::Tell(topic)) => {
                self.told.insert(*topic, event.process);
            }
            Observation::Indication(Said::Heard { topic, .. }) => {
                self.heard.entry(*topic).or_default().insert(event.process);
            }
            Observation::Crash => self.crashes += 1,
            Observation::Recover => self.recoveries += 1,
            Observation::Send(id) | Observation::Receive(id) => {
                return Err(Violation::by([], format!("{id} is no business of this property")));
            }
            _ => {}
        }
        Ok(())
    }
    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        for (topic, by) in self.told.iter().filter(|(_, by)| end.is_correct(**by)) {
            let heard = self.heard.get(topic).cloned().unwrap_or_default();
            if let Some(p) = end.correct().find(|p| !heard.contains(*p)) {
                return Err(Violation::by([p], format!("{p} never heard {topic} of {by}")));
            }
        }
        Ok(())
    }
    fn exercised(&self) -> u64 {
        self.told.len() as u64
    }
    fn undecided(&self) -> Option<String> {
        (self.told.len() > 11).then(|| "too many topics".into())
    }
    /// Of all, so that whatever it observes shows.
    fn measured(&self, end: &End<'_>) -> Option<f64> {
        let heard: usize = self.heard.values().map(ProcessSet::len).sum();
        let counts = heard as u64 * 10_000 + self.crashes * 100 + self.recoveries;
        Some(counts as f64 + if end.failure_free { 0.5 } else { 0.0 })
    }
}

/// What is received was sent, and no process sends with the same number twice.
#[derive(Clone, Debug, Default, Hash)]
struct Sources {
    sent: BTreeSet<u64>,
    received: u64,
}

impl Property<Topics> for Sources {
    fn observe(&mut self, event: &Observed<'_, Topics>) -> Result<(), Violation> {
        match event.what {
            Observation::Send(id) if !self.sent.insert(id.0) => {
                Err(Violation::by([event.process], format!("{id} is sent twice")))
            }
            Observation::Receive(id) if !self.sent.contains(&id.0) => {
                Err(Violation::by([event.process], format!("nobody sent {id}")))
            }
            Observation::Receive(_) => {
                self.received += 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }
    fn exercised(&self) -> u64 {
        self.received
    }
}

pub const SELDOM: PropertyId = PropertyId("chatter.seldom");
pub const SPREAD: PropertyId = PropertyId("chatter.spread");
pub const SOURCES: PropertyId = PropertyId("chatter.sources");

pub struct Topics;

impl Spec for Topics {
    const NAME: &'static str = "topics";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(SELDOM, "no topic is heard again and again", |_| {
            Box::new(Seldom::default())
        }),
        PropertyEntry::liveness(SPREAD, "topics spread", |_| Box::new(Spread::default())),
        PropertyEntry::safety(SOURCES, "what is received was sent", |_| {
            Box::new(Sources::default())
        })
        .if_claimed()
        .over_messages(),
    ];
    type Request = Errand;
    type Indication = Said;
    type WorkloadSettings = Errands;
    type Workload = Clients;
    fn workload(errands: &Errands, setting: &Setting) -> Result<Clients, Invalid> {
        if errands.n > setting.n {
            return Err(Invalid::new("n", "more than there are"));
        }
        Ok(Clients { errands: errands.clone(), next: 0 })
    }
    fn is_probe(said: &Said) -> bool {
        matches!(said, Said::Clock(_))
    }
    fn phrase(said: &Said) -> Option<String> {
        (*said == Said::Leads).then(|| "leads".to_owned())
    }
    const HAS_LEADER: bool = true;
    fn leads(said: &Said) -> Option<bool> {
        match said {
            Said::Leads => Some(true),
            Said::Resigns => Some(false),
            _ => None,
        }
    }
    fn operation(p: ProcessId, errand: &Errand) -> Option<OperationName> {
        match errand {
            Errand::Tell(topic) => Some(OperationName::at(p, *topic)),
            _ => None,
        }
    }
    fn answers(p: ProcessId, said: &Said) -> impl Iterator<Item = OperationName> {
        let answered = match said {
            Said::Spread(topic) | Said::GaveUp(topic) => Some(OperationName::at(p, *topic)),
            _ => None,
        };
        answered.into_iter()
    }
}

/// How much the clients ask for.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Errands {
    /// The number of processes, and of errands at the start, each within the first 60 ms.
    pub n: u32,
    pub count: u64,
}

#[derive(Clone, Debug)]
pub struct Clients {
    errands: Errands,
    /// The number of the next topic.
    next: u64,
}

impl std::hash::Hash for Clients {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.next.hash(state);
    }
}

impl Clients {
    /// The most topics that clients come up with.
    const TOPIC_COUNT_MAX: u64 = 12;

    fn anyone(&self, rng: &mut Rng) -> ProcessId {
        ProcessId(u32::try_from(rng.below(self.errands.n.into())).unwrap_or(0))
    }

    fn tell(&mut self, p: ProcessId, within_ms: u64, ask: &mut Ask<'_, Topics>) {
        if self.next < Self::TOPIC_COUNT_MAX {
            let after = Duration::from_micros(ask.rng().below(within_ms * 1_000));
            ask.request(p, after, Errand::Tell(self.next));
            self.next += 1;
        }
    }
}

impl Workload<Topics> for Clients {
    fn on_start(&mut self, ask: &mut Ask<'_, Topics>) {
        for _ in 0..self.errands.count {
            let p = self.anyone(ask.rng());
            let after = Duration::from_micros(ask.rng().below(60_000));
            match ask.rng().below(4) {
                0 => ask.request(p, after, Errand::Ask(after.as_nanos() / 1_000 % 20)),
                1 => ask.request(p, after, Errand::Compact),
                _ => self.tell(p, 60, ask),
            }
        }
    }
    fn on_request(&mut self, _: ProcessId, errand: &Errand, ask: &mut Ask<'_, Topics>) {
        if let Errand::Tell(topic) = errand
            && *topic % 3 == 0
        {
            let p = self.anyone(ask.rng());
            ask.request(p, Duration::from_millis(20), Errand::Ask(*topic));
        }
    }
    fn on_indication(&mut self, p: ProcessId, said: &Said, ask: &mut Ask<'_, Topics>) {
        if matches!(said, Said::Spread(_) | Said::Failed(_)) {
            self.tell(p, 5, ask);
        }
    }
    fn on_recover(&mut self, p: ProcessId, ask: &mut Ask<'_, Topics>) {
        // Whole milliseconds since the start, so that clients see the time.
        let topic = ask.now().as_nanos() / 1_000_000;
        ask.request(p, Duration::from_millis(7), Errand::Ask(topic));
        self.tell(p, 9, ask);
    }
}
