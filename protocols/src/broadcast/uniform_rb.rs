//! Uniform reliable broadcast: deliver a message once enough processes are known to have it.
//!
//! Source: Cachin, Guerraoui and Rodrigues (2011), algorithms 3.4 (all-ack) and 3.5 (majority-ack).
//! Spec: [`Broadcast`] with uniform agreement. Model: asynchronous, perfect links. The variant
//! `all-ack` tolerates any number of crashes and needs a perfect failure detector P; the variant
//! `majority` tolerates f < n/2 crashes and needs no detector.
//!
//! Steps: to broadcast, send the message to all, oneself included. When a message arrives for the
//! first time, send it to all: a copy from a process is also its acknowledgement. Deliver the
//! message when it is acknowledged by all processes that the detector does not suspect, or by more
//! than half of all processes.
//!
//! Why it works: when any process delivers a message, even one about to crash, a correct process
//! has acknowledged it. That process sends the message to all, so every correct process
//! acknowledges it to all. These acknowledgements are enough with P because a process that is never
//! suspected is correct, and without it because more than half of the processes are correct.
//!
//! Words: the book's `pending` are the keys of our `acked`.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;

use crate::spec::broadcast::{
    Broadcast, Indication, MessageNumber, Request, UNIFORM_AGREEMENT, VALIDITY,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, from its sender or relayed. Every process that sends it has it.
    Data { sender: ProcessId, number: MessageNumber },
}

/// A process of uniform reliable broadcast.
#[derive(Clone, Debug, Hash)]
pub struct UniformRb {
    /// The processes that have acknowledged each message seen so far.
    acked: BTreeMap<(ProcessId, MessageNumber), ProcessSet>,
    delivered: BTreeSet<(ProcessId, MessageNumber)>,
    enough: Enough,
}

/// The acknowledgements that are enough to deliver.
#[derive(Clone, Debug, Hash)]
enum Enough {
    /// Those of all these processes, which are not suspected.
    All(ProcessSet),
    /// Those of this many processes.
    Count(usize),
}

impl Process for UniformRb {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        self.acked.entry((cx.me(), number)).or_default();
        cx.broadcast(Msg::Data { sender: cx.me(), number });
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        let Msg::Data { sender, number } = msg;
        if !self.acked.contains_key(&(sender, number)) {
            if from != sender {
                cx.reach("relay came first");
            }
            cx.broadcast(msg);
        }
        self.acked.entry((sender, number)).or_default().insert(from);
        self.deliver_if_enough((sender, number), cx);
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        let Enough::All(unsuspected) = &mut self.enough else { return };
        unsuspected.remove(p);
        let seen: Vec<_> = self.acked.keys().copied().collect();
        for message in seen {
            if self.deliver_if_enough(message, cx) {
                cx.reach("released by suspicion");
            }
        }
    }
}

impl UniformRb {
    /// Delivers the message if it has enough acknowledgements and was not delivered before; returns
    /// whether it was delivered now.
    fn deliver_if_enough(
        &mut self,
        (sender, number): (ProcessId, MessageNumber),
        cx: &mut Cx<Self>,
    ) -> bool {
        let acked = self.acked.get(&(sender, number));
        let enough = acked.is_some_and(|acked| match &self.enough {
            Enough::All(unsuspected) => acked.is_superset(unsuspected),
            Enough::Count(count) => acked.len() >= *count,
        });
        let delivers = enough && self.delivered.insert((sender, number));
        if delivers {
            cx.indicate(Indication::Deliver { sender, number });
        }
        delivers
    }
}

/// `[params]` of uniform reliable broadcast.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UniformRbParams {
    /// The acknowledgements that are enough to deliver.
    pub variant: Variant,
}

/// The acknowledgements that are enough to deliver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// Those of all processes that are not suspected: f < n, with a perfect failure detector.
    #[default]
    AllAck,
    /// Those of more than half of all processes: f < n/2, without a failure detector.
    Majority,
}

const IMPERFECT_FD: Mutant = Mutant::assumption(
    "imperfect-fd",
    "has a detector that suspects a process that is up",
    UNIFORM_AGREEMENT,
    "detector.mistakes",
    None,
);
const INCOMPLETE_FD: Mutant = Mutant::assumption(
    "incomplete-fd",
    "has a detector that does not report a crash to some process",
    VALIDITY,
    "detector.blind",
    None,
);
const HALF: Mutant = Mutant::code(
    "half",
    "delivers with the acknowledgements of n/2 processes, rounded down: all may be faulty",
    UNIFORM_AGREEMENT,
);

impl Protocol for UniformRb {
    const NAME: &'static str = "uniform-rb";
    const SUMMARY: &'static str = "uniform reliable broadcast: deliver once enough others have it";
    const SOURCE: &'static str = "Cachin, Guerraoui & Rodrigues 2011, algorithms 3.4 and 3.5";
    const MUTANTS: &'static [Mutant] = &[IMPERFECT_FD, INCOMPLETE_FD, HALF];

    type Params = UniformRbParams;

    fn validate(params: &UniformRbParams, setting: &Setting) -> Result<(), Invalid> {
        if !setting.runs(&HALF) {
            return Ok(());
        }
        if params.variant != Variant::Majority {
            return Err(Invalid::new("variant", "the mutant `half` needs the variant `majority`"));
        }
        if setting.n.is_multiple_of(2) {
            // Fewer than half are faulty, so half of an even number includes a correct one.
            return Err(Invalid::new("mutant", "`half` is correct where n is even, as here"));
        }
        Ok(())
    }

    fn model(params: &UniformRbParams, _: &Setting) -> Model {
        match params.variant {
            Variant::AllAck => {
                Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE).with(DetectorClass::Perfect)
            }
            Variant::Majority => Model::ASYNCHRONOUS.crash_stop(Bound::MINORITY),
        }
    }

    fn new(params: &UniformRbParams, setting: &Setting, _: ProcessId) -> Self {
        let n = setting.n as usize;
        let enough = match params.variant {
            Variant::AllAck => Enough::All(setting.processes().collect()),
            Variant::Majority if setting.runs(&HALF) => Enough::Count(n / 2),
            Variant::Majority => Enough::Count(n / 2 + 1),
        };
        Self { acked: BTreeMap::new(), delivered: BTreeSet::new(), enough }
    }

    fn claims(_: &UniformRbParams, _: &Setting) -> Vec<PropertyId> {
        vec![UNIFORM_AGREEMENT]
    }
}
