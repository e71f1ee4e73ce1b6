//! `ftsim explore`: all runs of small scenarios, up to the order of what commutes, or some of them.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use clap::{Args, ValueEnum};
use ftsim_core::explore::budget::STEP_COUNT_MAX;
use ftsim_core::explore::states::StateCount;
use ftsim_core::explore::{Budget, Time};
use ftsim_core::{Duration, Experiment};
use ftsim_protocols::Catalogue;
use ftsim_reports::{counted, line};
use serde_json::{Value, json};

use crate::cli::progress::spinner;
use crate::cli::screen::Form;
use crate::cli::{Exit, Failure, Out, clock, complain, interrupt, jobs, load_all, say};
use crate::explore::{self, Effort, Exploration, Keep, Settings, Strategy};
use crate::files::{at, write_whole};
use crate::scenario::Scenario;

/// Arguments of `ftsim explore`.
#[derive(Debug, Args)]
pub(crate) struct ExploreArgs {
    /// Explore these scenarios, and all scenarios in these folders, without their faults
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Let N processes crash in a run, between any two effects; default: as many as the protocol
    /// tolerates
    #[arg(long, value_name = "N")]
    crashes: Option<u32>,
    /// Let N of the crashed processes recover; default: 1 if the protocol is made for it
    #[arg(long, value_name = "N")]
    recoveries: Option<u32>,
    /// Lose N messages in a run; default: 1 on fair-loss links
    #[arg(long, value_name = "N")]
    losses: Option<u32>,
    /// Have N messages arrive twice in a run; default: 1 on fair-loss links
    #[arg(long, value_name = "N")]
    duplicates: Option<u32>,
    /// With --strategy lineage: have N messages arrive after three times the bound; default: 0
    #[arg(long, value_name = "N")]
    late: Option<u32>,
    /// Have N processes suspected wrongly in a run, for a while; default: 0
    #[arg(long, value_name = "N")]
    suspicions: Option<u32>,
    /// Let N timers of each process run out while messages are under way; default: 0
    #[arg(long, value_name = "N")]
    timeouts: Option<u32>,
    /// Choose the first N small draws of each process, such as coins; default: 0
    #[arg(long, value_name = "N")]
    coins: Option<u32>,
    /// Choose the first N small draws of the clients, such as votes; default: 0
    #[arg(long, value_name = "N")]
    votes: Option<u32>,
    /// Cut a run off after N steps; default: 200
    #[arg(long, value_name = "N")]
    steps: Option<u32>,
    /// Which runs to make: exhaustive; one to each of all states; by lineage, the patterns of
    /// crashes, losses and late messages in lockstep that can matter; sampled by random, pos, or
    /// pct:D for bugs of depth D; or guided by what is new
    #[arg(long, value_name = "STRATEGY", default_value_t = Strategy::Exhaustive)]
    strategy: Strategy,
    /// How time passes; default: in lockstep if the protocol needs a bound on delays
    #[arg(long, value_name = "TIME")]
    time: Option<TimeArg>,
    /// Make all runs, in every order
    #[arg(long)]
    unreduced: bool,
    /// Stop after N runs of a scenario, or N states; default: 10,000,000, or 10,000 that are
    /// sampled
    #[arg(long, value_name = "N")]
    runs: Option<u64>,
    /// Stop each scenario after this wall-clock time, such as 60s
    #[arg(long = "for", value_name = "TIME")]
    limit: Option<Duration>,
    /// Use N threads; default: one per processor. The results do not depend on N
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Write a scenario for each violation to DIR, and the finished parts of an exhaustive search
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Continue an exhaustive search that was interrupted, from the finished parts in DIR
    #[arg(long, requires = "output")]
    resume: bool,
    /// Write the results as FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ExploreFormat,
}

/// The format of the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExploreFormat {
    /// Text.
    Text,
    /// A table in Markdown, a row for each scenario.
    Markdown,
    /// One JSON object.
    Json,
}

/// How time passes.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum TimeArg {
    /// Any pending event can be next
    Free,
    /// Every message takes exactly the bound on delays
    Lockstep,
}

/// A scenario, and what its exploration saw.
struct Row {
    scenario: Scenario,
    settings: Settings,
    seen: Exploration,
    seconds: f64,
}

