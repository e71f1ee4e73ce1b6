//! The operations of clients are recorded from the request to the first answer.

use crate::scripted::{Do, Stage, at, crash, ms};
use ftsim_core::fault::Action;
use ftsim_core::outcome::operations::OperationChange;
use ftsim_core::{Act, Instant, OperationName, ProcessId};
use serde_json::json;

fn begins(word: u64) -> OperationChange {
    OperationChange::Begins(Act::new("Message", json!([{ "Say": word }])))
}

/// The operations of a run: when, whose, and what.
fn operations(stage: &Stage) -> Vec<(Instant, OperationName, OperationChange)> {
    let (_, all) = stage.simulation().operations(1);
    all.into_iter().map(|event| (event.at, event.name, event.what)).collect()
}

#[test]
fn an_operation_lasts_from_its_request_to_its_first_answer() {
    let say = |word| vec![Do::Say(word)];
    let pause = Action::Pause { process: ProcessId(0), resume_after: None };
    let stage = Stage::new(
        2,
        &[
            (10, 0, say(500)),
            (20, 0, say(1)),
            (30, 0, say(500)),
            (40, 1, say(501)),
            (60, 0, say(502)),
        ],
    )
    .fault(at(35), crash(1))
    .fault(at(50), pause);
    let name = |p, word| OperationName::at(ProcessId(p), word);
    let ends = OperationChange::Ends(Act::new("Message", 500));
    let expected = [
        (ms(10), name(0, 500), begins(500)),
        (ms(10), name(0, 500), ends.clone()),
        (ms(30), name(0, 500), begins(500)),
        (ms(30), name(0, 500), ends),
        // p1 is down, and p0 paused for good.
        (ms(40), name(1, 501), begins(501)),
        (ms(40), name(1, 501), OperationChange::Lost),
        (ms(60), name(0, 502), begins(502)),
    ];
    assert_eq!(operations(&stage), expected);
    // Recording changes nothing, and ends with the run.
    let mut runner = stage.simulation();
    let (recorded, _) = runner.operations(1);
    assert_eq!((recorded.digest, recorded.latencies), {
        let plain = runner.run(1);
        (plain.digest, plain.latencies)
    });
}

#[test]
fn who_answers_twice_ends_an_operation_once() {
    let twice = vec![Do::Say(503), Do::Say(503)];
    let found = operations(&Stage::new(1, &[(10, 0, twice)]));
    let ends = found.iter().filter(|(_, _, what)| matches!(what, OperationChange::Ends(_)));
    assert_eq!((found.len(), ends.count()), (2, 1));
}

#[test]
fn an_act_has_the_name_and_the_content_of_its_variant() {
    #[derive(serde::Serialize)]
    enum Asked {
        Stop,
        Read(u32),
        Swap { old: u32, new: u32 },
        Pair(u32, u32),
    }
    let act = |asked: &Asked| (Act::of(asked).function, Act::of(asked).value);
    assert_eq!(act(&Asked::Stop), ("Stop".to_owned(), json!(null)));
    assert_eq!(act(&Asked::Read(7)), ("Read".to_owned(), json!(7)));
    assert_eq!(act(&Asked::Pair(7, 8)), ("Pair".to_owned(), json!([7, 8])));
    let swap = Asked::Swap { old: 1, new: 2 };
    assert_eq!(act(&swap), ("Swap".to_owned(), json!({ "old": 1, "new": 2 })));
    let whole = json!({ "old": 1, "new": 2 });
    assert_eq!(Act::of(&whole).value, whole, "more than one key is no name of a variant");
    let ended = Act { failed: true, ..Act::of(&swap) }.ended_with(&Asked::Read(9));
    assert_eq!((ended.function.as_str(), ended.value, ended.failed), ("Swap", json!(9), true));
}
