//! Guards the results of a sweep: the same bytes for any number of threads and shards, for an
//! interrupted and resumed sweep, and repros that are the runs that they stand for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use expect_test::expect_file;
use ftsim::run;
use ftsim::scenario::Scenario;
use ftsim::{Catalogue, sweep};

/// A mutant with drawn crashes: some seeds violate agreement, in ways that are expected.
const MUTANT: &str = r#"# Who crashes, and when, is drawn.
protocol = "beb"
processes = 4
check = ["rb.agreement"]

[params]
mutant = "as-rb"

[random] # replaced in a repro
max_faulty = 2
crash = { count = "0..2", between = "0ms..20ms" }
pause = { count = "0..1", between = "0ms..5ms", duration = "1ms..9ms" }

[run]
seeds = 20
horizon = "1s"

[expect]
violated = ["rb.agreement"]
"#;

/// A folder of the test's own, with the scenario in it.
fn folder(test: &str, scenario: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sweep-results").join(test);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("a folder of ours");
    }
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("x.toml"), scenario).expect("a file");
    folder
}

fn ftsim(folder: &Path, args: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    command.env_remove("GITHUB_ACTIONS").current_dir(folder);
    command.args(args.split_whitespace()).output().expect("ftsim starts")
}

/// Runs ftsim, and insists on its exit status.
fn status(folder: &Path, status: i32, args: &str) -> String {
    let output = ftsim(folder, args);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(status), "{args}\n{out}\n{err}");
    format!("{out}{err}")
}

/// All files under a folder, by path, with their bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        if path.is_symlink() {
            let to = fs::read_link(&path).expect("a link").into_os_string();
            files.insert(
                path.strip_prefix(folder).expect("below").to_owned(),
                to.into_encoded_bytes(),
            );
        } else if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a readable folder");
            left.extend(entries.map(|entry| entry.expect("a readable entry").path()));
        } else {
            let bytes = fs::read(&path).expect("a readable file");
            files.insert(path.strip_prefix(folder).expect("below").to_owned(), bytes);
        }
    }
    files
}

fn same(folder: &Path, one: &str, other: &str) {
    let (one, other) = (files(&folder.join(one)), files(&folder.join(other)));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (path, bytes) in &one {
        assert!(other[path] == *bytes, "{} differs", path.display());
    }
    assert!(one.contains_key(Path::new("x/results.jsonl")));
    assert!(one.contains_key(Path::new("x/summary.json")));
    assert!(one.contains_key(Path::new("latest")));
}

#[test]
fn threads_and_shards_leave_no_trace_in_the_results() {
    let folder = folder("same", MUTANT);
    status(&folder, 0, "sweep x.toml --seeds 7..610 --jobs 1 --out one");
    status(&folder, 0, "sweep x.toml --seeds 7..610 --jobs 2 --out two");
    same(&folder, "one", "two");
    for shard in 1..=4 {
        let args = format!("sweep x.toml --seeds 7..610 --shard {shard}/4 --out shard-{shard}");
        status(&folder, 0, &args);
    }
    status(&folder, 0, "merge shard-3 shard-1 shard-4 shard-2 --out merged");
    same(&folder, "one", "merged");
    status(&folder, 0, "merge one --out again");
    same(&folder, "one", "again");
    let failing = fs::read_to_string(folder.join("one/x/results.jsonl")).expect("results");
    assert!(failing.contains("\"failing\""), "a sweep in which nothing fails shows little");
}

