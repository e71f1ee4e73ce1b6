//! Information redundancy: a checked link, whose messages carry more bits than their payloads need.
//!
//! Source: Hamming (1950), *Error detecting and error correcting codes*, for parity and the codes
//! that correct; Braden, Borman and Partridge (1988), *RFC 1071*, for the checksum; Peterson and
//! Brown (1961), *Cyclic codes for error detection*, for CRC; Patterson, Gibson and Katz (1988) for
//! the parity of groups, as in a RAID. Spec: [`CheckedLink`]. Model: asynchronous, reliable links
//! on which nothing changes; each code tolerates more, as its scenarios show.
//!
//! Steps: the sender makes a word of 32 bits of a payload and its number, encodes it and sends it.
//! The receiver decodes it and delivers the payload, or rejects it. With `xor-parity` the sender
//! sends words as they are, and after each `group` of them their bitwise sum. If one of the group
//! is lost, the receiver has it back as the sum of all others.
//!
//! Why it works: two code words of parity differ in two bits or more, so one flip makes no other
//! code word; those of Hamming's code differ in three, so after one flip only one is one flip away;
//! with a parity beside it in four, so two flips are not taken for one. CRC-32 is the rest of a
//! division by a polynomial of degree 32 that no burst of up to 32 bits is a multiple of.

pub mod codes;

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;

use crate::spec::checked_link::{
    CheckedLink, INTEGRITY, Indication, Payload, PayloadNumber, RECEIVER, Request, SENDER,
};
use crate::spec::link::RELIABLE;
use codes::{Bits, Decoded};

/// The bits of a word: a number and a payload.
const WORD_LENGTH: usize = 32;

/// The number of a group of words, from 0.
type GroupNumber = u16;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A word, encoded.
    Frame(Bits),
    /// With `xor-parity`: the bitwise sum of the words of a group.
    Sum { group: GroupNumber, sum: Bits },
}

/// A process of a checked link.
#[derive(Clone, Debug, Hash)]
pub struct InfoRedundancy {
    code: Code,
    group_size: u16,
    /// With `xor-parity`: what each group has sent or received.
    groups: BTreeMap<GroupNumber, Group>,
}

/// What is known of a group of words.
#[derive(Clone, Debug, Default, Hash)]
struct Group {
    words: BTreeSet<Bits>,
    sum: Option<Bits>,
}

impl Process for InfoRedundancy {
    type Spec = CheckedLink;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        let Request::Send { number, payload } = request;
        let word = Bits::of(u64::from(payload) << 16 | u64::from(number), WORD_LENGTH);
        cx.send_to(cx.role(RECEIVER), Msg::Frame(self.code.encode(&word)));
        if self.code == Code::XorParity {
            self.add(number, word, cx);
        }
    }

    fn on_message(&mut self, _: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Frame(bits) => self.on_frame(&bits, cx),
            Msg::Sum { group, sum } => {
                self.groups.entry(group).or_default().sum = Some(sum);
                self.rebuild(group, cx);
            }
        }
    }
}

impl InfoRedundancy {
    /// At the sender: adds a word to its group, and sends the sum when the group is complete.
    fn add(&mut self, number: PayloadNumber, word: Bits, cx: &mut Cx<Self>) {
        let group_number = self.group_of(number);
        let group = self.groups.entry(group_number).or_default();
        group.words.insert(word);
        if group.words.len() == usize::from(self.group_size) {
            let sum = Msg::Sum { group: group_number, sum: group.total() };
            self.groups.remove(&group_number);
            cx.send_to(cx.role(RECEIVER), sum);
        }
    }

    fn on_frame(&mut self, bits: &Bits, cx: &mut Cx<Self>) {
        let word = match self.code.decode(bits) {
            Decoded::Intact(word) => word,
            Decoded::Corrected(word) => {
                cx.reach("corrected");
                word
            }
            Decoded::Broken => {
                cx.reach("rejected");
                return cx.indicate(Indication::Reject);
            }
        };
        if self.code != Code::XorParity {
            return deliver(&word, cx);
        }
        let group_number = self.group_of(parts_of(&word).0);
        if self.groups.entry(group_number).or_default().words.insert(word.clone()) {
            deliver(&word, cx);
            self.rebuild(group_number, cx);
        }
    }

    /// Delivers the only word of a group that is missing, if its sum is there.
    fn rebuild(&mut self, group_number: GroupNumber, cx: &mut Cx<Self>) {
        let Some(group) = self.groups.get_mut(&group_number) else { return };
        let Some(sum) = group.sum.as_ref() else { return };
        if group.words.len() + 1 == usize::from(self.group_size) {
            let word = group.words.iter().fold(sum.clone(), |sum, word| sum.xor(word));
            cx.reach("rebuilt");
            group.words.insert(word.clone());
            deliver(&word, cx);
        }
    }

