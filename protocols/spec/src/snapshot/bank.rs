//! The clients: transfers at random or scripted times, and snapshots.

use ftsim_core::{Ask, Duration, DurationRange, Instant, Invalid, ProcessId, Setting, Workload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Indication, Money, OPENING_BALANCE, Request, Snapshot, SnapshotNumber};
use crate::refuse_too_many;

/// The transfers and snapshots that clients request.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BankWorkload {
    /// The number of transfers of each process, of 1 to 10 each, to others drawn at random.
    pub transfers: u32,
    /// The time between two transfers of a process, drawn for each.
    pub every: DurationRange,
    /// Additional single transfers.
    pub scripted: Vec<ScriptedTransfer>,
    /// The number of snapshots.
    pub snapshots: u32,
    /// When the first snapshot is requested.
    pub snapshot_after: Duration,
    /// The time between the end of a snapshot, complete or dropped at the initiator, and the next.
    pub snapshot_every: Duration,
    /// The process that takes the snapshots.
    pub initiator: ProcessId,
}

impl Default for BankWorkload {
    fn default() -> Self {
        Self {
            transfers: 20,
            every: DurationRange { min: Duration::from_millis(1), max: Duration::from_millis(5) },
            scripted: Vec::new(),
            snapshots: 3,
            snapshot_after: Duration::from_millis(10),
            snapshot_every: Duration::from_millis(10),
            initiator: ProcessId(0),
        }
    }
}

/// One transfer at an exact time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptedTransfer {
    /// When the transfer is requested.
    pub at: Duration,
    /// The sender.
    pub from: ProcessId,
    /// The receiver.
    pub to: ProcessId,
    /// The amount.
    pub amount: Money,
}

/// The clients of a bank: transfers at times that are drawn before the run, and one snapshot after
/// another.
#[derive(Clone, Debug, Hash)]
pub struct Bank {
    n: u32,
    transfers: u32,
    every: (Duration, Duration),
    scripted: Vec<(Duration, ProcessId, ProcessId, Money)>,
    snapshots: SnapshotNumber,
    snapshot_after: Duration,
    snapshot_every: Duration,
    initiator: ProcessId,
    /// The last snapshot requested.
    asked: SnapshotNumber,
    /// When that request reaches the initiator, if it is up.
    due: Instant,
}

impl Bank {
    pub(super) fn new(settings: &BankWorkload, setting: &Setting) -> Result<Self, Invalid> {
        let known = |key: &str, p: ProcessId| match p.0 < setting.n {
            true => Ok(()),
            false => Err(Invalid::new(key, format!("there is no process {p}"))),
        };
        known("initiator", settings.initiator)?;
        refuse_too_many("transfers", settings.transfers, setting.n as usize)?;
        for transfer in &settings.scripted {
            known("scripted", transfer.from)?;
            known("scripted", transfer.to)?;
            if transfer.from == transfer.to {
                let p = transfer.from;
                return Err(Invalid::new("scripted", format!("{p} transfers money to itself")));
            }
            if !(1..=OPENING_BALANCE).contains(&transfer.amount) {
                let message = format!("an amount is between 1 and {OPENING_BALANCE}");
                return Err(Invalid::new("scripted", message));
            }
        }
        let script = settings.scripted.iter();
        Ok(Self {
            n: setting.n,
            transfers: settings.transfers,
            every: (settings.every.min, settings.every.max),
            scripted: script.map(|t| (t.at, t.from, t.to, t.amount)).collect(),
            snapshots: settings.snapshots.into(),
            snapshot_after: settings.snapshot_after,
            snapshot_every: settings.snapshot_every,
            initiator: settings.initiator,
            asked: 0,
            due: Instant::ZERO,
        })
    }

    /// The transfers of this run: time, sender, receiver, amount.
    fn draw(&self, ask: &mut Ask<'_, Snapshot>) -> Vec<(Duration, ProcessId, ProcessId, Money)> {
        let mut drawn = self.scripted.clone();
        if self.n < 2 {
            return drawn;
        }
        for from in 0..self.n {
            let mut at = Duration::ZERO;
            for _ in 0..self.transfers {
                let (min, max) = self.every;
                at = at + Duration::from_nanos(ask.rng().between(min.as_nanos(), max.as_nanos()));
                let others: Vec<u32> = (0..self.n).filter(|p| *p != from).collect();
                let to = ask.rng().choose(&others).copied().unwrap_or_default();
                drawn.push((at, ProcessId(from), ProcessId(to), ask.rng().between(1, 10)));
            }
        }
        drawn
    }

    fn ask_for_next(&mut self, after: Duration, ask: &mut Ask<'_, Snapshot>) {
        if self.asked < self.snapshots {
            self.asked += 1;
            self.due = ask.now() + after;
            ask.request(self.initiator, after, Request::Take(self.asked));
        }
    }
}

impl Workload<Snapshot> for Bank {
    fn on_start(&mut self, ask: &mut Ask<'_, Snapshot>) {
        for (number, (at, from, to, amount)) in (1..).zip(self.draw(ask)) {
            ask.request(from, at, Request::Transfer { number, to, amount });
        }
        self.ask_for_next(self.snapshot_after, ask);
    }

    fn on_indication(&mut self, p: ProcessId, what: &Indication, ask: &mut Ask<'_, Snapshot>) {
        let (Indication::Complete(number) | Indication::Dropped(number)) = *what else { return };
        if p == self.initiator && number == self.asked {
            self.ask_for_next(self.snapshot_every, ask);
        }
    }

    /// Requests the next snapshot: what became of a request before or during the crash is not
    /// awaited.
    fn on_recover(&mut self, p: ProcessId, ask: &mut Ask<'_, Snapshot>) {
        if p == self.initiator && self.due <= ask.now() {
            self.ask_for_next(self.snapshot_every, ask);
        }
    }
}

#[cfg(test)]
#[path = "bank_tests.rs"]
mod tests;
