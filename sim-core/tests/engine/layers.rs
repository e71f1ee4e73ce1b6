//! A layer changes nothing: whatever the inner protocol asks for comes out wrapped, in its place
//! and order.

use ftsim_core::environment::detector::DetectorKind;
use ftsim_core::{Cx, Model, Part, Process, ProcessId, Protocol, Request, Setting, Stored};
use serde::{Deserialize, Serialize};

use crate::scripted::{self, Actor, Do, Script, Stage, after_effect, at, crash_for};

/// An actor inside another process.
#[derive(Clone, Debug, Hash)]
struct Costume(Actor);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Msg {
    Inner(scripted::Msg),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
struct Timer(u8);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Record(u64);

const ACTOR: Part<Costume, Actor> = Part { msg: Msg::Inner, timer: Timer, record: Record };

impl Costume {
    fn play(&mut self, cx: &mut Cx<Self>, act: impl FnOnce(&mut Actor, &mut Cx<Actor>)) {
        let Self(actor) = self;
        for said in cx.layer(&ACTOR, |cx| act(actor, cx)) {
            cx.indicate(said);
        }
    }
}

impl Process for Costume {
    type Spec = scripted::Theatre;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        let inner: Vec<_> =
            log.iter().filter_map(|r| r.intact().map(|r| Stored::Intact(r.0))).collect();
        self.play(cx, |actor, cx| actor.on_recover(&inner, cx));
    }
    fn on_request(&mut self, todo: Request<Self>, cx: &mut Cx<Self>) {
        self.play(cx, |actor, cx| actor.on_request(todo, cx));
    }
    fn on_message(&mut self, from: ProcessId, Msg::Inner(msg): Msg, cx: &mut Cx<Self>) {
        self.play(cx, |actor, cx| actor.on_message(from, msg, cx));
    }
    fn on_timer(&mut self, Timer(timer): Timer, cx: &mut Cx<Self>) {
        self.play(cx, |actor, cx| actor.on_timer(timer, cx));
    }
    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        self.play(cx, |actor, cx| actor.on_suspect(p, cx));
    }
    fn on_trust(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        self.play(cx, |actor, cx| actor.on_trust(p, cx));
    }
}

impl Protocol for Costume {
    const NAME: &'static str = "costume";
    const SUMMARY: &'static str = "an actor inside another process";
    const SOURCE: &'static str = "none";
    fn model(_: &Self::Params, _: &Setting) -> Model {
        Actor::model(&Script::default(), &Setting::of(1))
    }
    type Params = Script;
    fn new(params: &Script, setting: &Setting, me: ProcessId) -> Self {
        Self(Actor::new(params, setting, me))
    }
}

fn stage() -> Stage {
    let lines = [
        (0, 0, vec![Do::Broadcast(5), Do::SetTimer(40, 1), Do::SetTimer(30, 2), Do::Cancel(2)]),
        (1, 1, vec![Do::Append(1), Do::Sync, Do::Append(2), Do::Say(3), Do::Clock, Do::Toss]),
        (70, 1, vec![Do::Send(0, 8), Do::SetTimer(5, 9)]),
    ];
    Stage::new(3, &lines)
        .with(|e| e.detector.kind = DetectorKind::Perfect)
        .fault(at(50), crash_for(1, Some(10)))
}

#[test]
fn every_effect_survives_the_wrapping() {
    let bare = stage().play();
    assert!(bare.len() > 12, "{bare:?}");
    assert_eq!(stage().play_with::<Costume>(), bare);
}

#[test]
fn a_crash_lands_between_the_inner_effects_too() {
    let stage = || stage().fault(after_effect(0, 2), crash_for(0, None));
    assert_eq!(stage().play_with::<Costume>(), stage().play());
}

#[test]
fn kinds_are_paths_through_the_layer() {
    let kind = ftsim_core::kind::MessageKind::of(&Msg::Inner(scripted::Msg::Data(1)));
    assert_eq!(kind.to_string(), "Inner.Data");
}
