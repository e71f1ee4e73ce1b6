//! `ftsim classify`, as somebody types it: what the literature says of protocols is what is
//! measured, every "no" has a scenario that shows it again, and threads and shards leave no trace.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn ftsim(args: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    program.args(args).output().expect("ftsim starts")
}

fn classify(args: &[&str]) -> Output {
    ftsim(&[&["classify"], args].concat())
}

fn text(output: &[u8]) -> String {
    String::from_utf8(output.to_vec()).expect("UTF-8")
}

fn json(args: &[&str]) -> Value {
    let run = classify(&[args, &["--format", "json"]].concat());
    assert_eq!(run.status.code(), Some(0), "{args:?}: {run:?}");
    serde_json::from_slice(&run.stdout).expect("JSON")
}

/// The class that each row has.
fn tolerances(args: &str) -> Vec<String> {
    let args: Vec<&str> = args.split(' ').collect();
    let whole = json(&args);
    let rows = whole["rows"].as_array().expect("rows").iter();
    rows.map(|row| row["tolerance"].as_str().expect("a class").to_owned()).collect()
}

#[test]
fn the_literature_is_right() {
    let rows = [
        ("reliable-link --faults loss,duplication", "masking masking"),
        ("eager-rb --faults crash --faulty 1,4", "masking masking"),
        ("uniform-rb --set variant=majority --faults crash --faulty 2,3", "masking fail-safe"),
        ("lamport-tom --faults crash --faulty 1", "fail-safe"),
        ("lamport-tom-ft --faults crash --faulty 1,4", "masking masking"),
        ("lock-server --faults crash-recovery --target server", "masking"),
        ("flooding-consensus --faults crash --faulty 1,4", "masking masking"),
        ("flooding-consensus --faults suspicions", "intolerant"),
        ("paxos --faults crash --faulty 2,3", "masking fail-safe"),
        (
            "two-phase-commit --faults crash,crash-recovery --target coordinator",
            "fail-safe masking",
        ),
        ("three-phase-commit --faults crash --faulty 1,3", "masking masking"),
        ("three-phase-commit --faults partition --seeds 200", "intolerant"),
        ("phase-king --faults byzantine --faulty 1,2", "masking intolerant"),
        ("nmr-voting --faults wrong-value --faulty 1,2", "masking intolerant"),
        ("primary-backup --faults crash,partition --faulty 2", "masking intolerant"),
        ("dijkstra-ring --faults state-corruption --faulty 1,3", "non-masking non-masking"),
        ("dijkstra-ring --faults crash --faulty 1", "intolerant"),
        // The holder of a lock hangs and is taken for crashed. Nothing shows that the lock is safe
        // again later.
        ("lock-server --faults pause --target client --faulty 2", "intolerant"),
    ];
    for (args, expected) in rows {
        assert_eq!(tolerances(args).join(" "), expected, "{args}");
    }
}

#[test]
fn a_quorum_keeps_a_partitioned_service_safe() {
    let quorum = "--set takeover=quorum --set ack_wait=majority --set timeout=80ms";
    let args = format!("primary-backup --faults partition {quorum}");
    let whole = json(&args.split(' ').collect::<Vec<_>>());
    assert_eq!(whole["rows"][0]["not_safe"]["count"], 0, "{whole}");
}

#[test]
fn without_faults_all_is_well() {
    let whole = json(&["--faults", "none", "--seeds", "5"]);
    for row in whole["rows"].as_array().expect("rows") {
        let expected = match row["protocol"].as_str().expect("a name") {
            // A ring starts in any state.
            "dijkstra-ring" => "non-masking",
            // Nobody crashes, and nobody rolls back.
            name if name.starts_with("fd-") => "untested",
            "uncoordinated-ckpt" | "cic" => "untested",
            _ => "masking",
        };
        assert_eq!(row["tolerance"], expected, "{row}");
        assert_eq!((&row["struck"], &row["undecided"]), (&0.into(), &0.into()), "{row}");
    }
}

