//! Whether ftsim takes an input as it should: what is bad is refused with words, what is accepted
//! can be run, repeated, explained and made smaller, and what ftsim writes it accepts itself.

use std::fs;
use std::path::Path;

use annotate_snippets::Renderer;
use ftsim::run;
use ftsim::scenario::{Scenario, effective};
use ftsim_core::Outcome;
use toml_edit::{DocumentMut, Item, Table, value};

use super::base::{SWEPT, SWEPT_SEEDS};
use super::commands::Commands;
use super::findings::{Finding, last_panic};
use super::input::{Input, Kind};

/// Events of a run, and messages under way, at most.
const EVENT_COUNT_MAX: u64 = 300;
const PENDING_COUNT_MAX: usize = 2_000;
/// Bytes of memory of a run, at most.
const BYTE_COUNT_MAX: u64 = 64 << 20;
/// Larger worlds are run once in so many inputs.
const PROCESS_COUNT_MAX: u32 = 100;
const LARGE_ONE_IN: u64 = 50;
/// What is told of all that is wrong with a file, in bytes.
const DIAGNOSTICS_MAX: usize = 64 * 1024;
/// One accepted scenario in so many goes through all commands.
const TOUR_ONE_IN: u64 = 250;

/// How thoroughly inputs are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Each accepted scenario is run, a few go through all commands.
    Fresh,
    /// All go through all commands.
    Thorough,
}

/// Looks at inputs, and counts what became of them.
pub struct Judge {
    commands: Commands,
    /// Scenarios that were accepted.
    pub accepted: u64,
    /// Scenarios that went through all commands.
    pub tours: u64,
}

impl Judge {
    /// Nothing was looked at yet.
    pub const fn new(commands: Commands) -> Self {
        Self { commands, accepted: 0, tours: 0 }
    }

    /// Has ftsim take this input.
    ///
    /// # Errors
    /// What is wrong with how it does.
    pub fn judge(&mut self, input: &Input, depth: Depth) -> Result<(), Finding> {
        match input.kind {
            Kind::Scenario | Kind::Message | Kind::Repro => self.scenario(input, depth),
            Kind::Record => self.record(&input.bytes),
            Kind::Results => self.results(&input.bytes),
            Kind::Regressions => self.regressions(&input.bytes),
        }
    }

    fn scenario(&mut self, input: &Input, depth: Depth) -> Result<(), Finding> {
        let Ok(text) = str::from_utf8(&input.bytes) else {
            return self.check(&input.bytes, 2);
        };
        let mut scenario = match Scenario::parse("a.toml", text, &self.commands.catalogue) {
            Ok(scenario) => scenario,
            Err(diagnostics) => {
                let renderer = Renderer::plain();
                let told: usize = diagnostics.iter().map(|d| d.render(&renderer).len()).sum();
                if told == 0 {
                    return Err(found("a scenario is refused without a word", ""));
                }
                if told > DIAGNOSTICS_MAX {
                    let what = "a scenario is refused with more than 64 KiB";
                    return Err(found(what, format!("{} diagnostics", diagnostics.len())));
                }
                return match depth {
                    Depth::Fresh => Ok(()),
                    Depth::Thorough => self.check(&input.bytes, 2),
                };
            }
        };
        self.accepted += 1;
        let digest = input.digest();
        let is_large = scenario.experiment.setting.n > PROCESS_COUNT_MAX;
        if is_large && !digest.is_multiple_of(LARGE_ONE_IN) && depth == Depth::Fresh {
            return Ok(());
        }
        drop(effective(&scenario));
        let limits = &mut scenario.experiment.limits;
        limits.event_count_max = limits.event_count_max.min(EVENT_COUNT_MAX);
        limits.pending_count_max = limits.pending_count_max.min(PENDING_COUNT_MAX);
        limits.byte_count_max = limits.byte_count_max.min(BYTE_COUNT_MAX);
        let seed = scenario.seeds.start;
        let outcome = run::run(&scenario, seed).map_err(|error| {
            let panic = last_panic();
            found(format!("a run fails: {panic}"), error.to_string())
        })?;
        if let Some(finding) = wrong_outcome(&scenario, &outcome) {
            return Err(finding);
        }
        if is_large || !(depth == Depth::Thorough || (digest >> 8).is_multiple_of(TOUR_ONE_IN)) {
            return Ok(());
        }
        self.tours += 1;
        self.tour(&scenario, text, seed)
    }

    /// `ftsim check` of a file that says this.
    fn check(&self, bytes: &[u8], status: u8) -> Result<(), Finding> {
        write("a.toml", bytes);
        self.commands.call(&["check", "a.toml"], &[status]).map(drop)
    }