#[test]
fn the_first_failure_ends_a_sweep_at_the_same_seed_however_it_is_run() {
    let folder = folder("until", MUTANT);
    let sweep = "sweep x.toml --seeds 0..400 --until rb.agreement";
    status(&folder, 0, &format!("{sweep} --jobs 1 --out one"));
    status(&folder, 0, &format!("{sweep} --jobs 4 --out four"));
    same(&folder, "one", "four");
    for shard in 1..=3 {
        status(&folder, 0, &format!("{sweep} --shard {shard}/3 --out shard-{shard}"));
    }
    status(&folder, 0, "merge shard-1 shard-2 shard-3 --out merged");
    same(&folder, "one", "merged");
    status(&folder, 0, &format!("{sweep} --resume --out one"));
    same(&folder, "one", "merged");
    let results = fs::read_to_string(folder.join("one/x/results.jsonl")).expect("results");
    let failing: Vec<&str> = results.lines().filter(|line| line.contains("{\"failing\"")).collect();
    assert_eq!(failing.len(), 1);
    // No smaller seed fails.
    let first: serde_json::Value = serde_json::from_str(failing[0]).expect("JSON");
    let first = first["failing"]["seed"].as_u64().expect("a seed");
    let scenario = Scenario::parse("x.toml", MUTANT, &Catalogue::builtin()).expect("a scenario");
    let tally = sweep::sweep(&scenario, 0..first, 1, &|_| {}).expect("ftsim does not fail");
    assert!(tally.properties.values().all(|property| property.violated == 0));

    let sweep = "sweep x.toml --seeds 0..400 --max-failures 40";
    status(&folder, 0, &format!("{sweep} --jobs 1 --out some"));
    for shard in 1..=3 {
        status(&folder, 0, &format!("{sweep} --shard {shard}/3 --out part-{shard}"));
    }
    status(&folder, 0, "merge part-1 part-2 part-3 --out put-together");
    same(&folder, "some", "put-together");
}

#[test]
fn a_sweep_that_was_cut_anywhere_goes_on_to_the_same_results() {
    let folder = folder("resume", MUTANT);
    status(&folder, 0, "sweep x.toml --seeds 0..300 --out whole");
    let results = fs::read(folder.join("whole/x/results.jsonl")).expect("results");
    let mut cuts: Vec<usize> = (0..results.len()).step_by(results.len() / 12).collect();
    cuts.extend([0, 1, results.len() - 1, results.len()]);
    for cut in cuts {
        let part = folder.join("cut/x.part");
        if part.parent().expect("a parent").exists() {
            fs::remove_dir_all(folder.join("cut")).expect("a folder of ours");
        }
        fs::create_dir_all(&part).expect("a folder");
        fs::write(part.join("results.jsonl"), &results[..cut]).expect("a file");
        fs::write(part.join("scenario.toml"), MUTANT).expect("a file");
        status(&folder, 0, "sweep x.toml --seeds 0..300 --out cut --resume");
        same(&folder, "whole", "cut");
    }
    // A sweep over something else is not gone on with.
    let told = status(&folder, 2, "sweep x.toml --seeds 0..301 --out whole --resume");
    assert!(told.contains("whole/x/results.jsonl holds another sweep: its range of seeds is"));
    same(&folder, "whole", "cut");
}

#[test]
fn time_that_is_up_leaves_whole_blocks_and_a_sweep_to_go_on_with() {
    let folder = folder("for", MUTANT);
    status(&folder, 0, "sweep x.toml --seeds 0..500 --out whole");
    let text = status(&folder, 0, "sweep x.toml --seeds 0..500 --out some --for 0ms --jobs 1");
    assert!(text.contains("x.toml: seeds 0..500: "), "{text}");
    let results = fs::read_to_string(folder.join("some/x/results.jsonl")).expect("results");
    let blocks = results.lines().filter(|line| line.contains("{\"block\"")).count();
    assert_eq!(blocks, 1, "the block under way is finished");
    let told = status(&folder, 2, "merge some --out merged");
    assert!(told.contains("some/x/results.jsonl: seeds 50..500 are missing"), "{told}");
    status(&folder, 0, "sweep x.toml --seeds 0..500 --out some --resume");
    same(&folder, "whole", "some");
}

