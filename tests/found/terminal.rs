//! What the program writes: to whom, how much, and nothing that a terminal or a CI service obeys.

mod readme;

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use ftsim::Catalogue;
use ftsim_core::NoParams;
use ftsim_core::{Bound, Cx, Model, Never, Process, ProcessId, Protocol, Setting};
use ftsim_protocols::spec::broadcast::{Broadcast, Indication, MessageNumber, Request};
use serde::{Deserialize, Serialize};

/// A text that clears the screen, sets a title, rings, colours, ends the line and gives a command
/// to a CI service.
const EVIL: &str =
    "\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}31m\u{85}\u{2028}\u{202e}\u{2066}\r\n::error::pwned\n**b**";

/// The same as a TOML string says it, apart from U+009B, which stands there as it is.
const EVIL_TOML: &str =
    r"\u001b[2J\u001b]0;t\u0007›31m\u0085\u2028\u202e\u2066\r\n::error::pwned\n**b**";

const MODEL: Model = Model::ASYNCHRONOUS.crash_recovery(Bound::ALL_BUT_ONE.given_as(EVIL, 0));

/// What its processes send each other.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Msg {
    Data(MessageNumber),
}

impl fmt::Debug for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Data(number) = self;
        write!(f, "Data({number}{EVIL})")
    }
}

/// Says evil things, and sends to the first two processes only. `PANICS` at a second request.
#[derive(Clone, Hash)]
struct Evil<const PANICS: bool> {
    asked: bool,
}

impl<const PANICS: bool> fmt::Debug for Evil<PANICS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Evil {{ asked: {}, {EVIL} }}", self.asked)
    }
}

impl<const PANICS: bool> Process for Evil<PANICS> {
    type Spec = Broadcast;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;
    fn on_request(&mut self, Request::Broadcast(number): Request, cx: &mut Cx<Self>) {
        cx.note(EVIL);
        cx.reach(EVIL);
        assert!(!(PANICS && self.asked), "{EVIL}");
        self.asked = true;
        for to in [ProcessId(0), ProcessId(1)] {
            cx.send(to, Msg::Data(number));
        }
    }
    fn on_message(&mut self, sender: ProcessId, Msg::Data(number): Msg, cx: &mut Cx<Self>) {
        cx.indicate(Indication::Deliver { sender, number });
    }
}

impl<const PANICS: bool> Protocol for Evil<PANICS> {
    const NAME: &'static str = if PANICS { "evil-panic" } else { "evil" };
    const SUMMARY: &'static str = EVIL;
    const SOURCE: &'static str = EVIL;
    fn model(_: &NoParams, _: &Setting) -> Model {
        MODEL
    }
    type Params = NoParams;
    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self { asked: false }
    }
}

/// Prints at every request, more than a pipe holds before somebody reads.
#[derive(Clone, Debug, Hash)]
struct Printer;

impl Process for Printer {
    type Spec = Broadcast;
    type Msg = u8;
    type Timer = Never;
    type Record = Never;
    fn on_request(&mut self, request: Request, _: &mut Cx<Self>) {
        println!("debugging {request:?}");
    }
    fn on_message(&mut self, _: ProcessId, _: u8, _: &mut Cx<Self>) {}
}

impl Protocol for Printer {
    const NAME: &'static str = "printer";
    const SUMMARY: &'static str = "prints";
    const SOURCE: &'static str = "none";
    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS
    }
    type Params = NoParams;
    fn new(_: &NoParams, _: &Setting, _: ProcessId) -> Self {
        Self
    }
}

/// Stands between what the test harness prints and what the program does.
const BEGIN: &str = "<<<< the program begins >>>>\n";
const ARGUMENTS: &str = "FTSIM_FOUND_ARGUMENTS";

/// The program with the protocols above, when [`own`] starts it; no test otherwise.
#[test]
fn program_with_protocols_of_its_own() {
    #[expect(clippy::disallowed_methods, reason = "this is how the test above starts itself")]
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return };
    print!("{BEGIN}");
    std::io::stdout().flush().expect("somebody reads");
    let arguments = ["ftsim"].into_iter().chain(arguments.split('\u{1f}')).map(OsString::from);
    let catalogue =
        Catalogue::builtin().with::<Evil<false>>().with::<Evil<true>>().with::<Printer>();
    std::process::exit(ftsim::main_with(arguments, &catalogue).into());
}

/// The command that runs the program with the protocols above.
fn own(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this test has a file"));
    command.args(["--exact", "terminal::program_with_protocols_of_its_own", "--nocapture"]);
    command.env(ARGUMENTS, arguments.join("\u{1f}")).env_remove("GITHUB_ACTIONS");
    command.current_dir(folder);
    command
}

