//! The success probabilities that are compatible with a count of independent trials: inverted tails
//! of the binomial distribution.
//!
//! All functions come from `libm`, so that the bits are the same on every platform.

use libm::{exp, expm1, fma, lgamma, log, log1p, sqrt};

/// A probability and its complement, each with full relative precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// The probability.
    pub of: f64,
    /// One minus the probability.
    pub rest: f64,
}

impl Share {
    fn from_odds(odds: f64) -> Self {
        Self { of: odds / (1.0 + odds), rest: 1.0 / (1.0 + odds) }
    }
}

/// The maximum number of steps of Newton's method; it takes about five.
const STEP_COUNT_MAX: u32 = 100;
/// The relative change of the odds below which a step is the last one.
const PRECISION: f64 = 1e-14;
/// The factor by which the result's odds are reduced, which exceeds the error of the computation
/// and is less than the printed precision.
const MARGIN: f64 = 1e-12;

/// The probability of success for which `successes` or more out of `successes + failures` trials
/// have the probability `tail`, or minimally less; `0 < tail < 1/e`, and `successes` is not 0.
///
/// It takes a few microseconds for any counts. The unknown is the logarithm of the odds: in it the
/// density is log-concave, and so is its integral, the desired probability. Newton's method on the
/// logarithm of a concave increasing function approaches from below after its first step, and
/// cannot overshoot.
pub fn smallest_share(successes: u64, failures: u64, tail: f64) -> Share {
    let (k, r) = (successes as f64, failures as f64);
    if failures == 0 {
        // p^k = tail
        let exponent = log(tail) / k * (1.0 + MARGIN);
        return Share { of: exp(exponent), rest: -expm1(exponent) };
    }
    let n = k + r;
    // Near the end of Wilson's interval for a tail of 2.5 %; any start would do.
    let z = 2.0;
    let spread = z * sqrt(k * (r / n) + z * z / 4.0);
    let mut odds = (k + z * z / 2.0 - spread) / (r + z * z / 2.0 + spread);
    for _ in 0..STEP_COUNT_MAX {
        let share = Share::from_odds(odds);
        let reach = reach(k, r, share);
        let step = (log(tail) - (log_density(k, r, share) + log(reach))) * reach;
        odds *= exp(step);
        if step.abs() < PRECISION {
            break;
        }
    }
    Share::from_odds(odds * (1.0 - MARGIN))
}

/// The logarithm of the density of Beta(k, r + 1) over the logarithm of the odds:
/// `k · C(n, k) · p^k · q^(r + 1)`. Neither `k` nor `r` is 0.
///
/// It is computed with the deviance, as in Loader, because powers and binomial coefficients of
/// large counts cancel almost all of each other's digits.
///
/// Source: Loader, "Fast and accurate computation of binomial probabilities", 2000.
fn log_density(k: f64, r: f64, share: Share) -> f64 {
    let Share { of: p, rest: q } = share;
    let n = k + r;
    // Round the larger one, not the smaller.
    let surplus = if p < q { fma(-n, p, k) } else { -fma(-n, q, r) };
    let (successes, failures) = (n * p, n * q);
    let deviance =
        successes * deviance(surplus / successes) + failures * deviance(-surplus / failures);
    let stirling = stirling_error(n) - stirling_error(k) - stirling_error(r);
    let scale = 0.5 * (log(k / (2.0 * std::f64::consts::PI)) - log(r / n));
    stirling - deviance + scale + log(q)
}

/// The integral of the density from minus infinity to these log-odds, divided by the density there.
/// The share is below the mode, `k / (n + 1)`.
///
/// The integrand falls at least as fast as `exp(-slope · v)`, so that the trapezoidal rule after
/// the substitution `v = exp(t - exp(-t))` is accurate to machine precision.
///
/// Source: Takahasi and Mori, "Double exponential formulas for numerical integration", 1974.
fn reach(k: f64, r: f64, share: Share) -> f64 {
    const STEPS_PER_UNIT: i32 = 8;
    let Share { of: p, rest: q } = share;
    let m = k + r + 1.0;
    let slope = if p < q { fma(-m, p, k) } else { fma(m, q, -(r + 1.0)) };
    let log_ratio = |v: f64| {
        if p < q {
            -k * v - m * log1p(p * expm1(-v))
        } else {
            // The same without the difference of two large numbers.
            (r + 1.0) * v - m * log1p(q * expm1(v))
        }
    };
    let term = |index: i32| {
        let t = f64::from(index) / f64::from(STEPS_PER_UNIT);
        let inner = exp(-t);
        let v = exp(t - inner) / slope;
        exp(log_ratio(v)) * v * (1.0 + inner)
    };
    let sum: f64 = (-4 * STEPS_PER_UNIT..=4 * STEPS_PER_UNIT).map(term).sum();
    sum / f64::from(STEPS_PER_UNIT)
}

/// `(1 + d) · ln(1 + d) - d`, for `d > -1`, without cancellation for small `d`.
fn deviance(d: f64) -> f64 {
    if d.abs() >= 0.1 {
        return (1.0 + d) * log1p(d) - d;
    }
    let v = d / (2.0 + d);
    let mut power = 2.0 * (1.0 + d) * v;
    let mut sum = d * v;
    let mut odd = 3.0;
    // v² is below 0.003, so that eight terms are more than enough.
    for _ in 0..8 {
        power *= v * v;
        sum += power / odd;
        odd += 2.0;
    }
    sum
}

