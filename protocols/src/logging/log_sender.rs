//! Sender-based message logging: senders keep messages, and their receive numbers, in volatile
//! memory.
//!
//! Source: Johnson and Zwaenepoel (1987). Spec: [`MessageLogging`], without orphans and with local
//! recovery. Model: asynchronous, crash-recovery, reliable links in any order between processes
//! that are up; one process at a time is down or recovers.
//!
//! Steps: a process keeps each message that it sends. The receiver delivers it, and returns its
//! receive number (RSN); the sender stores that with the message, and confirms it (CONFIRM). Until
//! its deliveries so far are confirmed, the receiver holds everything that the application sends
//! and outputs. Inputs from the outside world have no sender that could keep them: they are forced
//! to the stable log, with their receive numbers, before they are delivered.
//!
//! A process that recovers asks all others for the messages that they have sent to it. It delivers
//! those with receive numbers, and its inputs, in the order of these numbers up to the first that
//! is missing; the others it delivers afterwards, in any order, like new ones. Its volatile log
//! comes back too: the replay sends the same messages again, and their receivers, who recognise
//! them, return the receive numbers again.
//!
//! Incarnations: a receive number of an earlier life counts only up to the interval to which every
//! later recovery has come. These intervals are on the stable log.
//!
//! Why it works: a process whose message has left depends only on deliveries whose receive numbers
//! are in the memories of other processes, and while one process is down, these are up. Two crashes
//! at once can lose a receive number with its delivery.
//!
//! Words: Johnson and Zwaenepoel's *partially logged* message is one that is not confirmed.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;

use crate::spec::message_logging::{
    Application, Consequence, Indication, Interval, LOCAL_RECOVERY, Message, MessageLogging,
    MessageName, NO_ORPHANS, Request,
};

/// The number of a life of a process, from 0.
type Incarnation = u64;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message of the application, sent for the first time or again.
    App(Message),
    /// The message with this send number has this receive number.
    Rsn(u64, Receipt),
    /// This receive number is in the sender's memory.
    Confirm(Receipt),
    /// The sender has recovered, and asks for all messages that were sent to it.
    Recovering(Incarnation),
    /// The messages that were sent to the process that recovers.
    Answer(Incarnation, Vec<Logged>),
}

/// A receive number, and the life in which it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Receipt {
    incarnation: Incarnation,
    interval: Interval,
}

/// A message in its sender's memory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Logged {
    message: Message,
    receipt: Option<Receipt>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// This life has begun.
    Incarnation(Incarnation),
    /// The recovery at the beginning of this life has replayed the deliveries up to this interval.
    Replayed(Receipt),
    /// An input, and its receive number.
    Input(Interval, Message),
}

/// A process with its volatile log, and the application.
#[derive(Clone, Debug, Hash)]
pub struct LogSender {
    incarnation: Incarnation,
    application: Application,
    /// The receive numbers of the messages delivered.
    received: BTreeMap<MessageName, Interval>,
    /// As a sender: the messages sent, by send number.
    sent: BTreeMap<u64, Logged>,
    /// The deliveries that are not confirmed.
    unconfirmed: BTreeSet<Interval>,
    /// What the application does in each interval, held until the deliveries before are confirmed.
    held: BTreeMap<Interval, Consequence>,
    /// The stable log as far as it was written before this life.
    stable: Stable,
    /// The recovery, while it lasts.
    recovery: Option<Recovery>,
}

/// What the stable log says.
#[derive(Clone, Debug, Default, Hash)]
struct Stable {
    inputs: BTreeMap<MessageName, (Interval, Message)>,
    /// The intervals to which recoveries have come, by the lives that they began.
    replayed: BTreeMap<Incarnation, Interval>,
}

/// What a process that recovers has been told.
#[derive(Clone, Debug, Hash)]
struct Recovery {
    /// Those that have not answered.
    awaited: ProcessSet,
    logged: BTreeMap<MessageName, Logged>,
}

