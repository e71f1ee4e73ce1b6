//! Checkpoints of those processes alone that need one.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{Observation, Observed, ProcessId, Property, Setting, Violation};

use super::cut::Histories;
use super::{Indication, Request, Snapshot, SnapshotNumber, Transfer};

/// `ckpt.minimal`: remembers who was asked for each checkpoint, and what was sent and received.
///
/// A process needs one for a checkpoint if another has recorded, for the same checkpoint, the
/// receipt of a message that the process has sent since its last permanent one. By induction from
/// the initiator, such processes are those on which the initiator transitively depends.
#[derive(Clone, Debug, Hash)]
pub(super) struct Minimal {
    n: u32,
    histories: Histories,
    initiators: BTreeMap<SnapshotNumber, ProcessId>,
    /// What those that have recorded their states for a checkpoint had received, even if they have
    /// dropped it since.
    received: BTreeMap<SnapshotNumber, BTreeSet<Transfer>>,
    exercised: u64,
}

impl Minimal {
    pub fn new(setting: &Setting) -> Self {
        let n = setting.n;
        Self {
            n,
            histories: Histories::default(),
            initiators: BTreeMap::new(),
            received: BTreeMap::new(),
            exercised: 0,
        }
    }
}

impl Property<Snapshot> for Minimal {
    fn observe(&mut self, event: &Observed<'_, Snapshot>) -> Result<(), Violation> {
        self.histories.observe(event, self.n);
        let p = event.process;
        match event.what {
            Observation::Request(Request::Take(snapshot)) => {
                self.initiators.insert(*snapshot, p);
            }
            Observation::Indication(Indication::Recorded { snapshot, .. }) => {
                self.exercised += 1;
                let sent = self.histories.sent_since(p, *snapshot);
                let received = self.received.entry(*snapshot).or_default();
                let is_initiator = self.initiators.get(snapshot) == Some(&p);
                let is_needed = is_initiator || sent.iter().any(|t| received.contains(t));
                received.extend(self.histories.received(p));
                if !is_needed {
                    let message = format!(
                        "{p} takes checkpoint {snapshot}, and no other that has taken it has \
                         received anything from {p} since its last"
                    );
                    return Err(Violation::by([p], message));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}
