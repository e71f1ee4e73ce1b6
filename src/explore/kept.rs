//! The finished parts of a search, kept in a file from which an interrupted search goes on.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use ftsim_core::explore::{Budget, Count, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Seen, Settings, Tally};
use crate::files::{FileError, at};
use crate::journal::{
    FileLock, FolderError, VERSION, digest_of, next_line, other_version, parse_line,
};
use crate::scenario::{PANICKED, Scenario};

/// The version of this format.
const SCHEMA: u32 = 1;
/// The ending of the file, after the name of the scenario.
const ENDING: &str = ".parts.jsonl";
/// How the file begins.
const BEGINNING: &[u8] = b"{\"exploration\":{\"schema\":";
/// The maximum length of the header.
const HEADER_LENGTH_MAX: u64 = 1 << 20;
/// More than any part can have of anything.
const COUNT_MAX: u64 = 1 << 40;

/// Where to keep the finished parts of a search.
#[derive(Clone, Copy, Debug)]
pub struct Keep<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// Whether to go on from the parts that are there.
    pub resumes: bool,
}

/// The file of a search, held by this process.
pub(super) struct Kept {
    path: PathBuf,
    lines: File,
    _lock: FileLock,
}

/// One line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    /// The header: the first line, and only that.
    Exploration(Header),
    /// A finished part.
    Part(PartLine),
}

/// What the parts depend on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    schema: u32,
    ftsim: String,
    scenario: String,
    digest: String,
    settings: BTreeMap<String, Value>,
    /// The number of parts, and of the steps that it took to divide the search.
    parts: usize,
    steps: u64,
}

/// What was seen of a part.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartLine {
    part: usize,
    runs: u64,
    redundant: u64,
    cut: u64,
    steps: u64,
    longest: u64,
    has_read_clocks: bool,
    properties: Vec<(String, Tally)>,
    /// The number of the first run that violates each property that is violated, from 1.
    found: BTreeMap<String, u64>,
}

/// The reason why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeptError {
    #[error("{0}: another exploration is writing to this file")]
    Busy(String),
    #[error("{path} is of another exploration: {difference}")]
    Other { path: String, difference: String },
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<KeptError> for String {
    fn from(error: KeptError) -> Self {
        error.to_string()
    }
}

impl Keep<'_> {
    /// The file for a scenario.
    pub fn path(&self, scenario: &Scenario) -> PathBuf {
        self.folder.join(format!("{}{ENDING}", scenario.name()))
    }

    /// Refuses a file that is in the way, or, if the search is to go on, is of another one. Writes
    /// nothing. Returns whether there is a search to go on with.
    pub(super) fn check(
        &self,
        scenario: &Scenario,
        settings: &Settings,
    ) -> Result<bool, KeptError> {
        let path = self.path(scenario);
        if !self.resumes || !at(&path, is_there(&path))? {
            return refuse_foreign(&path, scenario).map(|()| false);
        }
        let Some(reader) = Reader::open(&path)? else { return Ok(false) };
        reader.is_of(&Header::of(scenario, settings, None)).map(|()| true)
    }
}

