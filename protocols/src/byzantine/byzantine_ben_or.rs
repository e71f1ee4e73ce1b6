//! Ben-Or against liars: Byzantine agreement without timing, by tossing coins.
//!
//! Source: Ben-Or (1983), *Another advantage of free choice*, the protocol for Byzantine faults
//! (`ben-or` is the one for crashes). Spec: [`ByzantineAgreement`]. Model: asynchronous, at most f
//! Byzantine processes among n > 5f, links that are reliable and authenticated; all correct
//! processes propose; termination with probability 1.
//!
//! Steps: every process has an estimate, at first its proposal. In each round
//!
//! - it sends REPORT with its estimate to all, and waits for n - f reports. If more than (n + f)/2
//!   are of one value, it sends PROPOSAL with this value to all, otherwise PROPOSAL without a
//!   value;
//! - it waits for n - f proposals. If more than f are of one value, this value is its new estimate;
//!   otherwise it tosses a coin. If more than (n + f)/2 are of one value, it decides this value.
//!
//! A process that decides sends both messages of the next round, and stops.
//!
//! Why it works: two sets of more than (n + f)/2 processes share a correct one, so in one round all
//! correct processes that propose a value propose the same. If a correct process decides v, more
//! than (n - f)/2 correct ones have proposed it. All others miss at most f of these, and see more
//! than (n - 3f)/2 > f of them; fewer than that can be of liars alone. So all estimates of the next
//! round are v, all see at least n - 2f > (n + f)/2 of them, and all decide v: n > 5f. For the same
//! reason all decide in the first round if they propose the same. As long as nobody decides, all
//! coins fall alike in some round, and on the value that others adopt if there is one, with
//! probability 1.
//!
//! Words: a *D message* of 1983 is a proposal with a value, and a *?* one without. The paper's
//! values are 0 and 1. Here they are any, and the coin falls on 0, on 1, or on a value that more
//! than f have reported: what a correct process adopts is one that more than (n - 3f)/2 > f correct
//! ones report to everybody.

mod canvasser;

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::model::adversary::CustomAdversary;
use ftsim_core::prelude::*;

use crate::parts::votes::Votes;
use crate::spec::byzantine::{BYZ_AGREEMENT, BYZ_VALIDITY, ByzantineAgreement};
use crate::spec::consensus::{Indication, Request, TERMINATION, Value};

/// Counts from 1.
type Round = u64;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The sender's estimate.
    Report { round: Round, value: Value },
    /// The value that most have reported to the sender, if there is one.
    Proposal { round: Round, value: Option<Value> },
}

/// A process of Ben-Or's protocol for Byzantine faults.
#[derive(Clone, Debug, Hash)]
pub struct ByzantineBenOr {
    f: u32,
    /// The round, and whether it waits for reports or for proposals; none before it is asked to
    /// propose, and after it has decided.
    waits: Option<(Round, For)>,
    has_decided: bool,
    /// What has come, of this round and later ones.
    reports: BTreeMap<Round, Votes<Value>>,
    proposals: BTreeMap<Round, Votes<Option<Value>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum For {
    Reports,
    Proposals,
}

impl Process for ByzantineBenOr {
    type Spec = ByzantineAgreement;
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
        let now = self.waits.map_or(1, |(round, _)| round);
        match msg {
            _ if self.has_decided => return,
            Msg::Report { round, value } if round >= now => {
                self.reports.entry(round).or_default().cast(from, value);
            }
            Msg::Proposal { round, value } if round >= now => {
                self.proposals.entry(round).or_default().cast(from, value);
            }
            _ => return,
        }
        self.advance(cx);
    }
}

impl ByzantineBenOr {
    fn begin(&mut self, round: Round, estimate: Value, cx: &mut Cx<Self>) {
        self.waits = Some((round, For::Reports));
        self.reports = self.reports.split_off(&round);
        self.proposals = self.proposals.split_off(&round);
        cx.broadcast(Msg::Report { round, value: estimate });
    }

