//! Where a worker is, as bytes in a file that another process reads.

use std::time::Duration;

use super::input::Kind;

const KIND_COUNT: usize = Kind::ALL.len();
const WORD_COUNT: usize = 8 + 2 * KIND_COUNT;

/// Where a worker is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The input that it takes now.
    pub number: u64,
    /// How many there are.
    pub count: u64,
    /// Whether it has finished.
    pub is_over: bool,
    /// Scenarios that were accepted.
    pub accepted: u64,
    /// Those that went through all commands.
    pub tours: u64,
    /// The most memory that was ever taken, in bytes.
    pub memory: u64,
    /// The longest time that an input took, in microseconds, and which.
    pub slowest: (u64, u64),
    /// Inputs of each kind, and the microseconds that they took.
    pub kinds: [(u64, u64); KIND_COUNT],
}

impl Progress {
    /// One more input was taken.
    pub fn add(&mut self, kind: Kind, micros: u64, number: u64) {
        let (count, time) = &mut self.kinds[kind.index()];
        *count += 1;
        *time += micros;
        self.slowest = self.slowest.max((micros, number));
    }

    /// What two workers did, one after the other.
    pub fn and(mut self, next: &Self) -> Self {
        for ((count, time), (more, longer)) in self.kinds.iter_mut().zip(next.kinds) {
            *count += more;
            *time += longer;
        }
        Self {
            accepted: self.accepted + next.accepted,
            tours: self.tours + next.tours,
            memory: self.memory.max(next.memory),
            slowest: self.slowest.max(next.slowest),
            kinds: self.kinds,
            ..*next
        }
    }

    /// As bytes, always as many.
    pub fn to_bytes(self) -> Vec<u8> {
        let Self { number, count, is_over, accepted, tours, memory, slowest, kinds } = self;
        let over = u64::from(is_over);
        let words = [number, count, over, accepted, tours, memory, slowest.0, slowest.1];
        let kinds = kinds.into_iter().flat_map(|(count, time)| [count, time]);
        words.into_iter().chain(kinds).flat_map(u64::to_le_bytes).collect()
    }

    /// From bytes; `None` if these are none.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (words, []) = bytes.as_chunks::<8>() else { return None };
        let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let words: [u64; WORD_COUNT] = words.try_into().ok()?;
        let [number, count, over, accepted, tours, memory, slowest, which, kinds @ ..] = words;
        let mut pairs = kinds.chunks(2).map(|pair| (pair[0], pair[1]));
        let kinds = [(); KIND_COUNT].map(|()| pairs.next().expect("there are so many"));
        let (is_over, slowest) = (over != 0, (slowest, which));
        Some(Self { number, count, is_over, accepted, tours, memory, slowest, kinds })
    }
}

/// A clock of the wall.
#[expect(clippy::disallowed_types, reason = "it tells how long inputs take, not what they do")]
pub struct Clock(std::time::Instant);

impl Clock {
    /// It begins at zero.
    #[expect(clippy::disallowed_types, reason = "it tells how long inputs take")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// The time since then.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
