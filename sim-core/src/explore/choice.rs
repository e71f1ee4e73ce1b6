//! One choice of an explorer.

use std::fmt;

use crate::digest::Digest;
use crate::id::ProcessId;
use crate::rng::told::Coins;

/// What happens next, by a name that is the same in all runs in which the same came before it, in
/// whatever order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Choice {
    /// The event, named by the choice that caused it and its number among the consequences.
    pub event: EventId,
    /// What becomes of it.
    pub how: How,
    /// What is drawn on the way.
    pub coins: Coins,
}

/// The identity of an event. Collisions are as unlikely as those of run digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub(super) u64);

/// Marks the events of timers that run out early.
const EARLY: u64 = 1;

/// What becomes of an event, or what the explorer does on its own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// It happens.
    Happens,
    /// It happens, and the process crashes after this many of the handler's effects, with more to
    /// come.
    CrashesAfter {
        /// The process: of all that start, the one that crashes.
        process: ProcessId,
        /// The number of effects; 0: it crashes before it handles anything.
        effects: u64,
        /// Whether the process recovers some time.
        recovers: bool,
    },
    /// Its message, which was just sent, will be lost.
    IsLost,
    /// Its message will arrive, and once more some time after that.
    ComesTwice,
    /// A process crashes between two steps.
    Crash {
        /// The process.
        process: ProcessId,
        /// Whether it recovers some time.
        recovers: bool,
    },
    /// A process suspects another that is up.
    Suspects {
        /// The process that suspects.
        observer: ProcessId,
        /// The process that it suspects.
        subject: ProcessId,
    },
}

impl Choice {
    /// All processes start.
    pub const START: Self = Self::of(EventId(0), How::Happens);

    /// This becomes of an event, and nothing but zeros is drawn.
    pub const fn of(event: EventId, how: How) -> Self {
        Self { event, how, coins: Coins::NONE }
    }

    /// Whether a run is complete without it, although it could be made.
    pub const fn is_optional(&self) -> bool {
        self.event.is_early() || matches!(self.how, How::Crash { .. } | How::Suspects { .. })
    }

    /// Whether it is what becomes of an event if the explorer does not interfere.
    pub const fn is_plain(&self) -> bool {
        matches!(self.how, How::Happens) && self.coins.is_empty()
    }

    /// Whether it is what becomes of a message that was just sent.
    pub const fn is_fate(&self) -> bool {
        matches!(self.how, How::IsLost | How::ComesTwice)
    }

    /// Its name as the cause of others.
    pub(super) fn digest(&self) -> Digest {
        let mut digest = Digest::EMPTY;
        std::hash::Hash::hash(self, &mut digest);
        digest
    }
}

impl EventId {
    /// The `nth` consequence of a choice.
    pub(super) fn of(mut cause: Digest, nth: u64) -> Self {
        cause.mix(nth);
        Self(cause.value() & !EARLY)
    }

    /// An event that has no cause, by what tells it from others of its kind.
    pub(super) fn spontaneous(words: [u64; 4]) -> Self {
        let mut digest = Digest::EMPTY;
        words.into_iter().for_each(|word| digest.mix(word));
        Self(digest.value() & !EARLY)
    }

    /// The event that the timer of this event runs out while something else could happen.
    pub(super) const fn early(self) -> Self {
        Self(self.0 | EARLY)
    }

    /// The event that the timer of this event runs out, as far as there is one.
    pub(super) const fn in_time(self) -> Self {
        Self(self.0 & !EARLY)
    }

    pub(super) const fn is_early(self) -> bool {
        self.0 & EARLY != 0
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Happens => f.write_str("happens"),
            Self::CrashesAfter { process, effects, .. } => {
                write!(f, "happens; {process} crashes after effect {effects} of its handler")
            }
            Self::IsLost => f.write_str("is lost"),
            Self::ComesTwice => f.write_str("arrives, and later once more"),
            Self::Crash { process, .. } => write!(f, "{process} crashes"),
            Self::Suspects { observer, subject } => write!(f, "{observer} suspects {subject}"),
        }
    }
}
