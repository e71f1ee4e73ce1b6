//! Worlds drawn from a number: every kind of environment and of fault, group by group.

use ftsim_core::adversary::Behaviour;
use ftsim_core::environment::clock::{ClockConfig, Shift};
use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::network::{Cut, Link, Loss, Order};
use ftsim_core::environment::storage::{DiskFault, OnCrash};
use ftsim_core::fault::condition::{Condition, Links, Persistence};
use ftsim_core::fault::{Action, Crash, Fault, InFlight, Trigger};
use ftsim_core::rng::Rng;
use ftsim_core::{
    Duration, DurationRange, Experiment, Instant, Probability, ProcessId, ProcessSet, Setting,
};

use super::chatter::{Chatter, Params};
use super::topics::{Errands, SOURCES};

/// The kinds of the chatter's messages.
const KINDS: [&str; 4] = ["Gossip", "Ack", "Private.Question", "Private.Answer"];

/// A world for the chatter.
pub struct World {
    pub experiment: Experiment,
    pub params: Params,
    pub errands: Errands,
    pub rng: Rng,
}

pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub fn micros(n: u64) -> Duration {
    Duration::from_micros(n)
}

impl World {
    /// A calm world of three to five processes.
    pub fn calm(bits: u64) -> Self {
        let mut rng = Rng::from_bits(bits);
        let n = u32::try_from(rng.between(3, 5)).expect("few");
        let mut experiment = Experiment::new(Setting::of(n));
        experiment.limits.horizon = Instant::ZERO + ms(250);
        experiment.limits.event_count_max = 1_500;
        experiment.counts_bytes = rng.below(4) == 0;
        if rng.below(2) == 0 {
            experiment.check.push(SOURCES);
        }
        let errands = Errands { n, count: rng.between(3, 7) };
        Self { experiment, params: Params::default(), errands, rng }
    }

    pub fn runner(&self) -> ftsim_core::Runner {
        let (experiment, params) = (self.experiment.clone(), self.params.clone());
        ftsim_core::Runner::new::<Chatter>(experiment, params, &self.errands)
            .expect("a valid world")
    }

    pub fn n(&self) -> u32 {
        self.experiment.setting.n
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.rng.below(n) == 0
    }

    pub fn process(&mut self) -> ProcessId {
        ProcessId(u32::try_from(self.rng.below(self.n().into())).expect("a process"))
    }

    /// Two distinct processes.
    pub fn pair(&mut self) -> (ProcessId, ProcessId) {
        let all = self.shuffled();
        (all[0], all[1])
    }

    pub fn shuffled(&mut self) -> Vec<ProcessId> {
        let mut all: Vec<ProcessId> = self.experiment.setting.processes().collect();
        self.rng.shuffle(&mut all);
        all
    }

    /// Some processes, at least one, and not all.
    pub fn some(&mut self) -> Vec<ProcessId> {
        let count = self.rng.between(1, u64::from(self.n()) - 1);
        self.shuffled().into_iter().take(usize::try_from(count).expect("few")).collect()
    }

    pub fn set(&mut self) -> ProcessSet {
        self.some().into_iter().collect()
    }

    pub fn kind(&mut self) -> String {
        (*self.rng.choose(&KINDS).expect("four")).to_owned()
    }

    /// A time up to this many milliseconds, in whole microseconds.
    pub fn time(&mut self, most_ms: u64) -> Duration {
        micros(self.rng.below(most_ms * 1_000))
    }

    pub fn range(&mut self, most_ms: u64) -> DurationRange {
        let (a, b) = (self.time(most_ms), self.time(most_ms));
        DurationRange { min: a.min(b), max: a.max(b) }
    }

    /// Between a tenth and a half, or now and then certainty.
    pub fn chance(&mut self) -> Probability {
        match self.rng.below(6) {
            0 => Probability::ALWAYS,
            _ => Probability::new(self.rng.between(10, 50) as f64 / 100.0).expect("below one"),
        }
    }

    /// Less than a half, and never certainty.
    pub fn share(&mut self) -> Probability {
        Probability::new(self.rng.between(5, 40) as f64 / 100.0).expect("below one")
    }

    pub fn links(&mut self) -> Links {
        let side = |world: &mut Self| (!world.one_in(3)).then(|| world.set());
        Links { from: side(self), to: side(self) }
    }

    pub fn delay(&mut self) -> Delay {
        let cap = self.time(40) + ms(5);
        let short = self.time(9) + micros(100);
        let tenths = self.rng.between(5, 20) as f64 / 10.0;
        match self.rng.below(6) {
            0 => Delay::Uniform(self.range(12)),
            1 => Delay::Exponential { mean: short, cap },
            2 => Delay::Normal { mean: short, deviation: self.time(4), cap },
            3 => Delay::LogNormal { median: short, sigma: tenths, cap },
            4 => Delay::Pareto { min: short, alpha: tenths, cap },
            _ => {
                let later = short + self.time(9);
                Delay::Empirical(vec![(0.25, short), (0.75, later), (1.0, later + cap)])
            }
        }
    }

    pub fn loss(&mut self) -> Loss {
        match self.rng.below(2) {
            0 => Loss::Independent(self.chance()),
            _ => Loss::Burst { enter: self.share(), leave: self.share(), loss: self.chance() },
        }
    }

