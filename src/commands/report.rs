//! `ftsim report`: the results of a sweep as a page for a browser.

mod parameter;
mod struck;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use ftsim_protocols::Catalogue;
use ftsim_reports::{
    Compared, Comparison, Diagram, Picture, ShownSweep, SweepChange, SweepPage, SweepReport,
    headline, line, write_sweep_page,
};

use super::merge::{Merging, Part, parts_in, read, shrunk_files};
use crate::cli::{Exit, Failure, Out, tell};
use crate::files::{at, write_whole};
use crate::run::one_run::OneRun;
use crate::run::picture::{diagram_without_states, write_page};
use crate::run::story::{needs_of, violations};
use crate::scenario::Scenario;
use crate::sweep::report;
use crate::sweep::results::{SCENARIO, SweepState};

/// The maximum number of failures of a scenario that are drawn; the others are listed.
const PICTURE_COUNT_MAX: usize = 12;

/// Arguments of `ftsim report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Show the results that `ftsim sweep --out DIR` or `ftsim merge --out DIR` wrote
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Write the page to OUT, and the pages of failing runs to a folder beside it
    #[arg(short, long, value_name = "OUT", default_value = "report.html")]
    out: PathBuf,
    /// Compare with the results in DIR: what got better, what got worse
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,
}

/// Executes `ftsim report`.
pub fn report(args: &ReportArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let Some(read) = results(&args.folder, catalogue)? else { return Ok(Exit::BadInput) };
    let before = match &args.against {
        None => None,
        Some(folder) => match results(folder, catalogue)? {
            None => return Ok(Exit::BadInput),
            Some(before) => Some((folder, before)),
        },
    };
    let against = before.map(|(folder, before)| comparison(folder, &before, &read));
    let runs = Runs::beside(&args.out);
    let scenarios: Vec<&Scenario> = read.iter().map(|result| &result.scenario).collect();
    let series = parameter::series(&scenarios);
    let mut sweeps = Vec::new();
    for result in read {
        sweeps.push(shown(result, &runs)?);
    }
    let page = SweepPage { folder: args.folder.display().to_string(), sweeps, series, against };
    let mut bytes = Vec::new();
    at(&args.out, write_sweep_page(&mut bytes, &page))?;
    write_whole(&args.out, &bytes)?;
    if let Some(against) = &page.against {
        use std::io::Write as _;
        writeln!(out, "{}", line(&headline(against)))?;
    }
    Ok(Exit::Good)
}

/// The results of one scenario, read back.
struct Results {
    part: Part,
    scenario: Scenario,
    state: SweepState,
    report: SweepReport,
}

/// The results in a folder; `None`, after error messages, if a scenario cannot be used.
fn results(folder: &Path, catalogue: &Catalogue) -> Result<Option<Vec<Results>>, Failure> {
    let mut found = Vec::new();
    let mut parts = parts_in(folder)?;
    parts.sort_by(|a, b| (&a.header.scenario, &a.folder).cmp(&(&b.header.scenario, &b.folder)));
    for part in parts {
        if let Some(strategy) = &part.header.strategy {
            let folder = part.folder.display();
            return Err(Failure::BadFile(format!(
                "{folder}: a page shows runs whose times are drawn, not those of --strategy \
                 {strategy}"
            )));
        }
        let text = read(&part.folder.join(SCENARIO))?;
        let scenario = match Scenario::parse(&part.header.file, &text, catalogue) {
            Ok(scenario) => scenario,
            Err(diagnostics) => {
                tell(&diagnostics);
                return Ok(None);
            }
        };
        let parts = [part];
        let mut merging = Merging::new(&parts, &scenario, None);
        merging.take_all()?;
        let state = merging.account;
        let shrunk = shrunk_files(&parts, &state)?;
        let report = report::report(&scenario, &parts[0].header, &state, (&[], &shrunk));
        let [part] = parts;
        found.push(Results { part, scenario, state, report });
    }
    if found.is_empty() {
        let folder = folder.display();
        return Err(Failure::BadFile(format!(
            "{folder} contains no results; `ftsim sweep --out DIR` writes them to DIR/SCENARIO"
        )));
    }
    Ok(Some(found))
}

/// The folder for the pages of failing runs.
struct Runs {
    folder: PathBuf,
    /// Its name, for links.
    name: String,
}

impl Runs {
    fn beside(page: &Path) -> Self {
        let stem = page.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{stem}-runs");
        Self { folder: page.with_file_name(&name), name }
    }
}

