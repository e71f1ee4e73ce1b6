//! Causal message logging: the order of deliveries is in the memory of whoever depends on it.
//!
//! Source: Elnozahy and Zwaenepoel (1992), Manetho; Alvisi and Marzullo (1998), family-based
//! logging; Elnozahy, Alvisi, Wang and Johnson (2002), section 3.3. Spec: [`MessageLogging`],
//! without orphans and with local recovery. Model: asynchronous, crash-recovery, reliable links in
//! any order between processes that are up; at most f processes at a time are down or recover.
//!
//! Steps: the *determinant* of a delivery says which message began which state interval. A process
//! stores the determinants of its own deliveries, and those that come with messages. Each message
//! carries the determinants that its sender knows, except those that its receiver has, and those
//! that cannot be lost: because f + 1 processes have them in memory, as far as the sender knows, or
//! because the sender has them on its stable log. Nothing waits, and nothing is forced but inputs,
//! which have no sender that could keep them, and what an output depends on: before it outputs a
//! result, a process forces the determinants that could be lost to its log.
//!
//! A process that recovers asks all others for their determinants, and for the messages that they
//! have sent to it, which senders keep in memory. When all have answered, it delivers the messages
//! again in the order of its determinants; a message of another that recovers comes when that one
//! has replayed so far. What has no determinant it delivers afterwards, like new messages.
//!
//! Incarnations: messages carry the number of their sender's life, and those of an earlier life
//! than known are discarded, since a replay sends them again. Questions and answers carry the lives
//! of all processes that are known, and a process that hears of a new life before it has all
//! answers forgets what it was told and asks all again. A holder counts only in the life in which
//! it had the determinant.
//!
//! Why it works: whoever depends on a delivery has its determinant, or that cannot be lost. All
//! answers together hold what anybody depends on: who has answered accepts nothing more from the
//! earlier lives of those that recover, and what it accepts from others carries only determinants
//! that were in their answers. What it was told before by a life that was over without its knowing
//! it has forgotten when it asked again. A process that has recovered has all determinants of the
//! others, so that what f + 1 have stays with f + 1, or with those of them that do not crash
//! meanwhile.
//!
//! Words: Alvisi and Marzullo's *Depend(e)* is who depends on a delivery, their *Log(e)* who holds
//! its determinant; Manetho's *antecedence graph* is our determinants.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ftsim_core::prelude::*;

use crate::spec::message_logging::{
    Application, Consequence, Indication, Interval, LOCAL_RECOVERY, Message, MessageLogging,
    MessageName, NO_ORPHANS, Request,
};

/// The number of a life of a process, from 0.
type Incarnation = u64;

/// The last known life of each process, except those in their first.
pub type Incarnations = BTreeMap<ProcessId, Incarnation>;

/// A state interval of a process.
type StateIndex = (ProcessId, Interval);

/// What began a state interval, and who has this in memory.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Determinant {
    of: StateIndex,
    message: MessageName,
    /// The processes that have it, and the lives in which they do.
    holders: Incarnations,
}

impl fmt::Debug for Determinant {
    /// Formats as `p1.2: #3 p0->p1 {p1, p2}`: short, since messages contain many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of: (p, interval), message: (from, to, number), holders } = self;
        let holders: Vec<_> = holders.keys().collect();
        write!(f, "{p}.{interval}: #{number} {from}->{to} {holders:?}")
    }
}

/// One of the questions of a process that recovers: its life, and their number in it.
type Round = (Incarnation, u64);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message of the application, sent for the first time or again, from this life of its
    /// sender, with the determinants that could be lost.
    App(Incarnation, Message, Vec<Determinant>),
    /// The sender recovers. It asks for all determinants, and for the messages that were sent to
    /// it.
    Recovering(Round, Incarnations),
    /// The answer.
    Answer(Round, Incarnations, Vec<Determinant>, Vec<Message>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// This life has begun.
    Incarnation(Incarnation),
    /// An input, and the interval that it began.
    Input(Interval, Message),
    /// Determinants on which an output depends.
    Determinants(Vec<Determinant>),
}

