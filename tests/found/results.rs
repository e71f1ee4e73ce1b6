//! Defects of folders and files of results.

mod at_once;
mod damage;
mod folders;
mod words;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A mutant with drawn crashes: some seeds violate agreement, as expected.
const MUTANT: &str = r#"
protocol = "beb"
processes = 4
check = ["rb.agreement"]
params = { mutant = "as-rb" }
random = { max_faulty = 2, crash = { count = "0..2", between = "0ms..20ms" } }
expect = { violated = ["rb.agreement"] }
"#;

/// A folder of the test's own, with the scenario in it.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("found-results").join(test);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("a folder of ours");
    }
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("x.toml"), MUTANT).expect("a file");
    folder
}

fn program(folder: &Path, args: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    command.env_remove("GITHUB_ACTIONS").current_dir(folder).args(args.split_whitespace());
    command
}

fn start(folder: &Path, args: &str) -> Child {
    let mut command = program(folder, args);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("ftsim starts")
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

/// What it says of itself, on either stream.
fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Runs ftsim, and insists on its exit status.
fn status(folder: &Path, status: i32, args: &str) -> String {
    let output = program(folder, args).output().expect("ftsim starts");
    let told = told(&output);
    assert_eq!(code(&output), Some(status), "{args}\n{told}");
    told
}

/// Everything under a folder, by path: the bytes of files, where links lead, and empty folders.
fn everything(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        let there = fs::symlink_metadata(&path).expect("it is there");
        let content = if there.is_symlink() {
            fs::read_link(&path).expect("a link").into_os_string().into_encoded_bytes()
        } else if there.is_dir() {
            let entries = fs::read_dir(&path).expect("a readable folder");
            left.extend(entries.map(|entry| entry.expect("a readable entry").path()));
            Vec::new()
        } else {
            fs::read(&path).expect("a readable file")
        };
        all.insert(path.strip_prefix(folder).expect("below").to_owned(), content);
    }
    all
}

/// The names of what is in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a readable folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
