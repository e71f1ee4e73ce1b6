//! Guards the files that a user copies into a CI service or onto a cluster: they have the shape
//! that the service wants.

use std::fs;
use std::path::Path;

use serde_json::Value;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(path: &str) -> Value {
    serde_yaml_ng::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What a schema says against a file.
fn errors(schema: &str, file: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(&read(schema)).expect("a schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    validator.iter_errors(file).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

#[test]
fn files_for_ci_services_have_the_shape_that_they_want() {
    for (schema, file) in [
        ("tests/formats/schemas/github-workflow.json", "docs/ci/github.yml"),
        ("tests/formats/schemas/gitlab-ci.json", "docs/ci/gitlab.yml"),
    ] {
        let found = errors(schema, &yaml(file));
        assert!(found.is_empty(), "{file}: {found:#?}");
    }
}

#[test]
fn the_schemas_refuse_what_is_wrong() {
    let mut github = yaml("docs/ci/github.yml");
    github["jobs"]["sweep"]["strategi"] = github["jobs"]["sweep"]["strategy"].take();
    assert!(!errors("tests/formats/schemas/github-workflow.json", &github).is_empty());
    let mut gitlab = yaml("docs/ci/gitlab.yml");
    gitlab["sweep"]["parallel"] = Value::from("four");
    assert!(!errors("tests/formats/schemas/gitlab-ci.json", &gitlab).is_empty());
}

#[test]
fn the_job_for_kubernetes_has_a_shard_for_each_index() {
    let job = yaml("docs/cluster/kubernetes.yml");
    assert_eq!((&job["apiVersion"], &job["kind"]), (&"batch/v1".into(), &"Job".into()));
    let (spec, pod) = (&job["spec"], &job["spec"]["template"]["spec"]);
    assert_eq!(spec["completionMode"], "Indexed");
    let container = &pod["containers"][0];
    let command = container["args"][0].as_str().expect("a command");
    let shard = format!("--shard \"$((JOB_COMPLETION_INDEX+1))/{}\"", spec["completions"]);
    assert!(command.contains(&shard), "{command}");
    let rule = &spec["podFailurePolicy"]["rules"][0]["onExitCodes"];
    assert_eq!(rule["containerName"], container["name"]);
    assert_eq!(container["volumeMounts"][0]["name"], pod["volumes"][0]["name"]);
}
