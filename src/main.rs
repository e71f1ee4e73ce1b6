//! The `ftsim` binary: the command line with the built-in protocols.

use std::process::ExitCode;

fn main() -> ExitCode {
    ftsim::main(ftsim::Catalogue::builtin())
}
