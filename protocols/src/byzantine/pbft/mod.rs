//! Practical Byzantine fault tolerance: replicas execute requests in one order, though some lie.
//!
//! Source: Castro and Liskov (1999), *Practical Byzantine fault tolerance*, section 4, whose order
//! the files follow; Castro and Liskov (2002), *Practical Byzantine fault tolerance and proactive
//! recovery*. Spec: [`ByzantineService`]. Model: partially synchronous, at most f Byzantine servers
//! among n > 3f, any number of clients, which may lie, too; links that are reliable and
//! authenticated; signatures.
//!
//! - *Clients* (`client`): a client sends its request, signed, to the primary, and to all servers
//!   if it is not answered in time. It believes what f + 1 of them say.
//! - *Normal operation* (`normal`): the primary of a view gives each request a place in the order,
//!   and sends PRE-PREPARE. A backup accepts one proposal for a place, and sends PREPARE to all. A
//!   proposal that a quorum of n - f stands by is *prepared*; who sees this sends COMMIT to all.
//!   With COMMIT from a quorum it is committed, and a replica executes it in its turn.
//! - *Checkpoints* (`checkpoint`): after every so many places a replica tells its state. A state
//!   that a quorum attests is *stable*: the log before it is forgotten, and whoever lags takes it.
//! - *View changes* (`view_change`): a replica that has waited too long for the first of its
//!   requests leaves the view, and says, with proof, what is stable and prepared at it. From a
//!   quorum of such messages follows what the next view begins with; its primary shows them in
//!   NEW-VIEW.
//!
//! Why it works: two quorums share more than f replicas, and so a correct one, which accepts one
//! proposal for a place in a view. What is committed has prepared at n - 2f > f correct replicas,
//! so that a quorum of view changes contains one of them, and nothing else can have prepared in
//! that place in a later view.
//!
//! Words: a *place* is the paper's sequence number, and the *window* is the distance of its
//! water marks; the *prepared certificate* of the paper of 2002 is our certificate. Messages and
//! checkpoints carry requests and states in place of their digests. A replica keeps what arrives
//! early of a view that it has not entered, since nothing is sent twice. In place of the status
//! messages of 2002, a replica that is shown a NEW-VIEW says that it has left the views before, and
//! waits for a view once a quorum has left those before it, be it for a later one.

mod checkpoint;
mod client;
mod mutants;
mod normal;
mod statement;
mod view_change;

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

use crate::parts::machine::Machine;
use crate::spec::byzantine::{ByzantineService, Call, Place, ServiceFact as Fact, View};
use crate::spec::service::{CLIENT, Indication, Outcome, Request, SERVER};
use client::Client;
use mutants::QUORUM_2F;
use statement::{Certificate, Checkpoint, PrePrepare, Prepare, Proposal, Verified, ViewChange};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Client to server, or backup to primary: execute this.
    Request(Signed<Call>),
    /// Primary to backups: a proposal.
    PrePrepare(Signed<PrePrepare>),
    /// Backup to all: it accepts a proposal.
    Prepare(Signed<Prepare>),
    /// Replica to all: this is prepared at it.
    Commit { view: View, place: Place, prepared: Proposal },
    /// Server to client: it is done.
    Reply { view: View, number: u64, outcome: Outcome },
    /// Replica to all: its state.
    Checkpoint(Signed<Checkpoint>),
    /// Replica to all: it leaves its view.
    ViewChange(Signed<ViewChange>),
    /// New primary to backups: the view begins, with this.
    NewView { view: View, changes: Vec<Signed<ViewChange>>, proposals: Vec<Signed<PrePrepare>> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// At a replica: a request is not executed, or a view does not begin.
    Silence,
    /// At a client: no reply came.
    Retry,
}

/// A process: a server or a client.
#[derive(Clone, Debug, Hash)]
pub enum Pbft {
    /// It keeps the state.
    Server(Box<Replica>),
    /// It sends requests.
    Client(Client),
}

type Context<'a> = Cx<'a, Pbft>;

