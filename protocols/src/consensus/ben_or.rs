//! Ben-Or: consensus without timing and without detectors, by tossing coins.
//!
//! Source: Ben-Or (1983), *Another advantage of free choice*, the protocol for crashes; Aguilera
//! and Toueg (2012), *The correctness proof of Ben-Or's randomized consensus algorithm*. Spec:
//! [`Consensus`] with uniform agreement. Model: asynchronous, crash-stop, f < n/2, reliable links;
//! termination with probability 1.
//!
//! Steps: every process has an estimate, at first its proposal. In each round
//!
//! - it sends REPORT with its estimate to all, and waits for n - f reports. If more than n/2 are of
//!   one value, it sends PROPOSAL with this value to all, otherwise PROPOSAL without a value;
//! - it waits for n - f proposals. If more than f are of one value, it decides this value. If there
//!   is one with a value, this value is its new estimate; otherwise it tosses a coin.
//!
//! A process that decides sends both messages of the next round, and stops. One that is not asked
//! to propose joins with the first estimate that it hears.
//!
//! Why it works: two majorities intersect, so in one round all proposals with a value have the
//! same. If somebody decides v, more than f have proposed v, so everybody who waits for n - f
//! proposals sees one of them, and all estimates of the next round are v: then all decide v. As
//! long as nobody decides, all coins fall alike in some round, with probability 1.
//!
//! Words: a *D message* of 1983 is a proposal with a value, and a *?* one without. The paper's
//! values are 0 and 1; here they are any, and the coin falls on one of those that were reported in
//! the round.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::spec::consensus::{
    AGREEMENT, Consensus, Indication, Request, TERMINATION, UNIFORM_AGREEMENT, Value,
};

/// Counts from 1.
type Round = u64;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The sender's estimate.
    Report(Round, Value),
    /// The value that most have reported, if there is one.
    Proposal(Round, Option<Value>),
}

/// A process of Ben-Or's protocol.
#[derive(Clone, Debug, Hash)]
pub struct BenOr {
    /// The round, and whether it waits for reports or for proposals; none before it is asked to
    /// propose, and after it has decided.
    waits: Option<(Round, For)>,
    has_decided: bool,
    /// What has come, of this round and later ones.
    reports: BTreeMap<Round, BTreeMap<ProcessId, Value>>,
    proposals: BTreeMap<Round, BTreeMap<ProcessId, Option<Value>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum For {
    Reports,
    Proposals,
}

impl Process for BenOr {
    type Spec = Consensus;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Propose(value): Request, cx: &mut Cx<Self>) {
        if self.waits.is_none() && !self.has_decided {
            self.begin(1, value, cx);
            self.advance(cx);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        if self.has_decided {
            return;
        }
        match msg {
            Msg::Report(round, value) => {
                if round == 1 && self.waits.is_none() {
                    // Nobody has asked it yet: it joins with the value of another.
                    self.begin(1, value, cx);
                }
                self.reports.entry(round).or_default().insert(from, value);
            }
            Msg::Proposal(round, value) => {
                self.proposals.entry(round).or_default().insert(from, value);
            }
        }
        self.advance(cx);
    }
}

impl BenOr {
    fn begin(&mut self, round: Round, estimate: Value, cx: &mut Cx<Self>) {
        self.waits = Some((round, For::Reports));
        cx.broadcast(Msg::Report(round, estimate));
    }

    /// Goes on as far as what has come allows.
    fn advance(&mut self, cx: &mut Cx<Self>) {
        while let Some((round, waits_for)) = self.waits {
            let enough = (cx.n() - tolerated(cx)) as usize;
            let came = match waits_for {
                For::Reports => self.reports.get(&round).map_or(0, BTreeMap::len),
                For::Proposals => self.proposals.get(&round).map_or(0, BTreeMap::len),
            };
            if came < enough {
                return;
            }
            match waits_for {
                For::Reports => self.propose(round, cx),
                For::Proposals => self.end_round(round, cx),
            }
        }
    }

    /// Enough reports have come.
    fn propose(&mut self, round: Round, cx: &mut Cx<Self>) {
        self.waits = Some((round, For::Proposals));
        let reports = self.reports.get(&round);
        let most = most_frequent(reports.into_iter().flat_map(BTreeMap::values).copied());
        let majority = majority(reports.map_or(0, BTreeMap::len), cx);
        let value = most.filter(|(_, count)| *count > majority).map(|(value, _)| value);
        cx.broadcast(Msg::Proposal(round, value));
    }

