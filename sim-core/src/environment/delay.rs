//! Delay distributions: convert a draw of 64 bits into a whole number of nanoseconds.
//!
//! Transcendental functions come explicitly from the `libm` crate: those of platforms differ in
//! their last bits, and then runs would differ too.

use crate::rng::Rng;
use crate::time::{Duration, DurationRange};

/// The distribution of message delays on a link.
#[derive(Clone, Debug, PartialEq)]
pub enum Delay {
    /// Uniform over the range; a range of one value is a constant.
    Uniform(DurationRange),
    /// Exponential with this mean.
    Exponential {
        /// The mean.
        mean: Duration,
        /// The maximum, to which longer draws are reduced.
        cap: Duration,
    },
    /// Normal; draws below zero become zero.
    Normal {
        /// The mean.
        mean: Duration,
        /// The standard deviation.
        deviation: Duration,
        /// The maximum, to which longer draws are reduced.
        cap: Duration,
    },
    /// The logarithm of the delay is normal.
    LogNormal {
        /// The median delay.
        median: Duration,
        /// The standard deviation of the natural logarithm.
        sigma: f64,
        /// The maximum, to which longer draws are reduced.
        cap: Duration,
    },
    /// Pareto: heavy-tailed, `P(delay > x) = (min / x)^alpha`.
    Pareto {
        /// The shortest delay.
        min: Duration,
        /// The shape; for 1 and below the mean is infinite.
        alpha: f64,
        /// The maximum, to which longer draws are reduced.
        cap: Duration,
    },
    /// Measured quantiles `(q, delay)`, ascending in both and ending at 1, interpolated linearly.
    /// Below the first quantile every delay equals the first.
    Empirical(Vec<(f64, Duration)>),
}

impl Default for Delay {
    /// 1 to 10 ms, uniformly.
    fn default() -> Self {
        Self::Uniform(DurationRange {
            min: Duration::from_millis(1),
            max: Duration::from_millis(10),
        })
    }
}

impl Delay {
    /// Draws one delay.
    #[inline]
    pub fn draw(&self, rng: &mut Rng) -> Duration {
        match self {
            Self::Uniform(DurationRange { min, max }) if min == max => *min,
            Self::Uniform(DurationRange { min, max }) => {
                Duration::from_nanos(rng.between(min.as_nanos(), max.as_nanos()))
            }
            shaped => shaped.draw_shaped(rng),
        }
    }

    fn draw_shaped(&self, rng: &mut Rng) -> Duration {
        let nanos = |d: Duration| d.as_nanos() as f64;
        let (x, cap) = match self {
            Self::Uniform(range) => return range.min,
            Self::Exponential { mean, cap } => (-libm::log(rng.unit()) * nanos(*mean), *cap),
            Self::Normal { mean, deviation, cap } => {
                (nanos(*mean) + standard_normal(rng) * nanos(*deviation), *cap)
            }
            Self::LogNormal { median, sigma, cap } => {
                (nanos(*median) * libm::exp(sigma * standard_normal(rng)), *cap)
            }
            Self::Pareto { min, alpha, cap } => {
                (nanos(*min) * libm::pow(rng.unit(), -1.0 / alpha), *cap)
            }
            Self::Empirical(quantiles) => return quantile(quantiles, rng.unit()),
        };
        round(x).min(cap)
    }

    /// The longest possible delay.
    pub fn longest(&self) -> Duration {
        match self {
            Self::Uniform(range) => range.max,
            Self::Exponential { cap, .. }
            | Self::Normal { cap, .. }
            | Self::LogNormal { cap, .. }
            | Self::Pareto { cap, .. } => *cap,
            Self::Empirical(quantiles) => quantiles.last().map_or(Duration::ZERO, |(_, d)| *d),
        }
    }
}

