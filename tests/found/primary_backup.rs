//! Defects of primary-backup.

mod worlds;

use std::fs;
use std::path::Path;

use annotate_snippets::Renderer;
use ftsim::Catalogue;
use ftsim::scenario::Scenario;
use ftsim_core::catalogue::RawSettings;
use ftsim_core::{Bound, DetectorClass, Outcome, Setting, Timing, Verdict};
use serde_json::{Value, json};
use worlds::{Mode, World};

/// How many worlds of each mode are run, unless the environment says otherwise.
const WORLD_COUNT: u64 = 300;

/// How many worlds of each mode to run: `FTSIM_WORLDS`, for runs by hand.
#[expect(clippy::disallowed_methods, reason = "chooses how much is tested, not how a run goes")]
fn world_count() -> u64 {
    let count = std::env::var("FTSIM_WORLDS");
    count.map_or(WORLD_COUNT, |count| count.parse().expect("FTSIM_WORLDS is a number"))
}

/// What is not as it should be: all is held, if vacuously.
fn wrong(outcome: &Outcome) -> Vec<String> {
    let held = |verdict: &Verdict| matches!(verdict, Verdict::Held | Verdict::HeldVacuously);
    let bad = outcome.judged.iter().filter(|judged| !held(&judged.verdict));
    let bad = bad.map(|judged| format!("{}: {:?}", judged.id.0, judged.verdict));
    bad.chain(outcome.panicked.iter().map(|panicked| panicked.message.clone())).collect()
}

/// Runs drawn worlds of a mode: in none of them anything is violated or undecided.
#[track_caller]
fn holds_in_drawn_worlds(takeover: &'static str, ack_wait: &'static str, succession: &'static str) {
    let mode = Mode { takeover, ack_wait, succession };
    let catalogue = Catalogue::builtin();
    let entry = catalogue.get("primary-backup").expect("it is in the catalogue");
    let count = world_count();
    let (mut crashes, mut takeovers, mut wrong_worlds, mut events) = (0, 0_u64, Vec::new(), 0);
    for number in 0..count {
        let World { experiment, params, workload } = mode.world(number);
        let setting = &experiment.setting;
        let settling = RawSettings { params: &params, workload: &workload, setting };
        entry.resolve(settling).unwrap_or_else(|e| panic!("world {number}: {e:?}"));
        let mut runner = entry.prepare(experiment, &params, &workload).expect("it is valid");
        let outcome = runner.run(number);
        crashes += outcome.statistics.crashes;
        events += outcome.statistics.events;
        takeovers += u64::from(outcome.reached.contains(&"took over"));
        let wrong = wrong(&outcome);
        if !wrong.is_empty() {
            wrong_worlds.push(format!("world {number}: {}", wrong.join("; ")));
        }
    }
    println!(
        "{mode:?}: {count} worlds, {events} events, {crashes} crashes, takeovers in {takeovers}, \
         wrong in {}",
        wrong_worlds.len()
    );
    let first = &wrong_worlds[..wrong_worlds.len().min(5)];
    assert!(wrong_worlds.is_empty(), "{mode:?}: {} of {count}: {first:#?}", wrong_worlds.len());
    let survives_crashes = crashes > 0;
    let can_take_over = takeover != "never" && survives_crashes;
    assert_eq!(takeovers > count / 100, can_take_over, "{takeovers} takeovers");
}

#[test]
fn drawn_worlds_hold_with_timeout_and_rank() {
    holds_in_drawn_worlds("timeout", "all", "rank");
}

#[test]
fn drawn_worlds_hold_with_timeout_and_most_advanced() {
    holds_in_drawn_worlds("timeout", "all", "most-advanced");
}

#[test]
fn drawn_worlds_hold_with_timeout_and_one_acknowledgement() {
    holds_in_drawn_worlds("timeout", "one", "most-advanced");
}

#[test]
fn drawn_worlds_hold_with_timeout_and_one_acknowledgement_by_rank() {
    holds_in_drawn_worlds("timeout", "one", "rank");
}

#[test]
fn drawn_worlds_hold_with_timeout_and_no_acknowledgement() {
    holds_in_drawn_worlds("timeout", "none", "rank");
}

#[test]
fn drawn_worlds_hold_with_a_perfect_detector() {
    holds_in_drawn_worlds("perfect", "all", "rank");
}

#[test]
fn drawn_worlds_hold_with_a_perfect_detector_and_most_advanced() {
    holds_in_drawn_worlds("perfect", "all", "most-advanced");
}

#[test]
fn drawn_worlds_hold_with_a_perfect_detector_and_one_acknowledgement() {
    holds_in_drawn_worlds("perfect", "one", "most-advanced");
}

#[test]
fn drawn_worlds_hold_with_a_quorum() {
    holds_in_drawn_worlds("quorum", "majority", "rank");
}

#[test]
fn drawn_worlds_hold_with_an_operator() {
    holds_in_drawn_worlds("operator", "all", "rank");
}

#[test]
fn drawn_worlds_hold_without_takeovers() {
    holds_in_drawn_worlds("never", "all", "rank");
}

/// Parses a scenario; if it is refused, returns the diagnostics as text.
fn parse(text: &str) -> Result<Scenario, String> {
    Scenario::parse("case.toml", text, &Catalogue::builtin()).map_err(|diagnostics| {
        let rendered = diagnostics.iter().map(|d| d.render(&Renderer::plain()));
        rendered.collect::<Vec<_>>().join("\n")
    })
}

/// Why the scenario of this name under `tests/found/cases/` is refused.
fn refused(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/found/cases");
    let text = fs::read_to_string(folder.join(format!("{name}.toml"))).expect("a readable case");
    parse(&text).err().unwrap_or_else(|| panic!("{name} is accepted"))
}