/// The error of Stirling's formula for `ln n!`, `n >= 1`.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        let formula = (n + 0.5) * log(n) - n + 0.5 * log(2.0 * std::f64::consts::PI);
        return lgamma(n + 1.0) - formula;
    }
    let square = n * n;
    let series = 1.0 / 1_260.0 - (1.0 / 1_680.0 - 1.0 / 1_188.0 / square) / square;
    (1.0 / 12.0 - (1.0 / 360.0 - series / square) / square) / n
}

#[cfg(test)]
mod tests {
    use super::{Share, smallest_share};

    const TAIL: f64 = 0.025;

    /// The probability of `k` or more successes in `n` trials, by summing the terms of the
    /// distribution from its mode outwards, each computed from its neighbour, and dividing by their
    /// sum: no factorials, no powers, no integrals.
    fn at_least(k: u64, n: u64, share: Share) -> f64 {
        let odds = share.of / share.rest;
        #[expect(clippy::cast_possible_truncation, reason = "it is a count of at most n + 1")]
        let mode = (((n as f64 + 1.0) * share.of) as u64).min(n);
        let (mut upper, mut lower) = (0.0, 0.0);
        let mut count = |i: u64, term: f64| *(if i >= k { &mut upper } else { &mut lower }) += term;
        let mut term = 1.0;
        count(mode, term);
        for i in mode..n {
            term *= (n - i) as f64 / (i + 1) as f64 * odds;
            count(i + 1, term);
            if term < 1e-18 && i >= k {
                break;
            }
        }
        term = 1.0;
        for i in (0..mode).rev() {
            term *= (i + 1) as f64 / ((n - i) as f64 * odds);
            count(i, term);
            if term < 1e-18 {
                break;
            }
        }
        upper / (upper + lower)
    }

    #[test]
    fn so_many_successes_have_the_probability_of_the_tail() {
        let counts = |n: u64| {
            let near = [1, 2, 3, 5, 10, 100, 1_000];
            let shares = [n / 1_000, n / 100, n / 8, n / 2, n / 8 * 7];
            let below = near.into_iter().chain(shares).filter(move |k| (1..=n).contains(k));
            below.flat_map(move |k| [k, n - k + 1])
        };
        let small = 1..=40;
        let large = [100, 1_000, 54_321, 1_000_000, 7_500_000, 100_000_000, 1_000_000_000];
        for n in small.chain(large) {
            for k in counts(n) {
                let share = smallest_share(k, n - k, TAIL);
                let tail = at_least(k, n, share);
                // The effect of the margin grows with the counts.
                let off = tail / TAIL - 1.0;
                assert!((-1e-7..1e-9).contains(&off), "{k} of {n}: {share:?} {tail}");
            }
        }
    }

    /// The table is the output of `binomial/shares.py`.
    #[test]
    fn shares_are_those_of_a_computation_with_sixty_digits() {
        let cases: &[(u64, u64, f64, f64)] = &[
            (1, 2, 0.012_579_117_093_425_05, 0.987_420_882_906_574_9),
            (1, 10, 0.0025285785444617845, 0.997_471_421_455_538_2),
            (3, 10, 0.066_739_511_177_734_47, 0.933_260_488_822_265_5),
            (9, 10, 0.554_983_882_971_804_6, 0.44501611702819542),
            (50, 100, 0.39832112950330098, 0.601_678_870_496_699),
            (1, 1000000, 2.5317807663794178e-8, 0.999_999_974_682_192_4),
            (5, 7500000, 2.1646488631124334e-7, 0.999_999_783_535_113_7),
            (7499999, 7500000, 0.999_999_257_114_440_9, 7.428_855_590_446_333e-7),
            (12350000, 100000000, 0.12343552107275406, 0.876_564_478_927_246),
            (1, 1000000000, 2.531780798396938e-11, 0.999_999_999_974_682_1),
            (500000000, 1000000000, 0.499_969_009_748_422_3, 0.500_030_990_251_577_7),
            (999999999, 1000000000, 0.999_999_994_428_356_6, 5.571_643_378_203_115e-9),
            (1, 9007199254740992, 2.8108413357197243e-18, 1.0),
            (123456789, 9007199254740992, 1.3704039299989946e-8, 0.9999999862959607),
            (4503599627370496, 9007199254740992, 0.4999999896742118, 0.5000000103257882),
            (
                9007199254740991,
                9007199254740992,
                0.999_999_999_999_999_3,
                6.185_766_777_620_946e-16,
            ),
        ];
        for (k, n, of, rest) in cases {
            let share = smallest_share(*k, n - k, TAIL);
            assert!((share.of / of - 1.0).abs() < 2e-12, "{k} of {n}: {share:?}");
            assert!((share.rest / rest - 1.0).abs() < 2e-12, "{k} of {n}: {share:?}");
        }
    }

    #[test]
    fn any_counts_have_an_end() {
        let all = [1, 2, 3, 10, 7_400_000, 1 << 40, 1 << 53, u64::MAX / 2, u64::MAX - 1, u64::MAX];
        for successes in all {
            for failures in all.into_iter().chain([0]) {
                let Share { of, rest } = smallest_share(successes, failures, TAIL);
                let counted = successes as f64 / (successes as f64 + failures as f64);
                assert!(0.0 < of && of <= counted, "{successes} and {failures}: {of}");
                assert!(0.0 < rest && rest <= 1.0, "{successes} and {failures}: {rest}");
            }
        }
    }
}
