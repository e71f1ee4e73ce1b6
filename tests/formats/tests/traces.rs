//! Reads runs that `.ci/formats` wrote in the formats of other tools.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use clojure_reader::edn::{Edn, read_string};
use itf::de::{As, Integer};
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

const NAMES: [&str; 5] = [
    "2pc-blocked",
    "split-brain-one-way",
    "phase-king-twins",
    "uniform-rb-majority-lost",
    "hostile",
];

/// The folder that `.ci/formats` wrote.
#[expect(clippy::disallowed_methods, reason = "a test, not a run")]
fn folder() -> PathBuf {
    PathBuf::from(std::env::var("FTSIM_RUNS").expect("FTSIM_RUNS is set by .ci/formats"))
}

/// The runs in this format, with their names.
fn runs(format: &str) -> Vec<(&'static str, String)> {
    let folder = folder();
    let read = |name| {
        let path = folder.join(format!("{name}.{format}"));
        (name, fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
    };
    NAMES.map(read).into()
}

/// ShiViz's rules: every event matches the expression of the first line, has a clock with its own
/// host, which rises by one from event to event, and knows only of events that exist.
#[test]
#[ignore = "needs the files that .ci/formats writes"]
fn shiviz_reads_every_event_and_its_clock() {
    for (name, log) in runs("shiviz") {
        let (event, rest) = log.split_once('\n').expect("a first line");
        let (execution, rest) = rest.split_once('\n').expect("a second line");
        let event = Regex::new(&format!("^{event}$")).expect("an expression");
        let execution = Regex::new(execution).expect("an expression");
        let (head, events) = rest.split_once('\n').expect("a head");
        assert!(execution.is_match(head), "{name}: {head}");
        let mut latest: BTreeMap<String, u64> = BTreeMap::new();
        let mut received = 0;
        for line in events.lines() {
            let found = event.captures(line).unwrap_or_else(|| panic!("{name}: {line}"));
            let host = &found["host"];
            let clock: BTreeMap<String, u64> = serde_json::from_str(&found["clock"]).expect("JSON");
            assert!(!found["event"].is_empty() && found["time"].parse::<f64>().is_ok(), "{line}");
            let own = latest.entry(host.to_owned()).or_default();
            *own += 1;
            assert_eq!(clock[host], *own, "{name}: {line}");
            for (other, time) in &clock {
                assert!(latest.get(other).is_some_and(|known| time <= known), "{name}: {line}");
            }
            received += usize::from(clock.len() > 1);
        }
        assert!(latest.len() > 1 && received > 2, "{name}");
    }
}

/// The events of a trace of a phase.
fn of_phase<'t>(trace: &'t Value, phase: &str) -> Vec<&'t Value> {
    let events = trace["traceEvents"].as_array().expect("events");
    events.iter().filter(|event| event["ph"] == phase).collect()
}

#[test]
#[ignore = "needs the files that .ci/formats writes"]
fn a_chrome_trace_has_the_shape_that_perfetto_wants() {
    let schema = include_str!("../schemas/chrome-trace.json");
    let schema: Value = serde_json::from_str(schema).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    for (name, text) in runs("chrome-trace") {
        let trace: Value = serde_json::from_str(&text).expect("JSON");
        let wrong: Vec<_> = schema.iter_errors(&trace).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        let span = |slice: &Value| {
            let (start, length) = (slice["ts"].as_f64(), slice["dur"].as_f64());
            (start.expect("a start"), length.expect("a length"))
        };
        let mut threads: BTreeMap<i64, Vec<(f64, f64)>> = BTreeMap::new();
        for slice in of_phase(&trace, "X") {
            threads.entry(slice["tid"].as_i64().expect("a thread")).or_default().push(span(slice));
        }
        for (thread, slices) in &threads {
            for pair in slices.windows(2) {
                let [(start, length), (next, _)] = pair else { unreachable!("two") };
                assert!(start + length <= next + 1e-6, "{name}, {thread}: {start} {length} {next}");
            }
        }
        let flows = |phase| {
            let ends = of_phase(&trace, phase).into_iter();
            ends.map(|end| (end["id"].as_u64().expect("an id"), end)).collect::<BTreeMap<_, _>>()
        };
        let (starts, ends) = (flows("s"), flows("f"));
        assert!(starts.keys().eq(ends.keys()) && !starts.is_empty(), "{name}");
        for (id, start) in starts.iter().chain(&ends) {
            let slices = &threads[&start["tid"].as_i64().expect("a thread")];
            let at = start["ts"].as_f64().expect("a time");
            let holds = |(begin, length): &(f64, f64)| *begin <= at && at <= begin + length;
            assert!(slices.iter().any(holds), "{name}: flow {id} has no slice");
            assert!(starts[id]["name"] == ends[id]["name"], "{name}: flow {id}");
        }
        let bands = (of_phase(&trace, "b").len(), of_phase(&trace, "e").len());
        assert_eq!(bands.0, bands.1, "{name}");
    }
}