/// A replica.
#[derive(Clone, Debug, Hash)]
pub struct Replica {
    params: Params,
    /// In view v, replica v mod n is primary.
    servers: Vec<ProcessId>,
    view: View,
    /// Whether the view has not begun yet.
    is_changing: bool,
    /// The number of views since it has executed something that it waited for.
    failed_views: u32,
    /// What it knows of the places in its view and in later ones.
    log: BTreeMap<(View, Place), Slot>,
    /// At the primary: the last place that it has given away.
    assigned: Place,
    /// What has prepared in each place in the latest view.
    prepared: BTreeMap<Place, Certificate>,
    /// What is committed and not executed.
    committed: BTreeMap<Place, Proposal>,
    /// The last place that is executed.
    executed: Place,
    /// The state, and the last reply to each client.
    machine: Machine,
    /// The place of the last stable checkpoint, the paper's low water mark, and its proof.
    stable_place: Place,
    stable: Vec<Signed<Checkpoint>>,
    /// What is said of the states after later places.
    checkpoints: BTreeMap<Place, BTreeMap<ProcessId, Verified<Checkpoint>>>,
    /// The requests that it waits for, one of each client, in the order of their arrival; whether a
    /// timer runs for the first of them.
    waiting: Vec<Verified<Call>>,
    is_waiting: bool,
    /// Who has left the views before a view.
    changes: BTreeMap<View, BTreeMap<ProcessId, Signed<ViewChange>>>,
}

/// What a replica knows of a place in a view.
#[derive(Clone, Debug, Default, Hash)]
struct Slot {
    /// What the primary of a view that has not begun here has proposed.
    offered: Option<Verified<PrePrepare>>,
    pre_prepare: Option<Verified<PrePrepare>>,
    prepares: BTreeMap<ProcessId, Verified<Prepare>>,
    /// What has prepared at whom.
    commits: BTreeMap<ProcessId, Proposal>,
}

impl Process for Pbft {
    type Spec = ByzantineService;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if let Self::Server(replica) = self
            && replica.primary(0) == Some(cx.me())
        {
            cx.indicate(Indication::Fact(Fact::Leads(0)));
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        if let (Self::Client(client), Request::Invoke { number, key, operation }) = (self, request)
        {
            client.on_invoke(number, key, operation, cx);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match (self, msg) {
            (Self::Server(replica), Msg::Request(request)) => {
                replica.on_request(from, &request, cx);
            }
            (Self::Server(replica), msg) if replica.servers.contains(&from) => {
                replica.on_message(from, msg, cx);
            }
            (Self::Client(client), Msg::Reply { view, number, outcome }) => {
                client.on_reply(from, view, number, outcome, cx);
            }
            _ => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match (self, timer) {
            (Self::Server(replica), Timer::Silence) => replica.on_silence(cx),
            (Self::Client(client), Timer::Retry) => client.on_retry(cx),
            _ => {}
        }
    }
}

impl Replica {
    fn new(params: &Params, setting: &Setting) -> Self {
        Self {
            params: params.clone(),
            servers: setting.role(SERVER).collect(),
            view: 0,
            is_changing: false,
            failed_views: 0,
            log: BTreeMap::new(),
            assigned: 0,
            prepared: BTreeMap::new(),
            committed: BTreeMap::new(),
            executed: 0,
            machine: Machine::default(),
            stable_place: 0,
            stable: Vec::new(),
            checkpoints: BTreeMap::new(),
            waiting: Vec::new(),
            is_waiting: false,
            changes: BTreeMap::new(),
        }
    }

    /// A message of another server.
    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::PrePrepare(signed) => self.on_pre_prepare(from, signed, cx),
            Msg::Prepare(signed) => self.on_prepare(from, signed, cx),
            Msg::Commit { view, place, prepared } => {
                self.on_commit(from, view, place, prepared, cx);
            }
            Msg::Checkpoint(signed) => self.on_checkpoint(from, signed, cx),
            Msg::ViewChange(signed) => self.on_view_change(from, signed, cx),
            Msg::NewView { view, changes, proposals } => {
                self.on_new_view(from, view, &changes, proposals, cx);
            }
            Msg::Request(_) | Msg::Reply { .. } => {}
        }
    }

    fn primary(&self, view: View) -> Option<ProcessId> {
        primary(&self.servers, view)
    }