impl Kept {
    /// Opens the file of a search that is divided into so many parts, and returns those that are
    /// finished.
    pub fn open(
        keep: &Keep<'_>,
        scenario: &Scenario,
        settings: &Settings,
        (part_count, division): (usize, &Count),
    ) -> Result<(Self, Vec<(usize, Seen)>), KeptError> {
        at(keep.folder, fs::create_dir_all(keep.folder))?;
        let path = keep.path(scenario);
        let lock = keep.folder.join(format!(".{}{ENDING}.lock", scenario.name()));
        let Some(lock) = FileLock::try_take(lock)? else {
            return Err(KeptError::Busy(path.display().to_string()));
        };
        let header = Header::of(scenario, settings, Some((part_count, division.steps)));
        let reader = match keep.resumes && at(&path, is_there(&path))? {
            true => Reader::open(&path)?,
            false => None,
        };
        let Some(mut reader) = reader else {
            refuse_foreign(&path, scenario)?;
            let lines = at(&path, File::create(&path))?;
            let mut kept = Self { path, lines, _lock: lock };
            kept.append(&Line::Exploration(header))?;
            return Ok((kept, Vec::new()));
        };
        reader.is_of(&header)?;
        let mut parts: BTreeMap<usize, Seen> = BTreeMap::new();
        while let Some((index, seen)) = reader.next_part(scenario, settings, &parts)? {
            parts.insert(index, seen);
        }
        let mut lines = at(&path, File::options().read(true).write(true).open(&path))?;
        at(&path, lines.set_len(reader.whole))?;
        at(&path, lines.seek(SeekFrom::Start(reader.whole)))?;
        Ok((Self { path, lines, _lock: lock }, parts.into_iter().collect()))
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a finished part.
    pub fn append_part(&mut self, index: usize, seen: &Seen) -> Result<(), FileError> {
        self.append(&Line::Part(PartLine::of(index, seen)))
    }

    fn append(&mut self, line: &Line) -> Result<(), FileError> {
        let mut bytes = serde_json::to_vec(line).expect("a line has only text as its keys");
        bytes.push(b'\n');
        // A single unbuffered write, so that a kill loses nothing.
        at(&self.path, self.lines.write_all(&bytes))
    }
}

impl Header {
    /// The header of a search; `division` is known once it is divided.
    fn of(scenario: &Scenario, settings: &Settings, division: Option<(usize, u64)>) -> Self {
        let (parts, steps) = division.unwrap_or_default();
        Self {
            schema: SCHEMA,
            ftsim: VERSION.to_owned(),
            scenario: scenario.name(),
            digest: digest_of(&scenario.text),
            settings: settings.named(),
            parts,
            steps,
        }
    }

