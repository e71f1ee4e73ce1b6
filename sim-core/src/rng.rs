//! Seeds and named streams: the only source of randomness.
//!
//! Each purpose draws from its own ChaCha8 stream, so that an additional draw for one purpose does
//! not affect another. The conversion of draws (to bounded integers, shuffles, probabilities) is
//! defined here, because the meaning of a seed depends on it and libraries may change theirs.

pub mod told;

use std::fmt;
use std::hash::{Hash, Hasher};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use told::Told;

/// The purpose of a stream of randomness. Streams do not affect each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Delay, loss and duplication of messages.
    Network,
    /// The choice of the processes that may be faulty.
    Faults,
    /// The effects of conditions on messages.
    ActiveConditions,
    /// The adversary of a Byzantine process, by its index.
    Adversary(u32),
    /// Random faults of one kind, by its number.
    FaultKind(u32),
    /// The targets of a fault, by the number of the choice.
    Choice(u32),
    /// The processes of the core that becomes well, if only some do.
    Core,
    /// The corruption of processes' states.
    StateCorruption,
    /// The signing key of one process, by its index.
    Key(u32),
    /// The change of a single message, by the number of the override.
    Message(u32),
    /// The clients' requests.
    Workload,
    /// Delays and mistakes of the failure detector.
    Detector,
    /// Wrong suspicions of the failure detector.
    Mistakes,
    /// Offset and drift of local clocks.
    Clocks,
    /// The order of events at one instant, if the scenario has it drawn.
    Ties,
    /// The latency of disks.
    Storage,
    /// The choices of a sampled run.
    Exploration,
    /// The randomness of one process, by its index.
    Process(u32),
}

impl Stream {
    const fn number(self) -> u64 {
        match self {
            Self::Network => 1,
            Self::Faults => 2,
            Self::Workload => 3,
            Self::Detector => 4,
            Self::Clocks => 5,
            Self::Ties => 6,
            Self::Storage => 7,
            Self::ActiveConditions => 8,
            Self::Mistakes => 9,
            Self::Key(p) => (5 << 32) | p as u64,
            Self::Adversary(p) => (3 << 32) | p as u64,
            Self::StateCorruption => 10,
            Self::Core => 11,
            Self::Exploration => 12,
            Self::Choice(number) => (4 << 32) | number as u64,
            Self::Message(number) => (6 << 32) | number as u64,
            Self::FaultKind(kind) => (2 << 32) | kind as u64,
            Self::Process(p) => (1 << 32) | p as u64,
        }
    }
}

/// A stream of a run's randomness.
#[derive(Clone, Debug)]
pub struct Rng {
    source: ChaCha8Rng,
    /// What tells small draws, if anything does.
    told: Option<Box<Told>>,
}

impl Rng {
    /// This stream in the run with this seed.
    pub fn new(seed: u64, stream: Stream) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream.number());
        Self { source: rng, told: None }
    }

    /// A sequence of draws that depends only on these bits.
    pub fn from_bits(bits: u64) -> Self {
        Self { source: ChaCha8Rng::seed_from_u64(bits), told: None }
    }

    /// The same stream, small draws of which are told.
    pub(crate) fn told(self, told: Option<Told>) -> Self {
        Self { told: told.map(Box::new), ..self }
    }

    /// Whether anything was drawn.
    pub(crate) fn has_drawn(&self) -> bool {
        self.position() > 0
    }

    /// How much was drawn: two equal streams go on alike from equal positions.
    pub(crate) fn position(&self) -> u128 {
        self.source.get_word_pos()
    }

    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.source.next_u64()
    }

    /// A number in `0..n`, biased by less than n in 2^64.
    ///
    /// # Panics
    /// If `n` is zero.
    #[inline]
    #[track_caller]
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "no number is below zero");
        if self.told.is_some()
            && let Some(value) = self.next_told(n)
        {
            return value;
        }
        high_half(self.bits(), n)
    }

    /// Hardly any stream is told, so this is kept out of the loops that draw.
    #[cold]
    #[inline(never)]
    fn next_told(&mut self, n: u64) -> Option<u64> {
        self.told.as_mut().and_then(|told| told.next(n))
    }

    /// A number in `min..=max`.
    ///
    /// # Panics
    /// If `min > max`.
    #[inline]
    #[track_caller]
    pub fn between(&mut self, min: u64, max: u64) -> u64 {
        assert!(min <= max, "no number is from {min} to {max}");
        match (max - min).checked_add(1) {
            Some(n) => min + self.below(n),
            None => self.bits(),
        }
    }

    /// True with the given probability. Probabilities 0 and 1 draw nothing.
    #[inline]
    pub fn chance(&mut self, p: Probability) -> bool {
        match p.0 {
            0 => false,
            u64::MAX => true,
            threshold => {
                if self.told.is_some()
                    && let Some(value) = self.next_told(2)
                {
                    return value == 1;
                }
                self.bits() < threshold
            }
        }
    }

    /// A number in the open interval (0, 1), a multiple of 2^-53.
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) / (1u64 << 52) as f64
    }

    /// One of `items`, or `None` if there are none.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        (!items.is_empty()).then(|| &items[self.index(items.len())])
    }

    /// Puts `items` into random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.index(last + 1);
            items.swap(last, other);
        }
    }

    /// An index into a slice of this length.
    #[expect(clippy::cast_possible_truncation, reason = "the number is below a usize")]
    pub(crate) fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }
}

