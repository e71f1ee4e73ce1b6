//! The output of a sweep: its report, its exit status, its repros.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ftsim_core::PropertyId;
use ftsim_protocols::Catalogue;
use ftsim_reports::{ExampleRow, GroupRow, Rate, RateRow, ScenarioReport, SweepReport, program};

use crate::cli::Exit;
use crate::cli::clock;
use crate::explore::Seeded;
use crate::run;
use crate::run::divergence::{Differs, Divergence};
use crate::run::repro;
use crate::run::story;
use crate::run::{InternalError, Repeat, RunError, guarded};
use crate::scenario::Scenario;
use crate::shrink::{Effort, Target, shrink, weight_of};
use crate::sweep::judge;
use crate::sweep::regression;
use crate::sweep::results::{
    EXAMPLE_COUNT_MAX, Group, GroupExample, Header, REPROS, SHRUNK, SweepState,
};

/// A file: its name and its text.
pub type NamedText = (String, String);

/// The seeds that a report covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All requested seeds.
    Whole,
    /// Some of them: another seed may do what none of these did.
    Part,
}

impl Scope {
    /// Whether all requested seeds are done.
    pub fn of(header: &Header, state: &SweepState) -> Self {
        let whole = header.shard.is_none() && state.next == header.seeds.until;
        if whole { Self::Whole } else { Self::Part }
    }
}

/// The report of a sweep. `repros` and `shrunk` are the files of its runs.
pub fn report(
    scenario: &Scenario,
    header: &Header,
    state: &SweepState,
    (repros, shrunk): (&[NamedText], &[NamedText]),
) -> SweepReport {
    let seeds = (header.part().start..state.next).into();
    let mut counted = judge::report(scenario, seeds, &state.tally);
    counted.digest = state.digest().to_string();
    // The lines of a sweep contain only counts.
    counted.figures = None;
    if Scope::of(header, state) == Scope::Part {
        counted.keep_what_stands();
    }
    if header.strategy.is_some() {
        counted.keep_what_is_explored();
    }
    regression::add(&mut counted, scenario, &state.regressions);
    let total = state.tally.seed_count;
    let rate = |row: &ftsim_reports::PropertyRow| RateRow {
        property: row.name,
        held: Rate::new(row.held, total),
        violated: Rate::new(row.violated, total),
        undecided: Rate::new(row.undecided, total),
    };
    let mut report = SweepReport {
        name: header.scenario.clone(),
        ftsim: header.ftsim.clone(),
        asked: header.seeds,
        shard: header.shard.map(|shard| shard.to_string()),
        rates: counted.properties.iter().map(rate).collect(),
        scenario: counted,
        failing: state.failing,
        unexpected: state.unexpected,
        groups: groups(scenario, state, shrunk),
        strategy: header.strategy.clone(),
    };
    if report.strategy.is_some() {
        about_strategy(&mut report, repros);
    }
    report
}

/// Says how to make runs again whose steps a strategy has chosen: not all of them have repros.
fn about_strategy(report: &mut SweepReport, repros: &[NamedText]) {
    for example in report.groups.iter_mut().flat_map(|group| &mut group.examples) {
        let is_written = |file: &String| repros.iter().any(|(name, _)| file.ends_with(name));
        example.repro = example.repro.take().filter(is_written);
    }
    for index in 0..report.scenario.surprises.len() {
        let seed = report.scenario.surprises[index].seed.unwrap_or(report.asked.from);
        report.scenario.surprises[index].replay = report.explored(seed);
    }
}

fn groups(scenario: &Scenario, state: &SweepState, shrunk: &[NamedText]) -> Vec<GroupRow> {
    let row = |((property, signature), group): (&(String, String), &Group)| {
        let examples = group.examples.iter().map(|example| ExampleRow {
            seed: example.seed,
            crash_point: example.crash_point.map(|point| point.to_string()),
            message: example.message.clone(),
            repro: Some(format!("{REPROS}/{}", example.repro_name())),
        });
        let written =
            |name: &str| shrunk.iter().find(|(written, _)| written == name).map(|(_, text)| text);
        let name = smallest(scenario, (property.as_str(), group), shrunk);
        GroupRow {
            property: property.clone(),
            signature: signature.clone(),
            expected: group.expected,
            runs: group.runs,
            examples: examples.collect(),
            story: name.as_ref().and_then(|name| written(&story_name(name)).cloned()),
            shrunk: name.map(|name| format!("{SHRUNK}/{name}")),
        }
    };
    let mut rows: Vec<GroupRow> = state.groups.iter().map(row).collect();
    rows.sort_by_key(|row| row.expected);
    rows
}

/// The repro files of the examples, by name; each example is run again for its plan, and compared.
///
/// # Errors
/// If ftsim fails, or if a run differs from the first execution.
pub fn repros(
    scenario: &Scenario,
    header: &Header,
    state: &SweepState,
) -> Result<Vec<(String, String)>, RunError> {
    let (from, until) = (header.seeds.from, header.seeds.until);
    let file = ftsim_reports::shell_word(&header.file);
    let command = format!("{} sweep {file} --seeds {from}..{until}", program());
    let mut files = Vec::new();
    for example in state.examples() {
        let (seed, crash_point) = (example.seed, example.crash_point);
        let recorded = run::record_either(scenario, seed, crash_point)?;
        let digest = recorded.0.digest.to_string();
        if digest != example.digest {
            let differs = Differs::Digest(example.digest.clone(), digest);
            let path = scenario.path.clone();
            let divergence = Divergence { path, seed, crash_point, differs };
            return Err(RunError::Diverged(Box::new(divergence)));
        }
        let text = repro::text(scenario, &command, &recorded)?;
        files.push((example.repro_name(), text));
    }
    Ok(files)
}

