//! `ftsim completions` and `ftsim man`: shell completions and the manual page.

use std::io::{self, Write};

use clap::{Args, Command};
use clap_complete::Shell;
use ftsim_reports::program;

use crate::cli::screen::Form;
use crate::cli::{Exit, Failure, Out};

/// Arguments of `ftsim completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Print the completions for this shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub fn completions(
    args: &CompletionsArgs,
    mut command: Command,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command, program(), &mut text);
    out.begin(Form::Data)?;
    out.write_all(&text)?;
    Ok(Exit::Good)
}

/// Writes one manual page for the program and all of its commands.
pub fn man(command: Command, out: &mut Out) -> Result<Exit, Failure> {
    let mut command = command.name(program());
    command.build();
    let mut text = Vec::new();
    page(&command, &mut text)?;
    out.begin(Form::Data)?;
    out.write_all(&text)?;
    Ok(Exit::Good)
}

fn page(command: &Command, text: &mut Vec<u8>) -> io::Result<()> {
    let whole = clap_mangen::Man::new(command.clone());
    whole.render(text)?;
    for part in command.get_subcommands().filter(|part| part.get_name() != "help") {
        let man = clap_mangen::Man::new(part.clone());
        let name = part.get_bin_name().unwrap_or(part.get_name()).to_uppercase();
        writeln!(text, ".SH \"{name}\"")?;
        man.render_description_section(text)?;
        man.render_options_section(text)?;
    }
    Ok(())
}
