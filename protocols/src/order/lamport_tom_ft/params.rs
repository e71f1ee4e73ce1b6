//! The parameters.

use ftsim_core::{Duration, DurationRange, Invalid, ProcessId, ProcessSet, Setting};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[params]` of totally ordered multicast that tolerates crashes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LamportTomFtParams {
    /// How processes get the messages of a crashed process that only some of them have.
    pub repair: Repair,
    /// The number of newcomers, the last processes, which are no members until they have joined. A
    /// process that has crashed comes back as one of them.
    pub newcomers: u32,
    /// When newcomers ask to join; if a range, each draws a time of its own.
    pub join_at: DurationRange,
}

impl Default for LamportTomFtParams {
    fn default() -> Self {
        let join_at =
            DurationRange { min: Duration::from_millis(20), max: Duration::from_millis(60) };
        Self { repair: Repair::Flush, newcomers: 0, join_at }
    }
}

impl LamportTomFtParams {
    pub(super) fn validate(&self, setting: &Setting) -> Result<(), Invalid> {
        if self.newcomers >= setting.n {
            return Err(Invalid::new("newcomers", "somebody must be a member from the start"));
        }
        if self.newcomers > 0 && self.repair == Repair::Fetch {
            return Err(Invalid::new("newcomers", "needs repair = \"flush\""));
        }
        Ok(())
    }

    /// The members from the start on.
    pub(super) fn founders(&self, setting: &Setting) -> ProcessSet {
        (0..setting.n.saturating_sub(self.newcomers)).map(ProcessId).collect()
    }
}

/// How processes get the messages of a crashed process that only some of them have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Repair {
    /// All send them to all, and deliver nothing until then.
    #[default]
    Flush,
    /// Whoever hears of one fetches it. Unsafe: by then it may have delivered a later one.
    Fetch,
}