    /// Enough proposals have come.
    fn end_round(&mut self, round: Round, cx: &mut Cx<Self>) {
        let proposals = self.proposals.get(&round);
        let came = proposals.map_or(0, BTreeMap::len);
        let most =
            most_frequent(proposals.into_iter().flat_map(BTreeMap::values).flatten().copied());
        let needed = if cx.runs(&DECIDE_ON_ONE) {
            0
        } else if cx.runs(&F_HALF) {
            majority(came, cx)
        } else {
            tolerated(cx) as usize
        };
        match most {
            Some((value, count)) if count > needed => self.decide(round, value, cx),
            Some((value, _)) if !cx.runs(&COIN_DESPITE_D) => {
                cx.reach("adopted a proposal");
                self.next_round(round, value, cx);
            }
            _ => {
                cx.reach("tossed a coin");
                let value = self.toss(round, cx);
                self.next_round(round, value, cx);
            }
        }
    }

    fn next_round(&mut self, round: Round, estimate: Value, cx: &mut Cx<Self>) {
        self.reports.remove(&round);
        self.proposals.remove(&round);
        self.begin(round.saturating_add(1), estimate, cx);
    }

    fn decide(&mut self, round: Round, value: Value, cx: &mut Cx<Self>) {
        self.waits = None;
        self.has_decided = true;
        cx.indicate(Indication::Decide(value));
        if !cx.runs(&STOP_AT_ONCE) {
            let next = round.saturating_add(1);
            cx.send_to_others(Msg::Report(next, value));
            cx.send_to_others(Msg::Proposal(next, Some(value)));
        }
    }

    /// One of the values that were reported in this round.
    fn toss(&self, round: Round, cx: &mut Cx<Self>) -> Value {
        let mut values: Vec<Value> =
            self.reports.get(&round).into_iter().flat_map(BTreeMap::values).copied().collect();
        values.sort_unstable();
        values.dedup();
        let index = cx.rng().below(values.len().max(1) as u64);
        usize::try_from(index).ok().and_then(|index| values.get(index)).copied().unwrap_or_default()
    }
}

/// f: the number of crashes that are tolerated.
fn tolerated(cx: &Cx<BenOr>) -> u32 {
    if cx.runs(&F_HALF) { cx.n() / 2 } else { cx.n().div_ceil(2) - 1 }
}

/// What a majority exceeds: half of all processes.
fn majority(came: usize, cx: &Cx<BenOr>) -> usize {
    if cx.runs(&F_HALF) { came / 2 } else { cx.n() as usize / 2 }
}

/// The value that comes most often, and how often; of several the least.
fn most_frequent(values: impl Iterator<Item = Value>) -> Option<(Value, usize)> {
    let mut counts: BTreeMap<Value, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count)
}

const STOP_AT_ONCE: Mutant =
    Mutant::code("stop-at-once", "a process that decides sends nothing more", TERMINATION);
const DECIDE_ON_ONE: Mutant =
    Mutant::code("decide-on-one", "one proposal with a value is enough to decide", AGREEMENT);
const COIN_DESPITE_D: Mutant = Mutant::code(
    "coin-despite-d",
    "tosses a coin unless it decides, whatever it has seen proposed",
    AGREEMENT,
);
const F_HALF: Mutant = Mutant::code(
    "f-half",
    "waits for half of the processes, and for a majority of what comes",
    AGREEMENT,
);

impl Protocol for BenOr {
    const NAME: &'static str = "ben-or";
    const SUMMARY: &'static str = "consensus: rounds of reports and proposals, and coins";
    const SOURCE: &'static str = "Ben-Or 1983, Another advantage of free choice";
    const MUTANTS: &'static [Mutant] = &[STOP_AT_ONCE, DECIDE_ON_ONE, COIN_DESPITE_D, F_HALF];

    type Params = NoParams;

    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_stop(Bound::MINORITY)
    }

    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self {
            waits: None,
            has_decided: false,
            reports: BTreeMap::new(),
            proposals: BTreeMap::new(),
        }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![UNIFORM_AGREEMENT]
    }
}
