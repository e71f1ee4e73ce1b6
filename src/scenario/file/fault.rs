//! How a scenario writes a fault.

use ftsim_core::Duration;
use schemars::JsonSchema;
use serde::Deserialize;

use super::OnCrashFile;
use super::condition::{
    BandwidthFile, ChanceFile, DelayFaultFile, DriftFile, LateFile, LinksFile, ReceiveOmissionFile,
    ReorderFile, RollbackFile, SendOmissionFile, ShiftFile, SlowFile, SlowSyncFile,
};
use super::value::{Count, Targets};

/// A fault: exactly one trigger (`at`, `when`, `after_effect`) and exactly one action (`crash`,
/// `pause`, `partition`, …).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FaultFile {
    /// Strikes at this time.
    pub at: Option<Duration>,
    /// Strikes right after a process has sent a message, before its next effect.
    pub when: Option<When>,
    /// Strikes right after an effect of a process, before its next one.
    pub after_effect: Option<WhenEffect>,
    /// These processes start; until then they are absent.
    pub start: Option<Targets>,
    /// These processes stop and lose what is not synced.
    pub crash: Option<Targets>,
    /// These processes stop as in a crash, and all others are told.
    pub exception: Option<Targets>,
    /// Of `crash` and `exception`: how long they stay down; for good unless said otherwise.
    pub recover_after: Option<Duration>,
    /// Of `crash` and `exception`: what becomes of their messages under way; `"keep"` unless said
    /// otherwise.
    pub in_flight: Option<InFlightFile>,
    /// Of `crash` and `exception`: what it leaves of their logs; as `[storage]` says unless said
    /// otherwise.
    pub on_crash: Option<OnCrashFile>,
    /// Of `crash` and `exception`: they lose what was synced too, as with `on_crash = "lose-all"`.
    pub amnesia: Option<bool>,
    /// These processes take no step, and keep their state.
    pub pause: Option<Targets>,
    /// Of `pause`: how long; until a `resume` unless said otherwise.
    pub resume_after: Option<Duration>,
    /// These paused processes go on.
    pub resume: Option<Targets>,
    /// These processes lie, for good: an adversary rewrites what they send.
    pub byzantine: Option<Targets>,
    /// Of `byzantine`: how they lie; `"random"` unless said otherwise.
    pub behaviour: Option<BehaviourFile>,
    /// These processes say wrong values, for good, and the same ones to everybody.
    pub wrong_value: Option<Targets>,
    /// The state of these processes changes behind their backs, in a way that their protocol says
    /// is possible.
    pub state_corruption: Option<Targets>,
    /// The clocks of these processes jump, for good.
    pub jump: Option<ShiftFile>,
    /// Links are cut.
    pub partition: Option<PartitionFile>,
    /// These processes fail to send.
    pub send_omission: Option<SendOmissionFile>,
    /// These processes fail to receive.
    pub receive_omission: Option<ReceiveOmissionFile>,
    /// Messages take longer than they may.
    pub late: Option<LateFile>,
    /// Messages are lost, beyond what their links lose.
    pub loss: Option<ChanceFile>,
    /// Messages arrive twice.
    pub duplicate: Option<ChanceFile>,
    /// Messages take longer, each by a drawn time.
    pub delay: Option<DelayFaultFile>,
    /// Messages are held back, so that later ones overtake them.
    pub reorder: Option<ReorderFile>,
    /// With each message an old one of the same link may come again.
    pub replay: Option<ChanceFile>,
    /// The content of messages is changed on the way.
    pub corrupt: Option<ChanceFile>,
    /// Links carry little.
    pub bandwidth: Option<BandwidthFile>,
    /// Messages wait until this is over, and travel then.
    pub clog: Option<LinksFile>,
    /// These processes are slow: their timers, and the messages that they send.
    pub slow: Option<SlowFile>,
    /// Syncs of these processes fail.
    pub sync_fails: Option<Targets>,
    /// Syncs of these processes take longer.
    pub slow_sync: Option<SlowSyncFile>,
    /// The disks of these processes take no further record.
    pub full: Option<Targets>,
    /// The clocks of these processes are off.
    pub skew: Option<ShiftFile>,
    /// The clocks of these processes run fast or slow.
    pub drift: Option<DriftFile>,
    /// The clocks of these processes stand still, and their timers with them.
    pub freeze: Option<Targets>,
    /// A durable record of each of these processes, drawn from the seed, is corrupt from now on.
    pub corrupt_record: Option<Targets>,
    /// All durable records of these processes are gone.
    pub lose_disk: Option<Targets>,
    /// An old snapshot of these processes' disks is back.
    pub rollback: Option<RollbackFile>,
    /// Of what lasts: how long. Without it and without `period` until a `heal`, or for good.
    pub duration: Option<Duration>,
    /// Of what lasts: it comes again and again, from one beginning to the next in this time.
    pub period: Option<Duration>,
    /// With `period`: how long it lasts each time, less than `period`.
    pub on: Option<Duration>,
    /// All links are whole again.
    pub heal: Option<bool>,
}

