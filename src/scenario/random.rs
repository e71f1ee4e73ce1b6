//! `[random]`: what may be drawn from each seed.

use ftsim_core::adversary::Behaviour;
use ftsim_core::environment::storage::DiskFault;
use ftsim_core::fault::random::{
    Occurrence, PartitionShape, RandomAction, RandomCondition, RandomFaults, RandomKind,
};
use ftsim_core::time::CountRange;
use ftsim_core::{Duration, DurationRange, Instant, Probability};

use super::conditions::{SLOW_FACTOR_MAX, refuse_beyond_bound};
use super::context::Context;
use super::faults::refuse_recovery;
use super::liars::behaviour;
use super::network::probability;
use super::partition::RING_COUNT_MIN;
use super::problems::{Problems, quoted};
use crate::scenario::crash_point::EveryCrashPoint;
use crate::scenario::file::{
    Counts, CrashPointsFile, OccurrenceFile, OccurrenceOf, RandomFile, RandomShape,
};

/// More faults of one kind than this are refused.
const COUNT_MAX: u64 = 10_000;

/// What `[random]` asks for.
#[derive(Default)]
pub struct Random {
    /// The faults that each seed draws.
    pub drawn: Option<RandomFaults>,
    /// Instead: every crash point of one seed.
    pub crash_points: Option<EveryCrashPoint>,
}

/// What `[random]` asks for.
pub fn random(problems: &mut Problems<'_>, around: &Context<'_>, file: &RandomFile) -> Random {
    if let Some(CrashPointsFile::Every) = file.crash_points {
        return Random { drawn: None, crash_points: Some(every(problems, around, file)) };
    }
    if file.recover_after.is_some() {
        let why = "`recover_after` belongs to `crash_points`";
        problems.key("random.recover_after", why).help("write crash = { …, recover_after = … }");
    }
    Random { drawn: Some(drawn(problems, around, file)), crash_points: None }
}

fn every(problems: &mut Problems<'_>, around: &Context<'_>, file: &RandomFile) -> EveryCrashPoint {
    let others = RandomFile::kinds().chain(["max_faulty", "swarm"]);
    for (key, path) in others.map(|key| (key, format!("random.{key}"))) {
        if problems.is_given(&path) {
            problems
                .key(&path, format!("`{key}` cannot be combined with `crash_points`"))
                .label("with `crash_points`, no faults are drawn");
        }
    }
    let path = "random.recover_after";
    if let Some(after) = file.recover_after
        && refuse_recovery(problems, around.class, path)
        && Instant::ZERO + after > around.horizon
    {
        let message = format!("{after} is beyond the horizon ({})", around.horizon);
        problems.value(path, message);
    }
    EveryCrashPoint { recover_after: file.recover_after }
}

fn drawn(problems: &mut Problems<'_>, around: &Context<'_>, file: &RandomFile) -> RandomFaults {
    let reader = Reader { around, file };
    let mut kinds = reader.of_processes(problems);
    kinds.extend(reader.of_disks(problems));
    kinds.extend(reader.of_clocks(problems));
    kinds.extend(reader.of_links(problems));
    let kinds: Vec<RandomKind> = kinds.into_iter().flatten().collect();
    if kinds.is_empty() {
        let keys: Vec<&str> = RandomFile::kinds().collect();
        problems
            .value("random", "`[random]` draws no faults")
            .label(format!("expected one of {}, `crash_points`", quoted(&keys)));
    }
    let strikes_processes = kinds.iter().any(|kind| kind.what.is_of_process());
    let faulty_count_max = reader.budget(problems, strikes_processes);
    RandomFaults { faulty_count_max, kinds, swarm: file.swarm }
}

struct Reader<'a> {
    around: &'a Context<'a>,
    file: &'a RandomFile,
}

