//! Pages for a browser.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn ftsim(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
    command.output().expect("ftsim starts")
}

fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// The data of a page.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once("type=\"application/json\">").expect("data");
    let (data, _) = rest.split_once("</script>").expect("its end");
    serde_json::from_str(data).expect("JSON")
}

/// A number in the data that is an index.
fn index(number: &Value) -> usize {
    let number = number.as_u64().and_then(|number| usize::try_from(number).ok());
    number.expect("an index")
}

#[test]
fn a_page_has_an_arrow_for_each_message_and_a_lane_for_each_process() {
    let folder = folder("pages");
    let file = folder.join("run.html");
    for name in ["2pc-blocked", "split-brain-one-way", "phase-king-twins", "fifo-link-reorder"] {
        let scenario = format!("scenarios/{name}.toml");
        let page = file.to_str().expect("a path");
        let run = ["replay", &scenario, "--seed", "1"];
        let drawn = ftsim(&[&run[..], &["--html", page]].concat());
        assert!(drawn.status.success(), "{name}: {drawn:?}");
        let told = ftsim(&[&run[..], &["--format", "jsonl"]].concat());
        let page = fs::read_to_string(&file).expect("a page");
        let data = data(&page);
        let lines = String::from_utf8(told.stdout).expect("text");
        let lines: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let is_sent = |line: &&Value| {
            let event = line["event"].as_str().unwrap_or_default();
            ["send", "carry", "drop", "replay"].contains(&event) && line["process"] != line["to"]
        };
        let sent: BTreeSet<String> =
            lines.iter().filter(is_sent).map(|line| line["id"].to_string()).collect();
        let messages = data["messages"]["from"].as_array().expect("messages");
        assert!(!sent.is_empty(), "{name}");
        assert_eq!(messages.len(), sent.len(), "{name}");
        let processes = lines.iter().filter_map(|line| line["process"].as_str());
        let processes: BTreeSet<&str> = processes.collect();
        assert_eq!(data["lanes"].as_array().expect("lanes").len(), processes.len(), "{name}");
        // Nothing is loaded from elsewhere.
        assert!(!page.contains("src=\"") && !page.contains("href=\"http"), "{name}");
    }
}

#[test]
fn what_a_twin_sends_and_hears_is_drawn_on_its_own_lane() {
    let file = folder("pages-twin").join("twin.html");
    let page = file.to_str().expect("a path");
    let drawn =
        ftsim(&["replay", "scenarios/phase-king-twins.toml", "--seed", "1", "--html", page]);
    assert!(drawn.status.success(), "{drawn:?}");
    let data = data(&fs::read_to_string(&file).expect("a page"));
    let numbers = |of: &str, field: &str| -> Vec<i64> {
        let column = data[of][field].as_array().expect("a column");
        column.iter().map(|number| number.as_i64().expect("a number")).collect()
    };
    let lanes = numbers("steps", "lane");
    let lane_of_step = |step: i64| usize::try_from(step).ok().and_then(|step| lanes.get(step));
    let (from, to, sent) =
        (numbers("messages", "from"), numbers("messages", "to"), numbers("messages", "sent"));
    let heard = data["messages"]["heard"].as_array().expect("a column");
    let mut step = 0;
    for index in 0..from.len() {
        step += sent[index];
        assert_eq!(lane_of_step(step), from.get(index), "message {index} is sent");
        for after in heard[index].as_array().expect("steps") {
            let at = step + after.as_i64().expect("a number");
            assert_eq!(lane_of_step(at), to.get(index), "message {index} is heard");
        }
    }
    let twin = i64::try_from(data["lanes"].as_array().expect("lanes").len() - 1).expect("few");
    let count = |lanes: &[i64]| lanes.iter().filter(|lane| **lane == twin).count();
    assert!(count(&from) > 0 && count(&to) > 0, "{data}");
}