    pub fn order(&mut self) -> Order {
        if self.one_in(2) { Order::Fifo } else { Order::Any }
    }

    /// A link with everything that a link can have.
    pub fn link(&mut self) -> Link {
        let never = Probability::NEVER;
        Link {
            delay: self.delay(),
            loss: if self.one_in(2) { self.loss() } else { Loss::default() },
            duplicate: if self.one_in(3) { self.share() } else { never },
            order: self.order(),
            bandwidth: self.one_in(3).then(|| self.rng.between(2_000, 60_000)),
            garble: if self.one_in(4) { self.share() } else { never },
        }
    }

    pub fn cut(&mut self) -> Cut {
        let all = self.shuffled();
        let (left, right) = all.split_at(all.len() / 2);
        let (left, right) = (left.to_vec(), right.to_vec());
        match self.rng.below(6) {
            0 => Cut::Groups(vec![left, right]),
            1 => Cut::Groups(vec![left]),
            2 => Cut::OneWay { from: left, to: right },
            3 => Cut::Links(vec![(all[0], all[1]), (all[2], all[0])]),
            4 => Cut::Bridge { left, right: right[1..].to_vec() },
            _ => Cut::RingOfMajorities(all),
        }
    }

    pub fn persistence(&mut self) -> Persistence {
        let on = self.time(30) + ms(3);
        match self.rng.below(3) {
            0 => Persistence::Transient(on),
            1 => Persistence::Intermittent { period: on + self.time(20) + ms(1), on },
            _ => Persistence::Permanent,
        }
    }

    pub fn shift(&mut self) -> Shift {
        let by = self.time(40);
        if self.one_in(2) { Shift::Ahead(by) } else { Shift::Behind(by) }
    }

    pub fn policy(&mut self) -> OnCrash {
        let all = [
            OnCrash::LoseUnsynced,
            OnCrash::KeepAll,
            OnCrash::KeepPrefix,
            OnCrash::KeepSubset,
            OnCrash::TornLast,
            OnCrash::LoseAll,
        ];
        *self.rng.choose(&all).expect("some")
    }

    pub fn crash(&mut self) -> Crash {
        Crash {
            recover_after: (!self.one_in(3)).then(|| self.time(50) + ms(1)),
            in_flight: if self.one_in(2) { InFlight::Lose } else { InFlight::Keep },
            disk: self.one_in(2).then(|| self.policy()),
            announced: self.one_in(4),
        }
    }

    pub fn damage(&mut self) -> DiskFault {
        match self.rng.below(3) {
            0 => DiskFault::CorruptRecord,
            1 => DiskFault::LoseDisk,
            _ => DiskFault::Rollback(u32::try_from(self.rng.between(1, 3)).expect("few")),
        }
    }

    pub fn trigger(&mut self) -> Trigger {
        let process = self.process();
        match self.rng.below(4) {
            0 => Trigger::AfterEffect { process, nth: self.rng.between(1, 25) },
            1 => Trigger::Sends { process, kind: self.kind(), nth: self.rng.between(1, 5) },
            _ => Trigger::At(Instant::ZERO + self.time(120)),
        }
    }

    /// The same, of this process if it is of an effect.
    pub fn trigger_of(&mut self, process: ProcessId) -> Trigger {
        match self.trigger() {
            Trigger::AfterEffect { nth, .. } => Trigger::AfterEffect { process, nth },
            Trigger::Sends { kind, nth, .. } => Trigger::Sends { process, kind, nth },
            at => at,
        }
    }

    pub fn add(&mut self, trigger: Trigger, action: Action) {
        self.experiment.plan.faults.push(Fault { trigger, action });
    }

    pub fn strike(&mut self, action: Action) {
        let trigger = self.trigger();
        self.add(trigger, action);
    }

    pub fn begin(&mut self, condition: Condition) {
        let persistence = self.persistence();
        self.strike(Action::Begin(condition, persistence));
    }

    /// A condition of links.
    pub fn link_condition(&mut self) -> Condition {
        let (links, chance) = (self.links(), self.chance());
        match self.rng.below(9) {
            0 => Condition::Loss(links, chance),
            1 => Condition::Duplicate(links, chance),
            2 => Condition::Late(links, self.time(20)),
            3 => Condition::Delay(links, self.range(20)),
            4 => Condition::Reorder(links, chance, self.time(25)),
            5 => Condition::Replay(links, chance),
            6 => Condition::Garble(links, chance),
            7 => Condition::Bandwidth(links, self.rng.between(2_000, 60_000)),
            _ => Condition::Clog(links),
        }
    }

    pub fn clocks(&mut self) {
        let offset = self.range(20);
        self.experiment.clocks = ClockConfig { offset, drift_ppm: (-300_000, 400_000) };
    }

    pub fn behaviour(&mut self) -> Behaviour {
        match self.rng.below(9) {
            0 => Behaviour::Silent,
            1 => Behaviour::Withhold(self.set()),
            2 => Behaviour::Delay(self.time(40)),
            3 => Behaviour::Equivocate,
            4 => Behaviour::Mutate,
            5 => Behaviour::Replay,
            6 => Behaviour::Custom("forger".into()),
            7 => Behaviour::Twins,
            _ => Behaviour::Random,
        }
    }
}
