//! Raft: a leader, elected for a term, replicates its log, and commits what a majority has.
//!
//! Source: Ongaro and Ousterhout (2014), *In search of an understandable consensus algorithm
//! (extended version)*, figure 2, whose order the files follow; Ongaro (2014), *Consensus: bridging
//! theory and practice*, for what is optional: section 3.10 for transfers of leadership, chapter 4
//! for changes of the servers, section 6.4 for reads without log entries, 9.6 for votes before an
//! election. Spec: [`LogService`]. Model: partially synchronous, crash-recovery, f < n/2 of the
//! servers, any number of clients, fair-loss links; only progress needs time.
//!
//! - *Followers* answer candidates and leaders. One that hears from no leader, and grants no vote,
//!   for an *election timeout* becomes a candidate (`election`).
//! - *Candidates* begin a new term, vote for themselves, and ask the others for their votes. One
//!   with the votes of a majority leads. Another that hears of a leader of its term follows it.
//! - *Leaders* append the commands of clients to their logs, and send them to the others in
//!   APPEND-ENTRIES, also as heartbeats (`replication`). What is in the logs of a majority, and of
//!   the leader's own term, is committed, and so is all before it.
//! - *All servers* apply what is committed, in the order of the log, and the leader answers the
//!   client. Whoever hears of a later term follows.
//! - *The servers* change while they serve: a configuration is an entry of the log (`membership`).
//!   A leader hands over to another if an operator asks for it (`transfer`).
//!
//! Why it works (section 5.4): a vote is given once in a term, and is on stable storage before it
//! is known, so that no two lead in a term. A vote is given only to a candidate whose log is at
//! least as up-to-date: what is committed is in a majority of logs, one of which is of a voter, so
//! a new leader has it. An entry of an earlier term does not count, since its copies on a majority
//! do not keep another from becoming leader without it (figure 8).
//!
//! Words: messages are not calls here, so an answer says itself what it answers: `up_to` is the
//! place up to which a follower's log is known to match the leader's.

mod election;
mod membership;
mod mutants;
mod replication;
mod transfer;

use std::collections::BTreeMap;

use ftsim_core::DurationRange;
use ftsim_core::prelude::*;

use super::leader_client::{LeaderClient, Led};
use crate::parts::machine::Machine;
use crate::spec::replicated_log::{Fact, Index, LogService, Slot, SlotContent, Term};
use crate::spec::service::{CLIENT, Command, Indication, Key, Operation, Outcome, Request, SERVER};
use membership::{Change, Configuration, Transition};
use mutants::VOLATILE_VOTE;
use transfer::{HandingOver, Transfer};

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    /// The term in which a leader received it.
    term: Term,
    content: Content,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Content {
    /// Nothing: with it a leader begins.
    Blank,
    /// A command for the state machine.
    Command(Command, Key, Operation),
    /// The servers from here on.
    Configuration(Configuration),
}

impl Entry {
    fn slot(&self) -> Slot {
        let content = match &self.content {
            Content::Blank => SlotContent::Blank,
            Content::Command(command, ..) => SlotContent::Command(*command),
            Content::Configuration(_) => SlotContent::Configuration,
        };
        Slot { term: self.term, content }
    }
}

/// Where a log ends; of two logs the one with the greater end is more up-to-date (section 5.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogEnd {
    term: Term,
    index: Index,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Candidate to server: vote for me in this term.
    RequestVote { term: Term, last: LogEnd },
    /// Server to candidate: the vote, or none.
    Vote { term: Term, granted: bool },
    /// Server to server, with `pre_vote`: would you vote for me in this term?
    RequestPreVote { term: Term, last: LogEnd },
    /// Server to server: whether it would. The term is the one asked for, if so.
    PreVote { term: Term, granted: bool },
    /// Leader to follower: these entries come after the one at `prev`.
    AppendEntries {
        term: Term,
        prev: LogEnd,
        entries: Vec<Entry>,
        /// The leader's commit index.
        commit: Index,
        /// The number of the leader's round of heartbeats, for `reads = "read-index"`.
        round: u64,
    },
    /// Follower to leader: its log matches up to here; or it does not have the entry at `prev`, and
    /// its log ends here.
    Appended { term: Term, success: bool, up_to: Index, round: u64 },
    /// Leader to follower: begin an election, so that you lead.
    TimeoutNow { term: Term },
    /// Client to server: execute this.
    Request { number: u64, key: Key, operation: Operation },
    /// Server to client: it is done.
    Reply { number: u64, outcome: Outcome },
    /// Server to client: it does not lead; perhaps this one does.
    NotLeader(Option<ProcessId>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// At a follower or a candidate: no leader was heard.
    Election,
    /// At a leader.
    Heartbeat,
    /// At a client: no reply came.
    Retry,
}

