//! Mutual exclusion by a token that goes round.
//!
//! Source: Le Lann (1977), Distributed systems: towards a formal approach. Spec:
//! [`MutualExclusion`]. Model: asynchronous, reliable links, no failure.
//!
//! Steps: p0 has the token first, and keeps it for a while. Who has it and wants to enter does so,
//! and passes it on to the next process afterwards; who does not want to passes it on at once. It
//! goes round `rounds` times.
//!
//! Why it works: there is one token.

use ftsim::prelude::*;

use crate::mutual_exclusion::{EXCLUSION, Indication, MutualExclusion, Request};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// How often p0 sends it once more.
    Token(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// The token goes on its way.
    Begin,
    /// The critical section is over; the token that came goes on.
    Leave(u32),
}

/// A process of the ring.
#[derive(Clone, Debug, Hash)]
pub struct TokenRing {
    params: Params,
    wants: bool,
}

impl Process for TokenRing {
    type Spec = MutualExclusion;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if cx.me() == ProcessId(0) {
            cx.set_timer(self.params.stay, Timer::Begin);
        }
    }

    fn on_request(&mut self, Request::Enter: Request, _: &mut Cx<Self>) {
        self.wants = true;
    }

    fn on_message(&mut self, _: ProcessId, Msg::Token(rounds): Msg, cx: &mut Cx<Self>) {
        if !self.wants {
            return pass_on(rounds, cx);
        }
        self.wants = false;
        cx.indicate(Indication::Entered);
        cx.set_timer(self.params.stay, Timer::Leave(rounds));
        if cx.runs(&KEEPS_NO_TOKEN) {
            pass_on(rounds, cx);
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match timer {
            Timer::Begin => cx.send(cx.me(), Msg::Token(self.params.rounds)),
            Timer::Leave(rounds) => {
                cx.indicate(Indication::Left);
                if !cx.runs(&KEEPS_NO_TOKEN) {
                    pass_on(rounds, cx);
                }
            }
        }
    }
}

fn pass_on(rounds: u32, cx: &mut Cx<TokenRing>) {
    let next = ProcessId((cx.me().0 + 1) % cx.n());
    match (cx.me(), rounds) {
        (ProcessId(0), 0) => cx.reach("the last round is over"),
        (ProcessId(0), _) => cx.send(next, Msg::Token(rounds - 1)),
        _ => cx.send(next, Msg::Token(rounds)),
    }
}

/// `[params]` of the ring.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// How often the token goes round.
    pub rounds: u32,
    /// How long a critical section is.
    pub stay: Duration,
}

impl Default for Params {
    fn default() -> Self {
        Self { rounds: 2, stay: Duration::from_millis(20) }
    }
}

const KEEPS_NO_TOKEN: Mutant =
    Mutant::code("keeps-no-token", "passes the token on as soon as it enters", EXCLUSION);

impl Protocol for TokenRing {
    const NAME: &'static str = "token-ring";
    const SUMMARY: &'static str = "mutual exclusion: who has the token may enter";
    const SOURCE: &'static str = "Le Lann 1977, Distributed systems: towards a formal approach";
    const MUTANTS: &'static [Mutant] = &[KEEPS_NO_TOKEN];

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS
    }

    fn validate(params: &Params, _: &Setting) -> Result<(), Invalid> {
        match params {
            Params { rounds: 0, .. } => Err(Invalid::new("rounds", "nobody but p0 gets it then")),
            Params { stay: Duration::ZERO, .. } => Err(Invalid::new("stay", "it is no stay then")),
            _ => Ok(()),
        }
    }

    fn new(params: &Params, _: &Setting, _: ProcessId) -> Self {
        Self { params: params.clone(), wants: false }
    }
}
