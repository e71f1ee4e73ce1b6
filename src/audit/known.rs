//! The state of a run at one entry of its trace: processes, waiting times, conditions in force.

use ftsim_core::ProcessSet;
use ftsim_core::environment::liveness::LivenessMode;
use ftsim_core::environment::network::Link;
use ftsim_core::fault::condition::Condition;
use ftsim_core::fault::{Action, Trigger};
use ftsim_core::id::{MessageId, ProcessId};
use ftsim_core::model::data::StorageError;
use ftsim_core::model::property::EndCause;
use ftsim_core::outcome::trace::{Entry, TraceEvent};
use ftsim_core::time::Instant;

use super::Subject;
use super::in_force::InForce;

/// The state of a run.
pub(super) struct Known<'a> {
    pub subject: &'a Subject<'a>,
    /// The time and the step of the entry.
    pub at: Instant,
    pub step: u64,
    /// The time and the step of the previous entry.
    pub before: (Instant, u64),
    pub in_force: InForce<'a>,
    /// The processes that are well after all faults have ended, and the liveness mode.
    pub well: Option<(LivenessMode, ProcessSet)>,
    /// The time when all faults ended.
    pub faults_ended: Option<Instant>,
    hosts: Vec<Host>,
    /// The last entry, if it was a replay.
    replayed: Option<(MessageId, ProcessId)>,
    /// The newest message that was sent, and perhaps lost at once.
    newest: Option<MessageId>,
}

/// The state of a process, or of its second copy.
#[derive(Clone, Debug)]
pub(super) struct Host {
    /// The identity of the process.
    pub of: ProcessId,
    pub up: bool,
    /// Whether it starts later.
    pub absent: bool,
    pub started: bool,
    pub paused: bool,
    pub blocked: bool,
    /// Whether an adversary sends for it.
    pub corrupt: bool,
    /// Whether it has had a failure that counts as a fault.
    pub ever_faulty: bool,
    /// The number of its crashes.
    pub life: u32,
    /// The start of its current life.
    pub began: Instant,
    /// The times of the last crash and recovery.
    pub crashed: Option<Instant>,
    pub recovered: Option<Instant>,
    /// The time of the last action.
    pub acted: Option<Instant>,
    /// The step of the last action.
    pub acted_in: Option<u64>,
    /// The time since when it has been paused or blocked.
    pub waits_since: Option<Instant>,
    /// The start and end of the last time that it was paused or blocked.
    pub waited: Option<(Instant, Instant)>,
}

/// Whether this event is an action of a process, rather than something done to it.
pub(super) const fn is_deed(what: &TraceEvent) -> bool {
    matches!(
        what,
        TraceEvent::Start
            | TraceEvent::Request { .. }
            | TraceEvent::Deliver { .. }
            | TraceEvent::Timer { .. }
            | TraceEvent::Suspect { .. }
            | TraceEvent::Trust { .. }
            | TraceEvent::StorageError { .. }
            | TraceEvent::Send { .. }
            | TraceEvent::Carry { .. }
            | TraceEvent::SetTimer { .. }
            | TraceEvent::CancelTimer { .. }
            | TraceEvent::Indicate { .. }
            | TraceEvent::Append { .. }
            | TraceEvent::Rewrite { .. }
            | TraceEvent::SyncBegins
            | TraceEvent::Synced
            | TraceEvent::Reach { .. }
            | TraceEvent::Note { .. }
    )
}

impl<'a> Known<'a> {
    pub fn new(subject: &'a Subject<'a>) -> Self {
        let starts_late =
            |p| {
                subject.plan.faults.iter().any(|fault| {
                    fault.action == Action::Start(p) && fault.trigger != Trigger::Never
                })
            };
        let host = |p| Host {
            of: p,
            up: !starts_late(p),
            absent: starts_late(p),
            started: false,
            paused: false,
            blocked: false,
            corrupt: false,
            ever_faulty: starts_late(p),
            life: 0,
            began: Instant::ZERO,
            crashed: None,
            recovered: None,
            acted: None,
            acted_in: None,
            waits_since: None,
            waited: None,
        };
        Self {
            subject,
            at: Instant::ZERO,
            step: 0,
            before: (Instant::ZERO, 0),
            in_force: InForce::new(subject.plan),
            well: None,
            faults_ended: None,
            hosts: subject.experiment.setting.processes().map(host).collect(),
            replayed: None,
            newest: None,
        }
    }

