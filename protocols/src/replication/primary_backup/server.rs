//! A server within a view: the primary executes requests, the backups follow.
//!
//! Source: Alsberg and Day (1976); Budhiraja, Marzullo, Schneider and Toueg (1993).

use std::collections::BTreeMap;

use ftsim_core::{Duration, Instant, ProcessId, ProcessSet, Setting};

use super::mutants::BUSY_BACKUP;
use super::params::{AckWait, Params};
use super::state::{Entry, State};
use super::{Context, Msg, Timer, View};
use crate::spec::primary_backup::Fact;
use crate::spec::service::{Command, Indication, Key, Operation, SERVER};

/// A server of the service.
#[derive(Clone, Debug, Hash)]
pub struct Server {
    pub(super) params: Params,
    pub(super) me: ProcessId,
    pub(super) servers: Vec<ProcessId>,
    /// δ.
    pub(super) delay_bound: Duration,

    /// The highest view that it knows of.
    pub(super) view: View,
    /// The last view whose log it had: below `view` until the primary of `view` has sent its log.
    pub(super) log_view: View,
    pub(super) phase: Phase,
    pub(super) state: State,
    /// The servers that it has given up.
    pub(super) suspected: ProcessSet,

    /// At a backup: updates that have overtaken others, by their index in the log.
    pub(super) early: BTreeMap<u64, Entry>,
    /// At a backup, with `quorum`: the end of its loyalty to the primary.
    pub(super) loyal_until: Instant,

    /// At a primary: the length of the log that each backup has acknowledged.
    pub(super) acked: BTreeMap<ProcessId, u64>,
    /// At a primary: the clients that wait for a reply, and the length of the log that must be safe
    /// before the reply.
    pub(super) owed: BTreeMap<ProcessId, u64>,
    /// At a primary: the length of the log at the last heartbeat.
    pub(super) length_at_heartbeat: u64,
    /// At a primary, with `quorum`: for each server, when the primary sent the last message that
    /// the server has answered.
    pub(super) heard: BTreeMap<ProcessId, Instant>,
}

/// The part that a server plays in its view.
#[derive(Clone, Debug, Hash)]
pub enum Phase {
    /// It follows the primary, or waits for one.
    Backup,
    /// It is to be primary, and collects the logs of the others.
    Standing {
        /// The promises so far, its own included.
        promises: BTreeMap<ProcessId, Promise>,
    },
    Primary,
}

/// The log of a server when it left earlier views.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Promise {
    /// The last view whose log it had.
    pub log_view: View,
    pub log: Vec<Entry>,
}