pub fn explore(args: &ExploreArgs, catalogue: &Catalogue, out: &mut Out) -> Result<Exit, Failure> {
    let (scenarios, bad_input) = load_all(&args.files, catalogue);
    if bad_input {
        return Ok(Exit::BadInput);
    }
    if args.steps.is_some_and(|steps| steps > STEP_COUNT_MAX) {
        complain(&format!("--steps: a run is cut off after at most {STEP_COUNT_MAX} steps"));
        return Ok(Exit::BadInput);
    }
    if let Err(reason) = args.can_keep(&scenarios) {
        complain(&reason);
        return Ok(Exit::BadInput);
    }
    let halt = interrupt::listen();
    out.begin(if args.format == ExploreFormat::Json { Form::Data } else { Form::Text })?;
    if args.format == ExploreFormat::Markdown {
        write!(out, "{TABLE_HEAD}")?;
    }
    let mut exit = Exit::Good;
    let mut rows = Vec::new();
    for scenario in scenarios {
        if halt.load(Ordering::Relaxed) {
            break;
        }
        let started = clock();
        let time = args.limit.map(|limit| std::time::Duration::from_nanos(limit.as_nanos()));
        let until = time.map(|time| started + time);
        let bar = spinner(&scenario.path);
        let effort = Effort {
            run_count_max: args.run_count_max(),
            until,
            halt,
            jobs: jobs(args.jobs),
            keep: args.keep(),
            progress: &|runs, done, parts| {
                bar.set_message(format!("{}, {done} of {parts} parts", counted(runs, "run")));
            },
        };
        let explored = args.settings(&scenario).and_then(|settings| {
            let seen = explore::explore(&scenario, catalogue, &settings, &effort)?;
            Ok((settings, seen))
        });
        bar.finish_and_clear();
        let (settings, seen) = match explored {
            Ok(explored) => explored,
            Err(reason) => {
                out.flush()?;
                complain(&format!("{}: {reason}", scenario.path));
                exit = worse(exit, Exit::BadInput);
                continue;
            }
        };
        let seconds = (clock() - started).as_secs_f64();
        let row = Row { scenario, settings, seen, seconds };
        match args.format {
            ExploreFormat::Text => row.write(out)?,
            ExploreFormat::Markdown => row.write_markdown(out)?,
            ExploreFormat::Json => {}
        }
        out.flush()?;
        if let Some(folder) = &args.output {
            row.write_scenarios(folder)?;
        }
        if let Some(keep) = args.keep().filter(|_| row.can_go_on()) {
            let path = keep.path(&row.scenario);
            say(&format!(
                "{} has the finished parts; the same command with --resume goes on from there\n",
                path.display()
            ));
        }
        exit = worse(exit, row.exit());
        rows.push(row);
    }
    if args.format == ExploreFormat::Json {
        let rows: Vec<Value> = rows.iter().map(Row::json).collect();
        serde_json::to_writer_pretty(&mut *out, &json!({ "schema": 1, "scenarios": rows }))
            .map_err(std::io::Error::from)?;
        writeln!(out)?;
    }
    if halt.load(Ordering::Relaxed) {
        complain(match args.keep() {
            Some(_) => "interrupted; run the same command with --resume to continue",
            None => "interrupted: what was not explored is missing",
        });
        return Ok(Exit::Interrupted);
    }
    Ok(exit)
}

/// The one that matters more: unusable input, then what was not expected, then what is open.
fn worse(one: Exit, other: Exit) -> Exit {
    let order = [Exit::BadInput, Exit::Unexpected, Exit::Undecided];
    order.into_iter().find(|exit| *exit == one || *exit == other).unwrap_or(one)
}

/// An estimate, as precise as it is.
fn about(count: f64) -> String {
    match count {
        _ if count < 10_000.0 => format!("about {count:.0}"),
        _ => format!("about {count:.0e}"),
    }
}

