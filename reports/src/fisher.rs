//! Whether two shares differ: Fisher's exact test.
//!
//! Source: Fisher, "The logic of inductive inference", 1935; the two-sided test adds up the tables
//! that are at most as probable as the one seen. Many comparisons at once are corrected after Holm,
//! "A simple sequentially rejective multiple test procedure", 1979. All functions come from `libm`,
//! so that the bits are the same on every platform.

use libm::{exp, lgamma};

/// Tables whose probabilities differ by less than this count as equally probable.
const TOLERANCE: f64 = 1e-7;

/// The probability, if both shares are the same, of counts at least as unlikely as `first.0` of
/// `first.1` and `second.0` of `second.1`.
#[must_use]
pub fn p_value(first: (u64, u64), second: (u64, u64)) -> f64 {
    let ((count, total), (other, others)) = (first, second);
    let (hits, all) = (count + other, total + others);
    let (least, most) = (hits.saturating_sub(others), hits.min(total));
    // The logarithm of the probability that `k` of the hits are in the first sample.
    let log_of = |k: u64| ln_choose(total, k) + ln_choose(others, hits - k) - ln_choose(all, hits);
    let seen = log_of(count) + TOLERANCE;
    // Probabilities fall on both sides of the mode: further out, nothing can count any more.
    let mode = u128::from(hits + 1) * u128::from(total + 1) / u128::from(all + 2);
    let mode = u64::try_from(mode).unwrap_or(most).clamp(least, most);
    let tail = |ks: &mut dyn Iterator<Item = u64>| {
        let mut sum = 0.0;
        for log in ks.map(log_of).filter(|log| *log <= seen) {
            let before = sum;
            sum += exp(log);
            if sum == before {
                break;
            }
        }
        sum
    };
    (tail(&mut (least..=mode).rev()) + tail(&mut (mode + 1..=most))).min(1.0)
}

/// Whether each of these is significant at a level of 5 % for all together.
#[must_use]
pub fn significant(p_values: &[f64]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut found = vec![false; p_values.len()];
    for (rank, index) in order.into_iter().enumerate() {
        if p_values[index] > 0.05 / (p_values.len() - rank) as f64 {
            break;
        }
        found[index] = true;
    }
    found
}

/// The logarithm of n over k.
fn ln_choose(n: u64, k: u64) -> f64 {
    let ln_factorial = |n: u64| lgamma(n as f64 + 1.0);
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

#[cfg(test)]
mod tests {
    use super::{p_value, significant};

    #[test]
    fn textbook_tables_have_their_p_values() {
        // Fisher's lady tasting tea, with three of four cups right: 34 / 70.
        assert!((p_value((3, 4), (1, 4)) - 34.0 / 70.0).abs() < 1e-9);
        // The table of R's fisher.test(matrix(c(1, 9, 11, 3), 2)): 0.002759.
        assert!((p_value((1, 10), (11, 14)) - 0.002_759_456_185_2).abs() < 1e-9);
        assert!((p_value((0, 10), (0, 20)) - 1.0).abs() < 1e-9);
        assert!((p_value((10, 10), (20, 20)) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn it_is_the_sum_over_all_tables() {
        let exact = |(a, n): (u64, u64), (b, m): (u64, u64)| {
            let choose = |n: u64, k: u64| {
                (0..k).fold(1u128, |c, i| c * u128::from(n - i) / u128::from(i + 1))
            };
            let ways = |k: u64| choose(n, k) * choose(m, a + b - k);
            let ks = (a + b).saturating_sub(m)..=(a + b).min(n);
            let extreme: u128 = ks.clone().map(ways).filter(|w| *w <= ways(a)).sum();
            extreme as f64 / ks.map(ways).sum::<u128>() as f64
        };
        for n in 1..8 {
            for m in 1..9 {
                for a in 0..=n {
                    for b in 0..=m {
                        let (first, second) = ((a, n), (b, m));
                        let (found, expected) = (p_value(first, second), exact(first, second));
                        assert!((found - expected).abs() < 1e-6, "{first:?} {second:?} {found}");
                    }
                }
            }
        }
    }

    #[test]
    fn large_counts_are_quick_and_clear() {
        assert!(p_value((500_000, 1_000_000), (501_000, 1_000_000)) > 0.05);
        assert!(p_value((500_000, 1_000_000), (505_000, 1_000_000)) < 1e-9);
        assert!(p_value((0, 1_000_000), (20, 1_000_000)) < 1e-4);
    }

    #[test]
    fn many_comparisons_need_smaller_values() {
        assert_eq!(significant(&[0.04]), [true]);
        assert_eq!(significant(&[0.04, 0.03]), [false, false]);
        assert_eq!(significant(&[0.04, 0.001, 0.5]), [false, true, false]);
        assert_eq!(significant(&[]), [false; 0]);
    }
}