#[test]
fn every_no_has_a_witness() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("witnesses");
    let path = out.to_str().expect("UTF-8");
    let args = ["primary-backup", "uniform-rb", "--faults", "partition,byzantine", "--faulty"];
    let limits = ["1", "--seeds", "20", "--shrink", "500ms", "-o", path];
    let run = classify(&[&args[..], &limits].concat());
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let names = names(&out);
    let expected = [
        "primary-backup-byzantine-1-reg.linearizable.toml",
        "primary-backup-partition-pb.one-primary.toml",
        "uniform-rb-byzantine-1-rb.no-creation.toml",
    ];
    for name in expected {
        assert!(names.iter().any(|known| known == name), "{name} in {names:?}");
    }
    let again = ftsim(&["run", path]);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stdout));
    let shrunk = fs::read_to_string(out.join(expected[1])).expect("a scenario");
    assert!(shrunk.contains("violated = [\"pb.one-primary\"]"), "{shrunk}");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("a file").file_name().into_string().expect("UTF-8")).collect()
}

const TABLE: [&str; 8] = [
    "eager-rb",
    "reliable-link",
    "--faults",
    "crash,partition,amnesia",
    "--seeds",
    "12",
    "--seed",
    "3",
];

#[test]
fn threads_and_shards_leave_no_trace() {
    let whole = classify(&[&TABLE[..], &["--jobs", "1"]].concat()).stdout;
    assert_eq!(text(&classify(&[&TABLE[..], &["--jobs", "4"]].concat()).stdout), text(&whole));
    let folder = tempfile::tempdir().expect("a folder");
    let parts = [1, 2, 3].map(|part| {
        let shard = format!("{part}/3");
        let file = folder.path().join(format!("{part}.json"));
        let run = classify(&[&TABLE[..], &["--shard", &shard, "--format", "json"]].concat());
        fs::write(&file, run.stdout).expect("a file");
        file.to_str().expect("UTF-8").to_owned()
    });
    let [one, two, three] = parts.each_ref().map(String::as_str);
    let merged = classify(&["--merge", three, one, two]);
    assert_eq!(text(&merged.stdout), text(&whole));
    let as_json = [["--format", "json"], ["--merge", one]].concat();
    let again = classify(&[&as_json[..], &[two, three]].concat());
    let unsharded = classify(&[&TABLE[..], &["--format", "json"]].concat());
    assert_eq!(text(&again.stdout), text(&unsharded.stdout));
    let missing = classify(&["--merge", one, three]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("missing"), "{missing:?}");
}

#[test]
fn the_table_is_for_people_and_for_programs() {
    let lines = text(&classify(&TABLE).stdout);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 1 + 5 + 7, "{lines:#?}");
    assert!(lines[0].starts_with("class           protocol       faults"), "{lines:#?}");
    assert!(
        lines[1].starts_with("masking         eager-rb       crash      1 of 5  0 of 12 (below")
    );
    assert!(lines.iter().any(|line| line.ends_with("its processes do not recover")), "{lines:#?}");
    let whole = json(&TABLE);
    assert_eq!((&whole["schema"], &whole["row_count"]), (&2.into(), &12.into()));
    let row = &whole["rows"][0];
    assert_eq!((&row["faulty"], &row["candidates"]), (&1.into(), &5.into()));
    assert!(row["not_live"]["high"].as_f64().is_some_and(|high| high < 0.3), "{row}");
    let markdown = text(&classify(&[&TABLE[..], &["--format", "markdown"]].concat()).stdout);
    let head =
        "| protocol | crash | amnesia | partition |\n|---|---|---|---|\n| `eager-rb` | M | – | F |";
    assert!(markdown.starts_with(head), "{markdown}");
}

