//! What is said of scenarios that are wrong.

use std::fs;

use annotate_snippets::Renderer;
use expect_test::{Expect, expect};
use ftsim::Catalogue;
use ftsim::scenario::Scenario;

use super::{folder, status};

#[expect(clippy::needless_pass_by_value, reason = "reads better at the call")]
fn check(text: &str, expected: Expect) {
    let diagnostics =
        Scenario::parse("x.toml", text, &Catalogue::builtin()).err().expect("it is wrong");
    let rendered = diagnostics.iter().map(|d| d.render(&Renderer::plain()) + "\n");
    expected.assert_eq(&rendered.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_kind_that_is_never_sent_is_told_with_those_that_are() {
    let folder = folder("kinds");
    let when = "[[fault]]\ncrash = \"p0\"\nwhen = { process = \"p0\", sends = \"Comit\" }\n";
    let text = format!(
        "protocol = \"two-phase-commit\"\n\
         processes = {{ coordinator = 1, participant = 2 }}\n{when}"
    );
    fs::write(folder.join("x.toml"), &text).expect("a file");
    let told = status(&folder, 1, "run x.toml --seeds 5..7");
    expect![[r#"
        UNEXPECTED  x.toml  two-phase-commit  seeds 5..7  6 held

        x.toml: fault 1 never struck p0 in any of 2 seeds: its trigger never occurred; in seed 5 p0 sends 2 Commit, 2 Prepare
        replay: ftsim replay x.toml --seed 5

        1 scenario, 2 runs: 0 as expected, 1 not
    "#]].assert_eq(&told);
    let rule = "[[message]]\nlink = \"p0 -> p2\"\nkind = \"Comit\"\ndrop = true\n";
    fs::write(folder.join("x.toml"), text.replace(when, rule)).expect("a file");
    let told = status(&folder, 1, "run x.toml --seeds 5..7");
    expect![[r#"
        UNEXPECTED  x.toml  two-phase-commit  seeds 5..7  6 held

        x.toml: message 1 never struck in any of 2 seeds: p0 -> p2 carried no Comit number 1; in seed 5 p0 sends 1 Commit, 1 Prepare to p2
        replay: ftsim replay x.toml --seed 5

        1 scenario, 2 runs: 0 as expected, 1 not
    "#]].assert_eq(&told);
}

#[test]
fn all_unknown_keys_are_told_at_once() {
    check(
        r#"protcol = "beb"
processes = 3
colour = "red"
[network]
dealy = "5ms"
[[fault]]
at = "1ms"
crash = "p0"
recover_afer = "3ms"
[[fault]]
at = "1ms"
in_flihgt = "lose"
crash = "p1"
[run]
seeds = 3
seed = 4
"#,
        expect![[r#"
            error: unknown field `protcol`
             --> x.toml:1:1
              |
            1 | protcol = "beb"
              | ^^^^^^^
              |
              = note: expected one of `protocol`, `summary`, `reference`, `check`, `processes`,
                      `fate_sharing`, `params`, `network`, `clocks`, `detector`, `storage`,
                      `workload`, `fault`, `message`, `request`, `mask`, `draw`, `random`,
                      `liveness`, `run`, `explore`, `expect`, `repro`
            help: did you mean `protocol`?

            error: unknown field `colour`
             --> x.toml:3:1
              |
            3 | colour = "red"
              | ^^^^^^
              |
              = note: expected one of `protocol`, `summary`, `reference`, `check`, `processes`,
                      `fate_sharing`, `params`, `network`, `clocks`, `detector`, `storage`,
                      `workload`, `fault`, `message`, `request`, `mask`, `draw`, `random`,
                      `liveness`, `run`, `explore`, `expect`, `repro`

            error: unknown field `dealy`
             --> x.toml:5:1
              |
            5 | dealy = "5ms"
              | ^^^^^
              |
              = note: expected one of `delay`, `loss`, `duplicate`, `order`, `bandwidth`, `corrupt`,
                      `links`, `resend_after`, `stabilise_at`, `bound`, `link`
            help: did you mean `delay`?

            error: unknown field `recover_afer`
             --> x.toml:9:1
              |
            9 | recover_afer = "3ms"
              | ^^^^^^^^^^^^
              |
              = note: expected one of `at`, `when`, `after_effect`, `start`, `crash`, `exception`,
                      `recover_after`, `in_flight`, `on_crash`, `amnesia`, `pause`, `resume_after`,
                      `resume`, `byzantine`, `behaviour`, `wrong_value`, `state_corruption`, `jump`,
                      `partition`, `send_omission`, `receive_omission`, `late`, `loss`, `duplicate`,
                      `delay`, `reorder`, `replay`, `corrupt`, `bandwidth`, `clog`, `slow`,
                      `sync_fails`, `slow_sync`, `full`, `skew`, `drift`, `freeze`,
                      `corrupt_record`, `lose_disk`, `rollback`, `duration`, `period`, `on`, `heal`
            help: did you mean `recover_after`?

            error: unknown field `in_flihgt`
              --> x.toml:12:1
               |
            12 | in_flihgt = "lose"
               | ^^^^^^^^^
               |
               = note: expected one of `at`, `when`, `after_effect`, `start`, `crash`, `exception`,
                       `recover_after`, `in_flight`, `on_crash`, `amnesia`, `pause`, `resume_after`,
                       `resume`, `byzantine`, `behaviour`, `wrong_value`, `state_corruption`, `jump`,
                       `partition`, `send_omission`, `receive_omission`, `late`, `loss`, `duplicate`,
                       `delay`, `reorder`, `replay`, `corrupt`, `bandwidth`, `clog`, `slow`,
                       `sync_fails`, `slow_sync`, `full`, `skew`, `drift`, `freeze`,
                       `corrupt_record`, `lose_disk`, `rollback`, `duration`, `period`, `on`, `heal`
            help: did you mean `in_flight`?

            error: unknown field `seed`
              --> x.toml:16:1
               |
            16 | seed = 4
               | ^^^^
               |
               = note: expected one of `seeds`, `first_seed`, `horizon`, `max_events`, `max_pending`,
                       `stop_at_violation`, `ties`
            help: did you mean `seeds`?
        "#]],
    );
    check(
        "protocol = \"fd-heartbeat\"\nprocesses = 3\n[params]\npriod = \"1s\"\ntimeot = \"1s\"\n\
         [workload]\na = 1\nb = 2\n",
        expect![[r#"
            error: unknown field `priod`
             --> x.toml:4:1
              |
            4 | priod = "1s"
              | ^^^^^
              |
              = note: expected one of `mode`, `period`, `timeout`, `increment`
            help: did you mean `period`?

            error: unknown field `timeot`
             --> x.toml:5:1
              |
            5 | timeot = "1s"
              | ^^^^^^
              |
              = note: expected one of `mode`, `period`, `timeout`, `increment`
            help: did you mean `timeout`?

            error: unknown field `a`, there are no fields
             --> x.toml:7:1
              |
            7 | a = 1
              | ^

            error: unknown field `b`, there are no fields
             --> x.toml:8:1
              |
            8 | b = 2
              | ^
        "#]],
    );
}

#[test]
fn a_table_where_a_list_belongs_is_told_with_its_brackets() {
    check(
        "protocol = \"beb\"\nprocesses = 3\n[fault]\nat = \"1ms\"\ncrash = \"p0\"\n",
        expect![[r#"
            error: invalid type: map
             --> x.toml:3:1
              |
            3 | [fault]
              | ^^^^^^^ expected a list
              |
            help: write `[[fault]]` above each of them, in two pairs of brackets
        "#]],
    );
    check(
        "protocol = \"beb\"\nprocesses = 3\n[fault]\nat = \"1ms\"\ncrash = \"p0\"\n\
         [fault]\nat = \"2ms\"\ncrash = \"p1\"\n",
        expect![[r#"
            error: duplicate key
             --> x.toml:6:2
              |
            6 | [fault]
              |  ^^^^^
              |
            help: write `[[fault]]` above each of them, in two pairs of brackets
        "#]],
    );
    check(
        "protocol = \"beb\"\nprocesses = 3\n[[fault]]\nat = \"1ms\"\ncrash = \"p0\"\n\
         [fault]\nat = \"2ms\"\ncrash = \"p1\"\n",
        expect![[r#"
            error: duplicate key
             --> x.toml:6:2
              |
            6 | [fault]
              |  ^^^^^
              |
            help: write `[[fault]]` above each of them, in two pairs of brackets
        "#]],
    );
    check(
        "protocol = \"beb\"\nprocesses = 3\n[ network . link ]\nbetween = \"p0 -> p1\"\n",
        expect![[r#"
            error: invalid type: map
             --> x.toml:3:1
              |
            3 | [ network . link ]
              | ^^^^^^^^^^^^^^^^^^ expected a list
              |
            help: write `[[network.link]]` above each of them, in two pairs of brackets
        "#]],
    );
}

#[test]
fn a_number_out_of_range_is_told_without_a_type_of_rust() {
    check(
        "protocol = \"beb\"\nprocesses = 99999999999999999999\n",
        expect![[r#"
        error: TOML has no integer as large as this
         --> x.toml:2:13
          |
        2 | processes = 99999999999999999999
          |             ^^^^^^^^^^^^^^^^^^^^
          |
          = note: expected -9223372036854775808 to 9223372036854775807
    "#]],
    );
    check(
        "protocol = \"beb\"\nprocesses = 3\nrun = { seeds = -99999999999999999999 }\n",
        expect![[r#"
            error: TOML has no integer as large as this
             --> x.toml:3:17
              |
            3 | run = { seeds = -99999999999999999999 }
              |                 ^^^^^^^^^^^^^^^^^^^^^
              |
              = note: expected -9223372036854775808 to 9223372036854775807
        "#]],
    );
    check(
        "protocol = \"beb\"\nprocesses = 3\n\
         workload = { broadcasts = 1_000_000_000_000_000_000_000 }\n",
        expect![[r#"
            error: TOML has no integer as large as this
             --> x.toml:3:27
              |
            3 | workload = { broadcasts = 1_000_000_000_000_000_000_000 }
              |                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              |
              = note: expected -9223372036854775808 to 9223372036854775807
        "#]],
    );
    check(
        &format!(
            "protocol = \"beb\"\nprocesses = 3\nworkload = {{ broadcasts = {} }}\n",
            "9".repeat(60)
        ),
        expect![[r#"
            error: TOML has no integer as large as this
             --> x.toml:3:27
              |
            3 | workload = { broadcasts = 999999999999999999999999999999999999999999999999999999999999 }
              |                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              |
              = note: expected -9223372036854775808 to 9223372036854775807
        "#]],
    );
}

#[test]
fn too_few_processes_of_a_role_are_shown_where_they_are() {
    check(
        "protocol = \"primary-backup\"\nprocesses = { server = 0, client = 2 }\n",
        expect![[r#"
            error: there is no server
             --> x.toml:2:24
              |
            2 | processes = { server = 0, client = 2 }
              |                        ^
        "#]],
    );
    check(
        "protocol = \"two-phase-commit\"\n[processes]\ncoordinator = 2\nparticipant = 2\n",
        expect![[r#"
            error: there must be one coordinator
             --> x.toml:3:15
              |
            3 | coordinator = 2
              |               ^
        "#]],
    );
    check(
        "protocol = \"two-phase-commit\"\n[processes]\ncoordinator = 1\nparticipant = 0\n",
        expect![[r#"
            error: there is no participant
             --> x.toml:4:15
              |
            4 | participant = 0
              |               ^
        "#]],
    );
    check(
        "protocol = \"oral-messages\"\nprocesses = { commander = 0, lieutenant = 4 }\n",
        expect![[r#"
            error: there must be one commander
             --> x.toml:2:27
              |
            2 | processes = { commander = 0, lieutenant = 4 }
              |                           ^
        "#]],
    );
}
