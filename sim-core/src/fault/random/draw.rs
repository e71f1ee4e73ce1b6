//! Draws a plan from a seed.

use super::{Occurrence, PartitionShape, Profile, RandomAction, RandomCondition, RandomFaults};
use crate::adversary::Behaviour;
use crate::environment::clock::Shift;
use crate::environment::network::Cut;
use crate::fault::condition::{Condition, Links, Persistence};
use crate::fault::{Action, Crash, Fault, InFlight, Plan, Trigger};
use crate::id::ProcessId;
use crate::process_set::ProcessSet;
use crate::rng::{Rng, Stream};
use crate::time::CountRange;
use crate::time::{Duration, DurationRange, Instant};

impl RandomFaults {
    /// The faults for this seed, given the profile of its run without faults.
    pub fn draw(&self, seed: u64, profile: &Profile) -> Plan {
        let n = profile.effects.len();
        let faulty = self.draw_faulty(seed, n);
        let all: ProcessSet = (0u32..).take(n).map(ProcessId).collect();
        let mut faults = Vec::new();
        for kind in &self.kinds {
            let mut rng = Rng::new(seed, Stream::FaultKind(kind.what.stream()));
            let allowed = if kind.what.is_of_process() { &faulty } else { &all };
            for _ in 0..self.count(&kind.occurrence, &mut rng) {
                let mut draw =
                    Draw { occurrence: &kind.occurrence, allowed, profile, rng: &mut rng };
                faults.extend(draw.fault(&kind.what));
            }
        }
        only_drawn_liars_collude(&mut faults);
        Plan { faults }
    }

    /// The processes that may be faulty in this run.
    fn draw_faulty(&self, seed: u64, n: usize) -> ProcessSet {
        let mut all: Vec<ProcessId> = (0u32..).take(n).map(ProcessId).collect();
        Rng::new(seed, Stream::Faults).shuffle(&mut all);
        all.into_iter().take(self.faulty_count_max as usize).collect()
    }

    /// The number of faults of a kind in this run; these are the kind's first draws.
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

/// The state while one fault is drawn.
struct Draw<'a> {
    occurrence: &'a Occurrence,
    allowed: &'a ProcessSet,
    profile: &'a Profile,
    rng: &'a mut Rng,
}