    /// The first difference between the header that was found and one that was asked for.
    fn difference(&self, asked: &Self) -> Option<String> {
        let differ = |what: &str, found: &Value, asked: &Value| {
            (found != asked).then(|| format!("its {what} is {found}, not {asked}"))
        };
        let named = [
            ("format", json!(self.schema), json!(asked.schema)),
            ("scenario", json!(self.scenario), json!(asked.scenario)),
            ("digest of the scenario", json!(self.digest), json!(asked.digest)),
        ];
        let mut all = named.iter().filter_map(|(what, found, asked)| differ(what, found, asked));
        if let Some(difference) = all.next() {
            return Some(difference);
        }
        let names = asked.settings.keys().chain(self.settings.keys());
        let of = |header: &Self, name: &str| header.settings.get(name).cloned().unwrap_or_default();
        let mut settings = names.filter_map(|name| differ(name, &of(self, name), &of(asked, name)));
        settings.next().or_else(|| {
            let is_divided = asked.parts > 0;
            let parts = differ("number of parts", &json!(self.parts), &json!(asked.parts));
            let steps = || differ("number of steps", &json!(self.steps), &json!(asked.steps));
            is_divided.then(|| parts.or_else(steps))?
        })
    }
}

impl Settings {
    /// What the parts of an exhaustive search depend on, by name.
    fn named(&self) -> BTreeMap<String, Value> {
        let Self { strategy, time, budget, is_within_bound, is_unreduced, seed } = self;
        let Budget { crashes, recoveries, losses, duplicates, suspicions, timeouts, .. } = budget;
        let Budget { coins, votes, steps, .. } = budget;
        let named = [
            ("strategy", json!(strategy.to_string())),
            ("time", json!(if *time == Time::Free { "free" } else { "lockstep" })),
            ("number of crashes", json!(crashes)),
            ("number of recoveries", json!(recoveries)),
            ("number of losses", json!(losses)),
            ("number of duplicates", json!(duplicates)),
            ("number of suspicions", json!(suspicions)),
            ("number of timeouts", json!(timeouts)),
            ("number of coins", json!(coins)),
            ("number of votes", json!(votes)),
            ("number of steps of a run", json!(steps)),
            ("keeping to the bound", json!(is_within_bound)),
            ("search in every order", json!(is_unreduced)),
            ("seed", json!(seed)),
        ];
        named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl PartLine {
    fn of(part: usize, seen: &Seen) -> Self {
        let Count { runs, redundant, cut, steps, longest } = seen.count;
        Self {
            part,
            runs,
            redundant,
            cut,
            steps,
            longest,
            has_read_clocks: seen.has_read_clocks,
            properties: seen.verdicts.clone(),
            found: seen.found_at.clone(),
        }
    }

    /// What was seen, except for the runs that violate something.
    fn into_seen(self, scenario: &Scenario) -> Seen {
        let Self { runs, redundant, cut, steps, longest, .. } = self;
        let mut seen = Seen {
            runs,
            count: Count { runs, redundant, cut, steps, longest },
            has_read_clocks: self.has_read_clocks,
            verdicts: self.properties,
            found_at: self.found,
            ..Seen::default()
        };
        seen.is_ended = seen.is_done(scenario);
        seen
    }

    /// Checks it, because a file may have been damaged or edited; `names` are the properties of
    /// the parts before it.
    fn check(
        &self,
        scenario: &Scenario,
        settings: &Settings,
        part_count: usize,
        names: Option<&[(String, Tally)]>,
    ) -> Result<(), String> {
        let Self { part, runs, redundant, cut, steps, longest, properties, found, .. } = self;
        if *part >= part_count {
            return Err(format!("part {part} of {part_count}, counted from 0"));
        }
        let counts = [
            ("runs", *runs),
            ("redundant runs", *redundant),
            ("steps", *steps),
            ("runs cut off", *cut),
        ];
        if let Some((what, count)) = counts.iter().find(|(_, count)| *count > COUNT_MAX) {
            return Err(format!("{count} {what} are more than a part can have"));
        }
        let is_sensible = runs <= steps
            && cut <= runs
            && *longest <= settings.budget.steps.into()
            && longest <= steps
            && (*runs == 0) == properties.is_empty();
        if !is_sensible {
            return Err(format!(
                "no part has {runs} runs, {cut} of them cut off, and {steps} steps, at most \
                 {longest} in a run"
            ));
        }
        for (index, (name, tally)) in properties.iter().enumerate() {
            if name == PANICKED || !scenario.can_violate(name) {
                return Err(format!("the scenario does not check {name:?}"));
            }
            if properties[..index].iter().any(|(other, _)| other == name) {
                return Err(format!("{name:?} comes twice"));
            }
            let Tally { held, vacuous, violated, undecided } = *tally;
            let counts = [held, vacuous, violated, undecided];
            let sum = counts.iter().try_fold(0u64, |sum, count| sum.checked_add(*count));
            if sum != Some(*runs) {
                return Err(format!("the verdicts of {name:?} are not those of {runs} runs"));
            }
            if (violated > 0) != found.contains_key(name) {
                return Err(format!(
                    "{name:?} is violated in {violated} runs, and was found or not"
                ));
            }
        }
        let same = |names: &[(String, Tally)]| {
            names.iter().map(|(name, _)| name).eq(properties.iter().map(|(name, _)| name))
        };
        if !properties.is_empty() && !names.is_none_or(same) {
            return Err("other properties than in the parts before".to_owned());
        }
        for (name, nth) in found {
            let is_known = name == PANICKED || properties.iter().any(|(other, _)| other == name);
            if !is_known || *nth == 0 || nth > runs {
                return Err(format!("{name:?} cannot be violated by run {nth} of {runs}"));
            }
        }
        Ok(())
    }
}

/// A reader of the file, up to a truncated last line.
struct Reader {
    path: PathBuf,
    input: BufReader<File>,
    header: Header,
    /// The length of what is complete.
    whole: u64,
    line: u64,
}

impl Reader {
    /// Reads the header; `None` if it is truncated.
    fn open(path: &Path) -> Result<Option<Self>, KeptError> {
        let is_file = at(path, fs::symlink_metadata(path))?.is_file();
        if !is_file {
            return Err(foreign(path, "it is not a file").into());
        }
        let mut input = BufReader::new(at(path, File::open(path))?);
        let (mut whole, mut line) = (0, 0);
        let Some(bytes) = next_line(path, &mut input, &mut whole, &mut line)? else {
            refuse_other_text(path)?;
            return Ok(None);
        };
        let header = match parse_line(&bytes) {
            Ok(Line::Exploration(header)) if header.ftsim == VERSION => header,
            parsed => {
                // Another version may use other lines.
                let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
                let why = match (value["exploration"]["ftsim"].as_str(), parsed) {
                    (Some(theirs), _) if theirs != VERSION => other_version(theirs),
                    (_, Err(why)) => format!("this is not the header of an exploration: {why}"),
                    (_, Ok(_)) => "this is not the header of an exploration".to_owned(),
                };
                return Err(damaged(path, line, why).into());
            }
        };
        Ok(Some(Self { path: path.to_owned(), input, header, whole, line }))
    }

    /// Refuses the header of another search.
    fn is_of(&self, asked: &Header) -> Result<(), KeptError> {
        match self.header.difference(asked) {
            None => Ok(()),
            Some(difference) => {
                Err(KeptError::Other { path: self.path.display().to_string(), difference })
            }
        }
    }

    /// The next part, beside those that have been read; `None` after the last complete line.
    fn next_part(
        &mut self,
        scenario: &Scenario,
        settings: &Settings,
        before: &BTreeMap<usize, Seen>,
    ) -> Result<Option<(usize, Seen)>, KeptError> {
        let mut read = self.whole;
        let line = next_line(&self.path, &mut self.input, &mut read, &mut self.line)?;
        let Some(bytes) = line else { return Ok(None) };
        self.whole = read;
        let names = before.values().map(|seen| &*seen.verdicts);
        let names = names.into_iter().find(|verdicts| !verdicts.is_empty());
        let part = match parse_line(&bytes) {
            Err(why) => Err(why),
            Ok(Line::Exploration(_)) => Err("a second header".to_owned()),
            Ok(Line::Part(part)) if before.contains_key(&part.part) => {
                Err(format!("part {} comes twice", part.part))
            }
            Ok(Line::Part(part)) => {
                part.check(scenario, settings, self.header.parts, names).map(|()| part)
            }
        };
        let part = part.map_err(|why| damaged(&self.path, self.line, why))?;
        Ok(Some((part.part, part.into_seen(scenario))))
    }
}

fn damaged(path: &Path, line: u64, why: String) -> FolderError {
    FolderError::Damaged { path: path.display().to_string(), line, why }
}

fn foreign(path: &Path, why: &str) -> FolderError {
    FolderError::Foreign { path: path.display().to_string(), why: why.to_owned() }
}

fn is_there(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        there => there.map(|_| true),
    }
}

/// Refuses to replace what no exploration of a scenario of this name wrote.
fn refuse_foreign(path: &Path, scenario: &Scenario) -> Result<(), KeptError> {
    if !at(path, is_there(path))? {
        return Ok(());
    }
    if !at(path, fs::symlink_metadata(path))?.is_file() {
        return Err(foreign(path, "it is not a file").into());
    }
    let line = at(path, first_line(path))?;
    if line.last() != Some(&b'\n') {
        return refuse_other_text(path);
    }
    let header: Value = serde_json::from_slice(&line).unwrap_or_default();
    let header = &header["exploration"];
    match (header["schema"].as_u64(), header["ftsim"].as_str(), header["scenario"].as_str()) {
        (Some(_), Some(_), Some(name)) if name == scenario.name() => Ok(()),
        (Some(_), Some(_), Some(name)) => {
            let why = format!("it is of an exploration of {name:?}");
            Err(foreign(path, &why).into())
        }
        _ => Err(foreign(path, "it was not written by an exploration").into()),
    }
}

/// Refuses a file without a complete line that is not the beginning of a header.
fn refuse_other_text(path: &Path) -> Result<(), KeptError> {
    let line = at(path, first_line(path))?;
    let known = line.len().min(BEGINNING.len());
    match line[..known] == BEGINNING[..known] {
        true => Ok(()),
        false => Err(foreign(path, "it was not written by an exploration").into()),
    }
}

fn first_line(path: &Path) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(File::open(path)?).take(HEADER_LENGTH_MAX).read_until(b'\n', &mut line)?;
    Ok(line)
}
