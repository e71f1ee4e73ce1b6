//! Local clocks: processes never see the true time, only their own clock's.

use crate::rng::Rng;
use crate::time::{Duration, DurationRange, Instant};

/// How far local clocks may be off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClockConfig {
    /// How far ahead a clock is at the start.
    pub offset: DurationRange,
    /// How fast it gains, in parts per million: `(min, max)`, negative if it loses. Between
    /// -999,999 and 1,000,000.
    pub drift_ppm: (i32, i32),
}

/// The clock of one process: `local = offset + true * (1 + drift)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct LocalClock {
    offset: Duration,
    drift_ppm: i32,
}

const MILLION: i128 = 1_000_000;

impl LocalClock {
    pub fn draw(config: &ClockConfig, rng: &mut Rng) -> Self {
        let DurationRange { min, max } = config.offset;
        let (slowest, fastest) = config.drift_ppm;
        let spread = u64::try_from(i64::from(fastest) - i64::from(slowest)).unwrap_or(0);
        let gain = i64::try_from(rng.between(0, spread)).unwrap_or(0);
        Self {
            offset: Duration::from_nanos(rng.between(min.as_nanos(), max.as_nanos())),
            drift_ppm: i32::try_from(i64::from(slowest) + gain).unwrap_or(fastest),
        }
    }

    /// What the clock shows at the true time `now`.
    #[inline]
    pub fn local(self, now: Instant) -> Instant {
        if self == Self::default() {
            return now;
        }
        let shown = i128::from(now.as_nanos()) * (MILLION + i128::from(self.drift_ppm)) / MILLION;
        Instant::from_nanos(u64::try_from(shown).unwrap_or(u64::MAX)) + self.offset
    }

    /// The true time that passes while this clock gains `local`, rounded up.
    #[inline]
    pub fn true_span(self, local: Duration) -> Duration {
        if self.drift_ppm == 0 {
            return local;
        }
        let rate = MILLION + i128::from(self.drift_ppm);
        let span = (i128::from(local.as_nanos()) * MILLION + rate - 1) / rate;
        Duration::from_nanos(u64::try_from(span).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn a_fast_clock_shows_more_and_its_timers_run_out_sooner() {
        let fast = LocalClock { offset: Duration::from_millis(2), drift_ppm: 100_000 };
        let at = |ms| Instant::ZERO + Duration::from_millis(ms);
        assert_eq!(fast.local(at(10)), at(13));
        assert_eq!(fast.true_span(Duration::from_millis(11)), Duration::from_millis(10));
        let slow = LocalClock { offset: Duration::ZERO, drift_ppm: -500_000 };
        assert_eq!(slow.local(at(10)), at(5));
        assert_eq!(slow.true_span(Duration::from_millis(5)), Duration::from_millis(10));
    }

    #[test]
    fn a_timer_never_runs_out_before_its_clock_shows_so() {
        let mut rng = Rng::new(1, Stream::Clocks);
        let config = ClockConfig { offset: DurationRange::default(), drift_ppm: (-200, 200) };
        for _ in 0..1_000 {
            let clock = LocalClock::draw(&config, &mut rng);
            let wait = Duration::from_nanos(rng.between(0, 1_000_000_000));
            assert!(
                clock.local(Instant::ZERO + clock.true_span(wait)).as_nanos() >= wait.as_nanos()
            );
        }
    }
}
