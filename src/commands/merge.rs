//! `ftsim merge`: combines the shards of a sweep into one result, byte for byte that of the
//! unsharded sweep.

use crate::files::at;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use ftsim_protocols::Catalogue;
use ftsim_reports::SweepReport;

use crate::cli::page;
use crate::cli::{Exit, Failure, Out, tell};
use crate::journal::digest_of;
use crate::scenario::Scenario;
use crate::scenario::repro::Repro;
use crate::sweep::ci;
use crate::sweep::report::{self, NamedText};
use crate::sweep::results::{
    Folder, GroupExample, Header, LATEST, REPROS, RESULTS, Reader, SCENARIO, SHRUNK, SweepState,
    Written, difference,
};

/// Arguments of `ftsim merge`.
#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Merge the results in these folders, one per shard
    #[arg(required = true, value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// Write the merged results to DIR/SCENARIO/
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Write the failures as JUnit XML to FILE
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

/// Executes `ftsim merge`.
pub fn merge(args: &MergeArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let mut parts: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for folder in &args.folders {
        for part in parts_in(folder)? {
            parts.entry(part.header.scenario.clone()).or_default().push(part);
        }
    }
    if parts.is_empty() {
        return Err(Failure::BadFile("these folders contain no results".to_owned()));
    }
    let mut merged = Vec::new();
    for mut parts in parts.into_values() {
        parts.sort_by_key(|part| part.header.shard);
        fit(&parts)?;
        let text = read(&parts[0].folder.join(SCENARIO))?;
        if digest_of(&text) != parts[0].header.digest {
            let path = parts[0].folder.join(SCENARIO).display().to_string();
            return Err(Failure::BadFile(format!("{path} is not the scenario that was run")));
        }
        let scenario = match Scenario::parse(&parts[0].header.file, &text, catalogue) {
            Ok(scenario) => scenario,
            Err(diagnostics) => {
                tell(&diagnostics);
                return Ok(Exit::BadInput);
            }
        };
        Folder::check(&args.out, &parts[0].header.scenario)?;
        Merging::new(&parts, &scenario, None).take_all()?;
        merged.push((parts, scenario));
    }
    // Nothing is written before all parts have been checked.
    let mut reports = Vec::new();
    for (parts, scenario) in merged {
        reports.push(merge_one(&args.out, &parts, &scenario)?);
    }
    let results = args.out.display().to_string();
    ftsim_reports::write_sweep_text(out, &reports, &results, page(false))?;
    ci::write(args.junit.as_deref(), out, &reports, &results)?;
    Ok(report::exit(&reports))
}

/// The results of one shard.
pub(super) struct Part {
    pub folder: PathBuf,
    pub header: Header,
}

impl Part {
    fn results(&self) -> PathBuf {
        self.folder.join(RESULTS)
    }
}

/// The results in a folder, one per scenario.
pub(super) fn parts_in(folder: &Path) -> Result<Vec<Part>, Failure> {
    let mut parts = Vec::new();
    for entry in at(folder, fs::read_dir(folder))? {
        let entry = at(folder, entry)?;
        let path = entry.path();
        let kind = at(&path, entry.file_type())?;
        let results = path.join(RESULTS);
        // `latest` may be a folder here: some copying tools replace the link by a copy of its
        // target.
        if !kind.is_dir() || entry.file_name() == LATEST || !results.exists() {
            continue;
        }
        if path.extension().is_some_and(|ending| ending == "part") {
            let path = path.display();
            return Err(Failure::BadFile(format!(
                "{path} is an unfinished sweep: run the same command with --resume to finish it"
            )));
        }
        let header = open(&results)?.header;
        parts.push(Part { folder: path, header });
    }
    Ok(parts)
}

/// Opens the results of a shard, which must begin with a complete header.
fn open(results: &Path) -> Result<Reader, Failure> {
    Reader::open(results)?.ok_or_else(|| {
        let path = results.display();
        Failure::BadFile(format!("{path} does not begin with the header of a sweep"))
    })
}

/// Refuses shards that are not all the parts, each once, of one sweep by this version of ftsim.
fn fit(parts: &[Part]) -> Result<(), Failure> {
    let bad = |part: &Part, why: String| {
        Err(Failure::BadFile(format!("{}: {why}", part.results().display())))
    };
    let first = &parts[0];
    for part in parts {
        let alike = Header { shard: first.header.shard, ..part.header.clone() };
        if let Some(difference) = difference(&alike, &first.header) {
            let other = first.results();
            return bad(part, format!("{difference} as in {}", other.display()));
        }
    }
    // A sweep without shards is part 1 of 1.
    let place = |part: &Part| part.header.shard.map_or((1, 1), |shard| (shard.index, shard.count));
    let (_, count) = place(first);
    for (expected, part) in (1..).zip(parts) {
        let (index, of) = place(part);
        if of != count {
            let other = first.results();
            return bad(part, format!("one of {of} parts, but of {count} in {}", other.display()));
        }
        if index < expected {
            return bad(part, format!("part {index} of {count} occurs twice"));
        }
        if index > expected {
            return bad(
                part,
                format!("part {expected} of {count}, which comes before, is missing"),
            );
        }
    }
    if (parts.len() as u64) < count {
        let last = parts.last().expect("there is a first");
        return bad(
            last,
            format!("part {} of {count}, which comes after, is missing", parts.len() + 1),
        );
    }
    Ok(())
}