/// What every state has.
#[derive(Deserialize)]
struct State {
    #[serde(with = "As::<Integer>")]
    at: i64,
    what: String,
    p0: Fields,
}

/// The state of a process; its fields differ.
#[derive(Deserialize)]
struct Fields {}

#[test]
#[ignore = "needs the files that .ci/formats writes"]
fn a_reader_of_itf_reads_the_states() {
    for (name, text) in runs("itf") {
        let trace: itf::Trace<State> =
            itf::trace_from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let states: Vec<_> = trace.states.into_iter().map(|state| state.value).collect();
        assert!(states.len() > 5, "{name}");
        assert!(states.is_sorted_by_key(|state| state.at) && states[5].at >= 0, "{name}");
        assert!(states.iter().all(|State { what, p0: Fields {}, .. }| !what.is_empty()), "{name}");
        assert!(trace.vars.contains(&"p0".to_owned()), "{name}");
    }
}

#[test]
#[ignore = "needs the files that .ci/formats writes"]
fn a_reader_of_junit_reads_the_failures_of_a_sweep() {
    let file = fs::File::open(folder().join("sweep.xml")).expect("a file");
    let read = junit_parser::from_reader(std::io::BufReader::new(file)).expect("JUnit");
    let cases: Vec<_> = read.suites.iter().flat_map(|suite| &suite.cases).collect();
    let failed = cases.iter().filter(|case| case.status.is_failure()).count();
    assert_eq!(read.failures, failed as u64);
    assert!(failed > 0 && cases.len() > failed, "{failed} of {} failed", cases.len());
    assert!(cases.iter().any(|case| case.name.contains("bc.fifo")), "{cases:?}");
}

/// Jepsen's rules: entries are numbered, times rise, a process has one operation at a time and none
/// after one whose end is unknown, and the nemesis has no other.
#[test]
#[ignore = "needs the files that .ci/formats writes"]
fn a_reader_of_edn_reads_a_jepsen_history() {
    for (name, text) in runs("edn") {
        let (mut open, mut gone) = (BTreeMap::new(), BTreeSet::new());
        let mut latest = 0;
        for (index, line) in (0i64..).zip(text.lines()) {
            let entry = read_string(line).unwrap_or_else(|error| panic!("{name}: {error:?}"));
            let field = |key| entry.get(&Edn::key(key)).unwrap_or_else(|| panic!("{line}: {key}"));
            assert_eq!(*field("index"), Edn::Int(index), "{name}");
            let Edn::Int(time) = *field("time") else { panic!("{line}") };
            assert!(latest <= time, "{name}: {line}");
            latest = time;
            let (Edn::Key(kind), Edn::Key(f)) = (field("type"), field("f")) else {
                panic!("{line}")
            };
            let process = match *field("process") {
                Edn::Int(process) => process,
                ref nemesis => {
                    assert_eq!((nemesis, kind.as_ref()), (&Edn::key("nemesis"), "info"), "{line}");
                    continue;
                }
            };
            let value = field("value").to_string();
            if kind == "invoke" {
                assert!(!gone.contains(&process), "{name}: {line}");
                assert!(open.insert(process, (f.to_string(), value)).is_none(), "{name}: {line}");
                continue;
            }
            let (asked, argument) = open.remove(&process).expect("an invocation");
            assert_eq!(*f, asked, "{name}: {line}");
            if asked == "write" {
                assert_eq!(argument, value, "{name}: {line}");
            }
            if kind == "info" {
                gone.insert(process);
            } else {
                assert!(kind == "ok" || kind == "fail", "{name}: {line}");
            }
        }
        assert!(open.is_empty(), "{name}: {open:?}");
        assert!(latest > 0, "{name}");
    }
}

/// The client of the deposed primary reads what is no longer true, and the history says so.
#[test]
#[ignore = "needs the files that .ci/formats writes"]
fn the_history_of_a_split_brain_has_its_operations_and_faults() {
    let (_, text) = runs("edn").swap_remove(1);
    let count = |part: &str| text.lines().filter(|line| line.contains(part)).count();
    assert_eq!(count(":type :invoke"), count(":type :ok") + count(":error :unanswered"));
    assert!(count(":f :read") > 0 && count(":f :write") > 0 && count(":f :increment") > 0);
    assert_eq!(count(":process :nemesis :f :begins"), 1, "{text}");
}