/// `bits * n / 2^64`: a number in `0..n` (Lemire 2019, without the rejection step).
#[inline]
const fn high_half(bits: u64, n: u64) -> u64 {
    ((bits as u128 * n as u128) >> 64) as u64
}

impl Hash for Rng {
    /// Contributes nothing: future draws are not state, but choices still to be made.
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// A probability as a threshold on 64 random bits, so that no float affects a decision in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Probability(u64);

impl Probability {
    /// Probability 0.
    pub const NEVER: Self = Self(0);
    /// Probability 1.
    pub const ALWAYS: Self = Self(u64::MAX);

    /// The probability `p`, or `None` unless `0 <= p <= 1`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "p is in 0..=1")]
    pub fn new(p: f64) -> Option<Self> {
        // 2^64 as a float; the cast saturates, so that 1.0 becomes certainty.
        (0.0..=1.0).contains(&p).then_some(Self((p * 18_446_744_073_709_551_616.0) as u64))
    }
}

impl fmt::Display for Probability {
    /// As a number in `0..=1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 as f64 / 18_446_744_073_709_551_616.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_have_known_bits() {
        let mut network = Rng::new(42, Stream::Network);
        let mut faults = Rng::new(42, Stream::Faults);
        assert_eq!([network.bits(), network.bits()], [NETWORK_42[0], NETWORK_42[1]]);
        assert_ne!(network.bits(), faults.bits());
    }

    #[test]
    fn no_two_streams_are_one() {
        let single = [
            Stream::Network,
            Stream::Faults,
            Stream::ActiveConditions,
            Stream::Core,
            Stream::StateCorruption,
            Stream::Workload,
            Stream::Detector,
            Stream::Mistakes,
            Stream::Clocks,
            Stream::Ties,
            Stream::Storage,
            Stream::Exploration,
        ];
        let families = [
            Stream::Adversary,
            Stream::FaultKind,
            Stream::Choice,
            Stream::Key,
            Stream::Message,
            Stream::Process,
        ];
        let indices = [0, 1, 2, 3, 7, u32::MAX];
        let members = families.into_iter().flat_map(|of| indices.map(of));
        let all: Vec<u64> = single.into_iter().chain(members).map(Stream::number).collect();
        let distinct: std::collections::BTreeSet<&u64> = all.iter().collect();
        assert_eq!((all.len(), distinct.len()), (12 + 36, 12 + 36));
    }

    #[test]
    fn a_stream_knows_whether_anything_was_drawn() {
        let mut rng = Rng::new(1, Stream::Process(0));
        assert!(!rng.has_drawn());
        rng.bits();
        assert!(rng.has_drawn());
    }

    #[test]
    fn a_unit_draw_lies_above_zero_and_at_most_at_one() {
        let mut rng = Rng::new(1, Stream::Network);
        let draws: Vec<f64> = (0..10_000).map(|_| rng.unit()).collect();
        assert!(draws.iter().all(|draw| *draw > 0.0 && *draw <= 1.0));
        let mean = draws.iter().sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
    }

    const NETWORK_42: [u64; 2] = [13_222_472_167_927_179_408, 3_078_952_320_862_533_021];

    #[test]
    fn bounded_draws_cover_their_range_evenly() {
        let mut rng = Rng::new(7, Stream::Network);
        let mut count = [0u32; 5];
        for _ in 0..50_000 {
            let n = rng.between(3, 7);
            count[usize::try_from(n - 3).unwrap()] += 1;
        }
        assert!(count.iter().all(|c| (9_500..10_500).contains(c)), "{count:?}");
    }

    #[test]
    fn chances_are_those_asked_for() {
        let mut rng = Rng::new(7, Stream::Network);
        let tenth = Probability::new(0.1).unwrap();
        let hits = (0..100_000).filter(|_| rng.chance(tenth)).count();
        assert!((9_500..10_500).contains(&hits), "{hits}");
        assert!(rng.chance(Probability::new(1.0).unwrap()));
        assert!(!rng.chance(Probability::new(0.0).unwrap()));
        assert_eq!(tenth.to_string(), "0.1");
        for bad in [-0.1, 1.1, f64::NAN] {
            assert_eq!(Probability::new(bad), None);
        }
    }

    #[test]
    fn a_shuffle_reaches_every_order() {
        let mut rng = Rng::new(7, Stream::Network);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1_000 {
            let mut items = [0, 1, 2, 3];
            rng.shuffle(&mut items);
            seen.insert(items);
        }
        assert_eq!(seen.len(), 24);
    }

    #[test]
    fn a_unit_is_in_the_middle_of_its_step() {
        for bits in 0..100 {
            let mut rng = Rng::from_bits(bits);
            let step = (rng.clone().bits() >> 12) as f64;
            let steps = (1u64 << 52) as f64;
            let unit = rng.unit() * steps;
            assert!(step < unit && unit < step + 1.0, "{unit} is not between {step} and the next");
        }
    }
}
