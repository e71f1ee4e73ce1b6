//! Mutual exclusion by permissions: a process enters with those of all others.
//!
//! Source: Ricart and Agrawala (1981); Carvalho and Roucairol (1983) for permissions that are kept.
//! Spec: [`MutualExclusion`]. Model: asynchronous, reliable links, no failures.
//!
//! Steps: a process that wants to enter sends a request with its logical time to all others, and
//! enters when all have given their permission. A process that receives a request gives permission
//! at once, unless it is inside, or wants to enter with an earlier request, by time and id: then it
//! gives permission when it exits. With `keep`, a permission lasts until its owner asks for it
//! back, so that a process which enters again asks only those who have entered since.
//!
//! Why it works: of two processes that want to enter, each needs the permission of the other, and
//! the earlier one keeps it to itself until it has left. Requests are ordered, so nobody waits in a
//! circle.
//!
//! Words: the paper's *Highest_Sequence_Number* is our clock, its *Our_Sequence_Number* the time of
//! the own request, its *Requesting_Critical_Section* every stage but `Outside`, its *Defer_it* is
//! `defers`, and its *Reply_Deferred* are those `deferred`. It counts the replies that are missing;
//! here a process keeps the set of those whose permission it has, as Carvalho and Roucairol do.
//!
//! In the paper only requests carry a time, and only they move the clock. Then a reply can follow a
//! request that is still on its way, and whoever asks after that reply may have the earlier time
//! even so: requests are not granted in the order in which they happened. So replies carry the time
//! as well here. The mutant `reply-without-time` ignores it, as the paper does.

use ftsim_core::prelude::*;

use crate::parts::logical_clock::{LogicalClock, Time};
use crate::spec::mutual_exclusion::{
    EXCLUSION, EntryNumber, FIFO, Indication, MutualExclusion, PROGRESS, Request, STARVATION_FREE,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The sender asks for permission to enter.
    Request { time: Time },
    /// The sender gives permission.
    Reply { time: Time },
}

/// A process of Ricart and Agrawala's mutual exclusion.
#[derive(Clone, Debug, Hash)]
pub struct RicartAgrawala {
    keep: bool,
    clock: LogicalClock,
    stage: Stage,
    /// The processes whose permission it has.
    permissions: ProcessSet,
    /// The processes that get its permission when it exits.
    deferred: ProcessSet,
}

/// Where a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Outside,
    /// It wants to enter, and asked at this time.
    Wants(EntryNumber, Time),
    Inside,
}

impl Process for RicartAgrawala {
    type Spec = MutualExclusion;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match request {
            Request::Enter(number) => self.ask(number, cx),
            Request::Exit(number) => self.leave(number, cx),
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Request { time } => {
                self.clock.receive(time);
                if self.defers((time, from), cx) {
                    self.deferred.insert(from);
                } else {
                    self.permit(from, cx);
                }
            }
            Msg::Reply { time } => {
                if !cx.runs(&REPLY_WITHOUT_TIME) {
                    self.clock.receive(time);
                }
                self.permissions.insert(from);
                self.enter_if_permitted(cx);
            }
        }
    }
}

impl RicartAgrawala {
    /// Asks all others whose permission it does not have.
    fn ask(&mut self, number: EntryNumber, cx: &mut Cx<Self>) {
        let time = self.clock.tick();
        self.stage = Stage::Wants(number, time);
        let missing = cx.others().filter(|p| !self.permissions.contains(*p));
        for p in missing.collect::<Vec<_>>() {
            cx.send(p, Msg::Request { time });
        }
        self.enter_if_permitted(cx);
    }

    fn enter_if_permitted(&mut self, cx: &mut Cx<Self>) {
        if let Stage::Wants(number, _) = self.stage
            && cx.others().all(|p| self.permissions.contains(p))
        {
            self.stage = Stage::Inside;
            cx.indicate(Indication::Entered(number));
        }
    }

    fn leave(&mut self, number: EntryNumber, cx: &mut Cx<Self>) {
        self.stage = Stage::Outside;
        cx.indicate(Indication::Exited(number));
        if !self.keep {
            self.permissions = ProcessSet::new();
        }
        for p in std::mem::take(&mut self.deferred).iter() {
            self.permit(p, cx);
        }
    }

    /// Whether a request has to wait until this process exits.
    fn defers(&self, request: (Time, ProcessId), cx: &Cx<Self>) -> bool {
        match self.stage {
            Stage::Outside => false,
            Stage::Inside => true,
            Stage::Wants(_, own) if own == request.0 && cx.runs(&NO_TIEBREAK) => false,
            Stage::Wants(_, own) if own == request.0 && cx.runs(&DEFER_ON_EQUAL) => true,
            Stage::Wants(_, own) => (own, cx.me()) < request,
        }
    }

    /// Gives permission, and with it what it kept of the other's: it asks for that again, if it
    /// wants to enter.
    fn permit(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        let time = self.clock.tick();
        cx.send(p, Msg::Reply { time });
        if self.permissions.remove(p)
            && let Stage::Wants(_, time) = self.stage
        {
            cx.reach("asks again for a permission that was kept");
            cx.send(p, Msg::Request { time });
        }
    }
}

/// `[params]` of Ricart and Agrawala's mutual exclusion.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Whether a process keeps permissions until they are asked for (Carvalho and Roucairol 1983).
    pub keep: bool,
}

const NO_TIEBREAK: Mutant = Mutant::code(
    "no-tiebreak",
    "gives permission to a request of the same time as its own",
    EXCLUSION,
);
const DEFER_ON_EQUAL: Mutant =
    Mutant::code("defer-on-equal", "defers a request of the same time as its own", PROGRESS);
const REPLY_WITHOUT_TIME: Mutant =
    Mutant::code("reply-without-time", "leaves its clock alone when it is given permission", FIFO);
const KEEP_AS_FIFO: Mutant = Mutant::assumption(
    "keep-as-fifo",
    "is expected to grant requests in their order, although permissions are kept",
    FIFO,
    "params.keep",
    Some("false"),
);

impl Protocol for RicartAgrawala {
    const NAME: &'static str = "ricart-agrawala";
    const SUMMARY: &'static str = "mutual exclusion by the permissions of all others";
    const SOURCE: &'static str = "Ricart & Agrawala 1981; Carvalho & Roucairol 1983";
    const MUTANTS: &'static [Mutant] =
        &[NO_TIEBREAK, DEFER_ON_EQUAL, REPLY_WITHOUT_TIME, KEEP_AS_FIFO];

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS
    }

    fn new(params: &Params, _: &Setting, _: ProcessId) -> Self {
        Self {
            keep: params.keep,
            clock: LogicalClock::default(),
            stage: Stage::Outside,
            permissions: ProcessSet::new(),
            deferred: ProcessSet::new(),
        }
    }

    fn claims(params: &Params, _: &Setting) -> Vec<PropertyId> {
        match params.keep {
            true => vec![STARVATION_FREE],
            false => vec![STARVATION_FREE, FIFO],
        }
    }
}
