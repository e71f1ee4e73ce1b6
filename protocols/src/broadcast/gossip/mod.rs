//! Gossip: processes tell random others, and almost all hear of a message.
//!
//! Source: Demers et al. (1987), *Epidemic algorithms for replicated database maintenance*, for all
//! modes and the ways to stop; Pittel (1987), *On spreading a rumor*, for `push`; Eugster,
//! Guerraoui, Kermarrec and Massoulié (2004), *Epidemic information dissemination in distributed
//! systems*, for `infect-and-die`. Spec: [`Dissemination`]. Model: crash-stop, f < n/2, reliable
//! links; asynchronous, but synchronous for `pull`, where answers depend on when one asks.
//!
//! Steps: a process that learns of a message passes it on for some rounds, each to k random others.
//! With `push` its first round is at once, with `push-pull` in its next round. With `pull` and
//! `push-pull` every process asks k others in each round, always, and is told the messages that
//! they still pass on. `infect-and-die` is `push` for one round. How long a process passes a
//! message on (`stop`) is a number of rounds, or with rumor mongering until it loses interest: at
//! random (`blind-coin`), or because others know the message already (`feedback-coin`,
//! `feedback-counter`).
//!
//! Why it works: while few know a message, almost all who are told are new, and their number grows
//! by a factor in every round; when few are left, each is missed by all others with a probability
//! that falls exponentially. A share s is missed: with r rounds of k targets s = e^(−kr(1 − s)),
//! with `feedback-coin` s = e^(−(k + 1)(1 − s)), if a message finds a process new with the
//! probability of that instant: one target in a round, and answers before the next. All of n are
//! reached with probability e^(−e^(−c)) if each tells ln n + c others, once (Kermarrec, Massoulié
//! and Ganesh 2003). `push` to one in a round reaches all after log2 n + ln n + O(1) rounds. No
//! process is certain to be told, so this is no reliable broadcast (mutant `as-rb`).
//!
//! What it promises: by default 90 % of the correct processes if k·r ≥ 40, otherwise nothing; with
//! `pull`, r counts only the rounds that are left once the first questions have arrived. If half of
//! the processes are faulty, all k·r draws of the sender miss the correct ones in one of 2^(k·r)
//! runs (`pull`: nobody asks it in one of e^(k·r/2)); so fewer than one run in 10^8 does not keep
//! the promise. `coverage` promises a share at the user's own risk. Loss p of messages has
//! the effect of k(1 − p) in place of k.
//!
//! Every process knows all others; the partial views of Eugster et al. (2003) are left out.
//!
//! Demers tosses the blind coin after each contact, here it is tossed after each round: the same
//! with one target.
//!
//! Words: Demers' *rumor* is our message, *residue* the share s; *rumor mongering* is `push` with a
//! `stop` other than `rounds`, *anti-entropy* is near to `pull` and `push-pull` with many rounds.

mod rumors;

use ftsim_core::prelude::*;

use crate::parts::sample::sample;
use crate::spec::dissemination::{
    AGREEMENT, COVERAGE, Dissemination, Indication, MessageNumber, NO_CREATION, NO_DUPLICATION,
    Request, Share,
};
use crate::spec::message_set::MessageName;
use rumors::Rumors;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message, from its sender or passed on.
    Data { sender: ProcessId, number: MessageNumber },
    /// The receiver knew the message already.
    Known { sender: ProcessId, number: MessageNumber },
    /// A request for messages.
    Ask,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// A round begins.
    Round,
}

/// A process that gossips.
#[derive(Clone, Debug, Hash)]
pub struct Gossip {
    rumors: Rumors,
    mode: Mode,
    stop: Stop,
    fanout: u32,
    /// The number of rounds, contacts or, on the average, coins after which a message is no longer
    /// passed on.
    patience: u32,
    period: Duration,
    promise: Option<Share>,
}

impl Process for Gossip {
    type Spec = Dissemination;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if self.asks() {
            cx.set_timer(self.period, Timer::Round);
        }
    }

    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        if let Some(share) = self.promise {
            cx.indicate(Indication::Reaches(share));
        }
        self.learn((cx.me(), number), self.interest(), cx);
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Data { sender, number } if self.rumors.knows((sender, number)) => {
                if cx.runs(&NO_DEDUP) {
                    cx.indicate(Indication::Deliver { sender, number });
                }
                if self.stop.needs_feedback() {
                    cx.send(from, Msg::Known { sender, number });
                }
            }
            Msg::Data { sender, number } => {
                let interest = if cx.runs(&TTL_1) { 0 } else { self.interest() };
                self.learn((sender, number), interest, cx);
            }
            Msg::Known { sender, number } => self.told_in_vain((sender, number), cx),
            Msg::Ask => {
                for message in self.rumors.hot() {
                    cx.send(from, data(message, cx));
                }
            }
        }
    }

    fn on_timer(&mut self, Timer::Round: Timer, cx: &mut Cx<Self>) {
        if self.asks() {
            self.call(cx);
        } else {
            for message in self.rumors.hot() {
                self.push(message, cx);
            }
        }
        self.end_round(None, cx);
        if self.asks() || self.rumors.hot().next().is_some() {
            cx.set_timer(self.period, Timer::Round);
        }
    }
}

