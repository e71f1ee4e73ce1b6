//! A chatty protocol: in its runs happens whatever can happen to a process.
//!
//! A topic that a client tells spreads by gossip, is acknowledged, and told again to whoever does
//! not acknowledge it. Beside that, processes ask each other signed questions, keep a log, set,
//! move and unset timers, read their clocks, toss coins, and announce all that reaches them.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::model::adversary::CustomAdversary;
use ftsim_core::model::data::StorageError;
use ftsim_core::prelude::*;

use super::topics::{SELDOM, SOURCES, Said, Topics};

/// How often a topic is told again to those that do not acknowledge it.
const RETRY_COUNT_MAX: u8 = 3;
/// How often a process ticks in one life.
const TICK_COUNT_MAX: u8 = 6;
/// How long until a topic is told again, and between two ticks.
const RETRY_AFTER: Duration = Duration::from_millis(23);
const TICK_AFTER: Duration = Duration::from_millis(17);

/// What a client asks of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Errand {
    /// Spread this topic.
    Tell(u64),
    /// Ask all others about this topic.
    Ask(u64),
    /// Keep only the records of the topics known, in a log written anew.
    Compact,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    Gossip { topic: u64, seen_by: Vec<ProcessId>, urgent: bool },
    Ack(u64),
    Private(Talk),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Talk {
    Question(Signed<u64>),
    Answer { of: u64, known: Option<Signed<u64>>, remark: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Alarm {
    Retry(u64),
    Tick,
    /// Set anew at each tick, a moment after the next one: it rings when there is none.
    Idle,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    Topic(u64),
    Tick(u8),
}

/// The class of faults for which the protocol asks to be judged.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub enum Class {
    CrashStop,
    #[default]
    CrashRecovery,
    Byzantine,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The class of faults.
    pub class: Class,
    /// Whether it claims that what is received was sent.
    pub claims_sources: bool,
}

/// Acknowledges nothing.
pub const NO_ACK: Mutant = Mutant::code("no-ack", "acknowledges nothing", SELDOM);
/// Hears a topic again and again, because links double messages.
pub const DOUBLED: Mutant = Mutant::assumption(
    "doubled",
    "links double messages",
    SELDOM,
    "network.duplicate",
    Some("0.0"),
);

#[derive(Clone, Debug, Default, Hash)]
pub struct Chatter {
    known: BTreeSet<u64>,
    /// Topics told by this process: who acknowledged each, and how often it was told again.
    told: BTreeMap<u64, (BTreeSet<ProcessId>, u8)>,
    suspected: BTreeSet<ProcessId>,
    ticks: u8,
    leads: bool,
}

impl Process for Chatter {
    type Spec = Topics;
    type Msg = Msg;
    type Timer = Alarm;
    type Record = Record;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        cx.set_timer(TICK_AFTER, Alarm::Tick);
        cx.set_timer(TICK_AFTER, Alarm::Idle);
    }

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        let mut lost = 0;
        for record in log {
            match record.intact() {
                Some(Record::Topic(topic)) => drop(self.known.insert(*topic)),
                Some(Record::Tick(ticks)) => self.ticks = *ticks,
                None => lost += 1,
            }
        }
        cx.indicate(Said::Found(self.known.len() as u64, lost));
        if let Some(topic) = self.known.last().copied() {
            self.tell(topic, cx);
        }
        self.on_start(cx);
    }

    fn on_storage_error(&mut self, error: StorageError, cx: &mut Cx<Self>) {
        cx.indicate(Said::Failed(error));
        cx.reach("an error of the disk");
        if error == StorageError::SyncFailed && cx.rng().below(4) == 0 {
            cx.halt();
            cx.indicate(Said::Rang(Alarm::Idle));
        }
    }

    fn on_request(&mut self, errand: Errand, cx: &mut Cx<Self>) {
        match errand {
            Errand::Tell(topic) => {
                self.known.insert(topic);
                cx.append(Record::Topic(topic));
                cx.sync();
                self.tell(topic, cx);
            }
            Errand::Ask(topic) => {
                let question = cx.sign(topic);
                cx.send_to_others(Msg::Private(Talk::Question(question)));
                // Nobody has this name.
                if topic % 7 == 4 {
                    let urgent = topic == 4;
                    let seen_by = Vec::new();
                    cx.send(ProcessId(cx.n()), Msg::Gossip { topic, seen_by, urgent });
                }
                cx.cancel_timer(Alarm::Idle);
            }
            Errand::Compact => {
                let topics = self.known.iter().map(|topic| Record::Topic(*topic));
                cx.rewrite(topics.chain([Record::Tick(self.ticks)]).collect());
                cx.append(Record::Tick(self.ticks));
                cx.sync();
                cx.note("compacted");
            }
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Gossip { topic, seen_by, urgent } => {
                cx.indicate(Said::Heard { from, topic });
                if !cx.runs(&NO_ACK) {
                    cx.send(from, Msg::Ack(topic));
                }
                if self.known.insert(topic) {
                    self.pass_on(topic, &seen_by, urgent, cx);
                }
            }
            Msg::Ack(topic) => self.acknowledged(from, topic, cx),
            Msg::Private(Talk::Question(question)) => {
                let Some(topic) = question.verify(cx).copied() else {
                    return cx.indicate(Said::Forged(from));
                };
                let known = self.known.contains(&topic).then(|| cx.sign(topic));
                let remark = format!("topic {topic} of {}", question.signer());
                cx.send(from, Msg::Private(Talk::Answer { of: topic, known, remark }));
            }
            Msg::Private(Talk::Answer { of, known, .. }) => {
                let known = known.map(|signed| signed.verify(cx) == Some(&of));
                cx.indicate(Said::Answered { from, topic: of, known });
            }
        }
    }

    fn on_timer(&mut self, alarm: Alarm, cx: &mut Cx<Self>) {
        match alarm {
            Alarm::Retry(topic) => self.tell_again(topic, cx),
            Alarm::Tick => self.tick(cx),
            Alarm::Idle => cx.indicate(Said::Rang(alarm)),
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        self.suspected.insert(p);
        cx.reach("a suspicion");
        cx.indicate(Said::Suspects(p));
        self.lead(cx);
    }

    fn on_trust(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        self.suspected.remove(&p);
        cx.indicate(Said::Trusts(p));
        self.lead(cx);
    }
}

