//! How a scenario writes a fault.

use ftsim_core::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OnCrashFile;
use super::condition::{
    BandwidthFile, ChanceFile, DelayFaultFile, DriftFile, LateFile, LinksFile, ReceiveOmissionFile,
    ReorderFile, RollbackFile, SendOmissionFile, ShiftFile, SlowFile, SlowSyncFile,
};
use super::value::{Count, Targets};

/// A fault: exactly one trigger (`at`, `when`, `after_effect`) and exactly one action (`crash`,
/// `pause`, `partition`, …).
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FaultFile {
    /// Strikes at this time.
    pub at: Option<Duration>,
    /// Strikes right after a process has sent a message, before its next effect.
    pub when: Option<When>,
    /// Strikes right after an effect of a process, before its next one.
    pub after_effect: Option<WhenEffect>,
    /// These processes start; before that they are absent.
    pub start: Option<Targets>,
    /// These processes crash and lose what is not synced.
    pub crash: Option<Targets>,
    /// These processes crash, and all others are notified.
    pub exception: Option<Targets>,
    /// Of `crash` and `exception`: the downtime. Default: permanent.
    pub recover_after: Option<Duration>,
    /// Of `crash` and `exception`: the fate of their messages in flight. Default: `"keep"`.
    pub in_flight: Option<InFlightFile>,
    /// Of `crash` and `exception`: what remains of their logs. Default: as in `[storage]`.
    pub on_crash: Option<OnCrashFile>,
    /// Of `crash` and `exception`: synced records are lost, too, as with `on_crash = "lose-all"`.
    pub amnesia: Option<bool>,
    /// These processes take no steps, but keep their state.
    pub pause: Option<Targets>,
    /// Of `pause`: the duration. Default: until a `resume`.
    pub resume_after: Option<Duration>,
    /// These paused processes continue.
    pub resume: Option<Targets>,
    /// These processes become Byzantine, permanently: an adversary rewrites their messages.
    pub byzantine: Option<Targets>,
    /// Of `byzantine`: the behaviour of the adversary. Default: `"random"`.
    pub behaviour: Option<BehaviourFile>,
    /// These processes send wrong values, permanently, and the same ones to all receivers.
    pub wrong_value: Option<Targets>,
    /// The state of these processes is corrupted, in a way that their protocol defines.
    pub state_corruption: Option<Targets>,
    /// The clocks of these processes jump, permanently.
    pub jump: Option<ShiftFile>,
    /// Links are cut.
    pub partition: Option<PartitionFile>,
    /// These processes fail to send.
    pub send_omission: Option<SendOmissionFile>,
    /// These processes fail to receive.
    pub receive_omission: Option<ReceiveOmissionFile>,
    /// Messages are late: they exceed the bound on delays.
    pub late: Option<LateFile>,
    /// Messages are lost, in addition to the losses of their links.
    pub loss: Option<ChanceFile>,
    /// Messages arrive twice.
    pub duplicate: Option<ChanceFile>,
    /// Messages take longer, each by a drawn time, within the bound.
    pub delay: Option<DelayFaultFile>,
    /// Messages are held back, and later ones overtake them.
    pub reorder: Option<ReorderFile>,
    /// With each message, an old one of the same link may be replayed.
    pub replay: Option<ChanceFile>,
    /// The content of messages is changed in transit.
    pub corrupt: Option<ChanceFile>,
    /// Links have a low bandwidth.
    pub bandwidth: Option<BandwidthFile>,
    /// Messages are held until the fault ends, and are sent then.
    pub clog: Option<LinksFile>,
    /// These processes are slow: their timers and the messages that they send take longer.
    pub slow: Option<SlowFile>,
    /// Syncs of these processes fail.
    pub sync_fails: Option<Targets>,
    /// Syncs of these processes take longer.
    pub slow_sync: Option<SlowSyncFile>,
    /// The disks of these processes accept no further records.
    pub full: Option<Targets>,
    /// The clocks of these processes are shifted.
    pub skew: Option<ShiftFile>,
    /// The clocks of these processes run fast or slow.
    pub drift: Option<DriftFile>,
    /// The clocks of these processes stand still, and their timers with them.
    pub freeze: Option<Targets>,
    /// One durable record of each of these processes, drawn from the seed, is corrupted.
    pub corrupt_record: Option<Targets>,
    /// All durable records of these processes are lost.
    pub lose_disk: Option<Targets>,
    /// The disks of these processes are rolled back to an older state.
    pub rollback: Option<RollbackFile>,
    /// Of faults that last: the duration. Default, without `period`: until a `heal`, or
    /// permanently.
    pub duration: Option<Duration>,
    /// Of faults that last: they recur, with this time from one beginning to the next.
    pub period: Option<Duration>,
    /// With `period`: the duration of each occurrence, less than `period`.
    pub on: Option<Duration>,
    /// All faults of links end.
    pub heal: Option<bool>,
}