/// What the program says behind the words of the test harness, and on stderr.
fn said(output: &Output) -> String {
    let out = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    let out = out.split_once(BEGIN).expect("the program began").1;
    format!("{out}{}", String::from_utf8(output.stderr.clone()).expect("UTF-8"))
}

fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("found-terminal").join(test);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("a folder of ours");
    }
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn ftsim(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ftsim"));
    command.current_dir(folder).args(arguments).env_remove("GITHUB_ACTIONS");
    command
}

/// Whether a terminal may take it for something else than a character.
fn is_obeyed(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}'..='\u{202e}')
        || ('\u{2066}'..='\u{206f}').contains(&c)
}

#[track_caller]
fn assert_harmless(text: &str, whose: &str) {
    for line in text.split('\n') {
        let obeyed = line.chars().find(|c| is_obeyed(*c));
        assert_eq!(obeyed, None, "{whose}: {line:?}");
        assert!(!line.trim_start().starts_with("::"), "{whose}: {line:?}");
    }
}

fn evil_scenario(protocol: &str, rest: &str) -> String {
    let evil = EVIL_TOML.replace('›', "\u{9b}");
    format!(
        r#"
protocol = "{protocol}"
summary = "{evil}"
reference = "{evil}"
processes = 3
check = ["rb.agreement"]
[workload]
broadcasts = 2
[[fault]]
when = {{ process = "p0", sends = "Data{evil}", nth = 2 }}
crash = "p0"
[[fault]]
at = "5s"
crash = "p2"
recover_after = "1s"
[[message]]
link = "p0 -> p1"
kind = "K{evil}"
nth = 1
drop = true
[run]
seeds = 3
{rest}
[expect]
reached = ["{evil}", "x{evil}"]
"#
    )
}

#[test]
fn foreign_text_is_never_obeyed_whatever_writes_it() {
    let folder = folder("hostile");
    let file = format!("x{}.toml", EVIL.replace('/', ""));
    fs::write(folder.join(&file), evil_scenario("evil", "")).expect("a file");
    fs::write(folder.join("x.toml"), evil_scenario("evil", "")).expect("a file");
    fs::write(folder.join("panic.toml"), evil_scenario("evil-panic", "")).expect("a file");
    let misspelt = evil_scenario("evil", "").replace("processes", "proceses");
    fs::write(folder.join("misspelt.toml"), misspelt).expect("a file");
    let unknown = evil_scenario("evil", "").replace("reached", "violated");
    fs::write(folder.join("unknown.toml"), unknown).expect("a file");
    fs::write(folder.join("protocol.toml"), evil_scenario(EVIL_TOML, "")).expect("a file");
    let cases: &[&[&str]] = &[
        &["run", "x.toml", "panic.toml", &file, "--figures"],
        &["run", "x.toml", "panic.toml", &file, "--format", "json"],
        &["run", EVIL],
        &["run", "x.toml", "--seeds", EVIL],
        &[EVIL],
        &["replay", &file, "--seed", "1"],
        &["replay", "panic.toml", "--seed", "1"],
        &["replay", &file, "--seed", "1", "--format", "jsonl"],
        &["explain", &file, "--seed", "1"],
        &["explain", "x.toml", "--seed", "1", "--format", "mermaid"],
        &["explain", "panic.toml", "--seed", "1"],
        &["explain", "x.toml", "--seed", "1", "--property", EVIL],
        &["shrink", "x.toml", "--seed", "1", "--budget", "2s"],
        &["shrink", &file, "--property", EVIL],
        &["diff", "x.toml", &file, "--seed", "1"],
        &["diff", "x.toml", "panic.toml", "--seed", "1"],
        &["record", &file, "--seed", "1", "-o", "run.rec"],
        &["show", "run.rec"],
        &["show", "run.rec", "--format", "jsonl"],
        &["check", &file, "misspelt.toml", "unknown.toml", "protocol.toml", EVIL],
        &["list"],
        &["list", "--format", "json"],
        &["describe", "evil"],
        &["describe", "evil", "--format", "json"],
        &["describe", EVIL],
        &["sweep", "x.toml", "panic.toml", "--out", "out", "--junit", "j.xml", "--shrink", "2s"],
        &["sweep", &file, "--out", "evil", "--shrink", "off"],
        &["merge", "out", "--out", "merged", "--junit", "j2.xml"],
        &["merge", EVIL, "--out", "merged2"],
    ];
    for arguments in cases {
        let output = own(&folder, arguments).output().expect("it starts");
        let said = said(&output);
        let code = output.status.code();
        assert!(code.is_some_and(|code| code < 5), "{arguments:?}: {code:?}\n{said}");
        assert!(!said.trim().is_empty(), "{arguments:?}");
        assert_harmless(&said, &format!("{arguments:?}"));
    }
    for file in ["j.xml", "j2.xml"] {
        let text = fs::read_to_string(folder.join(file)).expect("UTF-8");
        assert_harmless(&text, file);
    }
}

