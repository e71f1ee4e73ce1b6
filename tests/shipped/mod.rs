//! The scenarios that come with ftsim, for tests that go through all of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// What `of` makes of each item, in order; computed by a thread for each processor.
pub fn in_parallel<T: Sync, R: Send>(items: &[T], of: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    let made = of(item);
                    done.lock().expect("no poison").push((index, made));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no poison");
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, made)| made).collect()
}
