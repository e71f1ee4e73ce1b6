//! Guards everything that reads: no input makes ftsim panic, hang, take memory without end, or end
//! with a wrong status.
//!
//! `cargo test` tries the corpus and a few thousand fresh inputs. By hand:
//!
//!     cargo test --release --test fuzz -- --inputs 10000000
//!     cargo test --release --test fuzz -- --seed 7 --for 30s
//!     cargo test --release --test fuzz -- --kinds record,results --inputs 100000
//!     cargo test --release --test fuzz -- --thorough --inputs 10000
//!
//! An input is a function of the seed and its number, so that `--only I` takes one of them again.
//! They are taken in a process of their own, which another one watches: it sees stacks that
//! overflow, memory that runs out, and inputs that take too long.

mod base;
mod bytes;
mod commands;
mod dice;
mod findings;
mod input;
mod judge;
mod options;
mod progress;
#[path = "../shipped/mod.rs"]
#[expect(dead_code, reason = "other tests need the rest of it")]
mod shipped;
mod text;
mod tokens;
mod values;
mod watch;
mod worker;

use std::alloc::System;
use std::process::ExitCode;

use cap::Cap;
use clap::Parser as _;

use commands::Commands;
use options::Options;

/// Counts what is allocated, and ends the process where an input wants too much.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// The name of the only test.
const NAME: &str = "any_input_is_refused_or_run";

fn main() -> ExitCode {
    let options = Options::parse();
    if let (Some(from), Some(work)) = (options.from, &options.folder) {
        match (&options.write, options.only) {
            (Some(folder), Some(number)) => {
                let mut commands = Commands::new(work);
                let (input, _) = worker::Inputs::new(&options, &mut commands).get(number);
                findings::keep(&folder.join(input.file_name()), &input.bytes);
            }
            _ => worker::work(&options, work, from),
        }
        return ExitCode::SUCCESS;
    }
    if options.harness.lists() {
        println!("{NAME}: test");
        return ExitCode::SUCCESS;
    }
    if !options.harness.wants(NAME) {
        return ExitCode::SUCCESS;
    }
    watch::watch(&options)
}
