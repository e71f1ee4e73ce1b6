//! Guards what is said of faults that are drawn.

use expect_test::expect;

use super::{beb, idle};

#[test]
fn what_cannot_be_drawn() {
    beb(
        r#"[random]
max_faulty = 4
pause = { count = "10001", between = "50s..70s", duration = "1s" }
partition = { count = 1, between = "0s..60s", shape = "halves", duration = "1s" }
[random.crash]
count = "0..2"
between = "0s..2s"
recover_after = "100ms..1s"
target = "p3"
"#,
        expect![[r#"
            error: 4 faulty processes of 3
             --> x.toml:4:14
              |
            4 | max_faulty = 4
              |              ^ expected 0 to 3

            error: a count of 10001 is too large
             --> x.toml:5:19
              |
            5 | pause = { count = "10001", between = "50s..70s", duration = "1s" }
              |                   ^^^^^^^ expected at most 10000

            error: this window ends after the horizon (60s)
             --> x.toml:5:38
              |
            5 | pause = { count = "10001", between = "50s..70s", duration = "1s" }
              |                                      ^^^^^^^^^^

            error: the last fault could end at 61s, after the horizon (60s)
             --> x.toml:6:76
              |
            6 | partition = { count = 1, between = "0s..60s", shape = "halves", duration = "1s" }
              |                                                                            ^^^^

            error: processes of this protocol do not recover
              --> x.toml:10:1
               |
            10 | recover_after = "100ms..1s"
               | ^^^^^^^^^^^^^
               |
               = note: in its model a process that crashes stays down (crash-stop)
            help: leave out `recover_after`

            error: there is no process p3
              --> x.toml:11:10
               |
            11 | target = "p3"
               |          ^^^^ processes are p0 to p2
        "#]],
    );
    beb(
        r#"[network]
stabilise_at = "5s"
[random]
pause = { count = 1, between = "0s..1s", duration = "1s" }
partition = { count = 1, between = "0s..5s", shape = "halves", duration = "1s" }
"#,
        expect![[r#"
            error: `max_faulty` is missing
             --> x.toml:5:1
              |
            5 | [random]
              | ^^^^^^^^
              |
            help: write max_faulty = 1

            error: a `partition` could last until 6s
             --> x.toml:7:36
              |
            7 | partition = { count = 1, between = "0s..5s", shape = "halves", duration = "1s" }
              |                                    ^^^^^^^^ the network stabilises at 5s
        "#]],
    );
    idle(
        "[random]\nswarm = true\n",
        expect![[r#"
            error: `[random]` draws no faults
             --> x.toml:3:1
              |
            3 | [random]
              | ^^^^^^^^
              |
              = note: expected one of `crash`, `exception`, `start`, `pause`, `byzantine`,
                      `state_corruption`, `partition`, `loss`, `duplicate`, `delay`, `late`,
                      `reorder`, `replay`, `corrupt`, `bandwidth`, `clog`, `send_omission`,
                      `receive_omission`, `slow`, `sync_fails`, `slow_sync`, `full`,
                      `corrupt_record`, `lose_disk`, `rollback`, `skew`, `drift`, `jump`, `freeze`,
                      `crash_points`
        "#]],
    );
    idle(
        "[random]\nmax_faulty = 1\ncrash = { count = \"2..1\", between = \"0s..1s\" }\n",
        expect![[r#"
            error: "2..1" is an empty range: its first number is the larger one
             --> x.toml:5:19
              |
            5 | crash = { count = "2..1", between = "0s..1s" }
              |                   ^^^^^^
        "#]],
    );
}

#[test]
fn crash_points_beside_something_else() {
    beb(
        r#"[random]
crash_points = "every"
recover_after = "1s"
max_faulty = 1
swarm = true
"#,
        expect![[r#"
            error: processes of this protocol do not recover
             --> x.toml:5:1
              |
            5 | recover_after = "1s"
              | ^^^^^^^^^^^^^
              |
              = note: in its model a process that crashes stays down (crash-stop)
            help: leave out `recover_after`

            error: `max_faulty` cannot be combined with `crash_points`
             --> x.toml:6:1
              |
            6 | max_faulty = 1
              | ^^^^^^^^^^ with `crash_points`, no faults are drawn

            error: `swarm` cannot be combined with `crash_points`
             --> x.toml:7:1
              |
            7 | swarm = true
              | ^^^^^ with `crash_points`, no faults are drawn
        "#]],
    );
    idle(
        r#"[random]
recover_after = "1s"
"#,
        expect![[r#"
            error: `[random]` draws no faults
             --> x.toml:3:1
              |
            3 | [random]
              | ^^^^^^^^
              |
              = note: expected one of `crash`, `exception`, `start`, `pause`, `byzantine`,
                      `state_corruption`, `partition`, `loss`, `duplicate`, `delay`, `late`,
                      `reorder`, `replay`, `corrupt`, `bandwidth`, `clog`, `send_omission`,
                      `receive_omission`, `slow`, `sync_fails`, `slow_sync`, `full`,
                      `corrupt_record`, `lose_disk`, `rollback`, `skew`, `drift`, `jump`, `freeze`,
                      `crash_points`

            error: `recover_after` belongs to `crash_points`
             --> x.toml:4:1
              |
            4 | recover_after = "1s"
              | ^^^^^^^^^^^^^
              |
            help: write crash = { …, recover_after = … }
        "#]],
    );
}

#[test]
fn a_detector_that_is_never_perfect() {
    beb(
        r#"[detector]
kind = "eventually-perfect"
mistakes_per_process = 2000
"#,
        expect![[r#"
            error: a detector that draws mistakes needs `mistake_duration`
             --> x.toml:3:1
              |
            3 | [detector]
              | ^^^^^^^^^^

            error: this detector makes mistakes until the network stabilises
             --> x.toml:4:8
              |
            4 | kind = "eventually-perfect"
              |        ^^^^^^^^^^^^^^^^^^^^
              |
            help: write stabilise_at = "…" in [network]
        "#]],
    );
}
