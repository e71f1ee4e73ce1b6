//! Local clocks: processes never see the true time, only their own clocks.

use std::fmt;
use std::hash::Hash as _;

use crate::digest::Digest;
use crate::rng::Rng;
use crate::time::{Duration, DurationRange, Instant};

/// The error bounds of local clocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClockConfig {
    /// How far a clock is ahead at the start.
    pub offset: DurationRange,
    /// The drift, in parts per million: `(min, max)`, negative for a slow clock. Between -999,999
    /// and 1,000,000.
    pub drift_ppm: (i32, i32),
}

/// The size and direction of a clock jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shift {
    /// The clock jumps forward.
    Ahead(Duration),
    /// The clock jumps back.
    Behind(Duration),
}

impl Shift {
    pub(crate) fn nanos(self) -> i128 {
        match self {
            Self::Ahead(by) => i128::from(by.as_nanos()),
            Self::Behind(by) => -i128::from(by.as_nanos()),
        }
    }
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ahead(by) => write!(f, "{by} ahead"),
            Self::Behind(by) => write!(f, "{by} behind"),
        }
    }
}

/// The clock of one process: `local = offset + passed`, where `passed` grows by `1 + drift` per
/// unit of true time.
///
/// Timers depend on `passed`: setting the clock moves no timer, but drift and freezing do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LocalClock {
    offset_ns: i64,
    /// Its own drift; `drift_ppm` includes faults.
    own_drift_ppm: i32,
    drift_ppm: i32,
    /// The offset caused by faults.
    skew_ns: i64,
    /// The time of the last change of the rate, and the value of `passed` then.
    since: Instant,
    passed: Duration,
}

const MILLION: i128 = 1_000_000;
/// The drift of a stopped clock.
const FROZEN_PPM: i32 = -1_000_000;

impl LocalClock {
    pub fn draw(config: &ClockConfig, rng: &mut Rng) -> Self {
        let DurationRange { min, max } = config.offset;
        let (slowest, fastest) = config.drift_ppm;
        let spread = u64::try_from(i64::from(fastest) - i64::from(slowest)).unwrap_or(0);
        let gain = i64::try_from(rng.between(0, spread)).unwrap_or(0);
        let drift_ppm = i32::try_from(i64::from(slowest) + gain).unwrap_or(fastest);
        Self {
            own_drift_ppm: drift_ppm,
            drift_ppm,
            offset_ns: narrow(rng.between(min.as_nanos(), max.as_nanos()).into()),
            ..Self::default()
        }
    }

    /// The current drift, in parts per million.
    pub const fn drift_ppm(self) -> i32 {
        self.drift_ppm
    }

    pub const fn is_frozen(self) -> bool {
        self.drift_ppm == FROZEN_PPM
    }

    /// The reading of the clock at the true time `now`.
    #[inline]
    pub fn local(self, now: Instant) -> Instant {
        if self == Self::default() {
            return now;
        }
        let off = i128::from(self.offset_ns) + i128::from(self.skew_ns);
        let shown = i128::from(self.passed_at(now).as_nanos()) + off;
        Instant::from_nanos(u64::try_from(shown.max(0)).unwrap_or(u64::MAX))
    }

    fn passed_at(self, now: Instant) -> Duration {
        self.passed + self.local_span(now.since(self.since))
    }

    /// Its difference from true time, now and in the future.
    pub fn fingerprint(self, now: Instant, digest: &mut Digest) {
        let ahead = i128::from(self.local(now).as_nanos()) - i128::from(now.as_nanos());
        (ahead, self.offset_ns, self.own_drift_ppm, self.drift_ppm, self.skew_ns).hash(digest);
    }

    /// The local time that passes in a span of true time, rounded down.
    pub fn local_span(self, span: Duration) -> Duration {
        let gained = i128::from(span.as_nanos()) * (MILLION + i128::from(self.drift_ppm)) / MILLION;
        Duration::from_nanos(u64::try_from(gained.max(0)).unwrap_or(u64::MAX))
    }

    /// The true time in which this clock advances by `local`, rounded up; infinite if the clock
    /// stands still.
    #[inline]
    pub fn true_span(self, local: Duration) -> Duration {
        if self.drift_ppm == 0 {
            return local;
        }
        let rate = MILLION + i128::from(self.drift_ppm);
        if rate <= 0 {
            return Duration::from_nanos(u64::MAX);
        }
        let span = (i128::from(local.as_nanos()) * MILLION + rate - 1) / rate;
        Duration::from_nanos(u64::try_from(span).unwrap_or(u64::MAX))
    }