impl Chatter {
    fn tell(&mut self, topic: u64, cx: &mut Cx<Self>) {
        self.told.insert(topic, (BTreeSet::from([cx.me()]), 0));
        cx.broadcast(Msg::Gossip {
            topic,
            seen_by: vec![cx.me()],
            urgent: topic.is_multiple_of(2),
        });
        cx.set_timer(RETRY_AFTER, Alarm::Retry(topic));
    }

    /// Passes a topic on to those that have not seen it, once; what is urgent is stored first.
    fn pass_on(&mut self, topic: u64, seen_by: &[ProcessId], urgent: bool, cx: &mut Cx<Self>) {
        cx.append(Record::Topic(topic));
        if urgent {
            cx.sync();
        }
        if seen_by.len() > 1 {
            return;
        }
        let seen: Vec<ProcessId> = seen_by.iter().copied().chain([cx.me()]).collect();
        let rest = cx.others().filter(|p| !seen.contains(p));
        cx.send_to(rest, Msg::Gossip { topic, seen_by: seen.clone(), urgent });
    }

    fn acknowledged(&mut self, from: ProcessId, topic: u64, cx: &mut Cx<Self>) {
        let Some((by, _)) = self.told.get_mut(&topic) else { return };
        by.insert(from);
        if by.len() == cx.n() as usize {
            self.told.remove(&topic);
            cx.cancel_timer(Alarm::Retry(topic));
            cx.indicate(Said::Spread(topic));
        }
    }