impl Reader<'_> {
    fn of_processes(&self, problems: &mut Problems<'_>) -> Vec<Option<RandomKind>> {
        let file = self.file;
        let mut kinds = Vec::new();
        for (key, crash) in [("crash", &file.crash), ("exception", &file.exception)] {
            kinds.push(self.kind(problems, key, crash, |problems, crash| {
                let path = format!("random.{key}.recover_after");
                if crash.recover_after.is_some() {
                    refuse_recovery(problems, self.around.class, &path);
                }
                self.ends(problems, key, "recover_after", crash.between, crash.recover_after);
                let announced = key == "exception";
                RandomAction::Crash { recover_after: crash.recover_after, announced }
            }));
        }
        kinds.push(self.kind(problems, "start", &file.start, |_, _| RandomAction::Start));
        kinds.push(
            self.kind(problems, "pause", &file.pause, |_, pause| {
                RandomAction::Pause(pause.duration)
            }),
        );
        kinds.push(self.kind(problems, "byzantine", &file.byzantine, |problems, lying| {
            let path = "random.byzantine.behaviour";
            let behaviour = behaviour(problems, self.around, path, lying.behaviour.as_ref(), &[]);
            RandomAction::Corrupt(behaviour.unwrap_or(Behaviour::Random))
        }));
        kinds.push(self.kind(
            problems,
            "state_corruption",
            &file.state_corruption,
            |problems, _| {
                if !self.around.has_corruptible_state {
                    problems
                        .key("random.state_corruption", "this protocol defines no state corruption")
                        .label("its state cannot be corrupted");
                }
                RandomAction::CorruptState
            },
        ));
        let chance = |problems: &mut Problems<'_>, key: &str, p: Option<f64>| {
            let path = format!("random.{key}.probability");
            p.map_or(Probability::ALWAYS, |p| probability(problems, &path, p))
        };
        kinds.push(self.kind(problems, "send_omission", &file.send_omission, |problems, omits| {
            let chance = chance(problems, "send_omission", omits.probability);
            RandomAction::Begin(RandomCondition::SendOmission(chance), omits.duration)
        }));
        let receive = &file.receive_omission;
        kinds.push(self.kind(problems, "receive_omission", receive, |problems, omits| {
            let chance = chance(problems, "receive_omission", omits.probability);
            RandomAction::Begin(RandomCondition::ReceiveOmission(chance), omits.duration)
        }));
        kinds.push(self.kind(problems, "slow", &file.slow, |problems, slow| {
            let factor = u32::try_from(slow.factor.0).unwrap_or(u32::MAX);
            if !(1..=SLOW_FACTOR_MAX).contains(&slow.factor.0) {
                let message = format!("a factor of {} is out of range", slow.factor.0);
                problems
                    .value("random.slow.factor", message)
                    .label(format!("expected 1 to {SLOW_FACTOR_MAX}"));
            }
            RandomAction::Begin(RandomCondition::Slow(factor), slow.duration)
        }));
        kinds
    }

    fn of_disks(&self, problems: &mut Problems<'_>) -> Vec<Option<RandomKind>> {
        let file = self.file;
        vec![
            self.kind(problems, "sync_fails", &file.sync_fails, |_, fails| {
                RandomAction::Begin(RandomCondition::SyncFails, fails.duration)
            }),
            self.kind(problems, "slow_sync", &file.slow_sync, |problems, slow| {
                self.not_zero(problems, "slow_sync.by", slow.by.max);
                RandomAction::Begin(RandomCondition::SlowSync(slow.by), slow.duration)
            }),
            self.kind(problems, "full", &file.full, |_, full| {
                RandomAction::Begin(RandomCondition::DiskFull, full.duration)
            }),
            self.kind(problems, "corrupt_record", &file.corrupt_record, |_, _| {
                RandomAction::Damage(DiskFault::CorruptRecord)
            }),
            self.kind(problems, "lose_disk", &file.lose_disk, |_, _| {
                RandomAction::Damage(DiskFault::LoseDisk)
            }),
            self.kind(problems, "rollback", &file.rollback, |problems, rollback| {
                if rollback.records.0 == 0 {
                    problems
                        .value("random.rollback.records", "a rollback of 0 records does nothing");
                }
                let records = u32::try_from(rollback.records.0).unwrap_or(u32::MAX);
                RandomAction::Damage(DiskFault::Rollback(records))
            }),
        ]
    }

    fn of_clocks(&self, problems: &mut Problems<'_>) -> Vec<Option<RandomKind>> {
        let file = self.file;
        vec![
            self.kind(problems, "skew", &file.skew, |problems, skew| {
                self.not_zero(problems, "skew.by", skew.by.max);
                RandomAction::Begin(RandomCondition::Skew(skew.by), skew.duration)
            }),
            self.kind(problems, "drift", &file.drift, |problems, drift| {
                let most = super::world::DRIFT_PPM.1;
                let by = drift.by.max_ppm;
                if drift.by.min_ppm != by || !(1..=most).contains(&by) {
                    problems
                        .value("random.drift.by", "this drift is out of range")
                        .label(format!("expected one drift of 1ppm to {most}ppm"));
                }
                let by = u32::try_from(by.clamp(0, most)).unwrap_or(0);
                RandomAction::Begin(RandomCondition::Drift(by), drift.duration)
            }),
            self.kind(problems, "jump", &file.jump, |problems, jump| {
                self.not_zero(problems, "jump.by", jump.by.max);
                RandomAction::Jump(jump.by)
            }),
            self.kind(problems, "freeze", &file.freeze, |_, freeze| {
                RandomAction::Begin(RandomCondition::Freeze, freeze.duration)
            }),
        ]
    }

    fn of_links(&self, problems: &mut Problems<'_>) -> Vec<Option<RandomKind>> {
        let file = self.file;
        let chance = |problems: &mut Problems<'_>, key: &str, p: f64| {
            probability(problems, &format!("random.{key}.probability"), p)
        };
        let mut kinds = vec![
            self.kind(problems, "partition", &file.partition, |problems, partition| {
                let (shape, least) = match partition.shape {
                    RandomShape::Halves => (PartitionShape::Halves, 2),
                    RandomShape::Isolate => (PartitionShape::Isolate, 2),
                    RandomShape::OneWay => (PartitionShape::OneWay, 2),
                    RandomShape::Bridge => (PartitionShape::Bridge, 3),
                    RandomShape::RingOfMajorities => {
                        (PartitionShape::RingOfMajorities, RING_COUNT_MIN)
                    }
                };
                let n = self.around.setting.n;
                if n < least {
                    let message = format!("{n} processes are too few for this shape");
                    problems
                        .value("random.partition.shape", message)
                        .label(format!("expected at least {least} processes"));
                }
                RandomAction::Begin(RandomCondition::Partition(shape), partition.duration)
            }),
            self.kind(problems, "loss", &file.loss, |problems, loss| {
                let chance = chance(problems, "loss", loss.probability);
                RandomAction::Begin(RandomCondition::Loss(chance), loss.duration)
            }),
            self.kind(problems, "duplicate", &file.duplicate, |problems, duplicate| {
                let chance = chance(problems, "duplicate", duplicate.probability);
                RandomAction::Begin(RandomCondition::Duplicate(chance), duplicate.duration)
            }),
            self.kind(problems, "replay", &file.replay, |problems, replay| {
                let chance = chance(problems, "replay", replay.probability);
                RandomAction::Begin(RandomCondition::Replay(chance), replay.duration)
            }),
            self.kind(problems, "corrupt", &file.corrupt, |problems, corrupt| {
                let chance = chance(problems, "corrupt", corrupt.probability);
                RandomAction::Begin(RandomCondition::Garble(chance), corrupt.duration)
            }),
        ];
        kinds.extend([
            self.kind(problems, "delay", &file.delay, |problems, delay| {
                self.within_bound(problems, "delay.by", delay.by.max);
                self.not_zero(problems, "delay.by", delay.by.max);
                RandomAction::Begin(RandomCondition::Delay(delay.by), delay.duration)
            }),
            self.kind(problems, "late", &file.late, |problems, late| {
                self.not_zero(problems, "late.by", late.by.max);
                RandomAction::Begin(RandomCondition::Late(late.by), late.duration)
            }),
            self.kind(problems, "reorder", &file.reorder, |problems, reorder| {
                let likely = reorder.probability.unwrap_or(1.0);
                let likely = chance(problems, "reorder", likely);
                self.within_bound(problems, "reorder.within", reorder.within);
                self.not_zero(problems, "reorder.within", reorder.within);
                let condition = RandomCondition::Reorder(likely, reorder.within);
                RandomAction::Begin(condition, reorder.duration)
            }),
            self.kind(problems, "bandwidth", &file.bandwidth, |_, narrow| {
                RandomAction::Begin(RandomCondition::Bandwidth(narrow.rate.bytes), narrow.duration)
            }),
            self.kind(problems, "clog", &file.clog, |_, clog| {
                RandomAction::Begin(RandomCondition::Clog, clog.duration)
            }),
        ]);
        kinds
    }

    /// One kind, if the file has it.
    fn kind<F: OccurrenceOf>(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        file: &Option<F>,
        what: impl FnOnce(&mut Problems<'_>, &F) -> RandomAction,
    ) -> Option<RandomKind> {
        let file = file.as_ref()?;
        let common = file.occurrence();
        let what = what(problems, file);
        self.ends(problems, key, "duration", common.between, common.duration);
        self.is_over_when_stable(problems, key, &common, what.is_of_process());
        self.begins_before_the_end(problems, key, common.between);
        Some(RandomKind { occurrence: self.occurrence(problems, key, &common), what })
    }

    fn budget(&self, problems: &mut Problems<'_>, strikes_processes: bool) -> u32 {
        let n = self.around.setting.n;
        let Some(max) = self.file.max_faulty else {
            if strikes_processes {
                problems.value("random", "`max_faulty` is missing").help("write max_faulty = 1");
            }
            return 0;
        };
        if max.0 > u64::from(n) {
            problems
                .value("random.max_faulty", format!("{} faulty processes of {n}", max.0))
                .label(format!("expected 0 to {n}"));
        }
        u32::try_from(max.0).unwrap_or(n)
    }

    fn occurrence(
        &self,
        problems: &mut Problems<'_>,
        kind: &str,
        file: &OccurrenceFile<'_>,
    ) -> Occurrence {
        let OccurrenceFile { count, between, target, .. } = *file;
        let (from, horizon) = (Instant::ZERO + between.min, self.around.horizon);
        if Instant::ZERO + between.max > horizon {
            let which = if from > horizon { "begins" } else { "ends" };
            problems.value(
                &format!("random.{kind}.between"),
                format!("this window {which} after the horizon ({horizon})"),
            );
        }
        let Counts { min, max } = count;
        if max > COUNT_MAX {
            problems
                .value(&format!("random.{kind}.count"), format!("a count of {max} is too large"))
                .label(format!("expected at most {COUNT_MAX}"));
        }
        let narrow = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let path = format!("random.{kind}.target");
        let targets = match target {
            Some(target) => self.around.names.many(problems, &path, target).unwrap_or_default(),
            None => self.around.setting.processes().collect(),
        };
        Occurrence {
            count: CountRange { min: narrow(min), max: narrow(max) },
            between,
            targets: targets.into_iter().collect(),
        }
    }

    /// Refuses an end after the horizon.
    fn ends(
        &self,
        problems: &mut Problems<'_>,
        kind: &str,
        key: &str,
        between: DurationRange,
        lasts: Option<DurationRange>,
    ) {
        let Some(lasts) = lasts else { return };
        let (last, horizon) = (Instant::ZERO + between.max, self.around.horizon);
        if last <= horizon && last + lasts.max > horizon {
            let end = last + lasts.max;
            problems.value(
                &format!("random.{kind}.{key}"),
                format!("the last fault could end at {end}, after the horizon ({horizon})"),
            );
        }
    }

    /// Refuses what lasts beyond the time from which on nothing is wrong, and faults of links from
    /// then on.
    fn is_over_when_stable(
        &self,
        problems: &mut Problems<'_>,
        kind: &str,
        file: &OccurrenceFile<'_>,
        is_of_process: bool,
    ) {
        let Some(stable) = self.around.network.stabilise_at else { return };
        let is_of_links = !is_of_process;
        if is_of_process && (file.duration.is_none() || kind == "pause") {
            return;
        }
        let lasts = file.duration.map_or(Duration::ZERO, |lasts| lasts.max);
        let (first, last) = (Instant::ZERO + file.between.min, Instant::ZERO + file.between.max);
        let end = last + lasts;
        let path = format!("random.{kind}.between");
        if end > stable && (is_of_links || first < stable) {
            problems
                .value(&path, format!("a `{kind}` could last until {end}"))
                .label(format!("the network stabilises at {stable}"));
        } else if is_of_links && last == stable {
            problems
                .value(&path, format!("a `{kind}` after the network has stabilised"))
                .label(format!("the network stabilises at {stable}"));
        }
    }

    /// Refuses what could strike when all faults are over.
    fn begins_before_the_end(
        &self,
        problems: &mut Problems<'_>,
        kind: &str,
        between: DurationRange,
    ) {
        let last = Instant::ZERO + between.max;
        if let Some(end) = self.around.faults_end.filter(|end| last >= *end) {
            problems
                .value(
                    &format!("random.{kind}.between"),
                    format!("the last fault could strike at {last}, after all faults have ended"),
                )
                .label(format!("liveness.at is {end}"));
        }
    }

    /// Refuses faults whose size is always zero.
    fn not_zero(&self, problems: &mut Problems<'_>, key: &str, longest: Duration) {
        if longest == Duration::ZERO {
            problems.value(&format!("random.{key}"), "a fault of 0ms does nothing");
        }
    }

    fn within_bound(&self, problems: &mut Problems<'_>, key: &str, by: Duration) {
        refuse_beyond_bound(problems, self.around, &format!("random.{key}"), by);
    }
}