/// A normal draw with mean 0 and deviation 1 (Box and Muller 1958; the second value of the pair is
/// discarded, so that a link has no hidden state).
fn standard_normal(rng: &mut Rng) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(rng.unit()));
    radius * libm::cos(std::f64::consts::TAU * rng.unit())
}

fn quantile(quantiles: &[(f64, Duration)], u: f64) -> Duration {
    let above = quantiles.partition_point(|(q, _)| *q < u);
    let Some(&(q1, d1)) = quantiles.get(above) else {
        return quantiles.last().map_or(Duration::ZERO, |(_, d)| *d);
    };
    let Some(&(q0, d0)) = above.checked_sub(1).map(|below| &quantiles[below]) else { return d1 };
    let share = (u - q0) / (q1 - q0);
    d0 + round((d1 - d0).as_nanos() as f64 * share)
}

/// Rounds to whole nanoseconds; negative values and NaN become zero.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn round(nanos: f64) -> Duration {
    Duration::from_nanos(libm::round(nanos) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// The mean, and the share above 10 ms, of 200,000 draws.
    fn measure(delay: &Delay) -> (f64, f64) {
        let mut rng = Rng::new(1, Stream::Network);
        let draws: Vec<f64> =
            (0..200_000).map(|_| delay.draw(&mut rng).as_nanos() as f64 / 1e6).collect();
        let above = draws.iter().filter(|d| **d > 10.0).count();
        (draws.iter().sum::<f64>() / 200_000.0, above as f64 / 200_000.0)
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 0.02 * b.abs().max(0.1)
    }

    #[test]
    fn each_shape_has_its_mean_and_its_tail() {
        let cap = Duration::from_secs(3600);
        let uniform = Delay::Uniform(DurationRange { min: ms(1), max: ms(21) });
        // (shape, mean, P(> 10 ms)) by the textbook formulas.
        let table = [
            (Delay::Uniform(DurationRange::constant(ms(5))), 5.0, 0.0),
            (uniform, 11.0, 0.55),
            (Delay::Exponential { mean: ms(5), cap }, 5.0, (-2.0f64).exp()),
            (Delay::Normal { mean: ms(9), deviation: ms(1), cap }, 9.0, 0.158_66),
            (Delay::LogNormal { median: ms(5), sigma: 0.5, cap }, 5.0 * (0.125f64).exp(), 0.082_8),
            (Delay::Pareto { min: ms(2), alpha: 3.0, cap }, 3.0, 0.008),
            (Delay::Empirical(vec![(0.5, ms(2)), (1.0, ms(22))]), 7.0, 0.3),
        ];
        for (delay, mean, tail) in table {
            let measured = measure(&delay);
            assert!(near(measured.0, mean) && near(measured.1, tail), "{delay:?}: {measured:?}");
        }
    }

    #[test]
    fn draws_have_known_bits() {
        let cap = Duration::from_secs(1);
        let mut rng = Rng::new(42, Stream::Network);
        let shapes = [
            Delay::default(),
            Delay::Exponential { mean: ms(5), cap },
            Delay::Normal { mean: ms(5), deviation: ms(1), cap },
            Delay::LogNormal { median: ms(5), sigma: 1.0, cap },
            Delay::Pareto { min: ms(1), alpha: 1.5, cap },
            Delay::Empirical(vec![(0.5, ms(2)), (0.99, ms(20)), (1.0, ms(200))]),
        ];
        let draws = shapes.each_ref().map(|shape| shape.draw(&mut rng).as_nanos());
        assert_eq!(draws, [7_451_125, 8_951_492, 5_686_603, 7_066_703, 3_975_586, 2_000_000]);
    }

    #[test]
    fn a_cap_is_never_exceeded() {
        let mut rng = Rng::new(1, Stream::Network);
        let delay = Delay::Pareto { min: ms(1), alpha: 0.1, cap: ms(50) };
        assert!((0..10_000).all(|_| (ms(1)..=ms(50)).contains(&delay.draw(&mut rng))));
    }
}
