//! `ftsim report`: the results of a sweep on a page.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn ftsim(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ftsim")).args(arguments).output().expect("ftsim starts")
}

fn stdout(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The error of a command that must fail with status 2.
fn bad(arguments: &[&str]) -> String {
    let output = ftsim(arguments);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An empty folder for this test.
fn temporary(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Sweeps a scenario with a mutant that fails in about half of all runs.
fn sweep(folder: &Path, file: &Path, seeds: &str) {
    let (file, out) = (file.display().to_string(), folder.display().to_string());
    let args = ["sweep", &file, "--seeds", seeds, "--out", &out, "--shrink", "off"];
    let swept = ftsim(&args);
    assert!(swept.status.code().is_some_and(|code| code < 2), "{swept:?}");
}

const FIFO: &str = r#"
protocol  = "fifo-broadcast"
summary   = "</title><script>alert(1)</script> & \u001b[31m \u202e hostile"
processes = 3
[params]
mutant = "arrival-order"
[network]
delay = "1ms..20ms"
[workload]
senders    = ["p0"]
broadcasts = 2
every      = "DELAY"
[[fault]]
at    = "900ms"
crash = "p2"
[[fault]]
when  = { process = "p1", sends = "Data", nth = 99 }
crash = "p1"
[run]
horizon = "1s"
[expect]
violated = ["bc.fifo"]
vacuous  = []
"#;

fn page(folder: &Path, args: &[&str]) -> String {
    let out = folder.join("page.html").display().to_string();
    let all = [&["report"], args, &["-o", &out]].concat();
    let done = ftsim(&all);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    fs::read_to_string(&out).expect("a page")
}

#[test]
fn the_page_of_a_sweep_has_its_verdict_failures_costs_and_faults_and_runs_nothing() {
    let folder = temporary("report");
    let scenario = folder.join("fifo.toml");
    fs::write(&scenario, FIFO.replace("DELAY", "1ms")).expect("a file");
    let results = folder.join("sweep");
    sweep(&results, &scenario, "1..101");
    let results = results.display().to_string();
    let text = page(&folder, &[&results]);
    for part in [
        "100 runs",
        "bc.fifo",
        "bc.fifo</code> in fifo",
        "class=\"run-drawing",
        ", messages per run 12, steps per run ",
        "never struck",
        "<td>p1</td><td>never</td><td>100</td>",
        "default-src 'none'",
        "href=\"page-runs/fifo-1.html\"",
        "--seeds 1..101",
        "&lt;script&gt;alert(1)",
        "\\u{202e}",
    ] {
        assert!(text.contains(part), "{part} is not in the page");
    }
    let loads = text.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for part in ["<script", "http:", "https:", "\u{1b}", "\u{202e}"] {
        assert!(!loads.contains(part), "{part:?} is in the page");
    }
    let run = fs::read_to_string(folder.join("page-runs/fifo-1.html")).expect("the page of a run");
    assert!(run.contains("bc.fifo"));
    assert_eq!(text, page(&folder, &[&results]), "the same results give the same bytes");
}

#[test]
fn a_comparison_tells_what_is_significant_and_what_is_not() {
    let folder = temporary("against");
    let scenario = folder.join("fifo.toml");
    let swept = |name: &str, delay: &str, seeds: &str| {
        fs::write(&scenario, FIFO.replace("DELAY", delay)).expect("a file");
        let results = folder.join(name);
        sweep(&results, &scenario, seeds);
        results.display().to_string()
    };
    let often = swept("often", "1ms", "1..101");
    let again = swept("again", "1ms", "101..201");
    let never = swept("never", "50ms", "1..101");
    let headline = |now: &str, before: &str| {
        let out = folder.join("page.html").display().to_string();
        stdout(&ftsim(&["report", now, "--against", before, "-o", &out]))
    };
    let better = headline(&never, &often);
    assert!(better.contains("0 violated more often, 1 less often; 0 new and 1 gone"), "{better}");
    let worse = headline(&often, &never);
    assert!(worse.contains("1 violated more often, 0 less often; 1 new and 0 gone"), "{worse}");
    let same = headline(&again, &often);
    assert!(same.contains("0 violated more often, 0 less often; 0 new and 0 gone"), "{same}");
    let text = page(&folder, &[&never, "--against", &often]);
    assert!(text.contains("violated less often") && text.contains("&lt; 0.0001"));
}

#[test]
fn what_is_no_sweep_is_refused() {
    let folder = temporary("no-report");
    let out = folder.join("page.html").display().to_string();
    let path = folder.display().to_string();
    assert!(bad(&["report", &path, "-o", &out]).contains("contains no results"));
    assert!(bad(&["report", "nowhere", "-o", &out]).contains("nowhere"));
    fs::create_dir_all(folder.join("fifo")).expect("a folder");
    fs::write(folder.join("fifo/results.jsonl"), "{}\n").expect("a file");
    bad(&["report", &path, "-o", &out]);
    assert!(!Path::new(&out).exists());
}

#[test]
fn scenarios_by_properties_are_one_table_whose_cells_lead_to_the_scenarios() {
    let folder = temporary("matrix");
    let results = folder.join("sweep");
    let beb = "protocol = \"beb\"\nprocesses = 3\n[network]\ndelay = \"1ms\"\n";
    for (name, text) in [("fifo", FIFO.replace("DELAY", "1ms")), ("beb", beb.to_owned())] {
        let file = folder.join(format!("{name}.toml"));
        fs::write(&file, text).expect("a file");
        sweep(&results, &file, "1..51");
    }
    let text = page(&folder, &[&results.display().to_string()]);
    let (_, matrix) = text.split_once("<div class=\"matrix\"").expect("a table of all scenarios");
    let (matrix, rest) = matrix.split_once("</div>").expect("its end");
    assert_eq!(matrix.matches("<th scope=\"row\">").count(), 2);
    let columns = matrix.matches("<th scope=\"col\"").count();
    let cells = matrix.matches("<td").count();
    // The corner is a cell, too; the first column has the names.
    assert_eq!(cells - 1, 2 * (columns - 1), "a row has a cell for each property");
    assert!(matrix.matches("<td></td>").count() > 1, "what a scenario does not judge is empty");
    for part in ["bc.fifo in fifo: held ", " %), as expected", "(✗)", "✓", "colspan="] {
        assert!(matrix.contains(part), "{part} is not in {matrix}");
    }
    for link in matrix.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(rest.contains(&format!("<article id=\"{link}\"")), "{link} leads nowhere");
    }
    // What shares no property has a table of its own, and a single scenario needs none.
    let link = folder.join("link.toml");
    let lossy = [("NAME", "link"), ("DELAY", "9ms"), ("COUNT", "1")];
    let lossy = lossy.into_iter().fold(LOSSY.to_owned(), |text, (from, to)| text.replace(from, to));
    fs::write(&link, lossy).expect("a file");
    sweep(&results, &link, "1..51");
    let tables = |count: usize| {
        let text = page(&folder, &[&results.display().to_string()]);
        assert_eq!(text.matches("<div class=\"matrix\"").count(), count);
    };
    tables(2);
    fs::remove_dir_all(results.join("beb")).expect("results");
    tables(2);
    fs::remove_dir_all(results.join("link")).expect("results");
    tables(0);
}

/// The cells of the rows of a table, as texts.
fn cells(table: &str) -> Vec<Vec<String>> {
    let cells = |row: &str| {
        let ends = row.split("</td>").flat_map(|part| part.split("</th>"));
        let text = |cell: &str| cell.rsplit('>').next().unwrap_or_default().to_owned();
        ends.map(text).collect::<Vec<_>>()
    };
    table.split("</tr>").map(cells).collect()
}

#[test]
fn faults_are_counted_by_victim_and_by_what_it_had_handled_last() {
    let folder = temporary("struck");
    let scenario = folder.join("random.toml");
    let random = "protocol = \"eager-rb\"\nprocesses = 5\n[network]\ndelay = \"1ms..10ms\"\n\
        [random]\nmax_faulty = 4\ncrash = { count = \"0..4\", between = \"0ms..40ms\" }\n\
        [run]\nhorizon = \"1s\"\n";
    fs::write(&scenario, random).expect("a file");
    let struck = |seeds: &str| {
        let results = folder.join(format!("sweep-{seeds}"));
        sweep(&results, &scenario, seeds);
        let text = page(&folder, &[&results.display().to_string()]);
        let (_, table) = text.split_once("<div class=\"matrix struck\"").expect("the faults");
        let (head, _) = table.split_once("</table>").expect("its end");
        (cells(head), text)
    };
    let (rows, text) = struck("1..101");
    let head: Vec<&str> = rows[0].iter().map(String::as_str).collect();
    assert_eq!(head[..4], ["fault", "victim", "struck", "planned"]);
    assert!(head.contains(&"after Data") && head.contains(&"during Data"), "{head:?}");
    assert!(!text.contains("phases in the first"), "all of them were looked at");
    let number = |cell: &String| cell.parse::<u64>().unwrap_or(0);
    let rows: Vec<_> = rows[1..].iter().filter(|row| row.len() > 4).collect();
    assert_eq!(rows.len(), 5, "one for each process");
    for (p, row) in rows.iter().enumerate() {
        assert_eq!(row[..2], ["crash".to_owned(), format!("p{p}")]);
        let (struck, planned) = (number(&row[2]), number(&row[3]));
        assert!(0 < struck && struck <= planned, "{row:?}");
        assert_eq!(row[4..].iter().map(number).sum::<u64>(), struck, "{row:?}");
    }
    let (more, text) = struck("1..201");
    assert!(text.contains("200 runs, phases in the first 100"));
    let sum = |rows: &[Vec<String>], column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(number).sum::<u64>()
    };
    let old: Vec<Vec<String>> = rows.into_iter().cloned().collect();
    assert!(sum(&more, 2) > sum(&old, 2), "more runs, more faults");
    assert_eq!(sum(&more, 4), sum(&old, 4), "the phases are those of the same runs");
}

/// A link on which half of all messages are lost.
const LOSSY: &str = r#"
protocol  = "reliable-link"
summary   = "NAME"
processes = 2
[network]
delay = "1ms..DELAY"
loss  = 0.5
[workload]
messages = COUNT
[[fault]]
at    = "20ms"
pause = "p1"
resume_after = "30ms"
[run]
horizon = "2s"
"#;

#[test]
fn figures_are_curves_and_scenarios_that_differ_in_one_number_a_series() {
    let folder = temporary("figures");
    let results = folder.join("sweep");
    let scenario = |name: &str, delay: &str, count: &str| {
        let file = folder.join(format!("{name}.toml"));
        let text = LOSSY.replace("NAME", name).replace("DELAY", delay).replace("COUNT", count);
        fs::write(&file, text).expect("a file");
        sweep(&results, &file, "1..51");
    };
    scenario("few", "9ms", "5");
    scenario("many", "9ms", "20");
    scenario("other", "8ms", "7");
    let text = page(&folder, &[&results.display().to_string()]);
    for part in [
        "latency of an operation: least ",
        "longest latency of a run: least ",
        "Always the same: time with a process down 30ms",
        "share of 50 runs",
        "operations were answered before the end of the run",
        "<code>workload.messages</code> of reliable-link",
        "over workload.messages: 5: ",
        "; 20: ",
    ] {
        assert!(text.contains(part), "{part} is not in the page");
    }
    assert_eq!(text.matches(" of reliable-link</h3>").count(), 1);
    assert!(!text.contains("; 7: "), "the third differs in more than one number");
    assert!(!text.contains("time with no process up"), "one was always up");
    assert!(!text.contains("over workload.messages: 5: 30ms"), "what is the same is not drawn");
}
