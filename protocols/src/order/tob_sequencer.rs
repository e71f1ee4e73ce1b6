//! Totally ordered broadcast by a sequencer.
//!
//! Source: Kaashoek and Tanenbaum (1991), the group communication of Amoeba; Défago, Schiper and
//! Urbán (2004), fixed sequencers. Spec: [`Broadcast`] with agreement and total order. Model:
//! asynchronous with a perfect failure detector P, reliable links, any number of crashes.
//!
//! Steps: the sequencer gives each message its place in the order. With `mode = "ub"` (unicast and
//! broadcast) a sender sends its message to the sequencer, and this sends it to all with its place.
//! With `mode = "bb"` (broadcast twice) a sender sends its message to all, and the sequencer sends
//! only its place to all. A process delivers what is in the next place, and holds back the rest.
//! If the sender of a message crashes on the way, others ask the sequencer for it.
//!
//! When the sequencer is suspected, the lowest process that is not becomes the next one. All accept
//! nothing more from the old one, and send the new one the messages that have a place there. It
//! continues the longest sequence that some process has delivered, and sends it to all; then
//! senders send again what they have not delivered.
//!
//! Why it works: what processes have delivered are beginnings of one sequence. A new sequencer
//! knows the longest of all living processes, and gives no place in it again.
//!
//! Words: the paper's PB method is our `ub`. Its sequencer keeps messages only until all have them,
//! and others ask for those that the network lost; our links are reliable, and the sequence is
//! kept. Its recovery tolerates as many crashes as a parameter says, for each of which a message
//! waits; ours is that for none: what only a crashed process has delivered is lost.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;

use crate::spec::broadcast::{
    AGREEMENT, Broadcast, Indication, MessageNumber, Request, TOTAL_ORDER,
};
use crate::spec::message_set::MessageName;

/// A place in the order, from 0.
type Place = u64;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, from its sender.
    Data(MessageNumber),
    /// A message and its place.
    Ordered { place: Place, message: MessageName },
    /// The place of a message that its sender has sent to all.
    Order { place: Place, message: MessageName },
    /// The sender needs the message in this place.
    Ask(Place),
    /// What the sender has delivered, and what it has held back, for the next sequencer.
    State { delivered: Vec<MessageName>, held: BTreeMap<Place, MessageName> },
    /// The sender is the sequencer, and continues this sequence.
    Sequence(Vec<MessageName>),
}

/// A process of totally ordered broadcast by a sequencer.
#[derive(Clone, Debug, Hash)]
pub struct TobSequencer {
    mode: Mode,
    suspected: ProcessSet,
    /// Its own messages that it has not delivered.
    pending: BTreeSet<MessageNumber>,
    /// The messages that have come, with or without a place.
    received: BTreeSet<MessageName>,
    /// The messages that have a place and are not delivered.
    held: BTreeMap<Place, MessageName>,
    /// The messages that it has delivered, in their order.
    sequence: Vec<MessageName>,
    delivered: BTreeSet<MessageName>,
    /// Whether it gives messages their places.
    is_sequencer: bool,
    /// What processes have sent it as the next sequencer.
    states: BTreeMap<ProcessId, State>,
}

/// What a process has delivered and held back.
type State = (Vec<MessageName>, BTreeMap<Place, MessageName>);

impl Process for TobSequencer {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        self.pending.insert(number);
        self.received.insert((cx.me(), number));
        if self.is_sequencer {
            self.order((cx.me(), number), cx);
            return;
        }
        match self.mode {
            Mode::Ub => cx.send(self.sequencer(cx), Msg::Data(number)),
            Mode::Bb => cx.send_to_others(Msg::Data(number)),
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        if self.suspected.contains(from) {
            return;
        }
        match msg {
            Msg::Data(number) => {
                self.received.insert((from, number));
                if self.is_sequencer {
                    self.order((from, number), cx);
                }
            }
            Msg::Ordered { place, message } => {
                self.received.insert(message);
                self.hold(place, message);
            }
            Msg::Order { place, message } => {
                self.hold(place, message);
                self.ask_for_missing(cx);
            }
            Msg::Ask(place) => {
                let index = usize::try_from(place).ok();
                if let Some(&message) = index.and_then(|index| self.sequence.get(index)) {
                    cx.send(from, Msg::Ordered { place, message });
                }
            }
            Msg::State { delivered, held } => {
                self.states.insert(from, (delivered, held));
                self.become_sequencer_if_ready(cx);
            }
            Msg::Sequence(sequence) => {
                self.adopt(sequence, cx);
                for number in &self.pending {
                    cx.send(from, Msg::Data(*number));
                }
            }
        }
        self.deliver(cx);
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        let old = self.sequencer(cx);
        self.suspected.insert(p);
        if p == old {
            self.hand_over(cx);
        } else {
            self.ask_for_missing(cx);
        }
        self.become_sequencer_if_ready(cx);
    }
}

impl TobSequencer {
    /// The lowest process that it does not suspect.
    fn sequencer(&self, cx: &Cx<Self>) -> ProcessId {
        cx.processes().find(|p| !self.suspected.contains(*p)).unwrap_or(cx.me())
    }

    /// Gives a message the next place, unless it has one.
    fn order(&mut self, message: MessageName, cx: &mut Cx<Self>) {
        if self.delivered.contains(&message) {
            return;
        }
        let place = self.sequence.len() as Place;
        match self.mode {
            // Its own messages have not been sent before.
            Mode::Bb if message.0 != cx.me() => cx.send_to_others(Msg::Order { place, message }),
            _ => cx.send_to_others(Msg::Ordered { place, message }),
        }
        self.hold(place, message);
        self.deliver(cx);
    }

