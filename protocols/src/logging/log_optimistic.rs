//! Optimistic message logging: messages take effect at once and are logged later; whoever depends
//! on what a crash has lost rolls back.
//!
//! Source: Strom and Yemini (1985); Johnson and Zwaenepoel (1990); Elnozahy, Alvisi, Wang and
//! Johnson (2002), section 3.2. Spec: [`MessageLogging`]. Model: asynchronous, crash-recovery,
//! reliable links in any order between processes that are up; any number of processes may crash,
//! and each must recover.
//!
//! Steps: the application acts on a message as soon as it arrives. The log is forced now and then,
//! for all deliveries since the last time together, and the process tells the others how far its
//! log reaches. A state interval is known by its number and its *incarnation*. Each message carries
//! the *dependency vector* of the interval that sent it: the latest interval of each process on
//! which this one depends, directly or through others. An output is held until the log of every
//! process reaches what it depends on.
//!
//! A process that crashes replays its log and begins a new incarnation. It announces after which
//! interval that begins: later ones of earlier incarnations are lost. Who hears that it depends on
//! a lost interval is an orphan: it returns to its last interval that does not, begins a new
//! incarnation itself and announces that. It delivers the messages of undone intervals again,
//! unless they come from a lost one; such messages are discarded wherever they arrive. A message
//! whose vector names an incarnation that is not known yet waits for the announcement. So do all,
//! if the vector of the receiver itself does, which has forgotten the announcement in a crash: it
//! could not tell a lost interval from an older one. The others answer a process that has crashed
//! with their own incarnations, and send again all that they have sent to it.
//!
//! Why it works: vectors include indirect dependencies, so everybody knows from the announcement
//! alone whether it is an orphan. An interval on whose past all logs agree is replayed after every
//! crash: its process replays its log up to it, and no interval on the way there is an orphan.
//!
//! An input that a crash takes before it is on the log is lost like one that comes to a process
//! that is down: the outside world has to hand it in again.
//!
//! Words: Strom and Yemini's *failure announcement* is `Recovered` and `RolledBack` here, their
//! *log vector* is `Logged`; a *committable* output is one whose whole past is on logs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ftsim_core::prelude::*;

use crate::spec::message_logging::{
    Application, Consequence, Indication, Interval, Message, MessageLogging, MessageName,
    NO_ORPHANS_AFTER_RECOVERY, OUTPUT_COMMIT, Output, Request,
};

/// The number of the lives of a process, and of its returns to an earlier interval.
type Incarnation = u64;

/// A state interval of a process, by the incarnation in which it began and its number.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StateIndex {
    incarnation: Incarnation,
    interval: Interval,
}

impl fmt::Debug for StateIndex {
    /// Formats as `1.7`: interval 7, which began in incarnation 1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.incarnation, self.interval)
    }
}

/// A dependency vector: the latest interval of each process on which a state depends.
pub type Dependencies = BTreeMap<ProcessId, StateIndex>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message of the application, sent for the first time or again, and what it depends on.
    App(Message, Dependencies),
    /// The log of the sender has been forced.
    Logged(Progress),
    /// The sender was an orphan, and has undone intervals.
    RolledBack(Progress),
    /// The sender has recovered from a crash. It asks for the progress of the others, and for all
    /// messages that were sent to it.
    Recovered(Progress),
}

/// What others have to know of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Progress {
    /// Its incarnations but the first, each with the interval after which it begins.
    begun: BTreeMap<Incarnation, Interval>,
    /// The interval to which its log reaches.
    logged: StateIndex,
}

/// A delivery of the application.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Delivery {
    message: Message,
    /// What the message depends on.
    cause: Dependencies,
    /// What the state depends on in which the application is then, itself included.
    past: Dependencies,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// This incarnation begins after this interval.
    Incarnation(Incarnation, Interval),
    Delivered(Delivery),
    /// A message of an interval that was undone, to be delivered again.
    Undone(Message, Dependencies),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// It is time to force the log.
    Flush,
}

