//! A catalogue says of a protocol what its file says, and runs it as its settings ask.

use ftsim_core::bench::Bench;
use ftsim_core::catalogue::{AdversaryInfo, RawSettings};
use ftsim_core::{Bound, Entry, FaultClass, Model, PropertyKind, Setting, Standing, Verdict};
use serde_json::{Value, json};

use crate::scripted::Actor;
use crate::worlds::chatter::{Chatter, DOUBLED, NO_ACK};
use crate::worlds::topics::{SELDOM, SOURCES, SPREAD};

fn chatter() -> Entry {
    Entry::of::<Chatter>()
}

#[test]
fn an_entry_says_what_the_protocol_says() {
    let entry = chatter();
    assert_eq!([entry.name, entry.spec, entry.source], ["chatter", "topics", "none"]);
    assert_eq!(entry.summary, "talks about everything");
    assert_eq!((entry.roles, entry.process_count_max), (&["process"][..], 10_000));
    assert_eq!(entry.spec_faults, [FaultClass::None, FaultClass::CrashStop]);
    assert_eq!(entry.mutants, [NO_ACK, DOUBLED]);
    assert!(entry.has_leader && entry.has_corruptible_state);
    let forger = AdversaryInfo { name: "forger", summary: "makes topics up" };
    assert_eq!(entry.adversaries, [forger]);
    assert!(Entry::of::<Actor>().adversaries.is_empty());
    let properties: Vec<_> =
        entry.properties.iter().map(|p| (p.id, p.kind, p.standing, p.text)).collect();
    let (safety, liveness) = (PropertyKind::Safety, PropertyKind::Liveness);
    let (core, claim) = (Standing::Core, Standing::Claim);
    assert_eq!(
        properties,
        [
            (SELDOM, safety, core, "no topic is heard again and again"),
            (SPREAD, liveness, core, "topics spread"),
            (SOURCES, safety, claim, "what is received was sent"),
        ]
    );
    assert_eq!((entry.claims)(), []);
    assert_eq!(entry.model, Model::ASYNCHRONOUS.crash_recovery(Bound::MINORITY));
}

#[test]
fn an_entry_has_the_schemas_of_its_settings() {
    let keys = |schema: schemars::Schema| {
        let properties = schema.get("properties").and_then(Value::as_object).cloned();
        properties.expect("an object").keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys((chatter().params_schema)()), ["class", "claims_sources"]);
    assert_eq!(keys((chatter().workload_schema)()), ["n", "count"]);
}

#[test]
fn an_entry_reads_messages_and_requests_of_its_protocol_alone() {
    let entry = chatter();
    assert_eq!((entry.read_message)(&json!({ "Ack": 3 })), Ok(()));
    let wrong = (entry.read_message)(&json!({ "Nack": 3 })).expect_err("no such message");
    assert!(wrong.contains("unknown variant `Nack`"), "{wrong}");
    assert_eq!((entry.read_request)(&json!({ "Tell": 3 })), Ok(()));
    assert!((entry.read_request)(&json!({ "Ack": 3 })).is_err());
}

/// What the settings of three processes come to.
fn resolve(params: &Value, workload: &Value) -> Result<(Value, Value, Vec<String>), String> {
    let setting = Setting::of(3);
    let settings = RawSettings { params, workload, setting: &setting };
    let resolved = chatter().resolve(settings).map_err(|e| format!("{}: {}", e.key, e.message))?;
    let claims = resolved.claims.iter().map(ToString::to_string).collect();
    assert_eq!(resolved.model, chatter().model_with(params, &setting));
    Ok((resolved.params, resolved.workload, claims))
}

#[test]
fn settings_are_filled_in_and_decide_on_claims_and_model() {
    let params = json!({ "class": "CrashStop", "claims_sources": true });
    let workload = json!({ "n": 2 });
    let claims = vec![SOURCES.to_string()];
    let expected = (params.clone(), json!({ "n": 2, "count": 0 }), claims);
    assert_eq!(resolve(&params, &workload), Ok(expected));
    let none = json!({});
    let (params, _, claims) = resolve(&none, &none).expect("the defaults");
    assert_eq!(params, json!({ "class": "CrashRecovery", "claims_sources": false }));
    assert!(claims.is_empty());
    let of = |class| chatter().model_with(&json!({ "class": class }), &Setting::of(3));
    assert_eq!(of("CrashStop"), Model::SYNCHRONOUS.crash_stop(Bound::MINORITY));
    // The defaults, if the parameters are invalid.
    assert_eq!(of("NoSuchClass"), Model::ASYNCHRONOUS.crash_recovery(Bound::MINORITY));
}

#[test]
fn a_wrong_setting_is_named_by_its_key() {
    let none = json!({});
    let key = |params: &Value, workload: &Value| {
        let error = resolve(params, workload).expect_err("it is wrong");
        error.split_once(": ").expect("a key").0.to_owned()
    };
    assert_eq!(key(&json!({ "class": 3 }), &none), "params.class");
    assert_eq!(key(&json!({ "clas": 3 }), &none), "params.clas");
    assert_eq!(key(&json!(7), &none), "params");
    assert_eq!(key(&none, &json!({ "n": 4 })), "workload.n");
    assert_eq!(key(&none, &json!({ "count": "many" })), "workload.count");
    let alone = Setting::of(1);
    let byzantine = json!({ "class": "Byzantine" });
    let settings = RawSettings { params: &byzantine, workload: &none, setting: &alone };
    let error = chatter().resolve(settings).expect_err("nobody to lie to");
    assert_eq!((error.key.as_str(), error.message.as_str()), ("params.class", "nobody to lie to"));
}

#[test]
fn a_mutant_runs_if_it_is_selected_and_no_other_does() {
    let sent = |mutant: Option<&str>| {
        let bench = Bench::of::<Chatter>(3).workload(r#"{"n": 3, "count": 5}"#);
        let bench = mutant.into_iter().fold(bench, Bench::mutant);
        let run = bench.run(1);
        (run.statistics.sent_of("Ack"), run.outcome.judged[0].verdict == Verdict::Held)
    };
    assert!(sent(None).0 > 0 && sent(None).1);
    assert_eq!(sent(Some("no-ack")).0, 0);
    assert_eq!(sent(Some("doubled")), sent(None), "it breaks an assumption, not the code");
}