#[test]
fn merge_refuses_what_does_not_fit_and_names_it() {
    let folder = folder("refuse", MUTANT);
    for shard in 1..=3 {
        status(
            &folder,
            0,
            &format!("sweep x.toml --seeds 0..300 --shard {shard}/3 --out s{shard}"),
        );
    }
    status(&folder, 0, "sweep x.toml --seeds 0..300 --out whole");
    status(&folder, 0, "sweep x.toml --seeds 0..300 --shard 1/2 --out half");
    status(&folder, 0, "sweep x.toml --seeds 0..350 --shard 2/3 --out longer");
    let refused = |args: &str, told: &str| {
        let text = status(&folder, 2, &format!("merge {args} --out merged"));
        assert!(text.contains(told), "{args}: {told}: {text}");
        assert!(!folder.join("merged").exists(), "{args}");
    };
    refused("s1 s3", "s3/x/results.jsonl: part 2 of 3, which comes before, is missing");
    refused("s1 s2", "s2/x/results.jsonl: part 3 of 3, which comes after, is missing");
    refused("s1 s2 s2 s3", "s2/x/results.jsonl: part 2 of 3 occurs twice");
    refused("s1 s2 s3 whole", "part");
    refused("half s2 s3", "of 3 parts, but of 2 in half/x/results.jsonl");
    refused("s1 longer s3", "longer/x/results.jsonl: its range of seeds is");
    let edit = |from: &str, to: &str| {
        let copy = folder.join("s2-edited/x");
        fs::create_dir_all(&copy).expect("a folder");
        let results = fs::read_to_string(folder.join("s2/x/results.jsonl")).expect("results");
        assert!(results.contains(from), "{from}");
        fs::write(copy.join("results.jsonl"), results.replacen(from, to, 1)).expect("a file");
    };
    let version = env!("CARGO_PKG_VERSION");
    edit(&format!("\"ftsim\":\"{version}\""), "\"ftsim\":\"0.0.7\"");
    refused("s1 s2-edited s3", "s2-edited/x/results.jsonl:1: written by ftsim 0.0.7, this is");
    fs::write(folder.join("y.toml"), MUTANT.replace("0..2", "0..1")).expect("a file");
    status(&folder, 0, "sweep y.toml --seeds 0..300 --shard 2/3 --out other");
    fs::rename(folder.join("other/y"), folder.join("other/x")).expect("a folder of ours");
    let results = folder.join("other/x/results.jsonl");
    let text = fs::read_to_string(&results).expect("results").replace("\"y\"", "\"x\"");
    fs::write(&results, text).expect("a file");
    refused("s1 other s3", "other/x/results.jsonl: its digest of the scenario is");
    let gap = fs::read_to_string(folder.join("s2/x/results.jsonl")).expect("results");
    let block = gap.lines().position(|line| line.starts_with("{\"block\"")).expect("a block");
    let lines: Vec<&str> = gap.lines().collect();
    let cut = [&lines[..1], &lines[block + 1..]].concat().join("\n") + "\n";
    fs::write(folder.join("s2-edited/x/results.jsonl"), cut).expect("a file");
    let text = status(&folder, 2, "merge s1 s2-edited s3 --out merged");
    assert!(text.contains("s2-edited/x/results.jsonl:"), "{text}");
    assert!(text.contains(": the next block starts at seed 150, not at 100"), "{text}");
    assert!(!folder.join("merged/x").exists());
}

#[test]
fn every_failing_seed_of_a_mutant_replays_from_its_repro() {
    let folder = folder("repros", MUTANT);
    status(&folder, 0, "sweep x.toml --seeds 0..200 --out all");
    let results = fs::read_to_string(folder.join("all/x/results.jsonl")).expect("results");
    let scenario = Scenario::parse("x.toml", MUTANT, &Catalogue::builtin()).expect("a scenario");
    let mut count = 0;
    for line in results.lines().filter(|line| line.starts_with("{\"failing\"")) {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let seed = line["failing"]["seed"].as_u64().expect("a seed");
        let recorded = run::record(&scenario, seed).expect("ftsim does not fail");
        let text = run::repro::text(&scenario, "a test", &recorded).expect("a repro");
        let repro = Scenario::parse("repro.toml", &text, &Catalogue::builtin());
        let repro = repro.unwrap_or_else(|wrong| panic!("{wrong:?}\n{text}"));
        assert_eq!(repro.experiment.plan, *recorded.0.plan, "{text}");
        assert!(repro.experiment.random.is_none());
        let again = run::record(&repro, seed).expect("ftsim does not fail");
        assert_eq!(again.0.digest.to_string(), line["failing"]["digest"], "{text}");
        assert_eq!(again.1, recorded.1);
        count += 1;
    }
    assert!(count > 20, "{count} seeds failed");
    for entry in fs::read_dir(folder.join("all/x/repros")).expect("repros") {
        let path = entry.expect("an entry").path();
        let path = path.strip_prefix(&folder).expect("below").display().to_string();
        let text = status(&folder, 0, &format!("replay {path}"));
        assert!(text.contains("\nrepro      the run matches it\n"), "{text}");
        // A repro is a scenario, and says itself what is expected of it.
        status(&folder, 0, &format!("run {path}"));
    }
    let summary = fs::read_to_string(folder.join("all/x/summary.json")).expect("a summary");
    let summary: serde_json::Value = serde_json::from_str(&summary).expect("JSON");
    assert_eq!(summary["sweep"]["failing"], count);
}

