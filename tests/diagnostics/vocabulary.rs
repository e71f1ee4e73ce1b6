//! Guards what is said of faults of clocks, of the content of messages, and of who is struck.

use expect_test::expect;

use super::{beb, floodset, idle};

#[test]
fn clocks_that_cannot_be() {
    idle(
        r#"[[fault]]
at = "1s"
skew = { process = "p0" }
[[fault]]
at = "1s"
jump = { process = "p0", ahead = "1s", behind = "1s" }
[[fault]]
at = "1s"
skew = { process = "p0", ahead = "0ms" }
[[fault]]
at = "1s"
drift = { process = "p0", by = "-5ppm..5ppm" }
[[fault]]
at = "1s"
drift = { process = "p0", by = "2000000ppm" }
[[fault]]
at = "1s"
jump = { process = "p0", ahead = "1s" }
duration = "1s"
"#,
        expect![[r#"
            error: the size of the shift is missing
             --> x.toml:5:8
              |
            5 | skew = { process = "p0" }
              |        ^^^^^^^^^^^^^^^^^^ expected `ahead` or `behind`

            error: a clock is either ahead or behind
             --> x.toml:8:40
              |
            8 | jump = { process = "p0", ahead = "1s", behind = "1s" }
              |                                        ^^^^^^

            error: a fault of 0ms does nothing
              --> x.toml:11:34
               |
            11 | skew = { process = "p0", ahead = "0ms" }
               |                                  ^^^^^

            error: expected one drift, found a range
              --> x.toml:14:32
               |
            14 | drift = { process = "p0", by = "-5ppm..5ppm" }
               |                                ^^^^^^^^^^^^^

            error: this drift is out of range
              --> x.toml:17:32
               |
            17 | drift = { process = "p0", by = "2000000ppm" }
               |                                ^^^^^^^^^^^^ expected -999999ppm to 1000000ppm

            error: `duration` does not apply to `jump`
              --> x.toml:21:1
               |
            21 | duration = "1s"
               | ^^^^^^^^
        "#]],
    );
}

#[test]
fn links_that_cannot_be() {
    beb(
        r#"[network]
bandwidth = "1Mb"
"#,
        expect![[r#"
            error: expected a rate such as "1MB/s" (B/s, kB/s, MB/s, GB/s), found "1Mb"
             --> x.toml:4:13
              |
            4 | bandwidth = "1Mb"
              |             ^^^^^
        "#]],
    );
    beb(
        r#"[[fault]]
at = "1s"
delay = { by = "0ms" }
[[fault]]
at = "1s"
reorder = { within = "0ms" }
[[fault]]
at = "1s"
corrupt = { probability = 1.5 }
[[fault]]
at = "1s"
partition = { shape = "bridge", process = ["p0", "p1"] }
[[fault]]
at = "1s"
partition = { shape = "ring-of-majorities" }
[[fault]]
at = "1s"
partition = { shape = "isolate", process = "minority" }
"#,
        expect![[r#"
            error: a fault of 0ms does nothing
             --> x.toml:5:16
              |
            5 | delay = { by = "0ms" }
              |                ^^^^^

            error: a fault of 0ms does nothing
             --> x.toml:8:22
              |
            8 | reorder = { within = "0ms" }
              |                      ^^^^^

            error: 1.5 is not a probability
              --> x.toml:11:27
               |
            11 | corrupt = { probability = 1.5 }
               |                           ^^^ expected a number in 0..=1

            error: too few others for two sides
              --> x.toml:14:43
               |
            14 | partition = { shape = "bridge", process = ["p0", "p1"] }
               |                                           ^^^^^^^^^^^^

            error: in a ring of 3 processes each hears all
              --> x.toml:17:23
               |
            17 | partition = { shape = "ring-of-majorities" }
               |                       ^^^^^^^^^^^^^^^^^^^^ expected at least 4 processes

            error: a minority cannot be isolated one by one
              --> x.toml:20:44
               |
            20 | partition = { shape = "isolate", process = "minority" }
               |                                            ^^^^^^^^^^
               |
            help: write shape = "halves", or partition = { … } in [random]
        "#]],
    );
}

#[test]
fn delays_beyond_the_bound_of_a_synchronous_protocol() {
    floodset(
        r#"[network]
delay = "1ms..20ms"
bound = "10ms"
[[network.link]]
from = "p0"
to = "p1"
delay = "30ms"
[[fault]]
at = "1s"
delay = { by = "5ms" }
"#,
        expect![[r#"
            error: messages could take 20ms
             --> x.toml:4:9
              |
            4 | delay = "1ms..20ms"
              |         ^^^^^^^^^^^ the protocol is synchronous, with a bound of 10ms
              |
            help: write a [[fault]] with `late` for messages that break the bound

            error: messages could take 30ms
             --> x.toml:9:9
              |
            9 | delay = "30ms"
              |         ^^^^^^ the protocol is synchronous, with a bound of 10ms
              |
            help: write a [[fault]] with `late` for messages that break the bound

            error: messages could take 25ms
              --> x.toml:12:16
               |
            12 | delay = { by = "5ms" }
               |                ^^^^^ the protocol is synchronous, with a bound of 10ms
               |
            help: write `late` for messages that break the bound
        "#]],
    );
}

#[test]
fn nobody_to_choose() {
    beb(
        r#"[[fault]]
at = "1s"
crash = "leader"
[[fault]]
at = "1s"
crash = ["any"]
[[fault]]
at = "1s"
state_corruption = "any"
"#,
        expect![[r#"
            error: processes of this protocol do not announce a leader
             --> x.toml:3:1
              |
            3 | [[fault]]
              | ^^^^^^^^^
              |
            help: write "any" for a process that each seed draws

            error: unknown process `any`
             --> x.toml:8:10
              |
            8 | crash = ["any"]
              |          ^^^^^ expected p0 to p2, a role, or "all"

            error: this protocol defines no state corruption
              --> x.toml:11:1
               |
            11 | state_corruption = "any"
               | ^^^^^^^^^^^^^^^^ its state cannot be corrupted
        "#]],
    );
}

#[test]
fn fates_that_cannot_be_shared() {
    beb(
        r#"fate_sharing = [["p0", "p1"], ["p1", "p2"], ["p0"], ["p9"]]
"#,
        expect![[r#"
            error: p1 is already in another group
             --> x.toml:3:31
              |
            3 | fate_sharing = [["p0", "p1"], ["p1", "p2"], ["p0"], ["p9"]]
              |                               ^^^^^^^^^^^^

            error: p0 is already in another group
             --> x.toml:3:45
              |
            3 | fate_sharing = [["p0", "p1"], ["p1", "p2"], ["p0"], ["p9"]]
              |                                             ^^^^^^

            error: a group needs at least two processes
             --> x.toml:3:45
              |
            3 | fate_sharing = [["p0", "p1"], ["p1", "p2"], ["p0"], ["p9"]]
              |                                             ^^^^^^

            error: there is no process p9
             --> x.toml:3:54
              |
            3 | fate_sharing = [["p0", "p1"], ["p1", "p2"], ["p0"], ["p9"]]
              |                                                      ^^^^ processes are p0 to p2
        "#]],
    );
}

#[test]
fn partitions_in_an_order_of_their_own() {
    idle(
        r#"[[fault]]
at = "1s"
partition = { shape = "bridge", groups = [["p0"]] }
[[fault]]
at = "1s"
partition = { shape = "bridge", groups = [["p0"], ["p1"]], process = "p2" }
[[fault]]
at = "1s"
partition = { shape = "ring-of-majorities", ring = ["p1", "p0"] }
[[fault]]
at = "1s"
partition = { shape = "halves", ring = ["p1", "p0"] }
"#,
        expect![[r#"
            error: a bridge has two sides
             --> x.toml:5:42
              |
            5 | partition = { shape = "bridge", groups = [["p0"]] }
              |                                          ^^^^^^^^

            error: `process` does not apply to the shape `bridge`
             --> x.toml:8:60
              |
            8 | partition = { shape = "bridge", groups = [["p0"], ["p1"]], process = "p2" }
              |                                                            ^^^^^^^

            error: a ring names every process once
              --> x.toml:11:52
               |
            11 | partition = { shape = "ring-of-majorities", ring = ["p1", "p0"] }
               |                                                    ^^^^^^^^^^^^

            error: `ring` does not apply to the shape `halves`
              --> x.toml:14:33
               |
            14 | partition = { shape = "halves", ring = ["p1", "p0"] }
               |                                 ^^^^
        "#]],
    );
}

#[test]
fn marks_that_are_none() {
    beb(
        r#"[repro]
seed = 1
digest = "74d81c92e35b0520"
engine = "0.1.0"
violated = []
marks_every = 1
marks = "12fx"
"#,
        expect![[r#"
            error: these marks are invalid
             --> x.toml:9:9
              |
            9 | marks = "12fx"
              |         ^^^^^^ expected hex digits
        "#]],
    );
}
