//! The failure-detector oracle: it knows who is down, and tells with a delay.

use crate::id::ProcessId;
use crate::rng::{Rng, Stream};
use crate::time::CountRange;
use crate::time::{Duration, DurationRange, Instant};

/// What the oracle tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetectorConfig {
    /// Which detector.
    pub kind: DetectorKind,
    /// How long after a crash (or a recovery) each process hears of it.
    pub delay: DurationRange,
    /// Wrong suspicions drawn from each seed: with these and a time of stabilisation it is ◇P,
    /// eventually perfect.
    pub random_mistakes: Option<RandomMistakes>,
    /// Wrong suspicions: where there are any, the detector is not accurate.
    pub mistakes: Vec<Mistake>,
    /// Pairs (observer, subject): the observer is never told of the subject's crash. Where there
    /// are any, the detector is not complete.
    pub blind: Vec<(ProcessId, ProcessId)>,
    /// How long single notices take, whatever `delay` says.
    pub notices: Vec<NoticeDelay>,
}

/// How long one notice of the oracle takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoticeDelay {
    /// Who is told.
    pub observer: ProcessId,
    /// Of whom; of Ω, the observer.
    pub subject: ProcessId,
    /// Which of the notices to that observer of that subject, counted from 1.
    pub nth: u64,
    /// How long after the crash or the recovery.
    pub delay: Duration,
}

/// Which detector the oracle is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DetectorKind {
    /// There is none.
    #[default]
    None,
    /// P: every crash is told to everybody in the end, and nothing else is (but for `mistakes`).
    Perfect,
    /// Ω: each process is told whom to trust as its leader, the lowest id that is up (but for
    /// `mistakes`, in which `suspects` is who is trusted). In the end all are told the same, and it
    /// stays up (Chandra, Hadzilacos and Toueg 1996).
    Omega,
}

/// Wrong suspicions drawn from each seed, all of them taken back by `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomMistakes {
    /// How many each process makes.
    pub count: CountRange,
    /// How long each lasts.
    pub duration: DurationRange,
    /// From here on the detector is perfect.
    pub until: Instant,
}

impl RandomMistakes {
    /// The mistakes of a run of this seed among `n` processes.
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
                // A suspicion that is taken back at once is none.
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

/// One wrong suspicion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Who is told wrongly.
    pub observer: ProcessId,
    /// Who is suspected.
    pub suspects: ProcessId,
    /// When.
    pub at: Instant,
    /// When it is taken back; never, if `None`.
    pub until: Option<Instant>,
}
