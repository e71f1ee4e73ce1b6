//! Worlds drawn from a number, each within the model of primary-backup: parameters at and near what
//! `validate` accepts, delays at and near δ, crashes near heartbeats, timeouts and takeovers.

use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::detector::{DetectorConfig, DetectorKind};
use ftsim_core::environment::message_rule::{Fate, MessageRule};
use ftsim_core::environment::network::{Link, Order};
use ftsim_core::experiment::Ties;
use ftsim_core::fault::{Action, Crash, Fault, InFlight, Trigger};
use ftsim_core::rng::Rng;
use ftsim_core::{Duration, DurationRange, Experiment, Instant, ProcessId, Setting};
use serde_json::{Value, json};

/// One way to run the protocol.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    pub takeover: &'static str,
    pub ack_wait: &'static str,
    pub succession: &'static str,
}

/// One world: an experiment with its settings.
pub struct World {
    pub experiment: Experiment,
    pub params: Value,
    pub workload: Value,
}

/// What a world is drawn with.
struct Draw {
    rng: Rng,
    mode: Mode,
    servers: u64,
    clients: u64,
    /// δ, τ and the parameter `timeout`, in nanoseconds.
    delta: u64,
    tau: u64,
    timeout: u64,
    /// Whether links may keep the order of messages.
    has_fifo: bool,
}

impl Mode {
    /// How many servers may crash.
    fn crash_count_max(self, servers: u64) -> u64 {
        match (self.ack_wait, self.succession) {
            ("majority", _) => (servers - 1) / 2,
            ("all", _) => servers - 1,
            ("one", _) if servers <= 2 => servers - 1,
            ("one", "most-advanced") => 1,
            _ => 0,
        }
    }

    fn counts_on_time(self) -> bool {
        self.takeover == "timeout"
    }

    /// World number `number`.
    pub fn world(self, number: u64) -> World {
        let mut rng = Rng::from_bits(number);
        let servers_max = rng.between(3, 7);
        let (servers, clients) = (rng.between(2, servers_max), rng.between(1, 4));
        let delta = *rng.choose(&[1_000_000, 7_000_000, 10_000_000]).expect("some");
        let delta = if rng.below(4) == 0 { rng.between(1, 20_000_000) } else { delta };
        let multiples = [(1, 3), (1, 1), (3, 2), (2, 1), (3, 1), (5, 1), (10, 1)];
        // Where no time is counted on, only the number of heartbeats is a matter of τ.
        let (over, under) = match self.takeover {
            "timeout" => *rng.choose(&multiples).expect("some"),
            "quorum" => *rng.choose(&multiples[1..]).expect("some"),
            _ => (30, 1),
        };
        let tau = (delta * over / under + rng.below(2)).max(1);
        let least = match self.takeover {
            "quorum" => (tau + 2 * delta).max(4 * delta) + 1,
            _ => tau + delta,
        };
        let more = [0, 0, 0, 1, rng.below(delta), rng.below(3 * tau)];
        let timeout = least + *rng.choose(&more).expect("some");
        Draw { rng, mode: self, servers, clients, delta, tau, timeout, has_fifo: false }.world()
    }
}

impl Draw {
    fn world(mut self) -> World {
        let (servers, clients) = (to_u32(self.servers), to_u32(self.clients));
        let roles = vec![("server".to_owned(), servers), ("client".to_owned(), clients)];
        let setting = Setting { roles, ..Setting::of(servers + clients) };
        let mut experiment = Experiment::new(setting);
        experiment.setting.delay_bound = nanos(self.delta);
        experiment.ties = if self.rng.below(2) == 0 { Ties::Sequence } else { Ties::Drawn };
        // With drawn ties a FIFO link keeps its messages a nanosecond apart, and so exceeds δ.
        self.has_fifo = experiment.ties == Ties::Sequence;
        experiment.limits.stop_at_violation = true;

        // The longest delay, and the time from which on it counts.
        let (longest, stable) = self.network(&mut experiment);
        let retry = match self.mode.takeover {
            "timeout" if self.mode.ack_wait == "none" => 2 * self.delta,
            "timeout" => 4 * self.delta,
            _ => self.rng.between(self.delta, 5 * self.delta),
        };
        let retry = retry + if self.rng.below(2) == 0 { 0 } else { self.rng.below(3 * self.delta) };
        let (operations, think) =
            (self.rng.between(1, 5), self.rng.below(2 * self.delta + self.tau));
        let told = self.rng.below(3 * longest);
        if self.mode.takeover == "perfect" {
            let delay = DurationRange { min: Duration::ZERO, max: nanos(told) };
            let kind = DetectorKind::Perfect;
            experiment.detector = DetectorConfig { kind, delay, ..DetectorConfig::default() };
        }

        let undisturbed = operations * (4 * longest + think);
        let crashes = self.rng.between(0, self.mode.crash_count_max(self.servers));
        let down = self.crashes(&mut experiment, crashes, stable + undisturbed);
        // A crash costs a turn of each server, requests sent in vain, and what is asked first.
        let turns = if self.mode.takeover == "quorum" { self.servers + 1 } else { 1 };
        let outage = turns * (self.timeout + longest) + told + 20 * longest;
        let outage = outage + (self.servers + 1) * retry;
        let end = stable + undisturbed + (crashes + 1) * outage + 2 * self.tau;
        let calm =
            if self.mode.takeover == "quorum" { operations * self.servers * retry } else { 0 };
        experiment.limits.horizon = Instant::from_nanos(end + calm);

        let in_ns = |ns: u64| format!("{ns}ns");
        let declares =
            |(p, at): &(ProcessId, u64)| json!({ "declares": p, "at": in_ns(at + told) });
        let operator = match self.mode.takeover {
            "operator" => down.iter().map(declares).collect(),
            _ => Vec::new(),
        };
        let params = json!({
            "takeover": self.mode.takeover,
            "ack_wait": self.mode.ack_wait,
            "succession": self.mode.succession,
            "heartbeat": in_ns(self.tau),
            "timeout": in_ns(self.timeout),
            "retry": in_ns(retry),
        });
        let workload = json!({
            "operations": operations,
            "keys": self.rng.between(1, 2),
            "reads": self.rng.below(2),
            "increments": self.rng.below(2),
            "swaps": self.rng.below(2),
            "think": format!("0ns..{think}ns"),
            "operator": operator,
        });
        World { experiment, params, workload }
    }

