//! Dolev-Strong: a signed order counts only with as many signatures as rounds have passed.
//!
//! Source: Dolev and Strong (1983), *Authenticated algorithms for Byzantine agreement*; SM(m) of
//! Lamport, Shostak and Pease (1982), section 4. Spec: [`ByzantineGenerals`]. Model: synchronous,
//! at most f Byzantine processes, for any f < n, links that are reliable and authenticated,
//! signatures that cannot be forged. With fewer than two correct lieutenants it is of no use,
//! though correct.
//!
//! Steps: there are f + 1 rounds ([`Rounds`]). In round 1 the commander signs its order and sends
//! it to all lieutenants. In round r a lieutenant accepts an order with at least r signatures of
//! different processes, the first of which is the commander's. If it is new and r ≤ f, the
//! lieutenant adds its own signature and sends it in the next round to all who have not signed it.
//! It does so with two orders: these convict the commander. After the last round it obeys the only
//! order that it has accepted; if there is none, or more than one, [`DEFAULT`].
//!
//! Why it works: if a correct lieutenant accepts an order in round r ≤ f, it signs it, and all
//! others accept it in round r + 1. If it accepts an order in round f + 1, one of the f + 1 who
//! have signed it is correct, and has sent it to all in an earlier round. So all accept the same,
//! or all accept two. Nobody can sign another order in the name of a correct commander.
//!
//! Words: *v:0:j* of Lamport, Shostak and Pease is an order with the signatures of p0 and pj. There
//! everyone signs the order and all signatures before; here the order alone, since a run has one
//! commander, who gives one order: who has signed in which sequence does not matter to the
//! argument.

mod whisper;

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::model::adversary::CustomAdversary;
use ftsim_core::prelude::*;

use crate::parts::rounds::Rounds;
use crate::spec::byzantine::{ByzantineGenerals, COMMANDER, IC1, IC2, Indication, Request};
use crate::spec::consensus::Value;

const COMMANDER_ROLE: &str = "commander";

const LIEUTENANT_ROLE: &str = "lieutenant";

/// The order to obey where there is none, or more than one.
pub const DEFAULT: Value = 0;

/// Two orders of one commander convict it; more say nothing new.
const CONVICTING: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// An order, with the signatures of those who have accepted it: the commander's first.
    Order(Vec<Signed<Value>>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// The round is over: what has not arrived counts as absent.
    RoundEnd,
}

/// A general of Dolev and Strong's algorithm.
#[derive(Clone, Debug, Hash)]
pub struct DolevStrong {
    f: u32,
    /// From 1 to f + 1.
    rounds: Rounds,
    /// The orders that it has accepted, at most two.
    accepted: BTreeSet<Value>,
    /// Those of them that it accepted in this round, with their signatures.
    fresh: BTreeMap<Value, Vec<Signed<Value>>>,
}

impl Process for DolevStrong {
    type Spec = ByzantineGenerals;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if cx.me() != COMMANDER {
            self.rounds.begin_next(Timer::RoundEnd, cx);
        }
    }

    fn on_request(&mut self, Request::Order(value): Request, cx: &mut Cx<Self>) {
        cx.send_to_others(Msg::Order(vec![cx.sign(value)]));
    }

    fn on_message(&mut self, _: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        let Msg::Order(chain) = msg;
        let Some(value) = self.order_of(&chain, cx) else { return };
        if self.accepted.len() < CONVICTING && self.accepted.insert(value) {
            self.fresh.insert(value, chain);
        }
    }

    fn on_timer(&mut self, Timer::RoundEnd: Timer, cx: &mut Cx<Self>) {
        if self.rounds.current() >= self.round_count(cx) {
            return self.obey(cx);
        }
        self.relay(cx);
        self.rounds.begin_next(Timer::RoundEnd, cx);
    }
}

