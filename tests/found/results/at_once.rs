//! Several processes that write to one place.

use std::fs;
use std::path::PathBuf;
use std::process::Child;

use super::{code, everything, folder, names, start, status, told};

#[test]
fn sweeps_into_one_folder_leave_one_whole_result() {
    let folder = folder("sweeps");
    let sweep = "sweep x.toml --seeds 0..100 --shrink off --jobs 1 --out";
    status(&folder, 0, &format!("{sweep} alone"));
    let whole = everything(&folder.join("alone"));
    let (mut done, mut busy) = (0, 0);
    for round in 0..8 {
        let resume = if round % 2 == 0 { "" } else { " --resume" };
        let start = |_| start(&folder, &format!("{sweep} out{resume}"));
        let all: Vec<Child> = (0..4).map(start).collect();
        let mut ended = 0;
        for child in all {
            let output = child.wait_with_output().expect("ftsim ends");
            let told = told(&output);
            match code(&output) {
                Some(0) => ended += 1,
                Some(2) if told.contains("out/x.part: another sweep is writing") => busy += 1,
                other => panic!("{other:?}: {told}"),
            }
        }
        assert!(ended > 0, "all were too busy");
        done += ended;
        assert_eq!(everything(&folder.join("out")), whole, "round {round}");
    }
    assert_eq!(done + busy, 32);
}

#[test]
fn records_into_one_file_are_one_of_them() {
    let folder = folder("records");
    let record = |seed: u64, file: &str| format!("record x.toml --seed {seed} -o {file}");
    let alone: Vec<Vec<u8>> = (0..4)
        .map(|seed| {
            status(&folder, 0, &record(seed, "alone.rec"));
            fs::read(folder.join("alone.rec")).expect("a record")
        })
        .collect();
    for round in 0..8 {
        let all: Vec<Child> = (0..4).map(|seed| start(&folder, &record(seed, "one.rec"))).collect();
        for child in all {
            let output = child.wait_with_output().expect("ftsim ends");
            assert_eq!(code(&output), Some(0), "{}", told(&output));
        }
        let one = fs::read(folder.join("one.rec")).expect("a record");
        assert!(alone.contains(&one), "round {round}: a mixture");
        assert_eq!(names(&folder), ["alone.rec", "one.rec", "x.toml"]);
    }
}

#[test]
fn a_file_that_ends_in_part_is_somebodys() {
    let folder = folder("part");
    let mine: Vec<PathBuf> = ["run.rec.part", "latest.part"].map(|name| folder.join(name)).to_vec();
    for path in &mine {
        fs::write(path, "mine").expect("a file");
    }
    status(&folder, 0, "record x.toml --seed 1 -o run.rec");
    status(&folder, 0, "sweep x.toml --seeds 0..50 --shrink off --out .");
    for path in &mine {
        assert_eq!(fs::read_to_string(path).expect("a file"), "mine");
    }
    assert_eq!(names(&folder), ["latest", "latest.part", "run.rec", "run.rec.part", "x", "x.toml"]);
}

/// Others in the group may read what a sweep and a record have written, as any other file.
#[cfg(unix)]
#[test]
fn a_whole_file_has_the_mode_of_any_other() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder("mode");
    status(&folder, 0, "record x.toml --seed 1 -o run.rec");
    let mode =
        |name: &str| fs::metadata(folder.join(name)).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode("run.rec"), mode("x.toml"));
}

#[test]
fn sweeps_that_save_their_failures_at_once_lose_none() {
    let folder = folder("save");
    let unexpected = super::MUTANT.replace("expect = ", "#");
    fs::write(folder.join("x.toml"), unexpected).expect("a file");
    let sweep = |part: u64, out: &str| {
        let (from, until) = (part * 50, part * 50 + 50);
        format!(
            "sweep x.toml --seeds {from}..{until} --shrink off --save-failures --out {out}{part}"
        )
    };
    let saved = || fs::read_to_string(folder.join("regressions/x.toml")).expect("a file");
    let all: Vec<Child> = (0..4).map(|part| start(&folder, &sweep(part, "once"))).collect();
    for child in all {
        let output = child.wait_with_output().expect("ftsim ends");
        assert_eq!(code(&output), Some(1), "{}", told(&output));
    }
    let at_once = saved();
    fs::remove_dir_all(folder.join("regressions")).expect("our folder");
    for part in 0..4 {
        status(&folder, 1, &sweep(part, "after"));
    }
    let sorted = |text: &str| {
        let mut seeds: Vec<String> =
            text.lines().filter(|line| line.starts_with("seed = ")).map(str::to_owned).collect();
        seeds.sort();
        seeds
    };
    assert_eq!(sorted(&at_once), sorted(&saved()));
    assert_eq!(names(&folder.join("regressions")), ["x.toml"]);
}
