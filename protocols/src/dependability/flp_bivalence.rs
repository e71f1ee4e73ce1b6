//! A deterministic protocol for consensus, and the runs in which it never decides.
//!
//! Source: Fischer, Lynch and Paterson (1985), *Impossibility of distributed consensus with one
//! faulty process*; Dwork, Lynch and Stockmeyer (1988), *Consensus in the presence of partial
//! synchrony*, for the way out. Spec: [`Consensus`] with uniform agreement. Model: partially
//! synchronous, crash-stop, f < n/3, reliable links; only termination needs time.
//!
//! Steps: every process has an estimate, at first its proposal. In each round it sends this to all
//! and waits for n - f estimates, and then three message delays more for the others; the time runs
//! from when the n - f have come, even if it is still in an earlier round. If n - f of those that
//! have come are of one value, it decides this value. If not, the most frequent is its new
//! estimate; of several the least. A process that decides says so, and whoever hears it decides
//! too. One that is not asked to propose joins with the first estimate that it hears.
//!
//! Why it is safe: if somebody decides v, n - f processes had the estimate v. So everybody who
//! hears n - f processes hears v from n - 2f or more of them, and other values from f or fewer. As
//! n > 3f, v is the most frequent, and all go on with v.
//!
//! Why it may never end: a *configuration* is *bivalent* if both values can still be decided. If
//! two of four processes propose 0 and two propose 1, then it is up to the messages that come late
//! what each hears most often; and as long as each half hears more of its own half, nothing
//! changes. Every message arrives, and every process takes steps. Theorem 1 of the paper: no
//! protocol in which either value can be decided is safe and decides in every run in which at most
//! one process crashes. Its proof builds a run like this one, that never ends. Here such a run
//! takes messages that are too late again and again: once delays keep to the bound, all hear the
//! same and decide.
//!
//! Why three delays: n - f of a round come to whoever is first one delay after they were sent at
//! the latest, and whoever is behind sends within one delay more what it has heard enough for.
//! With time that runs only from one's own entry into a round, a process that is behind would stay
//! behind by as much in every round, and be heard by some and not by others for ever (n = 7).

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;

use crate::parts::votes::Votes;
use crate::spec::consensus::{AGREEMENT, Consensus, Indication, Request, UNIFORM_AGREEMENT, Value};

/// Counts from 1.
type Round = u64;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The sender's estimate in this round.
    Estimate(Round, Value),
    /// The sender has decided this value.
    Decided(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// Whoever has not been heard in this round is late, or has crashed.
    Late(Round),
}

/// A process of a deterministic protocol.
#[derive(Clone, Debug, Hash)]
pub struct FlpBivalence {
    /// None before it is asked to propose, and after it has decided.
    round: Option<Round>,
    has_decided: bool,
    /// The rounds, this one and later ones, in which it waits no longer for the rest.
    overdue: BTreeSet<Round>,
    /// The estimates of this round and of later ones.
    estimates: BTreeMap<Round, Votes<Value>>,
}

impl Process for FlpBivalence {
    type Spec = Consensus;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_request(&mut self, Request::Propose(value): Request, cx: &mut Cx<Self>) {
        if self.round.is_none() && !self.has_decided {
            self.begin(1, value, cx);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            _ if self.has_decided => {}
            Msg::Decided(value) => self.decide(value, cx),
            Msg::Estimate(round, value) => {
                if self.round.is_none() {
                    // Nobody has asked it yet: it joins with the value of another.
                    self.begin(1, value, cx);
                }
                self.hear(from, round, value, cx);
            }
        }
    }

    fn on_timer(&mut self, Timer::Late(round): Timer, cx: &mut Cx<Self>) {
        if self.round <= Some(round) {
            self.overdue.insert(round);
            self.count(cx);
        }
    }
}

impl FlpBivalence {
    fn begin(&mut self, round: Round, estimate: Value, cx: &mut Cx<Self>) {
        self.round = Some(round);
        cx.broadcast(Msg::Estimate(round, estimate));
        if cx.runs(&DECIDE_BY_TIMEOUT) {
            Self::wait_for_rest(round, cx);
        }
        self.count(cx);
    }

    fn hear(&mut self, from: ProcessId, round: Round, value: Value, cx: &mut Cx<Self>) {
        if self.round > Some(round) {
            cx.reach("too late");
            return;
        }
        let estimates = self.estimates.entry(round).or_default();
        let before = estimates.count();
        estimates.cast(from, value);
        let has_just_enough = before < estimates.count() && before + 1 == enough(cx) as usize;
        if has_just_enough && !cx.runs(&DECIDE_BY_TIMEOUT) {
            Self::wait_for_rest(round, cx);
        }
        self.count(cx);
    }

    /// Goes on if all have come, or enough have and the time of the others is over.
    fn count(&mut self, cx: &mut Cx<Self>) {
        let Some(round) = self.round else { return };
        let came = self.estimates.get(&round).map_or(0, Votes::count);
        if came == cx.n() as usize || self.overdue.contains(&round) {
            self.end_round(round, cx);
        }
    }

    fn wait_for_rest(round: Round, cx: &mut Cx<Self>) {
        cx.set_timer(cx.setting().delay_bound.times(3), Timer::Late(round));
    }

    fn end_round(&mut self, round: Round, cx: &mut Cx<Self>) {
        cx.cancel_timer(Timer::Late(round));
        self.overdue.remove(&round);
        let estimates = self.estimates.remove(&round).unwrap_or_default();
        let Some((value, count)) = estimates.most_frequent() else { return };
        if count >= enough(cx) || cx.runs(&DECIDE_BY_TIMEOUT) {
            self.decide(value, cx);
        } else {
            self.begin(round.saturating_add(1), value, cx);
        }
    }

    fn decide(&mut self, value: Value, cx: &mut Cx<Self>) {
        for round in std::mem::take(&mut self.estimates).into_keys() {
            cx.cancel_timer(Timer::Late(round));
        }
        self.round = None;
        self.overdue.clear();
        self.has_decided = true;
        cx.indicate(Indication::Decide(value));
        cx.send_to_others(Msg::Decided(value));
    }
}

/// n - f, the processes that it can wait for.
fn enough(cx: &Cx<FlpBivalence>) -> u32 {
    cx.n() - (cx.n().div_ceil(3) - 1)
}

const DECIDE_BY_TIMEOUT: Mutant = Mutant::code(
    "decide-by-timeout",
    "takes who is late for crashed, and decides what most of the others have",
    AGREEMENT,
);

impl Protocol for FlpBivalence {
    const NAME: &'static str = "flp-bivalence";
    const SUMMARY: &'static str = "consensus that stays undecided while messages are late";
    const SOURCE: &'static str = "Fischer, Lynch & Paterson 1985";
    const MUTANTS: &'static [Mutant] = &[DECIDE_BY_TIMEOUT];

    type Params = NoParams;

    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::PARTIALLY_SYNCHRONOUS.crash_stop(Bound::LESS_THAN_A_THIRD)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self {
            round: None,
            has_decided: false,
            overdue: BTreeSet::new(),
            estimates: BTreeMap::new(),
        }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![UNIFORM_AGREEMENT]
    }
}