impl Draw<'_> {
    fn fault(&mut self, what: &RandomAction) -> Option<Fault> {
        if let RandomAction::Begin(RandomCondition::Partition(shape), duration) = what {
            let cut = self.cut(*shape);
            let trigger = self.trigger();
            let persistence = Persistence::Transient(self.duration(*duration));
            let action = Action::Begin(Condition::Partition(cut), persistence);
            return Some(Fault { trigger, action });
        }
        let process = self.target()?;
        if let RandomAction::Crash { recover_after, announced } = what {
            return Some(self.crash(process, *recover_after, *announced));
        }
        let trigger = self.trigger();
        let action = match what {
            RandomAction::Start => Action::Start(process),
            RandomAction::Pause(duration) => {
                Action::Pause { process, resume_after: Some(self.duration(*duration)) }
            }
            RandomAction::Corrupt(behaviour) => Action::Corrupt(process, behaviour.clone()),
            RandomAction::CorruptState => Action::CorruptState(process),
            RandomAction::Damage(fault) => Action::Damage(process, *fault),
            RandomAction::Jump(by) => Action::Jump(process, self.shift(*by)),
            RandomAction::Begin(condition, duration) => {
                let condition = self.condition(process, condition);
                Action::Begin(condition, Persistence::Transient(self.duration(*duration)))
            }
            RandomAction::Crash { .. } => unreachable!("a crash has a trigger of its own"),
        };
        Some(Fault { trigger, action })
    }

    fn target(&mut self) -> Option<ProcessId> {
        let targets = self.occurrence.targets.iter().filter(|p| self.allowed.contains(*p));
        let targets: Vec<ProcessId> = targets.collect();
        self.rng.choose(&targets).copied()
    }

    fn time(&mut self) -> Instant {
        Instant::ZERO + self.duration(self.occurrence.between)
    }

    fn trigger(&mut self) -> Trigger {
        Trigger::At(self.time())
    }

    fn duration(&mut self, range: DurationRange) -> Duration {
        Duration::from_nanos(self.rng.between(range.min.as_nanos(), range.max.as_nanos()))
    }

    /// The size of a fault: never zero, which would be no fault.
    fn size(&mut self, range: DurationRange) -> Duration {
        self.duration(range).max(Duration::from_nanos(1))
    }

    fn shift(&mut self, by: DurationRange) -> Shift {
        let by = self.size(by);
        if self.rng.below(2) == 0 { Shift::Ahead(by) } else { Shift::Behind(by) }
    }

    fn crash(
        &mut self,
        process: ProcessId,
        recover_after: Option<DurationRange>,
        announced: bool,
    ) -> Fault {
        let DurationRange { min, max } = self.occurrence.between;
        let window = Instant::ZERO + min..=Instant::ZERO + max;
        let effects = &self.profile.effects[process.index()];
        let points: Vec<u64> =
            (1..).zip(effects).filter(|(_, at)| window.contains(at)).map(|(nth, _)| nth).collect();
        // Both are drawn although only one is used, so that each crash takes the same number of
        // draws.
        let (by_time, at) = (self.rng.below(2) == 0, self.time());
        let trigger = match self.rng.choose(&points) {
            Some(nth) if !by_time => Trigger::AfterEffect { process, nth: *nth },
            _ => Trigger::At(at),
        };
        let in_flight = if self.rng.below(2) == 0 { InFlight::Keep } else { InFlight::Lose };
        let recover_after = recover_after.map(|range| self.duration(range));
        let crash = Crash { recover_after, in_flight, disk: None, announced };
        Fault { trigger, action: Action::Crash(process, crash) }
    }

    /// All links, those from the process, or those to it.
    fn links(&mut self, process: ProcessId) -> Links {
        let only = || Some([process].into_iter().collect());
        match self.rng.below(3) {
            0 => Links::ALL,
            1 => Links { from: only(), to: None },
            _ => Links { from: None, to: only() },
        }
    }

    fn condition(&mut self, p: ProcessId, what: &RandomCondition) -> Condition {
        match *what {
            RandomCondition::Partition(shape) => Condition::Partition(self.cut(shape)),
            RandomCondition::Loss(chance) => Condition::Loss(self.links(p), chance),
            RandomCondition::Duplicate(chance) => Condition::Duplicate(self.links(p), chance),
            RandomCondition::Delay(by) => Condition::Delay(self.links(p), by),
            RandomCondition::Late(by) => Condition::Late(self.links(p), self.size(by)),
            RandomCondition::Reorder(chance, within) => {
                Condition::Reorder(self.links(p), chance, within)
            }
            RandomCondition::Replay(chance) => Condition::Replay(self.links(p), chance),
            RandomCondition::Garble(chance) => Condition::Garble(self.links(p), chance),
            RandomCondition::Bandwidth(rate) => Condition::Bandwidth(self.links(p), rate),
            RandomCondition::Clog => Condition::Clog(self.links(p)),
            RandomCondition::SendOmission(chance) => Condition::SendOmission(p, Links::ALL, chance),
            RandomCondition::ReceiveOmission(chance) => {
                Condition::ReceiveOmission(p, Links::ALL, chance)
            }
            RandomCondition::Slow(factor) => Condition::Slow(p, factor),
            RandomCondition::SyncFails => Condition::SyncFails(p),
            RandomCondition::SlowSync(by) => Condition::SlowSync(p, self.size(by)),
            RandomCondition::DiskFull => Condition::DiskFull(p),
            RandomCondition::Skew(by) => Condition::Skew(p, self.shift(by)),
            RandomCondition::Drift(most) => {
                let ppm = i64::try_from(self.rng.between(0, 2 * u64::from(most))).unwrap_or(0);
                let ppm = i32::try_from(ppm - i64::from(most)).unwrap_or(0);
                // A drift of zero would be no fault.
                Condition::Drift(p, if ppm == 0 { 1 } else { ppm })
            }
            RandomCondition::Freeze => Condition::Freeze(p),
        }
    }

    fn cut(&mut self, shape: PartitionShape) -> Cut {
        let n = self.profile.effects.len();
        let mut all: Vec<ProcessId> = (0u32..).take(n).map(ProcessId).collect();
        self.rng.shuffle(&mut all);
        let (one, others) = all.split_at(n.min(1));
        match shape {
            PartitionShape::Halves => Cut::Groups(vec![sorted(&all[..n / 2])]),
            PartitionShape::Isolate => Cut::Groups(vec![sorted(one)]),
            PartitionShape::OneWay => Cut::OneWay { from: sorted(one), to: sorted(others) },
            PartitionShape::Bridge => {
                let (left, right) = others.split_at(others.len() / 2);
                Cut::Bridge { left: sorted(left), right: sorted(right) }
            }
            PartitionShape::RingOfMajorities => Cut::RingOfMajorities(all),
        }
    }
}

/// Removes from each circle of colluding processes those that were not drawn: in a plan, all
/// members of a circle must collude.
fn only_drawn_liars_collude(faults: &mut [Fault]) {
    let liar = |fault: &Fault| match &fault.action {
        Action::Corrupt(process, behaviour @ Behaviour::Collude(_)) => {
            Some((*process, behaviour.clone()))
        }
        _ => None,
    };
    let liars: Vec<(ProcessId, Behaviour)> = faults.iter().filter_map(liar).collect();
    for fault in faults {
        let Action::Corrupt(process, behaviour) = &mut fault.action else { continue };
        let told = behaviour.clone();
        let Behaviour::Collude(circle) = &told else { continue };
        let others = liars.iter().filter(|(_, other)| *other == told).map(|(other, _)| *other);
        let drawn: ProcessSet = if circle.contains(*process) {
            others.filter(|other| circle.contains(*other)).collect()
        } else {
            [*process].into_iter().collect()
        };
        *behaviour = Behaviour::Collude(drawn);
    }
}

fn sorted(ids: &[ProcessId]) -> Vec<ProcessId> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids
}
