//! What a sweep and a merge may replace and remove.

use std::fs;
use std::path::Path;

use super::{everything, folder, names, status};

const SWEEP: &str = "sweep x.toml --seeds 0..100 --shrink off --out out";

/// Puts a file there, with the folders above it.
fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}

#[test]
fn a_sweep_removes_nothing_that_no_sweep_has_written() {
    let folder = folder("foreign");
    let cases = [
        ("x/thesis.tex", "years of work"),
        ("x.old/thesis.tex", "years of work"),
        ("x.part/thesis.tex", "years of work"),
        ("x/results.jsonl", "{\"measured\": 1}\n"),
        ("x/results.jsonl", "temperatures, without an end of line"),
        ("x.part/summary.json", "{}"),
        ("x.old/repros/seed-1.toml", "protocol = \"beb\"\n"),
        ("x", "a file"),
        ("x.old", "a file"),
        ("x.part", "a file"),
        ("latest", "a file"),
        ("latest/thesis.tex", "years of work"),
        (".x.lock", "a file"),
    ];
    for (path, text) in cases {
        for command in [SWEEP.to_owned(), format!("{SWEEP} --resume")] {
            put(&folder.join("out").join(path), text);
            let before = everything(&folder.join("out"));
            let told = status(&folder, 2, &command);
            let (entry, _) = path.split_once('/').unwrap_or((path, ""));
            let wanted = format!("error: out/{entry} is in the way and is left untouched: ");
            assert!(told.contains(&wanted), "{path}: {told}");
            assert_eq!(everything(&folder.join("out")), before, "{path}");
            fs::remove_dir_all(folder.join("out")).expect("a folder of ours");
        }
    }
}

#[test]
fn what_somebody_has_put_among_the_results_is_kept() {
    let folder = folder("among");
    for path in ["x/notes.txt", "x/repros/notes.txt", "x/repros/more/seed-1.toml"] {
        status(&folder, 0, SWEEP);
        put(&folder.join("out").join(path), "what I think of seed 17");
        let before = everything(&folder.join("out"));
        let told = status(&folder, 2, SWEEP);
        assert!(told.contains("out/x is in the way"), "{told}");
        assert_eq!(everything(&folder.join("out")), before, "{path}");
        fs::remove_dir_all(folder.join("out")).expect("a folder of ours");
    }
}

#[test]
fn the_results_of_another_scenario_are_kept() {
    let folder = folder("other");
    status(&folder, 0, SWEEP);
    for name in ["y", "y.old", "y.part"] {
        fs::copy(folder.join("x.toml"), folder.join("y.toml")).expect("a copy");
        fs::rename(folder.join("out/x"), folder.join("out").join(name)).expect("our folder");
        let before = everything(&folder.join("out"));
        let told = status(&folder, 2, &SWEEP.replace("x.toml", "y.toml"));
        assert!(told.contains("it contains the results of \"x\""), "{told}");
        assert_eq!(everything(&folder.join("out")), before);
        fs::rename(folder.join("out").join(name), folder.join("out/x")).expect("our folder");
    }
    // Names that would be those of other sweeps' folders are none.
    for name in ["x.part", "x.old", "latest"] {
        fs::copy(folder.join("x.toml"), folder.join(format!("{name}.toml"))).expect("a copy");
        let told = status(&folder, 2, &format!("sweep {name}.toml --seeds 0..50 --out other"));
        assert!(told.contains("a results folder cannot be called"), "{told}");
        assert!(!folder.join("other").exists());
    }
}

#[test]
fn nothing_is_run_before_all_scenarios_are_found_to_have_a_place() {
    let folder = folder("second");
    fs::copy(folder.join("x.toml"), folder.join("y.toml")).expect("a copy");
    put(&folder.join("out/y/thesis.tex"), "years of work");
    let before = everything(&folder.join("out"));
    status(&folder, 2, &SWEEP.replace("x.toml", "x.toml y.toml"));
    assert_eq!(everything(&folder.join("out")), before);
}

