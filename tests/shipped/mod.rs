//! The scenarios that come with ftsim, for tests that go through all of them.

use std::fs;
use std::path::Path;

use ftsim::Catalogue;
use ftsim::scenario::Scenario;

/// Every scenario, in the order of their names, without the `.toml`.
pub fn scenarios() -> Vec<(String, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let entries = fs::read_dir(folder).expect("a readable folder");
    let mut files: Vec<_> = entries.map(|e| e.expect("a readable entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    let catalogue = Catalogue::builtin();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let text = fs::read_to_string(path).expect("a readable scenario");
        match Scenario::parse(name, &text, &catalogue) {
            Ok(scenario) => (name.to_owned(), scenario),
            Err(_) => panic!("{name} is refused"),
        }
    };
    files.iter().map(read).collect()
}
