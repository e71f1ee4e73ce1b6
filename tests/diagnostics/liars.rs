//! Guards what is said of lies that cannot be told.

use expect_test::expect;

use super::{beb, idle};

#[test]
fn unknown_adversaries_of_a_protocol() {
    idle(
        "[[fault]]\nat = \"0s\"\nbyzantine = \"p0\"\nbehaviour = { custom = \"gosip\" }",
        expect![[r#"
            error: unknown adversary of this protocol `gosip`
             --> x.toml:6:24
              |
            6 | behaviour = { custom = "gosip" }
              |                        ^^^^^^^ expected `gossip`
              |
            help: did you mean `gossip`?
        "#]],
    );
    beb(
        "[[fault]]\nat = \"0s\"\nbyzantine = \"p0\"\nbehaviour = { custom = \"gossip\" }",
        expect![[r#"
            error: unknown adversary of this protocol `gossip`
             --> x.toml:6:24
              |
            6 | behaviour = { custom = "gossip" }
              |                        ^^^^^^^^ there is no adversary of this protocol
        "#]],
    );
}

#[test]
fn collusion_with_who_does_not_collude() {
    idle(
        r#"[[fault]]
at = "0s"
byzantine = ["p0", "p1"]
behaviour = { collude = { with = ["p1", "p2"] } }
[[fault]]
at = "0s"
byzantine = "p2"
[[fault]]
at = "0s"
byzantine = "p3"
behaviour = { collude = { with = "p4" } }
"#,
        expect![[r#"
            error: p2 does not collude with p0
             --> x.toml:6:34
              |
            6 | behaviour = { collude = { with = ["p1", "p2"] } }
              |                                  ^^^^^^^^^^^^
              |
              = note: expected each of {p0 p1 p2} to collude with all the others
            help: name them all in one `byzantine`, or write a fault for each

            error: there is no process p4
              --> x.toml:13:34
               |
            13 | behaviour = { collude = { with = "p4" } }
               |                                  ^^^^ processes are p0 to p3
        "#]],
    );
}

#[test]
fn each_may_name_the_others() {
    idle(
        r#"[[fault]]
at = "0s"
byzantine = "p0"
behaviour = { collude = { with = ["p1", "p2"] } }
[[fault]]
at = "0s"
byzantine = ["p1", "p2"]
behaviour = { collude = { with = "p0" } }
"#,
        expect![[r#"
            no error
        "#]],
    );
}

#[test]
fn delays_and_wrong_values() {
    idle(
        r#"[[fault]]
at = "0s"
byzantine = "p0"
behaviour = { delay = "0ms" }
[[fault]]
at = "0s"
wrong_value = "p7"
behaviour = "silent"
"#,
        expect![[r#"
            error: a delay of 0ms does nothing
             --> x.toml:6:23
              |
            6 | behaviour = { delay = "0ms" }
              |                       ^^^^^

            error: there is no process p7
             --> x.toml:9:15
              |
            9 | wrong_value = "p7"
              |               ^^^^ processes are p0 to p3

            error: `behaviour` belongs to `byzantine`, this fault is a `wrong_value`
              --> x.toml:10:1
               |
            10 | behaviour = "silent"
               | ^^^^^^^^^
        "#]],
    );
}
