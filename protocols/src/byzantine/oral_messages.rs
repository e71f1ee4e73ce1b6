//! Oral messages, OM(m): every general tells every other what it was told, m times over.
//!
//! Source: Lamport, Shostak and Pease (1982), section 3; Pease, Shostak and Lamport (1980). Spec:
//! [`ByzantineGenerals`]. Model: synchronous, at most m Byzantine processes among n > 3m, links
//! that are reliable and authenticated; no signatures. The paper's *general* is our process, its
//! *traitor* a Byzantine one, its RETREAT our [`DEFAULT`].
//!
//! Steps: there are m + 1 rounds ([`Rounds`]). In round 1 the commander sends its order to all
//! lieutenants. In each later round a lieutenant acts as commander towards the processes that have
//! not handled an order yet: it relays the order that it received in the round before, with the
//! path that the order has taken. A missing message can be noticed, and counts as [`DEFAULT`].
//! After the last round the value of each order is the majority of what the processes say about it,
//! from the longest paths up; without a majority, [`DEFAULT`].
//!
//! Why it works: a correct commander among n > 2k + m processes, k of them traitors, is obeyed by
//! OM(m), since at every level the correct processes are a majority and say the same. If the
//! commander is a traitor, only m - 1 traitors are left among n - 1 > 3(m - 1) lieutenants: by
//! induction all agree on what each of them was told, and so on the majority.

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

/// The value of an order that did not arrive, or on which there is no majority.
pub const DEFAULT: Value = 0;

/// The processes that handed on an order: the commander first, the sender last.
type Path = Vec<ProcessId>;

/// The most messages that a run can hold.
const MESSAGE_COUNT_MAX: u64 = 1_000_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// An order, as the sender received it.
    Order {
        /// The processes that handed it on, from the commander to the sender.
        path: Path,
        value: Value,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// The round is over: what has not arrived counts as absent.
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

/// The number of messages of a run without faults: M(n, m) = (n - 1)(1 + M(n - 1, m - 1)), with
/// M(n, 0) = n - 1. `m` must be less than `n`.
fn message_count(n: u32, m: u32) -> u64 {
    let receivers = u64::from(n) - 1;
    let inner = if m == 0 { 0 } else { message_count(n - 1, m - 1) };
    receivers.saturating_mul(inner.saturating_add(1))
}

/// `[params]` of oral messages.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The number of traitors to tolerate, which is how often orders are relayed: at most the
    /// number of processes minus two.
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
    "obeys the commander's order without relaying it, although there is a traitor",
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
    Mutant::code("no-default", "waits forever for orders that do not arrive", TERMINATION);

impl Protocol for OralMessages {
    const NAME: &'static str = "oral-messages";
    const SUMMARY: &'static str = "Byzantine generals: relay the orders received, m times over";
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
            let message = format!("among {n} processes an order cannot be relayed {m} times");
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
