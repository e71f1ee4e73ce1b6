//! Failure detectors: a perfect oracle, detectors built from messages and timeouts, and one whose
//! suspicions a person confirms.

mod fd_exclude_on_timeout;
pub(crate) mod fd_heartbeat;
mod fd_operator;
mod fd_perfect;
mod swim;

pub use fd_exclude_on_timeout::{FdExcludeOnTimeout, FdExcludeOnTimeoutParams};
pub use fd_heartbeat::{FdHeartbeat, FdHeartbeatParams, Mode};
pub use fd_operator::{FdOperator, FdOperatorParams};
pub use fd_perfect::{FdPerfect, FdPerfectParams};
pub use swim::{Swim, SwimParams, Target as SwimTarget};
