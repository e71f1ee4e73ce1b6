//! Guards what is said of delays, probabilities and links.

use expect_test::expect;

use super::beb;

#[test]
fn delays() {
    beb(
        r#"[network]
delay = "10ms..1ms"
"#,
        expect![[r#"
            error: "10ms..1ms" is an empty range: its first duration is the longer one
             --> x.toml:4:9
              |
            4 | delay = "10ms..1ms"
              |         ^^^^^^^^^^^
        "#]],
    );
}

#[test]
fn delay_without_a_unit() {
    beb(
        "[network]\ndelay = 5\n",
        expect![[r#"
            error: invalid type: integer `5`
             --> x.toml:4:9
              |
            4 | delay = 5
              |         ^
              |
              = note: expected a delay such as "1ms..10ms" or { exponential = "5ms" }
        "#]],
    );
}

#[test]
fn delay_with_an_unknown_unit() {
    beb(
        r#"[network]
delay = "5 parsecs"
"#,
        expect![[r#"
            error: unknown unit "parsecs": expected ns, us, ms, s, m or h
             --> x.toml:4:9
              |
            4 | delay = "5 parsecs"
              |         ^^^^^^^^^^^
        "#]],
    );
}

#[test]
fn delay_without_a_shape() {
    beb(
        r#"[network]
delay = { cap = "1s" }
"#,
        expect![[r#"
            error: this delay has no shape
             --> x.toml:4:9
              |
            4 | delay = { cap = "1s" }
              |         ^^^^^^^^^^^^^^
              |
              = note: expected one of `exponential`, `normal`, `log_normal`, `pareto`, `empirical`
        "#]],
    );
}

#[test]
fn delay_with_two_shapes() {
    beb(
        r#"[network]
delay = { exponential = "1ms", normal = "2ms" }
"#,
        expect![[r#"
            error: this delay has two shapes, `exponential` and `normal`
             --> x.toml:4:32
              |
            4 | delay = { exponential = "1ms", normal = "2ms" }
              |                                ^^^^^^
              |
            help: leave one of them out
        "#]],
    );
}

#[test]
fn delay_without_its_parameter() {
    beb(
        r#"[network]
delay = { normal = "2ms", alpha = 2.0 }
"#,
        expect![[r#"
            error: `normal` needs a `deviation`
             --> x.toml:4:9
              |
            4 | delay = { normal = "2ms", alpha = 2.0 }
              |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

            error: `alpha` does not apply to `normal`
             --> x.toml:4:27
              |
            4 | delay = { normal = "2ms", alpha = 2.0 }
              |                           ^^^^^
        "#]],
    );
}

#[test]
fn delay_with_a_cap_below_its_mean() {
    beb(
        r#"[network]
delay = { exponential = "2s", cap = "1s" }
"#,
        expect![[r#"
            error: the cap (1s) is shorter than `exponential` (2s)
             --> x.toml:4:37
              |
            4 | delay = { exponential = "2s", cap = "1s" }
              |                                     ^^^^
        "#]],
    );
}

#[test]
fn delay_that_is_a_table_and_misspelt() {
    beb(
        r#"[network]
delay = { exponental = "2s" }
"#,
        expect![[r#"
            error: unknown field `exponental`
             --> x.toml:4:11
              |
            4 | delay = { exponental = "2s" }
              |           ^^^^^^^^^^
              |
              = note: expected one of `exponential`, `normal`, `log_normal`, `pareto`, `empirical`,
                      `deviation`, `sigma`, `alpha`, `cap`
            help: did you mean `exponential`?
        "#]],
    );
}

#[test]
fn delay_with_bad_numbers() {
    beb(
        r#"[network]
delay = { pareto = "0ms", alpha = -1.0 }
"#,
        expect![[r#"
            error: `pareto` needs a duration above 0
             --> x.toml:4:20
              |
            4 | delay = { pareto = "0ms", alpha = -1.0 }
              |                    ^^^^^
              |
            help: write "0ms" for no delay

            error: `alpha` must be more than 0
             --> x.toml:4:35
              |
            4 | delay = { pareto = "0ms", alpha = -1.0 }
              |                                   ^^^^
        "#]],
    );
}

#[test]
fn quantiles_that_do_not_ascend() {
    beb(
        r#"[network]
delay = { empirical = [[0.5, "5ms"], [0.4, "6ms"], [1.0, "7ms"]] }
"#,
        expect![[r#"
            error: quantiles and delays must ascend
             --> x.toml:4:38
              |
            4 | delay = { empirical = [[0.5, "5ms"], [0.4, "6ms"], [1.0, "7ms"]] }
              |                                      ^^^^^^^^^^^^ not greater than the previous pair
        "#]],
    );
}

#[test]
fn quantiles_that_do_not_end() {
    beb(
        r#"[network]
delay = { empirical = [[0.5, "5ms"], [0.9, "6ms"]] }
"#,
        expect![[r#"
            error: the last quantile must be 1
             --> x.toml:4:38
              |
            4 | delay = { empirical = [[0.5, "5ms"], [0.9, "6ms"]] }
              |                                      ^^^^^^^^^^^^
        "#]],
    );
}

#[test]
fn no_quantiles() {
    beb(
        "[network]\ndelay = { empirical = [] }\n",
        expect![[r#"
        error: the last quantile must be 1
         --> x.toml:4:23
          |
        4 | delay = { empirical = [] }
          |                       ^^
    "#]],
    );
}

#[test]
fn probabilities() {
    beb(
        r#"[network]
loss = 1.5
duplicate = -0.1
[[network.link]]
from = "p0"
to = "p1"
loss = { burst = { enter = 2, leave = 0.5, loss = 0.5 } }
"#,
        expect![[r#"
            error: 1.5 is not a probability
             --> x.toml:4:8
              |
            4 | loss = 1.5
              |        ^^^ expected a number in 0..=1

            error: -0.1 is not a probability
             --> x.toml:5:13
              |
            5 | duplicate = -0.1
              |             ^^^^ expected a number in 0..=1

            error: 2 is not a probability
             --> x.toml:9:28
              |
            9 | loss = { burst = { enter = 2, leave = 0.5, loss = 0.5 } }
              |                            ^ expected a number in 0..=1
        "#]],
    );
}

#[test]
fn links_to_oneself() {
    beb(
        r#"[[network.link]]
from = "p0"
to = "p0"
"#,
        expect![[r#"
            error: not a link: it leads from a process to itself
             --> x.toml:3:1
              |
            3 | [[network.link]]
              | ^^^^^^^^^^^^^^^^
              |
            help: a process's messages to itself always arrive at once
        "#]],
    );
}