#[test]
fn one_world_is_shown_and_can_be_run() {
    let args = ["paxos", "--faults", "crash", "--faulty", "2", "--show", "7"];
    let shown = classify(&args);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shown.toml");
    fs::write(&file, &shown.stdout).expect("a file");
    let shown = text(&shown.stdout);
    assert_eq!(shown.matches("crash = ").count(), 2, "{shown}");
    let checked = ftsim(&["check", file.to_str().expect("UTF-8")]);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
}

#[test]
fn a_small_world_is_explored() {
    let sender = "workload.senders=[\"p0\"]";
    let world = ["--faults", "crash", "--faulty", "1,2", "--seeds", "10", "--set", sender];
    let explore = ["--explore", "100000", "--set", "variant=majority"];
    let args = [&["uniform-rb"], &world[..], &explore].concat();
    let whole = json(&args);
    let [one, two] = [0, 1].map(|row| &whole["rows"][row]["explored"]);
    assert_eq!((&one["processes"], &one["is_all"]), (&3.into(), &true.into()), "{one}");
    assert_eq!(one["violated"], serde_json::json!([]));
    // Two of three are a majority, but two of five are not.
    assert!(two["violated"][0]["property"].is_string(), "{two}");
    assert_eq!(whole["rows"][1]["tolerance"], "masking", "{whole}");
    let shown = text(&classify(&[&args[..], &["--jobs", "1"]].concat()).stdout);
    assert!(shown.contains("nothing; proved for n = 3: 1 crash"), "{shown}");
    assert_eq!(shown, text(&classify(&[&args[..], &["--jobs", "4"]].concat()).stdout));
}

#[test]
fn a_mutant_is_classified_too() {
    let args = "eager-rb --faults crash --faulty 1 --set mutant=deliver-without-relay";
    assert_eq!(tolerances(args), ["fail-safe"]);
}

#[test]
fn a_mutant_can_be_of_a_world_that_the_protocol_refuses() {
    let args =
        "naive-replication --processes server=2,client=2 --faults none --set mutant=unordered";
    assert_eq!(tolerances(args), ["intolerant"]);
}

#[test]
fn what_is_named_twice_is_measured_once() {
    let args = "eager-rb eager-rb --faults crash,loss,crash --faulty 1,1 --seeds 2";
    assert_eq!(tolerances(args).len(), 2);
}

#[test]
fn a_property_that_nothing_puts_to_the_test_is_not_masked() {
    // Nobody wants to enter, so neither safety nor liveness is at stake.
    let args = ["token-ring", "--faults", "none", "--set", "workload.entries=0", "--seeds", "3"];
    let whole = json(&args);
    assert_eq!(whole["rows"][0]["tolerance"], "untested", "{whole}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let refused = [
        (&["eager-br"][..], "unknown protocol `eager-br`"),
        (&["eager-rb", "--set", "relay"], "expected KEY=VALUE"),
        (&["eager-rb", "--set", "relay=1"], "relay"),
        (&["eager-rb", "--set", "mutant=none"], "unknown mutant"),
        (&["eager-rb", "--target", "server"], "`eager-rb` has no processes `server`"),
        (&["eager-rb", "--processes", "server=2"], "`eager-rb` has no processes `server`"),
        (&["eager-rb", "--processes", "many"], "expected N or ROLE=N"),
        (&["eager-rb", "--processes", "0"], "out of range"),
        (&["eager-rb", "--check", "cons.agreement"], "has a property `cons.agreement`"),
        (&["eager-rb", "--faults", "boredom"], "invalid value 'boredom'"),
        (&["eager-rb", "--shard", "3/2"], "expected I/N"),
        (&["eager-rb", "--explore", "0"], "0 is not in 1.."),
        (&["--merge", "there-is-no-such-file"], "there-is-no-such-file"),
        (&["eager-rb", "--merge", "a.json"], "cannot be used with"),
    ];
    for (args, told) in refused {
        let run = classify(args);
        assert_eq!(run.status.code(), Some(2), "{args:?}: {run:?}");
        assert!(text(&run.stderr).contains(told), "{args:?}: {}", text(&run.stderr));
    }
}
