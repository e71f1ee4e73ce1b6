//! Bracha's reliable broadcast: deliver what so many are ready to deliver that all will be.
//!
//! Source: Bracha (1987), *Asynchronous Byzantine agreement protocols*; Cachin, Guerraoui and
//! Rodrigues (2011), algorithm 3.18, *authenticated double-echo broadcast*. Spec:
//! [`ByzantineBroadcast`] with totality. Model: asynchronous, at most f Byzantine processes among
//! n > 3f, links that are reliable and authenticated; no signatures.
//!
//! Steps: to broadcast, send SEND with the message to all, oneself included.
//!
//! 1. A process that receives the first SEND of a message from its sender sends ECHO with it to
//!    all.
//! 2. After ECHO of one content from more than (n + f)/2 processes, or READY of one content from
//!    more than f, it sends READY with this content to all, unless it has sent one of this message.
//! 3. After READY of one content from more than 2f it delivers the message.
//!
//! Why it works: two sets of more than (n + f)/2 processes share a correct one, which echoes one
//! content. So READY of correct processes has one content: the first among more than f comes from
//! one that has counted echoes. When somebody delivers, more than f correct processes have sent
//! READY; these messages make all correct processes send it, and n - f > 2f of them make all
//! deliver. The n - f correct ones are more than (n + f)/2, so they deliver what a correct sender
//! says.
//!
//! Words: Bracha's *initial* is our SEND, and he *accepts* what we deliver.

mod two_faced;

use std::collections::BTreeMap;

use ftsim_core::model::adversary::CustomAdversary;
use ftsim_core::prelude::*;

use crate::parts::votes::Votes;
use crate::spec::broadcast::{BEST_EFFORT, MessageNumber};
use crate::spec::byzantine::{
    BroadcastIndication as Indication, BroadcastRequest as Request, ByzantineBroadcast,
    CONSISTENCY, Content, TOTALITY,
};

/// The sender of a message and its number.
type MessageName = (ProcessId, MessageNumber);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, from its sender.
    Send { number: MessageNumber, content: Content },
    /// What somebody has heard the sender say.
    Echo { sender: ProcessId, number: MessageNumber, content: Content },
    /// What somebody knows that no correct process will contradict.
    Ready { sender: ProcessId, number: MessageNumber, content: Content },
}

/// A process of Bracha's reliable broadcast.
#[derive(Clone, Debug, Hash)]
pub struct BrachaRb {
    f: u32,
    instances: BTreeMap<MessageName, Instance>,
}

/// What a process knows of one message.
#[derive(Clone, Debug, Default, Hash)]
struct Instance {
    has_echoed: bool,
    is_ready: bool,
    has_delivered: bool,
    echoes: Votes<Content>,
    readies: Votes<Content>,
}

impl Process for BrachaRb {
    type Spec = ByzantineBroadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        let Request::Broadcast { number, content } = request;
        cx.broadcast(Msg::Send { number, content });
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Send { number, content } => self.on_send((from, number), content, cx),
            Msg::Echo { sender, number, content } => {
                self.on_echo(from, (sender, number), content, cx);
            }
            Msg::Ready { sender, number, content } => {
                self.on_ready(from, (sender, number), content, cx);
            }
        }
    }
}

impl BrachaRb {
    fn on_send(&mut self, message: MessageName, content: Content, cx: &mut Cx<Self>) {
        let instance = self.instances.entry(message).or_default();
        if !std::mem::replace(&mut instance.has_echoed, true) {
            let (sender, number) = message;
            cx.broadcast(Msg::Echo { sender, number, content });
        }
    }

    fn on_echo(
        &mut self,
        from: ProcessId,
        message: MessageName,
        content: Content,
        cx: &mut Cx<Self>,
    ) {
        let exceeded = if cx.runs(&ECHO_MAJORITY) { cx.n() } else { cx.n() + self.f };
        let instance = self.instances.entry(message).or_default();
        instance.echoes.cast(from, content);
        if 2 * instance.echoes.number_for(content) > exceeded as usize {
            instance.be_ready(message, content, cx);
        }
    }

    fn on_ready(
        &mut self,
        from: ProcessId,
        message: MessageName,
        content: Content,
        cx: &mut Cx<Self>,
    ) {
        let f = self.f as usize;
        let instance = self.instances.entry(message).or_default();
        instance.readies.cast(from, content);
        let count = instance.readies.number_for(content);
        if count > f && !cx.runs(&NO_AMPLIFY) {
            if !instance.is_ready {
                cx.reach("is ready because others are");
            }
            instance.be_ready(message, content, cx);
        }
        if count > 2 * f && !std::mem::replace(&mut instance.has_delivered, true) {
            let (sender, number) = message;
            cx.indicate(Indication::Deliver { sender, number, content });
        }
    }
}

impl Instance {
    fn be_ready(&mut self, (sender, number): MessageName, content: Content, cx: &mut Cx<BrachaRb>) {
        if !std::mem::replace(&mut self.is_ready, true) {
            cx.broadcast(Msg::Ready { sender, number, content });
        }
    }
}

/// `[params]` of Bracha's reliable broadcast.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The number of Byzantine processes to tolerate, less than the number of processes.
    pub f: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self { f: 1 }
    }
}

const N_3F: Mutant = Mutant::assumption(
    "n-3f",
    "has 3f processes, f = 1: there is no quorum without the liar",
    BEST_EFFORT,
    "processes",
    Some("4"),
);
const ECHO_MAJORITY: Mutant =
    Mutant::code("echo-majority", "is ready after the echoes of more than n/2", CONSISTENCY);
const NO_AMPLIFY: Mutant = Mutant::code("no-amplify", "is not ready because others are", TOTALITY);

impl Protocol for BrachaRb {
    const NAME: &'static str = "bracha-rb";
    const SUMMARY: &'static str = "Byzantine reliable broadcast: echo, be ready, deliver";
    const SOURCE: &'static str = "Bracha 1987, Asynchronous Byzantine agreement protocols; \
                                  Cachin, Guerraoui & Rodrigues 2011, algorithm 3.18";
    const MUTANTS: &'static [Mutant] = &[N_3F, ECHO_MAJORITY, NO_AMPLIFY];
    const ADVERSARIES: &'static [CustomAdversary<Msg>] = &[two_faced::TWO_FACED];

    type Params = Params;

    fn model(params: &Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.byzantine(Bound::LESS_THAN_A_THIRD.given_as("f", params.f))
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        if params.f >= setting.n {
            let message = format!("it must be less than the {} processes", setting.n);
            return Err(Invalid::new("f", message));
        }
        if setting.runs(&ECHO_MAJORITY) && (setting.n + params.f) / 2 == setting.n / 2 {
            let message = "`echo-majority` is correct here: (n + f)/2 is n/2, rounded down";
            return Err(Invalid::new("mutant", message));
        }
        Ok(())
    }

    fn can_progress(params: &Params, setting: &Setting, well: &ProcessSet) -> bool {
        well.len() + params.f as usize >= setting.n as usize
    }

    fn new(params: &Params, _: &Setting, _: ProcessId) -> Self {
        Self { f: params.f, instances: BTreeMap::new() }
    }

    fn claims(_: &Params, _: &Setting) -> Vec<PropertyId> {
        vec![TOTALITY]
    }
}