    fn tell_again(&mut self, topic: u64, cx: &mut Cx<Self>) {
        let Some((by, times)) = self.told.get_mut(&topic) else { return };
        *times += 1;
        if *times > RETRY_COUNT_MAX {
            cx.indicate(Said::GaveUp(topic));
            return;
        }
        cx.set_timer(RETRY_AFTER.times(u64::from(*times)), Alarm::Retry(topic));
        let deaf: Vec<ProcessId> = cx.others().filter(|p| !by.contains(p)).collect();
        let seen_by = by.iter().copied().collect();
        cx.send_to(deaf, Msg::Gossip { topic, seen_by, urgent: false });
    }

    fn tick(&mut self, cx: &mut Cx<Self>) {
        self.ticks += 1;
        if self.ticks < TICK_COUNT_MAX {
            let jitter = Duration::from_micros(cx.rng().below(3_000));
            cx.set_timer(TICK_AFTER + jitter, Alarm::Tick);
            cx.set_timer(TICK_AFTER + Duration::from_millis(2), Alarm::Idle);
        }
        if self.ticks == 2 {
            cx.append(Record::Tick(self.ticks));
        }
        cx.indicate(Said::Clock(cx.now().as_nanos()));
    }

    /// The least process that is not suspected leads.
    fn lead(&mut self, cx: &mut Cx<Self>) {
        let least = cx.processes().find(|p| !self.suspected.contains(p));
        let leads = least == Some(cx.me());
        if leads != self.leads {
            self.leads = leads;
            cx.indicate(if leads { Said::Leads } else { Said::Resigns });
        }
    }
}

/// Spreads a topic of its own with each one, and never acknowledges.
const FORGER: CustomAdversary<Msg> = CustomAdversary {
    name: "forger",
    summary: "makes topics up",
    says: |msg, liar| match msg {
        Msg::Gossip { topic, urgent, .. } => {
            let made_up = 1_000 + liar.rng().below(100) + u64::from(liar.to().0);
            let gossip = |topic| Msg::Gossip { topic, seen_by: vec![liar.me()], urgent: *urgent };
            vec![gossip(*topic), gossip(made_up)]
        }
        Msg::Ack(_) => Vec::new(),
        Msg::Private(Talk::Question(_)) => {
            vec![Msg::Private(Talk::Question(liar.sign(u64::from(liar.setting().n))))]
        }
        Msg::Private(Talk::Answer { .. }) => vec![msg.clone()],
    },
};

impl Protocol for Chatter {
    const NAME: &'static str = "chatter";
    const SUMMARY: &'static str = "talks about everything";
    const SOURCE: &'static str = "none";
    const MUTANTS: &'static [Mutant] = &[NO_ACK, DOUBLED];
    const ADVERSARIES: &'static [CustomAdversary<Msg>] = &[FORGER];
    const STATE_CORRUPTION: Option<StateCorruption<Self>> = Some(|chatter, setting, rng| {
        chatter.known.insert(rng.below(40));
        chatter
            .suspected
            .insert(ProcessId(u32::try_from(rng.below(setting.n.into())).unwrap_or(0)));
    });
    type Params = Params;
    fn model(params: &Params, _: &Setting) -> Model {
        match params.class {
            Class::CrashStop => Model::SYNCHRONOUS.crash_stop(Bound::MINORITY),
            Class::CrashRecovery => Model::ASYNCHRONOUS.crash_recovery(Bound::MINORITY),
            Class::Byzantine => Model::PARTIALLY_SYNCHRONOUS.byzantine(Bound::LESS_THAN_A_THIRD),
        }
    }
    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        match params.class {
            Class::Byzantine if setting.n < 2 => Err(Invalid::new("class", "nobody to lie to")),
            _ => Ok(()),
        }
    }
    fn claims(params: &Params, _: &Setting) -> Vec<PropertyId> {
        if params.claims_sources { vec![SOURCES] } else { Vec::new() }
    }
    fn new(_: &Params, _: &Setting, _: ProcessId) -> Self {
        Self::default()
    }
}