    fn hold(&mut self, place: Place, message: MessageName) {
        if !self.delivered.contains(&message) {
            self.held.insert(place, message);
        }
    }

    fn deliver(&mut self, cx: &mut Cx<Self>) {
        while let Some((place, message)) = self.next(cx) {
            self.held.remove(&place);
            self.sequence.push(message);
            self.delivered.insert(message);
            let (sender, number) = message;
            if sender == cx.me() {
                self.pending.remove(&number);
            }
            cx.indicate(Indication::Deliver { sender, number });
        }
    }

    /// The message in the next place, if it has come.
    fn next(&self, cx: &Cx<Self>) -> Option<(Place, MessageName)> {
        let place = self.sequence.len() as Place;
        let place = match self.held.first_key_value() {
            Some((first, _)) if cx.runs(&SKIP_GAP) => *first,
            _ => place,
        };
        let message = *self.held.get(&place)?;
        self.received.contains(&message).then_some((place, message))
    }

    /// Asks the sequencer for messages that their senders will not send any more.
    fn ask_for_missing(&self, cx: &mut Cx<Self>) {
        for (place, message) in &self.held {
            if self.suspected.contains(message.0) && !self.received.contains(message) {
                cx.reach("asked for a message");
                cx.send(self.sequencer(cx), Msg::Ask(*place));
            }
        }
    }

    /// Tells the next sequencer what it has. What it has held back will come with the sequence.
    fn hand_over(&mut self, cx: &mut Cx<Self>) {
        let (delivered, mut held) = (self.sequence.clone(), std::mem::take(&mut self.held));
        held.retain(|_, message| self.received.contains(message));
        let next = self.sequencer(cx);
        if next == cx.me() {
            self.states.insert(next, (delivered, held));
        } else {
            cx.send(next, Msg::State { delivered, held });
        }
    }

    fn become_sequencer_if_ready(&mut self, cx: &mut Cx<Self>) {
        let has_told = |p| self.suspected.contains(p) || self.states.contains_key(&p);
        let is_ready = cx.processes().all(has_told);
        if self.is_sequencer || self.sequencer(cx) != cx.me() || !is_ready {
            return;
        }
        cx.reach("took over");
        self.is_sequencer = true;
        let sequence = match cx.runs(&NO_AGREEMENT) {
            true => self.sequence.clone(),
            false => self.longest_sequence(),
        };
        let others = cx.others().filter(|p| !self.suspected.contains(*p));
        cx.send_to(others, Msg::Sequence(sequence.clone()));
        self.adopt(sequence, cx);
        for number in self.pending.clone() {
            self.order((cx.me(), number), cx);
        }
    }

    /// The longest sequence that has been delivered, and then what has been held back.
    fn longest_sequence(&mut self) -> Vec<MessageName> {
        let mut sequence = self.sequence.clone();
        let mut all_held = BTreeMap::new();
        for (delivered, held) in std::mem::take(&mut self.states).into_values() {
            all_held.extend(held);
            if delivered.len() > sequence.len() {
                sequence = delivered;
            }
        }
        let known: BTreeSet<_> = sequence.iter().copied().collect();
        sequence.extend(all_held.into_values().filter(|message| !known.contains(message)));
        sequence
    }

    fn adopt(&mut self, sequence: Vec<MessageName>, cx: &mut Cx<Self>) {
        for (place, message) in (0..).zip(sequence) {
            self.received.insert(message);
            self.hold(place, message);
        }
        self.deliver(cx);
    }
}

/// `[params]` of totally ordered broadcast by a sequencer.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TobSequencerParams {
    /// The way of a message to all processes.
    pub mode: Mode,
}

/// The way of a message to all processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// To the sequencer, and from there to all: n messages.
    #[default]
    Ub,
    /// To all, and its place from the sequencer to all: 2(n - 1) messages, most of them short.
    Bb,
}

const NO_AGREEMENT: Mutant = Mutant::code(
    "no-agreement",
    "continues its own sequence as the next sequencer, whatever others have delivered",
    AGREEMENT,
);
const SKIP_GAP: Mutant = Mutant::code(
    "skip-gap",
    "delivers a message although one in an earlier place has not come",
    TOTAL_ORDER,
);

impl Protocol for TobSequencer {
    const NAME: &'static str = "tob-sequencer";
    const SUMMARY: &'static str = "total order by a sequencer, which gives each message its place";
    const SOURCE: &'static str = "Kaashoek & Tanenbaum 1991; Défago, Schiper & Urbán 2004";
    const MUTANTS: &'static [Mutant] = &[NO_AGREEMENT, SKIP_GAP];

    type Params = TobSequencerParams;

    fn model(_: &TobSequencerParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE).with(DetectorClass::Perfect)
    }

    fn new(params: &TobSequencerParams, _: &Setting, me: ProcessId) -> Self {
        Self {
            mode: params.mode,
            suspected: ProcessSet::new(),
            pending: BTreeSet::new(),
            received: BTreeSet::new(),
            held: BTreeMap::new(),
            sequence: Vec::new(),
            delivered: BTreeSet::new(),
            is_sequencer: me == ProcessId(0),
            states: BTreeMap::new(),
        }
    }

    fn claims(_: &TobSequencerParams, _: &Setting) -> Vec<PropertyId> {
        vec![AGREEMENT, TOTAL_ORDER]
    }
}
