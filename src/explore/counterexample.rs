//! A run that an explorer found, as its steps and as a scenario file that shows it again.

use ftsim_core::Verdict;
use ftsim_core::environment::detector::DetectorKind;
use ftsim_core::environment::transport::Guarantee;
use ftsim_core::explore::lineage::Pattern;
use ftsim_core::explore::{Explored, How, Step, Timed, What};
use ftsim_core::rng::told::{Draw, ToldDraws};
use ftsim_protocols::Catalogue;
use toml::{Table, Value};

use crate::run;
use crate::scenario::file::{
    DrawFile, FaultFile, MessageFile, MistakeFile, NoticeFile, RequestFile,
};
use crate::scenario::{PANICKED, Scenario};

/// A run that violates a property.
#[derive(Debug)]
pub struct Counterexample {
    /// The property.
    pub property: String,
    /// How it is violated, in one sentence.
    pub message: String,
    /// The steps, in words.
    pub steps: Vec<String>,
    /// A scenario whose run violates the property, if delays and clocks can force its order.
    pub scenario: Option<String>,
}

/// A violation and its run, as they were found.
pub struct Found {
    message: String,
    run: Run,
}

/// What makes a run again.
enum Run {
    /// It took these steps, after which this was left.
    Steps { seed: u64, steps: Vec<Step>, left: Vec<(What, u32)>, draws: Vec<(u32, Draw)> },
    /// In lockstep, under this pattern.
    Under(Pattern),
}

impl Found {
    /// Keeps this run, which a property refused with this message.
    pub fn of(explored: &Explored<'_>, message: String) -> Self {
        let (steps, left) = (explored.steps.to_vec(), explored.left.to_vec());
        let (seed, draws) = (explored.seed, explored.draws.to_vec());
        Self { message, run: Run::Steps { seed, steps, left, draws } }
    }

    /// The same for the run in lockstep under this pattern.
    pub fn under(pattern: &Pattern, message: String) -> Self {
        Self { message, run: Run::Under(pattern.clone()) }
    }
}

/// What a scenario has for runs that are drawn, or that an explorer does without.
const ABOUT_OTHER_RUNS: [&str; 11] = [
    "random", "repro", "expect", "message", "fault", "liveness", "mask", "request", "draw",
    "clocks", "explore",
];
const ABOUT_DRAWN_LINKS: [&str; 8] =
    ["loss", "duplicate", "bandwidth", "corrupt", "stabilise_at", "link", "links", "resend_after"];

impl Counterexample {
    /// The violation of a property of a scenario.
    pub fn of(
        scenario: &Scenario,
        catalogue: &Catalogue,
        property: &str,
        Found { message, run }: Found,
    ) -> Self {
        let shows = |table: Table| expecting(table, property, catalogue);
        let (steps, scenario) = match &run {
            Run::Steps { seed, steps, left, draws } => {
                let plain = Timed::of(steps, left);
                let n = scenario.experiment.setting.n;
                let with_clocks = || Timed::with_clocks(n, steps, left);
                let told = |timed: Timed| {
                    let mut table = write(scenario, *seed, &timed)?;
                    insert(&mut table, "draw", all(told_draws(draws).iter().map(DrawFile::from))?);
                    shows(table)
                };
                let text = plain.and_then(told).or_else(|| told(with_clocks()));
                let words = (0..).zip(steps).map(|(index, step)| {
                    let own = draws.iter().filter(|(at, _)| *at == index);
                    let own = own.map(|(_, draw)| format!("; {draw}"));
                    in_words(step) + &own.collect::<String>()
                });
                (words.collect(), text)
            }
            Run::Under(pattern) => {
                let (messages, faults) = (pattern.rules(), pattern.plan().faults);
                let crashes = faults.iter().map(ToString::to_string);
                let words = crashes.chain(messages.iter().map(ToString::to_string)).collect();
                let timed = Timed { messages, faults, ..Timed::default() };
                let table = write(scenario, scenario.seeds.start, &timed);
                (words, table.and_then(|table| shows(in_lockstep(scenario, table))))
            }
        };
        Self { property: property.to_owned(), message, steps, scenario }
    }
}

/// The draws of each drawer, in their order.
fn told_draws(draws: &[(u32, Draw)]) -> Vec<ToldDraws> {
    let mut told: Vec<ToldDraws> = Vec::new();
    for (_, Draw { by, value, .. }) in draws {
        match told.iter_mut().find(|known| known.by == *by) {
            Some(known) => known.values.push(*value),
            None => told.push(ToldDraws { by: *by, values: vec![*value] }),
        }
    }
    told
}

