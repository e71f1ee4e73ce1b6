//! `[run]`, `[clocks]`, `[storage]` and `[detector]`.

use std::ops::Range;

use ftsim_core::environment::clock::ClockConfig;
use ftsim_core::environment::detector::{
    DetectorConfig, DetectorKind, Mistake, NoticeDelay, RandomMistakes,
};
use ftsim_core::environment::liveness::{Liveness, LivenessMode};
use ftsim_core::environment::storage::OnCrash;
use ftsim_core::experiment::Ties;
use ftsim_core::time::CountRange;
use ftsim_core::{DetectorClass, Duration, Instant, Limits, ProcessSet};

use super::file;
use super::names::Names;
use super::problems::Problems;
use crate::scenario::file::{
    ClocksFile, Count, DetectorFile, LivenessFile, LivenessModeFile, OnCrashFile, RunFile,
    ScenarioFile, Targets, TiesFile,
};
use crate::scenario::seeds::{SEED_MAX, are_seeds};

/// Seeds of `ftsim run` unless the scenario says otherwise.
const SEED_COUNT_DEFAULT: u64 = 100;
/// One year.
const HORIZON_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const EVENT_COUNT_MAX: u64 = 1_000_000_000;
const MISTAKE_COUNT_MAX: u64 = 1_000;
const PENDING_COUNT_MAX: u64 = 10_000_000;
pub const DRIFT_PPM: (i64, i64) = (-999_999, 1_000_000);

/// The seeds of the scenario: that of a repro, or those of `[run]`.
pub fn seeds(problems: &mut Problems<'_>, file: &ScenarioFile) -> Range<u64> {
    let ScenarioFile { run, random, repro, .. } = file;
    let first = run.first_seed.map_or(1, |seed| seed.0);
    let asked = limited(problems, "run.seeds", run.seeds, SEED_MAX);
    if let Some(repro) = repro {
        return repro.seed.0..repro.seed.0.saturating_add(1);
    }
    // One seed has many crash points.
    let every = random.as_ref().and_then(|random| random.crash_points);
    let count = asked.unwrap_or(if every.is_some() { 1 } else { SEED_COUNT_DEFAULT });
    let seeds = first..first.saturating_add(count);
    if !are_seeds(&seeds) {
        let path = if asked.is_some() { "run.seeds" } else { "run.first_seed" };
        problems
            .value(path, format!("{count} seeds from {first} on are more than there are"))
            .label(format!("seeds end at {SEED_MAX}"));
    }
    seeds
}

/// Where a run is cut short.
pub fn limits(problems: &mut Problems<'_>, run: &RunFile) -> Limits {
    let mut limits = Limits { stop_at_violation: run.stop_at_violation, ..Limits::default() };
    if let Some(horizon) = run.horizon {
        limits.horizon = Instant::ZERO + horizon;
        if horizon > HORIZON_MAX {
            problems
                .value("run.horizon", format!("a horizon of {horizon} is too far"))
                .label(format!("expected at most a year ({HORIZON_MAX})"));
        }
        if horizon == Duration::ZERO {
            problems.value("run.horizon", "nothing can happen before a horizon of 0s");
        }
    }
    if let Some(count) = limited(problems, "run.max_events", run.max_events, EVENT_COUNT_MAX) {
        limits.event_count_max = count;
    }
    let pending = limited(problems, "run.max_pending", run.max_pending, PENDING_COUNT_MAX);
    if let Some(count) = pending.and_then(|count| usize::try_from(count).ok()) {
        limits.pending_count_max = count;
    }
    limits
}

fn limited(problems: &mut Problems<'_>, path: &str, count: Option<Count>, max: u64) -> Option<u64> {
    let Count(count) = count?;
    if (1..=max).contains(&count) {
        return Some(count);
    }
    let expected = match max {
        SEED_MAX => "expected at least 1".to_owned(),
        max => format!("expected 1 to {max}"),
    };
    problems.value(path, format!("{count} is out of range")).label(expected);
    None
}

/// How events of one class at one instant are ordered.
pub const fn ties(run: &RunFile) -> Ties {
    match run.ties {
        TiesFile::Sequence => Ties::Sequence,
        TiesFile::Drawn => Ties::Drawn,
    }
}

