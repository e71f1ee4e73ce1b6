//! Mutual exclusion by a token that goes round a ring.
//!
//! Source: Le Lann (1977). Spec: [`MutualExclusion`]. Model: asynchronous, reliable links, no
//! failures.
//!
//! Steps: the token begins at p0. A process that receives it enters if it wants to, and sends the
//! token to the next process of the ring when it exits; if it does not want to enter, it sends the
//! token on at once.
//!
//! Why it works: there is one token, and everybody gets it in turn.

use ftsim_core::prelude::*;

use crate::spec::mutual_exclusion::{
    EXCLUSION, EntryNumber, Indication, MutualExclusion, Request, STARVATION_FREE, WELL_FORMED,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Whoever has it may enter.
    Token,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// With the mutant `regenerate-on-timeout`: the token is taken for lost.
    Lost,
}

/// A process of a token ring.
#[derive(Clone, Debug, Hash)]
pub struct TokenRing {
    timeout: Duration,
    has_token: bool,
    is_inside: bool,
    /// The entry that it waits for.
    wants: Option<EntryNumber>,
}

impl Process for TokenRing {
    type Spec = MutualExclusion;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if cx.me() == ProcessId(0) {
            self.on_token(cx);
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match request {
            Request::Enter(number) => {
                self.wants = Some(number);
                if self.has_token {
                    self.on_token(cx);
                } else if cx.runs(&REGENERATE_ON_TIMEOUT) {
                    cx.set_timer(self.timeout, Timer::Lost);
                }
            }
            Request::Exit(number) if self.is_inside => self.exit(number, cx),
            Request::Exit(_) => {}
        }
    }

    fn on_message(&mut self, _: ProcessId, Msg::Token: Msg, cx: &mut Cx<Self>) {
        self.on_token(cx);
    }

    fn on_timer(&mut self, Timer::Lost: Timer, cx: &mut Cx<Self>) {
        if self.wants.is_some() {
            self.on_token(cx);
        }
    }
}

impl TokenRing {
    fn on_token(&mut self, cx: &mut Cx<Self>) {
        self.has_token = true;
        match self.wants.take() {
            Some(number) => {
                self.is_inside = true;
                cx.indicate(Indication::Entered(number));
                if cx.runs(&EXIT_UNASKED) {
                    self.exit(number, cx);
                }
            }
            None => self.pass_on(cx),
        }
    }

    fn exit(&mut self, number: EntryNumber, cx: &mut Cx<Self>) {
        self.is_inside = false;
        cx.indicate(Indication::Exited(number));
        self.pass_on(cx);
    }

    /// Sends the token to the next process. Alone, a process keeps it.
    fn pass_on(&mut self, cx: &mut Cx<Self>) {
        if cx.n() > 1 {
            self.has_token = false;
            cx.send(ProcessId((cx.me().0 + 1) % cx.n()), Msg::Token);
        }
    }
}

/// `[params]` of a token ring.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// How long a process waits for the token before it makes a new one (with the mutant
    /// `regenerate-on-timeout`).
    pub timeout: Duration,
}

impl Default for Params {
    fn default() -> Self {
        Self { timeout: Duration::from_millis(100) }
    }
}

const REGENERATE_ON_TIMEOUT: Mutant = Mutant::code(
    "regenerate-on-timeout",
    "makes a new token when the old one, which is slow, seems to be lost",
    EXCLUSION,
);
const EXIT_UNASKED: Mutant =
    Mutant::code("exit-unasked", "leaves as soon as it has entered", WELL_FORMED);

impl Protocol for TokenRing {
    const NAME: &'static str = "token-ring";
    const SUMMARY: &'static str = "mutual exclusion by a token that goes round a ring";
    const SOURCE: &'static str = "Le Lann 1977";
    const MUTANTS: &'static [Mutant] = &[REGENERATE_ON_TIMEOUT, EXIT_UNASKED];

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS
    }

    fn new(params: &Params, _: &Setting, _: ProcessId) -> Self {
        Self { timeout: params.timeout, has_token: false, is_inside: false, wants: None }
    }

    fn claims(_: &Params, _: &Setting) -> Vec<PropertyId> {
        vec![STARVATION_FREE]
    }
}
