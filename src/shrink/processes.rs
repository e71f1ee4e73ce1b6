//! Removes processes; the ids of those after a removed one move down.

use ftsim_core::environment::message_rule::MessageRule;
use ftsim_core::{ProcessId, Setting};
use toml::{Table, Value};

use super::case::Case;
use super::faults::attempt_sooner;
use super::shrinker::Shrinker;

/// The maximum number of processes for which pairs are tried.
const PAIRS_UP_TO: u32 = 9;

/// Removes as many processes as possible, larger blocks first.
pub fn fewer_processes(shrinker: &mut Shrinker<'_>) -> bool {
    let mut fewer = false;
    let mut block = shrinker.scenario().experiment.setting.n / 2;
    while block > 0 && !shrinker.is_over() {
        let (base, setting) = (shrinker.best.clone(), shrinker.scenario().experiment.setting);
        let blocks = || blocks(setting.n, block);
        let cases = || blocks().filter_map(|out| without_all(&base, &setting, &out));
        if shrinker.attempt_any(cases()) || attempt_sooner(shrinker, cases()) {
            fewer = true;
        } else {
            block /= 2;
        }
    }
    let (base, setting) = (shrinker.best.clone(), shrinker.scenario().experiment.setting);
    let n = setting.n;
    if n <= PAIRS_UP_TO {
        let pairs = (0..n).rev().flat_map(|p| (0..p).rev().map(move |q| vec![p, q]));
        fewer |= shrinker.attempt_any(pairs.filter_map(|pair| without_all(&base, &setting, &pair)));
    }
    fewer
}

/// The blocks of this size among `n` processes; highest ids first, also within a block.
fn blocks(n: u32, block: u32) -> impl Iterator<Item = Vec<u32>> {
    let ends = (block..=n).rev();
    ends.map(move |end| (end - block..end).rev().collect())
}

/// The case without these processes, highest ids first.
fn without_all(base: &Case, setting: &Setting, processes: &[u32]) -> Option<Case> {
    let mut counts: Vec<(String, u32)> = setting.roles.clone();
    let mut case = base.clone();
    for p in processes {
        case = without(&case, &mut counts, ProcessId(*p))?;
    }
    Some(case)
}

/// A case without this process; `roles` has the number of processes in each role, in the order of
/// their ids. `None` if it is the last process.
pub fn without(case: &Case, roles: &mut [(String, u32)], out: ProcessId) -> Option<Case> {
    let mut first = 0;
    let role = roles.iter_mut().find(|(_, count)| {
        first += count;
        out.0 < first
    })?;
    role.1 = role.1.checked_sub(1)?;
    let mut table = Table::new();
    for (key, value) in &case.table {
        let value = match (key.as_str(), value) {
            ("processes", _) => Some(processes(value, roles)?),
            // In a section, only the parts about the process are removed.
            (_, Value::Table(section)) => {
                let kept = section.iter().filter_map(|(k, v)| Some((k.clone(), renamed(v, out)?)));
                Some(Value::Table(kept.collect()))
            }
            // Names and sentences stay.
            (_, Value::String(text)) => Some(Value::String(text.clone())),
            (_, value) => renamed(value, out),
        };
        table.extend(value.map(|value| (key.clone(), value)));
    }
    let messages = case.messages.iter().filter_map(|rule| renamed_message(rule, out)).collect();
    Some(Case { table, messages, seed: case.seed })
}

fn processes(written: &Value, roles: &[(String, u32)]) -> Option<Value> {
    let total: u32 = roles.iter().map(|(_, count)| count).sum();
    if total == 0 {
        return None;
    }
    Some(match written {
        Value::Table(_) => {
            let counts = roles.iter().map(|(role, n)| (role.clone(), Value::from(i64::from(*n))));
            Value::Table(counts.collect())
        }
        _ => Value::from(i64::from(total)),
    })
}

/// A value adapted to the removal of the process; `None` if it is only about that process.
fn renamed(value: &Value, out: ProcessId) -> Option<Value> {
    match value {
        Value::String(text) => renamed_text(text, out).map(Value::String),
        Value::Array(list) => {
            let kept: Vec<Value> = list.iter().filter_map(|v| renamed(v, out)).collect();
            (list.is_empty() || !kept.is_empty()).then_some(Value::Array(kept))
        }
        Value::Table(table) => {
            let renamed =
                |(key, value): (&String, &Value)| Some((key.clone(), renamed(value, out)?));
            table.iter().map(renamed).collect::<Option<Table>>().map(Value::Table)
        }
        other => Some(other.clone()),
    }
}

fn renamed_text(text: &str, out: ProcessId) -> Option<String> {
    if let Some((from, to)) = text.split_once("->") {
        let (from, to) = (renamed_text(from.trim(), out)?, renamed_text(to.trim(), out)?);
        return Some(format!("{from} -> {to}"));
    }
    let number = text.strip_prefix('p').and_then(|number| number.parse().ok());
    number.map_or_else(|| Some(text.to_owned()), |p| Some(moved(ProcessId(p), out)?.to_string()))
}

fn renamed_message(rule: &MessageRule, out: ProcessId) -> Option<MessageRule> {
    let (from, to) = (moved(rule.from, out)?, moved(rule.to, out)?);
    Some(MessageRule { from, to, ..rule.clone() })
}

/// The id of a process after the removal of another.
fn moved(p: ProcessId, out: ProcessId) -> Option<ProcessId> {
    (p != out).then(|| if p > out { ProcessId(p.0 - 1) } else { p })
}