/// A process with its memory and its log, and the application.
#[derive(Clone, Debug, Hash)]
pub struct LogCausal {
    f: usize,
    me: ProcessId,
    incarnations: Incarnations,
    application: Application,
    received: BTreeSet<MessageName>,
    /// The messages that the application has sent.
    sent: Vec<Message>,
    determinants: BTreeMap<StateIndex, Determinant>,
    /// The determinants that are on its log, those of inputs aside.
    logged: BTreeSet<StateIndex>,
    /// Its inputs, all of which are on its log, by the intervals that they began.
    inputs: BTreeMap<Interval, Message>,
    /// The recovery, while it lasts.
    recovery: Option<Recovery>,
}

/// What a process that recovers has been told.
#[derive(Clone, Debug, Default, Hash)]
struct Recovery {
    round: u64,
    /// Those that have not answered.
    awaited: ProcessSet,
    messages: BTreeMap<MessageName, Message>,
}

impl Process for LogCausal {
    type Spec = MessageLogging;
    type Msg = Msg;
    type Timer = Never;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        let mut last = 0;
        for record in log.iter().filter_map(Stored::intact) {
            match record.clone() {
                Record::Incarnation(incarnation) => last = last.max(incarnation),
                Record::Input(interval, message) => {
                    self.inputs.insert(interval, message);
                }
                Record::Determinants(determinants) => {
                    self.logged.extend(determinants.iter().map(|determinant| determinant.of));
                    self.store(determinants);
                }
            }
        }
        self.incarnations.insert(self.me, last + 1);
        cx.append(Record::Incarnation(last + 1));
        cx.sync();
        self.recovery = Some(Recovery::default());
        self.ask(cx);
    }

    fn on_request(&mut self, Request::Input { number, route }: Request, cx: &mut Cx<Self>) {
        self.receive(Message::input(cx.me(), number, route), cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::App(incarnation, message, determinants) => {
                self.learn(&Incarnations::from([(from, incarnation)]), cx);
                if incarnation < self.life_of(from) {
                    cx.reach("of an earlier life");
                    return;
                }
                self.store(determinants);
                self.receive(Message { from, to: cx.me(), ..message }, cx);
            }
            Msg::Recovering(round, incarnations) => {
                self.learn(&incarnations, cx);
                self.answer(from, round, cx);
            }
            Msg::Answer(round, incarnations, determinants, messages) => {
                self.learn(&incarnations, cx);
                self.answered(from, round, determinants, messages, cx);
            }
        }
    }
}

/// Deliveries.
impl LogCausal {
    fn receive(&mut self, message: Message, cx: &mut Cx<Self>) {
        if let Some(recovery) = &mut self.recovery {
            recovery.messages.insert(message.name(), message);
            self.replay(cx);
        } else if self.received.contains(&message.name()) {
            cx.reach("a duplicate");
        } else {
            self.deliver_new(&message, cx);
        }
    }

    fn deliver_new(&mut self, message: &Message, cx: &mut Cx<Self>) {
        let interval = self.application.interval() + 1;
        if message.is_input() {
            self.inputs.insert(interval, message.clone());
            cx.append(Record::Input(interval, message.clone()));
            cx.sync();
        } else {
            let of = (self.me, interval);
            let holders = Incarnations::new();
            self.store(vec![Determinant { of, message: message.name(), holders }]);
        }
        self.deliver(message, cx);
    }

    /// The application delivers a message, for the first time or in a replay, and acts.
    fn deliver(&mut self, message: &Message, cx: &mut Cx<Self>) {
        self.received.insert(message.name());
        let consequence = self.application.deliver(message);
        let (interval, value) = (self.application.interval(), self.application.value());
        cx.indicate(Indication::Delivered { interval, message: message.clone(), value });
        match consequence {
            Consequence::Send(message) if message.to == cx.me() || message.to.0 >= cx.n() => {}
            Consequence::Send(message) => {
                self.sent.push(message.clone());
                cx.indicate(Indication::Sent(message.clone()));
                let lacks = |determinant: &&Determinant| !self.holds(message.to, determinant);
                let riding = self.losable(cx).filter(lacks).cloned().collect();
                cx.send(message.to, Msg::App(self.life_of(self.me), message, riding));
            }
            Consequence::Output(output) => {
                self.force(cx);
                cx.indicate(Indication::Output(output));
            }
        }
    }

