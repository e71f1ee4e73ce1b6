//! `[random]`: what may be drawn from each seed.

use ftsim_core::random::{
    CountRange, Occurrence, PartitionShape, RandomCrash, RandomFaults, RandomPartition, RandomPause,
};
use ftsim_core::{Duration, DurationRange, Instant};

use super::faults::{Surroundings, refuse_recovery};
use super::problems::Problems;
use crate::crash_point::EveryCrashPoint;
use crate::scenario_file::{Counts, CrashPointsFile, RandomFile, RandomShape, Targets};

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
pub fn random(problems: &mut Problems<'_>, around: &Surroundings<'_>, file: &RandomFile) -> Random {
    if let Some(CrashPointsFile::Every) = file.crash_points {
        return Random { drawn: None, crash_points: Some(every(problems, around, file)) };
    }
    if file.recover_after.is_some() {
        let why = "`recover_after` belongs to `crash_points`";
        problems.key("random.recover_after", why).help("write crash = { …, recover_after = … }");
    }
    Random { drawn: Some(drawn(problems, around, file)), crash_points: None }
}

fn every(
    problems: &mut Problems<'_>,
    around: &Surroundings<'_>,
    file: &RandomFile,
) -> EveryCrashPoint {
    let others = [
        ("max_faulty", file.max_faulty.is_some()),
        ("crash", file.crash.is_some()),
        ("pause", file.pause.is_some()),
        ("partition", file.partition.is_some()),
        ("swarm", file.swarm),
    ];
    for (key, _) in others.iter().filter(|(_, given)| *given) {
        problems
            .key(&format!("random.{key}"), format!("`{key}` beside `crash_points`"))
            .label("nothing is drawn where every crash point is run");
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

fn drawn(
    problems: &mut Problems<'_>,
    around: &Surroundings<'_>,
    file: &RandomFile,
) -> RandomFaults {
    let reader = Reader { around };
    let crash = file.crash.as_ref().map(|crash| {
        if crash.recover_after.is_some() {
            refuse_recovery(problems, around.class, "random.crash.recover_after");
        }
        let (between, target) = (crash.between, crash.target.as_ref());
        reader.ends(problems, "crash", "recover_after", between, crash.recover_after);
        let occurrence = reader.occurrence(problems, "crash", crash.count, between, target);
        RandomCrash { occurrence, recover_after: crash.recover_after }
    });
    let pause = file.pause.as_ref().map(|pause| {
        let (between, target) = (pause.between, pause.target.as_ref());
        reader.ends(problems, "pause", "duration", between, Some(pause.duration));
        let occurrence = reader.occurrence(problems, "pause", pause.count, between, target);
        RandomPause { occurrence, duration: pause.duration }
    });
    let partition = file.partition.as_ref().map(|partition| {
        let between = partition.between;
        reader.ends(problems, "partition", "duration", between, Some(partition.duration));
        reader.is_over_when_stable(problems, between, partition.duration);
        let occurrence = reader.occurrence(problems, "partition", partition.count, between, None);
        let shape = match partition.shape {
            RandomShape::Halves => PartitionShape::Halves,
            RandomShape::Isolate => PartitionShape::Isolate,
            RandomShape::OneWay => PartitionShape::OneWay,
        };
        RandomPartition { occurrence, shape, duration: partition.duration }
    });
    if crash.is_none() && pause.is_none() && partition.is_none() {
        problems
            .value("random", "nothing is drawn")
            .label("expected one of `crash`, `pause`, `partition`, `crash_points`");
    }
    let faulty_count_max = reader.budget(problems, file);
    RandomFaults { faulty_count_max, crash, pause, partition, swarm: file.swarm }
}

struct Reader<'a> {
    around: &'a Surroundings<'a>,
}

impl Reader<'_> {
    fn budget(&self, problems: &mut Problems<'_>, file: &RandomFile) -> u32 {
        let n = self.around.setting.n;
        let Some(max) = file.max_faulty else {
            if file.crash.is_some() || file.pause.is_some() {
                problems
                    .value("random", "no number of processes that may be faulty")
                    .help("write max_faulty = 1");
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
        count: Counts,
        between: DurationRange,
        target: Option<&Targets>,
    ) -> Occurrence {
        let (from, horizon) = (Instant::ZERO + between.min, self.around.horizon);
        if Instant::ZERO + between.max > horizon {
            let which = if from > horizon { "begins" } else { "ends" };
            problems.value(
                &format!("random.{kind}.between"),
                format!("this time {which} after the horizon ({horizon})"),
            );
        }
        let Counts { min, max } = count;
        if max > COUNT_MAX {
            problems
                .value(&format!("random.{kind}.count"), format!("{max} are too many"))
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
                format!("the last could end at {end}, after the horizon ({horizon})"),
            );
        }
    }

    fn is_over_when_stable(
        &self,
        problems: &mut Problems<'_>,
        between: DurationRange,
        lasts: DurationRange,
    ) {
        let Some(stable) = self.around.network.stabilise_at else { return };
        let end: Duration = (Instant::ZERO + between.max + lasts.max).since(Instant::ZERO);
        if Instant::ZERO + end > stable {
            problems
                .value("random.partition.between", format!("a partition could last until {end}"))
                .label(format!("the network stabilises at {stable}"));
        }
    }
}
