//! `KEY=VALUE` on the command line, and protocols that are named there.

use ftsim_protocols::Catalogue;
use ftsim_reports::program;
use serde_json::Value;

use crate::scenario::diagnostic::did_you_mean;

/// The key and the value of an assignment; the value is TOML, or else a text that needs no quotes.
///
/// # Errors
/// What the text is not.
pub(super) fn assignment(text: &str) -> Result<(&str, Value), String> {
    let Some((key, value)) = text.split_once('=') else {
        return Err(format!("{text}: expected KEY=VALUE, such as patience=100ms"));
    };
    let table = format!("value = {value}").parse::<toml::Table>().ok();
    let parsed = table.and_then(|table| serde_json::to_value(&table["value"]).ok());
    Ok((key, parsed.unwrap_or_else(|| value.into())))
}

/// The error about a protocol that there is not.
pub(super) fn no_protocol(name: &str, catalogue: &Catalogue) -> String {
    let names = catalogue.entries().iter().map(|entry| entry.name);
    let help = did_you_mean(name, names);
    let help = help.unwrap_or_else(|| format!("`{} list` shows them all", program()));
    format!("unknown protocol `{name}`\nhelp: {help}")
}
