//! Scenario files, read.

use std::io;
use std::path::PathBuf;

use ftsim_protocols::Catalogue;

use super::console::tell;
use crate::scenario::Scenario;
use crate::scenario::diagnostic::Diagnostic;

/// Reads scenario files, and tells what is wrong with those that cannot be used; true if any.
pub(crate) fn load_all(paths: &[PathBuf], catalogue: &Catalogue) -> (Vec<Scenario>, bool) {
    let mut scenarios = Vec::new();
    let mut bad_input = false;
    for path in paths {
        match load(path, catalogue) {
            Ok(scenario) => scenarios.push(scenario),
            Err(diagnostics) => {
                bad_input = true;
                tell(&diagnostics);
            }
        }
    }
    (scenarios, bad_input)
}

/// Reads a scenario file.
pub(crate) fn load(
    path: &std::path::Path,
    catalogue: &Catalogue,
) -> Result<Scenario, Vec<Diagnostic>> {
    let name = path.display().to_string();
    let wrong = |message: String| vec![Diagnostic::of_file(&name, message)];
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if name.contains(['*', '?']) => wrong("no file matches".into()),
        io::ErrorKind::NotFound => wrong("there is no such file".into()),
        io::ErrorKind::IsADirectory => wrong("this is a directory".into()),
        _ => wrong(format!("cannot be read: {error}")),
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        wrong(format!("not UTF-8 from byte {at} on"))
    })?;
    Scenario::parse(&name, &text, catalogue)
}
