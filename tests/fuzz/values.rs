//! Values that readers trip over: at the ends of ranges, of another type, in another script.

use super::dice::Dice;

#[rustfmt::skip]
const NUMBERS: &[&str] = &[
    "0", "1", "2", "3", "5", "10", "50", "63", "64", "65", "100", "127", "128", "129", "255",
    "256", "999", "1000", "1001", "10000", "10001", "65535", "65536", "1000000", "1000001",
    "2147483647", "2147483648", "4294967295", "4294967296", "9007199254740993",
    "9223372036854775806", "9223372036854775807", "9223372036854775808",
    "18446744073709551615", "18446744073709551616",
    "-1", "-2", "-9223372036854775808", "-9223372036854775809", "0x7fffffffffffffff", "0o17",
    "1_000", "1__0", "00", "+1", "-0",
];

#[rustfmt::skip]
const FLOATS: &[&str] = &[
    "0.0", "-0.0", "0.5", "1.0", "1.0000000000000002", "0.9999999999999999", "1e-320", "5e-324",
    "1e308", "1e309", "-1e308", "nan", "-nan", "inf", "-inf", "1.5", "1e3", "3.14", "0.1",
];

#[rustfmt::skip]
const STRINGS: &[&str] = &[
    "\"\"", "\" \"", "\"0s\"", "\"1ns\"", "\"-1s\"", "\"1ms\"", "\"1.5ms\"", "\"0.0000000001s\"",
    "\"10s\"", "\"1m\"", "\"1h\"", "\"31536000s\"", "\"31536001s\"", "\"1e9s\"",
    "\"18446744073709551615ns\"", "\"18446744073709551616ns\"", "\"9223372036854775807ns\"",
    "\"9999999999999999999999s\"", "\"0ms..0ms\"", "\"1ms..10ms\"", "\"10ms..1ms\"",
    "\"0ns..18446744073709551615ns\"", "\"..\"", "\"1ms..\"", "\"..1ms\"", "\"1..2\"", "\"2..1\"",
    "\"0..0\"", "\"0..1000\"", "\"0..18446744073709551615\"", "\"-999999ppm\"", "\"1000000ppm\"",
    "\"-1000000ppm..1000000ppm\"", "\"1ppm..-1ppm\"", "\"1MB/s\"", "\"0B/s\"", "\"1B/s\"",
    "\"18446744073709551615GB/s\"", "\"p0\"", "\"p1\"", "\"p2\"", "\"p3\"", "\"p9\"", "\"p63\"",
    "\"p64\"", "\"p10000\"", "\"p4294967295\"", "\"p4294967296\"", "\"p-1\"", "\"p\"", "\"P0\"",
    "\"all\"", "\"any\"", "\"minority\"", "\"majority\"", "\"leader\"", "\"server\"",
    "\"server0\"", "\"client\"", "\"coordinator\"", "\"participant\"", "\"p0 -> p1\"",
    "\"p1 -> p0\"", "\"p0->p0\"", "\"->\"", "\"p0 -> \"", "\"none\"", "\"every\"", "\"perfect\"",
    "\"omega\"", "\"heartbeat\"", "\"raw\"", "\"reliable\"", "\"reliable-fifo\"", "\"fifo\"",
    "\"gst\"", "\"heal-all\"", "\"core\"", "\"drawn\"", "\"keep-subset\"", "\"torn-last\"",
    "\"lose-all\"", "\"quorum\"", "\"timeout\"", "\"\\u0000\"", "\"\\u001b[31m\"", "\"\\u0085\"",
    "\"\\u202e\"", "\"\\u2028\"", "\"a\\nb\"", "\"\\r\\n::error::x\"", "\"\\\"\"", "\"\\\\\"",
    "\"\u{1f600}\"", "\"e\u{301}\"", "\"\u{feff}\"", "\"\u{10ffff}\"", "\"\u{202e}abc\"",
    "\"\u{fdfa}\u{fdfa}\"", "\"\u{9b}31m\"", "\"../victim\"", "\"..\"", "\".\"", "\"a/b\"",
    "\"latest\"", "\"%s%n\"", "\"0000000000000000\"", "\"ffffffffffffffff\"", "\"1/1\"",
    "\"1/2\"", "\"2/2\"", "\"0/0\"", "\"18446744073709551615/18446744073709551615\"",
    "\"1/18446744073709551615\"", "\"first-failure\"", "\"p0:1\"", "\"p0:0\"",
    "\"p0:18446744073709551615\"",
];

#[rustfmt::skip]
const OTHERS: &[&str] = &[
    "true", "false", "null", "[]", "{}", "[[]]", "[{}]", "{ a = 1 }", "[1, \"p0\"]",
    "[\"p0\", \"p1\"]", "[\"p0\", \"p0\"]", "1979-05-27", "1979-05-27T07:32:00Z", "07:32:00",
    "[\"all\"]", "{ burst = { enter = 0.1, leave = 0.1, loss = 1.0 } }",
    "{ uniform = \"1ms..2ms\" }", "{ exponential = { mean = \"1ms\" } }", "{ failures = 0 }",
    "{ failures = 18446744073709551615 }",
];

#[rustfmt::skip]
const SCRAPS: &[&str] = &[
    "\0", "\t", "\r", "\n", "\r\n", "\u{7f}", "\u{85}", "\u{a0}", "\u{2028}", "\u{feff}",
    "\u{202e}", "\u{200b}", "\u{1f468}\u{200d}\u{1f469}", "\u{e9}", "\"", "'", "\"\"\"", "'''",
    "\\", "\\u", "\\U00110000", "#", "=", ".", "..", ",", "[", "]", "[[", "]]", "{", "}", ":",
    "-", "+", "_", " ",
];

/// A value, as TOML writes it; most are JSON as well.
pub fn value(dice: &mut Dice) -> String {
    match dice.below(16) {
        0..=4 => (*dice.pick(NUMBERS)).to_owned(),
        5 | 6 => (*dice.pick(FLOATS)).to_owned(),
        7..=11 => (*dice.pick(STRINGS)).to_owned(),
        12 | 13 => (*dice.pick(OTHERS)).to_owned(),
        14 => repeated(dice),
        _ => format!("{}", dice.bits()),
    }
}

/// A number as text, to stand within a string as well.
pub fn number(dice: &mut Dice) -> String {
    if dice.one_in(8) { format!("{}", dice.bits()) } else { (*dice.pick(NUMBERS)).to_owned() }
}

/// Something long or deep.
fn repeated(dice: &mut Dice) -> String {
    let count = *dice.pick(&[2usize, 10, 33, 100, 129, 300, 1_000, 5_000]);
    match dice.below(6) {
        0 => format!("{}{}", "[".repeat(count), "]".repeat(count)),
        1 => "[".repeat(count),
        2 => format!("{}1{}", "{ a = ".repeat(count), " }".repeat(count)),
        3 => format!("\"{}\"", "x".repeat(count)),
        4 => format!("[{}]", "\"p0\", ".repeat(count)),
        _ => "9".repeat(count),
    }
}

/// What stands between other things, or in their place.
pub fn scrap(dice: &mut Dice) -> &'static str {
    dice.pick::<&str>(SCRAPS)
}
