//! Guards what is said of a file that is no scenario, and of names of protocols, mutants, roles and
//! properties.

use expect_test::expect;

use super::{EVERYTHING, beb, check, idle};

#[test]
fn good() {
    beb(
        "",
        expect![[r#"
        no error
    "#]],
    );
}

#[test]
fn good_with_everything() {
    check(
        EVERYTHING,
        expect![[r#"
            no error
        "#]],
    );
}

#[test]
fn no_toml() {
    check(
        r#"protocol = "beb
"#,
        expect![[r#"
            error: invalid basic string
             --> x.toml:1:16
              |
            1 | protocol = "beb
              |                ^ expected `"`
        "#]],
    );
}

#[test]
fn nothing_at_all() {
    check(
        "",
        expect![[r#"
        error: missing field `protocol`
        --> x.toml
    "#]],
    );
}

#[test]
fn a_misspelt_key() {
    beb(
        r#"[network]
dealy = "5ms"
"#,
        expect![[r#"
            error: unknown field `dealy`
             --> x.toml:4:1
              |
            4 | dealy = "5ms"
              | ^^^^^
              |
              = note: expected one of `delay`, `loss`, `duplicate`, `order`, `bandwidth`, `corrupt`,
                      `links`, `resend_after`, `stabilise_at`, `bound`, `link`
            help: did you mean `delay`?
        "#]],
    );
}

#[test]
fn a_misspelt_section() {
    beb(
        "[netwrok]\n",
        expect![[r#"
            error: unknown field `netwrok`
             --> x.toml:3:2
              |
            3 | [netwrok]
              |  ^^^^^^^
              |
              = note: expected one of `protocol`, `summary`, `reference`, `check`, `processes`,
                      `fate_sharing`, `params`, `network`, `clocks`, `detector`, `storage`,
                      `workload`, `fault`, `message`, `request`, `mask`, `draw`, `random`,
                      `liveness`, `run`, `explore`, `expect`, `repro`
            help: did you mean `network`?
        "#]],
    );
}

#[test]
fn a_key_twice() {
    beb(
        "processes = 4\n",
        expect![[r#"
        error: duplicate key
         --> x.toml:3:1
          |
        3 | processes = 4
          | ^^^^^^^^^
    "#]],
    );
}

#[test]
fn unknown_protocol() {
    check(
        r#"protocol = "bep"
processes = 3
"#,
        expect![[r#"
            error: unknown protocol `bep`
             --> x.toml:1:12
              |
            1 | protocol = "bep"
              |            ^^^^^
              |
              = note: expected one of `beb`, `eager-rb`, `floodset`, `idle`
            help: did you mean `beb`?
        "#]],
    );
}

#[test]
fn unknown_properties() {
    beb(
        r#"check = ["rb.agremeent", "cs.agreement"]
"#,
        expect![[r#"
            error: unknown property `rb.agremeent`
             --> x.toml:3:10
              |
            3 | check = ["rb.agremeent", "cs.agreement"]
              |          ^^^^^^^^^^^^^^
              |
              = note: expected one of `beb.validity`, `rb.validity`, `rb.no-duplication`,
                      `rb.no-creation`, `rb.agreement`, `rb.uniform-agreement`, `bc.fifo`,
                      `bc.causal`, `bc.total-order`, `bc.uniform-total-order`, `rep.prefix`
            help: did you mean `rb.agreement`?

            error: unknown property `cs.agreement`
             --> x.toml:3:26
              |
            3 | check = ["rb.agremeent", "cs.agreement"]
              |                          ^^^^^^^^^^^^^^
              |
              = note: expected one of `beb.validity`, `rb.validity`, `rb.no-duplication`,
                      `rb.no-creation`, `rb.agreement`, `rb.uniform-agreement`, `bc.fifo`,
                      `bc.causal`, `bc.total-order`, `bc.uniform-total-order`, `rep.prefix`
            help: did you mean `rb.agreement`?
        "#]],
    );
}

#[test]
fn unknown_mutant() {
    check(
        r#"protocol = "eager-rb"
processes = 3
[params]
mutant = "no-delivered-sets"
"#,
        expect![[r#"
            error: unknown mutant `no-delivered-sets`
             --> x.toml:4:10
              |
            4 | mutant = "no-delivered-sets"
              |          ^^^^^^^^^^^^^^^^^^^
              |
              = note: expected one of `no-delivered-set`, `deliver-without-relay`, `as-urb`
            help: did you mean `no-delivered-set`?
        "#]],
    );
}

#[test]
fn a_mutant_that_is_no_text() {
    beb(
        "[params]\nmutant = 3\n",
        expect![[r#"
            error: not a mutant
             --> x.toml:4:10
              |
            4 | mutant = 3
              |          ^ expected the name of one
        "#]],
    );
}

#[test]
fn a_mutant_of_the_world_in_a_whole_world() {
    idle(
        r#"[params]
mutant = "lossy"
"#,
        expect![[r#"
            error: this mutant needs `network.loss` in the scenario
             --> x.toml:4:10
              |
            4 | mutant = "lossy"
              |          ^^^^^^^ links lose
              |
            help: the assumption that it breaks is broken by `network.loss`
        "#]],
    );
}

#[test]
fn unknown_role() {
    check(
        r#"protocol = "idle"
processes = { leader = 1, workers = 3 }
"#,
        expect![[r#"
            error: unknown role `workers`
             --> x.toml:2:27
              |
            2 | processes = { leader = 1, workers = 3 }
              |                           ^^^^^^^ expected one of `leader`, `worker`
              |
            help: did you mean `worker`?
        "#]],
    );
}

#[test]
fn a_number_for_several_roles() {
    check(
        r#"protocol = "idle"
processes = 4
"#,
        expect![[r#"
            error: `idle` has processes of several roles
             --> x.toml:2:13
              |
            2 | processes = 4
              |             ^ expected a number for each of `leader`, `worker`
              |
            help: write processes = { leader = 1, worker = 1 }
        "#]],
    );
}

#[test]
fn no_processes() {
    check(
        r#"protocol = "beb"
processes = 0
"#,
        expect![[r#"
            error: 0 processes are out of range
             --> x.toml:2:13
              |
            2 | processes = 0
              |             ^ expected 1 to 10000
        "#]],
    );
}

#[test]
fn too_many_processes() {
    check(
        r#"protocol = "idle"
processes = { leader = 1, worker = 9223372036854775807 }
"#,
        expect![[r#"
            error: 9223372036854775808 processes are out of range
             --> x.toml:2:13
              |
            2 | processes = { leader = 1, worker = 9223372036854775807 }
              |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected 1 to 10000
        "#]],
    );
}

#[test]
fn a_negative_number_of_processes() {
    check(
        r#"protocol = "beb"
processes = -1
"#,
        expect![[r#"
            error: invalid value: integer `-1`
             --> x.toml:2:13
              |
            2 | processes = -1
              |             ^^
              |
              = note: expected a number of processes, or a table of roles and their numbers
        "#]],
    );
}

#[test]
fn not_a_number() {
    beb(
        "[network]\nloss = nan\n",
        expect![[r#"
        error: this number is not finite
         --> x.toml:4:8
          |
        4 | loss = nan
          |        ^^^
    "#]],
    );
}

#[test]
fn a_date() {
    beb(
        "[workload]\nevery = 2020-01-01\n",
        expect![[r#"
        error: a date is no value of a scenario
         --> x.toml:4:9
          |
        4 | every = 2020-01-01
          |         ^^^^^^^^^^
    "#]],
    );
}

#[test]
fn planned_keys() {
    beb(
        r#"[network]
authenticated = false
[storage]
on_crash = "torn-last"
[[fault]]
at = "1s"
torn_write = "p1"
"#,
        expect![[r#"
            error: `network.authenticated` is not supported yet
             --> x.toml:4:1
              |
            4 | authenticated = false
              | ^^^^^^^^^^^^^

            error: there is no key `torn_write`
             --> x.toml:9:1
              |
            9 | torn_write = "p1"
              | ^^^^^^^^^^
              |
            help: write crash = "p0", on_crash = "torn-last"
        "#]],
    );
}

#[test]
fn parameters() {
    idle(
        r#"[params]
timeot = "1s"
"#,
        expect![[r#"
            error: unknown field `timeot`
             --> x.toml:4:1
              |
            4 | timeot = "1s"
              | ^^^^^^ expected `timeout` or `tries`
              |
            help: did you mean `timeout`?
        "#]],
    );
}

#[test]
fn parameters_of_the_wrong_type() {
    idle(
        r#"[params]
tries = "three"
[workload]
broadcasts = -1
"#,
        expect![[r#"
            error: invalid type: string "three"
             --> x.toml:4:9
              |
            4 | tries = "three"
              |         ^^^^^^^ expected a whole number, 0 or more

            error: invalid value: integer `-1`
             --> x.toml:6:14
              |
            6 | broadcasts = -1
              |              ^^ expected a whole number, 0 or more
        "#]],
    );
}

#[test]
fn parameters_that_the_protocol_refuses() {
    idle(
        r#"[params]
tries = 0
[workload]
senders = ["p0", "p7"]
"#,
        expect![[r#"
            error: it has to try at least once
             --> x.toml:4:9
              |
            4 | tries = 0
              |         ^

            error: there is no process p7
             --> x.toml:6:11
              |
            6 | senders = ["p0", "p7"]
              |           ^^^^^^^^^^^^
        "#]],
    );
}

#[test]
fn liveness_that_cannot_be() {
    beb(
        "[liveness]\nmode = \"core\"\n",
        expect![[r#"
        error: this does not say when
         --> x.toml:3:1
          |
        3 | [liveness]
          | ^^^^^^^^^^
          |
        help: write at = "…"
    "#]],
    );
    beb(
        "[liveness]\nmode = \"gst\"\nat = \"1s\"\n",
        expect![[r#"
        error: the network never stabilises
         --> x.toml:4:8
          |
        4 | mode = "gst"
          |        ^^^^^
          |
        help: write stabilise_at = "…" in [network]

        error: with `gst` this is `network.stabilise_at`
         --> x.toml:5:1
          |
        5 | at = "1s"
          | ^^
    "#]],
    );
    beb(
        r#"[liveness]
mode = "heal-all"
at = "2m"
[[fault]]
at = "1s"
crash = "p0"
"#,
        expect![[r#"
            error: this is after the horizon (60s)
             --> x.toml:5:6
              |
            5 | at = "2m"
              |      ^^^^
        "#]],
    );
    beb(
        r#"[liveness]
mode = "heal-all"
at = "1s"
[[fault]]
at = "1s"
crash = "p0"
"#,
        expect![[r#"
            error: fault at 1s, after all faults have ended
             --> x.toml:7:6
              |
            7 | at = "1s"
              |      ^^^^ liveness.at is 1s
        "#]],
    );
}

#[test]
fn transports_that_cannot_be() {
    beb(
        r#"[network]
resend_after = "50ms"
[detector]
kind = "perfect"
period = "10ms"
"#,
        expect![[r#"
            error: nothing is sent again on raw links
             --> x.toml:4:1
              |
            4 | resend_after = "50ms"
              | ^^^^^^^^^^^^
              |
            help: write links = "reliable"

            error: `period` belongs to heartbeats
             --> x.toml:7:1
              |
            7 | period = "10ms"
              | ^^^^^^
              |
            help: write kind = "heartbeat"
        "#]],
    );
    beb(
        r#"[network]
links = "reliable"
resend_after = "0ms"
[detector]
kind = "heartbeat"
period = "0ms"
"#,
        expect![[r#"
            error: this would send again without end
             --> x.toml:5:16
              |
            5 | resend_after = "0ms"
              |                ^^^^^

            error: a detector by heartbeats needs `timeout`
             --> x.toml:6:1
              |
            6 | [detector]
              | ^^^^^^^^^^

            error: this is no time at all
             --> x.toml:8:10
              |
            8 | period = "0ms"
              |          ^^^^^
        "#]],
    );
}
