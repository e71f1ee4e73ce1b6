//! A traitor that follows a script: for tests that try every possible lie.

use ftsim_core::adversary::Behaviour;
use ftsim_core::bench::Bench;
use ftsim_core::{
    Cx, Model, Mutant, Part, Process, ProcessId, ProcessSet, Protocol, Request, Setting, Settings,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The protocol `P`, with one process that only sends the messages of a script, all of them at the
/// start.
#[derive(Clone, Debug, Hash)]
pub enum Scripted<P: Protocol> {
    Correct(P),
    Traitor(Vec<(ProcessId, P::Msg)>),
}

/// The traitor and its messages, and the parameters of the protocol.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Script {
    traitor: u32,
    says: Value,
    params: Value,
}

impl Default for Script {
    fn default() -> Self {
        let empty = || Value::Object(serde_json::Map::new());
        Self { traitor: u32::MAX, says: Value::Array(Vec::new()), params: empty() }
    }
}

impl Script {
    fn params<T: Settings>(&self) -> T {
        serde_json::from_value(self.params.clone()).expect("parameters")
    }
}

/// Gives a bench of a scripted protocol these parameters of the protocol, and lets `traitor` send
/// these messages.
pub fn traitor(bench: Bench, params: &str, traitor: u32, says: &[(ProcessId, Value)]) -> Bench {
    let says = serde_json::to_value(says).expect("messages are plain data");
    let params = serde_json::from_str(params).expect("valid JSON");
    let script = Script { traitor, says, params };
    let script = serde_json::to_string(&script).expect("a script is plain data");
    // It is Byzantine, but the adversary does not change its messages.
    let verbatim = Behaviour::Withhold(ProcessSet::new());
    bench.params(&script).byzantine(traitor, verbatim)
}

impl<P: Protocol> Scripted<P> {
    fn correctly(&mut self, cx: &mut Cx<Self>, handler: impl FnOnce(&mut P, &mut Cx<P>)) {
        let Self::Correct(process) = self else { return };
        let part = Part { msg: |msg| msg, timer: |timer| timer, record: |record| record };
        for what in cx.layer(&part, |cx| handler(process, cx)) {
            cx.indicate(what);
        }
    }
}

impl<P: Protocol> Process for Scripted<P> {
    type Spec = P::Spec;
    type Msg = P::Msg;
    type Timer = P::Timer;
    type Record = P::Record;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if let Self::Traitor(says) = self {
            for (to, msg) in says {
                cx.send(*to, msg.clone());
            }
        }
        self.correctly(cx, Process::on_start);
    }

    fn on_request(&mut self, request: Request<Self>, cx: &mut Cx<Self>) {
        self.correctly(cx, |p, cx| p.on_request(request, cx));
    }

    fn on_message(&mut self, from: ProcessId, msg: P::Msg, cx: &mut Cx<Self>) {
        self.correctly(cx, |p, cx| p.on_message(from, msg, cx));
    }

    fn on_timer(&mut self, timer: P::Timer, cx: &mut Cx<Self>) {
        self.correctly(cx, |p, cx| p.on_timer(timer, cx));
    }
}

impl<P: Protocol> Protocol for Scripted<P> {
    const NAME: &'static str = P::NAME;
    const SUMMARY: &'static str = P::SUMMARY;
    const SOURCE: &'static str = P::SOURCE;
    const ROLES: &'static [&'static str] = P::ROLES;
    const MUTANTS: &'static [Mutant] = P::MUTANTS;

    type Params = Script;

    fn model(script: &Script, setting: &Setting) -> Model {
        P::model(&script.params(), setting)
    }

    fn new(script: &Script, setting: &Setting, me: ProcessId) -> Self {
        if me.0 == script.traitor {
            let says = serde_json::from_value(script.says.clone());
            return Self::Traitor(says.expect("a script of messages"));
        }
        Self::Correct(P::new(&script.params(), setting, me))
    }
}

/// All lists of `len` items drawn from `choices`.
pub fn all_lists<T: Copy>(choices: &[T], len: usize) -> Vec<Vec<T>> {
    let mut lists = vec![Vec::new()];
    for _ in 0..len {
        let longer = |list: &Vec<T>| {
            let list = list.clone();
            choices.iter().map(move |choice| [list.as_slice(), &[*choice]].concat())
        };
        lists = lists.iter().flat_map(longer).collect();
    }
    lists
}