/// A process with its log, and the application.
#[derive(Clone, Debug, Hash)]
pub struct LogOptimistic {
    me: ProcessId,
    flush_every: Duration,
    application: Application,
    /// The deliveries from the first on. Those after `logged` are not on the log yet.
    deliveries: Vec<Delivery>,
    received: BTreeSet<MessageName>,
    /// The messages that the application has sent, with their intervals.
    sent: Vec<(Interval, Message)>,
    /// The outputs that are held, by interval.
    held: BTreeMap<Interval, Output>,
    /// Messages for which an incarnation has to be known that is not known yet.
    early: Vec<(Message, Dependencies)>,
    /// What is known of each process, itself included.
    progress: BTreeMap<ProcessId, Progress>,
}

impl Process for LogOptimistic {
    type Spec = MessageLogging;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        let mut undone = Vec::new();
        for record in log.iter().filter_map(Stored::intact) {
            match record.clone() {
                Record::Incarnation(incarnation, interval) => {
                    self.own().begun.insert(incarnation, interval);
                }
                // What was not forced may be on the log with gaps.
                Record::Delivered(delivery) => {
                    let interval = delivery.past.get(&self.me).map(|index| index.interval);
                    if interval == Some(self.interval() + 1) {
                        self.received.insert(delivery.message.name());
                        self.deliveries.push(delivery);
                    }
                }
                Record::Undone(message, cause) => undone.push((message, cause)),
            }
        }
        self.begin_incarnation(&undone, cx);
        for delivery in self.deliveries.clone() {
            cx.reach("replayed");
            self.act_on(&delivery, cx);
        }
        cx.indicate(Indication::Resumed);
        cx.send_to_others(Msg::Recovered(self.own().clone()));
        for (message, cause) in undone {
            self.receive(message, cause, cx);
        }
        self.release(cx);
    }

    fn on_request(&mut self, Request::Input { number, route }: Request, cx: &mut Cx<Self>) {
        self.receive(Message::input(cx.me(), number, route), Dependencies::new(), cx);
        self.release(cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::App(message, cause) => {
                self.receive(Message { from, to: cx.me(), ..message }, cause, cx);
                self.release(cx);
            }
            Msg::Logged(progress) | Msg::RolledBack(progress) => self.learn(from, progress, cx),
            Msg::Recovered(progress) => {
                self.learn(from, progress, cx);
                cx.send(from, Msg::Logged(self.own().clone()));
                self.send_again(from, cx);
            }
        }
    }

    fn on_timer(&mut self, Timer::Flush: Timer, cx: &mut Cx<Self>) {
        cx.sync();
        self.own().logged.interval = self.interval();
        cx.send_to_others(Msg::Logged(self.own().clone()));
        self.release(cx);
    }
}

/// Messages and outputs.
impl LogOptimistic {
    fn receive(&mut self, message: Message, cause: Dependencies, cx: &mut Cx<Self>) {
        let past = self.deliveries.last().map(|last| &last.past);
        let mut named = cause.iter().chain(past.into_iter().flatten());
        if named.any(|(p, index)| !self.knows(*p, index.incarnation)) {
            cx.reach("early");
            self.early.push((message, cause));
        } else if self.is_orphan(&cause) {
            cx.reach("an orphan message");
        } else if !self.received.insert(message.name()) {
            cx.reach("a duplicate");
        } else {
            self.deliver(message, cause, cx);
        }
    }

    /// Delivers a message for the first time. It is on the log once that is forced.
    fn deliver(&mut self, message: Message, cause: Dependencies, cx: &mut Cx<Self>) {
        let mut past = self.deliveries.last().map(|last| last.past.clone()).unwrap_or_default();
        for (p, index) in &cause {
            let latest = past.entry(*p).or_insert(*index);
            *latest = (*latest).max(*index);
        }
        let (incarnation, interval) = (self.own().logged.incarnation, self.interval() + 1);
        past.insert(self.me, StateIndex { incarnation, interval });
        let delivery = Delivery { message, cause, past };
        cx.append(Record::Delivered(delivery.clone()));
        if interval == self.own().logged.interval + 1 {
            cx.set_timer(self.flush_every, Timer::Flush);
        }
        self.deliveries.push(delivery.clone());
        self.act_on(&delivery, cx);
    }