    /// Updates time, conditions and the network to the state at this entry.
    pub fn before(&mut self, entry: &Entry) {
        self.before = (self.at, self.step);
        (self.at, self.step) = (entry.at, entry.step);
        self.in_force.see(entry);
        match &entry.what {
            TraceEvent::Well { mode, processes } => {
                let modes = [LivenessMode::Gst, LivenessMode::HealAll, LivenessMode::Core];
                let mode = modes.into_iter().find(|known| known.to_string() == *mode);
                self.well = mode.map(|mode| (mode, read_set(processes)));
                self.faults_ended = Some(entry.at);
                if let Some((LivenessMode::Core, core)) = &self.well {
                    self.in_force.spare(core.clone());
                } else {
                    self.in_force.heal_all(entry.at);
                }
            }
            TraceEvent::Doubled { second } => {
                if let Some(of) = entry.process
                    && second.index() == self.hosts.len()
                {
                    let twin = Host { of, ..self.host(of).clone() };
                    self.hosts.push(twin);
                }
            }
            _ => {}
        }
    }

    /// Updates the processes to the state after this entry.
    pub fn after(&mut self, entry: &Entry) {
        self.replayed = match &entry.what {
            TraceEvent::Replay { id, to, .. } => Some((*id, *to)),
            _ => None,
        };
        // A message that is lost as soon as it is sent has no other entry.
        let sends = match entry.what {
            TraceEvent::Send { id, .. } | TraceEvent::Drop { id, .. } => self.newest < Some(id),
            _ => false,
        };
        if let TraceEvent::Send { id, .. } | TraceEvent::Drop { id, .. } = entry.what {
            self.newest = self.newest.max(Some(id));
        }
        let Some(p) = entry.process else { return };
        let count = self.subject.experiment.setting.n;
        if let TraceEvent::Crash { .. } = entry.what {
            // The second copy stops with the first.
            let twins = self.hosts.iter_mut().skip(count as usize);
            twins.filter(|host| host.of == p).for_each(|host| host.crash(entry.at));
        }
        if let TraceEvent::Begins { condition } = &entry.what
            && let Some(q) = self.in_force.find(condition).and_then(Condition::faulty)
            && let Some(host) = self.hosts.get_mut(q.index())
        {
            host.ever_faulty = true;
        }
        let Some(host) = self.hosts.get_mut(p.index()) else { return };
        match &entry.what {
            TraceEvent::Start => {
                (host.up, host.absent, host.started) = (true, false, true);
                host.began = entry.at;
            }
            TraceEvent::Crash { .. } => host.crash(entry.at),
            TraceEvent::Recover { .. } => {
                (host.up, host.started) = (true, true);
                host.began = entry.at;
                host.recovered = Some(entry.at);
                host.acted = Some(entry.at);
                // Its handler is a step of its own, without an entry for its beginning.
                host.acted_in = Some(entry.step + 1);
            }
            TraceEvent::Pause => host.wait(|host| host.paused = true, entry.at),
            TraceEvent::Resume => host.stop_waiting(|host| host.paused = false, entry.at),
            TraceEvent::SyncBegins => host.wait(|host| host.blocked = true, entry.at),
            TraceEvent::Synced | TraceEvent::StorageError { error: StorageError::SyncFailed } => {
                host.stop_waiting(|host| host.blocked = false, entry.at);
            }
            TraceEvent::Corrupt { .. } => host.corrupt = true,
            TraceEvent::StateCorrupted => host.ever_faulty = true,
            _ => {}
        }
        if is_deed(&entry.what) || sends {
            host.acted = Some(entry.at);
            host.acted_in = Some(entry.step);
        }
    }

