//! The states of processes, as the changes that steps make.

use std::collections::BTreeMap;

use ftsim_core::ProcessId;

use super::DiagramStep;
use super::texts::{TextId, Texts};

/// The state of a process after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateAfter {
    /// The number of the step, as in traces.
    pub step: u64,
    /// The process.
    pub process: ProcessId,
    /// Its state, as `Debug` shows it on one line.
    pub state: String,
}

/// The new value of a field of a process's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change(
    /// The field.
    pub TextId,
    /// Its value.
    pub TextId,
);

/// Notes in each step what it changed: in the first step of a process, its whole state.
pub fn changes(
    steps: &mut [DiagramStep],
    states: &[StateAfter],
    lane_count: usize,
    texts: &mut Texts,
) {
    let mut latest: Vec<Vec<(String, String)>> = vec![Vec::new(); lane_count];
    let after_step = states.iter().map(|after| ((after.step, after.process.0), &after.state));
    let after_step: BTreeMap<(u64, u32), &String> = after_step.collect();
    for step in steps {
        let Some(lane) = step.lane else { continue };
        // All processes have started when the states are looked at for the first time.
        let first = || states.iter().find(|after| after.process.0 == lane);
        let first = step.before.is_none().then(first).flatten().map(|after| &after.state);
        let state = after_step.get(&(step.last, lane)).copied().or(first);
        let (Some(state), Some(before)) = (state, latest.get_mut(lane as usize)) else { continue };
        let after = fields(state);
        let changed = after.iter().filter(|field| !before.contains(field));
        let changed = changed.map(|(name, value)| Change(texts.intern(name), texts.intern(value)));
        step.state = changed.collect();
        *before = after;
    }
}

/// The fields of a value as `Debug` shows it, `Name { a: 1, b: [2, 3] }`, and their values; what
/// has no named fields is one field without a name.
fn fields(text: &str) -> Vec<(String, String)> {
    let text = unwrapped(text);
    let whole = || vec![(String::new(), text.to_owned())];
    let Some((_, inner)) = text.split_once(" { ") else { return whole() };
    let Some(inner) = inner.strip_suffix(" }") else { return whole() };
    let fields = parts(inner).into_iter().map(|part| {
        let (name, value) = part.split_once(": ")?;
        Some((name.to_owned(), value.to_owned()))
    });
    fields.collect::<Option<Vec<_>>>().unwrap_or_else(whole)
}

/// What is within `Server(…)`, `Some(Server(…))` and the like, if it has named fields.
fn unwrapped(text: &str) -> &str {
    let within = text.split_once('(').and_then(|(name, rest)| {
        let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
        rest.strip_suffix(')').filter(|inner| is_name && parts(inner).len() == 1)
    });
    match within.map(unwrapped) {
        Some(inner) if inner.ends_with('}') => inner,
        _ => text,
    }
}

/// The parts between the commas of the outermost level.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0usize);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::fields;

    #[test]
    fn fields_are_told_apart_at_the_outermost_commas() {
        let text = r#"Server { name: "a, {b", log: [(1, 2), (3, 4)], next: Some(X { y: 1 }) }"#;
        let told = fields(text);
        let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["name", "log", "next"]);
        assert_eq!(told[0].1, r#""a, {b""#);
        assert_eq!(told[1].1, "[(1, 2), (3, 4)]");
        assert_eq!(told[2].1, "Some(X { y: 1 })");
    }

    #[test]
    fn wrappers_are_taken_off() {
        let field = [("a".to_owned(), "1".to_owned())];
        assert_eq!(fields("Server(Server { a: 1 })"), field);
        assert_eq!(fields("Some(Process(Server { a: 1 }))"), field);
    }

    #[test]
    fn what_has_no_named_fields_is_one_field() {
        for text in ["Idle", "Round(3)", "{1: 2}", ""] {
            assert_eq!(fields(text), [(String::new(), text.to_owned())]);
        }
    }
}