    /// Goes on as far as what has come allows.
    fn advance(&mut self, cx: &mut Cx<Self>) {
        while let Some((round, waits_for)) = self.waits {
            let came = match waits_for {
                For::Reports => self.reports.get(&round).map_or(0, Votes::count),
                For::Proposals => self.proposals.get(&round).map_or(0, Votes::count),
            };
            if came < (cx.n() - self.f) as usize {
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
        let most = self.reports.get(&round).and_then(Votes::most_frequent);
        let value = most.filter(|(_, count)| self.is_quorum(*count, cx)).map(|(value, _)| value);
        cx.broadcast(Msg::Proposal { round, value });
    }

    /// Enough proposals have come.
    fn end_round(&mut self, round: Round, cx: &mut Cx<Self>) {
        let most = self.proposals.get(&round).and_then(Votes::most_frequent_of_some);
        match most {
            Some((value, count)) if self.decides_with(count, cx) => self.decide(round, value, cx),
            Some((value, count)) if count > self.f => {
                cx.reach("adopted a proposal");
                self.begin(round.saturating_add(1), value, cx);
            }
            _ => {
                cx.reach("tossed a coin");
                let value = self.toss(round, cx);
                self.begin(round.saturating_add(1), value, cx);
            }
        }
    }

    /// 0, 1, or what more than f have reported, one of them correct.
    fn toss(&self, round: Round, cx: &mut Cx<Self>) -> Value {
        let mut sides = BTreeSet::from([0, 1]);
        sides.extend(self.reports.get(&round).into_iter().flat_map(|votes| votes.above(self.f)));
        let side = cx.rng().below(sides.len() as u64);
        let side = usize::try_from(side).unwrap_or_default();
        sides.into_iter().nth(side).unwrap_or_default()
    }

    /// Whether any two sets of this many processes share a correct one.
    fn is_quorum(&self, count: u32, cx: &Cx<Self>) -> bool {
        2 * count > cx.n() + self.f
    }

    fn decides_with(&self, count: u32, cx: &Cx<Self>) -> bool {
        if cx.runs(&DECIDE_ABOVE_F) { count > self.f } else { self.is_quorum(count, cx) }
    }

    fn decide(&mut self, round: Round, value: Value, cx: &mut Cx<Self>) {
        self.waits = None;
        self.has_decided = true;
        cx.indicate(Indication::Decide(value));
        if !cx.runs(&STOP_AT_ONCE) {
            let round = round.saturating_add(1);
            cx.send_to_others(Msg::Report { round, value });
            cx.send_to_others(Msg::Proposal { round, value: Some(value) });
        }
    }
}

/// `[params]` of Ben-Or's protocol for Byzantine faults.
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

const N_5F: Mutant = Mutant::assumption(
    "n-5f",
    "has 5f processes, f = 1: one that lies spoils a unanimity",
    BYZ_VALIDITY,
    "processes",
    Some("6"),
);
const STOP_AT_ONCE: Mutant =
    Mutant::code("stop-at-once", "a process that decides sends nothing more", TERMINATION);
const DECIDE_ABOVE_F: Mutant = Mutant::code(
    "decide-above-f",
    "decides on more than f proposals of a value, as is enough where processes crash",
    BYZ_AGREEMENT,
);

impl Protocol for ByzantineBenOr {
    const NAME: &'static str = "byzantine-ben-or";
    const SUMMARY: &'static str = "Byzantine agreement: rounds of reports and proposals, and coins";
    const SOURCE: &'static str = "Ben-Or 1983, Another advantage of free choice";
    const MUTANTS: &'static [Mutant] = &[N_5F, STOP_AT_ONCE, DECIDE_ABOVE_F];
    const ADVERSARIES: &'static [CustomAdversary<Msg>] = &[canvasser::CANVASSER];

    type Params = Params;

    fn model(params: &Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.byzantine(Bound::LESS_THAN_A_FIFTH.given_as("f", params.f))
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
        Self {
            f: params.f,
            waits: None,
            has_decided: false,
            reports: BTreeMap::new(),
            proposals: BTreeMap::new(),
        }
    }
}
