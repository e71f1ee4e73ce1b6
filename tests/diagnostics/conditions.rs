//! Guards what is said of faults that last, and of what a crash leaves.

use expect_test::expect;

use super::idle;

#[test]
fn conditions_of_nobody_and_of_nothing() {
    idle(
        r#"[[fault]]
at = "1s"
send_omission = { process = "p9", to = "wurker" }
[[fault]]
at = "1s"
duplicate = { probability = 2 }
[[fault]]
at = "1s"
receive_omission = { process = "p0", from = "p0" }
[[fault]]
at = "1s"
slow = { process = "p0", factor = 0 }
[[fault]]
at = "1s"
slow = { process = "p0", factor = 1001 }
[[fault]]
at = "1s"
late = { process = "p0", to = "p1", by = "0ms" }
[[fault]]
at = "1s"
rollback = { process = "p0", records = 0 }
"#,
        expect![[r#"
            error: there is no process p9
             --> x.toml:5:29
              |
            5 | send_omission = { process = "p9", to = "wurker" }
              |                             ^^^^ processes are p0 to p3

            error: unknown process `wurker`
             --> x.toml:5:40
              |
            5 | send_omission = { process = "p9", to = "wurker" }
              |                                        ^^^^^^^^ expected p0 to p3, a role, or "all"
              |
            help: did you mean `worker`?

            error: 2 is not a probability
             --> x.toml:8:29
              |
            8 | duplicate = { probability = 2 }
              |                             ^ expected a number in 0..=1

            error: not a link: it leads from a process to itself
              --> x.toml:11:20
               |
            11 | receive_omission = { process = "p0", from = "p0" }
               |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
               |
            help: a process's messages to itself always arrive at once

            error: a factor of 0 is out of range
              --> x.toml:14:35
               |
            14 | slow = { process = "p0", factor = 0 }
               |                                   ^ expected 1 to 1000

            error: a factor of 1001 is out of range
              --> x.toml:17:35
               |
            17 | slow = { process = "p0", factor = 1001 }
               |                                   ^^^^ expected 1 to 1000

            error: `process` already selects these messages
              --> x.toml:20:26
               |
            20 | late = { process = "p0", to = "p1", by = "0ms" }
               |                          ^^
               |
            help: leave out `process` or `to`

            error: a fault of 0ms does nothing
              --> x.toml:20:42
               |
            20 | late = { process = "p0", to = "p1", by = "0ms" }
               |                                          ^^^^^

            error: a rollback of 0 records does nothing
              --> x.toml:23:40
               |
            23 | rollback = { process = "p0", records = 0 }
               |                                        ^
        "#]],
    );
}

#[test]
fn unknown_keys_of_a_condition() {
    idle(
        r#"[[fault]]
at = "1s"
loss = { from = "p0", probabilty = 0.5 }
"#,
        expect![[r#"
            error: unknown field `probabilty`
             --> x.toml:5:23
              |
            5 | loss = { from = "p0", probabilty = 0.5 }
              |                       ^^^^^^^^^^ expected one of `from`, `to`, `probability`
              |
            help: did you mean `probability`?
        "#]],
    );
}

#[test]
fn how_long_a_fault_cannot_last() {
    idle(
        r#"[run]
horizon = "10s"
[[fault]]
at = "1s"
clog = {}
period = "1s"
on = "1s"
[[fault]]
at = "1s"
sync_fails = "p0"
period = "1s"
[[fault]]
at = "1s"
full = "p0"
on = "1s"
[[fault]]
at = "9s"
full = "p0"
period = "2s"
on = "1s"
[[fault]]
at = "9s"
full = "p0"
duration = "2s"
[[fault]]
at = "1s"
full = "p0"
duration = "2s"
period = "3s"
[[fault]]
at = "1s"
crash = "p0"
duration = "2s"
[[fault]]
at = "1s"
lose_disk = "p0"
duration = "2s"
"#,
        expect![[r#"
            error: it lasts for 1s in each 1s: all the time
             --> x.toml:9:6
              |
            9 | on = "1s"
              |      ^^^^
              |
            help: leave out `period` and `on` for a fault that lasts

            error: `period` needs `on`: how long it lasts each time
              --> x.toml:13:1
               |
            13 | period = "1s"
               | ^^^^^^

            error: `on` needs `period`: how often it comes
              --> x.toml:17:1
               |
            17 | on = "1s"
               | ^^

            error: this recurs at 11s, after the horizon (10s)
              --> x.toml:21:10
               |
            21 | period = "2s"
               |          ^^^^
               |
            help: write `duration` for a fault that comes once

            error: this ends at 11s, after the horizon (10s)
              --> x.toml:26:12
               |
            26 | duration = "2s"
               |            ^^^^
               |
            help: leave out `duration` for a fault that lasts, or move the horizon

            error: `duration` and `period` both set how long this fault lasts
              --> x.toml:31:1
               |
            31 | period = "3s"
               | ^^^^^^
               |
            help: write `duration` for once, `period` and `on` for again and again

            error: `duration` does not apply to `crash`
              --> x.toml:35:1
               |
            35 | duration = "2s"
               | ^^^^^^^^
               |
            help: write `recover_after` for a crash that ends

            error: `duration` does not apply to `lose_disk`
              --> x.toml:39:1
               |
            39 | duration = "2s"
               | ^^^^^^^^
        "#]],
    );
}

#[test]
fn what_a_crash_says_twice_of_a_log() {
    idle(
        r#"[[fault]]
at = "1s"
crash = "p0"
on_crash = "keep-all"
amnesia = true
[[fault]]
at = "1s"
crash = "p0"
amnesia = false
[[fault]]
at = "1s"
pause = "p0"
on_crash = "keep-all"
"#,
        expect![[r#"
            error: `on_crash` and `amnesia` both set what this crash leaves of the log
             --> x.toml:7:1
              |
            7 | amnesia = true
              | ^^^^^^^
              |
            help: `amnesia = true` is `on_crash = "lose-all"`: leave out one of them

            error: `amnesia = false` does nothing
              --> x.toml:11:11
               |
            11 | amnesia = false
               |           ^^^^^

            error: `on_crash` belongs to `crash`, this fault is a `pause`
              --> x.toml:15:1
               |
            15 | on_crash = "keep-all"
               | ^^^^^^^^
        "#]],
    );
}

#[test]
fn conditions_of_a_stable_network() {
    idle(
        r#"[network]
stabilise_at = "5s"
[[fault]]
at = "6s"
loss = { probability = 0.5 }
[[fault]]
at = "4s"
slow = { process = "p0", factor = 2 }
duration = "2s"
[[fault]]
at = "6s"
slow = { process = "p0", factor = 2 }
"#,
        expect![[r#"
            error: a `loss` after the network has stabilised
             --> x.toml:6:6
              |
            6 | at = "6s"
              |      ^^^^ the network stabilises at 5s

            error: this `slow` lasts until 6s
              --> x.toml:11:12
               |
            11 | duration = "2s"
               |            ^^^^ the network stabilises at 5s
               |
            help: leave out `duration`: faults of links end when the network stabilises
        "#]],
    );
}
