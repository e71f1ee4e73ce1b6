//! What inputs are made of: the shipped scenarios, what ftsim writes about their runs, and the
//! values, keys and sections of all of these.

use std::collections::BTreeMap;
use std::fs;

use crate::shipped;
use ftsim::Catalogue;
use ftsim::run;
use ftsim::run::repro;
use ftsim::scenario::Scenario;

use super::bytes::damaged;
use super::commands::Commands;
use super::dice::Dice;
use super::input::{Input, Kind};
use super::text::changed;
use super::tokens::{What, tokens};

/// The scenario whose results are damaged. Some runs fail, none of which it expects.
pub const SWEPT: &str = "swept.toml";
/// The seeds of its sweep: four blocks, half of them in each shard.
pub const SWEPT_SEEDS: &str = "0..200";

/// Parts of texts.
pub struct Pool {
    /// Whole texts.
    pub texts: Vec<String>,
    /// Everything that is the value of something.
    pub values: Vec<String>,
    /// The same by the key before it.
    pub by_key: BTreeMap<String, Vec<String>>,
    /// All keys.
    pub keys: Vec<String>,
    /// A header and the lines below it.
    pub sections: Vec<String>,
}

/// Sound inputs of every kind.
pub struct Base {
    scenarios: Pool,
    /// Those that say what becomes of a message.
    messages: Vec<String>,
    repros: Vec<String>,
    records: Vec<Vec<u8>>,
    results: Pool,
    regressions: Pool,
}

/// Those of which repros and records are made: small, and of different protocols.
const FAILING: &[&str] = &[
    "sender-dies-in-mid-broadcast",
    "split-brain-one-way",
    "2pc-vote-before-log",
    "flooding-consensus-imperfect-fd",
    "oral-messages-replaced-order-n-3",
    "phase-king-n-3f",
    "reliable-link-no-dedup",
    "chandy-lamport-lost-marker",
    "ckpt-blocking-overwrite",
];

impl Base {
    /// Reads the shipped scenarios, and has ftsim write the rest into the current folder.
    ///
    /// # Panics
    /// When the project is not sound.
    pub fn new(commands: &mut Commands) -> Self {
        let texts = shipped_texts();
        let messages: Vec<String> =
            texts.values().filter(|text| text.contains("[[message]]")).cloned().collect();
        let (mut repros, mut records) = (Vec::new(), Vec::new());
        for name in FAILING {
            let text = &texts[*name];
            repros.push(failing(name, text, &commands.catalogue));
            fs::write("base.toml", text).expect("the folder can be written");
            commands.sound(&["record", "base.toml", "--seed", "3", "-o", "base.rec"]);
            let mut record = fs::read("base.rec").expect("a record was written");
            // The report at the end is a part of it; the middle of a long one is not missed.
            if record.len() > 20_000 {
                let tail = record.split_off(record.len() - 6_000);
                record.truncate(10_000);
                record.extend(tail);
            }
            records.push(record);
        }
        let results = results(commands, &texts["sender-dies-in-mid-broadcast"]);
        let regressions = vec![
            "[[seed]]\nseed = 7\nviolated = [\"rb.agreement\"]\n".to_owned(),
            "# Seeds that once failed.\n\n[[seed]]\nseed = 1\nviolated = []\n\n[[seed]]\nseed = \
             9\ncrash_point = \"p0:3\"\nviolated = [\"rb.validity\", \"panicked\"]\n"
                .to_owned(),
        ];
        Self {
            messages,
            repros,
            records,
            scenarios: Pool::of(texts.into_values().collect()),
            results: Pool::of(results),
            regressions: Pool::of(regressions),
        }
    }

    /// An input of this kind.
    pub fn input(&self, kind: Kind, dice: &mut Dice) -> Input {
        let pool = &self.scenarios;
        let text = match kind {
            Kind::Scenario => changed(dice.pick(&pool.texts).as_str(), pool, dice),
            Kind::Message => changed(dice.pick(&self.messages).as_str(), pool, dice),
            Kind::Repro => changed(dice.pick(&self.repros).as_str(), pool, dice),
            Kind::Results => self.results(dice),
            Kind::Regressions => {
                changed(dice.pick(&self.regressions.texts).as_str(), &self.regressions, dice)
            }
            Kind::Record => {
                let bytes = damaged(
                    dice.pick(&self.records).as_slice(),
                    dice.pick(&self.records).as_slice(),
                    dice,
                );
                return Input { kind, bytes };
            }
        };
        Input { kind, bytes: text.into_bytes() }
    }

