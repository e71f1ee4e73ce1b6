//! The failure-detector oracle: it knows which processes are down, and notifies with a delay.

use crate::id::ProcessId;
use crate::rng::{Rng, Stream};
use crate::time::CountRange;
use crate::time::{Duration, DurationRange, Instant};

/// The configuration of the oracle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetectorConfig {
    /// The class of the detector.
    pub kind: DetectorKind,
    /// The delay after which each process is notified of a crash or a recovery.
    pub delay: DurationRange,
    /// Wrong suspicions drawn from each seed: with these and a time of stabilisation it is ◇P,
    /// eventually perfect.
    pub random_mistakes: Option<RandomMistakes>,
    /// Wrong suspicions; if there are any, the detector is not accurate.
    pub mistakes: Vec<Mistake>,
    /// Pairs (observer, subject): the observer is never notified of the subject's crash. If there
    /// are any, the detector is not complete.
    pub blind: Vec<(ProcessId, ProcessId)>,
    /// Delays of single notifications, which override `delay`.
    pub notices: Vec<NoticeDelay>,
}

/// The delay of one notification of the oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoticeDelay {
    /// The notified process.
    pub observer: ProcessId,
    /// The process that the notification is about; for Ω, the observer.
    pub subject: ProcessId,
    /// The number of the notification to that observer about that subject, counted from 1.
    pub nth: u64,
    /// The delay after the crash or the recovery.
    pub delay: Duration,
}

/// The classes of detectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DetectorKind {
    /// No detector.
    #[default]
    None,
    /// P: every process is eventually notified of every crash, and of nothing else except
    /// `mistakes`.
    Perfect,
    /// Ω: each process is notified which leader to trust, the lowest id that is up (except for
    /// `mistakes`, where `suspects` is trusted). Eventually all trust the same process, and it
    /// stays up (Chandra, Hadzilacos and Toueg 1996).
    Omega,
}

/// Wrong suspicions drawn from each seed, all withdrawn by `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomMistakes {
    /// The number of mistakes per process.
    pub count: CountRange,
    /// The duration of each mistake.
    pub duration: DurationRange,
    /// The time from which on the detector is perfect.
    pub until: Instant,
}

impl RandomMistakes {
    /// The mistakes of this seed's run among `n` processes.
    pub fn of_seed(&self, n: u32, seed: u64) -> Vec<Mistake> {
        self.draw(n, &mut Rng::new(seed, Stream::Mistakes))
    }

    fn draw(&self, n: u32, rng: &mut Rng) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for observer in (0..n).map(ProcessId) {
            let count = rng.between(self.count.min.into(), self.count.max.into());
            for _ in 0..count {
                let at = Instant::from_nanos(rng.below(self.until.as_nanos().max(1)));
                let (min, max) = (self.duration.min.as_nanos(), self.duration.max.as_nanos());
                let until = at + Duration::from_nanos(rng.between(min, max));
                let suspects = ProcessId(u32::try_from(rng.below(n.into())).unwrap_or(0));
                // A suspicion that is withdrawn at once is omitted.
                let until = until.min(self.until);
                if suspects != observer && until > at {
                    let until = Some(until);
                    mistakes.push(Mistake { observer, suspects, at, until });
                }
            }
        }
        mistakes
    }
}

/// A wrong suspicion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The process that is notified wrongly.
    pub observer: ProcessId,
    /// The suspected process.
    pub suspects: ProcessId,
    /// The time of the suspicion.
    pub at: Instant,
    /// The time when it is withdrawn; `None`: never.
    pub until: Option<Instant>,
}