/// The records of a server's log on disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Record {
    /// The latest term it has seen, and the candidate that got its vote.
    Term(Term, Option<ProcessId>),
    /// The entry in this place, behind which there is nothing; the one before it is of term
    /// `before`. A crash may lose some of the records that are not synced, and keep later ones.
    Entry { index: Index, before: Term, entry: Entry },
}

/// A process: a server or a client.
#[derive(Clone, Debug, Hash)]
#[expect(clippy::large_enum_variant, reason = "there is one for each process")]
pub enum Raft {
    /// It keeps the log.
    Server(Server),
    /// It sends requests.
    Client(LeaderClient),
}

type Context<'a> = Cx<'a, Raft>;

/// A server.
#[derive(Clone, Debug, Hash)]
pub struct Server {
    params: Params,
    servers: ProcessSet,
    /// The latest term that it has seen (on stable storage).
    term: Term,
    /// The candidate that got its vote in this term (on stable storage).
    voted_for: Option<ProcessId>,
    /// The log (on stable storage); the first entry is in place 1.
    log: Vec<Entry>,
    /// The latest configuration in its log.
    configuration: Configuration,
    /// The place of this configuration; 0 if no entry has changed it.
    configured_at: Index,
    /// The last place known to be committed.
    commit: Index,
    /// The last place applied to the state machine.
    applied: Index,
    machine: Machine,
    role: Role,
    /// Who leads in this term, as far as it knows.
    leader: Option<ProcessId>,
    /// When it last heard from a leader.
    heard: Option<Instant>,
    /// Whether there is something on its disk that need not survive a crash yet.
    is_unsynced: bool,
}

#[derive(Clone, Debug, Hash)]
enum Role {
    Follower,
    /// With those that would vote for it.
    PreCandidate(ProcessSet),
    /// With those that have voted for it.
    Candidate(ProcessSet),
    Leader(Leader),
}

/// What a leader knows.
#[derive(Clone, Debug, Default, Hash)]
struct Leader {
    /// For each other server, the next entry to send to it.
    next: BTreeMap<ProcessId, Index>,
    /// For each other server, the last place where its log is known to match.
    matching: BTreeMap<ProcessId, Index>,
    /// The place of its blank entry. When this is committed it knows what is.
    blank: Index,
    /// The number of its last round of heartbeats.
    round: u64,
    /// For each other server, the last round that it has answered.
    answered: BTreeMap<ProcessId, u64>,
    /// The reads that wait.
    reads: Vec<Read>,
    /// To whom it hands over, if it does.
    transfer: Option<HandingOver>,
    /// When it last looked for what an operator asks for.
    looked: Instant,
}

/// A read that is no entry of the log (Ongaro 2014, section 6.4).
#[derive(Clone, Debug, Hash)]
struct Read {
    command: Command,
    key: Key,
    /// What must be applied first: the commit index at its arrival.
    index: Index,
    /// The first round of heartbeats that was sent after its arrival.
    round: u64,
}

impl Process for Raft {
    type Spec = LogService;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Record;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if let Self::Server(server) = self {
            server.await_leader(cx);
        }
    }

    fn on_recover(&mut self, log: &[Stored<Record>], cx: &mut Cx<Self>) {
        if let Self::Server(server) = self {
            server.restore(log.iter().filter_map(Stored::intact), cx);
            server.await_leader(cx);
        }
    }

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        if let (Self::Client(client), Request::Invoke { number, key, operation }) = (self, request)
        {
            client.on_invoke(number, key, operation, cx);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match self {
            Self::Client(client) => match msg {
                Msg::Reply { number, outcome } => client.on_reply(number, outcome, cx),
                Msg::NotLeader(Some(leader)) => client.on_sent_on(leader, cx),
                _ => {}
            },
            Self::Server(server) => server.on_message(from, msg, cx),
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match (self, timer) {
            (Self::Server(server), Timer::Election) => server.on_election_timeout(cx),
            (Self::Server(server), Timer::Heartbeat) => server.on_heartbeat(cx),
            (Self::Client(client), Timer::Retry) => client.on_retry(cx),
            _ => {}
        }
    }
}

