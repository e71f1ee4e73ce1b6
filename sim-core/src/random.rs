//! Faults drawn from each seed, never beyond a budget: the result is a [`Plan`], data like a
//! scripted one.
//!
//! Each kind draws from a stream of its own, so that one more kind changes nothing about the
//! others. Which processes may be faulty at all is drawn once, for all kinds together.

use crate::condition::{Condition, Persistence};
use crate::fault::{Action, Crash, Fault, InFlight, Plan, Trigger};
use crate::id::ProcessId;
use crate::network::Cut;
use crate::process_set::ProcessSet;
use crate::rng::{Rng, Stream};
use crate::time::{Duration, DurationRange, Instant};

/// What may go wrong in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RandomFaults {
    /// f: how many different processes may be faulty at all.
    pub faulty_count_max: u32,
    /// Crashes.
    pub crash: Option<RandomCrash>,
    /// Pauses.
    pub pause: Option<RandomPause>,
    /// Partitions. They make no process faulty.
    pub partition: Option<RandomPartition>,
    /// Swarm testing (Groce et al. 2012): each seed leaves each kind out with probability 1/2, and
    /// scales the rest down at random.
    pub swarm: bool,
}

/// How many of something: a closed range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountRange {
    /// At least so many.
    pub min: u32,
    /// At most so many, `>= min`.
    pub max: u32,
}

/// When and how often faults of a kind strike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// How many.
    pub count: CountRange,
    /// Within which time.
    pub between: DurationRange,
    /// Whom they may strike, all being within the budget too.
    pub targets: ProcessSet,
}

/// Crashes drawn from a seed. Each lands between two effects, as likely any two as any others, or
/// (every other one) at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RandomCrash {
    /// When and how often.
    pub occurrence: Occurrence,
    /// How long a process stays down; for good, if `None`.
    pub recover_after: Option<DurationRange>,
}

/// Pauses drawn from a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RandomPause {
    /// When and how often.
    pub occurrence: Occurrence,
    /// How long.
    pub duration: DurationRange,
}

/// Partitions drawn from a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RandomPartition {
    /// When and how often; the targets don't matter.
    pub occurrence: Occurrence,
    /// Of which shape.
    pub shape: PartitionShape,
    /// How long.
    pub duration: DurationRange,
}

/// How a partition divides the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionShape {
    /// Into two halves, at random.
    Halves,
    /// One process from all others.
    Isolate,
    /// One process is not heard by the others, and hears them.
    OneWay,
}

/// When each process had its effects in a run without faults: the points at which a crash can land.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// For each process, the time of each of its effects, in order.
    pub effects: Vec<Vec<Instant>>,
}

impl Profile {
    /// Every single crash point: process and effect, in order.
    pub fn crash_points(&self) -> impl Iterator<Item = (ProcessId, u64)> + '_ {
        let processes = (0u32..).map(ProcessId).zip(&self.effects);
        processes.flat_map(|(p, effects)| (1..=effects.len() as u64).map(move |nth| (p, nth)))
    }
}

/// The kinds, as streams of randomness know them.
#[derive(Clone, Copy)]
enum FaultKind {
    Crash = 1,
    Pause = 2,
    Partition = 3,
}

impl RandomFaults {
    /// The faults of the run with this seed, whose profile without faults is `profile`.
    pub fn draw(&self, seed: u64, profile: &Profile) -> Plan {
        let faulty = self.draw_faulty(seed, profile.effects.len());
        let mut faults = Vec::new();
        if let Some(crash) = &self.crash {
            let mut rng = Rng::new(seed, Stream::FaultKind(FaultKind::Crash as u32));
            for _ in 0..self.count(&crash.occurrence, &mut rng) {
                faults.extend(crash.draw(&faulty, profile, &mut rng));
            }
        }
        if let Some(pause) = &self.pause {
            let mut rng = Rng::new(seed, Stream::FaultKind(FaultKind::Pause as u32));
            for _ in 0..self.count(&pause.occurrence, &mut rng) {
                faults.extend(pause.draw(&faulty, &mut rng));
            }
        }
        if let Some(partition) = &self.partition {
            let mut rng = Rng::new(seed, Stream::FaultKind(FaultKind::Partition as u32));
            for _ in 0..self.count(&partition.occurrence, &mut rng) {
                faults.push(partition.draw(profile.effects.len(), &mut rng));
            }
        }
        Plan { faults }
    }

