//! Results that were damaged, or changed by hand.

use std::fs;

use ftsim_core::rng::{Rng, Stream};

use super::{code, everything, folder, program, status, told};

const SWEEP: &str = "sweep x.toml --seeds 0..100 --shrink off --out out";

/// What is changed in which line, and what is said of it. Line 1 is the header; `B` stands for the
/// first block, `F` for the first failing run.
const DAMAGES: &[(char, &str, &str, &str)] = &[
    ('1', "\"block\":50", "\"block\":0", "blocks of 0 seeds; ftsim writes blocks of 50"),
    ('1', "\"block\":50", "\"block\":7", "blocks of 7 seeds"),
    ('1', "\"schema\":1", "\"schema\":2", "its format is 2, not 1"),
    ('1', "\"digest\":\"", "\"digest\":\"g", "is not a digest"),
    ('1', "\"from\":0", "\"from\":101", "101..100 is not a range of seeds"),
    ('1', "\"until\":100", "\"until\":18446744073709551616", "(column "),
    ('1', "{\"sweep\"", "{\"sweet\"", "this is not the header of a sweep"),
    ('B', "\"runs\":50", "\"runs\":0", "0 runs of 50 seeds"),
    ('B', "\"runs\":50", "\"runs\":18446744073709551615", "18446744073709551615 runs of 50 seeds"),
    ('B', "\"digest\":\"", "\"digest\":\"0", "is not a digest"),
    ('B', "\"held\":", "\"held\":9", "verdicts of 50 runs"),
    ('B', "\"held\":", "\"held\":184467440737095516", "(column "),
    ('B', "\"until\":50", "\"until\":49", "a block of 49 seeds that is not the last"),
    ('B', "\"until\":50", "\"until\":0", "a block of seeds 0..0"),
    ('B', "\"until\":50", "\"until\":99", "a block of seeds 0..99"),
    ('B', "\"from\":0", "\"from\":1", "the next block starts at seed 1, not at 0"),
    ('B', "\"panicked\":0", "\"panicked\":3", "3 runs panicked, but 0 of them are listed"),
    ('B', "\"unfired\":{}", "\"unfired\":{\"0\":1}", "there is no fault 0"),
    ('B', "\"unused\":{}", "\"unused\":{\"5\":1}", "there is no message 5"),
    ('B', "\"struck\":", "\"struck\":9", "times and was planned"),
    ('B', "\"process\":\"p", "\"process\":\"p9", "there is no such process"),
    ('B', "\"reached\":{}", "\"reached\":{\"a\":51}", "\"a\" in 51 of 50 runs"),
    ('B', "\"rb.agreement\":", "\"rb.agreeable\":", "the scenario does not check"),
    ('B', "{\"block\"", "{\"block\":1,\"block\"", "(column "),
    ('B', "{\"block\"", "nonsense", "(column "),
    ('F', "\"digest\":\"", "\"digest\":\"-", "is not a digest"),
    ('F', "\"seed\":", "\"seed\":7777", "seed 7777"),
    ('F', "\"expected\":true", "\"expected\":false", "is expected by the scenario"),
    ('F', "\"witnesses\":[", "\"witnesses\":[\"p4000000000\",", "there is no process p4000000000"),
    ('F', "\"signature\":\"", "\"signature\":\"x", "is not that of its message"),
    ('F', "\"seed\":", "\"crash_point\":\"p0:1\",\"seed\":", "has a crash point"),
    ('F', "{\"failing\"", "{\"sweep\"", "(column "),
];

#[test]
fn damaged_results_are_refused_by_file_and_line() {
    let folder = folder("damaged");
    status(&folder, 0, SWEEP);
    let results = folder.join("out/x/results.jsonl");
    let text = fs::read_to_string(&results).expect("results");
    let line_of = |start: &str| text.lines().position(|line| line.starts_with(start));
    for (which, from, to, why) in DAMAGES {
        let line = match which {
            'B' => line_of("{\"block\"").expect("a block"),
            'F' => line_of("{\"failing\"").expect("a failure"),
            _ => 0,
        };
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let changed = lines[line].replacen(from, to, 1);
        assert_ne!(changed, lines[line], "{from}");
        lines[line] = changed;
        fs::write(&results, lines.join("\n") + "\n").expect("a file");
        // What is wrong with a failing run may show only in the block that it is in.
        let numbers = line + 1..=line_of("{\"block\"").expect("a block") + 1;
        let before = everything(&folder);
        for command in ["merge out --out merged".to_owned(), format!("{SWEEP} --resume")] {
            let told = status(&folder, 2, &command);
            let named = |line: usize| told.contains(&format!("out/x/results.jsonl:{line}: "));
            // A header that is none says that the folder is not a sweep's.
            let is_foreign = command.starts_with("sweep") && told.contains("out/x is in the way");
            assert!(numbers.clone().any(named) || is_foreign, "{to}: {told}");
            assert!(told.contains(why) || is_foreign || other_sweep(&told), "{to}: {told}");
        }
        assert_eq!(everything(&folder), before, "{to}");
    }
}

