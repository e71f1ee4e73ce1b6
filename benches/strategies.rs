//! How many runs each strategy needs until it meets the first violation, for each mutant of the
//! shipped scenarios with at most five processes that can be explored: `strategies [RUNS
//! [REPETITIONS [NAME [COLUMN…]]]]`, in the folder of the repository. Prints a table in Markdown,
//! with all columns unless some are named. NAME is a part of the name of a protocol and its mutant,
//! perhaps empty.
//!
//! All strategies have the same: the scenario without what it scripts, and the budgets of `ftsim
//! explore`; if no run within these shows the mutant, one wrong suspicion more and one early
//! timeout of each process, and an asterisk. What is not shown then is left out. With drawn times,
//! a message and a notice of the detector take any time up to the bound of the network, and crashes
//! are those of `[random]`, as many as the budget has at most, up to twice the bound after the end
//! of what was the longest of ten runs without faults.
//!
//! A strategy that meets nothing in its first repetition is not repeated.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ftsim::Catalogue;
use ftsim::explore::Settings;
use ftsim::scenario::Scenario;
use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::network::Loss;
use ftsim_core::explore::reduced::Reduced;
use ftsim_core::explore::sample::guided::Guide;
use ftsim_core::explore::sample::{Sampler, Strategy};
use ftsim_core::explore::{Budget, Frontier};
use ftsim_core::fault::random::{Occurrence, RandomAction, RandomFaults, RandomKind};
use ftsim_core::rng::Probability;
use ftsim_core::time::{CountRange, Duration, DurationRange, Instant};
use ftsim_core::{Outcome, ProcessId, Runner, Verdict};

const PROCESS_COUNT_MAX: u32 = 5;
const COLUMNS: [&str; 9] =
    ["exhaustive", "drawn", "random", "pos", "pct:1", "pct:2", "pct:3", "pct:4", "guided"];

struct Effort {
    run_count_max: u64,
    repetition_count: u64,
    columns: Vec<&'static str>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |nth: usize, default| {
        arguments.get(nth).map_or(default, |n: &String| n.parse().expect("a number"))
    };
    let named = arguments.get(3..).unwrap_or_default();
    let is_wanted = |column: &&str| named.is_empty() || named.iter().any(|name| name == column);
    let effort = Effort {
        run_count_max: number(0, 20_000),
        repetition_count: number(1, 5),
        columns: COLUMNS.into_iter().filter(is_wanted).collect(),
    };
    let name = arguments.get(2).map_or("", String::as_str);
    let scenarios = mutants(name);
    let next = AtomicUsize::new(0);
    let rows = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((scenario, settings)) =
                    scenarios.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let row = row(scenario, settings, &effort);
                    let title = || format!("{}: not within the budgets", title(scenario));
                    eprintln!("{}", row.clone().unwrap_or_else(title));
                    rows.lock().expect("no thread panics").extend(row);
                }
            });
        }
    });
    println!("| mutant | {} |", effort.columns.join(" | "));
    println!("|---|{}", "--:|".repeat(effort.columns.len()));
    let mut rows = rows.into_inner().expect("no thread panics");
    rows.sort_unstable();
    rows.iter().for_each(|row| println!("{row}"));
}

/// Each mutant in the first scenario that has it.
fn mutants(name: &str) -> Vec<(Scenario, Settings)> {
    let catalogue = Catalogue::builtin();
    let mut mutants: Vec<(Scenario, Settings)> = Vec::new();
    for path in files(Path::new("scenarios")) {
        let text = fs::read_to_string(&path).expect("a readable scenario");
        let Ok(scenario) = Scenario::parse(&path.to_string_lossy(), &text, &catalogue) else {
            continue;
        };
        let setting = &scenario.experiment.setting;
        let is_known = mutants.iter().any(|(known, _)| title(known) == title(&scenario));
        let is_one = setting.mutant.is_some()
            && setting.n <= PROCESS_COUNT_MAX
            && !scenario.expect.violated.is_empty()
            && title(&scenario).contains(name);
        if let Ok(settings) = Settings::of(&scenario)
            && is_one
            && !is_known
        {
            mutants.push((scenario, settings));
        }
    }
    mutants
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder of the repository");
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.expect("a readable entry").path()) {
        match path.is_dir() {
            true => files.append(&mut self::files(&path)),
            false if path.extension().is_some_and(|ending| ending == "toml") => files.push(path),
            false => {}
        }
    }
    files.sort();
    files
}

fn title(scenario: &Scenario) -> String {
    let mutant = scenario.experiment.setting.mutant.map_or("", |mutant| mutant.name);
    format!("{} {mutant}", scenario.entry.name)
}

/// The row of a mutant; `None` if not even all runs show it.
fn row(scenario: &Scenario, settings: &Settings, effort: &Effort) -> Option<String> {
    let is_hit = |outcome: &Outcome| {
        let mut judged = outcome.judged.iter();
        judged.any(|one| {
            matches!(one.verdict, Verdict::Violated(_))
                && scenario.expect.violated.contains(&one.id)
        })
    };
    let plain = settings.budget;
    let more = Budget { suspicions: 1, timeouts: 1, ..plain };
    let budgets = [("", plain), (" \\*", more)];
    let (mark, exhaustive, mut frontier) = budgets.into_iter().find_map(|(mark, budget)| {
        let mut frontier = frontier(scenario, &Settings { budget, ..*settings });
        effort.exhaustive(&mut frontier, is_hit).map(|cell| (mark, cell, frontier))
    })?;
    let frontier = &mut frontier;
    let cells = effort.columns.iter().map(|column| match *column {
        "exhaustive" => exhaustive.clone(),
        "drawn" => {
            let mut drawn = drawn(scenario, settings);
            effort.cell(|first| effort.first_hit(first, |seed| is_hit(&drawn.run(seed))))
        }
        "guided" => effort.cell(|first| effort.first_guided_hit(frontier, first, is_hit)),
        strategy => {
            let strategy: Strategy = strategy.parse().expect("a strategy");
            let sampler = Sampler::new(frontier, strategy, 1);
            let mut run = |seed| is_hit(sampler.run(frontier, seed).explored().outcome);
            effort.cell(|first| effort.first_hit(first, &mut run))
        }
    });
    let cells: Vec<String> = cells.collect();
    Some(format!("| `{}`{mark} | {} |", title(scenario), cells.join(" | ")))
}

