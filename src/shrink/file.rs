//! Writes a case as a readable file.

use std::fmt::Write as _;

use ftsim_core::environment::message_rule::{Content, Fate, MessageRule};
use ftsim_core::environment::request_override::RequestOverride;
use serde_json::Value as Json;
use toml::{Table, Value};

/// The order of keys and sections; all others come at the end.
const ORDER: [&str; 20] = [
    "protocol",
    "summary",
    "reference",
    "check",
    "processes",
    "fate_sharing",
    "params",
    "network",
    "clocks",
    "detector",
    "storage",
    "workload",
    "fault",
    "message",
    "request",
    "mask",
    "random",
    "liveness",
    "run",
    "expect",
];

/// The text of the file: remarks, the scenario, its messages.
pub fn text(remarks: &[String], table: &Table, messages: &[MessageRule]) -> String {
    let mut table = table.clone();
    if !messages.is_empty() {
        let messages = messages.iter().filter_map(message).map(Value::Table).collect();
        table.insert("message".to_owned(), Value::Array(messages));
    }
    let remark = |remark: &String| format!("# {}\n", ftsim_reports::line(remark));
    let mut text: String = remarks.iter().map(remark).collect();
    let place = |key: &str| ORDER.iter().position(|known| *known == key).unwrap_or(ORDER.len());
    let mut entries: Vec<(&String, &Value)> = table.iter().collect();
    entries.sort_by_key(|(key, _)| place(key));
    let is_plain = |value: &Value| !value.is_table() && !is_list_of_tables(value);
    let (plain, sections): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(_, v)| is_plain(v));
    if !remarks.is_empty() {
        text.push('\n');
    }
    block(&mut text, plain);
    for (key, value) in sections {
        section(&mut text, key, value);
    }
    text
}

fn is_list_of_tables(value: &Value) -> bool {
    value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_table))
}

fn section(text: &mut String, key: &str, value: &Value) {
    if let Some(list) = value.as_array() {
        for table in list.iter().filter_map(Value::as_table) {
            let _ = writeln!(text, "\n[[{key}]]");
            block(text, table);
        }
    }
    let Some(table) = value.as_table() else { return };
    // Special links have a header each.
    let is_own = |(name, value): &(&String, &Value)| {
        key == "network" && *name == "link" && is_list_of_tables(value)
    };
    let (own, plain): (Vec<_>, Vec<_>) = table.iter().partition(is_own);
    if !plain.is_empty() || own.is_empty() {
        let _ = writeln!(text, "\n[{key}]");
        block(text, plain);
    }
    for (name, value) in own {
        section(text, &format!("{key}.{name}"), value);
    }
}

/// Keys and values with aligned equals signs.
fn block<'v>(text: &mut String, entries: impl IntoIterator<Item = (&'v String, &'v Value)>) {
    let entries: Vec<_> = entries.into_iter().collect();
    let width = entries.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    for (key, value) in entries {
        let _ = writeln!(text, "{key:width$} = {value}");
    }
}

/// One `[[message]]`; `None` if a file cannot express it.
fn message(rule: &MessageRule) -> Option<Table> {
    let MessageRule { from, to, kind, nth, fate } = rule;
    let mut table = Table::new();
    let mut put = |key: &str, value: Value| drop(table.insert(key.to_owned(), value));
    put("link", format!("{from} -> {to}").into());
    if let Some(kind) = kind {
        put("kind", kind.as_str().into());
    }
    if *nth != 1 {
        put("nth", i64::try_from(*nth).ok()?.into());
    }
    match fate {
        Fate::Drop(_) => put("drop", true.into()),
        Fate::Arrive(arrival) => {
            arrival.after.iter().for_each(|after| put("delay", after.to_string().into()));
            arrival.copy_after.iter().for_each(|after| put("duplicate", after.to_string().into()));
            match &arrival.content {
                Some(Content::Garbled) => put("corrupt", true.into()),
                Some(Content::Replaced(json)) => put("replace", form(json)?),
                None => {}
            }
        }
    }
    Some(table)
}

/// One `[[request]]`; `None` if a file cannot express it.
pub fn request(rule: &RequestOverride) -> Option<Value> {
    let RequestOverride { process, nth, after, replace } = rule;
    let mut table = Table::new();
    let mut put = |key: &str, value: Value| drop(table.insert(key.to_owned(), value));
    put("process", process.to_string().into());
    if *nth != 1 {
        put("nth", i64::try_from(*nth).ok()?.into());
    }
    after.iter().for_each(|after| put("after", after.to_string().into()));
    if let Some(request) = replace {
        put("replace", form(request)?);
    }
    Some(Value::Table(table))
}

/// JSON as TOML; `None` if TOML cannot express it: null, and numbers beyond 63 bits.
pub fn form(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(b) => Value::Boolean(*b),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Value::Integer(integer),
            None if number.is_f64() => Value::Float(number.as_f64()?),
            None => return None,
        },
        Json::String(text) => Value::String(text.clone()),
        Json::Array(list) => Value::Array(list.iter().map(form).collect::<Option<_>>()?),
        Json::Object(object) => {
            let pairs = object.iter().map(|(key, value)| Some((key.clone(), form(value)?)));
            Value::Table(pairs.collect::<Option<Table>>()?)
        }
    })
}
