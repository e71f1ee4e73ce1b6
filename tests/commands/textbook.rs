//! `ftsim list --html`: the catalogue as pages.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ftsim::Catalogue;

fn ftsim(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
    command.output().expect("ftsim starts")
}

/// A folder for this test that does not exist yet.
fn fresh(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    folder
}

/// All files below a folder with their texts, by their paths from there.
fn texts(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for part in ["", "runs"] {
        for entry in fs::read_dir(folder.join(part)).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                let name = path.strip_prefix(folder).expect("below").display().to_string();
                found.insert(name, fs::read_to_string(&path).expect("a page"));
            }
        }
    }
    found
}

fn pages(folder: &Path, scenarios: &[&str]) -> BTreeMap<String, String> {
    let out = folder.display().to_string();
    let done = ftsim(&[&["list", "--html", &out], scenarios].concat());
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    texts(folder)
}

#[test]
fn every_protocol_has_a_page_with_its_mutants_and_every_link_leads_somewhere() {
    let folder = fresh("textbook");
    let scenarios =
        ["scenarios/broadcast", "scenarios/order", "scenarios/lamport-tom-traffic.toml"];
    let pages_written = pages(&folder, &scenarios);
    for entry in Catalogue::builtin().entries() {
        let page = &pages_written[&format!("{}.html", entry.name)];
        for part in entry.properties.iter().map(|p| p.id.0).chain([entry.name]) {
            assert!(page.contains(part), "{part} is not on the page of {}", entry.name);
        }
        for mutant in entry.mutants {
            assert!(page.contains(&format!("{}/{}", entry.name, mutant.name)), "{}", mutant.name);
        }
        assert!(pages_written["index.html"].contains(&format!("href=\"{}.html\"", entry.name)));
    }
    for (name, page) in pages_written.iter().filter(|(name, _)| !name.starts_with("runs")) {
        for link in page.split("href=\"").skip(1) {
            let link = link.split('"').next().unwrap_or_default();
            assert!(pages_written.contains_key(link), "{name} has a link to {link}");
        }
        assert!(!page.contains("<script"), "{name} runs something");
    }
    let tom = &pages_written["lamport-tom.html"];
    // A run that goes well, and one for each of four mutants.
    assert_eq!(tom.matches("<figure>").count(), 5, "{tom}");
    assert!(tom.contains("runs/lamport-tom-no-tiebreak.html"));
    assert_eq!(pages_written, pages(&folder, &scenarios), "they can be written again, the same");
}

#[test]
fn a_folder_with_something_else_in_it_is_left_alone() {
    let folder = fresh("textbook-not");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("index.html"), "mine").expect("a file");
    let out = folder.display().to_string();
    let refused = ftsim(&["list", "--html", &out, "scenarios/order"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert_eq!(fs::read_to_string(folder.join("index.html")).expect("a file"), "mine");
    assert_eq!(ftsim(&["list", "scenarios/order"]).status.code(), Some(2));
    let folder = fresh("textbook-bad").display().to_string();
    assert_eq!(ftsim(&["list", "--html", &folder, "README.md"]).status.code(), Some(2));
}

#[test]
fn what_a_scenario_says_is_no_markup() {
    let folder = fresh("textbook-hostile");
    let scenario = folder.with_extension("toml");
    let text = "protocol = \"beb\"\nprocesses = 2\nsummary = '</td><script>alert(1)</script>'\n\
                [run]\nhorizon = \"1s\"\n";
    fs::write(&scenario, text).expect("a file");
    let written = pages(&folder, &[&scenario.display().to_string()]);
    assert!(written["beb.html"].contains("&lt;/td&gt;&lt;script&gt;"));
    assert!(!written["beb.html"].contains("<script"));
}
