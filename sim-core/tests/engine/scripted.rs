//! A process that does what its requests tell it and announces all that happens to it: for tests of
//! the engine.

use std::collections::BTreeSet;

use ftsim_core::environment::delay::Delay;
use ftsim_core::fault::{Action, Crash, Fault, Trigger};
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{
    Ask, Bound, Cx, Duration, DurationRange, End, Experiment, Instant, Invalid, Links, Model,
    Observation, Observed, OperationName, Outcome, Process, ProcessId, Property, PropertyEntry,
    PropertyId, Protocol, Runner, Setting, Spec, Stored, Trace, Violation, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that a request tells a process to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Do {
    Send(u32, u64),
    Broadcast(u64),
    SetTimer(u64, u8),
    Cancel(u8),
    Say(u64),
    Append(u64),
    Sync,
    Rewrite(Vec<u64>),
    Clock,
    Toss,
    Panic,
    RunAway,
    Recall,
}

/// What a process announces.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Said {
    Heard(u32, u64),
    Rang(u8),
    Word(u64),
    Found(Vec<u64>),
    Suspects(u32),
    Trusts(u32),
    Clock(u64),
    Toss(u64),
}

/// At this millisecond, this process is told this.
pub type Line = (u64, u32, Vec<Do>);

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Script {
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug)]
pub struct Prompter(Vec<Line>);

impl std::hash::Hash for Prompter {
    /// Nothing: all is asked for at the start, and forgotten.
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

pub struct Theatre;

impl Workload<Theatre> for Prompter {
    fn on_start(&mut self, ask: &mut Ask<'_, Theatre>) {
        for (at, p, todo) in &self.0 {
            ask.request(ProcessId(*p), Duration::from_millis(*at), todo.clone());
        }
    }
    fn on_indication(&mut self, _: ProcessId, said: &Said, _: &mut Ask<'_, Theatre>) {
        assert_ne!(*said, Said::Word(999), "the clients do not like 999");
    }
}

/// Objects to a word, panics at another, and cannot make up its mind on a third.
#[derive(Clone, Debug, Default, Hash)]
pub struct Censor {
    words: u64,
    in_doubt: bool,
}

impl Property<Theatre> for Censor {
    fn observe(&mut self, event: &Observed<'_, Theatre>) -> Result<(), Violation> {
        match event.what {
            Observation::Indication(Said::Word(13)) => {
                Err(Violation::by([event.process], "someone said 13"))
            }
            Observation::Indication(Said::Word(666)) => panic!("the checker cannot bear 666"),
            Observation::Indication(said) => {
                self.words += 1;
                self.in_doubt |= *said == Said::Word(42);
                Ok(())
            }
            _ => Ok(()),
        }
    }
    fn exercised(&self) -> u64 {
        self.words
    }
    fn undecided(&self) -> Option<String> {
        self.in_doubt.then(|| "42 may be an answer".into())
    }
}

/// Every correct process must say 7.
#[derive(Clone, Debug, Default, Hash)]
pub struct Sevens(Vec<ProcessId>);

impl Property<Theatre> for Sevens {
    fn observe(&mut self, event: &Observed<'_, Theatre>) -> Result<(), Violation> {
        if matches!(event.what, Observation::Indication(Said::Word(7))) {
            self.0.push(event.process);
        }
        Ok(())
    }
    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        match end.correct().find(|p| !self.0.contains(p)) {
            Some(p) => Err(Violation::by([p], format!("{p} never said 7"))),
            None => Ok(()),
        }
    }
    fn exercised(&self) -> u64 {
        1
    }
}

/// Whether each message that is received was sent before; it counts the receptions.
#[derive(Clone, Debug, Default, Hash)]
pub struct Sources {
    sent: BTreeSet<u64>,
    received: u64,
}

