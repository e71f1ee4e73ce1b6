//! Ends all faults, for all processes or for a core, so that liveness can be judged fairly.

use super::Simulation;
use crate::environment::detector::DetectorKind;
use crate::environment::liveness::LivenessMode;
use crate::id::ProcessId;
use crate::model::protocol::Protocol;
use crate::model::system_model::{DetectorClass, FaultClass};
use crate::outcome::trace::TraceEvent;
use crate::process_set::ProcessSet;
use crate::rng::{Rng, Stream};

impl<P: Protocol> Simulation<P> {
    /// Ends the faults in the part of the system that the mode defines.
    pub(super) fn end_faults(&mut self, mode: LivenessMode) {
        let all: ProcessSet = self.world.experiment.setting.processes().collect();
        let well = match mode {
            LivenessMode::Gst | LivenessMode::HealAll => all,
            LivenessMode::Core => match self.draw_core() {
                Some(core) => core,
                None => return self.be_unavailable(),
            },
        };
        self.world.end_faults(mode, &well);
        self.adjust_clocks();
        for p in well.iter() {
            let host = &self.hosts[p.index()];
            if host.absent {
                self.start_late(p);
            } else if host.up {
                self.resume(p);
            } else if self.model.faults == FaultClass::CrashRecovery {
                self.recover(p);
            }
        }
        if mode != LivenessMode::Core && !self.can_progress(&self.correct()) {
            self.be_unavailable();
        }
    }

    fn be_unavailable(&mut self) {
        self.world.is_unavailable = true;
        self.world.record(None, || TraceEvent::Unavailable);
    }

    /// Draws enough processes to make progress possible, and some more, all of which can be well.
    fn draw_core(&self) -> Option<ProcessSet> {
        let mut candidates: Vec<ProcessId> =
            self.world.experiment.setting.processes().filter(|p| self.can_be_well(*p)).collect();
        let mut rng = Rng::new(self.world.drawn_from, Stream::Core);
        rng.shuffle(&mut candidates);
        let of_first = |count: usize| candidates.iter().take(count).copied().collect();
        let least = (1..=candidates.len()).find(|count| self.can_progress(&of_first(*count)))?;
        let least = if self.waits_for_all() { candidates.len() } else { least };
        let count = rng.between(least as u64, candidates.len() as u64);
        Some(of_first(usize::try_from(count).unwrap_or(least)))
    }

    /// Whether everybody who is up must be reachable: a perfect detector never suspects a process
    /// that is up, so that a protocol that relies on it waits for whoever is cut off.
    fn waits_for_all(&self) -> bool {
        let kind = &self.world.experiment.detector.kind;
        self.model.detector != DetectorClass::None && matches!(kind, DetectorKind::Perfect)
    }

    fn can_be_well(&self, p: ProcessId) -> bool {
        let host = &self.hosts[p.index()];
        let recovers = self.model.faults == FaultClass::CrashRecovery;
        host.adversary.is_none() && (recovers || !host.ever_faulty)
    }

    fn can_progress(&self, well: &ProcessSet) -> bool {
        P::can_progress(&self.params, &self.world.experiment.setting, well)
    }

    pub(super) fn correct(&self) -> ProcessSet {
        let all = self.world.experiment.setting.processes();
        all.filter(|p| self.is_correct_now(*p)).collect()
    }

    /// Correctness as defined by the protocol's fault model, for the run so far. With a core,
    /// nothing is guaranteed to the other processes.
    pub(super) fn is_correct_now(&self, p: ProcessId) -> bool {
        // A process that could not even be created is not correct.
        let Some(host) = self.hosts.get(p.index()) else { return false };
        let inside = self.world.core.as_ref().is_none_or(|core| core.contains(p));
        inside && host.up && !host.paused && self.can_be_well(p)
    }
}
