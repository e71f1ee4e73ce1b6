//! The wall clock.

/// The reading of a monotonic clock.
#[expect(clippy::disallowed_types, reason = "progress is measured in wall-clock time")]
pub fn clock() -> std::time::Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}
