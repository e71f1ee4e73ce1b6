//! Dijkstra's ring: mutual exclusion that comes back by itself, whatever state it was put into.
//!
//! Source: Dijkstra (1974), *Self-stabilizing systems in spite of distributed control*, the
//! solution with K-state machines. Spec: [`Stabilisation`]. Model: asynchronous, reliable links, no
//! process stops; any number of bits may flip in the states of machines, at any time.
//!
//! Steps: n machines stand in a ring, and each has one of K states. Machine 0, the *root*, is
//! privileged if its predecessor's state equals its own, and moves to the next state, modulo K. Any
//! other machine is privileged if its predecessor's state differs from its own, and copies it.
//!
//! Why it works: without the root, each move would take a difference out of the ring, so the root
//! moves again and again. Of K ≥ n − 1 states it comes to one that no machine has; that state
//! then spreads around the ring, and nothing else is left behind it. With fewer states the
//! difference can go round for ever ahead of the root.
//!
//! The paper's *central daemon* chooses one machine after another, and each reads its predecessor
//! and moves in one indivisible step. Here the daemon is a process of its own, which is no part of
//! the algorithm and loses no state. It asks the predecessor of the machine that it chooses to show
//! its state to it (`Show`, `Shown`), and chooses the next only when that machine has taken its
//! step (`Done`). So nobody else moves in between.

use ftsim_core::prelude::*;

use crate::spec::mutual_exclusion::PROGRESS;
use crate::spec::stabilisation::{CONVERGENCE, Indication, MACHINE, Stabilisation, State};

const DAEMON: &str = "daemon";
const ROOT: ProcessId = ProcessId(0);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// From the daemon, to the predecessor of the machine that it has chosen.
    Show,
    /// The sender's state, to its successor, which takes its step.
    Shown(State),
    /// To the daemon: the machine that it has chosen has taken its step.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// At the daemon: time to choose a machine.
    Choose,
}

/// A process of Dijkstra's ring.
#[derive(Clone, Debug, Hash)]
pub enum DijkstraRing {
    /// It is on the ring.
    Machine(Machine),
    /// It says who is next.
    Daemon(Daemon),
}

/// A machine of the ring.
#[derive(Clone, Debug, Hash)]
pub struct Machine {
    rule: Rule,
    state: State,
    /// The state that it is to start in; if there is none, it is drawn.
    start: Option<State>,
}

/// The central daemon.
#[derive(Clone, Debug, Hash)]
pub struct Daemon {
    pace: Duration,
    /// The machines that it chooses in turn, for ever; if there are none, each is drawn.
    schedule: Vec<u32>,
    chosen: u64,
}

/// How a machine moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// The number of states, K.
    pub states: State,
    /// Whether the machine is the root.
    pub is_root: bool,
}

impl Rule {
    /// The state to which a machine moves from `own` if its predecessor is in `before`; `None` if
    /// it is not privileged.
    pub fn next(self, own: State, before: State) -> Option<State> {
        match self.is_root {
            true => (own == before).then_some((own + 1) % self.states),
            false => (own != before).then_some(before),
        }
    }
}

impl Process for DijkstraRing {
    type Spec = Stabilisation;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        match self {
            Self::Machine(machine) => {
                let drawn = |cx: &mut Cx<Self>| cx.rng().below(u64::from(machine.rule.states));
                machine.state = match machine.start {
                    Some(state) => state,
                    None => State::try_from(drawn(cx)).unwrap_or(0),
                };
                machine.announce(cx);
            }
            Self::Daemon(daemon) => cx.set_timer(daemon.pace, Timer::Choose),
        }
    }

    fn on_request(&mut self, request: Never, _: &mut Cx<Self>) {
        match request {}
    }

    fn on_message(&mut self, _: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match (self, msg) {
            (Self::Machine(machine), Msg::Show) => machine.show(cx),
            (Self::Machine(machine), Msg::Shown(before)) => machine.step(before, cx),
            (Self::Daemon(daemon), Msg::Done) => cx.set_timer(daemon.pace, Timer::Choose),
            _ => {}
        }
    }

    fn on_timer(&mut self, Timer::Choose: Timer, cx: &mut Cx<Self>) {
        if let Self::Daemon(daemon) = self {
            daemon.choose(cx);
        }
    }
}

impl Machine {
    fn show(&self, cx: &mut Cx<DijkstraRing>) {
        self.announce(cx);
        let successor = ProcessId((cx.me().0 + 1) % ring_size(cx.setting()));
        cx.send(successor, Msg::Shown(self.state));
    }