/// Whether a header was sound, and another one than that of the command.
fn other_sweep(told: &str) -> bool {
    told.contains("holds another sweep: ")
}

#[test]
fn runs_beyond_what_can_be_counted_are_refused() {
    let folder = folder("overflow");
    let every = super::MUTANT.replace(
        "max_faulty = 2, crash = { count = \"0..2\", between = \"0ms..20ms\" }",
        "crash_points = \"every\"",
    );
    assert_ne!(every, super::MUTANT);
    fs::write(folder.join("x.toml"), every).expect("a file");
    let output = program(&folder, SWEEP).output().expect("ftsim starts");
    assert!(matches!(code(&output), Some(0 | 1)), "{}", told(&output));
    let results = folder.join("out/x/results.jsonl");
    let text = fs::read_to_string(&results).expect("results");
    let mut blocks = 0;
    let lines = text.lines().map(|line| {
        let mut line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        if let Some(block) = line.get_mut("block") {
            blocks += 1;
            let most = u64::MAX - 3;
            let tallies = block["properties"].as_object_mut().expect("properties");
            for tally in tallies.values_mut() {
                let others: u64 = ["vacuous", "violated", "undecided"]
                    .iter()
                    .map(|key| tally[key].as_u64().expect("a count"))
                    .sum();
                tally["held"] = (most - others).into();
            }
            block["runs"] = most.into();
        }
        line.to_string() + "\n"
    });
    let lines: String = lines.collect();
    assert_eq!(blocks, 2);
    fs::write(&results, &lines).expect("a file");
    let last = lines.lines().count();
    for command in ["merge out --out merged".to_owned(), format!("{SWEEP} --resume")] {
        let told = status(&folder, 2, &command);
        let wanted = format!("out/x/results.jsonl:{last}: more runs than can be counted");
        assert!(told.contains(&wanted), "{told}");
    }
}

#[test]
fn no_damage_makes_ftsim_fail() {
    let folder = folder("any-damage");
    status(&folder, 0, SWEEP);
    let results = folder.join("out/x/results.jsonl");
    let whole = fs::read(&results).expect("results");
    let mut rng = Rng::new(1, Stream::Workload);
    let mut refused = 0;
    for round in 0..60 {
        let mut bytes = whole.clone();
        for _ in 0..rng.between(1, 3) {
            let place = usize::try_from(rng.below(bytes.len() as u64)).expect("an index");
            match rng.below(4) {
                0 => bytes[place] ^= 1 << rng.below(8),
                1 => bytes[place] = *rng.choose(b"0123456789").expect("a digit"),
                2 => drop(bytes.drain(place..(place + 30).min(bytes.len()))),
                _ => bytes.truncate(place.max(1)),
            }
        }
        fs::write(&results, &bytes).expect("a file");
        let output = program(&folder, "merge out --out merged").output().expect("ftsim starts");
        assert!(matches!(code(&output), Some(0 | 2)), "round {round}: {}", told(&output));
        refused += u32::from(code(&output) == Some(2));
        if folder.join("merged").exists() {
            fs::remove_dir_all(folder.join("merged")).expect("our folder");
        }
    }
    assert!(refused > 40, "{refused}");
}

#[test]
fn a_repro_of_another_run_is_not_merged() {
    let folder = folder("repro");
    status(&folder, 0, SWEEP);
    let repros = fs::read_dir(folder.join("out/x/repros")).expect("repros");
    let mut repros: Vec<_> = repros.map(|entry| entry.expect("an entry").path()).collect();
    repros.sort();
    let first = fs::read(&repros[0]).expect("a repro");
    fs::write(&repros[1], first).expect("a file");
    let told = status(&folder, 2, "merge out --out merged");
    assert!(told.contains("is not the repro of seed "), "{told}");
}