    /// The state of the process at this place. An unknown process counts as down.
    pub fn host(&self, p: ProcessId) -> &Host {
        static NOBODY: Host = Host {
            of: ProcessId(u32::MAX),
            up: false,
            absent: false,
            started: false,
            paused: false,
            blocked: false,
            corrupt: false,
            ever_faulty: true,
            life: 0,
            began: Instant::ZERO,
            crashed: None,
            recovered: None,
            acted: None,
            acted_in: None,
            waits_since: None,
            waited: None,
        };
        self.hosts.get(p.index()).unwrap_or(&NOBODY)
    }

    /// All processes, excluding second copies.
    pub fn processes(&self) -> impl Iterator<Item = ProcessId> + use<> {
        self.subject.experiment.setting.processes()
    }

    /// The identity of the process at this place.
    pub fn identity(&self, place: ProcessId) -> ProcessId {
        self.hosts.get(place.index()).map_or(place, |host| host.of)
    }

    /// The hosts with the identity of `p`.
    pub fn copies(&self, p: ProcessId) -> impl Iterator<Item = &Host> {
        let twins = self.hosts.iter().skip(self.subject.experiment.setting.n as usize);
        std::iter::once(self.host(p)).chain(twins.filter(move |host| host.of == p))
    }

    /// Whether this entry is a replay of an old message by the network.
    pub fn is_replay(&self, entry: &Entry) -> bool {
        match &entry.what {
            TraceEvent::Send { id, to, .. } => self.replayed == Some((*id, *to)),
            _ => false,
        }
    }

    /// The earliest time at which the input that `p` handles now may have reached it: before now,
    /// if the process was waiting and has only just stopped.
    pub fn reached_since(&self, p: ProcessId) -> Instant {
        match self.host(p).waited {
            Some((since, until)) if until == self.at => since,
            _ => self.at,
        }
    }

    /// At the end of the run: since when `p` has left alone what reached it. A limit can end a run
    /// while a process that has just stopped waiting is still behind.
    pub fn behind_since(&self, p: ProcessId) -> Option<Instant> {
        let is_cut_off = !matches!(self.subject.cause, EndCause::Quiescent | EndCause::Horizon);
        let host = self.host(p);
        let only_just = host.waited.filter(|(_, until)| is_cut_off && *until == self.at);
        host.waits_since.or(only_just.map(|(since, _)| since))
    }

    /// The link between two processes, without conditions.
    pub fn link(&self, from: ProcessId, to: ProcessId) -> &'a Link {
        let network = &self.subject.experiment.network;
        let of_link = |(pair, _): &&((ProcessId, ProcessId), Link)| *pair == (from, to);
        network.overrides.iter().rev().find(of_link).map_or(&network.default, |(_, link)| link)
    }

    /// Whether the link by itself neither loses nor duplicates messages.
    pub fn is_whole(&self, from: ProcessId, to: ProcessId) -> bool {
        let stable = self.subject.experiment.network.stabilise_at.is_some_and(|gst| self.at >= gst);
        let among = |well: &ProcessSet| well.contains(from) && well.contains(to);
        let well = self.well.as_ref().filter(|(mode, _)| *mode != LivenessMode::Gst);
        stable || well.is_some_and(|(_, well)| among(well))
    }
}

impl Host {
    pub const fn waits(&self) -> bool {
        self.paused || self.blocked
    }

    fn crash(&mut self, at: Instant) {
        (self.up, self.paused, self.blocked) = (false, false, false);
        (self.waits_since, self.waited) = (None, None);
        self.ever_faulty = true;
        self.crashed = Some(at);
        self.life += 1;
    }

    fn wait(&mut self, begin: impl FnOnce(&mut Self), at: Instant) {
        if !self.waits() {
            // A process that waits again before it has emptied its inbox is still behind.
            let still = self.waited.filter(|(_, until)| *until == at).map(|(since, _)| since);
            self.waits_since = Some(still.unwrap_or(at));
        }
        begin(self);
    }

    fn stop_waiting(&mut self, end: impl FnOnce(&mut Self), at: Instant) {
        let waited = self.waits();
        end(self);
        if waited && !self.waits() {
            self.waited = Some((self.waits_since.take().unwrap_or(at), at));
        }
    }
}

/// Reads `{p0 p2}`.
fn read_set(text: &str) -> ProcessSet {
    let names = text.trim_matches(['{', '}']).split_whitespace();
    names.filter_map(|name| name.parse().ok()).collect()
}