    /// Forces to the log what could be lost.
    fn force(&mut self, cx: &mut Cx<Self>) {
        let losable: Vec<_> = self.losable(cx).cloned().collect();
        if !losable.is_empty() {
            self.logged.extend(losable.iter().map(|determinant| determinant.of));
            cx.append(Record::Determinants(losable));
            cx.sync();
        }
    }
}

/// Determinants.
impl LogCausal {
    /// Stores determinants; from now on this process is one of their holders.
    fn store(&mut self, determinants: Vec<Determinant>) {
        let own = (self.me, self.life_of(self.me));
        for Determinant { of, message, holders } in determinants {
            let new = || Determinant { of, message, holders: Incarnations::new() };
            let known = self.determinants.entry(of).or_insert_with(new);
            for (p, incarnation) in holders.into_iter().chain([own]) {
                let latest = known.holders.entry(p).or_insert(incarnation);
                *latest = incarnation.max(*latest);
            }
        }
    }

    /// The determinants that f crashes could take, as far as this process knows.
    fn losable(&self, cx: &Cx<Self>) -> impl Iterator<Item = &Determinant> {
        let enough = if cx.runs(&DROP_AT_F) { self.f } else { self.f + 1 };
        self.determinants.values().filter(move |determinant| {
            let holders = determinant.holders.keys().filter(|p| self.holds(**p, determinant));
            holders.count() < enough && !self.logged.contains(&determinant.of)
        })
    }

    /// Whether a process has a determinant in its last known life.
    fn holds(&self, p: ProcessId, determinant: &Determinant) -> bool {
        determinant.holders.get(&p).is_some_and(|incarnation| *incarnation >= self.life_of(p))
    }

    fn life_of(&self, p: ProcessId) -> Incarnation {
        self.incarnations.get(&p).copied().unwrap_or_default()
    }

    /// Takes note of lives of the others. What a process that recovers has of earlier ones will be
    /// sent again, and as long as it waits for answers it asks again.
    fn learn(&mut self, incarnations: &Incarnations, cx: &mut Cx<Self>) {
        let mut is_new = false;
        for (p, incarnation) in incarnations {
            if *p == self.me || *incarnation <= self.life_of(*p) {
                continue;
            }
            is_new = true;
            self.incarnations.insert(*p, *incarnation);
            if let Some(recovery) = &mut self.recovery {
                recovery.messages.retain(|(from, ..), _| from != p);
            }
        }
        if is_new && self.recovery.as_ref().is_some_and(|recovery| !recovery.awaited.is_empty()) {
            cx.reach("asks again");
            self.ask(cx);
        }
    }
}

/// A recovery.
impl LogCausal {
    /// Asks all others, and forgets the answers of the last round, with all determinants that it
    /// has from others: some may be of deliveries that are lost, told by messages of a life that
    /// was not known to be over.
    fn ask(&mut self, cx: &mut Cx<Self>) {
        let own_life = self.life_of(self.me);
        let Some(recovery) = &mut self.recovery else { return };
        recovery.round += 1;
        recovery.awaited = cx.others().collect();
        recovery.messages.retain(|_, message| message.is_input());
        let logged = &self.logged;
        self.determinants.retain(|of, _| logged.contains(of));
        let round = (own_life, recovery.round);
        cx.send_to_others(Msg::Recovering(round, self.incarnations.clone()));
        self.replay(cx);
    }

    fn answer(&self, to: ProcessId, round: Round, cx: &mut Cx<Self>) {
        let determinants = self.determinants.values().cloned().collect();
        let messages = self.sent.iter().filter(|message| message.to == to).cloned().collect();
        cx.send(to, Msg::Answer(round, self.incarnations.clone(), determinants, messages));
    }

    fn answered(
        &mut self,
        from: ProcessId,
        round: Round,
        determinants: Vec<Determinant>,
        messages: Vec<Message>,
        cx: &mut Cx<Self>,
    ) {
        let own_life = self.life_of(self.me);
        let Some(recovery) = &mut self.recovery else { return };
        if round != (own_life, recovery.round) || !recovery.awaited.contains(from) {
            return;
        }
        recovery.awaited.remove(from);
        for message in messages {
            let message = Message { from, to: cx.me(), ..message };
            recovery.messages.insert(message.name(), message);
        }
        self.store(determinants);
        self.replay(cx);
    }

