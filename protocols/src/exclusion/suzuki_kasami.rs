//! Mutual exclusion by a token that is sent to whoever asks for it.
//!
//! Source: Suzuki and Kasami (1985). Spec: [`MutualExclusion`]. Model: asynchronous, reliable
//! links, no failures.
//!
//! Steps: p0 has the token at the start. A process that wants to enter without the token sends a
//! numbered request to all others. The token carries, for each process, the number of the last
//! request that was granted, and a queue. A process that exits writes its own number on the token,
//! adds to the queue those whose request is the next to be granted, and sends the token to the
//! first. A process that has the token and does not use it sends it at once, if the request is the
//! next of its sender, and no old one.
//!
//! Why it works: there is one token. Everybody knows of every request, so the owner of the token
//! does, and the queue is first in, first out.

use std::collections::{BTreeMap, VecDeque};

use ftsim_core::prelude::*;

use crate::spec::mutual_exclusion::{
    EntryNumber, FIFO, Indication, MutualExclusion, PROGRESS, Request, STARVATION_FREE,
};

/// The number of a request, among those of its process.
type Sequence = u64;

/// What lets a process enter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Token {
    /// The last request of each process that was granted; 0 if there is none.
    granted: BTreeMap<ProcessId, Sequence>,
    /// Those who get the token next.
    queue: VecDeque<ProcessId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The sender wants the token.
    Request { sequence: Sequence },
    /// The receiver may enter.
    Token(Token),
}

/// A process of Suzuki and Kasami's mutual exclusion.
#[derive(Clone, Debug, Hash)]
pub struct SuzukiKasami {
    token: Option<Token>,
    is_inside: bool,
    /// The entry that it waits for.
    wants: Option<EntryNumber>,
    /// The last known request of each process.
    requested: BTreeMap<ProcessId, Sequence>,
}

impl Process for SuzukiKasami {
    type Spec = MutualExclusion;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match request {
            Request::Enter(number) => {
                let sequence = self.requested.entry(cx.me()).or_default();
                *sequence += 1;
                let sequence = *sequence;
                self.wants = Some(number);
                if self.token.is_none() {
                    cx.send_to_others(Msg::Request { sequence });
                }
                self.enter_with_token(cx);
            }
            Request::Exit(number) => {
                self.is_inside = false;
                cx.indicate(Indication::Exited(number));
                self.pass_on(cx);
            }
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Request { sequence } => {
                let known = self.requested.entry(from).or_default();
                *known = sequence.max(*known);
                let is_idle = !self.is_inside && self.wants.is_none();
                if is_idle && let Some(token) = self.token.take() {
                    if self.is_next(from, &token) || cx.runs(&STALE_REQUEST) {
                        cx.send(from, Msg::Token(token));
                    } else {
                        cx.reach("an old request comes to an idle token");
                        self.token = Some(token);
                    }
                }
            }
            Msg::Token(token) => {
                self.token = Some(token);
                self.enter_with_token(cx);
            }
        }
    }
}

impl SuzukiKasami {
    fn enter_with_token(&mut self, cx: &mut Cx<Self>) {
        if self.token.is_some()
            && let Some(number) = self.wants.take()
        {
            self.is_inside = true;
            cx.indicate(Indication::Entered(number));
        }
    }

    fn pass_on(&mut self, cx: &mut Cx<Self>) {
        let Some(mut token) = self.token.take() else { return };
        let own = self.requested.get(&cx.me()).copied().unwrap_or_default();
        token.granted.insert(cx.me(), own);
        for p in cx.others() {
            if self.is_next(p, &token) && !token.queue.contains(&p) {
                token.queue.push_back(p);
            }
        }
        match token.queue.pop_front() {
            Some(first) => cx.send(first, Msg::Token(token)),
            None => self.token = Some(token),
        }
    }

    /// Whether the last known request of `p` is the next one to be granted to it.
    fn is_next(&self, p: ProcessId, token: &Token) -> bool {
        let granted = token.granted.get(&p).copied().unwrap_or_default();
        self.requested.get(&p).copied() == granted.checked_add(1)
    }
}

const STALE_REQUEST: Mutant = Mutant::code(
    "stale-request",
    "sends the token for a request that was granted long ago, to a process that does not want it",
    PROGRESS,
);
const AS_FIFO: Mutant = Mutant::assumption(
    "as-fifo",
    "is expected to grant requests in the order in which they happened",
    FIFO,
    "check",
    None,
);

impl Protocol for SuzukiKasami {
    const NAME: &'static str = "suzuki-kasami";
    const SUMMARY: &'static str = "mutual exclusion by a token, which goes to whoever asks all";
    const SOURCE: &'static str = "Suzuki & Kasami 1985";
    const MUTANTS: &'static [Mutant] = &[STALE_REQUEST, AS_FIFO];

    type Params = NoParams;

    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS
    }

    fn new(_: &NoParams, _: &Setting, me: ProcessId) -> Self {
        Self {
            token: (me == ProcessId(0)).then(Token::default),
            is_inside: false,
            wants: None,
            requested: BTreeMap::new(),
        }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![STARVATION_FREE]
    }
}