/// This test runs in debug and in release, and both write what is committed.
#[test]
fn a_repro_is_the_file_that_is_committed() {
    let folder = folder("golden", MUTANT);
    status(&folder, 0, "sweep x.toml --seeds 0..200 --out all --until rb.agreement");
    let repros = fs::read_dir(folder.join("all/x/repros")).expect("repros");
    let repros: Vec<PathBuf> = repros.map(|entry| entry.expect("an entry").path()).collect();
    let text = fs::read_to_string(&repros[0]).expect("a repro");
    let version = format!("engine = \"{}\"", env!("CARGO_PKG_VERSION"));
    expect_file!["../golden/repro.toml"].assert_eq(&text.replace(&version, "engine = \"VERSION\""));
    assert_eq!(repros.len(), 1);
}

#[test]
fn a_repro_of_another_run_is_told_with_the_event_that_differs() {
    let folder = folder("differs", MUTANT);
    status(&folder, 0, "sweep x.toml --seeds 0..200 --out all --until rb.agreement");
    let repros = fs::read_dir(folder.join("all/x/repros")).expect("repros");
    let path = repros.map(|entry| entry.expect("an entry").path()).next().expect("a repro");
    let text = fs::read_to_string(&path).expect("a repro");
    let name = path.strip_prefix(&folder).expect("below").display().to_string();
    let trace = status(&folder, 0, &format!("replay {name}"));
    let starts = trace.lines().filter(|line| line.ends_with("  starts")).count();
    // Another delay changes what is sent first: the events before, all processes' starts and the
    // first request, are the same.
    let slower = text.replace("horizon = \"1s\"", "horizon = \"1s\"\n[network]\ndelay = \"7ms\"");
    assert_ne!(slower, text);
    fs::write(&path, slower).expect("a file");
    let told = status(&folder, 4, &format!("replay {name}"));
    assert!(told.contains(&format!("{name} is not reproduced: its digest is ")), "{told}");
    let event = starts + 2;
    assert!(told.contains(&format!("they differ from event {event} on, here: ")), "{told}");
    // Another seed of the same file is no reproduction, and is not compared.
    status(&folder, 0, &format!("replay {name} --seed 3"));
}

#[test]
fn the_first_runs_of_each_group_are_shrunk() {
    let folder = folder("shrunk", MUTANT);
    let told = status(&folder, 0, "sweep x.toml --seeds 0..200 --out all");
    let shrunk: Vec<PathBuf> = fs::read_dir(folder.join("all/x/shrunk"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    let (stories, shrunk): (Vec<PathBuf>, Vec<PathBuf>) =
        shrunk.into_iter().partition(|path| path.extension().is_some_and(|e| e == "txt"));
    let groups = told.matches(", as expected: ").count();
    // 3 of each, of which the smallest is named.
    assert_eq!((shrunk.len(), stories.len()), (3 * groups, 3 * groups), "{told}");
    for path in stories {
        let story = fs::read_to_string(path).expect("a story");
        assert!(story.contains("VIOLATED  rb.agreement"), "{story}");
    }
    assert!(groups > 0 && told.matches("shrunk: ftsim run ").count() == groups, "{told}");
    for path in shrunk {
        let small = status(&folder, 0, &format!("run {}", path.display()));
        assert!(small.contains("rb.agreement violated in 1, as expected"), "{small}");
    }
    assert!(!told.contains("What it needs"), "what is expected is not told: {told}");
    let unexpected = MUTANT.replace("violated = [\"rb.agreement\"]", "");
    fs::write(folder.join("y.toml"), unexpected).expect("a file");
    let told = status(&folder, 1, "sweep y.toml --seeds 0..200 --out all");
    assert!(told.contains("    What it needs"), "{told}");
    status(&folder, 0, "sweep x.toml --seeds 0..200 --shrink off --out none");
    assert!(!folder.join("none/x/shrunk").exists());
    let refused = status(&folder, 2, "sweep x.toml --shrink much --out none");
    assert!(refused.contains("'--shrink <TIME | off>'"), "{refused}");
}