    /// Once all have answered: delivers again what has a determinant, as far as the messages are
    /// there.
    fn replay(&mut self, cx: &mut Cx<Self>) {
        while let Some(recovery) = &self.recovery
            && recovery.awaited.is_empty()
        {
            let interval = self.application.interval() + 1;
            let determinant = self.determinants.get(&(self.me, interval));
            let message = match (self.inputs.get(&interval), determinant) {
                (Some(input), _) => input.clone(),
                (None, Some(known)) => match recovery.messages.get(&known.message) {
                    Some(message) => message.clone(),
                    None => {
                        cx.reach("waits for another that recovers");
                        return;
                    }
                },
                (None, None) => return self.resume(cx),
            };
            cx.reach("replayed");
            self.deliver(&message, cx);
        }
    }

    /// Ends the replay: what has no determinant is delivered as if it were new.
    fn resume(&mut self, cx: &mut Cx<Self>) {
        let Some(Recovery { messages, .. }) = self.recovery.take() else { return };
        let replayed = self.application.interval();
        let is_kept = |(p, interval): &StateIndex| *p != self.me || *interval <= replayed;
        self.determinants.retain(|of, _| is_kept(of));
        self.logged.retain(is_kept);
        cx.indicate(Indication::Resumed);
        let inputs = self.inputs.split_off(&(replayed + 1));
        if !inputs.is_empty() {
            self.write_log(inputs.values(), cx);
        }
        for message in inputs.values() {
            self.deliver(message, cx);
        }
        for (name, message) in messages {
            if !self.received.contains(&name) {
                self.deliver_new(&message, cx);
            }
        }
    }

    /// Gives new intervals to inputs that come after a delivery which is lost.
    fn write_log<'a>(&mut self, inputs: impl Iterator<Item = &'a Message>, cx: &mut Cx<Self>) {
        cx.reach("an input moves");
        let next = self.application.interval() + 1;
        self.inputs.extend((next..).zip(inputs.cloned()));
        let logged = self.logged.iter().filter_map(|of| self.determinants.get(of));
        let head = [
            Record::Incarnation(self.life_of(self.me)),
            Record::Determinants(logged.cloned().collect()),
        ];
        let inputs = self.inputs.iter();
        let inputs = inputs.map(|(interval, input)| Record::Input(*interval, input.clone()));
        cx.rewrite(head.into_iter().chain(inputs).collect());
        cx.sync();
    }
}

/// `[params]` of `log-causal`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogCausalParams {
    /// The number of processes that may be down or recover at the same time.
    pub f: u32,
}

impl Default for LogCausalParams {
    fn default() -> Self {
        Self { f: 1 }
    }
}

const DROP_AT_F: Mutant = Mutant::code(
    "drop-at-f",
    "a determinant no longer rides on messages once f processes have it",
    NO_ORPHANS,
);

impl Protocol for LogCausal {
    const NAME: &'static str = "log-causal";
    const SUMMARY: &'static str =
        "message logging: the order of deliveries travels on messages to all who depend on it";
    const SOURCE: &'static str = "Alvisi & Marzullo 1998; Elnozahy & Zwaenepoel 1992, Manetho";
    const MUTANTS: &'static [Mutant] = &[DROP_AT_F];

    type Params = LogCausalParams;

    fn model(params: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::at_once(params.f))
    }

    fn validate(params: &LogCausalParams, setting: &Setting) -> Result<(), Invalid> {
        match params.f > 0 && params.f < setting.n {
            true => Ok(()),
            false => Err(Invalid::new("f", "must be at least 1 and less than n")),
        }
    }

    fn new(params: &LogCausalParams, _: &Setting, me: ProcessId) -> Self {
        Self {
            f: params.f as usize,
            me,
            incarnations: Incarnations::new(),
            application: Application::new(me),
            received: BTreeSet::new(),
            sent: Vec::new(),
            determinants: BTreeMap::new(),
            logged: BTreeSet::new(),
            inputs: BTreeMap::new(),
            recovery: None,
        }
    }

    fn claims(_: &LogCausalParams, _: &Setting) -> Vec<PropertyId> {
        vec![NO_ORPHANS, LOCAL_RECOVERY]
    }
}
