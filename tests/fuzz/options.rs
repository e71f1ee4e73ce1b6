//! What the fuzz target is told.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use super::input::Kind;

/// Fresh inputs of `cargo test`.
const COUNT_DEFAULT: u64 = 3_000;

/// Has ftsim read damaged scenarios, repros, records, results and regression files, and run what it
/// accepts. Bad input must be refused with words, good input must run: nothing panics, hangs, or
/// takes memory without end. What fails is written into the corpus, which is tried first.
#[derive(Clone, Debug, Parser)]
#[command(name = "fuzz")]
pub struct Options {
    /// Draw the inputs from seed S
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Take N fresh inputs; default: 3000, or as many as the time allows
    #[arg(long, value_name = "N")]
    pub inputs: Option<u64>,
    /// Begin no further input after this time, such as 30s
    #[arg(long = "for", value_name = "TIME")]
    pub time: Option<ftsim_core::Duration>,
    /// Take inputs of these kinds; default: all
    #[arg(long, value_name = "KIND,…", value_delimiter = ',', default_values_t = all_kinds())]
    pub kinds: Vec<Kind>,
    /// The folder of inputs that once failed
    #[arg(long, value_name = "DIR", default_value = corpus())]
    pub corpus: PathBuf,
    /// Take the input with this number alone; the first ones are those of the corpus
    #[arg(long, value_name = "I")]
    pub only: Option<u64>,
    /// End after so many findings that are not alike
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub most: usize,
    /// Have every accepted scenario go through all commands, not a few of them only
    #[arg(long)]
    pub thorough: bool,
    /// Write input I into DIR, and do nothing with it
    #[arg(long, value_name = "DIR", requires = "only")]
    pub write: Option<PathBuf>,
    /// Be the process that takes inputs, from this one on, and is watched
    #[arg(long, hide = true)]
    pub from: Option<u64>,
    /// Its folder
    #[arg(long, hide = true)]
    pub folder: Option<PathBuf>,
    #[command(flatten)]
    pub harness: Harness,
}

/// What `cargo test` hands to every test binary.
#[derive(Clone, Debug, clap::Args)]
pub struct Harness {
    /// Only tests whose names have this in them
    #[arg(hide = true)]
    filter: Vec<String>,
    #[arg(long, hide = true)]
    list: bool,
    #[arg(long, hide = true)]
    exact: bool,
    #[arg(long, hide = true)]
    ignored: bool,
    #[arg(long, hide = true)]
    include_ignored: bool,
    #[arg(long, hide = true)]
    nocapture: bool,
    #[arg(long, hide = true)]
    no_capture: bool,
    #[arg(long, hide = true)]
    show_output: bool,
    #[arg(long, short, hide = true)]
    quiet: bool,
    #[arg(long, hide = true)]
    skip: Vec<String>,
    #[arg(long, hide = true)]
    format: Option<String>,
    #[arg(long, hide = true)]
    color: Option<String>,
    #[arg(long, hide = true)]
    test_threads: Option<u64>,
}

fn all_kinds() -> Vec<Kind> {
    Kind::ALL.into_iter().map(|(kind, ..)| kind).collect()
}

const fn corpus() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus")
}

impl Options {
    /// The same, for the process that is watched, which is in another folder.
    pub fn arguments(&self) -> Vec<OsString> {
        let corpus = std::path::absolute(&self.corpus).unwrap_or_else(|_| self.corpus.clone());
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.name()).collect();
        let mut arguments: Vec<OsString> = vec!["--corpus".into(), corpus.into()];
        arguments.extend(["--kinds".into(), kinds.join(",").into()]);
        let numbers = [
            ("--seed", Some(self.seed)),
            ("--inputs", self.inputs),
            ("--only", self.only),
            ("--most", Some(self.most as u64)),
        ];
        for (name, number) in numbers {
            arguments.extend(number.iter().flat_map(|n| [name.into(), n.to_string().into()]));
        }
        arguments.extend(self.thorough.then(|| "--thorough".into()));
        let time = self.time.iter();
        arguments.extend(time.flat_map(|time| ["--for".into(), time.to_string().into()]));
        arguments
    }

    /// How many fresh inputs there are.
    pub fn count(&self) -> u64 {
        self.inputs.unwrap_or(if self.time.is_some() { u64::MAX } else { COUNT_DEFAULT })
    }

    /// When the last one begins.
    pub fn until(&self) -> Option<Duration> {
        self.time.map(|time| Duration::from_nanos(time.as_nanos()))
    }
}

impl Harness {
    /// Whether this is the test that is asked for.
    pub fn wants(&self, name: &str) -> bool {
        let fits = |filter: &String| match self.exact {
            true => filter == name,
            false => name.contains(filter.as_str()),
        };
        let asked = self.filter.is_empty() || self.filter.iter().any(fits);
        asked && !self.skip.iter().any(fits) && !self.ignored
    }

    /// Whether the tests are to be listed.
    pub const fn lists(&self) -> bool {
        self.list
    }
}