impl Led for Raft {
    type Fact = Fact;
    const RETRY: Timer = Timer::Retry;

    fn request(number: u64, key: Key, operation: Operation) -> Msg {
        Msg::Request { number, key, operation }
    }
}

impl Server {
    fn new(params: &Params, setting: &Setting) -> Self {
        let servers = setting.role(SERVER).collect();
        Self {
            configuration: membership::first(params, &servers),
            configured_at: 0,
            params: params.clone(),
            servers,
            term: 0,
            voted_for: None,
            log: Vec::new(),
            commit: 0,
            applied: 0,
            machine: Machine::default(),
            role: Role::Follower,
            leader: None,
            heard: None,
            is_unsynced: false,
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::RequestVote { term, .. }
            | Msg::Vote { term, .. }
            | Msg::PreVote { term, granted: false }
            | Msg::AppendEntries { term, .. }
            | Msg::Appended { term, .. }
            | Msg::TimeoutNow { term } => self.hear_of(term, cx),
            _ => {}
        }
        match msg {
            Msg::RequestVote { term, last } => self.on_request_vote(from, term, last, cx),
            Msg::Vote { term, granted } => self.on_vote(from, term, granted, cx),
            Msg::RequestPreVote { term, last } => self.on_request_pre_vote(from, term, last, cx),
            Msg::PreVote { term, granted } => self.on_pre_vote(from, term, granted, cx),
            Msg::AppendEntries { term, prev, entries, commit, round } => {
                self.on_append_entries(from, term, prev, entries, commit, round, cx);
            }
            Msg::Appended { term, success, up_to, round } => {
                self.on_appended(from, term, success, up_to, round, cx);
            }
            Msg::TimeoutNow { term } => self.on_timeout_now(term, cx),
            Msg::Request { number, key, operation } => {
                self.on_request(Command { client: from, number }, key, operation, cx);
            }
            Msg::Reply { .. } | Msg::NotLeader(_) => {}
        }
    }

    /// Rules for all servers: whoever hears of a later term begins it as a follower.
    fn hear_of(&mut self, term: Term, cx: &mut Context) {
        if term > self.term {
            self.begin(term, None, cx);
            self.follow(None, cx);
        }
    }

    /// Begins a term, in which this candidate has its vote.
    fn begin(&mut self, term: Term, voted_for: Option<ProcessId>, cx: &mut Context) {
        self.term = term;
        self.voted_for = voted_for;
        let voted_for = if cx.runs(&VOLATILE_VOTE) { None } else { voted_for };
        cx.append(Record::Term(term, voted_for));
        self.is_unsynced = true;
    }

    /// Is a follower, perhaps of a leader.
    fn follow(&mut self, leader: Option<ProcessId>, cx: &mut Context) {
        self.leader = leader;
        if let Role::Leader(_) = self.role {
            cx.cancel_timer(Timer::Heartbeat);
            self.await_leader(cx);
            cx.indicate(Indication::Fact(Fact::Follows));
        }
        self.role = Role::Follower;
    }

    /// Puts an entry into a place of its log, behind which there is nothing then.
    fn store(&mut self, index: Index, entry: Entry, cx: &mut Context) {
        self.log.truncate(position(index));
        let LogEnd { term: before, index: last } = self.last();
        let (index, slot) = (last.saturating_add(1), entry.slot());
        if self.configured_at > last {
            self.find_configuration();
        }
        if let Content::Configuration(configuration) = &entry.content {
            (self.configured_at, self.configuration) = (index, configuration.clone());
        }
        self.log.push(entry.clone());
        cx.append(Record::Entry { index, before, entry });
        self.is_unsynced = true;
        cx.indicate(Indication::Fact(Fact::Stores { index, slot }));
    }

    /// What is on its disk survives a crash from here on. Persistent state is updated before a
    /// server answers.
    fn sync(&mut self, cx: &mut Context) {
        if std::mem::take(&mut self.is_unsynced) {
            cx.sync();
        }
    }

