//! How a scenario writes what is wrong for a while.

use ftsim_core::{Duration, DurationRange};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::{Count, Drift, Rate, Targets};

/// Send omission.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendOmissionFile {
    /// The processes that fail to send.
    pub process: Targets,
    /// The receivers. Default: all processes.
    pub to: Option<Targets>,
    /// The probability that a message is not sent. Default: 1.
    pub probability: Option<f64>,
}

/// Receive omission.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveOmissionFile {
    /// The processes that fail to receive.
    pub process: Targets,
    /// The senders. Default: all processes.
    pub from: Option<Targets>,
    /// The probability that a message is not received. Default: 1.
    pub probability: Option<f64>,
}

/// Late messages, which exceed the bound on delays: on some links, or all messages of some
/// processes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LateFile {
    /// The senders. Default: all processes.
    pub from: Option<Targets>,
    /// The receivers. Default: all processes.
    pub to: Option<Targets>,
    /// Instead of both: processes whose messages are late, both those sent to them and those sent
    /// by them.
    pub process: Option<Targets>,
    /// The additional delay.
    pub by: Duration,
}

/// A fault of messages on some links, with a probability for each message.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChanceFile {
    /// The senders. Default: all processes.
    pub from: Option<Targets>,
    /// The receivers. Default: all processes.
    pub to: Option<Targets>,
    /// The probability for each message.
    pub probability: f64,
}

/// Longer delays on some links.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DelayFaultFile {
    /// The senders. Default: all processes.
    pub from: Option<Targets>,
    /// The receivers. Default: all processes.
    pub to: Option<Targets>,
    /// The additional delay, drawn for each message.
    pub by: DurationRange,
}

/// Reordering on some links.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReorderFile {
    /// The senders. Default: all processes.
    pub from: Option<Targets>,
    /// The receivers. Default: all processes.
    pub to: Option<Targets>,
    /// The probability that a message is held back. Default: 1.
    pub probability: Option<f64>,
    /// The maximum time for which it is held back; the time is drawn.
    pub within: Duration,
}

/// Links with a low bandwidth.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BandwidthFile {
    /// The senders. Default: all processes.
    pub from: Option<Targets>,
    /// The receivers. Default: all processes.
    pub to: Option<Targets>,
    /// The bandwidth of each of these links.
    pub rate: Rate,
}

/// Clocks that are shifted.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftFile {
    /// The processes with these clocks.
    pub process: Targets,
    /// How far they are ahead; either this or `behind`.
    pub ahead: Option<Duration>,
    /// How far they are behind.
    pub behind: Option<Duration>,
}

/// Clocks that run fast or slow.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftFile {
    /// The processes with these clocks.
    pub process: Targets,
    /// The additional drift, for example `"200ppm"` or `"-5000ppm"`.
    pub by: Drift,
}

/// A set of links.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinksFile {
    /// The senders. Default: all processes.
    pub from: Option<Targets>,
    /// The receivers. Default: all processes.
    pub to: Option<Targets>,
}

/// Slow processes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowFile {
    /// The slow processes.
    pub process: Targets,
    /// The factor by which their timers and messages take longer, 1 to 1,000.
    pub factor: Count,
}

/// Slow disks.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowSyncFile {
    /// The processes with these disks.
    pub process: Targets,
    /// The additional time that a sync takes.
    pub by: Duration,
}

/// Disks that are rolled back to an older state.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackFile {
    /// The processes with these disks.
    pub process: Targets,
    /// The number of newest durable records that are lost.
    pub records: Count,
}
