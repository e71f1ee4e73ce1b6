//! `ftsim check-history`: whether a history from outside is linearizable.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use ftsim_protocols::spec::linearizability::value::Value;
use ftsim_protocols::spec::linearizability::{Budget, Cut};
use ftsim_reports::{counted, line};
use serde_json::{Value as Json, json};

use crate::cli::{Exit, Failure, Format, Out, complain};
use crate::files::at;
use crate::history::judge::{FailedCas, Misfit, ModelName, Object, Rules, Verdict, judge};
use crate::history::operations::{Act, End, operations};
use crate::history::{edn, jsonl};

/// The operations at the end of a longest order that are shown as text.
const SHOWN_COUNT: usize = 10;

/// Arguments of `ftsim check-history`.
#[derive(Debug, Args)]
pub(crate) struct CheckHistoryArgs {
    /// Judge this history: Jepsen's EDN, or JSON with the same fields, an object per line, if the
    /// name ends in .jsonl
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Judge it as the history of a MODEL
    #[arg(long, value_name = "MODEL")]
    model: ModelName,
    /// Take values for [KEY VALUE], and each key for an object of its own, as `kv` always does
    #[arg(long)]
    keyed: bool,
    /// Take VALUE, in EDN, for what a register or key holds at first
    #[arg(long, value_name = "VALUE", default_value = "nil", value_parser = edn::value)]
    initial: Value,
    /// What a cas that failed without an :error tells
    #[arg(long, value_name = "HOW", default_value = "ignored")]
    failed_cas: FailedCas,
    /// Search at most N steps
    #[arg(long, value_name = "N", default_value = "1000000000")]
    steps: u64,
    /// Hold at most N MiB of configurations at once
    #[arg(long, value_name = "N", default_value = "1024")]
    memory: u64,
    /// Write the judgement as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

pub(crate) fn check_history(args: &CheckHistoryArgs, out: &mut Out) -> Result<Exit, Failure> {
    let text = at(&args.file, fs::read_to_string(&args.file))?;
    let is_json = args.file.extension().is_some_and(|ending| ending == "jsonl");
    let entries = if is_json { jsonl::read(&text) } else { edn::read(&text) };
    let rules = Rules {
        model: args.model,
        keyed: args.keyed || args.model == ModelName::Kv,
        initial: args.initial.clone(),
        failed_cas: args.failed_cas,
    };
    let mut budget = Budget { steps: args.steps, bytes: args.memory.saturating_mul(1 << 20) };
    let judged = entries.and_then(|entries| {
        let (acts, other_count) = operations(&entries)?;
        let objects = judge(&acts, &rules, &mut budget)?;
        Ok(History { acts, other_count, objects, steps: args.steps - budget.steps })
    });
    let history = match judged {
        Ok(history) => history,
        Err(error) => {
            complain(&line(&format!("{}:{error}", args.file.display())));
            return Ok(Exit::BadInput);
        }
    };
    out.begin(args.format.form())?;
    match args.format {
        Format::Text => history.write(args, out)?,
        Format::Json => writeln!(out, "{:#}", history.json(args))?,
    }
    Ok(history.exit())
}

/// A history, and the judgement on it.
struct History {
    acts: Vec<Act>,
    other_count: u64,
    objects: Vec<Object>,
    steps: u64,
}

impl History {
    fn exit(&self) -> Exit {
        let any = |is: fn(&Verdict) -> bool| self.objects.iter().any(|o| is(&o.verdict));
        match () {
            () if any(|verdict| matches!(verdict, Verdict::Violated { .. })) => Exit::Unexpected,
            () if any(|verdict| matches!(verdict, Verdict::Undecided(_))) => Exit::Undecided,
            () => Exit::Good,
        }
    }

    fn verdict(&self) -> &'static str {
        match self.exit() {
            Exit::Good => "held",
            Exit::Undecided => "undecided",
            _ => "violated",
        }
    }

    /// How many operations ended in each way.
    fn counts(&self) -> [u64; 3] {
        let mut counts = [0; 3];
        for act in &self.acts {
            counts[match act.end {
                End::Answered(_) => 0,
                End::Failed { .. } => 1,
                End::Open => 2,
            }] += 1;
        }
        counts
    }