impl Gossip {
    const fn asks(&self) -> bool {
        matches!(self.mode, Mode::Pull | Mode::PushPull)
    }

    /// The interest in a new message: it is passed on while this is above zero.
    const fn interest(&self) -> u32 {
        match self.stop {
            Stop::Rounds | Stop::FeedbackCounter => self.patience,
            Stop::BlindCoin | Stop::FeedbackCoin => 1,
        }
    }

    fn learn(&mut self, message: MessageName, interest: u32, cx: &mut Cx<Self>) {
        let was_idle = self.rumors.hot().next().is_none();
        self.rumors.learn(message, interest);
        let (sender, number) = message;
        cx.indicate(Indication::Deliver { sender, number });
        if self.asks() || interest == 0 {
            return;
        }
        self.push(message, cx);
        self.end_round(Some(message), cx);
        if was_idle && self.rumors.hot().next().is_some() {
            cx.set_timer(self.period, Timer::Round);
        }
    }

    fn push(&self, message: MessageName, cx: &mut Cx<Self>) {
        let (targets, msg) = (self.targets(cx), data(message, cx));
        cx.send_to(targets, msg);
    }

    /// Asks random others and, with `push-pull`, tells them what it knows.
    fn call(&self, cx: &mut Cx<Self>) {
        for p in self.targets(cx) {
            if self.mode == Mode::PushPull {
                for message in self.rumors.hot() {
                    cx.send(p, data(message, cx));
                }
            }
            cx.send(p, Msg::Ask);
        }
    }

    /// Other processes, each set of them with the same probability.
    fn targets(&self, cx: &mut Cx<Self>) -> impl Iterator<Item = ProcessId> + use<> {
        let (me, others) = (cx.me().0, cx.n() - 1);
        let chosen = sample(self.fanout, others, cx.rng());
        chosen.into_iter().map(move |i| ProcessId(if i < me { i } else { i + 1 }))
    }

    /// This message, or each of them, has been passed on for one more round.
    fn end_round(&mut self, only: Option<MessageName>, cx: &mut Cx<Self>) {
        let (stop, patience) = (self.stop, self.patience);
        self.rumors.cool(|message, interest| {
            if only.is_some_and(|only| only != message) {
                return;
            }
            match stop {
                Stop::Rounds => *interest -= 1,
                Stop::BlindCoin if loses_interest(patience, cx) => *interest = 0,
                _ => {}
            }
        });
    }

    /// A process that was told this message knew it.
    fn told_in_vain(&mut self, message: MessageName, cx: &mut Cx<Self>) {
        let (stop, patience) = (self.stop, self.patience);
        self.rumors.cool(|known, interest| {
            if known != message {
                return;
            }
            match stop {
                Stop::FeedbackCounter => *interest -= 1,
                Stop::FeedbackCoin if loses_interest(patience, cx) => *interest = 0,
                _ => {}
            }
        });
    }
}

fn data((sender, number): MessageName, cx: &Cx<Gossip>) -> Msg {
    let sender = if cx.runs(&RELAY_AS_OWN) { cx.me() } else { sender };
    Msg::Data { sender, number }
}

fn loses_interest(k: u32, cx: &mut Cx<Gossip>) -> bool {
    cx.rng().below(u64::from(k)) == 0
}

/// Who speaks when two processes meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Who knows a message calls others.
    #[default]
    Push,
    /// Everybody calls others, and is told.
    Pull,
    /// Everybody calls others, tells, and is told.
    PushPull,
    /// As `push`, for one round.
    InfectAndDie,
}

/// When a process no longer passes a message on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// After `rounds` rounds.
    #[default]
    Rounds,
    /// After each round, with probability 1/k.
    BlindCoin,
    /// Each time that it has told a process in vain, with probability 1/k.
    FeedbackCoin,
    /// When it has told k processes in vain.
    FeedbackCounter,
}

impl Stop {
    const fn needs_feedback(self) -> bool {
        matches!(self, Self::FeedbackCoin | Self::FeedbackCounter)
    }
}