    /// Through all commands, under limits that are written into the file.
    fn tour(&self, scenario: &Scenario, text: &str, seed: u64) -> Result<(), Finding> {
        let call = |arguments: &[&str], right: &[u8]| self.commands.call(arguments, right);
        self.check(text.as_bytes(), 0)?;
        let Some(text) = limited(scenario, text)? else { return Ok(()) };
        self.check(text.as_bytes(), 0)?;
        let (s, file) = (seed.to_string(), "a.toml");
        // Seeds end where the integers of TOML do.
        let few = format!("{seed}..{}", seed.saturating_add(2).min(i64::MAX as u64));
        // Limits make another run of it.
        let repeated: &[u8] = if scenario.repro.is_some() { &[0, 4] } else { &[0] };
        let right: &[u8] = if seed < i64::MAX as u64 { &[0, 1, 3] } else { &[2] };
        call(&["run", file, "--seeds", &few, "--jobs", "1"], right)?;
        call(&["replay", file, "--seed", &s], repeated)?;
        call(&["replay", file, "--seed", &s, "--format", "jsonl"], repeated)?;
        call(&["record", file, "--seed", &s, "-o", "a.rec"], repeated)?;
        call(&["show", "a.rec", "--steps", "1..100"], &[0])?;
        call(&["diff", file, file, "--seed", &s], &[0])?;
        let mut told = repeated.to_vec();
        told.push(1);
        call(&["explain", file, "--seed", &s], &told)?;
        let shrink = ["shrink", file, "--seed", &s, "--budget", "20ms", "-o", "small.toml"];
        if call(&shrink, &[0, 1])? == 0 {
            call(&["check", "small.toml"], &[0])?;
            call(&["run", "small.toml", "--seeds", "1..3", "--jobs", "1"], &[0, 1, 3])?;
        }
        emptied("swept");
        let sweep = ["sweep", file, "--seeds", &few, "--jobs", "1", "--out", "swept"];
        call(&[&sweep[..], &["--shrink", "10ms"]].concat(), right)?;
        for folder in ["repros", "shrunk"] {
            for path in files(&Path::new("swept/a").join(folder)) {
                call(&["check", &path], &[0])?;
                if folder == "repros" {
                    call(&["replay", &path], &[0])?;
                }
            }
        }
        Ok(())
    }

    fn record(&self, bytes: &[u8]) -> Result<(), Finding> {
        write("damaged.rec", bytes);
        self.commands.call(&["show", "damaged.rec"], &[0, 2])?;
        self.commands.call(&["show", "damaged.rec", "--format", "jsonl"], &[0, 2]).map(drop)
    }

    /// Merged alone, merged with another part, and gone on with.
    fn results(&self, bytes: &[u8]) -> Result<(), Finding> {
        for folder in ["whole", "one"] {
            write(&format!("{folder}/swept/results.jsonl"), bytes);
        }
        for folders in [&["whole"][..], &["one", "two"]] {
            emptied("merged");
            let arguments = [&["merge"], folders, &["--out", "merged"]].concat();
            self.commands.call(&arguments, &[0, 1, 2, 3])?;
            untouched()?;
        }
        emptied("merged/swept.part");
        write("merged/swept.part/results.jsonl", bytes);
        let sweep = ["sweep", SWEPT, "--seeds", SWEPT_SEEDS, "--jobs", "1", "--shrink", "off"];
        let resume = ["--shard", "1/2", "--resume", "--out", "merged"];
        // What it says of a run may be of another one: then the run is not the same.
        self.commands.call(&[&sweep[..], &resume].concat(), &[0, 1, 2, 3, 4])?;
        untouched()
    }

    fn regressions(&self, bytes: &[u8]) -> Result<(), Finding> {
        fs::create_dir_all("regressions").expect("the folder can be written");
        write(&format!("regressions/{SWEPT}"), bytes);
        let run = ["run", SWEPT, "--seeds", "1..2", "--jobs", "1"];
        let ended = self.commands.call(&run, &[0, 1, 2, 3]).map(drop);
        fs::remove_dir_all("regressions").expect("the folder can be written");
        ended
    }
}

fn found(what: impl Into<String>, detail: impl Into<String>) -> Finding {
    Finding { what: what.into(), detail: detail.into() }
}

/// What a run must not come to.
fn wrong_outcome(scenario: &Scenario, outcome: &Outcome) -> Option<Finding> {
    if let Some(panicked) = &outcome.panicked {
        let protocol = scenario.entry.name;
        let what = format!("a handler of {protocol} panics: {}", last_panic());
        return Some(found(what, format!("{panicked:?}")));
    }
    // Every fault that strikes in the last event counts as an event, too.
    let more = outcome.plan.faults.len() as u64 + u64::from(scenario.experiment.setting.n);
    let events = outcome.statistics.events;
    let is_over = events > scenario.experiment.limits.event_count_max + more;
    is_over.then(|| found("a run goes beyond its limit of events", events.to_string()))
}

/// The text with limits that end any run soon; `None` if it has none to be changed.
fn limited(scenario: &Scenario, text: &str) -> Result<Option<String>, Finding> {
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error| found(format!("a scenario cannot be edited: {error}"), text))?;
    let run = document.entry("run").or_insert(Item::Table(Table::new()));
    let Some(run) = run.as_table_like_mut() else { return Ok(None) };
    let limits = &scenario.experiment.limits;
    let events = i64::try_from(limits.event_count_max).unwrap_or(i64::MAX);
    let pending = i64::try_from(limits.pending_count_max).unwrap_or(i64::MAX);
    run.insert("max_events", value(events));
    run.insert("max_pending", value(pending));
    Ok(Some(document.to_string()))
}

fn write(path: &str, bytes: &[u8]) {
    fs::write(path, bytes).expect("the folder can be written");
}

/// Makes an empty folder.
fn emptied(path: &str) {
    let top = path.split('/').next().expect("there is a first part");
    if Path::new(top).exists() {
        fs::remove_dir_all(top).expect("the folder can be written");
    }
    fs::create_dir_all(path).expect("the folder can be written");
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let paths = entries.map(|entry| entry.expect("a readable entry").path());
    let mut paths: Vec<String> = paths.map(|path| path.display().to_string()).collect();
    paths.retain(|path| path.ends_with(".toml"));
    paths.sort();
    paths
}

/// The folders beside that of the results, which no command is told of.
pub const BESIDE: [&str; 2] = ["victim", "../victim"];

/// Whether what lies beside is still there.
fn untouched() -> Result<(), Finding> {
    for folder in BESIDE {
        let kept = Path::new(folder).join("kept");
        if !kept.exists() || files(Path::new(folder)).len() > 1 {
            drop(fs::create_dir_all(folder));
            write(&kept.display().to_string(), b"");
            return Err(found("a command writes outside of its folder", folder));
        }
    }
    Ok(())
}