/// What a crash leaves of a log.
pub const fn on_crash(file: OnCrashFile) -> OnCrash {
    match file {
        OnCrashFile::LoseUnsynced => OnCrash::LoseUnsynced,
        OnCrashFile::KeepAll => OnCrash::KeepAll,
        OnCrashFile::KeepPrefix => OnCrash::KeepPrefix,
        OnCrashFile::KeepSubset => OnCrash::KeepSubset,
        OnCrashFile::TornLast => OnCrash::TornLast,
        OnCrashFile::LoseAll => OnCrash::LoseAll,
    }
}

/// How far local clocks are off.
pub fn clocks(problems: &mut Problems<'_>, clocks: &ClocksFile) -> ClockConfig {
    let (min, max) = DRIFT_PPM;
    let drift = clocks.drift;
    if drift.min_ppm < min || drift.max_ppm > max {
        problems
            .value("clocks.drift", "no clock drifts that much")
            .label(format!("expected {min}ppm to {max}ppm"));
    }
    let narrow = |ppm: i64| i32::try_from(ppm.clamp(min, max)).unwrap_or(0);
    ClockConfig { offset: clocks.offset, drift_ppm: (narrow(drift.min_ppm), narrow(drift.max_ppm)) }
}

/// When and for whom all faults end.
pub fn liveness(
    problems: &mut Problems<'_>,
    horizon: Instant,
    stabilise_at: Option<Instant>,
    file: Option<&LivenessFile>,
) -> Option<Liveness> {
    let LivenessFile { mode, at } = file?;
    if at.is_none() && *mode != LivenessModeFile::Gst {
        problems.value("liveness", "this does not say when").help("write at = \"…\"");
    }
    let given = at.map(|at| Instant::ZERO + at);
    let (mode, at) = match mode {
        LivenessModeFile::Gst => {
            if given.is_some() {
                problems.key("liveness.at", "with `gst` this is `network.stabilise_at`");
            }
            if stabilise_at.is_none() {
                problems
                    .value("liveness.mode", "the network never stabilises")
                    .help("write stabilise_at = \"…\" in [network]");
            }
            (LivenessMode::Gst, stabilise_at?)
        }
        LivenessModeFile::HealAll => (LivenessMode::HealAll, given?),
        LivenessModeFile::Core => (LivenessMode::Core, given?),
    };
    if at > horizon {
        problems.value("liveness.at", format!("this is after the horizon ({horizon})"));
    }
    Some(Liveness { mode, at })
}

/// Processes that share their fate.
pub fn fate_groups(
    problems: &mut Problems<'_>,
    names: &Names<'_>,
    groups: &[Targets],
) -> Vec<ProcessSet> {
    let mut fates: Vec<ProcessSet> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let path = format!("fate_sharing[{index}]");
        let Some(group) = names.many(problems, &path, group) else { continue };
        if let Some(twice) = group.iter().find(|p| fates.iter().any(|other| other.contains(**p))) {
            problems.value(&path, format!("{twice} is already in another group"));
        }
        if group.len() == 1 {
            problems.value(&path, "a group needs at least two processes");
        }
        fates.push(group.into_iter().collect());
    }
    fates
}

/// Refuses a world without suspicions for a protocol that waits for them.
pub fn detector_missing(problems: &mut Problems<'_>, protocol: &str, class: DetectorClass) {
    let (article, class) = match class {
        DetectorClass::EventuallyPerfect => ("an", class.as_str()),
        DetectorClass::Perfect | DetectorClass::None => ("a", class.as_str()),
    };
    let message =
        format!("`{protocol}` with these parameters needs {article} {class} failure detector");
    let help = "write kind = \"perfect\" in [detector], or \"none\" to see what happens without";
    let at = if problems.is_given("detector.kind") { "detector.kind" } else { "protocol" };
    problems.value(at, message).label("here no process is ever suspected").help(help);
}