impl ExploreArgs {
    /// Where finished parts are kept: those of an exhaustive search.
    fn keep(&self) -> Option<Keep<'_>> {
        let folder = self.output.as_deref()?;
        let has_parts = self.strategy == Strategy::Exhaustive && !self.unreduced;
        has_parts.then_some(Keep { folder, resumes: self.resume })
    }

    fn can_keep(&self, scenarios: &[Scenario]) -> Result<(), String> {
        if self.resume && self.keep().is_none() {
            return Err("--resume: only an exhaustive search that leaves out what commutes has \
                        parts to continue from"
                .to_owned());
        }
        let mut names: Vec<String> = scenarios.iter().map(Scenario::name).collect();
        names.sort();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) if self.output.is_some() => {
                Err(format!("--output: two of the scenarios are called {:?}", pair[0]))
            }
            _ => Ok(()),
        }
    }

    fn run_count_max(&self) -> u64 {
        self.runs.unwrap_or(match self.strategy {
            Strategy::Exhaustive | Strategy::Lineage | Strategy::States => 10_000_000,
            Strategy::Sampled(_) | Strategy::Guided => 10_000,
        })
    }

    fn settings(&self, scenario: &Scenario) -> Result<Settings, String> {
        let mut settings = Settings::of(scenario)?;
        let budget = &mut settings.budget;
        let given = [
            (&mut budget.crashes, self.crashes),
            (&mut budget.recoveries, self.recoveries),
            (&mut budget.losses, self.losses),
            (&mut budget.duplicates, self.duplicates),
            (&mut budget.late, self.late),
            (&mut budget.suspicions, self.suspicions),
            (&mut budget.timeouts, self.timeouts),
            (&mut budget.coins, self.coins),
            (&mut budget.votes, self.votes),
            (&mut budget.steps, self.steps),
        ];
        for (value, given) in given {
            *value = given.unwrap_or(*value);
        }
        match self.time {
            Some(TimeArg::Free) => settings.time = Time::Free,
            Some(TimeArg::Lockstep) => settings.time = Time::Lockstep,
            None => {}
        }
        settings.is_unreduced = self.unreduced;
        settings.strategy = self.strategy;
        if self.strategy != Strategy::Lineage && settings.budget.late > 0 {
            return Err("--late is for --strategy lineage".to_owned());
        }
        if self.strategy == Strategy::Lineage {
            self.keep_to_patterns(&mut settings)?;
        }
        settings.keep_to_bound(scenario);
        Ok(settings)
    }

    /// Fault patterns are crashes, losses and late messages in lockstep, and nothing else.
    fn keep_to_patterns(&self, settings: &mut Settings) -> Result<(), String> {
        let is_free = matches!(self.time, Some(TimeArg::Free));
        let chosen = [self.coins, self.votes];
        let others = [self.recoveries, self.duplicates, self.suspicions, self.timeouts];
        let others = others.into_iter().chain(chosen);
        if is_free || self.unreduced || others.flatten().any(|count| count > 0) {
            return Err(
                "lineage is about crashes, losses and late messages in lockstep alone".to_owned()
            );
        }
        let Budget { crashes, losses, late, steps, .. } = settings.budget;
        settings.budget = Budget { crashes, losses, late, steps, ..Budget::default() };
        settings.time = Time::Lockstep;
        Ok(())
    }
}

/// The head of a table of explorations.
const TABLE_HEAD: &str = "\
| scenario | protocol | n | budget | runs | steps | in every order | seconds | seen |
|---|---|--:|---|--:|--:|--:|--:|---|
";

impl Row {
    /// Whether parts are left that can be explored later.
    fn can_go_on(&self) -> bool {
        let (done, all) = self.seen.parts;
        let is_found = |name: &str| self.seen.found.iter().any(|one| one.property == name);
        let expected = &self.scenario.expect.violated;
        let is_surprise = self.seen.found.iter().any(|one| !self.expects(&one.property));
        let is_satisfied = !expected.is_empty() && expected.iter().all(|id| is_found(id.0));
        all > 1 && done < all && !is_surprise && !is_satisfied
    }

    fn write_markdown(&self, out: &mut Out) -> std::io::Result<()> {
        let Self { scenario, settings, seen, seconds } = self;
        let violated: Vec<&str> = seen.found.iter().map(|one| one.property.as_str()).collect();
        let (done, parts) = seen.parts;
        let seen_all = match (violated.is_empty(), seen.is_all) {
            (false, _) => format!("`{}` violated", violated.join("`, `")),
            (true, true) => "all".to_owned(),
            (true, false) if seen.count.cut > 0 => format!("{} cut off", seen.count.cut),
            (true, false) => format!("{done} of {parts} parts"),
        };
        let every = seen.run_count_in_every_order.map(about).unwrap_or_default();
        writeln!(
            out,
            "| {} | `{}` | {} | {settings} | {} | {} | {every} | {seconds:.1} | {seen_all} |",
            line(&scenario.name()),
            line(scenario.entry.name),
            scenario.experiment.setting.n,
            seen.count.runs,
            seen.count.steps,
        )
    }

