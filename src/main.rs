//! The `ftsim` binary: the command line with the protocols that ftsim brings along.

use std::process::ExitCode;

fn main() -> ExitCode {
    ftsim::main(ftsim::Catalogue::builtin())
}