    /// Links that keep within δ: always, or from a time on. Returns the longest delay from then on.
    fn network(&mut self, experiment: &mut Experiment) -> (u64, u64) {
        let delta = self.delta;
        let network = &mut experiment.network;
        network.bound = nanos(delta);
        if self.mode.counts_on_time() || (self.mode.takeover == "quorum" && self.rng.below(2) == 0)
        {
            network.default = self.link();
            let everybody = self.servers + self.clients;
            for _ in 0..self.rng.below(3 * self.servers) {
                // Links between servers as a rule.
                let among = if self.rng.below(4) == 0 { everybody } else { self.servers };
                let (from, to) = (self.rng.below(among), self.rng.below(among));
                let link = (ProcessId(to_u32(from)), ProcessId(to_u32(to)));
                if from != to {
                    experiment.network.overrides.push((link, self.link()));
                }
            }
            self.overrides(experiment);
            return (delta, 0);
        }
        let mean = nanos(delta * self.rng.between(1, 8) / 2 + 1);
        network.default.delay = Delay::Exponential { mean, cap: nanos(20 * delta) };
        if self.mode.takeover != "quorum" {
            return (20 * delta, 0);
        }
        let stable = self.rng.below(20 * self.tau);
        network.stabilise_at = Some(Instant::from_nanos(stable));
        (delta, stable + delta)
    }

    fn link(&mut self) -> Link {
        let delta = self.delta;
        let range = |min| Delay::Uniform(DurationRange { min: nanos(min), max: nanos(delta) });
        let constant = |d| Delay::Uniform(DurationRange::constant(nanos(d)));
        let delay = match self.rng.below(6) {
            0 => constant(delta),
            1 => constant(0),
            2 => range(delta - delta / 10),
            3 => Delay::Empirical(vec![
                (0.5, nanos(delta / 10)),
                (0.5001, nanos(delta)),
                (1.0, nanos(delta)),
            ]),
            _ => range(delta / 10),
        };
        let is_fifo = self.rng.below(4) == 0 && self.has_fifo;
        let order = if is_fifo { Order::Fifo } else { Order::Any };
        Link { delay, order, ..Link::default() }
    }

    /// Single messages that are fast, or as slow as may be.
    fn overrides(&mut self, experiment: &mut Experiment) {
        let kinds = ["Heartbeat", "Alive", "Log", "Update", "Ack", "Prepare", "Promise", "Echo"];
        for _ in 0..self.rng.below(12) {
            let from = ProcessId(to_u32(self.rng.below(self.servers)));
            let to = ProcessId(to_u32(self.rng.below(self.servers)));
            let after = *self.rng.choose(&[0, self.delta]).expect("some");
            let nth = self.rng.between(1, 8);
            let kind = self.rng.choose(&kinds).expect("some");
            decide(experiment, (from, to), kind, nth, after);
        }
    }