#[test]
fn a_run_too_long_for_a_page_is_refused() {
    let folder = folder("pages-long");
    let (scenario, page) = (folder.join("long.toml"), folder.join("long.html"));
    let text = "protocol = \"fd-heartbeat\"\nprocesses = 8\n[run]\nhorizon = \"500s\"\n";
    fs::write(&scenario, text).expect("a file");
    let (scenario, path) = (scenario.to_str().expect("a path"), page.to_str().expect("a path"));
    let refused = ftsim(&["replay", scenario, "--seed", "1", "--html", path]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("viewers show at most 200,000"), "{told}");
    assert!(!page.exists());
}

#[test]
fn a_page_says_from_which_step_on_it_leaves_out_states() {
    let folder = folder("pages-states");
    let (scenario, page) = (folder.join("states.toml"), folder.join("states.html"));
    let text = "protocol = \"primary-backup\"\n[processes]\nserver = 3\nclient = 3\n\
                [workload]\noperations = 300\n[run]\nhorizon = \"30s\"\n";
    fs::write(&scenario, text).expect("a file");
    let (scenario, path) = (scenario.to_str().expect("a path"), page.to_str().expect("a path"));
    let drawn = ftsim(&["replay", scenario, "--seed", "1", "--html", path]);
    assert!(drawn.status.success(), "{drawn:?}");
    let page = fs::read_to_string(&page).expect("a page");
    let data = data(&page);
    let end = data["about"]["states_end"].as_u64().expect("states are left out");
    let (mut number, mut last) = (0, 0);
    let numbers = data["steps"]["number"].as_array().expect("a column");
    for (difference, changes) in numbers.iter().zip(data["steps"]["changes"].as_array().unwrap()) {
        number += difference.as_u64().expect("a number");
        if changes != 0 {
            last = number;
        }
    }
    assert!(last < end && end < number, "{last} {end} {number}");
    let notice = data["about"]["notices"][0].as_str().expect("a notice");
    assert!(notice.contains("no states are shown"), "{notice}");
    // Also for a reader without scripts.
    assert!(page.split_once("</noscript>").is_some_and(|(head, _)| head.contains(notice)));
}

#[test]
fn the_page_of_a_story_tells_the_property_that_was_asked_for() {
    let file = folder("pages-story").join("story.html");
    let page = file.to_str().expect("a path");
    let scenario = "scenarios/split-brain-one-way.toml";
    let property = "dur.acked-survives";
    let arguments = ["explain", scenario, "--seed", "1", "--property", property, "--html", page];
    let told = ftsim(&arguments);
    assert!(told.status.success(), "{told:?}");
    let data = data(&fs::read_to_string(&file).expect("a page"));
    assert_eq!(data["story"]["property"], property);
    assert!(data["story"]["needs"].as_array().is_some_and(|needs| !needs.is_empty()));
    let both = ["explain", scenario, "--seed", "1", "--html", page, "--format", "mermaid"];
    assert_eq!(ftsim(&both).status.code(), Some(2), "one or the other");
    let nowhere = ["replay", scenario, "--seed", "1", "--html", "/nowhere/at/all.html"];
    assert_eq!(ftsim(&nowhere).status.code(), Some(2));
}