    /// The application delivers a message, for the first time or in a replay, and acts.
    fn act_on(&mut self, Delivery { message, past, .. }: &Delivery, cx: &mut Cx<Self>) {
        let consequence = self.application.deliver(message);
        let (interval, value) = (self.application.interval(), self.application.value());
        cx.indicate(Indication::Delivered { interval, message: message.clone(), value });
        match consequence {
            Consequence::Send(message) if message.to == cx.me() || message.to.0 >= cx.n() => {}
            Consequence::Send(message) => {
                self.sent.push((interval, message.clone()));
                cx.indicate(Indication::Sent(message.clone()));
                cx.send(message.to, Msg::App(message, past.clone()));
            }
            Consequence::Output(output) => {
                self.held.insert(interval, output);
            }
        }
    }

    /// Sends again what was sent to `to`, which recognises what it has.
    fn send_again(&self, to: ProcessId, cx: &mut Cx<Self>) {
        for (interval, message) in self.sent.iter().filter(|(_, message)| message.to == to) {
            if let Some(past) = self.past_of(*interval) {
                cx.send(to, Msg::App(message.clone(), past.clone()));
            }
        }
    }

    /// Outputs what depends only on intervals that are on logs. Later intervals depend on more.
    fn release(&mut self, cx: &mut Cx<Self>) {
        while let Some((interval, output)) = self.held.pop_first() {
            let is_logged = |(p, index): (&ProcessId, &StateIndex)| self.is_logged(*p, *index);
            let committable = self.past_of(interval).is_some_and(|past| past.iter().all(is_logged));
            if !committable && !cx.runs(&EARLY_OUTPUT) {
                cx.reach("held");
                self.held.insert(interval, output);
                return;
            }
            cx.indicate(Indication::Output(output));
        }
    }
}

/// Incarnations.
impl LogOptimistic {
    /// Takes note of the progress of a process, and is no orphan of it afterwards.
    fn learn(&mut self, of: ProcessId, progress: Progress, cx: &mut Cx<Self>) {
        let Progress { begun, logged } = progress;
        let known = self.progress.entry(of).or_default();
        known.begun.extend(begun);
        known.logged = known.logged.max(logged);
        let orphan = self.deliveries.iter().position(|delivery| self.is_orphan(&delivery.past));
        if let Some(kept) = orphan
            && !cx.runs(&NO_ROLLBACK)
        {
            self.roll_back(kept, cx);
        }
        for (message, cause) in std::mem::take(&mut self.early) {
            self.receive(message, cause, cx);
        }
        self.release(cx);
    }

    /// Returns to the interval with this number of deliveries.
    fn roll_back(&mut self, kept: usize, cx: &mut Cx<Self>) {
        cx.reach("rolled back");
        let undone = self.deliveries.split_off(kept).into_iter();
        let mut again: Vec<_> = undone.map(|undone| (undone.message, undone.cause)).collect();
        for (message, _) in &again {
            self.received.remove(&message.name());
        }
        let to = self.interval();
        self.sent.retain(|(interval, _)| *interval <= to);
        self.held.retain(|interval, _| *interval <= to);
        self.application = Application::new(self.me);
        for delivery in &self.deliveries {
            self.application.deliver(&delivery.message);
        }
        again.retain(|(_, cause)| !self.is_orphan(cause));
        again.append(&mut self.early);
        self.begin_incarnation(&again, cx);
        cx.cancel_timer(Timer::Flush);
        cx.indicate(Indication::RolledBack { to });
        cx.send_to_others(Msg::RolledBack(self.own().clone()));
        for (message, cause) in again {
            self.receive(message, cause, cx);
        }
    }

