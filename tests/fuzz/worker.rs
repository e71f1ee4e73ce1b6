//! Takes inputs one after the other, in a process of its own, and tells the one that watches where
//! it is.

use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::ALLOCATOR;
use super::base::Base;
use super::commands::Commands;
use super::dice::Dice;
use super::findings::{Finding, Findings, last_panic, note_panics};
use super::input::{Input, Kind};
use super::judge::{BESIDE, Depth, Judge};
use super::options::Options;
use super::progress::{Clock, Progress};

/// Memory that one input may take, in bytes, beyond what was taken before.
const MEMORY_MAX: usize = 256 << 20;
/// Memory that is still taken when an input is done.
const KEPT_MAX: usize = 8 << 20;

/// All inputs of a call of the program: those of the corpus, then fresh ones.
pub struct Inputs<'o> {
    options: &'o Options,
    corpus: Vec<PathBuf>,
    base: Base,
}

impl<'o> Inputs<'o> {
    /// The same for the same options and the same files.
    pub fn new(options: &'o Options, commands: &mut Commands) -> Self {
        let base = Base::new(commands);
        // What it was made of has run, so that ftsim's own hook is below this one.
        note_panics();
        Self { options, corpus: corpus(options), base }
    }

    /// The input with this number, and how thoroughly it is looked at.
    pub fn get(&self, number: u64) -> (Input, Depth) {
        if let Some(path) = self.kept(number) {
            let bytes = fs::read(path).expect("a readable corpus");
            let input = Input::of_file(path, bytes).expect("only such files are listed");
            return (input, Depth::Thorough);
        }
        let number = number - self.corpus.len() as u64;
        let mut dice = Dice::new(self.options.seed, number);
        let kind = Kind::draw(&self.options.kinds, &mut dice);
        let depth = if self.options.thorough { Depth::Thorough } else { Depth::Fresh };
        (self.base.input(kind, &mut dice), depth)
    }

    /// Where it is in the corpus, if it is there already.
    pub fn kept(&self, number: u64) -> Option<&Path> {
        let number = usize::try_from(number).ok()?;
        self.corpus.get(number).map(PathBuf::as_path)
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.options.count().saturating_add(self.corpus.len() as u64)
    }
}

/// The files of the corpus that are inputs of these kinds.
fn corpus(options: &Options) -> Vec<PathBuf> {
    let entries = fs::read_dir(&options.corpus).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| {
        let input = Input::of_file(path, Vec::new());
        path.is_file() && input.is_some_and(|input| options.kinds.contains(&input.kind))
    });
    paths.sort();
    paths
}

/// Takes inputs from this number on. What was found is written to `findings.txt` in the folder.
///
/// # Panics
/// When the folder cannot be written.
pub fn work(options: &Options, folder: &Path, from: u64) {
    let clock = Clock::start();
    for beside in BESIDE {
        fs::create_dir_all(beside).expect("the folder can be written");
        fs::write(Path::new(beside).join("kept"), "").expect("the folder can be written");
    }
    let mut commands = Commands::new(folder);
    let inputs = Inputs::new(options, &mut commands);
    let mut judge = Judge::new(commands);
    let mut findings = Findings::new(options.corpus.clone());
    let mut told = File::options().append(true).create(true).open(folder.join("findings.txt"));
    let told = told.as_mut().expect("the folder can be written");
    let mut place = File::create(folder.join("progress")).expect("the folder can be written");
    let mut progress = Progress { count: inputs.count(), ..Progress::default() };
    let end = if options.only.is_some() { from + 1 } else { inputs.count() };
    for number in from..end {
        let until = options.until();
        if until.is_some_and(|until| clock.elapsed() >= until) || findings.len() >= options.most {
            break;
        }
        let (input, depth) = inputs.get(number);
        progress.number = number;
        place.rewind().expect("a file can be rewound");
        place.write_all(&progress.to_bytes()).expect("the folder can be written");
        let start = clock.elapsed();
        if let Err(finding) = taken(&mut judge, &input, depth)
            && let Some(text) = findings.take(&input, &finding, inputs.kept(number))
        {
            writeln!(told, "input {number}: {text}\n").expect("the folder can be written");
        }
        let micros = (clock.elapsed() - start).as_micros();
        progress.add(input.kind, u64::try_from(micros).unwrap_or(u64::MAX), number);
        (progress.accepted, progress.tours) = (judge.accepted, judge.tours);
        progress.memory = ALLOCATOR.max_allocated() as u64;
    }
    progress.is_over = true;
    place.rewind().expect("a file can be rewound");
    place.write_all(&progress.to_bytes()).expect("the folder can be written");
}

/// Has ftsim take an input. Where it needs more memory than it may the process ends.
fn taken(judge: &mut Judge, input: &Input, depth: Depth) -> Result<(), Finding> {
    let before = ALLOCATOR.allocated();
    ALLOCATOR.set_limit(before + MEMORY_MAX).expect("there is so much");
    last_panic();
    let judged = catch_unwind(AssertUnwindSafe(|| judge.judge(input, depth)));
    let finding = match judged {
        Err(_) => {
            Some(Finding { what: format!("panic at {}", last_panic()), detail: String::new() })
        }
        Ok(Err(Finding { what, detail })) if what.ends_with("with status 70") => {
            Some(Finding { what: format!("{what}: {}", last_panic()), detail })
        }
        Ok(judged) => judged.err(),
    };
    let kept = ALLOCATOR.allocated().saturating_sub(before);
    match finding {
        Some(finding) => Err(finding),
        None if kept > KEPT_MAX => {
            let what = "memory is kept when an input is done".to_owned();
            Err(Finding { what, detail: format!("{kept} bytes") })
        }
        None => Ok(()),
    }
}
