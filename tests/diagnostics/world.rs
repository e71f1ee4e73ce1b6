//! Guards what is said of detectors, clocks, limits and expectations.

use expect_test::expect;

use super::{beb, idle};

#[test]
fn a_detector_that_is_not_there() {
    beb(
        r#"[detector]
delay = "1ms"
blind = [{ observer = "p0", to = "p1" }]
"#,
        expect![[r#"
            error: `delay` of a detector that is not there
             --> x.toml:4:1
              |
            4 | delay = "1ms"
              | ^^^^^
              |
            help: write kind = "perfect" in [detector]

            error: `blind` of a detector that is not there
             --> x.toml:5:1
              |
            5 | blind = [{ observer = "p0", to = "p1" }]
              | ^^^^^
              |
            help: write kind = "perfect" in [detector]
        "#]],
    );
}

#[test]
fn mistakes() {
    beb(
        r#"[detector]
kind = "perfect"
mistakes = [{ observer = "p0", suspects = "p0", at = "2ms", until = "1ms" }]
"#,
        expect![[r#"
            error: no process suspects itself
             --> x.toml:5:43
              |
            5 | mistakes = [{ observer = "p0", suspects = "p0", at = "2ms", until = "1ms" }]
              |                                           ^^^^

            error: the mistake begins later, at 2ms
             --> x.toml:5:69
              |
            5 | mistakes = [{ observer = "p0", suspects = "p0", at = "2ms", until = "1ms" }]
              |                                                                     ^^^^^
        "#]],
    );
}

#[test]
fn drifts() {
    beb(
        r#"[clocks]
drift = "-1000000ppm..2000000ppm"
"#,
        expect![[r#"
            error: no clock drifts that much
             --> x.toml:4:9
              |
            4 | drift = "-1000000ppm..2000000ppm"
              |         ^^^^^^^^^^^^^^^^^^^^^^^^^ expected -999999ppm to 1000000ppm
        "#]],
    );
}

#[test]
fn a_drift_without_a_unit() {
    beb(
        r#"[clocks]
drift = "50"
"#,
        expect![[r#"
            error: expected a drift such as "50ppm" or "-50ppm..50ppm", found "50"
             --> x.toml:4:9
              |
            4 | drift = "50"
              |         ^^^^
        "#]],
    );
}

#[test]
fn limits() {
    beb(
        r#"[run]
seeds = 0
horizon = "9000h"
max_events = 2_000_000_000
max_pending = 0
"#,
        expect![[r#"
            error: 0 is out of range
             --> x.toml:4:9
              |
            4 | seeds = 0
              |         ^ expected at least 1

            error: a horizon of 32400000s is too far
             --> x.toml:5:11
              |
            5 | horizon = "9000h"
              |           ^^^^^^^ expected at most a year (31536000s)

            error: 2000000000 is out of range
             --> x.toml:6:14
              |
            6 | max_events = 2_000_000_000
              |              ^^^^^^^^^^^^^ expected 1 to 1000000000

            error: 0 is out of range
             --> x.toml:7:15
              |
            7 | max_pending = 0
              |               ^ expected 1 to 10000000
        "#]],
    );
}

#[test]
fn a_negative_count() {
    beb(
        "[run]\nseeds = -5\n",
        expect![[r#"
        error: invalid value: integer `-5`
         --> x.toml:4:9
          |
        4 | seeds = -5
          |         ^^ expected a whole number, 0 or more
    "#]],
    );
}

#[test]
fn a_count_that_is_no_integer() {
    beb(
        "[run]\nmax_events = 1e6\n",
        expect![[r#"
        error: invalid type: floating point `1000000.0`
         --> x.toml:4:14
          |
        4 | max_events = 1e6
          |              ^^^ expected a whole number, 0 or more
    "#]],
    );
}

#[test]
fn expectations() {
    beb(
        r#"[expect]
violated = ["rb.agreement", "rb.no-creation", "rb.no-creation"]
vacuous = ["rb.no-creation", "rb.nocreation"]
reached = ["x", "x"]
"#,
        expect![[r#"
            error: `rb.agreement` is not checked here
             --> x.toml:4:13
              |
            4 | violated = ["rb.agreement", "rb.no-creation", "rb.no-creation"]
              |             ^^^^^^^^^^^^^^ `beb` does not claim it
              |
            help: write check = ["rb.agreement"] at the top of the scenario

            error: `rb.no-creation` is listed twice
             --> x.toml:4:47
              |
            4 | violated = ["rb.agreement", "rb.no-creation", "rb.no-creation"]
              |                                               ^^^^^^^^^^^^^^^^

            error: a violation is not vacuous
             --> x.toml:5:12
              |
            5 | vacuous = ["rb.no-creation", "rb.nocreation"]
              |            ^^^^^^^^^^^^^^^^ `rb.no-creation` is expected to be violated too

            error: unknown property `rb.nocreation`
             --> x.toml:5:30
              |
            5 | vacuous = ["rb.no-creation", "rb.nocreation"]
              |                              ^^^^^^^^^^^^^^^
              |
              = note: expected one of `beb.validity`, `rb.validity`, `rb.no-duplication`,
                      `rb.no-creation`, `rb.agreement`, `rb.uniform-agreement`, `bc.fifo`,
                      `bc.causal`, `bc.total-order`, `bc.uniform-total-order`, `rep.prefix`
            help: did you mean `rb.no-creation`?

            error: `x` is listed twice
             --> x.toml:6:17
              |
            6 | reached = ["x", "x"]
              |                 ^^^
        "#]],
    );
}

#[test]
fn what_is_expected_to_be_undecided() {
    beb(
        r#"[expect]
vacuous = ["rb.validity"]
undecided = ["rb.agreement", "rb.validity", "rb.validity", "rb.vlidity"]
"#,
        expect![[r#"
            error: what is vacuous is not undecided
             --> x.toml:4:12
              |
            4 | vacuous = ["rb.validity"]
              |            ^^^^^^^^^^^^^ `rb.validity` is expected to be undecided too

            error: `rb.agreement` is not checked here
             --> x.toml:5:14
              |
            5 | undecided = ["rb.agreement", "rb.validity", "rb.validity", "rb.vlidity"]
              |              ^^^^^^^^^^^^^^ `beb` does not claim it
              |
            help: write check = ["rb.agreement"] at the top of the scenario

            error: `rb.validity` is listed twice
             --> x.toml:5:45
              |
            5 | undecided = ["rb.agreement", "rb.validity", "rb.validity", "rb.vlidity"]
              |                                             ^^^^^^^^^^^^^

            error: unknown property `rb.vlidity`
             --> x.toml:5:60
              |
            5 | undecided = ["rb.agreement", "rb.validity", "rb.validity", "rb.vlidity"]
              |                                                            ^^^^^^^^^^^^
              |
              = note: expected one of `beb.validity`, `rb.validity`, `rb.no-duplication`,
                      `rb.no-creation`, `rb.agreement`, `rb.uniform-agreement`, `bc.fifo`,
                      `bc.causal`, `bc.total-order`, `bc.uniform-total-order`, `rep.prefix`
            help: did you mean `rb.validity`?
        "#]],
    );
}

#[test]
fn notices_that_cannot_be() {
    idle(
        r#"[detector]
kind = "perfect"
[[detector.notice]]
observer = "p0"
of = "p9"
delay = "1ms"
[[detector.notice]]
observer = "p0"
of = "p1"
nth = 0
delay = "1ms"
"#,
        expect![[r#"
            error: there is no process p9
             --> x.toml:7:6
              |
            7 | of = "p9"
              |      ^^^^ processes are p0 to p3

            error: counting begins at 1
              --> x.toml:12:7
               |
            12 | nth = 0
               |       ^
        "#]],
    );
}