#[test]
fn sweeps_finished_and_interrupted_at_any_place_are_replaced() {
    let folder = folder("replaced");
    let out = folder.join("out");
    status(&folder, 0, SWEEP);
    let whole = everything(&out);
    assert_eq!(names(&out), ["latest", "x"]);
    status(&folder, 0, SWEEP);
    assert_eq!(everything(&out), whole);
    let copy = |to: &str, only: &[&str]| {
        fs::create_dir_all(out.join(to)).expect("a folder");
        for name in only {
            fs::copy(out.join("x").join(name), out.join(to).join(name)).expect("a copy");
        }
    };
    // What a kill can leave: while it begins, runs, removes, and between the two renames.
    let ways: [&dyn Fn(); 7] = [
        &|| copy("x.part", &[]),
        &|| fs::write(out.join(".x.lock"), "").expect("a file"),
        &|| {
            copy("x.part", &[]);
            fs::write(out.join("x.part/results.jsonl"), "").expect("a file");
        },
        &|| copy("x.part", &["results.jsonl"]),
        &|| copy("x.part", &["results.jsonl", "scenario.toml", "summary.json"]),
        &|| copy("x.old", &["results.jsonl"]),
        &|| {
            copy("x.part", &["results.jsonl", "scenario.toml", "summary.json"]);
            fs::rename(out.join("x"), out.join("x.old")).expect("our folder");
        },
    ];
    for (index, kill) in ways.iter().enumerate() {
        for resume in ["", " --resume"] {
            kill();
            status(&folder, 0, &format!("{SWEEP}{resume}"));
            assert_eq!(everything(&out), whole, "way {index}{resume}");
        }
    }
    // A sweep that fails between the renames leaves the old one under its name.
    fs::rename(out.join("x"), out.join("x.old")).expect("our folder");
    status(&folder, 2, &SWEEP.replace("0..100", "0..150").replace("--out", "--resume --out"));
    assert_eq!(everything(&out), whole);
}

/// The shard's folder with its header's scenario called like this.
fn with_name(folder: &Path, name: &str) {
    let results = folder.join("out/x/results.jsonl");
    let text = fs::read_to_string(folder.join("results.jsonl")).expect("results");
    let changed = text.replacen("\"scenario\":\"x\"", &format!("\"scenario\":{name}"), 1);
    assert_ne!(changed, text);
    fs::write(results, changed).expect("a file");
}

#[test]
fn merge_follows_no_name_out_of_its_folder() {
    let folder = folder("names");
    status(&folder, 0, SWEEP);
    fs::copy(folder.join("out/x/results.jsonl"), folder.join("results.jsonl")).expect("a copy");
    put(&folder.join("victim/thesis.tex"), "years of work");
    put(&folder.join("merged/victim/thesis.tex"), "years of work");
    let absolute = folder.join("victim").display().to_string();
    let absolute = serde_json::to_string(&absolute).expect("plain text");
    let bad = [
        r#""../victim""#,
        r#""..""#,
        r#"".""#,
        r#""""#,
        r#""a/../../victim""#,
        r#""..\\victim""#,
        r#""x\u001b[2J""#,
        r#""x\u0000""#,
        r#""latest""#,
        r#""x.part""#,
        r#""x.old""#,
        &absolute,
    ];
    for name in bad {
        with_name(&folder, name);
        let before = everything(&folder);
        let told = status(&folder, 2, "merge out --out merged");
        assert!(told.contains("out/x/results.jsonl:1: no scenario can be called "), "{told}");
        assert!(!told.contains(['\u{1b}', '\0']), "{told:?}");
        assert_eq!(everything(&folder), before, "{name}");
    }
    // A name that is plain, and whose folder is somebody's, is refused as well.
    with_name(&folder, r#""victim""#);
    let before = everything(&folder);
    let told = status(&folder, 2, "merge out --out merged");
    assert!(told.contains("merged/victim is in the way"), "{told}");
    assert_eq!(everything(&folder), before);
}

#[test]
fn no_name_of_a_property_leads_out_of_the_folder() {
    let folder = folder("properties");
    status(&folder, 0, SWEEP);
    let results = folder.join("out/x/results.jsonl");
    let text = fs::read_to_string(&results).expect("results");
    let line = text.lines().position(|line| line.starts_with("{\"failing\"")).expect("a failure");
    for property in ["../../victim", "/tmp/victim", "rb.agreement/../..", "rb.validity2"] {
        let changed =
            text.replace("\"property\":\"rb.agreement\"", &format!("\"property\":\"{property}\""));
        fs::write(&results, changed).expect("a file");
        let told = status(&folder, 2, "merge out --out merged");
        let wanted = format!("out/x/results.jsonl:{}: the scenario does not check", line + 1);
        assert!(told.contains(&wanted), "{told}");
        let told = status(&folder, 2, &format!("{SWEEP} --resume"));
        assert!(told.contains(&wanted), "{told}");
    }
    assert_eq!(names(&folder), ["out", "x.toml"]);
}