impl Property<Theatre> for Sources {
    fn observe(&mut self, event: &Observed<'_, Theatre>) -> Result<(), Violation> {
        match event.what {
            Observation::Send(id) if !self.sent.insert(id.0) => {
                Err(Violation::by([event.process], format!("{id} is sent twice")))
            }
            Observation::Receive(id) => {
                self.received += 1;
                match self.sent.contains(&id.0) {
                    true => Ok(()),
                    false => Err(Violation::by([event.process], format!("nobody sent {id}"))),
                }
            }
            _ => Ok(()),
        }
    }
    fn exercised(&self) -> u64 {
        self.received
    }
}

/// Words with which an actor claims to lead, and gives up the claim.
/// The words that are operations.
const OPERATIONS_FROM: u64 = 500;
const OPERATIONS_END: u64 = 510;
pub const LEADS: u64 = 1_000;
pub const RESIGNS: u64 = 1_001;

pub const CENSOR: PropertyId = PropertyId("test.no-13");
pub const SEVENS: PropertyId = PropertyId("test.sevens");
pub const SOURCES: PropertyId = PropertyId("test.sources");

impl Spec for Theatre {
    const NAME: &'static str = "theatre";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(CENSOR, "nobody says 13", |_| Box::new(Censor::default())),
        PropertyEntry::liveness(SEVENS, "everybody says 7 in the end", |_| {
            Box::new(Sevens::default())
        })
        .if_claimed(),
        PropertyEntry::safety(SOURCES, "what is received was sent", |_| {
            Box::new(Sources::default())
        })
        .if_claimed()
        .over_messages(),
    ];
    type Request = Vec<Do>;
    type Indication = Said;
    type WorkloadSettings = Script;
    type Workload = Prompter;
    fn workload(script: &Script, _: &Setting) -> Result<Prompter, Invalid> {
        Ok(Prompter(script.lines.clone()))
    }
    fn phrase(said: &Said) -> Option<String> {
        (*said == Said::Word(LEADS)).then(|| "leads from now on".to_owned())
    }
    const HAS_LEADER: bool = true;
    fn leads(said: &Said) -> Option<bool> {
        match said {
            Said::Word(LEADS) => Some(true),
            Said::Word(RESIGNS) => Some(false),
            _ => None,
        }
    }
    /// To be told to say a word of these is an operation, which ends with the word.
    fn operation(p: ProcessId, request: &Vec<Do>) -> Option<OperationName> {
        match request.first() {
            Some(Do::Say(word @ OPERATIONS_FROM..OPERATIONS_END)) => {
                Some(OperationName::at(p, *word))
            }
            _ => None,
        }
    }
    fn answers(p: ProcessId, said: &Said) -> impl Iterator<Item = OperationName> {
        let answered = match said {
            Said::Word(word @ OPERATIONS_FROM..OPERATIONS_END) => Some(OperationName::at(p, *word)),
            _ => None,
        };
        answered.into_iter()
    }
}

#[derive(Clone, Debug, Default, Hash)]
pub struct Actor {
    memory: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    Data(u64),
}

impl Process for Actor {
    type Spec = Theatre;
    type Msg = Msg;
    type Timer = u8;
    type Record = u64;

    fn on_recover(&mut self, log: &[Stored<u64>], cx: &mut Cx<Self>) {
        cx.indicate(Said::Found(log.iter().filter_map(|r| r.intact().copied()).collect()));
    }

    fn on_request(&mut self, todo: Vec<Do>, cx: &mut Cx<Self>) {
        for act in todo {
            match act {
                Do::Send(to, word) => cx.send(ProcessId(to), Msg::Data(word)),
                Do::Broadcast(word) => cx.broadcast(Msg::Data(word)),
                Do::SetTimer(ms, timer) => cx.set_timer(Duration::from_millis(ms), timer),
                Do::Cancel(timer) => cx.cancel_timer(timer),
                Do::Say(word) => cx.indicate(Said::Word(word)),
                Do::Append(record) => cx.append(record),
                Do::Sync => cx.sync(),
                Do::Rewrite(records) => cx.rewrite(records),
                Do::Clock => cx.indicate(Said::Clock(cx.now().as_nanos())),
                Do::Recall => cx.indicate(Said::Word(self.memory)),
                Do::Toss => {
                    let toss = cx.rng().bits();
                    cx.indicate(Said::Toss(toss));
                }
                Do::Panic => panic!("the actor was told to"),
                Do::RunAway => loop {
                    cx.sync();
                },
            }
        }
    }

