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
        "protocol = \"two-phase-commit\"\nprocesses = {{ coordinator = 1, participant = 2 }}\n{when}"
    );
    fs::write(folder.join("x.toml"), &text).expect("a file");
    let told = status(&folder, 1, "run x.toml --seeds 5..7");
    expect![[r#""#]].assert_eq(&told);
    let rule = "[[message]]\nlink = \"p0 -> p2\"\nkind = \"Comit\"\ndrop = true\n";
    fs::write(folder.join("x.toml"), text.replace(when, rule)).expect("a file");
    let told = status(&folder, 1, "run x.toml --seeds 5..7");
    expect![[r#""#]].assert_eq(&told);
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
        expect![[r#""#]],
    );
    check(
        "protocol = \"fd-heartbeat\"\nprocesses = 3\n[params]\npriod = \"1s\"\ntimeot = \"1s\"\n\
         [workload]\na = 1\nb = 2\n",
        expect![[r#""#]],
    );
}

#[test]
fn a_table_where_a_list_belongs_is_told_with_its_brackets() {
    check(
        "protocol = \"beb\"\nprocesses = 3\n[fault]\nat = \"1ms\"\ncrash = \"p0\"\n",
        expect![[r#""#]],
    );
    check(
        "protocol = \"beb\"\nprocesses = 3\n[fault]\nat = \"1ms\"\ncrash = \"p0\"\n\
         [fault]\nat = \"2ms\"\ncrash = \"p1\"\n",
        expect![[r#""#]],
    );
    check(
        "protocol = \"beb\"\nprocesses = 3\n[[fault]]\nat = \"1ms\"\ncrash = \"p0\"\n\
         [fault]\nat = \"2ms\"\ncrash = \"p1\"\n",
        expect![[r#""#]],
    );
    check(
        "protocol = \"beb\"\nprocesses = 3\n[ network . link ]\nbetween = \"p0 -> p1\"\n",
        expect![[r#""#]],
    );
}

#[test]
fn a_number_out_of_range_is_told_without_a_type_of_rust() {
    check("protocol = \"beb\"\nprocesses = 99999999999999999999\n", expect![[r#""#]]);
    check(
        "protocol = \"beb\"\nprocesses = 3\nrun = { seeds = -99999999999999999999 }\n",
        expect![[r#""#]],
    );
    check(
        "protocol = \"beb\"\nprocesses = 3\nworkload = { broadcasts = 1_000_000_000_000_000_000_000 }\n",
        expect![[r#""#]],
    );
    check(
        &format!(
            "protocol = \"beb\"\nprocesses = 3\nworkload = {{ broadcasts = {} }}\n",
            "9".repeat(60)
        ),
        expect![[r#""#]],
    );
}

#[test]
fn too_few_processes_of_a_role_are_shown_where_they_are() {
    check(
        "protocol = \"primary-backup\"\nprocesses = { server = 0, client = 2 }\n",
        expect![[r#""#]],
    );
    check(
        "protocol = \"two-phase-commit\"\n[processes]\ncoordinator = 2\nparticipant = 2\n",
        expect![[r#""#]],
    );
    check(
        "protocol = \"two-phase-commit\"\n[processes]\ncoordinator = 1\nparticipant = 0\n",
        expect![[r#""#]],
    );
    check(
        "protocol = \"oral-messages\"\nprocesses = { commander = 0, lieutenant = 4 }\n",
        expect![[r#""#]],
    );
}
