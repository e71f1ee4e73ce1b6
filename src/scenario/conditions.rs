//! What of a `[[fault]]` is wrong for a while, for how long, and what damages a disk at once.

use ftsim_core::environment::clock::Shift;
use ftsim_core::environment::storage::DiskFault;
use ftsim_core::fault::Action;
use ftsim_core::fault::condition::{Condition, Links, Persistence};
use ftsim_core::{Duration, Instant, Probability, ProcessId, Timing};

use super::context::Context;
use super::faults::Reader;
use super::file;
use super::network::probability;
use super::problems::Problems;
use crate::scenario::file::{ChanceFile, Count, FaultFile, Targets};

/// A process that is slower than this is refused: it may as well have crashed.
pub(super) const SLOW_FACTOR_MAX: u64 = 1_000;

impl Reader<'_> {
    /// What is wrong for a while: a condition for each process, or one for the network.
    pub(super) fn conditions(&self, problems: &mut Problems<'_>) -> Option<Vec<Condition>> {
        if let Some(partition) = &self.fault.partition {
            return self.cuts(problems, partition);
        }
        if self.fault.send_omission.is_some() || self.fault.receive_omission.is_some() {
            return self.omission(problems);
        }
        if let Some(late) = &self.fault.late {
            return self.late(problems, late);
        }
        if let Some(links) = self.of_links(problems) {
            return links.map(|condition| vec![condition]);
        }
        if let Some(clocks) = self.of_clocks(problems) {
            return clocks;
        }
        self.of_processes(problems)
    }

    /// What is wrong with links; the inner `None` if it cannot be.
    fn of_links(&self, problems: &mut Problems<'_>) -> Option<Option<Condition>> {
        let FaultFile { loss, duplicate, replay, corrupt, .. } = self.fault;
        type Make = fn(Links, Probability) -> Condition;
        let chances: [(&str, _, Make); 4] = [
            ("loss", loss, Condition::Loss),
            ("duplicate", duplicate, Condition::Duplicate),
            ("replay", replay, Condition::Replay),
            ("corrupt", corrupt, Condition::Garble),
        ];
        for (key, file, make) in chances {
            if let Some(ChanceFile { from, to, probability }) = file {
                let likely = self.chance(problems, key, Some(*probability));
                let links = self.links(problems, key, from.as_ref(), to.as_ref());
                return Some(links.map(|links| make(links, likely)));
            }
        }
        let FaultFile { delay, reorder, bandwidth, clog, .. } = self.fault;
        if let Some(file::DelayFaultFile { from, to, by }) = delay {
            self.not_zero(problems, "delay.by", by.max);
            self.within_bound(problems, "delay.by", by.max);
            let links = self.links(problems, "delay", from.as_ref(), to.as_ref());
            return Some(links.map(|links| Condition::Delay(links, *by)));
        }
        if let Some(file::ReorderFile { from, to, probability, within }) = reorder {
            self.not_zero(problems, "reorder.within", *within);
            self.within_bound(problems, "reorder.within", *within);
            let likely = self.chance(problems, "reorder", *probability);
            let links = self.links(problems, "reorder", from.as_ref(), to.as_ref());
            return Some(links.map(|links| Condition::Reorder(links, likely, *within)));
        }
        if let Some(file::BandwidthFile { from, to, rate }) = bandwidth {
            let links = self.links(problems, "bandwidth", from.as_ref(), to.as_ref());
            return Some(links.map(|links| Condition::Bandwidth(links, rate.bytes)));
        }
        let file::LinksFile { from, to } = clog.as_ref()?;
        Some(self.links(problems, "clog", from.as_ref(), to.as_ref()).map(Condition::Clog))
    }

    /// What is wrong with clocks; the inner `None` if it cannot be.
    fn of_clocks(&self, problems: &mut Problems<'_>) -> Option<Option<Vec<Condition>>> {
        let FaultFile { skew, drift, freeze, .. } = self.fault;
        if let Some(skew) = skew {
            let processes = self.candidates(problems, "skew.process", &skew.process);
            let shift = self.shift(problems, "skew", skew);
            let skewed = processes.zip(shift);
            return Some(skewed.and_then(|(ps, shift)| each(ps, |p| Condition::Skew(p, shift))));
        }
        if let Some(drift) = drift {
            let processes = self.candidates(problems, "drift.process", &drift.process);
            let ppm = self.ppm(problems, "drift.by", drift.by);
            return Some(processes.and_then(|ps| each(ps, |p| Condition::Drift(p, ppm))));
        }
        let freeze = freeze.as_ref()?;
        let processes = self.candidates(problems, "freeze", freeze);
        Some(processes.and_then(|processes| each(processes, Condition::Freeze)))
    }

    /// How far a clock is off.
    pub(super) fn shift(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        file: &file::ShiftFile,
    ) -> Option<Shift> {
        let (side, by, shift) = match (file.ahead, file.behind) {
            (Some(by), None) => ("ahead", by, Shift::Ahead(by)),
            (None, Some(by)) => ("behind", by, Shift::Behind(by)),
            (None, None) => {
                problems
                    .value(&self.at(key), "the size of the shift is missing")
                    .label("expected `ahead` or `behind`");
                return None;
            }
            (Some(_), Some(_)) => {
                let path = self.at(&format!("{key}.behind"));
                problems.key(&path, "a clock is either ahead or behind");
                return None;
            }
        };
        self.not_zero(problems, &format!("{key}.{side}"), by);
        Some(shift)
    }

    fn ppm(&self, problems: &mut Problems<'_>, key: &str, drift: file::Drift) -> i32 {
        let (min, max) = super::world::DRIFT_PPM;
        let path = self.at(key);
        if drift.min_ppm != drift.max_ppm {
            problems.value(&path, "expected one drift, found a range");
        } else if !(min..=max).contains(&drift.min_ppm) || drift.min_ppm == 0 {
            problems
                .value(&path, "this drift is out of range")
                .label(format!("expected {min}ppm to {max}ppm"));
        }
        i32::try_from(drift.min_ppm.clamp(min, max)).unwrap_or(0)
    }

    fn within_bound(&self, problems: &mut Problems<'_>, key: &str, by: Duration) {
        refuse_beyond_bound(problems, self.around, &self.at(key), by);
    }

    fn omission(&self, problems: &mut Problems<'_>) -> Option<Vec<Condition>> {
        let sends = self.fault.send_omission.as_ref();
        let sends = sends.map(|f| ("send_omission", "to", &f.process, &f.to, f.probability));
        let receives = self.fault.receive_omission.as_ref();
        let receives =
            receives.map(|f| ("receive_omission", "from", &f.process, &f.from, f.probability));
        let (key, side, process, others, chance) = sends.or(receives)?;
        let chance = self.chance(problems, key, chance);
        let process = self.candidates(problems, &format!("{key}.process"), process);
        let others = match others {
            Some(others) => Some(self.many(problems, &format!("{key}.{side}"), others)?),
            None => None,
        };
        let process = process?;
        self.leads_somewhere(problems, key, Some(&process), others.as_deref())?;
        let others = others.map(|others| others.into_iter().collect());
        let omission = |p| match key {
            "send_omission" => {
                let links = Links { from: None, to: others.clone() };
                Condition::SendOmission(p, links, chance)
            }
            _ => {
                let links = Links { from: others.clone(), to: None };
                Condition::ReceiveOmission(p, links, chance)
            }
        };
        Some(process.into_iter().map(omission).collect())
    }

    fn late(&self, problems: &mut Problems<'_>, late: &file::LateFile) -> Option<Vec<Condition>> {
        self.not_zero(problems, "late.by", late.by);
        let Some(process) = &late.process else {
            let links = self.links(problems, "late", late.from.as_ref(), late.to.as_ref());
            return links.map(|links| vec![Condition::Late(links, late.by)]);
        };
        for (side, _) in [("from", &late.from), ("to", &late.to)].iter().filter(|s| s.1.is_some()) {
            problems
                .key(&self.at(&format!("late.{side}")), "`process` already selects these messages")
                .help(format!("leave out `process` or `{side}`"));
        }
        let process: ftsim_core::ProcessSet =
            self.many(problems, "late.process", process)?.into_iter().collect();
        // Two conditions would make what passes between two of them late twice over.
        let rest = self.around.setting.processes().filter(|p| !process.contains(*p)).collect();
        let from = Links { from: Some(process.clone()), to: None };
        let to = Links { from: Some(rest), to: Some(process) };
        Some([from, to].map(|links| Condition::Late(links, late.by)).into())
    }

    /// What is wrong with processes and their disks.
    fn of_processes(&self, problems: &mut Problems<'_>) -> Option<Vec<Condition>> {
        let FaultFile { slow, sync_fails, slow_sync, full, .. } = self.fault;
        if let Some(slow) = slow {
            let Count(factor) = slow.factor;
            if !(1..=SLOW_FACTOR_MAX).contains(&factor) {
                problems
                    .value(&self.at("slow.factor"), format!("a factor of {factor} is out of range"))
                    .label(format!("expected 1 to {SLOW_FACTOR_MAX}"));
            }
            let factor = u32::try_from(factor).ok();
            let processes = self.candidates(problems, "slow.process", &slow.process)?;
            return each(processes, |p| Condition::Slow(p, factor.unwrap_or(1)));
        }
        if let Some(slow) = slow_sync {
            self.not_zero(problems, "slow_sync.by", slow.by);
            let processes = self.candidates(problems, "slow_sync.process", &slow.process)?;
            return each(processes, |p| Condition::SlowSync(p, slow.by));
        }
        match (sync_fails, full) {
            (Some(who), _) => {
                each(self.candidates(problems, "sync_fails", who)?, Condition::SyncFails)
            }
            (_, Some(who)) => each(self.candidates(problems, "full", who)?, Condition::DiskFull),
            (None, None) => None,
        }
    }

    /// Damage to disks, done at once.
    pub(super) fn damage(&self, problems: &mut Problems<'_>) -> Option<Vec<Action>> {
        let FaultFile { corrupt_record, lose_disk, rollback, .. } = self.fault;
        let (processes, fault) = match (corrupt_record, lose_disk, rollback) {
            (Some(who), ..) => {
                (self.candidates(problems, "corrupt_record", who), DiskFault::CorruptRecord)
            }
            (_, Some(who), _) => (self.candidates(problems, "lose_disk", who), DiskFault::LoseDisk),
            (.., Some(rollback)) => {
                let Count(records) = rollback.records;
                if records == 0 {
                    problems.value(
                        &self.at("rollback.records"),
                        "a rollback of 0 records does nothing",
                    );
                }
                // No log is that long.
                let records = u32::try_from(records).unwrap_or(u32::MAX);
                let processes = self.candidates(problems, "rollback.process", &rollback.process);
                (processes, DiskFault::Rollback(records))
            }
            (None, None, None) => return None,
        };
        let damage = |p| Action::Damage(p, fault);
        Some(processes?.into_iter().map(damage).collect())
    }

    /// How long it lasts.
    pub(super) fn persistence(
        &self,
        problems: &mut Problems<'_>,
        action: &str,
    ) -> Option<Persistence> {
        let FaultFile { duration, period, on, .. } = self.fault;
        if duration.is_some() && (period.is_some() || on.is_some()) {
            let key = if period.is_some() { "period" } else { "on" };
            problems
                .key(
                    &self.at(key),
                    format!("`duration` and `{key}` both set how long this fault lasts"),
                )
                .help("write `duration` for once, `period` and `on` for again and again");
            return None;
        }
        let (period, on) = match (*period, *on) {
            (None, None) => {
                self.over_when_stable(problems, action);
                let after = self.ends(problems, "duration", *duration);
                return Some(after.map_or(Persistence::Permanent, Persistence::Transient));
            }
            (Some(period), Some(on)) => (period, on),
            (Some(_), None) => {
                problems
                    .key(&self.at("period"), "`period` needs `on`: how long it lasts each time");
                return None;
            }
            (None, Some(_)) => {
                problems.key(&self.at("on"), "`on` needs `period`: how often it comes");
                return None;
            }
        };
        self.not_zero(problems, "on", on);
        if on >= period {
            problems
                .value(&self.at("on"), format!("it lasts for {on} in each {period}: all the time"))
                .help("leave out `period` and `on` for a fault that lasts");
        }
        let start = Instant::ZERO + self.fault.at.unwrap_or_default();
        let (again, horizon) = (start + period, self.around.horizon);
        if again > horizon && start <= horizon {
            problems
                .value(
                    &self.at("period"),
                    format!("this recurs at {again}, after the horizon ({horizon})"),
                )
                .help("write `duration` for a fault that comes once");
        }
        Some(Persistence::Intermittent { period, on })
    }

    /// Refuses a duration beyond the time from which on nothing is wrong.
    fn over_when_stable(&self, problems: &mut Problems<'_>, action: &str) {
        let (Some(at), Some(after), Some(stable)) =
            (self.fault.at, self.fault.duration, self.around.network.stabilise_at)
        else {
            return;
        };
        let (start, end) = (Instant::ZERO + at, Instant::ZERO + at + after);
        if start < stable && end > stable {
            problems
                .value(&self.at("duration"), format!("this `{action}` lasts until {end}"))
                .label(format!("the network stabilises at {stable}"))
                .help("leave out `duration`: faults of links end when the network stabilises");
        }
    }

    /// Refuses what would break the promise of a stable network.
    pub(super) fn not_when_stable(&self, problems: &mut Problems<'_>, action: &str) {
        if let (Some(at), Some(stable)) = (self.fault.at, self.around.network.stabilise_at)
            && Instant::ZERO + at >= stable
        {
            problems
                .value(&self.at("at"), format!("a `{action}` after the network has stabilised"))
                .label(format!("the network stabilises at {stable}"));
        }
    }

    fn many(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        targets: &Targets,
    ) -> Option<Vec<ProcessId>> {
        self.around.names.many(problems, &self.at(key), targets)
    }

    fn chance(&self, problems: &mut Problems<'_>, key: &str, p: Option<f64>) -> Probability {
        match p {
            Some(p) => probability(problems, &self.at(&format!("{key}.probability")), p),
            None => Probability::ALWAYS,
        }
    }

    fn not_zero(&self, problems: &mut Problems<'_>, key: &str, duration: Duration) {
        if duration == Duration::ZERO {
            problems.value(&self.at(key), "a fault of 0ms does nothing");
        }
    }

    fn links(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        from: Option<&Targets>,
        to: Option<&Targets>,
    ) -> Option<Links> {
        let mut side = |name: &str, targets: Option<&Targets>| match targets {
            None => Some(None),
            Some(targets) => self.many(problems, &format!("{key}.{name}"), targets).map(Some),
        };
        let (from, to) = (side("from", from), side("to", to));
        let (from, to) = from.zip(to)?;
        self.leads_somewhere(problems, key, from.as_deref(), to.as_deref())?;
        let set = |side: Option<Vec<ProcessId>>| side.map(|side| side.into_iter().collect());
        Some(Links { from: set(from), to: set(to) })
    }

    /// Refuses links that all lead from a process to itself.
    fn leads_somewhere(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        from: Option<&[ProcessId]>,
        to: Option<&[ProcessId]>,
    ) -> Option<()> {
        if let (Some([one]), Some([same])) = (from, to)
            && one == same
        {
            problems
                .value(&self.at(key), "not a link: it leads from a process to itself")
                .help("a process's messages to itself always arrive at once");
            return None;
        }
        Some(())
    }
}

fn each(
    processes: Vec<ProcessId>,
    condition: impl Fn(ProcessId) -> Condition,
) -> Option<Vec<Condition>> {
    Some(processes.into_iter().map(condition).collect())
}

/// Refuses what makes messages exceed the bound that a synchronous protocol counts on.
pub(super) fn refuse_beyond_bound(
    problems: &mut Problems<'_>,
    around: &Context<'_>,
    path: &str,
    by: Duration,
) {
    let longest = around.network.default.delay.longest() + by;
    if around.timing == Timing::Synchronous && longest > around.network.bound {
        problems
            .value(path, format!("messages could take {longest}"))
            .label(format!("the protocol is synchronous, with a bound of {}", around.network.bound))
            .help("write `late` for messages that break the bound");
    }
}
