//! The failure-detector oracles: schedule their notifications.

use super::{Notice, World};
use crate::engine::event::Class;
use crate::environment::detector::{DetectorKind, NoticeDelay};
use crate::id::ProcessId;
use crate::time::{Duration, Instant};

impl World {
    /// Schedules a notification of `observer` that `subject` is down (`suspect`) or up again.
    pub fn notify(&mut self, observer: ProcessId, subject: ProcessId, suspect: bool) {
        let detector = &self.experiment.detector;
        let blind = detector.blind.contains(&(observer, subject));
        if detector.kind != DetectorKind::Perfect || observer == subject || blind {
            return;
        }
        let delay = self.notice_delay(observer, subject);
        self.notify_at(self.now + delay, observer, &Notice { subject, suspect, mistake: false });
    }

    /// Schedules a new choice by Ω of the process that `observer` trusts.
    pub fn consult_omega(&mut self, observer: ProcessId) {
        let detector = &self.experiment.detector;
        if detector.kind != DetectorKind::Omega {
            return;
        }
        let delay = self.notice_delay(observer, observer);
        let notice = Notice { subject: observer, suspect: false, mistake: false };
        self.notify_at(self.now + delay, observer, &notice);
    }

    /// Schedules a notification of `observer` that `subject` has failed, whatever its detector.
    pub fn announce(&mut self, observer: ProcessId, subject: ProcessId) {
        let delay = self.notice_delay(observer, subject);
        let notice = Notice { subject, suspect: true, mistake: false };
        self.notify_at(self.now + delay, observer, &notice);
    }

    /// The delay of the next notification to `observer` about `subject`. It is drawn even if it is
    /// prescribed, so that other notifications are not affected.
    fn notice_delay(&mut self, observer: ProcessId, subject: ProcessId) -> Duration {
        let detector = &self.experiment.detector;
        let (min, max) = (detector.delay.min.as_nanos(), detector.delay.max.as_nanos());
        let drawn = Duration::from_nanos(self.draws.detector.between(min, max));
        if detector.notices.is_empty() && self.recording.decisions.is_none() {
            return drawn;
        }
        let count = self.notice_counts.entry((observer, subject)).or_default();
        *count += 1;
        let nth = *count;
        let is_this = |notice: &&NoticeDelay| {
            (notice.observer, notice.subject, notice.nth) == (observer, subject, nth)
        };
        let delay = detector.notices.iter().find(is_this).map_or(drawn, |notice| notice.delay);
        if let Some(decisions) = &mut self.recording.decisions {
            decisions.notices.push(NoticeDelay { observer, subject, nth, delay });
        }
        delay
    }

    pub fn notify_at(&mut self, at: Instant, observer: ProcessId, notice: &Notice) {
        self.queue.schedule(at, Class::Detector, observer.0, notice.pack());
    }
}