impl FaultFile {
    /// The keys of triggers.
    pub const TRIGGERS: [&'static str; 3] = ["at", "when", "after_effect"];
    /// The keys of actions that are over at once; all others last.
    pub const AT_ONCE: [&'static str; 13] = [
        "start",
        "crash",
        "exception",
        "pause",
        "resume",
        "byzantine",
        "wrong_value",
        "state_corruption",
        "jump",
        "corrupt_record",
        "lose_disk",
        "rollback",
        "heal",
    ];
    /// Actions, and keys that say more about them; what is said of a crash is said of an
    /// exception, too.
    pub const OPTIONS: [(&'static str, &'static str); 6] = [
        ("crash", "recover_after"),
        ("crash", "in_flight"),
        ("crash", "on_crash"),
        ("crash", "amnesia"),
        ("pause", "resume_after"),
        ("byzantine", "behaviour"),
    ];
    /// The keys that say how long an action lasts.
    pub const LASTING: [&'static str; 3] = ["duration", "period", "on"];

    /// The keys of actions.
    pub fn actions() -> Vec<&'static str> {
        let is_option = |key: &str| Self::OPTIONS.iter().any(|(_, option)| *option == key);
        let is_other = |key: &&str| Self::TRIGGERS.contains(key) || Self::LASTING.contains(key);
        let keys = super::keys::<Self>().iter().copied();
        keys.filter(|key| !is_other(key) && !is_option(key)).collect()
    }
}

/// Right after a process has sent its `nth` message of a kind to another process.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The sender.
    pub process: String,
    /// The kind, as traces show it.
    pub sends: String,
    /// Its number, counted from 1. Default: 1.
    pub nth: Option<Count>,
}

/// Right after the `nth` effect of a process.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhenEffect {
    /// The process.
    pub process: String,
    /// The number of the effect, counted from 1 over the whole run.
    pub nth: Count,
}

/// The fate of the messages that a crashing process has in flight.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InFlightFile {
    /// They arrive as usual.
    Keep,
    /// They are lost.
    Lose,
}

/// The behaviour of a Byzantine process.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BehaviourFile {
    /// Sends nothing.
    Silent,
    /// Sends nothing to these processes.
    Withhold(Targets),
    /// Delays each message by a drawn time up to this one.
    Delay(Duration),
    /// Sends each receiver something else, or the truth.
    Equivocate,
    /// Changes every message, identically for all receivers.
    Mutate,
    /// Sends old messages along with the new ones.
    Replay,
    /// Tells the same lies as others; they share their keys.
    Collude(ColludeFile),
    /// Two copies run under one identity, and each of the other processes communicates with one of
    /// them.
    Twins,
    /// The protocol's own adversary of this name.
    Custom(String),
    /// Any of silence, the truth, delays, lies and old messages, drawn for each message.
    Random,
}

/// The processes that collude.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColludeFile {
    /// These processes and those of this fault; each of them must have this behaviour.
    pub with: Targets,
}

/// Which links a partition cuts.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartitionFile {
    /// Its shape.
    pub shape: Shape,
    /// Of `isolate`: the process that is cut off from all others. Of `bridge`: the process that
    /// communicates with both sides.
    pub process: Option<Targets>,
    /// Of `one-way`: the senders whose messages are lost.
    pub from: Option<Targets>,
    /// Of `one-way`: the receivers that they do not reach.
    pub to: Option<Targets>,
    /// Of `links`: the directed links, as pairs of sender and receiver.
    pub links: Option<Vec<(String, String)>>,
    /// Of `groups`: the groups, between which all messages are lost; processes in none of them form
    /// one more. Of `bridge`, instead of `process`: its two sides.
    pub groups: Option<Vec<Targets>>,
    /// Of `ring-of-majorities`: the order of all processes. Default: by id.
    pub ring: Option<Vec<String>>,
}

/// The shape of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// The lower half of the ids, rounded up, and the others.
    Halves,
    /// `process` and all others.
    Isolate,
    /// From `from` to `to`, in this direction only.
    OneWay,
    /// The given `links`.
    Links,
    /// The lower and the upper half of the ids without `process`, which communicates with both.
    Bridge,
    /// Each process communicates with its nearest neighbours on both sides, a majority in all, and
    /// no two with the same one.
    RingOfMajorities,
    /// The given `groups`.
    Groups,
}
