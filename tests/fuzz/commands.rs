//! The command line, in this process: arguments in, a status and two texts out.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ftsim::Catalogue;

use super::findings::Finding;

/// Where the command line writes, and what it knows.
pub struct Commands {
    /// The protocols.
    pub catalogue: Catalogue,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// What is written on stderr is longer than this only if something is wrong.
const COMPLAINT_MAX: u64 = 64 * 1024;
/// What is written on stdout.
const OUTPUT_MAX: u64 = 32 * 1024 * 1024;

impl Commands {
    /// The standard streams of this process are files in this folder.
    pub fn new(folder: &Path) -> Self {
        Self {
            catalogue: Catalogue::builtin(),
            stdout: folder.join("stdout"),
            stderr: folder.join("stderr"),
        }
    }

    /// Calls `ftsim` with these arguments.
    ///
    /// # Errors
    /// When its status is none of these, or it says too much.
    pub fn call(&self, arguments: &[&str], right: &[u8]) -> Result<u8, Finding> {
        for path in [&self.stdout, &self.stderr] {
            // Both are open for appending, so that the next byte is the first again.
            let file = File::options().write(true).open(path).expect("a stream is a file");
            file.set_len(0).expect("a file can be cut");
        }
        let words = std::iter::once(&"ftsim").chain(arguments);
        let status = ftsim::main_with(words.map(|word| (*word).into()), &self.catalogue);
        let length = |path| fs::metadata(path).map_or(0, |data| data.len());
        let (said, complained) = (length(&self.stdout), length(&self.stderr));
        let finding = |what: String| {
            let mut text = String::new();
            let begin = File::open(&self.stderr).map(|file| file.take(4_000));
            let read = begin.and_then(|mut begin| begin.read_to_string(&mut text));
            drop(read);
            Err(Finding { what, detail: format!("ftsim {}\n{text}", arguments.join(" ")) })
        };
        let verb = arguments.first().copied().unwrap_or_default();
        if !right.contains(&status) {
            return finding(format!("`{verb}` ends with status {status}"));
        }
        if status == 2 && complained == 0 {
            return finding(format!("`{verb}` refuses without a word"));
        }
        if complained > COMPLAINT_MAX {
            return finding(format!("`{verb}` complains at length: more than {COMPLAINT_MAX}"));
        }
        if said > OUTPUT_MAX {
            return finding(format!("`{verb}` writes without end"));
        }
        Ok(status)
    }

    /// Calls `ftsim` with arguments that are sound.
    ///
    /// # Panics
    /// When it says that they are not.
    pub fn sound(&self, arguments: &[&str]) {
        if let Err(finding) = self.call(arguments, &[0, 1, 3]) {
            panic!("{}\n{}", finding.what, finding.detail);
        }
    }
}