/// The text of this scenario with what its only run comes to as its expectation. `None` if the run
/// does not violate the property.
fn expecting(mut table: Table, property: &str, catalogue: &Catalogue) -> Option<String> {
    let text = toml::to_string(&table).ok()?;
    let scenario = Scenario::parse("explored.toml", &text, catalogue).ok()?;
    let outcome = run::run(&scenario, scenario.seeds.start).ok()?;
    let those = |is_one: fn(&Verdict) -> bool| -> Vec<Value> {
        let those = outcome.judged.iter().filter(|judged| is_one(&judged.verdict));
        those.map(|judged| judged.id.0.into()).collect()
    };
    let violated = those(|verdict| matches!(verdict, Verdict::Violated(_)));
    let shows = match property {
        PANICKED => outcome.panicked.is_some(),
        _ => violated.contains(&property.into()),
    };
    let mut expect = Table::new();
    insert(&mut expect, "violated", violated);
    insert(&mut expect, "vacuous", those(|verdict| matches!(verdict, Verdict::HeldVacuously)));
    insert(&mut expect, "undecided", those(|verdict| matches!(verdict, Verdict::Undecided(_))));
    table.insert("expect".to_owned(), Value::Table(expect));
    shows.then(|| toml::to_string(&table).ok())?
}

/// The scenario with the times of the run of this seed in place of what is drawn.
fn write(scenario: &Scenario, seed: u64, timed: &Timed) -> Option<Table> {
    let mut table: Table = toml::from_str(&scenario.text).ok()?;
    ABOUT_OTHER_RUNS.iter().for_each(|key| {
        table.remove(*key);
    });
    let keeps_order = scenario.experiment.transport.guarantee == Guarantee::ReliableFifo;
    section(&mut table, "network", |network| {
        ABOUT_DRAWN_LINKS.iter().for_each(|key| {
            network.remove(*key);
        });
        if keeps_order {
            network.insert("order".to_owned(), "fifo".into());
        }
        let bound = scenario.experiment.network.bound.to_string();
        network.insert("bound".to_owned(), bound.into());
    });
    section(&mut table, "storage", |storage| {
        storage.remove("sync_latency");
    });
    let mistakes = all(timed.mistakes.iter().map(|mistake| MistakeFile::from(*mistake)))?;
    let notices = all(timed.notices.iter().map(NoticeFile::from))?;
    section(&mut table, "detector", |detector| {
        for key in ["mistakes_per_process", "mistake_duration", "blind"] {
            detector.remove(key);
        }
        insert(detector, "mistakes", mistakes);
        insert(detector, "notice", notices);
    });
    section(&mut table, "run", |run| {
        run.insert("seeds".to_owned(), 1.into());
        run.insert("first_seed".to_owned(), Value::from(i64::try_from(seed).ok()?));
        Some(())
    })?;
    let faults = timed.faults.iter().map(|fault| Value::try_from(FaultFile::of(fault)?).ok());
    insert(&mut table, "fault", faults.collect::<Option<Vec<Value>>>()?);
    insert(&mut table, "message", all(timed.messages.iter().map(MessageFile::from))?);
    insert(&mut table, "request", all(timed.requests.iter().map(RequestFile::from))?);
    Some(table)
}

/// The scenario with every message and every notice of the detector taking exactly the bound.
fn in_lockstep(scenario: &Scenario, mut table: Table) -> Table {
    let delay = || Value::from(scenario.experiment.network.bound.to_string());
    section(&mut table, "network", |network| network.insert("delay".to_owned(), delay()));
    if scenario.experiment.detector.kind != DetectorKind::None {
        section(&mut table, "detector", |detector| detector.insert("delay".to_owned(), delay()));
    }
    table
}

fn section<T>(table: &mut Table, name: &str, change: impl FnOnce(&mut Table) -> T) -> T {
    let mut section = match table.remove(name) {
        Some(Value::Table(section)) => section,
        _ => Table::new(),
    };
    let done = change(&mut section);
    if !section.is_empty() {
        table.insert(name.to_owned(), Value::Table(section));
    }
    done
}

fn insert(table: &mut Table, key: &str, list: Vec<Value>) {
    if list.is_empty() {
        table.remove(key);
    } else {
        table.insert(key.to_owned(), Value::Array(list));
    }
}

/// These as a file writes them.
fn all<F: serde::Serialize>(list: impl Iterator<Item = F>) -> Option<Vec<Value>> {
    list.map(|one| Value::try_from(one).ok()).collect()
}

/// A step as a line.
fn in_words(step: &Step) -> String {
    let what = match step.what {
        What::Start => "all start".to_owned(),
        What::Message { from, to, kind, nth } => format!("{from} -> {to} {} {nth}", kind.0),
        What::Timer(p) => format!("{p} timer"),
        What::Request { process, nth } => format!("{process} request {nth}"),
        What::Notice { observer, subject, .. } => format!("{observer} hears of {subject}"),
        What::Recovery(p) => format!("{p} recovers"),
        What::Crash(p) => return format!("{p} crashes"),
        What::Other(p) => format!("{p}"),
    };
    match step.choice.how {
        How::Happens => what,
        How::Suspects { observer, subject } => format!("{observer} suspects {subject} wrongly"),
        how => format!("{what}: {how}"),
    }
}