impl Process for LogSender {
    type Spec = MessageLogging;
    type Msg = Msg;
    type Timer = Never;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        for record in log.iter().filter_map(Stored::intact) {
            match record.clone() {
                Record::Incarnation(life) => self.incarnation = self.incarnation.max(life),
                Record::Replayed(Receipt { incarnation, interval }) => {
                    self.stable.replayed.insert(incarnation, interval);
                }
                Record::Input(interval, message) => {
                    self.stable.inputs.insert(message.name(), (interval, message));
                }
            }
        }
        self.incarnation += 1;
        cx.append(Record::Incarnation(self.incarnation));
        cx.sync();
        let awaited = cx.others().collect();
        self.recovery = Some(Recovery { awaited, logged: BTreeMap::new() });
        cx.send_to_others(Msg::Recovering(self.incarnation));
        self.finish_recovery(cx);
    }

    fn on_request(&mut self, Request::Input { number, route }: Request, cx: &mut Cx<Self>) {
        self.receive(Message::input(cx.me(), number, route), cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::App(message) => self.receive(Message { from, to: cx.me(), ..message }, cx),
            Msg::Rsn(number, receipt) => self.store(from, number, receipt, cx),
            Msg::Confirm(receipt) if receipt.incarnation == self.incarnation => {
                self.unconfirmed.remove(&receipt.interval);
                self.release(cx);
            }
            Msg::Confirm(_) => {}
            Msg::Recovering(incarnation) => self.answer(from, incarnation, cx),
            Msg::Answer(incarnation, logged) if incarnation == self.incarnation => {
                self.answered(from, logged, cx);
            }
            Msg::Answer(..) => {}
        }
    }
}

/// As a receiver.
impl LogSender {
    fn receive(&mut self, message: Message, cx: &mut Cx<Self>) {
        if let Some(recovery) = &mut self.recovery {
            let logged = Logged { message, receipt: None };
            recovery.logged.entry(logged.message.name()).or_insert(logged);
        } else if let Some(interval) = self.received.get(&message.name()) {
            cx.reach("a duplicate");
            self.return_number(&message, *interval, cx);
        } else {
            self.deliver_new(&message, cx);
        }
    }

    fn deliver_new(&mut self, message: &Message, cx: &mut Cx<Self>) {
        let interval = self.application.interval() + 1;
        if message.is_input() {
            cx.append(Record::Input(interval, message.clone()));
            cx.sync();
        } else {
            self.unconfirmed.insert(interval);
        }
        self.deliver(message, cx);
        self.return_number(message, interval, cx);
        self.release(cx);
    }

    /// Returns its receive number to the sender of a message, unless that is the outside world.
    fn return_number(&self, message: &Message, interval: Interval, cx: &mut Cx<Self>) {
        if !message.is_input() {
            let receipt = Receipt { incarnation: self.incarnation, interval };
            cx.send(message.from, Msg::Rsn(message.number, receipt));
        }
    }

    fn deliver(&mut self, message: &Message, cx: &mut Cx<Self>) {
        let consequence = self.application.deliver(message);
        let (interval, value) = (self.application.interval(), self.application.value());
        self.received.insert(message.name(), interval);
        cx.indicate(Indication::Delivered { interval, message: message.clone(), value });
        if let Consequence::Send(message) = &consequence {
            cx.indicate(Indication::Sent(message.clone()));
        }
        self.held.insert(interval, consequence);
    }

    /// Lets out what depends on confirmed deliveries alone.
    fn release(&mut self, cx: &mut Cx<Self>) {
        while let Some((interval, consequence)) = self.held.pop_first() {
            let is_confirmed = self.unconfirmed.first().is_none_or(|first| interval < *first);
            if !is_confirmed && !cx.runs(&SEND_BEFORE_CONFIRM) {
                cx.reach("held");
                self.held.insert(interval, consequence);
                return;
            }
            self.act(consequence, cx);
        }
    }

    fn act(&mut self, consequence: Consequence, cx: &mut Cx<Self>) {
        match consequence {
            Consequence::Send(message) if message.to == cx.me() || message.to.0 >= cx.n() => {}
            Consequence::Send(message) => {
                let logged = Logged { message: message.clone(), receipt: None };
                self.sent.insert(message.number, logged);
                cx.send(message.to, Msg::App(message));
            }
            Consequence::Output(output) => cx.indicate(Indication::Output(output)),
        }
    }
}

/// As a sender.
impl LogSender {
    /// Stores a receive number with its message, and confirms it.
    fn store(&mut self, from: ProcessId, number: u64, receipt: Receipt, cx: &mut Cx<Self>) {
        let Some(logged) = self.sent.get_mut(&number) else { return };
        if logged.message.to == from {
            logged.receipt = logged.receipt.max(Some(receipt));
            cx.send(from, Msg::Confirm(receipt));
        }
    }

    fn answer(&self, to: ProcessId, incarnation: Incarnation, cx: &mut Cx<Self>) {
        let logged = self.sent.values().filter(|logged| logged.message.to == to).cloned();
        cx.send(to, Msg::Answer(incarnation, logged.collect()));
    }
}