    fn step(&mut self, before: State, cx: &mut Cx<DijkstraRing>) {
        let from = self.state;
        match self.rule.next(from, before) {
            Some(to) => {
                self.state = to;
                cx.indicate(Indication::Moves { from, to });
            }
            None => cx.indicate(Indication::Stays(from)),
        }
        let daemon = cx.role(DAEMON).next();
        cx.send_to(daemon, Msg::Done);
    }

    fn announce(&self, cx: &mut Cx<DijkstraRing>) {
        cx.indicate(Indication::Is { state: self.state, is_root: self.rule.is_root });
    }
}

impl Daemon {
    fn choose(&mut self, cx: &mut Cx<DijkstraRing>) {
        let n = ring_size(cx.setting());
        let turn = self.chosen;
        self.chosen += 1;
        let chosen = match self.schedule.len() as u64 {
            0 => u32::try_from(cx.rng().below(u64::from(n))).unwrap_or(0),
            count => usize::try_from(turn % count).map_or(0, |index| self.schedule[index]),
        };
        cx.send(ProcessId((chosen + n - 1) % n), Msg::Show);
    }
}

/// The number of machines.
fn ring_size(setting: &Setting) -> u32 {
    setting.role_size(MACHINE)
}

/// `[params]` of Dijkstra's ring.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// K, the number of states of a machine; by default as many as there are machines.
    pub k: Option<u32>,
    /// The states in which the machines start; by default drawn.
    pub start: Vec<u32>,
    /// The machines that the daemon chooses, again and again; by default each is drawn.
    pub schedule: Vec<u32>,
    /// How long the daemon waits between two steps.
    pub pace: Duration,
}

impl Default for Params {
    fn default() -> Self {
        let pace = Duration::from_millis(5);
        Self { k: None, start: Vec::new(), schedule: Vec::new(), pace }
    }
}

impl Params {
    fn states(&self, setting: &Setting) -> State {
        self.k.unwrap_or_else(|| ring_size(setting))
    }
}

const K_TOO_SMALL: Mutant = Mutant::assumption(
    "k-too-small",
    "has fewer than n − 1 states for n machines",
    CONVERGENCE,
    "params.k",
    None,
);
const NO_ROOT: Mutant =
    Mutant::code("no-root", "has no root: every machine copies its predecessor", PROGRESS);

impl Protocol for DijkstraRing {
    const NAME: &'static str = "dijkstra-ring";
    const SUMMARY: &'static str = "mutual exclusion on a ring that stabilises from any state";
    const SOURCE: &'static str = "Dijkstra 1974";
    const ROLES: &'static [&'static str] = &[MACHINE, DAEMON];
    const MUTANTS: &'static [Mutant] = &[K_TOO_SMALL, NO_ROOT];

    /// Bits of a machine's state flip. The daemon is no part of the algorithm, and keeps its own.
    const STATE_CORRUPTION: Option<StateCorruption<Self>> = Some(|process, _, rng| {
        if let Self::Machine(machine) = process {
            let drawn = rng.below(u64::from(machine.rule.states));
            machine.state = State::try_from(drawn).unwrap_or(0);
        }
    });

    type Params = Params;

    fn model(_: &Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS
    }

    fn validate(params: &Params, setting: &Setting) -> Result<(), Invalid> {
        let n = ring_size(setting);
        if n < 2 {
            return Err(Invalid::role(MACHINE, "a ring has two machines or more"));
        }
        if setting.role_size(DAEMON) != 1 {
            return Err(Invalid::role(DAEMON, "there is one daemon"));
        }
        let k = params.states(setting);
        if k < 2 {
            return Err(Invalid::new("k", "a machine has two states or more"));
        }
        if !params.start.is_empty() && params.start.len() != n as usize {
            return Err(Invalid::new("start", format!("there are {n} machines")));
        }
        if params.start.iter().any(|state| *state >= k) {
            return Err(Invalid::new("start", format!("states are 0 to {}", k - 1)));
        }
        if params.schedule.iter().any(|chosen| *chosen >= n) {
            return Err(Invalid::new("schedule", format!("machines are 0 to {}", n - 1)));
        }
        if params.pace == Duration::ZERO {
            return Err(Invalid::new("pace", "the daemon would never let time pass"));
        }
        Ok(())
    }

    fn new(params: &Params, setting: &Setting, me: ProcessId) -> Self {
        if setting.has_role(me, DAEMON) {
            let schedule = params.schedule.clone();
            return Self::Daemon(Daemon { pace: params.pace, schedule, chosen: 0 });
        }
        let is_root = me == ROOT && !setting.runs(&NO_ROOT);
        let rule = Rule { states: params.states(setting), is_root };
        Self::Machine(Machine { rule, state: 0, start: params.start.get(me.index()).copied() })
    }
}
