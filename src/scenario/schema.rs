//! `ftsim schema`: what an editor needs to know of scenario files.

use crate::scenario::file::ScenarioFile;

/// The JSON schema of scenario files, without an end of line.
pub fn text() -> String {
    let schema = schemars::schema_for!(ScenarioFile);
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}
