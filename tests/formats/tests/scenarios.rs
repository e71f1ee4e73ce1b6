//! Guards the JSON schema of scenario files: it accepts every scenario that is shipped, and knows
//! the parameters of each protocol.

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn schema() -> Validator {
    let text = fs::read_to_string(root().join("docs/scenario.schema.json")).expect("a schema");
    let schema: Value = serde_json::from_str(&text).expect("a schema is JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

fn scenario(text: &str) -> Value {
    toml::from_str(text).expect("TOML")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            found.push(path);
        }
    }
}

#[test]
fn every_shipped_scenario_is_accepted() {
    let (schema, mut all) = (schema(), Vec::new());
    files(&root().join("scenarios"), &mut all);
    assert!(all.len() > 300, "{}", all.len());
    for path in all {
        let file = scenario(&fs::read_to_string(&path).expect("a readable scenario"));
        let wrong: Vec<_> = schema.iter_errors(&file).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{}: {wrong:#?}", path.display());
    }
}

#[test]
fn what_a_protocol_does_not_know_is_refused() {
    let schema = schema();
    let accepts = |text: &str| schema.is_valid(&scenario(text));
    let of = |rest: &str| format!("protocol = \"floodset\"\nprocesses = 3\n{rest}");
    assert!(accepts(&of("[params]\nf = 1\nearly_stop = true")));
    assert!(accepts(&of("[params]\nmutant = \"f-rounds\"")));
    assert!(!accepts(&of("[params]\nf = \"one\"")));
    assert!(!accepts(&of("[params]\nrounds = 3")));
    assert!(!accepts(&of("[params]\nmutant = \"f-round\"")));
    assert!(!accepts(&of("[workload]\nproposer = []")));
    assert!(!accepts("protocol = \"floodsets\"\nprocesses = 3"));
}
