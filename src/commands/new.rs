//! `ftsim new`: the skeleton of a protocol or a scenario.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use ftsim_core::{DetectorClass, Entry, FaultClass};
use ftsim_protocols::Catalogue;
use ftsim_reports::program;
use serde_json::Value;

use crate::cli::screen::Form;
use crate::cli::{Exit, Failure, Out, complain, say};
use crate::files::write_whole;
use crate::scenario::diagnostic::did_you_mean;
use crate::stress::small_setting;

/// Arguments of `ftsim new`.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write the Rust file of a protocol
    Protocol {
        /// Name of the protocol in scenarios, such as token-ring
        #[arg(value_name = "NAME")]
        name: String,
        /// Write to FILE; default: standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Write a scenario of a protocol, with every parameter and its default
    Scenario {
        /// Name of the protocol
        #[arg(value_name = "PROTOCOL")]
        protocol: String,
        /// Write to FILE; default: standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

pub fn new(args: &NewArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let (text, output) = match &args.what {
        What::Protocol { name, output } => match protocol(name) {
            Some(text) => (text, output),
            None => {
                complain(&format!(
                    "`{name}` is not a valid protocol name\nhelp: write lower-case words separated \
                     by hyphens, such as `token-ring`"
                ));
                return Ok(Exit::BadInput);
            }
        },
        What::Scenario { protocol, output } => match catalogue.get(protocol) {
            Some(entry) => (scenario(entry), output),
            None => {
                let names = catalogue.entries().iter().map(|entry| entry.name);
                let help = did_you_mean(protocol, names)
                    .unwrap_or_else(|| format!("`{} list` shows them all", program()));
                complain(&format!("unknown protocol `{protocol}`\nhelp: {help}"));
                return Ok(Exit::BadInput);
            }
        },
    };
    let Some(path) = output else {
        out.begin(Form::Data)?;
        write!(out, "{text}")?;
        return Ok(Exit::Good);
    };
    if path.exists() {
        complain(&format!("{} already exists", path.display()));
        return Ok(Exit::BadInput);
    }
    write_whole(path, text.as_bytes())?;
    say(&format!("{}\n", path.display()));
    Ok(Exit::Good)
}

/// The file of a best-effort broadcast protocol that compiles and is meant to be changed. `None` if
/// the name is not valid for a protocol.
fn protocol(name: &str) -> Option<String> {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if !name.split('-').all(is_word) {
        return None;
    }
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    let type_name: String = name.split('-').map(capital).collect();
    let skeleton = include_str!("new/protocol.rs.txt");
    Some(skeleton.replace("NAME_OF_TYPE", &type_name).replace("NAME_OF_PROTOCOL", name))
}

/// A scenario with a small number of processes and the faults that the protocol tolerates.
fn scenario(entry: &Entry) -> String {
    let setting = small_setting(entry);
    let mut text = format!("protocol  = \"{}\"\nsummary   = \"\"\n", entry.name);
    match setting.roles.as_slice() {
        [(_, count)] => text.push_str(&format!("processes = {count}\n")),
        roles => {
            let counts = roles.iter().map(|(role, count)| format!("{role} = {count}"));
            let counts = counts.collect::<Vec<_>>().join(", ");
            text.push_str(&format!("processes = {{ {counts} }}\n"));
        }
    }
    let sections = [("params", (entry.params_schema)()), ("workload", (entry.workload_schema)())];
    for (section, schema) in sections {
        let keys = schema.as_value()["properties"].as_object();
        let Some(keys) = keys.filter(|keys| !keys.is_empty()) else { continue };
        text.push_str(&format!("\n[{section}]\n"));
        keys.iter().for_each(|(key, property)| text.push_str(&commented(key, property)));
    }
    if entry.model.detector != DetectorClass::None {
        text.push_str("\n[detector]\nkind  = \"perfect\"\ndelay = \"0ms..20ms\"\n");
    }
    let max = entry.model.bound.max(&setting).unwrap_or(0);
    let drawn = match entry.model.faults {
        FaultClass::CrashStop if max > 0 => {
            Some((max, format!("crash = {{ count = \"0..{max}\", between = \"0ms..50ms\" }}")))
        }
        FaultClass::CrashRecovery => {
            // If only so many processes ever crash, no more are down at once.
            let at_once = entry.model.bound.max_at_once().unwrap_or(setting.n);
            let down = "recover_after = \"1ms..100ms\"";
            let crash = format!("crash = {{ count = \"0..3\", between = \"0ms..50ms\", {down} }}");
            (at_once > 0).then(|| (at_once.min(setting.n), crash))
        }
        FaultClass::Byzantine if max > 0 => {
            Some((max, format!("byzantine = {{ count = {max}, between = \"0s\" }}")))
        }
        _ => None,
    };
    if let Some((max_faulty, kind)) = drawn {
        text.push_str(&format!("\n[random]\nmax_faulty = {max_faulty}\n{kind}\n"));
    }
    text.push_str("\n[run]\nseeds   = 100\nhorizon = \"10s\"\n");
    text
}

/// A key with its meaning and default, commented out.
fn commented(key: &str, property: &Value) -> String {
    let described = property["description"].as_str().unwrap_or_default();
    let mut text: String = described.lines().map(|line| format!("# {line}\n")).collect();
    let default = toml_text(&property["default"]).unwrap_or_else(|| "…".to_owned());
    text.push_str(&format!("# {key} = {default}\n"));
    text
}

fn toml_text(value: &Value) -> Option<String> {
    let value = toml::Value::try_from(value).ok()?;
    Some(value.to_string())
}
