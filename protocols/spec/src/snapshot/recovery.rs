//! What follows a recovery: all go on, and no transfer is lost or made up.

use std::collections::BTreeMap;

use ftsim_core::{End, Observation, Observed, ProcessId, ProcessSet, Property, Setting, Violation};

use super::cut::Histories;
use super::{Indication, Snapshot};

/// `ckpt.recovery`.
#[derive(Clone, Debug, Hash)]
pub(super) struct Recovery {
    n: u32,
    processes: ProcessSet,
    histories: Histories,
    /// The processes that have recovered, and not returned to a state since.
    without_state: ProcessSet,
    /// The last recovery in which each process went on.
    latest: BTreeMap<ProcessId, u64>,
    recoveries: u64,
}

impl Recovery {
    pub fn new(setting: &Setting) -> Self {
        Self {
            n: setting.n,
            processes: setting.processes().collect(),
            histories: Histories::default(),
            without_state: ProcessSet::new(),
            latest: BTreeMap::new(),
            recoveries: 0,
        }
    }

    fn recovery_of(&self, p: ProcessId) -> u64 {
        self.latest.get(&p).copied().unwrap_or_default()
    }
}

impl Property<Snapshot> for Recovery {
    fn observe(&mut self, event: &Observed<'_, Snapshot>) -> Result<(), Violation> {
        self.histories.observe(event, self.n);
        let p = event.process;
        match event.what {
            Observation::Recover => {
                self.without_state.insert(p);
                self.recoveries += 1;
            }
            Observation::Indication(
                Indication::Restored { recovery, .. }
                | Indication::Returned { recovery, .. }
                | Indication::Kept { recovery, .. },
            ) => {
                self.without_state.remove(p);
                self.latest.insert(p, *recovery);
            }
            _ => {}
        }
        Ok(())
    }

    /// A recovery may wait for whoever stays down, so this is due only if nobody does.
    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        if self.recoveries == 0 || !self.processes.iter().all(|p| end.is_correct(p)) {
            return Ok(());
        }
        if let Some(p) = self.without_state.iter().next() {
            return Err(Violation::by([p], format!("{p} recovered and returned to no state")));
        }
        let last = self.latest.values().copied().max().unwrap_or_default();
        if let Some(p) = self.processes.iter().find(|p| self.recovery_of(*p) < last) {
            return Err(Violation::by([p], format!("{p} never goes on in recovery {last}")));
        }
        self.histories.settled()
    }

    fn exercised(&self) -> u64 {
        self.recoveries
    }
}
