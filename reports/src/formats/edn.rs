//! The operations of a run as a Jepsen history, in EDN: a map per line.
//!
//! An operation is invoked (`:invoke`) and ends: `:ok`, `:fail` if it certainly had no effect, or
//! `:info` at the end of the history if it was never answered. Jepsen's processes have one
//! operation at a time, and none after an `:info`. So the operations of client `p` of `n` processes
//! are those of the Jepsen processes `p`, `p + n`, `p + 2n`, …, as few as possible. Faults are
//! operations of the `:nemesis`, and are `:info`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::iter::Peekable;

use ftsim_core::outcome::operations::{OperationChange, OperationEvent};
use ftsim_core::outcome::trace::{Entry, Trace, TraceEvent};
use ftsim_core::{Act, Instant, OperationName, ProcessId};
use serde_json::Value;

use crate::diagram::event_name;
use crate::foreign::line;

/// Writes the history: the operations of a run among so many processes, and its faults.
///
/// # Errors
/// Errors of `out`.
pub fn write_edn(
    out: &mut impl Write,
    process_count: u32,
    operations: &[OperationEvent],
    trace: &Trace,
) -> io::Result<()> {
    let mut history = History {
        out,
        process_count: process_count.into(),
        clients: BTreeMap::new(),
        open: BTreeMap::new(),
        index: 0,
    };
    let mut faults = trace.entries.iter().filter(|entry| is_fault(&entry.what)).peekable();
    for operation in operations {
        let earlier = |entry: &&Entry| (entry.at, entry.step) < (operation.at, operation.step);
        history.faults(&mut faults, earlier)?;
        history.operation(operation)?;
    }
    history.faults(&mut faults, |_| true)?;
    let end = operations.iter().map(|operation| operation.at);
    let end = end.chain(trace.entries.last().map(|entry| entry.at)).max().unwrap_or_default();
    history.end(end)
}

/// A history that is being written.
struct History<'o, W> {
    out: &'o mut W,
    process_count: u64,
    clients: BTreeMap<ProcessId, Client>,
    /// The operations without an end, each with its Jepsen process.
    open: BTreeMap<OperationName, (u64, Act)>,
    /// The number of the next entry.
    index: u64,
}

/// The Jepsen processes of a client.
#[derive(Default)]
struct Client {
    /// How many it has.
    count: u64,
    /// Those that are between two operations.
    idle: BTreeSet<u64>,
}

impl<W: Write> History<'_, W> {
    fn faults<'t>(
        &mut self,
        faults: &mut Peekable<impl Iterator<Item = &'t Entry>>,
        is_due: impl Fn(&&'t Entry) -> bool,
    ) -> io::Result<()> {
        while let Some(entry) = faults.next_if(&is_due) {
            let act = Act::new(event_name(&entry.what), fault_value(entry));
            self.write(entry.at, "info", ":nemesis", &act, None)?;
        }
        Ok(())
    }

    fn operation(&mut self, operation: &OperationEvent) -> io::Result<()> {
        let OperationEvent { at, name, ref what, .. } = *operation;
        if let OperationChange::Begins(act) = what {
            let client = self.clients.entry(name.asked).or_default();
            let process = client.idle.pop_first().unwrap_or_else(|| {
                client.count += 1;
                u64::from(name.asked.0) + (client.count - 1) * self.process_count
            });
            self.open.insert(name, (process, act.clone()));
            return self.write(at, "invoke", &process.to_string(), act, None);
        }
        let Some((process, begun)) = self.open.remove(&name) else { return Ok(()) };
        self.clients.entry(name.asked).or_default().idle.insert(process);
        let process = process.to_string();
        match what {
            OperationChange::Ends(act) => {
                let kind = if act.failed { "fail" } else { "ok" };
                self.write(at, kind, &process, act, None)
            }
            _ => self.write(at, "fail", &process, &begun, Some("down")),
        }
    }

    /// What was never answered may have had an effect.
    fn end(mut self, at: Instant) -> io::Result<()> {
        for (process, act) in std::mem::take(&mut self.open).into_values() {
            self.write(at, "info", &process.to_string(), &act, Some("unanswered"))?;
        }
        Ok(())
    }

    fn write(
        &mut self,
        at: Instant,
        kind: &str,
        process: &str,
        act: &Act,
        error: Option<&str>,
    ) -> io::Result<()> {
        let (index, time, function) = (self.index, at.as_nanos(), keyword(&act.function));
        let value = edn(&act.value);
        let error = error.map_or_else(String::new, |error| format!(" :error :{error}"));
        self.index += 1;
        writeln!(
            self.out,
            "{{:index {index} :time {time} :type :{kind} :process {process} :f {function} \
             :value {value}{error}}}"
        )
    }
}

