//! `network.links` and `detector.kind = "heartbeat"`: what lies between processes and links.

use ftsim_core::Duration;
use ftsim_core::environment::network::NetworkConfig;
use ftsim_core::environment::transport::{Guarantee, Heartbeat, TransportConfig};

use super::problems::Problems;
use crate::scenario::file::{DetectorFile, DetectorKind, GuaranteeFile, NetworkFile};

/// What the scenario puts between processes and links.
pub fn transport(
    problems: &mut Problems<'_>,
    file: &NetworkFile,
    detector: &DetectorFile,
    network: &NetworkConfig,
) -> TransportConfig {
    let guarantee = match file.links {
        None | Some(GuaranteeFile::Raw) => Guarantee::Raw,
        Some(GuaranteeFile::Reliable) => Guarantee::Reliable,
        Some(GuaranteeFile::ReliableFifo) => Guarantee::ReliableFifo,
    };
    if file.resend_after.is_some() && guarantee == Guarantee::Raw {
        problems
            .key("network.resend_after", "nothing is sent again on raw links")
            .help("write links = \"reliable\"");
    }
    let resend_after = file.resend_after.unwrap_or_else(|| network.bound.times(3));
    if resend_after == Duration::ZERO && guarantee != Guarantee::Raw {
        problems.value("network.resend_after", "this would send again without end");
    }
    TransportConfig { guarantee, resend_after, heartbeat: heartbeat(problems, detector) }
}

fn heartbeat(problems: &mut Problems<'_>, file: &DetectorFile) -> Option<Heartbeat> {
    let given = [("period", file.period), ("timeout", file.timeout), ("increment", file.increment)];
    if file.kind != Some(DetectorKind::Heartbeat) {
        for (key, _) in given.iter().filter(|(_, value)| value.is_some()) {
            problems
                .key(&format!("detector.{key}"), format!("`{key}` belongs to heartbeats"))
                .help("write kind = \"heartbeat\"");
        }
        return None;
    }
    for (key, value) in &given[..2] {
        if value.is_none() {
            problems.value("detector", format!("a detector by heartbeats needs `{key}`"));
        } else if *value == Some(Duration::ZERO) {
            problems.value(&format!("detector.{key}"), "this is no time at all");
        }
    }
    let (period, timeout) = file.period.zip(file.timeout)?;
    Some(Heartbeat { period, timeout, increment: file.increment.unwrap_or_default() })
}
