//! Confidence intervals for what is measured over many seeds.

/// The half-width of an interval in standard errors. By the normal approximation a correct formula
/// is refused in one of 15,787 tests, and the seeds of a test are fixed: it passes always or never.
pub const Z: f64 = 4.0;

/// The mean of a sample, and how far it may be from the true mean.
#[derive(Clone, Copy, Debug)]
pub struct Mean {
    pub mean: f64,
    pub half_width: f64,
}

impl Mean {
    /// Of these numbers.
    pub fn of(sample: impl IntoIterator<Item = f64>) -> Self {
        let sample: Vec<f64> = sample.into_iter().collect();
        let count = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / count;
        let squares: f64 = sample.iter().map(|x| (x - mean).powi(2)).sum();
        Self { mean, half_width: Z * (squares / (count - 1.0) / count).sqrt() }
    }

    /// Of `hits` among `count`.
    pub fn of_share(hits: u64, count: u64) -> Self {
        let (count, mean) = (count as f64, hits as f64 / count as f64);
        Self { mean, half_width: Z * (mean * (1.0 - mean) / count).sqrt() }
    }

    /// Allows for a formula that is exact only in the limit.
    pub fn allowing(self, error: f64) -> Self {
        Self { half_width: self.half_width + error, ..self }
    }

    /// Whether the true mean may be this.
    pub fn admits(self, mean: f64) -> bool {
        (self.mean - mean).abs() <= self.half_width
    }

    /// The difference of two independent means.
    pub fn minus(self, other: Self) -> Self {
        Self { mean: self.mean - other.mean, half_width: self.half_width.hypot(other.half_width) }
    }
}

#[test]
fn an_interval_admits_the_truth_and_not_much_else() {
    let sample = Mean::of((0..1_000).map(|i| f64::from(i % 10)));
    // Mean 4.5, standard deviation 2.87, so a standard error of 0.091.
    assert!(sample.admits(4.5) && sample.admits(4.2) && !sample.admits(4.1));
    let share = Mean::of_share(300, 1_000);
    assert!(share.admits(0.3) && share.admits(0.35) && !share.admits(0.36));
    assert!(share.allowing(0.01).admits(0.36));
    let none = sample.minus(sample);
    assert!(none.admits(0.5) && !none.admits(0.6));
}