fn frontier(scenario: &Scenario, settings: &Settings) -> Frontier {
    let experiment = settings.time.strip(&scenario.experiment);
    let runner = scenario.entry.prepare(experiment, &scenario.params, &scenario.workload);
    Frontier::new(runner.expect("a scenario that was checked"), settings.time, settings.budget)
}

impl Effort {
    /// The number of runs after which a search through all meets the first hit; `None` if there is
    /// none.
    fn exhaustive(
        &self,
        frontier: &mut Frontier,
        is_hit: impl Fn(&Outcome) -> bool,
    ) -> Option<String> {
        let (mut runs, mut is_found) = (0, false);
        let (_, flow) = Reduced::new(frontier, 1).explore(&mut |explored| {
            runs += 1;
            is_found = is_hit(explored.outcome);
            match is_found || runs >= self.run_count_max {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        match (is_found, flow) {
            (true, _) => Some(runs.to_string()),
            (false, ControlFlow::Break(())) => Some("–".to_owned()),
            (false, ControlFlow::Continue(())) => None,
        }
    }

    /// After how many runs with one seed after the other, from this one on, there is a hit.
    fn first_hit(&self, first: u64, is_hit: impl FnMut(u64) -> bool) -> Option<u64> {
        let hit = (first..first + self.run_count_max).position(is_hit);
        hit.map(|hit| hit as u64 + 1)
    }

    /// The same for guided runs, which know nothing at the first.
    fn first_guided_hit(
        &self,
        frontier: &mut Frontier,
        first: u64,
        is_hit: impl Fn(&Outcome) -> bool,
    ) -> Option<u64> {
        let mut runs = 0;
        let mut guide = Guide::new(frontier, first);
        let flow = guide.explore(frontier, self.run_count_max, &mut |explored| {
            runs += 1;
            match is_hit(explored.outcome) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        flow.is_break().then_some(runs)
    }

    /// The mean number of runs to the first hit, told for repetitions from these seeds on.
    fn cell(&self, mut first_hit: impl FnMut(u64) -> Option<u64>) -> String {
        let (mut runs, mut found) = (0, 0);
        for repetition in 0..self.repetition_count {
            let hit = first_hit(1 + repetition * self.run_count_max);
            runs += hit.unwrap_or(self.run_count_max);
            found += u64::from(hit.is_some());
            if found == 0 {
                return "–".to_owned();
            }
        }
        // All runs divided by all hits, whether a repetition ended without one or not.
        let mean = runs as f64 / found as f64;
        if mean < 10.0 { format!("{mean:.1}") } else { format!("{mean:.0}") }
    }
}

/// The scenario with times that are drawn, and faults too.
fn drawn(scenario: &Scenario, settings: &Settings) -> Runner {
    let mut experiment = settings.time.strip(&scenario.experiment);
    let prepare = |experiment| {
        let runner = scenario.entry.prepare(experiment, &scenario.params, &scenario.workload);
        runner.expect("a scenario that was checked")
    };
    let bound = experiment.network.bound;
    let any = DurationRange { min: Duration::ZERO, max: bound };
    let Budget { crashes, recoveries, losses, duplicates, .. } = settings.budget;
    experiment.network.default.delay = Delay::Uniform(any);
    experiment.network.overrides.iter_mut().for_each(|(_, link)| link.delay = Delay::Uniform(any));
    experiment.detector.delay = any;
    let mut well = prepare(experiment.clone());
    let runs: Vec<Outcome> = (1..=10).map(|seed| well.run(seed)).collect();
    let end = runs.iter().map(|run| run.at).max().unwrap_or(Instant::ZERO);
    let sent: u64 = runs
        .iter()
        .map(|run| run.statistics.kinds.iter().map(|kind| kind.sent).sum())
        .max()
        .unwrap_or(0)
        .max(1);
    let share = |count: u32| {
        Probability::new((f64::from(count) / sent as f64).min(0.5)).expect("at most a half")
    };
    experiment.network.default.loss = Loss::Independent(share(losses));
    experiment.network.default.duplicate = share(duplicates);
    let n = experiment.setting.n;
    let late = DurationRange { min: Duration::ZERO, max: end.since(Instant::ZERO) + bound + bound };
    let kind = |count: u32, recover_after| RandomKind {
        occurrence: Occurrence {
            count: CountRange { min: 0, max: count },
            between: late,
            targets: (0..n).map(ProcessId).collect(),
        },
        what: RandomAction::Crash { recover_after, announced: false },
    };
    let recovering = recoveries.min(crashes);
    let mut kinds = vec![kind(crashes - recovering, None), kind(recovering, Some(any))];
    kinds.retain(|kind| kind.occurrence.count.max > 0);
    let random = RandomFaults { faulty_count_max: crashes, kinds, swarm: false };
    experiment.random = (crashes > 0).then_some(random);
    prepare(experiment)
}