    /// The processes that may be faulty in this run.
    fn draw_faulty(&self, seed: u64, n: usize) -> ProcessSet {
        let mut all: Vec<ProcessId> = (0u32..).take(n).map(ProcessId).collect();
        Rng::new(seed, Stream::Faults).shuffle(&mut all);
        all.into_iter().take(self.faulty_count_max as usize).collect()
    }

    /// How many faults of a kind this run has; the kind's first draws.
    fn count(&self, occurrence: &Occurrence, rng: &mut Rng) -> u64 {
        let CountRange { min, max } = occurrence.count;
        let (left_out, scale) = (rng.below(2) == 0, rng.between(1, 4));
        let count = rng.between(min.into(), max.into());
        match (self.swarm, left_out) {
            (false, _) => count,
            (true, true) => 0,
            (true, false) => (count * scale).div_ceil(4),
        }
    }
}

impl Occurrence {
    fn target(&self, faulty: &ProcessSet, rng: &mut Rng) -> Option<ProcessId> {
        let targets: Vec<ProcessId> = self.targets.iter().filter(|p| faulty.contains(*p)).collect();
        rng.choose(&targets).copied()
    }

    fn time(&self, rng: &mut Rng) -> Instant {
        Instant::ZERO + draw(self.between, rng)
    }
}

impl RandomCrash {
    fn draw(&self, faulty: &ProcessSet, profile: &Profile, rng: &mut Rng) -> Option<Fault> {
        let process = self.occurrence.target(faulty, rng)?;
        let DurationRange { min, max } = self.occurrence.between;
        let window = Instant::ZERO + min..=Instant::ZERO + max;
        let effects = &profile.effects[process.index()];
        let points: Vec<u64> =
            (1..).zip(effects).filter(|(_, at)| window.contains(at)).map(|(nth, _)| nth).collect();
        // Both are drawn, whichever is taken, so that each crash costs the same draws.
        let (by_time, at) = (rng.below(2) == 0, self.occurrence.time(rng));
        let trigger = match rng.choose(&points) {
            Some(nth) if !by_time => Trigger::AfterEffect { process, nth: *nth },
            _ => Trigger::At(at),
        };
        let in_flight = if rng.below(2) == 0 { InFlight::Keep } else { InFlight::Lose };
        let recover_after = self.recover_after.map(|range| draw(range, rng));
        let crash = Crash { recover_after, in_flight, disk: None };
        Some(Fault { trigger, action: Action::Crash(process, crash) })
    }
}

impl RandomPause {
    fn draw(&self, faulty: &ProcessSet, rng: &mut Rng) -> Option<Fault> {
        let process = self.occurrence.target(faulty, rng)?;
        let trigger = Trigger::At(self.occurrence.time(rng));
        let resume_after = Some(draw(self.duration, rng));
        Some(Fault { trigger, action: Action::Pause { process, resume_after } })
    }
}

impl RandomPartition {
    fn draw(&self, n: usize, rng: &mut Rng) -> Fault {
        let mut all: Vec<ProcessId> = (0u32..).take(n).map(ProcessId).collect();
        rng.shuffle(&mut all);
        let cut = match self.shape {
            PartitionShape::Halves => Cut::Groups(vec![sorted(&all[..n / 2])]),
            PartitionShape::Isolate => Cut::Groups(vec![sorted(&all[..n.min(1)])]),
            PartitionShape::OneWay => {
                Cut::OneWay { from: sorted(&all[..n.min(1)]), to: sorted(&all[n.min(1)..]) }
            }
        };
        let trigger = Trigger::At(self.occurrence.time(rng));
        let persistence = Persistence::Transient(draw(self.duration, rng));
        Fault { trigger, action: Action::Begin(Condition::Partition(cut), persistence) }
    }
}

fn sorted(ids: &[ProcessId]) -> Vec<ProcessId> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids
}

fn draw(range: DurationRange, rng: &mut Rng) -> Duration {
    Duration::from_nanos(rng.between(range.min.as_nanos(), range.max.as_nanos()))
}
