//! `ftsim schema`: what an editor needs to know of scenario files.

use ftsim_core::Entry;
use ftsim_protocols::Catalogue;
use serde_json::{Value, json};

use crate::scenario::file::ScenarioFile;

/// The JSON schema of scenario files for these protocols, without an end of line.
pub fn text(catalogue: &Catalogue) -> String {
    let mut schema = schemars::schema_for!(ScenarioFile).to_value();
    let names: Vec<&str> = catalogue.entries().iter().map(|entry| entry.name).collect();
    schema["properties"]["protocol"]["enum"] = json!(names);
    schema["allOf"] = catalogue.entries().iter().map(settings).collect();
    without_nulls(&mut schema);
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}

/// Takes out defaults of null, which TOML cannot express: such a key is left out.
fn without_nulls(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            keys.retain(|key, value| key != "default" || !value.is_null());
            keys.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// What `[params]` and `[workload]` of a protocol's scenarios are.
fn settings(entry: &Entry) -> Value {
    let mut params = inlined((entry.params_schema)().as_value());
    let mutants: Vec<&str> = entry.mutants.iter().map(|mutant| mutant.name).collect();
    if !mutants.is_empty() {
        let text = "A deliberately broken variant.";
        params["properties"]["mutant"] = json!({ "description": text, "enum": mutants });
    }
    let workload = inlined((entry.workload_schema)().as_value());
    json!({
        "if": { "properties": { "protocol": { "const": entry.name } } },
        "then": { "properties": { "params": params, "workload": workload } },
    })
}

/// The same schema with what it refers to in its place, so that it can be a part of another.
fn inlined(schema: &Value) -> Value {
    let mut whole = within(schema, &schema["$defs"]);
    if let Some(whole) = whole.as_object_mut() {
        whole.retain(|key, _| key != "$defs" && key != "$schema" && key != "title");
    }
    whole
}

fn within(part: &Value, definitions: &Value) -> Value {
    match part {
        Value::Object(keys) => {
            let name = part["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
            let mut keys: serde_json::Map<_, _> =
                keys.iter().map(|(key, value)| (key.clone(), within(value, definitions))).collect();
            if let Some(name) = name {
                keys.remove("$ref");
                let target = within(&definitions[name], definitions);
                for (key, value) in target.as_object().into_iter().flatten() {
                    keys.entry(key).or_insert_with(|| value.clone());
                }
            }
            Value::Object(keys)
        }
        Value::Array(items) => items.iter().map(|item| within(item, definitions)).collect(),
        single => single.clone(),
    }
}