    /// Shifts the clock permanently.
    pub fn jump(&mut self, by: Shift) {
        self.offset_ns = narrow(i128::from(self.offset_ns) + by.nanos());
    }

    /// From `now` on, exactly this error applies.
    pub fn suffer(&mut self, error: ClockError, now: Instant) {
        self.skew_ns = narrow(error.skew_ns);
        self.passed = self.passed_at(now);
        self.since = now;
        let drift = i64::from(self.own_drift_ppm) + error.drift_ppm;
        let drift = if error.frozen { FROZEN_PPM.into() } else { drift };
        let most = i64::from(i32::MAX);
        self.drift_ppm = i32::try_from(drift.clamp(FROZEN_PPM.into(), most)).unwrap_or(0);
    }
}

fn narrow(nanos: i128) -> i64 {
    let bounds = (i64::MIN.into(), i64::MAX.into());
    i64::try_from(nanos.clamp(bounds.0, bounds.1)).unwrap_or(0)
}

/// The error of a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClockError {
    pub skew_ns: i128,
    pub drift_ppm: i64,
    pub frozen: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    fn clock(offset_ms: i64, drift_ppm: i32) -> LocalClock {
        LocalClock { offset_ns: offset_ms * 1_000_000, drift_ppm, ..LocalClock::default() }
    }

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    #[test]
    fn a_clock_that_changes_its_rate_goes_on_from_where_it_was() {
        let mut clock = clock(0, 0);
        let drifts = |drift_ppm| ClockError { drift_ppm, ..ClockError::default() };
        clock.suffer(drifts(500_000), at(10));
        assert_eq!(clock.local(at(12)), at(13));
        clock.suffer(ClockError { frozen: true, ..drifts(0) }, at(12));
        assert_eq!((clock.local(at(90)), clock.is_frozen()), (at(13), true));
        assert_eq!(clock.true_span(Duration::from_millis(1)).as_nanos(), u64::MAX);
        clock.suffer(drifts(0), at(100));
        assert_eq!(clock.local(at(101)), at(14));
    }

    #[test]
    fn a_clock_that_is_set_off_moves_no_timer() {
        let mut clock = clock(0, 0);
        clock.jump(Shift::Ahead(Duration::from_millis(5)));
        assert_eq!(clock.local(at(1)), at(6));
        assert_eq!(clock.true_span(Duration::from_millis(3)), Duration::from_millis(3));
        clock.suffer(ClockError { skew_ns: -9_000_000, ..ClockError::default() }, at(2));
        assert_eq!((clock.local(at(3)), clock.local(at(7))), (at(0), at(3)));
        clock.suffer(ClockError::default(), at(8));
        assert_eq!(clock.local(at(8)), at(13));
    }

    #[test]
    fn a_fast_clock_shows_more_and_its_timers_run_out_sooner() {
        let fast = clock(2, 100_000);
        assert_eq!(fast.local(at(10)), at(13));
        assert_eq!(fast.true_span(Duration::from_millis(11)), Duration::from_millis(10));
        let slow = clock(0, -500_000);
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

    #[test]
    fn drawn_clocks_fill_their_ranges() {
        let offset = DurationRange { min: Duration::from_millis(3), max: Duration::from_millis(5) };
        let config = ClockConfig { offset, drift_ppm: (-2, 2) };
        let mut drifts = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let clock = LocalClock::draw(&config, &mut Rng::new(seed, Stream::Clocks));
            assert_eq!(clock.own_drift_ppm, clock.drift_ppm);
            drifts.insert(clock.drift_ppm);
            let start = clock.local(Instant::ZERO).as_nanos();
            assert!((3_000_000..=5_000_000).contains(&start), "{start}");
        }
        assert_eq!(drifts, (-2..=2).collect());
    }

    #[test]
    fn clocks_that_differ_have_different_fingerprints() {
        let fingerprint = |clock: LocalClock| {
            let mut digest = Digest::EMPTY;
            clock.fingerprint(Instant::ZERO, &mut digest);
            digest.value()
        };
        let clock = LocalClock::default();
        let drifting = LocalClock { own_drift_ppm: 1, drift_ppm: 1, ..clock };
        assert_eq!(fingerprint(clock), fingerprint(LocalClock::default()));
        assert_ne!(fingerprint(clock), fingerprint(drifting));
        assert_ne!(fingerprint(clock), fingerprint(LocalClock { offset_ns: 1, ..clock }));
    }
}
