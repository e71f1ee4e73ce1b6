//! An election of the catalogue, chosen by name, for protocols that need a leader.

use ftsim_core::Part;
use ftsim_core::prelude::*;

use super::bully::{self, Bully};
use super::ring_election::{self, RingElection};
use crate::spec::election::{Election, Request};

/// A way to elect the process with the greatest id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Solution {
    /// `bully`.
    #[default]
    Bully,
    /// `ring-election`.
    Ring,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    Bully(bully::Msg),
    Ring(ring_election::Msg),
}

/// A process of one of them.
#[derive(Clone, Debug, Hash)]
pub enum AnyElection {
    Bully(Bully),
    Ring(RingElection),
}

const BULLY: Part<AnyElection, Bully> =
    Part { msg: Msg::Bully, timer: |timer| timer, record: |record| record };
const RING: Part<AnyElection, RingElection> =
    Part { msg: Msg::Ring, timer: |never| match never {}, record: |record| record };

impl Process for AnyElection {
    type Spec = Election;
    type Msg = Msg;
    type Timer = bully::Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        match self {
            Self::Bully(e) => within(&BULLY, cx, |cx| e.on_start(cx)),
            Self::Ring(e) => within(&RING, cx, |cx| e.on_start(cx)),
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match self {
            Self::Bully(e) => within(&BULLY, cx, |cx| e.on_request(request, cx)),
            Self::Ring(e) => within(&RING, cx, |cx| e.on_request(request, cx)),
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match (self, msg) {
            (Self::Bully(e), Msg::Bully(msg)) => {
                within(&BULLY, cx, |cx| e.on_message(from, msg, cx));
            }
            (Self::Ring(e), Msg::Ring(msg)) => {
                within(&RING, cx, |cx| e.on_message(from, msg, cx));
            }
            // All processes run the same.
            _ => {}
        }
    }

    fn on_timer(&mut self, timer: Self::Timer, cx: &mut Cx<Self>) {
        if let Self::Bully(e) = self {
            within(&BULLY, cx, |cx| e.on_timer(timer, cx));
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        match self {
            Self::Bully(e) => within(&BULLY, cx, |cx| e.on_suspect(p, cx)),
            Self::Ring(e) => within(&RING, cx, |cx| e.on_suspect(p, cx)),
        }
    }
}

/// Runs a handler of the solution, whose announcements are announcements.
fn within<E: Process<Spec = Election>>(
    part: &Part<AnyElection, E>,
    cx: &mut Cx<AnyElection>,
    handler: impl FnOnce(&mut Cx<E>),
) {
    for announcement in cx.layer(part, handler) {
        cx.indicate(announcement);
    }
}

impl Solution {
    /// A process of this solution.
    pub fn process(self, setting: &Setting, me: ProcessId) -> AnyElection {
        match self {
            Self::Bully => AnyElection::Bully(Bully::new(&NoParams {}, setting, me)),
            Self::Ring => AnyElection::Ring(RingElection::new(&NoParams {}, setting, me)),
        }
    }

    /// The timing and the links that it needs.
    pub fn model(self, setting: &Setting) -> Model {
        match self {
            Self::Bully => Bully::model(&NoParams {}, setting),
            Self::Ring => RingElection::model(&NoParams {}, setting),
        }
    }
}