impl DolevStrong {
    /// The order that all of these have signed, if it counts in this round.
    fn order_of(&self, chain: &[Signed<Value>], cx: &Cx<Self>) -> Option<Value> {
        let needed = if cx.runs(&SHORT_CHAIN) { 1 } else { self.rounds.current() as usize };
        let signers: ProcessSet = chain.iter().map(Signed::signer).collect();
        if chain.len() < needed || signers.len() < chain.len() {
            return None;
        }
        let first = chain.first().filter(|first| first.signer() == COMMANDER)?;
        if cx.runs(&UNSIGNED) {
            return chain.last()?.verify(cx).copied();
        }
        let value = first.verify(cx)?;
        chain.iter().all(|signed| signed.verify(cx) == Some(value)).then_some(*value)
    }

    /// Signs what was accepted in the round that is over, and sends it to those who have not.
    fn relay(&mut self, cx: &mut Cx<Self>) {
        for (value, mut chain) in std::mem::take(&mut self.fresh) {
            let signers: ProcessSet = chain.iter().map(Signed::signer).collect();
            chain.push(cx.sign(value));
            let others = cx.others().filter(|p| !signers.contains(*p));
            cx.send_to(others, Msg::Order(chain));
        }
    }

    fn obey(&mut self, cx: &mut Cx<Self>) {
        let order = match (self.accepted.first(), self.accepted.len()) {
            (Some(order), 1) => *order,
            (_, count) => {
                cx.reach(if count == 0 { "has no order" } else { "convicts the commander" });
                DEFAULT
            }
        };
        cx.indicate(Indication::Obey(order));
    }

    fn round_count(&self, cx: &Cx<Self>) -> u32 {
        self.f + u32::from(!cx.runs(&F_ROUNDS))
    }
}

/// `[params]` of Dolev and Strong's algorithm.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The number of traitors to tolerate, less than the number of processes.
    pub f: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self { f: 1 }
    }
}

const F_ROUNDS: Mutant = Mutant::code("f-rounds", "obeys after f rounds", IC1);
const SHORT_CHAIN: Mutant = Mutant::code(
    "short-chain",
    "accepts orders with fewer signatures than rounds have passed",
    IC1,
);
const UNSIGNED: Mutant = Mutant::code(
    "unsigned",
    "verifies the signature of whoever hands on an order, but not those before it",
    IC2,
);

impl Protocol for DolevStrong {
    const NAME: &'static str = "dolev-strong";
    const SUMMARY: &'static str = "Byzantine generals: relay signed orders, one more name a round";
    const SOURCE: &'static str = "Dolev & Strong 1983, Authenticated algorithms for Byzantine \
                                  agreement; Lamport, Shostak & Pease 1982, section 4";
    const ROLES: &'static [&'static str] = &[COMMANDER_ROLE, LIEUTENANT_ROLE];
    const MUTANTS: &'static [Mutant] = &[F_ROUNDS, SHORT_CHAIN, UNSIGNED];
    const ADVERSARIES: &'static [CustomAdversary<Msg>] = &[whisper::WHISPER];

    type Params = Params;

    fn model(params: &Params, _: &Setting) -> Model {
        Model::SYNCHRONOUS.byzantine(Bound::ALL_BUT_ONE.given_as("f", params.f))
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        if setting.role(COMMANDER_ROLE).len() != 1 {
            return Err(Invalid::role(COMMANDER_ROLE, "there must be one commander"));
        }
        if params.f >= setting.n {
            let message = format!("it must be less than the {} processes", setting.n);
            return Err(Invalid::new("f", message));
        }
        if params.f == 0 && setting.runs(&F_ROUNDS) {
            return Err(Invalid::new("f", "in 0 rounds nothing arrives"));
        }
        if params.f == 0 && setting.runs(&SHORT_CHAIN) {
            return Err(Invalid::new("f", "in one round no chain is too short"));
        }
        Ok(())
    }

    fn can_progress(params: &Params, setting: &Setting, well: &ProcessSet) -> bool {
        well.len() + params.f as usize >= setting.n as usize
    }

    fn new(params: &Params, setting: &Setting, _: ProcessId) -> Self {
        Self {
            f: params.f,
            rounds: Rounds::new(0, setting.delay_bound),
            accepted: BTreeSet::new(),
            fresh: BTreeMap::new(),
        }
    }
}