impl Server {
    pub(super) fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        Self {
            params: params.clone(),
            me,
            servers: setting.role(SERVER).collect(),
            delay_bound: setting.delay_bound,
            view: 0,
            log_view: 0,
            phase: Phase::Backup,
            state: State::default(),
            suspected: ProcessSet::new(),
            early: BTreeMap::new(),
            loyal_until: Instant::ZERO,
            acked: BTreeMap::new(),
            owed: BTreeMap::new(),
            length_at_heartbeat: 0,
            heard: BTreeMap::new(),
        }
    }

    /// Starts, as all servers do at once: the first primary has the loyalty of all, as if each had
    /// just heard from it.
    pub(super) fn on_start(&mut self, cx: &mut Context) {
        self.watch_predecessors(cx);
        if self.primary_of(0) == self.me {
            self.promise_outages(cx);
            self.heard = self.others().map(|p| (p, cx.now())).collect();
            self.become_primary(cx);
        } else {
            self.pledge_loyalty(cx);
            self.listen(cx);
            self.show_life(cx);
        }
    }

    pub(super) fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        self.check_lease(cx);
        match msg {
            Msg::Request { number, key, operation } => {
                let command = Command { client: from, number };
                self.on_client_request(command, key, &operation, cx);
            }
            Msg::Update { view, index, entry } => self.on_update(from, view, index, entry, cx),
            Msg::Log { view, log } => self.on_log(from, view, log, cx),
            Msg::Ack { view, length } => self.on_ack(from, view, length, cx),
            Msg::Heartbeat { view, sent } => self.on_heartbeat(from, view, sent, cx),
            Msg::Alive => self.await_sign_of_life(from, cx),
            Msg::Echo { view, sent } => self.on_echo(from, view, sent, cx),
            Msg::Prepare { view, sent } => self.on_prepare(from, view, sent, cx),
            Msg::Promise { view, sent, log_view, log } => {
                self.on_promise(from, view, sent, Promise { log_view, log }, cx);
            }
            Msg::Reply { .. } | Msg::NewPrimary(_) => {}
        }
    }

    pub(super) fn on_timer(&mut self, timer: Timer, cx: &mut Context) {
        self.check_lease(cx);
        match timer {
            Timer::Heartbeat if self.is_primary() => self.send_heartbeats(cx),
            Timer::Heartbeat => self.show_life(cx),
            Timer::AckDue { view, length } => self.on_ack_due(view, length, cx),
            Timer::Silence => self.on_silence(cx),
            Timer::SilenceOf(p) => self.suspect(p, cx),
            Timer::PromisesDue => self.on_promises_due(cx),
            Timer::Lease | Timer::Retry => {}
        }
    }

    // As primary.

    fn on_client_request(
        &mut self,
        command: Command,
        key: Key,
        operation: &Operation,
        cx: &mut Context,
    ) {
        if !self.is_primary() && !cx.runs(&BUSY_BACKUP) {
            cx.reach("a backup is idle");
            return;
        }
        let last = self.state.last_reply(command.client);
        if last.is_some_and(|last| last.number > command.number) {
            return;
        }
        cx.indicate(Indication::Fact(Fact::Processes(command)));
        let length = match last.filter(|last| last.number == command.number) {
            Some(known) => {
                cx.reach("a repeated request");
                known.length
            }
            None => self.execute(command, key, operation, cx),
        };
        self.owed.insert(command.client, length);
        self.reply(cx);
    }

    /// Executes a request, sends the update to the backups, and returns the new length of the log.
    fn execute(
        &mut self,
        command: Command,
        key: Key,
        operation: &Operation,
        cx: &mut Context,
    ) -> u64 {
        let (view, index) = (self.view, self.state.length());
        let entry = self.state.execute(command, key, operation);
        self.apply(entry.clone(), cx);
        cx.send_to(self.backups(), Msg::Update { view, index, entry });
        self.expect_acks(cx);
        self.state.length()
    }

    /// Sends the replies that are safe by now.
    pub(super) fn reply(&mut self, cx: &mut Context) {
        let safe = self.safe_length();
        let state = &self.state;
        self.owed.retain(|client, length| {
            if *length > safe {
                return true;
            }
            if let Some(Entry { command, outcome, .. }) = state.entry(*length) {
                let (number, outcome) = (command.number, outcome.clone());
                cx.send(*client, Msg::Reply { number, outcome });
            }
            false
        });
    }

    /// The length of the log that is on enough servers for clients to hear of it.
    fn safe_length(&self) -> u64 {
        let acked = |p: ProcessId| self.acked.get(&p).copied().unwrap_or_default();
        let left = self.backups().into_iter().map(acked);
        let safe = match self.params.ack_wait {
            AckWait::None => None,
            AckWait::One => left.max(),
            AckWait::All => left.min(),
            AckWait::Majority => self.majority_with_me(self.others().map(acked).collect()),
        };
        safe.unwrap_or(self.state.length())
    }

    fn on_ack(&mut self, from: ProcessId, view: View, length: u64, cx: &mut Context) {
        if self.is_primary() && view == self.view && self.servers.contains(&from) {
            let acked = self.acked.entry(from).or_default();
            *acked = (*acked).max(length.min(self.state.length()));
            self.reply(cx);
        }
    }

    pub(super) fn lags(&self, backup: ProcessId, length: u64) -> bool {
        self.acked.get(&backup).copied().unwrap_or_default() < length
    }

    /// Sends heartbeats, and the whole log to each backup that has not kept up since the last one.
    pub(super) fn send_heartbeats(&mut self, cx: &mut Context) {
        let (view, sent) = (self.view, cx.now());
        cx.send_to(self.others(), Msg::Heartbeat { view, sent });
        for late in self.backups() {
            if self.lags(late, self.length_at_heartbeat) {
                cx.send(late, Msg::Log { view, log: self.state.log().to_vec() });
            }
        }
        self.length_at_heartbeat = self.state.length();
        cx.set_timer(self.params.heartbeat, Timer::Heartbeat);
    }

    // As backup.

    fn on_update(
        &mut self,
        from: ProcessId,
        view: View,
        index: u64,
        entry: Entry,
        cx: &mut Context,
    ) {
        if self.follows(from, view, cx) {
            self.early.insert(index, entry);
            self.catch_up(cx);
        }
    }

    fn on_log(&mut self, from: ProcessId, view: View, log: Vec<Entry>, cx: &mut Context) {
        if !self.follows(from, view, cx) {
            return;
        }
        // Within a view a log only grows: a shorter one is older.
        if self.log_view < view || log.len() as u64 > self.state.length() {
            self.adopt(log, cx);
            self.log_view = view;
        }
        self.catch_up(cx);
        self.listen(cx);
    }

    /// Applies the updates that are next in order, and acknowledges the log.
    fn catch_up(&mut self, cx: &mut Context) {
        if self.log_view < self.view {
            return;
        }
        while let Some(entry) = self.early.remove(&self.state.length()) {
            self.apply(entry, cx);
        }
        let (view, length) = (self.view, self.state.length());
        self.early = self.early.split_off(&length);
        cx.send(self.primary_of(view), Msg::Ack { view, length });
    }

    fn on_heartbeat(&mut self, from: ProcessId, view: View, sent: Instant, cx: &mut Context) {
        self.await_sign_of_life(from, cx);
        if !self.follows(from, view, cx) {
            return;
        }
        self.echo(from, view, sent, cx);
        self.listen(cx);
    }

    // As either.

    fn apply(&mut self, entry: Entry, cx: &mut Context) {
        cx.indicate(Indication::Applied(entry.command));
        self.state.apply(entry);
    }

    /// Adopts this log: applies what is new if its own log is a prefix, and starts over otherwise.
    pub(super) fn adopt(&mut self, log: Vec<Entry>, cx: &mut Context) {
        let known = self.state.log().len();
        if log.starts_with(self.state.log()) {
            for entry in log.into_iter().skip(known) {
                self.apply(entry, cx);
            }
        } else {
            cx.indicate(Indication::Adopted(log.iter().map(|entry| entry.command).collect()));
            self.state = State::of(log);
        }
    }

    pub(super) const fn is_primary(&self) -> bool {
        matches!(self.phase, Phase::Primary)
    }

    /// The primary of this view.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the remainder is below the number of servers"
    )]
    pub(super) fn primary_of(&self, view: View) -> ProcessId {
        self.servers[(view % self.servers.len() as u64) as usize]
    }

    /// All servers except this one.
    pub(super) fn others(&self) -> impl Iterator<Item = ProcessId> + Clone + use<> {
        let me = self.me;
        self.servers.clone().into_iter().filter(move |p| *p != me)
    }

    /// The others that it has not given up.
    pub(super) fn backups(&self) -> Vec<ProcessId> {
        self.others().filter(|p| !self.suspected.contains(*p)).collect()
    }
}