    fn write(&self, args: &CheckHistoryArgs, out: &mut impl Write) -> io::Result<()> {
        let [answered, failed, open] = self.counts();
        let operations = counted(self.acts.len() as u64, "operation");
        let path = line(&args.file.display().to_string()).into_owned();
        let objects = counted(self.objects.len() as u64, "object");
        writeln!(
            out,
            "{path}: {}: {operations} on {objects}: {answered} answered, {failed} failed, {open} \
             open; {}",
            self.verdict(),
            counted(self.steps, "step")
        )?;
        for object in &self.objects {
            let name = match &object.key {
                None => "the object".to_owned(),
                Some(key) => format!("key {}", line(&key.to_string())),
            };
            match &object.verdict {
                Verdict::Held => {}
                Verdict::Undecided(cut) => {
                    let limit = match cut {
                        Cut::Steps => format!("{} steps (--steps)", args.steps),
                        Cut::Bytes => format!("{} MiB (--memory)", args.memory),
                    };
                    writeln!(out, "\n{name}: the search was cut off at the limit of {limit}")?;
                }
                Verdict::Violated { longest, misfits } => {
                    writeln!(out, "\n{name} is not linearizable")?;
                    self.write_witness(object, longest, misfits, out)?;
                }
            }
        }
        Ok(())
    }

    fn write_witness(
        &self,
        object: &Object,
        longest: &[usize],
        misfits: &[Misfit],
        out: &mut impl Write,
    ) -> io::Result<()> {
        let count = object.operation_count;
        writeln!(out, "  the longest legal order has {} of {count} operations:", longest.len())?;
        if let Some(left_out) = longest.len().checked_sub(SHOWN_COUNT).filter(|n| *n > 0) {
            writeln!(out, "    … {left_out} before these")?;
        }
        for act in &longest[longest.len().saturating_sub(SHOWN_COUNT)..] {
            writeln!(out, "    {}", self.text(*act))?;
        }
        writeln!(out, "  after it these fit nowhere:")?;
        for Misfit { act, instead, is_first } in misfits {
            let first = if *is_first { "; the first answer that nothing explains" } else { "" };
            let (text, instead) = (self.text(*act), line(instead));
            writeln!(out, "    {text}  (it would be {instead}{first})")?;
        }
        Ok(())
    }

    /// An operation in words, with the line of its invocation.
    fn text(&self, act: usize) -> String {
        let act = &self.acts[act];
        let answer = match &act.end {
            End::Answered(answer) if answer.found == act.asked => "ok".to_owned(),
            End::Answered(answer) => answer.found.to_string(),
            End::Failed { .. } => "refused".to_owned(),
            End::Open => "not answered".to_owned(),
        };
        let (at, process) = (act.place().line, act.process);
        let text = format!("{} {} -> {answer}", act.function, act.asked);
        format!("line {at}  process {process}  {}", line(&text))
    }

    fn json(&self, args: &CheckHistoryArgs) -> Json {
        let [answered, failed, open] = self.counts();
        let objects: Vec<Json> = self.objects.iter().map(|object| self.object(object)).collect();
        json!({
            "schema": 1,
            "file": args.file.display().to_string(),
            "verdict": self.verdict(),
            "operations": self.acts.len(),
            "answered": answered,
            "failed": failed,
            "open": open,
            "ignored_entries": self.other_count,
            "steps": self.steps,
            "objects": objects,
        })
    }

    fn object(&self, object: &Object) -> Json {
        let key = object.key.as_ref().map(ToString::to_string);
        let operations = object.operation_count;
        let place = |act: &usize| self.acts[*act].place().line;
        match &object.verdict {
            Verdict::Held => json!({ "key": key, "operations": operations, "verdict": "held" }),
            Verdict::Undecided(cut) => {
                let limit = if *cut == Cut::Steps { "steps" } else { "memory" };
                json!({
                    "key": key, "operations": operations, "verdict": "undecided", "limit": limit,
                })
            }
            Verdict::Violated { longest, misfits } => {
                let operation =
                    |act: &usize| json!({ "line": place(act), "text": self.text(*act) });
                let misfit = |misfit: &Misfit| {
                    json!({
                        "line": place(&misfit.act),
                        "text": self.text(misfit.act),
                        "instead": misfit.instead,
                        "is_first": misfit.is_first,
                    })
                };
                json!({
                    "key": key,
                    "operations": operations,
                    "verdict": "violated",
                    "longest_order": longest.iter().map(operation).collect::<Vec<_>>(),
                    "fit_nowhere": misfits.iter().map(misfit).collect::<Vec<_>>(),
                })
            }
        }
    }
}