#[test]
fn the_page_of_a_record_draws_what_the_page_of_the_run_draws_without_states() {
    let folder = folder("pages-record");
    let [record, page, other] = ["a run.rec", "record.html", "run.html"]
        .map(|name| folder.join(name).to_str().expect("a path").to_owned());
    let run = ["scenarios/split-brain-one-way.toml", "--seed", "1"];
    let ok = |arguments: &[&str]| {
        let output = ftsim(arguments);
        assert!(output.status.success(), "{output:?}");
    };
    ok(&[&["record"], &run[..], &["-o", &record]].concat());
    ok(&["show", &record, "--html", &page]);
    ok(&[&["replay"], &run[..], &["--html", &other]].concat());
    let [recorded, replayed] =
        [page, other].map(|file| data(&fs::read_to_string(file).expect("a page")));
    for same in ["lane", "number", "at", "cause", "parts"] {
        assert_eq!(recorded["steps"][same], replayed["steps"][same], "{same}");
    }
    assert_eq!(recorded["messages"]["heard"], replayed["messages"]["heard"]);
    assert_eq!(recorded["changes"]["field"], serde_json::json!([]));
    for same in ["scenario", "seed", "protocol", "problem", "mutant", "digest", "events"] {
        assert_eq!(recorded["about"][same], replayed["about"][same], "{same}");
    }
    let verdicts = |data: &Value| {
        let verdicts = data["verdicts"].as_array().expect("verdicts").iter();
        verdicts.map(|v| [v["property"].clone(), v["verdict"].clone(), v["text"].clone()]).collect()
    };
    let of_both: [Vec<_>; 2] = [&recorded, &replayed].map(verdicts);
    assert_eq!(of_both[0], of_both[1]);
    assert_eq!(recorded["story"]["roots"], replayed["story"]["roots"]);
    let notice = recorded["about"]["notices"][0].as_str().expect("a notice");
    assert!(notice.contains("holds no states"), "{notice}");
    let command = recorded["about"]["command"].as_str().expect("a command");
    assert!(command.contains(" show '") && command.ends_with("a run.rec'"), "{command}");
    let both = ["show", &record, "--html", "x.html", "--steps", "1..2"];
    assert_eq!(ftsim(&both).status.code(), Some(2), "one or the other");
}

#[test]
fn the_page_of_two_runs_says_where_they_part() {
    let folder = folder("pages-diff");
    let other = folder.join("later.toml");
    let text = fs::read_to_string("scenarios/split-brain-one-way.toml").expect("a scenario");
    fs::write(&other, text.replace("211ms", "216ms")).expect("a file");
    let [other, page] =
        [other, folder.join("diff.html")].map(|path| path.to_str().expect("a path").to_owned());
    let runs = ["diff", "scenarios/split-brain-one-way.toml", &other, "--seed", "1"];
    let drawn = ftsim(&[&runs[..], &["--html", &page]].concat());
    assert_eq!(drawn.status.code(), Some(1), "{drawn:?}");
    assert!(drawn.stdout.is_empty());
    let pair = data(&fs::read_to_string(&page).expect("a page"));
    let agree = index(&pair["agree"]);
    let column = |side: usize, field: &str| {
        pair["runs"][side]["steps"][field].as_array().expect("a column").clone()
    };
    for field in ["number", "at", "lane", "cause"] {
        assert_eq!(column(0, field)[..agree], column(1, field)[..agree], "{field}");
    }
    assert_ne!(column(0, "lane")[agree], column(1, "lane")[agree]);
    // The fault of the one run strikes first; in the other a request is next.
    let event = |side: usize| {
        let first = &pair["first"][side];
        assert_eq!(first["step"], agree);
        let before: usize = column(side, "parts")[..agree].iter().map(index).sum();
        let part = before + index(&first["part"]);
        pair["events"][index(&pair["runs"][side]["parts"]["event"][part])].clone()
    };
    assert_eq!([event(0), event(1)], ["begins", "request"]);
    let told = ftsim(&runs);
    assert_eq!(told.status.code(), Some(1));
    let told = String::from_utf8(told.stdout).expect("text");
    assert!(told.contains("BEGINS partition {p0} -> {p1}"), "{told}");
    let command = pair["command"].as_str().expect("a command");
    assert!(command.ends_with(" --seed 1") && command.contains(" diff scenarios/"), "{command}");
    let same = ["diff", runs[1], runs[1], "--seed", "1", "--html", &page];
    assert_eq!(ftsim(&same).status.code(), Some(0));
    let pair = data(&fs::read_to_string(&page).expect("a page"));
    assert_eq!(pair["first"], serde_json::json!([null, null]));
    let nowhere = [&runs[..], &["--html", "/nowhere/at/all.html"]].concat();
    assert_eq!(ftsim(&nowhere).status.code(), Some(2));
}