    /// Word 50 cancels timer 1.
    fn on_message(&mut self, from: ProcessId, Msg::Data(word): Msg, cx: &mut Cx<Self>) {
        cx.indicate(Said::Heard(from.0, word));
        if word == 50 {
            cx.cancel_timer(1);
        }
    }

    fn on_timer(&mut self, timer: u8, cx: &mut Cx<Self>) {
        cx.indicate(Said::Rang(timer));
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        cx.indicate(Said::Suspects(p.0));
    }

    fn on_trust(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        cx.indicate(Said::Trusts(p.0));
    }
}

impl Protocol for Actor {
    const NAME: &'static str = "actor";
    const SUMMARY: &'static str = "does as it is told";
    const SOURCE: &'static str = "none";
    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::MINORITY).over(Links::FairLoss)
    }
    type Params = Script;
    const STATE_CORRUPTION: Option<ftsim_core::StateCorruption<Self>> =
        Some(|actor, _, rng| actor.memory = rng.between(1, 9));
    fn new(_: &Script, _: &Setting, _: ProcessId) -> Self {
        Self::default()
    }
}

/// A stage of `n` actors whose links all take exactly 10 ms.
pub struct Stage {
    pub experiment: Experiment,
    pub lines: Vec<Line>,
}

impl Stage {
    pub fn new(n: u32, lines: &[Line]) -> Self {
        let mut experiment = Experiment::new(Setting::of(n));
        let ten = DurationRange::constant(Duration::from_millis(10));
        experiment.network.default.delay = Delay::Uniform(ten);
        experiment.limits.horizon = ms(1_000);
        Self { experiment, lines: lines.to_vec() }
    }

    pub fn with(mut self, change: impl FnOnce(&mut Experiment)) -> Self {
        change(&mut self.experiment);
        self
    }

    pub fn fault(self, trigger: Trigger, action: Action) -> Self {
        self.with(|e| e.plan.faults.push(Fault { trigger, action }))
    }

    pub fn simulation(&self) -> Runner {
        self.simulation_of::<Actor>()
    }

    pub fn simulation_of<P: Protocol<Spec = Theatre, Params = Script>>(&self) -> Runner {
        let script = Script { lines: self.lines.clone() };
        Runner::new::<P>(self.experiment.clone(), Script::default(), &script)
            .expect("a valid stage")
    }

    pub fn record(&self) -> (Outcome, Trace) {
        self.simulation().record(1)
    }

    /// What was said, as `ms p what`, in order.
    pub fn play(&self) -> Vec<String> {
        self.play_with::<Actor>()
    }

    /// The same, with other actors.
    pub fn play_with<P: Protocol<Spec = Theatre, Params = Script>>(&self) -> Vec<String> {
        let (outcome, trace) = self.simulation_of::<P>().record(1);
        assert_eq!(outcome.panicked, None);
        let lines = trace.entries.iter().filter_map(|entry| match (&entry.what, entry.process) {
            (TraceEvent::Indicate { what, .. }, Some(p)) => {
                Some(format!("{} {p} {what}", entry.at.as_nanos() / 1_000_000))
            }
            _ => None,
        });
        lines.collect()
    }
}

pub fn ms(n: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(n)
}

pub fn at(n: u64) -> Trigger {
    Trigger::At(ms(n))
}

pub fn after_effect(process: u32, nth: u64) -> Trigger {
    Trigger::AfterEffect { process: ProcessId(process), nth }
}

pub fn crash(process: u32) -> Action {
    crash_for(process, None)
}

pub fn crash_for(process: u32, recover_after_ms: Option<u64>) -> Action {
    let recover_after = recover_after_ms.map(Duration::from_millis);
    Action::Crash(ProcessId(process), Crash { recover_after, ..Crash::default() })
}