/// Whether the nemesis did this.
const fn is_fault(what: &TraceEvent) -> bool {
    matches!(
        what,
        TraceEvent::Crash { .. }
            | TraceEvent::Recover { .. }
            | TraceEvent::Pause
            | TraceEvent::Resume
            | TraceEvent::Begins { .. }
            | TraceEvent::Ends { .. }
            | TraceEvent::Corrupt { .. }
            | TraceEvent::StateCorrupted
            | TraceEvent::ClockJump { .. }
            | TraceEvent::Damage { .. }
            | TraceEvent::Heal
            | TraceEvent::Stabilise
    )
}

/// What a fault strikes, and how.
fn fault_value(entry: &Entry) -> Value {
    let how = match &entry.what {
        TraceEvent::Begins { condition } | TraceEvent::Ends { condition } => Some(condition),
        TraceEvent::Corrupt { behaviour } => Some(behaviour),
        TraceEvent::ClockJump { shift } => Some(shift),
        TraceEvent::Damage { fault } => Some(fault),
        _ => None,
    };
    let process = entry.process.map(|process| process.to_string());
    match (process, how) {
        (Some(process), Some(how)) => Value::from(vec![process, how.clone()]),
        (Some(process), None) => process.into(),
        (None, how) => how.cloned().into(),
    }
}

/// A name as a keyword in kebab case: `:declare-down` for `DeclareDown`.
fn keyword(name: &str) -> String {
    let mut keyword = ":".to_owned();
    let mut before = ' ';
    for c in name.chars() {
        let begins_word = c.is_ascii_uppercase() && !before.is_ascii_uppercase();
        if c.is_ascii_alphanumeric() {
            if keyword.len() == 1 && c.is_ascii_digit() {
                keyword.push('n');
            } else if keyword.len() > 1 && (begins_word || !before.is_ascii_alphanumeric()) {
                keyword.push('-');
            }
            keyword.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    if keyword.len() == 1 { ":unnamed".to_owned() } else { keyword }
}

/// JSON as EDN: `null` is `nil`, the names in an object are keywords if they can be.
fn edn(value: &Value) -> String {
    match value {
        Value::Null => "nil".to_owned(),
        Value::Bool(_) => value.to_string(),
        // EDN's integers have 64 bits with a sign, unless they say otherwise.
        Value::Number(number) if number.is_u64() && !number.is_i64() => format!("{number}N"),
        Value::Number(number) => number.to_string(),
        Value::String(text) => string(text),
        Value::Array(parts) => {
            let parts: Vec<_> = parts.iter().map(edn).collect();
            format!("[{}]", parts.join(" "))
        }
        Value::Object(parts) => {
            let key = |name: &str| {
                let is_plain = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '-';
                let is_word = !name.is_empty() && name.chars().all(is_plain);
                if is_word && !name.starts_with('-') { format!(":{name}") } else { string(name) }
            };
            let parts: Vec<_> =
                parts.iter().map(|(name, part)| format!("{} {}", key(name), edn(part))).collect();
            format!("{{{}}}", parts.join(", "))
        }
    }
}

/// A string. Readers agree on few escape sequences, so active characters are spelt out before.
fn string(text: &str) -> String {
    format!("\"{}\"", line(text).replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{edn, keyword};

    #[test]
    fn names_are_keywords_in_kebab_case() {
        let keywords = ["Invoke", "DeclareDown", "a.B c", "", "9lives", "cas", "é"].map(keyword);
        assert_eq!(
            keywords,
            [":invoke", ":declare-down", ":a-b-c", ":unnamed", ":n9lives", ":cas", ":unnamed"]
        );
    }

    #[test]
    fn json_is_written_as_edn() {
        let value = json!({ "key": [1, null, true, -2, 1.5, u64::MAX], "a b": "\"\n\u{202e}\\" });
        let expected =
            r#"{:key [1 nil true -2 1.5 18446744073709551615N], "a b" "\"\\n\\u{202e}\\"}"#;
        assert_eq!(edn(&value), expected);
    }
}