/// Right after a process has sent its `nth` message of a kind to another process.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The sender.
    pub process: String,
    /// The kind, as traces show it.
    pub sends: String,
    /// Which one, counted from 1; the first unless said otherwise.
    pub nth: Option<Count>,
}

/// Right after the `nth` effect of a process.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhenEffect {
    /// Whose effect.
    pub process: String,
    /// Which one, counted from 1 over its whole life.
    pub nth: Count,
}

/// What becomes of the messages that a crashing process has under way.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InFlightFile {
    /// They travel on.
    Keep,
    /// They are lost.
    Lose,
}

/// How a Byzantine process lies.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BehaviourFile {
    /// Sends nothing.
    Silent,
    /// Sends nothing to these.
    Withhold(Targets),
    /// Sends each message only after a time drawn up to this one.
    Delay(Duration),
    /// Tells every receiver something else, or the truth.
    Equivocate,
    /// Changes every message, in the same way for all receivers.
    Mutate,
    /// Sends old messages along with the new ones.
    Replay,
    /// Tells the same lies as others, whose key it has and who have its own.
    Collude(ColludeFile),
    /// There are two of it under one identity, and each of the others talks with one of them.
    Twins,
    /// As the adversary of this name does that the protocol brings along.
    Custom(String),
    /// Silence, the truth, the truth later, lies and old messages, message by message.
    Random,
}

/// Who act as one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColludeFile {
    /// These and the liars of this fault; all of them must be told so.
    pub with: Targets,
}

/// Which links a partition cuts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartitionFile {
    /// Its shape.
    pub shape: Shape,
    /// Of `isolate`: who is cut off from all others. Of `bridge`: who hears both sides.
    pub process: Option<Targets>,
    /// Of `one-way`: who is not heard.
    pub from: Option<Targets>,
    /// Of `one-way`: who does not hear them.
    pub to: Option<Targets>,
    /// Of `links`: the directed links, as pairs of sender and receiver.
    pub links: Option<Vec<(String, String)>>,
    /// Of `groups`: nothing passes between two groups; processes in none form one more. Of
    /// `bridge`, instead of `process`: its two sides.
    pub groups: Option<Vec<Targets>>,
    /// Of `ring-of-majorities`: all processes in their order; by their ids unless said otherwise.
    pub ring: Option<Vec<String>>,
}

/// The shape of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// The lower half of the ids, rounded up, and the others.
    Halves,
    /// `process` and all others.
    Isolate,
    /// From `from` to `to`; the way back is open.
    OneWay,
    /// The given `links`.
    Links,
    /// The lower and the upper half of the ids without `process`, which hears both.
    Bridge,
    /// Each process and so many neighbours on both sides that it hears a majority; no two hear the
    /// same.
    RingOfMajorities,
    /// The given `groups`.
    Groups,
}