/// `[params]` of `gossip`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GossipParams {
    /// Who speaks when two processes meet.
    pub mode: Mode,
    /// k: the number of other processes that a process calls in a round.
    pub fanout: u32,
    /// The time between two rounds.
    pub period: Duration,
    /// When a process no longer passes a message on; other than `rounds` only with `push`.
    pub stop: Stop,
    /// r: the number of rounds for which a process passes a message on, if `stop` is `rounds`; 1
    /// with `infect-and-die`.
    pub rounds: u32,
    /// The k of `blind-coin`, `feedback-coin` and `feedback-counter`.
    pub k: u32,
    /// The share of the correct processes that a message is promised to reach, from 0 to 1. By
    /// default 0.9 if `fanout` times `rounds` is at least 40, otherwise nothing is promised. With
    /// `pull`, rounds that pass while the first questions are under way do not count.
    pub coverage: Option<f64>,
}

impl Default for GossipParams {
    fn default() -> Self {
        Self {
            mode: Mode::Push,
            fanout: 4,
            period: Duration::from_millis(10),
            stop: Stop::Rounds,
            rounds: 10,
            k: 2,
            coverage: None,
        }
    }
}

/// The number of contacts of a process from which on a share of 0.9 is promised.
const CONTACTS_OF_A_PROMISE: u64 = 40;

impl GossipParams {
    fn rounds(&self) -> u32 {
        if self.mode == Mode::InfectAndDie { 1 } else { self.rounds }
    }

    fn promise(&self, setting: &Setting) -> Option<Share> {
        // With `pull`, those who ask are heard so many rounds late.
        let late = match self.mode {
            Mode::Pull => setting.delay_bound.as_nanos().div_ceil(self.period.as_nanos().max(1)),
            Mode::Push | Mode::PushPull | Mode::InfectAndDie => 0,
        };
        let contacts = u64::from(self.fanout) * u64::from(self.rounds()).saturating_sub(late);
        let suffices = self.stop == Stop::Rounds && contacts >= CONTACTS_OF_A_PROMISE;
        self.coverage.or(suffices.then_some(0.9)).and_then(Share::new)
    }
}

const NO_DEDUP: Mutant =
    Mutant::code("no-dedup", "delivers a message each time that it arrives", NO_DUPLICATION);
const TTL_1: Mutant =
    Mutant::code("ttl-1", "passes nothing on that it was told: one hop is all", COVERAGE);
const RELAY_AS_OWN: Mutant =
    Mutant::code("relay-as-own", "passes messages on under its own name", NO_CREATION);
const AS_RB: Mutant =
    Mutant::assumption("as-rb", "is expected to be a reliable broadcast", AGREEMENT, "check", None);
const PROMISES_TOO_MUCH: Mutant = Mutant::assumption(
    "promises-too-much",
    "promises a share that it cannot be sure to reach",
    COVERAGE,
    "params.coverage",
    None,
);

impl Protocol for Gossip {
    const NAME: &'static str = "gossip";
    const SUMMARY: &'static str = "probabilistic broadcast: tell random others";
    const SOURCE: &'static str =
        "Demers et al. 1987; Pittel 1987; Eugster, Guerraoui, Kermarrec & Massoulié 2004";
    const MUTANTS: &'static [Mutant] = &[NO_DEDUP, TTL_1, RELAY_AS_OWN, AS_RB, PROMISES_TOO_MUCH];

    type Params = GossipParams;

    fn model(params: &GossipParams, _: &Setting) -> Model {
        let model = match params.mode {
            Mode::Pull => Model::SYNCHRONOUS,
            Mode::Push | Mode::PushPull | Mode::InfectAndDie => Model::ASYNCHRONOUS,
        };
        model.crash_stop(Bound::MINORITY)
    }

    fn validate(params: &GossipParams, _: &Setting) -> Result<(), Invalid> {
        let counts = [("fanout", params.fanout), ("rounds", params.rounds), ("k", params.k)];
        if let Some((key, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(Invalid::new(key, "must be at least 1"));
        }
        if params.period == Duration::ZERO {
            return Err(Invalid::new("period", "must be longer than zero"));
        }
        if params.stop != Stop::Rounds && params.mode != Mode::Push {
            return Err(Invalid::new("stop", "only `push` can stop in another way than by rounds"));
        }
        if params.coverage.is_some_and(|share| Share::new(share).is_none()) {
            return Err(Invalid::new("coverage", "must be from 0 to 1"));
        }
        Ok(())
    }

    fn new(params: &GossipParams, setting: &Setting, _: ProcessId) -> Self {
        let GossipParams { mode, fanout, period, stop, k, .. } = *params;
        let patience = if stop == Stop::Rounds { params.rounds() } else { k };
        let promise = params.promise(setting);
        Self { rumors: Rumors::default(), mode, stop, fanout, patience, period, promise }
    }

    fn claims(params: &GossipParams, setting: &Setting) -> Vec<PropertyId> {
        params.promise(setting).map(|_| COVERAGE).into_iter().collect()
    }
}