/// The same for runs whose steps a strategy has chosen: a scenario for each example whose steps
/// delays alone can force.
///
/// # Errors
/// Like [`repros`].
pub fn explored_repros(
    scenario: &Scenario,
    strategy: &Seeded,
    state: &SweepState,
) -> Result<Vec<NamedText>, RunError> {
    let mut files = Vec::new();
    for example in state.examples() {
        let seed = example.seed;
        let (text, digest) = guarded(scenario, seed, || {
            let failed = |message| InternalError { path: scenario.path.clone(), seed, message };
            strategy.counterexample(scenario, seed).map_err(failed)
        })?;
        if digest != example.digest {
            let differs = Differs::Digest(example.digest.clone(), digest);
            let path = scenario.path.clone();
            let divergence = Divergence { path, seed, crash_point: None, differs };
            return Err(RunError::Diverged(Box::new(divergence)));
        }
        files.extend(text.map(|text| (example.repro_name(), text)));
    }
    Ok(files)
}

/// The shrunk scenarios of each group's examples, by file name, each with its story; unexpected
/// failures first, as far as the time allows. Second examples use the time left after the first
/// examples of all groups, and so on. Of runs whose steps a strategy has chosen, `explored` are the
/// scenarios that show them.
///
/// # Errors
/// If ftsim itself fails.
pub fn shrunk(
    scenario: &Scenario,
    state: &SweepState,
    explored: Option<&[NamedText]>,
    (budget, halt): (Duration, &AtomicBool),
) -> Result<Vec<NamedText>, RunError> {
    let deadline = clock() + budget;
    let mut groups: Vec<_> = state.groups.iter().collect();
    groups.sort_by_key(|(_, group)| group.expected);
    let in_turn = (0..EXAMPLE_COUNT_MAX).flat_map(|number| {
        groups.iter().filter_map(move |(key, group)| Some((&key.0, group.examples.get(number)?)))
    });
    let mut files = Vec::new();
    for (property, example) in in_turn {
        let left = deadline.saturating_sub(clock());
        if left.is_zero() || halt.load(Ordering::Relaxed) {
            break;
        }
        let shown = match explored {
            None => None,
            Some(files) => {
                let name = example.repro_name();
                let file = files.iter().find(|(written, _)| *written == name);
                let Some(shown) = file.and_then(|(name, text)| small(scenario, name, text)) else {
                    continue;
                };
                Some(shown.0)
            }
        };
        let scenario = shown.as_ref().unwrap_or(scenario);
        let outcome = run::run_one(scenario, example.seed, example.crash_point, Repeat::Once)?;
        let known = scenario.checked.iter().filter(|checked| checked.id.0 == *property);
        let wanted: Vec<PropertyId> = known.map(|checked| checked.id).collect();
        let target = Target::of(&outcome, &wanted);
        let Some(target) = target.filter(|target| target.name() == property) else { continue };
        let effort = Effort { budget: left, halt, progress: &|_, _| {} };
        let text = shrink(scenario, &outcome, &target, &effort)?.text;
        let name = shrunk_name(property, example);
        if let Some((small, seed)) = small(scenario, &name, &text)
            && let Some(story) = story::story(&small, &run::record(&small, seed)?, property)?
        {
            files.push((story_name(&name), story));
        }
        files.push((name, text));
    }
    Ok(files)
}

/// The scenario and the seed of a shrunk file.
fn small(scenario: &Scenario, name: &str, text: &str) -> Option<(Scenario, u64)> {
    let catalogue = Catalogue::from(scenario.entry.clone());
    let small = Scenario::parse(name, text, &catalogue).ok()?;
    let seed = small.only_seed()?;
    Some((small, seed))
}

/// The smallest of a group's shrunk files; on a tie, the first. It is determined from the files, so
/// that it is the same for the parts of a sweep and for the whole.
fn smallest(
    scenario: &Scenario,
    (property, group): (&str, &Group),
    shrunk: &[NamedText],
) -> Option<String> {
    let names = group.examples.iter().map(|example| shrunk_name(property, example));
    let weighed = names.filter_map(|name| {
        let (_, text) = shrunk.iter().find(|(written, _)| *written == name)?;
        let (small, seed) = small(scenario, &name, text)?;
        Some((weight_of(&small, seed, property)?, name))
    });
    weighed.min_by_key(|(weight, _)| *weight).map(|(_, name)| name)
}

/// The file name of a shrunk example.
pub fn shrunk_name(property: &str, example: &GroupExample) -> String {
    let example = example.repro_name();
    format!("{}-{}.toml", example.trim_end_matches(".toml"), file_word(property))
}

/// A name as part of a file name; distinct names give distinct results.
fn file_word(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let word = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02x}"),
    };
    name.bytes().map(word).collect()
}

/// The file name of a shrunk run's story.
pub fn story_name(shrunk: &str) -> String {
    format!("{}.txt", shrunk.trim_end_matches(".toml"))
}

/// The exit status for these sweeps.
pub fn exit(reports: &[SweepReport]) -> Exit {
    let scenarios: Vec<&ScenarioReport> = reports.iter().map(|report| &report.scenario).collect();
    judge::exit(&scenarios)
}

#[cfg(test)]
mod tests {
    use super::file_word;

    #[test]
    fn no_name_of_a_property_is_a_path() {
        assert_eq!(file_word("rb.no-duplication_2"), "rb.no-duplication_2");
        assert_eq!(file_word("../a b"), "..%2fa%20b");
        assert_eq!(file_word("a/b\\c\u{e9}\0"), "a%2fb%5cc%c3%a9%00");
        assert_ne!(file_word("a%2fb"), file_word("a/b"));
    }
}
