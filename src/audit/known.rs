//! What is known of a run at one entry of its trace: who is up, who waits, what is in force.

use ftsim_core::ProcessSet;
use ftsim_core::environment::liveness::LivenessMode;
use ftsim_core::environment::network::Link;
use ftsim_core::fault::condition::Condition;
use ftsim_core::fault::{Action, Trigger};
use ftsim_core::id::{MessageId, ProcessId};
use ftsim_core::model::data::StorageError;
use ftsim_core::outcome::trace::{Entry, TraceEvent};
use ftsim_core::time::Instant;

use super::Subject;
use super::in_force::InForce;

/// What is known of a run.
pub(super) struct Known<'a> {
    pub subject: &'a Subject<'a>,
    /// The time and the step of the entry.
    pub at: Instant,
    pub step: u64,
    /// The time and the step of the entry before.
    pub before: (Instant, u64),
    pub in_force: InForce<'a>,
    /// Who is well, and how, once all faults are over.
    pub well: Option<(LivenessMode, ProcessSet)>,
    /// When faults ended.
    pub faults_ended: Option<Instant>,
    hosts: Vec<Host>,
    /// The last entry, if it was a replay.
    replayed: Option<(MessageId, ProcessId)>,
}

/// What is known of a process, or of the second copy of one.
#[derive(Clone, Debug)]
pub(super) struct Host {
    /// Whose identity it has.
    pub of: ProcessId,
    pub up: bool,
    /// It is to start later.
    pub absent: bool,
    pub started: bool,
    pub paused: bool,
    pub blocked: bool,
    /// An adversary speaks for it.
    pub corrupt: bool,
    /// Something was wrong with it that counts as a fault.
    pub ever_faulty: bool,
    /// How often it has crashed.
    pub life: u32,
    /// When this life began.
    pub began: Instant,
    /// When it last crashed, recovered, paused.
    pub crashed: Option<Instant>,
    pub recovered: Option<Instant>,
    /// When it last did something.
    pub acted: Option<Instant>,
    /// The step in which it last did something.
    pub acted_in: Option<u64>,
    /// Since when it has been paused or blocked.
    pub waits_since: Option<Instant>,
    /// From when to when it was so for the last time.
    pub waited: Option<(Instant, Instant)>,
}

/// Whether a process does this, rather than that it is done to it or to something else.
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
        }
    }

    /// Comes to an entry: time, conditions and the network are those that hold with it.
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

    /// Leaves an entry behind.
    pub fn after(&mut self, entry: &Entry) {
        self.replayed = match &entry.what {
            TraceEvent::Replay { id, to, .. } => Some((*id, *to)),
            _ => None,
        };
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
                // Its handler is a step of its own, which no entry begins.
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
        if is_deed(&entry.what) {
            host.acted = Some(entry.at);
            host.acted_in = Some(entry.step);
        }
    }

    /// What is known of the process at this place. Nobody is a process that is down.
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

    /// All processes, without second copies.
    pub fn processes(&self) -> impl Iterator<Item = ProcessId> + use<> {
        self.subject.experiment.setting.processes()
    }

    /// The identity of the process at this place.
    pub fn identity(&self, place: ProcessId) -> ProcessId {
        self.hosts.get(place.index()).map_or(place, |host| host.of)
    }

    /// Those that have the identity of `p`.
    pub fn copies(&self, p: ProcessId) -> impl Iterator<Item = &Host> {
        let twins = self.hosts.iter().skip(self.subject.experiment.setting.n as usize);
        std::iter::once(self.host(p)).chain(twins.filter(move |host| host.of == p))
    }

    /// Whether this is what the network does with an old message.
    pub fn is_replay(&self, entry: &Entry) -> bool {
        match &entry.what {
            TraceEvent::Send { id, to, .. } => self.replayed == Some((*id, *to)),
            _ => false,
        }
    }

    /// The earliest time at which what `p` handles now may have reached it: before now, if the
    /// process was waiting and has only just stopped.
    pub fn reached_since(&self, p: ProcessId) -> Instant {
        match self.host(p).waited {
            Some((since, until)) if until == self.at => since,
            _ => self.at,
        }
    }

    /// How the link between two processes behaves by itself.
    pub fn link(&self, from: ProcessId, to: ProcessId) -> &'a Link {
        let network = &self.subject.experiment.network;
        let of_link = |(pair, _): &&((ProcessId, ProcessId), Link)| *pair == (from, to);
        network.overrides.iter().rev().find(of_link).map_or(&network.default, |(_, link)| link)
    }

    /// Whether the link loses and doubles nothing of itself.
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
            // Who waits again before it has come to the last of what it missed is still behind.
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