    fn restore<'a>(&mut self, records: impl Iterator<Item = &'a Record>, cx: &mut Context) {
        for record in records {
            match record {
                Record::Term(term, voted_for) => {
                    (self.term, self.voted_for) = (*term, *voted_for);
                }
                Record::Entry { index, before, entry } => {
                    if self.term_at(index.saturating_sub(1)) == Some(*before) {
                        self.log.truncate(position(*index));
                        self.log.push(entry.clone());
                    }
                }
            }
        }
        self.find_configuration();
        self.show_log(cx);
    }

    fn show_log(&self, cx: &mut Context) {
        let slots = self.log.iter().map(Entry::slot).collect();
        cx.indicate(Indication::Fact(Fact::HasLog(slots)));
    }

    /// Where its log ends.
    fn last(&self) -> LogEnd {
        LogEnd { term: self.log.last().map_or(0, |entry| entry.term), index: self.log.len() as u64 }
    }

    /// What its log has in this place; before the first there is an entry of term 0.
    fn term_at(&self, index: Index) -> Option<Term> {
        match index {
            0 => Some(0),
            _ => self.log.get(position(index)).map(|entry| entry.term),
        }
    }
}

/// Where a place is in a vector.
fn position(index: Index) -> usize {
    usize::try_from(index.saturating_sub(1)).unwrap_or(usize::MAX)
}

/// How a leader answers reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// As any command: they are entries of the log.
    #[default]
    Log,
    /// From its state, once a round of heartbeats has shown that it still leads.
    ReadIndex,
}

/// `[params]` of `raft`.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// The range of election timeouts; each is drawn anew.
    pub election_timeout: DurationRange,
    /// The time between two heartbeats of a leader; shorter than any election timeout.
    pub heartbeat: Duration,
    /// How long a client waits for a reply before it tries the next server.
    pub retry: Duration,
    /// The maximum number of entries in a message.
    pub batch: u32,
    /// Whether a server asks the others if they would vote for it before it begins a term, so that
    /// one that was cut off does not disturb a leader.
    pub pre_vote: bool,
    /// How a leader answers reads.
    pub reads: Reads,
    /// The servers of the first configuration; all, if empty. The others hold copies when a change
    /// makes them members.
    pub members: Vec<ProcessId>,
    /// The members that an operator asks for, one after the other. With `pre_vote`, a server that
    /// is left out disturbs nobody.
    pub changes: Vec<Change>,
    /// How one configuration follows another.
    pub transition: Transition,
    /// The servers that an operator wants to lead, one after the other.
    pub transfers: Vec<Transfer>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            election_timeout: DurationRange {
                min: Duration::from_millis(150),
                max: Duration::from_millis(300),
            },
            heartbeat: Duration::from_millis(50),
            retry: Duration::from_millis(200),
            batch: 64,
            pre_vote: false,
            reads: Reads::default(),
            members: Vec::new(),
            changes: Vec::new(),
            transition: Transition::default(),
            transfers: Vec::new(),
        }
    }
}

impl Protocol for Raft {
    const NAME: &'static str = "raft";
    const SUMMARY: &'static str = "a replicated log: an elected leader commits what a majority has";
    const SOURCE: &'static str = "Ongaro & Ousterhout 2014; Ongaro 2014";
    const ROLES: &'static [&'static str] = &[SERVER, CLIENT];
    const MUTANTS: &'static [Mutant] = mutants::ALL;

    type Params = Params;

    fn model(params: &Params, setting: &Setting) -> Model {
        let bound = match membership::tolerated(params, setting) {
            None => Bound::MINORITY.of(SERVER),
            Some(count) => Bound::at_most(count).of(SERVER),
        };
        Model::PARTIALLY_SYNCHRONOUS.crash_recovery(bound).over(Links::FairLoss)
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        if setting.role_size(SERVER) == 0 {
            return Err(Invalid::role(SERVER, "there is no server"));
        }
        for (key, duration) in [("heartbeat", params.heartbeat), ("retry", params.retry)] {
            if duration == Duration::ZERO {
                return Err(Invalid::new(key, "must be longer than zero"));
            }
        }
        if params.election_timeout.min <= params.heartbeat {
            let message = "must be longer than `heartbeat`, or followers of a leader that is up \
                           begin elections";
            return Err(Invalid::new("election_timeout", message));
        }
        if params.batch == 0 {
            return Err(Invalid::new("batch", "a message must hold an entry"));
        }
        membership::validate(params, setting)?;
        transfer::validate(params, setting)
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        match setting.has_role(me, SERVER) {
            true => Self::Server(Server::new(params, setting)),
            false => Self::Client(LeaderClient::new(params.retry, setting)),
        }
    }
}
