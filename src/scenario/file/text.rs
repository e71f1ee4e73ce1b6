//! A scenario file as readable text.

use std::fmt::Write as _;

use toml::ser::Error;
use toml::{Table, Value};

use super::ScenarioFile;

impl ScenarioFile {
    /// The text of the file, after these remarks.
    ///
    /// # Errors
    /// If TOML cannot express it: a null, or a number beyond 63 bits.
    pub fn text(&self, remarks: &[String]) -> Result<String, Error> {
        let table = Table::try_from(self)?;
        let remark = |remark: &String| format!("# {}\n", ftsim_reports::line(remark));
        let mut text: String = remarks.iter().map(remark).collect();
        let is_plain = |value: &Value| !value.is_table() && !is_list_of_tables(value);
        let (plain, sections): (Vec<_>, Vec<_>) = table.iter().partition(|(_, v)| is_plain(v));
        if !remarks.is_empty() {
            text.push('\n');
        }
        block(&mut text, plain);
        for (key, value) in sections {
            section(&mut text, key, value);
        }
        Ok(text)
    }
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