    /// Results, a third of them damaged in the line that says what was asked.
    fn results(&self, dice: &mut Dice) -> String {
        let text = dice.pick(&self.results.texts).as_str();
        match text.split_once('\n') {
            Some((header, rest)) if dice.one_in(3) => {
                format!("{}\n{rest}", changed(header, &self.results, dice))
            }
            _ => changed(text, &self.results, dice),
        }
    }
}

/// The shipped scenarios by their names.
fn shipped_texts() -> BTreeMap<String, String> {
    let named = shipped::files().into_iter().map(|path| {
        let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("a readable scenario"))
    });
    named.collect()
}

/// The repro of the first run that violates something.
fn failing(name: &str, text: &str, catalogue: &Catalogue) -> String {
    let Ok(scenario) = Scenario::parse(name, text, catalogue) else { panic!("{name} is refused") };
    let mut runs = scenario.seeds.clone().map(|seed| run::record(&scenario, seed));
    let failing = runs.find_map(|run| {
        let run = run.expect("it can be run");
        run::failing_run::FailingRun::of(&scenario.expect, &run.0, None).map(|_| run)
    });
    let run = failing.unwrap_or_else(|| panic!("{name} does not fail"));
    repro::text(&scenario, "ftsim sweep", &run).expect("it has a repro")
}

/// The results of a sweep: of both of its shards, and of the whole.
fn results(commands: &mut Commands, scenario: &str) -> Vec<String> {
    let (scenario, _) = scenario.split_once("[expect]").expect("it expects something");
    fs::write(SWEPT, scenario).expect("the folder can be written");
    fs::create_dir_all("regressions").expect("the folder can be written");
    let once = "[[seed]]\nseed = 7\nviolated = [\"rb.agreement\"]\n";
    fs::write(format!("regressions/{SWEPT}"), once).expect("the folder can be written");
    let sweep = ["sweep", SWEPT, "--seeds", SWEPT_SEEDS, "--jobs", "1", "--shrink", "off"];
    let folders = [("whole", "1/1"), ("one", "1/2"), ("two", "2/2")];
    let results = folders.map(|(folder, shard)| {
        commands.sound(&[&sweep[..], &["--shard", shard, "--out", folder]].concat());
        fs::read_to_string(format!("{folder}/swept/results.jsonl")).expect("it has results")
    });
    fs::remove_dir_all("regressions").expect("the folder can be written");
    results.into()
}

impl Pool {
    fn of(texts: Vec<String>) -> Self {
        let mut pool = Self {
            texts: Vec::new(),
            values: Vec::new(),
            by_key: BTreeMap::new(),
            keys: Vec::new(),
            sections: Vec::new(),
        };
        for text in &texts {
            pool.take(text);
        }
        for list in [&mut pool.values, &mut pool.keys, &mut pool.sections] {
            list.sort();
            list.dedup();
        }
        Self { texts, ..pool }
    }

    fn take(&mut self, text: &str) {
        let mut key = "";
        for token in tokens(text) {
            let word = &text[token.at.clone()];
            match token.what {
                What::Key => {
                    key = word;
                    self.keys.push(word.to_owned());
                }
                What::Header => self.keys.push(word.to_owned()),
                What::Value => {
                    self.values.push(word.to_owned());
                    let values = self.by_key.entry(key.to_owned()).or_default();
                    if !values.iter().any(|value| value == word) {
                        values.push(word.to_owned());
                    }
                }
                What::Mark => {}
            }
        }
        let mut section = String::new();
        for line in text.split_inclusive('\n') {
            if line.starts_with('[') && !section.is_empty() {
                self.sections.push(std::mem::take(&mut section));
            }
            section.push_str(line);
        }
        self.sections.push(section);
    }
}