fn merge_one(out: &Path, parts: &[Part], scenario: &Scenario) -> Result<SweepReport, Failure> {
    let header = Header { shard: None, ..parts[0].header.clone() };
    let mut folder = Folder::begin(out, &header, &scenario.text)?;
    let mut merging = Merging::new(parts, scenario, Some(&mut folder));
    merging.take_all()?;
    let account = merging.account;
    let mut repros = Vec::new();
    for example in account.examples() {
        let name = example.repro_name();
        let found = parts.iter().map(|part| part.folder.join(REPROS).join(&name));
        let Some(path) = found.into_iter().find(|path| path.exists()) else {
            if header.strategy.is_some() {
                continue;
            }
            let folder = parts[0].folder.display();
            return Err(Failure::BadFile(format!(
                "{folder} and the other folders lack the repro {name}"
            )));
        };
        let text = read(&path)?;
        stands_for(&path, &text, (scenario, header.strategy.is_some()), example)?;
        repros.push((name, text));
    }
    let shrunk = shrunk_files(parts, &account)?;
    let report = report::report(scenario, &header, &account, (&repros, &shrunk));
    let mut summary = Vec::new();
    ftsim_reports::write_sweep_json(&mut summary, &report)?;
    folder.conclude(&summary, &repros, &shrunk)?;
    folder.publish()?;
    Ok(report)
}

/// The shrunk scenarios and their stories.
pub(super) fn shrunk_files(
    parts: &[Part],
    account: &SweepState,
) -> Result<Vec<NamedText>, Failure> {
    let mut shrunk = Vec::new();
    for ((property, _), group) in &account.groups {
        for name in group.examples.iter().map(|one| report::shrunk_name(property, one)) {
            for name in [report::story_name(&name), name] {
                let found = parts.iter().map(|part| part.folder.join(SHRUNK).join(&name));
                if let Some(path) = found.into_iter().find(|path| path.exists()) {
                    shrunk.push((name, read(&path)?));
                }
            }
        }
    }
    Ok(shrunk)
}

/// Refuses a file that is not the repro of this example. Where a strategy has chosen the steps, it
/// is a scenario whose only run has the same seed.
fn stands_for(
    path: &Path,
    text: &str,
    (scenario, is_explored): (&Scenario, bool),
    example: &GroupExample,
) -> Result<(), Failure> {
    let catalogue = Catalogue::from(scenario.entry.clone());
    let Ok(found) = Scenario::parse(&path.display().to_string(), text, &catalogue) else {
        return Err(Failure::BadFile(format!("{} is not a repro", path.display())));
    };
    let stands = |repro: &Repro| repro.seed == example.seed && repro.digest == example.digest;
    let is_its_own = match is_explored {
        true => found.only_seed() == Some(example.seed),
        false => found.repro.as_ref().is_some_and(stands),
    };
    if is_its_own {
        return Ok(());
    }
    let GroupExample { seed, digest, .. } = example;
    let path = path.display();
    Err(Failure::BadFile(format!("{path} is not the repro of seed {seed} with digest {digest}")))
}

/// The result to which the parts are added one by one.
pub(super) struct Merging<'a> {
    parts: &'a [Part],
    scenario: &'a Scenario,
    pub account: SweepState,
    /// The folder that the result is written to; `None` if the parts are only checked.
    folder: Option<&'a mut Folder>,
}

impl<'a> Merging<'a> {
    pub fn new(parts: &'a [Part], scenario: &'a Scenario, folder: Option<&'a mut Folder>) -> Self {
        let account = SweepState::new(parts[0].header.seeds.from);
        Self { parts, scenario, account, folder }
    }

    pub fn take_all(&mut self) -> Result<(), Failure> {
        self.parts.iter().try_for_each(|part| self.take(part))
    }

    fn take(&mut self, part: &Part) -> Result<(), Failure> {
        if self.account.is_over(part.header.stop.as_ref()) {
            return Ok(());
        }
        let path = part.results();
        let mut reader = open(&path)?;
        let mut next = reader.next_block(self.scenario)?;
        if !reader.regressions.is_empty() {
            if let Some(folder) = &mut self.folder {
                folder.append_regressions(&reader.regressions)?;
            }
            self.account.regressions.append(&mut reader.regressions);
        }
        while let Some(Written { failing, block }) = next {
            self.account.take(&failing, &block, &self.scenario.entry.properties);
            if let Some(folder) = &mut self.folder {
                folder.append_block(failing, block)?;
            }
            if self.account.is_over(part.header.stop.as_ref()) {
                return Ok(());
            }
            next = reader.next_block(self.scenario)?;
        }
        let (done, until) = (self.account.next, part.header.part().end);
        if done == until {
            return Ok(());
        }
        let path = path.display();
        Err(Failure::BadFile(format!("{path}: seeds {done}..{until} are missing")))
    }
}

pub(super) fn read(path: &Path) -> Result<String, Failure> {
    Ok(at(path, fs::read_to_string(path))?)
}
