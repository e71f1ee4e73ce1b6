//! Two generals who agree on an attack by a handshake of k messages, in vain if messages can be
//! lost.
//!
//! Source: Akkoyunlu, Ekanadham and Huber (1975), *Some constraints and tradeoffs in the design of
//! network communications*; Gray (1978), *Notes on data base operating systems*, for the generals.
//! Spec: [`CoordinatedAttack`]. Model: synchronous, reliable links; with links that lose messages
//! there is no solution, which is what this protocol is there to show.
//!
//! Steps: the first general proposes to attack at dawn, the second confirms, the first confirms the
//! confirmation, and so on for k messages; each is the answer to the one before. Dawn is k message
//! delays away. A general then attacks if he has received all messages that were meant for him, or
//! only as many as `first_needs` and `second_needs` say.
//!
//! Why it fails: the sender of the last message cannot know whether it has arrived, so either it
//! does not matter, and the handshake might as well end before it, or he attacks alone if it is
//! lost. By induction the generals never attack, or attack without any message. `copies` of the
//! last message make the case rare: all r of them are lost with probability p^r, never with none.

use ftsim_core::prelude::*;

use crate::spec::two_generals::{COORDINATED, CoordinatedAttack, GENERALS, Indication};

/// The greatest number of messages, and of copies of one.
const COUNT_MAX: u32 = 64;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The message of the handshake with this number, from 1.
    Handshake(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// The moment of the attack.
    Dawn,
}

/// One of two generals.
#[derive(Clone, Debug, Hash)]
pub struct TwoGenerals {
    message_count: u32,
    copy_count: u32,
    /// The messages that it must have received to attack.
    needs: u32,
    /// The last message that it has received; 0 if none.
    latest: u32,
    received: u32,
}

impl Process for TwoGenerals {
    type Spec = CoordinatedAttack;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        let night = cx.setting().delay_bound.times(self.message_count.into());
        cx.set_timer(night, Timer::Dawn);
        if cx.me() == GENERALS[0] {
            self.say(1, cx);
        }
    }

    fn on_request(&mut self, request: Never, _: &mut Cx<Self>) {
        match request {}
    }

    fn on_message(&mut self, _: ProcessId, Msg::Handshake(number): Msg, cx: &mut Cx<Self>) {
        if number <= self.latest {
            return;
        }
        self.latest = number;
        self.received += 1;
        self.say(number.saturating_add(1), cx);
    }

    fn on_timer(&mut self, Timer::Dawn: Timer, cx: &mut Cx<Self>) {
        let attacks = self.received >= self.needs;
        cx.indicate(if attacks { Indication::Attack } else { Indication::Stay });
    }
}

impl TwoGenerals {
    /// Sends the message with this number, unless the handshake is over.
    fn say(&self, number: u32, cx: &mut Cx<Self>) {
        if number > self.message_count {
            return;
        }
        let copy_count = if number == self.message_count { self.copy_count } else { 1 };
        for _ in 0..copy_count {
            cx.send_to_others(Msg::Handshake(number));
        }
    }
}

/// `[params]` of two generals.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// k, the messages of the handshake.
    pub messages: u32,
    /// r, the copies of the last message, which are all sent at once.
    pub copies: u32,
    /// How many messages the first general must have received to attack; by default all that are
    /// meant for him.
    pub first_needs: Option<u32>,
    /// The same for the second general.
    pub second_needs: Option<u32>,
}

impl Default for Params {
    fn default() -> Self {
        Self { messages: 3, copies: 1, first_needs: None, second_needs: None }
    }
}

const LOST_MESSAGE: Mutant = Mutant::assumption(
    "lost-message",
    "sends messages that can be lost",
    COORDINATED,
    "message",
    None,
);

impl Protocol for TwoGenerals {
    const NAME: &'static str = "two-generals";
    const SUMMARY: &'static str = "a coordinated attack by a handshake, which loss defeats";
    const SOURCE: &'static str = "Akkoyunlu, Ekanadham & Huber 1975; Gray 1978";
    const ROLES: &'static [&'static str] = &["general"];
    const MUTANTS: &'static [Mutant] = &[LOST_MESSAGE];

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::SYNCHRONOUS
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        if setting.n != 2 {
            return Err(Invalid::new("processes", "there are two generals"));
        }
        for (key, count) in [("messages", params.messages), ("copies", params.copies)] {
            if !(1..=COUNT_MAX).contains(&count) {
                return Err(Invalid::new(key, format!("must be 1 to {COUNT_MAX}")));
            }
        }
        let needs = [("first_needs", params.first_needs), ("second_needs", params.second_needs)];
        for ((key, needs), general) in needs.into_iter().zip(GENERALS) {
            let most = meant_for(general, params.messages);
            if needs.is_some_and(|needs| needs > most) {
                return Err(Invalid::new(key, format!("at most {most} are meant for him")));
            }
        }
        Ok(())
    }

    fn new(params: &Params, _: &Setting, me: ProcessId) -> Self {
        let given = if me == GENERALS[0] { params.first_needs } else { params.second_needs };
        Self {
            message_count: params.messages,
            copy_count: params.copies,
            needs: given.unwrap_or_else(|| meant_for(me, params.messages)),
            latest: 0,
            received: 0,
        }
    }
}

/// How many of the messages are meant for this general: the first is for the second general.
const fn meant_for(general: ProcessId, message_count: u32) -> u32 {
    if general.0 == GENERALS[0].0 { message_count / 2 } else { message_count.div_ceil(2) }
}