fn shown(results: Results, runs: &Runs) -> Result<ShownSweep, Failure> {
    let Results { part, scenario, state, report } = results;
    let tally = &state.tally;
    let plan = scenario.experiment.plan.faults.iter().enumerate();
    let faults = plan.map(|(index, fault)| {
        let unfired = tally.unfired.get(&index).copied().unwrap_or(0);
        (fault.to_string(), tally.seed_count.saturating_sub(unfired))
    });
    let seeds = report.scenario.seeds.range();
    let struck = struck::struck(&scenario, seeds, &tally.faults)?;
    let mut pictures = Vec::new();
    for (index, group) in report.groups.iter().enumerate().take(PICTURE_COUNT_MAX) {
        let example = group.examples.first().and_then(|example| example.repro.as_ref());
        let Some(file) = group.shrunk.as_ref().or(example) else { continue };
        let path = part.folder.join(file);
        let name = format!("{}-{}.html", report.name, index + 1);
        if let Some(diagram) = drawn(&path, &scenario, &group.property, &runs.folder.join(&name))? {
            let page = format!("{}/{name}", runs.name);
            pictures.push(Picture { group: index, diagram, page: encoded(&page) });
        }
    }
    Ok(ShownSweep {
        summary: scenario.summary.clone(),
        faults: faults.collect(),
        struck,
        runs: tally.seed_count,
        curves: [tally.spreads.curves(), tally.traffic.curves()].concat(),
        operations: tally.spreads.operations(),
        pictures,
        report,
    })
}

/// Writes the page of a run that fails, and returns its diagram; `None` if the file is no such run,
/// for example because this version of ftsim behaves differently.
fn drawn(
    path: &Path,
    of: &Scenario,
    property: &str,
    page: &Path,
) -> Result<Option<Diagram>, Failure> {
    let catalogue = Catalogue::from(of.entry.clone());
    let Ok(scenario) = Scenario::parse(&path.display().to_string(), &read(path)?, &catalogue)
    else {
        return Ok(None);
    };
    let Some(seed) = scenario.only_seed() else { return Ok(None) };
    let run = OneRun { scenario, seed, point: None };
    let (outcome, trace) = run.record()?;
    let violations = violations(&run.scenario, &outcome);
    let Some(violated) = violations.iter().find(|violated| violated.property == property) else {
        return Ok(None);
    };
    if let Some(folder) = page.parent() {
        at(folder, fs::create_dir_all(folder))?;
    }
    write_page(page, &run, (&outcome, &trace), Some(violated))?;
    let needs = needs_of(&run.scenario, &outcome, violated)?;
    let told = Some((violated, needs.as_ref()));
    Ok(Some(diagram_without_states(&run, (&outcome, &trace), told)))
}

/// A path as a relative link.
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    let encode = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    path.bytes().map(encode).collect()
}

fn comparison(folder: &Path, before: &[Results], now: &[Results]) -> Comparison {
    let name = |result: &Results| result.report.name.clone();
    let (mut compared, mut groups) = (Vec::new(), Vec::new());
    for new in now {
        let Some(old) = before.iter().find(|old| old.report.name == new.report.name) else {
            continue;
        };
        for row in &new.report.rates {
            let same = old.report.rates.iter().find(|old| old.property == row.property);
            compared.extend(same.map(|old| Compared {
                scenario: name(new),
                property: row.property.0.to_owned(),
                before: (old.violated.count, old.violated.total),
                now: (row.violated.count, row.violated.total),
            }));
        }
        let keys = |result: &Results| {
            let groups = result.report.groups.iter();
            groups.map(|g| (g.property.clone(), g.signature.clone())).collect::<BTreeSet<_>>()
        };
        let (was, is) = (keys(old), keys(new));
        let told = |change, (property, signature): &(String, String)| {
            (change, [name(new), property.clone(), signature.clone()])
        };
        groups.extend(is.difference(&was).map(|key| told(SweepChange::New, key)));
        groups.extend(was.difference(&is).map(|key| told(SweepChange::Gone, key)));
    }
    let names = |results: &[Results]| results.iter().map(name).collect::<BTreeSet<_>>();
    let (was, is) = (names(before), names(now));
    let new = is.difference(&was).map(|name| (SweepChange::New, name.clone()));
    let gone = was.difference(&is).map(|name| (SweepChange::Gone, name.clone()));
    let only_in_one = new.chain(gone).collect();
    Comparison { folder: folder.display().to_string(), compared, groups, only_in_one }
}