    fn expects(&self, property: &str) -> bool {
        self.scenario.expect.violated.iter().any(|id| id.0 == property)
    }

    fn exit(&self) -> Exit {
        let found = |name: &str| self.seen.found.iter().any(|one| one.property == name);
        let is_surprise = self.seen.found.iter().any(|one| !self.expects(&one.property));
        let mut expected = self.scenario.expect.violated.iter();
        let misses = expected.any(|id| !found(id.0));
        let is_open = self.seen.verdicts.iter().any(|(_, tally)| tally.undecided > 0);
        if self.settings.strategy.draws() {
            let is_complete = self.seen.parts.0 == self.seen.parts.1;
            return match (is_surprise, misses) {
                (true, _) => Exit::Unexpected,
                (_, true) if is_complete => Exit::Unexpected,
                (_, true) => Exit::Undecided,
                _ => Exit::Good,
            };
        }
        match (is_surprise, misses, self.seen.is_all) {
            (true, ..) | (_, true, true) => Exit::Unexpected,
            (_, true, false) => Exit::Undecided,
            (_, false, is_all) if self.seen.found.is_empty() && (!is_all || is_open) => {
                Exit::Undecided
            }
            _ => Exit::Good,
        }
    }

    fn write(&self, out: &mut Out) -> std::io::Result<()> {
        let Self { scenario, settings, seen, seconds } = self;
        let all = match (seen.is_all, settings.is_unreduced) {
            (true, false) => "all, up to the order of what commutes",
            (true, true) => "all, in every order",
            (false, _) if !seen.found.is_empty() => "up to a violation",
            (false, true) => "not all",
            (false, false) => &format!("{} of {} parts of all", seen.parts.0, seen.parts.1),
        };
        let every = seen.run_count_in_every_order;
        let every =
            every.map_or_else(String::new, |count| format!("; in every order {}", about(count)));
        let (path, runs) = (line(&scenario.path), counted(seen.count.runs, "run"));
        match settings.strategy {
            Strategy::Sampled(strategy) => writeln!(out, "{path}: sampled {runs} ({strategy})")?,
            Strategy::Guided => writeln!(out, "{path}: sampled {runs} (guided)")?,
            Strategy::Exhaustive => writeln!(out, "{path}: {runs} ({all}{every})")?,
            Strategy::States => {
                let StateCount { states, cycles, fair_cycles } = seen.states.unwrap_or_default();
                let all = match (seen.is_all, seen.found.is_empty()) {
                    (true, _) => "all",
                    (false, true) => "not all",
                    (false, false) => "up to a violation",
                };
                let ends = counted(seen.count.runs - fair_cycles, "end");
                write!(out, "{path}: {} ({all}), {ends}", counted(states, "state"))?;
                match cycles {
                    0 => writeln!(out)?,
                    _ => writeln!(out, ", {} ({fair_cycles} fair)", counted(cycles, "cycle"))?,
                }
            }
            Strategy::Lineage => {
                let patterns = seen.patterns.unwrap_or_default();
                let all = match (seen.is_all, seen.found.is_empty()) {
                    (true, _) => "for",
                    (false, true) => "not for all of",
                    (false, false) => "up to a violation, of",
                };
                writeln!(out, "{path}: {runs} ({all} {patterns} fault patterns)")?;
            }
        }
        writeln!(out, "  budget: {settings}")?;
        let Experiment { plan, choices, random, .. } = &scenario.experiment;
        if !plan.faults.is_empty() || !choices.is_empty() || random.is_some() {
            writeln!(out, "  left out: the faults that the file scripts or draws")?;
        }
        writeln!(
            out,
            "  {}, the longest run has {}; {} redundant, {} cut off; {seconds:.2} s",
            counted(seen.count.steps, "step"),
            seen.count.longest,
            counted(seen.count.redundant, "run"),
            seen.count.cut,
        )?;
        for (name, tally) in &seen.verdicts {
            let parts = [
                (tally.violated, "violated in"),
                (tally.undecided, "undecided in"),
                (tally.held, "held in"),
                (tally.vacuous, "vacuous in"),
            ];
            let parts = parts.iter().filter(|(count, _)| *count > 0);
            let parts: Vec<String> = parts.map(|(count, how)| format!("{how} {count}")).collect();
            let expected = match (tally.violated > 0, self.expects(name)) {
                (true, true) => ", as expected",
                (true, false) => ", which is not expected",
                (false, true) => ", which should be violated",
                (false, false) => "",
            };
            writeln!(out, "  {name}: {}{expected}", parts.join(", "))?;
        }
        if let Some(sampled) = &seen.sampled
            && let (Some(odds), Strategy::Sampled(strategy)) =
                (sampled.odds_of_bug(), settings.strategy)
        {
            writeln!(
                out,
                "  {strategy}: with {} and {}, a bug of this depth is met with a chance of at \
                     least 1 in {odds} a run",
                counted(sampled.chain_count.into(), "chain"),
                counted(sampled.event_count().into(), "event"),
            )?;
        }
        if let Some([labels, pairs, rests]) = seen.guided {
            writeln!(
                out,
                "  {}, {} at processes, {} at rest",
                counted(labels, "label"),
                counted(pairs, "pair of state and event"),
                counted(rests, "state"),
            )?;
        }
        if settings.strategy.draws() && seen.found.is_empty() {
            writeln!(out, "  no violation in {}", counted(seen.count.runs, "sampled run"))?;
        }
        if seen.has_read_clocks {
            writeln!(out, "  a process reads its clock, which stands still when time is free")?;
        }
        for found in &seen.found {
            writeln!(out, "  {}: {}", line(&found.property), line(&found.message))?;
            for (number, step) in found.steps.iter().enumerate() {
                writeln!(out, "    {:>3}  {}", number, line(step))?;
            }
            if found.scenario.is_none() {
                writeln!(
                    out,
                    "    no scenario is written: delays and clocks alone cannot force this order"
                )?;
            }
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let verdicts = self.seen.verdicts.iter().map(|(name, tally)| {
            json!({
                "property": name, "held": tally.held, "vacuous": tally.vacuous,
                "violated": tally.violated, "undecided": tally.undecided,
            })
        });
        let found = self.seen.found.iter().map(|found| {
            json!({
                "property": found.property, "message": found.message, "steps": found.steps,
                "scenario": found.scenario,
            })
        });
        let Settings { budget, .. } = &self.settings;
        let odds = self.seen.sampled.and_then(|sampled| sampled.odds_of_bug());
        json!({
            "scenario": self.scenario.path,
            "time": match self.settings.time { Time::Free => "free", Time::Lockstep => "lockstep" },
            "budget": {
                "crashes": budget.crashes, "recoveries": budget.recoveries,
                "losses": budget.losses, "duplicates": budget.duplicates,
                "late": budget.late,
                "suspicions": budget.suspicions, "timeouts": budget.timeouts,
                "coins": budget.coins, "votes": budget.votes,
                "steps": budget.steps,
            },
            "strategy": self.settings.strategy.to_string(),
            "labels": self.seen.guided.map(|[labels, ..]| labels),
            "pairs": self.seen.guided.map(|[_, pairs, _]| pairs),
            "states_at_rest": self.seen.guided.map(|[.., rests]| rests),
            "states": self.seen.states.map(|count| count.states),
            "cycles": self.seen.states.map(|count| count.cycles),
            "fair_cycles": self.seen.states.map(|count| count.fair_cycles),
            "patterns": self.seen.patterns.map(|count| count.to_string()),
            "chains": self.seen.sampled.map(|sampled| sampled.chain_count),
            "events": self.seen.sampled.map(|sampled| sampled.event_count()),
            "odds_of_bug": odds.map(|odds| odds.to_string()),
            "all": self.seen.is_all,
            "parts": self.seen.parts.1,
            "parts_done": self.seen.parts.0,
            "runs_in_every_order_about": self.seen.run_count_in_every_order,
            "runs": self.seen.count.runs,
            "redundant": self.seen.count.redundant,
            "cut": self.seen.count.cut,
            "steps": self.seen.count.steps,
            "longest": self.seen.count.longest,
            "properties": verdicts.collect::<Vec<Value>>(),
            "found": found.collect::<Vec<Value>>(),
        })
    }

    fn write_scenarios(&self, folder: &Path) -> Result<(), Failure> {
        for found in &self.seen.found {
            let Some(text) = &found.scenario else { continue };
            at(folder, std::fs::create_dir_all(folder))?;
            let path = folder.join(format!("{}-{}.toml", self.scenario.name(), found.property));
            write_whole(&path, text.as_bytes())?;
            say(&format!("wrote {}\n", path.display()));
        }
        Ok(())
    }
}