#[test]
fn commands_for_a_ci_service_are_ours_alone() {
    let folder = folder("hostile-ci");
    fs::write(folder.join("x.toml"), evil_scenario("evil", "")).expect("a file");
    let arguments = ["sweep", "x.toml", "--out", "out", "--shrink", "off"];
    let mut command = own(&folder, &arguments);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", "summary.md");
    let said = said(&command.output().expect("it starts"));
    let (commands, others): (Vec<&str>, Vec<&str>) =
        said.split('\n').partition(|line| line.starts_with("::"));
    assert_harmless(&others.join("\n"), "the report");
    assert!(!commands.is_empty());
    for command in commands {
        assert!(command.starts_with("::error file=x.toml,title=x%3A "), "{command}");
        assert!(!command.contains(is_obeyed), "{command:?}");
    }
    let summary = fs::read_to_string(folder.join("summary.md")).expect("UTF-8");
    assert_harmless(&summary, "the summary");
    assert!(summary.contains(r"\*\*b\*\*") && !summary.contains("**b**"), "{summary}");
}

/// Runs a command in a terminal of so many columns.
#[cfg(target_os = "linux")]
fn in_terminal(folder: &Path, columns: u32, command: &str) -> String {
    let shell = format!("stty rows 24 cols {columns}; {command}");
    let mut script = Command::new("script");
    script.args(["-qec", &shell, "/dev/null"]).current_dir(folder).env("TERM", "xterm");
    let output = script.stdin(Stdio::null()).output().expect("script of util-linux");
    String::from_utf8(output.stdout).expect("UTF-8").replace("\r\n", "\n")
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_every_escape_is_one_of_our_colours() {
    let folder = folder("hostile-terminal");
    fs::write(folder.join("x.toml"), evil_scenario("beb", "")).expect("a file");
    let program = env!("CARGO_BIN_EXE_ftsim");
    for arguments in ["run x.toml", "replay x.toml --seed 1", "check none.toml", "--help"] {
        let shown = in_terminal(&folder, 80, &format!("{program} {arguments}"));
        assert!(shown.contains("\u{1b}["), "{arguments} has colours: {shown:?}");
        let mut plain = String::new();
        for (index, part) in shown.split("\u{1b}[").enumerate() {
            let codes = part.split_once('m').filter(|_| index > 0);
            let is_style = |codes: &str| codes.chars().all(|c| c.is_ascii_digit() || c == ';');
            match codes {
                _ if index == 0 => plain.push_str(part),
                Some((codes, rest)) if is_style(codes) => plain.push_str(rest),
                // The progress bar moves the cursor, and clears its own lines.
                _ => plain.push_str(part.trim_start_matches(['1', '2', 'K', 'A'])),
            }
        }
        assert_harmless(&plain.replace('\r', ""), arguments);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn text_is_as_wide_as_the_terminal() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = env!("CARGO_BIN_EXE_ftsim");
    for (columns, arguments) in [
        (80, "list"),
        (60, "describe two-phase-commit"),
        (80, "run scenarios/sender-dies-in-mid-broadcast.toml --quiet"),
        (80, "explain scenarios/sender-dies-in-mid-broadcast.toml --seed 1"),
        (70, "explain scenarios/2pc-blocked.toml --seed 1 --property ac.nonblocking"),
    ] {
        let shown = in_terminal(folder, columns, &format!("{program} {arguments} 2>/dev/null"));
        for line in anstream::adapter::strip_str(&shown).to_string().lines() {
            let width = u32::try_from(line.chars().count()).expect("a line");
            assert!(width <= columns, "{arguments}: {width} of {columns} columns: {line}");
        }
    }
}

#[test]
fn a_protocol_can_print() {
    let folder = folder("printer");
    let text = "protocol = \"printer\"\nprocesses = 4\n[workload]\nbroadcasts = 4\n\
                [expect]\nvacuous = [\"rb.no-duplication\", \"rb.no-creation\"]\n";
    fs::write(folder.join("x.toml"), text).expect("a file");
    for arguments in [
        &["run", "x.toml", "--seeds", "200", "--jobs", "2"][..],
        &["sweep", "x.toml", "--seeds", "200", "--jobs", "2", "--out", "out"],
    ] {
        let mut command = own(&folder, arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let output = ends(child.expect("it starts"));
        let said = said(&output);
        // A sweep runs its examples again.
        let count = said.matches("debugging Broadcast(").count();
        assert!(count >= 200 * 4 * 4, "{arguments:?}: {count}");
        assert!(said.contains("x.toml  printer  200 seeds"), "{said}");
    }
}

/// Waits for a child that may hang.
#[expect(clippy::disallowed_types, reason = "a hang shows on a wall clock only")]
fn ends(mut child: Child) -> Output {
    use std::io::Read as _;
    let (mut out, mut err) = (child.stdout.take().expect("a pipe"), child.stderr.take());
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        out.read_to_end(&mut bytes).map(|_| bytes)
    });
    let start = std::time::Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if start.elapsed().as_secs() > 120 {
            child.kill().expect("a child");
            panic!("it hangs");
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    let stdout = reader.join().expect("a reader").expect("a pipe");
    let mut stderr = Vec::new();
    err.iter_mut().for_each(|err| drop(err.read_to_end(&mut stderr)));
    Output { status, stdout, stderr }
}

/// A sender that dies in mid-broadcast, which nobody expects.
const BREAKS: &str = r#"
protocol = "beb"
processes = 4
check = ["rb.agreement"]
[workload]
senders = ["p0", "p3"]
[[fault]]
when = { process = "p0", sends = "Data", nth = 2 }
crash = "p0"
[run]
seeds = 20
"#;

/// Ends of output at which its reader goes away.
#[test]
fn whoever_stops_reading_changes_nothing_about_the_status() {
    let folder = folder("pipe");
    fs::write(folder.join("bad.toml"), BREAKS).expect("a file");
    let good = format!("{BREAKS}[expect]\nviolated = [\"rb.agreement\"]\n");
    fs::write(folder.join("good.toml"), good).expect("a file");
    // A row a file: more than any pipe or buffer holds.
    let many: Vec<&str> = std::iter::repeat_n("bad.toml", 600).collect();
    let run = |files: &[&'static str]| [&["run", "--seeds", "1"][..], files].concat();
    let cases = [
        (run(&["bad.toml"]), 1),
        (run(&["good.toml"]), 0),
        (run(&many), 1),
        (vec!["replay", "bad.toml", "--seed", "1"], 0),
        (vec!["explain", "bad.toml", "--seed", "1"], 0),
        (vec!["diff", "bad.toml", "good.toml", "--seed", "1", "--other-seed", "2"], 1),
        (vec!["list", "--format", "json"], 0),
        (vec!["--help"], 0),
    ];
    for (arguments, status) in cases {
        for read in [0, 1, 100] {
            let mut command = ftsim(&folder, &arguments);
            let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
            let mut child = child.expect("ftsim starts");
            let mut out = child.stdout.take().expect("a pipe");
            let mut bytes = vec![0; read];
            std::io::Read::read_exact(&mut out, &mut bytes).expect("some output");
            drop(out);
            let output = child.wait_with_output().expect("ftsim ends");
            assert_eq!(output.status.code(), Some(status), "{arguments:?}, {read} bytes");
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_told_and_no_bug() {
    let folder = folder("full");
    fs::write(folder.join("x.toml"), BREAKS).expect("a file");
    for arguments in [
        &["run", "x.toml"][..],
        &["replay", "x.toml", "--seed", "1"],
        &["list"],
        &["schema"],
        &["--help"],
        &["--version"],
    ] {
        let full = fs::File::options().write(true).open("/dev/full").expect("a device of Linux");
        let output = ftsim(&folder, arguments).stdout(full).output().expect("ftsim starts");
        let message = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(message.starts_with("error: cannot write"), "{arguments:?}: {message}");
    }
}

#[test]
#[expect(clippy::disallowed_types, reason = "how long it takes is what was wrong")]
fn what_is_wrong_with_a_file_is_told_in_bounds() {
    let folder = folder("bounded");
    let names: String = (0..20_000).map(|i| format!("\"rb.validty{i}\",")).collect();
    let many = format!("protocol = \"beb\"\nprocesses = 3\n[expect]\nviolated = [{names}]\n");
    let long = format!("protocol = \"{}\"\nprocesses = 3\n", "beb".repeat(400_000));
    let far = format!(
        "protocol = \"beb\"\nprocesses = 3\nnetwork = {{ order = \"fifo\",{} dealy = \"1ms\" }}\n",
        " ".repeat(1_000_000)
    );
    for (name, text, told) in [
        ("many", many, "error: 19980 more errors are not shown\n--> x.toml\n"),
        ("long", long, "error: unknown protocol `bebbeb"),
        ("far", far, "--> x.toml:3:1000029\n"),
    ] {
        fs::write(folder.join("x.toml"), text).expect("a file");
        let start = std::time::Instant::now();
        let output = ftsim(&folder, &["check", "x.toml"]).output().expect("ftsim starts");
        let seconds = start.elapsed().as_secs_f64();
        let message = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(message.contains(told), "{name}: {message}");
        let width = message.lines().map(|line| line.chars().count()).max();
        assert!(message.len() < 20_000 && width < Some(1_200), "{name}: {}", message.len());
        // It takes some 50 ms; it took 40 s.
        assert!(seconds < 5.0, "{name}: {seconds} s");
    }
}

/// Sends an interrupt to a run that takes long, once it has begun.
#[cfg(unix)]
#[test]
fn a_run_that_is_interrupted_writes_what_was_finished() {
    let folder = folder("interrupted");
    fs::write(folder.join("x.toml"), BREAKS).expect("a file");
    fs::write(folder.join("y.toml"), BREAKS).expect("a file");
    let arguments = ["run", "x.toml", "y.toml", "--seeds", "1000000000"];
    let mut command = ftsim(&folder, &arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.expect("ftsim starts");
    std::thread::sleep(std::time::Duration::from_secs(2));
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill starts").success());
    let output = ends(child);
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(130), "{out}{err}");
    assert_eq!(err, "error: interrupted; 1 scenario not started\n");
    assert!(out.starts_with("UNEXPECTED  x.toml  beb  "), "{out}");
    let runs = out.lines().find_map(|line| line.strip_prefix("1 scenario, ")).expect("a summary");
    let count: u64 = runs.split(' ').next().and_then(|n| n.parse().ok()).expect("a number");
    assert!((1..1_000_000_000).contains(&count), "{out}");
    assert!(!out.contains("y.toml"), "{out}");
}

#[test]
fn a_quiet_run_shows_what_is_not_as_expected_and_the_summary_names_it() {
    let folder = folder("quiet");
    let good = format!("{BREAKS}[expect]\nviolated = [\"rb.agreement\"]\n");
    fs::write(folder.join("good.toml"), good).expect("a file");
    fs::write(folder.join("bad.toml"), BREAKS).expect("a file");
    let run = |arguments: &[&str]| {
        let output = ftsim(&folder, arguments).output().expect("ftsim starts");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    assert_eq!(run(&["run", "good.toml", "--quiet"]), (Some(0), String::new()));
    assert_eq!(run(&["check", "good.toml", "--quiet"]), (Some(0), String::new()));
    let (code, text) = run(&["run", "good.toml", "bad.toml", "none.toml", "-q", "--seed", "1"]);
    assert_eq!(code, Some(2));
    assert!(text.starts_with("UNEXPECTED  bad.toml  "), "{text}");
    let summary = "\n2 scenarios, 2 runs: 1 as expected, 1 not\n\
                   not as expected: bad.toml\nunusable: none.toml\n";
    assert!(text.ends_with(summary), "{text}");
    assert!(!text.contains("good.toml"), "{text}");
}

#[test]
fn faults_of_one_table_are_told_in_one_row() {
    let folder = folder("faults");
    let text = "protocol = \"beb\"\nprocesses = 5\n[[fault]]\nat = \"900s\"\n\
                crash = [\"p0\", \"p1\", \"p2\"]\n[run]\nseeds = 1\nhorizon = \"1000s\"\n";
    fs::write(folder.join("x.toml"), text).expect("a file");
    let output = ftsim(&folder, &["replay", "x.toml"]).output().expect("ftsim starts");
    let replay = String::from_utf8(output.stdout).expect("UTF-8");
    let rows: Vec<&str> = replay.lines().filter(|line| line.starts_with("fault ")).collect();
    assert_eq!(rows.len(), 1, "{replay}");
    let never =
        "[[fault]]\nafter_effect = { process = \"p3\", nth = 900 }\ncrash = [\"p0\", \"p1\"]\n";
    fs::write(
        folder.join("y.toml"),
        text.replace("[[fault]]", never)
            .replace("at = \"900s\"\ncrash = [\"p0\", \"p1\", \"p2\"]\n", ""),
    )
    .expect("a file");
    let output = ftsim(&folder, &["run", "y.toml"]).output().expect("ftsim starts");
    let run = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(run.contains("y.toml: fault 1 never struck p0, p1 in any of 1 seed: "), "{run}");
}
