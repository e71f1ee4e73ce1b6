//! Election on a directed ring: of all ids that set out, only the greatest comes home.
//!
//! Source: Chang and Roberts (1979), *An improved algorithm for decentralized extrema-finding in
//! circular configurations of processes*. Spec: [`Election`]. Model: asynchronous, reliable links,
//! unique ids, no failures.
//!
//! Steps: a process that is asked for an election sends its id to its successor. A process that
//! receives a greater id than its own passes it on. It swallows a lesser one, and sends its own id
//! instead, unless it has done so before. A process that receives its own id is the leader, and
//! sends its id round the ring once more.
//!
//! Why it works: the greatest id is never swallowed, and every other one is, at the latest by the
//! process with the greatest. So one id comes home. Links need not keep order.
//!
//! Cost: if all begin, the id at distance d before the first greater one costs d messages. That is
//! 2n − 1 in all if ids grow along the ring, n(n + 1)/2 if they fall, and n(1 + 1/2 + … + 1/n) on
//! the average over all orders.
//!
//! Words: the paper's numbers of processes are our ids. The successor of p is p + 1 modulo n. Here
//! a process that has passed a greater id on need not send its own when it is asked later. There is
//! one election: a process that is asked when it knows the leader says so at once.

use std::cmp::Ordering;

use ftsim_core::prelude::*;

use crate::spec::election::{
    AGREEMENT, Election, Id, Indication, MAX, ONE_LEADER, Request, TERMINATION,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// The id of a candidate.
    Election { id: Id },
    /// The id of the leader.
    Elected { id: Id },
}

/// A process of Chang and Roberts's election.
#[derive(Clone, Debug, Hash)]
pub struct ChangRoberts {
    /// Its id in `[params]`; if it has none there, it draws one at the start.
    given: Option<Id>,
    /// Its id, from the start on.
    id: Id,
    /// Whether its own id or a greater one has gone on from here.
    takes_part: bool,
    leader: Option<Id>,
}

impl Process for ChangRoberts {
    type Spec = Election;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        self.id = self.given.unwrap_or_else(|| cx.rng().below(DRAWN_ID_MAX));
        cx.indicate(Indication::HasId(self.id));
    }

    fn on_request(&mut self, Request::Elect: Request, cx: &mut Cx<Self>) {
        match self.leader {
            None => self.take_part(cx),
            Some(id) => self.announce(id, cx),
        }
    }

    fn on_message(&mut self, _: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Election { id } => self.on_candidate(id, cx),
            Msg::Elected { id } => self.on_leader(id, cx),
        }
    }
}

impl ChangRoberts {
    /// Sends its own id, once.
    fn take_part(&mut self, cx: &mut Cx<Self>) {
        if !self.takes_part {
            self.takes_part = true;
            send_on(Msg::Election { id: self.id }, cx);
        }
    }

    fn on_candidate(&mut self, id: Id, cx: &mut Cx<Self>) {
        match self.compare(id, cx) {
            Ordering::Greater => {
                self.takes_part = true;
                if cx.runs(&NAME_AT_SIGHT) {
                    cx.indicate(Indication::Follows(id));
                }
                send_on(Msg::Election { id }, cx);
            }
            Ordering::Less => {
                self.take_part(cx);
                if cx.runs(&FORWARD_ALL_NO_STOP) {
                    send_on(Msg::Election { id }, cx);
                }
            }
            Ordering::Equal => {
                self.leader = Some(id);
                self.announce(id, cx);
                if !cx.runs(&NO_ANNOUNCEMENT) {
                    send_on(Msg::Elected { id }, cx);
                }
            }
        }
    }

    /// An id in comparison with its own.
    fn compare(&self, id: Id, cx: &Cx<Self>) -> Ordering {
        let order = id.cmp(&self.id);
        if cx.runs(&LEAST_WINS) { order.reverse() } else { order }
    }

    fn on_leader(&mut self, id: Id, cx: &mut Cx<Self>) {
        if id == self.id {
            return; // It has been round the ring.
        }
        if self.leader.is_none() {
            self.leader = Some(id);
            self.announce(id, cx);
        }
        send_on(Msg::Elected { id }, cx);
    }

    fn announce(&self, leader: Id, cx: &mut Cx<Self>) {
        cx.indicate(match leader == self.id {
            true => Indication::Leads,
            false => Indication::Follows(leader),
        });
    }
}

/// Sends a message to the successor on the ring.
fn send_on(msg: Msg, cx: &mut Cx<ChangRoberts>) {
    cx.send(ProcessId((cx.me().0 + 1) % cx.n()), msg);
}

/// Drawn ids are below this. Among ten processes two have the same id once in 6 × 10¹² runs.
const DRAWN_ID_MAX: u64 = 1 << 48;

/// `[params]` of Chang and Roberts's election.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The ids of the processes, in their order on the ring. If empty, each process draws its own.
    pub ids: Vec<Id>,
}

const FORWARD_ALL_NO_STOP: Mutant =
    Mutant::code("forward-all-no-stop", "passes on lesser ids as well", ONE_LEADER);
const DUPLICATE_IDS: Mutant = Mutant::assumption(
    "duplicate-ids",
    "runs with two processes that have the same id",
    ONE_LEADER,
    "params.ids",
    None,
);
const NAME_AT_SIGHT: Mutant =
    Mutant::code("name-at-sight", "takes a greater id for the leader's at once", AGREEMENT);
const LEAST_WINS: Mutant =
    Mutant::code("least-wins", "swallows greater ids, and passes on lesser ones", MAX);
const NO_ANNOUNCEMENT: Mutant =
    Mutant::code("no-announcement", "leads without telling anybody", TERMINATION);

impl Protocol for ChangRoberts {
    const NAME: &'static str = "chang-roberts";
    const SUMMARY: &'static str = "election on a ring: lesser ids are swallowed on their way";
    const SOURCE: &'static str = "Chang & Roberts 1979";
    const MUTANTS: &'static [Mutant] =
        &[FORWARD_ALL_NO_STOP, DUPLICATE_IDS, NAME_AT_SIGHT, LEAST_WINS, NO_ANNOUNCEMENT];

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        let count = params.ids.len();
        if count == 0 || count == setting.n as usize {
            return Ok(());
        }
        Err(Invalid::new("ids", format!("{count} ids for {} processes", setting.n)))
    }

    fn new(params: &Params, _: &Setting, me: ProcessId) -> Self {
        Self { given: params.ids.get(me.index()).copied(), id: 0, takes_part: false, leader: None }
    }
}
