//! Oral messages, OM(m): everybody tells everybody what he was told, m times over.
//!
//! Source: Lamport, Shostak and Pease (1982), section 3; Pease, Shostak and Lamport (1980). Spec:
//! [`ByzantineGenerals`]. Model: synchronous, at most m Byzantine processes among n > 3m, links
//! that are reliable and authenticated; no signatures. The paper's *general* is our process, its
//! *traitor* a Byzantine one, its RETREAT our [`DEFAULT`].
//!
//! Steps: m + 1 rounds, each a timer as long as a message takes at most. In round 1 the commander
//! sends its order to all lieutenants. In each later round a lieutenant plays the commander towards
//! those who have not handled an order yet: it passes on what it was told in the round before, with
//! the path that the order has taken. A message that does not come can be noticed, and counts as
//! [`DEFAULT`]. After the last round each order is worth what most say of it, from the longest
//! paths upwards; without a majority, [`DEFAULT`].
//!
//! Why it works: a correct commander among n > 2k + m, k of them traitors, is obeyed by OM(m),
//! since at every level the correct ones are a majority and say the same. If the commander is a
//! traitor, only m - 1 traitors are left among n - 1 > 3(m - 1) lieutenants: by induction all agree
//! on what each of them was told, and so on its majority.

mod two_faced;

use std::collections::BTreeMap;

use ftsim_core::model::adversary::CustomAdversary;
use ftsim_core::prelude::*;

use crate::parts::rounds::Rounds;
use crate::parts::votes::Votes;
use crate::spec::byzantine::{ByzantineGenerals, COMMANDER, IC1, IC2, Indication, Request};
use crate::spec::consensus::{TERMINATION, Value};

const COMMANDER_ROLE: &str = "commander";

const LIEUTENANT_ROLE: &str = "lieutenant";

/// The order that stands for one that did not come, or on which there is no majority.
pub const DEFAULT: Value = 0;

/// Who handed on an order, in turn: the commander first, the sender last.
type Path = Vec<ProcessId>;

/// A run does not hold more messages than this.
const MESSAGE_COUNT_MAX: u64 = 1_000_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// What the sender was told.
    Order {
        /// By whom, who was told it by whom, and so on from the commander; the sender is the last.
        path: Path,
        value: Value,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// The round is over: what has not come by now does not come.
    RoundEnd,
}

/// A general of OM(m).
#[derive(Clone, Debug, Hash)]
pub struct OralMessages {
    m: u32,
    /// From 1 to m + 1.
    rounds: Rounds,
    /// The order that this process received along each path.
    received: BTreeMap<Path, Value>,
}

impl Process for OralMessages {
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
        cx.send_to_others(Msg::Order { path: vec![cx.me()], value });
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        let Msg::Order { path, value } = msg;
        if self.is_sound(&path, from, cx) {
            self.received.entry(path).or_insert(value);
        }
    }

    fn on_timer(&mut self, Timer::RoundEnd: Timer, cx: &mut Cx<Self>) {
        if self.rounds.current() > self.m {
            return self.obey(cx);
        }
        self.pass_on(cx);
        self.rounds.begin_next(Timer::RoundEnd, cx);
    }
}

impl OralMessages {
    /// Whether `from` can have sent an order along this path to `me`, in this round or a later one.
    ///
    /// An order of an earlier round is too late: it already counts as absent.
    fn is_sound(&self, path: &[ProcessId], from: ProcessId, cx: &Cx<Self>) -> bool {
        let names_once = |(i, p): (usize, &ProcessId)| p.0 < cx.n() && !path[..i].contains(p);
        let rounds = self.rounds.current() as usize..=self.m as usize + 1;
        rounds.contains(&path.len())
            && path.first() == Some(&COMMANDER)
            && path.last() == Some(&from)
            && !path.contains(&cx.me())
            && path.iter().enumerate().all(names_once)
    }

    /// Passes on each order of the round that is over, to the processes that are not on its path.
    fn pass_on(&self, cx: &mut Cx<Self>) {
        let round = self.rounds.current() as usize;
        for (path, value) in self.received.iter().filter(|(path, _)| path.len() == round) {
            let mut longer = path.clone();
            longer.push(cx.me());
            let fresh = cx.others().filter(|p| !path.contains(p));
            cx.send_to(fresh, Msg::Order { path: longer, value: *value });
        }
    }