    fn others(&self, cx: &Context) -> impl Iterator<Item = ProcessId> + use<> {
        let me = cx.me();
        self.servers.clone().into_iter().filter(move |p| *p != me)
    }

    /// The size of a quorum: 2f + 1, if n is 3f + 1.
    fn quorum(&self, cx: &Context) -> usize {
        let quorum = self.servers.len().saturating_sub(self.params.f as usize);
        if cx.runs(&QUORUM_2F) { quorum.saturating_sub(1) } else { quorum }
    }

    fn slot(&mut self, view: View, place: Place) -> &mut Slot {
        self.log.entry((view, place)).or_default()
    }

    /// Whether a message of this view on this place can still matter.
    fn is_timely(&self, view: View, place: Place) -> bool {
        view >= self.view && self.is_in_window(place, self.stable_place)
    }

    /// Whether a replica with this stable checkpoint takes note of this place: others may have a
    /// later checkpoint. What lies farther is lost, and comes again with the next view.
    fn is_in_window(&self, place: Place, stable: Place) -> bool {
        let window = self.params.window.saturating_mul(2);
        place > stable && place <= stable.saturating_add(window)
    }
}

/// The replica that is primary in this view.
fn primary(servers: &[ProcessId], view: View) -> Option<ProcessId> {
    let turn =
        view.checked_rem(servers.len() as u64).and_then(|turn| usize::try_from(turn).ok())?;
    servers.get(turn).copied()
}

/// `[params]` of `pbft`.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The number of Byzantine servers to tolerate, less than the number of servers.
    pub f: u32,
    /// How long a replica waits for the execution of a request, or for a view to begin, before it
    /// changes views; twice as long after each view in which nothing was executed.
    pub timeout: Duration,
    /// How long a client waits for replies before it sends its request to all servers.
    pub retry: Duration,
    /// A replica tells its state after this number of places; from 1 to `window`.
    pub checkpoint_every: u64,
    /// How far beyond the last stable checkpoint a primary gives places away, at most 10,000.
    pub window: u64,
}

/// The largest `window`.
const WINDOW_MAX: u64 = 10_000;

impl Default for Params {
    fn default() -> Self {
        Self {
            f: 1,
            timeout: Duration::from_millis(200),
            retry: Duration::from_millis(200),
            checkpoint_every: 10,
            window: 20,
        }
    }
}

impl Protocol for Pbft {
    const NAME: &'static str = "pbft";
    const SUMMARY: &'static str =
        "practical Byzantine fault tolerance: a service in one order, though some servers lie";
    const SOURCE: &'static str = "Castro & Liskov 1999, Practical Byzantine fault tolerance";
    const ROLES: &'static [&'static str] = &[SERVER, CLIENT];
    const MUTANTS: &'static [Mutant] = mutants::ALL;

    type Params = Params;

    fn model(params: &Params, _: &Setting) -> Model {
        let bound = Bound::LESS_THAN_A_THIRD.given_as("f", params.f).of(SERVER);
        Model::PARTIALLY_SYNCHRONOUS.byzantine(bound)
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        let servers = setting.role_size(SERVER);
        if params.f >= servers {
            let message = format!("it must be less than the {servers} servers");
            return Err(Invalid::new("f", message));
        }
        for (key, duration) in [("timeout", params.timeout), ("retry", params.retry)] {
            if duration == Duration::ZERO {
                return Err(Invalid::new(key, "must be longer than zero"));
            }
        }
        if params.window == 0 || params.window > WINDOW_MAX {
            return Err(Invalid::new("window", format!("must be from 1 to {WINDOW_MAX}")));
        }
        if params.checkpoint_every == 0 || params.checkpoint_every > params.window {
            let why = "must be from 1 to the number of places in the window";
            return Err(Invalid::new("checkpoint_every", why));
        }
        Ok(())
    }

    fn can_progress(params: &Params, setting: &Setting, well: &ProcessSet) -> bool {
        let well = setting.role(SERVER).filter(|p| well.contains(*p)).count();
        well + params.f as usize >= setting.role_size(SERVER) as usize
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        match setting.has_role(me, SERVER) {
            true => Self::Server(Box::new(Replica::new(params, setting))),
            false => Self::Client(Client::new(params, setting)),
        }
    }
}
