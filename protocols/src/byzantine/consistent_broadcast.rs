//! Consistent broadcast: deliver what a Byzantine quorum has heard the sender say.
//!
//! Source: Srikanth and Toueg (1987), *Simulating authenticated broadcasts to derive simple
//! fault-tolerant algorithms*; Cachin, Guerraoui and Rodrigues (2011), algorithm 3.16,
//! *authenticated echo broadcast*. Spec: [`ByzantineBroadcast`] without totality. Model:
//! asynchronous, at most f Byzantine processes among n > 3f, links that are reliable and
//! authenticated; no signatures.
//!
//! Steps: to broadcast, send SEND with the message to all, oneself included. A process that
//! receives the first SEND of a message from its sender sends ECHO with it to all. Deliver the
//! message after ECHO of one content from more than (n + f)/2 processes.
//!
//! Words: Srikanth and Toueg also echo what n - 2f have echoed, so that all accept what one accepts
//! (*Relay*). This is the book's algorithm, without that rule.
//!
//! Why it works: two sets of more than (n + f)/2 processes share more than f, so a correct one,
//! which echoes one content. The n - f correct processes are such a set, since n > 3f, so a correct
//! sender is heard by all. Of a sender that lies, some may deliver and others not: its own ECHO may
//! be what completes the quorum of some.

mod two_faced;

use std::collections::BTreeMap;

use ftsim_core::model::adversary::CustomAdversary;
use ftsim_core::prelude::*;

use crate::parts::votes::Votes;
use crate::spec::broadcast::{BEST_EFFORT, MessageNumber};
use crate::spec::byzantine::{
    BroadcastIndication as Indication, BroadcastRequest as Request, ByzantineBroadcast, Content,
    TOTALITY,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, from its sender.
    Send { number: MessageNumber, content: Content },
    /// What somebody has heard the sender say.
    Echo { sender: ProcessId, number: MessageNumber, content: Content },
}

/// A process of consistent broadcast.
#[derive(Clone, Debug, Hash)]
pub struct ConsistentBroadcast {
    f: u32,
    /// By the sender and the number of each message.
    instances: BTreeMap<(ProcessId, MessageNumber), Instance>,
}

/// What a process knows of one message.
#[derive(Clone, Debug, Default, Hash)]
struct Instance {
    has_echoed: bool,
    has_delivered: bool,
    echoes: Votes<Content>,
}

impl Process for ConsistentBroadcast {
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
            Msg::Send { number, content } => self.on_send(from, number, content, cx),
            Msg::Echo { sender, number, content } => {
                self.on_echo(from, (sender, number), content, cx);
            }
        }
    }
}

impl ConsistentBroadcast {
    fn on_send(
        &mut self,
        sender: ProcessId,
        number: MessageNumber,
        content: Content,
        cx: &mut Cx<Self>,
    ) {
        let instance = self.instances.entry((sender, number)).or_default();
        if !std::mem::replace(&mut instance.has_echoed, true) {
            cx.broadcast(Msg::Echo { sender, number, content });
        }
    }

    fn on_echo(
        &mut self,
        from: ProcessId,
        (sender, number): (ProcessId, MessageNumber),
        content: Content,
        cx: &mut Cx<Self>,
    ) {
        let instance = self.instances.entry((sender, number)).or_default();
        instance.echoes.cast(from, content);
        let is_heard = 2 * instance.echoes.number_for(content) > (cx.n() + self.f) as usize;
        if is_heard && !std::mem::replace(&mut instance.has_delivered, true) {
            if !instance.has_echoed {
                cx.reach("delivers what the sender has not said to it");
            }
            cx.indicate(Indication::Deliver { sender, number, content });
        }
    }
}

/// `[params]` of consistent broadcast.
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
const AS_RB: Mutant =
    Mutant::assumption("as-rb", "is expected to be a reliable broadcast", TOTALITY, "check", None);

impl Protocol for ConsistentBroadcast {
    const NAME: &'static str = "consistent-broadcast";
    const SUMMARY: &'static str = "Byzantine broadcast: deliver what a quorum has heard";
    const SOURCE: &'static str =
        "Srikanth & Toueg 1987; Cachin, Guerraoui & Rodrigues 2011, algorithm 3.16";
    const MUTANTS: &'static [Mutant] = &[N_3F, AS_RB];
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
        Ok(())
    }

    fn can_progress(params: &Params, setting: &Setting, well: &ProcessSet) -> bool {
        well.len() + params.f as usize >= setting.n as usize
    }

    fn new(params: &Params, _: &Setting, _: ProcessId) -> Self {
        Self { f: params.f, instances: BTreeMap::new() }
    }
}