/// A recovery.
impl LogSender {
    fn answered(&mut self, from: ProcessId, answer: Vec<Logged>, cx: &mut Cx<Self>) {
        let Some(recovery) = &mut self.recovery else { return };
        recovery.awaited.remove(from);
        for Logged { message, receipt } in answer {
            let message = Message { from, to: cx.me(), ..message };
            recovery.logged.insert(message.name(), Logged { message, receipt });
        }
        self.finish_recovery(cx);
    }

    /// Once all have answered: replays, and delivers the rest like new messages.
    fn finish_recovery(&mut self, cx: &mut Cx<Self>) {
        let is_complete = |recovery: &Recovery| recovery.awaited.is_empty();
        if !self.recovery.as_ref().is_some_and(is_complete) {
            return;
        }
        let Some(Recovery { logged, .. }) = self.recovery.take() else { return };
        for message in self.deliveries_known(&logged) {
            cx.reach("replayed");
            self.deliver(&message, cx);
            self.release(cx);
        }
        cx.indicate(Indication::Resumed);
        for input in self.write_log(cx) {
            self.deliver(&input, cx);
            self.release(cx);
        }
        for (name, Logged { message, .. }) in logged {
            if !self.received.contains_key(&name) {
                self.deliver_new(&message, cx);
            }
        }
    }

    /// The deliveries of earlier lives, up to the first whose receive number is unknown.
    fn deliveries_known(&self, logged: &BTreeMap<MessageName, Logged>) -> Vec<Message> {
        let is_valid = |receipt: &Receipt| {
            let mut later = self.stable.replayed.range(receipt.incarnation.saturating_add(1)..);
            later.all(|(_, replayed)| receipt.interval <= *replayed)
        };
        let mut by_interval: BTreeMap<Interval, Message> = BTreeMap::new();
        for Logged { message, receipt } in logged.values() {
            if let Some(receipt) = receipt.filter(is_valid) {
                by_interval.insert(receipt.interval, message.clone());
            }
        }
        by_interval.extend(self.stable.inputs.values().cloned());
        let in_order = (1..).map_while(|interval| by_interval.remove(&interval));
        in_order.collect()
    }

    /// Writes how far the replay came, and gives new receive numbers to the inputs beyond: these
    /// are returned.
    fn write_log(&mut self, cx: &mut Cx<Self>) -> Vec<Message> {
        let replayed = self.application.interval();
        self.stable.replayed.insert(self.incarnation, replayed);
        let mut inputs: Vec<_> = self.stable.inputs.values_mut().collect();
        inputs.sort();
        inputs.retain(|(interval, _)| *interval > replayed);
        for (new, (interval, _)) in (replayed + 1..).zip(&mut inputs) {
            *interval = new;
        }
        let beyond = inputs.into_iter().map(|(_, message)| message.clone()).collect();
        let mut records = vec![Record::Incarnation(self.incarnation)];
        let replays = self.stable.replayed.iter();
        records.extend(replays.map(|(life, interval)| {
            Record::Replayed(Receipt { incarnation: *life, interval: *interval })
        }));
        let inputs = self.stable.inputs.values().cloned();
        records.extend(inputs.map(|(interval, message)| Record::Input(interval, message)));
        cx.rewrite(records);
        cx.sync();
        beyond
    }
}

const SEND_BEFORE_CONFIRM: Mutant = Mutant::code(
    "send-before-confirm",
    "sends before the receive numbers that it depends on are confirmed",
    NO_ORPHANS,
);

impl Protocol for LogSender {
    const NAME: &'static str = "log-sender";
    const SUMMARY: &'static str =
        "message logging: senders keep messages and receive numbers in memory";
    const SOURCE: &'static str = "Johnson & Zwaenepoel 1987, Sender-based message logging";
    const MUTANTS: &'static [Mutant] = &[SEND_BEFORE_CONFIRM];

    type Params = NoParams;

    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::at_once(1))
    }

    fn new(_: &NoParams, _: &Setting, me: ProcessId) -> Self {
        Self {
            incarnation: 0,
            application: Application::new(me),
            received: BTreeMap::new(),
            sent: BTreeMap::new(),
            unconfirmed: BTreeSet::new(),
            held: BTreeMap::new(),
            stable: Stable::default(),
            recovery: None,
        }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![NO_ORPHANS, LOCAL_RECOVERY]
    }
}
