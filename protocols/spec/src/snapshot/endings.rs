//! Termination of snapshots, and the loss in a recovery.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{End, Observation, Observed, ProcessId, ProcessSet, Property, Violation};

use super::{Indication, ROLLBACK_BOUND, Request, Snapshot, SnapshotNumber};

/// `ckpt.termination`: remembers the progress of each snapshot.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Termination {
    snapshots: BTreeMap<SnapshotNumber, Course>,
}

/// The processes for which a snapshot is pending or complete.
#[derive(Clone, Debug, Default, Hash)]
struct Course {
    /// Those that were asked for it or have recorded their state, and have not dropped it since.
    pending: ProcessSet,
    complete: ProcessSet,
    left_out: ProcessSet,
}

impl Termination {
    fn course(&mut self, snapshot: SnapshotNumber) -> &mut Course {
        self.snapshots.entry(snapshot).or_default()
    }
}

impl Property<Snapshot> for Termination {
    fn observe(&mut self, event: &Observed<'_, Snapshot>) -> Result<(), Violation> {
        let p = event.process;
        match event.what {
            Observation::Request(Request::Take(snapshot))
            | Observation::Indication(Indication::Recorded { snapshot, .. }) => {
                self.course(*snapshot).pending.insert(p);
            }
            Observation::Indication(Indication::Complete(snapshot)) => {
                self.course(*snapshot).complete.insert(p);
            }
            Observation::Indication(Indication::Dropped(snapshot)) => {
                self.course(*snapshot).pending.remove(p);
            }
            Observation::Indication(Indication::LeftOut { snapshot, processes }) => {
                self.course(*snapshot).left_out.extend(processes.iter().copied());
            }
            // A recovery ends what is pending here. A restored checkpoint is permanent, and perhaps
            // only the crash has kept the process from announcing so.
            Observation::Indication(Indication::Restored { snapshot: restored, .. }) => {
                for (snapshot, course) in &mut self.snapshots {
                    if course.pending.remove(p) && snapshot == restored {
                        course.complete.insert(p);
                    }
                }
            }
            Observation::Indication(Indication::Returned { .. }) => {
                for course in self.snapshots.values_mut() {
                    course.pending.remove(p);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        for (snapshot, Course { pending, complete, left_out }) in &self.snapshots {
            let lacks = |p: &ProcessId| !complete.contains(*p) && !left_out.contains(*p);
            if let Some(first) = complete.iter().next() {
                if let Some(missing) = end.correct().find(lacks) {
                    let message = format!("{first} completed snapshot {snapshot}, {missing} never");
                    return Err(Violation::by([first, missing], message));
                }
            } else if let Some(waiting) = pending.iter().find(|p| end.is_correct(*p)) {
                let message =
                    format!("{waiting} neither completed nor dropped snapshot {snapshot}");
                return Err(Violation::by([waiting], message));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.snapshots.len() as u64
    }
}

/// `ckpt.rollback-bound`: remembers the checkpoints to which each process could return.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct RollbackBound {
    /// By process, and whether they are its own, which are numbered apart from those of snapshots.
    recorded: BTreeMap<(ProcessId, bool), BTreeSet<SnapshotNumber>>,
    restored: u64,
    /// The most checkpoints that a process has lost in a recovery.
    lost_most: usize,
}

impl Property<Snapshot> for RollbackBound {
    fn observe(&mut self, event: &Observed<'_, Snapshot>) -> Result<(), Violation> {
        let p = event.process;
        let Observation::Indication(what) = event.what else { return Ok(()) };
        let is_own = matches!(what, Indication::RecordedOwn { .. } | Indication::Returned { .. });
        let recorded = self.recorded.entry((p, is_own)).or_default();
        match what {
            Indication::Recorded { snapshot, .. }
            | Indication::RecordedOwn { checkpoint: snapshot, .. } => {
                recorded.insert(*snapshot);
            }
            Indication::Dropped(snapshot) => {
                recorded.remove(snapshot);
            }
            Indication::Restored { snapshot, .. }
            | Indication::Returned { checkpoint: snapshot, .. } => {
                self.restored += 1;
                let lost: Vec<_> = recorded.iter().filter(|s| *s > snapshot).copied().collect();
                recorded.retain(|s| s <= snapshot);
                self.lost_most = self.lost_most.max(lost.len());
                if lost.len() > ROLLBACK_BOUND {
                    let message =
                        format!("{p} went back to checkpoint {snapshot} and lost {lost:?}");
                    return Err(Violation::by([p], message));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.restored
    }

    /// The most checkpoints that a process has lost in a recovery.
    fn measured(&self, _: &End<'_>) -> Option<f64> {
        Some(self.lost_most as f64)
    }
}