    /// The value of the order that took this path to this process, by OM(m + 1 - the path's
    /// length). `None` if orders are missing and have no default.
    fn resolve(&self, path: &mut Path, cx: &Cx<Self>) -> Option<Value> {
        let default = (!cx.runs(&NO_DEFAULT)).then_some(DEFAULT);
        let received = self.received.get(path).copied().or(default)?;
        if path.len() > self.m as usize {
            return Some(received);
        }
        let mut votes = Votes::default();
        votes.cast(cx.me(), received);
        for p in cx.others().filter(|p| !path.contains(p)).collect::<Vec<_>>() {
            path.push(p);
            votes.cast(p, self.resolve(path, cx)?);
            path.pop();
        }
        Some(votes.majority().unwrap_or(DEFAULT))
    }

    fn obey(&self, cx: &mut Cx<Self>) {
        let Some(order) = self.resolve(&mut vec![COMMANDER], cx) else {
            return cx.reach("waits for ever");
        };
        if self.received.get([COMMANDER].as_slice()) != Some(&order) {
            cx.reach("overruled");
        }
        cx.indicate(Indication::Obey(order));
    }
}

/// M(n, m) = (n - 1)(1 + M(n - 1, m - 1)) with M(n, 0) = n - 1: the messages of a run without
/// faults. `m` must be less than `n`.
fn message_count(n: u32, m: u32) -> u64 {
    let receivers = u64::from(n) - 1;
    let inner = if m == 0 { 0 } else { message_count(n - 1, m - 1) };
    receivers.saturating_mul(inner.saturating_add(1))
}

/// `[params]` of oral messages.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// How many traitors it is to survive: orders are passed on so many times. At most the number
    /// of processes less two.
    pub m: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self { m: 1 }
    }
}

const N_3: Mutant = Mutant::assumption(
    "n-3",
    "has three generals, one of them a traitor",
    IC2,
    "processes.lieutenant",
    Some("3"),
);
const OM0: Mutant = Mutant::assumption(
    "om0",
    "takes the commander's word, although there is a traitor",
    IC1,
    "params.m",
    Some("1"),
);
const N_3M: Mutant = Mutant::assumption(
    "n-3m",
    "has 3m generals for m = 2 traitors",
    IC2,
    "processes.lieutenant",
    Some("6"),
);
const NO_DEFAULT: Mutant =
    Mutant::code("no-default", "waits for orders that do not come", TERMINATION);

impl Protocol for OralMessages {
    const NAME: &'static str = "oral-messages";
    const SUMMARY: &'static str = "Byzantine generals: pass on what one was told, m times over";
    const SOURCE: &'static str = "Lamport, Shostak & Pease 1982, The Byzantine generals problem";
    const ROLES: &'static [&'static str] = &[COMMANDER_ROLE, LIEUTENANT_ROLE];
    const MUTANTS: &'static [Mutant] = &[N_3, OM0, N_3M, NO_DEFAULT];
    const ADVERSARIES: &'static [CustomAdversary<Msg>] = &[two_faced::TWO_FACED];

    type Params = Params;

    fn model(params: &Params, _: &Setting) -> Model {
        Model::SYNCHRONOUS.byzantine(Bound::LESS_THAN_A_THIRD.given_as("m", params.m))
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        let (n, m) = (setting.n, params.m);
        if setting.role(COMMANDER_ROLE).len() != 1 {
            return Err(Invalid::role(COMMANDER_ROLE, "there must be one commander"));
        }
        if m > n.saturating_sub(2) {
            let message = format!("among {n} processes an order cannot be passed on {m} times");
            return Err(Invalid::new("m", message));
        }
        if message_count(n, m) > MESSAGE_COUNT_MAX {
            let count = message_count(n, m);
            let message = format!("that is {count} messages: at most {MESSAGE_COUNT_MAX}");
            return Err(Invalid::new("m", message));
        }
        Ok(())
    }

    fn can_progress(params: &Params, setting: &Setting, well: &ProcessSet) -> bool {
        well.len() + params.m as usize >= setting.n as usize
    }

    fn new(params: &Params, setting: &Setting, _: ProcessId) -> Self {
        let rounds = Rounds::new(0, setting.delay_bound);
        Self { m: params.m, rounds, received: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests;
