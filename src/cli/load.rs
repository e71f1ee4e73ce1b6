//! Loads scenario files.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use ftsim_protocols::Catalogue;

use super::console::tell;
use crate::scenario::Scenario;
use crate::scenario::diagnostic::Diagnostic;

/// The folder of regression seeds, beside the scenarios.
pub const REGRESSIONS: &str = "regressions";

/// Loads scenario files and reports errors in the unusable ones; true if there are any.
pub(crate) fn load_all(paths: &[PathBuf], catalogue: &Catalogue) -> (Vec<Scenario>, bool) {
    let mut scenarios = Vec::new();
    let mut bad_input = false;
    for path in scenario_files(paths) {
        match load(&path, catalogue) {
            Ok(scenario) => scenarios.push(scenario),
            Err(diagnostics) => {
                bad_input = true;
                tell(&diagnostics);
            }
        }
    }
    (scenarios, bad_input)
}

/// The files that the paths denote: a folder denotes all files below it that end in `.toml`, sorted
/// by name, without those of regression seeds. A folder without such files denotes itself.
pub(crate) fn scenario_files(paths: &[PathBuf]) -> Vec<PathBuf> {
    let files = |path: &PathBuf| {
        let mut files = Vec::new();
        gather(path, &mut files);
        if files.is_empty() { vec![path.clone()] } else { files }
    };
    paths.iter().flat_map(files).collect()
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        // Reading it as a file reports the reason.
        if folder.is_dir() {
            files.push(folder.to_owned());
        }
        return;
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let is_link = path.is_symlink();
        if path.is_dir() && !is_link && path.file_name() != Some(OsStr::new(REGRESSIONS)) {
            gather(&path, files);
        } else if path.extension() == Some(OsStr::new("toml")) && path.is_file() {
            files.push(path);
        }
    }
}

/// Whether one of the entries of a folder can be a scenario file.
fn has_scenario(mut entries: fs::ReadDir) -> bool {
    entries
        .any(|entry| entry.is_ok_and(|entry| entry.path().extension() == Some(OsStr::new("toml"))))
}

/// Loads a scenario file.
pub(crate) fn load(path: &Path, catalogue: &Catalogue) -> Result<Scenario, Vec<Diagnostic>> {
    let name = path.display().to_string();
    let wrong = |message: String| vec![Diagnostic::of_file(&name, message)];
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if name.contains(['*', '?']) => wrong("no file matches".into()),
        io::ErrorKind::NotFound => wrong("there is no such file".into()),
        io::ErrorKind::IsADirectory => wrong(match fs::read_dir(path).map(has_scenario) {
            Ok(true) => "this is a folder: name one scenario file".into(),
            Ok(false) => "no file in this folder ends in `.toml`".into(),
            Err(error) => format!("this folder cannot be read: {error}"),
        }),
        _ => wrong(format!("cannot be read: {error}")),
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        wrong(format!("not UTF-8 from byte {at} on"))
    })?;
    Scenario::parse(&name, &text, catalogue)
}
