//! `ftsim merge`: the shards of sweeps made one result, byte for byte what one unsharded sweep
//! gives.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;
use ftsim_protocols::Catalogue;
use ftsim_reports::SweepReport;

use crate::ci;
use crate::cli::{Exit, Failure, Out, tell};
use crate::results::{
    Account, Folder, Header, LATEST, REPROS, RESULTS, Reader, SCENARIO, SHRUNK, Written, at,
    difference,
};
use crate::scenario::Scenario;
use crate::sweep_command::text_digest;
use crate::sweep_report;
use crate::terminal::page;

/// What `ftsim merge` is told.
#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Merge the results in these folders, one for each shard
    #[arg(required = true, value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// Write the merged results to DIR/SCENARIO/
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Write the failures as JUnit XML to FILE
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

/// Carries `ftsim merge` out.
pub fn merge(args: &MergeArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let mut parts: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for folder in &args.folders {
        for part in parts_in(folder)? {
            parts.entry(part.header.scenario.clone()).or_default().push(part);
        }
    }
    if parts.is_empty() {
        return Err(Failure::BadFile("there are no results in these folders".to_owned()));
    }
    let mut merged = Vec::new();
    for mut parts in parts.into_values() {
        parts.sort_by_key(|part| part.header.shard);
        fit(&parts)?;
        let text = read(&parts[0].folder.join(SCENARIO))?;
        if text_digest(&text) != parts[0].header.digest {
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
        merged.push((parts, scenario));
    }
    // Nothing is written before all is found to fit.
    let mut reports = Vec::new();
    for (parts, scenario) in merged {
        reports.push(merge_one(&args.out, &parts, &scenario)?);
    }
    let results = args.out.display().to_string();
    ftsim_reports::write_sweep_text(out, &reports, &results, page(false))?;
    ci::write(args.junit.as_deref(), out, &reports, &results)?;
    Ok(sweep_report::exit(&reports))
}

/// The results of one shard.
struct Part {
    folder: PathBuf,
    header: Header,
}

impl Part {
    fn results(&self) -> PathBuf {
        self.folder.join(RESULTS)
    }
}

/// The results in a folder, one for each scenario.
fn parts_in(folder: &Path) -> Result<Vec<Part>, Failure> {
    let mut parts = Vec::new();
    for entry in at(folder, fs::read_dir(folder))? {
        let entry = at(folder, entry)?;
        let path = entry.path();
        let kind = at(&path, entry.file_type())?;
        let results = path.join(RESULTS);
        // What copies results makes a folder of the link.
        if !kind.is_dir() || entry.file_name() == LATEST || !results.exists() {
            continue;
        }
        if path.extension().is_some_and(|ending| ending == "part") {
            let path = path.display();
            return Err(Failure::BadFile(format!(
                "{path} is a sweep that is not over: the same command with --resume finishes it"
            )));
        }
        let file = BufReader::new(at(&results, File::open(&results))?);
        let Some(reader) = at(&results, Reader::new(file))? else {
            let path = results.display();
            return Err(Failure::BadFile(format!("{path} does not begin with a sweep's header")));
        };
        parts.push(Part { folder: path, header: reader.header });
    }
    Ok(parts)
}

/// Refuses shards that are not all parts, each once, of one sweep by this ftsim.
fn fit(parts: &[Part]) -> Result<(), Failure> {
    let bad = |part: &Part, why: String| {
        Err(Failure::BadFile(format!("{}: {why}", part.results().display())))
    };
    let first = &parts[0];
    for part in parts {
        let ours = env!("CARGO_PKG_VERSION");
        if part.header.ftsim != ours {
            return bad(part, format!("written by ftsim {}, this is {ours}", part.header.ftsim));
        }
        let alike = Header { shard: first.header.shard, ..part.header.clone() };
        if let Some(difference) = difference(&alike, &first.header) {
            let other = first.results();
            return bad(part, format!("{difference} as in {}", other.display()));
        }
    }
    // Without shards there is one part, the first of one.
    let place = |part: &Part| part.header.shard.map_or((1, 1), |shard| (shard.index, shard.count));
    let (_, count) = place(first);
    for (expected, part) in (1..).zip(parts) {
        let (index, of) = place(part);
        if of != count {
            let other = first.results();
            return bad(part, format!("one of {of} parts, but of {count} in {}", other.display()));
        }
        if index < expected {
            return bad(part, format!("part {index} of {count} is there twice"));
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
    let account = Account::new(header.seeds.from);
    let folder = Folder::begin(out, &header, &scenario.text)?;
    let mut merging = Merging { scenario, header: &header, account, folder };
    for part in parts {
        merging.take(part)?;
    }
    let Merging { account, mut folder, .. } = merging;
    let mut repros = Vec::new();
    for example in account.examples() {
        let name = example.repro_name();
        let found = parts.iter().map(|part| part.folder.join(REPROS).join(&name));
        let Some(path) = found.into_iter().find(|path| path.exists()) else {
            let folder = parts[0].folder.display();
            return Err(Failure::BadFile(format!("{folder} and its like lack the repro {name}")));
        };
        repros.push((name, read(&path)?));
    }
    let mut shrunk = Vec::new();
    for ((property, _), group) in &account.groups {
        let Some(name) = sweep_report::shrunk_name(property, group) else { continue };
        for name in [sweep_report::story_name(&name), name] {
            let found = parts.iter().map(|part| part.folder.join(SHRUNK).join(&name));
            if let Some(path) = found.into_iter().find(|path| path.exists()) {
                shrunk.push((name, read(&path)?));
            }
        }
    }
    let report = sweep_report::report(scenario, &header, &account, &shrunk);
    let mut summary = Vec::new();
    ftsim_reports::write_sweep_json(&mut summary, &report)?;
    folder.conclude(&summary, &repros, &shrunk)?;
    folder.publish()?;
    Ok(report)
}

/// The result that the parts are added to, one after the other.
struct Merging<'a> {
    scenario: &'a Scenario,
    header: &'a Header,
    account: Account,
    folder: Folder,
}

impl Merging<'_> {
    fn take(&mut self, part: &Part) -> Result<(), Failure> {
        if self.account.is_over(self.header.stop) {
            return Ok(());
        }
        let path = part.results();
        let bad = |why: String| Err(Failure::BadFile(format!("{}: {why}", path.display())));
        let file = BufReader::new(at(&path, File::open(&path))?);
        let Some(mut reader) = at(&path, Reader::new(file))? else {
            return bad("it does not begin with a sweep's header".to_owned());
        };
        let mut next = at(&path, reader.next_block())?;
        if !reader.regressions.is_empty() {
            self.folder.append_regressions(&reader.regressions)?;
            self.account.regressions.append(&mut reader.regressions);
        }
        while let Some(Written { failing, block }) = next {
            let (from, expected) = (block.seeds.from, self.account.next);
            if from != expected {
                return bad(format!("seeds from {from} on follow, where {expected} is the next"));
            }
            self.account.take(&failing, &block, &self.scenario.entry.properties);
            self.folder.append_block(failing, block)?;
            if self.account.is_over(self.header.stop) {
                return Ok(());
            }
            next = at(&path, reader.next_block())?;
        }
        let (done, until) = (self.account.next, part.header.part().end);
        if done == until { Ok(()) } else { bad(format!("seeds {done}..{until} are missing")) }
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    Ok(at(path, fs::read_to_string(path))?)
}