    /// Begins a new incarnation after the last delivery, with all deliveries on the log.
    fn begin_incarnation(&mut self, undone: &[(Message, Dependencies)], cx: &mut Cx<Self>) {
        let interval = self.interval();
        let own = self.own();
        let last = own.begun.keys().next_back().copied().unwrap_or_default();
        let incarnation = last.saturating_add(1);
        own.begun.insert(incarnation, interval);
        own.logged = StateIndex { incarnation, interval };
        let begun = own.begun.iter();
        let begun: Vec<_> = begun.map(|(i, after)| Record::Incarnation(*i, *after)).collect();
        let delivered = self.deliveries.iter().cloned().map(Record::Delivered);
        let undone = undone.iter().cloned().map(|(message, cause)| Record::Undone(message, cause));
        cx.rewrite(begun.into_iter().chain(delivered).chain(undone).collect());
        cx.sync();
    }

    fn is_orphan(&self, past: &Dependencies) -> bool {
        past.iter().any(|(p, index)| self.is_lost(*p, *index))
    }

    /// Whether a later incarnation begins before this interval.
    fn is_lost(&self, p: ProcessId, StateIndex { incarnation, interval }: StateIndex) -> bool {
        let begun = self.progress.get(&p).map(|progress| &progress.begun);
        let later = incarnation.saturating_add(1)..;
        begun.is_some_and(|begun| begun.range(later).any(|(_, after)| *after < interval))
    }

    /// Whether a crash cannot take this interval.
    fn is_logged(&self, p: ProcessId, index: StateIndex) -> bool {
        let logged = self.progress.get(&p).map(|progress| progress.logged);
        logged >= Some(index) && !self.is_lost(p, index)
    }

    /// Whether this incarnation has been announced.
    fn knows(&self, p: ProcessId, incarnation: Incarnation) -> bool {
        let begun = self.progress.get(&p).map(|progress| &progress.begun);
        let last = begun.and_then(|begun| begun.keys().next_back());
        incarnation <= last.copied().unwrap_or_default()
    }

    /// Its own progress.
    fn own(&mut self) -> &mut Progress {
        self.progress.entry(self.me).or_default()
    }

    /// The number of deliveries, which is that of the current interval.
    fn interval(&self) -> Interval {
        self.deliveries.len() as Interval
    }

    /// What its own interval with this number depends on.
    fn past_of(&self, interval: Interval) -> Option<&Dependencies> {
        let place = usize::try_from(interval).ok()?.checked_sub(1)?;
        self.deliveries.get(place).map(|delivery| &delivery.past)
    }
}

/// `[params]` of `log-optimistic`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogOptimisticParams {
    /// The time after a delivery by which the log is forced, for all deliveries since.
    pub flush_every: Duration,
}

impl Default for LogOptimisticParams {
    fn default() -> Self {
        Self { flush_every: Duration::from_millis(20) }
    }
}

const NO_ROLLBACK: Mutant = Mutant::code(
    "no-rollback",
    "goes on when it hears that it depends on a lost interval",
    NO_ORPHANS_AFTER_RECOVERY,
);
const EARLY_OUTPUT: Mutant = Mutant::code(
    "early-output",
    "outputs a result at once, without waiting for the logs",
    OUTPUT_COMMIT,
);

impl Protocol for LogOptimistic {
    const NAME: &'static str = "log-optimistic";
    const SUMMARY: &'static str =
        "message logging: messages are logged later, and orphans of a crash roll back";
    const SOURCE: &'static str = "Strom & Yemini 1985; Johnson & Zwaenepoel 1990";
    const MUTANTS: &'static [Mutant] = &[NO_ROLLBACK, EARLY_OUTPUT];

    type Params = LogOptimisticParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::ANY_THAT_RECOVER)
    }

    fn new(params: &LogOptimisticParams, _: &Setting, me: ProcessId) -> Self {
        Self {
            me,
            flush_every: params.flush_every,
            application: Application::new(me),
            deliveries: Vec::new(),
            received: BTreeSet::new(),
            sent: Vec::new(),
            held: BTreeMap::new(),
            early: Vec::new(),
            progress: BTreeMap::new(),
        }
    }
}
