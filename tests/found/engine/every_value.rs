//! Every word that the scenario format knows as a value is used by a scenario that ships, so that
//! nothing is offered that nobody has ever run.

use std::collections::BTreeSet;
use std::fs;

use crate::shipped;
use ftsim::Catalogue;

use serde_json::Value;

/// How far definitions that refer to each other are followed.
const DEPTH_MAX: usize = 8;

/// The schema of the scenario format.
struct Schema(Value);

impl Schema {
    fn resolved<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        while let Some(name) = schema["$ref"].as_str() {
            let pointer = name.strip_prefix('#').expect("a reference within the schema");
            schema = self.0.pointer(pointer).expect("a definition");
        }
        schema
    }

    /// The words that a value of this schema can be, or can have among its items.
    fn words(&self, schema: &Value, depth: usize) -> BTreeSet<String> {
        let schema = self.resolved(schema);
        let own = schema["enum"].as_array().into_iter().flatten().chain([&schema["const"]]);
        let mut words: BTreeSet<String> =
            own.filter_map(Value::as_str).map(str::to_owned).collect();
        if depth < DEPTH_MAX {
            let choices = ["oneOf", "anyOf", "allOf"].map(|key| schema[key].as_array());
            let inner = choices.into_iter().flatten().flatten().chain([&schema["items"]]);
            words.extend(inner.flat_map(|inner| self.words(inner, depth + 1)));
        }
        words
    }

    /// All pairs of a key and a word that it can have, anywhere in the schema.
    fn pairs(&self, part: &Value, pairs: &mut BTreeSet<(String, String)>) {
        if let Some(properties) = part["properties"].as_object() {
            for (key, schema) in properties {
                pairs.extend(self.words(schema, 0).into_iter().map(|word| (key.clone(), word)));
            }
        }
        match part {
            Value::Object(parts) => parts.values().for_each(|part| self.pairs(part, pairs)),
            Value::Array(parts) => parts.iter().for_each(|part| self.pairs(part, pairs)),
            _ => {}
        }
    }
}

/// All pairs of a key and a word that it has in this piece of a scenario.
fn used(key: &str, value: &toml::Value, pairs: &mut BTreeSet<(String, String)>) {
    match value {
        toml::Value::Table(table) => table.iter().for_each(|(key, value)| used(key, value, pairs)),
        toml::Value::Array(items) => items.iter().for_each(|item| used(key, item, pairs)),
        toml::Value::String(word) => drop(pairs.insert((key.to_owned(), word.clone()))),
        _ => {}
    }
}

#[test]
fn every_word_that_the_format_knows_is_used_by_a_scenario() {
    let schema = ftsim::scenario::schema::text(&Catalogue::default());
    let schema = serde_json::from_str(&schema).expect("the schema is JSON");
    let (schema, mut known, mut shown) = (Schema(schema), BTreeSet::new(), BTreeSet::new());
    schema.pairs(&schema.0, &mut known);
    assert!(known.len() > 30, "{known:?}");
    for path in shipped::files() {
        let text = fs::read_to_string(&path).expect("a readable scenario");
        used("", &toml::Value::Table(text.parse().expect("TOML")), &mut shown);
    }
    let missing: Vec<_> = known.difference(&shown).collect();
    assert!(missing.is_empty(), "no scenario uses {missing:?}");
}
