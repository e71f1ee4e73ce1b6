//! Guards the plan of the house: folders import downwards only, and files run in no large circles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of a crate, floor by floor from the ground: each imports from below only.
type Plan = &'static [&'static [&'static str]];

const SIM_CORE: Plan = &[
    &["digest", "kind", "text"],
    &["id", "time"],
    &["rng"],
    &["process_set"],
    &["model"],
    &["adversary", "environment"],
    &["fault"],
    &["experiment", "outcome"],
    &["engine"],
    &["catalogue", "explore"],
    &["bench"],
    &["prelude"],
];
const FTSIM: Plan = &[
    &["audit", "files", "history", "prelude", "scenario"],
    &["cli"],
    &["journal"],
    &["run"],
    &["shrink"],
    &["explore"],
    &["stress", "sweep"],
    &["branch", "classify", "compare"],
    &["commands"],
];

/// Files that import each other in one circle, at most.
const CIRCLE_MAX: usize = 3;

/// For each module of a crate, the modules that it imports; a module is its path below the root.
type Imports = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// `{a, b::{c, d}}` behind a prefix, as single paths.
fn flat(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let Some((head, rest)) = tree.split_once('{') else {
        paths.push(format!("{prefix}{tree}"));
        return;
    };
    let inner = rest.strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut start) = (0, 0);
    for (place, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = inner[start..place].trim();
                if !part.is_empty() {
                    flat(&format!("{prefix}{head}"), part, paths);
                }
                start = place + 1;
            }
            _ => {}
        }
    }
}

/// The paths that a file imports, without what its tests need.
fn imported(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut paths = Vec::new();
    for part in code.split("\nuse ").skip(1).chain(code.split("\npub use ").skip(1)) {
        let tree = part.split(';').next().unwrap_or_default();
        let tree: String = tree.split_whitespace().collect::<Vec<_>>().join(" ");
        flat("", &tree, &mut paths);
    }
    // Paths that are written out, too.
    let written = code.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        format!("crate::{}", &rest[..end.unwrap_or(rest.len())])
    });
    paths.extend(written.filter(|path| !path.ends_with("::")));
    paths
}

fn imports(root: &str) -> Imports {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let mut files = Vec::new();
    sources(&root, &mut files);
    let module = |file: &Path| -> Vec<String> {
        let below = file.strip_prefix(&root).expect("below").with_extension("");
        let mut names: Vec<String> =
            below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if names.last().is_some_and(|name| name == "mod") {
            names.pop();
        }
        names
    };
    let modules: BTreeSet<Vec<String>> = files.iter().map(|file| module(file)).collect();
    let mut all = Imports::new();
    for file in &files {
        let me = module(file);
        if me == ["lib"] || me == ["main"] {
            continue;
        }
        let text = fs::read_to_string(file).expect("a readable file");
        let mine = all.entry(me.clone()).or_default();
        for path in imported(&text) {
            let mut names: Vec<String> = path.split("::").map(str::to_owned).collect();
            match names[0].as_str() {
                "crate" => drop(names.remove(0)),
                "super" => {
                    names.remove(0);
                    names.splice(0..0, me[..me.len() - 1].to_vec());
                }
                _ => continue,
            }
            while !names.is_empty() && !modules.contains(&names) {
                names.pop();
            }
            // A file of a folder may name what its mod.rs holds: that is the folder itself.
            if !names.is_empty() && !me.starts_with(&names) {
                mine.insert(names);
            }
        }
    }
    all
}

fn check(root: &str, plan: Plan) {
    let imports = imports(root);
    let floor = |room: &str| plan.iter().position(|floor| floor.contains(&room));
    for (module, used) in &imports {
        let mine = floor(&module[0]);
        assert!(mine.is_some(), "{root}/{} is in no plan", module.join("/"));
        for other in used.iter().filter(|other| other[0] != module[0]) {
            let (module, other_name) = (module.join("/"), other.join("/"));
            assert!(floor(&other[0]) < mine, "{root}/{module} imports {other_name}, not below it");
        }
    }
    for module in imports.keys() {
        let circle: Vec<String> = imports
            .keys()
            .filter(|other| reaches(&imports, module, other) && reaches(&imports, other, module))
            .map(|module| module.join("/"))
            .collect();
        assert!(circle.len() <= CIRCLE_MAX, "{root}: a circle of {}", circle.join(", "));
    }
}

fn reaches(imports: &Imports, from: &[String], to: &[String]) -> bool {
    let (mut seen, mut left) = (BTreeSet::new(), vec![from]);
    while let Some(module) = left.pop() {
        for next in imports.get(module).into_iter().flatten() {
            if next == to {
                return true;
            }
            if seen.insert(next) {
                left.push(next);
            }
        }
    }
    false
}

#[test]
fn rooms_of_the_engine_import_downwards() {
    check("sim-core/src", SIM_CORE);
}

#[test]
fn rooms_of_the_program_import_downwards() {
    check("src", FTSIM);
}

#[test]
fn imports_are_read_in_all_their_forms() {
    let text =
        "\nuse crate::a::{self, b::{C, D}, e};\nfn f() { crate::x::y(); }\n#[cfg(test)]\nuse z;";
    let expected = ["crate::a::self", "crate::a::b::C", "crate::a::b::D", "crate::a::e"];
    let mut found = imported(text);
    found.retain(|path| path != "crate::a::{");
    for path in expected {
        assert!(found.iter().any(|found| found == path), "{path} in {found:?}");
    }
    assert!(found.contains(&"crate::x::y".to_owned()) && !found.contains(&"z".to_owned()));
}
