//! The outcome of one run: verdicts with their witnesses, counts, labels, digest.

use std::io::{self, Write};

use ftsim_core::environment::network::DropReason;
use ftsim_core::outcome::PacketCount;
use ftsim_core::{Outcome, PropertyKind, Verdict};
use serde_json::{Value, json};

use crate::foreign::line;
use crate::layout::counted;
use crate::style::{BAD, FAINT, GOOD, UNKNOWN};

/// Writes the outcome as text: verdicts, then counts.
///
/// # Errors
/// Errors of `out`.
pub fn write_outcome(out: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
    let name_width = outcome.judged.iter().map(|judged| judged.id.0.len()).max().unwrap_or(0);
    for judged in &outcome.judged {
        let (word, style, why) = match &judged.verdict {
            Verdict::Held if judged.exercised == 1 => ("held", GOOD, "exercised once".into()),
            Verdict::Held => ("held", GOOD, format!("exercised {} times", judged.exercised)),
            Verdict::HeldVacuously => ("vacuous", UNKNOWN, "its premise never came true".into()),
            Verdict::Undecided(reason) => ("undecided", UNKNOWN, reason.clone()),
            Verdict::Violated(violation) => {
                let ftsim_core::Violation { at, step, witnesses, .. } = violation;
                let message = violation.text();
                let who: Vec<String> = witnesses.iter().map(ToString::to_string).collect();
                let who =
                    if who.is_empty() { String::new() } else { format!(", {}", who.join(" ")) };
                ("VIOLATED", BAD, format!("{message} (step {step}, at {at}{who})"))
            }
        };
        let kind = kind_text(judged.kind);
        let (id, why) = (judged.id, line(&why));
        writeln!(out, "{id:name_width$}  {kind:8}  {style}{word:9}{style:#}  {why}")?;
    }
    if let Some(panic) = &outcome.panicked {
        let whose = panic.process.map_or_else(|| "the clients".to_owned(), |p| p.to_string());
        let (at, step, message) = (panic.at, panic.step, line(&panic.message));
        writeln!(out, "{BAD}PANICKED{BAD:#}  {whose}: {message} (step {step}, at {at})")?;
        if let Some(backtrace) = &panic.backtrace {
            writeln!(out, "{}", backtrace.trim_end())?;
        }
    }
    writeln!(out)?;
    for (name, value) in counts(outcome) {
        writeln!(out, "{FAINT}{name:9}{FAINT:#}  {}", line(&value))?;
    }
    Ok(())
}

pub(crate) const fn kind_text(kind: PropertyKind) -> &'static str {
    match kind {
        PropertyKind::Safety => "safety",
        PropertyKind::Liveness => "liveness",
    }
}

fn counts(outcome: &Outcome) -> Vec<(&'static str, String)> {
    let statistics = &outcome.statistics;
    let kinds = statistics.kinds.iter().map(|kind| format!("{} {}", kind.sent, kind.kind));
    let kinds: Vec<String> = kinds.collect();
    let mut messages = format!("{} sent", statistics.sent());
    if kinds.len() > 1 {
        messages.push_str(&format!(" ({})", kinds.join(", ")));
    } else if let [kind] = statistics.kinds.as_slice() {
        messages.push_str(&format!(" (all {})", kind.kind));
    }
    messages.push_str(&format!(", {} delivered", statistics.delivered));
    for reason in DropReason::ALL {
        if let count @ 1.. = statistics.dropped_for(reason) {
            messages.push_str(&format!(", {count} dropped ({})", reason.text()));
        }
    }
    if statistics.packets.sent > 0 {
        let PacketCount { sent, sent_again, lost } = statistics.packets;
        let sent = counted(sent, "packet");
        messages.push_str(&format!(", {sent} ({sent_again} again, {lost} lost)"));
    }
    if statistics.garbled > 0 {
        messages.push_str(&format!(", {} garbled", statistics.garbled));
    }
    if statistics.replayed > 0 {
        messages.push_str(&format!(", {} replayed", statistics.replayed));
    }
    if statistics.duplicated > 0 {
        messages.push_str(&format!(", {} duplicated", statistics.duplicated));
    }
    let mut counts = vec![
        (
            "ended",
            format!(
                "at {} after {}: {}",
                outcome.at,
                counted(statistics.events, "event"),
                outcome.cause
            ),
        ),
        ("messages", messages),
    ];
    if statistics.syncs > 0 {
        counts.push(("syncs", statistics.syncs.to_string()));
    }
    if statistics.crashes > 0 {
        let (crashes, recoveries) = (statistics.crashes, statistics.recoveries);
        counts.push(("crashes", format!("{crashes}, {recoveries} recovered")));
    }
    let effects: Vec<String> = statistics
        .effects
        .iter()
        .zip(0..)
        .take(EFFECTS_SHOWN)
        .map(|(n, p)| format!("p{p} {n}"))
        .collect();
    let more = if statistics.effects.len() > EFFECTS_SHOWN { ", …" } else { "" };
    counts.push(("effects", format!("{}{more}", effects.join(", "))));
    if !outcome.reached.is_empty() {
        counts.push(("reached", outcome.reached.join(", ")));
    }
    counts.push(("digest", outcome.digest.to_string()));
    counts
}

/// The maximum number of processes whose effects are listed.
const EFFECTS_SHOWN: usize = 16;

/// The outcome as JSON.
pub fn outcome_json(outcome: &Outcome) -> Value {
    let statistics = &outcome.statistics;
    let properties = outcome.judged.iter().map(|judged| {
        let (word, detail) = match &judged.verdict {
            Verdict::Held => ("held", Value::Null),
            Verdict::HeldVacuously => ("vacuous", Value::Null),
            Verdict::Undecided(reason) => ("undecided", json!({ "reason": reason })),
            Verdict::Violated(violation) => (
                "violated",
                json!({
                    "step": violation.step,
                    "at": violation.at.as_nanos(),
                    "witnesses": violation.witnesses,
                    "message": violation.message,
                    "stall": violation.stall,
                }),
            ),
        };
        json!({
            "name": judged.id,
            "kind": judged.kind,
            "verdict": word,
            "detail": detail,
            "exercised": judged.exercised,
        })
    });
    let dropped = DropReason::ALL
        .map(|reason| json!({ "reason": reason, "messages": statistics.dropped_for(reason) }));
    let panicked = outcome.panicked.as_ref().map(|panic| {
        json!({
            "step": panic.step,
            "at": panic.at.as_nanos(),
            "process": panic.process,
            "message": panic.message,
            "backtrace": panic.backtrace,
        })
    });
    let kinds = statistics.kinds.iter();
    let kinds = kinds.map(|kind| json!({ "kind": kind.kind.to_string(), "sent": kind.sent }));
    json!({
        "seed": outcome.seed,
        "digest": outcome.digest.to_string(),
        "cause": outcome.cause,
        "at": outcome.at.as_nanos(),
        "properties": properties.collect::<Vec<_>>(),
        "panicked": panicked,
        "reached": outcome.reached,
        "unfired": outcome.unfired,
        "statistics": {
            "events": statistics.events,
            "sent": kinds.collect::<Vec<_>>(),
            "delivered": statistics.delivered,
            "dropped": dropped,
            "duplicated": statistics.duplicated,
            "packets": statistics.packets,
            "garbled": statistics.garbled,
            "replayed": statistics.replayed,
            "syncs": statistics.syncs,
            "crashes": statistics.crashes,
            "recoveries": statistics.recoveries,
            "effects": statistics.effects,
        },
    })
}