    fn group_of(&self, number: PayloadNumber) -> GroupNumber {
        number.saturating_sub(1) / self.group_size
    }
}

impl Group {
    /// The bitwise sum of its words.
    fn total(&self) -> Bits {
        let zero = Bits::of(0, WORD_LENGTH);
        self.words.iter().fold(zero, |sum, word| sum.xor(word))
    }
}

fn deliver(word: &Bits, cx: &mut Cx<InfoRedundancy>) {
    let (number, payload) = parts_of(word);
    cx.indicate(Indication::Deliver { number, payload });
}

fn parts_of(word: &Bits) -> (PayloadNumber, Payload) {
    let [a, b, c, d, ..] = word.number().to_le_bytes();
    (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
}

/// The redundancy of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// None.
    None,
    /// A bit that makes the number of ones even.
    Parity,
    /// The checksum of the Internet protocols, 16 bits.
    Checksum,
    /// The cyclic redundancy check of Ethernet, 32 bits.
    Crc32,
    /// Hamming's code of seven bits for four.
    Hamming74,
    /// The same with a parity of its own: eight bits for four.
    #[default]
    Secded,
    /// A message with the bitwise sum of each group of messages.
    XorParity,
}

impl Code {
    /// The code word of a word.
    pub fn encode(self, word: &Bits) -> Bits {
        match self {
            Self::None | Self::XorParity => codes::none::encode(word),
            Self::Parity => codes::parity::encode(word),
            Self::Checksum => codes::checksum::encode(word),
            Self::Crc32 => codes::crc32::encode(word),
            Self::Hamming74 => codes::hamming74::encode(word),
            Self::Secded => codes::secded::encode(word),
        }
    }

    /// The word of 32 bits in what was received.
    pub fn decode(self, received: &Bits) -> Decoded {
        let length = match self {
            Self::None | Self::XorParity => WORD_LENGTH,
            Self::Parity => WORD_LENGTH + 1,
            Self::Checksum => WORD_LENGTH + 16,
            Self::Crc32 => WORD_LENGTH + 32,
            Self::Hamming74 => WORD_LENGTH / 4 * 7,
            Self::Secded => WORD_LENGTH / 4 * 8,
        };
        if received.0.len() != length {
            return Decoded::Broken;
        }
        match self {
            Self::None | Self::XorParity => codes::none::decode(received),
            Self::Parity => codes::parity::decode(received),
            Self::Checksum => codes::checksum::decode(received),
            Self::Crc32 => codes::crc32::decode(received),
            Self::Hamming74 => codes::hamming74::decode(received),
            Self::Secded => codes::secded::decode(received),
        }
    }
}

/// `[params]` of a checked link.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The redundancy of messages.
    pub code: Code,
    /// k, the messages that are summed up with `xor-parity`.
    pub group: u16,
}

impl Default for Params {
    fn default() -> Self {
        Self { code: Code::Secded, group: 4 }
    }
}

const PARITY_TWO_FLIPS: Mutant = Mutant::assumption(
    "parity-two-flips",
    "has only a parity where two bits of a message flip",
    INTEGRITY,
    "message",
    None,
);
const HAMMING_TWO_FLIPS: Mutant = Mutant::assumption(
    "hamming-two-flips",
    "corrects one flip where two bits of a code word flip, and so makes it three",
    INTEGRITY,
    "message",
    None,
);
const XOR_TWO_LOST: Mutant = Mutant::assumption(
    "xor-two-lost",
    "has one sum for a group of which two messages are lost",
    RELIABLE,
    "message",
    None,
);

impl Protocol for InfoRedundancy {
    const NAME: &'static str = "info-redundancy";
    const SUMMARY: &'static str = "checked link: codes that detect or correct what has changed";
    const SOURCE: &'static str = "Hamming 1950; Peterson & Brown 1961";
    const ROLES: &'static [&'static str] = &[SENDER, RECEIVER];
    const MUTANTS: &'static [Mutant] = &[PARITY_TWO_FLIPS, HAMMING_TWO_FLIPS, XOR_TWO_LOST];

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        for role in [SENDER, RECEIVER] {
            if setting.role_size(role) != 1 {
                return Err(Invalid::role(role, format!("there is one {role}")));
            }
        }
        if params.group == 0 {
            return Err(Invalid::new("group", "a group has one message or more"));
        }
        Ok(())
    }

    fn new(params: &Params, _: &Setting, _: ProcessId) -> Self {
        Self { code: params.code, group_size: params.group, groups: BTreeMap::new() }
    }

    fn claims(_: &Params, _: &Setting) -> Vec<PropertyId> {
        vec![RELIABLE]
    }
}
