//! Guards what is said of faults and of their targets.

use expect_test::expect;

use super::{beb, idle};

#[test]
fn unknown_processes() {
    idle(
        r#"[[fault]]
at = "1s"
crash = ["p4", "worket", "all"]
"#,
        expect![[r#"
            error: there is no process p4
             --> x.toml:5:10
              |
            5 | crash = ["p4", "worket", "all"]
              |          ^^^^ processes are p0 to p3

            error: unknown process `worket`
             --> x.toml:5:16
              |
            5 | crash = ["p4", "worket", "all"]
              |                ^^^^^^^^ expected p0 to p3, a role, or "all"
              |
            help: did you mean `worker`?
        "#]],
    );
}

#[test]
fn several_processes_for_one() {
    idle(
        r#"[[fault]]
after_effect = { process = "worker", nth = 1 }
crash = "p0"
"#,
        expect![[r#"
            error: expected one process, `worker` names 3
             --> x.toml:4:28
              |
            4 | after_effect = { process = "worker", nth = 1 }
              |                            ^^^^^^^^
              |
            help: write an id such as "p0"
        "#]],
    );
}

#[test]
fn after_the_horizon() {
    idle(
        r#"[network]
stabilise_at = "11s"
[run]
horizon = "10s"
[[fault]]
at = "11s"
crash = "p1"
[[fault]]
at = "9s"
crash = "p1"
recover_after = "2s"
[[fault]]
at = "9s"
pause = "p1"
resume_after = "2s"
[detector]
kind = "perfect"
mistakes = [{ observer = "p0", suspects = "p1", at = "12s" }]
"#,
        expect![[r#"
            error: the network stabilises after the horizon (10s)
             --> x.toml:4:16
              |
            4 | stabilise_at = "11s"
              |                ^^^^^

            error: fault at 11s is after the horizon (10s)
             --> x.toml:8:6
              |
            8 | at = "11s"
              |      ^^^^^

            error: this ends at 11s, after the horizon (10s)
              --> x.toml:13:17
               |
            13 | recover_after = "2s"
               |                 ^^^^
               |
            help: leave out `recover_after` for a fault that lasts, or move the horizon

            error: this ends at 11s, after the horizon (10s)
              --> x.toml:17:16
               |
            17 | resume_after = "2s"
               |                ^^^^
               |
            help: leave out `resume_after` for a fault that lasts, or move the horizon

            error: mistake at 12s is after the horizon (10s)
              --> x.toml:20:54
               |
            20 | mistakes = [{ observer = "p0", suspects = "p1", at = "12s" }]
               |                                                      ^^^^^
        "#]],
    );
}

#[test]
fn recovery_in_crash_stop() {
    beb(
        r#"[[fault]]
at = "1s"
crash = "p1"
recover_after = "1s"
"#,
        expect![[r#"
            error: processes of this protocol do not recover
             --> x.toml:6:1
              |
            6 | recover_after = "1s"
              | ^^^^^^^^^^^^^
              |
              = note: in its model a process that crashes stays down (crash-stop)
            help: leave out `recover_after`
        "#]],
    );
}

#[test]
fn partitions_of_a_stable_network() {
    beb(
        r#"[network]
stabilise_at = "5s"
[[fault]]
at = "5s"
partition = { shape = "halves" }
[[fault]]
at = "4s"
partition = { shape = "halves" }
duration = "2s"
"#,
        expect![[r#"
            error: a `partition` after the network has stabilised
             --> x.toml:6:6
              |
            6 | at = "5s"
              |      ^^^^ the network stabilises at 5s

            error: this `partition` lasts until 6s
              --> x.toml:11:12
               |
            11 | duration = "2s"
               |            ^^^^ the network stabilises at 5s
               |
            help: leave out `duration`: faults of links end when the network stabilises
        "#]],
    );
}

#[test]
fn partitions_without_their_shape() {
    beb(
        r#"[[fault]]
at = "1s"
partition = { shape = "isolate" }
[[fault]]
at = "1s"
partition = { shape = "halves", process = "p0" }
[[fault]]
at = "1s"
partition = { shape = "groups", groups = [["p0"], ["p0", "p1"]] }
"#,
        expect![[r#"
            error: the shape `isolate` needs `process`
             --> x.toml:5:13
              |
            5 | partition = { shape = "isolate" }
              |             ^^^^^^^^^^^^^^^^^^^^^

            error: `process` does not apply to the shape `halves`
             --> x.toml:8:33
              |
            8 | partition = { shape = "halves", process = "p0" }
              |                                 ^^^^^^^

            error: p0 is already in another group
              --> x.toml:11:51
               |
            11 | partition = { shape = "groups", groups = [["p0"], ["p0", "p1"]] }
               |                                                   ^^^^^^^^^^^^
        "#]],
    );
}

#[test]
fn a_fault_that_does_not_say_when() {
    beb(
        r#"[[fault]]
crash = "p1"
"#,
        expect![[r#"
            error: this fault has no trigger
             --> x.toml:3:1
              |
            3 | [[fault]]
              | ^^^^^^^^^ expected one of `at`, `when`, `after_effect`
        "#]],
    );
}

#[test]
fn a_fault_that_does_not_say_what() {
    beb(
        r#"[[fault]]
at = "1s"
in_flight = "keep"
"#,
        expect![[r#"
            error: this fault has no action
             --> x.toml:3:1
              |
            3 | [[fault]]
              | ^^^^^^^^^
              |
              = note: expected one of `start`, `crash`, `exception`, `pause`, `resume`, `byzantine`,
                      `wrong_value`, `state_corruption`, `jump`, `partition`, `send_omission`,
                      `receive_omission`, `late`, `loss`, `duplicate`, `delay`, `reorder`, `replay`,
                      `corrupt`, `bandwidth`, `clog`, `slow`, `sync_fails`, `slow_sync`, `full`,
                      `skew`, `drift`, `freeze`, `corrupt_record`, `lose_disk`, `rollback`, `heal`
        "#]],
    );
}

#[test]
fn a_fault_that_says_too_much() {
    beb(
        r#"[[fault]]
at = "1s"
after_effect = { process = "p0", nth = 0 }
crash = "p1"
pause = "p1"
"#,
        expect![[r#"
            error: this fault has two triggers: `at` and `after_effect`
             --> x.toml:5:1
              |
            5 | after_effect = { process = "p0", nth = 0 }
              | ^^^^^^^^^^^^
              |
            help: write two faults

            error: this fault has two actions: `crash` and `pause`
             --> x.toml:7:1
              |
            7 | pause = "p1"
              | ^^^^^
              |
            help: write two faults
        "#]],
    );
}

#[test]
fn keys_of_another_fault() {
    beb(
        r#"[[fault]]
after_effect = { process = "p0", nth = 0 }
pause = "p1"
duration = "1s"
"#,
        expect![[r#"
            error: counting begins at 1
             --> x.toml:4:40
              |
            4 | after_effect = { process = "p0", nth = 0 }
              |                                        ^

            error: `duration` does not apply to `pause`
             --> x.toml:6:1
              |
            6 | duration = "1s"
              | ^^^^^^^^
              |
            help: write `resume_after` for a pause that ends
        "#]],
    );
}

#[test]
fn a_fault_on_nobody() {
    beb(
        r#"[[fault]]
at = "1s"
crash = []
"#,
        expect![[r#"
            error: no process is named here
             --> x.toml:5:9
              |
            5 | crash = []
              |         ^^
        "#]],
    );
}

#[test]
fn a_healing_that_is_none() {
    beb(
        r#"[[fault]]
at = "1s"
heal = false
"#,
        expect![[r#"
            error: `heal = false` does nothing
             --> x.toml:5:8
              |
            5 | heal = false
              |        ^^^^^
        "#]],
    );
}

#[test]
fn lies_that_cannot_be() {
    idle(
        r#"[[fault]]
at = "0s"
byzantine = "p9"
behaviour = { withhold = ["wurker"] }
[[fault]]
at = "0s"
crash = "p0"
behaviour = "silent"
[[fault]]
at = "0s"
byzantine = "p0"
resume_after = "1s"
"#,
        expect![[r#"
            error: there is no process p9
             --> x.toml:5:13
              |
            5 | byzantine = "p9"
              |             ^^^^ processes are p0 to p3

            error: unknown process `wurker`
             --> x.toml:6:27
              |
            6 | behaviour = { withhold = ["wurker"] }
              |                           ^^^^^^^^ expected p0 to p3, a role, or "all"
              |
            help: did you mean `worker`?

            error: `behaviour` belongs to `byzantine`, this fault is a `crash`
              --> x.toml:10:1
               |
            10 | behaviour = "silent"
               | ^^^^^^^^^

            error: `resume_after` belongs to `pause`, this fault is a `byzantine`
              --> x.toml:14:1
               |
            14 | resume_after = "1s"
               | ^^^^^^^^^^^^
        "#]],
    );
    idle(
        "[[fault]]\nat = \"0s\"\nbyzantine = \"p0\"\nbehaviour = \"equivocat\"",
        expect![[r#"
            error: unknown variant `equivocat`
             --> x.toml:6:13
              |
            6 | behaviour = "equivocat"
              |             ^^^^^^^^^^^
              |
              = note: expected one of `silent`, `withhold`, `delay`, `equivocate`, `mutate`,
                      `replay`, `collude`, `twins`, `custom`, `random`
            help: did you mean `equivocate`?
        "#]],
    );
}
