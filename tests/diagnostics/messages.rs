//! `[[message]]` and `[[mask]]`: what is wrong with them.

use expect_test::expect;

use super::{beb, idle};

#[test]
fn messages() {
    idle(
        r#"[[message]]
link = "p0 - p2"
drop = true
[[message]]
link = "p0 -> p9"
[[message]]
link = "p0 -> worker"
drop = true
[[message]]
link = "p1 -> p1"
delay = "1s"
[[message]]
link = "p0 -> p1"
nth = 0
delay = "61s"
[[message]]
link = "p0 -> p1"
drop = true
delay = "1s"
[[message]]
link = "p0 -> p1"
drop = false
[[message]]
link = "p0 -> p1"
drop = true
[[message]]
link = "p0 -> p1"
delay = "1s"
"#,
        expect![[r#"
            error: not a link
             --> x.toml:4:8
              |
            4 | link = "p0 - p2"
              |        ^^^^^^^^^ expected one such as "p0 -> p2"

            error: this override has no effect
             --> x.toml:6:1
              |
            6 | [[message]]
              | ^^^^^^^^^^^
              |
              = note: expected one of `drop`, `delay`, `duplicate`, `corrupt`, `replace`

            error: there is no process p9
             --> x.toml:7:8
              |
            7 | link = "p0 -> p9"
              |        ^^^^^^^^^^ processes are p0 to p3

            error: expected one process, `worker` names 3
             --> x.toml:9:8
              |
            9 | link = "p0 -> worker"
              |        ^^^^^^^^^^^^^^
              |
            help: write an id such as "p0"

            error: not a link: it leads from a process to itself
              --> x.toml:12:8
               |
            12 | link = "p1 -> p1"
               |        ^^^^^^^^^^
               |
            help: a process's messages to itself always arrive at once

            error: counting begins at 1
              --> x.toml:16:7
               |
            16 | nth = 0
               |       ^

            error: 61s is beyond the horizon (60s)
              --> x.toml:17:9
               |
            17 | delay = "61s"
               |         ^^^^^
               |
            help: write `drop = true` for a message that never arrives

            error: this override contradicts itself
              --> x.toml:21:1
               |
            21 | delay = "1s"
               | ^^^^^
               |
            help: leave one of them out

            error: `drop = false` does nothing
              --> x.toml:24:8
               |
            24 | drop = false
               |        ^^^^^

            error: there is already an override for this message
              --> x.toml:28:1
               |
            28 | [[message]]
               | ^^^^^^^^^^^
        "#]],
    );
}

#[test]
fn messages_that_are_changed() {
    beb(
        r#"[[message]]
link = "p0 -> p1"
corrupt = false
[[message]]
link = "p0 -> p1"
nth = 2
replace = { Dta = 3 }
[[message]]
link = "p0 -> p1"
nth = 3
replace = { Data = "three" }
[[message]]
link = "p0 -> p1"
nth = 4
replace = { Data = 3 }
corrupt = true
"#,
        expect![[r#"
            error: `corrupt = false` does nothing
             --> x.toml:5:11
              |
            5 | corrupt = false
              |           ^^^^^

            error: not a message of `beb`: unknown variant `Dta`
             --> x.toml:9:11
              |
            9 | replace = { Dta = 3 }
              |           ^^^^^^^^^^^ expected `Data`

            error: not a message of `beb`: invalid type: string "three"
              --> x.toml:13:11
               |
            13 | replace = { Data = "three" }
               |           ^^^^^^^^^^^^^^^^^^ expected a whole number, 0 or more

            error: this override contradicts itself
              --> x.toml:17:1
               |
            17 | replace = { Data = 3 }
               | ^^^^^^^
               |
            help: leave one of them out
        "#]],
    );
}

#[test]
fn what_arrives_can_say_several_things() {
    idle(
        r#"[[message]]
link = "p0 -> p1"
delay = "1s"
duplicate = "2s"
corrupt = true
[[message]]
link = "p0 -> p2"
corrupt = true
replace = { Data = 1 }
[[message]]
link = "p0 -> p3"
drop = true
corrupt = true
"#,
        expect![[r#"
            error: this override contradicts itself
              --> x.toml:11:1
               |
            11 | replace = { Data = 1 }
               | ^^^^^^^
               |
            help: leave one of them out

            error: this override contradicts itself
              --> x.toml:15:1
               |
            15 | corrupt = true
               | ^^^^^^^
               |
            help: leave one of them out
        "#]],
    );
}

#[test]
fn masks() {
    idle(
        r#"[[mask]]
process = "p9"
request = 1
[[mask]]
process = "p0"
request = 0
[[mask]]
process = "p1"
request = 2
[[mask]]
process = "p1"
request = 2
"#,
        expect![[r#"
            error: there is no process p9
             --> x.toml:4:11
              |
            4 | process = "p9"
              |           ^^^^ processes are p0 to p3

            error: counting begins at 1
             --> x.toml:8:11
              |
            8 | request = 0
              |           ^

            error: this request is already masked
              --> x.toml:12:1
               |
            12 | [[mask]]
               | ^^^^^^^^
        "#]],
    );
}
