//! How a scenario writes what is wrong for a while.

use ftsim_core::{Duration, DurationRange};
use schemars::JsonSchema;
use serde::Deserialize;

use super::value::{Count, Drift, Rate, Targets};

/// Processes that fail to send.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendOmissionFile {
    /// Who fails to send.
    pub process: Targets,
    /// To whom; to everybody unless said otherwise.
    pub to: Option<Targets>,
    /// How likely a message is not sent; 1 unless said otherwise.
    pub probability: Option<f64>,
}

/// Processes that fail to receive.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveOmissionFile {
    /// Who fails to receive.
    pub process: Targets,
    /// From whom; from everybody unless said otherwise.
    pub from: Option<Targets>,
    /// How likely a message is not received; 1 unless said otherwise.
    pub probability: Option<f64>,
}

/// Messages that take longer than they may: on some links, or all of some processes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LateFile {
    /// The senders; everybody unless said otherwise.
    pub from: Option<Targets>,
    /// The receivers; everybody unless said otherwise.
    pub to: Option<Targets>,
    /// Instead of both: whose messages are late, those to them and those from them.
    pub process: Option<Targets>,
    /// How much longer they take.
    pub by: Duration,
}

/// Messages on some links, each with a probability.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChanceFile {
    /// The senders; everybody unless said otherwise.
    pub from: Option<Targets>,
    /// The receivers; everybody unless said otherwise.
    pub to: Option<Targets>,
    /// How likely it is for each message.
    pub probability: f64,
}

/// Messages on some links that take longer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DelayFaultFile {
    /// The senders; everybody unless said otherwise.
    pub from: Option<Targets>,
    /// The receivers; everybody unless said otherwise.
    pub to: Option<Targets>,
    /// How much longer, drawn for each message.
    pub by: DurationRange,
}

/// Messages on some links that are overtaken.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReorderFile {
    /// The senders; everybody unless said otherwise.
    pub from: Option<Targets>,
    /// The receivers; everybody unless said otherwise.
    pub to: Option<Targets>,
    /// How likely a message is to be held back; 1 unless said otherwise.
    pub probability: Option<f64>,
    /// For how long at most; how long is drawn.
    pub within: Duration,
}

/// Links that carry little.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BandwidthFile {
    /// The senders; everybody unless said otherwise.
    pub from: Option<Targets>,
    /// The receivers; everybody unless said otherwise.
    pub to: Option<Targets>,
    /// How much each of these links carries.
    pub rate: Rate,
}

/// Clocks that are off.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftFile {
    /// Whose clocks.
    pub process: Targets,
    /// How much more they show; either this or `behind`.
    pub ahead: Option<Duration>,
    /// How much less they show.
    pub behind: Option<Duration>,
}

/// Clocks that run fast or slow.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftFile {
    /// Whose clocks.
    pub process: Targets,
    /// How much more they gain than they did, for example `"200ppm"` or `"-5000ppm"`.
    pub by: Drift,
}

/// Some links.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinksFile {
    /// The senders; everybody unless said otherwise.
    pub from: Option<Targets>,
    /// The receivers; everybody unless said otherwise.
    pub to: Option<Targets>,
}

/// Slow processes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowFile {
    /// Who is slow.
    pub process: Targets,
    /// How many times as long their timers and messages take, 1 to 1,000.
    pub factor: Count,
}

/// Slow disks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowSyncFile {
    /// Whose.
    pub process: Targets,
    /// How much longer a sync takes.
    pub by: Duration,
}

/// Old snapshots of disks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackFile {
    /// Whose.
    pub process: Targets,
    /// How many of the newest durable records are gone.
    pub records: Count,
}