/// What `validate` says to these parameters in a world of three servers with δ = 10 ms.
fn validated(params: &Value) -> Result<(), String> {
    let roles = vec![("server".to_owned(), 3), ("client".to_owned(), 1)];
    let setting = Setting { roles, ..Setting::of(4) };
    let catalogue = Catalogue::builtin();
    let entry = catalogue.get("primary-backup").expect("it is in the catalogue");
    let settling = RawSettings { params, workload: &json!({}), setting: &setting };
    entry.resolve(settling).map(|_| ()).map_err(|e| format!("{}: {}", e.key, e.message))
}

/// Refuses the parameters with `key` at `below`, naming `least`, and accepts them at `least`.
#[track_caller]
fn assert_least(params: &Value, key: &str, below: &str, least: &str) {
    let with = |value: &str| {
        let mut params = params.clone();
        params[key] = value.into();
        validated(&params)
    };
    let why = with(below).expect_err("too short");
    assert!(why.starts_with(&format!("params.{key}: ")), "{why}");
    assert!(why.ends_with(&format!("the least is {least}")), "{why}");
    assert_eq!(with(least), Ok(()));
}

#[test]
fn a_timeout_below_tau_and_delta_is_refused() {
    for takeover in [json!({}), json!({ "succession": "most-advanced", "ack_wait": "one" })] {
        assert_least(&takeover, "timeout", "59.999999ms", "60ms");
    }
    assert_least(&json!({ "heartbeat": "3ms" }), "timeout", "12.999999ms", "13ms");
}

#[test]
fn a_client_that_does_not_wait_for_a_reply_without_faults_is_refused() {
    assert_least(&json!({}), "retry", "39.999999ms", "40ms");
    assert_least(&json!({ "ack_wait": "none" }), "retry", "19.999999ms", "20ms");
}

#[test]
fn a_lease_that_ends_at_the_instant_of_the_echo_that_renews_it_is_refused() {
    let quorum =
        |heartbeat| json!({ "takeover": "quorum", "ack_wait": "majority", "heartbeat": heartbeat });
    // τ + 2δ, and 4δ where that is longer.
    assert_least(&quorum("50ms"), "timeout", "70ms", "70.000001ms");
    assert_least(&quorum("5ms"), "timeout", "40ms", "40.000001ms");
    for case in ["primary-backup-quorum-livelock", "primary-backup-quorum-livelock-no-fault"] {
        let why = refused(case);
        assert!(why.contains("40.000001ms"), "{why}");
    }
}

#[test]
fn majority_acknowledgements_without_a_quorum_are_refused() {
    let why = refused("primary-backup-majority-acks");
    assert!(why.contains("takeover = \"quorum\""), "{why}");
    for takeover in ["timeout", "perfect", "operator", "never"] {
        for succession in ["rank", "most-advanced"] {
            let params = json!({
                "takeover": takeover, "ack_wait": "majority", "succession": succession
            });
            let why = validated(&params).expect_err("half of the servers can crash");
            assert!(why.starts_with("params.ack_wait: "), "{why}");
        }
    }
}

#[test]
fn what_the_protocol_assumes_depends_on_its_parameters() {
    let model = |params: &str| {
        let text = format!(
            "protocol = \"primary-backup\"\n[processes]\nserver = 3\nclient = 1\n[params]\n{params}"
        );
        parse(&text).unwrap_or_else(|why| panic!("{why}")).resolved.model
    };
    let timeout = model("");
    assert_eq!(
        (timeout.timing, timeout.bound),
        (Timing::Synchronous, Bound::ALL_BUT_ONE.of("server"))
    );
    let quorum = model("takeover = \"quorum\"\nack_wait = \"majority\"\ntimeout = \"90ms\"");
    assert_eq!((quorum.timing, quorum.bound), (Timing::Asynchronous, Bound::MINORITY.of("server")));
    let perfect = model("takeover = \"perfect\"\n[detector]\nkind = \"perfect\"");
    assert_eq!((perfect.timing, perfect.detector), (Timing::Asynchronous, DetectorClass::Perfect));
    let one = model("ack_wait = \"one\"\nsuccession = \"most-advanced\"");
    assert_eq!(one.bound, Bound::at_most(1).of("server"));
    assert_eq!(model("ack_wait = \"one\"").bound, Bound::NONE.of("server"));
    assert_eq!(model("ack_wait = \"none\"").bound, Bound::NONE.of("server"));
}

#[test]
fn a_quorum_may_have_delays_beyond_the_bound_until_the_network_stabilises() {
    let text = |params: &str| {
        format!(
            "protocol = \"primary-backup\"\n\
             [processes]\nserver = 3\nclient = 1\n\
             [params]\n{params}\n\
             [network]\ndelay = {{ exponential = \"15ms\", cap = \"400ms\" }}\n\
             bound = \"10ms\"\nstabilise_at = \"1s\"\n\
             [run]\nhorizon = \"3s\"\n"
        )
    };
    let why = parse(&text("")).err().expect("silence is no death there");
    assert!(why.contains("the protocol is synchronous, with a bound of 10ms"), "{why}");
    let quorum = "takeover = \"quorum\"\nack_wait = \"majority\"\ntimeout = \"90ms\"";
    let scenario = parse(&text(quorum)).unwrap_or_else(|why| panic!("{why}"));
    let mut runner = scenario.prepare().expect("it is valid");
    for seed in 0..20 {
        assert_eq!(wrong(&runner.run(seed)), [] as [String; 0]);
    }
}
