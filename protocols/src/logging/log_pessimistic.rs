//! Pessimistic message logging: no message takes effect before it is on the stable log.
//!
//! Source: Borg, Baumbach and Glazer (1983); Alvisi and Marzullo (1998); Elnozahy, Alvisi, Wang and
//! Johnson (2002), section 3.1. Spec: [`MessageLogging`], without orphans and with local recovery.
//! Model: asynchronous, crash-recovery, reliable links in any order between processes that are up;
//! any number of processes may crash, and each must recover.
//!
//! Steps: a process that receives a message forces it to its log, and only then lets the
//! application act on it. The place in the log is the receive number: together with sender and send
//! number it is the *determinant* of the delivery. A process that recovers delivers its log again,
//! in the same order: the application comes through the same states, and sends the same messages
//! again, which receivers recognise by their names. Then it asks the others to send again what they
//! have sent to it, since it has missed what arrived while it was down.
//!
//! `force` says when the message must be on the log: before the application delivers it, or before
//! the application sends something because of it. The second loses a delivery that nobody has heard
//! of.
//!
//! Why it works: whoever depends on a state interval has received a message that was sent in it or
//! later, or is the process itself; before that message was sent, the determinants of all intervals
//! up to it were on the log. So only intervals are lost on which nobody depends.
//!
//! Messages sent are kept for ever in volatile memory, and a replay restores them. A system would
//! discard those that a checkpoint of the receiver holds.
//!
//! Words: Alvisi and Marzullo's *receive sequence number* and *send sequence number* are our
//! receive number and send number.

use std::collections::BTreeSet;

use ftsim_core::prelude::*;

use crate::spec::message_logging::{
    Application, Consequence, DELIVERY, INTEGRITY, Indication, LOCAL_RECOVERY, Message,
    MessageLogging, MessageName, NO_ORPHANS, REPLAY, Request,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message of the application, sent for the first time or again.
    App(Message),
    /// The sender has recovered, and asks for all messages that were sent to it.
    Recovering,
}

/// A process with its log, and the application.
#[derive(Clone, Debug, Hash)]
pub struct LogPessimistic {
    force: Force,
    application: Application,
    /// The messages that are on the log.
    received: BTreeSet<MessageName>,
    /// The messages that the application has sent.
    sent: Vec<Message>,
}

impl Process for LogPessimistic {
    type Spec = MessageLogging;
    type Msg = Msg;
    type Timer = Never;
    /// The messages delivered, in their order.
    type Record = Message;

    fn on_recover(&mut self, log: &[Stored<Message>], cx: &mut Cx<Self>) {
        for message in log.iter().filter_map(Stored::intact) {
            cx.reach("replayed");
            self.received.insert(message.name());
            let consequence = self.deliver(message, cx);
            self.act(consequence, cx);
        }
        cx.indicate(Indication::Resumed);
        cx.send_to_others(Msg::Recovering);
    }

    fn on_request(&mut self, Request::Input { number, route }: Request, cx: &mut Cx<Self>) {
        self.receive(&Message::input(cx.me(), number, route), cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::App(message) => self.receive(&Message { from, to: cx.me(), ..message }, cx),
            Msg::Recovering => self.send_again(from, cx),
        }
    }
}

impl LogPessimistic {
    fn receive(&mut self, message: &Message, cx: &mut Cx<Self>) {
        if !self.received.insert(message.name()) && !cx.runs(&NO_DEDUP) {
            cx.reach("a duplicate");
            return;
        }
        if self.force == Force::BeforeDelivery {
            Self::log(message, cx);
        }
        let consequence = self.deliver(message, cx);
        if self.force == Force::BeforeSend {
            Self::log(message, cx);
        }
        self.act(consequence, cx);
    }

    /// Forces a message to the log.
    fn log(message: &Message, cx: &mut Cx<Self>) {
        if cx.runs(&ASYNC_FLUSH) {
            cx.sync();
            cx.append(message.clone());
        } else {
            cx.append(message.clone());
            cx.sync();
        }
    }

    fn deliver(&mut self, message: &Message, cx: &mut Cx<Self>) -> Consequence {
        if cx.runs(&NONDETERMINISTIC_STEP) {
            let coin = cx.rng().below(2);
            self.application.mix(coin);
        }
        let consequence = self.application.deliver(message);
        let (interval, value) = (self.application.interval(), self.application.value());
        cx.indicate(Indication::Delivered { interval, message: message.clone(), value });
        consequence
    }

    fn act(&mut self, consequence: Consequence, cx: &mut Cx<Self>) {
        match consequence {
            Consequence::Send(message) if message.to == cx.me() || message.to.0 >= cx.n() => {}
            Consequence::Send(message) => {
                self.sent.push(message.clone());
                cx.indicate(Indication::Sent(message.clone()));
                cx.send(message.to, Msg::App(message));
            }
            Consequence::Output(output) => cx.indicate(Indication::Output(output)),
        }
    }

    /// Sends again what was sent to `to`, which recognises what it has.
    fn send_again(&self, to: ProcessId, cx: &mut Cx<Self>) {
        if cx.runs(&NO_RESEND) {
            return;
        }
        for message in self.sent.iter().filter(|message| message.to == to) {
            cx.reach("sent again");
            cx.send(to, Msg::App(message.clone()));
        }
    }
}

/// When a message must be on the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Force {
    /// Before the application delivers it.
    #[default]
    BeforeDelivery,
    /// Before the application, which has delivered it, sends or outputs something.
    BeforeSend,
}

/// `[params]` of `log-pessimistic`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogPessimisticParams {
    /// When a message must be on the log.
    pub force: Force,
}

const ASYNC_FLUSH: Mutant = Mutant::code(
    "async-flush",
    "forces a message to the log only when the next one arrives",
    NO_ORPHANS,
);
const NONDETERMINISTIC_STEP: Mutant = Mutant::code(
    "nondeterministic-step",
    "the application's state depends on a coin that is not logged",
    REPLAY,
);
const NO_RESEND: Mutant = Mutant::code(
    "no-resend",
    "does not send again what a process that was down has missed",
    DELIVERY,
);
const NO_DEDUP: Mutant =
    Mutant::code("no-dedup", "delivers messages that a replay has sent again", INTEGRITY);

impl Protocol for LogPessimistic {
    const NAME: &'static str = "log-pessimistic";
    const SUMMARY: &'static str =
        "message logging: each message is forced to the log before it takes effect";
    const SOURCE: &'static str = "Alvisi & Marzullo 1998";
    const MUTANTS: &'static [Mutant] = &[ASYNC_FLUSH, NONDETERMINISTIC_STEP, NO_RESEND, NO_DEDUP];

    type Params = LogPessimisticParams;

    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::ANY_THAT_RECOVER)
    }

    fn new(params: &LogPessimisticParams, _: &Setting, me: ProcessId) -> Self {
        Self {
            force: params.force,
            application: Application::new(me),
            received: BTreeSet::new(),
            sent: Vec::new(),
        }
    }

    fn claims(_: &LogPessimisticParams, _: &Setting) -> Vec<PropertyId> {
        vec![NO_ORPHANS, LOCAL_RECOVERY]
    }
}