    /// Crashes of servers, low ranks first as a rule; returns those that have a time.
    fn crashes(
        &mut self,
        experiment: &mut Experiment,
        count: u64,
        end: u64,
    ) -> Vec<(ProcessId, u64)> {
        let mut victims: Vec<_> = (0..to_u32(self.servers)).map(ProcessId).collect();
        let (mut at, mut down) = (self.rng.below(end.min(6 * self.tau)), Vec::new());
        if self.mode.counts_on_time() && count >= 2 && self.rng.below(3) == 0 {
            at = self.cascade(experiment);
            victims.drain(..2);
        } else if self.rng.below(3) == 0 {
            self.rng.shuffle(&mut victims);
        }
        let left = count - experiment.plan.faults.len() as u64;
        victims.truncate(usize::try_from(left).expect("a few"));
        for process in victims {
            let kinds = ["Heartbeat", "Alive", "Log", "Update", "Prepare", "Reply", "NewPrimary"];
            let is_timed = self.mode.takeover == "operator" || self.rng.below(3) > 0;
            let trigger = if is_timed {
                at = self.next_crash(at);
                down.push((process, at));
                Trigger::At(Instant::from_nanos(at))
            } else if self.rng.below(3) == 0 {
                Trigger::AfterEffect { process, nth: self.rng.between(1, 80) }
            } else {
                let kind = (*self.rng.choose(&kinds).expect("some")).to_owned();
                Trigger::Sends { process, kind, nth: self.rng.between(1, 3 * self.servers) }
            };
            let in_flight = if self.rng.below(3) == 0 { InFlight::Keep } else { InFlight::Lose };
            crash(experiment, process, trigger, in_flight);
        }
        down
    }

    /// The primary crashes while its last heartbeats are under way, which its successor does not
    /// get, and the successor soon after it has begun: of either some servers hear, and others do
    /// not. Returns when the successor crashes.
    fn cascade(&mut self, experiment: &mut Experiment) -> u64 {
        let (delta, tau) = (self.delta, self.tau);
        let (primary, successor) = (ProcessId(0), ProcessId(1));
        // Heartbeat k leaves at (k - 1)τ.
        let last = self.rng.between(2, 5);
        let sent = (last - 1) * tau;
        let (before, under_way) = (self.rng.below(1 + delta / 4), 1 + self.rng.below(delta));
        decide(experiment, (primary, successor), "Heartbeat", last - 1, before);
        decide(experiment, (primary, successor), "Heartbeat", last, delta);
        let begins = sent - tau + before + self.timeout;
        let lasts = 1 + self.rng.below(delta);
        let others = || (2..to_u32(self.servers)).map(ProcessId);
        let links = others().flat_map(|from| others().map(move |to| (from, to)));
        let links: Vec<_> = links.chain(others().map(|to| (successor, to))).collect();
        for to in others() {
            let after = *self.rng.choose(&[0, under_way - 1, delta]).expect("some");
            decide(experiment, (primary, to), "Heartbeat", last, after);
        }
        for link in links {
            for kind in ["Heartbeat", "Log"] {
                let after = *self.rng.choose(&[0, lasts - 1, delta]).expect("some");
                decide(experiment, link, kind, 1, after);
            }
        }
        let at = |ns| Trigger::At(Instant::from_nanos(ns));
        crash(experiment, primary, at(sent + under_way), InFlight::Lose);
        crash(experiment, successor, at(begins + lasts), InFlight::Lose);
        begins + lasts
    }

    /// When the next server crashes: while a heartbeat is under way, or at about the time when a
    /// successor of the last one that crashed begins, whether it got the last heartbeat or not.
    fn next_crash(&mut self, last: u64) -> u64 {
        let (delta, tau, timeout) = (self.delta, self.tau, self.timeout);
        let heartbeat = last - last % tau;
        let at = match self.rng.below(5) {
            0 => heartbeat + tau + self.rng.below(delta),
            1 => heartbeat + timeout - tau + self.rng.below(3 * delta),
            2 => heartbeat + timeout + self.rng.below(3 * delta),
            3 => heartbeat + timeout + self.rng.below(4) * delta,
            _ => last + self.rng.below(timeout + 4 * delta),
        };
        match self.rng.below(8) {
            0 => at + 1,
            1 => at.saturating_sub(1),
            _ => at,
        }
    }
}

fn crash(experiment: &mut Experiment, process: ProcessId, trigger: Trigger, in_flight: InFlight) {
    let action = Action::Crash(process, Crash { in_flight, ..Crash::default() });
    experiment.plan.faults.push(Fault { trigger, action });
}

/// Decides how long a message takes, unless that is decided already.
fn decide(
    experiment: &mut Experiment,
    (from, to): (ProcessId, ProcessId),
    kind: &str,
    nth: u64,
    after: u64,
) {
    let decided = |rule: &MessageRule| {
        (rule.from, rule.to, rule.nth) == (from, to, nth) && rule.kind.as_deref() == Some(kind)
    };
    if from != to && !experiment.overrides.iter().any(decided) {
        let (kind, fate) = (Some(kind.to_owned()), Fate::delay(nanos(after)));
        experiment.overrides.push(MessageRule { from, to, kind, nth, fate });
    }
}

fn nanos(ns: u64) -> Duration {
    Duration::from_nanos(ns)
}

fn to_u32(n: u64) -> u32 {
    u32::try_from(n).expect("a few")
}
