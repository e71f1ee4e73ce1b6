//! The oracles at work: who is told of whom, and when.

use super::{Notice, World};
use crate::detector::DetectorKind;
use crate::event::Class;
use crate::id::ProcessId;
use crate::time::{Duration, Instant};

impl World {
    /// The oracle will tell `observer` that `subject` is down (`suspect`) or up again.
    pub fn notify(&mut self, observer: ProcessId, subject: ProcessId, suspect: bool) {
        let detector = &self.experiment.detector;
        let blind = detector.blind.contains(&(observer, subject));
        if detector.kind != DetectorKind::Perfect || observer == subject || blind {
            return;
        }
        let (min, max) = (detector.delay.min.as_nanos(), detector.delay.max.as_nanos());
        let delay = Duration::from_nanos(self.detector_rng.between(min, max));
        self.notify_at(self.now + delay, observer, &Notice { subject, suspect, mistake: false });
    }

    /// Ω will look anew whom `observer` should trust.
    pub fn consult_omega(&mut self, observer: ProcessId) {
        let detector = &self.experiment.detector;
        if detector.kind != DetectorKind::Omega {
            return;
        }
        let (min, max) = (detector.delay.min.as_nanos(), detector.delay.max.as_nanos());
        let delay = Duration::from_nanos(self.detector_rng.between(min, max));
        let notice = Notice { subject: observer, suspect: false, mistake: false };
        self.notify_at(self.now + delay, observer, &notice);
    }

    /// `observer` will be told that `subject` has failed, whatever its detector.
    pub fn announce(&mut self, observer: ProcessId, subject: ProcessId) {
        let detector = &self.experiment.detector;
        let (min, max) = (detector.delay.min.as_nanos(), detector.delay.max.as_nanos());
        let delay = Duration::from_nanos(self.detector_rng.between(min, max));
        let notice = Notice { subject, suspect: true, mistake: false };
        self.notify_at(self.now + delay, observer, &notice);
    }

    pub(super) fn notify_at(&mut self, at: Instant, observer: ProcessId, notice: &Notice) {
        self.queue.schedule(at, Class::Detector, observer.0, notice.pack());
    }
}
