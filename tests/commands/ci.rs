//! Guards what a sweep leaves for CI services and for the next sweep: JUnit, GitHub's annotations
//! and summary, seeds that once failed, the exit status.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use expect_test::{expect, expect_file};

/// Agreement is violated, and nobody expects it.
const BREAKS: &str = r#"
protocol = "beb"
processes = 3
check = ["rb.agreement"]
[random]
max_faulty = 1
crash = { count = "0..1", between = "0ms..9ms" }
[run]
horizon = "1s"
"#;

fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sweep-ci").join(test);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("a folder of ours");
    }
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("x.toml"), BREAKS).expect("a file");
    folder
}

fn ftsim(folder: &Path, args: &str, environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    command.env_remove("GITHUB_ACTIONS").envs(environment.iter().copied());
    command.current_dir(folder).args(args.split_whitespace()).output().expect("ftsim starts")
}

/// Runs ftsim, and insists on its exit status.
fn status(folder: &Path, status: i32, args: &str) -> String {
    let output = ftsim(folder, args, &[]);
    let out = String::from_utf8(output.stdout).expect("UTF-8");
    let err = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(status), "{args}\n{out}\n{err}");
    format!("{out}{err}")
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).expect("a readable file")
}

#[test]
fn junit_has_a_case_for_each_property_and_each_example_of_a_failure() {
    let folder = folder("junit");
    status(&folder, 1, "sweep x.toml --seeds 0..100 --out out --junit junit.xml");
    expect_file!["../golden/sweep-junit.xml"].assert_eq(&read(&folder, "junit.xml"));
    // Shards and a merge leave the same.
    status(&folder, 1, "sweep x.toml --seeds 0..100 --shard 1/2 --out s1");
    status(&folder, 1, "sweep x.toml --seeds 0..100 --shard 2/2 --out s2");
    status(&folder, 1, "merge s1 s2 --out merged --junit merged.xml");
    let merged = read(&folder, "merged.xml").replace("merged/", "out/");
    assert_eq!(merged, read(&folder, "junit.xml"));
}

#[test]
fn what_is_expected_is_no_failure_for_junit() {
    let folder = folder("junit-expected");
    let expects = format!("{BREAKS}\n[expect]\nviolated = [\"rb.agreement\"]\n");
    fs::write(folder.join("x.toml"), expects).expect("a file");
    status(&folder, 0, "sweep x.toml --seeds 0..100 --out out --junit junit.xml");
    let junit = read(&folder, "junit.xml");
    assert!(junit.contains("tests=\"5\" skipped=\"0\" failures=\"0\" errors=\"0\""), "{junit}");
}

#[test]
fn github_is_told_where_and_how_to_replay() {
    let folder = folder("github");
    let environment = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", "summary.md")];
    fs::write(folder.join("summary.md"), "before\n").expect("a file");
    let output = ftsim(&folder, "sweep x.toml --seeds 0..100 --out out", &environment);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let annotations: Vec<&str> = text.lines().filter(|line| line.starts_with("::")).collect();
    expect_file!["../golden/sweep-annotations.txt"].assert_eq(&annotations.join("\n"));
    expect_file!["../golden/sweep-summary.md"].assert_eq(&read(&folder, "summary.md"));
}

#[test]
fn seeds_that_once_failed_are_saved_and_come_first() {
    let folder = folder("regressions");
    status(&folder, 1, "sweep x.toml --seeds 0..100 --out out --save-failures");
    let saved = read(&folder, "regressions/x.toml");
    expect![[r##"
        # Seeds that once failed; `ftsim run` and `sweep` run them first.

        [[seed]]
        seed = 3
        violated = ["rb.agreement"]

        [[seed]]
        seed = 13
        violated = ["rb.agreement"]

        [[seed]]
        seed = 19
        violated = ["rb.agreement"]
    "##]]
    .assert_eq(&saved);
    // Saving the same again changes nothing.
    status(&folder, 1, "sweep x.toml --seeds 0..100 --out out --save-failures");
    assert_eq!(read(&folder, "regressions/x.toml"), saved);
    let first: u64 =
        saved.lines().find_map(|line| line.strip_prefix("seed = ")?.parse().ok()).expect("a seed");
    // A seed outside of the range fails all the same, and is told apart.
    let range = format!("{}..{}", 1_000_000, 1_000_001);
    for command in
        [format!("run x.toml --seeds {range}"), format!("sweep x.toml --seeds {range} --out far")]
    {
        let told = status(&folder, 1, &command);
        let line =
            format!("x.toml: seed {first} violates rb.agreement, and once violated rb.agreement");
        assert!(told.contains(&line), "{told}");
        assert!(told.contains(&format!("replay: ftsim replay x.toml --seed {first}\n")), "{told}");
        assert!(told.contains("1 scenario, 1 run: 0 as expected, 1 not"), "{told}");
    }
    // Of several shards the first runs them, and the merged result has them once.
    for shard in 1..=2 {
        let args = format!("sweep x.toml --seeds 0..100 --shard {shard}/2 --out s{shard}");
        let told = status(&folder, 1, &args);
        assert_eq!(told.contains("once violated"), shard == 1, "{told}");
    }
    status(&folder, 1, "merge s1 s2 --out merged");
    status(&folder, 1, "sweep x.toml --seeds 0..100 --out whole");
    for file in ["results.jsonl", "summary.json"] {
        let whole = read(&folder, &format!("whole/x/{file}"));
        assert_eq!(read(&folder, &format!("merged/x/{file}")), whole);
        assert!(whole.contains("\"once\""));
    }
    // Once the protocol is right they are reported, and nothing is wrong.
    let right = BREAKS.replace("\"beb\"", "\"eager-rb\"");
    fs::write(folder.join("x.toml"), right).expect("a file");
    let told = status(&folder, 0, "run x.toml --seeds 100");
    assert!(
        told.contains(&format!("x.toml: seed {first} once violated rb.agreement, and no longer"))
    );
    fs::write(folder.join("regressions/x.toml"), "[[seed]]\nsede = 3\n").expect("a file");
    let told = status(&folder, 2, "run x.toml --seeds 100");
    assert!(told.contains("regressions/x.toml:2: unknown field `sede`"), "{told}");
}

#[test]
fn a_commit_stands_for_a_range_of_its_own() {
    let folder = folder("commit");
    let commit = "00000000002affffffffffffffffffffffffffff";
    let args = format!("sweep x.toml --seeds 0..100 --seed-from-commit {commit} --out out");
    let told = status(&folder, 1, &args);
    assert!(told.contains("x.toml: seeds 42..142: "), "{told}");
    status(&folder, 2, "sweep x.toml --seed-from-commit main --out out");
}

#[test]
fn folders_of_two_scenarios_are_never_one() {
    let folder = folder("names");
    fs::create_dir_all(folder.join("other")).expect("a folder");
    fs::write(folder.join("other/x.toml"), BREAKS).expect("a file");
    let told = status(&folder, 2, "sweep x.toml other/x.toml --out out");
    assert!(told.contains("two scenarios are called x"), "{told}");
    fs::write(folder.join("latest.toml"), BREAKS).expect("a file");
    status(&folder, 2, "sweep latest.toml --out out");
    assert!(!folder.join("out").exists());
}