/// What the oracle tells.
pub fn detector(
    problems: &mut Problems<'_>,
    names: &Names<'_>,
    horizon: Instant,
    stabilise_at: Option<Instant>,
    file: &DetectorFile,
) -> DetectorConfig {
    let kind = match file.kind {
        // It is no oracle: the transport listens.
        None | Some(file::DetectorKind::None | file::DetectorKind::Heartbeat) => DetectorKind::None,
        Some(file::DetectorKind::Omega) => DetectorKind::Omega,
        // What sets ◇P apart are the mistakes that it draws.
        Some(file::DetectorKind::Perfect | file::DetectorKind::EventuallyPerfect) => {
            DetectorKind::Perfect
        }
    };
    let settings = [
        ("delay", file.delay.is_some()),
        ("mistakes_per_process", file.mistakes_per_process.is_some()),
        ("mistake_duration", file.mistake_duration.is_some()),
        ("mistakes", !file.mistakes.is_empty()),
        ("blind", !file.blind.is_empty()),
        ("notice", !file.notice.is_empty()),
    ];
    for (key, _) in settings.iter().filter(|(_, given)| *given && kind == DetectorKind::None) {
        problems
            .key(&format!("detector.{key}"), format!("`{key}` of a detector that is not there"))
            .help("write kind = \"perfect\" in [detector]");
    }
    let mut config =
        DetectorConfig { kind, delay: file.delay.unwrap_or_default(), ..DetectorConfig::default() };
    config.random_mistakes = random_mistakes(problems, stabilise_at, file);
    for (index, mistake) in file.mistakes.iter().enumerate() {
        let path = |key: &str| format!("detector.mistakes[{index}].{key}");
        let observer = names.one(problems, &path("observer"), &mistake.observer);
        let suspects = names.one(problems, &path("suspects"), &mistake.suspects);
        let at = Instant::ZERO + mistake.at;
        let until = mistake.until.map(|until| Instant::ZERO + until);
        if at > horizon {
            let message = format!("mistake at {at} is after the horizon ({horizon})");
            problems.value(&path("at"), message);
        }
        if until.is_some_and(|until| until <= at) {
            problems.value(&path("until"), format!("the mistake begins later, at {at}"));
        }
        if observer.is_some() && observer == suspects {
            problems.value(&path("suspects"), "no process suspects itself");
        }
        let (Some(observer), Some(suspects)) = (observer, suspects) else { continue };
        config.mistakes.push(Mistake { observer, suspects, at, until });
    }
    for (index, blind) in file.blind.iter().enumerate() {
        let path = |key: &str| format!("detector.blind[{index}].{key}");
        let observer = names.one(problems, &path("observer"), &blind.observer);
        let subject = names.one(problems, &path("to"), &blind.to);
        config.blind.extend(observer.zip(subject));
    }
    for (index, notice) in file.notice.iter().enumerate() {
        let path = |key: &str| format!("detector.notice[{index}].{key}");
        let observer = names.one(problems, &path("observer"), &notice.observer);
        let subject = names.one(problems, &path("of"), &notice.of);
        let nth = notice.nth.map_or(1, |nth| nth.0);
        if nth == 0 {
            problems.value(&path("nth"), "counting begins at 1");
        }
        let (Some(observer), Some(subject)) = (observer, subject) else { continue };
        config.notices.push(NoticeDelay { observer, subject, nth, delay: notice.delay });
    }
    config
}

/// What an eventually perfect detector draws from each seed.
fn random_mistakes(
    problems: &mut Problems<'_>,
    stabilise_at: Option<Instant>,
    file: &DetectorFile,
) -> Option<RandomMistakes> {
    let given = [
        ("mistakes_per_process", file.mistakes_per_process.is_some()),
        ("mistake_duration", file.mistake_duration.is_some()),
    ];
    let draws = given.iter().any(|(_, given)| *given);
    let is_omega = file.kind == Some(file::DetectorKind::Omega);
    if file.kind != Some(file::DetectorKind::EventuallyPerfect) && !(is_omega && draws) {
        let perfect = file.kind == Some(file::DetectorKind::Perfect);
        for (key, _) in given.iter().filter(|(_, given)| *given && perfect) {
            problems
                .key(&format!("detector.{key}"), "a perfect detector draws no mistakes")
                .help("write kind = \"eventually-perfect\"");
        }
        return None;
    }
    for (key, _) in given.iter().filter(|(_, given)| !*given) {
        problems.value("detector", format!("a detector that draws mistakes needs `{key}`"));
    }
    if stabilise_at.is_none() {
        problems
            .value("detector.kind", "this detector makes mistakes until the network stabilises")
            .help("write stabilise_at = \"…\" in [network]");
    }
    let (counts, duration) = file.mistakes_per_process.zip(file.mistake_duration)?;
    if counts.max > MISTAKE_COUNT_MAX {
        problems
            .value("detector.mistakes_per_process", format!("{} are too many", counts.max))
            .label(format!("expected at most {MISTAKE_COUNT_MAX}"));
    }
    let narrow = |count| u32::try_from(count).unwrap_or(u32::MAX);
    let count = CountRange { min: narrow(counts.min), max: narrow(counts.max) };
    Some(RandomMistakes { count, duration, until: stabilise_at? })
}
