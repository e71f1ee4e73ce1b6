//! The scenarios that come with ftsim, for tests that go through all of them.

use std::fs;
use std::path::{Path, PathBuf};

use ftsim::Catalogue;
use ftsim::scenario::Scenario;

/// The files of all scenarios, in the order of their names, whatever folders they are in.
pub fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "toml") {
                files.push(path);
            }
        }
    }
    files.sort_by_key(|path| path.file_name().map(std::ffi::OsStr::to_owned));
    files
}

/// The file of the scenario with this name.
pub fn file(name: &str) -> PathBuf {
    let found = files().into_iter().find(|path| path.file_stem().is_some_and(|stem| stem == name));
    found.unwrap_or_else(|| panic!("there is no scenario {name}"))
}

/// Every scenario, in the order of their names, without the `.toml`.
pub fn scenarios() -> Vec<(String, Scenario)> {
    let catalogue = Catalogue::builtin();
    let read = |path: &PathBuf| {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let text = fs::read_to_string(path).expect("a readable scenario");
        match Scenario::parse(name, &text, &catalogue) {
            Ok(scenario) => (name.to_owned(), scenario),
            Err(_) => panic!("{name} is refused"),
        }
    };
    files().iter().map(read).collect()
}
